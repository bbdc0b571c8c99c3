//! The schema: numbered steps, applied in one transaction, never undone.

use jiff::Timestamp;

use super::super::Connection;
use crate::store::{Migration, Result, StoreError};

/// What each step is about.
const NAMES: [&str; 10] = [
    "editions and deliveries",
    "subscribers' choices, consent, notices",
    "bounces",
    "several nodes",
    "feeds' archives and addresses",
    "WebSub",
    "letters to editors",
    "editors' pages, and what was done by hand",
    "what posts said when they were last read",
    "what is on the wire, in one list a node",
];

/// Does it, and tells what was done; for a transaction that is taken back.
pub async fn rehearse(db: &mut Connection, steps: &[&'static str], now: Timestamp) -> Result<Migration> {
    let schema = version(db).await?;
    migrate(db, steps, now).await?;
    Ok(outlook(schema, steps.len()))
}

/// What is between a schema and the last step.
pub fn outlook(schema: Option<i64>, last: usize) -> Migration {
    let done = usize::try_from(schema.unwrap_or(0)).unwrap_or_default();
    let name = |(nr, name): (usize, &&str)| format!("{}: {name}", nr + 1);
    let steps = NAMES.iter().enumerate().skip(done).map(name).collect();
    Migration { schema, to: i64::try_from(last).unwrap_or(i64::MAX), steps }
}

async fn make_table(db: &mut Connection) -> Result<()> {
    sqlx::query("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)")
        .execute(db)
        .await?;
    Ok(())
}

/// The number of the last step that was applied, in a database that may be new.
async fn version(db: &mut Connection) -> Result<Option<i64>> {
    make_table(&mut *db).await?;
    applied(db).await
}

/// The same, in one that is not.
pub async fn applied(db: &mut Connection) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar("SELECT max(version) FROM schema_version").fetch_one(db).await?)
}

/// Brings the schema to the last of `steps`; refuses one that a newer program has made.
pub async fn migrate(db: &mut Connection, steps: &[&'static str], now: Timestamp) -> Result<()> {
    let found = usize::try_from(version(db).await?.unwrap_or(0)).unwrap_or(usize::MAX);
    if found > steps.len() {
        return Err(StoreError::Schema(format!(
            "the database has schema {found}, this program knows up to {}: run the newer `gazetted` that made it, or \
             restore a backup from before the upgrade",
            steps.len()
        )));
    }
    for (number, step) in (1i64..).zip(steps).skip(found) {
        apply(db, number, step, now).await?;
    }
    stamp(db, now).await
}

async fn apply(db: &mut Connection, number: i64, step: &'static str, now: Timestamp) -> Result<()> {
    sqlx::raw_sql(step).execute(&mut *db).await?;
    sqlx::query("INSERT INTO schema_version (version, applied_at) VALUES ($1, $2)")
        .bind(number)
        .bind(now.as_microsecond())
        .execute(db)
        .await?;
    Ok(())
}

/// When this store was made.
async fn stamp(db: &mut Connection, now: Timestamp) -> Result<()> {
    sqlx::query("INSERT INTO meta (name, value) VALUES ('created_at', $1) ON CONFLICT (name) DO NOTHING")
        .bind(now.to_string())
        .execute(db)
        .await?;
    Ok(())
}
