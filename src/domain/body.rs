//! A post's text as readers get it: Liquid or shortcodes run, Markdown made HTML, HTML made safe, excerpt and words
//! taken from what is left. One post at a time; knows nothing of feeds.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};
use url::Url;

use super::catalogue::LinkIndex;
use super::dialect::{Dialect, Rules};
use super::html::{self, Cleaner};
use super::post::Post;
use super::problem::Problem;
use super::shortcodes::{self, Unknown};
use super::{front_matter, hash, liquid, markdown, plain};

/// An excerpt is a few sentences.
const EXCERPT: usize = 400;
/// One the author has marked may be longer.
const MARKED_EXCERPT: usize = 1_000;
/// Output beyond this many times the input (and a bit) is an attack, not a post.
const MAX_GROWTH: usize = 8;

/// What a post's text may refer to.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    pub rules: &'a Rules,
    /// Jekyll's `_includes`, by name.
    pub includes: &'a BTreeMap<String, String>,
    pub links: &'a LinkIndex,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Body {
    /// Safe, with absolute addresses.
    pub html: String,
    /// How long `html` is once it is escaped.
    pub escaped: usize,
    /// Plain text on one line.
    pub excerpt: String,
    pub words: usize,
    /// Changes when, and only when, the text a reader sees does.
    pub text_hash: u128,
    pub problems: Vec<Problem>,
    pub unknown: Vec<Unknown>,
}

/// Renders the post whose whole file is `file`.
#[must_use]
pub fn render(post: &Post, file: &str, around: Surroundings<'_>) -> Body {
    let mut body = Body::default();
    let Ok(split) = front_matter::split(file) else { return body };
    // No later stage has to think of control characters and line ends.
    let text = plain::lines(split.body);
    let front = || front_matter::read_last(&post.path, &split).map(|(front, _)| front).unwrap_or_default();
    let text = templates(post, &text, front, around, &mut body);
    for unknown in &mut body.unknown {
        unknown.line += split.body_line - 1;
    }
    let Ok(page) = Url::parse(&post.url) else { return body };
    let made = to_html(post, &text, &page, around);
    if made.html.len() > MAX_GROWTH * split.body.len() + 1_000_000 {
        let message = "the text grows to many times its size when rendered, and is left out";
        body.problems.push(
            Problem::error(&*post.path, "too-large", message)
                .at(split.body_line, 1)
                .hint("look for footnotes or templates that repeat themselves"),
        );
        return summarised(post, body, &made);
    }
    // Parsing and cleaning is half the work of rendering, and most posts hold no HTML of the author's.
    let clean = |html: &str| if made.raw { Cleaner::new(&page).clean(html) } else { Ok(html.to_owned()) };
    if let Ok(clean) = clean(&made.html) {
        body.html = clean;
    } else {
        let message = "the HTML is nested too deeply, and is left out";
        body.problems.push(
            Problem::error(&*post.path, "too-deep", message)
                .at(split.body_line, 1)
                .hint("close the tags that are opened"),
        );
    }
    let marked = made.more.and_then(|at| clean(&made.html[..at]).ok()).map(|clean| html::text(&clean));
    body.excerpt =
        marked.filter(|text| !text.is_empty()).map(|text| plain::shortened(&text, MARKED_EXCERPT)).unwrap_or_default();
    summarised(post, body, &made)
}

fn templates<'t>(
    post: &Post,
    text: &'t str,
    front: impl Fn() -> Map<String, Value>,
    around: Surroundings<'_>,
    body: &mut Body,
) -> Cow<'t, str> {
    let find = |name: &str| around.links.find(name);
    if around.rules.dialect != Dialect::Jekyll {
        let (text, unknown) = shortcodes::expand(around.rules.dialect, text, &find);
        body.unknown = unknown;
        return text;
    }
    if !text.contains("{{") && !text.contains("{%") {
        return text.into();
    }
    let include = |name: &str| around.includes.get(name).cloned();
    let context = liquid::Context {
        site: Value::Object(around.rules.site.clone()).into(),
        page: if text.contains("page") { page_variables(post, front()) } else { Value::Null }.into(),
        include: &include,
        post_url: &find,
        link: &find,
        zone: around.rules.zone.clone(),
        now: None,
    };
    let rendered = liquid::render(text, &context);
    body.unknown = rendered
        .unknown
        .into_iter()
        .map(|u| Unknown { kind: u.kind.as_str(), name: u.name, line: u.line, column: u.column })
        .collect();
    rendered.text
}

/// `page.*` as Jekyll gives it: the front matter, and what Jekyll adds.
fn page_variables(post: &Post, mut front: Map<String, Value>) -> Value {
    let path = Url::parse(&post.url).map(|u| u.path().to_owned()).unwrap_or_default();
    front.insert("title".into(), post.title.clone().into());
    front.insert("url".into(), path.into());
    front.insert("path".into(), (*post.path).into());
    front.insert("id".into(), post.id.clone().into());
    front.insert("tags".into(), post.tags.clone().into());
    front.insert("categories".into(), post.categories.clone().into());
    if let Some(date) = post.date {
        front.insert("date".into(), date.to_string().into());
    }
    Value::Object(front)
}

fn to_html(post: &Post, text: &str, page: &Url, around: Surroundings<'_>) -> markdown::Html {
    if post.path.ends_with(".html") || post.path.ends_with(".htm") {
        return markdown::Html { html: text.to_owned(), raw: true, more: text.find("<!--more-->") };
    }
    markdown::to_html(around.rules.dialect, text, page, &|name| around.links.find(name))
}

/// Excerpt, words and hash, from what has been made so far.
fn summarised(post: &Post, mut body: Body, made: &markdown::Html) -> Body {
    let text = html::text(&body.html);
    let own = post.summary.as_deref().map(|summary| own_summary(post, summary)).filter(|s| !s.is_empty());
    if let Some(own) = own {
        body.excerpt = plain::shortened(&own, MARKED_EXCERPT);
    } else if body.excerpt.is_empty() {
        let found = html::first_paragraph(&body.html)
            .unwrap_or_else(|| if made.html.contains("<pre") { String::new() } else { text.clone() });
        body.excerpt = plain::shortened(&found, EXCERPT);
    }
    // One space between any two.
    body.escaped = plain::escaped_length(&body.html);
    body.words = if text.is_empty() { 0 } else { memchr::memchr_iter(b' ', text.as_bytes()).count() + 1 };
    body.text_hash = hash::Hasher::default().field(post.title.as_bytes()).field(text.as_bytes()).finish();
    body
}

/// Front matter summaries are written in Markdown, too.
fn own_summary(post: &Post, summary: &str) -> String {
    let Ok(page) = Url::parse(&post.url) else { return String::new() };
    let made = markdown::to_html(Dialect::Hugo, summary, &page, &|_| None);
    if made.raw {
        return Cleaner::new(&page).clean(&made.html).map(|clean| html::text(&clean)).unwrap_or_default();
    }
    html::text(&made.html)
}
