//! Clocks that jump, and daemons that were not there when the time came.

use std::time::Duration;

use serde_json::json;

use super::super::daemon::{Daemon, at, blog, born, finished};
use super::super::site::{ran, site, text, until};

/// FAULTS E2: the clock that can be set, and one that cannot.
#[test]
fn a_clock_that_jumps_opens_nothing_until_it_is_believed_and_nothing_goes_twice() {
    let site = blog().post("2021-06-05-june.md", text("June", "Heat."));
    born(&site, "2021-05-10T00:00:00Z");
    let daemon = Daemon::start(&site, "2021-05-10T00:00:00Z");
    let hours = |n| Duration::from_hours(n);
    // Three weeks pass as they should, and the digest of May goes out.
    daemon.clock.set_steady(hours(0));
    daemon.beats();
    for day in 11..=31 {
        daemon.clock.set_steady(hours((day - 10) * 24));
        daemon.clock.set(at(&format!("2021-05-{day}T00:00:00Z")));
        daemon.beat();
    }
    daemon.clock.set_steady(hours(22 * 24 + 10));
    daemon.clock.set(at("2021-06-01T10:00:00Z"));
    finished(&site, 1);
    let both = 2;
    assert_eq!(site.mails().len(), both);
    // Forty days ahead, two hours back, seventy days back: neither June's digest nor May's again.
    for jump in ["2021-07-11T10:00:00Z", "2021-07-11T08:00:00Z", "2021-05-02T08:00:00Z"] {
        daemon.clock.set(at(jump));
        daemon.beats();
        assert_eq!((site.json("digest list").as_array().unwrap().len(), site.mails().len()), (1, both), "{jump}");
    }
    // Back where it belongs; then a month ahead once more, and this time it stays there.
    daemon.clock.set(at("2021-06-01T10:00:00Z"));
    daemon.beats();
    daemon.clock.set(at("2021-07-02T10:00:00Z"));
    daemon.beats();
    assert_eq!(site.mails().len(), both);
    // It is looked at when the daemon gets round to it, and has to run on for an hour after that.
    let mut passed = 10;
    until("the digest of June", || {
        passed += 1;
        daemon.clock.set_steady(hours(22 * 24 + passed));
        daemon.clock.set(at("2021-07-02T00:00:00Z") + jiff::SignedDuration::from_hours(passed.cast_signed()));
        daemon.beats();
        (site.json("digest list").as_array().unwrap().len() == 2).then_some(())
    });
    let list = finished(&site, 2);
    assert_eq!((&list[0]["period"], site.mails().len()), (&json!("2021-06"), 2 * both));
    daemon.stop();
}

/// FAULTS E3: how long nobody was there, and what goes out then. `catch_up` is 28 days, or seven.
#[test]
fn a_digest_that_is_late_goes_out_once_or_not_at_all_and_never_two_in_one_day() {
    for (catch_up, now, periods) in [
        ("28d", "2021-06-01T10:00:00Z", &["2021-05"][..]),
        ("28d", "2021-06-04T09:00:00Z", &["2021-05"]),
        ("28d", "2021-06-21T09:00:00Z", &["2021-05"]),
        ("7d", "2021-06-21T09:00:00Z", &[]),
        ("28d", "2021-08-02T09:00:00Z", &["2021-07"]),
        ("90d", "2021-08-02T09:00:00Z", &["2021-05"]),
    ] {
        let mut site = site().config(&format!("[digest]\ncatch_up = \"{catch_up}\"\n"));
        for month in ["05", "06", "07"] {
            site = site.post(&format!("2021-{month}-20-post.md"), text("Post", "Words."));
        }
        born(&site, "2021-05-10T00:00:00Z");
        let daemon = Daemon::start(&site, now);
        finished(&site, periods.len());
        daemon.beats();
        let list = site.json("digest list");
        let found: Vec<&str> = list.as_array().unwrap().iter().map(|e| e["period"].as_str().unwrap()).collect();
        assert_eq!(found, periods, "{catch_up} {now}");
        assert_eq!(site.mails().len(), periods.len() * 2);
        if catch_up == "90d" {
            daemon.clock.set(at("2021-08-03T09:30:00Z"));
            finished(&site, 2);
            daemon.clock.set(at("2021-08-04T10:00:00Z"));
            finished(&site, 3);
            assert_eq!(site.mails().len(), 6);
        }
        daemon.stop();
    }
}

/// FAULTS E6.
#[test]
fn a_month_without_posts_is_decided_once_as_the_operator_has_it() {
    for (when_empty, state, mails) in [("skip", "skipped", 0), ("send", "finished", 2)] {
        let site = site().config(&format!("[digest]\nwhen_empty = \"{when_empty}\"\n"));
        let site = site.post("2021-04-05-april.md", text("April", "Rain."));
        born(&site, "2021-05-10T00:00:00Z");
        let daemon = Daemon::start(&site, "2021-06-01T10:00:00Z");
        let list = finished(&site, 1);
        daemon.beats();
        assert_eq!((&list[0]["state"], site.mails().len()), (&json!(state), mails), "{when_empty}");
        daemon.stop();
    }
}

/// FAULTS E7: the zones are in the program, too.
#[test]
fn a_machine_without_zones_has_the_same_months() {
    let site = blog();
    let settings = site.read("gazetted.toml").replace("[posts]", "time_zone = \"Pacific/Kiritimati\"\n[posts]");
    site.save("gazetted.toml", settings);
    let asked = ["goal", "--json", "--at", "2021-06-01T00:30:00+14:00"];
    let here = ran(&mut site.command(&asked));
    let nowhere = ran(site.command(&asked).env("TZDIR", site.path("_posts")));
    assert_eq!(here.code, 0, "{}", here.err);
    assert_eq!((here.out, here.code), (nowhere.out, nowhere.code));
}
