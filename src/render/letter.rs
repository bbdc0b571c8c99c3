//! Mails to editors: a heading, paragraphs, lists and at most one button. Knows what they look like; what they say, and
//! when, is decided elsewhere.

use minijinja::context;
use minijinja::value::Value;

use super::digest::{clean, tidy};
use super::dress;
use super::notice::NoticeText;
use super::templates::Templates;
use crate::domain::problem::Problem;
use crate::domain::style::{Look, Style};

/// What is to be said, in words that are ready.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    pub subject: String,
    pub heading: String,
    pub paragraphs: Vec<String>,
    pub lists: Vec<List>,
    pub button: Option<Button>,
    /// Why this mail came, and how to have it no more.
    pub because: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    /// Or nothing.
    pub heading: String,
    pub items: Vec<Item>,
}

/// One line, and a softer one below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    pub text: String,
    pub more: String,
    /// Where it leads, if anywhere.
    pub url: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Button {
    pub label: String,
    pub url: String,
}

/// Whose letter it is.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    pub title: &'a str,
    pub site_url: &'a str,
    pub language: &'a str,
}

pub fn letter(templates: &Templates, frame: &Frame<'_>, words: &Words) -> Result<NoticeText, Problem> {
    let (lang, dir) = templates.languages().spoken(frame.language);
    let subject: String = clean(&words.subject).chars().take(200).collect();
    let shown = context! {
        lang => &lang,
        dir,
        title => clean(frame.title),
        site_url => clean(frame.site_url),
        postal_address => "",
        subject => &subject,
        heading => clean(&words.heading),
        paragraphs => words.paragraphs.iter().map(|text| clean(text)).collect::<Vec<_>>(),
        lists => words.lists.iter().map(list).collect::<Vec<_>>(),
        button => words.button.as_ref().map(|button| context! { label => clean(&button.label), url => clean(&button.url) }),
        because => clean(&words.because),
        // Editors' mail is not the readers'.
        style => dress::told(Look::Classic, &Style::default()),
    };
    let html = templates.render("letter.html", &shown)?;
    let text = tidy(&templates.render("letter.txt", &shown)?);
    Ok(NoticeText { subject, text, html, language: lang })
}

fn list(list: &List) -> Value {
    let item = |item: &Item| context! { text => clean(&item.text), more => clean(&item.more), url => clean(&item.url) };
    context! { heading => clean(&list.heading), items => list.items.iter().map(item).collect::<Vec<_>>() }
}

fn sample() -> Words {
    Words {
        subject: "3 days left: one post is due".into(),
        heading: "3 days left".into(),
        paragraphs: vec!["One post a month is the goal, and July 2021 has none yet.".into()],
        lists: vec![List {
            heading: "Nearest to done".into(),
            items: vec![Item {
                text: "Choosing <good> chunk sizes".into(),
                more: "Genevieve Buckley, 1,204 words, last touched 5 days ago".into(),
                url: "https://blog.example/drafts/chunks".into(),
            }],
        }],
        button: Some(Button { label: "How the goal stands".into(), url: "https://blog.example/goal".into() }),
        because: "You get this because you are an editor of this blog.".into(),
    }
}

/// Renders a sample: everything that is said must be in it.
pub(super) fn check(templates: &Templates) -> Vec<Problem> {
    let frame = Frame { title: "A blog", site_url: "https://blog.example", language: "en" };
    let letter = match letter(templates, &frame, &sample()) {
        Ok(letter) => letter,
        Err(problem) => return vec![problem],
    };
    let without = |(name, text): (&str, &String)| {
        let all = ["3 days left", "chunk sizes", "https://blog.example/goal"].iter().all(|part| text.contains(part));
        (!all).then(|| {
            Problem::error(format!("templates/{name}"), "template", "a part of what is to be said is not shown")
                .hint("every letter must show `heading`, `paragraphs`, `lists` and `button`")
        })
    };
    [("letter.html", &letter.html), ("letter.txt", &letter.text)].into_iter().filter_map(without).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_letter_reads_well_in_both_its_parts() {
        let templates = Templates::new(&BTreeMap::new()).unwrap();
        let frame = Frame { title: "Dask <Working> Notes", site_url: "https://blog.example", language: "en" };
        let NoticeText { subject, text, html, .. } = letter(&templates, &frame, &sample()).unwrap();
        insta::assert_snapshot!("letter_text", format!("Subject: {subject}\n\n{text}"));
        insta::assert_snapshot!("letter_html", html);
        assert_eq!(html.matches("href=\"").count(), text.matches("https://").count(), "the same links in both parts");
        assert!(!html.contains("<good>") && text.lines().all(|line| line.chars().count() <= 72));
    }
}
