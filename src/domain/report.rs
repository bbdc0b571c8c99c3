//! The progress report: what was promised for a stretch of time, what was published in it, what is being written, how it
//! was before, and what else there is to tell. Knows posts and goals; where it is shown is `render::report`'s work.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::facts::{self, Section};
use super::goal::{Bounds, GoalStatus, PeriodStatus, Spec, status};
use super::period::Per;
use super::post::{Post, State};
use super::wording;

mod tallies;

pub use tallies::{Before, Month, Share};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Exceeded,
    Met,
    Missed,
}

impl Verdict {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exceeded => "exceeded",
            Self::Met => "met",
            Self::Missed => "missed",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportPost {
    pub title: String,
    pub url: String,
    /// The day in the site's zone; drafts may have none.
    pub date: Option<Date>,
    pub authors: Vec<String>,
    /// The authors but the one the report is about; without one, all but the first.
    pub coauthors: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Of a draft: how many days ago it was begun, by its date if that is past, else by its file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<i32>,
}

/// A goal within the stretch of time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportGoal {
    pub verdict: Verdict,
    #[serde(flatten)]
    pub standing: GoalStatus,
}

/// `report --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    pub from: Date,
    pub to: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    pub published: u32,
    /// What the goal asked for in the periods that had begun.
    pub target: u32,
    pub verdict: Verdict,
    pub sentence: String,
    pub posts: Vec<ReportPost>,
    pub drafts: Vec<ReportPost>,
    pub periods: Vec<PeriodStatus>,
    /// All of them; the first is the one that the sentence is about.
    pub goals: Vec<ReportGoal>,
    pub months: Vec<Month>,
    pub authors: Vec<Share>,
    pub tags: Vec<Share>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Before>,
    /// Talks, releases and what else a file of facts holds.
    pub facts: Vec<Section>,
    #[serde(skip)]
    pub goal: u32,
    #[serde(skip)]
    pub per: Per,
}

/// What a report is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The first is the one that the sentence is about. Who asks about an author sets their `author`.
    pub goals: &'a [Spec],
    pub from: Date,
    pub to: Date,
    pub facts: &'a [Section],
}

/// The report on `from..=to`, as of `now`. Posts count by their day, so a range that begins in the middle of a month takes
/// only the posts it names.
#[must_use]
pub fn report(asked: &Asked<'_>, posts: &[Post], zone: &TimeZone, now: Timestamp) -> Report {
    let Asked { from, to, .. } = *asked;
    let spec = asked.goals.first().cloned().unwrap_or_default();
    let bounds = Bounds { from: Some(from), to: Some(to), by_day: true };
    let goal = |spec: &Spec| {
        let standing = status(spec, posts, zone, now, bounds);
        ReportGoal { verdict: verdict(standing.published, standing.target), standing }
    };
    let goals: Vec<ReportGoal> = asked.goals.iter().map(goal).collect();
    let ReportGoal { verdict, standing } = goals.first().cloned().unwrap_or_else(|| goal(&spec));
    let listed = published(&spec, posts, zone, now, from, to);
    let drafts = in_the_making(&spec, posts, zone, now);
    let published = u32::try_from(listed.len()).unwrap_or(u32::MAX);
    let author = spec.author.as_deref().map(|asked| as_spelt(asked, posts));
    let mut report = Report {
        from,
        to,
        published,
        target: standing.target,
        verdict,
        sentence: String::new(),
        months: tallies::months(&listed, from, to),
        authors: tallies::shares(&listed, |post| &post.authors),
        tags: tallies::shares(&listed, |post| &post.tags),
        before: before(&spec, posts, zone, now, from, to),
        facts: facts::within(asked.facts, from, to, author.as_deref()),
        author,
        posts: listed,
        drafts,
        goals,
        goal: spec.posts,
        per: spec.per,
        periods: Vec::new(),
    };
    report.sentence = sentence(&report, &standing);
    report.periods = standing.periods;
    report
}

