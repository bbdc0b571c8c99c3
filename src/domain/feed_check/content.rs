//! The HTML within entries: what is unsafe, what readers take out, and addresses that lead nowhere from a feed.

use url::Url;

use super::Findings;
use crate::domain::feed_document::tree::{Element, Space, attributes};

/// Elements that readers take out, and their contents with them.
const UNSAFE: [&str; 11] =
    ["script", "iframe", "style", "object", "embed", "applet", "base", "form", "meta", "link", "frame"];
const ADDRESSES: [&str; 5] = ["href", "src", "poster", "cite", "data"];

impl Findings<'_> {
    /// Checks markup that stands as text within `range` of the source.
    pub(super) fn markup(&mut self, html: &str, range: (usize, usize)) {
        let mut rest = html;
        while let Some(open) = rest.find('<') {
            rest = &rest[open + 1..];
            if let Some(comment) = rest.strip_prefix("!--") {
                rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
                continue;
            }
            if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
                continue;
            }
            let end = tag_end(rest);
            let (_, name, attributes) = attributes::tag(&rest[..end]);
            let found = attributes::scan(attributes, 0).map(|(a, _)| (a.name.to_ascii_lowercase(), decoded(&a.value)));
            self.tag(&name.to_ascii_lowercase(), found, range);
            rest = &rest[end..];
        }
    }

    /// Checks XHTML, which stands as elements.
    pub(super) fn xhtml(&mut self, element: &Element<'_>) {
        for child in element.elements() {
            if child.space == Space::Xhtml {
                let found = child.attributes.iter().map(|a| (a.name.to_owned(), a.value.to_string()));
                self.tag(child.name, found, (child.at, child.inner.0));
            }
            self.xhtml(child);
        }
    }

    fn tag(&mut self, name: &str, attributes: impl Iterator<Item = (String, String)>, range: (usize, usize)) {
        if UNSAFE.contains(&name) {
            let at = self.place_of(name, range);
            self.warn(
                at,
                "content-unsafe",
                format!("an entry has a `{name}` element, which readers take out"),
                "say it without: a link to the page where it is shown",
            );
        }
        for (attribute, value) in attributes {
            if attribute == "srcset" {
                for candidate in srcset(&value) {
                    self.target(name, &attribute, candidate, range);
                }
            } else if ADDRESSES.contains(&attribute.as_str()) {
                self.target(name, &attribute, &value, range);
            } else if attribute.starts_with("on") && attribute.len() > 2 {
                let at = self.place_of(&attribute, range);
                self.warn(
                    at,
                    "content-unsafe",
                    format!("an entry has `{attribute}` on a `{name}`, which readers take out"),
                    "no script runs in a feed reader",
                );
            } else if attribute == "style" && is_dangerous(&value) {
                let at = self.place_of("style", range);
                self.warn(at, "content-style", format!("an entry styles a `{name}` with `{}`", value.trim()), "readers take it out, as it could reach beyond the entry: leave `position` and scripts out of styles");
            }
        }
    }

    fn target(&mut self, name: &str, attribute: &str, value: &str, range: (usize, usize)) {
        let value = value.trim();
        let at = self.place_of(value, range);
        if value.to_ascii_lowercase().starts_with("javascript:") {
            self.warn(
                at,
                "content-unsafe",
                format!("`{attribute}` of a `{name}` is a script"),
                "no script runs in a feed reader",
            );
        } else if Url::parse(value) == Err(url::ParseError::RelativeUrlWithoutBase) {
            let message = format!("`{attribute}` of a `{name}` is the relative address `{value}`");
            self.warn(
                at,
                "content-relative",
                message,
                "write the whole address: many readers do not know what it is relative to",
            );
        }
    }
}

/// Up to the `>` that is not within quotes; a tag without one is all there is.
fn tag_end(tag: &str) -> usize {
    let mut quote = None;
    for (at, c) in tag.char_indices() {
        match (quote, c) {
            (None, '>') => return at,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    tag.find('>').unwrap_or(tag.len())
}

fn decoded(value: &str) -> String {
    if value.contains('&') {
        value.replace("&amp;", "&").replace("&quot;", "\"").replace("&#39;", "'")
    } else {
        value.to_owned()
    }
}

/// The addresses of `a.png 1x, b.png 2x`. A comma within an address has no space after it.
fn srcset(value: &str) -> impl Iterator<Item = &str> {
    value.split(", ").filter_map(|candidate| candidate.split_whitespace().next()).map(|a| a.trim_end_matches(','))
}

fn is_dangerous(style: &str) -> bool {
    let style: String = style.to_ascii_lowercase().split_whitespace().collect();
    ["position:", "expression(", "behavior:", "-moz-binding", "javascript:"].iter().any(|part| style.contains(part))
}

/// What shows that a text is markup by mistake: an end tag, or an entity.
pub(super) fn has_end_tag(text: &str) -> bool {
    text.match_indices("</").any(|(at, _)| text[at + 2..].starts_with(|c: char| c.is_ascii_alphabetic()))
}

pub(super) fn has_tag(text: &str) -> bool {
    has_end_tag(text)
        || text.match_indices('<').any(|(at, _)| text[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic()))
}

pub(super) fn has_entity(text: &str) -> bool {
    text.match_indices('&').any(|(at, _)| {
        let name = text[at + 1..].split(';').next().filter(|name| text[at + 1 + name.len()..].starts_with(';'));
        name.is_some_and(|name| {
            name.strip_prefix('#')
                .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_hexdigit() || b == b'x'))
                || quick_xml::escape::resolve_html5_entity(name).is_some()
        })
    })
}
