//! JSON Feed 1.1 (jsonfeed.org). Turns the neutral feed into bytes and reads ids back; decides nothing.

use serde::{Deserialize, Serialize};

use super::feed::{Entry, Feed};
use crate::domain::author::Author;
use crate::domain::feed_format::Format;
use crate::domain::post::Enclosure;

#[derive(Serialize)]
struct Document<'a> {
    version: &'static str,
    title: &'a str,
    home_page_url: &'a str,
    feed_url: &'a str,
    description: &'a str,
    language: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<Person<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hubs: Vec<Hub<'a>>,
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Hub<'a> {
    r#type: &'static str,
    url: &'a str,
}

#[derive(Serialize)]
struct Person<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Serialize)]
struct Item<'a> {
    id: &'a str,
    url: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_html: Option<&'a str>,
    /// The format wants some content; where only summaries are wanted this is it.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_text: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    summary: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment<'a>>,
    date_published: String,
    date_modified: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authors: Vec<Person<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
}

#[derive(Serialize)]
struct Attachment<'a> {
    url: &'a str,
    mime_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_in_bytes: Option<u64>,
}

pub fn write(feed: &Feed) -> Result<Vec<u8>, String> {
    let document = Document {
        version: "https://jsonfeed.org/version/1.1",
        title: &feed.title,
        home_page_url: &feed.page,
        feed_url: feed.address(Format::Json),
        description: &feed.description,
        language: &feed.language,
        authors: feed.author.iter().map(person).collect(),
        hubs: feed.hubs.iter().map(|url| Hub { r#type: "WebSub", url }).collect(),
        items: feed.entries.iter().map(item).collect(),
    };
    let mut bytes = serde_json::to_vec(&document).map_err(|error| error.to_string())?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn person(author: &Author) -> Person<'_> {
    let url = author.uri.clone().or_else(|| author.email.as_ref().map(|email| format!("mailto:{email}")));
    Person { name: &author.name, url }
}

fn attachment(enclosure: &Enclosure) -> Attachment<'_> {
    Attachment { url: &enclosure.url, mime_type: &enclosure.media_type, size_in_bytes: enclosure.length }
}

fn item(entry: &Entry) -> Item<'_> {
    Item {
        id: &entry.id,
        url: &entry.url,
        title: &entry.title,
        content_html: entry.html.as_deref(),
        content_text: entry.html.is_none().then_some(entry.summary.as_str()),
        summary: &entry.summary,
        image: entry.image.as_ref().map(|image| image.url.as_str()),
        attachments: entry.enclosure.iter().map(attachment).collect(),
        date_published: entry.published.to_string(),
        date_modified: entry.updated.to_string(),
        authors: entry.authors.iter().map(person).collect(),
        tags: &entry.terms,
        language: entry.language.as_deref(),
    }
}

#[derive(Deserialize)]
struct Ids {
    items: Vec<Id>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

/// The ids of a feed, in order.
pub fn ids(bytes: &[u8]) -> Result<Vec<String>, String> {
    let document: Ids = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    Ok(document.items.into_iter().map(|item| item.id).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::feed::tests::sample;

    #[test]
    fn a_whole_feed_is_written() {
        let bytes = write(&sample()).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        insta::assert_snapshot!("json_feed", serde_json::to_string_pretty(&value).unwrap());
    }
}
