//! The other side of a signature of ours: whether a message verifies with the public key that a record has. Knows `relaxed/relaxed` and our
//! two algorithms only.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{ED25519, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY as RSA, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{headers, relaxed_body_hash, relaxed_header, split};
use crate::domain::doctor::dkim::{KeyRecord, Kind};
use crate::domain::doctor::dmarc::tags;

/// Verifies the signature `nth` of those that stand at the message's head.
pub fn verify(message: &[u8], nth: usize, key: &KeyRecord) -> Result<(), String> {
    let (head, body) = split(message);
    let all = headers(head);
    let mut own = all.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"DKIM-Signature"));
    let (name, value) = own.nth(nth).ok_or("there is no such signature")?;
    let text = std::str::from_utf8(value).map_err(|_| "the signature is no text".to_owned())?;
    let flat: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let tags = tags(&flat)?;
    let get = |name: &str| tags.iter().find(|(known, _)| known == name).map_or("", |(_, value)| *value);
    if STANDARD.encode(relaxed_body_hash(body)) != get("bh") {
        return Err("the text was changed".to_owned());
    }
    let mut signed = Vec::new();
    let mut taken = vec![0; all.len()];
    for wanted in get("h").split(':') {
        // From the last one up; one that is not there counts as nothing.
        let place = (0..all.len())
            .rev()
            .find(|at| taken[*at] == 0 && all[*at].0.trim_ascii().eq_ignore_ascii_case(wanted.as_bytes()));
        let Some(place) = place else { continue };
        taken[place] = 1;
        signed.extend(relaxed_header(all[place].0, all[place].1));
        signed.extend(b"\r\n");
    }
    let open = text.rfind("b=").map_or(text, |at| &text[..at + 2]);
    signed.extend(relaxed_header(name, open.as_bytes()));
    let signature = STANDARD.decode(get("b")).map_err(|_| "the signature is no base64".to_owned())?;
    let good = match key.kind {
        Kind::Rsa => UnparsedPublicKey::new(&RSA, &key.public).verify(&signed, &signature),
        Kind::Ed25519 => {
            let hash = digest::digest(&digest::SHA256, &signed);
            UnparsedPublicKey::new(&ED25519, &key.public).verify(hash.as_ref(), &signature)
        }
    };
    good.map_err(|_| "it was made with another key".to_owned())
}
