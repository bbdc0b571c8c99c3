//! The verbs of WebSub: which hub is to be told of which version of a feed, and who is subscribed to the feeds at our own hub.
//! Knows no HTTP; whoever calls has asked, or has been asked.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use crate::domain::websub::Mode;

/// A version of a feed that a hub is to be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Of the feed, below `feeds.url`.
    pub path: String,
    pub hub: String,
    /// Of its bytes.
    pub hash: u128,
    pub changed_at: Timestamp,
    /// This one included.
    pub attempts: u32,
}

/// What somebody asks of our hub.
#[derive(Clone, PartialEq, Eq)]
pub struct HubRequest {
    pub path: String,
    pub callback: String,
    pub host: String,
    pub mode: Mode,
    pub lease_seconds: u32,
    pub secret: Option<String>,
}

/// How many subscriptions there may be.
#[derive(Debug, Clone, Copy)]
pub struct HubLimits {
    pub host: u64,
    pub all: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requested {
    /// The callback is to be asked whether it meant it.
    Kept,
    /// There is no such subscription to be ended.
    Nothing,
    /// There are too many, of this host or in all.
    Full,
}

/// A request whose callback is to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub id: i64,
    /// Which of all requests for this subscription.
    pub nr: i64,
    pub path: String,
    pub callback: String,
    pub host: String,
    pub mode: Mode,
    pub lease_seconds: u32,
    pub attempts: u32,
}

/// A version of a feed for one subscriber.
#[derive(Clone, PartialEq, Eq)]
pub struct Distribution {
    pub id: i64,
    pub path: String,
    pub callback: String,
    pub host: String,
    pub secret: Option<String>,
    pub hash: u128,
    pub attempts: u32,
    pub failing_since: Option<Timestamp>,
}

#[async_trait]
pub trait WebSub: Send + Sync {
    /// These are the feeds as they are published, and their hubs: a version that is not the one a hub was told of is to be told,
    /// and takes the place of one that still waits. A feed that is new here is known from now on, and nobody is told. What is not
    /// among them is forgotten.
    async fn announce(&self, feeds: &[(String, u128)], hubs: &[String], now: Timestamp) -> Result<()>;
    /// Up to `most` that a hub is due to be told of, nobody else's until `lease_until`.
    async fn claim_announcements(
        &self,
        hub: &str,
        most: u32,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<Announcement>>;
    /// The hub knows, or is not told any more; unless there is a newer version.
    async fn end_announcement(&self, of: &Announcement, words: &str) -> Result<()>;
    async fn defer_announcement(&self, of: &Announcement, words: &str, until: Timestamp) -> Result<()>;

    // --- our own hub ---
    async fn request_hub(&self, request: &HubRequest, limits: HubLimits, now: Timestamp) -> Result<Requested>;
    /// One that is due, of none of the hosts that are `busy`.
    async fn claim_question(&self, busy: &[String], now: Timestamp, lease_until: Timestamp)
    -> Result<Option<Question>>;
    /// The callback meant it: a subscription begins with this version of the feed, or goes on, or ends.
    async fn confirm_hub(&self, question: &Question, hash: u128, now: Timestamp) -> Result<()>;
    /// It did not: what was there before stays.
    async fn deny_hub(&self, question: &Question) -> Result<()>;
    async fn defer_question(&self, question: &Question, until: Timestamp) -> Result<()>;
    /// These are the feeds as they are published: whoever has another version is to get this one. Who is subscribed to a feed
    /// that has `moved` from one path to another goes on there. A feed that is gone has nothing to deliver, and may come back.
    /// What has run out is forgotten.
    async fn distribute(
        &self,
        feeds: &[(String, u128)],
        moved: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<()>;
    /// One that is due, of none of the hosts that are `busy`; whoever has failed lately comes last.
    async fn claim_distribution(
        &self,
        busy: &[String],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<Distribution>>;
    async fn delivered(&self, of: &Distribution) -> Result<()>;
    async fn defer_distribution(&self, of: &Distribution, now: Timestamp, until: Timestamp) -> Result<()>;
    async fn end_subscription(&self, id: i64) -> Result<()>;
}
