"""How the client programs reach a server, what it answers, and what its errors mean."""

from __future__ import annotations

import re

import muster_plugin as muster

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

ESCAPES = {"t": "\t", "n": "\n", "\\": "\\", "0": "\0"}
SHOWN_PROGRAMS = "command -v {0} || command -v {1}"

UNREACHABLE = {1040, 1129, 1130, 1203, 2002, 2003, 2005, 2006, 2013, 2026}
REFUSED = {1044, 1045, 1698, 1862}
FORBIDDEN = {1142, 1143, 1227, 1370}
CHANGED = {1146, 1356, 1412}
"""A table is gone, a view refers to nothing, "Table definition has changed, please retry transaction"."""
LOST = {1053, 1927, 2006, 2013}


class Server:
    """A server, and the client programs that reach it."""

    def __init__(self, place: muster.Place, options: Sequence[str] | None, arguments: Sequence[str] = ()) -> None:
        """`options` are lines of an option file's section `[client]`. None: the programs read the user's own option files.

        `arguments` come first in each command.
        """
        self.place = place
        self._arguments = list(arguments)
        self._options = None if options is None else "\n".join(["[client]", *options]) + "\n"
        self.client = self._find("mariadb", "mysql")
        self._dumper = ""

    @classmethod
    def of_settings(cls, settings: Mapping[str, Any], password: str | None) -> Server:
        texts = [(name, settings[name]) for name in ("socket", "host", "user") if settings.get(name)]
        options = [option(name, text) for name, text in texts]
        if settings.get("port"):
            options.append(f"port={settings['port']}")
        if settings.get("host"):
            options.append("protocol=tcp")
        if settings.get("tls_ca"):
            options += [option("ssl-ca", settings["tls_ca"]), "ssl-verify-server-cert"]
        if password is not None:
            options.append(option("password", password))
        return cls(muster.place_of(settings), options)

    @property
    def dumper(self) -> str:
        self._dumper = self._dumper or self._find("mariadb-dump", "mysqldump")
        return self._dumper

    def _find(self, name: str, older: str) -> str:
        found = self.place.run(["sh", "-c", SHOWN_PROGRAMS.format(name, older)])
        if found.status != 0:
            raise muster.PluginError("program_missing", f"neither {name} nor {older} is installed",
                                     "Install the client programs of MariaDB, or put them on the PATH that Muster runs with.")
        return found.text.strip()

    def command(self, program: str, *arguments: str) -> list[str]:
        file = [] if self._options is None else ["--defaults-file=" + muster.SECRET_FILE]
        return [program, *file, *self._arguments, *arguments]

    @property
    def secret(self) -> str | None:
        """What the programs read in the place of SECRET_FILE."""
        return self._options

    def run(self, program: str, *arguments: str, input: str = "", output: str | None = None,
            on_line: Callable[[str], None] | None = None) -> muster.Finished:
        return self.place.run(self.command(program, *arguments), input=input, secret=self._options, output=output, on_line=on_line)

    def attempt(self, statements: str) -> muster.Finished:
        return self.run(self.client, "--batch", "--skip-column-names", "--default-character-set=utf8mb4", input=statements)

    def query(self, statements: str) -> list[list[str]]:
        """The rows that statements return, as texts. NULL is `NULL`: statements avoid it where that matters."""
        finished = self.attempt(statements)
        if finished.status != 0:
            raise failure(finished, "cannot ask the server")
        return [[unescaped(cell) for cell in line.split("\t")] for line in finished.text.split("\n")[:-1]]

    def value(self, statement: str) -> str:
        return self.query(statement)[0][0]

    def converse(self) -> muster.Program:
        """A session to talk with."""
        arguments = self.command(self.client, "--batch", "--skip-column-names", "--unbuffered")
        return self.place.converse(arguments, secret=self._options)


def option(name: str, text: str) -> str:
    """A line of an option file."""
    if "\n" in text:
        raise muster.PluginError("settings", f"the {name} has a line break", f"Write the {name} on one line.")
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{quoted}"'


def unescaped(cell: str) -> str:
    return re.sub(r"\\(.)", lambda match: ESCAPES.get(match[1], match[0]), cell) if "\\" in cell else cell


def name_of(name: str) -> str:
    """A name as a statement has it."""
    return "`" + name.replace("`", "``") + "`"


def text_of(text: str) -> str:
    """A text as a statement has it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def list_of(texts: Sequence[str]) -> str:
    return "(" + ", ".join(text_of(text) for text in texts) + ")"


def error_number(finished: muster.Finished) -> int | None:
    """The number of the server's or the client's last error, such as 1045."""
    for line in reversed(finished.errors):
        found = re.search(r"ERROR (\d+)|Error: ?(\d+)|Error (\d+):|error: (\d+)|\((\d{4})\)", line)
        if found:
            return int(next(group for group in found.groups() if group))
    return None


def failure(finished: muster.Finished, what: str) -> muster.PluginError:
    """What the end of a client program means to the operator."""
    number = error_number(finished)
    # The message of an error may have several lines, with a piece of the statement at the end.
    first = next((line for line in reversed(finished.errors) if line.startswith("ERROR ")), None)
    message = f"{what}: {finished.how}" if first is None else f"{what}: {finished.name} ended with status {finished.status}: {first}"
    if any("errno 28" in line or "No space left" in line for line in finished.errors):
        return muster.PluginError("no_space", f"no space is left for the dump: {finished.how}",
                                  "Make room on the file system of the staging area.", transient=True)
    if number in REFUSED:
        return muster.PluginError("source_unavailable", message, "Check the account, its password, and from where it may log in.")
    if number in FORBIDDEN:
        return muster.PluginError("rights_missing", message, "Grant the account what README.md of this plugin lists.")
    if number in CHANGED:
        return muster.PluginError("definition_changed", message,
                                  "Tables were changed while they were dumped: dump at a time when no software is updated.", transient=True)
    if number == 1205:
        return muster.PluginError("lock_wait", message, "A long statement is in the way: dump at another time, or raise lock_wait:.",
                                  transient=True)
    if number in UNREACHABLE or number in LOST:
        return muster.PluginError("source_unavailable", message, "Check that the server runs, and socket:, host: and port:.", transient=True)
    return muster.PluginError("program_failed", message)
