//! The verbs about people: how they come, what they choose, how they leave, and what is kept of it. One verb = one
//! transaction. Knows no form, no mail and no clock.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{Bounce, Bounces, DeliveryRow, Result, StoreError};
use crate::domain::edition::Notice;
use crate::domain::period::{Per, Period};
use crate::domain::subscriber::{Address, Choice, Consent, State, Subscriber};
use crate::domain::subscriber_import::ImportRow;

/// An address to be added, already validated; `key` is the form compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSubscriber {
    pub email: String,
    pub key: String,
    pub name: Option<String>,
    pub state: State,
    pub source: String,
}

/// What came of adding one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    New,
    /// Was there, in this state; nothing was changed. An address that has left is not brought back by adding it.
    Known(State),
    /// Had unsubscribed, or was to be kept out, and came back by the operator's explicit word.
    Again,
    /// Was forgotten, or left for another one, at their own wish; nothing was written.
    Erased,
}

/// A form as it was sent. `network`: where from, as far as limits and proof need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignUp {
    pub address: Address,
    pub language: Option<String>,
    pub network: String,
    /// Which form, with which text, as JSON.
    pub proof: String,
}

/// How many confirmation mails there may be. Nobody is told when there are no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignUpLimits {
    /// To one mailbox in 24 hours, and in 30 days.
    pub mailbox_a_day: u32,
    pub mailbox_a_month: u32,
    pub network_an_hour: u32,
    pub domain_an_hour: u32,
    pub total_an_hour: u32,
    pub total_a_day: u32,
}

/// What came of the forms that waited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SignUpTally {
    pub taken: u64,
    /// Mails queued.
    pub asked: u64,
    /// Left out because of a mailbox's own limit.
    pub repeated: u64,
    /// Left out because of a network's, a domain's or the total limit: the operator should know.
    pub limited: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmed {
    Now,
    /// Was active already.
    Before,
    /// The question is not open any more.
    Over,
}

/// What came of the wish to move to another address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveAsked {
    Mailed,
    /// No mail goes there: it is dead, had one today, or nobody active asks. Not to be told: it says something of the address.
    Silently,
    /// This reader has named too many within the hour.
    TooOften,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    Now,
    /// The address gets the digest already, by a subscription of its own.
    Taken,
    Over,
}

/// What came of an import.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ImportTally {
    pub added: u64,
    /// There before; nothing was changed.
    pub known: u64,
    /// Were active here, and have left or died according to the file.
    pub left: u64,
    /// Had left here, and have complained or died according to the file: they are suppressed now.
    pub suppressed: u64,
    /// Forgotten here, or moved to another address, at their own wish, and not brought back.
    pub kept_out: u64,
}

pub type ImportRows<'a> = Box<dyn Iterator<Item = Result<ImportRow, StoreError>> + Send + 'a>;

/// What has lasted long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Questions asked before this are not answered any more.
    pub questions: Timestamp,
    /// Notices sent before this are forgotten, and so are the marks that limits are counted by.
    pub notices: Timestamp,
    /// What came back before this is kept without its original.
    pub originals: Timestamp,
    /// Proof of consent from before this is kept without the network it came from.
    pub networks: Timestamp,
}

/// How many came and left in one stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Growth {
    pub joined: u64,
    pub left: u64,
}

/// One call to a webhook that is due, taken by this node until its lease runs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub id: i64,
    pub hook: String,
    /// The event's own number: the same on every try, so that who is told twice can tell.
    pub event_id: i64,
    pub event: String,
    pub at: Timestamp,
    pub subscriber: Option<i64>,
    pub email: Option<String>,
    pub edition: Option<String>,
    pub source: String,
    /// What history has beside, as JSON.
    pub proof: String,
    pub attempts: u32,
    pub made_at: Timestamp,
}

/// Everything that is kept of one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dossier {
    pub subscriber: Subscriber,
    pub history: Vec<Consent>,
    pub deliveries: Vec<DeliveryRow>,
    pub bounces: Vec<Bounce>,
}

