//! A delivery's way from the queue to its outcome: claimed, marked, settled, or taken back from the dead. Every write is
//! fenced by the node, the claim's number and the state, so that a node which slept through its lease changes nothing.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
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
        // Which rows is settled before anybody is asked about: a join before the limit would be made of all that wait.
        "WITH ready AS MATERIALIZED (
             SELECT d.edition, d.subscriber, d.kind FROM deliveries d
             WHERE d.state IN ('queued', 'deferred') AND d.due_at <= $2
                 AND (d.kind <> 'edition' OR d.edition IN (SELECT period FROM editions WHERE state = 'open'))
             ORDER BY d.rank, d.due_at LIMIT $4 ",
        skip_locked!("d"),
        "), due AS MATERIALIZED (
             SELECT d.edition, d.subscriber, coalesce(s.state, 'erased') AS consent,
                 CASE WHEN d.kind = 'confirm' THEN s.asked_at IS NOT NULL
                     WHEN d.kind = 'move' THEN s.new_email IS NOT NULL AND s.state = 'active'
                     WHEN d.kind = 'data' THEN s.id IS NOT NULL
                     WHEN d.kind = 'letter' THEN 1 = 1
                     ELSE coalesce(s.state, '') = 'active' END AS wanted
             FROM ready d LEFT JOIN subscribers s ON s.id = d.subscriber)
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

/// All in one statement, which is a transaction by itself: one way to the database and back is what each message waits for. No
/// two are made at the same instant: by it is known what this one wrote.
pub async fn advance(
    db: &mut Connection,
    node: &str,
    steps: &[Step],
    at: Timestamp,
    lease: SignedDuration,
) -> Result<Vec<bool>> {
    let is_mark = |step: &Step| matches!(step, Step::Mark(_));
    let settled: HashSet<(DeliveryKey, i64)> = steps.iter().filter(|step| !is_mark(step)).map(id).collect();
    // What is over is not begun: a row can be given once only.
    let is_given = |step: &&Step| !is_mark(step) || !settled.contains(&id(step));
    let given: Vec<&Step> = steps.iter().filter(is_given).collect();
    let list = rows::list(given.iter().copied().map(|step| {
        let (key, fence) = id(step);
        let written = Written::from(step);
        json!([
            key.edition.to_string(),
            key.subscriber,
            fence,
            written.state.as_str(),
            written.words.map(rows::clean),
            written.due.map(Timestamp::as_microsecond),
            i64::from(written.is_refund),
        ])
    }));
    let done = sqlx::query(concat!(
        "UPDATE deliveries SET state = given.state, reply = coalesce(given.reply, deliveries.reply), due_at = given.due,
             attempts = attempts - given.refund, changed_at = $3,
             node = CASE WHEN given.state = 'in_data' THEN node END,
             lease_until = CASE WHEN given.state = 'in_data' THEN ",
        clock!("$3"),
        " + $4 END FROM ",
        rows!("$1", 0 edition text, 1 subscriber bigint, 2 fence bigint, 3 state text, 4 reply text, 5 due bigint,
            6 refund bigint),
        " WHERE deliveries.edition = given.edition AND deliveries.subscriber = given.subscriber AND node = $2
             AND deliveries.fence = given.fence
             AND (deliveries.state = 'claimed' OR deliveries.state = 'in_data' AND given.state <> 'in_data')
             AND (given.state <> 'in_data' OR kind <> 'edition'
                 OR EXISTS (SELECT 1 FROM editions WHERE period = given.edition AND editions.state = 'open'))"
    ))
    .bind(&list)
    .bind(node)
    .bind(at.as_microsecond())
    .bind(i64::try_from(lease.as_micros()).unwrap_or_default())
    .execute(&mut *db)
    .await?;
    // Which ones is asked only when it is not all of them: hardly ever.
    let all = usize::try_from(done.rows_affected()) == Ok(given.len());
    let held = if all { None } else { Some(advanced(db, &list, at).await?) };
    let holds = |step: &Step| is_given(&step) && held.as_ref().is_none_or(|held| held.contains(&reached(step)));
    Ok(steps.iter().map(holds).collect())
}

/// A claim and the state that a step brings it to.
type Reached = ((DeliveryKey, i64), State);

fn reached(step: &Step) -> Reached {
    (id(step), Written::from(step).state)
}

/// Those of a list that were written at this instant.
async fn advanced(db: &mut Connection, list: &str, at: Timestamp) -> Result<HashSet<Reached>> {
    let found = sqlx::query(concat!(
        "SELECT deliveries.edition, deliveries.subscriber, deliveries.fence, deliveries.state FROM ",
        rows!("$1", 0 edition text, 1 subscriber bigint, 2 fence bigint, 3 state text),
        " JOIN deliveries ON deliveries.edition = given.edition AND deliveries.subscriber = given.subscriber
         WHERE deliveries.fence = given.fence AND deliveries.state = given.state AND deliveries.changed_at = $2"
    ))
    .bind(list)
    .bind(at.as_microsecond())
    .fetch_all(db)
    .await?;
    let reached = |row: &Row| Ok(((key(row)?, rows::int(row, "fence")?), rows::word(row, "state", State::parse)?));
    found.iter().map(reached).collect()
}

/// What a claim is recognised by.
fn id(step: &Step) -> (DeliveryKey, i64) {
    let (Step::Mark(claim) | Step::Settle(claim, _)) = step;
    (claim.key, claim.fence)
}

/// What a step writes.
struct Written<'a> {
    state: State,
    /// None: as they are.
    words: Option<&'a str>,
    due: Option<Timestamp>,
    /// The attempt does not count.
    is_refund: bool,
}

impl<'a> From<&'a Step> for Written<'a> {
    fn from(step: &'a Step) -> Self {
        let Step::Settle(_, outcome) = step else {
            return Self { state: State::InData, words: None, due: None, is_refund: false };
        };
        let (words, due, is_refund) = match outcome {
            Outcome::Accepted { reply: words } | Outcome::Failed { reply: words } | Outcome::Held { reason: words } => {
                (words, None, false)
            }
            Outcome::Deferred { reply, until } => (reply, Some(*until), false),
            Outcome::Skipped { reason } => (reason, None, true),
            Outcome::Released { until, reason } => (reason, Some(*until), true),
        };
        Self { state: outcome.state(), words: Some(words), due, is_refund }
    }
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
