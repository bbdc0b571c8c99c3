//! Lengths of time as people write them: `2s`, `10min`, `1h 30m`, `5d`.

use std::fmt;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time; a day is 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span(Duration);

impl Span {
    #[must_use]
    pub const fn seconds(n: u64) -> Self {
        Self(Duration::from_secs(n))
    }

    #[must_use]
    pub const fn minutes(n: u64) -> Self {
        Self::seconds(n * 60)
    }

    #[must_use]
    pub const fn days(n: u64) -> Self {
        Self::seconds(n * 86_400)
    }

    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }

    /// The shorter of the two.
    #[must_use]
    pub fn at_most(self, most: Duration) -> Self {
        Self(self.0.min(most))
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut total = Duration::ZERO;
        let mut rest = text.trim();
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let number: u64 = rest[..digits].parse().ok()?;
            rest = rest[digits..].trim_start();
            let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
            total = total.checked_add(unit(&rest[..letters], number)?)?;
            rest = rest[letters..].trim_start();
        }
        Some(Self(total))
    }
}

fn unit(name: &str, number: u64) -> Option<Duration> {
    let seconds = match name {
        "ms" => return Some(Duration::from_millis(number)),
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        "w" | "week" | "weeks" => 604_800,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match (seconds, self.0.subsec_millis()) {
            (_, ms) if ms > 0 => write!(f, "{}ms", self.0.as_millis()),
            (0, _) => write!(f, "0s"),
            (s, _) if s % 86_400 == 0 => write!(f, "{}d", s / 86_400),
            (s, _) if s % 3_600 == 0 => write!(f, "{}h", s / 3_600),
            (s, _) if s % 60 == 0 => write!(f, "{}min", s / 60),
            (s, _) => write!(f, "{s}s"),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!("`{text}` is no length of time; expected one like `10min`, `2h` or `5d`"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_people_write_them() {
        for (text, seconds) in
            [("2s", 2), ("10min", 600), ("10 minutes", 600), ("1h 30m", 5_400), ("5d", 432_000), ("0s", 0)]
        {
            assert_eq!(Span::parse(text), Some(Span::seconds(seconds)), "{text}");
        }
        for text in ["", "10", "ten minutes", "-1s", "1y", "99999999999999999999s", "18446744073709551615w"] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_length_is_written_so_that_it_is_read_back() {
        for seconds in [0, 1, 60, 90, 3_600, 86_400, 432_000] {
            let span = Span::seconds(seconds);
            assert_eq!(Span::parse(&span.to_string()), Some(span));
        }
    }
}
