//! Where a site's posts may lie: `init` chooses among the folders that people use, and `check` says what it sees beside the one that
//! is read. Knows how many posts a folder holds, and nothing of what they say.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::site::absolute;
use super::{Files, Settle, Site, site};
use crate::config::Config;
use crate::domain::dialect::{self, Dialect, SiteConfig, hugo, jekyll};
use crate::domain::gist::Gists;
use crate::domain::problem::Problem;

/// What people call the folder of their posts, below the one that holds all pages.
const USUAL: [&str; 5] = ["posts", "post", "blog", "articles", "news"];

/// Of the folders that people use, below `folder`, the one with the most dated posts, the first of several, and how many it has.
#[must_use]
pub fn fullest(folder: &Path, found: Option<&SiteConfig>) -> Option<(String, usize)> {
    fullest_of(folder, candidates(found))
}

fn fullest_of(folder: &Path, candidates: Vec<Vec<String>>) -> Option<(String, usize)> {
    let count = |name: String| {
        let dated = dated(folder, &name);
        (name, dated)
    };
    let best = |group: Vec<String>| {
        let there = group.into_iter().filter(|name| folder.join(name).is_dir()).map(count);
        there.reduce(|best, next| if next.1 > best.1 { next } else { best })
    };
    candidates.into_iter().filter_map(best).find(|(_, dated)| *dated > 0)
}

/// In groups: a later one only matters if there are no posts in those before.
fn candidates(found: Option<&SiteConfig>) -> Vec<Vec<String>> {
    match found.map(|found| (found.dialect, found)) {
        // The whole site, if `_posts` lie in several of its folders.
        Some((Dialect::Jekyll, _)) => vec![vec!["_posts".to_owned(), ".".to_owned()]],
        Some((Dialect::Hugo, found)) => {
            hugo::contents(&found.raw).iter().flat_map(|(content, _)| below(content)).collect()
        }
        Some((Dialect::Zola, _)) => below("content"),
        None => {
            let mut all = vec!["_posts".to_owned(), "posts".to_owned()];
            all.extend(usual("content"));
            vec![all, vec!["content".to_owned()]]
        }
    }
}

fn below(content: &str) -> Vec<Vec<String>> {
    vec![usual(content), vec![content.to_owned()]]
}

fn usual(content: &str) -> Vec<String> {
    USUAL.iter().map(|name| format!("{content}/{name}")).collect()
}

fn dated(folder: &Path, name: &str) -> usize {
    let mut config = Config { base: folder.to_owned(), ..Config::default() };
    config.posts.dir = name.into();
    let site = site(&config);
    let settle = Settle { now: Timestamp::UNIX_EPOCH, age: Duration::ZERO };
    let files = Files::scan(&site, &Files::default(), &Gists::default(), settle);
    let has_date = |parsed: &&super::Parsed| parsed.post.as_ref().is_some_and(|(post, _)| post.date.is_some());
    files.parsed(&site).filter(has_date).count()
}

/// What lies elsewhere, and what the site's own configuration says that is not followed. `posts`: so many were found.
#[must_use]
pub fn problems(config: &Config, site: &Site, posts: usize) -> Vec<Problem> {
    let file = config.file.as_deref().unwrap_or(Path::new("gazetted.toml")).display().to_string();
    let warning = |message: String, hint: String| Problem::warning(&file, "posts-dir", message).hint(hint);
    let dir = config.posts.dir.display();
    let mut all = Vec::new();
    if let Some((name, count)) =
        site.folder.as_deref().filter(|_| posts == 0).and_then(|at| fullest(at, site.found.as_ref()))
    {
        let shown = shown(config, site, &name);
        let are = if count == 1 { "1 lies" } else { "{} lie" }.replace("{}", &count.to_string());
        all.push(warning(
            format!("there are no posts in `{dir}`; {are} in `{shown}`"),
            format!("say `dir = \"{shown}\"` below `[posts]`"),
        ));
    }
    let beside = beside(config, site);
    if !beside.is_empty() {
        all.push(warning(
            format!("only `{dir}` is read, and posts lie in {}, too", beside.join(", ")),
            "say `dir` below `[posts]` as the folder that holds all of them: `.` for the site's own".to_owned(),
        ));
    }
    let foreign = of_other_languages(config, site);
    if !foreign.is_empty() {
        all.push(warning(
            format!("only `{dir}` is read, and other languages have their posts in {}", foreign.join(", ")),
            "one configuration reads one folder: give each language its own, with its own store and address".to_owned(),
        ));
    }
    let unheard = site.found.iter().flat_map(dialect::unheard);
    all.extend(unheard.map(|(key, instead)| {
        let message = format!("the site's own configuration has `{key}`, which is not followed: {instead}");
        Problem::warning(&file, "site-config", message).hint("nothing need be done if that is as it should be")
    }));
    all
}

/// As `posts.dir` would have to name it.
fn shown(config: &Config, site: &Site, name: &str) -> String {
    let base = absolute(&config.base);
    let whole = site.folder.as_deref().unwrap_or(Path::new("")).join(name);
    let shown = whole.strip_prefix(&base).unwrap_or(&whole).display().to_string();
    if shown.is_empty() { ".".to_owned() } else { shown }
}

/// Where Hugo's other languages have posts, if each has a folder of its own for all its pages.
fn of_other_languages(config: &Config, site: &Site) -> Vec<String> {
    let (Some(folder), Some(found)) = (site.folder.as_deref(), site.found.as_ref()) else { return Vec::new() };
    if found.dialect != Dialect::Hugo {
        return Vec::new();
    }
    let dir = absolute(&config.path(&config.posts.dir));
    let is_apart = |content: &String| {
        let content = folder.join(content);
        !dir.starts_with(&content) && !content.starts_with(&dir)
    };
    let others = hugo::contents(&found.raw).into_iter().map(|(content, _)| content).filter(is_apart);
    let fullest = others.filter_map(|content| fullest_of(folder, below(&content)));
    fullest.map(|(name, _)| format!("`{}`", shown(config, site, &name))).collect()
}

/// Jekyll's other folders of posts.
fn beside(config: &Config, site: &Site) -> Vec<String> {
    let is_one = site.rules.dialect == Dialect::Jekyll && config.posts.dir.ends_with("_posts");
    let Some(folder) = site.folder.as_deref().filter(|_| is_one) else { return Vec::new() };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let is_read = |name: &String| jekyll::copies(&site.rules.site, &format!("{name}/"));
    let holds = |name: &String| folder.join(name).join("_posts").is_dir();
    let mut found: Vec<String> = names.filter(|name| is_read(name) && holds(name)).collect();
    found.retain(|name| site.rules.within != *name);
    found.sort();
    found.into_iter().map(|name| format!("`{name}/_posts`")).collect()
}
