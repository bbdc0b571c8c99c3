//! `gazetted init`: a short commented configuration, filled in from the site's own where there is one.

use std::path::{Path, PathBuf};

use super::error::Failure;
use super::{Done, adopt, open, print};
use crate::domain::dialect::{Dialect, SiteConfig};
use crate::domain::feed_document::{self, FeedDocument};
use crate::domain::feed_format::Format;
use crate::{publish, scan};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Where `gazetted.toml` is written
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// A Jekyll, Hugo or Zola site to take title, address, language and time zone from; if it has been built, its feed keeps its
    /// address and its entries' ids (as with `gazetted adopt`)
    #[arg(long, value_name = "SITE")]
    from: Option<PathBuf>,
}

pub async fn run(given: &Arguments) -> Done {
    let target = given.dir.join("gazetted.toml");
    if target.exists() {
        return Err(Failure::failed(
            format!("`{}` is there already", target.display()),
            "edit it, or name another folder",
        ));
    }
    let site = given.from.as_deref().unwrap_or(&given.dir);
    let mut found = site_config(site)?;
    if let Some(found) = &mut found {
        found.url = found.url.take().or_else(|| published_at(site));
    }
    if given.from.is_some() && found.is_none() {
        return Err(Failure::failed(
            format!("`{}` holds no site configuration", site.display()),
            format!("expected one of {}", Dialect::CONFIG_NAMES.join(", ")),
        ));
    }
    std::fs::create_dir_all(&given.dir)?;
    let posts = posts_dir(site, found.as_ref());
    let posts = relative(&given.dir, &site.join(&posts));
    let built = given.from.as_deref().map(built_feeds).unwrap_or_default();
    let places = Places::of(&given.dir, found.as_ref().map(|c| c.dialect));
    if let Some(state) = places.state {
        std::fs::create_dir_all(given.dir.join(state))?;
    }
    publish::write(&target, text(found.as_ref(), &posts, &built, &places).as_bytes())?;
    let mut said = String::new();
    if !built.is_empty() {
        let (config, documents) = (open::config(Some(&target))?, built.iter().map(|built| built.document.clone()));
        let documents: Vec<FeedDocument> = documents.collect();
        let names: Vec<String> = built.iter().map(|built| format!("`{}`", built.path.display())).collect();
        let adoption = adopt::take(&config, &documents, false).await?;
        said = format!("from {}: {}", names.join(", "), adopt::told(&adoption, false));
    }
    print::text(&format!(
        "{said}{} is written; look it over, then try `gazetted check` and `gazetted build`{}",
        target.display(),
        places.advice()
    ))
}

/// Where the daemon's own files go.
struct Places {
    /// For the store, if it is not the configuration's own folder.
    state: Option<&'static str>,
    mails: String,
    feeds: String,
    /// The configuration lies in the site's folder: so does all this, and the site is built and kept in git.
    generator: Option<Dialect>,
}

impl Places {
    /// A configuration in /etc is the service's, which writes to its own folder and nowhere else. Jekyll publishes whatever lies
    /// in its folder, but for names that begin with a dot.
    fn of(dir: &Path, dialect: Option<Dialect>) -> Self {
        let absolute = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
        if absolute.starts_with("/etc") {
            let state = "/var/lib/gazetted";
            let [mails, feeds] = ["mail", "public"].map(|name| format!("{state}/{name}"));
            return Self { state: Some(state), mails, feeds, generator: None };
        }
        let is_within = Dialect::CONFIG_NAMES.iter().any(|name| dir.join(name).is_file());
        let generator = dialect.filter(|_| is_within);
        let state = (generator == Some(Dialect::Jekyll)).then_some(".gazetted");
        Self { state, mails: "mail".to_owned(), feeds: "public".to_owned(), generator }
    }

    /// What the site's own files should say of them.
    fn advice(&self) -> String {
        let Self { mails, feeds, .. } = self;
        match self.generator {
            None => String::new(),
            Some(Dialect::Jekyll) => format!(
                "\n\nFor Jekyll, lest it publishes them: add these to `exclude:` in `_config.yml`\n\n  \
                 exclude: [gazetted.toml, {mails}/, {feeds}/]\n\nand to .gitignore `.gazetted/` and `{mails}/`: the subscribers are in them."
            ),
            Some(_) => format!(
                "\n\nAdd to .gitignore `gazetted.db*`, `{mails}/` and `{feeds}/`: the first two hold the subscribers."
            ),
        }
    }
}

