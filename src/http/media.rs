//! Files that posts enclose, for whoever has no other server: whole or in ranges (RFC 9110, section 14), so that a player can
//! begin in the middle. Only what a published post names is here, by the address it names.

use axum::body::Body;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Method, Request, Response, StatusCode};
use tower_http::services::ServeFile;

use super::conditional::fresh;
use super::error::Refusal;
use super::published::Medium;

/// The file, or what of it is asked for.
pub async fn file(medium: &Medium, method: Method, headers: &HeaderMap) -> Result<Response<Body>, Refusal> {
    if method != Method::GET && method != Method::HEAD {
        return Err(Refusal::Method);
    }
    let mut request = Request::new(Body::empty());
    *request.method_mut() = method;
    // Sound is compressed as it is: nothing more is to be made of it.
    let asked = [header::RANGE, header::IF_RANGE, header::IF_MODIFIED_SINCE, header::IF_UNMODIFIED_SINCE];
    for name in asked {
        if let Some(value) = headers.get(&name) {
            request.headers_mut().insert(name, value.clone());
        }
    }
    let served = ServeFile::new(&medium.path).try_call(request).await.map_err(|_| Refusal::NotFound)?;
    if served.status() == StatusCode::NOT_FOUND {
        return Err(Refusal::NotFound);
    }
    let mut response = served.map(Body::new);
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::try_from(&medium.media_type) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert(header::CACHE_CONTROL, fresh());
    Ok(response)
}
