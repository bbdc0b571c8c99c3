//! One edition on its way to one subscriber: the states of the ledger and what may follow what.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

/// DESIGN §4.6: *queued → claimed (→ `in_data`) → accepted | deferred | failed | skipped | held*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Queued,
    Claimed,
    /// The message's final dot may be out: written, and waited for, before it is.
    InData,
    Accepted,
    Deferred,
    Failed,
    Skipped,
    Held,
}

impl State {
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Claimed,
        Self::InData,
        Self::Accepted,
        Self::Deferred,
        Self::Failed,
        Self::Skipped,
        Self::Held,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Claimed => "claimed",
            Self::InData => "in_data",
            Self::Accepted => "accepted",
            Self::Deferred => "deferred",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Held => "held",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server took the message; its own words.
    Accepted { reply: String },
    /// Try again, not before `until`.
    Deferred { reply: String, until: Timestamp },
    /// Never again for this edition.
    Failed { reply: String },
    /// Not tried, and why (`unsubscribed`, `suppressed`, `edition cancelled`).
    Skipped { reason: String },
    /// In doubt whether the server took it; waits for the operator.
    Held { reason: String },
    /// Nothing happened; back in the queue without counting an attempt (server trouble, shutdown).
    Released { until: Timestamp, reason: String },
}

impl Outcome {
    /// What a delivery is after it.
    #[must_use]
    pub fn state(&self) -> State {
        match self {
            Self::Accepted { .. } => State::Accepted,
            Self::Deferred { .. } => State::Deferred,
            Self::Failed { .. } => State::Failed,
            Self::Skipped { .. } => State::Skipped,
            Self::Held { .. } => State::Held,
            Self::Released { .. } => State::Queued,
        }
    }
}

const FIRST_WAIT: u64 = 20 * 60;
const LONGEST_WAIT: u64 = 4 * 60 * 60;

/// No later than the end of time.
#[must_use]
pub fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// How long to wait after the `attempt`-th attempt: 20 min, doubling up to 4 h, less up to a quarter so that what was
/// put off together does not come back together. Without dice: the same `seed` and attempt wait the same time.
#[must_use]
pub fn wait_after(attempt: u32, seed: u64) -> Duration {
    let doubled = FIRST_WAIT << attempt.saturating_sub(1).min(8);
    let whole = doubled.min(LONGEST_WAIT);
    let quarter = whole / 4;
    Duration::from_secs(whole - mix(seed ^ u64::from(attempt)) % quarter)
}

/// How long a delivery will have been tried when the wait after its `attempt`-th attempt is over. Time in which it was not tried,
/// while its edition was paused or its relay down, does not count.
#[must_use]
pub fn tried_for(attempt: u32, seed: u64) -> Duration {
    (1..=attempt).map(|attempt| wait_after(attempt, seed)).sum()
}

/// `SplitMix64`: neighbours become strangers.
#[must_use]
pub fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_four_hours_and_are_spread() {
        for (attempt, longest) in [(0, 20), (1, 20), (2, 40), (3, 80), (4, 160), (5, 240), (1_000, 240)] {
            let waits: Vec<_> = (0..100).map(|seed| wait_after(attempt, seed).as_secs()).collect();
            let longest = longest * 60;
            assert!(waits.iter().all(|w| (longest * 3 / 4..=longest).contains(w)), "{attempt}");
            let mut distinct = waits.clone();
            distinct.sort_unstable();
            distinct.dedup();
            assert!(distinct.len() > 80, "{attempt}: {} of 100 differ", distinct.len());
        }
        assert_eq!(wait_after(3, 7), wait_after(3, 7));
    }

    #[test]
    fn five_days_are_some_thirty_attempts() {
        let most = |seed| (1..99).find(|attempt| tried_for(*attempt, seed) > Duration::from_hours(5 * 24)).unwrap();
        assert!((0..100).map(most).all(|attempts| (30..40).contains(&attempts)), "{:?}", (0..9).map(most));
    }
}
