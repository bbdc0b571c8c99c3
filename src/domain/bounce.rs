//! What a server's answer means: for the one recipient, for the server, for the whole run. Knows the codes of RFC 5321
//! and RFC 3463, not how they came. A `5xx` alone never says that an address is dead; the enhanced code does, and policy
//! (`x.7.x`) is about the sender, never about the reader.

use std::fmt;
use std::time::Duration;

use super::bounce_class::{self, Class};

/// How far a message, or the connection for it, had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    Connect,
    Greeting,
    Ehlo,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// The final dot may be out.
    Dot,
}

impl Stage {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connecting",
            Self::Greeting => "the greeting",
            Self::Ehlo => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::Dot => "the message",
        }
    }

    /// Whether an answer here can be about the recipient.
    fn names_recipient(self) -> bool {
        matches!(self, Self::Rcpt | Self::Data | Self::Dot)
    }
}

/// RFC 3463: class, subject, detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enhanced(pub u8, pub u16, pub u16);

impl Enhanced {
    /// Reads the code at the beginning of `text`, as in `5.1.1 no such user`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let word = text.split([' ', '\t']).next()?;
        let mut parts = word.split('.');
        let class: u8 = parts.next()?.parse().ok().filter(|class| matches!(class, 2 | 4 | 5))?;
        let subject = parts.next().and_then(three_digits)?;
        let detail = parts.next().and_then(three_digits)?;
        parts.next().is_none().then_some(Self(class, subject, detail))
    }
}

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

fn three_digits(text: &str) -> Option<u16> {
    (text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// A server's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub code: u16,
    /// Its lines, without the codes in front of them.
    pub lines: Vec<String>,
}

impl Reply {
    #[must_use]
    pub fn is_positive(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// At its beginning, as RFC 2034 says, or wherever the server has put it.
    #[must_use]
    pub fn enhanced(&self) -> Option<Enhanced> {
        let agrees = |code: &Enhanced| u16::from(code.0) == self.code / 100;
        let first = self.lines.first().and_then(|line| Enhanced::parse(line)).filter(agrees);
        first.or_else(|| self.lines.iter().find_map(|line| bounce_class::code_in(line)).filter(agrees))
    }
}

/// In one line, as logs and the outbox show it.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        self.lines.iter().filter(|line| !line.is_empty()).try_for_each(|line| write!(f, " {line}"))
    }
}

/// What an answer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Accepted,
    /// This recipient later.
    DeferRecipient,
    /// Not this recipient: `hard` if the address is dead.
    FailRecipient {
        hard: bool,
    },
    /// The server does not want this message from us. It says nothing about the reader; many of these stop the run.
    Refused,
    /// The server later; no recipient is touched.
    ServerTrouble,
    /// The server closes this connection: it has carried enough, or there are too many, or the server goes down.
    Closing,
    /// Too much for the server: less, and nothing at all for `at_least`; no recipient is touched.
    SlowDown {
        at_least: Duration,
    },
    /// Our fault, and the same for every recipient: an operator has to act; no recipient is touched.
    StopRun,
    /// The server may have taken the message.
    Doubtful,
}

/// What a complete answer at `stage` asks for.
#[must_use]
pub fn decide(stage: Stage, reply: &Reply) -> Decision {
    match reply.code {
        200..300 if stage == Stage::Dot => Decision::Accepted,
        421 => slower(reply).unwrap_or(Decision::Closing),
        // Too many recipients or messages on this connection.
        452 if matches!(reply.enhanced(), Some(Enhanced(_, 5, 3))) => Decision::Closing,
        400..500 if stage.names_recipient() => for_now(reply),
        400..500 if stage == Stage::Mail && is_about_rate(reply) => slower(reply).unwrap_or(Decision::ServerTrouble),
        500..600 if stage.names_recipient() => for_good(stage, reply),
        500..600 => Decision::StopRun,
        // Nonsense, or trouble: after the dot nobody knows.
        400..500 => Decision::ServerTrouble,
        _ => no_answer(stage),
    }
}

/// What it means that no answer came: silence, a cut connection, something that is no SMTP.
#[must_use]
pub fn no_answer(stage: Stage) -> Decision {
    if stage == Stage::Dot { Decision::Doubtful } else { Decision::ServerTrouble }
}

