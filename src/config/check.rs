//! What a configuration must be beyond its syntax: addresses, zones, schedules that can come about. Finds everything at
//! once; touches nothing outside.

use jiff::civil::Time;
use secrecy::ExposeSecret as _;

use super::listen::{self, Listen};
use super::origin;
use super::{Approval, Config, Feeds, Goal, Http, Smtp, Tls, Webhook};
use crate::domain::dates::zone;
use crate::domain::network::Network;
use crate::domain::nudge::{self, Stage};
use crate::domain::period::{Days, EXPECTED, Period};
use crate::domain::problem::Problem;
use crate::domain::schedule::Schedule;
use crate::domain::style;
use crate::domain::subscriber::Address;

/// `place` tells where a key stands.
pub fn check(config: &Config, place: impl Fn(&str) -> (usize, usize)) -> Vec<Problem> {
    let mut checker = Checker { problems: Vec::new(), place: &place };
    checker.site(config);
    checker.feeds(config);
    for (nr, goal) in config.goal.iter().enumerate() {
        checker.goal(nr, goal);
    }
    checker.digest(config);
    checker.subscribers(config);
    checker.smtp(config);
    checker.editors(config);
    checker.nudge(config);
    checker.rest(config);
    checker.problems
}

struct Checker<'a> {
    problems: Vec<Problem>,
    place: &'a dyn Fn(&str) -> (usize, usize),
}

