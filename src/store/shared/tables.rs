//! A store's rows as they are, table by table, for another store to take in: what `store copy`, `backup` and `restore` move. Knows
//! names and kinds of columns; not what is in them.

use jiff::Timestamp;
use sqlx::Row as _;

use super::super::{Connection, Query, Row};
use super::standby;
use crate::store::transfer::{Cell, Column, Kind, Table};
use crate::store::{Result, StoreError};

/// The next rows after `after` (the last row that was read), in the order of the table's key; all at once without a key.
async fn read(db: &mut Connection, table: &Table, after: Option<&[Cell]>, limit: usize) -> Result<Vec<Vec<Cell>>> {
    let sql = select(table, after.is_some(), limit);
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
    if let Some(last) = after {
        for at in table.key() {
            query = bind(query, last[at].clone());
        }
    }
    let rows = query.fetch_all(db).await?;
    rows.iter().map(|row| cells(row, &table.columns)).collect()
}

fn select(table: &Table, goes_on: bool, limit: usize) -> String {
    let names = |columns: &mut dyn Iterator<Item = &Column>| {
        columns.map(|column| format!("\"{}\"", column.name)).collect::<Vec<_>>().join(", ")
    };
    let mut sql = format!("SELECT {} FROM {}", names(&mut table.columns.iter()), table.name);
    let key: Vec<usize> = table.key().collect();
    if key.is_empty() {
        return sql;
    }
    let key_names = names(&mut key.iter().map(|at| &table.columns[*at]));
    if goes_on {
        let places: Vec<String> = (1..=key.len()).map(|place| format!("${place}")).collect();
        sql.push_str(&format!(" WHERE ({key_names}) > ({})", places.join(", ")));
    }
    sql.push_str(&format!(" ORDER BY {key_names} LIMIT {limit}"));
    sql
}

fn cells(row: &Row, columns: &[Column]) -> Result<Vec<Cell>> {
    let cell = |(at, column): (usize, &Column)| {
        Ok(match column.kind {
            Kind::Number => row.try_get::<Option<i64>, _>(at)?.map_or(Cell::Nothing(Kind::Number), Cell::Number),
            Kind::Text => row.try_get::<Option<String>, _>(at)?.map_or(Cell::Nothing(Kind::Text), Cell::Text),
            Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(at)?.map_or(Cell::Nothing(Kind::Bytes), Cell::Bytes),
        })
    };
    columns.iter().enumerate().map(cell).collect::<Result<_, sqlx::Error>>().map_err(StoreError::from)
}

/// Writes rows that another store gave.
async fn write(db: &mut Connection, table: &Table, rows: Vec<Vec<Cell>>) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let width = table.columns.len();
    let names: Vec<String> = table.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
    let row = |nr: usize| {
        let places: Vec<String> = (1..=width).map(|place| format!("${}", nr * width + place)).collect();
        format!("({})", places.join(", "))
    };
    let values: Vec<String> = (0..rows.len()).map(row).collect();
    let own = overriding!(table.counter.is_some());
    let sql = format!("INSERT INTO {} ({}) {own}VALUES {}", table.name, names.join(", "), values.join(", "));
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
    for cell in rows.into_iter().flatten() {
        query = bind(query, cell);
    }
    query.execute(db).await?;
    Ok(())
}

fn bind(query: Query<'_>, cell: Cell) -> Query<'_> {
    match cell {
        Cell::Number(number) => query.bind(number),
        Cell::Text(text) => query.bind(text),
        Cell::Bytes(bytes) => query.bind(bytes),
        Cell::Nothing(Kind::Number) => query.bind(None::<i64>),
        Cell::Nothing(Kind::Text) => query.bind(None::<String>),
        Cell::Nothing(Kind::Bytes) => query.bind(None::<Vec<u8>>),
    }
}

/// How many rows there are, without those that a store has of its own.
async fn count(db: &mut Connection, table: &Table) -> Result<i64> {
    let own = if table.name == "meta" { " WHERE name NOT IN ('place', 'standby')" } else { "" };
    let sql = format!("SELECT count(*) FROM {}{own}", table.name);
    Ok(sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(db).await?)
}

/// A store as it was at one moment. How it is opened, and which number its database gave last, differs.
pub struct Reading(pub Connection);

impl Reading {
    pub async fn rows(&mut self, table: &Table, after: Option<&[Cell]>, limit: usize) -> Result<Vec<Vec<Cell>>> {
        read(&mut self.0, table, after, limit).await
    }

    pub async fn count(&mut self, table: &Table) -> Result<i64> {
        count(&mut self.0, table).await
    }
}

/// A store that is filled in one transaction.
pub struct Writing(pub Connection);

impl Writing {
    pub async fn write(&mut self, table: &Table, rows: Vec<Vec<Cell>>) -> Result<()> {
        write(&mut self.0, table, rows).await
    }

    pub async fn count(&mut self, table: &Table) -> Result<i64> {
        count(&mut self.0, table).await
    }

    pub async fn make_way(&mut self) -> Result<()> {
        sqlx::query("DELETE FROM meta WHERE name NOT IN ('place', 'standby')").execute(&mut self.0).await?;
        Ok(())
    }

    pub async fn stand_by(&mut self, now: Timestamp) -> Result<()> {
        standby::begin(&mut self.0, now).await
    }
}
