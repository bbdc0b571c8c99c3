//! How counts, dates, periods, lists and the goal read in a language. Knows which message says what; the words are the
//! language's own. In English they are those of `domain::wording`.

use jiff::civil::Date;

use super::{Arg, Language};
use crate::domain::goal::{GoalStatus, PeriodState, PeriodStatus};
use crate::domain::period::{Per, Period};
use crate::domain::wording;

impl Language {
    /// `one post`, `nine posts`, `13 posts`, `no posts`.
    #[must_use]
    pub fn posts(&self, count: u32) -> String {
        self.text("posts", &[("count", count.into())])
    }

    /// `1 post`, `9 posts`.
    #[must_use]
    pub fn posts_in_digits(&self, count: u32) -> String {
        self.text("posts-digits", &[("count", count.into())])
    }

    /// `1 month`, `9 weeks`.
    #[must_use]
    pub fn periods(&self, count: u32, per: Per) -> String {
        self.text("periods", &[("periods", count.into()), ("per", per.as_str().into())])
    }

    /// `1.5`, with this language's mark.
    #[must_use]
    pub fn decimal(&self, number: f64) -> String {
        number.to_string().replace('.', &self.text("decimal-mark", &[]))
    }

    /// `A`, `A and B`, `A, B and C`.
    #[must_use]
    pub fn list<S: AsRef<str>>(&self, names: &[S]) -> String {
        match names {
            [] => String::new(),
            [only] => only.as_ref().to_owned(),
            [first @ .., last] => {
                let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
                self.text("list-and", &[("first", first.join(", ").into()), ("last", last.as_ref().into())])
            }
        }
    }

    /// `7 May 2021`.
    #[must_use]
    pub fn day(&self, day: Date) -> String {
        let args = [("day", day.day().into()), ("month", day.month().into()), ("year", day.year().into())];
        self.text("day", &args)
    }

    /// `May`.
    #[must_use]
    pub fn month(&self, day: Date) -> String {
        self.text("month", &[("month", day.month().into())])
    }

    /// `May 2021`, `second quarter of 2021`, `week 7 of 2021`: as it stands within a sentence.
    #[must_use]
    pub fn period(&self, period: Period) -> String {
        self.text("period", &calendar(period))
    }

    /// `May 2021`, `Second quarter of 2021`: as it stands alone.
    #[must_use]
    pub fn period_heading(&self, period: Period) -> String {
        wording::capitalised(&self.period(period))
    }

    /// `May`, `Q2`, `W7`: for narrow columns.
    #[must_use]
    pub fn period_short(&self, period: Period) -> String {
        self.text("period-short", &calendar(period))
    }

    /// `met`, `missed`, `open`, `paused`.
    #[must_use]
    pub fn state(&self, state: PeriodState) -> String {
        self.text("state", &[("state", state.as_str().into())])
    }

    /// `May 2021: 3 posts, met`.
    #[must_use]
    pub fn told(&self, status: &PeriodStatus) -> String {
        let args = [
            ("period", self.period_heading(status.period).into()),
            ("count", status.published.into()),
            ("state", status.state.as_str().into()),
        ];
        self.text("chart-period", &args)
    }

    /// "Goal: one post a month. 9 posts in 8 months – 1 ahead. This month is open: 3 days left, none yet."
    #[must_use]
    pub fn goal_sentence(&self, status: &GoalStatus) -> String {
        let per = || ("per", Arg::from(status.per.as_str()));
        let name = match status.name.trim() {
            "" | "goal" => self.text("goal-name", &[]),
            name => wording::capitalised(name),
        };
        let mut parts = vec![self.text("goal-aim", &[("name", name.into()), ("count", status.posts.into()), per()])];
        if let Some(first) = status.first_to_come() {
            parts.push(self.text("goal-begins", &calendar(first)));
        } else if status.periods.is_empty() {
            parts.push(self.text("goal-none", &[]));
        } else {
            let standing = match status.ahead {
                0 => "pace",
                ahead if ahead > 0 => "ahead",
                _ => "behind",
            };
            let args = [
                ("count", status.published.into()),
                ("periods", status.begun().into()),
                per(),
                ("standing", standing.into()),
                ("by", Arg::Number(status.ahead.saturating_abs())),
            ];
            parts.push(self.text("goal-standing", &args));
        }
        parts.extend(status.current().map(|current| self.goal_now(status, current)));
        parts.join(" ")
    }

    fn goal_now(&self, status: &GoalStatus, current: &PeriodStatus) -> String {
        let per = ("per", status.per.as_str().into());
        match current.state {
            PeriodState::Paused => self.text("goal-paused", &[per]),
            PeriodState::Met => self.text("goal-met", &[per, ("count", current.published.into())]),
            PeriodState::Open | PeriodState::Missed => {
                let args = [
                    per,
                    ("days", status.days_left.into()),
                    ("published", current.published.into()),
                    ("goal", current.goal.into()),
                    ("planned", status.planned.into()),
                ];
                self.text("goal-open", &args)
            }
        }
    }

    /// What each number of a goal is called, and how it reads.
    #[must_use]
    pub fn goal_facts(&self, goal: &GoalStatus) -> Vec<(String, String)> {
        let per = || ("per", Arg::from(goal.per.as_str()));
        let closed = goal.periods_met + goal.periods_missed;
        let value =
            |key: &str, args: &[(&str, Arg<'_>)]| (self.text(key, &[]), self.text(&format!("{key}.value"), args));
        vec![
            value("fact-published", &[("published", goal.published.into()), ("target", goal.target.into())]),
            value("fact-met", &[("met", goal.periods_met.into()), ("periods", closed.into()), per()]),
            value("fact-streak", &[("periods", goal.streak.into()), ("longest", goal.longest_streak.into()), per()]),
            (self.text("fact-gap", &[]), self.periods(goal.longest_gap, goal.per)),
            value("fact-average", &[("average", self.decimal(goal.average).into()), per()]),
            value("fact-forecast", &[("forecast", format!("{:.0}", goal.forecast).into())]),
            (self.text("fact-due", &[]), self.day(goal.next_due)),
        ]
    }
}

/// All that a message about a period may ask for.
fn calendar(period: Period) -> [(&'static str, Arg<'static>); 5] {
    let first = period.first_day();
    let week = first.iso_week_date();
    [
        ("per", period.per().as_str().into()),
        ("month", first.month().into()),
        ("quarter", ((first.month() - 1) / 3 + 1).into()),
        ("week", week.week().into()),
        ("year", period.year().into()),
    ]
}
