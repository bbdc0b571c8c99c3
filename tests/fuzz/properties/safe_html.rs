//! What readers may be shown. Looked at with a scanner of its own, so that a fault of the sanitiser is none of this.

use gazetted::domain::html::Cleaner;
use url::Url;

/// Elements that run, load, draw, send or frame something, or change what stands around them.
const NEVER: [&str; 27] = [
    "script",
    "style",
    "iframe",
    "frame",
    "frameset",
    "object",
    "embed",
    "applet",
    "form",
    "button",
    "textarea",
    "select",
    "option",
    "svg",
    "math",
    "base",
    "meta",
    "link",
    "template",
    "noscript",
    "noembed",
    "noframes",
    "xmp",
    "plaintext",
    "title",
    "body",
    "html",
];
const ADDRESSES: [&str; 4] = ["href", "src", "cite", "poster"];
const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];

pub fn assert_safe(html: &str, page: &Url) {
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let tag = &rest[at + 1..];
        let end = end_of(tag).unwrap_or_else(|| panic!("a tag that never ends: {tag:.80}"));
        assert_tag(&tag[..end]);
        rest = &tag[end + 1..];
    }
    let again = Cleaner::new(page).clean(html).expect("is not nested deeper than it was");
    assert!(again.len() <= html.len() + html.len() / 4 + 100, "{} grows to {}", html.len(), again.len());
    for (element, _) in again.match_indices('<') {
        assert!(!NEVER.contains(&name_of(&again[element + 1..])));
    }
}

/// The first `>` outside of quotes.
fn end_of(tag: &str) -> Option<usize> {
    let mut quoted = false;
    tag.bytes().position(|b| {
        quoted ^= b == b'"';
        b == b'>' && !quoted
    })
}

fn name_of(tag: &str) -> &str {
    let tag = tag.strip_prefix('/').unwrap_or(tag);
    &tag[..tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len())]
}

fn assert_tag(tag: &str) {
    let name = name_of(tag);
    assert!(!name.is_empty(), "no element: <{tag}>");
    assert!(!NEVER.iter().any(|never| never.eq_ignore_ascii_case(name)), "<{tag}>");
    let mut rest = tag.strip_prefix('/').unwrap_or(tag)[name.len()..].trim_end_matches('/').trim();
    while !rest.is_empty() {
        let end = rest.find(['=', ' ', '\n']).unwrap_or(rest.len());
        let attribute = rest[..end].to_ascii_lowercase();
        let value = rest[end..].strip_prefix("=\"").map(|value| &value[..value.find('"').expect("a quote")]);
        assert_attribute(name, &attribute, value.unwrap_or_default(), tag);
        let used = end + value.map_or(0, |value| value.len() + 3);
        rest = rest[used..].trim_start();
        assert!(value.is_some() || !rest.starts_with('='), "an attribute without quotes: <{tag}>");
    }
}

fn assert_attribute(element: &str, name: &str, value: &str, tag: &str) {
    assert!(!name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "<{tag}>");
    assert!(
        !name.starts_with("on") && !["srcdoc", "formaction", "background", "ping", "id", "name"].contains(&name),
        "<{tag}>"
    );
    if name == "style" {
        assert!(matches!(element, "td" | "th"), "<{tag}>");
        let aligned = value.replace(' ', "").to_ascii_lowercase();
        let rule = aligned.trim_end_matches(';');
        assert!(rule.is_empty() || rule.split(';').all(|rule| rule.starts_with("text-align:")), "<{tag}>");
        assert!(!aligned.contains("url("), "<{tag}>");
    }
    let addresses: Vec<&str> = match name {
        "srcset" => value.split(", ").map(|one| one.split(' ').next().unwrap_or_default()).collect(),
        _ if ADDRESSES.contains(&name) => vec![value],
        _ => Vec::new(),
    };
    for address in addresses {
        // As a browser has it: entities decoded, what it drops dropped.
        let plain = address.replace("&amp;", "&").replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">");
        let plain = plain.trim_matches(|c: char| c <= ' ').replace(['\t', '\n', '\r'], "");
        let url = Url::parse(&plain).unwrap_or_else(|error| panic!("{plain:?} is not whole ({error}): <{tag}>"));
        assert!(SCHEMES.contains(&url.scheme()), "<{tag}>");
    }
}
