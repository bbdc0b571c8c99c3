//! Reads the posts directory: finds the files, reads each one whole or not at all, and makes posts of them. Knows the
//! file system and its traps (links, pipes, half-written files); what a post means is the domain's business.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rayon::prelude::*;

use crate::domain::dialect::PageFolders;
use crate::domain::dialect::sections::{Sections, is_section_file};
use crate::domain::gist::Gists;
use crate::domain::post_file::{File, Parsed, parse};
use crate::domain::problem::Problem;

mod exposure;
mod files;
mod media;
mod places;
mod site;
pub mod watch;

pub use files::{Found, Root};
pub use media::OwnFiles;
pub use places::{fullest, problems};
pub use site::{Site, read_config, site};

/// One file as it was last believed.
#[derive(Debug, Clone)]
pub struct Known {
    stamp: files::Stamp,
    pub parsed: Arc<Parsed>,
    /// The file's newest version is broken, or was read by other rules; `parsed.post` is the one before.
    pub stale: bool,
}

/// All files below the posts directory, by relative path.
#[derive(Debug, Clone, Default)]
pub struct Files {
    pub known: BTreeMap<Arc<str>, Known>,
    /// What sections have to say to their posts.
    sections: Sections,
    /// What concerns the directory rather than a post: links, odd files, folders that cannot be read.
    pub problems: Vec<Problem>,
    /// When every file that is not believed yet will be old enough.
    pub unsettled_until: Option<Timestamp>,
}

/// How a scan decides whether a file is finished.
#[derive(Debug, Clone, Copy)]
pub struct Settle {
    /// The machine's time: file ages are the machine's.
    pub now: Timestamp,
    pub age: Duration,
}

impl Files {
    /// Reads the whole tree; what is in `gists` need not be parsed. What is still being written keeps its last version.
    #[must_use]
    pub fn scan(site: &Site, before: &Self, gists: &Gists, settle: Settle) -> Self {
        let mut files = Self::default();
        let mut found = Vec::new();
        match Root::open(&site.root) {
            Ok(root) => {
                for folder in &site.folders {
                    root.walk(folder, &mut found, &mut files.problems, &|path| site.display(path));
                }
            }
            Err(error) => files.problems.push(
                Problem::error(site.display(""), "posts-dir", format!("the posts directory cannot be opened: {error}"))
                    .hint("check `posts.dir` and the directory's permissions"),
            ),
        }
        files.read_sections(site, &found);
        found.retain(|f| site.may_be_post(&f.relative));
        // What its sections say of a post is part of what it means.
        let is_same = files.sections == before.sections;
        let read: Vec<_> = found
            .par_iter()
            .map_init(Vec::new, |buffer, f| {
                let around = Around { site, sections: &files.sections, gists };
                let before = before.known.get(&*f.relative).filter(|_| is_same);
                read_one(f, around, before, Some(settle), buffer)
            })
            .collect();
        // Put together in order and at once, the map has no room left in it.
        files.known = found
            .into_iter()
            .zip(read)
            .filter_map(|(found, one)| {
                let believed = files.believe(one, before.known.get(&found.relative))?;
                Some((found.relative, believed))
            })
            .collect();
        files
    }

    /// What is known, for when the rules are other ones: all is read again, and what breaks by then keeps its last good version.
    #[must_use]
    pub fn doubted(&self) -> Self {
        let known = self.known.iter().map(|(path, known)| (Arc::clone(path), Known { stale: true, ..known.clone() }));
        Self { known: known.collect(), ..Self::default() }
    }

    fn read_sections(&mut self, site: &Site, found: &[Found]) {
        let own = found.iter().filter(|f| is_section_file(site.rules.dialect, &f.relative));
        let below =
            own.filter_map(|f| Some((site.below_content(&f.relative), site.display(&f.relative), section(f, site)?)));
        let all: Vec<(String, String, String)> = site.sections_above.iter().cloned().chain(below).collect();
        let texts = all.iter().map(|(name, shown, text)| (name.clone(), shown.as_str(), text.as_str()));
        let (sections, problems) = Sections::read(texts, &site.rules);
        self.sections = sections;
        self.problems.extend(problems);
    }

    /// What all files that are pages of their own have said, in their order.
    pub fn parsed(&self, site: &Site) -> impl Iterator<Item = &Parsed> {
        let names = self.known.keys().map(|name| &**name);
        let folders = PageFolders::among(site.rules.dialect, site.found.is_some(), names);
        self.known.iter().filter(move |(name, _)| !folders.have_beside(name)).map(|(_, known)| &*known.parsed)
    }

    /// What the bytes of files alone have said, and may be remembered by them.
    pub fn parsed_alone(&self, site: &Site) -> impl Iterator<Item = &Parsed> {
        let alone = |name: &str| self.sections.inherited(name, &site.rules).is_none();
        self.known.iter().filter(move |(name, _)| alone(name)).map(|(_, known)| &*known.parsed)
    }

