//! Conditional requests (RFC 9110, section 13): whether what a reader has is still what there is. Tags are weak, because
//! servers in front compress and re-tag what passes through them; a tag's `-gzip` ending is such a server's work.

use axum::body::Body;
use axum::body::Bytes;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Response, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};

use super::published::Content;
use crate::domain::hash;

/// For how long feeds may be kept: readers poll no oftener than this.
pub const HOUR: &str = "public, max-age=3600";
/// For pages, which people reload.
pub const MINUTES: &str = "public, max-age=300";

/// A whole answer, before it is known whether the reader has it already.
pub struct Answer {
    content: Content,
    hash: u128,
    content_type: HeaderValue,
    cache: HeaderValue,
    modified: Option<Timestamp>,
}

impl Answer {
    pub fn new(bytes: impl Into<Bytes>, media_type: &'static str, cache: &'static str) -> Self {
        let bytes = bytes.into();
        Self {
            hash: hash::of(&bytes),
            content: Content::Memory(bytes),
            content_type: content_type(media_type),
            cache: HeaderValue::from_static(cache),
            modified: None,
        }
    }

    pub fn page(html: String) -> Self {
        Self::new(html, "text/html", MINUTES)
    }

    pub fn document(document: &super::Document) -> Self {
        Self {
            content: document.content.clone(),
            hash: document.hash,
            content_type: content_type(document.media_type),
            cache: HeaderValue::from_static(HOUR),
            modified: Some(document.modified),
        }
    }

    /// As `to`, for an answer whose bytes may still be on the disk; they are read only if they are wanted.
    pub async fn fetched(mut self, request: &HeaderMap, now: Timestamp) -> std::io::Result<Response<Body>> {
        if let Content::File(path) = &self.content
            && !self.is_unchanged(request, now)
        {
            self.content = Content::Memory(tokio::fs::read(path).await?.into());
        }
        Ok(self.to(request, now))
    }

    fn tag(&self) -> String {
        format!("W/\"{:032x}\"", self.hash)
    }

    /// A date that has not come yet is not told: some readers would wait for it.
    fn told(&self, now: Timestamp) -> Option<Timestamp> {
        self.modified.filter(|modified| *modified <= now)
    }

    fn is_unchanged(&self, request: &HeaderMap, now: Timestamp) -> bool {
        is_unchanged(request, &self.tag(), self.told(now), now)
    }

    /// The answer itself, or 304 to a reader that asked whether it has changed.
    pub fn to(self, request: &HeaderMap, now: Timestamp) -> Response<Body> {
        let (tag, modified, unchanged) = (self.tag(), self.told(now), self.is_unchanged(request, now));
        let date = modified.and_then(|at| DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok());
        let mut response = Response::new(match self.content {
            Content::Memory(bytes) if !unchanged => Body::from(bytes),
            _ => Body::empty(),
        });
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, self.cache);
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        insert(headers, header::ETAG, Some(tag));
        insert(headers, header::LAST_MODIFIED, date);
        if unchanged {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            response.headers_mut().insert(header::CONTENT_TYPE, self.content_type);
        }
        response
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: Option<String>) {
    if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
        headers.insert(name, value);
    }
}

