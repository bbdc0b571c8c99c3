//! `gazetted subscribers`: the people the digest goes to.

use std::path::{Path, PathBuf};

use super::error::Failure;
use super::{Done, open, print};
use crate::domain::subscriber::{Address, State, Subscriber};
use crate::domain::subscriber_csv;
use crate::domain::wording;
use crate::store::{Added, NewSubscriber, SharedStore};

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
    /// Add everybody of a CSV file with an e-mail column: all or nobody
    Import {
        file: PathBuf,
        /// Only say what would happen
        #[arg(long)]
        dry_run: bool,
    },
}

fn state(text: &str) -> Result<State, String> {
    State::parse(text).ok_or_else(|| "expected pending, active, unsubscribed or suppressed".to_owned())
}

pub async fn run(config: Option<&Path>, command: Command) -> Done {
    let config = open::config(config)?;
    let store = open::store(&config).await?;
    match command {
        Command::Add { address, name, again } => add(&store, &address, name, again).await,
        Command::List { state, json } => list(&store, state, json).await,
        Command::Remove { address } => remove(&store, &address).await,
        Command::Import { file, dry_run } => import(&store, &file, dry_run).await,
    }
}

fn address(text: &str) -> Result<Address, Failure> {
    Address::parse(text).map_err(|e| {
        Failure::usage(format!("`{text}` is no mail address: {e}"), "expected one like `name@example.org`")
    })
}

async fn add(store: &SharedStore, text: &str, name: Option<String>, again: bool) -> Done {
    let Address { email, key } = address(text)?;
    let name = name.map(|n| crate::domain::plain::line(&n)).filter(|n| !n.is_empty());
    let new = NewSubscriber { email: email.clone(), key, name, state: State::Active, source: "cli".to_owned() };
    let added = store.add_subscribers(&[new], again, open::now()).await?;
    match added.first() {
        Some(Added::New) => print::text(&format!("{email} is subscribed")),
        Some(Added::Again) => print::text(&format!("{email} is subscribed again")),
        Some(Added::Known(State::Active)) => print::text(&format!("{email} was subscribed already")),
        Some(Added::Known(State::Unsubscribed)) => {
            Err(Failure::failed(format!("{email} has unsubscribed"), "if they ask to come back: `--again`"))
        }
        Some(Added::Erased) => Err(Failure::failed(
            format!("{email} was forgotten at its owner's wish"),
            "if they ask to come back: `--again`",
        )),
        Some(Added::Known(state)) => {
            Err(Failure::failed(format!("{email} is {}", state.as_str()), "nothing was changed"))
        }
        None => Ok(()),
    }
}

async fn list(store: &SharedStore, state: Option<State>, json: bool) -> Done {
    let mut after: Option<String> = None;
    let mut all: Vec<Subscriber> = Vec::new();
    loop {
        let page = store.subscribers(state, after.as_deref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(Address::parse(&last.email).map_or_else(|_| last.email.to_lowercase(), |a| a.key));
        all.extend(page);
    }
    if json {
        return print::json(&all);
    }
    let rows: Vec<Vec<String>> = all
        .into_iter()
        .map(|s| {
            vec![s.email, s.state.as_str().to_owned(), s.created_at.to_string(), s.source, s.name.unwrap_or_default()]
        })
        .collect();
    print::text(&print::table(&rows))
}

async fn remove(store: &SharedStore, text: &str) -> Done {
    let Address { email, key } = address(text)?;
    let Some(found) = store.subscriber_by_key(&key).await? else {
        return Err(Failure::failed(
            format!("{email} is not subscribed"),
            "`gazetted subscribers list` shows everybody",
        ));
    };
    store.move_subscriber(found.id, State::Unsubscribed, "cli", open::now()).await?;
    print::text(&format!("{email} is unsubscribed"))
}

async fn import(store: &SharedStore, file: &Path, dry_run: bool) -> Done {
    let shown = file.display().to_string();
    let input =
        std::fs::File::open(file).map_err(|e| anyhow::Error::new(e).context(format!("`{shown}` cannot be read")))?;
    let read = subscriber_csv::read(&shown, input).map_err(|problems| {
        for problem in &problems {
            eprintln!("{problem}");
        }
        Failure::failed("nobody was added: the file has mistakes", "mend the lines named above, and import again")
    })?;
    let source = format!("import:{}", file.file_name().unwrap_or_default().to_string_lossy());
    let new: Vec<NewSubscriber> = read
        .rows
        .into_iter()
        .map(|row| NewSubscriber {
            email: row.address.email,
            key: row.address.key,
            name: row.name,
            state: State::Active,
            source: source.clone(),
        })
        .collect();
    let people = |n: usize| wording::digits(u32::try_from(n).unwrap_or(u32::MAX), "address");
    if dry_run {
        return print::text(&format!("{}, {} repeated; nothing was written", people(new.len()), read.repeated));
    }
    let added = store.add_subscribers(&new, false, open::now()).await?;
    let count = |what: fn(&Added) -> bool| added.iter().filter(|a| what(a)).count();
    print::text(&format!(
        "{} added, {} known before, {} had left and were not brought back, {} repeated in the file",
        count(|a| matches!(a, Added::New)),
        count(|a| matches!(a, Added::Known(State::Active | State::Pending))),
        count(|a| matches!(a, Added::Known(State::Unsubscribed | State::Suppressed))),
        read.repeated,
    ))
}
