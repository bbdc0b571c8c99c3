//! A delivery's way from the queue to its outcome: claimed, marked, settled, or taken back from the dead. Every write is
//! fenced by the node, the claim's number and the state, so that a node which slept through its lease changes nothing.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::json;

use super::super::{Connection, Row};
use super::rows;
use crate::config::OnDoubt;
use crate::domain::delivery::{Outcome, State};
use crate::store::{Claim, DeliveryKey, Result, Step};

pub async fn claim(
    db: &mut Connection,
    node: &str,
    limit: u32,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Vec<Claim>> {
    loop {
        let taken = take_due(db, node, limit, now, lease_until).await?;
        let mut claims = taken.iter().filter_map(|row| claimed(row).transpose()).collect::<Result<Vec<_>>>()?;
        // The rows come back in no order.
        claims.sort_by_key(|claim| claim.key.edition.is_edition());
        // A batch that held only people who have left is no sign that nothing else is due.
        if taken.is_empty() || !claims.is_empty() {
            return Ok(claims);
        }
    }
}

/// Claims the deliveries of those who are active at this moment, and skips the others.
async fn take_due(
    db: &mut Connection,
    node: &str,
    limit: u32,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Vec<Row>> {
    let taken = sqlx::query(concat!(
        "WITH due AS MATERIALIZED (
             SELECT d.edition, d.subscriber, coalesce(s.state, 'erased') AS consent,
                 CASE WHEN d.kind = 'confirm' THEN s.asked_at IS NOT NULL
                     WHEN d.kind = 'move' THEN s.new_email IS NOT NULL AND s.state = 'active'
                     WHEN d.kind = 'data' THEN s.id IS NOT NULL
                     WHEN d.kind = 'letter' THEN 1 = 1
                     ELSE coalesce(s.state, '') = 'active' END AS wanted
             FROM deliveries d
             LEFT JOIN editions e ON e.period = d.edition
             LEFT JOIN subscribers s ON s.id = d.subscriber
             WHERE d.state IN ('queued', 'deferred') AND d.due_at <= $2 AND (d.kind <> 'edition' OR e.state = 'open')
             ORDER BY d.rank, d.due_at LIMIT $4 ",
        skip_locked!("d"),
        ")
         UPDATE deliveries SET
             state = CASE WHEN wanted THEN 'claimed' ELSE 'skipped' END,
             reply = CASE WHEN wanted THEN reply ELSE 'the subscriber is ' || consent END,
             attempts = attempts + CASE WHEN wanted THEN 1 ELSE 0 END,
             node = CASE WHEN wanted THEN $1 END,
             lease_until = CASE WHEN wanted THEN ",
        clock!("$2"),
        " + $3 END,
             due_at = NULL, fence = fence + 1, changed_at = $2
         FROM due WHERE deliveries.edition = due.edition AND deliveries.subscriber = due.subscriber
         RETURNING deliveries.edition, deliveries.subscriber, deliveries.variant, deliveries.email, deliveries.name,
             deliveries.state, deliveries.attempts, deliveries.queued_at, deliveries.fence, deliveries.rank"
    ))
    .bind(node)
    .bind(now.as_microsecond())
    .bind(lease_until.as_microsecond() - now.as_microsecond())
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
        key: key(row)?,
        variant: rows::text(row, "variant")?,
        email: rows::text(row, "email")?,
        name: rows::maybe_text(row, "name")?,
        attempt: rows::small_count(row, "attempts")?,
        queued_at: rows::instant(row, "queued_at")?,
        fence: rows::int(row, "fence")?,
        canary: matches!(rows::int(row, "rank")?, 1 | 2),
    }))
}

fn key(row: &Row) -> Result<DeliveryKey> {
    Ok(DeliveryKey { edition: rows::edition(row, "edition")?, subscriber: rows::int(row, "subscriber")? })
}

