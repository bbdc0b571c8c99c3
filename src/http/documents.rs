//! A document as an answer: in the form the reader takes, or as the news that nothing has changed. What is in memory is
//! answered at once, without a layer between; what is not is read, and compressed for this one reader.

use axum::body::{Body, Bytes};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, Response, StatusCode};
use jiff::Timestamp;

use super::conditional::{ENCODING, fresh, is_unchanged, tag};
use super::encoding::{Accepted, Encoding};
use super::error::Refusal;
use super::forms::{Effort, compressed};
use super::guard;
use super::published::{Content, Document, Shared};
use crate::domain::hash;

/// Browsers say with it that a person opens an address; programs that read feeds do not.
const DESTINATION: HeaderName = HeaderName::from_static("sec-fetch-dest");
/// Under their own names browsers show feeds as plain text, whatever stylesheet they name.
const TO_BE_SHOWN: HeaderValue = HeaderValue::from_static("text/xml; charset=utf-8");
const ENCODING_AND_DESTINATION: HeaderValue = HeaderValue::from_static("accept-encoding, sec-fetch-dest");

/// Below this, compressing gains nothing that a packet would not hold anyway.
const WORTH_IT: usize = 200;

/// Every header that is looked at here, or by whoever counts readers; others need not be brought.
pub const READ: [HeaderName; 5] =
    [header::ACCEPT_ENCODING, header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE, header::USER_AGENT, DESTINATION];

/// What a request comes to.
pub enum Found {
    Whole(Response<Bytes>),
    /// Something has to be read or made first.
    Waits(Making),
}

pub struct Making {
    document: Document,
    encoding: Encoding,
    asked: Asked,
}

/// What of a request matters here.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    pub head: bool,
    pub https: bool,
    pub now: Timestamp,
    /// Somebody opens it in a browser.
    pub shown: bool,
}

impl Asked {
    /// None for what is neither GET nor HEAD.
    pub fn new(method: &Method, headers: &HeaderMap, https: bool, now: Timestamp) -> Option<Self> {
        let shown = || headers.get(DESTINATION).is_some_and(|destination| destination == "document");
        let reads = method == Method::GET || method == Method::HEAD;
        reads.then(|| Self { head: method == Method::HEAD, https, now, shown: shown() })
    }
}

pub fn found(document: &Document, asked: Asked, request: &HeaderMap, shared: &Shared) -> Found {
    // A date that has not come yet is not told: some readers would wait for it.
    let modified = Some(document.modified).filter(|modified| *modified <= asked.now);
    if is_unchanged(request, &document.head.tag, modified, asked.now) {
        return Found::Whole(unchanged(document, asked.now));
    }
    let accepted = Accepted::by(request);
    let welcome = || accepted.best_first().filter(|encoding| is_worth_it(document, *encoding));
    let Some(best) = welcome().next() else { return Found::Whole(not_acceptable()) };
    if best != Encoding::Identity || matches!(document.content, Content::File(_)) {
        shared.want(document, best);
    }
    // The plain text is for those who would rather have nothing else; for the others something is made.
    let better = || welcome().take_while(|encoding| best == Encoding::Identity || *encoding != Encoding::Identity);
    if let Some(whole) = better().find_map(|e| ready(document, e).map(|bytes| whole(document, e, bytes, asked))) {
        return Found::Whole(whole);
    }
    let quickest = better().find(|encoding| *encoding == Encoding::Gzip).unwrap_or(best);
    Found::Waits(Making { document: document.clone(), encoding: quickest, asked })
}

fn is_worth_it(document: &Document, encoding: Encoding) -> bool {
    encoding == Encoding::Identity || document.size >= WORTH_IT && !document.forms.is_futile(encoding)
}

fn ready(document: &Document, encoding: Encoding) -> Option<Bytes> {
    match &document.content {
        Content::Memory(bytes) if encoding == Encoding::Identity => Some(bytes.clone()),
        _ => document.forms.get(encoding),
    }
}

impl Making {
    /// A file that is gone from under us is put back in a moment, and until then comes from memory if it is there in any form.
    pub async fn made(self, shared: &Shared) -> Result<Response<Body>, Refusal> {
        let shared = shared.clone();
        let work = move || {
            let plain = self.document.read().or_else(|error| {
                shared.miss();
                self.document.forms.plain().ok_or(error)
            })?;
            let bytes = match self.encoding {
                Encoding::Identity => plain.clone(),
                encoding => compressed(encoding, &plain, Effort::Quick)?.into(),
            };
            let mut response = whole(&self.document, self.encoding, bytes, self.asked);
            let hash = hash::of(&plain);
            if hash != self.document.hash {
                // The next snapshot's bytes under this one's name: its tag, and no date, until it is here.
                response.headers_mut().insert(header::ETAG, tag(hash));
                response.headers_mut().remove(header::LAST_MODIFIED);
            }
            Ok::<_, std::io::Error>(response)
        };
        let made = tokio::task::spawn_blocking(work).await.map_err(|_| Refusal::Broken)?;
        made.map(|response| response.map(Body::from)).map_err(|_| Refusal::Starting)
    }
}

