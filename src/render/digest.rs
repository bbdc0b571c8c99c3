//! The digest: an edition of one period as text and HTML. Knows the edition and what it is to say; not who gets it. What
//! belongs to the recipient stays open, as markers that `message` fills in: they stand between control characters, which
//! are taken out of everything a post brings along.

use jiff::tz::TimeZone;
use minijinja::context;
use minijinja::value::Value;
use serde::{Deserialize, Serialize};

use super::language::{Language, direction, primary};
use super::templates::{Templates, safe};
use crate::domain::author::Author;
use crate::domain::edition::EditionPost;
use crate::domain::goal::{GoalStatus, PeriodStatus};
use crate::domain::period::Period;
use crate::domain::problem::Problem;
use crate::domain::wording;

/// The recipient's parts.
pub const NAME: &str = "\u{2}name\u{3}";
pub const UNSUBSCRIBE: &str = "\u{2}unsubscribe\u{3}";
pub const PREFERENCES: &str = "\u{2}preferences\u{3}";

/// Gmail cuts what is longer than about 102 kB; the wrapping takes some.
const LARGEST: usize = 80_000;
/// How many characters of an excerpt are shown: as many as there is room for.
const EXCERPTS: [usize; 3] = [420, 220, 100];
/// Beyond these the edition's page has the rest.
const MOST_POSTS: usize = 100;
/// Periods in the row of tiles.
const TILES: usize = 12;

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
    /// Template of the subject: `{{ title }}`, `{{ month }}`, `{{ posts }}`.
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
    let view = View::of(templates, content, selection);
    let subject = view.subject(templates)?;
    // Without excerpts it is as short as it gets.
    let mut shown = view.shown(0, &subject);
    let mut html = templates.render("digest.html", &shown)?;
    for excerpt in EXCERPTS {
        let longer = view.shown(excerpt, &subject);
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
    text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !c.is_control()).collect()
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

/// An edition as one selection shows it.
struct View<'a> {
    content: &'a Content,
    selection: &'a Selection<'a>,
    language: &'a Language,
    /// What the language is called, and which way it runs.
    spoken: (String, &'static str),
    zone: TimeZone,
    posts: Vec<&'a EditionPost>,
    late: Vec<&'a EditionPost>,
}

