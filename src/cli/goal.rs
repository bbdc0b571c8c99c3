//! `gazetted goal`: where the blog stands, as text, JSON, Markdown, chart, badge or calendar.

use std::path::Path;

use super::error::Failure;
use super::posts::{days, stretch};
use super::{Done, open, print};
use crate::config::{Config, Goal};
use crate::daemon::blog::{self, spec};
use crate::domain::dates;
use crate::domain::goal::{Bounds, Spec, status};
use crate::render::badge::{self, Show, Size};
use crate::render::{calendar, chart, goal};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
    Markdown,
    Svg,
    Badge,
    Ics,
}

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// From this day or period on
    #[arg(long, value_name = "PERIOD")]
    from: Option<String>,
    /// Up to this day or period
    #[arg(long, value_name = "PERIOD")]
    to: Option<String>,
    /// As it stood (or will stand) on that day
    #[arg(long, value_name = "DATE")]
    at: Option<String>,
    /// Count only this author's posts
    #[arg(long)]
    author: Option<String>,
    /// Count only posts with this tag
    #[arg(long)]
    tag: Option<String>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The same as `--format json`
    #[arg(long)]
    json: bool,
}

pub async fn run(config: Option<&Path>, given: Arguments) -> Done {
    let config = open::config(config)?;
    let zone = config.site.zone();
    let (from, to) = stretch(given.from.as_deref(), given.to.as_deref())?;
    let bounds = Bounds { from: from.map(|days| days.first), to: to.map(|days| days.last), by_day: false };
    let now = match given.at.as_deref() {
        Some(at) => instant(at, &zone)?,
        None => open::now(),
    };
    let mut blog = open::blog_to_look_at(&config, now).await?;
    let mut records = blog.records_of(&specs(&config, &given), now);
    if bounds != Bounds::default() {
        for (record, spec) in records.iter_mut().zip(specs(&config, &given)) {
            record.status = status(&spec, &blog.catalogue.posts, &zone, now, bounds);
            record.bound();
        }
    }
    let first = records.first().map(|record| &record.status);
    match if given.json { Format::Json } else { given.format } {
        Format::Text => print::text(&goal::text(&records, print::is_coloured())),
        Format::Json => print::json(&goal::json(&records)),
        Format::Markdown => print::text(&goal::markdown(&records)),
        Format::Svg => print::text(&first.map(|g| chart::svg(g, chart::PERIODS)).unwrap_or_default()),
        Format::Badge => {
            print::text(&first.map(|g| badge::svg(g, Show::default(), Size::default())).unwrap_or_default())
        }
        Format::Ics => {
            let host = url::Url::parse(&config.site.url)
                .ok()
                .and_then(|u| u.host_str().map(str::to_owned))
                .unwrap_or_default();
            print::bytes(calendar::ics(&records, &blog.site.title(&config), &host, now).as_bytes())
        }
    }
}

/// `--at 2021-05-07` is the end of that day; with a time, that moment.
fn instant(text: &str, zone: &jiff::tz::TimeZone) -> Result<jiff::Timestamp, Failure> {
    let whole_day = days("--at", Some(text)).ok().flatten();
    let found = match whole_day {
        Some(days) => days.end(zone).checked_sub(jiff::SignedDuration::from_secs(1)).ok(),
        None => dates::parse(text, zone),
    };
    found.ok_or_else(|| Failure::usage(format!("`--at` is `{text}`, which is no date"), dates::EXPECTED))
}

/// The configured goals; asked for on the command line without any being set, one post a month is meant.
fn specs(config: &Config, given: &Arguments) -> Vec<Spec> {
    let mut specs: Vec<Spec> = blog::specs(&config.goal);
    if specs.is_empty() {
        specs.push(spec(&Goal::default()));
    }
    if given.author.is_none() && given.tag.is_none() {
        return specs;
    }
    // A filter asks about one person or subject, against the blog's first goal.
    specs.truncate(1);
    for spec in &mut specs {
        spec.author = given.author.clone().or_else(|| spec.author.clone());
        spec.tag = given.tag.clone().or_else(|| spec.tag.clone());
    }
    specs
}
