"""Keys and accounts of a dump, put back as files for a server that does not run, or loaded by a drill's own server."""

from __future__ import annotations

import functools
import os
import time

import dumps
import muster_files as files
import muster_plugin as muster
import servers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

undo = files.undo

DRILL_ACCOUNT = "muster_drill"
AFTERWARDS = ("Start the server with `--appendonly no`, then `CONFIG SET appendonly yes`, wait until `appendonlydir` is there, "
              "and only then use its own configuration.")


def restore() -> None:
    request = muster.restore_request()
    wanted = _wanted(request)
    {"check": _check, "restore": _restore, "drill": _drill}[request["action"]](request, wanted)
    muster.summary()


def _wanted(request: dict[str, Any]) -> list[str]:
    """The names of the items: keys, accounts."""
    there = [name for name, path in (("keys", dumps.KEYS), ("accounts", dumps.ACCOUNTS)) if path in files.paths(request)]
    for item in request.get("items") or []:
        if item not in there:
            raise muster.PluginError("item_unknown", f"the dump has no '{item}'", "Name one of: " + ", ".join(there))
    return request.get("items") or there


def _files(request: dict[str, Any], wanted: list[str]) -> list[files.File]:
    """Accounts go beside those that are there: the server's own file of accounts is the operator's."""
    saved = files.facts(request).get("save_file")
    if saved is None and not request.get("target"):
        raise muster.PluginError("target_missing", "the dump does not say where the server saves its keys", "Name its directory with --to.")
    original = saved or "/" + dumps.KEYS
    accounts = os.path.join(os.path.dirname(original), dumps.ACCOUNTS)
    placement = "named" if wanted == ["accounts"] and request["placement"] == "named" else "beside"
    found = []
    if "keys" in wanted:
        found.append(files.File(request, "keys", dumps.KEYS, original, _recorded(request, "keys_bytes")))
    if "accounts" in wanted:
        found.append(files.File(request, "accounts", dumps.ACCOUNTS, accounts, _recorded(request, "accounts_bytes"), placement))
    return found


def _recorded(request: dict[str, Any], fact: str) -> int:
    text = files.facts(request).get(fact, "")
    return int(text) if text.isdigit() else 0


def _check(request: dict[str, Any], wanted: list[str]) -> None:
    items = _files(request, wanted)
    files.say_plan(items, _obstacles(request, items))
    if "keys" in wanted:
        muster.finding("warning" if files.facts(request).get("append_only_file") == "yes" else "note", "append_only_file", "keys",
                       "a server with an append-only file ignores this file when it starts", AFTERWARDS)
    if "accounts" in wanted:
        about = next(item.destination for item in items if item.item == "accounts")
        muster.finding("note", "accounts_beside", about, "the accounts are restored as a file that no server reads yet",
                       "Name it as `aclfile` in the configuration, or copy its lines into the present one and use `ACL LOAD`.")


def _obstacles(request: dict[str, Any], items: list[files.File]) -> list[files.Obstacle]:
    return files.obstacles(request, items, _use) + [obstacle for item in items if item.kept for obstacle in _append_only(item)]


def _use(path: str) -> tuple[str, str] | None:
    """A server works in the directory of its file, and overwrites the file when it ends."""
    users = [user for user in files.processes_with(os.path.dirname(path), "cwd") if "redis" in user or "valkey" in user]
    return ("belongs to " + ", ".join(users), "Stop the server without saving: `redis-cli shutdown nosave`.") if users else None


def _append_only(item: files.File) -> list[files.Obstacle]:
    directory = os.path.dirname(item.destination)
    found = [name for name in ("appendonlydir", "appendonly.aof") if os.path.exists(os.path.join(directory, name))]
    return [files.Obstacle("append_only_file", directory, f"the server would read '{os.path.join(directory, name)}' in place of the dump",
                           f"Move it away. {AFTERWARDS}") for name in found]


def _restore(request: dict[str, Any], wanted: list[str]) -> None:
    items = _files(request, wanted)
    files.refuse(_obstacles(request, items))
    for item in items:
        files.put(item, functools.partial(_compared_keys if item.item == "keys" else _compared_accounts, request), files.exchange)