impl<'a> View<'a> {
    fn of(templates: &'a Templates, content: &'a Content, selection: &'a Selection<'a>) -> Self {
        let chosen = |posts: &'a [EditionPost], from: usize| {
            let is_chosen = |index: usize| selection.posts.is_none_or(|chosen| chosen.contains(&(from + index)));
            let mut chosen: Vec<&EditionPost> =
                posts.iter().enumerate().filter(|(index, _)| is_chosen(*index)).map(|(_, post)| post).collect();
            chosen.sort_by(|a, b| a.date.cmp(&b.date).then_with(|| a.id.cmp(&b.id)));
            chosen
        };
        Self {
            content,
            selection,
            language: templates.languages().get(selection.language),
            spoken: templates.languages().spoken(selection.language),
            zone: TimeZone::get(&content.time_zone).unwrap_or(TimeZone::UTC),
            posts: chosen(&content.posts, 0),
            late: chosen(&content.late, content.posts.len()),
        }
    }

    fn title(&self) -> String {
        clean(&self.content.title)
    }

    fn is_empty(&self) -> bool {
        self.posts.is_empty() && self.late.is_empty()
    }

    fn has_welcome_only(&self) -> bool {
        self.selection.welcome && self.is_empty()
    }

    /// The post of an edition that is of one.
    fn single(&self) -> Option<&'a EditionPost> {
        self.posts.first().copied().filter(|_| self.content.heading == Heading::Post)
    }

    fn subject(&self, templates: &Templates) -> Result<String, Problem> {
        let title = self.title();
        let subject = match (self.selection.welcome, self.content.heading, self.single()) {
            (true, ..) => self.language.text("digest-welcome-subject", &[("title", title.into())]),
            (_, _, Some(post)) => {
                let post = shorten(&clean(&post.title), 150);
                self.language.text("digest-post-subject", &[("post", post.into()), ("title", title.into())])
            }
            (_, Heading::Post, None) => title,
            (_, Heading::Period(period), _) => {
                let names = context! {
                    lang => &self.spoken.0,
                    title,
                    month => self.language.period_heading(period),
                    period => period.to_string(),
                    posts => self.posts.len() + self.late.len(),
                };
                templates.render_line("digest.subject", &self.content.subject, &names)?
            }
        };
        Ok(clean(&subject).split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect())
    }

    fn heading(&self) -> String {
        match (self.single(), self.content.heading) {
            _ if self.has_welcome_only() => {
                self.language.text("digest-welcome-subject", &[("title", self.title().into())])
            }
            (Some(post), _) => shorten(&clean(&post.title), 200),
            (None, Heading::Period(period)) => self.language.period_heading(period),
            (None, Heading::Post) => self.title(),
        }
    }

    fn shown(&self, excerpt: usize, subject: &str) -> Value {
        let content = self.content;
        let excerpt = if self.single().is_some() { excerpt * 3 } else { excerpt };
        let posts: Vec<Value> = self.posts.iter().take(MOST_POSTS).map(|post| self.entry(post, excerpt)).collect();
        // A post by itself is about the post.
        let whole = content.heading != Heading::Post;
        let late = self.late.iter().filter(|_| whole).take(MOST_POSTS);
        let late: Vec<Value> = late.map(|post| self.entry(post, 0)).collect();
        let goals: Vec<Value> = content.goals.iter().filter(|_| whole).map(|goal| self.goal(goal)).collect();
        let drafts = content.drafts.iter().filter(|_| whole).take(MOST_POSTS);
        let drafts: Vec<Value> = drafts
            .map(|draft| context! { title => clean(&draft.title), authors => self.names(&draft.authors) })
            .collect();
        context! {
            lang => &self.spoken.0,
            dir => self.spoken.1,
            title => self.title(),
            month => self.heading(),
            period => self.period(),
            single => self.single().is_some(),
            subject,
            summary => wording::capitalised(&self.summary()),
            intro => self.intro(),
            archive => self.has_welcome_only(),
            // The text part has no room above the greeting: the more telling of the two sentences stands below it.
            opening => self.selection.welcome || self.single().is_some() || self.is_empty(),
            selected => self.selection.posts.is_some(),
            // Posts may be in another language than what stands around them.
            foreign => self.foreign(),
            site_url => clean(&content.site_url),
            edition_url => self.web_address(),
            goal_url => format!("{}/goal", clean(&content.pages_url)),
            more => self.posts.len().saturating_sub(MOST_POSTS) + self.late.len().saturating_sub(MOST_POSTS),
            posts,
            late,
            goals,
            drafts,
            postal_address => clean(&content.postal_address),
            name => safe(NAME),
            unsubscribe_url => safe(UNSUBSCRIBE),
            preferences_url => safe(PREFERENCES),
        }
    }

    fn period(&self) -> String {
        match self.content.heading {
            Heading::Period(period) => period.to_string(),
            Heading::Post => String::new(),
        }
    }

    fn web_address(&self) -> String {
        let pages = clean(&self.content.pages_url);
        match (self.single(), self.content.heading) {
            (Some(post), _) => address(post),
            (None, Heading::Period(period)) if !self.has_welcome_only() => format!("{pages}/editions/{period}"),
            (None, _) => format!("{pages}/editions/"),
        }
    }

    /// `lang` and `dir` of the posts where they are not those of the mail.
    fn foreign(&self) -> Value {
        let own = clean(&self.content.language);
        if own.is_empty() || primary(&own) == primary(&self.spoken.0) {
            return safe("");
        }
        safe(format!(" lang=\"{}\" dir=\"{}\"", super::xml::escape(&own), direction(&own)))
    }

    /// "Three posts from May 2021." is what a mailbox shows beside the subject.
    fn summary(&self) -> String {
        let (posts, late) = (self.posts.len(), self.late.len());
        let period = match self.content.heading {
            _ if self.has_welcome_only() => return self.language.text("digest-summary-welcome", &[]),
            Heading::Post => return self.language.text("digest-summary-post", &[("title", self.title().into())]),
            Heading::Period(period) => ("period", self.language.period(period).into()),
        };
        match (posts, late) {
            (0, 0) => self.language.text("digest-summary-none", &[period]),
            (0, late) => self.language.text("digest-summary-missed", &[("count", late.into())]),
            (posts, 0) => self.language.text("digest-summary", &[period, ("count", posts.into())]),
            (posts, late) => {
                let late = self.language.text("number-alone", &[("count", late.into())]);
                self.language.text("digest-summary-late", &[period, ("count", posts.into()), ("late", late.into())])
            }
        }
    }

    /// The sentence after the greeting.
    fn intro(&self) -> String {
        let title = [("title", self.title().into())];
        if self.selection.welcome {
            let key = if self.is_empty() { "digest-welcome-none" } else { "digest-welcome" };
            return self.language.text(key, &title);
        }
        match (self.content.heading, self.posts.len(), self.late.len()) {
            (Heading::Post, ..) => self.language.text("digest-intro-post", &title),
            (_, 0, 0) => self.language.text("digest-intro-none", &[]),
            (_, 0, _) => self.language.text("digest-intro-late", &[]),
            (_, posts, _) => self.language.text("digest-intro", &[("count", posts.into())]),
        }
    }

    fn entry(&self, post: &EditionPost, excerpt: usize) -> Value {
        let tags: Vec<String> = post.tags.iter().take(8).map(|tag| clean(tag)).collect();
        context! {
            title => shorten(&clean(&post.title), 200),
            url => address(post),
            date => self.language.day(self.zone.to_datetime(post.date).date()),
            authors => self.names(&post.authors),
            tags => tags.join(", "),
            excerpt => shorten(&clean(&post.excerpt), excerpt),
            minutes => post.words.div_ceil(220),
        }
    }

    fn names(&self, authors: &[Author]) -> String {
        let names: Vec<String> = authors.iter().take(12).map(|author| clean(&author.name)).collect();
        self.language.list(&names)
    }

    fn goal(&self, goal: &GoalStatus) -> Value {
        let from = goal.periods.len().saturating_sub(TILES);
        let periods = goal.periods.get(from..).unwrap_or_default();
        let periods: Vec<Value> = periods.iter().map(|status| self.tile(status)).collect();
        context! { sentence => clean(&self.language.goal_sentence(goal)), streak => goal.streak, periods }
    }

    fn tile(&self, status: &PeriodStatus) -> Value {
        let short = self.language.period_short(status.period);
        context! {
            name => self.language.period_heading(status.period),
            short => &short,
            // The engine's own padding counts bytes.
            column => format!("{short:<9}"),
            published => status.published,
            state => status.state.as_str(),
            state_name => self.language.state(status.state),
        }
    }
}

