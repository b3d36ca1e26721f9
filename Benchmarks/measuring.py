"""What the benchmarks share: a cluster to dump, runs with their wall times, tables in Markdown."""

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
MUSTER = Path(__file__).resolve().parent.parent / ".build/release/muster"
PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
DATABASES = [f"d{n}" for n in range(1, 10)]


@contextmanager
def benchmark_directory():
    """A directory for everything that a benchmark makes, gone in the end."""
    if os.geteuid() != 0:
        sys.exit("make bench needs root: it runs a server as the user postgres")
    root = Path(tempfile.mkdtemp(prefix="muster-bench-"))
    root.chmod(0o711)
    try:
        yield root
    finally:
        shutil.rmtree(root)


def size_of(directory):
    return sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())


def heading(*what):
    """When, where and of what the figures below it are."""
    facts = [f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%MZ}", platform.machine(), f"{os.cpu_count()} processors",
             f"Linux {platform.release()}", *what, f"{ROUNDS} rounds", "median of the ratios (least to greatest)"]
    print(", ".join(facts) + "\n")


def databases(size):
    """What the clusters' benchmarks dump. `size` is in bytes."""
    return [f"PostgreSQL {PROGRAMS.parent.name}", "nine databases and two of the system", f"{size / 2**30:.2f} GiB dumped"]


def as_postgres(*command, **options):
    return ["runuser", "-u", "postgres", "--", *map(str, command)]


class Cluster:
    """A throw-away server of the user postgres, on a socket of its own."""

    def __init__(self, root, name="pg"):
        self.socket = root / name
        self.data = self.socket / "data"
        self.socket.mkdir(mode=0o711)
        shutil.chown(self.socket, "postgres", "postgres")

    def __enter__(self):
        self.start()
        self.fill()
        return self

    def start(self):
        run(as_postgres(PROGRAMS / "initdb", "-D", self.data, "-A", "peer", "-E", "UTF8", "--no-sync"))
        run(as_postgres(PROGRAMS / "pg_ctl", "-D", self.data, "-w", "-l", self.data / "log", "-o",
                        f"-k {self.socket} -c listen_addresses= -c fsync=off -c max_wal_size=4GB -c max_connections=250", "start"))

    def __exit__(self, *_):
        run(as_postgres(PROGRAMS / "pg_ctl", "-D", self.data, "-w", "-m", "immediate", "stop"))

    def sql(self, database, statement):
        return run(as_postgres(PROGRAMS / "psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", self.socket,
                               "-d", database, "-c", statement))

    def fill(self):
        """A third of the bytes each: pgbench's tables, orders as JSON documents, events with times, numbers and some JSON."""
        for name in DATABASES:
            self.sql("postgres", f"CREATE DATABASE {name}")
        for name, scale in [("d1", 24), ("d2", 12), ("d3", 5)]:
            run(as_postgres(PROGRAMS / "pgbench", "-q", "-i", "-s", max(1, int(scale * SCALE)), "-h", self.socket, name))
        for name, rows in [("d4", 150_000), ("d5", 55_000)]:
            self.sql(name, f"""
                CREATE TABLE orders (id int PRIMARY KEY, body jsonb);
                INSERT INTO orders
                    SELECT n, jsonb_build_object('id', n, 'customer', md5(n::text), 'paid', n % 3 = 0,
                        'placed', timestamptz '2026-01-01' + n * interval '1 minute',
                        'note', repeat('leave the parcel with the neighbour; ', n % 20),
                        'lines', (SELECT jsonb_agg(jsonb_build_object('sku', 'A-' || (n * 7 + l) % 9973, 'quantity', l,
                            'name', 'article ' || (n + l) % 499, 'price', (n % 9000 + l) * 0.01))
                            FROM generate_series(1, 20) l))
                    FROM generate_series(1, {int(rows * SCALE)}) n""")
        for name, rows in [("d6", 1_500_000), ("d7", 800_000), ("d8", 400_000), ("d9", 140_000)]:
            self.sql(name, f"""
                CREATE TABLE events
                    (id bigint PRIMARY KEY, at timestamptz, kind text, session uuid, amount numeric, properties jsonb);
                INSERT INTO events
                    SELECT n, timestamptz '2026-01-01' + n * interval '1 second', 'kind ' || n % 17, md5(n::text)::uuid,
                        n * 0.01, jsonb_build_object('page', '/articles/' || n % 4099, 'seconds', n % 600, 'mobile', n % 2 = 0)
                    FROM generate_series(1, {int(rows * SCALE)}) n""")
        for name in DATABASES:
            self.sql(name, "VACUUM ANALYZE")


def run(command, **options):
    result = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, **options)
    if result.returncode != 0:
        sys.exit(f"{command}: exit {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result.stdout


def timed(command, **options):
    """Wall seconds, and the peak memory in KiB of the largest process of the command."""
    start = time.monotonic()
    child = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, **options)
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"{command}: wait status {status}\n{errors.decode()}")
    return time.monotonic() - start, usage.ru_maxrss


def rounds(kinds):
    """What each of the named functions returns, once in each round, in turn: a pair that begins with seconds."""
    for measure in kinds.values():  # warm the caches, uncounted
        measure()
    times = {kind: [] for kind in kinds}
    for number in range(ROUNDS):
        for kind, measure in kinds.items():
            times[kind].append(measure())
        print(f"round {number + 1}: " + ", ".join(f"{k} {v[-1][0]:.2f} s" for k, v in times.items()), file=sys.stderr)
    return times


def ratio(times, kind, base):
    pairs = sorted(a[0] / b[0] for a, b in zip(times[kind], times[base]))
    return f"{statistics.median(pairs):.2f} ({pairs[0]:.2f} to {pairs[-1]:.2f})"


def row(*cells):
    print("| " + " | ".join(cells) + " |")
