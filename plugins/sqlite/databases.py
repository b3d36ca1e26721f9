"""SQLite databases: which there are, how one is opened without a trace, and how it is copied.

Imports nothing of Muster, because it also runs by itself in a container: `python3 -c THIS look|copy …`.
"""

from __future__ import annotations

import glob
import os
import signal
import sqlite3
import sys
import time
from urllib.parse import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    Result = TypeVar("Result")

MAGIC = b"SQLite format 3\0"
COMPANIONS = ("-wal", "-shm", "-journal")
STEP = 4096
"""Pages copied before the next look at the clock: 16 MiB of usual pages."""


class DatabaseError(Exception):
    def __init__(self, code: str, message: str, hint: str = "", transient: bool = False) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.transient = code, message, hint, transient


def find(patterns: Iterable[str]) -> list[str]:
    """The files that the patterns match. Throws for a pattern that matches none, because a database may be missing."""
    found: set[str] = set()
    for pattern in patterns:
        matches = [path for path in _matches(pattern) if not path.endswith(COMPANIONS)]
        if not matches:
            what = f"no file matches '{pattern}'" if glob.has_magic(pattern) else f"'{pattern}' does not exist"
            raise DatabaseError("source_unavailable", what, "Correct the path, or remove it from the job.")
        found.update(os.path.normpath(path) for path in matches)
    return sorted(found)


def _matches(pattern: str) -> list[str]:
    """A path that exists is taken as it is, even with `[` or `*` in its name."""
    if os.path.lexists(pattern):
        return [pattern]
    return [path for path in glob.glob(pattern, recursive=True) if not os.path.isdir(path)]


class Source:
    """A database to copy. Opening and closing it leaves nothing beside it that was not there before.

    All sources are created before the first is opened: closing a file that SQLite has open elsewhere in this process gives up its locks.
    """

    def __init__(self, path: str, wait: float) -> None:
        self.path, self.wait = path, wait
        self.file = os.path.realpath(path)
        header = self._read_header()
        self.size = os.stat(self.file).st_size
        self.is_wal = header[18:20] == b"\2\2"
        self.way = self._way_to_open()
        self._before = self._signature()
        self._connections: list[sqlite3.Connection] = []
        self._version = 0

    def _read_header(self) -> bytes:
        try:
            if not os.path.isfile(self.file):
                raise DatabaseError("source_unavailable", f"'{self.path}' is not a file", "Correct the path, or remove it from the job.")
            with open(self.file, "rb") as file:
                header = file.read(100)
        except OSError as error:
            raise DatabaseError("source_unreadable", f"'{self.path}' cannot be read: {error.strerror}",
                                "Run the dump as the owner of the database, with `run_as`.") from None
        if header and not header.startswith(MAGIC):
            raise DatabaseError("not_sqlite", f"'{self.path}' is not an SQLite database, or it is encrypted",
                                "Leave it out of the patterns. An encrypted database needs the tools of its application.")
        return header

    def _way_to_open(self) -> str:
        """How SQLite opens the file, as parameters of its URI.

        A reader of a database in WAL mode needs the files -wal and -shm. SQLite creates what is missing of them; a connection that may
        write removes them again, one that may only read does not.
        """
        if not self.is_wal:
            return "mode=ro"
        has_content = _size(self.file + "-wal") > 0
        if _size(self.file + "-wal") >= 0 and _size(self.file + "-shm") >= 0:
            return "mode=ro"
        if self._may_create_companions():
            # With a -wal, the last connection that may write would move its content into the database, which is not ours to do.
            return "mode=ro" if has_content else "mode=rw"
        if has_content:
            raise DatabaseError("source_unreadable", f"'{self.path}' has a -wal but no -shm, and this user may not create it",
                                "Run the dump as the owner of the database, with `run_as`, or as root.")
        # No process has the database open. `unchanged` proves later that this stayed so.
        return "immutable=1"

    def _may_create_companions(self) -> bool:
        """Not as a third user: the owner could not open what that user creates. What root creates, SQLite gives to the owner."""
        return (os.geteuid() in (0, os.stat(self.file).st_uid) and os.access(self.file, os.W_OK)
                and os.access(os.path.dirname(self.file), os.W_OK | os.X_OK))

    def _signature(self) -> tuple[int, ...]:
        status = os.stat(self.file)
        return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, _size(self.file + "-wal")

    def look(self) -> int:
        """Opens the database for a moment, changes nothing, and returns how many bytes it has."""
        return self._guarded(self._look)

    def _look(self) -> int:
        connection = self._connect("immutable=1" if self.way == "mode=rw" else self.way)
        try:
            return self._begin(connection)
        finally:
            connection.close()

    def freeze(self) -> None:
        """Opens a read transaction: its instant is what `copy` copies. May be called again for a later instant."""
        self._guarded(self._freeze)

    def _freeze(self) -> None:
        self._open()
        reader = self._connections[0]
        if reader.in_transaction:
            reader.execute("ROLLBACK")
        self._begin(reader)

    def _open(self) -> None:
        """One connection for the transaction, and one that sees what is committed meanwhile."""
        while len(self._connections) < 2:
            self._connections.append(self._connect(self.way))

    def version(self) -> int:
        """Differs from an earlier one if another connection committed in between."""
        self._guarded(self._look_at_version)
        return self._version

    def _look_at_version(self) -> None:
        self._open()
        self._version = int(self._connections[1].execute("PRAGMA data_version").fetchone()[0])

    def copy(self, target: str, progress: Callable[[int], None]) -> None:
        """Copies the frozen database to a new file, which is given by its URI."""
        self._guarded(lambda: self._copy(target, progress))
        if self.way == "immutable=1" and self._signature() != self._before:
            raise DatabaseError("source_changed", f"'{self.path}' changed while it was copied", "Run the dump as the owner of the database.",
                                transient=True)

    def _copy(self, target: str, progress: Callable[[int], None]) -> None:
        page_size = self._connections[0].execute("PRAGMA page_size").fetchone()[0]
        destination = sqlite3.connect(target, uri=True, isolation_level=None, check_same_thread=False)
        try:
            # A copy that is cut short is thrown away, and Muster flushes one that is not.
            destination.execute("PRAGMA journal_mode=OFF")
            destination.execute("PRAGMA synchronous=OFF")
            self._connections[0].backup(destination, pages=STEP,
                                        progress=lambda _, left, total: progress((total - left) * page_size))
        finally:
            destination.close()

    def close(self) -> None:
        while self._connections:
            self._connections.pop().close()

    def _connect(self, way: str) -> sqlite3.Connection:
        # `timeout` is short, because a stop waits for it; `_guarded` tries again.
        connection = sqlite3.connect(f"file:{quote(os.fsencode(self.file))}?{way}", uri=True, timeout=0.2, isolation_level=None,
                                     check_same_thread=False)
        connection.execute("PRAGMA query_only=ON")
        return connection

    @staticmethod
    def _begin(connection: sqlite3.Connection) -> int:
        """Only what is read first opens the transaction."""
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        return int(pages * size)

    def _guarded(self, work: Callable[[], Result]) -> Result:
        """Tries again while the database is locked, as long as `wait` says."""
        end = time.monotonic() + self.wait
        while True:
            try:
                return work()
            except sqlite3.Error as error:
                if not _is_lock(error) or time.monotonic() >= end:
                    raise self._explained(error) from None
            time.sleep(0.05)

    def _explained(self, error: sqlite3.Error) -> DatabaseError:
        text = str(error)
        code, what, hint = next((cause[1:] for cause in _CAUSES if cause[0] in text), ("sqlite_failed", f"failed: {text}", ""))
        return DatabaseError(code, f"'{self.path}' {what}", hint, transient=_is_lock(error))


