"""Databases of a dump, put back: beside what is there, under a name, in the place of what is there, or into a drill's room."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import os

import contents
import databases
import muster_files as files
import muster_plugin as muster

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOCK_BYTES = (0x40000000, 512)
"""Where SQLite keeps its locks on a database: the first byte, and how many."""

undo = files.undo


def restore() -> None:
    request = muster.restore_request()
    items = _items(request)
    {"check": _check, "restore": _restore, "drill": _drill}[request["action"]](request, items)
    muster.summary()


def _items(request: dict[str, Any]) -> list[files.File]:
    """The dump has each database at the path at which it was."""
    paths = files.paths(request)
    wanted = request.get("items") or ["/" + path for path in paths]
    chosen = [_chosen(paths, item) for item in wanted]
    sizes = contents.recorded_sizes(files.facts(request))
    return [files.File(request, "/" + path, path, "/" + path, sizes.get(path, 0)) for path in dict.fromkeys(chosen)]


def _chosen(paths: list[str], item: str) -> str:
    """A database by its path, or by the name of its file if no other has that name."""
    found = [path for path in paths if path == item.lstrip("/")] or [path for path in paths if os.path.basename(path) == item]
    if len(found) != 1:
        raise muster.PluginError("item_unknown", f"the dump has {'no' if not found else 'several'} '{item}'",
                                 "Name one of: " + ", ".join("/" + path for path in found or paths))
    return found[0]


def _check(request: dict[str, Any], items: list[files.File]) -> None:
    files.say_plan(items, files.obstacles(request, items, _use))
    if os.geteuid() != 0 and any(item.kept for item in items):
        muster.finding("warning", "users_unseen", items[0].destination, "only root can see which programs of other users have it open",
                       "Stop the application first.")


def _use(path: str) -> tuple[str, str] | None:
    """Why a database may not be replaced, and what to do."""
    stop = "Stop the application that uses it."
    if _has_content(path + "-wal"):
        return ("has transactions in its -wal", stop + " If it does not run: `sqlite3 FILE 'PRAGMA wal_checkpoint(TRUNCATE)'`.")
    if _has_content(path + "-journal"):
        return ("has an unfinished transaction in its -journal", "Open it once with sqlite3 as its owner, and read from it.")
    users = files.processes_with(path, "fd/*")
    if users:
        return ("is open in " + ", ".join(users), stop)
    return ("is locked by a process", stop) if _is_locked(path) else None


def _has_content(path: str) -> bool:
    """A journal whose first byte is zero has ended."""
    try:
        with open(path, "rb") as file:
            return file.read(1) not in (b"", b"\0")
    except FileNotFoundError:
        return False


def _is_locked(path: str) -> bool:
    try:
        with open(path, "r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, LOCK_BYTES[1], LOCK_BYTES[0])
        return False
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EACCES)


def _restore(request: dict[str, Any], items: list[files.File]) -> None:
    files.refuse(files.obstacles(request, items, _use))
    for item in items:
        files.put(item, functools.partial(_compared, request, item), _exchange)


def _exchange(item: files.File) -> None:
    """Under SQLite's own lock, so that no program begins to use the old file meanwhile."""
    use = _use(item.destination)
    if use:
        raise muster.PluginError("target_in_use", f"'{item.destination}' {use[0]}", use[1])
    with open(item.destination, "r+b") as old:
        fcntl.lockf(old, fcntl.LOCK_EX | fcntl.LOCK_NB, LOCK_BYTES[1], LOCK_BYTES[0])
        for ending in databases.COMPANIONS:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(item.destination + ending)
        files.exchange(item)


def _drill(request: dict[str, Any], items: list[files.File]) -> None:
    """The files of a drill are a copy already, which is thrown away."""
    for item in items:
        muster.restored(item.item, item.source, None, *_compared(request, item, item.source))


def _compared(request: dict[str, Any], item: files.File, copy: str) -> files.Comparison:
    try:
        found = contents.inspect(copy, muster.is_stopping)
    except databases.DatabaseError as error:
        return {}, [muster.difference("check", item.item, "ok", error.message)], []
    muster.check_stopped()
    differences = [] if found.size == item.size else [muster.difference("bytes", item.item, item.size, found.size)]
    compared = {"bytes": found.size}
    expected = files.tables(request, item.path)
    if expected is None:
        return compared, differences, [f"rows of {item.item}: the manifest does not have them"]
    differences += [muster.difference("rows", f"{item.item}: {name}", expected.get(name, "no table"), found.tables.get(name, "no table"))
                    for name in sorted({*expected, *found.tables}) if expected.get(name) != found.tables.get(name)]
    return {**compared, "tables": len(expected), "rows": sum(expected.values())}, differences, []
