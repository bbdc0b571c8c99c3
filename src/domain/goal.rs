//! The goal: so many posts a period, and where the blog stands. Knows posts, periods and a zone; what time it is, it is
//! told. DESIGN §4.5 is its contract; the readings it leaves open are stated here:
//!
//! * A period counts from the one `since` lies in, whole, even if `since` is in the middle of it.
//! * A pause covers a period when it covers at least half of its days. A paused period asks for nothing, is neither met
//!   nor missed, and leaves streaks and gaps as they were; posts in it still count as published.
//! * The average is over the periods that were not paused, the open one included.
//! * The pace is the mean of the last year's worth of closed, unpaused periods (12 months, 52 weeks, 4 quarters; fewer
//!   on a younger blog). The forecast is what is published in the year, plus the pace for each period of the year still
//!   to come, plus what the open period lacks of the pace.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::period::{Days, Per, Period};
use super::post::{Post, State as PostState, Written};
use super::wording;

/// What the owner set.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    pub name: String,
    /// What its addresses are made with.
    pub slug: String,
    /// Posts a period.
    pub posts: u32,
    pub per: Per,
    pub since: Option<Date>,
    pub author: Option<String>,
    pub tag: Option<String>,
    pub section: Option<String>,
    pub pauses: Vec<Days>,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            name: "goal".into(),
            slug: "goal".into(),
            posts: 1,
            per: Per::Month,
            since: None,
            author: None,
            tag: None,
            section: None,
            pauses: Vec::new(),
        }
    }
}

impl Spec {
    /// Whether a post is of the kind this goal counts, published or not. In several languages it is one.
    #[must_use]
    pub fn wants(&self, post: &Post) -> bool {
        self.fits(post) && post.original.as_ref().is_none_or(|original| !self.fits(original))
    }

    fn fits(&self, post: &Written) -> bool {
        self.author.as_deref().is_none_or(|author| post.by(author))
            && self.tag.as_deref().is_none_or(|tag| post.tagged(tag))
            && self.section.as_deref().is_none_or(|section| post.is_in(section))
    }

    fn pauses(&self, period: Period) -> bool {
        let days = days_between(period.first_day(), period.last_day());
        let paused: i32 = self
            .pauses
            .iter()
            .map(|pause| days_between(pause.first.max(period.first_day()), pause.last.min(period.last_day())).max(0))
            .sum();
        paused > 0 && paused * 2 >= days
    }
}

/// Both ends counted; 0 or less if `last` comes before `first`.
fn days_between(first: Date, last: Date) -> i32 {
    first.until(last).map_or(0, |span| span.get_days()) + 1
}

/// The periods asked for with `--from` and `--to`; both ends inclusive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    pub from: Option<Date>,
    pub to: Option<Date>,
    /// Of a period that is not whole within them, only the days that are.
    pub by_day: bool,
}

impl Bounds {
    fn hold(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PeriodState {
    Met,
    Missed,
    /// Not closed yet, and not met yet.
    Open,
    Paused,
}

impl PeriodState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Open => "open",
            Self::Paused => "paused",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodStatus {
    pub period: Period,
    pub published: u32,
    /// What the period asks for; nothing when paused.
    pub goal: u32,
    pub state: PeriodState,
    /// Whether `now` is past its end; a met period may still be running.
    #[serde(default = "over")]
    pub closed: bool,
}

/// What was kept before `closed` was: editions sum up what is over.
fn over() -> bool {
    true
}

/// Where the blog stands: `goal --json`'s object. An edition keeps it, so what a later version adds must have a default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GoalStatus {
    pub name: String,
    /// What its addresses are made with: `/goal/SLUG`.
    pub slug: String,
    pub posts: u32,
    pub per: Per,
    /// The first day of the first period counted; none while there is nothing to count from.
    pub since: Option<Date>,
    /// The last day of the last period counted.
    pub until: Option<Date>,
    /// The first day that will count, if none has come yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begins: Option<Date>,
    pub published: u32,
    pub target: u32,
    /// Published less target: behind when negative.
    pub ahead: i64,
    pub periods_met: u32,
    pub periods_missed: u32,
    pub streak: u32,
    pub longest_streak: u32,
    pub longest_gap: u32,
    pub average: f64,
    pub forecast: f64,
    /// The last day on which the next post is in time.
    pub next_due: Date,
    /// That day and those after it, for a year's worth of periods.
    #[serde(skip)]
    pub due: Vec<Date>,
    pub periods: Vec<PeriodStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// Posts dated later in the running period: they publish themselves, and are not counted before.
    pub planned: u32,
    /// Days left in the running period, today included; 0 when the last period counted is closed.
    pub days_left: u32,
    /// All of this in plain words.
    pub sentence: String,
}

impl GoalStatus {
    /// The first period that will count, if none has come yet.
    #[must_use]
    pub fn first_to_come(&self) -> Option<Period> {
        self.begins.map(|day| Period::containing(self.per, day))
    }

