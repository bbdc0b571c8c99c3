//! Which hub is told of what, and who is subscribed to our own, asked of each store.

use std::collections::BTreeMap;

use gazetted::domain::websub::Mode;
use gazetted::store::{Announcement, Distribution, HubLimits, HubRequest, Question, Requested, SharedStore};
use jiff::{Timestamp, ToSpan as _};

use crate::stores::{Fixture, on_postgres, on_sqlite};

conformance! {
    a_version_is_told_once_and_a_newer_one_takes_its_place,
    a_hub_is_told_again_after_its_wait_and_never_by_two,
    what_is_gone_from_the_configuration_is_forgotten,
    a_subscription_begins_when_it_is_confirmed_and_ends_with_its_lease,
    a_renewal_leaves_what_is_in_force_until_it_is_confirmed,
    whoever_leaves_has_to_have_meant_it,
    subscribers_get_each_version_once_and_failures_are_remembered,
    subscribers_wait_for_a_feed_that_is_gone_and_go_with_one_that_moves,
    a_busy_host_and_those_who_failed_keep_nobody_waiting,
    there_are_not_too_many_of_one_host_nor_in_all,
}

fn now() -> Timestamp {
    "2026-11-01T09:00:00Z".parse().unwrap()
}

fn later(minutes: i64) -> Timestamp {
    now() + minutes.minutes()
}

fn feeds(all: &[(&str, u128)]) -> Vec<(String, u128)> {
    all.iter().map(|(path, hash)| ((*path).to_owned(), *hash)).collect()
}

fn hubs(all: &[&str]) -> Vec<String> {
    all.iter().map(|hub| (*hub).to_owned()).collect()
}

async fn claim(store: &SharedStore, hub: &str, minutes: i64) -> Vec<Announcement> {
    store.claim_announcements(hub, 10, later(minutes), later(minutes + 10)).await.unwrap()
}

async fn claimed(store: &SharedStore, hub: &str, minutes: i64) -> Vec<(String, String, u128, u32)> {
    let mut all = claim(store, hub, minutes).await;
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all.into_iter().map(|a| (a.path, a.hub, a.hash, a.attempts)).collect()
}

async fn a_version_is_told_once_and_a_newer_one_takes_its_place(fixture: Fixture) {
    let store = fixture.store;
    let both = hubs(&["https://h/", "https://i/"]);
    store.announce(&feeds(&[("a.xml", 1), ("b.xml", 1)]), &both, now()).await.unwrap();
    assert_eq!(claimed(&store, "https://h/", 0).await, [], "what is new here is only known");
    store.announce(&feeds(&[("a.xml", 2), ("b.xml", 1)]), &both, later(1)).await.unwrap();
    let due = [claim(&store, "https://h/", 1).await, claim(&store, "https://i/", 1).await].concat();
    assert_eq!(due.iter().map(|a| a.hub.as_str()).collect::<Vec<_>>(), ["https://h/", "https://i/"]);
    assert!(due.iter().all(|a| a.path == "a.xml" && a.hash == 2 && a.changed_at == later(1)));
    // Published again while the hub is being told of the one before.
    store.announce(&feeds(&[("a.xml", 3), ("b.xml", 1)]), &both, later(2)).await.unwrap();
    store.announce(&feeds(&[("a.xml", 3), ("b.xml", 1)]), &both, later(3)).await.unwrap();
    store.end_announcement(&due[0], "told").await.unwrap();
    store.defer_announcement(&due[1], "no", later(500)).await.unwrap();
    for hub in ["https://h/", "https://i/"] {
        assert_eq!(claimed(&store, hub, 3).await, [("a.xml".to_owned(), hub.to_owned(), 3, 1)]);
    }
}

async fn a_hub_is_told_again_after_its_wait_and_never_by_two(fixture: Fixture) {
    let store = fixture.store;
    store.announce(&feeds(&[("a.xml", 1)]), &hubs(&["h"]), now()).await.unwrap();
    store.announce(&feeds(&[("a.xml", 2)]), &hubs(&["h"]), now()).await.unwrap();
    let first = claim(&store, "h", 0).await;
    assert_eq!(claimed(&store, "h", 9).await, [], "leased");
    store.defer_announcement(&first[0], "503", later(20)).await.unwrap();
    assert_eq!(claimed(&store, "h", 19).await, []);
    let again = claim(&store, "h", 20).await;
    assert_eq!(again[0].attempts, 2);
    store.end_announcement(&again[0], "told").await.unwrap();
    assert_eq!(claimed(&store, "h", 9_999).await, []);
}

