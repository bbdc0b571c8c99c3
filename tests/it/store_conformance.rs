//! What every store must do, asked of each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use gazetted::config::OnDoubt;
use gazetted::domain::delivery::{Outcome, State as DeliveryState};
use gazetted::domain::edition::{Edition, State as EditionState};
use gazetted::domain::identity::EntryRow;
use gazetted::domain::period::Period;
use gazetted::domain::subscriber::State as SubscriberState;
use gazetted::store::{Added, Audience, Claim, NewSubscriber, Opened, OutputRow, SharedStore, Step, StoreError, open};
use jiff::{Timestamp, ToSpan as _};

use crate::stores::{Fixture, on_postgres, on_sqlite};

conformance! {
    a_store_remembers_when_it_was_made_and_its_secrets,
    entries_are_kept_as_they_were_given,
    ten_thousand_entries_are_saved_at_once,
    outputs_are_replaced_and_forgotten,
    gists_are_replaced_page_by_page_and_only_given_to_those_of_the_same_rules,
    whoever_opens_an_edition_second_finds_it_there,
    of_many_who_open_an_edition_at_once_one_does,
    an_edition_marks_its_entries_once,
    a_period_with_nothing_to_send_queues_nothing,
    every_delivery_is_claimed_exactly_once,
    a_claim_carries_the_address_of_the_opening,
    nothing_is_claimed_from_a_paused_edition,
    what_was_claimed_before_the_pause_does_not_go_out,
    an_edition_is_paused_for_a_reason_until_it_goes_on,
    a_cancelled_edition_skips_what_is_not_out,
    whoever_unsubscribes_after_the_opening_is_skipped,
    whoever_unsubscribes_after_the_claim_is_not_sent_to,
    every_outcome_is_kept,
    a_deferred_delivery_waits_until_it_is_due,
    a_released_delivery_counts_no_attempt,
    a_zombie_cannot_settle,
    a_node_that_slept_cannot_use_its_own_old_claim,
    after_a_crash_the_claimed_are_queued_and_the_doubtful_resent,
    after_a_crash_the_doubtful_are_held_if_the_operator_says_so,
    steps_that_hold_are_taken_and_the_others_are_not,
    one_list_is_kept_by_whoever_holds_the_pen,
    who_left_while_the_message_was_on_its_way_has_it_all_the_same,
    a_restarted_node_takes_back_its_own_at_once,
    an_edition_finishes_when_nothing_waits,
    the_operator_can_have_failures_tried_again,
    what_a_later_edition_has_followed_is_tried_again_only_by_its_name,
    waits_that_a_wrong_clock_began_begin_anew,
    adding_an_address_twice_adds_it_once,
    the_unsubscribed_are_not_revived_by_adding_them,
    the_unsubscribed_come_back_by_the_operators_word,
    the_suppressed_never_come_back,
    subscribers_are_found_listed_and_counted,
    an_id_is_never_used_again,
    whoever_is_erased_leaves_no_address,
    a_second_daemon_is_refused_and_told_who_runs,
    a_newer_schema_is_refused,
    a_store_opened_again_has_everything,
    text_with_a_null_byte_is_kept_without_it,
}

fn now() -> Timestamp {
    "2026-11-01T09:00:00Z".parse().unwrap()
}

fn later(minutes: i64) -> Timestamp {
    now() + minutes.minutes()
}

fn month(text: &str) -> Period {
    Period::parse(text).unwrap()
}

fn october() -> Period {
    month("2026-10")
}

fn edition(period: Period) -> Edition {
    Edition {
        key: period.into(),
        state: EditionState::Open,
        subject: "Notes: October 2026".into(),
        text: "text".into(),
        html: "<p>html</p>".into(),
        content: serde_json::json!({"posts": [1, 2], "title": "ü"}),
        posts: 2,
        opened_at: now(),
        finished_at: None,
        reason: None,
    }
}

fn reader(n: usize) -> NewSubscriber {
    subscriber(&format!("reader{n:05}@example.org"), SubscriberState::Active)
}

fn subscriber(email: &str, state: SubscriberState) -> NewSubscriber {
    NewSubscriber { email: email.into(), key: email.to_lowercase(), name: None, state, source: "test".into() }
}

fn entry(n: usize) -> EntryRow {
    EntryRow {
        id: format!("https://example.org/{n}/"),
        path: format!("2026-10-{n:05}-a-post-about-something.md"),
        url: format!("https://example.org/{n}/"),
        title: format!("A post about “something”, number {n}"),
        published_at: Some(now()),
        body_hash: u128::MAX - n as u128,
        text_hash: n.is_multiple_of(2).then_some(n as u128),
        updated_at: None,
        first_seen: now(),
        baseline: n.is_multiple_of(3),
        withdrawn_at: n.is_multiple_of(5).then(|| later(1)),
        edition: None,
        weight: n.is_multiple_of(2).then_some(n as u64),
        corrected: n.is_multiple_of(7).then(|| "the figure was wrong".to_owned()),
    }
}

