//! The languages pages and mails are written in: one file each, embedded, and replaced or joined by the operator's own.
//! Knows messages and how to look one up; which of them a page needs is the page's business, and how dates, counts and
//! the goal read is told in `phrases`. A message that a language lacks is said in English, never left out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

use crate::domain::problem::Problem;

mod messages;
mod phrases;

/// The language every other one falls back to.
pub const ENGLISH: &str = "en";

/// The folder of language files among the templates.
pub const FOLDER: &str = "languages/";

/// Every language that ships: its tag and its file.
pub const EMBEDDED: [(&str, &str); 4] = [
    ("de", include_str!("../../templates/languages/de.ftl")),
    (ENGLISH, include_str!("../../templates/languages/en.ftl")),
    ("es", include_str!("../../templates/languages/es.ftl")),
    ("fr", include_str!("../../templates/languages/fr.ftl")),
];

/// The embedded English, which every message is in: a test holds that.
static FALLBACK: LazyLock<Arc<Strings>> = LazyLock::new(|| {
    let text = EMBEDDED.iter().find(|(tag, _)| *tag == ENGLISH).map(|(_, text)| *text).unwrap_or_default();
    Arc::new(Strings::of(&LanguageIdentifier::default(), messages::lenient(text)))
});

/// English as it ships, for what is written without templates.
pub static EMBEDDED_ENGLISH: LazyLock<Language> =
    LazyLock::new(|| Language { tag: ENGLISH.to_owned(), own: Arc::clone(&FALLBACK) });

/// All languages there are. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Languages {
    by_tag: Arc<BTreeMap<String, Language>>,
    problems: Arc<[Problem]>,
}

impl Languages {
    /// The embedded languages, with those of `languages/xx.ftl` in their place or beside them; other names are passed
    /// over. What a file lacks is no reason to stop: [`Languages::problems`] tells of it.
    pub fn new(replaced: &BTreeMap<String, String>) -> Result<Self, Vec<Problem>> {
        let mut by_tag: BTreeMap<String, Language> = BTreeMap::new();
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        for (name, text) in replaced.iter().filter(|(name, _)| name.starts_with(FOLDER)) {
            match messages::read(name, text) {
                Ok(file) => {
                    warnings.extend(file.warnings);
                    let own = Arc::new(Strings::of(&file.identifier, file.resource));
                    by_tag.insert(file.tag.clone(), Language { tag: file.tag, own });
                }
                Err(problems) => errors.extend(problems),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        for (tag, text) in EMBEDDED {
            by_tag.entry(tag.to_owned()).or_insert_with(|| Language::embedded(tag, text));
        }
        Ok(Self { by_tag: Arc::new(by_tag), problems: warnings.into() })
    }

    /// Those that ship.
    #[must_use]
    pub fn embedded() -> Self {
        let all = EMBEDDED.map(|(tag, text)| (tag.to_owned(), Language::embedded(tag, text)));
        Self { by_tag: Arc::new(all.into()), problems: [].into() }
    }

    /// The language asked for, else that of the primary subtag (`pt` for `pt-BR`), else English.
    #[must_use]
    pub fn get(&self, tag: &str) -> &Language {
        self.find(tag).or_else(|| self.by_tag.get(ENGLISH)).unwrap_or(&EMBEDDED_ENGLISH)
    }

    /// Tag and own name of each, by tag.
    #[must_use]
    pub fn offered(&self) -> Vec<(String, String)> {
        self.by_tag.values().map(|language| (language.tag.clone(), language.text("language-name", &[]))).collect()
    }

    /// Whether asking for `tag` gives that language, and not English in its stead.
    #[must_use]
    pub fn is_offered(&self, tag: &str) -> bool {
        self.find(tag).is_some()
    }

    /// What a page in the language asked for says of itself: its tag, and which way it runs. A page that falls back to
    /// English must not be read out as anything else.
    #[must_use]
    pub fn spoken(&self, asked: &str) -> (String, &'static str) {
        let asked: String = asked.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
        let tag = if self.is_offered(&asked) { asked.replace('_', "-") } else { ENGLISH.to_owned() };
        let direction = direction(&tag);
        (tag, direction)
    }

    /// What the operator's own files lack, or have too much.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    fn find(&self, tag: &str) -> Option<&Language> {
        let tag = tag.trim().replace('_', "-");
        let exact = self.by_tag.iter().find(|(name, _)| name.eq_ignore_ascii_case(&tag)).map(|(_, found)| found);
        exact.or_else(|| self.by_tag.get(&primary(&tag)))
    }
}

/// `pt` of `pt-BR`, in lower case.
pub(super) fn primary(tag: &str) -> String {
    tag.trim().split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase()
}

/// For `dir`, from the language alone.
pub(super) fn direction(language: &str) -> &'static str {
    let rtl = ["ar", "arc", "ckb", "dv", "fa", "he", "ps", "ug", "ur", "yi"];
    if rtl.contains(&primary(language).as_str()) { "rtl" } else { "ltr" }
}

