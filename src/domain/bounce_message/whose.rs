//! Whose mail it is: the tokens in the addresses it came to, and in the mail of ours that it brings back.

use mail_parser::{HeaderValue, Message};

use super::{parts_of, prose_of, text_of};
use crate::domain::subscriber::Address;

/// Headers in which mail servers leave the address they delivered to; the first are the surest.
const DELIVERED_TO: [&str; 8] = [
    "Delivered-To",
    "X-Original-To",
    "Envelope-To",
    "X-Delivered-To",
    "X-Envelope-To",
    "X-Rcpt-To",
    "Apparently-To",
    "To",
];

/// Where a report keeps what it is about.
const CARRIERS: [&str; 6] = [
    "message/rfc822",
    "message/global",
    "text/rfc822-headers",
    "message/global-headers",
    "message/feedback-report",
    "message/delivery-status",
];

/// Longer than any token.
const LONGEST: usize = 120;
/// More tokens than this in one mail are a guess.
const MOST: usize = 8;

pub fn in_headers(message: &Message<'_>, bounce_address: &str) -> Vec<String> {
    let named = |name: &&'static str| message.header_values(*name).flat_map(addresses).collect::<Vec<_>>();
    let mut found: Vec<String> =
        DELIVERED_TO.iter().flat_map(named).filter_map(|address| token_in(&address, bounce_address)).collect();
    found.dedup();
    found.truncate(MOST);
    found
}

fn addresses(value: &HeaderValue<'_>) -> Vec<String> {
    match value {
        HeaderValue::Address(list) => list.iter().filter_map(|a| a.address()).map(str::to_owned).collect(),
        HeaderValue::Text(text) => vec![text.to_string()],
        HeaderValue::TextList(texts) => texts.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

/// What follows the `+` of an address that is `bounce_address` but for that.
pub fn token_in(recipient: &str, bounce_address: &str) -> Option<String> {
    let own = Address::parse(bounce_address).ok()?;
    let (own_local, own_domain) = own.key.rsplit_once('@')?;
    let address = Address::parse(recipient.trim().trim_matches(['<', '>'])).ok()?;
    let (local, domain) = address.key.rsplit_once('@')?;
    let token = local.strip_prefix(own_local)?.strip_prefix('+')?;
    (domain == own_domain && !token.is_empty()).then(|| token.to_owned())
}

/// In the headers of the mail of ours that came back: its return-path, its `List-Unsubscribe`, the fields of the report.
pub fn within(message: &Message<'_>, bounce_address: &str) -> Vec<String> {
    let Some((local, domain)) = bounce_address.split_once('@') else { return Vec::new() };
    let (before, after) = (format!("{local}+").to_lowercase(), format!("@{domain}").to_lowercase());
    let mut found = Vec::new();
    for text in carried(message) {
        let lower = text.to_lowercase();
        found.extend(between(&lower, &before, |rest| rest.find(&after)));
        // In links the case matters.
        let end = |rest: &str| rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')));
        found.extend(between(&text, "/unsubscribe/", end));
        if found.len() >= MOST {
            break;
        }
    }
    found.dedup();
    found.truncate(MOST);
    found
}

fn between(text: &str, before: &str, end: impl Fn(&str) -> Option<usize>) -> Vec<String> {
    let starts = text.match_indices(before).take(MOST).map(|(at, _)| at + before.len());
    let token = |start: usize| {
        let rest = &text[start..];
        let length = end(rest).filter(|length| (1..=LONGEST).contains(length))?;
        let token = &rest[..length];
        token.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')).then(|| token.to_owned())
    };
    starts.filter_map(token).collect()
}

/// The texts that may hold the headers of our mail: parts made for it, or a quotation in the text.
fn carried(message: &Message<'_>) -> Vec<String> {
    let mut texts: Vec<String> = parts_of(message, &CARRIERS).map(text_of).collect();
    texts.push(prose_of(message));
    texts
}

/// The Message-ID of the mail that came back.
pub fn message_id_within(message: &Message<'_>) -> Option<String> {
    carried(message).iter().find_map(|text| {
        let mut lines = text.lines().map(|line| line.trim_start_matches(['>', ' ']));
        let line = lines.find(|line| line.get(..11).is_some_and(|name| name.eq_ignore_ascii_case("message-id:")))?;
        let id = line[11..].trim().trim_matches(['<', '>']);
        (!id.is_empty() && id.len() <= 300).then(|| id.to_owned())
    })
}
