//! Which entry a post is: the id readers know it by, kept for ever and found again when its file is renamed, re-dated or
//! moved (DESIGN invariant 2). Knows the ledger's rows, not where they are kept.

use std::hash::Hash;

use hashbrown::{HashMap, HashSet};
use jiff::Timestamp;

use super::post::{Post, State};

/// One entry's identity, for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    pub id: String,
    /// Where its post was last seen; empty once that goes by another id.
    pub path: String,
    pub url: String,
    pub title: String,
    pub published_at: Option<Timestamp>,
    pub body_hash: u128,
    /// Hash of the text readers see; `None` until the entry has been rendered for a feed.
    pub text_hash: Option<u128>,
    /// Set when the visible text changed after publication.
    pub updated_at: Option<Timestamp>,
    pub first_seen: Timestamp,
    /// Seen in the store's very first scan: older than the store, so never "late".
    pub baseline: bool,
    /// Not among the published posts any more.
    pub withdrawn_at: Option<Timestamp>,
    /// The edition that announced it.
    pub edition: Option<String>,
    /// How much it adds to a feed, in bytes; `None` until it has been rendered as it is now.
    pub weight: Option<u64>,
    /// The correction that an edition has told its readers of.
    pub corrected: Option<String>,
}

impl EntryRow {
    /// Its post's author has given that another id. Nothing is known by this one again, and nobody else gets it.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.path.is_empty()
    }
}

/// The ledger's rows by id. A third of a table's places are empty, and rows are large.
pub type Ledger = HashMap<String, Box<EntryRow>>;

/// Gives every post its id and, from the ledger, what else only the ledger knows. Returns the rows that changed.
pub fn attach(posts: &mut [Post], ledger: &Ledger, now: Timestamp) -> Vec<EntryRow> {
    let first_scan = ledger.is_empty();
    let matches = Matcher::new(posts, ledger).run();
    let mut changed = Vec::new();
    let mut seen = HashSet::with_capacity(posts.len());
    // What an author has chosen is no other post's, whichever comes first.
    seen.extend(posts.iter().filter_map(|post| post.own_id.clone()));
    for (index, post) in posts.iter_mut().enumerate() {
        let row = matches.get(&index).map(|id| &*ledger[*id]);
        post.id = id_of(post, row, ledger, &seen);
        seen.insert(post.id.clone());
        let Some(row) = row else {
            if post.state == State::Published {
                changed.push(new_row(post, now, first_scan));
            }
            continue;
        };
        if post.state == State::Draft {
            post.state = State::Withdrawn;
        }
        post.updated = post.updated.or(row.updated_at);
        changed.extend(learned(post, row, now));
    }
    changed.extend(left(posts, ledger, &matches, now));
    changed
}

fn id_of(post: &Post, row: Option<&EntryRow>, ledger: &Ledger, seen: &HashSet<String>) -> String {
    if let Some(own) = &post.own_id {
        return own.clone();
    }
    if let Some(row) = row {
        return row.id.clone();
    }
    let taken = |id: &str| ledger.contains_key(id) || seen.contains(id);
    if !taken(&post.url) {
        return post.url.clone();
    }
    // Another entry was born at this address and lives on elsewhere.
    (2..=u32::MAX).map(|n| format!("{}#{n}", post.url)).find(|id| !taken(id)).unwrap_or_default()
}

fn new_row(post: &Post, now: Timestamp, first_scan: bool) -> EntryRow {
    EntryRow {
        id: post.id.clone(),
        path: post.path.to_string(),
        url: post.url.clone(),
        title: post.title.clone(),
        published_at: post.date,
        body_hash: post.body_hash,
        text_hash: None,
        updated_at: None,
        first_seen: now,
        baseline: first_scan,
        withdrawn_at: None,
        edition: None,
        weight: None,
        corrected: None,
    }
}

