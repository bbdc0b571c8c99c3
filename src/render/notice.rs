//! Mails about a subscription: to confirm it, to move it to another address, to reach one's choices or one's data. Knows
//! what they say; who gets one, and when, is decided elsewhere. None holds a word that a stranger typed: whoever gives
//! somebody else's address to the form must not be able to write to them.

use minijinja::context;

use super::digest::{clean, tidy};
use super::dress;
use super::templates::Templates;
use crate::domain::problem::Problem;
use crate::domain::style::{Look, Style};

/// What is to be said, and the address it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice<'a> {
    Confirm {
        url: &'a str,
    },
    MoveAddress {
        url: &'a str,
    },
    /// Somebody asked to subscribe an address that is subscribed.
    Already {
        preferences: &'a str,
    },
    Link {
        preferences: &'a str,
    },
    /// The data themselves are attached.
    Data {
        preferences: &'a str,
    },
}

impl Notice<'_> {
    fn key(self) -> &'static str {
        match self {
            Self::Confirm { .. } => "notice-confirm",
            Self::MoveAddress { .. } => "notice-move-address",
            Self::Already { .. } => "notice-already",
            Self::Link { .. } => "notice-link",
            Self::Data { .. } => "notice-data",
        }
    }

    fn url(&self) -> &str {
        match self {
            Self::Confirm { url } | Self::MoveAddress { url } => url,
            Self::Already { preferences } | Self::Link { preferences } | Self::Data { preferences } => preferences,
        }
    }
}

/// A notice, ready for `message`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeText {
    pub subject: String,
    pub text: String,
    pub html: String,
    /// What it is in.
    pub language: String,
}

/// What every notice of this blog has in common.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    pub title: &'a str,
    pub site_url: &'a str,
    pub postal_address: &'a str,
    /// The reader's.
    pub language: &'a str,
    pub look: Look,
    pub style: &'a Style,
}

pub fn notice(templates: &Templates, frame: &Frame<'_>, notice: Notice<'_>) -> Result<NoticeText, Problem> {
    let language = templates.languages().get(frame.language);
    let (lang, dir) = templates.languages().spoken(frame.language);
    let title = clean(frame.title);
    let say = |attribute: &str| language.text(&format!("{}{attribute}", notice.key()), &[("title", (&title).into())]);
    let subject: String = clean(&say("")).chars().take(200).collect();
    let shown = context! {
        lang => &lang,
        dir,
        title => &title,
        subject => &subject,
        heading => say(".heading"),
        text => say(".text"),
        button => say(".button"),
        after => say(".after"),
        url => clean(notice.url()),
        site_url => clean(frame.site_url),
        postal_address => clean(frame.postal_address),
        style => dress::told(frame.look, frame.style),
    };
    let html = templates.render("notice.html", &shown)?;
    let text = tidy(&templates.render("notice.txt", &shown)?);
    Ok(NoticeText { subject, text, html, language: lang })
}

/// Renders a sample; a template that leads nowhere is a problem too.
pub(super) fn check(templates: &Templates) -> Vec<Problem> {
    const URL: &str = "https://blog.example/confirm/x";
    let frame = Frame {
        title: "A blog",
        site_url: "https://blog.example",
        postal_address: "A street",
        language: "en",
        look: Look::Classic,
        style: &Style::default(),
    };
    let sample = match notice(templates, &frame, Notice::Confirm { url: URL }) {
        Ok(sample) => sample,
        Err(problem) => return vec![problem],
    };
    let parts = [("notice.html", &sample.html), ("notice.txt", &sample.text)];
    let without = parts.into_iter().filter(|(_, rendered)| !rendered.contains(URL));
    without
        .map(|(name, _)| {
            let problem = Problem::error(format!("templates/{name}"), "template", "there is no link to follow");
            problem.hint("every notice must have `{{ url }}`")
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const URL: &str = "https://news.example/confirm/TOKEN";

    pub(crate) fn sample(language: &str, notice: Notice<'_>) -> NoticeText {
        let frame = Frame {
            title: "Dask <Working> Notes",
            site_url: "https://blog.example",
            postal_address: "Dask, 1 Array Street, Chunkville",
            language,
            look: Look::Classic,
            style: &Style::default(),
        };
        super::notice(&Templates::new(&BTreeMap::new()).unwrap(), &frame, notice).unwrap()
    }

    fn all() -> [Notice<'static>; 5] {
        [
            Notice::Confirm { url: URL },
            Notice::MoveAddress { url: URL },
            Notice::Already { preferences: URL },
            Notice::Link { preferences: URL },
            Notice::Data { preferences: URL },
        ]
    }

    #[test]
    fn every_notice_reads_well_in_every_language() {
        for language in ["en", "de", "fr", "es"] {
            let notices = all().map(|notice| sample(language, notice));
            let texts: Vec<String> =
                notices.iter().map(|notice| format!("Subject: {}\n\n{}", notice.subject, notice.text)).collect();
            insta::assert_snapshot!(format!("notices_{language}"), texts.join("\n\n"));
        }
        insta::assert_snapshot!("notice_html", sample("en", Notice::Confirm { url: URL }).html);
    }

    #[test]
    fn both_parts_lead_to_the_same_places_and_need_nothing_from_elsewhere() {
        for notice in all() {
            let NoticeText { html, text, subject, language } = sample("fr-CA", notice);
            assert_eq!(html.matches("href=\"").count(), text.matches("https://").count());
            assert!(html.contains(URL) && text.contains(URL) && html.contains("<html lang=\"fr-CA\" dir=\"ltr\">"));
            assert!(!html.contains("<Working>") && !subject.is_empty() && language == "fr-CA");
            for forbidden in ["<img", "<script", "src=", "url(", "bgcolor", "<form", "flex"] {
                assert!(!html.contains(forbidden), "{forbidden}");
            }
            for line in text.lines() {
                assert!(line.chars().count() <= 72 || line.contains("http"), "{line}");
            }
        }
    }
}
