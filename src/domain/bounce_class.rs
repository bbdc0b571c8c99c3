//! What came back, and whom it is about: the address, the mailbox's state, us, or the reader's own wish. Knows the codes of RFC
//! 3463 and what servers say instead of them, not how it came.

use std::fmt;

use serde::{Serialize, Serializer};

use super::bounce::Enhanced;

/// What a bounce says of the subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// There is nobody at this address: no later edition is sent.
    Dead,
    /// Full, away, out of reach: three editions in a row, and none is sent any more.
    Resting,
    /// About us, about the message, or nobody knows: never touches the reader.
    Policy,
    /// The reader said that it is spam: no later edition is sent.
    Complaint,
}

impl Class {
    pub const ALL: [Self; 4] = [Self::Dead, Self::Resting, Self::Policy, Self::Complaint];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dead => "dead",
            Self::Resting => "resting",
            Self::Policy => "policy",
            Self::Complaint => "complaint",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == text)
    }
}

/// How a bounce came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The server's own answer.
    Smtp,
    Pipe,
    Maildir,
    Imap,
}

impl Source {
    pub const ALL: [Self; 4] = [Self::Smtp, Self::Pipe, Self::Maildir, Self::Imap];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Pipe => "pipe",
            Self::Maildir => "maildir",
            Self::Imap => "imap",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == text)
    }
}

