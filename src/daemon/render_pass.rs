//! Which posts' bodies are needed, and rendering those that are not at hand, on all cores. Keeps what readers see now,
//! so that a post that breaks keeps its last good text.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
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
    /// Without its HTML while that is packed.
    body: Arc<Body>,
    packed: Option<Packed>,
}

impl Rendered {
    /// HTML is most of what a large blog's daemon has in memory, and asked for only when a feed is written.
    fn pack(&mut self) {
        self.packed = self.packed.take().or_else(|| Packed::new(&self.body.html));
        if self.packed.is_some() {
            Arc::make_mut(&mut self.body).html = String::new();
        }
    }

    fn is_away(&self) -> bool {
        self.packed.is_some() && self.body.html.is_empty()
    }

    /// The packed text stays, so that packing again costs nothing. If it does not come back as it was, nothing changes.
    fn unpack(&mut self) {
        if let Some(html) = self.packed.as_ref().and_then(Packed::text) {
            Arc::make_mut(&mut self.body).html = html;
        }
    }
}

/// A text, compressed.
#[derive(Debug)]
struct Packed {
    bytes: Box<[u8]>,
    length: usize,
}

impl Packed {
    /// `None` if there is nothing to be won.
    fn new(text: &str) -> Option<Self> {
        const QUICKLY: i32 = 3;
        // What is no larger is tried again after each pass, and hardly ever won.
        const LITTLE: usize = 256;
        if text.len() <= LITTLE {
            return None;
        }
        let bytes = zstd::bulk::compress(text.as_bytes(), QUICKLY).ok()?;
        (bytes.len() < text.len()).then(|| Self { bytes: bytes.into(), length: text.len() })
    }

    fn text(&self) -> Option<String> {
        String::from_utf8(zstd::bulk::decompress(&self.bytes, self.length).ok()?).ok()
    }
}

/// Whether what is rendered is about to be read, or to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Use,
    Keep,
}

/// Of no body.
const NONE: u128 = 0;

/// What one body is made from, beside the site's rules.
#[must_use]
pub fn version(post: &Post, links: u128) -> u128 {
    let links = if post.refers { links } else { 0 };
    Hasher::default().number(post.source_hash).field(post.url.as_bytes()).number(links).finish()
}

/// Changes when any post's name or address does. A sum, so that the posts' order does not matter.
#[must_use]
pub fn links_version(catalogue: &Catalogue) -> u128 {
    let one = |post: &Post| Hasher::default().field(post.path.as_bytes()).field(post.url.as_bytes()).finish();
    catalogue.posts.iter().map(one).fold(catalogue.posts.len() as u128, u128::wrapping_add)
}

/// What posts are rendered with.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    pub site: &'a Site,
    pub links: &'a LinkIndex,
    pub links_version: u128,
}

impl Bodies {
    /// Renders those of `wanted` that are missing or out of date. A file that has changed under our feet keeps its old
    /// body, if there is one; the next scan brings the new one.
    pub fn render(&mut self, posts: &[Post], wanted: &[usize], around: Around<'_>, purpose: Purpose) {
        let Around { site, links, links_version } = around;
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
                let (version, source_hash) = (*version, post.source_hash);
                let mut rendered = Rendered { version, source_hash, body, packed: None };
                if purpose == Purpose::Keep {
                    rendered.pack();
                }
                Some((Arc::clone(&post.path), rendered))
            })
            .collect();
        self.0.extend(made);
        if purpose == Purpose::Use {
            self.unpack(posts, wanted);
        }
    }

    /// A few of thousands, at every save: they are taken out to be worked at all at once.
    pub fn unpack(&mut self, posts: &[Post], wanted: &[usize]) {
        let paths = wanted.iter().filter_map(|index| posts.get(*index)).map(|post| &post.path);
        let take = |path| self.0.get(path).is_some_and(Rendered::is_away).then(|| self.0.remove_entry(path));
        let mut away: Vec<_> = paths.filter_map(take).flatten().collect();
        away.par_iter_mut().for_each(|(_, have)| have.unpack());
        self.0.extend(away);
    }

    /// What is known of a post's text; its HTML is there from when it was rendered to be used until all is packed.
    #[must_use]
    pub fn get(&self, post: &Post) -> Option<&Arc<Body>> {
        self.0.get(&post.path).map(|have| &have.body)
    }

    /// The body, if it was made from the same file as the post's title, date and tags were, and its HTML is there.
    #[must_use]
    pub fn of_one_piece(&self, post: &Post) -> Option<&Arc<Body>> {
        let have = self.0.get(&post.path)?;
        (have.source_hash == post.source_hash && !have.is_away()).then_some(&have.body)
    }

    /// Whether the body at hand is the post's newest.
    #[must_use]
    pub fn is_current(&self, post: &Post, links_version: u128) -> bool {
        self.0.get(&post.path).is_some_and(|have| have.version == version(post, links_version))
    }

    /// Forgets everything but these posts: memory is for what readers see.
    pub fn keep_only(&mut self, posts: &[Post], wanted: &HashSet<usize>) {
        let paths: HashSet<&str> = wanted.iter().filter_map(|i| posts.get(*i)).map(|p| &*p.path).collect();
        self.0.retain(|path, _| paths.contains(&**path));
    }

    /// Packs what was rendered to be used, and has been.
    pub fn pack(&mut self) {
        let used: Vec<&mut Rendered> = self.0.values_mut().filter(|have| !have.is_away()).collect();
        used.into_par_iter().for_each(Rendered::pack);
    }

    /// The rules have changed: nothing is current any more. It stays for posts whose files can be read no more.
    pub fn doubt(&mut self) {
        self.0.values_mut().for_each(|have| have.version = NONE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back_as_it_was() {
        let body = |html: String| Arc::new(Body { html, words: 7, ..Body::default() });
        for html in [String::new(), "<p>x</p>".to_owned(), "<p>« a & b »</p>\n".repeat(999)] {
            let mut rendered = Rendered { version: 1, source_hash: 2, body: body(html.clone()), packed: None };
            for _ in 0..2 {
                rendered.pack();
                assert_eq!(rendered.is_away(), html.len() > 100, "{html}");
                rendered.unpack();
                assert_eq!(rendered.body, body(html.clone()));
            }
        }
    }
}
