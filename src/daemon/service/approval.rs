//! Editions that wait for an editor's word: the editors are asked once for each, with a preview, and reminded once. The
//! letter that asks is what says that an edition waits, and since when.

use jiff::{SignedDuration, Timestamp};
use tracing::{debug, error, info, warn};

use super::Service;
use crate::daemon::approval::letters;
use crate::daemon::letters::{addresses, letter};
use crate::daemon::preview::{Preview, nobody};
use crate::daemon::sending::{self, Secrets};
use crate::domain::edition::EditionKey;
use crate::domain::period::Period;
use crate::domain::wording;
use crate::render::approval::{self, Waiting};
use crate::render::letter::Frame;
use crate::render::message::texts;
use crate::render::notice::NoticeText;
use crate::store::StoreError;

/// How long nobody says anything before the editors are reminded.
const PATIENCE: SignedDuration = SignedDuration::from_hours(72);

impl Service {
    /// Since when an edition has waited, if it does.
    pub(super) async fn waits_since(&self, period: Period) -> Result<Option<Timestamp>, StoreError> {
        let EditionKey::Letter(key) = EditionKey::letter(&format!("{}preview", letters(period))) else {
            return Ok(None);
        };
        Ok(self.store.letter(key).await?.map(|letter| letter.made_at))
    }

    /// Whether an edition that is due has to wait for an editor's word. What has nothing to say need not.
    pub(super) async fn has_to_wait(&mut self, period: Period, now: Timestamp) -> bool {
        match self.waits_since(period).await {
            Ok(Some(since)) => {
                self.remind(period, since, now).await;
                true
            }
            Ok(None) => self.begin_to_wait(period, now).await,
            Err(error) => {
                error!(event = "approval_unknown", edition = %period, "cannot see whether it was released: {error}");
                true
            }
        }
    }

    async fn begin_to_wait(&mut self, period: Period, now: Timestamp) -> bool {
        if let Err(error) = self.blog.reload_ledger().await {
            error!(event = "approval_unknown", edition = %period, "cannot see what was announced before: {error}");
            return true;
        }
        let preview = match Preview::of(&mut self.blog, &self.templates, period, now, Self::machine_now()) {
            Ok(preview) => preview,
            Err(problem) => {
                error!(event = "approval_failed", edition = %period, "the edition cannot be shown to the editors: {problem}");
                return true;
            }
        };
        if preview.empty {
            return false;
        }
        if let Some(until) = preview.what.still_at {
            debug!(edition = %period, "editors are asked when its posts have been still: {until}");
            return true;
        }
        match self.ask_editors(period, &preview, now).await {
            Ok(true) => {
                info!(event = "approval_asked", edition = %period, "the edition waits for an editor's word; they have been asked");
            }
            Ok(false) => {}
            Err(error) => {
                error!(event = "approval_failed", edition = %period, "the editors cannot be asked: {error:#}");
            }
        }
        true
    }

    async fn ask_editors(&self, period: Period, preview: &Preview, now: Timestamp) -> anyhow::Result<bool> {
        let sender = sending::sender(&self.config, &self.blog.site, Secrets::of(&self.store).await?)?;
        let shown = texts(&sender, &preview.edition, nobody("editor@example.org"))?;
        let title = sender.title.clone();
        let url = self.desk(period);
        let waiting = self.waiting(period, &preview.edition.subject, &title, &url);
        let letter = approval::preview(&self.templates, &waiting, &shown.text, &shown.html);
        let letter = letter.map_err(|problem| anyhow::anyhow!("{problem}"))?;
        Ok(self.write(period, "preview", letter, now).await?)
    }

    async fn remind(&mut self, period: Period, since: Timestamp, now: Timestamp) {
        let day = self.config.site.zone().to_datetime(now).date();
        let about = format!("the edition of {period} waits since {since:.0}");
        if self.said.insert(format!("{about}, on {day}")) {
            warn!(
                event = "approval_waits",
                edition = %period,
                "{about} for an editor's word: release it or turn it down on /admin/next, or with `gazetted digest open {period}` or `digest \
                 cancel {period}`"
            );
        }
        if now.duration_since(since) < PATIENCE {
            return;
        }
        if let Err(error) = self.remind_editors(period, now).await {
            error!(event = "approval_failed", edition = %period, "the editors cannot be reminded: {error:#}");
        }
    }

    async fn remind_editors(&self, period: Period, now: Timestamp) -> anyhow::Result<()> {
        let name = format!("{}reminder", letters(period));
        if self.store.letters(&name).await?.contains(&name) {
            return Ok(());
        }
        let (title, url) = (self.blog.site.title(&self.config), self.desk(period));
        let waiting = self.waiting(period, "", &title, &url);
        let letter = approval::reminder(&self.templates, &waiting).map_err(|problem| anyhow::anyhow!("{problem}"))?;
        if self.write(period, "reminder", letter, now).await? {
            info!(event = "approval_reminded", edition = %period, "the editors are reminded that it waits");
        }
        Ok(())
    }

    /// Where editors look at it.
    fn desk(&self, period: Period) -> String {
        format!("{}/admin/next?period={period}", self.config.admin_url())
    }

    fn waiting<'a>(&'a self, period: Period, subject: &'a str, title: &'a str, url: &'a str) -> Waiting<'a> {
        let site = &self.config.site;
        let frame = Frame { title, site_url: site.url.trim_end_matches('/'), language: &site.language };
        Waiting { frame, period, subject, url }
    }

    /// False if there is one of this kind already: another node, or this one before it was started anew, was first.
    async fn write(&self, period: Period, kind: &str, text: NoticeText, now: Timestamp) -> Result<bool, StoreError> {
        let letter = letter(format!("{}{kind}", letters(period)), text, now);
        let editors = addresses(&self.config.digest.editors);
        let written = self.store.write_letter(&letter, &editors, None).await?;
        self.outbox.outbox.wake();
        Ok(written)
    }

    /// Nobody need be asked any more.
    pub(super) async fn was_decided(&self, period: Period, now: Timestamp) {
        let why = format!("{} was decided upon", wording::period(period));
        if let Err(error) = self.store.take_back_letters(&letters(period), &why, now).await {
            debug!(edition = %period, "a letter may still go to editors: {error}");
        }
    }
}
