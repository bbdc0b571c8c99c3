//! The verbs about what came back: kept with its original, decided upon in the same transaction, undone. Knows no mail's
//! grammar and no server; whoever calls has read what it says.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;

use super::Result;
use crate::domain::bounce_class::{Class, Source};
use crate::domain::edition::EditionKey;
use crate::domain::subscriber::State;

/// What came back, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBounce {
    pub subscriber: i64,
    /// What it answers; none: not known, and then it is what was sent last, to the address it names if there is one.
    pub edition: Option<EditionKey>,
    /// The address that it says it is about.
    pub recipient: Option<String>,
    pub source: Source,
    pub class: Class,
    /// The enhanced code, if there was one.
    pub status: Option<String>,
    /// What the server, or the mail, says.
    pub words: String,
    /// What it is known by: the same twice is one bounce.
    pub mark: String,
    pub original: Vec<u8>,
}

/// What keeping a bounce did to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Kept; the reader is left as they are.
    Kept,
    Suppressed,
    /// This very mail was kept before; nothing was written.
    Before,
    /// There is no such subscriber any more; nothing was written.
    Nobody,
}

/// What came of a bounce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    pub verdict: Verdict,
    /// The edition that pauses now because of it.
    pub paused: Option<EditionKey>,
}

/// A bounce as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bounce {
    pub id: i64,
    pub at: Timestamp,
    pub edition: Option<EditionKey>,
    pub source: Source,
    pub class: Class,
    pub status: Option<String>,
    pub words: String,
    /// Whether this one suppressed the subscriber.
    pub suppressed: bool,
    pub undone_at: Option<Timestamp>,
    /// As text; none if it is older than a year.
    pub original: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undone {
    /// It does not count any more; the subscriber, whom it had suppressed, is this again.
    Back(State),
    /// It does not count any more; the subscriber stays as they are.
    Only,
    /// It does not count any more, but this other bounce still does.
    Behind(i64),
    Before,
    Unknown,
}

#[async_trait]
pub trait Bounces: Send + Sync {
    /// Keeps what came back and decides: who is dead or complains is suppressed at once, who rests when the last three editions
    /// sent to this address all did; policy touches nobody. What came from an address they have moved away from, too. An open
    /// edition that more than 0.1 % of those who got it complain of, and three of them at least, is paused.
    async fn keep_bounce(&self, new: &NewBounce, now: Timestamp) -> Result<Judged>;
    /// What came back from them, newest first.
    async fn bounces(&self, subscriber: i64) -> Result<Vec<Bounce>>;
    /// What came, in its own bytes.
    async fn bounce_original(&self, subscriber: i64, bounce: i64) -> Result<Option<Vec<u8>>>;
    /// A bounce that was none: it counts no more, and whom it suppressed is what they were.
    async fn undo_bounce(&self, subscriber: i64, bounce: i64, now: Timestamp) -> Result<Undone>;
}
