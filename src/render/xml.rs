//! Text inside markup: what HTML, SVG and XML must not take for their own. Knows characters, not documents.

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use crate::domain::media::media_type_of;
use crate::domain::plain;
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

/// The text of each `inner` directly below an `outer`, from a document that is read to its end: one that is not well-formed,
/// holds a character that XML has none of, or names an entity that nobody declared is an error.
pub fn texts(bytes: &[u8], outer: &str, inner: &str) -> Result<Vec<String>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    if let Some(bad) = forbidden(text) {
        return Err(format!("the character U+{:04X} cannot stand in XML", u32::from(bad)));
    }
    let mut reader = Reader::from_str(text);
    let (mut found, mut open): (Vec<String>, Vec<bool>) = (Vec::new(), Vec::new());
    let mut current: Option<String> = None;
    loop {
        // A feed is nearly all text with markup in it, escaped: the library would tell of each reference by itself.
        let rest: &[u8] = reader.get_ref();
        let markup = memchr::memchr(b'<', rest).unwrap_or(rest.len());
        let at = text.len() - rest.len();
        read_text(&text[at..at + markup], current.as_mut())?;
        *reader.get_mut() = &rest[markup..];
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => {
                let name = start.name();
                if name.as_ref() == inner.as_bytes() && open.last() == Some(&true) {
                    current = Some(String::new());
                }
                for attribute in start.attributes() {
                    attribute.map_err(|error| error.to_string())?;
                }
                open.push(name.as_ref() == outer.as_bytes());
            }
            Event::End(_) => {
                open.pop();
                if open.last() == Some(&true) {
                    found.extend(current.take());
                }
            }
            Event::CData(part) => {
                if let Some(current) = &mut current {
                    current.push_str(std::str::from_utf8(&part).map_err(|error| error.to_string())?);
                }
            }
            Event::Eof if open.is_empty() => return Ok(found),
            Event::Eof => return Err("the document ends before its elements do".to_owned()),
            _ => {}
        }
    }
}

/// What stands between two tags, each reference in it a character's.
fn read_text(mut text: &str, mut into: Option<&mut String>) -> Result<(), String> {
    while let Some(at) = memchr::memchr(b'&', text.as_bytes()) {
        let name = &text[at + 1..];
        let end = memchr::memchr(b';', name.as_bytes()).ok_or("an `&` begins no reference")?;
        let c = resolved(&name[..end])?;
        if let Some(into) = &mut into {
            into.push_str(&text[..at]);
            into.push(c);
        }
        text = &name[end + 1..];
    }
    if let Some(into) = into {
        into.push_str(text);
    }
    Ok(())
}

/// The first character that XML has none of.
fn forbidden(text: &str) -> Option<char> {
    // Control characters, and what U+FFFE and U+FFFF begin with.
    let suspicious = |byte: u8| byte < 0x20 && byte != b'\t' && byte != b'\n' && byte != b'\r' || byte == 0xef;
    if plain::any_byte(text, suspicious) { text.chars().find(|c| !is_allowed(*c)) } else { None }
}

fn resolved(name: &str) -> Result<char, String> {
    // The library knows HTML's names as well, if any crate of the tree asks it to; an XML document has these five.
    match name {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => {}
    }
    match BytesRef::new(name).resolve_char_ref().map_err(|error| error.to_string())? {
        Some(c) if is_allowed(c) => Ok(c),
        Some(c) => Err(format!("&#{}; cannot stand in XML", u32::from(c))),
        None => Err(format!("nobody declared &{name};")),
    }
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
pub fn styled(mut bytes: Vec<u8>, stylesheet: Option<&str>) -> Vec<u8> {
    let Some(stylesheet) = stylesheet else { return bytes };
    let instruction = format!("\n<?xml-stylesheet type=\"text/css\" href=\"{}\"?>\n", escape(stylesheet));
    let declaration =
        if bytes.starts_with(b"<?xml") { memchr::memmem::find(&bytes, b"?>").map_or(0, |at| at + 2) } else { 0 };
    let after = declaration + bytes[declaration..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let own = if declaration == 0 { "<?xml version=\"1.0\" encoding=\"utf-8\"?>" } else { "" };
    bytes.splice(declaration..after, own.bytes().chain(instruction.bytes()));
    bytes
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
    fn a_document_is_read_to_its_end_or_not_at_all() {
        let good =
            "<f xmlns='x'><e><id>a &amp; &#65;</id><t><![CDATA[<id>]]></t></e><e><id>b</id><x><id>no</id></x></e></f>";
        assert_eq!(texts(good.as_bytes(), "e", "id").unwrap(), ["a & A", "b"]);
        let all = "<?xml version='1.0'?>\n<f><!-- & --><e>x<id>&lt;&#x41;é<!-- c -->&gt;</id>&amp;<id/></e>\n</f>\n";
        assert_eq!(texts(all.as_bytes(), "e", "id").unwrap(), ["<Aé>"]);
        for bad in [
            "<f><e></f>",
            "<f><e>",
            "<f>&nbsp;</f>",
            "<f>a & b</f>",
            "<f>&amp</f>;",
            "<f>a &; b</f>",
            "<f>&#xffff;</f>",
            "<f>\u{1}</f>",
            "<f>&#0;</f>",
            "<f a='1' a='2'></f>",
            "<f><e></x></e></f>",
            "<f>\u{ffff}</f>",
            &format!("<f>{}\u{fffe}</f>", "é ".repeat(100)),
        ] {
            assert!(texts(bad.as_bytes(), "e", "id").is_err(), "{bad}");
        }
    }

    #[test]
    fn markup_and_control_characters_do_not_pass() {
        assert_eq!(escape("<a b='c'> & \"d\"\u{0}\u{1b}\u{ffff}é"), "&lt;a b=&#39;c&#39;&gt; &amp; &quot;d&quot;é");
    }
}
