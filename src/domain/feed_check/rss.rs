//! RSS 2.0 and its profile. Older ones are read, and told that they are.

use super::Findings;
use super::addresses::{Wanted, has_email};
use super::content::{has_entity, has_tag};
use super::dates::Style;
use super::entries::Together;
use super::rss_channel;
use crate::domain::feed_document::tree::{Element, Space};

const CHANNEL: [&str; 20] = [
    "title",
    "link",
    "description",
    "language",
    "copyright",
    "managingEditor",
    "webMaster",
    "pubDate",
    "lastBuildDate",
    "category",
    "generator",
    "docs",
    "cloud",
    "ttl",
    "image",
    "rating",
    "textInput",
    "skipHours",
    "skipDays",
    "item",
];
const ITEM: [&str; 10] =
    ["title", "link", "description", "author", "category", "comments", "enclosure", "guid", "pubDate", "source"];
/// May come more than once.
const MANY: [&str; 3] = ["category", "item", "enclosure"];

pub(super) fn check(root: &Element<'_>, findings: &mut Findings<'_>) -> usize {
    version(root, findings);
    let Some(channel) = root.elements().find(|e| e.name == "channel").or((root.name == "channel").then_some(root))
    else {
        findings.error(root.at, "channel", "there is no `channel`", "RSS has its entries in a `channel`");
        return 0;
    };
    let old = root.name != "rss";
    about(channel, findings);
    if !old {
        known(channel, &CHANNEL, findings);
        rss_channel::check(channel, findings);
    }
    findings.channel_extensions(channel);
    let items = channel.elements().chain(root.elements()).filter(|e| e.name == "item" && is_own(e));
    let (mut together, mut count) = (Together::called("guid"), 0);
    for item in items {
        count += 1;
        check_item(item, old, findings, &mut together);
    }
    count
}

fn is_own(element: &Element<'_>) -> bool {
    matches!(element.space, Space::None | Space::Rss)
}

pub(super) fn own<'e, 'a>(parent: &'e Element<'a>, name: &str) -> Option<&'e Element<'a>> {
    parent.elements().find(|child| child.name == name && is_own(child))
}

fn version(root: &Element<'_>, findings: &mut Findings<'_>) {
    let hint = "write `<rss version=\"2.0\">`";
    match (root.name, root.attribute("version")) {
        ("rss", Some("2.0")) => {}
        ("rss", None) => findings.error(root.at, "version", "`rss` has no `version`", hint),
        ("rss", Some(other)) => findings.warn(root.at, "version", format!("RSS {other} has been superseded"), hint),
        (name, _) => findings.warn(root.at, "version", format!("`{name}` is of an RSS that has been superseded"), hint),
    }
    if root.space != Space::None && root.name == "rss" {
        findings.error(
            root.at,
            "namespace",
            "RSS 2.0 has no namespace",
            "take the `xmlns` without a prefix out: strict readers find no RSS in it",
        );
    }
}

fn about(channel: &Element<'_>, findings: &mut Findings<'_>) {
    for name in ["title", "link", "description"] {
        match own(channel, name) {
            Some(found) if !found.text().trim().is_empty() => {}
            Some(found) => findings.error(found.at, "missing", format!("the feed's `{name}` is empty"), "RSS wants it"),
            None => findings.error(channel.at, "missing", format!("the feed has no `{name}`"), "RSS wants it"),
        }
    }
    if let Some(link) = own(channel, "link").filter(|link| !link.text().trim().is_empty()) {
        findings.address(link.at, "the feed's `link`", &link.text(), Wanted::Page);
    }
    twins(channel, &CHANNEL_TWINS, findings);
    if let Some(language) = own(channel, "language") {
        findings.language(language.at, &language.text());
    }
    for name in ["pubDate", "lastBuildDate"] {
        if let Some(date) = own(channel, name) {
            findings.date(date.at, &format!("`{name}`"), &date.text(), Style::Rfc822);
        }
    }
    for name in ["managingEditor", "webMaster"] {
        if let Some(person) = own(channel, name) {
            contact(person, findings);
        }
    }
    if let Some(title) = own(channel, "title") {
        check_title(title, findings);
    }
}

