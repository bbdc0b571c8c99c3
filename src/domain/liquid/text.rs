//! What filters do to text and dates. Knows no template.

use std::fmt::Write as _;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

/// Ruby's `CGI.escapeHTML`.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

pub(super) fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

pub(super) fn percent_encode(text: &str, keep: &str, space: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if byte == b' ' {
            out.push_str(space);
        } else if byte.is_ascii_alphanumeric() || (byte.is_ascii() && keep.contains(c)) {
            out.push(c);
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

pub(super) fn strip_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // What has no end once has none later: looking again for each would take for ever.
    let mut endless: Vec<&str> = Vec::new();
    while let Some(open) = rest.find('<') {
        let (before, tag) = rest.split_at(open);
        out.push_str(before);
        let whole = Some(element_end(tag)).filter(|end| !endless.contains(end));
        let close = whole.and_then(|end| tag.find(end).map(|at| at + end.len()));
        if close.is_none() {
            endless.extend(whole);
        }
        let Some(close) = close.or_else(|| tag.find('>').map(|at| at + 1)) else {
            out.push_str(tag);
            return out;
        };
        rest = tag.get(close..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// How what begins here ends: scripts, styles and comments go with what is in them.
fn element_end(tag: &str) -> &'static str {
    let begins = |name: &str| tag.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name));
    match tag {
        _ if begins("<script") => "</script>",
        _ if begins("<style") => "</style>",
        _ if begins("<!--") => "-->",
        _ => ">",
    }
}

pub(super) fn truncate(text: &str, length: usize, ellipsis: &str) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    let kept = length.saturating_sub(ellipsis.chars().count());
    text.chars().take(kept).collect::<String>() + ellipsis
}

pub(super) fn truncate_words(text: &str, words: usize, ellipsis: &str) -> String {
    let all: Vec<&str> = text.split_whitespace().collect();
    match all.get(..words.max(1)) {
        Some(kept) if kept.len() < all.len() => kept.join(" ") + ellipsis,
        _ => text.to_owned(),
    }
}

/// Jekyll's default slug: letters and digits, hyphens between.
pub(super) fn slugify(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_matches('-').to_owned()
}

pub(super) fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|c| c.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect()).unwrap_or_default()
}

/// The moment a text means, in the zone given: a day, a time, or either with a zone of its own.
pub(super) fn moment(text: &str, zone: &TimeZone, now: Option<Timestamp>) -> Option<ZonedDateTime> {
    let text = text.trim();
    if matches!(text, "now" | "today") {
        return now.map(|now| now.to_zoned_datetime(zone.clone()));
    }
    if let Ok(seconds) = text.parse::<i64>() {
        return Timestamp::from_second(seconds).ok().map(|at| at.to_zoned_datetime(zone.clone()));
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.to_zoned_datetime(zone.clone()));
    }
    for pattern in ["%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M %z", "%Y-%m-%d %H:%M:%S %:z", "%a, %d %b %Y %H:%M:%S %z"] {
        if let Ok(at) = Timestamp::strptime(pattern, text) {
            return Some(at.to_zoned_datetime(zone.clone()));
        }
    }
    let civil =
        text.trim_end_matches(" UTC").parse::<DateTime>().or_else(|_| DateTime::strptime("%Y-%m-%d %H:%M", text));
    let civil = civil.ok().or_else(|| Some(day(text)?.to_datetime(jiff::civil::Time::midnight())))?;
    civil.to_zoned_datetime(zone.clone()).ok()
}

fn day(text: &str) -> Option<Date> {
    ["%Y-%m-%d", "%d %B %Y", "%B %d, %Y", "%d %b %Y", "%b %d, %Y", "%Y/%m/%d"]
        .into_iter()
        .find_map(|pattern| Date::strptime(pattern, text).ok())
}

/// `strftime` as Ruby writes it; nothing when the pattern is beyond us.
pub(super) fn date(at: &ZonedDateTime, pattern: &str) -> Option<String> {
    jiff::fmt::strtime::format(pattern, at).ok()
}
