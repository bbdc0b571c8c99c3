//! Feeds by the names the operator gave them, their list, and the front door that leads to them.

use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Method, Response, StatusCode, Uri};
use axum::response::IntoResponse;

use super::App;
use super::conditional::{Answer, fresh};
use super::documents::{self, Asked, Found};
use super::error::Refusal;
use super::media;
use super::published::{Document, OPML};
use crate::domain::dialect::slug;
use crate::render::page;

/// Whatever no other route wants.
pub async fn document(
    State(state): App,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response<Body>, Refusal> {
    let published = state.shared.get();
    let path = uri.path();
    let found = published.document(path).map(|(_, document)| document);
    if found.is_none() {
        if let Some(to) = published.moved_to(path) {
            return Ok(permanently(&published.blog.feeds_path, &to));
        }
        if let Some(medium) = published.medium(path) {
            let Some(asked) = asked(&method, &headers, &state) else { return Ok(read_only()) };
            return media::file(medium, asked, &headers).await;
        }
        if published.is_gone(path) {
            return Err(Refusal::Gone);
        }
    }
    // A reader that is told "not found" during a restart may give the feed up.
    let otherwise = if published.scanned_at.is_some() { Refusal::NotFound } else { Refusal::Starting };
    let document = found.ok_or(otherwise)?;
    fetched(document, &method, &headers, &state).await
}

fn permanently(feeds_path: &str, to: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, fresh());
    if let Ok(address) = HeaderValue::try_from(format!("{feeds_path}/{}", slug::encode_path(to))) {
        headers.insert(header::LOCATION, address);
    }
    response
}

fn read_only() -> Response<Body> {
    let mut response = Refusal::Method.into_response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET,HEAD"));
    response
}

/// `/.well-known/feeds`: the list of all feeds, wherever else it stands.
pub async fn list(State(state): App, method: Method, headers: HeaderMap) -> Result<Response<Body>, Refusal> {
    let published = state.shared.get();
    published.scanned_at.ok_or(Refusal::Starting)?;
    let found = published.documents.values().find(|document| document.media_type == OPML);
    fetched(found.ok_or(Refusal::NotFound)?, &method, &headers, &state).await
}

fn asked(method: &Method, headers: &HeaderMap, state: &super::State) -> Option<Asked> {
    Asked::new(method, headers, state.https, state.clock.now())
}

async fn fetched(
    document: &Document,
    method: &Method,
    headers: &HeaderMap,
    state: &super::State,
) -> Result<Response<Body>, Refusal> {
    let Some(asked) = asked(method, headers, state) else { return Ok(read_only()) };
    match documents::found(document, asked, headers, &state.shared) {
        Found::Whole(response) => Ok(response.map(Body::from)),
        Found::Waits(making) => making.made(&state.shared).await,
    }
}

pub async fn front_door(State(state): App, headers: HeaderMap) -> Result<Response<Body>, Refusal> {
    let published = state.shared.get();
    published.scanned_at.ok_or(Refusal::Starting)?;
    let html =
        published.with_site(|site| page::home(&state.templates.get(), site, &published.posts, &published.goals))?;
    Ok(Answer::page(html).to(&headers, state.clock.now()))
}

pub async fn style(State(state): App, headers: HeaderMap) -> Response<Body> {
    static STYLE: LazyLock<String> = LazyLock::new(page::style);
    Answer::new(STYLE.as_str(), "text/css", fresh()).to(&headers, state.clock.now())
}
