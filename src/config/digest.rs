//! What is mailed, and when: `[digest]`, and to editors `[nudge]`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Span;
use crate::domain::style::{Look, Style};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenEmpty {
    #[default]
    Skip,
    Send,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// It goes out when it is due.
    #[default]
    None,
    /// The editors get a preview, and it goes out when one of them releases it.
    Manual,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Digest {
    pub enabled: bool,
    /// Five-field cron, in `site.time_zone`: when the closed month's digest is opened.
    pub schedule: String,
    pub when_empty: WhenEmpty,
    /// `Name <address>`; needed to send.
    pub from: String,
    pub reply_to: String,
    /// Addresses of subscribers who get an edition before the others: those who would see what is wrong with it.
    pub editors: Vec<String>,
    /// Whether an edition that is due waits for an editor's word.
    pub approval: Approval,
    /// Template of the subject: `{{ lead }}`, `{{ more }}`, `{{ title }}`, `{{ month }}`, `{{ posts }}`. Empty: what is in it.
    pub subject: String,
    pub postal_address: String,
    /// Whether drafts in the making are named.
    pub drafts: bool,
    /// A digest that is later than this is not caught up.
    pub catch_up: Span,
    /// How long after its publication a post is mailed to those who get each by itself: an accidental save is not.
    pub grace: Span,
    /// Templates found here replace the embedded ones, one by one.
    pub templates: PathBuf,
    pub look: Look,
    pub style: Style,
}

impl Default for Digest {
    fn default() -> Self {
        Self {
            enabled: true,
            schedule: "0 9 1 * *".into(),
            when_empty: WhenEmpty::Skip,
            from: String::new(),
            reply_to: String::new(),
            editors: Vec::new(),
            approval: Approval::None,
            subject: String::new(),
            postal_address: String::new(),
            drafts: true,
            catch_up: Span::days(28),
            grace: Span::minutes(60),
            templates: "templates".into(),
            look: Look::Classic,
            style: Style::default(),
        }
    }
}

/// `[nudge]`: what editors are told of their goals. Nothing, unless the owner asks for it; readers never.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Nudge {
    /// Whom to write to; empty: `digest.editors`.
    pub to: Vec<String>,
    /// When within a period that is open and unmet: `day 15`, `3 days left`; empty: never.
    pub stages: Vec<String>,
    /// Whether editors are told on the first of a month how the one before closed.
    pub monthly: bool,
    /// The hour of all this, in `site.time_zone`.
    pub at: String,
}

impl Default for Nudge {
    fn default() -> Self {
        Self { to: Vec::new(), stages: Vec::new(), monthly: false, at: "09:00".into() }
    }
}
