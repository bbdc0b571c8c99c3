//! The outbox against servers that do not behave.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gazetted::clock::{Clock as _, ManualClock};
use gazetted::config::{OnDoubt, Smtp, Span, Tls};
use gazetted::domain::bounce_class::Class;
use gazetted::domain::delivery::State as DeliveryState;
use gazetted::domain::edition::{Edition, EditionKey, Notice, State as EditionState, Variant};
use gazetted::domain::pace::Limits;
use gazetted::domain::period::Period;
use gazetted::domain::subscriber::State as SubscriberState;
use gazetted::domain::token::Keys;
use gazetted::mail::composer::{Compose, Composer, NoticeJob, Press};
use gazetted::mail::outbox::{Halt, Outbox, Settings, Tally, Way};
use gazetted::mail::transport::Transport;
use gazetted::render::digest::{Content, Heading};
use gazetted::render::message::{Message, MessageError, Recipient, Sender};
use gazetted::render::templates::Templates;
use gazetted::store::{Audience, Canary, NewSubscriber, SharedStore, open};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use tokio_util::sync::CancellationToken;

use crate::postgres::{everything_is_wanted, left_out, path};
use crate::smtp_server::{Act, Server, Step, fixture};

const BODY: &str = "Subject: Notes\r\n\r\n.a line with a dot\r\n..\r\n.\r\n\r\nlast line without its end";

/// A message with every trap for dots; a name of `panic` breaks it.
struct TestComposer;

struct TestPress(EditionKey);

impl Press for TestPress {
    fn message(&self, to: Recipient<'_>) -> Result<Message, MessageError> {
        assert!(to.name != Some("panic"), "a template broke");
        let message_id = format!("<{}.{}@example.org>", self.0, to.subscriber);
        let bytes = format!("Message-ID: {message_id}\r\n{BODY}").into_bytes();
        let return_path = "bounces@example.org".into();
        Ok(Message { message_id, return_path, recipient: to.email.into(), bytes })
    }
}

impl Compose for TestComposer {
    fn press(&self, edition: &Edition, _: &Variant) -> Result<Arc<dyn Press>, MessageError> {
        Ok(Arc::new(TestPress(edition.key)))
    }

    fn notice(&self, job: &NoticeJob, to: Recipient<'_>) -> Result<Message, MessageError> {
        let message_id = format!("<{}.{}@example.org>", job.key(), to.subscriber);
        let bytes = format!("Message-ID: {message_id}\r\n{BODY}").into_bytes();
        Ok(Message { message_id, return_path: "bounces@example.org".into(), recipient: to.email.into(), bytes })
    }
}

/// A store with an edition for `readers`, and a clock that stands still.
pub struct House {
    pub store: SharedStore,
    pub clock: Arc<ManualClock>,
    folder: tempfile::TempDir,
}

pub fn start() -> Timestamp {
    "2026-11-01T09:00:00Z".parse().unwrap()
}

pub fn october() -> Period {
    Period::parse("2026-10").unwrap()
}

pub fn address(n: usize) -> String {
    format!("reader{n:03}@example.org")
}

pub fn addresses(n: usize) -> Vec<String> {
    (0..n).map(address).collect()
}

impl House {
    pub async fn with(readers: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("gazetted.db").display());
        Self { folder, ..Self::on(&url, readers).await }
    }

    pub async fn on(url: &str, readers: usize) -> Self {
        let store = open(url, start()).await.unwrap();
        Self::fill(&store, readers).await;
        Self { store, clock: ManualClock::at(start()), folder: tempfile::tempdir().unwrap() }
    }

    /// An edition for three readers.
    pub async fn edition(store: &SharedStore) {
        Self::fill(store, 3).await;
    }

    async fn fill(store: &SharedStore, readers: usize) {
        let reader = |email: String| NewSubscriber {
            key: email.clone(),
            email,
            name: None,
            state: SubscriberState::Active,
            source: "test".into(),
        };
        let readers: Vec<_> = addresses(readers).into_iter().map(reader).collect();
        store.add_subscribers(&readers, false, start()).await.unwrap();
        let edition = Edition {
            key: october().into(),
            state: EditionState::Open,
            subject: "Notes".into(),
            text: String::new(),
            html: String::new(),
            content: serde_json::Value::Null,
            posts: 1,
            opened_at: start(),
            finished_at: None,
            reason: None,
        };
        store.open_edition(&edition, &[], &Audience::everybody()).await.unwrap();
    }

    pub fn outbox(&self, transport: Transport, on_doubt: OnDoubt) -> Arc<Outbox> {
        self.node("test", transport, on_doubt)
    }

    pub fn node(&self, node: &str, transport: Transport, on_doubt: OnDoubt) -> Arc<Outbox> {
        self.composing(Arc::new(TestComposer), node, transport, on_doubt)
    }

    fn composing(
        &self,
        composer: Arc<dyn Compose>,
        node: &str,
        transport: Transport,
        on_doubt: OnDoubt,
    ) -> Arc<Outbox> {
        let settings = Settings {
            node: node.into(),
            retry_for: Duration::from_hours(120),
            on_doubt,
            tick: Duration::from_millis(20),
        };
        Outbox::new(Arc::clone(&self.store), self.clock.clone(), composer, vec![way(transport, 1, 3)], settings)
    }

    fn over(&self, ways: Vec<Way>) -> Arc<Outbox> {
        let settings = Settings {
            node: "test".into(),
            retry_for: Duration::from_hours(120),
            on_doubt: OnDoubt::Resend,
            tick: Duration::from_millis(20),
        };
        let (store, clock) = (Arc::clone(&self.store), self.clock.clone());
        Outbox::new(store, clock, Arc::new(TestComposer), ways, settings)
    }

    /// One round over several ways, now.
    pub async fn send_over(&self, ways: Vec<Way>) -> Tally {
        self.over(ways).run_until_empty(&CancellationToken::new()).await.unwrap()
    }

    /// One round, now.
    pub async fn send(&self, server: &Server) -> Tally {
        self.send_by(&plain(server), OnDoubt::Resend).await
    }

    pub async fn send_by(&self, smtp: &Smtp, on_doubt: OnDoubt) -> Tally {
        let outbox = self.outbox(Transport::smtp(smtp, "example.org").unwrap(), on_doubt);
        outbox.run_until_empty(&CancellationToken::new()).await.unwrap()
    }

    /// Rounds, hours apart, until nothing waits.
    pub async fn send_all(&self, server: &Server, on_doubt: OnDoubt) {
        for hours in 0..100 {
            self.clock.set(start() + (5 * hours).hours());
            self.send_by(&plain(server), on_doubt).await;
            if self.store.outbox_counts().await.unwrap().waiting() == 0 {
                return;
            }
        }
        panic!("something waits for ever: {:?}", self.counts().await);
    }

    pub async fn counts(&self) -> Vec<(&'static str, u64)> {
        let counts = self.store.outbox_counts().await.unwrap();
        counts.0.into_iter().filter(|(_, n)| *n > 0).map(|(state, n)| (state.as_str(), n)).collect()
    }
}