fn verdict(published: u32, target: u32) -> Verdict {
    match published.cmp(&target) {
        std::cmp::Ordering::Greater => Verdict::Exceeded,
        std::cmp::Ordering::Equal => Verdict::Met,
        std::cmp::Ordering::Less => Verdict::Missed,
    }
}

/// The stretch before, if the blog was there by then.
fn before(spec: &Spec, posts: &[Post], zone: &TimeZone, now: Timestamp, from: Date, to: Date) -> Option<Before> {
    let (from, to) = tallies::stretch_before(from, to)?;
    let first =
        posts.iter().filter(|post| post.is_published() && spec.wants(post)).filter_map(|post| post.date).min()?;
    if zone.to_datetime(first).date() > to {
        return None;
    }
    let bounds = Bounds { from: Some(from), to: Some(to), by_day: true };
    let standing = status(spec, posts, zone, now, bounds);
    let published = u32::try_from(published(spec, posts, zone, now, from, to).len()).unwrap_or(u32::MAX);
    Some(Before { from, to, published, target: standing.target, verdict: verdict(standing.published, standing.target) })
}

/// The author's name as the posts have it, whatever case it was asked in.
fn as_spelt(asked: &str, posts: &[Post]) -> String {
    let found = posts.iter().flat_map(|post| &post.authors).find(|author| author.is(asked));
    found.map_or_else(|| asked.trim().to_owned(), |author| author.name.clone())
}

fn published(spec: &Spec, posts: &[Post], zone: &TimeZone, now: Timestamp, from: Date, to: Date) -> Vec<ReportPost> {
    let mut found: Vec<(Timestamp, &Post)> = posts
        .iter()
        .filter(|post| post.is_published() && spec.wants(post))
        .filter_map(|post| post.date.filter(|date| *date <= now).map(|date| (date, post)))
        .filter(|(date, _)| (from..=to).contains(&zone.to_datetime(*date).date()))
        .collect();
    found.sort_by(|(a, left), (b, right)| a.cmp(b).then_with(|| left.path.cmp(&right.path)));
    found.into_iter().map(|(_, post)| entry(spec, post, zone)).collect()
}

/// Drafts and posts that wait for their date: both are on their way.
fn in_the_making(spec: &Spec, posts: &[Post], zone: &TimeZone, now: Timestamp) -> Vec<ReportPost> {
    let mut found: Vec<&Post> =
        posts.iter().filter(|post| matches!(post.state, State::Draft | State::Scheduled) && spec.wants(post)).collect();
    found.sort_by(|a, b| a.date.cmp(&b.date).then_with(|| a.path.cmp(&b.path)));
    let today = zone.to_datetime(now).date();
    let age = |post: &Post| {
        let begun = post.date.filter(|date| *date <= now).unwrap_or(post.modified);
        let days = zone.to_datetime(begun).date().until(today).ok()?.get_days();
        (post.state == State::Draft).then_some(days.max(0))
    };
    found.into_iter().map(|post| ReportPost { days: age(post), ..entry(spec, post, zone) }).collect()
}

fn entry(spec: &Spec, post: &Post, zone: &TimeZone) -> ReportPost {
    let authors: Vec<String> = post.authors.iter().map(|author| author.name.clone()).collect();
    let coauthors = match &spec.author {
        Some(asked) => post.authors.iter().filter(|a| !a.is(asked)).map(|a| a.name.clone()).collect(),
        None => authors.iter().skip(1).cloned().collect(),
    };
    ReportPost {
        title: post.title.clone(),
        url: post.url.clone(),
        date: post.date.map(|date| zone.to_datetime(date).date()),
        authors,
        coauthors,
        tags: post.tags.clone(),
        days: None,
    }
}

