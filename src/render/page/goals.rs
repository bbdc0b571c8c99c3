//! `/goal` and what is below it: how each goal stands, over all its periods, and the posts of one. Knows finished records;
//! what counts was decided before.

use std::fmt::Write as _;

use minijinja::context;
use minijinja::value::Value;

use super::super::digest::clean;
use super::super::grid::Grid;
use super::super::history;
use super::super::language::Language;
use super::super::templates::{Templates, safe};
use super::{Site, goal_value, language, page};
use crate::domain::goal::PeriodStatus;
use crate::domain::period::{Per, Period};
use crate::domain::problem::Problem;
use crate::domain::record::{Counted, Draft, Record, Share};
use crate::domain::wording;

/// So many authors are named; the others are counted.
const AUTHORS: usize = 12;
/// So many periods stand in the table; the grid has them all.
const LISTED: usize = 24;
/// So many drafts, those nearest to done.
const DRAFTS: usize = 5;

/// `/goal`: one goal whole, or what each of several comes to.
pub fn goals(templates: &Templates, site: &Site<'_>, records: &[Record]) -> Result<String, Problem> {
    let language = language(templates, site);
    let heading = language.text("goal-heading", &[]);
    match records {
        [only] => whole(templates, site, &heading, only),
        several => {
            let goals: Vec<Value> = several
                .iter()
                .map(|record| {
                    let about = address(record, "");
                    let name = name(record, site.title);
                    context! { name, about, ..goal_value(language, &record.status) }
                })
                .collect();
            templates.render("goals.html", &page(templates, site, &heading, context! { goals }))
        }
    }
}

/// `/goal/SLUG`: one of several.
pub fn goal(templates: &Templates, site: &Site<'_>, record: &Record) -> Result<String, Problem> {
    let heading = language(templates, site).text("goal-heading", &[]);
    whole(templates, site, &name(record, &heading), record)
}

/// What a goal is called where it stands alone; one without a name is `the blog's`.
fn name(record: &Record, the_blogs: &str) -> String {
    match record.status.name.trim() {
        "" | "goal" => clean(the_blogs),
        name => wording::capitalised(&clean(name)),
    }
}

fn whole(templates: &Templates, site: &Site<'_>, heading: &str, record: &Record) -> Result<String, Problem> {
    let language = language(templates, site);
    let status = &record.status;
    let authors: Vec<Value> =
        record.authors.iter().take(AUTHORS).map(|share| author(language, record, share)).collect();
    let own = context! {
        history => safe(history::bars(status, language)),
        curve => safe(history::curve(status, language)),
        grid => grid(language, record),
        authors,
        more_authors => record.authors.len().saturating_sub(AUTHORS),
        due => language.day(status.next_due),
        scheduled => record.scheduled.iter().map(|post| entry(language, post)).collect::<Vec<_>>(),
        drafts => record.drafts.iter().take(DRAFTS).map(|draft| draft_value(language, draft)).collect::<Vec<_>>(),
        more_drafts => record.drafts.len().saturating_sub(DRAFTS),
        periods => status.periods.iter().rev().take(LISTED).map(|status| row(language, record, status)).collect::<Vec<_>>(),
        data => address(record, ""),
        badge => format!("/badge/{}.svg", status.slug),
        ..goal_value(language, status)
    };
    templates.render("goal.html", &page(templates, site, heading, own))
}

/// `/goal/SLUG/PERIOD`: the posts of one period, and how it stands; nothing if it is not counted.
pub fn period(
    templates: &Templates,
    site: &Site<'_>,
    record: &Record,
    period: Period,
) -> Option<Result<String, Problem>> {
    let language = language(templates, site);
    let periods = &record.status.periods;
    let at = periods.iter().position(|status| status.period == period)?;
    let neighbour = |at: Option<usize>, is_later: bool| {
        let status = periods.get(at?)?;
        let key = if is_later { "goal-later" } else { "goal-earlier" };
        let words = language.text(key, &[("period", language.period(status.period).into())]);
        Some(context! { words, url => address(record, &status.period.to_string()) })
    };
    let own = context! {
        told => language.told(periods.get(at)?),
        posts => record.within(period).iter().map(|post| entry(language, post)).collect::<Vec<_>>(),
        earlier => neighbour(at.checked_sub(1), false),
        later => neighbour(Some(at + 1), true),
        whole => address(record, ""),
    };
    let heading = language.period_heading(period);
    Some(templates.render("goal_period.html", &page(templates, site, &heading, own)))
}

/// The address of a goal's page, or of one of its periods.
fn address(record: &Record, period: &str) -> String {
    let mut address = format!("/goal/{}", record.status.slug);
    if !period.is_empty() {
        let _ = write!(address, "/{period}");
    }
    address
}

/// One row a year, the latest first.
fn grid(language: &Language, record: &Record) -> Value {
    let grid = Grid::of(&record.status);
    let Some((from, _)) = grid.rows.first() else { return Value::from(()) };
    let per = record.status.per;
    let heads: Vec<Value> = (0..grid.columns).filter_map(|nth| head(language, per, *from, nth)).collect();
    let cell = |place: Option<&PeriodStatus>| place.map(|status| row(language, record, status));
    let rows = grid.rows.iter().rev();
    let rows: Vec<Value> = rows
        .map(|(year, places)| context! { year, cells => places.iter().copied().map(cell).collect::<Vec<Option<Value>>>() })
        .collect();
    context! { rows, heads, per => per.as_str() }
}

