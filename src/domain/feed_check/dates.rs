//! Dates, strictly: RFC 822 with RSS's four-digit years, RFC 3339 for everybody else.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Findings;
use crate::domain::dates as forgiving;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const ZONES: [&str; 12] = ["GMT", "UT", "UTC", "Z", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT"];
/// Clocks differ; posts are not announced from the day after.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Rfc822,
    Rfc3339,
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Good(Timestamp),
    Unreadable(&'static str),
    WrongDay(Weekday),
    ShortYear,
}

impl Findings<'_> {
    /// Checks one date; gives the instant if it can be had.
    pub(super) fn date(&mut self, at: usize, what: &str, text: &str, style: Style) -> Option<Timestamp> {
        if style == Style::Rfc3339 && text.trim() != text {
            let message = format!("{what} has white space around it");
            self.error(at, "whitespace", message, "write the date alone: strict readers do not take it otherwise");
        }
        let text = text.trim();
        let (found, like) = match style {
            Style::Rfc822 => (rfc822(text), "Fri, 07 May 2021 10:00:00 GMT"),
            Style::Rfc3339 => (rfc3339(text), "2021-05-07T10:00:00Z"),
        };
        let hint = format!("expected one like `{like}`");
        match found {
            Found::Good(instant) => {
                self.plausible(at, what, instant);
                return Some(instant);
            }
            Found::Unreadable(why) => self.error(at, "date", format!("{what} `{text}` {why}"), hint),
            Found::WrongDay(day) => {
                let right = DAYS[usize::try_from(day.to_monday_zero_offset()).unwrap_or_default()];
                self.error(
                    at,
                    "date-weekday",
                    format!("{what} `{text}` was no such day of the week"),
                    format!("that day was a {right}"),
                );
            }
            Found::ShortYear => self.warn(at, "date-year", format!("{what} `{text}` has a year of two digits"), hint),
        }
        None
    }

    fn plausible(&mut self, at: usize, what: &str, instant: Timestamp) {
        let year = TimeZone::UTC.to_datetime(instant).year();
        if instant > self.now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX) {
            self.warn(
                at,
                "date-future",
                format!("{what} is in the future"),
                "readers put it first until then, or hide it: publish it when its day has come",
            );
        } else if year < 1990 {
            self.warn(
                at,
                "date-past",
                format!("{what} is in {year}"),
                "nothing was published on the web then: a date was left out, and its default written",
            );
        }
    }
}

fn rfc822(text: &str) -> Found {
    let expected = Found::Unreadable("is no date of RSS");
    let (day_name, rest) = match text.split_once(',') {
        Some((day, rest)) => (Some(day.trim()), rest),
        None => (None, text),
    };
    let words: Vec<&str> = rest.split_whitespace().collect();
    let [day, month, year, time, zone] = words[..] else {
        return if words.len() == 4 { Found::Unreadable("has no time zone, or no time") } else { expected };
    };
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month)).and_then(|m| i8::try_from(m + 1).ok());
    let digits = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    };
    let (Some(month), true) = (month, digits(day, 1..=2)) else { return expected };
    if digits(year, 2..=2) {
        return Found::ShortYear;
    }
    let date = digits(year, 4..=4).then(|| Date::new(year.parse().ok()?, month, day.parse().ok()?).ok()).flatten();
    let Some(date) = date else { return expected };
    let clock: Vec<&str> = time.split(':').collect();
    if !(2..=3).contains(&clock.len()) || !clock.iter().all(|part| digits(part, 2..=2)) {
        return expected;
    }
    let numeric = zone.len() == 5 && zone.starts_with(['+', '-']) && digits(&zone[1..], 4..=4);
    if !numeric && !ZONES.contains(&zone) {
        return Found::Unreadable("has no time zone of RFC 822");
    }
    let wrong_day = match day_name.map(|name| DAYS.iter().position(|day| day.eq_ignore_ascii_case(name))) {
        Some(None) => return expected,
        Some(Some(said)) => i8::try_from(said).ok() != Some(date.weekday().to_monday_zero_offset()),
        None => false,
    };
    if wrong_day {
        return Found::WrongDay(date.weekday());
    }
    let plain = format!("{date} {time} {}", if zone == "UT" { "UTC" } else { zone });
    forgiving::parse(&plain, &TimeZone::UTC).map_or(expected, Found::Good)
}

