//! Liquid as Jekyll runs it, as far as posts need it: text in, text out, and what was not understood beside it. Knows
//! the template language; the site, the page, includes and links it is told. It never fails: an unknown tag, filter or
//! variable is left out and reported, and what cannot be read stays as it is written.
//!
//! Posts come from many hands, so every run has a budget of steps and bytes. Beyond it the rest stays unrendered.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;

mod expr;
mod filters;
mod lexer;
mod parse;
mod run;
mod tags;
mod text;
mod value;

pub use value::Value;

/// Looks up an include's text, a post's or a file's address.
pub type Lookup<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

/// What a template may refer to.
#[derive(Clone)]
pub struct Context<'a> {
    /// `site.*` and `page.*`.
    pub site: Value,
    pub page: Value,
    /// The text of `_includes/NAME`.
    pub include: Lookup<'a>,
    /// The address of `{% post_url NAME %}`.
    pub post_url: Lookup<'a>,
    /// The address of `{% link PATH %}`.
    pub link: Lookup<'a>,
    /// What dates are shown in.
    pub zone: TimeZone,
    /// What `now` means, if the caller wants it to mean anything.
    pub now: Option<Timestamp>,
}

impl Default for Context<'_> {
    fn default() -> Self {
        Self {
            site: Value::Nil,
            page: Value::Nil,
            include: &|_| None,
            post_url: &|_| None,
            link: &|_| None,
            zone: TimeZone::UTC,
            now: None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Tag,
    Filter,
    Variable,
    Include,
    /// `post_url` or `link` to something that is not there.
    Link,
    /// A block that is never closed, or one that closes nothing.
    Syntax,
    /// The budget ran out here; the rest is as written.
    Limit,
}

impl Kind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Filter => "filter",
            Self::Variable => "variable",
            Self::Include => "include",
            Self::Link => "link",
            Self::Syntax => "syntax",
            Self::Limit => "limit",
        }
    }
}

/// Something the template says that means nothing here. Each name is told once, where it stands first; line and column
/// count from 1 in the text given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    pub kind: Kind,
    pub name: String,
    pub line: usize,
    pub column: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered<'t> {
    /// The text itself where there was nothing to do.
    pub text: Cow<'t, str>,
    pub unknown: Vec<Unknown>,
}

/// Renders one post's text.
#[must_use]
pub fn render<'t>(text: &'t str, context: &Context<'_>) -> Rendered<'t> {
    if !text.contains("{{") && !text.contains("{%") {
        return Rendered { text: Cow::Borrowed(text), unknown: Vec::new() };
    }
    let mut run = run::Run::new(text, context);
    let rendered = run.whole(text);
    Rendered { text: Cow::Owned(rendered), unknown: run.reports.into_list(text) }
}

/// What was reported so far, once a name.
#[derive(Debug, Default)]
struct Reports {
    seen: BTreeSet<(Kind, String)>,
    list: Vec<(usize, Kind, String)>,
    /// Inside an include, everything is reported where the post includes it.
    origin: Option<usize>,
}

/// A post that finds more ways than these to be wrong is wrong enough.
const MOST_REPORTS: usize = 100;

impl Reports {
    fn add(&mut self, kind: Kind, name: &str, at: usize) {
        let name: String = name.chars().take(80).collect();
        if self.list.len() < MOST_REPORTS && self.seen.insert((kind, name.clone())) {
            self.list.push((self.origin.unwrap_or(at), kind, name));
        }
    }

    fn into_list(self, text: &str) -> Vec<Unknown> {
        let mut list = self.list;
        list.sort_by_key(|(at, ..)| *at);
        let (mut line, mut line_start, mut seen) = (1, 0, 0);
        let mut unknown = Vec::with_capacity(list.len());
        for (at, kind, name) in list {
            let passed = text.get(seen..at).unwrap_or_default();
            line += passed.matches('\n').count();
            line_start = passed.rfind('\n').map_or(line_start, |newline| seen + newline + 1);
            seen = at.max(seen);
            let column = text.get(line_start..at).unwrap_or_default().chars().count() + 1;
            unknown.push(Unknown { kind, name, line, column });
        }
        unknown
    }
}

/// Names and their values: assigned ones, loop variables, an include's parameters.
type Names = BTreeMap<String, Value>;

#[cfg(test)]
mod tests;
