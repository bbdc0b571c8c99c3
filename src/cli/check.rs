//! `gazetted check`: every problem in configuration, posts and templates; or in one feed, whoever wrote it.

mod feed;

use std::path::Path;
use std::sync::Arc;

use super::digest::{STANDBY_HINT, standing_by};
use super::error::Failure;
use super::{Done, open, print};
use crate::config;
use crate::daemon::blog::Blog;
use crate::daemon::editions;
use crate::domain::problem::Problem;
use crate::domain::wording;
use crate::scan;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A feed, by its file or its http(s) address, to be checked instead of the blog
    feed: Option<String>,
    /// Warnings fail, too
    #[arg(long)]
    strict: bool,
    /// Facts as JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(config: Option<&Path>, given: &Arguments) -> Done {
    if let Some(feed) = &given.feed {
        return one_feed(feed, given).await;
    }
    let file = config::find(config);
    let loaded = config::load(&file);
    let usable = loaded.is_usable();
    let mut problems = loaded.problems;
    let mut posts = 0;
    if usable {
        let config = Arc::new(loaded.config);
        let mut blog = open::blog_to_look_at(&config, open::now()).await?;
        problems.extend(blog.problems(true));
        problems.extend(blog.plan_problems());
        problems.extend(templates(&config.path(&config.digest.templates)));
        posts = blog.catalogue.posts.len();
        problems.extend(scan::problems(&config, &blog.site, posts));
        problems.extend(standby(&blog, &file).await?);
    }
    print_all(&problems, &counted(posts, ["post", "posts"]), given.json)?;
    let bad = problems.iter().any(|p| p.is_error() || given.strict);
    match (usable, bad) {
        (false, _) => Err(Failure::Config(Vec::new())),
        (true, true) => Err(Failure::Quiet),
        (true, false) => Ok(()),
    }
}

async fn one_feed(feed: &str, given: &Arguments) -> Done {
    let (problems, entries) = feed::check(feed).await?;
    print_all(&problems, &counted(entries, ["entry", "entries"]), given.json)?;
    let bad = problems.iter().any(|p| p.is_error() || given.strict);
    if bad { Err(Failure::Quiet) } else { Ok(()) }
}

/// A store that sends nothing, because it is a copy.
async fn standby(blog: &Blog, file: &Path) -> Result<Option<Problem>, Failure> {
    let Some(store) = blog.store_if_any() else { return Ok(None) };
    let words = standing_by(&store).await?;
    let warning = |words| Problem::warning(file.display().to_string(), "store-standby", words).hint(STANDBY_HINT);
    Ok(words.map(warning))
}

fn templates(folder: &Path) -> Vec<Problem> {
    match editions::templates(folder) {
        Ok(templates) => templates.check(),
        Err(problems) => problems,
    }
}

fn counted(count: usize, [one, more]: [&str; 2]) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

fn print_all(problems: &[Problem], seen: &str, json: bool) -> Done {
    if json {
        return print::json(&problems);
    }
    let mut out = String::new();
    for problem in problems {
        out.push_str(&format!("{problem}\n"));
        if let Some(hint) = &problem.hint {
            out.push_str(&format!("    hint: {hint}\n"));
        }
    }
    print::text(&out)?;
    let count =
        |errors: bool| u32::try_from(problems.iter().filter(|p| p.is_error() == errors).count()).unwrap_or(u32::MAX);
    let (errors, warnings) = (wording::digits(count(true), "error"), wording::digits(count(false), "warning"));
    eprintln!("{seen}: {errors}, {warnings}");
    Ok(())
}
