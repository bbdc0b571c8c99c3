//! The three kinds of blog: what their site configuration says, which of their files are posts, and at which address
//! each post's page stands. Knows no file system: it is handed names and texts.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::author::Author;
use super::byline::Known;
use super::problem::Problem;

pub mod glob;
pub mod hugo;
pub mod jekyll;
pub mod sections;
pub mod slug;
pub mod zola;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    Jekyll,
    Hugo,
    Zola,
}

impl Dialect {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jekyll => "jekyll",
            Self::Hugo => "hugo",
            Self::Zola => "zola",
        }
    }

    /// As people write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Jekyll => "Jekyll",
            Self::Hugo => "Hugo",
            Self::Zola => "Zola",
        }
    }

    /// The names a site's own configuration goes by, in the order they are looked for.
    pub const CONFIG_NAMES: [&str; 14] = [
        "_config.yml",
        "_config.yaml",
        "_config.toml",
        "hugo.toml",
        "hugo.yaml",
        "hugo.json",
        "config/_default/hugo.toml",
        "config/_default/hugo.yaml",
        "config/_default/config.toml",
        "config/_default/config.yaml",
        "zola.toml",
        "config.toml",
        "config.yaml",
        "config.json",
    ];

    /// Tables that Hugo takes from files of their own beside a configuration in `config/_default`.
    pub const CONFIG_PARTS: [&str; 3] = ["permalinks", "params", "languages"];
}

/// What a generator's own configuration tells us.
#[derive(Debug, Clone, PartialEq)]
pub struct SiteConfig {
    pub dialect: Dialect,
    pub title: Option<String>,
    pub description: Option<String>,
    pub url: Option<String>,
    pub language: Option<String>,
    pub time_zone: Option<String>,
    pub author: Option<String>,
    /// Jekyll's one pattern.
    pub permalink: Option<String>,
    /// Hugo's patterns by section.
    pub permalinks: BTreeMap<String, String>,
    /// The main one, and others: `post.fr.md`, `/fr/...`.
    pub languages: Vec<String>,
    /// Those of them whose pages are not built.
    pub languages_off: Vec<String>,
    /// All of it, for Liquid's `site.*` and front matter defaults.
    pub raw: Map<String, Value>,
}

impl SiteConfig {
    /// Reads the configuration file `name`; a problem if it cannot be read.
    pub fn read(name: &str, text: &str) -> Result<Self, Problem> {
        Self::read_with(name, text, &[])
    }

    /// The same; `parts` are files of tables it has beside it: the table's name, the file's, and its text.
    pub fn read_with(name: &str, text: &str, parts: &[(&str, String, String)]) -> Result<Self, Problem> {
        let mut raw = parse(name, text)?;
        for (table, file, text) in parts {
            let part = Value::Object(parse(file, text)?);
            raw.entry((*table).to_owned()).or_insert(part);
        }
        let dialect = match name {
            _ if name.starts_with("_config") => Dialect::Jekyll,
            "zola.toml" => Dialect::Zola,
            "config.toml" if raw.contains_key("base_url") && !raw.contains_key("baseURL") => Dialect::Zola,
            _ => Dialect::Hugo,
        };
        let mut config = match dialect {
            Dialect::Jekyll => jekyll::site(&raw),
            Dialect::Hugo => hugo::site(&raw),
            Dialect::Zola => zola::site(&raw),
        };
        config.raw = raw;
        Ok(config)
    }

    fn empty(dialect: Dialect) -> Self {
        Self {
            dialect,
            title: None,
            description: None,
            url: None,
            language: None,
            time_zone: None,
            author: None,
            permalink: None,
            permalinks: BTreeMap::new(),
            languages: Vec::new(),
            languages_off: Vec::new(),
            raw: Map::new(),
        }
    }
}

fn parse(name: &str, text: &str) -> Result<Map<String, Value>, Problem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let extension = name.rsplit('.').next().unwrap_or_default();
    let (open, close) = match extension {
        "toml" => ("+++\n", "\n+++\n"),
        "json" => ("", ""),
        _ => ("---\n", "\n---\n"),
    };
    // A site's configuration is front matter without a text; its lines count from one less than there.
    let body = if extension == "yml" || extension == "yaml" { text.trim_start_matches("---\n") } else { text };
    let whole = format!("{open}{body}{close}");
    let split =
        super::front_matter::split(&whole).map_err(|_| Problem::error(name, "site-config", "cannot be read"))?;
    let read = if name.starts_with("_config") {
        super::front_matter::read_last(name, &split).map(|(raw, _)| raw)
    } else {
        super::front_matter::read(name, &split)
    };
    read.map_err(|mut problem| {
        problem.line = problem.line.saturating_sub(open.len().min(1));
        problem.code = "site-config";
        problem.message = problem.message.replace("front matter", "site configuration");
        problem
    })
}

