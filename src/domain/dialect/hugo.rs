//! Hugo: its site configuration, page bundles, sections and `[permalinks]`.

use jiff::civil::DateTime;
use serde_json::{Map, Value};

use super::{Dialect, SiteConfig, slug, text};

pub(super) fn site(raw: &Map<String, Value>) -> SiteConfig {
    let main = main_language(raw);
    // What the main language says of the site is said of the site.
    let own = raw.get("languages").and_then(|all| all.get(&main)).and_then(Value::as_object);
    let said = |keys: &[&str]| own.and_then(|own| text(own, keys)).or_else(|| text(raw, keys));
    let of_language = own.and_then(|own| own.get("params")).and_then(Value::as_object);
    let params = raw.get("params").and_then(Value::as_object);
    let param = |keys: &[&str]| [of_language, params].into_iter().flatten().find_map(|params| text(params, keys));
    let author = ["author", "Author"].iter().find_map(|k| raw.get(*k).or_else(|| params?.get(*k)));
    let author = match author {
        Some(Value::Object(author)) => text(author, &["name"]),
        Some(other) => super::scalar(other),
        None => None,
    };
    SiteConfig {
        title: said(&["title"]),
        description: param(&["description", "subtitle"]),
        url: said(&["baseURL", "baseUrl", "baseurl"]).map(|u| u.trim_end_matches('/').to_owned()),
        language: said(&["languageCode", "locale"]).or_else(|| text(raw, &["defaultContentLanguage"])),
        time_zone: text(raw, &["timeZone"]),
        author,
        permalinks: permalinks(raw),
        languages: languages(raw, &main),
        languages_off: languages_off(raw),
        ..SiteConfig::empty(Dialect::Hugo)
    }
}

fn main_language(raw: &Map<String, Value>) -> String {
    text(raw, &["defaultContentLanguage"]).unwrap_or_else(|| "en".to_owned())
}

/// The folders that hold pages, the main language's first: with the folder that the addresses of their pages begin with.
#[must_use]
pub fn contents(raw: &Map<String, Value>) -> Vec<(String, Option<String>)> {
    let main = main_language(raw);
    let in_folder = setting(raw, "defaultcontentlanguageinsubdir").and_then(Value::as_bool) == Some(true);
    let begins = |language: &str| (language != main || in_folder).then(|| language.to_owned());
    let folder = |table: &Map<String, Value>| {
        setting(table, "contentdir").and_then(super::scalar).map(|name| name.trim_matches('/').to_owned())
    };
    let tables = raw.get("languages").and_then(Value::as_object).into_iter().flatten();
    let own = tables.filter_map(|(language, table)| Some((folder(table.as_object()?)?, begins(language))));
    let mut all: Vec<(String, Option<String>)> = own.collect();
    all.push((folder(raw).unwrap_or_else(|| "content".to_owned()), begins(&main)));
    all.sort_by_key(|(_, begins_with)| *begins_with != begins(&main));
    all
}

/// Whether pages of a section end in `.html` instead of having a folder each.
#[must_use]
pub fn is_ugly(raw: &Map<String, Value>, section: &str) -> bool {
    let said = setting(raw, "uglyurls");
    said.and_then(|said| said.as_bool().or_else(|| said.get(section)?.as_bool())) == Some(true)
}

/// `disableLanguages`, or `disabled` of one of them.
fn languages_off(raw: &Map<String, Value>) -> Vec<String> {
    let named = setting(raw, "disablelanguages").and_then(Value::as_array).into_iter().flatten();
    let tables = setting(raw, "languages").and_then(Value::as_object).into_iter().flatten();
    let is_off =
        |table: &Value| table.as_object().and_then(|table| setting(table, "disabled")?.as_bool()) == Some(true);
    let off = tables.filter(|(_, table)| is_off(table)).map(|(name, _)| name.clone());
    named.filter_map(super::scalar).chain(off).collect()
}