pub fn way(transport: Transport, weight: u32, connections: u32) -> Way {
    Way { transport, weight, limits: Limits { connections, a_minute: None, a_connection: None } }
}

pub fn plain(server: &Server) -> Smtp {
    Smtp {
        host: "127.0.0.1".into(),
        port: server.address.port(),
        tls: Tls::None,
        timeout: Span::seconds(5),
        data_timeout: Span::seconds(5),
        ..Smtp::default()
    }
}

fn with_tls(server: &Server, tls: Tls) -> Smtp {
    Smtp {
        host: "localhost".into(),
        tls,
        user: "gazetted".into(),
        password: "s3cret-marker".to_owned().into(),
        ca_file: fixture("authority.pem"),
        ..plain(server)
    }
}

pub fn about(step: &Step, n: usize) -> bool {
    step.recipient == address(n)
}

#[tokio::test]
async fn everybody_gets_the_edition_once() {
    let house = House::with(60).await;
    let server = Server::start(|_| Act::Usual).await;
    let tally = house.send(&server).await;
    assert_eq!((tally.accepted, tally.halt.is_none()), (60, true));
    assert_eq!(server.accepted(), addresses(60));
    assert_eq!(house.counts().await, [("accepted", 60)]);
    assert!(server.count("CONNECT") <= 3, "connections are kept");
    assert_eq!(server.count("QUIT"), server.count("CONNECT"));
    assert_eq!(house.store.edition(october().into()).await.unwrap().unwrap().state, EditionState::Finished);
}

#[tokio::test]
async fn a_message_arrives_byte_for_byte() {
    let house = House::with(1).await;
    let server = Server::start(|_| Act::Usual).await;
    house.send(&server).await;
    let arrived = server.arrived().remove(0);
    let text = String::from_utf8(arrived.bytes).unwrap();
    assert_eq!(text.split_once("\r\n").unwrap().1, format!("{BODY}\r\n"));
    assert!(server.lines().iter().any(|line| line.starts_with("MAIL FROM:<bounces@example.org> SIZE=")));
}

#[tokio::test]
async fn a_real_digest_arrives_as_it_was_composed() {
    let house = House::with(2).await;
    let sender = Sender {
        from: "Notes <notes@blog.example>".into(),
        reply_to: None,
        title: "Notes".into(),
        site_url: "https://blog.example".into(),
        public_url: "https://news.example".into(),
        language: "en".into(),
        key: [7; 32],
        keys: Keys::new(&[7; 32], &[]),
        dkim: Vec::new(),
        bounce_address: Some("bounces@blog.example".into()),
        list_id: None,
    };
    let edition = house.store.edition(october().into()).await.unwrap().unwrap();
    let reader = house.store.subscriber_by_key(&address(1)).await.unwrap().unwrap();
    let to = Recipient { subscriber: reader.id, email: &reader.email, name: None };
    let composer = Composer {
        sender,
        templates: Arc::new(Templates::new(&BTreeMap::new()).unwrap()),
        zone: TimeZone::UTC,
        blank: Content::of(Heading::Post),
    };
    let message = composer.press(&edition, &Variant::default()).unwrap().message(to).unwrap();
    let server = Server::start(|_| Act::Usual).await;
    let transport = Transport::smtp(&plain(&server), "blog.example").unwrap();
    let outbox = house.composing(Arc::new(composer), "test", transport, OnDoubt::Resend);
    let tally = outbox.run_until_empty(&CancellationToken::new()).await.unwrap();
    assert_eq!(tally.accepted, 2, "{tally:?} {:?}", house.store.outbox(&[], 10).await.unwrap());
    let arrived = server.arrived().into_iter().find(|arrived| arrived.recipient == address(1)).unwrap();
    assert!(arrived.bytes.starts_with(&message.bytes), "not the bytes that were composed");
    let envelope = format!("MAIL FROM:<{}>", message.return_path);
    assert!(server.lines().iter().any(|line| line.starts_with(&envelope)), "{:?}", server.lines());
}