def _compared_keys(request: dict[str, Any], copy: str) -> files.Comparison:
    try:
        found = dumps.inspect(copy, muster.Host()).count
    except muster.PluginError as error:
        return {}, [muster.difference("check", "keys", "ok", error.message)], []
    return _comparison("keys", _expected(request, dumps.KEYS, "keys"), found)


def _compared_accounts(request: dict[str, Any], copy: str) -> files.Comparison:
    with open(copy, encoding="utf-8", errors="surrogateescape") as file:
        found = sum(1 for _ in file)
    return _comparison("accounts", _expected(request, dumps.ACCOUNTS, "accounts"), found)


def _expected(request: dict[str, Any], path: str, what: str) -> int | None:
    return (files.tables(request, path) or {}).get(what)


def _comparison(what: str, expected: int | None, found: int) -> files.Comparison:
    if expected is None:
        return {}, [], [f"{what}: the manifest does not have their number"]
    return {what: expected}, [] if found == expected else [muster.difference("count", what, expected, found)], []


# Drill

def _drill(request: dict[str, Any], wanted: list[str]) -> None:
    """Loads the dump into a server of its own, which listens on a socket only and writes nothing."""
    room = request["room"]
    os.chdir(room)  # the path of a socket may have 107 bytes only
    arguments = ["--port", "0", "--unixsocket", "s", "--dir", room, "--logfile", "log", "--save", "", "--appendonly", "no",
                 # A replica keeps expired keys, so that all can be counted. There is no master at that port.
                 "--replicaof", "127.0.0.1 1"]
    os.symlink(os.path.join(request["files"], dumps.KEYS), dumps.KEYS)
    lines = _write_drill_accounts(request, room) if "accounts" in wanted else None
    if lines is not None:
        arguments += ["--aclfile", os.path.join(room, dumps.ACCOUNTS)]
    with muster.Host().start(["redis-server", *arguments], stdout=2) as program:
        server = _answering(program, DRILL_ACCOUNT if lines is not None else None)
        if "keys" in wanted:
            muster.restored("keys", "drill", None, *_comparison("keys", _expected(request, dumps.KEYS, "keys"), server.keys()))
        if lines is not None:
            muster.restored("accounts", "drill", None, {"accounts": len(lines)}, _account_differences(lines, server.accounts()))


def _account_differences(dumped: list[str], loaded: list[str]) -> list[dict[str, str]]:
    """A server lists the same rights in another order after it has read them."""
    expected, found = ({line.split()[1]: " ".join(sorted(line.split()[2:])) for line in lines} for lines in (dumped, loaded))
    found.pop(DRILL_ACCOUNT, None)
    return [muster.difference("account", name, "as in the dump" if name in expected else "no account", "another" if name in found else "no account")
            for name in sorted({*expected, *found}) if expected.get(name) != found.get(name)]


def _write_drill_accounts(request: dict[str, Any], room: str) -> list[str]:
    """The accounts of the dump, and one to ask with: their passwords are not known."""
    with open(os.path.join(request["files"], dumps.ACCOUNTS), encoding="utf-8", errors="surrogateescape") as file:
        lines = file.read().splitlines()
    with open(os.path.join(room, dumps.ACCOUNTS), "w", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(line + "\n" for line in [*lines, f"user {DRILL_ACCOUNT} on nopass ~* &* +@all"])
    return lines


def _answering(program: muster.Program, account: str | None) -> servers.Server:
    """The server once it has loaded everything."""
    server = servers.Server({"socket": "s", **({"user": account} if account else {})}, "x" if account else None)
    while True:
        if program.process.poll() is not None:
            raise muster.PluginError("drill_failed", f"the server does not start from the dump: {_last_line('log')}",
                                     "A server that is older than the dump cannot read it. An account may need a module.")
        try:
            if os.path.exists("s") and server.info("persistence").get("loading") == "0":
                return server
        except muster.PluginError as error:
            if error.code not in ("source_unavailable", "server_refused"):
                raise
        time.sleep(0.1)


def _last_line(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = [line.strip() for line in file if line.strip()]
    return lines[-1] if lines else "its log is empty"
