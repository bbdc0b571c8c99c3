//! Months whose digest should have gone out while nobody was there to send it, and that are too long ago by now.

use jiff::Timestamp;

use super::blog::Blog;
use super::editions::closed;
use crate::domain::period::{Per, Period};
use crate::store::{SharedStore, StoreError};

/// Nobody asks for more.
const MOST: usize = 24;

/// The months after the store was made that have no edition and get none by themselves any more, and when each was due.
pub async fn missed(blog: &Blog, store: &SharedStore, now: Timestamp) -> Result<Vec<(Period, Timestamp)>, StoreError> {
    let mut missed = Vec::new();
    for closed in closed(Per::Month, blog, store, now).await?.take(MOST).filter(|closed| closed.late < now) {
        if store.edition(closed.period.into()).await?.is_none() {
            missed.push((closed.period, closed.due));
        }
    }
    Ok(missed)
}
