//! Editors are told of their goal when they asked for it: once a stage, not a word once it is met, and how the month closed.

use serde_json::Value;

use crate::daemon::{Daemon, at, blog};
use crate::readers::receiver;
use crate::site::{LEAST, Site, text, until};

const CONFIG: &str = "[goal]\n[digest]\nenabled = false\nfrom = \"Notes <notes@example.org>\"\neditors = [\"ann@example.org\", \"bo@example.org\"]\n";
const NUDGE: &str = "[nudge]\nstages = [\"day 15\", \"day 25\", \"3 days left\"]\nmonthly = true\n";

fn told(more: &str) -> Site {
    let site = blog();
    site.save("gazetted.toml", format!("{LEAST}{CONFIG}{more}"));
    site.save(
        "_posts/2021-06-20-draft.md",
        "---\ntitle: Choosing good chunk sizes\npublished: false\nauthor: Genevieve\n---\nSome words here.\n",
    );
    site
}

/// The subjects of the mails there are, each once however many got it, and to how many they went in all.
fn subjects(site: &Site) -> (Vec<String>, usize) {
    let mails = site.mails();
    let mut subjects: Vec<String> =
        mails.iter().map(|name| header(&site.read(&format!("mail/{name}")), "Subject")).collect();
    subjects.sort();
    subjects.dedup();
    (subjects, mails.len())
}

fn header(mail: &str, name: &str) -> String {
    let unfolded = mail.replace("\r\n ", " ");
    let line = unfolded.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned));
    line.unwrap_or_else(|| panic!("no {name}: {mail}"))
}

fn wait_for(site: &Site, mails: usize) {
    until(&format!("{mails} mails"), || (site.mails().len() >= mails).then_some(()));
}

#[test]
fn each_stage_is_told_once_and_nothing_more_once_the_goal_is_met() {
    let site = told(NUDGE);
    let daemon = Daemon::start(&site, "2021-06-10T00:00:00Z");
    daemon.clock.set(at("2021-06-15T08:59:00Z"));
    daemon.beats();
    assert_eq!(site.mails().len(), 0, "not before its hour");
    daemon.clock.set(at("2021-06-15T09:00:00Z"));
    wait_for(&site, 2);
    daemon.clock.set(at("2021-06-24T12:00:00Z"));
    daemon.beats();
    daemon.stop();
    let daemon = Daemon::start(&site, "2021-06-24T13:00:00Z");
    daemon.beats();
    assert_eq!(subjects(&site), (vec!["Working Notes: 16 days left, one post to go for June 2021".to_owned()], 2));
    let mail = site.read(&format!("mail/{}", site.mails()[0]));
    for part in [
        "Choosing good chunk sizes",
        "Genevieve, 3 words",
        "https://blog.example.org/goal/goal",
        "Auto-Submitted: auto-generated",
    ] {
        assert!(mail.contains(part), "{part}: {mail}");
    }
    assert!(!mail.contains("List-Unsubscribe"), "an editor is no subscriber");
    daemon.clock.set(at("2021-06-25T09:00:00Z"));
    wait_for(&site, 4);
    site.save("_posts/2021-06-25-june.md", text("June", "At last."));
    until("the goal to be met", || {
        let (_, json) = crate::daemon::ask(daemon.address, "GET /goal.json", "")?;
        let goal: Value = serde_json::from_str(&json).ok()?;
        (goal["goals"][0]["periods"].as_array()?.last()?["state"] == "met").then_some(())
    });
    daemon.clock.set(at("2021-06-30T12:00:00Z"));
    daemon.beats();
    assert_eq!(subjects(&site).1, 4, "not a word once it is met");
    daemon.clock.set(at("2021-07-01T09:00:00Z"));
    wait_for(&site, 6);
    let (subjects, _) = subjects(&site);
    assert_eq!(subjects[2], "Working Notes: how June 2021 closed", "{subjects:?}");
    let june = site
        .mails()
        .iter()
        .map(|name| site.read(&format!("mail/{name}")))
        .find(|mail| mail.contains("how June 2021 closed"))
        .unwrap();
    for part in ["June 2021: 1 post, met.", "Streak: 3 months, longest 3.", "0 subscribers: 0 joined and 0 left"] {
        assert!(june.replace("=\r\n", "").replace("\r\n", " ").contains(part), "{part}: {june}");
    }
    daemon.stop();
}