/// A feed that the site's generator has written.
struct Built {
    path: PathBuf,
    /// Below the site's root.
    name: String,
    document: FeedDocument,
}

/// Where generators put what they build, and what they call the blog's feed.
const BUILT: [&str; 2] = ["_site", "public"];
const FEEDS: [&str; 7] =
    ["feed.xml", "atom.xml", "rss.xml", "index.xml", "feed.json", "posts/index.xml", "blog/index.xml"];

/// One of each format.
fn built_feeds(site: &Path) -> Vec<Built> {
    let mut found: Vec<Built> = Vec::new();
    for folder in BUILT {
        for name in FEEDS {
            let path = site.join(folder).join(name);
            let Ok(bytes) = std::fs::read(&path) else { continue };
            let Ok(document) = feed_document::read(&bytes, None) else { continue };
            if !found.iter().any(|built| built.document.format == document.format) {
                found.push(Built { path, name: name.to_owned(), document });
            }
        }
    }
    found
}

/// File names, so that each feed that was there stays where it was.
fn names(built: &[Built]) -> String {
    let mut taken: Vec<&str> = built.iter().map(|built| built.name.as_str()).collect();
    let mut out = String::new();
    for (format, spare) in [
        (Format::Rss, ["feed.xml", "rss.xml"]),
        (Format::Atom, ["atom.xml", "feed.atom"]),
        (Format::Json, ["feed.json", "index.json"]),
    ] {
        let own = built.iter().find(|built| built.document.format == format).map(|built| built.name.as_str());
        let name = own.or_else(|| spare.into_iter().find(|name| !taken.contains(name))).unwrap_or(spare[1]);
        if own.is_none() {
            taken.push(name);
        }
        if own.is_some() || name != spare[0] {
            let why = if own.is_some() { "  # where it was" } else { "" };
            out.push_str(&format!("{} = \"{name}\"{why}\n", format.as_str()));
        }
    }
    out
}

fn site_config(folder: &Path) -> Result<Option<SiteConfig>, Failure> {
    for name in Dialect::CONFIG_NAMES {
        if let Some(found) = scan::read_config(folder, name) {
            return found.map(Some).map_err(|problem| Failure::Config(vec![problem]));
        }
    }
    Ok(None)
}

/// GitHub's and Codeberg's pages have the site's name in a file, and then generators need not know it.
fn published_at(site: &Path) -> Option<String> {
    let mut names = ["CNAME", "static/CNAME", ".domains"].into_iter();
    let text = names.find_map(|name| std::fs::read_to_string(site.join(name)).ok())?;
    let name = text.lines().next().unwrap_or_default().trim().to_owned();
    let plain = name.contains('.') && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    plain.then(|| format!("https://{name}"))
}

/// Where such a site keeps its posts.
fn posts_dir(site: &Path, found: Option<&SiteConfig>) -> PathBuf {
    if let Some((fullest, _)) = scan::fullest(site, found) {
        return fullest.into();
    }
    let usual: &[&str] = match found.map(|found| found.dialect) {
        Some(Dialect::Jekyll) => &["_posts"],
        Some(Dialect::Hugo | Dialect::Zola) => &["content/posts", "content/post", "content/blog", "content"],
        None => &["_posts", "content/posts", "content/blog", "content", "posts"],
    };
    PathBuf::from(usual.iter().find(|name| site.join(name).is_dir()).unwrap_or(&usual[0]))
}

/// Relative where that is simple, so that the folder can be moved as a whole.
fn relative(dir: &Path, target: &Path) -> PathBuf {
    let absolute =
        |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned());
    let (dir, target) = (absolute(dir), absolute(target));
    match target.strip_prefix(&dir) {
        Ok(here) if here.as_os_str().is_empty() => PathBuf::from("."),
        Ok(below) => below.to_owned(),
        Err(_) => target,
    }
}

