//! Which posts' bodies are needed, and rendering those that are not at hand, on all cores. Keeps what readers see now,
//! so that a post that breaks keeps its last good text.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;

use crate::domain::body::{Body, Surroundings, render};
use crate::domain::catalogue::{Catalogue, LinkIndex};
use crate::domain::hash::Hasher;
use crate::domain::post::Post;
use crate::scan::{self, Site};

/// Rendered bodies by path.
#[derive(Debug, Default)]
pub struct Bodies(HashMap<Arc<str>, Rendered>);

#[derive(Debug)]
struct Rendered {
    /// Of everything it was made from.
    version: u128,
    /// Of the file alone.
    source_hash: u128,
    body: Arc<Body>,
}

/// What one body is made from, beside the site's rules.
#[must_use]
pub fn version(post: &Post, links: u128) -> u128 {
    let links = if post.refers { links } else { 0 };
    Hasher::default().number(post.source_hash).field(post.url.as_bytes()).number(links).finish()
}

/// Changes when any post's name or address does.
#[must_use]
pub fn links_version(catalogue: &Catalogue) -> u128 {
    let mut all: Vec<(&str, &str)> = catalogue.posts.iter().map(|p| (&*p.path, p.url.as_str())).collect();
    all.sort_unstable();
    all.into_iter().fold(Hasher::default(), |h, (path, url)| h.field(path.as_bytes()).field(url.as_bytes())).finish()
}

impl Bodies {
    /// Renders those of `wanted` that are missing or out of date. A file that has changed under our feet keeps its old
    /// body, if there is one; the next scan brings the new one.
    pub fn render(&mut self, site: &Site, posts: &[Post], wanted: &[usize], links: &LinkIndex, links_version: u128) {
        let around = Surroundings { rules: &site.rules, includes: &site.includes, links };
        let missing: Vec<(&Post, u128)> = wanted
            .iter()
            .filter_map(|index| posts.get(*index))
            .map(|post| (post, version(post, links_version)))
            .filter(|(post, version)| self.0.get(&post.path).is_none_or(|have| have.version != *version))
            .collect();
        let made: Vec<_> = missing
            .par_iter()
            .filter_map(|(post, version)| {
                let text = scan::text(site, site.relative(&post.path), post.source_hash)?;
                let body = Arc::new(render(post, &text, around));
                Some((Arc::clone(&post.path), Rendered { version: *version, source_hash: post.source_hash, body }))
            })
            .collect();
        self.0.extend(made);
    }

    #[must_use]
    pub fn get(&self, post: &Post) -> Option<&Arc<Body>> {
        self.0.get(&post.path).map(|have| &have.body)
    }

    /// The body, if it was made from the same file as the post's title, date and tags were.
    #[must_use]
    pub fn of_one_piece(&self, post: &Post) -> Option<&Arc<Body>> {
        self.0.get(&post.path).filter(|have| have.source_hash == post.source_hash).map(|have| &have.body)
    }

    /// Whether the body at hand is the post's newest.
    #[must_use]
    pub fn is_current(&self, post: &Post, links_version: u128) -> bool {
        self.0.get(&post.path).is_some_and(|have| have.version == version(post, links_version))
    }

    /// Forgets everything but these posts: memory is for what readers see.
    pub fn keep_only(&mut self, posts: &[Post], wanted: &std::collections::HashSet<usize>) {
        let paths: std::collections::HashSet<&str> =
            wanted.iter().filter_map(|i| posts.get(*i)).map(|p| &*p.path).collect();
        self.0.retain(|path, _| paths.contains(&**path));
    }

    /// The rules have changed: nothing is current any more.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
