//! RSS 2.0 (rssboard.org), with `content:encoded`, `dc:creator` and `atom:link`. Turns the neutral feed into bytes and
//! reads ids back; decides nothing.

use jiff::Timestamp;
use rss::extension::atom::{AtomExtension, Link};
use rss::extension::dublincore::DublinCoreExtension;
use rss::extension::{Extension, ExtensionMap};
use rss::{Category, Channel, Guid, Item};

use super::feed::{Entry, Feed};
use crate::domain::feed_format::Format;

pub fn write(feed: &Feed) -> Result<Vec<u8>, String> {
    let mut links = vec![link("self", feed.address(Format::Rss), Format::Rss)];
    links.extend(
        feed.addresses.iter().filter(|(format, _)| *format != Format::Rss).map(|(f, a)| link("alternate", a, *f)),
    );
    let mut extensions = ExtensionMap::default();
    let mut namespaces = std::collections::BTreeMap::new();
    if feed.complete {
        namespaces.insert("fh".to_owned(), "http://purl.org/syndication/history/1.0".to_owned());
        let complete = Extension { name: "fh:complete".to_owned(), ..Extension::default() };
        extensions.entry("fh".to_owned()).or_default().insert("complete".to_owned(), vec![complete]);
    }
    let channel = Channel {
        title: feed.title.clone(),
        link: feed.page.clone(),
        description: feed.description.clone(),
        language: Some(feed.language.clone()),
        last_build_date: Some(date(feed.updated)),
        generator: Some("gazetted".to_owned()),
        // Minutes; readers that honour it ask once an hour.
        ttl: Some("60".to_owned()),
        managing_editor: feed
            .author
            .as_ref()
            .and_then(|a| a.email.as_ref().map(|email| format!("{email} ({})", a.name))),
        atom_ext: Some(AtomExtension { links }),
        extensions,
        namespaces,
        items: feed.entries.iter().map(item).collect(),
        ..Channel::default()
    };
    let bytes = channel.write_to(Vec::new()).map_err(|error| error.to_string())?;
    let marked = |title: &str| title.contains(['<', '&']);
    let any = marked(&feed.title) || feed.entries.iter().any(|entry| marked(&entry.title));
    Ok(if any { titles_in_hex(&bytes) } else { bytes })
}

/// Readers differ in whether they take a title for HTML. `&#x3C;`, as the RSS profile has it, none of them does.
fn titles_in_hex(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len() + 256);
    let mut rest = text.as_ref();
    // Nothing else begins so: content has no `<item>`, and elsewhere `<` is escaped.
    let mut start = "<channel><title>";
    while let Some(at) = rest.find(start) {
        let (before, title) = rest.split_at(at + start.len());
        let (title, after) = title.split_at(title.find('<').unwrap_or(title.len()));
        out.push_str(before);
        out.push_str(&title.replace("&amp;", "&#x26;").replace("&lt;", "&#x3C;"));
        (rest, start) = (after, "<item><title>");
    }
    out.push_str(rest);
    out.into_bytes()
}

fn link(rel: &str, href: &str, format: Format) -> Link {
    Link {
        rel: rel.to_owned(),
        href: href.to_owned(),
        mime_type: Some(format.media_type().to_owned()),
        ..Link::default()
    }
}

fn item(entry: &Entry) -> Item {
    Item {
        title: Some(entry.title.clone()),
        link: Some(entry.url.clone()),
        // An id is an id: that it may look like the address of today's page is no promise.
        guid: Some(Guid { value: entry.id.clone(), permalink: false }),
        pub_date: Some(date(entry.published)),
        // A description is HTML to every reader.
        description: Some(super::xml::escape(&entry.summary)),
        content: entry.html.clone(),
        categories: entry.terms.iter().map(|term| Category { name: term.clone(), domain: None }).collect(),
        dublin_core_ext: Some(DublinCoreExtension {
            creators: entry.authors.iter().map(|a| a.name.clone()).collect(),
            languages: entry.language.iter().cloned().collect(),
            ..DublinCoreExtension::default()
        }),
        ..Item::default()
    }
}

/// RFC 822 with a four-digit year, in UTC, as HTTP writes it too.
fn date(instant: Timestamp) -> String {
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&instant).unwrap_or_default()
}

/// The ids of a feed, in order.
pub fn ids(bytes: &[u8]) -> Result<Vec<String>, String> {
    let channel = Channel::read_from(bytes).map_err(|error| error.to_string())?;
    Ok(channel.items.into_iter().filter_map(|item| item.guid.map(|guid| guid.value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::feed::tests::sample;

    #[test]
    fn a_whole_feed_is_written() {
        let text = String::from_utf8(write(&sample()).unwrap()).unwrap();
        insta::assert_snapshot!("rss", text.replace("><", ">\n<"));
    }
}
