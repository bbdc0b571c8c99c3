//! Where the blog stands: a page for each goal and period, and the same as data, chart, badge and calendar. The numbers are the last scan's.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Response, Uri};
use jiff::Timestamp;

use super::conditional::{Answer, MINUTES, fresh};
use super::error::Refusal;
use super::{App, Published, guard};
use crate::domain::period::Period;
use crate::domain::record::Record;
use crate::render::page::goals;
use crate::render::{badge, calendar, chart, goal};

pub async fn page(State(state): App, headers: HeaderMap) -> Result<Response<Body>, Refusal> {
    let published = with_goal(&state)?;
    let html = published.with_site(|site| goals::goals(&state.templates.get(), site, &published.goals))?;
    Ok(Answer::page(html).to(&headers, state.clock.now()))
}

pub async fn json(State(state): App, headers: HeaderMap) -> Result<Response<Body>, Refusal> {
    let published = with_goal(&state)?;
    Ok(data(&published.goals, &headers, state.clock.now()))
}

pub async fn chart(State(state): App, headers: HeaderMap) -> Result<Response<Body>, Refusal> {
    let published = with_goal(&state)?;
    Ok(drawn(&state, &published, first(&published)?, &headers))
}

pub async fn badge(State(state): App, uri: Uri, headers: HeaderMap) -> Result<Response<Body>, Refusal> {
    let published = with_goal(&state)?;
    Ok(badge_of(&state, first(&published)?, &uri, &headers))
}

pub async fn calendar(State(state): App, headers: HeaderMap) -> Result<Response<Body>, Refusal> {
    let published = with_goal(&state)?;
    Ok(days(&state, &published, &published.goals, &headers))
}

/// `/goal/NAME`, and the same with `.json`, `.svg` or `.ics` behind it: one of several goals.
pub async fn one(State(state): App, Path(name): Path<String>, headers: HeaderMap) -> Result<Response<Body>, Refusal> {
    let published = with_goal(&state)?;
    let (slug, form) = name.rsplit_once('.').unwrap_or((&name, ""));
    let record = called(&published, slug)?;
    let now = state.clock.now();
    match form {
        "" => {
            let html = published.with_site(|site| goals::goal(&state.templates.get(), site, record))?;
            Ok(Answer::page(html).to(&headers, now))
        }
        "json" => Ok(data(std::slice::from_ref(record), &headers, now)),
        "svg" => Ok(drawn(&state, &published, record, &headers)),
        "ics" => Ok(days(&state, &published, std::slice::from_ref(record), &headers)),
        _ => Err(Refusal::NotFound),
    }
}

/// `/badge/NAME.svg`
pub async fn one_badge(
    State(state): App,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response<Body>, Refusal> {
    let published = with_goal(&state)?;
    let slug = name.strip_suffix(".svg").ok_or(Refusal::NotFound)?;
    Ok(badge_of(&state, called(&published, slug)?, &uri, &headers))
}

/// `/goal/NAME/2021-05`: the posts of a period.
pub async fn period(
    State(state): App,
    Path((name, period)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response<Body>, Refusal> {
    let published = with_goal(&state)?;
    let record = called(&published, &name)?;
    let period = Period::parse(&period).ok_or(Refusal::NotFound)?;
    let html = published.with_site(|site| goals::period(&state.templates.get(), site, record, period).transpose())?;
    Ok(Answer::page(html.ok_or(Refusal::NotFound)?).to(&headers, state.clock.now()))
}

fn data(records: &[Record], headers: &HeaderMap, now: Timestamp) -> Response<Body> {
    let text = format!("{:#}\n", goal::json(records));
    Answer::new(text, "application/json", HeaderValue::from_static(MINUTES)).to(headers, now)
}

fn drawn(state: &super::State, published: &Published, record: &Record, headers: &HeaderMap) -> Response<Body> {
    let templates = state.templates.get();
    let language = templates.languages().get(&published.blog.language);
    picture(chart::svg_in(&record.status, chart::PERIODS, language), headers, state.clock.now())
}

/// `?size=small|medium|large` and `?show=period|total|streak`; what is neither is left out.
fn badge_of(state: &super::State, record: &Record, uri: &Uri, headers: &HeaderMap) -> Response<Body> {
    let asked = |name: &str| {
        let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        pairs.into_owned().find(|(key, _)| key == name).map(|(_, value)| value).unwrap_or_default()
    };
    let size = badge::Size::parse(&asked("size")).unwrap_or_default();
    let show = badge::Show::parse(&asked("show")).unwrap_or_default();
    picture(badge::svg(&record.status, show, size), headers, state.clock.now())
}

fn days(state: &super::State, published: &Published, records: &[Record], headers: &HeaderMap) -> Response<Body> {
    let blog = &published.blog;
    let uri: Option<Uri> = blog.url.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or("localhost");
    let ics = calendar::ics(records, &blog.title, host, stamp(published));
    Answer::new(ics, "text/calendar", fresh()).to(headers, state.clock.now())
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
fn first(published: &Published) -> Result<&Record, Refusal> {
    published.goals.first().ok_or(Refusal::NoGoal)
}

fn called<'a>(published: &'a Published, slug: &str) -> Result<&'a Record, Refusal> {
    published.goals.iter().find(|record| record.status.slug == slug).ok_or(Refusal::NotFound)
}

fn picture(svg: String, headers: &HeaderMap, now: Timestamp) -> Response<Body> {
    let mut response = Answer::new(svg, "image/svg+xml", fresh()).to(headers, now);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, guard::INLINE_STYLES);
    response
}
