//! The one neutral model behind RSS, Atom and JSON Feed: what stands in a feed that has been planned (`feed_plan`). The
//! writers beside this module turn it into bytes, one thin file a format. Knows no file system.

use jiff::Timestamp;

use super::feed_plan::{Kind, Plan};

use crate::domain::author::Author;
use crate::domain::body::Body;
use crate::domain::dialect::slug;
use crate::domain::extra_feed::ExtraFeed;
use crate::domain::feed_format::Format;
use crate::domain::plain;
use crate::domain::post::{Enclosure, Image, Post};

/// What all feeds of a blog have in common.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "switches of the configuration, each of its own")]
pub struct Settings {
    pub title: String,
    pub description: String,
    /// The blog's page, without a trailing slash.
    pub site_url: String,
    /// Where the feeds are served, without a trailing slash.
    pub feeds_url: String,
    pub language: String,
    pub author: Option<Author>,
    /// The formats wanted and their file names.
    pub formats: Vec<(Format, String)>,
    pub opml: String,
    /// Entries in one feed, at most, and how much they may weigh together, in bytes.
    pub limit: usize,
    pub max_bytes: u64,
    /// Full text, or only the summary.
    pub full: bool,
    pub tags: bool,
    pub authors: bool,
    pub categories: bool,
    pub sections: bool,
    pub languages: bool,
    pub extra: Vec<ExtraFeed>,
    /// The stylesheet that browsers show feeds with, below the feeds' root; empty: none.
    pub stylesheet: String,
    /// Each tag, author and so on has a page beside its feeds.
    pub pages: bool,
    /// RFC 6721: entries that were taken back are named in the Atom feed.
    pub tombstones: bool,
    /// WebSub.
    pub hubs: Vec<String>,
}

impl Settings {
    /// Where the stylesheet is served, if there is one.
    #[must_use]
    pub fn stylesheet(&self) -> Option<String> {
        (!self.stylesheet.is_empty()).then(|| address(self, &self.stylesheet))
    }

    /// The file name of a format, if it is wanted.
    #[must_use]
    pub fn name(&self, format: Format) -> Option<&str> {
        self.formats.iter().find(|(f, _)| *f == format).map(|(_, name)| name.as_str())
    }
}

/// A feed ready to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Feed {
    /// The same in all three formats.
    pub id: String,
    pub title: String,
    pub description: String,
    pub language: String,
    /// The page for people.
    pub page: String,
    /// Where each format of this feed is.
    pub addresses: Vec<(Format, String)>,
    pub author: Option<Author>,
    /// The newest entry's; the epoch for a feed without entries, so that it is valid and stays the same.
    pub updated: Timestamp,
    pub entries: Vec<Entry>,
    /// RFC 5005.
    pub complete: bool,
    pub archive: bool,
    pub previous: Option<String>,
    pub current: Option<String>,
    /// How browsers are to show it.
    pub stylesheet: Option<String>,
    /// RFC 6721: what was taken back, and when.
    pub tombstones: Vec<(String, Timestamp)>,
    /// WebSub: where readers can have themselves told of changes.
    pub hubs: Vec<String>,
}

impl Feed {
    #[must_use]
    pub fn address(&self, format: Format) -> &str {
        self.addresses.iter().find(|(f, _)| *f == format).map_or("", |(_, address)| address)
    }

