//! The progress report as a page, a fragment, Markdown or plain text. Knows the finished report, not how it was counted.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::context;
use minijinja::value::Value;

use super::chart;
use super::digest::{clean, tidy};
use super::templates::{Templates, safe};
use crate::domain::facts::{Fact, Section};
use crate::domain::goal::{PeriodStatus, Spec};
use crate::domain::period::{Days, Period};
use crate::domain::problem::Problem;
use crate::domain::report::{Asked, Before, Report, ReportGoal, ReportPost, Share};
use crate::domain::wording;

/// More do not fit on a sheet of paper.
const MOST_BARS: usize = 36;

/// What every form of the report is made from, but for JSON.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    pub report: &'a Report,
    /// The blog's.
    pub title: &'a str,
}

pub fn markdown(templates: &Templates, shown: &Shown<'_>) -> Result<String, Problem> {
    Ok(tidy(&templates.render("report.md", &told(shown))?))
}

/// A page that prints.
pub fn html(templates: &Templates, shown: &Shown<'_>) -> Result<String, Problem> {
    templates.render("report.html", &told(shown))
}

/// Paragraphs, lists and tables, to paste into a page.
pub fn fragment(templates: &Templates, shown: &Shown<'_>) -> Result<String, Problem> {
    templates.render("report_fragment.html", &told(shown))
}

/// Renders a sample of each.
pub(super) fn check(templates: &Templates) -> Vec<Problem> {
    let (Some(from), Some(to)) = (Period::month(2021, 2), Period::month(2021, 9)) else { return Vec::new() };
    let asked = Asked { goals: &[Spec::default()], from: from.first_day(), to: to.last_day(), facts: &[] };
    let report = crate::domain::report::report(&asked, &[], &TimeZone::UTC, Timestamp::UNIX_EPOCH);
    let shown = Shown { report: &report, title: "A blog" };
    let rendered = [html(templates, &shown), markdown(templates, &shown)];
    rendered.into_iter().filter_map(Result::err).collect()
}

fn told(shown: &Shown<'_>) -> Value {
    let Shown { report, title } = *shown;
    let per = wording::capitalised(report.per.as_str());
    let chart = report.goals.first().filter(|goal| !goal.standing.periods.is_empty());
    context! {
        title => clean(title),
        author => report.author.as_deref().map(clean).unwrap_or_default(),
        from => report.from.to_string(),
        to => report.to.to_string(),
        stretch => wording::stretch(report.from, report.to),
        sentence => clean(&report.sentence),
        verdict => report.verdict.as_str(),
        published => report.published,
        target => report.target,
        posts => report.posts.iter().enumerate().map(|(at, post)| entry(at, post)).collect::<Vec<_>>(),
        drafts => report.drafts.iter().enumerate().map(|(at, post)| entry(at, post)).collect::<Vec<_>>(),
        goals => report.goals.iter().map(goal).collect::<Vec<_>>(),
        periods => report.periods.iter().map(|status| period(report, status)).collect::<Vec<_>>(),
        shares => shares(report),
        before => report.before.as_ref().map(|before| compared(report, before)).unwrap_or_default(),
        facts => report.facts.iter().map(section).collect::<Vec<_>>(),
        figures => figures(report),
        chart => chart.map(|goal| safe(chart::svg(&goal.standing, MOST_BARS))),
        said => said(&per),
    }
}

/// The words between the facts. A report is in the language its sentence is in.
fn said(per: &str) -> Value {
    context! {
        report => "Progress report",
        published => "Published",
        drafts => "In draft",
        goals => "Goals",
        periods => format!("{per} by {}", per.to_lowercase()),
        period => per,
        posts => "Posts",
        goal => "Goal",
        state => "State",
        which => "Which",
        share => "Share",
        before => "The time before",
    }
}