fn rfc3339(text: &str) -> Found {
    let bytes = text.as_bytes();
    if bytes.len() == 10 && forgiving::parse(text, &TimeZone::UTC).is_some() {
        return Found::Unreadable("has no time");
    }
    let shape = |pattern: &[u8]| {
        bytes.len() >= pattern.len()
            && bytes.iter().zip(pattern).all(|(b, p)| if *p == b'0' { b.is_ascii_digit() } else { b == p })
    };
    if !shape(b"0000-00-00T00:00:00") {
        return Found::Unreadable("is no date of RFC 3339");
    }
    if text[17..19].parse::<u8>().is_ok_and(|seconds| seconds > 60) {
        return Found::Unreadable("is no date of RFC 3339");
    }
    let rest = &text[19..];
    let fraction = rest.strip_prefix('.').map_or(0, |digits| 1 + digits.bytes().take_while(u8::is_ascii_digit).count());
    let zone = &rest.as_bytes()[fraction..];
    let numeric = zone.len() == 6 && matches!(zone[0], b'+' | b'-') && zone[3] == b':';
    if fraction == 1 || !(zone == b"Z" || numeric) {
        return Found::Unreadable("has no time zone");
    }
    forgiving::parse(text, &TimeZone::UTC).map_or(Found::Unreadable("is no date of RFC 3339"), Found::Good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_rss_are_told_from_what_only_looks_like_them() {
        let good = |text: &str| Found::Good(text.parse().unwrap());
        for (text, want) in [
            ("Fri, 07 May 2021 10:00:00 GMT", good("2021-05-07T10:00:00Z")),
            ("7 May 2021 10:00 +0200", good("2021-05-07T08:00:00Z")),
            ("Fri, 07 May 2021 10:00:00 EST", good("2021-05-07T15:00:00Z")),
            ("Thu, 07 May 2021 10:00:00 GMT", Found::WrongDay(Weekday::Friday)),
            ("Fri, 07 May 21 10:00:00 GMT", Found::ShortYear),
            ("Fri, 07 May 2021 10:00:00", Found::Unreadable("has no time zone, or no time")),
            ("Fri, 07 May 2021 10:00:00 CEST", Found::Unreadable("has no time zone of RFC 822")),
            ("2021-05-07T10:00:00Z", Found::Unreadable("is no date of RSS")),
            ("Fri, 31 Feb 2021 10:00:00 GMT", Found::Unreadable("is no date of RSS")),
            ("Frei, 07 May 2021 10:00:00 GMT", Found::Unreadable("is no date of RSS")),
            ("Fri, 07 May 2021 25:00:00 GMT", Found::Unreadable("is no date of RSS")),
            ("", Found::Unreadable("is no date of RSS")),
        ] {
            assert_eq!(rfc822(text), want, "{text}");
        }
    }

    #[test]
    fn dates_of_rfc_3339_are_told_from_what_only_looks_like_them() {
        let good = |text: &str| Found::Good(text.parse().unwrap());
        for (text, want) in [
            ("2021-05-07T10:00:00Z", good("2021-05-07T10:00:00Z")),
            ("2021-05-07T10:00:00.25+02:00", good("2021-05-07T08:00:00.25Z")),
            ("2021-05-07", Found::Unreadable("has no time")),
            ("2021-05-07 10:00:00Z", Found::Unreadable("is no date of RFC 3339")),
            ("2021-05-07T10:00:00", Found::Unreadable("has no time zone")),
            ("2021-05-07T10:00:00+0200", Found::Unreadable("has no time zone")),
            ("2021-02-31T10:00:00Z", Found::Unreadable("is no date of RFC 3339")),
            ("Fri, 07 May 2021 10:00:00 GMT", Found::Unreadable("is no date of RFC 3339")),
            ("2021-05-07T10:00:00.Z", Found::Unreadable("has no time zone")),
            ("", Found::Unreadable("is no date of RFC 3339")),
        ] {
            assert_eq!(rfc3339(text), want, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_them_panic(text in "\\PC{0,40}", near in "[0-9TZ:+., A-Za-zé-]{0,40}") {
            for text in [text, near] {
                let _ = (rfc822(&text), rfc3339(&text));
            }
        }
    }
}
