"""Verifies DKIM signatures with dkimpy: `verify.py FOLDER RECORDS`.

Every message of the folder must verify by each of its signatures, and none may once a covered header or its body is changed,
or a second one of a header that matters is put before it. RECORDS is JSON: DNS name to TXT record. Prints what it did, and leaves with
1 at the first message that is not as it should be.
"""

import json
import re
import sys
from pathlib import Path

import dkim

records = json.loads(Path(sys.argv[2]).read_text())
COVERED = ["From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Content-Type"]
OVERSIGNED = ["From", "To", "Subject", "Date", "Reply-To", "List-Unsubscribe", "List-Unsubscribe-Post"]


def dns(name, timeout=5):
    return records[name.decode().rstrip(".")].encode()


def verifies(message, number):
    try:
        return dkim.DKIM(message).verify(idx=number, dnsfunc=dns)
    except dkim.DKIMException:
        return False


def check(holds, what):
    if not holds:
        sys.exit(what)


good = bad = 0
for path in sorted(Path(sys.argv[1]).glob("*.eml")):
    message = path.read_bytes()
    signatures = len(re.findall(rb"(?im)^dkim-signature:", message.split(b"\r\n\r\n")[0] + b"\r\n"))
    check(signatures == len(records), f"{path}: {signatures} signatures")
    changed = [message + b"one more line\r\n", message.replace(b"charset=utf-8", b"charset=utf-7", 1)]
    for name in COVERED:
        there = re.search(rb"(?im)^" + name.encode() + rb": [^\r]", message)
        if there:
            changed.append(message[: there.end() - 1] + b"x" + message[there.end() :])
    changed += [name.encode() + b": another\r\n" + message for name in OVERSIGNED]
    for number in range(signatures):
        check(verifies(message, number), f"{path}: signature {number} does not verify")
        good += 1
        for other in changed:
            check(not verifies(other, number), f"{path}: verifies, though changed: {other[:200]!r}")
            bad += 1
print(json.dumps({"verified": good, "refused": bad}))
