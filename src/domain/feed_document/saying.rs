//! What the entries of a feed say beside their title, address and date, told apart by what it is about, so that one version of
//! a feed can be compared with another. Knows where each format has what; decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::tree::{Element, Space};
use super::{Kind, kind, tree};

/// By what it is about, in the source's own words.
type Sayings = BTreeMap<&'static str, String>;

/// What two versions of a feed say differently of the entries that are in both, by id.
#[must_use]
pub fn differences(one: &[u8], other: &[u8]) -> BTreeMap<String, BTreeSet<&'static str>> {
    let (before, after) = (entries(one), entries(other));
    let both = before.into_iter().filter_map(|(id, before)| Some((after.get(&id)?, id, before)));
    let differ = both.map(|(after, id, before)| {
        let abouts: BTreeSet<&'static str> = before.keys().chain(after.keys()).copied().collect();
        (id, abouts.into_iter().filter(|about| before.get(about) != after.get(about)).collect::<BTreeSet<_>>())
    });
    differ.filter(|(_, abouts)| !abouts.is_empty()).collect()
}

fn entries(bytes: &[u8]) -> BTreeMap<String, Sayings> {
    let text = String::from_utf8_lossy(bytes);
    match kind(&text) {
        Ok(Kind::Json) => items(&text),
        Ok(Kind::Xml) => elements(&text),
        Err(_) => BTreeMap::new(),
    }
}

fn items(text: &str) -> BTreeMap<String, Sayings> {
    let feed: Value = serde_json::from_str(text).unwrap_or_default();
    let items = feed["items"].as_array().into_iter().flatten().filter_map(Value::as_object);
    items
        .filter_map(|item| {
            let mut sayings = Sayings::new();
            for (key, value) in item {
                if let Some(about) = about_member(key) {
                    sayings.entry(about).or_default().push_str(&value.to_string());
                }
            }
            Some((item.get("id")?.as_str()?.to_owned(), sayings))
        })
        .collect()
}

fn about_member(key: &str) -> Option<&'static str> {
    Some(match key {
        "authors" => "authors",
        "tags" => "tags",
        "summary" => "summary",
        "image" => "image",
        "attachments" => "enclosure",
        "language" => "language",
        "content_html" | "content_text" => "text",
        "date_modified" => "date of change",
        _ => return None,
    })
}

fn elements(text: &str) -> BTreeMap<String, Sayings> {
    let Ok(tree) = tree::parse(text) else { return BTreeMap::new() };
    let root = tree.root.child(Space::None, "channel").unwrap_or(&tree.root);
    let entries = root.elements().filter(|element| matches!(element.name, "item" | "entry"));
    entries
        .filter_map(|entry| {
            let id = entry.elements().find(|child| matches!(child.name, "guid" | "id"))?;
            let mut sayings = Sayings::new();
            for child in entry.elements() {
                if let Some(about) = about_element(child) {
                    sayings.entry(about).or_default().push_str(&text[child.at..child.inner.1]);
                }
                if let Some(language) = child.attribute_in(Space::Xml, "lang") {
                    sayings.insert("language", language.to_owned());
                }
            }
            // Its tag tells the language.
            let content = entry.elements().find(|child| about_element(child) == Some("text"));
            sayings.extend(content.map(|content| ("text", content.text().into_owned())));
            Some((id.text().trim().to_owned(), sayings))
        })
        .collect()
}

fn about_element(element: &Element<'_>) -> Option<&'static str> {
    Some(match (element.space, element.name) {
        (Space::Media, _) => "image",
        (_, "author" | "creator") => "authors",
        (_, "category") => "tags",
        (_, "summary" | "description") => "summary",
        (_, "content" | "encoded") => "text",
        (_, "enclosure") => "enclosure",
        (Space::Atom, "link") if element.attribute("rel") == Some("enclosure") => "enclosure",
        (_, "language") => "language",
        (_, "updated" | "modified") => "date of change",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATOM: &str = r#"<feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/"><id>f</id>
<entry><id>1</id><title>T</title><updated>2021-05-07T00:00:00Z</updated><author><name>Ada</name></author><category term="x"/>
<link rel="alternate" href="https://a.example/1"/><link rel="enclosure" href="https://a.example/1.mp3" length="5"/>
<summary>S</summary><content type="html" xml:lang="en">C</content><media:content url="https://a.example/i.png"/></entry>
<entry><id>2</id><summary>S</summary></entry></feed>"#;
    const RSS: &str = r#"<rss xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
xmlns:media="http://search.yahoo.com/mrss/"><channel><description>D</description><item><title>T</title><guid>1</guid>
<category>x</category><description>S</description><content:encoded><![CDATA[C]]></content:encoded><dc:creator>Ada</dc:creator>
<enclosure url="https://a.example/1.mp3" length="5"/><dc:language>en</dc:language><media:content url="https://a.example/i.png"/>
</item></channel></rss>"#;
    const JSON: &str = r#"{"items": [{"id": "1", "title": "T", "date_modified": "2021-05-07T00:00:00Z", "authors": [{"name": "Ada"}],
"tags": ["x"], "attachments": [{"url": "https://a.example/1.mp3", "size_in_bytes": 5}], "summary": "S", "content_html": "C",
"language": "en", "image": "https://a.example/i.png"}]}"#;

    #[test]
    fn each_format_tells_what_an_entry_says_differently() {
        for (feed, from, to, about) in [
            (ATOM, "Ada", "Bo", "authors"),
            (ATOM, "term=\"x\"", "term=\"y\"", "tags"),
            (ATOM, "2021-05-07", "2021-05-08", "date of change"),
            (ATOM, "length=\"5\"", "length=\"6\"", "enclosure"),
            (ATOM, "<summary>S", "<summary>", "summary"),
            (ATOM, ">C<", ">D<", "text"),
            (ATOM, "\"en\"", "\"de\"", "language"),
            (ATOM, "i.png", "j.png", "image"),
            (RSS, "Ada", "Bo", "authors"),
            (RSS, "<category>x</category>", "", "tags"),
            (RSS, "length=\"5\"", "length=\"6\"", "enclosure"),
            (RSS, ">S<", "><", "summary"),
            (RSS, "[C]", "[D]", "text"),
            (RSS, ">en<", ">de<", "language"),
            (RSS, "i.png", "j.png", "image"),
            (JSON, "Ada", "Bo", "authors"),
            (JSON, "[\"x\"]", "[]", "tags"),
            (JSON, "2021-05-07", "2021-05-08", "date of change"),
            (JSON, "5}", "6}", "enclosure"),
            (JSON, "\"S\"", "\"\"", "summary"),
            (JSON, "\"C\"", "\"D\"", "text"),
            (JSON, "\"en\"", "\"de\"", "language"),
            (JSON, "i.png", "j.png", "image"),
        ] {
            assert!(feed.contains(from), "{from}");
            let found = differences(feed.as_bytes(), feed.replacen(from, to, 1).as_bytes());
            let expected = BTreeMap::from([("1".to_owned(), BTreeSet::from([about]))]);
            assert_eq!(found, expected, "{from} -> {to}");
        }
        for (from, to) in
            [("<title>T", "<title>U"), ("<id>2", "<id>3"), ("https://a.example/1\"", "https://a.example/2\"")]
        {
            assert_eq!(differences(ATOM.as_bytes(), ATOM.replacen(from, to, 1).as_bytes()), BTreeMap::new(), "{from}");
        }
        assert_eq!(differences(b"", ATOM.as_bytes()), BTreeMap::new());
    }
}
