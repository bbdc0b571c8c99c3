//! The goal as a bar chart: an SVG that stands alone or inside a page. Knows numbers and shapes. What a bar means is told
//! by its colour, its pattern and its words, never by colour alone. Positions across are percentages, so the type keeps
//! its size from a telephone to a desk.

use std::fmt::Write as _;

use super::language::{EMBEDDED_ENGLISH, Language};
use super::xml::escape;
use crate::domain::goal::{GoalStatus, PeriodState, PeriodStatus};
use crate::domain::period::Per;

/// How many periods are drawn unless said otherwise.
pub const PERIODS: usize = 24;

const HEIGHT: f64 = 216.0;
/// The line the bars stand on.
const BASE: f64 = 156.0;
/// The highest bar.
const TALLEST: f64 = 120.0;

/// The chart's colours; a page that shows charts inline has them in its style sheet.
pub const STYLE: &str = "\
.gz-chart{font:12px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;--ink:#1f2328;--soft:#59636e;--paper:#fff;\
--met:#1a7f37;--missed:#a04100;--open:#0969da;--paused:#59636e}\
@media (prefers-color-scheme:dark){.gz-chart{--ink:#f0f6fc;--soft:#9198a1;--paper:#0d1117;\
--met:#3fb950;--missed:#f0883e;--open:#58a6ff;--paused:#9198a1}}\
.gz-chart .paper{fill:var(--paper)}.gz-chart text{fill:var(--ink);text-anchor:middle}\
.gz-chart .soft{fill:var(--soft)}.gz-chart .start{text-anchor:start}.gz-chart .end{text-anchor:end}\
.gz-chart .met{fill:var(--met)}.gz-chart .short{fill:var(--missed)}\
.gz-chart .missed{fill:none;stroke:var(--missed);stroke-width:1.5;stroke-dasharray:3 2}\
.gz-chart .open{stroke:var(--open);stroke-width:1.5}\
.gz-chart .paused{stroke:var(--paused);stroke-width:2.5}\
.gz-chart .stripe{stroke:var(--open);stroke-width:3}\
.gz-chart .goal{stroke:var(--ink);stroke-width:1;stroke-dasharray:6 4}.gz-chart .base{stroke:var(--soft);stroke-width:1}\
.gz-chart .now{fill:var(--open)}.gz-chart .pause{fill:var(--paused)}\
.gz-chart .sum,.gz-chart .target{fill:none;stroke:var(--met);stroke-width:2.5;vector-effect:non-scaling-stroke}\
.gz-chart .target{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:6 4}";

/// The last `periods` periods of a goal, as a file of its own, in English.
#[must_use]
pub fn svg(goal: &GoalStatus, periods: usize) -> String {
    svg_in(goal, periods, &EMBEDDED_ENGLISH)
}

/// The same, in another language.
#[must_use]
pub fn svg_in(goal: &GoalStatus, periods: usize, language: &Language) -> String {
    draw(goal, periods, &format!("<style>{STYLE}</style>\n"), language)
}

/// The same, for a page whose style sheet holds [`STYLE`]: a page that forbids inline styles can show it.
#[must_use]
pub fn inline(goal: &GoalStatus, periods: usize, language: &Language) -> String {
    draw(goal, periods, "", language)
}

fn draw(goal: &GoalStatus, periods: usize, style: &str, language: &Language) -> String {
    let from = goal.periods.len().saturating_sub(periods.max(1));
    let shown = goal.periods.get(from..).unwrap_or_default();
    // Several charts may stand on one page, and ids are the page's.
    let id = format!("gz-{}", goal.slug);
    let mut out = String::with_capacity(8_000);
    head(&mut out, goal, shown, &id, style, language);
    if shown.is_empty() {
        let _ =
            writeln!(out, r#"<text class="soft" x="50%" y="90">{}</text>"#, escape(&language.text("chart-empty", &[])));
    }
    let scale = Scale::of(goal, shown);
    for (index, status) in shown.iter().enumerate() {
        bar(&mut out, status, &scale, index, &id, language);
        labels(&mut out, status, &scale, index, language);
    }
    goal_line(&mut out, goal, &scale, language);
    legend(&mut out, &id, language);
    out.push_str("</svg>\n");
    out
}

struct Scale {
    /// Percent of the width for each period.
    step: f64,
    /// Height of one post.
    unit: f64,
    /// How high a bar that meets the goal is.
    goal: f64,
}

impl Scale {
    fn of(goal: &GoalStatus, shown: &[PeriodStatus]) -> Self {
        let most = shown.iter().map(|p| p.published.max(p.goal)).max().unwrap_or_default().max(goal.posts).max(1);
        let unit = (TALLEST / f64::from(most)).min(TALLEST / 2.0);
        // Few periods make no fat bars: a dozen places at least.
        Self { step: 96.0 / shown.len().max(12) as f64, unit, goal: unit * f64::from(goal.posts) }
    }

    fn left(&self, index: usize) -> f64 {
        2.0 + self.step * (index as f64 + 0.14)
    }

    fn middle(&self, index: usize) -> f64 {
        2.0 + self.step * (index as f64 + 0.5)
    }

    fn width(&self) -> f64 {
        self.step * 0.72
    }
}

fn head(out: &mut String, goal: &GoalStatus, shown: &[PeriodStatus], id: &str, style: &str, language: &Language) {
    let told: Vec<String> = shown.iter().map(|status| language.told(status)).collect();
    let per = ("per", goal.per.as_str().into());
    let title = match goal.name.trim() {
        "" | "goal" => language.text("chart-title", &[per]),
        name => language.text("chart-title-named", &[("name", name.into()), per]),
    };
    let _ = writeln!(
        out,
        concat!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" class="gz-chart" width="100%" height="{height}" role="img" "#,
            r#"aria-labelledby="{id}-title {id}-desc">"#,
            "\n",
            r#"<title id="{id}-title">{title}</title>"#,
            "\n",
            r#"<desc id="{id}-desc">{desc}</desc>"#,
            "\n{style}<defs>",
            r#"<pattern id="{id}-stripes" width="6" height="6" patternUnits="userSpaceOnUse" "#,
            r#"patternTransform="rotate(45)"><path class="stripe" d="M0 0V6"/></pattern></defs>"#,
            "\n",
            r#"<rect class="paper" width="100%" height="100%" rx="6"/>"#,
        ),
        id = id,
        height = height(language),
        title = escape(&title),
        desc = escape(&format!("{} {}", language.goal_sentence(goal), told.join("; "))),
        style = style,
    );
}

