//! What happened to subscriptions: written with each change, read as proof of consent and as growth.

use jiff::Timestamp;

use super::super::{Connection, Row};
use super::rows;
use crate::domain::subscriber::{Consent, Event};
use crate::store::{Growth, Result};

/// Nothing more is known of it.
pub const NOTHING: &str = "{}";

pub async fn note(
    db: &mut Connection,
    subscriber: i64,
    event: Event,
    source: &str,
    proof: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query("INSERT INTO history (at, subscriber, event, source, proof) VALUES ($1, $2, $3, $4, $5)")
        .bind(now.as_microsecond())
        .bind(subscriber)
        .bind(event.as_str())
        .bind(rows::clean(source))
        .bind(rows::clean(proof))
        .execute(db)
        .await?;
    Ok(())
}

/// So many rows in one transaction; the rest an hour later.
const BATCH: i64 = 1_000;

/// Proof stays, but for where it came from.
pub async fn forget_networks(db: &mut Connection, before: Timestamp) -> Result<()> {
    // As we call it, and as other tools' lists do.
    let old = "SELECT id, proof FROM history WHERE at < $1 AND (lower(proof) LIKE '%network\":%'
        OR lower(proof) LIKE '%_ip\":%' OR lower(proof) LIKE '%ip_address\":%') ORDER BY id LIMIT $2";
    let rows = sqlx::query(old).bind(before.as_microsecond()).bind(BATCH).fetch_all(&mut *db).await?;
    for row in &rows {
        let (id, proof) = (rows::int(row, "id")?, rows::text(row, "proof")?);
        let sql = "UPDATE history SET proof = $2 WHERE id = $1";
        sqlx::query(sql).bind(id).bind(without_network(&proof)).execute(&mut *db).await?;
    }
    Ok(())
}

fn without_network(proof: &str) -> String {
    let Ok(serde_json::Value::Object(mut facts)) = serde_json::from_str(proof) else { return NOTHING.to_owned() };
    facts.retain(|name, _| {
        let name = name.to_lowercase();
        !["network", "_ip", "ip_address"].iter().any(|known| name.ends_with(known))
    });
    serde_json::Value::Object(facts).to_string()
}

/// The same for everybody who was added at once.
pub async fn note_added<'a>(
    db: &mut Connection,
    keys: impl IntoIterator<Item = &'a str>,
    source: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(concat!(
        "INSERT INTO history (at, subscriber, event, source, proof)
         SELECT $2, id, 'added', $3, '{}' FROM subscribers WHERE key IN ",
        texts!("$1")
    ))
    .bind(rows::words(keys))
    .bind(now.as_microsecond())
    .bind(rows::clean(source))
    .execute(db)
    .await?;
    Ok(())
}

pub async fn of(db: &mut Connection, id: i64) -> Result<Vec<Consent>> {
    let found = sqlx::query("SELECT at, event, source, proof FROM history WHERE subscriber = $1 ORDER BY at, id")
        .bind(id)
        .fetch_all(db)
        .await?;
    found.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Consent> {
    Ok(Consent {
        at: rows::instant(row, "at")?,
        event: rows::word(row, "event", Event::parse)?,
        source: rows::text(row, "source")?,
        proof: rows::text(row, "proof")?,
    })
}

/// Who comes back has joined again, and may leave again. Who had left and has complained since leaves once.
pub async fn growth(db: &mut Connection, stretches: &[(Timestamp, Timestamp)]) -> Result<Vec<Growth>> {
    let mut growth = Vec::with_capacity(stretches.len());
    for (start, end) in stretches {
        let found = sqlx::query(
            "SELECT event, count(*) AS n FROM history AS h
             WHERE event IN ('added', 'confirmed', 'imported', 'unsubscribed', 'suppressed') AND at >= $1 AND at < $2
                 AND NOT (event = 'suppressed' AND 'unsubscribed' = (SELECT event FROM history AS before
                     WHERE before.subscriber = h.subscriber AND before.id < h.id
                         AND event IN ('added', 'confirmed', 'imported', 'unsubscribed', 'suppressed')
                     ORDER BY before.id DESC LIMIT 1))
             GROUP BY event",
        )
        .bind(start.as_microsecond())
        .bind(end.as_microsecond())
        .fetch_all(&mut *db)
        .await?;
        let mut one = Growth::default();
        for row in &found {
            let n = rows::count(row, "n")?;
            match rows::word(row, "event", Event::parse)? {
                Event::Added | Event::Confirmed | Event::Imported => one.joined += n,
                _ => one.left += n,
            }
        }
        growth.push(one);
    }
    Ok(growth)
}

pub async fn first_joined(db: &mut Connection) -> Result<Option<Timestamp>> {
    let first: Option<i64> =
        sqlx::query_scalar("SELECT min(at) FROM history WHERE event IN ('added', 'confirmed', 'imported')")
            .fetch_one(db)
            .await?;
    first.map(|n| rows::micros("at", n)).transpose()
}
