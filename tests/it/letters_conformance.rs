//! Letters to editors, asked of each store.

use gazetted::domain::delivery::{Outcome, State as DeliveryState};
use gazetted::domain::edition::EditionKey;
use gazetted::domain::subscriber::Address;
use gazetted::store::{Letter, SharedStore, Told};
use jiff::{Timestamp, ToSpan as _};

use crate::stores::{Fixture, on_postgres, on_sqlite};

conformance! {
    a_letter_of_one_name_is_written_once_and_goes_to_each_editor,
    what_was_taken_back_is_not_sent_and_what_was_sent_stays,
    webhooks_are_told_of_a_letter_once,
}

fn now() -> Timestamp {
    "2026-11-15T09:00:00Z".parse().unwrap()
}

fn letter(name: &str) -> Letter {
    Letter {
        name: name.into(),
        subject: "15 days left".into(),
        text: "One post is due.\0".into(),
        html: "<p>One post is due.</p>".into(),
        language: "en".into(),
        made_at: now(),
    }
}

fn editors(all: &[&str]) -> Vec<Address> {
    all.iter().map(|editor| Address::parse(editor).unwrap()).collect()
}

async fn recipients(store: &SharedStore) -> Vec<String> {
    let claims = store.claim("node", 10, now(), now() + 1.minute()).await.unwrap();
    let mut all: Vec<String> = claims.iter().map(|claim| claim.email.clone()).collect();
    all.sort();
    for claim in &claims {
        assert!(claim.key.subscriber < 0 && !claim.key.edition.is_edition() && claim.variant.is_empty());
        let accepted = Outcome::Accepted { reply: "250 ok".into() };
        assert!(store.mark_in_data("node", claim, now()).await.unwrap());
        assert!(store.settle("node", claim, &accepted, now()).await.unwrap());
    }
    all
}

async fn a_letter_of_one_name_is_written_once_and_goes_to_each_editor(fixture: Fixture) {
    let store = fixture.store;
    // The same mailbox twice is one delivery.
    let to = editors(&["ann@example.org", "bo@example.org", "Ann@example.org"]);
    assert!(store.write_letter(&letter("nudge/goal/2026-11/day-15"), &to, None).await.unwrap());
    let other = Letter { subject: "other".into(), ..letter("nudge/goal/2026-11/day-15") };
    assert!(!store.write_letter(&other, &to, None).await.unwrap());
    assert_eq!(recipients(&store).await, ["ann@example.org", "bo@example.org"]);
    assert_eq!(recipients(&store).await, [""; 0]);
    let EditionKey::Letter(key) = EditionKey::letter("nudge/goal/2026-11/day-15") else { panic!() };
    let kept = store.letter(key).await.unwrap().unwrap();
    let whole = Letter { text: "One post is due.".into(), ..letter("nudge/goal/2026-11/day-15") };
    assert_eq!(kept, whole, "but for what no database takes");
    assert_eq!(store.letter(key ^ 1).await.unwrap(), None);
    assert_eq!(store.editions().await.unwrap(), [], "a letter is no edition");
    assert_eq!(store.outbox_counts().await.unwrap().of(DeliveryState::Accepted), 2);
}

async fn what_was_taken_back_is_not_sent_and_what_was_sent_stays(fixture: Fixture) {
    let store = fixture.store;
    let to = editors(&["ann@example.org"]);
    assert!(store.write_letter(&letter("nudge/goal/2026-11/day-15"), &to, None).await.unwrap());
    assert_eq!(recipients(&store).await, ["ann@example.org"]);
    for name in ["nudge/goal/2026-11/day-25", "nudge/goal/2026-12/day-15", "nudge/other/2026-11/day-15"] {
        assert!(store.write_letter(&letter(name), &to, None).await.unwrap());
    }
    assert_eq!(store.take_back_letters("nudge/goal/2026-11/", "the goal is met", now()).await.unwrap(), 1);
    assert_eq!(store.take_back_letters("nudge/goal/2026-11/", "the goal is met", now()).await.unwrap(), 0);
    let counts = store.outbox_counts().await.unwrap();
    let counts = [DeliveryState::Accepted, DeliveryState::Skipped, DeliveryState::Queued].map(|s| counts.of(s));
    assert_eq!(counts, [1, 1, 2]);
    let names = store.letters("nudge/goal/").await.unwrap();
    assert_eq!(names, ["nudge/goal/2026-11/day-15", "nudge/goal/2026-11/day-25", "nudge/goal/2026-12/day-15"]);
    assert!(!store.write_letter(&letter("nudge/goal/2026-11/day-25"), &to, None).await.unwrap(), "it stays taken back");
}

async fn webhooks_are_told_of_a_letter_once(fixture: Fixture) {
    let store = fixture.store;
    let told = Told { event: "nudged", facts: serde_json::json!({"period": "2026-11", "text": "15 days left"}) };
    assert!(store.write_letter(&letter("nudge/goal/2026-11/day-15"), &[], Some(&told)).await.unwrap());
    assert!(!store.write_letter(&letter("nudge/goal/2026-11/day-15"), &[], Some(&told)).await.unwrap());
    let hooks = [("https://chat.example/hook".to_owned(), vec!["nudged".to_owned()])];
    assert_eq!(store.queue_calls(&hooks, now()).await.unwrap(), 1);
    let calls = store.claim_calls(10, now(), now() + 1.minute()).await.unwrap();
    assert_eq!((calls[0].event.as_str(), calls[0].subscriber, calls[0].edition.as_deref()), ("nudged", None, None));
    let facts: serde_json::Value = serde_json::from_str(&calls[0].proof).unwrap();
    assert_eq!(facts, told.facts);
}
