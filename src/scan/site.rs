//! Where a blog's files lie and by which rules they are read: the posts directory and what its neighbourhood says of it
//! (`_config.yml`, `hugo.toml`, `_includes`). Knows the file system's layout of the three generators.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::config::{Config, PostsFormat};
use crate::domain::author::Author;
use crate::domain::byline::Known;
use crate::domain::dialect::{Dialect, Rules, SiteConfig, guess, hugo, jekyll, lies_in};
use crate::domain::hash::{self, Hasher};
use crate::domain::problem::Problem;

use super::exposure;
use super::files::Root;
use super::media::OwnFiles;

/// A template or a site configuration larger than this is none.
const MAX_BYTES: u64 = 1_000_000;

/// In so many folders, from the posts up, the site's configuration is looked for.
const NEAR: usize = 3;

/// Everything a scan needs to know.
#[derive(Debug, Clone)]
pub struct Site {
    /// What relative paths start from.
    pub root: PathBuf,
    /// The folders below `root` in which posts lie.
    pub folders: Vec<String>,
    /// Where what posts enclose may lie.
    pub own_files: Arc<OwnFiles>,
    /// `posts.dir` as the configuration names it, less what `root` already covers: what people see before a path.
    prefix: String,
    /// Only what lies in a `_posts` or `_drafts` folder is a post.
    jekyll_folders: bool,
    pub rules: Rules,
    /// Of the rules, which decide what every post's bytes mean.
    pub rules_version: u128,
    pub includes: BTreeMap<String, String>,
    /// Of the rules and the includes: another one means reading and rendering every post again.
    pub version: u128,
    /// The generator's own configuration, for what ours leaves open.
    pub found: Option<SiteConfig>,
    /// Where that lies.
    pub folder: Option<PathBuf>,
    pub max_bytes: u64,
    pub problems: Vec<Problem>,
    /// What the sections say that the posts directory lies in: their names below `content`, as people see them, and texts.
    pub sections_above: Vec<(String, String, String)>,
}

impl Site {
    /// A path as people see it: it can be opened from where the configuration lies.
    #[must_use]
    pub fn display(&self, relative: &str) -> String {
        match (self.prefix.is_empty(), relative.is_empty()) {
            (true, true) => ".".to_owned(),
            (true, false) => relative.to_owned(),
            (false, true) => self.prefix.clone(),
            (false, false) => format!("{}/{relative}", self.prefix),
        }
    }

    #[must_use]
    pub fn relative<'a>(&self, display: &'a str) -> &'a str {
        display.strip_prefix(&self.prefix).unwrap_or(display).trim_start_matches('/')
    }

    /// By its name and place.
    #[must_use]
    pub fn may_be_post(&self, relative: &str) -> bool {
        let is_place = !self.jekyll_folders || lies_in(relative, "_posts") || lies_in(relative, "_drafts");
        is_place && self.rules.may_be_post(relative)
    }

    /// Where a file lies below `content`.
    #[must_use]
    pub fn below_content(&self, relative: &str) -> String {
        let section = &self.rules.section;
        if section.is_empty() { relative.to_owned() } else { format!("{section}/{relative}") }
    }

    #[must_use]
    pub fn title(&self, config: &Config) -> String {
        let own = Some(config.site.title.clone()).filter(|t| !t.is_empty());
        own.or_else(|| self.found.as_ref()?.title.clone()).unwrap_or_else(|| "Blog".to_owned())
    }

    #[must_use]
    pub fn description(&self, config: &Config) -> String {
        let own = Some(config.site.description.clone()).filter(|t| !t.is_empty());
        own.or_else(|| self.found.as_ref()?.description.clone()).unwrap_or_default()
    }
}

/// Looks around the posts directory.
#[must_use]
pub fn site(config: &Config) -> Site {
    let dir = config.path(&config.posts.dir);
    let mut problems = Vec::new();
    let mut configured = |folder: PathBuf| site_config(&folder, &mut problems).map(|config| (folder, config));
    let near = neighbours(&dir).into_iter().find_map(&mut configured);
    let found =
        near.or_else(|| configured(absolute(&dir).ancestors().nth(NEAR)?.to_owned()).filter(|c| holds(c, &dir)));
    let dialect = match config.posts.format {
        PostsFormat::Jekyll => Dialect::Jekyll,
        PostsFormat::Hugo => Dialect::Hugo,
        PostsFormat::Zola => Dialect::Zola,
        PostsFormat::Auto => found.as_ref().map_or_else(|| guessed(&dir), |(_, c)| c.dialect),
    };
    let layout = layout(config, &dir, dialect);
    let own_files = own_files(config, dialect, &layout, found.as_ref().map(|(folder, _)| folder));
    problems.extend(exposure::problems(config, found.as_ref().map(|(folder, found)| (&**folder, found))));
    let within = within(&layout, found.as_ref());
    let (section, begins_with) = section(&dir, dialect, found.as_ref());
    let (folder, found) = found.filter(|(_, config)| config.dialect == dialect).unzip();
    let includes = if dialect == Dialect::Jekyll { includes(&layout.root) } else { BTreeMap::new() };
    let rules = Rules { begins_with, within, ..rules(config, dialect, found.as_ref(), section) };
    let rules_version = hash::of(format!("{rules:?}").as_bytes());
    Site {
        sections_above: sections_above(config, &dir, &rules),
        rules,
        rules_version,
        version: Hasher::default().number(rules_version).field(format!("{includes:?}").as_bytes()).finish(),
        root: layout.root,
        folders: layout.folders,
        own_files: Arc::new(own_files),
        prefix: layout.prefix,
        jekyll_folders: layout.jekyll_folders,
        includes,
        found,
        folder,
        max_bytes: config.posts.max_bytes,
        problems,
    }
}