#[async_trait]
pub trait People: Bounces {
    /// Adds all or none; one answer for each, in order. `again` brings back those who unsubscribed or were forgotten (never
    /// the suppressed).
    async fn add_subscribers(&self, new: &[NewSubscriber], again: bool, now: Timestamp) -> Result<Vec<Added>>;
    /// Takes over a list, all or none, in one transaction, a chunk at a time. An opt-out beats an opt-in, in the file and
    /// against what is here; a row that was imported before changes nothing. `dry_run` takes everything back.
    async fn import_subscribers(
        &self,
        source: &str,
        rows: ImportRows<'_>,
        dry_run: bool,
        now: Timestamp,
    ) -> Result<ImportTally>;
    async fn subscriber(&self, id: i64) -> Result<Option<Subscriber>>;
    async fn subscriber_by_key(&self, key: &str) -> Result<Option<Subscriber>>;
    /// In order of their addresses' keys, after `after_key`, for paging through any number.
    async fn subscribers(&self, state: Option<State>, after_key: Option<&str>, limit: u32) -> Result<Vec<Subscriber>>;
    async fn subscriber_counts(&self) -> Result<BTreeMap<&'static str, u64>>;
    /// What happened, oldest first.
    async fn history(&self, id: i64) -> Result<Vec<Consent>>;
    /// Everything that was or will be sent to them, newest first.
    async fn deliveries_to(&self, id: i64) -> Result<Vec<DeliveryRow>>;
    async fn dossier(&self, id: i64) -> Result<Option<Dossier>> {
        let Some(subscriber) = self.subscriber(id).await? else { return Ok(None) };
        let (history, deliveries) = (self.history(id).await?, self.deliveries_to(id).await?);
        Ok(Some(Dossier { subscriber, history, deliveries, bounces: self.bounces(id).await? }))
    }
    /// How many came and left in each of these half-open stretches.
    async fn growth(&self, stretches: &[(Timestamp, Timestamp)]) -> Result<Vec<Growth>>;
    /// Month by month, from the first that somebody came in to the one that holds `now`.
    async fn growth_by_month(&self, zone: &TimeZone, now: Timestamp) -> Result<Vec<(Period, Growth)>> {
        let last = Period::at(Per::Month, now, zone);
        let first = self.first_joined().await?.map_or(last, |at| Period::at(Per::Month, at, zone));
        let months = std::iter::successors(Some(first), |month| Some(month.next()));
        let months: Vec<Period> = months.take_while(|month| *month <= last).collect();
        let stretches: Vec<_> = months.iter().map(|month| (month.start(zone), month.end(zone))).collect();
        Ok(months.into_iter().zip(self.growth(&stretches).await?).collect())
    }
    /// When the first of all subscribers came.
    async fn first_joined(&self) -> Result<Option<Timestamp>>;

    /// Keeps a form. Does the same for every address, whatever is known of it: no time tells.
    async fn sign_up(&self, form: &SignUp, now: Timestamp) -> Result<()>;
    /// Decides what becomes of up to `most` forms that wait, oldest first: who is new, or has left, is asked; who is active
    /// is told so; who is suppressed hears nothing.
    async fn take_sign_ups(&self, limits: &SignUpLimits, today: Date, most: u32, now: Timestamp)
    -> Result<SignUpTally>;
    /// The answer to the question that was asked at `asked_at` (microseconds); queues the welcome.
    async fn confirm(&self, id: i64, asked_at: i64, today: Date, now: Timestamp) -> Result<Confirmed>;
    /// Queues a notice, once a day; false if there is one of this day, or nobody to send it to.
    async fn notify(&self, id: i64, notice: Notice, today: Date, now: Timestamp) -> Result<bool>;
    /// False if there is no such subscriber, or nothing was changed.
    async fn choose(&self, id: i64, choice: &Choice, now: Timestamp) -> Result<bool>;
    /// Asks at the new address whether it is theirs; the last one asked for is the one that counts.
    async fn ask_to_move(&self, id: i64, to: &Address, today: Date, now: Timestamp) -> Result<MoveAsked>;
    /// Moves to the address asked for, if it is still this one. A subscription that it had before and that is not active gives way.
    async fn move_address(&self, id: i64, key: &str, now: Timestamp) -> Result<Moved>;

    /// Moves a subscriber to `to`; false if there is none, or if already there. Whoever is not active afterwards gets
    /// nothing more: what waits for them, even if claimed, becomes `skipped` in the same transaction. `source` is what
    /// history says of it.
    async fn move_subscriber(&self, id: i64, to: State, source: &str, now: Timestamp) -> Result<bool>;
    /// Forgets a person: the row goes with its history, and the address and name on every delivery. A keyed hash stays, so
    /// that no list brings them back, and their number until webhooks have been told. False if there is no such subscriber.
    async fn erase_subscriber(&self, id: i64, now: Timestamp) -> Result<bool>;
    /// Forgets questions nobody answered, with the addresses that were never anything else; gives their number.
    async fn tidy(&self, retention: &Retention) -> Result<u64>;

    // --- webhooks ---
    /// Queues a call for each of `hooks` (address, events) and each event that nobody was told of yet.
    async fn queue_calls(&self, hooks: &[(String, Vec<String>)], now: Timestamp) -> Result<u64>;
    /// Takes up to `most` calls that are due; whoever dies with them leaves them to the next after `lease_until`.
    async fn claim_calls(&self, most: u32, now: Timestamp, lease_until: Timestamp) -> Result<Vec<Call>>;
    /// Done with: taken, or given up.
    async fn end_call(&self, id: i64) -> Result<()>;
    async fn defer_call(&self, id: i64, reply: &str, until: Timestamp) -> Result<()>;
}
