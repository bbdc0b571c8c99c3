//! The daemon's own WebSub hub: callbacks are asked whether they meant what was asked in their name, and get each new version of
//! their feed. What is to be done is in the store. A callback's whole address is nobody's business: the log has its host.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, LINK};
use axum::http::{HeaderName, StatusCode};
use jiff::Timestamp;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::blog::{media_type, settings};
use super::sending::fresh;
use super::web::{Ask, Reach, Web, WebError};
use crate::clock::SharedClock;
use crate::config::Config;
use crate::domain::delivery::after;
use crate::domain::hash;
use crate::domain::websub::{self, Mode};
use crate::publish;
use crate::render::feed::{self, Settings};
use crate::scan::Site;
use crate::store::{Distribution, Question, SharedStore, StoreError};

const TICK: Duration = Duration::from_secs(1);
/// Calls under way at the same time: so many questions, and as many deliveries.
const AT_ONCE: usize = 16;
/// Of these to one host: one that lets its callers wait must not keep all others waiting.
const HOST_AT_ONCE: usize = 3;
const LEASE: Duration = Duration::from_mins(2);
const FIRST_WAIT: Duration = Duration::from_mins(1);
const LONGEST_WAIT: Duration = Duration::from_hours(6);
/// A callback that cannot be reached is asked so often.
const QUESTIONS: u32 = 5;
/// A callback that fails for so long is not called any more.
const GIVEN_UP: Duration = Duration::from_hours(72);

const SIGNATURE: HeaderName = HeaderName::from_static("x-hub-signature");

#[derive(Clone)]
pub struct Hub(Arc<Inner>);

/// Who is new waits for nobody's delivery.
#[derive(Clone, Copy)]
enum Kind {
    Questions,
    Deliveries,
}

struct Inner {
    store: SharedStore,
    clock: SharedClock,
    web: Web,
    on: bool,
    reach: Reach,
    /// The feeds' files.
    out: PathBuf,
    settings: Settings,
    own: String,
}

impl Hub {
    #[must_use]
    pub fn new(config: &Config, site: &Site, store: SharedStore, clock: SharedClock, web: Web) -> Self {
        Self(Arc::new(Inner {
            store,
            clock,
            web,
            on: config.feeds.hub,
            reach: if config.feeds.hub_private { Reach::Anywhere } else { Reach::Public },
            out: config.path(&config.feeds.out),
            settings: settings(config, site),
            own: config.own_hub(),
        }))
    }

    pub async fn run(self, stop: CancellationToken) {
        if !self.0.on {
            return;
        }
        tokio::join!(self.call(Kind::Questions, &stop), self.call(Kind::Deliveries, &stop));
    }

    async fn call(&self, kind: Kind, stop: &CancellationToken) {
        let mut calls = Calls::default();
        while !stop.is_cancelled() {
            if let Err(error) = self.fill(kind, &mut calls).await {
                debug!("the hub waits: {error}");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = calls.one_ends() => {}
                () = tokio::time::sleep(TICK) => {}
            }
        }
        while !calls.tasks.is_empty() {
            calls.one_ends().await;
        }
    }

    async fn fill(&self, kind: Kind, calls: &mut Calls) -> Result<(), StoreError> {
        let store = &self.0.store;
        while calls.tasks.len() < AT_ONCE {
            let (inner, now, busy) = (Arc::clone(&self.0), self.0.clock.now(), calls.busy());
            let until = after(now, LEASE);
            match kind {
                Kind::Questions => {
                    let Some(question) = store.claim_question(&busy, now, until).await? else { break };
                    calls.begin(question.host.clone(), async move { inner.ask(&question).await });
                }
                Kind::Deliveries => {
                    let Some(version) = store.claim_distribution(&busy, now, until).await? else { break };
                    calls.begin(version.host.clone(), async move { inner.deliver(&version).await });
                }
            }
        }
        Ok(())
    }
}

/// Calls under way, and to whom.
#[derive(Default)]
struct Calls {
    tasks: JoinSet<Result<(), StoreError>>,
    hosts: HashMap<Id, String>,
}

impl Calls {
    fn begin(&mut self, host: String, call: impl Future<Output = Result<(), StoreError>> + Send + 'static) {
        self.hosts.insert(self.tasks.spawn(call).id(), host);
    }

    /// The hosts that have as many as they may.
    fn busy(&self) -> Vec<String> {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for host in self.hosts.values() {
            *counts.entry(host).or_default() += 1;
        }
        counts.into_iter().filter(|(_, count)| *count >= HOST_AT_ONCE).map(|(host, _)| host.to_owned()).collect()
    }

    /// Waits until one has ended; for ever if there is none.
    async fn one_ends(&mut self) {
        let (id, done) = match self.tasks.join_next_with_id().await {
            Some(Ok((id, done))) => (id, done.map_err(|error| error.to_string())),
            Some(Err(broken)) => (broken.id(), Err(broken.to_string())),
            None => std::future::pending().await,
        };
        self.hosts.remove(&id);
        if let Err(words) = done {
            debug!("the hub waits: {words}");
        }
    }
}

