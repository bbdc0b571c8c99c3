//! RSS 2.0 (rssboard.org), with `content:encoded`, `dc:creator` and `atom:link`. Turns the neutral feed into bytes and
//! reads ids back; decides nothing.

use jiff::Timestamp;
use rss::extension::atom::{AtomExtension, Link};
use rss::extension::dublincore::DublinCoreExtension;
use rss::extension::{Extension, ExtensionMap};
use rss::{Category, Channel, Enclosure, Guid, Item};

use super::feed::{Entry, Feed};
use super::xml;
use crate::domain::feed_format::{FRESH_SECONDS, Format};
use crate::domain::post::Image;

pub fn write(feed: &Feed) -> Result<Vec<u8>, String> {
    let mut links = vec![link("self", feed.address(Format::Rss), Format::Rss)];
    links.extend(
        feed.addresses.iter().filter(|(format, _)| *format != Format::Rss).map(|(f, a)| link("alternate", a, *f)),
    );
    links.extend(feed.hubs.iter().map(|hub| Link { rel: "hub".to_owned(), href: hub.clone(), ..Link::default() }));
    let mut extensions = ExtensionMap::default();
    let mut namespaces = std::collections::BTreeMap::new();
    if feed.complete {
        namespaces.insert("fh".to_owned(), "http://purl.org/syndication/history/1.0".to_owned());
        let complete = Extension { name: "fh:complete".to_owned(), ..Extension::default() };
        extensions.entry("fh".to_owned()).or_default().insert("complete".to_owned(), vec![complete]);
    }
    if feed.entries.iter().any(|entry| entry.image.is_some()) {
        namespaces.insert("media".to_owned(), xml::MEDIA.to_owned());
    }
    let channel = Channel {
        title: feed.title.clone(),
        link: feed.page.clone(),
        description: feed.description.clone(),
        language: Some(feed.language.clone()),
        last_build_date: (!feed.entries.is_empty()).then(|| date(feed.updated)),
        generator: Some("gazetted".to_owned()),
        ttl: Some((FRESH_SECONDS / 60).to_string()),
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
    let bytes = channel.write_to(Vec::with_capacity(feed.likely_size())).map_err(|error| error.to_string())?;
    let marked = |title: &str| title.contains(['<', '&']);
    let any = marked(&feed.title) || feed.entries.iter().any(|entry| marked(&entry.title));
    let bytes = if any { titles_in_hex(&bytes) } else { bytes };
    Ok(xml::styled(bytes, feed.stylesheet.as_deref()))
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
        description: Some(xml::escape_text(&entry.summary)),
        content: entry.html.clone(),
        enclosure: entry.enclosure.as_ref().map(|enclosure| Enclosure {
            url: enclosure.url.clone(),
            length: enclosure.length.unwrap_or_default().to_string(),
            mime_type: enclosure.media_type.clone(),
        }),
        extensions: entry.image.as_ref().map(picture).unwrap_or_default(),
        categories: entry.terms.iter().map(|term| Category { name: term.clone(), domain: None }).collect(),
        dublin_core_ext: Some(DublinCoreExtension {
            creators: entry.authors.iter().map(|a| a.name.clone()).collect(),
            languages: entry.language.iter().cloned().collect(),
            ..DublinCoreExtension::default()
        }),
        ..Item::default()
    }
}

/// Media RSS (rssboard.org/media-rss): what readers show beside the title.
fn picture(image: &Image) -> ExtensionMap {
    let element = |name: &str, value: Option<String>, attrs: &[(&str, &str)]| Extension {
        name: name.to_owned(),
        value,
        attrs: attrs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..Extension::default()
    };
    let mut content = element("media:content", None, &xml::media_content(image));
    if !image.alt.is_empty() {
        let alt = element("media:description", Some(image.alt.clone()), &[("type", "plain")]);
        content.children.insert("description".to_owned(), vec![alt]);
    }
    let media = std::iter::once(("content".to_owned(), vec![content])).collect();
    std::iter::once(("media".to_owned(), media)).collect()
}

/// RFC 822 with a four-digit year, in UTC, as HTTP writes it too.
fn date(instant: Timestamp) -> String {
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&instant).unwrap_or_default()
}

/// The ids of a feed, in order.
pub fn ids(bytes: &[u8]) -> Result<Vec<String>, String> {
    xml::texts(bytes, "item", "guid")
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
