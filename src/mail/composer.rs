//! What makes a message of a delivery: an edition as it was frozen, an edition in a reader's own variant, or a notice. Knows
//! templates and keys; no store, no server. The same delivery gives the same bytes.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::domain::edition::{Edition, EditionKey, Notice, State, Variant};
use crate::domain::nudge;
use crate::domain::period::{Per, Period};
use crate::domain::problem::Problem;
use crate::domain::subscriber::Subscriber;
use crate::domain::token::{self, Purpose};
use crate::render::digest::{self, Content, Heading, Selection};
use crate::render::message::{
    Form, Message, MessageError, Recipient, Sender, Target, compose_in, compose_letter, compose_notice, link,
};
use crate::render::notice::{self, Frame, NoticeText};
use crate::render::templates::Templates;
use crate::store::{Dossier, Frozen, Letter};

/// A notice and all it is made from.
#[derive(Debug)]
pub struct NoticeJob {
    pub notice: Notice,
    pub day: Date,
    pub subscriber: Subscriber,
    /// For a welcome: the newest edition, if there is one.
    pub latest: Option<Edition>,
    /// For somebody's data.
    pub dossier: Option<Dossier>,
}

impl NoticeJob {
    #[must_use]
    pub fn key(&self) -> EditionKey {
        EditionKey::Notice(self.notice, self.day)
    }
}

/// What makes the messages of one edition.
pub trait Press: Send + Sync {
    fn message(&self, to: Recipient<'_>) -> Result<Message, MessageError>;
}

impl Press for Form {
    fn message(&self, to: Recipient<'_>) -> Result<Message, MessageError> {
        Self::message(self, to)
    }
}

/// What makes messages; tests have one of their own.
pub trait Compose: Send + Sync {
    /// `edition` has the texts of `variant`.
    fn press(&self, edition: &Edition, variant: &Variant) -> Result<Arc<dyn Press>, MessageError>;

    fn notice(&self, _job: &NoticeJob, _to: Recipient<'_>) -> Result<Message, MessageError> {
        Err(MessageError("notices are not made here".to_owned()))
    }

    fn letter(&self, _letter: &Letter, _to: Recipient<'_>) -> Result<Message, MessageError> {
        Err(MessageError("letters are not made here".to_owned()))
    }

    /// Whether a letter says by now what is not so any more.
    fn is_over(&self, _letter: &Letter, _now: Timestamp) -> bool {
        false
    }

    /// The texts that a variant makes of an edition.
    fn freeze(&self, edition: &Edition, _variant: &Variant) -> Result<Frozen, Box<Problem>> {
        let Edition { subject, text, html, .. } = edition.clone();
        Ok(Frozen { subject, text, html })
    }
}

pub struct Composer {
    pub sender: Sender,
    pub templates: Arc<Templates>,
    pub zone: TimeZone,
    /// An edition with nothing in it: what all mails have in common.
    pub blank: Content,
}

impl Compose for Composer {
    fn press(&self, edition: &Edition, variant: &Variant) -> Result<Arc<dyn Press>, MessageError> {
        let language = variant.language.as_deref().unwrap_or(&self.sender.language);
        Ok(Arc::new(Form::of(&self.sender, edition, language)?))
    }

    fn freeze(&self, edition: &Edition, variant: &Variant) -> Result<Frozen, Box<Problem>> {
        let content: Content = serde_json::from_value(edition.content.clone()).map_err(|error| {
            Problem::error(
                format!("edition {}", edition.key),
                "edition",
                format!("its content cannot be read: {error}"),
            )
        })?;
        let language = variant.language.as_deref().unwrap_or(&content.language);
        let selection = Selection { language, posts: variant.posts.as_deref(), welcome: false };
        let digest = digest::render(&self.templates, &content, &selection)?;
        Ok(Frozen { subject: digest.subject, text: digest.text, html: digest.html })
    }

    fn is_over(&self, letter: &Letter, now: Timestamp) -> bool {
        nudge::is_over(&letter.name, &self.zone, now)
    }

