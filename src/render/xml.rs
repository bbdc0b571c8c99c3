//! Text inside markup: what HTML, SVG and XML must not take for their own. Knows characters, not documents.

use crate::domain::media::media_type_of;
use crate::domain::post::Image;

/// Escaped for element content and quoted attributes, without the characters XML cannot carry.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars().filter(|c| is_allowed(*c)) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Escaped for HTML text, and no more than it needs.
#[must_use]
pub fn escape_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The namespace of Media RSS.
pub const MEDIA: &str = "http://search.yahoo.com/mrss/";

/// The attributes of `media:content` for a picture.
#[must_use]
pub fn media_content(image: &Image) -> Vec<(&str, &str)> {
    let kind = media_type_of(&image.url).map(|kind| ("type", kind));
    [("url", image.url.as_str()), ("medium", "image")].into_iter().chain(kind).collect()
}

/// A document with the instruction how browsers are to show it. CSS only: XSLT is going, and a feed has no business with
/// scripts.
#[must_use]
pub fn styled(bytes: Vec<u8>, stylesheet: Option<&str>) -> Vec<u8> {
    let Some(stylesheet) = stylesheet else { return bytes };
    let instruction = format!("\n<?xml-stylesheet type=\"text/css\" href=\"{}\"?>\n", escape(stylesheet));
    let declaration =
        if bytes.starts_with(b"<?xml") { memchr::memmem::find(&bytes, b"?>").map_or(0, |at| at + 2) } else { 0 };
    let (before, after) = bytes.split_at(declaration);
    let mut out = before.to_vec();
    if before.is_empty() {
        out.extend_from_slice(b"<?xml version=\"1.0\" encoding=\"utf-8\"?>");
    }
    out.extend_from_slice(instruction.as_bytes());
    out.extend_from_slice(after.trim_ascii_start());
    out
}

/// XML 1.0's `Char`.
#[must_use]
pub fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_control_characters_do_not_pass() {
        assert_eq!(escape("<a b='c'> & \"d\"\u{0}\u{1b}\u{ffff}é"), "&lt;a b=&#39;c&#39;&gt; &amp; &quot;d&quot;é");
    }
}
