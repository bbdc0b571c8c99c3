//! How fast messages may go to one destination: so many connections, so many a minute, so many over one connection; fewer
//! after the destination has said that it is too much, and slowly more again. Pure arithmetic over instants that are given.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use super::delivery::after;

/// What the configuration allows at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub connections: u32,
    /// Messages a minute; none: as many as go.
    pub a_minute: Option<u32>,
    pub a_connection: Option<u32>,
}

/// So many connections at first; twice as many each time all of them have carried a few messages.
const FIRST: u32 = 2;
const CARRIED: u64 = 8;
/// The share of what went through in the last minute that is tried after a slow-down, in hundredths, and what is added to it
/// for each minute without one.
const LESS: f64 = 0.92;
const MORE: f64 = 1.04;
/// After an hour without a slow-down a rate that was learned is forgotten.
const FORGOTTEN: Duration = Duration::from_hours(1);
/// The pause after a slow-down, twice as long each time nothing has gone through in between.
const PAUSE: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_mins(15);
/// Nobody asks for more: whoever is to wait for longer has had the clock set back meanwhile.
const LONGEST_HOLD: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub struct Pace {
    limits: Limits,
    /// Connections that may be open now.
    open: u32,
    /// What went through since `open` last grew.
    carried: u64,
    /// Messages a minute that the destination has been found to take.
    learned: Option<f64>,
    learned_at: Timestamp,
    slowed_at: Timestamp,
    /// Slow-downs since something last went through.
    slowed: u32,
    /// Messages over one connection, after which the destination was seen to close it.
    worn_after: Option<u32>,
    /// How many went through in each of the last seconds.
    minute: VecDeque<(i64, u32)>,
    next_at: Timestamp,
    held_until: Timestamp,
}

