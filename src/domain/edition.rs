//! An edition: the digest of one period, frozen once opened. What goes in, and in which state it is; how it looks is
//! `render::digest`'s work.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::author::Author;
use super::period::Period;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Deliveries are going out.
    Open,
    /// The operator said wait.
    Paused,
    /// Every delivery has its outcome.
    Finished,
    /// The operator called it off; what was not out is skipped.
    Cancelled,
    /// The period had nothing to send; kept so that it is decided once.
    Skipped,
}

impl State {
    pub const ALL: [Self; 5] = [Self::Open, Self::Paused, Self::Finished, Self::Cancelled, Self::Skipped];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// One post as the edition froze it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditionPost {
    pub id: String,
    pub url: String,
    pub title: String,
    pub date: Timestamp,
    pub authors: Vec<Author>,
    pub tags: Vec<String>,
    /// Plain text.
    pub excerpt: String,
    pub words: usize,
}

/// An edition as it was frozen.
#[derive(Debug, Clone, PartialEq)]
pub struct Edition {
    pub period: Period,
    pub state: State,
    pub subject: String,
    /// Text and HTML with the recipient's parts left open (see `render::digest`).
    pub text: String,
    pub html: String,
    /// What it was rendered from (posts, late posts, goal, drafts), as JSON.
    pub content: serde_json::Value,
    /// How many posts it announces.
    pub posts: u32,
    pub opened_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}
