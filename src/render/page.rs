//! The daemon's pages: the front door, the goal, the editions, and the few words around subscribing. Knows what a page
//! says; which address it answers to is the server's business. No page needs a script or anything from elsewhere.

use jiff::tz::TimeZone;
use minijinja::context;
use minijinja::value::Value;

use super::chart;
use super::digest::{NAME, PREFERENCES, UNSUBSCRIBE, clean, sample_goal, shorten};
use super::language::{Language, direction};
use super::templates::{Templates, safe};
use super::xml::escape;
use crate::domain::edition::{Edition, EditionPost};
use crate::domain::goal::GoalStatus;
use crate::domain::period::Period;
use crate::domain::problem::Problem;
use crate::domain::record::Record;

pub mod admin;
pub mod goals;
mod preferences;
mod subscribing;

pub use preferences::{Preferences, preferences};
pub use subscribing::{Question, Refused, Said, SubscribeForm, ask, refused, said, subscribe};

/// How many characters of a post's beginning the front door shows.
const EXCERPT: usize = 280;

/// What every page of this blog has in common.
#[derive(Debug, Clone)]
pub struct Site<'a> {
    pub title: &'a str,
    pub description: &'a str,
    pub language: &'a str,
    pub zone: &'a TimeZone,
    /// The blog itself.
    pub url: &'a str,
    /// Feeds to subscribe to: what they are called, their address, their media type.
    pub feeds: &'a [Feed<'a>],
    /// Whether `/feeds/` lists all there are.
    pub feed_list: bool,
    /// Whether the digest can be subscribed to here.
    pub subscribe: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct Feed<'a> {
    pub name: &'a str,
    pub url: &'a str,
    pub media_type: &'a str,
}

/// One line of the list of editions.
#[derive(Debug, Clone, Copy)]
pub struct EditionLine<'a> {
    pub period: Period,
    pub subject: &'a str,
    pub posts: u32,
}

/// `/style.css`.
#[must_use]
pub fn style() -> String {
    format!("{}\n{}\n", include_str!("../../templates/style.css").trim_end(), chart::STYLE)
}

/// `/`: the latest posts, how to subscribe, how the goal stands.
pub fn home(
    templates: &Templates,
    site: &Site<'_>,
    posts: &[EditionPost],
    goals: &[Record],
) -> Result<String, Problem> {
    let language = language(templates, site);
    let posts: Vec<Value> = posts.iter().map(|post| entry(site, language, post)).collect();
    let goals: Vec<Value> = goals.iter().map(|record| goal_value(language, &record.status)).collect();
    let form = subscribing::empty_form();
    templates.render("home.html", &page(templates, site, site.title, context! { posts, goals, ..form }))
}

/// `/editions/`: the latest first.
pub fn editions(templates: &Templates, site: &Site<'_>, editions: &[EditionLine<'_>]) -> Result<String, Problem> {
    let language = language(templates, site);
    let mut sorted: Vec<&EditionLine<'_>> = editions.iter().collect();
    sorted.sort_by_key(|line| std::cmp::Reverse(line.period));
    let editions: Vec<Value> = sorted
        .into_iter()
        .map(|line| {
            context! {
                period => line.period.to_string(),
                name => language.period_heading(line.period),
                subject => clean(line.subject),
                posts => language.posts_in_digits(line.posts),
            }
        })
        .collect();
    let heading = language.text("editions-heading", &[]);
    templates.render("editions.html", &page(templates, site, &heading, context! { editions }))
}

/// A few words in the site's language, which somebody else has chosen.
pub fn message(templates: &Templates, site: &Site<'_>, heading: &str, text: &str) -> Result<String, Problem> {
    templates.render("message.html", &page(templates, site, heading, context! { text }))
}

/// `/editions/<period>`: the digest as it was sent, without what was its reader's own.
#[must_use]
pub fn edition(edition: &Edition) -> String {
    let html = without_links(&without_links(&edition.html, UNSUBSCRIBE), PREFERENCES);
    with_landmark(html.replace(NAME, ""))
}

