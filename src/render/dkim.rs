//! DKIM signatures (RFC 6376, RFC 8463): `relaxed/relaxed`, RSA-SHA256 and, beside it, Ed25519-SHA256. Knows bytes and keys, no
//! DNS. Deterministic: the time is an argument and RSA's padding is the fixed one, so a message that is made again has the
//! same signature. Headers that matter are named once more than they occur, so that nobody can add another.
//!
//! Our own, because it is short, and no crate signs for a given instant: they all ask the clock.

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use memchr::{memchr, memchr_iter, memmem, memrchr};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;

pub mod verify;

/// What is signed, where a message has it. `MIME-Version` and `Content-Type` too: without them a body can be told anew.
const SIGNED: [&str; 17] = [
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Language",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Archive",
    "Feedback-ID",
    "Auto-Submitted",
    "Precedence",
    "X-Auto-Response-Suppress",
];
/// Named once more than they occur.
const OVERSIGNED: [&str; 9] = [
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Date",
    "Content-Type",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];
/// Receivers refuse shorter RSA keys; many do not take longer ones than 4096.
const SHORTEST_RSA: usize = 128;
/// RFC 5322 likes lines to be no longer.
const LINE: usize = 76;

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("it holds no private key in PEM")]
    Pem,
    #[error("it is no RSA or Ed25519 key")]
    Kind,
    #[error("it is an RSA key of {0} bits; expected 1024 or more, and 2048 is what receivers like best")]
    Short(usize),
}

enum Key {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

/// One key and the name its public half has in DNS.
pub struct Signer {
    domain: String,
    selector: String,
    key: Key,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("domain", &self.domain).field("selector", &self.selector).finish_non_exhaustive()
    }
}

impl Signer {
    /// `pem`: a private key, `PRIVATE KEY` (PKCS #8) or `RSA PRIVATE KEY` (PKCS #1).
    pub fn new(domain: &str, selector: &str, pem: &[u8]) -> Result<Self, KeyError> {
        let der = PrivateKeyDer::from_pem_slice(pem).map_err(|_| KeyError::Pem)?;
        let rsa = match &der {
            PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()).ok(),
            PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).ok(),
            _ => None,
        };
        let key = match (rsa, &der) {
            (Some(rsa), _) => Key::Rsa(Box::new(rsa)),
            (None, PrivateKeyDer::Pkcs8(key)) => Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.secret_pkcs8_der())
                .map(|key| Key::Ed25519(Box::new(key)))
                .map_err(|_| KeyError::Kind)?,
            _ => return Err(KeyError::Kind),
        };
        if let Key::Rsa(rsa) = &key
            && rsa.public_modulus_len() < SHORTEST_RSA
        {
            return Err(KeyError::Short(rsa.public_modulus_len() * 8));
        }
        Ok(Self { domain: domain.to_owned(), selector: selector.to_owned(), key })
    }

    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    #[must_use]
    pub fn selector(&self) -> &str {
        &self.selector
    }

    /// Where the public key has to be in DNS, and what has to stand there.
    #[must_use]
    pub fn record(&self) -> (String, String) {
        let (kind, public) = match &self.key {
            Key::Rsa(key) => ("rsa", public_info(key.public_key().as_ref())),
            Key::Ed25519(key) => ("ed25519", key.public_key().as_ref().to_vec()),
        };
        let name = format!("{}._domainkey.{}", self.selector, self.domain);
        (name, format!("v=DKIM1; k={kind}; p={}", STANDARD.encode(public)))
    }

    /// The header that goes before `message`, with its line end.
    #[must_use]
    pub fn sign(&self, message: &[u8], at: Timestamp) -> Option<Vec<u8>> {
        let (head, body) = split(message);
        let headers = headers(head);
        let mut hash = digest::Context::new(&digest::SHA256);
        let mut names = Vec::new();
        for name in SIGNED {
            let occur = headers.iter().rev().filter(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
            for (known, value) in occur {
                hash.update(&relaxed_header(known, value));
                hash.update(b"\r\n");
                names.push(name);
            }
        }
        names.extend(OVERSIGNED);
        let open = self.open_header(&names, &relaxed_body_hash(body), at);
        let (name, value) = open.split_once(':')?;
        hash.update(&relaxed_header(name.as_bytes(), value.as_bytes()));
        let signature = self.seal(hash.finish())?;
        Some(format!("{open}{}\r\n", folded(&STANDARD.encode(signature))).into_bytes())
    }

    /// The header up to `b=`.
    fn open_header(&self, names: &[&str], body: &digest::Digest, at: Timestamp) -> String {
        let algorithm = match self.key {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        };
        let mut list = String::new();
        // What stands before it on its line.
        let mut length = 18;
        for (at, name) in names.iter().enumerate() {
            let part = if at == 0 { (*name).to_owned() } else { format!(":{name}") };
            if length + part.len() > LINE - 4 {
                list.push_str("\r\n\t");
                length = 0;
            }
            length += part.len();
            list.push_str(&part);
        }
        format!(
            "DKIM-Signature: v=1; a={algorithm}; c=relaxed/relaxed;\r\n\td={}; s={};\r\n\tt={}; h={list};\r\n\tbh={};\r\n\tb=",
            self.domain,
            self.selector,
            at.as_second(),
            STANDARD.encode(body),
        )
    }

    fn seal(&self, hash: digest::Digest) -> Option<Vec<u8>> {
        match &self.key {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign_digest(&RSA_PKCS1_SHA256, &hash, &mut signature).ok()?;
                Some(signature)
            }
            // RFC 8463 signs the hash.
            Key::Ed25519(key) => Some(key.sign(hash.as_ref()).as_ref().to_vec()),
        }
    }
}

