//! Ids that a feed had before it was ours.

use jiff::Timestamp;

use super::{Blog, PassError};
use crate::domain::adoption::{self, Adoption};
use crate::domain::feed_document::FeedDocument;
use crate::domain::feed_memory::FeedMemory;

impl Blog {
    /// What becomes of the entries of `documents`, from the files as last scanned; nothing is changed.
    pub fn adoption(&mut self, documents: &[FeedDocument], now: Timestamp) -> Adoption {
        let rows = self.assemble(now);
        let mut ledger = self.ledger.clone();
        ledger.extend(rows.into_iter().map(|row| (row.id.clone(), row.into())));
        adoption::adopt(documents, &self.catalogue.posts, &ledger)
    }

    /// Takes the ids over.
    pub async fn adopt(&mut self, documents: &[FeedDocument], now: Timestamp) -> Result<Adoption, PassError> {
        let rows = self.assemble(now);
        self.remember_entries(rows).await?;
        let adoption = adoption::adopt(documents, &self.catalogue.posts, &self.ledger);
        self.store()?.adopt_entries(&adoption.rows).await?;
        for (before, row) in &adoption.rows {
            self.ledger.remove(before);
            self.ledger.insert(row.id.clone(), row.clone().into());
        }
        if let Some(since) = adoption.since.filter(|_| self.memory.archives.is_empty()) {
            let mut learned = FeedMemory::default();
            learned.set_since(since);
            self.learn(learned).await?;
        }
        Ok(adoption)
    }
}
