//! What came back: kept once, and decided upon in the same transaction.

use async_trait::async_trait;
use jiff::Timestamp;

use super::super::{Connection, Database, Row};
use super::{editions, rows, subscribers};
use crate::domain::bounce_class::{Class, Source};
use crate::domain::edition::{EditionKey, Notice};
use crate::domain::subscriber::State;
use crate::store::{Bounce, Bounces, Judged, NewBounce, Result, Undone, Verdict};

/// This many editions in a row must come back from a mailbox that rests.
const RESTS: i64 = 3;
/// So many complaints at least, and more than one in so many readers, pause an edition.
const COMPLAINTS: i64 = 3;
const ONE_IN: i64 = 1_000;

#[async_trait]
impl Bounces for Database {
    async fn keep_bounce(&self, new: &NewBounce, now: Timestamp) -> Result<Judged> {
        write!(self, |db| keep(db, new, now))
    }

    async fn bounces(&self, subscriber: i64) -> Result<Vec<Bounce>> {
        read!(self, |db| of(db, subscriber))
    }

    async fn bounce_original(&self, subscriber: i64, bounce: i64) -> Result<Option<Vec<u8>>> {
        read!(self, |db| original(db, subscriber, bounce))
    }

    async fn undo_bounce(&self, subscriber: i64, bounce: i64, now: Timestamp) -> Result<Undone> {
        write!(self, |db| undo(db, subscriber, bounce, now))
    }
}

/// The reader as they are, and what the bounce answers.
struct Reader {
    state: State,
    email: String,
    edition: Option<String>,
    /// Where it went.
    sent_to: Option<String>,
}

async fn keep(db: &mut Connection, new: &NewBounce, now: Timestamp) -> Result<Judged> {
    let nothing = |verdict| Judged { verdict, paused: None };
    let Some(reader) = reader(db, new).await? else { return Ok(nothing(Verdict::Nobody)) };
    let Some(id) = insert(db, new, reader.edition.as_deref(), now).await? else {
        return Ok(nothing(Verdict::Before));
    };
    let paused = match (new.class, reader.edition.as_deref()) {
        (Class::Complaint, Some(edition)) => pause(db, edition, now).await?,
        _ => None,
    };
    let verdict =
        if counts(db, new, &reader).await? { suppress(db, id, new, reader.state, now).await? } else { Verdict::Kept };
    Ok(Judged { verdict, paused })
}

async fn reader(db: &mut Connection, new: &NewBounce) -> Result<Option<Reader>> {
    let found = sqlx::query(concat!("SELECT state, email FROM subscribers WHERE id = $1 ", for_update!()))
        .bind(new.subscriber)
        .fetch_optional(&mut *db)
        .await?;
    let Some(found) = found else { return Ok(None) };
    let email = rows::text(&found, "email")?;
    // What names another address than theirs answers what went to another: after a move the old one is still written about.
    let sent = sqlx::query(
        "SELECT edition, email FROM outbox
         WHERE subscriber = $1 AND (edition = $2 OR $2 IS NULL AND state IN ('accepted', 'in_data'))
         ORDER BY CASE WHEN lower(email) = $3 THEN 0 WHEN $3 <> lower($4) AND email <> $4 THEN 1 ELSE 2 END,
             changed_at DESC, edition DESC LIMIT 1",
    )
    .bind(new.subscriber)
    .bind(new.edition.map(|key| key.to_string()))
    .bind(new.recipient.as_ref().map(|named| rows::clean(&named.to_lowercase())))
    .bind(&email)
    .fetch_optional(db)
    .await?;
    let sent = sent.as_ref();
    Ok(Some(Reader {
        state: rows::word(&found, "state", State::parse)?,
        email,
        edition: sent.map(|row| rows::text(row, "edition")).transpose()?,
        sent_to: sent.map(|row| rows::text(row, "email")).transpose()?,
    }))
}

