//! The digest: an edition of one period as text and HTML. Knows the edition and what it is to say; not who gets it. What
//! belongs to the recipient stays open, as markers that `message` fills in: they stand between control characters, which
//! are taken out of everything a post brings along.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::language::primary;
use super::templates::Templates;
use crate::domain::author::Author;
use crate::domain::edition::{EditionPost, Translation};
use crate::domain::goal::GoalStatus;
use crate::domain::period::Period;
use crate::domain::plain;
use crate::domain::problem::Problem;
use crate::domain::style::{Look, Style};

mod chart;
mod view;

use view::View;

/// The recipient's parts.
pub const NAME: &str = "\u{2}name\u{3}";
pub const UNSUBSCRIBE: &str = "\u{2}unsubscribe\u{3}";
pub const PREFERENCES: &str = "\u{2}preferences\u{3}";

/// Gmail cuts what is longer than about 102 kB; the wrapping takes some.
const LARGEST: usize = 80_000;
/// How many characters are shown of the excerpts: as many as there is room for.
const ROOMS: [Room; 4] = [
    Room { lead: 600, rest: 200 },
    Room { lead: 420, rest: 140 },
    Room { lead: 300, rest: 80 },
    Room { lead: 300, rest: 0 },
];
const NO_ROOM: Room = Room { lead: 0, rest: 0 };

/// Of the first post's excerpt, and of each other one's.
#[derive(Debug, Clone, Copy)]
struct Room {
    lead: usize,
    rest: usize,
}

/// Everything an edition freezes: it can be rendered again in another language, or with some of its posts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    pub heading: Heading,
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub site_url: String,
    /// Where the daemon's pages are reached, without a trailing slash.
    #[serde(default)]
    pub pages_url: String,
    /// Template of the subject; empty: what is in it.
    #[serde(default)]
    pub subject: String,
    #[serde(default)]
    pub time_zone: String,
    /// The blog's own.
    #[serde(default)]
    pub language: String,
    #[serde(default)]
    pub postal_address: String,
    #[serde(default)]
    pub posts: Vec<EditionPost>,
    /// Posts of earlier periods that no edition has announced.
    #[serde(default)]
    pub late: Vec<EditionPost>,
    #[serde(default)]
    pub goals: Vec<GoalStatus>,
    #[serde(default)]
    pub drafts: Vec<Draft>,
    /// What earlier editions announced and is not true any more.
    #[serde(default)]
    pub corrections: Vec<Correction>,
    /// Where somebody can subscribe to whom a reader has passed it on; empty: nowhere.
    #[serde(default)]
    pub subscribe_url: String,
    #[serde(default)]
    pub look: Look,
    #[serde(default)]
    pub style: Style,
}

/// A post that was corrected, or taken back, after an edition had announced it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    pub id: String,
    pub title: String,
    /// None: it was taken back.
    pub url: Option<String>,
    pub note: String,
}

/// What an edition is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Heading {
    Period(Period),
    /// One post, mailed by itself as it is published.
    Post,
}

impl Content {
    /// With nothing in it.
    #[must_use]
    pub fn of(heading: Heading) -> Self {
        Self {
            heading,
            title: String::new(),
            site_url: String::new(),
            pages_url: String::new(),
            subject: String::new(),
            time_zone: String::new(),
            language: String::new(),
            postal_address: String::new(),
            posts: Vec::new(),
            late: Vec::new(),
            goals: Vec::new(),
            drafts: Vec::new(),
            corrections: Vec::new(),
            subscribe_url: String::new(),
            look: Look::default(),
            style: Style::default(),
        }
    }

    /// With the posts in this language where they have been translated into it.
    fn in_language(&self, language: &str) -> Cow<'_, Self> {
        let speaks = |own: Option<&str>| primary(own.unwrap_or(&self.language)) == primary(language);
        let found = |post: &EditionPost| {
            let translated = || post.translations.iter().position(|other| speaks(other.language.as_deref()));
            if speaks(post.language.as_deref()) { None } else { translated() }
        };
        if self.posts.iter().chain(&self.late).all(|post| found(post).is_none()) {
            return Cow::Borrowed(self);
        }
        let mut content = self.clone();
        for post in content.posts.iter_mut().chain(&mut content.late) {
            let Some(at) = found(post) else { continue };
            let Translation { id: _, language, url, title, authors, tags, excerpt, words } =
                post.translations.swap_remove(at);
            *post = EditionPost { url, title, authors, tags, excerpt, words, language, ..post.clone() };
        }
        Cow::Owned(content)
    }

    /// With the posts in the order of their dates, which is that of the indices in a [`Selection`].
    #[must_use]
    pub fn sorted(mut self) -> Self {
        for posts in [&mut self.posts, &mut self.late] {
            posts.sort_by(|a, b| a.date.cmp(&b.date).then_with(|| a.id.cmp(&b.id)));
        }
        self
    }
}

/// What one reader, or one kind of readers, gets of an edition.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'a> {
    pub language: &'a str,
    /// Indices into the posts followed by the late ones; none: all of them.
    pub posts: Option<&'a [usize]>,
    /// The first mail to a new reader.
    pub welcome: bool,
}