fn contact(person: &Element<'_>, findings: &mut Findings<'_>) {
    if !has_email(&person.text()) {
        let message = format!("`{}` has no e-mail address", person.name);
        findings.error(
            person.at,
            "contact",
            message,
            "write `ada@example.org (Ada)`; names alone go into `dc:creator`",
        );
    }
}

/// Only RSS's own elements are without a prefix, and most of them come once.
fn known(parent: &Element<'_>, names: &[&str], findings: &mut Findings<'_>) {
    let mut seen: Vec<&str> = Vec::new();
    for child in parent.elements().filter(|child| child.space == Space::None) {
        if !names.contains(&child.name) {
            let hint = "RSS has no such element: use one of a namespace, such as `atom:updated` or `dc:creator`, or leave it out";
            findings.error(
                child.at,
                "unknown-element",
                format!("`{}` within `{}` is nothing that RSS knows", child.name, parent.name),
                hint,
            );
        } else if seen.contains(&child.name) && !MANY.contains(&child.name) {
            findings.repeated(child.at, child.name);
        }
        seen.push(child.name);
    }
}

/// What RSS says itself and a namespace says again: readers take one of them.
const ITEM_TWINS: [(&str, Space, &str); 5] = [
    ("author", Space::Dc, "creator"),
    ("pubDate", Space::Dc, "date"),
    ("category", Space::Dc, "subject"),
    ("source", Space::Dc, "source"),
    ("guid", Space::Atom, "id"),
];
const CHANNEL_TWINS: [(&str, Space, &str); 4] = [
    ("language", Space::Dc, "language"),
    ("copyright", Space::Dc, "rights"),
    ("managingEditor", Space::Dc, "creator"),
    ("webMaster", Space::Dc, "publisher"),
];

fn twins(parent: &Element<'_>, pairs: &[(&str, Space, &str)], findings: &mut Findings<'_>) {
    for (name, space, other) in pairs {
        if let (Some(_), Some(twin)) = (own(parent, name), parent.child(*space, other)) {
            let message = format!("`{name}` and `{}` say the same", twin.written());
            findings.warn(twin.at, "twice", message, "keep one: readers take one of them, and not all the same");
        }
    }
}

fn check_item(item: &Element<'_>, old: bool, findings: &mut Findings<'_>, together: &mut Together<'_>) {
    if !old {
        known(item, &ITEM, findings);
    }
    if old && item.space == Space::Rss {
        for name in ["title", "link"].into_iter().filter(|name| own(item, name).is_none()) {
            findings.error(item.at, "missing", format!("an item has no `{name}`"), "RSS 1.0 wants it");
        }
    }
    if own(item, "title").is_none() && own(item, "description").is_none() {
        findings.error(item.at, "missing", "an item has neither `title` nor `description`", "RSS wants one of them");
    }
    if let Some(title) = own(item, "title") {
        check_title(title, findings);
    }
    for name in ["link", "comments"] {
        if let Some(link) = own(item, name) {
            findings.address(link.at, &format!("an item's `{name}`"), &link.text(), Wanted::Page);
        }
    }
    match own(item, "guid") {
        Some(guid) => check_guid(guid, findings, together),
        None if old => {}
        None => findings.warn(
            item.at,
            "guid-missing",
            "an item has no `guid`",
            "readers then know it by its link or its date, and show it anew when that changes",
        ),
    }
    if let Some(date) = own(item, "pubDate") {
        findings.date(date.at, "`pubDate`", &date.text(), Style::Rfc822);
    }
    if let Some(author) = own(item, "author") {
        contact(author, findings);
    }
    if let Some(source) = own(item, "source") {
        match source.attribute("url") {
            None => findings.error(source.at, "source", "`source` has no `url`", "name the feed the item is from"),
            Some(url) => findings.address(source.at, "the `url` of `source`", url, Wanted::Page),
        }
    }
    twins(item, &ITEM_TWINS, findings);
    enclosures(item, findings);
    order(item, findings);
    texts(item, findings);
    findings.item_extensions(item);
}

