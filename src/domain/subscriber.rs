//! A subscriber: a person's address, name and state. Knows what an address may look like, not where it is kept.

use jiff::Timestamp;
use lettre::Address as Syntax;
use serde::{Deserialize, Serialize};
use url::Host;

use super::author::Author;
use super::edition::{EditionKey, EditionPost};
use super::period::Per;
use super::plain;

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

/// How often somebody wants to hear from the blog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Frequency {
    #[default]
    Monthly,
    Quarterly,
    /// Each post by itself, as it is published.
    Post,
}

impl Frequency {
    pub const ALL: [Self; 3] = [Self::Monthly, Self::Quarterly, Self::Post];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Monthly => "monthly",
            Self::Quarterly => "quarterly",
            Self::Post => "post",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.as_str() == text)
    }

    /// Who gets an edition of this key.
    #[must_use]
    pub fn of(key: EditionKey) -> Self {
        match key {
            EditionKey::Period(period) if period.per() == Per::Quarter => Self::Quarterly,
            EditionKey::Post(_) => Self::Post,
            EditionKey::Period(_) | EditionKey::Notice(..) | EditionKey::Letter(_) => Self::Monthly,
        }
    }
}

/// What a subscriber has chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Choice {
    pub frequency: Frequency,
    /// Of mails and of the subscriber's own pages; none: the site's.
    pub language: Option<String>,
    /// Only posts with one of these tags or by one of these authors; both empty: all posts.
    pub tags: Vec<String>,
    pub authors: Vec<String>,
    /// No edition is sent before then.
    pub paused_until: Option<Timestamp>,
}

impl Choice {
    /// Whether everything the blog has is wanted.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.tags.is_empty() && self.authors.is_empty()
    }

    #[must_use]
    pub fn wants(&self, post: &EditionPost) -> bool {
        let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
        let one = |tags: &[String], authors: &[Author]| {
            self.tags.iter().any(|tag| tags.iter().any(|t| same(t, tag)))
                || self.authors.iter().any(|author| authors.iter().any(|a| same(&a.name, author)))
        };
        self.is_everything()
            || one(&post.tags, &post.authors)
            || post.translations.iter().any(|other| one(&other.tags, &other.authors))
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
    /// Where the address came from: `cli`, `import:TOOL`, `form`, `restore`.
    pub source: String,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
    #[serde(flatten)]
    pub choice: Choice,
    /// Since when a question waits for its answer: "did you ask for this?"
    pub asked_at: Option<Timestamp>,
    /// The address they want to move to, not yet confirmed.
    pub new_email: Option<String>,
}

/// What happened to a subscription, kept as proof of consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// The form was sent.
    Asked,
    /// The link in the mail was followed and its button pressed.
    Confirmed,
    /// Added by the operator, who answers for it.
    Added,
    /// Taken over from another tool, with what that tool knew.
    Imported,
    /// The choices were changed.
    Chose,
    /// The address was changed.
    Moved,
    Unsubscribed,
    Suppressed,
    /// Forgotten; kept without an address, and only until webhooks have been told.
    Erased,
}

impl Event {
    pub const ALL: [Self; 9] = [
        Self::Asked,
        Self::Confirmed,
        Self::Added,
        Self::Imported,
        Self::Chose,
        Self::Moved,
        Self::Unsubscribed,
        Self::Suppressed,
        Self::Erased,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Confirmed => "confirmed",
            Self::Added => "added",
            Self::Imported => "imported",
            Self::Chose => "chose",
            Self::Moved => "moved",
            Self::Unsubscribed => "unsubscribed",
            Self::Suppressed => "suppressed",
            Self::Erased => "erased",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.as_str() == text)
    }
}

/// A name goes into mail headers.
const LONGEST_NAME: usize = 100;

/// A name as it is kept: one line, with a space where control characters were, and nothing that turns the writing's direction.
#[must_use]
pub fn name(text: &str) -> Option<String> {
    let spaced: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).filter(|c| !plain::turns(*c)).collect();
    let name: String = plain::line(&spaced).chars().take(LONGEST_NAME).collect();
    (!name.is_empty()).then(|| name.trim_end().to_owned())
}

