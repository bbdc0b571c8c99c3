//! Marks and outcomes of all workers, written together: while one transaction is on its way to the disk, the next one
//! gathers. In the order they are given in, so that whoever sees a mark written knows that what came before it is, too.

use tokio::sync::{mpsc, oneshot};

use super::{Outbox, lease};
use crate::domain::delivery::Outcome;
use crate::store::{Claim, Step, StoreError};

/// In one transaction at most.
const MOST: usize = 256;

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
    pub fn open(outbox: std::sync::Arc<Outbox>) -> Self {
        let (sender, mut entries) = mpsc::unbounded_channel::<Entry>();
        tokio::spawn(async move {
            while let Some(first) = entries.recv().await {
                let mut batch = vec![first];
                while batch.len() < MOST
                    && let Ok(next) = entries.try_recv()
                {
                    batch.push(next);
                }
                write(&outbox, batch).await;
            }
        });
        Self(sender)
    }

    /// Just before the final dot.
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

async fn write(outbox: &Outbox, batch: Vec<Entry>) {
    let (steps, answers): (Vec<Step>, Vec<_>) = batch.into_iter().map(|entry| (entry.step, entry.answer)).unzip();
    let now = outbox.clock.now();
    let written = outbox.store.advance(&outbox.settings.node, &steps, now, lease(now)).await;
    for (at, answer) in answers.into_iter().enumerate() {
        let one = match &written {
            Ok(held) => Ok(held.get(at).copied().unwrap_or(false)),
            Err(error) => Err(error.clone()),
        };
        // Whoever has stopped waiting has been told to stop.
        drop(answer.send(one));
    }
}
