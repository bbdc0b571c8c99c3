//! From the catalogue to feeds in place: which feeds are out of date, rendering them, writing them, and remembering what was
//! written. Nothing is rendered that need not be, and nothing is written that is there already.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use hashbrown::{HashMap, HashSet};
use jiff::Timestamp;
use rayon::prelude::*;

use super::addresses::{moved_extras, renamed};
use super::fitting::full;
use super::scope::Scope;
use super::{Blog, Pass, PassError, pages, settings};
use crate::daemon::render_pass::{Purpose, version};
use crate::daemon::terms::Terms;
use crate::domain::feed_document::saying;
use crate::domain::feed_format::Format;
use crate::domain::hash::{self, Hasher};
use crate::domain::identity::EntryRow;
use crate::domain::post::Post;
use crate::domain::problem::Problem;
use crate::publish::{self, Output};
use crate::render::feed::{self, Entry, Settings};
use crate::render::feed_plan::{self, Kind, Plan};
use crate::render::opml::{self, Outline};
use crate::store::{OutputRow, StoreError};

/// With fewer entries than this, "half of them are gone" says nothing.
const FEW: usize = 4;

/// The code of a problem with writing a feed; others are about which feeds there are.
pub(super) const FAILED: &str = "feed";

/// What becomes of the bodies of archives' entries once some archives are written: forgotten, unless whoever asked has more
/// to do with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Between {
    Forget,
    Keep,
}

/// How many feeds are rendered and written at a time.
const BATCH: usize = 24;

impl Blog {
    /// From the files as last scanned to feeds in place. `force` publishes even if most posts have vanished.
    pub async fn publish(&mut self, now: Timestamp, force: bool) -> Result<Pass, PassError> {
        let settings = self.settings();
        let touched = self.touched.take();
        let patched = tokio::task::block_in_place(|| self.patch(touched, now));
        let (scope, changed) = match patched {
            Some((at, rows)) => (Scope::Texts(at), rows),
            None => (Scope::Whole, self.put_together(&settings, now, force).await?),
        };
        let edited = self.edited(&changed);
        let known = self.before_rendering(changed, &edited, &scope);
        // All new entries at once, and before any file: an id must never be given twice, nor a post be taken for a late one.
        self.remember_entries(known).await?;
        self.feed_problems.retain(|problem| problem.code != FAILED && problem.code != "size");
        let scope = match scope {
            Scope::Texts(_) if !self.refit(&scope, &settings, &edited).await? => Scope::Whole,
            scope => scope,
        };
        let mut written = match scope {
            Scope::Texts(_) => Vec::new(),
            Scope::Whole => self.fit(&settings, &edited).await?,
        };
        self.feed_problems.extend(self.heavy_problems(&settings));
        let plans = std::mem::take(&mut self.plans);
        written.extend(self.publish_all(&plans, &scope, &settings, &edited, Between::Forget).await?);
        let pass = self.finish(written, &plans, &scope, &settings).await?;
        self.keep_gists().await;
        self.verified = true;
        (self.plans, self.touched) = (plans, Some(BTreeSet::new()));
        Ok(pass)
    }

    /// Renders, writes and puts in place what is out of date, a few feeds at a time: memory holds these, not all of a large
    /// blog's.
    pub(super) async fn publish_all(
        &mut self,
        plans: &[Plan],
        scope: &Scope,
        settings: &Settings,
        edited: &HashSet<String>,
        between: Between,
    ) -> Result<Vec<String>, PassError> {
        let stale = tokio::task::block_in_place(|| self.stale(plans, scope, settings));
        let mut written = Vec::new();
        for batch in stale.chunks(BATCH) {
            written.extend(self.publish_batch(batch, plans, settings, edited).await?);
            if between == Between::Forget && batch.iter().any(|stale| plans[stale.plan].kind == Kind::Archive) {
                self.bodies.keep_only(&self.catalogue.posts, &self.kept);
            }
        }
        Ok(written)
    }

