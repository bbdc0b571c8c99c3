//! What one scan of the posts gave to show, swapped in as a whole: a request sees one scan or the next, never half of
//! each.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use axum::body::Bytes;
use axum::http::HeaderValue;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::Notify;

use super::conditional::{content_type, date, tag};
use super::counts::Counts;
use super::encoding::Encoding;
use super::forms::{Forms, Room};
use super::hub::Hub;
use super::standing::{Attempts, Standing};

use crate::domain::dialect::slug;
use crate::domain::edition::EditionPost;
use crate::domain::hash;
use crate::domain::network::Network;
use crate::domain::record::Record;
use crate::render::{feed_page, page};

/// What the configuration says of the blog.
#[derive(Debug, Clone)]
pub struct Blog {
    pub title: String,
    pub description: String,
    pub language: String,
    pub zone: TimeZone,
    /// The blog itself.
    pub url: String,
    /// What the addresses of its feeds, and its own, have between the host and the first name: `/blog`, or nothing.
    pub feeds_path: String,
    pub site_path: String,
    /// The feeds shown on the front door.
    pub feeds: Vec<FeedLink>,
    /// Whether people can subscribe here, from which sites' scripts, and how often from one network.
    pub subscribe: bool,
    pub origins: Vec<String>,
    /// The daemon's own hub, if it is one.
    pub hub: Option<Hub>,
    pub network_an_hour: u32,
    /// Who is believed when it says whom a request comes from.
    pub proxies: Vec<Network>,
    /// Whether whoever comes over a socket in the file system is.
    pub unix_proxy: bool,
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
#[derive(Debug, Clone)]
pub struct Document {
    pub content: Content,
    /// Without a charset.
    pub media_type: &'static str,
    /// Of the bytes.
    pub hash: u128,
    /// In bytes.
    pub size: usize,
    /// When the bytes last changed.
    pub modified: Timestamp,
    /// What the `Link` header says: of a feed with hubs, these and its own address.
    pub(super) link: Option<HeaderValue>,
    /// The same for every snapshot in which the bytes are.
    pub(super) forms: Arc<Forms>,
    pub(super) head: Arc<Head>,
}

/// What every answer with the same bytes says of them.
#[derive(Debug)]
pub(super) struct Head {
    pub tag: HeaderValue,
    pub content_type: HeaderValue,
    modified: OnceLock<(Timestamp, Option<HeaderValue>)>,
}

impl Document {
    #[must_use]
    pub fn new(bytes: impl Into<Bytes>, media_type: &'static str, modified: Timestamp) -> Self {
        let bytes = bytes.into();
        let (hash, size) = (hash::of(&bytes), bytes.len());
        Self::of(Content::Memory(bytes), media_type, hash, size, modified)
    }

    /// A file that is replaced as a whole when it changes. Only the forms readers ask for are kept in memory.
    #[must_use]
    pub fn file(path: PathBuf, media_type: &'static str, hash: u128, size: usize, modified: Timestamp) -> Self {
        Self::of(Content::File(path), media_type, hash, size, modified)
    }

    fn of(content: Content, media_type: &'static str, hash: u128, size: usize, modified: Timestamp) -> Self {
        let head = Head { tag: tag(hash), content_type: content_type(media_type), modified: OnceLock::new() };
        Self { content, media_type, hash, size, modified, link: None, forms: Arc::default(), head: Arc::new(head) }
    }

    #[must_use]
    pub fn linking(mut self, link: Option<String>) -> Self {
        self.link = link.and_then(|link| HeaderValue::try_from(link).ok());
        self
    }

    /// The feeds of the whole blog will be asked for, by nearly every reader compressed.
    fn front(&self) {
        self.forms.want(Encoding::Gzip);
    }

    /// `modified` as a header says it.
    pub(super) fn last_modified(&self) -> Option<HeaderValue> {
        let (told, value) = self.head.modified.get_or_init(|| (self.modified, date(self.modified)));
        if *told == self.modified { value.clone() } else { date(self.modified) }
    }

    /// The bytes themselves. A file that has been replaced since is not this document any more.
    pub(super) fn plain(&self) -> io::Result<Bytes> {
        let bytes = self.read()?;
        if hash::of(&bytes) == self.hash {
            return Ok(bytes);
        }
        Err(io::Error::other("it has been replaced by a newer one"))
    }

    /// What is there now: these bytes, or, for a moment, those of the next snapshot.
    pub(super) fn read(&self) -> io::Result<Bytes> {
        let path = match &self.content {
            Content::Memory(bytes) => return Ok(bytes.clone()),
            Content::File(path) => path,
        };
        match self.forms.get(Encoding::Identity) {
            Some(bytes) => Ok(bytes),
            None => std::fs::read(path).map(Bytes::from),
        }
    }