_CAUSES = (
    ("locked", "source_locked", "is locked", "Another program keeps it locked. Raise `wait`, or dump at another time."),
    ("not a database", "not_sqlite", "is not an SQLite database, or it is encrypted", "An encrypted one needs the tools of its application."),
    ("malformed", "source_damaged", "is damaged", "Recover it with `sqlite3 FILE .recover`."),
    ("readonly", "source_unrecovered", "has an unfinished transaction of a program that died",
     "Start that program once, or open the file with sqlite3 as its owner and read from it."),
    ("unable to open", "source_unreadable", "cannot be opened", "Run the dump as the owner of the database, with `run_as`, or as root."),
    ("disk is full", "no_space", "does not fit on the disk of the dump", "Make room on the file system of the staging area."),
)


def _is_lock(error: sqlite3.Error) -> bool:
    return "locked" in str(error)


def freeze_all(sources: list[Source], attempts: int = 20) -> bool:
    """Freezes all sources. True if that is one instant.

    Without a WAL, an open read transaction keeps everyone from committing, so these sources are as of the last of their transactions and of
    any later moment. With one, a writer may commit between two read transactions; then they are opened again, so many times.
    """
    for source in sources:
        if not source.is_wal:
            source.freeze()
    moving = [source for source in sources if source.is_wal]
    for _ in range(attempts):
        versions = [source.version() for source in moving]
        for source in moving:
            source.freeze()
        if len(moving) < 2 or [source.version() for source in moving] == versions:
            return True
    return False


def _size(path: str) -> int:
    """Of a file; -1 if there is none."""
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return -1


# In a container

def main(arguments: list[str]) -> None:
    """`look WAIT PATTERN…` writes `SIZE PATH` for each database. `copy WAIT PATH` writes `frozen`, waits for `go`, and writes the copy:
    its length on a line, then its bytes."""
    if arguments[0] == "look":
        for path in find(arguments[2:]):
            print(Source(path, float(arguments[1])).look(), path)
    else:
        source = Source(arguments[2], float(arguments[1]))
        try:
            _serve(source)
        finally:
            source.close()


def _serve(source: Source) -> None:
    import select
    import tempfile

    def end_with_input(_: int) -> None:
        if select.select([0], [], [], 0)[0]:
            sys.exit("the plugin was stopped")

    source.freeze()
    os.write(1, b"frozen\n")
    if os.read(0, 100) != b"go\n":
        sys.exit("the plugin was stopped")
    with tempfile.TemporaryDirectory(prefix="muster-") as directory:
        copy = os.path.join(directory, "copy")
        source.copy(f"file:{quote(copy)}", end_with_input)
        with open(copy, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            os.write(1, b"%d\n" % size)
            sent = 0
            while sent < size:
                sent += os.sendfile(1, file.fileno(), sent, size - sent)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    try:
        main(sys.argv[1:])
    except DatabaseError as failure:
        sys.exit(failure.message)
