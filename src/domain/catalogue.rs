//! All posts together: in order, each with its own address and id, with every problem found. Knows nothing of files
//! beyond their names.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use jiff::Timestamp;

use super::identity::{self, EntryRow, Ledger};
use super::post::{Post, State, Written};
use super::post_file::{self, Parsed, state_at};
use super::problem::Problem;
use super::shortcodes::Unknown;
use super::translations;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalogue {
    /// Newest first; drafts without a date before all others.
    pub posts: Vec<Post>,
    /// By path and place.
    pub problems: Vec<Problem>,
    /// When the next scheduled post is due, or a published one expires.
    pub next_change: Option<Timestamp>,
}

impl Catalogue {
    /// Puts the parsed files together as they stand at `now`. Returns the ledger rows that changed.
    #[must_use]
    pub fn assemble<'a>(
        files: impl IntoIterator<Item = &'a Parsed>,
        ledger: &Ledger,
        now: Timestamp,
    ) -> (Self, Vec<EntryRow>) {
        let mut problems = Vec::new();
        let mut posts = Vec::new();
        let mut next_change: Option<Timestamp> = None;
        for parsed in files {
            problems.extend(parsed.problems.iter().cloned());
            let Some((post, visibility)) = &parsed.post else { continue };
            let mut post = post.clone();
            post.state = state_at(*visibility, now);
            next_change = next_change.into_iter().chain(post_file::next_change(*visibility, now)).min();
            posts.push(post);
        }
        refuse_twins(&mut posts, &mut problems, ledger);
        let rows = identity::attach(&mut posts, ledger, now);
        posts.sort_by(newest_first);
        translations::mark(&mut posts, &mut problems, ledger);
        sort(&mut problems);
        (Self { posts, problems, next_change }, rows)
    }

    /// Puts a new version of one file in the place of the old, if the text is all that has changed. Returns the post's place, and
    /// what the ledger has to learn of it.
    pub fn replace(
        &mut self,
        path: &str,
        parsed: &Parsed,
        ledger: &Ledger,
        now: Timestamp,
    ) -> Result<(usize, Option<EntryRow>), MoreThanText> {
        let (new, visibility) = parsed.post.as_ref().ok_or(MoreThanText)?;
        let at = self.posts.iter().position(|post| *post.path == *path).ok_or(MoreThanText)?;
        let old = &mut self.posts[at];
        let row = ledger.get(&old.id).ok_or(MoreThanText)?;
        if !is_new_text_only(old, new) || state_at(*visibility, now) != old.state {
            return Err(MoreThanText);
        }
        let (id, updated) = (std::mem::take(&mut old.id), new.updated.or(row.updated_at));
        *old = Post { id, updated, state: old.state, original: old.original.clone(), ..new.clone() };
        let learned = identity::learned(old, row, now);
        // One that the old text brought may be void now: then the pass it leads to finds nothing.
        self.next_change = self.next_change.into_iter().chain(post_file::next_change(*visibility, now)).min();
        self.problems.retain(|problem| problem.path != path);
        self.problems.extend(parsed.problems.iter().cloned());
        sort(&mut self.problems);
        Ok((at, learned))
    }

    pub fn published(&self) -> impl Iterator<Item = &Post> {
        self.posts.iter().filter(|p| p.is_published())
    }

    pub fn drafts(&self) -> impl Iterator<Item = &Post> {
        self.posts.iter().filter(|p| p.state == State::Draft)
    }
}

/// Other posts, the order or the feeds' make-up may be concerned: put everything together anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoreThanText;

fn sort(problems: &mut [Problem]) {
    problems.sort_by(|a, b| (&a.path, a.line, a.column, a.code).cmp(&(&b.path, b.line, b.column, b.code)));
}

/// Whether nothing differs that other posts or the feeds' make-up depend on.
fn is_new_text_only(old: &Post, new: &Post) -> bool {
    old.url == new.url
        && old.date == new.date
        && old.own_id == new.own_id
        && old.title == new.title
        && old.authors == new.authors
        && old.tags == new.tags
        && old.categories == new.categories
        && old.section == new.section
        && old.language == new.language
        && old.work == new.work
}

