//! Jekyll: `_config.yml`, permalink styles and templates, categories and space-separated tags, front matter defaults.

use jiff::civil::{Date, DateTime};
use serde_json::{Map, Value};

use super::{Dialect, SiteConfig, glob, slug, text};

pub(super) fn site(raw: &Map<String, Value>) -> SiteConfig {
    let base = text(raw, &["baseurl"]).unwrap_or_default();
    let author = match raw.get("author") {
        Some(Value::Object(author)) => text(author, &["name"]),
        _ => text(raw, &["author"]),
    };
    let collection =
        raw.get("collections").and_then(|c| c.get("posts")).and_then(|p| p.get("permalink")).and_then(super::scalar);
    SiteConfig {
        title: text(raw, &["title", "name"]),
        description: text(raw, &["description", "tagline"]),
        url: text(raw, &["url", "production_url"])
            .map(|url| format!("{}{}", url.trim_end_matches('/'), base.trim_end_matches('/'))),
        language: text(raw, &["lang", "locale", "language"]).map(|l| l.replace('_', "-")),
        time_zone: text(raw, &["timezone"]),
        author,
        permalink: collection.or_else(|| text(raw, &["permalink"])),
        ..SiteConfig::empty(Dialect::Jekyll)
    }
}

/// `defaults:` of `_config.yml` that apply to a post, the most specific last. `path` is below Jekyll's source, and so are theirs: a
/// beginning, or a pattern for the post or a folder that leads to it.
pub fn defaults(site: &Map<String, Value>, path: &str) -> Map<String, Value> {
    let mut found = Vec::new();
    for entry in site.get("defaults").and_then(Value::as_array).into_iter().flatten() {
        let scope = entry.get("scope");
        let field = |name| scope.and_then(|s| s.get(name)).and_then(Value::as_str).unwrap_or_default();
        let (kind, scoped) = (field("type"), field("path"));
        let is_here = if scoped.contains('*') { glob::leads_to(scoped, path) } else { path.starts_with(scoped) };
        let applies = matches!(kind, "" | "posts" | "post") && is_here;
        if let (true, Some(values)) = (applies, entry.get("values").and_then(Value::as_object)) {
            found.push(((scoped.len(), !kind.is_empty()), values));
        }
    }
    found.sort_by_key(|(precedence, _)| *precedence);
    found.into_iter().flat_map(|(_, values)| values.clone()).collect()
}

/// Where its files lie, below the folder of `_config.yml`.
#[must_use]
pub fn source(site: &Map<String, Value>) -> String {
    text(site, &["source"]).map_or_else(String::new, |source| source.trim_matches(['.', '/']).to_owned())
}

/// Where it puts what it builds.
#[must_use]
pub fn destination(site: &Map<String, Value>) -> String {
    text(site, &["destination"]).unwrap_or_else(|| "_site".to_owned())
}

/// Whether Jekyll leaves a file out of all it does because `exclude:` says so. `path` is below its source; a folder's ends in `/`.
#[must_use]
pub fn excludes(site: &Map<String, Value>, path: &str) -> bool {
    let excluded = patterns(site, "exclude");
    !excluded.is_empty() && entries(path).any(|entry| entry.matches(&excluded) && !is_included(site, entry))
}

/// Whether Jekyll copies a file that is neither page nor post into the built site, as it does with all it is not told about.
#[must_use]
pub fn copies(site: &Map<String, Value>, path: &str) -> bool {
    let is_special = |entry: Entry<'_>| entry.name().starts_with(['.', '_', '#', '~']) || entry.path.ends_with('~');
    !excludes(site, path) && !entries(path).any(|entry| is_special(entry) && !is_included(site, entry))
}

/// One of the folders that lead to a file, or the file.
#[derive(Debug, Clone, Copy)]
struct Entry<'a> {
    path: &'a str,
    is_folder: bool,
}

fn entries(path: &str) -> impl Iterator<Item = Entry<'_>> {
    let folders = path.match_indices('/').map(|(end, _)| Entry { path: &path[..end], is_folder: true });
    let file = Entry { path, is_folder: false };
    folders.chain(Some(file).filter(|_| !path.ends_with('/')))
}

impl Entry<'_> {
    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    /// By a glob, by its beginning, or as a folder that is named with its slash.
    fn matches(&self, patterns: &[&str]) -> bool {
        patterns.iter().any(|pattern| {
            glob::matches(pattern, self.path)
                || self.path.starts_with(pattern)
                || self.is_folder && pattern.strip_suffix('/') == Some(self.path)
        })
    }
}

fn is_included(site: &Map<String, Value>, entry: Entry<'_>) -> bool {
    let included = patterns(site, "include");
    let name = Entry { path: entry.name(), ..entry };
    entry.matches(&included) || name.matches(&included)
}

fn patterns<'a>(site: &'a Map<String, Value>, key: &str) -> Vec<&'a str> {
    let list = site.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    list.map(|pattern| pattern.trim_start_matches('/')).filter(|pattern| !pattern.is_empty()).collect()
}

