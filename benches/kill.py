#!/usr/bin/env python3
"""Kills the daemon at random moments while it sends, starts it again, and counts what arrived.

    benches/kill.py GAZETTED [KILLS] [DELIVERIES] [CONNECTIONS]

Every recipient must get the edition (lost 0), and at most one message a connection may come twice for each kill, with the same
Message-ID and bytes. Leaves with 1 otherwise. STORE=postgres://... for that (empty) database instead of SQLite. Loopback only.
"""

import asyncio
import hashlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

GAZETTED = os.path.abspath(sys.argv[1])
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 else 100
DELIVERIES = int(sys.argv[3]) if len(sys.argv) > 3 else 20_000
CONNECTIONS = int(sys.argv[4]) if len(sys.argv) > 4 else 8
STORE = os.environ.get("STORE", "")


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
            writer.close()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def main():
    dice, sink = random.Random(), Sink()
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/_posts")
        with open(f"{folder}/_posts/2021-05-01-a.md", "w") as f:
            f.write("---\ntitle: A\n---\n" + "Text. " * 2_000)
        with open(f"{folder}/gazetted.toml", "w") as f:
            f.write(f'[site]\ntitle = "Notes"\nurl = "https://blog.example.org"\n[posts]\ndir = "_posts"\n[digest]\nenabled = false\nfrom = "Notes <n@example.org>"\n'
                    f'[outbox]\non_doubt = "resend"\n[http]\nlisten = "127.0.0.1:{free_port()}"\n[smtp]\nhost = "127.0.0.1"\nport = {sink.port}\ntls = "none"\nconnections = {CONNECTIONS}\n')
            if STORE:
                f.write(f'[store]\nurl = "{STORE}"\n')
        with open(f"{folder}/people.csv", "w") as f:
            f.write("email\n" + "".join(f"reader{n}@example.org\n" for n in range(DELIVERIES)))
        run = lambda *a: subprocess.run([GAZETTED, *a], cwd=folder, check=True, capture_output=True, text=True).stdout
        run("subscribers", "import", "people.csv")
        run("digest", "open", "2021-05", "--now")
        kills, doubtful = 0, 0
        log = open(f"{folder}/log", "w+")
        while True:
            daemon = subprocess.Popen([GAZETTED, "run"], cwd=folder, stderr=log)
            began, before = time.monotonic(), len(sink.seen)
            # From the first message on, so that a kill hits a daemon that sends.
            while len(sink.seen) == before and time.monotonic() - began < 20 and len(sink.seen) < DELIVERIES:
                time.sleep(0.005)
            if kills < KILLS and len(sink.seen) < DELIVERIES:
                time.sleep(dice.uniform(0, 0.3))
                daemon.kill()
                daemon.wait()
                kills += 1
                continue
            while '"queued": 0' not in (counts := run("outbox", "--json")) or '"in_data": 0' not in counts or '"claimed": 0' not in counts:
                time.sleep(0.5)
            daemon.send_signal(signal.SIGTERM)
            daemon.wait()
            break
        log.seek(0)
        doubtful = log.read().count("was on the wire when its sender died")
    lost = DELIVERIES - len(sink.seen)
    twice = sum(len(copies) - 1 for copies in sink.seen.values())
    different = sum(len(set(copies)) > 1 for copies in sink.seen.values())
    print(f"{kills} kills over {DELIVERIES:,} deliveries, {CONNECTIONS} connections: lost {lost}, twice {twice} (at most {kills * CONNECTIONS}; "
          f"{twice / max(kills, 1):.1f} a kill), in doubt and named {doubtful}, not the same bytes {different}")
    sys.exit(lost > 0 or different > 0 or twice > kills * CONNECTIONS or twice > doubtful)


if __name__ == "__main__":
    main()
