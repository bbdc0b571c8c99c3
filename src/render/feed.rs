//! The one neutral model behind RSS, Atom and JSON Feed: which feeds a blog has, and what stands in each. The writers
//! beside this module turn it into bytes, one thin file a format. Knows no file system.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::author::Author;
use crate::domain::body::Body;
use crate::domain::catalogue::Catalogue;
use crate::domain::dialect::slug;
use crate::domain::feed_format::Format;
use crate::domain::plain;
use crate::domain::post::Post;
use crate::domain::problem::Problem;

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
    pub limit: usize,
    /// Full text, or only the summary.
    pub full: bool,
    pub tags: bool,
    pub authors: bool,
    pub categories: bool,
}

impl Settings {
    fn name(&self, format: Format) -> Option<&str> {
        self.formats.iter().find(|(f, _)| *f == format).map(|(_, name)| name.as_str())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    All,
    Tag,
    Author,
    Category,
    /// RFC 5005: older entries, in Atom only.
    Archive,
}

/// A feed before its entries are rendered: which posts it shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub kind: Kind,
    /// The tag's, author's or category's name.
    pub name: String,
    /// Below `feeds.out`, with a slash at the end unless empty: `tags/rust/`.
    pub folder: String,
    /// Indices into the catalogue's posts, newest first.
    pub posts: Vec<usize>,
    /// Whether every post of this kind is among them.
    pub complete: bool,
    /// The archive that continues this feed.
    pub archive: Option<usize>,
}

/// All feeds of the catalogue, and what their names collide in.
#[must_use]
pub fn plan(catalogue: &Catalogue, settings: &Settings) -> (Vec<Plan>, Vec<Problem>) {
    let published: Vec<usize> =
        catalogue.posts.iter().enumerate().filter(|(_, p)| p.is_published()).map(|(index, _)| index).collect();
    let mut plans = vec![limited(Kind::All, String::new(), String::new(), published.clone(), settings.limit)];
    let mut problems = Vec::new();
    let mut group = |wanted: bool, kind: Kind, folder: &str, names: fn(&Post) -> Vec<&str>| {
        if wanted {
            let terms = terms(catalogue, &published, names);
            for (term, slug) in slugs(terms, kind, &mut problems) {
                plans.push(limited(kind, term.name, format!("{folder}/{slug}/"), term.posts, settings.limit));
            }
        }
    };
    group(settings.tags, Kind::Tag, "tags", |p| p.tags.iter().map(String::as_str).collect());
    group(settings.authors, Kind::Author, "authors", |p| p.authors.iter().map(|a| a.name.as_str()).collect());
    group(settings.categories, Kind::Category, "categories", |p| p.categories.iter().map(String::as_str).collect());
    if settings.name(Format::Atom).is_some() {
        let archives = archives(&published, settings.limit);
        plans[0].archive = (!archives.is_empty()).then_some(archives.len());
        plans.extend(archives);
    }
    (plans, problems)
}

fn limited(kind: Kind, name: String, folder: String, mut posts: Vec<usize>, limit: usize) -> Plan {
    let complete = posts.len() <= limit;
    posts.truncate(limit);
    Plan { kind, name, folder, posts, complete, archive: None }
}

/// Full pages of `limit` posts counted from the oldest, so that a page once written stays.
fn archives(published: &[usize], limit: usize) -> Vec<Plan> {
    if published.len() <= limit || limit == 0 {
        return Vec::new();
    }
    let oldest_first: Vec<usize> = published.iter().rev().copied().collect();
    let pages = oldest_first.chunks_exact(limit).enumerate();
    pages
        .map(|(index, page)| Plan {
            kind: Kind::Archive,
            name: (index + 1).to_string(),
            folder: format!("archive/{}/", index + 1),
            posts: page.iter().rev().copied().collect(),
            complete: false,
            archive: (index > 0).then_some(index),
        })
        .collect()
}

struct Term {
    name: String,
    posts: Vec<usize>,
}

/// Posts by name, the same name in any case being one; in the order in which the names first came up.
fn terms(catalogue: &Catalogue, published: &[usize], names: fn(&Post) -> Vec<&str>) -> Vec<Term> {
    let mut by_key: BTreeMap<String, (Vec<usize>, BTreeMap<&str, usize>)> = BTreeMap::new();
    for &index in published {
        for name in names(&catalogue.posts[index]) {
            let (posts, spellings) = by_key.entry(name.to_lowercase()).or_default();
            if posts.last() != Some(&index) {
                posts.push(index);
            }
            *spellings.entry(name).or_default() += 1;
        }
    }
    let mut terms: Vec<Term> = by_key
        .into_values()
        .map(|(posts, spellings)| {
            let most = spellings.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(a.0)));
            Term { name: most.map(|(name, _)| name.to_owned()).unwrap_or_default(), posts }
        })
        .collect();
    // The last index is the oldest post: a name keeps its slug when a later one collides with it.
    terms.sort_by_key(|term| std::cmp::Reverse(term.posts.last().copied()));
    terms
}

