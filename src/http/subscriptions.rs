//! The way out of the digest. Following a link asks; only a POST that says `List-Unsubscribe=One-Click` acts, at once
//! and as often as it is sent (RFC 8058). Who holds the token may do that; nothing else is asked, and whatever is wrong
//! with a token, the answer is the same.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Response, StatusCode, Uri};
use axum::response::IntoResponse as _;
use tracing::info;

use super::error::Refusal;
use super::{App, one_click};
use crate::domain::subscriber::State as SubscriberState;
use crate::domain::token::Purpose;
use crate::render::page::{self, Question, Said};
use crate::store::StoreError;

/// Reads the token and nothing else: mail scanners follow every link.
pub async fn ask(State(state): App, uri: Uri) -> Result<Response<Body>, Refusal> {
    holder(&state, &uri)?;
    let html =
        state.shared.get().with_site(|site| page::ask(&state.templates, site, Question::Unsubscribe, uri.path()))?;
    Ok(shown(one_click::fill_in(&html)))
}

pub async fn unsubscribe(
    State(state): App,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response<Body>, Refusal> {
    let subscriber = holder(&state, &uri)?;
    let body = body.map_err(unread)?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !one_click::is_asked_for(content_type, &body) {
        return Err(Refusal::Body);
    }
    leave(&state, subscriber).await?;
    let html = state.shared.get().with_site(|site| page::said(&state.templates, site, Said::Unsubscribed))?;
    Ok(shown(html))
}

fn holder(state: &super::State, uri: &Uri) -> Result<i64, Refusal> {
    let token = uri.path().strip_prefix("/unsubscribe/").unwrap_or_default();
    state.keys.read(token, Purpose::Unsubscribe, state.clock.now()).map_err(|_| Refusal::Link)
}

/// Whoever is gone already, or was never to be written to again, stays so: a suppressed address that became an
/// unsubscribed one could be brought back.
async fn leave(state: &super::State, subscriber: i64) -> Result<(), StoreError> {
    let found = state.store.subscriber(subscriber).await?;
    let stays = |state| matches!(state, SubscriberState::Active | SubscriberState::Pending);
    if !found.is_some_and(|found| stays(found.state)) {
        return Ok(());
    }
    state.store.move_subscriber(subscriber, SubscriberState::Unsubscribed, "link", state.clock.now()).await?;
    info!(subscriber, "unsubscribed");
    Ok(())
}

fn unread(rejection: BytesRejection) -> Refusal {
    if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE { Refusal::TooLarge } else { Refusal::Body }
}

fn shown(html: String) -> Response<Body> {
    let mut response = Response::new(Body::from(html));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}
