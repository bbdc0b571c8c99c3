//! The daemon's loop: one closed set of events, handled one after the other. What is due is decided from the calendar
//! and the store; the scheduler is only a heartbeat.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, info, warn};

use super::blog::{Blog, PassError};
use super::editions;
use super::pulse::{self, Pulse};
use super::sending::{self, Node, Secrets, Sending};
use super::serving::{self, Doors};
use super::terms::Terms;
use super::trust::Trust;
use super::{heartbeat, systemd};
use crate::clock::{Life, SharedClock};
use crate::config::{self, Config};
use crate::domain::dialect::slug;
use crate::domain::feed_format::Format;
use crate::domain::network::Network;
use crate::domain::problem::Problem;
use crate::http::{self, KeyRing, Shared, Tls, Wording};
use crate::render::templates::Templates;
use crate::scan::watch::{Notice, Watch, watch};
use crate::store::{Hold, SharedStore};

mod approval;
mod asked;
mod due;
mod restart;
mod standing;

/// A writer that has been quiet for this long, and a moment more while what it wrote is read, is believed.
const QUIET: Duration = Duration::from_millis(11);
/// Notices are gathered for this long at most before they are acted on.
const GATHER: Duration = Duration::from_millis(200);
/// How long after a read a notice that the file was being written just then may still arrive.
const AFTERTHOUGHT: Duration = Duration::from_millis(4);
/// How many posts the front door shows.
const LATEST: usize = 10;
/// A heartbeat that is later than this is made up for: the scheduler goes by a clock that can be set back.
const LATE: Duration = Duration::from_secs(90);
/// How long what is in flight may take when the daemon is told to stop.
const FAREWELL: Duration = Duration::from_secs(10);

/// Everything that can happen to the daemon.
#[derive(Debug)]
enum Event {
    /// Files were written.
    Notice(Notice),
    /// The scheduler's minute: see what is due.
    Heartbeat,
    /// A file may have settled, or a scheduled post be due.
    Alarm,
    /// A reader has asked for a feed whose file is gone.
    Missed,
    /// The operator changed the configuration.
    Reload,
    /// Editors look at their pages.
    Asked(http::Ask),
    Stop,
}

/// What a daemon is started with.
pub struct Options {
    pub config: Arc<Config>,
    pub store: SharedStore,
    pub clock: SharedClock,
    pub doors: Doors,
    /// Read again on reload; none in tests and the demo.
    pub config_file: Option<PathBuf>,
    /// How often the heartbeat comes, if not from the scheduler's minute.
    pub heartbeat: Option<Duration>,
    pub reload: UnboundedReceiver<()>,
    pub stop: CancellationToken,
}

/// How far the last pass came. What it did not reach is tried again with the next heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    Feeds,
    /// They are known; some file could not be written.
    Posts,
    /// No mail is made of posts that are not known.
    Nothing,
}

struct Service {
    config: Arc<Config>,
    /// Its name among those that share the store.
    node: String,
    config_file: Option<PathBuf>,
    store: SharedStore,
    clock: SharedClock,
    tls: Option<Tls>,
    blog: Blog,
    templates: Arc<Templates>,
    /// What pages are made with.
    wording: Wording,
    shared: Shared,
    editions_feed: Option<(String, http::Document)>,
    keys: KeyRing,
    /// Somebody has sent a form, or asked for a notice.
    wake: Arc<Notify>,
    outbox: Sending,
    /// Those before it that wait for servers' answers.
    leaving: Vec<Sending>,
    trust: Trust,
    watch: Option<Watch>,
    notices: UnboundedSender<Notice>,
    scanned_at: Option<Timestamp>,
    /// The last heartbeat.
    beat: Life,
    /// The store knows of all feeds as they are, for their hubs.
    announced: bool,
    reached: Reached,
    /// Problems that have been logged, so that each is said once.
    said: HashSet<String>,
    /// Errors and warnings of the last pass.
    problems: (u64, u64),
    /// This node opens editions, as far as it knows.
    leads: bool,
    beat_at: Option<Timestamp>,
}

