//! One good feed a format, and for each rule what breaks it.

use super::*;

pub(super) const RSS: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<?xml-stylesheet type="text/css" href="/feed.css"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:fh="http://purl.org/syndication/history/1.0">
<channel>
<title>Notes</title><link>https://a.example/</link><description>About things</description>
<language>en-GB</language><ttl>60</ttl><managingEditor>ada@a.example (Ada)</managingEditor>
<atom:link rel="self" type="application/rss+xml" href="https://a.example/feed.xml"/><fh:complete/>
<itunes:category text="Technology"/><itunes:image href="https://a.example/i.png"/><itunes:owner><itunes:email>ada@a.example</itunes:email></itunes:owner>
<image><url>https://a.example/i.png</url><title>Notes</title><link>https://a.example/</link><width>144</width><height>400</height></image>
<item><title>Use &#x3C;b> tag</title><link>https://a.example/1</link><guid isPermaLink="false">urn:x:1</guid>
<pubDate>Fri, 07 May 2021 10:00:00 GMT</pubDate><dc:creator>Ada</dc:creator>
<description>Short</description><content:encoded><![CDATA[<p><a href="https://a.example/x">x</a> <img src="https://a.example/i.png" srcset="https://a.example/i.png 1x, https://a.example/j.png 2x" alt=""></p>]]></content:encoded>
<enclosure url="https://a.example/a.mp3" length="12" type="audio/mpeg"/><itunes:duration>1:02:03</itunes:duration><itunes:explicit>false</itunes:explicit>
<media:content url="https://a.example/i.png" type="image/png" medium="image" width="100"/></item>
<item><title>Second</title><dc:date>2021-05-07</dc:date><guid>https://a.example/2</guid><enclosure url="https://a.example/b.mp3" length="12" type="audio/mpeg"/></item>
</channel></rss>"#;

const ATOM: &str = r#"<feed xmlns="http://www.w3.org/2005/Atom" xmlns:fh="http://purl.org/syndication/history/1.0" xml:lang="en">
<id>https://a.example/</id><title>Notes</title><updated>2021-05-08T10:00:00Z</updated>
<link rel="self" href="https://a.example/atom.xml" type="application/atom+xml"/><link rel="alternate" href="https://a.example/"/>
<author><name>Ada</name><email>ada@a.example</email><uri>https://ada.example/</uri></author>
<entry><id>urn:x:1</id><title>Use &lt;b&gt; tag</title><updated>2021-05-07T10:00:00Z</updated><published>2021-05-07T10:00:00Z</published>
<link href="https://a.example/träffar"/><category term="x"/>
<content type="html">&lt;p>&lt;a href="https://a.example/x">x&lt;/a>&lt;/p></content></entry>
<entry><id>urn:x:2</id><title>Second</title><updated>2021-05-08T10:00:00Z</updated><link href="https://a.example/2"/>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><a href="https://a.example/">x</a></div></content></entry>
</feed>"#;

