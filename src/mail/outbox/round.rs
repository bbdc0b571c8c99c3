//! What the workers of one round share: whether to go on, the claims in hand, and what has come of it so far.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use tracing::error;

use super::queue::Queue;
use crate::domain::delivery::Outcome;
use crate::domain::edition::EditionKey;
use crate::mail::composer::Press;
use crate::store::StoreError;

/// Why nothing more goes one way, or none goes any.
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
    /// In doubt, and waiting for the operator.
    pub held: u64,
    /// Of those above: turned away by policy, which is no fault of the recipient's.
    pub refused: u64,
    /// Of those above: in doubt.
    pub doubtful: u64,
    /// Given back unsent.
    pub released: u64,
    /// Editions that were paused, and why.
    pub paused: Vec<(EditionKey, String)>,
    /// The first reason why not everything went.
    pub halt: Option<Halt>,
}

impl Tally {
    #[must_use]
    pub fn attempts(&self) -> u64 {
        self.accepted + self.deferred + self.failed + self.held
    }
}

/// How many texts are kept in memory.
const MOST_VARIANTS: usize = 64;

#[derive(Default)]
struct State {
    tally: Tally,
    presses: HashMap<(EditionKey, String), Arc<dyn Press>>,
    /// Nothing more of these, and whether the store knows by now that they are paused.
    shut: HashMap<EditionKey, bool>,
}

pub struct Round {
    pub queue: Queue,
    over: CancellationToken,
    stop: CancellationToken,
    state: Mutex<State>,
}

impl Round {
    pub fn new(stop: &CancellationToken, ways: usize) -> Self {
        Self { queue: Queue::new(ways), over: stop.child_token(), stop: stop.clone(), state: Mutex::default() }
    }

    pub fn is_over(&self) -> bool {
        self.over.is_cancelled()
    }

    pub async fn over(&self) {
        self.over.cancelled().await;
    }

    /// Not only this round, all of it is to end.
    pub fn is_told_to_stop(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// What is in hand is finished, and nothing else is begun.
    pub fn end(&self) {
        self.over.cancel();
        self.queue.end();
    }

    /// Whether an outcome could not be written: nothing more may go out.
    pub fn has_no_store(&self) -> bool {
        matches!(self.state().tally.halt, Some(Halt::Store(_)))
    }

    /// The store, or our own templates: nothing goes any way.
    pub fn halt(&self, why: Halt) {
        self.note(why);
        self.end();
    }

    /// The first reason counts: the others follow from it. But for the store's: without it nothing is certain.
    /// The store's is said at once, and once: the round goes on until the store has every outcome.
    pub fn note(&self, why: Halt) {
        let halt = &mut self.state().tally.halt;
        if let (Halt::Store(e), false) = (&why, matches!(halt, Some(Halt::Store(_)))) {
            error!(event = "sending_pauses", "sending pauses: {e}");
        }
        if halt.is_none() || matches!(why, Halt::Store(_)) {
            *halt = Some(why);
        }
    }

    pub fn press(&self, key: EditionKey, variant: &str) -> Option<Arc<dyn Press>> {
        self.state().presses.get(&(key, variant.to_owned())).cloned()
    }

    pub fn keep_press(&self, key: EditionKey, variant: &str, press: &Arc<dyn Press>) {
        let mut state = self.state();
        // Readers with choices of their own may be many, and their variants are no smaller than the edition.
        if state.presses.len() >= MOST_VARIANTS {
            state.presses.clear();
        }
        state.presses.insert((key, variant.to_owned()), Arc::clone(press));
    }

    pub fn is_shut(&self, key: EditionKey) -> bool {
        self.state().shut.contains_key(&key)
    }

    /// Nothing more of this edition; true for whoever says so first.
    pub fn shut(&self, key: EditionKey, reason: &str) -> bool {
        let mut state = self.state();
        let first = state.shut.insert(key, false).is_none();
        if first {
            state.tally.paused.push((key, reason.to_owned()));
        }
        first
    }

    /// The store knows of it: it gives claims of this edition only when somebody has resumed it.
    pub fn paused(&self, key: EditionKey) {
        self.state().shut.insert(key, true);
    }

    /// The editions that the store will not give out, unless they are resumed.
    pub fn all_paused(&self) -> HashSet<EditionKey> {
        self.state().shut.iter().filter(|(_, known)| **known).map(|(key, _)| *key).collect()
    }

    /// Editions that were paused have been resumed.
    pub fn reopen(&self, resumed: &HashSet<EditionKey>) {
        self.state().shut.retain(|key, _| !resumed.contains(key));
    }

    pub fn refused(&self) {
        self.state().tally.refused += 1;
    }

    pub fn doubtful(&self) {
        self.state().tally.doubtful += 1;
    }

    /// Counts what has been settled; refusals and doubts were counted when they happened.
    pub fn settled(&self, outcome: &Outcome) {
        let tally = &mut self.state().tally;
        match outcome {
            Outcome::Accepted { .. } => tally.accepted += 1,
            Outcome::Deferred { .. } => tally.deferred += 1,
            Outcome::Failed { .. } => tally.failed += 1,
            Outcome::Released { .. } => tally.released += 1,
            Outcome::Held { .. } => tally.held += 1,
            Outcome::Skipped { .. } => {}
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
