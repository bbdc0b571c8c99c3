//! The blog from its files to its feeds: scan, put together, render what changed, publish, remember. One pass at a time;
//! the daemon and `gazetted build` run the same one.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use hashbrown::{HashMap, HashSet};
use jiff::Timestamp;

use crate::config::Config;
use crate::domain::body::Body;
use crate::domain::catalogue::{Catalogue, LinkIndex, report_unknown};
use crate::domain::dialect::slug;
use crate::domain::edition::{EditionPost, Translation};
use crate::domain::feed_memory::FeedMemory;
use crate::domain::identity::{EntryRow, Ledger};
use crate::domain::media::{public_path, served_as};
use crate::domain::post::{Post, State};
use crate::domain::problem::Problem;
use crate::http::{Document, Medium};
use crate::publish::{self, WriteError};
use crate::render::feed::Settings;
use crate::render::feed_plan::Plan;
use crate::scan::{self, Files, Known, Settle, Site};
use crate::store::{OutputRow, SharedStore, StoreError};

use super::render_pass::{Around, Bodies, Purpose, links_version};
use super::terms::Terms;

mod addresses;
mod configured;
mod fitting;
mod gists;
mod hubs;
mod looking;
mod moving_in;
mod outputs;
mod pages;
mod records;
mod scope;

pub use configured::{media_type, settings, spec, specs};
pub use looking::{Change, Changes, InFeed};

/// Why a pass could not be finished. What was published before stays.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("{found} of {known} published posts are left in `{dir}`, so the feeds are left as they are")]
    Vanished { found: usize, known: usize, dir: String },
}

/// What a pass did.
#[derive(Debug, Clone, Default)]
pub struct Pass {
    pub posts: usize,
    pub drafts: usize,
    pub written: Vec<String>,
    pub unchanged: usize,
    /// Problems of the feeds themselves.
    pub problems: Vec<Problem>,
}

pub struct Blog {
    pub config: Arc<Config>,
    pub site: Site,
    store: Option<SharedStore>,
    files: Files,
    gists: gists::Kept,
    ledger: Ledger,
    outputs: HashMap<String, OutputRow>,
    bodies: Bodies,
    pub catalogue: Catalogue,
    /// Made when the first post is rendered.
    links: OnceLock<LinkIndex>,
    links_version: u128,
    /// What each post's entry is made from, in the catalogue's order; none: not known.
    versions: Vec<u128>,
    /// The output files have been compared with what the store says of them.
    verified: bool,
    feed_problems: Vec<Problem>,
    /// The feed files as the server was last told of them.
    documents: BTreeMap<String, Document>,
    /// What must stay as it was.
    memory: FeedMemory,
    /// The posts that a feed may show, whose bodies are kept.
    kept: HashSet<usize>,
    /// The published posts that no archive holds.
    unsealed: Vec<usize>,
    /// Files that were read again one by one since the catalogue was put together; `None`: all were.
    touched: Option<BTreeSet<String>>,
    plans: Vec<Plan>,
    /// What all pages have in common, as of the last pass.
    pages_base: Option<u128>,
    /// What readers can choose from.
    pub terms: Terms,
}

/// What the store knows of the blog.
#[derive(Default)]
struct Stored {
    ledger: Ledger,
    outputs: HashMap<String, OutputRow>,
    memory: FeedMemory,
}

impl Stored {
    async fn of(store: Option<&SharedStore>) -> Result<Self, StoreError> {
        let Some(store) = store else { return Ok(Self::default()) };
        Ok(Self {
            ledger: store.entries().await?.into_iter().map(|row| (row.id.clone(), row.into())).collect(),
            outputs: store.outputs().await?.into_iter().map(|row| (row.path.clone(), row)).collect(),
            memory: store.feed_memory().await?,
        })
    }
}

