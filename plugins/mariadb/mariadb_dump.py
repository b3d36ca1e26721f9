"""Prepare and dump: every database as of one instant, by several mariadb-dumps at once."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from functools import partial

import muster_plugin as muster
from mariadb_file import ACCOUNTS, ACCOUNTS_ITEM, SEQUENCE, TABLE, VIEW, DumpFile, count_accounts, path_of, require_trailer, split
from mariadb_server import Server, failure
from mariadb_source import Facts, Rights, State, say_missing_rights, say_what_stays_behind, selected, unprotected_tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SNAPSHOTS = 8
"""How many mariadb-dumps may have a snapshot at once. Each takes a connection, and keeps writers waiting a little longer."""

ACCOUNTS_ESTIMATE = 10_000
WIDE_BUFFER = ["stdbuf", "--output=1M"] if shutil.which("stdbuf") else []
"""mariadb-dump writes 4 KiB at a time, which takes a tenth of all its time."""
SNAPSHOT_IS_OPEN = "-- Setting savepoint..."
"""What `mariadb-dump -v` says once its transaction has a snapshot."""


class Source:
    """What prepare and dump both look at."""

    def __init__(self) -> None:
        self.settings = muster.settings()
        self.server = Server.of_settings(self.settings, muster.secret("password"))
        self.facts = Facts(self.server)
        muster.fact("server_version", self.facts.version)
        muster.fact("server_name", self.facts.hostname)
        self.names = selected(self.server, self.settings)
        self.rights = Rights(self.server)
        self.with_accounts = bool(self.settings["accounts"])

    def state(self) -> State:
        return State(self.server, self.names, self.with_accounts, self.facts.is_mariadb)

    @property
    def dumps_accounts(self) -> bool:
        return self.with_accounts and self.facts.is_mariadb


def prepare() -> None:
    source = Source()
    say_missing_rights(source.server, source.rights, source.names, source.settings, source.facts.is_mariadb)
    version = source.server.run(source.server.dumper, "--version").require_success()
    muster.fact("client_version", version.text.strip())
    if not source.names:
        muster.finding("failure", "database_missing", "databases", "there is no database to dump", "Correct databases: and exclude:.")
        return muster.summary()
    if not source.rights.may_lock and len(source.names) > 1:
        muster.finding("note", "no_lock", "RELOAD", "without the right RELOAD one mariadb-dump dumps all databases, one after the other",
                       "GRANT RELOAD ON *.* TO the account.")
    state = State(source.server, source.names, False, source.facts.is_mariadb)
    say_what_stays_behind(state, source.facts.transactional, source.settings, source.facts.is_mariadb)
    for name in source.names:
        muster.unit(name, path_of(name), state.size(name))
    if source.dumps_accounts:
        muster.unit(ACCOUNTS_ITEM, ACCOUNTS, ACCOUNTS_ESTIMATE)
    return muster.summary()


def require_whole_tables(state: State) -> None:
    """What mariadb-dump would say of these sounds as if it would pass."""
    for database, name, table in state.listed():
        if table.is_broken:
            raise muster.PluginError("table_broken", f"'{database}.{name}' cannot be read: {table.comment}", "Repair it or drop it.")


def most_parts(source: Source) -> int:
    if not source.rights.may_lock:
        return 1
    # In a container nothing can hold a program: all of them write at once. To start one there takes longer, too.
    return max(SNAPSHOTS, muster.jobs()) if isinstance(source.server.place, muster.Host) else muster.jobs()


class Part:
    """The databases that one mariadb-dump dumps, and how far that is."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.size = 0
        self.databases: list[str] = []
        self.has_snapshot = threading.Event()
        self.may_go_on = threading.Event()
        self.program: muster.Program | None = None
        self.files: dict[str, DumpFile] = {}

    @property
    def path(self) -> str:
        return path_of(self.databases[0]) if len(self.databases) == 1 else f"databases/part-{self.number}"

    def add(self, database: str, size: int) -> None:
        self.databases.append(database)
        self.size += size

    def on_line(self, line: str) -> None:
        """mariadb-dump waits until this returns, so that it asks for no rows before it may write them."""
        if line.startswith(SNAPSHOT_IS_OPEN) and not self.has_snapshot.is_set():
            self.has_snapshot.set()
            while not self.may_go_on.wait(0.1) and not muster.is_stopping():
                pass
        elif len(self.databases) == 1 and self.may_go_on.is_set():
            with contextlib.suppress(FileNotFoundError):
                muster.progress(self.path, os.path.getsize(self.path))


