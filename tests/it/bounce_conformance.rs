//! What comes back, and what is decided of it, asked of each store.

use gazetted::domain::bounce_class::{Class, Source};
use gazetted::domain::delivery::{Outcome, State as DeliveryState};
use gazetted::domain::edition::{Edition, EditionKey, Notice, State as EditionState};
use gazetted::domain::period::Period;
use gazetted::domain::subscriber::{Address, State};
use gazetted::store::{
    Added, Audience, Judged, MoveAsked, NewBounce, NewSubscriber, Retention, SharedStore, Undone, Verdict,
};
use jiff::{Timestamp, ToSpan as _};

use crate::stores::{Fixture, on_postgres, on_sqlite};

conformance! {
    a_dead_address_is_suppressed_at_once_and_the_same_mail_counts_once,
    a_complaint_is_suppressed_at_once_and_policy_touches_nobody,
    a_mailbox_that_rests_is_suppressed_after_three_editions_in_a_row,
    an_edition_that_arrived_begins_the_count_anew,
    a_report_that_names_the_old_address_is_about_what_went_there,
    what_bounces_at_an_old_address_does_not_touch_the_new_one,
    whoever_has_left_stays_as_they_are,
    an_undone_bounce_brings_back_what_was,
    another_reason_keeps_them_suppressed,
    an_open_edition_that_many_complain_of_is_paused,
    whoever_is_erased_leaves_no_bounce_and_originals_are_forgotten_after_a_year,
}

fn now() -> Timestamp {
    "2026-11-01T09:00:00Z".parse().unwrap()
}

fn later(minutes: i64) -> Timestamp {
    now() + minutes.minutes()
}

fn month(text: &str) -> EditionKey {
    Period::parse(text).unwrap().into()
}

async fn add(store: &SharedStore, email: &str, state: State) -> i64 {
    let new = NewSubscriber { email: email.into(), key: email.into(), name: None, state, source: "test".into() };
    assert_eq!(store.add_subscribers(&[new], false, now()).await.unwrap(), [Added::New]);
    store.subscriber_by_key(email).await.unwrap().unwrap().id
}

/// Opens the edition, and sends it to all with this outcome.
async fn send(store: &SharedStore, key: EditionKey, at: Timestamp, outcome: Outcome) {
    open(store, key, at).await;
    deliver(store, at, outcome).await;
}

async fn open(store: &SharedStore, key: EditionKey, at: Timestamp) {
    let edition = Edition {
        key,
        state: EditionState::Open,
        subject: "Notes".into(),
        text: String::new(),
        html: String::new(),
        content: serde_json::json!({}),
        posts: 1,
        opened_at: at,
        finished_at: None,
        reason: None,
    };
    store.open_edition(&edition, &[], &Audience::everybody()).await.unwrap();
}

async fn deliver(store: &SharedStore, at: Timestamp, outcome: Outcome) {
    for claim in store.claim("a", 1_000, at, at + 5.minutes()).await.unwrap() {
        assert!(store.mark_in_data("a", &claim, at).await.unwrap());
        assert!(store.settle("a", &claim, &outcome, at).await.unwrap());
    }
}

fn accepted() -> Outcome {
    Outcome::Accepted { reply: "250 ok".into() }
}

fn failed() -> Outcome {
    Outcome::Failed { reply: "452 4.2.2 full".into() }
}

fn bounce(subscriber: i64, class: Class, mark: &str) -> NewBounce {
    NewBounce {
        subscriber,
        edition: None,
        recipient: None,
        source: Source::Pipe,
        class,
        status: Some("5.0.0".into()),
        words: format!("words \0of {mark}"),
        mark: mark.into(),
        original: format!("Subject: {mark}\r\n\r\n\0").into_bytes(),
    }
}

async fn keep(store: &SharedStore, new: &NewBounce, at: Timestamp) -> Verdict {
    let Judged { verdict, paused } = store.keep_bounce(new, at).await.unwrap();
    assert_eq!(paused, None);
    verdict
}

