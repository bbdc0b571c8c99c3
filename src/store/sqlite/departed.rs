//! Whoever has left a store since a backup of it was made: read from the file that a restore replaces, and taken over into the restored
//! one, so that nobody who has left is written to again. (A server's store is restored into an empty database: nobody is to be found there.)

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use serde_json::json;

use super::shared::{self, choices, imports, rows, subscribers};
use super::{Connection, Row};
use crate::domain::subscriber::{Address, Choice, State};
use crate::domain::subscriber_import::ImportRow;
use crate::store::transfer::TakenOver;
use crate::store::{Moved, Result, StoreError};

/// Who has another address, and who has left. What the backup says of somebody counts if it is the later word: when an older one was
/// restored in between, they may have come back in this one.
const MOVED: &str = "SELECT r.id, r.email, r.key FROM replaced.subscribers r
    JOIN main.subscribers s ON s.id = r.id AND s.created_at = r.created_at
    WHERE s.key <> r.key AND r.changed_at >= s.changed_at";
const LEFT: &str = "SELECT r.* FROM replaced.subscribers r LEFT JOIN main.subscribers s ON s.key = r.key
    WHERE r.state IN ('unsubscribed', 'suppressed')
        AND (s.id IS NULL OR (s.state <> r.state AND r.changed_at >= s.changed_at))";

/// Where they are said to come from.
const SOURCE: &str = "restore";

#[derive(Debug, Default)]
pub struct Departed {
    moved: Vec<(i64, Address)>,
    left: Vec<ImportRow>,
    /// What addresses are hashed with there.
    pepper: Option<[u8; 32]>,
    /// Addresses that are kept out, hashed, and since when.
    erased: HashMap<String, i64>,
}

impl Departed {
    /// Who has left the store in `file`, and is in `backup` as they were; nothing if that cannot be read.
    pub async fn since(backup: &mut Connection, file: &Path) -> Result<Option<Self>> {
        let attached = sqlx::query("ATTACH DATABASE $1 AS replaced").bind(file.display().to_string());
        if attached.execute(&mut *backup).await.is_err() {
            return Ok(None);
        }
        let found = Self::read(backup).await.ok();
        sqlx::query("DETACH DATABASE replaced").execute(backup).await?;
        Ok(found)
    }

    async fn read(db: &mut Connection) -> Result<Self> {
        let state: String = sqlx::query_scalar("PRAGMA replaced.quick_check(1)").fetch_one(&mut *db).await?;
        if state != "ok" {
            return Err(StoreError::Damaged(state));
        }
        let moved = sqlx::query(MOVED).fetch_all(&mut *db).await?;
        let left = sqlx::query(LEFT).fetch_all(&mut *db).await?;
        let pepper = "SELECT bytes FROM replaced.secrets WHERE purpose = 'tokens'";
        let pepper: Option<Vec<u8>> = sqlx::query_scalar(pepper).fetch_optional(&mut *db).await?;
        let erased: Vec<(String, i64)> = sqlx::query_as("SELECT hash, at FROM replaced.erased").fetch_all(db).await?;
        Ok(Self {
            moved: moved.iter().map(|row| Ok((rows::int(row, "id")?, address(row)?))).collect::<Result<_>>()?,
            left: left.iter().map(departed).collect::<Result<_>>()?,
            pepper: pepper.and_then(|bytes| bytes.try_into().ok()),
            erased: erased.into_iter().collect(),
        })
    }

    pub async fn take_over(mut self, db: &mut Connection, now: Timestamp) -> Result<TakenOver> {
        let mut taken = TakenOver::default();
        // Without one nobody could move or be forgotten.
        if let Some(pepper) = self.pepper {
            let own = shared::secret(db, "tokens", pepper).await?;
            // First: the address that was left is kept out, and its owner is not forgotten with it.
            for (id, to) in &self.moved {
                taken.moved += u64::from(move_on(db, *id, to, now).await?);
            }
            taken.forgotten = self.forget(db, &pepper, own == pepper, now).await?;
        }
        let left = imports::import(db, SOURCE, Box::new(self.left.into_iter().map(Ok)), now).await?;
        taken.left = left.added + left.left + left.suppressed;
        Ok(taken)
    }

    /// Only their hashes are left: everybody in the backup is held against them. `same`: hashes mean the same here.
    async fn forget(&mut self, db: &mut Connection, pepper: &[u8; 32], same: bool, now: Timestamp) -> Result<u64> {
        if self.erased.is_empty() {
            return Ok(0);
        }
        let mut forgotten = 0;
        for row in &sqlx::query("SELECT id, key, changed_at FROM subscribers").fetch_all(&mut *db).await? {
            let hash = subscribers::hash_of(pepper, &rows::text(row, "key")?);
            let at = self.erased.remove(&hash);
            if at.is_some_and(|at| rows::instant(row, "changed_at").is_ok_and(|changed| changed.as_microsecond() <= at))
            {
                forgotten += u64::from(subscribers::erase(db, rows::int(row, "id")?, now).await?);
            }
        }
        if same {
            for (hash, at) in &self.erased {
                subscribers::keep_out_hashed(db, hash, *at).await?;
            }
        }
        Ok(forgotten)
    }
}

fn address(row: &Row) -> Result<Address> {
    Ok(Address { email: rows::text(row, "email")?, key: rows::text(row, "key")? })
}

fn departed(row: &Row) -> Result<ImportRow> {
    let left_at = rows::instant(row, "changed_at")?;
    Ok(ImportRow {
        line: 0,
        address: address(row)?,
        name: rows::maybe_text(row, "name")?,
        state: rows::word(row, "state", State::parse)?,
        reason: None,
        asked_at: Some(rows::instant(row, "created_at")?),
        confirmed_at: None,
        left_at: Some(left_at),
        proof: json!({"left_at": left_at}).to_string(),
        choice: Choice::default(),
    })
}

/// As when they followed the link.
async fn move_on(db: &mut Connection, id: i64, to: &Address, now: Timestamp) -> Result<bool> {
    sqlx::query("UPDATE subscribers SET new_email = $2, new_key = $3 WHERE id = $1")
        .bind(id)
        .bind(&to.email)
        .bind(&to.key)
        .execute(&mut *db)
        .await?;
    if choices::move_address(db, id, &to.key, now).await? == Moved::Now {
        return Ok(true);
    }
    let sql = "UPDATE subscribers SET new_email = NULL, new_key = NULL WHERE id = $1";
    sqlx::query(sql).bind(id).execute(db).await?;
    Ok(false)
}
