"""What is on a server: databases, tables, rights, and a state to compare with a later one."""

from __future__ import annotations

import fnmatch

import muster_plugin as muster
from mariadb_server import Server, list_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

SYSTEM_DATABASES = ("information_schema", "performance_schema", "mysql", "sys")
NEEDED_IN_DATABASES = ("SELECT", "SHOW VIEW", "TRIGGER", "EVENT")
ACCOUNT_TABLES = ("global_priv", "db", "tables_priv", "columns_priv", "procs_priv", "proxies_priv", "roles_mapping")
SHOWN_NAMES = 5
ESCAPED_SIGNS = "'\"\\"
"""mariadb-dump escapes these in the name of a database with events, and then cannot find it."""


class Table:
    def __init__(self, kind: str, engine: str, size: int, created: str, comment: str) -> None:
        self.kind, self.engine, self.size, self.created, self.comment = kind, engine, size, created, comment
        self.columns: list[list[str]] = []

    @property
    def is_view(self) -> bool:
        return self.kind == "VIEW"

    @property
    def is_broken(self) -> bool:
        """The server says why in the comment, in the place of the engine or of the word VIEW."""
        return self.comment != "VIEW" if self.is_view else self.engine == ""

    @property
    def definition(self) -> tuple[object, ...]:
        return self.kind, self.engine, self.created, self.columns


class Facts:
    """What a server is."""

    def __init__(self, server: Server) -> None:
        row = server.query("SELECT version(), @@log_bin, @@lower_case_table_names, @@hostname, @@version_comment")[0]
        self.version, self.hostname = row[0], row[3]
        self.has_binary_log = row[1] in ("1", "ON")
        self.lower_case = row[2]
        self.is_mariadb = "mariadb" in row[0].lower() or "mariadb" in row[4].lower()
        self.transactional = {engine for engine, in server.query(
            "SELECT engine FROM information_schema.engines WHERE transactions = 'YES'")}

    @property
    def number(self) -> tuple[int, ...]:
        """Such as (10, 11)."""
        return tuple(int(part) for part in self.version.split("-")[0].split(".")[:2])

    @property
    def ask_position(self) -> str:
        return "SHOW MASTER STATUS;" if self.is_mariadb or self.number < (8, 2) else "SHOW BINARY LOG STATUS;"

    @property
    def has_backup_stages(self) -> bool:
        return self.is_mariadb and self.number >= (10, 4)


class State:
    """The definitions in some databases at one time."""

    def __init__(self, server: Server, names: Iterable[str], with_accounts: bool, is_mariadb: bool) -> None:
        self.tables: dict[str, dict[str, Table]] = {name: {} for name in names}
        within = list_of(list(self.tables))
        self._read_tables(server, within)
        self._read_columns(server, within)
        self.code = _code(server, within)
        self.accounts = _account_checksums(server) if with_accounts and is_mariadb else []

    def _read_tables(self, server: Server, within: str) -> None:
        rows = server.query(f"""SELECT table_schema, table_name, table_type, ifnull(engine, ''), ifnull(data_length, 0),
            ifnull(create_time, ''), ifnull(table_comment, '') FROM information_schema.tables WHERE table_schema IN {within}
            ORDER BY table_schema, table_name""")
        for schema, name, kind, engine, size, created, comment in rows:
            # MySQL may answer with another spelling where names do not depend on case.
            self.tables.setdefault(schema, {})[name] = Table(kind, engine, int(size), created, comment)

    def _read_columns(self, server: Server, within: str) -> None:
        rows = server.query(f"""SELECT table_schema, table_name, column_name, column_type, is_nullable, ifnull(column_default, ''), extra,
            ifnull(collation_name, ''), ifnull(generation_expression, '') FROM information_schema.columns
            WHERE table_schema IN {within} ORDER BY table_schema, table_name, ordinal_position""")
        for schema, name, *column in rows:
            if name in self.tables.get(schema, {}):
                self.tables[schema][name].columns.append(column)

    def size(self, database: str) -> int:
        return sum(table.size for table in self.tables[database].values())

    def changes(self, later: State) -> list[str]:
        """What was defined otherwise later. Tables that were made in between are none: the dump is right not to have them."""
        changed = [f"{database}.{name}" for database, tables in self.tables.items() for name, table in tables.items()
                   if name not in later.tables[database] or later.tables[database][name].definition != table.definition]
        changed += [" ".join(row[:3]) for row in self.code if row not in later.code]
        changed += [" ".join(row[:3]) for row in later.code if row not in self.code]
        return changed + (["accounts and grants"] if self.accounts != later.accounts else [])

    def count(self, kind: str) -> int:
        return sum(row[0] == kind for row in self.code)

    def listed(self) -> list[tuple[str, str, Table]]:
        return [(database, name, table) for database, tables in self.tables.items() for name, table in tables.items()]


def _code(server: Server, within: str) -> list[list[str]]:
    """Routines, triggers, events: kind, database, name, and when each was changed."""
    return sorted(server.query(f"""
        SELECT 'routine', routine_schema, concat(routine_name, ' ', routine_type), last_altered FROM information_schema.routines
            WHERE routine_schema IN {within};
        SELECT 'trigger', trigger_schema, trigger_name, concat(ifnull(created, ''), md5(action_statement)) FROM information_schema.triggers
            WHERE trigger_schema IN {within};
        SELECT 'event', event_schema, event_name, last_altered FROM information_schema.events WHERE event_schema IN {within}"""))


def _account_checksums(server: Server) -> list[list[str]]:
    return server.query("CHECKSUM TABLE " + ", ".join(f"mysql.{name}" for name in ACCOUNT_TABLES))