async fn state(store: &SharedStore, id: i64) -> State {
    store.subscriber(id).await.unwrap().unwrap().state
}

async fn a_dead_address_is_suppressed_at_once_and_the_same_mail_counts_once(f: Fixture) {
    let s = &f.store;
    let (ann, bo) = (add(s, "ann@example.org", State::Active).await, add(s, "bo@example.org", State::Pending).await);
    send(s, month("2026-10"), now(), accepted()).await;
    open(s, month("2026-11"), later(1)).await;
    let dead = bounce(ann, Class::Dead, "<1@mx>");
    assert_eq!(keep(s, &dead, later(2)).await, Verdict::Suppressed);
    assert_eq!(keep(s, &dead, later(3)).await, Verdict::Before);
    assert_eq!(keep(s, &bounce(ann, Class::Dead, "<2@mx>"), later(4)).await, Verdict::Kept);
    assert_eq!(keep(s, &bounce(bo, Class::Dead, "<1@mx>"), later(4)).await, Verdict::Suppressed);
    assert_eq!(keep(s, &bounce(99, Class::Dead, "<1@mx>"), later(4)).await, Verdict::Nobody);
    assert_eq!((state(s, ann).await, state(s, bo).await), (State::Suppressed, State::Suppressed));
    let last = s.history(ann).await.unwrap().pop().unwrap();
    assert_eq!(last.source, "bounce");
    assert_eq!(s.deliveries_to(ann).await.unwrap()[0].state, DeliveryState::Skipped);
    let kept = s.bounces(ann).await.unwrap();
    assert_eq!(kept.len(), 2, "newest first");
    let first = &kept[1];
    assert_eq!((first.class, first.source, first.at, first.suppressed), (Class::Dead, Source::Pipe, later(2), true));
    assert_eq!((first.words.as_str(), first.status.as_deref()), ("words of <1@mx>", Some("5.0.0")));
    // What it answers is what they got last.
    assert_eq!(first.edition, Some(month("2026-10")));
    let original = s.bounce_original(ann, first.id).await.unwrap();
    assert_eq!(original.as_deref(), Some(&b"Subject: <1@mx>\r\n\r\n\0"[..]));
    assert_eq!(s.bounce_original(bo, first.id).await.unwrap(), None);
    assert_eq!(s.dossier(ann).await.unwrap().unwrap().bounces, kept);
}

async fn a_complaint_is_suppressed_at_once_and_policy_touches_nobody(f: Fixture) {
    let s = &f.store;
    let (ann, bo) = (add(s, "ann@example.org", State::Active).await, add(s, "bo@example.org", State::Active).await);
    assert_eq!(keep(s, &bounce(ann, Class::Complaint, "1"), now()).await, Verdict::Suppressed);
    assert_eq!(s.history(ann).await.unwrap().pop().unwrap().source, "complaint");
    for (n, month_of) in (0_i64..).zip(["2026-08", "2026-09", "2026-10", "2026-11"]) {
        send(s, month(month_of), later(n), accepted()).await;
        assert_eq!(keep(s, &bounce(bo, Class::Policy, month_of), later(n)).await, Verdict::Kept);
    }
    assert_eq!(state(s, bo).await, State::Active);
    assert_eq!(s.bounces(bo).await.unwrap().len(), 4);
}

async fn a_mailbox_that_rests_is_suppressed_after_three_editions_in_a_row(f: Fixture) {
    let s = &f.store;
    let ann = add(s, "ann@example.org", State::Active).await;
    let resting =
        |edition: &str, mark: &str| NewBounce { edition: Some(month(edition)), ..bounce(ann, Class::Resting, mark) };
    // Given up by us, returned by a mail, given up again: however it came.
    send(s, month("2026-08"), later(0), failed()).await;
    assert_eq!(keep(s, &resting("2026-08", "a"), later(0)).await, Verdict::Kept);
    // Many bounces of one edition are one edition that bounced.
    for mark in ["b", "c", "d"] {
        assert_eq!(keep(s, &resting("2026-08", mark), later(0)).await, Verdict::Kept);
    }
    send(s, month("2026-09"), later(1), accepted()).await;
    assert_eq!(keep(s, &bounce(ann, Class::Resting, "e"), later(1)).await, Verdict::Kept);
    send(s, month("2026-10"), later(2), failed()).await;
    assert_eq!(keep(s, &resting("2026-10", "f"), later(2)).await, Verdict::Suppressed);
    assert_eq!(state(s, ann).await, State::Suppressed);
}

