//! Nudges: when editors are reminded that a period is open and its goal not met. Knows a goal's standing and a calendar;
//! whom it is told to, and in which words, is decided elsewhere. A period that is met, closed or a pause is never
//! mentioned.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::goal::{GoalStatus, PeriodState};
use super::period::{Per, Period};

/// When within a period: on its fifteenth day, or when three days are left of it, that day included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Day(u16),
    Left(u16),
}

pub const EXPECTED: &str = "expected `day 15` (of the period) or `3 days left`";

impl Stage {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let number = |text: &str| text.trim().parse().ok().filter(|number| (1..=366).contains(number));
        if let Some(day) = text.strip_prefix("day ") {
            return number(day).map(Self::Day);
        }
        let left = text.strip_suffix(" days left").or_else(|| text.strip_suffix(" day left"))?;
        number(left).map(Self::Left)
    }

    /// Whether any period of this length has such a day.
    #[must_use]
    pub fn fits(self, per: Per) -> bool {
        let (Self::Day(days) | Self::Left(days)) = self;
        let longest = match per {
            Per::Week => 7,
            Per::Month => 31,
            Per::Quarter => 92,
            Per::Year => 366,
        };
        days <= longest
    }

    /// Its day; none if the period is too short for it.
    #[must_use]
    pub fn date(self, period: Period) -> Option<Date> {
        let date = match self {
            Self::Day(day) => period.first_day().checked_add((i32::from(day) - 1).days()),
            Self::Left(days) => period.last_day().checked_sub((i32::from(days) - 1).days()),
        };
        date.ok().filter(|date| (period.first_day()..=period.last_day()).contains(date))
    }
}

/// As a part of a name: `day-15`, `left-3`.
impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => write!(f, "day-{day}"),
            Self::Left(days) => write!(f, "left-{days}"),
        }
    }
}

/// One nudge that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nudge {
    pub period: Period,
    pub stage: Stage,
}

impl Nudge {
    /// What tells it from all others, so that it goes out once.
    #[must_use]
    pub fn name(&self, goal: &GoalStatus) -> String {
        format!("{}{}", prefix(goal, self.period), self.stage)
    }
}

/// What the names of all nudges of a period begin with.
#[must_use]
pub fn prefix(goal: &GoalStatus, period: Period) -> String {
    format!("nudge/{}/{period}/", goal.slug)
}

/// Whether a letter of this name is a nudge whose period is over: what it asks for can be done no more.
#[must_use]
pub fn is_over(name: &str, zone: &TimeZone, now: Timestamp) -> bool {
    let period = name.strip_prefix("nudge/").and_then(|rest| Period::parse(rest.split('/').nth(1)?));
    period.is_some_and(|period| period.end(zone) <= now)
}

/// The nudge whose day has come: of several that have, the latest, so that whoever was away is told once. `today` is the
/// day whose hour for nudges has struck.
#[must_use]
pub fn due(goal: &GoalStatus, stages: &[Stage], today: Date) -> Option<Nudge> {
    let current = goal.current().filter(|current| current.state == PeriodState::Open)?;
    let period = current.period;
    let dated = stages.iter().filter_map(|stage| Some((stage.date(period)?, *stage)));
    let (_, stage) = dated.filter(|(date, _)| *date <= today).max()?;
    Some(Nudge { period, stage })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::goal::{Bounds, Spec, status};
    use crate::domain::period::{Days, Per};
    use crate::domain::post::{Post, Written};

    const STAGES: [Stage; 3] = [Stage::Day(15), Stage::Day(25), Stage::Left(3)];

    fn standing(spec: &Spec, day: &str, posts: &[&str]) -> GoalStatus {
        let at = |day: &str| Some(format!("{day}T12:00:00Z").parse().unwrap());
        let post = |day: &&str| Post::published(Written { date: at(day), ..Written::sample() });
        let posts: Vec<Post> = posts.iter().map(post).collect();
        status(spec, &posts, &TimeZone::UTC, format!("{day}T23:00:00Z").parse().unwrap(), Bounds::default())
    }

    fn told(spec: &Spec, day: &str, posts: &[&str]) -> Option<String> {
        let goal = standing(spec, day, posts);
        due(&goal, &STAGES, day.parse().unwrap()).map(|nudge| nudge.name(&goal))
    }

    #[test]
    fn each_stage_comes_on_its_day_and_the_latest_one_counts() {
        let posts = ["2021-06-03"];
        for (day, expected) in [
            ("2021-07-14", None),
            ("2021-07-15", Some("nudge/goal/2021-07/day-15")),
            ("2021-07-24", Some("nudge/goal/2021-07/day-15")),
            ("2021-07-25", Some("nudge/goal/2021-07/day-25")),
            ("2021-07-28", Some("nudge/goal/2021-07/day-25")),
            ("2021-07-29", Some("nudge/goal/2021-07/left-3")),
            ("2021-07-31", Some("nudge/goal/2021-07/left-3")),
            ("2021-08-01", None),
        ] {
            assert_eq!(told(&Spec::default(), day, &posts).as_deref(), expected, "{day}");
        }
    }

    #[test]
    fn nobody_is_nudged_about_what_is_met_or_a_pause_and_half_a_goal_is_not_met() {
        assert_eq!(told(&Spec::default(), "2021-07-30", &["2021-07-02"]), None);
        let two = Spec { posts: 2, ..Spec::default() };
        assert!(told(&two, "2021-07-30", &["2021-07-02"]).is_some());
        let paused = Spec { pauses: vec![Days::parse("2021-07").unwrap()], ..Spec::default() };
        assert_eq!(told(&paused, "2021-07-30", &["2021-06-02"]), None);
        assert_eq!(told(&Spec::default(), "2021-07-30", &[]), None, "a blog that has not begun owes nothing");
    }

    #[test]
    fn stages_that_a_period_is_too_short_for_do_not_come() {
        let weekly = Spec { per: Per::Week, ..Spec::default() };
        // 2021-07-12 is a Monday.
        assert_eq!(told(&weekly, "2021-07-15", &["2021-06-02"]), None);
        assert_eq!(told(&weekly, "2021-07-16", &["2021-06-02"]).as_deref(), Some("nudge/goal/2021-W28/left-3"));
        let february = Period::month(2021, 2).unwrap();
        assert_eq!((Stage::Day(29).date(february), Stage::Day(28).date(february)), (None, Some(date(2021, 2, 28))));
        assert_eq!(Stage::Left(1).date(february), Some(date(2021, 2, 28)));
    }

    #[test]
    fn a_week_has_no_fifteenth_day() {
        for (stage, per, fits) in [
            (Stage::Day(15), Per::Week, false),
            (Stage::Left(7), Per::Week, true),
            (Stage::Left(40), Per::Month, false),
            (Stage::Day(92), Per::Quarter, true),
        ] {
            assert_eq!(stage.fits(per), fits, "{stage} {per:?}");
        }
    }

    #[test]
    fn stages_are_read_as_people_write_them() {
        for (text, stage) in
            [("day 15", Stage::Day(15)), (" 3 days left", Stage::Left(3)), ("1 Day Left", Stage::Left(1))]
        {
            assert_eq!(Stage::parse(text), Some(stage), "{text}");
        }
        for text in ["", "15", "day", "day 0", "day -1", "0 days left", "days left", "day 400", "3 weeks left"] {
            assert_eq!(Stage::parse(text), None, "{text}");
        }
    }
}
