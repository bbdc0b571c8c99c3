//! Subscribers: added in sets, found by id or by their address's key, moved from state to state.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use serde_json::json;

use super::super::{Connection, Row};
use super::{bounces, history, pepper, rows};
use crate::domain::subscriber::{Choice, Event, Frequency, State, Subscriber};
use crate::domain::token;
use crate::store::{Added, NewSubscriber, Result, Retention};

pub async fn add(db: &mut Connection, new: &[NewSubscriber], again: bool, now: Timestamp) -> Result<Vec<Added>> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let erased = Erased::among(db, new.iter().map(|n| n.key.as_str())).await?;
    let (kept_out, wanted): (Vec<_>, Vec<_>) = new.iter().partition(|n| !again && erased.has(&n.key));
    let mut fresh = insert(db, &wanted, now).await?;
    for key in fresh.iter().filter(|key| erased.has(key)) {
        remember(db, key).await?;
    }
    let known = states_of(db, &wanted).await?;
    let inserted = fresh.clone();
    let answer = |new: &NewSubscriber| {
        if kept_out.iter().any(|kept| kept.key == new.key) {
            return Added::Erased;
        }
        let state = known.get(&new.key).copied().unwrap_or(new.state);
        match state {
            _ if fresh.remove(&new.key) => {
                if erased.has(&new.key) {
                    Added::Again
                } else {
                    Added::New
                }
            }
            State::Unsubscribed if again => Added::Again,
            state => Added::Known(state),
        }
    };
    let answers: Vec<Added> = new.iter().map(answer).collect();
    if answers.contains(&Added::Again) {
        bring_back(db, new, &answers, now).await?;
    }
    let back = new.iter().zip(&answers).filter(|(n, a)| **a == Added::Again && !inserted.contains(&n.key));
    let back: Vec<&str> = back.map(|(n, _)| n.key.as_str()).collect();
    let source = new.first().map_or("", |n| n.source.as_str());
    history::note_added(db, inserted.iter().map(String::as_str).chain(back), source, now).await?;
    Ok(answers)
}

/// Which of some addresses their owners wanted no more mail at: they had themselves forgotten, or moved to another one.
pub struct Erased {
    secret: Option<[u8; 32]>,
    hashes: HashSet<String>,
}

impl Erased {
    /// Nobody is hashed where nobody was ever forgotten.
    pub async fn among<'a>(db: &mut Connection, keys: impl Iterator<Item = &'a str>) -> Result<Self> {
        if !is_anybody_erased(db).await? {
            return Ok(Self { secret: None, hashes: HashSet::new() });
        }
        let secret = pepper(db).await?;
        let hashes: Vec<String> = keys.map(|key| hash_of(&secret, key)).collect();
        let found: Vec<String> = sqlx::query_scalar(concat!("SELECT hash FROM erased WHERE hash IN ", texts!("$1")))
            .bind(rows::words(hashes.iter().map(String::as_str)))
            .fetch_all(db)
            .await?;
        Ok(Self { secret: Some(secret), hashes: found.into_iter().collect() })
    }

    pub fn has(&self, key: &str) -> bool {
        self.secret.as_ref().is_some_and(|secret| self.hashes.contains(&hash_of(secret, key)))
    }
}

async fn is_anybody_erased(db: &mut Connection) -> Result<bool> {
    let one: Option<String> = sqlx::query_scalar("SELECT hash FROM erased LIMIT 1").fetch_optional(db).await?;
    Ok(one.is_some())
}

pub fn hash_of(secret: &[u8; 32], key: &str) -> String {
    rows::hex(u128::from_be_bytes(token::derive(secret, "erased", &[key.as_bytes()])))
}

/// Who comes back by their own word is not kept out any more.
pub async fn remember(db: &mut Connection, key: &str) -> Result<()> {
    if is_anybody_erased(db).await? {
        let hash = hash_of(&pepper(db).await?, key);
        sqlx::query("DELETE FROM erased WHERE hash = $1").bind(hash).execute(db).await?;
    }
    Ok(())
}

/// Gives the keys that were not there before.
async fn insert(db: &mut Connection, new: &[&NewSubscriber], now: Timestamp) -> Result<HashSet<String>> {
    let list = rows::list(new.iter().map(|n| {
        json!([
            rows::clean(&n.key),
            rows::clean(&n.email),
            n.name.as_deref().map(rows::clean),
            n.state.as_str(),
            rows::clean(&n.source),
        ])
    }));
    let inserted: Vec<String> = sqlx::query_scalar(concat!(
        "INSERT INTO subscribers (key, email, name, state, source, created_at, changed_at)
         SELECT key, email, name, state, source, $2, $2 FROM ",
        rows!("$1", 0 key text, 1 email text, 2 name text, 3 state text, 4 source text),
        " WHERE true ON CONFLICT (key) DO NOTHING RETURNING key"
    ))
    .bind(list)
    .bind(now.as_microsecond())
    .fetch_all(db)
    .await?;
    Ok(inserted.into_iter().collect())
}

