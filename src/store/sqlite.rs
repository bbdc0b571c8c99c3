//! The embedded database: one file, one writer, a few readers. Knows how the file is made, checked, held and copied; what
//! is in it is `shared`'s.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use rustix::fs::{FlockOperation, flock, statvfs};
use rustix::io::Errno;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Sqlite};

use self::line::{Change, Line, Pen, TURN};
use super::clock::Instants;
use super::{Hold, Result, SharedStore, StoreError};

/// A bound JSON array of arrays as a table: place, name and type of each column. Places are half the price of names.
macro_rules! rows {
    ($list:literal, $($place:literal $column:ident $type:ident),+) => {
        concat!(
            "(SELECT ", $("value->>", $place, " AS ", stringify!($column), ", ",)+
            "key AS nr FROM json_each(", $list, ")) AS given"
        )
    };
}

/// A bound JSON array of texts as the right side of `IN`.
macro_rules! texts {
    ($list:literal) => {
        concat!("(SELECT value FROM json_each(", $list, "))")
    };
}

/// The clock that leases are measured with: the caller's; there is only one machine.
macro_rules! clock {
    ($now:literal) => {
        $now
    };
}

/// There is one writer: nobody to skip.
macro_rules! skip_locked {
    ($table:literal) => {
        ""
    };
}

/// Nothing to lock: there is one writer.
macro_rules! for_update {
    () => {
        ""
    };
}

/// Marks and outcomes as one statement; [`all_of_both`] reads what it gives. A transaction of two would be four statements, and each of
/// them wakes another thread.
macro_rules! both {
    ($mark:expr, $settle:expr) => {
        "INSERT INTO step (node, begun, many, messages, nr, outcomes, at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    };
}

/// What the connection for marks and outcomes is told first: what that statement means. All of it is written, or nothing.
macro_rules! prepare {
    ($mark:expr, $settle:expr) => {
        concat!(
            "PRAGMA temp_store = MEMORY;
             CREATE TEMP VIEW step (node, begun, many, messages, nr, outcomes, at) AS SELECT 0, 0, 0, 0, 0, 0, 0;
             CREATE TEMP TRIGGER step_taken INSTEAD OF INSERT ON step BEGIN ",
            $mark,
            "; SELECT RAISE(ABORT, 'not all of it') WHERE changes() <> 1; ",
            $settle,
            "; SELECT RAISE(ABORT, 'not all of it') WHERE changes() <> json_array_length(NEW.outcomes); END"
        )
    };
}

/// How much there is of it.
macro_rules! bytes {
    () => {
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    };
}

/// Numbers that the database would give are taken as they are.
macro_rules! overriding {
    ($is_numbered:expr) => {
        ""
    };
}

mod copy;
mod departed;
mod line;
#[path = "shared/mod.rs"]
mod shared;
mod transfer;

pub use copy::{new_file, outlook, rehearse, remove};
pub use shared::tables::{Reading, Writing};
use shared::wire::Wire;
pub use transfer::{Scratch, put_in_place, tables, verify};

type Connection = sqlx::sqlite::SqliteConnection;
type Row = sqlx::sqlite::SqliteRow;
type Query<'q> = sqlx::query::Query<'q, Sqlite, sqlx::sqlite::SqliteArguments>;

const STEPS: [&str; 10] = [
    include_str!("migrations/sqlite/0001_ledger.sql"),
    include_str!("migrations/sqlite/0002_subscribers.sql"),
    include_str!("migrations/sqlite/0003_bounces.sql"),
    include_str!("migrations/sqlite/0004_nodes.sql"),
    include_str!("migrations/sqlite/0005_feeds.sql"),
    include_str!("migrations/sqlite/0006_websub.sql"),
    include_str!("migrations/sqlite/0007_letters.sql"),
    include_str!("migrations/sqlite/0008_admin.sql"),
    include_str!("migrations/sqlite/0009_gists.sql"),
    include_str!("migrations/sqlite/0010_wire.sql"),
];

/// How long a writer of another process is waited for.
const BUSY: Duration = Duration::from_secs(5);
const READERS: u32 = 4;
/// So much of the disk is left for the outcomes of what is on its way, and for the operator to look around: with less, nothing
/// new is begun.
const RESERVE: u64 = 32 << 20;
/// The log is cut back to this when it has been folded into the database.
const LOG_KEPT: &str = "16777216";
/// A longer log means that somebody has been reading the same state for long, and nothing can be folded in; a log of the
/// second length means that sending has to wait for them.
const LONG_LOG: u64 = 64 << 20;
const LONGEST_LOG: u64 = 256 << 20;

struct Database {
    file: PathBuf,
    /// One connection.
    writer: SqlitePool,
    line: Line,
    instants: Instants,
    readers: SqlitePool,
    options: SqliteConnectOptions,
    /// It has been said that the log is long.
    long_log: AtomicBool,
}

/// `whole`: read all of it once, and refuse a damaged one.
pub async fn open(url: &str, now: Timestamp, whole: bool) -> Result<SharedStore> {
    let (file, sync) = file_of(url)?;
    let old = create(&file)?;
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(sync)
        .foreign_keys(true)
        .pragma("secure_delete", "ON")
        .pragma("journal_size_limit", LOG_KEPT)
        .busy_timeout(BUSY);
    let pool =
        || SqlitePoolOptions::new().acquire_timeout(TURN).idle_timeout(None).max_lifetime(None).before_acquire(clean);
    let writer = pool().max_connections(1).connect_with(options.clone()).await.map_err(|e| explain(e, &file))?;
    if old && whole {
        check(&writer, &file).await?;
    }
    let readers = pool().max_connections(READERS).connect_lazy_with(options.clone().pragma("query_only", "ON"));
    let (line, instants, long_log) = (Line::default(), Instants::default(), AtomicBool::new(false));
    let database = Database { file, writer, line, instants, readers, options, long_log };
    let behind = if old { database.behind().await } else { None };
    // Whoever works with the store as it was would write by a schema that is gone.
    let _alone = behind.map(|_| alone(&database.file)).transpose()?;
    if let Some(found) = behind {
        database.keep_before_migration(found, now).await;
    }
    let mut transaction = database.begin().await?;
    shared::migrate::migrate(&mut transaction, &STEPS, now).await?;
    transaction.commit().await?;
    Ok(Arc::new(database))
}

/// A connection whose commit or rollback has failed (the disk was full) counts as being in a transaction for ever: it is closed,
/// and another one takes its place.
fn clean(
    connection: &mut Connection,
    _: sqlx::pool::PoolConnectionMetadata,
) -> Pin<Box<dyn Future<Output = sqlx::Result<bool>> + Send + '_>> {
    let clean = !connection.is_in_transaction();
    Box::pin(std::future::ready(Ok(clean)))
}

