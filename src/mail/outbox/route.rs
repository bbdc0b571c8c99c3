//! One way out of the outbox: a relay, how fast it may be used, and since when it is left alone. Outlives rounds, so that what
//! a relay has asked for is remembered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;

use super::Halt;
use crate::domain::delivery::{Outcome, after};
use crate::domain::pace::{Limits, Pace};
use crate::mail::transport::Transport;
use crate::store::Place;

/// The pauses after a server's trouble: the last one again and again.
const PAUSES: [Duration; 5] = [
    Duration::from_mins(1),
    Duration::from_mins(2),
    Duration::from_mins(4),
    Duration::from_mins(8),
    Duration::from_mins(15),
];
/// The pause after something that only an operator can put right.
const LONG_PAUSE: Duration = Duration::from_hours(1);
/// A relay that stays down is told of so often.
const AGAIN: Duration = Duration::from_hours(1);
/// So many messages in a row without an answer are the server's trouble.
const MOST_DOUBTFUL: u32 = 3;
/// A connection that was turned away means that there are too many, if another one has worked within this time.
const WORKING: Duration = Duration::from_secs(30);

/// A way out as it is configured.
#[derive(Clone)]
pub struct Way {
    pub transport: Transport,
    /// Its share of the messages; 0: only if all others are down.
    pub weight: u32,
    /// For all nodes together.
    pub limits: Limits,
}

pub struct Route {
    pub name: String,
    pub way: Way,
    state: Mutex<State>,
    /// More connections may be in use than before.
    more: Notify,
    counts: [AtomicU64; OUTCOMES.len()],
}

/// What can come of an attempt.
pub const OUTCOMES: [&str; 6] = ["accepted", "deferred", "failed", "refused", "doubtful", "released"];

struct State {
    pace: Pace,
    pause: Pause,
    doubtful_in_a_row: u32,
    /// Workers that have a connection, or are about to open one.
    in_use: u32,
    worked_at: Timestamp,
}

impl Route {
    pub fn new(way: Way) -> Self {
        let state = State {
            pace: Pace::new(way.limits),
            pause: Pause::default(),
            doubtful_in_a_row: 0,
            in_use: 0,
            worked_at: Timestamp::MIN,
        };
        let (name, more, counts) = (way.transport.name(), Notify::new(), Default::default());
        Self { name, way, state: Mutex::new(state), more, counts }
    }

    /// What came of an attempt that went this way; refusals and doubts are counted beside what they are settled as.
    pub fn count(&self, outcome: &str) {
        if let Some(at) = OUTCOMES.iter().position(|known| *known == outcome) {
            self.counts[at].fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn settled(&self, outcome: &Outcome) {
        match outcome {
            Outcome::Accepted { .. } => self.count("accepted"),
            Outcome::Deferred { .. } => self.count("deferred"),
            Outcome::Failed { .. } => self.count("failed"),
            Outcome::Released { .. } => self.count("released"),
            Outcome::Skipped { .. } | Outcome::Held { .. } => {}
        }
    }

    /// How often each came, since this process began to use it.
    pub fn counted(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        OUTCOMES.into_iter().zip(self.counts.iter().map(|count| count.load(Ordering::Relaxed)))
    }

    /// Whether nothing has gone this way since there was trouble.
    pub fn is_troubled(&self) -> bool {
        self.state().pause.troubles > 0
    }

    /// This node's part of what all of them may do.
    pub fn share(&self, place: Place) {
        let Limits { connections, a_minute, a_connection } = self.way.limits;
        self.state().pace.limit(Limits {
            connections: place.share(connections),
            a_minute: a_minute.map(|whole| place.share(whole)),
            a_connection,
        });
    }

    pub fn is_open(&self, now: Timestamp) -> bool {
        let state = self.state();
        state.pause.is_over(now) && state.pace.held(now).is_none()
    }

    /// A connection, if another one may be in use. To be given back.
    pub fn seat(&self) -> bool {
        let mut state = self.state();
        let free = state.in_use < state.allowed();
        state.in_use += u32::from(free);
        free
    }

    pub fn give_back(&self) {
        let mut state = self.state();
        state.in_use = state.in_use.saturating_sub(1);
        drop(state);
        self.more.notify_waiters();
    }

    /// Waits until there may be a seat.
    pub async fn more(&self) {
        self.more.notified().await;
    }

    /// Whether more connections are in use than may be.
    pub fn is_crowded(&self) -> bool {
        let state = self.state();
        state.in_use > state.allowed()
    }

    pub fn turn(&self, now: Timestamp) -> Duration {
        self.state().pace.turn(now)
    }

    /// A turn for one more message over a connection that has carried so many, if it can go at once.
    pub fn turn_at_once(&self, carried: u32, now: Timestamp) -> bool {
        let can = self.is_open(now) && !self.is_crowded() && !self.is_worn(carried);
        can && self.state().pace.turn_at_once(now)
    }

    pub fn is_worn(&self, carried: u32) -> bool {
        self.state().pace.messages_a_connection().is_some_and(|most| carried >= most)
    }

    pub fn accepted(&self, now: Timestamp) {
        let mut state = self.state();
        let before = state.allowed();
        state.pace.accepted(now);
        state.works(now);
        if state.allowed() > before {
            drop(state);
            self.more.notify_waiters();
        }
    }

    /// It has answered about a recipient: it works, even if it took nothing.
    pub fn answered(&self, now: Timestamp) {
        self.state().works(now);
    }

    /// True if it is to be left alone for that.
    pub fn doubtful(&self, now: Timestamp) -> bool {
        let mut state = self.state();
        state.doubtful_in_a_row += 1;
        let trouble = state.doubtful_in_a_row >= MOST_DOUBTFUL;
        if trouble {
            state.pause.after(PAUSES[0], now);
        }
        trouble
    }

    /// The server for now, or the operator: nothing goes this way for a while. True if whoever reads the log has not heard of it
    /// within the hour.
    pub fn halt(&self, why: &Halt, now: Timestamp) -> bool {
        let mut state = self.state();
        // Several connections find out at once.
        if !state.pause.is_over(now) {
            return false;
        }
        let wait = match why {
            Halt::Stopped(_) => LONG_PAUSE,
            Halt::Trouble(_) | Halt::Store(_) => PAUSES[state.pause.troubles.min(PAUSES.len() - 1)],
        };
        state.pause.after(wait, now);
        let news = state.pause.told.is_none_or(|told| after(told, AGAIN) <= now);
        if news {
            state.pause.told = Some(now);
        }
        news
    }

    pub fn slow_down(&self, least: Duration, now: Timestamp) -> Duration {
        let mut state = self.state();
        state.pace.slow_down(least, now);
        state.pace.held(now).unwrap_or_default()
    }

    pub fn hold(&self, wait: Duration, now: Timestamp) {
        self.state().pace.hold(wait, now);
    }

    pub fn worn(&self, carried: u32) {
        self.state().pace.worn(carried);
    }

    /// The server has closed a connection that had carried so many messages. False if that is trouble: it was a new one, and
    /// no other works.
    pub fn closing(&self, carried: u32, now: Timestamp) -> bool {
        let mut state = self.state();
        if carried > 0 {
            state.pace.worn(carried);
            return true;
        }
        let others = state.in_use.saturating_sub(1);
        let works = after(state.worked_at, WORKING) >= now;
        if works && others > 0 {
            state.pace.too_many(others, now);
        }
        works && others > 0
    }

    /// A worker that broke down leaves counts behind, which are whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn works(&mut self, now: Timestamp) {
        self.pause = Pause::default();
        (self.worked_at, self.doubtful_in_a_row) = (now, 0);
    }

    /// After trouble one connection finds out whether it is over.
    fn allowed(&self) -> u32 {
        if self.pause.troubles == 0 { self.pace.connections() } else { 1 }
    }
}

/// How long nothing is tried after trouble.
#[derive(Debug, Default)]
struct Pause {
    troubles: usize,
    until: Option<Timestamp>,
    /// When it was last told of.
    told: Option<Timestamp>,
}

impl Pause {
    fn is_over(&self, now: Timestamp) -> bool {
        // A clock that was set back does not keep everybody waiting for it.
        self.until.is_none_or(|until| now >= until || until > after(now, LONG_PAUSE))
    }