/// The order of feeds: by date, then by id, so that it is the same on every machine.
#[must_use]
pub fn newest_first(a: &Post, b: &Post) -> std::cmp::Ordering {
    b.date.unwrap_or(Timestamp::MAX).cmp(&a.date.unwrap_or(Timestamp::MAX)).then_with(|| a.id.cmp(&b.id))
}

/// Two posts with one address, or one id, cannot both be in a feed. The one the ledger knows stays, else the first by
/// name; the other is a problem that names both.
fn refuse_twins(posts: &mut Vec<Post>, problems: &mut Vec<Problem>, ledger: &Ledger) {
    let mut ids = known_as_others(posts, ledger);
    if ids.is_empty() && are_distinct(posts) {
        return;
    }
    posts.sort_by(|a, b| a.path.cmp(&b.path));
    let known: HashMap<&str, &str> = ledger.values().map(|row| (row.path.as_str(), row.url.as_str())).collect();
    let rank = |post: &Post| {
        (post.state != State::Published, known.get(&*post.path) != Some(&post.url.as_str()), post.path.clone())
    };
    let mut order: Vec<usize> = (0..posts.len()).collect();
    order.sort_by_cached_key(|&index| rank(&posts[index]));
    let mut addresses = HashMap::new();
    let mut refused = vec![false; posts.len()];
    for index in order {
        let post = &posts[index];
        let address = address(post).into_owned();
        let twin = post
            .own_id
            .as_ref()
            .and_then(|id| ids.get(id))
            .map(|first| (first, "id"))
            .or_else(|| addresses.get(&address).map(|first| (first, "address")));
        if let Some((first, what)) = twin {
            // A draft may well prepare the next version of a published post.
            if post.state != State::Draft || what == "id" {
                let shown = if what == "id" { post.own_id.clone().unwrap_or_default() } else { post.url.clone() };
                let first: &Arc<str> = first;
                let message = format!("has the same {what} as `{first}` (`{shown}`), so only `{first}` is published");
                let code = if what == "id" { "duplicate-id" } else { "duplicate-address" };
                problems.push(
                    Problem::error(&*post.path, code, message)
                        .at(1, 1)
                        .hint("change the file's name, date, `slug` or `id`"),
                );
            }
            refused[index] = true;
            continue;
        }
        addresses.insert(address, post.path.clone());
        if let Some(id) = &post.own_id {
            ids.insert(id.clone(), post.path.clone());
        }
    }
    let mut refused = refused.into_iter();
    posts.retain(|post| !refused.next().unwrap_or_default() || post.state == State::Draft && post.own_id.is_none());
}

/// The ids that posts claim and that readers know as those of others, which are there: each with where that one is.
fn known_as_others(posts: &[Post], ledger: &Ledger) -> HashMap<String, Arc<str>> {
    let rows = posts.iter().filter_map(|post| {
        let row = ledger.get(post.own_id.as_ref()?)?;
        (*row.path != *post.path).then_some(row)
    });
    let claimed: HashMap<&str, &EntryRow> = rows.map(|row| (row.path.as_str(), row.as_ref())).collect();
    let owners = posts.iter().filter(|post| post.is_published() && post.own_id.is_none()).filter_map(|post| {
        let row = *claimed.get(&*post.path)?;
        // Another one in its old place is not its owner.
        let is_owner = row.body_hash == post.body_hash || row.title == post.title;
        is_owner.then(|| (row.id.clone(), post.path.clone()))
    });
    owners.collect()
}

/// The usual case, found out quickly: this is asked whenever a post is saved.
fn are_distinct(posts: &[Post]) -> bool {
    let mut addresses = HashSet::with_capacity(posts.len());
    let mut ids = HashSet::new();
    posts.iter().all(|post| addresses.insert(address(post)) && post.own_id.as_ref().is_none_or(|id| ids.insert(id)))
}

