"""What the plugins that come with Muster share: events and words of the protocol, a clean end, client programs, containers.

A plugin begins like this, and `main` does the rest:

    sys.dont_write_bytecode = True
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "shared"))
    import muster_plugin as muster

    muster.main({"prepare": prepare, "dump": dump, "restore": restore})

Each verb is a function that returns after `summary`, or raises `PluginError`. A stop raises `Stopped` in the main thread, so `finally` is
enough to clean up. Modules that take long to import, such as typing and dataclasses, are left out on purpose.
"""

from __future__ import annotations

import collections
import contextlib
import errno
import fcntl
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, BinaryIO, TypeVar
    Item = TypeVar("Item")

LINE_LIMIT = 60_000
"""Bytes of the longest event. The protocol allows 64 KiB."""

SECRET_FILE = "\0secret\0"
"""Stands in an argument for the path of the file that holds the text given as `secret`."""

GRACE = 3.0
"""Seconds that a client program has to end after SIGTERM. Muster gives the plugin itself ten."""

F_SETPIPE_SZ = 1031
"""Python 3.9 does not know it by name."""

PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LC_ALL")
ENGINE_PREFIXES = ("DOCKER_", "CONTAINER", "XDG_")
"""Of variables that say where a container engine is."""


class PluginError(Exception):
    """Why a verb fails, for the operator. Holds no secrets."""

    def __init__(self, code: str, message: str, hint: str = "", transient: bool = False) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.transient = code, message, hint, transient


class Stopped(BaseException):
    """Muster wants the plugin to end. Not an `Exception`: nothing but `finally` should catch it."""


# The state of this process. `main` sets it up.
_events = 1
_write_lock = threading.Lock()
_words: queue.SimpleQueue[str] = queue.SimpleQueue()
_word_lock = threading.Lock()
_stopping = threading.Event()
_summary_said = False
_undisturbed = 0
_programs: set[Program] = set()
_last_progress: dict[str, float] = {}


# Events

def fact(name: str, value: object) -> None:
    """`name` is a word of small letters, digits and `_`."""
    _say("fact", name=name, value=str(value))


def unit(name: str, path: str, size: int) -> None:
    _say("unit", name=name, path=path, bytes=size)


def finding(severity: str, code: str, about: str, message: str, hint: str = "") -> None:
    """`severity` is note, warning or failure."""
    _say("finding", severity=severity, code=code, object=about, message=one_line(message), hint=hint)


def omission(severity: str, code: str, about: str, message: str, hint: str = "") -> None:
    """Something of the source that is not in the dump."""
    _say("omission", severity=severity, code=code, object=about, message=one_line(message), hint=hint)


def frozen() -> None:
    """Says that the point in time is open, and returns once Muster wants the dump."""
    _say("frozen")
    _await("go")


def progress(unit_path: str, size: int) -> None:
    """How far a unit has come. May be called as often as one likes."""
    now = time.monotonic()
    if now - _last_progress.get(unit_path, 0) >= 0.5:
        _last_progress[unit_path] = now
        _say("progress", unit=unit_path, bytes=size)


def undo(identifier: str, kind: str, facts: Mapping[str, str]) -> None:
    """Announces a change outside of the directory, and returns once Muster has recorded it. Only then make it.

    The identifier has no blanks.
    """
    with _word_lock:
        _say("undo", id=identifier, kind=kind, facts=dict(facts))
        _await(f"recorded {identifier}")


def undone(identifier: str) -> None:
    _say("undone", id=identifier)


def database(name: str, path: str, tables: Sequence[Mapping[str, object]]) -> None:
    """What a part of the dump holds. `tables` each have `schema`, `name` and `rows`. Many tables take several events."""
    for part in _parts(tables, LINE_LIMIT - 2 * len(_json([name, path])) - 100):
        _say("database", name=name, path=path, tables=part)


def plan(item: str, name: str, kept: str | None, size: int) -> None:
    _say("plan", item=item, name=name, kept=kept, bytes=size)


def restored(item: str, name: str, kept: str | None, compared: Mapping[str, int],
             differences: Sequence[Mapping[str, str]] = (), not_compared: Sequence[str] = ()) -> None:
    """One restored item. Each difference has `fact`, `object`, `expected` and `found`."""
    _say("restored", item=item, name=name, kept=kept, compared=dict(compared), differences=list(differences),
         not_compared=list(not_compared))


