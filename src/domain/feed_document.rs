//! A feed that somebody wrote, as it stands: its entries' ids, addresses, titles and dates. Reads RSS 0.9x to 2.0, Atom and
//! JSON Feed, and forgives what feed readers forgive. Knows no rules (`feed_check` does) and never changes an id.

use hashbrown::HashMap;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use url::Url;

use super::dates;
use super::feed_format::Format;
use super::html;

mod atom;
pub mod encoding;
pub mod json;
mod json_feed;
pub mod lines;
mod rss;
pub mod saying;
#[cfg(test)]
mod tests;
pub mod tree;

use encoding::Decoded;
use lines::Lines;
use tree::{Element, Space};

/// No feed reader takes more.
pub const MOST_BYTES: usize = 20_000_000;
pub const MOST_ENTRIES: usize = 50_000;

/// What a feed says of itself, and its entries in the order they stand in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedDocument {
    pub format: Format,
    pub title: String,
    /// Where it says it is, or else was found.
    pub self_link: Option<String>,
    /// The page for people.
    pub page: Option<String>,
    /// Where older entries are: RFC 5005's `prev-archive`, JSON Feed's `next_url`.
    pub previous: Option<String>,
    pub hubs: Vec<String>,
    pub entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The `guid` or `id`, exactly as it is but for white space around it.
    pub id: Option<String>,
    pub url: Option<String>,
    /// Plain text.
    pub title: String,
    pub published: Option<Timestamp>,
    pub updated: Option<Timestamp>,
    /// Where it begins, from 1.
    pub line: usize,
}

impl Entry {
    /// What readers know it by.
    #[must_use]
    pub fn known_by(&self) -> &str {
        self.id.as_deref().or(self.url.as_deref()).unwrap_or_default()
    }
}

impl FeedDocument {
    /// The oldest entry's date: what is older is no news to the feed's readers. `ours` has the dates of posts, by what their
    /// entries are known by; when an entry was last changed says nothing of its age.
    #[must_use]
    pub fn since(&self, ours: &HashMap<&str, Timestamp>) -> Option<Timestamp> {
        let dates = |entry: &Entry| ours.get(entry.known_by()).copied().into_iter().chain(entry.published);
        self.entries.iter().flat_map(dates).min()
    }

    /// Whether the feed that stands in this file now is the same one, as far as names tell.
    #[must_use]
    pub fn is_at(&self, file: &str) -> bool {
        let place = self.self_link.as_deref().unwrap_or_default();
        let path = place.split(['?', '#']).next().unwrap_or_default();
        path.strip_suffix(file).is_some_and(|before| before.is_empty() || before.ends_with('/'))
    }
}

/// Why nothing can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("the feed is longer than {MOST_BYTES} bytes")]
    TooLarge,
    #[error("the feed has more than {MOST_ENTRIES} entries")]
    TooMany,
    #[error("line {line}, column {column}: {message}")]
    Syntax { line: usize, column: usize, message: String },
    #[error("this is {0}, not a feed")]
    NotAFeed(&'static str),
}

impl Unreadable {
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::TooLarge | Self::TooMany => "no feed reader takes so much: shorten the feed",
            Self::Syntax { .. } => "`gazetted check` with the feed's file or address tells what is wrong with it",
            Self::NotAFeed(_) => "give the address of the RSS, Atom or JSON Feed document itself",
        }
    }
}

/// Reads a feed; `from` is where it came from, which relative addresses without an `xml:base` go by.
pub fn read(bytes: &[u8], from: Option<&Url>) -> Result<FeedDocument, Unreadable> {
    let Decoded { text, .. } = decode(bytes)?;
    let lines = Lines::of(&text);
    let document = match kind(&text)? {
        Kind::Json => json_feed::read(&json::parse(&text).map_err(|stop| syntax(&lines, &stop))?, &lines, from)?,
        Kind::Xml => {
            let parsed = tree::parse(&text).map_err(|stop| syntax(&lines, &stop))?;
            match family(&parsed.root)? {
                Family::Rss => rss::read(&parsed.root, &lines, from),
                Family::Atom => atom::read(&parsed.root, &lines, from),
            }
        }
    };
    if document.entries.len() > MOST_ENTRIES {
        return Err(Unreadable::TooMany);
    }
    Ok(document)
}

/// Where a parser stopped, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    pub at: usize,
    pub message: String,
}

fn syntax(lines: &Lines<'_>, stop: &Stop) -> Unreadable {
    let (line, column) = lines.place(stop.at);
    // It quotes what stands there, whatever that is.
    Unreadable::Syntax { line, column, message: super::problem::one_line(&stop.message) }
}

