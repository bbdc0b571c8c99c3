//! Finds, reads and checks `gazetted.toml`: every problem at once, each with its line and, for a mistyped key, the
//! nearest known one. The environment and secret files are read here and nowhere else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::credentials::secrets;
use super::introspect::field_names;
use super::origin::{Origin, Origins};
use super::{AuthorAlias, Config, Digest, Feeds, Goal, Http, Smtp, Store, Webhook, bounded};
use crate::domain::extra_feed::ExtraFeed;
use crate::domain::front_matter::position;
use crate::domain::problem::Problem;

/// A configuration, where each value of it came from, and what is wrong with it. With an error among the problems it must not be run.
#[derive(Debug, Default)]
pub struct Loaded {
    pub config: Config,
    pub origins: Origins,
    pub problems: Vec<Problem>,
}

impl Loaded {
    #[must_use]
    pub fn is_usable(&self) -> bool {
        !self.problems.iter().any(Problem::is_error)
    }
}

/// Where the configuration is: the option, `$GAZETTED_CONFIG`, `./gazetted.toml`, `/etc/gazetted/gazetted.toml`.
#[must_use]
pub fn find(option: Option<&Path>) -> PathBuf {
    if let Some(path) = option {
        return path.to_owned();
    }
    let here = PathBuf::from("gazetted.toml");
    let system = PathBuf::from("/etc/gazetted/gazetted.toml");
    if !here.exists() && system.exists() { system } else { here }
}

/// Reads the file, the environment and the secret files.
#[must_use]
pub fn load(path: &Path) -> Loaded {
    let shown = path.to_string_lossy().into_owned();
    let text = match bounded::text(path, bounded::TEXT) {
        Ok(text) => text,
        Err(error) => {
            let problem = Problem::error(shown, "config", format!("the configuration cannot be read: {error}"))
                .hint("write one with `gazetted init`, or name it with `--config FILE`");
            return Loaded { problems: vec![problem], ..Loaded::default() };
        }
    };
    let environment: BTreeMap<String, String> =
        std::env::vars().filter(|(name, _)| name.starts_with("GAZETTED_")).collect();
    let mut loaded = load_str(&text, &shown, &environment);
    loaded.config.base = path.parent().map(Path::to_owned).unwrap_or_default();
    loaded.config.file = Some(path.to_owned());
    secrets(&mut loaded, &shown);
    loaded
}

/// Reads a configuration from text; `environment` holds the `GAZETTED_SECTION__KEY` variables.
#[must_use]
pub fn load_str(text: &str, path: &str, environment: &BTreeMap<String, String>) -> Loaded {
    let mut reader = Reader { text, path, item: None, origins: Origins::default(), problems: Vec::new() };
    let table = match DeTable::parse(text) {
        Ok(table) => table.into_inner(),
        Err(error) => {
            let (line, column) = error.span().map_or((1, 1), |s| position(text, s.start));
            let problem = not_toml(path, text, &error).at(line, column);
            return Loaded { problems: vec![problem], ..Loaded::default() };
        }
    };
    let mut config = reader.sections(&table);
    reader.environment(&mut config, environment);
    reader.check(&config);
    reader.problems.sort_by_key(|p| (p.line, p.column));
    Loaded { config, origins: reader.origins, problems: reader.problems }
}

fn not_toml(path: &str, text: &str, error: &toml::de::Error) -> Problem {
    let message = error.message().lines().next().unwrap_or("cannot be read");
    if !message.starts_with("duplicate key") {
        return Problem::error(path, "config", format!("is not TOML: {message}"))
            .hint("text wants quotes: `title = \"...\"`");
    }
    let start = error.span().map_or(0, |span| span.start);
    let begins = text[..start].rfind('\n').map_or(0, |end| end + 1);
    let line = text[begins..].lines().next().unwrap_or_default().trim();
    if line.starts_with('[') {
        let section = line.split_inclusive(']').next().unwrap_or(line);
        return Problem::error(path, "config", format!("`{section}` is there twice"))
            .hint(format!("write all its keys below the first `{section}`"));
    }
    let key = line.split('=').next().unwrap_or(line).trim();
    Problem::error(path, "config", format!("`{key}` is there twice in its section")).hint("remove one of them")
}

/// `[[feeds.extra]]`
fn is_list_of_sections(value: &Entry<'_>) -> bool {
    match value.get_ref() {
        DeValue::Array(items) => items.iter().next().is_some_and(|first| matches!(first.get_ref(), DeValue::Table(_))),
        _ => false,
    }
}

