//! Feeds as others write them, and as nobody should.

use super::*;

const RSS: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<?xml-stylesheet type="text/css" href="/feed.css"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel>
<title>Notes &amp; things</title><link>https://a.example/</link><description>d</description>
<atom:link rel="self" href="https://a.example/feed.xml"/>
<atom:link rel="hub" href="https://hub.example/"/>
<item>
  <title>Use &amp;lt;b&amp;gt; &amp;amp; &nbsp;go</title>
  <link>/posts/1?a=1&b=2</link>
  <guid isPermaLink="false"> urn:x:1 </guid>
  <pubDate>Fri, 07 May 2021 10:00:00 +0200</pubDate>
  <content:encoded><![CDATA[<title>not this</title>]]></content:encoded>
  <atom:updated>2021-06-01T00:00:00Z</atom:updated>
</item>
<item><title><![CDATA[Second]]></title><guid>https://a.example/2</guid><pubDate>Sat, 08 May 21 10:00 GMT</pubDate></item>
</channel></rss>"#;

const ATOM: &str = r#"<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://b.example/blog/">
<title type="html">A &lt;b&gt;bold&lt;/b&gt; title</title>
<link rel="self" href="atom.xml"/><link href="./"/>
<link rel="prev-archive" href="archive/3.xml"/>
<id>tag:b.example,2020:x</id>
<entry xml:base="2021/"><id>tag:b.example,2021:1</id><title>Tom &amp;amp; x</title>
<link rel="alternate" type="text/html" href="one.html"/><updated>2021-05-07T10:00:00Z</updated>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><title>no</title></div></content></entry>
<entry><id>x</id><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Two <em>words</em></div></title>
<published>2021-05-06T10:00:00Z</published></entry>
</feed>"#;

const RDF: &str = r#"<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://c.example/"><title>Old</title><link>https://c.example/</link></channel>
<item rdf:about="https://c.example/1"><title>One</title><link>https://c.example/1</link><dc:date>2004-05-07</dc:date></item>
</rdf:RDF>"#;

const JSON: &str = r#"{ "version": "https://jsonfeed.org/version/1.1", "title": "J", "feed_url": "feed.json",
 "home_page_url": "https://d.example/", "next_url": "https://d.example/2.json",
 "hubs": [{"type": "WebSub", "url": "https://hub.example/"}],
 "items": [
 {"id": 12, "url": "/one", "title": "Tom & Jerry", "date_published": "2021-05-07T10:00:00+02:00"},
 {"id": "b", "external_url": "https://e.example/", "date_modified": "2021-05-08T10:00:00Z"}]}"#;

fn from() -> Url {
    Url::parse("https://a.example/feeds/x").unwrap()
}

fn one_line(document: &FeedDocument) -> String {
    let entries = document.entries.iter().map(|e| {
        let date = |d: Option<Timestamp>| d.map_or_else(|| "-".to_owned(), |d| d.to_string());
        format!(
            "\n{}: {} | {} | {} | {} | {}",
            e.line,
            e.id.as_deref().unwrap_or("-"),
            e.url.as_deref().unwrap_or("-"),
            e.title,
            date(e.published),
            date(e.updated)
        )
    });
    format!(
        "{:?} | {} | {:?} | {:?} | {:?} | {:?}{}",
        document.format,
        document.title,
        document.self_link,
        document.page,
        document.previous,
        document.hubs,
        entries.collect::<String>()
    )
}

#[test]
fn the_three_formats_are_read_as_readers_read_them() {
    let all = [RSS, ATOM, RDF, JSON].map(|text| one_line(&read(text.as_bytes(), Some(&from())).unwrap()));
    insta::assert_snapshot!("feeds_of_others", all.join("\n\n"));
}

#[test]
fn what_readers_forgive_is_forgiven() {
    let in_rss = |item: &str| format!("<rss version='2.0'><channel><title>t</title>{item}</channel></rss>");
    for (item, want) in [
        ("<item><title>a\u{1d}b\u{0}</title><guid>1</guid></item>", "1 - ab"),
        ("<item><title>AT&T &eacute; &unknown;</title><guid>1</guid></item>", "1 - AT&T é &unknown;"),
        ("<item><title>a < b</title><guid>1</guid></item>", "1 - a < b"),
        ("<item><title>a</title><guid>1</guid><dc:creator>x</dc:creator></item>", "1 - a"),
        ("<item><guid>1</guid><description><b>open</description></item>", "1 - "),
        ("<item><guid isPermaLink=false>http://x</guid></item></b>", "http://x - "),
        ("<item><guid>http://x/1</guid></item>", "http://x/1 http://x/1 "),
        ("<item><guid></guid><link> http://x/2 </link></item>", "- http://x/2 "),
        ("<item><media:title>no</media:title><guid>1</guid></item>", "1 - "),
        ("<item><guid>&#49;&#x31;&#29;</guid></item>", "11 - "),
        ("<item><guid>1</guid><content:encoded><![CDATA[ <item><guid>2</guid> ]]></content:encoded></item>", "1 - "),
    ] {
        let got = read(in_rss(item).as_bytes(), None).unwrap_or_else(|error| panic!("{item}: {error}"));
        let entry = &got.entries[0];
        let text = |t: &Option<String>| t.clone().unwrap_or_else(|| "-".to_owned());
        let got = format!("{} {} {}", text(&entry.id), text(&entry.url), entry.title);
        assert!(got.starts_with(want.trim_end()), "{item}: {got}");
    }
    let rss = "<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY me \"Ada\"><!ENTITY z '&#233;'>]><rss xmlns='http://backend.userland.com/rss2'><channel><item><guid>&me;&z;</guid></item></channel></rss>";
    assert_eq!(read(rss.as_bytes(), None).unwrap().entries[0].id.as_deref(), Some("Adaé"));
}

