//! Conditional requests (RFC 9110, section 13): whether what a reader has is still what there is. Tags are weak, because
//! servers in front compress and re-tag what passes through them; a tag's `-gzip` ending is such a server's work.

use std::sync::LazyLock;

use axum::body::{Body, Bytes};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Response, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};

use crate::domain::feed_format::FRESH_SECONDS;
use crate::domain::hash;

/// For pages, which people reload.
pub const MINUTES: &str = "public, max-age=300";
pub const ENCODING: HeaderValue = HeaderValue::from_static("accept-encoding");

/// For feeds: readers poll no oftener than this.
pub fn fresh() -> HeaderValue {
    static FRESH: LazyLock<HeaderValue> = LazyLock::new(|| {
        HeaderValue::try_from(format!("public, max-age={FRESH_SECONDS}")).unwrap_or(HeaderValue::from_static(MINUTES))
    });
    FRESH.clone()
}

/// A page that was made for this request, before it is known whether the reader has it already.
pub struct Answer {
    bytes: Bytes,
    content_type: HeaderValue,
    cache: HeaderValue,
}

impl Answer {
    pub fn new(bytes: impl Into<Bytes>, media_type: &'static str, cache: HeaderValue) -> Self {
        Self { bytes: bytes.into(), content_type: content_type(media_type), cache }
    }

    pub fn page(html: String) -> Self {
        Self::new(html, "text/html", HeaderValue::from_static(MINUTES))
    }

    /// The answer itself, or 304 to a reader that asked whether it has changed.
    pub fn to(self, request: &HeaderMap, now: Timestamp) -> Response<Body> {
        let tag = tag(hash::of(&self.bytes));
        let unchanged = is_unchanged(request, &tag, None, now);
        let mut response = Response::new(if unchanged { Body::empty() } else { Body::from(self.bytes) });
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, self.cache);
        headers.insert(header::VARY, ENCODING);
        headers.insert(header::ETAG, tag);
        if unchanged {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            response.headers_mut().insert(header::CONTENT_TYPE, self.content_type);
        }
        response
    }
}

/// Weak, and the same for all forms of the same bytes.
pub fn tag(hash: u128) -> HeaderValue {
    HeaderValue::try_from(format!("W/\"{hash:032x}\"")).unwrap_or(HeaderValue::from_static("W/\"\""))
}

pub fn date(at: Timestamp) -> Option<HeaderValue> {
    DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok().and_then(|text| HeaderValue::try_from(text).ok())
}

/// JSON has no charset parameter; all else is UTF-8 and says so.
pub fn content_type(media_type: &'static str) -> HeaderValue {
    if media_type.ends_with("json") {
        return HeaderValue::from_static(media_type);
    }
    HeaderValue::try_from(format!("{media_type}; charset=utf-8"))
        .unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// What servers in front put to the tags of what they compress.
const ENDINGS: [&str; 7] = ["--gzip", "-gzip", ";gzip", "-br", ";br", "-zstd", ";zstd"];

/// Tags decide if there are any; dates only without them.
pub fn is_unchanged(request: &HeaderMap, tag: &HeaderValue, modified: Option<Timestamp>, now: Timestamp) -> bool {
    if request.contains_key(header::IF_NONE_MATCH) {
        let tag = tag.to_str().unwrap_or_default();
        return tags(request, header::IF_NONE_MATCH).any(|known| matches(known, tag));
    }
    match (since(request, header::IF_MODIFIED_SINCE), modified) {
        // A date to come is no date we have told, and would be newer than every change.
        (Some(since), Some(modified)) => since <= now.as_second() && modified.as_second() <= since,
        _ => false,
    }
}

/// Whether a reader who wants only what it knows would get something else. Takes only strong tags for the same.
pub fn is_another(request: &HeaderMap, tag: &HeaderValue, modified: Timestamp) -> bool {
    if request.contains_key(header::IF_MATCH) {
        return !tags(request, header::IF_MATCH).any(|known| known == "*" || known.as_bytes() == tag.as_bytes());
    }
    since(request, header::IF_UNMODIFIED_SINCE).is_some_and(|since| modified.as_second() > since)
}

/// Whether a reader that has a part may be given another: it knows this very version by its strong tag or its exact date, or
/// does not say what it knows.
pub fn may_go_on(request: &HeaderMap, tag: &HeaderValue, modified: Option<Timestamp>) -> bool {
    let Some(known) = request.get(header::IF_RANGE) else { return true };
    known == tag || modified.and_then(date).is_some_and(|date| known == date)
}

fn tags(request: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lists = request.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim)
}

fn since(request: &HeaderMap, name: HeaderName) -> Option<i64> {
    request.get(name).and_then(|value| value.to_str().ok()).and_then(second)
}

fn matches(known: &str, tag: &str) -> bool {
    known == "*" || opaque(known).is_some_and(|known| Some(known) == opaque(tag))
}

/// What stands between a tag's quotes, as we gave it.
fn opaque(tag: &str) -> Option<&str> {
    let quoted = tag.strip_prefix("W/").or_else(|| tag.strip_prefix("w/")).unwrap_or(tag);
    let inner = quoted.strip_prefix('"')?.strip_suffix('"')?;
    Some(ENDINGS.iter().find_map(|ending| inner.strip_suffix(ending)).unwrap_or(inner))
}

fn second(text: &str) -> Option<i64> {
    DateTimeParser::new().parse_timestamp(text).ok().map(Timestamp::as_second)
}
