//! What is looked at before a digest leaves: its links, its size, its words, and the headers by which readers leave. Knows a
//! mail as it would arrive and the blog around it; asks no network. What is red must not go out; what is amber may.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use url::Url;

mod markup;

use markup::Markup;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Red,
    Amber,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub severity: Severity,
    /// A short stable word: `unsubscribe`, `link-unpublished`.
    pub code: &'static str,
    pub message: String,
    pub hint: String,
}

impl Finding {
    #[must_use]
    pub fn red(code: &'static str, message: impl Into<String>, hint: &str) -> Self {
        Self { severity: Severity::Red, code, message: message.into(), hint: hint.into() }
    }

    #[must_use]
    pub fn amber(code: &'static str, message: impl Into<String>, hint: &str) -> Self {
        Self { severity: Severity::Amber, code, message: message.into(), hint: hint.into() }
    }

    #[must_use]
    pub fn is_red(&self) -> bool {
        self.severity == Severity::Red
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = if self.is_red() { "red" } else { "amber" };
        write!(f, "{severity}: {} ({})", self.message, self.code)
    }
}

/// A mail as one reader would get it.
#[derive(Debug, Clone, Copy)]
pub struct Mail<'a> {
    pub subject: &'a str,
    pub text: &'a str,
    pub html: &'a str,
    /// The headers as they are on the wire, signatures before them.
    pub head: &'a str,
    /// This reader's link.
    pub unsubscribe: &'a str,
}

/// Where an address of the blog's own leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Shown,
    /// A post that readers cannot see: a draft, one of tomorrow, one that was taken back.
    Unpublished,
    Unknown,
}

/// The blog around it.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// Without trailing slashes.
    pub site_url: &'a str,
    pub pages_url: &'a str,
    pub postal_address: &'a str,
    /// Whether mail leaves this machine.
    pub leaves: bool,
    /// Posts, titles or words of the operator's hold double braces, so they are no residue of a template.
    pub braces: bool,
    pub reach: &'a dyn Fn(&str) -> Reach,
}