#[tokio::test]
async fn a_failed_delivery_is_retried_and_sent_once() {
    let house = House::with(5).await;
    let first = |step: &Step| step.verb == "RCPT" && about(step, 2) && step.before < 5;
    let server =
        Server::start(move |step| if first(step) { Act::Say("450 4.2.0 greylisted\r\n") } else { Act::Usual }).await;
    let tally = house.send(&server).await;
    assert_eq!((tally.accepted, tally.deferred), (4, 1));
    house.clock.set(start() + 10.minutes());
    assert_eq!(house.send(&server).await.attempts(), 0, "too early");
    house.clock.set(start() + 20.minutes());
    assert_eq!(house.send(&server).await.accepted, 1);
    assert_eq!(server.accepted(), addresses(5));
}

#[tokio::test]
async fn a_delivery_is_given_up_in_the_end() {
    let house = House::with(1).await;
    let server =
        Server::start(|step| if step.verb == "RCPT" { Act::Say("450 4.2.0 no\r\n") } else { Act::Usual }).await;
    house.send_all(&server, OnDoubt::Resend).await;
    let rows = house.store.outbox(&[DeliveryState::Failed], 10).await.unwrap();
    assert!(rows[0].reply.as_deref().unwrap().contains("given up after"), "{rows:?}");
    assert_eq!(bounces(&house, 0).await, [(Class::Policy, "450 4.2.0 no".to_owned())]);
    assert_eq!(server.arrived(), []);
}

/// `retry_for` counts from the first attempt: an edition may have waited for its editors, or for a relay.
#[tokio::test]
async fn an_edition_that_has_waited_for_longer_than_it_is_tried_is_tried_all_the_same() {
    let house = House::with(1).await;
    house.clock.set(start() + (24 * 6).hours());
    let server = Server::start(|step| {
        let first = step.verb == "RCPT" && step.before == 0;
        if first { Act::Say("450 4.2.0 greylisted\r\n") } else { Act::Usual }
    })
    .await;
    assert_eq!(house.send(&server).await.deferred, 1);
    house.clock.set(start() + (24 * 6 + 1).hours());
    assert_eq!(house.send(&server).await.accepted, 1);
}

#[tokio::test]
async fn a_message_that_upsets_the_server_is_put_off_and_given_up_in_the_end_and_keeps_nobody_waiting() {
    for answer in [Act::Say("421 4.3.0 content filter died\r\n"), Act::Half(7)] {
        let house = House::with(10).await;
        let say = match answer {
            Act::Say(words) => words,
            _ => "",
        };
        let server = Server::start(move |step| match (step.verb.as_str(), about(step, 7)) {
            ("DOT", true) if !say.is_empty() => Act::Say(say),
            ("DATA", true) if say.is_empty() => Act::Cut,
            _ => Act::Usual,
        })
        .await;
        let outbox = house.outbox(Transport::smtp(&plain(&server), "example.org").unwrap(), OnDoubt::Resend);
        for minutes in [0, 1, 3, 7, 15, 30] {
            house.clock.set(start() + minutes.minutes());
            outbox.run_until_empty(&CancellationToken::new()).await.unwrap();
        }
        assert_eq!(house.counts().await, [("accepted", 9), ("deferred", 1)]);
        for hours in 1..200 {
            house.clock.set(start() + hours.hours());
            outbox.run_until_empty(&CancellationToken::new()).await.unwrap();
        }
        assert_eq!(house.counts().await, [("accepted", 9), ("failed", 1)]);
        let rows = house.store.outbox(&[DeliveryState::Failed], 10).await.unwrap();
        assert!(rows[0].reply.as_deref().unwrap().contains("given up after"), "{rows:?}");
    }
}

/// The clock was twenty hours ahead when the relay failed, and was put right.
#[tokio::test]
async fn a_clock_that_was_ahead_keeps_nobody_waiting() {
    let house = House::with(3).await;
    let server = Server::start(|step| match (step.verb.as_str(), step.before) {
        ("RCPT", 0) => Act::Say("450 4.2.0 greylisted\r\n"),
        ("MAIL", 1) => Act::Say("451 4.3.0 not now\r\n"),
        _ => Act::Usual,
    })
    .await;
    let transport = Transport::smtp(&plain(&server), "example.org").unwrap();
    let over = Way { limits: Limits { connections: 1, a_minute: None, a_connection: None }, ..way(transport, 1, 1) };
    let outbox = house.over(vec![over]);
    house.clock.set(start() + 20.hours());
    let tally = outbox.run_until_empty(&CancellationToken::new()).await.unwrap();
    assert_eq!((tally.accepted, tally.deferred, tally.halt.is_some()), (0, 1, true), "{tally:?}");
    house.clock.set(start() + 1.minute());
    outbox.run_until_empty(&CancellationToken::new()).await.unwrap();
    house.clock.set(start() + 22.minutes());
    outbox.run_until_empty(&CancellationToken::new()).await.unwrap();
    assert_eq!(house.counts().await, [("accepted", 3)]);
}

