//! The pages around subscribing: the form, what is asked before anything happens, what is said when it has, a reader's
//! choices, and what is said when there is no answer. Knows which words belong to which; what happens, and whether, is the
//! server's business. A reader's pages are in the reader's language: that of the `Site` they are given.

use minijinja::context;
use minijinja::value::Value;

use super::{Site, language, page};
use crate::domain::period::Period;
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

fn form_value(language: &Language, email: &str, problem: Option<AddressError>, form_language: &str) -> Value {
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
    LinkSent,
    TooMany,
}

impl Said {
    pub const ALL: [Self; 10] = [
        Self::LookIntoMailbox,
        Self::Confirmed,
        Self::Unsubscribed,
        Self::Saved,
        Self::DataSent,
        Self::Erased,
        Self::AddressMailSent,
        Self::AddressMoved,
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

/// A reader's choices. Each list holds what there is to choose from, and whether it is chosen.
#[derive(Debug, Clone)]
pub struct Preferences<'a> {
    /// Where every form of the page is posted.
    pub action: &'a str,
    /// The address with most of its letters left out.
    pub masked: &'a str,
    /// `monthly`, `quarterly` or `post`.
    pub frequency: &'a str,
    pub quarterly_offered: bool,
    pub post_offered: bool,
    /// None chosen means everything.
    pub tags: Vec<(String, bool)>,
    pub authors: Vec<(String, bool)>,
    /// The month with which digests begin again, its value as `2027-01`.
    pub pauses: Vec<(String, Period, bool)>,
    /// Tag, own name.
    pub languages: Vec<(String, String, bool)>,
    /// What is wrong with the new address that was given, and that address.
    pub problem: Option<AddressError>,
    pub email: &'a str,
    /// Whether anything is sent at all.
    pub active: bool,
}

pub fn preferences(templates: &Templates, site: &Site<'_>, given: &Preferences<'_>) -> Result<String, Problem> {
    let language = language(templates, site);
    let heading = language.text("preferences-heading", &[]);
    let choices = |choices: &[(String, bool)]| -> Vec<Value> {
        choices.iter().map(|(name, chosen)| context! { name => clean(name), chosen }).collect()
    };
    let offered = [("monthly", true), ("quarterly", given.quarterly_offered), ("post", given.post_offered)];
    let is_chosen = |name: &str| given.frequency == name;
    let frequencies: Vec<Value> = offered
        .into_iter()
        .filter(|(name, offered)| *offered || is_chosen(name))
        .map(|(value, _)| {
            context! { value, name => language.text(frequency_key(value), &[]), chosen => is_chosen(value) }
        })
        .collect();
    let pauses: Vec<Value> = given
        .pauses
        .iter()
        .map(|(value, period, chosen)| {
            context! { value => clean(value), name => language.period_heading(*period), chosen }
        })
        .collect();
    let languages: Vec<Value> = given
        .languages
        .iter()
        .map(|(tag, name, chosen)| context! { tag => clean(tag), name => clean(name), chosen })
        .collect();
    let own = context! {
        action => clean(given.action),
        masked => clean(given.masked),
        frequencies,
        tags => choices(&given.tags),
        authors => choices(&given.authors),
        pauses,
        languages,
        active => given.active,
        ..form_value(language, given.email, given.problem, "")
    };
    templates.render("preferences.html", &page(templates, site, &heading, own))
}

fn frequency_key(value: &str) -> &'static str {
    match value {
        "quarterly" => "preferences-quarterly",
        "post" => "preferences-post",
        _ => "preferences-monthly",
    }
}

/// Why a request gets no answer of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    NotFound,
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
    pub const ALL: [Self; 11] = [
        Self::NotFound,
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
    let full = Preferences {
        action: "/",
        masked: "a…@e….org",
        frequency: "monthly",
        quarterly_offered: true,
        post_offered: true,
        tags: vec![("tag".into(), true)],
        authors: vec![("Ann".into(), false)],
        pauses: Period::month(2027, 1).map(|period| (period.to_string(), period, true)).into_iter().collect(),
        languages: vec![("en".into(), "English".into(), true)],
        problem: Some(AddressError::NoAt),
        email: "a",
        active: true,
    };
    let empty = Preferences {
        tags: Vec::new(),
        authors: Vec::new(),
        pauses: Vec::new(),
        languages: Vec::new(),
        problem: None,
        email: "",
        active: false,
        ..full.clone()
    };
    vec![
        subscribe(templates, site, &form),
        subscribe(templates, site, &SubscribeForm { email: "", problem: None, language: "" }),
        ask(templates, site, Question::Confirm, "/"),
        preferences(templates, site, &full),
        preferences(templates, site, &empty),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::tests::{site, templates};
    use super::*;

    fn choices() -> Preferences<'static> {
        Preferences {
            action: "/preferences/TOKEN",
            masked: "a…@r….example",
            frequency: "quarterly",
            quarterly_offered: true,
            post_offered: true,
            tags: vec![("rust".into(), true), ("<dask>".into(), false)],
            authors: vec![("Ann".into(), false), ("Bo \"the\" B".into(), false)],
            pauses: ["2026-12", "2027-01"]
                .map(|text| (text.into(), Period::parse(text).unwrap(), text == "2027-01"))
                .into(),
            languages: vec![("de".into(), "Deutsch".into(), true), ("en".into(), "English".into(), false)],
            problem: None,
            email: "",
            active: true,
        }
    }

    #[test]
    fn the_pages_around_subscribing_read_well_in_every_language() {
        let templates = templates();
        let form = SubscribeForm { email: "ann \"<", problem: Some(AddressError::NoAt), language: "" };
        for language in ["en", "de", "fr", "es"] {
            let site = Site { language, ..site() };
            insta::assert_snapshot!(format!("subscribe_{language}"), subscribe(&templates, &site, &form).unwrap());
            let page = preferences(&templates, &site, &choices()).unwrap();
            insta::assert_snapshot!(format!("preferences_{language}"), page);
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

    #[test]
    fn what_is_not_offered_is_not_shown_unless_it_is_chosen() {
        let templates = templates();
        let least = Preferences {
            quarterly_offered: false,
            post_offered: false,
            frequency: "monthly",
            active: false,
            ..choices()
        };
        let page = preferences(&templates, &site(), &least).unwrap();
        assert!(
            page.contains("type=\"hidden\" name=\"frequency\" value=\"monthly\"") && !page.contains("type=\"radio\"")
        );
        assert!(page.contains("Subscribe again") && !page.contains("value=\"leave\""));
        let kept = Preferences { frequency: "post", ..least };
        assert!(preferences(&templates, &site(), &kept).unwrap().contains("value=\"post\" checked"));
    }
}
