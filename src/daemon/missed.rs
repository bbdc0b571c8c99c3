//! Months whose digest should have gone out while nobody was there to send it, and that are too long ago by now.

use jiff::Timestamp;

use super::blog::Blog;
use crate::domain::period::{Per, Period};
use crate::domain::schedule::Schedule;
use crate::store::{SharedStore, StoreError};

/// Nobody asks for more.
const MOST: usize = 24;

/// The months after the store was made that have no edition and get none by themselves any more, and when each was due.
pub async fn missed(blog: &Blog, store: &SharedStore, now: Timestamp) -> Result<Vec<(Period, Timestamp)>, StoreError> {
    let digest = &blog.config.digest;
    let Ok(schedule) = Schedule::parse(&digest.schedule) else { return Ok(Vec::new()) };
    let zone = blog.config.site.zone();
    let born = Period::at(Per::Month, store.created_at().await?, &zone);
    let mut missed = Vec::new();
    let mut period = Period::at(Per::Month, now, &zone).previous();
    for _ in 0..MOST {
        if period < born {
            break;
        }
        let due = schedule.due_after(period, &zone);
        let late = due.checked_add(digest.catch_up.get()).unwrap_or(Timestamp::MAX);
        if late < now && store.edition(period.into()).await?.is_none() {
            missed.push((period, due));
        }
        period = period.previous();
    }
    Ok(missed)
}
