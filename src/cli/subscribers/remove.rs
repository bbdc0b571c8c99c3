//! `gazetted subscribers remove`: somebody off the list.

use super::super::error::Failure;
use super::super::{Done, open, print};
use super::address;
use crate::domain::subscriber::{Address, State};
use crate::store::SharedStore;

pub async fn remove(store: &SharedStore, text: &str) -> Done {
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
