//! What one scan of the posts gave to show, swapped in as a whole: a request sees one scan or the next, never half of
//! each.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use axum::body::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::edition::EditionPost;
use crate::domain::goal::GoalStatus;
use crate::domain::hash;
use crate::domain::network::Network;
use crate::render::page;

/// What the configuration says of the blog.
#[derive(Debug, Clone)]
pub struct Blog {
    pub title: String,
    pub description: String,
    pub language: String,
    pub zone: TimeZone,
    /// The blog itself.
    pub url: String,
    /// The feeds shown on the front door.
    pub feeds: Vec<FeedLink>,
    /// Whether people can subscribe here, from which sites' scripts, and how often from one network.
    pub subscribe: bool,
    pub origins: Vec<String>,
    pub network_an_hour: u32,
    /// Who is believed when it says whom a request comes from.
    pub proxies: Vec<Network>,
    /// What readers can choose from: what is used most, first.
    pub tags: Vec<String>,
    pub authors: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedLink {
    pub name: String,
    pub url: String,
    pub media_type: String,
}

/// A file served as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub content: Content,
    /// Without a charset.
    pub media_type: &'static str,
    /// Of the bytes.
    pub hash: u128,
    /// When the bytes last changed.
    pub modified: Timestamp,
}

impl Document {
    #[must_use]
    pub fn new(bytes: impl Into<Bytes>, media_type: &'static str, modified: Timestamp) -> Self {
        let bytes = bytes.into();
        Self { hash: hash::of(&bytes), content: Content::Memory(bytes), media_type, modified }
    }

    /// A file that is replaced as a whole when it changes. A large blog's feeds are too much to be kept in memory twice.
    #[must_use]
    pub fn file(path: PathBuf, media_type: &'static str, hash: u128, modified: Timestamp) -> Self {
        Self { content: Content::File(path), media_type, hash, modified }
    }
}

/// Where a document's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Memory(Bytes),
    File(PathBuf),
}

/// The media type of `feeds.opml`.
pub const OPML: &str = "text/x-opml";

#[derive(Debug, Clone)]
pub struct Published {
    pub blog: Blog,
    /// By path below the root, without a leading slash: `tags/rust/atom.xml`.
    pub documents: BTreeMap<String, Document>,
    pub goals: Vec<GoalStatus>,
    /// The latest, newest first.
    pub posts: Vec<EditionPost>,
    /// When the posts were scanned; none before the first time.
    pub scanned_at: Option<Timestamp>,
}

impl Published {
    /// What there is before the first scan: who the blog is.
    #[must_use]
    pub fn nothing_yet(blog: Blog) -> Self {
        Self { blog, documents: BTreeMap::new(), goals: Vec::new(), posts: Vec::new(), scanned_at: None }
    }

    /// Gives every document that `before` had with the same bytes its old date, and every other a later one, by whole
    /// seconds as HTTP counts them: readers that see only one of a document's two marks change stop asking politely.
    fn following(mut self, before: &Self) -> Self {
        for (path, document) in &mut self.documents {
            let Some(old) = before.documents.get(path) else { continue };
            document.modified = if old.hash == document.hash {
                old.modified
            } else {
                let next = Timestamp::from_second(old.modified.as_second().saturating_add(1));
                document.modified.max(next.unwrap_or(document.modified))
            };
        }
        self
    }

    pub(super) fn with_site<T>(&self, render: impl FnOnce(&page::Site<'_>) -> T) -> T {
        self.with_site_in(&self.blog.language, render)
    }

    /// The site as a reader of another language sees it.
    pub(super) fn with_site_in<T>(&self, language: &str, render: impl FnOnce(&page::Site<'_>) -> T) -> T {
        let blog = &self.blog;
        let feeds: Vec<page::Feed<'_>> = blog
            .feeds
            .iter()
            .map(|feed| page::Feed { name: &feed.name, url: &feed.url, media_type: &feed.media_type })
            .collect();
        render(&page::Site {
            title: &blog.title,
            description: &blog.description,
            language,
            zone: &blog.zone,
            url: &blog.url,
            feeds: &feeds,
            subscribe: blog.subscribe,
        })
    }
}

/// Where the daemon puts the newest snapshot and handlers find it.
#[derive(Debug, Clone)]
pub struct Shared(Arc<RwLock<Arc<Published>>>);

impl Shared {
    #[must_use]
    pub fn new(published: Published) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(published))))
    }

    #[must_use]
    pub fn get(&self) -> Arc<Published> {
        // Nothing can panic while it is held, and a whole snapshot is in it at any time.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// One daemon calls this; requests under way finish with what they began with.
    pub fn set(&self, published: Published) {
        let next = Arc::new(published.following(&self.get()));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_s_date_changes_exactly_when_its_bytes_do() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let blog = Blog {
            title: String::new(),
            description: String::new(),
            language: String::new(),
            zone: TimeZone::UTC,
            url: String::new(),
            feeds: Vec::new(),
            subscribe: true,
            origins: Vec::new(),
            network_an_hour: 10,
            proxies: Vec::new(),
            tags: Vec::new(),
            authors: Vec::new(),
        };
        let published = |text: &'static str, second| Published {
            documents: BTreeMap::from([("feed.xml".into(), Document::new(text, "application/rss+xml", at(second)))]),
            ..Published::nothing_yet(blog.clone())
        };
        for (before, after, expected) in [
            (("a", 10), ("a", 20), 10),
            (("a", 10), ("b", 20), 20),
            (("a", 10), ("b", 10), 11),
            (("a", 10), ("b", 5), 11),
        ] {
            let shared = Shared::new(published(before.0, before.1));
            shared.set(published(after.0, after.1));
            assert_eq!(shared.get().documents["feed.xml"].modified, at(expected), "{before:?} {after:?}");
        }
    }
}