struct Layout {
    root: PathBuf,
    folders: Vec<String>,
    prefix: String,
    jekyll_folders: bool,
    /// `root` holds the whole site, not only its posts.
    is_source: bool,
}

fn layout(config: &Config, dir: &Path, dialect: Dialect) -> Layout {
    let shown = |path: &Path| {
        let text = path.strip_prefix("./").unwrap_or(path).to_string_lossy().trim_end_matches('/').to_owned();
        if text == "." { String::new() } else { text }
    };
    // A posts directory that is a link is the operator's choice, and read where it leads; links below it are not followed.
    let named = dir.file_name().is_some_and(|name| name == "_posts") && !dir.is_symlink();
    match (dialect, dir.parent()) {
        (Dialect::Jekyll, Some(parent)) if named => Layout {
            root: if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_owned() },
            folders: vec!["_posts".to_owned(), "_drafts".to_owned()],
            prefix: shown(config.posts.dir.parent().unwrap_or(Path::new(""))),
            jekyll_folders: false,
            is_source: true,
        },
        _ => Layout {
            root: dir.to_owned(),
            folders: vec![String::new()],
            prefix: shown(&config.posts.dir),
            jekyll_folders: dialect == Dialect::Jekyll && has_jekyll_folders(dir),
            is_source: false,
        },
    }
}

/// Where the folder that paths start from lies below Jekyll's source.
fn within(layout: &Layout, found: Option<&(PathBuf, SiteConfig)>) -> String {
    let root = absolute(&layout.root);
    let below = found.filter(|(_, config)| config.dialect == Dialect::Jekyll).and_then(|(folder, config)| {
        let below = root.strip_prefix(folder.join(jekyll::source(&config.raw))).ok()?;
        Some(below.to_string_lossy().into_owned())
    });
    let is_posts = !layout.is_source && root.ends_with("_posts");
    below.unwrap_or_else(|| if is_posts { "_posts".to_owned() } else { String::new() })
}

/// Those of the folders between `content` and the posts directory.
fn sections_above(config: &Config, dir: &Path, rules: &Rules) -> Vec<(String, String, String)> {
    let depth = rules.section.split('/').filter(|part| !part.is_empty()).count();
    let languages = rules.languages.iter().map(|language| format!("_index.{language}.md"));
    let names: Vec<String> = languages.chain(["_index.md".to_owned()]).collect();
    let mut found = Vec::new();
    for (up, folder) in absolute(dir).ancestors().skip(1).take(depth).enumerate() {
        let Ok(root) = Root::open(folder) else { continue };
        let below: Vec<&str> = rules.section.split('/').take(depth - 1 - up).collect();
        for name in &names {
            let Some(text) = read(&root, name) else { continue };
            let path = below.iter().copied().chain([name.as_str()]).collect::<Vec<_>>().join("/");
            let shown = config.posts.dir.ancestors().nth(up + 1).unwrap_or(Path::new("")).join(name);
            found.push((path, shown.to_string_lossy().into_owned(), text));
        }
    }
    found
}

fn has_jekyll_folders(dir: &Path) -> bool {
    let below = |folder: &Path| folder.join("_posts").is_dir() || folder.join("_drafts").is_dir();
    below(dir) || std::fs::read_dir(dir).into_iter().flatten().flatten().any(|entry| below(&entry.path()))
}

/// Hugo's posts may lie deeper, in a folder for their language.
fn holds((folder, config): &(PathBuf, SiteConfig), dir: &Path) -> bool {
    let contents = hugo::contents(&config.raw).into_iter();
    config.dialect == Dialect::Hugo && { contents }.any(|(content, _)| absolute(dir).starts_with(folder.join(content)))
}

