//! Posts that are mailed by themselves, as they are published: which are due, and the edition of each. Knows dates and the
//! ledger; who wants them is the store's business.

use jiff::{SignedDuration, Timestamp};

use super::blog::Blog;
use super::editions::{
    Ingredients, OpenError, Order, Word, content, freeze, is_announced, restless, with_translations,
};
use crate::domain::edition::{EditionKey, State};
use crate::domain::preflight::Finding;
use crate::domain::subscriber::Frequency;
use crate::render::digest::Heading;
use crate::render::templates::Templates;
use crate::store::{Opened, SharedStore};

/// A post that is found later than this (the daemon was down) is left to the digests.
const SINGLE_LATE: SignedDuration = SignedDuration::from_hours(72);
/// A post dated further back than this is an old one that has been brought along, not news.
const SINGLE_OLD: SignedDuration = SignedDuration::from_hours(24 * 14);

/// Opens an edition for each post that was published `digest.grace` ago and is still there, for those who want each by
/// itself and wanted it when it was published.
pub async fn open(
    blog: &mut Blog,
    store: &SharedStore,
    templates: &Templates,
    now: Timestamp,
    machine_now: Timestamp,
    word: Word,
) -> Result<Singles, OpenError> {
    let due = singles(blog, now);
    if due.is_empty() || store.readers(Frequency::Post).await? == 0 {
        return Ok(Singles::default());
    }
    let mut came = Singles::default();
    for (index, published) in due {
        let key = EditionKey::post(&blog.catalogue.posts[index].id);
        if was_opened(blog, store, index).await? || restless(blog, &[index], machine_now).1.is_some() {
            continue;
        }
        let wanted = with_translations(blog, &[index]);
        tokio::task::block_in_place(|| blog.render_posts(&wanted));
        let post = blog.edition_post(&blog.catalogue.posts[index]);
        let content = content(blog, Heading::Post, &Ingredients { posts: vec![post], ..Ingredients::default() });
        let order = Order { key, state: State::Open, content: &content, since: Some(published), word };
        match freeze(blog, store, templates, &order, now).await {
            Ok(Opened::Now { recipients }) => came.opened.push((key, recipients)),
            Ok(Opened::Before(_)) => {}
            Ok(Opened::Overtaken) => return Err(OpenError::Overtaken),
            // The others need not wait for it.
            Err(OpenError::Preflight { key, findings }) => came.kept_back.push((key, findings)),
            Err(error) => return Err(error),
        }
    }
    Ok(came)
}

/// In whichever language.
async fn was_opened(blog: &Blog, store: &SharedStore, index: usize) -> Result<bool, OpenError> {
    let post = &blog.catalogue.posts[index];
    for (_, post) in blog.in_other_languages(post).chain([(index, post)]) {
        if store.edition(EditionKey::post(&post.id)).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What came of opening them.
#[derive(Debug, Default)]
pub struct Singles {
    /// Which were opened, and how many deliveries there are of each.
    pub opened: Vec<(EditionKey, u64)>,
    pub kept_back: Vec<(EditionKey, Vec<Finding>)>,
}

/// The posts that are due by themselves, and when each was published.
fn singles(blog: &Blog, now: Timestamp) -> Vec<(usize, Timestamp)> {
    let grace = SignedDuration::try_from(blog.config.digest.grace.get()).unwrap_or(SignedDuration::MAX);
    let posts = blog.catalogue.posts.iter().enumerate().filter(|(_, post)| is_announced(post));
    let due = posts.filter_map(|(index, post)| {
        let (row, date) = (blog.row(post)?, post.date?);
        let published = date.max(row.first_seen);
        let age = now.duration_since(published);
        let news = !row.baseline && row.first_seen.duration_since(date) <= SINGLE_OLD;
        (news && age >= grace && age <= grace.saturating_add(SINGLE_LATE)).then_some((index, published))
    });
    due.collect()
}
