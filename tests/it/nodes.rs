//! Nodes that share a store: leases, fences, shares, and what they tell one another.

use std::sync::Arc;
use std::time::Duration;

use gazetted::config::OnDoubt;
use gazetted::domain::edition::Edition;
use gazetted::mail::transport::Transport;
use gazetted::store::{Audience, Opened, Place, SCHEDULE, SharedStore};
use jiff::{SignedDuration, ToSpan as _};
use tokio_util::sync::CancellationToken;

use crate::outbox::{House, addresses, october, plain, start};
use crate::smtp_server::{Act, Server};
use crate::stores::{Fixture, on_postgres, on_sqlite};

conformance! {
    one_node_leads_until_its_lease_runs_out,
    whoever_has_lost_the_lease_opens_nothing,
    of_many_who_want_to_lead_one_does,
    a_node_that_is_alive_keeps_its_claims,
    shares_follow_who_is_alive,
    what_a_destination_asks_for_is_known_to_all,
}

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const OVER: SignedDuration = SignedDuration::from_secs(-1);

async fn lead(store: &SharedStore, node: &str, lease: SignedDuration) -> Option<i64> {
    store.lead(SCHEDULE, node, lease, start()).await.unwrap()
}

async fn one_node_leads_until_its_lease_runs_out(f: Fixture) {
    assert_eq!(lead(&f.store, "a", MINUTE).await, Some(1));
    assert_eq!(lead(&f.store, "b", MINUTE).await, None);
    assert_eq!(lead(&f.store, "a", OVER).await, Some(1), "it is still the same");
    assert_eq!(lead(&f.store, "b", MINUTE).await, Some(2));
    assert_eq!(lead(&f.store, "a", MINUTE).await, None);
    f.store.leave("b").await.unwrap();
    assert_eq!(lead(&f.store, "a", MINUTE).await, Some(3), "who leaves is not waited for");
}

async fn edition(f: &Fixture) -> Edition {
    House::edition(&f.store).await;
    f.store.edition(october().into()).await.unwrap().unwrap()
}

async fn whoever_has_lost_the_lease_opens_nothing(f: Fixture) {
    let edition = edition(&f).await;
    let next = Edition { key: gazetted::domain::period::Period::parse("2026-11").unwrap().into(), ..edition };
    let old = lead(&f.store, "frozen", OVER).await;
    let new = lead(&f.store, "b", MINUTE).await;
    let by = |lead| Audience { lead, ..Audience::everybody() };
    assert_eq!(f.store.open_edition(&next, &[], &by(old)).await.unwrap(), Opened::Overtaken);
    assert_eq!(f.store.edition(next.key).await.unwrap(), None);
    assert!(matches!(f.store.open_edition(&next, &[], &by(new)).await.unwrap(), Opened::Now { .. }));
}

async fn of_many_who_want_to_lead_one_does(f: Fixture) {
    let wanting = (0..8).map(|n| {
        let store = Arc::clone(&f.store);
        tokio::spawn(async move { lead(&store, &format!("node-{n}"), MINUTE).await })
    });
    let mut fences = Vec::new();
    for one in wanting {
        fences.extend(one.await.unwrap());
    }
    assert_eq!(fences.len(), 1, "{fences:?}");
}

async fn a_node_that_is_alive_keeps_its_claims(f: Fixture) {
    edition(&f).await;
    let over = start() - 1.second();
    let claim = f.store.claim("busy", 1, start(), over).await.unwrap().remove(0);
    f.store.beat("busy", MINUTE, start()).await.unwrap();
    assert_eq!(f.store.recover(None, OnDoubt::Resend, start()).await.unwrap(), []);
    assert!(f.store.mark_in_data("busy", &claim, start()).await.unwrap());
    assert_eq!(f.store.recover(None, OnDoubt::Resend, start()).await.unwrap(), []);
    f.store.beat("busy", OVER, start()).await.unwrap();
    assert_eq!(f.store.recover(None, OnDoubt::Resend, start()).await.unwrap(), [claim.key], "it is not heard of");
}

