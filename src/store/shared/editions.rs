//! Editions: frozen once, with their deliveries.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::super::{Connection, Row};
use super::{history, nodes, rows};
use crate::domain::delivery::State as DeliveryState;
use crate::domain::edition::{Edition, EditionKey, State};
use crate::domain::subscriber::Frequency;
use crate::store::{Audience, Counts, EditionSummary, Frozen, Opened, Result, SCHEDULE, StoreError};

pub async fn open(
    db: &mut Connection,
    edition: &Edition,
    entry_ids: &[String],
    audience: &Audience<'_>,
) -> Result<Opened> {
    if let Some(fence) = audience.lead
        && !nodes::holds_lease(db, SCHEDULE, fence).await?
    {
        return Ok(Opened::Overtaken);
    }
    if !insert(db, edition).await? {
        let before = one(db, edition.key).await?;
        let before = before.ok_or_else(|| StoreError::Other(format!("edition {} has vanished", edition.key)))?;
        return Ok(Opened::Before(Box::new(before)));
    }
    sqlx::query(concat!("UPDATE entries SET edition = $1 WHERE edition IS NULL AND id IN ", texts!("$2")))
        .bind(edition.key.to_string())
        .bind(rows::words(entry_ids.iter().map(String::as_str)))
        .execute(&mut *db)
        .await?;
    if edition.state != State::Skipped {
        corrected(db, edition).await?;
    }
    give_up_older(db, edition).await?;
    Ok(Opened::Now { recipients: super::audience::queue(db, edition, audience).await? })
}

