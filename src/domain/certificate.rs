//! What a certificate says of itself: whom it is for, and until when. Reads DER just as far; whether it is to be trusted is the TLS
//! library's to say.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Names it is good for; without any, its subject's common name.
    pub names: Vec<String>,
    pub until: Timestamp,
}

/// A value of ASN.1.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    pub tag: u8,
    pub bytes: &'a [u8],
}

pub const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const COMMON_NAME: [u8; 3] = [0x55, 4, 3];
const ALTERNATIVE_NAMES: [u8; 3] = [0x55, 0x1d, 0x11];
const DNS_NAME: u8 = 0x82;
const EXTENSIONS: u8 = 0xa3;
const VERSION: u8 = 0xa0;

/// The first value, and what follows it.
#[must_use]
pub fn next(bytes: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (bytes, rest) = rest.split_at_checked(length)?;
    Some((Value { tag: *tag, bytes }, rest))
}

pub fn values(mut bytes: &[u8]) -> impl Iterator<Item = Value<'_>> {
    std::iter::from_fn(move || {
        let (value, rest) = next(bytes)?;
        bytes = rest;
        Some(value)
    })
}

#[must_use]
pub fn read(der: &[u8]) -> Option<Certificate> {
    let (whole, _) = next(der).filter(|(value, _)| value.tag == SEQUENCE)?;
    let (signed, _) = next(whole.bytes)?;
    // Version (if any), number, algorithm, issuer, validity, subject, key, ...
    let parts: Vec<Value<'_>> = values(signed.bytes).skip_while(|value| value.tag == VERSION).collect();
    let until = values(parts.get(3)?.bytes).nth(1).and_then(time)?;
    let extensions = parts.iter().find(|value| value.tag == EXTENSIONS);
    let mut names = extensions.map(|value| alternative_names(value.bytes)).unwrap_or_default();
    if names.is_empty() {
        names.extend(common_name(parts.get(4)?.bytes));
    }
    Some(Certificate { names, until })
}

fn common_name(subject: &[u8]) -> Option<String> {
    let mut attributes = values(subject).filter(|set| set.tag == SET).flat_map(|set| values(set.bytes));
    attributes.find_map(|attribute| {
        let mut parts = values(attribute.bytes);
        (parts.next()?.bytes == COMMON_NAME).then(|| text(parts.next()?.bytes)).flatten()
    })
}

fn alternative_names(extensions: &[u8]) -> Vec<String> {
    let Some((list, _)) = next(extensions) else { return Vec::new() };
    let found = values(list.bytes).find_map(|extension| {
        let mut parts = values(extension.bytes);
        // Its name, whether it is critical (if it is), and the rest.
        (parts.next()?.bytes == ALTERNATIVE_NAMES).then(|| parts.last()).flatten()
    });
    let names = found.and_then(|value| next(value.bytes)).map(|(names, _)| names.bytes).unwrap_or_default();
    values(names).filter(|name| name.tag == DNS_NAME).filter_map(|name| text(name.bytes)).collect()
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control)).map(str::to_owned)
}

/// `UTCTime` (RFC 5280: 50 and more is of the last century) or `GeneralizedTime`.
fn time(value: Value<'_>) -> Option<Timestamp> {
    let text = std::str::from_utf8(value.bytes).ok()?.strip_suffix('Z').filter(|text| text.is_ascii())?;
    let full = match value.tag {
        0x17 if text.len() == 12 => format!("{}{text}", if text >= "50" { "19" } else { "20" }),
        0x18 if text.len() == 14 => text.to_owned(),
        _ => return None,
    };
    let number = |from: usize, to: usize| full.get(from..to)?.parse::<i16>().ok();
    let small = |from: usize| number(from, from + 2).and_then(|n| i8::try_from(n).ok());
    let at = DateTime::new(number(0, 4)?, small(4)?, small(6)?, small(8)?, small(10)?, small(12)?, 0).ok()?;
    TimeZone::UTC.to_timestamp(at).ok()
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    use super::*;

    #[test]
    fn names_and_the_end_are_read() {
        let pem = include_bytes!("../../tests/it/fixtures/localhost.pem");
        let der = CertificateDer::from_pem_slice(pem).unwrap();
        let found = read(&der).unwrap();
        assert!(found.names.contains(&"localhost".to_owned()), "{found:?}");
        assert!(found.until > "2026-01-01T00:00:00Z".parse().unwrap(), "{found:?}");
        for length in 0..der.len() {
            assert_eq!(read(&der[..length]), None, "{length} bytes of it");
        }
    }

    #[test]
    fn both_kinds_of_times_are_read() {
        for (tag, text, expected) in [
            (0x17, "261129010203Z", Some("2026-11-29T01:02:03Z")),
            (0x17, "991231235959Z", Some("1999-12-31T23:59:59Z")),
            (0x18, "20510101000000Z", Some("2051-01-01T00:00:00Z")),
            (0x17, "2611290102Z", None),
            (0x17, "261329010203Z", None),
            (0x18, "20510101000000", None),
        ] {
            let found = time(Value { tag, bytes: text.as_bytes() });
            assert_eq!(found, expected.map(|text| text.parse().unwrap()), "{text}");
        }
    }
}
