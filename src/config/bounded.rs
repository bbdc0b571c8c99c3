//! Files that people name, read to a limit: one that was named by mistake, or never ends, is refused before it fills the memory.
//! And read as they stand: half of a configuration may be one, too, of a daemon that sends its mails nowhere.

use std::fs::Metadata;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

/// Configurations, templates and facts are texts that somebody wrote.
pub const TEXT: u64 = 1_000_000;
/// The longest key or password.
pub const SECRET: u64 = 64_000;

/// For whoever is writing the file.
const PAUSE: Duration = Duration::from_millis(10);
const TRIES: u32 = 10;

/// The whole file, or an error if it has more than `most` bytes.
pub fn bytes(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    for _ in 0..TRIES {
        if let Some(bytes) = as_it_stands(path, most)? {
            return Ok(bytes);
        }
        std::thread::sleep(PAUSE);
    }
    Err(io::Error::new(io::ErrorKind::ResourceBusy, "somebody is writing to it"))
}

/// Nothing if somebody wrote to it meanwhile.
fn as_it_stands(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let mut file = std::fs::File::open(path)?;
    let (before, mut bytes) = (file.metadata()?, Vec::new());
    (&mut file).take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {most} bytes")));
    }
    Ok(is_same(&before, &file.metadata()?, bytes.len()).then_some(bytes))
}

fn is_same(before: &Metadata, after: &Metadata, read: usize) -> bool {
    // Pipes have no length, nor has what the kernel makes up.
    let is_whole = after.len() == read as u64 || after.len() == 0;
    !after.is_file() || (is_whole && before.len() == after.len() && before.modified().ok() == after.modified().ok())
}

pub fn text(path: &Path, most: u64) -> io::Result<String> {
    let not_text = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    String::from_utf8(bytes(path, most)?).map_err(not_text)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "what is written in pieces is what it is about")]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_it_stands_while_somebody_writes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x");
        let [long, short] = ["[site]\n".repeat(60), "[site]\n".to_owned()];
        std::fs::write(&file, &long).unwrap();
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| {
                for _ in 0..2_000 {
                    std::fs::write(&file, &short).unwrap();
                    std::fs::write(&file, &long).unwrap();
                }
            });
            while !writing.is_finished() {
                let Ok(read) = text(&file, TEXT) else { continue };
                assert!(read.is_empty() || read == long || read == short, "{} bytes", read.len());
            }
        });
    }

    #[test]
    fn a_file_is_read_to_its_limit_and_refused_beyond() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x");
        std::fs::File::create(&file).unwrap().set_len(100).unwrap();
        assert_eq!(bytes(&file, 100).unwrap().len(), 100);
        assert_eq!(text(&file, 99).unwrap_err().to_string(), "it has more than 99 bytes");
        assert!(bytes(Path::new("/dev/zero"), TEXT).is_err(), "what never ends");
    }
}
