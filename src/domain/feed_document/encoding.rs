//! A document's bytes as text: by its byte order mark, its XML declaration, or what the bytes look like. Knows nothing of what
//! an HTTP header said.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// A declaration stands at the very beginning.
const HEAD: usize = 512;

#[derive(Debug)]
pub struct Decoded<'a> {
    /// Without a byte order mark.
    pub text: Cow<'a, str>,
    pub encoding: &'static Encoding,
    /// What the XML declaration says, as it is written there.
    pub declared: Option<String>,
    /// Some bytes were nothing in this encoding.
    pub damaged: bool,
    /// Neither marked nor declared, and no UTF-8: read as Windows-1252.
    pub guessed: bool,
}

/// `None` for UTF-32.
#[must_use]
pub fn decode(bytes: &[u8]) -> Option<Decoded<'_>> {
    if bytes.starts_with(b"\xff\xfe\0\0") || bytes.starts_with(b"\0\0\xfe\xff") {
        return None;
    }
    let declared = declaration(bytes);
    let marked = Encoding::for_bom(bytes).map(|(encoding, length)| (encoding, &bytes[length..]));
    let (encoding, body) = marked.unwrap_or_else(|| (unmarked(bytes, declared.as_deref()), bytes));
    let (text, damaged) = encoding.decode_without_bom_handling(body);
    if damaged && encoding == UTF_8 && marked.is_none() && declared.is_none() {
        let (text, _) = WINDOWS_1252.decode_without_bom_handling(body);
        return Some(Decoded { text, encoding: WINDOWS_1252, declared, damaged, guessed: true });
    }
    Some(Decoded { text, encoding, declared, damaged, guessed: false })
}

fn unmarked(bytes: &[u8], declared: Option<&str>) -> &'static Encoding {
    match bytes {
        [b'<' | b'{', 0, ..] => return UTF_16LE,
        [0, b'<' | b'{', ..] => return UTF_16BE,
        _ => {}
    }
    let named = declared.and_then(|label| Encoding::for_label(label.as_bytes()));
    // A declaration that can be read byte by byte is in no encoding of two bytes, whatever it says.
    named.filter(|encoding| *encoding != UTF_16LE && *encoding != UTF_16BE).unwrap_or(UTF_8)
}

/// `<?xml version="1.0" encoding="…"?>`.
fn declaration(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD)]);
    let head = head.trim_start_matches('\u{feff}').trim_start();
    let inside = head.strip_prefix("<?xml")?.split("?>").next()?;
    let value = inside.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let label = value[1..].split(quote).next()?;
    Some(label.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn every_way_to_say_an_encoding_is_understood() {
        let text = "<?xml version='1.0' encoding='utf-16'?><a>Träffar</a>";
        let latin = b"<?xml version=\"1.0\" encoding = \"ISO-8859-1\"?><a>Tr\xe4ffar</a>".to_vec();
        let koi = b"<?xml version=\"1.0\" encoding=\"koi8-r\"?><a>\xf4\xf2\xe1</a>".to_vec();
        let marked = [b"\xef\xbb\xbf".as_slice(), "<a>Träffar</a>".as_bytes()].concat();
        for (bytes, want, name) in [
            ("<a>Träffar</a>".as_bytes().to_vec(), "Träffar", "UTF-8"),
            (marked, "<a>Träffar", "UTF-8"),
            (utf16(text, u16::to_le_bytes), "Träffar", "UTF-16LE"),
            (utf16(&format!("\u{feff}{text}"), u16::to_be_bytes), "Träffar", "UTF-16BE"),
            (utf16("{\"ä\":1}", u16::to_be_bytes), "ä", "UTF-16BE"),
            (latin, "Träffar", "windows-1252"),
            (koi, "ТРА", "KOI8-R"),
            (b"<a>Tr\xe4ffar</a>".to_vec(), "Träffar", "windows-1252"),
            (text.as_bytes().to_vec(), "Träffar", "UTF-8"),
        ] {
            let got = decode(&bytes).unwrap();
            assert!(got.text.contains(want), "{}", got.text);
            assert!(!got.text.starts_with('\u{feff}'));
            assert_eq!(got.encoding.name(), name, "{}", got.text);
        }
    }

    #[test]
    fn what_is_said_and_not_so_is_known() {
        let damaged = decode(b"<?xml version='1.0' encoding='utf-8'?><a>Tr\xe4ff</a>").unwrap();
        assert!(damaged.damaged && !damaged.guessed && damaged.text.contains("Tr\u{fffd}ff"));
        assert!(decode(b"<a>\xe4</a>").unwrap().guessed);
        assert_eq!(decode(b"<?xml version='1.0' encoding='none-such'?><a/>").unwrap().declared.unwrap(), "none-such");
        assert!(decode(b"\xff\xfe\0\0<\0\0\0").is_none());
        assert!(decode(b"").unwrap().text.is_empty());
    }
}
