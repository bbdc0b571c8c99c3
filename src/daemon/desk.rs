//! The desk where forms are taken: decides, out of everybody's sight, what becomes of sign-ups, wakes the outbox for the
//! mails that follow, and forgets what nobody confirmed. Knows the store and the limits; no request waits for it.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::clock::SharedClock;
use crate::config::Config;
use crate::mail::outbox::Outbox;
use crate::store::{Retention, SharedStore, SignUpLimits, SignUpTally, StoreError};

/// How often the desk is looked at without being woken: another node may have taken a form.
const TICK: Duration = Duration::from_secs(2);
/// Forms that come together are decided together.
const GATHER: Duration = Duration::from_millis(200);
/// How often what has lasted too long is forgotten, and how often the operator is told of limits.
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// So many forms are decided in one transaction.
const BATCH: u32 = 50;
/// For how long it is kept that a notice went out.
const NOTICES: SignedDuration = SignedDuration::from_hours(24 * 31);

pub struct Desk {
    store: SharedStore,
    clock: SharedClock,
    wake: Arc<Notify>,
    outbox: Arc<Outbox>,
    limits: SignUpLimits,
    forget_after: SignedDuration,
    /// How long mails that came back are kept whole, and where a consent came from.
    originals: SignedDuration,
    networks: SignedDuration,
    zone: jiff::tz::TimeZone,
    tidied_at: Option<Timestamp>,
    told_at: Option<Timestamp>,
    /// Left out since the operator was told.
    limited: u64,
}

impl Desk {
    #[must_use]
    pub fn new(
        config: &Config,
        store: SharedStore,
        clock: SharedClock,
        wake: Arc<Notify>,
        outbox: Arc<Outbox>,
    ) -> Self {
        let given = &config.subscribers;
        let limits = SignUpLimits {
            mailbox_a_day: given.mailbox_a_day,
            mailbox_a_month: given.mailbox_a_month,
            network_an_hour: given.network_an_hour,
            domain_an_hour: given.domain_an_hour,
            total_an_hour: given.total_an_hour,
            total_a_day: given.total_a_day,
        };
        let age = |span: crate::config::Span| SignedDuration::try_from(span.get()).unwrap_or(SignedDuration::MAX);
        let (forget_after, networks) = (age(given.forget_after), age(given.keep_networks));
        let originals = age(config.bounces.keep_originals);
        let zone = config.site.zone();
        Self {
            store,
            clock,
            wake,
            outbox,
            limits,
            forget_after,
            originals,
            networks,
            zone,
            tidied_at: None,
            told_at: None,
            limited: 0,
        }
    }

    pub async fn run(mut self, stop: CancellationToken) {
        // One line each time the store is away, not one a turn.
        let mut waits = false;
        loop {
            let turn = self.turn().await;
            match &turn {
                Err(error) if !waits => warn!(event = "signups_wait", "sign-ups wait: {error}"),
                Err(error) => debug!("sign-ups still wait: {error}"),
                Ok(()) if waits => info!(event = "signups_go_on", "sign-ups are seen to again"),
                Ok(()) => {}
            }
            waits = turn.is_err();
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.wake.notified() => {
                    self.outbox.wake();
                    tokio::time::sleep(GATHER).await;
                }
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    async fn turn(&mut self) -> Result<(), StoreError> {
        let now = self.clock.now();
        loop {
            let today = self.zone.to_datetime(now).date();
            let tally = self.store.take_sign_ups(&self.limits, today, BATCH, now).await?;
            if tally.taken == 0 {
                break;
            }
            self.took(tally);
        }
        self.tell(now);
        self.tidy(now).await
    }

    fn took(&mut self, tally: SignUpTally) {
        self.limited += tally.limited;
        if tally.asked > 0 {
            info!(event = "signups_taken", forms = tally.taken, mails = tally.asked, "sign-ups");
            self.outbox.wake();
        }
    }

    /// Once an hour at most.
    fn tell(&mut self, now: Timestamp) {
        if self.limited > 0 && self.told_at.is_none_or(|at| now.duration_since(at) >= HOUR) {
            warn!(
                event = "signups_limited",
                left_out = self.limited,
                "more people sign up than `[subscribers]` allows in an hour or a day, so no mail went to the rest; is somebody \
                 flooding the form?"
            );
            (self.limited, self.told_at) = (0, Some(now));
        }
    }

    async fn tidy(&mut self, now: Timestamp) -> Result<(), StoreError> {
        if self.tidied_at.is_some_and(|at| now.duration_since(at) < HOUR) {
            return Ok(());
        }
        let before = |age| now.saturating_sub(age).unwrap_or(Timestamp::MIN);
        let retention = Retention {
            questions: before(self.forget_after),
            notices: before(NOTICES),
            originals: before(self.originals),
            networks: before(self.networks),
        };
        let gone = self.store.tidy(&retention).await?;
        if gone > 0 {
            info!(event = "signups_forgotten", gone, "sign-ups that nobody confirmed are forgotten");
        }
        self.tidied_at = Some(now);
        Ok(())
    }
}
