//! `gazetted report`: the progress report of a stretch of time.

use std::path::{Path, PathBuf};

use super::error::Failure;
use super::posts::stretch;
use super::{Done, open, print};
use crate::config::{Config, Goal, bounded};
use crate::daemon::blog::spec;
use crate::domain::facts::{self, Section};
use crate::domain::goal::Spec;
use crate::domain::report::{Asked, report};
use crate::render::report::{self as render, Shown};

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
    /// Of HTML only what goes between the head and the foot of a page of your own
    #[arg(long)]
    fragment: bool,
    /// Talks, releases and the like, as TOML or CSV [default: `report.facts` of the configuration]
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// The same as `--format json`
    #[arg(long)]
    json: bool,
}

pub async fn run(config: Option<&Path>, given: Arguments) -> Done {
    let config = open::config(config)?;
    let zone = config.site.zone();
    let (Some(from), Some(to)) = stretch(Some(&given.from), Some(&given.to))? else {
        return Err(Failure::usage("a report needs `--from` and `--to`", crate::domain::period::EXPECTED));
    };
    let facts = match &given.facts {
        Some(file) => facts(file)?,
        None if config.report.facts.as_os_str().is_empty() => Vec::new(),
        None => facts(&config.path(&config.report.facts))?,
    };
    let now = open::now();
    let blog = open::blog_to_look_at(&config, now).await?;
    let goals = goals(&config, given.author.as_deref());
    let asked = Asked { goals: &goals, from: from.first, to: to.last, facts: &facts };
    let report = report(&asked, &blog.catalogue.posts, &zone, now);
    let format = if given.json { Format::Json } else { given.format };
    if let Format::Json = format {
        return print::json(&report);
    }
    let templates = super::digest::templates(&config.path(&config.digest.templates))?;
    let shown = Shown { report: &report, title: &blog.site.title(&config) };
    let text = match format {
        Format::Markdown => render::markdown(&templates, &shown),
        Format::Html if given.fragment => render::fragment(&templates, &shown),
        Format::Html => render::html(&templates, &shown),
        Format::Text | Format::Json => Ok(render::text(&report)),
    };
    print::text(&text.map_err(|problem| Failure::Config(vec![problem]))?)
}

/// All that are configured; those about somebody else are left out where one author is asked about.
fn goals(config: &Config, author: Option<&str>) -> Vec<Spec> {
    let all =
        if config.goal.is_empty() { vec![spec(&Goal::default())] } else { config.goal.iter().map(spec).collect() };
    let Some(author) = author else { return all };
    let is_theirs =
        |goal: &Spec| goal.author.as_ref().is_none_or(|own| own.to_lowercase() == author.trim().to_lowercase());
    let theirs: Vec<Spec> = all.into_iter().filter(is_theirs).collect();
    let theirs = if theirs.is_empty() { vec![spec(&Goal::default())] } else { theirs };
    theirs.into_iter().map(|goal| Spec { author: Some(author.to_owned()), ..goal }).collect()
}

fn facts(file: &Path) -> Result<Vec<Section>, Failure> {
    let shown = file.display().to_string();
    let text = bounded::text(file, bounded::TEXT)
        .map_err(|error| Failure::failed(format!("the file of facts, `{shown}`, cannot be read: {error}"), HINT))?;
    let (sections, problems) = facts::read(&shown, &text);
    if problems.is_empty() { Ok(sections) } else { Err(Failure::Config(problems)) }
}

const HINT: &str = "expected TOML or CSV with talks, releases and the like; see the README";
