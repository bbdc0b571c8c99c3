#!/usr/bin/env python3
"""Makes a blog of N posts from a folder of real ones: benches/posts.py SRC N OUT [--dialect jekyll|hugo]

Text, tags and authors stay; title, date and name vary, so that no two posts are the same; the same arguments always
make the same files. Dates run one every six hours back from 2026-01-01. With --dialect hugo the folder is a Hugo site that
makes what gazetted is compared on, and nothing else: RSS of 20 full entries for the blog and for each tag.
"""

import argparse
import datetime
import json
import pathlib
import re
import shutil

NEWEST = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
EVERY = datetime.timedelta(hours=6)

HUGO_SITE = """\
baseURL = "https://blog.example.org/"
title = "Bench"
disableKinds = ["section", "taxonomy", "sitemap", "robotsTXT", "404"]
ignoreErrors = ["error-disable-taxonomy"]
timeZone = "UTC"
[outputs]
home = ["RSS"]
term = ["RSS"]
[taxonomies]
tag = "tags"
[services.rss]
limit = 20
[markup.goldmark.renderer]
unsafe = true
[markup.highlight]
codeFences = false
# Posts are content and have an address; no page is written for them.
[[cascade]]
[cascade._build]
render = "link"
[cascade._target]
kind = "page"
"""

# Hugo's own RSS template, with the full text in place of the summary and the feed's own posts only.
HUGO_RSS = """\
{{- $pages := where site.RegularPages "Type" "posts" -}}
{{- if ne .Kind "home" }}{{ $pages = .RegularPages }}{{ end -}}
{{- $pages = $pages.ByDate.Reverse | first 20 -}}
{{- printf "<?xml version=\\"1.0\\" encoding=\\"utf-8\\" standalone=\\"yes\\"?>" | safeHTML }}
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom">
  <channel>
    <title>{{ .Title }}</title>
    <link>{{ .Permalink }}</link>
    <description>Recent posts</description>
    {{ with .OutputFormats.Get "RSS" }}{{ printf "<atom:link href=%q rel=\\"self\\" type=%q />" .Permalink .MediaType | safeHTML }}{{ end }}
    {{- range $pages }}
    <item>
      <title>{{ .Title }}</title>
      <link>{{ .Permalink }}</link>
      <pubDate>{{ .Date.Format "Mon, 02 Jan 2006 15:04:05 -0700" | safeHTML }}</pubDate>
      <guid>{{ .Permalink }}</guid>
      {{- range .Params.tags }}
      <category>{{ . }}</category>
      {{- end }}
      <description>{{ .Content | html }}</description>
    </item>
    {{- end }}
  </channel>
</rss>
"""

GAZETTED = """\
[site]
title = "Bench"
url = "https://blog.example.org"
[posts]
dir = "_posts"
[feeds]
formats = ["rss"]
limit = 20
content = "full"
tags = true
authors = false
categories = false
"""


def split(text):
    """The front matter's lines and the body."""
    found = re.match(r"\ufeff?---[ \t]*\r?\n(.*?\r?\n)---[ \t]*\r?\n?(.*)", text, re.S)
    return (found.group(1).splitlines(), found.group(2)) if found else ([], text)


def without(lines, keys):
    """The lines that do not belong to one of these keys."""
    kept, dropping = [], False
    for line in lines:
        key = re.match(r"([A-Za-z_][\w-]*)\s*:", line)
        if key:
            dropping = key.group(1).lower() in keys
        if not dropping:
            kept.append(line)
    return kept


def for_hugo(body):
    """Liquid out: Hugo shows the code that stands between its tags, and nothing of the tags."""
    body = re.sub(r"\{%-?\s*highlight\s+(\S+).*?%\}", r"\n```\1", body)
    body = re.sub(r"\{%-?\s*endhighlight\s*-?%\}", "```\n", body)
    body = re.sub(r"\{%.*?%\}", "", body, flags=re.S)
    body = re.sub(r"\{\{(?![<%]).*?\}\}", "", body, flags=re.S)
    return body.replace("{{<", "{ {<").replace("{{%", "{ {%")


def tags_of(lines):
    """A flow list, a block list or words, as a list."""
    for at, line in enumerate(lines):
        found = re.match(r"tags\s*:\s*(.*)", line)
        if not found:
            continue
        inline = found.group(1).strip()
        if inline:
            listed = inline.startswith("[")
            parts = inline.strip("[]").split(",") if listed else inline.split()
        else:
            parts = []
            for below in lines[at + 1 :]:
                item = re.match(r"\s*-\s+(.*)", below)
                if not item:
                    break
                parts.append(item.group(1))
        return [part.strip().strip("\"'") for part in parts if part.strip().strip("\"'")]
    return []


def title_of(lines, name):
    for line in lines:
        found = re.match(r"title\s*:\s*(.*\S)", line)
        if found:
            return found.group(1).strip("\"'")
    return name


def make(source, count, out, dialect):
    originals = []
    for path in sorted(source.glob("*.md")) + sorted(source.glob("*.markdown")):
        lines, body = split(path.read_text(encoding="utf-8", errors="replace"))
        slug = re.sub(r"^\d{4}-\d\d?-\d\d?-", "", path.stem)
        slug = re.sub(r"[^a-z0-9]+", "-", slug.lower()).strip("-")
        # References to other posts would not be found under their new names.
        body = re.sub(r"\{%-?\s*post_url\s.*?%\}", "/elsewhere", body).replace("@{", "{")
        if dialect == "hugo":
            body = for_hugo(body)
        originals.append((slug, lines, body))
    if not originals:
        raise SystemExit(f"no posts in {source}")
    shutil.rmtree(out, ignore_errors=True)
    posts = out / ("content/posts" if dialect == "hugo" else "_posts")
    posts.mkdir(parents=True)
    for number in range(count):
        slug, lines, body = originals[number % len(originals)]
        date = NEWEST - EVERY * number
        title = json.dumps(f"{title_of(lines, slug)} ({number + 1})", ensure_ascii=False)
        front = [f"title: {title}", f"date: {date:%Y-%m-%dT%H:%M:%SZ}"]
        varied = {"title", "date", "draft", "published", "permalink", "slug", "url", "aliases"}
        if dialect == "hugo":
            front.append(f"tags: {json.dumps(tags_of(lines), ensure_ascii=False)}")
            varied |= {"tags", "layout", "type", "category", "categories"}
        front += without(lines, varied)
        text = "---\n" + "\n".join(front) + "\n---\n" + body + f"\n\nNumber {number + 1}.\n"
        (posts / f"{date:%Y-%m-%d}-{slug}-{number + 1}.md").write_text(text, encoding="utf-8")
    if dialect == "hugo":
        layouts = out / "layouts/_default"
        layouts.mkdir(parents=True)
        (layouts / "rss.xml").write_text(HUGO_RSS)
        (out / "config.toml").write_text(HUGO_SITE)
    else:
        (out / "gazetted.toml").write_text(GAZETTED)
        (out / "_config.yml").write_text("title: Bench\nurl: https://blog.example.org\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("count", type=int)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--dialect", choices=["jekyll", "hugo"], default="jekyll")
    given = parser.parse_args()
    make(given.source, given.count, given.out, given.dialect)


if __name__ == "__main__":
    main()
