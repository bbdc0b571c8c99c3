//! The goal as a badge for a README: a flat SVG of two fields, or a card with the last periods. Knows finished numbers.

use super::xml::escape;
use crate::domain::goal::{GoalStatus, PeriodState, PeriodStatus};
use crate::domain::wording;

/// What a badge tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Show {
    /// `posts this month 2/1`
    #[default]
    Period,
    /// `goal met 58 of 80`
    Total,
    /// `streak 16 months`
    Streak,
}

impl Show {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "period" => Self::Period,
            "total" => Self::Total,
            "streak" => Self::Streak,
            _ => return None,
        })
    }
}

/// How high a badge is: 20, 28 or 96 pixels; the largest has the last two years in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Size {
    #[default]
    Small,
    Medium,
    Large,
}

impl Size {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "small" => Self::Small,
            "medium" => Self::Medium,
            "large" => Self::Large,
            _ => return None,
        })
    }
}

/// What stands in the two fields, and the second one's colour.
struct Words {
    label: String,
    value: String,
    colour: &'static str,
}

#[must_use]
pub fn svg(goal: &GoalStatus, show: Show, size: Size) -> String {
    let words = match show {
        Show::Period => goal.current().map_or_else(|| total(goal), |current| running(goal, current)),
        Show::Total => total(goal),
        Show::Streak => streak(goal),
    };
    match size {
        Size::Small => flat(&words, 10),
        Size::Medium => flat(&words, 14),
        Size::Large => card(goal, &words),
    }
}

fn running(goal: &GoalStatus, current: &PeriodStatus) -> Words {
    let (value, colour) = match current.state {
        PeriodState::Paused => ("paused".to_owned(), GREY),
        PeriodState::Met => (format!("{}/{}", current.published, current.goal), GREEN),
        PeriodState::Open | PeriodState::Missed => (format!("{}/{}", current.published, current.goal), BLUE),
    };
    Words { label: named(goal, &format!("posts this {}", goal.per.as_str())), value, colour }
}

fn total(goal: &GoalStatus) -> Words {
    let periods = goal.periods_met + goal.periods_missed;
    let colour = if goal.ahead >= 0 { GREEN } else { BLUE };
    Words { label: named(goal, "goal met"), value: format!("{} of {periods}", goal.periods_met), colour }
}

fn streak(goal: &GoalStatus) -> Words {
    let colour = if goal.streak > 0 { GREEN } else { GREY };
    Words { label: named(goal, "streak"), value: wording::digits(goal.streak, goal.per.as_str()), colour }
}

/// A goal with a name of its own says so: badges of several stand side by side.
fn named(goal: &GoalStatus, label: &str) -> String {
    match goal.name.trim() {
        "" | "goal" => label.to_owned(),
        name => format!("{}: {label}", name.chars().take(40).collect::<String>()),
    }
}

// White on each of these is 4.5 to 1 or better.
const GREEN: &str = "#1a7f37";
const BLUE: &str = "#0969da";
const GREY: &str = "#59636e";
const RUST: &str = "#a04100";

/// Two fields in a row, their sizes in tenths of the smallest badge's.
fn flat(words: &Words, scale: usize) -> String {
    let Words { label, value, colour } = words;
    let grown = |pixels: usize| pixels * scale / 10;
    let (left, right) = (grown(width(label)), grown(width(value)));
    let (label, value) = (escape(label), escape(value));
    format!(
        concat!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{height}" role="img" "#,
            r#"aria-label="{label}: {value}"><title>{label}: {value}</title>"#,
            r#"<clipPath id="r"><rect width="{total}" height="{height}" rx="3"/></clipPath>"#,
            r##"<g clip-path="url(#r)"><rect width="{left}" height="{height}" fill="#444c56"/>"##,
            r#"<rect x="{left}" width="{right}" height="{height}" fill="{colour}"/></g>"#,
            r##"<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="{font}">"##,
            r#"<text x="{x1}" y="{y}" textLength="{w1}">{label}</text><text x="{x2}" y="{y}" textLength="{w2}">{value}</text>"#,
            "</g></svg>\n"
        ),
        total = left + right,
        height = grown(20),
        label = label,
        value = value,
        left = left,
        right = right,
        colour = colour,
        font = grown(11),
        y = grown(14),
        x1 = left / 2,
        w1 = left - grown(10),
        x2 = left + right / 2,
        w2 = right - grown(10),
    )
}

