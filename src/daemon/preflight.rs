//! Looks at an edition before it is opened, and tells the editors what keeps it back. Knows the blog and who would send;
//! what is wrong with a mail is decided in `domain::preflight`.

use std::collections::HashMap;

use jiff::Timestamp;

use super::blog::Blog;
use super::letters;
use super::sending::{self, Secrets};
use crate::config::Config;
use crate::domain::edition::{Edition, EditionKey};
use crate::domain::hash;
use crate::domain::preflight::{Finding, Mail, Reach, Surroundings, inspect};
use crate::render::digest::Content;
use crate::render::letter::{Frame, letter};
use crate::render::message::{Recipient, Sender, compose, texts, unsubscribe_link};
use crate::render::preflight::words;
use crate::render::templates::Templates;
use crate::store::{SharedStore, StoreError};

/// A reader who is none: what they would get is looked at.
const NOBODY: Recipient<'static> = Recipient { subscriber: 0, email: "reader@example.org", name: None };

/// What is to be said of an edition, the worst first.
#[must_use]
pub fn findings(blog: &Blog, edition: &Edition, content: &Content) -> Vec<Finding> {
    let sender = match sending::sender(&blog.config, &blog.site, Secrets::none()) {
        Ok(sender) => sender,
        Err(error) => return vec![Finding::red("sender", format!("{error:#}"), "nothing can be sent without it")],
    };
    match inspected(blog, &sender, edition, content) {
        Ok(found) => found,
        Err(error) => vec![Finding::red("message", error.to_string(), "no message can be made of it")],
    }
}

fn inspected(
    blog: &Blog,
    sender: &Sender,
    edition: &Edition,
    content: &Content,
) -> Result<Vec<Finding>, crate::render::message::MessageError> {
    let config = &blog.config;
    let written = texts(sender, edition, NOBODY)?;
    let message = compose(sender, edition, NOBODY)?;
    let whole = String::from_utf8_lossy(&message.bytes);
    let unsubscribe = unsubscribe_link(sender, NOBODY.subscriber, edition.opened_at)?;
    let mail = Mail {
        subject: &edition.subject,
        text: &written.text,
        html: &written.html,
        head: whole.split("\r\n\r\n").next().unwrap_or_default(),
        unsubscribe: &unsubscribe,
    };
    let addresses = Addresses::of(blog);
    let around = Surroundings {
        site_url: config.site.url.trim_end_matches('/'),
        pages_url: config.public_url(),
        postal_address: &content.postal_address,
        leaves: !config.smtp.is_empty(),
        braces: has_braces(content),
        reach: &|link| addresses.reach(link),
    };
    Ok(inspect(&mail, &around))
}

/// Whether what people wrote holds what a template leaves behind when it fails.
fn has_braces(content: &Content) -> bool {
    let own = serde_json::to_string(&Content { subject: String::new(), ..content.clone() }).unwrap_or_default();
    own.contains("{{") || own.contains("{%")
}

/// The addresses that the blog knows of itself.
struct Addresses<'a> {
    posts: HashMap<&'a str, bool>,
    pages: String,
    site: &'a str,
    feeds: Vec<String>,
}

/// The daemon's pages that a mail, or an old address, may lead to.
pub(super) const PAGES: [&str; 5] = ["subscribe", "goal", "editions", "preferences", "unsubscribe"];

impl<'a> Addresses<'a> {
    fn of(blog: &'a Blog) -> Self {
        let posts = blog.catalogue.posts.iter().map(|post| (post.url.as_str(), post.is_published()));
        let feeds = blog.config.feeds_url();
        Self {
            posts: posts.collect(),
            pages: blog.config.public_url().to_owned(),
            site: blog.config.site.url.trim_end_matches('/'),
            feeds: blog.output_paths().map(|path| format!("{feeds}/{path}")).collect(),
        }
    }

    fn reach(&self, link: &str) -> Reach {
        let page = link.split('#').next().unwrap_or(link);
        let bare = page.split('?').next().unwrap_or(page);
        match self.posts.get(page).or_else(|| self.posts.get(bare)) {
            Some(true) => return Reach::Shown,
            Some(false) => return Reach::Unpublished,
            None => {}
        }
        let is_front = [self.site, &self.pages].contains(&bare.trim_end_matches('/'));
        let name = bare.strip_prefix(&self.pages).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
        let is_page = PAGES.contains(&name.split('/').next().unwrap_or_default());
        if is_front || is_page || self.feeds.iter().any(|feed| feed == bare) { Reach::Shown } else { Reach::Unknown }
    }
}

/// Writes to the editors what keeps an edition back: once for each set of findings.
pub async fn tell_editors(
    config: &Config,
    title: &str,
    store: &SharedStore,
    templates: &Templates,
    key: EditionKey,
    found: &[Finding],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let to = letters::editors(config);
    if to.is_empty() {
        return Ok(false);
    }
    let (site_url, language) = (config.site.url.trim_end_matches('/'), config.site.language.as_str());
    let words = words(templates.languages().get(language), title, key, found);
    let written = letter(templates, &Frame { title, site_url, language }, &words)
        .map_err(|problem| StoreError::Other(format!("the letter to editors cannot be written: {problem}")))?;
    let all: Vec<String> = found.iter().map(ToString::to_string).collect();
    let name = format!("preflight/{key}/{:016x}", hash::of(all.join("\n").as_bytes()) & u128::from(u64::MAX));
    store.write_letter(&letters::letter(name, written, now), &to, None).await
}
