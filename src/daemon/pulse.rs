//! Whether the daemon does its work, and not only runs: systemd is told that it is alive only while readers are let in, the
//! outbox is looked at, and the store says something. Knows signs of life; what systemd does without them is its business.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval, timeout};
use tokio_util::task::AbortOnDropHandle;
use tracing::error;

use super::{sending::Sending, systemd};
use crate::clock::Life;
use crate::http::Shared;
use crate::store::SharedStore;

/// A store that says nothing for this long is asked again.
const ANSWER: Duration = Duration::from_secs(15);

/// Signs of life are two seconds apart by themselves, so that a shorter silence says nothing.
const LEAST: Duration = Duration::from_secs(10);

/// What has to go on for systemd to hear of it.
pub struct Pulse {
    patience: Duration,
    beats: Interval,
    store: Arc<Life>,
    asking: AbortOnDropHandle<()>,
    /// What was silent when it was last looked at.
    silent: Option<&'static str>,
}

impl Pulse {
    /// None unless systemd waits for signs of life.
    #[must_use]
    pub fn start(store: &SharedStore, shares_store: bool) -> Option<Self> {
        let patience = systemd::patience()?;
        let life = Arc::new(Life::default());
        let (store, every) = (Arc::clone(store), patience / 4);
        let ping = move || {
            let store = Arc::clone(&store);
            async move { store.ping().await.is_ok() }
        };
        let asked = ask(ping, Arc::clone(&life), every, ANSWER, shares_store);
        let asking = AbortOnDropHandle::new(tokio::spawn(asked));
        Some(Self { patience, beats: systemd::beats(patience), store: life, asking, silent: None })
    }

    /// Tells systemd that all goes on, or the log what does not.
    fn tell(&mut self, readers: &Shared, sending: &Sending) {
        let parts = [
            ("the server lets nobody in", readers.silent_for()),
            ("the outbox stands still", sending.silent_for()),
            ("the store says nothing", if self.asking.is_finished() { Duration::MAX } else { self.store.silent_for() }),
        ];
        let silent = parts.into_iter().find(|(_, silence)| *silence > self.patience.max(LEAST)).map(|(what, _)| what);
        match silent {
            None => systemd::alive(),
            Some(what) if self.silent != Some(what) => {
                error!("{what} for longer than {} s; systemd is not told that all is well", self.patience.as_secs());
            }
            Some(_) => {}
        }
        self.silent = silent;
    }
}

/// Waits for the next beat and gives it.
pub async fn beat(pulse: &mut Option<Pulse>, readers: &Shared, sending: &Sending) {
    let Some(pulse) = pulse else { return std::future::pending().await };
    pulse.beats.tick().await;
    pulse.tell(readers, sending);
}

/// A store that refuses is alive: what is wrong with it no new start would mend. So is a database elsewhere that cannot be
/// heard, since feeds are served without it; but a file that does not answer has hung this process.
async fn ask<Ping>(ping: impl Fn() -> Ping, life: Arc<Life>, every: Duration, answer: Duration, elsewhere: bool)
where
    Ping: Future<Output = bool>,
{
    let mut asks = interval(every.max(Duration::from_millis(100)));
    asks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        asks.tick().await;
        if timeout(answer, ping()).await.is_ok() || elsewhere {
            life.show();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRIEFLY: Duration = Duration::from_millis(20);

    /// Whether life is shown while a store answers so.
    async fn lives<Ping>(ping: impl Fn() -> Ping, elsewhere: bool) -> bool
    where
        Ping: Future<Output = bool>,
    {
        let life = Arc::new(Life::default());
        tokio::time::sleep(BRIEFLY * 20).await;
        let before = life.silent_for();
        let _ = timeout(BRIEFLY * 10, ask(ping, Arc::clone(&life), BRIEFLY, BRIEFLY, elsewhere)).await;
        life.silent_for() < before
    }

    #[tokio::test]
    async fn a_store_that_refuses_is_alive_and_one_that_hangs_is_not_unless_it_is_elsewhere() {
        assert!(lives(|| std::future::ready(true), false).await);
        assert!(lives(|| std::future::ready(false), false).await);
        assert!(!lives(std::future::pending::<bool>, false).await);
        assert!(lives(std::future::pending::<bool>, true).await);
    }
}
