//! The editions: which posts a month's, a quarter's or a single post's takes, how it is rendered, and the moment it is
//! frozen. Knows the blog and the store; what makes a post late or an edition due is decided by dates alone.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::config::{Config, WhenEmpty, bounded};
use crate::domain::edition::{Edition, EditionKey, EditionPost, State, Variant};
use crate::domain::feed_format::Format;
use crate::domain::goal::{Bounds, GoalStatus};
use crate::domain::period::{Per, Period};
use crate::domain::post::{Post, State as PostState};
use crate::domain::preflight::Finding;
use crate::domain::problem::Problem;
use crate::domain::schedule::Schedule;
use crate::domain::subscriber::{Choice, Frequency};
use crate::domain::wording;
use crate::render::digest::{self, Content, Correction, Digest, Draft, Heading, Selection};
use crate::render::feed::{Entry, Feed};
use crate::render::language;
use crate::render::templates::Templates;
use crate::store::{Audience, Canary, Opened, SharedStore, StoreError};

use super::blog::{Blog, is_draft};
use super::letters::addresses;
use super::preflight;
use super::preview::{Preview, fingerprint};

/// What an edition is made from.
#[derive(Debug, Clone, Default)]
pub struct Ingredients {
    pub posts: Vec<EditionPost>,
    pub late: Vec<EditionPost>,
    pub goals: Vec<GoalStatus>,
    pub drafts: Vec<Draft>,
    pub corrections: Vec<Correction>,
    /// Posts of the edition whose files changed a moment ago, and when the youngest will have been still long enough.
    pub restless: Vec<String>,
    pub still_at: Option<Timestamp>,
}

impl Ingredients {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.posts.is_empty() && self.late.is_empty()
    }
}

/// Why an edition was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{period} is not over yet; it ends on {last_day}", last_day = period.last_day())]
    NotOver { period: Period },
    #[error("{} changed less than {age} ago, and an edition takes only what has been still for that long", paths.join(", "))]
    Restless { paths: Vec<String>, age: String, until: Timestamp },
    #[error("the digest cannot be rendered: {0}")]
    Template(Box<Problem>),
    #[error("it has changed since it was looked at, and nothing was done; look again")]
    Changed,
    #[error("{key} is kept back: {}", told(findings))]
    Preflight { key: EditionKey, findings: Vec<Finding> },
    #[error("another node opens the editions now")]
    Overtaken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is red, in one line.
fn told(findings: &[Finding]) -> String {
    let red: Vec<&str> = findings.iter().filter(|found| found.is_red()).map(|found| found.message.as_str()).collect();
    red.join("; ")
}

/// What came of opening one.
#[derive(Debug)]
pub enum Outcome {
    Opened {
        posts: u32,
        recipients: u64,
    },
    /// Nothing was published and nothing is late: the month is marked as decided.
    Empty,
    Before(Box<Edition>),
}

/// Gathers the edition of `period` as it would be frozen at `now`. `machine_now` is what file ages are measured by.
pub fn gather(blog: &mut Blog, period: Period, now: Timestamp, machine_now: Timestamp) -> Ingredients {
    let zone = blog.config.site.zone();
    let (mut own, mut late) = (Vec::new(), Vec::new());
    for (index, post) in blog.catalogue.posts.iter().enumerate().filter(|(_, p)| is_announced(p)) {
        match place(blog, post, period, &zone) {
            Some(Place::Own) => own.push(index),
            Some(Place::Late) => late.push(index),
            None => {}
        }
    }
    let all: Vec<usize> = own.iter().chain(&late).copied().collect();
    blog.render_posts(&with_translations(blog, &all));
    let (restless, still_at) = restless(blog, &all, machine_now);
    let chosen = |indices: &[usize]| {
        // Oldest first: a digest is read from the beginning of the month.
        indices.iter().rev().map(|index| blog.edition_post(&blog.catalogue.posts[*index])).collect()
    };
    let bounds = Bounds { to: Some(period.last_day()), ..Bounds::default() };
    let mut goals = blog.goals(now.max(period.end(&zone)), bounds);
    // What is promised for later is no news, and no measure of what there was.
    goals.retain(|goal| goal.begins.is_none());
    Ingredients {
        posts: chosen(&own),
        late: chosen(&late),
        goals,
        drafts: drafts(blog),
        corrections: corrections(blog, period),
        restless,
        still_at,
    }
}

