//! What the editors' pages ask of the daemon: how things are, an edition's release, a copy of it for an editor.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;
use tracing::{debug, info};

use super::{Reached, Service};
use crate::config::Approval;
use crate::daemon::editions::{self, OpenError, Outcome, Word};
use crate::daemon::missed;
use crate::daemon::preflight;
use crate::daemon::preview::{Preview, nobody};
use crate::daemon::sending::{self, Secrets};
use crate::domain::edition::EditionKey;
use crate::domain::period::{Per, Period};
use crate::domain::schedule::Schedule;
use crate::domain::subscriber::{Address, Frequency};
use crate::domain::wording;
use crate::http::{Answered, Ask, Look, NextEdition};
use crate::mail::transport::{Channel, Failure, Sent};
use crate::render::message::{Message, compose, texts};
use crate::store::DeliveryKey;

/// How long a page waits for a copy to be sent.
const PATIENCE: Duration = Duration::from_secs(8);

impl Service {
    pub(super) async fn asked(&mut self, ask: Ask) {
        // Whoever asked may have gone; then nobody hears the answer.
        match ask {
            Ask::Look { period, answer } => drop(answer.send(self.look(period).await)),
            Ask::Release { period, fingerprint, answer } => {
                drop(answer.send(self.release(period, &fingerprint).await));
            }
            Ask::TurnDown { period, fingerprint, answer } => {
                drop(answer.send(self.turn_down(period, &fingerprint).await));
            }
            Ask::Test { period, to, answer } => self.test(period, &to, answer).await,
            Ask::Wake => self.outbox.outbox.wake(),
        }
    }

    async fn look(&mut self, wanted: Option<Period>) -> Look {
        let now = self.clock.now();
        let waiting = editions::due(&self.blog, &self.store, now).await.unwrap_or_default();
        let wanted = wanted.filter(|period| matches!(period.per(), Per::Month | Per::Quarter));
        let period = match wanted.or(waiting.first().copied()) {
            Some(period) => period,
            None => self.upcoming(now).await,
        };
        let next = self.next(period, now).await;
        let mut filled = Vec::new();
        for period in waiting {
            // One that has nothing to say is decided by the next heartbeat.
            let preview = Preview::of(&mut self.blog, &self.templates, period, now, Self::machine_now());
            filled.extend(preview.is_ok_and(|preview| !preview.empty).then_some(period));
        }
        Look {
            next: next.map_err(|error| format!("{error:#}")),
            manual: self.config.digest.approval == Approval::Manual,
            waiting: filled,
            problems: self.blog.problems(false),
            troubles: self.troubles(now).await,
            editors: self.config.digest.editors.clone(),
        }
    }

    /// The period that is over and not due yet, or else the one that runs.
    async fn upcoming(&self, now: Timestamp) -> Period {
        let zone = self.config.site.zone();
        let running = Period::at(Per::Month, now, &zone);
        let Ok(mut closed) = editions::closed(Per::Month, &self.blog, &self.store, now).await else { return running };
        let Some(last) = closed.next().filter(|last| last.due > now) else { return running };
        match self.store.edition(last.period.into()).await {
            Ok(None) => last.period,
            _ => running,
        }
    }

    async fn next(&mut self, period: Period, now: Timestamp) -> anyhow::Result<NextEdition> {
        let key = EditionKey::from(period);
        let zone = self.config.site.zone();
        if self.store.edition(key).await?.is_some() {
            anyhow::bail!("The edition of {} has been opened; it is among the editions.", wording::period(period));
        }
        let preview = self.preview(period, now).await?;
        let sender = sending::sender(&self.config, &self.blog.site, Secrets::of(&self.store).await?)?;
        let reader = nobody("reader@example.org");
        let shown = texts(&sender, &preview.edition, reader)?;
        let source = compose(&sender, &preview.edition, reader)?.bytes;
        let schedule = Schedule::parse(&self.config.digest.schedule).map_err(anyhow::Error::msg)?;
        let findings = preflight::findings(&self.blog, &preview.edition, &preview.content);
        let Preview { what, edition, empty, fingerprint, .. } = preview;
        Ok(NextEdition {
            period,
            due: schedule.due_after(period, &zone),
            over: period.end(&zone) <= now,
            waits: self.waits_since(period).await?,
            subject: edition.subject,
            text: shown.text,
            html: shown.html,
            source,
            posts: what.posts,
            late: what.late,
            drafts: what.drafts.into_iter().map(|draft| draft.title).collect(),
            restless: what.restless,
            still_at: what.still_at,
            readers: self.store.readers(Frequency::of(key)).await?,
            empty,
            fingerprint: format!("{fingerprint:032x}"),
            findings,
        })
    }

    async fn preview(&mut self, period: Period, now: Timestamp) -> anyhow::Result<Preview> {
        self.blog.reload_ledger().await?;
        Preview::of(&mut self.blog, &self.templates, period, now, Self::machine_now())
            .map_err(|problem| anyhow::anyhow!("The edition cannot be rendered: {problem}"))
    }

    /// What keeps editions from going out.
    async fn troubles(&self, now: Timestamp) -> Vec<String> {
        let mut troubles = Vec::new();
        if let Ok(Some(since)) = self.store.standby().await {
            troubles.push(format!(
                "The store was restored from a copy of {since:.0}: nothing is sent before `gazetted digest resume --restored`."
            ));
        }
        if self.trust.is_in_doubt() {
            troubles.push("The clock has jumped: nothing is sent before it is believed again.".to_owned());
        }
        if self.reached == Reached::Nothing {
            troubles.push(
                "The last pass over the posts did not get through; no edition is opened before one does.".to_owned(),
            );
        }
        if !self.config.digest.enabled {
            troubles.push("No edition is opened by itself: `digest.enabled` is false.".to_owned());
        }
        for (period, due) in missed::missed(&self.blog, &self.store, now).await.unwrap_or_default() {
            troubles.push(format!(
                "The digest of {} was due on {due:.0} and is not sent any more: `gazetted digest open {period}` does so.",
                wording::period(period)
            ));
        }
        troubles
    }