/// Another edition keeps the round alive meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_edition_that_is_resumed_goes_on_in_the_same_round() {
    let house = House::with(40).await;
    let november: EditionKey = Period::parse("2026-11").unwrap().into();
    let october = house.store.edition(october().into()).await.unwrap().unwrap();
    let later = Edition { key: november, opened_at: start() + 1.second(), ..october.clone() };
    house.store.open_edition(&later, &[], &Audience::everybody()).await.unwrap();
    house.clock.set(start() + 1.minute());
    let (store, runtime) = (Arc::clone(&house.store), tokio::runtime::Handle::current());
    let server = Server::start(move |step| {
        if step.verb != "DOT" {
            return Act::Usual;
        }
        if step.before == 25 {
            let from = [EditionState::Paused];
            let resumed = store.move_edition(october.key, &from, EditionState::Open, start() + 1.minute());
            assert!(tokio::task::block_in_place(|| runtime.block_on(resumed)).unwrap(), "it was not paused");
        }
        if step.before < 3 { Act::Say("554 5.7.1 spam\r\n") } else { Act::Usual }
    })
    .await;
    let sending = house.send_over(vec![way(Transport::smtp(&plain(&server), "example.org").unwrap(), 1, 1)]);
    let tally = tokio::time::timeout(Duration::from_secs(20), sending).await.expect("it never ends");
    assert_eq!((tally.accepted, tally.refused, tally.paused.len()), (77, 3, 1), "{tally:?}");
}

/// What a node held that died is not to wait until this one's round is over.
#[tokio::test]
async fn what_the_dead_held_comes_back_while_others_are_at_work() {
    let house = House::with(8).await;
    let lease = start() + 1.minute();
    assert_eq!(house.store.claim("dead", 3, start(), lease).await.unwrap().len(), 3);
    let clock = Arc::clone(&house.clock);
    let server = Server::start(move |step| {
        clock.set(start() + 2.minutes());
        if step.before == 4 && step.verb == "DOT" { Act::Silence } else { Act::Usual }
    })
    .await;
    let patient = Smtp { data_timeout: Span::seconds(40), ..plain(&server) };
    let (outbox, stop) =
        (house.outbox(Transport::smtp(&patient, "example.org").unwrap(), OnDoubt::Resend), CancellationToken::new());
    // No turn of its own: only the round, which one answer keeps alive.
    let round = outbox.run_until_empty(&stop);
    let seen = async {
        while server.accepted().len() < 7 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        tally = round => panic!("the round was over first: {tally:?}"),
        () = seen => {}
        () = tokio::time::sleep(Duration::from_secs(30)) => panic!("{:?}", house.counts().await),
    }
}

#[tokio::test]
async fn a_dead_address_fails_only_that_delivery() {
    let house = House::with(10).await;
    let dead = |step: &Step| step.verb == "RCPT" && about(step, 7);
    let server =
        Server::start(move |step| if dead(step) { Act::Say("550 5.1.1 no such user\r\n") } else { Act::Usual }).await;
    let tally = house.send(&server).await;
    assert_eq!((tally.accepted, tally.failed), (9, 1));
    assert_eq!(house.counts().await, [("accepted", 9), ("failed", 1)]);
    let reader = house.store.subscriber_by_key(&address(7)).await.unwrap().unwrap();
    assert_eq!(reader.state, SubscriberState::Suppressed);
    assert_eq!(bounces(&house, 7).await, [(Class::Dead, "550 5.1.1 no such user".to_owned())]);
}

async fn bounces(house: &House, reader: usize) -> Vec<(Class, String)> {
    let reader = house.store.subscriber_by_key(&address(reader)).await.unwrap().unwrap();
    house.store.bounces(reader.id).await.unwrap().into_iter().map(|b| (b.class, b.words)).collect()
}

#[tokio::test]
async fn a_mailbox_that_stays_full_until_the_end_is_kept_as_a_bounce() {
    let house = House::with(1).await;
    let server =
        Server::start(|step| if step.verb == "RCPT" { Act::Say("452 4.2.2 mailbox full\r\n") } else { Act::Usual })
            .await;
    house.send_all(&server, OnDoubt::Resend).await;
    assert_eq!(bounces(&house, 0).await, [(Class::Resting, "452 4.2.2 mailbox full".to_owned())]);
    assert_eq!(house.store.subscriber_counts().await.unwrap()["active"], 1);
}

#[tokio::test]
async fn a_sender_who_is_refused_touches_nobody_and_stops_the_run() {
    let house = House::with(50).await;
    let server =
        Server::start(|step| if step.verb == "MAIL" { Act::Say("550 5.7.1 sender rejected\r\n") } else { Act::Usual })
            .await;
    let tally = house.send(&server).await;
    assert!(matches!(tally.halt, Some(Halt::Stopped(_))), "{tally:?}");
    assert!(server.count("MAIL") <= 3, "{} tries", server.count("MAIL"));
    assert_eq!(house.counts().await, [("queued", 50)]);
    let friendly = Server::start(|_| Act::Usual).await;
    house.send_all(&friendly, OnDoubt::Resend).await;
    assert_eq!(friendly.accepted(), addresses(50));
}

