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
    /// It is another machine's.
    elsewhere: bool,
    asking: AbortOnDropHandle<()>,
    /// What was silent when it was last looked at.
    silent: Option<&'static str>,
}

impl Pulse {
    /// None unless systemd waits for signs of life.
    #[must_use]
    pub fn start(store: &SharedStore, elsewhere: bool) -> Option<Self> {
        let patience = systemd::patience()?;
        let life = Arc::new(Life::default());
        let (store, every) = (Arc::clone(store), patience / 4);
        let ping = move || {
            let store = Arc::clone(&store);
            async move { store.ping().await.is_ok() }
        };
        let asked = ask(ping, Arc::clone(&life), every, ANSWER);
        let asking = AbortOnDropHandle::new(tokio::spawn(asked));
        Some(Self { patience, beats: systemd::beats(patience), store: life, elsewhere, asking, silent: None })
    }

    /// Tells systemd that all goes on, or the log what does not.
    fn tell(&mut self, readers: &Shared, sending: &Sending) {
        let store = if self.asking.is_finished() { Duration::MAX } else { self.store.silent_for() };
        let silences = Silences { readers: readers.silent_for(), outbox: sending.silent_for(), store };
        let silent = silences.longer_than(self.patience.max(LEAST), self.elsewhere);
        match silent {
            None => systemd::alive(),
            Some(what) if self.silent != Some(what) => {
                error!(
                    event = "watchdog_withheld",
                    "{what} for longer than {} s; systemd is not told that all is well",
                    self.patience.as_secs()
                );
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

/// For how long each part has not been seen to move.
#[derive(Debug, Clone, Copy)]
struct Silences {
    readers: Duration,
    outbox: Duration,
    store: Duration,
}

impl Silences {
    /// The part that a new start would mend. A file that does not answer has hung this process; a database elsewhere that cannot be
    /// heard has not, and feeds are served without it: then the outbox stands still for a reason.
    fn longer_than(self, patience: Duration, elsewhere: bool) -> Option<&'static str> {
        let is_away = elsewhere && self.store > ANSWER;
        let parts = [
            ("the server lets nobody in", self.readers),
            ("the outbox stands still", if is_away { Duration::ZERO } else { self.outbox }),
            ("the store says nothing", if elsewhere { Duration::ZERO } else { self.store }),
        ];
        parts.into_iter().find(|(_, silence)| *silence > patience).map(|(what, _)| what)
    }
}

/// A store that refuses is alive: what is wrong with it no new start would mend.
async fn ask<Ping>(ping: impl Fn() -> Ping, life: Arc<Life>, every: Duration, answer: Duration)
where
    Ping: Future<Output = bool>,
{
    let mut asks = interval(every.max(Duration::from_millis(100)));
    asks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        asks.tick().await;
        if timeout(answer, ping()).await.is_ok() {
            life.show();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRIEFLY: Duration = Duration::from_millis(20);

    /// Whether life is shown while a store answers so.
    async fn lives<Ping>(ping: impl Fn() -> Ping) -> bool
    where
        Ping: Future<Output = bool>,
    {
        let life = Arc::new(Life::default());
        tokio::time::sleep(BRIEFLY * 20).await;
        let before = life.silent_for();
        let _ = timeout(BRIEFLY * 10, ask(ping, Arc::clone(&life), BRIEFLY, BRIEFLY)).await;
        life.silent_for() < before
    }

    #[tokio::test]
    async fn a_store_that_refuses_is_alive_and_one_that_hangs_is_not() {
        assert!(lives(|| std::future::ready(true)).await);
        assert!(lives(|| std::future::ready(false)).await);
        assert!(!lives(std::future::pending::<bool>).await);
    }

    #[test]
    fn a_new_start_is_asked_for_only_where_it_would_mend_something() {
        let silent = |readers, outbox, store, elsewhere| {
            let seconds = Duration::from_secs;
            let silences = Silences { readers: seconds(readers), outbox: seconds(outbox), store: seconds(store) };
            silences.longer_than(seconds(60), elsewhere)
        };
        assert_eq!(silent(2, 2, 15, false), None);
        assert_eq!(silent(61, 2, 15, true), Some("the server lets nobody in"));
        assert_eq!(silent(2, 61, 1, true), Some("the outbox stands still"));
        assert_eq!(silent(2, 61, 61, true), None, "the database is away");
        assert_eq!(silent(2, 2, 61, false), Some("the store says nothing"));
    }
}
