//! What most commands begin with: the configuration, the store, the blog as it is read.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::error::Failure;
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Config};
use crate::daemon::blog::Blog;
use crate::store::{self, SharedStore};

/// The configuration, or all its problems.
pub fn config(option: Option<&Path>) -> Result<Arc<Config>, Failure> {
    let loaded = config::load(&config::find(option));
    if !loaded.is_usable() {
        return Err(Failure::Config(loaded.problems));
    }
    Ok(Arc::new(loaded.config))
}

pub fn now() -> Timestamp {
    SystemClock.now()
}

pub async fn store(config: &Config) -> Result<SharedStore, Failure> {
    Ok(store::open(&config.store_url(), now()).await?)
}

/// The store if there is one: looking at a blog must not leave a database behind.
async fn existing_store(config: &Config) -> Result<Option<SharedStore>, Failure> {
    let url = config.store_url();
    match url.strip_prefix("sqlite:") {
        Some(path) if !Path::new(path.split('?').next().unwrap_or(path)).exists() => Ok(None),
        _ => store(config).await.map(Some),
    }
}

/// The blog as it stands, for commands that only look.
pub async fn blog_to_look_at(config: &Arc<Config>, at: Timestamp) -> Result<Blog, Failure> {
    let store = existing_store(config).await?;
    let mut blog = scanned_blog(Arc::clone(config), store).await?;
    blog.assemble(at);
    Ok(blog)
}

/// The blog with its posts read.
pub async fn scanned_blog(config: Arc<Config>, store: Option<SharedStore>) -> Result<Blog, Failure> {
    let now = now();
    let mut blog = Blog::open_scanned(config, store, now).await?;
    settle(&mut blog, now).await;
    Ok(blog)
}

/// Reads the posts again.
pub async fn scan(blog: &mut Blog) {
    let now = now();
    blog.scan(now);
    settle(blog, now).await;
}

/// Waits (a few seconds at most) for files that were saved at the very moment they were read.
async fn settle(blog: &mut Blog, mut read_at: Timestamp) {
    for _ in 0..4 {
        let Some(until) = blog.unsettled_until() else { return };
        let wait = Duration::try_from(until.duration_since(read_at)).unwrap_or_default() + Duration::from_millis(20);
        tracing::info!(
            event = "files_unsettled",
            "waiting {} ms for files that were saved a moment ago",
            wait.as_millis()
        );
        tokio::time::sleep(wait).await;
        read_at = now();
        blog.scan(read_at);
    }
}
