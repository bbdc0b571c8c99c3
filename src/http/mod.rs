//! The server: feeds, the blog's front door, the goal, the editions, the way out of the digest, and the daemon's health.
//! Knows requests and answers. What is shown comes from the last scan's snapshot ([`Published`]) and from the store; no
//! request reads a file, and no GET changes anything. Knows nothing of mail, nor of how posts become feeds.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::clock::SharedClock;
use crate::domain::token::Keys;
use crate::render::templates::Templates;
use crate::store::SharedStore;

mod conditional;
mod connections;
mod editions;
mod error;
mod feeds;
mod goal;
mod guard;
mod health;
mod one_click;
mod published;
mod subscriptions;

pub use connections::{Limits, serve, serve_with};
pub use published::{Blog, Content, Document, FeedLink, OPML, Published, Shared};

/// What handlers work with.
#[derive(Clone)]
pub struct State {
    pub shared: Shared,
    pub store: SharedStore,
    pub clock: SharedClock,
    pub templates: Arc<Templates>,
    pub keys: Keys,
}

type App = axum::extract::State<Arc<State>>;

/// Everything the daemon answers to, with the headers and limits that hold for all of it.
pub fn router(state: State) -> Router {
    let state = Arc::new(state);
    Router::new()
        .route("/", get(feeds::front_door))
        .route("/style.css", get(feeds::style))
        .route("/.well-known/feeds", get(feeds::list))
        .route("/goal", get(goal::page))
        .route("/goal.json", get(goal::json))
        .route("/goal.svg", get(goal::chart))
        .route("/badge.svg", get(goal::badge))
        .route("/goal.ics", get(goal::calendar))
        .route("/editions", get(editions::list))
        .route("/editions/", get(editions::list))
        .route("/editions/{period}", get(editions::edition))
        .route("/unsubscribe/{token}", get(subscriptions::ask).post(subscriptions::unsubscribe))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        // Feeds have the names the operator gave them.
        .fallback(any(feeds::document))
        .method_not_allowed_fallback(error::wrong_method)
        .layer(DefaultBodyLimit::max(guard::BODY))
        .layer(from_fn(guard::size))
        .layer(from_fn(guard::time))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(from_fn_with_state(Arc::clone(&state), error::explain))
        .layer(CompressionLayer::new())
        .layer(from_fn(guard::headers))
        .layer(from_fn(guard::log))
        .with_state(state)
}
