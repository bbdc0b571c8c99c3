//! The verbs of those who run the blog: what was done by hand, kept for good; keys that open once; and the lists that only
//! they look at. Knows no page, no password and no command.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;

use super::{DeliveryRow, Result};
use crate::domain::delivery::State as DeliveryState;
use crate::domain::edition::EditionKey;
use crate::domain::subscriber::Subscriber;

/// Something that was done by hand. No address stands in it but masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAct {
    /// `password`, `link`, or `command line` and a user.
    pub who: String,
    /// What the button or the command is called: `digest release`.
    pub act: String,
    /// An edition, a masked address; empty: everything.
    pub subject: String,
    /// What came of it.
    pub detail: String,
}

/// The same, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Act {
    pub id: i64,
    pub at: Timestamp,
    pub who: String,
    pub act: String,
    pub subject: String,
    pub detail: String,
}

/// What came back from one mail domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DomainBounces {
    pub domain: String,
    pub dead: u64,
    pub resting: u64,
    pub policy: u64,
    pub complaint: u64,
    pub latest: Timestamp,
}

#[async_trait]
pub trait Acts: Send + Sync {
    /// Gives its number.
    async fn write_act(&self, act: &NewAct, now: Timestamp) -> Result<i64>;
    /// The newest first; those before number `before`.
    async fn acts(&self, before: Option<i64>, limit: u32) -> Result<Vec<Act>>;
    /// Uses up what is good once; false if it was used before. It is remembered until `expires`.
    async fn spend(&self, mark: i64, expires: Timestamp, now: Timestamp) -> Result<bool>;
    async fn is_spent(&self, mark: i64) -> Result<bool>;
    /// An edition's deliveries in one of `states`, newest change first.
    async fn deliveries_of(&self, key: EditionKey, states: &[DeliveryState], limit: u32) -> Result<Vec<DeliveryRow>>;
    /// Subscribers whose address holds `text`, in the order of their addresses.
    async fn find_subscribers(&self, text: &str, limit: u32) -> Result<Vec<Subscriber>>;
    /// What came back since then and still counts, by mail domain, those with most first.
    async fn bounces_by_domain(&self, since: Timestamp, limit: u32) -> Result<Vec<DomainBounces>>;
}
