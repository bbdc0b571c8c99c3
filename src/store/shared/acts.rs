//! What was done by hand, what is used up, and the lists of those who run the blog.

use async_trait::async_trait;
use jiff::Timestamp;

use super::super::{Connection, Database, Row};
use super::{deliveries, rows, subscribers};
use crate::domain::delivery::State as DeliveryState;
use crate::domain::edition::EditionKey;
use crate::domain::subscriber::Subscriber;
use crate::store::{Act, Acts, DeliveryRow, DomainBounces, NewAct, Result};

#[async_trait]
impl Acts for Database {
    async fn write_act(&self, act: &NewAct, now: Timestamp) -> Result<i64> {
        write!(self, |db| add(db, act, now))
    }

    async fn acts(&self, before: Option<i64>, limit: u32) -> Result<Vec<Act>> {
        read!(self, |db| all(db, before, limit))
    }

    async fn spend(&self, mark: i64, expires: Timestamp, now: Timestamp) -> Result<bool> {
        write!(self, |db| spend(db, mark, expires, now))
    }

    async fn is_spent(&self, mark: i64) -> Result<bool> {
        read!(self, |db| is_spent(db, mark))
    }

    async fn deliveries_of(&self, key: EditionKey, states: &[DeliveryState], limit: u32) -> Result<Vec<DeliveryRow>> {
        read!(self, |db| deliveries::of(db, key, states, limit))
    }

    async fn find_subscribers(&self, text: &str, limit: u32) -> Result<Vec<Subscriber>> {
        read!(self, |db| subscribers::find(db, text, limit))
    }

    async fn bounces_by_domain(&self, since: Timestamp, limit: u32) -> Result<Vec<DomainBounces>> {
        read!(self, |db| by_domain(db, since, limit))
    }
}

async fn add(db: &mut Connection, act: &NewAct, now: Timestamp) -> Result<i64> {
    let id =
        sqlx::query_scalar("INSERT INTO acts (at, who, act, subject, detail) VALUES ($1, $2, $3, $4, $5) RETURNING id")
            .bind(now.as_microsecond())
            .bind(rows::clean(&act.who))
            .bind(rows::clean(&act.act))
            .bind(rows::clean(&act.subject))
            .bind(rows::clean(&act.detail))
            .fetch_one(db)
            .await?;
    Ok(id)
}

async fn all(db: &mut Connection, before: Option<i64>, limit: u32) -> Result<Vec<Act>> {
    let found = sqlx::query("SELECT * FROM acts WHERE id < $1 ORDER BY id DESC LIMIT $2")
        .bind(before.unwrap_or(i64::MAX))
        .bind(i64::from(limit))
        .fetch_all(db)
        .await?;
    found.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Act> {
    Ok(Act {
        id: rows::int(row, "id")?,
        at: rows::instant(row, "at")?,
        who: rows::text(row, "who")?,
        act: rows::text(row, "act")?,
        subject: rows::text(row, "subject")?,
        detail: rows::text(row, "detail")?,
    })
}

async fn spend(db: &mut Connection, mark: i64, expires: Timestamp, now: Timestamp) -> Result<bool> {
    sqlx::query("DELETE FROM spent WHERE expires_at < $1").bind(now.as_microsecond()).execute(&mut *db).await?;
    let done = sqlx::query("INSERT INTO spent (mark, expires_at) VALUES ($1, $2) ON CONFLICT (mark) DO NOTHING")
        .bind(mark)
        .bind(expires.as_microsecond())
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

async fn is_spent(db: &mut Connection, mark: i64) -> Result<bool> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT mark FROM spent WHERE mark = $1").bind(mark).fetch_optional(db).await?;
    Ok(found.is_some())
}

async fn by_domain(db: &mut Connection, since: Timestamp, limit: u32) -> Result<Vec<DomainBounces>> {
    // What stands after the last `@`, in words that both databases have.
    let found = sqlx::query(
        "SELECT domain, count(*) AS n, max(at) AS latest,
             count(CASE WHEN class = 'dead' THEN 1 END) AS dead,
             count(CASE WHEN class = 'resting' THEN 1 END) AS resting,
             count(CASE WHEN class = 'policy' THEN 1 END) AS policy,
             count(CASE WHEN class = 'complaint' THEN 1 END) AS complaint
         FROM (SELECT b.at, b.class, substr(s.key, length(rtrim(s.key, replace(s.key, '@', ''))) + 1) AS domain
             FROM bounces b JOIN subscribers s ON s.id = b.subscriber WHERE b.at >= $1 AND b.undone_at IS NULL) AS came
         GROUP BY domain ORDER BY n DESC, domain LIMIT $2",
    )
    .bind(since.as_microsecond())
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    let domain = |row: &Row| {
        Ok(DomainBounces {
            domain: rows::text(row, "domain")?,
            dead: rows::count(row, "dead")?,
            resting: rows::count(row, "resting")?,
            policy: rows::count(row, "policy")?,
            complaint: rows::count(row, "complaint")?,
            latest: rows::instant(row, "latest")?,
        })
    };
    found.iter().map(domain).collect()
}
