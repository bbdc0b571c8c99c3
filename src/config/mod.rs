//! `gazetted.toml`: its sections, their defaults, and how they are loaded. Knows every key there is; what a key does is
//! the business of the module that is handed its section.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::domain::extra_feed::ExtraFeed;
use crate::domain::feed_format::{FeedContent, Format};
use crate::domain::period::Per;
use crate::domain::style::{Look, Style};

pub mod bounded;
mod check;
mod credentials;
mod duration;
mod introspect;
pub mod listen;
mod load;
pub mod origin;
mod secret;

pub use duration::Span;
pub use load::{Loaded, find, load, load_str};

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

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Site {
    pub title: String,
    /// The blog's address, without a trailing slash.
    pub url: String,
    pub description: String,
    pub language: String,
    /// IANA name; days and months are this zone's.
    pub time_zone: String,
    /// Stands in for posts that name nobody.
    pub author: String,
    /// The editors' address, if readers may write to it.
    pub email: String,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            title: String::new(),
            url: String::new(),
            description: String::new(),
            language: "en".into(),
            time_zone: "UTC".into(),
            author: String::new(),
            email: String::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PostsFormat {
    #[default]
    Auto,
    Jekyll,
    Hugo,
    Zola,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Posts {
    pub dir: PathBuf,
    pub format: PostsFormat,
    /// Empty: by the site's own configuration, else by dialect.
    pub permalink: String,
    /// Hugo's `[permalinks]`: section = pattern.
    pub permalinks: BTreeMap<String, String>,
    /// A file younger than this is not believed yet, unless its writer has closed it.
    pub settle: Span,
    /// An edition takes only posts that have been still for this long.
    pub freeze_age: Span,
    /// Larger files are left out, with a problem.
    pub max_bytes: u64,
    /// How often the whole directory is read again, whatever the watcher says.
    pub rescan: Span,
}

impl Default for Posts {
    fn default() -> Self {
        Self {
            dir: "_posts".into(),
            format: PostsFormat::Auto,
            permalink: String::new(),
            permalinks: BTreeMap::new(),
            settle: Span::seconds(2),
            freeze_age: Span::minutes(10),
            max_bytes: 5_000_000,
            rescan: Span::minutes(5),
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "switches of the configuration, each of its own")]
pub struct Feeds {
    pub out: PathBuf,
    /// Where `out` is served; empty: `site.url`.
    pub url: String,
    pub formats: Vec<Format>,
    /// Entries in one feed, at most, and how much they may weigh together, in bytes.
    pub limit: usize,
    pub max_bytes: u64,
    pub content: FeedContent,
    pub tags: bool,
    pub authors: bool,
    pub categories: bool,
    /// Of Hugo's and Zola's sections, and of languages, if there are several.
    pub sections: bool,
    pub languages: bool,
    /// Each tag, author and so on has a page beside its feeds.
    pub pages: bool,
    /// RFC 6721: entries that were taken back are named in the Atom feed.
    pub tombstones: bool,
    /// File names, so that a blog keeps the addresses its readers have.
    pub rss: String,
    pub atom: String,
    pub json: String,
    pub opml: String,
    /// WebSub: hubs that are told of each change, and that feeds name.
    pub hubs: Vec<String>,
    /// Whether the daemon is a hub itself, and whether it calls subscribers in private networks, too.
    pub hub: bool,
    pub hub_private: bool,
    /// How browsers show a feed; empty: as they like.
    pub stylesheet: String,
    /// Addresses that feeds have had: old = new, both below `feeds.url`.
    pub moved: BTreeMap<String, String>,
    /// Shown only where there are some: TOML has no other way to write more of them below.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra: Vec<ExtraFeed>,
}

impl Default for Feeds {
    fn default() -> Self {
        Self {
            out: "public".into(),
            url: String::new(),
            formats: vec![Format::Rss, Format::Atom, Format::Json],
            limit: 50,
            max_bytes: 250_000,
            content: FeedContent::Full,
            tags: true,
            authors: true,
            categories: true,
            sections: true,
            languages: true,
            pages: true,
            tombstones: false,
            rss: "feed.xml".into(),
            atom: "atom.xml".into(),
            json: "feed.json".into(),
            opml: "feeds.opml".into(),
            hubs: Vec::new(),
            hub: false,
            hub_private: false,
            stylesheet: "feed.css".into(),
            moved: BTreeMap::new(),
            extra: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Goal {
    /// Empty: "goal", or the name of its author, tag or section.
    pub name: String,
    /// How many posts a period.
    pub posts: u32,
    pub per: Per,
    /// A day or a period; empty: the period of the first post.
    pub since: String,
    pub author: String,
    pub tag: String,
    /// A folder of the posts, as Hugo's and Zola's sections are.
    pub section: String,
    /// Periods that do not count: holidays.
    pub pauses: Vec<String>,
}

impl Default for Goal {
    fn default() -> Self {
        Self {
            name: String::new(),
            posts: 1,
            per: Per::Month,
            since: String::new(),
            author: String::new(),
            tag: String::new(),
            section: String::new(),
            pauses: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenEmpty {
    #[default]
    Skip,
    Send,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// It goes out when it is due.
    #[default]
    None,
    /// The editors get a preview, and it goes out when one of them releases it.
    Manual,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Digest {
    pub enabled: bool,
    /// Five-field cron, in `site.time_zone`: when the closed month's digest is opened.
    pub schedule: String,
    pub when_empty: WhenEmpty,
    /// `Name <address>`; needed to send.
    pub from: String,
    pub reply_to: String,
    /// Addresses of subscribers who get an edition before the others: those who would see what is wrong with it.
    pub editors: Vec<String>,
    /// Whether an edition that is due waits for an editor's word.
    pub approval: Approval,
    /// Template of the subject: `{{ lead }}`, `{{ more }}`, `{{ title }}`, `{{ month }}`, `{{ posts }}`. Empty: what is in it.
    pub subject: String,
    pub postal_address: String,
    /// Whether drafts in the making are named.
    pub drafts: bool,
    /// A digest that is later than this is not caught up.
    pub catch_up: Span,
    /// How long after its publication a post is mailed to those who get each by itself: an accidental save is not.
    pub grace: Span,
    /// Templates found here replace the embedded ones, one by one.
    pub templates: PathBuf,
    pub look: Look,
    pub style: Style,
}

impl Default for Digest {
    fn default() -> Self {
        Self {
            enabled: true,
            schedule: "0 9 1 * *".into(),
            when_empty: WhenEmpty::Skip,
            from: String::new(),
            reply_to: String::new(),
            editors: Vec::new(),
            approval: Approval::None,
            subject: String::new(),
            postal_address: String::new(),
            drafts: true,
            catch_up: Span::days(28),
            grace: Span::minutes(60),
            templates: "templates".into(),
            look: Look::Classic,
            style: Style::default(),
        }
    }
}

/// `[nudge]`: what editors are told of their goals. Nothing, unless the owner asks for it; readers never.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Nudge {
    /// Whom to write to; empty: `digest.editors`.
    pub to: Vec<String>,
    /// When within a period that is open and unmet: `day 15`, `3 days left`; empty: never.
    pub stages: Vec<String>,
    /// Whether editors are told on the first of a month how the one before closed.
    pub monthly: bool,
    /// The hour of all this, in `site.time_zone`.
    pub at: String,
}

impl Default for Nudge {
    fn default() -> Self {
        Self { to: Vec::new(), stages: Vec::new(), monthly: false, at: "09:00".into() }
    }
}

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
    /// An address, `unix:` and a path, or `systemd`; see [`listen::Listen`].
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

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Talks, releases and the like that reports tell of, as TOML or CSV.
    pub facts: PathBuf,
}

/// `[[authors]]`: how one author is called in posts, and where they can be reached.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AuthorAlias {
    pub name: String,
    pub aliases: Vec<String>,
    pub email: String,
    pub url: String,
    pub organisation: String,
}

/// The zone all calendar questions are asked in; `load` has checked the name.
impl Site {
    #[must_use]
    pub fn zone(&self) -> jiff::tz::TimeZone {
        crate::domain::dates::zone(&self.time_zone).unwrap_or(jiff::tz::TimeZone::UTC)
    }

    #[must_use]
    pub fn today(&self, now: Timestamp) -> Date {
        self.zone().to_datetime(now).date()
    }
}

/// A URL as it may be shown.
#[must_use]
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (address, query) = rest.split_once('?').map_or((rest, None), |(address, query)| (address, Some(query)));
    let shown = |part: &str| match part.split_once('=') {
        Some((key, _)) if key.eq_ignore_ascii_case("password") => format!("{key}=***"),
        _ => part.to_owned(),
    };
    let query = query.map(|query| query.split('&').map(shown).collect::<Vec<_>>().join("&"));
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let login = address.rsplit_once('@').and_then(|(login, host)| Some((login.split_once(':')?.0, host)));
    match login {
        Some((user, host)) => format!("{scheme}://{user}:***@{host}{query}"),
        None => format!("{scheme}://{address}{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn no_password_of_an_address_is_shown() {
        for (url, shown) in [
            ("sqlite:gazetted.db", "sqlite:gazetted.db"),
            ("postgres://u@h/db", "postgres://u@h/db"),
            ("postgres://u:secret@h/db?sslmode=require", "postgres://u:***@h/db?sslmode=require"),
            ("postgres://u:se@cret@h/db", "postgres://u:***@h/db"),
            ("postgres://h/db?user=u&password=secret&host=/run", "postgres://h/db?user=u&password=***&host=/run"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