fn entry(at: usize, post: &ReportPost) -> Value {
    context! {
        number => at + 1,
        title => clean(&post.title),
        url => web_address(&post.url),
        date => post.date.map(|day| day.to_string()).unwrap_or_default(),
        day => post.date.map(wording::day).unwrap_or_default(),
        authors => clean(&wording::list(&post.authors)),
        with => clean(&with(post)),
        age => post.days.map(age).unwrap_or_default(),
    }
}

/// `begun 12 days ago`
fn age(days: i32) -> String {
    match u32::try_from(days).unwrap_or_default() {
        0 => "begun today".to_owned(),
        days => format!("begun {} ago", wording::digits(days, "day")),
    }
}

fn goal(goal: &ReportGoal) -> Value {
    context! {
        name => clean(&goal.standing.name),
        sentence => clean(&goal.standing.sentence),
        verdict => goal.verdict.as_str(),
        published => goal.standing.published,
        target => goal.standing.target,
    }
}

fn period(report: &Report, status: &PeriodStatus) -> Value {
    let days = status.period.first_day()..=status.period.last_day();
    let posts = report.posts.iter().enumerate().filter(|(_, post)| post.date.is_some_and(|day| days.contains(&day)));
    let numbers: Vec<String> = posts.map(|(at, _)| (at + 1).to_string()).collect();
    context! {
        name => wording::capitalised(&wording::period(status.period)),
        published => status.published,
        goal => status.goal,
        state => status.state.as_str(),
        numbers => numbers.join(", "),
    }
}

/// Who wrote, if there are several, and about what.
fn shares(report: &Report) -> Vec<Value> {
    let tables = [("Authors", "Author", &report.authors, 2), ("Topics", "Tag", &report.tags, 1)];
    let worth = tables.into_iter().filter(|(_, _, shares, least)| shares.len() >= *least);
    let row = |share: &Share| context! { name => clean(&share.name), posts => share.posts, percent => share.percent };
    worth
        .map(|(heading, column, shares, _)| {
            context! { heading, column, rows => shares.iter().map(row).collect::<Vec<_>>() }
        })
        .collect()
}

/// "June 2020 to January 2021, as long before: 7 posts, 8 were the goal. Now 9, which is 2 more."
fn compared(report: &Report, before: &Before) -> String {
    let stretch = wording::stretch(before.from, before.to);
    let change = match report.published.cmp(&before.published) {
        std::cmp::Ordering::Equal => "the same".to_owned(),
        std::cmp::Ordering::Greater => format!("{} more", report.published - before.published),
        std::cmp::Ordering::Less => format!("{} fewer", before.published - report.published),
    };
    let posts = wording::digits(before.published, "post");
    let goal = match before.target {
        0 => String::new(),
        target => format!(", {target} were the goal ({})", before.verdict.as_str()),
    };
    format!("{stretch}, as long before: {posts}{goal}. Now {}, which is {change}.", report.published)
}

fn section(section: &Section) -> Value {
    let fact = |fact: &Fact| {
        let day = match (Period::parse(&fact.date), Days::parse(&fact.date)) {
            (Some(period), _) => wording::period(period),
            (None, Some(days)) => wording::stretch(days.first, days.last),
            (None, None) => fact.date.clone(),
        };
        context! {
            day,
            title => clean(&fact.title),
            url => web_address(&fact.url),
            people => clean(&wording::list(&fact.people)),
            text => clean(&fact.text),
        }
    };
    context! { title => clean(&section.title), items => section.items.iter().map(fact).collect::<Vec<_>>() }
}

fn figures(report: &Report) -> Vec<Value> {
    let decided = |goal: &ReportGoal| goal.standing.periods_met + goal.standing.periods_missed;
    let closed = |goal: &ReportGoal| format!("{} of {}", goal.standing.periods_met, decided(goal));
    let met = report.goals.first().filter(|goal| decided(goal) > 0).map(closed);
    let all = [
        (Some(report.published.to_string()), "posts published".to_owned()),
        (Some(report.target.to_string()), "were the goal".to_owned()),
        (met, format!("{}s that met it", report.per.as_str())),
        (Some(report.drafts.len().to_string()), "in draft".to_owned()),
    ];
    all.into_iter().filter_map(|(value, name)| Some(context! { name, value => value? })).collect()
}