def difference(what: str, about: str, expected: object, found: object) -> dict[str, str]:
    return {"fact": what, "object": about, "expected": str(expected), "found": str(found)}


def summary(consistency: str | None = None, evidence: Sequence[str] = ()) -> None:
    """The last event of a verb that succeeded. `consistency` (exact, window or live) is for `dump` only, and so are the sentences
    that say why it may be believed."""
    global _summary_said
    _summary_said = True
    members: dict[str, object] = {"evidence": {"checks": one_line("; ".join(evidence))} if evidence else {}}
    if consistency is not None:
        members["consistency"] = consistency
    _say("summary", **members)


def _say_error(error: PluginError) -> None:
    _say("error", code=error.code, message=one_line(error.message), hint=error.hint, transient=error.transient)


def _say(event: str, **members: object) -> None:
    document: dict[str, object] = {"event": event}
    document.update(members)
    line = _json(document) + b"\n"
    with _write_lock:
        while line:
            line = line[os.write(_events, line):]


def _json(value: object) -> bytes:
    """ASCII only, so that names which are not UTF-8 cannot break a line."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _parts(items: Sequence[Mapping[str, object]], limit: int) -> Iterator[list[Mapping[str, object]]]:
    """The items in lists of at most `limit` bytes, at least one list."""
    part: list[Mapping[str, object]] = []
    size = 0
    for item in items:
        length = len(_json(item)) + 1
        if part and size + length > limit:
            yield part
            part, size = [], 0
        part.append(item)
        size += length
    yield part


def one_line(text: str, limit: int = 2000) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[:limit] + " …"


# What Muster gives

def settings() -> dict[str, Any]:
    """The settings of the dump, defaults included."""
    return _document("MUSTER_SETTINGS")


def restore_request() -> dict[str, Any]:
    return _document("MUSTER_RESTORE")


def undo_record() -> dict[str, Any]:
    return _document("MUSTER_UNDO")


def secret(name: str) -> str | None:
    """A secret of the dump; None if the operator gave none."""
    path = os.environ.get("MUSTER_SECRET_" + name.upper().replace("-", "_"))
    if path is None:
        return None
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def jobs() -> int:
    """How many things may be done at once."""
    return max(1, int(os.environ.get("MUSTER_JOBS", "1")))


def _document(variable: str) -> dict[str, Any]:
    with open(os.environ[variable], encoding="utf-8") as file:
        document: dict[str, Any] = json.load(file)
    return document


# The run of a verb

def main(verbs: Mapping[str, Callable[[], None]]) -> None:
    """Runs the verb that the program was called with, and ends the process."""
    verb = sys.argv[1] if len(sys.argv) == 2 else ""
    if verb not in verbs:
        sys.exit(f"usage: {os.path.basename(sys.argv[0])} {'|'.join(verbs)}. Muster runs this program: see plugins/README.md.")
    _protect_output()
    signal.signal(signal.SIGTERM, _on_signal)
    signal.signal(signal.SIGINT, _on_signal)
    threading.Thread(target=_listen, daemon=True).start()
    try:
        error = _attempt(verbs[verb])
    finally:
        _stopping.set()
        _stop_programs()
    if error is None:
        sys.exit(0)
    _say_error(error)
    sys.exit(1)


def _attempt(verb: Callable[[], None]) -> PluginError | None:
    try:
        verb()
    except PluginError as error:
        return error
    except Stopped:
        return PluginError("stopped", "the plugin was stopped")
    except OSError as error:
        _log_traceback()
        return _system_error(error)
    except Exception as error:
        _log_traceback()
        return PluginError("plugin_broke", f"the plugin has a bug: {type(error).__name__}: {error}",
                           "Report it, with the lines of the log.")
    if not _summary_said:
        return PluginError("plugin_broke", "the plugin ended without a summary", "Report it.")
    return None


def _log_traceback() -> None:
    import traceback
    traceback.print_exc()


def _system_error(error: OSError) -> PluginError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return PluginError("no_space", f"no space is left for {error.filename or 'the dump'}",
                           "Make room on the file system of the staging area.", transient=True)
    return PluginError("system_error", str(error))


def _protect_output() -> None:
    """Events go to a descriptor of their own; what anything else prints goes to the log."""
    global _events
    _events = os.dup(1)
    os.dup2(2, 1)


def _listen() -> None:
    """Reads the words of Muster. The end of input is a stop."""
    buffered = b""
    while True:
        data = os.read(0, 4096)
        if not data:
            os.kill(os.getpid(), signal.SIGTERM)
            return
        *lines, buffered = (buffered + data).split(b"\n")
        for line in lines:
            _words.put(line.decode("utf-8", "replace"))


def _await(word: str) -> None:
    found = _words.get()
    if found != word:
        raise PluginError("protocol", f"expected the word '{word}', got '{found}'", "Report it.")


def _on_signal(_number: int, _frame: object) -> None:
    """Raises in the main thread, once."""
    if _stopping.is_set() or _summary_said:
        return
    if not _undisturbed:
        _stopping.set()
        raise Stopped
    if not _signals_kept:
        _signals_kept.append(_number)


_signals_kept: list[int] = []


@contextlib.contextmanager
def _without_stops() -> Iterator[None]:
    """A stop waits until the end of the block: a program that was just started must not get lost."""
    global _undisturbed
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _undisturbed += 1
    try:
        yield
    finally:
        _undisturbed -= 1
    if _signals_kept and not _undisturbed:
        _on_signal(_signals_kept.pop(), None)


def check_stopped() -> None:
    """For work in other threads than the main one: raises `Stopped` if the plugin is to end."""
    if _stopping.is_set():
        raise Stopped


def is_stopping() -> bool:
    return _stopping.is_set()


def in_parallel(work: Callable[[Item], None], items: Iterable[Item]) -> None:
    """Calls `work` with each item, in threads, `jobs()` at once.

    After a failure no further item is begun. The first failure is raised once all threads have ended. On a stop the programs are ended;
    work that runs none calls `check_stopped`.
    """
    waiting = collections.deque(items)
    failures: list[BaseException] = []

    def worker() -> None:
        while not failures and not _stopping.is_set():
            try:
                item = waiting.popleft()
            except IndexError:
                return
            try:
                work(item)
            except BaseException as failure:  # raised again below, in the thread that waits
                failures.append(failure)

    threads = [threading.Thread(target=worker) for _ in range(min(jobs(), len(waiting)))]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except Stopped:
        _stop_programs()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
        raise
    if failures:
        raise failures[0]


# Client programs

class Finished:
    """A program that has ended: its status (negative: a signal), its output unless that went to a file, and its last words."""

    def __init__(self, name: str, status: int, output: bytes, errors: list[str]) -> None:
        self.name, self.status, self.output, self.errors = name, status, output, errors

    @property
    def text(self) -> str:
        return self.output.decode("utf-8", "surrogateescape")

    @property
    def how(self) -> str:
        """`redis-cli ended with status 1: the last line of its standard error`."""
        end = f"ended with status {self.status}" if self.status >= 0 else f"was ended by {_signal_name(-self.status)}"
        last = f": {self.errors[-1]}" if self.errors else ""
        return f"{self.name} {end}{last}"

    def require_success(self, hint: str = "", code: str = "program_failed") -> Finished:
        if self.status != 0:
            raise PluginError(code, self.how, hint)
        return self


class Program:
    """A client program that runs, in a session of its own. It has ended when the `with` block has been left, whatever happened.

    Its standard error goes to the log line by line, each first to `on_line`, in another thread.
    """

    def __init__(self, name: str, arguments: Sequence[str], *, stdin: int, stdout: int, kept: Iterable[int] = (),
                 environment: Mapping[str, str], on_line: Callable[[str], None] | None = None, token: str | None = None,
                 paced: bool = False, account: Mapping[str, Any] | None = None) -> None:
        self.name, self._stdout, self._on_line, self._token = name, stdout, on_line, token
        self._trailer = b""
        self._errors: collections.deque[str] = collections.deque(maxlen=20)
        with _without_stops():
            self.process, self._error_lines = self._start(arguments, stdin, stdout, kept, environment, paced, account or {})
            _programs.add(self)
        self._reader = threading.Thread(target=self._read_errors, daemon=True)
        self._reader.start()

    @staticmethod
    def _start(arguments: Sequence[str], stdin: int, stdout: int, kept: Iterable[int], environment: Mapping[str, str],
               paced: bool, account: Mapping[str, Any]) -> tuple[subprocess.Popen[bytes], BinaryIO]:
        check_stopped()
        ours, theirs = _pipe_of_lines() if paced else os.pipe()
        errors = open(ours, "rb")
        try:
            return subprocess.Popen(arguments, stdin=stdin, stdout=stdout, stderr=theirs, pass_fds=tuple(kept), env=environment,
                                    start_new_session=True, bufsize=0, **account), errors
        except FileNotFoundError:
            errors.close()
            raise PluginError("program_missing", f"{arguments[0]} is not installed",
                              f"Install {arguments[0]}, or put it on the PATH that Muster runs with.") from None
        finally:
            os.close(theirs)

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def say(self, text: str) -> None:
        """Writes to a conversation."""
        self.send(text.encode("utf-8", "surrogateescape"))

    def send(self, data: bytes) -> None:
        assert self.process.stdin is not None
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self.process.stdin.write(rest):]
        except BrokenPipeError:
            raise PluginError("program_failed", self.finish().how) from None

    def read_line(self) -> str | None:
        """The next line of a conversation without its end; None when the program has ended."""
        assert self.process.stdout is not None
        line = bytearray()
        while not line.endswith(b"\n"):
            byte = self.process.stdout.read(1)
            if not byte:
                return None
            line += byte
        if self._token is not None and line.startswith(self._token.encode()):
            self._trailer = bytes(line)
            return None
        return line[:-1].decode("utf-8", "surrogateescape")

    def read(self, count: int) -> bytes:
        """Up to so many bytes of a conversation; none when the program has ended. The caller knows how many are its own."""
        assert self.process.stdout is not None
        return self.process.stdout.read(count) or b""

    def finish(self) -> Finished:
        """Waits for the end. A conversation's input ends first, and what was not read of it is dropped."""
        rest = self._end_conversation()
        status = self.process.wait()
        self._reader.join(GRACE)
        _programs.discard(self)
        check_stopped()
        output = self._output() if rest is None else rest
        if self._token is not None:
            status, output = self._inner_status(output)
        return Finished(self.name, status, output, list(self._errors))

    def stop(self) -> None:
        """Ends the program if it still runs, and waits for its end."""
        self.ask_to_end()
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self._ends_within(GRACE):
                self._send(number)
        self.process.wait()
        self._reader.join(GRACE)
        _programs.discard(self)

    def ask_to_end(self) -> None:
        """In a container the end of input ends the program, and then the engine's client; a signal would end the client alone."""
        self._close_input()
        if self._token is None:
            self._send(signal.SIGTERM)

    def _send(self, number: signal.Signals) -> None:
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def _ends_within(self, seconds: float) -> bool:
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    def _end_conversation(self) -> bytes | None:
        if self.process.stdout is None:
            return None
        self._close_input()
        return self.process.stdout.read() + self._trailer

    def _close_input(self) -> None:
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()

    def _output(self) -> bytes:
        """What was captured in memory. What went to a file stays there, and its last bytes are looked at only for a container."""
        size = os.fstat(self._stdout).st_size
        if os.readlink(f"/proc/self/fd/{self._stdout}").startswith("/memfd:"):
            return os.pread(self._stdout, size, 0)
        if self._token is None:
            return b""
        length = min(size, _trailer_length(self._token))
        tail = os.pread(self._stdout, length, size - length)
        os.ftruncate(self._stdout, size - length)
        return tail

    def _inner_status(self, output: bytes) -> tuple[int, bytes]:
        """The status that the wrapper in the container wrote after all output, and the output before it."""
        assert self._token is not None
        length = _trailer_length(self._token)
        data, trailer = output[:-length], output[-length:]
        if not trailer.startswith(self._token.encode()) or not trailer[-4:-1].isdigit():
            last = self._errors[-1] if self._errors else f"the engine's client ended with status {self.process.returncode}"
            raise PluginError("container_failed", f"{self.name} did not come to its end: {last}",
                              "Check that the container runs and has a shell, and that this user may use the container engine.")
        status = int(trailer[-4:-1])
        return (128 - status if status > 128 else status), data

    def _read_errors(self) -> None:
        for raw in self._error_lines:
            line = raw.decode("utf-8", "replace").rstrip()
            if self._on_line is not None:
                self._on_line(line)
            if line:
                self._errors.append(one_line(line))
                sys.stderr.write(line + "\n")


