//! The runner that empties the outbox: rounds of claiming, composing, sending and settling, over one way or several. Knows
//! leases, back-offs and when to stop; what an answer means is `domain::bounce`'s. No transaction is open while a message is
//! on its way, a delivery is marked before its final dot, and nothing is tried twice without a wait.

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::composer::Compose;
use crate::clock::{Life, SharedClock};
use crate::config::OnDoubt;
use crate::domain::breaker::Breaker;
use crate::domain::delivery::after;
use crate::domain::edition::EditionKey;
use crate::store::{Claim, DeliveryKey, SharedStore, StoreError};

mod ahead;
mod feeder;
mod ledger;
mod making;
mod queue;
mod round;
mod route;
mod worker;

use feeder::Feeder;
use ledger::Ledger;
use round::Round;
pub use round::{Halt, Tally};
use route::Route;
pub use route::Way;
use worker::Worker;

#[derive(Debug, Clone)]
pub struct Settings {
    /// This process's name in the ledger; no other process alive may have it.
    pub node: String,
    /// How long a deferred delivery is tried.
    pub retry_for: Duration,
    pub on_doubt: OnDoubt,
    /// How often `run` looks whether something is due.
    pub tick: Duration,
}

/// How long others wait for a node that is not heard of, before what it held is theirs.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How often it is heard of.
const BEAT: Duration = Duration::from_secs(15);
/// A message that has brought a server into trouble so often is what is wrong.
const UPSETTING: u32 = 3;
/// So many such messages are remembered.
const MOST_UPSETS: usize = 1_000;
/// The pause after the store's trouble.
const STORE_PAUSE: Duration = Duration::from_secs(5);

pub struct Outbox {
    store: SharedStore,
    clock: SharedClock,
    composer: Arc<dyn Compose>,
    routes: Vec<Arc<Route>>,
    settings: Settings,
    /// Refusals by policy, edition by edition; notices together.
    breakers: Mutex<HashMap<Option<EditionKey>, Breaker>>,
    /// Messages that a server had trouble with, and how often.
    upsets: Mutex<HashMap<DeliveryKey, u32>>,
    wake: Notify,
    life: Life,
    beat_at: Mutex<Option<Timestamp>>,
}

impl Outbox {
    #[must_use]
    pub fn new(
        store: SharedStore,
        clock: SharedClock,
        composer: Arc<dyn Compose>,
        ways: Vec<Way>,
        settings: Settings,
    ) -> Arc<Self> {
        let routes = ways.into_iter().map(|way| Arc::new(Route::new(way))).collect();
        let (breakers, upsets, wake, life) = (Mutex::default(), Mutex::default(), Notify::new(), Life::default());
        let beat_at = Mutex::default();
        Arc::new(Self { store, clock, composer, routes, settings, breakers, upsets, wake, life, beat_at })
    }

    /// Something is due: do not wait for the next tick.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// For how long the runner has not been seen to move.
    pub fn silent_for(&self) -> Duration {
        self.life.silent_for()
    }

    /// What came of all attempts since this process began to send: the way, the outcome, how often.
    #[must_use]
    pub fn attempts(&self) -> Vec<(String, &'static str, u64)> {
        let of = |route: &Arc<Route>| {
            route.counted().map(|(outcome, n)| (route.name.clone(), outcome, n)).collect::<Vec<_>>()
        };
        self.routes.iter().flat_map(of).collect()
    }

    /// Sends until nothing is due, the server or the operator's configuration stops it, or `stop` is cancelled. Takes
    /// back first what this node held when it died.
    pub async fn run_until_empty(self: &Arc<Self>, stop: &CancellationToken) -> Result<Tally, StoreError> {
        self.beat().await?;
        let beating = self.beating();
        self.recover(Some(&self.settings.node)).await?;
        let tally = self.round(stop).await;
        self.finish().await?;
        beating.abort();
        self.leave().await;
        Ok(tally)
    }

