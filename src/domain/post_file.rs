//! Makes a post of one file: front matter read, date, address, authors and tags found. Returns what it could make and
//! every problem it met; never fails, never panics. Knows nothing of other posts.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::author::Author;
use super::dialect::sections::Inherited;
use super::dialect::{Dialect, Rules, flag, hugo, jekyll, lies_in, scalar, text, zola};
use super::front_matter::{self, Kind, Split};
use super::post::{Enclosure, Image, Post, State, Written};
use super::problem::Problem;
use super::{byline, dates, hash, media, plain};

/// Ids longer than this are no ids.
const MAX_ID: usize = 1_000;

/// One file as it was read.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// As shown to people: the posts directory and what follows.
    pub path: &'a str,
    /// Below the posts directory, `/`-separated.
    pub relative: &'a str,
    pub bytes: &'a [u8],
    pub modified: Timestamp,
    /// What its sections say of it.
    pub inherited: Option<&'a Inherited>,
}

/// Whom the author lets see the post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Visibility {
    Public {
        /// Not before: the post's date, or Hugo's `publishDate`.
        from: Timestamp,
        /// Not after: Hugo's `expiryDate`.
        until: Option<Timestamp>,
    },
    Draft,
    /// `published: false`.
    Hidden,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// `None`: the file is no post, or too broken to be one.
    pub post: Option<(Post, Visibility)>,
    pub problems: Vec<Problem>,
}

/// How a post stands at an instant.
#[must_use]
pub fn state_at(visibility: Visibility, now: Timestamp) -> State {
    match visibility {
        Visibility::Draft | Visibility::Hidden => State::Draft,
        Visibility::Public { from, .. } if from > now => State::Scheduled,
        Visibility::Public { until: Some(until), .. } if until <= now => State::Withdrawn,
        Visibility::Public { .. } => State::Published,
    }
}

/// When that changes next by itself.
#[must_use]
pub fn next_change(visibility: Visibility, now: Timestamp) -> Option<Timestamp> {
    let Visibility::Public { from, until } = visibility else { return None };
    [Some(from), until].into_iter().flatten().filter(|at| *at > now).min()
}

#[must_use]
pub fn parse(file: File<'_>, rules: &Rules) -> Parsed {
    let mut problems = Vec::new();
    let post = decode(file, &mut problems).and_then(|text| read(file, &text, rules, &mut problems));
    Parsed { post, problems }
}

/// The file's text; what is not UTF-8 becomes U+FFFD, with a problem that says where.
pub fn decode<'a>(file: File<'a>, problems: &mut Vec<Problem>) -> Option<Cow<'a, str>> {
    if file.bytes.starts_with(&[0xff, 0xfe]) || file.bytes.starts_with(&[0xfe, 0xff]) {
        problems.push(
            Problem::error(file.path, "encoding", "the file is UTF-16; expected UTF-8")
                .at(1, 1)
                .hint("save it again as UTF-8"),
        );
        return None;
    }
    let error = match std::str::from_utf8(file.bytes) {
        Ok(text) => return Some(text.into()),
        Err(error) => error,
    };
    let good = String::from_utf8_lossy(&file.bytes[..error.valid_up_to()]);
    let (line, column) = front_matter::position(&good, good.len());
    problems.push(
        Problem::warning(file.path, "encoding", "bytes that are not UTF-8 are shown as `\u{fffd}`")
            .at(line, column)
            .hint("save the file as UTF-8"),
    );
    Some(String::from_utf8_lossy(file.bytes))
}

fn read(file: File<'_>, text: &str, rules: &Rules, problems: &mut Vec<Problem>) -> Option<(Post, Visibility)> {
    let split = match front_matter::split(text) {
        Ok(split) => split,
        Err((line, mark)) => {
            let message = format!("the front matter is opened with `{mark}` and never closed");
            let hint = format!("put a line with only `{mark}` below it");
            problems.push(Problem::error(file.path, "front-matter", message).at(line, 1).hint(hint));
            return None;
        }
    };
    let read = match rules.dialect {
        Dialect::Jekyll => front_matter::read_last(file.path, &split),
        Dialect::Hugo | Dialect::Zola => front_matter::read(file.path, &split).map(|front| (front, None)),
    };
    match read {
        Ok((front, problem)) => {
            problems.extend(problem);
            let path = rules.in_site(file.relative);
            let front = effective(front, file, rules, &path);
            Reader { file, path, rules, split: &split, front, problems }.post()
        }
        Err(problem) => {
            problems.push(problem);
            None
        }
    }
}

