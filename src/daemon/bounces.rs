//! What a mail to the bounce address does: whose it is, what is kept of it, who is taken off. The same however it came, by a mail
//! server's pipe or out of a box. Never answers. Knows no box; `maildir` and `imap` do.

use jiff::Timestamp;
use tracing::{info, warn};

use super::sending::Secrets;
use crate::domain::bounce_class::{Class, Source};
use crate::domain::bounce_message::{Finding, KEPT, Letter, Said};
use crate::domain::edition::EditionKey;
use crate::domain::subscriber::State;
use crate::domain::token::{self, Purpose};
use crate::store::{Judged, NewBounce, SharedStore, StoreError, Verdict};

/// What came of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It has no token of ours, or a person wrote it: nothing was changed, and it is left where it is.
    Left(&'static str),
    /// A mail of a machine about ours, and what was done.
    Done(&'static str),
}

impl Taken {
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Left(words) | Self::Done(words) => words,
        }
    }
}

pub const NO_TOKEN: Taken = Taken::Left("no token of ours: nothing was changed");

/// Whether any token was found in it; whether it is genuine is not known yet.
#[must_use]
pub fn may_be_ours(letter: &Letter) -> bool {
    !letter.to.is_empty() || !letter.within.is_empty()
}

/// Does what a mail says. `original` is what came.
pub async fn take(
    store: &SharedStore,
    source: Source,
    letter: &Letter,
    original: &[u8],
    now: Timestamp,
) -> Result<Taken, StoreError> {
    let secrets = Secrets::of(store).await?;
    let bearer = |tokens: &[String], purpose| tokens.iter().find_map(|t| secrets.keys.read(t, purpose, now).ok());
    let complains = matches!(&letter.said, Said::Bounce(Finding { class: Class::Complaint, .. }));
    if let Some(id) = bearer(&letter.to, Purpose::Unsubscribe).filter(|_| !complains) {
        return unsubscribe(store, id, &letter.said, now).await;
    }
    let mut found = bearer(&letter.to, Purpose::Bounce).or_else(|| bearer(&letter.within, Purpose::Bounce));
    if complains {
        // Whoever could unsubscribe them may say that they complain.
        let tokens = [letter.to.as_slice(), &letter.within].concat();
        found = found.or_else(|| bearer(&tokens, Purpose::Unsubscribe));
    }
    let Some(id) = found else { return Ok(NO_TOKEN) };
    match &letter.said {
        Said::Bounce(finding) => {
            let edition = letter.answers.as_deref().and_then(|answers| edition(&secrets.key, id, answers));
            let bounce = NewBounce {
                subscriber: id,
                edition,
                recipient: finding.recipient.clone(),
                source,
                class: finding.class,
                status: finding.status.clone(),
                words: finding.words.clone(),
                mark: letter.mark.clone(),
                original: original[..original.len().min(KEPT)].to_vec(),
            };
            Ok(Taken::Done(told(&bounce, store.keep_bounce(&bounce, now).await?)))
        }
        Said::Late => Ok(Taken::Done("not delivered yet: nothing was changed")),
        Said::Automatic => Ok(Taken::Done("a machine answered: nothing was changed")),
        Said::Generated => Ok(Taken::Done("a machine wrote: nothing was changed")),
        Said::Challenge => Ok(Taken::Done("a machine asks for a person: nothing was changed")),
        Said::Mail => Ok(Taken::Left("no report: nothing was changed")),
    }
}

/// What machines write to this address they write because somebody has pressed a button; only their answers are none of it.
/// Whoever has left already stays as they are.
async fn unsubscribe(store: &SharedStore, id: i64, said: &Said, now: Timestamp) -> Result<Taken, StoreError> {
    if !matches!(said, Said::Mail | Said::Generated) {
        return Ok(Taken::Done("a machine answered: nothing was changed"));
    }
    let found = store.subscriber(id).await?;
    if !found.is_some_and(|found| matches!(found.state, State::Active | State::Pending)) {
        return Ok(Taken::Done("not subscribed any more: nothing was changed"));
    }
    store.move_subscriber(id, State::Unsubscribed, "mailto", now).await?;
    Ok(Taken::Done("unsubscribed"))
}

/// Which of our mails came back: its Message-ID names the edition, and proves that it was sent to this subscriber.
fn edition(key: &[u8; 32], subscriber: i64, message_id: &str) -> Option<EditionKey> {
    let (local, _) = message_id.split_once('@')?;
    let edition = EditionKey::parse(local.rsplit_once('.')?.0)?;
    (token::message_id(key, &edition.to_string(), subscriber) == local).then_some(edition)
}

fn told(bounce: &NewBounce, judged: Judged) -> &'static str {
    let (id, class, source) = (bounce.subscriber, bounce.class, bounce.source);
    if let Some(edition) = judged.paused {
        warn!(event = "complaints_pause_edition", %edition, "readers complain, so the edition pauses; `gazetted digest list` says more");
    }
    match judged.verdict {
        Verdict::Suppressed => {
            info!(event = "bounce_suppressed", subscriber = id, %class, %source, "a bounce; suppressed");
            "suppressed"
        }
        Verdict::Before => "known already: nothing was changed",
        Verdict::Nobody => "not subscribed any more: nothing was changed",
        Verdict::Kept => {
            info!(event = "bounce_kept", subscriber = id, %class, %source, "a bounce; kept");
            match class {
                Class::Policy => "about us, or unclear: kept, and the reader is left alone",
                Class::Resting => "the mailbox rests: kept, and counted",
                Class::Dead | Class::Complaint => "kept; the reader stays as they are",
            }
        }
    }
}
