//! Posts that are one in several languages: which of them stands for all, where there can be one only. Knows posts, and since when
//! readers have known each.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::identity::Ledger;
use super::post::Post;
use super::problem::Problem;

/// Of each work, the post that readers saw first stands for all; of those that came together, the one of the earliest date, and the
/// one in the site's own language. The others learn which that is. Two in one language are two posts.
pub fn mark(posts: &mut [Post], problems: &mut Vec<Problem>, ledger: &Ledger) {
    let seen = |post: &Post| ledger.get(&post.id).map_or(Timestamp::MAX, |row| row.first_seen);
    let rank = |post: &Post| {
        (!post.is_published(), seen(post), post.date.is_none(), post.date, post.language.is_some(), post.path.clone())
    };
    for mut work in works(posts) {
        work.sort_by_cached_key(|index| rank(&posts[*index]));
        let work = one_of_each_language(posts, work, problems);
        let original = Arc::clone(&posts[work[0]].written);
        for index in &work[1..] {
            posts[*index].original = Some(Arc::clone(&original));
        }
    }
}

/// The places of the posts of each work that has several.
fn works(posts: &[Post]) -> Vec<Vec<usize>> {
    let mut works: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, post) in posts.iter().enumerate() {
        if let Some(work) = &post.work {
            works.entry(work).or_default().push(index);
        }
    }
    works.into_values().filter(|work| work.len() > 1).collect()
}

/// Whatever is in a language that an earlier one has is a work of its own.
fn one_of_each_language(posts: &mut [Post], work: Vec<usize>, problems: &mut Vec<Problem>) -> Vec<usize> {
    let mut kept: Vec<usize> = Vec::with_capacity(work.len());
    for index in work {
        let twin = kept.iter().map(|other| &posts[*other]).find(|other| other.language == posts[index].language);
        let Some(twin) = twin.map(|other| Arc::clone(&other.path)) else {
            kept.push(index);
            continue;
        };
        let message =
            format!("is said to be `{twin}` in another language, and is in the same, so it is a post of its own");
        let problem = Problem::warning(&*posts[index].path, "translation", message).at(1, 1);
        problems.push(problem.hint("change `translationKey`, or the file's name"));
        posts[index].work = None;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::identity;
    use crate::domain::post::{State, Written};

    const EARLY: &str = "2021-05-07T00:00:00Z";
    const LATE: &str = "2021-05-09T00:00:00Z";

    fn post(path: &str, language: Option<&str>, date: &str) -> Post {
        let written = Written {
            path: path.into(),
            url: format!("https://a.example/{path}"),
            work: Some("w".into()),
            language: language.map(str::to_owned),
            date: Some(date.parse().unwrap()),
            ..Written::sample()
        };
        Post { id: written.url.clone(), ..Post::published(written) }
    }

    fn stand(mut posts: Vec<Post>, ledger: &Ledger) -> (Vec<String>, usize) {
        let mut problems = Vec::new();
        mark(&mut posts, &mut problems, ledger);
        (posts.iter().filter(|post| !post.is_translation()).map(|post| post.path.to_string()).collect(), problems.len())
    }

    #[test]
    fn the_one_that_came_first_stands_for_all() {
        let hidden = Post { state: State::Draft, ..post("a.md", None, EARLY) };
        for (posts, first) in [
            ([post("a.de.md", Some("de"), EARLY), post("a.md", None, EARLY)], "a.md"),
            ([post("a.md", None, LATE), post("a.de.md", Some("de"), EARLY)], "a.de.md"),
            ([hidden, post("a.de.md", Some("de"), LATE)], "a.de.md"),
        ] {
            assert_eq!(stand(posts.to_vec(), &Ledger::new()), (vec![first.to_owned()], 0));
        }
    }

    #[test]
    fn whom_readers_know_keeps_the_place_when_another_comes() {
        let posts = vec![post("a.md", None, EARLY), post("a.de.md", Some("de"), LATE)];
        let rows = identity::attach(&mut posts[1..].to_vec(), &Ledger::new(), LATE.parse().unwrap());
        let ledger: Ledger = rows.into_iter().map(|row| (row.id.clone(), Box::new(row))).collect();
        assert_eq!(stand(posts, &ledger).0, ["a.de.md"]);
    }

    #[test]
    fn two_in_one_language_are_two() {
        let posts = vec![post("a.md", None, EARLY), post("b.md", None, LATE), post("a.de.md", Some("de"), LATE)];
        assert_eq!(stand(posts, &Ledger::new()), (vec!["a.md".to_owned(), "b.md".to_owned()], 1));
    }
}
