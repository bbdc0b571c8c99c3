//! DKIM as others see it (RFC 6376, RFC 8463): the record of a public key, and what a signature in a message says it covers. Makes no
//! signature and verifies none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::dmarc::tags;
use crate::domain::certificate::{SEQUENCE, Value, next, values};

/// A signature must cover these, or anybody can change the way out (RFC 8058, section 4) and the sender.
pub const COVERED: [&str; 3] = ["From", "List-Unsubscribe", "List-Unsubscribe-Post"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    pub kind: Kind,
    pub public: Vec<u8>,
    /// `t=y`: receivers are asked to treat signed mail as unsigned.
    pub testing: bool,
    sha256: bool,
    mail: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Rsa,
    Ed25519,
}

impl KeyRecord {
    /// How long an RSA key is; nothing for one that is none.
    #[must_use]
    pub fn bits(&self) -> Option<usize> {
        match self.kind {
            Kind::Rsa => modulus(&self.public),
            Kind::Ed25519 => (self.public.len() == 32).then_some(256),
        }
    }

    /// Why signatures with it do not count, if so.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        match (self.sha256, self.mail) {
            (false, _) => Some("`h=` leaves out sha256"),
            (_, false) => Some("`s=` says that it is not for mail"),
            _ => None,
        }
    }
}

pub fn parse(text: &str) -> Result<KeyRecord, String> {
    let tags = tags(text)?;
    let get = |name: &str| tags.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    let among = |name: &str, wanted: &[&str]| {
        get(name)
            .is_none_or(|list| list.split(':').any(|one| wanted.contains(&one.trim().to_ascii_lowercase().as_str())))
    };
    if let Some(version) = get("v").filter(|version| *version != "DKIM1") {
        return Err(format!("`v={version}`: expected `v=DKIM1`"));
    }
    let kind = match get("k").unwrap_or("rsa").to_ascii_lowercase().as_str() {
        "rsa" => Kind::Rsa,
        "ed25519" => Kind::Ed25519,
        other => return Err(format!("`k={other}`: expected `rsa` or `ed25519`")),
    };
    let written: String = get("p").ok_or("it says no `p=`, the key")?.split_whitespace().collect();
    if written.is_empty() {
        return Err("`p=` is empty: the key was taken back".to_owned());
    }
    let public =
        STANDARD.decode(written).map_err(|_| "`p=` is no base64: a part of it is missing, or too much".to_owned())?;
    let testing = get("t").is_some_and(|flags| flags.split(':').any(|flag| flag.trim().eq_ignore_ascii_case("y")));
    Ok(KeyRecord { kind, public, testing, sha256: among("h", &["sha256"]), mail: among("s", &["*", "email"]) })
}

/// Of a `SubjectPublicKeyInfo`, or of a bare RSA key.
fn modulus(der: &[u8]) -> Option<usize> {
    let (whole, _) = next(der).filter(|(value, _)| value.tag == SEQUENCE)?;
    let (first, rest) = next(whole.bytes)?;
    let number = if first.tag == SEQUENCE {
        let (bits, _) = next(rest)?;
        let (key, _) = next(bits.bytes.strip_prefix(&[0])?)?;
        values(key.bytes).next()?
    } else {
        first
    };
    let Value { tag: 2, bytes } = number else { return None };
    let start = bytes.iter().position(|byte| *byte != 0)?;
    let first = bytes.get(start)?;
    Some((bytes.len() - start) * 8 - first.leading_zeros() as usize)
}

/// A `DKIM-Signature` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    pub domain: String,
    pub selector: String,
    /// In the order in which they are named.
    pub covers: Vec<String>,
}

impl Signature {
    /// `value`: what stands behind the header's colon.
    pub fn parse(value: &str) -> Result<Self, String> {
        let flat: String = value.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        let tags = tags(&flat)?;
        let get = |name: &str| {
            let found = tags.iter().find(|(known, _)| known == name).map(|(_, value)| (*value).to_owned());
            found.ok_or_else(|| format!("it says no `{name}=`"))
        };
        let covers = get("h")?.split(':').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
        Ok(Self { domain: get("d")?.to_ascii_lowercase(), selector: get("s")?, covers })
    }

    #[must_use]
    pub fn times(&self, header: &str) -> usize {
        self.covers.iter().filter(|name| name.eq_ignore_ascii_case(header)).count()
    }

    /// Of the headers that it must cover, those it does not.
    #[must_use]
    pub fn leaves_open(&self) -> Vec<&'static str> {
        COVERED.into_iter().filter(|header| self.times(header) == 0).collect()
    }
}

#[cfg(test)]
pub mod tests {
    use aws_lc_rs::encoding::AsDer as _;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use aws_lc_rs::signature::KeyPair as _;

    use super::*;

    /// The key of RFC 6376, appendix C: 1024 bits, and without its algorithm's name 1024, too.
    const RFC: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFC\
        jxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToI\
        MmPSPDdQPNUYckcQ2QIDAQAB";
    pub const ED25519: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    #[must_use]
    pub fn rsa2048() -> String {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        STANDARD.encode(key.public_key().as_der().unwrap().as_ref())
    }

    #[test]
    fn keys_are_read_and_measured() {
        let long = parse(&format!("v=DKIM1; k=rsa; p={}", rsa2048())).unwrap();
        assert_eq!((long.kind, long.bits(), long.fault()), (Kind::Rsa, Some(2048), None));
        let short = parse(&format!("k=rsa; t=y; p={}", RFC.replacen("MIG", "M I\tG", 1))).unwrap();
        assert_eq!((short.bits(), short.testing), (Some(1024), true));
        let curve = parse(&format!("v=DKIM1; k=ed25519; p={ED25519}")).unwrap();
        assert_eq!((curve.kind, curve.bits()), (Kind::Ed25519, Some(256)));
        let bare = KeyRecord { public: short.public[22..].to_vec(), ..short };
        assert_eq!(bare.bits(), Some(1024), "as PKCS #1 has it");
        let faults = [("h=sha1", "sha256"), ("h=sha1:sha256", ""), ("s=email", ""), ("s=tlsrpt", "not for mail")];
        for (tag, words) in faults {
            let fault = parse(&format!("{tag}; p={RFC}")).unwrap().fault().unwrap_or_default();
            assert_eq!(fault.contains(words), !words.is_empty() || fault.is_empty(), "{tag}");
        }
        for (text, words) in [
            ("v=DKIM1; k=rsa", "no `p=`"),
            ("v=DKIM1; p=", "taken back"),
            ("v=DKIM1; p=abc", "no base64"),
            ("v=DKIM2; p=YQ==", "`v=DKIM2`"),
            ("k=dsa; p=YQ==", "`k=dsa`"),
            ("v=spf1 -all", "expected `v=DKIM1`"),
            ("p=YQ==; oops", "no `tag=value`"),
        ] {
            assert!(parse(text).unwrap_err().contains(words), "{text}: {:?}", parse(text));
        }
        assert_eq!(parse("p=YWJj").unwrap().bits(), None);
    }

    #[test]
    fn a_signature_says_what_it_covers() {
        let value = " v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n\td=Example.org; s=gz; h=From:To:\r\n\tList-Unsubscribe:from;\r\n\tbh=x; b=y";
        let signature = Signature::parse(value).unwrap();
        assert_eq!((signature.domain.as_str(), signature.times("From")), ("example.org", 2));
        assert_eq!(signature.leaves_open(), ["List-Unsubscribe-Post"]);
        assert!(Signature::parse("v=1; d=example.org; s=gz").unwrap_err().contains("`h=`"));
    }
}
