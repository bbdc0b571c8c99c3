#!/usr/bin/env python3
"""Sending, in one run on one machine, beside what it is measured against.

    benches/sending.py GAZETTED [WIRE] [--messages N] [--connections 8,32] [--stores sqlite,postgres] [--only PART,...]

GAZETTED is the program; WIRE is the bench of that name (`cargo build --release --bench wire`, looked for beside GAZETTED). Parts:

    signer     our RSA-2048 signer alone on two threads, on the same digest
    sink       `smtp-source -d` (it keeps its connections) and gazetted, unsigned and signed, into one smtp-sink; bars: unsigned 1.0 of
               smtp-source, signed 0.45 of the bare signer (both share the machine with the sink and the database)
    far        the same over a round trip of 20 ms, beside lettre's own transport and pool; bar: twice
    million    an edition opened for a million subscribers; bars: a minute, 64 MiB

A private PostgreSQL is started in a temporary folder unless STORE=postgres://... names an empty database (for one part and one number of
connections only). Loopback only; everything it starts, it stops.
"""

import argparse
import glob
import json
import os
import subprocess
import tempfile
import time

from servers import Postgres, smtp_sink

SIZE = 30_000
ROUND_TRIP = 20

parser = argparse.ArgumentParser()
parser.add_argument("gazetted")
parser.add_argument("wire", nargs="?")
parser.add_argument("--messages", type=int, default=50_000)
parser.add_argument("--far-messages", type=int, default=10_000)
parser.add_argument("--people", type=int, default=1_000_000)
parser.add_argument("--connections", default="8,32")
parser.add_argument("--stores", default="sqlite,postgres")
parser.add_argument("--only", default="signer,sink,far,million")
given = parser.parse_args()
GAZETTED = os.path.abspath(given.gazetted)
MESSAGES = given.messages


def wire_program():
    near = [f for f in glob.glob(f"{os.path.dirname(GAZETTED)}/deps/wire-*") if os.access(f, os.X_OK) and not f.endswith(".d")]
    found = [os.path.abspath(given.wire)] if given.wire else sorted(near, key=os.path.getmtime)
    if not found:
        raise SystemExit("the bench `wire` is not here: cargo build --release --bench wire")
    return found[-1]


