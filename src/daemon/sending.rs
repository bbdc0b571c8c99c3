//! The way out put together from the configuration: who sends, over what, with which keys. Wiring only.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::boxes;
use super::desk::Desk;
use super::editions;
use super::hooks::Hooks;
use super::hub::Hub;
use super::web::Web;
use super::websub::Announcer;

use crate::clock::SharedClock;
use crate::config::{Config, Smtp, bounded};
use crate::domain::pace::Limits;
use crate::domain::token::Keys;
use crate::mail::composer::Composer;
use crate::mail::outbox::{Outbox, Settings, Way};
use crate::mail::transport::{Transport, TransportError};
use crate::render::digest::Heading;
use crate::render::dkim::Signer;
use crate::render::message::Sender;
use crate::render::templates::Templates;
use crate::scan::Site;
use crate::store::{SharedStore, StoreError};

/// How often the outbox is looked at without being woken: another command may have filled it.
const TICK: Duration = Duration::from_secs(2);

/// The key that links and message ids are derived with; made once, when the store is new.
pub async fn key(store: &SharedStore) -> Result<[u8; 32], StoreError> {
    store.secret("tokens", fresh()?).await
}

/// Without good dice there are no tokens: fail closed.
pub fn fresh() -> Result<[u8; 32], StoreError> {
    let mut fresh = [0; 32];
    let filled = SystemRandom::new().fill(&mut fresh);
    filled.map(|()| fresh).map_err(|_| StoreError::Other("the system gives no random bytes".to_owned()))
}

/// What ids and links are made with.
#[derive(Clone)]
pub struct Secrets {
    pub key: [u8; 32],
    pub keys: Keys,
}

impl Secrets {
    pub async fn of(store: &SharedStore) -> Result<Self, StoreError> {
        let key = key(store).await?;
        Ok(Self { key, keys: Keys::dated(&key, &store.token_keys().await?) })
    }

    /// For messages that nobody gets.
    #[must_use]
    pub fn none() -> Self {
        Self { key: [0; 32], keys: Keys::new(&[0; 32], &[]) }
    }
}

/// Fails if a key to sign with cannot be used.
pub fn sender(config: &Config, site: &Site, secrets: Secrets) -> anyhow::Result<Sender> {
    let title = site.title(config);
    let Secrets { key, keys } = secrets;
    Ok(Sender {
        from: from(config, &title),
        reply_to: Some(config.digest.reply_to.clone()).filter(|r| !r.is_empty()),
        title,
        site_url: config.site.url.trim_end_matches('/').to_owned(),
        public_url: config.public_url().to_owned(),
        language: config.site.language.clone(),
        key,
        keys,
        dkim: signers(config)?,
        bounce_address: Some(config.bounces.address.clone()).filter(|address| !address.is_empty()),
        list_id: None,
    })
}

/// RSA first: receivers that take one signature take the first.
fn signers(config: &Config) -> anyhow::Result<Vec<Arc<Signer>>> {
    let dkim = &config.dkim;
    let domain = if dkim.domain.is_empty() { from_domain(config) } else { dkim.domain.trim() };
    let keys = [
        ("dkim.key_file", &dkim.selector, &dkim.key_file),
        ("dkim.ed25519_key_file", &dkim.ed25519_selector, &dkim.ed25519_key_file),
    ];
    let wanted = keys.into_iter().filter(|(_, selector, _)| !selector.is_empty());
    wanted.map(|(name, selector, file)| Ok(Arc::new(signer(name, domain, selector, &config.path(file))?))).collect()
}

/// Group or owner may read the key, nobody else, and nobody but the owner may write it.
const TOO_OPEN: u32 = 0o037;

fn signer(name: &str, domain: &str, selector: &str, file: &Path) -> anyhow::Result<Signer> {
    let shown = format!("`{name}`, `{}`", file.display());
    let (mode, pem) = std::fs::metadata(file)
        .and_then(|known| Ok((known.permissions().mode(), bounded::bytes(file, bounded::SECRET)?)))
        .with_context(|| format!("{shown}, cannot be read"))?;
    anyhow::ensure!(
        mode & TOO_OPEN == 0,
        "{shown}, can be read by others (mode {:04o}); `chmod 600` it, and make a new key if it matters",
        mode & 0o7777
    );
    let signer = Signer::new(domain, selector, &pem).with_context(|| format!("{shown}, cannot be used"))?;
    let (record, text) = signer.record();
    tracing::debug!("mail is signed; DNS must have {record} TXT \"{text}\"");
    Ok(signer)
}

fn from_domain(config: &Config) -> &str {
    config.digest.from.rsplit_once('@').map(|(_, d)| d.trim_end_matches('>').trim()).unwrap_or_default()
}

#[must_use]
pub fn composer(config: &Config, sender: Sender, templates: Arc<Templates>) -> Composer {
    let blank = editions::blank(config, sender.title.clone(), Heading::Post);
    Composer { sender, templates, zone: config.site.zone(), blank }
}

