//! One store's whole content into another, whichever database each of them is: moving from SQLite to PostgreSQL and back, and a backup
//! of either as one file. Knows which tables there are; the rows are read and written by each database's own half.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use super::{Result, StoreError, postgres, sqlite};

/// How many values one statement carries: within what both databases take.
const VALUES: usize = 16_000;
/// What belongs to the place and not to the content.
const OWN: [&str; 2] = ["place", "standby"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Number,
    Text,
    Bytes,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
    Nothing(Kind),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
    /// Its place in the primary key, from 1; 0 if it is not in it.
    pub key: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    pub columns: Vec<Column>,
    /// The column that is numbered by the database, if there is one: no number is ever given twice.
    pub counter: Option<String>,
}

impl Table {
    /// The places of the key's columns, in the key's order.
    pub fn key(&self) -> impl Iterator<Item = usize> + '_ {
        let mut key: Vec<usize> = (0..self.columns.len()).filter(|at| self.columns[*at].key > 0).collect();
        key.sort_by_key(|at| self.columns[*at].key);
        key.into_iter()
    }

    fn page(&self) -> usize {
        (VALUES / self.columns.len().max(1)).max(1)
    }
}

/// What was taken over of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Taken {
    pub table: String,
    pub rows: u64,
}

/// A store that is read: one state of it, whatever is written meanwhile.
pub enum Source {
    Sqlite(sqlite::Reading),
    Postgres(postgres::Reading),
}

/// A store that is written: all of it, or nothing.
pub enum Target {
    Sqlite(sqlite::Writing),
    Postgres(postgres::Writing),
}

/// One call for whichever it is.
macro_rules! each {
    ($which:expr, $of:ident, $inner:ident => $call:expr) => {
        match $which {
            $of::Sqlite($inner) => $call.await,
            $of::Postgres($inner) => $call.await,
        }
    };
}

fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}

impl Source {
    pub async fn open(url: &str) -> Result<Self> {
        if is_sqlite(url) {
            return Ok(Self::Sqlite(sqlite::Reading::open(url).await?));
        }
        Ok(Self::Postgres(postgres::Reading::open(url).await?))
    }

    async fn rows(&mut self, table: &Table, after: Option<&[Cell]>) -> Result<Vec<Vec<Cell>>> {
        each!(self, Source, source => source.rows(table, after, table.page()))
    }

    async fn counter(&mut self, table: &Table) -> Result<Option<i64>> {
        each!(self, Source, source => source.counter(table))
    }

    async fn count(&mut self, table: &Table) -> Result<i64> {
        each!(self, Source, source => source.count(table))
    }
}

impl Target {
    pub async fn open(url: &str, now: Timestamp) -> Result<Self> {
        if is_sqlite(url) {
            return Ok(Self::Sqlite(sqlite::Writing::open(url, now).await?));
        }
        Ok(Self::Postgres(postgres::Writing::open(url, now).await?))
    }

    async fn write(&mut self, table: &Table, rows: Vec<Vec<Cell>>) -> Result<()> {
        each!(self, Target, target => target.write(table, rows))
    }

    async fn set_counter(&mut self, table: &Table, to: i64) -> Result<()> {
        each!(self, Target, target => target.set_counter(table, to))
    }

    async fn count(&mut self, table: &Table) -> Result<i64> {
        each!(self, Target, target => target.count(table))
    }

    /// What the new store wrote about itself gives way to what the old one knew.
    async fn make_way(&mut self) -> Result<()> {
        each!(self, Target, target => target.make_way())
    }

    /// It sends nothing until its operator has said so.
    pub async fn stand_by(&mut self, now: Timestamp) -> Result<()> {
        each!(self, Target, target => target.stand_by(now))
    }

    pub async fn commit(self) -> Result<()> {
        each!(self, Target, target => target.commit())
    }
}

/// Fills an empty store with all that another holds, and holds both against each other. Nothing is there before `commit`.
pub async fn fill(source: &mut Source, target: &mut Target) -> Result<Vec<Taken>> {
    fill_from(source, target, 0).await
}

/// The same; what is numbered from now on gets numbers above `least`.
async fn fill_from(source: &mut Source, target: &mut Target, least: i64) -> Result<Vec<Taken>> {
    let tables = sqlite::tables().await?;
    for table in tables.iter().filter(|table| table.name != "meta") {
        let there = target.count(table).await?;
        if there > 0 {
            return Err(StoreError::Held(format!(
                "the store to be filled is not empty: `{}` has {there} rows; expected a new one",
                table.name
            )));
        }
    }
    target.make_way().await?;
    let mut taken = Vec::with_capacity(tables.len());
    for table in &tables {
        let rows = take(source, target, table, least).await?;
        taken.push(Taken { table: table.name.clone(), rows });
    }
    Ok(taken)
}

