//! Plain text fit for titles, names, feeds and mail: without control characters, on one line where one line is meant.

use std::borrow::Cow;

/// Whether XML 1.0 (and so a feed) may hold this character, and a reader ought to see it.
#[must_use]
pub fn allowed(c: char) -> bool {
    match c {
        '\t' | '\n' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        _ => !c.is_control(),
    }
}

/// One line: control characters dropped, runs of white space made one space.
#[must_use]
pub fn line(text: &str) -> String {
    let mut line = Line { out: Vec::with_capacity(text.len()), is_space: true };
    let (bytes, mut at) = (text.as_bytes(), 0);
    while at < bytes.len() {
        if let Some(piece) =
            bytes[at..].first_chunk().and_then(even).filter(|piece| !(line.is_space && piece[0] == b' '))
        {
            line.is_space = piece[WIDTH - 1] == b' ';
            line.out.extend_from_slice(&piece);
            at += WIDTH;
            continue;
        }
        let end = text.ceil_char_boundary((at + WIDTH).min(bytes.len()));
        text[at..end].chars().for_each(|c| line.push(c));
        at = end;
    }
    line.finish()
}

struct Line {
    out: Vec<u8>,
    /// Whether a space would be one too many.
    is_space: bool,
}

impl Line {
    fn push(&mut self, c: char) {
        if c.is_ascii_graphic() {
            self.out.push(c as u8);
            self.is_space = false;
        } else if c.is_whitespace() {
            if !self.is_space {
                self.out.push(b' ');
            }
            self.is_space = true;
        } else if allowed(c) {
            self.out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            self.is_space = false;
        }
    }

    fn finish(mut self) -> String {
        if self.is_space {
            self.out.pop();
        }
        // Whole characters, all of them.
        String::from_utf8(self.out).unwrap_or_default()
    }
}

const WIDTH: usize = 16;

/// A piece of plain ASCII with no white space beside another, each made a space. As this looks at all that is published, it
/// has no way out in the middle: the compiler makes wide steps of that.
fn even(piece: &[u8; WIDTH]) -> Option<[u8; WIDTH]> {
    let is_odd = |byte: u8| !matches!(byte, b'\n' | b' '..=b'~');
    let is_space = |byte: u8| matches!(byte, b'\n' | b' ');
    let odd = piece.iter().fold(false, |any, byte| any | is_odd(*byte));
    let pairs = piece.iter().zip(&piece[1..]).fold(false, |any, (one, next)| any | (is_space(*one) & is_space(*next)));
    let mut out = *piece;
    for byte in &mut out {
        *byte = if *byte == b'\n' { b' ' } else { *byte };
    }
    (!(odd | pairs)).then_some(out)
}

/// Whether no character of the text is one that has to go. By bytes, as this looks at all that is published: what may
/// begin a forbidden character beyond ASCII (C1 controls, U+FFFE, U+FFFF) is looked at again.
fn is_clean(text: &str) -> bool {
    let suspicious = |byte: u8| {
        let control = byte < 0x20 && byte != b'\n' && byte != b'\t';
        control || byte == 0x7f || byte == 0xc2 || byte == 0xef
    };
    !any_byte(text, suspicious) || text.chars().all(allowed)
}

/// Whether a text has such a byte. One sum a piece, and no way out in the middle of it: the compiler makes wide steps of that.
#[must_use]
pub fn any_byte(text: &str, is_such: impl Fn(u8) -> bool) -> bool {
    const PIECE: usize = 64;
    let any = |piece: &[u8]| piece.iter().fold(false, |any, byte| any | is_such(*byte));
    text.as_bytes().chunks(PIECE).any(any)
}

/// What turns the direction of all that follows it, to be closed by whoever remembers to.
#[must_use]
pub fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Several lines: control characters dropped, line ends made `\n`.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    if is_clean(text) {
        return text.into();
    }
    text.replace("\r\n", "\n").replace('\r', "\n").chars().filter(|c| allowed(*c)).collect::<String>().into()
}

/// At most `limit` characters, cut at a word and marked with an ellipsis.
#[must_use]
pub fn shortened(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let head: String = text.chars().take(limit.saturating_sub(1)).collect();
    let cut = head.rfind(char::is_whitespace).filter(|at| *at > head.len() / 2).unwrap_or(head.len());
    format!("{}…", head[..cut].trim_end_matches(|c: char| c.is_whitespace() || ",;:–-".contains(c)))
}

/// How long a text is once it is escaped.
#[must_use]
pub fn escaped_length(text: &str) -> usize {
    // A piece's sum stays below 256, so that the compiler makes wide steps of it.
    const PIECE: usize = 48;
    let more = |byte: u8| {
        let angle = u8::from(byte == b'<') | u8::from(byte == b'>');
        let quote = u8::from(byte == b'"') | u8::from(byte == b'\'');
        3 * angle + 5 * quote + 4 * u8::from(byte == b'&')
    };
    let piece = |bytes: &[u8]| usize::from(bytes.iter().fold(0_u8, |sum, byte| sum + more(*byte)));
    text.len() + text.as_bytes().chunks(PIECE).map(piece).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_without_control_characters() {
        assert_eq!(line(" a\r\n b\u{0}\u{8}\tc\u{fffe} \u{85}"), "a b c");
        assert_eq!(line("a\u{a0}\u{2003}b \u{b}\u{c}ä\u{3000}ö\n"), "a b ä ö");
        assert_eq!(line(&format!("{}\u{7f} b", "a ".repeat(100))), format!("{}b", "a ".repeat(100)));
        assert_eq!(line("a\u{0} \u{0} b\u{0}"), "a b");
        assert_eq!(line("\u{0} \u{0}"), "");
        assert_eq!(lines("a\r\nb\u{0}\rc"), "a\nb\nc");
    }

    #[test]
    fn long_text_is_cut_at_a_word() {
        assert_eq!(shortened("one two three", 20), "one two three");
        assert_eq!(shortened("one two, three", 10), "one two…");
        assert_eq!(shortened(&"ä".repeat(30), 10), format!("{}…", "ä".repeat(9)));
    }

    #[test]
    fn what_escaping_adds_is_counted() {
        for text in ["", "a<b>&\"'", &"\"'".repeat(1_000), &"a & b < c".repeat(77)] {
            let want = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            assert_eq!(escaped_length(text), want.replace('"', "&quot;").replace('\'', "&apos;").len(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_line_is_its_words_with_one_space_between(text in "([a-z]{0,9}[ \n]|[a-z\u{0}\u{1f}\u{7f} \t\r\n\u{85}\u{a0}é—\u{2003}\u{3000}\u{fffe}]|\\PC){0,60}") {
            let words = text.split_whitespace().map(|word| word.chars().filter(|c| allowed(*c)).collect::<String>());
            let words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
            proptest::prop_assert_eq!(line(&text), words.join(" "));
        }
    }
}
