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
