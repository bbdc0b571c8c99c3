//! `gazetted backup`, `restore`, `migrate` and `store copy`: the store as one file, put back, up to date, or somewhere else.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::error::Failure;
use super::{Done, open, print};
use crate::config::without_password;
use crate::domain::wording::digits;
use crate::store::transfer::{self, Facts, Restored, Source, Taken, TakenOver, Target};
use crate::store::{self, Migration, SharedStore};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The new file; it must not be there yet
    file: PathBuf,
    /// Facts as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub struct Restoring {
    /// What `gazetted backup` has made
    file: PathBuf,
    /// Put it in the place of the store that is there, which is kept under another name beside it; whoever has left since stays away
    #[arg(long)]
    replace: bool,
    /// Facts as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub struct Migrating {
    /// Only try it, take it back, and tell what would be done
    #[arg(long)]
    dry_run: bool,
    /// Facts as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
pub enum StoreCommand {
    /// Move everything to another, new store: from SQLite to PostgreSQL, or back
    Copy {
        /// As in `store.url`: `sqlite:PATH` or `postgres://user@host/database`
        to: String,
        /// Facts as JSON
        #[arg(long)]
        json: bool,
    },
}

const STANDS_BY: &str = "it sends nothing until `gazetted digest resume --restored`";

pub async fn backup(config: Option<&Path>, given: &Arguments) -> Done {
    let config = open::config(config)?;
    if given.file.exists() {
        return Err(Failure::failed(format!("`{}` is there already", given.file.display()), "name a new file"));
    }
    let store = open::store(&config).await?;
    let facts = store.backup(&given.file, open::now()).await?;
    if given.json {
        return print::json(&facts);
    }
    let file = given.file.display();
    print::text(&format!(
        "the store is copied to {file} and read back: {}; if it is restored, {STANDS_BY}",
        told(&facts)
    ))
}

fn told(facts: &Facts) -> String {
    let number = |count: i64, noun| digits(u32::try_from(count).unwrap_or(u32::MAX), noun);
    let (subscribers, editions) = (number(facts.subscribers, "subscriber"), number(facts.editions, "edition"));
    format!("{subscribers}, {editions}, deliveries: {}", facts.deliveries)
}

pub async fn restore(config: Option<&Path>, given: &Restoring) -> Done {
    let config = open::config(config)?;
    let restored = transfer::restore(&given.file, &config.store_url(), given.replace, open::now()).await?;
    if given.json {
        return print::json(&restored);
    }
    let Restored { facts, before, taken_over } = restored;
    let kept = before.map(|file| format!("; what was there before is {}", file.display())).unwrap_or_default();
    print::text(&format!(
        "{} is restored: {}{kept}\nwhat was sent since that copy it does not know: look at `gazetted digest list`, `gazetted digest cancel` what has \
         gone out already; {}; {STANDS_BY}",
        without_password(&config.store_url()),
        told(&facts),
        gone(taken_over)
    ))
}

/// What it knows of those who have gone since.
fn gone(taken_over: Option<TakenOver>) -> String {
    let Some(TakenOver { left, forgotten, moved }) = taken_over else {
        return "whoever has left, bounced or was forgotten since is in it as they were: `gazetted subscribers remove` or `erase` them before \
                anything is sent"
            .to_owned();
    };
    format!(
        "whoever has gone since was taken over from the store before: {left} left or suppressed, {forgotten} forgotten, {moved} with another \
         address"
    )
}

pub async fn migrate(config: Option<&Path>, given: &Migrating) -> Done {
    let config = open::config(config)?;
    let url = config.store_url();
    let migration = if given.dry_run {
        store::rehearse(&url, open::now()).await?
    } else {
        let found = store::outlook(&url).await?;
        open::store(&config).await?.ping().await?;
        found
    };
    if given.json {
        return print::json(&migration);
    }
    print::text(&said(&without_password(&url), &migration, given.dry_run))
}

fn said(store: &str, migration: &Migration, dry_run: bool) -> String {
    let Migration { schema, to, steps } = migration;
    match schema {
        Some(schema) if steps.is_empty() => format!("{store} is up to date (schema {schema})"),
        None if dry_run => format!("there is no store at {store} yet; it would be made with schema {to}"),
        None => format!("{store} is made, with schema {to}"),
        Some(schema) => {
            let word = if dry_run { "would go" } else { "went" };
            let list = format!("\n  {}", steps.join("\n  "));
            let end = if dry_run { "\ntried, and taken back: nothing has changed" } else { "" };
            format!("{store} {word} from schema {schema} to {to}:{list}{end}")
        }
    }
}

pub async fn store(config: Option<&Path>, command: StoreCommand) -> Done {
    let StoreCommand::Copy { to, json } = command;
    let config = open::config(config)?;
    let (from, now) = (config.store_url(), open::now());
    if from == to {
        return Err(Failure::failed("that is the store of the configuration", "name another one"));
    }
    let old = open::store(&config).await?;
    if old.standby().await?.is_some() {
        return Err(Failure::failed(
            "that store stands by: it is a copy, or has been left for another one",
            "`gazetted digest resume --restored` if it is the one to go on with; then copy it",
        ));
    }
    let _hold = alone(&old, &from).await?;
    // Before anything is read: what is sent from it meanwhile the new one would send again.
    old.stand_by(now).await?;
    let taken = match moved(&from, &to, now).await {
        Ok(taken) => taken,
        Err(error) => {
            old.end_standby().await?;
            return Err(error.into());
        }
    };
    if json {
        return print::json(&taken);
    }
    let rows: u64 = taken.iter().map(|taken| taken.rows).sum();
    let (from, to) = (without_password(&from), without_password(&to));
    print::text(&format!(
        "{rows} rows of {} tables are in {to}, and counted there\n{from} stands by from now on; set `store.url` to the new one before you start \
         gazetted again",
        taken.len()
    ))
}

async fn moved(from: &str, to: &str, now: Timestamp) -> store::Result<Vec<Taken>> {
    let (mut source, mut target) = (Source::open(from).await?, Target::open(to, now).await?);
    let taken = transfer::fill(&mut source, &mut target).await?;
    target.commit().await?;
    Ok(taken)
}

/// A store that is left must be in nobody's use, or what is written to it meanwhile stays behind.
async fn alone(store: &SharedStore, url: &str) -> Result<Option<Box<dyn store::Hold>>, Failure> {
    let name = format!("gazetted store copy, pid {}", std::process::id());
    if url.starts_with("sqlite:") {
        return Ok(Some(store.hold(&name).await?));
    }
    let place = store.beat(&name, SignedDuration::from_secs(1), open::now()).await?;
    store.leave(&name).await?;
    if place.of > 1 {
        return Err(Failure::failed(
            format!("{} at work on that store", digits(place.of - 1, "node")),
            "stop all of them; what has died is forgotten after a minute",
        ));
    }
    Ok(None)
}