/// `categories: [a, b]`, `categories: a b`, `category: a b`: the second form splits at spaces, the last does not.
pub fn words(map: &Map<String, Value>, plural: &str, singular: &str) -> Vec<String> {
    if let Some(value) = map.get(singular).filter(|_| !map.contains_key(plural)) {
        return super::scalar(value).into_iter().filter(|s| !s.is_empty()).collect();
    }
    match map.get(plural) {
        Some(Value::Array(list)) => list.iter().filter_map(super::scalar).filter(|s| !s.is_empty()).collect(),
        Some(Value::String(line)) => line.split_whitespace().map(str::to_owned).collect(),
        Some(other) => super::scalar(other).into_iter().collect(),
        None => Vec::new(),
    }
}

/// What a permalink is made from.
#[derive(Debug)]
pub struct Parts<'a> {
    /// In the site's zone.
    pub date: DateTime,
    /// From the file name, its case kept.
    pub title: &'a str,
    /// Front matter `slug`.
    pub slug: Option<&'a str>,
    pub categories: &'a [String],
    /// The path below the site, for `:path`.
    pub path: &'a str,
}

/// The path a pattern or style gives, unencoded.
#[must_use]
pub fn permalink(pattern: &str, parts: &Parts<'_>) -> String {
    let template = match pattern.trim() {
        "" | "date" => "/:categories/:year/:month/:day/:title:output_ext",
        "pretty" => "/:categories/:year/:month/:day/:title/",
        "ordinal" => "/:categories/:year/:y_day/:title:output_ext",
        "weekdate" => "/:categories/:year/W:week/:short_day/:title:output_ext",
        "none" => "/:categories/:title:output_ext",
        other => other,
    };
    let mut out = String::with_capacity(template.len() + 40);
    let mut rest = template;
    while let Some(at) = rest.find(':') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let length = after.find(|c: char| !(c.is_ascii_lowercase() || c == '_')).unwrap_or(after.len());
        let (name, used) = placeholder(&after[..length], parts);
        match name {
            Some(value) => out.push_str(&value),
            None => out.push_str(&rest[at..=at + used]),
        }
        rest = &after[used..];
    }
    out.push_str(rest);
    squeeze(&out)
}

/// The value of the longest placeholder `name` begins with, and that placeholder's length.
fn placeholder(name: &str, parts: &Parts<'_>) -> (Option<String>, usize) {
    (1..=name.len())
        .rev()
        .find_map(|length| value(&name[..length], parts).map(|v| (Some(v), length)))
        .unwrap_or((None, name.len()))
}

fn value(name: &str, parts: &Parts<'_>) -> Option<String> {
    let date = parts.date;
    let week = date.date().iso_week_date();
    let joined = |f: fn(&str) -> String| parts.categories.iter().map(|c| f(c)).collect::<Vec<_>>().join("/");
    Some(match name {
        "year" => format!("{:04}", date.year()),
        "short_year" => format!("{:02}", date.year() % 100),
        "month" => format!("{:02}", date.month()),
        "i_month" => date.month().to_string(),
        "short_month" => date.strftime("%b").to_string(),
        "long_month" => date.strftime("%B").to_string(),
        "day" => format!("{:02}", date.day()),
        "i_day" => date.day().to_string(),
        "y_day" => format!("{:03}", date.day_of_year()),
        "week" => format!("{:02}", week.week()),
        "w_year" => format!("{:04}", week.year()),
        "w_day" => week.weekday().to_monday_one_offset().to_string(),
        "short_day" => date.strftime("%a").to_string(),
        "long_day" => date.strftime("%A").to_string(),
        "hour" => format!("{:02}", date.hour()),
        "minute" => format!("{:02}", date.minute()),
        "second" => format!("{:02}", date.second()),
        "title" => slug::jekyll_pretty(parts.slug.unwrap_or(parts.title)),
        "slug" => slug::jekyll(parts.slug.unwrap_or(parts.title)),
        "categories" => joined(str::to_lowercase),
        "slugified_categories" => joined(slug::jekyll),
        "output_ext" => ".html".to_owned(),
        "collection" => "posts".to_owned(),
        "path" => parts.path.to_owned(),
        _ => return None,
    })
}

/// No empty segments: `/:categories/x` without categories is `/x`.
fn squeeze(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 1);
    out.push('/');
    for c in path.chars() {
        if c != '/' || !out.ends_with('/') {
            out.push(c);
        }
    }
    out
}

/// The day and title of a post's file name; drafts have no day.
#[must_use]
pub fn file_name(stem: &str) -> (Option<Date>, &str) {
    match super::super::dates::from_file_name(stem) {
        Some((day, title)) if stem.as_bytes().get(4) == Some(&b'-') => (Some(day), title),
        _ => (None, stem),
    }
}

