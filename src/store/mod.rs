//! What must outlive the process: the entries' identity, editions and deliveries, and (`people`) subscribers. Use-case
//! verbs, one verb = one transaction; SQLite and PostgreSQL behind it, held to one conformance suite. Knows no SMTP,
//! no feeds and no clock: every instant is an argument.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::config::{OnDoubt, without_password};
use crate::domain::delivery::{Outcome, State as DeliveryState};
use crate::domain::edition::{Edition, EditionKey, State as EditionState};
use crate::domain::identity::EntryRow;
use crate::domain::subscriber::{Choice, Frequency};

mod acts;
mod bounces;
mod clock;
mod errors;
mod feeds;
mod letters;
mod nodes;
mod numbers;
mod people;
mod postgres;
mod sqlite;
pub mod transfer;
mod websub;

pub use acts::{Act, Acts, DomainBounces, NewAct};
pub use bounces::{Bounce, Bounces, Judged, NewBounce, Undone, Verdict};
pub use clock::server_clock;
pub use feeds::Feeds;
pub use letters::{Letter, Letters, Told};
pub use nodes::{Held, Nodes, Place};
pub use numbers::{Figures, Numbers};
pub use people::{
    Added, Call, Confirmed, Dossier, Growth, ImportRows, ImportTally, MoveAsked, Moved, NewSubscriber, People,
    Retention, SignUp, SignUpLimits, SignUpTally,
};
pub use websub::{Announcement, Distribution, HubLimits, HubRequest, Question, Requested, WebSub};

pub type SharedStore = Arc<dyn Store>;

/// Why a verb did not happen. A caller acts on the variant: `Busy` and `Unavailable` pass by themselves.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Another writer holds the database, or the connection was lost; nothing was written; try again.
    #[error("the store cannot be reached right now: {0}")]
    Unavailable(String),
    /// No space, or so little that what is under way may need it; goes on when there is some.
    #[error("there is no room for the store: {0}")]
    Full(String),
    /// Read-only, no permission: an operator has to act.
    #[error("the store cannot be written: {0}")]
    NotWritable(String),
    /// The file is not a database, or a damaged one.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// The schema is newer than this program.
    #[error("{0}")]
    Schema(String),
    /// `store.url` is wrong.
    #[error("{0}")]
    Url(String),
    /// Somebody else runs on this store.
    #[error("{0}")]
    Held(String),
    #[error("the store failed: {0}")]
    Other(String),
}

pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// One written output file, and what it was made from: an equal fingerprint and equal bytes need no rendering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputRow {
    pub path: String,
    pub fingerprint: u128,
    pub bytes_hash: u128,
}

/// What came of `open_edition`.
#[derive(Debug, Clone, PartialEq)]
pub enum Opened {
    /// This call wrote it, and this many deliveries.
    Now { recipients: u64 },
    /// It was there before; nothing was written.
    Before(Box<Edition>),
    /// The schedule is another node's by now; nothing was written.
    Overtaken,
}

/// An edition and how its deliveries stand.
#[derive(Debug, Clone, PartialEq)]
pub struct EditionSummary {
    pub edition: Edition,
    pub counts: Counts,
}

/// Deliveries by state.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts(pub BTreeMap<DeliveryState, u64>);

impl Counts {
    #[must_use]
    pub fn of(&self, state: DeliveryState) -> u64 {
        self.0.get(&state).copied().unwrap_or(0)
    }

    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Deliveries that still wait for an outcome.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        use DeliveryState::{Claimed, Deferred, InData, Queued};
        [Queued, Claimed, InData, Deferred].into_iter().map(|s| self.of(s)).sum()
    }
}

/// Which delivery: edition × subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct DeliveryKey {
    pub edition: EditionKey,
    pub subscriber: i64,
}

/// A delivery this node has claimed and may send until its lease runs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub key: DeliveryKey,
    /// Of the edition: a language, some of its posts; empty: as it is.
    pub variant: String,
    /// The recipient: the address copied when the delivery was queued.
    pub email: String,
    pub name: Option<String>,
    /// How many attempts have been made, this one included.
    pub attempt: u32,
    /// Which of all claims of this delivery this is: a node that slept through its lease is known by an old number,
    /// even if the new holder is itself.
    pub fence: i64,
    /// One of those that are watched before the rest of their edition goes.
    pub canary: bool,
}

/// One step of a claimed delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// As [`Store::mark_in_data`].
    Mark(Claim),
    /// As [`Store::settle`].
    Settle(Claim, Outcome),
}

/// A row of `gazetted outbox list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliveryRow {
    #[serde(flatten)]
    pub key: DeliveryKey,
    pub email: String,
    pub state: DeliveryState,
    pub attempts: u32,
    /// Not to be tried before.
    pub due_at: Option<Timestamp>,
    /// The server's last words, or the reason.
    pub reply: Option<String>,
    pub changed_at: Timestamp,
}

