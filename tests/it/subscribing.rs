//! Joining, choosing and leaving over HTTP, as readers, link scanners, other people's scripts and strangers meet it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use gazetted::clock::{Clock as _, ManualClock};
use gazetted::domain::edition::Notice;
use gazetted::domain::subscriber::{Address, Choice, Frequency, State, Subscriber};
use gazetted::domain::token::{self, Keys, Purpose};
use gazetted::http::{AdminSettings, Asking, KeyRing, State as Served, admin, serve};
use gazetted::render::templates::Templates;
use gazetted::store::{NewSubscriber, SignUpLimits, SignUpTally};
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};
use tokio::net::TcpListener;

use crate::house::*;

const DAY: Date = date(2021, 6, 15);
const LIMITS: SignUpLimits = SignUpLimits {
    mailbox_a_day: 1,
    mailbox_a_month: 3,
    network_an_hour: 1_000_000,
    domain_an_hour: 1_000_000,
    total_an_hour: 1_000_000,
    total_a_day: 1_000_000,
};
const JSON: &str = "Content-Type: application/json";

impl House {
    async fn sign_up(&self, email: &str) -> Answer {
        let body = format!("email={}", url::form_urlencoded::byte_serialize(email.as_bytes()).collect::<String>());
        self.ask("POST", "/subscribe", &[FORM], &body).await
    }

    async fn taken(&self, now: Timestamp) -> SignUpTally {
        self.store.take_sign_ups(&LIMITS, DAY, 10_000, now).await.unwrap()
    }

    async fn add(&self, email: &str, state: State) -> i64 {
        let new = NewSubscriber { email: email.into(), key: email.into(), name: None, state, source: "test".into() };
        self.store.add_subscribers(&[new], true, now()).await.unwrap();
        self.found(email).await.unwrap().id
    }

    async fn found(&self, email: &str) -> Option<Subscriber> {
        self.store.subscriber_by_key(email).await.unwrap()
    }

    /// Notices waiting, by kind and address.
    async fn notices(&self) -> BTreeSet<(String, String)> {
        let rows = self.store.outbox(&[], 1_000).await.unwrap();
        let rows = rows.into_iter().filter(|row| row.key.edition.period().is_none());
        rows.map(|row| (row.key.edition.to_string().split('-').next().unwrap().to_owned(), row.email)).collect()
    }

    fn preferences(id: i64) -> String {
        format!("/preferences/{}", keys().mint(Purpose::Preferences, id, Some(now() + 720.hours())))
    }

    fn confirm(id: i64, asked: Timestamp) -> String {
        let stamp = asked.as_microsecond().cast_unsigned();
        format!("/confirm/{}", keys().mint_bound(Purpose::Confirm, id, now() + 72.hours(), stamp))
    }

    async fn post(&self, path: &str, body: &str) -> Answer {
        self.ask("POST", path, &[FORM], body).await
    }

    /// Sees whenever anybody else has written to the database.
    async fn witness(&self) -> Witness {
        let options = SqliteConnectOptions::new().filename(self.folder.path().join("gazetted.db"));
        let mut witness = Witness(options.connect().await.unwrap(), 0);
        witness.1 = witness.version().await;
        witness
    }
}

struct Witness(SqliteConnection, i64);

impl Witness {
    async fn version(&mut self) -> i64 {
        sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut self.0).await.unwrap()
    }

    async fn saw_nothing(&mut self) -> bool {
        self.version().await == self.1
    }
}

// Joining.

