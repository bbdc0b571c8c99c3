//! Who is in: a signed cookie that dies with the key, with the password, and after twelve hours; the word that each of its
//! forms must carry; and whether a form was sent from our own pages. Knows tokens and headers, no page.

use aws_lc_rs::{constant_time, digest};
use axum::http::header::{self, HeaderMap, HeaderValue};
use jiff::{SignedDuration, Timestamp};

use crate::domain::token::{Keys, Purpose};

pub const LASTS: SignedDuration = SignedDuration::from_hours(12);
const CSRF: &str = "a form of the editors' pages";
const BOND: &str = "how a session was opened";
const FETCH_SITE: &str = "sec-fetch-site";

/// How somebody came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Password,
    Link,
}

impl Way {
    pub const ALL: [Self; 2] = [Self::Password, Self::Link];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Link => "link",
        }
    }

    /// A changed password ends the sessions it opened, and no others.
    fn bond(self, keys: &Keys, password: &str) -> u64 {
        let bound_to = match self {
            Self::Password => format!("password {password}"),
            Self::Link => "link".to_owned(),
        };
        keys.bond(BOND, &bound_to)
    }
}

/// Somebody who is in.
#[derive(Debug, Clone)]
pub struct Session {
    pub way: Way,
    /// What is spent when it ends before its time.
    pub mark: i64,
    /// What its forms carry.
    pub word: String,
}

/// What sessions are made and read with. `keys` are only the newest.
pub struct Door<'a> {
    pub keys: Keys,
    pub password: &'a str,
    pub https: bool,
}

impl Door<'_> {
    /// A browser takes a name that begins so only over TLS, and then from nobody but this host.
    fn cookie(&self) -> &'static str {
        if self.https { "__Host-gazetted-admin" } else { "gazetted-admin" }
    }

    fn attributes(&self) -> &'static str {
        if self.https {
            "; Path=/; Secure; HttpOnly; SameSite=Strict"
        } else {
            "; Path=/admin; HttpOnly; SameSite=Strict"
        }
    }

    /// The `Set-Cookie` of a new session; `mark` is from good dice.
    pub fn open(&self, way: Way, mark: i64, now: Timestamp) -> Option<HeaderValue> {
        let token = self.keys.mint_bound(
            Purpose::Session,
            mark,
            now.saturating_add(LASTS).ok()?,
            way.bond(&self.keys, self.password),
        );
        let seconds = LASTS.as_secs();
        HeaderValue::try_from(format!("{}={token}; Max-Age={seconds}{}", self.cookie(), self.attributes())).ok()
    }

    /// The `Set-Cookie` that takes it away.
    pub fn close(&self) -> Option<HeaderValue> {
        HeaderValue::try_from(format!("{}=; Max-Age=0{}", self.cookie(), self.attributes())).ok()
    }

    pub fn session(&self, headers: &HeaderMap, now: Timestamp) -> Option<Session> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, token) = pairs.find(|(name, _)| *name == self.cookie())?;
        let bearer = self.keys.bearer(token, Purpose::Session, now).ok()?;
        let way = Way::ALL.into_iter().find(|way| bearer.stamp == Some(way.bond(&self.keys, self.password)))?;
        if way == Way::Password && self.password.is_empty() {
            return None;
        }
        Some(Session { way, mark: bearer.subscriber, word: self.keys.word(CSRF, token) })
    }
}

/// Takes as long whatever is given.
pub fn same(given: &str, known: &str) -> bool {
    let hash = |text: &str| digest::digest(&digest::SHA256, text.as_bytes());
    constant_time::verify_slices_are_equal(hash(given).as_ref(), hash(known).as_ref()).is_ok()
}

