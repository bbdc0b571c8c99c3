//! What must stay as it was once readers have seen a feed: the address each name got, what stands in each archive, where
//! feeds have moved to. Knows the rows, not where they are kept.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedMemory {
    /// By kind of feed and the name in lower case; and the feeds' file names.
    pub slugs: BTreeMap<(String, String), String>,
    /// By feed and page: the ids of the entries, newest first. A page's entries never change.
    pub archives: BTreeMap<(String, u32), Vec<String>>,
    /// Old address to new, both below the feeds' root.
    pub moved: BTreeMap<String, String>,
}

impl FeedMemory {
    pub fn extend(&mut self, more: Self) {
        self.slugs.extend(more.slugs);
        self.archives.extend(more.archives);
        self.moved.extend(more.moved);
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slugs.is_empty() && self.archives.is_empty() && self.moved.is_empty()
    }

    /// From when on the posts were in the feed that stood there before ours; older ones are no news to its readers. The blog's
    /// own feed is "".
    #[must_use]
    pub fn since(&self, feed: &str) -> Option<Timestamp> {
        self.slugs.get(&Self::since_key(feed))?.parse().ok()
    }

    /// When that was learned of the blog's own. What was published by then, and is older, belongs into archives; what comes
    /// later is news, however early it is dated.
    #[must_use]
    pub fn adopted_at(&self) -> Option<Timestamp> {
        self.slugs.get(&Self::adopted_at_key())?.parse().ok()
    }

    pub fn set_adopted(&mut self, feed: &str, since: Timestamp, at: Timestamp) {
        self.slugs.insert(Self::since_key(feed), since.to_string());
        if feed.is_empty() {
            self.slugs.insert(Self::adopted_at_key(), at.to_string());
        }
    }

    /// The archives that entries stand in which have other ids now.
    #[must_use]
    pub fn archives_with(&self, ids: &BTreeMap<&str, &str>) -> BTreeMap<(String, u32), Vec<String>> {
        let renamed = |entries: &Vec<String>| -> Vec<String> {
            entries.iter().map(|id| ids.get(id.as_str()).copied().unwrap_or(id).to_owned()).collect()
        };
        let pages = self.archives.iter().map(|(page, entries)| (page.clone(), renamed(entries)));
        pages.filter(|(page, entries)| self.archives[page] != *entries).collect()
    }

    fn since_key(feed: &str) -> (String, String) {
        match feed {
            "" => ("adopted".to_owned(), "since".to_owned()),
            feed => ("adopted since".to_owned(), feed.to_owned()),
        }
    }

    fn adopted_at_key() -> (String, String) {
        ("adopted".to_owned(), "at".to_owned())
    }

    /// Where what stood at `path` is now, however often it moved; `None` if that leads round in a circle.
    #[must_use]
    pub fn moved_to(&self, path: &str) -> Option<&str> {
        let mut to = self.moved.get(path)?;
        for _ in 0..self.moved.len() {
            match self.moved.get(to) {
                Some(next) => to = next,
                None => return Some(to),
            }
        }
        None
    }

    /// The archive pages of a feed, oldest first.
    pub fn pages(&self, feed: &str) -> impl Iterator<Item = (u32, &[String])> {
        let pages = self.archives.range((feed.to_owned(), 0)..=(feed.to_owned(), u32::MAX));
        pages.map(|((_, page), ids)| (*page, ids.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moved_twice_is_found_at_once_and_a_circle_ends() {
        let moved = |pairs: &[(&str, &str)]| FeedMemory {
            moved: pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
            ..FeedMemory::default()
        };
        let chain = moved(&[("a", "b"), ("b", "c")]);
        assert_eq!((chain.moved_to("a"), chain.moved_to("b"), chain.moved_to("c")), (Some("c"), Some("c"), None));
        let circle = moved(&[("a", "b"), ("b", "a"), ("c", "a")]);
        assert_eq!((circle.moved_to("a"), circle.moved_to("c")), (None, None));
    }

    #[test]
    fn an_archive_follows_its_entries_to_other_ids() {
        let page = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<String>>();
        let key = |page: u32| (String::new(), page);
        let archives = BTreeMap::from([(key(1), page(&["a", "b"])), (key(2), page(&["c"]))]);
        let memory = FeedMemory { archives, ..FeedMemory::default() };
        // Two that change places, too.
        let renamed = memory.archives_with(&BTreeMap::from([("a", "b"), ("b", "a"), ("c", "c")]));
        assert_eq!(renamed, BTreeMap::from([(key(1), page(&["b", "a"]))]));
    }

    #[test]
    fn pages_are_those_of_one_feed_in_order() {
        let mut memory = FeedMemory::default();
        for (feed, page) in [("", 2), ("tags/a/", 1), ("", 10), ("", 1)] {
            memory.archives.insert((feed.to_owned(), page), Vec::new());
        }
        assert_eq!(memory.pages("").map(|(page, _)| page).collect::<Vec<_>>(), [1, 2, 10]);
    }
}
