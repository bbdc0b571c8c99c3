//! The server: feeds, the blog's front door, the goal, the editions, the way into the digest and out of it, the operator's
//! API, and the daemon's health.
//! Knows requests and answers. What is shown comes from the last scan's snapshot ([`Published`]) and from the store; a
//! file is read only for a feed whose form is not in memory yet, and no GET changes anything. Knows nothing of mail, nor of how posts become feeds.

use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Extensions, Response, StatusCode, Version};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get, post};
use jiff::Timestamp;
use jiff::civil::Date;
use tokio::sync::Notify;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::{CompressionLayer, DefaultPredicate, Predicate as _};

use crate::clock::SharedClock;
use crate::domain::problem::Problem;
use crate::domain::token::Keys;
use crate::render::page::Site;
use crate::render::templates::Templates;
use crate::store::SharedStore;
pub use error::Refusal;
pub use form::Form;

mod admin;
mod api;
mod conditional;
mod confirm;
mod connections;
mod counts;
mod documents;
mod editions;
mod encoding;
mod error;
mod express;
mod feeds;
mod form;
mod forms;
mod front;
mod goal;
mod guard;
mod health;
mod hub;
mod limits;
mod listening;
mod media;
mod metrics;
mod one_click;
mod packer;
mod preferences;
mod published;
mod reported;
mod server;
mod standing;
mod subscribe;
mod tls;
mod unsubscribe;

pub use admin::{Answered, Ask, Asking, Look, NextEdition, Settings as AdminSettings, admin};
pub use connections::Limits;
pub use front::Front;
pub use hub::Hub;
pub use limits::Limiter;
pub use listening::{Door, Listening, Peer};
pub use metrics::metrics;
pub use published::{Blog, Content, Document, FeedLink, Medium, OPML, Published, Shared};
pub use server::{serve, serve_with};
pub use standing::{Attempts, Standing};
pub use tls::{Files as TlsFiles, Tls};

/// The templates of pages, which may be replaced by others while the daemon runs.
#[derive(Clone)]
pub struct Wording(Arc<RwLock<Arc<Templates>>>);

impl Wording {
    #[must_use]
    pub fn new(templates: Arc<Templates>) -> Self {
        Self(Arc::new(RwLock::new(templates)))
    }

    #[must_use]
    pub fn get(&self) -> Arc<Templates> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn set(&self, templates: Arc<Templates>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = templates;
    }
}

/// The keys of links, which may be joined by a new one while the daemon runs.
#[derive(Debug, Clone)]
pub struct KeyRing(Arc<RwLock<Keys>>);

impl KeyRing {
    #[must_use]
    pub fn new(keys: Keys) -> Self {
        Self(Arc::new(RwLock::new(keys)))
    }

    #[must_use]
    pub fn get(&self) -> Keys {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set(&self, keys: Keys) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }
}

/// What handlers work with.
#[derive(Clone)]
pub struct State {
    pub shared: Shared,
    pub store: SharedStore,
    pub clock: SharedClock,
    pub templates: Wording,
    pub keys: KeyRing,
    /// What one network has sent already.
    pub limiter: Arc<Limiter>,
    /// A form or a notice waits.
    pub wake: Arc<Notify>,
    /// Whether readers reach the daemon over TLS.
    pub https: bool,
}

impl State {
    fn today(&self) -> (Date, Timestamp) {
        let now = self.clock.now();
        (self.shared.get().blog.zone.to_datetime(now).date(), now)
    }

    /// A page in a reader's language; without one, in the site's.
    fn page_in(
        &self,
        language: Option<&str>,
        render: impl FnOnce(&Templates, &Site<'_>) -> Result<String, Problem>,
    ) -> Result<String, Refusal> {
        let published = self.shared.get();
        let language = language.unwrap_or(&published.blog.language);
        Ok(published.with_site_in(language, |site| render(&self.templates.get(), site))?)
    }
}

type App = axum::extract::State<Arc<State>>;

fn shown(html: String) -> Response<Body> {
    let mut response = Response::new(Body::from(html));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// Everything the daemon answers to, with the headers and limits that hold for all of it.
pub fn public(state: State) -> Front {
    let state = Arc::new(state);
    let routes = Router::new()
        .route("/", get(feeds::front_door))
        .route("/style.css", get(feeds::style))
        .route("/.well-known/feeds", get(feeds::list))
        .route("/goal", get(goal::page))
        .route("/goal.json", get(goal::json))
        .route("/goal.svg", get(goal::chart))
        .route("/badge.svg", get(goal::badge))
        .route("/goal.ics", get(goal::calendar))
        .route("/goal/{name}", get(goal::one))
        .route("/goal/{name}/{period}", get(goal::period))
        .route("/badge/{name}", get(goal::one_badge))
        .route("/editions", get(editions::list))
        .route("/editions/", get(editions::list))
        .route("/editions/{period}", get(editions::edition))
        .route("/subscribe", get(subscribe::ask).post(subscribe::subscribe).options(subscribe::preflight))
        .route("/confirm/{token}", get(confirm::ask).post(confirm::confirm))
        .route("/unsubscribe/{token}", get(unsubscribe::ask).post(unsubscribe::unsubscribe))
        .route("/preferences/{token}", get(preferences::show).post(preferences::change))
        .route("/hub", post(hub::request))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        // Feeds have the names the operator gave them.
        .fallback(any(feeds::document))
        .method_not_allowed_fallback(error::wrong_method);
    let routes = guarded(routes, &state, guard::BODY).with_state(Arc::clone(&state));
    Front::new(routes, state)
}

/// What is given in ranges has one tag for all readers, and goes out as it is.
fn is_for_one_reader(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    !headers.contains_key(header::ACCEPT_RANGES)
}

/// What holds for every request, whoever listens.
fn guarded(routes: Router<Arc<State>>, state: &Arc<State>, body: usize) -> Router<Arc<State>> {
    routes
        .layer(DefaultBodyLimit::max(body))
        .layer(from_fn_with_state(body, guard::size))
        .layer(from_fn(guard::time))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(from_fn_with_state(Arc::clone(state), error::explain))
        .layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(is_for_one_reader)))
        .layer(from_fn_with_state(state.https, guard::headers))
        .layer(from_fn(guard::log))
}
