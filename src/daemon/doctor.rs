//! Looks at a real set-up from all sides, and has the rules of `domain/doctor` judge what was seen. Sends nothing, changes nothing, waits for
//! nobody long.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::blog::Blog;
use super::sending::{self, Secrets};
use crate::config::{Config, Dkim, Loaded};
use crate::domain::doctor::{Area, Finding, house as rules, mail as mail_rules, providers, skip, sort};
use crate::domain::exposure::{COPIED, EXPOSED};
use crate::domain::problem::Problem;
use crate::render::message::Sender;
use crate::store::SharedStore;

mod house;
mod mail;
mod names;
mod relays;
mod web;

/// For one answer, whoever gives it.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Empty: all of them.
    pub areas: Vec<Area>,
    /// A name server to ask instead of the system's.
    pub dns: Option<SocketAddr>,
    /// Where mail goes out from, if that is known.
    pub sends_from: Vec<IpAddr>,
    /// A digest as it arrived.
    pub mail: Option<PathBuf>,
    pub now: Timestamp,
}

impl Options {
    /// Whether an area is looked at, for its own sake or for the providers' rules.
    fn looks_at(&self, area: Area) -> bool {
        self.is_told(area) || self.areas.contains(&Area::Providers)
    }

    fn is_told(&self, area: Area) -> bool {
        self.areas.is_empty() || self.areas.contains(&area)
    }
}

/// All findings of the areas that were asked for, in their order.
pub async fn examine(loaded: Loaded, options: &Options) -> anyhow::Result<Vec<Finding>> {
    let mut found = vec![house::config(&loaded)];
    if loaded.is_usable() {
        let house = House::enter(Arc::new(loaded.config), options).await;
        found.extend(house.look(options).await?);
    } else {
        let why = "the configuration cannot be used";
        found.push(house::time_zone(&loaded.config, options.now));
        let rest = Area::ALL.into_iter().filter(|area| *area != Area::Configuration);
        let rest = rest.flat_map(|area| skip(area, why)).filter(|finding| finding.rule != "time-zone");
        found.extend(rest);
    }
    if options.is_told(Area::Providers) {
        found.extend(providers::findings(&found));
    }
    found.retain(|finding| options.is_told(finding.area));
    sort(&mut found);
    Ok(found)
}

/// The set-up, as far as it can be opened.
struct House {
    config: Arc<Config>,
    store: Option<SharedStore>,
    /// What is said of the store.
    opened: rules::Store,
    blog: Option<Blog>,
    sender: Result<Sender, String>,
    /// Mail is signed with a key that only the daemon has: a systemd credential.
    key_elsewhere: bool,
}

impl House {
    async fn enter(config: Arc<Config>, options: &Options) -> Self {
        let (store, opened) = house::open(&config, options.now).await;
        let blog = Blog::open(Arc::clone(&config), store.clone()).await.ok();
        let secrets = match &store {
            Some(store) => Secrets::of(store).await.unwrap_or_else(|_| Secrets::none()),
            None => Secrets::none(),
        };
        let key_elsewhere = !config.dkim.selector.is_empty() && config.dkim.key_file.as_os_str().is_empty();
        let mut signing = Config::clone(&config);
        if key_elsewhere {
            signing.dkim = Dkim::default();
        }
        let sender = match &blog {
            Some(blog) => sending::sender(&signing, &blog.site, secrets).map_err(|error| format!("{error:#}")),
            None => Err("the store does not answer".to_owned()),
        };
        Self { config, store, opened, blog, sender, key_elsewhere }
    }

    /// Whether anything is mailed.
    fn mails(&self) -> bool {
        !self.config.smtp.is_empty()
    }

    fn exposed(&self) -> Vec<Problem> {
        let problems = self.blog.iter().flat_map(|blog| &blog.site.problems);
        problems.filter(|problem| [EXPOSED, COPIED].contains(&problem.code)).cloned().collect()
    }

    async fn look(mut self, options: &Options) -> anyhow::Result<Vec<Finding>> {
        let mut found = Vec::new();
        if options.looks_at(Area::Permissions) {
            found.extend(house::permissions(&self.config, &self.exposed()));
        }
        if options.looks_at(Area::Store) {
            found.extend(rules::store(&self.opened));
            found.extend(house::store(&self.config, self.store.as_ref()).await);
        }
        let resolver = names::Names::new(options.dns);
        let mut clocks = house::database_clock(&self.config).await;
        let outside = [Area::Web, Area::Feeds, Area::Clock].into_iter().any(|area| options.looks_at(area));
        if outside {
            let seen = web::look(&self, &resolver, options).await?;
            found.extend(seen.findings);
            clocks.extend(seen.clocks);
        }
        if options.looks_at(Area::Clock) {
            found.push(rules::clock(&clocks));
            found.push(rules::clock_sync(house::clock_is_kept().await));
            found.push(house::time_zone(&self.config, options.now));
        }
        if self.mails() {
            found.extend(self.posting(&resolver, options).await?);
        } else {
            let why = "no mail is sent: there is no `[smtp]`";
            found.extend([Area::Smtp, Area::Dns, Area::Mail].into_iter().flat_map(|area| skip(area, why)));
        }
        Ok(found)
    }

    /// All that has to do with mail.
    async fn posting(&mut self, resolver: &names::Names, options: &Options) -> anyhow::Result<Vec<Finding>> {
        let mut found = Vec::new();
        let sample = mail::sample(self, options.now).await;
        if options.looks_at(Area::Smtp) {
            let largest = sample.as_ref().ok().map(|sample| sample.largest);
            found.extend(relays::look(&self.config, largest, options.now).await?);
        }
        let (received, told) = mail::received(options.mail.as_deref())?;
        let mut keys = Vec::new();
        if options.looks_at(Area::Dns) {
            let setup = names::setup(self, &received, options);
            let (findings, known) = names::look(&setup, resolver).await;
            found.extend(findings);
            keys = known;
        }
        if options.looks_at(Area::Mail) {
            found.extend(mail::look(self, sample, &keys));
            found.extend(told);
            found.push(mail_rules::postal_address(&self.config.digest.postal_address));
        }
        Ok(found)
    }
}