/// Whether Hugo gives a page no address of its own, or no place in any list: `headless`, `build` (`_build` of old).
#[must_use]
pub fn is_unlisted(front: &Map<String, Value>, place: &Place<'_>) -> bool {
    let build = ["build", "_build"].iter().find_map(|key| front.get(*key)?.as_object());
    let is_always = |key| {
        let said = build.and_then(|build| super::scalar(setting(build, key)?));
        said.is_none_or(|said| matches!(said.as_str(), "always" | "true"))
    };
    place.is_bundle && super::is_true(front, "headless") || !is_always("render") || !is_always("list")
}

/// The main one first; none where nothing is said of languages.
pub(super) fn languages(raw: &Map<String, Value>, main: &str) -> Vec<String> {
    let Some(all) = raw.get("languages").and_then(Value::as_object) else { return Vec::new() };
    [main.to_owned()].into_iter().chain(all.keys().filter(|language| *language != main).cloned()).collect()
}

/// A setting whose name Hugo takes in any case; `name` is in small letters.
pub(super) fn setting<'a>(raw: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    raw.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The folders whose files everybody can fetch: pages with what lies beside them, files that are copied, what is built.
#[must_use]
pub fn published_folders(raw: &Map<String, Value>) -> Vec<String> {
    let named = |name: &str, usual: &str| match setting(raw, name) {
        Some(Value::Array(list)) => list.iter().filter_map(super::scalar).collect(),
        other => vec![other.and_then(super::scalar).unwrap_or_else(|| usual.to_owned())],
    };
    let contents = contents(raw).into_iter().map(|(folder, _)| folder).collect();
    [contents, named("staticdir", "static"), named("publishdir", "public")].concat()
}

/// `[permalinks]` and its newer form `[permalinks.page]`.
fn permalinks(raw: &Map<String, Value>) -> std::collections::BTreeMap<String, String> {
    let Some(table) = raw.get("permalinks").and_then(Value::as_object) else {
        return std::collections::BTreeMap::new();
    };
    let table = table.get("page").and_then(Value::as_object).unwrap_or(table);
    table.iter().filter_map(|(section, pattern)| Some((section.clone(), pattern.as_str()?.to_owned()))).collect()
}

/// Where a content file lies: its folders, and the name that stands for it.
#[derive(Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Below `content`: `posts`, `posts/2021`.
    pub sections: Vec<&'a str>,
    /// File or bundle name without extension and language.
    pub name: &'a str,
    pub language: Option<&'a str>,
    /// It has a folder of its own, with its files beside it.
    pub is_bundle: bool,
}

/// `posts/my-post.md`, `posts/my-post/index.md`, `posts/my-post.fr.md`. A name may say the main language, too.
#[must_use]
pub fn place<'a>(section: &'a str, relative: &'a str, languages: &[String]) -> Place<'a> {
    let stem = relative.rsplit_once('.').map_or(relative, |(stem, _)| stem);
    let mut folders: Vec<&str> = section.split('/').chain(stem.split('/')).filter(|p| !p.is_empty()).collect();
    let mut name = folders.pop().unwrap_or_default();
    let mut language = None;
    if let Some((before, suffix)) = name.rsplit_once('.')
        && let Some(at) = languages.iter().position(|language| language == suffix)
    {
        (name, language) = (before, Some(suffix).filter(|_| at > 0));
    }
    let is_bundle = name == "index";
    if is_bundle {
        name = folders.pop().unwrap_or_default();
    }
    Place { sections: folders, name, language, is_bundle }
}

/// What a `[permalinks]` pattern is made from.
#[derive(Debug)]
pub struct Parts<'a> {
    pub date: DateTime,
    pub title: &'a str,
    pub slug: Option<&'a str>,
    pub place: &'a Place<'a>,
    /// What addresses of pages without a language in their name begin with.
    pub begins_with: Option<&'a str>,
    pub is_ugly: bool,
}

