//! Whether what the daemon keeps to itself lies where everybody can fetch it: in what the site's generator copies, or among the
//! feeds. Knows what generators copy; is told where things lie.

use std::path::{Path, PathBuf};

use super::dialect::{Dialect, SiteConfig, hugo, jekyll, zola};
use super::problem::Problem;

/// What nobody else may have is there for everybody; what everybody may have is there twice, or says more than it need.
pub const EXPOSED: &str = "exposed";
pub const COPIED: &str = "copied";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Store,
    /// Messages that are written as files.
    Mails,
    /// The key that names its file.
    Secret(&'static str),
    Configuration,
    /// Meant for everybody, but not twice.
    Feeds,
}

/// Something of the daemon's.
#[derive(Debug, Clone)]
pub struct Own {
    pub what: What,
    /// Absolute.
    pub path: PathBuf,
    /// As people see it.
    pub shown: String,
}

/// What is around it; all paths are absolute.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The folder in which the generator's configuration lies, and what that says.
    pub site: Option<(&'a Path, &'a SiteConfig)>,
    pub feeds: &'a Path,
    /// `site.url` and `feeds.url`.
    pub addresses: [&'a str; 2],
}

/// Who would give it to everybody.
#[derive(Debug, PartialEq, Eq)]
enum Publisher {
    /// The path below its source, a folder's with a slash.
    Jekyll(String),
    /// A folder that a generator copies, or fills.
    Folder(Dialect, String),
    Feeds,
}

/// `file`: the configuration, which says where all of them lie.
#[must_use]
pub fn problems(file: &str, own: &[Own], around: Around<'_>) -> Vec<Problem> {
    own.iter().filter_map(|own| Some(problem(file, own, &publisher(own, around)?))).collect()
}

fn publisher(own: &Own, around: Around<'_>) -> Option<Publisher> {
    let generator = around.site.and_then(|(folder, config)| generator(own, folder, config, around.addresses));
    generator.or_else(|| {
        let holds_the_site = around.site.is_some_and(|(folder, _)| folder.starts_with(around.feeds));
        let among = own.what != What::Feeds && !holds_the_site && own.path.starts_with(around.feeds);
        among.then_some(Publisher::Feeds)
    })
}

fn generator(own: &Own, folder: &Path, config: &SiteConfig, addresses: [&str; 2]) -> Option<Publisher> {
    let folders = match config.dialect {
        Dialect::Jekyll => vec![jekyll::destination(&config.raw)],
        Dialect::Hugo => hugo::published_folders(&config.raw),
        Dialect::Zola => zola::published_folders(&config.raw),
    };
    let within = folders.into_iter().find(|name| own.path.starts_with(folder.join(name)));
    if let Some(name) = within.filter(|_| own.what != What::Feeds) {
        return Some(Publisher::Folder(config.dialect, name));
    }
    if config.dialect != Dialect::Jekyll {
        return None;
    }
    let below = own.path.strip_prefix(folder.join(jekyll::source(&config.raw))).ok()?.to_string_lossy().into_owned();
    let is_meant = || below.is_empty() || format!("{}/{below}", addresses[0].trim_end_matches('/')) == addresses[1];
    if own.what == What::Feeds && is_meant() {
        return None;
    }
    let is_folder = matches!(own.what, What::Mails | What::Feeds);
    let entry = if is_folder { format!("{below}/") } else { below };
    jekyll::copies(&config.raw, &entry).then_some(Publisher::Jekyll(entry))
}

fn problem(file: &str, own: &Own, publisher: &Publisher) -> Problem {
    let place = match publisher {
        Publisher::Jekyll(_) => "where Jekyll copies from".to_owned(),
        Publisher::Folder(dialect, name) => format!("in `{name}`, which {} publishes", dialect.name()),
        Publisher::Feeds => "in `feeds.out`, which readers fetch from".to_owned(),
    };
    let shown = &own.shown;
    let (code, message) = match own.what {
        What::Store => {
            (EXPOSED, format!("the store, `{shown}`, lies {place}: every subscriber's address is there for everybody"))
        }
        What::Mails => {
            (EXPOSED, format!("messages that go as files to `{shown}` lie {place}: they are there for everybody"))
        }
        What::Secret(key) => {
            (EXPOSED, format!("the secret of `{key}`, `{shown}`, lies {place}: it is there for everybody"))
        }
        What::Configuration => {
            (COPIED, format!("the configuration, `{shown}`, lies {place}: it is there for everybody"))
        }
        What::Feeds => (COPIED, format!("the feeds in `{shown}` lie {place}: they are published a second time")),
    };
    // It may never be built here. Where it really runs, `doctor` calls it wrong.
    Problem::warning(file, code, message).hint(remedy(own, publisher))
}

