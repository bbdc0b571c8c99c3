//! What editors are written: nudges, and how a month closed. Knows finished records and a language; when it is due, and to
//! whom it goes, is decided elsewhere.

use serde_json::{Value, json};

use super::language::{Arg, Language};
use super::letter::{Button, Item, List, Words};
use crate::domain::goal::GoalStatus;
use crate::domain::nudge::Nudge;
use crate::domain::period::Period;
use crate::domain::record::{Counted, Draft, Record};
use crate::domain::wording;

/// So many drafts are named.
const DRAFTS: usize = 5;

/// The blog as a letter names it.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    pub title: &'a str,
    /// Where the daemon's pages are, without a trailing slash.
    pub pages_url: &'a str,
    pub language: &'a Language,
}

impl About<'_> {
    fn button(&self, goal: &GoalStatus) -> Button {
        Button { label: self.language.text("nudge-button", &[]), url: self.goal_url(goal) }
    }

    fn goal_url(&self, goal: &GoalStatus) -> String {
        format!("{}/goal/{}", self.pages_url, goal.slug)
    }

    fn because(&self) -> String {
        self.language.text("editors-because", &[("title", self.title.into())])
    }
}

/// The words of a nudge: how long is left, what is missing, and which drafts are nearest.
#[must_use]
pub fn nudge(about: &About<'_>, record: &Record, nudge: Nudge) -> Words {
    let (language, goal) = (about.language, &record.status);
    let published = goal.current().map_or(0, |current| current.published);
    let days = ("days", goal.days_left.into());
    let args = [
        ("title", about.title.into()),
        ("name", goal.name.as_str().into()),
        days,
        ("count", goal.posts.saturating_sub(published).into()),
        ("period", language.period(nudge.period).into()),
    ];
    let key = if is_named(goal) { "nudge-subject-named" } else { "nudge-subject" };
    let left = language.text("nudge-left", &[("days", goal.days_left.into())]);
    let mut paragraphs = vec![language.goal_sentence(goal)];
    if record.drafts.is_empty() {
        paragraphs.push(language.text("nudge-no-draft", &[]));
    }
    Words {
        subject: language.text(key, &args),
        heading: wording::capitalised(&left),
        paragraphs,
        lists: [
            drafts(language, language.text("nudge-nearest", &[]), &record.drafts),
            scheduled(language, &record.scheduled),
        ]
        .into_iter()
        .flatten()
        .collect(),
        button: Some(about.button(goal)),
        because: about.because(),
    }
}

/// The same for machines, its words as `text`.
#[must_use]
pub fn nudge_facts(about: &About<'_>, record: &Record, nudge: Nudge, words: &Words) -> Value {
    let goal = &record.status;
    json!({
        "text": spoken(words),
        "goal": goal.name,
        "period": nudge.period,
        "stage": nudge.stage.to_string(),
        "days_left": goal.days_left,
        "published": goal.current().map_or(0, |current| current.published),
        "posts": goal.posts,
        "drafts": record.drafts.iter().take(DRAFTS).collect::<Vec<_>>(),
        "url": about.goal_url(goal),
    })
}

/// Who came, who left, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readers {
    pub active: u64,
    pub joined: u64,
    pub left: u64,
}

/// How a month closed, goal by goal; the records are those of its last moment.
#[must_use]
pub fn closed(about: &About<'_>, records: &[Record], month: Period, readers: Readers) -> Words {
    let language = about.language;
    let period = language.period(month);
    let mut paragraphs = Vec::new();
    for record in records {
        paragraphs.extend(standing(language, record, month));
    }
    let mut seen = Vec::new();
    let posts = records.iter().flat_map(|record| record.within(month)).filter(|post| {
        let new = !seen.contains(&post.url);
        seen.push(post.url.clone());
        new
    });
    let posts: Vec<Item> = posts.map(|post| posted(language, post)).collect();
    let posts = (!posts.is_empty()).then(|| List { heading: language.text("closed-posts", &[]), items: posts });
    let drafts = records.first().and_then(|record| drafts(language, language.text("goal-drafts", &[]), &record.drafts));
    Words {
        subject: language.text("closed-subject", &[("title", about.title.into()), ("period", period.into())]),
        heading: language.period_heading(month),
        paragraphs,
        lists: posts.into_iter().chain([subscribers(language, readers)]).chain(drafts).collect(),
        button: records.first().map(|record| about.button(&record.status)),
        because: about.because(),
    }
}

/// The same for machines.
#[must_use]
pub fn closed_facts(about: &About<'_>, records: &[Record], month: Period, readers: Readers, words: &Words) -> Value {
    let goals = records.iter().map(|record| {
        let goal = &record.status;
        let at = goal.periods.iter().find(|status| status.period.last_day() == month.last_day());
        json!({
            "goal": goal.name,
            "state": at.map(|status| status.state),
            "published": record.within(month).len(),
            "streak": goal.streak,
            "longest_streak": goal.longest_streak,
            "ahead": goal.ahead,
        })
    });
    json!({
        "text": spoken(words),
        "month": month,
        "goals": goals.collect::<Vec<_>>(),
        "subscribers": {"active": readers.active, "joined": readers.joined, "left": readers.left},
        "url": format!("{}/goal", about.pages_url),
    })
}

