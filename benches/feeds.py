#!/usr/bin/env python3
"""Feeds of a large blog: cold, unchanged, and one saved post.

  cargo build --release --bench markdown
  benches/feeds.py GAZETTED MARKDOWN [--posts 10000] [--rounds 3] [--source FOLDER]

GAZETTED is the program, MARKDOWN what the first command builds (target/release/deps/markdown-...): it reads and renders the
same files with pulldown-cmark alone, on as many threads. The blog is made from a folder of real posts (default: the demo's)
by benches/posts.py; each post then gets one of 60 authors and one of 40 tags, in all three formats, with archives.
Every ratio is of one run; the rounds alternate.
"""
import argparse, os, pathlib, re, shutil, statistics, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).resolve().parent
CONFIG = """\
[site]
title = "Bench"
url = "https://blog.example.org"
[posts]
dir = "_posts"
"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gazetted", type=pathlib.Path)
    parser.add_argument("markdown", type=pathlib.Path)
    parser.add_argument("--posts", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--saves", type=int, default=15)
    parser.add_argument("--source", type=pathlib.Path, default=HERE.parent / "src/cli/demo_posts")
    return parser.parse_args()


def make(source, count, blog):
    subprocess.run([sys.executable, HERE / "posts.py", source, str(count), blog], check=True)
    (blog / "gazetted.toml").write_text(CONFIG)
    for number, path in enumerate(sorted((blog / "_posts").glob("*.md"))):
        front, body = path.read_text().split("\n---\n", 1)
        kept, dropping = [], False
        for line in front.splitlines():
            if re.match(r"[\w-]+\s*:", line):
                dropping = bool(re.match(r"(tags?|authors?|categor\w+)\s*:", line))
            if not dropping:
                kept.append(line)
        kept += [f"tags: [tag {number % 40}]", f"author: Author {number % 60}"]
        path.write_text("\n".join(kept) + "\n---\n" + body)


def timed(command, cwd):
    """Wall and CPU seconds, and the peak of memory in MiB."""
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    if status:
        sys.exit(f"{command} failed")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def clean(blog):
    shutil.rmtree(blog / "public", ignore_errors=True)
    for file in blog.glob("gazetted.db*"):
        file.unlink()


def builds(given, blog):
    build = [given.gazetted, "-q", "build"]
    kinds = {"markdown": [], "cold": [], "unchanged": []}
    for _ in range(given.rounds + 1):
        kinds["markdown"].append(timed([given.markdown, str(blog / "_posts")], blog))
        clean(blog)
        kinds["cold"].append(timed(build, blog))
        kinds["unchanged"].append(timed(build, blog))
    for name, runs in kinds.items():
        wall, cpu, memory = (statistics.median(column) for column in zip(*runs[1:]))
        print(f"{name:10} {wall * 1000:7.0f} ms wall, {cpu * 1000:7.0f} ms CPU, {memory:6.0f} MiB")
    median = {name: statistics.median(run[0] for run in runs[1:]) for name, runs in kinds.items()}
    files = sum(1 for path in (blog / "public").rglob("*") if path.is_file())
    size = sum(path.stat().st_size for path in (blog / "public").rglob("*") if path.is_file())
    print(f"cold / markdown: {median['cold'] / median['markdown']:.2f}; unchanged / cold: {median['unchanged'] / median['cold']:.3f};"
          f" {files} files, {size / 1e6:.0f} MB")


def state(blog):
    return {str(p.relative_to(blog)): (p.stat().st_mtime_ns, p.stat().st_ino) for p in (blog / "public").rglob("*")
            if p.is_file() and not p.name.endswith("-tmp")}


def resident(memory):
    """What is the process's own, and the program's file as far as it was read, which is everybody's."""
    own, file, all_, peak = (int(memory[key].split()[0]) // 1024 for key in ("RssAnon", "RssFile", "VmRSS", "VmHWM"))
    return f"resident {all_} MiB ({own} its own, {file} of the program's file), peak {peak}"


def saves(given, blog):
    """From a save until every feed that has the post has its new text, and what else was rewritten."""
    daemon = subprocess.Popen([given.gazetted, "-q", "run", "--listen", "127.0.0.1:0"], cwd=blog)
    try:
        time.sleep(8)  # it has read everything, and waits
        newest = sorted((blog / "_posts").glob("*.md"))[-1]
        original = newest.read_text()
        slug = newest.stem[len("2026-01-01-"):] + ".html"
        touched = [p for p in (blog / "public").rglob("*") if p.suffix in {".xml", ".json"} and slug in p.read_text()]
        took = []
        for _ in range(given.saves):
            mark, before = f"saved-{time.time_ns()}", state(blog)
            newest.write_text(original + f"\n\n{mark}\n")
            start, left = time.monotonic(), list(touched)
            while left:
                # Files are put in place whole: only a new one has to be read. A loop that never rests would take a core from what it measures.
                time.sleep(0.0005)
                new = [path for path in left if path.stat().st_ino != before[str(path.relative_to(blog))][1]]
                left = [path for path in left if path not in new or mark not in path.read_text()]
                if time.monotonic() - start > 30:
                    sys.exit(f"the post never came to {left}")
            took.append((time.monotonic() - start) * 1000)
            time.sleep(0.4)
            after = state(blog)
            rewritten = {name for name in after if after[name] != before.get(name)}
            expected = {str(path.relative_to(blog)) for path in touched}
            if rewritten != expected:
                sys.exit(f"rewritten: {sorted(rewritten)}; expected: {sorted(expected)}")
        memory = dict(line.split(":", 1) for line in open(f"/proc/{daemon.pid}/status") if line.startswith(("Vm", "Rss")))
        print(f"saved to all of {len(touched)} feeds: median {statistics.median(took):.0f} ms, best {min(took):.0f}, worst {max(took):.0f};"
              f" nothing else rewritten; {resident(memory)}")
        newest.write_text(original)
    finally:
        daemon.terminate()
        daemon.wait()


def main():
    given = arguments()
    given.gazetted, given.markdown = given.gazetted.resolve(), given.markdown.resolve()
    with tempfile.TemporaryDirectory() as folder:
        blog = pathlib.Path(folder) / "blog"
        make(given.source, given.posts, blog)
        builds(given, blog)
        saves(given, blog)


if __name__ == "__main__":
    main()
