//! Files that posts enclose, for whoever has no other server: whole or in a range (RFC 9110, section 14), so that a player can
//! begin in the middle and go on with what it has. Only what a published post names is here, by the address it names. A file
//! is opened once for an answer, so that marks and bytes are of the same one, whatever is put in its place meanwhile.

use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::ops::Range;

use axum::body::Body;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Response, StatusCode};
use jiff::Timestamp;
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use super::conditional::{date, fresh, is_another, is_unchanged, may_go_on};
use super::documents::Asked;
use super::error::Refusal;
use super::published::Medium;

/// Sound comes by the megabyte.
const AT_ONCE: usize = 64 * 1024;

/// The file, or what of it is asked for.
pub async fn file(medium: &Medium, asked: Asked, request: &HeaderMap) -> Result<Response<Body>, Refusal> {
    let open = medium.clone().open;
    let opened = tokio::task::spawn_blocking(move || open().and_then(|file| Some((Version::of(&file)?, file))));
    let (version, file) = opened.await.map_err(|_| Refusal::Broken)?.ok_or(Refusal::NotFound)?;
    let part = version.part(asked, request);
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    version.mark(asked.now, headers);
    if let Ok(kind) = HeaderValue::try_from(&medium.media_type) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    let range = match part {
        Part::Whole => 0..version.size,
        Part::Bytes(range) => {
            headers.insert(header::CONTENT_RANGE, version.of_it(&format!("{}-{}", range.start, range.end - 1)));
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            range
        }
        Part::None(status) => {
            if status == StatusCode::RANGE_NOT_SATISFIABLE {
                headers.insert(header::CONTENT_RANGE, version.of_it("*"));
            }
            headers.remove(header::CONTENT_TYPE);
            *response.status_mut() = status;
            return Ok(response);
        }
    };
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    if !asked.head {
        *response.body_mut() = bytes(file, range)?;
    }
    Ok(response)
}

fn bytes(mut file: File, range: Range<u64>) -> Result<Body, Refusal> {
    file.seek(SeekFrom::Start(range.start)).map_err(|_| Refusal::NotFound)?;
    let part = tokio::fs::File::from_std(file).take(range.end - range.start);
    Ok(Body::from_stream(ReaderStream::with_capacity(part, AT_ONCE)))
}

/// What tells the file that was opened from one that stood there before.
struct Version {
    size: u64,
    modified: Timestamp,
    /// Strong: bytes of one version are never joined with those of another.
    tag: HeaderValue,
}

enum Part {
    Whole,
    Bytes(Range<u64>),
    /// Nothing, and why.
    None(StatusCode),
}

impl Version {
    fn of(file: &File) -> Option<Self> {
        let known = file.metadata().ok()?;
        let (size, modified) = (known.len(), Timestamp::try_from(known.modified().ok()?).ok()?);
        let tag = HeaderValue::try_from(format!("\"{:x}-{size:x}\"", modified.as_nanosecond())).ok()?;
        Some(Self { size, modified, tag })
    }

    /// A date that has not come yet is not told.
    fn told(&self, now: Timestamp) -> Option<Timestamp> {
        Some(self.modified).filter(|modified| *modified <= now)
    }

    fn mark(&self, now: Timestamp, headers: &mut HeaderMap) {
        headers.insert(header::ETAG, self.tag.clone());
        if let Some(date) = self.told(now).and_then(date) {
            headers.insert(header::LAST_MODIFIED, date);
        }
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(header::CACHE_CONTROL, fresh());
    }

    /// In the order of RFC 9110, section 13.2.2.
    fn part(&self, asked: Asked, request: &HeaderMap) -> Part {
        let told = self.told(asked.now);
        if is_another(request, &self.tag, self.modified) {
            return Part::None(StatusCode::PRECONDITION_FAILED);
        }
        if is_unchanged(request, &self.tag, told, asked.now) {
            return Part::None(StatusCode::NOT_MODIFIED);
        }
        let range = request.get(header::RANGE).filter(|_| !asked.head && may_go_on(request, &self.tag, told));
        range.and_then(|range| range.to_str().ok()).map_or(Part::Whole, |range| part(range, self.size))
    }

    fn of_it(&self, range: &str) -> HeaderValue {
        HeaderValue::try_from(format!("bytes {range}/{}", self.size)).unwrap_or(HeaderValue::from_static("bytes */*"))
    }
}

/// `bytes=0-99`, `bytes=100-`, `bytes=-100`. Whoever asks for several ranges, or in a way of their own, gets the whole file.
fn part(range: &str, size: u64) -> Part {
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let bytes = range.split_once('=').filter(|(unit, _)| unit.trim().eq_ignore_ascii_case("bytes"));
    let Some((first, last)) = bytes.and_then(|(_, range)| range.trim().split_once('-')) else { return Part::Whole };
    let (first, end) = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => (first, last.saturating_add(1)),
        (Some(first), None) if last.is_empty() => (first, size),
        (None, Some(count)) if first.is_empty() => (size.saturating_sub(count), size),
        _ => return Part::Whole,
    };
    let range = first..end.min(size);
    if range.is_empty() { Part::None(StatusCode::RANGE_NOT_SATISFIABLE) } else { Part::Bytes(range) }
}
