//! Dates as Jekyll, Hugo and Zola accept them in front matter and file names. What has no zone is in the site's, what
//! has no time is at the first minute of its day. Knows no clock.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// What the error message of an unreadable date says was expected.
pub const EXPECTED: &str = "expected a date like `2021-05-07`, `2021-05-07 10:00` or `2021-05-07T10:00:00+02:00`";

/// Longer texts are no dates; some parsers have been blown up by what they took for one.
const MAX_LEN: usize = 64;

/// Reads a front matter value: text, or Unix seconds as Hugo takes them.
#[must_use]
pub fn from_value(value: &Value, zone: &TimeZone) -> Option<Timestamp> {
    match value {
        Value::String(text) => parse(text, zone),
        Value::Number(n) => n.as_i64().filter(|&n| n > 100_000_000).and_then(|n| Timestamp::from_second(n).ok()),
        _ => None,
    }
}

#[must_use]
pub fn parse(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > MAX_LEN || text.is_empty() {
        return None;
    }
    let parts = iso(text).or_else(|| worded(text))?;
    parts.instant(zone).filter(|t| plausible(*t))
}

/// Years a blog can have: everything else is a typing error.
fn plausible(instant: Timestamp) -> bool {
    let year = TimeZone::UTC.to_datetime(instant).year();
    (1970..=9998).contains(&year)
}

/// `2021-05-07-my-post`, `2021-05-07_my-post`: the day and what follows it.
#[must_use]
pub fn from_file_name(stem: &str) -> Option<(Date, &str)> {
    let mut pieces = stem.splitn(4, ['-', '_']);
    let (y, m, d) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let slug = pieces.next()?;
    if y.len() != 4 || m.is_empty() || m.len() > 2 || d.is_empty() || d.len() > 2 || slug.is_empty() {
        return None;
    }
    Some((date(y, m, d)?, slug))
}

#[must_use]
pub fn at_midnight(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    Parts { date: day, time: Time::midnight(), offset: None }.instant(zone)
}

struct Parts {
    date: Date,
    time: Time,
    /// `None`: the site's zone.
    offset: Option<Offset>,
}

impl Parts {
    fn instant(&self, zone: &TimeZone) -> Option<Timestamp> {
        let local = DateTime::from_parts(self.date, self.time);
        match self.offset {
            Some(offset) => offset.to_timestamp(local).ok(),
            // A time the clocks skipped is moved on by the gap; of two equal ones the first is meant.
            None => zone.to_ambiguous_timestamp(local).compatible().ok(),
        }
    }
}

/// `2021-05-07`, then perhaps `T10:00[:30[.5]]` or ` 10:00`, then perhaps a zone.
fn iso(text: &str) -> Option<Parts> {
    let day_end = text.find(['T', 't', ' ']).unwrap_or(text.len());
    let mut ymd = text[..day_end].splitn(3, ['-', '/']);
    let (y, m, d) = (ymd.next()?, ymd.next()?, ymd.next()?);
    if y.len() != 4 {
        return None;
    }
    let date = date(y, m, d)?;
    let rest = text[day_end..].trim_start_matches(['T', 't', ' ']);
    if rest.is_empty() {
        return Some(Parts { date, time: Time::midnight(), offset: None });
    }
    let time_end = rest.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.')).unwrap_or(rest.len());
    let time = time(&rest[..time_end])?;
    Some(Parts { date, time, offset: zone_of(rest[time_end..].trim())? })
}

/// `May 7, 2021`, `7 May 2021`, `Fri, 07 May 2021 10:00:00 +0200`, `Fri May  7 10:00:00 UTC 2021`.
fn worded(text: &str) -> Option<Parts> {
    let (mut month, mut day, mut year, mut clock, mut offset) = (None, None, None, None, None);
    for word in text.split([' ', ',']).filter(|w| !w.is_empty()) {
        if word.contains(':') && !word.starts_with(['+', '-']) {
            clock = Some(time(word)?);
        } else if let Some(found) = month_named(word) {
            month = Some(found);
        } else if is_weekday(word) {
        } else if let Some(number) = day_or_year(word) {
            match number {
                1..=31 if day.is_none() && (word.len() != 4) => day = Some(number),
                1000..=9999 if year.is_none() => year = Some(number),
                _ => return None,
            }
        } else {
            offset = zone_of(word)?;
        }
    }
    let date = Date::new(year?, month?, i8::try_from(day?).ok()?).ok()?;
    Some(Parts { date, time: clock.unwrap_or(Time::midnight()), offset })
}

fn date(y: &str, m: &str, d: &str) -> Option<Date> {
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if !(digits(y) && digits(m) && digits(d)) {
        return None;
    }
    Date::new(y.parse().ok()?, m.parse().ok()?, d.parse().ok()?).ok()
}

fn time(text: &str) -> Option<Time> {
    let mut pieces = text.splitn(3, ':');
    let hour: i8 = pieces.next()?.parse().ok()?;
    let minute: i8 = pieces.next()?.parse().ok()?;
    let seconds = pieces.next().unwrap_or("0");
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let second: i8 = whole.parse().ok()?;
    let nanos: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    // A leap second is written as :60 now and then; the calendar here has none.
    Time::new(hour, minute, second.min(59), nanos.parse().ok()?).ok()
}

