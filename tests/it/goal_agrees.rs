//! Wherever the goal is shown, it is the same: on the command line, as JSON, in the chart, on the pages, in the calendar and
//! in the mail; and it is what a few lines of shell count. The posts are those of a real blog of eighty months.

use std::process::Command;

use serde_json::Value;

use crate::daemon::{Daemon, ask};
use crate::site::{Site, site, text};

/// Posts a month from December 2014 to July 2021, a line a year.
const MONTHS: &str = "
    2014 0 0 0 0 0 0 0 0 0 0 0 2
    2015 3 2 1 0 1 2 1 1 0 1 0 1
    2016 0 3 0 2 0 0 1 1 3 0 0 4
    2017 6 4 3 2 1 2 2 1 2 2 2 1
    2018 1 3 1 0 1 2 4 3 3 1 1 0
    2019 6 0 3 1 0 5 1 4 2 1 1 0
    2020 1 0 0 1 1 0 4 3 1 0 1 0
    2021 0 0 5 0 4 3 2 0 0 0 0 0";

/// A few lines of shell: how many months have a post, the longest run of such, the longest run of others.
const COUNT: &str = r#"
    for year in $(seq 2014 2021); do for month in 01 02 03 04 05 06 07 08 09 10 11 12; do
        case "$year-$month" in 2014-0*|2014-10|2014-11|2021-08|2021-09|2021-1*) continue ;; esac
        ls _posts | grep -c "^$year-$month" || true
    done; done | awk '{ months++; sum += $1 }
        $1 > 0 { met++; run++; gap = 0; if (run > best) best = run }
        $1 == 0 { gap++; run = 0; if (gap > worst) worst = gap }
        END { print sum, met, months, best, worst }'"#;

fn blog() -> Site {
    let mut blog = site().config("[goal]\nposts = 1\n[digest]\nfrom = \"Notes <notes@example.org>\"\n");
    for line in MONTHS.lines().filter(|line| !line.trim().is_empty()) {
        let (year, months) = line.trim().split_once(' ').unwrap();
        for (month, posts) in (1..).zip(months.split(' ')) {
            for nth in 1..=posts.parse().unwrap() {
                blog = blog.post(&format!("{year}-{month:02}-{nth:02}-post.md"), text(&format!("Post {nth}"), "Text."));
            }
        }
    }
    blog
}

fn counted_by_shell(blog: &Site) -> Vec<u64> {
    let found = Command::new("bash").args(["-c", COUNT]).current_dir(blog.path("")).output().unwrap();
    let words = String::from_utf8(found.stdout).unwrap();
    words.split_whitespace().map(|word| word.parse().unwrap()).collect()
}

fn facts(goal: &Value) -> Vec<u64> {
    let periods = goal["periods"].as_array().unwrap().len() as u64;
    let numbers =
        ["published", "periods_met", "longest_streak", "longest_gap"].map(|name| goal[name].as_u64().unwrap());
    vec![numbers[0], numbers[1], periods, numbers[2], numbers[3]]
}

#[test]
fn the_goal_is_the_same_wherever_it_is_shown() {
    let blog = blog();
    let counted = counted_by_shell(&blog);
    assert_eq!(counted, [127, 58, 80, 16, 3]);

    let told = blog.json("goal --at 2021-07-31");
    let goal = &told["goals"][0];
    assert_eq!(facts(goal), counted, "the command line");
    let text = blog.ok("goal --at 2021-07-31").out;
    for part in ["127 of 80", "58 of 80 months", "longest 16", "longest gap  3 months"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let mail = blog.ok("digest preview 2021-07 --format text").out;
    assert!(
        mail.split_whitespace().collect::<Vec<_>>().join(" ").contains("127 posts in 80 months – 47 ahead"),
        "{mail}"
    );

    let daemon = Daemon::start(&blog, "2021-07-31T12:00:00Z");
    let get = |path: &str| ask(daemon.address, &format!("GET {path}"), "").unwrap().1;
    let served: Value = serde_json::from_str(&get("/goal.json")).unwrap();
    assert_eq!(served["goals"][0]["periods"], goal["periods"]);
    assert_eq!(facts(&served["goals"][0]), counted, "the JSON");
    let page = get("/goal");
    for part in ["127 posts in 80 months – 47 ahead", "58 of 80 months", "longest 16", "<dd>3 months</dd>"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let (mut met, mut posts) = (0, 0);
    for period in goal["periods"].as_array().unwrap() {
        let (name, published) = (period["period"].as_str().unwrap(), period["published"].as_u64().unwrap());
        let state = period["state"].as_str().unwrap();
        let cell = page.split_once(&format!("href=\"/goal/goal/{name}\" aria-label=")).unwrap().1;
        assert!(cell.split_once('>').unwrap().1.starts_with(&format!("{published}</a>")), "{name}");
        let month = get(&format!("/goal/goal/{name}"));
        assert_eq!(month.matches("<time").count() as u64, published, "{name}");
        assert!(month.contains(&format!(", {state}</p>")), "{name}: {month}");
        (met, posts) = (met + u64::from(state == "met"), posts + published);
    }
    assert_eq!((posts, met), (counted[0], counted[1]), "the pages");
    let chart = get("/goal.svg");
    let months = goal["periods"].as_array().unwrap();
    for period in &months[months.len() - 24..] {
        let posts = period["published"].as_u64().unwrap();
        let words = format!(
            ": {posts} post{}, {}</title>",
            if posts == 1 { "" } else { "s" },
            period["state"].as_str().unwrap()
        );
        assert!(chart.contains(&words), "{words}");
    }
    assert!(get("/badge.svg?show=total").contains("58 of 80"));
    let calendar = get("/goal.ics").replace("\r\n ", "");
    let late = months[months.len() - 13..].iter().filter(|period| period["state"] == "met").count();
    assert_eq!(calendar.matches("✓ done for").count(), late, "of the last year and this month: {calendar}");
    daemon.stop();
}