def parts_of(state: State, limit: int) -> list[Part]:
    """The largest databases have a part of their own, the others share, so that all parts are about as large."""
    parts = [Part(number) for number in range(min(limit, len(state.tables)))]
    for database in sorted(state.tables, key=lambda name: (-state.size(name), name)):
        min(parts, key=lambda part: part.size).add(database, state.size(database) + 1)
    return sorted(parts, key=lambda part: -part.size)


def dump() -> None:
    source = Source()
    if not source.names:
        raise muster.PluginError("database_missing", "there is no database to dump", "Correct databases: and exclude:.")
    os.makedirs("databases", mode=0o700)
    before = source.state()
    say_what_stays_behind(before, source.facts.transactional, source.settings, source.facts.is_mariadb)
    require_whole_tables(before)
    parts = parts_of(before, most_parts(source))
    with contextlib.ExitStack() as stack:
        try:
            evidence = open_snapshots(source, parts, stack)
            muster.frozen()
            work: list[Callable[[], None]] = [partial(complete, part) for part in parts]
            if source.dumps_accounts:
                work.insert(0, partial(dump_accounts, source))
            muster.in_parallel(lambda piece: piece(), work)
        finally:
            for part in parts:
                part.may_go_on.set()
    require_same_definitions(source, before)
    say_contents(source, before, {database: file for part in parts for database, file in part.files.items()})
    unprotected = any(unprotected_tables(before, name, source.facts.transactional) for name in source.names)
    muster.summary("live" if unprotected else "exact", evidence)


# The snapshots

def open_snapshots(source: Source, parts: list[Part], stack: contextlib.ExitStack) -> list[str]:
    """Starts every mariadb-dump, and returns once each has its snapshot. Returns what shows that all are of one instant."""
    if len(parts) == 1:
        start(source, parts[0], stack)
        await_snapshots(parts, deadline=None)
        return ["one transaction of one mariadb-dump"]
    with commits_blocked(source) as lock:
        for part in parts:
            start(source, part, stack)
        await_snapshots(parts, time.monotonic() + source.settings["lock_wait"])
    muster.fact("snapshots", len(parts))
    muster.fact("lock_ms", lock.milliseconds)
    evidence = [f"{len(parts)} snapshots were opened while commits were blocked for {lock.milliseconds} ms"]
    if lock.positions:
        muster.fact("binary_log_position", lock.positions[0])
        evidence.append(f"the binary log stood at {lock.positions[0]} before and after")
    return evidence