/// In several languages it is announced once.
pub(super) fn is_announced(post: &Post) -> bool {
    post.is_published() && !post.is_translation()
}

pub(super) fn with_translations(blog: &Blog, chosen: &[usize]) -> Vec<usize> {
    let others = chosen.iter().flat_map(|index| blog.translations(&blog.catalogue.posts[*index]));
    chosen.iter().copied().chain(others).collect()
}

#[derive(PartialEq, Eq)]
enum Place {
    Own,
    Late,
}

/// A month announces what no other edition has; a quarter says again what its months have said to others.
fn place(blog: &Blog, post: &Post, period: Period, zone: &TimeZone) -> Option<Place> {
    let (date, row) = (post.date?, blog.row(post));
    // One that was announced in another language is no news in this one, even if that is gone.
    let others = blog.in_other_languages(post).filter_map(|(_, other)| blog.row(other));
    let edition = row.into_iter().chain(others).find_map(|row| row.edition.as_deref());
    let announced = match period.per() {
        Per::Quarter => edition.and_then(Period::parse).is_none_or(|month| !is_within(month, period)),
        _ => edition.is_some_and(|edition| edition != period.to_string()),
    };
    if period.contains(date, zone) {
        return (period.per() == Per::Quarter || !announced).then_some(Place::Own);
    }
    let late = date < period.start(zone) && row.is_some_and(|row| !row.baseline) && !announced;
    late.then_some(Place::Late)
}

/// Whether the next edition announces posts of a month that has none. What was there when the store was made it does not.
pub fn goes_on(blog: &Blog, month: Period) -> bool {
    let (zone, next) = (blog.config.site.zone(), month.next());
    let of_month = blog.catalogue.published().filter(|post| post.date.is_some_and(|date| month.contains(date, &zone)));
    of_month.into_iter().any(|post| place(blog, post, next, &zone) == Some(Place::Late))
}

fn is_within(month: Period, quarter: Period) -> bool {
    (quarter.first_day()..=quarter.last_day()).contains(&month.first_day())
}

/// FAULTS F2: a post somebody is still typing must not be mailed. What was there when the store was made counts as still.
pub(super) fn restless(blog: &Blog, chosen: &[usize], machine_now: Timestamp) -> (Vec<String>, Option<Timestamp>) {
    let age = blog.config.posts.freeze_age.get();
    let mut paths = Vec::new();
    let mut still_at = None;
    for post in chosen.iter().map(|index| &blog.catalogue.posts[*index]) {
        let until = post.modified.checked_add(age).unwrap_or(post.modified);
        let from_the_start = blog
            .row(post)
            .is_none_or(|row| row.baseline && row.body_hash == post.body_hash && row.updated_at.is_none());
        if until > machine_now && post.modified <= machine_now && !from_the_start {
            paths.push(post.path.to_string());
            still_at = still_at.max(Some(until));
        }
    }
    (paths, still_at)
}

fn drafts(blog: &Blog) -> Vec<Draft> {
    if !blog.config.digest.drafts {
        return Vec::new();
    }
    let mut drafts: Vec<&Post> = blog.catalogue.posts.iter().filter(|p| is_draft(p) && !p.is_translation()).collect();
    drafts.sort_by(|a, b| a.title.cmp(&b.title));
    drafts.into_iter().map(|p| Draft { title: p.title.clone(), authors: p.authors.clone() }).collect()
}