/// The front matter with the site's defaults behind it, in the spelling this module looks keys up by.
fn effective(front: Map<String, Value>, file: File<'_>, rules: &Rules, path: &str) -> Map<String, Value> {
    match rules.dialect {
        // Hugo's keys mean the same in any case.
        Dialect::Hugo => {
            let mut all = file.inherited.map(|inherited| inherited.values.clone()).unwrap_or_default();
            all.extend(front.into_iter().map(|(key, value)| (key.to_lowercase(), value)));
            all
        }
        Dialect::Jekyll if rules.site.contains_key("defaults") => {
            let mut all = jekyll::defaults(&rules.site, path);
            all.extend(front);
            all
        }
        _ => front,
    }
}

struct Reader<'a> {
    file: File<'a>,
    /// Below Jekyll's source.
    path: Cow<'a, str>,
    rules: &'a Rules,
    split: &'a Split<'a>,
    front: Map<String, Value>,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn post(mut self) -> Option<(Post, Visibility)> {
        let place = hugo::place(&self.rules.section, self.file.relative, &self.rules.languages);
        if self.is_unlisted(&place) || self.is_misnamed(&place) {
            return None;
        }
        let in_drafts = self.lies_in("_drafts") || self.file.inherited.is_some_and(|inherited| inherited.is_draft);
        let draft = in_drafts || self.flag("draft") == Some(true);
        let hidden = self.flag("published") == Some(false);
        let date = self.date(&place, draft || hidden)?;
        let title = self.title(&place);
        let url = self.url(&place, date, &title);
        let visibility = match date {
            _ if hidden => Visibility::Hidden,
            _ if draft => Visibility::Draft,
            None => return None,
            Some(date) => Visibility::Public {
                from: self.instant(&["publishdate", "publishDate"]).map_or(date, |from| from.max(date)),
                until: self.instant(&["expirydate", "expiryDate"]),
            },
        };
        let updated = self.instant(&["last_modified_at", "lastmod", "updated", "modified", "date_modified"]);
        let written = Written {
            path: self.file.path.into(),
            own_id: self.own_id(),
            image: self.image(&place, &url).map(Box::new),
            enclosure: self.enclosure(&place, &url).map(Box::new),
            url,
            title,
            date,
            minor: self.flag("minor") == Some(true),
            featured: self.flag("featured").or_else(|| self.flag("lead")) == Some(true),
            refers: refers(self.rules.dialect, self.split.body),
            authors: self.authors(),
            tags: self.terms("tags", "tag"),
            categories: self.categories(),
            correction: text(&self.front, &["correction", "corrected"]).map(|note| plain::line(&note)),
            section: match self.rules.dialect {
                Dialect::Jekyll => None,
                Dialect::Hugo | Dialect::Zola => place.sections.first().map(|section| (*section).to_owned()),
            },
            summary: text(&self.front, &["excerpt", "description", "summary"]),
            language: text(&self.front, &["lang", "language"]).or_else(|| place.language.map(str::to_owned)),
            work: self.work(&place).map(Into::into),
            source_bytes: self.file.bytes.len(),
            source_hash: hash::of(self.file.bytes),
            body_hash: hash::of(self.split.body.trim().as_bytes()),
            modified: self.file.modified,
        };
        Some((Post { updated, ..written.exact().into() }, visibility))
    }

    fn complain(&mut self, key: &str, code: &'static str, message: String, hint: &str) {
        let (line, column) = front_matter::line_of(self.split, key);
        self.problems.push(Problem::error(self.file.path, code, message).at(line, column).hint(hint));
    }

    fn lies_in(&self, folder: &str) -> bool {
        lies_in(&self.path, folder)
    }

    /// A page that the generator keeps out of its lists, or does not write at all, is not for readers.
    fn is_unlisted(&self, place: &hugo::Place<'_>) -> bool {
        match self.rules.dialect {
            Dialect::Jekyll => false,
            Dialect::Hugo => {
                let off = place.language.is_some_and(|own| self.rules.languages_off.iter().any(|off| off == own));
                off || hugo::is_unlisted(&self.front, place)
            }
            Dialect::Zola => self.flag("render") == Some(false),
        }
    }

    /// Jekyll makes a post of a file in `_posts` if its name begins with a day, and of no other.
    fn is_misnamed(&mut self, place: &hugo::Place<'_>) -> bool {
        let is_named = self.rules.dialect != Dialect::Jekyll
            || self.lies_in("_drafts")
            || !self.lies_in("_posts")
            || jekyll::file_name(place.name).0.is_some();
        if !is_named {
            let message =
                "the file's name does not begin with a day, so Jekyll makes no post of it, and it is in no feed";
            let hint = "name it like `2021-05-07-a-title.md`, or put it into `_drafts`";
            self.problems.push(Problem::warning(self.file.path, "no-date", message).at(1, 1).hint(hint));
        }
        !is_named
    }

    fn flag(&self, key: &str) -> Option<bool> {
        flag(&self.front, key)
    }

    fn instant(&mut self, keys: &[&str]) -> Option<Timestamp> {
        let key = *keys.iter().find(|k| self.front.get(**k).is_some_and(|v| !v.is_null() && v.as_str() != Some("")))?;
        let value = self.front.get(key)?;
        let found = dates::from_value(value, &self.rules.zone);
        if found.is_none() {
            let shown = scalar(value).unwrap_or_else(|| "a list or table".to_owned());
            self.complain(
                key,
                "date",
                format!("`{key}` is `{}`, which is no date", plain::shortened(&shown, 60)),
                dates::EXPECTED,
            );
        }
        found
    }

    /// The post's date: front matter before file name. `None` outside: no post; `None` inside: a draft without a date.
    #[expect(clippy::option_option, reason = "an undated draft is a post, an undated page is not")]
    fn date(&mut self, place: &hugo::Place<'_>, may_lack: bool) -> Option<Option<Timestamp>> {
        let written = self.front.get("date").is_some_and(|v| !v.is_null() && v.as_str() != Some(""));
        if written {
            return match self.instant(&["date"]) {
                Some(date) => Some(Some(date)),
                None => may_lack.then_some(None),
            };
        }
        let named = dates::from_file_name(place.name).and_then(|(day, _)| dates::at_midnight(day, &self.rules.zone));
        let found = named.or_else(|| self.instant(&["publishdate", "publishDate", "pubdate"]));
        if found.is_some() || may_lack {
            return Some(found);
        }
        let (message, hint) = match self.split.kind {
            Kind::None => (
                "the file has no front matter and no date, so it is not a post",
                "begin it with `---`, `title: ...`, `date: ...`, `---`",
            ),
            _ => ("the post has no date, so it is in no feed", dates::EXPECTED),
        };
        self.problems.push(Problem::warning(self.file.path, "no-date", message).at(1, 1).hint(hint));
        None
    }

    fn title(&self, place: &hugo::Place<'_>) -> String {
        let written = text(&self.front, &["title"]).map(|t| plain::line(&t)).filter(|t| !t.is_empty());
        written.unwrap_or_else(|| {
            let slug = dates::from_file_name(place.name).map_or(place.name, |(_, slug)| slug);
            let words = slug.split(['-', '_']).filter(|w| !w.is_empty()).map(capitalised);
            plain::line(&words.collect::<Vec<_>>().join(" "))
        })
    }

    fn own_id(&mut self) -> Option<String> {
        let id = plain::line(&text(&self.front, &["id", "guid"])?);
        if id.is_empty() || id.len() > MAX_ID {
            self.complain(
                "id",
                "id",
                format!("the entry id is longer than {MAX_ID} bytes"),
                "use a short, stable text such as a URL or a UUID",
            );
            return None;
        }
        Some(id)
    }

    fn url(&mut self, place: &hugo::Place<'_>, date: Option<Timestamp>, title: &str) -> String {
        // A draft without a date gets an address as if it were published when it was last saved.
        let local = self.rules.zone.to_datetime(date.unwrap_or(self.file.modified));
        let mut own = text(&self.front, &["permalink", "url"]);
        if let Some(whole) = own.take_if(|own| own.starts_with("https://") || own.starts_with("http://")) {
            if let Ok(whole) = url::Url::parse(&whole) {
                return whole.into();
            }
            let key = if self.front.contains_key("permalink") { "permalink" } else { "url" };
            let message = format!("`{key}` is `{}`, which is no address", plain::shortened(&whole, 60));
            self.complain(
                key,
                "permalink",
                message,
                "expected a path, `/a/b/`, or a whole address, `https://example.org/a/`",
            );
        }
        let slug = text(&self.front, &["slug"]);
        let path = match self.rules.dialect {
            Dialect::Jekyll => {
                let (_, name) = jekyll::file_name(place.name);
                let relative = self.path.rsplit_once('.').map_or(&*self.path, |(stem, _)| stem);
                let categories = self.categories();
                let parts = jekyll::Parts {
                    date: local,
                    title: name,
                    slug: slug.as_deref(),
                    categories: &categories,
                    path: relative,
                };
                let pattern = own.as_deref().or(self.rules.permalink.as_deref()).unwrap_or("date");
                jekyll::permalink(pattern, &parts)
            }
            Dialect::Hugo => {
                if let Some(own) = own {
                    format!("/{}", own.trim_start_matches('/'))
                } else {
                    let section = place.sections.first().copied().unwrap_or_default();
                    let pattern =
                        self.rules.permalink.as_deref().or(self.rules.permalinks.get(section).map(String::as_str));
                    let (begins_with, is_ugly) =
                        (self.rules.begins_with.as_deref(), hugo::is_ugly(&self.rules.site, section));
                    let slug = slug.as_deref();
                    hugo::path(pattern, &hugo::Parts { date: local, title, slug, place, begins_with, is_ugly })
                }
            }
            Dialect::Zola => zola::path(place, text(&self.front, &["path"]).as_deref(), slug.as_deref()),
        };
        self.rules.absolute(&path)
    }

    fn authors(&self) -> Vec<Author> {
        let nested = |table: &str| self.front.get(table).and_then(|t| t.get("authors").or_else(|| t.get("author")));
        let value = ["authors", "author", "byline"]
            .iter()
            .find_map(|key| self.front.get(*key))
            .or_else(|| nested("taxonomies"))
            .or_else(|| nested("extra"))
            .or_else(|| nested("params"));
        let mut found = value.map(|v| byline::read(v, &self.rules.known_authors)).unwrap_or_default();
        for author in &mut found {
            author.name = plain::line(&author.name);
        }
        found.retain(|author| !author.name.is_empty());
        if found.is_empty() {
            found.extend(self.rules.default_author.clone());
        }
        found
    }

    fn terms(&self, plural: &str, singular: &str) -> Vec<String> {
        let raw = match self.rules.dialect {
            Dialect::Jekyll => jekyll::words(&self.front, plural, singular),
            Dialect::Hugo => match self.front.get(plural) {
                Some(Value::Array(list)) => list.iter().filter_map(scalar).collect(),
                Some(one) => scalar(one).into_iter().collect(),
                None => Vec::new(),
            },
            Dialect::Zola => zola::taxonomy(&self.front, plural),
        };
        let mut unique: Vec<String> = Vec::with_capacity(raw.len());
        for term in raw.iter().map(|t| plain::line(t)).filter(|t| !t.is_empty()) {
            if !unique.iter().any(|u| u.to_lowercase() == term.to_lowercase()) {
                unique.push(term);
            }
        }
        unique
    }

    /// Hugo's `translationKey`, else the name that files of all languages share.
    fn work(&self, place: &hugo::Place<'_>) -> Option<String> {
        if self.rules.languages.len() < 2 {
            return None;
        }
        let key = text(&self.front, &["translationkey"]).filter(|_| self.rules.dialect == Dialect::Hugo);
        Some(key.unwrap_or_else(|| format!("{}/{}", place.sections.join("/"), place.name)))
    }

    fn categories(&self) -> Vec<String> {
        let mut all = match self.rules.dialect {
            Dialect::Jekyll => jekyll::folder_categories(&self.path),
            _ => Vec::new(),
        };
        all.extend(self.terms("categories", "category"));
        all
    }

    /// Where relative paths of files start: at the page if it has a folder of its own, else at the site's root, as themes and
    /// plugins understand them.
    fn files_from<'a>(&self, place: &hugo::Place<'_>, page: &'a str) -> Cow<'a, str> {
        let bundle = self.rules.dialect != Dialect::Jekyll && place.is_bundle;
        if bundle { page.into() } else { format!("{}/", self.rules.base_url).into() }
    }

    fn image(&self, place: &hugo::Place<'_>, page: &str) -> Option<Image> {
        let value = self
            .front
            .get("image")
            .or_else(|| self.front.get("images")?.get(0))
            .or_else(|| self.front.get("cover")?.get("image"))?;
        let beside = self.front.get("cover").and_then(|cover| cover.get("alt")).and_then(scalar);
        let alt = text(&self.front, &["image_alt", "image-alt", "imagealt"]).or(beside);
        media::image(value, alt, &self.files_from(place, page), &self.rules.base_url)
    }

    fn enclosure(&mut self, place: &hugo::Place<'_>, page: &str) -> Option<Enclosure> {
        let key = ["enclosure", "audio", "podcast"].into_iter().find(|key| self.front.contains_key(*key))?;
        match media::enclosure(self.front.get(key)?, &self.files_from(place, page), &self.rules.base_url) {
            Ok(found) => found,
            Err(message) => {
                let hint = "expected a file, or a table: `{url: /audio/1.mp3, length: 123456, type: audio/mpeg}`";
                self.complain(key, "enclosure", format!("the `{key}` is left out: {message}"), hint);
                None
            }
        }
    }
}

/// Whether the text may name other posts: `{% post_url %}`, `{% link %}`; `{{< ref >}}`; `@/post.md`.
fn refers(dialect: Dialect, body: &str) -> bool {
    match dialect {
        Dialect::Jekyll => memchr::memmem::find_iter(body.as_bytes(), "{%").any(|at| {
            let tag = body[at + 2..].trim_start_matches('-').trim_start();
            tag.starts_with("post_url") || tag.starts_with("link")
        }),
        Dialect::Hugo => body.contains("ref "),
        Dialect::Zola => body.contains("](@/"),
    }
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests;