def run(folder, *arguments):
    done = subprocess.run([GAZETTED, *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"gazetted {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def measured(folder, *arguments):
    """Output, seconds and peak memory in MiB."""
    began = time.perf_counter()
    done = subprocess.run(["/usr/bin/time", "-f", "%M", GAZETTED, *arguments], cwd=folder, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"gazetted {' '.join(arguments)}: {done.stderr}")
    return done.stdout, seconds, int(done.stderr.split()[-1]) / 1024


class Blog:
    """A site whose digest is as large as ours are, in a folder of its own, and its readers."""

    def __init__(self, store, port=25, connections=8, signed=False, people=0):
        self.place = tempfile.TemporaryDirectory()
        self.folder = folder = self.place.name
        os.mkdir(f"{folder}/_posts")
        # Fifteen posts with long excerpts make a digest of the size.
        for n in range(15):
            with open(f"{folder}/_posts/2021-05-{n % 28 + 1:02}-post-{n}.md", "w") as f:
                f.write(f"---\ntitle: Post number {n}, with a title of some length\ntags: [a, b]\n---\n" + "Words that say something. " * 12 + "\n")
        with open(f"{folder}/gazetted.toml", "w") as f:
            f.write(f'[site]\ntitle = "Notes"\nurl = "https://blog.example.org"\n[posts]\ndir = "_posts"\n[digest]\nfrom = "Notes <notes@example.org>"\npostal_address = "Notes, 1 Example Street, Example"\n'
                    f'[smtp]\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nconnections = {connections}\n[outbox]\ncanary = "0s"\n[store]\nurl = "{store}"\n')
            if signed:
                f.write('[dkim]\nselector = "gz"\nkey_file = "key.pem"\n')
        if signed:
            subprocess.run(["openssl", "genrsa", "-out", f"{folder}/key.pem", "2048"], check=True, capture_output=True)
            os.chmod(f"{folder}/key.pem", 0o600)
        if people:
            with open(f"{folder}/people.csv", "w") as f:
                f.write("email,name\n")
                f.writelines(f"reader{n}@domain{n % 97}.example,Reader Number {n}\n" for n in range(people))
            run(folder, "subscribers", "import", "people.csv")

    def message(self):
        name = f"{self.folder}/message.eml"
        with open(name, "w") as f:
            f.write(run(self.folder, "digest", "preview", "2021-05", "--format", "eml"))
        return name


def sent(store, port, connections, signed, messages):
    """Messages a second, and memory."""
    blog = Blog(store, port, connections, signed, messages)
    run(blog.folder, "digest", "open", "2021-05", "--now")
    out, seconds, memory = measured(blog.folder, "outbox", "flush")
    if f"{messages} accepted" not in out:
        raise SystemExit(out)
    return messages / seconds, memory


def say(line):
    print(line, flush=True)


def stores(postgres):
    for name in given.stores.split(","):
        yield name, (lambda: "sqlite:gazetted.db") if name == "sqlite" else (lambda: os.environ.get("STORE") or postgres().fresh())


def bare_signer():
    blog = Blog("sqlite:gazetted.db", signed=True)
    message = blog.message()
    rates = {n: float(subprocess.run([wire_program(), "sign", f"{blog.folder}/key.pem", message, "4", str(n)], check=True, capture_output=True, text=True).stdout) for n in [1, 2]}
    say(f"the bare signer, RSA-2048, {os.path.getsize(message):,} bytes: {rates[1]:,.0f} a second on one thread, {rates[2]:,.0f} on two")
    return rates[2]


def into_the_sink(postgres, bare):
    for connections in map(int, given.connections.split(",")):
        with smtp_sink() as port:
            began = time.perf_counter()
            subprocess.run(["smtp-source", "-d", "-s", str(connections), "-m", str(MESSAGES), "-l", str(SIZE), f"127.0.0.1:{port}"], check=True)
            source = MESSAGES / (time.perf_counter() - began)
            say(f"smtp-source -d -s {connections}, {MESSAGES:,} of {SIZE:,} bytes: {source:,.0f} a second")
            for name, store in stores(postgres):
                for signed in [False, True]:
                    rate, memory = sent(store(), port, connections, signed, MESSAGES)
                    beside = f"{rate / source:.2f} of smtp-source"
                    beside += f", {rate / bare:.2f} of the bare signer (bar 0.45)" if signed and bare else "" if signed else " (bar 1.0)"
                    say(f"  gazetted, {name}, {'signed' if signed else 'unsigned'}: {rate:,.0f} a second = {beside}; {memory:.0f} MiB")


def far_away(postgres):
    for connections in map(int, given.connections.split(",")):
        with smtp_sink() as near:
            way = subprocess.Popen([wire_program(), "delay", str(near), str(ROUND_TRIP // 2)], stdout=subprocess.PIPE, text=True)
            try:
                port, blog = int(way.stdout.readline()), Blog("sqlite:gazetted.db")
                message = blog.message()
                lettre = float(subprocess.run([wire_program(), "lettre", str(port), str(given.far_messages // 4), str(connections), message], check=True, capture_output=True, text=True).stdout)
                say(f"{ROUND_TRIP} ms away, {connections} connections: lettre's transport {lettre:,.0f} a second")
                for name, store in stores(postgres):
                    for signed in [False, True]:
                        rate, memory = sent(store(), port, connections, signed, given.far_messages)
                        say(f"  gazetted, {name}, {'signed' if signed else 'unsigned'}: {rate:,.0f} a second = {rate / lettre:.2f} of it (bar 2); {memory:.0f} MiB")
            finally:
                way.terminate()
                way.wait()


def a_million(postgres):
    for name, store in stores(postgres):
        blog = Blog(store(), people=given.people)
        _, seconds, memory = measured(blog.folder, "digest", "open", "2021-05", "--now")
        waiting = json.loads(run(blog.folder, "digest", "list", "--json"))[0]["recipients"]
        if waiting != given.people:
            raise SystemExit(f"{waiting} deliveries instead of {given.people}")
        beside = f"; the server's own processes hold {postgres().memory():.0f} MiB" if name == "postgres" and not os.environ.get("STORE") else ""
        say(f"{given.people:,} deliveries opened, {name}: {seconds:.1f} s (bar 60), {memory:.0f} MiB (bar 64){beside}")


def main():
    started = []

    def postgres():
        if not started:
            started.append(Postgres())
        return started[0]

    parts = given.only.split(",")
    try:
        bare = bare_signer() if "signer" in parts or "sink" in parts else None
        if "sink" in parts:
            into_the_sink(postgres, bare)
        if "far" in parts:
            far_away(postgres)
        if "million" in parts:
            a_million(postgres)
    finally:
        for server in started:
            server.close()


if __name__ == "__main__":
    main()
