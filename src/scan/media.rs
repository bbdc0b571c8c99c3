//! How long the files are that posts enclose: a podcast's reader wants to know before it asks for one. Looks where the three
//! generators keep such files, and at nothing but their length.

use std::path::{Component, Path, PathBuf};

use super::Site;
use crate::domain::post_file::Parsed;
use crate::domain::problem::Problem;

/// Where a site's own files lie, below the folders above its posts.
const FOLDERS: [&str; 5] = ["static", "", "assets", "public", "content"];
/// How far above the posts the site's own folder may be.
const LEVELS: usize = 4;

/// Fills in the length of what the post encloses; without one the enclosure is in no feed, and a problem says so.
pub fn measure(site: &Site, relative: &str, parsed: &mut Parsed) {
    // Looked at before it is changed: what is shared would be copied.
    let Some((post, _)) = parsed.post.as_mut().filter(|(post, _)| post.enclosure.is_some()) else { return };
    let Some(enclosure) = post.enclosure.as_mut() else { return };
    if let Some((path, length)) = enclosure.file.as_deref().and_then(|file| found(site, relative, file)) {
        // What the post says of its own file may be old; the file knows.
        enclosure.length = Some(length);
        enclosure.at = path.to_str().map(str::to_owned);
    }
    if enclosure.length.is_some() {
        return;
    }
    let (message, hint) = match &enclosure.file {
        Some(file) => (
            format!("the file `{file}` is not found, so nobody knows how long it is, and no feed names it"),
            "put it where the site has its files, or give `length` in bytes",
        ),
        None => (
            format!("`{}` is elsewhere and its length is not given, so no feed names it", enclosure.url),
            "write `enclosure: {url: ..., length: 123456, type: audio/mpeg}`, the length in bytes",
        ),
    };
    parsed.problems.push(Problem::warning(&*post.path, "enclosure", message).at(1, 1).hint(hint));
}

fn found(site: &Site, relative: &str, file: &str) -> Option<(PathBuf, u64)> {
    let file = file.split(['?', '#']).next().unwrap_or(file);
    let inside = file.trim_start_matches('/');
    let plain = Path::new(inside).components().all(|part| matches!(part, Component::Normal(_)));
    if inside.is_empty() || !plain {
        return None;
    }
    let beside = Path::new(relative).parent().map(|folder| site.root.join(folder).join(inside));
    let root = std::path::absolute(&site.root).ok()?;
    let above = root.ancestors().take(LEVELS).map(Path::to_owned).collect::<Vec<PathBuf>>();
    let sites = above.iter().flat_map(|folder| FOLDERS.map(|below| folder.join(below).join(inside)));
    let beside = beside.filter(|_| !file.starts_with('/'));
    beside.into_iter().chain(sites).find_map(|path| {
        let found = std::fs::symlink_metadata(&path).ok()?;
        let length = found.len();
        found.is_file().then_some((path, length))
    })
}
