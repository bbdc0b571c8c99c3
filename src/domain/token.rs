//! Tokens in links: made and read with a key, bound to a purpose and a subscriber. Pure: the key is an argument, and so
//! is the time. Knows no address and no page; who holds a token may do that one thing for that one subscriber.
//!
//! A token is `kid ‖ purpose ‖ subscriber [‖ expiry [‖ stamp]] ‖ MAC`: one byte, one byte, eight, eight if it expires,
//! eight more if it is bound to something that may change (the question it answers, the address it leads to), and
//! sixteen of HMAC-SHA-256. In links it is written in base64url. In return-paths it is written in hexadecimal, because mail
//! servers on the way back may change the case of what stands before the `@`.

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use jiff::Timestamp;

use super::hash;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    Unsubscribe = 1,
    Preferences = 2,
    Confirm = 3,
    Bounce = 4,
    Move = 5,
    /// A link that opens the editors' pages once; its number is no subscriber's.
    SignIn = 6,
    /// Somebody who is in.
    Session = 7,
}

/// What a genuine token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bearer {
    pub subscriber: i64,
    /// What it is bound to; its reader compares.
    pub stamp: Option<u64>,
}

/// Why a token is refused. All read the same to a stranger: nothing tells how near a guess was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this link is not valid, or not any more")]
pub enum TokenError {
    Malformed,
    Forged,
    /// Genuine, and made for something else.
    Purpose,
    Expired,
}

const MAC: usize = 16;
const HEAD: usize = 10;
const EXPIRY: usize = 8;
const STAMP: usize = 8;
/// A token for an address is this long, and no token in base64url is.
const IN_HEX: usize = 2 * (HEAD + MAC);

/// The keys tokens are made and read with. New tokens are made with the newest one in force; all others are still read, so
/// that links in sent mail outlive a change of key.
#[derive(Clone)]
pub struct Keys {
    /// The newest first; never empty.
    keys: Vec<Key>,
}

#[derive(Clone)]
struct Key {
    /// Found from the key itself; two keys with the same one are tried in turn.
    kid: u8,
    mac: hmac::Key,
    /// From when on tokens are made with it.
    from: Timestamp,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(***)")
    }
}

impl Key {
    fn new(secret: &[u8; 32], from: Timestamp) -> Self {
        let [kid, ..] = derive(secret, "kid", &[]);
        Self { kid, mac: hmac::Key::new(hmac::HMAC_SHA256, &derive32(secret, "token")), from }
    }

    fn seal(&self, payload: &[u8]) -> [u8; MAC] {
        first_bytes(hmac::sign(&self.mac, payload).as_ref())
    }
}

impl Keys {
    #[must_use]
    pub fn new(current: &[u8; 32], older: &[[u8; 32]]) -> Self {
        let secrets = std::iter::once(current).chain(older);
        Self { keys: secrets.map(|secret| Key::new(secret, Timestamp::MIN)).collect() }
    }