#[tokio::test]
async fn a_policy_touches_nobody_and_pauses_the_edition_in_the_providers_words() {
    for (verb, reply) in [("DOT", "554 5.7.1 looks like spam\r\n"), ("RCPT", "550 5.7.515 access denied\r\n")] {
        let house = House::with(50).await;
        let server = Server::start(move |step| if step.verb == verb { Act::Say(reply) } else { Act::Usual }).await;
        let tally = house.send(&server).await;
        assert_eq!(tally.paused.len(), 1, "{tally:?}");
        assert!(server.count(verb) <= 5, "{} tries", server.count(verb));
        assert_eq!(house.counts().await, [("queued", 50)]);
        assert_eq!(house.store.subscriber_counts().await.unwrap()["active"], 50);
        let edition = house.store.edition(october().into()).await.unwrap().unwrap();
        assert_eq!(edition.state, EditionState::Paused);
        let reason = edition.reason.unwrap();
        assert!(reason.contains(reply.trim_end().split_once(' ').unwrap().1), "{reason}");
        let friendly = Server::start(|_| Act::Usual).await;
        assert_eq!(house.send(&friendly).await.attempts(), 0, "it stays paused");
        house
            .store
            .move_edition(october().into(), &[EditionState::Paused], EditionState::Open, house.clock.now())
            .await
            .unwrap();
        house.send_all(&friendly, OnDoubt::Resend).await;
        assert_eq!(friendly.accepted(), addresses(50));
    }
}

/// Strangers choose where confirmations go.
#[tokio::test]
async fn recipients_of_notices_that_a_relay_dislikes_stop_nothing_else() {
    let house = House::with(10).await;
    let day = TimeZone::UTC.to_datetime(start()).date();
    for reader in addresses(5) {
        let id = house.store.subscriber_by_key(&reader).await.unwrap().unwrap().id;
        assert!(house.store.notify(id, Notice::Link, day, start()).await.unwrap());
    }
    let server = Server::start(|step| {
        let first = step.verb == "RCPT" && step.before < 5;
        if first { Act::Say("554 5.7.1 this domain is on a list\r\n") } else { Act::Usual }
    })
    .await;
    let tally = house.send(&server).await;
    assert_eq!((tally.accepted, tally.refused, server.accepted()), (10, 5, addresses(10)), "{tally:?}");
    assert_eq!(house.counts().await, [("queued", 5), ("accepted", 10)]);
}

#[tokio::test]
async fn a_few_refusals_among_many_pause_nothing() {
    let house = House::with(100).await;
    let server = Server::start(|step| {
        let disliked = step.verb == "RCPT" && (about(step, 40) || about(step, 80));
        if disliked { Act::Say("550 5.7.1 blocked\r\n") } else { Act::Usual }
    })
    .await;
    let tally = house.send(&server).await;
    assert_eq!((tally.accepted, tally.refused, tally.paused.len()), (98, 2, 0), "{tally:?}");
}

#[tokio::test]
async fn an_edition_is_tried_out_before_everybody_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("gazetted.db").display());
    let house = House::on(&url, 400).await;
    let edition = house.store.edition(october().into()).await.unwrap().unwrap();
    house.store.move_edition(edition.key, &[EditionState::Open], EditionState::Cancelled, start()).await.unwrap();
    let editors = [address(3), "nobody@example.org".to_owned()];
    let november = Edition { key: Period::parse("2026-11").unwrap().into(), ..edition };
    let canary = Canary { editors: &editors, wait: jiff::SignedDuration::from_mins(10) };
    let audience = Audience { canary: Some(canary), ..Audience::everybody() };
    house.store.open_edition(&november, &[], &audience).await.unwrap();
    let server = Server::start(|_| Act::Usual).await;
    let mut sent = Vec::new();
    for minutes in [0, 9, 10, 19, 20] {
        house.clock.set(start() + minutes.minutes());
        sent.push(house.send(&server).await.accepted);
    }
    assert_eq!(sent, [1, 0, 4, 0, 395]);
    assert_eq!(server.arrived()[0].recipient, address(3));
    assert_eq!(server.accepted(), addresses(400));
}

#[tokio::test]
async fn a_canary_that_is_refused_stops_the_edition_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("gazetted.db").display());
    let house = House::on(&url, 200).await;
    let edition = house.store.edition(october().into()).await.unwrap().unwrap();
    house.store.move_edition(edition.key, &[EditionState::Open], EditionState::Cancelled, start()).await.unwrap();
    let november = Edition { key: Period::parse("2026-11").unwrap().into(), ..edition };
    let canary = Canary { editors: &[], wait: jiff::SignedDuration::from_mins(10) };
    let audience = Audience { canary: Some(canary), ..Audience::everybody() };
    house.store.open_edition(&november, &[], &audience).await.unwrap();
    let server =
        Server::start(|step| if step.verb == "DOT" { Act::Say("550 5.7.26 unauthenticated\r\n") } else { Act::Usual })
            .await;
    let tally = house.send(&server).await;
    assert_eq!(tally.paused.len(), 1, "{tally:?}");
    assert!(server.count("DOT") <= 2);
    house.clock.set(start() + 1.hour());
    assert_eq!(house.send(&server).await.attempts(), 0);
}

