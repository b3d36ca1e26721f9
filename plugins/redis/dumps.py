"""What a file of Redis holds, by redis-check-rdb."""

from __future__ import annotations

import os
import re

import muster_plugin as muster

TYPE_CHECKING = False

KEYS, ACCOUNTS = "dump.rdb", "users.acl"


class Keys:
    """How many keys a file has, how many of them expire, and the version of its format."""

    def __init__(self, count: int, expiring: int, version: int, size: int) -> None:
        self.count, self.expiring, self.version, self.size = count, expiring, version, size


def inspect(path: str, place: muster.Place) -> Keys:
    """Throws unless the file is whole: it ends with a checksum of everything before."""
    with open(path, "rb") as file:
        header = file.read(9)
        if not header.startswith(b"REDIS") or not header[5:].isdigit():
            raise muster.PluginError("dump_damaged", f"'{path}' is not a dump of Redis", "Run the dump again.")
    finished = _check(path, place)
    counts = {what: int(number) for number, what in re.findall(r"^\[info\] (\d+) (keys read|expires)", finished.text, re.MULTILINE)}
    if finished.status != 0 or "keys read" not in counts:
        said = [line for line in finished.text.splitlines() if line.strip()]
        raise muster.PluginError("dump_damaged", f"redis-check-rdb refuses '{path}': {_reason(said, finished)}",
                                 "Run the dump again. If this stays, check that redis-check-rdb is not older than the server.")
    return Keys(counts["keys read"], counts.get("expires", 0), int(header[5:]), os.path.getsize(path))


def _check(path: str, place: muster.Place) -> muster.Finished:
    """On this host if it has the program, otherwise where the server is."""
    try:
        return muster.Host().run(["redis-check-rdb", path])
    except muster.PluginError as error:
        if error.code != "program_missing" or not isinstance(place, muster.Container):
            raise
    with place.converse(["redis-check-rdb", "/dev/stdin"]) as program, open(path, "rb") as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            program.send(part)
        return program.finish()


def _reason(said: list[str], finished: muster.Finished) -> str:
    found = [line for line in said if "ERROR" in line or "error" in line]
    return (found or said or [finished.how])[-1].strip("- ")
