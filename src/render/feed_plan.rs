//! Which feeds a blog has, where each stands, and which posts are in it: by kind and name, by count and by size, older
//! ones in archives. Knows the catalogue and what must stay as it was; renders nothing.

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};
use jiff::{SignedDuration, Timestamp};

use super::feed::Settings;
use crate::domain::catalogue::Catalogue;
use crate::domain::dialect::slug;
use crate::domain::feed_format::Format;
use crate::domain::feed_memory::FeedMemory;
use crate::domain::hash;
use crate::domain::post::{Post, language_code};
use crate::domain::problem::Problem;

/// A tag's folder is named in mails and chats, too.
const LONGEST_SLUG: usize = 80;

/// What no file system takes; a folder that was to be called so was never there.
const LONGEST_NAME: usize = 255;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    All,
    Tag,
    Author,
    Category,
    Section,
    Language,
    /// One that the configuration describes.
    Extra,
    /// RFC 5005: older entries, in Atom only.
    Archive,
}

impl Kind {
    /// As it is called in what is kept, and in sentences.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Tag => "tag",
            Self::Author => "author",
            Self::Category => "category",
            Self::Section => "section",
            Self::Language => "language",
            Self::Extra => "extra",
            Self::Archive => "archive",
        }
    }
}

impl Plan {
    /// What is remembered of it goes by this: its folder, or the one file that it is.
    #[must_use]
    pub fn key(&self) -> &str {
        match (self.kind, self.files.first()) {
            (Kind::Extra, Some((_, file))) => file,
            _ => &self.folder,
        }
    }

    /// Whether it is the feed in this file, and one that changes: no archive.
    #[must_use]
    pub fn is_current(&self, file: &str) -> bool {
        self.kind != Kind::Archive && self.files.iter().any(|(_, own)| own == file)
    }
}

/// A feed before its entries are rendered: which posts it shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub kind: Kind,
    /// The tag's, author's or category's name; an archive's number.
    pub name: String,
    /// Below `feeds.out`, with a slash at the end unless empty: `tags/rust/`.
    pub folder: String,
    /// Its files below `feeds.out`.
    pub files: Vec<(Format, String)>,
    /// Indices into the catalogue's posts: those it would show if size were no matter, newest first.
    pub candidates: Vec<usize>,
    /// Those of them that it shows, newest first.
    pub posts: Vec<usize>,
    /// Whether every post of this kind is among them.
    pub complete: bool,
    /// The archive that continues this feed.
    pub archive: Option<u32>,
    /// Which of the configuration's own.
    pub extra: Option<usize>,
    /// How many posts there are of this kind.
    pub all: usize,
}

/// The feeds, what is to be remembered of them, and what is wrong.
#[derive(Debug, Default)]
pub struct Plans {
    pub plans: Vec<Plan>,
    pub learned: FeedMemory,
    pub problems: Vec<Problem>,
}

/// All feeds of the catalogue, each with as many posts as it may have by their number.
#[must_use]
pub fn plan(catalogue: &Catalogue, settings: &Settings, memory: &FeedMemory) -> Plans {
    let published: Vec<usize> =
        catalogue.posts.iter().enumerate().filter(|(_, p)| p.is_published()).map(|(index, _)| index).collect();
    let mut planner = Planner { catalogue, settings, memory, published: &published, out: Plans::default() };
    planner.all();
    planner.group(settings.tags, Kind::Tag, "tags", |p| p.tags.iter().map(String::as_str).collect());
    planner.group(settings.authors, Kind::Author, "authors", |p| p.authors.iter().map(|a| a.name.as_str()).collect());
    planner.group(settings.categories, Kind::Category, "categories", |p| {
        p.categories.iter().map(String::as_str).collect()
    });
    planner.group(settings.sections, Kind::Section, "sections", |p| p.section.as_deref().into_iter().collect());
    planner.languages();
    planner.archives();
    planner.extras();
    let mut out = planner.out;
    out.problems.extend(refuse_clashes(&mut out.plans));
    out
}

