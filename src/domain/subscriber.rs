//! A subscriber: a person's address, name and state. Knows what an address may look like, not where it is kept.

use jiff::Timestamp;
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Pending,
    Active,
    Unsubscribed,
    Suppressed,
}

impl State {
    pub const ALL: [Self; 4] = [Self::Pending, Self::Active, Self::Unsubscribed, Self::Suppressed];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Unsubscribed => "unsubscribed",
            Self::Suppressed => "suppressed",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subscriber {
    /// Opaque, stable, derived from the address key; what tokens and Message-IDs are made from.
    pub id: i64,
    /// As given.
    pub email: String,
    pub name: Option<String>,
    pub state: State,
    /// Where the address came from: `cli`, `import:FILE`, `form`.
    pub source: String,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
}
