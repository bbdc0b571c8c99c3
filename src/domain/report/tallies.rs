//! What a report adds up beside the goal: who wrote how much, about what, in which month, and how it was before. Knows the
//! posts that were listed, and days.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Span, ToSpan as _};
use serde::Serialize;

use super::{ReportPost, Verdict};
use crate::domain::period::{Per, Period};

/// An author's or a tag's posts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Share {
    pub name: String,
    pub posts: u32,
    /// Of all posts; several authors may have written one.
    pub percent: u32,
}

/// A month and what was published in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Month {
    pub month: Period,
    pub published: u32,
    /// Their places in the report's list, from 1.
    pub posts: Vec<usize>,
}

/// The stretch of the same length before this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Before {
    pub from: Date,
    pub to: Date,
    pub published: u32,
    pub target: u32,
    pub verdict: Verdict,
}

/// In how many of the posts each name occurs, the most frequent first; spelt as it is most often.
pub(super) fn shares<'a>(posts: &'a [ReportPost], names: impl Fn(&'a ReportPost) -> &'a [String]) -> Vec<Share> {
    let mut spellings: BTreeMap<String, BTreeMap<&str, u32>> = BTreeMap::new();
    for post in posts {
        let own: BTreeMap<String, &str> = names(post).iter().map(|name| (name.to_lowercase(), &**name)).collect();
        for (name, spelling) in own {
            *spellings.entry(name).or_default().entry(spelling).or_default() += 1;
        }
    }
    let all = u32::try_from(posts.len()).unwrap_or(u32::MAX).max(1);
    let share = |spellings: &BTreeMap<&str, u32>| {
        let posts = spellings.values().sum();
        let name = spellings.iter().max_by_key(|(_, posts)| **posts).map(|(name, _)| (*name).to_owned());
        Share { name: name.unwrap_or_default(), posts, percent: (posts * 100 + all / 2) / all }
    };
    let mut shares: Vec<Share> = spellings.values().map(share).collect();
    shares.sort_by(|a, b| b.posts.cmp(&a.posts).then_with(|| a.name.cmp(&b.name)));
    shares
}

/// Every month from `from` to `to`, also those in which nothing was published.
pub(super) fn months(posts: &[ReportPost], from: Date, to: Date) -> Vec<Month> {
    let first = Period::containing(Per::Month, from);
    let all =
        std::iter::successors(Some(first), |month| Some(month.next())).take_while(|month| month.first_day() <= to);
    let in_month = |month: Period| {
        let is_in = |post: &ReportPost| post.date.is_some_and(|day| Period::containing(Per::Month, day) == month);
        let posts: Vec<usize> =
            posts.iter().enumerate().filter(|(_, post)| is_in(post)).map(|(at, _)| at + 1).collect();
        Month { month, published: u32::try_from(posts.len()).unwrap_or(u32::MAX), posts }
    };
    // A century is more than a report is about.
    all.take(1_200).map(in_month).collect()
}

/// As many whole months before, if the stretch is made of such, else as many days.
pub(super) fn stretch_before(from: Date, to: Date) -> Option<(Date, Date)> {
    let after = to.tomorrow().ok()?;
    let length: Span = if from.day() == 1 && after.day() == 1 {
        let months = i32::from(after.year() - from.year()) * 12 + i32::from(after.month() - from.month());
        months.months()
    } else {
        from.until(after).ok()?
    };
    Some((from.checked_sub(length).ok()?, from.yesterday().ok()?))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_stretch_before_is_as_long_in_months_or_in_days() {
        for (from, to, expected) in [
            (date(2021, 2, 1), date(2021, 9, 30), (date(2020, 6, 1), date(2021, 1, 31))),
            (date(2021, 1, 1), date(2021, 12, 31), (date(2020, 1, 1), date(2020, 12, 31))),
            (date(2021, 5, 3), date(2021, 5, 9), (date(2021, 4, 26), date(2021, 5, 2))),
        ] {
            assert_eq!(stretch_before(from, to), Some(expected));
        }
    }
}
