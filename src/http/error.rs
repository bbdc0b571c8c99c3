//! What is said when a request gets no answer of its own: a status and a small page in plain words. Why it failed
//! inside stays inside: no page names a version, a file or a query.

use std::any::Any;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{self, HeaderValue};
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
    NoGoal,
    /// A token that is not good, for whatever reason.
    Link,
    /// A POST that does not say what it wants.
    Body,
    Method,
    TooLarge,
    /// The first scan is still under way.
    Starting,
    Store,
    TooSlow,
    Broken,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::NotFound | Self::NoGoal | Self::Link => StatusCode::NOT_FOUND,
            Self::Body => StatusCode::BAD_REQUEST,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Starting | Self::Store | Self::TooSlow => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::NotFound => ("Not found", "There is nothing at this address. It may have moved, or never been here."),
            Self::NoGoal => ("No goal yet", "This blog has not set itself a goal, so there is nothing to show here."),
            Self::Link => (
                "This link does not work",
                "It is not valid, or not any more. Mail programs sometimes cut long links: please try the whole one from your newest digest.",
            ),
            Self::Body => (
                "That was not understood",
                "Nothing was changed. Please follow the link in your mail again and use its button.",
            ),
            Self::Method => ("Not possible here", "This address can be read, and that is all."),
            Self::TooLarge => ("Too large", "That is more than is needed here. Nothing was changed."),
            Self::Starting => ("Just a moment", "The blog is being read for the first time. Please try again shortly."),
            Self::Store | Self::TooSlow => {
                ("Not right now", "This did not work, and it will pass. Please try again in a minute.")
            }
            Self::Broken => ("Something broke", "That is our mistake, and it has been noted. Please try again later."),
        }
    }

    /// Seconds after which it is worth trying again.
    fn retry_after(self) -> Option<&'static str> {
        match self {
            Self::Starting => Some("5"),
            Self::Store | Self::TooSlow => Some("60"),
            _ => None,
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        error!("a page cannot be shown: {problem}");
        Self::Broken
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        error!("{error}");
        Self::Store
    }
}

/// Only the status and the refusal itself: [`explain`] has the blog's title and templates, and makes a page of it.
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
    error!("a request ran into a bug: {words}");
    Refusal::Broken.into_response()
}

/// Makes a page of every refusal on its way out; headers it came with (`Allow`) stay.
pub async fn explain(axum::extract::State(state): App, request: Request, next: Next) -> Response<Body> {
    let mut response = next.run(request).await;
    let Some(refusal) = response.extensions_mut().remove::<Refusal>() else { return response };
    let html = page_of(&state, refusal);
    let headers = response.headers_mut();
    // That of the empty body.
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if let Some(seconds) = refusal.retry_after() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
    }
    *response.body_mut() = Body::from(html);
    response
}

fn page_of(state: &Arc<State>, refusal: Refusal) -> String {
    let (heading, text) = refusal.words();
    let html = state.shared.get().with_site(|site| page::message(&state.templates, site, heading, text));
    html.unwrap_or_else(|problem| {
        error!("a page cannot be shown: {problem}");
        page::bare(heading, text)
    })
}
