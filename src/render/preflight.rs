//! What the pre-flight found, as a mail to editors. Knows findings and words; who gets it, and when, is decided elsewhere.

use super::language::Language;
use super::letter::{Item, List, Words};
use crate::domain::edition::EditionKey;
use crate::domain::preflight::Finding;

#[must_use]
pub fn words(language: &Language, title: &str, key: EditionKey, found: &[Finding]) -> Words {
    let named = key.period().map_or_else(|| key.to_string(), |period| language.period(period));
    let args = [("edition", named.into()), ("title", title.into())];
    let list = |heading: String, red: bool| List {
        heading,
        items: found.iter().filter(|finding| finding.is_red() == red).map(item).collect(),
    };
    let lists = [
        list(language.text("preflight-letter.red", &args), true),
        list(language.text("preflight-letter.amber", &args), false),
    ];
    Words {
        subject: language.text("preflight-letter", &args),
        heading: language.text("preflight-letter.heading", &args),
        paragraphs: vec![language.text("preflight-letter.text", &args)],
        lists: lists.into_iter().filter(|list| !list.items.is_empty()).collect(),
        button: None,
        because: language.text("preflight-letter.because", &args),
    }
}

fn item(finding: &Finding) -> Item {
    Item { text: finding.message.clone(), more: format!("{} ({})", finding.hint, finding.code), url: String::new() }
}
