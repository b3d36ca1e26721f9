"""A drill: a server of its own in the room, everything loaded, everything compared."""

from __future__ import annotations

import contextlib
import os
import shutil
import time

import muster_plugin as muster
from mariadb_restore import Item, items_of, load_all, restore_accounts
from mariadb_server import Server

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

START_LIMIT = 60.0
DATA = "data"
SOCKET = "socket"


def drill(request: dict[str, Any]) -> None:
    os.chdir(request["room"])
    items, with_accounts = items_of(request)
    facts = request["dump"].get("facts") or {}
    with server_in_room(facts) as server:
        muster.fact("server_version", server.value("SELECT version()"))
        load_all(server, items)
        problems = checked(server, items)
        for item in items:
            item.compare(server)
        if with_accounts:
            restore_accounts(server, request)
        if problems:
            raise muster.PluginError("check_failed", f"mariadb-check found: {'; '.join(problems[:5])}", "Restore an older dump, and compare.")
        say_totals(server, items, facts, bool(request.get("items")))
    muster.summary()


def say_totals(server: Server, items: Sequence[Item], facts: dict[str, str], is_part: bool) -> None:
    """What the source's own tables said at the time of the dump, a second witness beside the files."""
    if is_part or not items:
        return
    differences = []
    for kind, column in (("routines", "routine_schema"), ("triggers", "trigger_schema"), ("events", "event_schema")):
        found = server.value(f"SELECT count(*) FROM information_schema.{kind} WHERE {column} NOT IN ('sys', 'mysql')")
        if kind in facts and facts[kind] != found:
            differences.append(f"{facts[kind]} {kind} dumped, {found} restored")
    if differences:
        raise muster.PluginError("not_restored", ", ".join(differences), "Compare the source with the dump, and dump again.")


def checked(server: Server, items: Sequence[Item]) -> list[str]:
    if not items:
        return []
    program = shutil.which("mariadb-check") or "mysqlcheck"
    finished = server.run(program, "--silent", "--databases", *(item.name for item in items))
    return [line for line in finished.text.split("\n") if line] or ([] if finished.status == 0 else [finished.how])


@contextlib.contextmanager
def server_in_room(facts: dict[str, str]) -> Iterator[Server]:
    """Runs in the working directory. The path of the socket is relative, because it must be short."""
    environment = {"PATH": os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin", "HOME": os.getcwd(), "TMPDIR": os.getcwd()}
    place = muster.Host()
    if not shutil.which("mariadbd", path=environment["PATH"]):
        raise muster.PluginError("program_missing", "mariadbd is not installed", "Install mariadb-server on the host that drills.")
    place.run(["mariadb-install-db", "--no-defaults", f"--datadir={os.path.abspath(DATA)}", "--auth-root-authentication-method=normal",
               "--skip-test-db", "--skip-name-resolve"], environment=environment).require_success("See the log.")
    output = os.open("mariadbd.log", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with place.start(["mariadbd", *server_options(facts)], stdout=output, environment=environment) as program:
            server = Server(place, [f"socket={DATA}/{SOCKET}", "user=root"])
            await_server(server, program)
            yield server
    finally:
        os.close(output)


def server_options(facts: dict[str, str]) -> list[str]:
    """Nothing of this server need survive, and nothing of what it holds may run."""
    options = ["--no-defaults", f"--datadir={os.path.abspath(DATA)}", f"--socket={SOCKET}", "--skip-networking", "--event-scheduler=OFF",
               "--skip-log-bin", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--max-allowed-packet=1G", "--skip-name-resolve",
               "--pid-file=pid", f"--tmpdir={os.getcwd()}"]
    if facts.get("lower_case_table_names") in ("0", "1"):
        options.append(f"--lower-case-table-names={facts['lower_case_table_names']}")
    return options


def await_server(server: Server, program: muster.Program) -> None:
    end = time.monotonic() + START_LIMIT
    while server.attempt("SELECT 1").status != 0:
        if program.process.poll() is not None:
            raise muster.PluginError("server_failed", program.finish().how, "See the log for what mariadbd says.")
        if time.monotonic() > end:
            raise muster.PluginError("server_failed", "mariadbd does not answer", "See the log for what mariadbd says.")
        time.sleep(0.1)
