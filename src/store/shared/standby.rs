//! A store that was copied sends nothing until its operator has looked at it: what was sent after the copy was made, it
//! does not know. Knows the mark; who asks for it is `super`'s.

use jiff::Timestamp;

use super::super::Connection;
use crate::store::{Result, StoreError};

/// Since when the store has been standing by, if it does.
pub async fn since(db: &mut Connection) -> Result<Option<Timestamp>> {
    let text: Option<String> =
        sqlx::query_scalar("SELECT value FROM meta WHERE name = 'standby'").fetch_optional(db).await?;
    let instant = |text: String| text.parse().map_err(|_| StoreError::Damaged(format!("`{text}` is no instant")));
    text.map(instant).transpose()
}

pub async fn begin(db: &mut Connection, now: Timestamp) -> Result<()> {
    sqlx::query(
        "INSERT INTO meta (name, value) VALUES ('standby', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(now.to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// True if it did stand by.
pub async fn end(db: &mut Connection) -> Result<bool> {
    let done = sqlx::query("DELETE FROM meta WHERE name = 'standby'").execute(db).await?;
    Ok(done.rows_affected() == 1)
}
