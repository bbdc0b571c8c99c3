//! Plain text fit for titles, names, feeds and mail: without control characters, on one line where one line is meant.

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
    for word in text.split_whitespace() {
        let start = out.len();
        if start > 0 {
            out.push(' ');
        }
        let space = out.len();
        if is_clean(word) {
            out.push_str(word);
        } else {
            out.extend(word.chars().filter(|c| allowed(*c)));
        }
        if out.len() == space {
            out.truncate(start);
        }
    }
    out
}

/// Whether no character of the text is one that has to go. By bytes, as this looks at all that is published: what may
/// begin a forbidden character beyond ASCII (C1 controls, U+FFFE, U+FFFF) is looked at again.
fn is_clean(text: &str) -> bool {
    // What may begin a forbidden character, or be one; all of ASCII's are below the space but for the last.
    const SUSPICIOUS: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 0x20 {
            table[byte] = byte != b'\n' as usize && byte != b'\t' as usize;
            byte += 1;
        }
        (table[0x7f], table[0xc2], table[0xef]) = (true, true, true);
        table
    };
    !text.bytes().any(|byte| SUSPICIOUS[usize::from(byte)]) || text.chars().all(allowed)
}

/// Several lines: control characters dropped, line ends made `\n`.
#[must_use]
pub fn lines(text: &str) -> std::borrow::Cow<'_, str> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_without_control_characters() {
        assert_eq!(line(" a\r\n b\u{0}\u{8}\tc\u{fffe} \u{85}"), "a b c");
        assert_eq!(lines("a\r\nb\u{0}\rc"), "a\nb\nc");
    }

    #[test]
    fn long_text_is_cut_at_a_word() {
        assert_eq!(shortened("one two three", 20), "one two three");
        assert_eq!(shortened("one two, three", 10), "one two…");
        assert_eq!(shortened(&"ä".repeat(30), 10), format!("{}…", "ä".repeat(9)));
    }
}