    fn notice(&self, job: &NoticeJob, to: Recipient<'_>) -> Result<Message, MessageError> {
        // Not the moment of sending: a second try is to be the same message.
        let at = job.subscriber.asked_at.unwrap_or(job.subscriber.changed_at).max(self.midnight(job.day));
        if job.notice == Notice::Welcome {
            return self.welcome(job, at, to);
        }
        let url = link(&self.sender, to.subscriber, target(job, to)?, at)?;
        let said = match job.notice {
            Notice::Confirm => notice::Notice::Confirm { url: &url },
            Notice::Move => notice::Notice::MoveAddress { url: &url },
            Notice::Already => notice::Notice::Already { preferences: &url },
            Notice::Link | Notice::Welcome => notice::Notice::Link { preferences: &url },
            Notice::Data => notice::Notice::Data { preferences: &url },
        };
        let frame = Frame {
            title: &self.sender.title,
            site_url: &self.sender.site_url,
            postal_address: &self.blank.postal_address,
            look: self.blank.look,
            style: &self.blank.style,
            language: self.language(job),
        };
        let text =
            notice::notice(&self.templates, &frame, said).map_err(|problem| MessageError(problem.to_string()))?;
        let data = job.dossier.as_ref().map(serde_json::to_vec_pretty).transpose();
        let data = data.map_err(|error| MessageError(format!("the data cannot be written: {error}")))?;
        let attached = data.map(|data| ("subscription.json", "application/json", data));
        compose_notice(&self.sender, &job.key().to_string(), at, &text, attached, to)
    }

    fn letter(&self, letter: &Letter, to: Recipient<'_>) -> Result<Message, MessageError> {
        let key = EditionKey::letter(&letter.name).to_string();
        let Letter { subject, text, html, language, made_at, .. } = letter.clone();
        compose_letter(&self.sender, &key, made_at, &NoticeText { subject, text, html, language }, to)
    }
}

impl Composer {
    fn midnight(&self, day: Date) -> Timestamp {
        self.zone.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn language<'a>(&'a self, job: &'a NoticeJob) -> &'a str {
        job.subscriber.choice.language.as_deref().unwrap_or(&self.sender.language)
    }

    /// The newest edition, with a few words before it; without any, the words alone.
    fn welcome(&self, job: &NoticeJob, at: Timestamp, to: Recipient<'_>) -> Result<Message, MessageError> {
        let latest = job.latest.as_ref().and_then(|latest| serde_json::from_value(latest.content.clone()).ok());
        let content = latest.unwrap_or_else(|| self.nothing_yet(at));
        let language = self.language(job);
        let all = content.posts.iter().chain(&content.late).enumerate();
        let wanted: Vec<usize> = all.filter(|(_, p)| job.subscriber.choice.wants(p)).map(|(at, _)| at).collect();
        let posts = (!job.subscriber.choice.is_everything()).then_some(wanted.as_slice());
        let digest = digest::render(&self.templates, &content, &Selection { language, posts, welcome: true })
            .map_err(|problem| MessageError(problem.to_string()))?;
        let edition = Edition {
            key: job.key(),
            state: State::Open,
            subject: digest.subject,
            text: digest.text,
            html: digest.html,
            content: serde_json::Value::Null,
            posts: 0,
            opened_at: at,
            finished_at: None,
            reason: None,
        };
        compose_in(&self.sender, &edition, language, to)
    }

    fn nothing_yet(&self, at: Timestamp) -> Content {
        Content { heading: Heading::Period(Period::at(Per::Month, at, &self.zone)), ..self.blank.clone() }
    }
}

/// Where a notice leads.
fn target(job: &NoticeJob, to: Recipient<'_>) -> Result<Target, MessageError> {
    let over = || MessageError("nothing is to be answered any more".to_owned());
    Ok(match job.notice {
        Notice::Confirm => {
            let asked_at = job.subscriber.asked_at.ok_or_else(over)?.as_microsecond();
            Target::Answer(Purpose::Confirm, asked_at.cast_unsigned())
        }
        // Of the address it goes to, not of the one that may have been asked for since: only who reads a mailbox answers for it.
        Notice::Move => Target::Answer(Purpose::Move, token::stamp_of(to.email)),
        Notice::Welcome | Notice::Already | Notice::Link | Notice::Data => Target::Preferences,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::subscriber::{Choice, State};

    #[test]
    fn a_mail_answers_for_the_address_it_goes_to_whatever_was_asked_for_since() {
        let subscriber = Subscriber {
            id: 7,
            email: "ann@example.org".into(),
            name: None,
            state: State::Active,
            source: "form".into(),
            created_at: Timestamp::UNIX_EPOCH,
            changed_at: Timestamp::UNIX_EPOCH,
            choice: Choice::default(),
            asked_at: Some(Timestamp::UNIX_EPOCH),
            new_email: Some("stranger@example.net".into()),
        };
        let day = jiff::civil::date(2026, 11, 24);
        let job = NoticeJob { notice: Notice::Move, day, subscriber, latest: None, dossier: None };
        let to = Recipient { subscriber: 7, email: "ann@new.example", name: None };
        let own = token::stamp_of("ann@new.example");
        assert!(matches!(target(&job, to), Ok(Target::Answer(Purpose::Move, stamp)) if stamp == own));
    }
}
