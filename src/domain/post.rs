//! A post: one source file, as the rest of the program sees it. Knows its metadata and where its text is, not the
//! text itself, so that a blog of ten thousand posts fits in memory.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use super::author::Author;

/// Whether readers may see a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Published,
    Draft,
    /// Dated in the future; publishes itself at its minute.
    Scheduled,
    /// Was in the feeds once and has been taken back (`published: false`, or made a draft again).
    Withdrawn,
}

impl State {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Draft => "draft",
            Self::Scheduled => "scheduled",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// The picture that stands for a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Absolute.
    pub url: String,
    /// For those who do not see it; empty if the post says nothing.
    pub alt: String,
}

/// A file that belongs to a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enclosure {
    /// Absolute.
    pub url: String,
    /// `audio/mpeg`
    pub media_type: String,
    /// In bytes; `None` until the file has been looked at.
    pub length: Option<u64>,
    /// If it is the site's own file, as the post has it, and from the blog's address on: `/audio/1.mp3`, `1.mp3`.
    pub file: Option<String>,
}

/// What is the same from one pass to the next is shared with whoever read the file: of ten thousand posts there is one copy.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// The entry's id: empty until the catalogue is joined with the ledger, where the first one ever given wins.
    pub id: String,
    /// From the front matter, or from the ledger when the visible text has changed since publication.
    pub updated: Option<Timestamp>,
    pub state: State,
    /// The same in another language, which counts and is announced for both.
    pub original: Option<Arc<Written>>,
    pub written: Arc<Written>,
}

/// What the file itself says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Written {
    /// Relative to the posts directory, `/`-separated.
    pub path: Arc<str>,
    /// `id` or `guid` from the front matter.
    pub own_id: Option<String>,
    /// The post's page: absolute and percent-encoded.
    pub url: String,
    pub title: String,
    /// `None` only for drafts without a date.
    pub date: Option<Timestamp>,
    /// `minor: true`: changes of the text do not move `updated`.
    pub minor: bool,
    /// The text names other posts, so their addresses matter to it.
    pub refers: bool,
    #[serde(deserialize_with = "exact")]
    pub authors: Vec<Author>,
    #[serde(deserialize_with = "exact")]
    pub tags: Vec<String>,
    #[serde(deserialize_with = "exact")]
    pub categories: Vec<String>,
    /// Hugo's and Zola's: the folder below the content.
    pub section: Option<String>,
    /// `excerpt`, `description` or `summary` from the front matter.
    pub summary: Option<String>,
    pub language: Option<String>,
    /// What it is, in whatever language: all its translations have the same. None where a site has one language.
    pub work: Option<Box<str>>,
    /// `featured: true` or `lead: true`: it comes first in its digest.
    pub featured: bool,
    /// Front matter `correction`: what was wrong, for those who have read it.
    pub correction: Option<String>,
    /// Front matter `image`.
    pub image: Option<Box<Image>>,
    /// Front matter `enclosure` or `audio`: what a podcast's listener gets.
    pub enclosure: Option<Box<Enclosure>>,
    /// How long the file is.
    pub source_bytes: usize,
    /// Identifies the file's bytes.
    pub source_hash: u128,
    /// Identifies the text below the front matter; survives a change of metadata.
    pub body_hash: u128,
    /// The file's modification time.
    pub modified: Timestamp,
}

/// A list without the room that reading it left at its end: ten thousand posts have three each, of one or two things.
fn exact<'de, D: Deserializer<'de>, T: Deserialize<'de>>(list: D) -> Result<Vec<T>, D::Error> {
    let mut list = Vec::deserialize(list)?;
    list.shrink_to_fit();
    Ok(list)
}

impl Written {
    /// The same, without room at the end of its lists.
    #[must_use]
    pub fn exact(mut self) -> Self {
        self.authors.shrink_to_fit();
        self.tags.shrink_to_fit();
        self.categories.shrink_to_fit();
        self
    }

    #[must_use]
    pub fn by(&self, author: &str) -> bool {
        self.authors.iter().any(|a| a.is(author))
    }

    /// Whether it stands in that folder, or below it.
    #[must_use]
    pub fn is_in(&self, section: &str) -> bool {
        let wanted = section.trim().trim_matches('/').to_lowercase();
        let own = self.section.as_deref().unwrap_or_default().to_lowercase();
        own == wanted || own.strip_prefix(&wanted).is_some_and(|rest| rest.starts_with('/'))
    }

    #[must_use]
    pub fn tagged(&self, tag: &str) -> bool {
        let wanted = tag.trim().to_lowercase();
        self.tags.iter().any(|t| t.to_lowercase() == wanted)
    }
}

impl Deref for Post {
    type Target = Written;

    fn deref(&self) -> &Written {
        &self.written
    }
}

/// A change is this post's alone: what was shared is copied first.
impl DerefMut for Post {
    fn deref_mut(&mut self) -> &mut Written {
        Arc::make_mut(&mut self.written)
    }
}

impl From<Written> for Post {
    fn from(written: Written) -> Self {
        Arc::new(written).into()
    }
}

impl From<Arc<Written>> for Post {
    fn from(written: Arc<Written>) -> Self {
        Self { id: String::new(), updated: None, state: State::Draft, original: None, written }
    }
}

impl Post {
    #[must_use]
    pub fn is_published(&self) -> bool {
        self.state == State::Published
    }

    #[must_use]
    pub fn is_translation(&self) -> bool {
        self.original.is_some()
    }

    /// Its language, or the site's.
    #[must_use]
    pub fn language_or<'a>(&'a self, site: &'a str) -> &'a str {
        self.language.as_deref().unwrap_or(site)
    }
}

/// A language's code in one spelling: `pt_BR` and `pt-br` are one language.
#[must_use]
pub fn language_code(written: &str) -> String {
    written.trim().to_lowercase().replace('_', "-")
}

#[cfg(test)]
impl Post {
    /// A published post, for tests that say only what they are about.
    #[must_use]
    pub fn published(written: Written) -> Self {
        Self { state: State::Published, ..written.into() }
    }
}

#[cfg(test)]
impl Written {
    /// A file about nothing.
    #[must_use]
    pub fn sample() -> Self {
        Self {
            path: "sample.md".into(),
            own_id: None,
            url: "https://a.example/sample".into(),
            title: "Sample".into(),
            date: None,
            minor: false,
            refers: false,
            authors: Vec::new(),
            tags: Vec::new(),
            categories: Vec::new(),
            section: None,
            summary: None,
            language: None,
            work: None,
            featured: false,
            correction: None,
            image: None,
            enclosure: None,
            source_bytes: 0,
            source_hash: 0,
            body_hash: 0,
            modified: Timestamp::UNIX_EPOCH,
        }
    }
}