/// An RSA public key as DNS has it: with the name of its algorithm (RFC 5280's `SubjectPublicKeyInfo`).
fn public_info(rsa: &[u8]) -> Vec<u8> {
    const RSA_ENCRYPTION: [u8; 15] = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    let bits = der(3, &[&[0], rsa].concat());
    der(0x30, &[&RSA_ENCRYPTION[..], &bits].concat())
}

/// A value of ASN.1: its tag, its length, itself.
fn der(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len().to_be_bytes();
    let short = length.iter().position(|byte| *byte != 0).map_or(&[0][..], |at| &length[at..]);
    let mut out = vec![tag];
    match short {
        [one] if *one < 128 => out.push(*one),
        _ => {
            out.push(0x80 | u8::try_from(short.len()).unwrap_or(0));
            out.extend(short);
        }
    }
    out.extend(value);
    out
}

fn split(message: &[u8]) -> (&[u8], &[u8]) {
    let end = memmem::find(message, b"\r\n\r\n");
    end.map_or((message, &[][..]), |at| (&message[..at + 2], &message[at + 4..]))
}

/// Names and values, folded as they are.
fn headers(head: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut found: Vec<(&[u8], &[u8])> = Vec::new();
    let mut start = 0;
    let ends = head.windows(2).enumerate().filter(|(_, two)| *two == b"\r\n").map(|(at, _)| at + 2);
    for end in ends {
        if matches!(head.get(end), Some(b' ' | b'\t')) {
            continue;
        }
        let line = &head[start..end - 2];
        if let Some(colon) = line.iter().position(|c| *c == b':') {
            found.push((&line[..colon], &line[colon + 1..]));
        }
        start = end;
    }
    found
}

/// RFC 6376, section 3.4.2, without the line end.
fn relaxed_header(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = name.trim_ascii().to_ascii_lowercase();
    out.push(b':');
    let words = value.split(|c| matches!(c, b' ' | b'\t' | b'\r' | b'\n')).filter(|word| !word.is_empty());
    for (at, word) in words.enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend(word);
    }
    out
}

