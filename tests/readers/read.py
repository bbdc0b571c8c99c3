"""What feedparser sees at these addresses, and what a second, conditional call is answered: `read.py URL...` prints for each
{"entries": [[id, title, link, seconds]], "again": status}."""
import calendar, json, sys

import feedparser

out = []
for url in sys.argv[1:]:
    first = feedparser.parse(url)
    assert not first.bozo, (url, first.bozo_exception)
    again = feedparser.parse(url, etag=first.etag, modified=first.modified)
    entries = [[e.id, e.title, e.link, calendar.timegm(e.published_parsed)] for e in first.entries]
    out.append({"entries": entries, "again": again.status})
print(json.dumps(out))