/// The ledger's row of a post it knows, as it has to be now; `None` if there is nothing new.
#[must_use]
pub fn learned(post: &Post, row: &EntryRow, now: Timestamp) -> Option<EntryRow> {
    (!is_same(post, row)).then(|| next_row(post, row, now))
}

/// Whether the ledger has nothing new to learn of a post; asked of every post in every pass.
fn is_same(post: &Post, row: &EntryRow) -> bool {
    row.id == post.id
        && row.path == *post.path
        && row.url == post.url
        && row.title == post.title
        && row.body_hash == post.body_hash
        && (post.date.is_none() || row.published_at == post.date)
        && row.withdrawn_at.is_none() == post.is_published()
}

fn next_row(post: &Post, row: &EntryRow, now: Timestamp) -> EntryRow {
    let mut next = row.clone();
    next.id.clone_from(&post.id);
    next.path = post.path.to_string();
    next.url.clone_from(&post.url);
    next.title.clone_from(&post.title);
    next.published_at = post.date.or(row.published_at);
    if row.body_hash != post.body_hash {
        next.weight = None;
    }
    next.body_hash = post.body_hash;
    next.withdrawn_at = if post.is_published() { None } else { row.withdrawn_at.or(Some(now)) };
    next
}

/// Rows whose post is nowhere any more, or goes by another id.
fn left(posts: &[Post], ledger: &Ledger, matches: &HashMap<usize, &str>, now: Timestamp) -> Vec<EntryRow> {
    let ids: HashSet<&str> = posts.iter().map(|post| post.id.as_str()).collect();
    let replaced: HashSet<&str> = matches.values().copied().filter(|id| !ids.contains(id)).collect();
    let own: HashSet<&str> = posts.iter().filter(|post| post.own_id.is_some()).map(|post| &*post.path).collect();
    let mut left: Vec<EntryRow> = ledger
        .values()
        .filter(|row| !ids.contains(row.id.as_str()))
        .filter_map(|row| match row.withdrawn_at {
            _ if replaced.contains(row.id.as_str()) => Some(retired(row, now)),
            None if own.contains(row.path.as_str()) => Some(retired(row, now)),
            None => Some(EntryRow { withdrawn_at: Some(now), ..EntryRow::clone(row) }),
            Some(_) => None,
        })
        .collect();
    left.sort_by(|a, b| a.id.cmp(&b.id));
    left
}

fn retired(row: &EntryRow, now: Timestamp) -> EntryRow {
    let withdrawn_at = row.withdrawn_at.or(Some(now));
    EntryRow { path: String::new(), url: String::new(), withdrawn_at, ..row.clone() }
}

/// Pairs posts with rows, the surest signs first. A sign that two share on either side is no sign.
struct Matcher<'p, 'l> {
    posts: &'p [Post],
    ledger: &'l Ledger,
    found: HashMap<usize, &'l str>,
    used: HashSet<&'l str>,
}

impl<'p, 'l> Matcher<'p, 'l> {
    fn new(posts: &'p [Post], ledger: &'l Ledger) -> Self {
        Self { posts, ledger, found: HashMap::with_capacity(posts.len()), used: HashSet::with_capacity(ledger.len()) }
    }