/// Without `[smtp]` nothing leaves the machine, and a made-up sender does no harm.
fn from(config: &Config, title: &str) -> String {
    if !config.digest.from.is_empty() {
        return config.digest.from.clone();
    }
    let host = url::Url::parse(&config.site.url).ok().and_then(|u| u.host_str().map(str::to_owned));
    let host = host.filter(|h| h.contains('.')).unwrap_or_else(|| "blog.invalid".to_owned());
    lettre::message::Mailbox::new(
        Some(title.to_owned()),
        format!("digest@{host}").parse().unwrap_or_else(|_| fallback()),
    )
    .to_string()
}

fn fallback() -> lettre::Address {
    lettre::Address::new("digest", "blog.invalid").unwrap_or_else(|_| unreachable!("a constant address is one"))
}

/// Each `[[smtp]]`, or files in `outbox.dir`.
pub fn ways(config: &Config) -> Result<Vec<Way>, TransportError> {
    if config.smtp.is_empty() {
        let limits = Limits { connections: 1, a_minute: None, a_connection: None };
        return Ok(vec![Way { transport: Transport::files(config.path(&config.outbox.dir)), weight: 1, limits }]);
    }
    config.smtp.iter().map(|smtp| way(config, smtp)).collect()
}

fn way(config: &Config, smtp: &Smtp) -> Result<Way, TransportError> {
    let mut smtp = smtp.clone();
    if !smtp.ca_file.as_os_str().is_empty() {
        smtp.ca_file = config.path(&smtp.ca_file);
    }
    let set = |n: u32| Some(n).filter(|n| *n > 0);
    let limits = Limits { connections: smtp.connections, a_minute: set(smtp.rate), a_connection: set(smtp.messages) };
    Ok(Way { transport: Transport::smtp(&smtp, from_domain(config))?, weight: smtp.weight, limits })
}

/// `node` must be nobody else's: what it left behind is taken back at the start.
#[must_use]
pub fn outbox(
    config: &Config,
    node: String,
    store: SharedStore,
    clock: SharedClock,
    composer: Composer,
    ways: Vec<Way>,
) -> Arc<Outbox> {
    let settings =
        Settings { node, retry_for: config.outbox.retry_for.get(), on_doubt: config.outbox.on_doubt, tick: TICK };
    Outbox::new(store, clock, Arc::new(composer), ways, settings)
}

/// The outbox's runner and the switch that stops it.
pub struct Sending {
    pub outbox: Arc<Outbox>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Sending {
    /// For how long the outbox was not seen to move; one that was told to stop need not.
    #[must_use]
    pub fn silent_for(&self) -> Duration {
        if self.stop.is_cancelled() { Duration::ZERO } else { self.outbox.silent_for() }
    }

    /// What is on its way is finished; then they end.
    pub async fn ended(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }

    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.tasks.is_empty()
    }
}

/// This process among those that share a store.
pub struct Node<'a> {
    pub name: &'a str,
    pub store: &'a SharedStore,
    pub clock: &'a SharedClock,
}

/// Starts all that sends, and all that decides what is sent to one reader alone.
pub fn start(
    config: &Config,
    site: &Site,
    node: &Node<'_>,
    templates: &Arc<Templates>,
    secrets: Secrets,
    wake: &Arc<Notify>,
) -> anyhow::Result<Sending> {
    let Node { name, store, clock } = *node;
    let from = sender(config, site, secrets)?;
    let made_by = composer(config, from, Arc::clone(templates));
    let over = ways(config)?;
    let outbox = outbox(config, name.to_owned(), Arc::clone(store), Arc::clone(clock), made_by, over);
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let (running, signal) = (Arc::clone(&outbox), stop.clone());
    tasks.spawn(async move { running.run(&signal).await });
    let desk = Desk::new(config, Arc::clone(store), Arc::clone(clock), Arc::clone(wake), Arc::clone(&outbox));
    let web = Web::new()?;
    let hooks = Hooks::new(config, Arc::clone(store), Arc::clone(clock), web.clone());
    let announcer = Announcer::new(config, Arc::clone(store), Arc::clone(clock), web.clone());
    let hub = Hub::new(config, site, Arc::clone(store), Arc::clone(clock), web);
    tasks.spawn(hub.run(stop.clone()));
    tasks.spawn(announcer.run(stop.clone()));
    tasks.spawn(desk.run(stop.clone()));
    tasks.spawn(hooks.run(stop.clone()));
    tasks.spawn(boxes::read(config, Arc::clone(store), Arc::clone(clock), stop.clone())?);
    tasks.close();
    Ok(Sending { outbox, stop, tasks })
}

/// The daemon's name in the ledger. A store of one daemon may take back at once what the daemon before it held.
pub fn daemon_node(config: &Config) -> Result<String, StoreError> {
    if config.store.url.starts_with("sqlite:") { Ok("daemon".to_owned()) } else { node() }
}

/// A name that no other process has or had: hosts are called alike, and numbers of processes come again.
pub fn node() -> Result<String, StoreError> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let [a, b, c, ..] = fresh()?;
    Ok(format!("{host}-{}-{a:02x}{b:02x}{c:02x}", std::process::id()))
}