/// RFC 6376, section 3.4.4: white space within lines is one space, at their ends none, and no empty lines end the body. Most
/// lines are so already, and are hashed where they stand.
fn relaxed_body_hash(body: &[u8]) -> digest::Digest {
    let mut relaxed = Relaxed { hash: digest::Context::new(&digest::SHA256), empty: 0 };
    let has_bare_end = memchr_iter(b'\n', body).any(|at| !body[..at].ends_with(b"\r"));
    if has_bare_end || !body.ends_with(b"\r\n") {
        body.split_inclusive(|c| *c == b'\n').for_each(|line| relaxed.uneven(line));
        return relaxed.hash.finish();
    }
    let mut uneven = UNEVEN.map(|what| memmem::find_iter(body, what).peekable());
    let mut from = 0;
    loop {
        for places in &mut uneven {
            while places.next_if(|at| *at < from).is_some() {}
        }
        let Some(next) = uneven.iter_mut().filter_map(|places| places.peek().copied()).min() else { break };
        let start = memrchr(b'\n', &body[from..next]).map_or(from, |at| from + at + 1);
        let end = memchr(b'\n', &body[next..]).map_or(body.len(), |at| next + at + 1);
        relaxed.even(&body[from..start]);
        relaxed.uneven(&body[start..end]);
        from = end;
    }
    relaxed.even(&body[from..]);
    relaxed.hash.finish()
}

/// What a line must not have if it is to stay as it is.
const UNEVEN: [&[u8]; 3] = [b"  ", b" \r", b"\t"];

/// A body's hash as far as it goes.
struct Relaxed {
    hash: digest::Context,
    /// Empty lines that count if another one follows.
    empty: usize,
}

impl Relaxed {
    /// Whole lines that stay as they are, each with its CRLF.
    fn even(&mut self, lines: &[u8]) {
        let (mut text, mut ends) = (lines, 0);
        while let Some(before) = text.strip_suffix(b"\r\n") {
            (text, ends) = (before, ends + 1);
        }
        if text.is_empty() {
            self.empty += ends;
            return;
        }
        self.add(text);
        self.empty = ends - 1;
    }

    /// One line of any kind.
    fn uneven(&mut self, line: &[u8]) {
        let bare = line.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let mut relaxed = Vec::with_capacity(line.len());
        relaxed_line(bare.unwrap_or(line), &mut relaxed);
        match relaxed.as_slice() {
            b"" => self.empty += usize::from(bare.is_some()),
            text => self.add(text),
        }
    }

    fn add(&mut self, text: &[u8]) {
        for _ in 0..std::mem::take(&mut self.empty) {
            self.hash.update(b"\r\n");
        }
        self.hash.update(text);
        self.hash.update(b"\r\n");
    }
}

fn relaxed_line(raw: &[u8], line: &mut Vec<u8>) {
    let mut space = false;
    for c in raw {
        if matches!(c, b' ' | b'\t') {
            space = true;
            continue;
        }
        if std::mem::take(&mut space) {
            line.push(b' ');
        }
        line.push(*c);
    }
}

