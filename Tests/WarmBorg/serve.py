# Has Borg loaded, and lets a copy of this process be Borg for each call of `main.c`, which says more: serve.py SOCKET PROGRAM
import atexit
import contextlib
import ctypes
import datetime
import fcntl
import gc
import importlib
import logging
import os
import select
import signal
import socket
import struct
import sys
import threading
import time
import traceback

place, program = sys.argv[1:]
sys.argv = ["borg"]
# Read when Borg is loaded, and as Muster sets it.
EXIT_CODES = b"BORG_EXIT_CODES=modern"
os.environb.update([EXIT_CODES.split(b"=", 1)])
import borg.archiver
import borg.compress
import borg.crypto.key
import borg.platform.base

# Loaded by the first thing that Borg does, the last by Borg 2 alone.
for name in "msgpack.fallback", "borg.legacy.archives":
    with contextlib.suppress(ImportError):
        importlib.import_module(name)

# Read then too, and not set. With one of these a Borg is started as usual.
EARLY = (b"BORG_WORKAROUNDS", b"BORG_FUSE_IMPL", b"BORG_HOST_ID", b"LD_", b"PYTHON")
F_SETSIG = 10
CLONE_NEWNS = 0x20000
libc = ctypes.CDLL(None, use_errno=True)
own_mounts = os.open("/proc/self/ns/mnt", os.O_RDONLY)


class Call:
    """What Borg is called with."""

    HEAD = struct.Struct("=IIIIQ")

    def __init__(self, connection):
        data, descriptors, _, _ = socket.recv_fds(connection, 1 << 16, 64)
        size, arguments, variables, self.umask, self.mask = self.HEAD.unpack_from(data)
        while len(data) < size:
            data += connection.recv(1 << 16)
        words = data[self.HEAD.size:].split(b"\0")[:-1]
        self.arguments = words[:arguments]
        self.variables = words[arguments:arguments + variables]
        self.directory, self.mounts = descriptors[:2]
        self.files = dict(zip(map(int, words[arguments + variables:]), descriptors[2:]))

    def enter(self):
        # A test may have mounted something for its commands alone.
        if not os.path.sameopenfile(self.mounts, own_mounts):
            if libc.setns(self.mounts, CLONE_NEWNS):
                raise OSError(ctypes.get_errno(), "cannot enter the caller's mounts")
        os.fchdir(self.directory)
        os.umask(self.umask)
        self.place_files()
        os.environb.clear()
        os.environb.update(variable.split(b"=", 1) for variable in self.variables)
        time.tzset()
        sys.argv = [os.fsdecode(word) for word in self.arguments]
        # A pipe, a terminal and a file are not read and written alike.
        sys.stdin = sys.__stdin__ = self.stream(0, "r", "surrogateescape")
        sys.stdout = sys.__stdout__ = self.stream(1, "w", "surrogateescape")
        sys.stderr = sys.__stderr__ = self.stream(2, "w", "backslashreplace")
        blocked = [number for number in range(1, 65) if self.mask >> (number - 1) & 1]
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    @staticmethod
    def stream(number, mode, errors):
        try:
            return open(number, mode, encoding="utf-8", errors=errors, closefd=False)
        except OSError:
            return None

    def place_files(self):
        # Out of each other's way first.
        high = {number: fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 300) for number, file in self.files.items()}
        os.closerange(3, 250)
        for number, file in high.items():
            os.dup2(file, number)
            os.close(file)

    @property
    def is_usual(self):
        return EXIT_CODES in self.variables and not any(variable.startswith(EARLY) for variable in self.variables)


class Prepared(borg.archiver.Archiver):
    """Borg's own, with the parser of its arguments made before the first call: that takes half of a short one."""

    parser = None

    def prepare(self):
        # What it does first comes sooner the second time.
        super().build_parser()
        for form in "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S":
            datetime.datetime.strptime(datetime.datetime(2026, 1, 1, microsecond=1).strftime(form), form)
        # As large as the decompression of a small object asks for.
        borg.compress.buffer.get(int(1.1 * 2 ** 23))
        # Borg 2 writes the repository of the environment into it.
        if borg.__version__.startswith("1."):
            self.parser = super().build_parser()
        return self

    def __call__(self):
        """Stands for the class."""
        self.__init__()
        return self

    def build_parser(self):
        """Another one each time, as Borg's own. It holds the name that Borg is called by."""
        parser, self.parser = self.parser, None
        return parser if parser and os.path.basename(sys.argv[0]) == "borg" else super().build_parser()


def die_with(line):
    """Nothing more comes from the caller, unless it ends."""
    fcntl.fcntl(line, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(line, F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(line, fcntl.F_SETFL, fcntl.fcntl(line, fcntl.F_GETFL) | os.O_ASYNC)
    caller = select.poll()
    caller.register(line, select.POLLRDHUP)
    if caller.poll(0):
        os._exit(0)


def be_borg(connection):
    call = Call(connection)
    line = fcntl.fcntl(connection, fcntl.F_DUPFD_CLOEXEC, 250)
    call.enter()
    die_with(line)
    os.write(line, struct.pack("=i", os.getpid()))
    if not call.is_usual:
        os.execv(program, [program] + sys.argv[1:])
    try:
        borg.archiver.main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in sys.stdout, sys.stderr:
        try:
            if stream and not stream.closed:
                stream.flush()
        except OSError:
            status = status or 120
    os._exit(status)


def serve():
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(place + ".new")
    listener.listen(128)
    wake, waker = socket.socketpair()
    for end in wake, waker:
        end.setblocking(False)
    signal.set_wakeup_fd(waker.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # Borg tests itself once: each copy would, for more than half of its time.
    borg.archiver.selftest(logging.getLogger())
    borg.archiver.selftest = lambda logger: None
    # New keys are derived from their passphrases at once. Borg's own tests do the same.
    borg.crypto.key.PBKDF2_ITERATIONS = 1
    borg.crypto.key.ARGON2_ARGS = {"time_cost": 1, "memory_cost": 8, "parallelism": 1, "type": "id"}
    borg.archiver.Archiver = Prepared().prepare()
    gc.collect()
    gc.freeze()
    os.rename(place + ".new", place)
    callers = {}
    while True:
        ready, _, _ = select.select([listener, wake], [], [])
        if wake in ready:
            wake.recv(4096)
        while callers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            connection = callers.pop(pid)
            try:
                connection.send(struct.pack("=i", status), socket.MSG_NOSIGNAL)
            except OSError:
                pass  # It was killed, and so was its Borg.
            connection.close()
        if listener in ready:
            connection, _ = listener.accept()
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                try:
                    be_borg(connection)
                except BaseException:
                    os.write(2, traceback.format_exc().encode())
                os._exit(2)
            callers[pid] = connection


serve()
