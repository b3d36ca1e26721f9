"""LDIF, as far as the configuration of a server needs it."""

from __future__ import annotations

import base64
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

CONFIG_ITEM = "cn=config"
PROXIES = ("ldap", "meta", "asyncmeta", "sql", "sock", "perl", "passwd", "dnssrv", "relay")
"""What these show comes from elsewhere, and slapcat cannot dump it."""
EMPTY = ("frontend", "config", "monitor", "null")
"""These hold no entries of their own."""


class Database:
    """One `olcDatabase` of the configuration."""

    def __init__(self, number: int, kind: str, suffix: str, directory: str) -> None:
        self.number, self.kind, self.suffix, self.directory = number, kind, suffix, directory

    @property
    def path(self) -> str:
        return "suffixes/" + re.sub(r"[^A-Za-z0-9=,_-]", lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()),
                                    self.suffix or "root") + ".ldif"


def unfolded(text: str) -> list[str]:
    """Lines of any length: one that begins with a space goes on with the line before it."""
    return text.replace("\n ", "").split("\n")


def value_of(line: str) -> tuple[str, str]:
    """The attribute and its value, which is base64 after two colons."""
    name, _, rest = line.partition(":")
    if rest.startswith(":"):
        return name, base64.b64decode(rest[1:].strip()).decode("utf-8", "surrogateescape")
    return name, rest.lstrip(" ")


def written(name: str, value: str) -> str:
    return f"{name}:: {base64.b64encode(value.encode('utf-8', 'surrogateescape')).decode()}"


def entries(text: str) -> list[list[str]]:
    """Each entry as its lines."""
    found: list[list[str]] = [[]]
    for line in unfolded(text):
        if line:
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [entry for entry in found if entry]


def databases(config: str) -> list[Database]:
    """What the configuration defines, in its order."""
    found = []
    for entry in entries(config):
        attributes: dict[str, str] = {}
        for name, value in map(value_of, entry):
            attributes.setdefault(name, value)
        match = re.fullmatch(r"\{(-?\d+)\}(.+)", attributes.get("olcDatabase", ""))
        if match:
            found.append(Database(int(match[1]), match[2], attributes.get("olcSuffix", ""), attributes.get("olcDbDirectory", "")))
    return found


def moved(config: str, directories: dict[str, str], dropped: Iterable[str], replaced: dict[str, str]) -> str:
    """The configuration with other directories, without some attributes, and with other values of some."""
    lines = []
    for line in unfolded(config):
        name = line.partition(":")[0]
        if name in dropped:
            continue
        if name == "olcDbDirectory" and value_of(line)[1] in directories:
            line = written(name, directories[value_of(line)[1]])
        elif name in replaced:
            line = written(name, replaced[name])
        lines.append(line)
    return "\n".join(lines)
