//! Copies of the file: a backup while it is in use, what an older version left before its schema is changed, and a look at what
//! would be changed.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::{BUSY, Connection, Database, STEPS, beside, explain, file_of, not_writable, shared, verify};
use crate::store::transfer::Facts;
use crate::store::{Migration, Result, StoreError};

/// Tries the migration in a transaction that is taken back.
pub async fn rehearse(url: &str, now: Timestamp) -> Result<Migration> {
    let (file, _) = file_of(url)?;
    let options = SqliteConnectOptions::new().filename(&file).foreign_keys(true).busy_timeout(BUSY);
    let mut connection = if file.exists() {
        options.connect().await.map_err(|e| explain(e, &file))?
    } else {
        SqliteConnectOptions::new().in_memory(true).connect().await?
    };
    let mut transaction = connection.begin().await?;
    let migration = shared::migrate::rehearse(&mut transaction, &STEPS, now).await;
    let taken_back = transaction.rollback().await;
    let migration = migration?;
    taken_back?;
    connection.close().await?;
    Ok(migration)
}

pub async fn outlook(url: &str) -> Result<Migration> {
    let (file, _) = file_of(url)?;
    let mut schema = None;
    if std::fs::metadata(&file).is_ok_and(|known| known.len() > 0) {
        let options = SqliteConnectOptions::new().filename(&file).busy_timeout(BUSY);
        let mut connection = options.connect().await.map_err(|e| explain(e, &file))?;
        schema = schema_of(&mut connection).await?;
        connection.close().await?;
    }
    Ok(shared::migrate::outlook(schema, STEPS.len()))
}

async fn schema_of(connection: &mut Connection) -> Result<Option<i64>> {
    let known = "SELECT count(*) FROM sqlite_master WHERE name = 'schema_version'";
    let is_known: i64 = sqlx::query_scalar(known).fetch_one(&mut *connection).await?;
    if is_known > 0 { shared::migrate::applied(connection).await } else { Ok(None) }
}

impl Database {
    /// The schema that an older version left.
    pub(super) async fn behind(&self) -> Option<i64> {
        // On the connection that will migrate: any other that has seen the old schema would go on reading by it.
        let mut writer = self.writer.acquire().await.ok()?;
        let found = schema_of(&mut writer).await.ok()??;
        usize::try_from(found).is_ok_and(|found| found < STEPS.len()).then_some(found)
    }

    /// It is kept as it was, once for each schema, before this version changes it.
    pub(super) async fn keep_before_migration(&self, found: i64, now: Timestamp) {
        let kept = beside(&self.file, &format!(".schema-{found}"));
        if kept.exists() {
            return;
        }
        match self.kept_as(&kept, now).await {
            Ok(()) => tracing::info!(
                event = "store_kept",
                "the store as it was before this version is kept as `{}`; remove it when all is well: it holds addresses",
                kept.display()
            ),
            Err(error) => tracing::warn!(
                event = "store_not_kept",
                "the store is brought up to date without a copy of what it was: {error}"
            ),
        }
    }

    /// Under its name only when it is whole.
    async fn kept_as(&self, kept: &Path, now: Timestamp) -> Result<()> {
        let part = beside(kept, ".part");
        remove(&part);
        self.copy(&part, now).await?;
        std::fs::rename(&part, kept).map_err(|error| not_writable(kept, &error))
    }

    pub(super) async fn copy(&self, to: &Path, now: Timestamp) -> Result<Facts> {
        let file = new_file(to)?;
        let copied = async {
            self.vacuum_into(to, now).await?;
            let facts = verify(to).await?;
            file.sync_all().map_err(|error| not_writable(to, &error))?;
            Ok(facts)
        };
        let facts = copied.await;
        if facts.is_err() {
            remove(to);
        }
        facts
    }

    async fn vacuum_into(&self, to: &Path, now: Timestamp) -> Result<()> {
        let target = to.to_str().ok_or_else(|| StoreError::NotWritable("the backup's name is not UTF-8".into()))?;
        // A reader of the database, but a connection that may write: it writes the copy.
        let mut connection = self.options.connect().await?;
        sqlx::query("VACUUM INTO $1").bind(target).execute(&mut connection).await?;
        connection.close().await?;
        let mut copy = SqliteConnectOptions::new().filename(to).connect().await?;
        shared::standby::begin(&mut copy, now).await?;
        Ok(copy.close().await?)
    }
}

/// For a copy: a file that was not there, readable for its owner only.
pub fn new_file(to: &Path) -> Result<File> {
    let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    created.map_err(|error| not_writable(to, &error))
}

/// Half a copy is worse than none; that it cannot be removed adds nothing to the first error.
pub fn remove(file: &Path) {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let _ = std::fs::remove_file(beside(file, suffix));
    }
}
