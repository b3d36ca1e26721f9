"""Databases in a container, copied by a program inside: python3 with this plugin's own code, or the sqlite3 shell."""

from __future__ import annotations

import math

import databases
import muster_plugin as muster

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

SHELL = r"""
open_as() { option=-readonly; [ -e "$1-wal" ] || option=; }
shell() { sqlite3 -batch -bail -init /dev/null $option "$1"; }
IFS=
fail() { printf '%s\n' "$1" >&2; exit 1; }
verb=$1 wait=$2; shift 2
if [ "$verb" = look ]; then
    for pattern; do
        found=
        for file in $pattern; do
            case $file in *-wal | *-shm | *-journal) continue ;; esac
            [ -f "$file" ] || continue
            found=1
            open_as "$file"
            size=$(printf '.timeout %d000\nSELECT page_count * page_size FROM pragma_page_count, pragma_page_size;\n' "$wait" |
                shell "$file") || exit 1
            printf '%s %s\n' "$size" "$file"
        done
        [ "$found" ] || fail "no file matches '$pattern'"
    done
    exit 0
fi
file=$1
[ -f "$file" ] || fail "'$file' is not a file"
open_as "$file"
directory=$(mktemp -d) && cd "$directory" || exit 1
trap 'rm -rf "$directory"' EXIT
trap 'exit 1' HUP INT TERM
{
    printf '.timeout %d000\nBEGIN;\n.output /dev/null\nSELECT count(*) FROM sqlite_master;\n.system echo frozen\n' "$wait"
    read -r word && echo '.backup copy'
} | shell "$file" || exit 1
[ -f copy ] || fail 'the plugin was stopped'
echo $(($(wc -c <copy)))
cat copy
"""
"""The same as `databases.main`, for the sqlite3 shell."""


def sources(engine: str, container: str, patterns: Sequence[str], wait: float) -> list[ContainerSource]:
    place = muster.Container(engine, container)
    program = _program(place)
    lines = place.run([*program, "look", whole(wait), *patterns]).require_success(code="source_unreadable").text.splitlines()
    found = {path: int(size) for size, _, path in (line.partition(" ") for line in lines)}
    return [ContainerSource(place, program, path, size, wait) for path, size in sorted(found.items())]


def whole(wait: float) -> str:
    """In seconds, never less."""
    return str(math.ceil(wait))


def _program(place: muster.Container) -> list[str]:
    question = "python3 -c 'import sqlite3' 2>/dev/null && echo python || { command -v sqlite3 >/dev/null && echo shell; }"
    answer = place.run(["sh", "-c", question]).text.strip()
    if answer == "python":
        with open(databases.__file__, encoding="utf-8") as file:
            return ["python3", "-c", file.read()]
    if answer == "shell":
        return ["sh", "-c", SHELL, "sh"]
    raise muster.PluginError("program_missing", f"container '{place.container}' has neither python3 nor sqlite3",
                             "Add one to the image, or mount the volume on this host and dump the file there.")


class ContainerSource:
    """A database in a container. The program inside keeps the read transaction from `freeze` to the end of `copy`."""

    def __init__(self, place: muster.Container, program: Sequence[str], path: str, size: int, wait: float) -> None:
        self.place, self.program, self.path, self.size, self.wait = place, program, path, size, wait
        self._conversation: muster.Program | None = None

    def look(self) -> int:
        return self.size

    def freeze(self) -> None:
        self._conversation = self.place.converse([*self.program, "copy", whole(self.wait), self.path])
        if self._conversation.read_line() != "frozen":
            self._fail(self._conversation)

    def copy(self, target: str, progress: Callable[[int], None]) -> None:
        assert self._conversation is not None
        self._conversation.say("go\n")
        length = self._conversation.read_line()
        if length is None:
            self._fail(self._conversation)
        with open(target, "xb") as file:
            self._receive(self._conversation, int(length or 0), file, progress)
        self._conversation.finish().require_success(code="source_unreadable")

    def _receive(self, conversation: muster.Program, length: int, file: BinaryIO, progress: Callable[[int], None]) -> None:
        received = 0
        while received < length:
            data = conversation.read(min(1 << 20, length - received))
            if not data:
                self._fail(conversation)
            file.write(data)
            received += len(data)
            progress(received)

    def _fail(self, conversation: muster.Program) -> None:
        conversation.finish().require_success(code="source_unreadable")
        raise muster.PluginError("source_unreadable", f"'{self.path}': {conversation.name} ended early")

    def close(self) -> None:
        if self._conversation is not None:
            self._conversation.stop()
