//! A file's half of a transfer, and the list of tables: both databases have the same ones, and a file tells them without a server.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use super::departed::Departed;
use super::shared::tables::{Reading, Writing};
use super::{STEPS, beside, damaged, explain, file_of, lock, new_file, not_writable, open, remove, shared};
use crate::store::transfer::{Column, Facts, Kind, Restored, Table, TakenOver, unused};
use crate::store::{Result, StoreError};

/// Every table with something to keep; those that others refer to come first.
pub async fn tables() -> Result<Vec<Table>> {
    let mut db = SqliteConnectOptions::new().in_memory(true).connect().await?;
    shared::migrate::migrate(&mut db, &STEPS, Timestamp::UNIX_EPOCH).await?;
    let sql = "SELECT name, sql FROM sqlite_master
        WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_version' ORDER BY name";
    let mut waiting = Vec::new();
    for row in sqlx::query(sql).fetch_all(&mut db).await? {
        let (name, sql): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let refers = "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list($1)";
        let refers: Vec<String> = sqlx::query_scalar(refers).bind(&name).fetch_all(&mut db).await?;
        let columns = columns(&mut db, &name).await?;
        let counter = sql.contains("AUTOINCREMENT").then(|| "id".to_owned());
        waiting.push((Table { name, columns, counter }, refers));
    }
    db.close().await?;
    Ok(in_order(waiting))
}

/// Each table after those that it refers to.
fn in_order(mut waiting: Vec<(Table, Vec<String>)>) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_ready = |(table, refers): &(Table, Vec<String>)| {
            refers.iter().all(|other| *other == table.name || tables.iter().any(|known| known.name == *other))
        };
        // Tables that refer to one another in a ring would have none: then any.
        let next = waiting.iter().position(is_ready).unwrap_or_default();
        tables.push(waiting.remove(next).0);
    }
    tables
}

async fn columns(db: &mut SqliteConnection, table: &str) -> Result<Vec<Column>> {
    let rows = sqlx::query("SELECT name, type, pk FROM pragma_table_info($1)").bind(table).fetch_all(db).await?;
    let column = |row: sqlx::sqlite::SqliteRow| {
        let (name, kind, key): (String, String, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let kind = match kind.as_str() {
            "INTEGER" => Kind::Number,
            "BLOB" => Kind::Bytes,
            _ => Kind::Text,
        };
        Ok(Column { name, kind, key: usize::try_from(key).unwrap_or_default() })
    };
    rows.into_iter().map(column).collect::<Result<_, sqlx::Error>>().map_err(StoreError::from)
}

impl Reading {
    pub async fn open(url: &str) -> Result<Self> {
        let (file, _) = file_of(url)?;
        there(&file)?;
        let options = SqliteConnectOptions::new().filename(&file).pragma("query_only", "ON").busy_timeout(super::BUSY);
        let mut db = options.connect().await?;
        sqlx::query("BEGIN").execute(&mut db).await?;
        Ok(Self(db))
    }

    /// The last number that was given.
    pub async fn counter(&mut self, table: &Table) -> Result<Option<i64>> {
        if table.counter.is_none() {
            return Ok(None);
        }
        let sql = "SELECT seq FROM sqlite_sequence WHERE name = $1";
        Ok(sqlx::query_scalar(sql).bind(&table.name).fetch_optional(&mut self.0).await?)
    }
}

fn there(file: &Path) -> Result<()> {
    if file.exists() {
        return Ok(());
    }
    Err(StoreError::Url(format!("there is no `{}`", file.display())))
}

impl Writing {
    pub async fn open(url: &str, now: Timestamp) -> Result<Self> {
        drop(open(url, now, true).await?);
        let (file, _) = file_of(url)?;
        let options = SqliteConnectOptions::new().filename(&file).foreign_keys(true).busy_timeout(super::BUSY);
        let mut db = options.connect().await?;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut db).await?;
        Ok(Self(db))
    }

    pub async fn set_counter(&mut self, table: &Table, to: i64) -> Result<()> {
        raise_counter(&mut self.0, table, to).await
    }

    /// All of it is in the file itself, and on the disk.
    pub async fn commit(mut self) -> Result<()> {
        sqlx::query("COMMIT").execute(&mut self.0).await?;
        let busy: i64 = sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut self.0).await?;
        self.0.close().await?;
        if busy == 0 {
            return Ok(());
        }
        Err(StoreError::Unavailable("somebody else reads the new file; end that, and try again".to_owned()))
    }
}

/// The next number of the table is above `to`.
async fn raise_counter(db: &mut SqliteConnection, table: &Table, to: i64) -> Result<()> {
    let raised = sqlx::query("UPDATE sqlite_sequence SET seq = max(seq, $2) WHERE name = $1");
    if raised.bind(&table.name).bind(to).execute(&mut *db).await?.rows_affected() == 0 {
        let sql = "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)";
        sqlx::query(sql).bind(&table.name).bind(to).execute(db).await?;
    }
    Ok(())
}

