//! The files of the site's own that posts enclose: how long one is, which a podcast's reader wants to know before it asks, and
//! the file itself, for whoever is served it. Looks where the three generators keep such files and nowhere else: whoever may
//! write a post may not give away what lies beside the site.

use std::fs::File;
use std::path::PathBuf;

use super::{Root, Site};
use crate::domain::media::{address, public_path};
use crate::domain::post_file::Parsed;
use crate::domain::problem::Problem;

/// Where generators keep what they hand out as it is.
const FOLDERS: [&str; 4] = ["static", "assets", "public", "content"];

/// Where a site's own files may lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnFiles {
    /// What posts' relative paths start from.
    pub posts: PathBuf,
    /// The folders from the posts up to the site's own.
    pub folders: Vec<PathBuf>,
    /// Files are handed out from wherever they lie, as Jekyll does, unless an underscore begins their name or a folder's.
    pub anywhere: bool,
}

impl OwnFiles {
    /// The file as it is now, and never what a link leads to: between two looks it may have been replaced by anything.
    #[must_use]
    pub fn open(&self, relative: &str, file: &str) -> Option<File> {
        let inside = &*public_path(file)?;
        let beside = (!file.starts_with('/')).then(|| {
            let folder = relative.rsplit_once('/').map_or("", |(folder, _)| folder);
            (&self.posts, format!("{folder}/{inside}"))
        });
        let anywhere = self.anywhere && !inside.split('/').any(|part| part.starts_with('_'));
        let below = FOLDERS.iter().copied().chain(anywhere.then_some(""));
        let below_one = |folder| below.clone().map(move |below| (folder, format!("{below}/{inside}")));
        let places = self.folders.iter().flat_map(below_one);
        beside.into_iter().chain(places).find_map(|(folder, path)| {
            let found = Root::open(folder).ok()?.find(&path).ok()??;
            Some(found.open().ok()?.0)
        })
    }
}

/// Fills in the length of what the post encloses; without one the enclosure is in no feed, and a problem says so.
pub fn measure(site: &Site, relative: &str, parsed: &mut Parsed) {
    // Looked at before it is changed: what is shared would be copied.
    let Some((post, _)) = parsed.post.as_mut().filter(|(post, _)| post.enclosure.is_some()) else { return };
    let Some(enclosure) = post.enclosure.as_mut() else { return };
    let length = |file| site.own_files.open(relative, file)?.metadata().ok().map(|known| known.len());
    if let Some((file, length)) = enclosure.file.as_deref().and_then(|file| Some((file, length(file)?))) {
        // What the post says of its own file may be old; the file knows.
        enclosure.length = Some(length);
        if let Some(url) = file.starts_with('/').then(|| address(&site.rules.base_url, file)).flatten() {
            enclosure.url = url;
        }
    }
    if enclosure.length.is_some() {
        return;
    }
    let (message, hint) = match &enclosure.file {
        Some(file) if public_path(file).is_none() => (
            format!("`{file}` is of no kind that the site gives away because a post names it, so no feed names it"),
            "enclose sound, film, a picture, PDF or EPUB; for what another server has, give `length` in bytes",
        ),
        Some(file) => (
            format!("the file `{file}` is not found, so nobody knows how long it is, and no feed names it"),
            "put it where the site has its files (links are not followed), or give `length` in bytes",
        ),
        None => (
            format!("`{}` is elsewhere and its length is not given, so no feed names it", enclosure.url),
            "write `enclosure: {url: ..., length: 123456, type: audio/mpeg}`, the length in bytes",
        ),
    };
    parsed.problems.push(Problem::warning(&*post.path, "enclosure", message).at(1, 1).hint(hint));
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test's files need no care")]
mod tests {
    use super::*;
    use std::io::Read as _;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    /// Each file holds its own path.
    fn tree(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, file).unwrap();
        }
        dir
    }

    fn read(own: &OwnFiles, relative: &str, file: &str) -> Option<String> {
        let mut text = String::new();
        own.open(relative, file)?.read_to_string(&mut text).unwrap();
        Some(text)
    }

    fn hugo(site: &Path) -> OwnFiles {
        let folders = vec![site.join("content/posts"), site.join("content"), site.to_owned()];
        OwnFiles { posts: site.join("content/posts"), folders, anywhere: false }
    }

    #[test]
    fn files_are_found_where_the_generators_keep_them() {
        let dir = tree(&[
            "site/audio/1.mp3",
            "site/static/audio/2.mp3",
            "site/content/audio/3.mp3",
            "site/content/posts/bundle/4.mp3",
            "site/_private/5.mp3",
            "above.mp3",
        ]);
        let site = dir.path().join("site");
        let own = hugo(&site);
        for (file, found) in [
            ("/audio/1.mp3", None),
            ("/audio/2.mp3", Some("site/static/audio/2.mp3")),
            ("/audio/3.mp3", Some("site/content/audio/3.mp3")),
            ("4.mp3", Some("site/content/posts/bundle/4.mp3")),
            ("/4.mp3", None),
            ("/above.mp3", None),
        ] {
            assert_eq!(read(&own, "bundle/index.md", file).as_deref(), found, "{file}");
        }
        let jekyll = OwnFiles { anywhere: true, ..own };
        assert_eq!(read(&jekyll, "a.md", "/audio/1.mp3").as_deref(), Some("site/audio/1.mp3"));
        assert_eq!(read(&jekyll, "a.md", "/_private/5.mp3"), None);
        assert_eq!(read(&jekyll, "a.md", "/above.mp3"), None);
    }

    #[test]
    fn neither_links_nor_pipes_nor_ways_up_are_followed() {
        let dir = tree(&["site/static/a.mp3", "site/gazetted.db", "secret.mp3", "folder/b.mp3"]);
        let site = dir.path().join("site");
        let own = OwnFiles { anywhere: true, ..hugo(&site) };
        symlink("../../secret.mp3", site.join("static/link.mp3")).unwrap();
        symlink("../gazetted.db", site.join("static/store.mp3")).unwrap();
        symlink("../../folder", site.join("static/linked")).unwrap();
        std::fs::create_dir(site.join("static/folder.mp3")).unwrap();
        mknodat(CWD, site.join("static/pipe.mp3"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        for file in [
            "/link.mp3",
            "/store.mp3",
            "/linked/b.mp3",
            "/folder.mp3",
            "/pipe.mp3",
            "/../secret.mp3",
            "../../../secret.mp3",
            "/static/../../secret.mp3",
            "/%2e%2e/secret.mp3",
            "/gazetted.db",
            "/a.mp3\0.db",
        ] {
            assert_eq!(read(&own, "a.md", file), None, "{file}");
        }
        assert!(read(&own, "a.md", "/a.mp3").is_some());
        // Whatever is put in a file's place later is looked at again.
        std::fs::remove_file(site.join("static/a.mp3")).unwrap();
        symlink("../gazetted.db", site.join("static/a.mp3")).unwrap();
        assert_eq!(read(&own, "a.md", "/a.mp3"), None);
    }
}
