//! What all letters to editors have in common: whom they go to, and how a written text becomes one. Knows the configuration.

use jiff::Timestamp;

use crate::config::Config;
use crate::domain::subscriber::Address;
use crate::render::notice::NoticeText;
use crate::store::Letter;

/// Those who are told of the goal and of what keeps an edition back.
#[must_use]
pub fn editors(config: &Config) -> Vec<Address> {
    addresses(if config.nudge.to.is_empty() { &config.digest.editors } else { &config.nudge.to })
}

/// Addresses as the configuration names them; `load` has said which are none.
#[must_use]
pub fn addresses(named: &[String]) -> Vec<Address> {
    named.iter().filter_map(|editor| Address::parse(editor).ok()).collect()
}

/// A text as the letter of that name.
#[must_use]
pub fn letter(name: String, written: NoticeText, made_at: Timestamp) -> Letter {
    let NoticeText { subject, text, html, language } = written;
    Letter { name, subject, text, html, language, made_at }
}