const JSON: &str = r#"{"version": "https://jsonfeed.org/version/1.1", "title": "Notes", "home_page_url": "https://a.example/",
"feed_url": "https://a.example/feed.json", "language": "en", "authors": [{"name": "Ada"}], "hubs": [{"type": "WebSub", "url": "https://hub.example/"}],
"items": [{"id": "1", "url": "https://a.example/1", "title": "Tom & Jerry", "content_html": "<p><a href=\"https://a.example/x\">x</a></p>",
"date_published": "2021-05-07T10:00:00Z", "tags": ["a"], "attachments": [{"url": "https://a.example/a.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 12}], "_ours": 1},
{"id": "2", "content_text": "Second"}]}"#;

pub(super) fn now() -> Timestamp {
    "2021-06-01T00:00:00Z".parse().unwrap()
}

fn codes(text: &str) -> String {
    let found = check("f", text.as_bytes(), None, now());
    found.problems.iter().map(|p| p.code).collect::<Vec<_>>().join(" ")
}

/// Each row: what is replaced by what, and the codes that are found then.
pub(super) fn table(good: &str, rows: &[(&str, &str, &str)]) {
    assert_eq!(codes(good), "", "{:?}", check("f", good.as_bytes(), None, now()).problems);
    for (from, to, want) in rows {
        assert!(good.contains(from), "{from}");
        assert_eq!(codes(&good.replacen(from, to, 1)), *want, "{from} -> {to}");
    }
}

#[test]
fn every_rule_of_rss_is_held() {
    table(
        RSS,
        &[
            (" version=\"2.0\"", "", "version"),
            ("version=\"2.0\"", "version=\"0.91\"", "version"),
            ("<rss ", "<rss xmlns=\"http://backend.userland.com/rss2\" ", "namespace"),
            ("<description>About things</description>", "", "missing"),
            ("<title>Notes</title><link>", "<title> </title><link>", "missing"),
            ("<link>https://a.example/</link><d", "<link>/</link><d", "address-relative"),
            ("<link>https://a.example/1", "<link>https://a.example/träffar", "address-iri"),
            ("<link>https://a.example/1", "<link>https://a.example/a b", "address"),
            ("<link>https://a.example/1", "<link>ftp://a.example/1", "address"),
            ("en-GB", "English (British)", "language"),
            ("ada@a.example (Ada)", "Ada", "contact"),
            ("<dc:creator>Ada</dc:creator>", "<author>Ada</author>", "contact"),
            ("<dc:creator>Ada</dc:creator>", "<author>ada@a.example</author>", ""),
            ("<dc:creator>Ada</dc:creator>", "<dc:creator/>", "creator-empty"),
            ("<dc:creator>Ada</dc:creator>", "<updated>2021-05-07</updated>", "unknown-element"),
            ("<dc:creator>Ada</dc:creator>", "<title>again</title>", "repeated"),
            ("<dc:creator>Ada</dc:creator>", "<source>x</source>", "source"),
            ("<dc:creator>Ada</dc:creator>", "<source url=\"x\">x</source>", "address-relative"),
            ("<dc:creator>Ada</dc:creator>", "<dc:language>e</dc:language>", "language"),
            ("<itunes:explicit>false</itunes:explicit>", "<itunes:block>maybe</itunes:block>", "itunes"),
            ("<dc:creator>Ada</dc:creator>", "<atom:updated>2021-05-07</atom:updated>", "date"),
            ("<dc:date>2021-05-07", "<dc:date>2021-05-07T10:00", "date"),
            (
                "<atom:link rel=\"self\" type=\"application/rss+xml\" href=\"https://a.example/feed.xml\"/>",
                "",
                "self-missing",
            ),
            ("href=\"https://a.example/feed.xml\"", "href=\"/feed.xml\"", "address-relative"),
            ("<fh:complete/>", "<fh:complete/><fh:archive/>", "history history"),
            ("<fh:complete/>", "<fh:whole/>", "history"),
            ("<itunes:duration>", "<itunes:duration>1</itunes:duration><itunes:duration>", "repeated"),
            ("Use &#x3C;b> tag", "Use &lt;b&gt; tag", "title-markup"),
            ("Use &#x3C;b> tag", "Tom &amp;amp; Jerry", "title-markup"),
            ("Use &#x3C;b> tag", "a &lt; b &amp; c", ""),
            ("<item><title>Second</title>", "<item>", "missing"),
            ("isPermaLink=\"false\"", "", "guid-permalink"),
            ("isPermaLink=\"false\"", "isPermaLink=\"no\"", "guid-permalink guid-permalink"),
            ("<guid>https://a.example/2</guid>", "", "guid-missing"),
            ("<guid>https://a.example/2</guid>", "<guid/>", "guid-empty"),
            ("<guid>https://a.example/2</guid>", "<guid isPermaLink=\"false\">urn:x:1</guid>", "id-twice"),
            ("Fri, 07 May 2021", "Thu, 07 May 2021", "date-weekday"),
            ("Fri, 07 May 2021", "Fri, 07 May 21", "date-year"),
            ("Fri, 07 May 2021 10:00:00 GMT", "2021-05-07T10:00:00Z", "date"),
            ("Fri, 07 May 2021", "Fri, 07 May 2060", "date-future"),
            ("Fri, 07 May 2021", "Thu, 01 Jan 1970", "date-past"),
            ("<description>Short</description>", "", "description-first"),
            ("<description>Short", "<description><b>Short</b>", "markup-bare"),
            (" length=\"12\"", "", "enclosure"),
            (" length=\"12\"", " length=\"1:02\"", "enclosure"),
            (" length=\"12\"", " length=\"0\"", "enclosure"),
            ("type=\"audio/mpeg\"", "type=\"mp3\"", "media-type"),
            (
                "<enclosure ",
                "<enclosure url=\"https://a.example/c\" length=\"1\" type=\"a/b\"/><enclosure ",
                "enclosure-twice",
            ),
            ("medium=\"image\"", "medium=\"picture\"", "media"),
            ("width=\"100\"", "width=\"100px\"", "media"),
            ("<media:content url=\"https://a.example/i.png\"", "<media:content url=\"/i.png\"", "address-relative"),
            ("<itunes:category text=\"Technology\"/>", "", "itunes"),
            ("<itunes:email>ada@a.example</itunes:email>", "", "itunes"),
            ("<itunes:duration>1:02:03", "<itunes:duration>1h", "itunes"),
            ("<itunes:explicit>false", "<itunes:explicit>maybe", "itunes"),
            ("<enclosure url=\"https://a.example/a.mp3\" length=\"12\" type=\"audio/mpeg\"/>", "", "itunes"),
            ("text/css", "text/xsl", "xslt"),
            ("xmlns:fh=\"http://purl.org/syndication/history/1.0\"", "xmlns:fh=\"http://example.org/\"", "namespace"),
        ],
    );
}

#[test]
fn every_rule_of_xml_and_of_content_is_held() {
    let link = "href=\"https://a.example/x\"";
    table(
        RSS,
        &[
            ("Second", "Sec\u{1d}ond", "control-character"),
            ("Second", "Sec&#29;ond", "control-character"),
            ("Second", "Sec&nbsp;ond", "entity"),
            ("Second", "AT&T", "ampersand"),
            ("Second", "a < b", "less-than"),
            ("Second", "Second</b>", "end-tag"),
            ("Second", "a ]]> b", "cdata-end"),
            ("x</a> <img", "x</a> ]]> b]]><![CDATA[<img", "cdata-end"),
            ("x</a> <img", "x</a> ]]]]><![CDATA[> <img", ""),
            ("<item>", "<script xmlns=\"http://www.w3.org/1999/xhtml\" src=\"x.js\"/><item>", "xhtml-misplaced"),
            ("<channel>", "<x:script xmlns:x=\"http://www.w3.org/1999/xhtml\"/><channel>", "xhtml-misplaced"),
            ("<dc:creator>Ada</dc:creator>", "<dc:creator>Ada", "unclosed"),
            (" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"", "", "prefix"),
            ("length=\"12\"", "length=12", "attribute"),
            ("length=\"12\"", "length=\"12\" length=\"12\"", "attribute"),
            ("</rss>", "</rss><rss/>", "trailing"),
            ("</channel></rss>", "", "syntax"),
            ("encoding=\"utf-8\"", "encoding=\"none-such\"", "encoding"),
            ("encoding=\"utf-8\"", "encoding=\"utf-16\"", "encoding"),
            (link, "href=\"/x\"", "content-relative"),
            (link, "href=\"#x\"", "content-relative"),
            (link, "href='//a.example/x'", "content-relative"),
            (link, "href=\"mailto:a@b.example\"", ""),
            (link, "href=\"javascript:alert(1)\"", "content-unsafe"),
            ("https://a.example/j.png 2x", "j.png 2x", "content-relative"),
            (" alt=\"\"", " alt=\"\" onclick=\"x()\"", "content-unsafe"),
            (" alt=\"\"", " alt=\"\" style=\"position: fixed\"", "content-style"),
            (" alt=\"\"", " alt=\"> <script>\" style=\"color: red\"", ""),
            ("<p><a", "<script>x</script><p><a", "content-unsafe"),
            ("<p><a", "<IFRAME src='https://b.example'></IFRAME><p><a", "content-unsafe"),
            ("<p><a", "<style>p{}</style><p><a", "content-unsafe"),
            ("<p><a", "<video poster=\"p.png\" src='https://a.example/v'></video><p><a", "content-relative"),
            ("<p><a", "<!-- <script> --><picture><source srcset='https://a.example/i.png'></picture><p><a", ""),
        ],
    );
    for (bytes, want) in
        [(&b"<rss>\xe4</rss>"[..], "encoding"), (b"<?xml version='1.0' encoding='utf-8'?><rss>\xe4</rss>", "encoding")]
    {
        let found = check("f", bytes, None, now()).problems;
        assert!(found.iter().any(|problem| problem.code == want), "{found:?}");
    }
    let long = |kilobytes: usize| RSS.replacen("Short", &"x".repeat(kilobytes * 1_000), 1);
    assert_eq!([codes(&long(200)), codes(&long(260)), codes(&long(1_100))], ["", "size", "size"]);
}

#[test]
fn every_rule_of_atom_is_held() {
    table(
        ATOM,
        &[
            ("http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#", "namespace"),
            (" xmlns=\"http://www.w3.org/2005/Atom\"", "", "namespace"),
            ("<id>https://a.example/</id>", "", "missing"),
            ("<id>urn:x:2", "<id>2", "address-relative"),
            ("<id>urn:x:2", "<id>https://a.example/ä", "address-iri"),
            ("<id>urn:x:2", "<id>", "address"),
            ("<id>urn:x:2", "<id>urn:x:1", "id-twice"),
            ("<title>Second</title>", "", "missing"),
            ("<updated>2021-05-08T10:00:00Z</updated><link href", "<link href", "missing"),
            ("<updated>2021-05-07T10:00:00Z", "<updated>2021-05-07", "date"),
            ("<updated>2021-05-07T10:00:00Z", "<updated>2021-05-06T10:00:00Z", "date-order"),
            ("<updated>2021-05-07T10:00:00Z", "<updated>2021-05-08T10:00:00Z", "updated-twice"),
            ("<updated>2021-05-08T10:00:00Z</updated>\n", "<updated>1970-01-01T00:00:00Z</updated>\n", "date-past"),
            (
                "<author><name>Ada</name><email>ada@a.example</email><uri>https://ada.example/</uri></author>",
                "",
                "author author",
            ),
            ("<name>Ada</name>", "<name/>", "person"),
            ("<name>Ada</name>", "<name>Ada</name><name>Bo</name>", "repeated"),
            ("<email>ada@a.example", "<email>Ada", "person"),
            ("<uri>https://ada.example/", "<uri>ada.example", "address-relative"),
            (
                "<link rel=\"self\" href=\"https://a.example/atom.xml\" type=\"application/atom+xml\"/>",
                "",
                "self-missing",
            ),
            ("<link rel=\"alternate\" href=\"https://a.example/\"/>", "<link/>", "link"),
            ("<link rel=\"alternate\" href=\"https://a.example/\"/>", "<link href=\"/\"/>", "address-relative"),
            ("type=\"application/atom+xml\"", "type=\"atom\"", "media-type"),
            (
                "<link href=\"https://a.example/2\"/>",
                "<link href=\"https://a.example/2\"/><link href=\"https://a.example/3\"/>",
                "link",
            ),
            (
                "<link href=\"https://a.example/2\"/>",
                "<link href=\"https://a.example/2\"/><link hreflang=\"de\" href=\"https://a.example/3\"/>",
                "",
            ),
            ("<link href=\"https://a.example/2\"/>", "<pubDate>x</pubDate>", "unknown-element"),
            ("<link href=\"https://a.example/2\"/>", "<title>again</title>", "repeated"),
            ("<title>Second", "<title>Second&lt;/b>", "title-markup"),
            ("<title>Second", "<title><b>x</b>Second", "markup-bare"),
            ("<title>Second", "<title type=\"markdown\">Second", "text-type"),
            ("<category term=\"x\"/>", "<category>x</category>", "category"),
            ("<category term=\"x\"/>", "<category term=' '/>", "category"),
            ("<category term=\"x\"/>", "<category term='x' scheme='y'/>", "address-relative"),
            ("<category term=\"x\"/>", "<category term='x' label='&lt;b>x&lt;/b>'/>", "title-markup"),
            ("<category term=\"x\"/>", "<source><title>a</title></source>", ""),
            ("<category term=\"x\"/>", "<source><title>a</title><title>b</title></source>", "repeated"),
            ("xml:lang=\"en\">", "xml:lang=\"en\"><generator uri='a b'>x</generator>", "address"),
            ("<id>urn:x:2", "<id> urn:x:2", "whitespace"),
            ("2021-05-08T10:00:00Z</updated><link", "2021-05-08T10:00:00Z\n</updated><link", "whitespace"),
            ("2021-05-08T10:00:00Z</updated><link", "2021-05-08T10:00:61Z</updated><link", "date"),
            ("<title>Second</title>", "<title/>", "empty"),
            ("<link href=\"https://a.example/2\"/>", "<link href='https://a.example/2' hreflang='a b'/>", "language"),
            ("<link href=\"https://a.example/2\"/>", "<link href='https://a.example/2' length='-1'/>", "link"),
            (
                "<link href=\"https://a.example/2\"/>",
                "<link href='https://a.example/2' title='&lt;/b>'/>",
                "title-markup",
            ),
            ("<content type=\"html\">", "<content type=\"multipart/mixed\">", "media-type"),
            (
                "<content type=\"html\">",
                "<content type=\"html\" src=\"https://a.example/1\">",
                "text-type content missing",
            ),
            ("<email>ada@a.example", "<email>Ada &lt;ada@a.example>", "person"),
            (
                "xml:lang=\"en\">",
                "xml:lang=\"en\"><fh:complete/><link rel='next' href='https://a.example/2.xml'/>",
                "history",
            ),
            ("xml:lang=\"en\"", "xml:lang=\"en_GB\"", "language"),
            ("<content type=\"html\">", "<content type=\"html\"><p/>", "markup-bare"),
            ("<content type=\"html\">", "<content type=\"markdown\">", "media-type"),
            ("href=\"https://a.example/x\"", "href=\"x\"", "content-relative"),
            ("<a href=\"https://a.example/\">", "<a href=\"x\">", "content-relative"),
            ("<a href=\"https://a.example/\">", "<script/><a>", "content-unsafe"),
            (
                "<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"https://a.example/\">x</a></div>",
                "x",
                "xhtml-div",
            ),
            ("<content type=\"html\">", "<content src=\"https://a.example/1\">", "content missing"),
            (
                "xml:lang=\"en\">",
                "xml:lang=\"en\"><fh:complete/><link rel=\"prev-archive\" href=\"https://a.example/1.xml\"/>",
                "history",
            ),
            ("xml:lang=\"en\">", "xml:lang=\"en\"><fh:archive/>", "history"),
        ],
    );
    let neither = ATOM.replacen("<link href=\"https://a.example/träffar\"/>", "", 1);
    assert_eq!(codes(&neither), "", "content is enough");
}

#[test]
fn what_validators_do_not_know_in_atom_is_named() {
    table(
        ATOM,
        &[
            ("<entry>", "<script xmlns=\"http://www.w3.org/1999/xhtml\"/><entry>", "xhtml-misplaced"),
            (
                "<entry>",
                "<at:deleted-entry xmlns:at=\"http://purl.org/atompub/tombstones/1.0\" ref=\"x\"/><entry>",
                "namespace",
            ),
        ],
    );
}

#[test]
fn every_rule_of_json_feed_is_held() {
    table(
        JSON,
        &[
            ("version/1.1", "version/2", "version"),
            ("version/1.1", "version/1", ""),
            ("\"title\": \"Notes\", ", "", "missing"),
            ("\"title\": \"Notes\"", "\"title\": 1", "missing kind"),
            ("\"home_page_url\": \"https://a.example/\",", "", "missing"),
            ("\"home_page_url\": \"https://a.example/\"", "\"home_page_url\": \"/\"", "address-relative"),
            ("\"feed_url\": \"https://a.example/feed.json\", ", "", "self-missing"),
            (
                "\"feed_url\": \"https://a.example/feed.json\"",
                "\"feed_url\": \"https://a.example/feed.json\", \"next_url\": \"https://a.example/feed.json\"",
                "next",
            ),
            ("\"language\": \"en\"", "\"language\": \"en us\"", "language"),
            ("\"language\": \"en\"", "\"expired\": \"no\"", "kind"),
            ("\"authors\": [{\"name\": \"Ada\"}]", "\"author\": {\"name\": \"Ada\"}", "author"),
            ("{\"name\": \"Ada\"}", "{}", "person"),
            ("\"type\": \"WebSub\", ", "", "hub"),
            ("\"items\"", "\"entries\"", "missing unknown-element"),
            ("\"id\": \"2\", ", "", "missing"),
            ("\"id\": \"2\"", "\"id\": 2", "id-number"),
            ("\"id\": \"2\"", "\"id\": \"\"", "guid-empty"),
            ("\"id\": \"2\"", "\"id\": []", "id"),
            ("\"id\": \"2\"", "\"id\": \"1\"", "id-twice"),
            ("\"content_text\": \"Second\"", "\"title\": \"Second\"", "missing"),
            ("Tom & Jerry", "Tom &amp; Jerry", "title-markup"),
            ("Tom & Jerry", "<b>Tom</b>", "title-markup"),
            ("Tom & Jerry", "Tom\u{7}", "control-character"),
            ("\"url\": \"https://a.example/1\"", "\"url\": \"https://a.example/träffar\"", ""),
            ("href=\\\"https://a.example/x\\\"", "href=\\\"/x\\\"", "content-relative"),
            ("2021-05-07T10:00:00Z", "2021-05-07", "date"),
            ("[\"a\"]", "[1]", "kind"),
            ("\"mime_type\": \"audio/mpeg\", ", "", "enclosure"),
            ("\"size_in_bytes\": 12", "\"size_in_bytes\": \"12\"", "kind"),
            ("\"_ours\"", "\"ours\"", "unknown-element"),
            ("\"_ours\"", "\"id\"", "repeated"),
            ("[{\"id\": \"1\"", "[,{\"id\": \"1\"", "syntax"),
        ],
    );
}

#[test]
fn problems_name_their_place_and_a_remedy() {
    let broken = RSS.replacen("Second", "Séc\u{1d}ond", 1).replacen("href=\"https://a.example/x\"", "href=\"x/y\"", 1);
    let problems = check("feed.xml", broken.as_bytes(), None, now()).problems;
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "feed.xml:12:71: warning: `href` of a `a` is the relative address `x/y`",
            "feed.xml:15:17: error: the character U+001D cannot stand in XML: readers refuse the whole feed",
        ]
    );
    assert!(problems.iter().all(|problem| problem.hint.is_some()));
}

#[test]
fn what_is_everywhere_is_said_a_few_times_and_counted() {
    let many = RSS.replacen("<p><a", &format!("{}<p><a", "<a href='x'>".repeat(50)), 1);
    let problems = check("f", many.as_bytes(), None, now()).problems;
    assert_eq!(problems.len(), MOST_OF_A_KIND);
    assert!(problems.iter().any(|p| p.message.ends_with("and 30 more of this kind")));
}

#[test]
fn a_feed_that_says_it_is_elsewhere_is_told() {
    for (from, want) in [("https://a.example/feed.xml", ""), ("https://a.example/rss.xml", "self-other")] {
        let from = Url::parse(from).unwrap();
        let found: Vec<_> = check("f", RSS.as_bytes(), Some(&from), now()).problems.iter().map(|p| p.code).collect();
        assert_eq!(found.join(" "), want, "{from}");
    }
}

#[test]
fn what_is_no_feed_is_called_by_its_name() {
    for (text, want) in
        [("<!doctype html><p>", "an HTML page"), ("", "empty"), ("{}", "JSON of another kind"), ("<opml/>", "OPML")]
    {
        let verdict = check("f", text.as_bytes(), None, now());
        assert!(verdict.no_feed && verdict.problems.len() == 1 && verdict.problems[0].message.contains(want), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_damage_makes_it_panic(which in 0_usize..3, cuts in proptest::collection::vec((0_usize..2_500, 0_usize..40, "[\\PC<>&;/\"'\\[\\]{}:,\\\\x-]{0,6}"), 1..6)) {
        let mut bytes = [RSS, ATOM, JSON][which].as_bytes().to_vec();
        for (at, length, text) in cuts {
            let at = at.min(bytes.len());
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, text.into_bytes());
        }
        let verdict = check("f", &bytes, None, now());
        let _ = http::check("f", &http::Heard::default(), &bytes, &verdict, now());
    }
}
