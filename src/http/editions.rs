//! The digests as they were mailed, without what was their readers' own. What was called off, or had nothing to say, is
//! not shown.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{self, HeaderMap};
use axum::http::{Method, Response, Uri};

use super::conditional::{Answer, fresh};
use super::error::Refusal;
use super::{App, feeds, guard};
use crate::domain::edition::{Edition, State as EditionState};
use crate::domain::period::{Per, Period};
use crate::render::page;

pub async fn list(State(state): App, headers: HeaderMap) -> Result<Response<Body>, Refusal> {
    let editions: Vec<Edition> = state.store.editions().await?.into_iter().map(|summary| summary.edition).collect();
    let lines: Vec<page::EditionLine<'_>> =
        editions.iter().filter(|edition| is_public(edition)).filter_map(line).collect();
    let html = state.shared.get().with_site(|site| page::editions(&state.templates.get(), site, &lines))?;
    Ok(Answer::page(html).to(&headers, state.clock.now()))
}

/// `/editions/2021-05`; whatever is no period may be a feed's name, as `atom.xml`.
pub async fn edition(state: App, method: Method, uri: Uri, headers: HeaderMap) -> Result<Response<Body>, Refusal> {
    let Some(period) = uri.path().strip_prefix("/editions/").and_then(named) else {
        return feeds::document(state, method, uri, headers).await;
    };
    let State(state) = state;
    let found = state.store.edition(period.into()).await?.filter(is_public).ok_or(Refusal::NotFound)?;
    let mut response = Answer::new(page::edition(&found), "text/html", fresh()).to(&headers, state.clock.now());
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, guard::MAILED);
    Ok(response)
}

/// The months: quarters say the same again, and single posts are on the blog.
fn line(edition: &Edition) -> Option<page::EditionLine<'_>> {
    let period = edition.key.period().filter(|period| period.per() == Per::Month)?;
    Some(page::EditionLine { period, subject: &edition.subject, posts: edition.posts })
}

fn is_public(edition: &Edition) -> bool {
    matches!(edition.state, EditionState::Open | EditionState::Paused | EditionState::Finished)
}

/// One address for one edition: `2021-q2` is not `2021-Q2`.
fn named(text: &str) -> Option<Period> {
    Period::parse(text).filter(|period| period.to_string() == text)
}