/// What the site's own configuration asks for that is not done here, and what is done instead.
#[must_use]
pub fn unheard(config: &SiteConfig) -> Vec<(&'static str, &'static str)> {
    const LATER: &str = "a post appears at its date, not before";
    const DRAFTS: &str = "drafts are in no feed";
    let raw = &config.raw;
    let switches: &[(&str, &str)] = match config.dialect {
        Dialect::Jekyll => {
            &[("future", LATER), ("show_drafts", DRAFTS), ("unpublished", "what says `published: false` is in no feed")]
        }
        Dialect::Hugo => &[
            ("buildFuture", LATER),
            ("buildDrafts", DRAFTS),
            ("buildExpired", "a post leaves at its `expiryDate`"),
            ("frontmatter", "the date is `date`, or what the file's name begins with"),
        ],
        Dialect::Zola => &[],
    };
    let is_on = |key: &str| {
        let value = hugo::setting(raw, &key.to_ascii_lowercase());
        value.is_some_and(|value| value.is_object() || *value == Value::Bool(true))
    };
    switches.iter().copied().filter(|(key, _)| is_on(key)).collect()
}

/// The first of these keys that holds a text.
#[must_use]
pub fn text(map: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|k| map.get(*k)).and_then(scalar).filter(|s| !s.is_empty())
}

/// A scalar as the text a person typed.
#[must_use]
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(s) => Some(s.trim().to_owned()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    }
}

/// A switch; YAML 1.1's words are understood as Jekyll does.
#[must_use]
pub fn flag(map: &Map<String, Value>, key: &str) -> Option<bool> {
    match map.get(key)? {
        Value::Bool(b) => Some(*b),
        Value::String(s) => match s.to_lowercase().as_str() {
            "true" | "yes" | "on" | "y" => Some(true),
            "false" | "no" | "off" | "n" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn is_true(map: &Map<String, Value>, key: &str) -> bool {
    flag(map, key) == Some(true)
}

/// Everything beside the file itself that decides what a post means and where it stands.
#[derive(Debug, Clone)]
pub struct Rules {
    pub dialect: Dialect,
    /// The blog's address without a trailing slash; may have a path (`https://example.org/blog`).
    pub base_url: String,
    pub zone: TimeZone,
    /// Jekyll's pattern or style.
    pub permalink: Option<String>,
    /// Hugo's patterns by section.
    pub permalinks: BTreeMap<String, String>,
    /// Where the posts directory lies below `content`: `posts` for `content/posts`.
    pub section: String,
    /// The main one first; empty if nothing is said of them.
    pub languages: Vec<String>,
    /// Those of them whose pages are not built.
    pub languages_off: Vec<String>,
    /// What addresses of pages without a language in their name begin with (Hugo).
    pub begins_with: Option<String>,
    /// Where the folder that paths start from lies below Jekyll's source.
    pub within: String,
    pub known_authors: Vec<Known>,
    /// Stands in for posts that name nobody.
    pub default_author: Option<Author>,
    /// The site's own configuration.
    pub site: Map<String, Value>,
}

impl Rules {
    /// The absolute, percent-encoded address of a path.
    #[must_use]
    pub fn absolute(&self, path: &str) -> String {
        format!("{}/{}", self.base_url, slug::encode_path(path.trim_start_matches('/')))
    }

    /// Where a file lies below Jekyll's source.
    #[must_use]
    pub fn in_site<'a>(&self, relative: &'a str) -> Cow<'a, str> {
        if self.within.is_empty() { relative.into() } else { format!("{}/{relative}", self.within).into() }
    }

    /// Whether a file can be a post, by its name and what the site's configuration says of it.
    #[must_use]
    pub fn may_be_post(&self, relative: &str) -> bool {
        is_post_file(self.dialect, relative)
            && !(self.dialect == Dialect::Jekyll && jekyll::excludes(&self.site, &self.in_site(relative)))
    }
}

#[cfg(test)]
impl Rules {
    /// Of a site that says nothing of itself.
    #[must_use]
    pub fn sample(dialect: Dialect) -> Self {
        Self {
            dialect,
            base_url: "https://a.example".into(),
            zone: TimeZone::get("Europe/Berlin").unwrap(),
            permalink: None,
            permalinks: BTreeMap::new(),
            section: String::new(),
            languages: Vec::new(),
            languages_off: Vec::new(),
            begins_with: None,
            within: String::new(),
            known_authors: Vec::new(),
            default_author: Some(Author::named("The Team")),
            site: Map::new(),
        }
    }
}

/// Whether a file below the posts directory can be a post, by its name alone.
#[must_use]
pub fn is_post_file(dialect: Dialect, relative: &str) -> bool {
    let name = relative.rsplit('/').next().unwrap_or(relative);
    let Some((stem, extension)) = name.rsplit_once('.') else { return false };
    let extension = extension.to_ascii_lowercase();
    let known = match dialect {
        Dialect::Jekyll => matches!(extension.as_str(), "md" | "markdown" | "mkdown" | "mkdn" | "mkd" | "html" | "htm"),
        Dialect::Hugo => matches!(extension.as_str(), "md" | "markdown" | "mdown" | "html" | "htm"),
        Dialect::Zola => extension == "md",
    };
    let section = stem == "_index" || stem.starts_with("_index.");
    known && !section && !is_scratch(relative)
}

/// The folders that are one page's, which has the name `index` in them: whatever else they hold is that page's, and no page.
/// Hugo and Zola have them.
#[derive(Debug, Default)]
pub struct PageFolders<'a>(HashSet<&'a str>);