    async fn publish_batch(
        &mut self,
        batch: &[Stale],
        plans: &[Plan],
        settings: &Settings,
        edited: &HashSet<String>,
    ) -> Result<Vec<String>, PassError> {
        let rendered = tokio::task::block_in_place(|| self.render_for(plans, batch));
        let rows = self.texts(rendered, edited);
        let (outputs, failed) = tokio::task::block_in_place(|| self.write_feeds(plans, batch, settings));
        self.feed_problems.extend(failed);
        self.remember_entries(rows).await?;
        // Only now: what was learned of the texts is part of them.
        let fingerprints = {
            let of = self.fingerprints(settings);
            batch.iter().map(|stale| (stale.path.clone(), of(&plans[stale.plan]))).collect()
        };
        self.put_in_place(&outputs, &fingerprints).await
    }

    pub(super) async fn remember_entries(&mut self, rows: Vec<EntryRow>) -> Result<(), StoreError> {
        if !rows.is_empty() {
            self.store()?.save_entries(&rows).await?;
            self.ledger.extend(rows.into_iter().map(|row| (row.id.clone(), row.into())));
        }
        Ok(())
    }

    /// The entries whose text or title is not what the ledger has.
    fn edited(&self, changed: &[EntryRow]) -> HashSet<String> {
        let differs = |row: &&EntryRow| {
            self.ledger.get(&row.id).is_some_and(|b| b.body_hash != row.body_hash || b.title != row.title)
        };
        changed.iter().filter(differs).map(|row| row.id.clone()).collect()
    }

    /// What the ledger learns before anything is rendered. An edited entry that no feed will show again now has nobody to
    /// look at its text.
    fn before_rendering(&self, changed: Vec<EntryRow>, edited: &HashSet<String>, scope: &Scope) -> Vec<EntryRow> {
        if edited.is_empty() {
            return changed;
        }
        let mut shown = vec![false; self.catalogue.posts.len()];
        for post in self.plans.iter().flat_map(|plan| &plan.candidates) {
            shown[*post] = true;
        }
        let unseen: HashMap<&str, &Post> = scope
            .posts(shown.len())
            .filter(|index| !shown[*index])
            .map(|index| &self.catalogue.posts[index])
            .filter(|post| edited.contains(&post.id))
            .map(|post| (post.id.as_str(), post))
            .collect();
        let learned = |row: EntryRow| match unseen.get(row.id.as_str()) {
            Some(post) => with_text(&row, post, None, true),
            None => row,
        };
        changed.into_iter().map(learned).collect()
    }

    /// Everything anew: the catalogue, and from it which feeds there are.
    async fn put_together(
        &mut self,
        settings: &Settings,
        now: Timestamp,
        force: bool,
    ) -> Result<Vec<EntryRow>, PassError> {
        let rows = tokio::task::block_in_place(|| self.assemble(now));
        self.guard(force)?;
        let (terms, mut planned) = tokio::task::block_in_place(|| {
            let terms = || Terms::of(self.catalogue.published());
            rayon::join(terms, || feed_plan::plan(&self.catalogue, settings, &self.memory))
        });
        self.terms = terms;
        planned.learned.extend(renamed(&planned.plans, settings, &self.memory));
        planned.learned.extend(moved_extras(&settings.extra, &self.memory));
        (self.plans, self.feed_problems) = (planned.plans, planned.problems);
        self.learn(planned.learned).await?;
        Ok(rows)
    }

