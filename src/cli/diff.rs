//! `gazetted diff`: what readers will see as new, changed or gone, before it is published.

use std::path::Path;

use super::{Done, open, print};
use crate::daemon::blog::{Change, Changes};
use crate::domain::wording;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: gazetted diff && gazetted build")]
pub struct Arguments {
    /// Facts as JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(config: Option<&Path>, given: &Arguments) -> Done {
    let config = open::config(config)?;
    let now = open::now();
    let mut blog = open::blog_to_look_at(&config, now).await?;
    let changes = blog.changes(now);
    if given.json { print::json(&changes) } else { print::text(&told(&changes)) }
}

fn told(changes: &Changes) -> String {
    let mut out = String::new();
    for (mark, list) in [('+', &changes.new), ('~', &changes.changed), ('-', &changes.gone)] {
        out.extend(list.iter().map(|change| line(mark, change)));
    }
    if out.is_empty() {
        out.push_str("readers will see nothing new\n");
    }
    let files = u32::try_from(changes.files.len()).unwrap_or(u32::MAX);
    out.push_str(&format!("{} would be written\n", wording::digits(files, "feed file")));
    out
}

fn line(mark: char, change: &Change) -> String {
    let mut notes = change.what.join(", ");
    if !notes.is_empty() && !change.updated {
        notes.push_str("; its date of change stays");
    }
    let notes = if notes.is_empty() { notes } else { format!(" ({notes})") };
    format!("{mark} {}{notes}\n    {}\n", change.title, change.path)
}
