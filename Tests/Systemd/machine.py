"""A throw-away machine: this host's own root under an overlay, booted by systemd-nspawn with systemd as its first process.

Needs root, systemd-container, and Linux with overlayfs. Nothing of the host is written to: the overlay's upper layer is in memory.
"""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path


def eventually(condition, what, seconds=60):
    """Waits until it is so. The limit is for what hangs."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError(f"within {seconds} s: {what}")


class Machine:
    ENVIRONMENT = ["env", "-i", "PATH=/usr/bin:/usr/sbin:/bin:/sbin", "HOME=/root", "LANG=C.UTF-8"]

    def __init__(self, place, tree):
        """tree: files to put over the root, such as `make install` has placed them."""
        self.place = Path(place)
        self.tree = Path(tree)

    def __enter__(self):
        self.place.mkdir(parents=True, exist_ok=True)
        script = """
            set -eu
            mount -t tmpfs tmpfs "$1"
            mkdir "$1/upper" "$1/work" "$1/root"
            mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
            : > "$1/root/etc/machine-id"
            rm -rf "$1"/root/etc/systemd/system/*.wants "$1"/root/etc/systemd/system/*.requires "$1/root/etc/muster" "$1/root/var/lib/muster"
            cp -a "$2"/. "$1/root/"
            for hierarchy in systemd unified; do
                if [ -d /sys/fs/cgroup/$hierarchy ]; then
                    mkdir -p "/sys/fs/cgroup/$hierarchy/$3"
                    echo $$ > "/sys/fs/cgroup/$hierarchy/$3/cgroup.procs"
                fi
            done
            exec systemd-nspawn --quiet --directory "$1/root" --boot --register=no --keep-unit --private-network --console=pipe \\
                --machine="$3" systemd.unit=multi-user.target
            """
        self.log = open(self.place.parent / "boot.log", "wb")
        self.nspawn = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", self.place, self.tree, self.place.parent.name],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        try:
            self.leader = eventually(self.child, "nspawn starts systemd")
            eventually(lambda: self.run("systemctl is-system-running").stdout.strip() in ("running", "degraded"), "systemd is up")
        except BaseException:
            self.end()
            raise
        return self

    def child(self):
        assert self.nspawn.poll() is None, (self.place.parent / "boot.log").read_text(errors="replace")
        children = Path(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children").read_text().split()
        return int(children[0]) if children and Path(f"/proc/{children[0]}/comm").read_text() == "systemd\n" else None

    def run(self, command, check=False, **options):
        """A line for the shell, inside."""
        result = subprocess.run(
            ["nsenter", f"--target={self.leader}", "--all", "--", *self.ENVIRONMENT, "sh", "-c", command],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)
        if check:
            assert result.returncode == 0, f"{command}: {result.returncode}\n{result.stdout}{result.stderr}"
        return result

    def must(self, command):
        return self.run(command, check=True).stdout

    def write(self, path, text, mode="0600"):
        self.must(f"install -D -m {mode} /dev/null {path}; cat > {path} <<'END-OF-FILE'\n{text}\nEND-OF-FILE")

    def show(self, unit, key):
        return self.must(f"systemctl show --value --property={key} '{unit}'").strip()

    def journal(self, *matches):
        return self.must("journalctl --no-pager --output=short " + " ".join(matches))

    def __exit__(self, *_):
        self.end()

    def end(self):
        if self.nspawn.poll() is None:
            # Its containers' systemd powers off, and is killed where it does not.
            try:
                if hasattr(self, "leader"):
                    os.kill(self.leader, signal.SIGRTMIN + 4)
                self.nspawn.wait(15)
            except (subprocess.TimeoutExpired, ProcessLookupError):
                self.nspawn.kill()
                self.nspawn.wait()
        self.log.close()
        for hierarchy in ("systemd", "unified"):
            group = Path("/sys/fs/cgroup") / hierarchy / self.place.parent.name
            for directory in sorted(group.glob("**/"), reverse=True) if group.is_dir() else []:
                try:
                    directory.rmdir()
                except OSError:
                    pass
        shutil.rmtree(self.place, ignore_errors=True)