struct Planner<'a> {
    catalogue: &'a Catalogue,
    settings: &'a Settings,
    memory: &'a FeedMemory,
    published: &'a [usize],
    out: Plans,
}

impl Planner<'_> {
    fn all(&mut self) {
        // What is in no archive yet must stand here, however old it says it is.
        let mut candidates = self.published.to_vec();
        let sealed = sealed(self.memory, "");
        candidates.retain(|index| !is_old_news(&self.catalogue.posts[*index], &sealed, self.settings, self.memory));
        candidates.sort_by_key(|index| sealed.contains(self.catalogue.posts[*index].id.as_str()));
        let mut plan = self.limited(Kind::All, String::new(), String::new(), candidates, self.settings.limit);
        plan.all = self.published.len();
        plan.complete = plan.posts.len() == plan.all;
        plan.archive = self.memory.pages("").map(|(page, _)| page).last().filter(|_| self.has_archives());
        self.out.plans.push(plan);
    }

    fn has_archives(&self) -> bool {
        self.settings.name(Format::Atom).is_some()
    }

    fn limited(&self, kind: Kind, name: String, folder: String, mut posts: Vec<usize>, limit: usize) -> Plan {
        let all = posts.len();
        posts.truncate(limit);
        let files = self.settings.formats.iter().map(|(format, file)| (*format, format!("{folder}{file}"))).collect();
        Plan {
            kind,
            name,
            folder,
            files,
            posts: posts.clone(),
            candidates: posts,
            complete: all <= limit,
            archive: None,
            extra: None,
            all,
        }
    }

    fn group(&mut self, wanted: bool, kind: Kind, folder: &str, names: fn(&Post) -> Vec<&str>) {
        if wanted {
            self.divide(kind, folder, terms(self.catalogue, self.published, names));
        }
    }

    /// Posts that name no language are in the site's.
    fn languages(&mut self) {
        if !self.settings.languages {
            return;
        }
        let mut by_code: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for &index in self.published {
            let code = language_code(self.catalogue.posts[index].language_or(&self.settings.language));
            by_code.entry(code).or_default().push(index);
        }
        let terms = by_code.into_iter().map(|(name, posts)| Term { name, posts }).collect();
        self.divide(Kind::Language, "languages", oldest_first(terms));
    }

    /// A feed for each term.
    fn divide(&mut self, kind: Kind, folder: &str, terms: Vec<Term>) {
        // One section or language is no division; one that readers have a feed of is theirs as long as it has posts.
        let divides = terms.len() > 1 || !matches!(kind, Kind::Section | Kind::Language);
        if !divides && !terms.iter().any(|term| self.known_slug(term, kind).is_some()) {
            return;
        }
        for (term, slug) in self.slugs(terms, kind) {
            let plan = self.limited(kind, term.name, format!("{folder}/{slug}/"), term.posts, self.settings.limit);
            self.out.plans.push(self.without_old_news(plan));
        }
    }

    fn extras(&mut self) {
        for (index, extra) in self.settings.extra.iter().enumerate() {
            let wanted = |index: &&usize| extra.wants(&self.catalogue.posts[**index], &self.settings.language);
            let posts = self.published.iter().filter(wanted).copied().collect();
            let limit = extra.limit.unwrap_or(self.settings.limit);
            let plan = self.limited(Kind::Extra, extra.title.clone(), String::new(), posts, limit);
            let plan = Plan { files: vec![(extra.format(), extra.path.clone())], extra: Some(index), ..plan };
            self.out.plans.push(self.without_old_news(plan));
        }
    }

    /// What the feed that stood there before did not hold would look new to its readers.
    fn without_old_news(&self, mut plan: Plan) -> Plan {
        let since = self.memory.since(plan.key());
        plan.candidates.retain(|post| !is_before(&self.catalogue.posts[*post], since));
        plan.posts.clone_from(&plan.candidates);
        plan.complete = plan.posts.len() == plan.all;
        plan
    }

    fn archives(&mut self) {
        if !self.has_archives() {
            return;
        }
        let mut by_id: HashMap<&str, usize> = HashMap::new();
        if !self.memory.archives.is_empty() {
            by_id = self.published.iter().map(|i| (self.catalogue.posts[*i].id.as_str(), *i)).collect();
        }
        let pages: Vec<Plan> = self
            .memory
            .pages("")
            .map(|(page, ids)| {
                let posts = ids.iter().filter_map(|id| by_id.get(id.as_str()).copied()).collect();
                archive(page, posts, self.settings)
            })
            .collect();
        self.out.plans.extend(pages);
    }

    /// Where its readers find it.
    fn known_slug(&self, term: &Term, kind: Kind) -> Option<&String> {
        let slug = self.memory.slugs.get(&(kind.as_str().to_owned(), term.name.to_lowercase()));
        slug.filter(|slug| slug.len() <= LONGEST_NAME)
    }

    /// An address for each name; one that a name has had it keeps, whatever comes later.
    fn slugs(&mut self, terms: Vec<Term>, kind: Kind) -> Vec<(Term, String)> {
        let of_kind = self.memory.slugs.iter().filter(|((k, _), _)| k == kind.as_str());
        let mut taken: BTreeMap<String, String> =
            of_kind.map(|((_, name), slug)| (slug.clone(), name.clone())).collect();
        let mut out = Vec::with_capacity(terms.len());
        for term in terms {
            let wanted = plain_slug(&term.name);
            let first = taken.get(&wanted).filter(|first| first.to_lowercase() != term.name.to_lowercase()).cloned();
            let slug = self.known_slug(&term, kind).cloned().unwrap_or_else(|| free(&wanted, &taken));
            if let Some(first) = first {
                let message = format!(
                    "the {} feeds of `{first}` and `{}` would both stand at `{wanted}`",
                    kind.as_str(),
                    term.name
                );
                let hint = format!("`{}` has its feed at `{slug}`; spell them alike if they mean the same", term.name);
                self.out.problems.push(Problem::warning("feeds", "slug", message).hint(hint));
            }
            self.out.learned.slugs.insert((kind.as_str().to_owned(), term.name.to_lowercase()), slug.clone());
            taken.insert(slug.clone(), term.name.clone());
            out.push((term, slug));
        }
        self.out.learned.slugs.retain(|key, slug| self.memory.slugs.get(key) != Some(slug));
        out.sort_by(|a, b| a.1.cmp(&b.1));
        out
    }
}