/// After "unusual rate" Gmail wants to be left alone for so long; others say what they want to be spared, not for how long.
const UNUSUAL_RATE: Duration = Duration::from_mins(10);

fn slower(reply: &Reply) -> Option<Decision> {
    match reply.enhanced() {
        Some(Enhanced(_, 7, 28)) => Some(Decision::SlowDown { at_least: UNUSUAL_RATE }),
        // The rate at which one mailbox gets mail is not ours.
        Some(Enhanced(_, 2, _)) => None,
        _ if is_about_rate(reply) => Some(Decision::SlowDown { at_least: Duration::ZERO }),
        _ => None,
    }
}

/// Providers say "too much" with codes that mean other things elsewhere; their words do not. 4.7.0 and 4.7.1 alone are what
/// greylisting says.
fn is_about_rate(reply: &Reply) -> bool {
    const WORDS: [&str; 9] =
        ["rate", "too many", "too fast", "throttl", "too much mail", "busy", "exceeded", "limit reached", "slow down"];
    let text = reply.lines.join(" ").to_ascii_lowercase();
    let other = ["quota", "mailbox", "storage", "greylist", "connections", "recipients"];
    !other.iter().any(|word| text.contains(word)) && WORDS.iter().any(|word| text.contains(word))
}

fn for_now(reply: &Reply) -> Decision {
    match reply.enhanced() {
        // Our DNS, signature, TLS or address: what a provider does not take for now, it does not take from anybody's list.
        Some(Enhanced(_, 7, 23..=27 | 29..=40 | 509 | 515)) => Decision::Refused,
        _ => slower(reply).unwrap_or(Decision::DeferRecipient),
    }
}