const SECTIONS: [&str; 17] = [
    "site",
    "posts",
    "feeds",
    "goal",
    "digest",
    "nudge",
    "subscribers",
    "bounces",
    "dkim",
    "webhooks",
    "smtp",
    "outbox",
    "store",
    "http",
    "log",
    "authors",
    "report",
];

struct Reader<'a> {
    text: &'a str,
    path: &'a str,
    /// Which of several sections of one name is read.
    item: Option<usize>,
    origins: Origins,
    problems: Vec<Problem>,
}

type Table<'i> = DeTable<'i>;
type Entry<'i> = Spanned<DeValue<'i>>;

impl Reader<'_> {
    fn sections(&mut self, table: &Table<'_>) -> Config {
        let mut config = Config::default();
        for (name, value) in table {
            match name.get_ref().as_ref() {
                "site" => config.site = self.section("site", value),
                "posts" => config.posts = self.section("posts", value),
                "feeds" => config.feeds = self.feeds(value),
                "goal" => config.goal = self.list::<Goal>("goal", value),
                "digest" => config.digest = self.digest(value),
                "nudge" => config.nudge = self.section("nudge", value),
                "subscribers" => config.subscribers = self.section("subscribers", value),
                "bounces" => config.bounces = self.section("bounces", value),
                "dkim" => config.dkim = self.section("dkim", value),
                "webhooks" => config.webhooks = self.list::<Webhook>("webhooks", value),
                "smtp" => config.smtp = self.list::<Smtp>("smtp", value),
                "outbox" => config.outbox = self.section("outbox", value),
                "store" => config.store = self.section("store", value),
                "http" => config.http = self.section("http", value),
                "log" => config.log = self.section("log", value),
                "authors" => config.authors = self.list::<AuthorAlias>("authors", value),
                "report" => config.report = self.section("report", value),
                unknown => self.unknown("section", unknown, &SECTIONS, name.span().start),
            }
        }
        config
    }

    fn feeds(&mut self, value: &Entry<'_>) -> Feeds {
        let mut feeds: Feeds = self.section("feeds", value);
        if let DeValue::Table(table) = value.get_ref()
            && let Some((_, extra)) = table.iter().find(|(key, _)| key.get_ref() == "extra")
        {
            feeds.extra = self.list::<ExtraFeed>("feeds.extra", extra);
        }
        feeds
    }

    /// `[digest.style]` is a section of its own, so that a wrong colour does not hide the rest.
    fn digest(&mut self, value: &Entry<'_>) -> Digest {
        let DeValue::Table(table) = value.get_ref() else { return self.section("digest", value) };
        let mut digest: Digest = self.section("digest", value);
        if let Some((_, style)) = table.iter().find(|(key, _)| key.get_ref() == "style") {
            digest.style = self.section("digest.style", style);
        }
        digest
    }

    fn list<T: Default + Serialize + DeserializeOwned>(&mut self, name: &str, value: &Entry<'_>) -> Vec<T> {
        let mut one = |(nr, item)| {
            self.item = Some(nr);
            self.section(name, item)
        };
        let list = match value.get_ref() {
            DeValue::Array(items) => items.iter().enumerate().map(one).collect(),
            _ => vec![one((0, value))],
        };
        self.item = None;
        list
    }

    /// Reads a section key by key, so that one wrong value does not hide the next.
    fn section<T: Default + Serialize + DeserializeOwned>(&mut self, name: &str, value: &Entry<'_>) -> T {
        let known = field_names::<T>();
        let DeValue::Table(table) = value.get_ref() else {
            self.error(
                value.span().start,
                format!("`{name}` is a section"),
                &format!("write `[{name}]` on a line of its own"),
            );
            return T::default();
        };
        let mut good = toml::Table::new();
        for (key, value) in table {
            let key_name = key.get_ref().as_ref();
            if !known.contains(&key_name) {
                self.unknown(&format!("key in `[{name}]`"), key_name, known, key.span().start);
                continue;
            }
            if is_list_of_sections(value) || (name, key_name) == ("digest", "style") {
                // Read by itself: each has keys of its own.
                continue;
            }
            let value_text = &self.text[value.span()];
            let parsed = match format!("v = {value_text}").parse::<toml::Table>() {
                Ok(mut parsed) => parsed.remove("v"),
                // A sub-table written as `[posts.permalinks]` has no text of its own.
                Err(_) => Some(plain(value)),
            };
            let Some(parsed) = parsed else { continue };
            match try_key::<T>(key_name, &parsed) {
                Ok(()) => {
                    let line = position(self.text, key.span().start).0;
                    self.origins.set(name, self.item, key_name, Origin::Line(line));
                    good.insert(key_name.to_owned(), parsed);
                }
                Err(message) => {
                    let shown = if ["password", "secret", "token"].iter().any(|word| key_name.contains(word)) {
                        "***"
                    } else {
                        value_text
                    };
                    self.error(
                        value.span().start,
                        format!("`{name}.{key_name}` is `{shown}`: {message}"),
                        "see `gazetted config default` for what it takes",
                    );
                }
            }
        }
        good.try_into().unwrap_or_default()
    }

    fn unknown(&mut self, what: &str, name: &str, known: &[&str], offset: usize) {
        let nearest = known.iter().map(|k| (distance(name, k), *k)).min().filter(|(d, _)| *d <= 2.max(name.len() / 3));
        let hint = match nearest {
            Some((_, nearest)) => format!("did you mean `{nearest}`?"),
            None => format!("known are: {}", known.join(", ")),
        };
        self.error(offset, format!("there is no {what} called `{name}`"), &hint);
    }

    fn error(&mut self, offset: usize, message: String, hint: &str) {
        let (line, column) = position(self.text, offset);
        self.problems.push(Problem::error(self.path, "config", message).at(line, column).hint(hint));
    }

    /// `GAZETTED_SMTP__PASSWORD=x` is `[smtp] password = "x"`.
    fn environment(&mut self, config: &mut Config, environment: &BTreeMap<String, String>) {
        for (name, value) in environment {
            let Some((section, key)) = name.strip_prefix("GAZETTED_").and_then(|n| n.split_once("__")) else {
                continue;
            };
            let (section, key) = (section.to_lowercase(), key.to_lowercase());
            let result = match section.as_str() {
                "site" => set(&mut config.site, &key, value),
                "posts" => set(&mut config.posts, &key, value),
                "feeds" => set(&mut config.feeds, &key, value),
                "goal" => set(config.goal.first_mut().map_or(&mut Goal::default(), |g| g), &key, value),
                "digest" => set(&mut config.digest, &key, value),
                "digest_style" => set(&mut config.digest.style, &key, value),
                "nudge" => set(&mut config.nudge, &key, value),
                "subscribers" => set(&mut config.subscribers, &key, value),
                "bounces" => set(&mut config.bounces, &key, value),
                "dkim" => set(&mut config.dkim, &key, value),
                "smtp" => set_smtp(config, &key, value),
                "outbox" => set(&mut config.outbox, &key, value),
                "store" => set_store(&mut config.store, &key, value),
                "http" => set_http(&mut config.http, &key, value),
                "log" => set(&mut config.log, &key, value),
                "report" => set(&mut config.report, &key, value),
                _ => Err(format!("there is no section `{section}`")),
            };
            let (name_of, item) = named(&section);
            self.origins.set(name_of, item, &key, Origin::Variable(name.clone()));
            if let Err(message) = result {
                let problem = Problem::error(format!("${name}"), "config", message);
                self.problems.push(problem.hint("environment variables are named `GAZETTED_SECTION__KEY`"));
            }
        }
    }

    fn check(&mut self, config: &Config) {
        let problems = super::check::check(config, |key| self.place(key));
        self.problems.extend(problems.into_iter().map(|p| Problem { path: self.path.to_owned(), ..p }));
    }

    /// Where `section.key` stands in the file, or its section, or the first line. Of several sections of one name it is the first,
    /// or `section[n].key` says which.
    fn place(&self, key: &str) -> (usize, usize) {
        let (section, key) = key.rsplit_once('.').unwrap_or((key, ""));
        let (section, item) = match section.strip_suffix(']').and_then(|section| section.rsplit_once('[')) {
            Some((section, item)) => (section, item.parse().unwrap_or(0)),
            None => (section, 0),
        };
        let mut before = 0;
        let mut current = String::new();
        let mut fallback = (1, 1);
        for (index, line) in self.text.lines().enumerate() {
            let trimmed = line.trim();
            if let Some(header) = trimmed.strip_prefix('[') {
                header.trim_matches(['[', ']', ' ']).clone_into(&mut current);
                if current == section && before <= item {
                    fallback = (index + 1, 1);
                }
                before += usize::from(current == section);
            } else if before == item + 1
                && current == section
                && trimmed.split('=').next().is_some_and(|k| k.trim() == key)
            {
                return (index + 1, 1 + line.len() - line.trim_start().len());
            }
        }
        fallback
    }
}

