#!/usr/bin/env python3
"""Joining under load: how many sign-ups a second are held with the limits on, whether the time of an answer tells if an
address is known, and what floods come to.

    benches/subscribe.py GAZETTED [REQUESTS]

Starts the given program on a blog and a store of its own (SQLite, messages as files), on a free loopback port, and stops
it again. Networks are told apart by X-Forwarded-For, as a proxy on the same machine would send it.
"""

import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

GAZETTED = os.path.abspath(sys.argv[1])
REQUESTS = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
STATES = ["unknown", "pending", "active", "unsubscribed", "suppressed", "erased"]
CONFIG = """[site]
title = "A blog"
url = "https://blog.example.org"
[posts]
dir = "_posts"
[http]
listen = "127.0.0.1:{port}"
[subscribers]
{more}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Daemon:
    def __init__(self, more=""):
        self.dir = tempfile.TemporaryDirectory()
        self.port = free_port()
        os.mkdir(self.path("_posts"))
        with open(self.path("gazetted.toml"), "w") as f:
            f.write(CONFIG.format(port=self.port, more=more))
        with open(self.path("_posts/2021-05-01-a.md"), "w") as f:
            f.write("---\ntitle: A\n---\nText.\n")

    def path(self, name):
        return os.path.join(self.dir.name, name)

    def command(self, *arguments):
        done = subprocess.run([GAZETTED, *arguments], cwd=self.dir.name, capture_output=True, text=True, check=True)
        return done.stdout

    def __enter__(self):
        self.log = open(self.path("log"), "w")
        self.process = subprocess.Popen([GAZETTED, "run"], cwd=self.dir.name, stderr=self.log)
        for _ in range(500):
            try:
                if Client(self.port).get("/readyz")[0] == 200:
                    return self
            except OSError:
                pass
            time.sleep(0.02)
        raise SystemExit(open(self.path("log")).read())

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()
        self.dir.cleanup()

    def outbox(self):
        return sum(json.loads(self.command("outbox", "--json")).values())


class Client:
    """One connection that is kept."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def get(self, path):
        return self.ask(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    def post(self, email, network):
        body = f"email={urllib.parse.quote(email)}"
        head = (
            f"POST /subscribe HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {network}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return self.ask((head + body).encode())

    def ask(self, request):
        self.socket.sendall(request)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.file.readline()
            if not line:
                raise OSError("closed")
            head += line
        length = int(re.search(rb"content-length: (\d+)", head, re.I).group(1))
        body = self.file.read(length)
        head = re.sub(rb"date: [^\r]*\r\n", b"", head, flags=re.I)
        return int(head.split()[1]), head, body


def network(n):
    return f"{11 + n // 65536 % 200}.{n // 256 % 256}.{n % 256}.9"


def in_threads(port, threads, jobs):
    """Runs (email, network) jobs over kept connections; gives the answers' statuses by number and the seconds."""
    counts, lock = {}, threading.Lock()

    def work(mine):
        client, own = Client(port), {}
        for email, net in mine:
            status, _, _ = client.post(email, net)
            own[status] = own.get(status, 0) + 1
        with lock:
            for status, n in own.items():
                counts[status] = counts.get(status, 0) + n

    workers = [threading.Thread(target=work, args=(jobs[i::threads],)) for i in range(threads)]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return counts, time.perf_counter() - began


def settled(daemon):
    before = -1
    while (now := daemon.outbox()) != before:
        before = now
        time.sleep(3)
    return now


def mann_whitney(a, b):
    """Two-sided p, by the normal approximation."""
    ranked = sorted([(x, 0) for x in a] + [(x, 1) for x in b])
    ranks = sum(rank for rank, (_, which) in enumerate(ranked, 1) if which == 0)
    n, m = len(a), len(b)
    u = ranks - n * (n + 1) / 2
    z = abs(u - n * m / 2) / (n * m * (n + m + 1) / 12) ** 0.5
    return 2 * (1 - statistics.NormalDist().cdf(z))


def rate():
    with Daemon() as daemon:
        jobs = [(f"reader{n}@domain{n % 500}.example", network(n)) for n in range(REQUESTS)]
        counts, seconds = in_threads(daemon.port, 64, jobs)
        mails = settled(daemon)
        print(f"sign-ups held, limits on: {REQUESTS / seconds:,.0f} a second (64 connections, answers {counts}), {mails} mails queued (limit 1,000 an hour)")


def floods():
    for what, jobs in [
        ("one mailbox, many networks and spellings", [(f"victim+{n}@example.org", network(n)) for n in range(REQUESTS)]),
        ("one network, many mailboxes", [(f"r{n}@d{n % 100}.example", f"203.0.113.{n % 250}") for n in range(REQUESTS)]),
        ("one domain, many networks", [(f"r{n}@target.example", network(n)) for n in range(REQUESTS)]),
    ]:
        with Daemon() as daemon:
            counts, seconds = in_threads(daemon.port, 8, jobs)
            print(f"flood, {what}: {REQUESTS:,} requests in {seconds:.1f} s, answers {counts}, mails queued: {settled(daemon)}")


def timing():
    more = "\n".join(f"{key} = 1000000000" for key in ["network_an_hour", "domain_an_hour", "total_an_hour", "total_a_day"])
    with Daemon(more) as daemon:
        for name in ["active", "unsubscribed", "suppressed", "erased"]:
            daemon.command("subscribers", "add", f"{name}@example.org")
        daemon.command("subscribers", "remove", "unsubscribed@example.org")
        daemon.command("subscribers", "erase", "erased@example.org")
        with open(daemon.path("dead.csv"), "w") as f:
            f.write("uuid,email,name,attributes,status,created_at,updated_at\nu,suppressed@example.org,,{},blocklisted,,\n")
        daemon.command("subscribers", "import", "dead.csv", "--format", "listmonk")
        client, times, answers = Client(daemon.port), {s: [] for s in STATES}, set()
        client.post("pending@example.org", network(0))
        time.sleep(3)
        for n in range(2_000):
            for state in random.sample(STATES, len(STATES)):
                email = f"unknown{n}@example.org" if state == "unknown" else f"{state}@example.org"
                began = time.perf_counter()
                status, head, body = client.post(email, network(n))
                times[state].append(time.perf_counter() - began)
                answers.add((status, head, body))
        print(f"time of an answer, 2,000 each, interleaved; different answers: {len(answers)}")
        unknown = times["unknown"]
        for state in STATES:
            p = mann_whitney(unknown, times[state]) if state != "unknown" else 1.0
            median = statistics.median(times[state]) * 1e6
            print(f"  {state:<13} median {median:7.1f} µs, {median - statistics.median(unknown) * 1e6:+6.1f} µs, p = {p:.3f}")


PAYLOADS = [
    "<script>alert(1)</script>", "javascript:alert(1)", "' OR 1=1 --", "\r\nBcc: all@example.org", "%0d%0aSet-Cookie: a=b",
    "../../../../etc/passwd", "..%2f..%2fgazetted.db", "{{7*7}}", "{% include 'x' %}", "${jndi:ldap://127.0.0.1/a}", "\x00", "\x1b[31m",
    "\u202egnp.exe", "a" * 5_000, "=cmd|' /C calc'!A0", "ann@example.org>\r\nRCPT TO:<b@example.org", "\"quoted local\"@example.org",
    "x@xn--bcher-kva.example", "x@bücher.example", "%", "%zz", "%ff%fe", "ﬀ", "0", "-1", "1e309", "null", "[]", "{}",
]
FIELDS = ["email", "name", "language", "website", "act", "frequency", "tag", "author", "pause", "sure", "List-Unsubscribe", "next"]
ROUTES = ["/", "/subscribe", "/confirm/", "/unsubscribe/", "/preferences/", "/editions/", "/goal", "/feed.xml", "/readyz", "/.well-known/feeds"]
TYPES = ["application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=b", "text/xml", "", "a/b; c=\"d"]


def hostile_request(dice):
    path = dice.choice(ROUTES)
    if path.endswith("/"):
        path += dice.choice([urllib.parse.quote(dice.choice(PAYLOADS), safe="%"), "".join(dice.choices("ABCabc019-_", k=dice.choice([35, 46, 52, 56])))])
    if dice.random() < 0.3:
        path += "?" + urllib.parse.quote(dice.choice(PAYLOADS), safe="=&%")
    fields = {dice.choice(FIELDS): dice.choice(PAYLOADS) for _ in range(dice.randrange(5))}
    kind = dice.choice(TYPES)
    if kind.startswith("application/json"):
        body = json.dumps(fields)[: dice.choice([1, 20, 10_000])]
    elif kind.startswith("multipart"):
        body = "".join(f"--b\r\nContent-Disposition: form-data; name=\"{k}\"\r\n\r\n{v}\r\n" for k, v in fields.items()) + "--b--"
    else:
        body = urllib.parse.urlencode(fields)
    body = body.encode("utf-8", "surrogatepass")
    method = dice.choice(["GET", "POST", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"])
    header = dice.choice(["X-Forwarded-For: 1.2.3.4, x", "Origin: https://evil.example", "Accept: application/json", "Cookie: a=b", "Host: evil.example"])
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode("ascii", "replace") + body


def hostile():
    dice, counts = random.Random(1), {}
    with Daemon() as daemon:
        daemon.command("subscribers", "add", "ann@example.org")
        for _ in range(REQUESTS):
            with socket.create_connection(("127.0.0.1", daemon.port)) as s:
                s.sendall(hostile_request(dice))
                answer = b""
                while part := s.recv(65536):
                    answer += part
            status = answer.split(b" ", 2)[1].decode() if answer.startswith(b"HTTP/") else "none"
            counts[status] = counts.get(status, 0) + 1
        settled(daemon)
        people = json.loads(daemon.command("subscribers", "list", "--json"))
        others = [p["email"] for p in people if p["state"] != "pending"]
        print(f"hostile requests: {REQUESTS:,}, answers {dict(sorted(counts.items()))}; active afterwards: {others}; asked: {[p['email'] for p in people if p['state'] == 'pending']}")


if __name__ == "__main__":
    hostile()
    rate()
    floods()
    timing()
