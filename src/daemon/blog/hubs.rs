//! What hubs are to know of the blog: its feeds as they are, and how each says which hubs it has.

use super::Blog;
use crate::domain::websub;
use crate::render::feed::{self, Settings};

impl Blog {
    /// The feeds that change, and the hash of each; not the archives.
    #[must_use]
    pub fn feeds(&self) -> Vec<(String, u128)> {
        let files = self.plans.iter().flat_map(|plan| plan.files.iter().filter(|(_, file)| plan.is_current(file)));
        files.filter_map(|(_, file)| Some((file.clone(), self.outputs.get(file)?.bytes_hash))).collect()
    }

    /// The `Link` header of a file, if it is a feed with hubs.
    pub(super) fn link_header(&self, file: &str, settings: &Settings) -> Option<String> {
        let feed = !settings.hubs.is_empty() && self.plans.iter().any(|plan| plan.is_current(file));
        feed.then(|| websub::links(&settings.hubs, &feed::address(settings, file)))
    }
}
