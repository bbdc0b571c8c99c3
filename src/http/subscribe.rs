//! The way in: a form, and one answer for everybody. Whether the address is known is found out later, by whoever takes the
//! forms from the store; here the same is written and said for each.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Response, StatusCode, Uri};
use serde_json::json;

use super::error::{Refusal, unread, wants_json};
use super::form::Form;
use super::listening::Peer;
use super::{App, Published, shown};
use crate::domain::network;
use crate::domain::subscriber::Address;
use crate::render::page::{self, Said, SubscribeForm};
use crate::store::SignUp;

/// Which text people agreed to; goes up when the form's promise changes.
const FORM_VERSION: u32 = 1;
const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Every form is answered after this time, and not before: what else the store is doing must not tell what became of a
/// form before.
const EVEN: Duration = Duration::from_millis(20);

/// `/subscribe`, in the site's language or in `?language=`.
pub async fn ask(State(state): App, uri: Uri, headers: HeaderMap) -> Result<Response<Body>, Refusal> {
    let published = open(&state)?;
    let asked = uri.query().and_then(|query| {
        url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "language").map(|(_, v)| v.into_owned())
    });
    let language = offered(&state, &asked.unwrap_or_default()).unwrap_or_else(|| published.blog.language.clone());
    let form = SubscribeForm { email: "", problem: None, language: &language };
    let html = published.with_site_in(&language, |site| page::subscribe(&state.templates.get(), site, &form))?;
    Ok(allowed(&published, &headers, shown(html)))
}

/// Before a script of another site may post: whether it is one of those that were named.
pub async fn preflight(State(state): App, headers: HeaderMap) -> Result<Response<Body>, Refusal> {
    let published = open(&state)?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
        (header::ALLOW, "GET, HEAD, POST, OPTIONS"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(allowed(&published, &headers, response))
}

pub async fn subscribe(
    State(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response<Body>, Refusal> {
    let even = tokio::time::sleep(EVEN);
    let published = open(&state)?;
    let form = Form::read(&headers, &body.map_err(unread)?)?;
    let language = offered(&state, form.get("language"));
    let address = match Address::parse(form.get("email")) {
        Ok(address) => address,
        Err(problem) => {
            let spoken = language.as_deref().unwrap_or(&published.blog.language);
            let form = SubscribeForm { email: form.get("email"), problem: Some(problem), language: spoken };
            let html = published.with_site_in(spoken, |site| page::subscribe(&state.templates.get(), site, &form))?;
            let mut response = if wants_json(&headers) { said(&problem.to_string()) } else { shown(html) };
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(allowed(&published, &headers, response));
        }
    };
    // People do not see this field.
    if form.get("website").is_empty() {
        let network = network(&published, peer, &headers);
        if !network.is_empty() && !state.limiter.admits(&network, published.blog.network_an_hour, state.clock.now()) {
            return Err(Refusal::TooMany);
        }
        let spoken = language.as_deref().unwrap_or(&published.blog.language);
        let proof = json!({"form": FORM_VERSION, "language": spoken, "network": network}).to_string();
        let sign_up = SignUp { address, language: language.clone(), network, proof };
        state.store.sign_up(&sign_up, state.clock.now()).await?;
        state.wake.notify_one();
    }
    let spoken = language.as_deref().unwrap_or(&published.blog.language);
    let html =
        published.with_site_in(spoken, |site| page::said(&state.templates.get(), site, Said::LookIntoMailbox))?;
    let response = if wants_json(&headers) { accepted() } else { shown(html) };
    even.await;
    Ok(allowed(&published, &headers, response))
}

fn open(state: &super::State) -> Result<Arc<Published>, Refusal> {
    let published = state.shared.get();
    if published.blog.subscribe { Ok(published) } else { Err(Refusal::NotFound) }
}

/// A language that mails can be in; the site's own needs no mention.
fn offered(state: &super::State, tag: &str) -> Option<String> {
    Some(tag).filter(|tag| state.templates.get().languages().is_offered(tag)).map(str::to_owned)
}

/// Empty for the machine itself: what comes from there has no network to count by.
pub(super) fn network(published: &Published, Peer(peer): Peer, headers: &HeaderMap) -> String {
    let forwarded: Vec<&str> = headers.get_all(FORWARDED).iter().map(|value| value.to_str().unwrap_or("?")).collect();
    let (forwarded, blog) = (forwarded.join(","), &published.blog);
    let client = match peer {
        Some(peer) => network::client(peer, &forwarded, &blog.proxies),
        None if blog.unix_proxy && !forwarded.is_empty() => network::behind(&forwarded, &blog.proxies),
        None => return String::new(),
    };
    match client {
        Some(client) if client.is_loopback() => String::new(),
        Some(client) => network::of(client),
        None => NAMELESS.to_owned(),
    }
}

/// All whom a known proxy names in a way that cannot be read: they count together, as no limit would otherwise.
const NAMELESS: &str = "unknown";

fn accepted() -> Response<Body> {
    let mut response = said("a mail is on its way to this address, if it may be written to; its link subscribes");
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

fn said(message: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{}\n", json!({"message": message}))));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Lets scripts of the sites that were named read the answer, and nobody else's.
fn allowed(published: &Published, headers: &HeaderMap, mut response: Response<Body>) -> Response<Body> {
    let origin = headers.get(header::ORIGIN);
    let named = origin.filter(|o| published.blog.origins.iter().any(|known| known.as_bytes() == o.as_bytes()));
    if let Some(origin) = named {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("origin, accept"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
