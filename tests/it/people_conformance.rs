//! What every store must do with people, asked of each of them: how they come, what they choose, how they leave.

use std::collections::BTreeMap;

use gazetted::domain::delivery::{Outcome, State as DeliveryState};
use gazetted::domain::edition::{Edition, EditionKey, Notice, State as EditionState};
use gazetted::domain::period::Period;
use gazetted::domain::subscriber::{Address, Choice, Event, Frequency, State};
use gazetted::domain::subscriber_import::ImportRow;
use gazetted::store::{
    Added, Audience, Confirmed, Frozen, ImportTally, MoveAsked, Moved, NewSubscriber, Opened, Retention, SharedStore,
    SignUp, SignUpLimits, SignUpTally, StoreError,
};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::stores::{Fixture, on_postgres, on_sqlite};

conformance! {
    a_form_makes_a_question_and_its_answer_a_reader,
    what_becomes_of_a_form_depends_on_what_is_known,
    a_flood_for_one_mailbox_is_one_mail,
    networks_domains_and_all_together_have_their_limits,
    nodes_that_take_forms_at_once_keep_the_limits,
    a_question_is_answered_once,
    notices_come_before_editions_and_go_only_to_whom_they_concern,
    an_edition_goes_to_those_who_want_something_of_it,
    a_variant_is_frozen_by_whoever_comes_first,
    an_address_moves_when_it_is_confirmed_and_what_waits_moves_with_it,
    nobody_is_flooded_by_somebody_who_moves_to_their_address,
    an_address_that_was_mistyped_is_corrected_on_the_same_day,
    whoever_moves_takes_the_place_of_a_subscription_that_is_not_active,
    whoever_pauses_after_the_opening_gets_nothing_before_the_pause_ends,
    whoever_has_left_can_have_a_link_and_their_data,
    whoever_was_forgotten_comes_back_by_their_own_word_only,
    unanswered_questions_are_forgotten,
    an_opt_out_beats_an_opt_in_in_whatever_order_they_are_imported,
    the_same_list_does_not_bring_back_an_address_that_was_left_for_another,
    an_answer_beats_a_question_in_whatever_order_they_are_imported,
    the_same_list_again_changes_nothing,
    a_dry_run_writes_nothing_and_a_broken_list_neither,
    history_tells_what_happened_and_how_the_list_grew,
    each_hook_is_told_of_each_event_once,
    hooks_are_told_by_number_that_somebody_was_erased,
    keys_for_links_are_kept_in_order,
}

const DAY: Date = date(2026, 11, 24);
const LIMITS: SignUpLimits = SignUpLimits {
    mailbox_a_day: 1,
    mailbox_a_month: 3,
    network_an_hour: 10,
    domain_an_hour: 100,
    total_an_hour: 1_000,
    total_a_day: 10_000,
};

fn now() -> Timestamp {
    "2026-11-24T09:00:00Z".parse().unwrap()
}

fn later(minutes: i64) -> Timestamp {
    now() + minutes.minutes()
}

fn form(email: &str, network: &str) -> SignUp {
    let proof = r#"{"form":1}"#.to_owned();
    SignUp { address: Address::parse(email).unwrap(), language: None, network: network.into(), proof }
}

async fn add(store: &SharedStore, email: &str, state: State) -> i64 {
    let new = NewSubscriber { email: email.into(), key: email.into(), name: None, state, source: "test".into() };
    assert_eq!(store.add_subscribers(&[new], false, now()).await.unwrap(), [Added::New]);
    id(store, email).await
}

async fn id(store: &SharedStore, email: &str) -> i64 {
    store.subscriber_by_key(email).await.unwrap().unwrap().id
}

async fn state(store: &SharedStore, email: &str) -> Option<State> {
    store.subscriber_by_key(email).await.unwrap().map(|found| found.state)
}

async fn take(store: &SharedStore, limits: &SignUpLimits, now: Timestamp) -> SignUpTally {
    let today = TimeZone::UTC.to_datetime(now).date();
    let mut all = SignUpTally::default();
    loop {
        let tally = store.take_sign_ups(limits, today, 20, now).await.unwrap();
        if tally.taken == 0 {
            return all;
        }
        all.taken += tally.taken;
        all.asked += tally.asked;
        all.repeated += tally.repeated;
        all.limited += tally.limited;
    }
}

/// What waits in the outbox: which notice, and for whom.
async fn waiting(store: &SharedStore) -> Vec<(String, String)> {
    let rows = store.outbox(&[DeliveryState::Queued], 1_000).await.unwrap();
    let mut found: Vec<_> = rows.into_iter().map(|row| (row.key.edition.to_string(), row.email)).collect();
    found.sort();
    found
}

fn edition(key: impl Into<EditionKey>) -> Edition {
    Edition {
        key: key.into(),
        state: EditionState::Open,
        subject: "Notes".into(),
        text: "text".into(),
        html: "html".into(),
        content: serde_json::json!({}),
        posts: 2,
        opened_at: now(),
        finished_at: None,
        reason: None,
    }
}

fn month() -> Period {
    Period::parse("2026-10").unwrap()
}