    /// The first key, and those that followed it, each from an instant on.
    #[must_use]
    pub fn dated(first: &[u8; 32], later: &[(Timestamp, [u8; 32])]) -> Self {
        let mut keys: Vec<Key> = std::iter::once(Key::new(first, Timestamp::MIN))
            .chain(later.iter().map(|(from, secret)| Key::new(secret, *from)))
            .collect();
        keys.sort_by_key(|key| std::cmp::Reverse(key.from));
        Self { keys }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    /// These keys as they were at an instant: what is made with them is the same whenever it is made again.
    #[must_use]
    pub fn at(&self, instant: Timestamp) -> Self {
        let (mut keys, later): (Vec<Key>, Vec<Key>) = self.keys.iter().cloned().partition(|key| key.from <= instant);
        keys.extend(later);
        Self { keys }
    }

    /// Only the key that tokens are made with at an instant: what must not outlive a change of key is read with this.
    #[must_use]
    pub fn newest(&self, now: Timestamp) -> Self {
        let newest = self.keys.iter().find(|key| key.from <= now).or(self.keys.last());
        Self { keys: newest.into_iter().cloned().collect() }
    }

    /// A word that nobody can give who does not know the key: what it is for, and what it is bound to.
    #[must_use]
    pub fn word(&self, purpose: &str, bound_to: &str) -> String {
        let sealed = |key: &Key| {
            // Tokens are sealed with the same key, and begin with a key's number and a small one.
            let mut context = hmac::Context::with_key(&key.mac);
            for part in ["word", purpose, bound_to] {
                context.update(&(part.len() as u64).to_be_bytes());
                context.update(part.as_bytes());
            }
            let mac: [u8; MAC] = first_bytes(context.sign().as_ref());
            hex(&mac)
        };
        self.keys.first().map(sealed).unwrap_or_default()
    }

    /// The same as a number, to bind a token to.
    #[must_use]
    pub fn bond(&self, purpose: &str, bound_to: &str) -> u64 {
        let word = self.word(purpose, bound_to);
        word.get(..16).and_then(|half| u64::from_str_radix(half, 16).ok()).unwrap_or_default()
    }

    /// A token for a link.
    #[must_use]
    pub fn mint(&self, purpose: Purpose, subscriber: i64, expires: Option<Timestamp>) -> String {
        base64url(&self.sealed(purpose, subscriber, expires, None))
    }

    /// A token for a link that is good once: for as long as what it is bound to has not changed.
    #[must_use]
    pub fn mint_bound(&self, purpose: Purpose, subscriber: i64, expires: Timestamp, stamp: u64) -> String {
        base64url(&self.sealed(purpose, subscriber, Some(expires), Some(stamp)))
    }

    /// A token for the local part of a return-path: 52 characters, whatever becomes of their case.
    #[must_use]
    pub fn mint_for_address(&self, purpose: Purpose, subscriber: i64) -> String {
        hex(&self.sealed(purpose, subscriber, None, None))
    }

    fn sealed(&self, purpose: Purpose, subscriber: i64, expires: Option<Timestamp>, stamp: Option<u64>) -> Vec<u8> {
        let Some(key) = self.keys.first() else { return Vec::new() };
        let mut token = vec![key.kid, purpose as u8];
        token.extend(subscriber.to_be_bytes());
        token.extend(expires.into_iter().flat_map(|at| at.as_second().to_be_bytes()));
        token.extend(stamp.into_iter().flat_map(u64::to_be_bytes));
        let mac = key.seal(&token);
        token.extend(mac);
        token
    }

    /// Whose token it is, if it is genuine, for this purpose, and still good.
    pub fn read(&self, token: &str, purpose: Purpose, now: Timestamp) -> Result<i64, TokenError> {
        self.bearer(token, purpose, now).map(|bearer| bearer.subscriber)
    }

    pub fn bearer(&self, token: &str, purpose: Purpose, now: Timestamp) -> Result<Bearer, TokenError> {
        let (bearer, expires) = self.genuine(token, purpose)?;
        if expires.is_some_and(|at| at <= now.as_second()) { Err(TokenError::Expired) } else { Ok(bearer) }
    }

    /// Whose it was, though its time may be over.
    pub fn expired(&self, token: &str, purpose: Purpose) -> Result<i64, TokenError> {
        self.genuine(token, purpose).map(|(bearer, _)| bearer.subscriber)
    }

    fn genuine(&self, token: &str, purpose: Purpose) -> Result<(Bearer, Option<i64>), TokenError> {
        let bytes = decode(token).ok_or(TokenError::Malformed)?;
        if ![HEAD + MAC, HEAD + EXPIRY + MAC, HEAD + EXPIRY + STAMP + MAC].contains(&bytes.len()) {
            return Err(TokenError::Malformed);
        }
        let (payload, mac) = bytes.split_at(bytes.len() - MAC);
        let (head, rest) = payload.split_at(HEAD);
        let [kid, made_for, subscriber @ ..] = head else { return Err(TokenError::Malformed) };
        if !self.is_genuine(*kid, payload, mac) {
            return Err(TokenError::Forged);
        }
        if *made_for != purpose as u8 {
            return Err(TokenError::Purpose);
        }
        let subscriber = subscriber.try_into().map(i64::from_be_bytes).map_err(|_| TokenError::Malformed)?;
        let expires = rest.first_chunk().map(|at| i64::from_be_bytes(*at));
        let stamp = rest.get(EXPIRY..).and_then(|rest| rest.first_chunk()).map(|stamp| u64::from_be_bytes(*stamp));
        Ok((Bearer { subscriber, stamp }, expires))
    }

    fn is_genuine(&self, kid: u8, payload: &[u8], mac: &[u8]) -> bool {
        let mut keys = self.keys.iter().filter(|key| key.kid == kid);
        keys.any(|key| constant_time::verify_slices_are_equal(&key.seal(payload), mac).is_ok())
    }
}

/// What a token that moves somebody to an address is bound to. No secret: the token is sealed as a whole.
#[must_use]
pub fn stamp_of(text: &str) -> u64 {
    u64::from_be_bytes(first_bytes(&hash::of(text.as_bytes()).to_be_bytes()))
}

/// Sixteen bytes that follow from the key, what they are for, and what they name: the same every time, and nobody's
/// guess.
#[must_use]
pub fn derive(secret: &[u8; 32], purpose: &str, parts: &[&[u8]]) -> [u8; 16] {
    first_bytes(tag(secret, purpose, parts).as_ref())
}

fn derive32(secret: &[u8; 32], purpose: &str) -> [u8; 32] {
    first_bytes(tag(secret, purpose, &[]).as_ref())
}

fn tag(secret: &[u8; 32], purpose: &str, parts: &[&[u8]]) -> hmac::Tag {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut context = hmac::Context::with_key(&key);
    // Each part with its length, so that no two lists of parts read the same.
    for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.sign()
}

/// Identifies one edition's delivery to one subscriber.
#[must_use]
pub fn delivery_id(secret: &[u8; 32], edition: &str, subscriber: i64) -> String {
    hex(&derive(secret, "delivery", &[edition.as_bytes(), &subscriber.to_be_bytes()]))
}

/// What stands before the `@` of the Message-ID: `2021-05.` and a name for the recipient that says nothing of them.
#[must_use]
pub fn message_id(secret: &[u8; 32], edition: &str, subscriber: i64) -> String {
    let id = derive(secret, "message-id", &[edition.as_bytes(), &subscriber.to_be_bytes()]);
    format!("{edition}.{}", hex(&id))
}

/// What parts a message's parts.
#[must_use]
pub fn boundary(secret: &[u8; 32], edition: &str, subscriber: i64) -> String {
    hex(&derive(secret, "boundary", &[edition.as_bytes(), &subscriber.to_be_bytes()]))
}

fn first_bytes<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut first = [0; N];
    first.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    first
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|n| char::from_digit(n.into(), 16)).collect()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn base64url(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 4 / 3 + 1);
    for chunk in bytes.chunks(3) {
        let [a, b, c] = first_bytes(chunk);
        let bits = u32::from_be_bytes([0, a, b, c]);
        let digits = (0..=chunk.len()).map(|n| bits >> (18 - 6 * n) & 63);
        out.extend(digits.filter_map(|n| ALPHABET.get(n as usize)).map(|c| char::from(*c)));
    }
    out
}

