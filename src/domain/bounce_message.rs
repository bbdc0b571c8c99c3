//! A mail to the bounce address: whose it is, and what it says. Knows delivery reports (RFC 3464), complaints (RFC 5965),
//! replies that machines send by themselves (RFC 3834), and people who unsubscribe by mail. A mail that carries no token of
//! ours says nothing: whoever forges one suppresses nobody.

use mail_parser::{HeaderValue, Message, MessageParser, MimeHeaders as _};

use super::bounce::{Decision, Reply, Stage, decide};
use super::subscriber::Address;

/// Larger mails are not bounces; what is cut off holds nothing that matters here.
pub const LONGEST: usize = 1024 * 1024;

/// What a mail says of the subscriber its token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Delivery failed, or is late; the status, and what it means.
    Report {
        status: String,
        decision: Decision,
    },
    Complaint,
    /// A machine answers by itself: away until Monday.
    Automatic,
    /// Somebody wrote.
    Mail,
}

/// Headers in which mail servers leave the address they delivered to.
const DELIVERED_TO: [&str; 5] = ["Delivered-To", "X-Original-To", "Envelope-To", "X-Delivered-To", "To"];

/// The token of the first address that is `bounce_address` with something after a `+`: of those given, else of the headers.
#[must_use]
pub fn token(mail: &[u8], recipients: &[String], bounce_address: &str) -> Option<String> {
    let given = recipients.iter().find_map(|recipient| token_in(recipient, bounce_address));
    if given.is_some() {
        return given;
    }
    let message = MessageParser::default().parse(mail)?;
    DELIVERED_TO.iter().find_map(|name| {
        let values = message.header_values(*name);
        values.into_iter().find_map(|value| addresses(value).iter().find_map(|a| token_in(a, bounce_address)))
    })
}

