//! The claims that are in this process's hands: the feeder puts them in, each on the way it is to go, the workers take them
//! out. Little is kept, so that a confirmation that comes meanwhile does not wait behind an edition.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::store::Claim;

pub struct Queue {
    state: Mutex<State>,
    /// Something was put in, or it ended.
    filled: Notify,
    /// Little is left, or the last one is done.
    low: Notify,
}

struct State {
    /// For each way.
    waiting: Vec<VecDeque<Claim>>,
    in_hand: usize,
    /// Of those in hand: whose turn is after the one that is being sent.
    ahead: usize,
    /// So many are little.
    low: usize,
    ended: bool,
}

/// How full a queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    pub waiting: usize,
    /// On the way that has least, of those that are asked about.
    pub least: usize,
    pub in_hand: usize,
}

impl Queue {
    pub fn new(ways: usize) -> Self {
        let state = State { waiting: vec![VecDeque::new(); ways], in_hand: 0, ahead: 0, low: 0, ended: false };
        Self { state: Mutex::new(state), filled: Notify::new(), low: Notify::new() }
    }

    /// Puts in what goes on each way, what is no edition first; what has too long a queue before it goes on the way that has
    /// least. `low` are little.
    pub fn fill(&self, claims: impl Iterator<Item = (usize, Claim)>, ways: &[(usize, u32)], low: usize) {
        let mut state = self.state();
        state.low = low;
        for (way, claim) in claims {
            let way = state.spilled(way, ways);
            state.put(way, claim);
        }
        drop(state);
        self.filled.notify_waiters();
    }

    /// What waits behind others goes to the ways that have nothing to do.
    pub fn even_out(&self, ways: &[(usize, u32)]) {
        let mut state = self.state();
        for (idle, _) in ways {
            let longest = ways.iter().map(|(way, _)| *way).max_by_key(|way| state.waiting[*way].len());
            let Some(longest) = longest.filter(|_| state.waiting[*idle].is_empty()) else { continue };
            let stays = state.waiting[longest].len().div_ceil(2);
            state.waiting[*idle] = state.waiting[longest].split_off(stays);
        }
        drop(state);
        self.filled.notify_waiters();
    }

    /// The next claim on this way, if one is there. To be given back with `done`.
    pub fn try_next(&self, way: usize) -> Option<Claim> {
        let mut state = self.state();
        if state.ended {
            return None;
        }
        let claim = state.waiting[way].pop_front()?;
        state.in_hand += 1;
        if state.waiting[way].len() <= state.low {
            self.low.notify_one();
        }
        Some(claim)
    }

    /// The next claim, to be sent after the one in hand; `turn` says when it begins.
    pub fn try_ahead(&self, way: usize) -> Option<Claim> {
        let claim = self.try_next(way)?;
        self.state().ahead += 1;
        Some(claim)
    }

    pub fn turn(&self) {
        self.state().ahead -= 1;
    }

    /// Waits for the next claim on this way; none once the queue has ended.
    pub async fn next(&self, way: usize) -> Option<Claim> {
        loop {
            let filled = self.filled.notified();
            tokio::pin!(filled);
            // From here on nothing is missed.
            filled.as_mut().enable();
            if let Some(claim) = self.try_next(way) {
                return Some(claim);
            }
            if self.state().ended {
                return None;
            }
            filled.await;
        }
    }

    pub fn done(&self) {
        let mut state = self.state();
        state.in_hand -= 1;
        if state.in_hand == 0 && state.waiting() == 0 {
            self.low.notify_one();
        }
    }

    pub fn level(&self, ways: &[(usize, u32)]) -> Level {
        let state = self.state();
        let least = ways.iter().map(|(way, _)| state.waiting[*way].len()).min().unwrap_or(0);
        Level { waiting: state.waiting(), least, in_hand: state.in_hand }
    }

    /// How many are being sent.
    pub fn being_sent(&self) -> usize {
        let state = self.state();
        state.in_hand - state.ahead
    }

    /// Waits until little is left, or the last one is done.
    pub async fn low(&self) {
        self.low.notified().await;
    }

    pub fn end(&self) {
        self.state().ended = true;
        self.filled.notify_waiters();
    }

    /// Takes out whatever waits.
    pub fn drain(&self) -> Vec<Claim> {
        self.state().waiting.iter_mut().flat_map(std::mem::take).collect()
    }

    /// Takes out what waits on one way.
    pub fn drain_way(&self, way: usize) -> Vec<Claim> {
        self.state().waiting[way].drain(..).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A way that is so far behind is too slow for its share.
const BEHIND: usize = 256;

impl State {
    fn spilled(&self, way: usize, ways: &[(usize, u32)]) -> usize {
        if self.waiting[way].len() < BEHIND {
            return way;
        }
        ways.iter().map(|(way, _)| *way).min_by_key(|way| self.waiting[*way].len()).unwrap_or(way)
    }

    /// A way that is slow may have hundreds before it.
    fn put(&mut self, way: usize, claim: Claim) {
        let waiting = &mut self.waiting[way];
        if claim.key.edition.is_edition() {
            return waiting.push_back(claim);
        }
        let first = waiting.iter().take_while(|other| !other.key.edition.is_edition()).count();
        waiting.insert(first, claim);
    }

    fn waiting(&self) -> usize {
        self.waiting.iter().map(VecDeque::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::edition::{EditionKey, Notice};
    use crate::store::DeliveryKey;

    fn edition() -> EditionKey {
        EditionKey::parse("2026-10").unwrap()
    }

    fn claim(edition: EditionKey, subscriber: i64) -> Claim {
        let key = DeliveryKey { edition, subscriber };
        let (variant, email) = (String::new(), "ann@example.org".to_owned());
        Claim { key, variant, email, name: None, attempt: 1, fence: 1, canary: false }
    }

    fn taken(queue: &Queue, way: usize) -> Vec<i64> {
        std::iter::from_fn(|| queue.try_next(way)).map(|claim| claim.key.subscriber).collect()
    }

    #[test]
    fn what_is_no_edition_does_not_wait_behind_one() {
        let queue = Queue::new(1);
        let (edition, link) = (edition(), EditionKey::Notice(Notice::Link, date(2026, 11, 30)));
        let put = |edition, subscribers: std::ops::Range<i64>| {
            queue.fill(subscribers.map(|id| (0, claim(edition, id))), &[(0, 1)], 0);
        };
        put(edition, 0..3);
        put(link, 10..12);
        put(edition, 3..4);
        put(link, 12..13);
        assert_eq!(taken(&queue, 0), [10, 11, 12, 0, 1, 2, 3]);
    }

    #[test]
    fn ways_that_are_idle_take_half_of_what_waits_for_the_slowest() {
        let queue = Queue::new(3);
        let ways = [(0, 1), (1, 1), (2, 1)];
        queue.fill((0..9).map(|id| (0, claim(edition(), id))), &ways, 0);
        queue.even_out(&ways);
        assert_eq!([0, 1, 2].map(|way| taken(&queue, way)), [vec![0, 1, 2], vec![5, 6, 7, 8], vec![3, 4]]);
        queue.fill(std::iter::once((0, claim(edition(), 1))), &ways, 0);
        queue.even_out(&ways);
        assert_eq!(taken(&queue, 0), [1], "one alone stays where it is");
    }
}
