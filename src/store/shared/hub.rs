//! Who is subscribed to the feeds at our own hub. What a request changes waits, beside what is in force, until the callback has
//! confirmed it.

use jiff::Timestamp;

use super::super::{Connection, Row};
use super::{rows, standby};
use crate::domain::websub::Mode;
use crate::store::{Distribution, HubLimits, HubRequest, Question, Requested, Result};

pub async fn request(
    db: &mut Connection,
    request: &HubRequest,
    limits: HubLimits,
    now: Timestamp,
) -> Result<Requested> {
    if ask_again(db, request, now).await? {
        return Ok(Requested::Kept);
    }
    if request.mode == Mode::Unsubscribe {
        return Ok(Requested::Nothing);
    }
    forget(db, now).await?;
    let all: i64 = sqlx::query_scalar("SELECT count(*) FROM hub_subscriptions").fetch_one(&mut *db).await?;
    let of_host: i64 = sqlx::query_scalar("SELECT count(*) FROM hub_subscriptions WHERE host = $1")
        .bind(&request.host)
        .fetch_one(&mut *db)
        .await?;
    let reached = |count: i64, most: u64| u64::try_from(count).is_ok_and(|count| count >= most);
    if reached(all, limits.all) || reached(of_host, limits.host) {
        return Ok(Requested::Full);
    }
    sqlx::query(
        "INSERT INTO hub_subscriptions (path, callback, host, asked, asked_secret, asked_lease, asked_nr, ask_at)
         VALUES ($1, $2, $3, 'subscribe', $4, $5, 1, $6)
         ON CONFLICT (path, callback) DO NOTHING",
    )
    .bind(rows::clean(&request.path))
    .bind(rows::clean(&request.callback))
    .bind(rows::clean(&request.host))
    .bind(request.secret.as_deref().map(rows::clean))
    .bind(i64::from(request.lease_seconds))
    .bind(now.as_microsecond())
    .execute(db)
    .await?;
    Ok(Requested::Kept)
}

/// Of a subscription that is known; the last request counts.
async fn ask_again(db: &mut Connection, request: &HubRequest, now: Timestamp) -> Result<bool> {
    let changed = sqlx::query(
        "UPDATE hub_subscriptions SET asked = $3, asked_secret = $4, asked_lease = $5, asked_nr = asked_nr + 1,
             ask_at = $6, ask_attempts = 0
         WHERE path = $1 AND callback = $2",
    )
    .bind(rows::clean(&request.path))
    .bind(rows::clean(&request.callback))
    .bind(request.mode.as_str())
    .bind(request.secret.as_deref().map(rows::clean))
    .bind(i64::from(request.lease_seconds))
    .bind(now.as_microsecond())
    .execute(db)
    .await?;
    Ok(changed.rows_affected() > 0)
}