pub fn decode(bytes: &[u8]) -> Result<Decoded<'_>, Unreadable> {
    if bytes.len() > MOST_BYTES {
        return Err(Unreadable::TooLarge);
    }
    encoding::decode(bytes).ok_or(Unreadable::NotAFeed("a text in UTF-32, which nothing else reads either"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Xml,
    Json,
}

/// By its first letters.
pub fn kind(text: &str) -> Result<Kind, Unreadable> {
    let start = text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
    let begins = |with: &str| start.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with));
    match start.chars().next() {
        None => Err(Unreadable::NotAFeed("empty")),
        Some('{') => Ok(Kind::Json),
        Some('<') if begins("<!doctype html") || begins("<html") => Err(Unreadable::NotAFeed("an HTML page")),
        Some('<') => Ok(Kind::Xml),
        Some(_) => Err(Unreadable::NotAFeed("neither XML nor JSON")),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    Rss,
    Atom,
}

/// By the root element. A feed whose namespace is missing is one all the same.
pub fn family(root: &Element<'_>) -> Result<Family, Unreadable> {
    match root.name {
        "RDF" if root.elements().any(|child| matches!(child.name, "channel" | "item")) => Ok(Family::Rss),
        "rss" | "RSS" | "channel" => Ok(Family::Rss),
        "feed" => Ok(Family::Atom),
        "html" => Err(Unreadable::NotAFeed("an HTML page")),
        "opml" => Err(Unreadable::NotAFeed("a list of feeds (OPML)")),
        "urlset" | "sitemapindex" => Err(Unreadable::NotAFeed("a sitemap")),
        _ => Err(Unreadable::NotAFeed("XML of another kind")),
    }
}

/// A date as feeds write it: RFC 822 or RFC 3339, or nearly; without a zone it is in UTC.
fn date(text: &str) -> Option<Timestamp> {
    dates::parse(text, &TimeZone::UTC).or_else(|| dates::parse(&with_century(text)?, &TimeZone::UTC))
}

/// RFC 822's year of two digits: `Fri, 07 May 21 10:00:00 GMT`.
fn with_century(text: &str) -> Option<String> {
    let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    let month = words.iter().position(|word| word.len() == 3 && word.bytes().all(|b| b.is_ascii_alphabetic()))?;
    let year = words.get_mut(month + 1).filter(|word| word.len() == 2)?;
    let century = if year.parse::<u8>().ok()? < 70 { "20" } else { "19" };
    year.insert_str(0, century);
    Some(words.join(" "))
}

/// What a reader shows of markup: one line. A `<` that begins no tag stands for itself.
fn plain(markup: &str) -> String {
    let mut pieces = markup.split('<');
    let mut sound = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let tag = piece.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!'));
        sound.push_str(if tag { "<" } else { "&lt;" });
        sound.push_str(piece);
    }
    if sound.contains(['<', '&']) { html::text(&sound) } else { super::plain::line(&sound) }
}

/// An address as it is if it is whole, else by its base.
fn absolute(base: Option<&Url>, address: &str) -> Option<String> {
    let address = address.trim();
    if address.is_empty() {
        return None;
    }
    match (Url::parse(address), base) {
        (Err(url::ParseError::RelativeUrlWithoutBase), Some(base)) => base.join(address).ok().map(String::from),
        _ => Some(address.to_owned()),
    }
}

/// The base within an element: its `xml:base`, by the base around it.
fn base_in(element: &Element<'_>, around: Option<&Url>) -> Option<Url> {
    let own = element.attribute_in(Space::Xml, "base").map(str::trim).filter(|own| !own.is_empty());
    match (own, around) {
        (Some(own), Some(around)) => around.join(own).ok().or_else(|| Some(around.clone())),
        (Some(own), None) => Url::parse(own).ok(),
        (None, around) => around.cloned(),
    }
}

/// The links that Atom defines, which stand in RSS channels too.
#[derive(Default)]
struct Links {
    own: Option<String>,
    page: Option<String>,
    previous: Option<String>,
    hubs: Vec<String>,
}

impl Links {
    fn of(parent: &Element<'_>, base: Option<&Url>) -> Self {
        let mut found = Self::default();
        let mut looser = None;
        for link in parent.elements().filter(|child| child.name == "link" && child.space.is_atom()) {
            let base = base_in(link, base);
            let Some(href) = link.attribute("href").and_then(|href| absolute(base.as_ref(), href)) else { continue };
            let html = link.attribute("type").is_none_or(|kind| kind.contains("html"));
            let rel = link.attribute("rel").unwrap_or("alternate");
            match rel.rsplit('/').next().unwrap_or(rel) {
                "alternate" if html => _ = found.page.get_or_insert(href),
                "alternate" => _ = looser.get_or_insert(href),
                "self" => _ = found.own.get_or_insert(href),
                "prev-archive" => _ = found.previous.get_or_insert(href),
                "hub" => found.hubs.push(href),
                _ => {}
            }
        }
        found.page = found.page.or(looser);
        found
    }
}

fn text_of<'a>(parent: &'a Element<'_>, wanted: impl Fn(&Element<'_>) -> bool + 'a) -> Option<String> {
    parent.elements().filter(|child| wanted(child)).map(|child| child.text().trim().to_owned()).find(|t| !t.is_empty())
}
