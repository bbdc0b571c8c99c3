//! When a monthly job falls due: five-field cron read in the site's calendar. Differs from cron where cron would miss a
//! month: a day the month does not have means its last day. Knows no clock.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use super::period::Period;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    minutes: Field,
    hours: Field,
    days: Field,
    months: Field,
    weekdays: Field,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    values: Vec<i8>,
    /// `L`: the last day of the month.
    last: bool,
    any: bool,
}

impl Schedule {
    pub fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields[..] else {
            return Err(format!("has {} fields", fields.len()));
        };
        let mut schedule = Self {
            minutes: field(minutes, 0, 59, &[])?,
            hours: field(hours, 0, 23, &[])?,
            days: field(days, 1, 31, &[])?,
            months: field(months, 1, 12, &MONTHS)?,
            weekdays: field(weekdays, 0, 7, &DAYS)?,
        };
        if schedule.weekdays.values.contains(&7) {
            schedule.weekdays.values.insert(0, 0);
        }
        Ok(schedule)
    }

    /// The first instant at or after the end of `closed` at which the schedule comes round: when its edition is due.
    #[must_use]
    pub fn due_after(&self, closed: Period, zone: &TimeZone) -> Timestamp {
        let mut month = Period::containing(super::period::Per::Month, closed.next().first_day());
        for _ in 0..24 {
            if self.months.matches(month.first_day().month())
                && let Some(day) = self.first_day(month)
            {
                return self.instant(day, zone);
            }
            month = month.next();
        }
        closed.end(zone)
    }

    fn first_day(&self, month: Period) -> Option<Date> {
        let last = month.last_day();
        let days = || month.first_day().series(jiff::ToSpan::day(1)).take_while(|day| *day <= last);
        if let Some(day) = days().find(|day| self.wants(*day, last)) {
            return Some(day);
        }
        // `31` in a month of thirty days means its last day: a month must not be left out.
        (!self.days.any && self.weekdays.any).then_some(last)
    }

    /// As cron has it: when both the day and the weekday are named, either will do.
    fn wants(&self, day: Date, last: Date) -> bool {
        let by_day = self.days.matches(day.day()) || (self.days.last && day == last);
        let by_weekday = self.weekdays.matches(day.weekday().to_sunday_zero_offset());
        match (self.days.any, self.weekdays.any) {
            (true, _) => by_weekday,
            (_, true) => by_day,
            _ => by_day || by_weekday,
        }
    }

    /// The day's first matching minute. One that the clocks skip is the first minute after the gap, one that comes twice
    /// is the first of the two.
    fn instant(&self, day: Date, zone: &TimeZone) -> Timestamp {
        let hour = self.hours.values.first().copied().unwrap_or(0);
        let minute = self.minutes.values.first().copied().unwrap_or(0);
        let time = Time::new(hour, minute, 0, 0).unwrap_or_default();
        let ambiguous = zone.to_ambiguous_timestamp(day.to_datetime(time));
        if let jiff::tz::AmbiguousOffset::Gap { before, .. } = ambiguous.offset() {
            let in_gap = before.to_timestamp(day.to_datetime(time)).unwrap_or(Timestamp::MAX);
            let just_after = in_gap.checked_add(jiff::SignedDuration::from_secs(1)).unwrap_or(in_gap);
            return zone.preceding(just_after).next().map_or(in_gap, |transition| transition.timestamp());
        }
        ambiguous.compatible().unwrap_or(Timestamp::MAX)
    }
}

impl Field {
    fn matches(&self, value: i8) -> bool {
        self.values.contains(&value)
    }
}

