//! The mails that ask editors for their word: the edition as it would go out with a note above it that says so, and a
//! reminder. Knows what they say; when they are written is decided elsewhere.

use minijinja::context;

use super::digest::clean;
use super::letter::{self, Button, Frame, Words};
use super::notice::NoticeText;
use super::templates::Templates;
use crate::domain::period::Period;
use crate::domain::problem::Problem;

/// An edition that waits.
#[derive(Debug, Clone, Copy)]
pub struct Waiting<'a> {
    pub frame: Frame<'a>,
    pub period: Period,
    pub subject: &'a str,
    /// Where it can be looked at and released.
    pub url: &'a str,
}

/// `text` and `html` are the edition's, as a reader would get them.
pub fn preview(templates: &Templates, waiting: &Waiting<'_>, text: &str, html: &str) -> Result<NoticeText, Problem> {
    let language = templates.languages().get(waiting.frame.language);
    let (lang, _) = templates.languages().spoken(waiting.frame.language);
    let period = language.period_heading(waiting.period);
    let note = context! {
        heading => language.text("approval-heading", &[]),
        text => language.text("approval-text", &[("period", period.as_str().into())]),
        button => language.text("approval-button", &[]),
        url => clean(waiting.url),
    };
    let above = templates.render("approval.html", &note)?;
    let subject = language.text("approval-subject", &[("subject", clean(waiting.subject).as_str().into())]);
    Ok(NoticeText {
        subject: subject.chars().take(200).collect(),
        text: format!("{}{text}", templates.render("approval.txt", &note)?),
        html: put_above(html, &above),
        language: lang,
    })
}

/// At the beginning of the body; before everything, if there is none.
fn put_above(html: &str, above: &str) -> String {
    let body = html.find("<body").and_then(|at| Some(at + html.get(at..)?.find('>')? + 1)).unwrap_or_default();
    let (head, rest) = html.split_at(body);
    format!("{head}\n{above}{rest}")
}

pub fn reminder(templates: &Templates, waiting: &Waiting<'_>) -> Result<NoticeText, Problem> {
    let language = templates.languages().get(waiting.frame.language);
    let period = language.period_heading(waiting.period);
    let heading = language.text("approval-reminder", &[("period", period.as_str().into())]);
    let words = Words {
        subject: heading.clone(),
        heading,
        paragraphs: vec![language.text("approval-reminder-text", &[]), clean(waiting.subject)],
        lists: Vec::new(),
        button: Some(Button { label: language.text("approval-button", &[]), url: waiting.url.to_owned() }),
        because: language.text("approval-because", &[]),
    };
    letter::letter(templates, &waiting.frame, &words)
}

/// Renders both from samples: what they ask for must be in them.
pub(super) fn check(templates: &Templates) -> Vec<Problem> {
    let Some(period) = Period::month(2021, 5) else { return Vec::new() };
    let frame = Frame { title: "A blog", site_url: "https://blog.example", language: "en" };
    let url = "https://desk.example/admin/next";
    let waiting = Waiting { frame, period, subject: "A blog: May 2021", url };
    let asked = preview(templates, &waiting, "the text", "<html><body><p>the page</p></body></html>");
    let asked = match (asked, reminder(templates, &waiting)) {
        (Ok(asked), Ok(_)) => asked,
        (Err(problem), _) | (_, Err(problem)) => return vec![problem],
    };
    let without = |(name, text): (&str, &String)| {
        (!text.contains(url)).then(|| {
            Problem::error(format!("templates/{name}"), "template", "the way to release the edition is not shown")
                .hint("a preview must show `heading`, `text`, `button` and `url`")
        })
    };
    [("approval.html", &asked.html), ("approval.txt", &asked.text)].into_iter().filter_map(without).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_preview_says_in_both_parts_and_each_language_that_it_is_one() {
        let templates = Templates::new(&BTreeMap::new()).unwrap();
        for (language, heading) in [("en", "preview"), ("de", "Vorschau"), ("fr", "aperçu"), ("es", "vista previa")] {
            let frame = Frame { title: "Notes", site_url: "https://blog.example", language };
            let url = "https://desk.example/admin/next?period=2021-05";
            let waiting = Waiting { frame, period: Period::month(2021, 5).unwrap(), subject: "Notes <May>", url };
            let html = "<!doctype html><html><body class=\"page\"><p>Hello</p></body></html>";
            let shown = preview(&templates, &waiting, "Hello\n", html).unwrap();
            assert!(shown.subject.contains("Notes <May>") && shown.subject != "Notes <May>", "{}", shown.subject);
            for part in [&shown.text, &shown.html] {
                assert!(part.to_lowercase().contains(&heading.to_lowercase()), "{part}");
                assert!(part.find(url).unwrap() < part.find("Hello").unwrap(), "the note stands above: {part}");
            }
            assert!(shown.html.starts_with("<!doctype html><html><body class=\"page\">\n<div role=\"note\""));
            assert_eq!(shown.text.lines().last(), Some("Hello"));
            let reminded = reminder(&templates, &waiting).unwrap();
            assert!(reminded.html.contains(url) && reminded.text.contains(url));
        }
    }
}
