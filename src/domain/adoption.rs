//! Moving in: the entries of a feed that was there before, and which post each of them is. Readers know entries by their
//! ids, so a post takes over the id it had. Knows the documents, the posts and the ledger; changes nothing itself.

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};
use jiff::Timestamp;
use url::Url;

use super::feed_document::{Entry, FeedDocument};
use super::identity::{EntryRow, Ledger};
use super::post::Post;

/// What an old feed comes to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Adoption {
    /// The id an entry has in the ledger, and what it is from now on.
    pub rows: Vec<(String, EntryRow)>,
    /// How many posts take an id over, and how many had the same already.
    pub adopted: usize,
    pub same: usize,
    /// Posts that were not in the feed, and get ids of the same make.
    pub derived: usize,
    /// Entries no post was found for.
    pub lost: Vec<Entry>,
    /// Ids that cannot be taken over: what, and what to do.
    pub refused: Vec<(String, &'static str)>,
}

/// Whom each entry of `documents` belongs to. `ledger` has a row for each published post.
#[must_use]
pub fn adopt(documents: &[FeedDocument], posts: &[Post], ledger: &Ledger) -> Adoption {
    let published: Vec<&Post> = posts.iter().filter(|post| post.is_published()).collect();
    let entries: Vec<&Entry> = documents.iter().flat_map(|document| &document.entries).collect();
    let mut out = Adoption::default();
    let entries = distinct(&entries, &mut out);
    let found = matched(&entries, &published);
    let mut wanted: BTreeMap<String, (&Post, Option<&Entry>)> = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        match found.get(&at) {
            Some(post) => {
                wanted.insert(entry.known_by().to_owned(), (post, Some(entry)));
            }
            None => out.lost.push((*entry).clone()),
        }
    }
    let taken: HashSet<&str> = found.values().map(|post| &*post.path).collect();
    if let Some(make) = Make::of(&wanted) {
        for post in published.iter().filter(|post| !taken.contains(&*post.path)) {
            let Some(id) = make.apply(&post.url).filter(|id| !wanted.contains_key(id)) else { continue };
            wanted.insert(id, (post, None));
        }
    }
    settle(wanted, ledger, &mut out);
    out
}

/// The entries that have an id, each id once; a document and its archives may overlap.
fn distinct<'a>(entries: &[&'a Entry], out: &mut Adoption) -> Vec<&'a Entry> {
    let mut by_id: HashMap<&str, &Entry> = HashMap::new();
    let mut kept = Vec::new();
    for entry in entries.iter().filter(|entry| !entry.known_by().is_empty()) {
        match by_id.get(entry.known_by()) {
            None => {
                by_id.insert(entry.known_by(), entry);
                kept.push(*entry);
            }
            Some(first) if first.url == entry.url || first.title == entry.title => {}
            Some(first) => out.refused.push((
                format!("`{}` and `{}` share the id `{}` in the feed", first.title, entry.title, entry.known_by()),
                "readers show one of them; give the second an `id` of its own in its front matter",
            )),
        }
    }
    kept
}

/// What an entry and its post may have in common, the surest first.
#[derive(Debug, Clone, Copy)]
enum Sign {
    OwnId,
    Address,
    Place,
    PlaceInId,
    TitleAndDay,
    Title,
}

const SIGNS: [Sign; 6] = [Sign::OwnId, Sign::Address, Sign::Place, Sign::PlaceInId, Sign::TitleAndDay, Sign::Title];

fn of_entry(sign: Sign, entry: &Entry) -> Option<String> {
    match sign {
        Sign::OwnId => entry.id.clone(),
        Sign::Address => entry.url.clone(),
        Sign::Place => entry.url.as_deref().and_then(place),
        Sign::PlaceInId => entry.id.as_deref().and_then(place),
        Sign::TitleAndDay => titled(&entry.title, Some(entry.published.or(entry.updated)?)),
        Sign::Title => titled(&entry.title, None),
    }
}

