//! What is due is opened: by the one node that leads, if its clock is believed and the store is no copy.

use jiff::{SignedDuration, Timestamp};
use tracing::{debug, error, info, warn};

use super::{FAREWELL, Service};
use crate::config::Approval;
use crate::daemon::editions::{self, OpenError, Outcome, Word};
use crate::daemon::sending::Secrets;
use crate::daemon::trust::Verdict;
use crate::daemon::{missed, nudges, preflight, singles};
use crate::domain::edition::EditionKey;
use crate::domain::period::Per;
use crate::domain::preflight::Finding;
use crate::store::SCHEDULE;

/// How long the node that opens editions may be silent before another one does. Three heartbeats.
const LEAD: SignedDuration = SignedDuration::from_mins(3);
/// Between two monthly digests.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);
const STANDS_BY: &str = "the store was restored from a copy: no edition is opened and nothing is sent until you have looked at \
     `gazetted digest list` and said `gazetted digest resume --restored`";

impl Service {
    /// A clock that has just jumped opens and sends nothing.
    pub(super) async fn believes_clock(&mut self, now: Timestamp) -> bool {
        let verdict = self.trust.look(now, self.clock.steady());
        match verdict {
            Verdict::Believed | Verdict::Doubted => {}
            Verdict::Jumped(off) => {
                error!(
                    event = "clock_jumped",
                    "the clock has jumped by {} hours; no edition is opened and nothing is sent until it is back, has run on for an \
                     hour, or you reload or restart gazetted to say that it is right",
                    off.as_hours()
                );
                let _ = tokio::time::timeout(FAREWELL, self.outbox.ended()).await;
            }
            Verdict::BelievedAgain => {
                info!(event = "clock_believed", "the clock is believed again");
                if let Err(error) = self.send_again().await {
                    error!(event = "sending_failed", "sending cannot begin again: {error:#}");
                }
            }
        }
        verdict.is_good()
    }

    async fn send_again(&mut self) -> anyhow::Result<()> {
        let secrets = Secrets::of(&self.store).await?;
        self.restart_sending(secrets).await
    }

    /// A store that was copied opens nothing, and says so; once.
    pub(super) async fn stands_by(&mut self) -> bool {
        match self.store.standby().await {
            Ok(None) => {
                self.said.remove(STANDS_BY);
                false
            }
            Ok(Some(since)) => {
                if self.said.insert(STANDS_BY.to_owned()) {
                    error!(event = "store_stands_by", "{STANDS_BY} (of {since})");
                }
                true
            }
            Err(error) => {
                error!(event = "store_unreadable", "cannot see whether the store may be used for sending: {error}");
                true
            }
        }
    }

    /// Months that passed unsent are named, once.
    async fn say_missed(&mut self, now: Timestamp) {
        for (period, due) in missed::missed(&self.blog, &self.store, now).await.unwrap_or_default() {
            let others = if editions::goes_on(&self.blog, period) { "its posts go into the next one, or " } else { "" };
            let line = format!(
                "the digest of {period} was due on {due} and is not sent any more: that is longer ago than `digest.catch_up`, {}; \
                 {others}`gazetted digest open {period}` sends it",
                self.config.digest.catch_up
            );
            if self.said.insert(line.clone()) {
                warn!(event = "digest_missed", "{line}");
            }
        }
    }

    /// Nobody gets two monthly digests in one day, however many are due.
    async fn has_rested(&self, now: Timestamp) -> bool {
        match self.store.latest_edition().await {
            Ok(latest) => latest.is_none_or(|edition| now.duration_since(edition.opened_at).abs() >= A_DAY),
            Err(_) => false,
        }
    }

    /// One node opens editions. The number it has is asked for again when one is written.
    pub(super) async fn lead(&self, now: Timestamp) -> Option<i64> {
        match self.store.lead(SCHEDULE, &self.node, LEAD, now).await {
            Ok(lead) => lead,
            Err(error) => {
                error!(event = "lead_unknown", "cannot see who opens editions: {error}");
                None
            }
        }
    }

