//! The outbox as its owner sees it: what waits, until when, and why.

use jiff::Timestamp;

use super::super::{Connection, Row};
use super::rows;
use crate::domain::delivery::State;
use crate::domain::edition::EditionKey;
use crate::store::{Counts, DeliveryRow, Result};

pub async fn next_due(db: &mut Connection) -> Result<Option<Timestamp>> {
    let due: Option<i64> = sqlx::query_scalar(
        "SELECT min(d.due_at) FROM deliveries d LEFT JOIN editions e ON e.period = d.edition
         WHERE d.due_at IS NOT NULL AND d.state IN ('queued', 'deferred') AND (d.kind <> 'edition' OR e.state = 'open')",
    )
    .fetch_one(db)
    .await?;
    due.map(|n| rows::micros("due_at", n)).transpose()
}

pub async fn counts(db: &mut Connection) -> Result<Counts> {
    let found = sqlx::query("SELECT state, count(*) AS n FROM outbox GROUP BY state").fetch_all(db).await?;
    let mut counts = Counts::default();
    for row in &found {
        counts.0.insert(rows::word(row, "state", State::parse)?, rows::count(row, "n")?);
    }
    Ok(counts)
}

pub async fn list(db: &mut Connection, states: &[State], limit: u32) -> Result<Vec<DeliveryRow>> {
    let states = if states.is_empty() { &State::ALL } else { states };
    let found = sqlx::query(concat!(
        "SELECT edition, subscriber, email, state, attempts, due_at, reply, changed_at FROM outbox WHERE state IN ",
        texts!("$1"),
        " ORDER BY changed_at DESC, edition, subscriber LIMIT $2"
    ))
    .bind(rows::words(states.iter().map(|state| state.as_str())))
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    found.iter().map(read).collect()
}

/// Those of one edition.
pub async fn of(db: &mut Connection, key: EditionKey, states: &[State], limit: u32) -> Result<Vec<DeliveryRow>> {
    let found = sqlx::query(concat!(
        "SELECT edition, subscriber, email, state, attempts, due_at, reply, changed_at FROM outbox
         WHERE edition = $3 AND state IN ",
        texts!("$1"),
        " ORDER BY changed_at DESC, subscriber LIMIT $2"
    ))
    .bind(rows::words(states.iter().map(|state| state.as_str())))
    .bind(i64::from(limit))
    .bind(key.to_string())
    .fetch_all(db)
    .await?;
    found.iter().map(read).collect()
}

pub async fn to(db: &mut Connection, subscriber: i64) -> Result<Vec<DeliveryRow>> {
    let found = sqlx::query(
        "SELECT edition, subscriber, email, state, attempts, due_at, reply, changed_at FROM outbox
         WHERE subscriber = $1 ORDER BY changed_at DESC, edition",
    )
    .bind(subscriber)
    .fetch_all(db)
    .await?;
    found.iter().map(read).collect()
}

fn read(row: &Row) -> Result<DeliveryRow> {
    Ok(DeliveryRow {
        key: rows::delivery(row)?,
        email: rows::text(row, "email")?,
        state: rows::word(row, "state", State::parse)?,
        attempts: rows::small_count(row, "attempts")?,
        due_at: rows::maybe_instant(row, "due_at")?,
        reply: rows::maybe_text(row, "reply")?,
        changed_at: rows::instant(row, "changed_at")?,
    })
}

pub async fn retry(db: &mut Connection, key: Option<EditionKey>, states: &[State], now: Timestamp) -> Result<u64> {
    let retried = [State::Deferred, State::Failed, State::Held];
    let states = retried.iter().filter(|state| states.contains(state)).map(|state| state.as_str());
    let key = key.map(|key| key.to_string());
    let done = sqlx::query(concat!(
        "UPDATE deliveries SET state = 'queued', attempts = 0, queued_at = $1, due_at = $1, changed_at = $1
         WHERE state IN ",
        texts!("$3"),
        " AND ($2 IS NULL OR edition = $2)
             AND (kind <> 'edition' OR edition IN (SELECT period FROM editions
                 WHERE state IN ('open', 'paused', 'finished') AND (period = $2 OR NOT EXISTS (SELECT 1 FROM editions later
                     WHERE later.state IN ('open', 'paused', 'finished') AND ",
        overtakes!("later.period", "editions.period"),
        "))))"
    ))
    .bind(now.as_microsecond())
    .bind(&key)
    .bind(rows::words(states))
    .execute(&mut *db)
    .await?;
    sqlx::query(
        "UPDATE editions SET state = 'open', finished_at = NULL
         WHERE state = 'finished'
             AND EXISTS (SELECT 1 FROM deliveries WHERE edition = editions.period AND state = 'queued')",
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