impl Blog {
    /// Open, and scanned: the posts are read while the store tells what it knows.
    pub async fn open_scanned(
        config: Arc<Config>,
        store: Option<SharedStore>,
        machine_now: Timestamp,
    ) -> Result<Self, StoreError> {
        let settle = settle(&config, machine_now);
        let site = tokio::task::block_in_place(|| scan::site(&config));
        let gists = gists::Kept::of(store.as_ref(), &site).await;
        let reading = tokio::task::spawn_blocking(move || {
            let files = Files::scan(&site, &Files::default(), &gists.gists, settle);
            (site, files, gists)
        });
        let stored = Stored::of(store.as_ref()).await?;
        match reading.await {
            Ok((site, files, gists)) => Ok(Self { files, ..Self::new(config, store, stored, site, gists) }),
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        }
    }

    /// Without a store nothing can be published; what there is can still be looked at.
    pub async fn open(config: Arc<Config>, store: Option<SharedStore>) -> Result<Self, StoreError> {
        let site = tokio::task::block_in_place(|| scan::site(&config));
        let gists = gists::Kept::of(store.as_ref(), &site).await;
        let stored = Stored::of(store.as_ref()).await?;
        Ok(Self::new(config, store, stored, site, gists))
    }

    fn new(config: Arc<Config>, store: Option<SharedStore>, stored: Stored, site: Site, gists: gists::Kept) -> Self {
        let Stored { ledger, outputs, memory } = stored;
        Self {
            config,
            site,
            store,
            files: Files::default(),
            gists,
            ledger,
            outputs,
            bodies: Bodies::default(),
            catalogue: Catalogue::default(),
            links: OnceLock::new(),
            links_version: 0,
            versions: Vec::new(),
            verified: false,
            feed_problems: Vec::new(),
            documents: BTreeMap::new(),
            memory,
            kept: HashSet::new(),
            unsealed: Vec::new(),
            touched: None,
            plans: Vec::new(),
            pages_base: None,
            terms: Terms::default(),
        }
    }

    #[must_use]
    pub fn store_if_any(&self) -> Option<SharedStore> {
        self.store.clone()
    }

    fn store(&self) -> Result<&SharedStore, StoreError> {
        self.store.as_ref().ok_or_else(|| StoreError::Other("this command has no store".to_owned()))
    }

    /// By another configuration from now on. Posts that break with it keep their last good versions, if they are the same posts.
    pub fn replace(&mut self, other: Self) {
        let before = std::mem::replace(self, other);
        if self.site.root == before.site.root {
            (self.files, self.bodies) = (before.files.doubted(), before.bodies);
            self.bodies.doubt();
        }
    }

    /// Reads the whole posts directory, and the site's own configuration beside it.
    pub fn scan(&mut self, machine_now: Timestamp) {
        tokio::task::block_in_place(|| {
            let site = scan::site(&self.config);
            if site.version != self.site.version {
                self.files = self.files.doubted();
                self.gists = gists::Kept::default();
                self.bodies.doubt();
            }
            self.site = site;
            let settle = settle(&self.config, machine_now);
            self.files = Files::scan(&self.site, &self.files, &self.gists.gists, settle);
            self.verified = false;
            self.touched = None;
        });
    }

    /// Reads files again that have changed; `closed` ones are finished, the others may still be written to. Returns
    /// whether anything is different now.
    pub fn refresh(&mut self, closed: &BTreeSet<String>, open: &BTreeSet<String>, machine_now: Timestamp) -> bool {
        let settle = settle(&self.config, machine_now);
        if let Some(touched) = &mut self.touched {
            touched.extend(closed.iter().chain(open).cloned());
        }
        tokio::task::block_in_place(|| {
            let closed = closed.iter().fold(false, |any, path| self.files.refresh(&self.site, path, None) | any);
            open.iter().fold(closed, |any, path| self.files.refresh(&self.site, path, Some(settle)) | any)
        })
    }

