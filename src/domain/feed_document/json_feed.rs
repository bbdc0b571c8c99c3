//! JSON Feed 1.0 and 1.1.

use url::Url;

use super::json::{Json, Value};
use super::lines::Lines;
use super::{Entry, FeedDocument, Unreadable, absolute, date};
use crate::domain::feed_format::Format;
use crate::domain::plain;

pub(super) fn read(root: &Json<'_>, lines: &Lines<'_>, from: Option<&Url>) -> Result<FeedDocument, Unreadable> {
    let version = root.get("version").and_then(Json::text).unwrap_or_default();
    if !version.contains("jsonfeed.org") && !matches!(root.get("items").map(|i| &i.value), Some(Value::Array(_))) {
        return Err(Unreadable::NotAFeed("JSON of another kind"));
    }
    let text = |key: &str| root.get(key).and_then(Json::text).unwrap_or_default();
    let items = root.get("items").map(Json::items).unwrap_or_default();
    let hubs = root.get("hubs").map(Json::items).unwrap_or_default();
    Ok(FeedDocument {
        format: Format::Json,
        title: plain::line(text("title")),
        self_link: absolute(from, text("feed_url")),
        page: absolute(from, text("home_page_url")),
        previous: absolute(from, text("next_url")),
        hubs: hubs.iter().filter_map(|hub| absolute(from, hub.get("url")?.text()?)).collect(),
        entries: items.iter().map(|item| entry(item, lines, from)).collect(),
    })
}

fn entry(item: &Json<'_>, lines: &Lines<'_>, from: Option<&Url>) -> Entry {
    let text = |key: &str| item.get(key).and_then(Json::text).unwrap_or_default();
    let id = match item.get("id").map(|id| &id.value) {
        Some(Value::Text(id)) => Some(id.trim().to_owned()),
        // The format has readers take numbers for what they look like.
        Some(Value::Number(number)) => Some((*number).to_owned()),
        _ => None,
    };
    Entry {
        id: id.filter(|id| !id.is_empty()),
        url: absolute(from, text("url")).or_else(|| absolute(from, text("external_url"))),
        title: plain::line(text("title")),
        published: date(text("date_published")),
        updated: date(text("date_modified")),
        line: lines.line(item.at),
    }
}
