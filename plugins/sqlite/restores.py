"""Databases of a dump, put back: beside what is there, under a name, in the place of what is there, or into a drill's room."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil

import contents
import databases
import muster_plugin as muster

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOCK_BYTES = (0x40000000, 512)
"""Where SQLite keeps its locks on a database: the first byte, and how many."""


class Item:
    """One database of the dump, and where it goes."""

    def __init__(self, request: dict[str, Any], path: str) -> None:
        self.path, self.name = path, "/" + path
        self.file = os.path.join(request["files"], path)
        self.size = os.path.getsize(self.file)
        directory = request.get("target") or os.path.dirname(self.name)
        base = os.path.basename(path)
        self.kept: str | None = None
        if request["placement"] == "named":
            self.destination = os.path.join(directory, request.get("name") or base)
        elif request["placement"] == "beside":
            self.destination = os.path.join(directory, _marked(base, "restored", request["stamp"]))
        else:
            self.destination = os.path.join(directory, base)
            if os.path.lexists(self.destination):
                self.kept = os.path.join(directory, _marked(base, "replaced", request["stamp"]))
        self.temporary = os.path.join(os.path.dirname(self.destination), f".{base}.muster-{request['stamp']}")
        self.manifest = _manifest_of(request, path)


def _marked(base: str, what: str, stamp: str) -> str:
    """`data.db` becomes `data.restored-20261129T174500Z.db`."""
    stem, extension = os.path.splitext(base)
    return f"{stem}.{what}-{stamp}{extension}"


def _manifest_of(request: dict[str, Any], path: str) -> dict[str, Any] | None:
    found = (request.get("dump") or {}).get("databases") or []
    return next((entry for entry in found if entry.get("path") == path), None)


def restore() -> None:
    request = muster.restore_request()
    items = _items(request)
    {"check": _check, "restore": _restore, "drill": _drill}[request["action"]](request, items)
    muster.summary()


def _items(request: dict[str, Any]) -> list[Item]:
    paths = sorted(os.path.relpath(os.path.join(directory, name), request["files"])
                   for directory, _, names in os.walk(request["files"]) for name in names)
    wanted = request.get("items") or ["/" + path for path in paths]
    chosen = [_chosen(paths, item) for item in wanted]
    return [Item(request, path) for path in dict.fromkeys(chosen)]


def _chosen(paths: list[str], item: str) -> str:
    """A database by its path, or by the name of its file if no other has that name."""
    found = [path for path in paths if path == item.lstrip("/")] or [path for path in paths if os.path.basename(path) == item]
    if len(found) != 1:
        raise muster.PluginError("item_unknown", f"the dump has {'no' if not found else 'several'} '{item}'",
                                 "Name one of: " + ", ".join("/" + path for path in found or paths))
    return found[0]


# Check

def _check(request: dict[str, Any], items: list[Item]) -> None:
    for item in items:
        muster.plan(item.name, item.destination, item.kept, item.size)
    for code, about, message, hint in _obstacles(request, items):
        muster.finding("failure", code, about, message, hint)
    if os.geteuid() != 0 and any(item.kept for item in items):
        muster.finding("warning", "users_unseen", items[0].destination, "only root can see which programs of other users have it open",
                       "Stop the application first.")


def _obstacles(request: dict[str, Any], items: list[Item]) -> list[tuple[str, str, str, str]]:
    found = []
    if (request.get("dump") or {}).get("facts", {}).get("container") and not request.get("target"):
        found.append(("target_missing", "", "the databases come from a container", "Name a directory of this host with --to."))
    if request["placement"] == "named" and len(items) > 1:
        found.append(("name_taken", "", "several databases cannot have one name", "Name one database to restore."))
    if len({item.destination for item in items}) < len(items):
        found.append(("name_taken", "", "two databases would get one name", "Restore them one by one."))
    for item in items:
        found += [(code, item.destination, message, hint) for code, message, hint in _obstacles_of(item)]
    return found


def _obstacles_of(item: Item) -> list[tuple[str, str, str]]:
    directory = os.path.dirname(item.destination)
    if not os.path.isdir(directory):
        return [("target_missing", f"directory '{directory}' does not exist", "Create it, or name another with --to.")]
    found = []
    if not os.access(directory, os.W_OK | os.X_OK):
        found.append(("target_refused", f"this user may not write to '{directory}'", "Restore as the owner of the database, with --run-as."))
    if not item.kept and os.path.lexists(item.destination):
        found.append(("name_taken", f"'{item.destination}' exists", "Choose another name, or move it away."))
    free = os.statvfs(directory)
    if free.f_bavail * free.f_frsize < item.size:
        found.append(("disk_full", f"'{directory}' has too little room for {item.size} bytes", "Make room, or name another directory with --to."))
    use = _use(item.destination) if item.kept else None
    if use:
        found.append(("target_in_use", f"'{item.destination}' {use[0]}", use[1]))
    return found


def _use(path: str) -> tuple[str, str] | None:
    """Why a database may not be replaced, and what to do."""
    stop = "Stop the application that uses it."
    if _has_content(path + "-wal"):
        return ("has transactions in its -wal", stop + " If it does not run: `sqlite3 FILE 'PRAGMA wal_checkpoint(TRUNCATE)'`.")
    if _has_content(path + "-journal"):
        return ("has an unfinished transaction in its -journal", "Open it once with sqlite3 as its owner, and read from it.")
    users = _processes_with(path)
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


def _processes_with(path: str) -> list[str]:
    """The processes that have the file open, as far as this user may see."""
    status = os.stat(path)
    found = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if any(_is_same(f"/proc/{process}/fd/{number}", status) for number in os.listdir(f"/proc/{process}/fd")):
                with open(f"/proc/{process}/comm", encoding="utf-8", errors="replace") as file:
                    found.append(f"process {process} ({file.read().strip()})")
    return found


def _is_same(path: str, status: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(path), status)
    except OSError:
        return False


def _is_locked(path: str) -> bool:
    try:
        with open(path, "r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, LOCK_BYTES[1], LOCK_BYTES[0])
        return False
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EACCES)


# Restore

def _restore(request: dict[str, Any], items: list[Item]) -> None:
    for code, _, message, hint in _obstacles(request, items):
        raise muster.PluginError(code, message, hint)
    for item in items:
        _put(item)


def _put(item: Item) -> None:
    identifier = "restore " + item.name
    muster.undo(identifier, "restore", {"temporary": item.temporary, "path": item.destination, "kept": item.kept or ""})
    try:
        _copy(item, item.temporary)
        compared, differences, not_compared = _compared(item, item.temporary)
        if differences:
            first = differences[0]
            raise muster.PluginError("restored_differs", f"{first['fact']} of '{first['object']}' is {first['found']}, not {first['expected']}",
                                     "Extract the archive, and look at the file yourself.")
        _name(item)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(item.temporary)
        muster.undone(identifier)
    muster.restored(item.name, item.destination, item.kept, compared, differences, not_compared)


def _copy(item: Item, target: str) -> None:
    """The copy gets the owner and mode of the database at its place; otherwise the owner of the directory, as the application must write."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(item.file, "rb") as source, open(descriptor, "wb") as copy:
        shutil.copyfileobj(source, copy, 1 << 20)
        owner, mode = _owner_and_mode(item)
        os.fchown(copy.fileno(), *owner)
        os.fchmod(copy.fileno(), mode)
        copy.flush()
        os.fsync(copy.fileno())


