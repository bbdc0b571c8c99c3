//! The program on its machine: `[store]`, `[http]`, `[log]`, and `[[webhooks]]`.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::secret;

/// `[[webhooks]]`: who is told what happens.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Webhook {
    pub url: String,
    #[serde(serialize_with = "secret::hide", deserialize_with = "secret::read")]
    pub secret: SecretString,
    pub secret_file: PathBuf,
    /// Some of [`Webhook::EVENTS`]; empty: all of them.
    pub events: Vec<String>,
    pub format: HookFormat,
}

impl Webhook {
    pub const EVENTS: [&'static str; 8] = [
        "subscribed",
        "confirmed",
        "unsubscribed",
        "bounced",
        "edition_sent",
        "edition_paused",
        "goal_nudge",
        "month_closed",
    ];

    #[must_use]
    pub fn wants(&self, event: &str) -> bool {
        self.events.is_empty() || self.events.iter().any(|e| e == event)
    }
}

/// What the body of a call looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HookFormat {
    /// Standard Webhooks: `type`, `timestamp`, `data`.
    #[default]
    Standard,
    /// `text`, as Slack, Mattermost, Rocket.Chat and Google Chat take it.
    Slack,
    /// `text` and `html`, as Matrix's bridge for webhooks (hookshot) takes it.
    Matrix,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Store {
    #[serde(serialize_with = "secret::hide_password")]
    pub url: String,
    /// Of the database server, if it is not in `url`.
    #[serde(serialize_with = "secret::hide", deserialize_with = "secret::read")]
    pub password: SecretString,
    pub password_file: PathBuf,
}

impl Default for Store {
    fn default() -> Self {
        Self { url: "sqlite:gazetted.db".into(), password: SecretString::default(), password_file: PathBuf::new() }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Http {
    /// An address, `unix:` and a path, or `systemd`; see [`super::listen::Listen`].
    pub listen: String,
    /// Who may open the socket, if it is a file: `0660`.
    pub socket_mode: String,
    /// PEM files; without them nothing is encrypted here.
    pub tls_certificate: PathBuf,
    pub tls_key: PathBuf,
    /// Where readers reach the daemon; empty: `site.url`.
    pub url: String,
    /// Megabytes that feeds may take in memory.
    pub memory: usize,
    /// Proxies that are believed when they say in `X-Forwarded-For` whom a request comes from: addresses or networks, or
    /// `unix` for whoever comes over a socket in the file system.
    pub proxies: Vec<String>,
    /// Where the numbers for Prometheus are; empty: nowhere.
    pub metrics: String,
    /// Where the editors' pages and the operator's API listen; empty: nowhere.
    pub admin: String,
    /// Where editors reach them; empty: `http.admin`, as it is.
    pub admin_url: String,
    /// Who knows it may sign in; empty: only links of `gazetted admin link` open the pages.
    #[serde(serialize_with = "secret::hide", deserialize_with = "secret::read")]
    pub admin_password: SecretString,
    pub admin_password_file: PathBuf,
    /// What callers of the API must know; empty: there is none.
    #[serde(serialize_with = "secret::hide", deserialize_with = "secret::read")]
    pub admin_token: SecretString,
    pub admin_token_file: PathBuf,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            socket_mode: "0660".into(),
            tls_certificate: PathBuf::new(),
            tls_key: PathBuf::new(),
            url: String::new(),
            memory: 16,
            proxies: vec!["127.0.0.0/8".into(), "::1".into()],
            metrics: String::new(),
            admin: String::new(),
            admin_url: String::new(),
            admin_password: SecretString::default(),
            admin_password_file: PathBuf::new(),
            admin_token: SecretString::default(),
            admin_token_file: PathBuf::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text }
    }
}
