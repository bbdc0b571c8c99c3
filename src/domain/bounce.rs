//! What a server's answer means: for the one recipient, for the server, for the whole run. Knows the codes of RFC 5321
//! and RFC 3463, not how they came. A `5xx` alone never says that an address is dead; the enhanced code does, and policy
//! (`x.7.x`) is about the sender, never about the reader.

use std::fmt;

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

    #[must_use]
    pub fn enhanced(&self) -> Option<Enhanced> {
        self.lines.first().and_then(|line| Enhanced::parse(line)).filter(|e| u16::from(e.0) == self.code / 100)
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
        421 => Decision::ServerTrouble,
        400..500 if stage.names_recipient() => for_now(reply.enhanced()),
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

fn for_now(enhanced: Option<Enhanced>) -> Decision {
    match enhanced {
        // Too many recipients or messages on this connection; rate limits of large providers.
        Some(Enhanced(_, 5, 3) | Enhanced(_, 7, 28)) => Decision::ServerTrouble,
        _ => Decision::DeferRecipient,
    }
}

fn for_good(stage: Stage, reply: &Reply) -> Decision {
    // After the dot it is the message that is refused, whatever the code says of addresses.
    let dead = Decision::FailRecipient { hard: stage == Stage::Rcpt };
    let failed = Decision::FailRecipient { hard: false };
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
        None if bounce_class::in_words(&reply.lines.join(" ")) == Class::Dead => dead,
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
        for (stage, text, expected) in [
            (Dot, "250 2.0.0 queued as 4711", Accepted),
            (Dot, "250", Accepted),
            (Greeting, "421 4.3.2 shutting down", ServerTrouble),
            (Rcpt, "421 4.7.0 too many connections", ServerTrouble),
            (Dot, "421 4.3.0 try later", ServerTrouble),
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
            (Rcpt, "452 4.5.3 too many recipients", ServerTrouble),
            (Dot, "452 4.3.1 insufficient storage", DeferRecipient),
            (Dot, "450 4.7.28 unusual rate", ServerTrouble),
            (Rcpt, "550 5.1.1 no such user", dead),
            (Rcpt, "550 5.1.10 null MX", dead),
            (Rcpt, "550 5.2.1 inactive", dead),
            (Rcpt, "550 no such user", dead),
            (Rcpt, "550 no", failed),
            (Rcpt, "550 blocked: no such user", failed),
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
