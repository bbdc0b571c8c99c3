//! What posts' files said when they were last read, kept so that a start parses only what is new. What parsing gives depends
//! on the file's name, its bytes, the rules, and where it has no date on the file's own, on nothing else: a gist stands for bytes
//! of the same hash read by the same rules. Knows no store; keeps its gists in pages, each written when one of its posts has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::hash;
use super::post::{Post, Written};
use super::post_file::{Parsed, Visibility};

/// Few enough to be read in a moment, and so many that one new post has little written again.
const PAGES: u32 = 64;

/// What one file said.
#[derive(Debug, Serialize, Deserialize)]
pub struct Gist {
    updated: Option<Timestamp>,
    visibility: Visibility,
    written: Arc<Written>,
}

/// By path.
#[derive(Debug, Default)]
pub struct Gists(HashMap<Arc<str>, Gist>);

impl Gists {
    #[must_use]
    pub fn of(pages: Vec<Vec<Gist>>) -> Self {
        let mut all = HashMap::with_capacity(pages.iter().map(Vec::len).sum());
        all.extend(pages.into_iter().flatten().map(|gist| (Arc::clone(&gist.written.path), gist)));
        Self(all)
    }

    /// What parsing these bytes would give.
    #[must_use]
    pub fn parsed(&self, path: &str, source_hash: u128, modified: Timestamp) -> Option<Parsed> {
        let gist = self.0.get(path).filter(|gist| gist.written.source_hash == source_hash)?;
        // The address of a draft without a date goes by its file's.
        if gist.written.date.is_none() && gist.written.modified != modified {
            return None;
        }
        let mut post = Post { updated: gist.updated, ..Arc::clone(&gist.written).into() };
        // Its own copy of everything, which is why it is looked at first.
        if post.modified != modified {
            post.modified = modified;
        }
        Some(Parsed { post: Some((post, gist.visibility)), problems: Vec::new() })
    }

    /// The pages that are not as they are kept, as they should be.
    #[must_use]
    pub fn outdated<'a>(&self, files: impl IntoIterator<Item = &'a Parsed>) -> BTreeMap<u32, String> {
        let posts: Vec<&(Post, Visibility)> = files.into_iter().filter_map(worth_keeping).collect();
        let mut pages: BTreeMap<u32, Vec<Gist>> =
            self.changed(&posts).into_iter().map(|page| (page, Vec::new())).collect();
        if pages.is_empty() {
            return BTreeMap::new();
        }
        for (post, visibility) in posts {
            if let Some(gists) = pages.get_mut(&page_of(&post.path)) {
                gists.push(Gist { updated: post.updated, visibility: *visibility, written: Arc::clone(&post.written) });
            }
        }
        pages.into_iter().filter_map(|(page, gists)| Some((page, serde_json::to_string(&gists).ok()?))).collect()
    }

    /// The pages of posts that are new, different or gone.
    fn changed(&self, posts: &[&(Post, Visibility)]) -> BTreeSet<u32> {
        let is_kept = |post: &Post| {
            self.0.get(&post.path).is_some_and(|gist| {
                (gist.written.source_hash, gist.written.modified) == (post.source_hash, post.modified)
            })
        };
        let new = posts.iter().filter(|(post, _)| !is_kept(post)).map(|(post, _)| page_of(&post.path));
        let mut changed: BTreeSet<u32> = new.collect();
        // As many as there were, and none of them new: none is gone either.
        if !changed.is_empty() || posts.len() != self.0.len() {
            let there: HashSet<&str> = posts.iter().map(|(post, _)| &*post.path).collect();
            changed.extend(self.0.keys().filter(|path| !there.contains(&***path)).map(|path| page_of(path)));
        }
        changed
    }
}

/// The gists of a page as `outdated` gave it; none of one that cannot be read.
#[must_use]
pub fn read(page: &[u8]) -> Vec<Gist> {
    serde_json::from_slice(page).unwrap_or_default()
}

/// A file with problems is read again, so that they are told again; and what a post encloses is looked at, not remembered.
fn worth_keeping(parsed: &Parsed) -> Option<&(Post, Visibility)> {
    let own_file = |post: &Post| post.enclosure.as_ref().is_some_and(|enclosure| enclosure.file.is_some());
    parsed.post.as_ref().filter(|(post, _)| parsed.problems.is_empty() && !own_file(post))
}

