//! One edition on its way to one subscriber: the states of the ledger and what may follow what.

use jiff::Timestamp;
use serde::Serialize;

/// DESIGN §4.6: *queued → claimed (→ in_data) → accepted | deferred | failed | skipped | held*.
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
