//! The operator's API, on a listener of its own: the same people as `gazetted subscribers` has, for other programs. Every
//! call but the description itself carries the token; every answer is JSON.

use std::sync::Arc;

use aws_lc_rs::{constant_time, digest};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Response, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::{self, unread};
use super::{App, State as Served, form, unsubscribe};
use crate::domain::problem::Problem;
use crate::domain::subscriber::{self, Address, State as SubscriberState};
use crate::domain::subscriber_import::{self, ImportRow, Survey, Tool};
use crate::store::{Added, Growth, ImportRows, NewSubscriber, SignUp, StoreError};

/// The description that programs read; tested against what is answered.
const DESCRIPTION: &str = include_str!("openapi.json");
/// A list of a hundred thousand people.
pub(super) const BODY: usize = 16 * 1024 * 1024;
const MOST: u32 = 1_000;
/// The longest address.
const AFTER: usize = 254;

/// Whoever knows `token` may do all of it; without one, nobody may.
pub(super) fn routes(token: &SecretString) -> Router<Arc<Served>> {
    let known = Some(token.expose_secret()).filter(|token| !token.is_empty());
    let known = known.map(|token| digest::digest(&digest::SHA256, token.as_bytes()));
    Router::new()
        .route("/api/subscribers", get(list).post(add))
        .route("/api/subscribers/{id}", get(show).delete(erase))
        .route("/api/subscribers/{id}/unsubscribe", post(leave))
        .route("/api/import", post(import))
        .route("/api/stats", get(stats))
        .layer(from_fn_with_state(known, authorised))
        .route("/api/openapi.json", get(description))
}

/// Why a call is refused, in its own words.
pub(super) enum Failure {
    Said(StatusCode, String),
    Store(StoreError),
}

impl Failure {
    fn new(status: StatusCode, words: impl Into<String>) -> Self {
        Self::Said(status, words.into())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response<Body> {
        match self {
            Self::Said(status, message) => answer(status, &json!({"message": message})),
            Self::Store(error) => error::Refusal::from(error).into_response(),
        }
    }
}

type Answered = Result<Response<Body>, Failure>;

fn answer(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    let mut body = serde_json::to_vec(value).unwrap_or_default();
    body.push(b'\n');
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Compared by their hashes: neither length nor content tells how near a guess is.
async fn authorised(State(known): State<Option<digest::Digest>>, request: Request, next: Next) -> Response<Body> {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token =
        given.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, t)| t.trim());
    let hash = digest::digest(&digest::SHA256, token.unwrap_or_default().as_bytes());
    let same = |known: digest::Digest| constant_time::verify_slices_are_equal(hash.as_ref(), known.as_ref()).is_ok();
    if token.is_some() && known.is_some_and(same) {
        return next.run(request).await;
    }
    let words = "this needs `Authorization: Bearer TOKEN`, with the token of `http.admin_token`";
    let mut response = Failure::new(StatusCode::UNAUTHORIZED, words).into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

async fn description() -> Response<Body> {
    let mut response = Response::new(Body::from(DESCRIPTION));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub(super) fn nothing() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "there is nothing at this address; see /api/openapi.json")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    state: Option<String>,
    #[serde(default)]
    after: String,
    limit: Option<u32>,
}

async fn list(State(state): App, uri: Uri) -> Answered {
    let page: Page = query(&uri)?;
    let wanted = page.state.as_deref().map(|text| {
        let expected = "`state` is one of pending, active, unsubscribed, suppressed";
        SubscriberState::parse(text).ok_or_else(|| Failure::new(StatusCode::UNPROCESSABLE_ENTITY, expected))
    });
    let limit = page.limit.unwrap_or(100);
    if !(1..=MOST).contains(&limit) {
        return Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, format!("`limit` is a number from 1 to {MOST}")));
    }
    if page.after.chars().count() > AFTER || page.after.contains('\0') {
        let words = "`after` is the `next` of the page before, an address";
        return Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, words));
    }
    let after = Some(page.after.as_str()).filter(|after| !after.is_empty());
    let found = state.store.subscribers(wanted.transpose()?, after, limit).await?;
    let full = found.len() == limit as usize;
    let last = found.last().filter(|_| full).and_then(|last| Address::parse(&last.email).ok());
    Ok(answer(StatusCode::OK, &json!({"subscribers": found, "next": last.map(|address| address.key)})))
}