/// What a goal's period came to that ended with the month, and how it stands since.
fn standing(language: &Language, record: &Record, month: Period) -> Vec<String> {
    let goal = &record.status;
    let name = if is_named(goal) { format!("{}: ", wording::capitalised(goal.name.trim())) } else { String::new() };
    let over = goal.periods.iter().find(|status| status.period.last_day() == month.last_day());
    let told = over.map(|status| format!("{name}{}.", language.told(status)));
    // What was met of all, and the streak.
    let sums = language.goal_facts(goal).into_iter().skip(1).take(2);
    let sums = sums.map(|(name, value)| format!("{}: {value}.", wording::capitalised(&name))).collect::<Vec<_>>();
    let streak = over.map(|_| sums.join(" "));
    // A quarter that goes on is told as it stands.
    let open = if over.is_none() { Some(language.goal_sentence(goal)) } else { None };
    [told, streak, open].into_iter().flatten().collect()
}

fn is_named(goal: &GoalStatus) -> bool {
    !matches!(goal.name.trim(), "" | "goal")
}

fn subscribers(language: &Language, readers: Readers) -> List {
    let number = |count: u64| Arg::Number(i64::try_from(count).unwrap_or(i64::MAX));
    let args = [("active", number(readers.active)), ("joined", number(readers.joined)), ("left", number(readers.left))];
    let text = language.text("closed-subscribers-text", &args);
    List { heading: language.text("closed-subscribers", &[]), items: vec![Item { text, ..Item::default() }] }
}

fn drafts(language: &Language, heading: String, drafts: &[Draft]) -> Option<List> {
    let item = |draft: &Draft| {
        let words = u32::try_from(draft.words).unwrap_or(u32::MAX);
        let facts = language.text("draft-facts", &[("words", words.into()), ("days", draft.age.into())]);
        Item { text: draft.title.clone(), more: by(language, &draft.authors, facts), url: String::new() }
    };
    let items: Vec<Item> = drafts.iter().take(DRAFTS).map(item).collect();
    (!items.is_empty()).then_some(List { heading, items })
}

fn scheduled(language: &Language, posts: &[Counted]) -> Option<List> {
    let item = |post: &Counted| Item {
        text: post.title.clone(),
        more: by(language, &post.authors, language.day(post.date)),
        url: String::new(),
    };
    let items: Vec<Item> = posts.iter().take(DRAFTS).map(item).collect();
    (!items.is_empty()).then(|| List { heading: language.text("goal-scheduled", &[]), items })
}

fn posted(language: &Language, post: &Counted) -> Item {
    let day = language.day(post.date);
    Item { text: post.title.clone(), more: by(language, &post.authors, day), url: post.url.clone() }
}

fn by(language: &Language, authors: &[String], facts: String) -> String {
    if authors.is_empty() { facts } else { format!("{}, {facts}", language.list(authors)) }
}

/// A letter as one message for a room of people.
fn spoken(words: &Words) -> String {
    let mut lines = vec![words.subject.clone()];
    lines.extend(words.paragraphs.iter().cloned());
    for list in &words.lists {
        lines.push(format!("{}:", list.heading));
        for item in &list.items {
            let more = if item.more.is_empty() { String::new() } else { format!(" ({})", item.more) };
            lines.push(format!("- {}{more}", item.text));
        }
    }
    lines.extend(words.button.as_ref().map(|button| format!("{}: {}", button.label, button.url)));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::nudge::Stage;
    use crate::domain::record::tests::sample;
    use crate::render::language::Languages;

    fn about(language: &Language) -> About<'_> {
        About { title: "Notes", pages_url: "https://news.example", language }
    }

    const NUDGE: &str = "2021-07";

    #[test]
    fn a_nudge_says_how_long_is_left_and_which_drafts_are_nearest_in_every_language() {
        let languages = Languages::embedded();
        let due = Nudge { period: Period::parse(NUDGE).unwrap(), stage: Stage::Left(3) };
        let said = ["en", "de", "fr", "es"].map(|tag| {
            let about = about(languages.get(tag));
            spoken(&nudge(&about, &sample(), due))
        });
        insta::assert_snapshot!("nudges", said.join("\n\n"));
        let about = about(languages.get("en"));
        let words = nudge(&about, &sample(), due);
        let facts = nudge_facts(&about, &sample(), due, &words);
        assert_eq!(
            (&facts["period"], &facts["days_left"], &facts["stage"]),
            (&json!("2021-07"), &json!(3), &json!("left-3"))
        );
        assert_eq!(facts["drafts"][0]["words"], 2_100);
    }

    #[test]
    fn the_monthly_letter_says_how_the_month_closed_in_every_language() {
        let languages = Languages::embedded();
        let readers = Readers { active: 120, joined: 7, left: 1 };
        let june = Period::parse("2021-06").unwrap();
        let said = ["en", "de", "fr", "es"].map(|tag| {
            let about = about(languages.get(tag));
            spoken(&closed(&about, &[sample()], june, readers))
        });
        insta::assert_snapshot!("months", said.join("\n\n"));
    }

    #[test]
    fn a_post_that_counts_for_two_goals_is_told_once() {
        let languages = Languages::embedded();
        let june = Period::parse("2021-06").unwrap();
        let readers = Readers { active: 1, joined: 0, left: 0 };
        let mut ann = sample();
        ann.status.name = "ann".into();
        let words = closed(&about(languages.get("en")), &[sample(), ann], june, readers);
        let text = spoken(&words);
        assert_eq!(text.matches("Skeletons").count(), 1);
        assert!(text.contains("June 2021: 1 post, met.") && text.contains("Ann: June 2021: 1 post, met."), "{text}");
    }
}
