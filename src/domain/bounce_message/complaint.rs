//! A reader's provider says that they called the mail spam: RFC 5965, as most send it, and as Outlook.com does.

use mail_parser::Message;

use super::{Finding, Said, parts_of, text_of};
use crate::domain::bounce_class::Class;

const PART: [&str; 1] = ["message/feedback-report"];
const ORIGINAL: [&str; 2] = ["message/rfc822", "text/rfc822-headers"];

/// Without the type that the standard wants.
pub fn is_there(message: &Message<'_>) -> bool {
    let subject = message.subject().unwrap_or_default().to_lowercase();
    let outlook = subject.starts_with("complaint about message from") && parts_of(message, &ORIGINAL).next().is_some();
    outlook || parts_of(message, &PART).next().is_some()
}

pub fn read(message: &Message<'_>) -> Said {
    let report = parts_of(message, &PART).next().map(text_of).unwrap_or_default();
    let field = |name: &str| {
        let mut lines = report.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(n, _)| n.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_ascii_lowercase())
    };
    let kind = field("feedback-type").unwrap_or_else(|| "abuse".to_owned());
    let by = field("user-agent").or_else(|| field("reported-domain")).or_else(|| field("source"));
    let words = by.map_or_else(|| kind.clone(), |by| format!("{kind}, by {by}"));
    match kind.as_str() {
        // Taken out of the spam folder.
        "not-spam" => Said::Automatic,
        // About our signature, or a machine's finding: nobody complained.
        "auth-failure" | "dkim" | "dmarc" | "virus" => Said::Bounce(Finding::new(Class::Policy, None, &words)),
        _ => Said::Bounce(Finding::new(Class::Complaint, None, &words)),
    }
}