    /// Whether one of these was a folder with files that are known: gone or renamed, it takes them along.
    pub fn knows_below(&self, paths: &BTreeSet<String>) -> bool {
        paths.iter().any(|path| {
            let folder = format!("{path}/");
            let after = (Bound::Included(folder.as_str()), Bound::Unbounded);
            self.files.known.range::<str, _>(after).next().is_some_and(|(first, _)| first.starts_with(&folder))
        })
    }

    /// While it is waited for more notices: the texts that stand in feeds beside these files' posts are made ready.
    pub fn foresee(&mut self, files: &BTreeSet<String>) {
        const FEW: usize = 4;
        if files.len() > FEW {
            return;
        }
        let paths: Vec<String> = files.iter().map(|relative| self.site.display(relative)).collect();
        let posts = self.catalogue.posts.iter().enumerate();
        let at = posts.filter(|(_, post)| paths.iter().any(|path| **path == *post.path)).map(|(index, _)| index);
        let scope = scope::Scope::Texts(at.collect());
        let plans = self.plans.iter().filter(|plan| scope.concerns(plan));
        let shown: Vec<usize> = plans.flat_map(|plan| plan.posts.iter().copied()).collect();
        tokio::task::block_in_place(|| self.bodies.unpack(&self.catalogue.posts, &shown));
    }

    /// When a file that is too young to be believed will be old enough.
    #[must_use]
    pub fn unsettled_until(&self) -> Option<Timestamp> {
        self.files.unsettled_until
    }

    /// Puts the catalogue together as it stands at `now`, without touching anything outside.
    pub fn assemble(&mut self, now: Timestamp) -> Vec<EntryRow> {
        let (catalogue, rows) = Catalogue::assemble(self.files.parsed(&self.site), &self.ledger, now);
        let links_version = links_version(&catalogue);
        if links_version != self.links_version {
            self.links = OnceLock::new();
            self.links_version = links_version;
        }
        self.versions.clear();
        self.catalogue = catalogue;
        self.catalogue.posts.shrink_to_fit();
        rows
    }

    /// Every problem of the posts: those found by reading, and, with all bodies rendered, those found by rendering.
    pub fn problems(&mut self, render_all: bool) -> Vec<Problem> {
        let mut problems = self.site.problems.clone();
        problems.extend(self.files.problems.iter().cloned());
        problems.extend(self.catalogue.problems.iter().cloned());
        problems.extend(self.feed_problems.iter().cloned());
        if render_all {
            self.render_everything();
        }
        let bodies: Vec<(&Post, &Arc<Body>)> =
            self.catalogue.posts.iter().filter_map(|post| Some((post, self.bodies.get(post)?))).collect();
        problems.extend(bodies.iter().flat_map(|(_, body)| body.problems.iter().cloned()));
        problems.extend(report_unknown(
            bodies.iter().flat_map(|(post, body)| body.unknown.iter().map(|u| (&*post.path, u))),
        ));
        problems
    }

    /// What is wrong with which feeds there would be.
    pub fn plan_problems(&mut self) -> Vec<Problem> {
        let mut problems = self.look();
        let settings = self.settings();
        problems.extend(self.heavy_problems(&settings));
        problems.extend(self.move_problems(&settings));
        problems.extend(self.goal_problems());
        problems
    }

    /// Renders all posts, drafts included.
    pub fn render_everything(&mut self) {
        let all: Vec<usize> = (0..self.catalogue.posts.len()).collect();
        self.render_posts(&all);
    }

    /// Renders these posts of the catalogue.
    pub fn render_posts(&mut self, wanted: &[usize]) {
        self.render(wanted, Purpose::Use);
    }

    fn render(&mut self, wanted: &[usize], purpose: Purpose) {
        if wanted.is_empty() {
            return;
        }
        tokio::task::block_in_place(|| {
            let links = self.links.get_or_init(|| LinkIndex::new(&self.catalogue.posts));
            let around = Around { site: &self.site, links, links_version: self.links_version };
            self.bodies.render(&self.catalogue.posts, wanted, around, purpose);
        });
    }

