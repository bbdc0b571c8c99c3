#!/usr/bin/env python3
"""How long a saved post takes to stand in the feed of a running daemon.

  benches/save-to-feed.py GAZETTED BLOG [ROUNDS]

BLOG is a folder with gazetted.toml and _posts, as benches/posts.py makes it. The newest post is saved ROUNDS times (truncate,
write, close, as most editors do), and feed.xml is looked at every millisecond until it has the new text.
"""
import pathlib, statistics, subprocess, sys, time

program, blog = sys.argv[1], pathlib.Path(sys.argv[2])
rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 15
newest = sorted((blog / "_posts").glob("*.md"))[-1]
original = newest.read_text()
feed = blog / "public" / "feed.xml"
daemon = subprocess.Popen([program, "--config", str(blog / "gazetted.toml"), "-q", "run", "--listen", "127.0.0.1:0"])
try:
    subprocess.run([program, "--config", str(blog / "gazetted.toml"), "-q", "posts"], stdout=subprocess.DEVNULL, check=True)
    time.sleep(8)  # the daemon has read everything and is waiting
    took = []
    for number in range(rounds):
        mark = f"saved-{time.time_ns()}"
        newest.write_text(original + f"\n\n{mark}\n")
        start = time.monotonic()
        while mark not in feed.read_text():
            if time.monotonic() - start > 30:
                sys.exit("the post never came")
            time.sleep(0.001)
        took.append((time.monotonic() - start) * 1000)
        time.sleep(0.3)
    peak = next(line for line in open(f"/proc/{daemon.pid}/status") if line.startswith("VmHWM")).split()[1]
    print(f"saved to feed: median {statistics.median(took):.0f} ms, best {min(took):.0f}, worst {max(took):.0f}, {rounds} saves;"
          f" daemon's peak memory {int(peak) // 1024} MiB")
finally:
    daemon.terminate()
    daemon.wait()
    newest.write_text(original)
