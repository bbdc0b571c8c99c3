//! Where the blog stands: a page, and the same as data, chart, badge and calendar. The numbers are the last scan's.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Response, Uri};
use jiff::Timestamp;

use super::conditional::{Answer, MINUTES, fresh};
use super::error::Refusal;
use super::{App, Published, guard};
use crate::domain::goal::GoalStatus;
use crate::render::{badge, calendar, chart, goal, page};

pub async fn page(State(state): App, headers: HeaderMap) -> Result<Response<Body>, Refusal> {
    let published = with_goal(&state)?;
    let html = published.with_site(|site| page::goal(&state.templates, site, &published.goals))?;
    Ok(Answer::page(html).to(&headers, state.clock.now()))
}

pub async fn json(State(state): App, headers: HeaderMap) -> Result<Response<Body>, Refusal> {
    let published = with_goal(&state)?;
    let text = format!("{:#}\n", goal::json(&published.goals));
    Ok(Answer::new(text, "application/json", HeaderValue::from_static(MINUTES)).to(&headers, state.clock.now()))
}

pub async fn chart(State(state): App, headers: HeaderMap) -> Result<Response<Body>, Refusal> {
    let published = with_goal(&state)?;
    let language = state.templates.languages().get(&published.blog.language);
    let svg = chart::svg_in(first(&published)?, chart::PERIODS, language);
    Ok(picture(svg, &headers, state.clock.now()))
}

pub async fn badge(State(state): App, headers: HeaderMap) -> Result<Response<Body>, Refusal> {
    let published = with_goal(&state)?;
    let svg = badge::svg(first(&published)?);
    Ok(picture(svg, &headers, state.clock.now()))
}

pub async fn calendar(State(state): App, headers: HeaderMap) -> Result<Response<Body>, Refusal> {
    let published = with_goal(&state)?;
    let blog = &published.blog;
    let uri: Option<Uri> = blog.url.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or("localhost");
    let ics = calendar::ics(&published.goals, &blog.title, host, stamp(&published));
    Ok(Answer::new(ics, "text/calendar", fresh()).to(&headers, state.clock.now()))
}

/// The newest change, so that the calendar stays the same, byte for byte, until there is one.
fn stamp(published: &Published) -> Timestamp {
    let newest = published.documents.values().map(|document| document.modified).max();
    newest.or(published.scanned_at).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn with_goal(state: &super::State) -> Result<Arc<Published>, Refusal> {
    let published = state.shared.get();
    published.scanned_at.ok_or(Refusal::Starting)?;
    if published.goals.is_empty() { Err(Refusal::NoGoal) } else { Ok(published) }
}

/// Pictures show the first goal of the configuration.
fn first(published: &Published) -> Result<&GoalStatus, Refusal> {
    published.goals.first().ok_or(Refusal::NoGoal)
}

fn picture(svg: String, headers: &HeaderMap, now: Timestamp) -> Response<Body> {
    let mut response = Answer::new(svg, "image/svg+xml", fresh()).to(headers, now);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, guard::INLINE_STYLES);
    response
}
