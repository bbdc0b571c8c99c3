//! Where the daemon's own files lie beside the site's, links resolved. What of that is wrong is the domain's business.

use std::path::{Path, PathBuf};

use super::site::absolute;
use crate::config::Config;
use crate::domain::dialect::SiteConfig;
use crate::domain::exposure::{self, Around, Own, What};
use crate::domain::problem::Problem;

pub fn problems(config: &Config, site: Option<(&Path, &SiteConfig)>) -> Vec<Problem> {
    let own = |what, path: PathBuf| Own { what, path: real(&path), shown: path.display().to_string() };
    let mut all: Vec<Own> = config.store_file().map(|file| own(What::Store, file)).into_iter().collect();
    if config.smtp.is_empty() {
        all.push(own(What::Mails, config.path(&config.outbox.dir)));
    }
    all.extend(config.secret_files().into_iter().map(|(key, file)| own(What::Secret(key), file)));
    all.extend(config.file.clone().map(|file| own(What::Configuration, file)));
    let feeds = config.path(&config.feeds.out);
    all.push(own(What::Feeds, feeds.clone()));
    let file = config.file.as_deref().unwrap_or(Path::new("gazetted.toml")).display().to_string();
    let folder = site.map(|(folder, _)| real(folder));
    let around = Around {
        site: folder.as_deref().zip(site.map(|(_, found)| found)),
        feeds: &real(&feeds),
        addresses: [&config.site.url, config.feeds_url()],
    };
    exposure::problems(&file, &all, around)
}

/// What there is of a path, without links, and the rest as it stands.
fn real(path: &Path) -> PathBuf {
    let path = absolute(path);
    let there = path.ancestors().find_map(|part| Some((part, part.canonicalize().ok()?)));
    match there {
        Some((part, real)) => path.strip_prefix(part).map_or_else(|_| path.clone(), |rest| real.join(rest)),
        None => path,
    }
}
