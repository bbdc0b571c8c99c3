//! The goal as a badge for a README: a small flat SVG of two fields. Knows one label and one value.

use super::xml::escape;
use crate::domain::goal::{GoalStatus, PeriodState};

/// `posts this month 2/1`, or `goal met 58 of 80` when no period is running.
#[must_use]
pub fn svg(goal: &GoalStatus) -> String {
    let Some(current) = goal.current() else { return total(goal) };
    let label = format!("posts this {}", goal.per.as_str());
    match current.state {
        PeriodState::Paused => draw(&label, "paused", GREY),
        PeriodState::Met => draw(&label, &format!("{}/{}", current.published, current.goal), GREEN),
        PeriodState::Open | PeriodState::Missed => {
            draw(&label, &format!("{}/{}", current.published, current.goal), BLUE)
        }
    }
}

/// `goal met 58 of 80`.
#[must_use]
pub fn total(goal: &GoalStatus) -> String {
    let periods = goal.periods_met + goal.periods_missed;
    let colour = if goal.ahead >= 0 { GREEN } else { BLUE };
    draw("goal met", &format!("{} of {periods}", goal.periods_met), colour)
}

// White on each of these is 4.5 to 1 or better.
const GREEN: &str = "#1a7f37";
const BLUE: &str = "#0969da";
const GREY: &str = "#59636e";

fn draw(label: &str, value: &str, colour: &str) -> String {
    let (left, right) = (width(label), width(value));
    let (label, value) = (escape(label), escape(value));
    let total = left + right;
    format!(
        concat!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="20" role="img" "#,
            r#"aria-label="{label}: {value}"><title>{label}: {value}</title>"#,
            r#"<clipPath id="r"><rect width="{total}" height="20" rx="3"/></clipPath>"#,
            r##"<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#444c56"/>"##,
            r#"<rect x="{left}" width="{right}" height="20" fill="{colour}"/></g>"#,
            r##"<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">"##,
            r#"<text x="{x1}" y="14" textLength="{w1}">{label}</text><text x="{x2}" y="14" textLength="{w2}">{value}</text>"#,
            "</g></svg>\n"
        ),
        total = total,
        label = label,
        value = value,
        left = left,
        right = right,
        colour = colour,
        x1 = left / 2,
        w1 = left - 10,
        x2 = left + right / 2,
        w2 = right - 10,
    )
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
        insta::assert_snapshot!("badge", svg(&goal()));
    }

    #[test]
    fn a_goal_without_a_running_month_shows_its_total() {
        let mut closed = goal();
        closed.periods.pop();
        assert_eq!(svg(&closed), total(&closed));
        assert!(svg(&closed).contains("goal met: 3 of 4"));
    }
}
