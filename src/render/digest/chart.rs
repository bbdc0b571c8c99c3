//! The goal as a mail can show it: a bar for each of the last periods, made of table cells, with a line where the goal is
//! and words beside it; and the same in letters for the text part. No image, and nothing that is said by colour alone.

use minijinja::context;
use minijinja::value::Value;

use super::clean;
use crate::domain::goal::{GoalStatus, PeriodState, PeriodStatus};
use crate::domain::period::Per;
use crate::render::language::Language;

/// The last periods that are shown.
const PERIODS: usize = 12;
/// The longest bar of the text part.
const LETTERS: u32 = 20;

/// `full`: with the chart, and not the sentence alone.
pub(super) fn told(goal: &GoalStatus, language: &Language, full: bool) -> Value {
    let from = if full { goal.periods.len().saturating_sub(PERIODS) } else { goal.periods.len() };
    let shown = goal.periods.get(from..).unwrap_or_default();
    let scale = Scale::of(goal, shown);
    let rows = shown.iter().enumerate().map(|(index, status)| row(status, &scale, language, index == 0));
    context! {
        sentence => clean(&language.goal_sentence(goal)),
        streak => goal.streak,
        periods => rows.collect::<Vec<_>>(),
    }
}

fn row(status: &PeriodStatus, scale: &Scale, language: &Language, first: bool) -> Value {
    let short = language.period_short(status.period);
    let year = status.period.year();
    let begins_year = status.period.per() != Per::Year && (first || status.period.previous().year() != year);
    let label = if begins_year { format!("{short} {year}") } else { short.clone() };
    context! {
        name => language.period_heading(status.period),
        short,
        // The engine's own padding counts bytes.
        column => format!("{label:<10}"),
        label,
        published => status.published,
        state => status.state.as_str(),
        state_name => language.state(status.state),
        cells => scale.cells(status),
        letters => scale.letters(status),
    }
}

/// How long a bar is.
struct Scale {
    goal: u32,
    most: u32,
}

impl Scale {
    fn of(goal: &GoalStatus, shown: &[PeriodStatus]) -> Self {
        let most = shown.iter().map(|status| status.published).max().unwrap_or_default();
        // There is always room beyond the goal's line.
        Self { goal: goal.posts, most: most.max(goal.posts.saturating_add(1)) }
    }

    fn percent(&self, posts: u32) -> u32 {
        (posts.min(self.most) * 100 + self.most / 2) / self.most
    }

    /// What stands side by side: how wide in percent, whether filled, and whether the goal's line is at its end.
    fn cells(&self, status: &PeriodStatus) -> Vec<Value> {
        let (goal, published) = (self.percent(self.goal), self.percent(status.published));
        let parts = [
            (published.min(goal), true, published >= goal),
            (goal.saturating_sub(published), false, true),
            (published.saturating_sub(goal), true, false),
            (100 - published.max(goal), false, false),
        ];
        let shown = parts.into_iter().filter(|(width, ..)| *width > 0);
        shown.map(|(width, full, line)| context! { width, full, line }).collect()
    }

    /// `██│█   `, and `·│` for what is missing.
    fn letters(&self, status: &PeriodStatus) -> String {
        let unit = |posts: u32| {
            if self.most <= LETTERS { posts } else { (posts * LETTERS).div_ceil(self.most) }
        };
        let (goal, published, most) = (unit(self.goal), unit(status.published), unit(self.most));
        let missing = if status.state == PeriodState::Paused { " " } else { "·" };
        let repeated = |letter: &str, times: u32| letter.repeat(usize::try_from(times).unwrap_or_default());
        format!(
            "{}{}│{}{}",
            repeated("█", published.min(goal)),
            repeated(missing, goal.saturating_sub(published)),
            repeated("█", published.saturating_sub(goal)),
            repeated(" ", most - published.max(goal).min(most)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::period::Period;

    fn status(published: u32, state: PeriodState) -> PeriodStatus {
        PeriodStatus { period: Period::month(2021, 5).unwrap(), published, goal: 2, state, closed: true }
    }

    fn widths(scale: &Scale, published: u32) -> Vec<(u32, bool, bool)> {
        let cells = scale.cells(&status(published, PeriodState::Met));
        let part = |cell: &Value, name: &str| cell.get_attr(name).unwrap();
        let width = |cell: &Value| u32::try_from(part(cell, "width")).unwrap();
        cells.iter().map(|cell| (width(cell), part(cell, "full").is_true(), part(cell, "line").is_true())).collect()
    }

    #[test]
    fn a_bar_is_as_wide_as_its_row_and_has_the_goals_line_once_and_always_in_the_same_place() {
        for most in 1..40 {
            for goal in 1..=most {
                let scale = Scale { goal, most: most + 1 };
                for published in 0..=most {
                    let cells = widths(&scale, published);
                    assert_eq!(cells.iter().map(|(width, ..)| width).sum::<u32>(), 100, "{cells:?}");
                    assert_eq!(cells.iter().filter(|(.., line)| *line).count(), 1, "{cells:?}");
                    let until = cells.iter().position(|(.., line)| *line).unwrap();
                    let place: u32 = cells[..=until].iter().map(|(width, ..)| width).sum();
                    assert_eq!(place, scale.percent(goal), "{cells:?}");
                    let full: u32 = cells.iter().filter(|(_, full, _)| *full).map(|(width, ..)| width).sum();
                    assert_eq!(full, scale.percent(published), "{cells:?}");
                }
            }
        }
    }

    #[test]
    fn letters_show_posts_what_is_missing_and_the_goal() {
        let scale = Scale { goal: 2, most: 4 };
        for (published, state, expected) in [
            (0, PeriodState::Missed, "··│  "),
            (1, PeriodState::Missed, "█·│  "),
            (2, PeriodState::Met, "██│  "),
            (4, PeriodState::Met, "██│██"),
            (0, PeriodState::Paused, "  │  "),
        ] {
            assert_eq!(scale.letters(&status(published, state)), expected);
        }
        let long = Scale { goal: 30, most: 90 };
        for published in 0..=90 {
            assert_eq!(long.letters(&status(published, PeriodState::Met)).chars().count(), 21, "{published}");
        }
    }

    #[test]
    fn a_row_is_of_the_year_that_its_period_is_counted_to() {
        let labels = |first: &str, second: &str| {
            let periods = [first, second]
                .map(|text| PeriodStatus { period: Period::parse(text).unwrap(), ..status(1, PeriodState::Met) });
            let goal = GoalStatus { posts: 1, periods: periods.to_vec(), ..GoalStatus::default() };
            let told = told(&goal, crate::render::language::Languages::embedded().get("en"), true);
            let rows: Vec<Value> = told.get_attr("periods").unwrap().try_iter().unwrap().collect();
            rows.iter().map(|row| row.get_attr("label").unwrap().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(labels("2020-W53", "2021-W01"), ["W53 2020", "W1 2021"]);
        assert_eq!(labels("2014", "2015"), ["2014", "2015"]);
        assert_eq!(labels("2021-04", "2021-05"), ["Apr 2021", "May"]);
    }
}
