//! What systemd is told (`sd_notify)`: ready, reloading, stopping, alive. Without systemd nothing happens.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{Interval, MissedTickBehavior, interval};

pub fn ready() {
    tell(&[NotifyState::Ready]);
}

pub fn reloading() {
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        tell(&[NotifyState::Reloading, now]);
    }
}

pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!("systemd was not told: {error}");
    }
}

/// The beat systemd expects from the loop itself: half its limit.
#[must_use]
pub fn watchdog() -> Option<Interval> {
    let limit = sd_notify::watchdog_enabled()?;
    let mut beat = interval((limit / 2).max(Duration::from_millis(100)));
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Some(beat)
}

/// Waits for the next beat and gives it.
pub async fn beat(watchdog: &mut Option<Interval>) {
    match watchdog {
        Some(interval) => {
            interval.tick().await;
            tell(&[NotifyState::Watchdog]);
        }
        None => std::future::pending().await,
    }
}
