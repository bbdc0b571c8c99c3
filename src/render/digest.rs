//! The digest: an edition of one period as text and HTML. Knows the edition and what it is to say; not who gets it. What
//! belongs to the recipient stays open, as markers that `message` fills in: they stand between control characters, which
//! are taken out of everything a post brings along.

use jiff::tz::TimeZone;
use minijinja::context;
use minijinja::value::Value;
use serde::Serialize;

use super::templates::{Templates, safe};
use crate::domain::author::Author;
use crate::domain::edition::EditionPost;
use crate::domain::goal::{GoalStatus, PeriodStatus};
use crate::domain::period::{Per, Period};
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

#[derive(Debug, Clone)]
pub struct Input<'a> {
    pub period: Period,
    pub zone: &'a TimeZone,
    pub language: &'a str,
    pub title: &'a str,
    pub site_url: &'a str,
    /// Where the daemon's pages are reached, without a trailing slash.
    pub pages_url: &'a str,
    /// Template of the subject: `{{ title }}`, `{{ month }}`, `{{ posts }}`.
    pub subject: &'a str,
    /// In any order; they are shown by date.
    pub posts: &'a [EditionPost],
    /// Posts of earlier periods that no edition has announced.
    pub late: &'a [EditionPost],
    pub goals: &'a [GoalStatus],
    pub drafts: &'a [Draft],
    pub postal_address: &'a str,
    /// Whether `/preferences` is there to link to.
    pub preferences: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Draft {
    pub title: String,
    pub authors: Vec<Author>,
}

/// What an edition freezes; the markers are in text and HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    pub subject: String,
    pub text: String,
    pub html: String,
}

pub fn render(templates: &Templates, input: &Input<'_>) -> Result<Digest, Problem> {
    let subject = subject(templates, input)?;
    // Without excerpts it is as short as it gets.
    let mut shown = shown(input, 0, &subject);
    let mut html = templates.render("digest.html", &shown)?;
    for excerpt in EXCERPTS {
        let longer = self::shown(input, excerpt, &subject);
        let rendered = templates.render("digest.html", &longer)?;
        if rendered.len() <= LARGEST {
            (shown, html) = (longer, rendered);
            break;
        }
    }
    let text = tidy(&templates.render("digest.txt", &shown)?);
    Ok(Digest { subject, text, html })
}

/// What the edition was made from, for the record and for pages.
#[must_use]
pub fn content(input: &Input<'_>) -> serde_json::Value {
    serde_json::json!({
        "posts": by_date(input.posts),
        "late": by_date(input.late),
        "goals": input.goals,
        "drafts": input.drafts,
    })
}

fn subject(templates: &Templates, input: &Input<'_>) -> Result<String, Problem> {
    let names = context! {
        title => clean(input.title),
        month => wording::period(input.period),
        period => input.period.to_string(),
        posts => input.posts.len() + input.late.len(),
    };
    let subject = templates.render_line("digest.subject", input.subject, &names)?;
    Ok(clean(&subject).split_whitespace().collect::<Vec<_>>().join(" ").chars().take(200).collect())
}

fn by_date(posts: &[EditionPost]) -> Vec<&EditionPost> {
    let mut posts: Vec<&EditionPost> = posts.iter().collect();
    posts.sort_by(|a, b| a.date.cmp(&b.date).then_with(|| a.id.cmp(&b.id)));
    posts
}

/// One line without control characters: no post can forge a marker or a header.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !c.is_control()).collect()
}

