//! What kind of bytes a file begins with, and its text as UTF-8, a piece at a time. Knows archives and spreadsheets by
//! their first bytes, so as to refuse them by name; knows nothing of records.

use std::io::{self, Chain, Cursor, Read};

use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE};

/// Enough to know every kind of file by.
const HEAD: usize = 512;
/// Read and decoded at a time.
const PIECE: usize = 16 * 1024;
/// Not allowed anywhere in UTF-8: what stands for UTF-16 that cannot be read, so that its line is refused like any other
/// that is no text.
const UNREADABLE: u8 = 0xff;

/// Files that are not a list, by their first bytes; where, which, and what they are called.
const OTHERS: [(usize, &[u8], &str); 13] = [
    (0, b"PK\x03\x04", "a ZIP archive or a spreadsheet"),
    (0, b"PK\x05\x06", "an empty ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\0", "an xz archive"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook"),
    (0, b"%PDF-", "a PDF document"),
    (0, b"SQLite format 3\0", "an SQLite database"),
    (0, b"\x7fELF", "a program"),
];

/// Why a file is not looked at any further.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("the file is {0}, not a list of people")]
    Other(&'static str),
    #[error("the file is in UTF-32, which nothing else reads either")]
    Utf32,
}

impl Refused {
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "check that it is there, whole and readable",
            Self::Other(_) => {
                "unpack an archive and give the CSV files that were in it; save a spreadsheet as CSV (UTF-8)"
            }
            Self::Utf32 => "save it as UTF-8",
        }
    }
}

/// The text of a file.
pub struct Text<R> {
    source: Chain<Cursor<Vec<u8>>, R>,
    utf16: Option<Utf16>,
}

/// What is decoded and not yet handed out.
struct Utf16 {
    decoder: Decoder,
    raw: Box<[u8]>,
    out: Vec<u8>,
    given: usize,
    ended: bool,
}

/// Looks at the first bytes, skips a byte order mark, and goes on from there.
pub fn open<R: Read>(mut input: R) -> Result<Text<R>, Refused> {
    let mut head = Vec::with_capacity(HEAD);
    input.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let other = OTHERS.iter().find(|(at, magic, _)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    if let Some((_, _, what)) = other {
        return Err(Refused::Other(what));
    }
    if head.starts_with(b"\xff\xfe\0\0") || head.starts_with(b"\0\0\xfe\xff") {
        return Err(Refused::Utf32);
    }
    let (mark, decoder) = match &head[..] {
        [0xef, 0xbb, 0xbf, ..] => (3, None),
        [0xff, 0xfe, ..] => (2, Some(UTF_16LE)),
        [0xfe, 0xff, ..] => (2, Some(UTF_16BE)),
        _ => (0, unmarked_utf16(&head)),
    };
    let utf16 = decoder.map(|encoding| Utf16 {
        decoder: encoding.new_decoder_without_bom_handling(),
        raw: vec![0; PIECE].into_boxed_slice(),
        out: Vec::with_capacity(2 * PIECE),
        given: 0,
        ended: false,
    });
    let mut head = Cursor::new(head);
    head.set_position(mark);
    Ok(Text { source: head.chain(input), utf16 })
}

/// UTF-16 without a mark is believed where nearly every second byte is a NUL, and none of the others.
fn unmarked_utf16(head: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let (mut first, mut second, mut pairs) = (0_usize, 0_usize, 0_usize);
    for pair in head.chunks_exact(2) {
        first += usize::from(pair[0] == 0);
        second += usize::from(pair[1] == 0);
        pairs += 1;
    }
    let most = |nuls: usize| pairs > 1 && nuls * 10 >= pairs * 7;
    match (first, second) {
        (0, nuls) if most(nuls) => Some(UTF_16LE),
        (nuls, 0) if most(nuls) => Some(UTF_16BE),
        _ => None,
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(utf16) = &mut self.utf16 else { return self.source.read(buffer) };
        while utf16.given == utf16.out.len() && !utf16.ended {
            utf16.more(&mut self.source)?;
        }
        let count = buffer.len().min(utf16.out.len() - utf16.given);
        buffer[..count].copy_from_slice(&utf16.out[utf16.given..utf16.given + count]);
        utf16.given += count;
        Ok(count)
    }
}

impl Utf16 {
    fn more(&mut self, source: &mut impl Read) -> io::Result<()> {
        let length = source.read(&mut self.raw)?;
        self.ended = length == 0;
        self.out.clear();
        self.given = 0;
        let mut piece = [0; 1024];
        let mut from = 0;
        loop {
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(&self.raw[from..length], &mut piece, self.ended);
            from += read;
            self.out.extend_from_slice(&piece[..written]);
            match result {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => self.out.push(UNREADABLE),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out one byte at a time, as a pipe may.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = buffer.len().min(1);
            self.0.read(&mut buffer[..count])
        }
    }

    fn text(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        open(Trickle(bytes)).unwrap().read_to_end(&mut out).unwrap();
        let mut at_once = Vec::new();
        open(bytes).unwrap().read_to_end(&mut at_once).unwrap();
        assert_eq!(out, at_once);
        out
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn every_encoding_gives_the_same_text() {
        let long = "email,name\nann@example.org,Änn 𝄞 Smith\n".repeat(2_000);
        for expected in ["email,name\nann@example.org,Änn 𝄞 Smith\n", &long] {
            let marked = format!("\u{feff}{expected}");
            assert_eq!(text(expected.as_bytes()), expected.as_bytes());
            assert_eq!(text(marked.as_bytes()), expected.as_bytes());
            for file in [expected, &marked] {
                assert_eq!(text(&utf16(file, u16::to_le_bytes)), expected.as_bytes());
                assert_eq!(text(&utf16(file, u16::to_be_bytes)), expected.as_bytes());
            }
        }
        assert_eq!(text(b""), b"");
    }

    #[test]
    fn what_is_no_utf16_stays_visible() {
        assert_eq!(text(b"\xff\xfea\0\x00\xd8b\0"), b"a\xffb");
        assert_eq!(text(b"\xff\xfea\0b"), b"a\xff");
        // A stray NUL or two make no UTF-16.
        assert_eq!(text(b"email\0\nann@example.org\n"), b"email\0\nann@example.org\n");
    }

    #[test]
    fn archives_and_documents_are_refused_by_name() {
        let mut tar = vec![b'a'; 512];
        tar[257..262].copy_from_slice(b"ustar");
        for (bytes, what) in [
            (&b"PK\x03\x04\x14\0"[..], "a ZIP archive"),
            (b"\x1f\x8b\x08", "a gzip archive"),
            (b"%PDF-1.7", "a PDF"),
            (&tar, "a tar archive"),
            (b"\xff\xfe\0\0a\0\0\0", "UTF-32"),
        ] {
            let refused = open(bytes).map(|_| ()).unwrap_err();
            assert!(refused.to_string().contains(what), "{refused}");
            assert!(!refused.hint().is_empty());
        }
    }
}
