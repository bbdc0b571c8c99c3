//! What stands behind a goal's numbers: the posts that count for it, whose they are, what is planned and what is in the
//! making. Knows posts and one goal; how it is shown is `render`'s work.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::goal::{Bounds, GoalStatus, Spec, counts_as_published, status};
use super::period::Period;
use super::post::{Post, State};

/// A post that counts, or will on its day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counted {
    pub title: String,
    pub url: String,
    /// In the site's zone.
    pub date: Date,
    pub authors: Vec<String>,
    /// It came after its period had closed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

/// A post that has no day yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Draft {
    pub title: String,
    pub authors: Vec<String>,
    pub words: usize,
    /// Days since the date it has, or since its file was last touched.
    pub age: u32,
}

/// How much of it one author had a hand in; a post of two counts for both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Share {
    pub author: String,
    pub posts: u32,
    pub latest: Date,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Record {
    #[serde(flatten)]
    pub status: GoalStatus,
    /// Those with most first.
    pub authors: Vec<Share>,
    /// Posts that wait for their day, the next first.
    pub scheduled: Vec<Counted>,
    /// Those nearest to done first.
    pub drafts: Vec<Draft>,
    /// What counts, the oldest first.
    #[serde(skip)]
    pub posts: Vec<Counted>,
}

impl Record {
    #[must_use]
    pub fn within(&self, period: Period) -> &[Counted] {
        let from = self.posts.partition_point(|post| post.date < period.first_day());
        let to = self.posts.partition_point(|post| post.date <= period.last_day());
        self.posts.get(from..to).unwrap_or_default()
    }

    /// Leaves out what readers are not to know before its day; how many posts are planned stays.
    pub fn keep_to_ourselves(&mut self) {
        self.drafts.clear();
        self.scheduled.clear();
    }

    /// Keeps what lies within the periods of a status that was counted anew, with other bounds.
    pub fn bound(&mut self) {
        let (since, until) = (self.status.since, self.status.until);
        self.posts
            .retain(|post| since.is_some_and(|day| day <= post.date) && until.is_some_and(|day| post.date <= day));
        self.authors = shares(&self.posts);
    }

    /// How many posts of a period came after it had closed.
    #[must_use]
    pub fn late(&self, period: Period) -> u32 {
        self.within(period).iter().fold(0, |sum, post| sum + u32::from(post.late))
    }
}

/// What only the daemon knows of a post.
pub trait Known {
    /// When it was first seen as published; none if that was before anybody looked.
    fn seen(&self, post: &Post) -> Option<Timestamp>;
    fn words(&self, post: &Post) -> usize;
}

/// The record of a goal at `now`.
#[must_use]
pub fn record(spec: &Spec, posts: &[Post], zone: &TimeZone, now: Timestamp, known: &dyn Known) -> Record {
    let status = status(spec, posts, zone, now, Bounds::default());
    let counted = counted(spec, &status, posts, zone, now, known);
    let made = in_the_making(spec, posts, zone, now, known);
    let scheduled = scheduled(spec, posts, zone, now);
    Record { authors: shares(&counted), scheduled, drafts: made, posts: counted, status }
}

fn counted(
    spec: &Spec,
    status: &GoalStatus,
    posts: &[Post],
    zone: &TimeZone,
    now: Timestamp,
    known: &dyn Known,
) -> Vec<Counted> {
    let Some(since) = status.since else { return Vec::new() };
    let mut found: Vec<(Timestamp, Counted)> = posts
        .iter()
        .filter_map(|post| Some((counts_as_published(spec, post, now)?, post)))
        .map(|(at, post)| {
            let end = Period::at(spec.per, at, zone).end(zone);
            let late = known.seen(post).is_some_and(|seen| seen >= end);
            (at, entry(post, zone.to_datetime(at).date(), late))
        })
        .filter(|(_, post)| post.date >= since)
        .collect();
    found.sort_by(|(a, left), (b, right)| a.cmp(b).then_with(|| left.url.cmp(&right.url)));
    found.into_iter().map(|(_, post)| post).collect()
}

fn entry(post: &Post, date: Date, late: bool) -> Counted {
    Counted { title: post.title.clone(), url: post.url.clone(), date, authors: names(post), late }
}

fn names(post: &Post) -> Vec<String> {
    post.authors.iter().map(|author| author.name.clone()).collect()
}

fn shares(posts: &[Counted]) -> Vec<Share> {
    let mut shares: BTreeMap<&str, Share> = BTreeMap::new();
    for post in posts {
        for author in &post.authors {
            let new = || Share { author: author.clone(), posts: 0, latest: post.date };
            let share = shares.entry(author).or_insert_with(new);
            share.posts += 1;
            share.latest = share.latest.max(post.date);
        }
    }
    let mut shares: Vec<Share> = shares.into_values().collect();
    shares.sort_by(|a, b| {
        b.posts.cmp(&a.posts).then_with(|| b.latest.cmp(&a.latest)).then_with(|| a.author.cmp(&b.author))
    });
    shares
}

