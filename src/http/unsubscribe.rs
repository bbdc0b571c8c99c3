//! The way out of the digest. Following a link asks; only a POST that says `List-Unsubscribe=One-Click` acts, at once
//! and as often as it is sent (RFC 8058). Who holds the token may do that; nothing else is asked, and whatever is wrong
//! with a token, the answer is the same.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::HeaderMap;
use axum::http::{Response, Uri};
use tracing::info;

use super::error::{Refusal, unread};
use super::{App, form, one_click, shown};
use crate::domain::subscriber::State as SubscriberState;
use crate::domain::token::Purpose;
use crate::render::page::{self, Question, Said};
use crate::store::StoreError;

/// Reads the token and nothing else: mail scanners follow every link.
pub async fn ask(State(state): App, uri: Uri) -> Result<Response<Body>, Refusal> {
    let language = language(&state, holder(&state, &uri)?).await;
    let html = state.page_in(language.as_deref(), |t, site| page::ask(t, site, Question::Unsubscribe, uri.path()))?;
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
    if !one_click::is_asked_for(form::content_type(&headers), &body) {
        return Err(Refusal::Body);
    }
    leave(&state, subscriber, "one-click").await?;
    let language = language(&state, subscriber).await;
    Ok(shown(state.page_in(language.as_deref(), |t, site| page::said(t, site, Said::Unsubscribed))?))
}

fn holder(state: &super::State, uri: &Uri) -> Result<i64, Refusal> {
    let token = uri.path().strip_prefix("/unsubscribe/").unwrap_or_default();
    state.keys.get().read(token, Purpose::Unsubscribe, state.clock.now()).map_err(|_| Refusal::Link)
}

/// The reader's; the site's, if the store does not say: the way out is open even then.
async fn language(state: &super::State, subscriber: i64) -> Option<String> {
    state.store.subscriber(subscriber).await.ok()??.choice.language
}

/// Whoever is gone already, or was never to be written to again, stays so: a suppressed address that became an
/// unsubscribed one could be brought back.
pub async fn leave(state: &super::State, subscriber: i64, source: &str) -> Result<(), StoreError> {
    let found = state.store.subscriber(subscriber).await?;
    let stays = |state| matches!(state, SubscriberState::Active | SubscriberState::Pending);
    if !found.is_some_and(|found| stays(found.state)) {
        return Ok(());
    }
    state.store.move_subscriber(subscriber, SubscriberState::Unsubscribed, source, state.clock.now()).await?;
    info!(event = "subscriber_left", subscriber, "unsubscribed");
    Ok(())
}