fn slugs(terms: Vec<Term>, kind: Kind, problems: &mut Vec<Problem>) -> Vec<(Term, String)> {
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let mut out = Vec::with_capacity(terms.len());
    for term in terms {
        let wanted = Some(slug::ascii(&term.name)).filter(|s| !s.is_empty()).unwrap_or_else(|| "other".to_owned());
        let slug = std::iter::once(wanted.clone())
            .chain((2..=u32::MAX).map(|n| format!("{wanted}-{n}")))
            .find(|s| !taken.contains_key(s))
            .unwrap_or_default();
        if let Some(first) = taken.get(&wanted) {
            let what = if kind == Kind::Author { "author" } else { "tag" };
            problems.push(
                Problem::warning(
                    "feeds",
                    "slug",
                    format!("the {what}s `{first}` and `{}` would share the feed `{wanted}`", term.name),
                )
                .hint(format!("`{}` has its feed at `{slug}`; spell them alike if they mean the same", term.name)),
            );
        }
        taken.insert(slug.clone(), term.name.clone());
        out.push((term, slug));
    }
    out.sort_by(|a, b| a.1.cmp(&b.1));
    out
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
}

impl Feed {
    #[must_use]
    pub fn address(&self, format: Format) -> &str {
        self.addresses.iter().find(|(f, _)| *f == format).map_or("", |(_, address)| address)
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
    pub image: Option<String>,
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
            image: post.image.clone(),
        }
    }
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
    let address = |folder: &str, name: &str| format!("{}/{}{}", settings.feeds_url, folder, slug::encode_path(name));
    let formats = settings.formats.iter().filter(|(format, _)| plan.kind != Kind::Archive || *format == Format::Atom);
    let atom = settings.name(Format::Atom).unwrap_or("atom.xml");
    Feed {
        id: format!("{}/{}", settings.feeds_url, plan.folder),
        title: title(plan, settings),
        description: description(plan, settings),
        language: settings.language.clone(),
        page: format!("{}/", settings.site_url),
        addresses: formats.map(|(format, name)| (*format, address(&plan.folder, name))).collect(),
        author: settings.author.as_ref().map(clean),
        updated: entries.iter().map(|e| e.updated).max().unwrap_or(Timestamp::UNIX_EPOCH),
        entries,
        complete: plan.complete,
        archive: plan.kind == Kind::Archive,
        previous: plan.archive.map(|n| address(&format!("archive/{n}/"), atom)),
        current: (plan.kind == Kind::Archive).then(|| address("", atom)),
    }
}

fn title(plan: &Plan, settings: &Settings) -> String {
    match plan.kind {
        Kind::All => settings.title.clone(),
        Kind::Tag | Kind::Category => format!("{}: {}", settings.title, plan.name),
        Kind::Author => format!("{}: posts by {}", settings.title, plan.name),
        Kind::Archive => format!("{}: archive {}", settings.title, plan.name),
    }
}

fn description(plan: &Plan, settings: &Settings) -> String {
    let blog = Some(settings.description.as_str()).filter(|d| !d.is_empty());
    match plan.kind {
        Kind::All => blog.unwrap_or(&settings.title).to_owned(),
        Kind::Tag => format!("Posts of {} tagged “{}”", settings.title, plan.name),
        Kind::Category => format!("Posts of {} in “{}”", settings.title, plan.name),
        Kind::Author => format!("Posts of {} by {}", settings.title, plan.name),
        Kind::Archive => format!("Older posts of {}", settings.title),
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
            image: Some("https://a.example/i.png".into()),
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

    #[test]
    fn colliding_names_get_feeds_of_their_own_and_are_reported() {
        let term = |name: &str, post: usize| Term { name: name.into(), posts: vec![post] };
        let mut problems = Vec::new();
        let got = slugs(vec![term("C", 9), term("C++", 5), term("++", 3)], Kind::Tag, &mut problems);
        let got: Vec<(&str, &str)> = got.iter().map(|(t, s)| (t.name.as_str(), s.as_str())).collect();
        assert_eq!(got, [("C", "c"), ("C++", "c-2"), ("++", "other")]);
        assert_eq!(problems.len(), 1);
    }

    #[test]
    fn an_archive_page_once_full_stays() {
        let pages = |count: usize| {
            let newest_first: Vec<usize> = (0..count).collect();
            archives(&newest_first, 3)
                .into_iter()
                .map(|p| p.posts.iter().map(|i| count - i).collect::<Vec<_>>())
                .collect::<Vec<_>>()
        };
        assert_eq!(pages(3), Vec::<Vec<usize>>::new());
        assert_eq!(pages(7), [[3, 2, 1], [6, 5, 4]]);
        assert_eq!(pages(8), pages(7));
    }
}
