//! A Maildir that bounces come to: what is in it, and where a mail goes once it has been dealt with. Knows files and their names, not
//! what they say. What it does not move stays exactly as it is.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::OFlags;

use crate::domain::bounce_message::LONGEST;

/// Where what was ours goes: a folder of the same Maildir, which mail programs show.
const DONE: &str = ".gazetted";

pub struct Maildir {
    folder: PathBuf,
    /// Names that were looked at and left.
    left: HashSet<String>,
    /// When `new` and `cur` had last changed at the last look, which found nothing; and whether the look before said the same.
    looked: Option<([SystemTime; 2], bool)>,
}

/// A mail in the box.
pub struct Found {
    path: PathBuf,
    /// Without its flags, which mail programs change.
    name: String,
}

impl Maildir {
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, left: HashSet::new(), looked: None }
    }

    /// Mails that were not looked at yet, oldest first.
    pub fn arrived(&mut self) -> io::Result<Vec<Found>> {
        let folders = [self.folder.join("new"), self.folder.join("cur")];
        let [new, cur] = &folders;
        let changed = [fs::metadata(new)?.modified()?, fs::metadata(cur)?.modified()?];
        if self.looked == Some((changed, true)) {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for folder in &folders {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                if !name.starts_with('.') {
                    let name = name.split(':').next().unwrap_or_default().to_owned();
                    found.push(Found { path: entry.path(), name });
                }
            }
        }
        let there: HashSet<&str> = found.iter().map(|mail| mail.name.as_str()).collect();
        self.left.retain(|name| there.contains(name.as_str()));
        found.retain(|mail| !self.left.contains(&mail.name));
        found.sort_by(|a, b| a.name.cmp(&b.name));
        // What arrives right after a look may leave the same stamp: a folder is skipped once it was the same at two looks.
        let same = self.looked.is_some_and(|(before, _)| before == changed);
        self.looked = found.is_empty().then_some((changed, same));
        Ok(found)
    }

    /// The first megabyte; none if it has gone meanwhile, or is no file.
    pub fn read(&self, mail: &Found) -> io::Result<Option<Vec<u8>>> {
        let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
        let opened = OpenOptions::new().read(true).custom_flags(flags).open(&mail.path);
        let file: File = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound || fs::symlink_metadata(&mail.path)?.is_symlink() => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        if !file.metadata()?.is_file() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.take(LONGEST as u64).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// It is nobody's business of ours, and is not looked at again.
    pub fn leave(&mut self, mail: &Found) {
        self.left.insert(mail.name.clone());
    }

    /// It has been dealt with: it goes to the folder for such, marked as read.
    pub fn done(&mut self, mail: &Found) -> io::Result<()> {
        // Whatever becomes of the move, it is not looked at again.
        self.leave(mail);
        let folder = self.folder.join(DONE);
        make(&folder)?;
        let to = folder.join("cur").join(format!("{}:2,S", mail.name));
        if to.symlink_metadata().is_ok() {
            return Err(io::Error::new(ErrorKind::AlreadyExists, format!("`{}` is there already", to.display())));
        }
        fs::rename(&mail.path, to)
    }
}

/// As the Maildir++ standard has folders; for the owner alone.
fn make(folder: &Path) -> io::Result<()> {
    if folder.join("cur").is_dir() {
        return Ok(());
    }
    for part in ["", "tmp", "new", "cur"] {
        let part = folder.join(part);
        match fs::create_dir(&part) {
            Ok(()) => fs::set_permissions(&part, fs::Permissions::from_mode(0o700))?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    File::create(folder.join("maildirfolder")).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maildir() -> (tempfile::TempDir, Maildir) {
        let folder = tempfile::tempdir().unwrap();
        for part in ["new", "cur", "tmp"] {
            fs::create_dir(folder.path().join(part)).unwrap();
        }
        let maildir = Maildir::new(folder.path().to_owned());
        (folder, maildir)
    }

    fn put(folder: &Path, name: &str, text: &str) {
        fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
        io::Write::write_all(&mut File::create(folder.join(name)).unwrap(), text.as_bytes()).unwrap();
    }

    #[test]
    fn what_is_left_stays_and_what_is_done_moves() {
        let (folder, mut maildir) = maildir();
        put(folder.path(), "new/1.a", "one");
        put(folder.path(), "cur/2.b:2,S", "two");
        put(folder.path(), "tmp/3.c", "not there yet");
        put(folder.path(), "new/.hidden", "no mail");
        fs::create_dir(folder.path().join("new/4.folder")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("new/5.link")).unwrap();
        let found = maildir.arrived().unwrap();
        let names: Vec<_> = found.iter().map(|mail| mail.name.as_str()).collect();
        assert_eq!(names, ["1.a", "2.b", "4.folder", "5.link"]);
        let read: Vec<_> = found.iter().map(|mail| maildir.read(mail).unwrap()).collect();
        assert_eq!(read, [Some(b"one".to_vec()), Some(b"two".to_vec()), None, None]);
        maildir.leave(&found[0]);
        maildir.done(&found[1]).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join(".gazetted/cur/2.b:2,S")).unwrap(), "two");
        assert_eq!(fs::read_to_string(folder.path().join("new/1.a")).unwrap(), "one");
        for mail in &found[2..] {
            maildir.leave(mail);
        }
        assert!(maildir.arrived().unwrap().is_empty());
        // A mail program marks it as read: it is the same.
        fs::rename(folder.path().join("new/1.a"), folder.path().join("cur/1.a:2,S")).unwrap();
        assert!(maildir.arrived().unwrap().is_empty());
        // Nothing is ever written over.
        put(folder.path(), "new/2.b", "another");
        let again = maildir.arrived().unwrap();
        assert!(maildir.done(&again[0]).is_err());
        assert_eq!(fs::read_to_string(folder.path().join("new/2.b")).unwrap(), "another");
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_and_a_mail_that_has_gone_is_none() {
        assert!(Maildir::new("/nowhere/at/all".into()).arrived().is_err());
        let (folder, mut maildir) = maildir();
        put(folder.path(), "new/1.a", "one");
        let found = maildir.arrived().unwrap();
        fs::remove_file(folder.path().join("new/1.a")).unwrap();
        assert_eq!(maildir.read(&found[0]).unwrap(), None);
        assert!(maildir.done(&found[0]).is_err());
    }
}
