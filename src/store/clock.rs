//! A database server's own clock: leases are measured with it, and `doctor` compares it with ours.

use jiff::Timestamp;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

/// What the server's clock says; nothing for a file, or if it does not say.
pub async fn server_clock(url: &str) -> Option<Timestamp> {
    if !url.starts_with("postgres") {
        return None;
    }
    let options: PgConnectOptions = url.parse().ok()?;
    let mut server = options.connect().await.ok()?;
    let asked = sqlx::query_scalar("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint");
    let there: i64 = asked.fetch_one(&mut server).await.ok()?;
    let _ = server.close().await;
    Timestamp::from_millisecond(there).ok()
}
