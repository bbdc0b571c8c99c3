//! The store in numbers.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::Row as _;

use super::super::{Connection, Database};
use super::{migrate, rows, standby};
use crate::store::{Figures, Numbers, Result};

#[async_trait]
impl Numbers for Database {
    async fn figures(&self, now: Timestamp) -> Result<Figures> {
        let figures: Result<Figures> = read!(self, |db| figures(db, now));
        Ok(Figures { free: self.free(), ..figures? })
    }
}

async fn figures(db: &mut Connection, now: Timestamp) -> Result<Figures> {
    let deliveries = by_state(db, "SELECT state, count(*) FROM outbox GROUP BY state").await?;
    let editions = by_state(db, "SELECT state, count(*) FROM editions GROUP BY state").await?;
    let subscribers = by_state(db, "SELECT state, count(*) FROM subscribers GROUP BY state").await?;
    let waiting = "SELECT min(queued_at) FROM deliveries WHERE state IN ('queued', 'deferred')";
    let (oldest, opened_at) = (instant(db, waiting).await?, instant(db, "SELECT max(opened_at) FROM editions").await?);
    let calls = number(db, "SELECT count(*) FROM calls").await?;
    let nodes: i64 = sqlx::query_scalar(concat!("SELECT count(*) FROM nodes WHERE lease_until > ", clock!("$1")))
        .bind(now.as_microsecond())
        .fetch_one(&mut *db)
        .await?;
    let schema = migrate::applied(db).await?.and_then(|schema| u64::try_from(schema).ok()).unwrap_or_default();
    let stands_by = standby::since(db).await?.is_some();
    let bytes = number(db, bytes!()).await?;
    let nodes = u64::try_from(nodes).unwrap_or_default();
    Ok(Figures {
        deliveries,
        editions,
        subscribers,
        oldest,
        opened_at,
        calls,
        nodes,
        schema,
        stands_by,
        bytes,
        free: None,
    })
}

async fn by_state(db: &mut Connection, sql: &'static str) -> Result<BTreeMap<String, u64>> {
    let mut all = BTreeMap::new();
    for row in &sqlx::query(sql).fetch_all(db).await? {
        let count: i64 = row.try_get(1)?;
        all.insert(rows::text(row, "state")?, u64::try_from(count).unwrap_or_default());
    }
    Ok(all)
}

async fn number(db: &mut Connection, sql: &'static str) -> Result<u64> {
    let number: i64 = sqlx::query_scalar(sql).fetch_one(db).await?;
    Ok(u64::try_from(number).unwrap_or_default())
}

async fn instant(db: &mut Connection, sql: &'static str) -> Result<Option<Timestamp>> {
    let found: Option<i64> = sqlx::query_scalar(sql).fetch_one(db).await?;
    Ok(found.and_then(|micros| Timestamp::from_microsecond(micros).ok()))
}