class Place:
    """Where client programs run: on this host, or in a container."""

    def run(self, arguments: Sequence[str], *, input: str | None = None, secret: str | None = None, output: str | None = None,
            environment: Mapping[str, str] | None = None, on_line: Callable[[str], None] | None = None) -> Finished:
        """Runs a program to its end. `output` is a new file that gets its standard output; without it, `Finished.output` has it.

        `input` and `secret` are short texts. The program reads `input` from standard input. It finds `secret` in a file whose path
        replaces SECRET_FILE in its arguments. Neither can be seen in its arguments or its environment.
        """
        with _output_file(output) as stdout, self.start(arguments, input=input, secret=secret, stdout=stdout, environment=environment,
                                                        on_line=on_line) as program:
            return program.finish()

    def converse(self, arguments: Sequence[str], *, secret: str | None = None, environment: Mapping[str, str] | None = None,
                 on_line: Callable[[str], None] | None = None) -> Program:
        """Starts a program to talk with, by `say` and `read_line`. It should end when its input does."""
        return self.start(arguments, secret=secret, stdout=subprocess.PIPE, environment=environment, on_line=on_line)

    def start(self, arguments: Sequence[str], *, input: str | None = None, secret: str | None = None, stdout: int,
              environment: Mapping[str, str] | None = None, on_line: Callable[[str], None] | None = None) -> Program:
        """Starts a program whose output goes to the descriptor `stdout`, open for reading too; `PIPE` means a conversation."""
        raise NotImplementedError


