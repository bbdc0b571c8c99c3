//! What stands between `<` and `>`: the name and the attributes, also those that XML does not allow.

use std::borrow::Cow;

use super::Space;

#[derive(Debug)]
pub struct Attribute<'a> {
    pub prefix: &'a str,
    pub name: &'a str,
    pub space: Space,
    pub value: Cow<'a, str>,
    pub at: usize,
}

/// The prefix, the name and what follows them.
#[must_use]
pub fn tag(inside: &str) -> (&str, &str, &str) {
    let end = inside.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(inside.len());
    let (prefix, name) = split(&inside[..end]);
    (prefix, name, &inside[end..])
}

fn split(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
}

/// All attributes, each with whether it is as XML wants it.
pub fn scan(text: &str, at: usize) -> impl Iterator<Item = (Attribute<'_>, bool)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        let place = at + (text.len() - rest.len());
        // A lone `=` is skipped, so that each turn takes something.
        let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len()).max(1);
        let end = rest.ceil_char_boundary(end);
        let (prefix, name) = split(&rest[..end]);
        rest = rest[end..].trim_start();
        let (value, sound, after) = value(rest);
        rest = after;
        let value = Cow::Borrowed(value);
        Some((Attribute { prefix, name, space: Space::None, value, at: place }, sound))
    })
}

/// The value, whether it is quoted, and what follows.
fn value(rest: &str) -> (&str, bool, &str) {
    let Some(given) = rest.strip_prefix('=') else { return ("", false, rest) };
    let given = given.trim_start();
    if let Some(quote) = given.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        return given[1..].split_once(quote).map_or((&given[1..], false, ""), |(value, after)| (value, true, after));
    }
    let end = given.find(char::is_whitespace).unwrap_or(given.len());
    (&given[..end], false, &given[end..])
}

/// What may stand between `&` and `;`.
pub(super) fn is_reference(name: &str) -> bool {
    let name = name.strip_prefix('#').unwrap_or(name);
    !name.is_empty() && name.len() < 40 && name.bytes().all(|b| b.is_ascii_alphanumeric())
}