    /// The same bytes keep their forms and their date; new ones are wanted in the same forms, and get a later date, by whole
    /// seconds as HTTP counts them: readers that see only one of a document's two marks change stop asking politely.
    fn follow(&mut self, before: &Self) {
        if before.hash == self.hash {
            self.modified = before.modified;
            self.forms = Arc::clone(&before.forms);
            if before.media_type == self.media_type {
                self.head = Arc::clone(&before.head);
            }
            return;
        }
        self.forms.want_as(&before.forms);
        let next = Timestamp::from_second(before.modified.as_second().saturating_add(1));
        self.modified = self.modified.max(next.unwrap_or(self.modified));
    }
}

/// Where a document's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Memory(Bytes),
    File(PathBuf),
}

/// A file of the site's own that a post encloses. It is opened for each reader anew, by whoever knows which files are.
#[derive(Clone)]
pub struct Medium {
    pub(super) media_type: String,
    pub(super) open: Arc<dyn Fn() -> Option<File> + Send + Sync>,
}

impl Medium {
    pub fn new(media_type: String, open: impl Fn() -> Option<File> + Send + Sync + 'static) -> Self {
        Self { media_type, open: Arc::new(open) }
    }
}

impl std::fmt::Debug for Medium {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Medium").field("media_type", &self.media_type).finish_non_exhaustive()
    }
}

/// The media type of `feeds.opml`.
pub const OPML: &str = "text/x-opml";

#[derive(Debug, Clone)]
pub struct Published {
    pub blog: Blog,
    /// By path below the root, without a leading slash: `tags/rust/atom.xml`.
    pub documents: BTreeMap<String, Document>,
    /// Where documents have moved to: old name to new.
    pub moved: BTreeMap<String, String>,
    /// Files that posts enclose, by path below the blog with the leading slash.
    pub media: BTreeMap<String, Medium>,
    /// Paths below the blog, with their leading slash, of posts that were taken back.
    pub gone: BTreeSet<String>,
    pub goals: Vec<Record>,
    /// The latest, newest first.
    pub posts: Vec<EditionPost>,
    /// When the posts were scanned; none before the first time.
    pub scanned_at: Option<Timestamp>,
}

impl Published {
    /// With its name, by the path that was asked for. It is looked up in memory: no spelling of `..` leads anywhere.
    #[must_use]
    pub fn document(&self, path: &str) -> Option<(&str, &Document)> {
        self.spelled(path, |path| {
            let name = path.strip_prefix('/')?;
            let found = self.documents.get_key_value(name).or_else(|| self.index(name))?;
            Some((found.0.as_str(), found.1))
        })
    }

    /// What stands for a folder: its page; without one, a feed.
    fn index(&self, folder: &str) -> Option<(&String, &Document)> {
        if !folder.ends_with('/') {
            return None;
        }
        let start = format!("{folder}index.");
        let files = self.documents.range::<str, _>((Bound::Included(start.as_str()), Bound::Unbounded));
        let files = files.take_while(|(name, _)| name.starts_with(&start));
        files.min_by_key(|(_, document)| match document.media_type {
            "text/html" => 0,
            "application/rss+xml" => 1,
            _ => 2,
        })
    }

    /// Where what was asked for stands now; a folder's name without its slash leads to the folder.
    #[must_use]
    pub fn moved_to(&self, path: &str) -> Option<String> {
        self.spelled(path, |path| {
            let name = path.trim_matches('/');
            let folder = || Some(format!("{name}/")).filter(|name| !path.ends_with('/') && self.index(name).is_some());
            self.moved.get(name).cloned().or_else(folder)
        })
    }

    #[must_use]
    pub fn medium(&self, path: &str) -> Option<&Medium> {
        self.spelled(path, |path| self.media.get(path))
    }

    #[must_use]
    pub fn is_gone(&self, path: &str) -> bool {
        self.spelled(path, |path| self.gone.get(path.trim_end_matches('/'))).is_some()
    }

