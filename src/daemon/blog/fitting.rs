//! How much fits into a feed: every entry is weighed once it is rendered, what is too old goes into archives whose entries
//! never change, and each feed is cut to its size. A large blog goes through memory in parts, oldest first.

use hashbrown::HashSet;

use super::outputs::Between;
use super::scope::Scope;
use super::{Blog, PassError};
use crate::domain::feed_format::{FeedContent, Format};
use crate::domain::feed_memory::FeedMemory;
use crate::domain::post::Post;
use crate::domain::problem::Problem;
use crate::render::feed::Settings;
use crate::render::feed_plan::{self, Kind, Plan};

/// How many posts are rendered at a time when all have to be.
const PART: usize = 1_024;
/// What an entry weighs that could not be rendered, or is shown with its summary only.
const LIGHT: u64 = 2_000;

impl Blog {
    /// Weighs what has not been weighed, fills archives, and decides what each feed shows. Gives the archives' files.
    pub(super) async fn fit(
        &mut self,
        settings: &Settings,
        edited: &HashSet<String>,
    ) -> Result<Vec<String>, PassError> {
        self.kept = self.likely(settings);
        let unsealed = self.find_unsealed(settings);
        let mut written = Vec::new();
        let (mut sealed, mut known) = (0, 0);
        for part in unsealed.chunks(PART) {
            self.weigh(part, edited).await?;
            known += part.len();
            written.extend(self.seal(&unsealed[sealed..known], &mut sealed, settings, edited).await?);
            if unsealed.len() > PART {
                self.bodies.keep_only(&self.catalogue.posts, &self.kept);
            }
        }
        if sealed > 0 {
            // What went into archives now is not the same feed's to show, and the archives are feeds of their own.
            self.plans = feed_plan::plan(&self.catalogue, settings, &self.memory).plans;
        }
        self.unsealed = unsealed[sealed..].to_vec();
        self.weigh_candidates(settings, edited).await?;
        self.cut(settings, &Scope::Whole);
        Ok(written)
    }

    /// The posts that feeds will show, as far as the length of their files tells: their bodies are worth keeping meanwhile.
    fn likely(&self, settings: &Settings) -> HashSet<usize> {
        let feeds = self.plans.iter().filter(|plan| plan.kind != Kind::Archive);
        let shown = feeds.flat_map(|plan| {
            let mut bytes = 0_u64;
            plan.candidates.iter().copied().take_while(move |post| {
                let before = bytes;
                bytes += self.catalogue.posts[*post].source_bytes as u64;
                before < settings.max_bytes
            })
        });
        shown.collect()
    }

    /// After a save that changed texts only: what was edited is weighed anew, and each feed cut to its size. Gives whether that
    /// is all there is to do: posts that have grown may drive one out that no archive holds.
    pub(super) async fn refit(
        &mut self,
        scope: &Scope,
        settings: &Settings,
        edited: &HashSet<String>,
    ) -> Result<bool, PassError> {
        let changed: Vec<usize> = scope.posts(self.catalogue.posts.len()).collect();
        self.weigh(&changed, edited).await?;
        let unsealed = self.weighed(&self.unsealed, settings);
        let fits = feed_plan::next_page(&unsealed, settings.limit, settings.max_bytes).is_none();
        if fits {
            self.cut(settings, scope);
        }
        Ok(fits)
    }

    /// The published posts that are in no archive, those first that belong into one, then the oldest; none if there are no
    /// archives.
    fn find_unsealed(&self, settings: &Settings) -> Vec<usize> {
        if settings.name(Format::Atom).is_none() {
            return Vec::new();
        }
        let sealed = feed_plan::sealed(&self.memory, "");
        let posts = self.catalogue.posts.iter().enumerate().rev();
        let unsealed = posts.filter(|(_, post)| post.is_published() && !sealed.contains(post.id.as_str()));
        let mut unsealed: Vec<usize> = unsealed.map(|(index, _)| index).collect();
        unsealed.sort_by_cached_key(|post| !self.is_left_over(*post));
        unsealed
    }

    /// Whether the feed before ours did not hold a post, though it was there: it is nobody's news. What came later is new,
    /// however early it is dated.
    fn is_left_over(&self, post: usize) -> bool {
        let Some(at) = self.memory.adopted_at() else { return false };
        let post = &self.catalogue.posts[post];
        self.row(post).is_some_and(|row| row.first_seen <= at) && feed_plan::is_before(post, self.memory.since(""))
    }

    /// Without archives only what may be shown is rendered: for each feed as many as fill it, the newest first.
    async fn weigh_candidates(&mut self, settings: &Settings, edited: &HashSet<String>) -> Result<(), PassError> {
        loop {
            let mut wanted: HashSet<usize> = HashSet::new();
            for plan in self.plans.iter().filter(|plan| plan.kind != Kind::Archive) {
                let mut total = 0;
                let unknown = plan.candidates.iter().take_while(|post| {
                    let before = total;
                    let post = &self.catalogue.posts[**post];
                    let weighed = self.ledger.get(&post.id).and_then(|row| row.weight);
                    total += weighed.unwrap_or(post.source_bytes as u64);
                    before <= settings.max_bytes
                });
                wanted.extend(unknown.filter(|post| self.is_unweighed(**post)));
            }
            let mut wanted: Vec<usize> = wanted.into_iter().collect();
            wanted.sort_unstable();
            let count = wanted.len();
            self.weigh(&wanted, edited).await?;
            // What cannot be rendered now stays unknown, and must not be asked for for ever.
            let left = wanted.iter().filter(|post| self.is_unweighed(**post)).count();
            if left == count {
                return Ok(());
            }
        }
    }

