//! Whom it is mailed to: `[subscribers]`, and what comes back of it, `[bounces]`.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{Span, secret};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Subscribers {
    /// Whether people can subscribe at `/subscribe`.
    pub form: bool,
    /// Sites whose scripts may post to `/subscribe` and read the answer: `https://blog.example.org`.
    pub origins: Vec<String>,
    /// A question nobody answers is forgotten after this.
    pub forget_after: Span,
    /// Proof of consent is kept without the network it came from after this.
    pub keep_networks: Span,
    /// How many confirmation mails there may be: to one mailbox in 24 hours and in 30 days; for one network (IPv4 /24,
    /// IPv6 /64) and one mail domain in an hour; in all in an hour and in 24.
    pub mailbox_a_day: u32,
    pub mailbox_a_month: u32,
    pub network_an_hour: u32,
    pub domain_an_hour: u32,
    pub total_an_hour: u32,
    pub total_a_day: u32,
}

impl Default for Subscribers {
    fn default() -> Self {
        Self {
            form: true,
            origins: Vec::new(),
            forget_after: Span::days(7),
            keep_networks: Span::days(365),
            mailbox_a_day: 1,
            mailbox_a_month: 3,
            network_an_hour: 10,
            domain_an_hour: 100,
            total_an_hour: 1_000,
            total_a_day: 10_000,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Bounces {
    /// Where bounces, and people who unsubscribe by mail, write to: `bounces@example.org`. The server that takes mail for it
    /// must take `bounces+ANYTHING@` too, and hand it to `gazetted bounce`, or put it where the daemon finds it.
    pub address: String,
    /// A Maildir that they arrive in. What was ours goes to its folder `.gazetted`.
    pub maildir: PathBuf,
    /// The server of a mailbox that they arrive in, over TLS. Empty: none.
    pub imap_host: String,
    pub imap_port: u16,
    pub imap_user: String,
    #[serde(serialize_with = "secret::hide", deserialize_with = "secret::read")]
    pub imap_password: SecretString,
    pub imap_password_file: PathBuf,
    pub imap_mailbox: String,
    /// What becomes of a mail that was ours: `seen` marks it as read, `delete` deletes it, any other word is the mailbox
    /// that it moves to.
    pub imap_done: String,
    /// A file of PEM certificates trusted beside the system's.
    pub imap_ca_file: PathBuf,
    /// Bounces are kept without the mail that came after this.
    pub keep_originals: Span,
}

impl Default for Bounces {
    fn default() -> Self {
        Self {
            address: String::new(),
            maildir: PathBuf::new(),
            imap_host: String::new(),
            imap_port: 993,
            imap_user: String::new(),
            imap_password: SecretString::default(),
            imap_password_file: PathBuf::new(),
            imap_mailbox: "INBOX".to_owned(),
            imap_done: "seen".to_owned(),
            imap_ca_file: PathBuf::new(),
            keep_originals: Span::days(365),
        }
    }
}
