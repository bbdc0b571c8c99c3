//! What is published: `[site]`, `[posts]`, `[feeds]`, `[[goal]]`, `[[authors]]`, `[report]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Span;
use crate::domain::extra_feed::ExtraFeed;
use crate::domain::feed_format::{FeedContent, Format};
use crate::domain::period::Per;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Site {
    pub title: String,
    /// The blog's address, without a trailing slash.
    pub url: String,
    pub description: String,
    pub language: String,
    /// IANA name; days and months are this zone's.
    pub time_zone: String,
    /// Stands in for posts that name nobody.
    pub author: String,
    /// The editors' address, if readers may write to it.
    pub email: String,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            title: String::new(),
            url: String::new(),
            description: String::new(),
            language: "en".into(),
            time_zone: "UTC".into(),
            author: String::new(),
            email: String::new(),
        }
    }
}

impl Site {
    /// The zone all calendar questions are asked in; `load` has checked the name.
    #[must_use]
    pub fn zone(&self) -> jiff::tz::TimeZone {
        crate::domain::dates::zone(&self.time_zone).unwrap_or(jiff::tz::TimeZone::UTC)
    }

    #[must_use]
    pub fn today(&self, now: Timestamp) -> Date {
        self.zone().to_datetime(now).date()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PostsFormat {
    #[default]
    Auto,
    Jekyll,
    Hugo,
    Zola,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Posts {
    pub dir: PathBuf,
    pub format: PostsFormat,
    /// Empty: by the site's own configuration, else by dialect.
    pub permalink: String,
    /// Hugo's `[permalinks]`: section = pattern.
    pub permalinks: BTreeMap<String, String>,
    /// A file younger than this is not believed yet, unless its writer has closed it.
    pub settle: Span,
    /// An edition takes only posts that have been still for this long.
    pub freeze_age: Span,
    /// Larger files are left out, with a problem.
    pub max_bytes: u64,
    /// How often the whole directory is read again, whatever the watcher says.
    pub rescan: Span,
}

impl Default for Posts {
    fn default() -> Self {
        Self {
            dir: "_posts".into(),
            format: PostsFormat::Auto,
            permalink: String::new(),
            permalinks: BTreeMap::new(),
            settle: Span::seconds(2),
            freeze_age: Span::minutes(10),
            max_bytes: 5_000_000,
            rescan: Span::minutes(5),
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "switches of the configuration, each of its own")]
pub struct Feeds {
    pub out: PathBuf,
    /// Where `out` is served; empty: `site.url`.
    pub url: String,
    pub formats: Vec<Format>,
    /// Entries in one feed, at most, and how much they may weigh together, in bytes.
    pub limit: usize,
    pub max_bytes: u64,
    pub content: FeedContent,
    pub tags: bool,
    pub authors: bool,
    pub categories: bool,
    /// Of Hugo's and Zola's sections, and of languages, if there are several.
    pub sections: bool,
    pub languages: bool,
    /// Each tag, author and so on has a page beside its feeds.
    pub pages: bool,
    /// RFC 6721: entries that were taken back are named in the Atom feed.
    pub tombstones: bool,
    /// File names, so that a blog keeps the addresses its readers have.
    pub rss: String,
    pub atom: String,
    pub json: String,
    pub opml: String,
    /// WebSub: hubs that are told of each change, and that feeds name.
    pub hubs: Vec<String>,
    /// Whether the daemon is a hub itself, and whether it calls subscribers in private networks, too.
    pub hub: bool,
    pub hub_private: bool,
    /// How browsers show a feed; empty: as they like.
    pub stylesheet: String,
    /// Addresses that feeds have had: old = new, both below `feeds.url`.
    pub moved: BTreeMap<String, String>,
    /// Shown only where there are some: TOML has no other way to write more of them below.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<ExtraFeed>,
}

impl Default for Feeds {
    fn default() -> Self {
        Self {
            out: "public".into(),
            url: String::new(),
            formats: vec![Format::Rss, Format::Atom, Format::Json],
            limit: 50,
            max_bytes: 250_000,
            content: FeedContent::Full,
            tags: true,
            authors: true,
            categories: true,
            sections: true,
            languages: true,
            pages: true,
            tombstones: false,
            rss: "feed.xml".into(),
            atom: "atom.xml".into(),
            json: "feed.json".into(),
            opml: "feeds.opml".into(),
            hubs: Vec::new(),
            hub: false,
            hub_private: false,
            stylesheet: "feed.css".into(),
            moved: BTreeMap::new(),
            extra: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Goal {
    /// Empty: "goal", or the name of its author, tag or section.
    pub name: String,
    /// How many posts a period.
    pub posts: u32,
    pub per: Per,
    /// A day or a period; empty: the period of the first post.
    pub since: String,
    pub author: String,
    pub tag: String,
    /// A folder of the posts, as Hugo's and Zola's sections are.
    pub section: String,
    /// Periods that do not count: holidays.
    pub pauses: Vec<String>,
}

impl Default for Goal {
    fn default() -> Self {
        Self {
            name: String::new(),
            posts: 1,
            per: Per::Month,
            since: String::new(),
            author: String::new(),
            tag: String::new(),
            section: String::new(),
            pauses: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Talks, releases and the like that reports tell of, as TOML or CSV.
    pub facts: PathBuf,
}

/// `[[authors]]`: how one author is called in posts, and where they can be reached.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AuthorAlias {
    pub name: String,
    pub aliases: Vec<String>,
    pub email: String,
    pub url: String,
    pub organisation: String,
}
