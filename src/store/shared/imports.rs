//! Another tool's list, taken over: a chunk at a time, in the caller's transaction. An opt-out beats an opt-in, here and in
//! the file, in whatever order they come; who is only asked in one row and has answered in another is active; a row that was taken
//! over before changes nothing.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::{Connection, Row};
use super::rows;
use super::subscribers::Erased;
use crate::domain::subscriber::State;
use crate::domain::subscriber_import::ImportRow;
use crate::store::{ImportRows, ImportTally, Result};

const CHUNK: usize = 2_000;

/// One row as it is written.
struct Given {
    row: ImportRow,
    /// What came of it and why, with the other tool's own words: rows are known again by it.
    proof: String,
}

pub async fn import(db: &mut Connection, source: &str, rows: ImportRows<'_>, now: Timestamp) -> Result<ImportTally> {
    let (mut rows, mut tally) = (rows, ImportTally::default());
    loop {
        let chunk = rows.by_ref().take(CHUNK).collect::<Result<Vec<ImportRow>>>()?;
        if chunk.is_empty() {
            return Ok(tally);
        }
        take(db, source, chunk, now, &mut tally).await?;
    }
}

async fn take(
    db: &mut Connection,
    source: &str,
    chunk: Vec<ImportRow>,
    now: Timestamp,
    tally: &mut ImportTally,
) -> Result<()> {
    let erased = Erased::among(db, chunk.iter().map(|row| row.address.key.as_str())).await?;
    let (kept_out, chunk): (Vec<_>, Vec<_>) = chunk.into_iter().partition(|row| erased.has(&row.address.key));
    tally.kept_out += kept_out.len() as u64;
    let repeated = chunk.len();
    let given = strictest(chunk);
    tally.known += (repeated - given.len()) as u64;
    let ids = insert(db, source, &given, now).await?;
    tally.added += ids.len() as u64;
    let (fresh, known) = with_ids(given, &ids);
    note(db, source, came(&fresh, now).chain(left(&fresh, now))).await?;
    let known = answered(db, source, known, now, tally).await?;
    let leaving = leaving(db, source, known, tally).await?;
    leave(db, &leaving, now).await?;
    // They had come before.
    note(db, source, left(&leaving, now)).await
}

/// Those who have an id among these, with it, and the others.
fn with_ids(given: Vec<Given>, ids: &HashMap<String, i64>) -> (Vec<(i64, Given)>, Vec<Given>) {
    let (mut found, mut others) = (Vec::new(), Vec::new());
    for one in given {
        match ids.get(&one.row.address.key) {
            Some(id) => found.push((*id, one)),
            None => others.push(one),
        }
    }
    (found, others)
}

/// Ids by key.
fn ids(found: &[Row]) -> Result<HashMap<String, i64>> {
    found.iter().map(|row| Ok((rows::text(row, "key")?, rows::int(row, "id")?))).collect()
}

fn rank(state: State) -> u8 {
    match state {
        State::Pending => 0,
        State::Active => 1,
        State::Unsubscribed => 2,
        State::Suppressed => 3,
    }
}

fn has_left(state: State) -> bool {
    matches!(state, State::Unsubscribed | State::Suppressed)
}

/// Each address once, in the state that says most: an opt-out beats an answer, and an answer a question.
fn strictest(chunk: Vec<ImportRow>) -> Vec<Given> {
    let mut kept: HashMap<String, ImportRow> = HashMap::with_capacity(chunk.len());
    for row in chunk {
        match kept.get(&row.address.key) {
            Some(before) if rank(before.state) >= rank(row.state) => {}
            _ => drop(kept.insert(row.address.key.clone(), row)),
        }
    }
    let mut kept: Vec<ImportRow> = kept.into_values().collect();
    kept.sort_by_key(|row| row.line);
    kept.into_iter().map(given).collect()
}

