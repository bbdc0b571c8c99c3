//! `gazetted admin`: a link that opens the editors' pages, and what was done by hand.

use std::path::Path;

use jiff::SignedDuration;

use super::error::Failure;
use super::{Done, open, print};
use crate::daemon::sending;
use crate::domain::problem::one_line;
use crate::domain::token::Purpose;
use crate::store::Act;

/// How long a link is good.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(10);

#[derive(Debug, Clone, Copy, clap::Subcommand)]
pub enum Command {
    /// A link that opens the editors' pages, once, within ten minutes
    Link,
    /// What was done by hand, on the pages and by commands; the latest first
    Log {
        /// How many at most
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: u32,
        /// Facts as JSON
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(config: Option<&Path>, command: Command) -> Done {
    match command {
        Command::Link => link(config).await,
        Command::Log { limit, json } => log(config, limit, json).await,
    }
}

async fn link(config: Option<&Path>) -> Done {
    let config = open::config(config)?;
    let url = config.admin_url();
    if config.http.admin.is_empty() || url::Url::parse(&url).is_err() {
        return Err(Failure::failed(
            "nothing says where the editors' pages are",
            "set `http.admin`, like `127.0.0.1:8081`, and `http.admin_url` if editors reach it by another address",
        ));
    }
    let store = open::store(&config).await?;
    let now = open::now();
    let fresh = sending::fresh()?;
    let mark = fresh.first_chunk().map(|mark| i64::from_be_bytes(*mark)).unwrap_or_default();
    let until = now.saturating_add(GOOD_FOR)?;
    let keys = sending::Secrets::of(&store).await?.keys.newest(now);
    let token = keys.mint(Purpose::SignIn, mark, Some(until));
    print::text(&format!("{url}/admin/sign-in/{token}"))?;
    eprintln!("it opens the pages once, until {until:.0}");
    Ok(())
}

async fn log(config: Option<&Path>, limit: u32, json: bool) -> Done {
    let config = open::config(config)?;
    let acts = open::store(&config).await?.acts(None, limit).await?;
    if json {
        return print::json(&acts);
    }
    let row = |act: &Act| {
        vec![format!("{:.0}", act.at), act.who.clone(), act.act.clone(), act.subject.clone(), one_line(&act.detail)]
    };
    print::text(&if acts.is_empty() {
        "nothing has been done by hand yet".to_owned()
    } else {
        print::table(&acts.iter().map(row).collect::<Vec<_>>())
    })
}