fn addresses(value: &HeaderValue<'_>) -> Vec<String> {
    match value {
        HeaderValue::Address(list) => list.iter().filter_map(|a| a.address()).map(str::to_owned).collect(),
        HeaderValue::Text(text) => vec![text.to_string()],
        HeaderValue::TextList(texts) => texts.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

fn token_in(recipient: &str, bounce_address: &str) -> Option<String> {
    let own = Address::parse(bounce_address).ok()?;
    let (own_local, own_domain) = own.key.rsplit_once('@')?;
    let address = Address::parse(recipient.trim().trim_matches(['<', '>'])).ok()?;
    let (local, domain) = address.key.rsplit_once('@')?;
    let token = local.strip_prefix(own_local)?.strip_prefix('+')?;
    (domain == own_domain && !token.is_empty()).then(|| token.to_owned())
}

#[must_use]
pub fn said(mail: &[u8]) -> Said {
    let Some(message) = MessageParser::default().parse(mail) else { return Said::Mail };
    let report = message.content_type().and_then(|kind| kind.attribute("report-type")).map(str::to_ascii_lowercase);
    match report.as_deref() {
        Some("delivery-status") => delivery_report(&message),
        Some("feedback-report") => Said::Complaint,
        _ if is_automatic(&message) => Said::Automatic,
        _ => Said::Mail,
    }
}

fn is_automatic(message: &Message<'_>) -> bool {
    let text =
        |name: &str| message.header(name).and_then(HeaderValue::as_text).unwrap_or_default().to_ascii_lowercase();
    let submitted = text("Auto-Submitted");
    (!submitted.is_empty() && submitted.trim() != "no")
        || ["X-Autoreply", "X-Autorespond"].iter().any(|name| message.header(*name).is_some())
        || matches!(text("Precedence").trim(), "auto_reply" | "bulk" | "junk")
}

/// The part of type `message/delivery-status`: one block of fields for the message, one for each recipient.
fn delivery_report(message: &Message<'_>) -> Said {
    let is_status = |part: &&mail_parser::MessagePart<'_>| {
        part.content_type().is_some_and(|kind| kind.c_subtype.as_deref() == Some("delivery-status"))
    };
    let Some(part) = message.parts.iter().find(is_status) else { return Said::Automatic };
    let text = String::from_utf8_lossy(part.contents()).replace("\r\n", "\n");
    let mut found = Said::Automatic;
    for block in text.split("\n\n") {
        let field = |name: &str| {
            let line = block.lines().find(|line| line.to_ascii_lowercase().starts_with(name));
            line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
        };
        let (Some(action), Some(status)) = (field("action:"), field("status:")) else { continue };
        let diagnostic = field("diagnostic-code:").unwrap_or_default();
        match action.to_ascii_lowercase().as_str() {
            "failed" => return report(&status, &diagnostic, 550),
            "delayed" => found = report(&status, &diagnostic, 450),
            _ => {}
        }
    }
    found
}

fn report(status: &str, diagnostic: &str, code: u16) -> Said {
    let reply = Reply { code, lines: vec![status.to_owned()] };
    let decision = decide(Stage::Rcpt, &reply);
    let words: String = format!("{status} {diagnostic}").trim().chars().filter(|c| !c.is_control()).take(300).collect();
    Said::Report { status: words, decision }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "bounces@blog.example";

    fn report_of(fields: &str) -> String {
        format!(
            "From: MAILER-DAEMON@mx.example\r\nTo: <bounces+abc@blog.example>\r\nAuto-Submitted: auto-replied\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n{fields}\r\n--b--\r\n"
        )
    }

    #[test]
    fn a_mail_says_what_became_of_the_reader_or_that_it_says_nothing() {
        let dead = Decision::FailRecipient { hard: true };
        for (fields, expected) in [
            ("Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n", Some(dead)),
            ("Action: failed\r\nStatus: 5.2.2\r\nDiagnostic-Code: smtp; 552 full\r\n", Some(Decision::DeferRecipient)),
            ("Action: failed\r\nStatus: 5.7.1\r\n", Some(Decision::Refused)),
            ("Action: delayed\r\nStatus: 4.4.1\r\n", Some(Decision::DeferRecipient)),
            ("Action: delivered\r\nStatus: 2.0.0\r\n", None),
        ] {
            match said(report_of(fields).as_bytes()) {
                Said::Report { decision, .. } => assert_eq!(Some(decision), expected, "{fields}"),
                other => assert_eq!((other, expected), (Said::Automatic, None), "{fields}"),
            }
        }
        for (mail, expected) in [
            ("Auto-Submitted: auto-replied\r\nSubject: away\r\n\r\nMonday\r\n", Said::Automatic),
            ("Auto-Submitted: no\r\n\r\nhello\r\n", Said::Mail),
            ("Subject: unsubscribe\r\n\r\n\r\n", Said::Mail),
            (
                "Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b--\r\n",
                Said::Complaint,
            ),
            ("", Said::Mail),
        ] {
            assert_eq!(said(mail.as_bytes()), expected, "{mail}");
        }
    }

    #[test]
    fn the_token_is_in_the_address_it_was_delivered_to() {
        let given = |recipients: &[&str], mail: &str| {
            let recipients: Vec<String> = recipients.iter().map(ToString::to_string).collect();
            token(mail.as_bytes(), &recipients, ADDRESS)
        };
        assert_eq!(given(&["Bounces+ABC@Blog.Example"], "").as_deref(), Some("abc"));
        let header = "Delivered-To: bounces+abc@blog.example\r\nTo: other@blog.example\r\n\r\n";
        assert_eq!(given(&[], header).as_deref(), Some("abc"));
        assert_eq!(given(&[], "To: \"x\" <bounces+abc@blog.example>\r\n\r\n").as_deref(), Some("abc"));
        for mail in ["To: bounces@blog.example\r\n\r\n", "To: bounces+abc@other.example\r\n\r\n", "", "\0\u{ff}"] {
            assert_eq!(given(&[], mail), None, "{mail}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_mail_holds_it_is_read(bytes: Vec<u8>, text in "(Content-Type|To|Status|Action|--b|[ :;=\r\n\"<>@+a-z/]){0,60}") {
            for mail in [&bytes[..], text.as_bytes()] {
                let _ = said(mail);
                proptest::prop_assert_eq!(token(mail, &[], "nobody@else.example"), None);
            }
        }
    }
}