/// Whom an edition goes to, beside being active and not pausing.
pub struct Audience<'a> {
    /// The site's language: who has chosen none, or this one, and all posts, gets the edition as it is.
    pub language: &'a str,
    /// Only those whose frequency has been what it is since before then.
    pub since: Option<Timestamp>,
    /// Which variant a choice makes of it; none: nothing in it is for them, and nothing is sent.
    pub variant: &'a (dyn Fn(&Choice) -> Option<String> + Sync),
    /// Who gets it first, if it is tried out.
    pub canary: Option<Canary<'a>>,
    /// The fence of the schedule's lease, if the edition is opened by its holder: who has lost it opens nothing.
    pub lead: Option<i64>,
}

/// How an edition is tried out: its editors' copies first, then one in a hundred, then everybody else's, `wait` apart.
#[derive(Debug, Clone, Copy)]
pub struct Canary<'a> {
    /// Keys of addresses.
    pub editors: &'a [String],
    pub wait: SignedDuration,
}

impl Canary<'_> {
    /// Below that one in a hundred is nobody.
    pub const LEAST: u64 = 100;
}

/// The lease of the node that opens editions.
pub const SCHEDULE: &str = "schedule";

impl Audience<'_> {
    /// Everybody gets everything.
    #[must_use]
    pub fn everybody() -> Audience<'static> {
        Audience { language: "en", since: None, variant: &|_| Some(String::new()), canary: None, lead: None }
    }
}

/// An edition's texts in one variant, with the recipient's parts left open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// The right to be the one daemon of this store; given back when dropped.
pub trait Hold: Send + Sync {}

/// A connection kept for one thing, which each message waits for: taking one from the others for each transaction, and giving
/// it back, costs more than the transaction. After an error it is to be thrown away.
#[async_trait]
pub trait Pen: Send {
    /// Many marks and outcomes in one transaction; for each whether its claim still held.
    async fn advance(&mut self, steps: &[Step], now: Timestamp) -> Result<Vec<bool>>;
}

#[async_trait]
pub trait Store: People + Nodes + Feeds + WebSub + Letters + Acts + Numbers {
    /// When this store was made: nothing from before is caught up.
    async fn created_at(&self) -> Result<Timestamp>;
    /// 32 secret bytes for `purpose`, the same ever after; `fresh` is stored if there are none yet.
    async fn secret(&self, purpose: &str, fresh: [u8; 32]) -> Result<[u8; 32]>;
    /// The keys for links that came after the first, each with the instant from which it is used; oldest first.
    async fn token_keys(&self) -> Result<Vec<(Timestamp, [u8; 32])>>;
    async fn add_token_key(&self, from: Timestamp, key: [u8; 32]) -> Result<()>;
    /// Whether the database answers and can be written.
    async fn ping(&self) -> Result<()>;
    /// Takes the store for one daemon; `Held` names who has it.
    async fn hold(&self, who: &str) -> Result<Box<dyn Hold>>;
    /// Copies the whole store into one new file, while it is in use, and reads that through; the copy stands by.
    async fn backup(&self, to: &std::path::Path, now: Timestamp) -> Result<transfer::Facts>;
    /// Since when this store has been known for a copy, from which nothing is claimed and no edition is to be opened.
    async fn standby(&self) -> Result<Option<Timestamp>>;
    /// From now on nothing is sent from this store: another one has taken its place.
    async fn stand_by(&self, now: Timestamp) -> Result<()>;
    /// The operator's word that this store is the one to go on with; true if it stood by.
    async fn end_standby(&self) -> Result<bool>;

    // --- entries ---
    async fn entries(&self) -> Result<Vec<EntryRow>>;
    /// Inserts or replaces these rows, all or none.
    async fn save_entries(&self, rows: &[EntryRow]) -> Result<()>;
    async fn outputs(&self) -> Result<Vec<OutputRow>>;
    /// Replaces the rows of these paths and forgets `gone`, all or none.
    async fn save_outputs(&self, rows: &[OutputRow], gone: &[String]) -> Result<()>;

