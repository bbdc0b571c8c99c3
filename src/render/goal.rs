//! Where the blog stands, for a terminal and for a Markdown page. Knows the finished numbers, not how they were counted.

use std::fmt::Write as _;

use super::grid::Grid;
use super::report::wrap;
use crate::domain::goal::{GoalStatus, PeriodState, PeriodStatus};
use crate::domain::period::Per;
use crate::domain::record::Record;
use crate::domain::wording;

/// How many periods are listed; JSON has them all.
const LISTED: usize = 24;
/// How many have a bar in the text form, and the longest bar.
const BARS: usize = 12;
const BAR: u32 = 40;
/// How wide a terminal is at least.
const COLUMNS: usize = 80;

/// At most 80 columns wide, but for the sentence, which the terminal breaks, and for titles.
#[must_use]
pub fn text(goals: &[Record], coloured: bool) -> String {
    goals.iter().map(|record| one_as_text(record, coloured)).collect::<Vec<_>>().join("\n")
}

#[must_use]
pub fn markdown(goals: &[Record]) -> String {
    goals.iter().map(|record| one_as_markdown(&record.status)).collect::<Vec<_>>().join("\n")
}

/// `goal --json` and `/goal.json`.
#[must_use]
pub fn json(goals: &[Record]) -> serde_json::Value {
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

fn one_as_text(record: &Record, coloured: bool) -> String {
    let goal = &record.status;
    let mut out = format!("{}\n\n", wrap(&goal.sentence, COLUMNS, ""));
    for (name, value) in facts(goal) {
        let _ = writeln!(out, "  {name:<12} {value}");
    }
    let paint = Paint(coloured);
    years(&mut out, goal, paint);
    let periods = goal.periods.get(goal.periods.len().saturating_sub(BARS)..).unwrap_or_default();
    if !periods.is_empty() {
        out.push('\n');
    }
    for period in periods {
        let _ = writeln!(out, "{}", line(period, paint).trim_end());
    }
    to_come(&mut out, record);
    out
}

/// What terminals understand as colours, or nothing.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn as_state(self, state: PeriodState, text: &str) -> String {
        let colour = match state {
            PeriodState::Met => 32,
            PeriodState::Missed => 33,
            PeriodState::Open => 36,
            PeriodState::Paused => 90,
        };
        if self.0 && !text.trim().is_empty() { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// A row a year, a place a period: how many posts, or how it stands without any.
fn years(out: &mut String, goal: &GoalStatus, paint: Paint) {
    let grid = Grid::of(goal);
    if grid.rows.len() < 2 {
        return;
    }
    let width = if grid.columns > 12 { 1 } else { 5 };
    out.push('\n');
    if goal.per == Per::Month {
        out.push_str("        ");
        for initial in "JFMAMJJASOND".chars() {
            let _ = write!(out, "{initial:>width$}");
        }
        out.push('\n');
    }
    for (year, cells) in &grid.rows {
        let cell = |status: Option<&PeriodStatus>| match status {
            Some(status) => paint.as_state(status.state, &format!("{:>width$}", sign(status, width))),
            None => " ".repeat(width),
        };
        let cells: String = cells.iter().copied().map(cell).collect();
        let _ = writeln!(out, "  {year:<6}{}", cells.trim_end());
    }
}

fn sign(status: &PeriodStatus, width: usize) -> String {
    match (status.published, status.state) {
        (0, PeriodState::Met | PeriodState::Missed) => "·".into(),
        (0, state) => mark(state).to_string(),
        (posts, _) if width == 1 && posts > 9 => "+".into(),
        (posts, _) => posts.to_string(),
    }
}

fn line(period: &PeriodStatus, paint: Paint) -> String {
    let bar = "█".repeat(usize::try_from(period.published.min(BAR)).unwrap_or_default());
    let more = if period.published > BAR { "…" } else { "" };
    format!(
        "  {:<9} {} {:>3} {}",
        period.period.to_string(),
        paint.as_state(period.state, &format!("{} {:<6}", mark(period.state), period.state.as_str())),
        period.published,
        paint.as_state(period.state, &format!("{bar}{more}"))
    )
}

/// What is planned, and what is in the making.
fn to_come(out: &mut String, record: &Record) {
    let planned = record
        .scheduled
        .iter()
        .map(|post| (post.title.clone(), format!("planned for {}", wording::day(post.date)), &post.authors));
    let drafts = record.drafts.iter().map(|draft| {
        let facts = format!(
            "draft, {}, {} old",
            wording::digits(u32::try_from(draft.words).unwrap_or(u32::MAX), "word"),
            wording::digits(draft.age, "day")
        );
        (draft.title.clone(), facts, &draft.authors)
    });
    let all: Vec<_> = planned.chain(drafts).collect();
    if !all.is_empty() {
        out.push_str("\nTo come:\n");
    }
    for (title, facts, authors) in all {
        let by = if authors.is_empty() { String::new() } else { format!("{}; ", wording::list(authors)) };
        let _ = writeln!(
            out,
            "  {}\n    {}",
            wrap(&title, COLUMNS - 2, "  "),
            wrap(&format!("{by}{facts}"), COLUMNS - 4, "    ")
        );
    }
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
    use crate::domain::post::{Post, Written};

    pub(crate) fn post(day: &str, title: &str) -> Post {
        let written = Written {
            path: day.into(),
            url: format!("https://blog.example/{day}"),
            title: title.into(),
            date: Some(format!("{day}T12:00:00Z").parse().unwrap()),
            authors: Vec::new(),
            tags: Vec::new(),
            source_hash: 0,
            body_hash: 0,
            modified: jiff::Timestamp::UNIX_EPOCH,
            ..Written::sample()
        };
        Post { id: day.into(), ..Post::published(written) }
    }

    /// All four states, and a name that wants escaping.
    pub(crate) fn goal() -> GoalStatus {
        let days = ["2021-02-01", "2021-02-03", "2021-02-05", "2021-03-04", "2021-06-05", "2021-06-20"];
        let posts: Vec<Post> = days.iter().map(|day| post(day, "A post")).collect();
        let spec = Spec { name: "<R&D>".into(), pauses: vec![Days::parse("2021-05").unwrap()], ..Spec::default() };
        status(&spec, &posts, &TimeZone::UTC, "2021-07-29T10:00:00Z".parse().unwrap(), Bounds::default())
    }

    #[test]
    fn the_text_form_is_read_at_a_glance_and_fits_a_terminal() {
        let mut record = crate::domain::record::tests::sample();
        insta::assert_snapshot!("goal_text", text(&[record.clone()], false));
        record.status = goal();
        let posts: Vec<Post> = (0..90).map(|_| post("2015-02-01", "A post")).collect();
        for per in [Per::Week, Per::Month, Per::Quarter, Per::Year] {
            let spec = Spec { per, ..Spec::default() };
            let now = "2021-07-29T10:00:00Z".parse().unwrap();
            record.status = status(&spec, &posts, &TimeZone::UTC, now, Bounds::default());
            let plain = text(&[record.clone()], false);
            for line in plain.lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
            assert!(!plain.contains('\u{1b}') && plain.contains("\n  2015"));
        }
    }

    #[test]
    fn colours_are_added_and_nothing_else() {
        let record = crate::domain::record::tests::sample();
        let coloured = text(std::slice::from_ref(&record), true);
        assert!(coloured.contains("\u{1b}[32m") && coloured.contains("\u{1b}[33m"));
        let mut bare = coloured;
        for code in ["[32m", "[33m", "[36m", "[90m", "[0m"] {
            bare = bare.replace(&format!("\u{1b}{code}"), "");
        }
        assert_eq!(bare, text(&[record], false));
    }

    #[test]
    fn the_markdown_form_is_a_list_and_a_table() {
        insta::assert_snapshot!("goal_markdown", markdown(&[Record { status: goal(), ..Record::default() }]));
    }

    #[test]
    fn a_blog_without_posts_has_a_sentence_and_no_table() {
        let now = "2021-07-29T10:00:00Z".parse().unwrap();
        let empty = status(&Spec::default(), &[], &TimeZone::UTC, now, Bounds::default());
        assert_eq!(empty.next_due, date(2021, 7, 31));
        let empty = [Record { status: empty, ..Record::default() }];
        assert!(text(&empty, false).starts_with("Goal: one post a month. No post yet.\n"));
        assert!(!markdown(&empty).contains('|'));
    }
}
