//! The pages around subscribing: the form, what is asked before anything happens, what is said when it has,
//! and what is said when there is no answer. Knows which words belong to which; what happens, and whether, is the
//! server's business. A reader's pages are in the reader's language: that of the `Site` they are given.

use minijinja::context;
use minijinja::value::Value;

use super::{Site, language, page};
use crate::domain::problem::Problem;
use crate::domain::subscriber::AddressError;
use crate::render::digest::clean;
use crate::render::language::Language;
use crate::render::templates::Templates;

/// `/subscribe`, empty, or again with what was wrong.
#[derive(Debug, Clone, Copy)]
pub struct SubscribeForm<'a> {
    pub email: &'a str,
    pub problem: Option<AddressError>,
    /// What the mails are to be in; empty: the site's.
    pub language: &'a str,
}

pub fn subscribe(templates: &Templates, site: &Site<'_>, form: &SubscribeForm<'_>) -> Result<String, Problem> {
    let language = language(templates, site);
    let heading = language.text("subscribe-heading", &[]);
    let own = form_value(language, form.email, form.problem, form.language);
    templates.render("subscribe.html", &page(templates, site, &heading, own))
}

/// The form as the front door shows it.
pub(super) fn empty_form() -> Value {
    context! { email => "", problem => "", form_language => "" }
}

pub(super) fn form_value(
    language: &Language,
    email: &str,
    problem: Option<AddressError>,
    form_language: &str,
) -> Value {
    let problem = problem.map(|problem| language.text(address_key(problem), &[])).unwrap_or_default();
    context! { email => clean(email), problem, form_language => clean(form_language) }
}

fn address_key(problem: AddressError) -> &'static str {
    match problem {
        AddressError::Empty => "address-empty",
        AddressError::Control => "address-control",
        AddressError::NoAt => "address-no-at",
        AddressError::LongLocal => "address-long-local",
        AddressError::Long => "address-long",
        AddressError::Syntax => "address-syntax",
        AddressError::ForeignLocal => "address-foreign-local",
        AddressError::NoDot => "address-no-dot",
        AddressError::Domain => "address-domain",
    }
}

/// What has been done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Says the same whether the address was known or not.
    LookIntoMailbox,
    Confirmed,
    Unsubscribed,
    Saved,
    DataSent,
    Erased,
    AddressMailSent,
    AddressMoved,
    AddressTaken,
    LinkSent,
    TooMany,
}

impl Said {
    pub const ALL: [Self; 11] = [
        Self::LookIntoMailbox,
        Self::Confirmed,
        Self::Unsubscribed,
        Self::Saved,
        Self::DataSent,
        Self::Erased,
        Self::AddressMailSent,
        Self::AddressMoved,
        Self::AddressTaken,
        Self::LinkSent,
        Self::TooMany,
    ];

    fn key(self) -> &'static str {
        match self {
            Self::LookIntoMailbox => "said-look-into-mailbox",
            Self::Confirmed => "said-confirmed",
            Self::Unsubscribed => "said-unsubscribed",
            Self::Saved => "said-saved",
            Self::DataSent => "said-data-sent",
            Self::Erased => "said-erased",
            Self::AddressMailSent => "said-address-mail-sent",
            Self::AddressMoved => "said-address-moved",
            Self::AddressTaken => "said-address-taken",
            Self::LinkSent => "said-link-sent",
            Self::TooMany => "refused-too-many",
        }
    }
}

pub fn said(templates: &Templates, site: &Site<'_>, said: Said) -> Result<String, Problem> {
    words(templates, site, said.key())
}

/// A heading and a text.
fn words(templates: &Templates, site: &Site<'_>, key: &str) -> Result<String, Problem> {
    let language = language(templates, site);
    let (heading, text) = (language.text(key, &[]), language.text(&format!("{key}.text"), &[]));
    templates.render("message.html", &page(templates, site, &heading, context! { text }))
}

/// What is asked before anything happens: following a link changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    Confirm,
    MoveAddress,
    Unsubscribe,
    /// A link to the preferences that is older than it may be.
    NewLink,
}

impl Question {
    pub const ALL: [Self; 4] = [Self::Confirm, Self::MoveAddress, Self::Unsubscribe, Self::NewLink];

    fn key(self) -> &'static str {
        match self {
            Self::Confirm => "ask-confirm",
            Self::MoveAddress => "ask-move-address",
            Self::Unsubscribe => "ask-unsubscribe",
            Self::NewLink => "ask-new-link",
        }
    }
}

/// One question, and one form with one button that is posted to `action`.
pub fn ask(templates: &Templates, site: &Site<'_>, question: Question, action: &str) -> Result<String, Problem> {
    let language = language(templates, site);
    let title = [("title", clean(site.title).into())];
    let key = question.key();
    let heading = language.text(key, &title);
    let text = language.text(&format!("{key}.text"), &title);
    let button = language.text(&format!("{key}.button"), &title);
    templates.render("ask.html", &page(templates, site, &heading, context! { text, button, action => clean(action) }))
}

