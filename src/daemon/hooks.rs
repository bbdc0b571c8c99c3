//! Webhooks: what happens is told to whom the configuration names, signed, once it is in the store, and again until it is
//! taken. Only addresses of the configuration are called; redirects are not followed.

use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::web::{Ask, Web};
use crate::clock::SharedClock;
use crate::config::{Config, HookFormat, Webhook};
use crate::domain::webhook::{self, Happening, TOLD};
use crate::store::{Call, SharedStore, StoreError};

const TICK: Duration = Duration::from_secs(2);
const BATCH: u32 = 20;
/// Longer than a batch takes at worst, so that nobody else calls meanwhile.
const LEASE: Duration = Duration::from_mins(10);
const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_hours(4);
/// A receiver that is away for longer has missed it.
const GIVEN_UP: Duration = Duration::from_hours(72);

pub struct Hooks {
    store: SharedStore,
    clock: SharedClock,
    configured: Vec<Webhook>,
    web: Web,
}

impl Hooks {
    pub fn new(config: &Config, store: SharedStore, clock: SharedClock, web: Web) -> Self {
        Self { store, clock, configured: config.webhooks.clone(), web }
    }

    pub async fn run(self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.turn(&stop).await {
                debug!("webhooks wait: {error}");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    async fn turn(&self, stop: &CancellationToken) -> Result<(), StoreError> {
        self.store.queue_calls(&self.wanted(), self.clock.now()).await?;
        while !self.configured.is_empty() && !stop.is_cancelled() {
            let now = self.clock.now();
            let calls = self.store.claim_calls(BATCH, now, after(now, LEASE)).await?;
            if calls.is_empty() {
                break;
            }
            for call in calls {
                if stop.is_cancelled() {
                    self.store.defer_call(call.id, "the daemon was stopped", now).await?;
                } else {
                    self.make(&call).await?;
                }
            }
        }
        Ok(())
    }

    /// Which of the ledger's events each hook wants.
    fn wanted(&self) -> Vec<(String, Vec<String>)> {
        let events = |hook: &Webhook| {
            TOLD.iter().filter(|(_, name)| hook.wants(name)).map(|(event, _)| (*event).to_owned()).collect()
        };
        self.configured.iter().map(|hook| (hook.url.clone(), events(hook))).collect()
    }

    async fn make(&self, call: &Call) -> Result<(), StoreError> {
        let Some(hook) = self.configured.iter().find(|hook| hook.url == call.hook) else {
            debug!("a webhook is not in the configuration any more");
            return self.store.end_call(call.id).await;
        };
        match self.post(hook, call).await {
            Ok(()) => self.store.end_call(call.id).await,
            Err(words) => self.later(call, &words).await,
        }
    }

    async fn post(&self, hook: &Webhook, call: &Call) -> Result<(), String> {
        let (id, now) = (format!("evt_{}", call.event_id), self.clock.now());
        let (reason, facts) = (webhook::reason(&call.proof), webhook::facts(&call.event, &call.proof));
        let happening = Happening {
            event: &call.event,
            at: call.at,
            subscriber: call.subscriber,
            email: call.email.as_deref(),
            edition: call.edition.as_deref(),
            source: &call.source,
            reason: reason.as_deref(),
            facts: facts.as_ref(),
        };
        let body = match hook.format {
            HookFormat::Standard => webhook::body(&happening),
            HookFormat::Slack => webhook::slack(&happening),
            HookFormat::Matrix => webhook::matrix(&happening),
        };
        let secret = hook.secret.expose_secret();
        let signature = (!secret.is_empty()).then(|| webhook::signature(secret, &id, now, &body));
        let mut ask = Ask::post(&hook.url, body)
            .header(CONTENT_TYPE, "application/json")
            .header(HeaderName::from_static("webhook-id"), &id)
            .header(HeaderName::from_static("webhook-timestamp"), &now.as_second().to_string())
            .status_only();
        if let Some(signature) = signature {
            ask = ask.header(HeaderName::from_static("webhook-signature"), &signature);
        }
        let answer = self.web.ask(&ask).await.map_err(|error| error.to_string())?;
        match answer.status {
            status if status.is_success() => Ok(()),
            // The receiver says that there is nobody any more.
            StatusCode::GONE => Ok(()),
            status => Err(status.to_string()),
        }
    }

    async fn later(&self, call: &Call, words: &str) -> Result<(), StoreError> {
        let now = self.clock.now();
        let wait = (FIRST_WAIT * 2_u32.saturating_pow(call.attempts.clamp(1, 16) - 1)).min(LONGEST_WAIT);
        let until = after(now, wait);
        if until > after(call.made_at, GIVEN_UP) {
            warn!(
                event = "webhook_given_up",
                call = call.event_id,
                "a webhook did not take an event for three days, and is not told any more: {words}"
            );
            return self.store.end_call(call.id).await;
        }
        if call.attempts == 1 {
            info!(event = "webhook_deferred", call = call.event_id, "a webhook is told later: {words}");
        }
        self.store.defer_call(call.id, words, until).await
    }
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}
