//! How the list grows, month by month: as text and as an SVG of bars, up for those who came and down for those who left.
//! Knows numbers, no names.

use std::fmt::Write as _;

use serde::Serialize;

use super::chart::STYLE;
use super::xml::escape;
use crate::domain::period::Period;
use crate::domain::wording;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Month {
    pub month: Period,
    pub joined: u64,
    pub left: u64,
}

/// How many months are drawn; JSON has them all.
const SHOWN: usize = 36;
const HEIGHT: f64 = 200.0;
/// The line between those who came and those who left.
const BASE: f64 = 120.0;
/// The highest bar, and the deepest.
const TALLEST: f64 = 96.0;
const DEEPEST: f64 = 44.0;

fn shown(months: &[Month]) -> &[Month] {
    months.get(months.len().saturating_sub(SHOWN)..).unwrap_or_default()
}

#[must_use]
pub fn text(months: &[Month]) -> String {
    let mut total: i128 = 0;
    let lines: Vec<String> = months
        .iter()
        .map(|month| {
            total += i128::from(month.joined) - i128::from(month.left);
            format!("{:<9} {:>8} joined {:>8} left {:>9} in all\n", month.month, month.joined, month.left, total)
        })
        .collect();
    lines.get(lines.len().saturating_sub(SHOWN)..).unwrap_or_default().concat()
}

#[must_use]
pub fn svg(months: &[Month]) -> String {
    let months = shown(months);
    let most = months.iter().map(|m| m.joined).max().unwrap_or_default().max(1) as f64;
    let least = months.iter().map(|m| m.left).max().unwrap_or_default() as f64;
    let unit = (TALLEST / most).min(DEEPEST / least.max(1.0)).min(TALLEST / 2.0);
    let step = 96.0 / months.len().max(12) as f64;
    let told: Vec<String> = months.iter().map(tell).collect();
    let mut out = format!(
        concat!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" class="gz-chart" width="100%" height="{height}" role="img" "#,
            r#"aria-labelledby="growth-title growth-desc">"#,
            "\n<title id=\"growth-title\">Subscribers by month</title>\n<desc id=\"growth-desc\">{desc}</desc>\n",
            "<style>{style}</style>\n",
            r#"<rect class="paper" width="100%" height="100%" rx="6"/>"#,
            "\n"
        ),
        height = HEIGHT,
        desc = escape(&told.join("; ")),
        style = STYLE,
    );
    for (index, month) in months.iter().enumerate() {
        let left = 2.0 + step * (index as f64 + 0.14);
        let (up, down) = (unit * month.joined as f64, unit * month.left as f64);
        let _ = writeln!(out, "<g><title>{}</title>", escape(&tell(month)));
        bar(&mut out, "met", left, step * 0.72, BASE - up, up);
        bar(&mut out, "short", left, step * 0.72, BASE + 1.0, down);
        out.push_str("</g>\n");
        if index % 6 == 0 {
            let middle = 2.0 + step * (index as f64 + 0.5);
            let _ = writeln!(out, r#"<text class="soft" x="{middle:.2}%" y="190">{}</text>"#, month.month);
        }
    }
    let _ = writeln!(out, r#"<line class="base" x1="2%" x2="98%" y1="{BASE}" y2="{BASE}"/>"#);
    let _ = writeln!(out, r#"<text class="start" x="2%" y="16">Up: joined. Down: left.</text>"#);
    out.push_str("</svg>\n");
    out
}

fn bar(out: &mut String, class: &str, left: f64, width: f64, top: f64, height: f64) {
    if height > 0.0 {
        let _ = writeln!(
            out,
            r#"<rect class="{class}" rx="2" x="{left:.2}%" width="{width:.2}%" y="{top:.1}" height="{height:.1}"/>"#
        );
    }
}

fn tell(month: &Month) -> String {
    format!("{}: {} joined, {} left", wording::capitalised(&wording::period(month.month)), month.joined, month.left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn months() -> Vec<Month> {
        let month = |text, joined, left| Month { month: Period::parse(text).unwrap(), joined, left };
        vec![month("2021-04", 10, 0), month("2021-05", 3, 4), month("2021-06", 0, 0)]
    }

    #[test]
    fn growth_is_told_month_by_month_with_what_is_left_of_it() {
        let text = text(&months());
        let last = text.lines().last().unwrap();
        assert_eq!(
            last.split_whitespace().collect::<Vec<_>>(),
            ["2021-06", "0", "joined", "0", "left", "9", "in", "all"]
        );
    }

    #[test]
    fn the_chart_draws_a_bar_for_each_number_that_is_not_nought() {
        let svg = svg(&months());
        assert_eq!((svg.matches("class=\"met\"").count(), svg.matches("class=\"short\"").count()), (2, 1));
        assert!(svg.contains("April 2021: 10 joined, 0 left"));
        assert!(super::svg(&[]).contains("</svg>"));
    }
}
