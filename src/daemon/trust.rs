//! Whether the clock can be believed: a clock that jumps by more than a day would open digests of months that are not over,
//! or not open those that are. Knows two clocks as arguments, the one that can be set and one that cannot.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// No daylight saving, no leap second and no slow correction moves a clock by more.
const JUMP: SignedDuration = SignedDuration::from_hours(24);
/// So long a clock must have run on evenly after a jump.
const PROOF: Duration = Duration::from_hours(1);

/// What a look at the clock has told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Believed,
    /// It has just jumped by so much.
    Jumped(SignedDuration),
    /// It jumped a while ago.
    Doubted,
    /// It is where it belongs again, or has proved itself.
    BelievedAgain,
}

impl Verdict {
    #[must_use]
    pub fn is_good(self) -> bool {
        matches!(self, Self::Believed | Self::BelievedAgain)
    }
}

/// What the clocks said when they last agreed, and since when they have not.
#[derive(Debug, Default)]
pub struct Trust {
    agreed: Option<(Timestamp, Duration)>,
    doubt: Option<Doubt>,
}

#[derive(Debug, Clone, Copy)]
struct Doubt {
    since: Duration,
    /// By how much the clock was off.
    off: SignedDuration,
}

impl Trust {
    #[must_use]
    pub fn is_in_doubt(&self) -> bool {
        self.doubt.is_some()
    }

    /// `steady` is what a clock says that nobody sets; without one, the other is believed.
    pub fn look(&mut self, now: Timestamp, steady: Option<Duration>) -> Verdict {
        let Some(steady) = steady else { return Verdict::Believed };
        let (then, steady_then) = *self.agreed.get_or_insert((now, steady));
        let passed = SignedDuration::try_from(steady.saturating_sub(steady_then)).unwrap_or(SignedDuration::MAX);
        let off = now.duration_since(then).saturating_sub(passed);
        let proved =
            |doubt: Doubt| steady.saturating_sub(doubt.since) >= PROOF && off.saturating_sub(doubt.off).abs() <= JUMP;
        if off.abs() <= JUMP || self.doubt.is_some_and(proved) {
            self.agreed = Some((now, steady));
            return if self.doubt.take().is_some() { Verdict::BelievedAgain } else { Verdict::Believed };
        }
        match self.doubt {
            Some(doubt) if off.saturating_sub(doubt.off).abs() <= JUMP => Verdict::Doubted,
            _ => {
                self.doubt = Some(Doubt { since: steady, off });
                Verdict::Jumped(off)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Minutes that have passed, and by how many hours the clock is off then.
    fn told(looks: &[(u64, i64)]) -> Vec<Verdict> {
        let mut trust = Trust::default();
        let look = |&(minutes, hours): &(u64, i64)| {
            let steady = Duration::from_mins(minutes);
            let wall = SignedDuration::from_mins(i64::try_from(minutes).unwrap()) + SignedDuration::from_hours(hours);
            trust.look("2026-11-01T00:00:00Z".parse::<Timestamp>().unwrap() + wall, Some(steady))
        };
        looks.iter().map(look).collect()
    }

    #[test]
    fn a_clock_that_jumps_by_more_than_a_day_is_doubted_until_it_has_run_for_an_hour_or_is_back() {
        use Verdict::{Believed, BelievedAgain, Doubted, Jumped};
        let jumped = |hours| Jumped(SignedDuration::from_hours(hours));
        for (looks, verdicts) in [
            (vec![(0, 0), (1, 0), (2, 0), (90, 0)], vec![Believed; 4]),
            (vec![(0, 0), (1, 1), (2, -2), (3, 23)], vec![Believed, Believed, Believed, jumped(25)]),
            (vec![(0, 0), (1, 720), (2, 720), (60, 720)], vec![Believed, jumped(720), Doubted, Doubted]),
            (vec![(0, 0), (1, 720), (61, 720), (62, 720)], vec![Believed, jumped(720), BelievedAgain, Believed]),
            (vec![(0, 0), (1, 720), (9, 0), (10, 0)], vec![Believed, jumped(720), BelievedAgain, Believed]),
            (vec![(0, 0), (1, 720), (50, -960), (90, -960)], vec![Believed, jumped(720), jumped(-960), Doubted]),
        ] {
            let told = told(&looks);
            let expected: Vec<Verdict> = verdicts;
            let rough = |v: &Verdict| format!("{v:?}").split('(').next().unwrap().to_owned();
            assert_eq!(
                told.iter().map(rough).collect::<Vec<_>>(),
                expected.iter().map(rough).collect::<Vec<_>>(),
                "{looks:?}"
            );
        }
    }

    #[test]
    fn a_clock_without_another_is_believed() {
        let mut trust = Trust::default();
        for day in ["2026-11-01T00:00:00Z", "2036-11-01T00:00:00Z", "2020-01-01T00:00:00Z"] {
            assert_eq!(trust.look(day.parse().unwrap(), None), Verdict::Believed);
        }
    }
}
