//! Atom, and Atom 0.3 as there still is.

use url::Url;

use super::lines::Lines;
use super::tree::Element;
use super::{Entry, FeedDocument, Links, base_in, date, plain, text_of};
use crate::domain::feed_format::Format;

pub(super) fn read(root: &Element<'_>, lines: &Lines<'_>, from: Option<&Url>) -> FeedDocument {
    let base = base_in(root, from);
    let links = Links::of(root, base.as_ref());
    let entries = root.elements().filter(|child| child.name == "entry" && child.space == root.space);
    FeedDocument {
        format: Format::Atom,
        title: title(root),
        self_link: links.own,
        page: links.page,
        previous: links.previous,
        hubs: links.hubs,
        entries: entries.map(|element| entry(element, lines, base.as_ref())).collect(),
    }
}

fn entry(element: &Element<'_>, lines: &Lines<'_>, base: Option<&Url>) -> Entry {
    let base = base_in(element, base);
    let own = |names: &[&'static str]| {
        names.iter().find_map(|name| text_of(element, |child| child.name == *name && child.space == element.space))
    };
    Entry {
        id: own(&["id"]),
        url: Links::of(element, base.as_ref()).page,
        title: title(element),
        published: own(&["published", "issued"]).and_then(|text| date(&text)),
        updated: own(&["updated", "modified"]).and_then(|text| date(&text)),
        line: lines.line(element.at),
    }
}

/// Plain text is what it is; only the other two kinds are markup.
fn title(parent: &Element<'_>) -> String {
    let Some(title) = parent.elements().find(|child| child.name == "title" && child.space == parent.space) else {
        return String::new();
    };
    match title.attribute("type") {
        Some("html" | "text/html") => plain(&title.text()),
        Some("xhtml" | "application/xhtml+xml") => crate::domain::plain::line(&title.deep_text()),
        _ => crate::domain::plain::line(&title.text()),
    }
}
