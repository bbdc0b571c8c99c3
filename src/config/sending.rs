//! The ways out: `[[smtp]]`, `[outbox]`, `[dkim]`.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{Span, secret};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Dkim {
    /// Empty: that of `digest.from`.
    pub domain: String,
    /// The public key's name in DNS: `SELECTOR._domainkey.DOMAIN`. Empty: nothing is signed.
    pub selector: String,
    /// The private RSA key, in PEM, readable for the daemon alone.
    pub key_file: PathBuf,
    /// An Ed25519 key beside it (RFC 8463), for receivers that know them.
    pub ed25519_selector: String,
    pub ed25519_key_file: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Upgrade before anything else is said; refuse a server that does not offer it.
    #[default]
    Starttls,
    /// From the first byte (port 465).
    Tls,
    /// Only to the machine itself, or where the operator insists.
    None,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Smtp {
    pub host: String,
    /// The machine's own program instead of a server: `/usr/sbin/sendmail`.
    pub sendmail: PathBuf,
    /// 0: 587 with STARTTLS, 465 with TLS, 25 without.
    pub port: u16,
    pub tls: Tls,
    pub user: String,
    #[serde(serialize_with = "secret::hide", deserialize_with = "secret::read")]
    pub password: SecretString,
    pub password_file: PathBuf,
    /// The name said in EHLO; empty: the domain of `digest.from`.
    pub helo: String,
    /// Connections at once, at most, over all nodes.
    pub connections: u32,
    /// Messages a minute, at most, over all nodes; 0: as many as go.
    pub rate: u32,
    /// Messages over one connection, at most; 0: as many as go.
    pub messages: u32,
    /// Of several: which share of the messages goes this way. 0: only if all others are down.
    pub weight: u32,
    /// For connecting and for each reply but the last.
    pub timeout: Span,
    /// For the reply after the message: servers scan before they answer.
    pub data_timeout: Span,
    /// A file of PEM certificates trusted beside the system's.
    pub ca_file: PathBuf,
}

impl Default for Smtp {
    fn default() -> Self {
        Self {
            host: String::new(),
            sendmail: PathBuf::new(),
            port: 0,
            tls: Tls::Starttls,
            user: String::new(),
            password: SecretString::default(),
            password_file: PathBuf::new(),
            helo: String::new(),
            connections: 4,
            rate: 0,
            messages: 0,
            weight: 1,
            timeout: Span::minutes(1),
            data_timeout: Span::minutes(10),
            ca_file: PathBuf::new(),
        }
    }
}

impl Smtp {
    #[must_use]
    pub fn port(&self) -> u16 {
        match (self.port, self.tls) {
            (0, Tls::Starttls) => 587,
            (0, Tls::Tls) => 465,
            (0, Tls::None) => 25,
            (port, _) => port,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Outbox {
    /// Where messages go as files when there is no `[smtp]`.
    pub dir: PathBuf,
    pub on_doubt: OnDoubt,
    /// How long a deferred delivery is tried, if the next edition does not come first.
    pub retry_for: Span,
    /// An edition for 100 people or more is tried out: its editors get it first, after this one in a hundred, after this the
    /// rest. Zero: everybody at once.
    pub canary: Span,
}

impl Default for Outbox {
    fn default() -> Self {
        Self { dir: "mail".into(), on_doubt: OnDoubt::Resend, retry_for: Span::days(5), canary: Span::minutes(10) }
    }
}

/// What is to become of a delivery that was on the wire when its node died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDoubt {
    /// Send it again: same bytes, same Message-ID.
    #[default]
    Resend,
    /// Leave it to the operator.
    Hold,
}