fn of_post(sign: Sign, post: &Post) -> Option<String> {
    match sign {
        Sign::OwnId => post.own_id.clone(),
        Sign::Address => Some(post.url.clone()),
        Sign::Place | Sign::PlaceInId => place(&post.url),
        Sign::TitleAndDay => titled(&post.title, Some(post.date?)),
        Sign::Title => titled(&post.title, None),
    }
}

fn titled(title: &str, date: Option<Timestamp>) -> Option<String> {
    let title: String = title.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let day = date.map(|date| date.as_second().div_euclid(86_400));
    (!title.is_empty()).then(|| format!("{title} {day:?}"))
}

/// Pairs entries with posts, the surest sign first. A sign that two share on either side is no sign.
fn matched<'p>(entries: &[&Entry], posts: &[&'p Post]) -> HashMap<usize, &'p Post> {
    let mut found: HashMap<usize, &'p Post> = HashMap::new();
    let mut used: HashSet<&str> = HashSet::new();
    for sign in SIGNS {
        let mut left: HashMap<String, Option<&'p Post>> = HashMap::new();
        for post in posts.iter().copied().filter(|post| !used.contains(&*post.path)) {
            let Some(sign) = of_post(sign, post) else { continue };
            left.entry(sign).and_modify(|other| *other = None).or_insert(Some(post));
        }
        let mut right: HashMap<String, Option<usize>> = HashMap::new();
        for (at, entry) in entries.iter().enumerate().filter(|(at, _)| !found.contains_key(at)) {
            let Some(sign) = of_entry(sign, entry) else { continue };
            right.entry(sign).and_modify(|other| *other = None).or_insert(Some(at));
        }
        for (sign, at) in right {
            if let (Some(at), Some(Some(post))) = (at, left.get(&sign)) {
                found.insert(at, post);
                used.insert(&post.path);
            }
        }
    }
    found
}

/// Where an address leads, whatever the host is called and however a server lets its pages be written.
fn place(address: &str) -> Option<String> {
    let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let path = url.path().to_lowercase();
    let path = path.strip_suffix("index.html").unwrap_or(&path);
    let path = path.strip_suffix(".html").unwrap_or(path).trim_end_matches('/');
    // `?p=123` is the whole address of a post in some systems.
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    (!path.is_empty() || !query.is_empty()).then(|| format!("{path}{query}"))
}

/// How an old generator made ids of addresses, if it did.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Make {
    /// `https://blog.dask.org`
    origin: String,
    ending: Ending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Same,
    WithoutHtml,
    WithoutSlash,
    WithSlash,
}

impl Make {
    /// The one way in which all ids are made, if there are some and they agree.
    fn of(wanted: &BTreeMap<String, (&Post, Option<&Entry>)>) -> Option<Self> {
        let (first, (post, _)) = wanted.iter().next()?;
        let origin = origin(first)?;
        [Ending::Same, Ending::WithoutHtml, Ending::WithoutSlash, Ending::WithSlash]
            .map(|ending| Self { origin: origin.clone(), ending })
            .into_iter()
            .filter(|make| make.apply(&post.url).as_ref() == Some(first))
            .find(|make| wanted.iter().all(|(id, (post, _))| make.apply(&post.url).as_ref() == Some(id)))
    }

    fn apply(&self, address: &str) -> Option<String> {
        let path = address.strip_prefix(origin(address)?.as_str())?;
        let path = match self.ending {
            Ending::Same => path.to_owned(),
            Ending::WithoutHtml => path.strip_suffix(".html")?.to_owned(),
            Ending::WithoutSlash => path.strip_suffix('/')?.to_owned(),
            Ending::WithSlash if path.ends_with('/') => return None,
            Ending::WithSlash => format!("{path}/"),
        };
        Some(format!("{}{path}", self.origin))
    }
}

fn origin(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"))?;
    Some(format!("{scheme}://{}", rest.split('/').next().unwrap_or_default()))
}

