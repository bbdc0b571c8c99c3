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
        let learned = self.learned_from(&adoption, now);
        self.store()?.adopt_entries(&adoption.rows, &learned).await?;
        for (before, _) in &adoption.rows {
            self.ledger.remove(before);
        }
        self.ledger.extend(adoption.rows.iter().map(|(_, row)| (row.id.clone(), row.clone().into())));
        self.memory.extend(learned);
        Ok(adoption)
    }

    /// What the feeds, and the archives that a build has filled before, have to know of it.
    fn learned_from(&self, adoption: &Adoption, now: Timestamp) -> FeedMemory {
        let ids = adoption.rows.iter().map(|(before, row)| (before.as_str(), row.id.as_str())).collect();
        let mut learned = FeedMemory { archives: self.memory.archives_with(&ids), ..FeedMemory::default() };
        if let Some(since) = adoption.since {
            learned.set_adopted(since, now);
        }
        learned
    }
}
