//! Forms as they were sent, and what becomes of them. Keeping one is the same work for every address; deciding comes
//! afterwards, where nobody waits for an answer. Limits are counted by marks that hold no address.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::super::{Connection, Row};
use super::{choices, history, pepper, rows, subscribers};
use crate::domain::edition::Notice;
use crate::domain::subscriber::{Event, State};
use crate::domain::token;
use crate::store::{Result, SignUp, SignUpLimits, SignUpTally};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
const MONTH: SignedDuration = SignedDuration::from_hours(24 * 30);

pub async fn keep(db: &mut Connection, form: &SignUp, now: Timestamp) -> Result<()> {
    sqlx::query(
        "INSERT INTO signups (email, key, canonical, domain, network, language, proof, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(rows::clean(&form.address.email))
    .bind(rows::clean(&form.address.key))
    .bind(form.address.canonical())
    .bind(form.address.domain())
    .bind(rows::clean(&form.network))
    .bind(form.language.as_deref().map(rows::clean))
    .bind(rows::clean(&form.proof))
    .bind(now.as_microsecond())
    .execute(db)
    .await?;
    Ok(())
}

struct Form {
    id: i64,
    email: String,
    key: String,
    canonical: String,
    domain: String,
    network: String,
    language: Option<String>,
    proof: String,
}

pub async fn take(
    db: &mut Connection,
    limits: &SignUpLimits,
    today: Date,
    most: u32,
    now: Timestamp,
) -> Result<SignUpTally> {
    let forms = waiting(db, most).await?;
    let mut tally = SignUpTally::default();
    if forms.is_empty() {
        return Ok(tally);
    }
    let secret = pepper(db).await?;
    for form in &forms {
        tally.taken += 1;
        let Some((id, notice)) = answer(db, form).await? else { continue };
        let marks = Marks::of(&secret, form);
        match marks.reached(db, limits, now).await? {
            Some(Limit::Mailbox) => tally.repeated += 1,
            Some(Limit::Others) => tally.limited += 1,
            None => {
                marks.set(db, now).await?;
                ask(db, form, id, notice, today, now).await?;
                tally.asked += 1;
            }
        }
    }
    Ok(tally)
}

/// One at a time, over all nodes: two that count at once would both stay below a limit.
async fn waiting(db: &mut Connection, most: u32) -> Result<Vec<Form>> {
    sqlx::query(concat!("SELECT value FROM meta WHERE name = 'created_at' ", for_update!()))
        .fetch_one(&mut *db)
        .await?;
    let found = sqlx::query(
        "DELETE FROM signups WHERE id IN (SELECT id FROM signups ORDER BY id LIMIT $1)
         RETURNING id, email, key, canonical, domain, network, language, proof",
    )
    .bind(i64::from(most))
    .fetch_all(db)
    .await?;
    let mut forms = found.iter().map(read).collect::<Result<Vec<Form>>>()?;
    forms.sort_by_key(|form| form.id);
    Ok(forms)
}

fn read(row: &Row) -> Result<Form> {
    Ok(Form {
        id: rows::int(row, "id")?,
        email: rows::text(row, "email")?,
        key: rows::text(row, "key")?,
        canonical: rows::text(row, "canonical")?,
        domain: rows::text(row, "domain")?,
        network: rows::text(row, "network")?,
        language: rows::maybe_text(row, "language")?,
        proof: rows::text(row, "proof")?,
    })
}

/// What the form's address is to be told; nothing, if it is dead or has complained.
async fn answer(db: &mut Connection, form: &Form) -> Result<Option<(Option<i64>, Notice)>> {
    let known = subscribers::by_key(db, &form.key).await?;
    Ok(match known.map(|known| (known.id, known.state)) {
        None => Some((None, Notice::Confirm)),
        Some((id, State::Pending | State::Unsubscribed)) => Some((Some(id), Notice::Confirm)),
        Some((id, State::Active)) => Some((Some(id), Notice::Already)),
        Some((_, State::Suppressed)) => None,
    })
}

async fn ask(
    db: &mut Connection,
    form: &Form,
    known: Option<i64>,
    notice: Notice,
    today: Date,
    now: Timestamp,
) -> Result<()> {
    let id = match known {
        None => insert(db, form, now).await?,
        Some(id) => id,
    };
    if notice == Notice::Confirm {
        sqlx::query(
            "UPDATE subscribers SET asked_at = $2, email = $3, language = coalesce($4, language), new_email = NULL,
                 new_key = NULL
             WHERE id = $1",
        )
        .bind(id)
        .bind(now.as_microsecond())
        .bind(&form.email)
        .bind(&form.language)
        .execute(&mut *db)
        .await?;
        history::note(db, id, Event::Asked, "form", &form.proof, now).await?;
    }
    choices::notify(db, id, notice, today, now).await?;
    Ok(())
}

async fn insert(db: &mut Connection, form: &Form, now: Timestamp) -> Result<i64> {
    let id = sqlx::query_scalar(
        "INSERT INTO subscribers (key, email, state, source, created_at, changed_at)
         VALUES ($1, $2, 'pending', 'form', $3, $3) RETURNING id",
    )
    .bind(&form.key)
    .bind(&form.email)
    .bind(now.as_microsecond())
    .fetch_one(db)
    .await?;
    Ok(id)
}

enum Limit {
    Mailbox,
    Others,
}

/// The buckets one mail is counted in.
pub struct Marks {
    mailbox: String,
    domain: String,
    /// None for what does not come from a network: the machine itself, or somebody who is subscribed already.
    network: Option<String>,
}

const TOTAL: &str = "total";

impl Marks {
    fn of(secret: &[u8; 32], form: &Form) -> Self {
        Self {
            mailbox: Self::bucket(secret, "mailbox", &form.canonical),
            domain: Self::bucket(secret, "domain", &form.domain),
            network: Some(&form.network).filter(|n| !n.is_empty()).map(|n| Self::bucket(secret, "network", n)),
        }
    }

    pub fn bucket(secret: &[u8; 32], kind: &str, value: &str) -> String {
        let hash = token::derive(secret, "mark", &[kind.as_bytes(), value.as_bytes()]);
        rows::hex(u128::from_be_bytes(hash))
    }

    async fn reached(&self, db: &mut Connection, limits: &SignUpLimits, now: Timestamp) -> Result<Option<Limit>> {
        for (bucket, most, age) in
            [(&self.mailbox, limits.mailbox_a_day, DAY), (&self.mailbox, limits.mailbox_a_month, MONTH)]
        {
            if is_full(db, bucket, most, now, age).await? {
                return Ok(Some(Limit::Mailbox));
            }
        }
        let others = [
            (self.network.as_deref(), limits.network_an_hour, HOUR),
            (Some(self.domain.as_str()), limits.domain_an_hour, HOUR),
            (Some(TOTAL), limits.total_an_hour, HOUR),
            (Some(TOTAL), limits.total_a_day, DAY),
        ];
        for (bucket, most, age) in others {
            let Some(bucket) = bucket else { continue };
            if is_full(db, bucket, most, now, age).await? {
                return Ok(Some(Limit::Others));
            }
        }
        Ok(None)
    }

    async fn set(&self, db: &mut Connection, now: Timestamp) -> Result<()> {
        let buckets = [Some(self.mailbox.as_str()), Some(&self.domain), self.network.as_deref(), Some(TOTAL)];
        for bucket in buckets.into_iter().flatten() {
            mark(db, bucket, now).await?;
        }
        Ok(())
    }
}

pub async fn mark(db: &mut Connection, bucket: &str, now: Timestamp) -> Result<()> {
    sqlx::query("INSERT INTO marks (bucket, at) VALUES ($1, $2)")
        .bind(bucket)
        .bind(now.as_microsecond())
        .execute(db)
        .await?;
    Ok(())
}

pub async fn is_full(
    db: &mut Connection,
    bucket: &str,
    most: u32,
    now: Timestamp,
    age: SignedDuration,
) -> Result<bool> {
    let since = now.saturating_sub(age).unwrap_or(Timestamp::MIN);
    let n: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM (SELECT 1 AS one FROM marks WHERE bucket = $1 AND at > $2 LIMIT $3) AS counted",
    )
    .bind(bucket)
    .bind(since.as_microsecond())
    .bind(i64::from(most))
    .fetch_one(db)
    .await?;
    Ok(n >= i64::from(most))
}
