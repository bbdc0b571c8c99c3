//! The editors' pages, in English: each has a template of its own and stands in the same frame. Knows which there are and
//! what all of them are given; what is on one is put together by whoever answers.

use minijinja::context;
use minijinja::value::Value;

use super::{Site, goal_value, language, page};
use crate::domain::plain;
use crate::domain::problem::Problem;
use crate::domain::record::Record;
use crate::render::templates::Templates;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    SignIn,
    SignInLink,
    Overview,
    Next,
    Editions,
    Edition,
    Readers,
    Reader,
    Problems,
    Bounces,
    Log,
    /// A question before what cannot be taken back.
    Confirm,
    /// Something was asked for in vain.
    NotDone,
    Refused,
}

impl Page {
    fn template(self) -> &'static str {
        match self {
            Self::SignIn => "admin_sign_in.html",
            Self::SignInLink => "admin_sign_in_link.html",
            Self::Overview => "admin_overview.html",
            Self::Next => "admin_next.html",
            Self::Editions => "admin_editions.html",
            Self::Edition => "admin_edition.html",
            Self::Readers => "admin_readers.html",
            Self::Reader => "admin_reader.html",
            Self::Problems => "admin_problems.html",
            Self::Bounces => "admin_bounces.html",
            Self::Log => "admin_log.html",
            Self::Confirm => "admin_confirm.html",
            Self::NotDone | Self::Refused => "admin_refused.html",
        }
    }
}

impl Page {
    /// Which part of the menu it belongs to.
    fn part(self) -> &'static str {
        match self {
            Self::Overview => "/admin",
            Self::Next => "/admin/next",
            Self::Editions | Self::Edition => "/admin/editions",
            Self::Readers | Self::Reader => "/admin/readers",
            Self::Problems => "/admin/problems",
            Self::Bounces => "/admin/bounces",
            Self::Log => "/admin/log",
            Self::SignIn | Self::SignInLink | Self::Confirm | Self::NotDone | Self::Refused => "",
        }
    }
}

/// The parts of the pages that are in the menu: where they are, and what they are called.
const MENU: [(&str, &str); 7] = [
    ("/admin", "Overview"),
    ("/admin/next", "Next edition"),
    ("/admin/editions", "Editions"),
    ("/admin/readers", "Readers"),
    ("/admin/problems", "Problems"),
    ("/admin/bounces", "Bounces"),
    ("/admin/log", "Log"),
];

/// `/admin/style.css`: the blog's own pages' and what these have besides.
#[must_use]
pub fn style() -> String {
    format!("{}\n{}\n", super::style().trim_end(), include_str!("../../../templates/admin.css").trim_end())
}

/// `word` is what every form of the page carries; none: nobody is in.
pub fn admin(
    templates: &Templates,
    site: &Site<'_>,
    shown: Page,
    heading: &str,
    word: Option<&str>,
    goals: &[Record],
    own: &serde_json::Value,
) -> Result<String, Problem> {
    let spoken = language(templates, site);
    let goals: Vec<Value> = goals.iter().map(|record| goal_value(spoken, &record.status)).collect();
    let menu: Vec<Value> =
        MENU.into_iter().map(|(url, name)| context! { url, name, here => url == shown.part() }).collect();
    let frame = context! { menu, word, goals, back => Value::from(()), said => Value::from(()) };
    let own = given(own);
    templates.render(shown.template(), &page(templates, site, heading, context! { ..own, ..frame }))
}

/// JSON, as templates take it.
fn given(json: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::from(()),
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => number.as_i64().map_or_else(|| Value::from(number.as_f64()), Value::from),
        Json::String(text) => Value::from(plain::lines(text).as_ref()),
        Json::Array(items) => Value::from(items.iter().map(given).collect::<Vec<_>>()),
        Json::Object(fields) => Value::from_pairs(fields.iter().map(|(name, value)| (name.as_str(), given(value)))),
    }
}
