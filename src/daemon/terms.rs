//! What readers can choose from: tags and authors, by how much they are used. Knows posts, no readers.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use crate::domain::post::Post;

/// The tags and authors of what is published, those with the most posts first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    pub tags: Vec<String>,
    pub authors: Vec<String>,
}

impl Terms {
    pub fn of<'a>(posts: impl Iterator<Item = &'a Post>) -> Self {
        let (mut tags, mut authors) = (Spellings::new(), Spellings::new());
        for post in posts {
            for tag in &post.tags {
                *tags.entry(tag.to_lowercase()).or_default().entry(tag).or_default() += 1;
            }
            for author in &post.authors {
                *authors.entry(author.name.to_lowercase()).or_default().entry(&author.name).or_default() += 1;
            }
        }
        Self { tags: by_count(&tags), authors: by_count(&authors) }
    }
}

/// How often each spelling of a name is used: `Python` and `python` are one tag to readers.
type Spellings<'a> = HashMap<String, BTreeMap<&'a str, u32>>;

/// Each in the spelling that is used most.
fn by_count(spellings: &Spellings<'_>) -> Vec<String> {
    let usual = |spellings: &BTreeMap<&str, u32>| {
        let (name, _) = spellings.iter().rev().max_by_key(|(_, n)| **n)?;
        Some(((*name).to_owned(), spellings.values().sum::<u32>()))
    };
    let mut counts: Vec<(String, u32)> = spellings.values().filter_map(usual).collect();
    counts.sort_by(|(a, n), (b, m)| m.cmp(n).then_with(|| a.cmp(b)));
    counts.into_iter().map(|(name, _)| name).collect()
}