    /// What `look` finds by a path as it was sent; else without its percent-encoding; else below the path of the feeds' or the
    /// blog's address, which a proxy takes off before it asks, or not.
    fn spelled<'a, T>(&'a self, sent: &str, look: impl Fn(&str) -> Option<T> + 'a) -> Option<T> {
        if let Some(found) = look(sent) {
            return Some(found);
        }
        let plain = slug::decode_path(sent).unwrap_or(sent.into());
        let bases = [&self.blog.feeds_path, &self.blog.site_path];
        let spellings = bases.into_iter().filter_map(|base| slug::below(&plain, base)).chain([&*plain]);
        { spellings }.filter(|path| *path != sent).find_map(look)
    }

    /// What there is before the first scan: who the blog is.
    #[must_use]
    pub fn nothing_yet(blog: Blog) -> Self {
        Self {
            blog,
            documents: BTreeMap::new(),
            moved: BTreeMap::new(),
            media: BTreeMap::new(),
            gone: BTreeSet::new(),
            goals: Vec::new(),
            posts: Vec::new(),
            scanned_at: None,
        }
    }

    fn following(mut self, before: &Self) -> Self {
        for (path, document) in &mut self.documents {
            match before.documents.get(path) {
                Some(old) => document.follow(old),
                None if !path.contains('/') => document.front(),
                None => {}
            }
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
            feed_list: self.documents.contains_key(&format!("{}index.html", feed_page::LIST)),
            subscribe: blog.subscribe,
        })
    }
}

/// Where the daemon puts the newest snapshot and handlers find it.
#[derive(Debug, Clone)]
pub struct Shared(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    newest: RwLock<Arc<Published>>,
    /// For the forms of all documents.
    room: Arc<Room>,
    /// A form is missing.
    asked: Notify,
    /// A file is missing.
    missed: Notify,
    counts: Arc<Counts>,
    attempts: RwLock<Option<Attempts>>,
    standing: RwLock<Standing>,
}

impl Shared {
    /// `memory` is how many bytes documents may take in all their forms.
    #[must_use]
    pub fn new(published: Published, memory: usize) -> Self {
        Self(Arc::new(Inner {
            newest: RwLock::new(Arc::new(published)),
            room: Room::new(memory),
            asked: Notify::new(),
            missed: Notify::new(),
            counts: Arc::default(),
            attempts: RwLock::default(),
            standing: RwLock::default(),
        }))
    }

    #[must_use]
    pub fn get(&self) -> Arc<Published> {
        // Nothing can panic while it is held, and a whole snapshot is in it at any time.
        Arc::clone(&self.0.newest.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// One daemon calls this; requests under way finish with what they began with.
    pub fn set(&self, published: Published) {
        let next = Arc::new(published.following(&self.get()));
        *self.0.newest.write().unwrap_or_else(PoisonError::into_inner) = next;
        self.0.asked.notify_one();
    }

    /// How things stand, whatever came of the last pass.
    pub fn tell_standing(&self, standing: Standing) {
        *self.0.standing.write().unwrap_or_else(PoisonError::into_inner) = standing;
    }

    pub(super) fn standing(&self) -> Standing {
        self.0.standing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Who can tell what came of attempts from now on.
    pub fn tell_attempts(&self, attempts: Attempts) {
        *self.0.attempts.write().unwrap_or_else(PoisonError::into_inner) = Some(attempts);
    }

    pub(super) fn attempts(&self) -> Vec<(String, &'static str, u64)> {
        let attempts = self.0.attempts.read().unwrap_or_else(PoisonError::into_inner).clone();
        attempts.map(|attempts| (attempts.0)()).unwrap_or_default()
    }

    /// For how long nobody was seen to let readers in.
    #[must_use]
    pub fn silent_for(&self) -> std::time::Duration {
        self.counts().life.silent_for()
    }

    pub(super) fn counts(&self) -> &Arc<Counts> {
        &self.0.counts
    }

    pub(super) fn room(&self) -> Arc<Room> {
        Arc::clone(&self.0.room)
    }

    /// Has a form made, if nobody has asked for it before.
    pub(super) fn want(&self, document: &Document, encoding: Encoding) {
        if document.forms.want(encoding) {
            self.0.asked.notify_one();
        }
    }

    /// A document's file is not where it was put.
    pub(super) fn miss(&self) {
        self.0.missed.notify_one();
    }

    /// Comes back when a reader has asked for a document whose file is gone.
    pub async fn missed(&self) {
        self.0.missed.notified().await;
    }

    /// Comes back when there may be forms to make.
    pub(super) async fn asked(&self) {
        self.0.asked.notified().await;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn blog() -> Blog {
        Blog {
            title: String::new(),
            description: String::new(),
            language: String::new(),
            zone: TimeZone::UTC,
            url: String::new(),
            feeds_path: String::new(),
            site_path: String::new(),
            feeds: Vec::new(),
            subscribe: true,
            origins: Vec::new(),
            hub: None,
            network_an_hour: 10,
            proxies: Vec::new(),
            unix_proxy: false,
            tags: Vec::new(),
            authors: Vec::new(),
        }
    }

    #[test]
    fn a_document_s_date_changes_exactly_when_its_bytes_do() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let blog = blog();
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
            let shared = Shared::new(published(before.0, before.1), 0);
            shared.set(published(after.0, after.1));
            assert_eq!(shared.get().documents["feed.xml"].modified, at(expected), "{before:?} {after:?}");
        }
    }
}