/// `sqlite:gazetted.db`, `sqlite:/var/lib/gazetted.db`, `sqlite:///var/lib/gazetted.db`; with `?sync=normal` commits do not
/// wait for the disk: a process that dies loses nothing, a power cut may lose what was written last.
fn file_of(url: &str) -> Result<(PathBuf, SqliteSynchronous)> {
    let rest = url.strip_prefix("sqlite:").unwrap_or(url);
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let (path, sync) = match path.split_once('?') {
        None | Some((_, "sync=full")) => (path.split('?').next().unwrap_or_default(), SqliteSynchronous::Full),
        Some((path, "sync=normal")) => (path, SqliteSynchronous::Normal),
        Some(_) => {
            return Err(StoreError::Url(format!(
                "`store.url` is `{url}`; expected nothing after `?` but `sync=normal`"
            )));
        }
    };
    if path.is_empty() || path == ":memory:" {
        return Err(StoreError::Url(format!("`store.url` is `{url}`; expected a file, as in `sqlite:gazetted.db`")));
    }
    Ok((PathBuf::from(path), sync))
}

/// Makes the file, and the folder it lies in, which a clone of a site has not; both are their owner's only. True if there was one
/// with something in it.
fn create(file: &Path) -> Result<bool> {
    let open = || OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(file);
    let opened = open().or_else(|error| match file.parent() {
        Some(folder) if error.kind() == ErrorKind::NotFound => {
            DirBuilder::new().mode(0o700).create(folder).map_err(|_| error)?;
            open()
        }
        _ => Err(error),
    });
    let opened = opened.and_then(|f| f.metadata()).map_err(|e| not_writable(file, &e))?;
    if !opened.is_file() {
        return Err(StoreError::Url(format!("`{}` is not a file", file.display())));
    }
    Ok(opened.len() > 0)
}

/// Reads the whole database once: a damaged one must not be sent from.
async fn check(writer: &SqlitePool, file: &Path) -> Result<()> {
    let found: String =
        sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(writer).await.map_err(|e| explain(e, file))?;
    if found == "ok" { Ok(()) } else { Err(damaged(file, &found)) }
}

fn explain(error: sqlx::Error, file: &Path) -> StoreError {
    match StoreError::from(error) {
        StoreError::Damaged(text) => damaged(file, &text),
        StoreError::NotWritable(text) => StoreError::NotWritable(format!("`{}`: {text}", file.display())),
        error => error,
    }
}

fn damaged(file: &Path, text: &str) -> StoreError {
    StoreError::Damaged(format!("`{}`: {}; restore it from a backup", file.display(), text.trim()))
}

fn not_writable(file: &Path, error: &std::io::Error) -> StoreError {
    let text = format!("`{}`: {error}", file.display());
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full(text),
        _ => StoreError::NotWritable(text),
    }
}

/// Whether something new may be begun with so much space.
fn enough(free: u64, file: &Path) -> Result<()> {
    if free >= RESERVE {
        return Ok(());
    }
    Err(StoreError::Full(format!(
        "{} MB are free beside `{}`, and {} MB are kept for what is under way; make some room, and it goes on by itself",
        free >> 20,
        file.display(),
        RESERVE >> 20
    )))
}

