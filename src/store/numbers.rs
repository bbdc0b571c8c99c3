//! The store in numbers, for whoever watches it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// By state.
    pub deliveries: BTreeMap<String, u64>,
    pub editions: BTreeMap<String, u64>,
    pub subscribers: BTreeMap<String, u64>,
    /// Since when the oldest delivery waits that is still to go out.
    pub oldest: Option<Timestamp>,
    /// When the newest edition was opened.
    pub opened_at: Option<Timestamp>,
    /// Webhooks' calls that wait.
    pub calls: u64,
    /// Nodes that are alive.
    pub nodes: u64,
    pub schema: u64,
    pub stands_by: bool,
    /// What it takes of its disk, and what is left there; nobody knows how much is left on a server's.
    pub bytes: u64,
    pub free: Option<u64>,
}

#[async_trait]
pub trait Numbers: Send + Sync {
    /// Reads every delivery's state: not for each request.
    async fn figures(&self, now: Timestamp) -> Result<Figures>;
}