#[tokio::test]
async fn what_is_put_off_is_given_up_when_the_next_edition_comes() {
    let house = House::with(2).await;
    let server =
        Server::start(
            |step| {
                if step.verb == "RCPT" && about(step, 1) { Act::Say("450 4.2.0 later\r\n") } else { Act::Usual }
            },
        )
        .await;
    assert_eq!(house.send(&server).await.deferred, 1);
    let edition = house.store.edition(october().into()).await.unwrap().unwrap();
    let november = Edition { key: Period::parse("2026-11").unwrap().into(), ..edition };
    house.store.open_edition(&november, &[], &Audience::everybody()).await.unwrap();
    let failed = house.store.outbox(&[DeliveryState::Failed], 10).await.unwrap();
    assert!(failed[0].reply.as_deref().unwrap().contains("the next edition is here"), "{failed:?}");
    assert_eq!(house.counts().await, [("queued", 2), ("accepted", 1), ("failed", 1)]);
}

#[tokio::test]
async fn a_connection_cut_at_any_command_loses_nobody_and_doubles_nobody() {
    for verb in ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "QUIT"] {
        let house = House::with(12).await;
        let cut = move |step: &Step| step.verb == verb && step.before.is_multiple_of(3);
        let server = Server::start(move |step| if cut(step) { Act::Cut } else { Act::Usual }).await;
        house.send_all(&server, OnDoubt::Resend).await;
        assert_eq!(server.accepted(), addresses(12), "{verb}");
        assert_eq!(server.arrived().len(), 12, "{verb}");
    }
}

#[tokio::test]
async fn nonsense_at_any_command_loses_nobody_and_doubles_nobody() {
    for verb in ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"] {
        for nonsense in ["999 what\r\n", "\0\0\0\r\n", "250-a\r\n550 b\r\n", "2\r\n", "421 4.3.2 closing\r\n"] {
            let house = House::with(4).await;
            let odd = move |step: &Step| step.verb == verb && step.before < 2;
            let server = Server::start(move |step| if odd(step) { Act::Say(nonsense) } else { Act::Usual }).await;
            house.send_all(&server, OnDoubt::Resend).await;
            assert_eq!(server.accepted(), addresses(4), "{verb} {nonsense:?}");
            assert_eq!(server.arrived().len(), 4, "{verb} {nonsense:?}");
        }
    }
}

#[tokio::test]
async fn a_cut_after_the_dot_is_sent_again_with_the_same_bytes() {
    let house = House::with(6).await;
    let cut = |step: &Step| step.verb == "DOT" && about(step, 3) && step.before < 6;
    let server = Server::start(move |step| if cut(step) { Act::Cut } else { Act::Usual }).await;
    let tally = house.send(&server).await;
    assert_eq!((tally.accepted, tally.doubtful), (5, 1));
    house.clock.set(start() + 9.minutes());
    assert_eq!(house.send(&server).await.attempts(), 0, "the server may still be at it");
    house.send_all(&server, OnDoubt::Resend).await;
    assert_eq!(server.accepted(), addresses(6));
    let twice: Vec<_> = server.arrived().into_iter().filter(|a| a.recipient == address(3)).collect();
    assert_eq!((twice.len(), &twice[0].bytes), (2, &twice[1].bytes));
}

#[tokio::test]
async fn a_cut_after_the_dot_is_held_if_the_operator_says_so() {
    let house = House::with(6).await;
    let cut = |step: &Step| step.verb == "DOT" && about(step, 3);
    let server = Server::start(move |step| if cut(step) { Act::Cut } else { Act::Usual }).await;
    house.send_all(&server, OnDoubt::Hold).await;
    assert_eq!(house.counts().await, [("accepted", 5), ("held", 1)]);
    assert_eq!(server.arrived().len(), 6);
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    for verb in ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "DOT"] {
        let house = House::with(1).await;
        let server = Server::start(move |step| if step.verb == verb { Act::Silence } else { Act::Usual }).await;
        let quick = Span::parse("150ms").unwrap();
        let smtp = Smtp { timeout: quick, data_timeout: quick, ..plain(&server) };
        let begun = Instant::now();
        let tally = house.send_by(&smtp, OnDoubt::Resend).await;
        assert!(begun.elapsed() < Duration::from_secs(4), "{verb}: {:?}", begun.elapsed());
        assert_eq!(tally.accepted, 0);
        assert_eq!(tally.doubtful, u64::from(verb == "DOT"), "{verb}");
        assert_eq!(house.store.outbox_counts().await.unwrap().waiting(), 1, "{verb}");
    }
}

#[tokio::test]
async fn without_starttls_nothing_is_said() {
    let house = House::with(3).await;
    let server = Server::start(|_| Act::Usual).await;
    let tally = house.send_by(&with_tls(&server, Tls::Starttls), OnDoubt::Resend).await;
    let Some(Halt::Stopped(words)) = tally.halt else { panic!("{tally:?}") };
    assert!(words.contains("does not offer STARTTLS"), "{words}");
    assert!(server.lines().iter().all(|line| line.is_empty() || line.starts_with("EHLO")), "{:?}", server.lines());
}

fn offering_starttls(step: &Step) -> Act {
    match step.verb.as_str() {
        "EHLO" => Act::Say("250-test\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n"),
        _ => Act::Usual,
    }
}

#[tokio::test]
async fn with_starttls_the_login_comes_after_it() {
    let house = House::with(1).await;
    let server = Server::start(offering_starttls).await;
    let tally = house.send_by(&with_tls(&server, Tls::Starttls), OnDoubt::Resend).await;
    assert_eq!(tally.accepted, 1, "{tally:?}");
    let verbs: Vec<_> = server.lines().iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert!(verbs.join(" ").contains("EHLO STARTTLS EHLO AUTH MAIL"), "{verbs:?}");
}