async fn what_is_gone_from_the_configuration_is_forgotten(fixture: Fixture) {
    let store = fixture.store;
    store.announce(&feeds(&[("a.xml", 1), ("b.xml", 1)]), &hubs(&["h", "i"]), now()).await.unwrap();
    store.announce(&feeds(&[("a.xml", 2), ("b.xml", 2)]), &hubs(&["h", "i"]), now()).await.unwrap();
    store.announce(&feeds(&[("a.xml", 2)]), &hubs(&["h"]), now()).await.unwrap();
    assert_eq!(claimed(&store, "h", 0).await, [("a.xml".to_owned(), "h".to_owned(), 2, 1)]);
    assert_eq!(claimed(&store, "i", 0).await, []);
    store.announce(&feeds(&[("a.xml", 3)]), &[], now()).await.unwrap();
    assert_eq!(claimed(&store, "h", 60).await, []);
}

const LIMITS: HubLimits = HubLimits { host: 3, all: 5 };

fn request(callback: &str, mode: Mode, secret: &str) -> HubRequest {
    HubRequest {
        path: "a.xml".into(),
        callback: callback.into(),
        host: callback.split('/').next().unwrap().into(),
        mode,
        lease_seconds: 3_600,
        secret: Some(secret.to_owned()).filter(|secret| !secret.is_empty()),
    }
}

async fn ask(store: &SharedStore, minutes: i64, callback: &str, mode: Mode, secret: &str) -> Question {
    let kept = store.request_hub(&request(callback, mode, secret), LIMITS, later(minutes)).await.unwrap();
    assert_eq!(kept, Requested::Kept);
    let asked = question(store, minutes, &[]).await.unwrap();
    assert_eq!(question(store, minutes, &[]).await, None);
    asked
}

async fn question(store: &SharedStore, minutes: i64, busy: &[&str]) -> Option<Question> {
    store.claim_question(&hubs(busy), later(minutes), later(minutes + 5)).await.unwrap()
}

async fn version(store: &SharedStore, minutes: i64, busy: &[&str]) -> Option<Distribution> {
    store.claim_distribution(&hubs(busy), later(minutes), later(minutes + 5)).await.unwrap()
}

async fn subscribe(store: &SharedStore, minutes: i64, callback: &str, secret: &str, hash: u128) {
    let question = ask(store, minutes, callback, Mode::Subscribe, secret).await;
    store.confirm_hub(&question, hash, later(minutes)).await.unwrap();
}

async fn distribute(store: &SharedStore, minutes: i64, published: &[(&str, u128)], moved: &[(&str, &str)]) {
    let moved: BTreeMap<String, String> =
        moved.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
    store.distribute(&feeds(published), &moved, later(minutes)).await.unwrap();
}

/// What is delivered when the feed is published as `hash`.
async fn publish(store: &SharedStore, minutes: i64, hash: u128) -> Vec<Distribution> {
    distribute(store, minutes, &[("a.xml", hash)], &[]).await;
    let mut all = Vec::new();
    while let Some(due) = version(store, minutes, &[]).await {
        all.push(due);
    }
    all.sort_by(|a, b| a.callback.cmp(&b.callback));
    all
}

async fn a_subscription_begins_when_it_is_confirmed_and_ends_with_its_lease(fixture: Fixture) {
    let store = fixture.store;
    let question = ask(&store, 0, "c/1", Mode::Subscribe, "hush").await;
    assert_eq!((question.mode, question.lease_seconds, question.attempts), (Mode::Subscribe, 3_600, 1));
    assert!(publish(&store, 0, 2).await.is_empty(), "not confirmed yet");
    store.confirm_hub(&question, 2, now()).await.unwrap();
    assert!(publish(&store, 1, 2).await.is_empty(), "it begins with this version");
    let got = publish(&store, 2, 3).await;
    assert_eq!((got[0].callback.as_str(), got[0].secret.as_deref(), got[0].hash), ("c/1", Some("hush"), 3));
    store.delivered(&got[0]).await.unwrap();
    assert!(publish(&store, 61, 4).await.is_empty(), "its lease has run out");
    // It was forgotten: whoever unsubscribes now ends nothing.
    let nothing = store.request_hub(&request("c/1", Mode::Unsubscribe, ""), LIMITS, later(62)).await.unwrap();
    assert_eq!(nothing, Requested::Nothing);
}

