use std::sync::Arc;

use jiff::civil::date;

use super::*;
use crate::domain::author::Author;
use crate::domain::post::Written;

/// The goal, the posts, now; the states, (streak, longest streak, longest gap, ahead).
type Row<'a> = (Spec, &'a [&'a str], &'a str, &'a str, (u32, u32, u32, i64));

fn at(text: &str) -> Timestamp {
    let text = if text.len() == 10 { format!("{text}T12:00:00Z") } else { text.to_owned() };
    text.parse().unwrap()
}

fn post(day: &str) -> Post {
    let written = Written {
        path: Arc::from(format!("{day}.md")),
        url: format!("https://blog.example/{day}"),
        title: day.into(),
        date: Some(at(day)),
        authors: vec![Author::named("Ann")],
        tags: vec!["rust".into()],
        source_hash: 0,
        body_hash: 0,
        modified: Timestamp::UNIX_EPOCH,
        ..Written::sample()
    };
    Post { id: day.into(), ..Post::published(written) }
}

fn posts(days: &[&str]) -> Vec<Post> {
    days.iter().map(|day| post(day)).collect()
}

fn stand(spec: &Spec, days: &[&str], now: &str) -> GoalStatus {
    status(spec, &posts(days), &TimeZone::UTC, at(now), Bounds::default())
}

fn states(status: &GoalStatus) -> String {
    status
        .periods
        .iter()
        .map(|p| p.state.as_str().chars().nth(usize::from(p.state == PeriodState::Missed)).unwrap())
        .collect()
}

#[test]
fn the_mission_reads_as_its_owners_wrote_it() {
    let days = [
        "2021-03-04",
        "2021-03-19",
        "2021-03-29",
        "2021-05-07",
        "2021-05-24",
        "2021-05-25",
        "2021-06-25",
        "2021-07-02",
        "2021-07-07",
    ];
    let bounds = Bounds { from: Some(date(2021, 2, 1)), to: Some(date(2021, 9, 30)), by_day: false };
    let status = status(&Spec::default(), &posts(&days), &TimeZone::UTC, at("2021-09-28"), bounds);
    assert_eq!((status.published, status.target, status.ahead), (9, 8, 1));
    // m = met, i = missed, o = open, p = paused.
    assert_eq!(states(&status), "imimmmio");
    assert_eq!(
        status.sentence,
        "Goal: one post a month. 9 posts in 8 months – 1 ahead. This month is open: 3 days left, none yet."
    );
}

#[test]
fn streaks_gaps_and_states_follow_the_contract() {
    let pause = |text| Spec { pauses: vec![Days::parse(text).unwrap()], ..Spec::default() };
    let two = Spec { posts: 2, ..Spec::default() };
    let table: [Row<'_>; 8] = [
        (Spec::default(), &[], "2021-05-10", "", (0, 0, 0, 0)),
        (Spec::default(), &["2021-06-01"], "2021-05-10", "", (0, 0, 0, 0)),
        (Spec::default(), &["2021-03-01", "2021-04-01"], "2021-05-10", "mmo", (2, 2, 0, -1)),
        (Spec::default(), &["2021-03-01", "2021-04-01", "2021-05-01"], "2021-05-10", "mmm", (3, 3, 0, 0)),
        (Spec::default(), &["2021-01-01", "2021-04-01"], "2021-05-10", "miimo", (1, 1, 2, -3)),
        (pause("2021-02"), &["2021-01-01", "2021-03-01"], "2021-03-10", "mpm", (2, 2, 0, 0)),
        (pause("2021-02"), &["2020-12-31", "2021-04-01"], "2021-04-02", "mipim", (1, 1, 2, -2)),
        (two, &["2021-04-01", "2021-05-01", "2021-05-02"], "2021-05-10", "im", (1, 1, 1, -1)),
    ];
    for (spec, days, now, expected, numbers) in table {
        let status = stand(&spec, days, now);
        assert_eq!(states(&status), expected, "{days:?}");
        let found = (status.streak, status.longest_streak, status.longest_gap, status.ahead);
        assert_eq!(found, numbers, "{days:?}");
    }
}

#[test]
fn the_sentence_never_calls_a_running_period_missed() {
    let two = Spec { posts: 2, per: Per::Week, ..Spec::default() };
    let pause = Spec { pauses: vec![Days::parse("2021-05").unwrap()], ..Spec::default() };
    for (spec, days, now, expected) in [
        (Spec::default(), &[][..], "2021-05-10", "Goal: one post a month. No post yet."),
        (
            Spec { since: Some(date(2021, 9, 20)), ..Spec::default() },
            &["2021-05-07"][..],
            "2021-05-10",
            "Goal: one post a month. It begins with September 2021.",
        ),
        (
            Spec::default(),
            &["2021-04-01"],
            "2021-05-31",
            "Goal: one post a month. 1 post in 2 months – 1 behind. This month is open: today is the last day, none yet.",
        ),
        (
            two,
            &["2021-05-10"],
            "2021-05-12",
            "Goal: two posts a week. 1 post in 1 week – 1 behind. This week is open: 5 days left, 1 of 2 so far.",
        ),
        (
            Spec::default(),
            &["2021-05-10"],
            "2021-05-12",
            "Goal: one post a month. 1 post in 1 month – on pace. This month is met: 1 post.",
        ),
        (
            pause,
            &["2021-04-10"],
            "2021-05-12",
            "Goal: one post a month. 1 post in 1 month – on pace. This month is a pause.",
        ),
    ] {
        assert_eq!(stand(&spec, days, now).sentence, expected);
    }
}

#[test]
fn drafts_future_posts_and_other_people_do_not_count() {
    let mut all = posts(&["2021-04-01", "2021-04-02", "2021-04-03", "2021-04-20"]);
    all[0].state = PostState::Draft;
    all[1].authors = vec![Author::named("Bo")];
    all[3].state = PostState::Scheduled;
    let spec = Spec { author: Some("ann".into()), ..Spec::default() };
    let status = status(&spec, &all, &TimeZone::UTC, at("2021-04-10"), Bounds::default());
    assert_eq!((status.published, status.planned), (1, 1));
}

#[test]
fn the_next_post_is_due_at_the_end_of_the_open_period_or_else_of_the_next() {
    let pause = Spec { pauses: vec![Days::parse("2021-06").unwrap()], ..Spec::default() };
    let later = Spec { since: Some(date(2021, 9, 1)), ..Spec::default() };
    for (spec, days, now, due) in [
        (Spec::default(), &[][..], "2021-05-10", date(2021, 5, 31)),
        (Spec::default(), &["2021-05-01"], "2021-05-10", date(2021, 6, 30)),
        (Spec::default(), &["2021-12-01"], "2021-12-31", date(2022, 1, 31)),
        (Spec::default(), &["2020-01-01"], "2020-02-01", date(2020, 2, 29)),
        (pause, &["2021-05-01"], "2021-05-10", date(2021, 7, 31)),
        (later, &["2021-05-01"], "2021-05-10", date(2021, 9, 30)),
    ] {
        assert_eq!(stand(&spec, days, now).next_due, due, "{now}");
    }
}

#[test]
fn a_post_counts_in_the_month_of_the_sites_zone() {
    let days = ["2021-04-30T22:30:00Z", "2021-10-31T00:30:00Z"];
    for (zone, april, may) in [("UTC", 1, 0), ("Europe/Berlin", 0, 1), ("America/New_York", 1, 0)] {
        let zone = TimeZone::get(zone).unwrap();
        let spec = Spec { since: Some(date(2021, 4, 1)), ..Spec::default() };
        let status = status(&spec, &posts(&days), &zone, at("2021-10-31T06:00:00Z"), Bounds::default());
        assert_eq!((status.periods[0].published, status.periods[1].published), (april, may));
        assert_eq!(status.published, 2);
        assert_eq!(status.days_left, 1);
    }
}

#[test]
fn the_forecast_adds_the_pace_for_the_rest_of_the_year() {
    let steady: Vec<String> =
        (1..=12).map(|m| format!("2020-{m:02}-10")).chain((1..=6).map(|m| format!("2021-{m:02}-10"))).collect();
    let steady: Vec<&str> = steady.iter().map(String::as_str).collect();
    let quarterly = Spec { per: Per::Quarter, ..Spec::default() };
    for (spec, days, now, forecast) in [
        (Spec::default(), &steady[..], "2021-06-20", 12.0),
        (Spec::default(), &steady[..17], "2021-06-20", 12.0),
        (Spec::default(), &["2021-05-01"][..], "2021-05-10", 1.0),
        (Spec::default(), &["2021-11-01", "2021-12-01"][..], "2021-12-31", 2.0),
        (quarterly, &["2021-01-01", "2021-02-01"][..], "2021-04-10", 8.0),
        (Spec::default(), &[][..], "2021-04-10", 0.0),
    ] {
        assert!(
            (stand(&spec, days, now).forecast - forecast).abs() < 0.01,
            "{now} {}",
            stand(&spec, days, now).forecast
        );
    }
}

#[test]
fn a_pause_of_most_of_a_week_pauses_the_week() {
    let spec = Spec {
        per: Per::Week,
        since: Some(date(2020, 12, 14)),
        pauses: vec![Days { first: date(2020, 12, 23), last: date(2021, 1, 3) }],
        ..Spec::default()
    };
    assert_eq!(states(&stand(&spec, &[], "2021-01-05")), "ippo");
}

#[test]
fn the_json_has_the_names_scripts_rely_on() {
    let json = serde_json::to_value(stand(&Spec::default(), &["2021-04-10"], "2021-05-12")).unwrap();
    for name in [
        "name",
        "posts",
        "per",
        "since",
        "until",
        "published",
        "target",
        "ahead",
        "periods_met",
        "periods_missed",
        "streak",
        "longest_streak",
        "longest_gap",
        "average",
        "forecast",
        "next_due",
        "periods",
    ] {
        assert!(json.get(name).is_some(), "{name}");
    }
    assert_eq!(json["since"], "2021-04-01");
    assert_eq!(json["next_due"], "2021-05-31");
    let april = serde_json::json!({"period": "2021-04", "published": 1, "goal": 1, "state": "met", "closed": true});
    assert_eq!(json["periods"][0], april);
}

#[test]
fn an_edition_can_be_read_back_years_later() {
    let status = GoalStatus { due: Vec::new(), ..stand(&Spec::default(), &["2021-04-10"], "2021-05-12") };
    let mut json = serde_json::to_value(&status).unwrap();
    assert_eq!(serde_json::from_value::<GoalStatus>(json.clone()).unwrap(), status);
    json["periods"][1].as_object_mut().unwrap().remove("closed");
    json.as_object_mut().unwrap().remove("planned");
    assert!(serde_json::from_value::<GoalStatus>(json).unwrap().current().is_none());
}