impl<'a> PageFolders<'a> {
    /// Those among files of these names. `is_known`: so is the site's generator, and the posts directory itself may be one.
    #[must_use]
    pub fn among(dialect: Dialect, is_known: bool, names: impl Iterator<Item = &'a str>) -> Self {
        let folder = |name: &'a str| {
            let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
            (file.starts_with("index.") && (is_known || !folder.is_empty())).then_some(folder)
        };
        if dialect == Dialect::Jekyll { Self::default() } else { Self(names.filter_map(folder).collect()) }
    }

    /// Whether a file is part of such a page, and not the page.
    #[must_use]
    pub fn have_beside(&self, relative: &str) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let above = relative.rmatch_indices('/').map(|(end, _)| &relative[..end]).chain([""]);
        let is_page = relative.rsplit('/').next().is_some_and(|name| name.starts_with("index."));
        above.skip(usize::from(is_page)).any(|folder| self.0.contains(folder))
    }
}

/// Whether one of the folders that lead to a file has this name.
#[must_use]
pub fn lies_in(path: &str, folder: &str) -> bool {
    path.split('/').rev().skip(1).any(|part| part == folder)
}

/// Editors' and tools' own files, wherever they lie.
#[must_use]
pub fn is_scratch(relative: &str) -> bool {
    relative.split('/').any(|part| {
        part.starts_with('.')
            || part.starts_with('#')
            || part.ends_with('~')
            || part.ends_with('#')
            || part.starts_with("~$")
            || part == "node_modules"
            || ["swp", "swo", "swx", "tmp", "bak", "orig", "rej", "part", "crdownload"]
                .iter()
                .any(|e| part.rsplit_once('.').is_some_and(|(_, ext)| ext.eq_ignore_ascii_case(e)))
    })
}

