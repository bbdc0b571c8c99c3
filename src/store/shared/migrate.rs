//! The schema: numbered steps, applied in one transaction, never undone.

use jiff::Timestamp;

use super::super::Connection;
use crate::store::{Result, StoreError};

/// Brings the schema to the last of `steps`; refuses one that a newer program has made.
pub async fn migrate(db: &mut Connection, steps: &[&'static str], now: Timestamp) -> Result<()> {
    sqlx::query("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)")
        .execute(&mut *db)
        .await?;
    let found: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM schema_version").fetch_one(&mut *db).await?;
    let found = usize::try_from(found.unwrap_or(0)).unwrap_or(usize::MAX);
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
