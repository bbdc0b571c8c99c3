//! All periods of a goal at once: bars against the goal's line, and, below, what was published in all against what was
//! promised. Two SVGs for a page that holds [`super::chart::STYLE`]; positions across are percentages.

use std::fmt::Write as _;

use super::language::Language;
use super::xml::escape;
use crate::domain::goal::{GoalStatus, PeriodState, PeriodStatus};

const HEIGHT: f64 = 188.0;
/// The line the bars stand on.
const BASE: f64 = 158.0;
/// The highest bar, and the highest point of the curve.
const TALLEST: f64 = 124.0;
/// Where the first period begins and the last ends, in percent.
const LEFT: f64 = 1.0;
const WIDTH: f64 = 98.0;
/// So many years are named below: as many as a small telephone has room for.
const YEARS: usize = 7;

/// Bars of all periods, the goal's line across.
#[must_use]
pub fn bars(goal: &GoalStatus, language: &Language) -> String {
    let periods = &goal.periods;
    let most = periods.iter().map(|p| p.published.max(p.goal)).max().unwrap_or_default().max(goal.posts).max(1);
    let unit = TALLEST / f64::from(most);
    let per = ("per", goal.per.as_str().into());
    let mut out = head(goal, "history", &language.text("history-title", &[per]), language);
    for (index, status) in periods.iter().enumerate() {
        bar(&mut out, status, unit, place(index, periods.len()), language);
    }
    let y = BASE - unit * f64::from(goal.posts);
    let args = [("count", goal.posts.into()), ("per", goal.per.as_str().into())];
    let _ = writeln!(
        out,
        r#"<line class="goal" x1="{LEFT}%" x2="{}%" y1="{y:.1}" y2="{y:.1}"/><text class="soft end" x="99%" y="16">- - {}</text>"#,
        LEFT + WIDTH,
        escape(&language.text("chart-goal", &args))
    );
    axis(&mut out, periods, &most.to_string());
    out.push_str("</svg>\n");
    out
}

