//! Addresses, ids, languages, media types and people, as feeds have to write them.

use url::Url;

use super::Findings;

/// What may stand at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// http or https.
    Page,
    /// Any scheme, not necessarily to be opened: an id.
    Id,
    /// May have letters beyond ASCII.
    Iri,
    /// Atom's: that, and by the standard it may be relative; many readers do not see to what.
    Reference,
}

impl Findings<'_> {
    /// An address that has to be whole, or, in Atom, ought to be.
    pub(super) fn address(&mut self, at: usize, what: &str, given: &str, wanted: Wanted) {
        let value = given.trim();
        if value != given && matches!(wanted, Wanted::Id | Wanted::Reference) {
            let message = format!("{what} has white space around it");
            return self.error(at, "whitespace", message, "write it without: to some readers it is another one");
        }
        let problem = if value.is_empty() {
            Some(("address", "is empty".to_owned(), "give it, or leave the element out"))
        } else if value
            .contains(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | '{' | '}' | '|' | '^' | '`'))
        {
            Some((
                "address",
                format!("`{value}` has a character that no address has"),
                "percent-encode it: a space is `%20`",
            ))
        } else if Url::parse(value).is_err() {
            let hint = "write it with its scheme and host: readers do not know where the feed came from";
            Some(("address-relative", format!("`{value}` is no whole address"), hint))
        } else if matches!(wanted, Wanted::Page | Wanted::Id) && !value.is_ascii() {
            Some(("address-iri", format!("`{value}` has letters beyond ASCII"), "percent-encode them"))
        } else if wanted == Wanted::Page && !(value.starts_with("http:") || value.starts_with("https:")) {
            Some(("address", format!("`{value}` is not on the web"), "give an http or https address"))
        } else {
            None
        };
        let Some((code, message, hint)) = problem else { return };
        let relative = Url::parse(value) == Err(url::ParseError::RelativeUrlWithoutBase);
        if wanted == Wanted::Reference && relative && code != "address"
            || wanted == Wanted::Reference && value.is_empty()
        {
            self.warn(at, code, format!("{what} {message}"), hint);
        } else {
            self.error(at, code, format!("{what} {message}"), hint);
        }
    }

    pub(super) fn language(&mut self, at: usize, value: &str) {
        let part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
        let value = value.trim();
        let first = value.split('-').next().unwrap_or_default();
        let known = (2..=3).contains(&first.len()) || matches!(first, "i" | "x");
        if !value.split('-').all(part) || !known || !first.bytes().all(|b| b.is_ascii_alphabetic()) {
            self.error(at, "language", format!("`{value}` is no language"), "expected a code such as `en` or `pt-BR`");
        }
    }

    pub(super) fn media_type(&mut self, at: usize, value: &str) {
        let token = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic() && !b"()<>@,:\\\"/[]?=".contains(&b))
        };
        let bare = value.split(';').next().unwrap_or_default().trim();
        if !bare.split_once('/').is_some_and(|(kind, sub)| token(kind) && token(sub)) {
            self.error(at, "media-type", format!("`{value}` is no media type"), "expected one such as `audio/mpeg`");
        }
    }
}

/// Whether a text holds an e-mail address, as RSS wants of its people: `ada@example.org (Ada)`.
pub(super) fn has_email(text: &str) -> bool {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '<' | '>' | ':'));
    words.into_iter().any(is_email)
}

pub(super) fn is_email(word: &str) -> bool {
    let strange = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | ':');
    word.split_once('@').is_some_and(|(local, domain)| {
        !word.contains(strange)
            && !local.is_empty()
            && !domain.contains('@')
            && domain.split('.').count() > 1
            && domain.split('.').all(|label| !label.is_empty())
    })
}