/// Which section a variable's is, and which of several.
fn named(section: &str) -> (&str, Option<usize>) {
    match section {
        "digest_style" => ("digest.style", None),
        "smtp" | "goal" => (section, Some(0)),
        _ => (section, None),
    }
}

/// A parsed value without its places.
fn plain(value: &Entry<'_>) -> toml::Value {
    match value.get_ref() {
        DeValue::Table(table) => {
            toml::Value::Table(table.iter().map(|(k, v)| (k.get_ref().as_ref().to_owned(), plain(v))).collect())
        }
        DeValue::Array(items) => toml::Value::Array(items.iter().map(plain).collect()),
        DeValue::String(text) => toml::Value::String(text.as_ref().to_owned()),
        DeValue::Boolean(flag) => toml::Value::Boolean(*flag),
        DeValue::Integer(number) => {
            toml::Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).unwrap_or_default())
        }
        DeValue::Float(number) => toml::Value::Float(number.as_str().parse().unwrap_or_default()),
        DeValue::Datetime(date) => toml::Value::Datetime(*date),
    }
}

/// Whether a section takes this value for this key; else serde's words.
fn try_key<T: DeserializeOwned>(key: &str, value: &toml::Value) -> Result<(), String> {
    let table = toml::Table::from_iter([(key.to_owned(), value.clone())]);
    table
        .try_into::<T>()
        .map(|_| ())
        .map_err(|error| error.message().lines().next().unwrap_or("cannot be read").to_owned())
}

