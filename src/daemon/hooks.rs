//! Webhooks: what happens is told to whom the configuration names, signed, once it is in the store, and again until it is
//! taken. Only addresses of the configuration are called; redirects are not followed.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Method, Request, StatusCode};
use http_body_util::Full;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::clock::SharedClock;
use crate::config::{Config, Webhook};
use crate::domain::webhook::{self, Happening, TOLD};
use crate::mail::tls;
use crate::store::{Call, SharedStore, StoreError};

const TICK: Duration = Duration::from_secs(2);
/// For one call, from the first packet to the answer.
const PATIENCE: Duration = Duration::from_secs(15);
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
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Hooks {
    pub fn new(config: &Config, store: SharedStore, clock: SharedClock) -> anyhow::Result<Self> {
        let tls = tls::config(std::path::Path::new("")).map_err(anyhow::Error::msg)?;
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(Arc::unwrap_or_clone(tls))
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { store, clock, configured: config.webhooks.clone(), client })
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
        let reason = webhook::reason(&call.proof);
        let body = webhook::body(&Happening {
            event: &call.event,
            at: call.at,
            subscriber: call.subscriber,
            email: call.email.as_deref(),
            edition: call.edition.as_deref(),
            source: &call.source,
            reason: reason.as_deref(),
        });
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(&hook.url)
            .header("content-type", "application/json")
            .header("user-agent", concat!("gazetted/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", &id)
            .header("webhook-timestamp", now.as_second());
        let secret = hook.secret.expose_secret();
        if !secret.is_empty() {
            request = request.header("webhook-signature", webhook::signature(secret, &id, now, &body));
        }
        let request = request.body(Full::from(body)).map_err(|error| error.to_string())?;
        let answered = tokio::time::timeout(PATIENCE, self.client.request(request)).await;
        let response = answered.map_err(|_| "no answer".to_owned())?.map_err(|error| with_causes(&error))?;
        match response.status() {
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
                event = call.event_id,
                "a webhook did not take an event for three days, and is not told any more: {words}"
            );
            return self.store.end_call(call.id).await;
        }
        if call.attempts == 1 {
            info!(event = call.event_id, "a webhook is told later: {words}");
        }
        self.store.defer_call(call.id, words, until).await
    }
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |words, cause| format!("{words}: {cause}"))
}
