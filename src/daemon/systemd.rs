//! What systemd is told (`sd_notify`): ready, reloading, stopping, alive, and in a sentence how things stand. Without
//! systemd nothing happens.

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

pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// What `systemctl status` shows.
pub fn status(sentence: &str) {
    tell(&[NotifyState::Status(sentence)]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!("systemd was not told: {error}");
    }
}

/// How long systemd waits for a sign of life before it starts the daemon anew, if it does.
#[must_use]
pub fn patience() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

/// When it is time for a sign of life: twice while systemd is patient.
#[must_use]
pub fn beats(patience: Duration) -> Interval {
    let mut beats = interval((patience / 2).max(Duration::from_millis(100)));
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beats
}