/// The relay was away when its day came.
#[test]
fn a_nudge_is_not_sent_once_its_period_is_over() {
    let away = "[smtp]\nhost = \"127.0.0.1\"\nport = 9\ntls = \"none\"\n";
    let site = told(&format!("{NUDGE}{away}"));
    let daemon = Daemon::start(&site, "2021-06-28T09:00:00Z");
    daemon.beats();
    daemon.stop();
    assert_eq!(site.json("outbox")["queued"], 2);
    site.save("gazetted.toml", format!("{LEAST}{CONFIG}{NUDGE}"));
    let daemon = Daemon::start(&site, "2021-07-02T09:00:00Z");
    wait_for(&site, 2);
    until("the nudges to be skipped", || (site.json("outbox")["skipped"] == 2).then_some(()));
    assert_eq!(subjects(&site), (vec!["Working Notes: how June 2021 closed".to_owned()], 2));
    daemon.stop();
}

#[test]
fn readers_are_told_of_nothing_to_come_if_the_owner_says_so_and_editors_are() {
    let site = told("");
    site.save("gazetted.toml", format!("{LEAST}{CONFIG}drafts = false\n{NUDGE}"));
    site.save("_posts/2021-07-30-secret.md", text("The Secret", "Planned."));
    let daemon = Daemon::start(&site, "2021-06-10T00:00:00Z");
    for path in ["/goal", "/goal.json", "/goal.ics", "/goal/goal", "/goal/goal.ics"] {
        let (_, body) = crate::daemon::ask(daemon.address, &format!("GET {path}"), "").unwrap();
        assert!(!body.contains("Secret") && !body.contains("chunk sizes"), "{path}: {body}");
    }
    daemon.clock.set(at("2021-06-25T12:00:00Z"));
    wait_for(&site, 2);
    let mail = site.read(&format!("mail/{}", site.mails()[0]));
    assert!(mail.contains("Choosing good chunk sizes") && mail.contains("The Secret"), "{mail}");
    daemon.stop();
}

#[test]
fn nobody_is_told_anything_that_the_owner_has_not_asked_for() {
    let site = told("");
    let daemon = Daemon::start(&site, "2021-06-10T00:00:00Z");
    for day in ["2021-06-29T12:00:00Z", "2021-07-01T12:00:00Z"] {
        daemon.clock.set(at(day));
        daemon.beats();
    }
    assert_eq!(site.mails().len(), 0);
    daemon.stop();
}

#[test]
fn a_post_that_is_planned_within_the_period_needs_no_nudge() {
    let site = told(NUDGE);
    site.save("_posts/2021-06-30-june.md", text("June", "Planned."));
    let daemon = Daemon::start(&site, "2021-06-10T00:00:00Z");
    daemon.clock.set(at("2021-06-29T12:00:00Z"));
    daemon.beats();
    assert_eq!(site.mails().len(), 0);
    daemon.stop();
}

#[test]
fn a_room_of_people_is_told_the_same_in_the_form_it_takes() {
    let (address, calls) = receiver();
    let hook = format!(
        "[[webhooks]]\nurl = \"{address}\"\nformat = \"slack\"\nevents = [\"goal_nudge\"]\nsecret = \"hush\"\n"
    );
    let site = told(&format!("{NUDGE}{hook}"));
    let daemon = Daemon::start(&site, "2021-06-10T00:00:00Z");
    daemon.clock.set(at("2021-06-28T09:00:00Z"));
    until("the first call, which is refused", || (!calls.lock().unwrap().is_empty()).then_some(()));
    for minute in 1..=9 {
        daemon.clock.set(at(&format!("2021-06-28T09:0{minute}:00Z")));
        daemon.beats();
    }
    until("the second", || (calls.lock().unwrap().len() >= 2).then_some(()));
    daemon.stop();
    let calls = calls.lock().unwrap();
    let body: Value = serde_json::from_str(&calls[1].1).unwrap();
    let said = body["text"].as_str().unwrap();
    assert!(said.starts_with("Working Notes: 3 days left, one post to go for June 2021\n"), "{said}");
    assert!(said.contains("- Choosing good chunk sizes (Genevieve, 3 words"), "{said}");
    assert!(calls[1].0.iter().any(|line| line.starts_with("webhook-signature: v1,")));
}
