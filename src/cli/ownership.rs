//! Commands that root runs beside the service: what they leave beside its store belongs to the service afterwards, as all the rest
//! there does. Otherwise it could not write what root has made.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, Gid, Mode, OFlags, Uid, chownat, openat, statat};

use crate::config::{self, Config};

/// Gives away root's files beside the store if their folder is somebody else's: those that begin with the store's name, and files of
/// mail and feeds that are kept there. Nothing happens for other users, or in folders of root's own.
pub fn give_back(config: Option<&Path>) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let loaded = config::load(&config::find(config));
    if let Some(file) = loaded.config.store_file().filter(|_| loaded.is_usable())
        && let (Some(folder), Some(name)) = (file.parent(), file.file_name())
    {
        let below: Vec<&OsStr> = written(&loaded.config, folder).collect();
        give(folder, name, &below);
    }
}

/// Folders right below the store's that the daemon writes to.
fn written<'a>(config: &'a Config, folder: &'a Path) -> impl Iterator<Item = &'a OsStr> {
    let below = move |path: &'a Path| path.strip_prefix(folder).ok().filter(|rest| rest.components().count() == 1);
    [config.feeds.out.as_path(), config.outbox.dir.as_path()].into_iter().filter_map(below).map(Path::as_os_str)
}

/// By open folders and never by path: whoever owns them may put a link there at any moment, and links are not followed.
fn give(folder: &Path, name: &OsStr, below: &[&OsStr]) {
    let Ok(open) = openat(CWD, folder, FOLDER, Mode::empty()) else { return };
    let Ok(known) = rustix::fs::fstat(&open) else { return };
    if known.st_uid == 0 {
        return;
    }
    let owner = (Uid::from_raw(known.st_uid), Gid::from_raw(known.st_gid));
    give_in(&open, owner, &|entry: &OsStr| entry.as_bytes().starts_with(name.as_bytes()), 0);
    for name in below {
        give_one(&open, name, owner);
        if let Ok(inner) = openat(&open, *name, FOLDER, Mode::empty()) {
            give_in(&inner, owner, &|_| true, DEEPEST);
        }
    }
}

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// Feeds of a tag in a language are three folders deep.
const DEEPEST: u32 = 8;

fn give_in(folder: impl std::os::fd::AsFd, owner: (Uid, Gid), wanted: &dyn Fn(&OsStr) -> bool, depth: u32) {
    let Ok(entries) = Dir::read_from(&folder) else { return };
    for entry in entries.flatten() {
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name == "." || name == ".." || !wanted(name) {
            continue;
        }
        give_one(&folder, name, owner);
        if depth > 0
            && let Ok(inner) = openat(&folder, name, FOLDER, Mode::empty())
        {
            give_in(inner, owner, wanted, depth - 1);
        }
    }
}

/// A file with a second name may be one that somebody linked here to get at it.
fn give_one(folder: impl std::os::fd::AsFd, name: &OsStr, (uid, gid): (Uid, Gid)) {
    let Ok(known) = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) else { return };
    let kind = rustix::fs::FileType::from_raw_mode(known.st_mode);
    if known.st_uid != 0 || (kind.is_file() && known.st_nlink > 1) {
        return;
    }
    if let Err(error) = chownat(&folder, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW) {
        tracing::warn!(event = "ownership_kept", "`{}` stays root's: {error}", name.display());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, lchown, symlink};

    use super::*;

    #[test]
    fn what_root_makes_beside_somebody_elses_store_becomes_theirs_and_nothing_else() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let theirs = folder.path().join("state");
        fs::create_dir_all(theirs.join("public/tags")).unwrap();
        for name in ["public/tags/feed.xml", "gazetted.db", "gazetted.db-wal", "notes.txt"] {
            fs::File::create(theirs.join(name)).unwrap();
        }
        fs::File::create(elsewhere.path().join("secret")).unwrap();
        symlink(elsewhere.path(), theirs.join("public/link")).unwrap();
        fs::hard_link(elsewhere.path().join("secret"), theirs.join("gazetted.db-shm")).unwrap();
        let owner = |path: &Path| fs::symlink_metadata(path).unwrap().uid();
        let public = [OsStr::new("public")];
        give(&theirs, OsStr::new("gazetted.db"), &public);
        assert_eq!(owner(&theirs.join("gazetted.db")), 0, "a folder of root's own stays so");
        lchown(&theirs, Some(4711), Some(4711)).unwrap();
        give(&theirs, OsStr::new("gazetted.db"), &public);
        for path in ["public", "public/tags", "public/tags/feed.xml", "public/link", "gazetted.db", "gazetted.db-wal"] {
            assert_eq!(owner(&theirs.join(path)), 4711, "{path}");
        }
        for path in [theirs.join("notes.txt"), theirs.join("gazetted.db-shm"), elsewhere.path().join("secret")] {
            assert_eq!(owner(&path), 0, "{}", path.display());
        }
    }
}