fn text(found: Option<&SiteConfig>, posts: &Path, built: &[Built], places: &Places) -> String {
    let quoted =
        |text: Option<&String>, default: &str| toml::Value::String(text.map_or(default, |t| t).to_owned()).to_string();
    let config = |get: fn(&SiteConfig) -> Option<&String>| found.and_then(get);
    let line = |key: &str, value: Option<&String>, default: &str, comment: &str| {
        let mark = if value.is_some() { "" } else { "# " };
        format!("{mark}{key} = {}{comment}\n", quoted(value, default))
    };
    let mut out = String::from(
        "# gazetted.toml: the keys most blogs need. `gazetted config default` shows all of them.\n\n[site]\n",
    );
    out.push_str(&format!("title = {}\n", quoted(config(|c| c.title.as_ref()), "My blog")));
    let url = config(|c| c.url.as_ref());
    let yours =
        if url.is_none() && found.is_some() { "  # the site does not say: put the blog's address here" } else { "" };
    out.push_str(&format!("url = {}{yours}\n", quoted(url, "https://blog.example.org")));
    out.push_str(&line("description", config(|c| c.description.as_ref()), "", ""));
    out.push_str(&line("language", config(|c| c.language.as_ref()), "en", ""));
    out.push_str(&line("time_zone", config(|c| c.time_zone.as_ref()), "UTC", "  # days and months are this zone's"));
    out.push_str(&line("author", config(|c| c.author.as_ref()), "The Editors", "  # signs posts that name nobody"));
    out.push_str(&format!("\n[posts]\ndir = {}\n", quoted(Some(&posts.to_string_lossy().into_owned()), "")));
    match config(|c| c.permalink.as_ref()) {
        Some(permalink) => out.push_str(&format!("permalink = {}\n", quoted(Some(permalink), ""))),
        None => out
            .push_str("# permalink = \"/:year/:month/:day/:title/\"  # else as the site's own configuration has it\n"),
    }
    out.push_str(&format!(
        "\n[feeds]\nout = \"{}\"  # feed.xml, atom.xml, feed.json, tags/, authors/ go here\n",
        places.feeds
    ));
    out.push_str(&names(built));
    if let Some(state) = places.state {
        out.push_str(&format!("\n[store]\nurl = \"sqlite:{state}/gazetted.db\"\n"));
    }
    let mails = &places.mails;
    if mails != "mail" {
        out.push_str(&format!("\n[outbox]\ndir = \"{mails}\"  # where messages go without [smtp]\n"));
    }
    out.push_str(&REST.replace("`mail/`", &format!("`{mails}/`")));
    if places.state.is_some_and(|state| state.starts_with('/')) {
        out.push_str("# Better than password_file: the password in /etc/credstore/gazetted.smtp_password.\n");
    }
    out
}

const REST: &str = r#"
# The promise: one post a month. Remove the `#` to make it.
# [goal]
# posts = 1
# per = "month"

# The monthly digest. Without [smtp], messages go as files to `mail/`.
[digest]
schedule = "0 9 1 * *"  # 09:00 on the first of the month
# from = "My blog <digest@example.org>"
# postal_address = "Street 1, 12345 Town"

# [smtp]
# host = "mail.example.org"
# user = "digest"
# password_file = "/etc/gazetted/smtp-password"
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_loaded() {
        let jekyll =
            SiteConfig::read("_config.yml", "title: \"A \\\"b\\\"\"\nurl: https://a.example\npermalink: pretty\n")
                .unwrap();
        let places = |state| Places { state, mails: "mail".to_owned(), feeds: "public".to_owned(), generator: None };
        for (found, state) in
            [(None, None), (Some(&jekyll), Some(".gazetted")), (Some(&jekyll), Some("/var/lib/gazetted"))]
        {
            let loaded = crate::config::load_str(
                &text(found, Path::new("_posts"), &[], &places(state)),
                "gazetted.toml",
                &std::collections::BTreeMap::default(),
            );
            assert!(loaded.is_usable(), "{:?}", loaded.problems);
            let folder = state.map_or_else(String::new, |state| format!("{state}/"));
            assert_eq!(loaded.config.store_url(), format!("sqlite:{folder}gazetted.db"));
        }
    }
}
