"""Restores databases beside what is there or to a server of their own, and compares them with the dump."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import threading

import muster_plugin as muster
from mariadb_file import ACCOUNTS, ACCOUNTS_ITEM, EVENT, ROUTINE, TRIGGER, VIEW, DumpFile, count_accounts, require_trailer
from mariadb_server import Server, failure, name_of, option, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

SANDBOX = rb"/*M!999999\- enable the sandbox mode */"
TARGET_WORDS = ("socket", "host", "port", "user", "defaults_file")
LONGEST_NAME = 64


def restore() -> None:
    request = muster.restore_request()
    if request["action"] == "drill":
        from mariadb_drill import drill
        return drill(request)
    server = target_of(request)
    items, with_accounts = items_of(request)
    say_plan(server, items, with_accounts, request)
    if request["action"] == "check":
        return muster.summary()
    muster.fact("server_version", server.value("SELECT version()"))
    with undone_on_failure(server, items, request):
        load_all(server, items)
    for item in items:
        item.compare(server)
        muster.undone(item.undo_id)
    if with_accounts:
        restore_accounts(server, request)
    return muster.summary()


def undo() -> None:
    record = muster.undo_record()
    server = target_of(record["facts"])
    server.query(f"DROP DATABASE IF EXISTS {name_of(record['facts']['database'])}")
    muster.summary()


def target_of(request: dict[str, Any]) -> Server:
    """Where `--to` points: nothing for what the client programs find by themselves, the path of a socket, or words."""
    target = request.get("target") or ""
    if target.startswith("/"):
        return Server(muster.Host(), [option("socket", target)])
    words = dict(word.partition("=")[::2] for word in shlex.split(target))
    unknown = [word for word in words if word not in TARGET_WORDS]
    if unknown:
        raise muster.PluginError("settings", f"the target has an unknown word: {unknown[0]}",
                                 f"Write a socket's path, or NAME=VALUE with one of {', '.join(TARGET_WORDS)}.")
    if "defaults_file" in words:
        return Server(muster.Host(), None, [f"--defaults-file={words['defaults_file']}"])
    return Server(muster.Host(), [option(name, text) for name, text in words.items()] if words else None)


class Item:
    """One database to restore."""

    def __init__(self, number: int, database: str, path: str, files: str, name: str, rows: dict[str, int]) -> None:
        self.database, self.name, self.recorded_rows = database, name, rows
        self.undo_id = f"database-{number}"
        self.path = os.path.join(files, path)
        self._file: DumpFile | None = None

    @property
    def is_there(self) -> bool:
        """A check may come before the files do."""
        return os.path.exists(self.path)

    @property
    def file(self) -> DumpFile:
        if self._file is None:
            self._file = DumpFile(self.path)
        return self._file

    @property
    def has_own_name(self) -> bool:
        return self.name == self.database

    def load_tables(self, server: Server) -> None:
        start, end = self.file.first_section()
        heading, start = self._heading(start, end)
        events = self.file.event_section()
        ranges = [(start, end)] if events is None else [(start, events[0]), (events[1], end)]
        self._load(server, heading, ranges)

    def load_views(self, server: Server) -> None:
        section = self.file.view_section()
        if section is not None:
            _, start = self._heading(*section)
            self._load(server, self._use, [(start, section[1])])

    def load_events(self, server: Server) -> None:
        """Not beside the database that they come from: they would run twice."""
        events = self.file.event_section()
        if events is not None and self.has_own_name:
            self._load(server, self._use, [events])

    @property
    def _use(self) -> bytes:
        return f"USE {name_of(self.name)};\n".encode()

    def _heading(self, start: int, end: int) -> tuple[bytes, int]:
        """The statements that make the database, under its new name, and where the rest begins."""
        use = f"\nUSE {name_of(self.database)};\n".encode()
        text = self.file.read(start, min(end, start + 65536))
        length = text.index(use) + len(use)
        create = re.search(rb"^CREATE DATABASE (?:/\*!32312 IF NOT EXISTS\*/ )?(.*)$", text[:length], re.MULTILINE)
        made = b""
        if create is not None:
            old, new = name_of(self.database).encode(), name_of(self.name).encode()
            made = b"CREATE DATABASE " + create[1].replace(old, new, 1) + b"\n"
        return made + self._use, start + length

    def _load(self, server: Server, text: bytes, ranges: Sequence[tuple[int, int]]) -> None:
        file = self.file
        header = file.read(*file.header)
        if not knows_sandbox(server):
            header = header.partition(b"\n")[2]
        load(server, self.path, [header + text, *ranges, file.read(file.footer, file.size)], f"database '{self.database}'")

    def compare(self, server: Server) -> None:
        expected = self.recorded_rows or self.file.rows()
        found = row_counts(server, self.name)
        differences = [muster.difference("rows", f"{self.database}.{table}", rows, found.get(table, "no such table"))
                       for table, rows in expected.items() if found.get(table) != rows]
        compared = {"tables": len(expected), "rows": sum(expected.values())}
        for kind, number, statement in self._counts():
            is_there = int(server.value(statement.format(text_of(self.name))))
            compared[kind] = number
            if is_there != number:
                differences.append(muster.difference(kind, self.database, number, is_there))
        differences += [muster.difference("views", f"{self.database}.{view}", "can be read", error)
                        for view, error in broken_views(server, self.name, self.file.names(VIEW))]
        left_out = ["events"] if self.file.count(EVENT) and not self.has_own_name else []
        muster.restored(self.database, self.name, None, compared, differences, left_out)

    def _counts(self) -> list[tuple[str, int, str]]:
        counts = [(kind, self.file.count(start), f"SELECT count(*) FROM information_schema.{kind} WHERE {column} = {{}}")
                  for kind, start, column in (("views", VIEW, "table_schema"), ("triggers", TRIGGER, "trigger_schema"),
                                              ("routines", ROUTINE, "routine_schema"), ("events", EVENT, "event_schema"))]
        return counts if self.has_own_name else counts[:-1]


def items_of(request: dict[str, Any]) -> tuple[list[Item], bool]:
    """What to restore, and whether the accounts belong to it."""
    records = {record["name"]: record for record in request["dump"].get("databases") or []}
    wanted = request.get("items") or [name for name in records if name != ACCOUNTS_ITEM]
    unknown = [item for item in wanted if item not in records and item != ACCOUNTS_ITEM]
    if unknown:
        raise muster.PluginError("item_missing", f"the dump has no database '{unknown[0]}'",
                                 f"Choose from: {', '.join(records)}.")
    rows = recorded_rows(request)
    items = [Item(number, name, records[name]["path"], request["files"], new_name(name, request), rows[name])
             for number, name in enumerate(wanted) if name != ACCOUNTS_ITEM]
    replacing = request["action"] == "drill" or request.get("placement") == "replacing"
    is_early = request["action"] == "check" and not any(item.is_there for item in items)
    has_accounts = is_early or os.path.exists(os.path.join(request["files"], ACCOUNTS))
    return items, has_accounts and (ACCOUNTS_ITEM in wanted or not request.get("items") and replacing)


def recorded_rows(request: dict[str, Any]) -> dict[str, dict[str, int]]:
    """A database of many tables may have several records."""
    rows: dict[str, dict[str, int]] = {}
    for record in request["dump"].get("databases") or []:
        rows.setdefault(record["name"], {}).update({table["name"]: table["rows"] for table in record["tables"]})
    return rows


def new_name(database: str, request: dict[str, Any]) -> str:
    placement = "replacing" if request["action"] == "drill" else request["placement"]
    if placement == "named":
        return request["name"]
    if placement == "replacing":
        return database
    suffix = f"_restored_{request['stamp']}"
    return database[:LONGEST_NAME - len(suffix)] + suffix


def say_plan(server: Server, items: Sequence[Item], with_accounts: bool, request: dict[str, Any]) -> None:
    """Everything that stands in the way, at once."""
    there = {name for name, in server.query("SELECT schema_name FROM information_schema.schemata")}
    if len({item.name for item in items}) < len(items):
        muster.finding("failure", "name_taken", items[0].name, "two databases would get the same name",
                       "Restore them one after the other.")
    for item in items:
        if item.name in there:
            muster.finding("failure", "name_taken", item.name, f"there is a database '{item.name}' already",
                           "Restore beside it, look at the copy, then drop or rename tables yourself: MariaDB cannot rename a database.")
        if not item.has_own_name and item.is_there and item.file.count(EVENT):
            muster.finding("note", "events_left_out", item.name, f"the events of '{item.database}' are not restored under another name",
                           "They would run beside those of the database itself. README.md shows how to load them.")
        muster.plan(item.database, item.name, None, item.file.size if item.is_there else 0)
    if items and not knows_sandbox(server):
        muster.finding("note", "old_client", server.client, "the client does not know the sandbox mode, which is left out",
                       "Update the client programs.")
    if not with_accounts and not request.get("items") and any(record["name"] == ACCOUNTS_ITEM for record in request["dump"].get("databases") or []):
        muster.omission("note", "accounts_left_out", ACCOUNTS_ITEM, "the accounts are not restored beside those that are there",
                        f"Restore them by name: `--database {ACCOUNTS_ITEM}`.")
    if with_accounts:
        path = os.path.join(request["files"], ACCOUNTS)
        if os.path.exists(path):
            require_trailer(path)
        muster.plan(ACCOUNTS_ITEM, "accounts that do not exist", None, os.path.getsize(path) if os.path.exists(path) else 0)


_sandbox: dict[str, bool] = {}


def knows_sandbox(server: Server) -> bool:
    """Whether the client understands the first line of a dump. Those of before 2024 and those of MySQL do not."""
    if server.client not in _sandbox:
        _sandbox[server.client] = server.attempt(SANDBOX.decode() + "\nSELECT 1;\n").status == 0
    return _sandbox[server.client]


@contextlib.contextmanager
def undone_on_failure(server: Server, items: Sequence[Item], request: dict[str, Any]) -> Iterator[None]:
    """Half a database must not keep a name by which it could be taken for a whole one."""
    begun: list[Item] = []
    try:
        for item in items:
            if server.query(f"SELECT 1 FROM information_schema.schemata WHERE schema_name = {text_of(item.name)}"):
                raise muster.PluginError("name_taken", f"there is a database '{item.name}' already", "Restore beside it.")
            muster.undo(item.undo_id, "mariadb_database", {"database": item.name, "target": request.get("target") or ""})
            begun.append(item)
        yield
    except muster.PluginError:
        for item in begun:
            server.query(f"DROP DATABASE IF EXISTS {name_of(item.name)}")
            muster.undone(item.undo_id)
        raise


def load_all(server: Server, items: Sequence[Item]) -> None:
    """Views may refer to tables of other databases, and events must not run before all is there."""
    muster.in_parallel(lambda item: item.load_tables(server), items)
    for item in items:
        item.load_views(server)
    for item in items:
        item.load_events(server)


def load(server: Server, path: str, pieces: Sequence[bytes | tuple[int, int]], what: str) -> None:
    """Has the client perform pieces of a file, and texts. It stops at the first error."""
    assert isinstance(server.place, muster.Host)
    reading, writing = os.pipe2(os.O_CLOEXEC)
    output = os.memfd_create("output")
    command = server.command(server.client, "--batch", "--binary-mode", "--max-allowed-packet=1G", "--default-character-set=utf8mb4")
    feeder = threading.Thread(target=_feed, args=(writing, path, pieces))
    try:
        try:
            program = server.place.start(command, secret=server.secret, stdout=output, stdin=reading)
        finally:
            os.close(reading)
            feeder.start()
        with program:
            finished = program.finish()
    finally:
        feeder.join()
        os.close(output)
    if finished.status != 0:
        raise failure(finished, f"cannot load {what}")


def _feed(pipe: int, path: str, pieces: Sequence[bytes | tuple[int, int]]) -> None:
    """A client that ended early says why itself."""
    with open(pipe, "wb", buffering=0) as target, open(path, "rb") as source, contextlib.suppress(BrokenPipeError):
        for piece in pieces:
            if isinstance(piece, bytes):
                rest = memoryview(piece)
                while rest:
                    rest = rest[target.write(rest):]
                continue
            offset, end = piece
            while offset < end:
                offset += os.sendfile(pipe, source.fileno(), offset, min(end - offset, 1 << 20))


def row_counts(server: Server, database: str) -> dict[str, int]:
    tables = [name for name, in server.query(f"""SELECT table_name FROM information_schema.tables
        WHERE table_schema = {text_of(database)} AND table_type NOT IN ('VIEW', 'SEQUENCE')""")]
    counts = server.query("".join(f"SELECT {text_of(name)}, count(*) FROM {name_of(database)}.{name_of(name)};\n" for name in tables))
    return {name: int(count) for name, count in counts}


def broken_views(server: Server, database: str, views: Sequence[str]) -> list[tuple[str, str]]:
    broken = []
    for view in views:
        finished = server.attempt(f"SELECT 1 FROM {name_of(database)}.{name_of(view)} LIMIT 0")
        if finished.status != 0:
            broken.append((view, finished.errors[-1] if finished.errors else "cannot be read"))
    return broken


# Accounts

ACCOUNT = r"(`(?:[^`]|``)*`@`(?:[^`]|``)*`|'(?:[^']|'')*'@'(?:[^']|'')*')"
TARGETS = re.compile(rf"(?:^CREATE USER IF NOT EXISTS | TO | FOR |ALTER USER ){ACCOUNT}")


def restore_accounts(server: Server, request: dict[str, Any]) -> None:
    """Makes the accounts that do not exist. A GRANT of the dump has the password in it: of an existing account it would set that."""
    there = accounts_there(server)
    path = os.path.join(request["files"], ACCOUNTS)
    with open(path, "rb") as file:
        lines = file.read().decode("utf-8", "surrogateescape").split("\n")
    kept = [line for line in lines if account_in(line) not in there]
    if not knows_sandbox(server):
        kept = kept[1:]
    made = {account for line in kept if line.startswith("CREATE USER") and (account := account_in(line)) is not None}
    finished = server.attempt("\n".join(kept))
    if finished.status != 0:
        raise failure(finished, "cannot restore accounts and grants")
    if there:
        muster.finding("note", "accounts_kept", ACCOUNTS_ITEM, f"{len(there)} accounts exist already and stay as they are",
                       "Compare their grants with those in accounts.sql.")
    found = accounts_there(server)
    differences = [muster.difference("accounts", account, "there", "missing") for account in sorted(made - found)]
    recorded = recorded_rows(request).get(ACCOUNTS_ITEM, {}).get("accounts")
    if recorded is not None and recorded != count_accounts(path):
        differences.append(muster.difference("accounts", ACCOUNTS, recorded, count_accounts(path)))
    muster.restored(ACCOUNTS_ITEM, "accounts that did not exist", None, {"accounts": len(made)}, differences)


def account_in(line: str) -> str | None:
    """Whom a statement is about, as `user`@`host`."""
    found = TARGETS.search(line)
    return None if found is None else found[1].replace("'", "`")


def accounts_there(server: Server) -> set[str]:
    return {f"{name_of(user)}@{name_of(host)}" for user, host in server.query("SELECT user, host FROM mysql.user WHERE host <> ''")}