fn check_title(title: &Element<'_>, findings: &mut Findings<'_>) {
    let text = title.text();
    let raw = findings.text.get(title.inner.0..title.inner.1).unwrap_or_default();
    // Written in hex it is what the profile asks for: nobody takes it for a tag.
    let hex = raw.contains("&#x3C;") || raw.contains("&#x3c;") || raw.contains("&#60;") || raw.contains("&#x26;");
    if (has_tag(&text) || has_entity(&text)) && !hex {
        let message = format!("the title `{}` reads as HTML", text.trim());
        findings.warn(
            title.at,
            "title-markup",
            message,
            "readers differ in whether they show or obey it: write `&#x3C;` for `<` and `&#x26;` for `&`",
        );
    }
}

fn check_guid(guid: &Element<'_>, findings: &mut Findings<'_>, together: &mut Together<'_>) {
    let text = guid.text();
    let id = text.trim();
    if id.is_empty() {
        findings.error(guid.at, "guid-empty", "a `guid` is empty", "write what the item is known by, for ever");
        return;
    }
    let permanent = guid.attribute("isPermaLink");
    if !matches!(permanent, None | Some("true" | "false")) {
        findings.error(guid.at, "guid-permalink", "`isPermaLink` is neither `true` nor `false`", "write one of them");
    }
    if permanent != Some("false") && !id.starts_with("http:") && !id.starts_with("https:") {
        let message = format!("the `guid` `{id}` says that it is the item's address, and is none");
        findings.error(
            guid.at,
            "guid-permalink",
            message,
            "write `isPermaLink=\"false\"`; the id itself stays as it is",
        );
    }
    together.id(findings, id, guid.at);
}

fn enclosures(item: &Element<'_>, findings: &mut Findings<'_>) {
    let all: Vec<_> = item.elements().filter(|e| e.name == "enclosure" && is_own(e)).collect();
    if let Some(second) = all.get(1) {
        findings.warn(
            second.at,
            "enclosure-twice",
            "an item has two enclosures",
            "most readers take one: put the others into the text, or into `media:content`",
        );
    }
    for enclosure in all {
        for name in ["url", "length", "type"] {
            match (name, enclosure.attribute(name)) {
                (_, None) => findings.error(
                    enclosure.at,
                    "enclosure",
                    format!("an enclosure has no `{name}`"),
                    "RSS wants `url`, `length` in bytes and `type`",
                ),
                ("url", Some(url)) => findings.address(enclosure.at, "an enclosure's `url`", url, Wanted::Page),
                ("type", Some(kind)) => findings.media_type(enclosure.at, kind),
                (_, Some(length)) => match length.trim().parse::<u64>() {
                    Err(_) => findings.error(
                        enclosure.at,
                        "enclosure",
                        format!("an enclosure's `length` is `{length}`"),
                        "expected bytes",
                    ),
                    Ok(0) => findings.warn(
                        enclosure.at,
                        "enclosure",
                        "an enclosure's `length` is 0",
                        "write how many bytes it has: players show it",
                    ),
                    Ok(_) => {}
                },
            }
        }
    }
}

fn order(item: &Element<'_>, findings: &mut Findings<'_>) {
    let Some(full) = item.child(Space::Content, "encoded") else { return };
    if own(item, "description").is_none_or(|description| description.at > full.at) {
        let hint = "write a `description` first: readers that know no `content:encoded` show it, and some take the last of both";
        findings.warn(full.at, "description-first", "`content:encoded` has no `description` before it", hint);
    }
}

fn texts(item: &Element<'_>, findings: &mut Findings<'_>) {
    for text in [own(item, "description"), item.child(Space::Content, "encoded")].into_iter().flatten() {
        findings.markup(&text.text(), text.inner);
        if let Some(child) = text.elements().next() {
            let hint = "write HTML as text: escaped, or in CDATA";
            findings.error(
                child.at,
                "markup-bare",
                format!("`{}` has the element `{}` in it", text.written(), child.written()),
                hint,
            );
        }
    }
}