    /// When only texts have changed since the last pass, the catalogue as it is with these in place of the old ones: an
    /// editor's save must not cost what ten thousand other posts cost.
    /// Gives the places of those, and what the ledger has to learn of them.
    fn patch(&mut self, touched: Option<BTreeSet<String>>, now: Timestamp) -> Option<(Vec<usize>, Vec<EntryRow>)> {
        let touched = touched?;
        let is_due = self.catalogue.next_change.is_some_and(|at| at <= now);
        if is_due || self.has_failed() {
            return None;
        }
        let (mut places, mut rows) = (Vec::new(), Vec::new());
        for relative in &touched {
            let known = self.files.known.get(relative.as_str())?;
            let path = self.site.display(relative);
            let (at, learned) = self.catalogue.replace(&path, &known.parsed, &self.ledger, now).ok()?;
            self.renew_version(at);
            places.push(at);
            rows.extend(learned);
        }
        Some((places, rows))
    }

    /// Something could not be written last time.
    fn has_failed(&self) -> bool {
        self.feed_problems.iter().any(|problem| problem.code == FAILED)
    }

    /// FAULTS F15: an unmounted or emptied directory must not empty the feeds.
    fn guard(&self, force: bool) -> Result<(), PassError> {
        let known = self.ledger.values().filter(|row| row.withdrawn_at.is_none()).count();
        let found = self.catalogue.published().filter(|p| self.ledger.contains_key(&p.id)).count();
        if !force && known >= FEW && found * 2 < known {
            return Err(PassError::Vanished { found, known, dir: self.site.display("") });
        }
        Ok(())
    }

    /// Renders the posts of the feeds that are out of date, and gives them.
    fn render_for(&mut self, plans: &[Plan], stale: &[Stale]) -> BTreeSet<usize> {
        let wanted: BTreeSet<usize> = stale.iter().flat_map(|s| plans[s.plan].posts.iter().copied()).collect();
        let list: Vec<usize> = wanted.iter().copied().collect();
        self.render(&list, Purpose::Use);
        wanted
    }

    /// Renders every post that is in a feed, so that it can stay there should its file break; forgets the rest.
    pub fn warm(&mut self) {
        let shown = in_feeds(&self.plans);
        let mut wanted: Vec<usize> = shown.iter().copied().collect();
        wanted.sort_unstable();
        self.render(&wanted, Purpose::Keep);
        self.bodies.keep_only(&self.catalogue.posts, &shown);
    }

    /// Brings the ledger's text hashes, weights and `updated` up to date with what has been rendered.
    pub(super) fn texts(
        &mut self,
        rendered: impl IntoIterator<Item = usize>,
        edited: &HashSet<String>,
    ) -> Vec<EntryRow> {
        let mut changed = Vec::new();
        for index in rendered {
            let Some(post) = self.catalogue.posts.get_mut(index).filter(|post| post.is_published()) else { continue };
            let Some(current) = self.ledger.get(&post.id) else { continue };
            let body = self.bodies.get(post).filter(|_| self.bodies.is_current(post, self.links_version));
            let Some((text_hash, weight)) = body.map(|body| (body.text_hash, feed::weight(post, body))) else {
                continue;
            };
            if current.text_hash == Some(text_hash) && current.weight == Some(weight) {
                continue;
            }
            let mut next = with_text(current, post, Some(text_hash), edited.contains(&post.id));
            next.weight = Some(weight);
            // What the front matter says of `updated` stands; only what came from the ledger moves with it.
            if post.updated == current.updated_at {
                post.updated = next.updated_at;
                self.renew_version(index);
            }
            changed.push(next);
        }
        changed
    }

    pub(super) fn settings(&self) -> Settings {
        settings(&self.config, &self.site)
    }

    /// The feeds that must be rendered: those whose ingredients have changed, and those whose file is not what we wrote.
    fn stale(&mut self, plans: &[Plan], scope: &Scope, settings: &Settings) -> Vec<Stale> {
        self.know_versions();
        let versions = self.catalogue.posts.iter().map(|post| self.entry_version(post));
        debug_assert!(versions.eq(self.versions.iter().copied()));
        let blog = &*self;
        let (out, fingerprint) = (blog.out_dir(), blog.fingerprints(settings));
        plans
            .par_iter()
            .enumerate()
            .filter(|(_, plan)| scope.concerns(plan))
            .flat_map_iter(|(index, plan)| {
                let (fingerprint, out) = (fingerprint(plan), &out);
                let files = plan.files.iter().filter(move |(_, path)| !blog.is_written(out, path, fingerprint));
                files.map(move |(format, path)| Stale { plan: index, format: *format, path: path.clone() })
            })
            .collect()
    }