/// "We set a goal of one blogpost per month, and exceeded it: nine posts have been published in eight months (February to
/// September 2021), with another two in draft."
fn sentence(report: &Report, standing: &GoalStatus) -> String {
    let per = report.per.as_str();
    let goal = wording::count(report.goal, "blogpost");
    let (Some(since), Some(until)) = (standing.since, standing.until) else {
        return not_begun(report, &goal, per);
    };
    let verdict = match report.verdict {
        Verdict::Exceeded => "and exceeded it",
        Verdict::Met => "and met it",
        Verdict::Missed => "and have not reached it yet",
    };
    let by = report.author.as_deref().map(|name| format!(" by {name}")).unwrap_or_default();
    let posts = wording::count(standing.published, "post");
    let have = have(standing.published);
    let stretch = wording::stretch(report.from.max(since), report.to.min(until));
    let time = wording::count(standing.begun(), per);
    let aim = match report.verdict {
        Verdict::Missed if standing.published > 0 => {
            format!(" of the {} we aimed for", wording::number(report.target))
        }
        _ => String::new(),
    };
    let earlier = match report.published.saturating_sub(standing.published) {
        0 => String::new(),
        some => format!(", and {} before there was a goal", wording::number(some)),
    };
    let drafts = drafts(report);
    format!(
        "We set a goal of {goal} per {per}, {verdict}: {posts}{aim} {have} been published in {time} \
         ({stretch}){by}{earlier}{drafts}."
    )
}

/// The goal is for later, or the time is.
fn not_begun(report: &Report, goal: &str, per: &str) -> String {
    let (posts, have) = (wording::count(report.published, "post"), have(report.published));
    let stretch = wording::stretch(report.from, report.to);
    let drafts = drafts(report);
    format!(
        "We set a goal of {goal} per {per}, of which nothing is due yet: {posts} {have} been published in \
         {stretch}{drafts}."
    )
}

fn have(posts: u32) -> &'static str {
    if posts == 1 { "has" } else { "have" }
}