async fn a_form_makes_a_question_and_its_answer_a_reader(f: Fixture) {
    let form = SignUp { language: Some("de".into()), ..form("Ann@Example.org", "192.0.2.0/24") };
    f.store.sign_up(&form, now()).await.unwrap();
    assert_eq!(
        state(&f.store, "ann@example.org").await,
        None,
        "nothing is decided while somebody waits for the answer"
    );
    assert_eq!(take(&f.store, &LIMITS, later(1)).await, SignUpTally { taken: 1, asked: 1, ..SignUpTally::default() });
    let ann = f.store.subscriber_by_key("ann@example.org").await.unwrap().unwrap();
    assert_eq!((ann.email.as_str(), ann.state, ann.asked_at), ("Ann@Example.org", State::Pending, Some(later(1))));
    assert_eq!(ann.choice.language.as_deref(), Some("de"));
    assert_eq!(waiting(&f.store).await, [("confirm-2026-11-24".to_owned(), "Ann@Example.org".to_owned())]);
    let stamp = later(1).as_microsecond();
    assert_eq!(f.store.confirm(ann.id, stamp, DAY, later(2)).await.unwrap(), Confirmed::Now);
    assert_eq!(state(&f.store, "ann@example.org").await, Some(State::Active));
    assert_eq!(waiting(&f.store).await[1].0, "welcome-2026-11-24");
    let history = f.store.history(ann.id).await.unwrap();
    let events: Vec<_> = history.iter().map(|h| (h.event, h.source.as_str(), h.proof.as_str())).collect();
    assert_eq!(events, [(Event::Asked, "form", r#"{"form":1}"#), (Event::Confirmed, "link", "{}")]);
}

async fn what_becomes_of_a_form_depends_on_what_is_known(f: Fixture) {
    for (email, state) in [
        ("pending@example.org", State::Pending),
        ("active@example.org", State::Active),
        ("left@example.org", State::Unsubscribed),
        ("dead@example.org", State::Suppressed),
    ] {
        add(&f.store, email, state).await;
    }
    for email in ["new", "pending", "active", "left", "dead"] {
        f.store.sign_up(&form(&format!("{email}@example.org"), ""), now()).await.unwrap();
    }
    let tally = take(&f.store, &LIMITS, now()).await;
    assert_eq!((tally.taken, tally.asked), (5, 4));
    let expected = [("already", "active"), ("confirm", "left"), ("confirm", "new"), ("confirm", "pending")];
    let expected = expected.map(|(notice, name)| (format!("{notice}-2026-11-24"), format!("{name}@example.org")));
    assert_eq!(waiting(&f.store).await, expected);
    // Who has left stays so until they answer; who is dead hears nothing.
    assert_eq!(state(&f.store, "left@example.org").await, Some(State::Unsubscribed));
    assert_eq!(state(&f.store, "dead@example.org").await, Some(State::Suppressed));
    let left = id(&f.store, "left@example.org").await;
    assert_eq!(f.store.confirm(left, now().as_microsecond(), DAY, later(1)).await.unwrap(), Confirmed::Now);
    assert_eq!(state(&f.store, "left@example.org").await, Some(State::Active));
}

async fn a_flood_for_one_mailbox_is_one_mail(f: Fixture) {
    let spellings = ["ann@gmail.com", "a.n.n@gmail.com", "ann+1@googlemail.com", "ANN@Gmail.com", "an.n+x@gmail.com"];
    for n in 0..500 {
        let network = format!("10.{}.{}.0/24", n / 250, n % 250);
        f.store.sign_up(&form(spellings[n % spellings.len()], &network), now()).await.unwrap();
    }
    let tally = take(&f.store, &LIMITS, now()).await;
    assert_eq!((tally.taken, tally.asked, tally.repeated, tally.limited), (500, 1, 499, 0));
    // One a day, three a month, whatever is sent.
    let mut asked = 0;
    for day in 1..=40 {
        f.store.sign_up(&form("ann@gmail.com", ""), later(day * 24 * 60)).await.unwrap();
        asked += take(&f.store, &LIMITS, later(day * 24 * 60 + 1)).await.asked;
    }
    assert_eq!(asked, 2 + 3, "two more in the first month, three in the next");
}

async fn networks_domains_and_all_together_have_their_limits(f: Fixture) {
    let flood = |n: usize, network: &str, domain: &str| {
        (0..n).map(|i| form(&format!("reader{i}.{}@{domain}", network.len()), network)).collect::<Vec<_>>()
    };
    for (forms, minute, asked) in [
        (flood(15, "192.0.2.0/24", "a.example"), 0, 10),
        (flood(15, "192.0.2.0/24", "b.example"), 30, 0),
        (flood(15, "192.0.2.0/24", "c.example"), 62, 10),
        (flood(150, "", "d.example"), 130, 100),
    ] {
        for form in &forms {
            f.store.sign_up(form, later(minute)).await.unwrap();
        }
        let tally = take(&f.store, &LIMITS, later(minute)).await;
        assert_eq!((tally.asked, tally.limited), (asked, forms.len() as u64 - asked), "minute {minute}");
    }
    // 110 of them in the last hour, 120 today.
    let limits = SignUpLimits { total_an_hour: 113, total_a_day: 10_000, ..LIMITS };
    for n in 0..20 {
        f.store.sign_up(&form(&format!("r@e{n}.example"), ""), later(131)).await.unwrap();
    }
    assert_eq!(take(&f.store, &limits, later(131)).await.asked, 13);
    let limits = SignUpLimits { total_a_day: 135, ..LIMITS };
    for n in 20..40 {
        f.store.sign_up(&form(&format!("r@e{n}.example"), ""), later(300)).await.unwrap();
    }
    assert_eq!(take(&f.store, &limits, later(300)).await.asked, 2);
}

async fn nodes_that_take_forms_at_once_keep_the_limits(f: Fixture) {
    for n in 0..200 {
        f.store.sign_up(&form(&format!("r{n}@example.org"), "192.0.2.0/24"), now()).await.unwrap();
    }
    let nodes: Vec<_> = (0..4)
        .map(|_| {
            let store = std::sync::Arc::clone(&f.store);
            tokio::spawn(async move { take(&store, &LIMITS, now()).await })
        })
        .collect();
    let mut all = SignUpTally::default();
    for node in nodes {
        let tally = node.await.unwrap();
        all.taken += tally.taken;
        all.asked += tally.asked;
    }
    assert_eq!((all.taken, all.asked), (200, 10));
    assert_eq!(waiting(&f.store).await.len(), 10);
}

async fn a_question_is_answered_once(f: Fixture) {
    f.store.sign_up(&form("ann@example.org", ""), now()).await.unwrap();
    take(&f.store, &LIMITS, now()).await;
    let (ann, stamp) = (id(&f.store, "ann@example.org").await, now().as_microsecond());
    let answer = |stamp| f.store.confirm(ann, stamp, DAY, later(1));
    assert_eq!(answer(stamp + 1).await.unwrap(), Confirmed::Over);
    assert_eq!(answer(stamp).await.unwrap(), Confirmed::Now);
    assert_eq!(answer(stamp).await.unwrap(), Confirmed::Before);
    f.store.move_subscriber(ann, State::Unsubscribed, "link", later(2)).await.unwrap();
    assert_eq!(answer(stamp).await.unwrap(), Confirmed::Over);
    assert_eq!(state(&f.store, "ann@example.org").await, Some(State::Unsubscribed));
    assert_eq!(f.store.confirm(i64::MAX, stamp, DAY, now()).await.unwrap(), Confirmed::Over);
}

async fn notices_come_before_editions_and_go_only_to_whom_they_concern(f: Fixture) {
    for n in 0..30 {
        add(&f.store, &format!("reader{n}@example.org"), State::Active).await;
    }
    f.store.open_edition(&edition(month()), &[], &Audience::everybody()).await.unwrap();
    f.store.sign_up(&form("new@example.org", ""), later(1)).await.unwrap();
    take(&f.store, &LIMITS, later(1)).await;
    f.store.sign_up(&form("gone@example.org", ""), later(1)).await.unwrap();
    take(&f.store, &LIMITS, later(1)).await;
    let gone = id(&f.store, "gone@example.org").await;
    f.store.move_subscriber(gone, State::Suppressed, "test", later(2)).await.unwrap();
    assert_eq!(f.store.next_due().await.unwrap(), Some(now()));
    let claims = f.store.claim("node", 2, later(3), later(10)).await.unwrap();
    let claimed: Vec<_> = claims.iter().map(|c| (c.key.edition.to_string(), c.email.clone())).collect();
    assert_eq!(claimed[0], ("confirm-2026-11-24".to_owned(), "new@example.org".to_owned()));
    assert_eq!(claimed[1].0, "2026-10");
    let outcome = Outcome::Accepted { reply: "250 ok".into() };
    assert!(f.store.mark_in_data("node", &claims[0], later(3)).await.unwrap());
    assert!(f.store.settle("node", &claims[0], &outcome, later(4)).await.unwrap());
    let new = id(&f.store, "new@example.org").await;
    assert_eq!(f.store.deliveries_to(new).await.unwrap()[0].reply.as_deref(), Some("250 ok"));
    // A paused edition keeps no notice waiting, and notices are no edition's deliveries.
    f.store.move_edition(month().into(), &[EditionState::Open], EditionState::Paused, later(4)).await.unwrap();
    assert!(f.store.notify(new, Notice::Data, DAY, later(5)).await.unwrap());
    assert!(!f.store.notify(new, Notice::Data, DAY, later(5)).await.unwrap(), "once a day");
    assert_eq!(f.store.claim("node", 9, later(6), later(10)).await.unwrap().len(), 1);
    let summary = f.store.editions().await.unwrap();
    assert_eq!((summary.len(), summary[0].counts.total()), (1, 30));
}

async fn an_edition_goes_to_those_who_want_something_of_it(f: Fixture) {
    let choices = [
        ("all", Choice::default()),
        ("german", Choice { language: Some("de".into()), ..Choice::default() }),
        ("english", Choice { language: Some("en".into()), ..Choice::default() }),
        ("rust", Choice { tags: vec!["rust".into()], ..Choice::default() }),
        ("ann", Choice { authors: vec!["Ann".into()], ..Choice::default() }),
        ("nothing", Choice { tags: vec!["cobol".into()], ..Choice::default() }),
        ("quarter", Choice { frequency: Frequency::Quarterly, ..Choice::default() }),
        ("post", Choice { frequency: Frequency::Post, ..Choice::default() }),
        ("pausing", Choice { paused_until: Some(later(1)), ..Choice::default() }),
        ("back", Choice { paused_until: Some(later(-1)), ..Choice::default() }),
    ];
    for (name, choice) in &choices {
        let id = add(&f.store, &format!("{name}@example.org"), State::Active).await;
        assert_eq!(f.store.choose(id, choice, later(-60)).await.unwrap(), *choice != Choice::default(), "{name}");
        assert!(!f.store.choose(id, choice, later(-50)).await.unwrap(), "chosen again, nothing changes");
        assert_eq!(f.store.subscriber(id).await.unwrap().unwrap().choice, *choice);
    }
    let variant = |choice: &Choice| match (choice.tags.first().map(String::as_str), choice.authors.is_empty()) {
        (Some("rust"), _) => Some(":0".to_owned()),
        (Some(_), _) => None,
        (None, false) => Some(":1".to_owned()),
        (None, true) => Some(choice.language.clone().unwrap_or_default()),
    };
    let audience = |since| Audience { language: "en", since, variant: &variant, canary: None, lead: None };
    let quarter = Period::parse("2026-Q3").unwrap();
    let post = EditionKey::post("https://example.org/a");
    for (key, since, expected) in [
        (
            EditionKey::from(month()),
            None,
            &[("all", ""), ("ann", ":1"), ("back", ""), ("english", ""), ("german", "de"), ("rust", ":0")][..],
        ),
        (quarter.into(), None, &[("quarter", "")]),
        (post, Some(now()), &[("post", "")]),
        (EditionKey::post("https://example.org/older"), Some(later(-61)), &[]),
    ] {
        let opened = f.store.open_edition(&edition(key), &[], &audience(since)).await.unwrap();
        assert_eq!(opened, Opened::Now { recipients: expected.len() as u64 }, "{key}");
        let claims = f.store.claim("node", 50, later(1), later(10)).await.unwrap();
        let mut got: Vec<_> = claims.iter().map(|c| (c.email.split('@').next().unwrap(), c.variant.as_str())).collect();
        got.sort_unstable();
        assert_eq!(got, expected, "{key}");
    }
    for (name, reason) in [("nothing", "nothing in it is what"), ("pausing", "the subscriber is pausing")] {
        let id = id(&f.store, &format!("{name}@example.org")).await;
        let why = f.store.deliveries_to(id).await.unwrap().remove(0);
        assert_eq!(why.state, DeliveryState::Skipped);
        assert!(why.reply.unwrap().starts_with(reason), "{name}");
    }
    assert_eq!(f.store.readers(Frequency::Quarterly).await.unwrap(), 1);
    assert_eq!(f.store.latest_edition().await.unwrap().unwrap().key, month().into());
}

async fn a_variant_is_frozen_by_whoever_comes_first(f: Fixture) {
    f.store.open_edition(&edition(month()), &[], &Audience::everybody()).await.unwrap();
    let key = month().into();
    assert_eq!(f.store.variant(key, "de").await.unwrap(), None);
    let frozen = |text: &str| Frozen { subject: text.into(), text: text.into(), html: text.into() };
    assert_eq!(f.store.freeze_variant(key, "de", &frozen("eins")).await.unwrap(), frozen("eins"));
    assert_eq!(f.store.freeze_variant(key, "de", &frozen("zwei")).await.unwrap(), frozen("eins"));
    assert_eq!(f.store.variant(key, "de").await.unwrap(), Some(frozen("eins")));
    assert_eq!(f.store.variant(key, "fr").await.unwrap(), None);
}

async fn an_address_moves_when_it_is_confirmed_and_what_waits_moves_with_it(f: Fixture) {
    let ann = add(&f.store, "ann@example.org", State::Active).await;
    add(&f.store, "bob@example.org", State::Active).await;
    f.store.open_edition(&edition(month()), &[], &Audience::everybody()).await.unwrap();
    let new = Address::parse("Ann@New.example").unwrap();
    assert_eq!(f.store.ask_to_move(ann, &new, DAY, now()).await.unwrap(), MoveAsked::Mailed);
    assert_eq!(state(&f.store, "ann@example.org").await, Some(State::Active), "until it is confirmed nothing changes");
    assert_eq!(waiting(&f.store).await[2], ("move-2026-11-24".to_owned(), "Ann@New.example".to_owned()));
    assert_eq!(f.store.move_address(ann, "ann@other.example", now()).await.unwrap(), Moved::Over);
    assert_eq!(f.store.move_address(ann, "bob@example.org", now()).await.unwrap(), Moved::Over, "nobody asked there");
    assert_eq!(f.store.move_address(ann, "ann@new.example", later(1)).await.unwrap(), Moved::Now);
    assert_eq!(id(&f.store, "ann@new.example").await, ann);
    assert_eq!(state(&f.store, "ann@example.org").await, None);
    assert_eq!(f.store.move_address(ann, "ann@new.example", later(2)).await.unwrap(), Moved::Over);
    let waits = waiting(&f.store).await;
    assert!(waits.contains(&("2026-10".to_owned(), "Ann@New.example".to_owned())), "{waits:?}");
    assert!(f.store.history(ann).await.unwrap().iter().any(|h| h.event == Event::Moved));
}

async fn nobody_is_flooded_by_somebody_who_moves_to_their_address(f: Fixture) {
    let victim = Address::parse("victim@example.org").unwrap();
    let mut asked = 0;
    for n in 0..20 {
        let ann = add(&f.store, &format!("ann{n}@example.org"), State::Active).await;
        asked += u32::from(f.store.ask_to_move(ann, &victim, DAY, now()).await.unwrap() == MoveAsked::Mailed);
    }
    assert_eq!(asked, 1);
    f.store.sign_up(&form("victim+tag@example.org", ""), later(1)).await.unwrap();
    assert_eq!(take(&f.store, &LIMITS, later(1)).await.repeated, 1, "the same limit counts both");
}

async fn an_address_that_was_mistyped_is_corrected_on_the_same_day(f: Fixture) {
    let ann = add(&f.store, "ann@example.org", State::Active).await;
    let ask = async |email: &str, at| {
        let address = Address::parse(email).unwrap();
        f.store.ask_to_move(ann, &address, DAY, at).await.unwrap()
    };
    assert_eq!(ask("an@new.example", now()).await, MoveAsked::Mailed);
    let wrong = f.store.claim("node", 9, now(), later(10)).await.unwrap().remove(0);
    assert_eq!(ask("ann@new.example", later(1)).await, MoveAsked::Mailed);
    assert_eq!(waiting(&f.store).await, [("move-2026-11-24".to_owned(), "ann@new.example".to_owned())]);
    assert!(!f.store.mark_in_data("node", &wrong, later(1)).await.unwrap(), "what was on its way is not sent any more");
    let right = f.store.claim("node", 9, later(1), later(10)).await.unwrap().remove(0);
    assert_eq!(right.email, "ann@new.example");
    assert!(f.store.mark_in_data("node", &right, later(1)).await.unwrap());
    assert_eq!(f.store.move_address(ann, "an@new.example", later(2)).await.unwrap(), Moved::Over);
    // The same again within the day changes nothing; and nobody's link mails strangers all day.
    assert_eq!(ask("an@new.example", later(2)).await, MoveAsked::Silently);
    assert_eq!(ask("other@new.example", later(3)).await, MoveAsked::TooOften);
    assert_eq!(f.store.move_address(ann, "ann@new.example", later(4)).await.unwrap(), Moved::Now);
    assert_eq!(ask("other@new.example", later(61)).await, MoveAsked::Mailed);
}

async fn whoever_moves_takes_the_place_of_a_subscription_that_is_not_active(f: Fixture) {
    let ann = add(&f.store, "ann@example.org", State::Active).await;
    let ask = async |email: &str, hour: i64| {
        let address = Address::parse(email).unwrap();
        f.store.ask_to_move(ann, &address, DAY, later(60 * hour)).await.unwrap()
    };
    add(&f.store, "bob@example.org", State::Active).await;
    assert_eq!(ask("bob@example.org", 0).await, MoveAsked::Mailed);
    assert_eq!(f.store.move_address(ann, "bob@example.org", now()).await.unwrap(), Moved::Taken);
    add(&f.store, "dead@example.org", State::Suppressed).await;
    assert_eq!(ask("dead@example.org", 2).await, MoveAsked::Silently);
    assert_eq!(waiting(&f.store).await, [("move-2026-11-24".to_owned(), "bob@example.org".to_owned())]);
    for (hour, was) in [(4, State::Unsubscribed), (6, State::Pending)] {
        let email = format!("{}@example.org", was.as_str());
        let old = add(&f.store, &email, was).await;
        assert_eq!(ask(&email, hour).await, MoveAsked::Mailed);
        assert_eq!(f.store.move_address(ann, &email, now()).await.unwrap(), Moved::Now);
        assert_eq!((id(&f.store, &email).await, state(&f.store, &email).await), (ann, Some(State::Active)));
        assert!(f.store.subscriber(old).await.unwrap().is_none());
    }
}

async fn whoever_pauses_after_the_opening_gets_nothing_before_the_pause_ends(f: Fixture) {
    let ann = add(&f.store, "ann@example.org", State::Active).await;
    let bob = add(&f.store, "bob@example.org", State::Active).await;
    f.store.open_edition(&edition(month()), &[], &Audience::everybody()).await.unwrap();
    for (reader, minutes) in [(ann, 100), (bob, 1)] {
        let choice = Choice { paused_until: Some(later(minutes)), ..Choice::default() };
        assert!(f.store.choose(reader, &choice, now()).await.unwrap());
    }
    let claims = f.store.claim("node", 9, later(2), later(10)).await.unwrap();
    assert_eq!(claims.iter().map(|claim| claim.key.subscriber).collect::<Vec<_>>(), [bob]);
    let skipped = f.store.deliveries_to(ann).await.unwrap().remove(0);
    assert_eq!((skipped.state, skipped.reply.as_deref()), (DeliveryState::Skipped, Some("the subscriber is pausing")));
}

async fn whoever_has_left_can_have_a_link_and_their_data(f: Fixture) {
    let ann = add(&f.store, "ann@example.org", State::Unsubscribed).await;
    for notice in [Notice::Link, Notice::Data, Notice::Already] {
        assert!(f.store.notify(ann, notice, DAY, now()).await.unwrap());
    }
    let claims = f.store.claim("node", 9, now(), later(10)).await.unwrap();
    let mut claimed: Vec<_> = claims.iter().map(|claim| claim.key.edition.to_string()).collect();
    claimed.sort();
    assert_eq!(claimed, ["data-2026-11-24", "link-2026-11-24"]);
}

async fn whoever_was_forgotten_comes_back_by_their_own_word_only(f: Fixture) {
    let ann = add(&f.store, "ann@example.org", State::Active).await;
    f.store.open_edition(&edition(month()), &[], &Audience::everybody()).await.unwrap();
    assert!(f.store.erase_subscriber(ann, now()).await.unwrap());
    assert!(!f.store.erase_subscriber(ann, now()).await.unwrap());
    assert!(f.store.dossier(ann).await.unwrap().is_none());
    f.store.queue_calls(&[], now()).await.unwrap();
    assert_eq!(f.store.history(ann).await.unwrap(), [], "once nobody is left to be told");
    let again = NewSubscriber {
        email: "Ann@example.org".into(),
        key: "ann@example.org".into(),
        name: None,
        state: State::Active,
        source: "cli".into(),
    };
    assert_eq!(f.store.add_subscribers(std::slice::from_ref(&again), false, now()).await.unwrap(), [Added::Erased]);
    let tally = import(&f.store, vec![row(2, "ann@example.org", State::Active)]).await;
    assert_eq!(tally, ImportTally { kept_out: 1, ..ImportTally::default() });
    assert_eq!(state(&f.store, "ann@example.org").await, None);
    // Their own form, answered.
    f.store.sign_up(&form("ann@example.org", ""), later(1)).await.unwrap();
    take(&f.store, &LIMITS, later(1)).await;
    let back = id(&f.store, "ann@example.org").await;
    assert!(back > ann);
    assert_eq!(f.store.confirm(back, later(1).as_microsecond(), DAY, later(2)).await.unwrap(), Confirmed::Now);
    assert!(f.store.erase_subscriber(back, now()).await.unwrap());
    assert_eq!(f.store.add_subscribers(&[again], true, now()).await.unwrap(), [Added::Again]);
}

async fn unanswered_questions_are_forgotten(f: Fixture) {
    let left = add(&f.store, "left@example.org", State::Unsubscribed).await;
    let mover = add(&f.store, "mover@example.org", State::Active).await;
    for email in ["new@example.org", "left@example.org"] {
        let proof = r#"{"form":1,"network":"203.0.113.0/24"}"#.to_owned();
        f.store.sign_up(&SignUp { proof, ..form(email, "") }, now()).await.unwrap();
    }
    take(&f.store, &LIMITS, now()).await;
    f.store.ask_to_move(mover, &Address::parse("m@new.example").unwrap(), DAY, now()).await.unwrap();
    let before = Retention { questions: later(-1), notices: later(-1), originals: later(-1), networks: later(-1) };
    assert_eq!(f.store.tidy(&before).await.unwrap(), 0);
    assert_eq!(state(&f.store, "new@example.org").await, Some(State::Pending));
    let after = Retention { questions: later(1), notices: later(1), originals: later(1), networks: later(1) };
    assert_eq!(f.store.tidy(&after).await.unwrap(), 1);
    assert_eq!(state(&f.store, "new@example.org").await, None);
    assert_eq!(state(&f.store, "left@example.org").await, Some(State::Unsubscribed));
    let proof = |history: Vec<gazetted::domain::subscriber::Consent>| history.last().unwrap().proof.clone();
    assert_eq!(proof(f.store.history(left).await.unwrap()), r#"{"form":1}"#, "without the network");
    assert_eq!(f.store.subscriber(mover).await.unwrap().unwrap().new_email, None);
    assert!(waiting(&f.store).await.iter().all(|(_, email)| email != "new@example.org"));
    // What is forgotten counts no more: they may be asked again.
    f.store.sign_up(&form("new@example.org", ""), later(2)).await.unwrap();
    assert_eq!(take(&f.store, &LIMITS, later(2)).await.asked, 1);
}

fn row(line: u64, email: &str, state: State) -> ImportRow {
    let left = matches!(state, State::Unsubscribed | State::Suppressed);
    ImportRow {
        line,
        address: Address::parse(email).unwrap(),
        name: None,
        state,
        reason: (state == State::Suppressed).then_some("cleaned"),
        asked_at: None,
        confirmed_at: Some("2020-05-01T00:00:00Z".parse().unwrap()),
        left_at: left.then(|| "2021-02-01T00:00:00Z".parse().unwrap()),
        proof: r#"{"tool":"test"}"#.into(),
        choice: Choice::default(),
    }
}

async fn try_import(
    store: &SharedStore,
    rows: Vec<Result<ImportRow, StoreError>>,
    dry_run: bool,
) -> Result<ImportTally, StoreError> {
    store.import_subscribers("import:test", Box::new(rows.into_iter()), dry_run, now()).await
}

async fn import(store: &SharedStore, rows: Vec<ImportRow>) -> ImportTally {
    try_import(store, rows.into_iter().map(Ok).collect(), false).await.unwrap()
}

async fn an_opt_out_beats_an_opt_in_in_whatever_order_they_are_imported(f: Fixture) {
    // Far apart, so that they are in different chunks, and near.
    for (name, gap) in [("near", 0), ("far", 4_500)] {
        for (order, states) in [("a", [State::Active, State::Unsubscribed]), ("b", [State::Suppressed, State::Active])]
        {
            let email = format!("{name}{order}@example.org");
            let filler = (0..gap).map(|n| row(n, &format!("{name}{order}{n}@example.org"), State::Active));
            let rows = std::iter::once(row(1, &email, states[0])).chain(filler);
            let tally = import(&f.store, rows.chain([row(9, &email, states[1])]).collect()).await;
            assert_eq!(tally.added, gap + 1, "{email}");
            let expected = states.into_iter().find(|state| *state != State::Active);
            assert_eq!(state(&f.store, &email).await, expected, "{email}");
        }
    }
    let ann = add(&f.store, "here@example.org", State::Active).await;
    f.store.open_edition(&edition(month()), &[], &Audience::everybody()).await.unwrap();
    let tally = import(&f.store, vec![row(1, "here@example.org", State::Suppressed)]).await;
    assert_eq!(tally, ImportTally { left: 1, ..ImportTally::default() });
    let events: Vec<Event> = f.store.history(ann).await.unwrap().iter().map(|step| step.event).collect();
    assert_eq!(events, [Event::Suppressed, Event::Added], "nobody comes twice; they left when the list says");
    let again = import(&f.store, vec![row(1, "here@example.org", State::Suppressed)]).await;
    assert_eq!(again, ImportTally { known: 1, ..ImportTally::default() });
    assert_eq!(f.store.deliveries_to(ann).await.unwrap()[0].state, DeliveryState::Skipped);
    // Who has left here is not brought back; who has complained there is to be left alone for good, and has left once all the same.
    let bo = add(&f.store, "bo@example.org", State::Active).await;
    f.store.move_subscriber(bo, State::Unsubscribed, "one-click", now()).await.unwrap();
    let everything = [(Timestamp::UNIX_EPOCH, later(9))];
    let before = f.store.growth(&everything).await.unwrap();
    let tally = import(&f.store, vec![row(1, "bo@example.org", State::Suppressed)]).await;
    assert_eq!(tally, ImportTally { suppressed: 1, ..ImportTally::default() });
    assert_eq!(state(&f.store, "bo@example.org").await, Some(State::Suppressed));
    assert_eq!(f.store.growth(&everything).await.unwrap(), before);
    add(&f.store, "left@example.org", State::Unsubscribed).await;
    assert_eq!(import(&f.store, vec![row(1, "left@example.org", State::Active)]).await.known, 1);
    assert_eq!(state(&f.store, "left@example.org").await, Some(State::Unsubscribed));
}

async fn the_same_list_does_not_bring_back_an_address_that_was_left_for_another(f: Fixture) {
    let list = || vec![row(1, "ann@example.org", State::Active)];
    import(&f.store, list()).await;
    let ann = id(&f.store, "ann@example.org").await;
    for (email, times) in [("ANN@example.org", [0, 1]), ("ann@new.example", [2, 3])] {
        let to = Address::parse(email).unwrap();
        let [asked, moved] = times.map(|days| later(days * 24 * 60));
        assert_eq!(f.store.ask_to_move(ann, &to, DAY, asked).await.unwrap(), MoveAsked::Mailed);
        assert_eq!(f.store.move_address(ann, &to.key, moved).await.unwrap(), Moved::Now);
    }
    assert_eq!(import(&f.store, list()).await, ImportTally { kept_out: 1, ..ImportTally::default() });
    assert_eq!(import(&f.store, vec![row(1, "ann@new.example", State::Active)]).await.known, 1);
    assert_eq!(f.store.subscribers(None, None, 10).await.unwrap().len(), 1);
}

async fn an_answer_beats_a_question_in_whatever_order_they_are_imported(f: Fixture) {
    for (name, gap) in [("near", 0), ("far", 2_500)] {
        for (order, states) in [("a", [State::Active, State::Pending]), ("b", [State::Pending, State::Active])] {
            let email = format!("{name}{order}@example.org");
            let filler = (0..gap).map(|n| row(n, &format!("{name}{order}{n}@example.org"), State::Active));
            let rows = std::iter::once(row(1, &email, states[0])).chain(filler);
            let tally = import(&f.store, rows.chain([row(9, &email, states[1])]).collect()).await;
            assert_eq!((tally.added, tally.known), (gap + 1, 1), "{email}");
            assert_eq!(state(&f.store, &email).await, Some(State::Active), "{email}");
            let history = f.store.history(id(&f.store, &email).await).await.unwrap();
            assert!(matches!(history.as_slice(), [one] if one.proof.contains("active")), "{history:?}");
        }
    }
    // Who was asked here has not answered here.
    f.store.sign_up(&form("new@example.org", ""), now()).await.unwrap();
    take(&f.store, &LIMITS, now()).await;
    assert_eq!(import(&f.store, vec![row(1, "new@example.org", State::Active)]).await.known, 1);
    assert_eq!(state(&f.store, "new@example.org").await, Some(State::Pending));
}

async fn the_same_list_again_changes_nothing(f: Fixture) {
    let list = || {
        vec![
            row(1, "a@example.org", State::Active),
            row(2, "b@example.org", State::Unsubscribed),
            row(3, "c@example.org", State::Suppressed),
        ]
    };
    assert_eq!(import(&f.store, list()).await.added, 3);
    // One of those who had left has come back by their own word since.
    f.store.sign_up(&form("b@example.org", ""), now()).await.unwrap();
    take(&f.store, &LIMITS, now()).await;
    let b = id(&f.store, "b@example.org").await;
    f.store.confirm(b, now().as_microsecond(), DAY, now()).await.unwrap();
    let before = f.store.subscribers(None, None, 10).await.unwrap();
    let history = f.store.history(b).await.unwrap();
    assert_eq!(import(&f.store, list()).await, ImportTally { known: 3, ..ImportTally::default() });
    assert_eq!(f.store.subscribers(None, None, 10).await.unwrap(), before);
    assert_eq!(f.store.history(b).await.unwrap(), history);
    let a = f.store.subscriber_by_key("a@example.org").await.unwrap().unwrap();
    assert_eq!((a.source.as_str(), a.created_at.to_string().as_str()), ("import:test", "2020-05-01T00:00:00Z"));
}

async fn a_dry_run_writes_nothing_and_a_broken_list_neither(f: Fixture) {
    let rows = |n: u64| (0..n).map(|n| Ok(row(n, &format!("r{n}@example.org"), State::Active)));
    assert_eq!(try_import(&f.store, rows(3_000).collect(), true).await.unwrap().added, 3_000);
    assert_eq!(f.store.subscriber_counts().await.unwrap()["active"], 0);
    let broken = rows(3_000).chain([Err(StoreError::Other("the file ended early".into()))]).collect();
    assert!(try_import(&f.store, broken, false).await.is_err());
    assert_eq!(f.store.subscriber_counts().await.unwrap()["active"], 0);
    assert_eq!(f.store.growth_by_month(&TimeZone::UTC, now()).await.unwrap().len(), 1);
}

async fn history_tells_what_happened_and_how_the_list_grew(f: Fixture) {
    import(&f.store, vec![row(1, "a@example.org", State::Active), row(2, "b@example.org", State::Unsubscribed)]).await;
    let c = add(&f.store, "c@example.org", State::Active).await;
    f.store.move_subscriber(c, State::Unsubscribed, "one-click", later(1)).await.unwrap();
    let growth: BTreeMap<String, (u64, u64)> = f
        .store
        .growth_by_month(&TimeZone::UTC, now())
        .await
        .unwrap()
        .into_iter()
        .map(|(month, growth)| (month.to_string(), (growth.joined, growth.left)))
        .collect();
    assert_eq!(growth.len(), 79, "May 2020 to November 2026");
    for (month, expected) in [("2020-05", (2, 0)), ("2021-02", (0, 1)), ("2026-11", (1, 1)), ("2023-01", (0, 0))] {
        assert_eq!(growth[month], expected, "{month}");
    }
    let dossier = f.store.dossier(c).await.unwrap().unwrap();
    let events: Vec<_> = dossier.history.iter().map(|h| (h.event, h.source.as_str())).collect();
    assert_eq!(events, [(Event::Added, "test"), (Event::Unsubscribed, "one-click")]);
}

async fn each_hook_is_told_of_each_event_once(f: Fixture) {
    let hooks = [
        ("https://a.example".to_owned(), vec!["added".to_owned(), "unsubscribed".to_owned()]),
        ("https://b.example".to_owned(), vec!["unsubscribed".to_owned()]),
    ];
    let ann = add(&f.store, "ann@example.org", State::Active).await;
    f.store.move_subscriber(ann, State::Unsubscribed, "link", later(1)).await.unwrap();
    import(&f.store, vec![row(1, "many@example.org", State::Active)]).await;
    assert_eq!(f.store.queue_calls(&hooks, later(2)).await.unwrap(), 3, "lists that are taken over are no news");
    assert_eq!(f.store.queue_calls(&hooks, later(2)).await.unwrap(), 0);
    let calls = f.store.claim_calls(10, later(2), later(10)).await.unwrap();
    let told: Vec<_> = calls.iter().map(|c| (c.hook.as_str(), c.event.as_str(), c.email.as_deref())).collect();
    let ann_is = Some("ann@example.org");
    assert_eq!(
        told,
        [
            ("https://a.example", "added", ann_is),
            ("https://a.example", "unsubscribed", ann_is),
            ("https://b.example", "unsubscribed", ann_is),
        ]
    );
    assert_eq!(f.store.claim_calls(10, later(3), later(10)).await.unwrap(), [], "somebody is at it");
    f.store.end_call(calls[0].id).await.unwrap();
    f.store.defer_call(calls[1].id, "503", later(5)).await.unwrap();
    let again = f.store.claim_calls(10, later(6), later(20)).await.unwrap();
    assert_eq!(again.iter().map(|c| (c.id, c.attempts)).collect::<Vec<_>>(), [(calls[1].id, 2)]);
    assert_eq!(again[0].event_id, calls[1].event_id);
    // Whoever died with the third leaves it to the next; who is forgotten is nobody's news.
    assert_eq!(f.store.claim_calls(10, later(11), later(30)).await.unwrap().len(), 1);
    f.store.erase_subscriber(ann, later(12)).await.unwrap();
    assert_eq!(f.store.claim_calls(10, later(60), later(70)).await.unwrap(), []);
}

async fn hooks_are_told_by_number_that_somebody_was_erased(f: Fixture) {
    let ann = add(&f.store, "ann@example.org", State::Active).await;
    assert!(f.store.erase_subscriber(ann, later(1)).await.unwrap());
    let hooks = [("https://a.example".to_owned(), vec!["added".to_owned(), "erased".to_owned()])];
    assert_eq!(f.store.queue_calls(&hooks, later(2)).await.unwrap(), 1);
    let call = f.store.claim_calls(10, later(2), later(10)).await.unwrap().remove(0);
    assert_eq!((call.event.as_str(), call.subscriber, call.email), ("erased", Some(ann), None));
    assert_eq!(call.source, "erased");
    f.store.queue_calls(&hooks, later(3)).await.unwrap();
    assert_eq!(f.store.history(ann).await.unwrap().len(), 1, "until it has been told");
    f.store.end_call(call.id).await.unwrap();
    f.store.queue_calls(&hooks, later(4)).await.unwrap();
    assert_eq!(f.store.history(ann).await.unwrap(), []);
}

async fn keys_for_links_are_kept_in_order(f: Fixture) {
    assert_eq!(f.store.token_keys().await.unwrap(), []);
    f.store.add_token_key(later(2), [2; 32]).await.unwrap();
    f.store.add_token_key(later(1), [1; 32]).await.unwrap();
    assert_eq!(f.store.token_keys().await.unwrap(), [(later(1), [1; 32]), (later(2), [2; 32])]);
}
