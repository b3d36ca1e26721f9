"""Prints each result of a play as one line of JSON, and Ansible's own counts as the last: ansible-core has no such callback."""
import json

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: results
type: stdout
short_description: each result as a line of JSON
description: For tests.
"""


class CallbackModule(CallbackBase):
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "results"

    def show(self, result, **kind):
        facts = json.loads(self._dump_results(result._result))
        print(json.dumps({"task": result._task.get_name().removeprefix("muster : "), "result": facts, **kind}), flush=True)

    def v2_runner_on_ok(self, result):
        self.show(result)

    def v2_runner_on_skipped(self, result):
        self.show(result, skipped=True)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.show(result, failed=True)

    def v2_runner_on_unreachable(self, result):
        self.show(result, failed=True)

    def v2_playbook_on_stats(self, stats):
        print(json.dumps({"stats": {host: stats.summarize(host) for host in stats.processed}}), flush=True)
