//! Makes the forms that readers have asked for, one after the other, beside everything else the daemon does: nobody waits
//! for it. Whatever changed is made again in the forms it had, before anybody asks.

use tracing::debug;

use super::encoding::Encoding;
use super::published::{Document, Shared};

/// Never ends by itself; whoever started it drops it.
pub async fn pack(shared: Shared) {
    loop {
        let published = shared.get();
        let mut full = false;
        for (path, document) in &published.documents {
            for encoding in document.forms.missing() {
                full |= !made(path, document, encoding, &shared).await;
            }
        }
        if full {
            debug!("some forms find no room in memory; their documents are compressed for each reader");
        }
        drop(published);
        shared.asked().await;
    }
}

/// Whether there was room for it.
async fn made(path: &str, document: &Document, encoding: Encoding, shared: &Shared) -> bool {
    let (document, room) = (document.clone(), shared.room());
    if !room.may_hold(document.size) {
        return false;
    }
    let work = move || document.plain().map(|plain| document.forms.make(encoding, &plain, &room));
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(roomy)) => roomy,
        Ok(Err(error)) => {
            debug!("`{path}` was not read for its {encoding:?} form: {error}");
            true
        }
        Err(error) => {
            debug!("the {encoding:?} form of `{path}` was not made: {error}");
            true
        }
    }
}
