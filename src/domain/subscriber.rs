//! A subscriber: a person's address, name and state. Knows what an address may look like, not where it is kept.

use jiff::Timestamp;
use lettre::Address as Syntax;
use serde::Serialize;
use url::Host;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Pending,
    Active,
    Unsubscribed,
    Suppressed,
}

impl State {
    pub const ALL: [Self; 4] = [Self::Pending, Self::Active, Self::Unsubscribed, Self::Suppressed];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Unsubscribed => "unsubscribed",
            Self::Suppressed => "suppressed",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subscriber {
    /// Opaque, stable, never used again; what tokens and Message-IDs are made from.
    pub id: i64,
    /// As given.
    pub email: String,
    pub name: Option<String>,
    pub state: State,
    /// Where the address came from: `cli`, `import:FILE`, `form`.
    pub source: String,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
}

/// A mail address that can be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// As given, with the domain as the wire wants it.
    pub email: String,
    /// What addresses are compared by: all in lower case, since no provider gives two people `Ann@` and `ann@`, though
    /// RFC 5321 would let it; mail goes to the local part as it was given all the same.
    pub key: String,
}

/// Why a text is no mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("it is empty")]
    Empty,
    #[error("it holds a control character")]
    Control,
    #[error("it has no `@`")]
    NoAt,
    #[error("the part before the `@` is longer than 64 characters")]
    LongLocal,
    #[error("it is longer than 254 characters")]
    Long,
    #[error("mail addresses look like `name@example.org`")]
    Syntax,
    #[error("the part before the `@` has letters that most servers cannot take")]
    ForeignLocal,
    #[error("the part after the `@` has no dot; expected a domain like `example.org`")]
    NoDot,
    #[error("the part after the `@` is not a domain; expected one like `example.org`")]
    Domain,
}

impl Address {
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if text.chars().any(char::is_control) {
            return Err(AddressError::Control);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::NoAt)?;
        if local.len() > 64 {
            return Err(AddressError::LongLocal);
        }
        if !local.is_ascii() {
            return Err(AddressError::ForeignLocal);
        }
        let domain = wire_domain(domain)?;
        let email = format!("{local}@{domain}");
        if email.len() > 254 {
            return Err(AddressError::Long);
        }
        let valid = email.parse::<Syntax>().is_ok() && !local.starts_with('"');
        let key = email.to_lowercase();
        if valid { Ok(Self { email, key }) } else { Err(AddressError::Syntax) }
    }
}

/// The domain in lower case and in A-labels, as DNS and envelopes want it.
fn wire_domain(domain: &str) -> Result<String, AddressError> {
    if domain.starts_with('[') || domain.contains(['%', ' ', '/', '<', '>']) {
        return Err(AddressError::Domain);
    }
    let Ok(Host::Domain(domain)) = Host::parse(domain) else { return Err(AddressError::Domain) };
    if !domain.contains('.') {
        return Err(AddressError::NoDot);
    }
    let labels = domain.split('.').all(|label| !label.is_empty() && label.len() <= 63);
    if labels { Ok(domain) } else { Err(AddressError::Domain) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_kept_as_given_and_compared_without_case() {
        for (text, email, key) in [
            ("ann@example.org", "ann@example.org", "ann@example.org"),
            ("  Ann.Smith+Notes@Example.ORG ", "Ann.Smith+Notes@example.org", "ann.smith+notes@example.org"),
            ("ann@bücher.example", "ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
            ("o'neil@example.org", "o'neil@example.org", "o'neil@example.org"),
        ] {
            assert_eq!(Address::parse(text), Ok(Address { email: email.into(), key: key.into() }), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        let long_local = format!("{}@example.org", "a".repeat(65));
        let long = format!("a@{}.org", ["b".repeat(62).as_str(); 4].join("."));
        for (text, expected) in [
            ("", AddressError::Empty),
            ("ann", AddressError::NoAt),
            ("ann@localhost", AddressError::NoDot),
            ("ann@[192.0.2.1]", AddressError::Domain),
            ("ann@192.0.2.1", AddressError::Domain),
            ("ann@exa mple.org", AddressError::Domain),
            ("ann@example..org", AddressError::Domain),
            ("ann@.org", AddressError::Domain),
            ("ann@example.org.", AddressError::Domain),
            ("ann\r\nRCPT TO:<x@y.z>@example.org", AddressError::Control),
            ("ann\0@example.org", AddressError::Control),
            ("ann smith@example.org", AddressError::Syntax),
            ("<ann@example.org>", AddressError::Domain),
            ("ann@b@example.org", AddressError::Syntax),
            ("\"ann smith\"@example.org", AddressError::Syntax),
            ("@example.org", AddressError::Syntax),
            ("änne@example.org", AddressError::ForeignLocal),
            (&long_local, AddressError::LongLocal),
            (&long, AddressError::Long),
        ] {
            assert_eq!(Address::parse(text), Err(expected), "{text}");
        }
    }
}