/// None: it was kept before.
async fn insert(db: &mut Connection, new: &NewBounce, edition: Option<&str>, now: Timestamp) -> Result<Option<i64>> {
    let id = sqlx::query_scalar(
        "INSERT INTO bounces (at, subscriber, edition, source, class, status, words, mark, original)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (subscriber, mark) DO NOTHING RETURNING id",
    )
    .bind(now.as_microsecond())
    .bind(new.subscriber)
    .bind(edition)
    .bind(new.source.as_str())
    .bind(new.class.as_str())
    .bind(new.status.as_deref().map(rows::clean))
    .bind(rows::clean(&new.words))
    .bind(rows::clean(&new.mark))
    .bind(new.original.as_slice())
    .fetch_optional(db)
    .await?;
    Ok(id)
}

/// Whether a bounce of this class is the end.
async fn counts(db: &mut Connection, new: &NewBounce, reader: &Reader) -> Result<bool> {
    if is_elsewhere(new, reader) && new.class != Class::Complaint {
        return Ok(false);
    }
    match new.class {
        Class::Dead | Class::Complaint => Ok(true),
        Class::Resting => rests(db, new.subscriber, &reader.email).await,
        Class::Policy => Ok(false),
    }
}

/// Whether it is about another address than they have now. A question that went to a mistyped one stands under the right one by now.
fn is_elsewhere(new: &NewBounce, reader: &Reader) -> bool {
    let names_another = new.recipient.as_ref().is_some_and(|named| !named.eq_ignore_ascii_case(&reader.email));
    let is_question = matches!(new.edition, Some(EditionKey::Notice(Notice::Move, _)));
    reader.sent_to.as_ref().is_some_and(|sent_to| *sent_to != reader.email) || is_question && names_another
}

/// Whether each of the last editions to this address came back. One that did not begins the count anew.
async fn rests(db: &mut Connection, subscriber: i64, email: &str) -> Result<bool> {
    let resting: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM
             (SELECT d.edition FROM outbox d JOIN editions e ON e.period = d.edition
              WHERE d.subscriber = $1 AND d.kind = 'edition' AND d.email = $2
                  AND d.state IN ('accepted', 'in_data', 'failed', 'held')
              ORDER BY e.opened_at DESC, d.edition DESC LIMIT $3) AS last
         WHERE EXISTS (SELECT 1 FROM bounces b WHERE b.subscriber = $1 AND b.edition = last.edition
             AND b.class IN ('resting', 'dead') AND b.undone_at IS NULL)",
    )
    .bind(subscriber)
    .bind(email)
    .bind(RESTS)
    .fetch_one(db)
    .await?;
    Ok(resting == RESTS)
}

/// Whoever has left already stays as they are.
async fn suppress(db: &mut Connection, id: i64, new: &NewBounce, was: State, now: Timestamp) -> Result<Verdict> {
    if !matches!(was, State::Active | State::Pending) {
        return Ok(Verdict::Kept);
    }
    let source = if new.class == Class::Complaint { "complaint" } else { "bounce" };
    subscribers::shift(db, new.subscriber, State::Suppressed, source, now).await?;
    sqlx::query("UPDATE bounces SET was = $2 WHERE id = $1").bind(id).bind(was.as_str()).execute(db).await?;
    Ok(Verdict::Suppressed)
}

/// Pauses an open edition that too many complain of.
async fn pause(db: &mut Connection, edition: &str, now: Timestamp) -> Result<Option<EditionKey>> {
    let found = sqlx::query(
        "SELECT (SELECT count(DISTINCT subscriber) FROM bounces
                 WHERE edition = $1 AND class = 'complaint' AND undone_at IS NULL) AS complaints,
             (SELECT count(*) FROM deliveries WHERE edition = $1 AND state = 'accepted') AS accepted",
    )
    .bind(edition)
    .fetch_one(&mut *db)
    .await?;
    let (complaints, accepted) = (rows::int(&found, "complaints")?, rows::int(&found, "accepted")?);
    let (true, Some(key)) = (complaints >= COMPLAINTS && complaints * ONE_IN > accepted, EditionKey::parse(edition))
    else {
        return Ok(None);
    };
    let reason = format!(
        "{complaints} of the {accepted} readers who got it so far complain that it is spam: more than 0.1 %, and providers will \
         refuse the rest"
    );
    Ok(editions::pause(db, key, &reason, now).await?.then_some(key))
}