impl Pace {
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let never = Timestamp::MIN;
        Self {
            open: FIRST.min(limits.connections),
            limits,
            carried: 0,
            learned: None,
            learned_at: never,
            slowed_at: never,
            slowed: 0,
            worn_after: None,
            minute: VecDeque::new(),
            next_at: never,
            held_until: never,
        }
    }

    /// Other nodes have come or gone: this one's share is another one.
    pub fn limit(&mut self, limits: Limits) {
        if limits != self.limits {
            self.open = self.open.min(limits.connections);
            self.limits = limits;
        }
    }

    /// How many connections may be open now.
    #[must_use]
    pub fn connections(&self) -> u32 {
        self.open
    }

    /// After how many messages a connection is given up before the destination does it.
    #[must_use]
    pub fn messages_a_connection(&self) -> Option<u32> {
        self.limits.a_connection.into_iter().chain(self.worn_after).min()
    }

    /// How much longer nothing goes there.
    #[must_use]
    pub fn held(&self, now: Timestamp) -> Option<Duration> {
        let left = Duration::try_from(self.held_until.duration_since(now)).ok();
        left.filter(|left| !left.is_zero() && *left <= LONGEST_HOLD)
    }

    /// Nothing goes there for `wait`, unless it is for longer already.
    pub fn hold(&mut self, wait: Duration, now: Timestamp) {
        self.held_until = after(now, wait.max(self.held(now).unwrap_or_default()));
    }

    /// Takes the next turn: how long to wait for it.
    pub fn turn(&mut self, now: Timestamp) -> Duration {
        let Some(a_minute) = self.rate(now) else { return Duration::ZERO };
        // A clock that was set back does not keep everybody waiting for it.
        let longest = after(now, Duration::from_secs_f64(60.0 / a_minute.max(0.01)).max(MINUTE));
        let at = self.next_at.max(now).min(longest);
        self.next_at = after(at, Duration::from_secs_f64(60.0 / a_minute));
        Duration::try_from(at.duration_since(now)).unwrap_or_default()
    }

    /// Takes the next turn if there is nothing to wait for.
    pub fn turn_at_once(&mut self, now: Timestamp) -> bool {
        let is_due = self.next_at <= now;
        is_due && self.turn(now).is_zero()
    }

    /// Messages a minute at present: the smaller one of what is allowed and what was learned.
    fn rate(&mut self, now: Timestamp) -> Option<f64> {
        if self.learned.is_some() && passed(self.slowed_at, now) >= FORGOTTEN {
            self.learned = None;
        }
        if let Some(learned) = &mut self.learned
            && passed(self.learned_at, now) >= MINUTE
        {
            *learned = (*learned * MORE).max(*learned + 0.5);
            self.learned_at = now;
        }
        let allowed = self.limits.a_minute.map(f64::from);
        [allowed, self.learned].into_iter().flatten().min_by(f64::total_cmp)
    }

    pub fn accepted(&mut self, now: Timestamp) {
        self.slowed = 0;
        self.carried += 1;
        self.count(now);
        if self.open < self.limits.connections && self.carried >= CARRIED * u64::from(self.open) {
            // Quickly at first, one by one once the destination has said that there were too many.
            let more = if self.slowed_at == Timestamp::MIN { self.open } else { 1 };
            self.open = (self.open + more).min(self.limits.connections);
            self.carried = 0;
        }
    }

    /// The destination says that it is too much: a pause of `least` at the least, fewer connections, a lower rate.
    pub fn slow_down(&mut self, least: Duration, now: Timestamp) {
        // Several connections are told the same at once.
        if self.slowed > 0 && self.held(now).is_some() {
            return self.hold(least, now);
        }
        let through = f64::from(self.last_minute(now));
        let before = self.learned.unwrap_or(f64::MAX);
        self.learned = Some((through.min(before) * LESS).max(1.0));
        (self.learned_at, self.slowed_at) = (now, now);
        self.open = (self.open / 2).max(1);
        self.carried = 0;
        let pause = PAUSE.saturating_mul(1 << self.slowed.min(10)).min(LONGEST);
        self.slowed += 1;
        self.hold(pause.max(least), now);
    }

    /// One connection was turned away while `open` others are in use: that is how many there may be.
    pub fn too_many(&mut self, open: u32, now: Timestamp) {
        self.open = open.clamp(1, self.limits.connections);
        self.carried = 0;
        self.slowed_at = now;
    }

    /// The destination has closed a connection that had carried `messages`.
    pub fn worn(&mut self, messages: u32) {
        self.worn_after = Some(self.worn_after.map_or(messages, |before| before.min(messages)).max(1));
    }

    fn count(&mut self, now: Timestamp) {
        let second = now.as_second();
        match self.minute.back_mut() {
            Some((at, n)) if *at == second => *n += 1,
            _ => self.minute.push_back((second, 1)),
        }
        while self.minute.front().is_some_and(|(at, _)| *at <= second - 60) {
            self.minute.pop_front();
        }
    }

    fn last_minute(&self, now: Timestamp) -> u32 {
        let oldest = now.as_second() - 60;
        self.minute.iter().filter(|(at, _)| *at > oldest).map(|(_, n)| n).sum()
    }
}

