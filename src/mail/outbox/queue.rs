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
        let state = State { waiting: vec![VecDeque::new(); ways], in_hand: 0, low: 0, ended: false };
        Self { state: Mutex::new(state), filled: Notify::new(), low: Notify::new() }
    }

    /// Puts in what goes on each way; what has too long a queue before it goes on the way that has least. `low` are little.
    pub fn fill(&self, claims: impl Iterator<Item = (usize, Claim)>, ways: &[(usize, u32)], low: usize) {
        let mut state = self.state();
        state.low = low;
        for (way, claim) in claims {
            let way = state.spilled(way, ways);
            state.waiting[way].push_back(claim);
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

    pub fn in_hand(&self) -> usize {
        self.state().in_hand
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

    fn waiting(&self) -> usize {
        self.waiting.iter().map(VecDeque::len).sum()
    }
}
