//! The grammar of an SPF record (RFC 7208, sections 4.6.1, 5, 6).

use super::Verdict;
use crate::domain::network::Network;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qualifier {
    Pass,
    Fail,
    SoftFail,
    Neutral,
}

impl Qualifier {
    #[must_use]
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Pass => Verdict::Pass,
            Self::Fail => Verdict::Fail,
            Self::SoftFail => Verdict::SoftFail,
            Self::Neutral => Verdict::Neutral,
        }
    }
}

/// A host and how much of its addresses counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// With macros; none: the domain of the record.
    pub host: Option<String>,
    pub four: u8,
    pub six: u8,
}

impl Target {
    #[must_use]
    pub fn exactly() -> Self {
        Self { host: None, four: 32, six: 128 }
    }
}

#[derive(Debug, Clone)]
pub enum Mechanism {
    All,
    Include(String),
    A(Target),
    Mx(Target),
    Ptr(Option<String>),
    Four(Network),
    Six(Network),
    Exists(String),
}

#[derive(Debug, Clone)]
pub struct Term {
    pub qualifier: Qualifier,
    pub mechanism: Mechanism,
    /// As it stands there.
    pub text: String,
}

#[derive(Debug, Clone, Default)]
pub struct Parsed {
    pub terms: Vec<Term>,
    pub redirect: Option<String>,
}

impl Parsed {
    /// What is said of everybody else, if anything is.
    #[must_use]
    pub fn all(&self) -> Option<Qualifier> {
        self.terms.iter().find(|term| matches!(term.mechanism, Mechanism::All)).map(|term| term.qualifier)
    }

    /// Whether another domain's record is asked: a provider's, as a rule.
    #[must_use]
    pub fn asks_others(&self) -> bool {
        self.redirect.is_some() || self.terms.iter().any(|t| matches!(t.mechanism, Mechanism::Include(_)))
    }
}

/// A record whose first word is `v=spf1`; anything wrong in it makes all of it count for nothing.
pub fn parse(text: &str) -> Result<Parsed, String> {
    let mut parsed = Parsed::default();
    let mut explained = false;
    for word in text.split(' ').skip(1).filter(|word| !word.is_empty()) {
        match modifier(word) {
            Some(("redirect", to)) if parsed.redirect.is_none() && !to.is_empty() => {
                parsed.redirect = Some(to.to_owned());
            }
            Some(("exp", _)) if !explained => explained = true,
            Some((name @ ("redirect" | "exp"), _)) => return Err(format!("`{name}=` is there twice, or empty")),
            Some(_) => {}
            None => parsed.terms.push(term(word)?),
        }
    }
    Ok(parsed)
}

fn modifier(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let good = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    good.then_some((
        match name.to_ascii_lowercase().as_str() {
            "redirect" => "redirect",
            "exp" => "exp",
            _ => "",
        },
        value,
    ))
}

fn term(word: &str) -> Result<Term, String> {
    let (qualifier, rest) = match word.as_bytes().first() {
        Some(b'+') => (Qualifier::Pass, &word[1..]),
        Some(b'-') => (Qualifier::Fail, &word[1..]),
        Some(b'~') => (Qualifier::SoftFail, &word[1..]),
        Some(b'?') => (Qualifier::Neutral, &word[1..]),
        _ => (Qualifier::Pass, word),
    };
    let end = rest.find([':', '/']).unwrap_or(rest.len());
    let (name, value) = rest.split_at(end);
    let wrong = || format!("`{word}` is no SPF term");
    let domain = || value.strip_prefix(':').filter(|domain| !domain.is_empty()).map(str::to_owned).ok_or_else(wrong);
    let mechanism = match name.to_ascii_lowercase().as_str() {
        "all" if value.is_empty() => Mechanism::All,
        "include" => Mechanism::Include(domain()?),
        "exists" => Mechanism::Exists(domain()?),
        "a" => Mechanism::A(target(value).ok_or_else(wrong)?),
        "mx" => Mechanism::Mx(target(value).ok_or_else(wrong)?),
        "ptr" if value.is_empty() => Mechanism::Ptr(None),
        "ptr" => Mechanism::Ptr(Some(domain()?)),
        "ip4" => Mechanism::Four(network(value, '.').ok_or_else(wrong)?),
        "ip6" => Mechanism::Six(network(value, ':').ok_or_else(wrong)?),
        _ => return Err(wrong()),
    };
    Ok(Term { qualifier, mechanism, text: word.to_owned() })
}

fn network(value: &str, mark: char) -> Option<Network> {
    let value = value.strip_prefix(':')?;
    let address = value.split('/').next()?;
    if !address.contains(mark) || (mark == '.' && address.contains(':')) {
        return None;
    }
    if let Some((_, bits)) = value.split_once('/') {
        bits_of(bits, if mark == '.' { 32 } else { 128 })?;
    }
    Network::parse(value)
}

/// `:host/24//64`, each part of which may be missing.
fn target(value: &str) -> Option<Target> {
    let slash = value.find('/').unwrap_or(value.len());
    let (host, lengths) = value.split_at(slash);
    let host = match host.strip_prefix(':') {
        Some("") => return None,
        Some(host) => Some(host.to_owned()),
        None if host.is_empty() => None,
        None => return None,
    };
    let (four, six) = match lengths.split_once("//") {
        Some((four, six)) => (four, Some(six)),
        None => (lengths, None),
    };
    let four = if four.is_empty() { 32 } else { bits_of(four.strip_prefix('/')?, 32)? };
    let six = six.map_or(Some(128), |six| bits_of(six, 128))?;
    Some(Target { host, four, six })
}

fn bits_of(text: &str, most: u8) -> Option<u8> {
    let digits =
        !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|bits| digits && *bits <= most)
}
