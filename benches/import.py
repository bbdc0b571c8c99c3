#!/usr/bin/env python3
"""What an import of many people takes: seconds, rows a second, and peak memory.

  benches/import.py GAZETTED ROWS [--store URL] [--format mailchimp|csv]

Makes a list of ROWS made-up people in a temporary folder, imports it into an empty store (SQLite in that folder, or the
PostgreSQL database of URL, which must be empty), then once more (nothing may change), and exports it as CSV and JSON.
"""
import argparse, os, pathlib, subprocess, sys, tempfile, time

MAILCHIMP = ("Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,"
             "GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS\n")


def people(path, rows, form):
    with open(path, "w") as out:
        out.write(MAILCHIMP if form == "mailchimp" else "email,name\n")
        for n in range(rows):
            # In no order, as real lists are.
            who = n * 2654435761 % 4294967296
            if form == "csv":
                out.write(f"reader{who}@town{n % 977}.example.org,Reader {n}\n")
                continue
            day = f"20{10 + n % 14}-{1 + n % 12:02}-{1 + n % 28:02} {n % 24:02}:{n % 60:02}:00"
            out.write(f"reader{who}@town{n % 977}.example.org,Reader,{n},2,{day},203.0.113.{n % 256},{day},203.0.113.{n % 256},"
                      f",,,,,NO,,{day},{n},{who:08x},,\"\"\"a, b\"\"\"\n")


def measured(what, rows, command, out=subprocess.DEVNULL):
    """Runs a command in a process of its own, so that its peak memory is its own."""
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=out)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = status
    took = time.monotonic() - start
    if status:
        sys.exit(f"{what}: failed ({status})")
    print(f"{what:18} {took:8.2f} s  {rows / took:10.0f} rows/s  {used.ru_maxrss / 1024:7.1f} MiB at most"
          f"  {used.ru_utime + used.ru_stime:7.2f} s of CPU", flush=True)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("gazetted")
    options.add_argument("rows", type=int)
    options.add_argument("--store")
    options.add_argument("--format", default="mailchimp", choices=["mailchimp", "csv"])
    given = options.parse_args()
    program = str(pathlib.Path(given.gazetted).resolve())
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        store = given.store or f"sqlite:{folder}/gazetted.db"
        (folder / "_posts").mkdir()
        (folder / "gazetted.toml").write_text(
            f'[site]\ntitle = "Notes"\nurl = "https://blog.example.org"\n[posts]\ndir = "_posts"\n[store]\nurl = "{store}"\n')
        people(folder / "list.csv", given.rows, given.format)
        size = (folder / "list.csv").stat().st_size
        print(f"{given.rows} rows, {size / 1e6:.0f} MB, {given.format}, {store.split(':')[0]}", flush=True)
        command = [program, "--config", str(folder / "gazetted.toml"), "subscribers"]
        measured("dry run", given.rows, [*command, "import", "--dry-run", str(folder / "list.csv")])
        for what in ["import", "the same again"]:
            with open(folder / "said", "w+") as said:
                measured(what, given.rows, [*command, "import", str(folder / "list.csv")], said)
                said.seek(0)
                print(f"    {said.read().splitlines()[-1]}", flush=True)
        measured("export, CSV", given.rows, [*command, "export"])
        measured("export, JSON", given.rows, [*command, "export", "--json"])


main()