    fn is_unweighed(&self, post: usize) -> bool {
        self.ledger.get(&self.catalogue.posts[post].id).is_some_and(|row| row.weight.is_none())
    }

    async fn weigh(&mut self, posts: &[usize], edited: &HashSet<String>) -> Result<(), PassError> {
        let wanted: Vec<usize> = posts.iter().filter(|post| self.is_unweighed(**post)).copied().collect();
        if wanted.is_empty() {
            return Ok(());
        }
        self.render_posts(&wanted);
        let rows = self.texts(wanted, edited);
        Ok(self.remember_entries(rows).await?)
    }

    fn weight(&self, post: &Post, full: bool) -> u64 {
        let weighed = self.ledger.get(&post.id).and_then(|row| row.weight);
        weighed.filter(|_| full).unwrap_or(LIGHT)
    }

    fn weighed(&self, posts: &[usize], settings: &Settings) -> Vec<(usize, u64)> {
        posts.iter().map(|post| (*post, self.weight(&self.catalogue.posts[*post], settings.full))).collect()
    }

    /// One post must not drive all others out of a feed: what would fill it alone is shown by its summary.
    pub(super) fn is_too_heavy(&self, post: &Post, settings: &Settings) -> bool {
        self.weight(post, true) > settings.max_bytes
    }

    fn shown_weight(&self, post: usize, full: bool, settings: &Settings) -> u64 {
        let post = &self.catalogue.posts[post];
        self.weight(post, full && !self.is_too_heavy(post, settings))
    }

    /// What readers get less of than they might expect.
    pub(super) fn heavy_problems(&self, settings: &Settings) -> Vec<Problem> {
        let posts = self.plans.iter().filter(|plan| plan.kind == Kind::All).flat_map(|plan| &plan.posts);
        let heavy = posts.map(|post| &self.catalogue.posts[*post]).filter(|post| self.is_too_heavy(post, settings));
        let problem = |post: &Post| {
            let message = format!(
                "the entry would add {} bytes to a feed of at most {} (`feeds.max_bytes`), so feeds show its summary",
                self.weight(post, true),
                settings.max_bytes
            );
            Problem::warning(&*post.path, "size", message).at(1, 1).hint("divide the post, or raise `feeds.max_bytes`")
        };
        heavy.map(problem).collect()
    }

    /// Moves full pages of `unsealed` into archives, writes them, and counts what they took.
    async fn seal(
        &mut self,
        unsealed: &[usize],
        count: &mut usize,
        settings: &Settings,
        edited: &HashSet<String>,
    ) -> Result<Vec<String>, PassError> {
        let mut rest = self.weighed(unsealed, settings);
        let mut next = self.memory.pages("").map(|(page, _)| page).last().unwrap_or_default() + 1;
        let (mut learned, mut pages) = (FeedMemory::default(), Vec::new());
        while let Some(page) = feed_plan::next_page(&rest, settings.limit, settings.max_bytes)
            .or_else(|| {
                rest.split_at_checked(rest.partition_point(|(post, _)| self.is_left_over(*post))).map(|(page, _)| page)
            })
            .filter(|page| !page.is_empty())
        {
            let mut posts: Vec<usize> = page.iter().map(|(post, _)| *post).collect();
            // The catalogue is newest first.
            posts.sort_unstable();
            let ids = posts.iter().map(|post| self.catalogue.posts[*post].id.clone()).collect();
            learned.archives.insert((String::new(), next), ids);
            *count += posts.len();
            rest.drain(..posts.len());
            pages.push(feed_plan::archive(next, posts, settings));
            next += 1;
        }
        if pages.is_empty() {
            return Ok(Vec::new());
        }
        self.learn(learned).await?;
        self.publish_all(&pages, &Scope::Whole, settings, edited, Between::Keep).await
    }

    /// What is to be known ever after.
    pub(super) async fn learn(&mut self, learned: FeedMemory) -> Result<(), PassError> {
        if !learned.is_empty() {
            self.store()?.learn_feeds(&learned).await?;
            self.memory.extend(learned);
        }
        Ok(())
    }

    pub(super) fn cut(&mut self, settings: &Settings, scope: &Scope) {
        let mut plans = std::mem::take(&mut self.plans);
        for plan in plans.iter_mut().filter(|plan| scope.concerns(plan)) {
            let full = full(plan, settings);
            feed_plan::trim(plan, settings.max_bytes, |post| self.shown_weight(post, full, settings));
        }
        self.plans = plans;
    }
}

/// Whether a feed has its entries' whole text.
pub(super) fn full(plan: &Plan, settings: &Settings) -> bool {
    let own = plan.extra.and_then(|index| settings.extra.get(index)).and_then(|extra| extra.content);
    own.map_or(settings.full, |content| content == FeedContent::Full)
}
