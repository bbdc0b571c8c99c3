//! The page on which readers choose what they get, change their address, have their data sent, or leave. Knows what there
//! is to choose from, and what is chosen now; what is done with it is the server's business. It is in the reader's language:
//! that of the `Site` it is given.

use minijinja::context;
use minijinja::value::Value;

use super::subscribing::form_value;
use super::{Site, language, page};
use crate::domain::period::Period;
use crate::domain::problem::Problem;
use crate::domain::subscriber::AddressError;
use crate::render::digest::clean;
use crate::render::templates::Templates;

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

/// With everything there is to choose, and with as little as may be.
pub(super) fn samples(templates: &Templates, site: &Site<'_>) -> Vec<Result<String, Problem>> {
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
    vec![preferences(templates, site, &full), preferences(templates, site, &empty)]
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
    fn the_choices_read_well_in_every_language() {
        let templates = templates();
        for language in ["en", "de", "fr", "es"] {
            let page = preferences(&templates, &Site { language, ..site() }, &choices()).unwrap();
            insta::assert_snapshot!(format!("preferences_{language}"), page);
        }
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