fn marks(document: &Document, now: Timestamp, headers: &mut HeaderMap) {
    headers.insert(header::ETAG, document.head.tag.clone());
    if document.modified <= now
        && let Some(date) = document.last_modified()
    {
        headers.insert(header::LAST_MODIFIED, date);
    }
    headers.insert(header::CACHE_CONTROL, fresh());
    headers.insert(header::VARY, if is_feed(document) { ENCODING_AND_DESTINATION } else { ENCODING });
}

/// Of the kinds that browsers know only as XML.
fn is_feed(document: &Document) -> bool {
    document.media_type.ends_with("+xml")
}

fn unchanged(document: &Document, now: Timestamp) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response.headers_mut().reserve(4);
    marks(document, now, response.headers_mut());
    response
}

fn whole(document: &Document, encoding: Encoding, bytes: Bytes, asked: Asked) -> Response<Bytes> {
    let size = bytes.len();
    let mut response = Response::new(if asked.head { Bytes::new() } else { bytes });
    let headers = response.headers_mut();
    headers.reserve(13);
    let content_type = if asked.shown && is_feed(document) { TO_BE_SHOWN } else { document.head.content_type.clone() };
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    if let Some(name) = encoding.name() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    if let Some(link) = &document.link {
        headers.insert(header::LINK, link.clone());
    }
    marks(document, asked.now, headers);
    guard::protect(headers, asked.https);
    response
}

/// To a reader that takes nothing we have, not even the plain text.
fn not_acceptable() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from("this is here as br, zstd, gzip and identity\n"));
    *response.status_mut() = StatusCode::NOT_ACCEPTABLE;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::VARY, ENCODING);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::header::HeaderName;

    const MODIFIED: &str = "Sat, 01 May 2021 10:00:00 GMT";

    fn asked() -> Asked {
        Asked { head: false, https: true, now: "2021-06-01T00:00:00Z".parse().unwrap(), shown: false }
    }

    fn shared() -> Shared {
        Shared::new(super::super::Published::nothing_yet(super::super::published::tests::blog()), 1 << 20)
    }

    fn whole_of(found: Found) -> Response<Bytes> {
        match found {
            Found::Whole(response) => response,
            Found::Waits(_) => panic!("it is in memory"),
        }
    }

    fn answer(request: &[(HeaderName, &str)]) -> Response<Bytes> {
        let document = Document::new("text", "application/atom+xml", "2021-05-01T10:00:00.7Z".parse().unwrap());
        let headers = request.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
        whole_of(found(&document, asked(), &headers.collect(), &shared()))
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
            (format!("W/\"{}", gzip.replace("-gzip", "-br")), 304),
            (format!("\"{}", gzip.replace("-gzip", ";zstd")), 304),
            (format!("\"{}", gzip.replace("-gzip", "-x")), 200),
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
        let document = Document::new("", "text/x-opml", "2041-01-01T00:00:00Z".parse().unwrap());
        let request = HeaderMap::from_iter([(header::IF_MODIFIED_SINCE, HeaderValue::from_static(MODIFIED))]);
        let response = whole_of(found(&document, asked(), &request, &shared()));
        assert_eq!(response.status(), 200);
        assert!(!response.headers().contains_key(header::LAST_MODIFIED));
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/x-opml; charset=utf-8");
    }

    #[tokio::test]
    async fn a_form_is_made_for_the_first_and_kept_for_the_next() {
        let text = "a post ".repeat(2000);
        let document = Document::new(text.clone(), "application/atom+xml", Timestamp::UNIX_EPOCH);
        let (shared, room) = (shared(), super::super::forms::Room::new(1 << 20));
        let asks = |value: &'static str| {
            let request = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]);
            found(&document, asked(), &request, &shared)
        };
        let Found::Waits(making) = asks("br, gzip") else { panic!("nothing was made yet") };
        let first = making.made(&shared).await.ok().unwrap();
        assert_eq!(first.headers()[header::CONTENT_ENCODING], "gzip", "the quickest");
        assert_eq!(document.forms.missing().collect::<Vec<_>>(), [Encoding::Brotli], "the best");
        document.forms.make(Encoding::Brotli, &text.clone().into(), &room);
        let next = whole_of(asks("br, gzip"));
        assert_eq!(next.headers()[header::CONTENT_ENCODING], "br");
        assert_eq!(next.headers()[header::ETAG], first.headers()[header::ETAG]);
        assert_eq!(whole_of(asks("")).headers().get(header::CONTENT_ENCODING), None);
        assert_eq!(whole_of(asks("identity;q=0")).status(), 406);
    }
}
