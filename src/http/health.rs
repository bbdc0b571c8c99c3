//! For whoever watches the daemon: whether it runs, and whether it can do its work. Says no more than that.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{self, HeaderValue};
use axum::http::{Response, StatusCode};
use tracing::warn;

use super::App;

pub async fn live() -> Response<Body> {
    plain(StatusCode::OK, "live\n")
}

pub async fn ready(State(state): App) -> Response<Body> {
    if state.shared.get().scanned_at.is_none() {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "not ready: the posts have not been read yet\n");
    }
    if let Err(error) = state.store.ping().await {
        warn!(event = "not_ready", "not ready: {error}");
        return plain(StatusCode::SERVICE_UNAVAILABLE, "not ready: the store does not answer\n");
    }
    plain(StatusCode::OK, "ready\n")
}

fn plain(status: StatusCode, line: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(line));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
