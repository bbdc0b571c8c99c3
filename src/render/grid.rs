//! A goal's periods laid out by years: one row a year, one place a period. Knows the calendar, not how it is drawn.

use crate::domain::goal::{GoalStatus, PeriodStatus};
use crate::domain::period::{Per, Period};

pub struct Grid<'a> {
    pub columns: usize,
    /// Each year's places, the first year first; what lies before the first period and after the last is none.
    pub rows: Vec<(i16, Vec<Option<&'a PeriodStatus>>)>,
}

impl<'a> Grid<'a> {
    #[must_use]
    pub fn of(goal: &'a GoalStatus) -> Self {
        let columns = columns(goal.per);
        let (Some(first), Some(last)) = (goal.periods.first(), goal.periods.last()) else {
            return Self { columns, rows: Vec::new() };
        };
        let from = first.period.year();
        let mut rows: Vec<_> = (from..=last.period.year()).map(|year| (year, vec![None; columns])).collect();
        for status in &goal.periods {
            let row = usize::try_from(status.period.year() - from).ok().and_then(|row| rows.get_mut(row));
            if let Some(place) = row.and_then(|(_, places)| places.get_mut(column(status.period))) {
                *place = Some(status);
            }
        }
        Self { columns, rows }
    }
}

fn columns(per: Per) -> usize {
    match per {
        Per::Week => 53,
        Per::Month => 12,
        Per::Quarter => 4,
        Per::Year => 1,
    }
}

fn column(period: Period) -> usize {
    let first = period.first_day();
    let nth = match period.per() {
        Per::Week => first.iso_week_date().week(),
        Per::Month => first.month(),
        Per::Quarter => (first.month() + 2) / 3,
        Per::Year => 1,
    };
    usize::try_from(nth - 1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::domain::goal::{Bounds, Spec, status};

    #[test]
    fn every_period_has_one_place_in_its_year() {
        for (per, columns) in [(Per::Week, 53), (Per::Month, 12), (Per::Quarter, 4), (Per::Year, 1)] {
            let spec = Spec { per, ..Spec::default() };
            let bounds = Bounds { from: Some(date(2020, 12, 29)), to: None, by_day: false };
            let status = status(&spec, &[], &TimeZone::UTC, "2022-01-01T10:00:00Z".parse().unwrap(), bounds);
            let grid = Grid::of(&status);
            assert_eq!((grid.columns, grid.rows[0].0), (columns, 2020));
            let placed = grid.rows.iter().flat_map(|(_, places)| places).filter(|place| place.is_some()).count();
            assert_eq!(placed, status.periods.len(), "{per:?}");
        }
    }
}
