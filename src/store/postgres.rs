//! The database that several machines share. Knows its pool, its clock and its locks; what is in it is `shared`'s.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Postgres, Transaction};
use tokio::sync::Mutex;

use super::clock::Instants;
use super::transfer::{Facts, Source, into_file as transfer_into, verify};
use super::{Hold, Migration, Result, SharedStore, StoreError};

/// A bound JSON array of arrays as a table: place, name and type of each column. The limit takes nothing
/// away: it tells the planner how few rows these are, which otherwise takes a hundred for granted, and reads whole tables for
/// their sake.
macro_rules! rows {
    ($list:literal, $($place:literal $column:ident $type:ident),+) => {
        concat!(
            "(SELECT ",
            $("(value->>", $place, ")::", stringify!($type), " AS ", stringify!($column), ", ",)+
            "nr FROM jsonb_array_elements(", $list, "::jsonb) WITH ORDINALITY AS given(value, nr)
             LIMIT jsonb_array_length(", $list, "::jsonb)) AS given"
        )
    };
}

/// A bound JSON array of texts as the right side of `IN`.
macro_rules! texts {
    ($list:literal) => {
        concat!("(SELECT jsonb_array_elements_text(", $list, "::jsonb))")
    };
}

/// The clock that leases are measured with: the database's, since the nodes' clocks may differ. The caller's is named all
/// the same: a parameter that is used nowhere has no type.
macro_rules! clock {
    ($now:literal) => {
        concat!("((extract(epoch FROM clock_timestamp()) * 1000000)::bigint + 0 * ", $now, "::bigint)")
    };
}

/// Claimers do not wait for one another.
macro_rules! skip_locked {
    ($table:literal) => {
        concat!("FOR UPDATE OF ", $table, " SKIP LOCKED")
    };
}

/// Whoever reads this row next waits.
macro_rules! for_update {
    () => {
        "FOR UPDATE"
    };
}

/// Two statements as one, the first of them first; [`all_of_both`] reads what it gives.
macro_rules! both {
    ($first:expr, $second:expr) => {
        concat!(
            "WITH one AS (",
            $first,
            " RETURNING 1), two AS (",
            $second,
            " RETURNING 1)
             SELECT 1 FROM one UNION ALL SELECT 1 FROM two"
        )
    };
}

/// What the connection for marks and outcomes is told first. The same few statements are made for hundreds of thousands of messages: to
/// plan each of them costs more than to do it.
macro_rules! prepare {
    ($mark:expr, $settle:expr) => {
        "SET enable_hashjoin = off; SET enable_mergejoin = off; SET plan_cache_mode = force_generic_plan"
    };
}

/// How much there is of it.
macro_rules! bytes {
    () => {
        "SELECT pg_database_size(current_database())"
    };
}

/// Numbers that the database would give are taken as they are.
macro_rules! overriding {
    ($is_numbered:expr) => {
        if $is_numbered { "OVERRIDING SYSTEM VALUE " } else { "" }
    };
}

#[path = "shared/mod.rs"]
#[expect(clippy::duplicate_mod, reason = "one text of the verbs, compiled for each database")]
mod shared;
mod transfer;

pub use shared::tables::{Reading, Writing};
use shared::wire::Wire;

type Connection = sqlx::postgres::PgConnection;
type Row = sqlx::postgres::PgRow;
type Query<'q> = sqlx::query::Query<'q, Postgres, sqlx::postgres::PgArguments>;

const STEPS: [&str; 10] = [
    include_str!("migrations/postgres/0001_ledger.sql"),
    include_str!("migrations/postgres/0002_subscribers.sql"),
    include_str!("migrations/postgres/0003_bounces.sql"),
    include_str!("migrations/postgres/0004_nodes.sql"),
    include_str!("migrations/postgres/0005_feeds.sql"),
    include_str!("migrations/postgres/0006_websub.sql"),
    include_str!("migrations/postgres/0007_letters.sql"),
    include_str!("migrations/postgres/0008_admin.sql"),
    include_str!("migrations/postgres/0009_gists.sql"),
    include_str!("migrations/postgres/0010_wire.sql"),
];

