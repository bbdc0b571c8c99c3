//! Calendar periods: weeks, months, quarters and years in a time zone, and how people write them. Knows the calendar
//! and nothing of posts.

use std::fmt;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// How long a period is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    Week,
    #[default]
    Month,
    Quarter,
    Year,
}

impl Per {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// How many of these make a year, for the forecast.
    #[must_use]
    pub fn in_a_year(self) -> u32 {
        match self {
            Self::Week => 52,
            Self::Month => 12,
            Self::Quarter => 4,
            Self::Year => 1,
        }
    }
}

/// One period: the half-open stretch from the first instant of its first day to that of the next period's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    first: Date,
    per: Per,
}

impl Period {
    #[must_use]
    pub fn containing(per: Per, day: Date) -> Self {
        let first = match per {
            Per::Week => day.saturating_sub(i32::from(day.weekday().since(Weekday::Monday)).days()),
            Per::Month => day.first_of_month(),
            Per::Quarter => {
                let month = (day.month() - 1) / 3 * 3 + 1;
                Date::new(day.year(), month, 1).unwrap_or(day)
            }
            Per::Year => day.first_of_year(),
        };
        Self { first, per }
    }

    #[must_use]
    pub fn at(per: Per, instant: Timestamp, zone: &TimeZone) -> Self {
        Self::containing(per, zone.to_datetime(instant).date())
    }

    #[must_use]
    pub fn month(year: i16, month: i8) -> Option<Self> {
        Date::new(year, month, 1).ok().map(|first| Self { first, per: Per::Month })
    }

    #[must_use]
    pub fn per(self) -> Per {
        self.per
    }

    /// The year it is counted to: a week belongs to the one most of its days lie in.
    #[must_use]
    pub fn year(self) -> i16 {
        if self.per == Per::Week { self.first.iso_week_date().year() } else { self.first.year() }
    }

    #[must_use]
    pub fn first_day(self) -> Date {
        self.first
    }

    #[must_use]
    pub fn last_day(self) -> Date {
        match self.per {
            Per::Week => self.first.saturating_add(6.days()),
            Per::Month => self.first.last_of_month(),
            Per::Quarter => self.first.saturating_add(2.months()).last_of_month(),
            Per::Year => self.first.last_of_year(),
        }
    }

    #[must_use]
    pub fn next(self) -> Self {
        let first = match self.per {
            Per::Week => self.first.saturating_add(1.week()),
            Per::Month => self.first.saturating_add(1.month()),
            Per::Quarter => self.first.saturating_add(3.months()),
            Per::Year => self.first.saturating_add(1.year()),
        };
        Self { first, per: self.per }
    }

    #[must_use]
    pub fn previous(self) -> Self {
        Self::containing(self.per, self.first.yesterday().unwrap_or(self.first))
    }

    /// The first instant of the period. A day that has no midnight (a zone skipped it) starts at its first instant.
    #[must_use]
    pub fn start(self, zone: &TimeZone) -> Timestamp {
        first_instant(self.first, zone)
    }

    /// The first instant after the period.
    #[must_use]
    pub fn end(self, zone: &TimeZone) -> Timestamp {
        self.next().start(zone)
    }

    #[must_use]
    pub fn contains(self, instant: Timestamp, zone: &TimeZone) -> bool {
        Self::at(self.per, instant, zone) == self
    }

    /// Reads `2021-05`, `2021-Q2`, `2021-W07` or `2021`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(year) = four_digits(text.trim()) {
            return Some(Self { first: Date::new(year, 1, 1).ok()?, per: Per::Year });
        }
        let (year, rest) = text.trim().split_once('-')?;
        let year = four_digits(year)?;
        if let Some(quarter) = rest.strip_prefix(['Q', 'q']) {
            let quarter = one_digit(quarter).filter(|q| (1..=4).contains(q))?;
            let first = Date::new(year, quarter * 3 - 2, 1).ok()?;
            return Some(Self { first, per: Per::Quarter });
        }
        if let Some(week) = rest.strip_prefix(['W', 'w']) {
            let first = jiff::civil::ISOWeekDate::new(year, two_digits(week)?, Weekday::Monday).ok()?.date();
            return Some(Self { first, per: Per::Week });
        }
        Self::month(year, two_digits(rest)?)
    }
}