fn drafts(report: &Report) -> String {
    let another = if report.published == 0 { "" } else { "another " };
    match u32::try_from(report.drafts.len()).unwrap_or(u32::MAX) {
        0 => String::new(),
        drafts => format!(", with {another}{} in draft", wording::number(drafts)),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::author::Author;
    use crate::domain::post::Written;

    pub(crate) fn post(day: &str, title: &str, authors: &[&str], state: State) -> Post {
        let written = Written {
            path: format!("{day}-{title}.md").into(),
            url: format!("https://blog.example/{}", slug::slugify(title)),
            title: title.into(),
            date: Some(format!("{day}T12:00:00Z").parse().unwrap()),
            authors: authors.iter().map(|name| Author::named(*name)).collect(),
            tags: Vec::new(),
            source_hash: 0,
            body_hash: 0,
            modified: "2021-07-20T12:00:00Z".parse().unwrap(),
            ..Written::sample()
        };
        Post { id: title.into(), state, ..written.into() }
    }

    const NINE: [(&str, &str, &[&str]); 9] = [
        ("2021-03-04", "Getting to know the life science community", &["Genevieve Buckley"]),
        ("2021-03-19", "Image segmentation", &["Genevieve Buckley"]),
        ("2021-03-29", "Dask and napari", &["Genevieve Buckley", "Nicholas Sofroniew"]),
        ("2021-05-07", "Skeletons", &["Genevieve Buckley"]),
        ("2021-05-24", "Stability [of] *docs*", &["Genevieve Buckley"]),
        ("2021-05-25", "Life science survey <2021>", &["Genevieve Buckley"]),
        ("2021-06-25", "Mentoring", &["Nick Mortimer", "Genevieve Buckley"]),
        ("2021-07-02", "Ragged output", &["Genevieve Buckley"]),
        ("2021-07-07", "High level graphs", &["Genevieve Buckley"]),
    ];

    fn asked(spec: &Spec, all: &[Post], now: Timestamp, from: Date, to: Date) -> Report {
        let goals = [spec.clone()];
        report(&Asked { goals: &goals, from, to, facts: &[] }, all, &TimeZone::UTC, now)
    }

    pub(crate) fn mission(posts: usize, drafts: usize, author: Option<&str>) -> Report {
        let mut all: Vec<Post> =
            NINE.iter().take(posts).map(|(day, title, authors)| post(day, title, authors, State::Published)).collect();
        for title in ["Choosing good chunk sizes", "Mosaic fusion"].iter().take(drafts) {
            all.push(post("2021-10-01", title, &["Genevieve Buckley"], State::Draft));
        }
        all.push(post("2021-04-01", "Somebody else's", &["Bo"], State::Published));
        all.push(post("2020-04-01", "Before it all", &["Genevieve Buckley"], State::Published));
        if author.is_none() {
            all.truncate(posts + drafts);
        }
        let spec = Spec { author: author.map(Into::into), ..Spec::default() };
        let now = "2021-09-28T12:00:00Z".parse().unwrap();
        asked(&spec, &all, now, date(2021, 2, 1), date(2021, 9, 30))
    }

    #[test]
    fn the_sentence_is_the_missions() {
        let by = Some("genevieve buckley");
        for (posts, drafts, author, expected) in [
            (
                9,
                2,
                None,
                "We set a goal of one blogpost per month, and exceeded it: nine posts have been published in eight months (February to September 2021), with another two in draft.",
            ),
            (
                9,
                2,
                by,
                "We set a goal of one blogpost per month, and exceeded it: nine posts have been published in eight months (February to September 2021) by Genevieve Buckley, with another two in draft.",
            ),
            (
                8,
                1,
                None,
                "We set a goal of one blogpost per month, and met it: eight posts have been published in eight months (February to September 2021), with another one in draft.",
            ),
            (
                1,
                0,
                None,
                "We set a goal of one blogpost per month, and have not reached it yet: one post of the eight we aimed for has been published in eight months (February to September 2021).",
            ),
            (
                0,
                2,
                None,
                "We set a goal of one blogpost per month, and have not reached it yet: no posts have been published in eight months (February to September 2021), with two in draft.",
            ),
        ] {
            assert_eq!(mission(posts, drafts, author).sentence, expected);
        }
    }

    #[test]
    fn coauthors_are_all_but_the_one_the_report_is_about() {
        let report = mission(9, 2, Some("Genevieve Buckley"));
        let with: Vec<&str> = report.posts.iter().flat_map(|p| p.coauthors.iter().map(String::as_str)).collect();
        assert_eq!(with, ["Nicholas Sofroniew", "Nick Mortimer"]);
        assert_eq!((report.published, report.target, report.verdict), (9, 8, Verdict::Exceeded));
        assert_eq!(report.drafts.len(), 2);
    }

    #[test]
    fn the_target_counts_only_periods_that_have_begun() {
        let all = [post("2021-02-03", "One", &[], State::Published)];
        let now = "2021-03-10T12:00:00Z".parse().unwrap();
        let (from, to) = (date(2021, 2, 1), date(2021, 12, 31));
        assert_eq!(asked(&Spec::default(), &all, now, from, to).target, 2);
        let before = "2020-03-10T12:00:00Z".parse().unwrap();
        let nothing = asked(&Spec::default(), &all, before, from, to);
        assert_eq!((nothing.target, nothing.published, nothing.verdict), (0, 0, Verdict::Met));
    }

    #[test]
    fn what_a_report_says_in_one_place_it_says_in_all() {
        let days = ["2021-02-20", "2021-03-05", "2021-03-25", "2021-04-10", "2021-06-10"];
        let all: Vec<Post> = days.iter().map(|day| post(day, day, &["Ann"], State::Published)).collect();
        let pause = crate::domain::period::Days { first: date(2021, 5, 1), last: date(2021, 5, 31) };
        let since = Some(date(2021, 3, 1));
        let half = (date(2021, 2, 15), date(2021, 3, 10));
        let year = (date(2021, 1, 1), date(2021, 12, 31));
        for (spec, (from, to), target, met, sentence) in [
            (
                Spec { since, ..Spec::default() },
                year,
                4,
                3,
                "We set a goal of one blogpost per month, and met it: four posts have been published in four months \
                 (March to June 2021), and one before there was a goal.",
            ),
            (
                Spec { pauses: vec![pause], ..Spec::default() },
                (date(2021, 2, 1), date(2021, 6, 30)),
                4,
                4,
                "We set a goal of one blogpost per month, and exceeded it: five posts have been published in four \
                 months (February to June 2021).",
            ),
            (
                Spec::default(),
                half,
                2,
                2,
                "We set a goal of one blogpost per month, and met it: two posts have been published in two months (15 \
                 February to 10 March 2021).",
            ),
            (
                Spec { since: Some(date(2022, 1, 1)), ..Spec::default() },
                half,
                0,
                0,
                "We set a goal of one blogpost per month, of which nothing is due yet: two posts have been published \
                 in 15 February to 10 March 2021.",
            ),
        ] {
            let report = asked(&spec, &all, "2021-06-20T12:00:00Z".parse().unwrap(), from, to);
            assert_eq!(report.sentence, sentence);
            let standing = &report.goals[0].standing;
            assert_eq!((report.target, standing.target, standing.periods_met), (target, target, met), "{sentence}");
            assert_eq!(standing.periods, report.periods);
        }
    }

    #[test]
    fn the_json_has_the_names_scripts_rely_on() {
        let json = serde_json::to_value(mission(3, 1, Some("Genevieve Buckley"))).unwrap();
        assert_eq!(json["verdict"], "missed");
        assert_eq!(json["from"], "2021-02-01");
        assert_eq!(json["author"], "Genevieve Buckley");
        assert_eq!(json["posts"][2]["coauthors"], serde_json::json!(["Nicholas Sofroniew"]));
        assert_eq!(json["posts"][2]["date"], "2021-03-29");
        assert_eq!(json["periods"][0]["period"], "2021-02");
        assert!(json["drafts"].is_array() && json["target"] == 8 && json["published"] == 3);
    }

    #[test]
    fn a_report_adds_up_months_authors_tags_and_compares_with_the_stretch_before() {
        let by = |day: &str, title: &str, authors: &[&str], tags: &[&str]| {
            let mut post = post(day, title, authors, State::Published);
            post.tags = tags.iter().map(ToString::to_string).collect();
            post
        };
        let all = [
            by("2021-01-05", "Before", &["Ann"], &[]),
            by("2021-03-05", "One", &["Ann"], &["Dask"]),
            by("2021-03-15", "Two", &["Ann", "Bo"], &["dask", "DASK", "images"]),
            by("2021-04-15", "Three", &["Bo"], &["Dask"]),
            post("2021-04-02", "Draft", &["Bo"], State::Draft),
        ];
        let two = [Spec::default(), Spec { name: "Bo's".into(), author: Some("Bo".into()), ..Spec::default() }];
        let now = "2021-06-01T12:00:00Z".parse().unwrap();
        let asked = Asked { goals: &two, from: date(2021, 3, 1), to: date(2021, 5, 31), facts: &[] };
        let report = report(&asked, &all, &TimeZone::UTC, now);
        let shares = |shares: &[Share]| -> Vec<(String, u32, u32)> {
            shares.iter().map(|share| (share.name.clone(), share.posts, share.percent)).collect()
        };
        assert_eq!(shares(&report.authors), [("Ann".into(), 2, 67), ("Bo".into(), 2, 67)]);
        assert_eq!(shares(&report.tags), [("Dask".into(), 3, 100), ("images".into(), 1, 33)]);
        let months: Vec<(String, Vec<usize>)> =
            report.months.iter().map(|month| (month.month.to_string(), month.posts.clone())).collect();
        assert_eq!(months, [("2021-03".into(), vec![1, 2]), ("2021-04".into(), vec![3]), ("2021-05".into(), vec![])]);
        let before = report.before.unwrap();
        assert_eq!((before.from, before.to), (date(2020, 12, 1), date(2021, 2, 28)));
        assert_eq!((before.published, before.target, before.verdict), (1, 3, Verdict::Missed));
        assert_eq!(report.drafts[0].days, Some(60));
        let goals: Vec<(Verdict, u32)> = report.goals.iter().map(|g| (g.verdict, g.standing.published)).collect();
        assert_eq!(goals, [(Verdict::Met, 3), (Verdict::Missed, 2)]);
    }
}
