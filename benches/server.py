#!/usr/bin/env python3
"""The feed server beside Debian's nginx on the same files, in one run: benches/server.py GAZETTED [POSTS] [ROUNDS]

A blog of POSTS posts (10,000), 40 tags, 60 authors, three formats; wrk with 64 connections in turn on each server: 200 with
gzip, and 304. nginx is asked twice, as it comes (`gzip_static`, files compressed beforehand), and with `open_file_cache`. Then what
the daemon takes in memory before and after every feed was asked for in each form, and 10,000 connections at a time.

Everything is in a temporary folder, on free ports of the loopback; what is missing is installed (Debian, as root).
"""

import asyncio
import os
import pathlib
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
import posts  # noqa: E402

GAZETTED = os.path.abspath(sys.argv[1])
POSTS = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 5
SECONDS = 4
CONNECTIONS = 10_000
TAGS, AUTHORS = 40, 60

CONFIG = """[site]
title = "Bench"
url = "https://blog.example.org"
[posts]
dir = "_posts"
[feeds]
formats = ["rss", "atom", "json"]
tags = true
authors = true
limit = {limit}
[http]
listen = "127.0.0.1:{port}"
"""

NGINX = """worker_processes auto; daemon off; pid {folder}/pid; error_log {folder}/error;
worker_rlimit_nofile 30000;
events {{ worker_connections 15000; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; keepalive_timeout 75;
  types {{ application/rss+xml xml; application/feed+json json; }}
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3; uwsgi_temp_path {folder}/4;
  scgi_temp_path {folder}/5; gzip_static on; gzip_vary on;
  server {{ listen 127.0.0.1:{plain} backlog=4096; root {root}; }}
  server {{ listen 127.0.0.1:{cached} backlog=4096; root {root}; open_file_cache max=10000 inactive=1h; }}
}}
"""