/// Runs until `stop` is cancelled; then what is in flight is finished.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let Options { config, store, clock, doors, config_file, heartbeat, mut reload, stop } = options;
    let _hold: Option<Box<dyn Hold>> = hold(&config, &store).await?;
    let blog = Blog::open(Arc::clone(&config), Some(Arc::clone(&store))).await?;
    let templates = load_templates(&config)?;
    let secrets = Secrets::of(&store).await?;
    let shared = Shared::new(http::Published::nothing_yet(front(&config, &blog)), memory(&config));
    let (http_stop, wake) = (CancellationToken::new(), Arc::new(Notify::new()));
    let keys = KeyRing::new(secrets.keys.clone());
    let wording = Wording::new(Arc::clone(&templates));
    let state = http::State {
        shared: shared.clone(),
        store: Arc::clone(&store),
        clock: Arc::clone(&clock),
        templates: wording.clone(),
        keys: keys.clone(),
        limiter: Arc::default(),
        wake: Arc::clone(&wake),
        https: config.public_url().starts_with("https:"),
    };
    let tls = serving::certificate(&config)?;
    let (asking, mut asks) = http::Asking::new();
    let servers = serving::serve(doors, &config, &state, asking, tls.as_ref(), &http_stop);
    let node = sending::daemon_node(&config)?;
    let outbox = {
        let node = Node { name: &node, store: &store, clock: &clock };
        sending::start(&config, &blog.site, &node, &templates, secrets, &wake)?
    };
    let (notices, mut incoming) = unbounded_channel();
    let (beats, mut beating) = unbounded_channel();
    let _heart = heartbeat::start(heartbeat, beats).await?;
    let mut service = Service {
        config,
        node,
        config_file,
        store,
        clock,
        tls,
        blog,
        templates,
        wording,
        shared,
        editions_feed: None,
        keys,
        wake,
        outbox,
        leaving: Vec::new(),
        trust: Trust::default(),
        watch: None,
        notices,
        scanned_at: None,
        beat: Life::default(),
        announced: false,
        reached: Reached::Feeds,
        said: HashSet::new(),
        problems: (0, 0),
        leads: false,
        beat_at: None,
    };
    service.tell_attempts();
    service.start().await;
    systemd::ready();
    let mut pulse = Pulse::start(&service.store, !service.config.store.url.starts_with("sqlite:"));
    loop {
        let (alarm, overdue) = (service.alarm(), service.overdue());
        let event = tokio::select! {
            () = stop.cancelled() => Event::Stop,
            Some(notice) = incoming.recv() => Event::Notice(gathered(notice, &mut incoming).await),
            Some(()) = beating.recv() => Event::Heartbeat,
            Some(()) = reload.recv() => Event::Reload,
            Some(ask) = asks.recv() => Event::Asked(ask),
            () = sleep_until(alarm) => Event::Alarm,
            () = service.shared.missed() => Event::Missed,
            () = tokio::time::sleep(overdue) => Event::Heartbeat,
            () = pulse::beat(&mut pulse, &service.shared, &service.outbox) => continue,
        };
        match event {
            Event::Stop => break,
            Event::Notice(notice) => service.changed(notice, &mut incoming).await,
            Event::Heartbeat => {
                service.heartbeat().await;
                service.tell_standing();
            }
            Event::Alarm => service.rescan().await,
            Event::Missed => service.put_back().await,
            Event::Reload => service.reload().await,
            Event::Asked(ask) => service.asked(ask).await,
        }
    }
    service.end(&servers, &http_stop).await;
    Ok(())
}

/// That nobody else runs on this store: says who, if somebody does.
pub async fn alone(config: &Config, store: &SharedStore) -> anyhow::Result<()> {
    hold(config, store).await.map(drop)
}

/// One daemon a store. With PostgreSQL several nodes are meant to run; there the ledger's claims keep them apart.
async fn hold(config: &Config, store: &SharedStore) -> anyhow::Result<Option<Box<dyn Hold>>> {
    if !config.store.url.starts_with("sqlite:") {
        return Ok(None);
    }
    Ok(Some(store.hold(&format!("gazetted run, pid {}", std::process::id())).await?))
}

fn load_templates(config: &Config) -> anyhow::Result<Arc<Templates>> {
    editions::templates(&config.path(&config.digest.templates)).map(Arc::new).map_err(|problems| {
        anyhow::anyhow!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    })
}

/// What feeds may take in memory, in bytes.
fn memory(config: &Config) -> usize {
    config.http.memory.saturating_mul(1 << 20)
}

