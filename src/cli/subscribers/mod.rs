//! `gazetted subscribers`: the people the digest goes to. One file a command.

use std::path::Path;

use super::error::Failure;
use super::{Done, open};
use crate::domain::subscriber::{Address, State, Subscriber};
use crate::store::SharedStore;

mod add;
mod erase;
mod export;
mod import;
mod list;
mod progress;
mod remove;
mod rotate_key;
mod show;
mod stats;
mod undo_bounce;

/// How many are fetched at a time: the list may be long, memory is not.
const PAGE: u32 = 1_000;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add somebody who has asked for it
    Add {
        address: String,
        #[arg(long)]
        name: Option<String>,
        /// Bring back somebody who has left, by their own wish
        #[arg(long)]
        again: bool,
    },
    /// Everybody, or those in one state
    List {
        #[arg(long, value_parser = state)]
        state: Option<State>,
        /// Facts as JSON
        #[arg(long)]
        json: bool,
    },
    /// Take somebody off the list
    Remove { address: String },
    /// Everybody of the lists another tool exported, or of a CSV file: all or nobody
    Import(import::Arguments),
    /// Everything that is kept of somebody: choices, consent, what was sent when and with which answer, what bounced
    Show {
        address: String,
        /// Only the mail of this bounce, as it came
        #[arg(long, value_name = "ID", conflicts_with = "json")]
        original: Option<i64>,
        /// Facts as JSON
        #[arg(long)]
        json: bool,
    },
    /// A bounce was none: it counts no more, and whom it suppressed is active again
    UndoBounce(undo_bounce::Arguments),
    /// Forget somebody at their own wish; a keyed hash stays, so that no list brings them back
    Erase { address: String },
    /// How many in which state, and who came and left, month by month
    Stats(stats::Arguments),
    /// Make links with a new key from five minutes on; old links go on working
    RotateKey,
    /// Everybody, or those in one state, as a CSV or JSON file on stdout
    Export(export::Arguments),
}

fn state(text: &str) -> Result<State, String> {
    State::parse(text).ok_or_else(|| "expected pending, active, unsubscribed or suppressed".to_owned())
}

pub async fn run(config: Option<&Path>, command: Command) -> Done {
    let config = open::config(config)?;
    let store = open::store(&config).await?;
    match command {
        Command::Add { address, name, again } => add::add(&store, &address, name, again).await,
        Command::List { state, json } => list::list(&store, state, json).await,
        Command::Remove { address } => remove::remove(&store, &address).await,
        Command::Import(given) => import::run(&store, &given).await,
        Command::Export(given) => export::run(&store, &given).await,
        Command::Show { address, original: Some(bounce), .. } => show::original(&store, &address, bounce).await,
        Command::Show { address, json, .. } => show::show(&store, &address, json).await,
        Command::UndoBounce(given) => undo_bounce::run(&store, &given).await,
        Command::Erase { address } => erase::erase(&store, &address).await,
        Command::Stats(given) => stats::run(&config, &store, &given).await,
        Command::RotateKey => rotate_key::run(&store).await,
    }
}

fn address(text: &str) -> Result<Address, Failure> {
    Address::parse(text).map_err(|e| {
        Failure::usage(format!("`{text}` is no mail address: {e}"), "expected one like `name@example.org`")
    })
}

/// Who has this address here.
async fn found(store: &SharedStore, text: &str) -> Result<Subscriber, Failure> {
    let Address { email, key } = address(text)?;
    store.subscriber_by_key(&key).await?.ok_or_else(|| {
        Failure::failed(format!("{email} is not known here"), "`gazetted subscribers list` shows everybody")
    })
}

/// What the store pages by: the key of an address as it keeps it.
fn key(email: &str) -> String {
    Address::parse(email).map_or_else(|_| email.to_lowercase(), |address| address.key)
}
