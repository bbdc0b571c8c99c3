//! Bounces without a report: what servers and providers write to people. Believed only of who sends such mails (`MAILER-DAEMON`, or
//! nobody at all), and only what stands before the mail that is returned.

use mail_parser::{Address, HeaderName, Message};

use super::{Finding, Said, contains_any, machine, prose_of};
use crate::domain::bounce_class::{self, Class, code_in};

/// Beginnings of the local part, and what stands in the name.
const SENDERS: [&str; 7] =
    ["mailer-daemon", "mailerdaemon", "postmaster", "mail-daemon", "maildaemon", "mdaemon", "microsoftexchange"];
const NAMES: [&str; 6] =
    ["mail delivery", "mailer-daemon", "mailer daemon", "mail administrator", "postmaster", "delivery subsystem"];

const SUBJECTS: [&str; 28] = [
    "undeliver",
    "non-deliver",
    "nondeliver",
    "delivery status",
    "delivery fail",
    "delivery has failed",
    "delivery report",
    "delivery notification",
    "failure notice",
    "failure delivery",
    "failed delivery",
    "returned mail",
    "returned to sender",
    "mail delivery",
    "mail failure",
    "mail system error",
    "message could not be delivered",
    "message delayed",
    "delivery delayed",
    "delayed mail",
    "warning: could not send",
    "unzustellbar",
    "nicht zugestellt",
    "zustellung",
    "non remis",
    "échec de la remise",
    "no se pudo entregar",
    "no entregado",
];

const OPENINGS: [&str; 25] = [
    "this is the qmail-send program",
    "i'm afraid i wasn't able to deliver",
    "created automatically by mail delivery software",
    "a message that you sent could not be delivered",
    "a message that you sent has not yet been delivered",
    "this is the mail system at host",
    "this is the postfix program",
    "did not reach some or all of the intended recipients",
    "did not reach the following recipient",
    "delivery has failed to these recipients",
    "unable to deliver your message",
    "unable to deliver message to",
    "unable to deliver the following",
    "address not found",
    "your message wasn't delivered",
    "your message couldn't be delivered",
    "couldn't be delivered",
    "the following address(es) failed",
    "the following addresses had",
    "the original message was received at",
    "could not be delivered to",
    "was not delivered to",
    "konnte nicht zugestellt werden",
    "n'a pas pu être remis",
    "no se ha podido entregar",
];

/// From here on it is our own mail.
const RETURNED: [&str; 15] = [
    "below this line is a copy of the message",
    "this is a copy of the message",
    "this is a copy of your message",
    "original message follows",
    "original message headers",
    "----- original message -----",
    "-----original message-----",
    "----- message header follows -----",
    "the header of the original message",
    "the headers of the original message",
    "returned message below",
    "returned message follows",
    "the original mail headers",
    "unsent message below",
    "ursprüngliche nachricht",
];

/// It is not over yet.
const LATE: [&str; 13] = [
    "warning message only",
    "this is a warning only",
    "do not need to resend",
    "don't need to resend",
    "no action is required on your part",
    "will continue to try",
    "will keep trying",
    "will retry for",
    "will be retried",
    "has not yet been delivered",
    "not been delivered yet",
    "still being retried",
    "delivery is delayed",
];

/// None: it is no bounce.
pub fn read(message: &Message<'_>) -> Option<Said> {
    if !is_from_a_server(message) || machine::says_away(message) {
        return None;
    }
    let subject = message.subject().unwrap_or_default().to_lowercase();
    let text = prose_of(message).replace('’', "'");
    let text = before_the_returned(&text);
    let lower = text.to_lowercase();
    let joined = lower.split_whitespace().collect::<Vec<_>>().join(" ");
    if !contains_any(&subject, &SUBJECTS) && !contains_any(&joined, &OPENINGS) {
        return None;
    }
    if contains_any(&joined, &LATE) || subject.contains("delay") && !joined.contains("giving up") {
        return Some(Said::Late);
    }
    let code = code_in(text);
    let class = bounce_class::of(code, &joined);
    Some(Said::Bounce(Finding::new(class, code.map(|code| code.to_string()), &telling(text, class))))
}

/// Nobody writes from `<>`, and whoever writes as `MAILER-DAEMON` wants to be taken for one.
fn is_from_a_server(message: &Message<'_>) -> bool {
    let from = message.from().and_then(Address::first);
    let address = from.and_then(|a| a.address()).unwrap_or_default().to_lowercase();
    let name = from.and_then(|a| a.name()).unwrap_or_default().to_lowercase();
    let path = message.header_raw(HeaderName::ReturnPath).map(str::trim);
    path == Some("<>")
        || SENDERS.iter().any(|sender| address.starts_with(sender))
        || NAMES.iter().any(|sender| name.contains(sender))
}

fn before_the_returned(text: &str) -> &str {
    let lower = text.to_lowercase();
    // Lower case may be longer or shorter; then the text is not cut.
    let end = RETURNED.iter().filter_map(|mark| lower.find(mark)).min();
    end.filter(|end| lower.len() == text.len() && text.is_char_boundary(*end)).map_or(text, |end| &text[..end])
}

/// The line that says why, and the one after it.
fn telling(text: &str, class: Class) -> String {
    let says = |line: &&str| line.chars().any(char::is_alphanumeric);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(says).collect();
    let tells =
        |line: &&str| code_in(line).is_some() || class != Class::Policy && bounce_class::in_words(line) == class;
    let at = lines.iter().position(tells).unwrap_or(0);
    lines.iter().skip(at).take(2).copied().collect::<Vec<_>>().join(" ")
}