/// `*`, `5`, `1-5`, `*/15`, `1,15`, `mon-fri`, `L`.
fn field(text: &str, low: i8, high: i8, names: &[&str]) -> Result<Field, String> {
    let mut field = Field { values: Vec::new(), last: false, any: text == "*" };
    for part in text.split(',') {
        if part.eq_ignore_ascii_case("l") && high == 31 {
            field.last = true;
            continue;
        }
        let (range, step) = part.split_once('/').map_or((part, Ok(1)), |(range, step)| (range, step.parse::<usize>()));
        let step = step.ok().filter(|s| *s > 0).ok_or_else(|| format!("`{part}` is no step"))?;
        let number = |word: &str| -> Result<i8, String> {
            let named = names.iter().position(|n| n.eq_ignore_ascii_case(word)).and_then(|at| i8::try_from(at).ok());
            let value = named.map_or_else(|| word.parse::<i8>().ok(), |at| Some(if low == 1 { at + 1 } else { at }));
            value
                .filter(|v| (low..=high).contains(v))
                .ok_or_else(|| format!("`{word}` is not between {low} and {high}"))
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (low, high.min(if high == 7 { 6 } else { high })),
            Some((from, to)) => (number(from)?, number(to)?),
            None if part.contains('/') => (number(range)?, high),
            None => (number(range)?, number(range)?),
        };
        if from > to {
            return Err(format!("`{part}` runs backwards"));
        }
        field.values.extend((from..=to).step_by(step));
    }
    field.values.sort_unstable();
    field.values.dedup();
    Ok(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(schedule: &str, closed: &str, zone: &str) -> String {
        let zone = TimeZone::get(zone).unwrap();
        Schedule::parse(schedule).unwrap().due_after(Period::parse(closed).unwrap(), &zone).to_string()
    }

    #[test]
    fn an_edition_is_due_when_the_schedule_next_comes_round() {
        for (schedule, closed, zone, want) in [
            ("0 9 1 * *", "2021-05", "UTC", "2021-06-01T09:00:00Z"),
            ("0 9 1 * *", "2021-12", "UTC", "2022-01-01T09:00:00Z"),
            ("0 9 1 * *", "2021-09", "Europe/Berlin", "2021-10-01T07:00:00Z"),
            ("0 9 1 * *", "2021-10", "Europe/Berlin", "2021-11-01T08:00:00Z"),
            ("0 9 31 * *", "2021-01", "UTC", "2021-02-28T09:00:00Z"),
            ("0 9 L * *", "2020-01", "UTC", "2020-02-29T09:00:00Z"),
            ("30 6 * * mon", "2021-05", "UTC", "2021-06-07T06:30:00Z"),
            ("0 9 1 1,4,7,10 *", "2021-05", "UTC", "2021-07-01T09:00:00Z"),
            ("0 0 1 * *", "2021-05", "Pacific/Kiritimati", "2021-05-31T10:00:00Z"),
            // The clocks skip 02:30 on 2021-03-28; 02:30 on 2021-10-31 comes twice.
            ("30 2 28 * *", "2021-02", "Europe/Berlin", "2021-03-28T01:00:00Z"),
            ("30 2 31 * *", "2021-09", "Europe/Berlin", "2021-10-31T00:30:00Z"),
        ] {
            assert_eq!(due(schedule, closed, zone), want, "{schedule} {closed} {zone}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "0 9 1 *",
            "0 9 1 * * *",
            "60 9 1 * *",
            "0 24 1 * *",
            "0 9 0 * *",
            "0 9 32 * *",
            "0 9 1 13 *",
            "x 9 1 * *",
            "*/0 9 1 * *",
            "5-1 9 1 * *",
        ] {
            assert!(Schedule::parse(text).is_err(), "{text}");
        }
    }

    /// FAULTS E1: every month of every zone has exactly one due instant, inside the month that follows.
    #[test]
    fn every_month_of_every_zone_is_due_exactly_once() {
        for zone in jiff::tz::db().available().step_by(5) {
            let Ok(zone) = TimeZone::get(zone.as_str()) else { continue };
            for day in ["1", "15", "29", "30", "31", "L"] {
                for time in ["0 0", "30 2", "59 23"] {
                    let schedule = Schedule::parse(&format!("{time} {day} * *")).unwrap();
                    let mut month = Period::parse("2010-12").unwrap();
                    for _ in 0..24 {
                        let due = schedule.due_after(month, &zone);
                        assert!(month.next().contains(due, &zone), "{zone:?} {day} {time} {month} {due}");
                        month = month.next();
                    }
                }
            }
        }
    }

    /// FAULTS E1, against the plainest reading there is: the first quarter of an hour that day whose wall clock has reached the time.
    #[test]
    fn on_days_the_clocks_are_moved_a_digest_is_due_when_the_wall_clock_first_reaches_its_time() {
        let moved = [
            ("Europe/Berlin", "2021-03-28"),
            ("Europe/Berlin", "2021-10-31"),
            ("America/Santiago", "2019-09-08"),
            ("America/Santiago", "2020-04-04"),
            ("America/Havana", "2021-03-14"),
            ("America/Asuncion", "2022-10-02"),
            ("Africa/Cairo", "2014-05-16"),
            ("Asia/Beirut", "2021-03-28"),
            ("Asia/Kathmandu", "2021-03-28"),
            ("Australia/Lord_Howe", "2021-04-04"),
            ("Australia/Lord_Howe", "2021-10-03"),
            ("Antarctica/Troll", "2021-03-28"),
            ("Antarctica/Troll", "2021-10-31"),
            ("Pacific/Apia", "2011-12-29"),
            ("Pacific/Apia", "2011-12-31"),
        ];
        for (name, day) in moved {
            let (zone, day): (_, Date) = (TimeZone::get(name).unwrap(), day.parse().unwrap());
            let closed = Period::containing(crate::domain::period::Per::Month, day).previous();
            for half_hours in 0..48_i8 {
                let time = Time::new(half_hours / 2, half_hours % 2 * 30, 0, 0).unwrap();
                let schedule = format!("{} {} {} * *", time.minute(), time.hour(), day.day());
                let due = Schedule::parse(&schedule).unwrap().due_after(closed, &zone);
                let before = jiff::tz::Offset::UTC.to_timestamp(day.to_datetime(Time::midnight())).unwrap();
                let mut looked_at = before.checked_sub(jiff::SignedDuration::from_hours(26)).unwrap();
                while zone.to_datetime(looked_at) < day.to_datetime(time) {
                    looked_at = looked_at.checked_add(jiff::SignedDuration::from_mins(15)).unwrap();
                }
                assert_eq!(due, looked_at, "{schedule} in {name}");
            }
        }
    }
}