/// Whether the statement was taken.
fn all_of_both(done: sqlx::Result<u64>, _: u64) -> Result<bool> {
    match done {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(error)) if error.message() == "not all of it" => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// SQLite joins in no other way.
async fn by_lookups(_: &mut Connection) -> Result<()> {
    Ok(())
}

impl Database {
    async fn begin(&self) -> Result<Change> {
        let turn = self.line.turn().await?;
        Ok(Change::new(self.writer.begin_with("BEGIN IMMEDIATE").await?, turn))
    }

    async fn new_pen(&self, wire: Wire) -> Result<Pen> {
        let mut connection = self.options.connect().await.map_err(|e| explain(e, &self.file))?;
        sqlx::raw_sql(shared::wire::PREPARE).execute(&mut connection).await?;
        Ok(Pen::new(connection, self.line.clone(), self.instants.clone(), wire))
    }

    async fn reader(&self) -> Result<PoolConnection<Sqlite>> {
        Ok(self.readers.acquire().await?)
    }

    /// SQLite plans by the schema alone.
    #[expect(clippy::unused_async, reason = "PostgreSQL's has to count")]
    async fn count_anew(&self) {}

    /// A locked file beside the database: the lock goes with the process, however it ends; the file stays.
    #[expect(clippy::unused_async, reason = "PostgreSQL's has to wait")]
    async fn take(&self, who: &str) -> Result<Box<dyn Hold>> {
        lock(&self.file, who)
    }

    /// The commands beside the daemon say nothing; it looks by itself.
    async fn listen(&self) -> Result<()> {
        std::future::pending().await
    }

    /// What is left on its disk.
    fn free(&self) -> Option<u64> {
        let disk = statvfs(&self.file).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Before something new is begun: that it can be ended, too.
    fn has_room(&self) -> Result<()> {
        // A file system that does not say how full it is is not held to be.
        if let Some(free) = self.free() {
            enough(free, &self.file)?;
        }
        let log = std::fs::metadata(beside(&self.file, "-wal")).map_or(0, |known| known.len());
        if self.long_log.swap(log > LONG_LOG, Ordering::Relaxed) != (log > LONG_LOG) && log > LONG_LOG {
            tracing::warn!(
                event = "store_log_long",
                "the database's log has grown to {} MB: another program has been reading from it for long (a copy, a shell?)",
                log >> 20
            );
        }
        if log <= LONGEST_LOG {
            return Ok(());
        }
        Err(StoreError::Unavailable(format!(
            "the log of `{}` has grown to {} MB; end the program that has been reading from it",
            self.file.display(),
            log >> 20
        )))
    }
}

fn lock(database: &Path, who: &str) -> Result<Box<dyn Hold>> {
    let path = beside(database, ".lock");
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let mut file = opened.map_err(|e| not_writable(&path, &e))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Err(held(&mut file, database)),
        Err(e) => return Err(not_writable(&path, &e.into())),
    }
    let written = file.set_len(0).and_then(|()| file.write_all(who.as_bytes()));
    written.map_err(|e| not_writable(&path, &e))?;
    Ok(Box::new(FileHold(file)))
}

/// For as long as the schema is changed.
fn alone(database: &Path) -> Result<Box<dyn Hold>> {
    lock(database, &format!("gazetted, pid {}, which changes its schema", std::process::id())).map_err(|e| match e {
        StoreError::Held(said) => StoreError::Held(format!("{said}, and this version has to change its schema first")),
        other => other,
    })
}

/// Closed when dropped, and the lock with it.
struct FileHold(#[expect(dead_code, reason = "kept for its lock")] File);

impl Hold for FileHold {}

fn held(lock: &mut File, database: &Path) -> StoreError {
    let mut who = String::new();
    // The holder may be writing its name at this moment; that it holds is certain all the same.
    let named = lock.take(200).read_to_string(&mut who).is_ok() && !who.trim().is_empty();
    let who = if named { who.trim() } else { "another process" };
    StoreError::Held(format!("`{}` is in use by {who}", database.display()))
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_room_is_kept_for_what_is_under_way() {
        let file = Path::new("/var/lib/gazetted.db");
        assert!(enough(RESERVE, file).is_ok());
        let Err(StoreError::Full(sentence)) = enough(RESERVE - 1, file) else { panic!("enough") };
        assert!(sentence.starts_with("31 MB are free beside `/var/lib/gazetted.db`, and 32 MB are kept"), "{sentence}");
    }

    #[test]
    fn the_url_names_a_file() {
        for (url, file) in [
            ("sqlite:gazetted.db", "gazetted.db"),
            ("sqlite:/var/lib/g.db", "/var/lib/g.db"),
            ("sqlite:///var/lib/g.db", "/var/lib/g.db"),
            ("sqlite://g.db", "g.db"),
            ("sqlite:g.db?sync=normal", "g.db"),
        ] {
            assert_eq!(file_of(url).unwrap().0, Path::new(file), "{url}");
        }
        for url in ["sqlite:", "sqlite://", "sqlite::memory:", "sqlite:?sync=normal", "sqlite:g.db?sync=off"] {
            assert!(matches!(file_of(url), Err(StoreError::Url(_))), "{url}");
        }
    }
}
