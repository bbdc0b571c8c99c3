//! One worker: one connection on one way, one claim after the other, each to its outcome.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tracing::{debug, error, info, warn};

use super::Outbox;
use super::ahead::{Job, job_ahead};
use super::feeder::Feeder;
use super::ledger::{Ledger, Written};
use super::making::{self, Unmade};
use super::round::{Halt, Round};
use super::route::Route;
use crate::config::OnDoubt;
use crate::domain::bounce::{Decision, Stage};
use crate::domain::bounce_class::{self, Class, Source};
use crate::domain::delivery::{Outcome, after, tried_for, wait_after};
use crate::mail::transport::{Channel, Failure, Sent};
use crate::render::message::Message;
use crate::store::{Claim, Judged, NewBounce, Verdict};

/// A server that swallowed one message without an answer may still be at it.
const DOUBT: Duration = Duration::from_mins(10);
/// Behind the others, so that one message that upsets the server does not keep them all waiting.
const BEHIND: Duration = Duration::from_mins(1);
/// What a policy refuses is not accepted a moment later.
const REFUSED: Duration = Duration::from_hours(1);
/// How long to wait before an outcome that could not be written is tried again: what is lost here is sent twice.
const SETTLE_WAIT: Duration = Duration::from_secs(1);
/// How long it is tried once everything is told to stop.
const SETTLE_LAST: u32 = 5;
/// How often it is looked whether one more connection may be in use.
const SEAT: Duration = Duration::from_millis(100);

pub struct Worker {
    outbox: Arc<Outbox>,
    round: Arc<Round>,
    ledger: Ledger,
    /// Which of the outbox's routes.
    way: usize,
    route: Arc<Route>,
    channel: Channel,
    /// The outcome before this message's, on its way to the disk: it is waited for before the next mark counts, so that no
    /// more than one message a connection is ever in doubt.
    before: Arc<Mutex<Option<Settling>>>,
    /// What the server said of the reader of the delivery at hand.
    bounced: Option<Bounced>,
    /// What is sent next: the server may know of it already.
    ahead: Option<Job>,
}

impl Worker {
    pub fn new(outbox: Arc<Outbox>, round: Arc<Round>, ledger: Ledger, way: usize) -> Self {
        let route = Arc::clone(&outbox.routes[way]);
        let channel = route.way.transport.channel();
        Self { outbox, round, ledger, way, route, channel, before: Arc::default(), bounced: None, ahead: None }
    }

    pub async fn run(mut self) {
        while self.seat().await {
            self.work().await;
            self.give_back_ahead().await;
            self.channel.close().await;
            self.route.give_back();
            self.settle_before().await;
        }
        self.settle_before().await;
    }

    /// Waits until this way is open and one more connection may be in use; false once there is nothing more to do.
    async fn seat(&self) -> bool {
        while !self.round.is_over() {
            if !self.route.is_open(self.outbox.clock.now()) {
                self.move_on().await;
            } else if self.route.seat() {
                return true;
            }
            tokio::select! {
                () = self.round.over() => {}
                () = self.route.more() => {}
                () = tokio::time::sleep(SEAT) => {}
            }
        }
        false
    }

    /// One claim after the other, while there are some and the way is open.
    async fn work(&mut self) {
        while self.route.is_open(self.outbox.clock.now()) && !self.route.is_crowded() {
            let Some(job) = self.next().await else { return };
            self.deliver(job).await;
            self.round.queue.done();
            if let Some(carried) = self.channel.take_worn() {
                self.route.worn(carried);
            }
            if self.route.is_worn(self.channel.carried()) {
                self.channel.close().await;
            }
        }
    }

    async fn next(&mut self) -> Option<Job> {
        if let Some(job) = self.ahead.take() {
            self.round.queue.turn();
            return Some(job);
        }
        let claim = if let Some(claim) = self.round.queue.try_next(self.way) {
            claim
        } else {
            // Nobody else waits for it while there is nothing to send.
            self.settle_before().await;
            self.round.queue.next(self.way).await?
        };
        self.pace().await;
        Some(Job { claim, made: None })
    }

    /// Whatever was to be sent next goes another way, or later.
    async fn give_back_ahead(&mut self) {
        let Some(Job { claim, .. }) = self.ahead.take() else { return };
        self.round.queue.turn();
        self.settle(claim, self.released(Duration::ZERO, "given back unsent")).await;
        self.round.queue.done();
    }

