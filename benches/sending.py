#!/usr/bin/env python3
"""Sending beside Postfix's own load generator: `smtp-source -d` (which keeps its connections) and gazetted, into the same
smtp-sink, in one run.

    benches/sending.py GAZETTED [MESSAGES] [CONNECTIONS]

Prints messages a second of smtp-source, of gazetted unsigned and of gazetted signed with RSA-2048, each with as many connections and
messages of about 30 kB, and gazetted's peak memory. STORE=postgres://... measures on that (empty) database instead of SQLite.
Loopback only; everything it starts, it stops.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time

GAZETTED = os.path.abspath(sys.argv[1])
MESSAGES = int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
CONNECTIONS = int(sys.argv[3]) if len(sys.argv) > 3 else 32
SIZE = 30_000
STORE = os.environ.get("STORE", "")
os.environ["PATH"] += ":/usr/sbin"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(folder, *arguments):
    done = subprocess.run([GAZETTED, *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"gazetted {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def blog(folder, port, signed):
    os.mkdir(f"{folder}/_posts")
    with open(f"{folder}/_posts/2021-05-01-a.md", "w") as f:
        f.write("---\ntitle: A\n---\nText.\n")
    # Fifteen posts with long excerpts make a digest of the size.
    for n in range(15):
        with open(f"{folder}/_posts/2021-05-{n % 28 + 1:02}-post-{n}.md", "w") as f:
            f.write(f"---\ntitle: Post number {n}, with a title of some length\ntags: [a, b]\n---\n" + "Words that say something. " * 12 + "\n")
    with open(f"{folder}/gazetted.toml", "w") as f:
        f.write(f'[site]\ntitle = "Notes"\nurl = "https://blog.example.org"\n[posts]\ndir = "_posts"\n[digest]\nfrom = "Notes <notes@example.org>"\n'
                f'[smtp]\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nconnections = {CONNECTIONS}\n')
        if signed:
            f.write('[dkim]\nselector = "gz"\nkey_file = "key.pem"\n')
        if STORE:
            f.write(f'[store]\nurl = "{STORE}"\n')
    if signed:
        subprocess.run(["openssl", "genrsa", "-out", f"{folder}/key.pem", "2048"], check=True, capture_output=True)
        os.chmod(f"{folder}/key.pem", 0o600)
    with open(f"{folder}/people.csv", "w") as f:
        f.write("email,name\n")
        f.writelines(f"reader{n}@domain{n % 97}.example,Reader Number {n}\n" for n in range(MESSAGES))
    run(folder, "subscribers", "import", "people.csv")


def send(port, signed):
    with tempfile.TemporaryDirectory() as folder:
        blog(folder, port, signed)
        began = time.perf_counter()
        run(folder, "digest", "open", "2021-05", "--now")
        opened = time.perf_counter() - began
        size = len(run(folder, "digest", "preview", "2021-05", "--format", "eml"))
        began = time.perf_counter()
        done = subprocess.run(["/usr/bin/time", "-v", GAZETTED, "outbox", "flush"], cwd=folder, capture_output=True, text=True)
        seconds = time.perf_counter() - began
        memory = int(re.search(r"Maximum resident set size \(kbytes\): (\d+)", done.stderr).group(1)) / 1024
        if f"{MESSAGES} accepted" not in done.stdout:
            raise SystemExit(done.stdout + done.stderr)
        return MESSAGES / seconds, size, memory, opened


def main():
    port = free_port()
    sink = subprocess.Popen(["smtp-sink", "-u", "nobody", f"127.0.0.1:{port}", "1000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.5)
        began = time.perf_counter()
        subprocess.run(["smtp-source", "-d", "-s", str(CONNECTIONS), "-m", str(MESSAGES), "-l", str(SIZE), f"127.0.0.1:{port}"], check=True)
        source = MESSAGES / (time.perf_counter() - began)
        print(f"smtp-source -d -s {CONNECTIONS}, {SIZE} bytes: {source:,.0f} messages a second", flush=True)
        for signed in [False, True]:
            rate, size, memory, opened = send(port, signed)
            print(f"gazetted, {'signed' if signed else 'unsigned'}, {size} bytes: {rate:,.0f} a second = {rate / source:.2f} of it; {memory:.0f} MiB; opened in {opened:.1f} s", flush=True)
    finally:
        sink.terminate()


if __name__ == "__main__":
    main()