/// What two addresses are compared by.
fn address(post: &Post) -> Cow<'_, str> {
    let url = post.url.trim_end_matches('/');
    if url.bytes().any(|b| b.is_ascii_uppercase() || !b.is_ascii()) { url.to_lowercase().into() } else { url.into() }
}

/// Finds a post's address by the ways the three generators refer to one another's posts.
#[derive(Debug, Default, Clone)]
pub struct LinkIndex {
    /// By name; posts of one name in the order they came in.
    posts: Vec<Arc<Written>>,
}

impl LinkIndex {
    #[must_use]
    pub fn new<'a>(posts: impl IntoIterator<Item = &'a Post>) -> Self {
        let mut posts: Vec<Arc<Written>> = posts.into_iter().map(|post| Arc::clone(&post.written)).collect();
        posts.sort_by(|a, b| name(reference(&a.path)).cmp(name(reference(&b.path))));
        posts.shrink_to_fit();
        Self { posts }
    }

    /// `2021-05-07-name`, `_posts/2021-05-07-name.md`, `posts/name.md`, `name`, `blog/name/index.md`.
    #[must_use]
    pub fn find(&self, wanted: &str) -> Option<String> {
        let wanted = reference(wanted);
        let last = name(wanted);
        let first = self.posts.partition_point(|post| name(reference(&post.path)) < last);
        let candidates = || self.posts[first..].iter().take_while(|post| name(reference(&post.path)) == last);
        let found = candidates().find(|post| reference(&post.path).ends_with(wanted)).or_else(|| candidates().next());
        found.map(|post| post.url.clone())
    }
}

fn reference(path: &str) -> &str {
    let path = path.trim().trim_start_matches("@/").trim_matches('/');
    let path = [".md", ".markdown", ".html"].iter().find_map(|ending| path.strip_suffix(ending)).unwrap_or(path);
    path.strip_suffix("/index").unwrap_or(path)
}

fn name(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// What posts use and this program does not know: one problem a name, at the first place, with a count.
#[must_use]
pub fn report_unknown<'a>(found: impl IntoIterator<Item = (&'a str, &'a Unknown)>) -> Vec<Problem> {
    let mut by_name: BTreeMap<(&str, &str), (&str, &Unknown, usize)> = BTreeMap::new();
    for (path, unknown) in found {
        by_name
            .entry((unknown.kind, &unknown.name))
            .and_modify(|(first, at, count)| {
                *count += 1;
                if (path, unknown.line) < (*first, at.line) {
                    (*first, *at) = (path, unknown);
                }
            })
            .or_insert((path, unknown, 1));
    }
    by_name
        .into_iter()
        .map(|((kind, name), (path, at, count))| {
            let times = if count == 1 { String::new() } else { format!(", here and at {} other places", count - 1) };
            Problem::warning(path, "unknown", format!("{}{times}", told(kind, name)))
                .at(at.line, at.column)
                .hint(hint(kind))
        })
        .collect()
}

fn told(kind: &str, name: &str) -> String {
    match kind {
        "limit" => format!("the template is cut short: it goes beyond the limit of `{name}`"),
        "syntax" => format!("in the template, {name}"),
        _ => format!("the {kind} `{name}` is not known and is left out"),
    }
}

