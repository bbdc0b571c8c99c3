//! The runner that empties the outbox: claims a few deliveries, composes, sends, settles. Knows leases, back-offs and when
//! to stop; what an answer means is `domain::bounce`'s. No transaction is open while a message is on its way, a delivery
//! is marked before its final dot, and nothing is tried twice without a wait.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::composer::Compose;
use super::transport::Transport;
use crate::clock::SharedClock;
use crate::config::OnDoubt;
use crate::store::{SharedStore, StoreError};

mod ledger;
mod round;
mod worker;

use ledger::Ledger;
use round::Round;
pub use round::{Halt, Tally};
use worker::Worker;

#[derive(Debug, Clone)]
pub struct Settings {
    /// This process's name in the ledger; no other process alive may have it.
    pub node: String,
    /// Connections at once.
    pub connections: u32,
    /// How long a deferred delivery is tried.
    pub retry_for: Duration,
    pub on_doubt: OnDoubt,
    /// How often `run` looks whether something is due.
    pub tick: Duration,
}

/// The pauses after a server's trouble: the last one again and again.
const PAUSES: [Duration; 5] = [
    Duration::from_mins(1),
    Duration::from_mins(2),
    Duration::from_mins(4),
    Duration::from_mins(8),
    Duration::from_mins(15),
];
/// The pause after something that only an operator can put right.
const LONG_PAUSE: Duration = Duration::from_hours(1);

pub struct Outbox {
    store: SharedStore,
    clock: SharedClock,
    composer: Arc<dyn Compose>,
    transport: Transport,
    settings: Settings,
    wake: Notify,
}

impl Outbox {
    #[must_use]
    pub fn new(
        store: SharedStore,
        clock: SharedClock,
        composer: Arc<dyn Compose>,
        transport: Transport,
        settings: Settings,
    ) -> Arc<Self> {
        Arc::new(Self { store, clock, composer, transport, settings, wake: Notify::new() })
    }

    /// Something is due: do not wait for the next tick.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Sends until nothing is due, the server or the operator's configuration stops it, or `stop` is cancelled. Takes
    /// back first what this node held when it died.
    pub async fn run_until_empty(self: &Arc<Self>, stop: &CancellationToken) -> Result<Tally, StoreError> {
        self.recover(Some(&self.settings.node)).await?;
        let tally = self.round(stop, self.settings.connections).await;
        self.finish().await?;
        Ok(tally)
    }

    /// Sends whatever falls due until `stop` is cancelled; then what is on its way is finished, and the rest given back.
    pub async fn run(self: &Arc<Self>, stop: &CancellationToken) {
        let mut pause = Pause::default();
        let mut node = Some(self.settings.node.as_str());
        while !stop.is_cancelled() {
            if pause.is_over(self.clock.now()) {
                match self.turn(node, stop, pause.connections(self.settings.connections)).await {
                    Ok(tally) => {
                        node = None;
                        pause.after(tally.halt.as_ref(), self.clock.now());
                    }
                    Err(e) => pause.after(Some(&Halt::Trouble(e.to_string())), self.clock.now()),
                }
            }
            self.rest(stop).await;
        }
    }

    /// One look at the outbox: what the dead held comes back, what is due goes out, what is complete is finished.
    async fn turn(
        self: &Arc<Self>,
        node: Option<&str>,
        stop: &CancellationToken,
        connections: u32,
    ) -> Result<Tally, StoreError> {
        self.recover(node).await?;
        let due = self.store.next_due().await?.is_some_and(|due| due <= self.clock.now());
        let tally = if due { self.round(stop, connections).await } else { Tally::default() };
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
            warn!(edition = %key.edition, subscriber = key.subscriber, "a delivery was on the wire when its sender died; it is {what}");
        }
        Ok(())
    }

    async fn finish(&self) -> Result<(), StoreError> {
        for period in self.store.finish_editions(self.clock.now()).await? {
            info!(edition = %period, "every delivery has its outcome");
        }
        Ok(())
    }

    async fn round(self: &Arc<Self>, stop: &CancellationToken, connections: u32) -> Tally {
        let round = Arc::new(Round::new(stop.clone()));
        let ledger = Ledger::open(Arc::clone(self));
        let mut workers = JoinSet::new();
        for _ in 0..connections.max(1) {
            workers.spawn(Worker::new(Arc::clone(self), Arc::clone(&round), ledger.clone()).run());
        }
        drop(ledger);
        while let Some(ended) = workers.join_next().await {
            if let Err(e) = ended {
                // Its claims come back when their leases run out.
                error!("a sender broke down: {e}");
                round.halt(Halt::Trouble("a sender broke down".into()));
            }
        }
        let tally = round.tally();
        log(&tally);
        tally
    }

    async fn rest(&self, stop: &CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.wake.notified() => {}
            () = tokio::time::sleep(self.settings.tick) => {}
        }
    }

    fn lease(&self, now: Timestamp) -> Timestamp {
        after(now, self.transport.patience() + Duration::from_mins(1))
    }
}

/// No later than the end of time.
fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

fn log(tally: &Tally) {
    match &tally.halt {
        Some(Halt::Stopped(words)) => error!("sending has stopped until somebody looks at it: {words}"),
        Some(Halt::Trouble(words)) => warn!("sending pauses: {words}"),
        Some(Halt::Store(e)) => error!("sending pauses: {e}"),
        None => {}
    }
    if tally.attempts() > 0 {
        let Tally { accepted, deferred, failed, refused, doubtful, .. } = tally;
        info!(accepted, deferred, failed, refused, doubtful, "deliveries");
    }
}

/// How long nothing is tried after trouble.
#[derive(Debug, Default)]
struct Pause {
    troubles: usize,
    until: Option<Timestamp>,
}

impl Pause {
    fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now >= until)
    }

    /// After trouble one connection finds out whether it is over.
    fn connections(&self, usual: u32) -> u32 {
        if self.troubles == 0 { usual } else { 1 }
    }

    fn after(&mut self, halt: Option<&Halt>, now: Timestamp) {
        let wait = match halt {
            None => {
                *self = Self::default();
                return;
            }
            Some(Halt::Stopped(_)) => LONG_PAUSE,
            Some(_) => PAUSES[self.troubles.min(PAUSES.len() - 1)],
        };
        self.troubles += 1;
        self.until = Some(after(now, wait));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_quarter_of_an_hour_and_end_with_the_trouble() {
        let now = Timestamp::UNIX_EPOCH;
        let mut pause = Pause::default();
        assert!(pause.is_over(now));
        for expected in [1, 2, 4, 8, 15, 15] {
            pause.after(Some(&Halt::Trouble(String::new())), now);
            assert!(!pause.is_over(after(now, Duration::from_secs(expected * 60 - 1))));
            assert!(pause.is_over(after(now, Duration::from_mins(expected))));
            assert_eq!(pause.connections(4), 1);
        }
        pause.after(None, now);
        assert!(pause.is_over(now));
        assert_eq!(pause.connections(4), 4);
    }
}
