//! Files that people name, read to a limit: one that was named by mistake, or never ends, is refused before it fills the memory.

use std::io::{self, Read as _};
use std::path::Path;

/// Configurations, templates and facts are texts that somebody wrote.
pub const TEXT: u64 = 1_000_000;
/// The longest key or password.
pub const SECRET: u64 = 64_000;

/// The whole file, or an error if it has more than `most` bytes.
pub fn bytes(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}

pub fn text(path: &Path, most: u64) -> io::Result<String> {
    let not_text = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    String::from_utf8(bytes(path, most)?).map_err(not_text)
}

#[cfg(test)]
mod tests {
    use super::*;

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