    async fn pace(&self) {
        let wait = self.route.turn(self.outbox.clock.now());
        if !wait.is_zero() {
            tokio::select! {
                () = self.round.over() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// This way is closed: what waits for it goes another; without any, the round is over.
    async fn move_on(&self) {
        let waiting = self.round.queue.drain_way(self.way);
        let (outbox, round, ledger) = (Arc::clone(&self.outbox), Arc::clone(&self.round), self.ledger.clone());
        Feeder { outbox, round, ledger }.spread(waiting, 0).await;
    }

    async fn deliver(&mut self, job: Job) {
        let Job { claim, made } = job;
        let outcome = if self.round.is_over() || self.round.is_shut(claim.key.edition) {
            self.released(Duration::ZERO, "given back unsent")
        } else {
            self.attempt(&claim, made).await
        };
        let bounced = self.bounced.take().map(|bounced| (claim.clone(), bounced));
        self.settle(claim, outcome).await;
        // After the outcome: whoever is suppressed has their deliveries skipped, this one too.
        if let Some((claim, bounced)) = bounced {
            self.settle_before().await;
            self.keep_bounce(&claim, &bounced).await;
        }
    }

    async fn settle(&self, claim: Claim, outcome: Outcome) {
        self.settle_before().await;
        let written = self.ledger.settle(&claim, &outcome);
        *self.before.lock().await = Some(Settling { claim, outcome, written });
    }

    async fn attempt(&mut self, claim: &Claim, made: Option<Result<Message, Unmade>>) -> Outcome {
        let made = match made {
            Some(made) => made,
            None => making::message(&self.outbox, &self.round, claim).await,
        };
        let message = match made {
            Ok(message) => message,
            Err(Unmade::Store(e)) => {
                self.round.halt(Halt::Store(e));
                return self.released(Duration::ZERO, "the store failed");
            }
            Err(Unmade::Template(problem)) => {
                self.round.halt(Halt::Stopped(format!("the digest cannot be rendered: {problem}")));
                return self.released(Duration::ZERO, "the digest cannot be rendered");
            }
            Err(Unmade::Over) => return Outcome::Skipped { reason: "its period is over".to_owned() },
            Err(Unmade::Message(words)) => {
                error!(event = "message_failed", edition = %claim.key.edition, subscriber = claim.key.subscriber, "no message can be made: {}", hushed(&words));
                return Outcome::Failed { reply: words };
            }
        };
        let mark = mark(self.parts(), Arc::clone(&self.before), claim.clone());
        let (outbox, round, route, way) = (&self.outbox, &self.round, &self.route, self.way);
        let (carried, ahead) = (self.channel.carried() + 1, &mut self.ahead);
        let next = async {
            *ahead = job_ahead(outbox, round, route, way, carried).await;
            ahead.as_ref()?.envelope()
        };
        match self.channel.send(claim.key, &message, mark, next).await {
            Ok(Sent::Accepted(reply)) => {
                self.route.accepted(self.outbox.clock.now());
                self.outbox.passed(claim);
                Outcome::Accepted { reply }
            }
            // If the claim is somebody else's by now, this changes nothing.
            Ok(Sent::Lost) => self.released(Duration::ZERO, "not sent: the claim was lost"),
            Err(failure) => self.failed(claim, &failure).await,
        }
    }

    /// What is to become of a delivery that did not go.
    async fn failed(&mut self, claim: &Claim, failure: &Failure) -> Outcome {
        let (words, now) = (&failure.words, self.outbox.clock.now());
        debug!(edition = %claim.key.edition, subscriber = claim.key.subscriber, "not delivered: {words}");
        match failure.decision {
            Decision::DeferRecipient => {
                self.route.answered(now);
                self.outbox.passed(claim);
                let outcome = self.later(claim, words, Duration::ZERO);
                if matches!(outcome, Outcome::Failed { .. }) {
                    self.bounced = Some(Bounced { class: bounce_class::of_reply(words), words: words.clone() });
                }
                outcome
            }
            Decision::FailRecipient { hard } => {
                self.route.answered(now);
                self.outbox.passed(claim);
                // What is refused after the data is the message.
                let class = if hard { Class::Dead } else { Class::Policy };
                self.bounced = Some(Bounced { class, words: words.clone() });
                Outcome::Failed { reply: words.clone() }
            }
            Decision::Refused => {
                self.route.answered(now);
                self.refused(claim, failure.stage, words).await;
                // Once its edition goes on it is tried again as if nothing had been, but not for ever.
                let often = self.outbox.upset(claim.key);
                if often { self.later(claim, words, REFUSED) } else { self.released(REFUSED, words) }
            }
            Decision::StopRun => {
                self.halt_way(Halt::Stopped(hushed(words)));
                self.released(Duration::ZERO, words)
            }
            Decision::ServerTrouble | Decision::Closing if self.upsets(claim, failure.stage) => {
                if self.route.is_troubled() {
                    self.halt_way(Halt::Trouble(hushed(words)));
                }
                self.later(claim, words, Duration::ZERO)
            }
            Decision::ServerTrouble => {
                self.halt_way(Halt::Trouble(hushed(words)));
                // A message that had not begun did not cause it, and may go another way.
                let elsewhere = failure.stage < Stage::Data && !self.outbox.open_ways().is_empty();
                self.released(if elsewhere { Duration::ZERO } else { BEHIND }, words)
            }
            Decision::Closing => self.closing(words),
            Decision::SlowDown { at_least } => self.slow_down(at_least, words).await,
            Decision::Accepted | Decision::Doubtful => self.doubtful(claim, words),
        }
    }

    /// Nothing goes this way for a while; what was on it goes another.
    fn halt_way(&self, why: Halt) {
        let news = self.route.halt(&why, self.outbox.clock.now());
        match &why {
            Halt::Stopped(words) => {
                error!(event = "relay_stopped", way = %self.route.name, "stopped for an hour, and again until somebody looks at it: {words}");
            }
            Halt::Trouble(words) if news => {
                warn!(event = "relay_paused", way = %self.route.name, "stopped for a while: {words}");
            }
            Halt::Trouble(words) => debug!(way = %self.route.name, "stopped for a while: {words}"),
            Halt::Store(_) => {}
        }
        self.round.note(why);
    }

    /// The server has closed the connection in an orderly way: it had carried enough, or was one too many, or all are closed.
    fn closing(&self, words: &str) -> Outcome {
        if self.route.closing(self.channel.carried(), self.outbox.clock.now()) {
            debug!(way = %self.route.name, "a connection was closed: {}", hushed(words));
            return self.released(Duration::ZERO, words);
        }
        self.halt_way(Halt::Trouble(hushed(words)));
        self.released(BEHIND, words)
    }

    /// Whether the server's trouble is this one message's: it has come with it again and again.
    fn upsets(&self, claim: &Claim, stage: Stage) -> bool {
        stage >= Stage::Rcpt && self.outbox.upset(claim.key)
    }

    async fn slow_down(&self, at_least: Duration, words: &str) -> Outcome {
        let now = self.outbox.clock.now();
        let wait = self.route.slow_down(at_least, now);
        warn!(event = "relay_slower", way = %self.route.name, seconds = wait.as_secs(), "slower: {}", hushed(words));
        self.round.note(Halt::Trouble(hushed(words)));
        self.outbox.hold_off(&self.route, wait, &hushed(words)).await;
        self.released(wait, words)
    }

    /// One says little; enough of them pause the edition, in the provider's words, before the sender's name is ruined.
    async fn refused(&self, claim: &Claim, stage: Stage, words: &str) {
        let (key, words) = (claim.key.edition, hushed(words));
        warn!(event = "delivery_refused", edition = %key, subscriber = claim.key.subscriber, "refused by policy: {words}");
        self.round.refused();
        self.route.count("refused");
        // Anybody can have a confirmation sent to an address that the relay dislikes: that is no word about us.
        let is_a_strangers = !key.is_edition() && stage == Stage::Rcpt;
        if is_a_strangers || !self.outbox.refused(claim) {
            return;
        }
        if !key.is_edition() {
            self.route.halt(&Halt::Stopped(words.clone()), self.outbox.clock.now());
            return self.round.note(Halt::Stopped(words));
        }
        if !self.round.shut(key, &words) {
            return;
        }
        let reason = format!("refused by policy: {words}");
        if let Err(e) = self.outbox.store.pause_edition(key, &reason, self.outbox.clock.now()).await {
            return self.round.halt(Halt::Store(e));
        }
        self.round.paused(key);
        error!(event = "edition_paused", edition = %key, "the edition is paused: {reason}; `gazetted digest resume` once that is mended");
    }

    fn doubtful(&self, claim: &Claim, words: &str) -> Outcome {
        warn!(event = "delivery_doubtful", edition = %claim.key.edition, subscriber = claim.key.subscriber, "in doubt: {}", hushed(words));
        self.round.doubtful();
        self.route.count("doubtful");
        if self.route.doubtful(self.outbox.clock.now()) {
            self.round.note(Halt::Trouble(hushed(words)));
        }
        match self.outbox.settings.on_doubt {
            OnDoubt::Resend => self.later(claim, words, DOUBT),
            OnDoubt::Hold => Outcome::Held { reason: words.to_owned() },
        }
    }

    /// Put off by the schedule, and by `least` at the least; given up once it has been tried for long enough.
    fn later(&self, claim: &Claim, words: &str, least: Duration) -> Outcome {
        let seed = u64::from_be_bytes(claim.key.subscriber.to_be_bytes());
        if tried_for(claim.attempt, seed) > self.outbox.settings.retry_for {
            return Outcome::Failed { reply: format!("given up after {} attempts: {words}", claim.attempt) };
        }
        let until = after(self.outbox.clock.now(), wait_after(claim.attempt, seed).max(least));
        Outcome::Deferred { reply: words.to_owned(), until }
    }

    fn released(&self, wait: Duration, reason: &str) -> Outcome {
        Outcome::Released { until: after(self.outbox.clock.now(), wait), reason: reason.to_owned() }
    }

    /// The server's final answer is a bounce like any other.
    async fn keep_bounce(&self, claim: &Claim, bounced: &Bounced) {
        let (id, edition) = (claim.key.subscriber, claim.key.edition);
        let bounce = NewBounce {
            subscriber: id,
            edition: Some(edition),
            recipient: Some(claim.email.clone()),
            source: Source::Smtp,
            class: bounced.class,
            status: bounce_class::code_in(&bounced.words).map(|code| code.to_string()),
            words: bounced.words.clone(),
            mark: format!("smtp {edition} {}", claim.fence),
            original: bounced.words.clone().into_bytes(),
        };
        match self.outbox.store.keep_bounce(&bounce, self.outbox.clock.now()).await {
            Ok(Judged { verdict: Verdict::Suppressed, .. }) => {
                info!(event = "bounce_suppressed", subscriber = id, class = %bounced.class, "the address bounces; suppressed");
            }
            Ok(_) => {}
            Err(e) => warn!(event = "bounce_not_kept", subscriber = id, "a bounce cannot be kept: {e}"),
        }
    }

    fn parts(&self) -> Parts {
        Parts { round: Arc::clone(&self.round), route: Arc::clone(&self.route), ledger: self.ledger.clone() }
    }

    async fn settle_before(&self) {
        let before = self.before.lock().await.take();
        if let Some(settling) = before {
            self.parts().settled(settling).await;
        }
    }
}

/// A final answer about a reader.
struct Bounced {
    class: Class,
    words: String,
}

/// An outcome on its way to the disk.
struct Settling {
    claim: Claim,
    outcome: Outcome,
    written: Written,
}

/// What a mark needs of its worker, who is busy with the message.
struct Parts {
    round: Arc<Round>,
    route: Arc<Route>,
    ledger: Ledger,
}

impl Parts {
    /// Waits until an outcome is written, and tries again if it was not, as long as this process lives: what is lost here is
    /// sent twice.
    async fn settled(&self, settling: Settling) {
        let Settling { claim, outcome, mut written } = settling;
        let mut last = 0;
        loop {
            let error = match written.wait().await {
                Ok(true) => {
                    self.route.settled(&outcome);
                    return self.round.settled(&outcome);
                }
                Ok(false) => return debug!(subscriber = claim.key.subscriber, "the claim had been lost"),
                Err(error) => error,
            };
            debug!(subscriber = claim.key.subscriber, "an outcome cannot be written yet: {error}");
            last += u32::from(self.round.is_told_to_stop());
            self.round.halt(Halt::Store(error));
            if last == SETTLE_LAST {
                return error!(event = "delivery_unsettled", edition = %claim.key.edition, subscriber = claim.key.subscriber, "its outcome is not known to the store: {}", outcome.state().as_str());
            }
            tokio::time::sleep(SETTLE_WAIT).await;
            written = self.ledger.settle(&claim, &outcome);
        }
    }
}

/// Before the message ends, while all else of it is on its way. A store that does not answer stops the message: without
/// the mark it might go twice.
async fn mark(parts: Parts, before: Arc<Mutex<Option<Settling>>>, claim: Claim) -> bool {
    let marked = parts.ledger.mark(&claim);
    if let Some(settling) = before.lock().await.take() {
        parts.settled(settling).await;
    }
    match marked.wait().await {
        Ok(ours) => ours && !parts.round.has_no_store(),
        Err(e) => {
            parts.round.halt(Halt::Store(e));
            false
        }
    }
}

/// A server's words without the addresses it likes to repeat: these go to the log.
fn hushed(words: &str) -> String {
    let hush = |word| if str::contains(word, '@') { "***" } else { word };
    words.split(' ').map(hush).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_gets_into_the_log() {
        assert_eq!(
            hushed("550 5.1.1 <ann@example.org>: unknown (in reply to RCPT)"),
            "550 5.1.1 *** unknown (in reply to RCPT)"
        );
    }
}
