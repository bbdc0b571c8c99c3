//! Calendars: in every zone each instant is in one period of each length, and each period has one moment its digest is due.

use gazetted::domain::period::{Days, Per, Period};
use gazetted::domain::schedule::Schedule;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::choice;

/// Zones with a past: half hours, days left out, clocks that move at midnight, by half an hour, by two, southern ones.
const ZONES: [&str; 16] = [
    "UTC",
    "Europe/Berlin",
    "Europe/Lisbon",
    "America/New_York",
    "America/Santiago",
    "America/Havana",
    "America/St_Johns",
    "America/Asuncion",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Pacific/Apia",
    "Pacific/Kiritimati",
];

pub fn have_each_instant_once(data: &[u8]) {
    let (which, rest) = choice(data);
    let zone = TimeZone::get(ZONES[usize::from(which) % ZONES.len()]).expect("a zone");
    let (instant, rest) = rest.split_at(rest.len().min(5));
    let second = instant.iter().fold(0_i64, |sum, byte| sum << 8 | i64::from(*byte));
    // From 1970 to the year 9999.
    let instant = Timestamp::from_second(second % 253_000_000_000).expect("in range");
    in_one_period(instant, &zone);
    let text = String::from_utf8_lossy(rest);
    names_are_written_as_they_are_read(&text);
    if let Ok(schedule) = Schedule::parse(&text) {
        is_due_once(&schedule, &text, instant, &zone);
    }
}

fn in_one_period(instant: Timestamp, zone: &TimeZone) {
    for per in [Per::Week, Per::Month, Per::Quarter, Per::Year] {
        let period = Period::at(per, instant, zone);
        assert!(period.start(zone) <= instant && instant < period.end(zone), "{period} and {instant}");
        for other in [period.previous(), period.next()] {
            assert!(!other.contains(instant, zone), "{other} and {period} both have {instant}");
        }
        assert_eq!(period.previous().end(zone), period.start(zone), "a gap before {period}");
        assert_eq!(Period::parse(&period.to_string()), Some(period));
    }
}

fn names_are_written_as_they_are_read(text: &str) {
    if let Some(period) = Period::parse(text) {
        assert_eq!(period.to_string().to_lowercase(), text.trim().to_lowercase());
    }
    if let Some(days) = Days::parse(text) {
        assert!(days.first <= days.last, "{text} ends before it begins");
    }
}

fn is_due_once(schedule: &Schedule, text: &str, instant: Timestamp, zone: &TimeZone) {
    let closed = Period::at(Per::Month, instant, zone);
    let due = schedule.due_after(closed, zone);
    assert!(due >= closed.end(zone), "`{text}`: {closed} is due at {due}, before it is over");
    assert_eq!(due, schedule.due_after(closed, zone));
    let next = schedule.due_after(closed.next(), zone);
    assert!(next >= due, "`{text}`: {} is due before {closed}", closed.next());
    // A schedule of every month is met in the month that follows.
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields[3] == "*" {
        assert!(closed.next().contains(due, zone), "`{text}`: {closed} is due at {due}");
        assert!(next > due, "`{text}`: two digests at {due}");
    }
}