#[tokio::test]
async fn the_way_in_from_the_form_to_the_welcome() {
    let house = House::new().await;
    let page = house.get("/subscribe").await;
    assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
    for field in ["name=\"email\"", "name=\"language\"", "name=\"website\"", "action=\"/subscribe\""] {
        assert!(page.text().contains(field), "{field}");
    }
    assert!(house.get("/").await.text().contains("action=\"/subscribe\""));
    let answer = house.post("/subscribe", "email=Bo%40Example.org&language=de&website=").await;
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("lang=\"de\""), "{}", answer.text());
    assert_eq!(house.taken(now()).await.asked, 1);
    let bo = house.found("bo@example.org").await.unwrap();
    assert_eq!(
        (bo.state, bo.choice.language.as_deref(), bo.email.as_str()),
        (State::Pending, Some("de"), "Bo@Example.org")
    );
    let link = House::confirm(bo.id, now());
    let question = house.get(&link).await;
    assert!(question.status == 200 && question.text().matches("<button").count() == 1, "{}", question.text());
    assert!(question.text().contains("lang=\"de\""));
    assert_eq!(house.found("bo@example.org").await.unwrap().state, State::Pending, "looking changes nothing");
    assert_eq!(house.post(&link, "").await.status, 200);
    assert_eq!(house.found("bo@example.org").await.unwrap().state, State::Active);
    assert_eq!(house.post(&link, "").await.status, 200, "pressed twice");
    let expected = [("confirm", "Bo@Example.org"), ("welcome", "Bo@Example.org")];
    assert_eq!(house.notices().await, expected.map(|(a, b)| (a.to_owned(), b.to_owned())).into());
    let proof: Value = serde_json::from_str(&house.store.history(bo.id).await.unwrap()[0].proof).unwrap();
    assert_eq!(proof, json!({"form": 1, "language": "de", "network": ""}));
}

#[tokio::test]
async fn known_or_not_the_answer_is_the_same() {
    let house = House::new().await;
    for (name, state) in [
        ("pending", State::Pending),
        ("active", State::Active),
        ("left", State::Unsubscribed),
        ("dead", State::Suppressed),
    ] {
        house.add(&format!("{name}@example.org"), state).await;
    }
    let erased = house.add("forgotten@example.org", State::Active).await;
    house.store.erase_subscriber(erased, now()).await.unwrap();
    let expected = house.sign_up("nobody@example.org").await.visible();
    assert_eq!(expected.status, 200);
    for round in 0..170 {
        let new = format!("unknown{round}");
        let names =
            [new.as_str(), "pending", "active", "left", "dead", "forgotten"].map(|n| format!("{n}@example.org"));
        let [first, second] = [&names[..3], &names[3..]].map(async |names| {
            for email in names {
                assert_eq!(house.sign_up(email).await.visible(), expected, "{email}");
            }
        });
        tokio::join!(first, second);
        if round % 40 == 0 {
            house.taken(now()).await;
        }
    }
}

#[tokio::test]
async fn what_is_no_address_is_told_so_and_nothing_is_kept() {
    let house = House::new().await;
    let mut witness = house.witness().await;
    let long = "a".repeat(300);
    for email in [
        "",
        "ann",
        "ann@",
        "@example.org",
        "ann@localhost",
        "ann@example.org\r\nBcc: all@example.org",
        "ann@example.org%0d%0aBcc: x@example.org\n",
        "\"ann smith\"@example.org",
        "ann@[192.0.2.1]",
        "<script>alert(1)</script>@example.org",
        "ann@exa mple.org",
        "änn@example.org",
        "ann@example.org>\r\nRCPT TO:<b@example.org",
        "javascript:alert(1)",
        "ann@example.org,bob@example.org",
        "Ann <ann@example.org>",
        "ann\0@example.org",
        "ann\u{2028}@example.org",
        &format!("{long}@example.org"),
        &format!("ann@{long}.org"),
        "ann@xn--zzzzzzzz.example..org",
    ] {
        let answer = house.sign_up(email).await;
        assert_eq!(answer.status, 422, "{email:?}: {}", answer.text());
        assert!(answer.text().contains("role=\"alert\"") && !answer.text().contains("<script"), "{}", answer.text());
        let json = house.ask("POST", "/subscribe", &[JSON], &json!({"email": email}).to_string()).await;
        assert_eq!((json.status, json.header("content-type")), (422, "application/json"), "{email:?}");
    }
    assert!(witness.saw_nothing().await);
}