    fn after(&mut self, wait: Duration, now: Timestamp) {
        self.troubles += 1;
        self.until = Some(after(now, wait));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(connections: u32) -> Route {
        Route::new(Way {
            transport: Transport::files("mail".into()),
            weight: 1,
            limits: Limits { connections, a_minute: None, a_connection: None },
        })
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_793_520_000 + seconds).unwrap()
    }

    #[test]
    fn pauses_grow_to_a_quarter_of_an_hour_and_end_with_the_trouble() {
        let (route, mut now) = (route(4), 0);
        assert!(route.is_open(at(now)));
        for minutes in [1, 2, 4, 8, 15, 15] {
            route.halt(&Halt::Trouble(String::new()), at(now));
            route.halt(&Halt::Trouble("the other connections'".into()), at(now));
            assert!(!route.is_open(at(now + minutes * 60 - 1)));
            now += minutes * 60;
            assert!(route.is_open(at(now)));
            assert!(route.seat() && !route.seat(), "one connection finds out");
            route.give_back();
        }
        route.accepted(at(now));
        assert!(route.seat() && route.seat());
    }

    #[test]
    fn a_relay_that_stays_down_is_told_of_once_an_hour() {
        let route = route(4);
        let down = |minutes: i64| route.halt(&Halt::Trouble(String::new()), at(minutes * 60));
        let told: Vec<i64> = (0..1_440).filter(|minute| down(*minute)).collect();
        assert!(told.len() <= 24 && told[0] == 0, "{told:?}");
        route.accepted(at(90_000));
        assert!(route.halt(&Halt::Trouble(String::new()), at(90_001)), "it worked, and does not any more");
    }

    #[test]
    fn what_only_an_operator_can_mend_is_tried_once_an_hour() {
        let route = route(4);
        route.halt(&Halt::Stopped(String::new()), at(0));
        assert!(!route.is_open(at(3_599)) && route.is_open(at(3_600)));
    }

    #[test]
    fn silence_after_the_dot_is_the_servers_trouble_only_in_a_row() {
        let route = route(4);
        for n in 0..5 {
            assert!(!route.doubtful(at(n)) && !route.doubtful(at(n)));
            route.accepted(at(n));
        }
        assert_eq!([(); 3].map(|()| route.doubtful(at(9))), [false, false, true]);
        assert!(!route.is_open(at(9)));
    }

    #[test]
    fn a_closed_connection_is_trouble_if_it_was_new_and_no_other_works() {
        let route = route(4);
        assert!(route.seat() && route.seat());
        assert!(!route.closing(0, at(0)), "nothing has worked yet");
        route.accepted(at(0));
        assert!(route.closing(0, at(10)), "one too many");
        assert!(route.is_crowded());
        route.give_back();
        assert!(!route.is_crowded() && !route.seat());
        assert!(!route.closing(0, at(10)), "it is the only one");
        assert!(route.closing(7, at(100)));
        assert!(route.is_worn(7) && !route.is_worn(6));
    }
}
