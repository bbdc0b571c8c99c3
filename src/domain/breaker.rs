//! When refusals by policy pause an edition. One says little: a provider may dislike one reader's filters. Many, or any while
//! the edition is being tried out, say that the rest would be refused, too, and that the sender's name would suffer.

use std::collections::VecDeque;

/// How many of the last attempts are looked at, and how many refusals, and which share, are too many.
const WINDOW: usize = 500;
const MOST: usize = 10;
const ONE_OF: usize = 20;
/// So many, and nothing else.
const NOTHING_ELSE: usize = 3;

#[derive(Debug, Default)]
pub struct Breaker {
    /// Whether each of the last attempts was refused.
    window: VecDeque<bool>,
}

impl Breaker {
    /// An attempt was refused by policy; true if that is enough. `canary`: it was one of those that are watched.
    pub fn refused(&mut self, canary: bool) -> bool {
        self.look(true);
        let refused = self.window.iter().filter(|refused| **refused).count();
        let many = refused >= MOST && refused * ONE_OF > self.window.len();
        let trips = canary || many || (refused >= NOTHING_ELSE && refused == self.window.len());
        if trips {
            // Who goes on from here has mended it.
            self.window.clear();
        }
        trips
    }

    /// An attempt came to something else.
    pub fn passed(&mut self) {
        self.look(false);
    }

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

    #[test]
    fn the_first_refusal_of_a_canary_is_enough() {
        assert!(Breaker::default().refused(true));
    }

    #[test]
    fn refusals_and_nothing_else_are_enough_soon() {
        let mut breaker = Breaker::default();
        assert_eq!([breaker.refused(false), breaker.refused(false), breaker.refused(false)], [false, false, true]);
        assert!(!breaker.refused(false), "it starts anew");
    }

    #[test]
    fn a_few_among_many_are_shrugged_off_and_one_in_twenty_is_not() {
        let mut breaker = Breaker::default();
        for _ in 0..50 {
            (0..25).for_each(|_| breaker.passed());
            assert!(!breaker.refused(false));
        }
        let mut breaker = Breaker::default();
        let tripped = (0..500).find(|n| {
            if n % 15 == 0 {
                return breaker.refused(false);
            }
            breaker.passed();
            false
        });
        assert_eq!(tripped, Some(135), "the tenth");
    }
}