/// Why a request gets no answer of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    NotFound,
    Gone,
    NoGoal,
    /// A token that is not good, for whatever reason.
    Link,
    /// A POST that does not say what it wants.
    Body,
    Method,
    TooLarge,
    /// The first scan is still under way.
    Starting,
    NotNow,
    Broken,
    UnsupportedMedia,
    TooMany,
}

impl Refused {
    pub const ALL: [Self; 12] = [
        Self::NotFound,
        Self::Gone,
        Self::NoGoal,
        Self::Link,
        Self::Body,
        Self::Method,
        Self::TooLarge,
        Self::Starting,
        Self::NotNow,
        Self::Broken,
        Self::UnsupportedMedia,
        Self::TooMany,
    ];

    fn key(self) -> &'static str {
        match self {
            Self::NotFound => "refused-not-found",
            Self::Gone => "refused-gone",
            Self::NoGoal => "refused-no-goal",
            Self::Link => "refused-link",
            Self::Body => "refused-body",
            Self::Method => "refused-method",
            Self::TooLarge => "refused-too-large",
            Self::Starting => "refused-starting",
            Self::NotNow => "refused-not-now",
            Self::Broken => "refused-broken",
            Self::UnsupportedMedia => "refused-unsupported-media",
            Self::TooMany => "refused-too-many",
        }
    }

    /// Heading and text, for when no template is to be trusted.
    #[must_use]
    pub fn words(self, language: &Language) -> (String, String) {
        (language.text(self.key(), &[]), language.text(&format!("{}.text", self.key()), &[]))
    }
}

pub fn refused(templates: &Templates, site: &Site<'_>, refused: Refused) -> Result<String, Problem> {
    words(templates, site, refused.key())
}

/// Every page of these, as the check of the templates renders them.
pub(super) fn samples(templates: &Templates, site: &Site<'_>) -> Vec<Result<String, Problem>> {
    let form = SubscribeForm { email: "a", problem: Some(AddressError::NoAt), language: "en" };
    vec![
        subscribe(templates, site, &form),
        subscribe(templates, site, &SubscribeForm { email: "", problem: None, language: "" }),
        ask(templates, site, Question::Confirm, "/"),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::tests::{site, templates};
    use super::*;

    #[test]
    fn the_form_reads_well_in_every_language() {
        let templates = templates();
        let question = ask(&templates, &site(), Question::Unsubscribe, "/unsubscribe/TOKEN").unwrap();
        insta::assert_snapshot!("ask", question);
        let form = SubscribeForm { email: "ann \"<", problem: Some(AddressError::NoAt), language: "" };
        for language in ["en", "de", "fr", "es"] {
            let site = Site { language, ..site() };
            insta::assert_snapshot!(format!("subscribe_{language}"), subscribe(&templates, &site, &form).unwrap());
        }
    }

    #[test]
    fn every_question_answer_and_refusal_has_its_words() {
        let templates = templates();
        for language in ["en", "de", "fr", "es"] {
            let site = Site { language, ..site() };
            let pages = Said::ALL
                .map(|what| said(&templates, &site, what))
                .into_iter()
                .chain(Refused::ALL.map(|what| refused(&templates, &site, what)))
                .chain(Question::ALL.map(|what| ask(&templates, &site, what, "/x/TOKEN")));
            let mut texts = Vec::new();
            for page in pages.map(Result::unwrap) {
                assert!(page.contains("noindex") && page.contains(&format!("<html lang=\"{language}\"")));
                let main = page.split("<main id=\"main\">").nth(1).unwrap().split("</main>").next().unwrap();
                texts.push(
                    main.lines().filter(|line| line.starts_with("<h1") || line.starts_with("<p>")).collect::<String>(),
                );
            }
            texts.sort();
            texts.dedup();
            // The two that say "too often" are one.
            assert_eq!(texts.len(), Said::ALL.len() + Refused::ALL.len() + Question::ALL.len() - 1);
            for problem in [
                AddressError::Empty,
                AddressError::Control,
                AddressError::NoAt,
                AddressError::LongLocal,
                AddressError::Long,
                AddressError::Syntax,
                AddressError::ForeignLocal,
                AddressError::NoDot,
                AddressError::Domain,
            ] {
                let form = SubscribeForm { email: "", problem: Some(problem), language: "" };
                let page = subscribe(&templates, &site, &form).unwrap();
                assert!(page.contains("role=\"alert\"") && page.contains("aria-describedby=\"email-problem\""));
            }
        }
    }

    #[test]
    fn the_front_door_and_the_page_have_the_same_form() {
        let templates = templates();
        let names = |page: &str| -> Vec<String> {
            page.split(" name=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
        };
        let door = super::super::home(&templates, &site(), &[], &[]).unwrap();
        let form = SubscribeForm { email: "", problem: None, language: "de" };
        let page = subscribe(&templates, &site(), &form).unwrap();
        let fields = ["viewport", "color-scheme", "email", "language", "website"];
        assert_eq!((names(&door), names(&page)), (fields.map(String::from).into(), fields.map(String::from).into()));
        assert!(page.contains("name=\"language\" value=\"de\"") && door.contains("name=\"language\" value=\"en\""));
    }
}