pub async fn claim_question(
    db: &mut Connection,
    busy: &[String],
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Option<Question>> {
    if standby::since(&mut *db).await?.is_some() {
        return Ok(None);
    }
    let found = sqlx::query(concat!(
        "UPDATE hub_subscriptions SET ask_at = $2, ask_attempts = ask_attempts + 1 WHERE id =
             (SELECT s.id FROM hub_subscriptions s WHERE s.ask_at <= $1 AND s.host NOT IN ",
        texts!("$3"),
        " ORDER BY s.ask_at LIMIT 1 ",
        skip_locked!("s"),
        ") RETURNING id, asked_nr, path, callback, host, asked, asked_lease, ask_attempts"
    ))
    .bind(now.as_microsecond())
    .bind(lease_until.as_microsecond())
    .bind(rows::words(busy.iter().map(String::as_str)))
    .fetch_optional(db)
    .await?;
    found.as_ref().map(question).transpose()
}

fn question(row: &Row) -> Result<Question> {
    Ok(Question {
        id: rows::int(row, "id")?,
        nr: rows::int(row, "asked_nr")?,
        path: rows::text(row, "path")?,
        callback: rows::text(row, "callback")?,
        host: rows::text(row, "host")?,
        mode: rows::word(row, "asked", Mode::parse)?,
        lease_seconds: rows::small_count(row, "asked_lease")?,
        attempts: rows::small_count(row, "ask_attempts")?,
    })
}

pub async fn confirm(db: &mut Connection, question: &Question, hash: u128, now: Timestamp) -> Result<()> {
    if question.mode == Mode::Unsubscribe {
        sqlx::query("DELETE FROM hub_subscriptions WHERE id = $1 AND asked_nr = $2 AND asked = 'unsubscribe'")
            .bind(question.id)
            .bind(question.nr)
            .execute(db)
            .await?;
        return Ok(());
    }
    sqlx::query(
        "UPDATE hub_subscriptions SET secret = asked_secret, lease_until = $3 + asked_lease * 1000000,
             asked = NULL, asked_secret = NULL, ask_at = NULL, failing_since = NULL,
             hash = CASE WHEN lease_until IS NULL THEN $4 ELSE hash END
         WHERE id = $1 AND asked_nr = $2 AND asked = 'subscribe'",
    )
    .bind(question.id)
    .bind(question.nr)
    .bind(now.as_microsecond())
    .bind(rows::hex(hash))
    .execute(db)
    .await?;
    Ok(())
}

pub async fn deny(db: &mut Connection, question: &Question) -> Result<()> {
    for statement in [
        "DELETE FROM hub_subscriptions WHERE id = $1 AND asked_nr = $2 AND lease_until IS NULL",
        "UPDATE hub_subscriptions SET asked = NULL, asked_secret = NULL, ask_at = NULL WHERE id = $1 AND asked_nr = $2",
    ] {
        sqlx::query(statement).bind(question.id).bind(question.nr).execute(&mut *db).await?;
    }
    Ok(())
}

pub async fn defer_question(db: &mut Connection, question: &Question, until: Timestamp) -> Result<()> {
    sqlx::query("UPDATE hub_subscriptions SET ask_at = $3 WHERE id = $1 AND asked_nr = $2 AND asked IS NOT NULL")
        .bind(question.id)
        .bind(question.nr)
        .bind(until.as_microsecond())
        .execute(db)
        .await?;
    Ok(())
}

/// `feeds` is a list of paths and hashes, `moved` one of paths and where they lead.
pub async fn distribute(db: &mut Connection, feeds: &str, moved: &str, now: Timestamp) -> Result<()> {
    forget(db, now).await?;
    follow(db, feeds, moved).await?;
    take_back(db, feeds).await?;
    sqlx::query(concat!(
        "UPDATE hub_subscriptions SET hash = newest.hash, due_at = $2, attempts = 0 FROM (SELECT path, hash FROM ",
        rows!("$1", 0 path text, 1 hash text),
        ") AS newest WHERE newest.path = hub_subscriptions.path AND newest.hash <> hub_subscriptions.hash
             AND hub_subscriptions.lease_until >= $2"
    ))
    .bind(feeds)
    .bind(now.as_microsecond())
    .execute(db)
    .await?;
    Ok(())
}

/// What has run out and was not renewed.
async fn forget(db: &mut Connection, now: Timestamp) -> Result<()> {
    sqlx::query("DELETE FROM hub_subscriptions WHERE lease_until < $1 AND asked IS NULL")
        .bind(now.as_microsecond())
        .execute(db)
        .await?;
    Ok(())
}

/// Subscriptions go with their feed. A callback has each feed once, and is asked by the address that it gave itself.
async fn follow(db: &mut Connection, feeds: &str, moved: &str) -> Result<()> {
    sqlx::query(concat!(
        "UPDATE hub_subscriptions SET path = moved.target FROM
             (SELECT max(s.id) AS id, given.target FROM hub_subscriptions s JOIN ",
        rows!("$2", 0 origin text, 1 target text),
        " ON given.origin = s.path
              WHERE s.asked IS NULL AND given.target IN (SELECT path FROM ",
        rows!("$1", 0 path text, 1 hash text),
        ") AND NOT EXISTS
                  (SELECT 1 FROM hub_subscriptions o WHERE o.path = given.target AND o.callback = s.callback)
              GROUP BY given.target, s.callback) AS moved
         WHERE moved.id = hub_subscriptions.id"
    ))
    .bind(feeds)
    .bind(moved)
    .execute(db)
    .await?;
    Ok(())
}

/// Of a feed that is gone nothing can be delivered. Who has not got its last version gets whatever stands there next.
async fn take_back(db: &mut Connection, feeds: &str) -> Result<()> {
    sqlx::query(concat!(
        "UPDATE hub_subscriptions SET hash = $2, due_at = NULL WHERE due_at IS NOT NULL AND path NOT IN (SELECT path FROM ",
        rows!("$1", 0 path text, 1 hash text),
        ")"
    ))
    .bind(feeds)
    .bind(rows::hex(0))
    .execute(db)
    .await?;
    Ok(())
}

pub async fn claim(
    db: &mut Connection,
    busy: &[String],
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Option<Distribution>> {
    if standby::since(&mut *db).await?.is_some() {
        return Ok(None);
    }
    let found = sqlx::query(concat!(
        "UPDATE hub_subscriptions SET due_at = $2, attempts = attempts + 1 WHERE id =
             (SELECT s.id FROM hub_subscriptions s WHERE s.due_at <= $1 AND s.lease_until >= $1 AND s.host NOT IN ",
        texts!("$3"),
        " ORDER BY s.failing_since IS NOT NULL, s.due_at LIMIT 1 ",
        skip_locked!("s"),
        ") RETURNING id, path, callback, host, secret, hash, attempts, failing_since"
    ))
    .bind(now.as_microsecond())
    .bind(lease_until.as_microsecond())
    .bind(rows::words(busy.iter().map(String::as_str)))
    .fetch_optional(db)
    .await?;
    found.as_ref().map(distribution).transpose()
}

fn distribution(row: &Row) -> Result<Distribution> {
    Ok(Distribution {
        id: rows::int(row, "id")?,
        path: rows::text(row, "path")?,
        callback: rows::text(row, "callback")?,
        host: rows::text(row, "host")?,
        secret: rows::maybe_text(row, "secret")?,
        hash: rows::hash(row, "hash")?,
        attempts: rows::small_count(row, "attempts")?,
        failing_since: rows::maybe_instant(row, "failing_since")?,
    })
}

pub async fn delivered(db: &mut Connection, of: &Distribution) -> Result<()> {
    sqlx::query("UPDATE hub_subscriptions SET due_at = NULL, failing_since = NULL WHERE id = $1 AND hash = $2")
        .bind(of.id)
        .bind(rows::hex(of.hash))
        .execute(db)
        .await?;
    Ok(())
}

pub async fn defer(db: &mut Connection, of: &Distribution, now: Timestamp, until: Timestamp) -> Result<()> {
    sqlx::query(
        "UPDATE hub_subscriptions SET due_at = CASE WHEN hash = $2 THEN $4 ELSE due_at END,
             failing_since = COALESCE(failing_since, $3)
         WHERE id = $1",
    )
    .bind(of.id)
    .bind(rows::hex(of.hash))
    .bind(now.as_microsecond())
    .bind(until.as_microsecond())
    .execute(db)
    .await?;
    Ok(())
}

pub async fn end(db: &mut Connection, id: i64) -> Result<()> {
    sqlx::query("DELETE FROM hub_subscriptions WHERE id = $1").bind(id).execute(db).await?;
    Ok(())
}