    /// What feeds are made from, each as a number.
    fn fingerprints(&self, settings: &Settings) -> impl Fn(&Plan) -> u128 + Sync {
        let base = Hasher::default()
            .field(env!("CARGO_PKG_VERSION").as_bytes())
            .field(format!("{settings:?}").as_bytes())
            .number(self.site.version)
            .finish();
        let tombstones = if settings.tombstones { self.tombstones() } else { Vec::new() };
        let gone = hash::of(format!("{tombstones:?}").as_bytes());
        move |plan| {
            let start = plan_hash(plan, base).number(if plan.kind == Kind::All { gone } else { 0 });
            plan.posts.iter().fold(start, |h, post| h.number(self.versions[*post])).finish()
        }
    }

    /// The feed files that would be written, and of each entry what would not be as it stands there now. Archives are not
    /// read twice by anybody.
    pub(super) fn ahead(&mut self) -> (Vec<String>, Differences) {
        let (plans, settings, out) = (std::mem::take(&mut self.plans), self.settings(), self.out_dir());
        let ahead = tokio::task::block_in_place(|| {
            let mut stale = self.stale(&plans, &Scope::Whole, &settings);
            let files = stale.iter().map(|stale| stale.path.clone()).collect();
            stale.retain(|stale| plans[stale.plan].kind != Kind::Archive && self.is_ours(&out, &stale.path));
            let mut all = Differences::new();
            for batch in stale.chunks(BATCH) {
                self.render_for(&plans, batch);
                let (made, _) = self.write_feeds(&plans, batch, &settings);
                for made in &made {
                    add_differences(&mut all, &out, made);
                }
            }
            (files, all)
        });
        self.plans = plans;
        ahead
    }

    /// Before feeds are compared: of ten thousand posts one may have changed since the last time.
    fn know_versions(&mut self) {
        if self.versions.is_empty() {
            self.versions = self.catalogue.posts.par_iter().map(|post| self.entry_version(post)).collect();
        }
    }

    /// After a change of one post.
    fn renew_version(&mut self, at: usize) {
        if !self.versions.is_empty() {
            self.versions[at] = self.entry_version(&self.catalogue.posts[at]);
        }
    }

    /// All that makes one entry what it is.
    fn entry_version(&self, post: &Post) -> u128 {
        let updated = post.updated.map_or(0, Timestamp::as_microsecond);
        Hasher::default()
            .number(version(post, self.links_version))
            .field(post.id.as_bytes())
            .field(&updated.to_le_bytes())
            .field(&post.enclosure.as_ref().and_then(|e| e.length).unwrap_or_default().to_le_bytes())
            .finish()
    }

    fn is_written(&self, out: &std::path::Path, path: &str, fingerprint: u128) -> bool {
        let Some(row) = self.outputs.get(path) else { return false };
        row.fingerprint == fingerprint && (self.verified || self.is_ours(out, path))
    }

    pub(super) fn out_dir(&self) -> PathBuf {
        self.config.path(&self.config.feeds.out)
    }

    /// Writes the stale feeds into memory. One that fails is a problem, and its last good file stays.
    fn write_feeds(&self, plans: &[Plan], stale: &[Stale], settings: &Settings) -> (Vec<Output>, Vec<Problem>) {
        let made: Vec<Result<Output, Problem>> = stale
            .par_iter()
            .map(|stale| {
                let bytes = self.feed(&plans[stale.plan], settings).and_then(|feed| feed::write(&feed, stale.format));
                bytes
                    .map(|bytes| Output { path: stale.path.clone(), bytes })
                    .map_err(|message| unwritten(stale.path.clone(), &message))
            })
            .collect();
        let (good, bad): (Vec<_>, Vec<_>) = made.into_iter().partition(Result::is_ok);
        (good.into_iter().filter_map(Result::ok).collect(), bad.into_iter().filter_map(Result::err).collect())
    }

