//! A feed of the owner's choice: where it stands, what it is called, and which posts are in it.

use serde::{Deserialize, Serialize};

use super::feed_format::{FeedContent, Format};
use super::post::{Post, language_code};

/// `[[feeds.extra]]`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExtraFeed {
    /// Its file below `feeds.out`: `feed.python.xml`.
    pub path: String,
    /// Empty: JSON if the name ends so, Atom if it says so, RSS otherwise.
    pub format: Option<Format>,
    pub title: String,
    pub description: String,
    /// A post is in it if it has one of each of these that are not empty,
    pub tags: Vec<String>,
    pub categories: Vec<String>,
    pub authors: Vec<String>,
    pub sections: Vec<String>,
    pub languages: Vec<String>,
    /// and none of these.
    pub without_tags: Vec<String>,
    pub limit: Option<usize>,
    pub content: Option<FeedContent>,
}

impl ExtraFeed {
    #[must_use]
    pub fn format(&self) -> Format {
        let ending = self.path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, ending)| ending);
        self.format.unwrap_or(match () {
            () if ending.is_some_and(|ending| ending.eq_ignore_ascii_case("json")) => Format::Json,
            () if self.path.to_lowercase().contains("atom") => Format::Atom,
            () => Format::Rss,
        })
    }

    /// What it is known by when its file gets another name: its title, or else what it is about; and its format, as one may come
    /// in several.
    #[must_use]
    pub fn known_as(&self) -> String {
        let about = [&self.tags, &self.categories, &self.authors, &self.sections, &self.languages, &self.without_tags];
        let name = if self.title.is_empty() { format!("{about:?}") } else { self.title.clone() };
        format!("{} {name}", self.format().as_str())
    }

    /// Whether a post of a site in this language belongs to it.
    #[must_use]
    pub fn wants(&self, post: &Post, site: &str) -> bool {
        let any = |wanted: &[String], has: &dyn Fn(&str) -> bool| wanted.is_empty() || wanted.iter().any(|w| has(w));
        let is = |a: &str, b: &str| a.to_lowercase() == b.trim().to_lowercase();
        any(&self.tags, &|tag| post.tagged(tag))
            && any(&self.categories, &|category| post.categories.iter().any(|c| is(c, category)))
            && any(&self.authors, &|author| post.by(author))
            && any(&self.sections, &|section| post.section.as_deref().is_some_and(|s| is(s, section)))
            && any(&self.languages, &|wanted| language_code(post.language_or(site)) == language_code(wanted))
            && !self.without_tags.iter().any(|tag| post.tagged(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_that_is_not_given_is_read_off_the_name() {
        for (path, format) in [
            ("feed.python.xml", Format::Rss),
            ("python.ATOM", Format::Atom),
            ("atom/python.xml", Format::Atom),
            ("planet.JSON", Format::Json),
            ("json.xml", Format::Rss),
        ] {
            assert_eq!(ExtraFeed { path: path.into(), ..ExtraFeed::default() }.format(), format, "{path}");
        }
        let given = ExtraFeed { path: "a.json".into(), format: Some(Format::Rss), ..ExtraFeed::default() };
        assert_eq!(given.format(), Format::Rss);
    }
}
