//! What editors are told of their goals: a nudge when a stage of an open, unmet period has come, and how each month closed.
//! Knows the blog, the store and the configuration; each letter is written once, whichever node is first.

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use tracing::{info, warn};

use super::blog::{Blog, specs};
use super::letters;
use crate::config::Config;
use crate::domain::goal::PeriodState;
use crate::domain::nudge::{self, Stage};
use crate::domain::period::{Per, Period};
use crate::domain::problem::Problem;
use crate::domain::record::Record;
use crate::domain::subscriber::State;
use crate::domain::webhook::{CLOSED, NUDGED};
use crate::render::editors::{self, About, Readers};
use crate::render::letter::{self, Frame, Words};
use crate::render::templates::Templates;
use crate::store::{SharedStore, StoreError, Told};

/// A month's letter that is later than this (the daemon was down, or has just been set up) is not written any more.
const LATE: SignedDuration = SignedDuration::from_hours(24 * 7);

#[derive(Debug, thiserror::Error)]
pub enum NudgeError {
    #[error("a letter to editors cannot be rendered: {0}")]
    Template(Box<Problem>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes what is due at `now`, and takes back what is not needed any more; gives how many letters were written.
pub async fn write_due(
    blog: &mut Blog,
    store: &SharedStore,
    templates: &Templates,
    now: Timestamp,
) -> Result<u32, NudgeError> {
    let config = std::sync::Arc::clone(&blog.config);
    let stages: Vec<Stage> = config.nudge.stages.iter().filter_map(|stage| Stage::parse(stage)).collect();
    if stages.is_empty() && !config.nudge.monthly {
        return Ok(0);
    }
    let desk = Desk { config: &config, store, templates, title: blog.site.title(&config), now };
    let records = blog.records_of(&specs(&config.goal), now);
    let mut written = 0;
    for record in &records {
        written += u32::from(desk.nudge(record, &stages).await?);
    }
    if config.nudge.monthly {
        written += u32::from(desk.month(blog).await?);
    }
    Ok(written)
}

struct Desk<'a> {
    config: &'a Config,
    store: &'a SharedStore,
    templates: &'a Templates,
    title: String,
    now: Timestamp,
}

impl Desk<'_> {
    async fn nudge(&self, record: &Record, stages: &[Stage]) -> Result<bool, NudgeError> {
        let goal = &record.status;
        let Some(current) = goal.current() else { return Ok(false) };
        let prefix = nudge::prefix(goal, current.period);
        // What is planned within the period will publish itself: nobody has to do anything.
        let is_settled = current.state != PeriodState::Open || current.published + goal.planned >= current.goal;
        if is_settled {
            self.take_back(&prefix).await?;
            return Ok(false);
        }
        let Some(due) = nudge::due(goal, stages, self.struck()) else { return Ok(false) };
        let name = due.name(goal);
        if self.store.letters(&name).await?.contains(&name) {
            return Ok(false);
        }
        let about = self.about();
        let words = editors::nudge(&about, record, due);
        let told = Told { event: NUDGED, facts: editors::nudge_facts(&about, record, due, &words) };
        let written = self.write(name, &words, &told).await?;
        if written {
            info!(event = "nudge_written", goal = %goal.name, period = %due.period, stage = %due.stage, "editors are nudged");
        }
        Ok(written)
    }

    /// A nudge that waits in the outbox would come too late: what it asks for is there.
    async fn take_back(&self, prefix: &str) -> Result<(), NudgeError> {
        if self.store.letters(prefix).await?.is_empty() {
            return Ok(());
        }
        let gone = self.store.take_back_letters(prefix, "the goal is met", self.now).await?;
        if gone > 0 {
            info!(event = "nudge_withdrawn", deliveries = gone, "nudges are taken back: the goal is met");
        }
        Ok(())
    }

    async fn month(&self, blog: &mut Blog) -> Result<bool, NudgeError> {
        let zone = self.config.site.zone();
        let month = Period::containing(Per::Month, self.struck()).previous();
        let name = format!("month/{month}");
        let end = month.end(&zone);
        let born = self.store.created_at().await?;
        if self.now.duration_since(end) > LATE || born >= end || self.store.letters(&name).await?.contains(&name) {
            return Ok(false);
        }
        // As it stood in the month's last moment: the first post of the new one is no merit of the old.
        let records = blog.records_of(&specs(&self.config.goal), end.checked_sub(1.microsecond()).unwrap_or(end));
        if records.is_empty() {
            return Ok(false);
        }
        let growth = self.store.growth(&[(month.start(&zone), end)]).await?;
        let (joined, left) = growth.first().map_or((0, 0), |growth| (growth.joined, growth.left));
        let stats = self.store.subscriber_counts().await?;
        let readers = Readers { active: stats.get(State::Active.as_str()).copied().unwrap_or_default(), joined, left };
        let about = self.about();
        let words = editors::closed(&about, &records, month, readers);
        let told = Told { event: CLOSED, facts: editors::closed_facts(&about, &records, month, readers, &words) };
        let written = self.write(name, &words, &told).await?;
        if written {
            info!(event = "month_closed_written", %month, "editors are told how the month closed");
        }
        Ok(written)
    }

    async fn write(&self, name: String, words: &Words, told: &Told) -> Result<bool, NudgeError> {
        let site_url = self.config.site.url.trim_end_matches('/');
        let frame = Frame { title: &self.title, site_url, language: &self.config.site.language };
        let text = letter::letter(self.templates, &frame, words).map_err(|p| NudgeError::Template(Box::new(p)))?;
        let letter = letters::letter(name, text, self.now);
        let to = letters::editors(self.config);
        if to.is_empty() && self.config.webhooks.is_empty() {
            warn!(
                event = "nobody_to_nudge",
                "nobody is told: name editors in `nudge.to` or `digest.editors`, or set up `[[webhooks]]`"
            );
        }
        Ok(self.store.write_letter(&letter, &to, Some(told)).await?)
    }

    fn about(&self) -> About<'_> {
        About {
            title: &self.title,
            pages_url: self.config.public_url(),
            language: self.templates.languages().get(&self.config.site.language),
        }
    }

    /// The last day whose hour for letters has struck.
    fn struck(&self) -> jiff::civil::Date {
        let local = self.config.site.zone().to_datetime(self.now);
        let at: Time = self.config.nudge.at.parse().unwrap_or(Time::midnight());
        if local.time() >= at { local.date() } else { local.date().yesterday().unwrap_or(local.date()) }
    }
}