fn page_of(path: &str) -> u32 {
    u32::try_from(hash::of(path.as_bytes()) % u128::from(PAGES)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::dialect::{Dialect, Rules};
    use crate::domain::post_file::{File, parse};

    const FULL: &str = "---\ntitle: Café \"a\"\ndate: 2021-05-07 10:00:00.5 +0200\nlastmod: 2021-06-01\nid: tag:x\n\
        tags: [a, b]\ncategories: c\nauthors: [{name: Ann, email: ann@example.org, url: https://ann.example}, Bo]\n\
        image: {src: /a.png, alt: A}\naudio: {url: https://elsewhere.example/a.mp3, length: 5}\nlang: de\nminor: true\n\
        featured: true\ncorrection: was wrong\nexcerpt: Short.\nexpiryDate: 2030-01-01\n---\nText {% post_url b %}\n";

    fn read(path: &str, text: &str) -> Parsed {
        let modified = "2026-11-24T09:00:00.123456789Z".parse().unwrap();
        parse(
            File { path, relative: path, bytes: text.as_bytes(), modified, inherited: None },
            &Rules::sample(Dialect::Jekyll),
        )
    }

    /// As the store has them.
    fn kept(files: &[Parsed]) -> Gists {
        Gists::of(Gists::default().outdated(files).values().map(|page| super::read(page.as_bytes())).collect())
    }

    fn again(gists: &Gists, of: &Parsed) -> Option<Parsed> {
        let (post, _) = of.post.as_ref().unwrap();
        gists.parsed(&post.path, post.source_hash, post.modified)
    }

    #[test]
    fn a_gist_is_what_parsing_gives() {
        let texts = [FULL, "---\ntitle: B\ndraft: true\n---\nb", "---\ndate: 2021-01-01\npublished: false\n---\nc"];
        let files: Vec<Parsed> = texts.iter().zip(["a.md", "d/b.md", "c.md"]).map(|(t, path)| read(path, t)).collect();
        assert!(files.iter().all(|file| file.problems.is_empty()), "{files:?}");
        assert!(files[0].post.as_ref().unwrap().0.enclosure.is_some());
        let gists = kept(&files);
        for file in &files {
            let (one, two) = (again(&gists, file).unwrap(), again(&gists, file).unwrap());
            assert_eq!(one, *file);
            // Shared, not copied: of ten thousand posts there is one copy.
            assert!(Arc::ptr_eq(&one.post.unwrap().0.written, &two.post.unwrap().0.written));
        }
    }

    #[test]
    fn other_bytes_or_another_name_have_no_gist() {
        let file = read("a.md", FULL);
        let (gists, hash) = (kept(std::slice::from_ref(&file)), file.post.as_ref().unwrap().0.source_hash);
        assert!(gists.parsed("a.md", hash ^ 1, Timestamp::UNIX_EPOCH).is_none());
        assert!(gists.parsed("b.md", hash, Timestamp::UNIX_EPOCH).is_none());
        // Touched, and otherwise as it was.
        let touched = gists.parsed("a.md", hash, Timestamp::UNIX_EPOCH).unwrap().post.unwrap().0;
        assert_eq!((touched.modified, &*touched.title), (Timestamp::UNIX_EPOCH, "Café \"a\""));
        let undated = read("b.md", "---\ntitle: B\ndraft: true\n---\nb");
        let gists = kept(std::slice::from_ref(&undated));
        assert_eq!(again(&gists, &undated).as_ref(), Some(&undated));
        assert!(gists.parsed("b.md", undated.post.unwrap().0.source_hash, Timestamp::UNIX_EPOCH).is_none());
    }

    #[test]
    fn what_is_told_or_looked_at_anew_is_not_kept() {
        let wrong = read("wrong.md", "---\ntitle: A\ndate: 2021-01-01\nlastmod: soon\n---\n");
        assert!(wrong.post.is_some() && !wrong.problems.is_empty());
        let podcast = read("podcast.md", "---\ntitle: A\ndate: 2021-01-01\naudio: /a.mp3\n---\n");
        assert!(podcast.post.is_some());
        assert!(kept(&[wrong, podcast]).0.is_empty());
    }

    #[test]
    fn only_pages_that_changed_are_written() {
        let file =
            |n: usize, title: &str| read(&format!("{n}.md"), &format!("---\ntitle: {title}\ndate: 2021-01-01\n---\n"));
        let mut files: Vec<Parsed> = (0..1_000).map(|n| file(n, "A")).collect();
        let gists = kept(&files);
        assert_eq!(gists.0.len(), 1_000);
        assert!(gists.outdated(&files).is_empty());
        files[7] = file(7, "B");
        let changed = gists.outdated(&files);
        assert_eq!(changed.keys().copied().collect::<Vec<_>>(), [page_of("7.md")]);
        assert!(changed[&page_of("7.md")].contains("\"B\""));
        let removed = files.split_off(8);
        let left = gists.outdated(removed.iter().chain(&files[..7]));
        assert!(!left[&page_of("7.md")].contains("\"7.md\""));
        // A page that is not one costs time, and nothing else.
        assert!(super::read(b"[{\"updated\":").is_empty());
    }
}
