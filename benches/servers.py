"""What the scripts beside it start for themselves: a private PostgreSQL, a free port, smtp-sink. All of it ends with them."""

import contextlib
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

os.environ["PATH"] += ":/usr/sbin:/sbin"
# Told to stop, a script still ends what it has started.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until_listening(port, seconds=10):
    for _ in range(int(seconds * 50)):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise SystemExit(f"nothing listens on port {port}")


@contextlib.contextmanager
def smtp_sink():
    """Postfix's own; gives its port."""
    port = free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    sink = subprocess.Popen(["smtp-sink", *user, f"127.0.0.1:{port}", "1000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until_listening(port)
        yield port
    finally:
        sink.terminate()
        sink.wait()


class Postgres:
    """A PostgreSQL of our own in a temporary folder, with commits that reach the disk, as in service."""

    def __init__(self):
        programs = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
        initdb = programs[-1] if programs else shutil.which("initdb")
        if not initdb:
            raise SystemExit("PostgreSQL is not here; install it (Debian: postgresql), or name a database with STORE=postgres://...")
        self.programs, self.databases = os.path.dirname(initdb), 0
        self.folder = tempfile.mkdtemp(prefix="gazetted-pg-", dir="/tmp")
        self.user = next((u for u in ["postgres", "nobody"] if os.geteuid() == 0 and self._known(u)), None)
        if self.user:
            os.chown(self.folder, pwd.getpwnam(self.user).pw_uid, pwd.getpwnam(self.user).pw_gid)
        self._do("initdb", "-D", f"{self.folder}/data", "-U", "gazetted", "-A", "trust", "-E", "UTF8", "--locale=C")
        self._start()

    @staticmethod
    def _known(user):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(user)

    def _do(self, program, *arguments):
        by = ["runuser", "-u", self.user, "--"] if self.user else []
        done = subprocess.run([*by, f"{self.programs}/{program}", *arguments], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise SystemExit(f"{program}: {done.stdout}")

    def _start(self):
        options = f"-k {self.folder} -c listen_addresses= -c max_connections=200"
        by = ["runuser", "-u", self.user, "--"] if self.user else []
        # The server keeps the output open: it must not be ours.
        subprocess.run([*by, f"{self.programs}/pg_ctl", "-D", f"{self.folder}/data", "-w", "-l", f"{self.folder}/log", "-o", options, "start"],
                       cwd=self.folder, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def restart(self):
        """As after a crash: nothing is said to anybody."""
        self._do("pg_ctl", "-D", f"{self.folder}/data", "-w", "-m", "immediate", "stop")
        self._start()

    def url(self, database):
        return f"postgres://gazetted@localhost/{database}?host={self.folder}"

    def fresh(self):
        """The URL of an empty database."""
        self.databases += 1
        name = f"d{self.databases}"
        subprocess.run([f"{self.programs}/createdb", "-h", self.folder, "-U", "gazetted", name], check=True)
        return self.url(name)

    def memory(self):
        """What its processes hold for themselves, in MiB."""
        with open(f"{self.folder}/data/postmaster.pid") as f:
            main = int(f.readline())
        total = 0
        for status in glob.glob("/proc/[0-9]*/status"):
            with contextlib.suppress(OSError):
                text = open(status).read()
                if f"PPid:\t{main}\n" in text:
                    total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("RssAnon"))
        return total / 1024

    def close(self):
        with contextlib.suppress(SystemExit):
            self._do("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)