/// What stands above a column: a letter, and the word for those who hear it.
fn head(language: &Language, per: Per, year: i16, nth: usize) -> Option<Value> {
    let nth = i8::try_from(nth).ok()?;
    let period = match per {
        Per::Month => Period::month(year, nth + 1)?,
        Per::Quarter => Period::month(year, nth * 3 + 1).map(|month| Period::containing(per, month.first_day()))?,
        // Every week named would be a row of blots.
        Per::Week | Per::Year => return None,
    };
    let word = if per == Per::Month { language.month(period.first_day()) } else { language.period_short(period) };
    let short =
        if per == Per::Month { word.chars().take(1).flat_map(char::to_uppercase).collect() } else { word.clone() };
    Some(context! { word, short })
}

/// A period as a cell or as a row.
fn row(language: &Language, record: &Record, status: &PeriodStatus) -> Value {
    context! {
        name => language.period_heading(status.period),
        told => language.told(status),
        url => address(record, &status.period.to_string()),
        published => status.published,
        goal => status.goal,
        state => status.state.as_str(),
        state_name => language.state(status.state),
        late => record.late(status.period) > 0,
    }
}

fn author(language: &Language, record: &Record, share: &Share) -> Value {
    let of = record.posts.len().max(1) as f64;
    let most = record.authors.first().map_or(1, |first| first.posts.max(1));
    let percent = (f64::from(share.posts) * 100.0 / of).round();
    let args = [("count", share.posts.into()), ("percent", format!("{percent:.0}").into())];
    let width = f64::from(share.posts) * 100.0 / f64::from(most);
    context! {
        name => clean(&share.author),
        share => language.text("goal-share", &args),
        bar => safe(format!(
            r#"<svg class="gz-chart" width="100%" height="8" aria-hidden="true"><rect class="met" rx="2" width="{width:.1}%" height="8"/></svg>"#
        )),
    }
}

fn entry(language: &Language, post: &Counted) -> Value {
    let authors: Vec<String> = post.authors.iter().map(|name| clean(name)).collect();
    context! {
        title => clean(&post.title),
        url => clean(&post.url),
        day => post.date.to_string(),
        date => language.day(post.date),
        authors => language.list(&authors),
        late => post.late,
    }
}

fn draft_value(language: &Language, draft: &Draft) -> Value {
    let authors: Vec<String> = draft.authors.iter().map(|name| clean(name)).collect();
    let words = u32::try_from(draft.words).unwrap_or(u32::MAX);
    context! {
        title => clean(&draft.title),
        authors => language.list(&authors),
        facts => language.text("draft-facts", &[("words", words.into()), ("days", draft.age.into())]),
    }
}

/// Renders the pages from a sample.
pub(super) fn samples(templates: &Templates, site: &Site<'_>) -> Vec<Result<String, Problem>> {
    let record = Record { status: super::super::digest::sample_goal(), ..Record::default() };
    let first = record.status.periods.first().map(|status| status.period);
    let mut all = vec![
        goals(templates, site, std::slice::from_ref(&record)),
        goals(templates, site, &[record.clone(), record.clone()]),
    ];
    all.extend(first.and_then(|first| period(templates, site, &record, first)));
    all
}

#[cfg(test)]
mod tests {
    use super::super::tests::{site, templates};
    use super::*;
    use crate::domain::record::tests::sample;

    #[test]
    fn the_page_shows_every_period_every_author_and_what_is_to_come() {
        let templates = templates();
        insta::assert_snapshot!("page_goal_whole", goals(&templates, &site(), &[sample()]).unwrap());
        let may = Period::parse("2021-05").unwrap();
        insta::assert_snapshot!("page_goal_period", period(&templates, &site(), &sample(), may).unwrap().unwrap());
        assert!(period(&templates, &site(), &sample(), Period::parse("2020-05").unwrap()).is_none());
    }

    #[test]
    fn goals_of_every_length_have_a_grid_as_wide_as_their_year() {
        for (per, columns) in [(Per::Week, 53), (Per::Month, 12), (Per::Quarter, 4), (Per::Year, 1)] {
            let mut record = sample();
            let spec = crate::domain::goal::Spec { per, ..Default::default() };
            let now = "2022-01-01T10:00:00Z".parse().unwrap();
            record.status = crate::domain::goal::status(
                &spec,
                &[],
                site().zone,
                now,
                crate::domain::goal::Bounds { from: Some(jiff::civil::date(2020, 12, 29)), to: None, by_day: false },
            );
            let html = goal(&templates(), &site(), &record).unwrap();
            let grid = html.split_once("class=\"grid").unwrap().1.split_once("</table>").unwrap().0;
            let rows = grid.matches("<tr>").count() - usize::from(columns == 12 || columns == 4);
            assert_eq!(grid.matches("<td").count(), columns * rows, "{per:?}");
            let linked = grid.matches("<a href=\"/goal/goal/").count();
            assert_eq!(linked, record.status.periods.len(), "{per:?}: every period has its cell");
        }
    }

    #[test]
    fn several_goals_are_summed_up_and_lead_to_their_pages() {
        let mut ann = sample();
        (ann.status.name, ann.status.slug) = ("Ann <1>".into(), "ann-1".into());
        let html = goals(&templates(), &site(), &[sample(), ann.clone()]).unwrap();
        assert!(
            html.contains("href=\"/goal/goal\"")
                && html.contains("href=\"/goal/ann-1\"")
                && html.contains("Ann &lt;1&gt;")
        );
        let own = goal(&templates(), &site(), &ann).unwrap();
        assert!(
            own.contains("<h1>Ann &lt;1&gt;</h1>")
                && own.contains("/goal/ann-1.json")
                && own.contains("/badge/ann-1.svg")
        );
    }
}