    /// How many periods ask for something.
    #[must_use]
    pub fn begun(&self) -> u32 {
        self.periods.iter().fold(0, |sum, p| sum + u32::from(p.state != PeriodState::Paused))
    }

    /// The period that is running at `now`, if it is among those counted.
    #[must_use]
    pub fn current(&self) -> Option<&PeriodStatus> {
        self.periods.last().filter(|status| !status.closed)
    }
}

/// Where the blog stands at `now`.
#[must_use]
pub fn status(spec: &Spec, posts: &[Post], zone: &TimeZone, now: Timestamp, bounds: Bounds) -> GoalStatus {
    let today = zone.to_datetime(now).date();
    let counts = count(spec, posts, zone, now, |_| true);
    let running = Period::containing(spec.per, today);
    let first = first(spec, &counts, bounds);
    let last = bounds.to.map_or(running, |to| Period::containing(spec.per, to).min(running));
    let within =
        bounds.by_day.then(|| count(spec, posts, zone, now, |date| bounds.hold(zone.to_datetime(date).date())));
    let periods = periods(spec, within.as_ref().unwrap_or(&counts), first, last, running);
    let runs = Runs::of(&periods);
    let met = tally(&periods, PeriodState::Met);
    let missed = tally(&periods, PeriodState::Missed);
    let published: u32 = periods.iter().map(|p| p.published).sum();
    let target: u32 = periods.iter().fold(0, |sum, p| p.goal.saturating_add(sum));
    let current = periods.last().filter(|p| !p.closed);
    let due = due(spec, &counts, today);
    let mut status = GoalStatus {
        name: spec.name.clone(),
        slug: spec.slug.clone(),
        posts: spec.posts,
        per: spec.per,
        since: periods.first().map(|p| p.period.first_day()),
        until: periods.last().map(|p| p.period.last_day()),
        begins: first.filter(|first| *first > last).map(Period::first_day),
        published,
        target,
        ahead: i64::from(published) - i64::from(target),
        periods_met: met,
        periods_missed: missed,
        streak: runs.streak,
        longest_streak: runs.longest_streak,
        longest_gap: runs.longest_gap,
        average: round(average(&periods), 2),
        forecast: round(forecast(&periods, &counts, posts, spec, zone, now), 1),
        next_due: due.first().copied().unwrap_or(running.last_day()),
        due,
        author: spec.author.clone(),
        tag: spec.tag.clone(),
        section: spec.section.clone(),
        planned: planned(spec, posts, zone, now),
        days_left: current.map_or(0, |_| u32::try_from(days_between(today, running.last_day())).unwrap_or_default()),
        sentence: String::new(),
        periods,
    };
    status.sentence = sentence(&status);
    status
}

pub(super) fn counts_as_published(spec: &Spec, post: &Post, now: Timestamp) -> Option<Timestamp> {
    post.date.filter(|date| post.is_published() && *date <= now && spec.wants(post))
}

fn count(
    spec: &Spec,
    posts: &[Post],
    zone: &TimeZone,
    now: Timestamp,
    is_meant: impl Fn(Timestamp) -> bool,
) -> BTreeMap<Period, u32> {
    let mut counts = BTreeMap::new();
    let dates = posts.iter().filter_map(|post| counts_as_published(spec, post, now));
    for date in dates.filter(|date| is_meant(*date)) {
        *counts.entry(Period::at(spec.per, date, zone)).or_default() += 1;
    }
    counts
}

/// The first period that counts. `--from` stands in for a `since` that is not set: who asks about February means February,
/// even if the first post came in March.
fn first(spec: &Spec, counts: &BTreeMap<Period, u32>, bounds: Bounds) -> Option<Period> {
    let start = match (spec.since, bounds.from) {
        (Some(since), Some(from)) => Some(since.max(from)),
        (since, from) => since.or(from),
    };
    start.map(|day| Period::containing(spec.per, day)).or_else(|| counts.keys().next().copied())
}

/// The periods from `first` to `last`, which have begun.
fn periods(
    spec: &Spec,
    counts: &BTreeMap<Period, u32>,
    first: Option<Period>,
    last: Period,
    running: Period,
) -> Vec<PeriodStatus> {
    let mut statuses = Vec::new();
    let mut next = first.filter(|first| *first <= last);
    while let Some(period) = next {
        let closed = period < running;
        statuses.push(period_status(spec, period, counts.get(&period).copied().unwrap_or_default(), closed));
        next = Some(period.next()).filter(|following| *following <= last && *following > period);
    }
    statuses
}

fn period_status(spec: &Spec, period: Period, published: u32, closed: bool) -> PeriodStatus {
    let paused = spec.pauses(period);
    let state = match (paused, published >= spec.posts, closed) {
        (true, _, _) => PeriodState::Paused,
        (false, true, _) => PeriodState::Met,
        (false, false, true) => PeriodState::Missed,
        (false, false, false) => PeriodState::Open,
    };
    PeriodStatus { period, published, goal: if paused { 0 } else { spec.posts }, state, closed }
}

fn tally(periods: &[PeriodStatus], state: PeriodState) -> u32 {
    periods.iter().fold(0, |sum, p| sum + u32::from(p.state == state))
}

#[derive(Debug, Default)]
struct Runs {
    streak: u32,
    longest_streak: u32,
    gap: u32,
    longest_gap: u32,
}

impl Runs {
    fn of(periods: &[PeriodStatus]) -> Self {
        periods.iter().fold(Self::default(), |mut runs, period| {
            match period.state {
                PeriodState::Met => (runs.streak, runs.gap) = (runs.streak + 1, 0),
                PeriodState::Missed => (runs.streak, runs.gap) = (0, runs.gap + 1),
                PeriodState::Open | PeriodState::Paused => {}
            }
            runs.longest_streak = runs.longest_streak.max(runs.streak);
            runs.longest_gap = runs.longest_gap.max(runs.gap);
            runs
        })
    }
}

fn mean<'a>(periods: impl Iterator<Item = &'a PeriodStatus>) -> Option<f64> {
    let (posts, periods) = periods.fold((0_u32, 0_u32), |(posts, n), p| (posts + p.published, n + 1));
    (periods > 0).then(|| f64::from(posts) / f64::from(periods))
}

