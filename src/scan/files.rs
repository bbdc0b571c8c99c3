//! Opening files without being led astray: one name at a time, below one open directory, never through a link, never
//! blocking on a pipe. Knows descriptors and nothing of posts.

use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rustix::fs::{Dir, FileType, Mode, OFlags, Stat, fstat, open, openat};
use rustix::io::Errno;

use crate::domain::problem::Problem;

/// Deeper folders are not walked.
const MAX_DEPTH: usize = 32;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const FILE: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// What tells one version of a file from the next without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub modified: Timestamp,
    size: i64,
    inode: u64,
}

impl Stamp {
    fn of(stat: &Stat) -> Self {
        let nanos = i32::try_from(stat.st_mtime_nsec).unwrap_or(0);
        let modified = Timestamp::new(stat.st_mtime, nanos).unwrap_or(Timestamp::UNIX_EPOCH);
        Self { modified, size: stat.st_size, inode: stat.st_ino }
    }
}

/// The directory everything is read below. It may itself be reached through a link: that is the operator's choice.
#[derive(Debug)]
pub struct Root(Arc<OwnedFd>);

/// A regular file's name below an open directory.
#[derive(Debug)]
pub struct Found {
    pub relative: Arc<str>,
    folder: Arc<OwnedFd>,
    name: CString,
}

#[derive(Debug)]
pub enum ReadError {
    Gone,
    /// Written to while it was read.
    Changed,
    /// Never to be read; why, and what to do.
    Refused(String, String),
}

impl Root {
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(Arc::new(open(path, FOLDER, Mode::empty())?)))
    }

    /// All regular files below `folder` (relative, empty for the root), sorted by name.
    pub fn walk(
        &self,
        folder: &str,
        into: &mut Vec<Found>,
        problems: &mut Vec<Problem>,
        display: &dyn Fn(&str) -> String,
    ) {
        let Ok(Some(fd)) = self.descend(folder) else { return };
        let mut walker = Walker { into, problems, display };
        walker.folder(&fd, folder, 0);
    }

    /// One file by its relative path; `None` if it is not there or not a regular file's place.
    pub fn find(&self, relative: &str) -> io::Result<Option<Found>> {
        let (folder, name) = relative.rsplit_once('/').unwrap_or(("", relative));
        let Some(fd) = self.descend(folder)? else { return Ok(None) };
        let name = CString::new(name)?;
        Ok(Some(Found { relative: relative.into(), folder: fd, name }))
    }

    fn descend(&self, folder: &str) -> io::Result<Option<Arc<OwnedFd>>> {
        let mut fd = Arc::clone(&self.0);
        for part in folder.split('/').filter(|p| !p.is_empty()) {
            if part == ".." || part == "." {
                return Ok(None);
            }
            match openat(&*fd, part, FOLDER | OFlags::NOFOLLOW, Mode::empty()) {
                Ok(next) => fd = Arc::new(next),
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(fd))
    }
}

struct Walker<'a> {
    into: &'a mut Vec<Found>,
    problems: &'a mut Vec<Problem>,
    display: &'a dyn Fn(&str) -> String,
}

impl Walker<'_> {
    fn folder(&mut self, fd: &Arc<OwnedFd>, path: &str, depth: usize) {
        let mut entries = match Dir::read_from(&**fd).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
            Ok(entries) => entries,
            Err(error) => {
                let problem =
                    Problem::error((self.display)(path), "unreadable", format!("the folder cannot be read: {error}"));
                self.problems.push(problem.hint("give the daemon's user the right to read it"));
                return;
            }
        };
        entries.sort_by(|a, b| a.file_name().cmp(b.file_name()));
        for entry in entries {
            self.entry(fd, path, entry.file_name(), entry.file_type(), depth);
        }
    }

    fn entry(&mut self, fd: &Arc<OwnedFd>, path: &str, name: &CStr, kind: FileType, depth: usize) {
        let shown = OsStr::from_bytes(name.to_bytes()).to_string_lossy();
        if shown == "." || shown == ".." {
            return;
        }
        let relative = if path.is_empty() { shown.to_string() } else { format!("{path}/{shown}") };
        if crate::domain::dialect::is_scratch(&shown) {
            return;
        }
        match kind {
            FileType::Directory if depth >= MAX_DEPTH => {
                self.refuse(&relative, "folders are nested deeper than 32 levels", "move the posts further up");
            }
            FileType::Directory => {
                if let Ok(next) = openat(&**fd, name, FOLDER | OFlags::NOFOLLOW, Mode::empty()) {
                    self.folder(&Arc::new(next), &relative, depth + 1);
                }
            }
            FileType::RegularFile | FileType::Unknown => self.file(fd, relative, name),
            FileType::Symlink => self.refuse(
                &relative,
                "is a symbolic link, and links are not followed",
                "put the file itself into the posts directory",
            ),
            _ => self.refuse(
                &relative,
                "is a pipe, a socket or a device, not a file",
                "remove it from the posts directory",
            ),
        }
    }

    fn file(&mut self, fd: &Arc<OwnedFd>, relative: String, name: &CStr) {
        if name.to_str().is_err() {
            self.refuse(&relative, "the file's name is not UTF-8", "rename the file");
            return;
        }
        self.into.push(Found { relative: relative.into(), folder: Arc::clone(fd), name: name.to_owned() });
    }

    fn refuse(&mut self, relative: &str, message: &str, hint: &str) {
        self.problems.push(Problem::warning((self.display)(relative), "not-read", message).hint(hint));
    }
}

