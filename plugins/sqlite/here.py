"""How SQLite opens files in the working directory.

SQLite first makes every path absolute, and looks at each directory on the way. With `run_as`, the user may go into the dump's directory but
not through those above it. There SQLite is given a VFS (https://sqlite.org/c3ref/vfs.html) that leaves paths as they are.
"""

from __future__ import annotations

import ctypes
import os
import re
from urllib.parse import quote

from databases import DatabaseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME = b"muster_relative"


def uri(path: str, parameters: str) -> str:
    """For a relative path: what `sqlite3.connect` takes with `uri=True`."""
    vfs = "" if _is_reachable() else f"&vfs={_register()}"
    return f"file:{quote(os.fsencode(path))}?{parameters}{vfs}"


def _is_reachable() -> bool:
    try:
        return os.path.samestat(os.stat(os.getcwd()), os.stat("."))
    except OSError:
        return False


class _VFS(ctypes.Structure):
    """The first version of `struct sqlite3_vfs`, with room for what later ones add."""

    _fields_ = [("version", ctypes.c_int), ("file_size", ctypes.c_int), ("path_length", ctypes.c_int), ("next", ctypes.c_void_p),
                ("name", ctypes.c_char_p), ("data", ctypes.c_void_p), ("open", ctypes.c_void_p), ("delete", ctypes.c_void_p),
                ("access", ctypes.c_void_p), ("full_path", ctypes.c_void_p), ("others", ctypes.c_void_p * 12)]


_FULL_PATH = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p)
_OK, _CANNOT_OPEN = 0, 14
_kept: list[Any] = []
"""What SQLite refers to, for as long as the process lives."""


def _keep_path(_vfs: int, path: bytes, room: int, full: int) -> int:
    if len(path) >= room:
        return _CANNOT_OPEN
    ctypes.memmove(full, path + b"\0", len(path) + 1)
    return _OK


def _register() -> str:
    if not _kept:
        library = _library()
        library.sqlite3_vfs_find.restype = ctypes.POINTER(_VFS)
        vfs = _VFS.from_buffer_copy(library.sqlite3_vfs_find(None).contents)
        vfs.version = min(vfs.version, 3)
        vfs.next, vfs.name = None, NAME
        full_path = _FULL_PATH(_keep_path)
        vfs.full_path = ctypes.cast(full_path, ctypes.c_void_p)
        _kept.extend([vfs, full_path])
        if library.sqlite3_vfs_register(ctypes.byref(vfs), 0) != _OK:
            raise _unsuitable("refuses another VFS")
    return NAME.decode()


def _library() -> ctypes.CDLL:
    """The one that Python's module uses, not another of the same name."""
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        found = re.search(r"/\S*libsqlite3\S*", maps.read())
    if found is None:
        raise _unsuitable("is built into Python")
    return ctypes.CDLL(found[0])


def _unsuitable(why: str) -> DatabaseError:
    return DatabaseError("program_unsuitable", f"the SQLite library {why}, so this user cannot write to the dump's directory",
                         "Leave out `run_as`: root, too, leaves nothing behind. Or use the system's own Python.")