/// `, with Nicholas Sofroniew`.
fn with(post: &ReportPost) -> String {
    if post.coauthors.is_empty() { String::new() } else { format!(", with {}", wording::list(&post.coauthors)) }
}

/// Only addresses a browser may open without harm, and Markdown can hold.
fn web_address(url: &str) -> String {
    let url: String = url.chars().filter(|c| !matches!(c, '<' | '>' | '\\') && !c.is_control()).collect();
    let lower = url.trim_start().to_ascii_lowercase();
    if lower.starts_with("https:") || lower.starts_with("http:") { url } else { String::new() }
}

#[must_use]
pub fn text(report: &Report) -> String {
    let mut out = format!("{}\n", wrap(&report.sentence, 72, ""));
    list(&mut out, &report.posts, "Published", |post| {
        let day = post.date.map(|day| format!(", {}", wording::day(day))).unwrap_or_default();
        format!("{}\n   {}", wrap(&format!("{}{day}{}", post.title, with(post)), 69, "   "), post.url)
    });
    list(&mut out, &report.drafts, "In draft", |post| {
        let age = post.days.map(|days| format!(" ({})", age(days))).unwrap_or_default();
        wrap(&format!("{}{}{age}", post.title, with(post)), 69, "   ")
    });
    if report.goals.len() > 1 {
        out.push_str("\nGoals\n\n");
        for goal in &report.goals {
            let _ = writeln!(out, "- {}", wrap(&goal.standing.sentence, 70, "  "));
        }
    }
    if !report.periods.is_empty() {
        out.push('\n');
    }
    for period in &report.periods {
        let posts = wording::digits(period.published, "post");
        let _ = writeln!(out, "{:<8}  {posts:<9} {}", period.period.to_string(), period.state.as_str());
    }
    if let Some(before) = &report.before {
        let _ = writeln!(out, "\n{}", wrap(&compared(report, before), 72, ""));
    }
    for section in &report.facts {
        let _ = write!(out, "\n{}\n\n", section.title);
        for fact in &section.items {
            let people = wording::list(&fact.people);
            let parts: Vec<&str> =
                [fact.date.as_str(), &fact.title, &people, &fact.text].into_iter().filter(|p| !p.is_empty()).collect();
            let _ = writeln!(out, "- {}", wrap(&parts.join(", "), 70, "  "));
            if !fact.url.is_empty() {
                let _ = writeln!(out, "  {}", fact.url);
            }
        }
    }
    out
}

fn list(out: &mut String, posts: &[ReportPost], heading: &str, entry: impl Fn(&ReportPost) -> String) {
    if posts.is_empty() {
        return;
    }
    let _ = write!(out, "\n{heading}\n\n");
    for (index, post) in posts.iter().enumerate() {
        let _ = writeln!(out, "{}. {}", index + 1, entry(post));
    }
}