#[tokio::test]
async fn what_is_no_form_is_refused_and_nothing_is_kept() {
    let house = House::new().await;
    let mut witness = house.witness().await;
    let big = format!("email={}", "a".repeat(1_000_000));
    for (headers, body, status) in [
        (&["Content-Type: text/xml"][..], "<email>ann@example.org</email>", 415),
        (&["Content-Type: application/octet-stream"], "email=ann@example.org", 415),
        (&[JSON], "{\"email\": ", 400),
        (&[JSON], "[\"ann@example.org\"]", 400),
        (&[JSON], "{\"email\": {\"$ne\": null}}", 400),
        (&["Content-Type: multipart/form-data"], "email=ann@example.org", 400),
        (&[FORM], &big, 413),
        (&[JSON], &big, 413),
        (&[FORM], "e-mail=ann@example.org", 422),
        (&[FORM], "\u{0}\u{1}\u{2}", 422),
        (&[], "nothing", 422),
    ] {
        let answer = house.ask("POST", "/subscribe", headers, body).await;
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.text());
    }
    for method in ["PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"] {
        assert_eq!(house.ask(method, "/subscribe", &[FORM], "email=ann@example.org").await.status, 405, "{method}");
    }
    assert!(witness.saw_nothing().await);
}

#[tokio::test]
async fn programs_fill_in_the_field_people_do_not_see() {
    let house = House::new().await;
    let mut witness = house.witness().await;
    let answer = house.post("/subscribe", "email=bot%40example.org&website=https%3A%2F%2Fspam.example").await;
    assert_eq!(answer.status, 200);
    assert!(witness.saw_nothing().await);
    assert_eq!(answer.visible(), house.sign_up("person@example.org").await.visible());
}

