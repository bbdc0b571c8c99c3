//! Ids that a feed had before it was ours.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Blog, PassError};
use crate::domain::adoption::{self, Adoption};
use crate::domain::feed_document::FeedDocument;
use crate::domain::feed_memory::FeedMemory;
use crate::render::feed_plan::{self, Kind, Plan};

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
        let learned = self.learned_from(documents, &adoption, now);
        self.store()?.adopt_entries(&adoption.rows, &learned).await?;
        for (before, _) in &adoption.rows {
            self.ledger.remove(before);
        }
        self.ledger.extend(adoption.rows.iter().map(|(_, row)| (row.id.clone(), row.clone().into())));
        self.memory.extend(learned);
        Ok(adoption)
    }

    /// What the feeds, and the archives that a build has filled before, have to know of it.
    fn learned_from(&self, documents: &[FeedDocument], adoption: &Adoption, now: Timestamp) -> FeedMemory {
        let ids: BTreeMap<&str, &str> = adoption.rows.iter().map(|(before, row)| (&**before, &*row.id)).collect();
        let posts = self.catalogue.published().filter_map(|post| Some((&*post.id, post.date?)));
        let ours = posts.map(|(id, date)| (ids.get(id).copied().unwrap_or(id), date)).collect();
        let mut learned = FeedMemory { archives: self.memory.archives_with(&ids), ..FeedMemory::default() };
        let plans = feed_plan::plan(&self.catalogue, &self.settings(), &self.memory).plans;
        for document in documents {
            let feed = feed_of(document, &plans);
            let known = [learned.since(feed), self.memory.since(feed)];
            // Some reader has what any of them held.
            if let Some(since) = known.into_iter().flatten().chain(document.since(&ours)).min() {
                learned.set_adopted(feed, since, now);
            }
        }
        learned
    }
}

/// Which of our feeds goes on with a document: the one that stands where it stood, and the blog's own if none does.
fn feed_of<'a>(document: &FeedDocument, plans: &'a [Plan]) -> &'a str {
    let files = plans.iter().filter(|plan| plan.kind != Kind::Archive);
    let files = files.flat_map(|plan| plan.files.iter().map(move |(_, file)| (file, plan)));
    let found = files.filter(|(file, _)| document.is_at(file)).max_by_key(|(file, _)| file.len());
    found.map_or("", |(_, plan)| plan.key())
}