impl<'a> Selection<'a> {
    /// The edition as it is.
    #[must_use]
    pub fn all(language: &'a str) -> Self {
        Self { language, posts: None, welcome: false }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    pub title: String,
    #[serde(default)]
    pub authors: Vec<Author>,
}

/// What an edition freezes; the markers are in text and HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    pub subject: String,
    pub text: String,
    pub html: String,
}

pub fn render(templates: &Templates, content: &Content, selection: &Selection<'_>) -> Result<Digest, Problem> {
    let content = content.in_language(selection.language);
    let view = View::of(templates, &content, selection);
    let subject = view.subject(templates)?;
    // Without excerpts it is as short as it gets.
    let mut shown = view.shown(NO_ROOM, &subject);
    let mut html = templates.render("digest.html", &shown)?;
    for room in ROOMS {
        let longer = view.shown(room, &subject);
        let rendered = templates.render("digest.html", &longer)?;
        if rendered.len() <= LARGEST {
            (shown, html) = (longer, rendered);
            break;
        }
    }
    let text = tidy(&templates.render("digest.txt", &shown)?);
    Ok(Digest { subject, text, html })
}

/// One line without control characters: no post can forge a marker or a header.
pub(super) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !plain::turns(*c))
        .collect()
}

/// No more than one empty line in a row, none at the ends, no space at the end of a line.
pub(super) fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = true;
    for line in text.lines().map(str::trim_end) {
        if !(line.is_empty() && empty) {
            out.extend([line, "\n"]);
        }
        empty = line.is_empty();
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// Cut at a word, with an ellipsis.
pub(super) fn shorten(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    let kept: String = text.chars().take(length.saturating_sub(1)).collect();
    let cut = kept.rfind(' ').filter(|at| *at * 2 > kept.len()).unwrap_or(kept.len());
    match kept.get(..cut) {
        Some(kept) if !kept.is_empty() => format!("{}…", kept.trim_end_matches([' ', ',', ';', ':', '.'])),
        _ => String::new(),
    }
}

/// Renders samples of all kinds; a template that offers no way out is a problem too.
pub(super) fn check(templates: &Templates) -> Vec<Problem> {
    let Some(period) = Period::month(2021, 5) else { return Vec::new() };
    let empty = Content {
        title: "A blog".into(),
        site_url: "https://blog.example".into(),
        pages_url: "https://blog.example".into(),
        time_zone: "UTC".into(),
        language: "en".into(),
        ..Content::of(Heading::Period(period))
    };
    let full = Content {
        posts: sample_posts(),
        late: sample_posts(),
        goals: vec![sample_goal()],
        drafts: vec![Draft { title: "A draft".into(), authors: vec![Author::named("Ann")] }],
        corrections: vec![Correction {
            id: "1".into(),
            title: "A post".into(),
            url: Some("https://blog.example/post".into()),
            note: "A figure was wrong".into(),
        }],
        postal_address: "A street".into(),
        subscribe_url: "https://blog.example/subscribe".into(),
        ..empty.clone()
    };
    let looks = [Look::Plain, Look::Magazine].map(|look| Content { look, ..full.clone() });
    let post = Content { heading: Heading::Post, ..full.clone() };
    let all = Selection::all("en");
    let welcome = Selection { posts: Some(&[0]), welcome: true, ..all };
    let samples = [(&full, all), (&empty, all), (&post, all), (&full, welcome), (&empty, welcome)];
    let samples = samples.into_iter().chain(looks.iter().map(|content| (content, all)));
    samples
        .into_iter()
        .find_map(|(content, selection)| sample_problem(templates, content, &selection))
        .into_iter()
        .collect()
}

fn sample_problem(templates: &Templates, content: &Content, selection: &Selection<'_>) -> Option<Problem> {
    let digest = match render(templates, content, selection) {
        Ok(digest) => digest,
        Err(problem) => return Some(problem),
    };
    let without = [("digest.html", &digest.html), ("digest.txt", &digest.text)]
        .into_iter()
        .find(|(_, rendered)| !rendered.contains(UNSUBSCRIBE))?;
    let problem = Problem::error(format!("templates/{}", without.0), "template", "there is no link to unsubscribe");
    Some(problem.hint("every digest must have `{{ unsubscribe_url }}`"))
}

pub(super) fn sample_posts() -> Vec<EditionPost> {
    vec![EditionPost {
        id: "https://blog.example/a".into(),
        url: "https://blog.example/a".into(),
        title: "A post".into(),
        date: jiff::Timestamp::UNIX_EPOCH,
        authors: vec![Author::named("Ann"), Author::named("Bo")],
        tags: vec!["tag".into()],
        excerpt: "How it begins.".into(),
        words: 400,
        featured: false,
        language: None,
        translations: Vec::new(),
    }]
}

pub(super) fn sample_goal() -> GoalStatus {
    use crate::domain::goal::{Bounds, Spec, status};
    let spec = Spec { since: Some(jiff::civil::date(1970, 1, 1)), ..Spec::default() };
    status(&spec, &[], &TimeZone::UTC, jiff::Timestamp::UNIX_EPOCH, Bounds::default())
}

#[cfg(test)]
pub(crate) mod tests;