#[tokio::test]
async fn programs_get_json_and_named_origins_may_read_it() {
    let house = House::new().await;
    let own = "Origin: https://blog.example";
    let answer = house.ask("POST", "/subscribe", &[JSON, own], r#"{"email": "ann2@example.org"}"#).await;
    assert_eq!((answer.status, answer.header("content-type")), (202, "application/json"));
    assert_eq!(answer.header("access-control-allow-origin"), "https://blog.example");
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert!(body["message"].as_str().unwrap().contains("mail"), "{body}");
    let accept = "Accept: application/json";
    let answer = house.ask("POST", "/subscribe", &[FORM, accept], "email=ann3%40example.org").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (202, ""));
    for origin in ["https://evil.example", "https://blog.example.evil.example", "null", "http://blog.example"] {
        let header = format!("Origin: {origin}");
        for (method, status) in [("POST", 202), ("OPTIONS", 204)] {
            let answer = house.ask(method, "/subscribe", &[JSON, &header], r#"{"email": "a@example.org"}"#).await;
            assert_eq!((answer.status, answer.header("access-control-allow-origin")), (status, ""), "{origin}");
        }
    }
    let preflight = house.ask("OPTIONS", "/subscribe", &[own, "Access-Control-Request-Method: POST"], "").await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-methods")), (204, "GET, POST"));
    assert_eq!(preflight.header("access-control-allow-origin"), "https://blog.example");
    assert_eq!(preflight.header("access-control-allow-credentials"), "");
}

#[tokio::test]
async fn a_flood_from_one_network_is_slowed_however_it_names_itself() {
    let (house, clock) = House::timed().await;
    let flood = async |n: usize, forwarded: &dyn Fn(usize) -> String| {
        let mut admitted = 0;
        for i in 0..n {
            let header = format!("X-Forwarded-For: {}", forwarded(i));
            let body = format!("email=r{i}%40example.org");
            let answer = house.ask("POST", "/subscribe", &[FORM, &header], &body).await;
            match answer.status {
                200 => admitted += 1,
                429 => assert_eq!(answer.header("retry-after"), "3600"),
                status => panic!("{status}"),
            }
        }
        admitted
    };
    // What stands left of the last proxy's own word was written by whoever sent it.
    assert_eq!(flood(500, &|i| format!("198.51.{}.{}, 203.0.113.{}", i / 250, i % 250, i % 200)).await, 10);
    assert_eq!(flood(20, &|_| "2001:db8:1:2::9".into()).await, 10);
    assert_eq!(flood(20, &|i| format!("2001:db8:1:2::{i:x}")).await, 0, "the same /64");
    assert_eq!(flood(20, &|i| format!("\"[2001:db8:1:2::{i:x}]\"")).await, 0, "in brackets");
    assert_eq!(flood(20, &|i| format!("_hidden{i}")).await, 10, "all that cannot be read are one");
    clock.set(now() + 61.minutes());
    assert_eq!(flood(20, &|_| "203.0.113.7".into()).await, 10);
}

// Looking.

#[tokio::test]
async fn nothing_that_is_looked_at_changes_anything() {
    let house = House::new().await;
    house.sign_up("bo@example.org").await;
    house.taken(now()).await;
    let bo = house.found("bo@example.org").await.unwrap();
    house.store.ask_to_move(house.reader, &Address::parse("new@example.org").unwrap(), DAY, now()).await.unwrap();
    let old = keys().mint(Purpose::Preferences, house.reader, Some(now() - 1.hour()));
    let moves = keys().mint_bound(Purpose::Move, house.reader, now() + 72.hours(), token::stamp_of("new@example.org"));
    let paths = [
        "/".to_owned(),
        "/subscribe".into(),
        "/subscribe?email=x%40example.org".into(),
        House::confirm(bo.id, now()),
        format!("/confirm/{moves}"),
        house.way_out(),
        House::preferences(house.reader),
        format!("{}?act=erase&sure=yes", House::preferences(house.reader)),
        format!("/preferences/{old}"),
        "/editions/".into(),
        "/editions/2021-05".into(),
        "/goal".into(),
        "/livez".into(),
        "/readyz".into(),
        "/feed.xml".into(),
        "/nothing".into(),
    ];
    let mut witness = house.witness().await;
    for path in &paths {
        for method in ["GET", "HEAD", "OPTIONS", "GET"] {
            for _ in 0..15 {
                let answer = house.ask(method, path, &[FORM], "act=erase&sure=yes&List-Unsubscribe=One-Click").await;
                assert!(answer.status < 500, "{method} {path}: {}", answer.status);
            }
        }
    }
    assert!(witness.saw_nothing().await, "a look has changed something");
}

#[tokio::test]
async fn every_answer_keeps_to_itself() {
    let house = House::new().await;
    house.sign_up("bo@example.org").await;
    house.taken(now()).await;
    let bo = house.found("bo@example.org").await.unwrap();
    for (method, path, body, status) in [
        ("GET", "/subscribe".to_owned(), "", 200),
        ("POST", "/subscribe".into(), "email=x", 422),
        ("POST", "/subscribe".into(), "email=x%40example.org", 200),
        ("GET", House::confirm(bo.id, now()), "", 200),
        ("POST", House::confirm(bo.id, now()), "", 200),
        ("GET", "/confirm/x".into(), "", 404),
        ("GET", House::preferences(bo.id), "", 200),
        ("POST", House::preferences(bo.id), "act=save&frequency=monthly", 200),
        ("POST", House::preferences(bo.id), "act=address&email=x", 422),
        ("POST", House::preferences(bo.id), "act=nonsense", 400),
        ("GET", "/preferences/x".into(), "", 404),
    ] {
        let answer = house.ask(method, &path, &[FORM], body).await;
        assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.text());
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self'") && policy.contains("form-action 'self'"));
        for (name, value) in [
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("strict-transport-security", "max-age=31536000"),
            ("cross-origin-opener-policy", "same-origin"),
            ("set-cookie", ""),
            ("server", ""),
            ("location", ""),
        ] {
            assert_eq!(answer.header(name), value, "{method} {path} {name}");
        }
        assert!(!answer.text().contains("<script") && !answer.text().contains("style="), "{path}");
        let whole = format!("{}{:?}", answer.text(), answer.headers);
        assert!(!whole.contains("bo@example.org"), "{path} tells the address");
    }
}