/// What an earlier month announced, and somebody has put right since: each correction is told once.
fn corrections(blog: &Blog, period: Period) -> Vec<Correction> {
    if period.per() != Per::Month {
        return Vec::new();
    }
    let told = |post: &Post| {
        let (row, note) = (blog.row(post)?, post.correction.as_ref()?);
        let before = row.edition.as_deref().is_some_and(|edition| edition != period.to_string());
        let shown = post.is_published().then(|| post.url.clone());
        let stands = shown.is_some() || post.state == PostState::Withdrawn;
        (before && stands && row.corrected.as_ref() != Some(note)).then(|| Correction {
            id: post.id.clone(),
            title: post.title.clone(),
            url: shown,
            note: note.clone(),
        })
    };
    blog.catalogue.posts.iter().filter_map(told).collect()
}

/// Everything that is frozen of an edition.
#[must_use]
pub fn content(blog: &Blog, heading: Heading, what: &Ingredients) -> Content {
    Content {
        posts: what.posts.clone(),
        late: what.late.clone(),
        goals: what.goals.clone(),
        drafts: what.drafts.clone(),
        corrections: what.corrections.clone(),
        ..blank(&blog.config, blog.site.title(&blog.config), heading)
    }
    .sorted()
}

/// What every edition has in common.
#[must_use]
pub fn blank(config: &Config, title: String, heading: Heading) -> Content {
    let subscribe = config.subscribers.form.then(|| format!("{}/subscribe", config.public_url()));
    Content {
        title,
        site_url: config.site.url.trim_end_matches('/').to_owned(),
        pages_url: config.public_url().to_owned(),
        subject: config.digest.subject.clone(),
        time_zone: config.site.time_zone.clone(),
        language: config.site.language.clone(),
        postal_address: config.digest.postal_address.clone(),
        subscribe_url: subscribe.unwrap_or_default(),
        look: config.digest.look,
        style: config.digest.style.clone(),
        ..Content::of(heading)
    }
}

/// Text and HTML of an edition, the recipient's parts left open.
pub fn render(templates: &Templates, content: &Content) -> Result<Digest, Box<Problem>> {
    digest::render(templates, content, &Selection::all(&content.language)).map_err(Box::new)
}

/// What somebody's choice makes of an edition; nothing, if nothing in it is for them.
fn variant(content: &Content, templates: &Templates, choice: &Choice) -> Option<String> {
    let all = content.posts.len() + content.late.len();
    let posts = content.posts.iter().chain(&content.late).enumerate();
    let wanted: Vec<usize> = posts.filter(|(_, post)| choice.wants(post)).map(|(at, _)| at).collect();
    if wanted.is_empty() && !choice.is_everything() {
        return None;
    }
    let language = choice.language.clone().filter(|l| *l != content.language && templates.languages().is_offered(l));
    let posts = (wanted.len() < all).then_some(wanted);
    Some(Variant { language, posts }.to_string())
}

/// An edition to be frozen.
pub(super) struct Order<'a> {
    pub key: EditionKey,
    pub state: State,
    pub content: &'a Content,
    /// Only those who have wanted its kind since before then.
    pub since: Option<Timestamp>,
    pub word: Word,
}

/// What would be frozen of an edition.
pub(super) fn frozen(
    templates: &Templates,
    key: EditionKey,
    state: State,
    content: &Content,
    now: Timestamp,
) -> Result<Edition, Box<Problem>> {
    let digest = render(templates, content)?;
    let posts = content.posts.len() + content.late.len();
    Ok(Edition {
        key,
        state,
        subject: digest.subject,
        text: digest.text,
        html: digest.html,
        content: serde_json::to_value(content).unwrap_or_default(),
        posts: u32::try_from(posts).unwrap_or(u32::MAX),
        opened_at: now,
        finished_at: matches!(state, State::Skipped | State::Cancelled).then_some(now),
        reason: None,
    })
}

