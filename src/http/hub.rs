//! `POST /hub`: somebody asks to be told of changes of one of our feeds, or not to be any more (WebSub). What is asked is only
//! kept here; whether the callback meant it is found out later, by whoever takes the requests from the store.

use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use axum::http::{Response, StatusCode};
use url::Host;

use super::error::{Refusal, unread};
use super::listening::Peer;
use super::{App, Published, subscribe};
use crate::domain::dialect::slug;
use crate::domain::network;
use crate::domain::websub::Request;
use crate::store::{HubLimits, HubRequest, Requested};

/// From one network in an hour.
const REQUESTS: u32 = 200;
const LIMITS: HubLimits = HubLimits { host: 200, all: 10_000 };

/// What the server knows of the daemon's own hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hub {
    /// Where feeds are served, without a trailing slash.
    pub feeds_url: String,
    /// Callbacks may be in private networks.
    pub private: bool,
}

pub async fn request(
    State(state): App,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response<Body>, Refusal> {
    let published = state.shared.get();
    let hub = published.blog.hub.as_ref().ok_or(Refusal::NotFound)?;
    published.scanned_at.ok_or(Refusal::Starting)?;
    let network = subscribe::network(&published, peer, &headers);
    if !network.is_empty() && !state.limiter.admits(&format!("hub {network}"), REQUESTS, state.clock.now()) {
        return Err(Refusal::TooMany);
    }
    let request = match Request::read(&body.map_err(unread)?) {
        Ok(request) => request,
        Err(wrong) => return Ok(said(StatusCode::BAD_REQUEST, wrong)),
    };
    let Some(path) = feed(&published, hub, &request.topic) else {
        return Ok(said(StatusCode::NOT_FOUND, "`hub.topic` is none of the feeds that this hub has"));
    };
    let host = match request.callback.host() {
        Some(host) if hub.private || may_be_called(&host) => host.to_string(),
        _ => return Ok(said(StatusCode::BAD_REQUEST, "`hub.callback` is not on the public internet")),
    };
    let request = HubRequest {
        path,
        callback: request.callback.into(),
        host,
        mode: request.mode,
        lease_seconds: request.lease_seconds,
        secret: request.secret,
    };
    Ok(match state.store.request_hub(&request, LIMITS, state.clock.now()).await? {
        Requested::Kept | Requested::Nothing => {
            said(StatusCode::ACCEPTED, "the callback will be asked whether it meant this")
        }
        Requested::Full => {
            said(StatusCode::TOO_MANY_REQUESTS, "there are too many subscriptions, of this host or in all")
        }
    })
}

/// The file of a feed that changes and that this hub is named in, by its address.
fn feed(published: &Published, hub: &Hub, topic: &str) -> Option<String> {
    let wanted = topic.strip_prefix(&hub.feeds_url)?.strip_prefix('/')?;
    let mut feeds = published.documents.iter().filter(|(_, document)| document.link.is_some());
    feeds.find(|(path, _)| slug::encode_path(path) == wanted).map(|(path, _)| path.clone())
}

/// What can be seen of an address before its name is looked up; the rest is seen when it is called.
fn may_be_called(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => network::is_public((*address).into()),
        Host::Ipv6(address) => network::is_public((*address).into()),
        Host::Domain(name) => *name != "localhost" && !name.ends_with(".localhost"),
    }
}

fn said(status: StatusCode, words: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{words}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
