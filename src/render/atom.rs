//! Atom (RFC 4287), with the archive links of RFC 5005. Turns the neutral feed into bytes and reads ids back; decides
//! nothing.

use atom_syndication::extension::{Extension, ExtensionMap};
use atom_syndication::{self as atom, FixedDateTime, Text};
use jiff::Timestamp;

use super::feed::{Entry, Feed};
use super::xml;
use crate::domain::author::Author;
use crate::domain::feed_format::Format;
use crate::domain::post::Image;

const HISTORY: &str = "http://purl.org/syndication/history/1.0";

pub fn write(feed: &Feed) -> Result<Vec<u8>, String> {
    let mut links = vec![
        link("self", feed.address(Format::Atom), Format::Atom.media_type()),
        link("alternate", &feed.page, "text/html"),
    ];
    links.extend(
        feed.addresses
            .iter()
            .filter(|(format, _)| *format != Format::Atom)
            .map(|(f, a)| link("alternate", a, f.media_type())),
    );
    links.extend(feed.previous.iter().map(|previous| link("prev-archive", previous, Format::Atom.media_type())));
    links.extend(feed.current.iter().map(|current| link("current", current, Format::Atom.media_type())));
    links.extend(feed.hubs.iter().map(|hub| atom::Link {
        rel: "hub".to_owned(),
        href: hub.clone(),
        ..atom::Link::default()
    }));
    let (mut extensions, mut namespaces) = history(feed);
    if feed.entries.iter().any(|entry| entry.image.is_some()) {
        namespaces.insert("media".to_owned(), xml::MEDIA.to_owned());
    }
    if !feed.tombstones.is_empty() {
        namespaces.insert("at".to_owned(), "http://purl.org/atompub/tombstones/1.0".to_owned());
        let gone = feed
            .tombstones
            .iter()
            .map(|(id, when)| element("at:deleted-entry", None, &[("ref", id), ("when", &date(*when).to_rfc3339())]));
        extensions.entry("at".to_owned()).or_default().insert("deleted-entry".to_owned(), gone.collect());
    }
    let out = atom::Feed {
        id: feed.id.clone(),
        title: Text::plain(feed.title.clone()),
        subtitle: Some(Text::plain(feed.description.clone())),
        updated: date(feed.updated),
        authors: feed.author.iter().map(person).collect(),
        generator: Some(atom::Generator { value: "gazetted".to_owned(), uri: None, version: None }),
        links,
        entries: feed.entries.iter().map(|entry| self::entry(entry, feed)).collect(),
        extensions,
        namespaces,
        lang: Some(feed.language.clone()),
        ..atom::Feed::default()
    };
    let bytes = out.write_to(Vec::with_capacity(feed.likely_size())).map_err(|error| error.to_string())?;
    Ok(xml::styled(bytes, feed.stylesheet.as_deref()))
}

fn element(name: &str, value: Option<String>, attrs: &[(&str, &str)]) -> Extension {
    Extension {
        name: name.to_owned(),
        value,
        attrs: attrs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..Extension::default()
    }
}

/// Media RSS, as in RSS: readers know it in Atom, too.
fn picture(image: &Image) -> ExtensionMap {
    let mut content = element("media:content", None, &xml::media_content(image));
    if !image.alt.is_empty() {
        let alt = element("media:description", Some(image.alt.clone()), &[("type", "plain")]);
        content.children.insert("description".to_owned(), vec![alt]);
    }
    let media = std::iter::once(("content".to_owned(), vec![content])).collect();
    std::iter::once(("media".to_owned(), media)).collect()
}

/// `fh:complete` tells a reader that what is absent is gone, `fh:archive` that this page stays.
fn history(feed: &Feed) -> (ExtensionMap, std::collections::BTreeMap<String, String>) {
    let name = match (feed.complete, feed.archive) {
        (true, _) => "complete",
        (_, true) => "archive",
        _ => return Default::default(),
    };
    let mark = Extension { name: format!("fh:{name}"), ..Extension::default() };
    let mut extensions = ExtensionMap::default();
    extensions.entry("fh".to_owned()).or_default().insert(name.to_owned(), vec![mark]);
    (extensions, std::iter::once(("fh".to_owned(), HISTORY.to_owned())).collect())
}

fn entry(entry: &Entry, feed: &Feed) -> atom::Entry {
    atom::Entry {
        id: entry.id.clone(),
        title: Text::plain(entry.title.clone()),
        updated: date(entry.updated),
        published: Some(date(entry.published)),
        // RFC 4287 wants somebody: where nobody signed and the feed has no author either, the blog itself did.
        authors: match (entry.authors.is_empty(), &feed.author) {
            (false, _) => entry.authors.iter().map(person).collect(),
            (true, None) => vec![person(&Author::named(feed.title.clone()))],
            (true, Some(_)) => Vec::new(),
        },
        links: std::iter::once(link("alternate", &entry.url, "text/html"))
            .chain(entry.enclosure.as_ref().map(|enclosure| atom::Link {
                length: enclosure.length.map(|length| length.to_string()),
                ..link("enclosure", &enclosure.url, &enclosure.media_type)
            }))
            .collect(),
        extensions: entry.image.as_ref().map(picture).unwrap_or_default(),
        categories: entry
            .terms
            .iter()
            .map(|term| atom::Category { term: term.clone(), ..atom::Category::default() })
            .collect(),
        summary: Some(Text::plain(entry.summary.clone())).filter(|_| !entry.summary.is_empty() || entry.html.is_none()),
        content: entry.html.as_ref().map(|html| atom::Content {
            value: Some(html.clone()),
            content_type: Some("html".to_owned()),
            lang: entry.language.clone(),
            ..atom::Content::default()
        }),
        ..atom::Entry::default()
    }
}

fn person(author: &Author) -> atom::Person {
    atom::Person {
        name: author.name.clone(),
        email: author.email.clone(),
        uri: author.uri.clone(),
        ..atom::Person::default()
    }
}

fn link(rel: &str, href: &str, media_type: &str) -> atom::Link {
    atom::Link {
        rel: rel.to_owned(),
        href: href.to_owned(),
        mime_type: Some(media_type.to_owned()),
        ..atom::Link::default()
    }
}

/// RFC 3339, in UTC; chrono only because the crate asks for it.
fn date(instant: Timestamp) -> FixedDateTime {
    chrono::DateTime::from_timestamp(instant.as_second(), 0).unwrap_or_default().fixed_offset()
}

/// The ids of a feed, in order.
pub fn ids(bytes: &[u8]) -> Result<Vec<String>, String> {
    xml::texts(bytes, "entry", "id")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::feed::tests::sample;

    #[test]
    fn a_whole_feed_is_written() {
        let text = String::from_utf8(write(&sample()).unwrap()).unwrap();
        insta::assert_snapshot!("atom", text.replace("><", ">\n<"));
    }

    #[test]
    fn an_archive_names_its_neighbours() {
        let feed = Feed {
            complete: false,
            archive: true,
            previous: Some("https://a.example/archive/1/atom.xml".into()),
            current: Some("https://a.example/atom.xml".into()),
            ..sample()
        };
        let text = String::from_utf8(write(&feed).unwrap()).unwrap();
        for part in ["rel=\"prev-archive\"", "rel=\"current\"", "<fh:archive"] {
            assert!(text.contains(part), "{part}");
        }
    }
}
