//! What webhooks are told: a call for each hook and event, queued once, tried until it is taken.

use jiff::Timestamp;

use super::super::{Connection, Row};
use super::rows;
use crate::store::{Call, Result};

pub async fn queue(db: &mut Connection, hooks: &[(String, Vec<String>)], now: Timestamp) -> Result<u64> {
    let untold =
        sqlx::query("UPDATE history SET told = 1 WHERE told = 0 RETURNING id, event").fetch_all(&mut *db).await?;
    let mut queued = 0;
    for row in &untold {
        let (id, event) = (rows::int(row, "id")?, rows::text(row, "event")?);
        for (hook, _) in hooks.iter().filter(|(_, events)| events.contains(&event)) {
            sqlx::query(
                "INSERT INTO calls (hook, history, made_at, due_at) VALUES ($1, $2, $3, $3)
                 ON CONFLICT (hook, history) DO NOTHING",
            )
            .bind(hook)
            .bind(id)
            .bind(now.as_microsecond())
            .execute(&mut *db)
            .await?;
            queued += 1;
        }
    }
    forget_erased(db).await?;
    Ok(queued)
}

/// Of whoever was erased nothing is kept once that has been told.
async fn forget_erased(db: &mut Connection) -> Result<()> {
    sqlx::query(
        "DELETE FROM history WHERE event = 'erased' AND told = 1
             AND NOT EXISTS (SELECT 1 FROM calls c WHERE c.history = history.id)",
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn claim(db: &mut Connection, most: u32, now: Timestamp, lease_until: Timestamp) -> Result<Vec<Call>> {
    let taken: Vec<i64> = sqlx::query_scalar(concat!(
        "UPDATE calls SET due_at = $2, attempts = attempts + 1 WHERE id IN
             (SELECT c.id FROM calls c WHERE c.due_at <= $1 ORDER BY c.due_at LIMIT $3 ",
        skip_locked!("c"),
        ") RETURNING id"
    ))
    .bind(now.as_microsecond())
    .bind(lease_until.as_microsecond())
    .bind(i64::from(most))
    .fetch_all(&mut *db)
    .await?;
    let found = sqlx::query(concat!(
        "SELECT c.id, c.hook, c.attempts, c.made_at, h.id AS event_id, h.event, h.at, h.subscriber, h.edition, h.source,
             h.proof, s.email
         FROM calls c JOIN history h ON h.id = c.history LEFT JOIN subscribers s ON s.id = h.subscriber
         WHERE CAST(c.id AS TEXT) IN ",
        texts!("$1"),
        " ORDER BY c.id"
    ))
    .bind(rows::list(taken.into_iter().map(|id| id.to_string().into())))
    .fetch_all(db)
    .await?;
    found.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Call> {
    Ok(Call {
        id: rows::int(row, "id")?,
        hook: rows::text(row, "hook")?,
        event_id: rows::int(row, "event_id")?,
        event: rows::text(row, "event")?,
        at: rows::instant(row, "at")?,
        subscriber: rows::maybe_int(row, "subscriber")?,
        email: rows::maybe_text(row, "email")?,
        edition: rows::maybe_text(row, "edition")?,
        source: rows::text(row, "source")?,
        proof: rows::text(row, "proof")?,
        attempts: rows::small_count(row, "attempts")?,
        made_at: rows::instant(row, "made_at")?,
    })
}

pub async fn end(db: &mut Connection, id: i64) -> Result<()> {
    sqlx::query("DELETE FROM calls WHERE id = $1").bind(id).execute(db).await?;
    Ok(())
}

pub async fn defer(db: &mut Connection, id: i64, reply: &str, until: Timestamp) -> Result<()> {
    sqlx::query("UPDATE calls SET due_at = $2, reply = $3 WHERE id = $1")
        .bind(id)
        .bind(until.as_microsecond())
        .bind(rows::clean(reply))
        .execute(db)
        .await?;
    Ok(())
}