fn for_good(stage: Stage, reply: &Reply) -> Decision {
    // After the dot it is the message that is refused, whatever the code says of addresses.
    let dead = Decision::FailRecipient { hard: stage == Stage::Rcpt };
    let failed = Decision::FailRecipient { hard: false };
    let words = reply.lines.join(" ");
    match reply.enhanced() {
        Some(Enhanced(_, 1, 1 | 2 | 3 | 6 | 10) | Enhanced(_, 2, 1)) => dead,
        // Bad sender address, message too long, quota of the sender, protocol, policy.
        Some(
            Enhanced(_, 1, 7 | 8) | Enhanced(_, 2, 3) | Enhanced(_, 3, 4) | Enhanced(_, 4, 5) | Enhanced(_, 5 | 7, _),
        ) => Decision::Refused,
        // A full mailbox empties.
        Some(Enhanced(_, 2, 2)) => Decision::DeferRecipient,
        None if reply.code == 552 => Decision::DeferRecipient,
        None if matches!(reply.code, 500..=504) => Decision::Refused,
        None if bounce_class::is_about_us(&words) => Decision::Refused,
        None if bounce_class::in_words(&words) == Class::Dead => dead,
        _ => failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(text: &str) -> Reply {
        let (code, line) = text.split_once(' ').unwrap_or((text, ""));
        Reply { code: code.parse().unwrap(), lines: vec![line.to_owned()] }
    }

    #[test]
    fn every_answer_asks_for_what_the_policy_says() {
        use Decision::*;
        use Stage::*;
        let dead = FailRecipient { hard: true };
        let failed = FailRecipient { hard: false };
        let (much, slow) = (SlowDown { at_least: Duration::from_mins(10) }, SlowDown { at_least: Duration::ZERO });
        for (stage, text, expected) in [
            (Dot, "250 2.0.0 queued as 4711", Accepted),
            (Dot, "250", Accepted),
            (Greeting, "421 4.3.2 shutting down", Closing),
            (Rcpt, "421 4.7.0 too many connections", Closing),
            (Dot, "421 4.3.0 try later", Closing),
            (Dot, "421 4.7.28 unusual rate of unsolicited mail", much),
            (Mail, "421 4.7.28 unusual rate", much),
            (Dot, "454 Throttling failure: Maximum sending rate exceeded.", slow),
            (Mail, "454 Throttling failure: Maximum sending rate exceeded.", slow),
            (Rcpt, "451 4.7.0 temporary rate limit", slow),
            (Rcpt, "451 4.7.500 Server busy. Please try again later", slow),
            (Rcpt, "450 4.2.1 The user you are trying to contact is receiving mail at a rate that", DeferRecipient),
            (Rcpt, "452 4.2.2 The email account that you tried to reach is over quota, limit reached", DeferRecipient),
            (Rcpt, "450 4.7.0 greylisted, try at a later rate", DeferRecipient),
            (Dot, "421 4.7.26 unauthenticated", Closing),
            (Dot, "450 4.7.26 unauthenticated", Refused),
            (Greeting, "451 later", ServerTrouble),
            (Mail, "452 4.3.1 no space", ServerTrouble),
            (StartTls, "454 4.7.0 no TLS now", ServerTrouble),
            (Auth, "454 4.7.0 temporary", ServerTrouble),
            (Auth, "535 5.7.8 bad password", StopRun),
            (Greeting, "554 go away", StopRun),
            (Ehlo, "550 5.7.1 bad name", StopRun),
            (Mail, "550 5.7.1 sender rejected", StopRun),
            (Mail, "553 5.1.8 sender unknown", StopRun),
            (Rcpt, "450 4.2.0 greylisted", DeferRecipient),
            (Rcpt, "450", DeferRecipient),
            (Rcpt, "451 4.7.1 greylisting in action", DeferRecipient),
            (Rcpt, "452 4.2.2 mailbox full", DeferRecipient),
            (Rcpt, "452 4.5.3 too many recipients", Closing),
            (Mail, "452 4.5.3 too many messages", Closing),
            (Dot, "452 4.3.1 insufficient storage", DeferRecipient),
            (Dot, "450 4.7.28 unusual rate", much),
            (Rcpt, "550 5.1.1 no such user", dead),
            (Rcpt, "550 5.1.10 null MX", dead),
            (Rcpt, "550 5.2.1 inactive", dead),
            (Rcpt, "550 no such user", dead),
            (Rcpt, "550 no", failed),
            (Rcpt, "550 blocked: no such user", Refused),
            (Rcpt, "550 #5.7.1 your address has a poor reputation", Refused),
            (Rcpt, "550 <a@b.example>: (#5.1.1) nobody", dead),
            (Dot, "554 Message rejected: Email address is not verified.", Refused),
            (Dot, "550 content rejected", Refused),
            (Rcpt, "552 5.2.2 mailbox full", DeferRecipient),
            (Rcpt, "552 mailbox full", DeferRecipient),
            (Rcpt, "550 5.7.1 blocked", Refused),
            (Dot, "554 5.7.1 spam", Refused),
            (Dot, "550 5.7.515 access denied", Refused),
            (Dot, "552 5.3.4 too big", Refused),
            (Rcpt, "550 5.4.5 daily quota", Refused),
            (Rcpt, "503 5.5.1 bad sequence", Refused),
            (Dot, "550 5.1.1 no such user", failed),
            (Dot, "554 transaction failed", failed),
            (Dot, "550 5.6.0 bad content", failed),
            (Dot, "354 go on", Doubtful),
            (Data, "250 what", ServerTrouble),
            (Dot, "999 nonsense", Doubtful),
            (Rcpt, "550 4.1.1 contradicts itself", failed),
        ] {
            assert_eq!(decide(stage, &reply(text)), expected, "{stage:?} {text}");
        }
    }

    #[test]
    fn a_code_on_a_later_line_counts() {
        let lines = vec!["Message blocked".to_owned(), "5.7.1 SPF check failed".to_owned()];
        assert_eq!(decide(Stage::Rcpt, &Reply { code: 550, lines }), Decision::Refused);
    }

    #[test]
    fn silence_is_doubtful_only_after_the_dot() {
        assert_eq!(no_answer(Stage::Dot), Decision::Doubtful);
        for stage in [Stage::Connect, Stage::Greeting, Stage::Auth, Stage::Rcpt, Stage::Data] {
            assert_eq!(no_answer(stage), Decision::ServerTrouble);
        }
    }

    #[test]
    fn enhanced_codes_are_read_or_left() {
        assert_eq!(Enhanced::parse("5.1.1 no such user"), Some(Enhanced(5, 1, 1)));
        assert_eq!(Enhanced::parse("4.7.28"), Some(Enhanced(4, 7, 28)));
        for text in ["", "5.1", "5.1.1.1 x", "3.1.1 x", "5.1.1111 x", "5.x.1", "no 5.1.1", "5.1.1:"] {
            assert_eq!(Enhanced::parse(text), None, "{text}");
        }
    }
}