    fn feed(&self, plan: &Plan, settings: &Settings) -> Result<feed::Feed, String> {
        let full = full(plan, settings);
        let entries: Option<Vec<Entry>> = plan
            .posts
            .iter()
            .filter_map(|index| self.catalogue.posts.get(*index))
            .map(|post| {
                let full = full && (plan.kind == Kind::Archive || !self.is_too_heavy(post, settings));
                self.bodies.of_one_piece(post).map(|body| Entry::new(post, body, full))
            })
            .collect();
        let entries = entries.ok_or("a post's file changed while it was read")?;
        let mut feed = feed::build(plan, entries, settings);
        if settings.tombstones && plan.kind == Kind::All {
            feed.tombstones = self.tombstones();
        }
        Ok(feed)
    }

    pub(super) async fn put_in_place(
        &mut self,
        outputs: &[Output],
        fingerprints: &HashMap<String, u128>,
    ) -> Result<Vec<String>, PassError> {
        let out = self.out_dir();
        let done = tokio::task::block_in_place(|| publish::write_all(&out, outputs))?;
        let row = |o: &Output| OutputRow {
            path: o.path.clone(),
            fingerprint: fingerprints.get(&o.path).copied().unwrap_or_default(),
            bytes_hash: hash::of(&o.bytes),
        };
        let is_there = |o: &&Output| !done.refused.iter().any(|(path, _)| *path == o.path);
        let rows = outputs.iter().filter(is_there).map(row);
        let rows: Vec<OutputRow> = rows.filter(|row| self.outputs.get(&row.path) != Some(row)).collect();
        if !rows.is_empty() {
            self.store()?.save_outputs(&rows, &[]).await?;
            self.outputs.extend(rows.into_iter().map(|row| (row.path.clone(), row)));
        }
        self.feed_problems.extend(done.refused.into_iter().map(|(path, why)| {
            unwritten(path, &why).hint("move away what stands there, or give the feed a shorter name")
        }));
        Ok(done.written)
    }

    /// The list of all feeds, and the files of those there are no more.
    async fn finish(
        &mut self,
        mut written: Vec<String>,
        plans: &[Plan],
        scope: &Scope,
        settings: &Settings,
    ) -> Result<Pass, PassError> {
        let list = Output { path: settings.opml.clone(), bytes: Self::opml(plans, settings) };
        written.extend(self.put_in_place(&[list], &HashMap::new()).await?);
        written.extend(self.publish_pages(plans, scope, settings).await?);
        let wanted = files(plans, settings);
        let gone: Vec<String> = self.outputs.keys().filter(|path| !wanted.contains(*path)).cloned().collect();
        if !gone.is_empty() {
            let out = self.out_dir();
            // What somebody else has put there since is theirs.
            for path in gone.iter().filter(|path| self.is_ours(&out, path)) {
                publish::remove(&out, path);
            }
            self.store()?.save_outputs(&[], &gone).await?;
            self.outputs.retain(|path, _| wanted.contains(path));
        }
        Ok(Pass {
            posts: self.catalogue.published().count(),
            drafts: self.catalogue.drafts().count(),
            unchanged: wanted.len() - written.len().min(wanted.len()),
            written,
            problems: self.feed_problems.clone(),
        })
    }

    /// Whether a file that was written is there no more: a generator may have emptied the folder.
    #[must_use]
    pub fn lacks_files(&self) -> bool {
        let out = self.out_dir();
        let is_there = |path: &String| publish::below(&out, path).is_some_and(|file| file.is_file());
        tokio::task::block_in_place(|| !self.outputs.keys().all(is_there))
    }

