//! An edition as it would go out at an instant: its texts as a reader gets them, and what this very content is known by.
//! Knows the blog and the templates; whether it goes out is decided elsewhere.

use jiff::Timestamp;

use super::blog::Blog;
use super::editions::{self, Ingredients};
use crate::config::WhenEmpty;
use crate::domain::edition::{Edition, State};
use crate::domain::hash;
use crate::domain::period::Period;
use crate::domain::problem::Problem;
use crate::render::digest::{Content, Heading};
use crate::render::message::Recipient;
use crate::render::templates::Templates;

#[derive(Debug)]
pub struct Preview {
    pub what: Ingredients,
    /// As it would be frozen, the recipient's parts left open.
    pub edition: Edition,
    pub content: Content,
    /// There is nothing to say, and then nothing is sent.
    pub empty: bool,
    pub fingerprint: u128,
}

impl Preview {
    /// `machine_now` is what file ages are measured by.
    pub fn of(
        blog: &mut Blog,
        templates: &Templates,
        period: Period,
        now: Timestamp,
        machine_now: Timestamp,
    ) -> Result<Self, Box<Problem>> {
        let what = tokio::task::block_in_place(|| editions::gather(blog, period, now, machine_now));
        let content = editions::content(blog, Heading::Period(period), &what);
        let edition = editions::frozen(templates, period.into(), State::Open, &content, now)?;
        let empty = what.is_empty() && blog.config.digest.when_empty == WhenEmpty::Skip;
        let fingerprint = fingerprint(&edition, &content);
        Ok(Self { what, edition, content, empty, fingerprint })
    }
}

/// Nobody in the ledger: the links of a preview belong to no one.
#[must_use]
pub fn nobody(email: &str) -> Recipient<'_> {
    Recipient { subscriber: 0, email, name: None }
}

/// What is shown, and of which posts: if that is the same, so is what readers get.
#[must_use]
pub fn fingerprint(edition: &Edition, content: &Content) -> u128 {
    let ids: Vec<&str> = content.posts.iter().chain(&content.late).map(|post| post.id.as_str()).collect();
    let parts = [edition.subject.as_str(), &edition.text, &edition.html];
    let joined: Vec<u8> = parts.into_iter().chain(ids).flat_map(|part| [part.as_bytes(), b"\0"].concat()).collect();
    hash::of(&joined)
}