/// Gmail cuts what is longer than about 102 kB, after additions of its own.
const LARGE: usize = 80_000;
const TOO_LARGE: usize = 100_000;
/// Pictures with fewer words than this beside them look like an advertisement.
const FEW_WORDS: usize = 400;
/// Headers that a signature must cover if they are there: without the list's, providers do not show their own button.
const COVERED: [&str; 8] =
    ["From", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"];

/// Everything that is to be said of a mail, the worst first.
#[must_use]
pub fn inspect(mail: &Mail<'_>, around: &Surroundings<'_>) -> Vec<Finding> {
    let html = markup::read(mail.html);
    let in_text = links_of_text(mail.text);
    let mut found = Vec::new();
    words(mail, around, &mut found);
    ways_out(mail, &html, &mut found);
    links(mail, around, &html, &in_text, &mut found);
    shape(mail, &html, &mut found);
    headers(mail, around, &mut found);
    found.sort_by_key(|finding| finding.severity);
    found
}

fn words(mail: &Mail<'_>, around: &Surroundings<'_>, found: &mut Vec<Finding>) {
    let subject = mail.subject.trim();
    if subject.is_empty() {
        found.push(Finding::red("subject-empty", "the subject is empty", "look at `digest.subject`"));
    }
    let letters = subject.chars().filter(|c| c.is_alphabetic()).count();
    if letters >= 10 && subject == subject.to_uppercase() && subject != subject.to_lowercase() {
        let message = format!("the subject is all capitals: `{subject}`");
        found.push(Finding::amber("subject-capitals", message, "spam filters count that; write it as a sentence"));
    }
    for (part, text) in [("subject", mail.subject), ("text", mail.text), ("HTML", mail.html)] {
        let residue = ["{{", "{%"].into_iter().find(|brace| text.contains(brace)).filter(|_| !around.braces);
        if let Some(residue) = residue {
            let message = format!("there is `{residue}` in the {part}: what a template should have filled in");
            found.push(Finding::red("template-residue", message, "look at `digest.subject` and your templates"));
        }
    }
    if around.postal_address.trim().is_empty() && around.leaves {
        let hint =
            "give a street address or a post box as `digest.postal_address`: the law of many countries wants one";
        found.push(Finding::red("postal-address", "there is no postal address", hint));
    }
}

fn ways_out(mail: &Mail<'_>, html: &Markup, found: &mut Vec<Finding>) {
    let parts = [
        ("HTML", html.links.iter().any(|link| link == mail.unsubscribe)),
        ("text", mail.text.contains(mail.unsubscribe)),
    ];
    for (part, _) in parts.into_iter().filter(|(_, there)| !there) {
        let message = format!("there is no link to unsubscribe in the {part}");
        found.push(Finding::red("unsubscribe", message, "every part must have `{{ unsubscribe_url }}`"));
    }
}

fn links(
    mail: &Mail<'_>,
    around: &Surroundings<'_>,
    html: &Markup,
    in_text: &BTreeSet<String>,
    found: &mut Vec<Finding>,
) {
    let in_html: BTreeSet<String> = html.links.iter().cloned().collect();
    for link in in_html.union(in_text) {
        found.extend(link_finding(around, link));
    }
    // That the way out is missing is told by itself.
    let is_web = |link: &&String| link.starts_with("http") && **link != mail.unsubscribe;
    for (only, other, missing) in [(&in_html, in_text, "text"), (in_text, &in_html, "HTML")] {
        for link in only.difference(other).filter(is_web) {
            let message = format!("`{link}` is not in the {missing}");
            let hint = "both parts should have the same links: spam filters compare them, and so do readers";
            found.push(Finding::amber("links-differ", message, hint));
        }
    }
}

fn link_finding(around: &Surroundings<'_>, link: &str) -> Option<Finding> {
    let Some(url) = Url::parse(link).ok() else {
        return Some(Finding::red(
            "link-broken",
            format!("`{link}` leads nowhere"),
            "a mail needs whole addresses, beginning with `https://`",
        ));
    };
    match url.scheme() {
        "mailto" => return None,
        "https" => {}
        "http" if is_local(&url) => {}
        "http" => {
            let message = format!("`{link}` is not encrypted");
            return Some(Finding::amber("link-plain", message, "use `https://`, if the site has it"));
        }
        scheme => {
            let message = format!("`{link}` begins with `{scheme}:`, which mail readers do not open");
            return Some(Finding::red("link-scheme", message, "expected `https://`"));
        }
    }
    let own = is_below(link, around.site_url) || is_below(link, around.pages_url);
    match (own, (around.reach)(link)) {
        (_, Reach::Unpublished) => Some(Finding::red(
            "link-unpublished",
            format!("`{link}` is a post that readers cannot see"),
            "publish it, or take the link out",
        )),
        (true, Reach::Unknown) => Some(Finding::amber(
            "link-unknown",
            format!("`{link}` is an address of the blog, and no post or page that is known here"),
            "make sure that it is there",
        )),
        _ => None,
    }
}

fn is_local(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

fn is_below(link: &str, base: &str) -> bool {
    !base.is_empty() && link.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

fn shape(mail: &Mail<'_>, html: &Markup, found: &mut Vec<Finding>) {
    let bytes = mail.html.len();
    let hint = "Gmail cuts mails at about 100 kB; shorten what your templates add";
    if bytes > TOO_LARGE {
        found.push(Finding::red("size", format!("the HTML has {bytes} bytes, and would be cut off"), hint));
    } else if bytes > LARGE {
        found.push(Finding::amber("size", format!("the HTML has {bytes} bytes"), hint));
    }
    for source in &html.mute_images {
        let message = format!("the picture `{source}` does not say what it shows");
        found.push(Finding::amber("alt", message, "give it an `alt`; an empty one if it is decoration"));
    }
    let words = html.text.chars().count();
    if html.images > 0 && words < FEW_WORDS {
        let message = format!("there are {} pictures and {words} characters of text", html.images);
        found.push(Finding::amber("images-only", message, "spam filters count that; say more, or show fewer pictures"));
    }
    if let Some((ink, ground, words)) = &html.faint {
        let message =
            format!("`{words}` is {ink} on {ground}, a contrast of {:.2}: hard to read", ink.contrast(*ground));
        found.push(Finding::amber("contrast", message, "expected 4.5 or more"));
    }
}

fn headers(mail: &Mail<'_>, around: &Surroundings<'_>, found: &mut Vec<Finding>) {
    let head = unfolded(mail.head);
    let value = |name: &str| head.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    for name in ["List-Unsubscribe", "List-Unsubscribe-Post", "List-Id"] {
        if value(name).is_none() {
            let message = format!("the header `{name}` is missing");
            found.push(Finding::red("header", message, "providers ask for it, and refuse mail of lists without it"));
        }
    }
    let from =
        value("From").map(|from| from.split('<').next().unwrap_or_default().trim().trim_matches('"').to_lowercase());
    let is_naked = value("To").is_some_and(|to| !to.contains('<'));
    if is_naked && from.is_some_and(|from| !from.is_empty() && mail.subject.to_lowercase().starts_with(&from)) {
        let message = "the subject begins with the sender's name, and `To` has no brackets";
        found.push(Finding::amber("subject-brand", message, "spam filters count that; begin with what is in it"));
    }
    let mut signatures = head.iter().filter(|(name, _)| name.eq_ignore_ascii_case("DKIM-Signature")).peekable();
    if signatures.peek().is_none() && around.leaves {
        let hint = "set `dkim.selector` and `dkim.key_file`, or make sure that the relay signs, with `List-Unsubscribe` and \
                    `List-Unsubscribe-Post` in `h=`";
        found.push(Finding::amber("unsigned", "the mail is not signed here", hint));
    }
    for (_, signature) in signatures {
        let covered = covered(signature);
        let missing: Vec<&str> = COVERED
            .into_iter()
            .filter(|name| value(name).is_some() && !covered.contains(&name.to_lowercase()))
            .collect();
        if !missing.is_empty() {
            let message = format!("the DKIM signature does not cover {}", missing.join(", "));
            found.push(Finding::red(
                "dkim-coverage",
                message,
                "providers take one-click links only if they are signed",
            ));
        }
    }
}

/// The names in `h=`.
fn covered(signature: &str) -> BTreeSet<String> {
    let tag = signature.split(';').find_map(|tag| tag.trim().strip_prefix("h="));
    let names = tag.into_iter().flat_map(|names| names.split(':'));
    names.map(|name| name.split_whitespace().collect::<String>().to_lowercase()).collect()
}

/// Name and value of each header, on one line.
fn unfolded(head: &str) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in head.lines().take_while(|line| !line.is_empty()) {
        match (line.starts_with([' ', '\t']), headers.last_mut(), line.split_once(':')) {
            (true, Some((_, value)), _) => value.extend([" ", line.trim()]),
            (false, _, Some((name, value))) => headers.push((name.to_owned(), value.trim().to_owned())),
            _ => {}
        }
    }
    headers
}

/// The addresses in plain text: to the next space or bracket, without the full stop of a sentence.
fn links_of_text(text: &str) -> BTreeSet<String> {
    let starts = ["https://", "http://", "mailto:"].into_iter().flat_map(|scheme| text.match_indices(scheme));
    let links = starts.map(|(at, _)| {
        let rest = &text[at..];
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"')).unwrap_or(rest.len());
        let link = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?']);
        // `(https://…)` is in brackets; an address may have pairs of its own.
        let is_closed_outside = link.ends_with(')') && link.matches(')').count() > link.matches('(').count();
        let link = if is_closed_outside { &link[..link.len() - 1] } else { link };
        link.to_owned()
    });
    links.collect()
}

#[cfg(test)]
mod tests;