/// The path of a page, unencoded.
#[must_use]
pub fn path(pattern: Option<&str>, parts: &Parts<'_>) -> String {
    let path = if let Some(pattern) = pattern {
        expand(pattern, parts)
    } else {
        let name = parts.slug.map_or_else(|| slug::hugo(parts.place.name), slug::hugo);
        let folders = parts.place.sections.iter().map(|s| slug::hugo(s));
        format!("/{}/", folders.chain([name]).collect::<Vec<_>>().join("/"))
    };
    let path = match path.strip_suffix('/') {
        Some(page) if parts.is_ugly && !page.is_empty() => format!("{page}.html"),
        _ => path,
    };
    match parts.place.language.or(parts.begins_with) {
        Some(language) => format!("/{language}{path}"),
        None => path,
    }
}

fn expand(pattern: &str, parts: &Parts<'_>) -> String {
    let segments = pattern.split('/').filter(|s| !s.is_empty()).map(|segment| {
        let mut out = String::new();
        let mut rest = segment;
        while let Some(at) = rest.find(':') {
            out.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            let length =
                after.find(|c: char| !(c.is_ascii_lowercase() || "[]:0123456789".contains(c))).unwrap_or(after.len());
            let name = after[..length].split(':').next().unwrap_or_default();
            let name = if after.starts_with("sections[") { &after[..length] } else { name };
            out.push_str(&value(name, parts).unwrap_or_else(|| format!(":{name}")));
            rest = &after[name.len()..];
        }
        out.push_str(rest);
        out
    });
    let joined = segments.filter(|s| !s.is_empty()).collect::<Vec<_>>().join("/");
    if pattern.ends_with('/') || !joined.rsplit('/').next().unwrap_or_default().contains('.') {
        format!("/{joined}/")
    } else {
        format!("/{joined}")
    }
}