    pub(super) async fn open_due(&mut self, now: Timestamp, lead: i64) {
        let word = Word { lead: Some(lead), ..Word::default() };
        let due = match editions::due(&self.blog, &self.store, now).await {
            Ok(due) => due,
            Err(error) => return error!(event = "digest_unknown", "cannot see which digest is due: {error}"),
        };
        self.say_missed(now).await;
        for period in due {
            if period.per() == Per::Month && !self.has_rested(now).await {
                debug!(edition = %period, "waits until a day after the digest before it");
                continue;
            }
            if self.config.digest.approval == Approval::Manual && self.has_to_wait(period, now).await {
                continue;
            }
            let opened =
                editions::open(&mut self.blog, &self.store, &self.templates, period, now, Self::machine_now(), word)
                    .await;
            match opened {
                Ok(Outcome::Opened { posts, recipients }) => {
                    info!(event = "edition_opened", edition = %period, posts, recipients, "edition opened");
                    self.outbox.outbox.wake();
                }
                Ok(Outcome::Empty) => info!(event = "digest_empty", edition = %period, "no posts, so no digest"),
                Ok(Outcome::Before(_)) => debug!(edition = %period, "opened by another node"),
                Err(OpenError::Restless { paths, until, .. }) => {
                    info!(event = "digest_waits_for_posts", edition = %period, "waits until {until} for posts that were just changed: {}", paths.join(", "));
                }
                Err(OpenError::Preflight { key, findings }) => self.keep_back(key, &findings, now).await,
                Err(error) => {
                    error!(event = "edition_failed", edition = %period, "the edition cannot be opened: {error}");
                }
            }
        }
        self.open_singles(now, word).await;
    }

    async fn open_singles(&mut self, now: Timestamp, word: Word) {
        let singles = singles::open(&mut self.blog, &self.store, &self.templates, now, Self::machine_now(), word).await;
        let came = match singles {
            Ok(came) => came,
            Err(error) => return error!(event = "single_failed", "posts cannot go out by themselves: {error}"),
        };
        for (edition, recipients) in came.opened {
            info!(event = "single_opened", %edition, recipients, "a post goes out by itself");
            self.outbox.outbox.wake();
        }
        for (edition, findings) in came.kept_back {
            self.keep_back(edition, &findings, now).await;
        }
    }

    /// What the pre-flight found goes to the log and to the editors, once each.
    async fn keep_back(&mut self, edition: EditionKey, findings: &[Finding], now: Timestamp) {
        for finding in findings {
            let line = format!("{finding}; {}", finding.hint);
            if !self.said.insert(format!("{edition} {line}")) {
                continue;
            }
            if finding.is_red() {
                error!(event = "edition_kept_back", %edition, "kept back: {line}");
            } else {
                warn!(event = "preflight_warning", %edition, "{line}");
            }
        }
        let title = self.blog.site.title(&self.config);
        match preflight::tell_editors(&self.config, &title, &self.store, &self.templates, edition, findings, now).await
        {
            Ok(true) => self.outbox.outbox.wake(),
            Ok(false) => {}
            Err(error) => {
                error!(event = "editors_not_told", %edition, "editors cannot be told why it is kept back: {error}");
            }
        }
    }

    /// Editors are told what they asked to be told.
    pub(super) async fn nudge(&mut self, now: Timestamp) {
        match nudges::write_due(&mut self.blog, &self.store, &self.templates, now).await {
            Ok(0) => {}
            Ok(_) => self.outbox.outbox.wake(),
            Err(error) => {
                let line = format!("editors are not told how the goal stands: {error}");
                if self.said.insert(line.clone()) {
                    error!(event = "nudge_failed", "{line}");
                }
            }
        }
    }
}
