//! The readers: how many, how their number grows, one found by the address, and all that is kept of one.

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{self, HeaderValue};
use axum::http::{Response, Uri};
use serde_json::{Value, json};

use super::session::Session;
use super::{Desk, Here, Shown, asked, editions};
use crate::domain::subscriber::Subscriber;
use crate::http::error::Refusal;
use crate::http::guard;
use crate::render::growth::{self, Month};
use crate::render::page::admin::Page;
use crate::store::{Bounce, Dossier, StoreError};

/// How many are listed; whoever looks for somebody writes more of the address.
const LISTED: u32 = 50;
/// How many months the table has.
const MONTHS: usize = 36;
const LONGEST: usize = 254;

pub async fn page(State(desk): Here, Extension(session): Extension<Session>, uri: Uri) -> Shown {
    let query: String = asked(&uri, "q").trim().chars().take(LONGEST).collect();
    let found = if query.is_empty() { None } else { Some(desk.state.store.find_subscribers(&query, LISTED).await?) };
    let months = desk.months().await?;
    let mut total = 0_i128;
    let mut rows: Vec<Value> = Vec::new();
    for month in &months {
        total += i128::from(month.joined) - i128::from(month.left);
        rows.push(json!({"month": month.month.to_string(), "joined": month.joined, "left": month.left, "total": total.to_string()}));
    }
    rows.reverse();
    rows.truncate(MONTHS);
    let own = json!({
        "query": query,
        "found": found.map(|found| found.iter().map(|s| person(&desk, s)).collect::<Vec<_>>()),
        "listed": LISTED,
        "counts": desk.state.store.subscriber_counts().await?.into_iter().collect::<Vec<_>>(),
        "months": rows,
    });
    desk.page(Some(&session), Page::Readers, "Readers", &own)
}

pub async fn growth(State(desk): Here) -> Shown {
    let mut response = Response::new(Body::from(growth::svg(&desk.months().await?)));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("image/svg+xml"));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, guard::INLINE_STYLES);
    Ok(response)
}

pub async fn one(State(desk): Here, Extension(session): Extension<Session>, Path(id): Path<String>) -> Shown {
    let id = id.parse().map_err(|_| Refusal::NotFound)?;
    let Dossier { subscriber, history, deliveries, bounces } =
        desk.state.store.dossier(id).await?.ok_or(Refusal::NotFound)?;
    let consent = history.iter().map(|step| {
        json!({"at": desk.when(step.at), "event": step.event.as_str(), "source": step.source, "proof": step.proof})
    });
    let own = json!({
        "person": person(&desk, &subscriber),
        "consent": consent.collect::<Vec<_>>(),
        "deliveries": deliveries.iter().map(|row| editions::delivery(&desk, row)).collect::<Vec<_>>(),
        "bounces": bounces.iter().map(|b| bounce(&desk, b)).collect::<Vec<_>>(),
    });
    desk.page(Some(&session), Page::Reader, &subscriber.email, &own)
}

impl Desk {
    async fn months(&self) -> Result<Vec<Month>, StoreError> {
        let zone = self.state.shared.get().blog.zone.clone();
        let months = self.state.store.growth_by_month(&zone, self.now()).await?;
        Ok(months.into_iter().map(|(month, grown)| Month { month, joined: grown.joined, left: grown.left }).collect())
    }
}

fn person(desk: &Desk, s: &Subscriber) -> Value {
    let all = |list: &[String]| if list.is_empty() { "all".to_owned() } else { list.join(", ") };
    json!({
        "id": s.id,
        "email": s.email,
        "name": s.name,
        "state": s.state.as_str(),
        "since": desk.when(s.changed_at),
        "source": s.source,
        "created": desk.when(s.created_at),
        "frequency": s.choice.frequency.as_str(),
        "language": s.choice.language.clone().unwrap_or_else(|| "the site's".to_owned()),
        "tags": all(&s.choice.tags),
        "authors": all(&s.choice.authors),
        "paused": s.choice.paused_until.map(|at| desk.when(at)),
    })
}

fn bounce(desk: &Desk, b: &Bounce) -> Value {
    json!({
        "at": desk.when(b.at),
        "class": b.class.as_str(),
        "status": b.status.clone().unwrap_or_default(),
        "edition": b.edition.map(|key| key.to_string()),
        "words": b.words,
        "fate": match b.undone_at {
            Some(at) => format!("undone {}", desk.when(at)),
            None if b.suppressed => "suppressed".to_owned(),
            None => "kept".to_owned(),
        },
    })
}
