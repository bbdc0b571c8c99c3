//! How many sign-ups one network may send: a window that slides, exact to the second. The store counts mails again, over
//! all nodes; this keeps a flood from reaching it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

const WINDOW: SignedDuration = SignedDuration::from_hours(1);
/// Beyond so many networks the oldest are forgotten: a flood from everywhere is the total limit's business.
const MOST_NETWORKS: usize = 50_000;

#[derive(Debug, Default)]
pub struct Limiter(Mutex<HashMap<String, VecDeque<Timestamp>>>);

impl Limiter {
    /// Counts one, if there is room for it.
    pub fn admits(&self, network: &str, most: u32, now: Timestamp) -> bool {
        let since = now.saturating_sub(WINDOW).unwrap_or(Timestamp::MIN);
        // Counts are whole at any time.
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST_NETWORKS {
            seen.retain(|_, times| times.back().is_some_and(|last| *last > since));
        }
        if seen.len() >= MOST_NETWORKS {
            seen.clear();
        }
        let times = seen.entry(network.to_owned()).or_default();
        while times.front().is_some_and(|first| *first <= since) {
            times.pop_front();
        }
        let admitted = times.len() < most as usize;
        if admitted {
            times.push_back(now);
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_heard_so_many_times_in_any_hour() {
        let limiter = Limiter::default();
        let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        let admitted = (0..100).filter(|minute| limiter.admits("a", 3, at(*minute))).collect::<Vec<i64>>();
        assert_eq!(admitted, [0, 1, 2, 60, 61, 62]);
        assert!(limiter.admits("b", 3, at(2)));
    }
}