    fn run(mut self) -> HashMap<usize, &'l str> {
        self.own_ids();
        self.pass(|p| (&*p.path, &*p.url, &*p.title), |r| (&*r.path, &*r.url, &*r.title));
        self.pass(|p| (&*p.path, p.body_hash), |r| (&*r.path, r.body_hash));
        // Before the place alone: where a post has been renamed, another may stand in its old place.
        self.pass(|p| p.body_hash, |r| r.body_hash);
        self.pass(|p| (&*p.path, &*p.url), |r| (&*r.path, &*r.url));
        self.pass(|p| &*p.url, |r| &*r.url);
        self.pass(|p| &*p.path, |r| &*r.path);
        self.pass(|p| (&*p.title, p.date), |r| (&*r.title, r.published_at));
        self.pass(|p| &*p.title, |r| &*r.title);
        self.found
    }

    fn own_ids(&mut self) {
        for (index, post) in self.posts.iter().enumerate() {
            let Some(row) = post.own_id.as_ref().and_then(|id| self.ledger.get(id)) else { continue };
            if self.used.insert(&row.id) {
                self.found.insert(index, &row.id);
            }
        }
    }

    fn pass<K: Hash + Eq>(&mut self, of_post: impl Fn(&'p Post) -> K, of_row: impl Fn(&'l EntryRow) -> K) {
        if self.found.len() == self.posts.len() || self.used.len() == self.ledger.len() {
            return;
        }
        let mut rows: HashMap<K, Lead<'l>> = HashMap::new();
        for row in self.ledger.values().filter(|row| !row.is_retired() && !self.used.contains(row.id.as_str())) {
            let lead = Lead { id: Some(&row.id), is_live: row.withdrawn_at.is_none() };
            rows.entry(of_row(row)).and_modify(|other| *other = other.or(lead)).or_insert(lead);
        }
        let mut posts: HashMap<K, Option<usize>> = HashMap::new();
        for (index, post) in self.posts.iter().enumerate().filter(|(index, _)| !self.found.contains_key(index)) {
            let key = of_post(post);
            if rows.contains_key(&key) {
                posts.entry(key).and_modify(|at| *at = None).or_insert(Some(index));
            }
        }
        for (key, index) in posts {
            if let (Some(index), Some(Lead { id: Some(id), .. })) = (index, rows.get(&key)) {
                self.found.insert(index, id);
                self.used.insert(id);
            }
        }
    }
}

/// The row that a sign leads to; none if there are two.
#[derive(Clone, Copy)]
struct Lead<'l> {
    id: Option<&'l str>,
    is_live: bool,
}

