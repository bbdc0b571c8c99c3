//! Editions: frozen once, with their deliveries.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::{Connection, Row};
use super::rows;
use crate::domain::delivery::State as DeliveryState;
use crate::domain::edition::{Edition, State};
use crate::domain::period::Period;
use crate::store::{Counts, EditionSummary, Opened, Result, StoreError};

pub async fn open(db: &mut Connection, edition: &Edition, entry_ids: &[String]) -> Result<Opened> {
    if !insert(db, edition).await? {
        let before = one(db, edition.period).await?;
        let before = before.ok_or_else(|| StoreError::Other(format!("edition {} has vanished", edition.period)))?;
        return Ok(Opened::Before(Box::new(before)));
    }
    sqlx::query(concat!("UPDATE entries SET edition = $1 WHERE edition IS NULL AND id IN ", texts!("$2")))
        .bind(edition.period.to_string())
        .bind(rows::words(entry_ids.iter().map(String::as_str)))
        .execute(&mut *db)
        .await?;
    Ok(Opened::Now { recipients: queue(db, edition).await? })
}

/// False if the period has its edition already.
async fn insert(db: &mut Connection, edition: &Edition) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO editions (period, state, subject, text, html, content, posts, opened_at, finished_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (period) DO NOTHING",
    )
    .bind(edition.period.to_string())
    .bind(edition.state.as_str())
    .bind(rows::clean(&edition.subject))
    .bind(rows::clean(&edition.text))
    .bind(rows::clean(&edition.html))
    .bind(edition.content.to_string())
    .bind(i64::from(edition.posts))
    .bind(edition.opened_at.as_microsecond())
    .bind(edition.finished_at.map(Timestamp::as_microsecond))
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// One delivery for each active subscriber; none if the period is only marked as decided.
async fn queue(db: &mut Connection, edition: &Edition) -> Result<u64> {
    if !matches!(edition.state, State::Open | State::Paused) {
        return Ok(0);
    }
    let done = sqlx::query(
        "INSERT INTO deliveries (edition, subscriber, email, name, state, queued_at, due_at, changed_at)
         SELECT $1, id, email, name, 'queued', $2, $2, $2 FROM subscribers WHERE state = 'active'",
    )
    .bind(edition.period.to_string())
    .bind(edition.opened_at.as_microsecond())
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

pub async fn one(db: &mut Connection, period: Period) -> Result<Option<Edition>> {
    let found =
        sqlx::query("SELECT * FROM editions WHERE period = $1").bind(period.to_string()).fetch_optional(db).await?;
    found.as_ref().map(read).transpose()
}

pub async fn all(db: &mut Connection) -> Result<Vec<EditionSummary>> {
    let found = sqlx::query("SELECT * FROM editions ORDER BY opened_at DESC, period DESC").fetch_all(&mut *db).await?;
    let mut counts = counts(db).await?;
    let summary = |row| {
        let edition = read(row)?;
        let counts = counts.remove(&edition.period).unwrap_or_default();
        Ok(EditionSummary { edition, counts })
    };
    found.iter().map(summary).collect()
}

async fn counts(db: &mut Connection) -> Result<BTreeMap<Period, Counts>> {
    let found = sqlx::query("SELECT edition, state, count(*) AS n FROM deliveries GROUP BY edition, state")
        .fetch_all(db)
        .await?;
    let mut counts: BTreeMap<Period, Counts> = BTreeMap::new();
    for row in &found {
        let state = rows::word(row, "state", DeliveryState::parse)?;
        counts.entry(rows::period(row, "edition")?).or_default().0.insert(state, rows::count(row, "n")?);
    }
    Ok(counts)
}

fn read(row: &Row) -> Result<Edition> {
    let content = rows::text(row, "content")?;
    Ok(Edition {
        period: rows::period(row, "period")?,
        state: rows::word(row, "state", State::parse)?,
        subject: rows::text(row, "subject")?,
        text: rows::text(row, "text")?,
        html: rows::text(row, "html")?,
        content: serde_json::from_str(&content)
            .map_err(|e| StoreError::Damaged(format!("an edition's content: {e}")))?,
        posts: rows::small_count(row, "posts")?,
        opened_at: rows::instant(row, "opened_at")?,
        finished_at: rows::maybe_instant(row, "finished_at")?,
    })
}

pub async fn shift(db: &mut Connection, period: Period, from: &[State], to: State, now: Timestamp) -> Result<bool> {
    let over = matches!(to, State::Finished | State::Cancelled).then(|| now.as_microsecond());
    let done = sqlx::query(concat!(
        "UPDATE editions SET state = $1, finished_at = $2 WHERE period = $3 AND state IN ",
        texts!("$4")
    ))
    .bind(to.as_str())
    .bind(over)
    .bind(period.to_string())
    .bind(rows::words(from.iter().map(|state| state.as_str())))
    .execute(&mut *db)
    .await?;
    let moved = done.rows_affected() == 1;
    if moved && to == State::Cancelled {
        skip_all(db, period, now).await?;
    }
    Ok(moved)
}

/// What was not on the wire when the edition was called off. A claimed delivery's node finds out when it marks it.
async fn skip_all(db: &mut Connection, period: Period, now: Timestamp) -> Result<()> {
    sqlx::query(
        "UPDATE deliveries SET state = 'skipped', reply = 'the edition was cancelled', node = NULL, lease_until = NULL,
             due_at = NULL, changed_at = $1
         WHERE edition = $2 AND state IN ('queued', 'claimed', 'deferred', 'held')",
    )
    .bind(now.as_microsecond())
    .bind(period.to_string())
    .execute(db)
    .await?;
    Ok(())
}

pub async fn finish(db: &mut Connection, now: Timestamp) -> Result<Vec<Period>> {
    let found = sqlx::query(
        "UPDATE editions SET state = 'finished', finished_at = $1
         WHERE state = 'open' AND NOT EXISTS (SELECT 1 FROM deliveries WHERE edition = editions.period
             AND state IN ('queued', 'claimed', 'in_data', 'deferred'))
         RETURNING period",
    )
    .bind(now.as_microsecond())
    .fetch_all(db)
    .await?;
    found.iter().map(|row| rows::period(row, "period")).collect()
}