fn remedy(own: &Own, publisher: &Publisher) -> String {
    let Publisher::Jekyll(entry) = publisher else { return "keep it in another folder".to_owned() };
    let exclude = format!("add `{entry}` to `exclude:` in `_config.yml`");
    match own.what {
        What::Store if entry.starts_with(".gazetted/") => exclude,
        What::Store => {
            format!("move it, and say `url = \"sqlite:.gazetted/gazetted.db\"` below `[store]`; or {exclude}")
        }
        What::Mails => {
            format!("say `dir = \".gazetted/mail\"` below `[outbox]`, and remove the old folder; or {exclude}")
        }
        What::Secret(_) => format!("keep it outside of the site's folder; or {exclude}"),
        What::Configuration | What::Feeds => exclude,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(what: What, path: &str) -> Own {
        Own { what, path: PathBuf::from("/s").join(path), shown: path.to_owned() }
    }

    fn found(config: &SiteConfig, own: Own, feeds: &str) -> Option<(bool, String)> {
        let site = Some((Path::new("/s"), config));
        let addresses = ["https://a.example", "https://a.example/feeds"];
        let around = Around { site, feeds: &Path::new("/s").join(feeds), addresses };
        let mut problems = problems("gazetted.toml", &[own], around);
        problems
            .pop()
            .map(|problem| (problem.code == EXPOSED, format!("{}; {}", problem.message, problem.hint.unwrap())))
    }

    #[test]
    fn what_jekyll_would_copy_is_found_and_what_it_leaves_out_is_not() {
        let read = |text| SiteConfig::read("_config.yml", text).unwrap();
        let (open, closed) = (read("title: A\n"), read("exclude: [gazetted, mail/, public]\n"));
        let source = read("source: src\ndestination: out\n");
        for (config, own, expected) in [
            (&open, own(What::Store, "gazetted.db"), Some(true)),
            (&open, own(What::Store, ".gazetted/gazetted.db"), None),
            (&open, own(What::Store, "/var/lib/gazetted/gazetted.db"), None),
            (&open, own(What::Store, "_site/gazetted.db"), Some(true)),
            (&open, own(What::Mails, "mail"), Some(true)),
            (&open, own(What::Secret("dkim.key_file"), "keys/k.pem"), Some(true)),
            (&open, own(What::Configuration, "gazetted.toml"), Some(false)),
            (&open, own(What::Feeds, "public"), Some(false)),
            (&open, own(What::Feeds, "feeds"), None),
            (&open, own(What::Feeds, ""), None),
            (&closed, own(What::Store, "gazetted.db"), None),
            (&closed, own(What::Mails, "mail"), None),
            (&closed, own(What::Feeds, "public"), None),
            (&source, own(What::Store, "gazetted.db"), None),
            (&source, own(What::Store, "src/gazetted.db"), Some(true)),
            (&source, own(What::Store, "out/gazetted.db"), Some(true)),
        ] {
            let label = format!("{own:?}");
            assert_eq!(found(config, own, "public").map(|(exposed, _)| exposed), expected, "{label}");
        }
        let (_, words) = found(&open, own(What::Store, "data/gazetted.db"), "public").unwrap();
        assert!(
            words.contains("lies where Jekyll copies from") && words.contains("add `data/gazetted.db` to"),
            "{words}"
        );
    }

    #[test]
    fn folders_that_are_handed_out_are_known() {
        let hugo = SiteConfig::read("hugo.toml", "staticdir = ['a', 'b']\npublishDir = 'docs'\n").unwrap();
        let zola = SiteConfig::read("zola.toml", "base_url = 'https://a.example'\n").unwrap();
        for (config, path, feeds, expected) in [
            (&hugo, "gazetted.db", "feeds", false),
            (&hugo, "b/gazetted.db", "feeds", true),
            (&hugo, "static/gazetted.db", "feeds", false),
            (&hugo, "content/gazetted.db", "feeds", true),
            (&hugo, "docs/gazetted.db", "feeds", true),
            (&zola, "static/gazetted.db", "feeds", true),
            (&zola, "public/gazetted.db", "feeds", true),
            (&zola, "feeds/gazetted.db", "feeds", true),
            // Feeds that are written into the site itself.
            (&zola, "gazetted.db", "", false),
        ] {
            assert_eq!(found(config, own(What::Store, path), feeds).is_some(), expected, "{path}");
        }
    }
}