fn given(row: ImportRow) -> Given {
    let from: Value = serde_json::from_str(&row.proof).unwrap_or_else(|_| Value::String(row.proof.clone()));
    let proof = json!({"state": row.state, "reason": row.reason, "from": from}).to_string();
    Given { row, proof }
}

/// Gives those that were not there before.
async fn insert(db: &mut Connection, source: &str, given: &[Given], now: Timestamp) -> Result<HashMap<String, i64>> {
    let list = rows::list(given.iter().map(|g| {
        let row = &g.row;
        let came = row.confirmed_at.or(row.asked_at).unwrap_or(now).min(now);
        json!([
            rows::clean(&row.address.key),
            rows::clean(&row.address.email),
            row.name.as_deref().map(rows::clean),
            row.state.as_str(),
            came.as_microsecond(),
            row.choice.frequency.as_str(),
            row.choice.language.as_deref().map(rows::clean),
            rows::words(row.choice.tags.iter().map(String::as_str)),
            rows::words(row.choice.authors.iter().map(String::as_str)),
            row.choice.paused_until.map(Timestamp::as_microsecond),
        ])
    }));
    // Whoever wants each post by itself wants those from now on.
    let inserted = sqlx::query(concat!(
        "INSERT INTO subscribers (key, email, name, state, source, created_at, changed_at, frequency, frequency_since,
             language, tags, authors, paused_until)
         SELECT key, email, name, state, $2, came, $3, frequency, CASE WHEN frequency = 'monthly' THEN 0 ELSE $3 END,
             language, tags, authors, paused_until FROM ",
        rows!("$1", 0 key text, 1 email text, 2 name text, 3 state text, 4 came bigint, 5 frequency text, 6 language text,
            7 tags text, 8 authors text, 9 paused_until bigint),
        " WHERE true ON CONFLICT (key) DO NOTHING RETURNING id, key"
    ))
    .bind(list)
    .bind(rows::clean(source))
    .bind(now.as_microsecond())
    .fetch_all(db)
    .await?;
    ids(&inserted)
}

/// Those who came as pending with this list, and are active according to a later row of it; gives the others.
async fn answered(
    db: &mut Connection,
    source: &str,
    known: Vec<Given>,
    now: Timestamp,
    tally: &mut ImportTally,
) -> Result<Vec<Given>> {
    let (active, mut others): (Vec<_>, Vec<_>) = known.into_iter().partition(|g| g.row.state == State::Active);
    if active.is_empty() {
        return Ok(others);
    }
    let found = sqlx::query(concat!(
        "UPDATE subscribers SET state = 'active' WHERE state = 'pending' AND asked_at IS NULL AND source = $2
             AND changed_at = $3 AND key IN ",
        texts!("$1"),
        " RETURNING id, key"
    ))
    .bind(rows::words(active.iter().map(|g| g.row.address.key.as_str())))
    .bind(rows::clean(source))
    .bind(now.as_microsecond())
    .fetch_all(&mut *db)
    .await?;
    let (answered, rest) = with_ids(active, &ids(&found)?);
    others.extend(rest);
    if answered.is_empty() {
        return Ok(others);
    }
    tally.known += answered.len() as u64;
    // The question was noted; the answer stands in its place.
    sqlx::query(concat!(
        "DELETE FROM history WHERE event = 'imported' AND subscriber IN (SELECT id FROM ",
        rows!("$1", 0 id bigint),
        ")"
    ))
    .bind(rows::list(answered.iter().map(|(id, _)| json!([id]))))
    .execute(&mut *db)
    .await?;
    note(db, source, came(&answered, now)).await?;
    Ok(others)
}

