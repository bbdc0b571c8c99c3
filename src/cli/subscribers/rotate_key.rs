//! `gazetted subscribers rotate-key`: a new key for links. Every node hears of it before it is used.

use std::time::Duration;

use super::super::{Done, open, print};
use crate::daemon::sending;
use crate::store::SharedStore;

/// Daemons look for new keys once a minute.
const HEARD_OF: Duration = Duration::from_mins(5);

pub async fn run(store: &SharedStore) -> Done {
    // The first, if there was none yet.
    sending::key(store).await?;
    let from = open::now().saturating_add(HEARD_OF)?;
    store.add_token_key(from, sending::fresh()?).await?;
    print::text(&format!("links in mails are made with a new key from {from:.0} on; those sent before go on working"))
}
