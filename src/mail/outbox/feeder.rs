//! Claims deliveries for all workers of a round, a little ahead of them, and puts each on the way it is to go. Knows the store
//! and the ways; not what becomes of a claim.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::debug;

use super::ledger::Ledger;
use super::round::{Halt, Round};
use super::{Outbox, lease};
use crate::domain::delivery::{Outcome, after, mix};
use crate::store::Claim;

/// Claims are made for about this long, so that a confirmation does not wait longer behind an edition.
const AHEAD: Duration = Duration::from_millis(500);
const MOST: u32 = 512;
/// In this process's hands in all, however slow some ways are.
const MOST_HELD: usize = 2_048;

pub struct Feeder {
    pub outbox: Arc<Outbox>,
    pub round: Arc<Round>,
    pub ledger: Ledger,
}

impl Feeder {
    /// Until nothing is due and nobody is busy, or the round is over; what is left then goes back to the queue.
    pub async fn run(self) {
        let mut batch = self.outbox.connections().clamp(1, MOST);
        let mut claimed_at: Option<Instant> = None;
        let mut dry_since: Option<Instant> = None;
        while !self.round.is_over() {
            self.outbox.life.show();
            let ways = self.outbox.open_ways();
            if ways.is_empty() {
                break;
            }
            let level = self.round.queue.level(&ways);
            let low = batch as usize / 2 / ways.len().max(1);
            if level.least > low || level.waiting >= MOST_HELD {
                self.wait().await;
                continue;
            }
            let claims = match self.claim(batch).await {
                Ok(claims) => claims,
                Err(e) => {
                    self.round.halt(Halt::Store(e));
                    break;
                }
            };
            if claims.is_empty() {
                if level.waiting + level.in_hand == 0 {
                    break;
                }
                // Nothing new has come for longer than claims are to last: what still waits, waits for a slow way.
                if dry_since.get_or_insert_with(Instant::now).elapsed() >= self.outbox.settings.tick.max(AHEAD) {
                    self.round.queue.even_out(&ways);
                }
                self.wait().await;
                claimed_at = None;
                continue;
            }
            batch = next_batch(batch, claimed_at.map(|at| at.elapsed()), self.outbox.connections());
            claimed_at = Some(Instant::now());
            dry_since = None;
            self.spread(claims, low).await;
        }
        self.round.end();
        self.give_back(self.round.queue.drain()).await;
    }

    async fn claim(&self, batch: u32) -> Result<Vec<Claim>, crate::store::StoreError> {
        let (now, paused) = (self.outbox.clock.now(), self.round.all_paused());
        let claims = self.outbox.store.claim(&self.outbox.settings.node, batch, now, lease(now)).await?;
        let resumed = claims.iter().map(|claim| claim.key.edition).filter(|key| paused.contains(key));
        self.round.reopen(&resumed.collect());
        Ok(claims)
    }

    async fn wait(&self) {
        tokio::select! {
            () = self.round.queue.low() => {}
            () = self.round.over() => {}
            () = self.outbox.wake.notified() => {}
            () = tokio::time::sleep(self.outbox.settings.tick) => {}
        }
    }

    /// Puts claims on the open ways; without any, they go back and the round is over.
    pub async fn spread(&self, claims: Vec<Claim>, low: usize) {
        let ways = self.outbox.open_ways();
        if ways.is_empty() {
            self.round.end();
            return self.give_back(claims).await;
        }
        let picked = claims.into_iter().map(|claim| (pick(&ways, claim.key.subscriber), claim));
        self.round.queue.fill(picked, &ways, low);
    }

    async fn give_back(&self, claims: Vec<Claim>) {
        if claims.is_empty() {
            return;
        }
        debug!(claims = claims.len(), "given back unsent");
        let outcome = Outcome::Released {
            until: after(self.outbox.clock.now(), Duration::ZERO),
            reason: "given back unsent".to_owned(),
        };
        let written: Vec<_> = claims.iter().map(|claim| self.ledger.settle(claim, &outcome)).collect();
        for written in written {
            if written.wait().await.is_ok() {
                self.round.settled(&outcome);
            }
        }
    }
}

/// Twice as many if the last ones did not last, half if they lasted long; never fewer than there are connections.
fn next_batch(batch: u32, lasted: Option<Duration>, connections: u32) -> u32 {
    match lasted {
        Some(lasted) if lasted < AHEAD / 2 => (batch * 2).min(MOST),
        Some(lasted) if lasted > AHEAD * 2 => (batch / 2).max(connections.clamp(1, MOST)),
        _ => batch,
    }
}

/// A reader's mail goes the same way each time, as long as it is open: to the reader's server, ours are the same as last month.
fn pick(ways: &[(usize, u32)], subscriber: i64) -> usize {
    let whole: u64 = ways.iter().map(|(_, weight)| u64::from(*weight)).sum();
    let mut at = mix(u64::from_be_bytes(subscriber.to_be_bytes())) % whole.max(1);
    for (way, weight) in ways {
        if at < u64::from(*weight) {
            return *way;
        }
        at -= u64::from(*weight);
    }
    ways.last().map_or(0, |(way, _)| *way)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_shares_and_a_reader_keeps_the_way() {
        let ways = [(0, 3), (2, 1)];
        let mut counts = [0_u32; 3];
        for subscriber in 0..10_000 {
            counts[pick(&ways, subscriber)] += 1;
            assert_eq!(pick(&ways, subscriber), pick(&ways, subscriber));
        }
        assert!((7_300..7_700).contains(&counts[0]) && counts[1] == 0, "{counts:?}");
        assert_eq!(pick(&[(1, 1)], 7), 1);
    }

    #[test]
    fn claims_are_made_half_a_second_ahead() {
        for (lasted, expected) in [(Some(10), 128), (Some(500), 64), (Some(2_000), 32), (None, 64)] {
            assert_eq!(next_batch(64, lasted.map(Duration::from_millis), 4), expected, "{lasted:?}");
        }
        assert_eq!(next_batch(512, Some(Duration::ZERO), 4), 512);
        assert_eq!(next_batch(8, Some(Duration::from_secs(9)), 8), 8);
    }
}