/// Sets one key of a section from text: as TOML if it is some, else as a string.
fn set<T: Default + Clone + Serialize + DeserializeOwned>(
    section: &mut T,
    key: &str,
    value: &str,
) -> Result<(), String> {
    if !field_names::<T>().contains(&key) {
        return Err(format!("there is no key `{key}` in that section"));
    }
    let as_toml = format!("v = {value}").parse::<toml::Table>().ok().and_then(|mut t| t.remove("v"));
    let candidates = as_toml.into_iter().chain([toml::Value::String(value.to_owned())]);
    let mut last = String::new();
    for candidate in candidates {
        let Ok(toml::Value::Table(mut table)) = toml::Value::try_from(&*section) else {
            return Err("cannot be set".to_owned());
        };
        table.insert(key.to_owned(), candidate);
        match table.try_into::<T>() {
            Ok(changed) => {
                *section = changed;
                return Ok(());
            }
            Err(error) => error.message().lines().next().unwrap_or_default().clone_into(&mut last),
        }
    }
    Err(format!("`{key}`: {last}"))
}

/// `Smtp` hides its password when written, so it is put back after another key is set.
fn set_smtp(config: &mut Config, key: &str, value: &str) -> Result<(), String> {
    if config.smtp.is_empty() {
        config.smtp.push(Smtp::default());
    }
    let smtp = &mut config.smtp[0];
    if key == "password" {
        smtp.password = SecretString::from(value.to_owned());
        return Ok(());
    }
    let password = smtp.password.clone();
    let result = set(smtp, key, value);
    smtp.password = password;
    result
}

/// As `Smtp`, for the password, here or in the address.
fn set_store(store: &mut Store, key: &str, value: &str) -> Result<(), String> {
    match key {
        "password" => store.password = SecretString::from(value.to_owned()),
        "url" => value.clone_into(&mut store.url),
        _ => {
            let before = store.clone();
            set(store, key, value)?;
            (store.url, store.password) = (before.url, before.password);
        }
    }
    Ok(())
}

/// As `Smtp`, for the token and the password.
fn set_http(http: &mut Http, key: &str, value: &str) -> Result<(), String> {
    let secret = match key {
        "admin_token" => &mut http.admin_token,
        "admin_password" => &mut http.admin_password,
        _ => {
            let (token, password) = (http.admin_token.clone(), http.admin_password.clone());
            let result = set(http, key, value);
            (http.admin_token, http.admin_password) = (token, password);
            return result;
        }
    };
    *secret = SecretString::from(value.to_owned());
    Ok(())
}

/// Edits between two words, swaps of neighbours counted once.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let mut best = (row[j] + usize::from(from != to)).min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *from == b[j - 1] && a[i - 1] == *to {
                best = best.min(before[j - 1] + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