fn decode(token: &str) -> Option<Vec<u8>> {
    const LONGEST: usize = (HEAD + EXPIRY + STAMP + MAC) * 4 / 3 + 1;
    match token.len() {
        IN_HEX => digits(token, 4, |c| char::from(c).to_digit(16)),
        0..=LONGEST => digits(token, 6, digit64),
        _ => None,
    }
}

fn digit64(c: u8) -> Option<u32> {
    ALPHABET.iter().position(|known| *known == c).and_then(|at| at.try_into().ok())
}

/// Only the one way of writing: bits left over at the end must be nought, or one token would have several spellings.
fn digits(text: &str, width: u32, digit: impl Fn(u8) -> Option<u32>) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut held) = (Vec::with_capacity(text.len()), 0_u32, 0_u32);
    for c in text.bytes() {
        bits = bits << width | digit(c)?;
        held += width;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff).try_into().ok()?);
            bits &= (1 << held) - 1;
        }
    }
    (bits == 0 && held < width).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn keys() -> Keys {
        Keys::new(&[7; 32], &[])
    }

    #[test]
    fn a_token_is_read_by_whom_it_was_made_for() {
        for subscriber in [0, 1, -1, i64::MAX, i64::MIN] {
            for purpose in [Purpose::Unsubscribe, Purpose::Preferences, Purpose::Confirm, Purpose::Bounce] {
                let token = keys().mint(purpose, subscriber, None);
                assert_eq!(token.len(), 35);
                assert!(token.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_'));
                assert_eq!(keys().read(&token, purpose, NOW), Ok(subscriber));
                let address = keys().mint_for_address(purpose, subscriber);
                assert_eq!(keys().read(&address.to_uppercase(), purpose, NOW), Ok(subscriber));
            }
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let expires = Timestamp::from_second(100).unwrap();
        let bound = keys().mint_bound(Purpose::Confirm, 42, expires, 7);
        assert_eq!(keys().bearer(&bound, Purpose::Confirm, NOW), Ok(Bearer { subscriber: 42, stamp: Some(7) }));
        for token in [keys().mint(Purpose::Confirm, 42, None), keys().mint(Purpose::Confirm, 42, Some(expires)), bound]
        {
            let bytes = decode(&token).unwrap();
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(keys().read(&base64url(&flipped), Purpose::Confirm, NOW).is_err(), "bit {bit}");
            }
            for length in 0..token.len() {
                assert!(keys().read(&token[..length], Purpose::Confirm, NOW).is_err(), "{length}");
            }
            assert!(keys().read(&format!("{token}A"), Purpose::Confirm, NOW).is_err());
        }
    }

    #[test]
    fn every_other_spelling_of_a_token_is_refused() {
        let token = keys().mint(Purpose::Confirm, 42, None);
        for at in 0..token.len() {
            for c in ALPHABET.iter().chain(b"+/=% \n") {
                let mut other = token.clone().into_bytes();
                other[at] = *c;
                let other = String::from_utf8(other).unwrap();
                assert_eq!(keys().read(&other, Purpose::Confirm, NOW).is_ok(), other == token, "{other}");
            }
        }
    }

    #[test]
    fn tokens_are_bound_to_purpose_key_and_time() {
        let token = keys().mint(Purpose::Confirm, 42, Timestamp::from_second(100).ok());
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(keys().read(&token, Purpose::Confirm, at(99)), Ok(42));
        assert_eq!(keys().read(&token, Purpose::Confirm, at(100)), Err(TokenError::Expired));
        assert_eq!(keys().read(&token, Purpose::Unsubscribe, at(99)), Err(TokenError::Purpose));
        assert_eq!(Keys::new(&[8; 32], &[]).read(&token, Purpose::Confirm, at(99)), Err(TokenError::Forged));
        assert_eq!(Keys::new(&[8; 32], &[[7; 32]]).read(&token, Purpose::Confirm, at(99)), Ok(42));
        for rubbish in ["", "é", "a", &"A".repeat(35), &"0".repeat(52), &"A".repeat(100_000)] {
            assert!(keys().read(rubbish, Purpose::Confirm, NOW).is_err());
        }
    }

    #[test]
    fn after_a_change_of_key_old_links_work_and_old_mail_is_made_the_same_again() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let before = Keys::dated(&[7; 32], &[]);
        let after = Keys::dated(&[7; 32], &[(at(100), [8; 32])]);
        let (old, new) = (before.mint(Purpose::Unsubscribe, 42, None), after.mint(Purpose::Unsubscribe, 42, None));
        assert_ne!(old, new);
        for token in [&old, &new] {
            assert_eq!(after.read(token, Purpose::Unsubscribe, NOW), Ok(42));
        }
        assert_eq!(after.at(at(99)).mint(Purpose::Unsubscribe, 42, None), old);
        assert_eq!(after.at(at(100)).mint(Purpose::Unsubscribe, 42, None), new);
        assert_eq!(after.at(at(99)).read(&new, Purpose::Unsubscribe, NOW), Ok(42));
        let brief = before.mint(Purpose::Preferences, 42, Some(at(50)));
        assert_eq!(after.read(&brief, Purpose::Preferences, at(60)), Err(TokenError::Expired));
        assert_eq!(after.expired(&brief, Purpose::Preferences), Ok(42));
    }

    #[test]
    fn what_is_read_with_the_newest_key_alone_dies_with_it() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let keys = Keys::dated(&[7; 32], &[(at(100), [8; 32])]);
        let session = keys.newest(at(99)).mint_bound(Purpose::Session, 5, at(900), 1);
        let read = |second| keys.newest(at(second)).bearer(&session, Purpose::Session, at(second));
        assert_eq!(read(99), Ok(Bearer { subscriber: 5, stamp: Some(1) }));
        assert_eq!(read(100), Err(TokenError::Forged));
        let (before, after) = (keys.newest(at(99)), keys.newest(at(100)));
        assert_eq!(before.word("form", &session), keys.newest(at(0)).word("form", &session));
        assert_eq!(before.word("form", &session).len(), 32);
        let words =
            [before.word("form", "a"), before.word("for", "ma"), before.word("form", "b"), after.word("form", "a")];
        assert_eq!(words.iter().collect::<std::collections::BTreeSet<_>>().len(), words.len());
        assert_ne!(before.bond("form", "a"), before.bond("form", "b"));
    }

    #[test]
    fn derived_ids_differ_by_everything_they_name() {
        let key = [7; 32];
        assert_eq!(message_id(&key, "2021-05", 1), message_id(&key, "2021-05", 1));
        let ids = [
            delivery_id(&key, "2021-05", 1),
            delivery_id(&key, "2021-05", 2),
            delivery_id(&key, "2021-06", 1),
            delivery_id(&[8; 32], "2021-05", 1),
            boundary(&key, "2021-05", 1),
            hex(&derive(&key, "a", &[b"bc"])),
            hex(&derive(&key, "ab", &[b"c"])),
        ];
        let different: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(different.len(), ids.len());
        assert!(message_id(&key, "2021-05", 1).starts_with("2021-05."));
        assert_eq!(format!("{:?}", keys()), "Keys(***)");
    }
}
