#!/usr/bin/env python3
"""Stops the daemons in every rude way while they send, starts them again, and counts what arrived.

    benches/kill.py GAZETTED [KILLS] [DELIVERIES] [CONNECTIONS]

NODES=3 runs three of them on one private PostgreSQL, each with a folder, a configuration and a port of its own (1: SQLite).
STORE=postgres://... names an (empty) database to use instead. MODE says how they are stopped, at random moments:

    KILL    SIGKILL. At most one message a connection of the killed node may come twice.
    TERM    SIGTERM. None may come twice, and the daemon is gone within 10 seconds.
    STOP    SIGSTOP for longer than the lease (STOPPED=75 seconds), then SIGCONT: the others have taken over, and the frozen node must not
            send what it held. At most one message a connection may come twice. Needs NODES=2 or more.

Whatever the mode: everybody gets the edition (lost 0), a message that comes twice has the same bytes and Message-ID both times, and with
KILL each is named in a log. Waits until what a dead node held has been recovered. Leaves with 1 if a bar is missed. Loopback only.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

from servers import Postgres, free_port

GAZETTED = os.path.abspath(sys.argv[1])
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 else 100
DELIVERIES = int(sys.argv[3]) if len(sys.argv) > 3 else 20_000
CONNECTIONS = int(sys.argv[4]) if len(sys.argv) > 4 else 8
NODES = int(os.environ.get("NODES", "1"))
MODE = os.environ.get("MODE", "KILL").upper()
STOPPED = float(os.environ.get("STOPPED", "75"))
# How long the last deliveries may take: what the dead held comes back when their leases have run out.
PATIENCE = float(os.environ.get("PATIENCE", "1800"))
STORE = os.environ.get("STORE", "")
# What a node says about a message that may have gone twice.
NAMED = ["was on the wire when its sender died", "in doubt:"]


class Sink:
    """Counts a message when its final dot has arrived; answers a little later, as servers do."""

    def __init__(self):
        self.seen, self.ready = {}, threading.Event()
        threading.Thread(target=lambda: asyncio.run(self.serve()), daemon=True).start()
        self.ready.wait()

    async def serve(self):
        server = await asyncio.start_server(self.talk, "127.0.0.1", 0, limit=1 << 20)
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        await server.serve_forever()

    async def talk(self, reader, writer):
        recipient = ""
        try:
            writer.write(b"220 sink ESMTP\r\n")
            while line := await reader.readline():
                verb = line[:4].upper()
                if verb == b"EHLO":
                    writer.write(b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
                elif verb == b"DATA":
                    writer.write(b"354 go on\r\n")
                    await writer.drain()
                    message = await reader.readuntil(b"\r\n.\r\n")
                    self.seen.setdefault(recipient, []).append(hashlib.sha256(message).hexdigest())
                    await asyncio.sleep(random.choice([0, 0.002, 0.02]))
                    writer.write(b"250 2.0.0 taken\r\n")
                elif verb == b"QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                else:
                    if verb == b"RCPT":
                        recipient = re.search(rb"<(.*)>", line).group(1).decode()
                    writer.write(b"250 ok\r\n")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            with contextlib.suppress(ConnectionError):
                writer.close()


class Node:
    """One daemon with a folder, a configuration and a port of its own."""

    def __init__(self, place, number, store, sink):
        self.folder = f"{place}/node{number}"
        os.makedirs(f"{self.folder}/_posts")
        with open(f"{self.folder}/_posts/2021-05-01-a.md", "w") as f:
            f.write("---\ntitle: A\n---\n" + "Text. " * 2_000)
        with open(f"{self.folder}/gazetted.toml", "w") as f:
            f.write(f'[site]\ntitle = "Notes"\nurl = "https://blog.example.org"\n[posts]\ndir = "_posts"\n[digest]\nenabled = false\nfrom = "Notes <n@example.org>"\npostal_address = "Notes, 1 Example Street, Example"\n'
                    f'[outbox]\non_doubt = "resend"\ncanary = "0s"\n[http]\nlisten = "127.0.0.1:{free_port()}"\n[store]\nurl = "{store}"\n'
                    f'[smtp]\nhost = "127.0.0.1"\nport = {sink.port}\ntls = "none"\nconnections = {CONNECTIONS}\n')
        self.process = None

    def run(self, *arguments):
        return subprocess.run([GAZETTED, *arguments], cwd=self.folder, check=True, capture_output=True, text=True).stdout

    def start(self):
        if not self.process:
            with open(f"{self.folder}/log", "a") as log:
                self.process = subprocess.Popen([GAZETTED, "run"], cwd=self.folder, stderr=log, stdout=log)

    def end(self, how):
        """How long it took."""
        began = time.monotonic()
        self.process.send_signal(how)
        self.process.wait()
        self.process = None
        return time.monotonic() - began

    def named(self):
        with open(f"{self.folder}/log") as f:
            text = f.read()
        return sum(text.count(words) for words in NAMED)


def until(condition, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.005)
    return False


class Trial:
    def __init__(self, place, store):
        self.dice, self.sink = random.Random(), Sink()
        self.nodes = [Node(place, n, store, self.sink) for n in range(NODES)]
        self.longest = 0.0
        with open(f"{self.nodes[0].folder}/people.csv", "w") as f:
            f.write("email\n" + "".join(f"reader{n}@example.org\n" for n in range(DELIVERIES)))
        self.nodes[0].run("subscribers", "import", "people.csv")
        self.nodes[0].run("digest", "open", "2021-05", "--now")

    def arrived(self):
        return len(self.sink.seen)

    def stop_one(self):
        node = self.dice.choice(self.nodes)
        if MODE == "STOP":
            node.process.send_signal(signal.SIGSTOP)
            time.sleep(STOPPED)
            node.process.send_signal(signal.SIGCONT)
        else:
            self.longest = max(self.longest, node.end(signal.SIGTERM if MODE == "TERM" else signal.SIGKILL))

    def go(self):
        kills = 0
        while kills < KILLS and self.arrived() < DELIVERIES:
            for node in self.nodes:
                node.start()
            # From the first message on, so that a kill hits daemons that send.
            before = self.arrived()
            until(lambda: self.arrived() > before, 20)
            time.sleep(self.dice.uniform(0, 0.3))
            if self.arrived() < DELIVERIES:
                self.stop_one()
                kills += 1
        for node in self.nodes:
            node.start()
        until(self.is_done, PATIENCE)
        for node in self.nodes:
            node.end(signal.SIGTERM)
        return kills

    def is_done(self):
        counts = json.loads(self.nodes[0].run("outbox", "--json"))
        waiting = sum(counts.get(state, 0) for state in ["queued", "claimed", "in_data", "deferred"])
        time.sleep(0.5)
        return waiting == 0

    def verdict(self, kills):
        copies = list(self.sink.seen.values())
        lost, twice = DELIVERIES - len(copies), sum(len(c) - 1 for c in copies)
        different = sum(len(set(c)) > 1 for c in copies)
        named, most = sum(node.named() for node in self.nodes), 0 if MODE == "TERM" else kills * CONNECTIONS
        print(f"{MODE}: {kills} times over {DELIVERIES:,} deliveries, {NODES} node(s) of {CONNECTIONS} connections: lost {lost}, twice {twice} (at most {most}; "
              f"{twice / max(kills, 1):.1f} each time), in doubt and named {named}, not the same bytes {different}"
              + (f"; gone after {self.longest:.1f} s at most (10)" if MODE == "TERM" else ""))
        unnamed = MODE == "KILL" and twice > named
        return lost > 0 or different > 0 or twice > most or unnamed or (MODE == "TERM" and self.longest > 10)


def main():
    if NODES > 1 and STORE.startswith("sqlite"):
        raise SystemExit("several nodes need PostgreSQL")
    postgres = Postgres() if NODES > 1 and not STORE else None
    try:
        with tempfile.TemporaryDirectory() as place:
            trial = Trial(place, STORE or (postgres.fresh() if postgres else "sqlite:gazetted.db"))
            try:
                bad = trial.verdict(trial.go())
            finally:
                for node in trial.nodes:
                    if node.process:
                        node.process.kill()
    finally:
        if postgres:
            postgres.close()
    sys.exit(bad)


if __name__ == "__main__":
    main()
