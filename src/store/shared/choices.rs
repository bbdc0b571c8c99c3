//! What a subscriber says about their own subscription: yes, this much, not there but here. And the notices that answer.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::super::Connection;
use super::sign_ups::{Marks, is_full, mark};
use super::{history, pepper, rows, subscribers};
use crate::domain::edition::{EditionKey, Notice};
use crate::domain::subscriber::{Address, Choice, Event, State};
use crate::store::{Confirmed, MoveAsked, Moved, Result};

pub async fn confirm(db: &mut Connection, id: i64, asked_at: i64, today: Date, now: Timestamp) -> Result<Confirmed> {
    let key: Option<String> = sqlx::query_scalar(
        "UPDATE subscribers SET state = 'active', asked_at = NULL, changed_at = $3
         WHERE id = $1 AND asked_at = $2 AND state IN ('pending', 'unsubscribed') RETURNING key",
    )
    .bind(id)
    .bind(asked_at)
    .bind(now.as_microsecond())
    .fetch_optional(&mut *db)
    .await?;
    let Some(key) = key else {
        let active = subscribers::by_id(db, id).await?.is_some_and(|s| s.state == State::Active);
        return Ok(if active { Confirmed::Before } else { Confirmed::Over });
    };
    history::note(db, id, Event::Confirmed, "link", history::NOTHING, now).await?;
    subscribers::remember(db, &key).await?;
    notify(db, id, Notice::Welcome, today, now).await?;
    Ok(Confirmed::Now)
}

pub async fn notify(db: &mut Connection, id: i64, notice: Notice, today: Date, now: Timestamp) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO deliveries (edition, subscriber, kind, rank, email, name, state, queued_at, due_at, changed_at)
         SELECT $2, id, $3, 0, email, name, 'queued', $4, $4, $4 FROM subscribers WHERE id = $1
         ON CONFLICT (edition, subscriber) DO NOTHING",
    )
    .bind(id)
    .bind(EditionKey::Notice(notice, today).to_string())
    .bind(notice.as_str())
    .bind(now.as_microsecond())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn choose(db: &mut Connection, id: i64, choice: &Choice, now: Timestamp) -> Result<bool> {
    let lists = [&choice.tags, &choice.authors].map(|list| rows::words(list.iter().map(String::as_str)));
    let [tags, authors] = lists;
    let done = sqlx::query(
        "UPDATE subscribers SET frequency = $2, language = $3, tags = $4, authors = $5, paused_until = $6,
             frequency_since = CASE WHEN frequency = $2 THEN frequency_since ELSE $7 END
         WHERE id = $1 AND (frequency <> $2 OR language IS DISTINCT FROM $3 OR tags <> $4 OR authors <> $5
             OR paused_until IS DISTINCT FROM $6)",
    )
    .bind(id)
    .bind(choice.frequency.as_str())
    .bind(choice.language.as_deref().map(rows::clean))
    .bind(tags)
    .bind(authors)
    .bind(choice.paused_until.map(Timestamp::as_microsecond))
    .bind(now.as_microsecond())
    .execute(&mut *db)
    .await?;
    let chosen = done.rows_affected() == 1;
    if chosen {
        let proof = serde_json::to_string(choice).unwrap_or_default();
        history::note(db, id, Event::Chose, "preferences", &proof, now).await?;
    }
    Ok(chosen)
}

/// Who mistyped an address may correct it; a link is not there to mail strangers.
const MOVES_AN_HOUR: u32 = 3;

