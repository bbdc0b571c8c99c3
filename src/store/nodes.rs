//! The verbs of nodes that share a store: who is alive, which of them decides, what a destination has asked all of them for.
//! All leases are measured with one clock: the database's, where there are several machines. Knows no server.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::Result;

/// A node's place among those that are alive, for shares that add up to the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub of: u32,
    /// From 0.
    pub nth: u32,
}

impl Place {
    #[must_use]
    pub fn alone() -> Self {
        Self { of: 1, nth: 0 }
    }

    /// This node's part of `whole`; the parts of all nodes are `whole` together, or one for each.
    #[must_use]
    pub fn share(self, whole: u32) -> u32 {
        let of = self.of.max(1);
        (whole / of + u32::from(self.nth < whole % of)).max(1)
    }
}

/// A destination that is left alone for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub destination: String,
    pub remaining: SignedDuration,
    pub reason: String,
}

#[async_trait]
pub trait Nodes: Send + Sync {
    /// Says that `node` is alive for `lease` from now on; its claims live as long.
    async fn beat(&self, node: &str, lease: SignedDuration, now: Timestamp) -> Result<Place>;
    /// Says that `node` has ended well: its share is the others' at once.
    async fn leave(&self, node: &str) -> Result<()>;
    /// Takes or renews the lease called `what`: a fencing number if `node` has it now, the same as long as it is kept.
    async fn lead(&self, what: &str, node: &str, lease: SignedDuration, now: Timestamp) -> Result<Option<i64>>;
    /// Leaves `destination` alone for `wait`, on all nodes, unless it is for longer already.
    async fn hold_off(&self, destination: &str, wait: SignedDuration, reason: &str, now: Timestamp) -> Result<()>;
    /// What is left alone, and for how much longer.
    async fn holds(&self, now: Timestamp) -> Result<Vec<Held>>;
    /// Waits until another process says that something may be due; for ever where there is none to say so.
    async fn woken(&self) -> Result<()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up() {
        for (whole, of) in [(8, 3), (8, 2), (9, 3), (1, 1), (100, 7)] {
            let shares: Vec<u32> = (0..of).map(|nth| Place { of, nth }.share(whole)).collect();
            assert_eq!(shares.iter().sum::<u32>(), whole, "{shares:?}");
            assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1);
        }
        assert_eq!(Place { of: 5, nth: 4 }.share(2), 1, "nobody is left out");
    }
}