fn value(name: &str, parts: &Parts<'_>) -> Option<String> {
    let date = parts.date;
    let file = || slug::hugo(parts.place.name);
    let section = |range: &str| -> String {
        let all = &parts.place.sections;
        let chosen: &[&str] = match range.trim_matches(['[', ']']).split_once(':') {
            Some((from, to)) => {
                let from: usize = from.parse().unwrap_or(0);
                let to: usize = to.parse().unwrap_or(all.len());
                all.get(from.min(all.len())..to.min(all.len()).max(from.min(all.len()))).unwrap_or_default()
            }
            None if range.is_empty() => all,
            None => range.trim_matches(['[', ']']).parse().ok().and_then(|n: usize| all.get(n..=n)).unwrap_or_default(),
        };
        chosen.iter().map(|s| slug::hugo(s)).collect::<Vec<_>>().join("/")
    };
    Some(match name {
        "year" => format!("{:04}", date.year()),
        "month" => format!("{:02}", date.month()),
        "monthname" => date.strftime("%B").to_string(),
        "day" => format!("{:02}", date.day()),
        "weekday" => date.weekday().to_sunday_zero_offset().to_string(),
        "weekdayname" => date.strftime("%A").to_string(),
        "yearday" => date.day_of_year().to_string(),
        "section" => parts.place.sections.first().map(|s| slug::hugo(s)).unwrap_or_default(),
        "title" => slug::hugo(parts.title),
        "slug" => slug::hugo(parts.slug.unwrap_or(parts.title)),
        "slugorfilename" | "slugorcontentbasename" => parts.slug.map_or_else(file, slug::hugo),
        "filename" | "contentbasename" => file(),
        _ => section(name.strip_prefix("sections")?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(pattern: Option<&str>, relative: &str, slug: Option<&str>) -> String {
        of(pattern, relative, slug, None, false)
    }

    fn of(
        pattern: Option<&str>,
        relative: &str,
        slug: Option<&str>,
        begins_with: Option<&str>,
        is_ugly: bool,
    ) -> String {
        let languages = ["en".to_owned(), "fr".to_owned()];
        let place = place("posts", relative, &languages);
        let date = jiff::civil::date(2021, 5, 7).at(9, 5, 0, 0);
        path(pattern, &Parts { date, title: "My Post: Two", slug, place: &place, begins_with, is_ugly })
    }

    #[test]
    fn pages_stand_where_hugo_puts_them() {
        for (pattern, relative, slug, want) in [
            (None, "my-post.md", None, "/posts/my-post/"),
            (None, "My Post.md", None, "/posts/my-post/"),
            (None, "my-post/index.md", None, "/posts/my-post/"),
            (None, "2021/my-post.md", Some("other"), "/posts/2021/other/"),
            (None, "my-post.fr.md", None, "/fr/posts/my-post/"),
            (None, "my-post.en.md", None, "/posts/my-post/"),
            (Some("/:year/:month/:title/"), "my-post.md", None, "/2021/05/my-post-two/"),
            (Some("/:section/:slug"), "my-post.md", Some("s"), "/posts/s/"),
            (Some("/:sections[1:]/:filename/"), "2021/a.md", None, "/2021/a/"),
            (Some("/:year/:monthname/:slugorfilename.html"), "a.md", None, "/2021/May/a.html"),
        ] {
            assert_eq!(link(pattern, relative, slug), want, "{pattern:?} {relative}");
        }
    }

    #[test]
    fn ugly_addresses_and_those_below_a_language_are_hugos() {
        assert_eq!(of(None, "a.md", None, None, true), "/posts/a.html");
        assert_eq!(of(None, "a/index.md", None, Some("de"), true), "/de/posts/a.html");
        assert_eq!(of(None, "a.fr.md", None, Some("de"), true), "/fr/posts/a.html");
        assert_eq!(of(Some("/:year/:slug/"), "a.md", Some("s"), None, true), "/2021/s.html");
        assert_eq!(of(Some("/:year/a.htm"), "a.md", None, Some("de"), true), "/de/2021/a.htm");
        assert_eq!(of(None, "a.md", None, Some("de"), false), "/de/posts/a/");
        let raw = |text: &str| text.parse::<toml::Table>().unwrap();
        let read = |text: &str| serde_json::to_value(raw(text)).unwrap().as_object().unwrap().clone();
        for (text, expected) in
            [("uglyURLs = true", true), ("uglyurls = false", false), ("[uglyURLs]\nposts = true", true), ("", false)]
        {
            assert_eq!(is_ugly(&read(text), "posts"), expected, "{text}");
        }
        assert!(!is_ugly(&read("[uglyURLs]\nposts = true"), "news"));
    }

    #[test]
    fn a_site_s_own_language_says_what_the_site_is() {
        let text = "baseURL = \"https://a.example/\"\ndefaultContentLanguage = \"de\"\ndefaultContentLanguageInSubdir = true\n\
            [languages.en]\ntitle = \"My Blog\"\ncontentDir = \"content/en\"\n[languages.de]\ntitle = \"Mein Blog\"\n\
            languageCode = \"de-DE\"\ncontentDir = \"content/de\"\n[languages.de.params]\ndescription = \"Von uns\"\n";
        let found = SiteConfig::read("hugo.toml", text).unwrap();
        assert_eq!((found.title.as_deref(), found.language.as_deref()), (Some("Mein Blog"), Some("de-DE")));
        assert_eq!(found.description.as_deref(), Some("Von uns"));
        let of = |folder: &str, begins: &str| (folder.to_owned(), Some(begins.to_owned()));
        let all = contents(&found.raw);
        assert_eq!(all, [of("content/de", "de"), of("content", "de"), of("content/en", "en")]);
        assert_eq!(contents(&Map::new()), [("content".to_owned(), None)]);
    }

    #[test]
    fn the_newer_form_of_permalinks_is_read_too() {
        for text in [r#"{"permalinks": {"posts": "/:year/"}}"#, r#"{"permalinks": {"page": {"posts": "/:year/"}}}"#] {
            let raw = serde_json::from_str(text).unwrap();
            assert_eq!(permalinks(&raw)["posts"], "/:year/");
        }
    }
}
