//! Deliveries are claimed, and taken back from the dead. A claim is known by its node and its number, so that a node which slept
//! through its lease changes nothing; what becomes of it is `wire`'s.

use jiff::Timestamp;

use super::super::{Connection, Row, by_lookups};
use super::{rows, wire};
use crate::config::OnDoubt;
use crate::domain::delivery::State;
use crate::store::{Claim, DeliveryKey, Result};

pub async fn claim(
    db: &mut Connection,
    node: &str,
    limit: u32,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Vec<Claim>> {
    by_lookups(db).await?;
    loop {
        let taken = take_due(db, node, limit, now).await?;
        let mut claims = taken.iter().filter_map(|row| claimed(row).transpose()).collect::<Result<Vec<_>>>()?;
        // The rows come back in no order.
        claims.sort_by_key(|claim| claim.key.edition.is_edition());
        if !claims.is_empty() {
            wire::hold(db, node, now, lease_until).await?;
        }
        // A batch that held only people who have left is no sign that nothing else is due.
        if taken.is_empty() || !claims.is_empty() {
            return Ok(claims);
        }
    }
}

/// Claims the deliveries of those who are active at this moment and want them, and skips the others. Whoever has left may still
/// have their data and a link to be forgotten by.
async fn take_due(db: &mut Connection, node: &str, limit: u32, now: Timestamp) -> Result<Vec<Row>> {
    let taken = sqlx::query(concat!(
        // Which rows is settled before anybody is asked about: a join before the limit would be made of all that wait.
        "WITH ready AS MATERIALIZED (
             SELECT d.edition, d.subscriber, d.kind, d.email FROM deliveries d
             WHERE d.state IN ('queued', 'deferred') AND d.due_at <= $2
                 AND (d.kind <> 'edition' OR d.edition IN (SELECT period FROM editions WHERE state = 'open'))
             ORDER BY d.rank, d.due_at LIMIT $3 ",
        skip_locked!("d"),
        "), due AS MATERIALIZED (
             SELECT d.edition, d.subscriber,
                 CASE WHEN d.kind = 'letter' THEN NULL
                     WHEN s.id IS NULL THEN 'the subscriber is erased'
                     WHEN d.kind IN ('data', 'link') THEN NULL
                     WHEN d.kind = 'confirm' AND s.asked_at IS NOT NULL THEN NULL
                     WHEN d.kind = 'confirm' THEN 'the question is not open any more'
                     WHEN s.state <> 'active' THEN 'the subscriber is ' || s.state
                     WHEN d.kind = 'move' AND s.new_email IS DISTINCT FROM d.email THEN 'another address was named since'
                     WHEN d.kind = 'edition' AND s.paused_until > $2 THEN 'the subscriber is pausing' END AS unwanted
             FROM ready d LEFT JOIN subscribers s ON s.id = d.subscriber)
         UPDATE deliveries SET
             state = CASE WHEN unwanted IS NULL THEN 'claimed' ELSE 'skipped' END,
             reply = coalesce(unwanted, reply),
             attempts = attempts + CASE WHEN unwanted IS NULL THEN 1 ELSE 0 END,
             node = CASE WHEN unwanted IS NULL THEN $1 END,
             due_at = CASE WHEN unwanted IS NULL THEN due_at END,
             fence = fence + 1, changed_at = $2
         FROM due WHERE deliveries.edition = due.edition AND deliveries.subscriber = due.subscriber
         RETURNING deliveries.edition, deliveries.subscriber, deliveries.variant, deliveries.email, deliveries.name,
             deliveries.state, deliveries.attempts, deliveries.fence, deliveries.rank"
    ))
    .bind(node)
    .bind(now.as_microsecond())
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    Ok(taken)
}

fn claimed(row: &Row) -> Result<Option<Claim>> {
    if rows::word(row, "state", State::parse)? != State::Claimed {
        return Ok(None);
    }
    Ok(Some(Claim {
        key: rows::delivery(row)?,
        variant: rows::text(row, "variant")?,
        email: rows::text(row, "email")?,
        name: rows::maybe_text(row, "name")?,
        attempt: rows::small_count(row, "attempts")?,
        fence: rows::int(row, "fence")?,
        canary: matches!(rows::int(row, "rank")?, 1 | 2),
    }))
}

/// Takes back what the dead held.
pub async fn recover(
    db: &mut Connection,
    node: Option<&str>,
    on_doubt: OnDoubt,
    now: Timestamp,
) -> Result<Vec<DeliveryKey>> {
    let dead = wire::bury(db, node, now).await?;
    let mut doubtful = Vec::new();
    for (node, messages) in &dead {
        doubtful.extend(doubt(db, node, messages, on_doubt, now).await?);
        sqlx::query(
            "UPDATE deliveries SET state = 'queued', due_at = $2, node = NULL, changed_at = $2
             WHERE due_at IS NOT NULL AND state = 'claimed' AND node = $1",
        )
        .bind(node)
        .bind(now.as_microsecond())
        .execute(&mut *db)
        .await?;
    }
    Ok(doubtful)
}

/// What became of the messages that a node had on the wire, nobody knows.
async fn doubt(
    db: &mut Connection,
    node: &str,
    messages: &str,
    on_doubt: OnDoubt,
    now: Timestamp,
) -> Result<Vec<DeliveryKey>> {
    let (state, due) = match on_doubt {
        OnDoubt::Resend => (State::Queued, Some(now.as_microsecond())),
        OnDoubt::Hold => (State::Held, None),
    };
    let doubtful = sqlx::query(concat!(
        "UPDATE deliveries SET state = $3, due_at = $4, node = NULL, changed_at = $5,
             reply = 'in doubt: the sender died before it had the server''s answer' FROM ",
        rows!("$2", 0 edition text, 1 subscriber bigint, 2 fence bigint),
        " WHERE deliveries.edition = given.edition AND deliveries.subscriber = given.subscriber
             AND deliveries.fence = given.fence AND deliveries.state = 'claimed' AND deliveries.node = $1
         RETURNING deliveries.edition, deliveries.subscriber"
    ))
    .bind(node)
    .bind(messages)
    .bind(state.as_str())
    .bind(due)
    .bind(now.as_microsecond())
    .fetch_all(db)
    .await?;
    doubtful.iter().map(rows::delivery).collect()
}

/// Rows that were written so much later than now were written by a clock that was wrong.
const AHEAD: i64 = 60_000_000;

/// Waits begin anew that began at a time which is still to come.
pub async fn set_back(db: &mut Connection, now: Timestamp) -> Result<()> {
    sqlx::query(
        "UPDATE deliveries SET due_at = $1 + (due_at - changed_at), changed_at = $1
         WHERE due_at IS NOT NULL AND state IN ('queued', 'deferred') AND changed_at > $2",
    )
    .bind(now.as_microsecond())
    .bind(now.as_microsecond() + AHEAD)
    .execute(db)
    .await?;
    Ok(())
}