    async fn release(&mut self, period: Period, fingerprint: &str) -> Answered {
        let now = self.clock.now();
        let shown = looked_at(fingerprint)?;
        if let Some(trouble) = self.in_the_way().await {
            return Err(trouble);
        }
        let next = self.next(period, now).await.map_err(|error| format!("{error:#}"))?;
        if next.is_red() {
            return Err("What was found must be mended before it goes out.".to_owned());
        }
        let word = Word { as_is: true, shown: Some(shown), ..Word::default() };
        let opened =
            editions::open(&mut self.blog, &self.store, &self.templates, period, now, Self::machine_now(), word).await;
        match opened {
            Ok(Outcome::Opened { posts, recipients }) => {
                info!(event = "edition_released", edition = %period, posts, recipients, "edition released by an editor");
                self.was_decided(period, now).await;
                self.outbox.outbox.wake();
                Ok(format!(
                    "The edition of {} is released: {} to {}.",
                    wording::period(period),
                    wording::digits(posts, "post"),
                    wording::digits(u32::try_from(recipients).unwrap_or(u32::MAX), "reader")
                ))
            }
            Ok(Outcome::Empty) => Err("There was nothing in it, so nothing is sent.".to_owned()),
            Ok(Outcome::Before(_)) => Err("It has been opened before.".to_owned()),
            Err(error) => Err(sentence(&error)),
        }
    }

    async fn turn_down(&mut self, period: Period, fingerprint: &str) -> Answered {
        let now = self.clock.now();
        let shown = looked_at(fingerprint)?;
        if let Some(trouble) = self.in_the_way().await {
            return Err(trouble);
        }
        if !self.look(Some(period)).await.awaits_word(period) {
            return Err("It does not wait for your word.".to_owned());
        }
        match editions::turn_down(&mut self.blog, &self.store, &self.templates, period, now, Some(shown)).await {
            Ok(Some(posts)) => {
                info!(event = "edition_turned_down", edition = %period, posts, "edition turned down by an editor");
                self.was_decided(period, now).await;
                Ok(wording::capitalised(&format!("{}.", editions::turned_down(period, posts))))
            }
            Ok(None) => Err("It has been opened before.".to_owned()),
            Err(error) => Err(sentence(&error)),
        }
    }

    /// The same that keeps an edition from being opened when it is due.
    async fn in_the_way(&self) -> Option<String> {
        let stands_by = match self.store.standby().await {
            Ok(since) => since.is_some(),
            Err(error) => return Some(format!("The store cannot be asked: {error}")),
        };
        let blocked = stands_by || self.trust.is_in_doubt() || self.reached == Reached::Nothing;
        blocked.then(|| "Nothing can be decided now: the overview says what is in the way.".to_owned())
    }

    /// Sent beside everything else: a server may take its time.
    async fn test(&mut self, period: Period, to: &str, answer: oneshot::Sender<Answered>) {
        match self.copy(period, to).await {
            Ok((channel, message)) => {
                let key = DeliveryKey { edition: period.into(), subscriber: 0 };
                tokio::spawn(async move { drop(answer.send(sent(channel, key, message).await)) });
            }
            Err(error) => drop(answer.send(Err(format!("{error:#}")))),
        }
    }

    async fn copy(&mut self, period: Period, to: &str) -> anyhow::Result<(Channel, Message)> {
        anyhow::ensure!(self.config.digest.editors.iter().any(|editor| editor == to), "This is no editor's address.");
        let to = Address::parse(to)?;
        let preview = self.preview(period, self.clock.now()).await?;
        let sender = sending::sender(&self.config, &self.blog.site, Secrets::of(&self.store).await?)?;
        let message = compose(&sender, &preview.edition, nobody(&to.email))?;
        let ways = sending::ways(&self.config)?;
        let way = ways.iter().max_by_key(|way| way.weight);
        let way = way.ok_or_else(|| anyhow::anyhow!("There is no way out: see `[smtp]`."))?;
        Ok((way.transport.channel(), message))
    }
}

/// Which very content an editor has looked at.
fn looked_at(fingerprint: &str) -> Result<u128, String> {
    u128::from_str_radix(fingerprint, 16).map_err(|_| sentence(&OpenError::Changed))
}

fn sentence(error: &OpenError) -> String {
    wording::capitalised(&format!("{error}."))
}

async fn sent(mut channel: Channel, key: DeliveryKey, message: Message) -> Answered {
    let sending = async {
        let sent = channel.send(key, &message, std::future::ready(true), std::future::ready(None)).await;
        channel.close().await;
        sent
    };
    match tokio::time::timeout(PATIENCE, sending).await {
        Ok(Ok(Sent::Accepted(words))) => Ok(format!("A copy is sent: {words}")),
        Ok(Ok(Sent::Lost)) => Err("It was not sent. Try again.".to_owned()),
        Ok(Err(Failure { words, .. })) => {
            debug!("a copy for an editor was not taken: {words}");
            Err(format!("It was not sent: {words}"))
        }
        Err(_) => Err("The server has not answered yet; the copy may still come.".to_owned()),
    }
}
