//! The store's verbs in the SQL that SQLite and PostgreSQL have in common. Compiled once for each of them: `super` names
//! the connection's types, begins transactions, and spells the few clauses that differ as macros (`rows!`, `texts!`,
//! `clock!`, `skip_locked!`). A verb that writes is one transaction.

use std::path::Path;

use async_trait::async_trait;
use jiff::Timestamp;

use self::wire::Wire;
use super::{Connection, Database, Pen};
use crate::config::OnDoubt;
use crate::domain::delivery::State as DeliveryState;
use crate::domain::edition::{Edition, EditionKey, State as EditionState};
use crate::domain::subscriber::Frequency;
use crate::store::transfer::Facts;
use crate::store::{
    self, Audience, Claim, Counts, DeliveryKey, DeliveryRow, EditionSummary, EntryRow, Frozen, Hold, Opened, OutputRow,
    Result, Step, Store, StoreError,
};

/// Whether an edition is a later one of the same kind: months follow months, quarters follow quarters, posts stand alone.
macro_rules! overtakes {
    ($later:literal, $edition:literal) => {
        concat!(
            $later,
            " > ",
            $edition,
            " AND ",
            $later,
            " LIKE '____-__' AND ",
            $edition,
            " LIKE '____-__' AND (",
            $later,
            " LIKE '%Q%') = (",
            $edition,
            " LIKE '%Q%')"
        )
    };
}

mod calls;
pub(super) mod choices;
mod claims;
mod deliveries;
mod editions;
mod entries;
mod history;
mod hub;
pub(super) mod imports;
pub(super) mod meta;
pub(super) mod migrate;
pub(super) mod rows;
mod sign_ups;
pub(super) mod standby;
pub(super) mod subscribers;
pub(super) mod tables;
pub(super) mod wire;

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

mod acts;
mod audience;
mod bounces;
mod feeds;
mod letters;
mod nodes;
mod numbers;
mod people;
mod websub;

#[async_trait]
impl store::Pen for Pen {
    async fn advance(&mut self, steps: &[Step], now: Timestamp) -> Result<Vec<bool>> {
        let at = self.instants.next(now);
        let (_turn, db, wire) = self.turn().await?;
        wire.advance(db, steps, at).await
    }
}

#[async_trait]
impl Store for Database {
    async fn created_at(&self) -> Result<Timestamp> {
        read!(self, |db| created_at(db))
    }

    async fn secret(&self, purpose: &str, fresh: [u8; 32]) -> Result<[u8; 32]> {
        write!(self, |db| secret(db, purpose, fresh))
    }

    async fn token_keys(&self) -> Result<Vec<(Timestamp, [u8; 32])>> {
        read!(self, |db| token_keys(db))
    }

