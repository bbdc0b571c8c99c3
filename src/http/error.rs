//! What is said when a request gets no answer of its own: a status and a small page in plain words. Why it failed
//! inside stays inside: no page names a version, a file or a query.

use std::any::Any;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Response, StatusCode};
use axum::middleware::Next;
use axum::response::IntoResponse;
use tracing::error;

use super::{App, State};
use crate::domain::problem::Problem;
use crate::render::page;
use crate::store::StoreError;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    NotFound,
    /// A post that was taken back stood there.
    Gone,
    NoGoal,
    /// A token that is not good, for whatever reason.
    Link,
    /// A POST that does not say what it wants.
    Body,
    /// A POST in a form that nobody here reads.
    MediaType,
    /// More from one network than there may be.
    TooMany,
    Method,
    TooLarge,
    /// The first scan is still under way, or a file is put back that was gone.
    Starting,
    Store,
    TooSlow,
    Broken,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::NotFound | Self::NoGoal | Self::Link => StatusCode::NOT_FOUND,
            Self::Gone => StatusCode::GONE,
            Self::Body => StatusCode::BAD_REQUEST,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Starting | Self::Store | Self::TooSlow => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn page(self) -> page::Refused {
        match self {
            Self::NotFound => page::Refused::NotFound,
            Self::Gone => page::Refused::Gone,
            Self::NoGoal => page::Refused::NoGoal,
            Self::Link => page::Refused::Link,
            Self::Body => page::Refused::Body,
            Self::MediaType => page::Refused::UnsupportedMedia,
            Self::TooMany => page::Refused::TooMany,
            Self::Method => page::Refused::Method,
            Self::TooLarge => page::Refused::TooLarge,
            Self::Starting => page::Refused::Starting,
            Self::Store | Self::TooSlow => page::Refused::NotNow,
            Self::Broken => page::Refused::Broken,
        }
    }

    /// Seconds after which it is worth trying again.
    fn retry_after(self) -> Option<&'static str> {
        match self {
            Self::Starting => Some("5"),
            Self::Store | Self::TooSlow => Some("60"),
            Self::TooMany => Some("3600"),
            _ => None,
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        error!(event = "page_failed", "a page cannot be shown: {problem}");
        Self::Broken
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        error!(event = "request_failed", "{error}");
        Self::Store
    }
}

/// Only the status and the refusal itself: `explain` has the blog's title and templates, and makes a page of it.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status();
        response.extensions_mut().insert(self);
        response
    }
}

pub async fn wrong_method() -> Refusal {
    Refusal::Method
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over")]
pub fn panicked(payload: Box<dyn Any + Send>) -> Response<Body> {
    let words = payload.downcast_ref::<String>().map(String::as_str);
    let words = words.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no words");
    error!(event = "request_bug", "a request ran into a bug: {words}");
    Refusal::Broken.into_response()
}

/// Makes a page of every refusal on its way out, or JSON for a program; headers it came with (`Allow`) stay.
pub async fn explain(axum::extract::State(state): App, request: Request, next: Next) -> Response<Body> {
    let json = wants_json(request.headers()) || request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    let Some(refusal) = response.extensions_mut().remove::<Refusal>() else { return response };
    let (body, content_type) = if json {
        let (heading, text) = refusal.page().words(state.templates.get().languages().get("en"));
        (format!("{}\n", serde_json::json!({"message": format!("{heading}. {text}")})), "application/json")
    } else {
        (page_of(&state, refusal), "text/html; charset=utf-8")
    };
    let headers = response.headers_mut();
    // That of the empty body.
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(seconds) = refusal.retry_after() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
    }
    *response.body_mut() = Body::from(body);
    response
}

/// Whether whoever asks is a program: it sends JSON, or asks for it before it asks for pages.
pub fn wants_json(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let accepted = text(header::ACCEPT);
    let place = |kind: &str| accepted.find(kind);
    match (place("application/json"), place("text/html")) {
        (Some(json), Some(html)) => json < html,
        (Some(_), None) => true,
        _ => accepted.is_empty() && text(header::CONTENT_TYPE).starts_with("application/json"),
    }
}

/// Why a body did not come in whole.
pub fn unread(rejection: BytesRejection) -> Refusal {
    if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE { Refusal::TooLarge } else { Refusal::Body }
}

fn page_of(state: &Arc<State>, refusal: Refusal) -> String {
    state.shared.get().with_site(|site| {
        page::refused(&state.templates.get(), site, refusal.page()).unwrap_or_else(|problem| {
            error!(event = "page_failed", "a page cannot be shown: {problem}");
            page::bare(state.templates.get().languages().get(site.language), refusal.page())
        })
    })
}