async fn with_readers(store: &SharedStore, n: usize) {
    let readers: Vec<_> = (0..n).map(reader).collect();
    let added = store.add_subscribers(&readers, false, now()).await.unwrap();
    assert!(added.iter().all(|a| *a == Added::New));
}

async fn with_edition(store: &SharedStore, readers: usize) {
    with_readers(store, readers).await;
    let opened = store.open_edition(&edition(october()), &[], &Audience::everybody()).await.unwrap();
    assert_eq!(opened, Opened::Now { recipients: readers as u64 });
}

async fn claim(store: &SharedStore, node: &str, limit: u32) -> Vec<Claim> {
    store.claim(node, limit, now(), later(10)).await.unwrap()
}

/// A lease that has run out before it begins, by any clock.
async fn claim_and_sleep(store: &SharedStore, node: &str) -> Claim {
    store.claim(node, 1, now(), later(-10)).await.unwrap().remove(0)
}

async fn mark(store: &SharedStore, node: &str, claim: &Claim) -> bool {
    store.mark_in_data(node, claim, now()).await.unwrap()
}

fn accepted() -> Outcome {
    Outcome::Accepted { reply: "250 2.0.0 queued".into() }
}

async fn state_counts(store: &SharedStore) -> Vec<(&'static str, u64)> {
    let counts = store.outbox_counts().await.unwrap();
    counts.0.into_iter().filter(|(_, n)| *n > 0).map(|(state, n)| (state.as_str(), n)).collect()
}

async fn a_store_remembers_when_it_was_made_and_its_secrets(f: Fixture) {
    assert_eq!(f.store.secret("tokens", [7; 32]).await.unwrap(), [7; 32]);
    let again = open(&f.url, later(60)).await.unwrap();
    assert_eq!(again.created_at().await.unwrap(), now());
    assert_eq!(again.secret("tokens", [8; 32]).await.unwrap(), [7; 32]);
    assert_eq!(again.secret("other", [8; 32]).await.unwrap(), [8; 32]);
    again.ping().await.unwrap();
}

async fn entries_are_kept_as_they_were_given(f: Fixture) {
    let mut rows: Vec<_> = (10..20).map(entry).collect();
    f.store.save_entries(&rows).await.unwrap();
    assert_eq!(f.store.entries().await.unwrap(), rows);
    rows[3].title = "another title".into();
    rows[3].updated_at = Some(later(3));
    f.store.save_entries(&[entry(13), rows[3].clone()]).await.unwrap();
    assert_eq!(f.store.entries().await.unwrap(), rows, "the last of one id wins");
    f.store.save_entries(&[]).await.unwrap();
}

async fn ten_thousand_entries_are_saved_at_once(f: Fixture) {
    let rows: Vec<_> = (0..10_000).map(entry).collect();
    for round in ["inserted", "replaced"] {
        let begun = Instant::now();
        f.store.save_entries(&rows).await.unwrap();
        println!("10,000 entries {round} in {:?}", begun.elapsed());
    }
    assert_eq!(f.store.entries().await.unwrap().len(), 10_000);
}

async fn outputs_are_replaced_and_forgotten(f: Fixture) {
    let output = |path: &str, n| OutputRow { path: path.into(), fingerprint: n, bytes_hash: u128::MAX - n };
    f.store.save_outputs(&[output("atom.xml", 1), output("feed.xml", 2)], &[]).await.unwrap();
    f.store.save_outputs(&[output("feed.xml", 3), output("new.xml", 4)], &["atom.xml".into()]).await.unwrap();
    assert_eq!(f.store.outputs().await.unwrap(), [output("feed.xml", 3), output("new.xml", 4)]);
}

async fn gists_are_replaced_page_by_page_and_only_given_to_those_of_the_same_rules(f: Fixture) {
    let (one, two, three) = (vec![0, 255, 1], vec![2; 100_000], vec![3]);
    f.store.save_gists(7, &BTreeMap::from([(0, one.clone()), (63, two.clone())])).await.unwrap();
    let sorted = |mut pages: Vec<Vec<u8>>| {
        pages.sort();
        pages
    };
    assert_eq!(sorted(f.store.gists(7).await.unwrap()), [one.clone(), two]);
    f.store.save_gists(8, &BTreeMap::from([(63, three.clone())])).await.unwrap();
    assert_eq!(f.store.gists(7).await.unwrap(), [one]);
    assert_eq!(f.store.gists(8).await.unwrap(), [three]);
    f.store.save_gists(8, &BTreeMap::new()).await.unwrap();
}