impl Found {
    /// The whole file, if nobody wrote to it meanwhile.
    pub fn read(&self, max_bytes: u64) -> Result<(Stamp, Vec<u8>), ReadError> {
        let mut bytes = Vec::new();
        self.read_into(&mut bytes, max_bytes).map(|stamp| (stamp, bytes))
    }

    /// As `read`, into a buffer that is used again and again: fresh memory costs as much as reading does.
    pub fn read_into(&self, bytes: &mut Vec<u8>, max_bytes: u64) -> Result<Stamp, ReadError> {
        bytes.clear();
        let (mut file, before) = self.open()?;
        let size = u64::try_from(before.st_size).unwrap_or(0);
        if size > max_bytes {
            let message = format!("the file has {size} bytes, more than `posts.max_bytes` ({max_bytes})");
            return Err(refused(&message, "shorten it, or raise `posts.max_bytes`"));
        }
        // One byte more than there should be: a file that grows is seen, and nothing is read beyond that.
        bytes.resize(usize::try_from(size).unwrap_or(0) + 1, 0);
        read_all(&mut file, bytes)
            .map_err(|error| refused(&format!("the file cannot be read: {error}"), "look at the file system"))?;
        let after = fstat(&file).map_err(|_| ReadError::Gone)?;
        if Stamp::of(&before) != Stamp::of(&after) || bytes.len() as u64 != size {
            return Err(ReadError::Changed);
        }
        Ok(Stamp::of(&after))
    }

    /// The file as it stands there now: a regular one, and not at the end of a link.
    pub fn open(&self) -> Result<(File, Stat), ReadError> {
        let fd = openat(&*self.folder, &*self.name, FILE, Mode::empty()).map_err(|error| match error {
            Errno::NOENT => ReadError::Gone,
            Errno::LOOP => refused(
                "is a symbolic link, and links are not followed",
                "put the file itself into the posts directory",
            ),
            Errno::ACCESS | Errno::PERM => {
                refused("the file may not be read", "give the daemon's user the right to read it")
            }
            other => refused(&format!("the file cannot be opened: {other}"), "look at the file system"),
        })?;
        let stat = fstat(&fd).map_err(|_| ReadError::Gone)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(refused("is not a regular file", "remove it from the posts directory"));
        }
        Ok((fd.into(), stat))
    }
}

/// Fills the buffer as far as the file goes, in as few calls as that takes.
fn read_all(file: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(())
}

fn refused(message: &str, hint: &str) -> ReadError {
    ReadError::Refused(message.to_owned(), hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn walked(root: &Path) -> (Vec<String>, Vec<String>) {
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        Root::open(root).unwrap().walk("", &mut found, &mut problems, &str::to_owned);
        (found.iter().map(|f| f.relative.to_string()).collect(), problems.iter().map(|p| p.path.clone()).collect())
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test's files need no care")]
    fn links_pipes_and_scratch_files_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::create_dir(path("sub")).unwrap();
        std::fs::create_dir(path("dir.md")).unwrap();
        for name in ["a.md", "sub/b.md", ".a.md.swp", "a.md~", "#a.md#"] {
            std::fs::write(path(name), "x").unwrap();
        }
        symlink("/etc/passwd", path("link.md")).unwrap();
        symlink("/etc", path("linked")).unwrap();
        symlink("loop.md", path("loop.md")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, path("pipe.md"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        let (found, problems) = walked(dir.path());
        assert_eq!(found, ["a.md", "sub/b.md"]);
        assert_eq!(problems, ["link.md", "linked", "loop.md", "pipe.md"]);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test's files need no care")]
    fn a_file_is_found_below_the_root_only() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("posts")).unwrap();
        std::fs::write(dir.path().join("posts/a.md"), "x").unwrap();
        symlink("/etc", dir.path().join("posts/etc")).unwrap();
        let root = Root::open(dir.path()).unwrap();
        assert!(root.find("posts/a.md").unwrap().unwrap().read(10).is_ok());
        assert!(matches!(root.find("posts/a.md").unwrap().unwrap().read(0), Err(ReadError::Refused(..))));
        for name in ["posts/etc/passwd", "../x", "posts/../../x"] {
            assert!(root.find(name).unwrap().is_none(), "{name}");
        }
    }
}