/// What the pre-flight says of the edition of a period, the worst first: of the one that was opened, else of what would be.
pub async fn findings(
    blog: &mut Blog,
    store: Option<&SharedStore>,
    templates: &Templates,
    period: Period,
    now: Timestamp,
    machine_now: Timestamp,
) -> Result<Vec<Finding>, OpenError> {
    let before = match store {
        Some(store) => store.edition(period.into()).await?,
        None => None,
    };
    let opened = before.and_then(|edition| {
        let content = serde_json::from_value(edition.content.clone()).ok()?;
        Some((edition, content))
    });
    let (edition, content) = if let Some(opened) = opened {
        opened
    } else {
        let shown = Preview::of(blog, templates, period, now, machine_now).map_err(OpenError::Template)?;
        (shown.edition, shown.content)
    };
    Ok(preflight::findings(blog, &edition, &content))
}

/// Writes an edition and its deliveries, if nothing red is found.
pub(super) async fn freeze(
    blog: &Blog,
    store: &SharedStore,
    templates: &Templates,
    order: &Order<'_>,
    now: Timestamp,
) -> Result<Opened, OpenError> {
    let Order { key, state, content, since, word } = *order;
    let (config, lead) = (&blog.config, word.lead);
    let edition = frozen(templates, key, state, content, now).map_err(OpenError::Template)?;
    if state == State::Open {
        let findings = preflight::findings(blog, &edition, content);
        if !word.despite_findings && findings.iter().any(Finding::is_red) {
            return Err(OpenError::Preflight { key, findings });
        }
        for finding in &findings {
            tracing::warn!(event = "preflight_overruled", edition = %key, "{finding}");
        }
    }
    let posts = content.posts.iter().chain(&content.late);
    let ids =
        posts.flat_map(|post| post.translations.iter().map(|other| &other.id).chain([&post.id])).cloned().collect();
    let editors: Vec<String> = addresses(&config.digest.editors).into_iter().map(|address| address.key).collect();
    let wait = SignedDuration::try_from(config.outbox.canary.get()).unwrap_or(SignedDuration::ZERO);
    let audience = Audience {
        language: &content.language,
        since,
        variant: &|choice: &Choice| variant(content, templates, choice),
        canary: (!wait.is_zero()).then_some(Canary { editors: &editors, wait }),
        lead,
    };
    // Only a month announces a post for good: quarters and single posts say the same to others.
    let announced = if key.period().is_some_and(|period| period.per() == Per::Month) { ids } else { Vec::new() };
    Ok(store.open_edition(&edition, &announced, &audience).await?)
}

/// On whose word an edition is opened.
#[derive(Debug, Clone, Copy, Default)]
pub struct Word {
    /// Restless posts are taken, too.
    pub as_is: bool,
    /// It goes out whatever the pre-flight finds.
    pub despite_findings: bool,
    /// The fence of the schedule's lease; none for a command of the operator's.
    pub lead: Option<i64>,
    /// What an editor has looked at: anything else is not opened.
    pub shown: Option<u128>,
}

/// Freezes the edition of a closed period and queues its deliveries.
pub async fn open(
    blog: &mut Blog,
    store: &SharedStore,
    templates: &Templates,
    period: Period,
    now: Timestamp,
    machine_now: Timestamp,
    word: Word,
) -> Result<Outcome, OpenError> {
    let zone = blog.config.site.zone();
    if period.end(&zone) > now {
        return Err(OpenError::NotOver { period });
    }
    if let Some(before) = store.edition(period.into()).await? {
        return Ok(Outcome::Before(Box::new(before)));
    }
    blog.reload_ledger().await?;
    let what = tokio::task::block_in_place(|| gather(blog, period, now, machine_now));
    if let (Some(until), false) = (what.still_at, word.as_is) {
        let age = blog.config.posts.freeze_age.to_string();
        return Err(OpenError::Restless { paths: what.restless, age, until });
    }
    let skipped = what.is_empty() && blog.config.digest.when_empty == WhenEmpty::Skip;
    let state = if skipped { State::Skipped } else { State::Open };
    let content = content(blog, Heading::Period(period), &what);
    if let Some(shown) = word.shown {
        let edition = frozen(templates, period.into(), state, &content, now).map_err(OpenError::Template)?;
        if shown != fingerprint(&edition, &content) {
            return Err(OpenError::Changed);
        }
    }
    let posts = u32::try_from(content.posts.len() + content.late.len()).unwrap_or(u32::MAX);
    let order = Order { key: period.into(), state, content: &content, since: None, word };
    let opened = freeze(blog, store, templates, &order, now).await?;
    blog.reload_ledger().await?;
    Ok(match opened {
        Opened::Overtaken => return Err(OpenError::Overtaken),
        Opened::Before(before) => Outcome::Before(before),
        Opened::Now { .. } if skipped => Outcome::Empty,
        Opened::Now { recipients } => Outcome::Opened { posts, recipients },
    })
}