macro_rules! shown_as_word {
    ($($kind:ty),+) => {$(
        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl Serialize for $kind {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    )+};
}
shown_as_word!(Class, Source);

/// What servers say where a code says nothing, in lower case. Those about us come first: a text that says both is about us.
const ABOUT_US: [&str; 34] = [
    "spam",
    "blocked",
    "block list",
    "blocklist",
    "blacklist",
    "black list",
    "denylist",
    "rejected due to",
    "policy",
    "dmarc",
    "dkim",
    "spf",
    "reputation",
    "rate limit",
    "too many",
    "unsolicited",
    "access denied",
    "not authorized",
    "not authorised",
    "relay",
    "content rejected",
    "message rejected",
    "virus",
    "malware",
    "too large",
    "too big",
    "exceeds the maximum",
    "size limit",
    "reverse dns",
    "ptr record",
    "greylist",
    "sender verify",
    "sender address rejected",
    "authentication required",
];
const DEAD: [&str; 46] = [
    "user unknown",
    "unknown user",
    "no such user",
    "no such mailbox",
    "no such recipient",
    "no such address",
    "no such person",
    "unknown recipient",
    "recipient unknown",
    "unknown mailbox",
    "mailbox unknown",
    "unknown address",
    "address unknown",
    "user doesn't have",
    "user does not have",
    "doesn't have a yahoo",
    "user not found",
    "recipient not found",
    "mailbox not found",
    "mailbox does not exist",
    "mailbox doesn't exist",
    "user does not exist",
    "user doesn't exist",
    "does not exist",
    "doesn't exist",
    "no mailbox here by that name",
    "no mailbox by that name",
    "invalid recipient",
    "invalid mailbox",
    "invalid address",
    "address not found",
    "couldn't be found",
    "could not be found",
    "wasn't found at",
    "not listed in",
    "not in domino directory",
    "unrouteable address",
    "unroutable address",
    "account has been disabled",
    "account is disabled",
    "mailbox is disabled",
    "mailbox disabled",
    "inactive user",
    "account inactive",
    "no account by that name",
    "mailbox unavailable: unknown",
];
const RESTING: [&str; 24] = [
    "mailbox full",
    "mailbox is full",
    "mailbox over quota",
    "over quota",
    "quota exceeded",
    "exceeded quota",
    "exceeded storage",
    "storage exceeded",
    "out of storage",
    "mailfolder is full",
    "maildir overquota",
    "insufficient system storage",
    "temporarily unavailable",
    "temporarily disabled",
    "connection timed out",
    "timed out",
    "connection refused",
    "host not found",
    "host unknown",
    "domain not found",
    "name service error",
    "no mx",
    "network is unreachable",
    "retry timeout exceeded",
];

/// What an answer or a report means. The code decides; where it is missing or says nothing, the words do; where they say nothing
/// either, the reader is left alone.
#[must_use]
pub fn of(code: Option<Enhanced>, words: &str) -> Class {
    match code {
        Some(Enhanced(5, 1, 1 | 2 | 3 | 6 | 10) | Enhanced(5, 2, 1)) => Class::Dead,
        // The quota of the sender, a message too long, a bad sender.
        Some(
            Enhanced(_, 4, 5) | Enhanced(_, 3, 4) | Enhanced(_, 1, 7 | 8) | Enhanced(_, 2, 3) | Enhanced(_, 5..=7, _),
        ) => Class::Policy,
        Some(Enhanced(4, 2, 1 | 2) | Enhanced(5, 2, 2) | Enhanced(4, 3, _) | Enhanced(_, 4, _)) => Class::Resting,
        // Only what says "mailbox" and no more, or nothing at all.
        Some(Enhanced(5, 0..=3, _)) | None => in_words(words),
        Some(Enhanced(4, 0..=2, _)) if in_words(words) == Class::Resting => Class::Resting,
        Some(_) => Class::Policy,
    }
}

/// What words alone say.
#[must_use]
pub fn in_words(words: &str) -> Class {
    let words = plain(words);
    match () {
        () if says(&words, &ABOUT_US) => Class::Policy,
        () if says(&words, &DEAD) => Class::Dead,
        () if says(&words, &RESTING) => Class::Resting,
        () => Class::Policy,
    }
}

/// Whether words alone say that it is about us or the message.
#[must_use]
pub fn is_about_us(words: &str) -> bool {
    says(&plain(words), &ABOUT_US)
}

fn says(words: &str, list: &[&str]) -> bool {
    list.iter().any(|phrase| words.contains(phrase))
}

/// In lower case, on one line, with the apostrophe that keyboards have.
fn plain(words: &str) -> String {
    let words = words.to_lowercase().replace(['’', '´'], "'");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first enhanced code anywhere in a text: servers put it behind their own code, in parentheses, after `#`.
#[must_use]
pub fn code_in(text: &str) -> Option<Enhanced> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .map(|word| word.trim_end_matches('.'))
        .find_map(|word| Enhanced::parse(word).filter(|code| code.0 != 2))
}

/// What a server's own answer to an attempt means, as the outbox has its words: `550 5.1.1 no such user`.
#[must_use]
pub fn of_reply(words: &str) -> Class {
    of(code_in(words), words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide_and_words_where_they_say_nothing() {
        use Class::{Dead, Policy, Resting};
        for (text, expected) in [
            ("550 5.1.1 no such user", Dead),
            ("550-5.1.1 The email account that you tried to reach does not exist.", Dead),
            ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", Dead),
            ("553 5.1.2 unable to look up host", Dead),
            ("550 5.2.1 The email account that you tried to reach is inactive", Dead),
            ("554 delivery error: dd This user doesn't have a yahoo.com account (x@yahoo.com) [0]", Dead),
            ("550 Requested action not taken: mailbox unavailable", Policy),
            ("550 #5.1.0 Address rejected.", Policy),
            ("550 5.1.0 user unknown", Dead),
            ("550 no such user", Dead),
            ("552 5.2.2 full", Resting),
            ("452 4.2.2 The email account that you tried to reach is over quota", Resting),
            ("451 4.2.1 mailbox disabled for now", Resting),
            ("4.4.1 connection timed out", Resting),
            ("4.3.1 no space", Resting),
            ("5.4.4 Host or domain name not found", Resting),
            ("5.4.7 delivery time expired", Resting),
            ("550 mailbox is full", Resting),
            ("450 4.7.1 greylisted", Policy),
            ("421 4.7.28 unusual rate", Policy),
            ("450 4.2.0 greylisted", Policy),
            ("550 5.7.1 no such user", Policy),
            ("550 5.7.515 access denied", Policy),
            ("552 5.3.4 message too big", Policy),
            ("550 5.4.5 daily quota exceeded", Policy),
            ("554 5.6.0 bad content", Policy),
            ("550 5.5.0 odd", Policy),
            ("550 blocked: user unknown to our reputation service", Policy),
            ("550", Policy),
            ("", Policy),
        ] {
            assert_eq!(of_reply(text), expected, "{text}");
        }
    }

    #[test]
    fn a_code_is_found_wherever_it_stands_and_an_address_is_none() {
        assert_eq!(code_in("smtp; 550-5.1.1 <a@b>: no"), Some(Enhanced(5, 1, 1)));
        assert_eq!(code_in("(#5.2.2)"), Some(Enhanced(5, 2, 2)));
        assert_eq!(code_in("host mx.example[192.0.2.1] said: 550 no. 5.1.1."), Some(Enhanced(5, 1, 1)));
        for text in ["192.0.2.1", "250 2.0.0 ok", "5.1", "version 5.1.1.9"] {
            assert_eq!(code_in(text), None, "{text}");
        }
    }

    #[test]
    fn words_are_read_back_as_they_were_written() {
        assert!(Class::ALL.iter().all(|class| Class::parse(class.as_str()) == Some(*class)));
        assert!(Source::ALL.iter().all(|source| Source::parse(source.as_str()) == Some(*source)));
    }
}