    /// The next pass compares every file with what was written, and puts back what is not there.
    pub fn distrust_files(&mut self) {
        (self.verified, self.touched) = (false, None);
    }

    /// Whether a file is as we wrote it.
    fn is_ours(&self, out: &std::path::Path, path: &str) -> bool {
        let bytes = publish::below(out, path).and_then(|file| std::fs::read(file).ok());
        bytes.is_some_and(|bytes| self.outputs.get(path).is_some_and(|row| row.bytes_hash == hash::of(&bytes)))
    }

    fn opml(plans: &[Plan], settings: &Settings) -> Vec<u8> {
        let outlines: Vec<Outline> = plans
            .iter()
            .filter(|plan| plan.kind != Kind::Archive)
            .filter_map(|plan| {
                let feed = feed::build(plan, Vec::new(), settings);
                let (_, address) = feed.addresses.first()?;
                let group = match plan.kind {
                    Kind::All | Kind::Archive => "Blog",
                    Kind::Tag => "Tags",
                    Kind::Author => "Authors",
                    Kind::Category => "Categories",
                    Kind::Section => "Sections",
                    Kind::Language => "Languages",
                    Kind::Extra => "More",
                };
                Some(Outline { title: feed.title.clone(), feed: address.clone(), page: feed.page, group })
            })
            .collect();
        opml::write(&settings.title, &outlines)
    }
}

/// All that stands below `feeds.out`.
pub(super) fn files(plans: &[Plan], settings: &Settings) -> HashSet<String> {
    let feeds = plans.iter().flat_map(|plan| plan.files.iter().map(|(_, path)| path.clone()));
    feeds.chain([settings.opml.clone()]).chain(pages::paths(plans, settings)).collect()
}

fn unwritten(path: String, why: &str) -> Problem {
    Problem::error(path, FAILED, format!("cannot be written: {why}; the last good file stays"))
}

/// The posts that readers see now; archives are written once and need no memory.
fn in_feeds(plans: &[Plan]) -> HashSet<usize> {
    plans.iter().filter(|p| p.kind != Kind::Archive).flat_map(|p| p.posts.iter().copied()).collect()
}

/// By an entry's id, in which words.
pub(super) type Differences = BTreeMap<String, BTreeSet<&'static str>>;

fn add_differences(all: &mut Differences, out: &std::path::Path, made: &Output) {
    let Some(standing) = publish::below(out, &made.path).and_then(|file| std::fs::read(file).ok()) else { return };
    for (id, what) in saying::differences(&standing, &made.bytes) {
        all.entry(id).or_default().extend(what);
    }
}

/// A feed file to be rendered.
#[derive(Debug)]
struct Stale {
    plan: usize,
    format: Format,
    path: String,
}

fn plan_hash(plan: &Plan, base: u128) -> Hasher {
    let numbers = [plan.kind as u64, u64::from(plan.complete), plan.archive.map_or(0, |n| u64::from(n) + 1)];
    let hasher = Hasher::default().number(base).field(plan.name.as_bytes()).field(plan.folder.as_bytes());
    numbers.into_iter().fold(hasher, |h, n| h.field(&n.to_le_bytes()))
}

/// DESIGN: `updated` moves when the visible text does. `text_hash` is `None` if the post was not rendered in this pass.
fn with_text(row: &EntryRow, post: &Post, text_hash: Option<u128>, edited: bool) -> EntryRow {
    let mut next = row.clone();
    let moved = match (row.text_hash, text_hash) {
        (Some(before), Some(now)) => edited && before != now,
        // Readers have seen it once, and nobody has looked at what changed: assume it was something.
        (Some(_), None) => edited,
        (None, _) => false,
    };
    if text_hash.is_some() || edited {
        next.text_hash = text_hash;
    }
    if moved && !post.minor {
        next.updated_at =
            Some(post.modified.max(post.date.unwrap_or(post.modified)).max(row.updated_at.unwrap_or(post.modified)));
    }
    next
}