/// What the ledger is to say, where nothing speaks against it.
fn settle(wanted: BTreeMap<String, (&Post, Option<&Entry>)>, ledger: &Ledger, out: &mut Adoption) {
    let leaving: HashSet<&str> = wanted.values().map(|(post, _)| post.id.as_str()).collect();
    for (id, (post, entry)) in wanted {
        let Some(row) = ledger.get(&post.id).map(AsRef::as_ref) else { continue };
        if let Some(own) = post.own_id.as_ref().filter(|own| **own != id) {
            if entry.is_some() {
                let message = format!("`{}` has the id `{own}` in its front matter and `{id}` in the feed", post.path);
                out.refused.push((message, "take `id` out of the front matter, or let it name the feed's"));
            }
            continue;
        }
        if let Some(other) = ledger.get(&id).filter(|other| other.id != post.id && !leaving.contains(other.id.as_str()))
        {
            let message = format!("`{}` and `{}` would share the id `{id}`", other.path, post.path);
            out.refused.push((message, "give one of them an `id` of its own in its front matter"));
            continue;
        }
        let date = entry.and_then(|entry| entry.updated).filter(|at| row.published_at.is_none_or(|date| *at > date));
        let next = EntryRow { id: id.clone(), updated_at: date.or(row.updated_at), ..row.clone() };
        match (entry.is_some(), next == *row) {
            (true, true) => out.same += 1,
            (true, false) => out.adopted += 1,
            (false, true) => {}
            (false, false) => out.derived += 1,
        }
        if next != *row {
            out.rows.push((post.id.clone(), next));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::feed_format::Format;
    use crate::domain::identity::attach;
    use crate::domain::post::Written;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn entry(id: Option<&str>, url: &str, title: &str, day: &str) -> Entry {
        Entry {
            id: id.map(str::to_owned),
            url: Some(url.to_owned()),
            title: title.to_owned(),
            published: Some(at(&format!("{day}T10:00:00Z"))),
            updated: None,
            line: 1,
        }
    }

    fn feed(entries: Vec<Entry>) -> FeedDocument {
        FeedDocument {
            format: Format::Atom,
            title: "Notes".into(),
            self_link: None,
            page: None,
            previous: None,
            hubs: vec![],
            entries,
        }
    }

    fn post(name: &str, day: &str) -> Post {
        let slash = day.replace('-', "/");
        Post::published(Written {
            path: format!("_posts/{day}-{name}.md").into(),
            url: format!("https://new.example/{slash}/{name}.html"),
            title: name.to_owned(),
            date: Some(at(&format!("{day}T00:00:00Z"))),
            body_hash: crate::domain::hash::of(name.as_bytes()),
            ..Written::sample()
        })
    }

    fn known(posts: &mut [Post]) -> Ledger {
        attach(posts, &Ledger::new(), at("2022-01-01T00:00:00Z"))
            .into_iter()
            .map(|row| (row.id.clone(), row.into()))
            .collect()
    }

    fn ids(adoption: &Adoption) -> Vec<(&str, &str)> {
        let mut ids: Vec<_> = adoption.rows.iter().map(|(_, row)| (row.title.as_str(), row.id.as_str())).collect();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn posts_take_over_the_ids_they_had_and_the_others_get_such_ids() {
        let mut posts = [post("one", "2021-05-07"), post("two", "2021-06-07"), post("old", "2019-01-01")];
        let ledger = known(&mut posts);
        let old = feed(vec![
            entry(
                Some("https://old.example/2021/06/07/two"),
                "https://old.example/2021/06/07/two.html",
                "Two",
                "2021-06-07",
            ),
            entry(
                Some("https://old.example/2021/05/07/one"),
                "https://old.example/2021/05/07/one.html",
                "One",
                "2021-05-07",
            ),
        ]);
        let adoption = adopt(&[old], &posts, &ledger);
        assert_eq!(
            ids(&adoption),
            [
                ("old", "https://old.example/2019/01/01/old"),
                ("one", "https://old.example/2021/05/07/one"),
                ("two", "https://old.example/2021/06/07/two"),
            ]
        );
        assert_eq!((adoption.adopted, adoption.derived, adoption.lost.len()), (2, 1, 0));
    }

    #[test]
    fn ids_without_a_pattern_are_taken_as_they_are_and_nothing_is_made_up() {
        let mut posts = [post("one", "2021-05-07"), post("two", "2021-06-07"), post("old", "2019-01-01")];
        let ledger = known(&mut posts);
        let old = feed(vec![
            entry(Some("urn:uuid:1"), "http://old.example/?p=1", "One!", "2021-05-07"),
            entry(Some("tag:x,2021:2"), "https://new.example/2021/06/07/two/", "Renamed", "2021-06-07"),
            entry(None, "https://old.example/gone", "Gone", "2020-01-01"),
        ]);
        let adoption = adopt(&[old], &posts, &ledger);
        assert_eq!(ids(&adoption), [("one", "urn:uuid:1"), ("two", "tag:x,2021:2")]);
        assert_eq!(adoption.lost.iter().map(|e| e.title.as_str()).collect::<Vec<_>>(), ["Gone"]);
    }

    #[test]
    fn two_posts_that_would_share_an_id_are_refused_with_both_names() {
        let mut posts = [post("one", "2021-05-07"), post("two", "2021-06-07")];
        posts[1].own_id = Some("urn:x".into());
        let ledger = known(&mut posts);
        let shared = feed(vec![entry(Some("urn:x"), &posts[0].url.clone(), "one", "2021-05-07")]);
        // The id is the other's in its front matter, which is the surest sign; the address says otherwise.
        let adoption = adopt(&[shared], &posts, &ledger);
        assert_eq!(ids(&adoption), []);
        let twice = feed(vec![
            entry(Some("same"), &posts[0].url.clone(), "one", "2021-05-07"),
            entry(Some("same"), &posts[1].url.clone(), "two", "2021-06-07"),
        ]);
        let adoption = adopt(&[twice], &posts, &ledger);
        assert!(adoption.refused[0].0.contains("`one` and `two` share the id `same`"), "{:?}", adoption.refused);
        let mut ledger = ledger;
        let other =
            EntryRow { id: "theirs".into(), path: "_posts/third.md".into(), ..EntryRow::clone(&ledger[&posts[0].id]) };
        ledger.insert("theirs".into(), other.into());
        let theirs = feed(vec![entry(Some("theirs"), &posts[0].url.clone(), "one", "2021-05-07")]);
        let adoption = adopt(&[theirs], &posts, &ledger);
        assert!(
            adoption.refused[0].0.contains("`_posts/third.md` and `_posts/2021-05-07-one.md`"),
            "{:?}",
            adoption.refused
        );
        assert_eq!(ids(&adoption), []);
    }

    #[test]
    fn titles_help_only_where_they_are_the_only_ones() {
        let mut posts = [post("news", "2021-05-07"), post("news", "2021-05-07")];
        (posts[1].path, posts[1].url) = ("_posts/b.md".into(), "https://new.example/b".into());
        posts[1].body_hash = 9;
        let ledger = known(&mut posts);
        let old = feed(vec![entry(Some("urn:1"), "https://old.example/x", "News", "2021-05-07")]);
        let adoption = adopt(&[old], &posts, &ledger);
        assert_eq!((ids(&adoption).len(), adoption.lost.len()), (0, 1));
    }

    #[test]
    fn what_is_taken_over_twice_changes_nothing() {
        let mut posts = [post("one", "2021-05-07")];
        let mut ledger = known(&mut posts);
        let old = || feed(vec![entry(Some("urn:1"), "https://old.example/2021/05/07/one", "One", "2021-05-07")]);
        let first = adopt(&[old()], &posts, &ledger);
        for (before, row) in first.rows {
            ledger.remove(&before);
            ledger.insert(row.id.clone(), row.into());
        }
        posts[0].id = "urn:1".into();
        let second = adopt(&[old()], &posts, &ledger);
        assert_eq!((second.rows.len(), second.same), (0, 1));
    }
}