async fn shares_follow_who_is_alive(f: Fixture) {
    let beat = async |node: &str, lease| f.store.beat(node, lease, start()).await.unwrap();
    assert_eq!(beat("a", MINUTE).await, Place::alone());
    assert_eq!(beat("b", MINUTE).await, Place { of: 2, nth: 1 });
    assert_eq!(beat("a", MINUTE).await, Place { of: 2, nth: 0 });
    beat("b", OVER).await;
    assert_eq!(beat("a", MINUTE).await, Place::alone());
    beat("b", MINUTE).await;
    f.store.leave("b").await.unwrap();
    assert_eq!(beat("a", MINUTE).await, Place::alone());
}

async fn what_a_destination_asks_for_is_known_to_all(f: Fixture) {
    let hold = async |wait| f.store.hold_off("mx.example:25", wait, "450 4.7.28 unusual rate", start()).await.unwrap();
    hold(MINUTE * 10).await;
    hold(MINUTE).await;
    let holds = f.store.holds(start()).await.unwrap();
    assert_eq!((holds.len(), holds[0].destination.as_str()), (1, "mx.example:25"));
    assert!(holds[0].remaining > MINUTE * 9 && holds[0].remaining <= MINUTE * 10, "the longer one counts: {holds:?}");
    assert!(holds[0].reason.contains("4.7.28"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_hears_at_once_what_another_one_queues() {
    let Some(f) = on_postgres().await else { return };
    edition(&f).await;
    let other = gazetted::store::open(&f.url, start()).await.unwrap();
    let heard = tokio::spawn(async move {
        other.woken().await.unwrap();
    });
    // Until the other one listens, and once more.
    while !heard.is_finished() {
        f.store.retry(None, &[], start()).await.unwrap();
        tokio::task::yield_now().await;
    }
    heard.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_a_dead_node_held_is_sent_by_the_others_after_its_lease() {
    let Some(url) = crate::postgres::fresh_database().await else { return };
    let house = House::on(&url, 60).await;
    let server = Server::start(|_| Act::Usual).await;
    let transport = || Transport::smtp(&plain(&server), "example.org").unwrap();
    let dead = house.store.claim("dead", 10, start(), start() - 1.second()).await.unwrap();
    assert!(house.store.mark_in_data("dead", &dead[0], start()).await.unwrap());
    let stop = CancellationToken::new();
    let (one, two) = (house.node("one", transport(), OnDoubt::Resend), house.node("two", transport(), OnDoubt::Resend));
    let (one, two) = tokio::join!(one.run_until_empty(&stop), two.run_until_empty(&stop));
    assert_eq!(one.unwrap().accepted + two.unwrap().accepted, 60);
    assert_eq!(server.accepted(), addresses(60));
    // It wakes, and can write nothing.
    assert!(!house.store.mark_in_data("dead", &dead[1], start()).await.unwrap());
    for claim in &dead {
        let outcome = gazetted::domain::delivery::Outcome::Failed { reply: "late".into() };
        assert!(!house.store.settle("dead", claim, &outcome, start()).await.unwrap());
    }
    assert_eq!(house.counts().await, [("accepted", 60)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn nodes_share_the_connections_a_relay_allows() {
    let Some(url) = crate::postgres::fresh_database().await else { return };
    let house = House::on(&url, 400).await;
    let server = Server::start(|_| Act::Usual).await;
    let transport = || Transport::smtp(&plain(&server), "example.org").unwrap();
    for node in ["one", "two", "three"] {
        house.store.beat(node, SignedDuration::from_mins(5), start()).await.unwrap();
    }
    let nodes: Vec<_> = ["one", "two", "three"].map(|n| house.node(n, transport(), OnDoubt::Resend)).into();
    let stop = CancellationToken::new();
    let running: Vec<_> = nodes
        .into_iter()
        .map(|node| {
            let stop = stop.clone();
            tokio::spawn(async move { node.run_until_empty(&stop).await.unwrap().accepted })
        })
        .collect();
    let mut accepted = 0;
    for one in running {
        accepted += tokio::time::timeout(Duration::from_mins(1), one).await.unwrap().unwrap();
    }
    assert_eq!((accepted, server.accepted()), (400, addresses(400)));
    assert!(server.most_open() <= 5, "three nodes, three connections in all: {}", server.most_open());
}
