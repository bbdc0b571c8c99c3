//! JSON Feed 1.1, and 1.0.

use super::Findings;
use super::addresses::Wanted;
use super::content::{has_end_tag, has_entity};
use super::dates::Style;
use super::entries::Together;
use crate::domain::feed_document::Unreadable;
use crate::domain::feed_document::json::{Json, Value};

const FEED: [&str; 16] = [
    "version",
    "title",
    "home_page_url",
    "feed_url",
    "description",
    "user_comment",
    "next_url",
    "icon",
    "favicon",
    "authors",
    "author",
    "language",
    "expired",
    "hubs",
    "items",
    "extensions",
];
const ITEM: [&str; 16] = [
    "id",
    "url",
    "external_url",
    "title",
    "content_html",
    "content_text",
    "summary",
    "image",
    "banner_image",
    "date_published",
    "date_modified",
    "authors",
    "author",
    "tags",
    "language",
    "attachments",
];
const VERSIONS: [&str; 2] = ["https://jsonfeed.org/version/1", "https://jsonfeed.org/version/1.1"];

pub(super) fn check(root: &Json<'_>, findings: &mut Findings<'_>) -> Result<usize, Unreadable> {
    let version = root.get("version").and_then(Json::text);
    if version.is_none_or(|v| !v.contains("jsonfeed.org")) && root.get("items").is_none() {
        return Err(Unreadable::NotAFeed("JSON of another kind"));
    }
    if !version.is_some_and(|version| VERSIONS.contains(&version)) {
        let message =
            version.map_or_else(|| "there is no `version`".to_owned(), |v| format!("`{v}` is no version of JSON Feed"));
        findings.error(root.at, "version", message, "write `\"version\": \"https://jsonfeed.org/version/1.1\"`");
    }
    control_characters(root, findings);
    known(root, &FEED, findings);
    about(root, findings);
    let Some(items) = root.get("items").filter(|items| matches!(items.value, Value::Array(_))) else {
        findings.error(root.at, "missing", "there is no array of `items`", "write `\"items\": []` at least");
        return Ok(0);
    };
    let mut together = Together::called("id");
    for item in items.items() {
        check_item(item, findings, &mut together);
    }
    Ok(items.items().len())
}

fn about(root: &Json<'_>, findings: &mut Findings<'_>) {
    if string(root, "title", findings).is_none_or(|title| title.trim().is_empty()) {
        findings.error(root.at, "missing", "the feed has no `title`", "JSON Feed wants it");
    }
    title(root, findings);
    match root.get("feed_url").filter(|url| url.text().is_some()) {
        Some(url) => findings.own_address(url.at, url.text().unwrap_or_default()),
        None => findings.warn(
            root.at,
            "self-missing",
            "the feed does not say where it is (`feed_url`)",
            "write its address: it makes the feed unique",
        ),
    }
    if root.get("home_page_url").is_none() {
        findings.warn(root.at, "missing", "the feed has no `home_page_url`", "name the page that it is the feed of");
    }
    addresses(root, &["home_page_url", "next_url", "icon", "favicon"], findings);
    if let (Some(next), true) =
        (root.get("next_url"), root.get("next_url").and_then(Json::text) == root.get("feed_url").and_then(Json::text))
    {
        findings.error(
            next.at,
            "next",
            "`next_url` is the feed itself",
            "readers would go round for ever: leave it out on the last page",
        );
    }
    if let Some(expired) = root.get("expired").filter(|expired| !matches!(expired.value, Value::Bool(_))) {
        kind(expired, "expired", "a boolean", findings);
    }
    for hub in root.get("hubs").map(Json::items).unwrap_or_default() {
        if hub.get("type").and_then(Json::text).is_none() || hub.get("url").and_then(Json::text).is_none() {
            findings.error(
                hub.at,
                "hub",
                "a hub has no `type` or no `url`",
                "write `{\"type\": \"WebSub\", \"url\": \"…\"}`",
            );
        }
        addresses(hub, &["url"], findings);
    }
    people(root, findings);
    language(root, findings);
}

fn check_item(item: &Json<'_>, findings: &mut Findings<'_>, together: &mut Together<'_>) {
    known(item, &ITEM, findings);
    match item.get("id").map(|id| (id.at, &id.value)) {
        Some((at, Value::Text(id))) if id.trim().is_empty() => {
            findings.error(at, "guid-empty", "an `id` is empty", "write what the item is known by, for ever");
        }
        Some((at, Value::Text(id))) => together.id(findings, id, at),
        Some((at, Value::Number(number))) => {
            findings.warn(at, "id-number", format!("the `id` {number} is a number"), "JSON Feed wants a string");
            together.id(findings, number, at);
        }
        Some((at, _)) => findings.error(at, "id", "an `id` is no string", "JSON Feed wants a string"),
        None => findings.error(item.at, "missing", "an item has no `id`", "readers leave out items without one"),
    }
    let html = string(item, "content_html", findings);
    if html.is_none() && string(item, "content_text", findings).is_none() {
        findings.error(
            item.at,
            "missing",
            "an item has neither `content_html` nor `content_text`",
            "JSON Feed wants one of them",
        );
    }
    if let (Some(html), Some(place)) = (html, item.get("content_html")) {
        findings.markup(html, (place.at, findings.text.len()));
    }
    title(item, findings);
    string(item, "summary", findings);
    for name in ["date_published", "date_modified"] {
        if let (Some(text), Some(place)) = (string(item, name, findings), item.get(name)) {
            findings.date(place.at, &format!("`{name}`"), text, Style::Rfc3339);
        }
    }
    addresses(item, &["url", "external_url", "image", "banner_image"], findings);
    for tag in item.get("tags").map(Json::items).unwrap_or_default() {
        if tag.text().is_none() {
            kind(tag, "tags", "an array of strings", findings);
        }
    }
    for attachment in item.get("attachments").map(Json::items).unwrap_or_default() {
        check_attachment(attachment, findings);
    }
    people(item, findings);
    language(item, findings);
}