/// How many periods stand in the largest.
const BARS: usize = 24;
/// The highest of its bars.
const TALLEST: u32 = 30;

/// The same with the last two years below, for a page of its own or a project's front page.
fn card(goal: &GoalStatus, words: &Words) -> String {
    let Words { label, value, colour } = words;
    let (label, value) = (escape(label), escape(value));
    let shown = goal.periods.get(goal.periods.len().saturating_sub(BARS)..).unwrap_or_default();
    let most = shown.iter().map(|p| p.published).max().unwrap_or_default().max(goal.posts).max(1);
    let bars: String = shown.iter().enumerate().map(|(nth, period)| bar(nth, period, most)).collect();
    let goal_at = 84 - goal.posts.min(most) * TALLEST / most;
    format!(
        concat!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="320" height="96" viewBox="0 0 320 96" role="img" "#,
            r#"aria-label="{label}: {value}"><title>{label}: {value}</title>"#,
            r##"<rect x=".5" y=".5" width="319" height="95" rx="8" fill="#fff" stroke="#d0d7de"/>"##,
            r##"<g font-family="Verdana,DejaVu Sans,sans-serif"><text x="14" y="30" font-size="13" fill="#444c56">{label}</text>"##,
            r#"<text x="306" y="31" font-size="17" font-weight="bold" text-anchor="end" fill="{colour}">{value}</text></g>"#,
            r##"<path d="M14 84.5H306" stroke="#59636e"/><path d="M14 {goal_at}.5H306" stroke="#1f2328" stroke-dasharray="4 3"/>{bars}"##,
            "</svg>\n"
        ),
        label = label,
        value = value,
        colour = colour,
        goal_at = goal_at,
        bars = bars,
    )
}

fn bar(nth: usize, period: &PeriodStatus, most: u32) -> String {
    let colour = match period.state {
        PeriodState::Met => GREEN,
        PeriodState::Missed => RUST,
        PeriodState::Open => BLUE,
        PeriodState::Paused => GREY,
    };
    // A period without posts leaves a line: it was there.
    let height = (period.published * TALLEST / most).max(2);
    format!(r#"<rect x="{}" y="{}" width="9" height="{height}" fill="{colour}"/>"#, 15 + nth * 12, 84 - height)
}

/// Near enough for Verdana at 11 pixels; `textLength` does the rest.
fn width(text: &str) -> usize {
    let tenths: usize = text
        .chars()
        .map(|c| match c {
            'i' | 'l' | 'j' | '.' | ',' | ':' | '!' | '\'' => 32,
            't' | 'f' | 'r' | ' ' | '/' | '(' | ')' => 44,
            'm' | 'w' | 'M' | 'W' => 100,
            c if c.is_ascii() => 68,
            _ => 90,
        })
        .sum();
    tenths / 10 + 10
}

#[cfg(test)]
mod tests {
    use super::super::goal::tests::goal;
    use super::*;

    #[test]
    fn the_badge_says_how_the_running_month_stands() {
        insta::assert_snapshot!("badge", svg(&goal(), Show::Period, Size::Small));
        insta::assert_snapshot!("badge_large", svg(&goal(), Show::Streak, Size::Large));
    }

    #[test]
    fn a_goal_without_a_running_month_shows_its_total() {
        let mut closed = goal();
        closed.periods.pop();
        assert_eq!(svg(&closed, Show::Period, Size::Small), svg(&closed, Show::Total, Size::Small));
        assert!(svg(&closed, Show::Period, Size::Small).contains("goal met: 3 of 4"));
    }

    #[test]
    fn badges_of_all_kinds_and_sizes_are_xml_with_a_name_and_as_high_as_they_say() {
        for (size, height) in [("small", "20"), ("medium", "28"), ("large", "96")] {
            for show in ["period", "total", "streak"] {
                let badge = svg(&goal(), Show::parse(show).unwrap(), Size::parse(size).unwrap());
                assert!(badge.contains(&format!(" height=\"{height}\"")) && badge.contains("role=\"img\""), "{badge}");
                assert!(badge.contains("&lt;R&amp;D&gt;: ") && !badge.contains("<R&D>"), "{badge}");
                let mut reader = quick_xml::Reader::from_str(&badge);
                while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
            }
        }
        assert_eq!((Show::parse("all"), Size::parse("huge")), (None, None));
    }
}