def start(source: Source, part: Part, stack: contextlib.ExitStack) -> None:
    server = source.server
    descriptor = os.open(part.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    stack.callback(os.close, descriptor)
    command = server.command(server.dumper, *dump_options(source), "--databases", *part.databases)
    if isinstance(server.place, muster.Host):
        program = server.place.start(
            [*WIDE_BUFFER, *command], secret=server.secret, stdout=descriptor, on_line=part.on_line, paced=True)
        program.name = os.path.basename(server.dumper)
    else:
        part.may_go_on.set()
        program = server.place.start(command, secret=server.secret, stdout=descriptor, on_line=part.on_line)
    part.program = stack.enter_context(program)


def dump_options(source: Source) -> list[str]:
    options = ["--verbose", "--single-transaction", "--routines", "--events", "--triggers", "--skip-dump-date", "--no-tablespaces",
               "--default-character-set=utf8mb4", "--max-allowed-packet=1G"]
    return options if source.facts.is_mariadb else [*options, "--set-gtid-purged=OFF", "--column-statistics=0"]


def await_snapshots(parts: list[Part], deadline: float | None) -> None:
    for part in parts:
        while not part.has_snapshot.wait(0.02):
            assert part.program is not None
            if part.program.process.poll() is not None:
                raise failure(part.program.finish(), f"cannot dump {described(part)}")
            if deadline is not None and time.monotonic() > deadline:
                raise muster.PluginError("lock_wait", "the snapshots were not open in time, and writers were waiting",
                                         "Dump when the server is less busy, or raise lock_wait:.", transient=True)


class CommitLock:
    """A session that keeps the server from committing anything."""

    def __init__(self, session: muster.Program, source: Source) -> None:
        self._session, self._source = session, source
        self._since = 0.0
        self.milliseconds = 0
        self.positions: list[str] = []
        self._may_ask_position = source.facts.has_binary_log and may_ask_position(source)

    def take(self) -> None:
        self._perform(f"SET SESSION lock_wait_timeout={max(1, int(self._source.settings['lock_wait']))};")
        if self._source.facts.has_backup_stages:
            self._perform("BACKUP STAGE START; BACKUP STAGE FLUSH; BACKUP STAGE BLOCK_DDL;")
        self._since = time.monotonic()
        self._perform("BACKUP STAGE BLOCK_COMMIT;" if self._source.facts.has_backup_stages else "FLUSH TABLES WITH READ LOCK;")
        self._note_position()

    def give_back(self) -> None:
        self._note_position()
        self._perform("BACKUP STAGE END;" if self._source.facts.has_backup_stages else "UNLOCK TABLES;")
        self.milliseconds = round((time.monotonic() - self._since) * 1000)
        if len(set(self.positions)) > 1:
            raise muster.PluginError("not_one_instant", f"the binary log moved from {self.positions[0]} to {self.positions[1]} "
                                     "while commits were blocked", "Report it, with the version of the server.", transient=True)

    def _note_position(self) -> None:
        if self._may_ask_position:
            file, position = self._perform(self._source.facts.ask_position)[0].split("\t")[:2]
            self.positions.append(f"{file}:{position}")

    def _perform(self, statements: str) -> list[str]:
        self._session.say(statements + "SELECT 'muster: done';\n")
        lines: list[str] = []
        while (line := self._session.read_line()) != "muster: done":
            if line is None:
                raise failure(self._session.finish(), "cannot block commits")
            lines.append(line)
        return lines


@contextlib.contextmanager
def commits_blocked(source: Source) -> Iterator[CommitLock]:
    with source.server.converse() as session:
        lock = CommitLock(session, source)
        lock.take()
        yield lock
        lock.give_back()


def may_ask_position(source: Source) -> bool:
    return bool(source.rights.everywhere & {"BINLOG MONITOR", "REPLICATION CLIENT", "SUPER"})


# The files

def complete(part: Part) -> None:
    """Lets a mariadb-dump write, and checks what it wrote."""
    assert part.program is not None
    muster.progress(path_of(part.databases[0]), 0)
    part.may_go_on.set()
    finished = part.program.finish()
    if finished.status != 0:
        raise failure(finished, f"cannot dump {described(part)}")
    require_trailer(part.path)
    paths = {database: path_of(database) for database in part.databases}
    if len(paths) > 1:
        split(part.path, paths)
    part.files = {database: DumpFile(path) for database, path in paths.items()}
    for file in part.files.values():
        muster.progress(file.path, file.size)


def described(part: Part) -> str:
    return f"database '{part.databases[0]}'" if len(part.databases) == 1 else f"{len(part.databases)} databases"


def dump_accounts(source: Source) -> None:
    muster.progress(ACCOUNTS, 0)
    server = source.server
    finished = server.run(server.dumper, "--system=users", "--insert-ignore", "--skip-dump-date", "--default-character-set=utf8mb4",
                          output=ACCOUNTS)
    if finished.status != 0:
        raise failure(finished, "cannot dump accounts and grants")
    require_trailer(ACCOUNTS)


def require_same_definitions(source: Source, before: State) -> None:
    """A column that is added to a table while it waits for its turn gives status 0 and wrong rows."""
    changes = before.changes(source.state())
    if changes:
        shown = ", ".join(changes[:5]) + (" and others" if len(changes) > 5 else "")
        raise muster.PluginError("definition_changed", f"these were changed while they were dumped: {shown}",
                                 "Dump at a time when no software is updated, or exclude: the database.", transient=True)


def say_contents(source: Source, before: State, files: dict[str, DumpFile]) -> None:
    for database in source.names:
        file = files[database]
        require_all_tables(database, before, file)
        rows = file.rows()
        muster.unit(database, file.path, file.size)
        muster.database(database, file.path, [{"schema": database, "name": name, "rows": rows[name]} for name in sorted(rows)])
    if source.dumps_accounts:
        muster.unit(ACCOUNTS_ITEM, ACCOUNTS, os.path.getsize(ACCOUNTS))
        muster.database(ACCOUNTS_ITEM, ACCOUNTS, [{"schema": "mysql", "name": "accounts", "rows": count_accounts(ACCOUNTS)}])
    kinds = [table.kind for _, _, table in before.listed()]
    muster.fact("views", kinds.count("VIEW"))
    for kind in ("routine", "trigger", "event"):
        muster.fact(kind + "s", before.count(kind))
    muster.fact("lower_case_table_names", source.facts.lower_case)


def require_all_tables(database: str, before: State, file: DumpFile) -> None:
    """mariadb-dump lists the tables when it comes to a database: one that was dropped since the snapshot is missing without a word."""
    there = {*file.names(TABLE), *file.names(SEQUENCE), *file.names(VIEW)}
    missing = [name for name in before.tables[database] if name not in there]
    if missing:
        raise muster.PluginError("definition_changed", f"the dump of database '{database}' lacks '{missing[0]}'",
                                 "Dump at a time when no software is updated.", transient=True)