    /// Reads one file again, because its writer has closed it (`settle` is `None`) or it may have settled by now.
    /// True if anything changed.
    pub fn refresh(&mut self, site: &Site, relative: &str, settle: Option<Settle>) -> bool {
        if !site.may_be_post(relative)
            || !site.folders.iter().any(|f| f.is_empty() || relative.starts_with(&format!("{f}/")))
        {
            return false;
        }
        let before = self.known.get(relative).cloned();
        self.problems.retain(|p| p.path != site.display(relative));
        let one = match Root::open(&site.root).and_then(|root| root.find(relative)) {
            Ok(Some(found)) => {
                let around = Around { site, sections: &self.sections, gists: &Gists::default() };
                read_one(&found, around, before.as_ref(), settle, &mut Vec::new())
            }
            _ => One::Gone,
        };
        let unchanged = matches!((&one, &before), (One::Same, _) | (One::Gone, None));
        match self.believe(one, before.as_ref()) {
            Some(believed) => self.known.insert(relative.into(), believed),
            None => self.known.remove(relative),
        };
        !unchanged
    }

    /// What is to be believed of a file, after what was before.
    fn believe(&mut self, one: One, before: Option<&Known>) -> Option<Known> {
        match one {
            One::Same => before.cloned(),
            One::Unsettled(until) => {
                self.unsettled_until = self.unsettled_until.max(Some(until));
                before.cloned()
            }
            One::New(stamp, parsed) => Some(last_good(stamp, *parsed, before)),
            One::Refused(problem) => {
                self.problems.push(*problem);
                let good = before.filter(|before| before.parsed.post.is_some());
                good.map(|before| Known { stale: true, ..before.clone() })
            }
            One::Gone => None,
        }
    }
}

/// DESIGN invariant 1: a post that breaks while the daemon runs keeps its last good version, and says so.
fn last_good(stamp: files::Stamp, mut parsed: Parsed, before: Option<&Known>) -> Known {
    let broken = parsed.post.is_none() && parsed.problems.iter().any(Problem::is_error);
    let good = before.and_then(|b| b.parsed.post.clone()).filter(|_| broken);
    let stale = good.is_some();
    if let (Some(good), Some(problem)) = (good, parsed.problems.first_mut()) {
        problem.message.push_str("; the last good version stays in the feeds");
        parsed.post = Some(good);
    }
    Known { stamp, parsed: Arc::new(parsed), stale }
}

enum One {
    /// Same bytes' stamp as before.
    Same,
    /// Too young, or changed while it was read.
    Unsettled(Timestamp),
    New(files::Stamp, Box<Parsed>),
    Refused(Box<Problem>),
    Gone,
}

/// What decides what a file's bytes mean, and what they meant before.
#[derive(Clone, Copy)]
struct Around<'a> {
    site: &'a Site,
    sections: &'a Sections,
    gists: &'a Gists,
}

fn section(found: &Found, site: &Site) -> Option<String> {
    let (_, bytes) = found.read(site.max_bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn read_one(
    found: &Found,
    around: Around<'_>,
    before: Option<&Known>,
    settle: Option<Settle>,
    bytes: &mut Vec<u8>,
) -> One {
    let Around { site, sections, gists } = around;
    let path = site.display(&found.relative);
    let stamp = match found.read_into(bytes, site.max_bytes) {
        Ok(read) => read,
        Err(files::ReadError::Gone) => return One::Gone,
        Err(files::ReadError::Changed) => {
            let now = settle.map_or(Timestamp::UNIX_EPOCH, |s| s.now);
            return One::Unsettled(now);
        }
        Err(files::ReadError::Refused(message, hint)) => {
            return One::Refused(Box::new(Problem::error(path, "unreadable", message).hint(hint)));
        }
    };
    if let Some(settle) = settle
        && before.is_none_or(|b| b.stamp != stamp)
        && let Some(until) = too_young(&stamp, settle)
    {
        return One::Unsettled(until);
    }
    let hash = crate::domain::hash::of(bytes);
    if let Some(before) = before
        && before.parsed.post.as_ref().is_some_and(|(post, _)| post.source_hash == hash)
        && !before.stale
    {
        return One::Same;
    }
    if bytes.is_empty() {
        // Editors truncate before they write.
        return One::Refused(Box::new(
            Problem::error(path, "empty", "the file is empty").hint("write the post, or delete the file"),
        ));
    }
    let inherited = sections.inherited(&found.relative, &site.rules);
    let parsed = if inherited.is_none() { gists.parsed(&path, hash, stamp.modified) } else { None };
    let mut parsed = parsed.unwrap_or_else(|| {
        let (relative, inherited) = (&*found.relative, inherited.as_ref());
        parse(File { path: &path, relative, bytes, modified: stamp.modified, inherited }, &site.rules)
    });
    media::measure(site, &found.relative, &mut parsed);
    One::New(stamp, Box::new(parsed))
}

fn too_young(stamp: &files::Stamp, settle: Settle) -> Option<Timestamp> {
    let until = stamp.modified.checked_add(settle.age).ok()?;
    // A file from the future cannot be waited for.
    (stamp.modified <= settle.now && until > settle.now).then_some(until)
}

/// The whole text of a post's file, if it still is the version that was parsed.
#[must_use]
pub fn text(site: &Site, relative: &str, source_hash: u128) -> Option<String> {
    let found = Root::open(&site.root).ok()?.find(relative).ok()??;
    let (_, bytes) = found.read(site.max_bytes).ok()?;
    if crate::domain::hash::of(&bytes) != source_hash {
        return None;
    }
    Some(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}