class Host(Place):
    """Programs on this host. As root they can run as another user; without root, only as who the plugin runs as."""

    def __init__(self, user: str | None = None) -> None:
        self._account: dict[str, Any] = {}
        if user is not None and os.geteuid() == 0:
            import pwd
            record = pwd.getpwnam(user)
            groups = os.getgrouplist(user, record.pw_gid)
            self._account = {"user": record.pw_uid, "group": record.pw_gid, "extra_groups": groups}

    def start(self, arguments: Sequence[str], *, input: str | None = None, secret: str | None = None, stdout: int,
              environment: Mapping[str, str] | None = None, on_line: Callable[[str], None] | None = None,
              stdin: int | None = None, paced: bool = False) -> Program:
        """`stdin` is a descriptor to read from, such as that of a large file, in the place of `input`.

        A paced program writes one line to standard error ahead of `on_line`, and then waits until that has returned.
        """
        with contextlib.ExitStack() as files:
            if stdin is None:
                stdin = subprocess.PIPE if stdout == subprocess.PIPE else files.enter_context(_memory(input or ""))
            kept = []
            if secret is not None:
                kept = [files.enter_context(_memory(secret))]
                arguments = [argument.replace(SECRET_FILE, f"/proc/self/fd/{kept[0]}") for argument in arguments]
            program = Program(os.path.basename(arguments[0]), arguments, stdin=stdin, stdout=stdout, kept=kept,
                              environment={**clean_environment(), **(environment or {})}, on_line=on_line, paced=paced,
                              account=self._account)
        return program