/// Decides that the edition of a closed period goes to nobody. Its posts are dealt with as in one that is called off after it was opened:
/// no later month announces them. `shown`: what an editor has looked at. Gives how many posts it had; none if it was opened before.
pub async fn turn_down(
    blog: &mut Blog,
    store: &SharedStore,
    templates: &Templates,
    period: Period,
    now: Timestamp,
    shown: Option<u128>,
) -> Result<Option<u32>, OpenError> {
    if period.end(&blog.config.site.zone()) > now {
        return Err(OpenError::NotOver { period });
    }
    blog.reload_ledger().await?;
    // Whether its posts are still being written does not matter.
    let preview = Preview::of(blog, templates, period, now, now).map_err(OpenError::Template)?;
    if shown.is_some_and(|shown| shown != preview.fingerprint) {
        return Err(OpenError::Changed);
    }
    let (state, word) = (State::Cancelled, Word::default());
    let order = Order { key: period.into(), state, content: &preview.content, since: None, word };
    let turned_down = freeze(blog, store, templates, &order, now).await?;
    blog.reload_ledger().await?;
    Ok(matches!(turned_down, Opened::Now { .. }).then_some(preview.edition.posts))
}

/// What came of turning one down, for whoever did it.
#[must_use]
pub fn turned_down(period: Period, posts: u32) -> String {
    let posts = wording::digits(posts, "post");
    format!(
        "the edition of {} is turned down: it goes to nobody, and no later month announces its {posts}",
        wording::period(period)
    )
}

/// How many editions their feed shows: a year and a half.
const FEED: usize = 18;

/// The web archive's own feed, `/editions/atom.xml`.
pub async fn feed(blog: &Blog, store: &SharedStore) -> Result<Option<Vec<u8>>, StoreError> {
    let base = blog.config.public_url().to_owned();
    let settings = super::blog::settings(&blog.config, &blog.site);
    let shown = store.editions().await?.into_iter().map(|s| s.edition);
    let is_month = |e: &Edition| e.key.period().is_some_and(|period| period.per() == Per::Month);
    let shown = shown.filter(|e| is_month(e) && !matches!(e.state, State::Cancelled | State::Skipped)).take(FEED);
    let entries: Vec<Entry> = shown.map(|edition| entry(&edition, &base)).collect();
    let feed = Feed {
        stylesheet: settings.stylesheet(),
        id: format!("{base}/editions/"),
        title: format!("{}: the digest", settings.title),
        description: format!("The monthly digest of {}", settings.title),
        language: settings.language,
        page: format!("{base}/editions/"),
        addresses: vec![(Format::Atom, format!("{base}/editions/atom.xml"))],
        author: settings.author,
        updated: entries.iter().map(|e| e.updated).max().unwrap_or(Timestamp::UNIX_EPOCH),
        complete: entries.len() < FEED,
        entries,
        archive: false,
        previous: None,
        current: None,
        tombstones: Vec::new(),
        hubs: Vec::new(),
    };
    Ok(crate::render::feed::write(&feed, Format::Atom).ok())
}

