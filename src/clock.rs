//! What time it is. Knows the wall clock and nothing else; only loops, handlers and commands ask it, everything
//! below gets the time as an argument.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;

pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
    /// How long a clock that nobody sets has been running, if there is one: what `now` is held against.
    fn steady(&self) -> Option<Duration> {
        None
    }
}

pub type SharedClock = Arc<dyn Clock>;

/// A sign of life: when what must never stand still was last seen to move.
#[derive(Debug)]
pub struct Life {
    began: Instant,
    /// Milliseconds after that.
    shown: AtomicU64,
}

impl Default for Life {
    fn default() -> Self {
        Self { began: Instant::now(), shown: AtomicU64::new(0) }
    }
}

impl Life {
    pub fn show(&self) {
        self.shown.store(self.age(), Ordering::Relaxed);
    }

    #[must_use]
    pub fn silent_for(&self) -> Duration {
        Duration::from_millis(self.age().saturating_sub(self.shown.load(Ordering::Relaxed)))
    }

    fn age(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for the time")]
    fn now(&self) -> Timestamp {
        // To the microsecond, as the store keeps it: what is read back is what was said.
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    fn steady(&self) -> Option<Duration> {
        static STARTED: OnceLock<Instant> = OnceLock::new();
        Some(STARTED.get_or_init(Instant::now).elapsed())
    }
}

/// A clock that stands still until it is told otherwise; for tests and for the demo's made-up "today".
#[derive(Debug)]
pub struct ManualClock(AtomicI64, AtomicI64);

/// There is no clock that nobody sets.
const NONE: i64 = -1;

impl ManualClock {
    #[must_use]
    pub fn at(now: Timestamp) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(now.as_microsecond()), AtomicI64::new(NONE)))
    }

    /// What a clock that nobody sets says from now on.
    pub fn set_steady(&self, steady: Duration) {
        self.1.store(i64::try_from(steady.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_microsecond(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn steady(&self) -> Option<Duration> {
        u64::try_from(self.1.load(Ordering::SeqCst)).ok().map(Duration::from_micros)
    }
}