/// The posts directory and the two above it.
fn neighbours(dir: &Path) -> Vec<PathBuf> {
    absolute(dir).ancestors().take(NEAR).map(Path::to_owned).collect()
}

pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(Path::new(".").join(path)).unwrap_or_else(|_| path.to_owned())
}

/// A site's own folder is where its generator is configured; else the one that holds `_posts` or `content`; else, if our own
/// configuration is above the posts, where that lies. It never is the root of all folders.
fn own_files(config: &Config, dialect: Dialect, layout: &Layout, configured: Option<&PathBuf>) -> OwnFiles {
    let posts = absolute(&layout.root);
    let content = posts.ancestors().find(|folder| folder.ends_with("content")).and_then(Path::parent);
    let content = content.filter(|_| dialect != Dialect::Jekyll);
    let ours = absolute(&config.path(Path::new("")));
    let is_above = |folder: &&Path| {
        let down = posts.strip_prefix(folder);
        folder.parent().is_some() && down.is_ok_and(|d| d.components().all(|c| matches!(c, Component::Normal(_))))
    };
    let known = [configured.map(PathBuf::as_path), content, (!layout.is_source).then_some(&ours)];
    let own = known.into_iter().flatten().find(is_above).unwrap_or(&posts);
    let folders = posts.ancestors().take_while(|folder| folder.starts_with(own) && folder.parent().is_some());
    OwnFiles {
        folders: folders.map(Path::to_owned).collect(),
        anywhere: dialect == Dialect::Jekyll || configured.is_none() && content.is_none(),
        posts,
    }
}

/// A site's configuration, if there is one of this name; with the files beside it that are parts of it.
#[must_use]
pub fn read_config(folder: &Path, name: &str) -> Option<Result<SiteConfig, Problem>> {
    let root = Root::open(folder).ok()?;
    let text = read(&root, name)?;
    let Some((beside, file)) = name.rsplit_once('/') else { return Some(SiteConfig::read(name, &text)) };
    let extension = file.rsplit('.').next().unwrap_or_default();
    let part = |table: &'static str| {
        let file = format!("{beside}/{table}.{extension}");
        let text = read(&root, &file)?;
        Some((table, file, text))
    };
    let parts: Vec<_> = Dialect::CONFIG_PARTS.into_iter().filter_map(part).collect();
    Some(SiteConfig::read_with(name, &text, &parts))
}

fn site_config(folder: &Path, problems: &mut Vec<Problem>) -> Option<SiteConfig> {
    for name in Dialect::CONFIG_NAMES {
        let Some(config) = read_config(folder, name) else { continue };
        match config {
            Ok(config) if name.starts_with("config.") && config.url.is_none() && config.title.is_none() => {}
            Ok(config) => return Some(config),
            Err(problem) => {
                let path = folder.join(name).to_string_lossy().into_owned();
                problems.push(Problem { path, ..problem });
            }
        }
    }
    None
}