    /// Sends whatever falls due until `stop` is cancelled; then what is on its way is finished, and the rest given back.
    pub async fn run(self: &Arc<Self>, stop: &CancellationToken) {
        let (beating, listening) = (self.beating(), self.listening());
        let mut node = Some(self.settings.node.as_str());
        // The kind of trouble that the log has as the reason for the pause.
        let mut said: Option<Discriminant<StoreError>> = None;
        while !stop.is_cancelled() {
            self.life.show();
            let trouble = match self.turn(node, said.is_some(), stop).await {
                Ok(Tally { halt: Some(Halt::Store(e)), .. }) => Some(discriminant(&e)),
                Ok(_) => None,
                Err(e) => {
                    let kind = Some(discriminant(&e));
                    if said != kind {
                        error!(event = "sending_pauses", "sending pauses: {e}");
                    }
                    kind
                }
            };
            // Nobody is at work now: what could not be given back is taken back when the store answers again.
            node = trouble.map(|_| self.settings.node.as_str());
            said = trouble;
            self.rest(stop, said.is_some()).await;
        }
        beating.abort();
        listening.abort();
        self.leave().await;
    }

    /// One look at the outbox: what the dead held comes back, what is due goes out, what is complete is finished.
    async fn turn(
        self: &Arc<Self>,
        node: Option<&str>,
        paused: bool,
        stop: &CancellationToken,
    ) -> Result<Tally, StoreError> {
        if node.is_some() {
            self.beat().await?;
        }
        self.recover(node).await?;
        if paused {
            info!(event = "sending_goes_on", "the store answers again, and sending goes on");
        }
        let due = self.store.next_due().await?.is_some_and(|due| due <= self.clock.now());
        let tally = if due && !self.open_ways().is_empty() { self.round(stop).await } else { Tally::default() };
        self.finish().await?;
        Ok(tally)
    }

    async fn recover(&self, node: Option<&str>) -> Result<(), StoreError> {
        let doubtful = self.store.recover(node, self.settings.on_doubt, self.clock.now()).await?;
        for key in doubtful {
            let what = match self.settings.on_doubt {
                OnDoubt::Resend => "sent again",
                OnDoubt::Hold => "held for the operator",
            };
            warn!(event = "delivery_doubtful", edition = %key.edition, subscriber = key.subscriber, "a delivery was on the wire when its sender died; it is {what}");
        }
        Ok(())
    }

    async fn finish(&self) -> Result<(), StoreError> {
        for period in self.store.finish_editions(self.clock.now()).await? {
            info!(event = "edition_finished", edition = %period, "every delivery has its outcome");
            self.breakers().remove(&Some(period));
        }
        Ok(())
    }

    async fn round(self: &Arc<Self>, stop: &CancellationToken) -> Tally {
        let round = Arc::new(Round::new(stop, self.routes.len()));
        let ledger = Ledger::open(Arc::clone(self), Arc::clone(&round));
        let mut workers = JoinSet::new();
        for (way, route) in self.routes.iter().enumerate() {
            for _ in 0..route.way.limits.connections.max(1) {
                workers.spawn(Worker::new(Arc::clone(self), Arc::clone(&round), ledger.clone(), way).run());
            }
        }
        let feeder = Feeder { outbox: Arc::clone(self), round: Arc::clone(&round), ledger };
        let feeding = tokio::spawn(feeder.run());
        let mut broken = false;
        loop {
            let ended = tokio::select! {
                ended = workers.join_next() => ended,
                // The feeder shows life by itself; without it, only servers are waited for, and their patience is limited.
                () = tokio::time::sleep(self.settings.tick) => {
                    if feeding.is_finished() {
                        self.life.show();
                    }
                    continue;
                }
            };
            let Some(ended) = ended else { break };
            if let Err(e) = ended {
                error!(event = "sender_broke", "a sender broke down: {e}");
                broken = true;
                round.halt(Halt::Trouble("a sender broke down".into()));
            }
        }
        // If all have broken down, the feeder gives back what is left.
        round.end();
        broken |= feeding.await.is_err();
        if broken && let Err(e) = self.recover(Some(&self.settings.node)).await {
            warn!(event = "sender_recovery_failed", "what a broken sender held comes back when this process ends: {e}");
        }
        let tally = round.tally();
        log(&tally);
        tally
    }

