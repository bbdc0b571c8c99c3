//! Tokens in links: nobody makes one without the key, whatever they change about those they have seen.

use gazetted::domain::token::{Keys, Purpose};
use jiff::Timestamp;

use super::choice;

const PURPOSES: [Purpose; 7] = [
    Purpose::Unsubscribe,
    Purpose::Preferences,
    Purpose::Confirm,
    Purpose::Bounce,
    Purpose::Move,
    Purpose::SignIn,
    Purpose::Session,
];

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

pub fn is_forged_by_nobody(data: &[u8]) {
    let (way, rest) = choice(data);
    if way < 64 {
        // A key that nothing was ever made with: a fuzzer sees what its guesses are compared to.
        return refused_everywhere(&Keys::new(&[0x5d; 32], &[]), &String::from_utf8_lossy(rest));
    }
    let keys = Keys::new(&[0x5a; 32], &[]);
    let (which, rest) = choice(rest);
    let purpose = PURPOSES[usize::from(which) % PURPOSES.len()];
    let token = match way % 4 {
        0 => keys.mint(purpose, 42, None),
        1 => keys.mint(purpose, 42, Some(at(100))),
        2 => keys.mint_bound(purpose, 42, at(100), 7),
        _ => keys.mint_for_address(purpose, 42),
    };
    let changed = changed(&token, rest);
    let in_hex = way % 4 == 3;
    let same = changed == token || in_hex && changed.eq_ignore_ascii_case(&token);
    assert_eq!(keys.read(&changed, purpose, at(0)).is_ok(), same, "{changed} for {token}");
    for other in PURPOSES.into_iter().filter(|other| *other != purpose) {
        assert!(keys.read(&changed, other, at(0)).is_err(), "good for {other:?}, too");
    }
    refused_everywhere(&Keys::new(&[0x5b; 32], &[[0x5c; 32]]), &changed);
    if same && matches!(way % 4, 1 | 2) {
        assert!(keys.read(&changed, purpose, at(100)).is_err(), "good for ever");
    }
}

fn refused_everywhere(keys: &Keys, text: &str) {
    for purpose in PURPOSES {
        assert!(keys.read(text, purpose, at(0)).is_err() && keys.expired(text, purpose).is_err(), "{text:?}");
    }
}

/// Three bytes a change: what, where, with which letter.
fn changed(token: &str, changes: &[u8]) -> String {
    let mut text: Vec<u8> = token.bytes().collect();
    for change in changes.chunks_exact(3) {
        let (at, letter) = (usize::from(change[1]) % (text.len() + 1), change[2]);
        match change[0] % 4 {
            0 if at < text.len() => text[at] = letter,
            1 if at < text.len() => text[at] ^= 1 << (letter % 7),
            2 if at < text.len() => drop(text.remove(at)),
            _ => text.insert(at, letter),
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}
