//! `gazetted outbox`: deliveries, counted, listed, tried again, sent now.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::error::Failure;
use super::{Done, acts, open, print};
use crate::clock::SystemClock;
use crate::daemon::sending;
use crate::domain::delivery::State;
use crate::domain::edition::EditionKey;
use crate::mail::outbox::Halt;
use crate::scan;
use crate::store::SharedStore;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Facts as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Clone, Copy, clap::Subcommand)]
enum Command {
    /// What waits, and why; with --all, everything
    List {
        #[arg(long)]
        all: bool,
    },
    /// Put what was deferred, failed or held back into the queue: of the latest digest of each kind, or of the one you name
    Retry {
        /// Such as 2021-05, 2021-Q2 or post-…, as `digest list` has it
        #[arg(value_parser = edition)]
        edition: Option<EditionKey>,
    },
    /// Send now what is due, without the daemon
    Flush,
}

#[derive(Serialize)]
struct Line<'a> {
    edition: String,
    recipient: &'a str,
    state: State,
    attempts: u32,
    due_at: Option<jiff::Timestamp>,
    reply: Option<&'a str>,
    changed_at: jiff::Timestamp,
}

pub async fn run(config: Option<&Path>, given: Arguments) -> Done {
    let loaded = open::config(config)?;
    let store = open::store(&loaded).await?;
    match given.command {
        None => counts(&store, given.json).await,
        Some(Command::List { all }) => list(&store, all, given.json).await,
        Some(Command::Retry { edition }) => retry(&store, edition).await,
        Some(Command::Flush) => flush(&loaded, store, given.json).await,
    }
}

async fn counts(store: &SharedStore, json: bool) -> Done {
    let counts = store.outbox_counts().await?;
    if json {
        let all: std::collections::BTreeMap<&str, u64> =
            State::ALL.iter().map(|s| (s.as_str(), counts.of(*s))).collect();
        return print::json(&all);
    }
    let rows: Vec<Vec<String>> = State::ALL
        .iter()
        .filter(|s| counts.of(**s) > 0)
        .map(|s| vec![s.as_str().to_owned(), counts.of(*s).to_string()])
        .collect();
    print::text(&if rows.is_empty() { "the outbox is empty".to_owned() } else { print::table(&rows) })
}

async fn list(store: &SharedStore, all: bool, json: bool) -> Done {
    let waiting = [State::Queued, State::Claimed, State::InData, State::Deferred, State::Held, State::Failed];
    let rows = store.outbox(if all { &[] } else { &waiting }, 10_000).await?;
    let lines: Vec<Line<'_>> = rows
        .iter()
        .map(|row| Line {
            edition: row.key.edition.to_string(),
            recipient: &row.email,
            state: row.state,
            attempts: row.attempts,
            due_at: row.due_at,
            reply: row.reply.as_deref(),
            changed_at: row.changed_at,
        })
        .collect();
    if json {
        return print::json(&lines);
    }
    let text = |line: &Line<'_>| {
        let due = line.due_at.map_or_else(String::new, |due| format!("due {due}"));
        let reply = crate::domain::problem::one_line(line.reply.unwrap_or_default());
        vec![
            line.edition.clone(),
            line.recipient.to_owned(),
            line.state.as_str().to_owned(),
            format!("{} tries", line.attempts),
            due,
            reply,
        ]
    };
    print::text(&if lines.is_empty() {
        "nothing waits".to_owned()
    } else {
        print::table(&lines.iter().map(text).collect::<Vec<_>>())
    })
}

fn edition(text: &str) -> Result<EditionKey, String> {
    let known = EditionKey::parse(text).filter(|key| key.is_edition());
    known.ok_or_else(|| "expected an edition as `gazetted digest list` names it, such as `2021-05`".to_owned())
}

async fn retry(store: &SharedStore, edition: Option<EditionKey>) -> Done {
    let again = store.retry(edition, &[State::Deferred, State::Failed, State::Held], open::now()).await?;
    let about = edition.map(|key| key.to_string()).unwrap_or_default();
    acts::write(store, "outbox retry", &about, &format!("{again} back in the queue")).await?;
    print::text(&format!("{again} back in the queue; `gazetted run` sends them, or `gazetted outbox flush` now"))
}

/// What is due only later: put off, or behind those an edition is tried out on.
async fn later(store: &SharedStore) -> Result<String, Failure> {
    let waiting = store.outbox_counts().await?.waiting();
    let due = store.next_due().await?.filter(|_| waiting > 0);
    Ok(due.map_or_else(String::new, |due| format!("; {waiting} wait, the next until {due}")))
}

async fn flush(config: &crate::config::Config, store: SharedStore, json: bool) -> Done {
    super::digest::refuse_standby(&store).await?;
    let site = scan::site(config);
    let sender = sending::sender(config, &site, sending::Secrets::of(&store).await?)?;
    let templates = super::digest::templates(&config.path(&config.digest.templates))?;
    let composer = sending::composer(config, sender, Arc::new(templates));
    let (ways, node) = (sending::ways(config)?, sending::node()?);
    let outbox = sending::outbox(config, node, Arc::clone(&store), Arc::new(SystemClock), composer, ways);
    let stop = CancellationToken::new();
    let interrupt = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupt.cancel();
        }
    });
    let tally = outbox.run_until_empty(&stop).await?;
    acts::write(&store, "outbox flush", "", &format!("{} accepted, {} failed", tally.accepted, tally.failed)).await?;
    if json {
        print::json(
            &serde_json::json!({"accepted": tally.accepted, "deferred": tally.deferred, "failed": tally.failed, "held": tally.held, "refused": tally.refused, "doubtful": tally.doubtful}),
        )?;
    } else {
        print::text(&format!(
            "{} accepted, {} deferred, {} failed{}{}",
            tally.accepted,
            tally.deferred,
            tally.failed,
            if tally.held > 0 { format!(", {} held", tally.held) } else { String::new() },
            later(&store).await?
        ))?;
    }
    if let Some((key, reason)) = tally.paused.first() {
        return Err(Failure::failed(
            format!("the edition of {key} is paused: refused by policy: {reason}"),
            "these are the provider's words about us, not about a reader; mend the set-up, then `gazetted digest resume`",
        ));
    }
    match tally.halt {
        None => Ok(()),
        Some(Halt::Trouble(words)) => Err(Failure::failed(
            format!("sending stopped: {words}"),
            "what was not sent is in the queue; try again later",
        )),
        Some(Halt::Stopped(words)) => Err(Failure::failed(
            format!("sending stopped: {words}"),
            "these are the server's words about us, not about a reader; mend the set-up first",
        )),
        Some(Halt::Store(error)) => Err(error.into()),
    }
}