fn bar(out: &mut String, status: &PeriodStatus, scale: &Scale, index: usize, id: &str, language: &Language) {
    let (left, width, middle) = (scale.left(index), scale.width(), scale.middle(index));
    let height = scale.unit * f64::from(status.published);
    let _ = write!(out, "<g><title>{}</title>", escape(&language.told(status)));
    match status.state {
        PeriodState::Met => rect(out, r#"class="met" rx="2""#, left, width, height),
        PeriodState::Missed => {
            rect(out, r#"class="short""#, left, width, height);
            rect(out, r#"class="missed""#, left, width, scale.goal);
        }
        PeriodState::Open => {
            let fill = format!(r#"class="open" fill="url(#{id}-stripes)""#);
            rect(out, &fill, left, width, scale.goal.max(height));
        }
        PeriodState::Paused => {
            rect(out, r#"class="met" rx="2""#, left, width, height);
            pause_sign(out, middle, BASE - height - 16.0);
        }
    }
    out.push_str("</g>\n");
}

fn rect(out: &mut String, attributes: &str, left: f64, width: f64, height: f64) {
    if height > 0.0 {
        let y = BASE - height;
        let _ =
            write!(out, r#"<rect {attributes} x="{left:.2}%" y="{y:.1}" width="{width:.2}%" height="{height:.1}"/>"#);
    }
}

/// Two upright strokes; an `svg` of its own, because a path knows no percentages.
fn pause_sign(out: &mut String, middle: f64, y: f64) {
    let _ = write!(
        out,
        r#"<svg x="{middle:.2}%" y="{y:.1}" width="1" height="12" overflow="visible"><path class="paused" d="M-3 0V12M3 0V12"/></svg>"#
    );
}

/// The count above the bar, the period below it, the year below its first period.
fn labels(out: &mut String, status: &PeriodStatus, scale: &Scale, index: usize, language: &Language) {
    let middle = scale.middle(index);
    let bar = scale.unit * f64::from(status.published);
    let top = match status.state {
        PeriodState::Missed | PeriodState::Open => bar.max(scale.goal),
        PeriodState::Paused => bar + 18.0,
        PeriodState::Met => bar,
    };
    let _ = write!(out, r#"<text x="{middle:.2}%" y="{:.1}">{}</text>"#, BASE - top - 5.0, status.published);
    let _ = write!(
        out,
        r#"<text class="soft" x="{middle:.2}%" y="{:.1}">{}</text>"#,
        BASE + 15.0,
        initial(status, language)
    );
    if index == 0 || is_first_of_year(status) {
        let (left, year) = (scale.left(index), status.period.last_day().year());
        let _ = write!(out, r#"<text class="soft start" x="{left:.2}%" y="{:.1}">{year}</text>"#, BASE + 30.0);
    }
    out.push('\n');
}

/// As much of the period's name as fits in 13 pixels.
fn initial(status: &PeriodStatus, language: &Language) -> String {
    let first = status.period.first_day();
    match status.period.per() {
        Per::Month => language.month(first).chars().take(1).flat_map(char::to_uppercase).collect(),
        Per::Quarter => language.period_short(status.period),
        Per::Week => first.iso_week_date().week().to_string(),
        // Its number stands below it already.
        Per::Year => String::new(),
    }
}

fn is_first_of_year(status: &PeriodStatus) -> bool {
    status.period.previous().last_day().year() != status.period.last_day().year()
}

fn goal_line(out: &mut String, goal: &GoalStatus, scale: &Scale, language: &Language) {
    let args = [("count", goal.posts.into()), ("per", goal.per.as_str().into())];
    let y = BASE - scale.goal;
    let _ = writeln!(
        out,
        concat!(
            r#"<line class="base" x1="2%" x2="98%" y1="{base}" y2="{base}"/>"#,
            r#"<line class="goal" x1="2%" x2="98%" y1="{y:.1}" y2="{y:.1}"/>"#,
            r#"<text class="soft end" x="98%" y="16">- - {goal}</text>"#,
        ),
        base = BASE,
        y = y,
        goal = escape(&language.text("chart-goal", &args)),
    );
}

const STATES: [PeriodState; 4] = [PeriodState::Met, PeriodState::Missed, PeriodState::Open, PeriodState::Paused];
/// What fits beside each other on the smallest telephone.
const LEGEND: usize = 262;
/// From one line of the legend to the next.
const LEGEND_LINE: usize = 19;

/// After a word, before the next shape.
const LEGEND_GAP: usize = 16;

/// As wide as a state's shape, its word and the gap may be.
fn width(word: &str) -> usize {
    17 + 7 * word.chars().count() + LEGEND_GAP
}

/// Where each state of the legend stands. Languages whose words are long take two lines.
fn places(language: &Language) -> Vec<(PeriodState, String, usize, usize)> {
    let words = STATES.map(|state| language.state(state));
    let in_two = words.iter().map(|word| width(word)).sum::<usize>() > LEGEND + LEGEND_GAP;
    let second = words.iter().step_by(2).map(|word| width(word)).max().unwrap_or_default();
    let mut left = 0;
    let mut places = Vec::with_capacity(STATES.len());
    for (index, (state, word)) in STATES.into_iter().zip(words).enumerate() {
        let next = left + width(&word);
        match (in_two, index % 2) {
            (true, 0) => places.push((state, word, 0, LEGEND_LINE * (index / 2))),
            (true, _) => places.push((state, word, second, LEGEND_LINE * (index / 2))),
            (false, _) => places.push((state, word, left, 0)),
        }
        left = next;
    }
    places
}

fn height(language: &Language) -> f64 {
    HEIGHT + places(language).iter().map(|(_, _, _, top)| *top).max().unwrap_or_default() as f64
}

/// Each state's shape and word.
fn legend(out: &mut String, id: &str, language: &Language) {
    out.push_str(r#"<svg x="2%" y="194" overflow="visible">"#);
    for (state, word, x, y) in places(language) {
        let _ = match state {
            PeriodState::Met => write!(out, r#"<rect class="met" rx="2" x="{x}" y="{y}" width="12" height="12"/>"#),
            PeriodState::Missed => write!(out, r#"<rect class="missed" x="{x}" y="{y}" width="12" height="12"/>"#),
            PeriodState::Open => {
                write!(out, r#"<rect class="open" fill="url(#{id}-stripes)" x="{x}" y="{y}" width="12" height="12"/>"#)
            }
            PeriodState::Paused => {
                write!(out, r#"<path class="paused" d="M{} {y}v12M{} {y}v12"/>"#, x + 3, x + 9)
            }
        };
        let _ = write!(out, r#"<text class="start" x="{}" y="{}">{}</text>"#, x + 17, y + 10, escape(&word));
    }
    out.push_str("</svg>\n");
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::super::goal::tests::{goal, post};
    use super::*;
    use crate::domain::goal::{Bounds, Spec, status};

    #[test]
    fn every_state_is_told_apart_by_shape_and_words() {
        insta::assert_snapshot!("chart", svg(&goal(), PERIODS));
    }

    #[test]
    fn long_words_take_two_lines_on_a_small_telephone() {
        let languages = crate::render::language::Languages::embedded();
        for (tag, height) in [("en", 216), ("de", 235), ("fr", 235), ("es", 235)] {
            let language = languages.get(tag);
            assert!(svg_in(&goal(), PERIODS, language).contains(&format!("height=\"{height}\"")), "{tag}");
            for (_, word, left, _) in places(language) {
                assert!(left + width(&word) <= LEGEND + LEGEND_GAP, "{tag} {word}");
            }
        }
    }

    #[test]
    fn names_are_escaped_and_no_script_passes() {
        let chart = svg(&goal(), PERIODS);
        assert!(chart.contains("&lt;R&amp;D&gt;") && !chart.contains("<R&D>"));
        let mut reader = quick_xml::Reader::from_str(&chart);
        while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
    }

    #[test]
    fn charts_of_all_sizes_stay_within_their_frame() {
        for (posts, shown) in [(0, 24), (1, 1), (1, 24), (40, 24), (3, 0)] {
            let posts: Vec<_> = (0..posts).map(|_| post("2021-02-01", "A post")).collect();
            let now = "2024-07-29T10:00:00Z".parse().unwrap();
            let chart = svg(&status(&Spec::default(), &posts, &TimeZone::UTC, now, Bounds::default()), shown);
            assert!(!chart.contains("y=\"-") && !chart.contains("NaN") && !chart.contains("inf"), "{chart}");
        }
    }
}
