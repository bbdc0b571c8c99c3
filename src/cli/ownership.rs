//! Commands that root runs beside the service: what they leave in its folders belongs to the service afterwards, as all the
//! rest there does. Otherwise it could not write what root has made.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, lchown};
use std::path::{Path, PathBuf};

use crate::config::{self, Config};

const ROOT: u32 = 0;

/// Gives away what root owns in folders that are somebody else's. Nothing happens to other users, or in folders of root's own.
pub fn give_back(config: Option<&Path>) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let loaded = config::load(&config::find(config));
    if loaded.is_usable() {
        for folder in folders(&loaded.config) {
            give(&folder);
        }
    }
}

/// Where the daemon writes.
fn folders(config: &Config) -> Vec<PathBuf> {
    let store = config.store_url();
    let store = store.strip_prefix("sqlite:").map(|file| Path::new(file.split('?').next().unwrap_or(file)));
    let store = store.and_then(Path::parent).map(Path::to_owned);
    store.into_iter().chain([config.path(&config.feeds.out), config.path(&config.outbox.dir)]).collect()
}

fn give(folder: &Path) {
    let Ok(known) = fs::metadata(folder) else { return };
    if known.uid() != ROOT {
        give_all(folder, known.uid(), known.gid());
    }
}

fn give_all(folder: &Path, uid: u32, gid: u32) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(known) = fs::symlink_metadata(&path) else { continue };
        // Links are given away, not followed.
        if known.uid() == ROOT
            && let Err(error) = lchown(&path, Some(uid), Some(gid))
        {
            tracing::warn!("`{}` stays root's: {error}", path.display());
        }
        if known.is_dir() {
            give_all(&path, uid, gid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_root_makes_in_somebody_elses_folder_becomes_theirs_and_links_are_not_followed() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let theirs = folder.path().join("state");
        fs::create_dir_all(theirs.join("public/tags")).unwrap();
        fs::File::create(theirs.join("public/tags/feed.xml")).unwrap();
        fs::File::create(elsewhere.path().join("secret")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), theirs.join("link")).unwrap();
        let owner = |path: &Path| fs::symlink_metadata(path).unwrap().uid();
        give(&theirs);
        assert_eq!(owner(&theirs.join("public/tags/feed.xml")), ROOT, "a folder of root's own stays so");
        lchown(&theirs, Some(4711), Some(4711)).unwrap();
        give(&theirs);
        for path in ["public", "public/tags", "public/tags/feed.xml", "link"] {
            assert_eq!(owner(&theirs.join(path)), 4711, "{path}");
        }
        assert_eq!(owner(&elsewhere.path().join("secret")), ROOT);
    }
}
