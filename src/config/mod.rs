//! `gazetted.toml`: its sections with their defaults, a file for each of the things they are about, and how they are loaded.
//! Knows every key there is; what a key does is the business of the module that is handed its section.

use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;
use serde::Serialize;

mod blog;
pub mod bounded;
mod check;
mod credentials;
mod daemon;
mod digest;
mod duration;
mod introspect;
pub mod listen;
mod load;
pub mod origin;
mod readers;
mod secret;
mod sending;

pub use blog::{AuthorAlias, Feeds, Goal, Posts, PostsFormat, Report, Site};
pub use daemon::{HookFormat, Http, Log, LogFormat, Store, Webhook};
pub use digest::{Approval, Digest, Nudge, WhenEmpty};
pub use duration::Span;
pub use load::{Loaded, find, load, load_str};
pub use readers::{Bounces, Subscribers};
pub use secret::without_password;
pub use sending::{Dkim, OnDoubt, Outbox, Smtp, Tls};

/// The whole configuration. `config/gazetted.toml` documents every key with its default.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Config {
    pub site: Site,
    pub posts: Posts,
    pub feeds: Feeds,
    /// None unless the owner sets one: a goal nobody chose is a reproach.
    pub goal: Vec<Goal>,
    pub digest: Digest,
    pub nudge: Nudge,
    pub subscribers: Subscribers,
    pub bounces: Bounces,
    pub dkim: Dkim,
    pub webhooks: Vec<Webhook>,
    /// The ways out; none: messages are written as files.
    pub smtp: Vec<Smtp>,
    pub outbox: Outbox,
    pub store: Store,
    pub http: Http,
    pub log: Log,
    pub authors: Vec<AuthorAlias>,
    pub report: Report,
    /// The folder relative paths are taken from: that of the configuration file.
    #[serde(skip)]
    pub base: PathBuf,
    /// The file all this came from, if any.
    #[serde(skip)]
    pub file: Option<PathBuf>,
}

impl Config {
    /// Where readers reach the daemon's pages, without a trailing slash.
    #[must_use]
    pub fn public_url(&self) -> &str {
        let own = if self.http.url.is_empty() { &self.site.url } else { &self.http.url };
        own.trim_end_matches('/')
    }

    /// Where editors reach their pages, without a trailing slash.
    #[must_use]
    pub fn admin_url(&self) -> String {
        match self.http.admin_url.as_str() {
            "" => format!("http://{}", self.http.admin),
            url => url.trim_end_matches('/').to_owned(),
        }
    }

    /// Where feeds are served, without a trailing slash.
    #[must_use]
    pub fn feeds_url(&self) -> &str {
        let own = if self.feeds.url.is_empty() { &self.site.url } else { &self.feeds.url };
        own.trim_end_matches('/')
    }

    /// The hubs that feeds name: the configured ones, else our own if it is on.
    #[must_use]
    pub fn hubs(&self) -> Vec<String> {
        if self.feeds.hubs.is_empty() && self.feeds.hub {
            return vec![self.own_hub()];
        }
        self.feeds.hubs.clone()
    }

    #[must_use]
    pub fn own_hub(&self) -> String {
        format!("{}/hub", self.public_url())
    }

    /// `store.url` with a relative SQLite path taken from the configuration's folder, and a database server's with its password.
    #[must_use]
    pub fn store_url(&self) -> String {
        let Some(path) = self.store.url.strip_prefix("sqlite:") else { return self.server_url() };
        let path = path.strip_prefix("//").unwrap_or(path);
        format!("sqlite:{}", self.base.join(path).display())
    }

    /// The store's file, if it is one.
    #[must_use]
    pub fn store_file(&self) -> Option<PathBuf> {
        let url = self.store_url();
        let path = url.strip_prefix("sqlite:")?;
        Some(PathBuf::from(path.split('?').next().unwrap_or(path)))
    }

    /// The files that keys name because they hold a secret.
    #[must_use]
    pub fn secret_files(&self) -> Vec<(&'static str, PathBuf)> {
        let smtp = self.smtp.iter().map(|smtp| ("smtp.password_file", &smtp.password_file));
        let hooks = self.webhooks.iter().map(|hook| ("webhooks.secret_file", &hook.secret_file));
        let named = [
            ("store.password_file", &self.store.password_file),
            ("dkim.key_file", &self.dkim.key_file),
            ("dkim.ed25519_key_file", &self.dkim.ed25519_key_file),
            ("bounces.imap_password_file", &self.bounces.imap_password_file),
            ("http.tls_key", &self.http.tls_key),
            ("http.admin_password_file", &self.http.admin_password_file),
            ("http.admin_token_file", &self.http.admin_token_file),
        ];
        let all = smtp.chain(named).chain(hooks).filter(|(_, path)| !path.as_os_str().is_empty());
        all.map(|(key, path)| (key, self.path(path))).collect()
    }

    fn server_url(&self) -> String {
        let password = self.store.password.expose_secret();
        let Ok(mut url) = url::Url::parse(&self.store.url) else { return self.store.url.clone() };
        let set = !password.is_empty() && url.set_password(Some(password)).is_ok();
        if set { url.into() } else { self.store.url.clone() }
    }

    /// A path of the configuration, taken from the folder of its file.
    #[must_use]
    pub fn path(&self, path: &Path) -> PathBuf {
        self.base.join(path)
    }
}