class Container(Place):
    """Programs in a running container, by `docker exec` or `podman exec`.

    The status of `exec` is not the program's: a client that gets SIGTERM ends with 0 while the program goes on. So a shell inside writes
    the status after all output, with a token that only this call knows; output that was cut anywhere lacks it. It also ends the program
    when its input ends, however the client came to its end.
    """

    def __init__(self, engine: str, name: str) -> None:
        self.engine, self.container = engine, name

    def start(self, arguments: Sequence[str], *, input: str | None = None, secret: str | None = None, stdout: int,
              environment: Mapping[str, str] | None = None, on_line: Callable[[str], None] | None = None) -> Program:
        """The environment is that of the container; `environment` is for `env` inside, and seen in arguments there."""
        token = os.urandom(16).hex()
        assigned = ["env", *(f"{name}={value}" for name, value in environment.items())] if environment else []
        inner = [argument.replace(SECRET_FILE, "/proc/self/fd/4") for argument in arguments]
        command = [self.engine, "exec", "-i", self.container, "sh", "-c", _wrapper(input, secret, stdout == subprocess.PIPE), "sh",
                   token, *assigned, *inner]
        program = Program(f"{arguments[0]} in container '{self.container}'", command, stdin=subprocess.PIPE, stdout=stdout,
                          environment=self._engine_environment(), on_line=on_line, token=token)
        try:
            program.say("".join(f"{text}\n{token}\n" for text in (secret, input) if text is not None))
        except BaseException:
            program.stop()
            raise
        return program

    def _engine_environment(self) -> dict[str, str]:
        """podman without root looks for its containers in the user's run-time directory."""
        directory = f"/run/user/{os.getuid()}"
        return {**clean_environment(), **({"XDG_RUNTIME_DIR": directory} if os.path.isdir(directory) else {})}