/// Nobody is to be flooded by somebody who names their address: the same limit as for sign-ups.
pub async fn ask_to_move(db: &mut Connection, id: i64, to: &Address, today: Date, now: Timestamp) -> Result<MoveAsked> {
    let secret = pepper(db).await?;
    let mover = Marks::bucket(&secret, "mover", &id.to_string());
    if is_full(db, &mover, MOVES_AN_HOUR, now, SignedDuration::from_hours(1)).await? {
        return Ok(MoveAsked::TooOften);
    }
    // Counted whatever comes of it: the limit must not tell what is known of an address.
    mark(db, &mover, now).await?;
    let mailbox = Marks::bucket(&secret, "mailbox", &to.canonical());
    let known = subscribers::by_key(db, &to.key).await?;
    let is_dead = known.is_some_and(|known| known.state == State::Suppressed);
    if is_dead || is_full(db, &mailbox, 1, now, SignedDuration::from_hours(24)).await? {
        return Ok(MoveAsked::Silently);
    }
    let done = sqlx::query(
        "UPDATE subscribers SET new_email = $2, new_key = $3, asked_at = $4 WHERE id = $1 AND state = 'active'",
    )
    .bind(id)
    .bind(rows::clean(&to.email))
    .bind(rows::clean(&to.key))
    .bind(now.as_microsecond())
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(MoveAsked::Silently);
    }
    mail_there(db, id, today, now).await?;
    mark(db, &mailbox, now).await?;
    Ok(MoveAsked::Mailed)
}

/// One that was asked for on the same day gives way, wherever it is by now: a node that has it on its way settles nothing.
async fn mail_there(db: &mut Connection, id: i64, today: Date, now: Timestamp) -> Result<()> {
    sqlx::query(
        "INSERT INTO deliveries (edition, subscriber, kind, rank, email, name, state, queued_at, due_at, changed_at)
         SELECT $2, id, $3, 0, new_email, name, 'queued', $4, $4, $4 FROM subscribers WHERE id = $1
         ON CONFLICT (edition, subscriber) DO UPDATE SET email = excluded.email, state = 'queued', attempts = 0,
             node = NULL, reply = NULL, queued_at = excluded.queued_at, due_at = excluded.due_at,
             changed_at = excluded.changed_at",
    )
    .bind(id)
    .bind(EditionKey::Notice(Notice::Move, today).to_string())
    .bind(Notice::Move.as_str())
    .bind(now.as_microsecond())
    .execute(db)
    .await?;
    Ok(())
}

/// Whoever answers reads the mailbox: an old subscription of it that is not active gives way.
pub async fn move_address(db: &mut Connection, id: i64, key: &str, now: Timestamp) -> Result<Moved> {
    let left: Option<String> = sqlx::query_scalar(concat!(
        "SELECT key FROM subscribers WHERE id = $1 AND new_key = $2 AND state = 'active' ",
        for_update!()
    ))
    .bind(id)
    .bind(rows::clean(key))
    .fetch_optional(&mut *db)
    .await?;
    let Some(left) = left else { return Ok(Moved::Over) };
    let there = subscribers::by_key(db, key).await?.filter(|there| there.id != id);
    match there.map(|there| (there.id, there.state)) {
        Some((_, State::Active)) => return Ok(Moved::Taken),
        Some((_, State::Suppressed)) => return Ok(Moved::Over),
        Some((old, State::Pending | State::Unsubscribed)) => drop(subscribers::remove(db, old, now).await?),
        None => {}
    }
    sqlx::query(
        "UPDATE subscribers SET email = new_email, key = new_key, new_email = NULL, new_key = NULL, asked_at = NULL,
             changed_at = $2
         WHERE id = $1",
    )
    .bind(id)
    .bind(now.as_microsecond())
    .execute(&mut *db)
    .await?;
    // Lists from before may still have the address that was left. One that is only spelled anew was not.
    subscribers::keep_out(db, &left, now).await?;
    subscribers::remember(db, key).await?;
    // What waits goes to where they are now.
    sqlx::query(
        "UPDATE deliveries SET email = (SELECT email FROM subscribers WHERE id = $1)
         WHERE subscriber = $1 AND state IN ('queued', 'deferred')",
    )
    .bind(id)
    .execute(&mut *db)
    .await?;
    history::note(db, id, Event::Moved, "link", history::NOTHING, now).await?;
    Ok(Moved::Now)
}
