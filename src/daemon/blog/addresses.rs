//! Addresses that feeds have had: what moved leads on, for ever, and nowhere if nothing is there.

use std::collections::BTreeMap;

use super::Blog;
use super::outputs::files;
use crate::daemon::preflight::PAGES;
use crate::domain::extra_feed::ExtraFeed;
use crate::domain::feed_memory::FeedMemory;
use crate::domain::problem::Problem;
use crate::render::feed::Settings;
use crate::render::feed_plan::Plan;

impl Blog {
    /// Where feeds that had other addresses stand now. One that is no more is nowhere, unless the configuration says where.
    #[must_use]
    pub fn moved(&self) -> BTreeMap<String, String> {
        let plain = |name: &String| name.trim_matches('/').to_owned();
        let told: BTreeMap<String, String> =
            self.config.feeds.moved.iter().map(|(old, new)| (plain(old), plain(new))).collect();
        let mut all = FeedMemory { moved: self.memory.moved.clone(), ..FeedMemory::default() };
        all.moved.extend(told.clone());
        // What stands at an address is not somewhere else, whatever once was said of it.
        all.moved.retain(|old, _| !self.outputs.contains_key(old));
        let to =
            |old: &String| all.moved_to(old).filter(|new| self.outputs.contains_key(*new) || told.contains_key(old));
        all.moved.keys().filter_map(|old| Some((old.clone(), to(old)?.to_owned()))).collect()
    }

    /// Addresses that the configuration says have moved, and to where there is nothing.
    pub(super) fn move_problems(&self, settings: &Settings) -> Vec<Problem> {
        let files = files(&self.plans, settings);
        let is_page = |new: &str| PAGES.contains(&new.split('/').next().unwrap_or_default());
        let is_there = |new: &str| is_page(new) || files.contains(new) || files.contains(&format!("{new}index.html"));
        let moved = self.config.feeds.moved.iter().filter(|(_, new)| !is_there(new.trim_start_matches('/')));
        let problem = |(old, new): (&String, &String)| {
            let message = format!("`feeds.moved` leads from `{old}` to `{new}`, and none of the feeds is there");
            Problem::warning("feeds", "moved", message)
                .hint("expected a file of a feed, like `feed.xml`; `feeds.opml` lists them all")
        };
        moved.map(problem).collect()
    }
}

/// Where feeds stand that have another file name than last time: readers find them by the old one for ever.
pub(super) fn renamed(plans: &[Plan], settings: &Settings, memory: &FeedMemory) -> FeedMemory {
    let mut learned = FeedMemory::default();
    for (format, name) in &settings.formats {
        let key = ("file".to_owned(), format.as_str().to_owned());
        let before = memory.slugs.get(&key).filter(|before| *before != name);
        for plan in plans.iter().filter(|plan| plan.extra.is_none()) {
            let (Some(before), Some((_, now))) = (before, plan.files.iter().find(|(f, _)| f == format)) else {
                continue;
            };
            learned.moved.insert(format!("{}{before}", plan.folder), now.clone());
        }
        if memory.slugs.get(&key) != Some(name) {
            learned.slugs.insert(key, name.clone());
        }
    }
    learned
}

/// The same for feeds of the owner's choice. Of two that are known alike nobody can say which is which.
pub(super) fn moved_extras(extras: &[ExtraFeed], memory: &FeedMemory) -> FeedMemory {
    let mut learned = FeedMemory::default();
    for extra in extras {
        let name = extra.known_as();
        if extras.iter().filter(|other| other.known_as() == name).count() > 1 {
            continue;
        }
        let key = ("extra".to_owned(), name);
        let before = memory.slugs.get(&key);
        if before == Some(&extra.path) {
            continue;
        }
        learned.moved.extend(before.map(|before| (before.clone(), extra.path.clone())));
        learned.slugs.insert(key, extra.path.clone());
    }
    learned
}