/// A mail needs no landmarks; for a page, they are how people who hear it find its text.
fn with_landmark(html: String) -> String {
    let marked = || {
        let (head, rest) = html.split_once("<body")?;
        let (attributes, rest) = rest.split_once('>')?;
        let (text, end) = rest.rsplit_once("</body>")?;
        let has_one = text.contains("<main") || text.contains("role=\"main\"");
        (!has_one).then(|| format!("{head}<body{attributes}>\n<main>{text}</main>\n</body>{end}"))
    };
    marked().unwrap_or(html)
}

/// Takes out every link that leads to `marker`.
fn without_links(html: &str, marker: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once(marker) {
        let start = before.rfind("<a").unwrap_or(before.len());
        let kept = before.get(..start).unwrap_or_default();
        // What parted it from the link before.
        out.push_str(kept.trim_end().strip_suffix("&nbsp;·&nbsp;").unwrap_or(kept));
        rest = after.split_once("</a>").map_or(after, |(_, rest)| rest);
    }
    out + rest
}

/// What is common to all pages, and what is this one's own.
fn page(templates: &Templates, site: &Site<'_>, heading: &str, own: Value) -> Value {
    let (lang, dir) = templates.languages().spoken(site.language);
    let feeds: Vec<Value> = site
        .feeds
        .iter()
        .map(|feed| context! { name => feed.name, url => feed.url, media_type => feed.media_type })
        .collect();
    let common = context! {
        site => context! {
            title => clean(site.title),
            description => clean(site.description),
            url => clean(site.url),
            // What the posts are in; the words around them are in `lang`.
            lang => clean(site.language),
            dir => direction(site.language),
            subscribe => site.subscribe,
            feed_list => site.feed_list,
            feeds,
        },
        lang,
        dir,
        heading => clean(heading),
    };
    context! { ..own, ..common }
}

fn language<'a>(templates: &'a Templates, site: &Site<'_>) -> &'a Language {
    templates.languages().get(site.language)
}

fn entry(site: &Site<'_>, language: &Language, post: &EditionPost) -> Value {
    let day = site.zone.to_datetime(post.date).date();
    let authors: Vec<String> = post.authors.iter().map(|author| clean(&author.name)).collect();
    context! {
        title => clean(&post.title),
        url => clean(&post.url),
        day => day.to_string(),
        date => language.day(day),
        authors => language.list(&authors),
        excerpt => shorten(clean(&post.excerpt).trim(), EXCERPT),
    }
}

fn goal_value(language: &Language, goal: &GoalStatus) -> Value {
    let facts: Vec<Value> =
        language.goal_facts(goal).into_iter().map(|(name, value)| context! { name, value }).collect();
    context! {
        sentence => clean(&language.goal_sentence(goal)),
        chart => safe(chart::inline(goal, chart::PERIODS, language)),
        facts,
    }
}

/// Renders every page from samples.
pub(super) fn check(templates: &Templates) -> Vec<Problem> {
    let feeds = [Feed { name: "Atom", url: "/atom.xml", media_type: "application/atom+xml" }];
    let site = Site {
        title: "A blog",
        description: "",
        language: "en",
        zone: &TimeZone::UTC,
        url: "https://blog.example",
        feeds: &feeds,
        feed_list: true,
        subscribe: true,
    };
    let goals = [Record { status: sample_goal(), ..Record::default() }];
    let posts = super::digest::sample_posts();
    let lines: Vec<EditionLine<'_>> =
        Period::month(2021, 5).map(|period| EditionLine { period, subject: "May", posts: 1 }).into_iter().collect();
    let pages = [
        home(templates, &site, &posts, &goals),
        home(templates, &site, &[], &[]),
        editions(templates, &site, &lines),
        message(templates, &site, "Done", "It is done."),
    ];
    let pages = pages.into_iter().chain(subscribing::samples(templates, &site));
    let pages = pages.chain(preferences::samples(templates, &site)).chain(goals::samples(templates, &site));
    let mut problems: Vec<Problem> = pages.filter_map(Result::err).collect();
    problems.dedup();
    problems
}