fn average(periods: &[PeriodStatus]) -> f64 {
    mean(periods.iter().filter(|p| p.state != PeriodState::Paused)).unwrap_or_default()
}

fn forecast(
    periods: &[PeriodStatus],
    counts: &BTreeMap<Period, u32>,
    posts: &[Post],
    spec: &Spec,
    zone: &TimeZone,
    now: Timestamp,
) -> f64 {
    let today = zone.to_datetime(now).date();
    let this_year = posts
        .iter()
        .filter_map(|post| counts_as_published(spec, post, now))
        .filter(|date| zone.to_datetime(*date).date().year() == today.year())
        .fold(0_u32, |sum, _| sum + 1);
    let closed = periods.iter().rev().filter(|p| p.closed && p.state != PeriodState::Paused);
    let window = usize::try_from(spec.per.in_a_year()).unwrap_or(usize::MAX);
    let Some(pace) = mean(closed.take(window)) else { return f64::from(this_year) };
    let running = Period::containing(spec.per, today);
    let lacking = (pace - f64::from(counts.get(&running).copied().unwrap_or_default())).max(0.0);
    let open = if spec.pauses(running) || running.year() != today.year() { 0.0 } else { lacking };
    f64::from(this_year) + open + pace * f64::from(periods_to_come(spec, running, today.year()))
}

