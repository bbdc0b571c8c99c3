//! Whom an edition goes to, when, and in which variant: its deliveries, written in the transaction that opens it.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::super::{Connection, Query};
use super::editions::readers;
use super::{rows, subscribers};
use crate::domain::edition::{Edition, State};
use crate::domain::subscriber::Frequency;
use crate::store::{Audience, Canary, Result};

/// The ranks of an edition's deliveries, as SQL over `subscribers`, and when each is due: its editors' copies at once, one in
/// a hundred after a wait, everybody else's after another.
struct Ranks {
    editors: String,
    /// What is left of their ids when divided by 100; -1: nobody.
    hundredth: i64,
    hundredth_at: i64,
    rest_at: i64,
}

impl Ranks {
    async fn of(db: &mut Connection, edition: &Edition, audience: &Audience<'_>) -> Result<Self> {
        let at =
            |wait: SignedDuration| edition.opened_at.saturating_add(wait).unwrap_or(Timestamp::MAX).as_microsecond();
        let tried = match audience.canary {
            Some(canary) if readers(db, Frequency::of(edition.key)).await? >= Canary::LEAST => Some(canary),
            _ => None,
        };
        let (editors, wait) = tried.map_or((&[][..], SignedDuration::ZERO), |canary| (canary.editors, canary.wait));
        let first = if editors.is_empty() { SignedDuration::ZERO } else { wait };
        Ok(Self {
            editors: rows::words(editors.iter().map(String::as_str)),
            hundredth: tried.map_or(-1, |_| hundredth(edition)),
            hundredth_at: at(first),
            rest_at: at(first.saturating_add(wait)),
        })
    }

    /// Binds them, in the order of `rank!` and `due!`.
    fn bind<'q>(&self, query: Query<'q>, edition: &Edition) -> Query<'q> {
        query
            .bind(self.editors.clone())
            .bind(self.hundredth)
            .bind(edition.opened_at.as_microsecond())
            .bind(self.hundredth_at)
            .bind(self.rest_at)
    }
}

/// Which hundredth: others for each edition, so that the same few do not always go first.
fn hundredth(edition: &Edition) -> i64 {
    edition.key.to_string().bytes().fold(0, |sum, byte| (sum * 31 + i64::from(byte)) % 100)
}

macro_rules! rank {
    ($editors:literal, $hundredth:literal) => {
        concat!("CASE WHEN s.key IN ", texts!($editors), " THEN 1 WHEN s.id % 100 = ", $hundredth, " THEN 2 ELSE 3 END")
    };
}

macro_rules! due {
    ($editors:literal, $hundredth:literal, $first:literal, $second:literal, $third:literal) => {
        concat!(
            "CASE WHEN s.key IN ",
            texts!($editors),
            " THEN ",
            $first,
            " WHEN s.id % 100 = ",
            $hundredth,
            " THEN ",
            $second,
            " ELSE ",
            $third,
            " END"
        )
    };
}

/// One delivery for each active subscriber of this frequency; none if the period is only marked as decided. Whoever gets
/// nothing has a delivery that says why. Gives how many are to be sent.
pub async fn queue(db: &mut Connection, edition: &Edition, audience: &Audience<'_>) -> Result<u64> {
    if !matches!(edition.state, State::Open | State::Paused) {
        return Ok(0);
    }
    let ranks = Ranks::of(db, edition, audience).await?;
    let query = sqlx::query(concat!(
        "INSERT INTO deliveries (edition, subscriber, kind, rank, email, name, state, queued_at, due_at, changed_at)
         SELECT $1, s.id, 'edition', ",
        rank!("$6", "$7"),
        ", s.email, s.name, 'queued', $2, ",
        due!("$6", "$7", "$8", "$9", "$10"),
        ", $2 FROM subscribers s
         WHERE state = 'active' AND frequency = $3 AND frequency_since <= $4 AND coalesce(paused_until, $2) <= $2
             AND tags = '[]' AND authors = '[]' AND coalesce(language, $5) = $5",
    ));
    let done = ranks.bind(to_audience(query, edition, audience), edition).execute(&mut *db).await?;
    to_audience(
        sqlx::query(
            "INSERT INTO deliveries (edition, subscriber, kind, rank, email, name, state, queued_at, reply, changed_at)
             SELECT $1, id, 'edition', 3, email, name, 'skipped', $2, 'the subscriber is pausing', $2 FROM subscribers
             WHERE state = 'active' AND frequency = $3 AND frequency_since <= $4 AND paused_until > $2 AND $5 <> ''",
        ),
        edition,
        audience,
    )
    .execute(&mut *db)
    .await?;
    Ok(done.rows_affected() + queue_variants(db, edition, audience, &ranks).await?)
}

/// Binds what decides who is in an edition's audience, in the order of `queue`'s statements.
fn to_audience<'q>(query: Query<'q>, edition: &Edition, audience: &Audience<'_>) -> Query<'q> {
    query
        .bind(edition.key.to_string())
        .bind(edition.opened_at.as_microsecond())
        .bind(Frequency::of(edition.key).as_str())
        .bind(audience.since.unwrap_or(Timestamp::MAX).as_microsecond())
        .bind(audience.language.to_owned())
}

/// How many choices are looked at at a time.
const CHUNK: i64 = 2_000;

/// Those who have chosen a language, or some posts: each gets what their choice makes of the edition, or nothing.
async fn queue_variants(db: &mut Connection, edition: &Edition, audience: &Audience<'_>, ranks: &Ranks) -> Result<u64> {
    let (mut after, mut queued) = (i64::MIN, 0);
    loop {
        let query = sqlx::query(
            "SELECT id, language, frequency, tags, authors, paused_until FROM subscribers
             WHERE $1 <> '' AND state = 'active' AND coalesce(paused_until, $2) <= $2 AND frequency = $3
                 AND frequency_since <= $4 AND (tags <> '[]' OR authors <> '[]' OR coalesce(language, $5) <> $5)
                 AND id > $6
             ORDER BY id LIMIT $7",
        );
        let found = to_audience(query, edition, audience).bind(after).bind(CHUNK).fetch_all(&mut *db).await?;
        let Some(last) = found.last() else { return Ok(queued) };
        after = rows::int(last, "id")?;
        let mut chosen = Vec::with_capacity(found.len());
        for row in &found {
            let variant = (audience.variant)(&subscribers::choice(row)?);
            queued += u64::from(variant.is_some());
            chosen.push(json!([rows::int(row, "id")?, variant]));
        }
        let query = sqlx::query(concat!(
            "INSERT INTO deliveries (edition, subscriber, kind, rank, variant, email, name, state, queued_at, due_at, reply,
                 changed_at)
             SELECT $2, s.id, 'edition', ",
            rank!("$4", "$5"),
            ", coalesce(given.variant, ''), s.email, s.name,
                 CASE WHEN given.variant IS NULL THEN 'skipped' ELSE 'queued' END, $3,
                 CASE WHEN given.variant IS NULL THEN NULL ELSE ",
            due!("$4", "$5", "$6", "$7", "$8"),
            " END,
                 CASE WHEN given.variant IS NULL THEN 'nothing in it is what the subscriber chose' END, $3
             FROM ",
            rows!("$1", 0 id bigint, 1 variant text),
            " JOIN subscribers s ON s.id = given.id"
        ))
        .bind(rows::list(chosen))
        .bind(edition.key.to_string())
        .bind(edition.opened_at.as_microsecond());
        ranks.bind(query, edition).execute(&mut *db).await?;
    }
}