    // --- editions ---
    /// Writes the edition, marks `entry_ids` as announced by it and queues one delivery for each active subscriber of its
    /// frequency, in one transaction; those who pause or want nothing of it have one that says so, and is not sent. Whoever comes second finds it there.
    async fn open_edition(&self, edition: &Edition, entry_ids: &[String], audience: &Audience<'_>) -> Result<Opened>;
    async fn edition(&self, key: EditionKey) -> Result<Option<Edition>>;
    async fn variant(&self, key: EditionKey, variant: &str) -> Result<Option<Frozen>>;
    /// Freezes a variant; whoever comes second is given what is there.
    async fn freeze_variant(&self, key: EditionKey, variant: &str, frozen: &Frozen) -> Result<Frozen>;
    /// How many active subscribers want to hear this often.
    async fn readers(&self, frequency: Frequency) -> Result<u64>;
    /// The newest month's that was sent, for those who come after it.
    async fn latest_edition(&self) -> Result<Option<Edition>>;
    /// Newest first.
    async fn editions(&self) -> Result<Vec<EditionSummary>>;
    /// Moves an edition from one of `from` to `to`; false if it was in none of them (or is not there). Called off, it
    /// skips whatever is not on the wire.
    async fn move_edition(
        &self,
        key: EditionKey,
        from: &[EditionState],
        to: EditionState,
        now: Timestamp,
    ) -> Result<bool>;
    /// Pauses an open edition for a reason, which is kept until it goes on, and told; false if it is not open.
    async fn pause_edition(&self, key: EditionKey, reason: &str, now: Timestamp) -> Result<bool>;
    /// Finishes open editions none of whose deliveries wait; gives their keys.
    async fn finish_editions(&self, now: Timestamp) -> Result<Vec<EditionKey>>;

    // --- deliveries ---
    /// Claims up to `limit` deliveries of open editions that are due, for `node` until `lease_until`. Consent is looked
    /// at again here: the deliveries of people who are not active any more become `skipped`, and are not returned. Empty
    /// means that nothing is due, or that the store stands by. `Full` while what is under way may need the room that is left. (PostgreSQL takes the lease's length and measures it with its own clock.)
    async fn claim(&self, node: &str, limit: u32, now: Timestamp, lease_until: Timestamp) -> Result<Vec<Claim>>;
    /// Before the message ends: false if the claim does not hold any more (the lease was lost, the person has left, the
    /// edition was paused or called off); then do not send.
    async fn mark_in_data(&self, node: &str, claim: &Claim, now: Timestamp) -> Result<bool> {
        Ok(self.pen(node).await?.advance(&[Step::Mark(claim.clone())], now).await?.contains(&true))
    }
    /// Writes the outcome of a claimed or in-data delivery; false if the claim does not hold any more.
    async fn settle(&self, node: &str, claim: &Claim, outcome: &Outcome, now: Timestamp) -> Result<bool> {
        let step = Step::Settle(claim.clone(), outcome.clone());
        Ok(self.pen(node).await?.advance(&[step], now).await?.contains(&true))
    }
    /// What a node writes marks and outcomes with while a round lasts; one at a time.
    async fn pen(&self, node: &str) -> Result<Box<dyn Pen>>;
    /// Takes back what a dead node held: `claimed` whose lease, and whose node's, ran out is queued again, `in_data` goes by
    /// `on_doubt`. With `node`, that node's rows count as run out at once (it has just restarted). Gives the doubtful ones.
    async fn recover(&self, node: Option<&str>, on_doubt: OnDoubt, now: Timestamp) -> Result<Vec<DeliveryKey>>;
    /// The clock was ahead, and has been set back: what was to wait from a time that is still to come waits as long from now.
    async fn set_back(&self, now: Timestamp) -> Result<()>;
    /// When the next delivery of an open edition falls due, if any waits.
    async fn next_due(&self) -> Result<Option<Timestamp>>;
    async fn outbox_counts(&self) -> Result<Counts>;
    /// Deliveries in one of `states` (all if empty), newest change first.
    async fn outbox(&self, states: &[DeliveryState], limit: u32) -> Result<Vec<DeliveryRow>>;
    /// Puts those deliveries in one of `states` that are `deferred`, `failed` or `held` back in the queue, due now, and
    /// opens their finished editions again: of one edition, or of the latest of each kind and all other mails. Cancelled
    /// editions stay cancelled.
    async fn retry(&self, key: Option<EditionKey>, states: &[DeliveryState], now: Timestamp) -> Result<u64>;
}

/// What opening a store would change in its schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Migration {
    /// None: there is no store yet.
    pub schema: Option<i64>,
    /// The schema of this program.
    pub to: i64,
    /// The steps between them.
    pub steps: Vec<String>,
}

/// What opening a store would do to its schema, by its number alone: nothing is tried, and nobody has to wait.
pub async fn outlook(url: &str) -> Result<Migration> {
    if url.starts_with("sqlite:") { sqlite::outlook(url).await } else { postgres::outlook(url).await }
}

/// Tries the migration of a store and takes it back: nothing is changed. An error is what `open` would fail with.
pub async fn rehearse(url: &str, now: Timestamp) -> Result<Migration> {
    if url.starts_with("sqlite:") { sqlite::rehearse(url, now).await } else { postgres::rehearse(url, now).await }
}

/// Opens the store that `url` names, creating and migrating it as needed: `sqlite:PATH` or `postgres://...`.
pub async fn open(url: &str, now: Timestamp) -> Result<SharedStore> {
    open_store(url, now, true).await
}

/// The same, without reading a database file through first: for commands that are run for each of many mails, and send none.
pub async fn open_briefly(url: &str, now: Timestamp) -> Result<SharedStore> {
    open_store(url, now, false).await
}

async fn open_store(url: &str, now: Timestamp, whole: bool) -> Result<SharedStore> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("sqlite") => sqlite::open(url, now, whole).await,
        Some("postgres" | "postgresql") => postgres::open(url, now).await,
        _ => Err(StoreError::Url(format!(
            "`store.url` is `{}`; expected `sqlite:gazetted.db` or `postgres://user@host/database`",
            without_password(url)
        ))),
    }
}