/// Marks the corrections that the edition tells of, so that none is told twice.
async fn corrected(db: &mut Connection, edition: &Edition) -> Result<()> {
    let told = edition.content.get("corrections").and_then(|list| list.as_array()).map_or(&[][..], Vec::as_slice);
    for correction in told {
        let part = |name: &str| correction.get(name).and_then(|text| text.as_str()).unwrap_or_default();
        sqlx::query("UPDATE entries SET corrected = $1 WHERE id = $2")
            .bind(rows::clean(part("note")))
            .bind(rows::clean(part("id")))
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

/// False if the period has its edition already.
async fn insert(db: &mut Connection, edition: &Edition) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO editions (period, state, subject, text, html, content, posts, opened_at, finished_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (period) DO NOTHING",
    )
    .bind(edition.key.to_string())
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

/// What was put off until the next edition of its kind came is given up: last month's digest is no news any more.
async fn give_up_older(db: &mut Connection, edition: &Edition) -> Result<()> {
    if edition.state != State::Open {
        return Ok(());
    }
    sqlx::query(concat!(
        "UPDATE deliveries SET state = 'failed', due_at = NULL, changed_at = $1,
             reply = 'given up, since the next edition is here: ' || coalesce(reply, '')
         WHERE state = 'deferred' AND kind = 'edition' AND ",
        overtakes!("$2", "edition")
    ))
    .bind(edition.opened_at.as_microsecond())
    .bind(edition.key.to_string())
    .execute(db)
    .await?;
    Ok(())
}

pub async fn readers(db: &mut Connection, frequency: Frequency) -> Result<u64> {
    let n: i64 = sqlx::query_scalar("SELECT count(*) FROM subscribers WHERE state = 'active' AND frequency = $1")
        .bind(frequency.as_str())
        .fetch_one(db)
        .await?;
    Ok(u64::try_from(n).unwrap_or_default())
}

pub async fn variant(db: &mut Connection, key: EditionKey, variant: &str) -> Result<Option<Frozen>> {
    let found = sqlx::query("SELECT subject, text, html FROM variants WHERE edition = $1 AND variant = $2")
        .bind(key.to_string())
        .bind(variant)
        .fetch_optional(db)
        .await?;
    found.as_ref().map(frozen).transpose()
}

fn frozen(row: &Row) -> Result<Frozen> {
    Ok(Frozen { subject: rows::text(row, "subject")?, text: rows::text(row, "text")?, html: rows::text(row, "html")? })
}

pub async fn freeze(db: &mut Connection, key: EditionKey, name: &str, fresh: &Frozen) -> Result<Frozen> {
    sqlx::query(
        "INSERT INTO variants (edition, variant, subject, text, html) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (edition, variant) DO NOTHING",
    )
    .bind(key.to_string())
    .bind(name)
    .bind(rows::clean(&fresh.subject))
    .bind(rows::clean(&fresh.text))
    .bind(rows::clean(&fresh.html))
    .execute(&mut *db)
    .await?;
    let found = variant(db, key, name).await?;
    found.ok_or_else(|| StoreError::Other(format!("a variant of edition {key} has vanished")))
}

pub async fn one(db: &mut Connection, key: EditionKey) -> Result<Option<Edition>> {
    let found =
        sqlx::query("SELECT * FROM editions WHERE period = $1").bind(key.to_string()).fetch_optional(db).await?;
    found.as_ref().map(read).transpose()
}

pub async fn latest(db: &mut Connection) -> Result<Option<Edition>> {
    // A month's key, and no quarter's or post's.
    let found = sqlx::query(
        "SELECT * FROM editions WHERE state IN ('open', 'paused', 'finished') AND period LIKE '____-__'
             AND period NOT LIKE '%Q%' ORDER BY period DESC LIMIT 1",
    )
    .fetch_optional(db)
    .await?;
    found.as_ref().map(read).transpose()
}

pub async fn all(db: &mut Connection) -> Result<Vec<EditionSummary>> {
    let found = sqlx::query("SELECT * FROM editions ORDER BY opened_at DESC, period DESC").fetch_all(&mut *db).await?;
    let mut counts = counts(db).await?;
    let summary = |row| {
        let edition = read(row)?;
        let counts = counts.remove(&edition.key).unwrap_or_default();
        Ok(EditionSummary { edition, counts })
    };
    found.iter().map(summary).collect()
}

async fn counts(db: &mut Connection) -> Result<BTreeMap<EditionKey, Counts>> {
    let found =
        sqlx::query("SELECT edition, state, count(*) AS n FROM outbox WHERE kind = 'edition' GROUP BY edition, state")
            .fetch_all(db)
            .await?;
    let mut counts: BTreeMap<EditionKey, Counts> = BTreeMap::new();
    for row in &found {
        let state = rows::word(row, "state", DeliveryState::parse)?;
        counts.entry(rows::edition(row, "edition")?).or_default().0.insert(state, rows::count(row, "n")?);
    }
    Ok(counts)
}

fn read(row: &Row) -> Result<Edition> {
    let content = rows::text(row, "content")?;
    Ok(Edition {
        key: rows::edition(row, "period")?,
        state: rows::word(row, "state", State::parse)?,
        subject: rows::text(row, "subject")?,
        text: rows::text(row, "text")?,
        html: rows::text(row, "html")?,
        content: serde_json::from_str(&content)
            .map_err(|e| StoreError::Damaged(format!("an edition's content: {e}")))?,
        posts: rows::small_count(row, "posts")?,
        opened_at: rows::instant(row, "opened_at")?,
        finished_at: rows::maybe_instant(row, "finished_at")?,
        reason: rows::maybe_text(row, "reason")?,
    })
}

pub async fn shift(db: &mut Connection, key: EditionKey, from: &[State], to: State, now: Timestamp) -> Result<bool> {
    let over = matches!(to, State::Finished | State::Cancelled).then(|| now.as_microsecond());
    let done = sqlx::query(concat!(
        "UPDATE editions SET state = $1, finished_at = $2, reason = CASE WHEN $1 = 'open' THEN NULL ELSE reason END
         WHERE period = $3 AND state IN ",
        texts!("$4")
    ))
    .bind(to.as_str())
    .bind(over)
    .bind(key.to_string())
    .bind(rows::words(from.iter().map(|state| state.as_str())))
    .execute(&mut *db)
    .await?;
    let moved = done.rows_affected() == 1;
    if moved && to == State::Cancelled {
        skip_all(db, key, now).await?;
    }
    Ok(moved)
}

pub async fn pause(db: &mut Connection, key: EditionKey, reason: &str, now: Timestamp) -> Result<bool> {
    let done = sqlx::query("UPDATE editions SET state = 'paused', reason = $2 WHERE period = $1 AND state = 'open'")
        .bind(key.to_string())
        .bind(rows::clean(reason))
        .execute(&mut *db)
        .await?;
    let paused = done.rows_affected() == 1;
    if paused {
        note(db, key, "paused", &json!({"reason": rows::clean(reason)}).to_string(), now).await?;
    }
    Ok(paused)
}

async fn note(db: &mut Connection, key: EditionKey, event: &str, proof: &str, now: Timestamp) -> Result<()> {
    sqlx::query("INSERT INTO history (at, edition, event, source, proof) VALUES ($1, $2, $3, 'outbox', $4)")
        .bind(now.as_microsecond())
        .bind(key.to_string())
        .bind(event)
        .bind(proof)
        .execute(db)
        .await?;
    Ok(())
}

/// What was not on the wire when the edition was called off. A claimed delivery's node finds out when it marks it.
async fn skip_all(db: &mut Connection, key: EditionKey, now: Timestamp) -> Result<()> {
    sqlx::query(
        "UPDATE deliveries SET state = 'skipped', reply = 'the edition was cancelled', node = NULL,
             due_at = NULL, changed_at = $1
         WHERE edition = $2 AND state IN ('queued', 'claimed', 'deferred', 'held')",
    )
    .bind(now.as_microsecond())
    .bind(key.to_string())
    .execute(db)
    .await?;
    Ok(())
}

pub async fn finish(db: &mut Connection, now: Timestamp) -> Result<Vec<EditionKey>> {
    // By the index over what waits, not by the edition's, which has all of them: it is asked every few seconds, for days.
    let found = sqlx::query(
        "UPDATE editions SET state = 'finished', finished_at = $1
         WHERE state = 'open' AND NOT EXISTS (SELECT 1 FROM deliveries
             WHERE due_at IS NOT NULL AND edition || '' = editions.period AND state IN ('queued', 'claimed', 'deferred'))
         RETURNING period",
    )
    .bind(now.as_microsecond())
    .fetch_all(&mut *db)
    .await?;
    let keys = found.iter().map(|row| rows::edition(row, "period")).collect::<Result<Vec<_>>>()?;
    for key in &keys {
        note(db, *key, "sent", history::NOTHING, now).await?;
    }
    Ok(keys)
}
