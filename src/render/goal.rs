//! Where the blog stands, for a terminal and for a Markdown page. Knows the finished numbers, not how they were counted.

use std::fmt::Write as _;

use crate::domain::goal::{GoalStatus, PeriodState, PeriodStatus};
use crate::domain::wording;

/// How many periods are listed; JSON has them all.
const LISTED: usize = 24;
/// The longest bar of the text form.
const BAR: u32 = 20;

#[must_use]
pub fn text(goals: &[GoalStatus]) -> String {
    goals.iter().map(one_as_text).collect::<Vec<_>>().join("\n")
}

#[must_use]
pub fn markdown(goals: &[GoalStatus]) -> String {
    goals.iter().map(one_as_markdown).collect::<Vec<_>>().join("\n")
}

/// `goal --json` and `/goal.json`.
#[must_use]
pub fn json(goals: &[GoalStatus]) -> serde_json::Value {
    serde_json::json!({ "goals": goals })
}

/// What each number is called, and the number.
pub(super) fn facts(goal: &GoalStatus) -> Vec<(&'static str, String)> {
    let per = goal.per.as_str();
    let closed = goal.periods_met + goal.periods_missed;
    vec![
        ("published", format!("{} of {}", goal.published, goal.target)),
        ("goal met", format!("{} of {}", goal.periods_met, wording::digits(closed, per))),
        ("streak", format!("{}, longest {}", wording::digits(goal.streak, per), goal.longest_streak)),
        ("longest gap", wording::digits(goal.longest_gap, per)),
        ("average", format!("{} a {per}", goal.average)),
        ("forecast", format!("{:.0} this year", goal.forecast)),
        ("next due", wording::day(goal.next_due)),
    ]
}

fn listed(goal: &GoalStatus) -> &[PeriodStatus] {
    let from = goal.periods.len().saturating_sub(LISTED);
    goal.periods.get(from..).unwrap_or_default()
}

fn one_as_text(goal: &GoalStatus) -> String {
    let mut out = format!("{}\n\n", goal.sentence);
    for (name, value) in facts(goal) {
        let _ = writeln!(out, "  {name:<12} {value}");
    }
    let periods = listed(goal);
    if !periods.is_empty() {
        out.push('\n');
    }
    for period in periods {
        let _ = writeln!(out, "{}", line(period).trim_end());
    }
    out
}

fn line(period: &PeriodStatus) -> String {
    let bar = "█".repeat(usize::try_from(period.published.min(BAR)).unwrap_or_default());
    let more = if period.published > BAR { "…" } else { "" };
    format!(
        "  {:<9} {} {:<6} {:>3} {bar}{more}",
        period.period.to_string(),
        mark(period.state),
        period.state.as_str(),
        period.published
    )
}

fn mark(state: PeriodState) -> char {
    match state {
        PeriodState::Met => '✓',
        PeriodState::Missed => '✗',
        PeriodState::Open => '…',
        PeriodState::Paused => '‖',
    }
}

fn one_as_markdown(goal: &GoalStatus) -> String {
    let mut out = format!("{}\n\n", escape_markdown(&goal.sentence));
    for (name, value) in facts(goal) {
        let _ = writeln!(out, "- {name}: {value}");
    }
    out.push('\n');
    out.push_str(&periods_table(listed(goal)));
    out
}

/// The table of periods, as Markdown; empty when there are none.
#[must_use]
pub fn periods_table(periods: &[PeriodStatus]) -> String {
    if periods.is_empty() {
        return String::new();
    }
    let mut out = String::from("| Period | Posts | Goal | |\n| --- | ---: | ---: | --- |\n");
    for period in periods {
        let name = wording::capitalised(&wording::period(period.period));
        let (mark, state) = (mark(period.state), period.state.as_str());
        let _ = writeln!(out, "| {name} | {} | {} | {mark} {state} |", period.published, period.goal);
    }
    out
}

/// Text that stays text in Markdown, and on one line.
#[must_use]
pub fn escape_markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '&' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::domain::goal::{Bounds, Spec, status};
    use crate::domain::period::Days;
    use crate::domain::post::{Post, State};

    pub(crate) fn post(day: &str, title: &str) -> Post {
        Post {
            path: day.into(),
            id: day.into(),
            url: format!("https://blog.example/{day}"),
            title: title.into(),
            date: Some(format!("{day}T12:00:00Z").parse().unwrap()),
            state: State::Published,
            authors: Vec::new(),
            tags: Vec::new(),
            source_hash: 0,
            body_hash: 0,
            modified: jiff::Timestamp::UNIX_EPOCH,
            ..Post::sample()
        }
    }

    /// All four states, and a name that wants escaping.
    pub(crate) fn goal() -> GoalStatus {
        let days = ["2021-02-01", "2021-02-03", "2021-02-05", "2021-03-04", "2021-06-05", "2021-06-20"];
        let posts: Vec<Post> = days.iter().map(|day| post(day, "A post")).collect();
        let spec = Spec { name: "<R&D>".into(), pauses: vec![Days::parse("2021-05").unwrap()], ..Spec::default() };
        status(&spec, &posts, &TimeZone::UTC, "2021-07-29T10:00:00Z".parse().unwrap(), Bounds::default())
    }

    #[test]
    fn the_text_form_is_read_at_a_glance() {
        insta::assert_snapshot!("goal_text", text(&[goal()]));
    }

    #[test]
    fn the_markdown_form_is_a_list_and_a_table() {
        insta::assert_snapshot!("goal_markdown", markdown(&[goal()]));
    }

    #[test]
    fn a_blog_without_posts_has_a_sentence_and_no_table() {
        let now = "2021-07-29T10:00:00Z".parse().unwrap();
        let empty = status(&Spec::default(), &[], &TimeZone::UTC, now, Bounds::default());
        assert_eq!(empty.next_due, date(2021, 7, 31));
        assert!(text(std::slice::from_ref(&empty)).starts_with("Goal: one post a month. No post yet.\n"));
        assert!(!markdown(&[empty]).contains('|'));
    }
}