fn read(root: &Root, relative: &str) -> Option<String> {
    let (_, bytes) = root.find(relative).ok()??.read(MAX_BYTES).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn guessed(dir: &Path) -> Dialect {
    let name = dir.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let Ok(root) = Root::open(dir) else { return guess(&name, std::iter::empty()) };
    let mut found = Vec::new();
    root.walk("", &mut found, &mut Vec::new(), &str::to_owned);
    let samples: Vec<(String, String)> = found
        .iter()
        .filter(|f| f.relative.ends_with(".md") || f.relative.ends_with(".markdown"))
        .take(50)
        .map(|f| {
            (
                f.relative.to_string(),
                f.read(MAX_BYTES).map(|(_, b)| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default(),
            )
        })
        .collect();
    guess(&name, samples.iter().map(|(path, text)| (path.as_str(), text.as_str())))
}

/// `posts` for `content/posts`, and what addresses begin with that lead there.
fn section(dir: &Path, dialect: Dialect, found: Option<&(PathBuf, SiteConfig)>) -> (String, Option<String>) {
    let contents = found.filter(|(_, config)| config.dialect == Dialect::Hugo && dialect == Dialect::Hugo);
    let known = contents.and_then(|(folder, config)| {
        let below = |content: &str| absolute(dir).strip_prefix(folder.join(content)).ok().map(Path::to_owned);
        let all = hugo::contents(&config.raw).into_iter();
        // One language's may lie in that of all others.
        let (_, below, begins_with) = all
            .filter_map(|(content, begins_with)| Some((content.len(), below(&content)?, begins_with)))
            .max_by_key(|(length, ..)| *length)?;
        Some((below.to_string_lossy().into_owned(), begins_with))
    });
    known.unwrap_or_else(|| (usual_section(dir, dialect), None))
}

/// Also for a `posts` folder on its own, as Hugo and Zola would serve it.
fn usual_section(dir: &Path, dialect: Dialect) -> String {
    if dialect == Dialect::Jekyll {
        return String::new();
    }
    let parts: Vec<String> = absolute(dir).components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
    if let Some(content) = parts.iter().rposition(|part| part == "content") {
        return parts[content + 1..].join("/");
    }
    let last = parts.last().cloned().unwrap_or_default();
    if matches!(last.as_str(), "posts" | "post" | "blog" | "articles" | "news") { last } else { String::new() }
}

fn includes(root: &Path) -> BTreeMap<String, String> {
    let Ok(root) = Root::open(root) else { return BTreeMap::new() };
    let mut found = Vec::new();
    root.walk("_includes", &mut found, &mut Vec::new(), &str::to_owned);
    found
        .iter()
        .filter_map(|f| {
            let (_, bytes) = f.read(MAX_BYTES).ok()?;
            let name = f.relative.strip_prefix("_includes/")?.to_owned();
            Some((name, String::from_utf8_lossy(&bytes).into_owned()))
        })
        .collect()
}

fn rules(config: &Config, dialect: Dialect, found: Option<&SiteConfig>, section: String) -> Rules {
    let optional = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
    let known_authors = config
        .authors
        .iter()
        .map(|a| Known {
            author: Author {
                name: a.name.clone(),
                email: optional(&a.email),
                uri: optional(&a.url),
                organisation: optional(&a.organisation),
            },
            aliases: a.aliases.clone(),
        })
        .collect::<Vec<_>>();
    let default = optional(&config.site.author).or_else(|| found?.author.clone());
    let default_author = default.map(|name| {
        known_authors.iter().find(|k| k.author.is(&name)).map_or_else(
            || Author { email: optional(&config.site.email), ..Author::named(name.clone()) },
            |k| k.author.clone(),
        )
    });
    let mut permalinks = found.map(|c| c.permalinks.clone()).unwrap_or_default();
    permalinks.extend(config.posts.permalinks.clone());
    Rules {
        dialect,
        base_url: config.site.url.trim_end_matches('/').to_owned(),
        zone: config.site.zone(),
        permalink: optional(&config.posts.permalink).or_else(|| found?.permalink.clone()),
        permalinks,
        section,
        languages: found.map(|c| c.languages.clone()).unwrap_or_default(),
        languages_off: found.map(|c| c.languages_off.clone()).unwrap_or_default(),
        begins_with: None,
        within: String::new(),
        known_authors,
        default_author,
        site: found.map(|c| c.raw.clone()).unwrap_or_default(),
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test's files need no care")]
mod tests {
    use super::*;
    use crate::config::load_str;

    /// The folders, from the posts up, in which the files that posts enclose are looked for, and whether they may lie anywhere
    /// there. Our own configuration is in `etc` or, if `beside`, in the tree's root.
    fn own(files: &[&str], posts: &str, beside: bool) -> (Vec<String>, bool) {
        let tree = tempfile::tempdir().unwrap();
        let dir = tree.path().join(posts);
        std::fs::create_dir_all(&dir).unwrap();
        for file in files {
            std::fs::write(tree.path().join(file), "title: \"Notes\"\nurl: \"https://a.example\"\n").unwrap();
        }
        let mut config = load_str("[posts]\n", "gazetted.toml", &BTreeMap::new()).config;
        config.base = tree.path().join(if beside { "" } else { "etc" });
        config.posts.dir = if beside { PathBuf::from(posts) } else { dir };
        let found = site(&config).own_files;
        let folders = found.folders.iter().map(|f| f.strip_prefix(tree.path()).unwrap().to_string_lossy().into_owned());
        (folders.collect(), found.anywhere)
    }

    #[test]
    fn a_site_ends_where_its_generator_is_configured_or_its_layout_says() {
        for (files, posts, beside, folders, anywhere) in [
            (&["s/_config.yml"][..], "s/_posts", false, &["s"][..], true),
            (&[], "s/_posts", true, &["s"], true),
            (&["s/_config.yml"], "s/src/_posts", false, &["s/src", "s"], true),
            (&["s/hugo.yaml"], "s/content/posts", false, &["s/content/posts", "s/content", "s"], false),
            (
                &[],
                "s/content/a/b/posts",
                false,
                &["s/content/a/b/posts", "s/content/a/b", "s/content/a", "s/content", "s"],
                false,
            ),
            (&[], "s/posts", true, &["s/posts", "s", ""], true),
            (&[], "s/posts", false, &["s/posts"], true),
            (&["s/posts/_config.yml"], "s/posts", true, &["s/posts"], true),
        ] {
            let expected = (folders.iter().map(|folder| (*folder).to_owned()).collect(), anywhere);
            assert_eq!(own(files, posts, beside), expected, "{posts} {beside} {files:?}");
        }
    }
}