async fn an_edition_that_arrived_begins_the_count_anew(f: Fixture) {
    let s = &f.store;
    let ann = add(s, "ann@example.org", State::Active).await;
    let months = ["2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06", "2026-07"];
    for (n, key) in (0_i64..).zip(months) {
        send(s, month(key), later(n), accepted()).await;
        let expected = if n == 6 { Verdict::Suppressed } else { Verdict::Kept };
        // The third and the fifth arrive, or are refused for a reason of ours.
        match n {
            2 => {}
            3 => assert_eq!(keep(s, &bounce(ann, Class::Policy, key), later(n)).await, Verdict::Kept),
            _ => assert_eq!(keep(s, &bounce(ann, Class::Resting, key), later(n)).await, expected, "{key}"),
        }
    }
}

async fn what_bounces_at_an_old_address_does_not_touch_the_new_one(f: Fixture) {
    let s = &f.store;
    let ann = add(s, "old@example.org", State::Active).await;
    send(s, month("2026-10"), now(), accepted()).await;
    let day = jiff::civil::date(2026, 11, 1);
    let new = Address::parse("new@example.org").unwrap();
    assert_eq!(s.ask_to_move(ann, &new, day, later(1)).await.unwrap(), MoveAsked::Mailed);
    s.move_address(ann, "new@example.org", later(2)).await.unwrap();
    let dead = NewBounce { edition: Some(month("2026-10")), ..bounce(ann, Class::Dead, "1") };
    assert_eq!(keep(s, &dead, later(3)).await, Verdict::Kept);
    assert_eq!(state(s, ann).await, State::Active);
    // A complaint is theirs, wherever they got it.
    let complaint = NewBounce { class: Class::Complaint, mark: "2".into(), ..dead };
    assert_eq!(keep(s, &complaint, later(3)).await, Verdict::Suppressed);
}

async fn a_report_that_names_the_old_address_is_about_what_went_there(f: Fixture) {
    let s = &f.store;
    let day = jiff::civil::date(2026, 11, 1);
    let ann = add(s, "ann@old.example", State::Active).await;
    send(s, month("2026-09"), now(), accepted()).await;
    s.ask_to_move(ann, &Address::parse("ann@new.example").unwrap(), day, later(1)).await.unwrap();
    deliver(s, later(1), accepted()).await;
    s.move_address(ann, "ann@new.example", later(2)).await.unwrap();
    let naming =
        |id, named: &str, mark: &str| NewBounce { recipient: Some(named.to_owned()), ..bounce(id, Class::Dead, mark) };
    // By name, and what the old address is sent on to.
    for (named, mark) in [("Ann@Old.example", "1"), ("ann@behind.example", "2")] {
        assert_eq!(keep(s, &naming(ann, named, mark), later(3)).await, Verdict::Kept, "{named}");
    }
    assert_eq!(s.bounces(ann).await.unwrap()[1].edition, Some(month("2026-09")));
    // A question that went astray stands under the right address by now.
    let question = Some(EditionKey::Notice(Notice::Move, day));
    let astray = NewBounce { edition: question, ..naming(ann, "an@new.example", "3") };
    assert_eq!(keep(s, &astray, later(3)).await, Verdict::Kept);
    assert_eq!(keep(s, &naming(ann, "ann@new.example", "4"), later(4)).await, Verdict::Suppressed);
    // Who has not moved is meant, whatever their mail is sent on to.
    let eve = add(s, "eve@example.org", State::Active).await;
    send(s, month("2026-11"), later(5), accepted()).await;
    assert_eq!(keep(s, &naming(eve, "eve@behind.example", "1"), later(6)).await, Verdict::Suppressed);
}