fn front(config: &Config, blog: &Blog) -> http::Blog {
    let settings = super::blog::settings(config, &blog.site);
    let feeds = settings.formats.iter().map(|(format, name)| http::FeedLink {
        name: format.title().to_owned(),
        url: format!("/{name}"),
        media_type: format.media_type().to_owned(),
    });
    http::Blog {
        title: settings.title.clone(),
        description: settings.description.clone(),
        language: settings.language.clone(),
        zone: config.site.zone(),
        url: settings.site_url.clone(),
        feeds_path: slug::path_of(&settings.feeds_url).to_owned(),
        site_path: slug::path_of(&settings.site_url).to_owned(),
        feeds: feeds.collect(),
        subscribe: config.subscribers.form,
        origins: config.subscribers.origins.clone(),
        hub: config
            .feeds
            .hub
            .then(|| http::Hub { feeds_url: config.feeds_url().to_owned(), private: config.feeds.hub_private }),
        network_an_hour: config.subscribers.network_an_hour,
        proxies: config.http.proxies.iter().filter_map(|proxy| Network::parse(proxy)).collect(),
        unix_proxy: config.http.proxies.iter().any(|proxy| proxy == "unix"),
        tags: Vec::new(),
        authors: Vec::new(),
    }
}

async fn sleep_until(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

/// Waits until the writers are quiet, and takes all they did as one.
async fn gathered(first: Notice, incoming: &mut UnboundedReceiver<Notice>) -> Notice {
    let mut all = first;
    let deadline = tokio::time::Instant::now() + GATHER;
    while let Ok(Some(next)) =
        tokio::time::timeout_at(deadline.min(tokio::time::Instant::now() + QUIET), incoming.recv()).await
    {
        all.merge(next);
    }
    all
}

impl Service {
    async fn start(&mut self) {
        self.rewatch();
        self.rescan().await;
        tokio::task::block_in_place(|| self.blog.warm());
        self.heartbeat().await;
        self.tell_standing();
    }

    /// What is in flight is finished.
    async fn end(&mut self, servers: &TaskTracker, http_stop: &CancellationToken) {
        systemd::stopping();
        http_stop.cancel();
        let farewell = async {
            self.outbox.ended().await;
            for before in &self.leaving {
                before.ended().await;
            }
            servers.close();
            servers.wait().await;
        };
        if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
            warn!(
                event = "stop_incomplete",
                "stopped before everything in flight was finished; the outbox knows what it was"
            );
        }
        info!(event = "stopped", "stopped");
    }

    fn rewatch(&mut self) {
        self.watch = match watch(&self.blog.site, self.notices.clone()) {
            Ok(watch) => Some(watch),
            Err(error) => {
                warn!(
                    event = "posts_not_watched",
                    "the posts directory cannot be watched ({error}); it is read again every {}",
                    self.config.posts.rescan
                );
                None
            }
        };
    }

    /// File ages are the machine's, whatever the daemon's clock says.
    fn machine_now() -> Timestamp {
        crate::clock::Clock::now(&crate::clock::SystemClock)
    }

    /// How long until something happens by itself: a file settles, a scheduled post is due.
    fn alarm(&self) -> Option<Duration> {
        let settled = self.blog.unsettled_until().map(|at| at.duration_since(Self::machine_now()));
        let change = self.blog.catalogue.next_change.map(|at| at.duration_since(self.clock.now()));
        let soonest = settled.into_iter().chain(change).min()?;
        Some(Duration::try_from(soonest).unwrap_or_default() + Duration::from_millis(5))
    }

    /// How long until the scheduler's heartbeat is so late that the loop has one of its own.
    fn overdue(&self) -> Duration {
        LATE.saturating_sub(self.beat.silent_for())
    }

    /// Reads the whole directory and publishes.
    async fn rescan(&mut self) {
        self.blog.scan(Self::machine_now());
        self.scanned_at = Some(self.clock.now());
        self.publish().await;
    }

    /// Reads what its writers have closed, and publishes it; what they are writing to has to settle first.
    async fn changed(&mut self, notice: Notice, incoming: &mut UnboundedReceiver<Notice>) {
        if notice.everything || self.watch.is_none() || self.blog.knows_below(&notice.closed) {
            self.rewatch();
            return self.rescan().await;
        }
        let before = self.blog.remember(&notice.closed);
        let changed = self.blog.refresh(&notice.closed, &notice.touched, Self::machine_now());
        let afterthought = tokio::time::sleep(AFTERTHOUGHT);
        self.blog.foresee(&notice.closed);
        afterthought.await;
        let mut later = Notice::default();
        while let Ok(next) = incoming.try_recv() {
            later.merge(next);
        }
        if !later.is_empty() {
            // Somebody wrote to it while we read: what we have may be half of it.
            self.blog.restore(before);
            let mut again = notice;
            again.merge(later);
            let _ = self.notices.send(again);
            return;
        }
        if changed {
            self.publish().await;
        }
    }

    /// What generators empty with their own output folder is there again before many readers ask. Where that fails it is tried
    /// again with the next heartbeat, not for every reader.
    async fn put_back(&mut self) {
        if self.reached != Reached::Feeds || !self.blog.lacks_files() {
            return;
        }
        warn!(
            event = "feeds_gone",
            "files of the feeds are gone from `{}`, and are put back",
            self.config.feeds.out.display()
        );
        self.blog.distrust_files();
        self.publish().await;
    }

    async fn publish(&mut self) {
        let started = std::time::Instant::now();
        match self.blog.publish(self.clock.now(), false).await {
            Ok(pass) => {
                let is_lacking = pass.problems.iter().any(Problem::is_error);
                self.reached = if is_lacking { Reached::Posts } else { Reached::Feeds };
                self.show().await;
                self.announced &= pass.written.is_empty();
                self.announce().await;
                if !pass.written.is_empty() {
                    info!(
                        event = "published",
                        posts = pass.posts,
                        files = pass.written.len(),
                        ms = started.elapsed().as_millis(),
                        "published"
                    );
                }
            }
            Err(error) => self.complain(&error),
        }
        self.blog.rest();
        self.say_problems();
        self.tell_standing();
    }

    /// Has the store know of the feeds as they are now, so that hubs are told of what is new. Tried again with the next pass or
    /// heartbeat.
    async fn announce(&mut self) {
        if self.announced {
            return;
        }
        let (feeds, now) = (self.blog.feeds(), self.clock.now());
        let mut told = self.store.announce(&feeds, &self.config.feeds.hubs, now).await;
        if told.is_ok() && self.config.feeds.hub {
            told = self.store.distribute(&feeds, &self.blog.moved(), now).await;
        }
        match told {
            Ok(()) => self.announced = true,
            Err(error) => debug!("hubs are told later: {error}"),
        }
    }

    fn complain(&mut self, error: &PassError) {
        // Posts are known before a file is written.
        self.reached = if matches!(error, PassError::Write(_)) { Reached::Posts } else { Reached::Nothing };
        let message = error.to_string();
        if self.said.insert(message.clone()) {
            let held = if self.reached == Reached::Nothing { "; no edition is opened meanwhile" } else { "" };
            error!(event = "publish_failed", "nothing is published: {message}{held}");
        }
    }

    /// Puts the newest snapshot before the HTTP server.
    async fn show(&mut self) {
        let now = self.clock.now();
        self.show_editions().await;
        let posts = self.blog.latest(LATEST);
        let Terms { tags, authors } = self.blog.terms.clone();
        self.shared.set(http::Published {
            blog: http::Blog { tags, authors, ..front(&self.config, &self.blog) },
            documents: self.blog.documents().into_iter().chain(self.editions_feed.clone()).collect(),
            moved: self.blog.moved(),
            media: self.blog.media(),
            gone: self.blog.gone(),
            goals: self.blog.records(now),
            posts,
            scanned_at: Some(now),
        });
    }

    async fn show_editions(&mut self) {
        match editions::feed(&self.blog, &self.store).await {
            Ok(Some(bytes)) => {
                let document = http::Document::new(bytes, Format::Atom.media_type(), self.clock.now());
                self.editions_feed = Some(("editions/atom.xml".to_owned(), document));
            }
            Ok(None) => {}
            Err(error) => debug!("the editions' feed stays as it was: {error}"),
        }
    }

    fn say_problems(&mut self) {
        let problems = self.blog.problems(false);
        let errors = problems.iter().filter(|problem| problem.is_error()).count();
        self.problems = (errors as u64, (problems.len() - errors) as u64);
        for problem in problems {
            let line = problem.to_string();
            if self.said.insert(line.clone()) {
                if let Some(hint) = &problem.hint {
                    warn!(event = "problem", "{line} (hint: {hint})");
                } else {
                    warn!(event = "problem", "{line}");
                }
            }
        }
    }

    async fn heartbeat(&mut self) {
        self.beat.show();
        let now = self.clock.now();
        self.renew_certificate(now);
        self.beat_at = Some(now);
        self.leads = false;
        let age = self.scanned_at.map(|at| Duration::try_from(now.duration_since(at)).unwrap_or(Duration::MAX));
        if self.reached != Reached::Feeds
            || self.watch.is_none()
            || age.is_none_or(|age| age >= self.config.posts.rescan.get())
        {
            self.rescan().await;
        } else if self.blog.catalogue.next_change.is_some_and(|at| at <= now) {
            self.publish().await;
        } else {
            self.put_back().await;
            self.show().await;
        }
        self.announce().await;
        if !self.believes_clock(now).await {
            return;
        }
        self.renew_keys().await;
        if self.stands_by().await || self.reached == Reached::Nothing {
            return;
        }
        let lead = self.lead(now).await;
        self.leads = lead.is_some();
        let Some(lead) = lead else { return };
        if self.config.digest.enabled {
            self.open_due(now, lead).await;
        }
        self.nudge(now).await;
    }

    /// A certificate that somebody has renewed is used from the next handshake on.
    fn renew_certificate(&mut self, now: Timestamp) {
        let Some(tls) = &self.tls else { return };
        match tls.renew(now) {
            Ok(true) => info!(event = "tls_renewed", "TLS goes on with the new certificate"),
            Err(error) if self.said.insert(error.to_string()) => {
                error!(event = "tls_not_renewed", "TLS goes on with the old certificate: {error}");
            }
            Ok(false) | Err(_) => {}
        }
        let words = tls.until().and_then(|until| serving::end_of_certificate(until, now));
        if let Some(words) = words.filter(|words| self.said.insert(words.clone())) {
            warn!(event = "tls_ends", "{words}; have it renewed, readers will not come in without");
        }
    }

    /// A key that has come to the store goes round before it is used.
    async fn renew_keys(&mut self) {
        let secrets = match Secrets::of(&self.store).await {
            Ok(secrets) => secrets,
            Err(error) => return debug!("the keys stay as they were: {error}"),
        };
        if secrets.keys.count() == self.keys.get().count() {
            return;
        }
        self.keys.set(secrets.keys.clone());
        info!(event = "link_key_renewed", "links are made with a new key from now on; old ones go on working");
        if let Err(error) = self.restart_sending(secrets).await {
            error!(event = "link_key_not_renewed", "sending goes on with the old key: {error:#}");
        }
    }

    /// Whoever watches hears of the outbox that is at work now.
    fn tell_attempts(&self) {
        let outbox = Arc::clone(&self.outbox.outbox);
        self.shared.tell_attempts(http::Attempts::new(move || outbox.attempts()));
    }

    async fn restart_sending(&mut self, secrets: Secrets) -> anyhow::Result<()> {
        let _ = tokio::time::timeout(FAREWELL, self.outbox.ended()).await;
        // Who has messages on the wire, and servers that take their time to answer, keeps them, and its name in the ledger.
        let is_free = self.outbox.has_ended() && self.leaving.iter().all(Sending::has_ended);
        let name = if is_free { self.node.clone() } else { sending::node()? };
        let node = Node { name: &name, store: &self.store, clock: &self.clock };
        let next = sending::start(&self.config, &self.blog.site, &node, &self.templates, secrets, &self.wake)?;
        self.leaving.push(std::mem::replace(&mut self.outbox, next));
        self.leaving.retain(|before| !before.has_ended());
        self.tell_attempts();
        Ok(())
    }

    /// A configuration that is wrong in any way is not taken.
    async fn reload(&mut self) {
        let Some(file) = &self.config_file else { return };
        systemd::reloading();
        let loaded = config::load(file);
        if loaded.is_usable() {
            match self.take(Arc::new(loaded.config)).await {
                Ok(()) => info!(event = "config_reloaded", "configuration reloaded"),
                Err(error) => error!(event = "config_refused", "kept the old configuration: {error:#}"),
            }
        } else {
            for problem in loaded.problems.iter().filter(|p| p.is_error()) {
                error!(event = "config_refused", "kept the old configuration: {problem}");
            }
        }
        systemd::ready();
    }

    async fn take(&mut self, config: Arc<Config>) -> anyhow::Result<()> {
        let templates = load_templates(&config)?;
        let blog = Blog::open(Arc::clone(&config), Some(Arc::clone(&self.store))).await?;
        let secrets = Secrets::of(&self.store).await?;
        sending::ways(&config)?;
        let later = restart::needed(&self.config, &config);
        if !later.is_empty() {
            warn!(
                event = "config_needs_restart",
                keys = later.join(" "),
                "taken at the next start: `{}`",
                later.join("`, `")
            );
        }
        self.renew_certificate(self.clock.now());
        self.wording.set(Arc::clone(&templates));
        self.blog.replace(blog);
        (self.config, self.templates) = (config, templates);
        (self.trust, self.announced) = (Trust::default(), false);
        self.restart_sending(secrets).await?;
        self.said.clear();
        self.rewatch();
        self.rescan().await;
        Ok(())
    }
}