async fn states_of(db: &mut Connection, new: &[&NewSubscriber]) -> Result<HashMap<String, State>> {
    let found = sqlx::query(concat!("SELECT key, state FROM subscribers WHERE key IN ", texts!("$1")))
        .bind(rows::words(new.iter().map(|n| n.key.as_str())))
        .fetch_all(db)
        .await?;
    found.iter().map(|row| Ok((rows::text(row, "key")?, rows::word(row, "state", State::parse)?))).collect()
}

async fn bring_back(db: &mut Connection, new: &[NewSubscriber], answers: &[Added], now: Timestamp) -> Result<()> {
    let back = new.iter().zip(answers).filter(|(_, answer)| **answer == Added::Again).map(|(new, _)| new);
    let unique: BTreeMap<&str, State> = back.map(|new| (new.key.as_str(), new.state)).collect();
    let list = rows::list(unique.iter().map(|(key, state)| json!([key, state.as_str()])));
    sqlx::query(concat!(
        "UPDATE subscribers SET state = back.state, changed_at = $2 FROM (SELECT key, state FROM ",
        rows!("$1", 0 key text, 1 state text),
        ") AS back WHERE subscribers.key = back.key AND subscribers.state = 'unsubscribed'"
    ))
    .bind(list)
    .bind(now.as_microsecond())
    .execute(db)
    .await?;
    Ok(())
}

pub async fn by_id(db: &mut Connection, id: i64) -> Result<Option<Subscriber>> {
    let found = sqlx::query("SELECT * FROM subscribers WHERE id = $1").bind(id).fetch_optional(db).await?;
    found.as_ref().map(read).transpose()
}

pub async fn by_key(db: &mut Connection, key: &str) -> Result<Option<Subscriber>> {
    let found =
        sqlx::query("SELECT * FROM subscribers WHERE key = $1").bind(rows::clean(key)).fetch_optional(db).await?;
    found.as_ref().map(read).transpose()
}

pub async fn page(
    db: &mut Connection,
    state: Option<State>,
    after_key: Option<&str>,
    limit: u32,
) -> Result<Vec<Subscriber>> {
    let found =
        sqlx::query("SELECT * FROM subscribers WHERE ($1 IS NULL OR state = $1) AND key > $2 ORDER BY key LIMIT $3")
            .bind(state.map(State::as_str))
            .bind(rows::clean(after_key.unwrap_or_default()))
            .bind(i64::from(limit))
            .fetch_all(db)
            .await?;
    found.iter().map(read).collect()
}

/// By a part of the address, taken as it is written: no letter of it stands for others.
pub async fn find(db: &mut Connection, text: &str, limit: u32) -> Result<Vec<Subscriber>> {
    let text = rows::clean(&text.trim().to_lowercase());
    let literal = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    let found = sqlx::query("SELECT * FROM subscribers WHERE key LIKE $1 ESCAPE '\\' ORDER BY key LIMIT $2")
        .bind(format!("%{literal}%"))
        .bind(i64::from(limit))
        .fetch_all(db)
        .await?;
    found.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Subscriber> {
    Ok(Subscriber {
        id: rows::int(row, "id")?,
        email: rows::text(row, "email")?,
        name: rows::maybe_text(row, "name")?,
        state: rows::word(row, "state", State::parse)?,
        source: rows::text(row, "source")?,
        created_at: rows::instant(row, "created_at")?,
        changed_at: rows::instant(row, "changed_at")?,
        choice: choice(row)?,
        asked_at: rows::maybe_instant(row, "asked_at")?,
        new_email: rows::maybe_text(row, "new_email")?,
    })
}

pub fn choice(row: &Row) -> Result<Choice> {
    Ok(Choice {
        frequency: rows::word(row, "frequency", Frequency::parse)?,
        language: rows::maybe_text(row, "language")?,
        tags: rows::text_list(row, "tags")?,
        authors: rows::text_list(row, "authors")?,
        paused_until: rows::maybe_instant(row, "paused_until")?,
    })
}

pub async fn counts(db: &mut Connection) -> Result<BTreeMap<&'static str, u64>> {
    let found = sqlx::query("SELECT state, count(*) AS n FROM subscribers GROUP BY state").fetch_all(db).await?;
    let mut counts: BTreeMap<_, _> = State::ALL.iter().map(|state| (state.as_str(), 0)).collect();
    for row in &found {
        counts.insert(rows::word(row, "state", State::parse)?.as_str(), rows::count(row, "n")?);
    }
    Ok(counts)
}