#[tokio::test]
async fn what_is_said_before_tls_begins_ends_it() {
    let house = House::with(1).await;
    let server = Server::start(|step| match step.verb.as_str() {
        "STARTTLS" => Act::Say("220 go\r\n250-test\r\n250 AUTH PLAIN\r\n"),
        _ => offering_starttls(step),
    })
    .await;
    let tally = house.send_by(&with_tls(&server, Tls::Starttls), OnDoubt::Resend).await;
    assert!(matches!(tally.halt, Some(Halt::Stopped(_))), "{tally:?}");
    assert!(server.lines().iter().all(|line| !line.starts_with("AUTH") && !line.starts_with("MAIL")));
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for_gets_no_password() {
    let house = House::with(1).await;
    let server = Server::start(offering_starttls).await;
    let unknown = Smtp { ca_file: std::path::PathBuf::new(), ..with_tls(&server, Tls::Starttls) };
    let other_name = Smtp { host: "127.0.0.1".into(), ..with_tls(&server, Tls::Starttls) };
    let refused = Server::start(|step| match step.verb.as_str() {
        "STARTTLS" => Act::Say("454 4.7.0 not now\r\n"),
        _ => offering_starttls(step),
    })
    .await;
    for smtp in [unknown, other_name, with_tls(&refused, Tls::Starttls)] {
        let tally = house.send_by(&smtp, OnDoubt::Resend).await;
        assert!(matches!(tally.halt, Some(Halt::Trouble(_))), "{tally:?}");
        house.clock.set(house.clock.now() + 1.hour());
    }
    for line in server.lines().iter().chain(&refused.lines()) {
        assert!(!line.starts_with("AUTH") && !line.starts_with("MAIL"), "{line}");
    }
}

#[tokio::test]
async fn a_wrong_password_stops_the_run() {
    let house = House::with(5).await;
    let server = Server::start(|step| match step.verb.as_str() {
        "AUTH" => Act::Say("535 5.7.8 bad password\r\n"),
        _ => offering_starttls(step),
    })
    .await;
    let tally = house.send_by(&with_tls(&server, Tls::Starttls), OnDoubt::Resend).await;
    assert!(matches!(tally.halt, Some(Halt::Stopped(_))), "{tally:?}");
    assert!(server.count("AUTH") <= 3);
    assert_eq!(house.counts().await, [("queued", 5)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn whoever_unsubscribes_gets_nothing_even_in_the_last_moment() {
    let house = House::with(4).await;
    let ids: Vec<i64> = house.store.subscribers(None, None, 10).await.unwrap().iter().map(|s| s.id).collect();
    let gone = SubscriberState::Unsubscribed;
    house.store.move_subscriber(ids[0], gone, "test", start()).await.unwrap();
    let (store, last, runtime) = (Arc::clone(&house.store), ids[3], tokio::runtime::Handle::current());
    let server = Server::start(move |step| {
        // Before any message is through: the last one has been claimed, and is not begun.
        if step.verb == "DOT" {
            let leaving = store.move_subscriber(last, gone, "test", start());
            tokio::task::block_in_place(|| runtime.block_on(leaving)).unwrap();
        }
        Act::Usual
    })
    .await;
    house.send(&server).await;
    assert_eq!(server.accepted(), [address(1), address(2)]);
    assert_eq!(house.counts().await, [("accepted", 2), ("skipped", 2)]);
}

#[tokio::test]
async fn a_shutdown_in_the_middle_loses_nothing() {
    let house = House::with(40).await;
    let stop = CancellationToken::new();
    let stopper = stop.clone();
    let server = Server::start(move |step| {
        if step.verb == "DOT" && step.before == 10 {
            stopper.cancel();
        }
        Act::Usual
    })
    .await;
    let outbox = house.outbox(Transport::smtp(&plain(&server), "example.org").unwrap(), OnDoubt::Resend);
    let tally = outbox.run_until_empty(&stop).await.unwrap();
    assert!((10..=14).contains(&tally.accepted), "{tally:?}");
    assert_eq!(house.counts().await, [("queued", 40 - tally.accepted), ("accepted", tally.accepted)]);
    house.send_all(&server, OnDoubt::Resend).await;
    assert_eq!(server.accepted(), addresses(40));
    assert_eq!(server.arrived().len(), 40);
}

#[tokio::test]
async fn a_killed_sender_loses_nobody_and_doubles_at_most_one_a_connection() {
    let house = House::with(40).await;
    let server = Server::start(|_| Act::Usual).await;
    for kill in 1..=5 {
        let outbox = house.outbox(Transport::smtp(&plain(&server), "example.org").unwrap(), OnDoubt::Resend);
        let before = server.arrived().len();
        let stop = CancellationToken::new();
        // Dropped in mid-flight, with all its workers: nothing is settled or given back.
        tokio::select! {
            _ = outbox.run_until_empty(&stop) => {}
            () = async { while server.arrived().len() < before + 5 { tokio::task::yield_now().await; } } => {}
        }
        drop(outbox);
        assert!(server.arrived().len() <= 40 + 3 * kill, "{} messages after {kill} kills", server.arrived().len());
    }
    house.send_all(&server, OnDoubt::Resend).await;
    let mut everybody = server.accepted();
    assert!(everybody.len() <= 40 + 5 * 3, "{}", everybody.len());
    everybody.dedup();
    assert_eq!(everybody, addresses(40));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_share_an_edition_and_send_it_once() {
    let Some(url) = crate::postgres::fresh_database().await else { return };
    let house = House::on(&url, 100).await;
    let server = Server::start(|_| Act::Usual).await;
    let transport = || Transport::smtp(&plain(&server), "example.org").unwrap();
    let (one, two) = (house.outbox(transport(), OnDoubt::Resend), house.node("other", transport(), OnDoubt::Resend));
    let stop = CancellationToken::new();
    let (one, two) = tokio::join!(one.run_until_empty(&stop), two.run_until_empty(&stop));
    assert_eq!(one.unwrap().accepted + two.unwrap().accepted, 100);
    assert_eq!(server.accepted(), addresses(100));
    assert_eq!(server.arrived().len(), 100);
}

#[tokio::test]
async fn the_running_outbox_pauses_after_trouble_and_goes_on() {
    let house = House::with(3).await;
    let server =
        Server::start(|step| if step.verb == "CONNECT" && step.before < 3 { Act::Cut } else { Act::Usual }).await;
    let outbox = house.outbox(Transport::smtp(&plain(&server), "example.org").unwrap(), OnDoubt::Resend);
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let (outbox, stop) = (Arc::clone(&outbox), stop.clone());
        async move { outbox.run(&stop).await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!((1..=3).contains(&server.count("CONNECT")), "it pauses: {}", server.count("CONNECT"));
    for minutes in 1.. {
        house.clock.set(start() + (20 * minutes).minutes());
        outbox.wake();
        tokio::time::sleep(Duration::from_millis(100)).await;
        if server.accepted().len() == 3 {
            break;
        }
        assert!(minutes < 50, "it never goes on");
    }
    stop.cancel();
    running.await.unwrap();
    assert_eq!(server.accepted(), addresses(3));
    assert_eq!(house.counts().await, [("accepted", 3)]);
}

#[tokio::test]
async fn one_broken_message_costs_one_delivery() {
    let house = House::with(0).await;
    let named = |n: usize, name: &str| NewSubscriber {
        email: address(n),
        key: address(n),
        name: Some(name.into()),
        state: SubscriberState::Active,
        source: "test".into(),
    };
    let people = [named(0, "Ann"), named(1, "panic"), named(2, "Bob")];
    house.store.add_subscribers(&people, false, start()).await.unwrap();
    let november = Period::parse("2026-11").unwrap();
    let edition = house.store.edition(october().into()).await.unwrap().unwrap();
    house.store.open_edition(&Edition { key: november.into(), ..edition }, &[], &Audience::everybody()).await.unwrap();
    let server = Server::start(|_| Act::Usual).await;
    let tally = house.send(&server).await;
    assert_eq!((tally.accepted, tally.failed), (2, 1));
}

#[tokio::test]
async fn without_a_server_messages_go_to_files() {
    let house = House::with(3).await;
    let folder = house.folder.path().join("mail");
    let stop = CancellationToken::new();
    let outbox = house.outbox(Transport::files(folder.clone()), OnDoubt::Resend);
    assert_eq!(outbox.run_until_empty(&stop).await.unwrap().accepted, 3);
    let names = || {
        let files = std::fs::read_dir(&folder).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["2026-10-1.eml", "2026-10-2.eml", "2026-10-3.eml"]);
    let text = std::fs::read_to_string(folder.join("2026-10-2.eml")).unwrap();
    assert_eq!(text, format!("Message-ID: <2026-10.2@example.org>\r\n{BODY}"));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_pauses_the_outbox() {
    let house = House::with(3).await;
    let file = house.folder.path().join("file");
    std::fs::File::create(&file).unwrap();
    let outbox = house.outbox(Transport::files(file.join("mail")), OnDoubt::Resend);
    let tally = outbox.run_until_empty(&CancellationToken::new()).await.unwrap();
    assert!(matches!(tally.halt, Some(Halt::Trouble(_))), "{tally:?}");
    assert_eq!(house.counts().await, [("queued", 3)]);
}

/// Runs a program until the end of its own input: until the test ends, however that ends.
const KEEPER: &str = r#""$@" & program=$!; read -r _; kill $program"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_sink_takes_everything() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let Some(program) = path().map(|folder| folder.join("smtp-sink")).find(|program| program.exists()) else {
        assert!(!everything_is_wanted(), "GAZETTED_TEST_ALL is set, and no smtp-sink was found");
        return left_out("smtp-sink");
    };
    let mut command = Command::new("sh");
    command.args(["-c", KEEPER, "keeper"]).arg(program);
    if rustix::process::geteuid().is_root() {
        command.args(["-u", "nobody"]);
    }
    command.arg(format!("127.0.0.1:{port}")).arg("100").stdin(Stdio::piped()).stdout(Stdio::null());
    let mut keeper = command.spawn().unwrap();
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let house = House::with(500).await;
    let smtp = Smtp { host: "127.0.0.1".into(), port, tls: Tls::None, ..Smtp::default() };
    let begun = Instant::now();
    let tally = house.send_by(&smtp, OnDoubt::Resend).await;
    println!("500 messages in {:?}", begun.elapsed());
    assert_eq!(tally.accepted, 500, "{tally:?}");
    let states: BTreeMap<_, _> = house.counts().await.into_iter().collect();
    assert_eq!(states["accepted"], 500);
    drop(keeper.stdin.take());
    keeper.wait().unwrap();
}