/// Posts published so far against the posts promised so far.
#[must_use]
pub fn curve(goal: &GoalStatus, language: &Language) -> String {
    let periods = &goal.periods;
    let (published, target) = (running(periods, |p| p.published), running(periods, |p| p.goal));
    let most = published.last().max(target.last()).copied().unwrap_or_default().max(1);
    let mut out = head(goal, "curve", &language.text("curve-title", &[]), language);
    let lines = [("target", &target), ("sum", &published)];
    // A path knows no percentages: it is drawn on a board of its own and pulled to the width there is.
    let _ = write!(
        out,
        r#"<svg x="{LEFT}%" y="{:.0}" width="{WIDTH}%" height="{TALLEST}" viewBox="0 0 1000 {TALLEST}" preserveAspectRatio="none">"#,
        BASE - TALLEST
    );
    for (class, sums) in lines {
        let _ = write!(out, r#"<path class="{class}" d="{}"/>"#, steps(sums, most));
    }
    out.push_str("</svg>\n");
    legend(&mut out, language);
    axis(&mut out, periods, &most.to_string());
    out.push_str("</svg>\n");
    out
}

fn running(periods: &[PeriodStatus], of: impl Fn(&PeriodStatus) -> u32) -> Vec<u32> {
    let sum = |sum: &mut u32, period| {
        *sum = sum.saturating_add(of(period));
        Some(*sum)
    };
    periods.iter().scan(0, sum).collect()
}

/// Up at each period's end, so that a promise falls due where its period closes.
fn steps(sums: &[u32], most: u32) -> String {
    let mut path = format!("M0 {TALLEST}");
    for (index, sum) in sums.iter().enumerate() {
        let x = 1000.0 * (index as f64 + 1.0) / sums.len() as f64;
        let y = TALLEST - (TALLEST - 2.0) * f64::from(*sum) / f64::from(most);
        let _ = write!(path, "H{x:.1}V{y:.1}");
    }
    path
}

/// Where a period begins and how wide it is, in percent.
fn place(index: usize, periods: usize) -> (f64, f64) {
    // Few periods make no fat bars.
    let step = WIDTH / periods.max(24) as f64;
    (LEFT + step * index as f64, step)
}

fn bar(out: &mut String, status: &PeriodStatus, unit: f64, (left, step): (f64, f64), language: &Language) {
    let height = unit * f64::from(status.published);
    let class = match status.state {
        PeriodState::Met | PeriodState::Paused => "met",
        PeriodState::Missed => "short",
        PeriodState::Open => "now",
    };
    let _ = write!(out, "<g><title>{}</title>", escape(&language.told(status)));
    let (x, width) = (left + step * 0.08, step * 0.84);
    if height > 0.0 {
        let y = BASE - height;
        let _ =
            write!(out, r#"<rect class="{class}" x="{x:.2}%" y="{y:.1}" width="{width:.2}%" height="{height:.1}"/>"#);
    }
    // What has no bar has a sign below the line, which says more than an empty place.
    let sign = match status.state {
        PeriodState::Missed => Some("short"),
        PeriodState::Paused => Some("pause"),
        PeriodState::Open => Some("now"),
        PeriodState::Met => None,
    };
    if let Some(sign) = sign {
        let y = BASE + 2.0;
        let _ = write!(out, r#"<rect class="{sign}" x="{x:.2}%" y="{y}" width="{width:.2}%" height="4"/>"#);
    }
    out.push_str("</g>\n");
}

fn head(goal: &GoalStatus, kind: &str, title: &str, language: &Language) -> String {
    let id = format!("gz-{}-{kind}", goal.slug);
    let (title, desc) = (escape(title), escape(&language.goal_sentence(goal)));
    format!(
        concat!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" class="gz-chart" width="100%" height="{height}" role="img" "#,
            r#"aria-labelledby="{id}-title {id}-desc">"#,
            "\n<title id=\"{id}-title\">{title}</title>\n<desc id=\"{id}-desc\">{desc}</desc>\n"
        ),
        height = HEIGHT,
        id = id,
        title = title,
        desc = desc
    )
}

/// The line below, some of the years, and how high the highest is.
fn axis(out: &mut String, periods: &[PeriodStatus], most: &str) {
    let _ = writeln!(
        out,
        r#"<line class="base" x1="{LEFT}%" x2="{}%" y1="{BASE}" y2="{BASE}"/><text class="soft start" x="1%" y="16">{most}</text>"#,
        LEFT + WIDTH
    );
    let first_of_year = |index: &usize| {
        let year = |index: usize| periods.get(index).map(|p| p.period.last_day().year());
        *index == 0 || year(*index) != year(index - 1)
    };
    let years: Vec<usize> = (0..periods.len()).filter(first_of_year).collect();
    let every = years.len().div_ceil(YEARS).max(1);
    for (nth, index) in years.iter().enumerate().filter(|(nth, _)| nth % every == 0) {
        let Some(period) = periods.get(*index) else { continue };
        // A last year that has hardly begun has no room for its number.
        let (left, _) = place(*index, periods.len());
        let crowded = nth > 0 && left > 92.0;
        if !crowded {
            let year = period.period.last_day().year();
            let _ = write!(out, r#"<text class="soft start" x="{left:.2}%" y="{}">{year}</text>"#, BASE + 22.0);
        }
    }
    out.push('\n');
}

fn legend(out: &mut String, language: &Language) {
    let (sum, target) = (language.text("curve-published", &[]), language.text("curve-target", &[]));
    let next = 64 + 7 * sum.chars().count() + 20;
    let _ = writeln!(
        out,
        concat!(
            r#"<svg x="1%" y="6" overflow="visible"><path class="sum" d="M40 6H58"/>"#,
            r#"<text class="start" x="64" y="10">{sum}</text><path class="target" d="M{next} 6h18"/>"#,
            r#"<text class="start" x="{after}" y="10">{target}</text></svg>"#
        ),
        sum = escape(&sum),
        target = escape(&target),
        next = next,
        after = next + 24
    );
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::super::goal::tests::{goal, post};
    use super::super::language::EMBEDDED_ENGLISH;
    use super::*;
    use crate::domain::goal::{Bounds, Spec, status};

    #[test]
    fn both_pictures_show_every_period() {
        insta::assert_snapshot!("history", bars(&goal(), &EMBEDDED_ENGLISH));
        insta::assert_snapshot!("curve", curve(&goal(), &EMBEDDED_ENGLISH));
    }

    #[test]
    fn the_curve_ends_where_the_numbers_do() {
        let goal = goal();
        assert_eq!(running(&goal.periods, |p| p.published).last(), Some(&goal.published));
        assert_eq!(running(&goal.periods, |p| p.goal).last(), Some(&goal.target));
        assert!(steps(&[1, 4], 4).ends_with("H1000.0V2.0"));
    }

    #[test]
    fn pictures_of_all_sizes_stay_within_their_frame_and_are_xml() {
        for (posts, now) in [(0, "2021-07-29"), (1, "2021-02-02"), (90, "2045-07-29"), (2, "2022-01-29")] {
            let posts: Vec<_> = (0..posts).map(|_| post("2021-02-01", "A post")).collect();
            let now = format!("{now}T10:00:00Z").parse().unwrap();
            let status = status(&Spec::default(), &posts, &TimeZone::UTC, now, Bounds::default());
            for svg in [bars(&status, &EMBEDDED_ENGLISH), curve(&status, &EMBEDDED_ENGLISH)] {
                assert!(!svg.contains("=\"-") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
                let mut reader = quick_xml::Reader::from_str(&svg);
                while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
            }
        }
    }
}
