//! What posts said when they were last read: fetched before the first scan, written after the first pass. It saves time and
//! nothing else, so whatever goes wrong with it is no error.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rayon::prelude::*;
use tracing::debug;

use super::Blog;
use crate::domain::gist::{self, Gist, Gists};
use crate::domain::hash::Hasher;
use crate::scan::Site;
use crate::store::SharedStore;

/// Of zstd's levels: repeated names go, and nobody waits.
const QUICKLY: i32 = 1;

/// The gists there were, until the first pass has put them right.
#[derive(Default)]
pub(super) struct Kept {
    /// None: there is nowhere to keep them, or it has been done.
    rules: Option<u128>,
    pub gists: Gists,
}

impl Kept {
    /// Those of these rules, as this program reads them.
    pub async fn of(store: Option<&SharedStore>, site: &Site) -> Self {
        let (Some(store), Some(rules)) = (store, fingerprint(site)) else { return Self::default() };
        let pages = store.gists(rules).await.inspect_err(|error| debug!("gists are not read: {error}"));
        let pages = pages.unwrap_or_default();
        let read = || Gists::of(pages.par_iter().map_init(Vec::new, |text, page| unpacked(page, text)).collect());
        Self { rules: Some(rules), gists: tokio::task::block_in_place(read) }
    }
}

impl Blog {
    /// After a pass: what the next start will want to know.
    pub(super) async fn keep_gists(&mut self) {
        let kept = std::mem::take(&mut self.gists);
        let Some(rules) = kept.rules else { return };
        let parsed = self.files.parsed_alone(&self.site);
        let pages = tokio::task::block_in_place(|| packed(&kept.gists.outdated(parsed)));
        if pages.is_empty() {
            return;
        }
        let Ok(store) = self.store() else { return };
        if let Err(error) = store.save_gists(rules, &pages).await {
            debug!("gists are not kept: {error}");
        }
    }
}

fn packed(pages: &BTreeMap<u32, String>) -> BTreeMap<u32, Vec<u8>> {
    pages
        .par_iter()
        .filter_map(|(number, page)| Some((*number, zstd::encode_all(page.as_bytes(), QUICKLY).ok()?)))
        .collect()
}

/// Into a text that is used again and again: pages' texts between what stays would leave holes.
fn unpacked(page: &[u8], text: &mut Vec<u8>) -> Vec<Gist> {
    text.clear();
    match zstd::stream::copy_decode(page, &mut *text) {
        Ok(()) => gist::read(text),
        Err(_) => Vec::new(),
    }
}

/// Of all that decides what a post's bytes mean: the rules, and the program that goes by them.
fn fingerprint(site: &Site) -> Option<u128> {
    // The version alone would not tell one build of it from the next.
    let program = std::fs::metadata("/proc/self/exe").ok()?;
    let written = [program.mtime(), program.mtime_nsec(), program.size().cast_signed()];
    let hasher = written.iter().fold(Hasher::default(), |hasher, number| hasher.field(&number.to_le_bytes()));
    let hasher = hasher
        .field(env!("CARGO_PKG_VERSION").as_bytes())
        .field(site.display("").as_bytes())
        .number(site.rules_version);
    Some(clock_changes(&site.rules.zone, hasher).finish())
}

/// When a zone's clocks were and will be changed: what its name means is the system's, and is brought up to date.
fn clock_changes(zone: &TimeZone, hasher: Hasher) -> Hasher {
    const UNTIL: i64 = 2_524_608_000; // 2050
    let changes = zone.following(Timestamp::UNIX_EPOCH).take_while(|change| change.timestamp().as_second() < UNTIL);
    changes.fold(hasher, |hasher, change| {
        let (at, offset) = (change.timestamp().as_second(), change.offset().seconds());
        hasher.field(&at.to_le_bytes()).field(&offset.to_le_bytes())
    })
}