fn query<T: for<'a> Deserialize<'a>>(uri: &Uri) -> Result<T, Failure> {
    axum::extract::Query::try_from_uri(uri)
        .map(|axum::extract::Query(query)| query)
        .map_err(|error| Failure::new(StatusCode::UNPROCESSABLE_ENTITY, error.body_text()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    email: String,
    #[serde(default)]
    name: Option<String>,
    /// The caller answers for their consent; else they are asked.
    #[serde(default)]
    confirmed: bool,
}

async fn add(State(state): App, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Answered {
    let new: New = read(&headers, body)?;
    let address = Address::parse(&new.email)
        .map_err(|e| Failure::new(StatusCode::UNPROCESSABLE_ENTITY, format!("`email` is no mail address: {e}")))?;
    let now = state.clock.now();
    if !new.confirmed {
        let proof = json!({"form": "api"}).to_string();
        let form = SignUp { address, language: None, network: String::new(), proof };
        state.store.sign_up(&form, now).await?;
        state.wake.notify_one();
        let asked = "they are asked, if they may be written to";
        let kept = if new.name.is_some() { "; `name` is only kept of who is `confirmed`" } else { "" };
        return Ok(answer(StatusCode::ACCEPTED, &json!({"message": format!("{asked}{kept}")})));
    }
    let key = address.key.clone();
    let name = new.name.as_deref().and_then(subscriber::name);
    let new = NewSubscriber {
        email: address.email,
        key: address.key,
        name,
        state: SubscriberState::Active,
        source: "api".to_owned(),
    };
    match state.store.add_subscribers(&[new], false, now).await?.first() {
        Some(Added::New | Added::Again) => {
            let found = state.store.subscriber_by_key(&key).await?;
            Ok(answer(StatusCode::CREATED, &found))
        }
        Some(Added::Known(known)) => {
            Err(Failure::new(StatusCode::CONFLICT, format!("this address is {} already", known.as_str())))
        }
        _ => Err(Failure::new(StatusCode::CONFLICT, "this address was forgotten at its owner's wish")),
    }
}

fn read<T: for<'a> Deserialize<'a>>(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<T, Failure> {
    let body = whole(body)?;
    let kind = form::content_type(headers).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind != "application/json" {
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "expected `Content-Type: application/json`"));
    }
    serde_json::from_slice(&body).map_err(|error| Failure::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))
}

fn whole(body: Result<Bytes, BytesRejection>) -> Result<Bytes, Failure> {
    body.map_err(|rejection| match unread(rejection) {
        error::Refusal::TooLarge => Failure::new(StatusCode::PAYLOAD_TOO_LARGE, format!("at most {BODY} bytes")),
        _ => Failure::new(StatusCode::BAD_REQUEST, "the body did not come in whole"),
    })
}

fn unknown() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "there is no such subscriber")
}

/// The number in `/api/subscribers/{id}…`.
fn id(uri: &Uri) -> Result<i64, Failure> {
    let part = uri.path().trim_start_matches("/api/subscribers/").split('/').next().unwrap_or_default();
    part.parse().map_err(|_| unknown())
}

async fn show(State(state): App, uri: Uri) -> Answered {
    let found = state.store.dossier(id(&uri)?).await?.ok_or_else(unknown)?;
    Ok(answer(StatusCode::OK, &found))
}

async fn leave(State(state): App, uri: Uri) -> Answered {
    let id = id(&uri)?;
    unsubscribe::leave(&state, id, "api").await?;
    let found = state.store.subscriber(id).await?.ok_or_else(unknown)?;
    Ok(answer(StatusCode::OK, &found))
}

async fn erase(State(state): App, uri: Uri) -> Answered {
    let id = id(&uri)?;
    if !state.store.erase_subscriber(id, state.clock.now()).await? {
        return Err(unknown());
    }
    tracing::info!(event = "subscriber_forgotten", subscriber = id, "forgotten");
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Import {
    format: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

/// A list in the body, read twice like a file: looked at, and only then written.
async fn import(State(state): App, uri: Uri, headers: HeaderMap, body: Result<Bytes, BytesRejection>) -> Answered {
    let Import { format, dry_run } = query(&uri)?;
    let kind = form::content_type(&headers).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind != "text/csv" {
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "expected `Content-Type: text/csv`"));
    }
    let wanted = format.filter(|format| format != "auto").map(|format| {
        let words = format!("there is no format called `{format}`");
        Tool::parse(&format).ok_or_else(|| Failure::new(StatusCode::UNPROCESSABLE_ENTITY, words))
    });
    let (wanted, body) = (wanted.transpose()?, whole(body)?);
    let mut survey = Survey::default();
    survey.read("body", &body[..], wanted);
    let Some(tool) = survey.files.first().map(|file| file.format).filter(|_| survey.problems.is_empty()) else {
        return Ok(answer(StatusCode::UNPROCESSABLE_ENTITY, &facts(&mut survey, dry_run)));
    };
    let rows: ImportRows<'_> = match subscriber_import::open("body", &body[..], wanted) {
        Ok(list) => Box::new(list.map(|row: Result<ImportRow, Problem>| row.map_err(|problem| changed(&problem)))),
        Err(problem) => return Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, problem.to_string())),
    };
    let tally = state.store.import_subscribers(&format!("import:{tool}"), rows, dry_run, state.clock.now()).await?;
    let mut facts = facts(&mut survey, dry_run);
    facts["tally"] = json!(tally);
    Ok(answer(StatusCode::OK, &facts))
}

fn changed(problem: &Problem) -> StoreError {
    StoreError::Other(format!("the list is not what it was: {problem}"))
}

fn facts(survey: &mut Survey, dry_run: bool) -> Value {
    let repeated = survey.repeated();
    json!({
        "message": if survey.problems.is_empty() { "read" } else { "nothing was written: the list has mistakes" },
        "files": survey.files,
        "rows": survey.rows,
        "repeated": repeated,
        "problems": survey.problems,
        "dry_run": dry_run,
    })
}

#[derive(Serialize)]
struct Month {
    month: String,
    #[serde(flatten)]
    growth: Growth,
}

async fn stats(State(state): App) -> Answered {
    let counts = state.store.subscriber_counts().await?;
    let zone = state.shared.get().blog.zone.clone();
    let growth = state.store.growth_by_month(&zone, state.clock.now()).await?;
    let months: Vec<Month> =
        growth.into_iter().map(|(month, growth)| Month { month: month.to_string(), growth }).collect();
    Ok(answer(StatusCode::OK, &json!({"counts": counts, "months": months})))
}
