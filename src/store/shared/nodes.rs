//! Nodes and their leases. The clock is `clock!`'s: on PostgreSQL the database's, whatever the nodes' say.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::super::{Connection, Database};
use super::rows;
use crate::store::{Held, Nodes, Place, Result};

#[async_trait]
impl Nodes for Database {
    async fn beat(&self, node: &str, lease: SignedDuration, now: Timestamp) -> Result<Place> {
        write!(self, |db| beat(db, node, lease, now))
    }

    async fn leave(&self, node: &str) -> Result<()> {
        write!(self, |db| leave(db, node))
    }

    async fn lead(&self, what: &str, node: &str, lease: SignedDuration, now: Timestamp) -> Result<Option<i64>> {
        write!(self, |db| lead(db, what, node, lease, now))
    }

    async fn hold_off(&self, destination: &str, wait: SignedDuration, reason: &str, now: Timestamp) -> Result<()> {
        write!(self, |db| hold_off(db, destination, wait, reason, now))
    }

    async fn holds(&self, now: Timestamp) -> Result<Vec<Held>> {
        read!(self, |db| holds(db, now))
    }

    async fn woken(&self) -> Result<()> {
        self.listen().await
    }
}

/// For how long a node that has not been heard of is kept.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(24);

async fn beat(db: &mut Connection, node: &str, lease: SignedDuration, now: Timestamp) -> Result<Place> {
    sqlx::query(concat!("DELETE FROM nodes WHERE lease_until < ", clock!("$1"), " - $2"))
        .bind(now.as_microsecond())
        .bind(micros(FORGOTTEN))
        .execute(&mut *db)
        .await?;
    sqlx::query(concat!(
        "INSERT INTO nodes (name, lease_until) VALUES ($1, ",
        clock!("$2"),
        " + $3) ON CONFLICT (name) DO UPDATE SET lease_until = excluded.lease_until"
    ))
    .bind(node)
    .bind(now.as_microsecond())
    .bind(micros(lease))
    .execute(&mut *db)
    .await?;
    let alive: Vec<String> =
        sqlx::query_scalar(concat!("SELECT name FROM nodes WHERE lease_until >= ", clock!("$1"), " ORDER BY name"))
            .bind(now.as_microsecond())
            .fetch_all(db)
            .await?;
    let nth = alive.iter().position(|name| name == node).unwrap_or_default();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(Place { of: count(alive.len()).max(1), nth: count(nth) })
}

async fn leave(db: &mut Connection, node: &str) -> Result<()> {
    sqlx::query("DELETE FROM nodes WHERE name = $1").bind(node).execute(&mut *db).await?;
    // The number stays, so that it never comes again.
    sqlx::query("UPDATE leases SET lease_until = 0 WHERE node = $1").bind(node).execute(db).await?;
    Ok(())
}

async fn lead(
    db: &mut Connection,
    what: &str,
    node: &str,
    lease: SignedDuration,
    now: Timestamp,
) -> Result<Option<i64>> {
    let fence: Option<i64> = sqlx::query_scalar(concat!(
        "INSERT INTO leases (name, node, fence, lease_until) VALUES ($1, $2, 1, ",
        clock!("$3"),
        " + $4) ON CONFLICT (name) DO UPDATE SET
             fence = leases.fence + CASE WHEN leases.node = excluded.node AND leases.lease_until >= ",
        clock!("$3"),
        " THEN 0 ELSE 1 END, node = excluded.node, lease_until = excluded.lease_until
         WHERE leases.node = excluded.node OR leases.lease_until < ",
        clock!("$3"),
        " RETURNING fence"
    ))
    .bind(what)
    .bind(node)
    .bind(now.as_microsecond())
    .bind(micros(lease))
    .fetch_optional(db)
    .await?;
    Ok(fence)
}

/// Whether `fence` is still the number of the lease called `what`; it cannot change hands before this transaction ends.
pub async fn holds_lease(db: &mut Connection, what: &str, fence: i64) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar(concat!("SELECT fence FROM leases WHERE name = $1 ", for_update!()))
        .bind(what)
        .fetch_optional(db)
        .await?;
    Ok(found == Some(fence))
}

async fn hold_off(
    db: &mut Connection,
    destination: &str,
    wait: SignedDuration,
    reason: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(concat!(
        "INSERT INTO holds (destination, until, reason) VALUES ($1, ",
        clock!("$2"),
        " + $3, $4) ON CONFLICT (destination) DO UPDATE SET until = excluded.until, reason = excluded.reason
         WHERE holds.until < excluded.until"
    ))
    .bind(destination)
    .bind(now.as_microsecond())
    .bind(micros(wait))
    .bind(rows::clean(reason))
    .execute(db)
    .await?;
    Ok(())
}

async fn holds(db: &mut Connection, now: Timestamp) -> Result<Vec<Held>> {
    let found = sqlx::query(concat!(
        "SELECT destination, until - ",
        clock!("$1"),
        " AS remaining, reason FROM holds WHERE until > ",
        clock!("$1"),
        " ORDER BY destination"
    ))
    .bind(now.as_microsecond())
    .fetch_all(db)
    .await?;
    let read = |row| {
        Ok(Held {
            destination: rows::text(row, "destination")?,
            remaining: SignedDuration::from_micros(rows::int(row, "remaining")?),
            reason: rows::text(row, "reason")?,
        })
    };
    found.iter().map(read).collect()
}

fn micros(length: SignedDuration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}