// Links.

#[tokio::test]
async fn a_link_is_good_for_what_it_was_made_for_and_as_long_as_it_says() {
    let (house, clock) = House::timed().await;
    house.sign_up("bo@example.org").await;
    house.taken(now()).await;
    let bo = house.found("bo@example.org").await.unwrap();
    let (asked, ask) = (now().as_microsecond().cast_unsigned(), now() + 72.hours());
    let good = keys().mint_bound(Purpose::Confirm, bo.id, ask, asked);
    let mut bad: Vec<String> = vec![
        keys().mint(Purpose::Confirm, bo.id, Some(ask)),
        keys().mint_bound(Purpose::Confirm, bo.id, ask, asked + 1),
        keys().mint_bound(Purpose::Confirm, bo.id + 1, ask, asked),
        keys().mint_bound(Purpose::Move, bo.id, ask, asked),
        keys().mint_bound(Purpose::Unsubscribe, bo.id, ask, asked),
        keys().mint_bound(Purpose::Confirm, bo.id, now() - 1.hour(), asked),
        Keys::new(&[8; 32], &[]).mint_bound(Purpose::Confirm, bo.id, ask, asked),
        good[..good.len() - 1].to_owned(),
        format!("{good}A"),
    ];
    bad.extend((0..good.len()).map(|at| {
        let mut flipped = good.clone();
        let other = if &good[at..=at] == "A" { "B" } else { "A" };
        flipped.replace_range(at..=at, other);
        flipped
    }));
    for token in bad.iter().filter(|token| **token != good) {
        let path = format!("/confirm/{token}");
        assert_eq!(house.post(&path, "").await.status, 404, "{token}");
    }
    assert_eq!(house.found("bo@example.org").await.unwrap().state, State::Pending);
    clock.set(now() + 71.hours());
    assert_eq!(house.get(&format!("/confirm/{good}")).await.status, 200);
    clock.set(now() + 73.hours());
    for answer in [house.get(&format!("/confirm/{good}")).await, house.post(&format!("/confirm/{good}"), "").await] {
        assert_eq!(answer.status, 404);
    }
    // An old link to the preferences has a new one mailed to the address it belongs to, and does no more.
    let ann = House::preferences(house.reader);
    clock.set(now() + 31.days_of_hours());
    let old = house.get(&ann).await;
    assert!(old.status == 200 && !old.text().contains("name=\"act\""), "{}", old.text());
    assert_eq!(house.post(&ann, "act=erase&sure=yes").await.status, 200);
    assert!(house.found("ann@example.org").await.is_some());
    assert!(house.notices().await.contains(&("link".to_owned(), "ann@example.org".to_owned())));
    // The way out has no end.
    clock.set(now() + 2_000.days_of_hours());
    assert_eq!(house.one_click(&house.way_out()).await.status, 200);
    assert_eq!(house.found("ann@example.org").await.unwrap().state, State::Unsubscribed);
}

trait Days {
    fn days_of_hours(self) -> jiff::Span;
}

impl Days for i64 {
    fn days_of_hours(self) -> jiff::Span {
        (self * 24).hours()
    }
}

#[tokio::test]
async fn links_of_an_older_key_work_after_the_key_was_changed() {
    let house = House::new().await;
    let (old, way_out) = (House::preferences(house.reader), house.way_out());
    house.keys.set(Keys::dated(&[7; 32], &[(now(), [9; 32])]));
    let new = Keys::new(&[9; 32], &[]).mint(Purpose::Preferences, house.reader, Some(now() + 1.hour()));
    for path in [old, format!("/preferences/{new}")] {
        assert_eq!(house.get(&path).await.status, 200, "{path}");
    }
    assert_eq!(house.one_click(&way_out).await.status, 200);
    assert_eq!(house.found("ann@example.org").await.unwrap().state, State::Unsubscribed);
}

// Choosing.

