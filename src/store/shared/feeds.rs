//! The feeds' memory. All of it is read at the start and added to as feeds come up.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::json;

use super::super::{Connection, Database};
use super::{entries, rows};
use crate::domain::feed_memory::FeedMemory;
use crate::domain::identity::EntryRow;
use crate::store::{Feeds, Result};

#[async_trait]
impl Feeds for Database {
    async fn feed_memory(&self) -> Result<FeedMemory> {
        read!(self, |db| all(db))
    }

    async fn learn_feeds(&self, more: &FeedMemory) -> Result<()> {
        if more.is_empty() {
            return Ok(());
        }
        write!(self, |db| learn(db, more))
    }

    async fn adopt_entries(&self, adopted: &[(String, EntryRow)], learned: &FeedMemory) -> Result<()> {
        write!(self, |db| adopt(db, adopted, learned))
    }

    async fn gists(&self, rules: u128) -> Result<Vec<Vec<u8>>> {
        read!(self, |db| gists(db, rules))
    }

    async fn save_gists(&self, rules: u128, pages: &BTreeMap<u32, Vec<u8>>) -> Result<()> {
        write!(self, |db| save_gists(db, rules, pages))
    }
}

async fn gists(db: &mut Connection, rules: u128) -> Result<Vec<Vec<u8>>> {
    let found = sqlx::query_scalar("SELECT posts FROM gists WHERE rules = $1").bind(rows::hex(rules));
    Ok(found.fetch_all(db).await?)
}

async fn save_gists(db: &mut Connection, rules: u128, pages: &BTreeMap<u32, Vec<u8>>) -> Result<()> {
    for (page, posts) in pages {
        sqlx::query(
            "INSERT INTO gists (page, rules, posts) VALUES ($1, $2, $3)
             ON CONFLICT (page) DO UPDATE SET rules = excluded.rules, posts = excluded.posts",
        )
        .bind(i64::from(*page))
        .bind(rows::hex(rules))
        .bind(posts)
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

async fn all(db: &mut Connection) -> Result<FeedMemory> {
    let mut memory = FeedMemory::default();
    for row in &sqlx::query("SELECT kind, name, slug FROM feed_slugs").fetch_all(&mut *db).await? {
        memory.slugs.insert((rows::text(row, "kind")?, rows::text(row, "name")?), rows::text(row, "slug")?);
    }
    for row in &sqlx::query("SELECT feed, page, entries FROM feed_archives").fetch_all(&mut *db).await? {
        let key = (rows::text(row, "feed")?, rows::small_count(row, "page")?);
        memory.archives.insert(key, rows::text_list(row, "entries")?);
    }
    for row in &sqlx::query("SELECT old, new FROM feed_moves").fetch_all(&mut *db).await? {
        memory.moved.insert(rows::text(row, "old")?, rows::text(row, "new")?);
    }
    Ok(memory)
}

async fn learn(db: &mut Connection, more: &FeedMemory) -> Result<()> {
    // The keys as they are kept; of two that become one there, the last wins.
    let slugs: BTreeMap<_, _> =
        more.slugs.iter().map(|((kind, name), slug)| ((kind.as_str(), rows::clean(name)), slug)).collect();
    sqlx::query(concat!(
        "INSERT INTO feed_slugs (kind, name, slug) SELECT kind, name, slug FROM ",
        rows!("$1", 0 kind text, 1 name text, 2 slug text),
        " WHERE true ON CONFLICT (kind, name) DO UPDATE SET slug = excluded.slug"
    ))
    .bind(rows::list(slugs.into_iter().map(|((kind, name), slug)| json!([kind, name, slug]))))
    .execute(&mut *db)
    .await?;
    let archive = |((feed, page), ids): (&(String, u32), &Vec<String>)| {
        json!([feed, page, rows::words(ids.iter().map(String::as_str))])
    };
    sqlx::query(concat!(
        "INSERT INTO feed_archives (feed, page, entries) SELECT feed, page, entries FROM ",
        rows!("$1", 0 feed text, 1 page bigint, 2 entries text),
        " WHERE true ON CONFLICT (feed, page) DO UPDATE SET entries = excluded.entries"
    ))
    .bind(rows::list(more.archives.iter().map(archive)))
    .execute(&mut *db)
    .await?;
    sqlx::query(concat!(
        "INSERT INTO feed_moves (old, new) SELECT old, new FROM ",
        rows!("$1", 0 old text, 1 new text),
        " WHERE true ON CONFLICT (old) DO UPDATE SET new = excluded.new"
    ))
    .bind(rows::list(more.moved.iter().map(|(old, new)| json!([old, new]))))
    .execute(db)
    .await?;
    Ok(())
}

async fn adopt(db: &mut Connection, adopted: &[(String, EntryRow)], learned: &FeedMemory) -> Result<()> {
    let old = rows::words(adopted.iter().map(|(old, _)| old.as_str()));
    sqlx::query(concat!("DELETE FROM entries WHERE id IN ", texts!("$1"))).bind(old).execute(&mut *db).await?;
    let rows: Vec<EntryRow> = adopted.iter().map(|(_, row)| row.clone()).collect();
    entries::save(db, &rows).await?;
    learn(db, learned).await
}