def selected(server: Server, settings: Mapping[str, Any]) -> list[str]:
    """The databases that the settings name. Says as findings what does not fit."""
    names = [name for name, in server.query("SELECT schema_name FROM information_schema.schemata ORDER BY schema_name")]
    names = [name for name in names if name.lower() not in SYSTEM_DATABASES]
    for pattern in settings["databases"]:
        if not any(fnmatch.fnmatchcase(name, pattern) for name in names):
            muster.finding("failure", "database_missing", pattern, f"no database is called '{pattern}'",
                           "Correct databases:, or grant the account the right to see the database.")
    return [name for name in names if _matches(name, settings["databases"]) and not _matches(name, settings["exclude"])]


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


class Rights:
    """What the account may do, roles included."""

    def __init__(self, server: Server) -> None:
        user, host = server.value("SELECT current_user()").rsplit("@", 1)
        roles = server.attempt("SELECT ifnull(role_name, '') FROM information_schema.enabled_roles").text.split("\n")
        grantees = list_of([f"'{user}'@'{host}'", *(form for role in roles if role for form in (f"'{role}'@''", f"'{role}'@'%'"))])
        self.everywhere = {right for right, in server.query(
            f"SELECT privilege_type FROM information_schema.user_privileges WHERE grantee IN {grantees}")}
        self._within = server.query(f"""SELECT s.schema_name, p.privilege_type FROM information_schema.schemata s
            JOIN information_schema.schema_privileges p ON s.schema_name LIKE p.table_schema WHERE p.grantee IN {grantees}""")
        self.account = f"{user}@{host}"

    def missing(self, database: str) -> list[str]:
        """The rights that a dump needs, and the account lacks on a database."""
        granted = self.everywhere | {right for name, right in self._within if name == database}
        return [right for right in NEEDED_IN_DATABASES if right not in granted]

    @property
    def may_lock(self) -> bool:
        return bool(self.everywhere & {"RELOAD", "SUPER"})

    @property
    def sees_all_databases(self) -> bool:
        return bool(self.everywhere & {"SELECT", "SHOW DATABASES"})


def say_missing_rights(server: Server, rights: Rights, databases: list[str], settings: Mapping[str, Any], is_mariadb: bool) -> None:
    """Failures: what an account may not see is missing from a dump without a word."""
    def lacks(right: str, where: str, why: str, otherwise: str) -> None:
        muster.finding("failure", "rights_missing", where, f"account '{rights.account}' lacks {right} on {where}, so {why}",
                       f"GRANT {right} ON {where} TO the account, or {otherwise}.")

    if any(sign in pattern for pattern in settings["databases"] for sign in "*?[") and not rights.sees_all_databases:
        lacks("SHOW DATABASES", "*.*", "databases may be invisible to it", "list the names of databases:")
    for database in databases:
        missing = rights.missing(database)
        if missing:
            lacks(", ".join(missing), f"`{database}`.*", "part of the database would be missing", "exclude: it")
    if is_mariadb and server.attempt("SELECT 1 FROM mysql.proc LIMIT 0").status != 0:
        lacks("SELECT", "mysql.proc", "routines would be missing", "grant it SELECT on the whole of mysql")
    if is_mariadb and settings["accounts"] and any(
            server.attempt(f"SELECT 1 FROM mysql.{name} LIMIT 0").status != 0 for name in ("global_priv", "db")):
        lacks("SELECT", "mysql.*", "accounts and grants cannot be dumped", "set accounts: false")


def say_what_stays_behind(state: State, transactional: set[str], settings: Mapping[str, Any], is_mariadb: bool) -> None:
    """The same in prepare and in dump."""
    for database in state.tables:
        unprotected = unprotected_tables(state, database, transactional)
        if unprotected:
            _say_unprotected(database, unprotected, settings["non_transactional"] == "fail")
    for database in sorted({row[1] for row in state.code if row[0] == "event"}):
        if any(sign in database for sign in ESCAPED_SIGNS):
            muster.finding("failure", "name_unsuitable", database, f"mariadb-dump cannot dump the events of a database called '{database}'",
                           "Move the events to a database without quotes and backslashes in its name, or exclude: it.")
    for database, name, table in state.listed():
        if table.kind == "SYSTEM VERSIONED":
            muster.omission("warning", "table_history", f"{database}.{name}", f"the history of table '{database}.{name}' is not in the dump",
                            "Dump it by `mariadb-dump --dump-history`, if the rows of the past matter.")
        if table.is_broken:
            muster.finding("failure", "table_broken", f"{database}.{name}", f"'{database}.{name}' cannot be read: {table.comment}",
                           "Repair it or drop it.")
    if settings["accounts"] and not is_mariadb:
        muster.omission("warning", "accounts", "accounts", "the accounts of a MySQL server are not in the dump",
                        "Keep the statements that make them elsewhere, and set accounts: false.")


def unprotected_tables(state: State, database: str, transactional: set[str]) -> list[str]:
    return [name for name, table in state.tables[database].items()
            if not table.is_view and not table.is_broken and table.engine not in transactional]


def _say_unprotected(database: str, tables: list[str], is_failure: bool) -> None:
    shown = ", ".join(f"'{name}'" for name in tables[:SHOWN_NAMES]) + (" and others" if len(tables) > SHOWN_NAMES else "")
    message = f"no transaction protects {len(tables)} tables of database '{database}', so their rows are of another time: {shown}"
    hint = "Convert them by ALTER TABLE … ENGINE=InnoDB, or set non_transactional: warn if that is fine."
    if is_failure:
        muster.finding("failure", "non_transactional", database, message, hint)
    else:
        muster.omission("warning", "non_transactional", database, message, hint)
