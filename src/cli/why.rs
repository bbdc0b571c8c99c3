//! `gazetted why`: in which feeds and editions a post is, and why it is not in others.

use std::path::Path;

use serde::Serialize;

use super::error::Failure;
use super::{Done, open, print};
use crate::daemon::blog::{Blog, InFeed};
use crate::domain::delivery::State as Delivery;
use crate::domain::edition::State as EditionState;
use crate::domain::identity::EntryRow;
use crate::domain::post::{Post, State};
use crate::domain::problem::Problem;
use crate::store::StoreError;

/// How many posts are named when several are meant.
const SHOWN: usize = 10;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: gazetted why _posts/2021-05-07-hello.md\n         gazetted why \"Hello\"")]
pub struct Arguments {
    /// The post's file, address, id, or a part of its title or file name
    post: String,
    /// Facts as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Facts {
    title: String,
    path: String,
    url: String,
    id: String,
    id_from: &'static str,
    state: &'static str,
    why: String,
    feeds: Vec<InFeed>,
    edition: Option<String>,
    /// That edition was called off, and reached nobody.
    called_off: bool,
    problems: Vec<Problem>,
}

pub async fn run(config: Option<&Path>, given: &Arguments) -> Done {
    let config = open::config(config)?;
    let mut blog = open::blog_to_look_at(&config, open::now()).await?;
    blog.look();
    let problems = blog.problems(false);
    let mut facts = match meant(&blog, &given.post).as_slice() {
        [post] => of_post(&blog, post, &problems),
        [] => of_row(&blog, &given.post).ok_or_else(|| nothing(&given.post, &problems))?,
        several => {
            let names: Vec<String> = several.iter().take(SHOWN).map(|p| format!("{} ({})", p.title, p.path)).collect();
            let said = format!("`{}` may be any of {}: {}", given.post, several.len(), names.join("; "));
            return Err(Failure::failed(said, "name the file"));
        }
    };
    facts.called_off = reached_nobody(&blog, facts.edition.as_deref()).await?;
    if given.json { print::json(&facts) } else { print::text(&told(&facts)) }
}

/// Whether a post's edition was called off before any of it went out.
async fn reached_nobody(blog: &Blog, edition: Option<&str>) -> Result<bool, StoreError> {
    let (Some(edition), Some(store)) = (edition, blog.store_if_any()) else { return Ok(false) };
    let summaries = store.editions().await?;
    let summary = summaries.iter().find(|summary| summary.edition.key.to_string() == edition);
    // What is in doubt may have arrived.
    let out = [Delivery::Accepted, Delivery::InData];
    Ok(summary.is_some_and(|summary| {
        summary.edition.state == EditionState::Cancelled && out.iter().all(|state| summary.counts.of(*state) == 0)
    }))
}

/// The surest sense of what was asked for.
fn meant<'a>(blog: &'a Blog, asked: &str) -> Vec<&'a Post> {
    let words = asked.to_lowercase();
    let senses: [&dyn Fn(&Post) -> bool; 4] = [
        &|post| *post.path == *asked || post.path.ends_with(&format!("/{asked}")),
        &|post| post.url.trim_end_matches('/') == asked.trim_end_matches('/') || post.id == asked,
        &|post| post.title.to_lowercase() == words,
        &|post| post.title.to_lowercase().contains(&words) || file_name(post).contains(&words),
    ];
    let found = senses.iter().map(|is| blog.catalogue.posts.iter().filter(|post| is(post)).collect::<Vec<_>>());
    found.into_iter().find(|posts| !posts.is_empty()).unwrap_or_default()
}

fn file_name(post: &Post) -> String {
    post.path.rsplit('/').next().unwrap_or_default().to_lowercase()
}

