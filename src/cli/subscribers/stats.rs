//! `gazetted subscribers stats`: how the list grows.

use serde::Serialize;

use super::super::{Done, open, print};
use crate::config::Config;
use crate::render::growth::{self, Month};
use crate::store::SharedStore;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
    Svg,
}

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Facts as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Facts<'a> {
    counts: std::collections::BTreeMap<&'static str, u64>,
    months: &'a [Month],
}

pub async fn run(config: &Config, store: &SharedStore, given: &Arguments) -> Done {
    let months = store.growth_by_month(&config.site.zone(), open::now()).await?;
    let months: Vec<Month> =
        months.into_iter().map(|(month, growth)| Month { month, joined: growth.joined, left: growth.left }).collect();
    let counts = store.subscriber_counts().await?;
    match (given.format, given.json) {
        (Format::Json, _) | (_, true) => print::json(&Facts { counts, months: &months }),
        (Format::Svg, _) => print::text(&growth::svg(&months)),
        (Format::Text, _) => {
            let states: Vec<String> = counts.iter().map(|(state, n)| format!("{n} {state}")).collect();
            print::text(&format!("{}\n\n{}", states.join(", "), growth::text(&months)))
        }
    }
}
