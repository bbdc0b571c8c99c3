//! `gazetted adopt`: takes over the ids of the feed the blog had before, so that no reader sees an old post as new.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use tracing::warn;
use url::Url;

use super::error::Failure;
use super::{Done, feed_source, open, print};
use crate::config::Config;
use crate::daemon::web::Web;
use crate::domain::adoption::Adoption;
use crate::domain::feed_document::{self, FeedDocument};
use crate::domain::wording;

/// How many archives of a feed are followed.
const PAGES: usize = 200;
/// How many entries without a post are named.
const SHOWN: usize = 10;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: gazetted adopt _site/feed.xml\n         gazetted adopt https://blog.example.org/feed.xml --dry-run"
)]
pub struct Arguments {
    /// The feed as it is now: RSS, Atom or JSON Feed; an address's archives (RFC 5005) are read as well
    #[arg(required = true, value_name = "FILE-OR-URL")]
    feeds: Vec<String>,
    /// Say what would happen, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Facts as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Facts<'a> {
    entries: usize,
    adopted: usize,
    same: usize,
    derived: usize,
    without_post: Vec<&'a str>,
    refused: Vec<&'a str>,
}

pub async fn run(config: Option<&Path>, given: &Arguments) -> Done {
    let config = open::config(config)?;
    let documents = documents(&given.feeds, &config.site.url).await?;
    let adoption = take(&config, &documents, given.dry_run).await?;
    if given.json {
        print::json(&Facts {
            entries: documents.iter().map(|document| document.entries.len()).sum(),
            adopted: adoption.adopted,
            same: adoption.same,
            derived: adoption.derived,
            without_post: adoption.lost.iter().map(|entry| entry.title.as_str()).collect(),
            refused: adoption.refused.iter().map(|(message, _)| message.as_str()).collect(),
        })?;
    } else {
        print::text(&told(&adoption, given.dry_run))?;
    }
    if adoption.refused.is_empty() { Ok(()) } else { Err(Failure::Quiet) }
}

/// Reads each of these feeds, and what they continue in. A file does not say where it stood: its relative addresses go by the
/// site's.
pub async fn documents(feeds: &[String], site_url: &str) -> Result<Vec<FeedDocument>, Failure> {
    let (mut documents, site) = (Vec::new(), Url::parse(site_url).ok());
    for feed in feeds {
        if feed_source::is_address(feed) {
            documents.extend(from_address(feed).await?);
        } else {
            documents.push(read(feed, &feed_source::file(feed)?, site.as_ref())?);
        }
    }
    Ok(documents)
}

fn read(name: &str, bytes: &[u8], base: Option<&Url>) -> Result<FeedDocument, Failure> {
    let mut document = feed_document::read(bytes, base)
        .map_err(|error| Failure::failed(format!("`{name}`: {error}"), error.hint()))?;
    document.self_link.get_or_insert_with(|| name.to_owned());
    Ok(document)
}

async fn from_address(address: &str) -> Result<Vec<FeedDocument>, Failure> {
    let web = Web::new()?;
    let (mut documents, mut seen) = (Vec::new(), HashSet::new());
    let mut next = Some(address.to_owned());
    while let Some(address) = next.take().filter(|address| documents.len() < PAGES && seen.insert(address.clone())) {
        match page(&web, &address).await {
            Ok(document) => {
                next.clone_from(&document.previous);
                documents.push(document);
            }
            Err(Failure::Failed { error, .. }) if !documents.is_empty() => {
                warn!(event = "archive_unread", "an archive that the feed names is left out: {error}");
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(documents)
}

async fn page(web: &Web, address: &str) -> Result<FeedDocument, Failure> {
    let answer = feed_source::fetched(web, address).await?;
    if !answer.status.is_success() {
        return Err(Failure::failed(
            format!("`{address}` cannot be read: {}", answer.status),
            "open it in a browser: it must be the feed itself",
        ));
    }
    read(address, &answer.body, Some(&answer.address))
}

/// Has the blog's posts take over what the documents say.
pub async fn take(config: &Arc<Config>, documents: &[FeedDocument], dry_run: bool) -> Result<Adoption, Failure> {
    let now = open::now();
    if dry_run {
        let mut blog = open::blog_to_look_at(config, now).await?;
        return Ok(blog.adoption(documents, now));
    }
    let store = open::store(config).await?;
    // A daemon would go on with the ids that it has in memory.
    let _alone = if config.store.url.starts_with("sqlite:") { Some(store.hold("gazetted adopt").await?) } else { None };
    let mut blog = open::scanned_blog(Arc::clone(config), Some(Arc::clone(&store))).await?;
    Ok(blog.adopt(documents, now).await?)
}

pub fn told(adoption: &Adoption, dry_run: bool) -> String {
    let count = |n: usize, noun: &str| wording::digits(u32::try_from(n).unwrap_or(u32::MAX), noun);
    let verb = if dry_run { "would take over the id it had" } else { "took over the id it had" };
    let mut out = format!("{} {verb}, {} had it already", count(adoption.adopted, "post"), adoption.same);
    if adoption.derived > 0 {
        out.push_str(&format!("; {} that the feed did not hold got ids of the same make", adoption.derived));
    }
    out.push('\n');
    for (message, hint) in &adoption.refused {
        out.push_str(&format!("refused: {message}\n    hint: {hint}\n"));
    }
    if !adoption.lost.is_empty() {
        let entries = if adoption.lost.len() == 1 { "entry" } else { "entries" };
        out.push_str(&format!("{} {entries} of the feed without a post here:\n", adoption.lost.len()));
        for entry in adoption.lost.iter().take(SHOWN) {
            out.push_str(&format!("  {} ({})\n", entry.title, entry.url.as_deref().unwrap_or("no address")));
        }
        if adoption.lost.len() > SHOWN {
            out.push_str(&format!("  and {} more\n", adoption.lost.len() - SHOWN));
        }
    }
    out
}
