//! A server's half of a transfer.

use jiff::Timestamp;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use super::open;
use super::shared::tables::{Reading, Writing};
use crate::store::transfer::Table;
use crate::store::{Result, StoreError, without_password};

pub async fn connect(url: &str) -> Result<PgConnection> {
    let options: PgConnectOptions =
        url.parse().map_err(|error| StoreError::Url(format!("`{}`: {error}", without_password(url))))?;
    Ok(options.application_name("gazetted store").connect().await?)
}

impl Reading {
    pub async fn open(url: &str) -> Result<Self> {
        Self::begin(connect(url).await?).await
    }

    /// With what an open store connects with.
    pub async fn with(options: &PgConnectOptions) -> Result<Self> {
        Self::begin(options.clone().application_name("gazetted store").connect().await?).await
    }

    async fn begin(mut db: PgConnection) -> Result<Self> {
        sqlx::query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut db).await?;
        Ok(Self(db))
    }

    /// The last number that was given.
    pub async fn counter(&mut self, table: &Table) -> Result<Option<i64>> {
        let Some(column) = &table.counter else { return Ok(None) };
        let sql = "SELECT last_value FROM pg_sequences
            WHERE format('%I.%I', schemaname, sequencename)::regclass = pg_get_serial_sequence($1, $2)::regclass";
        let last: Option<Option<i64>> =
            sqlx::query_scalar(sql).bind(&table.name).bind(column).fetch_optional(&mut self.0).await?;
        Ok(last.flatten())
    }
}

impl Writing {
    pub async fn open(url: &str, now: Timestamp) -> Result<Self> {
        drop(open(url, now).await?);
        let mut db = connect(url).await?;
        sqlx::query("BEGIN").execute(&mut db).await?;
        Ok(Self(db))
    }

    pub async fn set_counter(&mut self, table: &Table, to: i64) -> Result<()> {
        let sql = "SELECT setval(pg_get_serial_sequence($1, 'id'), greatest($2, 1), $2 > 0)";
        sqlx::query(sql).bind(&table.name).bind(to).execute(&mut self.0).await?;
        Ok(())
    }

    pub async fn commit(mut self) -> Result<()> {
        sqlx::query("COMMIT").execute(&mut self.0).await?;
        Ok(self.0.close().await?)
    }
}
