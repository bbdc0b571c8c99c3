//! Atom: RFC 4287.

use super::Findings;
use super::addresses::{Wanted, is_email};
use super::content::has_end_tag;
use super::dates::Style;
use super::entries::Together;
use crate::domain::feed_document::tree::{Element, Space};

/// A feed's, its entries last: an entry's `source` may have all but those.
const FEED: [&str; 13] = [
    "author",
    "category",
    "contributor",
    "generator",
    "icon",
    "id",
    "link",
    "logo",
    "rights",
    "subtitle",
    "title",
    "updated",
    "entry",
];
const ENTRY: [&str; 12] = [
    "author",
    "category",
    "content",
    "contributor",
    "id",
    "link",
    "published",
    "rights",
    "source",
    "summary",
    "title",
    "updated",
];
const MANY: [&str; 5] = ["author", "category", "contributor", "link", "entry"];

pub(super) fn check(root: &Element<'_>, findings: &mut Findings<'_>) -> usize {
    if root.space != Space::Atom {
        let message = if root.space == Space::Atom03 {
            "Atom 0.3 has been superseded"
        } else {
            "`feed` is not in Atom's namespace"
        };
        findings.error(root.at, "namespace", message, "write `<feed xmlns=\"http://www.w3.org/2005/Atom\">`");
        return root.elements().filter(|e| e.name == "entry").count();
    }
    known(root, &FEED, findings);
    needed(root, "the feed", findings);
    findings.self_link(root, "write `<link rel=\"self\" type=\"application/atom+xml\" href=\"…\"/>`");
    findings.history(root);
    constructs(root, findings);
    links(root, findings);
    let mut together = Together::called("id");
    let signed = own(root, "author").is_some();
    let entries: Vec<_> = root.elements().filter(|e| e.name == "entry" && e.space == Space::Atom).collect();
    for entry in &entries {
        check_entry(entry, signed, findings, &mut together);
    }
    entries.len()
}

fn own<'e, 'a>(parent: &'e Element<'a>, name: &str) -> Option<&'e Element<'a>> {
    parent.child(Space::Atom, name)
}

fn known(parent: &Element<'_>, names: &[&str], findings: &mut Findings<'_>) {
    let mut seen: Vec<&str> = Vec::new();
    for child in parent.elements().filter(|child| matches!(child.space, Space::Atom | Space::None)) {
        if !names.contains(&child.name) || child.space == Space::None {
            let message = format!("`{}` within `{}` is nothing that Atom knows", child.written(), parent.name);
            findings.error(
                child.at,
                "unknown-element",
                message,
                "use an element of a namespace of its own, or leave it out",
            );
        } else if seen.contains(&child.name) && !MANY.contains(&child.name) {
            findings.repeated(child.at, child.name);
        }
        seen.push(child.name);
    }
}

/// What a feed and each entry has to have; gives `updated`.
fn needed(parent: &Element<'_>, what: &str, findings: &mut Findings<'_>) -> Option<jiff::Timestamp> {
    for name in ["id", "title", "updated"] {
        if own(parent, name).is_none() {
            findings.error(parent.at, "missing", format!("{what} has no `{name}`"), "Atom wants it");
        }
    }
    if let Some(id) = own(parent, "id") {
        findings.address(id.at, &format!("the `id` of {what}"), &id.text(), Wanted::Id);
    }
    let updated = own(parent, "updated")?;
    findings.date(updated.at, "`updated`", &updated.text(), Style::Rfc3339)
}

/// Texts and people.
fn constructs(parent: &Element<'_>, findings: &mut Findings<'_>) {
    for child in parent.elements().filter(|child| child.space == Space::Atom) {
        match child.name {
            "title" | "subtitle" | "rights" | "summary" => text(child, findings),
            "author" | "contributor" => person(child, findings),
            "category" => category(child, findings),
            "generator" => generator(child, findings),
            "icon" | "logo" => {
                findings.address(child.at, &format!("`{}`", child.name), &child.text(), Wanted::Reference);
            }
            _ => {}
        }
    }
    if let Some(language) = parent.attribute_in(Space::Xml, "lang").filter(|language| !language.is_empty()) {
        findings.language(parent.at, language);
    }
}