fn passed(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(connections: u32, a_minute: Option<u32>) -> Limits {
        Limits { connections, a_minute, a_connection: None }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_793_520_000_000 + millis).unwrap()
    }

    #[test]
    fn connections_grow_as_messages_go_through_and_no_further_than_allowed() {
        let mut pace = Pace::new(limits(20, None));
        let mut seen = vec![pace.connections()];
        for n in 0..400 {
            pace.accepted(at(n));
            if seen.last() != Some(&pace.connections()) {
                seen.push(pace.connections());
            }
        }
        assert_eq!(seen, [2, 4, 8, 16, 20]);
        assert_eq!(Pace::new(limits(1, None)).connections(), 1);
    }

    #[test]
    fn a_rate_is_kept_evenly() {
        let mut pace = Pace::new(limits(4, Some(60)));
        assert_eq!(pace.turn(at(0)), Duration::ZERO);
        assert_eq!(pace.turn(at(0)), Duration::from_secs(1));
        assert_eq!(pace.turn(at(500)), Duration::from_millis(1_500));
        assert_eq!(pace.turn(at(10_000)), Duration::ZERO, "what was not used is not made up for");
        assert_eq!(Pace::new(limits(4, None)).turn(at(0)), Duration::ZERO);
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_waiting() {
        let mut pace = Pace::new(limits(4, Some(60)));
        pace.turn(at(0));
        assert!(pace.turn(at(-40 * 86_400_000)) <= Duration::from_mins(1));
    }

    #[test]
    fn the_wait_a_provider_asks_for_is_kept_and_no_shorter_one_cuts_it() {
        let mut pace = Pace::new(limits(8, None));
        pace.slow_down(Duration::from_mins(10), at(0));
        pace.slow_down(Duration::ZERO, at(1_000));
        assert_eq!(pace.held(at(0)), Some(Duration::from_mins(10)));
        assert_eq!(pace.held(at(599_999)), Some(Duration::from_millis(1)));
        assert_eq!(pace.held(at(600_000)), None);
        assert_eq!(pace.connections(), 1);
    }

    #[test]
    fn pauses_double_until_something_goes_through() {
        let (mut pace, mut now, mut waits) = (Pace::new(limits(8, None)), 0, Vec::new());
        for _ in 0..10 {
            pace.slow_down(Duration::ZERO, at(now));
            let wait = pace.held(at(now)).unwrap();
            waits.push(wait.as_secs());
            now += i64::try_from(wait.as_millis()).unwrap();
        }
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
        pace.accepted(at(now));
        pace.slow_down(Duration::ZERO, at(now));
        assert_eq!(pace.held(at(now)), Some(PAUSE));
    }

    #[test]
    fn as_many_connections_are_open_as_the_destination_takes() {
        let mut pace = Pace::new(limits(20, None));
        (0..400).for_each(|n| pace.accepted(at(n)));
        pace.too_many(5, at(400));
        assert_eq!(pace.connections(), 5);
        (0..39).for_each(|n| pace.accepted(at(500 + n)));
        assert_eq!(pace.connections(), 5);
        pace.accepted(at(540));
        assert_eq!(pace.connections(), 6, "one more is tried now and then");
    }

    #[test]
    fn a_connection_is_given_up_before_the_destination_does_it() {
        let mut pace = Pace::new(Limits { a_connection: Some(100), ..limits(4, None) });
        assert_eq!(pace.messages_a_connection(), Some(100));
        pace.worn(20);
        pace.worn(50);
        assert_eq!(pace.messages_a_connection(), Some(20));
    }

    /// FAULTS B11: a server that takes so many a minute and says 451 4.7.0 to the rest.
    fn against_a_limit(allowed: u32, sliding: bool) -> (f64, f64) {
        let mut pace = Pace::new(limits(8, None));
        let (mut taken, mut refused, mut window): (u32, u32, VecDeque<i64>) = (0, 0, VecDeque::new());
        let (minutes, mut now) = (60, 0);
        while now < minutes * 60_000 {
            now += i64::try_from(pace.held(at(now)).unwrap_or_default().as_millis()).unwrap();
            now += i64::try_from(pace.turn(at(now)).as_millis()).unwrap();
            // The fastest that eight connections would be.
            now += 2;
            let begun = if sliding { now - 60_000 } else { now / 60_000 * 60_000 };
            while window.front().is_some_and(|at| *at < begun) {
                window.pop_front();
            }
            if window.len() < usize::try_from(allowed).unwrap() {
                window.push_back(now);
                taken += 1;
                pace.accepted(at(now));
            } else {
                refused += 1;
                pace.slow_down(Duration::ZERO, at(now));
            }
        }
        let may = f64::from(allowed) * f64::from(i32::try_from(minutes).unwrap());
        (f64::from(taken) / may, f64::from(refused) / f64::from(taken + refused))
    }

    #[test]
    fn a_servers_limit_is_found_and_used() {
        for allowed in [30, 100, 1_000] {
            for sliding in [false, true] {
                let (taken, refused) = against_a_limit(allowed, sliding);
                assert!(taken >= 0.9, "{allowed} a minute, sliding {sliding}: {taken:.3} of it used");
                assert!(refused <= 0.05, "{allowed} a minute, sliding {sliding}: {refused:.3} refused");
            }
        }
    }
}