/// The last resort, when even the template for messages is broken.
#[must_use]
pub fn bare(language: &Language, refused: Refused) -> String {
    let (heading, text) = refused.words(language);
    let (tag, heading, text) = (escape(language.tag()), escape(&heading), escape(&text));
    format!("<!doctype html>\n<html lang=\"{tag}\"><title>{heading}</title><h1>{heading}</h1><p>{text}</p></html>\n")
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::record::tests::sample;
    use crate::render::digest::tests::{digest, posts};

    const FEEDS: [Feed<'_>; 2] = [
        Feed { name: "Atom", url: "https://blog.example/atom.xml", media_type: "application/atom+xml" },
        Feed { name: "JSON Feed", url: "https://blog.example/feed.json", media_type: "application/feed+json" },
    ];

    static UTC: TimeZone = TimeZone::UTC;

    pub(crate) fn site() -> Site<'static> {
        Site {
            title: "Dask <Working> Notes",
            description: "Writing about scaling Python",
            language: "en",
            zone: &UTC,
            url: "https://blog.example",
            feeds: &FEEDS,
            feed_list: true,
            subscribe: true,
        }
    }

    pub(crate) fn templates() -> Templates {
        Templates::new(&BTreeMap::new()).unwrap()
    }

    #[test]
    fn the_pages_say_what_they_are_for() {
        let templates = templates();
        let may = EditionLine { period: Period::parse("2021-05").unwrap(), subject: "Notes: May 2021", posts: 1 };
        let june = EditionLine { period: Period::parse("2021-06").unwrap(), subject: "Notes: June 2021", posts: 3 };
        insta::assert_snapshot!("page_home", home(&templates, &site(), &posts(2), &[sample()]).unwrap());
        for language in ["de", "fr", "es"] {
            let page = goals::goals(&templates, &Site { language, ..site() }, &[sample()]).unwrap();
            insta::assert_snapshot!(format!("page_goal_{language}"), page);
        }
        insta::assert_snapshot!("page_editions", editions(&templates, &site(), &[may, june]).unwrap());
        insta::assert_snapshot!("page_message", message(&templates, &site(), "Done", "You are <b>out</b>.").unwrap());
    }

    #[test]
    fn no_page_needs_a_script_or_an_inline_style() {
        let templates = templates();
        let empty = home(&templates, &site(), &[], &[]).unwrap();
        for page in [
            empty,
            home(&templates, &site(), &posts(3), &[sample()]).unwrap(),
            goals::goals(&templates, &site(), &[sample()]).unwrap(),
        ]
        .into_iter()
        .chain(subscribing::samples(&templates, &site()).into_iter().map(Result::unwrap))
        .chain(preferences::samples(&templates, &site()).into_iter().map(Result::unwrap))
        {
            assert!(page.len() < 30_000);
            for forbidden in ["<script", "style=", "<style", " on", "<Working>"] {
                assert!(!page.contains(forbidden) || forbidden == " on" && !page.contains(" onclick"), "{forbidden}");
            }
        }
        assert!(style().contains("prefers-color-scheme") && style().contains(".gz-chart"));
    }

    #[test]
    fn a_page_speaks_the_sites_language_and_marks_what_is_in_another() {
        let templates = templates();
        let german = home(&templates, &Site { language: "de-AT", ..site() }, &posts(1), &[sample()]).unwrap();
        assert!(german.contains("<html lang=\"de-AT\" dir=\"ltr\">") && german.contains("28. Mai 2021"));
        assert!(german.contains("Neueste Beiträge") && !german.contains("Latest"));
        let arabic = home(&templates, &Site { language: "ar", ..site() }, &posts(1), &[]).unwrap();
        assert!(
            arabic.contains("<html lang=\"en\" dir=\"ltr\">") && arabic.contains("<article lang=\"ar\" dir=\"rtl\">")
        );
    }

    #[test]
    fn an_edition_on_the_web_is_nobodys_own() {
        let digest = digest(&posts(1), &[], &[]);
        let page = edition(&Edition {
            key: Period::parse("2021-05").unwrap().into(),
            state: crate::domain::edition::State::Finished,
            subject: digest.subject,
            text: digest.text,
            html: digest.html,
            content: serde_json::Value::Null,
            posts: 1,
            opened_at: jiff::Timestamp::UNIX_EPOCH,
            finished_at: None,
            reason: None,
        });
        assert!(!page.contains('\u{2}') && !page.contains("Unsubscribe") && !page.contains("Choose what you get"));
        assert!(
            page.contains("Hello,")
                && page.contains("Read it on the web</a>")
                && !page.contains("&nbsp;·")
                && page.ends_with("</main>\n</body>\n</html>\n")
                && page.matches("<main>").count() == 1
        );
        assert_eq!(with_landmark(page.clone()), page);
    }
}