/// Whether a form comes from a page of this host, as far as the browser says. `host` is whom it was sent to.
pub fn from_here(headers: &HeaderMap, host: &str, url: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if text(FETCH_SITE).is_some_and(|site| site != "same-origin") {
        return false;
    }
    let Some(origin) = text("origin") else { return true };
    let same_host = origin.split_once("://").is_some_and(|(_, from)| !from.is_empty() && from == host);
    same_host || origin == url.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn door(key: u8, password: &str, https: bool) -> Door<'_> {
        Door { keys: Keys::new(&[key; 32], &[]), password, https }
    }

    fn carrying(cookie: &HeaderValue) -> HeaderMap {
        let pair = cookie.to_str().unwrap().split(';').next().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, format!("other=1; {pair}").parse().unwrap());
        headers
    }

    #[test]
    fn a_session_lasts_twelve_hours_and_dies_with_its_key_or_its_password() {
        for way in Way::ALL {
            let cookie = door(7, "a secret", false).open(way, -5, at(0)).unwrap();
            let headers = carrying(&cookie);
            let session = door(7, "a secret", false).session(&headers, at(43_199)).unwrap();
            assert_eq!((session.way, session.mark, session.word.len()), (way, -5, 32));
            assert!(door(7, "a secret", false).session(&headers, at(43_200)).is_none());
            assert!(door(8, "a secret", false).session(&headers, at(1)).is_none());
            assert!(door(7, "a secret", true).session(&headers, at(1)).is_none(), "under another name");
            let changed = door(7, "another", false).session(&headers, at(1)).map(|session| session.way);
            assert_eq!(changed, Some(way).filter(|way| *way == Way::Link));
        }
        let cookie = door(7, "", false).open(Way::Password, 1, at(0)).unwrap();
        assert!(door(7, "", false).session(&carrying(&cookie), at(1)).is_none(), "no password opens nothing");
    }

    #[test]
    fn no_other_token_of_the_same_key_is_a_session() {
        let keys = Keys::new(&[7; 32], &[]);
        for purpose in [Purpose::SignIn, Purpose::Preferences, Purpose::Confirm] {
            let bond = Way::Link.bond(&keys, "");
            let token = keys.mint_bound(purpose, 1, at(100), bond);
            let cookie = HeaderValue::try_from(format!("gazetted-admin={token}")).unwrap();
            assert!(door(7, "", false).session(&carrying(&cookie), at(1)).is_none());
        }
        for made_up in ["", "x", "gazetted-admin=", "gazetted-admin=AAAA; gazetted-admin=BBBB"] {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, made_up.parse().unwrap());
            assert!(door(7, "", false).session(&headers, at(1)).is_none(), "{made_up}");
        }
    }

    #[test]
    fn over_tls_the_cookie_is_this_host_s_alone() {
        let cookie = door(7, "a secret", true).open(Way::Link, 1, at(0)).unwrap();
        let cookie = cookie.to_str().unwrap();
        assert!(cookie.starts_with("__Host-gazetted-admin="), "{cookie}");
        assert!(cookie.ends_with("; Max-Age=43200; Path=/; Secure; HttpOnly; SameSite=Strict"), "{cookie}");
    }

    #[test]
    fn a_form_that_was_sent_from_elsewhere_is_known() {
        for (headers, expected) in [
            (&[][..], true),
            (&[("origin", "http://127.0.0.1:8081")], true),
            (&[("origin", "https://desk.example.org")], true),
            (&[("origin", "http://127.0.0.1:8081"), ("sec-fetch-site", "same-origin")], true),
            (&[("origin", "http://127.0.0.1:8080")], false),
            (&[("origin", "https://evil.example")], false),
            (&[("origin", "null")], false),
            (&[("origin", "")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("origin", "http://127.0.0.1:8081"), ("sec-fetch-site", "cross-site")], false),
        ] {
            let mut all = HeaderMap::new();
            for (name, value) in headers {
                all.insert(*name, value.parse().unwrap());
            }
            assert_eq!(from_here(&all, "127.0.0.1:8081", "https://desk.example.org"), expected, "{headers:?}");
        }
    }
}
