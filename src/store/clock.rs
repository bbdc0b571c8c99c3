//! Clocks: instants that are told apart, and a database server's own clock: leases are measured with it, and `doctor` compares it
//! with ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

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

/// Instants of one process, no two of which are the same, however coarse the clock.
#[derive(Clone, Default)]
pub struct Instants(Arc<AtomicI64>);

/// An instant this far before the last one comes from a clock that was set back.
const SET_BACK: i64 = 1_000_000;

impl Instants {
    /// This instant, or one some microseconds later.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Timestamp {
        let after = |last: i64| {
            let now = now.as_microsecond();
            if now <= last && last - now < SET_BACK { last + 1 } else { now }
        };
        let last = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(after(last)));
        Timestamp::from_microsecond(after(last.unwrap_or_else(|last| last))).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    #[test]
    fn no_two_instants_are_the_same_and_a_clock_may_be_set_back() {
        let (instants, now) = (Instants::default(), "2026-11-01T09:00:00Z".parse::<Timestamp>().unwrap());
        let given: Vec<_> = (0..3).map(|_| instants.next(now)).collect();
        assert_eq!(given, [now, now + 1.microsecond(), now + 2.microseconds()]);
        assert_eq!(instants.next(now + 1.second()), now + 1.second());
        assert_eq!(instants.next(now - 1.hour()), now - 1.hour());
    }
}
