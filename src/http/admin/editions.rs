//! Past editions and how their deliveries stand; one of them, with those that did not arrive and what servers said.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::Uri;
use serde_json::{Value, json};

use super::doing::{called, edition};
use super::next::framed;
use super::session::Session;
use super::{Desk, Here, Shown};
use crate::domain::delivery::State as Delivery;
use crate::domain::edition::{EditionKey, State as EditionState};
use crate::domain::wording;
use crate::http::error::Refusal;
use crate::render::page::admin::Page;
use crate::render::page::edition as as_sent;
use crate::store::{Counts, DeliveryRow, EditionSummary};

/// Deliveries that are listed; the counts say how many there are.
const LISTED: u32 = 200;
/// What is worth a line of its own.
const UNSENT: [Delivery; 4] = [Delivery::Failed, Delivery::Held, Delivery::Deferred, Delivery::InData];

pub async fn list(State(desk): Here, Extension(session): Extension<Session>, uri: Uri) -> Shown {
    let editions = desk.state.store.editions().await?;
    let lines: Vec<Value> = editions.iter().map(|summary| line(&desk, summary)).collect();
    let own = json!({"said": desk.said(&uri).await?, "editions": lines});
    desk.page(Some(&session), Page::Editions, "Editions", &own)
}

pub async fn page(
    State(desk): Here,
    Extension(session): Extension<Session>,
    Path(key): Path<String>,
    uri: Uri,
) -> Shown {
    let (key, store) = (edition(&key)?, &desk.state.store);
    let summary = desk.summary(key).await?;
    let rows = store.deliveries_of(key, &UNSENT, LISTED).await?;
    let states = Delivery::ALL.iter().map(|state| (state.as_str(), summary.counts.of(*state)));
    let own = json!({
        "said": desk.said(&uri).await?,
        "edition": line(&desk, &summary),
        "counts": states.filter(|(_, n)| *n > 0).collect::<Vec<_>>(),
        "rows": rows.iter().map(|row| delivery(&desk, row)).collect::<Vec<_>>(),
        "listed": LISTED,
        "can": {
            "pause": summary.edition.state == EditionState::Open,
            "resume": summary.edition.state == EditionState::Paused,
            "cancel": matches!(summary.edition.state, EditionState::Open | EditionState::Paused),
            "retry": retries(&summary),
        },
    });
    desk.page(Some(&session), Page::Edition, &wording::capitalised(&called(key)), &own)
}

/// As it was mailed, without what was its reader's own.
pub async fn html(State(desk): Here, Path(key): Path<String>) -> Shown {
    let found = desk.state.store.edition(edition(&key)?).await?.ok_or(Refusal::NotFound)?;
    Ok(framed(as_sent(&found)))
}

pub async fn confirm(State(desk): Here, Extension(session): Extension<Session>, Path(key): Path<String>) -> Shown {
    let key = edition(&key)?;
    let summary = desk.summary(key).await?;
    let waiting = u32::try_from(summary.counts.waiting() + summary.counts.of(Delivery::Held)).unwrap_or(u32::MAX);
    let own = json!({
        "question": format!(
            "{} is called off for good: what is not out ({}) is not sent, and it cannot be opened again.",
            wording::capitalised(&called(key)),
            wording::digits(waiting, "delivery"),
        ),
        "subject": summary.edition.subject,
        "action": format!("/admin/editions/{key}/cancel"),
        "button": "Call it off",
        "back": format!("/admin/editions/{key}"),
        "fields": [],
    });
    desk.page(Some(&session), Page::Confirm, "Call this edition off?", &own)
}

impl Desk {
    async fn summary(&self, key: EditionKey) -> Result<EditionSummary, Refusal> {
        let mut all = self.state.store.editions().await?.into_iter();
        all.find(|summary| summary.edition.key == key).ok_or(Refusal::NotFound)
    }
}

fn retries(summary: &EditionSummary) -> Vec<(&'static str, u64)> {
    if summary.edition.state == EditionState::Cancelled {
        return Vec::new();
    }
    let states = [Delivery::Failed, Delivery::Deferred, Delivery::Held];
    states.into_iter().map(|state| (state.as_str(), summary.counts.of(state))).filter(|(_, n)| *n > 0).collect()
}

pub(super) fn line(desk: &Desk, summary: &EditionSummary) -> Value {
    let (edition, counts) = (&summary.edition, &summary.counts);
    json!({
        "key": edition.key.to_string(),
        "name": edition.key.period().map_or_else(|| edition.key.to_string(), |p| wording::capitalised(&wording::period(p))),
        "state": edition.state.as_str(),
        "reason": edition.reason,
        "subject": edition.subject,
        "posts": edition.posts,
        "opened": desk.when(edition.opened_at),
        "finished": edition.finished_at.map(|at| desk.when(at)),
        "total": counts.total(),
        "accepted": counts.of(Delivery::Accepted),
        "waiting": counts.waiting(),
        "failed": counts.of(Delivery::Failed) + counts.of(Delivery::Held),
        "skipped": counts.of(Delivery::Skipped),
        "bar": bar(counts),
    })
}

/// Widths of the bar's parts: accepted, waiting, failed, skipped, in hundredths.
fn bar(counts: &Counts) -> [u64; 4] {
    let total = counts.total().max(1);
    let failed = counts.of(Delivery::Failed) + counts.of(Delivery::Held);
    let parts = [counts.of(Delivery::Accepted), counts.waiting(), failed, counts.of(Delivery::Skipped)];
    // What is there at all can be seen.
    parts.map(|n| if n == 0 { 0 } else { (n * 100 / total).max(1) })
}

pub(super) fn delivery(desk: &Desk, row: &DeliveryRow) -> Value {
    json!({
        "edition": row.key.edition.to_string(),
        "subscriber": Some(row.key.subscriber).filter(|id| *id > 0),
        "email": row.email,
        "state": row.state.as_str(),
        "attempts": row.attempts,
        "due": row.due_at.map(|at| desk.when(at)),
        "reply": row.reply.clone().unwrap_or_default(),
        "at": desk.when(row.changed_at),
    })
}