#[tokio::test]
async fn a_reader_chooses_how_often_what_and_in_which_language() {
    let house = House::new().await;
    let page = House::preferences(house.reader);
    let shown = house.get(&page).await;
    for there in
        ["a…@e….org", "value=\"monthly\" checked", "value=\"rust\"", "value=\"Ann\"", "value=\"2021-07\"", "Deutsch"]
    {
        assert!(shown.text().contains(there), "{there} is missing in {}", shown.text());
    }
    let body = "act=save&frequency=quarterly&tag=rust&tag=nonsense&author=Ann&pause=2021-09&language=de";
    let saved = house.post(&page, body).await;
    assert!(saved.status == 200 && saved.text().contains("lang=\"de\""), "{}", saved.text());
    let expected = Choice {
        frequency: Frequency::Quarterly,
        language: Some("de".into()),
        tags: vec!["rust".into()],
        authors: vec!["Ann".into()],
        paused_until: Some("2021-09-01T00:00:00Z".parse().unwrap()),
    };
    assert_eq!(house.found("ann@example.org").await.unwrap().choice, expected);
    let shown = house.get(&page).await;
    assert!(shown.text().contains("lang=\"de\"") && shown.text().contains("value=\"rust\" checked"));
    let body = "act=save&frequency=monthly&language=en";
    assert_eq!(house.post(&page, body).await.status, 200);
    assert_eq!(house.found("ann@example.org").await.unwrap().choice, Choice::default());
    for bad in [
        "act=save",
        "act=save&frequency=hourly",
        "act=save&frequency=monthly&language=tlh",
        "act=save&frequency=monthly&pause=1999-01",
        "act=save&frequency=monthly&pause=2023-01",
        "act=erase",
        "act=erase&sure=no",
        "act=",
        "",
    ] {
        assert_eq!(house.post(&page, bad).await.status, 400, "{bad}");
    }
    assert_eq!(house.found("ann@example.org").await.unwrap().choice, Choice::default());
}

#[tokio::test]
async fn an_address_is_changed_by_whoever_reads_mail_there() {
    let house = House::new().await;
    let page = House::preferences(house.reader);
    assert_eq!(house.post(&page, "act=address&email=nonsense").await.status, 422);
    assert_eq!(house.post(&page, "act=address&email=New%40Example.net").await.status, 200);
    assert_eq!(house.notices().await, [("move".to_owned(), "New@Example.net".to_owned())].into());
    let stamp = token::stamp_of("New@Example.net");
    let link =
        |stamp| format!("/confirm/{}", keys().mint_bound(Purpose::Move, house.reader, now() + 72.hours(), stamp));
    assert_eq!(house.post(&link(stamp + 1), "").await.status, 404);
    assert_eq!(house.get(&link(stamp)).await.status, 200);
    assert!(house.found("ann@example.org").await.is_some());
    assert_eq!(house.post(&link(stamp), "").await.status, 200);
    assert_eq!(house.found("new@example.net").await.unwrap().id, house.reader);
    assert_eq!(house.found("ann@example.org").await, None);
    assert_eq!(house.post(&link(stamp), "").await.status, 200, "pressed twice");
    assert_eq!(house.get(&page).await.status, 200, "the links in old mail are the same person's");
}

#[tokio::test]
async fn an_address_that_gets_the_digest_already_is_told_so_and_too_many_are_refused() {
    let house = House::new().await;
    let page = House::preferences(house.reader);
    house.add("bo@example.org", State::Active).await;
    assert_eq!(house.post(&page, "act=address&email=bo%40example.org").await.status, 200);
    let stamp = token::stamp_of("bo@example.org");
    let link = format!("/confirm/{}", keys().mint_bound(Purpose::Move, house.reader, now() + 72.hours(), stamp));
    let answer = house.post(&link, "").await;
    assert!(answer.status == 200 && answer.text().contains("gets the digest already"), "{}", answer.text());
    assert_eq!(house.found("ann@example.org").await.unwrap().id, house.reader);
    let asked = async |n: usize| house.post(&page, &format!("act=address&email=a{n}%40example.net")).await.status;
    assert_eq!([asked(1).await, asked(2).await, asked(3).await], [200, 200, 429]);
}

