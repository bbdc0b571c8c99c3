//! What the workers of one round share: whether to go on, and what has come of it so far.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::domain::delivery::Outcome;
use crate::domain::edition::{Edition, EditionKey};
use crate::render::prepared::Prepared;
use crate::store::StoreError;

/// Why a round ended before the outbox was empty.
#[derive(Debug)]
pub enum Halt {
    /// The server, for now; its words.
    Trouble(String),
    /// Our fault or the server's policy: an operator has to act.
    Stopped(String),
    Store(StoreError),
}

/// What came of a round.
#[derive(Debug, Default)]
pub struct Tally {
    pub accepted: u64,
    pub deferred: u64,
    pub failed: u64,
    /// Turned away by policy: no fault of the recipient's.
    pub refused: u64,
    pub doubtful: u64,
    /// Given back unsent.
    pub released: u64,
    pub halt: Option<Halt>,
}

impl Tally {
    #[must_use]
    pub fn attempts(&self) -> u64 {
        self.accepted + self.deferred + self.failed + self.refused + self.doubtful
    }
}

/// How many of the last attempts are looked at for refusals by policy, and how many, and which share, stop the run.
const WINDOW: usize = 500;
const MOST_REFUSED: usize = 10;
const REFUSED_OF: usize = 20;
/// So many messages in a row without an answer are the server's trouble.
const MOST_DOUBTFUL: u32 = 3;

/// How many texts are kept in memory.
const MOST_VARIANTS: usize = 64;

/// An edition with its texts as mail carries them.
pub struct Ready {
    pub edition: Edition,
    pub prepared: Prepared,
}

#[derive(Default)]
struct State {
    tally: Tally,
    /// Whether each of the last attempts was refused by policy.
    window: VecDeque<bool>,
    doubtful_in_a_row: u32,
    editions: HashMap<(EditionKey, String), Arc<Ready>>,
}

pub struct Round {
    stop: CancellationToken,
    state: Mutex<State>,
}

impl Round {
    pub fn new(stop: CancellationToken) -> Self {
        Self { stop, state: Mutex::default() }
    }

    pub fn is_over(&self) -> bool {
        self.stop.is_cancelled() || self.state().tally.halt.is_some()
    }

    /// Whether an outcome could not be written: nothing more may go out.
    pub fn has_no_store(&self) -> bool {
        matches!(self.state().tally.halt, Some(Halt::Store(_)))
    }

    /// The first reason counts: the others follow from it.
    pub fn halt(&self, why: Halt) {
        self.state().tally.halt.get_or_insert(why);
    }

    pub fn cached(&self, key: EditionKey, variant: &str) -> Option<Arc<Ready>> {
        self.state().editions.get(&(key, variant.to_owned())).cloned()
    }

    pub fn cache(&self, variant: &str, edition: Edition) -> Arc<Ready> {
        let key = edition.key;
        let ready = Arc::new(Ready { prepared: Prepared::of(&edition), edition });
        let mut state = self.state();
        // Readers with choices of their own may be many, and their variants are no smaller than the edition.
        if state.editions.len() >= MOST_VARIANTS {
            state.editions.clear();
        }
        state.editions.insert((key, variant.to_owned()), Arc::clone(&ready));
        ready
    }

    /// A refusal by policy: of one, it is shrugged off; of many, the run stops before the sender's name is ruined.
    pub fn refused(&self, words: &str) {
        let mut state = self.state();
        state.tally.refused += 1;
        state.look(true);
        let refused = state.window.iter().filter(|refused| **refused).count();
        if refused >= MOST_REFUSED && refused * REFUSED_OF > state.window.len() {
            state.tally.halt.get_or_insert_with(|| Halt::Stopped(format!("{refused} messages refused: {words}")));
        }
    }

    pub fn doubtful(&self, words: &str) {
        let mut state = self.state();
        state.tally.doubtful += 1;
        state.doubtful_in_a_row += 1;
        if state.doubtful_in_a_row >= MOST_DOUBTFUL {
            state.tally.halt.get_or_insert_with(|| Halt::Trouble(words.to_owned()));
        }
    }

    /// Counts what has been settled; refusals and doubts were counted when they happened.
    pub fn settled(&self, outcome: &Outcome) {
        let mut state = self.state();
        match outcome {
            Outcome::Accepted { .. } => state.tally.accepted += 1,
            Outcome::Deferred { .. } => state.tally.deferred += 1,
            Outcome::Failed { .. } => state.tally.failed += 1,
            Outcome::Released { .. } => state.tally.released += 1,
            Outcome::Skipped { .. } | Outcome::Held { .. } => {}
        }
        if !matches!(outcome, Outcome::Released { .. }) {
            state.look(false);
        }
        if matches!(outcome, Outcome::Accepted { .. } | Outcome::Failed { .. }) {
            state.doubtful_in_a_row = 0;
        }
    }

    pub fn tally(&self) -> Tally {
        std::mem::take(&mut self.state().tally)
    }

    /// A worker that broke down leaves counts behind, which are whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn look(&mut self, refused: bool) {
        if self.window.len() == WINDOW {
            self.window.pop_front();
        }
        self.window.push_back(refused);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(round: &Round, n: usize) {
        for _ in 0..n {
            round.settled(&Outcome::Accepted { reply: String::new() });
        }
    }

    fn doubtful(round: &Round) {
        round.doubtful("silence");
        round.settled(&Outcome::Deferred { reply: String::new(), until: jiff::Timestamp::UNIX_EPOCH });
    }

    #[test]
    fn many_refusals_stop_the_run_and_few_do_not() {
        let round = Round::new(CancellationToken::new());
        for _ in 0..9 {
            round.refused("554 5.7.1 spam");
        }
        assert!(!round.is_over());
        round.refused("554 5.7.1 spam");
        assert!(matches!(round.tally().halt, Some(Halt::Stopped(words)) if words.contains("spam")));

        let round = Round::new(CancellationToken::new());
        for _ in 0..50 {
            accepted(&round, 25);
            round.refused("554 5.7.1 spam");
        }
        assert!(!round.is_over());
    }

    #[test]
    fn silence_after_the_dot_is_the_servers_trouble_only_in_a_row() {
        let round = Round::new(CancellationToken::new());
        for _ in 0..5 {
            doubtful(&round);
            doubtful(&round);
            accepted(&round, 1);
        }
        assert!(!round.is_over());
        (0..3).for_each(|_| doubtful(&round));
        assert!(matches!(round.tally().halt, Some(Halt::Trouble(_))));
    }
}
