//! `gazetted subscribers erase`: forgets somebody at their own wish.

use super::super::{Done, acts, open, print};
use super::found;
use crate::daemon::sending;
use crate::store::SharedStore;

pub async fn erase(store: &SharedStore, text: &str) -> Done {
    let found = found(store, text).await?;
    // The hash that stays is keyed.
    sending::key(store).await?;
    store.erase_subscriber(found.id, open::now()).await?;
    acts::write(store, "subscribers erase", &found.email, "forgotten").await?;
    print::text(&format!(
        "{} is forgotten; a keyed hash keeps lists from bringing them back, and backups made before hold them still",
        found.email
    ))
}
