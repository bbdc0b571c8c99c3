//! Entries and written outputs. Ten thousand of them are one statement.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::super::{Connection, Row};
use super::rows;
use crate::store::{EntryRow, OutputRow, Result};

pub async fn all(db: &mut Connection) -> Result<Vec<EntryRow>> {
    // Each row becomes an entry as it comes: ten thousand rows at once are a good part of the memory there is.
    let found = sqlx::query("SELECT * FROM entries ORDER BY id").map(|row: Row| entry(&row)).fetch_all(db).await?;
    found.into_iter().collect()
}

fn entry(row: &Row) -> Result<EntryRow> {
    Ok(EntryRow {
        id: rows::text(row, "id")?,
        path: rows::text(row, "path")?,
        url: rows::text(row, "url")?,
        title: rows::text(row, "title")?,
        published_at: rows::maybe_instant(row, "published_at")?,
        body_hash: rows::hash(row, "body_hash")?,
        text_hash: rows::maybe_hash(row, "text_hash")?,
        updated_at: rows::maybe_instant(row, "updated_at")?,
        first_seen: rows::instant(row, "first_seen")?,
        baseline: rows::int(row, "baseline")? != 0,
        withdrawn_at: rows::maybe_instant(row, "withdrawn_at")?,
        edition: rows::maybe_text(row, "edition")?,
        weight: rows::maybe_int(row, "weight")?.and_then(|weight| u64::try_from(weight).ok()),
        corrected: rows::maybe_text(row, "corrected")?,
    })
}

pub async fn save(db: &mut Connection, entries: &[EntryRow]) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    // The last of one id wins; PostgreSQL refuses to write a row twice in one statement.
    let unique: BTreeMap<&str, &EntryRow> = entries.iter().map(|entry| (entry.id.as_str(), entry)).collect();
    let list = rows::list(unique.into_values().map(|e| {
        json!([
            rows::clean(&e.id),
            rows::clean(&e.path),
            rows::clean(&e.url),
            rows::clean(&e.title),
            e.published_at.map(Timestamp::as_microsecond),
            rows::hex(e.body_hash),
            e.text_hash.map(rows::hex),
            e.updated_at.map(Timestamp::as_microsecond),
            e.first_seen.as_microsecond(),
            i64::from(e.baseline),
            e.withdrawn_at.map(Timestamp::as_microsecond),
            e.edition,
            e.weight,
            e.corrected.as_deref().map(rows::clean),
        ])
    }));
    sqlx::query(concat!(
        "INSERT INTO entries (id, path, url, title, published_at, body_hash, text_hash, updated_at, first_seen,
             baseline, withdrawn_at, edition, weight, corrected)
         SELECT id, path, url, title, published_at, body_hash, text_hash, updated_at, first_seen,
             baseline, withdrawn_at, edition, weight, corrected
         FROM ",
        rows!("$1", 0 id text, 1 path text, 2 url text, 3 title text, 4 published_at bigint, 5 body_hash text,
            6 text_hash text, 7 updated_at bigint, 8 first_seen bigint, 9 baseline bigint, 10 withdrawn_at bigint,
            11 edition text, 12 weight bigint, 13 corrected text),
        " WHERE true
         ON CONFLICT (id) DO UPDATE SET path = excluded.path, url = excluded.url, title = excluded.title,
             published_at = excluded.published_at, body_hash = excluded.body_hash, text_hash = excluded.text_hash,
             updated_at = excluded.updated_at, first_seen = excluded.first_seen, baseline = excluded.baseline,
             withdrawn_at = excluded.withdrawn_at, edition = excluded.edition,
             weight = excluded.weight, corrected = excluded.corrected"
    ))
    .bind(list)
    .execute(db)
    .await?;
    Ok(())
}

pub async fn outputs(db: &mut Connection) -> Result<Vec<OutputRow>> {
    let found = sqlx::query("SELECT * FROM outputs ORDER BY path").map(|row: Row| output(&row)).fetch_all(db).await?;
    found.into_iter().collect()
}

fn output(row: &Row) -> Result<OutputRow> {
    Ok(OutputRow {
        path: rows::text(row, "path")?,
        fingerprint: rows::hash(row, "fingerprint")?,
        bytes_hash: rows::hash(row, "bytes_hash")?,
    })
}

pub async fn save_outputs(db: &mut Connection, outputs: &[OutputRow], gone: &[String]) -> Result<()> {
    if !gone.is_empty() {
        sqlx::query(concat!("DELETE FROM outputs WHERE path IN ", texts!("$1")))
            .bind(rows::words(gone.iter().map(String::as_str)))
            .execute(&mut *db)
            .await?;
    }
    if outputs.is_empty() {
        return Ok(());
    }
    let unique: BTreeMap<&str, &OutputRow> = outputs.iter().map(|output| (output.path.as_str(), output)).collect();
    let list = rows::list(
        unique.into_values().map(|o| json!([rows::clean(&o.path), rows::hex(o.fingerprint), rows::hex(o.bytes_hash),])),
    );
    sqlx::query(concat!(
        "INSERT INTO outputs (path, fingerprint, bytes_hash) SELECT path, fingerprint, bytes_hash FROM ",
        rows!("$1", 0 path text, 1 fingerprint text, 2 bytes_hash text),
        " WHERE true
         ON CONFLICT (path) DO UPDATE SET fingerprint = excluded.fingerprint, bytes_hash = excluded.bytes_hash"
    ))
    .bind(list)
    .execute(db)
    .await?;
    Ok(())
}