async fn a_renewal_leaves_what_is_in_force_until_it_is_confirmed(fixture: Fixture) {
    let store = fixture.store;
    subscribe(&store, 0, "c/1", "old", 1).await;
    let renewal = ask(&store, 50, "c/1", Mode::Subscribe, "new").await;
    let got = publish(&store, 51, 2).await;
    assert_eq!(got[0].secret.as_deref(), Some("old"));
    // A second request before the first is confirmed: only the last counts.
    let last = ask(&store, 52, "c/1", Mode::Subscribe, "last").await;
    store.confirm_hub(&renewal, 9, later(52)).await.unwrap();
    store.confirm_hub(&last, 9, later(52)).await.unwrap();
    let got = publish(&store, 100, 3).await;
    assert_eq!(got[0].secret.as_deref(), Some("last"), "the lease is longer now");
    // Not meant: what there is stays.
    let refused = ask(&store, 101, "c/1", Mode::Subscribe, "bad").await;
    store.deny_hub(&refused).await.unwrap();
    assert_eq!(publish(&store, 110, 4).await[0].secret.as_deref(), Some("last"));
    let stranger = ask(&store, 111, "c/2", Mode::Subscribe, "").await;
    store.deny_hub(&stranger).await.unwrap();
    assert_eq!(publish(&store, 111, 5).await.len(), 1);
}

async fn whoever_leaves_has_to_have_meant_it(fixture: Fixture) {
    let store = fixture.store;
    subscribe(&store, 0, "c/1", "", 1).await;
    let forged = ask(&store, 1, "c/1", Mode::Unsubscribe, "").await;
    store.deny_hub(&forged).await.unwrap();
    assert_eq!(publish(&store, 2, 2).await.len(), 1);
    let meant = ask(&store, 8, "c/1", Mode::Unsubscribe, "").await;
    store.defer_question(&meant, later(9)).await.unwrap();
    let again = question(&store, 9, &[]).await.unwrap();
    assert_eq!((again.nr, again.attempts), (meant.nr, 2));
    store.confirm_hub(&again, 2, later(9)).await.unwrap();
    assert!(publish(&store, 10, 3).await.is_empty());
}

async fn subscribers_get_each_version_once_and_failures_are_remembered(fixture: Fixture) {
    let store = fixture.store;
    subscribe(&store, 0, "c/1", "", 1).await;
    subscribe(&store, 0, "c/2", "", 1).await;
    let got = publish(&store, 1, 2).await;
    assert_eq!(got.len(), 2);
    store.delivered(&got[0]).await.unwrap();
    store.defer_distribution(&got[1], later(1), later(20)).await.unwrap();
    assert!(publish(&store, 19, 2).await.is_empty());
    let again = publish(&store, 20, 2).await;
    assert_eq!((again.len(), again[0].attempts, again[0].failing_since), (1, 2, Some(later(1))));
    // A newer version is due at once, and a failure with the old one does not put it off.
    let newer = publish(&store, 21, 3).await;
    assert_eq!(newer.len(), 2);
    store.defer_distribution(&again[0], later(22), later(59)).await.unwrap();
    let behind: Vec<_> = newer.iter().filter(|d| d.callback == "c/2").collect();
    assert_eq!((behind[0].attempts, behind[0].failing_since), (1, Some(later(1))));
    store.delivered(behind[0]).await.unwrap();
    store.end_subscription(newer[0].id).await.unwrap();
    let last = publish(&store, 30, 4).await;
    assert_eq!((last.len(), last[0].failing_since), (1, None));
}