fn folded(text: &str) -> String {
    let chunks: Vec<&str> =
        text.as_bytes().chunks(LINE - 4).filter_map(|chunk| std::str::from_utf8(chunk).ok()).collect();
    chunks.join("\r\n\t")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 8463, appendix A: its key, and its message.
    const ED25519: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
    const MESSAGE: &str = "From: Joe SixPack <joe@football.example.com>\r\nTo: Suzie Q <suzie@shopping.example.net>\r\n\
        Subject: Is dinner ready?\r\nDate: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n\
        Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\nHi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";

    fn signer() -> Signer {
        Signer::new("football.example.com", "brisbane", ED25519.as_bytes()).unwrap()
    }

    #[test]
    fn the_public_key_is_the_one_of_the_rfc() {
        let (name, record) = signer().record();
        assert_eq!(name, "brisbane._domainkey.football.example.com");
        assert_eq!(record, "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
    }

    #[test]
    fn the_body_s_hash_is_the_one_of_the_rfc() {
        let (_, body) = split(MESSAGE.as_bytes());
        assert_eq!(STANDARD.encode(relaxed_body_hash(body)), "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
        // RFC 6376, section 3.4.5, and its errata: an empty body.
        let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        for body in ["", "\r\n", "\r\n\r\n", " \t\r\n\r\n"] {
            assert_eq!(STANDARD.encode(relaxed_body_hash(body.as_bytes())), empty, "{body:?}");
        }
        let hash = |body: &str| STANDARD.encode(relaxed_body_hash(body.as_bytes()));
        assert_eq!(hash(" C \r\nD \t E\r\n\r\n\r\n"), hash(" C\r\nD E\r\n"));
        assert_ne!(hash("C\r\n"), hash(" C\r\n"));
        assert_eq!(hash("C"), hash("C\r\n"));
    }

    /// Line by line, as the RFC says it.
    fn relaxed(body: &str) -> String {
        let line = |line: &str| line.split([' ', '\t']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        let led = |raw: &str| if raw.starts_with([' ', '\t']) && !line(raw).is_empty() { " " } else { "" };
        let lines = body.split('\n').map(|raw| raw.strip_suffix('\r').unwrap_or(raw));
        let whole = lines.map(|raw| format!("{}{}", led(raw), line(raw))).collect::<Vec<_>>().join("\r\n");
        match whole.trim_end_matches("\r\n") {
            "" => String::new(),
            text => format!("{text}\r\n"),
        }
    }

    proptest::proptest! {
        #[test]
        fn any_body_is_hashed_as_the_rfc_does_it(parts in proptest::collection::vec("(ab|a| |  |\t|\r\n|\r\n|\n|x y=)", 0..40), whole: bool) {
            let body = parts.concat();
            let body = if whole { format!("{}\r\n", body.replace("\r\n", "\n").replace('\n', "\r\n")) } else { body };
            let expected = digest::digest(&digest::SHA256, relaxed(&body).as_bytes());
            let hash = relaxed_body_hash(body.as_bytes());
            proptest::prop_assert_eq!(hash.as_ref(), expected.as_ref());
        }
    }

    #[test]
    fn headers_are_relaxed_as_the_rfc_does_it() {
        for (name, value, expected) in [
            ("A", " X", "a:X"),
            ("B ", " Y\t\r\n\tZ  ", "b:Y Z"),
            ("SUBJect", " AbC\r\n", "subject:AbC"),
            ("x", "", "x:"),
        ] {
            assert_eq!(relaxed_header(name.as_bytes(), value.as_bytes()), expected.as_bytes());
        }
    }

    #[test]
    fn a_message_has_the_same_signature_every_time_and_names_what_it_covers() {
        let at = Timestamp::from_second(1_528_637_909).unwrap();
        let header = String::from_utf8(signer().sign(MESSAGE.as_bytes(), at).unwrap()).unwrap();
        assert_eq!(header.as_bytes(), signer().sign(MESSAGE.as_bytes(), at).unwrap());
        assert!(header.ends_with("\r\n") && header.lines().all(|line| line.len() <= 78), "{header}");
        let plain = header.replace("\r\n\t", "");
        let named = plain.split("h=").nth(1).unwrap().split(';').next().unwrap();
        assert_eq!(named.matches("From").count(), 2);
        assert_eq!(named.matches("List-Unsubscribe-Post").count(), 1, "absent, and nobody may add it");
        let other = MESSAGE.replace("dinner", "lunch");
        assert_ne!(header.as_bytes(), signer().sign(other.as_bytes(), at).unwrap());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for (pem, expected) in [
            ("", KeyError::Pem),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", KeyError::Kind),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", KeyError::Pem),
        ] {
            assert_eq!(Signer::new("a.example", "s", pem.as_bytes()).unwrap_err(), expected, "{pem}");
        }
        assert!(!format!("{:?}", signer()).contains("nWGx"));
    }
}
