//! Letters to editors: each is written once, with its deliveries and what webhooks are told of it.

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;

use super::super::{Connection, Database, Row};
use super::rows;
use crate::domain::edition::EditionKey;
use crate::domain::subscriber::Address;
use crate::store::{Letter, Letters, Result, Told};

#[async_trait]
impl Letters for Database {
    async fn write_letter(&self, letter: &Letter, to: &[Address], told: Option<&Told>) -> Result<bool> {
        write!(self, |db| write(db, letter, to, told))
    }

    async fn letter(&self, key: u64) -> Result<Option<Letter>> {
        read!(self, |db| one(db, EditionKey::Letter(key)))
    }

    async fn letters(&self, prefix: &str) -> Result<Vec<String>> {
        read!(self, |db| names(db, prefix))
    }

    async fn take_back_letters(&self, prefix: &str, why: &str, now: Timestamp) -> Result<u64> {
        write!(self, |db| take_back(db, prefix, why, now))
    }
}

async fn write(db: &mut Connection, letter: &Letter, to: &[Address], told: Option<&Told>) -> Result<bool> {
    let key = EditionKey::letter(&letter.name);
    let done = sqlx::query(
        "INSERT INTO letters (key, name, subject, text, html, language, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT DO NOTHING",
    )
    .bind(key.to_string())
    .bind(rows::clean(&letter.name))
    .bind(rows::clean(&letter.subject))
    .bind(rows::clean(&letter.text))
    .bind(rows::clean(&letter.html))
    .bind(rows::clean(&letter.language))
    .bind(letter.made_at.as_microsecond())
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    queue(db, key, to, letter.made_at).await?;
    if let Some(told) = told {
        tell(db, told, letter.made_at).await?;
    }
    Ok(true)
}

async fn queue(db: &mut Connection, key: EditionKey, to: &[Address], now: Timestamp) -> Result<()> {
    let list = to.iter().map(|address| json!([number(address), rows::clean(&address.email)]));
    sqlx::query(concat!(
        "INSERT INTO deliveries (edition, subscriber, kind, rank, email, state, queued_at, due_at, changed_at)
         SELECT $2, given.subscriber, 'letter', 0, given.email, 'queued', $3, $3, $3 FROM ",
        rows!("$1", 0 subscriber bigint, 1 email text),
        " WHERE 1 = 1 ON CONFLICT (edition, subscriber) DO NOTHING"
    ))
    .bind(rows::list(list))
    .bind(key.to_string())
    .bind(now.as_microsecond())
    .execute(db)
    .await?;
    Ok(())
}

/// Editors are no subscribers: what their deliveries are told apart by is below zero, and comes from the address.
fn number(address: &Address) -> i64 {
    let EditionKey::Letter(hash) = EditionKey::letter(&address.key) else { return -1 };
    // What JSON numbers can hold exactly, whoever reads them.
    -i64::try_from(hash >> 12).unwrap_or_default() - 1
}

async fn tell(db: &mut Connection, told: &Told, now: Timestamp) -> Result<()> {
    sqlx::query("INSERT INTO history (at, event, source, proof) VALUES ($1, $2, 'letter', $3)")
        .bind(now.as_microsecond())
        .bind(told.event)
        .bind(rows::clean(&told.facts.to_string()))
        .execute(db)
        .await?;
    Ok(())
}

async fn one(db: &mut Connection, key: EditionKey) -> Result<Option<Letter>> {
    let found = sqlx::query("SELECT * FROM letters WHERE key = $1").bind(key.to_string()).fetch_optional(db).await?;
    found.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Letter> {
    Ok(Letter {
        name: rows::text(row, "name")?,
        subject: rows::text(row, "subject")?,
        text: rows::text(row, "text")?,
        html: rows::text(row, "html")?,
        language: rows::text(row, "language")?,
        made_at: rows::instant(row, "made_at")?,
    })
}

async fn names(db: &mut Connection, prefix: &str) -> Result<Vec<String>> {
    let found = sqlx::query_scalar("SELECT name FROM letters WHERE substr(name, 1, length($1)) = $1 ORDER BY name")
        .bind(prefix)
        .fetch_all(db)
        .await?;
    Ok(found)
}

async fn take_back(db: &mut Connection, prefix: &str, why: &str, now: Timestamp) -> Result<u64> {
    let done = sqlx::query(
        "UPDATE deliveries SET state = 'skipped', reply = $2, due_at = NULL, changed_at = $3
         WHERE kind = 'letter' AND state IN ('queued', 'deferred')
             AND edition IN (SELECT key FROM letters WHERE substr(name, 1, length($1)) = $1)",
    )
    .bind(prefix)
    .bind(why)
    .bind(now.as_microsecond())
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
