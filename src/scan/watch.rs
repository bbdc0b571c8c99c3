//! Watches the posts directory: which files have been finished by their writers, which are being written to. Knows the
//! kernel's notices; that some get lost is why the whole directory is read again now and then.

use std::collections::BTreeSet;
use std::path::Path;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind, RenameMode};
use notify::{Config, Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc::UnboundedSender;

use super::Site;

/// What the kernel told us, by relative path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notice {
    /// Closed after writing, renamed into place, or gone: whole. What is gone may be a folder.
    pub closed: BTreeSet<String>,
    /// Touched in some other way; whole once it has settled.
    pub touched: BTreeSet<String>,
    /// Notices were lost, or a folder came or went: read everything again.
    pub everything: bool,
}

/// Keep it: dropping it ends the watch.
pub struct Watch(#[expect(dead_code, reason = "held for its drop")] RecommendedWatcher);

/// Starts watching; notices arrive until the result is dropped.
pub fn watch(site: &Site, notices: UnboundedSender<Notice>) -> notify::Result<Watch> {
    let root = std::path::absolute(&site.root).unwrap_or_else(|_| site.root.clone());
    let base = root.clone();
    let mut watcher = RecommendedWatcher::new(
        move |event: notify::Result<Event>| {
            // The receiver is gone only when the daemon stops.
            let _ = notices.send(notice(&base, event));
        },
        Config::default().with_follow_symlinks(false),
    )?;
    let mut watched = 0;
    let mut folders: Vec<_> = site.folders.iter().map(|f| root.join(f)).collect();
    folders.push(root.join("_includes"));
    for folder in folders.iter().filter(|f| f.is_dir()) {
        watcher.watch(folder, RecursiveMode::Recursive)?;
        watched += 1;
    }
    if watched == 0 {
        return Err(notify::Error::path_not_found());
    }
    Ok(Watch(watcher))
}

fn notice(root: &Path, event: notify::Result<Event>) -> Notice {
    let mut notice = Notice::default();
    let Ok(event) = event else {
        notice.everything = true;
        return notice;
    };
    notice.everything = event.need_rescan();
    for path in &event.paths {
        let Some(relative) = path.strip_prefix(root).ok().and_then(|p| p.to_str()) else { continue };
        let relative = relative.to_owned();
        match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => {
                notice.closed.insert(relative);
            }
            EventKind::Access(_) | EventKind::Modify(ModifyKind::Metadata(_)) => {}
            // Whole folders move with all that is in them.
            _ if path.is_dir() => notice.everything = true,
            EventKind::Modify(ModifyKind::Name(RenameMode::To)) | EventKind::Remove(_) => {
                notice.closed.insert(relative);
            }
            EventKind::Modify(ModifyKind::Name(_)) => {
                // The old name is gone, the new one whole: both can be read at once.
                notice.closed.insert(relative);
            }
            _ => {
                notice.touched.insert(relative);
            }
        }
    }
    // Of what these say many posts are made.
    let concerns_many = |path: &String| {
        path.starts_with("_includes/") || path.rsplit('/').next().is_some_and(|name| name.starts_with("_index."))
    };
    notice.everything |= notice.closed.iter().chain(&notice.touched).any(concerns_many);
    notice
}

impl Notice {
    /// Takes another notice in: a file touched after it was closed is being written again.
    pub fn merge(&mut self, later: Self) {
        self.everything |= later.everything;
        for path in later.touched {
            self.closed.remove(&path);
            self.touched.insert(path);
        }
        for path in later.closed {
            self.touched.remove(&path);
            self.closed.insert(path);
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.closed.is_empty() && self.touched.is_empty() && !self.everything
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    /// As `sed -i` and many editors save.
    #[test]
    fn a_file_that_leaves_a_name_without_a_dot_is_no_folder() {
        let renamed = Event::new(EventKind::Modify(ModifyKind::Name(RenameMode::From)));
        let found = notice(Path::new("/blog"), Ok(renamed.add_path("/blog/_posts/sedAb12".into())));
        assert_eq!(found, Notice { closed: paths(&["_posts/sedAb12"]), ..Notice::default() });
    }

    #[test]
    fn a_file_written_again_is_not_closed_any_more() {
        let mut all = Notice { closed: paths(&["a", "b"]), ..Notice::default() };
        all.merge(Notice { touched: paths(&["a", "c"]), ..Notice::default() });
        assert_eq!((&all.closed, &all.touched), (&paths(&["b"]), &paths(&["a", "c"])));
        all.merge(Notice { closed: paths(&["a"]), ..Notice::default() });
        assert_eq!((&all.closed, &all.touched), (&paths(&["a", "b"]), &paths(&["c"])));
    }
}
