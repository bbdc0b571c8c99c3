//! `gazetted posts`: what the catalogue holds.

use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use super::error::Failure;
use super::{Done, open, print};
use crate::daemon::blog::Blog;
use crate::domain::author::Author;
use crate::domain::period::{Days, EXPECTED};
use crate::domain::post::{Post, State};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only drafts
    #[arg(long)]
    drafts: bool,
    /// Only posts with this tag
    #[arg(long)]
    tag: Option<String>,
    /// Only posts by this author
    #[arg(long)]
    author: Option<String>,
    /// Not before this day or period
    #[arg(long, value_name = "PERIOD")]
    from: Option<String>,
    /// Not after this day or period
    #[arg(long, value_name = "PERIOD")]
    to: Option<String>,
    /// Facts as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    path: &'a str,
    id: &'a str,
    url: &'a str,
    title: &'a str,
    date: Option<Timestamp>,
    updated: Option<Timestamp>,
    state: State,
    authors: &'a [Author],
    tags: &'a [String],
    categories: &'a [String],
    excerpt: &'a str,
    words: usize,
}

/// A `--from` or `--to`.
pub fn days(option: &str, text: Option<&str>) -> Result<Option<Days>, Failure> {
    text.map(|text| Days::parse(text).ok_or_else(|| Failure::usage(format!("`{option}` is `{text}`"), EXPECTED)))
        .transpose()
}

/// `--from` and `--to`, which are in order.
pub fn stretch(from: Option<&str>, to: Option<&str>) -> Result<(Option<Days>, Option<Days>), Failure> {
    let (first, last) = (days("--from", from)?, days("--to", to)?);
    match (first, last, from, to) {
        (Some(first), Some(last), Some(from), Some(to)) if last.last < first.first => {
            Err(Failure::usage(format!("`--to {to}` lies before `--from {from}`"), "swap them"))
        }
        _ => Ok((first, last)),
    }
}

pub async fn run(config: Option<&Path>, given: Arguments) -> Done {
    let config = open::config(config)?;
    let zone = config.site.zone();
    let (from, to) = stretch(given.from.as_deref(), given.to.as_deref())?;
    let (from, to) = (from.map(|days| days.start(&zone)), to.map(|days| days.end(&zone)));
    let mut blog = open::blog_to_look_at(&config, open::now()).await?;
    let wanted = |post: &Post| {
        (!given.drafts || post.state == State::Draft)
            && given.tag.as_deref().is_none_or(|tag| post.tagged(tag))
            && given.author.as_deref().is_none_or(|author| post.by(author))
            && from.is_none_or(|from| post.date.is_some_and(|d| d >= from))
            && to.is_none_or(|to| post.date.is_some_and(|d| d < to))
    };
    let chosen: Vec<usize> =
        blog.catalogue.posts.iter().enumerate().filter(|(_, p)| wanted(p)).map(|(index, _)| index).collect();
    if given.json {
        blog.render_posts(&chosen);
        return print::json(&chosen.iter().map(|index| line(&blog, &blog.catalogue.posts[*index])).collect::<Vec<_>>());
    }
    let rows: Vec<Vec<String>> = chosen.iter().map(|index| row(&blog.catalogue.posts[*index], &zone)).collect();
    print::text(&print::table(&rows))
}

fn line<'a>(blog: &'a Blog, post: &'a Post) -> Line<'a> {
    let body = blog.body(post);
    Line {
        path: &post.path,
        id: &post.id,
        url: &post.url,
        title: &post.title,
        date: post.date,
        updated: post.updated,
        state: post.state,
        authors: &post.authors,
        tags: &post.tags,
        categories: &post.categories,
        excerpt: body.map_or("", |b| &b.excerpt),
        words: body.map_or(0, |b| b.words),
    }
}

fn row(post: &Post, zone: &jiff::tz::TimeZone) -> Vec<String> {
    let day = post.date.map_or_else(|| "—".to_owned(), |d| zone.to_datetime(d).date().to_string());
    let state = match post.state {
        State::Published => "published",
        State::Draft => "draft",
        State::Scheduled => "scheduled",
        State::Withdrawn => "withdrawn",
    };
    let authors: Vec<&str> = post.authors.iter().map(|a| a.name.as_str()).collect();
    let by = if authors.is_empty() { String::new() } else { format!("  ({})", authors.join(", ")) };
    vec![day, state.to_owned(), format!("{}{by}", crate::domain::problem::one_line(&post.title))]
}
