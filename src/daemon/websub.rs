//! Hubs are told of feeds that have changed, and not a moment too early: a hub fetches the feed when it is told, so it is told
//! when the public address has what was published. What is still to be told is in the store, and outlives the daemon.

use std::collections::HashMap;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::web::{Ask, Web};
use crate::clock::SharedClock;
use crate::config::Config;
use crate::domain::delivery::after;
use crate::domain::dialect::slug;
use crate::domain::feed_document::MOST_BYTES;
use crate::domain::hash;
use crate::domain::websub;
use crate::store::{Announcement, SharedStore, StoreError};

const TICK: Duration = Duration::from_secs(2);
const BATCH: u32 = 20;
/// Longer than a batch takes at worst, so that nobody else looks meanwhile.
const LEASE: Duration = Duration::from_mins(15);
const FIRST_WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_mins(10);
/// A static host that has not deployed by then never will; a hub that is away for longer fetches by itself.
const GIVEN_UP: Duration = Duration::from_hours(24);

pub struct Announcer {
    store: SharedStore,
    clock: SharedClock,
    web: Web,
    feeds_url: String,
    /// Whether any hub is configured.
    wanted: bool,
    /// The validators of the versions that were found and were not the new one.
    seen: HashMap<String, String>,
}

/// What came of one try.
enum Told {
    Yes,
    /// The public address does not have it yet, or the hub does not take it.
    NotYet(String),
}

impl Announcer {
    #[must_use]
    pub fn new(config: &Config, store: SharedStore, clock: SharedClock, web: Web) -> Self {
        let (feeds_url, wanted) = (config.feeds_url().to_owned(), !config.feeds.hubs.is_empty());
        Self { store, clock, web, feeds_url, wanted, seen: HashMap::new() }
    }

    pub async fn run(mut self, stop: CancellationToken) {
        if !self.wanted {
            return;
        }
        loop {
            if let Err(error) = self.turn(&stop).await {
                debug!("hubs are told later: {error}");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    async fn turn(&mut self, stop: &CancellationToken) -> Result<(), StoreError> {
        let now = self.clock.now();
        for due in self.store.claim_announcements(BATCH, now, after(now, LEASE)).await? {
            if stop.is_cancelled() {
                self.store.defer_announcement(&due, "the daemon was stopped", now).await?;
                continue;
            }
            let told = self.tell(&due).await;
            self.settle(&due, told).await?;
        }
        Ok(())
    }

    async fn tell(&mut self, due: &Announcement) -> Told {
        let topic = format!("{}/{}", self.feeds_url, slug::encode_path(&due.path));
        match self.is_public(&topic, due.hash).await {
            Ok(true) => {}
            Ok(false) => return Told::NotYet(format!("`{topic}` is still what it was")),
            Err(words) => return Told::NotYet(format!("`{topic}`: {words}")),
        }
        let ask = Ask::post(&due.hub, websub::ping(&topic))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .status_only();
        match self.web.ask(&ask).await {
            Ok(answer) if answer.status.is_success() => Told::Yes,
            Ok(answer) => Told::NotYet(format!("the hub answered {}", answer.status)),
            Err(error) => Told::NotYet(format!("the hub: {error}")),
        }
    }

    /// Whether everybody gets these bytes by now.
    async fn is_public(&mut self, topic: &str, hash: u128) -> Result<bool, String> {
        let mut ask = Ask::get(topic).most(MOST_BYTES);
        if let Some(etag) = self.seen.get(topic) {
            ask = ask.header(IF_NONE_MATCH, etag);
        }
        let answer = self.web.ask(&ask).await.map_err(|error| error.to_string())?;
        match answer.status {
            StatusCode::NOT_MODIFIED => Ok(false),
            StatusCode::OK if hash::of(&answer.body) == hash => {
                self.seen.remove(topic);
                Ok(true)
            }
            StatusCode::OK => {
                let etag = answer.headers.get(ETAG).and_then(|etag| etag.to_str().ok());
                self.seen.remove(topic);
                self.seen.extend(etag.map(|etag| (topic.to_owned(), etag.to_owned())));
                Ok(false)
            }
            status => Err(format!("the server answered {status}")),
        }
    }

    async fn settle(&self, due: &Announcement, told: Told) -> Result<(), StoreError> {
        let (now, feed, hub) = (self.clock.now(), &due.path, &due.hub);
        let words = match told {
            Told::Yes => {
                info!(event = "hub_told", feed, hub, "the hub knows of the new version");
                return self.store.end_announcement(due, "told").await;
            }
            Told::NotYet(words) => words,
        };
        let until = after(now, websub::wait(due.attempts, FIRST_WAIT, LONGEST_WAIT));
        if until > after(due.changed_at, GIVEN_UP) {
            warn!(
                event = "hub_given_up",
                feed, hub, "the hub is not told of this version any more, a day after it was published: {words}"
            );
            return self.store.end_announcement(due, &words).await;
        }
        if due.attempts == 1 {
            info!(event = "hub_deferred", feed, hub, "the hub is told later: {words}");
        }
        self.store.defer_announcement(due, &words, until).await
    }
}
