//! Zola: its site configuration, sections, dated file names, `slug` and `path`.

use serde_json::{Map, Value};

use super::{Dialect, SiteConfig, hugo, slug, text};

pub(super) fn site(raw: &Map<String, Value>) -> SiteConfig {
    let main = text(raw, &["default_language"]);
    SiteConfig {
        title: text(raw, &["title"]),
        description: text(raw, &["description"]),
        url: text(raw, &["base_url"]).map(|u| u.trim_end_matches('/').to_owned()),
        languages: hugo::languages(raw, main.as_deref().unwrap_or("en")),
        language: main,
        author: text(raw, &["author"]),
        ..SiteConfig::empty(Dialect::Zola)
    }
}

/// The folders whose files everybody can fetch.
#[must_use]
pub fn published_folders(raw: &Map<String, Value>) -> Vec<String> {
    let built = text(raw, &["output_dir"]).unwrap_or_else(|| "public".to_owned());
    vec!["content".to_owned(), "static".to_owned(), built]
}

/// The path of a page, unencoded: `path` wins, then `slug`, then the file name without its day.
#[must_use]
pub fn path(place: &hugo::Place<'_>, own_path: Option<&str>, own_slug: Option<&str>) -> String {
    let path = if let Some(path) = own_path {
        format!("/{}/", path.trim_matches('/'))
    } else {
        let name = super::super::dates::from_file_name(place.name).map_or(place.name, |(_, rest)| rest);
        let name = slug::ascii(own_slug.unwrap_or(name));
        let folders = place.sections.iter().map(|s| slug::ascii(s));
        format!("/{}/", folders.chain([name]).filter(|s| !s.is_empty()).collect::<Vec<_>>().join("/"))
    };
    match place.language {
        Some(language) => format!("/{language}{path}"),
        None => path,
    }
}

/// `[taxonomies] tags = [..]`.
#[must_use]
pub fn taxonomy(front: &Map<String, Value>, name: &str) -> Vec<String> {
    let list = front.get("taxonomies").and_then(|t| t.get(name)).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(super::scalar).filter(|s| !s.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_stand_where_zola_puts_them() {
        for (relative, path_, slug_, want) in [
            ("blog/2021-05-07-My Post.md", None, None, "/blog/my-post/"),
            ("blog/2021-05-07_my-post/index.md", None, None, "/blog/my-post/"),
            ("blog/a.md", None, Some("B c"), "/blog/b-c/"),
            ("blog/a.md", Some("/x/y"), Some("b"), "/x/y/"),
            ("blog/a.fr.md", None, None, "/fr/blog/a/"),
        ] {
            let languages = ["en".to_owned(), "fr".to_owned()];
            assert_eq!(path(&hugo::place("", relative, &languages), path_, slug_), want, "{relative}");
        }
    }
}
