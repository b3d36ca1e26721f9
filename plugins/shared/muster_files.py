"""Files of a dump, put back: beside what is there, under a name, or in the place of what is there. For plugins whose source is files."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import shutil

import muster_plugin as muster

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, Union
    Use = Union[tuple[str, str], None]
    Comparison = tuple[dict[str, int], list[dict[str, str]], list[str]]


_numbers = itertools.count(1)


class File:
    """One file of the dump, and where it goes. `original` is where it came from, `recorded` its size by the manifest.

    The action `check` has no files, only the manifest.
    """

    def __init__(self, request: dict[str, Any], item: str, path: str, original: str, recorded: int, placement: str | None = None) -> None:
        self.item, self.path, self.original = item, path, original
        self.placement = placement or request["placement"]
        self.source = os.path.join(request["files"], path)
        self.size = recorded if request["action"] == "check" else os.path.getsize(self.source)
        directory = request.get("target") or os.path.dirname(original)
        base = os.path.basename(original)
        self.kept: str | None = None
        if self.placement == "named":
            self.destination = os.path.join(directory, request.get("name") or base)
        elif self.placement == "beside":
            self.destination = os.path.join(directory, marked(base, "restored", request["stamp"]))
        else:
            self.destination = os.path.join(directory, base)
            if os.path.lexists(self.destination):
                self.kept = os.path.join(directory, marked(base, "replaced", request["stamp"]))
        self.temporary = os.path.join(os.path.dirname(self.destination), f".{base}.muster-{request['stamp']}")


class Obstacle:
    """Why a restore cannot be."""

    def __init__(self, code: str, about: str, message: str, hint: str) -> None:
        self.code, self.about, self.message, self.hint = code, about, message, hint


def marked(base: str, what: str, stamp: str) -> str:
    """`data.db` becomes `data.restored-20261129T174500Z.db`."""
    stem, extension = os.path.splitext(base)
    return f"{stem}.{what}-{stamp}{extension}"


def say_plan(files: Sequence[File], obstacles: Sequence[Obstacle]) -> None:
    for file in files:
        muster.plan(file.item, file.destination, file.kept, file.size)
    for obstacle in obstacles:
        muster.finding("failure", obstacle.code, obstacle.about, obstacle.message, obstacle.hint)


def refuse(obstacles: Sequence[Obstacle]) -> None:
    for obstacle in obstacles:
        raise muster.PluginError(obstacle.code, obstacle.message, obstacle.hint)


def obstacles(request: dict[str, Any], files: Sequence[File], use: Callable[[str], Use]) -> list[Obstacle]:
    """What holds for each kind of file. `use` says why a file may not be replaced, and what to do."""
    found = []
    about = files[0].destination
    if facts(request).get("container") and not request.get("target"):
        found.append(Obstacle("target_missing", about, "the dump comes from a container", "Name a directory of this host with --to."))
    if sum(file.placement == "named" for file in files) > 1:
        found.append(Obstacle("name_taken", about, "several files cannot have one name", "Name one item to restore."))
    if len({file.destination for file in files}) < len(files):
        found.append(Obstacle("name_taken", about, "two files would get one name", "Restore them one by one."))
    return found + [obstacle for file in files for obstacle in _obstacles_of(file, use)]


def facts(request: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = (request.get("dump") or {}).get("facts") or {}
    return found


def paths(request: dict[str, Any]) -> list[str]:
    """Of everything that the manifest has a `database` for."""
    return sorted({entry["path"] for entry in (request.get("dump") or {}).get("databases") or []})


def tables(request: dict[str, Any], path: str) -> dict[str, int] | None:
    """The rows of each table that the manifest has for a file; None if it says nothing of it."""
    entries = [entry for entry in (request.get("dump") or {}).get("databases") or [] if entry.get("path") == path]
    return {table["name"]: table["rows"] for entry in entries for table in entry.get("tables", [])} if entries else None


def _obstacles_of(file: File, use: Callable[[str], Use]) -> Iterator[Obstacle]:
    about, directory = file.destination, os.path.dirname(file.destination)
    if not os.path.isdir(directory):
        yield Obstacle("target_missing", about, f"directory '{directory}' does not exist", "Create it, or name another with --to.")
        return
    if not os.access(directory, os.W_OK | os.X_OK):
        yield Obstacle("target_refused", about, f"this user may not write to '{directory}'", "Restore as its owner, with --run-as.")
    if not file.kept and os.path.lexists(about):
        yield Obstacle("name_taken", about, f"'{about}' exists", "Choose another name, or move it away.")
    free = os.statvfs(directory)
    if free.f_bavail * free.f_frsize < file.size:
        yield Obstacle("no_space", about, f"'{directory}' has too little room for {file.size} bytes",
                       "Make room, or name another directory with --to.")
    used = use(about) if file.kept else None
    if used:
        yield Obstacle("target_in_use", about, f"'{about}' {used[0]}", used[1])


def put(file: File, compare: Callable[[str], Comparison], exchange: Callable[[File], None]) -> None:
    """Copies the file, compares the copy, and only then gives it its name. `exchange` does that where a file is replaced."""
    identifier = f"restore-{next(_numbers)}"
    muster.undo(identifier, "restore", {"temporary": file.temporary, "path": file.destination, "kept": file.kept or ""})
    try:
        _copy(file)
        compared, differences, not_compared = compare(file.temporary)
        if differences:
            first = differences[0]
            raise muster.PluginError("restored_differs", f"{first['fact']} of '{first['object']}' is {first['found']}, not {first['expected']}",
                                     "Extract the archive, and look at the file yourself.")
        if file.kept is None:
            link(file.temporary, file.destination)
        else:
            exchange(file)
        _flush(os.path.dirname(file.destination))
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(file.temporary)
        muster.undone(identifier)
    muster.restored(file.item, file.destination, file.kept, compared, differences, not_compared)


def exchange(file: File) -> None:
    """Keeps what is there under another name. At no time is the name missing."""
    assert file.kept is not None
    link(file.destination, file.kept)
    os.rename(file.temporary, file.destination)


def _copy(file: File) -> None:
    """The copy gets owner and mode of the file at its place; otherwise the owner of the directory, since a program must reach it."""
    descriptor = os.open(file.temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(file.source, "rb") as source, open(descriptor, "wb") as copy:
        shutil.copyfileobj(source, copy, 1 << 20)
        owner, mode = _owner_and_mode(file)
        os.fchown(copy.fileno(), *owner)
        os.fchmod(copy.fileno(), mode)
        copy.flush()
        os.fsync(copy.fileno())


def _owner_and_mode(file: File) -> tuple[tuple[int, int], int]:
    for path, mode in ((file.destination, None), (file.original, None), (os.path.dirname(file.destination), 0o600)):
        with contextlib.suppress(OSError):
            status = os.stat(path)
            owner = (status.st_uid, status.st_gid) if os.geteuid() == 0 else (-1, -1)
            return owner, mode or status.st_mode & 0o777
    return (-1, -1), 0o600


def _flush(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(descriptor)
    os.close(descriptor)


def link(path: str, name: str) -> None:
    """A second name, which must be new. Where a file can have only one name, it gets this one."""
    try:
        os.link(path, name)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS) or os.path.lexists(name):
            raise
        os.rename(path, name)


def undo() -> None:
    """Removes what a restore that died left. A file that has its name is complete, and stays."""
    recorded = muster.undo_record()["facts"]
    with contextlib.suppress(FileNotFoundError):
        os.unlink(recorded["temporary"])
    kept, path = recorded["kept"], recorded["path"]
    if kept and os.path.exists(kept):
        if not os.path.lexists(path):
            os.rename(kept, path)
        elif os.path.samefile(kept, path):
            os.unlink(kept)
    muster.summary()


def processes_with(path: str, links: str) -> list[str]:
    """The processes that have a file open (`links` is `fd/*`) or work in a directory (`cwd`), as far as this user may see."""
    import glob
    status = os.stat(path)
    found = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        if any(_is_same(link_path, status) for link_path in glob.glob(f"/proc/{process}/{links}")):
            found.append(f"process {process} ({_command(process)})")
    return found


def _is_same(path: str, status: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(path), status)
    except OSError:
        return False


def _command(process: str) -> str:
    with contextlib.suppress(OSError), open(f"/proc/{process}/comm", encoding="utf-8", errors="replace") as file:
        return file.read().strip()
    return "ended"
