//! Hubs are told of feeds that have changed, and not a moment too early: a hub fetches the feed when it is told, so it is told
//! when the public address has what was published. What is still to be told is in the store, and outlives the daemon.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::web::{Ask, Web, WebError};
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
/// Several hubs are told of the same feeds at the same time: so long a look at the public address counts for all of them.
const FRESH: Duration = Duration::from_secs(5);
const FIRST_WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_mins(10);
/// A static host that has not deployed by then never will; a hub that is away for longer fetches by itself.
const GIVEN_UP: Duration = Duration::from_hours(24);

#[derive(Clone)]
pub struct Announcer(Arc<Inner>);

struct Inner {
    store: SharedStore,
    clock: SharedClock,
    web: Web,
    feeds_url: String,
    hubs: Vec<String>,
    /// By public address. Whoever wants to look while somebody looks waits for what they see.
    looks: Mutex<HashMap<String, Arc<Mutex<Option<Look>>>>>,
}

/// What a public address had.
struct Look {
    at: Timestamp,
    etag: Option<String>,
    /// The hash of its bytes, or why there were none.
    found: Result<u128, String>,
}

impl Look {
    /// Whether it says of a version all that another look would.
    fn answers(&self, due: &Announcement, now: Timestamp) -> bool {
        self.at >= due.changed_at && (self.found == Ok(due.hash) || now < after(self.at, FRESH))
    }
}

/// What came of one try.
enum Told {
    Yes,
    /// The public address does not have it yet, or the hub does not take it.
    NotYet(String),
    /// The hub lets its callers wait.
    Silent,
}

impl Announcer {
    #[must_use]
    pub fn new(config: &Config, store: SharedStore, clock: SharedClock, web: Web) -> Self {
        let (feeds_url, hubs) = (config.feeds_url().to_owned(), config.feeds.hubs.clone());
        Self(Arc::new(Inner { store, clock, web, feeds_url, hubs, looks: Mutex::default() }))
    }

    /// Each hub by itself: one that is slow keeps no other waiting.
    pub async fn run(self, stop: CancellationToken) {
        let mut hubs = JoinSet::new();
        for hub in self.0.hubs.clone() {
            let (inner, stop) = (Arc::clone(&self.0), stop.clone());
            hubs.spawn(async move { inner.tell_all(&hub, &stop).await });
        }
        hubs.join_all().await;
    }
}

impl Inner {
    async fn tell_all(&self, hub: &str, stop: &CancellationToken) {
        loop {
            if let Err(error) = self.turn(hub, stop).await {
                debug!(hub, "the hub is told later: {error}");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    async fn turn(&self, hub: &str, stop: &CancellationToken) -> Result<(), StoreError> {
        let (now, mut silent) = (self.clock.now(), false);
        for due in self.store.claim_announcements(hub, BATCH, now, after(now, LEASE)).await? {
            if stop.is_cancelled() {
                self.store.defer_announcement(&due, "the daemon was stopped", now).await?;
                continue;
            }
            let told = if silent { Told::Silent } else { self.tell(&due).await };
            silent = matches!(told, Told::Silent);
            self.settle(&due, told).await?;
        }
        Ok(())
    }

    async fn tell(&self, due: &Announcement) -> Told {
        let topic = format!("{}/{}", self.feeds_url, slug::encode_path(&due.path));
        match self.look(&topic, due).await {
            Ok(found) if found == due.hash => {}
            Ok(_) => return Told::NotYet(format!("`{topic}` is still what it was")),
            Err(words) => return Told::NotYet(format!("`{topic}`: {words}")),
        }
        let ask = Ask::post(&due.hub, websub::ping(&topic))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .status_only();
        match self.web.ask(&ask).await {
            Ok(answer) if answer.status.is_success() => Told::Yes,
            Ok(answer) => Told::NotYet(format!("the hub answered {}", answer.status)),
            Err(WebError::TooLate(_)) => Told::Silent,
            Err(error) => Told::NotYet(format!("the hub: {error}")),
        }
    }

    /// The hash of what everybody gets there.
    async fn look(&self, topic: &str, due: &Announcement) -> Result<u128, String> {
        let place = Arc::clone(self.looks.lock().await.entry(topic.to_owned()).or_default());
        let mut last = place.lock().await;
        let now = self.clock.now();
        let look = match last.take() {
            Some(look) if look.answers(due, now) => look,
            before => self.look_again(topic, before, now).await,
        };
        last.insert(look).found.clone()
    }

    async fn look_again(&self, topic: &str, before: Option<Look>, at: Timestamp) -> Look {
        let mut ask = Ask::get(topic).most(MOST_BYTES);
        let known = before.and_then(|look| Some((look.etag?, look.found.ok()?)));
        if let Some((etag, _)) = &known {
            ask = ask.header(IF_NONE_MATCH, etag);
        }
        let none = |words: String| Look { at, etag: None, found: Err(words) };
        let answer = match self.web.ask(&ask).await {
            Ok(answer) => answer,
            Err(error) => return none(error.to_string()),
        };
        match (answer.status, known) {
            (StatusCode::OK, _) => {
                let etag = answer.headers.get(ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
                Look { at, etag, found: Ok(hash::of(&answer.body)) }
            }
            (StatusCode::NOT_MODIFIED, Some((etag, found))) => Look { at, etag: Some(etag), found: Ok(found) },
            (status, _) => none(format!("the server answered {status}")),
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
            Told::Silent => "the hub does not answer".to_owned(),
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