fn first_instant(day: Date, zone: &TimeZone) -> Timestamp {
    match zone.to_ambiguous_timestamp(day.to_datetime(jiff::civil::Time::midnight())).compatible() {
        Ok(instant) => instant,
        Err(_) => Timestamp::MAX,
    }
}

fn four_digits(text: &str) -> Option<i16> {
    (text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn one_digit(text: &str) -> Option<i8> {
    (text.len() == 1 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn two_digits(text: &str) -> Option<i8> {
    (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// `2021-05`, `2021-Q2`, `2021-W07`, `2021`.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.per {
            Per::Week => {
                let week = self.first.iso_week_date();
                write!(f, "{:04}-W{:02}", week.year(), week.week())
            }
            Per::Month => write!(f, "{:04}-{:02}", self.first.year(), self.first.month()),
            Per::Quarter => write!(f, "{:04}-Q{}", self.first.year(), (self.first.month() - 1) / 3 + 1),
            Per::Year => write!(f, "{:04}", self.first.year()),
        }
    }
}

impl Serialize for Period {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no period; {EXPECTED}")))
    }
}

/// A stretch of days as `--from` and `--to` name it, both ends inclusive: `2021`, `2021-Q2`, `2021-05`, `2021-W07`,
/// `2021-05-07`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    pub first: Date,
    pub last: Date,
}

impl Days {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(period) = Period::parse(text) {
            return Some(Self { first: period.first_day(), last: period.last_day() });
        }
        let day: Date = (text.len() == 10).then(|| text.parse().ok())??;
        Some(Self { first: day, last: day })
    }

    #[must_use]
    pub fn start(self, zone: &TimeZone) -> Timestamp {
        first_instant(self.first, zone)
    }

    /// The first instant after the last day.
    #[must_use]
    pub fn end(self, zone: &TimeZone) -> Timestamp {
        self.last.tomorrow().map_or(Timestamp::MAX, |day| first_instant(day, zone))
    }
}