#[tokio::test]
async fn a_reader_gets_their_data_leaves_and_is_forgotten() {
    let house = House::new().await;
    let page = House::preferences(house.reader);
    for _ in 0..3 {
        assert_eq!(house.post(&page, "act=data").await.status, 200);
    }
    assert_eq!(house.notices().await, [("data".to_owned(), "ann@example.org".to_owned())].into());
    assert_eq!(house.post(&page, "act=leave").await.status, 200);
    assert_eq!(house.found("ann@example.org").await.unwrap().state, State::Unsubscribed);
    let history = house.store.history(house.reader).await.unwrap();
    assert_eq!(history.last().unwrap().source, "preferences");
    assert_eq!(house.post(&page, "act=erase&sure=yes").await.status, 200);
    assert_eq!(house.found("ann@example.org").await, None);
    for path in [page, house.way_out()] {
        let answer = house.get(&path).await;
        assert!([200, 404].contains(&answer.status), "{}", answer.status);
    }
    assert_eq!(house.one_click(&house.way_out()).await.status, 200, "again, as RFC 8058 asks");
}

#[tokio::test]
async fn another_reader_s_link_opens_nobody_else_s_page() {
    let house = House::new().await;
    let bo = house.add("bo@example.org", State::Active).await;
    for body in ["act=leave", "act=erase&sure=yes", "act=save&frequency=post", "id=1&act=leave&subscriber=1"] {
        house.post(&House::preferences(bo), body).await;
    }
    let ann = house.found("ann@example.org").await.unwrap();
    assert_eq!((ann.state, ann.choice), (State::Active, Choice::default()));
}

// The operator's API.

struct Api {
    house: House,
    address: SocketAddr,
}

const TOKEN: &str = "a-token-nobody-guesses";

impl Api {
    async fn new() -> Self {
        let house = House::new().await;
        let state = Served {
            shared: house.shared.clone(),
            store: Arc::clone(&house.store),
            clock: ManualClock::at(now()),
            templates: gazetted::http::Wording::new(Arc::new(
                Templates::new(&std::collections::BTreeMap::new()).unwrap(),
            )),
            keys: KeyRing::new(keys()),
            limiter: Arc::default(),
            wake: Arc::default(),
            https: false,
        };
        let settings = AdminSettings {
            token: TOKEN.into(),
            password: "".into(),
            url: "http://127.0.0.1".into(),
            asking: Asking::new().0,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, admin(state, settings), house.stop.clone()));
        Self { house, address }
    }

    async fn call(&self, method: &str, path: &str, headers: &[&str], body: &str) -> (u16, Value) {
        let bearer = format!("Authorization: Bearer {TOKEN}");
        let headers: Vec<&str> = headers.iter().copied().chain([bearer.as_str()]).collect();
        let answer = House::ask_at(self.address, method, path, &headers, body).await;
        let body = if answer.body.is_empty() { Value::Null } else { serde_json::from_slice(&answer.body).unwrap() };
        (answer.status, body)
    }
}

#[tokio::test]
async fn the_api_answers_to_whoever_knows_the_token_and_to_nobody_else() {
    let api = Api::new().await;
    for (method, path) in [
        ("GET", "/api/subscribers"),
        ("POST", "/api/subscribers"),
        ("GET", "/api/subscribers/1"),
        ("DELETE", "/api/subscribers/1"),
        ("GET", "/api/stats"),
        ("POST", "/api/subscribers/1/unsubscribe"),
        ("POST", "/api/import"),
    ] {
        for header in [
            "X-Nothing: 1".to_owned(),
            "Authorization: Bearer".into(),
            "Authorization: Bearer ".into(),
            format!("Authorization: Basic {TOKEN}"),
            format!("Authorization: Bearer {}", &TOKEN[1..]),
            format!("Authorization: Bearer {TOKEN}x"),
            format!("Cookie: token={TOKEN}"),
        ] {
            let answer = House::ask_at(api.address, method, path, &[&header], "").await;
            assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer"), "{path} {header}");
        }
        let answer = api.house.ask("GET", path, &[&format!("Authorization: Bearer {TOKEN}")], "").await;
        assert_eq!(answer.status, 404, "readers' listener knows no API");
    }
    assert_eq!(House::ask_at(api.address, "GET", "/api/openapi.json", &[], "").await.status, 200);
}

