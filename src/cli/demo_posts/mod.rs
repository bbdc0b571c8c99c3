//! The blog of `gazetted demo`: a small open-source project's, invented, with what real posts have. Each day is told
//! from today, so that the goal always shows months met, one missed and one open. Knows no clock: today is an argument.

use jiff::ToSpan as _;
use jiff::civil::Date;

#[derive(Debug, Clone, Copy)]
enum When {
    /// That many months before today's, on this day of theirs; 28 at most, so that every month has it.
    Month {
        ago: i32,
        day: i8,
    },
    InDays(i32),
}
use When::*;

/// When, under which name, and the text. In it `@{date}` is the post's own day, and `@{slug}` another's file name.
type Sample = (When, &'static str, &'static str);

const POSTS: [Sample; 12] = [
    (Month { ago: 8, day: 6 }, "hello", include_str!("hello.md")),
    (Month { ago: 7, day: 19 }, "reading-plates", include_str!("reading-plates.md")),
    // Six months ago nothing was published.
    (Month { ago: 5, day: 4 }, "counting-touching-animals", include_str!("counting-touching-animals.md")),
    (Month { ago: 5, day: 25 }, "release-0-3", include_str!("release-0-3.md")),
    (Month { ago: 4, day: 13 }, "plates-in-the-dark", include_str!("plates-in-the-dark.md")),
    (Month { ago: 3, day: 28 }, "a-table-for-everyone", include_str!("a-table-for-everyone.md")),
    (Month { ago: 2, day: 9 }, "fish-larvae", include_str!("fish-larvae.md")),
    (Month { ago: 2, day: 21 }, LATE, include_str!("notes-from-the-pier.md")),
    (Month { ago: 1, day: 8 }, "slow-test", include_str!("slow-test.md")),
    (Month { ago: 1, day: 22 }, "counting-by-month", include_str!("counting-by-month.md")),
    (InDays(9), "workshop", include_str!("workshop.md")),
    (InDays(16), "new-camera", include_str!("new-camera.md")),
];

/// The post that is dated two months back and comes only after that month's digest.
const LATE: &str = "notes-from-the-pier";

/// Whether a file of `posts` is to be written only after the digest of the month it is dated in.
#[must_use]
pub fn is_late(path: &str) -> bool {
    path.strip_suffix(".md").is_some_and(|stem| stem.ends_with(LATE))
}

/// Path and text of each file, oldest first.
#[must_use]
pub fn posts(today: Date) -> Vec<(String, String)> {
    let named: Vec<(Date, &str, String, &str)> = POSTS
        .iter()
        .map(|(when, slug, text)| {
            let day = day(*when, today);
            (day, *slug, format!("{day}-{slug}"), *text)
        })
        .collect();
    named
        .iter()
        .map(|(day, _, name, text)| {
            let own = text.replace("@{date}", &day.to_string());
            let text = named.iter().fold(own, |t, (_, slug, name, _)| t.replace(&format!("@{{{slug}}}"), name));
            (format!("_posts/{name}.md"), text)
        })
        .collect()
}

fn day(when: When, today: Date) -> Date {
    match when {
        Month { ago, day } => {
            today.first_of_month().saturating_sub(ago.months()).with().day(day).build().unwrap_or(today)
        }
        InDays(days) => today.saturating_add(days.days()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::domain::body::{self, Surroundings};
    use crate::domain::catalogue::{Catalogue, LinkIndex};
    use crate::domain::dialect::{Dialect, Rules};
    use crate::domain::identity::Ledger;
    use crate::domain::post_file::{File, Parsed, parse};

    fn rules() -> Rules {
        Rules {
            base_url: "https://lanternfish.example".to_owned(),
            zone: TimeZone::UTC,
            default_author: None,
            ..Rules::sample(Dialect::Jekyll)
        }
    }

    #[test]
    fn the_months_show_met_missed_twice_and_open_whatever_the_day() {
        for today in [date(2026, 3, 31), date(2026, 1, 1), date(2028, 2, 29), date(2026, 8, 15)] {
            let mut months: BTreeMap<i32, usize> = BTreeMap::new();
            for (path, _) in posts(today) {
                let day: Date = path["_posts/".len()..][..10].parse().unwrap();
                let ago = (i32::from(today.year()) * 12 + i32::from(today.month()))
                    - (i32::from(day.year()) * 12 + i32::from(day.month()));
                if day <= today {
                    *months.entry(ago).or_default() += 1;
                }
            }
            assert_eq!(months, BTreeMap::from([(8, 1), (7, 1), (5, 2), (4, 1), (3, 1), (2, 2), (1, 2)]), "{today}");
        }
    }

    #[test]
    fn every_sample_is_read_and_rendered_without_a_problem() {
        let today = date(2026, 8, 15);
        let files = posts(today);
        let rules = rules();
        let parsed: Vec<Parsed> = files
            .iter()
            .map(|(path, text)| {
                let relative = path.trim_start_matches("_posts/");
                parse(
                    File { path, relative, bytes: text.as_bytes(), modified: Timestamp::UNIX_EPOCH, inherited: None },
                    &rules,
                )
            })
            .collect();
        let now = TimeZone::UTC.to_timestamp(today.at(12, 0, 0, 0)).unwrap();
        let (catalogue, _) = Catalogue::assemble(&parsed, &Ledger::default(), now);
        assert_eq!(catalogue.problems, []);
        assert_eq!(catalogue.published().count(), 10);
        assert_eq!(catalogue.drafts().count(), 1);
        let links = LinkIndex::new(&catalogue.posts);
        let includes = BTreeMap::new();
        for post in &catalogue.posts {
            let (path, text) = files.iter().find(|(path, _)| **path == *post.path).unwrap();
            let body = body::render(post, text, Surroundings { rules: &rules, includes: &includes, links: &links });
            assert_eq!((body.problems.len(), body.unknown.len()), (0, 0), "{path}: {:?}", body.unknown);
            assert!((80..=250).contains(&body.words), "{path}: {} words", body.words);
            assert!(!body.html.contains("@{"), "{path}");
        }
        let authors: Vec<usize> = catalogue.posts.iter().rev().map(|p| p.authors.len()).collect();
        assert_eq!(authors, [1, 2, 2, 1, 2, 2, 2, 2, 1, 1, 3, 1]);
        assert_eq!(files.iter().filter(|(path, _)| is_late(path)).count(), 1);
    }
}
