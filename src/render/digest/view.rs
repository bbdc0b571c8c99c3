//! An edition as one selection shows it: in the reader's language, with the posts the reader gets. Knows what the digest's
//! templates are told, and which sentence fits; not how it looks.

use jiff::tz::TimeZone;
use minijinja::context;
use minijinja::value::Value;

use super::{Content, Heading, NAME, PREFERENCES, Room, Selection, UNSUBSCRIBE, chart, clean, shorten};
use crate::domain::author::Author;
use crate::domain::dates::zone;
use crate::domain::edition::EditionPost;
use crate::domain::period::Period;
use crate::domain::problem::Problem;
use crate::domain::style::Palette;
use crate::domain::wording;
use crate::render::dress;
use crate::render::language::{Language, direction, primary};
use crate::render::prose::{Prose, prose};
use crate::render::templates::{Templates, safe};
use crate::render::xml::escape;

/// Beyond these the edition's page has the rest.
const MOST_POSTS: usize = 100;
/// Of this many goals the chart is shown, too; of the others the sentence.
const CHARTS: usize = 2;
/// What a mailbox shows beside a subject, about.
const PREHEADER: usize = 140;
/// How long a post's title may be in a subject: mailboxes cut it at 60 characters or so.
const SUBJECT_LEAD: usize = 80;
/// Words a minute.
const PACE: usize = 220;

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
                    posts => self.count(),
                    lead => self.lead().map(|lead| shorten(&clean(&lead.title), SUBJECT_LEAD)).unwrap_or_default(),
                    more => self.count().saturating_sub(1),
                };
                match self.content.subject.trim() {
                    "" => self.usual_subject(period),
                    own => templates.render_line("digest.subject", own, &names)?,
                }
            }
        };
        Ok(clean(&subject).split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect())
    }

    /// "High level graphs, and 2 more: Dask Working Notes, July 2021"
    fn usual_subject(&self, period: Period) -> String {
        let title = ("title", self.title().into());
        let month = ("month", self.language.period(period).into());
        let Some(lead) = self.lead() else { return self.language.text("digest-subject-none", &[title, month]) };
        let lead = shorten(&clean(&lead.title), SUBJECT_LEAD);
        let more = self.count().saturating_sub(1);
        self.language.text("digest-subject", &[("lead", lead.into()), ("more", more.into()), title, month])
    }

    fn count(&self) -> usize {
        self.posts.len() + self.late.len()
    }

    /// The post that stands first: the newest that its authors want there, else the newest.
    fn lead(&self) -> Option<&'a EditionPost> {
        let featured = self.posts.iter().rev().find(|post| post.featured);
        featured.or(self.posts.last()).or(self.late.last()).copied()
    }

    /// The lead, and the others in the order of their dates.
    fn shown_posts(&self) -> impl Iterator<Item = (&'a EditionPost, bool)> {
        let lead = self.lead().filter(|_| !self.posts.is_empty());
        let is_lead = move |post: &EditionPost| lead.is_some_and(|lead| lead.id == post.id);
        let others = self.posts.iter().copied().filter(move |post| !is_lead(post)).map(|post| (post, false));
        lead.into_iter().map(|post| (post, true)).chain(others)
    }

    /// What a mailbox shows beside the subject: how the first post begins, else which there are.
    fn preheader(&self) -> String {
        if self.selection.welcome || self.is_empty() {
            return wording::capitalised(&self.intro());
        }
        let beginning = self.lead().map(|lead| clean(&lead.excerpt)).unwrap_or_default();
        if !beginning.trim().is_empty() {
            return shorten(beginning.trim(), PREHEADER);
        }
        let titles: Vec<String> = self.shown_posts().map(|(post, _)| clean(&post.title)).collect();
        shorten(&titles.join(" · "), PREHEADER)
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

    pub(super) fn shown(&self, room: Room, subject: &str) -> Value {
        let content = self.content;
        let single = self.single().is_some();
        let excerpt = |lead: bool| match (single, lead) {
            (true, _) => room.lead * 2,
            (false, true) => room.lead,
            (false, false) => room.rest,
        };
        let posts = self.shown_posts().take(MOST_POSTS);
        let posts: Vec<Value> = posts.map(|(post, lead)| self.entry(post, excerpt(lead), lead && !single)).collect();
        // A post by itself is about the post.
        let whole = content.heading != Heading::Post;
        let late = self.late.iter().filter(|_| whole).take(MOST_POSTS);
        let late: Vec<Value> = late.map(|post| self.entry(post, 0, false)).collect();
        let goals = content.goals.iter().filter(|_| whole).enumerate();
        let goals: Vec<Value> = goals.map(|(index, goal)| chart::told(goal, self.language, index < CHARTS)).collect();
        let style = dress::told(content.look, &content.style);
        let [header, footer] = [&content.style.header, &content.style.footer].map(|words| self.prose(words));
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
            preheader => self.preheader(),
            style,
            header,
            footer,
            subscribe_url => clean(&content.subscribe_url),
            summary => wording::capitalised(&self.summary()),
            intro => self.intro(),
            archive => self.has_welcome_only(),
            // The text part has no room above the greeting: the more telling of the two sentences stands below it.
            opening => self.selection.welcome || self.single().is_some() || self.is_empty(),
            selected => self.selection.posts.is_some(),
            // Posts may be in another language than what stands around them.
            foreign => self.foreign(None),
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

    /// `lang` and `dir` of the posts where they are not those of the mail. A post may be in another than its blog, whether it says so or not.
    fn foreign(&self, own: Option<&str>) -> Value {
        let own = clean(own.unwrap_or(&self.content.language));
        if own.is_empty() || primary(&own) == primary(&self.spoken.0) {
            return safe(" dir=\"auto\"");
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

    /// What the operator says in every digest.
    fn prose(&self, markdown: &str) -> Value {
        let accent = Palette::light(self.content.look, &self.content.style).accent;
        let Prose { html, text } = prose(&markdown.replace(['\u{2}', '\u{3}'], ""), &format!("color:{accent}"));
        context! { html => safe(html), lines => text.lines().map(str::to_owned).collect::<Vec<_>>() }
    }

    fn entry(&self, post: &EditionPost, excerpt: usize, lead: bool) -> Value {
        let tags: Vec<String> = post.tags.iter().take(8).map(|tag| clean(tag)).collect();
        context! {
            title => shorten(&clean(&post.title), 200),
            foreign => self.foreign(post.language.as_deref()),
            url => address(post),
            date => self.language.day(self.zone.to_datetime(post.date).date()),
            authors => self.names(&post.authors),
            tags => tags.join(", "),
            excerpt => shorten(&clean(&post.excerpt), excerpt),
            minutes => post.words.div_ceil(PACE),
            lead,
        }
    }

    fn names(&self, authors: &[Author]) -> String {
        let names: Vec<String> = authors.iter().take(12).map(|author| clean(&author.name)).collect();
        self.language.list(&names)
    }
}

fn address(post: &EditionPost) -> String {
    clean(&post.url).replace(' ', "%20")
}