/// Broken at spaces so that no line is longer than `width`, unless one word is; lines but the first begin with `indent`.
#[must_use]
pub fn wrap(text: &str, width: usize, indent: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut used = 0;
    // French keeps its marks at the word before them.
    let breaks = |c: char| c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{202f}');
    for word in text.split(breaks).filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            out.push('\n');
            out.push_str(indent);
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::report::tests::mission;

    fn forms(report: &Report) -> [String; 3] {
        let templates = Templates::new(&BTreeMap::new()).unwrap();
        let shown = Shown { report, title: "Dask <Working> Notes" };
        [markdown(&templates, &shown), fragment(&templates, &shown), html(&templates, &shown)].map(Result::unwrap)
    }

    fn with_facts() -> Report {
        let fact = |date: &str, title: &str| Fact {
            date: date.into(),
            title: title.into(),
            url: "https://a.example/x".into(),
            people: vec!["Ann".into(), "Bo".into()],
            text: "And <what> it was".into(),
        };
        let items = vec![fact("2021-05-20", "Scaling *images*"), fact("2021-06", "Another")];
        Report { facts: vec![Section { title: "Talks".into(), items }], ..mission(9, 2, Some("Genevieve Buckley")) }
    }

    #[test]
    fn the_report_reads_well_in_each_form() {
        let report = with_facts();
        let [markdown, fragment, page] = forms(&report);
        insta::assert_snapshot!("report_markdown", markdown);
        insta::assert_snapshot!("report_text", text(&report));
        insta::assert_snapshot!("report_html", fragment);
        assert!(page.contains(&fragment) && page.contains("<svg") && page.contains("@page"), "{page}");
        assert!(!page.contains("<Working>") && !page.contains("<what>"));
    }

    /// What a form lists: the addresses of its posts and facts, in order.
    fn addresses(form: &str) -> Vec<String> {
        let starts = form.match_indices("https://").map(|(at, _)| &form[at..]);
        let all = starts.map(|rest| rest.split(['"', '>', '<', '\n', ' ']).next().unwrap().to_owned());
        all.collect()
    }

    #[test]
    fn all_forms_and_the_json_agree() {
        let report = with_facts();
        let json = serde_json::to_value(&report).unwrap();
        let of = |value: &serde_json::Value| value["url"].as_str().unwrap().to_owned();
        let posts = json["posts"].as_array().unwrap().iter().map(of);
        let facts = json["facts"][0]["items"].as_array().unwrap().iter().map(of);
        let expected: Vec<String> = posts.chain(facts).collect();
        assert_eq!(expected.len(), 11);
        let [markdown, fragment, _] = forms(&report);
        for form in [&markdown, &fragment, &text(&report)] {
            assert_eq!(addresses(form), expected, "{form}");
            let words = form.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.contains(json["sentence"].as_str().unwrap()), "{form}");
            for period in json["periods"].as_array().unwrap() {
                let (name, state) = (period["period"].as_str().unwrap(), period["state"].as_str().unwrap());
                let named = wording::capitalised(&wording::period(Period::parse(name).unwrap()));
                let row =
                    form.lines().find(|line| line.contains(state) && (line.contains(&named) || line.starts_with(name)));
                let row = row.unwrap_or_else(|| panic!("{name} {state} in {form}"));
                assert!(row.replace("posts", "").contains(&period["published"].to_string()), "{row}");
            }
        }
    }

    #[test]
    fn a_template_of_ones_own_is_taken() {
        let own = BTreeMap::from([("report.md".to_owned(), "{{ published }} of {{ target }}".to_owned())]);
        let templates = Templates::new(&own).unwrap();
        let report = mission(9, 2, None);
        assert_eq!(markdown(&templates, &Shown { report: &report, title: "A" }).unwrap(), "9 of 8\n");
        let broken = BTreeMap::from([("report.html".to_owned(), "{{ publishd }}".to_owned())]);
        assert_eq!(Templates::new(&broken).unwrap().check().len(), 1);
    }

    #[test]
    fn an_empty_report_is_one_sentence_and_the_months() {
        let [markdown, fragment, _] = forms(&mission(0, 0, None));
        assert!(!markdown.contains("Published") && !fragment.contains("<ol>"));
    }

    #[test]
    fn lines_are_broken_at_spaces() {
        assert_eq!(wrap("one two three", 7, "  "), "one two\n  three");
        assert_eq!(wrap("deux\u{a0}: a", 5, ""), "deux\u{a0}:\na");
        assert_eq!(wrap("supercalifragilistic a", 5, ""), "supercalifragilistic\na");
    }
}
