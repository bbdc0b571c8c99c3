//! Pages for people beside the feeds: one for each tag, author and so on, and the list of all; and the stylesheet that
//! browsers show feeds with. They stand as files wherever the feeds do, so that they need nothing of the daemon's.

use jiff::tz::TimeZone;
use minijinja::context;
use minijinja::value::Value;

use super::digest::clean;
use super::feed::Feed;
use super::feed_plan::Kind;
use super::language::{Arg, Language, direction};
use super::templates::Templates;
use crate::domain::feed_format::Format;
use crate::domain::post::Post;
use crate::domain::problem::Problem;

/// What all these pages have in common.
#[derive(Debug, Clone)]
pub struct Around<'a> {
    pub title: &'a str,
    pub url: &'a str,
    pub language: &'a str,
    pub zone: &'a TimeZone,
    /// Where the feeds stand, without a slash at the end.
    pub feeds_url: &'a str,
    pub stylesheet: Option<&'a str>,
    pub opml: &'a str,
    /// Where the digest can be subscribed to.
    pub subscribe: Option<&'a str>,
}

/// The folder of the list of all feeds.
pub const LIST: &str = "feeds/";

/// The page beside one feed; `feed` needs no entries.
pub fn one(templates: &Templates, around: &Around<'_>, feed: &Feed, posts: &[&Post]) -> Result<String, Problem> {
    let language = templates.languages().get(around.language);
    let posts: Vec<Value> = posts.iter().map(|post| line(post, around, language)).collect();
    let own = context! { heading => clean(&feed.title), feeds => addresses(feed), posts };
    templates.render("feed_page.html", &context! { ..own, ..common(templates, around) })
}

/// One line of the list of all feeds; the feed needs no entries.
#[derive(Debug, Clone)]
pub struct Listed {
    pub kind: Kind,
    /// A tag's, an author's; empty: the feed's title says it.
    pub name: String,
    pub feed: Feed,
}

/// The list of all feeds.
pub fn list(templates: &Templates, around: &Around<'_>, feeds: &[Listed]) -> Result<String, Problem> {
    let language = templates.languages().get(around.language);
    let mut groups: Vec<(Kind, Vec<Value>)> = Vec::new();
    for Listed { kind, name, feed } in feeds {
        let title = if name.is_empty() { &feed.title } else { name };
        let value = context! { title => clean(title), page => clean(&feed.page), addresses => addresses(feed) };
        match groups.last_mut().filter(|(last, _)| last == kind) {
            Some((_, list)) => list.push(value),
            None => groups.push((*kind, vec![value])),
        }
    }
    let groups: Vec<Value> = groups
        .into_iter()
        .map(|(kind, feeds)| {
            let name = language.text("feeds-group", &[("kind", Arg::Text(kind.as_str().into()))]);
            context! { name, feeds }
        })
        .collect();
    let heading = language.text("feeds-heading", &[]);
    templates.render("feeds.html", &context! { ..context! { heading, groups }, ..common(templates, around) })
}

/// How a browser shows a feed, in the site's language.
#[must_use]
pub fn stylesheet(language: &Language) -> String {
    let banner = language.text("feed-banner", &[]).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ");
    include_str!("../../templates/feed.css").replace("@banner", &banner)
}

fn common(templates: &Templates, around: &Around<'_>) -> Value {
    let (lang, dir) = templates.languages().spoken(around.language);
    context! {
        lang,
        dir,
        site => context! {
            title => clean(around.title),
            url => clean(around.url),
            lang => clean(around.language),
            dir => direction(around.language),
        },
        stylesheet => around.stylesheet,
        subscribe => around.subscribe,
        opml => around.opml,
        all => format!("{}/{LIST}", around.feeds_url),
    }
}

fn addresses(feed: &Feed) -> Vec<Value> {
    feed.addresses
        .iter()
        .map(|(format, url)| {
            context! { name => format.title(), url => clean(url), media_type => format.media_type() }
        })
        .collect()
}

fn line(post: &Post, around: &Around<'_>, language: &Language) -> Value {
    let day = around.zone.to_datetime(post.date.unwrap_or_default()).date();
    let authors: Vec<String> = post.authors.iter().map(|author| clean(&author.name)).collect();
    context! {
        title => clean(&post.title),
        url => clean(&post.url),
        day => day.to_string(),
        date => language.day(day),
        authors => language.list(&authors),
    }
}

/// Renders both pages from samples.
pub(super) fn check(templates: &Templates) -> Vec<Problem> {
    let feed = Feed {
        id: "https://blog.example/tags/rust/".to_owned(),
        title: "A blog: rust".to_owned(),
        description: String::new(),
        language: "en".to_owned(),
        page: "https://blog.example/tags/rust/".to_owned(),
        addresses: vec![(Format::Atom, "https://blog.example/tags/rust/atom.xml".to_owned())],
        author: None,
        updated: jiff::Timestamp::UNIX_EPOCH,
        entries: Vec::new(),
        complete: true,
        archive: false,
        previous: None,
        current: None,
        stylesheet: None,
        tombstones: Vec::new(),
        hubs: Vec::new(),
    };
    let around = Around {
        title: "A blog",
        url: "https://blog.example/",
        language: "en",
        zone: &TimeZone::UTC,
        feeds_url: "https://blog.example",
        stylesheet: Some("https://blog.example/feed.css"),
        opml: "https://blog.example/feeds.opml",
        subscribe: Some("https://blog.example/subscribe"),
    };
    let pages = [
        one(templates, &around, &feed, &[]),
        list(templates, &around, &[Listed { kind: Kind::Tag, name: "rust".to_owned(), feed }]),
    ];
    pages.into_iter().filter_map(Result::err).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::post::Written;
    use crate::render::feed::tests::sample;

    #[test]
    fn the_pages_name_every_address() {
        let templates = Templates::new(&BTreeMap::new()).unwrap();
        let zone = TimeZone::UTC;
        let around = Around {
            title: "Notes & <things>",
            url: "https://a.example/",
            language: "en",
            zone: &zone,
            feeds_url: "https://a.example",
            stylesheet: Some("https://a.example/feed.css"),
            opml: "https://a.example/feeds.opml",
            subscribe: None,
        };
        let date = Some("2021-05-07T00:00:00Z".parse().unwrap());
        let post = Post::published(Written { title: "A <b> post".into(), date, ..Written::sample() });
        insta::assert_snapshot!("feed_page", one(&templates, &around, &sample(), &[&post]).unwrap());
        let german = Around { language: "de", subscribe: Some("https://a.example/subscribe"), ..around };
        let listed = |kind, name: &str| Listed { kind, name: name.to_owned(), feed: sample() };
        let feeds = [listed(Kind::All, ""), listed(Kind::Tag, "open source"), listed(Kind::Tag, "Träffar")];
        insta::assert_snapshot!("feed_list_de", list(&templates, &german, &feeds).unwrap());
    }

    #[test]
    fn the_stylesheet_speaks_the_site_s_language() {
        let templates = Templates::new(&BTreeMap::new()).unwrap();
        let css = stylesheet(templates.languages().get("fr"));
        assert!(css.contains("content: \"Ceci est un flux"), "{css}");
        assert!(!css.contains("@banner"));
    }
}
