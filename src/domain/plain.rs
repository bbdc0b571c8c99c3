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
    let mut out = String::with_capacity(text.len());
    let clean = is_clean(text);
    for part in parts(text) {
        // Only what lies beyond ASCII, or is not clean, has to be decoded.
        if clean && part.is_ascii() {
            push_word(&mut out, part);
            continue;
        }
        for word in part.split_whitespace() {
            let kept: Cow<'_, str> =
                if clean { word.into() } else { word.chars().filter(|c| allowed(*c)).collect::<String>().into() };
            push_word(&mut out, &kept);
        }
    }
    out
}

fn push_word(out: &mut String, word: &str) {
    if word.is_empty() {
        return;
    }
    if !out.is_empty() {
        out.push(' ');
    }
    out.push_str(word);
}

/// What ASCII white space divides.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let is_space = |byte: u8| matches!(byte, b'\t'..=b'\r' | b' ');
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.bytes().position(is_space).unwrap_or(rest.len());
        let part = Some(&rest[..end]).filter(|_| !rest.is_empty());
        rest = rest.get(end + 1..).unwrap_or_default();
        part
    })
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
}
