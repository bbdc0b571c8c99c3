//! The verbs of feeds: what must stay as it was once readers have seen them, and ids taken over from a feed that was there
//! before; and what posts said when they were last read. Knows no file.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::Result;
use crate::domain::feed_memory::FeedMemory;
use crate::domain::identity::EntryRow;

#[async_trait]
pub trait Feeds: Send + Sync {
    async fn feed_memory(&self) -> Result<FeedMemory>;
    /// Adds to it, or replaces what has the same key, all or none.
    async fn learn_feeds(&self, more: &FeedMemory) -> Result<()>;
    /// Gives entries other ids: for each the id it had here and what it is from now on, with what the feeds learn of it, all or
    /// none.
    async fn adopt_entries(&self, adopted: &[(String, EntryRow)], learned: &FeedMemory) -> Result<()>;
    /// What posts said when they were last read by these rules: pages of gists.
    async fn gists(&self, rules: u128) -> Result<Vec<Vec<u8>>>;
    /// Writes these pages in the place of those that were there, all or none.
    async fn save_gists(&self, rules: u128, pages: &BTreeMap<u32, Vec<u8>>) -> Result<()>;
}