/// Posts with a day to come; a draft with one is a draft.
fn scheduled(spec: &Spec, posts: &[Post], zone: &TimeZone, now: Timestamp) -> Vec<Counted> {
    let mut found: Vec<(Timestamp, &Post)> = posts
        .iter()
        .filter(|post| matches!(post.state, State::Published | State::Scheduled) && spec.wants(post))
        .filter_map(|post| post.date.filter(|date| *date > now).map(|date| (date, post)))
        .collect();
    found.sort_by(|(a, left), (b, right)| a.cmp(b).then_with(|| left.path.cmp(&right.path)));
    found.into_iter().map(|(at, post)| entry(post, zone.to_datetime(at).date(), false)).collect()
}

/// The longest first: words are the best sign there is of how far a draft has come.
fn in_the_making(spec: &Spec, posts: &[Post], zone: &TimeZone, now: Timestamp, known: &dyn Known) -> Vec<Draft> {
    let today = zone.to_datetime(now).date();
    let age = |post: &Post| {
        let since = post.date.filter(|date| *date <= now).unwrap_or(post.modified);
        let days = zone.to_datetime(since).date().until(today).map_or(0, |span| span.get_days());
        u32::try_from(days).unwrap_or_default()
    };
    let mut found: Vec<Draft> = posts
        .iter()
        .filter(|post| post.state == State::Draft && spec.wants(post))
        .map(|post| Draft { title: post.title.clone(), authors: names(post), words: known.words(post), age: age(post) })
        .collect();
    found.sort_by(|a, b| b.words.cmp(&a.words).then_with(|| a.age.cmp(&b.age)).then_with(|| a.title.cmp(&b.title)));
    found
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::report::tests::post;

    struct Sample;

    impl Known for Sample {
        fn seen(&self, post: &Post) -> Option<Timestamp> {
            (post.title == "Catching up").then(|| "2021-06-02T00:00:00Z".parse().unwrap())
        }

        fn words(&self, post: &Post) -> usize {
            post.title.len() * 100
        }
    }

    pub(crate) fn sample() -> Record {
        let mut posts = vec![
            post("2021-06-05", "Skeletons <2>", &["Ann", "Bo"], State::Published),
            post("2021-02-01", "Hello", &["Ann"], State::Published),
            post("2021-02-28", "Chunks", &["Ann"], State::Published),
            post("2021-05-20", "Catching up", &["Bo"], State::Published),
            post("2021-07-30", "To come", &["Cy"], State::Scheduled),
            post("2021-08-30", "Later", &["Cy"], State::Scheduled),
            post("2021-06-29", "A draft of many words", &["Ann"], State::Draft),
            post("2021-09-01", "A draft", &[], State::Draft),
        ];
        posts[7].date = None;
        let spec = Spec { pauses: vec![crate::domain::period::Days::parse("2021-04").unwrap()], ..Spec::default() };
        record(&spec, &posts, &TimeZone::UTC, "2021-07-29T10:00:00Z".parse().unwrap(), &Sample)
    }

    #[test]
    fn a_record_names_what_counts_who_wrote_it_and_what_is_on_the_way() {
        let record = sample();
        let counted: Vec<(&str, bool)> = record.posts.iter().map(|p| (p.title.as_str(), p.late)).collect();
        assert_eq!(counted, [("Hello", false), ("Chunks", false), ("Catching up", true), ("Skeletons <2>", false)]);
        let shares: Vec<(&str, u32)> = record.authors.iter().map(|s| (s.author.as_str(), s.posts)).collect();
        assert_eq!(shares, [("Ann", 3), ("Bo", 2)]);
        let scheduled: Vec<&str> = record.scheduled.iter().map(|p| p.title.as_str()).collect();
        assert_eq!(scheduled, ["To come", "Later"]);
        let drafts: Vec<(&str, usize, u32)> =
            record.drafts.iter().map(|d| (d.title.as_str(), d.words, d.age)).collect();
        assert_eq!(drafts, [("A draft of many words", 2_100, 30), ("A draft", 700, 9)]);
        assert_eq!(record.status.planned, 1, "only this month's");
    }

    #[test]
    fn the_posts_of_a_period_are_found_and_those_that_came_late_are_told() {
        let record = sample();
        let of = |text: &str| record.within(Period::parse(text).unwrap()).len();
        assert_eq!(["2021-01", "2021-02", "2021-03", "2021-05", "2021", "2022"].map(of), [0, 2, 0, 1, 4, 0]);
        assert_eq!(record.late(Period::parse("2021-05").unwrap()), 1);
        assert_eq!(record.late(Period::parse("2021-06").unwrap()), 0);
        let sum: u32 = record.status.periods.iter().map(|p| p.published).sum();
        assert_eq!(sum as usize, record.posts.len(), "the page and the numbers agree");
    }

    #[test]
    fn a_blog_without_posts_has_an_empty_record() {
        let now = "2021-07-29T10:00:00Z".parse().unwrap();
        let record = record(&Spec::default(), &[], &TimeZone::UTC, now, &Sample);
        assert!(record.posts.is_empty() && record.authors.is_empty() && record.drafts.is_empty());
    }
}