    /// After a pass: what it has rendered is kept for the next one in less room.
    pub fn rest(&mut self) {
        tokio::task::block_in_place(|| self.bodies.pack());
    }

    #[must_use]
    pub fn body(&self, post: &Post) -> Option<&Arc<Body>> {
        self.bodies.get(post)
    }

    #[must_use]
    pub fn row(&self, post: &Post) -> Option<&EntryRow> {
        self.ledger.get(&post.id).map(AsRef::as_ref)
    }

    /// Every entry there ever was.
    pub fn rows(&self) -> impl Iterator<Item = &EntryRow> {
        self.ledger.values().map(AsRef::as_ref)
    }

    /// Reads the ledger again: an edition has been opened, or may have been by somebody else (a command, another node).
    pub async fn reload_ledger(&mut self) -> Result<(), StoreError> {
        self.ledger = self.store()?.entries().await?.into_iter().map(|row| (row.id.clone(), row.into())).collect();
        Ok(())
    }

    /// A post as an edition and a page show it.
    #[must_use]
    pub fn edition_post(&self, post: &Post) -> EditionPost {
        let body = self.bodies.get(post);
        EditionPost {
            id: post.id.clone(),
            url: post.url.clone(),
            title: post.title.clone(),
            date: post.date.unwrap_or(Timestamp::UNIX_EPOCH),
            authors: post.authors.clone(),
            tags: post.tags.clone(),
            excerpt: body.map(|b| b.excerpt.clone()).unwrap_or_default(),
            words: body.map_or(0, |b| b.words),
            featured: post.featured,
            language: post.language.clone(),
            translations: self.translations(post).map(|index| self.translation(index)).collect(),
        }
    }