impl Lead<'_> {
    /// What was taken back speaks only where nothing else does.
    fn or(self, other: Self) -> Self {
        match (self.is_live, other.is_live) {
            (true, false) => self,
            (false, true) => other,
            _ => Self { id: None, ..self },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::post::Written;
    use proptest::prelude::*;

    fn post(path: &str, url: &str, title: &str, body: u128) -> Post {
        Post::published(Written {
            path: path.into(),
            url: url.into(),
            title: title.into(),
            date: Some("2021-05-07T00:00:00Z".parse().unwrap()),
            source_hash: body,
            body_hash: body,
            modified: Timestamp::UNIX_EPOCH,
            ..Written::sample()
        })
    }

    fn apply(ledger: &mut Ledger, rows: Vec<EntryRow>) {
        for row in rows {
            ledger.insert(row.id.clone(), row.into());
        }
    }

    fn now(day: i8) -> Timestamp {
        jiff::civil::date(2021, 6, day).in_tz("UTC").unwrap().timestamp()
    }

    #[test]
    fn an_entry_keeps_its_first_id_through_rename_re_date_and_edit() {
        let mut ledger = Ledger::new();
        let mut posts = [post("a.md", "https://x/a", "A", 1), post("b.md", "https://x/b", "B", 2)];
        let rows = attach(&mut posts, &ledger, now(1));
        assert!(rows.iter().all(|r| r.baseline));
        apply(&mut ledger, rows);
        for changed in [
            post("renamed.md", "https://x/renamed", "A", 1),
            post("renamed.md", "https://x/renamed", "A new title", 3),
            post("2021-06-01-z.md", "https://x/2021/z", "A new title", 4),
            post("2021-06-01-z.md", "https://x/2021/z", "Another", 5),
        ] {
            let mut posts = [changed, post("b.md", "https://x/b", "B", 2)];
            let rows = attach(&mut posts, &ledger, now(2));
            assert_eq!((posts[0].id.as_str(), posts[1].id.as_str()), ("https://x/a", "https://x/b"));
            assert_eq!(rows.len(), 1);
            apply(&mut ledger, rows);
        }
        assert_eq!(ledger.len(), 2);
    }

    #[test]
    fn a_new_post_at_an_old_address_gets_an_id_of_its_own() {
        let mut ledger = Ledger::new();
        let rows = attach(&mut [post("a.md", "https://x/a", "A", 1)], &ledger, now(1));
        apply(&mut ledger, rows);
        let rows = attach(&mut [post("moved.md", "https://x/moved", "A", 1)], &ledger, now(1));
        apply(&mut ledger, rows);
        let mut posts = [post("moved.md", "https://x/moved", "A", 1), post("a.md", "https://x/a", "New", 9)];
        let rows = attach(&mut posts, &ledger, now(2));
        assert_eq!((posts[0].id.as_str(), posts[1].id.as_str()), ("https://x/a", "https://x/a#2"));
        assert!(rows.iter().any(|r| r.id == "https://x/a#2" && !r.baseline));
    }

    #[test]
    fn the_front_matters_id_wins() {
        let mut ledger = Ledger::new();
        let rows = attach(&mut [post("a.md", "https://x/a", "A", 1)], &ledger, now(1));
        apply(&mut ledger, rows);
        let mut posts = [post("a.md", "https://x/a", "A", 1)];
        posts[0].own_id = Some("urn:x".into());
        let rows = attach(&mut posts, &ledger, now(2));
        assert_eq!(posts[0].id, "urn:x");
        assert!(rows.iter().any(|r| r.id == "urn:x" && r.first_seen == now(1)));
    }

    #[test]
    fn an_id_that_an_author_replaces_is_retired_at_once_and_one_that_is_taken_out_stays() {
        let mut ledger = Ledger::new();
        let mut posts = [post("a.md", "https://x/a", "A", 1)];
        for (day, own, id) in [
            (1, None, "https://x/a"),
            (2, Some("urn:x"), "urn:x"),
            (3, None, "urn:x"),
            (4, Some("urn:y"), "urn:y"),
            (5, Some("urn:x"), "urn:x"),
            (6, None, "urn:x"),
        ] {
            posts[0].own_id = own.map(str::to_owned);
            let rows = attach(&mut posts, &ledger, now(day));
            apply(&mut ledger, rows);
            assert_eq!(posts[0].id, id, "day {day}");
            assert_eq!(attach(&mut posts, &ledger, now(day)), [], "day {day}: nothing is left to be done");
            assert_eq!(ledger.values().filter(|row| row.withdrawn_at.is_none()).count(), 1, "day {day}");
        }
        let rows = attach(&mut [], &ledger, now(7));
        apply(&mut ledger, rows);
        let mut back = [post("a.md", "https://x/a", "A", 1), post("b.md", "https://x/a", "Another", 2)];
        attach(&mut back, &ledger, now(8));
        assert_eq!(back.map(|post| post.id), ["urn:x", "https://x/a#2"], "the retired one is nobody's");
    }

    #[test]
    fn an_author_s_id_is_no_other_post_s_in_whatever_order_they_come() {
        let mut posts = [post("a.md", "https://x/a", "A", 1), post("b.md", "https://x/b", "B", 2)];
        posts[1].own_id = Some("https://x/a".into());
        attach(&mut posts, &Ledger::new(), now(1));
        assert_eq!(posts.map(|post| post.id), ["https://x/a#2", "https://x/a"]);
    }

    #[test]
    fn a_post_that_makes_room_for_another_takes_its_id_along() {
        let mut ledger = Ledger::new();
        let rows = attach(&mut [post("a.md", "https://x/a", "A", 1)], &ledger, now(1));
        apply(&mut ledger, rows);
        let mut posts = [post("a.md", "https://x/a", "Another", 2), post("b.md", "https://x/b", "A", 1)];
        let rows = attach(&mut posts, &ledger, now(2));
        apply(&mut ledger, rows);
        assert_eq!(posts.each_ref().map(|post| post.id.as_str()), ["https://x/a#2", "https://x/a"]);
        // Written anew from the first word to the last, and nobody else has its text: it is the same post.
        let mut posts = [post("a.md", "https://x/a", "Rewritten", 3), post("b.md", "https://x/b", "A", 1)];
        attach(&mut posts, &ledger, now(3));
        assert_eq!(posts.map(|post| post.id), ["https://x/a#2", "https://x/a"]);
    }

    #[test]
    fn a_post_that_is_there_speaks_before_one_that_was_taken_back() {
        let mut ledger = Ledger::new();
        let mut posts = [post("x.md", "https://x/x", "Weekly", 1), post("y.md", "https://x/y", "Weekly", 2)];
        let rows = attach(&mut posts, &ledger, now(1));
        apply(&mut ledger, rows);
        let rows = attach(&mut posts[1..], &ledger, now(2));
        apply(&mut ledger, rows);
        let mut moved = [post("z.md", "https://x/z", "Weekly", 3)];
        attach(&mut moved, &ledger, now(3));
        assert_eq!(moved[0].id, "https://x/y");
    }

    #[test]
    fn what_is_gone_is_withdrawn_and_may_come_back() {
        let mut ledger = Ledger::new();
        let rows = attach(&mut [post("a.md", "https://x/a", "A", 1)], &ledger, now(1));
        apply(&mut ledger, rows);
        let rows = attach(&mut [], &ledger, now(2));
        assert_eq!(rows[0].withdrawn_at, Some(now(2)));
        apply(&mut ledger, rows);
        assert_eq!(attach(&mut [], &ledger, now(3)), []);
        let mut posts = [post("a.md", "https://x/a", "A", 1)];
        let rows = attach(&mut posts, &ledger, now(4));
        assert_eq!((rows[0].withdrawn_at, posts[0].id.as_str()), (None, "https://x/a"));
    }

    #[test]
    fn a_published_post_made_a_draft_is_withdrawn() {
        let mut ledger = Ledger::new();
        let rows = attach(&mut [post("a.md", "https://x/a", "A", 1)], &ledger, now(1));
        apply(&mut ledger, rows);
        let mut posts = [Post { state: State::Draft, ..post("a.md", "https://x/a", "A", 1) }];
        let rows = attach(&mut posts, &ledger, now(2));
        assert_eq!((posts[0].state, rows[0].withdrawn_at), (State::Withdrawn, Some(now(2))));
    }

    proptest! {
        /// Whatever is done to one post at a time, ids stay, and no two posts share one.
        #[test]
        fn ids_are_stable_over_any_history(edits in prop::collection::vec((0_usize..5, 0_u8..4), 0..40), order in any::<u64>()) {
            let mut posts: Vec<Post> = (0..5).map(|n| post(&format!("{n}.md"), &format!("https://x/{n}"), &format!("T{n}"), n)).collect();
            let mut ledger = Ledger::new();
            let rows = attach(&mut posts, &ledger, now(1));
            apply(&mut ledger, rows);
            let ids: Vec<String> = posts.iter().map(|p| p.id.clone()).collect();
            for (step, (which, what)) in edits.into_iter().enumerate() {
                let post = &mut posts[which];
                match what {
                    0 => post.path = format!("r{step}.md").into(),
                    1 => post.url = format!("https://x/r{step}"),
                    2 => post.body_hash = 100 + step as u128,
                    _ => post.title = format!("R{step}"),
                }
                let shift = usize::try_from(order % 5).unwrap();
                posts.rotate_left(shift);
                let rows = attach(&mut posts, &ledger, now(2));
                apply(&mut ledger, rows);
                posts.rotate_right(shift);
                prop_assert_eq!(posts.iter().map(|p| p.id.clone()).collect::<Vec<_>>(), ids.clone());
            }
        }
    }
}
