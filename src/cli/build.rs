//! `gazetted build`: scan once, write all feeds, say what changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;

use super::error::Failure;
use super::{Done, open, print};
use crate::daemon::blog::Pass;
use crate::domain::problem::Problem;
use crate::domain::wording;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Where the feeds go, instead of `feeds.out`
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Publish even if most of the posts have vanished
    #[arg(long)]
    force: bool,
    /// Facts as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Built<'a> {
    posts: usize,
    drafts: usize,
    problems: usize,
    files_written: usize,
    files_unchanged: usize,
    elapsed_ms: u128,
    written: &'a [String],
}

pub async fn run(config: Option<&Path>, given: Arguments) -> Done {
    let started = Instant::now();
    let mut config = open::config(config)?;
    if let Some(out) = given.out {
        let out = std::path::absolute(out)?;
        Arc::make_mut(&mut config).feeds.out = out;
    }
    let store = open::store(&config).await?;
    let mut blog = open::scanned_blog(config, Some(store)).await?;
    let pass = blog.publish(open::now(), given.force).await?;
    let problems = blog.problems(false);
    let complete = !pass.problems.iter().any(Problem::is_error);
    let elapsed_ms = started.elapsed().as_millis();
    if given.json {
        print::json(&Built {
            posts: pass.posts,
            drafts: pass.drafts,
            problems: problems.len(),
            files_written: pass.written.len(),
            files_unchanged: pass.unchanged,
            elapsed_ms,
            written: &pass.written,
        })?;
        return if complete { Ok(()) } else { Err(Failure::Quiet) };
    }
    // The process is about to end; taking ten thousand posts apart first would only cost time.
    std::mem::forget(blog);
    print::text(&sentence(&pass, elapsed_ms))?;
    remark(&problems);
    if complete { Ok(()) } else { Err(Failure::Quiet) }
}

fn sentence(pass: &Pass, elapsed_ms: u128) -> String {
    const SHOWN: usize = 10;
    let mut out = format!(
        "{}, {}: {} written, {} unchanged, in {elapsed_ms} ms\n",
        wording::digits(u32::try_from(pass.posts).unwrap_or(u32::MAX), "post"),
        wording::digits(u32::try_from(pass.drafts).unwrap_or(u32::MAX), "draft"),
        wording::digits(u32::try_from(pass.written.len()).unwrap_or(u32::MAX), "file"),
        pass.unchanged,
    );
    for path in pass.written.iter().take(SHOWN) {
        out.push_str(&format!("  {path}\n"));
    }
    if pass.written.len() > SHOWN {
        out.push_str(&format!("  and {} more\n", pass.written.len() - SHOWN));
    }
    out
}

/// Errors are shown, warnings only counted: `check` lists them all.
fn remark(problems: &[Problem]) {
    for problem in problems.iter().filter(|p| p.is_error()) {
        eprintln!("{problem}");
    }
    if !problems.is_empty() {
        let count = wording::digits(u32::try_from(problems.len()).unwrap_or(u32::MAX), "problem");
        eprintln!("{count}; `gazetted check` lists them all, with hints");
    }
}