/// No more than one empty line in a row, none at the ends, no space at the end of a line.
fn tidy(text: &str) -> String {
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

fn shown(input: &Input<'_>, excerpt: usize, subject: &str) -> Value {
    let posts = by_date(input.posts);
    let late = by_date(input.late);
    let listed: Vec<Value> = posts.iter().take(MOST_POSTS).map(|post| entry(input, post, excerpt)).collect();
    let listed_late: Vec<Value> = late.iter().take(MOST_POSTS).map(|post| entry(input, post, 0)).collect();
    let goals: Vec<Value> = input.goals.iter().map(goal).collect();
    let drafts: Vec<Value> = input
        .drafts
        .iter()
        .take(MOST_POSTS)
        .map(|draft| context! { title => clean(&draft.title), authors => names(&draft.authors) })
        .collect();
    context! {
        title => clean(input.title),
        month => wording::period(input.period),
        period => input.period.to_string(),
        subject,
        summary => summary(input),
        lang => clean(input.language),
        dir => direction(input.language),
        site_url => clean(input.site_url),
        edition_url => format!("{}/editions/{}", clean(input.pages_url), input.period),
        goal_url => format!("{}/goal", clean(input.pages_url)),
        more => posts.len().saturating_sub(MOST_POSTS) + late.len().saturating_sub(MOST_POSTS),
        posts => listed,
        late => listed_late,
        goals,
        drafts,
        postal_address => clean(input.postal_address),
        name => safe(NAME),
        unsubscribe_url => safe(UNSUBSCRIBE),
        preferences_url => input.preferences.then(|| safe(PREFERENCES)),
    }
}

/// "Three posts from May 2021." is what a mailbox shows beside the subject.
fn summary(input: &Input<'_>) -> String {
    let count = u32::try_from(input.posts.len()).unwrap_or(u32::MAX);
    let late = u32::try_from(input.late.len()).unwrap_or(u32::MAX);
    let month = wording::period(input.period);
    match (count, late) {
        (0, 0) => format!("No new posts in {month}."),
        (0, late) => format!("{} you may have missed.", wording::capitalised(&wording::count(late, "post"))),
        (count, 0) => format!("{} from {month}.", wording::capitalised(&wording::count(count, "post"))),
        (count, late) => {
            let posts = wording::capitalised(&wording::count(count, "post"));
            format!("{posts} from {month}, and {} from before.", wording::number(late))
        }
    }
}

fn entry(input: &Input<'_>, post: &EditionPost, excerpt: usize) -> Value {
    let tags: Vec<String> = post.tags.iter().take(8).map(|tag| clean(tag)).collect();
    context! {
        title => shorten(&clean(&post.title), 200),
        url => clean(&post.url).replace(' ', "%20"),
        date => wording::day(input.zone.to_datetime(post.date).date()),
        authors => names(&post.authors),
        tags => tags.join(", "),
        excerpt => shorten(&clean(&post.excerpt), excerpt),
        minutes => post.words.div_ceil(220),
    }
}

fn names(authors: &[Author]) -> String {
    let names: Vec<String> = authors.iter().take(12).map(|author| clean(&author.name)).collect();
    wording::list(&names)
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

fn goal(goal: &GoalStatus) -> Value {
    let from = goal.periods.len().saturating_sub(TILES);
    let periods: Vec<Value> = goal.periods.get(from..).unwrap_or_default().iter().map(tile).collect();
    context! { sentence => clean(&goal.sentence), streak => goal.streak, periods }
}

fn tile(status: &PeriodStatus) -> Value {
    let first = status.period.first_day();
    let short: String = match status.period.per() {
        Per::Month => wording::month_name(first).chars().take(3).collect(),
        Per::Quarter => format!("Q{}", (first.month() - 1) / 3 + 1),
        Per::Week => format!("W{}", first.iso_week_date().week()),
    };
    context! {
        name => wording::capitalised(&wording::period(status.period)),
        short,
        published => status.published,
        state => status.state.as_str(),
    }
}

/// For `dir`, from the language alone.
pub(super) fn direction(language: &str) -> &'static str {
    let primary = language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    if ["ar", "arc", "ckb", "dv", "fa", "he", "ps", "ug", "ur", "yi"].contains(&primary.as_str()) {
        "rtl"
    } else {
        "ltr"
    }
}

/// Renders a full and an empty sample; a template that offers no way out is a problem too.
pub(super) fn check(templates: &Templates) -> Vec<Problem> {
    let posts = sample_posts();
    let drafts = [Draft { title: "A draft".into(), authors: vec![Author::named("Ann")] }];
    let goals = [sample_goal()];
    let Some(period) = Period::month(2021, 5) else { return Vec::new() };
    let empty = Input {
        period,
        zone: &TimeZone::UTC,
        language: "en",
        title: "A blog",
        site_url: "https://blog.example",
        pages_url: "https://blog.example",
        subject: "{{ title }}: {{ month }}",
        posts: &[],
        late: &[],
        goals: &[],
        drafts: &[],
        postal_address: "",
        preferences: false,
    };
    let full = Input {
        posts: &posts,
        late: &posts,
        goals: &goals,
        drafts: &drafts,
        postal_address: "A street",
        preferences: true,
        ..empty.clone()
    };
    [full, empty].iter().find_map(|input| sample_problem(templates, input)).into_iter().collect()
}

fn sample_problem(templates: &Templates, input: &Input<'_>) -> Option<Problem> {
    let digest = match render(templates, input) {
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
