//! An edition's texts as mail carries them, encoded once: what all readers have in common is quoted-printable already, and
//! only a reader's own parts (name, links) are encoded for each. A soft line break before and after such a part lets the pieces
//! meet in any column.

use quoted_printable::Options;

use super::digest::{NAME, PREFERENCES, UNSUBSCRIBE};
use super::xml::escape;
use crate::domain::edition::Edition;

/// One reader's own parts, as text.
#[derive(Debug, Clone, Copy)]
pub struct Own<'a> {
    pub name: &'a str,
    pub unsubscribe: &'a str,
    pub preferences: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Name,
    Unsubscribe,
    Preferences,
}

const PARTS: [(&str, Part); 3] =
    [(NAME, Part::Name), (UNSUBSCRIBE, Part::Unsubscribe), (PREFERENCES, Part::Preferences)];

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Common(Vec<u8>),
    Own(Part),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    text: Vec<Piece>,
    html: Vec<Piece>,
}

const BREAK: &[u8] = b"=\r\n";

impl Prepared {
    #[must_use]
    pub fn of(edition: &Edition) -> Self {
        Self { text: pieces(&edition.text), html: pieces(&edition.html) }
    }

    pub fn write_text(&self, own: &Own<'_>, out: &mut Vec<u8>) {
        write(&self.text, own, ToOwned::to_owned, out);
    }

    pub fn write_html(&self, own: &Own<'_>, out: &mut Vec<u8>) {
        write(&self.html, own, escape, out);
    }

    /// About how long both are.
    #[must_use]
    pub fn len(&self) -> usize {
        let length = |piece: &Piece| match piece {
            Piece::Common(bytes) => bytes.len(),
            Piece::Own(_) => 120,
        };
        self.text.iter().chain(&self.html).map(length).sum()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && self.html.is_empty()
    }
}

fn pieces(frozen: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = frozen;
    loop {
        let next =
            PARTS.iter().filter_map(|(marker, part)| Some((rest.find(marker)?, *marker, *part))).min_by_key(|n| n.0);
        let (common, after) = match next {
            Some((at, marker, _)) => (&rest[..at], &rest[at + marker.len()..]),
            None => (rest, ""),
        };
        if !common.is_empty() {
            pieces.push(Piece::Common(encoded(common)));
        }
        let Some((.., part)) = next else { return pieces };
        pieces.push(Piece::Own(part));
        rest = after;
    }
}

/// Lines end with CRLF, and no line is longer than 76 characters.
fn encoded(text: &str) -> Vec<u8> {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
    // One less than 76: a line break that counts for nothing may follow.
    quoted_printable::encode_with_options(lines, Options::default().line_length_limit(75)).into_bytes()
}

fn write(pieces: &[Piece], own: &Own<'_>, written: impl Fn(&str) -> String, out: &mut Vec<u8>) {
    let start = out.len();
    for piece in pieces {
        match piece {
            Piece::Common(bytes) => append(bytes, start, out),
            Piece::Own(part) => append(&encoded(&written(own.part(*part))), start, out),
        }
    }
}

/// A piece that does not begin on a line of its own gets one that counts for nothing.
fn append(bytes: &[u8], start: usize, out: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let begun = out.len() > start && !out.ends_with(b"\r\n");
    if begun && !bytes.starts_with(b"\r\n") {
        out.extend_from_slice(BREAK);
    }
    out.extend_from_slice(bytes);
}

impl Own<'_> {
    fn part(&self, part: Part) -> &str {
        match part {
            Part::Name => self.name,
            Part::Unsubscribe => self.unsubscribe,
            Part::Preferences => self.preferences,
        }
    }
}

#[cfg(test)]
mod tests {
    use quoted_printable::{ParseMode, decode};

    use super::*;
    use crate::domain::edition::{EditionKey, State};

    const OWN: Own<'_> = Own {
        name: " Änne & \"Co\"",
        unsubscribe: "https://news.example/unsubscribe/AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRo=a",
        preferences: "https://news.example/preferences/x",
    };

    fn prepared(frozen: &str) -> Prepared {
        Prepared::of(&Edition {
            key: EditionKey::Post(1),
            state: State::Open,
            subject: String::new(),
            text: frozen.into(),
            html: frozen.into(),
            content: serde_json::Value::Null,
            posts: 0,
            opened_at: jiff::Timestamp::UNIX_EPOCH,
            finished_at: None,
            reason: None,
        })
    }

    /// As it is read at the other end, and what it was to be.
    fn there_and_back(frozen: &str) -> (String, String) {
        let mut out = Vec::new();
        prepared(frozen).write_text(&OWN, &mut out);
        for line in String::from_utf8(out.clone()).unwrap().split("\r\n") {
            assert!(line.len() <= 76 && !line.ends_with([' ', '\t']), "{line:?}");
        }
        let whole = PARTS.iter().fold(frozen.to_owned(), |text, (marker, part)| text.replace(marker, OWN.part(*part)));
        let plain = whole.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
        (String::from_utf8(decode(out, ParseMode::Strict).unwrap()).unwrap(), plain)
    }

    #[test]
    fn what_is_filled_in_reads_as_if_it_had_always_been_there() {
        let long = "word ".repeat(60);
        for frozen in [
            String::new(),
            "plain\n".into(),
            format!("Hello{NAME},\n\nleave: {UNSUBSCRIBE}\n{PREFERENCES}"),
            format!("{NAME}{UNSUBSCRIBE}{PREFERENCES}"),
            format!("{long}{NAME}{long}\n.{NAME}\n. dot \t\n=20 {UNSUBSCRIBE} \r\n  \n"),
            format!("é{NAME}\n\n{long}\u{1f600}{NAME}"),
        ] {
            let (read, expected) = there_and_back(&frozen);
            assert_eq!(read, expected, "{frozen:?}");
        }
    }

    #[test]
    fn in_html_a_reader_s_name_is_no_markup() {
        let mut out = Vec::new();
        prepared(&format!("<p>Hello{NAME}</p>")).write_html(&OWN, &mut out);
        let read = String::from_utf8(decode(out, ParseMode::Strict).unwrap()).unwrap();
        assert_eq!(read, "<p>Hello Änne &amp; &quot;Co&quot;</p>");
    }

    proptest::proptest! {
        #[test]
        fn any_text_comes_back(parts in proptest::collection::vec("[ -~\\t\\né=.]{0,90}", 0..6)) {
            let (read, expected) = there_and_back(&parts.join(NAME));
            proptest::prop_assert_eq!(read, expected);
        }
    }
}
