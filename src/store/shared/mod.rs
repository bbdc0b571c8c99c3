//! The store's verbs in the SQL that SQLite and PostgreSQL have in common. Compiled once for each of them: `super` names
//! the connection's types, begins transactions, and spells the few clauses that differ as macros (`rows!`, `texts!`,
//! `clock!`, `skip_locked!`). A verb that writes is one transaction.

use std::collections::BTreeMap;
use std::path::Path;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Connection, Database};
use crate::config::OnDoubt;
use crate::domain::delivery::{Outcome, State as DeliveryState};
use crate::domain::edition::{Edition, State as EditionState};
use crate::domain::period::Period;
use crate::domain::subscriber::{State as SubscriberState, Subscriber};
use crate::store::{
    Added, Claim, Counts, DeliveryKey, DeliveryRow, EditionSummary, EntryRow, Hold, NewSubscriber, Opened, OutputRow,
    Result, Store, StoreError,
};

mod claims;
mod deliveries;
mod editions;
mod entries;
pub(super) mod migrate;
mod rows;
mod subscribers;

/// Runs one verb in a transaction of its own.
macro_rules! write {
    ($database:expr, |$connection:ident| $verb:expr) => {{
        let mut transaction = $database.begin().await?;
        let $connection: &mut Connection = &mut transaction;
        let result = $verb.await?;
        transaction.commit().await?;
        Ok(result)
    }};
}

/// Runs one verb that only reads.
macro_rules! read {
    ($database:expr, |$connection:ident| $verb:expr) => {{
        let mut pooled = $database.reader().await?;
        let $connection: &mut Connection = &mut pooled;
        Ok($verb.await?)
    }};
}

#[async_trait]
impl Store for Database {
    async fn created_at(&self) -> Result<Timestamp> {
        read!(self, |db| created_at(db))
    }

    async fn secret(&self, purpose: &str, fresh: [u8; 32]) -> Result<[u8; 32]> {
        write!(self, |db| secret(db, purpose, fresh))
    }

    async fn ping(&self) -> Result<()> {
        // Written and taken back: proves that writing is possible, and costs no sync.
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE meta SET value = value WHERE name = 'created_at'").execute(&mut *transaction).await?;
        Ok(transaction.rollback().await?)
    }

    async fn hold(&self, who: &str) -> Result<Box<dyn Hold>> {
        self.take(who).await
    }

    async fn backup(&self, to: &Path) -> Result<()> {
        self.copy(to).await
    }

    async fn entries(&self) -> Result<Vec<EntryRow>> {
        read!(self, |db| entries::all(db))
    }

    async fn save_entries(&self, rows: &[EntryRow]) -> Result<()> {
        write!(self, |db| entries::save(db, rows))
    }

    async fn outputs(&self) -> Result<Vec<OutputRow>> {
        read!(self, |db| entries::outputs(db))
    }

    async fn save_outputs(&self, rows: &[OutputRow], gone: &[String]) -> Result<()> {
        write!(self, |db| entries::save_outputs(db, rows, gone))
    }

    async fn open_edition(&self, edition: &Edition, entry_ids: &[String]) -> Result<Opened> {
        write!(self, |db| editions::open(db, edition, entry_ids))
    }

    async fn edition(&self, period: Period) -> Result<Option<Edition>> {
        read!(self, |db| editions::one(db, period))
    }

    async fn editions(&self) -> Result<Vec<EditionSummary>> {
        read!(self, |db| editions::all(db))
    }

    async fn move_edition(
        &self,
        period: Period,
        from: &[EditionState],
        to: EditionState,
        now: Timestamp,
    ) -> Result<bool> {
        write!(self, |db| editions::shift(db, period, from, to, now))
    }

    async fn finish_editions(&self, now: Timestamp) -> Result<Vec<Period>> {
        write!(self, |db| editions::finish(db, now))
    }

    async fn claim(&self, node: &str, limit: u32, now: Timestamp, lease_until: Timestamp) -> Result<Vec<Claim>> {
        write!(self, |db| claims::claim(db, node, limit, now, lease_until))
    }

    async fn mark_in_data(&self, node: &str, claim: &Claim, now: Timestamp, lease_until: Timestamp) -> Result<bool> {
        write!(self, |db| claims::mark_in_data(db, node, claim, now, lease_until))
    }

    async fn settle(&self, node: &str, claim: &Claim, outcome: &Outcome, now: Timestamp) -> Result<bool> {
        write!(self, |db| claims::settle(db, node, claim, outcome, now))
    }

    async fn recover(&self, node: Option<&str>, on_doubt: OnDoubt, now: Timestamp) -> Result<Vec<DeliveryKey>> {
        write!(self, |db| claims::recover(db, node, on_doubt, now))
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        read!(self, |db| deliveries::next_due(db))
    }

    async fn outbox_counts(&self) -> Result<Counts> {
        read!(self, |db| deliveries::counts(db))
    }

    async fn outbox(&self, states: &[DeliveryState], limit: u32) -> Result<Vec<DeliveryRow>> {
        read!(self, |db| deliveries::list(db, states, limit))
    }

    async fn retry(&self, period: Option<Period>, states: &[DeliveryState], now: Timestamp) -> Result<u64> {
        write!(self, |db| deliveries::retry(db, period, states, now))
    }

    async fn add_subscribers(&self, new: &[NewSubscriber], again: bool, now: Timestamp) -> Result<Vec<Added>> {
        write!(self, |db| subscribers::add(db, new, again, now))
    }

    async fn subscriber(&self, id: i64) -> Result<Option<Subscriber>> {
        read!(self, |db| subscribers::by_id(db, id))
    }

    async fn subscriber_by_key(&self, key: &str) -> Result<Option<Subscriber>> {
        read!(self, |db| subscribers::by_key(db, key))
    }

    async fn subscribers(
        &self,
        state: Option<SubscriberState>,
        after_key: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Subscriber>> {
        read!(self, |db| subscribers::page(db, state, after_key, limit))
    }

    async fn subscriber_counts(&self) -> Result<BTreeMap<&'static str, u64>> {
        read!(self, |db| subscribers::counts(db))
    }

    async fn move_subscriber(&self, id: i64, to: SubscriberState, now: Timestamp) -> Result<bool> {
        write!(self, |db| subscribers::shift(db, id, to, now))
    }

    async fn erase_subscriber(&self, id: i64, now: Timestamp) -> Result<bool> {
        write!(self, |db| subscribers::erase(db, id, now))
    }
}

async fn created_at(db: &mut Connection) -> Result<Timestamp> {
    let text: String = sqlx::query_scalar("SELECT value FROM meta WHERE name = 'created_at'").fetch_one(db).await?;
    text.parse().map_err(|_| StoreError::Damaged(format!("`{text}` is no instant of creation")))
}

async fn secret(db: &mut Connection, purpose: &str, fresh: [u8; 32]) -> Result<[u8; 32]> {
    sqlx::query("INSERT INTO secrets (purpose, bytes) VALUES ($1, $2) ON CONFLICT (purpose) DO NOTHING")
        .bind(purpose)
        .bind(fresh.as_slice())
        .execute(&mut *db)
        .await?;
    let bytes: Vec<u8> =
        sqlx::query_scalar("SELECT bytes FROM secrets WHERE purpose = $1").bind(purpose).fetch_one(db).await?;
    bytes.try_into().map_err(|_| StoreError::Damaged(format!("the secret for `{purpose}` is not 32 bytes long")))
}