#[tokio::test]
async fn the_api_adds_shows_imports_and_forgets() {
    let api = Api::new().await;
    let (status, added) = api
        .call(
            "POST",
            "/api/subscribers",
            &[JSON],
            r#"{"email": "Bo@example.org", "name": "B\u202eo", "confirmed": true}"#,
        )
        .await;
    assert_eq!((status, added["state"].as_str(), added["name"].as_str()), (201, Some("active"), Some("Bo")));
    let bo = format!("/api/subscribers/{}", added["id"]);
    let (status, _) =
        api.call("POST", "/api/subscribers", &[JSON], r#"{"email": "bo@example.org", "confirmed": true}"#).await;
    assert_eq!(status, 409);
    let new = r#"{"email": "new@example.org", "name": "New"}"#;
    let (status, said) = api.call("POST", "/api/subscribers", &[JSON], new).await;
    assert!(status == 202 && said["message"].as_str().unwrap().contains("`name` is only kept"), "{said}");
    assert_eq!(api.house.taken(now()).await.asked, 1);
    let (_, page) = api.call("GET", "/api/subscribers?limit=2", &[], "").await;
    assert_eq!((page["subscribers"].as_array().unwrap().len(), page["next"].as_str()), (2, Some("bo@example.org")));
    let (_, page) = api.call("GET", "/api/subscribers?limit=2&after=bo%40example.org", &[], "").await;
    assert_eq!((page["subscribers"][0]["email"].as_str(), page["next"].as_str()), (Some("new@example.org"), None));
    let (_, dossier) = api.call("GET", &bo, &[], "").await;
    assert_eq!(dossier["history"][0]["event"], "added");
    let (status, left) = api.call("POST", &format!("{bo}/unsubscribe"), &[], "").await;
    assert_eq!((status, left["state"].as_str()), (200, Some("unsubscribed")));
    let csv = "email,name\nx@example.org,X\nbo@example.org,Bo\n";
    let (status, dry) = api.call("POST", "/api/import?dry_run=true", &["Content-Type: text/csv"], csv).await;
    assert_eq!((status, dry["tally"]["added"].as_u64()), (200, Some(1)));
    assert!(api.house.found("x@example.org").await.is_none());
    let (status, facts) = api.call("POST", "/api/import", &["Content-Type: text/csv"], csv).await;
    assert_eq!((status, facts["tally"]["added"].as_u64(), facts["tally"]["known"].as_u64()), (200, Some(1), Some(1)));
    let (status, facts) = api.call("POST", "/api/import", &["Content-Type: text/csv"], "email\nnobody\n").await;
    assert_eq!((status, facts["problems"][0]["line"].as_u64()), (422, Some(2)));
    let (_, stats) = api.call("GET", "/api/stats", &[], "").await;
    assert_eq!((stats["counts"]["active"].as_u64(), stats["months"].as_array().unwrap().len()), (Some(2), 1));
    assert_eq!(api.call("DELETE", &bo, &[], "").await.0, 204);
    assert_eq!(api.call("DELETE", &bo, &[], "").await.0, 404);
    assert_eq!(api.call("GET", &bo, &[], "").await.0, 404);
}

#[tokio::test]
async fn a_notice_of_a_kind_goes_out_once_a_day() {
    let house = House::new().await;
    let clock = ManualClock::at(now());
    assert!(house.store.notify(house.reader, Notice::Link, DAY, clock.now()).await.unwrap());
    assert!(!house.store.notify(house.reader, Notice::Link, DAY, clock.now()).await.unwrap());
    assert!(house.store.notify(house.reader, Notice::Link, DAY.tomorrow().unwrap(), clock.now()).await.unwrap());
}