/// What a callback says to a question.
enum Reply {
    Meant,
    NotMeant,
    Nothing,
}

impl Inner {
    fn topic(&self, path: &str) -> String {
        feed::address(&self.settings, path)
    }

    fn bytes(&self, path: &str) -> Option<Vec<u8>> {
        std::fs::read(publish::below(&self.out, path)?).ok()
    }

    async fn ask(&self, question: &Question) -> Result<(), StoreError> {
        let (now, host) = (self.clock.now(), &question.host);
        match self.reply(question).await? {
            Reply::Meant => {
                let current = self.bytes(&question.path).map(|bytes| hash::of(&bytes)).unwrap_or_default();
                self.store.confirm_hub(question, current, now).await?;
                let what = if question.mode == Mode::Subscribe { "subscribes to" } else { "leaves" };
                info!(event = "hub_subscription", feed = question.path, host, "somebody {what} a feed at the hub");
            }
            Reply::Nothing if question.attempts < QUESTIONS => {
                let until = after(now, websub::wait(question.attempts, FIRST_WAIT, LONGEST_WAIT));
                self.store.defer_question(question, until).await?;
            }
            Reply::Nothing | Reply::NotMeant => {
                self.store.deny_hub(question).await?;
                debug!(feed = question.path, host, "a callback did not confirm what was asked of the hub in its name");
            }
        }
        Ok(())
    }

    async fn reply(&self, question: &Question) -> Result<Reply, StoreError> {
        let challenge = websub::hex(&fresh()?);
        let topic = self.topic(&question.path);
        let Question { callback, mode, lease_seconds, .. } = question;
        let Some(url) = websub::question(callback, *mode, &topic, &challenge, *lease_seconds) else {
            return Ok(Reply::NotMeant);
        };
        let ask = Ask::get(url).redirects(0).most(4_096).reach(self.reach);
        Ok(match self.web.ask(&ask).await {
            Ok(answer) if answer.status.is_success() => {
                let said = answer.body.trim_ascii();
                let same = aws_lc_rs::constant_time::verify_slices_are_equal(said, challenge.as_bytes()).is_ok();
                if same { Reply::Meant } else { Reply::NotMeant }
            }
            Ok(answer) if answer.status.is_server_error() => Reply::Nothing,
            Ok(_) | Err(WebError::NotPublic(_) | WebError::Address(_) | WebError::TooLong(_)) => Reply::NotMeant,
            Err(_) => Reply::Nothing,
        })
    }

    async fn deliver(&self, version: &Distribution) -> Result<(), StoreError> {
        let now = self.clock.now();
        let Some(bytes) = self.bytes(&version.path) else {
            // Nobody's failure: either the feed is put back, or the store is told that it is gone.
            debug!(feed = version.path, "the feed's file cannot be read, and is delivered later");
            return Ok(());
        };
        let words = match self.post(version, bytes).await {
            Ok(status) if status.is_success() => return self.store.delivered(version).await,
            Ok(StatusCode::GONE) => {
                info!(
                    event = "hub_subscriber_gone",
                    feed = version.path,
                    host = version.host,
                    "a subscriber of the hub is gone"
                );
                return self.store.end_subscription(version.id).await;
            }
            Ok(status) => status.to_string(),
            Err(words) => words,
        };
        self.later(version, &words, now).await
    }

    async fn post(&self, version: &Distribution, bytes: Vec<u8>) -> Result<StatusCode, String> {
        let mut kind = media_type(&version.path, &self.settings).to_owned();
        if !kind.ends_with("json") {
            kind.push_str("; charset=utf-8");
        }
        let link = websub::links(std::slice::from_ref(&self.own), &self.topic(&version.path));
        let signature = version.secret.as_deref().map(|secret| websub::signature(secret, &bytes));
        let mut ask = Ask::post(&version.callback, bytes)
            .header(CONTENT_TYPE, &kind)
            .header(LINK, &link)
            .reach(self.reach)
            .status_only();
        if let Some(signature) = signature {
            ask = ask.header(SIGNATURE, &signature);
        }
        self.web.ask(&ask).await.map(|answer| answer.status).map_err(|error| error.to_string())
    }

    async fn later(&self, version: &Distribution, words: &str, now: Timestamp) -> Result<(), StoreError> {
        let host = &version.host;
        if version.failing_since.is_some_and(|since| now > after(since, GIVEN_UP)) {
            info!(
                event = "hub_subscriber_dropped",
                feed = version.path,
                host,
                "a subscriber of the hub has failed for three days, and is dropped: {words}"
            );
            return self.store.end_subscription(version.id).await;
        }
        debug!(feed = version.path, host, "a subscriber of the hub is called later: {words}");
        let until = after(now, websub::wait(version.attempts, FIRST_WAIT, LONGEST_WAIT));
        self.store.defer_distribution(version, now, until).await
    }
}
