//! Marks and outcomes of all workers, written together: while one transaction is on its way to the disk, the next one
//! gathers. In the order they are given in, so that whoever sees a mark written knows that what came before it is, too.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::Outbox;
use super::round::Round;
use crate::domain::delivery::Outcome;
use crate::store::{Claim, Pen, Step, StoreError};

/// In one transaction at most.
const MOST: usize = 256;
/// A transaction that takes so long is worth waiting for those who are about to come.
const SLOW: Duration = Duration::from_micros(1_500);
const GATHER: Duration = Duration::from_millis(1);

struct Entry {
    step: Step,
    answer: oneshot::Sender<Result<bool, StoreError>>,
}

/// Whether a step was written: whether the claim still held.
pub struct Written(oneshot::Receiver<Result<bool, StoreError>>);

impl Written {
    pub async fn wait(self) -> Result<bool, StoreError> {
        self.0.await.unwrap_or_else(|_| Err(StoreError::Other("the ledger has been closed".to_owned())))
    }
}

/// A worker's way to the ledger. When all are gone, it ends.
#[derive(Clone)]
pub struct Ledger(mpsc::UnboundedSender<Entry>);

impl Ledger {
    pub fn open(outbox: Arc<Outbox>, round: Arc<Round>) -> Self {
        let (sender, mut entries) = mpsc::unbounded_channel::<Entry>();
        tokio::spawn(async move {
            let (mut pen, mut took) = (None, Duration::ZERO);
            while let Some(first) = entries.recv().await {
                let mut batch = vec![first];
                gather(&mut entries, &mut batch, &round, took).await;
                let begun = Instant::now();
                write(&outbox, &mut pen, batch).await;
                took = begun.elapsed();
            }
        });
        Self(sender)
    }

    /// Before the message ends.
    pub fn mark(&self, claim: &Claim) -> Written {
        self.give(Step::Mark(claim.clone()))
    }

    pub fn settle(&self, claim: &Claim, outcome: &Outcome) -> Written {
        self.give(Step::Settle(claim.clone(), outcome.clone()))
    }

    fn give(&self, step: Step) -> Written {
        let (answer, written) = oneshot::channel();
        // A ledger that is gone takes the answer's other end with it, and the waiter hears so.
        drop(self.0.send(Entry { step, answer }));
        Written(written)
    }
}

/// Whoever is still on the wire will be here in a moment: on a slow disk it is worth the wait for one transaction less.
async fn gather(entries: &mut mpsc::UnboundedReceiver<Entry>, batch: &mut Vec<Entry>, round: &Round, took: Duration) {
    let is_mark = |entry: &Entry| matches!(entry.step, Step::Mark(_));
    let mut marks = usize::from(batch.first().is_some_and(is_mark));
    let deadline = tokio::time::Instant::now() + GATHER;
    while batch.len() < MOST {
        let next = match entries.try_recv() {
            Ok(next) => next,
            Err(_) if took < SLOW || marks == 0 || marks >= round.queue.being_sent() => return,
            Err(_) => match tokio::time::timeout_at(deadline, entries.recv()).await {
                Ok(Some(next)) => next,
                _ => return,
            },
        };
        marks += usize::from(is_mark(&next));
        batch.push(next);
    }
}

async fn write(outbox: &Outbox, pen: &mut Option<Box<dyn Pen>>, batch: Vec<Entry>) {
    let (steps, answers): (Vec<Step>, Vec<_>) = batch.into_iter().map(|entry| (entry.step, entry.answer)).unzip();
    let written = advance(outbox, pen, &steps).await;
    for (at, answer) in answers.into_iter().enumerate() {
        let one = match &written {
            Ok(held) => Ok(held.get(at).copied().unwrap_or(false)),
            Err(error) => Err(error.clone()),
        };
        // Whoever has stopped waiting has been told to stop.
        drop(answer.send(one));
    }
}

/// With a pen that has not failed yet.
async fn advance(outbox: &Outbox, kept: &mut Option<Box<dyn Pen>>, steps: &[Step]) -> Result<Vec<bool>, StoreError> {
    let mut pen = match kept.take() {
        Some(pen) => pen,
        None => outbox.store.pen(&outbox.settings.node).await?,
    };
    let written = pen.advance(steps, outbox.clock.now()).await?;
    *kept = Some(pen);
    Ok(written)
}
