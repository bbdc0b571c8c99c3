//! Writes whole files: into a temporary name beside the target, onto the disk, then renamed into place, and only when
//! the bytes differ (DESIGN invariant 3). Knows paths and bytes, not what they mean.

use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;

/// So many files are flushed one by one.
const FEW: usize = 16;

/// One file to be, below the output directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    pub path: String,
    pub bytes: Vec<u8>,
}

/// What came of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    pub written: Vec<String>,
    pub unchanged: usize,
}

/// A file that could not be written; the one before it stays.
#[derive(Debug, thiserror::Error)]
#[error("`{}` cannot be written", path.display())]
pub struct WriteError {
    pub path: PathBuf,
    #[source]
    pub source: io::Error,
}

/// Writes those of `outputs` whose bytes differ from what is there: all of them, or (up to the renames) none.
pub fn write_all(dir: &Path, outputs: &[Output]) -> Result<Written, WriteError> {
    let staged: Vec<Option<Staged>> = outputs.par_iter().map(|output| stage(dir, output)).collect::<Result<_, _>>()?;
    let staged: Vec<Staged> = staged.into_iter().flatten().collect();
    if staged.is_empty() {
        return Ok(Written { written: Vec::new(), unchanged: outputs.len() });
    }
    flush(dir, &staged).map_err(|source| WriteError { path: dir.to_owned(), source })?;
    let mut written = Vec::with_capacity(staged.len());
    for file in staged {
        written.push(file.commit()?);
    }
    Ok(Written { unchanged: outputs.len() - written.len(), written })
}

/// One file, anywhere.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let (dir, name) = (path.parent().unwrap_or(Path::new("")), path.file_name().unwrap_or_default());
    let output = Output { path: name.to_string_lossy().into_owned(), bytes: bytes.to_owned() };
    write_all(if dir.as_os_str().is_empty() { Path::new(".") } else { dir }, &[output]).map(|_| ())
}

/// Removes a file that was ours; its folder, too, if that is empty now.
pub fn remove(dir: &Path, relative: &str) {
    let Some(path) = below(dir, relative) else { return };
    if std::fs::remove_file(&path).is_ok()
        && let Some(parent) = path.parent().filter(|parent| *parent != dir)
    {
        let _ = std::fs::remove_dir(parent);
    }
}

/// The target of a relative path; `None` if it would lie outside.
#[must_use]
pub fn below(dir: &Path, relative: &str) -> Option<PathBuf> {
    let inside = Path::new(relative).components().all(|part| matches!(part, Component::Normal(_)));
    (inside && !relative.is_empty()).then(|| dir.join(relative))
}

/// A file written under its temporary name; taken away again unless it is committed.
struct Staged {
    target: PathBuf,
    temporary: PathBuf,
    relative: String,
    committed: bool,
}

impl Staged {
    fn commit(mut self) -> Result<String, WriteError> {
        std::fs::rename(&self.temporary, &self.target)
            .map_err(|source| WriteError { path: self.target.clone(), source })?;
        self.committed = true;
        Ok(std::mem::take(&mut self.relative))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.committed {
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

fn stage(dir: &Path, output: &Output) -> Result<Option<Staged>, WriteError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| WriteError { path, source }
    };
    let outside = || io::Error::new(io::ErrorKind::InvalidInput, "the name leads out of the output directory");
    let target = below(dir, &output.path).ok_or_else(|| failed(Path::new(&output.path))(outside()))?;
    if same_bytes(&target, &output.bytes) {
        return Ok(None);
    }
    let parent = target.parent().unwrap_or(dir);
    std::fs::create_dir_all(parent).map_err(failed(parent))?;
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let temporary = parent.join(format!(".{name}.gazetted-tmp"));
    let staged = Staged { target, temporary, relative: output.path.clone(), committed: false };
    let mut file = std::fs::File::create(&staged.temporary).map_err(failed(&staged.temporary))?;
    file.write_all(&output.bytes).map_err(failed(&staged.temporary))?;
    Ok(Some(staged))
}

fn same_bytes(path: &Path, bytes: &[u8]) -> bool {
    let same_size = std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.len() == bytes.len() as u64);
    same_size && std::fs::read(path).is_ok_and(|there| there == bytes)
}

/// A rename must not reach the disk before the bytes it stands for, or a power cut leaves nothing where a good file was.
/// So what replaces a file is flushed: a save's few files each on its own but all at a time, which the file system makes one
/// wait of; many by one call for the whole file system, whatever others have written there. Where there was no file there
/// is nothing to lose; the next run compares bytes and writes it again.
fn flush(dir: &Path, staged: &[Staged]) -> io::Result<()> {
    let replacing: Vec<&Staged> = staged.iter().filter(|file| file.target.exists()).collect();
    if replacing.len() > FEW {
        return Ok(rustix::fs::syncfs(std::fs::File::open(dir)?)?);
    }
    let sync = |file: &Staged| std::fs::File::open(&file.temporary)?.sync_data();
    std::thread::scope(|scope| {
        let all: Vec<_> = replacing.iter().map(|file| scope.spawn(|| sync(file))).collect();
        all.into_iter().try_for_each(|one| one.join().map_err(|_| io::Error::other("a flush broke off"))?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(path: &str, bytes: &str) -> Output {
        Output { path: path.into(), bytes: bytes.into() }
    }

    #[test]
    fn what_is_the_same_is_not_touched() {
        let dir = tempfile::tempdir().unwrap();
        let outputs = [output("a.xml", "a"), output("tags/x/a.xml", "b")];
        assert_eq!(write_all(dir.path(), &outputs).unwrap().written.len(), 2);
        let modified = |name: &str| std::fs::metadata(dir.path().join(name)).unwrap().modified().unwrap();
        let before = modified("a.xml");
        let again = write_all(dir.path(), &outputs).unwrap();
        assert_eq!((again.written.len(), again.unchanged), (0, 2));
        assert_eq!(modified("a.xml"), before);
        let changed = write_all(dir.path(), &[output("a.xml", "c"), output("tags/x/a.xml", "b")]).unwrap();
        assert_eq!(changed.written, ["a.xml"]);
    }

    #[test]
    fn nothing_is_written_outside() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["../x", "/tmp/x", "a/../../x", ""] {
            assert!(write_all(dir.path(), &[output(path, "x")]).is_err(), "{path}");
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_failed_batch_leaves_the_old_files_and_no_scraps() {
        let dir = tempfile::tempdir().unwrap();
        write_all(dir.path(), &[output("a.xml", "old")]).unwrap();
        // A folder stands where the second file should go.
        std::fs::create_dir_all(dir.path().join("b.xml/x")).unwrap();
        assert!(write_all(dir.path(), &[output("b.xml/x/../y", "x"), output("a.xml", "new")]).is_err());
        assert_eq!(std::fs::read(dir.path().join("a.xml")).unwrap(), b"old");
        assert!(!dir.path().join(".a.xml.gazetted-tmp").exists());
    }

    #[test]
    fn what_was_ours_can_be_taken_away() {
        let dir = tempfile::tempdir().unwrap();
        write_all(dir.path(), &[output("tags/x/a.xml", "b")]).unwrap();
        remove(dir.path(), "tags/x/a.xml");
        assert!(!dir.path().join("tags/x").exists());
        remove(dir.path(), "../x");
    }
}
