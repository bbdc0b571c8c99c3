//! What holds for every request, whatever it asks: how large it may be, how long it may take, which headers its answer
//! carries, and how it is logged: never with a token that would still do something.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, Response, StatusCode};
use axum::middleware::Next;
use axum::response::IntoResponse;
use tracing::debug;

use super::error::Refusal;

/// Nothing posted here is longer than a form of a few fields.
pub const BODY: usize = 16 * 1024;
/// How long one answer may take to make.
const ANSWER: Duration = Duration::from_secs(10);

/// Nothing from elsewhere, nothing inline, in nobody's frame.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);
/// For digests as they were mailed: they bring their styles, and may have a logo that lies elsewhere.
pub const MAILED: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
);
/// For pictures of the goal, which carry their styles with them.
pub const INLINE_STYLES: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
);

const ALWAYS: [(HeaderName, HeaderValue); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
];

/// Addresses that end in a token.
const TOKENS: [&str; 4] = ["/unsubscribe/", "/confirm/", "/preferences/", "/admin/sign-in/"];
/// How much of a token a log may show.
const SHOWN: usize = 6;
/// The shortest token there is.
const TOKEN: usize = 35;

/// Refuses by the announced length, before a byte of it is read; what does not announce its length is cut while reading.
pub async fn size(State(most): State<usize>, request: Request, next: Next) -> Response<Body> {
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced = announced.and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
    if announced > most as u64 { Refusal::TooLarge.into_response() } else { next.run(request).await }
}

pub async fn time(request: Request, next: Next) -> Response<Body> {
    tokio::time::timeout(ANSWER, next.run(request)).await.unwrap_or_else(|_| Refusal::TooSlow.into_response())
}

/// What protects the reader of any answer.
pub fn protect(headers: &mut HeaderMap, https: bool) {
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(POLICY);
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(value);
    }
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

pub async fn headers(State(https): State<bool>, request: Request, next: Next) -> Response<Body> {
    let personal = has_token(request.uri().path());
    let mut response = next.run(request).await;
    let failed = response.status().is_client_error() || response.status().is_server_error();
    let headers = response.headers_mut();
    protect(headers, https);
    if personal || failed {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
    }
    response
}

pub async fn log(request: Request, next: Next) -> Response<Body> {
    let (method, path) = (request.method().clone(), loggable(request.uri().path()));
    let began = Instant::now();
    let response = next.run(request).await;
    said(&method, &path, response.status(), began);
    response
}

fn said(method: &Method, path: &str, status: StatusCode, began: Instant) {
    debug!(%method, path, status = status.as_u16(), elapsed_ms = began.elapsed().as_millis(), "answered");
}

/// As `log`, for what was answered before any layer; costs nothing while nobody listens.
pub fn log_at_once(method: &Method, path: &str, status: StatusCode) {
    debug!(%method, path = loggable(path), status = status.as_u16(), elapsed_ms = 0, "answered");
}

fn has_token(path: &str) -> bool {
    TOKENS.iter().any(|prefix| path.starts_with(prefix))
}

/// The path with every part cut that is, or could be, a token, wherever it stands and however it is written.
fn loggable(path: &str) -> String {
    let known = has_token(path);
    let parts = path.split('/').enumerate().map(|(at, part)| {
        let secret = known && at > 1 && part != "sign-in" || part.len() >= TOKEN;
        match part.get(..SHOWN) {
            Some(start) if secret && part.len() > SHOWN => format!("{start}…"),
            _ => part.to_owned(),
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_token_is_logged_beyond_its_first_letters() {
        let token = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRo";
        for (path, expected) in [
            ("/".to_owned(), "/"),
            ("/tags/rust/atom.xml".to_owned(), "/tags/rust/atom.xml"),
            (format!("/unsubscribe/{token}"), "/unsubscribe/AQIDBA…"),
            (format!("/unsubscribe/{token}/"), "/unsubscribe/AQIDBA…/"),
            ("/confirm/short-one".to_owned(), "/confirm/short-…"),
            (format!("//unsubscribe/{token}"), "//unsubscribe/AQIDBA…"),
            (format!("/admin/sign-in/{token}"), "/admin/sign-in/AQIDBA…"),
            (format!("/unsubscribe%2f{token}"), "/unsubs…"),
        ] {
            assert_eq!(loggable(&path), expected);
        }
    }
}
