//! Which feeds there are, where they stand and what is in them: sizes, archives, names, feeds of the owner's choice, media.

use std::collections::BTreeSet;

use serde_json::Value;

use super::site::{Site, site, text};

/// A post of about ten kilobytes of text without markup.
fn long(title: &str) -> String {
    text(title, &"Wood is measured twice and cut once. ".repeat(280))
}

fn build(site: &Site) -> Value {
    site.json("build")
}

fn ids(atom: &str) -> Vec<String> {
    atom.split("<entry>").skip(1).map(|entry| between(entry, "<id>", "</id>")).collect()
}

fn between(text: &str, start: &str, end: &str) -> String {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start} in {text}"));
    rest.split_once(end).unwrap().0.to_owned()
}

fn archives(site: &Site) -> Vec<(String, String)> {
    let names = site.files("public").into_iter().filter(|name| name.starts_with("archive/"));
    names.map(|name| (name.clone(), site.read(&format!("public/{name}")))).collect()
}

#[test]
fn no_feed_is_larger_than_it_may_be_and_what_drops_out_stands_in_an_archive() {
    let mut site = site();
    for n in 1..=40 {
        site = site.post(&format!("2021-{:02}-{:02}-post.md", n / 28 + 1, n % 28 + 1), long(&format!("Number {n}")));
    }
    build(&site);
    for name in ["feed.xml", "atom.xml", "feed.json"] {
        let size = site.read(&format!("public/{name}")).len();
        assert!((200_000..=250_000).contains(&size), "{name}: {size} bytes");
    }
    let current = site.read("public/atom.xml");
    assert!(!current.contains("fh:complete"));
    let before = archives(&site);
    assert_eq!(before.len(), 1, "{:?}", before.iter().map(|(name, _)| name).collect::<Vec<_>>());
    let all: BTreeSet<String> = ids(&current).into_iter().chain(before.iter().flat_map(|(_, a)| ids(a))).collect();
    assert_eq!(all.len(), 40);
    // Whatever is written later, the archive's entries are what they were.
    for n in 1..=24 {
        site.save(&format!("_posts/2022-01-{n:02}-more.md"), long(&format!("More {n}")));
        site.save("_posts/2020-01-01-old.md", long("Found again"));
    }
    build(&site);
    let after = archives(&site);
    assert_eq!(after[0], before[0]);
    let current = site.read("public/atom.xml");
    let all: BTreeSet<String> = ids(&current).into_iter().chain(after.iter().flat_map(|(_, a)| ids(a))).collect();
    assert_eq!(all.len(), 65, "what is dated before the archive came late, and is nowhere lost");
    assert_eq!(build(&site)["files_written"], 0);
}

#[test]
fn a_post_that_would_fill_a_feed_alone_drives_no_other_out() {
    let site = site()
        .post("2021-01-05-small.md", text("Small", "Words."))
        .post("2021-02-05-huge.md", text("Huge", &"Wood is measured twice and cut once. ".repeat(9_000)))
        .post("2021-03-05-new.md", text("New", "Words."));
    build(&site);
    let feed: Value = serde_json::from_str(&site.read("public/feed.json")).unwrap();
    let shown: Vec<(&str, bool)> = feed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["title"].as_str().unwrap(), item["content_html"].is_string()))
        .collect();
    assert_eq!(shown, [("New", true), ("Huge", false), ("Small", true)]);
    let said = site.run("check").out;
    assert!(said.contains("_posts/2021-02-05-huge.md:1:1") && said.contains("feeds.max_bytes"), "{said}");
}

#[test]
fn a_feed_that_holds_everything_says_so() {
    let site = site().post("2021-01-05-one.md", text("One", "Words."));
    build(&site);
    assert!(site.read("public/atom.xml").contains("<fh:complete"));
    assert!(site.read("public/feed.xml").contains("<fh:complete"));
    assert_eq!(archives(&site), []);
}

#[test]
fn an_entry_in_an_archive_that_is_taken_back_is_gone_from_it() {
    let mut site = site().config("[feeds]\nlimit = 2\n");
    for n in 1..=5 {
        site = site.post(&format!("2021-01-{n:02}-post.md"), text(&format!("Number {n}"), "Words."));
    }
    build(&site);
    let before = archives(&site);
    assert_eq!(ids(&before[0].1).len(), 2);
    site.remove("_posts/2021-01-01-post.md");
    build(&site);
    let after = archives(&site);
    assert_eq!(ids(&after[0].1), ids(&before[0].1)[..1]);
    assert_eq!(after[1], before[1]);
}

#[test]
fn a_blog_keeps_the_addresses_it_has() {
    let site = site()
        .config(
            "[feeds]\nrss = \"index.xml\"\n[[feeds.extra]]\npath = \"feed.python.xml\"\nformat = \"atom\"\ntitle = \"On Python\"\ntags = [\"python\"]\n\
             [[feeds.extra]]\npath = \"planet.json\"\nwithout_tags = [\"python\"]\ncontent = \"summary\"\n",
        )
        .post("2021-01-05-one.md", "---\ntitle: One\ntags: [Python]\n---\nFirst.\n")
        .post("2021-02-05-two.md", "---\ntitle: Two\n---\nSecond.\n");
    build(&site);
    let python = site.read("public/feed.python.xml");
    assert!(python.contains("<title>On Python</title>") && python.contains("First") && !python.contains("Second"));
    assert!(python.contains("href=\"https://blog.example.org/feed.python.xml\" rel=\"self\""), "{python}");
    let planet: Value = serde_json::from_str(&site.read("public/planet.json")).unwrap();
    assert_eq!(planet["items"].as_array().unwrap().len(), 1);
    assert_eq!(planet["items"][0]["content_html"], Value::Null);
    assert!(site.read("public/feeds.opml").contains("feed.python.xml"));
    assert!(site.read("public/feeds/index.html").contains("planet.json"));
}

