//! A store that was copied sends nothing until its operator has looked at it: what was sent after the copy was made, it
//! does not know. Knows the mark; who asks for it is `super`'s.

use jiff::Timestamp;

use super::super::Connection;
use super::meta;
use crate::store::{Result, StoreError};

const MARK: &str = "standby";

/// Since when the store has been standing by, if it does.
pub async fn since(db: &mut Connection) -> Result<Option<Timestamp>> {
    let instant = |text: String| text.parse().map_err(|_| StoreError::Damaged(format!("`{text}` is no instant")));
    meta::get(db, MARK).await?.map(instant).transpose()
}

pub async fn begin(db: &mut Connection, now: Timestamp) -> Result<()> {
    meta::set(db, MARK, &now.to_string()).await
}

/// True if it did stand by.
pub async fn end(db: &mut Connection) -> Result<bool> {
    let done = sqlx::query("DELETE FROM meta WHERE name = $1").bind(MARK).execute(db).await?;
    Ok(done.rows_affected() == 1)
}