fn category(category: &Element<'_>, findings: &mut Findings<'_>) {
    let hint = "write `<category term=\"…\"/>`";
    match category.attribute("term") {
        None => findings.error(category.at, "category", "a `category` has no `term`", hint),
        Some(term) if term.trim().is_empty() => {
            findings.warn(category.at, "category", "the `term` of a `category` is empty", hint);
        }
        Some(_) => {}
    }
    if let Some(scheme) = category.attribute("scheme") {
        findings.address(category.at, "the `scheme` of a `category`", scheme, Wanted::Id);
    }
    plain_attribute(category, "label", findings);
}

/// Attributes are text: HTML in one is shown as it is written.
fn plain_attribute(element: &Element<'_>, name: &str, findings: &mut Findings<'_>) {
    if element.attribute(name).is_some_and(has_end_tag) {
        let message = format!("`{name}` of a `{}` reads as HTML", element.name);
        findings.warn(element.at, "title-markup", message, "write the words without tags");
    }
}

fn generator(generator: &Element<'_>, findings: &mut Findings<'_>) {
    if let Some(uri) = generator.attribute("uri") {
        findings.address(generator.at, "the generator's `uri`", uri, Wanted::Reference);
    }
    bare(generator, findings);
}

fn text(element: &Element<'_>, findings: &mut Findings<'_>) {
    let name = element.name;
    if element.nodes.is_empty() || element.deep_text().trim().is_empty() && element.elements().next().is_none() {
        findings.warn(
            element.at,
            "empty",
            format!("`{name}` is empty"),
            "say something, or leave it out where Atom lets you",
        );
    }
    match element.attribute("type").unwrap_or("text") {
        "text" => {
            if has_end_tag(&element.text()) {
                let message = format!("`{name}` is shown with its tags: it says that it is no HTML");
                findings.warn(element.at, "title-markup", message, "write `type=\"html\"`, or the words without tags");
            }
            bare(element, findings);
        }
        "html" => {
            findings.markup(&element.text(), element.inner);
            bare(element, findings);
        }
        "xhtml" => xhtml(element, findings),
        other => findings.error(
            element.at,
            "text-type",
            format!("the `type` of `{name}` is `{other}`"),
            "expected text, html or xhtml",
        ),
    }
}

/// Elements where Atom wants text.
fn bare(element: &Element<'_>, findings: &mut Findings<'_>) {
    if let Some(child) = element.elements().next() {
        let message = format!("`{}` has the element `{}` in it", element.name, child.written());
        findings.error(
            child.at,
            "markup-bare",
            message,
            "write HTML as text (escaped, with `type=\"html\"`), or use `type=\"xhtml\"`",
        );
    }
}

fn xhtml(element: &Element<'_>, findings: &mut Findings<'_>) {
    if element.child(Space::Xhtml, "div").is_none() {
        let message = format!("`{}` is XHTML without a `div`", element.name);
        findings.error(element.at, "xhtml-div", message, "put it into `<div xmlns=\"http://www.w3.org/1999/xhtml\">`");
    }
    findings.xhtml(element);
}

fn person(element: &Element<'_>, findings: &mut Findings<'_>) {
    findings.once(element, Space::Atom, &[]);
    if own(element, "name").is_none_or(|name| name.text().trim().is_empty()) {
        findings.error(element.at, "person", format!("an `{}` has no `name`", element.name), "Atom wants a name");
    }
    if let Some(email) = own(element, "email").filter(|email| !is_email(email.text().trim())) {
        findings.error(email.at, "person", format!("`{}` is no e-mail address", email.text().trim()), "leave it out");
    }
    if let Some(uri) = own(element, "uri") {
        findings.address(uri.at, "a person's `uri`", &uri.text(), Wanted::Reference);
    }
}