/// JSON has no charset parameter; all else is UTF-8 and says so.
fn content_type(media_type: &'static str) -> HeaderValue {
    if media_type.ends_with("json") {
        return HeaderValue::from_static(media_type);
    }
    HeaderValue::try_from(format!("{media_type}; charset=utf-8"))
        .unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// Tags decide if there are any; dates only without them.
fn is_unchanged(request: &HeaderMap, tag: &str, modified: Option<Timestamp>, now: Timestamp) -> bool {
    if request.contains_key(header::IF_NONE_MATCH) {
        let lists = request.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
        return lists.flat_map(|list| list.split(',')).any(|known| matches(known, tag));
    }
    let since = request.get(header::IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok()).and_then(date);
    match (since, modified) {
        // A date to come is no date we have told, and would be newer than every change.
        (Some(since), Some(modified)) => since <= now.as_second() && modified.as_second() <= since,
        _ => false,
    }
}

fn matches(known: &str, tag: &str) -> bool {
    let known = known.trim();
    known == "*" || opaque(known).is_some_and(|known| Some(known) == opaque(tag))
}

/// What stands between a tag's quotes, as we gave it.
fn opaque(tag: &str) -> Option<&str> {
    let quoted = tag.strip_prefix("W/").or_else(|| tag.strip_prefix("w/")).unwrap_or(tag);
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    Some(inner.strip_suffix("-gzip").or_else(|| inner.strip_suffix(";gzip")).unwrap_or(inner))
}

fn date(text: &str) -> Option<i64> {
    DateTimeParser::new().parse_timestamp(text).ok().map(Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODIFIED: &str = "Sat, 01 May 2021 10:00:00 GMT";

    fn answer(request: &[(HeaderName, &str)]) -> Response<Body> {
        let modified = "2021-05-01T10:00:00.7Z".parse().unwrap();
        let now = "2021-06-01T00:00:00Z".parse().unwrap();
        let document = super::super::Document::new("text", "application/atom+xml", modified);
        let headers = request.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
        Answer::document(&document).to(&headers.collect(), now)
    }

    #[test]
    fn only_a_reader_that_has_it_is_told_that_it_has_not_changed() {
        let plain = answer(&[]);
        let tag = plain.headers()[header::ETAG].to_str().unwrap().to_owned();
        assert_eq!(plain.headers()[header::LAST_MODIFIED], MODIFIED);
        let strong = tag.trim_start_matches("W/").to_owned();
        let gzip = strong.replacen('"', "", 1).replace('"', "-gzip\"");
        let lists = [
            (tag.clone(), 304),
            (strong.clone(), 304),
            (format!("\"{gzip}"), 304),
            (format!("W/\"{gzip}"), 304),
            (format!("\"a\", {tag}, \"b\""), 304),
            (format!("\"a\",{strong}"), 304),
            ("*".into(), 304),
            ("\"a\"".into(), 200),
            (strong.replace('"', ""), 200),
            ("W/\"\"".into(), 200),
            (String::new(), 200),
        ];
        for (list, expected) in lists {
            assert_eq!(answer(&[(header::IF_NONE_MATCH, &list)]).status(), expected, "{list}");
        }
        for (since, expected) in [
            (MODIFIED, 304),
            ("Sat, 01 May 2021 10:00:01 GMT", 304),
            ("Sat, 01 May 2021 09:59:59 GMT", 200),
            ("Fri, 01 Jan 2038 00:00:00 GMT", 200),
            ("yesterday", 200),
            ("0", 200),
            ("", 200),
        ] {
            assert_eq!(answer(&[(header::IF_MODIFIED_SINCE, since)]).status(), expected, "{since}");
        }
        // A tag that does not fit outweighs a date that does, and the other way round.
        let both = [(header::IF_NONE_MATCH, "\"a\""), (header::IF_MODIFIED_SINCE, MODIFIED)];
        assert_eq!(answer(&both).status(), 200);
        let both = [(header::IF_NONE_MATCH, tag.as_str()), (header::IF_MODIFIED_SINCE, "yesterday")];
        assert_eq!(answer(&both).status(), 304);
    }

    #[test]
    fn a_date_to_come_is_not_told() {
        let document = super::super::Document::new("", "text/x-opml", "2041-01-01T00:00:00Z".parse().unwrap());
        let now = "2021-06-01T00:00:00Z".parse().unwrap();
        let asked = HeaderMap::from_iter([(header::IF_MODIFIED_SINCE, HeaderValue::from_static(MODIFIED))]);
        let response = Answer::document(&document).to(&asked, now);
        assert_eq!(response.status(), 200);
        assert!(!response.headers().contains_key(header::LAST_MODIFIED));
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/x-opml; charset=utf-8");
    }
}