#[test]
fn an_entity_is_never_expanded_within_another() {
    let bomb = "<!DOCTYPE rss [<!ENTITY a \"xxxxxxxxxx\"><!ENTITY b \"&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]><rss><channel><title>&c;</title></channel></rss>";
    assert!(read(bomb.as_bytes(), None).unwrap().title.len() < 20);
    let many = format!(
        "<!DOCTYPE rss [<!ENTITY a \"{}\">]><rss><channel><title>{}</title></channel></rss>",
        "x".repeat(999),
        "&a;".repeat(100_000)
    );
    assert!(read(many.as_bytes(), None).unwrap().title.len() < 2_000_000);
}

#[test]
fn what_is_no_feed_says_what_it_is() {
    let wide = format!("<rss {}/>", "a ".repeat(1_000_000));
    let deep = format!("<rss>{}", "<a>".repeat(1_000));
    for (text, want) in [
        ("", "empty"),
        ("<!DOCTYPE html><html><p>Just a moment...", "an HTML page"),
        ("<html xmlns='x'/>", "an HTML page"),
        ("<opml/>", "OPML"),
        ("<urlset/>", "a sitemap"),
        ("<note/>", "XML of another kind"),
        ("{\"a\": 1}", "JSON of another kind"),
        ("plain words", "neither XML nor JSON"),
        ("<rss><channel><item><title>cut", "line 1, column 31: the document ends within `rss`"),
        ("<rss><channel><!-- x", "line 1"),
        ("{\"items\": [", "line 1, column 12: the document ends"),
        (&wide, "more than 500 attributes"),
        (&deep, "nested more than 500 deep"),
    ] {
        let got = read(text.as_bytes(), None).unwrap_err();
        assert!(got.to_string().contains(want), "{text:.40}: {got}");
        assert!(!got.hint().is_empty());
    }
    assert_eq!(read(&vec![b' '; MOST_BYTES + 1], None), Err(Unreadable::TooLarge));
    let many = format!("<rss><channel>{}</channel></rss>", "<item/>".repeat(MOST_ENTRIES + 1));
    assert_eq!(read(many.as_bytes(), None), Err(Unreadable::TooMany));
}

proptest::proptest! {
    #[test]
    fn no_damage_makes_it_panic(which in 0_usize..4, cuts in proptest::collection::vec((0_usize..1_500, 0_usize..40, "[\\PC<>&;/\"'\\[\\]{}:,\\\\x-]{0,6}"), 1..6)) {
        let mut bytes = [RSS, ATOM, RDF, JSON][which].as_bytes().to_vec();
        for (at, length, text) in cuts {
            let at = at.min(bytes.len());
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, text.into_bytes());
        }
        let _ = read(&bytes, Some(&from()));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let _ = read(&bytes, None);
        let _ = read(&[b"<rss>".as_slice(), &bytes, b"</rss>"].concat(), None);
        let _ = read(&[b"{\"items\": [".as_slice(), &bytes, b"]}"].concat(), None);
    }
}

#[test]
fn a_feed_is_known_by_where_it_stood() {
    let at =
        |place: &str| FeedDocument { self_link: Some(place.into()), ..read(b"<rss><channel/></rss>", None).unwrap() };
    for (place, file, is) in [
        ("_site/feed.xml", "feed.xml", true),
        ("feed.xml", "feed.xml", true),
        ("https://a.example/blog/feed.xml?x=1", "feed.xml", true),
        ("https://a.example/tags/wood/feed.xml", "tags/wood/feed.xml", true),
        ("_site/old-feed.xml", "feed.xml", false),
        ("https://a.example/feed/", "feed.xml", false),
    ] {
        assert_eq!(at(place).is_at(file), is, "{place} {file}");
    }
}