    /// In how many bytes most such feeds find room, markup escaped.
    #[must_use]
    pub fn likely_size(&self) -> usize {
        let texts = self.entries.iter().map(|entry| entry.html.as_ref().map_or(0, String::len) + entry.summary.len());
        texts.map(|text| text + text / 4 + 2_000).sum()
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub id: String,
    pub url: String,
    pub title: String,
    pub published: Timestamp,
    pub updated: Timestamp,
    pub authors: Vec<Author>,
    /// Tags and categories.
    pub terms: Vec<String>,
    pub summary: String,
    /// `None` where only summaries are wanted.
    pub html: Option<String>,
    pub language: Option<String>,
    pub image: Option<Image>,
    pub enclosure: Option<Enclosure>,
}

impl Entry {
    /// Everything in it can stand in XML: whatever a post holds, one of its characters never breaks a feed.
    #[must_use]
    pub fn new(post: &Post, body: &Body, full: bool) -> Self {
        let published = post.date.unwrap_or(Timestamp::UNIX_EPOCH);
        let mut terms = post.tags.clone();
        terms.extend(post.categories.iter().filter(|c| !post.tagged(c)).cloned());
        Self {
            id: plain::line(&post.id),
            url: post.url.clone(),
            title: plain::line(&post.title),
            published,
            updated: post.updated.unwrap_or(published).max(published),
            authors: post.authors.iter().map(clean).collect(),
            terms,
            summary: plain::line(&body.excerpt),
            html: full.then(|| plain::lines(&body.html).into_owned()),
            language: post.language.clone(),
            image: post.image.as_deref().map(|image| Image { alt: plain::line(&image.alt), ..image.clone() }),
            // RSS cannot say that it does not know how long a file is.
            enclosure: post.enclosure.as_deref().filter(|enclosure| enclosure.length.is_some()).cloned(),
        }
    }
}

/// How much an entry adds to a feed in the format that makes most of it, in bytes: markup is escaped in Atom.
#[must_use]
pub fn weight(post: &Post, body: &Body) -> u64 {
    // Names of elements, dates and the like.
    const FRAME: usize = 900;
    let terms: usize = post.tags.iter().chain(&post.categories).map(|term| plain::escaped_length(term) + 30).sum();
    let people: usize = post.authors.iter().map(|author| plain::escaped_length(&author.name) + 120).sum();
    let media = post.image.as_ref().map_or(0, |image| image.url.len() + image.alt.len() + 150)
        + post.enclosure.as_ref().map_or(0, |enclosure| enclosure.url.len() + 120);
    let texts = body.escaped
        + plain::escaped_length(&body.excerpt)
        + plain::escaped_length(&post.title)
        + 2 * post.url.len()
        + post.id.len();
    (FRAME + texts + terms + people + media) as u64
}

fn clean(author: &Author) -> Author {
    let one_line = |text: &Option<String>| text.as_deref().map(plain::line).filter(|t| !t.is_empty());
    Author {
        name: plain::line(&author.name),
        email: one_line(&author.email),
        uri: one_line(&author.uri),
        organisation: one_line(&author.organisation),
    }
}

/// Builds the feed of a plan from its entries, newest first.
#[must_use]
pub fn build(plan: &Plan, entries: Vec<Entry>, settings: &Settings) -> Feed {
    let address = |file: &str| address(settings, file);
    let atom = settings.name(Format::Atom).unwrap_or("atom.xml");
    let own = match plan.extra.and_then(|index| settings.extra.get(index)) {
        Some(extra) => address(&extra.path),
        None => address(&plan.folder),
    };
    let language = Some(&plan.name).filter(|_| plan.kind == Kind::Language).unwrap_or(&settings.language);
    Feed {
        id: own,
        title: title(plan, settings),
        description: description(plan, settings),
        language: language.clone(),
        page: page(plan, settings),
        addresses: plan.files.iter().map(|(format, file)| (*format, address(file))).collect(),
        author: settings.author.as_ref().map(clean),
        updated: entries.iter().map(|e| e.updated).max().unwrap_or(Timestamp::UNIX_EPOCH),
        entries,
        complete: plan.complete,
        archive: plan.kind == Kind::Archive,
        previous: plan.archive.map(|n| address(&format!("archive/{n}/{atom}"))),
        current: (plan.kind == Kind::Archive).then(|| address(atom)),
        stylesheet: settings.stylesheet(),
        tombstones: Vec::new(),
        // An archive stays as it is: there is nothing to be told.
        hubs: if plan.kind == Kind::Archive { Vec::new() } else { settings.hubs.clone() },
    }
}

/// Where a file is served.
#[must_use]
pub fn address(settings: &Settings, file: &str) -> String {
    format!("{}/{}", settings.feeds_url, slug::encode_path(file))
}

/// The page for people that a feed belongs to.
fn page(plan: &Plan, settings: &Settings) -> String {
    match plan.kind {
        Kind::All | Kind::Archive | Kind::Extra => format!("{}/", settings.site_url),
        _ if !settings.pages => format!("{}/", settings.site_url),
        _ => format!("{}/{}", settings.feeds_url, slug::encode_path(&plan.folder)),
    }
}

fn title(plan: &Plan, settings: &Settings) -> String {
    match plan.kind {
        Kind::All => settings.title.clone(),
        Kind::Tag | Kind::Category | Kind::Section => format!("{}: {}", settings.title, plan.name),
        Kind::Language => format!("{} ({})", settings.title, plan.name),
        Kind::Author => format!("{}: posts by {}", settings.title, plan.name),
        Kind::Archive => format!("{}: archive {}", settings.title, plan.name),
        Kind::Extra => Some(plan.name.clone()).filter(|t| !t.is_empty()).unwrap_or_else(|| settings.title.clone()),
    }
}

fn description(plan: &Plan, settings: &Settings) -> String {
    let blog = Some(settings.description.as_str()).filter(|d| !d.is_empty()).unwrap_or(&settings.title);
    match plan.kind {
        Kind::All => blog.to_owned(),
        Kind::Tag => format!("Posts of {} tagged “{}”", settings.title, plan.name),
        Kind::Category | Kind::Section => format!("Posts of {} in “{}”", settings.title, plan.name),
        Kind::Language => format!("Posts of {} in the language “{}”", settings.title, plan.name),
        Kind::Author => format!("Posts of {} by {}", settings.title, plan.name),
        Kind::Archive => format!("Older posts of {}", settings.title),
        Kind::Extra => {
            let own = plan.extra.and_then(|index| settings.extra.get(index)).map(|extra| extra.description.as_str());
            own.filter(|d| !d.is_empty()).unwrap_or(blog).to_owned()
        }
    }
}

/// The bytes of one format, proven: what comes back when they are parsed is what went in.
pub fn write(feed: &Feed, format: Format) -> Result<Vec<u8>, String> {
    let (bytes, ids) = match format {
        Format::Rss => {
            let bytes = super::rss::write(feed)?;
            let ids = super::rss::ids(&bytes)?;
            (bytes, ids)
        }
        Format::Atom => {
            let bytes = super::atom::write(feed)?;
            let ids = super::atom::ids(&bytes)?;
            (bytes, ids)
        }
        Format::Json => {
            let bytes = super::json_feed::write(feed)?;
            let ids = super::json_feed::ids(&bytes)?;
            (bytes, ids)
        }
    };
    if !ids.iter().eq(feed.entries.iter().map(|e| &e.id)) {
        return Err("the feed does not read back as it was written".to_owned());
    }
    Ok(bytes)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn sample() -> Feed {
        let entry = |n: i8, title: &str, html: &str| Entry {
            id: format!("https://a.example/{n}"),
            url: format!("https://a.example/{n}"),
            title: title.into(),
            published: jiff::civil::date(2021, 5, n).in_tz("UTC").unwrap().timestamp(),
            updated: jiff::civil::date(2021, 6, n).in_tz("UTC").unwrap().timestamp(),
            authors: vec![
                Author { name: "Ada & Co".into(), uri: Some("https://ada.example".into()), ..Author::default() },
                Author { name: "Bo".into(), email: Some("bo@example.org".into()), ..Author::default() },
            ],
            terms: vec!["open source".into(), "Träffar".into()],
            summary: "Sum <b> & ]]>".into(),
            html: Some(html.into()),
            language: Some("de".into()),
            image: Some(Image { url: "https://a.example/i.png".into(), alt: "A \"fox\"".into() }),
            enclosure: Some(Enclosure {
                url: format!("https://a.example/{n}.mp3"),
                media_type: "audio/mpeg".into(),
                length: Some(1_234),
                file: None,
            }),
        };
        Feed {
            id: "https://a.example/".into(),
            title: "Notes & <things>".into(),
            description: "About & things".into(),
            language: "en".into(),
            page: "https://a.example/".into(),
            addresses: vec![
                (Format::Rss, "https://a.example/feed.xml".into()),
                (Format::Atom, "https://a.example/atom.xml".into()),
                (Format::Json, "https://a.example/feed.json".into()),
            ],
            author: Some(Author::named("The Team")),
            updated: jiff::civil::date(2021, 6, 7).in_tz("UTC").unwrap().timestamp(),
            entries: vec![entry(7, "Use <b> & \"x\"", "<p>a ]]> b &amp; c</p>"), entry(1, "Second", "<p>2</p>")],
            complete: true,
            archive: false,
            previous: None,
            current: None,
            stylesheet: Some("https://a.example/feed.css".into()),
            tombstones: Vec::new(),
            hubs: vec!["https://hub.example/".into()],
        }
    }

    #[test]
    fn all_formats_agree_and_read_back() {
        for format in [Format::Rss, Format::Atom, Format::Json] {
            assert!(write(&sample(), format).is_ok(), "{format:?}: {:?}", write(&sample(), format));
        }
    }

    #[test]
    fn an_empty_feed_is_a_feed() {
        let empty = Feed { entries: vec![], updated: Timestamp::UNIX_EPOCH, ..sample() };
        for format in [Format::Rss, Format::Atom, Format::Json] {
            assert!(write(&empty, format).is_ok(), "{format:?}");
        }
    }
}