/// `Some(None)`: no zone was written. `None`: it cannot be read.
#[expect(clippy::option_option, reason = "absent and unreadable are different answers")]
fn zone_of(text: &str) -> Option<Option<Offset>> {
    let text = text.split_once('[').map_or(text, |(offset, _)| offset).trim();
    let (text, name) = text.split_once(' ').unwrap_or((text, ""));
    if !name.is_empty() && !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-:/_".contains(&b)) {
        return None;
    }
    let hours = match text.to_ascii_uppercase().as_str() {
        "" => return Some(None),
        "Z" | "UTC" | "GMT" | "UT" => 0,
        "EST" | "CDT" => -5,
        "EDT" => -4,
        "CST" | "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        "CET" | "BST" => 1,
        "CEST" | "EET" => 2,
        "JST" => 9,
        _ => return numeric_offset(text).map(Some),
    };
    Offset::from_hours(hours).ok().map(Some)
}

fn numeric_offset(text: &str) -> Option<Offset> {
    let sign = match text.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = text[1..].chars().filter(|c| *c != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = digits[..2].parse().ok()?;
    let minutes: i64 = digits.get(2..4).map_or(Ok(0), str::parse).ok()?;
    if minutes > 59 {
        return None;
    }
    Offset::try_from(SignedDuration::from_secs(sign * (hours * 3_600 + minutes * 60))).ok()
}

fn month_named(word: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.trim_end_matches('.').to_lowercase();
    let found =
        MONTHS.iter().position(|m| *m == word || (m.starts_with(&word) && (word.len() == 3 || word == "sept")))?;
    i8::try_from(found + 1).ok()
}

fn is_weekday(word: &str) -> bool {
    let word = word.to_lowercase();
    word.len() >= 3
        && ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
            .iter()
            .any(|d| d.starts_with(&word))
}

fn day_or_year(word: &str) -> Option<i16> {
    if !word.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    word.trim_end_matches("st").trim_end_matches("nd").trim_end_matches("rd").trim_end_matches("th").parse().ok()
}

/// A zone by its name, as the machine has it, or as this program brought it along where the machine does not.
#[must_use]
pub fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).or_else(|_| jiff::tz::TimeZoneDatabase::bundled().get(name)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin(text: &str) -> Option<String> {
        parse(text, &TimeZone::get("Europe/Berlin").unwrap()).map(|t| t.to_string())
    }

    #[test]
    fn every_form_the_three_generators_accept_is_read() {
        for (text, want) in [
            ("2021-05-07", "2021-05-06T22:00:00Z"),
            ("2021-5-7", "2021-05-06T22:00:00Z"),
            ("2021/05/07", "2021-05-06T22:00:00Z"),
            ("2021-01-07", "2021-01-06T23:00:00Z"),
            ("2021-05-07 10:00", "2021-05-07T08:00:00Z"),
            ("2021-05-07T10:00:30", "2021-05-07T08:00:30Z"),
            ("2021-05-07T10:00:30.5", "2021-05-07T08:00:30.5Z"),
            ("2021-05-07T10:00:00Z", "2021-05-07T10:00:00Z"),
            ("2021-05-07t10:00:00z", "2021-05-07T10:00:00Z"),
            ("2021-05-07T10:00:00+02:00", "2021-05-07T08:00:00Z"),
            ("2021-05-07T10:00:00+02:00[Europe/Berlin]", "2021-05-07T08:00:00Z"),
            ("2021-05-07 10:00:00 +0200", "2021-05-07T08:00:00Z"),
            ("2021-05-07 10:00:00 -05", "2021-05-07T15:00:00Z"),
            ("2021-05-07 10:00:00.123 +0530 IST", "2021-05-07T04:30:00.123Z"),
            ("2021-05-07 10:00:00 UTC", "2021-05-07T10:00:00Z"),
            ("May 7, 2021", "2021-05-06T22:00:00Z"),
            ("7 May 2021", "2021-05-06T22:00:00Z"),
            ("7th of", ""),
            ("Sept 3rd 2021", "2021-09-02T22:00:00Z"),
            ("Fri, 07 May 2021 10:00:00 +0200", "2021-05-07T08:00:00Z"),
            ("Fri May  7 10:00:00 UTC 2021", "2021-05-07T10:00:00Z"),
            ("2021-03-28 02:30", "2021-03-28T01:30:00Z"),
            ("2021-10-31 02:30", "2021-10-31T00:30:00Z"),
        ] {
            assert_eq!(berlin(text).unwrap_or_default(), want, "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        let nested = "(".repeat(20_000);
        for text in [
            "",
            "tomorrow",
            "2024-02-30",
            "0000-01-01",
            "+10000-01-01",
            "2021-13-01",
            "2021-05-07T25:00",
            "99999999999999999999",
            "2021-05-07 10:00 +99:99",
            "2021-05-07 ä",
            "1 2 3 4",
            &nested,
            "٢٠٢١-٠٥-٠٧",
            "2021-05",
            "-2021-05-07",
        ] {
            assert_eq!(berlin(text), None, "{text}");
        }
    }

    #[test]
    fn a_file_name_may_begin_with_its_day() {
        let day = |name| from_file_name(name).map(|(d, s)| (d.to_string(), s.to_owned()));
        assert_eq!(day("2021-05-07-my-post"), Some(("2021-05-07".into(), "my-post".into())));
        assert_eq!(day("2021-5-7_my_post"), Some(("2021-05-07".into(), "my_post".into())));
        for name in ["2021-05-07", "2021-02-30-x", "my-post", "21-05-07-x", "", "2021-05-07-"] {
            assert_eq!(day(name), None, "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,40}") {
            let _ = berlin(&text);
            let _ = from_file_name(&text);
        }

        #[test]
        fn near_dates_do_not_panic_either(text in "[0-9TtZz:+./ a-zA-Z-]{0,40}") {
            let _ = berlin(&text);
            let _ = from_file_name(&text);
        }
    }
}
