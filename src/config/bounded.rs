//! Files that people name, read to a limit: one that was named by mistake, or never ends, is refused before it fills the memory.
//! And read as they stand: half of a configuration may be one, too, of a daemon that sends its mails nowhere.

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

/// What one reading came to.
enum Reading {
    Whole(Vec<u8>),
    /// Of a file that says it has no length: what the kernel makes up, or one that was emptied while it was read.
    Unsure(Vec<u8>),
    /// Somebody wrote to it meanwhile.
    Torn,
}

/// The whole file, or an error if it has more than `most` bytes.
pub fn bytes(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut before = None;
    for _ in 0..TRIES {
        match read(path, most)? {
            Reading::Whole(bytes) => return Ok(bytes),
            Reading::Unsure(bytes) if before.as_ref() == Some(&bytes) => return Ok(bytes),
            Reading::Unsure(bytes) => before = Some(bytes),
            Reading::Torn => before = None,
        }
        std::thread::sleep(PAUSE);
    }
    Err(io::Error::new(io::ErrorKind::ResourceBusy, "somebody is writing to it"))
}

fn read(path: &Path, most: u64) -> io::Result<Reading> {
    let mut file = std::fs::File::open(path)?;
    let (before, mut bytes) = (file.metadata()?, Vec::new());
    (&mut file).take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {most} bytes")));
    }
    let after = file.metadata()?;
    let is_same = before.len() == after.len() && before.modified().ok() == after.modified().ok();
    Ok(match after.len() {
        // Pipes have no length.
        _ if !after.is_file() => Reading::Whole(bytes),
        _ if !is_same => Reading::Torn,
        length if length == bytes.len() as u64 => Reading::Whole(bytes),
        0 => Reading::Unsure(bytes),
        _ => Reading::Torn,
    })
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
    fn what_the_kernel_makes_up_has_no_length_and_is_read() {
        assert!(text(Path::new("/proc/version"), TEXT).is_ok_and(|text| text.starts_with("Linux")));
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
