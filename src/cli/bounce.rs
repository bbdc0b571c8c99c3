//! `gazetted bounce`: one mail to the bounce address, on standard input, as a mail server's pipe gives it. Never answers; what
//! carries no token of ours changes nothing.

use std::io::Read as _;
use std::path::Path;

use super::error::Failure;
use super::{Done, open, print};
use crate::daemon::bounces::{self, NO_TOKEN};
use crate::domain::bounce_class::Source;
use crate::domain::bounce_message::{self, LONGEST};
use crate::store;

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
    let letter = bounce_message::read(&mail, &given.recipient, address);
    if !bounces::may_be_ours(&letter) {
        return print::text(NO_TOKEN.words());
    }
    // What waits in the mail server's queue is tried again.
    let store = store::open_briefly(&config.store_url(), open::now()).await.map_err(|_| Failure::Temporary)?;
    let taken = bounces::take(&store, Source::Pipe, &letter, &mail, open::now()).await;
    print::text(taken.map_err(|_| Failure::Temporary)?.words())
}
