//! `gazetted subscribers remove`: somebody off the list.

use super::super::{Done, acts, open, print};
use super::found;
use crate::domain::subscriber::State;
use crate::store::SharedStore;

pub async fn remove(store: &SharedStore, text: &str) -> Done {
    let found = found(store, text).await?;
    store.move_subscriber(found.id, State::Unsubscribed, "cli", open::now()).await?;
    acts::write(store, "subscribers remove", &found.email, "unsubscribed").await?;
    print::text(&format!("{} is unsubscribed", found.email))
}
