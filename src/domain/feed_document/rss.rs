//! RSS from 0.90 to 2.0, the RDF ones too.

use url::Url;

use super::lines::Lines;
use super::tree::{Element, Space};
use super::{Entry, FeedDocument, Links, absolute, base_in, date, plain, text_of};
use crate::domain::feed_format::Format;

pub(super) fn read(root: &Element<'_>, lines: &Lines<'_>, from: Option<&Url>) -> FeedDocument {
    let base = base_in(root, from);
    let channel =
        if root.name == "channel" { root } else { root.elements().find(|e| e.name == "channel").unwrap_or(root) };
    let base = base_in(channel, base.as_ref());
    let links = Links::of(channel, base.as_ref());
    let own = |name: &'static str| text_of(channel, move |child| child.name == name && is_rss(child, root));
    let items = channel.elements().chain(root.elements().filter(|_| !std::ptr::eq(channel, root)));
    let items = items.filter(|child| child.name == "item" && is_rss(child, root));
    FeedDocument {
        format: Format::Rss,
        title: plain(&own("title").unwrap_or_default()),
        self_link: links.own,
        page: own("link").and_then(|link| absolute(base.as_ref(), &link)).or(links.page),
        previous: links.previous,
        hubs: links.hubs,
        entries: items.map(|item| entry(item, root, lines, base.as_ref())).collect(),
    }
}

/// Whether an element is RSS's own: of no namespace, or of the one that the whole document is in by mistake.
fn is_rss(element: &Element<'_>, root: &Element<'_>) -> bool {
    matches!(element.space, Space::None | Space::Rss) || (element.prefix.is_empty() && element.space == root.space)
}

fn entry(item: &Element<'_>, root: &Element<'_>, lines: &Lines<'_>, base: Option<&Url>) -> Entry {
    let base = base_in(item, base);
    let base = base.as_ref();
    let own = |name: &'static str| text_of(item, move |child| child.name == name && is_rss(child, root));
    let of = |space: Space, name: &'static str| text_of(item, move |child| child.space == space && child.name == name);
    let any = |wanted: &[(Space, &'static str)]| wanted.iter().find_map(|(space, name)| date(&of(*space, name)?));
    let guid = item.elements().find(|child| child.name == "guid" && is_rss(child, root));
    let permanent = guid.is_some_and(|guid| guid.attribute("isPermaLink") != Some("false"));
    let id = own("guid").or_else(|| item.attribute_in(Space::Rdf, "about").map(|about| about.trim().to_owned()));
    let id = id.filter(|id| !id.is_empty());
    let url = of(Space::FeedBurner, "origLink")
        .or_else(|| own("link"))
        .and_then(|link| absolute(base, &link))
        .or_else(|| Links::of(item, base).page)
        .or_else(|| id.clone().filter(|id| permanent && id.starts_with("http")));
    let title = own("title").or_else(|| of(Space::Dc, "title")).unwrap_or_default();
    Entry {
        id,
        url,
        title: plain(&title),
        published: own("pubDate")
            .and_then(|text| date(&text))
            .or_else(|| any(&[(Space::Dc, "date"), (Space::Atom, "published"), (Space::DcTerms, "issued")])),
        updated: any(&[(Space::Atom, "updated"), (Space::DcTerms, "modified")]),
        line: lines.line(item.at),
    }
}