/// Those of the known who stand better here than a row says that is new to us: who is written to has left or died according to it, who
/// has left has complained or died.
async fn leaving(
    db: &mut Connection,
    source: &str,
    known: Vec<Given>,
    tally: &mut ImportTally,
) -> Result<Vec<(i64, Given)>> {
    let (candidates, known): (Vec<_>, Vec<_>) = known.into_iter().partition(|g| has_left(g.row.state));
    tally.known += known.len() as u64;
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let list = rows::list(
        candidates
            .iter()
            .map(|g| json!([rows::clean(&g.row.address.key), rows::clean(&g.proof), g.row.state.as_str()])),
    );
    let found = sqlx::query(concat!(
        "SELECT s.id, s.key, s.state FROM ",
        rows!("$1", 0 key text, 1 proof text, 2 state text),
        " JOIN subscribers s ON s.key = given.key
         WHERE (s.state IN ('active', 'pending') OR (s.state = 'unsubscribed' AND given.state = 'suppressed'))
             AND NOT EXISTS (SELECT 1 FROM history h
             WHERE h.subscriber = s.id AND h.source = $2 AND h.proof = given.proof)"
    ))
    .bind(list)
    .bind(rows::clean(source))
    .fetch_all(db)
    .await?;
    let (leaving, rest) = with_ids(candidates, &ids(&found)?);
    let mut had_left = 0;
    for row in &found {
        had_left += u64::from(rows::word(row, "state", State::parse)? == State::Unsubscribed);
    }
    tally.suppressed += had_left;
    tally.left += leaving.len() as u64 - had_left;
    tally.known += rest.len() as u64;
    Ok(leaving)
}

async fn leave(db: &mut Connection, leaving: &[(i64, Given)], now: Timestamp) -> Result<()> {
    if leaving.is_empty() {
        return Ok(());
    }
    let list = rows::list(leaving.iter().map(|(id, given)| json!([id, given.row.state.as_str()])));
    sqlx::query(concat!(
        "UPDATE subscribers SET state = gone.state, changed_at = $2, asked_at = NULL FROM (SELECT id, state FROM ",
        rows!("$1", 0 id bigint, 1 state text),
        ") AS gone WHERE subscribers.id = gone.id"
    ))
    .bind(&list)
    .bind(now.as_microsecond())
    .execute(&mut *db)
    .await?;
    sqlx::query(concat!(
        "UPDATE deliveries SET state = 'skipped', reply = 'the subscriber has left', node = NULL,
             due_at = NULL, changed_at = $2
         WHERE state IN ('queued', 'claimed', 'deferred', 'held')
             AND subscriber IN (SELECT id FROM ",
        rows!("$1", 0 id bigint),
        ")"
    ))
    .bind(list)
    .bind(now.as_microsecond())
    .execute(db)
    .await?;
    Ok(())
}

/// When they came, as the file says; now, if it does not.
fn came(given: &[(i64, Given)], now: Timestamp) -> impl Iterator<Item = Value> {
    given.iter().map(move |(id, g)| {
        let at = g.row.confirmed_at.or(g.row.asked_at).or(g.row.left_at).unwrap_or(now).min(now);
        json!([id, "imported", at.as_microsecond(), rows::clean(&g.proof)])
    })
}

/// When they left, of those who have.
fn left(given: &[(i64, Given)], now: Timestamp) -> impl Iterator<Item = Value> {
    given.iter().filter(|(_, g)| has_left(g.row.state)).map(move |(id, g)| {
        let at = g.row.left_at.unwrap_or(now).min(now);
        json!([id, g.row.state.as_str(), at.as_microsecond(), rows::clean(&g.proof)])
    })
}

async fn note(db: &mut Connection, source: &str, events: impl Iterator<Item = Value>) -> Result<()> {
    sqlx::query(concat!(
        "INSERT INTO history (at, subscriber, event, source, proof, told)
         SELECT at, subscriber, event, $2, proof, 1 FROM ",
        rows!("$1", 0 subscriber bigint, 1 event text, 2 at bigint, 3 proof text)
    ))
    .bind(rows::list(events))
    .bind(rows::clean(source))
    .execute(db)
    .await?;
    Ok(())
}