pub async fn mark_in_data(
    db: &mut Connection,
    node: &str,
    claim: &Claim,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<bool> {
    Ok(!mark_all(db, node, &[claim], now, lease_until).await?.is_empty())
}

/// Which claims still held.
type Held = HashSet<(DeliveryKey, i64)>;

async fn mark_all(
    db: &mut Connection,
    node: &str,
    claims: &[&Claim],
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Held> {
    let list = claims.iter().map(|claim| json!([claim.key.edition.to_string(), claim.key.subscriber, claim.fence]));
    let done = sqlx::query(concat!(
        "UPDATE deliveries SET state = 'in_data', changed_at = $3, lease_until = ",
        clock!("$3"),
        " + $4 FROM ",
        rows!("$1", 0 edition text, 1 subscriber bigint, 2 fence bigint),
        " WHERE deliveries.edition = given.edition AND deliveries.subscriber = given.subscriber AND node = $2
             AND deliveries.fence = given.fence AND deliveries.state = 'claimed'
             AND (kind <> 'edition' OR EXISTS (SELECT 1 FROM editions WHERE period = given.edition AND editions.state = 'open'))
         RETURNING deliveries.edition, deliveries.subscriber, deliveries.fence"
    ))
    .bind(rows::list(list))
    .bind(node)
    .bind(now.as_microsecond())
    .bind(lease_until.as_microsecond() - now.as_microsecond())
    .fetch_all(db)
    .await?;
    held(&done)
}

fn held(rows: &[Row]) -> Result<Held> {
    rows.iter().map(|row| Ok((key(row)?, rows::int(row, "fence")?))).collect()
}

pub async fn advance(
    db: &mut Connection,
    node: &str,
    steps: &[Step],
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Vec<bool>> {
    let (mut marks, mut outcomes) = (Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Mark(claim) => marks.push(claim),
            Step::Settle(claim, outcome) => outcomes.push((claim, outcome)),
        }
    }
    let settled = if outcomes.is_empty() { Held::new() } else { settle_all(db, node, &outcomes, now).await? };
    let marked = if marks.is_empty() { Held::new() } else { mark_all(db, node, &marks, now, lease_until).await? };
    let holds = |step: &Step| match step {
        Step::Mark(claim) => marked.contains(&(claim.key, claim.fence)),
        Step::Settle(claim, _) => settled.contains(&(claim.key, claim.fence)),
    };
    Ok(steps.iter().map(holds).collect())
}

/// What an outcome writes.
struct Settled<'a> {
    state: State,
    words: &'a str,
    due: Option<Timestamp>,
    counts: bool,
}

impl<'a> From<&'a Outcome> for Settled<'a> {
    fn from(outcome: &'a Outcome) -> Self {
        let (words, due, counts) = match outcome {
            Outcome::Accepted { reply: words } | Outcome::Failed { reply: words } | Outcome::Held { reason: words } => {
                (words, None, true)
            }
            Outcome::Deferred { reply, until } => (reply, Some(*until), true),
            Outcome::Skipped { reason } => (reason, None, false),
            Outcome::Released { until, reason } => (reason, Some(*until), false),
        };
        Self { state: outcome.state(), words, due, counts }
    }
}

pub async fn settle(db: &mut Connection, node: &str, claim: &Claim, outcome: &Outcome, now: Timestamp) -> Result<bool> {
    Ok(!settle_all(db, node, &[(claim, outcome)], now).await?.is_empty())
}

async fn settle_all(db: &mut Connection, node: &str, outcomes: &[(&Claim, &Outcome)], now: Timestamp) -> Result<Held> {
    let list = outcomes.iter().map(|(claim, outcome)| {
        let settled = Settled::from(*outcome);
        json!([
            claim.key.edition.to_string(),
            claim.key.subscriber,
            claim.fence,
            settled.state.as_str(),
            rows::clean(settled.words),
            settled.due.map(Timestamp::as_microsecond),
            i64::from(!settled.counts),
        ])
    });
    let done = sqlx::query(concat!(
        "UPDATE deliveries SET state = given.state, reply = given.reply, due_at = given.due,
             attempts = attempts - given.refund, node = NULL, lease_until = NULL, changed_at = $3
         FROM ",
        rows!("$1", 0 edition text, 1 subscriber bigint, 2 fence bigint, 3 state text, 4 reply text, 5 due bigint,
            6 refund bigint),
        " WHERE deliveries.edition = given.edition AND deliveries.subscriber = given.subscriber AND node = $2
             AND deliveries.fence = given.fence AND deliveries.state IN ('claimed', 'in_data')
         RETURNING deliveries.edition, deliveries.subscriber, deliveries.fence"
    ))
    .bind(rows::list(list))
    .bind(node)
    .bind(now.as_microsecond())
    .fetch_all(db)
    .await?;
    held(&done)
}

/// Neither the claim's own lease holds, nor that of the node that has it.
macro_rules! abandoned {
    ($now:literal) => {
        concat!(
            "(deliveries.lease_until < ",
            clock!($now),
            " AND NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.name = deliveries.node AND nodes.lease_until >= ",
            clock!($now),
            "))"
        )
    };
}

pub async fn recover(
    db: &mut Connection,
    node: Option<&str>,
    on_doubt: OnDoubt,
    now: Timestamp,
) -> Result<Vec<DeliveryKey>> {
    let (state, due) = match on_doubt {
        OnDoubt::Resend => (State::Queued, Some(now.as_microsecond())),
        OnDoubt::Hold => (State::Held, None),
    };
    let doubtful = sqlx::query(concat!(
        "UPDATE deliveries SET state = $3, due_at = $4, node = NULL, lease_until = NULL, changed_at = $2,
             reply = 'in doubt: the sender died before it had the server''s answer'
         WHERE state = 'in_data' AND (node = $1 OR ",
        abandoned!("$2"),
        ") RETURNING edition, subscriber"
    ))
    .bind(node)
    .bind(now.as_microsecond())
    .bind(state.as_str())
    .bind(due)
    .fetch_all(&mut *db)
    .await?;
    sqlx::query(concat!(
        "UPDATE deliveries SET state = 'queued', due_at = $2, node = NULL, lease_until = NULL, changed_at = $2
         WHERE state = 'claimed' AND (node = $1 OR ",
        abandoned!("$2"),
        ")"
    ))
    .bind(node)
    .bind(now.as_microsecond())
    .execute(db)
    .await?;
    doubtful.iter().map(key).collect()
}