fn check_attachment(attachment: &Json<'_>, findings: &mut Findings<'_>) {
    for name in ["url", "mime_type"] {
        if attachment.get(name).and_then(Json::text).is_none() {
            findings.error(
                attachment.at,
                "enclosure",
                format!("an attachment has no `{name}`"),
                "JSON Feed wants `url` and `mime_type`",
            );
        }
    }
    addresses(attachment, &["url"], findings);
    if let Some(mime) = attachment.get("mime_type").and_then(Json::text) {
        findings.media_type(attachment.at, mime);
    }
    for name in ["size_in_bytes", "duration_in_seconds"] {
        if let Some(size) = attachment.get(name).filter(|size| !matches!(size.value, Value::Number(_))) {
            kind(size, name, "a number", findings);
        }
    }
}

fn title(of: &Json<'_>, findings: &mut Findings<'_>) {
    let Some((place, text)) = of.get("title").and_then(|title| Some((title, title.text()?))) else { return };
    if has_entity(text) || has_end_tag(text) {
        let message = format!("the title `{text}` reads as HTML");
        findings.warn(place.at, "title-markup", message, "titles are plain text: write the characters themselves");
    }
}

fn people(of: &Json<'_>, findings: &mut Findings<'_>) {
    if let Some(author) = of.get("author").filter(|_| of.get("authors").is_none()) {
        findings.warn(author.at, "author", "`author` is of version 1.0", "write `\"authors\": [{\"name\": \"…\"}]`");
    }
    for author in of.get("authors").map(Json::items).unwrap_or_default() {
        let named = ["name", "url", "avatar"].iter().any(|key| author.get(key).and_then(Json::text).is_some());
        if !named {
            findings.error(
                author.at,
                "person",
                "an author has no `name`, `url` or `avatar`",
                "write `{\"name\": \"…\"}`",
            );
        }
        addresses(author, &["url", "avatar"], findings);
    }
}

fn language(of: &Json<'_>, findings: &mut Findings<'_>) {
    if let Some((place, text)) = of.get("language").and_then(|language| Some((language, language.text()?))) {
        findings.language(place.at, text);
    }
}

fn addresses(of: &Json<'_>, names: &[&str], findings: &mut Findings<'_>) {
    for name in names {
        let Some(place) = of.get(name) else { continue };
        match place.text() {
            Some(text) => findings.address(place.at, &format!("`{name}`"), text, Wanted::Iri),
            None => kind(place, name, "a string", findings),
        }
    }
}

fn string<'j>(of: &'j Json<'_>, name: &str, findings: &mut Findings<'_>) -> Option<&'j str> {
    let place = of.get(name)?;
    if place.text().is_none() {
        kind(place, name, "a string", findings);
    }
    place.text()
}

fn kind(place: &Json<'_>, name: &str, expected: &str, findings: &mut Findings<'_>) {
    findings.error(place.at, "kind", format!("`{name}` is {}", place.kind()), format!("JSON Feed wants {expected}"));
}

fn known(of: &Json<'_>, names: &[&str], findings: &mut Findings<'_>) {
    for (index, member) in of.members().iter().enumerate() {
        if of.members()[..index].iter().any(|before| before.key == member.key) {
            let hint = "parsers take one of them, and not all the same";
            findings.error(member.at, "repeated", format!("`{}` comes twice", member.key), hint);
        } else if !names.contains(&member.key.as_ref()) && !member.key.starts_with('_') {
            let hint = "what is not JSON Feed's own begins with `_`";
            findings.warn(
                member.at,
                "unknown-element",
                format!("`{}` is nothing that JSON Feed knows", member.key),
                hint,
            );
        }
    }
}

/// JSON has them escaped.
fn control_characters(value: &Json<'_>, findings: &mut Findings<'_>) {
    match &value.value {
        // A text with an escape in it is no longer the source; what stands there is looked at all the same.
        Value::Text(text) if text.chars().any(|c| c < ' ') => {
            let source = findings.text.get(value.at + 1..).unwrap_or_default();
            let end = source.bytes().scan(false, |escaped, byte| {
                let ends = byte == b'"' && !*escaped;
                *escaped = byte == b'\\' && !*escaped;
                (!ends).then_some(())
            });
            let source = source.get(..end.count()).unwrap_or_default();
            if let Some(at) = source.find(|c: char| c < ' ') {
                let message = format!("the character U+{:04X} stands in a string", u32::from(source.as_bytes()[at]));
                findings.error(
                    value.at + 1 + at,
                    "control-character",
                    message,
                    "JSON wants it escaped; best take it out of the post",
                );
            }
        }
        Value::Array(items) => items.iter().for_each(|item| control_characters(item, findings)),
        Value::Object(members) => members.iter().for_each(|member| control_characters(&member.value, findings)),
        _ => {}
    }
}