impl Checker<'_> {
    fn error(&mut self, key: &str, message: String, hint: &str) {
        let (line, column) = (self.place)(key);
        self.problems.push(Problem::error("", "config", message).at(line, column).hint(hint));
    }

    fn warning(&mut self, key: &str, message: &str, hint: &str) {
        let (line, column) = (self.place)(key);
        self.problems.push(Problem::warning("", "config", message).at(line, column).hint(hint));
    }

    fn site(&mut self, config: &Config) {
        if config.site.title.trim().is_empty() {
            self.error(
                "site.title",
                "`site.title` is missing".into(),
                "give the blog's title: `title = \"...\"` below `[site]`",
            );
        }
        if config.site.url.is_empty() {
            self.error(
                "site.url",
                "`site.url` is missing".into(),
                "give the blog's address: `url = \"https://blog.example.org\"` below `[site]`",
            );
        }
        self.web_address("site.url", &config.site.url);
        self.web_address("feeds.url", &config.feeds.url);
        self.web_address("http.url", &config.http.url);
        if zone(&config.site.time_zone).is_none() {
            let message = format!("`site.time_zone` is `{}`, which is no IANA time zone", config.site.time_zone);
            self.error(
                "site.time_zone",
                message,
                "expected a name like `UTC`, `Europe/Berlin` or `Australia/Melbourne`",
            );
        }
    }

    fn web_address(&mut self, key: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        let good = url::Url::parse(text)
            .is_ok_and(|u| matches!(u.scheme(), "http" | "https") && u.host_str().is_some() && u.query().is_none());
        if !good {
            self.error(
                key,
                format!("`{key}` is `{text}`, which is no web address"),
                "expected one like `https://blog.example.org`",
            );
        }
    }

    fn feeds(&mut self, config: &Config) {
        let feeds = &config.feeds;
        let names = [("rss", &feeds.rss), ("atom", &feeds.atom), ("json", &feeds.json), ("opml", &feeds.opml)];
        for (index, (key, name)) in names.iter().enumerate() {
            let key = format!("feeds.{key}");
            if !is_file_name(name) {
                self.error(
                    &key,
                    format!("`{key}` is `{name}`, which is no file name below `feeds.out`"),
                    "expected a relative name like `feed.xml` or `blog/index.xml`",
                );
            }
            if names[..index].iter().any(|(_, other)| other == name) {
                self.error(
                    &key,
                    format!("two feeds would be written to `{name}`"),
                    "give each format a name of its own",
                );
            }
        }
        self.extra_feeds(feeds);
        self.feed_addresses(feeds);
        for hub in &feeds.hubs {
            self.web_address("feeds.hubs", hub);
        }
        if feeds.limit == 0 {
            self.error(
                "feeds.limit",
                "`feeds.limit` is 0: a feed without entries".into(),
                "expected 1 or more; readers lose what drops out, so 50 is good",
            );
        }
        if feeds.formats.is_empty() {
            self.error(
                "feeds.formats",
                "`feeds.formats` names no format".into(),
                "expected some of \"rss\", \"atom\", \"json\"",
            );
        }
    }

    fn extra_feeds(&mut self, feeds: &Feeds) {
        for (index, extra) in feeds.extra.iter().enumerate() {
            let path = &extra.path;
            if !is_file_name(path) {
                self.error(
                    "feeds.extra",
                    format!(
                        "a feed in `[[feeds.extra]]` has the `path` `{path}`, which is no file name below `feeds.out`"
                    ),
                    "expected a relative name like `feed.python.xml`",
                );
            }
            let standing = [&feeds.rss, &feeds.atom, &feeds.json, &feeds.opml, &feeds.stylesheet];
            if standing.contains(&path) || feeds.extra[..index].iter().any(|other| other.path == *path) {
                self.error(
                    "feeds.extra",
                    format!("two feeds would be written to `{path}`"),
                    "give each a `path` of its own; the name of the blog's own feed is `feeds.rss`, `atom` or `json`",
                );
            }
            if extra.limit == Some(0) {
                self.error("feeds.extra", format!("the feed `{path}` has a `limit` of 0"), "expected 1 or more");
            }
        }
    }

    fn feed_addresses(&mut self, feeds: &Feeds) {
        if !feeds.stylesheet.is_empty() && !is_file_name(&feeds.stylesheet) {
            self.error(
                "feeds.stylesheet",
                format!("`feeds.stylesheet` is `{}`, which is no file name below `feeds.out`", feeds.stylesheet),
                "expected a relative name like `feed.css`, or nothing",
            );
        }
        for (old, new) in &feeds.moved {
            let bad = [old, new].into_iter().find(|name| !is_file_name(name.trim_matches('/')));
            if let Some(bad) = bad {
                self.error(
                    "feeds.moved",
                    format!("`feeds.moved` names `{bad}`, which is no address below `feeds.url`"),
                    "expected `\"rss.xml\" = \"feed.xml\"`, or for a folder `\"feed/\" = \"feed.xml\"`",
                );
            }
        }
        if feeds.max_bytes == 0 {
            self.error(
                "feeds.max_bytes",
                "`feeds.max_bytes` is 0: a feed with one entry".into(),
                "expected bytes: 250000 is what readers take without complaint",
            );
        }
    }

    fn goal(&mut self, nr: usize, goal: &Goal) {
        let key = |key| origin::name("goal", Some(nr), key);
        if goal.posts == 0 {
            self.error(
                &key("posts"),
                "`goal.posts` is 0, which is no goal".into(),
                "expected 1 or more; leave `[goal]` out to have none",
            );
        }
        if !goal.since.is_empty() && Days::parse(&goal.since).is_none() {
            self.error(&key("since"), format!("`goal.since` is `{}`, which is no day or period", goal.since), EXPECTED);
        }
        for pause in &goal.pauses {
            if Period::parse(pause).is_none_or(|p| p.per() != goal.per) {
                self.error(
                    &key("pauses"),
                    format!("`goal.pauses` names `{pause}`, which is no {}", goal.per.as_str()),
                    "expected periods of the goal's own length, like `2021-12`",
                );
            }
        }
    }

    fn digest(&mut self, config: &Config) {
        let digest = &config.digest;
        if let Err(message) = Schedule::parse(&digest.schedule) {
            self.error(
                "digest.schedule",
                format!("`digest.schedule` is `{}`: {message}", digest.schedule),
                "expected five fields, minute hour day month weekday: `0 9 1 * *` is 09:00 on the first of the month",
            );
        }
        for (key, message, hint) in style::problems(&digest.style) {
            self.error(&format!("digest.style.{key}"), message, hint);
        }
        for (key, value) in [("digest.from", &digest.from), ("digest.reply_to", &digest.reply_to)] {
            if !value.is_empty() && value.parse::<lettre::message::Mailbox>().is_err() {
                self.error(
                    key,
                    format!("`{key}` is `{value}`, which is no mail address"),
                    "expected `Name <name@example.org>`",
                );
            }
        }
    }

    /// Where the daemon looks for bounces.
    fn bounce_boxes(&mut self, config: &Config) {
        let bounces = &config.bounces;
        let looks = !bounces.maildir.as_os_str().is_empty() || !bounces.imap_host.is_empty();
        if looks && bounces.address.is_empty() {
            self.error(
                "bounces",
                "a box is read for bounces, and there is no `bounces.address`".into(),
                "name the address that bounces come to: what is ours is known by it",
            );
        }
        if bounces.imap_host.is_empty() {
            return;
        }
        if bounces.imap_user.is_empty() || bounces.imap_password.expose_secret().is_empty() {
            self.error(
                "bounces.imap_host",
                "`bounces.imap_host` is set, and there is no `imap_user` or no password".into(),
                "set `imap_user`, and `imap_password_file` or a systemd credential named `imap_password`",
            );
        }
        for (key, name) in [("bounces.imap_mailbox", &bounces.imap_mailbox), ("bounces.imap_done", &bounces.imap_done)]
        {
            if name.is_empty() || !name.bytes().all(|b| (b' '..=b'~').contains(&b)) {
                self.error(
                    key,
                    format!("`{key}` is `{name}`"),
                    "expected a name in ASCII; write others as the server lists them (modified UTF-7)",
                );
            }
        }
    }

    fn subscribers(&mut self, config: &Config) {
        for origin in &config.subscribers.origins {
            let good = url::Url::parse(origin)
                .is_ok_and(|u| matches!(u.scheme(), "http" | "https") && u.origin().ascii_serialization() == *origin);
            if !good {
                self.error(
                    "subscribers.origins",
                    format!("`subscribers.origins` names `{origin}`, which is no origin"),
                    "expected a scheme and a host without a path: `https://blog.example.org`",
                );
            }
        }
        let address = &config.bounces.address;
        if !address.is_empty() && (Address::parse(address).is_err() || address.contains('+')) {
            self.error(
                "bounces.address",
                format!("`bounces.address` is `{address}`, which is no plain mail address"),
                "expected one without a `+`, like `bounces@example.org`",
            );
        }
        self.bounce_boxes(config);
        self.dkim(config);
        for hook in &config.webhooks {
            self.web_address("webhooks.url", &hook.url);
            if hook.url.is_empty() {
                self.error("webhooks.url", "a webhook has no `url`".into(), "expected `url = \"https://...\"`");
            }
            for event in hook.events.iter().filter(|event| !Webhook::EVENTS.contains(&event.as_str())) {
                self.error(
                    "webhooks.events",
                    format!("there is no event called `{event}`"),
                    &format!("known are: {}", Webhook::EVENTS.join(", ")),
                );
            }
        }
    }

    fn dkim(&mut self, config: &Config) {
        let dkim = &config.dkim;
        for (key, selector, file) in [
            ("dkim.key_file", &dkim.selector, &dkim.key_file),
            ("dkim.ed25519_key_file", &dkim.ed25519_selector, &dkim.ed25519_key_file),
        ] {
            if !file.as_os_str().is_empty() && selector.is_empty() {
                self.error(key, format!("`{key}` is set, and its selector is not"), "name the key as DNS has it");
            }
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
            if !selector.chars().all(plain) {
                self.error(key, format!("`{selector}` is no selector"), "expected a name like `gz2026`");
            }
        }
        if !dkim.ed25519_selector.is_empty() && dkim.selector.is_empty() {
            self.error(
                "dkim.ed25519_selector",
                "there is an Ed25519 key and no RSA key".into(),
                "large providers know RSA only: set `selector` and `key_file` too",
            );
        }
        let domain = dkim.domain.trim();
        if !domain.is_empty() && Address::parse(&format!("x@{domain}")).is_err() {
            self.error(
                "dkim.domain",
                format!("`dkim.domain` is `{domain}`, which is no domain"),
                "expected `example.org`",
            );
        }
    }

    fn smtp(&mut self, config: &Config) {
        if config.smtp.is_empty() {
            self.warning(
                "digest",
                "there is no `[smtp]`, so messages go as files to `outbox.dir`",
                "add `[smtp]` with `host` when mail is to be sent",
            );
            return;
        }
        if config.digest.from.is_empty() {
            self.error(
                "digest.from",
                "`digest.from` is missing, and mail needs a sender".into(),
                "expected `from = \"Name <name@example.org>\"` below `[digest]`",
            );
        }
        if config.digest.postal_address.is_empty() {
            self.warning(
                "digest",
                "there is no `digest.postal_address`, and many countries' law wants one in every digest",
                "give a street address or a post box below `[digest]`",
            );
        }
        config.smtp.iter().enumerate().for_each(|(nr, smtp)| self.relay(nr, smtp));
        if config.smtp.iter().all(|smtp| smtp.weight == 0) {
            self.error("smtp.weight", "every `smtp.weight` is 0".into(), "expected 1 or more for one of them at least");
        }
    }

    fn relay(&mut self, nr: usize, smtp: &Smtp) {
        let key = |key| origin::name("smtp", Some(nr), key);
        let program = !smtp.sendmail.as_os_str().is_empty();
        if smtp.host.is_empty() && !program {
            self.error(
                &key("host"),
                "`smtp.host` is missing".into(),
                "name the mail server, or a program as `sendmail`, or leave `[smtp]` out to write messages as files",
            );
        }
        if !smtp.host.is_empty() && program {
            self.error(
                &key("sendmail"),
                "`smtp.host` and `smtp.sendmail` are both set".into(),
                "expected one of them; write another `[[smtp]]` for a second way out",
            );
        }
        if program && !smtp.sendmail.is_absolute() {
            self.error(
                &key("sendmail"),
                format!("`smtp.sendmail` is `{}`", smtp.sendmail.display()),
                "expected the program's whole path, like `/usr/sbin/sendmail`",
            );
        }
        if smtp.connections == 0 {
            self.error(&key("connections"), "`smtp.connections` is 0".into(), "expected 1 or more");
        }
        let local = program || matches!(smtp.host.as_str(), "localhost" | "127.0.0.1" | "::1");
        if smtp.tls == Tls::None && !local {
            self.warning(
                &key("tls"),
                "`smtp.tls` is `none`: mail crosses the network readable by all",
                "use `starttls` (port 587) or `tls` (port 465)",
            );
        }
    }

    fn editors(&mut self, config: &Config) {
        let all = [("digest.editors", &config.digest.editors), ("nudge.to", &config.nudge.to)];
        for (key, editors) in all {
            for editor in editors.iter().filter(|editor| Address::parse(editor).is_err()) {
                self.error(
                    key,
                    format!("`{key}` names `{editor}`, which is no address"),
                    "expected plain addresses: `ann@example.org`",
                );
            }
        }
        if config.digest.approval == Approval::Manual && config.digest.editors.is_empty() {
            self.warning(
                "digest.approval",
                "`digest.approval` is `manual`, and `digest.editors` names nobody who is asked",
                "name those who release editions, or look at /admin yourself once a month",
            );
        }
    }

    fn nudge(&mut self, config: &Config) {
        let nudge = &config.nudge;
        for stage in nudge.stages.iter().filter(|stage| Stage::parse(stage).is_none()) {
            self.error("nudge.stages", format!("`nudge.stages` names `{stage}`, which is no day"), nudge::EXPECTED);
        }
        let pers: Vec<_> = config.goal.iter().map(|goal| goal.per).collect();
        let fits = |stage: Stage| pers.is_empty() || pers.iter().any(|per| stage.fits(*per));
        for stage in nudge.stages.iter().filter(|stage| Stage::parse(stage).is_some_and(|stage| !fits(stage))) {
            let message = format!("`nudge.stages` names `{stage}`, and no goal's period is so long");
            self.warning("nudge.stages", &message, "name a day that the period has");
        }
        if nudge.at.parse::<Time>().is_err() {
            self.error(
                "nudge.at",
                format!("`nudge.at` is `{}`, which is no time of day", nudge.at),
                "expected `09:00`",
            );
        }
        let wanted = !nudge.stages.is_empty() || nudge.monthly;
        if wanted && nudge.to.is_empty() && config.digest.editors.is_empty() && config.webhooks.is_empty() {
            self.warning(
                "nudge",
                "`[nudge]` has nobody to write to",
                "name editors in `nudge.to` or `digest.editors`, or set up `[[webhooks]]`",
            );
        }
        if wanted && config.goal.is_empty() {
            self.warning("nudge", "`[nudge]` has no goal to speak of", "set one with `[goal]`");
        }
    }

    fn listeners(&mut self, http: &Http) {
        if Listen::parse(&http.listen).is_none() {
            self.error("http.listen", format!("`http.listen` is `{}`", http.listen), listen::EXPECTED);
        }
        for (key, value) in [("http.admin", &http.admin), ("http.metrics", &http.metrics)] {
            if !value.is_empty() && Listen::parse(value).is_none() {
                let expected = "expected an address and a port that only you can reach, like `127.0.0.1:8081`, \
                                `unix:/run/gazetted/admin.sock`, or `systemd`";
                self.error(key, format!("`{key}` is `{value}`"), expected);
            }
        }
        let reached = url::Url::parse(&http.admin_url)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.path() == "/" && url.query().is_none());
        if !http.admin_url.is_empty() && !reached {
            let expected = "expected where editors reach the pages, without a path: `https://desk.example.org`";
            self.error("http.admin_url", format!("`http.admin_url` is `{}`", http.admin_url), expected);
        }
        if listen::mode(&http.socket_mode).is_none() {
            let found = format!("`http.socket_mode` is `{}`", http.socket_mode);
            self.error("http.socket_mode", found, "expected three octal digits or four, like `0660`");
        }
        let (certificate, key) = (&http.tls_certificate, &http.tls_key);
        if certificate.as_os_str().is_empty() != key.as_os_str().is_empty() {
            let missing = if key.as_os_str().is_empty() { "http.tls_key" } else { "http.tls_certificate" };
            let found = format!("`{missing}` is missing, and its other half is there");
            self.error(missing, found, "give both files, or none of them");
        }
    }

    fn rest(&mut self, config: &Config) {
        self.listeners(&config.http);
        let known = |proxy: &str| proxy == "unix" || Network::parse(proxy).is_some();
        for proxy in config.http.proxies.iter().filter(|proxy| !known(proxy)) {
            self.error(
                "http.proxies",
                format!("`http.proxies` names `{proxy}`, which is no address or network"),
                "expected addresses or networks, `127.0.0.1`, `10.0.0.0/8`, `::1`, or `unix`",
            );
        }
        let scheme = config.store.url.split(':').next().unwrap_or_default();
        if !matches!(scheme, "sqlite" | "postgres" | "postgresql") {
            let shown = crate::config::without_password(&config.store.url);
            self.error(
                "store.url",
                format!("`store.url` is `{shown}`"),
                "expected `sqlite:gazetted.db` or `postgres://user@host/database`",
            );
        }
        if !matches!(config.log.level.as_str(), "error" | "warn" | "info" | "debug" | "trace") {
            self.error(
                "log.level",
                format!("`log.level` is `{}`", config.log.level),
                "expected error, warn, info, debug or trace",
            );
        }
        for author in &config.authors {
            if author.name.trim().is_empty() {
                self.error(
                    "authors.name",
                    "an `[[authors]]` entry has no `name`".into(),
                    "give the name as readers should see it",
                );
            }
        }
    }
}

/// A relative name that stays where it is put.
fn is_file_name(name: &str) -> bool {
    let parts = std::path::Path::new(name).components();
    !name.is_empty()
        && !name.ends_with('/')
        && parts.into_iter().all(|part| matches!(part, std::path::Component::Normal(_)))
}
