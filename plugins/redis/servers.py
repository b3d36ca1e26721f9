"""A Redis server as redis-cli sees it."""

from __future__ import annotations

import os
import re
import time

import muster_plugin as muster

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

REFUSALS = {
    "NOAUTH": ("login_refused", "Set `password`, and `user` if it is not the account `default`."),
    "WRONGPASS": ("login_refused", "Correct `user` and `password`."),
    "NOPERM": ("rights_missing", "Give the account the rights that the page of this plugin lists."),
}
PATIENCE = ("LOADING", "BUSY", "MASTERDOWN")
"""Errors that pass."""


class Server:
    """Runs commands through redis-cli. The password goes to its standard input, as the answer to `--askpass`."""

    def __init__(self, options: dict[str, Any], password: str | None) -> None:
        self.place = muster.place_of(options)
        self._password = password
        self._arguments = ["redis-cli", *_address(options)]
        self.name = options.get("socket") or f"{options.get('host', '127.0.0.1')}:{options.get('port', 6379)}"

    def ask(self, *command: str) -> str:
        """The reply as text, one line for each element. Errors of the server are thrown."""
        finished = self.run(*command)
        finished.require_success(code="source_unavailable", hint="Check that the server runs, and `socket`, or `host` and `port`.")
        reply = finished.text.rstrip("\n")
        refused = re.match(r"([A-Z]+) .*", reply)
        if refused and (refused[1] in REFUSALS or refused[1] in PATIENCE or refused[1] == "ERR"):
            raise self._refusal(refused[1], command[0], finished.errors, reply)
        return reply

    def run(self, *arguments: str, output: str | None = None) -> muster.Finished:
        """`output` gets what redis-cli writes to its standard output."""
        password = [] if self._password is None else ["--askpass"]
        return self.place.run([*self._arguments, *password, *arguments], output=output,
                              input=None if self._password is None else self._password + "\n")

    def _refusal(self, word: str, command: str, errors: list[str], reply: str) -> muster.PluginError:
        """A wrong password is on standard error; the reply to the command then only says that there was none."""
        why = next((line for line in errors if "WRONGPASS" in line), reply)
        code, hint = REFUSALS.get("WRONGPASS" if "WRONGPASS" in why else word, ("server_refused", ""))
        return muster.PluginError(code, f"server '{self.name}' refused {command}: {why}", hint, transient=word in PATIENCE)

    def info(self, section: str) -> dict[str, str]:
        pairs = (line.partition(":") for line in self.ask("INFO", section).splitlines())
        return {name: value.strip() for name, _, value in pairs if value}

    def keys(self) -> int:
        """In all its databases."""
        return sum(int(found[1]) for found in re.finditer(r"keys=(\d+)", " ".join(self.info("keyspace").values())))

    def accounts(self) -> list[str]:
        """One line for each, as a file of accounts has them. Passwords are hashes."""
        lines = [line for line in self.ask("ACL", "LIST").splitlines() if line]
        for line in lines:
            if not line.startswith("user "):
                raise muster.PluginError("server_refused", f"server '{self.name}' answered ACL LIST with '{line}'")
        return lines

    def save(self) -> None:
        """Has the server write its file, and returns when that is done."""
        begun = int(self.ask("TIME").splitlines()[0])
        while not self._has_begun_to_save():
            time.sleep(0.2)
        while True:
            state = self.info("persistence")
            if state["rdb_bgsave_in_progress"] == "0":
                break
            time.sleep(0.2)
        if state["rdb_last_bgsave_status"] != "ok" or int(state["rdb_last_save_time"]) < begun:
            raise muster.PluginError("save_failed", f"server '{self.name}' could not save its keys",
                                     "The server's own log says why. Often its disk is full.")

    def _has_begun_to_save(self) -> bool:
        """False while it is busy with another save or with its append-only file."""
        try:
            self.ask("BGSAVE")
            return True
        except muster.PluginError as error:
            if "in progress" in error.message or "right now" in error.message:
                return False
            raise

    def save_file(self) -> str:
        """Where it saves its keys."""
        directory, name = (self.ask("CONFIG", "GET", key).splitlines()[1] for key in ("dir", "dbfilename"))
        return os.path.join(directory, name)


def _address(options: dict[str, Any]) -> list[str]:
    socket = ["-s", options["socket"]] if options.get("socket") else ["-h", options.get("host", "127.0.0.1"), "-p", str(options.get("port", 6379))]
    user = ["--user", options["user"]] if options.get("user") else []
    authority = ["--cacert", options["ca_certificate"]] if options.get("ca_certificate") else []
    return [*socket, *user, *(["--tls", *authority] if options.get("tls") else [])]