def install():
    missing = [name for name in ("nginx", "wrk") if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")]
    if missing:
        names = ["nginx-light" if name == "nginx" else name for name in missing]
        if os.geteuid() != 0:
            raise SystemExit(f"missing: {' '.join(missing)} (Debian: sudo apt-get install {' '.join(names)})")
        subprocess.run(["apt-get", "-q", "-y", "--no-install-recommends", "install", *names], check=True)
    os.environ["PATH"] += ":/usr/sbin"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def make_blog(folder, port):
    source = HERE.parent / "../shared/corpus/dask-blog/_posts"
    posts.make(source if source.is_dir() else HERE.parent / "src/cli/demo_posts", POSTS, folder, "jekyll")
    for number, path in enumerate(sorted((folder / "_posts").iterdir())):
        lines, body = posts.split(path.read_text())
        lines = posts.without(lines, {"tags", "author", "authors", "category", "categories"})
        lines += [f'tags: ["tag {number % TAGS}", "tag {(number * 7 + 3) % TAGS}"]', f"author: Author {number % AUTHORS}"]
        path.write_text("---\n" + "\n".join(lines) + "\n---\n" + body)
    (folder / "gazetted.toml").write_text(CONFIG.format(port=port, limit=15))


def fetch(port, path, headers):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.headers, answer.read()


def wrk(port, headers):
    given = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    done = subprocess.run(
        ["wrk", "-t2", "-c64", f"-d{SECONDS}s", *given, f"http://127.0.0.1:{port}/feed.xml"],
        capture_output=True, text=True, check=True,
    ).stdout
    failed = re.findall(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", done)
    return float(re.search(r"Requests/sec:\s*([\d.]+)", done).group(1)), failed


def memory(process):
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return {name: int(re.search(rf"{name}:\s*(\d+)", text).group(1)) / 1024 for name in ("VmRSS", "VmHWM", "RssFile")}


def told(when, process):
    now = memory(process)
    print(f"memory {when}: {now['VmRSS']:.1f} MB resident ({now['RssFile']:.1f} MB of it the program's own file)", flush=True)


def until_served(port, process):
    for _ in range(1200):
        assert process.poll() is None, "the daemon ended"
        try:
            return fetch(port, "feed.xml", {})
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the daemon serves nothing")


def compare(ports):
    rates, errors = {}, 0
    tags = {name: fetch(port, "feed.xml", {"Accept-Encoding": "gzip"})[0]["ETag"] for name, port in ports.items()}
    for round_ in range(ROUNDS + 1):
        for name, port in ports.items():
            for case, headers in (("200", {}), ("304", {"If-None-Match": tags[name]})):
                rate, failed = wrk(port, {"Accept-Encoding": "gzip", **headers})
                errors += len(failed)
                if round_:
                    rates.setdefault((name, case), []).append(rate)
    for case in ("200", "304"):
        for other in ("nginx", "nginx-cached"):
            both = zip(rates["gazetted", case], rates[other, case])
            ratios = sorted(ours / theirs for ours, theirs in both)
            mine, its = (statistics.median(rates[name, case]) for name in ("gazetted", other))
            print(
                f"{case} beside {other}: {mine:,.0f} to {its:,.0f} requests/s, ratio {statistics.median(ratios):.2f}"
                f" ({ratios[0]:.2f} to {ratios[-1]:.2f})",
                flush=True,
            )
    print(f"errors: {errors}", flush=True)


async def one_of_many(port, ready, go, failures):
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(b"GET /feed.xml HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\r\n")
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
            if not head.startswith(b"HTTP/1.1 304"):
                failures.append(head[:40])
            ready.release()
            await go.wait()
        writer.close()
    except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError) as error:
        failures.append(repr(error))
        ready.release()


async def many(port, process):
    """All are open, and each has been answered, before any is answered again."""
    ready, go, failures, began = asyncio.Semaphore(0), asyncio.Event(), [], time.monotonic()
    tasks = []
    for number in range(CONNECTIONS):
        tasks.append(asyncio.create_task(one_of_many(port, ready, go, failures)))
        if number % 200 == 199:
            await asyncio.sleep(0)
    for _ in range(CONNECTIONS):
        await ready.acquire()
    files = len(os.listdir(f"/proc/{process.pid}/fd"))
    print(f"{CONNECTIONS:,} connections: all answered after {time.monotonic() - began:.1f} s, {files:,} files open", flush=True)
    told(f"with {CONNECTIONS:,} connections open", process)
    go.set()
    await asyncio.gather(*tasks)
    print(f"errors under {CONNECTIONS:,} connections: {len(failures)} {failures[:3]}", flush=True)


def main():
    install()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 30_000) if most > 0 else 30_000, most))
    work = pathlib.Path(tempfile.mkdtemp(prefix="gazetted-server-"))
    ports = {"gazetted": free_port(), "nginx": free_port(), "nginx-cached": free_port()}
    running = []
    try:
        blog = work / "blog"
        make_blog(blog, ports["gazetted"])
        began = time.monotonic()
        subprocess.run([GAZETTED, "-q", "build"], cwd=blog, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        print(f"{POSTS:,} posts built in {time.monotonic() - began:.1f} s", flush=True)
        public = blog / "public"
        feeds = [str(path.relative_to(public)) for path in public.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in public.rglob("*") if path.is_file())
        print(f"{len(feeds)} files, {size / 1e6:.0f} MB", flush=True)
        root = work / "root"
        root.mkdir()
        shutil.copy2(public / "feed.xml", root)
        subprocess.run(["gzip", "-9k", root / "feed.xml"], check=True)
        (work / "nginx").mkdir()
        os.chmod(work, 0o755)
        conf = work / "nginx/conf"
        conf.write_text(NGINX.format(folder=work / "nginx", root=root, plain=ports["nginx"], cached=ports["nginx-cached"]))
        running.append(subprocess.Popen(["nginx", "-c", conf, "-p", work / "nginx", "-e", work / "nginx/error"]))
        with open(work / "log", "w") as log:
            daemon = subprocess.Popen([GAZETTED, "run"], cwd=blog, stdout=log, stderr=log)
        running.append(daemon)
        until_served(ports["gazetted"], daemon)
        time.sleep(5)
        told("after the start", daemon)
        compare(ports)
        told("after the comparison", daemon)
        asyncio.run(many(ports["gazetted"], daemon))
        main_feeds = [feed for feed in feeds if not feed.startswith("archive/")]
        for encoding in ("gzip", "br", "zstd", "identity"):
            for feed in main_feeds:
                fetch(ports["gazetted"], feed, {"Accept-Encoding": encoding})
        time.sleep(10)
        told(f"after {len(main_feeds)} feeds were asked for in four forms", daemon)
    finally:
        for process in running:
            process.terminate()
            process.wait()
        shutil.rmtree(work, ignore_errors=True)


main()