/// One line of a subscriber's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Consent {
    pub at: Timestamp,
    pub event: Event,
    /// Where it came from: `form`, `link`, `one-click`, `mailto`, `cli`, `api`, `import:TOOL`, `restore`, `bounce`.
    pub source: String,
    /// What is known of it (which text the form had, from which network), as JSON.
    pub proof: String,
}

/// A mail address that can be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// As given; the wire's spelling of the domain is made when a message is.
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
        let wire = format!("{local}@{}", wire_domain(domain)?);
        if wire.len() > 254 {
            return Err(AddressError::Long);
        }
        let valid = wire.parse::<Syntax>().is_ok() && !local.starts_with('"');
        let key = wire.to_lowercase();
        if valid { Ok(Self { email: text.to_owned(), key }) } else { Err(AddressError::Syntax) }
    }
}

impl Address {
    /// What limits are counted by: one mailbox may have many spellings, `ann+a@` and, with some providers, `a.nn@`.
    #[must_use]
    pub fn canonical(&self) -> String {
        let (local, domain) = self.key.rsplit_once('@').unwrap_or((&self.key, ""));
        let plain = local.split('+').next().filter(|plain| !plain.is_empty()).unwrap_or(local);
        match domain {
            "gmail.com" | "googlemail.com" => format!("{}@gmail.com", plain.replace('.', "")),
            _ => format!("{plain}@{domain}"),
        }
    }

    #[must_use]
    pub fn domain(&self) -> &str {
        self.key.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// `a…@e….org`: enough for its owner to know it by, and for nobody else to learn it.
    #[must_use]
    pub fn masked(email: &str) -> String {
        let (local, domain) = email.rsplit_once('@').unwrap_or((email, ""));
        let (name, end) = domain
            .split_once('.')
            .map_or((domain, ""), |(name, _)| (name, domain.rsplit_once('.').map_or("", |(_, end)| end)));
        let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
        format!("{}…@{}….{end}", first(local), first(name))
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
            ("  Ann.Smith+Notes@Example.ORG ", "Ann.Smith+Notes@Example.ORG", "ann.smith+notes@example.org"),
            ("ann@Bücher.example", "ann@Bücher.example", "ann@xn--bcher-kva.example"),
            ("o'neil@example.org", "o'neil@example.org", "o'neil@example.org"),
        ] {
            assert_eq!(Address::parse(text), Ok(Address { email: email.into(), key: key.into() }), "{text}");
        }
    }

    #[test]
    fn spellings_of_one_mailbox_are_counted_as_one() {
        for (text, canonical) in [
            ("Ann+a@Example.org", "ann@example.org"),
            ("a.n.n@example.org", "a.n.n@example.org"),
            ("a.n.n+x@googlemail.com", "ann@gmail.com"),
            ("+x@example.org", "+x@example.org"),
        ] {
            assert_eq!(Address::parse(text).unwrap().canonical(), canonical);
        }
        assert_eq!(Address::masked("ann@mail.example.org"), "a…@m….org");
    }

    #[test]
    fn a_choice_of_tags_or_authors_wants_the_posts_that_have_one() {
        let post = EditionPost {
            id: String::new(),
            url: String::new(),
            title: String::new(),
            date: Timestamp::UNIX_EPOCH,
            authors: vec![Author::named("Ann")],
            tags: vec!["Rust".into()],
            excerpt: String::new(),
            words: 0,
            featured: false,
            language: None,
            translations: Vec::new(),
        };
        let choice = |tags: &[&str], authors: &[&str]| Choice {
            tags: tags.iter().map(ToString::to_string).collect(),
            authors: authors.iter().map(ToString::to_string).collect(),
            ..Choice::default()
        };
        for (tags, authors, wanted) in
            [(&[][..], &[][..], true), (&["rust"], &[], true), (&["go"], &["ann"], true), (&["go"], &["Bo"], false)]
        {
            assert_eq!(choice(tags, authors).wants(&post), wanted, "{tags:?} {authors:?}");
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