fn links(parent: &Element<'_>, findings: &mut Findings<'_>) {
    let mut alternates: Vec<(&str, &str)> = Vec::new();
    let based = parent.attribute_in(Space::Xml, "base").is_some();
    for link in parent.elements().filter(|e| e.name == "link" && e.space == Space::Atom) {
        let rel = link.attribute("rel").unwrap_or("alternate");
        match link.attribute("href") {
            None => findings.error(link.at, "link", "a `link` has no `href`", "write where it leads"),
            Some(_) if rel == "self" || based || link.attribute_in(Space::Xml, "base").is_some() => {}
            Some(href) => findings.address(link.at, &format!("a `link` ({rel})"), href, Wanted::Reference),
        }
        if let Some(kind) = link.attribute("type") {
            findings.media_type(link.at, kind);
        }
        let kind = (link.attribute("type").unwrap_or_default(), link.attribute("hreflang").unwrap_or_default());
        if let Some(language) = link.attribute("hreflang") {
            findings.language(link.at, language);
        }
        if link.attribute("length").is_some_and(|length| length.parse::<u64>().is_err()) {
            findings.error(link.at, "link", "the `length` of a `link` is no number", "expected bytes, or nothing");
        }
        plain_attribute(link, "title", findings);
        if rel == "alternate" && alternates.contains(&kind) {
            findings.error(
                link.at,
                "link",
                "two `alternate` links are of one type and language",
                "keep one, or tell them apart by `type` or `hreflang`",
            );
        }
        if rel == "alternate" {
            alternates.push(kind);
        }
    }
}

fn check_entry(entry: &Element<'_>, signed: bool, findings: &mut Findings<'_>, together: &mut Together<'_>) {
    known(entry, &ENTRY, findings);
    let updated = needed(entry, "an entry", findings);
    let id = own(entry, "id");
    if let Some(id) = id.filter(|id| !id.text().trim().is_empty()) {
        together.id(findings, id.text().trim(), id.at);
    }
    if let (Some(instant), Some(element)) = (updated, own(entry, "updated")) {
        together.updated(findings, instant, element.at);
    }
    if let Some(date) = own(entry, "published") {
        let published = findings.date(date.at, "`published`", &date.text(), Style::Rfc3339);
        if published.zip(updated).is_some_and(|(published, updated)| published > updated) {
            findings.warn(
                date.at,
                "date-order",
                "an entry is updated before it is published",
                "`updated` is never earlier than `published`",
            );
        }
    }
    let source = own(entry, "source");
    if let Some(source) = source {
        known(source, &FEED[..FEED.len() - 1], findings);
        constructs(source, findings);
        links(source, findings);
    }
    let source = source.is_some_and(|source| own(source, "author").is_some());
    if !signed && !source && own(entry, "author").is_none() {
        findings.error(
            entry.at,
            "author",
            "an entry has no `author`, nor has the feed",
            "give the feed an `author`: its own name will do",
        );
    }
    constructs(entry, findings);
    links(entry, findings);
    content(entry, findings);
    findings.item_extensions(entry);
}

fn content(entry: &Element<'_>, findings: &mut Findings<'_>) {
    let alternate = entry
        .elements()
        .any(|e| e.name == "link" && e.space == Space::Atom && e.attribute("rel").is_none_or(|rel| rel == "alternate"));
    let Some(content) = own(entry, "content") else {
        if !alternate {
            findings.error(
                entry.at,
                "missing",
                "an entry has neither `content` nor an `alternate` link",
                "Atom wants one of them",
            );
        }
        return;
    };
    if let Some(source) = content.attribute("src") {
        findings.address(content.at, "`src` of `content`", source, Wanted::Reference);
        if matches!(content.attribute("type"), Some("text" | "html" | "xhtml")) {
            let message = "`content` that is elsewhere has a media type, no text type";
            findings.error(content.at, "text-type", message, "write one such as `text/html`");
        }
        if !content.nodes.is_empty() {
            let message = "`content` is elsewhere (`src`), and here";
            findings.error(content.at, "content", message, "leave it empty, or take out `src`");
        }
        if own(entry, "summary").is_none() {
            findings.error(
                content.at,
                "missing",
                "an entry whose `content` is elsewhere has no `summary`",
                "Atom wants one",
            );
        }
        return;
    }
    match content.attribute("type").unwrap_or("text") {
        "text" | "html" | "xhtml" => text(content, findings),
        other if other.starts_with("multipart/") || other.starts_with("message/") => {
            findings.error(
                content.at,
                "media-type",
                format!("`content` is `{other}`"),
                "Atom allows no composite types",
            );
        }
        other => findings.media_type(content.at, other),
    }
}