/// Unpaused periods of the year after the running one.
fn periods_to_come(spec: &Spec, running: Period, year: i16) -> u32 {
    std::iter::successors(Some(running.next()), |period| Some(period.next()))
        .take(53)
        .take_while(|period| period.year() <= year)
        .filter(|period| period.year() == year && !spec.pauses(*period))
        .fold(0, |sum, _| sum + 1)
}

/// The end of the running period if it is unmet, else of the next, and so on for a year; paused periods are passed
/// over, and before `since` nothing is due.
fn due(spec: &Spec, counts: &BTreeMap<Period, u32>, today: Date) -> Vec<Date> {
    let day = spec.since.map_or(today, |since| since.max(today));
    let running = Period::containing(spec.per, day);
    let met = counts.get(&running).copied().unwrap_or_default() >= spec.posts;
    let first = if met { running.next() } else { running };
    let year = usize::try_from(spec.per.in_a_year()).unwrap_or_default();
    std::iter::successors(Some(first), |period| Some(period.next()))
        .take(year * 10) // A pause without end must not keep us looking for ever.
        .filter(|period| !spec.pauses(*period))
        .take(year)
        .map(Period::last_day)
        .collect()
}

fn planned(spec: &Spec, posts: &[Post], zone: &TimeZone, now: Timestamp) -> u32 {
    let running = Period::at(spec.per, now, zone);
    posts
        .iter()
        .filter(|post| matches!(post.state, PostState::Published | PostState::Scheduled) && spec.wants(post))
        .filter_map(|post| post.date.filter(|date| *date > now))
        .filter(|date| running.contains(*date, zone))
        .fold(0, |sum, _| sum + 1)
}

fn round(value: f64, places: i32) -> f64 {
    let scale = 10_f64.powi(places);
    (value * scale).round() / scale
}

/// "Goal: one post a month. 9 posts in 8 months – 1 ahead. This month is open: 3 days left, none yet."
fn sentence(status: &GoalStatus) -> String {
    let per = status.per.as_str();
    let title = match status.name.trim() {
        "" | "goal" => "Goal".to_owned(),
        name => wording::capitalised(name),
    };
    let mut parts = vec![format!("{title}: {} a {per}.", wording::count(status.posts, "post"))];
    if let Some(first) = status.first_to_come() {
        parts.push(format!("It begins with {}.", wording::period(first)));
    } else if status.periods.is_empty() {
        parts.push("No post yet.".into());
    } else {
        let standing = match status.ahead {
            0 => "on pace".to_owned(),
            ahead if ahead > 0 => format!("{ahead} ahead"),
            behind => format!("{} behind", behind.unsigned_abs()),
        };
        let posts = wording::digits(status.published, "post");
        parts.push(format!("{posts} in {} – {standing}.", wording::digits(status.begun(), per)));
    }
    parts.extend(status.current().map(|current| running_sentence(status, current)));
    parts.join(" ")
}

fn running_sentence(status: &GoalStatus, current: &PeriodStatus) -> String {
    let per = status.per.as_str();
    let left = match status.days_left {
        0 | 1 => "today is the last day".to_owned(),
        days => format!("{days} days left"),
    };
    match current.state {
        PeriodState::Paused => format!("This {per} is a pause."),
        PeriodState::Met => format!("This {per} is met: {}.", wording::digits(current.published, "post")),
        PeriodState::Open | PeriodState::Missed => {
            let so_far = match current.published {
                0 => "none yet".to_owned(),
                some => format!("{some} of {} so far", current.goal),
            };
            let planned = match status.planned {
                0 => String::new(),
                some => format!(", {some} planned"),
            };
            format!("This {per} is open: {left}, {so_far}{planned}.")
        }
    }
}

#[cfg(test)]
mod tests;
