//! A mail to the bounce address: whose it is, and what it says. Knows delivery reports (RFC 3464) and what servers write instead of
//! them, complaints (RFC 5965), replies that machines send by themselves (RFC 3834), and people who write. Does not know which
//! tokens are genuine: a mail without one says nothing, and whoever forges one suppresses nobody.

use mail_parser::{HeaderValue, Message, MessageParser, MessagePart, MimeHeaders as _, PartType};

use super::bounce_class::Class;
use super::hash;

mod complaint;
mod machine;
mod prose;
mod report;
mod whose;

/// Larger mails are not bounces; what is cut off holds nothing that matters here.
pub const LONGEST: usize = 1024 * 1024;
/// As much of a mail as is kept with a bounce: its headers and the report, and mostly all of it.
pub const KEPT: usize = 64 * 1024;
/// A bounce holds one mail, which may hold another. What nests deeper is made to hurt.
const DEEPEST: usize = 32;
/// A mail of more parts is no bounce.
const MOST_PARTS: usize = 200;

/// What a mail says of the subscriber its token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Delivery failed, or somebody complains.
    Bounce(Finding),
    /// Not delivered yet; the server goes on trying.
    Late,
    /// A machine answers by itself: away until Monday.
    Automatic,
    /// A machine wrote, and it is no answer: in bulk, or at somebody's wish.
    Generated,
    /// A machine asks whether a person is there.
    Challenge,
    /// Somebody wrote.
    Mail,
}

/// Of a bounce: what it means, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub class: Class,
    /// The enhanced code, if there is one.
    pub status: Option<String>,
    pub words: String,
    /// The address that a report says it is about.
    pub recipient: Option<String>,
}

impl Finding {
    fn new(class: Class, status: Option<String>, words: &str) -> Self {
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let words = words.chars().filter(|c| !c.is_control()).take(300).collect();
        Self { class, status, words, recipient: None }
    }
}

/// A mail as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub said: Said,
    /// Tokens of the addresses it was delivered to.
    pub to: Vec<String>,
    /// Tokens in the mail of ours that it brings back.
    pub within: Vec<String>,
    /// The Message-ID of that mail, without its brackets.
    pub answers: Option<String>,
    /// What this mail is known by, so that it counts once.
    pub mark: String,
}

/// Reads a mail, of which the first [`LONGEST`] bytes are enough. `recipients`: to whom it was delivered, if that is known; else
/// its headers say it.
#[must_use]
pub fn read(mail: &[u8], recipients: &[String], bounce_address: &str) -> Letter {
    let mail = &mail[..mail.len().min(LONGEST)];
    let mut to: Vec<String> =
        recipients.iter().filter_map(|address| whose::token_in(address, bounce_address)).collect();
    let parsed = if is_hostile(mail) { None } else { MessageParser::default().parse(mail) };
    let Some(message) = parsed else {
        return Letter { said: Said::Mail, to, within: Vec::new(), answers: None, mark: mark_of(mail) };
    };
    if to.is_empty() {
        to = whose::in_headers(&message, bounce_address);
    }
    let said = said(&message);
    let (within, answers) = match said {
        Said::Bounce(_) => (whose::within(&message, bounce_address), whose::message_id_within(&message)),
        _ => (Vec::new(), None),
    };
    let id = message.message_id().filter(|id| !id.is_empty() && id.len() <= 300);
    Letter { said, to, within, answers, mark: id.map_or_else(|| mark_of(mail), |id| format!("<{id}>")) }
}

fn mark_of(mail: &[u8]) -> String {
    format!("{:032x}", hash::of(mail))
}

/// Looked at before anything is taken apart: what nests too deep would be put together again on the stack.
fn is_hostile(mail: &[u8]) -> bool {
    let mail = mail.to_ascii_lowercase();
    let has = |needle: &[u8]| memchr::memmem::find_iter(&mail, needle).take(DEEPEST + 1).count();
    has(b"message/rfc822") + has(b"message/global") + has(b"multipart/digest") > DEEPEST || has(b"boundary=") > DEEPEST
}

fn said(message: &Message<'_>) -> Said {
    let kind = message.content_type().and_then(|kind| kind.attribute("report-type")).map(str::to_ascii_lowercase);
    match kind.as_deref() {
        Some("feedback-report") => return complaint::read(message),
        Some("delivery-status") | None if report::is_there(message) => {
            if let Some(said) = report::read(message) {
                return said;
            }
        }
        // A receipt: delivered, displayed, deleted.
        Some("disposition-notification") => return Said::Automatic,
        _ => {}
    }
    if complaint::is_there(message) {
        return complaint::read(message);
    }
    prose::read(message).unwrap_or_else(|| machine::read(message))
}

/// The parts of type `wanted`, wherever they are.
fn parts_of<'a, 'x>(message: &'a Message<'x>, wanted: &'a [&'a str]) -> impl Iterator<Item = &'a MessagePart<'x>> {
    message.parts.iter().take(MOST_PARTS).filter(|part| {
        part.content_type().is_some_and(|kind| {
            let name = format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()).to_ascii_lowercase();
            wanted.contains(&name.as_str())
        })
    })
}

/// A part's text, with line ends as Unix has them.
fn text_of(part: &MessagePart<'_>) -> String {
    String::from_utf8_lossy(part.contents()).replace("\r\n", "\n")
}

/// What people and machines wrote in the mail itself, not in what it carries.
fn prose_of(message: &Message<'_>) -> String {
    let texts = message.text_bodies().take(3).filter(|part| !matches!(part.body, PartType::Message(_)));
    let texts: Vec<String> = texts.map(|part| plain_of(part)).collect();
    texts.join("\n")
}

fn plain_of(part: &MessagePart<'_>) -> String {
    match &part.body {
        PartType::Html(html) => mail_parser::decoders::html::html_to_text(html),
        _ => text_of(part),
    }
}

/// A header's text, decoded; empty if there is none.
fn header(message: &Message<'_>, name: &'static str) -> String {
    message.header(name).and_then(HeaderValue::as_text).unwrap_or_default().trim().to_owned()
}

fn contains_any(text: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| text.contains(phrase))
}

#[cfg(test)]
mod tests;