/// Guesses the dialect where no site configuration tells it: from a few of the posts' names and first lines.
#[must_use]
pub fn guess<'a>(dir_name: &str, samples: impl Iterator<Item = (&'a str, &'a str)>) -> Dialect {
    if dir_name == "_posts" {
        return Dialect::Jekyll;
    }
    let (mut toml, mut zola, mut dated, mut all) = (0, 0, 0, 0);
    for (path, start) in samples {
        all += 1;
        if path.split('/').any(|part| part == "_posts" || part == "_drafts") {
            return Dialect::Jekyll;
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        dated += usize::from(super::dates::from_file_name(name).is_some());
        if start.trim_start_matches('\u{feff}').starts_with("+++") {
            toml += 1;
            zola += usize::from(start.contains("\n[taxonomies]") || start.contains("\n[extra]"));
        }
    }
    match () {
        () if zola > 0 => Dialect::Zola,
        () if toml > 0 => Dialect::Hugo,
        () if all > 0 && dated * 2 > all => Dialect::Jekyll,
        () => Dialect::Hugo,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn site_configurations_are_told_apart_and_read() {
        for (name, text, dialect, title) in [
            ("_config.yml", "title : Notes\nurl: https://a.example\n", Dialect::Jekyll, "Notes"),
            ("hugo.toml", "title = \"Notes\"\nbaseURL = \"https://a.example/\"\n", Dialect::Hugo, "Notes"),
            ("config.toml", "title = \"Notes\"\nbase_url = \"https://a.example\"\n", Dialect::Zola, "Notes"),
            ("config.toml", "title = \"Notes\"\nbaseURL = \"https://a.example\"\n", Dialect::Hugo, "Notes"),
            ("hugo.json", "{\"title\": \"Notes\", \"baseURL\": \"https://a.example\"}", Dialect::Hugo, "Notes"),
        ] {
            let config = SiteConfig::read(name, text).unwrap();
            assert_eq!((config.dialect, config.title.as_deref()), (dialect, Some(title)), "{name}");
            assert_eq!(config.url.as_deref(), Some("https://a.example"), "{name}");
        }
        let problem = SiteConfig::read("_config.yml", "title: a\nb: [\n").unwrap_err();
        assert!((2..=3).contains(&problem.line), "{problem}");
    }

    #[test]
    fn what_is_asked_for_and_not_done_is_known() {
        for (name, text, keys) in [
            ("_config.yml", "future: true\nshow_drafts: false\n", &["future"][..]),
            ("hugo.toml", "buildfuture = true\n[frontmatter]\ndate = [':filename']\n", &["buildFuture", "frontmatter"]),
            ("zola.toml", "title = 'A'\n", &[]),
        ] {
            let found = unheard(&SiteConfig::read(name, text).unwrap());
            assert_eq!(found.iter().map(|(key, _)| *key).collect::<Vec<_>>(), keys, "{name}");
        }
    }

    #[test]
    fn editors_files_are_never_posts() {
        for name in [
            ".x.md.swp",
            "x.md~",
            ".#x.md",
            "#x.md#",
            "4913",
            "x.md.tmp",
            ".git/x.md",
            ".obsidian/a.md",
            "x.bak",
            "a/.hidden.md",
            "~$x.md",
            "_index.md",
            "x.txt",
            "_index.fr.md",
        ] {
            for dialect in [Dialect::Jekyll, Dialect::Hugo, Dialect::Zola] {
                assert!(!is_post_file(dialect, name), "{name}");
            }
        }
        assert!(is_post_file(Dialect::Hugo, "a/index.md"));
        assert!(is_post_file(Dialect::Jekyll, "2021-05-07-x.markdown"));
    }

    #[test]
    fn what_lies_beside_a_page_with_a_folder_of_its_own_is_no_post() {
        let names = [
            "a.md",
            "b/index.md",
            "b/notes.md",
            "b/deep/c.md",
            "b/deep/index.md",
            "d/index.de.md",
            "d/e.md",
            "bb/f.md",
        ];
        let left = |dialect, is_known, names: &[&'static str]| {
            let folders = PageFolders::among(dialect, is_known, names.iter().copied());
            names.iter().copied().filter(|name| !folders.have_beside(name)).collect::<Vec<_>>()
        };
        let posts = ["a.md", "b/index.md", "d/index.de.md", "bb/f.md"];
        assert_eq!(left(Dialect::Hugo, true, &names), posts);
        assert_eq!(left(Dialect::Zola, false, &names), posts);
        assert_eq!(left(Dialect::Jekyll, true, &names), names);
        assert_eq!(left(Dialect::Hugo, true, &["index.md", "a.md", "b/index.md"]), ["index.md"]);
        assert_eq!(left(Dialect::Hugo, false, &["index.md", "a.md", "b/index.md"]), ["index.md", "a.md", "b/index.md"]);
    }

    #[test]
    fn the_dialect_is_guessed_from_the_posts() {
        let guess = |samples: &[(&'static str, &'static str)]| guess("posts", samples.iter().copied());
        assert_eq!(guess(&[("2021-05-07-a.md", "---\n"), ("2021-05-08-b.md", "---\n")]), Dialect::Jekyll);
        assert_eq!(guess(&[("a.md", "+++\ntitle = 'a'\n[taxonomies]\n")]), Dialect::Zola);
        assert_eq!(guess(&[("a/index.md", "+++\ntitle = 'a'\n")]), Dialect::Hugo);
        assert_eq!(guess(&[("a.md", "---\n")]), Dialect::Hugo);
        assert_eq!(guess(&[("x/_posts/a.md", "---\n")]), Dialect::Jekyll);
    }
}
