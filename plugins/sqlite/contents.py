"""What a copy of a database holds, and whether it is whole."""

from __future__ import annotations

import os
import re
import sqlite3

import here
from databases import DatabaseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

RECOVER = "The database itself is damaged. Recover it with `sqlite3 FILE .recover`, or restore an older archive."

MAPPED = 2 << 30
"""Bytes of a copy that are read through a map: a fifth faster."""


class Contents:
    """What a copy that passed its check holds."""

    def __init__(self, size: int, properties: dict[str, int], tables: dict[str, int], unknown: list[str]) -> None:
        self.size, self.properties, self.tables, self.unknown = size, properties, tables, unknown

    def text(self, path: str) -> str:
        """One line for the manifest: `bytes 8192, page_size 4096, user_version 3, application_id 0, path srv/a.db`."""
        return ", ".join(f"{name} {value}" for name, value in {"bytes": self.size, **self.properties, "path": path}.items())


def recorded_sizes(facts: dict[str, str]) -> dict[str, int]:
    """The sizes of the copies by their paths, from what `Contents.text` said."""
    found = (re.fullmatch(r"bytes (\d+), .*?, path (.*)", value) for name, value in facts.items() if name.startswith("database_"))
    return {match[2]: int(match[1]) for match in found if match}


def inspect(path: str, is_stopping: Callable[[], bool]) -> Contents:
    """Checks a copy that no one writes to, and counts its rows. Leaves no file beside it.

    `unknown` has the collations and functions that only the application knows. They are replaced by others, and then the check leaves out
    whether indexes agree with their tables.
    """
    connection = sqlite3.connect(here.uri(path, "immutable=1"), uri=True, isolation_level=None)
    try:
        connection.set_progress_handler(lambda: int(is_stopping()), 1_000_000)
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute(f"PRAGMA mmap_size={MAPPED}")
        unknown = _check(connection, path)
        properties = {name: _number(connection, f"PRAGMA {name}") for name in ("page_size", "user_version", "application_id")}
        return Contents(os.path.getsize(path), properties, _rows(connection), unknown)
    except sqlite3.Error as error:
        raise DatabaseError("source_damaged", f"'/{path}' cannot be checked: {error}", RECOVER) from None
    finally:
        connection.close()


def _check(connection: sqlite3.Connection, path: str) -> list[str]:
    """Runs the check, and again for each thing that SQLite does not know. Returns these."""
    unknown: list[str] = []
    while True:
        try:
            check = "quick_check" if unknown else "integrity_check"
            lines = [str(row[0]) for row in connection.execute(f"PRAGMA {check}(10)")]
        except sqlite3.Error as error:
            if len(unknown) > 100 or not _replace_unknown(connection, str(error), unknown):
                raise
            continue
        if lines != ["ok"]:
            raise DatabaseError("source_damaged", f"'/{path}' fails {check}: {lines[0]}",
                                RECOVER)
        return unknown


def _replace_unknown(connection: sqlite3.Connection, message: str, unknown: list[str]) -> bool:
    found = re.search(r"(no such collation sequence|no such function|unknown function): ([^\s(]+)", message)
    if found is None or found[2] in unknown:
        return False
    if "function" in found[1]:
        connection.create_function(found[2], -1, lambda *_: None, deterministic=True)
    else:
        connection.create_collation(found[2], lambda left, right: (left > right) - (left < right))
    unknown.append(found[2])
    return True


def _rows(connection: sqlite3.Connection) -> dict[str, int]:
    """The rows of each table. Virtual tables have theirs in tables of their own, which are counted."""
    names = [row[0] for row in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        " AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name")]
    return {name: _number(connection, f"SELECT count(*) FROM {_quoted(name)}") for name in names}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _number(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])
