"""A file that mariadb-dump wrote: what is where in it, and how a file of several databases becomes one for each."""

from __future__ import annotations

import os
import re

import muster_plugin as muster

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNTS = "accounts.sql"
ACCOUNTS_ITEM = "@accounts"
"""No database can be confused with it in the list of what to restore."""

TRAILER = b"-- Dump completed"
HEADING = "-- Current Database: `"
FOOTER = "/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE"
EVENTS = "-- Dumping events for database '"
ROUTINES = "-- Dumping routines for database '"
TABLE = "-- Table structure for table `"
SEQUENCE = "-- Sequence structure for `"
VIEW = "-- Final view structure for view `"
LOCK = "LOCK TABLES `"
UNLOCK = "UNLOCK TABLES;"
INSERT = "INSERT INTO `"
TRIGGER = "/*!50003 CREATE*/ /*!50017 DEFINER"
ROUTINE = "/*!50003 DROP "
EVENT = "/*!50106 DROP EVENT IF EXISTS"
STARTS = (HEADING, FOOTER, EVENTS, ROUTINES, TABLE, SEQUENCE, VIEW, LOCK, UNLOCK, INSERT, TRIGGER, ROUTINE, EVENT)

BEFORE_HEADING = len("\n--\n")
LINES_BESIDE_ROWS = 3
"""Between LOCK TABLES and UNLOCK TABLES: one that disables keys, one that enables them, and one step."""


def require_trailer(path: str) -> None:
    """A dump that was cut between two statements looks like a whole one, and loads with status 0."""
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - 200))
        if not file.read().rstrip().split(b"\n")[-1].startswith(TRAILER):
            raise muster.PluginError("incomplete_dump", f"{path} does not end as a whole dump does",
                                     "See the log for what ended mariadb-dump; if it says nothing, check the disk.")


def count_accounts(path: str) -> int:
    with open(path, "rb") as file:
        return sum(line.startswith(b"CREATE USER ") for line in file)


class Line:
    def __init__(self, number: int, offset: int, text: str) -> None:
        self.number, self.offset, self.text = number, offset, text

    @property
    def name(self) -> str:
        """The first name in backquotes."""
        found = re.search(r"`((?:[^`]|``)*)`", self.text)
        return found[1].replace("``", "`") if found else ""


class DumpFile:
    """The lines of a dump that say what is in it. grep leaves out the rows in a tenth of the time that Python needs."""

    def __init__(self, path: str) -> None:
        require_trailer(path)
        self.path = path
        self.size = os.path.getsize(path)
        # MySQL writes all rows on the line of the INSERT: those are not counted.
        self._counts_rows = b"MariaDB dump" in self.read(0, 200)
        rows = ["-e", "^("] if self._counts_rows else ["-e", "^INSERT INTO "]
        found = muster.Host().run(["grep", "-a", "-n", "-b", "-v", *rows, "--", path], environment={"LC_ALL": "C"})
        self.lines = [line for line in map(_line, found.text.split("\n")[:-1]) if line.text.startswith(STARTS)]
        self.headings = self._starting(HEADING)
        footers = self._starting(FOOTER)
        self.footer = footers[-1].offset if footers else self.size

    def _starting(self, start: str) -> list[Line]:
        return [line for line in self.lines if line.text.startswith(start)]

    def names(self, start: str) -> list[str]:
        return [line.name for line in self._starting(start)]

    def count(self, start: str) -> int:
        return len(self._starting(start))

    def rows(self) -> dict[str, int]:
        """Rows of each table. A row is a line of its own, and a line break within a value is written as `\\n`."""
        rows: dict[str, int] = {}
        if not self._counts_rows:
            return rows
        lock, inserts = None, 0
        for line in self.lines:
            if line.text.startswith(LOCK):
                lock, inserts = line, 0
            elif line.text.startswith(INSERT):
                inserts += 1
            elif line.text.startswith(UNLOCK) and lock is not None:
                rows[lock.name] = line.number - lock.number - LINES_BESIDE_ROWS - inserts
                lock = None
        return rows

    # Parts of the file, each as the offsets of its start and its end.

    @property
    def header(self) -> tuple[int, int]:
        return 0, self.headings[0].offset - BEFORE_HEADING

    def sections(self) -> list[tuple[str, int, int]]:
        """Tables of each database, then views of each: with the name of the database."""
        starts = [heading.offset - BEFORE_HEADING for heading in self.headings]
        return [(heading.name, start, end)
                for heading, start, end in zip(self.headings, starts, [*starts[1:], self.footer])]

    def first_section(self) -> tuple[int, int]:
        """Tables, triggers, events and routines of the one database."""
        return self.sections()[0][1:]

    def view_section(self) -> tuple[int, int] | None:
        return self.sections()[1][1:] if len(self.headings) > 1 else None

    def event_section(self) -> tuple[int, int] | None:
        """A part of the first section."""
        events, routines = self._starting(EVENTS), self._starting(ROUTINES)
        if not events or not routines or self.count(EVENT) == 0:
            return None
        return events[0].offset - BEFORE_HEADING, routines[0].offset - BEFORE_HEADING

    def read(self, start: int, end: int) -> bytes:
        with open(self.path, "rb") as file:
            file.seek(start)
            return file.read(end - start)


def _line(text: str) -> Line:
    number, offset, rest = text.split(":", 2)
    return Line(int(number), int(offset), rest)


def split(whole: str, paths: dict[str, str]) -> None:
    """Makes one file for each database of a dump of several, byte for byte as if each had been dumped alone."""
    dump = DumpFile(whole)
    names = [heading.name for heading in dump.headings]
    if names[:len(paths)] != list(paths) or names[len(paths):] not in ([], list(paths)):
        raise muster.PluginError("incomplete_dump", f"the dump of {len(paths)} databases holds {len(names)} parts: {', '.join(names[:20])}",
                                 "A routine or trigger may have a line that begins with '-- Current Database:': change that line.")
    header, footer = dump.read(*dump.header), dump.read(dump.footer, dump.size)
    first = b"    Database: " + names[0].encode() + b"\n"
    with open(whole, "rb") as source:
        for index, (name, start, end) in enumerate(dump.sections()):
            if index < len(paths):
                _create(paths[name], header.replace(first, b"    Database: " + name.encode() + b"\n", 1))
            elif not any(start < line.offset < end for line in dump.lines if line.text.startswith(VIEW)):
                continue
            _append(paths[name], source.fileno(), start, end)
    for path in paths.values():
        with open(path, "ab") as file:
            file.write(footer)
    os.remove(whole)


def _create(path: str, text: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(text)


def _append(path: str, source: int, start: int, end: int) -> None:
    with open(path, "r+b") as file:
        file.seek(0, os.SEEK_END)
        for offset, count in _pieces(start, end):
            while count:
                copied = os.copy_file_range(source, file.fileno(), count, offset)
                offset, count = offset + copied, count - copied


def _pieces(start: int, end: int, size: int = 1 << 26) -> Iterator[tuple[int, int]]:
    """Small enough that a stop need not wait long."""
    for offset in range(start, end, size):
        muster.check_stopped()
        yield offset, min(size, end - offset)


def path_of(database: str) -> str:
    """One file name for each name, whatever is in it."""
    safe = "".join(chr(byte) if chr(byte).isalnum() and byte < 128 or byte in b"_-" else f"%{byte:02X}"
                   for byte in database.encode("utf-8", "surrogateescape"))
    return f"databases/{safe}.sql"