    async fn add_token_key(&self, from: Timestamp, key: [u8; 32]) -> Result<()> {
        write!(self, |db| add_token_key(db, from, key))
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

    async fn backup(&self, to: &Path, now: Timestamp) -> Result<Facts> {
        self.copy(to, now).await
    }

    async fn standby(&self) -> Result<Option<Timestamp>> {
        read!(self, |db| standby::since(db))
    }

    async fn stand_by(&self, now: Timestamp) -> Result<()> {
        write!(self, |db| standby::begin(db, now))
    }

    async fn end_standby(&self) -> Result<bool> {
        write!(self, |db| standby::end(db))
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

    async fn open_edition(&self, edition: &Edition, entry_ids: &[String], audience: &Audience<'_>) -> Result<Opened> {
        let opened = write!(self, |db| editions::open(db, edition, entry_ids, audience));
        if matches!(opened, Ok(Opened::Now { .. })) {
            self.count_anew().await;
        }
        opened
    }

    async fn edition(&self, key: EditionKey) -> Result<Option<Edition>> {
        read!(self, |db| editions::one(db, key))
    }

    async fn variant(&self, key: EditionKey, variant: &str) -> Result<Option<Frozen>> {
        read!(self, |db| editions::variant(db, key, variant))
    }

    async fn freeze_variant(&self, key: EditionKey, variant: &str, frozen: &Frozen) -> Result<Frozen> {
        write!(self, |db| editions::freeze(db, key, variant, frozen))
    }

    async fn readers(&self, frequency: Frequency) -> Result<u64> {
        read!(self, |db| editions::readers(db, frequency))
    }

    async fn latest_edition(&self) -> Result<Option<Edition>> {
        read!(self, |db| editions::latest(db))
    }

    async fn editions(&self) -> Result<Vec<EditionSummary>> {
        read!(self, |db| editions::all(db))
    }

    async fn move_edition(
        &self,
        key: EditionKey,
        from: &[EditionState],
        to: EditionState,
        now: Timestamp,
    ) -> Result<bool> {
        write!(self, |db| editions::shift(db, key, from, to, now))
    }

    async fn pause_edition(&self, key: EditionKey, reason: &str, now: Timestamp) -> Result<bool> {
        write!(self, |db| editions::pause(db, key, reason, now))
    }

    async fn finish_editions(&self, now: Timestamp) -> Result<Vec<EditionKey>> {
        write!(self, |db| editions::finish(db, now))
    }

    async fn claim(&self, node: &str, limit: u32, now: Timestamp, lease_until: Timestamp) -> Result<Vec<Claim>> {
        self.has_room()?;
        write!(self, |db| async {
            match standby::since(db).await? {
                Some(_) => Ok(Vec::new()),
                None => claims::claim(db, node, limit, now, lease_until).await,
            }
        })
    }

    async fn pen(&self, node: &str) -> Result<Box<dyn store::Pen>> {
        Ok(Box::new(self.new_pen(Wire::of(node)).await?))
    }

    async fn recover(&self, node: Option<&str>, on_doubt: OnDoubt, now: Timestamp) -> Result<Vec<DeliveryKey>> {
        write!(self, |db| claims::recover(db, node, on_doubt, now))
    }

    async fn set_back(&self, now: Timestamp) -> Result<()> {
        write!(self, |db| claims::set_back(db, now))
    }

    async fn next_due(&self) -> Result<Option<Timestamp>> {
        read!(self, |db| async {
            match standby::since(db).await? {
                Some(_) => Ok::<_, StoreError>(None),
                None => deliveries::next_due(db).await,
            }
        })
    }

    async fn outbox_counts(&self) -> Result<Counts> {
        read!(self, |db| deliveries::counts(db))
    }

    async fn outbox(&self, states: &[DeliveryState], limit: u32) -> Result<Vec<DeliveryRow>> {
        read!(self, |db| deliveries::list(db, states, limit))
    }

    async fn retry(&self, key: Option<EditionKey>, states: &[DeliveryState], now: Timestamp) -> Result<u64> {
        write!(self, |db| deliveries::retry(db, key, states, now))
    }
}

async fn created_at(db: &mut Connection) -> Result<Timestamp> {
    let text: String = sqlx::query_scalar("SELECT value FROM meta WHERE name = 'created_at'").fetch_one(db).await?;
    text.parse().map_err(|_| StoreError::Damaged(format!("`{text}` is no instant of creation")))
}

pub(super) async fn secret(db: &mut Connection, purpose: &str, fresh: [u8; 32]) -> Result<[u8; 32]> {
    sqlx::query("INSERT INTO secrets (purpose, bytes) VALUES ($1, $2) ON CONFLICT (purpose) DO NOTHING")
        .bind(purpose)
        .bind(fresh.as_slice())
        .execute(&mut *db)
        .await?;
    let bytes: Vec<u8> =
        sqlx::query_scalar("SELECT bytes FROM secrets WHERE purpose = $1").bind(purpose).fetch_one(db).await?;
    bytes.try_into().map_err(|_| StoreError::Damaged(format!("the secret for `{purpose}` is not 32 bytes long")))
}

async fn token_keys(db: &mut Connection) -> Result<Vec<(Timestamp, [u8; 32])>> {
    let found = sqlx::query("SELECT from_at, bytes FROM token_keys ORDER BY from_at").fetch_all(db).await?;
    let key = |row: &super::Row| {
        let bytes: Vec<u8> = sqlx::Row::try_get(row, "bytes")?;
        let bytes = bytes.try_into().map_err(|_| StoreError::Damaged("a token key is not 32 bytes long".to_owned()))?;
        Ok((rows::instant(row, "from_at")?, bytes))
    };
    found.iter().map(key).collect()
}

async fn add_token_key(db: &mut Connection, from: Timestamp, key: [u8; 32]) -> Result<()> {
    sqlx::query("INSERT INTO token_keys (from_at, bytes) VALUES ($1, $2)")
        .bind(from.as_microsecond())
        .bind(key.as_slice())
        .execute(db)
        .await?;
    Ok(())
}

/// The secret that addresses are hashed with, where they must be known again and not be read.
async fn pepper(db: &mut Connection) -> Result<[u8; 32]> {
    let bytes: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT bytes FROM secrets WHERE purpose = 'tokens'").fetch_optional(db).await?;
    let bytes = bytes.ok_or_else(|| StoreError::Other("the store has no secret yet".to_owned()))?;
    bytes.try_into().map_err(|_| StoreError::Damaged("the secret for `tokens` is not 32 bytes long".to_owned()))
}
