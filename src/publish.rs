//! Writes whole files: into a temporary name beside the target, onto the disk, then renamed into place, and only when
//! the bytes differ (DESIGN invariant 3). Knows paths and bytes, not what they mean.
//!
//! What is wrong with the disk or the folder ends a batch; what is wrong with one file's place leaves that file out.

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
    /// What cannot stand where it should: its path below the directory, and why.
    pub refused: Vec<(String, String)>,
}

/// A file that could not be written; the one before it stays.
#[derive(Debug, thiserror::Error)]
#[error("`{}` cannot be written", path.display())]
pub struct WriteError {
    pub path: PathBuf,
    #[source]
    pub source: io::Error,
}

impl WriteError {
    /// Whether it is the file's place that is wrong, and other files below `dir` are none the worse for it: its name is too
    /// long, or something else has it.
    fn is_of_one_place(&self, dir: &Path) -> bool {
        use io::ErrorKind::{AlreadyExists, DirectoryNotEmpty, InvalidFilename, IsADirectory, NotADirectory};
        let kinds = [AlreadyExists, DirectoryNotEmpty, InvalidFilename, IsADirectory, NotADirectory];
        kinds.contains(&self.source.kind()) && dir.is_dir()
    }
}

/// Writes those of `outputs` whose bytes differ from what is there: all that have a place, or (up to the renames) none.
pub fn write_all(dir: &Path, outputs: &[Output]) -> Result<Written, WriteError> {
    let mut done = Written::default();
    let tried: Vec<Result<Option<Staged>, WriteError>> = outputs.par_iter().map(|output| stage(dir, output)).collect();
    let mut staged = Vec::new();
    for (output, tried) in outputs.iter().zip(tried) {
        match tried {
            Ok(Some(file)) => staged.push(file),
            Ok(None) => done.unchanged += 1,
            Err(error) => done.refuse(&output.path, error, dir)?,
        }
    }
    if staged.is_empty() {
        return Ok(done);
    }
    flush(dir, &staged).map_err(|source| WriteError { path: dir.to_owned(), source })?;
    for file in staged {
        let path = file.relative.clone();
        match file.commit() {
            Ok(()) => done.written.push(path),
            Err(error) => done.refuse(&path, error, dir)?,
        }
    }
    Ok(done)
}

impl Written {
    fn refuse(&mut self, path: &str, error: WriteError, dir: &Path) -> Result<(), WriteError> {
        if !error.is_of_one_place(dir) {
            return Err(error);
        }
        self.refused.push((path.to_owned(), error.source.to_string()));
        Ok(())
    }
}

/// One file, anywhere.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let (dir, name) = (path.parent().unwrap_or(Path::new("")), path.file_name().unwrap_or_default());
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let output = Output { path: name.to_string_lossy().into_owned(), bytes: bytes.to_owned() };
    let Some(staged) = stage(dir, &output)? else { return Ok(()) };
    flush(dir, std::slice::from_ref(&staged)).map_err(|source| WriteError { path: dir.to_owned(), source })?;
    staged.commit()
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
    fn commit(mut self) -> Result<(), WriteError> {
        std::fs::rename(&self.temporary, &self.target)
            .map_err(|source| WriteError { path: self.target.clone(), source })?;
        self.committed = true;
        Ok(())
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
    fn a_file_that_has_no_place_is_left_out_and_the_rest_is_written() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("folder.xml/x")).unwrap();
        write(&dir.path().join("tags"), b"a file").unwrap();
        let long = format!("{}/a.xml", "x".repeat(300));
        let outputs = ["folder.xml", "tags/x/a.xml", "tags/a.xml", &long, "good.xml"].map(|path| output(path, "x"));
        let done = write_all(dir.path(), &outputs).unwrap();
        assert_eq!(done.written, ["good.xml"]);
        let refused: Vec<&str> = done.refused.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(refused, ["tags/x/a.xml", "tags/a.xml", &long, "folder.xml"]);
        assert!(!dir.path().join(".folder.xml.gazetted-tmp").exists());
        // Where nothing has a place the directory itself is wrong.
        assert!(write_all(&dir.path().join("tags"), &outputs[4..]).is_err());
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