fn hint(kind: &str) -> &'static str {
    match kind {
        "include" => "put the file into `_includes`, or ignore this if the feed does not need it",
        "link" => "name an existing post by its file name",
        "syntax" => "close what was opened, or put the text between `{% raw %}` and `{% endraw %}`",
        "limit" => "the text makes the template run too long; simplify it",
        _ => "the text it stands in is kept; nothing else is lost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::post_file::Visibility;

    fn parsed(path: &str, url: &str, date: &str, visibility: Option<Visibility>) -> Parsed {
        let date: Timestamp = date.parse().unwrap();
        let written = Written {
            path: path.into(),
            url: url.into(),
            title: path.into(),
            date: Some(date),
            source_hash: 1,
            body_hash: super::super::hash::of(path.as_bytes()),
            modified: date,
            ..Written::sample()
        };
        Parsed {
            post: Some((written.into(), visibility.unwrap_or(Visibility::Public { from: date, until: None }))),
            problems: vec![],
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn two_posts_with_one_address_are_told_apart_whatever_their_order() {
        let mut files = vec![
            parsed("b.md", "https://x/same/", "2021-05-07T00:00:00Z", None),
            parsed("a.md", "https://x/same", "2021-05-08T00:00:00Z", None),
            parsed("c.md", "https://x/c", "2021-05-09T00:00:00Z", None),
        ];
        for _ in 0..2 {
            let (catalogue, _) = Catalogue::assemble(&files, &Ledger::new(), at("2021-06-01T00:00:00Z"));
            let paths: Vec<&str> = catalogue.posts.iter().map(|p| &*p.path).collect();
            assert_eq!(paths, ["c.md", "a.md"]);
            assert_eq!(
                (catalogue.problems[0].path.as_str(), catalogue.problems[0].code),
                ("b.md", "duplicate-address")
            );
            files.reverse();
        }
    }

    #[test]
    fn the_post_the_ledger_knows_keeps_its_address() {
        let old = [parsed("b.md", "https://x/same", "2021-05-07T00:00:00Z", None)];
        let (_, rows) = Catalogue::assemble(&old, &Ledger::new(), at("2021-06-01T00:00:00Z"));
        let ledger: Ledger = rows.into_iter().map(|r| (r.id.clone(), r.into())).collect();
        let both = [parsed("a.md", "https://x/same", "2021-05-08T00:00:00Z", None), old[0].clone()];
        let (catalogue, _) = Catalogue::assemble(&both, &ledger, at("2021-06-02T00:00:00Z"));
        assert_eq!(&*catalogue.posts[0].path, "b.md");
    }

    #[test]
    fn a_post_cannot_take_the_id_of_another_that_is_there() {
        let old = parsed("a.md", "https://x/a", "2021-05-07T00:00:00Z", None);
        let now = at("2021-06-01T00:00:00Z");
        let (_, rows) = Catalogue::assemble([&old], &Ledger::new(), now);
        let ledger: Ledger = rows.into_iter().map(|r| (r.id.clone(), r.into())).collect();
        let mut thief = parsed("c.md", "https://x/c", "2021-05-09T00:00:00Z", None);
        thief.post.as_mut().unwrap().0.own_id = Some("https://x/a".into());
        let (catalogue, _) = Catalogue::assemble([&old, &thief], &ledger, now);
        let shown: Vec<(&str, &str)> = catalogue.posts.iter().map(|p| (&*p.path, p.id.as_str())).collect();
        assert_eq!(shown, [("a.md", "https://x/a")]);
        let problem = &catalogue.problems[0];
        assert_eq!((problem.path.as_str(), problem.code), ("c.md", "duplicate-id"));
        assert!(problem.message.contains("`a.md`"), "{problem}");
        // Renamed, and its id written down; another stands in its old place.
        let mut other = old.clone();
        other.post.as_mut().unwrap().0.body_hash = 7;
        other.post.as_mut().unwrap().0.title = "Another".into();
        for others in [&[][..], &[other]] {
            let (catalogue, _) = Catalogue::assemble(others.iter().chain([&thief]), &ledger, now);
            assert_eq!(catalogue.posts[0].id, "https://x/a");
            assert_eq!((catalogue.posts.len(), catalogue.problems.len()), (others.len() + 1, 0));
        }
    }

    #[test]
    fn a_scheduled_post_appears_at_its_minute() {
        let files = [parsed("a.md", "https://x/a", "2021-05-07T10:00:00Z", None)];
        let (before, rows) = Catalogue::assemble(&files, &Ledger::new(), at("2021-05-07T09:59:59Z"));
        assert_eq!((before.posts[0].state, before.next_change), (State::Scheduled, Some(at("2021-05-07T10:00:00Z"))));
        assert!(rows.is_empty());
        let (after, _) = Catalogue::assemble(&files, &Ledger::new(), at("2021-05-07T10:00:00Z"));
        assert_eq!((after.posts[0].state, after.next_change), (State::Published, None));
    }

    #[test]
    fn a_new_text_takes_the_place_of_the_old_and_anything_more_does_not() {
        let files = [
            parsed("a.md", "https://x/a", "2021-05-07T10:00:00Z", None),
            parsed("b.md", "https://x/b", "2021-05-08T10:00:00Z", None),
        ];
        let now = at("2021-06-01T00:00:00Z");
        let (mut catalogue, rows) = Catalogue::assemble(&files, &Ledger::new(), now);
        let ledger: Ledger = rows.into_iter().map(|r| (r.id.clone(), r.into())).collect();
        let mut edited = files.clone();
        let change = |parsed: &mut Parsed, change: fn(&mut Post)| change(&mut parsed.post.as_mut().unwrap().0);
        change(&mut edited[0], |post| post.body_hash = 77);
        let (at, learned) = catalogue.replace("a.md", &edited[0], &ledger, now).unwrap();
        let learned = learned.unwrap();
        assert_eq!(&*catalogue.posts[at].path, "a.md");
        assert_eq!((learned.id.as_str(), learned.body_hash), ("https://x/a", 77));
        assert_eq!(catalogue, Catalogue::assemble(&edited, &ledger, now).0);
        for more in [
            |post: &mut Post| post.title = "B".into(),
            |post: &mut Post| post.url = "https://x/c".into(),
            |post: &mut Post| post.tags = vec!["t".into()],
            |post: &mut Post| post.date = None,
        ] {
            let mut moved = files[1].clone();
            change(&mut moved, more);
            assert_eq!(catalogue.replace("b.md", &moved, &ledger, now), Err(MoreThanText));
        }
        let mut expiring = edited[0].clone();
        let (from, until) = (now, Some(now + jiff::SignedDuration::from_secs(60)));
        expiring.post.as_mut().unwrap().1 = Visibility::Public { from, until };
        catalogue.replace("a.md", &expiring, &ledger, now).unwrap();
        assert_eq!(catalogue.next_change, until, "it is taken back by itself");
        let hidden = parsed("b.md", "https://x/b", "2021-05-08T10:00:00Z", Some(Visibility::Hidden));
        assert_eq!(catalogue.replace("b.md", &hidden, &ledger, now), Err(MoreThanText));
    }

    #[test]
    fn posts_are_found_by_the_names_generators_use() {
        let (catalogue, _) = Catalogue::assemble(
            &[
                parsed("_posts/2021-05-07-name.md", "https://x/name", "2021-05-07T10:00:00Z", None),
                parsed("content/blog/other/index.md", "https://x/other", "2021-05-07T10:00:00Z", None),
            ],
            &Ledger::new(),
            at("2021-06-01T00:00:00Z"),
        );
        let index = LinkIndex::new(&catalogue.posts);
        for (name, want) in [
            ("2021-05-07-name", Some("https://x/name")),
            ("_posts/2021-05-07-name.md", Some("https://x/name")),
            ("blog/other/index.md", Some("https://x/other")),
            ("@/blog/other/index.md", Some("https://x/other")),
            ("/blog/other", Some("https://x/other")),
            ("nothing", None),
        ] {
            assert_eq!(index.find(name).as_deref(), want, "{name}");
        }
    }

    #[test]
    fn an_unknown_name_is_reported_once() {
        let unknown = |name: &str, line| Unknown { kind: "tag", name: name.into(), line, column: 1 };
        let (a, b, c) = (unknown("gist", 4), unknown("gist", 9), unknown("x", 1));
        let problems = report_unknown([("b.md", &a), ("a.md", &b), ("a.md", &c)]);
        assert_eq!(problems.len(), 2);
        assert_eq!((problems[0].path.as_str(), problems[0].line), ("a.md", 9));
        assert!(problems[0].message.contains("1 other place"));
    }
}