fn of_post(blog: &Blog, post: &Post, problems: &[Problem]) -> Facts {
    let row = blog.row(post);
    Facts {
        title: post.title.clone(),
        path: post.path.to_string(),
        url: post.url.clone(),
        id: post.id.clone(),
        id_from: match row {
            _ if post.own_id.is_some() => "the front matter",
            Some(_) if post.id != post.url => "the store: it was the entry's id before",
            Some(_) => "the store: its first address",
            None => "its address; it is kept once the post is published",
        },
        state: state(post.state),
        why: why(blog, post),
        feeds: blog.feeds_of(post),
        edition: row.and_then(|row| row.edition.clone()),
        called_off: false,
        problems: problems.iter().filter(|problem| problem.path == *post.path).cloned().collect(),
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::Published => "published",
        State::Draft => "draft",
        State::Scheduled => "scheduled",
        State::Withdrawn => "withdrawn",
    }
}

fn why(blog: &Blog, post: &Post) -> String {
    let day = |at: jiff::Timestamp| blog.config.site.zone().to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string();
    let date = post.date.map(day).unwrap_or_default();
    let withdrawn = blog.row(post).and_then(|row| row.withdrawn_at).map(day);
    match post.state {
        State::Published => match &post.original {
            Some(first) => format!(
                "dated {date}; it is `{}` in another language, which is counted and announced for both",
                first.path
            ),
            None => format!("dated {date}"),
        },
        State::Scheduled => format!("it publishes itself at {date}"),
        State::Draft => "its front matter or its folder says that it is a draft".to_owned(),
        State::Withdrawn => match withdrawn {
            Some(since) => format!("it was published, and was taken back by {since}"),
            None => "it was published, and its front matter takes it back, or its `expiryDate` is over".to_owned(),
        },
    }
}

/// An entry whose post is gone.
fn of_row(blog: &Blog, asked: &str) -> Option<Facts> {
    let words = asked.to_lowercase();
    let is = |row: &&EntryRow| row.url == asked || row.path == asked || row.title.to_lowercase() == words;
    let known = || blog.rows().filter(|row| !row.is_retired());
    let row = blog.rows().find(|row| row.id == asked).or_else(|| known().find(is))?;
    let why =
        if row.is_retired() { "its post goes by another id now" } else { "its file is gone; the address answers 410" };
    Some(Facts {
        title: row.title.clone(),
        path: row.path.clone(),
        url: row.url.clone(),
        id: row.id.clone(),
        id_from: "the store",
        state: "withdrawn",
        why: why.to_owned(),
        feeds: Vec::new(),
        edition: row.edition.clone(),
        called_off: false,
        problems: Vec::new(),
    })
}

/// A file that is no post may have said why.
fn nothing(asked: &str, problems: &[Problem]) -> Failure {
    let of_file = problems.iter().find(|p| p.path == asked || p.path.ends_with(&format!("/{asked}")));
    match of_file {
        Some(problem) => Failure::failed(
            format!("`{asked}` is no post: {}", problem.message),
            problem.hint.clone().unwrap_or_else(|| "see `gazetted check`".to_owned()),
        ),
        None => Failure::failed(
            format!("there is no post called `{asked}`"),
            "`gazetted posts` and `gazetted posts --drafts` list them all; `gazetted check` says what was not read",
        ),
    }
}

fn told(facts: &Facts) -> String {
    let mut out = format!("{}\n    {}\n    {}\n\n{}: {}\n", facts.title, facts.path, facts.url, facts.state, facts.why);
    out.push_str(&format!("id: {} (from {})\n", facts.id, facts.id_from));
    for feed in &facts.feeds {
        let files = feed.files.join(", ");
        match (&feed.place, &feed.why_not) {
            (Some(place), _) => out.push_str(&format!("in    {files}: number {place} of {}\n", feed.entries)),
            (None, Some(why)) => out.push_str(&format!("not in {files}: {why}\n")),
            (None, None) => {}
        }
    }
    match &facts.edition {
        Some(edition) if facts.called_off => out.push_str(&format!(
            "in the edition {edition}, which was called off before it went to anybody; no later month announces it\n"
        )),
        Some(edition) => out.push_str(&format!("announced by the edition {edition}\n")),
        None if facts.state == "published" => out.push_str("in no edition yet\n"),
        None => {}
    }
    for problem in &facts.problems {
        out.push_str(&format!("{problem}\n"));
    }
    out
}