const CONNECTIONS: u32 = 8;
const TURN: Duration = Duration::from_secs(10);

/// The keys of the advisory locks, arbitrary but ours: "gazetted" in ASCII, and the next number.
const HOLD: i64 = 0x6761_7a65_7474_6564;
const MIGRATION: i64 = HOLD + 1;

/// What the triggers of the schema notify.
const CHANNEL: &str = "gazetted";

struct Database {
    options: PgConnectOptions,
    pool: PgPool,
    instants: Instants,
    /// Hears of what other processes queue.
    ear: Mutex<Option<PgListener>>,
}

pub async fn open(url: &str, now: Timestamp) -> Result<SharedStore> {
    let options: PgConnectOptions = url.parse().map_err(|error: sqlx::Error| {
        StoreError::Url(format!("`store.url` is `{}`: {error}", super::without_password(url)))
    })?;
    let options = options.application_name("gazetted");
    let pool =
        PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(TURN).connect_lazy_with(options.clone());
    let database = Database { options, pool, instants: Instants::default(), ear: Mutex::default() };
    let mut transaction = database.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MIGRATION).execute(&mut *transaction).await?;
    shared::migrate::migrate(&mut transaction, &STEPS, now).await?;
    recognise(&mut transaction, now).await?;
    transaction.commit().await?;
    Ok(Arc::new(database))
}

/// Tries the migration in a transaction that is taken back.
pub async fn rehearse(url: &str, now: Timestamp) -> Result<Migration> {
    let mut connection = transfer::connect(url).await?;
    let mut transaction = connection.begin().await?;
    // Nodes that are at work must not stand in line behind a rehearsal.
    sqlx::query("SET LOCAL lock_timeout = '5s'").execute(&mut *transaction).await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MIGRATION).execute(&mut *transaction).await?;
    let migration = shared::migrate::rehearse(&mut transaction, &STEPS, now).await;
    let taken_back = transaction.rollback().await;
    let migration = migration?;
    taken_back?;
    connection.close().await?;
    Ok(migration)
}

pub async fn outlook(url: &str) -> Result<Migration> {
    let mut connection = transfer::connect(url).await?;
    let there = "SELECT to_regclass('schema_version') IS NOT NULL";
    let there: bool = sqlx::query_scalar(there).fetch_one(&mut connection).await?;
    let schema = if there { shared::migrate::applied(&mut connection).await? } else { None };
    connection.close().await?;
    Ok(shared::migrate::outlook(schema, STEPS.len()))
}

/// Whether as many rows were written as expected.
fn all_of_both(rows: sqlx::Result<u64>, expected: u64) -> Result<bool> {
    Ok(rows? == expected)
}

/// For this transaction: few rows are looked up one by one. The planner would read whole tables for some hundred of their rows.
async fn by_lookups(db: &mut Connection) -> Result<()> {
    sqlx::raw_sql("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off").execute(db).await?;
    Ok(())
}

const PLACE: &str = "place";

/// A store that says it lives in another place than this one is a copy.
async fn recognise(db: &mut Connection, now: Timestamp) -> Result<()> {
    let place = place(db).await?;
    let known = shared::meta::get(db, PLACE).await?;
    if known.as_ref() == Some(&place) {
        return Ok(());
    }
    if known.is_some() {
        shared::standby::begin(db, now).await?;
    }
    shared::meta::set(db, PLACE, &place).await
}

/// Where this database lives. A dump that is read in elsewhere, or beside it, has another place.
async fn place(db: &mut Connection) -> Result<String> {
    let database: String = sqlx::query_scalar("SELECT oid::text FROM pg_database WHERE datname = current_database()")
        .fetch_one(&mut *db)
        .await?;
    let may: bool = sqlx::query_scalar("SELECT has_function_privilege('pg_control_system()', 'execute')")
        .fetch_one(&mut *db)
        .await?;
    if !may {
        return Ok(database);
    }
    let cluster: String =
        sqlx::query_scalar("SELECT system_identifier::text FROM pg_control_system()").fetch_one(db).await?;
    Ok(format!("{database} of {cluster}"))
}