/// What `--from`, `--to` and PERIOD expect, for error messages.
pub const EXPECTED: &str = "expected `2021-05`, `2021`, `2021-Q2`, `2021-W07` or `2021-05-07`";

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    #[test]
    fn periods_are_written_and_read_the_same_way() {
        for text in ["2021-05", "2021-12", "2021-Q2", "2020-Q4", "2021-W07", "2020-W53", "2021"] {
            assert_eq!(Period::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "021",
            "2021-13",
            "21-05",
            "2021-Q5",
            "2021-W54",
            "2021-5",
            "2021-W7",
            "2021-W007",
            "2021-Q+2",
            "2021-Q02",
            "2021-05-07",
            "x-05",
        ] {
            assert_eq!(Period::parse(text), None, "{text}");
        }
    }

    #[test]
    fn ranges_name_their_first_and_last_day() {
        for (text, first, last) in [
            ("2021", "2021-01-01", "2021-12-31"),
            ("2021-Q2", "2021-04-01", "2021-06-30"),
            ("2020-02", "2020-02-01", "2020-02-29"),
            ("2021-05-07", "2021-05-07", "2021-05-07"),
            ("2021-W01", "2021-01-04", "2021-01-10"),
        ] {
            let days = Days::parse(text).unwrap();
            assert_eq!((days.first.to_string(), days.last.to_string()), (first.into(), last.into()), "{text}");
        }
        assert_eq!(Days::parse("2021-02-30"), None);
        assert_eq!(Days::parse("tomorrow"), None);
    }

    #[test]
    fn every_instant_lies_in_exactly_one_period_of_each_length() {
        for name in ["UTC", "Europe/Berlin", "America/Santiago", "Pacific/Apia", "Asia/Kathmandu", "Antarctica/Troll"] {
            let zone = zone(name);
            let mut period = Period::parse("2010-01").unwrap();
            for _ in 0..180 {
                let (start, end) = (period.start(&zone), period.end(&zone));
                assert!(start < end, "{name} {period}");
                assert!(period.contains(start, &zone), "{name} {period}");
                let before = start.checked_sub(1.microsecond()).unwrap();
                assert_eq!(Period::at(Per::Month, before, &zone), period.previous(), "{name} {period}");
                assert_eq!(period.next().previous(), period);
                period = period.next();
            }
        }
    }

    /// FAULTS E4.
    #[test]
    fn leap_days_and_the_ends_of_years_belong_to_the_months_of_the_calendar() {
        for (instant, zone_name, month, last, quarter, week) in [
            ("2024-02-29T23:59:59Z", "UTC", "2024-02", "2024-02-29", "2024-Q1", "2024-W09"),
            ("2024-03-01T00:00:00Z", "UTC", "2024-03", "2024-03-31", "2024-Q1", "2024-W09"),
            ("2100-02-28T23:59:59Z", "UTC", "2100-02", "2100-02-28", "2100-Q1", "2100-W08"),
            ("2000-02-29T12:00:00Z", "UTC", "2000-02", "2000-02-29", "2000-Q1", "2000-W09"),
            ("2020-12-31T23:59:59Z", "UTC", "2020-12", "2020-12-31", "2020-Q4", "2020-W53"),
            ("2020-12-31T23:59:59Z", "Europe/Berlin", "2021-01", "2021-01-31", "2021-Q1", "2020-W53"),
            ("2021-01-01T04:59:59Z", "America/New_York", "2020-12", "2020-12-31", "2020-Q4", "2020-W53"),
            ("2038-01-19T03:14:08Z", "UTC", "2038-01", "2038-01-31", "2038-Q1", "2038-W03"),
            ("9999-12-30T00:00:00Z", "UTC", "9999-12", "9999-12-31", "9999-Q4", "9999-W52"),
        ] {
            let (instant, zone) = (instant.parse().unwrap(), zone(zone_name));
            let at = |per| Period::at(per, instant, &zone);
            let found = [at(Per::Month), at(Per::Quarter), at(Per::Week)].map(|period| period.to_string());
            assert_eq!(found, [month, quarter, week], "{instant} {zone_name}");
            assert_eq!(at(Per::Month).last_day().to_string(), last, "{instant} {zone_name}");
        }
    }

    #[test]
    fn a_day_whose_midnight_is_skipped_starts_at_its_first_minute() {
        // Chile moved its clocks at midnight: 2019-09-08 begins at 01:00.
        let day = Days::parse("2019-09-08").unwrap();
        let zone = zone("America/Santiago");
        assert_eq!(zone.to_datetime(day.start(&zone)).time().to_string(), "01:00:00");
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(20_000))]

        /// FAULTS E5: a post dated around a month's midnight, with any offset, is in one month's edition, whatever the zone.
        #[test]
        fn an_instant_around_midnight_is_in_exactly_one_month(
            months in 0_i32..1_200, seconds in -100_000_i64..100_000, offset in -14_i8..=14, name in 0_usize..6,
        ) {
            let names = ["UTC", "Europe/Berlin", "America/Santiago", "Pacific/Apia", "Asia/Kathmandu", "Pacific/Kiritimati"];
            let zone = zone(names[name]);
            let written = jiff::civil::date(1970, 1, 1).saturating_add(months.months()).to_datetime(jiff::civil::Time::midnight());
            let instant = jiff::tz::offset(offset).to_timestamp(written.saturating_add(seconds.seconds())).unwrap();
            let month = Period::at(Per::Month, instant, &zone);
            let around = [month.previous().previous(), month.previous(), month, month.next(), month.next().next()];
            let within = |period: &Period| period.start(&zone) <= instant && instant < period.end(&zone);
            let found: Vec<Period> = around.into_iter().filter(within).collect();
            proptest::prop_assert_eq!(found, vec![month]);
            proptest::prop_assert!(around.iter().all(|period| period.contains(instant, &zone) == (*period == month)));
        }
    }
}