    /// The posts that are this one in other languages.
    pub(super) fn in_other_languages<'a>(&'a self, post: &'a Post) -> impl Iterator<Item = (usize, &'a Post)> {
        let posts = self.catalogue.posts.iter().enumerate().filter(|_| post.work.is_some());
        posts.filter(move |(_, other)| other.work == post.work && other.path != post.path)
    }

    /// Those of them that are published.
    pub(super) fn translations<'a>(&'a self, post: &'a Post) -> impl Iterator<Item = usize> {
        self.in_other_languages(post).filter(|(_, other)| other.is_published()).map(|(index, _)| index)
    }

    fn translation(&self, index: usize) -> Translation {
        let post = &self.catalogue.posts[index];
        let body = self.bodies.get(post);
        Translation {
            id: post.id.clone(),
            language: post.language.clone(),
            url: post.url.clone(),
            title: post.title.clone(),
            authors: post.authors.clone(),
            tags: post.tags.clone(),
            excerpt: body.map(|b| b.excerpt.clone()).unwrap_or_default(),
            words: body.map_or(0, |b| b.words),
        }
    }

    /// Where the files that were written lie, below `feeds.out`.
    pub fn output_paths(&self) -> impl Iterator<Item = &str> {
        self.outputs.keys().map(String::as_str)
    }

    /// The newest published posts, rendered.
    pub fn latest(&mut self, count: usize) -> Vec<EditionPost> {
        let newest: Vec<usize> =
            (0..self.catalogue.posts.len()).filter(|i| self.catalogue.posts[*i].is_published()).take(count).collect();
        self.render_posts(&newest);
        newest.iter().map(|index| self.edition_post(&self.catalogue.posts[*index])).collect()
    }

    /// The feed files as they are now, for the HTTP server.
    #[must_use]
    pub fn documents(&mut self) -> BTreeMap<String, Document> {
        let (out, settings) = (self.out_dir(), self.settings());
        let mut before = std::mem::take(&mut self.documents);
        let document = |row: &OutputRow| {
            // Asked at every save, and after most of them nearly all files are what they were.
            let known = before.remove(&row.path).filter(|known| known.hash == row.bytes_hash);
            let document = match known {
                Some(known) => known,
                None => self.document(row, publish::below(&out, &row.path)?, &settings)?,
            };
            Some((row.path.clone(), document))
        };
        self.documents = self.outputs.values().filter_map(document).collect();
        self.documents.clone()
    }

    fn document(&self, row: &OutputRow, file: PathBuf, settings: &Settings) -> Option<Document> {
        // The file's own time outlives the daemon: readers' dates stay good over a restart.
        let known = std::fs::metadata(&file).ok().filter(std::fs::Metadata::is_file)?;
        let (size, modified) = (usize::try_from(known.len()).ok()?, known.modified().ok()?);
        let modified = Timestamp::try_from(modified).ok()?;
        let document = Document::file(file, media_type(&row.path, settings), row.bytes_hash, size, modified);
        Some(document.linking(self.link_header(&row.path, settings)))
    }

    /// The paths of posts that were taken back, without a slash at the end.
    #[must_use]
    pub fn gone(&self) -> BTreeSet<String> {
        let path = |url: &str| Some(self.place(url).into_owned()).filter(|path| !path.is_empty());
        let withdrawn = self.ledger.values().filter(|row| row.withdrawn_at.is_some());
        let mut gone: BTreeSet<String> = withdrawn.filter_map(|row| path(&row.url)).collect();
        if !gone.is_empty() {
            for here in self.catalogue.published().filter_map(|post| path(&post.url)) {
                gone.remove(&here);
            }
        }
        gone
    }

    /// Where an address of the blog's leads below it, as it is meant. Asked at every save: addresses of ours are absolute and
    /// encoded, and need no taking apart.
    fn place<'a>(&self, url: &'a str) -> Cow<'a, str> {
        let path = slug::path_of(url);
        let path = slug::below(path, slug::path_of(&self.config.site.url)).unwrap_or(path);
        slug::decode_path(path).unwrap_or(path.into())
    }

    /// The site's own files that published posts enclose.
    #[must_use]
    pub fn media(&self) -> BTreeMap<String, Medium> {
        let own = |post: &Post| {
            let enclosure = post.enclosure.as_ref()?;
            let file = enclosure.file.clone()?;
            let media_type = served_as(&public_path(&file)?, &enclosure.media_type)?.to_owned();
            let (own_files, relative) = (Arc::clone(&self.site.own_files), self.site.relative(&post.path).to_owned());
            let medium = Medium::new(media_type, move || own_files.open(&relative, &file));
            Some((self.place(&enclosure.url).into_owned(), medium))
        };
        self.catalogue.published().filter_map(own).collect()
    }

    /// What was taken back last, and when.
    fn tombstones(&self) -> Vec<(String, Timestamp)> {
        const MOST: usize = 50;
        let mut gone: Vec<(String, Timestamp)> =
            self.ledger.values().filter_map(|row| Some((row.id.clone(), row.withdrawn_at?))).collect();
        gone.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        gone.truncate(MOST);
        gone
    }

    /// These files as they were last believed, to be put back by `restore`.
    #[must_use]
    pub fn remember(&self, paths: &BTreeSet<String>) -> Vec<(String, Option<Known>)> {
        paths.iter().map(|path| (path.clone(), self.files.known.get(path.as_str()).cloned())).collect()
    }

    pub fn restore(&mut self, before: Vec<(String, Option<Known>)>) {
        for (path, known) in before {
            match known {
                Some(known) => self.files.known.insert(path.into(), known),
                None => self.files.known.remove(path.as_str()),
            };
        }
    }
}

/// Whether a post may be named as "in the making".
#[must_use]
pub fn is_draft(post: &Post) -> bool {
    matches!(post.state, State::Draft | State::Scheduled)
}

fn settle(config: &Config, now: Timestamp) -> Settle {
    Settle { now, age: config.posts.settle.get() }
}
