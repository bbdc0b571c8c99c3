//! `gazetted bounce`: one mail to the bounce address, on standard input, as a mail server's pipe gives it. Never answers; what
//! carries no token of ours changes nothing.

use std::io::Read as _;
use std::path::Path;

use super::error::Failure;
use super::{Done, open, print};
use crate::daemon::sending::Secrets;
use crate::domain::bounce::Decision;
use crate::domain::bounce_message::{self, LONGEST, Said};
use crate::domain::subscriber::State;
use crate::domain::token::Purpose;
use crate::store::{self, SharedStore};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The address it was delivered to (Postfix: ${recipient}); else the headers are asked
    recipient: Vec<String>,
}

pub async fn run(config: Option<&Path>, given: &Arguments) -> Done {
    let config = open::config(config)?;
    let address = &config.bounces.address;
    if address.is_empty() {
        return Err(Failure::failed(
            "there is no `bounces.address`",
            "name the address that bounces come to below `[bounces]`",
        ));
    }
    let mut mail = Vec::new();
    std::io::stdin().lock().take(LONGEST as u64).read_to_end(&mut mail)?;
    let token = bounce_message::token(&mail, &given.recipient, address);
    let Some(token) = token else { return print::text("no token of ours: nothing was changed") };
    // What waits in the mail server's queue is tried again.
    let store = store::open_briefly(&config.store_url(), open::now()).await.map_err(|_| Failure::Temporary)?;
    let said = bounce_message::said(&mail);
    match act(&store, &token, &said).await {
        Ok(line) => print::text(line),
        Err(_) => Err(Failure::Temporary),
    }
}

async fn act(store: &SharedStore, token: &str, said: &Said) -> Result<&'static str, Failure> {
    let (keys, now) = (Secrets::of(store).await?.keys, open::now());
    if let Ok(id) = keys.read(token, Purpose::Unsubscribe, now) {
        if *said == Said::Automatic {
            return Ok("a machine answered: nothing was changed");
        }
        return take_off(store, id, State::Unsubscribed, "mailto").await;
    }
    let Ok(id) = keys.read(token, Purpose::Bounce, now) else { return Ok("no token of ours: nothing was changed") };
    match said {
        Said::Complaint => take_off(store, id, State::Suppressed, "complaint").await,
        Said::Report { decision: Decision::FailRecipient { hard: true }, .. } => {
            take_off(store, id, State::Suppressed, "bounce").await
        }
        Said::Report { .. } => Ok("the address is not dead: nothing was changed"),
        Said::Automatic | Said::Mail => Ok("no report: nothing was changed"),
    }
}

/// Whoever has left already stays as they are.
async fn take_off(store: &SharedStore, id: i64, to: State, source: &str) -> Result<&'static str, Failure> {
    let found = store.subscriber(id).await?;
    if !found.is_some_and(|found| matches!(found.state, State::Active | State::Pending)) {
        return Ok("not subscribed any more: nothing was changed");
    }
    store.move_subscriber(id, to, source, open::now()).await?;
    Ok(if to == State::Unsubscribed { "unsubscribed" } else { "suppressed" })
}