/// Whether a post is older than what the blog's former feed held.
#[must_use]
pub fn is_before(post: &Post, since: Option<Timestamp>) -> bool {
    // A day's leave: feeds and files do not agree on zones.
    let since = since.and_then(|since| since.checked_sub(SignedDuration::from_hours(24)).ok());
    since.is_some_and(|since| post.date.is_some_and(|date| date < since))
}

/// Whether a post must not come into the blog's feed again: it was in none for long, and stands in an archive if there are
/// archives.
#[must_use]
pub fn is_old_news(post: &Post, sealed: &HashSet<&str>, settings: &Settings, memory: &FeedMemory) -> bool {
    let elsewhere = settings.name(Format::Atom).is_none() || sealed.contains(post.id.as_str());
    elsewhere && is_before(post, memory.since(""))
}

/// The plan of one archive page.
#[must_use]
pub fn archive(page: u32, posts: Vec<usize>, settings: &Settings) -> Plan {
    let folder = format!("archive/{page}/");
    let file = settings.name(Format::Atom).map(|name| (Format::Atom, format!("{folder}{name}")));
    Plan {
        kind: Kind::Archive,
        name: page.to_string(),
        folder,
        files: file.into_iter().collect(),
        all: posts.len(),
        candidates: posts.clone(),
        posts,
        complete: false,
        archive: (page > 1).then(|| page - 1),
        extra: None,
    }
}

/// The ids that stand in a feed's archives.
#[must_use]
pub fn sealed<'a>(memory: &'a FeedMemory, feed: &str) -> HashSet<&'a str> {
    memory.pages(feed).flat_map(|(_, ids)| ids.iter().map(String::as_str)).collect()
}