async fn subscribers_wait_for_a_feed_that_is_gone_and_go_with_one_that_moves(fixture: Fixture) {
    let store = fixture.store;
    for callback in ["c/1", "d/1"] {
        subscribe(&store, 0, callback, "", 1).await;
    }
    let got = publish(&store, 1, 2).await;
    store.delivered(&got[0]).await.unwrap();
    // The other one is being called while the feed goes.
    distribute(&store, 2, &[("b.xml", 1)], &[]).await;
    store.defer_distribution(&got[1], later(2), later(3)).await.unwrap();
    assert!(version(&store, 30, &[]).await.is_none(), "there is nothing to deliver");
    let back = publish(&store, 31, 2).await;
    assert_eq!(back.iter().map(|d| d.callback.as_str()).collect::<Vec<_>>(), ["d/1"], "who had not got it before");
    store.delivered(&back[0]).await.unwrap();
    // A renewal that is not confirmed yet keeps to the address that it was asked for.
    let renewal = ask(&store, 32, "d/1", Mode::Subscribe, "").await;
    let moved = [("a.xml", "n.xml"), ("b.xml", "n.xml"), ("x.xml", "nowhere.xml")];
    distribute(&store, 33, &[("n.xml", 3)], &moved).await;
    let first = version(&store, 33, &[]).await.unwrap();
    assert_eq!((first.path.as_str(), first.callback.as_str(), first.hash), ("n.xml", "c/1", 3));
    assert!(version(&store, 33, &[]).await.is_none());
    store.confirm_hub(&renewal, 0, later(34)).await.unwrap();
    // Whoever asks at the old address again, and is at the new one already, is there once.
    subscribe(&store, 34, "c/1", "", 0).await;
    distribute(&store, 40, &[("n.xml", 4)], &moved).await;
    let mut all = [version(&store, 40, &[]).await.unwrap(), version(&store, 40, &[]).await.unwrap()];
    all.sort_by(|a, b| a.callback.cmp(&b.callback));
    assert!(all.iter().all(|d| d.path == "n.xml" && d.hash == 4));
    assert_eq!(all.each_ref().map(|d| d.callback.as_str()), ["c/1", "d/1"]);
    assert!(version(&store, 40, &[]).await.is_none());
}

async fn a_busy_host_and_those_who_failed_keep_nobody_waiting(fixture: Fixture) {
    let store = fixture.store;
    for callback in ["c/1", "d/1", "e/1"] {
        store.request_hub(&request(callback, Mode::Subscribe, ""), LIMITS, now()).await.unwrap();
    }
    for (busy, callback) in [(["c", "e"], "d/1"), (["c", "-"], "e/1"), (["-", "-"], "c/1")] {
        let asked = question(&store, 0, &busy).await.unwrap();
        assert_eq!((asked.callback.as_str(), asked.host.as_str()), (callback, &callback[..1]));
        store.confirm_hub(&asked, 1, now()).await.unwrap();
    }
    for failed in publish(&store, 1, 2).await.iter().filter(|d| d.host != "e") {
        store.defer_distribution(failed, later(1), later(2)).await.unwrap();
    }
    distribute(&store, 3, &[("a.xml", 3)], &[]).await;
    let mut order = Vec::new();
    for busy in [[].as_slice(), &["c"], &[]] {
        order.push(version(&store, 3, busy).await.unwrap().host);
    }
    assert_eq!(order, ["e", "d", "c"]);
}

async fn there_are_not_too_many_of_one_host_nor_in_all(fixture: Fixture) {
    let store = fixture.store;
    let wanted =
        async |callback: &str| store.request_hub(&request(callback, Mode::Subscribe, ""), LIMITS, now()).await.unwrap();
    for callback in ["c/1", "c/2", "c/3"] {
        assert_eq!(wanted(callback).await, Requested::Kept);
    }
    assert_eq!(wanted("c/4").await, Requested::Full);
    assert_eq!(wanted("c/3").await, Requested::Kept, "asked again, it is the same");
    assert_eq!(wanted("d/1").await, Requested::Kept);
    assert_eq!(wanted("e/1").await, Requested::Kept);
    assert_eq!(wanted("f/1").await, Requested::Full);
    // What has run out takes no room, though nothing is published that would have it forgotten.
    while let Some(asked) = question(&store, 0, &[]).await {
        store.confirm_hub(&asked, 1, now()).await.unwrap();
    }
    let after = store.request_hub(&request("f/1", Mode::Subscribe, ""), LIMITS, later(61)).await.unwrap();
    assert_eq!(after, Requested::Kept);
}
