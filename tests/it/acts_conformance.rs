//! What those who run the blog are shown, and what is written down of what they do, asked of each store.

use gazetted::domain::bounce_class::{Class, Source};
use gazetted::domain::delivery::{Outcome, State as DeliveryState};
use gazetted::domain::edition::{Edition, EditionKey, State as EditionState};
use gazetted::domain::period::Period;
use gazetted::domain::subscriber::State;
use gazetted::store::{Audience, NewAct, NewBounce, NewSubscriber, SharedStore};
use jiff::{Timestamp, ToSpan as _};

use crate::stores::{Fixture, on_postgres, on_sqlite};

conformance! {
    acts_are_listed_newest_first_and_a_page_at_a_time,
    what_is_good_once_is_spent_once_until_it_has_run_out,
    an_edition_s_deliveries_are_listed_by_outcome,
    a_subscriber_is_found_by_a_part_of_the_address,
    bounces_are_counted_by_mail_domain,
}

fn now() -> Timestamp {
    "2026-11-01T09:00:00Z".parse().unwrap()
}

fn act(n: i64) -> NewAct {
    NewAct {
        who: "link\0".into(),
        act: "digest release".into(),
        subject: format!("2026-{n:02}"),
        detail: "3 recipients".into(),
    }
}

async fn add(store: &SharedStore, email: &str) -> i64 {
    let new = NewSubscriber {
        email: email.into(),
        key: email.into(),
        name: None,
        state: State::Active,
        source: "test".into(),
    };
    store.add_subscribers(&[new], false, now()).await.unwrap();
    store.subscriber_by_key(email).await.unwrap().unwrap().id
}

async fn acts_are_listed_newest_first_and_a_page_at_a_time(fixture: Fixture) {
    let store = fixture.store;
    for n in 1..=5 {
        store.write_act(&act(n), now() + n.minutes()).await.unwrap();
    }
    let page = store.acts(None, 3).await.unwrap();
    assert_eq!(page.iter().map(|act| act.subject.as_str()).collect::<Vec<_>>(), ["2026-05", "2026-04", "2026-03"]);
    assert_eq!((page[0].who.as_str(), page[0].at), ("link", now() + 5.minutes()));
    let rest = store.acts(page.last().map(|act| act.id), 3).await.unwrap();
    assert_eq!(rest.iter().map(|act| act.subject.as_str()).collect::<Vec<_>>(), ["2026-02", "2026-01"]);
}

async fn what_is_good_once_is_spent_once_until_it_has_run_out(fixture: Fixture) {
    let store = fixture.store;
    let until = now() + 10.minutes();
    for mark in [0, -1, i64::MIN, i64::MAX] {
        assert!(!store.is_spent(mark).await.unwrap());
        assert!(store.spend(mark, until, now()).await.unwrap());
        assert!(!store.spend(mark, until, now() + 1.minute()).await.unwrap());
        assert!(store.is_spent(mark).await.unwrap());
    }
    // What has run out by itself need not be remembered.
    assert!(store.spend(7, until + 1.hour(), until + 1.minute()).await.unwrap());
    assert!(!store.is_spent(0).await.unwrap() && store.is_spent(7).await.unwrap());
}

async fn an_edition_s_deliveries_are_listed_by_outcome(fixture: Fixture) {
    let store = fixture.store;
    for email in ["ann@example.org", "bo@example.org", "cy@example.net"] {
        add(&store, email).await;
    }
    let key: EditionKey = Period::parse("2026-10").unwrap().into();
    let edition = Edition {
        key,
        state: EditionState::Open,
        subject: "Notes".into(),
        text: String::new(),
        html: String::new(),
        content: serde_json::json!({}),
        posts: 1,
        opened_at: now(),
        finished_at: None,
        reason: None,
    };
    store.open_edition(&edition, &[], &Audience::everybody()).await.unwrap();
    for claim in store.claim("a", 10, now(), now() + 5.minutes()).await.unwrap() {
        let outcome = match claim.email.as_str() {
            "bo@example.org" => Outcome::Failed { reply: "550 5.1.1 no such user".into() },
            _ => Outcome::Accepted { reply: "250 ok".into() },
        };
        assert!(store.mark_in_data("a", &claim, now()).await.unwrap());
        assert!(store.settle("a", &claim, &outcome, now()).await.unwrap());
    }
    let failed = store.deliveries_of(key, &[DeliveryState::Failed, DeliveryState::Deferred], 10).await.unwrap();
    assert_eq!(failed.len(), 1);
    assert_eq!(
        (failed[0].email.as_str(), failed[0].reply.as_deref()),
        ("bo@example.org", Some("550 5.1.1 no such user"))
    );
    assert_eq!(store.deliveries_of(key, &[DeliveryState::Accepted], 1).await.unwrap().len(), 1);
    let other = Period::parse("2026-09").unwrap().into();
    assert_eq!(store.deliveries_of(other, &DeliveryState::ALL, 10).await.unwrap(), []);
}

async fn a_subscriber_is_found_by_a_part_of_the_address(fixture: Fixture) {
    let store = fixture.store;
    for email in ["ann@example.org", "a_n@example.org", "bo@example.net", "100%@example.net"] {
        add(&store, email).await;
    }
    for (text, expected) in [
        ("ANN@", &["ann@example.org"][..]),
        ("a_n", &["a_n@example.org"]),
        ("%", &["100%@example.net"]),
        ("example.net", &["100%@example.net", "bo@example.net"]),
        ("\\", &[]),
        ("nobody", &[]),
    ] {
        let found = store.find_subscribers(text, 10).await.unwrap();
        assert_eq!(found.iter().map(|found| found.email.as_str()).collect::<Vec<_>>(), expected, "{text}");
    }
    assert_eq!(store.find_subscribers("example", 2).await.unwrap().len(), 2);
}

async fn bounces_are_counted_by_mail_domain(fixture: Fixture) {
    let store = fixture.store;
    let came = [
        ("ann@example.org", Class::Dead, 0),
        ("bo@example.org", Class::Complaint, 1),
        ("cy@example.net", Class::Resting, 2),
        ("old@example.com", Class::Dead, -600),
    ];
    for (email, class, hours) in came {
        let bounce = NewBounce {
            subscriber: add(&store, email).await,
            edition: None,
            recipient: None,
            source: Source::Pipe,
            class,
            status: None,
            words: "no".into(),
            mark: email.into(),
            original: Vec::new(),
        };
        store.keep_bounce(&bounce, now() + hours.hours()).await.unwrap();
    }
    let found = store.bounces_by_domain(now() - 24.hours(), 10).await.unwrap();
    let rows: Vec<_> = found.iter().map(|d| (d.domain.as_str(), d.dead, d.resting, d.policy, d.complaint)).collect();
    assert_eq!(rows, [("example.org", 1, 0, 0, 1), ("example.net", 0, 1, 0, 0)]);
    assert_eq!(found[0].latest, now() + 1.hour());
}