fn entry(edition: &Edition, base: &str) -> Entry {
    let url = format!("{base}/editions/{}", edition.key);
    let page = crate::render::page::edition(edition);
    let html = url::Url::parse(&url).ok().and_then(|url| crate::domain::html::Cleaner::new(&url).clean(&page).ok());
    Entry {
        id: url.clone(),
        url,
        title: crate::domain::plain::line(&edition.subject),
        published: edition.opened_at,
        updated: edition.opened_at,
        authors: Vec::new(),
        terms: Vec::new(),
        summary: String::new(),
        html: html.map(|html| crate::domain::plain::lines(&html).into_owned()),
        language: None,
        image: None,
        enclosure: None,
    }
}

/// The templates: those embedded, and those the operator has put into `digest.templates`.
pub fn templates(folder: &Path) -> Result<Templates, Vec<Problem>> {
    Templates::new(&replacements(folder))
}

#[must_use]
pub fn replacements(folder: &Path) -> BTreeMap<String, String> {
    let read = |folder: &Path, prefix: &str, endings: &[&str]| -> Vec<(String, String)> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let known = entries.filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let ending = Path::new(&name).extension()?.to_str()?;
            endings.contains(&ending).then_some(())?;
            Some((format!("{prefix}{name}"), bounded::text(&entry.path(), bounded::TEXT).ok()?))
        });
        known.collect()
    };
    let languages = read(&folder.join("languages"), language::FOLDER, &["ftl"]);
    read(folder, "", &["html", "md", "txt"]).into_iter().chain(languages).collect()
}

/// The periods whose digests are due at `now`, oldest first, among those after the store was made that have no edition yet.
/// A quarter has one only if somebody wants it.
pub async fn due(blog: &Blog, store: &SharedStore, now: Timestamp) -> Result<Vec<Period>, StoreError> {
    let mut due = due_of(Per::Month, blog, store, now).await?;
    if store.readers(Frequency::Quarterly).await? > 0 {
        due.extend(due_of(Per::Quarter, blog, store, now).await?);
    }
    Ok(due)
}

async fn due_of(per: Per, blog: &Blog, store: &SharedStore, now: Timestamp) -> Result<Vec<Period>, StoreError> {
    let mut due = Vec::new();
    for closed in closed(per, blog, store, now).await?.take_while(|closed| closed.late >= now) {
        if closed.due <= now && store.edition(closed.period.into()).await?.is_none() {
            due.push(closed.period);
        }
    }
    due.reverse();
    Ok(due)
}

/// A period that is over: when its digest is due, and until when it is caught up.
pub(super) struct Closed {
    pub period: Period,
    pub due: Timestamp,
    pub late: Timestamp,
}

/// The periods that are over and not older than the store, the latest first.
pub(super) async fn closed(
    per: Per,
    blog: &Blog,
    store: &SharedStore,
    now: Timestamp,
) -> Result<impl Iterator<Item = Closed>, StoreError> {
    let (zone, catch_up) = (blog.config.site.zone(), blog.config.digest.catch_up.get());
    let born = Period::at(per, store.created_at().await?, &zone);
    let schedule = Schedule::parse(&blog.config.digest.schedule).ok();
    let mut period = Period::at(per, now, &zone);
    Ok(std::iter::from_fn(move || {
        period = period.previous();
        let due = schedule.as_ref().filter(|_| period >= born)?.due_after(period, &zone);
        Some(Closed { period, due, late: due.checked_add(catch_up).unwrap_or(Timestamp::MAX) })
    }))
}

/// When the next month's digest is due.
#[must_use]
pub fn next_due(config: &Config, now: Timestamp) -> Option<Timestamp> {
    let (zone, schedule) = (config.site.zone(), Schedule::parse(&config.digest.schedule).ok()?);
    let month = Period::at(Per::Month, now, &zone);
    [month.previous(), month].into_iter().map(|closed| schedule.due_after(closed, &zone)).find(|due| *due > now)
}