async fn whoever_has_left_stays_as_they_are(f: Fixture) {
    let s = &f.store;
    let ann = add(s, "ann@example.org", State::Unsubscribed).await;
    for class in [Class::Dead, Class::Complaint] {
        assert_eq!(keep(s, &bounce(ann, class, class.as_str()), now()).await, Verdict::Kept);
    }
    assert_eq!(state(s, ann).await, State::Unsubscribed);
}

async fn an_undone_bounce_brings_back_what_was(f: Fixture) {
    let s = &f.store;
    for was in [State::Active, State::Pending] {
        let id = add(s, &format!("{}@example.org", was.as_str()), was).await;
        assert_eq!(keep(s, &bounce(id, Class::Dead, "1"), now()).await, Verdict::Suppressed);
        let bounce_id = s.bounces(id).await.unwrap()[0].id;
        assert_eq!(s.undo_bounce(id + 50, bounce_id, later(1)).await.unwrap(), Undone::Unknown);
        assert_eq!(s.undo_bounce(id, bounce_id, later(1)).await.unwrap(), Undone::Back(was));
        assert_eq!(s.undo_bounce(id, bounce_id, later(2)).await.unwrap(), Undone::Before);
        assert_eq!(state(s, id).await, was);
        let kept = s.bounces(id).await.unwrap().remove(0);
        assert_eq!((kept.suppressed, kept.undone_at), (false, Some(later(1))));
        assert_eq!(s.history(id).await.unwrap().pop().unwrap().source, "undo-bounce");
    }
    // It does not count afterwards, either.
    let ann = s.subscriber_by_key("active@example.org").await.unwrap().unwrap().id;
    for (n, key) in (0_i64..).zip(["2026-07", "2026-08", "2026-09", "2026-10"]) {
        let at = later(10 + n);
        send(s, month(key), at, accepted()).await;
        let verdict = keep(s, &bounce(ann, Class::Resting, key), at).await;
        assert_eq!(verdict, Verdict::Kept, "{key}");
        if n == 1 {
            let second = s.bounces(ann).await.unwrap()[0].id;
            assert_eq!(s.undo_bounce(ann, second, at).await.unwrap(), Undone::Only);
        }
    }
}

async fn another_reason_keeps_them_suppressed(f: Fixture) {
    let s = &f.store;
    let ann = add(s, "ann@example.org", State::Active).await;
    assert_eq!(keep(s, &bounce(ann, Class::Dead, "1"), now()).await, Verdict::Suppressed);
    assert_eq!(keep(s, &bounce(ann, Class::Complaint, "2"), later(1)).await, Verdict::Kept);
    let ids: Vec<i64> = s.bounces(ann).await.unwrap().iter().map(|b| b.id).collect();
    let (complaint, dead) = (ids[0], ids[1]);
    assert_eq!(s.undo_bounce(ann, dead, later(2)).await.unwrap(), Undone::Behind(complaint));
    assert_eq!(state(s, ann).await, State::Suppressed);
    assert_eq!(s.undo_bounce(ann, complaint, later(3)).await.unwrap(), Undone::Back(State::Active));
    // That an address is dead which they have left does not keep them from the new one.
    let bo = add(s, "old@example.org", State::Active).await;
    send(s, month("2026-10"), later(3), accepted()).await;
    let day = jiff::civil::date(2026, 11, 1);
    let new = Address::parse("new@example.org").unwrap();
    assert_eq!(s.ask_to_move(bo, &new, day, later(3)).await.unwrap(), MoveAsked::Mailed);
    s.move_address(bo, "new@example.org", later(3)).await.unwrap();
    let left = NewBounce { edition: Some(month("2026-10")), ..bounce(bo, Class::Dead, "1") };
    assert_eq!(keep(s, &left, later(4)).await, Verdict::Kept);
    let complaint = bounce(bo, Class::Complaint, "2");
    assert_eq!(keep(s, &complaint, later(4)).await, Verdict::Suppressed);
    let complaint = s.bounces(bo).await.unwrap()[0].id;
    assert_eq!(s.undo_bounce(bo, complaint, later(5)).await.unwrap(), Undone::Back(State::Active));
    // Who has left since is not brought back.
    assert_eq!(keep(s, &bounce(ann, Class::Dead, "3"), later(4)).await, Verdict::Suppressed);
    s.move_subscriber(ann, State::Unsubscribed, "cli", later(5)).await.unwrap();
    let third = s.bounces(ann).await.unwrap()[0].id;
    assert_eq!(s.undo_bounce(ann, third, later(6)).await.unwrap(), Undone::Only);
    assert_eq!(state(s, ann).await, State::Unsubscribed);
}