/// What one more page takes of the posts that are in none, given oldest first with their weights: nothing as long as they all
/// fit into the feed itself.
#[must_use]
pub fn next_page(unsealed: &[(usize, u64)], limit: usize, most: u64) -> Option<&[(usize, u64)]> {
    let mut weight = 0_u64;
    for (count, (_, of_post)) in unsealed.iter().enumerate() {
        weight = weight.saturating_add(*of_post);
        if count == limit || count > 0 && weight > most {
            return Some(&unsealed[..count]);
        }
    }
    None
}

/// Leaves out of a feed what makes it too large: from the end, and never its first entry.
pub fn trim(plan: &mut Plan, most: u64, weight: impl Fn(usize) -> u64) {
    if plan.kind == Kind::Archive {
        return;
    }
    let mut total = 0_u64;
    let fits = plan.candidates.iter().enumerate().take_while(|(at, post)| {
        total = total.saturating_add(weight(**post));
        *at == 0 || total <= most
    });
    let count = fits.count();
    plan.posts = plan.candidates[..count].to_vec();
    // The catalogue is newest first.
    plan.posts.sort_unstable();
    plan.complete = count == plan.all;
}

struct Term {
    name: String,
    posts: Vec<usize>,
}

/// Posts by name, the same name in any case being one; in the order in which the names first came up.
fn terms(catalogue: &Catalogue, published: &[usize], names: fn(&Post) -> Vec<&str>) -> Vec<Term> {
    let mut by_key: BTreeMap<String, (Vec<usize>, BTreeMap<&str, usize>)> = BTreeMap::new();
    for &index in published {
        for name in names(&catalogue.posts[index]) {
            let (posts, spellings) = by_key.entry(name.to_lowercase()).or_default();
            if posts.last() != Some(&index) {
                posts.push(index);
            }
            *spellings.entry(name).or_default() += 1;
        }
    }
    let terms = by_key
        .into_values()
        .map(|(posts, spellings)| {
            let most = spellings.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(a.0)));
            Term { name: most.map(|(name, _)| name.to_owned()).unwrap_or_default(), posts }
        })
        .collect();
    oldest_first(terms)
}

/// Of two names that come up together for one address the older one has it.
fn oldest_first(mut terms: Vec<Term>) -> Vec<Term> {
    // The last index is the oldest post.
    terms.sort_by_key(|term| std::cmp::Reverse(term.posts.last().copied()));
    terms
}

/// A name in letters that every address can hold; one that has none (`++`) gets a number of its own, and one that is too
/// long is cut and told from others by it.
fn plain_slug(name: &str) -> String {
    let slug = slug::ascii(name);
    let number = || format!("{:08x}", hash::of(name.to_lowercase().as_bytes()) >> 96);
    match slug.len() {
        0 => number(),
        1..=LONGEST_SLUG => slug,
        _ => format!("{}-{}", slug[..LONGEST_SLUG - 9].trim_end_matches('-'), number()),
    }
}

fn free(wanted: &str, taken: &BTreeMap<String, String>) -> String {
    let numbered = (2..=u32::MAX).map(|n| format!("{wanted}-{n}"));
    std::iter::once(wanted.to_owned()).chain(numbered).find(|slug| !taken.contains_key(slug)).unwrap_or_default()
}

/// Two feeds cannot be one file: the one that comes first has it, the owner's own choice last. A feed that is left without
/// any is none.
fn refuse_clashes(plans: &mut Vec<Plan>) -> Vec<Problem> {
    let mut taken: HashSet<String> = HashSet::new();
    let mut problems = Vec::new();
    for Plan { name, files, .. } in &mut *plans {
        files.retain(|(_, file)| {
            let is_free = taken.insert(file.clone());
            if !is_free {
                problems.push(clash(name, file));
            }
            is_free
        });
    }
    plans.retain(|plan| !plan.files.is_empty());
    problems
}

fn clash(name: &str, file: &str) -> Problem {
    let name = if name.is_empty() { "the second".to_owned() } else { format!("`{name}`") };
    let message = format!("two feeds would be written to `{file}`, so {name} is not");
    Problem::error("feeds", "feed-clash", message).hint("give the one in `[[feeds.extra]]` a `path` of its own")
}

#[cfg(test)]
mod tests;