/// A copy of a file that is gone when it is dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn of(file: &Path) -> Result<Self> {
        Self::beside(file, file)
    }

    /// A copy of `file`, on the disk that `place` is on.
    fn beside(file: &Path, place: &Path) -> Result<Self> {
        let copy = Self(beside(place, ".restoring"));
        remove(copy.path());
        copy_file(file, copy.path())?;
        Ok(copy)
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Brings its schema up to date.
    pub async fn bring_up(&self, now: Timestamp) -> Result<()> {
        let mut db = self.open().await?;
        let mut transaction = db.begin().await?;
        shared::migrate::migrate(&mut transaction, &STEPS, now).await?;
        transaction.commit().await?;
        Ok(db.close().await?)
    }

    /// The same, as the store that stands by in the place of `before`: whoever has left that one is not in it as they were.
    async fn replace(&self, before: Option<&Path>, now: Timestamp) -> Result<Option<TakenOver>> {
        let mut db = self.open().await?;
        let departed = match before {
            Some(before) => Departed::since(&mut db, before).await?,
            None => None,
        };
        let mut transaction = db.begin().await?;
        shared::migrate::migrate(&mut transaction, &STEPS, now).await?;
        shared::standby::begin(&mut transaction, now).await?;
        for table in tables().await?.iter().filter(|table| table.counter.is_some()) {
            raise_counter(&mut transaction, table, unused(now)).await?;
        }
        let taken_over = match departed {
            Some(departed) => Some(departed.take_over(&mut transaction, now).await?),
            None => None,
        };
        transaction.commit().await?;
        db.close().await?;
        Ok(taken_over)
    }

    /// It has no log of its own: what is done is in the file.
    async fn open(&self) -> Result<SqliteConnection> {
        let options = SqliteConnectOptions::new().filename(self.path()).foreign_keys(true);
        Ok(options.journal_mode(SqliteJournalMode::Delete).synchronous(SqliteSynchronous::Full).connect().await?)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

fn copy_file(from: &Path, to: &Path) -> Result<()> {
    let mut target = new_file(to)?;
    let copied = std::fs::File::open(from).and_then(|mut file| std::io::copy(&mut file, &mut target));
    let written = copied.and_then(|_| target.sync_all());
    written.map_err(|error| {
        remove(to);
        not_writable(to, &error)
    })
}

/// Reads all of a file, and tells what is in it.
pub async fn verify(file: &Path) -> Result<Facts> {
    there(file)?;
    let options = SqliteConnectOptions::new().filename(file).pragma("query_only", "ON").busy_timeout(super::BUSY);
    let mut db = options.connect().await.map_err(|error| explain(error, file))?;
    let facts = facts(&mut db, file).await;
    db.close().await?;
    facts
}

async fn facts(db: &mut SqliteConnection, file: &Path) -> Result<Facts> {
    let explained = |error| explain(error, file);
    let found: String = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut *db).await.map_err(explained)?;
    if found != "ok" {
        return Err(damaged(file, &found));
    }
    let known = "SELECT count(*) FROM sqlite_master WHERE name IN ('schema_version', 'meta', 'deliveries')";
    let tables: i64 = sqlx::query_scalar(known).fetch_one(&mut *db).await?;
    if tables != 3 {
        return Err(StoreError::Url(format!("`{}` is a database, but no store of gazetted", file.display())));
    }
    let broken = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut *db).await?;
    if !broken.is_empty() {
        return Err(damaged(file, &format!("{} rows refer to others that are not there", broken.len())));
    }
    let mut number = async |sql: &'static str| sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut *db).await;
    let schema = number("SELECT coalesce(max(version), 0) FROM schema_version").await?;
    let (entries, subscribers) =
        (number("SELECT count(*) FROM entries").await?, number("SELECT count(*) FROM subscribers").await?);
    let (editions, deliveries) =
        (number("SELECT count(*) FROM editions").await?, number("SELECT count(*) FROM deliveries").await?);
    let created_at = shared::meta::get(db, "created_at").await?.unwrap_or_default();
    let copied_at = shared::meta::get(db, "standby").await?;
    Ok(Facts { schema, created_at, copied_at, entries, subscribers, editions, deliveries })
}

/// A backup with these facts as the store at `url`.
pub async fn put_in_place(backup: &Path, facts: Facts, url: &str, replace: bool, now: Timestamp) -> Result<Restored> {
    let (file, _) = file_of(url)?;
    let _lock = lock(&file, &format!("gazetted restore, pid {}", std::process::id()))?;
    let is_there = std::fs::metadata(&file).is_ok_and(|known| known.len() > 0);
    if is_there && !replace {
        let said =
            format!("`{}` is there already; with `--replace` it is kept beside the restored one", file.display());
        return Err(StoreError::Held(said));
    }
    let scratch = Scratch::beside(backup, &file)?;
    // Up to date, and marked, before it is anywhere that a daemon would find it.
    let taken_over = scratch.replace(Some(file.as_path()).filter(|_| is_there), now).await?;
    if is_there {
        fold_in(&file).await;
    }
    let aside = beside(&file, &format!(".before-{}", now.strftime("%Y%m%dT%H%M%SZ")));
    let failed = |error: std::io::Error| not_writable(&file, &error);
    set_aside(&file, &aside).map_err(failed)?;
    if let Err(error) = std::fs::rename(scratch.path(), &file) {
        // As it was.
        let _ = set_aside(&aside, &file);
        return Err(failed(error));
    }
    sync_folder(&file).map_err(failed)?;
    Ok(Restored { facts, before: Some(aside).filter(|_| is_there), taken_over })
}

/// What is in the log goes into the file, if it is not too damaged for that.
async fn fold_in(file: &Path) {
    if let Ok(mut db) = SqliteConnectOptions::new().filename(file).connect().await {
        let _ = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut db).await;
        let _ = db.close().await;
    }
}

/// A database and the log that goes with it, under another name. A log without its database would be played into the next one that
/// stands there.
fn set_aside(file: &Path, aside: &Path) -> std::io::Result<()> {
    for suffix in ["-wal", "-shm", "-journal", ""] {
        let (from, to) = (beside(file, suffix), beside(aside, suffix));
        if from.exists() {
            std::fs::rename(from, to)?;
        }
    }
    Ok(())
}

/// So that the names are on the disk, too.
fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder)?.sync_all()
}