fn address(post: &EditionPost) -> String {
    clean(&post.url).replace(' ', "%20")
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
        heading: Heading::Period(period),
        title: "A blog".into(),
        site_url: "https://blog.example".into(),
        pages_url: "https://blog.example".into(),
        subject: "{{ title }}: {{ month }}".into(),
        time_zone: "UTC".into(),
        language: "en".into(),
        postal_address: String::new(),
        posts: Vec::new(),
        late: Vec::new(),
        goals: Vec::new(),
        drafts: Vec::new(),
    };
    let full = Content {
        posts: sample_posts(),
        late: sample_posts(),
        goals: vec![sample_goal()],
        drafts: vec![Draft { title: "A draft".into(), authors: vec![Author::named("Ann")] }],
        postal_address: "A street".into(),
        ..empty.clone()
    };
    let post = Content { heading: Heading::Post, ..full.clone() };
    let all = Selection::all("en");
    let welcome = Selection { posts: Some(&[0]), welcome: true, ..all };
    let samples = [(&full, all), (&empty, all), (&post, all), (&full, welcome), (&empty, welcome)];
    samples.iter().find_map(|(content, selection)| sample_problem(templates, content, selection)).into_iter().collect()
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
    }]
}

pub(super) fn sample_goal() -> GoalStatus {
    use crate::domain::goal::{Bounds, Spec, status};
    let spec = Spec { since: Some(jiff::civil::date(1970, 1, 1)), ..Spec::default() };
    status(&spec, &[], &TimeZone::UTC, jiff::Timestamp::UNIX_EPOCH, Bounds::default())
}

#[cfg(test)]
pub(crate) mod tests;
