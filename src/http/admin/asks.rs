//! What only the daemon can say or do, and the pages ask of it: the next edition as it would go out now, its release, a
//! copy of it for an editor. Knows questions and answers; how they are come by is the daemon's business.

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use crate::domain::edition::EditionPost;
use crate::domain::period::Period;
use crate::domain::preflight::Finding;
use crate::domain::problem::Problem;

/// An edition as it would go out if it went out now.
#[derive(Debug, Clone)]
pub struct Next {
    pub period: Period,
    /// When it is due.
    pub due: Timestamp,
    /// Its period has closed, so that it can be released.
    pub over: bool,
    /// Since when it has waited for an editor's word, if it does.
    pub waits: Option<Timestamp>,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// The whole message, as one reader gets it.
    pub source: Vec<u8>,
    pub posts: Vec<EditionPost>,
    pub late: Vec<EditionPost>,
    pub drafts: Vec<String>,
    /// Posts whose files changed a moment ago, and until when that counts.
    pub restless: Vec<String>,
    pub still_at: Option<Timestamp>,
    pub readers: u64,
    /// There is nothing to say, and then nothing is sent.
    pub empty: bool,
    /// What this very content is known by.
    pub fingerprint: String,
    /// What the pre-flight says: what is red stands in the way of its release.
    pub findings: Vec<Finding>,
}

impl Look {
    /// Whether this edition goes out on an editor's word only, and could now.
    #[must_use]
    pub fn awaits_word(&self, period: Period) -> bool {
        self.manual && self.waiting.contains(&period)
    }
}

impl Next {
    #[must_use]
    pub fn is_red(&self) -> bool {
        self.findings.iter().any(Finding::is_red)
    }
}

/// How things are.
#[derive(Debug, Clone)]
pub struct Look {
    /// Or why it cannot be made.
    pub next: Result<Next, String>,
    /// Whether editions wait for an editor's word.
    pub manual: bool,
    /// Those that are due and have not been opened, the oldest first.
    pub waiting: Vec<Period>,
    pub problems: Vec<Problem>,
    /// What keeps editions from going out: sentences.
    pub troubles: Vec<String>,
    pub editors: Vec<String>,
}

/// What came of something that was asked to be done: a sentence, either way.
pub type Answered = Result<String, String>;

#[derive(Debug)]
pub enum Ask {
    /// The edition of this period, or else the one that is next.
    Look { period: Option<Period>, answer: oneshot::Sender<Look> },
    /// Opens the edition if it is still what `fingerprint` says.
    Release { period: Period, fingerprint: String, answer: oneshot::Sender<Answered> },
    /// Decides that it goes to nobody, if it is still what `fingerprint` says.
    TurnDown { period: Period, fingerprint: String, answer: oneshot::Sender<Answered> },
    /// Sends it, as it would go out now, to one of the editors.
    Test { period: Period, to: String, answer: oneshot::Sender<Answered> },
    /// Something waits in the outbox.
    Wake,
}

/// Where questions are put.
#[derive(Debug, Clone)]
pub struct Asking(mpsc::UnboundedSender<Ask>);

impl Asking {
    #[must_use]
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Ask>) {
        let (asks, asked) = mpsc::unbounded_channel();
        (Self(asks), asked)
    }

    /// None: the daemon is about to stop.
    pub async fn look(&self, period: Option<Period>) -> Option<Look> {
        self.put(|answer| Ask::Look { period, answer }).await
    }

    pub async fn release(&self, period: Period, fingerprint: String) -> Option<Answered> {
        self.put(|answer| Ask::Release { period, fingerprint, answer }).await
    }

    pub async fn turn_down(&self, period: Period, fingerprint: String) -> Option<Answered> {
        self.put(|answer| Ask::TurnDown { period, fingerprint, answer }).await
    }

    pub async fn test(&self, period: Period, to: String) -> Option<Answered> {
        self.put(|answer| Ask::Test { period, to, answer }).await
    }

    pub fn wake(&self) {
        // Nobody to hear it: the outbox is closed with everything else.
        let _ = self.0.send(Ask::Wake);
    }

    async fn put<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        self.0.send(question(answer)).ok()?;
        answered.await.ok()
    }
}
