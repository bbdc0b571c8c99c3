//! The message of a claim: what it is made from is fetched, editions once a round. Knows the store and who composes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jiff::civil::Date;

use super::Outbox;
use super::round::Round;
use crate::domain::edition::{EditionKey, Notice, Variant};
use crate::domain::problem::Problem;
use crate::mail::composer::{NoticeJob, Press};
use crate::render::message::{Message, MessageError, Recipient};
use crate::store::{Claim, StoreError};

/// Why there is no message.
pub enum Unmade {
    Store(StoreError),
    Template(Box<Problem>),
    Message(String),
    /// It would say what is not so any more.
    Over,
}

impl From<StoreError> for Unmade {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A template that panics over one recipient costs that one delivery.
fn made<T>(make: impl FnOnce() -> Result<T, MessageError>) -> Result<T, Unmade> {
    let composed = catch_unwind(AssertUnwindSafe(make));
    let composed = composed.map_err(|_| Unmade::Message("the message could not be made: a bug".to_owned()))?;
    composed.map_err(|error| Unmade::Message(error.to_string()))
}

pub async fn message(outbox: &Outbox, round: &Round, claim: &Claim) -> Result<Message, Unmade> {
    let composer = &outbox.composer;
    let to = Recipient { subscriber: claim.key.subscriber, email: &claim.email, name: claim.name.as_deref() };
    if let EditionKey::Notice(notice, day) = claim.key.edition {
        let job = job(outbox, claim, notice, day).await?;
        return made(|| composer.notice(&job, to));
    }
    if let EditionKey::Letter(key) = claim.key.edition {
        let letter = outbox.store.letter(key).await?;
        let letter = letter.ok_or_else(|| Unmade::Message("the letter is not there any more".to_owned()))?;
        if composer.is_over(&letter, outbox.clock.now()) {
            return Err(Unmade::Over);
        }
        return made(|| composer.letter(&letter, to));
    }
    let press = press(outbox, round, claim).await?;
    made(|| press.message(to))
}

async fn job(outbox: &Outbox, claim: &Claim, notice: Notice, day: Date) -> Result<NoticeJob, Unmade> {
    let (store, id) = (&outbox.store, claim.key.subscriber);
    let subscriber = store.subscriber(id).await?;
    let subscriber = subscriber.ok_or_else(|| Unmade::Message("the subscriber has been erased".to_owned()))?;
    let latest = if notice == Notice::Welcome { store.latest_edition().await? } else { None };
    let dossier = if notice == Notice::Data { store.dossier(id).await? } else { None };
    Ok(NoticeJob { notice, day, subscriber, latest, dossier })
}

/// What makes the messages of the claim's edition, with the texts of its variant, which are frozen when they are first needed.
async fn press(outbox: &Outbox, round: &Round, claim: &Claim) -> Result<Arc<dyn Press>, Unmade> {
    let (key, name) = (claim.key.edition, claim.variant.as_str());
    if let Some(press) = round.press(key, name) {
        return Ok(press);
    }
    let (store, variant) = (&outbox.store, Variant::parse(name));
    let found = store.edition(key).await?;
    let mut edition = found.ok_or_else(|| StoreError::Other(format!("edition {key} has vanished")))?;
    if !name.is_empty() {
        let frozen = if let Some(frozen) = store.variant(key, name).await? {
            frozen
        } else {
            let fresh = outbox.composer.freeze(&edition, &variant).map_err(Unmade::Template)?;
            store.freeze_variant(key, name, &fresh).await?
        };
        (edition.subject, edition.text, edition.html) = (frozen.subject, frozen.text, frozen.html);
    }
    let press = made(|| outbox.composer.press(&edition, &variant))?;
    round.keep_press(key, name, &press);
    Ok(press)
}
