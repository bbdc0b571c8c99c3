//! The verbs of letters: what the daemon writes to editors. A letter has a name, is written once, and goes out as any other
//! delivery does. Knows no goal and no edition.

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use super::Result;
use crate::domain::subscriber::Address;

/// A letter as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// What it is about, as `nudge/goal/2021-07/day-15`: whoever writes one of the same name writes nothing.
    pub name: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub language: String,
    pub made_at: Timestamp,
}

/// What webhooks are told of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The ledger's word for it.
    pub event: &'static str,
    pub facts: Value,
}

#[async_trait]
pub trait Letters: Send + Sync {
    /// Keeps the letter, queues a delivery to each of `to` and has webhooks told, in one transaction; false if there is one
    /// of its name, and then nothing is written.
    async fn write_letter(&self, letter: &Letter, to: &[Address], told: Option<&Told>) -> Result<bool>;
    /// The letter of a delivery, by the number in its key.
    async fn letter(&self, key: u64) -> Result<Option<Letter>>;
    /// The names of the letters that begin with `prefix`, in their order.
    async fn letters(&self, prefix: &str) -> Result<Vec<String>>;
    /// What has not gone out of the letters whose names begin with `prefix` is not sent any more, and `why` is kept.
    async fn take_back_letters(&self, prefix: &str, why: &str, now: Timestamp) -> Result<u64>;
}