async fn an_open_edition_that_many_complain_of_is_paused(f: Fixture) {
    let s = &f.store;
    let readers: Vec<NewSubscriber> = (0..3_005)
        .map(|n| {
            let email = format!("reader{n}@example.org");
            NewSubscriber { email: email.clone(), key: email, name: None, state: State::Active, source: "test".into() }
        })
        .collect();
    s.add_subscribers(&readers, false, now()).await.unwrap();
    open(s, month("2026-10"), now()).await;
    for _ in 0..3 {
        let claims = s.claim("a", 1_000, now(), later(5)).await.unwrap();
        let steps: Vec<_> = claims.into_iter().map(|c| gazetted::store::Step::Settle(c, accepted())).collect();
        s.pen("a").await.unwrap().advance(&steps, now()).await.unwrap();
    }
    let got = s.outbox(&[DeliveryState::Accepted], 10).await.unwrap();
    let complain = async |n: usize, mark: &str| {
        s.keep_bounce(&bounce(got[n].key.subscriber, Class::Complaint, mark), later(1)).await.unwrap().paused
    };
    // Two are few, the same person thrice is one, and three of three thousand are one in a thousand.
    for (n, mark) in [(0, "a"), (0, "b"), (0, "c"), (1, "a"), (2, "a")] {
        assert_eq!(complain(n, mark).await, None);
    }
    assert_eq!(s.edition(month("2026-10")).await.unwrap().unwrap().state, EditionState::Open);
    assert_eq!(complain(3, "a").await, Some(month("2026-10")));
    let edition = s.edition(month("2026-10")).await.unwrap().unwrap();
    assert_eq!(edition.state, EditionState::Paused);
    assert!(edition.reason.unwrap().starts_with("4 of the 3000 readers"));
    // It is paused already.
    assert_eq!(complain(4, "a").await, None);
}

async fn whoever_is_erased_leaves_no_bounce_and_originals_are_forgotten_after_a_year(f: Fixture) {
    let s = &f.store;
    let (ann, bo) = (add(s, "ann@example.org", State::Active).await, add(s, "bo@example.org", State::Active).await);
    for id in [ann, bo] {
        keep(s, &bounce(id, Class::Policy, "old"), now()).await;
        keep(s, &bounce(id, Class::Policy, "new"), later(10)).await;
    }
    s.erase_subscriber(ann, later(11)).await.unwrap();
    assert_eq!(s.bounces(ann).await.unwrap(), []);
    let retention = Retention { questions: later(5), notices: later(5), originals: later(5), networks: later(5) };
    s.tidy(&retention).await.unwrap();
    let kept = s.bounces(bo).await.unwrap();
    assert_eq!(kept[1].original, None);
    assert_eq!(kept[0].original.as_deref(), Some("Subject: new\r\n\r\n\0"));
    assert_eq!(kept[1].words, "words of old");
    assert_eq!(s.bounce_original(bo, kept[1].id).await.unwrap(), None);
    assert_eq!(keep(s, &bounce(bo, Class::Policy, "old"), later(12)).await, Verdict::Before);
}