/// What a message is told.
#[derive(Debug, Clone)]
pub enum Arg<'a> {
    Number(i64),
    Text(Cow<'a, str>),
}

macro_rules! numbers {
    ($($of:ty),*) => {$(
        impl From<$of> for Arg<'_> {
            fn from(number: $of) -> Self {
                Self::Number(i64::from(number))
            }
        }
    )*};
}
numbers!(i8, i16, u32, i64);

impl From<usize> for Arg<'_> {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl<'a> From<&'a String> for Arg<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Arg<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl<'a> From<Arg<'a>> for FluentValue<'a> {
    fn from(arg: Arg<'a>) -> Self {
        match arg {
            Arg::Number(number) => Self::from(number),
            Arg::Text(text) => Self::from(text),
        }
    }
}

/// One language. What it lacks it says in English.
#[derive(Debug, Clone)]
pub struct Language {
    tag: String,
    own: Arc<Strings>,
}

impl Language {
    fn embedded(tag: &str, text: &str) -> Self {
        if tag == ENGLISH {
            return EMBEDDED_ENGLISH.clone();
        }
        let identifier = tag.parse().unwrap_or_default();
        Self { tag: tag.to_owned(), own: Arc::new(Strings::of(&identifier, messages::lenient(text))) }
    }

    /// `de`, `pt-BR`.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The message `key`, or its attribute: `said-saved`, `said-saved.text`. A key that nobody knows is shown as it is.
    #[must_use]
    pub fn text(&self, key: &str, args: &[(&str, Arg<'_>)]) -> String {
        let said = self.say(key, args);
        debug_assert!(said.is_some(), "there is no string `{key}`, or it wants to be told more");
        said.unwrap_or_else(|| key.to_owned())
    }

    /// The same; nothing if there is no such message, or if it wants to be told more than `args` has.
    pub(super) fn say(&self, key: &str, args: &[(&str, Arg<'_>)]) -> Option<String> {
        let args: FluentArgs<'_> = args.iter().map(|(name, arg)| (*name, arg.clone())).collect();
        self.own.format(key, &args).or_else(|| FALLBACK.format(key, &args))
    }
}

/// The messages of one file.
struct Strings(FluentBundle<FluentResource>);

impl fmt::Debug for Strings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Strings({:?})", self.0.locales)
    }
}

impl Strings {
    fn of(identifier: &LanguageIdentifier, resource: FluentResource) -> Self {
        let mut bundle = FluentBundle::new_concurrent(vec![identifier.clone()]);
        // Marks around what is put in would show as boxes in old mail readers, and break links.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        Self(bundle)
    }

    fn format(&self, key: &str, args: &FluentArgs<'_>) -> Option<String> {
        let (id, attribute) = key.split_once('.').map_or((key, None), |(id, attribute)| (id, Some(attribute)));
        let message = self.0.get_message(id)?;
        let pattern = match attribute {
            None => message.value()?,
            Some(name) => message.get_attribute(name)?.value(),
        };
        let mut errors = Vec::new();
        let text = self.0.format_pattern(pattern, Some(args), &mut errors);
        errors.is_empty().then(|| text.into_owned())
    }
}

#[cfg(test)]
mod tests;