    async fn rest(&self, stop: &CancellationToken, pause: bool) {
        let wait = if pause { STORE_PAUSE.max(self.settings.tick) } else { self.settings.tick };
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.wake.notified(), if !pause => {}
            () = tokio::time::sleep(wait) => {}
        }
    }

    /// Says that this node is alive, and hears how many are, and what destinations have asked of any of them.
    async fn beat(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        // Of what the clock was before this process, nobody knows.
        if self.beat_at().is_none_or(|before| now < before) {
            self.store.set_back(now).await?;
        }
        *self.beat_at() = Some(now);
        let place = self.store.beat(&self.settings.node, LEASE, now).await?;
        let holds = self.store.holds(now).await?;
        for route in &self.routes {
            route.share(place);
            let held = holds.iter().find(|held| held.destination == route.name);
            if let Some(remaining) = held.and_then(|held| Duration::try_from(held.remaining).ok()) {
                route.hold(remaining, now);
            }
        }
        Ok(())
    }

    fn beat_at(&self) -> std::sync::MutexGuard<'_, Option<Timestamp>> {
        self.beat_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn beating(self: &Arc<Self>) -> tokio::task::JoinHandle<()> {
        let outbox = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(BEAT).await;
                if let Err(e) = outbox.beat().await {
                    warn!(event = "node_beat_failed", "other nodes cannot be told that this one is alive: {e}");
                    continue;
                }
                // A round may last for hours: what others held who have died is not to wait for its end.
                if let Err(e) = outbox.recover(None).await {
                    debug!("what dead nodes held is taken back later: {e}");
                }
            }
        })
    }

    /// Other processes that share the store say when they queue something.
    fn listening(self: &Arc<Self>) -> tokio::task::JoinHandle<()> {
        let outbox = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                match outbox.store.woken().await {
                    Ok(()) => outbox.wake(),
                    Err(e) => {
                        debug!("not told by others: {e}");
                        tokio::time::sleep(STORE_PAUSE).await;
                    }
                }
            }
        })
    }

    async fn leave(&self) {
        if let Err(e) = self.store.leave(&self.settings.node).await {
            debug!("the other nodes find out by themselves that this one is gone: {e}");
        }
    }

    /// The ways that are open, by number and weight; those of weight 0 only if there are no others.
    fn open_ways(&self) -> Vec<(usize, u32)> {
        let now = self.clock.now();
        let open = |(way, route): (usize, &Arc<Route>)| route.is_open(now).then_some((way, route.way.weight));
        let open: Vec<(usize, u32)> = self.routes.iter().enumerate().filter_map(open).collect();
        if open.iter().any(|(_, weight)| *weight > 0) {
            return open.into_iter().filter(|(_, weight)| *weight > 0).collect();
        }
        open.into_iter().map(|(way, _)| (way, 1)).collect()
    }

    /// How many connections there are at most.
    fn connections(&self) -> u32 {
        self.routes.iter().map(|route| route.way.limits.connections).sum()
    }

    /// Nothing goes this way for `wait`, from no node.
    async fn hold_off(&self, route: &Route, wait: Duration, words: &str) {
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
        if let Err(e) = self.store.hold_off(&route.name, wait, words, self.clock.now()).await {
            warn!(event = "pace_not_shared", way = %route.name, "the other nodes cannot be told to slow down: {e}");
        }
    }

    /// True if that is one refusal too many.
    fn refused(&self, claim: &Claim) -> bool {
        self.breakers().entry(breaker(claim)).or_default().refused(claim.canary)
    }

    fn passed(&self, claim: &Claim) {
        self.breakers().entry(breaker(claim)).or_default().passed();
    }

    /// A server had trouble with a message; true if that has happened too often to be chance.
    fn upset(&self, key: DeliveryKey) -> bool {
        let mut upsets = self.upsets.lock().unwrap_or_else(PoisonError::into_inner);
        // Of a server that has trouble with all of them, nothing is learned of any.
        if upsets.len() >= MOST_UPSETS {
            upsets.clear();
        }
        let times = upsets.entry(key).or_default();
        *times += 1;
        *times >= UPSETTING
    }

    fn breakers(&self) -> std::sync::MutexGuard<'_, HashMap<Option<EditionKey>, Breaker>> {
        self.breakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lease(now: Timestamp) -> Timestamp {
    after(now, LEASE.unsigned_abs())
}

fn breaker(claim: &Claim) -> Option<EditionKey> {
    Some(claim.key.edition).filter(|key| key.is_edition())
}

fn log(tally: &Tally) {
    match &tally.halt {
        Some(Halt::Stopped(words)) => {
            error!(event = "sending_stopped", "sending has stopped until somebody looks at it: {words}");
        }
        Some(Halt::Trouble(words)) => debug!("not everything went: {words}"),
        // Said when it happened.
        Some(Halt::Store(_)) | None => {}
    }
    if tally.attempts() > 0 {
        let Tally { accepted, deferred, failed, refused, doubtful, .. } = tally;
        info!(event = "deliveries", accepted, deferred, failed, refused, doubtful, "deliveries");
    }
}
