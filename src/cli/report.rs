//! `gazetted report`: the progress report of a stretch of time.

use std::path::Path;

use super::error::Failure;
use super::posts::days;
use super::{Done, open, print};
use crate::config::Goal;
use crate::daemon::blog::spec;
use crate::domain::report::report;
use crate::render::report as render;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Markdown,
    Html,
    Json,
    Text,
}

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The first day or period, inclusive
    #[arg(long, value_name = "PERIOD")]
    from: String,
    /// The last day or period, inclusive
    #[arg(long, value_name = "PERIOD")]
    to: String,
    /// Only this author's posts
    #[arg(long)]
    author: Option<String>,
    #[arg(long, value_enum, default_value_t = Format::Markdown)]
    format: Format,
    /// The same as `--format json`
    #[arg(long)]
    json: bool,
}

pub async fn run(config: Option<&Path>, given: Arguments) -> Done {
    let config = open::config(config)?;
    let zone = config.site.zone();
    let (Some(from), Some(to)) = (days("--from", Some(&given.from))?, days("--to", Some(&given.to))?) else {
        return Err(Failure::usage("a report needs `--from` and `--to`", crate::domain::period::EXPECTED));
    };
    if to.last < from.first {
        return Err(Failure::usage(format!("`--to {}` lies before `--from {}`", given.to, given.from), "swap them"));
    }
    let now = open::now();
    let blog = open::blog_to_look_at(&config, now).await?;
    let mut goal = config.goal.first().map_or_else(|| spec(&Goal::default()), spec);
    if given.author.is_some() {
        goal.author.clone_from(&given.author);
    }
    let report = report(&goal, &blog.catalogue.posts, &zone, now, from.first, to.last);
    match if given.json { Format::Json } else { given.format } {
        Format::Markdown => print::text(&render::markdown(&report)),
        Format::Html => print::text(&render::html(&report)),
        Format::Text => print::text(&render::text(&report)),
        Format::Json => print::json(&report),
    }
}
