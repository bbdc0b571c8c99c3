//! What a worker sends next, made while the disk is written to for the message at hand.

use super::Outbox;
use super::making::{self, Unmade};
use super::round::Round;
use super::route::Route;
use crate::mail::transport::Envelope;
use crate::render::message::Message;
use crate::store::Claim;

/// A claim, and its message once it is made.
pub struct Job {
    pub claim: Claim,
    pub made: Option<Result<Message, Unmade>>,
}

impl Job {
    /// What a server may be told of it already.
    pub fn envelope(&self) -> Option<Envelope> {
        self.made.as_ref()?.as_ref().ok().map(Envelope::from)
    }
}

/// What goes next over a connection that has carried so many, if something can at once; with its message, if nothing is against it.
pub async fn job_ahead(outbox: &Outbox, round: &Round, route: &Route, way: usize, carried: u32) -> Option<Job> {
    if round.is_over() || !route.turn_at_once(carried, outbox.clock.now()) {
        return None;
    }
    let claim = round.queue.try_ahead(way)?;
    let made = if round.is_shut(claim.key.edition) { None } else { Some(making::message(outbox, round, &claim).await) };
    Some(Job { claim, made })
}
