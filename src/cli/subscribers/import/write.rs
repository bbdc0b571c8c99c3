//! Stands in for the store's own verb: people are added a chunk at a time.

use jiff::Timestamp;

use crate::domain::subscriber::State;
use crate::domain::subscriber_import::ImportRow;
use crate::store::{Added, NewSubscriber, Result, SharedStore};

const CHUNK: usize = 1_000;

pub type Rows<'a> = Box<dyn Iterator<Item = Result<ImportRow>> + Send + 'a>;

/// What came of it.
#[derive(Debug, Default)]
pub struct ImportTally {
    pub added: u64,
    /// Were there before, and are as they were.
    pub known: u64,
    /// Were active here, and have left or died according to the files.
    pub left: u64,
    /// Erased here at their own wish, and not brought back.
    pub kept_out: u64,
}

pub async fn import(
    store: &SharedStore,
    source: &str,
    mut rows: Rows<'_>,
    dry_run: bool,
    now: Timestamp,
) -> Result<ImportTally> {
    let mut tally = ImportTally::default();
    loop {
        let chunk: Vec<ImportRow> = rows.by_ref().take(CHUNK).collect::<Result<_>>()?;
        if chunk.is_empty() {
            return Ok(tally);
        }
        if !dry_run {
            add(store, source, &chunk, now, &mut tally).await?;
        }
    }
}

async fn add(
    store: &SharedStore,
    source: &str,
    chunk: &[ImportRow],
    now: Timestamp,
    tally: &mut ImportTally,
) -> Result<()> {
    let new: Vec<NewSubscriber> = chunk.iter().map(|row| subscriber(row, source)).collect();
    for (row, added) in chunk.iter().zip(store.add_subscribers(&new, false, now).await?) {
        let active = matches!(added, Added::Known(State::Active | State::Pending));
        if added == Added::New {
            tally.added += 1;
        } else if active && matches!(row.state, State::Unsubscribed | State::Suppressed) {
            if let Some(known) = store.subscriber_by_key(&row.address.key).await? {
                store.move_subscriber(known.id, row.state, now).await?;
            }
            tally.left += 1;
        } else {
            tally.known += 1;
        }
    }
    Ok(())
}

fn subscriber(row: &ImportRow, source: &str) -> NewSubscriber {
    NewSubscriber {
        email: row.address.email.clone(),
        key: row.address.key.clone(),
        name: row.name.clone(),
        state: row.state,
        source: source.to_owned(),
    }
}
