//! `gazetted subscribers add`: somebody who has asked for it.

use super::super::error::Failure;
use super::super::{Done, open, print};
use super::address;
use crate::domain::subscriber::{self, Address, State};
use crate::store::{Added, NewSubscriber, SharedStore};

pub async fn add(store: &SharedStore, text: &str, name: Option<String>, again: bool) -> Done {
    let Address { email, key } = address(text)?;
    let name = name.as_deref().and_then(subscriber::name);
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
            format!("{email} was forgotten, or left for another address, at its owner's wish"),
            "if they ask to come back: `--again`",
        )),
        Some(Added::Known(State::Suppressed)) => Err(Failure::failed(
            format!("{email} is suppressed"),
            "`gazetted subscribers undo-bounce` takes back a bounce that was none; if another tool's list said so and they ask to come \
             back: `gazetted subscribers erase`, then `add --again`",
        )),
        Some(Added::Known(state)) => {
            Err(Failure::failed(format!("{email} is {}", state.as_str()), "nothing was changed"))
        }
        None => Ok(()),
    }
}