async fn whoever_opens_an_edition_second_finds_it_there(f: Fixture) {
    with_edition(&f.store, 3).await;
    let mut other = edition(october());
    other.subject = "another".into();
    let second = f.store.open_edition(&other, &[], &Audience::everybody()).await.unwrap();
    assert_eq!(second, Opened::Before(Box::new(edition(october()))));
    assert_eq!(f.store.edition(october().into()).await.unwrap(), Some(edition(october())));
    assert_eq!(f.store.edition(month("2026-09").into()).await.unwrap(), None);
    assert_eq!(f.store.outbox_counts().await.unwrap().total(), 3);
}

async fn of_many_who_open_an_edition_at_once_one_does(f: Fixture) {
    with_readers(&f.store, 50).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = Arc::clone(&f.store);
        tasks.spawn(async move { store.open_edition(&edition(october()), &[], &Audience::everybody()).await.unwrap() });
    }
    let opened = tasks.join_all().await;
    assert_eq!(opened.iter().filter(|o| **o == Opened::Now { recipients: 50 }).count(), 1);
    assert_eq!(f.store.outbox_counts().await.unwrap().total(), 50);
}

async fn an_edition_marks_its_entries_once(f: Fixture) {
    f.store.save_entries(&[entry(1), entry(2)]).await.unwrap();
    f.store.open_edition(&edition(october()), &[entry(1).id], &Audience::everybody()).await.unwrap();
    f.store
        .open_edition(&edition(month("2026-11")), &[entry(1).id, entry(2).id], &Audience::everybody())
        .await
        .unwrap();
    let editions: Vec<_> = f.store.entries().await.unwrap().into_iter().map(|e| e.edition.unwrap()).collect();
    assert_eq!(editions, ["2026-10", "2026-11"]);
}

async fn a_period_with_nothing_to_send_queues_nothing(f: Fixture) {
    with_readers(&f.store, 3).await;
    let skipped = Edition { state: EditionState::Skipped, ..edition(october()) };
    assert_eq!(
        f.store.open_edition(&skipped, &[], &Audience::everybody()).await.unwrap(),
        Opened::Now { recipients: 0 }
    );
    assert_eq!(f.store.edition(october().into()).await.unwrap().unwrap().state, EditionState::Skipped);
    assert_eq!(f.store.next_due().await.unwrap(), None);
}

async fn every_delivery_is_claimed_exactly_once(f: Fixture) {
    with_edition(&f.store, 500).await;
    let mut tasks = tokio::task::JoinSet::new();
    for node in 0..6 {
        let store = Arc::clone(&f.store);
        tasks.spawn(async move {
            let node = format!("node{node}");
            let mut mine = Vec::new();
            loop {
                let claims = claim(&store, &node, 7).await;
                if claims.is_empty() {
                    return mine;
                }
                mine.extend(claims.iter().map(|c| c.key));
                for claim in &claims {
                    assert!(mark(&store, &node, claim).await);
                    assert!(store.settle(&node, claim, &accepted(), now()).await.unwrap());
                }
            }
        });
    }
    let claimed: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(claimed.len(), 500);
    assert_eq!(claimed.into_iter().collect::<BTreeSet<_>>().len(), 500);
    assert_eq!(state_counts(&f.store).await, [("accepted", 500)]);
}

async fn a_claim_carries_the_address_of_the_opening(f: Fixture) {
    let ann = NewSubscriber { name: Some("Ann".into()), ..subscriber("Ann@Example.org", SubscriberState::Active) };
    f.store.add_subscribers(&[ann], false, now()).await.unwrap();
    f.store.open_edition(&edition(october()), &[], &Audience::everybody()).await.unwrap();
    let claims = claim(&f.store, "a", 10).await;
    assert_eq!(claims.len(), 1);
    assert_eq!((claims[0].email.as_str(), claims[0].name.as_deref()), ("Ann@Example.org", Some("Ann")));
    assert_eq!(claims[0].attempt, 1);
}

async fn nothing_is_claimed_from_a_paused_edition(f: Fixture) {
    with_edition(&f.store, 2).await;
    let s = &f.store;
    assert!(s.move_edition(october().into(), &[EditionState::Open], EditionState::Paused, now()).await.unwrap());
    assert!(!s.move_edition(october().into(), &[EditionState::Open], EditionState::Paused, now()).await.unwrap());
    assert_eq!(claim(s, "a", 10).await, []);
    assert_eq!(s.next_due().await.unwrap(), None);
    assert!(s.move_edition(october().into(), &[EditionState::Paused], EditionState::Open, now()).await.unwrap());
    assert_eq!(s.next_due().await.unwrap(), Some(now()));
    assert_eq!(claim(s, "a", 10).await.len(), 2);
}

