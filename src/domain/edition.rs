//! An edition: what one mailing says, frozen once opened, and the key it is known by in the ledger. What goes in, and in
//! which state it is; how it looks is `render::digest`'s work.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize, Serializer};

use super::author::Author;
use super::hash;
use super::period::Period;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Deliveries are going out.
    Open,
    /// The operator said wait, or something did; then the edition has a reason.
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

/// A mail to one subscriber about their subscription. No edition: nobody else gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Notice {
    /// "Did you ask for this?"
    Confirm,
    /// The same question at a new address.
    Move,
    Welcome,
    /// Somebody who is subscribed has asked to subscribe.
    Already,
    /// A new link to the preferences.
    Link,
    /// "Send me my data."
    Data,
}

impl Notice {
    pub const ALL: [Self; 6] = [Self::Confirm, Self::Move, Self::Welcome, Self::Already, Self::Link, Self::Data];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Move => "move",
            Self::Welcome => "welcome",
            Self::Already => "already",
            Self::Link => "link",
            Self::Data => "data",
        }
    }
}

/// What a delivery delivers: the digest of a month or quarter, one post by itself, a notice of one day, or a letter to editors. With the
/// subscriber it names the delivery, so that nothing is queued twice: a notice of one kind goes out once a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EditionKey {
    Period(Period),
    /// The entry's id, hashed.
    Post(u64),
    Notice(Notice, Date),
    /// To editors; its name, hashed.
    Letter(u64),
}

const POST: &str = "post-";
const LETTER: &str = "letter-";

/// Half of it tells any two names of one blog apart.
fn half(name: &str) -> u64 {
    u64::try_from(hash::of(name.as_bytes()) & u128::from(u64::MAX)).unwrap_or_default()
}

impl EditionKey {
    #[must_use]
    pub fn post(entry_id: &str) -> Self {
        Self::Post(half(entry_id))
    }

    #[must_use]
    pub fn letter(name: &str) -> Self {
        Self::Letter(half(name))
    }

    /// Whether it is what people have subscribed to: consent decides, and an operator can pause it.
    #[must_use]
    pub fn is_edition(self) -> bool {
        matches!(self, Self::Period(_) | Self::Post(_))
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hashed = [(POST, Self::Post as fn(u64) -> Self), (LETTER, Self::Letter)];
        for (prefix, key) in hashed {
            if let Some(hex) = text.strip_prefix(prefix) {
                return u64::from_str_radix(hex, 16).ok().map(key).filter(|key| key.to_string() == text);
            }
        }
        let notice = Notice::ALL.into_iter().find_map(|notice| {
            let day = text.strip_prefix(notice.as_str())?.strip_prefix('-')?.parse().ok()?;
            Some(Self::Notice(notice, day))
        });
        notice.or_else(|| Period::parse(text).map(Self::Period))
    }

    #[must_use]
    pub fn period(self) -> Option<Period> {
        match self {
            Self::Period(period) => Some(period),
            Self::Post(_) | Self::Notice(..) | Self::Letter(_) => None,
        }
    }
}

impl From<Period> for EditionKey {
    fn from(period: Period) -> Self {
        Self::Period(period)
    }
}

impl fmt::Display for EditionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Period(period) => period.fmt(f),
            Self::Post(hash) => write!(f, "{POST}{hash:016x}"),
            Self::Notice(notice, day) => write!(f, "{}-{day}", notice.as_str()),
            Self::Letter(hash) => write!(f, "{LETTER}{hash:016x}"),
        }
    }
}

impl Serialize for EditionKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What one choice makes of an edition: a language, some of its posts. Written in the ledger as `de:0.2`; empty as it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Variant {
    /// None: the edition's own.
    pub language: Option<String>,
    /// Places among the posts and those after them that came late; none: all.
    pub posts: Option<Vec<usize>>,
}

impl Variant {
    #[must_use]
    pub fn is_as_it_is(&self) -> bool {
        self.language.is_none() && self.posts.is_none()
    }

    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (language, posts) = text.split_once(':').map_or((text, None), |(language, posts)| (language, Some(posts)));
        Self {
            language: Some(language).filter(|l| !l.is_empty()).map(str::to_owned),
            posts: posts.map(|posts| posts.split('.').filter_map(|place| place.parse().ok()).collect()),
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.language.as_deref().unwrap_or_default())?;
        let Some(posts) = &self.posts else { return Ok(()) };
        let posts: Vec<String> = posts.iter().map(usize::to_string).collect();
        write!(f, ":{}", posts.join("."))
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
    /// Whether its authors want it to come first.
    #[serde(default)]
    pub featured: bool,
    /// Its own, if it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub translations: Vec<Translation>,
}

/// The same post for readers of another language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Translation {
    pub id: String,
    /// None: the blog's.
    pub language: Option<String>,
    pub url: String,
    pub title: String,
    pub authors: Vec<Author>,
    pub tags: Vec<String>,
    pub excerpt: String,
    pub words: usize,
}

/// An edition as it was frozen.
#[derive(Debug, Clone, PartialEq)]
pub struct Edition {
    pub key: EditionKey,
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
    /// Why it pauses, if nobody said so by hand.
    pub reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_as_it_was_written_and_in_no_other_spelling() {
        for text in ["2021-05", "2021-Q2", "post-00c0ffee00c0ffee", "letter-00c0ffee00c0ffee", "confirm-2026-11-24"] {
            assert_eq!(EditionKey::parse(text).map(|key| key.to_string()).as_deref(), Some(text));
        }
        for text in
            ["", "post-", "post-1", "post-00C0FFEE00C0FFEE", "confirm-", "confirm-2026-13-01", "other-2026-01-01"]
        {
            assert_eq!(EditionKey::parse(text), None, "{text}");
        }
        assert_ne!(EditionKey::post("a"), EditionKey::post("b"));
    }

    #[test]
    fn a_variant_is_read_back_as_it_was_written() {
        for text in ["", "de", "pt-BR:0.2", ":0", ":12.30"] {
            assert_eq!(Variant::parse(text).to_string(), text);
        }
        assert!(Variant::parse("").is_as_it_is() && !Variant::parse(":0").is_as_it_is());
    }
}