#[test]
fn feeds_that_would_be_one_file_do_not_fight_for_it() {
    let site = site()
        .config("[[feeds.extra]]\npath = \"tags/python/feed.xml\"\ntitle = \"On Python\"\n")
        .post("2021-01-05-one.md", "---\ntitle: One\ntags: [Python]\nlang: pt-BR\n---\nFirst.\n")
        .post("2021-02-05-two.md", "---\ntitle: Two\nlang: pt_BR\n---\nSecond.\n")
        .post("2021-03-05-three.md", text("Three", "Third."));
    let first = site.run("build");
    assert_eq!(first.code, 1);
    let message = "two feeds would be written to `tags/python/feed.xml`, so `On Python` is not";
    assert!(first.err.contains(message), "{}", first.err);
    let brazilian = site.read("public/languages/pt-br/feed.xml");
    assert!(brazilian.contains("First") && brazilian.contains("Second"), "{brazilian}");
    assert!(!site.read("public/feeds.opml").contains("On Python"));
    assert!(site.run("build").out.contains(": 0 files written"));
}

#[test]
fn an_address_that_is_said_to_have_moved_to_no_feed_is_told() {
    let site = site()
        .config(
            "[feeds.moved]\n\"a.xml\" = \"/feed.xml\"\n\"b.xml\" = \"tags/wood/atom.xml\"\n\"c.xml\" = \"editions/atom.xml\"\n\"z.xml\" = \"nothere.xml\"\n",
        )
        .post("2021-01-05-one.md", "---\ntitle: One\ntags: [wood]\n---\nFirst.\n");
    let said = site.ok("check").out;
    let told = "`feeds.moved` leads from `z.xml` to `nothere.xml`, and none of the feeds is there";
    assert!(said.contains(told), "{said}");
    assert_eq!(said.matches("`feeds.moved`").count(), 1, "{said}");
}

#[test]
fn wrong_feeds_are_refused_with_their_place() {
    let site = site().config(
        "[[feeds.extra]]\npath = \"feed.xml\"\n[[feeds.extra]]\npath = \"../x.xml\"\nlimits = 3\n[feeds.moved]\n\"/etc/../x\" = \"feed.xml\"\n",
    );
    let said = site.run("check").out;
    for part in [
        "two feeds would be written to `feed.xml`",
        "`../x.xml`",
        "`limits`",
        "did you mean `limit`",
        "`feeds.moved` names",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn each_feed_has_a_page_and_a_page_that_is_there_stays() {
    let site = site().post("2021-01-05-one.md", "---\ntitle: One\ntags: [wood, iron]\nauthor: Ada\n---\nFirst.\n");
    site.save("public/tags/iron/index.html", "the blog's own");
    build(&site);
    assert_eq!(site.read("public/tags/iron/index.html"), "the blog's own");
    let page = site.read("public/tags/wood/index.html");
    assert!(page.contains("https://blog.example.org/tags/wood/feed.xml") && page.contains("One"), "{page}");
    assert!(site.read("public/tags/wood/feed.xml").contains("<link>https://blog.example.org/tags/wood/</link>"));
    assert!(
        site.read("public/feed.xml")
            .contains("<?xml-stylesheet type=\"text/css\" href=\"https://blog.example.org/feed.css\"?>")
    );
    assert!(site.exists("public/feed.css") && site.exists("public/authors/ada/index.html"));
    // Somebody else's generator writes its own page over ours: it is theirs now, also when the tag goes.
    site.save("public/tags/wood/index.html", "now the blog's own");
    build(&site);
    site.save("_posts/2021-01-05-one.md", "---\ntitle: One\nauthor: Ada\n---\nFirst.\n");
    build(&site);
    assert_eq!(site.read("public/tags/wood/index.html"), "now the blog's own");
    assert!(!site.exists("public/tags/wood/feed.xml"));
}

#[test]
fn a_podcast_s_file_has_its_true_length_and_kind() {
    let site = site()
        .post(
            "2021-01-05-one.md",
            "---\ntitle: One\naudio: /audio/one.mp3\nimage: {path: /cover.jpg, alt: A \"fox\"}\n---\nFirst.\n",
        )
        .post(
            "2021-02-05-two.md",
            "---\ntitle: Two\nenclosure: {url: 'https://cdn.example/t.ogg', length: 77}\n---\nSecond.\n",
        )
        .post("2021-03-05-lost.md", "---\ntitle: Lost\naudio: /audio/lost.mp3\n---\nThird.\n");
    site.save("audio/one.mp3", [0_u8; 4321]);
    build(&site);
    let rss = site.read("public/feed.xml");
    assert!(
        rss.contains(r#"<enclosure url="https://blog.example.org/audio/one.mp3" length="4321" type="audio/mpeg"/>"#),
        "{rss}"
    );
    assert!(rss.contains(r#"<enclosure url="https://cdn.example/t.ogg" length="77" type="audio/ogg"/>"#));
    assert!(rss.contains("<media:description type=\"plain\">A &quot;fox&quot;</media:description>"));
    assert!(!rss.contains("lost.mp3"), "a length nobody knows is not made up");
    let json: Value = serde_json::from_str(&site.read("public/feed.json")).unwrap();
    assert_eq!(json["items"][2]["attachments"][0]["size_in_bytes"], 4321);
    assert_eq!(json["items"][2]["image"], "https://blog.example.org/cover.jpg");
    let said = site.run("check").out;
    assert!(said.contains("_posts/2021-03-05-lost.md:1:1") && said.contains("audio/lost.mp3"), "{said}");
}