pub async fn shift(db: &mut Connection, id: i64, to: State, source: &str, now: Timestamp) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE subscribers SET state = $2, changed_at = $3, asked_at = NULL, new_email = NULL, new_key = NULL
         WHERE id = $1 AND state <> $2",
    )
    .bind(id)
    .bind(to.as_str())
    .bind(now.as_microsecond())
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    if to != State::Active {
        skip_waiting(db, id, to.as_str(), now).await?;
    }
    let event = match to {
        State::Active => Event::Added,
        State::Pending => Event::Asked,
        State::Unsubscribed => Event::Unsubscribed,
        State::Suppressed => Event::Suppressed,
    };
    history::note(db, id, event, source, history::NOTHING, now).await?;
    Ok(true)
}

/// What waits for somebody who has left, even if a node has claimed it: that node finds out when it marks it.
async fn skip_waiting(db: &mut Connection, id: i64, consent: &str, now: Timestamp) -> Result<()> {
    sqlx::query(
        "UPDATE deliveries SET state = 'skipped', reply = 'the subscriber is ' || $2, node = NULL,
             due_at = NULL, changed_at = $3
         WHERE subscriber = $1 AND state IN ('queued', 'claimed', 'deferred', 'held')",
    )
    .bind(id)
    .bind(consent)
    .bind(now.as_microsecond())
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets somebody at their own wish: nobody else's list brings them back.
pub async fn erase(db: &mut Connection, id: i64, now: Timestamp) -> Result<bool> {
    let Some(key) = remove(db, id, now).await? else { return Ok(false) };
    keep_out(db, &key, now).await?;
    Ok(true)
}

/// No list brings this address back.
pub async fn keep_out(db: &mut Connection, key: &str, now: Timestamp) -> Result<()> {
    let hash = hash_of(&pepper(db).await?, key);
    keep_out_hashed(db, &hash, now.as_microsecond()).await
}

pub async fn keep_out_hashed(db: &mut Connection, hash: &str, at: i64) -> Result<()> {
    sqlx::query("INSERT INTO erased (hash, at) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING")
        .bind(hash)
        .bind(at)
        .execute(db)
        .await?;
    Ok(())
}

/// Takes away a subscription and what is personal of it elsewhere; gives its key.
pub async fn remove(db: &mut Connection, id: i64, now: Timestamp) -> Result<Option<String>> {
    let key: Option<String> = sqlx::query_scalar("DELETE FROM subscribers WHERE id = $1 RETURNING key")
        .bind(id)
        .fetch_optional(&mut *db)
        .await?;
    let Some(key) = key else { return Ok(None) };
    sqlx::query("DELETE FROM history WHERE subscriber = $1").bind(id).execute(&mut *db).await?;
    bounces::forget(db, id).await?;
    sqlx::query("DELETE FROM signups WHERE key = $1").bind(&key).execute(&mut *db).await?;
    skip_waiting(db, id, "erased", now).await?;
    // Servers repeat the address in their replies, so those go too.
    sqlx::query(
        "UPDATE deliveries SET email = '', name = NULL, reply = CASE WHEN state = 'skipped' THEN reply END
         WHERE subscriber = $1",
    )
    .bind(id)
    .execute(&mut *db)
    .await?;
    history::note(db, id, Event::Erased, "erased", history::NOTHING, now).await?;
    Ok(Some(key))
}

pub async fn tidy(db: &mut Connection, retention: &Retention) -> Result<u64> {
    let (questions, notices) = (retention.questions.as_microsecond(), retention.notices.as_microsecond());
    let gone: Vec<i64> = sqlx::query_scalar(
        "DELETE FROM subscribers WHERE state = 'pending' AND coalesce(asked_at, changed_at) < $1 RETURNING id",
    )
    .bind(questions)
    .fetch_all(&mut *db)
    .await?;
    for id in &gone {
        sqlx::query("DELETE FROM history WHERE subscriber = $1").bind(id).execute(&mut *db).await?;
        sqlx::query("DELETE FROM deliveries WHERE subscriber = $1").bind(id).execute(&mut *db).await?;
        bounces::forget(db, *id).await?;
    }
    for (statement, before) in [
        ("UPDATE subscribers SET asked_at = NULL, new_email = NULL, new_key = NULL WHERE asked_at < $1", questions),
        (
            "DELETE FROM deliveries WHERE kind <> 'edition' AND queued_at < $1 AND changed_at < $1
                 AND state IN ('accepted', 'failed', 'skipped')",
            notices,
        ),
        ("DELETE FROM marks WHERE at < $1", notices),
    ] {
        sqlx::query(statement).bind(before).execute(&mut *db).await?;
    }
    bounces::forget_originals(db, retention.originals).await?;
    history::forget_networks(db, retention.networks).await?;
    Ok(gone.len() as u64)
}