impl Database {
    async fn begin(&self) -> Result<Transaction<'static, Postgres>> {
        Ok(self.pool.begin().await?)
    }

    async fn new_pen(&self, wire: Wire) -> Result<Pen> {
        let mut connection = self.options.connect().await?;
        sqlx::raw_sql(shared::wire::PREPARE).execute(&mut connection).await?;
        Ok(Pen { connection, instants: self.instants.clone(), wire })
    }

    async fn reader(&self) -> Result<PoolConnection<Postgres>> {
        Ok(self.pool.acquire().await?)
    }

    /// After many deliveries at once: until the server does so by itself, it plans for the table that was.
    async fn count_anew(&self) {
        if let Err(error) = sqlx::query("ANALYZE deliveries").execute(&self.pool).await {
            tracing::debug!("the deliveries are not counted anew: {error}");
        }
    }

    #[expect(clippy::unused_self, reason = "SQLite's has to look")]
    fn free(&self) -> Option<u64> {
        None
    }

    /// The server's disk is its own operator's.
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "SQLite's has to look")]
    fn has_room(&self) -> Result<()> {
        Ok(())
    }

    /// A lock of the session on a connection of its own, whose name tells who has it. It goes with the connection.
    async fn take(&self, who: &str) -> Result<Box<dyn Hold>> {
        let mut connection = self.options.clone().application_name(who).connect().await?;
        let taken: bool =
            sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(HOLD).fetch_one(&mut connection).await?;
        if taken { Ok(Box::new(SessionHold(connection))) } else { Err(held(&mut connection).await) }
    }

    /// On a connection of its own, made anew when it was lost; what was said meanwhile is found by looking.
    async fn listen(&self) -> Result<()> {
        let mut ear = self.ear.lock().await;
        if ear.is_none() {
            let mut listener = PgListener::connect_with(&self.pool).await?;
            listener.listen(CHANNEL).await?;
            *ear = Some(listener);
        }
        let Some(listener) = ear.as_mut() else { return Ok(()) };
        let heard = listener.recv().await;
        if heard.is_err() {
            *ear = None;
        }
        Ok(heard.map(drop)?)
    }

    /// As a file that either database can be filled from again. (`pg_dump` makes one that only PostgreSQL reads.)
    async fn copy(&self, to: &Path, now: Timestamp) -> Result<Facts> {
        let source = Source::Postgres(Reading::with(&self.options).await?);
        super::sqlite::new_file(to)?;
        let copied = async {
            transfer_into(source, to, now).await?;
            verify(to).await
        };
        let facts = copied.await;
        if facts.is_err() {
            super::sqlite::remove(to);
        }
        facts
    }
}

/// A connection of its own, with settings of its own.
struct Pen {
    connection: Connection,
    instants: Instants,
    wire: Wire,
}

impl Pen {
    /// There are as many writers as there are connections: nobody to wait for.
    #[expect(clippy::unused_async, reason = "SQLite's has to wait")]
    async fn turn(&mut self) -> Result<((), &mut Connection, &mut Wire)> {
        Ok(((), &mut self.connection, &mut self.wire))
    }
}

/// Closed when dropped, and the lock with it.
struct SessionHold(#[expect(dead_code, reason = "kept for its lock")] Connection);

impl Hold for SessionHold {}

async fn held(db: &mut Connection) -> StoreError {
    let who: Result<Option<String>, _> = sqlx::query_scalar(
        "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
         WHERE l.locktype = 'advisory' AND l.granted AND l.classid::bigint = $1 AND l.objid::bigint = $2
             AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .bind(HOLD >> 32)
    .bind(HOLD & 0xffff_ffff)
    .fetch_optional(db)
    .await;
    match who {
        Ok(Some(who)) => StoreError::Held(format!("the database is in use by {who}")),
        Ok(None) => StoreError::Held("the database is in use by another process".into()),
        Err(error) => error.into(),
    }
}
