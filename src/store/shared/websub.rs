//! Which hub is to be told of which version of a feed.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;

use super::super::{Connection, Database, Row};
use super::{hub, rows, standby};
use crate::store::{Announcement, Distribution, HubLimits, HubRequest, Question, Requested, Result, WebSub};

#[async_trait]
impl WebSub for Database {
    async fn announce(&self, feeds: &[(String, u128)], hubs: &[String], now: Timestamp) -> Result<()> {
        write!(self, |db| announce(db, feeds, hubs, now))
    }

    async fn claim_announcements(
        &self,
        hub: &str,
        most: u32,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Announcement>> {
        write!(self, |db| claim(db, hub, most, now, lease_until))
    }

    async fn end_announcement(&self, of: &Announcement, words: &str) -> Result<()> {
        write!(self, |db| put(db, of, words, None))
    }

    async fn defer_announcement(&self, of: &Announcement, words: &str, until: Timestamp) -> Result<()> {
        write!(self, |db| put(db, of, words, Some(until)))
    }

    async fn request_hub(&self, request: &HubRequest, limits: HubLimits, now: Timestamp) -> Result<Requested> {
        write!(self, |db| hub::request(db, request, limits, now))
    }

    async fn claim_question(
        &self,
        busy: &[String],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<Question>> {
        write!(self, |db| hub::claim_question(db, busy, now, lease_until))
    }

    async fn confirm_hub(&self, question: &Question, hash: u128, now: Timestamp) -> Result<()> {
        write!(self, |db| hub::confirm(db, question, hash, now))
    }

    async fn deny_hub(&self, question: &Question) -> Result<()> {
        write!(self, |db| hub::deny(db, question))
    }

    async fn defer_question(&self, question: &Question, until: Timestamp) -> Result<()> {
        write!(self, |db| hub::defer_question(db, question, until))
    }

    async fn distribute(
        &self,
        feeds: &[(String, u128)],
        moved: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<()> {
        let moved = rows::list(moved.iter().map(|(from, to)| json!([rows::clean(from), rows::clean(to)])));
        write!(self, |db| hub::distribute(db, &given(feeds), &moved, now))
    }

    async fn claim_distribution(
        &self,
        busy: &[String],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<Distribution>> {
        write!(self, |db| hub::claim(db, busy, now, lease_until))
    }

    async fn delivered(&self, of: &Distribution) -> Result<()> {
        write!(self, |db| hub::delivered(db, of))
    }

    async fn defer_distribution(&self, of: &Distribution, now: Timestamp, until: Timestamp) -> Result<()> {
        write!(self, |db| hub::defer(db, of, now, until))
    }

    async fn end_subscription(&self, id: i64) -> Result<()> {
        write!(self, |db| hub::end(db, id))
    }
}

fn given(feeds: &[(String, u128)]) -> String {
    rows::list(feeds.iter().map(|(path, hash)| json!([rows::clean(path), rows::hex(*hash)])))
}

async fn announce(db: &mut Connection, feeds: &[(String, u128)], hubs: &[String], now: Timestamp) -> Result<()> {
    let list = given(feeds);
    for hub in hubs {
        sqlx::query(concat!(
            "INSERT INTO announcements (path, hub, hash, changed_at) SELECT path, CAST($2 AS TEXT), hash, CAST($3 AS BIGINT) FROM ",
            rows!("$1", 0 path text, 1 hash text),
            " WHERE true
             ON CONFLICT (path, hub) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at,
                 due_at = excluded.changed_at, attempts = 0, reply = NULL
             WHERE announcements.hash <> excluded.hash"
        ))
        .bind(&list)
        .bind(hub)
        .bind(now.as_microsecond())
        .execute(&mut *db)
        .await?;
    }
    sqlx::query(concat!("DELETE FROM announcements WHERE path NOT IN ", texts!("$1"), " OR hub NOT IN ", texts!("$2")))
        .bind(rows::words(feeds.iter().map(|(path, _)| path.as_str())))
        .bind(rows::words(hubs.iter().map(String::as_str)))
        .execute(db)
        .await?;
    Ok(())
}

async fn claim(
    db: &mut Connection,
    hub: &str,
    most: u32,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Vec<Announcement>> {
    if standby::since(&mut *db).await?.is_some() {
        return Ok(Vec::new());
    }
    let found = sqlx::query(concat!(
        "UPDATE announcements SET due_at = $2, attempts = attempts + 1 WHERE (path, hub) IN
             (SELECT a.path, a.hub FROM announcements a WHERE a.due_at <= $1 AND a.hub = $4 ORDER BY a.due_at LIMIT $3 ",
        skip_locked!("a"),
        ") RETURNING path, hub, hash, changed_at, attempts"
    ))
    .bind(now.as_microsecond())
    .bind(lease_until.as_microsecond())
    .bind(i64::from(most))
    .bind(hub)
    .fetch_all(db)
    .await?;
    found.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Announcement> {
    Ok(Announcement {
        path: rows::text(row, "path")?,
        hub: rows::text(row, "hub")?,
        hash: rows::hash(row, "hash")?,
        changed_at: rows::instant(row, "changed_at")?,
        attempts: rows::small_count(row, "attempts")?,
    })
}

async fn put(db: &mut Connection, of: &Announcement, words: &str, until: Option<Timestamp>) -> Result<()> {
    sqlx::query("UPDATE announcements SET due_at = $4, reply = $5 WHERE path = $1 AND hub = $2 AND hash = $3")
        .bind(&of.path)
        .bind(&of.hub)
        .bind(rows::hex(of.hash))
        .bind(until.map(Timestamp::as_microsecond))
        .bind(rows::clean(words))
        .execute(db)
        .await?;
    Ok(())
}