async fn an_edition_is_paused_for_a_reason_until_it_goes_on(f: Fixture) {
    with_edition(&f.store, 2).await;
    let s = &f.store;
    let key = october().into();
    let reason = async || s.edition(key).await.unwrap().unwrap().reason;
    let hooks = [("https://a.example".to_owned(), vec!["paused".to_owned()])];
    s.queue_calls(&hooks, now()).await.unwrap();
    assert!(!s.pause_edition(month("2026-09").into(), "not there", now()).await.unwrap());
    assert!(s.pause_edition(key, "mx.example says “5.7.1 \0no”", later(1)).await.unwrap());
    assert!(!s.pause_edition(key, "another", later(2)).await.unwrap());
    let found = s.editions().await.unwrap().remove(0).edition;
    assert_eq!((found.state, found.reason.as_deref()), (EditionState::Paused, Some("mx.example says “5.7.1 no”")));
    assert_eq!(claim(s, "a", 10).await, []);
    // Told once, with the reason.
    assert_eq!(s.queue_calls(&hooks, later(1)).await.unwrap(), 1);
    let calls = s.claim_calls(10, later(1), later(2)).await.unwrap();
    let told = (calls[0].event.as_str(), calls[0].edition.as_deref(), calls[0].proof.as_str());
    assert_eq!(told, ("paused", Some("2026-10"), r#"{"reason":"mx.example says “5.7.1 no”"}"#));
    assert!(s.move_edition(key, &[EditionState::Paused], EditionState::Open, later(3)).await.unwrap());
    assert_eq!(reason().await, None);
    // Whoever pauses by hand gives no reason; whoever calls it off keeps the one that was.
    assert!(s.pause_edition(key, "again", later(4)).await.unwrap());
    assert!(s.move_edition(key, &[EditionState::Paused], EditionState::Cancelled, later(5)).await.unwrap());
    assert_eq!(reason().await.as_deref(), Some("again"));
    assert_eq!(claim(s, "a", 10).await.len(), 0);
}

async fn what_was_claimed_before_the_pause_does_not_go_out(f: Fixture) {
    with_edition(&f.store, 1).await;
    let claimed = claim(&f.store, "a", 1).await.remove(0);
    assert!(f.store.pause_edition(october().into(), "refused by policy", now()).await.unwrap());
    assert!(!mark(&f.store, "a", &claimed).await);
    let back = Outcome::Released { until: now(), reason: "paused".into() };
    assert!(f.store.settle("a", &claimed, &back, now()).await.unwrap());
    assert_eq!(state_counts(&f.store).await, [("queued", 1)]);
}

async fn a_cancelled_edition_skips_what_is_not_out(f: Fixture) {
    with_edition(&f.store, 3).await;
    let s = &f.store;
    let claims = claim(s, "a", 2).await;
    assert!(mark(s, "a", &claims[0]).await);
    let from = [EditionState::Open, EditionState::Paused];
    assert!(s.move_edition(october().into(), &from, EditionState::Cancelled, now()).await.unwrap());
    assert!(!mark(s, "a", &claims[1]).await);
    assert!(s.settle("a", &claims[0], &accepted(), now()).await.unwrap());
    assert_eq!(state_counts(s).await, [("accepted", 1), ("skipped", 2)]);
}

async fn whoever_unsubscribes_after_the_opening_is_skipped(f: Fixture) {
    with_edition(&f.store, 3).await;
    let ann = f.store.subscriber_by_key(&reader(0).key).await.unwrap().unwrap();
    assert!(f.store.move_subscriber(ann.id, SubscriberState::Unsubscribed, "test", now()).await.unwrap());
    let claimed = claim(&f.store, "a", 10).await;
    assert_eq!(claimed.len(), 2);
    assert!(claimed.iter().all(|c| c.key.subscriber != ann.id));
    let skipped = f.store.outbox(&[DeliveryState::Skipped], 10).await.unwrap();
    assert_eq!(skipped[0].reply.as_deref(), Some("the subscriber is unsubscribed"));
}

async fn whoever_unsubscribes_after_the_claim_is_not_sent_to(f: Fixture) {
    with_edition(&f.store, 1).await;
    let claims = claim(&f.store, "a", 10).await;
    f.store.move_subscriber(claims[0].key.subscriber, SubscriberState::Unsubscribed, "test", now()).await.unwrap();
    assert!(!mark(&f.store, "a", &claims[0]).await);
    assert!(!f.store.settle("a", &claims[0], &accepted(), now()).await.unwrap());
    assert_eq!(state_counts(&f.store).await, [("skipped", 1)]);
}

async fn every_outcome_is_kept(f: Fixture) {
    with_edition(&f.store, 6).await;
    let reply = || "the server's words".to_owned();
    let outcomes = [
        accepted(),
        Outcome::Deferred { reply: reply(), until: later(20) },
        Outcome::Failed { reply: reply() },
        Outcome::Skipped { reason: reply() },
        Outcome::Held { reason: reply() },
        Outcome::Released { until: later(1), reason: reply() },
    ];
    for (claim, outcome) in claim(&f.store, "a", 10).await.iter().zip(&outcomes) {
        assert!(f.store.settle("a", claim, outcome, now()).await.unwrap());
        assert!(!f.store.settle("a", claim, outcome, now()).await.unwrap(), "settled twice");
    }
    let expected = [("queued", 1), ("accepted", 1), ("deferred", 1), ("failed", 1), ("skipped", 1), ("held", 1)];
    assert_eq!(state_counts(&f.store).await, expected);
    assert_eq!(f.store.outbox_counts().await.unwrap().waiting(), 2);
    assert_eq!(f.store.outbox(&[], 100).await.unwrap().len(), 6);
    assert_eq!(f.store.outbox(&[], 2).await.unwrap().len(), 2);
    let deferred = f.store.outbox(&[DeliveryState::Deferred], 10).await.unwrap();
    assert_eq!((deferred[0].due_at, deferred[0].reply.clone()), (Some(later(20)), Some(reply())));
    assert_eq!(f.store.editions().await.unwrap()[0].counts.total(), 6);
}

async fn a_deferred_delivery_waits_until_it_is_due(f: Fixture) {
    with_edition(&f.store, 1).await;
    let first = claim(&f.store, "a", 1).await.remove(0);
    let deferred = Outcome::Deferred { reply: "450 later".into(), until: later(20) };
    f.store.settle("a", &first, &deferred, now()).await.unwrap();
    assert_eq!(f.store.next_due().await.unwrap(), Some(later(20)));
    assert_eq!(f.store.claim("a", 1, later(19), later(30)).await.unwrap(), []);
    let second = f.store.claim("a", 1, later(20), later(30)).await.unwrap().remove(0);
    assert_eq!(second.attempt, 2);
}

async fn a_released_delivery_counts_no_attempt(f: Fixture) {
    with_edition(&f.store, 1).await;
    for _ in 0..3 {
        let claim = claim(&f.store, "a", 1).await.remove(0);
        assert_eq!(claim.attempt, 1);
        let released = Outcome::Released { until: now(), reason: "shutdown".into() };
        f.store.settle("a", &claim, &released, now()).await.unwrap();
    }
}

async fn a_zombie_cannot_settle(f: Fixture) {
    with_edition(&f.store, 1).await;
    let old = claim_and_sleep(&f.store, "zombie").await;
    assert_eq!(f.store.recover(None, OnDoubt::Resend, now()).await.unwrap(), []);
    let new = claim(&f.store, "b", 1).await.remove(0);
    assert!(!mark(&f.store, "zombie", &old).await);
    assert!(!f.store.settle("zombie", &old, &accepted(), now()).await.unwrap());
    assert!(mark(&f.store, "b", &new).await);
    assert!(!mark(&f.store, "b", &new).await, "marked twice");
    assert!(f.store.settle("b", &new, &accepted(), now()).await.unwrap());
}

async fn a_node_that_slept_cannot_use_its_own_old_claim(f: Fixture) {
    with_edition(&f.store, 1).await;
    let old = claim_and_sleep(&f.store, "a").await;
    f.store.recover(None, OnDoubt::Resend, now()).await.unwrap();
    let new = claim(&f.store, "a", 1).await.remove(0);
    assert!(!mark(&f.store, "a", &old).await);
    assert!(!f.store.settle("a", &old, &accepted(), now()).await.unwrap());
    assert!(mark(&f.store, "a", &new).await);
}

/// One delivery claimed and one in data, by a node whose leases have run out.
async fn crashed(f: &Fixture) -> (Claim, Claim) {
    with_edition(&f.store, 3).await;
    let claimed = claim_and_sleep(&f.store, "dead").await;
    let in_data = claim_and_sleep(&f.store, "dead").await;
    assert!(f.store.mark_in_data("dead", &in_data, now()).await.unwrap());
    (claimed, in_data)
}

async fn after_a_crash_the_claimed_are_queued_and_the_doubtful_resent(f: Fixture) {
    let (_, in_data) = crashed(&f).await;
    assert_eq!(f.store.recover(None, OnDoubt::Resend, now()).await.unwrap(), [in_data.key]);
    assert_eq!(f.store.recover(None, OnDoubt::Resend, now()).await.unwrap(), []);
    assert_eq!(state_counts(&f.store).await, [("queued", 3)]);
    assert_eq!(claim(&f.store, "b", 10).await.len(), 3);
}

async fn after_a_crash_the_doubtful_are_held_if_the_operator_says_so(f: Fixture) {
    let (_, in_data) = crashed(&f).await;
    assert_eq!(f.store.recover(None, OnDoubt::Hold, now()).await.unwrap(), [in_data.key]);
    assert_eq!(state_counts(&f.store).await, [("queued", 2), ("held", 1)]);
    assert_eq!(claim(&f.store, "b", 10).await.len(), 2);
}

/// What a node has on the wire, as whoever finds it dead is told.
async fn doubtful(f: &Fixture, node: &str) -> Vec<i64> {
    let mut found: Vec<i64> =
        f.store.recover(Some(node), OnDoubt::Hold, now()).await.unwrap().iter().map(|key| key.subscriber).collect();
    found.sort_unstable();
    found
}

fn subscribers(claims: &[Claim]) -> Vec<i64> {
    let mut all: Vec<i64> = claims.iter().map(|claim| claim.key.subscriber).collect();
    all.sort_unstable();
    all
}

async fn steps_that_hold_are_taken_and_the_others_are_not(f: Fixture) {
    with_edition(&f.store, 7).await;
    let claims = claim(&f.store, "a", 6).await;
    let settled = |n: usize| Step::Settle(claims[n].clone(), accepted());
    let marked = |n: usize| Step::Mark(claims[n].clone());
    let mut pen = f.store.pen("a").await.unwrap();
    assert_eq!(pen.advance(&[marked(0), marked(1)], now()).await.unwrap(), [true, true]);
    let left = claims[3].key.subscriber;
    assert!(f.store.move_subscriber(left, SubscriberState::Unsubscribed, "test", now()).await.unwrap());
    let steps = [settled(0), marked(2), marked(3), settled(3), marked(4), settled(5)];
    assert_eq!(pen.advance(&steps, later(1)).await.unwrap(), [true, true, false, false, true, true]);
    assert_eq!(pen.advance(&[settled(0), marked(5)], later(2)).await.unwrap(), [false, false], "they are over");
    assert_eq!(state_counts(&f.store).await, [("queued", 1), ("in_data", 3), ("accepted", 2), ("skipped", 1)]);
    assert_eq!(doubtful(&f, "a").await, subscribers(&[claims[1].clone(), claims[2].clone(), claims[4].clone()]));
}

async fn one_list_is_kept_by_whoever_holds_the_pen(f: Fixture) {
    with_edition(&f.store, 4).await;
    let claims = claim(&f.store, "a", 4).await;
    let (mut one, mut two) = (f.store.pen("a").await.unwrap(), f.store.pen("a").await.unwrap());
    let marked = |n: usize| [Step::Mark(claims[n].clone())];
    assert_eq!(one.advance(&marked(0), now()).await.unwrap(), [true]);
    assert_eq!(two.advance(&marked(1), now()).await.unwrap(), [true]);
    // What the first one knows is old by now.
    assert_eq!(one.advance(&marked(2), now()).await.unwrap(), [true]);
    assert_eq!(one.advance(&marked(1), now()).await.unwrap(), [false], "marked twice");
    let listed = f.store.outbox(&[DeliveryState::InData], 10).await.unwrap();
    assert!(listed.len() == 3 && listed.iter().all(|row| row.due_at.is_none()), "{listed:?}");
    assert_eq!(doubtful(&f, "a").await, subscribers(&claims[..3]));
    assert_eq!(two.advance(&marked(3), now()).await.unwrap(), [false], "held for dead");
}

async fn who_left_while_the_message_was_on_its_way_has_it_all_the_same(f: Fixture) {
    with_edition(&f.store, 2).await;
    let claims = claim(&f.store, "a", 2).await;
    for claim in &claims {
        assert!(mark(&f.store, "a", claim).await);
        let id = claim.key.subscriber;
        assert!(f.store.move_subscriber(id, SubscriberState::Unsubscribed, "test", now()).await.unwrap());
    }
    assert!(f.store.settle("a", &claims[0], &accepted(), now()).await.unwrap());
    let released = Outcome::Released { until: now(), reason: "the server closed".into() };
    assert!(!f.store.settle("a", &claims[1], &released, now()).await.unwrap());
    assert_eq!(state_counts(&f.store).await, [("accepted", 1), ("skipped", 1)]);
}

async fn a_restarted_node_takes_back_its_own_at_once(f: Fixture) {
    with_edition(&f.store, 2).await;
    claim(&f.store, "a", 1).await;
    claim(&f.store, "b", 1).await;
    assert_eq!(f.store.recover(Some("a"), OnDoubt::Resend, now()).await.unwrap(), []);
    assert_eq!(state_counts(&f.store).await, [("queued", 1), ("claimed", 1)]);
}

async fn an_edition_finishes_when_nothing_waits(f: Fixture) {
    with_edition(&f.store, 2).await;
    let claims = claim(&f.store, "a", 10).await;
    f.store.settle("a", &claims[0], &accepted(), now()).await.unwrap();
    assert_eq!(f.store.finish_editions(later(1)).await.unwrap(), []);
    f.store.settle("a", &claims[1], &Outcome::Held { reason: "in doubt".into() }, now()).await.unwrap();
    assert_eq!(f.store.finish_editions(later(2)).await.unwrap(), [october().into()]);
    assert_eq!(f.store.finish_editions(later(3)).await.unwrap(), []);
    let finished = f.store.edition(october().into()).await.unwrap().unwrap();
    assert_eq!((finished.state, finished.finished_at), (EditionState::Finished, Some(later(2))));
}

async fn the_operator_can_have_failures_tried_again(f: Fixture) {
    with_edition(&f.store, 2).await;
    let claims = claim(&f.store, "a", 10).await;
    f.store.settle("a", &claims[0], &accepted(), now()).await.unwrap();
    f.store.settle("a", &claims[1], &Outcome::Failed { reply: "550 no".into() }, now()).await.unwrap();
    f.store.finish_editions(now()).await.unwrap();
    let every = DeliveryState::ALL;
    assert_eq!(f.store.retry(Some(month("2026-09").into()), &every, later(5)).await.unwrap(), 0);
    assert_eq!(f.store.retry(Some(october().into()), &[DeliveryState::Held], later(5)).await.unwrap(), 0);
    assert_eq!(f.store.retry(None, &every, later(5)).await.unwrap(), 1);
    assert_eq!(f.store.edition(october().into()).await.unwrap().unwrap().state, EditionState::Open);
    let again = f.store.claim("a", 10, later(5), later(10)).await.unwrap();
    assert_eq!((again.len(), again[0].key, again[0].attempt), (1, claims[1].key, 1));
}

async fn what_a_later_edition_has_followed_is_tried_again_only_by_its_name(f: Fixture) {
    with_readers(&f.store, 1).await;
    let (august, september) = (month("2026-08"), month("2026-09"));
    // No month follows a quarter, and none follows a month.
    for period in [august, september, month("2026-Q3")] {
        f.store.open_edition(&edition(period), &[], &Audience::everybody()).await.unwrap();
    }
    let at = later(9);
    for claim in f.store.claim("a", 10, at, later(10)).await.unwrap() {
        f.store.settle("a", &claim, &Outcome::Failed { reply: "550 no".into() }, at).await.unwrap();
    }
    for (key, expected) in [(None, september), (Some(august.into()), august)] {
        assert_eq!(f.store.retry(key, &DeliveryState::ALL, at).await.unwrap(), 1);
        let again = f.store.claim("a", 10, at, later(10)).await.unwrap();
        assert_eq!((again.len(), again[0].key.edition), (1, expected.into()));
    }
}

async fn waits_that_a_wrong_clock_began_begin_anew(f: Fixture) {
    with_edition(&f.store, 2).await;
    let claims = claim(&f.store, "a", 2).await;
    let (wrong, until) = (later(20 * 60), later(20 * 60 + 40));
    for (claim, at) in claims.iter().zip([wrong, now()]) {
        let deferred = Outcome::Deferred { reply: "450 later".into(), until };
        f.store.settle("a", claim, &deferred, at).await.unwrap();
    }
    f.store.set_back(later(1)).await.unwrap();
    assert_eq!(f.store.next_due().await.unwrap(), Some(later(41)));
    assert_eq!(f.store.claim("a", 2, later(41), later(50)).await.unwrap().len(), 1, "the other one was asked to wait");
}

async fn adding_an_address_twice_adds_it_once(f: Fixture) {
    let twice = [reader(1), reader(1), reader(2)];
    let known = Added::Known(SubscriberState::Active);
    assert_eq!(f.store.add_subscribers(&twice, false, now()).await.unwrap(), [Added::New, known, Added::New]);
    assert_eq!(f.store.add_subscribers(&[reader(3), reader(1)], false, now()).await.unwrap(), [Added::New, known]);
    assert_eq!(f.store.add_subscribers(&[], false, now()).await.unwrap(), []);
}

async fn added_after(f: &Fixture, state: SubscriberState, again: bool) -> (Added, SubscriberState) {
    with_readers(&f.store, 1).await;
    let id = f.store.subscriber_by_key(&reader(0).key).await.unwrap().unwrap().id;
    assert!(f.store.move_subscriber(id, state, "test", later(1)).await.unwrap());
    assert!(!f.store.move_subscriber(id, state, "test", later(1)).await.unwrap());
    let added = f.store.add_subscribers(&[reader(0)], again, later(2)).await.unwrap()[0];
    (added, f.store.subscriber(id).await.unwrap().unwrap().state)
}

async fn the_unsubscribed_are_not_revived_by_adding_them(f: Fixture) {
    let gone = SubscriberState::Unsubscribed;
    assert_eq!(added_after(&f, gone, false).await, (Added::Known(gone), gone));
}

async fn the_unsubscribed_come_back_by_the_operators_word(f: Fixture) {
    let back = added_after(&f, SubscriberState::Unsubscribed, true).await;
    assert_eq!(back, (Added::Again, SubscriberState::Active));
}

async fn the_suppressed_never_come_back(f: Fixture) {
    let suppressed = SubscriberState::Suppressed;
    assert_eq!(added_after(&f, suppressed, true).await, (Added::Known(suppressed), suppressed));
}

async fn subscribers_are_found_listed_and_counted(f: Fixture) {
    with_readers(&f.store, 5).await;
    f.store.add_subscribers(&[subscriber("New@x.example", SubscriberState::Pending)], false, now()).await.unwrap();
    let found = f.store.subscriber_by_key("new@x.example").await.unwrap().unwrap();
    assert_eq!((found.email.as_str(), found.state), ("New@x.example", SubscriberState::Pending));
    assert_eq!(f.store.subscriber(found.id).await.unwrap(), Some(found));
    assert_eq!(f.store.subscriber(i64::MAX).await.unwrap(), None);
    let mut keys = Vec::new();
    loop {
        let after = keys.last().map(String::as_str);
        let page = f.store.subscribers(None, after, 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        keys.extend(page.into_iter().map(|s| s.email.to_lowercase()));
    }
    assert_eq!(keys.len(), 6);
    assert!(keys.is_sorted());
    assert_eq!(f.store.subscribers(Some(SubscriberState::Pending), None, 10).await.unwrap().len(), 1);
    let counts: Vec<_> = f.store.subscriber_counts().await.unwrap().into_iter().collect();
    assert_eq!(counts, [("active", 5), ("pending", 1), ("suppressed", 0), ("unsubscribed", 0)]);
    assert!(!f.store.move_subscriber(i64::MAX, SubscriberState::Active, "test", now()).await.unwrap());
}

async fn an_id_is_never_used_again(f: Fixture) {
    with_readers(&f.store, 2).await;
    let last = f.store.subscriber_by_key(&reader(1).key).await.unwrap().unwrap().id;
    assert!(f.store.erase_subscriber(last, now()).await.unwrap());
    f.store.add_subscribers(&[reader(1)], true, now()).await.unwrap();
    let new = f.store.subscriber_by_key(&reader(1).key).await.unwrap().unwrap().id;
    assert!(new > last && last > 0);
}

async fn whoever_is_erased_leaves_no_address(f: Fixture) {
    with_edition(&f.store, 2).await;
    let claims = claim(&f.store, "a", 1).await;
    let reply = format!("250 delivered to {}", claims[0].email);
    f.store.settle("a", &claims[0], &Outcome::Accepted { reply }, now()).await.unwrap();
    assert!(f.store.erase_subscriber(claims[0].key.subscriber, now()).await.unwrap());
    assert!(!f.store.erase_subscriber(claims[0].key.subscriber, now()).await.unwrap());
    // This one's message is on its way meanwhile.
    let on_the_wire = claim(&f.store, "a", 1).await.remove(0);
    assert!(mark(&f.store, "a", &on_the_wire).await);
    assert!(f.store.erase_subscriber(on_the_wire.key.subscriber, now()).await.unwrap());
    let reply = format!("250 delivered to {}", on_the_wire.email);
    assert!(f.store.settle("a", &on_the_wire, &Outcome::Accepted { reply }, now()).await.unwrap());
    let rows = f.store.outbox(&[DeliveryState::Accepted], 10).await.unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.email.is_empty() && row.reply.is_none()), "{rows:?}");
}

async fn a_second_daemon_is_refused_and_told_who_runs(f: Fixture) {
    let hold = f.store.hold("gazetted, process 4711").await.unwrap();
    let other = open(&f.url, now()).await.unwrap();
    let Err(StoreError::Held(sentence)) = other.hold("a second").await else { panic!("held twice") };
    assert!(sentence.contains("process 4711"), "{sentence}");
    drop(hold);
    for _ in 0..100 {
        // A session ends a moment after its connection.
        if other.hold("a second").await.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the store is still held after its holder has gone");
}

async fn a_newer_schema_is_refused(f: Fixture) {
    let newer = "INSERT INTO schema_version (version, applied_at) VALUES (999, 0)";
    if f.url.starts_with("sqlite") {
        let pool = sqlx::SqlitePool::connect(&f.url).await.unwrap();
        sqlx::query(newer).execute(&pool).await.unwrap();
    } else {
        let pool = sqlx::PgPool::connect(&f.url).await.unwrap();
        sqlx::query(newer).execute(&pool).await.unwrap();
    }
    let Err(StoreError::Schema(sentence)) = open(&f.url, now()).await else { panic!("a newer schema was opened") };
    assert!(sentence.contains("schema 999"), "{sentence}");
}

async fn a_store_opened_again_has_everything(f: Fixture) {
    with_edition(&f.store, 2).await;
    let again = open(&f.url, later(1)).await.unwrap();
    assert_eq!(again.editions().await.unwrap().len(), 1);
    assert_eq!(claim(&again, "a", 10).await.len(), 2);
}

async fn text_with_a_null_byte_is_kept_without_it(f: Fixture) {
    let strange = EntryRow { title: "a\0b\u{1}c".into(), ..entry(1) };
    f.store.save_entries(&[strange]).await.unwrap();
    assert_eq!(f.store.entries().await.unwrap()[0].title, "ab\u{1}c");
    with_edition(&f.store, 1).await;
    let claims = claim(&f.store, "a", 1).await;
    let outcome = Outcome::Failed { reply: "550 \0no".into() };
    assert!(f.store.settle("a", &claims[0], &outcome, now()).await.unwrap());
}
