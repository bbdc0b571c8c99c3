//! An edition as one selection shows it: in the reader's language, with the posts the reader gets. Knows what the digest's
//! templates are told, and which sentence fits; not how it looks.

use jiff::tz::TimeZone;
use minijinja::context;
use minijinja::value::Value;

use super::{Content, Heading, NAME, PREFERENCES, Selection, UNSUBSCRIBE, clean, shorten};
use crate::domain::author::Author;
use crate::domain::dates::zone;
use crate::domain::edition::EditionPost;
use crate::domain::goal::{GoalStatus, PeriodStatus};
use crate::domain::problem::Problem;
use crate::domain::wording;
use crate::render::language::{Language, direction, primary};
use crate::render::templates::{Templates, safe};
use crate::render::xml::escape;

/// Beyond these the edition's page has the rest.
const MOST_POSTS: usize = 100;
/// Periods in the row of tiles.
const TILES: usize = 12;

pub(super) struct View<'a> {
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
    pub(super) fn of(templates: &'a Templates, content: &'a Content, selection: &'a Selection<'a>) -> Self {
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
            zone: zone(&content.time_zone).unwrap_or(TimeZone::UTC),
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

    pub(super) fn subject(&self, templates: &Templates) -> Result<String, Problem> {
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

    pub(super) fn shown(&self, excerpt: usize, subject: &str) -> Value {
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
        let corrections = content.corrections.iter().filter(|_| whole).take(MOST_POSTS);
        let corrections: Vec<Value> = corrections
            .map(|correction| {
                context! {
                    title => shorten(&clean(&correction.title), 200),
                    url => correction.url.as_deref().map(|url| clean(url).replace(' ', "%20")).unwrap_or_default(),
                    note => shorten(&clean(&correction.note), 400),
                }
            })
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
            corrections,
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
        safe(format!(" lang=\"{}\" dir=\"{}\"", escape(&own), direction(&own)))
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