pub async fn of(db: &mut Connection, subscriber: i64) -> Result<Vec<Bounce>> {
    let found = sqlx::query("SELECT * FROM bounces WHERE subscriber = $1 ORDER BY at DESC, id DESC")
        .bind(subscriber)
        .fetch_all(db)
        .await?;
    found.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Bounce> {
    let edition = rows::maybe_text(row, "edition")?;
    Ok(Bounce {
        id: rows::int(row, "id")?,
        at: rows::instant(row, "at")?,
        edition: edition.as_deref().and_then(EditionKey::parse),
        source: rows::word(row, "source", Source::parse)?,
        class: rows::word(row, "class", Class::parse)?,
        status: rows::maybe_text(row, "status")?,
        words: rows::text(row, "words")?,
        suppressed: rows::maybe_text(row, "was")?.is_some(),
        undone_at: rows::maybe_instant(row, "undone_at")?,
        original: rows::maybe_bytes(row, "original")?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    })
}

async fn original(db: &mut Connection, subscriber: i64, bounce: i64) -> Result<Option<Vec<u8>>> {
    let found: Option<Option<Vec<u8>>> =
        sqlx::query_scalar("SELECT original FROM bounces WHERE subscriber = $1 AND id = $2")
            .bind(subscriber)
            .bind(bounce)
            .fetch_optional(db)
            .await?;
    Ok(found.flatten())
}

async fn undo(db: &mut Connection, subscriber: i64, bounce: i64, now: Timestamp) -> Result<Undone> {
    let state: Option<String> =
        sqlx::query_scalar(concat!("SELECT state FROM subscribers WHERE id = $1 ", for_update!()))
            .bind(subscriber)
            .fetch_optional(&mut *db)
            .await?;
    let found = sqlx::query("SELECT was, undone_at FROM bounces WHERE subscriber = $1 AND id = $2")
        .bind(subscriber)
        .bind(bounce)
        .fetch_optional(&mut *db)
        .await?;
    let (Some(state), Some(found)) = (state, found) else { return Ok(Undone::Unknown) };
    if rows::maybe_instant(&found, "undone_at")?.is_some() {
        return Ok(Undone::Before);
    }
    sqlx::query("UPDATE bounces SET undone_at = $2, was = NULL WHERE id = $1")
        .bind(bounce)
        .bind(now.as_microsecond())
        .execute(&mut *db)
        .await?;
    let was = rows::maybe_text(&found, "was")?.as_deref().and_then(State::parse);
    let Some(was) = was.filter(|_| state == State::Suppressed.as_str()) else { return Ok(Undone::Only) };
    if let Some(other) = hand_over(db, subscriber, was).await? {
        return Ok(Undone::Behind(other));
    }
    subscribers::shift(db, subscriber, was, "undo-bounce", now).await?;
    Ok(Undone::Back(was))
}

/// Another bounce that would have suppressed them, had they not been suppressed already: from now on it is the reason. That an
/// address they have left is dead, is none.
async fn hand_over(db: &mut Connection, subscriber: i64, was: State) -> Result<Option<i64>> {
    let other = sqlx::query_scalar(
        "UPDATE bounces SET was = $2 WHERE id =
             (SELECT max(b.id) FROM bounces b
              WHERE b.subscriber = $1 AND b.undone_at IS NULL AND (b.class = 'complaint' OR b.class = 'dead'
                  AND NOT EXISTS (SELECT 1 FROM deliveries d JOIN subscribers s ON s.id = d.subscriber
                      WHERE d.subscriber = b.subscriber AND d.edition = b.edition AND d.email <> s.email)))
         RETURNING id",
    )
    .bind(subscriber)
    .bind(was.as_str())
    .fetch_optional(db)
    .await?;
    Ok(other)
}

/// Everything of one person.
pub async fn forget(db: &mut Connection, subscriber: i64) -> Result<()> {
    sqlx::query("DELETE FROM bounces WHERE subscriber = $1").bind(subscriber).execute(db).await?;
    Ok(())
}

/// What came before then is known by what was read in it.
pub async fn forget_originals(db: &mut Connection, before: Timestamp) -> Result<()> {
    sqlx::query("UPDATE bounces SET original = NULL WHERE at < $1 AND original IS NOT NULL")
        .bind(before.as_microsecond())
        .execute(db)
        .await?;
    Ok(())
}