def _owner_and_mode(item: Item) -> tuple[tuple[int, int], int]:
    for path, mode in ((item.destination, None), (item.name, None), (os.path.dirname(item.destination), 0o600)):
        with contextlib.suppress(FileNotFoundError):
            status = os.stat(path)
            owner = (status.st_uid, status.st_gid) if os.geteuid() == 0 else (-1, -1)
            return owner, mode or status.st_mode & 0o777
    return (-1, -1), 0o600


def _name(item: Item) -> None:
    """Gives the copy its name. Nothing is overwritten, and at no time is the database missing."""
    if item.kept is None:
        _link(item.temporary, item.destination)
    else:
        _replace(item, item.kept)
    directory = os.open(os.path.dirname(item.destination), os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(directory)
    os.close(directory)


def _replace(item: Item, kept: str) -> None:
    use = _use(item.destination)
    if use:
        raise muster.PluginError("target_in_use", f"'{item.destination}' {use[0]}", use[1])
    with open(item.destination, "r+b") as old:
        fcntl.lockf(old, fcntl.LOCK_EX | fcntl.LOCK_NB, LOCK_BYTES[1], LOCK_BYTES[0])
        _link(item.destination, kept)
        for ending in databases.COMPANIONS:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(item.destination + ending)
        os.rename(item.temporary, item.destination)


def _link(path: str, name: str) -> None:
    """A second name, which must be new. Where a file can have only one name, it gets this one."""
    try:
        os.link(path, name)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS) or os.path.lexists(name):
            raise
        os.rename(path, name)


def undo() -> None:
    """Removes what a restore that died left. A database that has its name is complete, and stays."""
    facts = muster.undo_record()["facts"]
    with contextlib.suppress(FileNotFoundError):
        os.unlink(facts["temporary"])
    if facts["kept"] and os.path.exists(facts["kept"]) and os.path.samefile(facts["kept"], facts["path"]):
        os.unlink(facts["kept"])
    muster.summary()


# Drill

def _drill(request: dict[str, Any], items: list[Item]) -> None:
    for item in items:
        copy = os.path.join(request["room"], "copy.db")
        shutil.copyfile(item.file, copy)
        compared, differences, not_compared = _compared(item, copy)
        os.unlink(copy)
        muster.restored(item.name, copy, None, compared, differences, not_compared)


def _compared(item: Item, copy: str) -> tuple[dict[str, int], list[dict[str, str]], list[str]]:
    try:
        found = contents.inspect(copy, muster.is_stopping)
    except databases.DatabaseError as error:
        return {}, [muster.difference("check", item.name, "ok", error.message)], []
    muster.check_stopped()
    differences = [] if found.size == item.size else [muster.difference("bytes", item.name, item.size, found.size)]
    compared = {"bytes": found.size}
    if item.manifest is None:
        return compared, differences, [f"rows of {item.name}: the manifest does not have them"]
    expected = {table["name"]: table["rows"] for table in item.manifest.get("tables", [])}
    differences += [muster.difference("rows", f"{item.name}: {name}", expected.get(name, "no table"), found.tables.get(name, "no table"))
                    for name in sorted({*expected, *found.tables}) if expected.get(name) != found.tables.get(name)]
    return {**compared, "tables": len(expected), "rows": sum(expected.values())}, differences, []