def place_of(options: Mapping[str, Any]) -> Place:
    """Where the settings `container` and `engine` say that client programs run."""
    return Container(options.get("engine", "docker"), options["container"]) if options.get("container") else Host()


def clean_environment() -> dict[str, str]:
    """Nothing of Muster's own: a client program has no use for it."""
    return {name: value for name, value in os.environ.items() if name in PASSED_ON or name.startswith(ENGINE_PREFIXES)}


def _wrapper(input: str | None, secret: str | None, conversation: bool) -> str:
    """The shell script that runs in the container: `$1` is the token, the rest is the program with its arguments.

    It waits for each process that it starts: the first process of a container often does not.

    Its own standard input has the texts, each closed by the token, and then is either the conversation or what keeps the program alive.
    """
    take = "take() { text=; while IFS= read -r line && [ \"$line\" != \"$token\" ]; do text=$text$line$nl; done; text=${text%\"$nl\"}; }"
    read = ("take; secret=$text\n" if secret is not None else "") + ("take; input=$text\n" if input is not None else "")
    texts = " 4<<S" if secret is not None else ""
    bodies = "$secret\nS\n" if secret is not None else ""
    head = f"token=$1; shift; nl='\n'\n{take}\n{read}"
    report = "printf '%s %03d\\n' \"$token\" \"$status\"\n"
    if conversation:
        return f"{head}\"$@\"{texts}\n{bodies}status=$?\n{report}"
    texts += " <<I" if input is not None else " </dev/null"
    bodies += "$input\nI\n" if input is not None else ""
    watch = ("(while IFS= read -r line; do :; done; kill $program) <&3 >/dev/null 2>&1 3<&- &\nwatch=$!\n"
             "exec 3<&-\n")
    return f"{head}exec 3<&0\n\"$@\" 3<&-{texts} &\n{bodies}program=$!\n{watch}wait $program\nstatus=$?\n{{ kill $watch; wait $watch; }} 2>/dev/null\n{report}"


def _pipe_of_lines() -> tuple[int, int]:
    """A pipe with room for what is written at once, such as one line, and no more."""
    ends = os.pipe2(os.O_CLOEXEC | os.O_DIRECT)
    fcntl.fcntl(ends[0], F_SETPIPE_SZ, 4096)
    return ends


def _trailer_length(token: str) -> int:
    return len(token) + len(" 000\n")


@contextlib.contextmanager
def _output_file(path: str | None) -> Iterator[int]:
    if path is None:
        with _memory("") as descriptor:
            yield descriptor
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _memory(text: str) -> Iterator[int]:
    """A file in memory that is gone when the last process has closed it."""
    descriptor = os.memfd_create("text")
    try:
        os.fchmod(descriptor, 0o600)
        with open(descriptor, "wb", closefd=False) as file:
            file.write(text.encode("utf-8", "surrogateescape"))
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


def _stop_programs() -> None:
    programs = list(_programs)
    for program in programs:
        program.ask_to_end()
    for program in programs:
        program.stop()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