async fn take(source: &mut Source, target: &mut Target, table: &Table, least: i64) -> Result<u64> {
    let mut after: Option<Vec<Cell>> = None;
    loop {
        let rows = source.rows(table, after.as_deref()).await?;
        let is_last = rows.len() < table.page() || table.key().next().is_none();
        after = rows.last().cloned();
        let rows: Vec<Vec<Cell>> = rows.into_iter().filter(|row| !is_own(table, row)).collect();
        for page in pages(rows, table.page()) {
            target.write(table, page).await?;
        }
        if is_last {
            break;
        }
    }
    let counter = source.counter(table).await?.unwrap_or_default().max(least);
    if table.counter.is_some() && counter > 0 {
        target.set_counter(table, counter).await?;
    }
    let (here, there) = (source.count(table).await?, target.count(table).await?);
    if here != there {
        let said = format!("`{}` has {here} rows, and {there} of them arrived; nothing was changed", table.name);
        return Err(StoreError::Other(said));
    }
    Ok(u64::try_from(there).unwrap_or_default())
}

fn is_own(table: &Table, row: &[Cell]) -> bool {
    table.name == "meta" && matches!(&row[0], Cell::Text(name) if OWN.contains(&name.as_str()))
}

fn pages(rows: Vec<Vec<Cell>>, size: usize) -> Vec<Vec<Vec<Cell>>> {
    let mut rows = rows.into_iter().peekable();
    let mut pages = Vec::new();
    while rows.peek().is_some() {
        pages.push(rows.by_ref().take(size).collect());
    }
    pages
}

/// A whole store in one new file, as it was at one moment; the file stands by.
pub async fn into_file(mut source: Source, file: &Path, now: Timestamp) -> Result<()> {
    let mut target = Target::open(&in_file(file), now).await?;
    fill(&mut source, &mut target).await?;
    target.stand_by(now).await?;
    target.commit().await
}

fn in_file(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

/// What a file holds, after all of it has been read and found right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    pub schema: i64,
    pub created_at: String,
    /// When it was made as a copy, if it is one.
    pub copied_at: Option<String>,
    pub entries: i64,
    pub subscribers: i64,
    pub editions: i64,
    pub deliveries: i64,
}

/// Reads a file through: whether it is a whole and undamaged store.
pub async fn verify(file: &Path) -> Result<Facts> {
    sqlite::verify(file).await
}

/// What came of a restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    #[serde(flatten)]
    pub facts: Facts,
    /// Where the store is that was there before.
    pub before: Option<PathBuf>,
    /// What was taken over from that one, if it could be read.
    pub taken_over: Option<TakenOver>,
}

/// How many have gone since the backup was made, according to the store that it replaces.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TakenOver {
    /// Have unsubscribed, or are suppressed.
    pub left: u64,
    pub forgotten: u64,
    /// Have another address.
    pub moved: u64,
}

/// A number above all that were given before now, by whatever came after the backup: links and bounces of those whom it does not know
/// must never be somebody else's. No store gives a million numbers a second, so the microseconds are ahead of it.
#[must_use]
pub fn unused(now: Timestamp) -> i64 {
    now.as_microsecond()
}

/// Puts what a backup holds in the place of the store at `url`. A server's must be empty; a file that is there is kept beside it, and
/// only replaced if `replace` says so; whoever has left that one is taken over. The store stands by afterwards; if this fails, all is as it was.
pub async fn restore(backup: &Path, url: &str, replace: bool, now: Timestamp) -> Result<Restored> {
    let facts = verify(backup).await?;
    if is_sqlite(url) {
        return sqlite::put_in_place(backup, facts, url, replace, now).await;
    }
    // It may be of an older schema, and is nobody's to change.
    let copy = sqlite::Scratch::of(backup)?;
    copy.bring_up(now).await?;
    let (mut source, mut target) = (Source::open(&in_file(copy.path())).await?, Target::open(url, now).await?);
    fill_from(&mut source, &mut target, unused(now)).await?;
    target.stand_by(now).await?;
    target.commit().await?;
    Ok(Restored { facts, before: None, taken_over: None })
}