/// The folders above `_posts`: Jekyll's categories of the post.
#[must_use]
pub fn folder_categories(relative: &str) -> Vec<String> {
    let folders = relative.split("_posts/").next().filter(|before| before.len() < relative.len()).unwrap_or_default();
    folders.split('/').filter(|f| !f.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(pattern: &str, categories: &[&str]) -> String {
        let categories: Vec<String> = categories.iter().map(|c| (*c).to_owned()).collect();
        let date = jiff::civil::date(2021, 5, 7).at(9, 5, 0, 0);
        let parts = Parts { date, title: "High Level-Graphs", slug: None, categories: &categories, path: "_posts/x" };
        permalink(pattern, &parts)
    }

    #[test]
    fn styles_and_templates_give_jekylls_addresses() {
        for (pattern, want) in [
            ("date", "/2021/05/07/High-Level-Graphs.html"),
            ("", "/2021/05/07/High-Level-Graphs.html"),
            ("pretty", "/2021/05/07/High-Level-Graphs/"),
            ("ordinal", "/2021/127/High-Level-Graphs.html"),
            ("weekdate", "/2021/W18/Fri/High-Level-Graphs.html"),
            ("none", "/High-Level-Graphs.html"),
            ("/:categories/:year/:month/:day/:title", "/2021/05/07/High-Level-Graphs"),
            ("/blog/:slug:output_ext", "/blog/high-level-graphs.html"),
            ("/:short_year/:i_month/:i_day/:title/", "/21/5/7/High-Level-Graphs/"),
            ("blog/:year-:title.html", "/blog/2021-High-Level-Graphs.html"),
            ("/:unknown/:title", "/:unknown/High-Level-Graphs"),
        ] {
            assert_eq!(link(pattern, &[]), want, "{pattern}");
        }
        assert_eq!(link("pretty", &["Foo Bar", "b"]), "/foo bar/b/2021/05/07/High-Level-Graphs/");
    }

    #[test]
    fn tags_are_lists_or_words() {
        let map = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
        assert_eq!(words(&map(r#"{"tags": "a b"}"#), "tags", "tag"), ["a", "b"]);
        assert_eq!(words(&map(r#"{"tags": ["a b", 3]}"#), "tags", "tag"), ["a b", "3"]);
        assert_eq!(words(&map(r#"{"tag": "a b"}"#), "tags", "tag"), ["a b"]);
        assert_eq!(words(&map(r#"{"tags": null}"#), "tags", "tag"), Vec::<String>::new());
    }

    #[test]
    fn defaults_apply_by_scope() {
        let site: Value = serde_json::json!({"defaults": [
            {"scope": {"path": "", "type": "posts"}, "values": {"author": "A", "layout": "post"}},
            {"scope": {"path": "_posts/special"}, "values": {"author": "B"}},
            {"scope": {"path": "", "type": "pages"}, "values": {"author": "C"}},
            {"scope": {"path": "events"}, "values": {"published": false}},
            {"scope": {"path": "sub/*"}, "values": {"author": "D"}},
            {"scope": {"path": "_posts/2021"}, "values": {"author": "E"}},
            {"scope": {"path": ""}, "values": {"layout": "page"}},
        ]});
        let site = site.as_object().unwrap();
        assert_eq!(defaults(site, "_posts/x.md")["author"], "A");
        assert_eq!(defaults(site, "_posts/special/x.md")["author"], "B");
        assert_eq!(defaults(site, "sub/_posts/2021-05-07-x.md")["author"], "D");
        assert_eq!(defaults(site, "_posts/2021-05-07-x.md")["author"], "E");
        assert_eq!(defaults(site, "events/_posts/x.md")["published"], false);
        assert_eq!(defaults(site, "_posts/2021-05-07-upcoming-events.md").get("published"), None);
        assert_eq!(defaults(site, "_posts/x.md")["layout"], "post", "what names a type is nearer");
    }

    #[test]
    fn what_is_copied_and_what_is_left_out_is_as_jekyll_has_it() {
        let site = serde_json::json!({
            "exclude": ["gazetted", "/mail/", "_posts/old/*", "*.key", "_posts/2021-01-01-a.md"],
            "include": [".well-known", "secret.key"],
        });
        let site = site.as_object().unwrap();
        for (path, copied) in [
            ("a.db", true),
            ("gazetted.db-wal", false),
            ("data/gazetted.db", true),
            ("mail/", false),
            ("mail/1.eml", false),
            ("mails/1.eml", true),
            (".gazetted/a.db", false),
            ("data/.a.db", false),
            ("_data/a.db", false),
            ("a.db~", false),
            (".well-known/a", true),
            ("keys/a.key", false),
            ("keys/secret.key", true),
        ] {
            assert_eq!(copies(site, path), copied, "{path}");
        }
        for (path, excluded) in
            [("_posts/2021-01-01-a.md", true), ("_posts/2021-01-02-a.md", false), ("_posts/old/b/c.md", true)]
        {
            assert_eq!(excludes(site, path), excluded, "{path}");
        }
        assert!(copies(&Map::new(), "gazetted.db"));
    }

    #[test]
    fn folders_above_posts_are_categories() {
        assert_eq!(folder_categories("news/big/_posts/2021-05-07-a.md"), ["news", "big"]);
        assert_eq!(folder_categories("_posts/2021-05-07-a.md"), Vec::<String>::new());
        assert_eq!(folder_categories("2021-05-07-a.md"), Vec::<String>::new());
    }
}
