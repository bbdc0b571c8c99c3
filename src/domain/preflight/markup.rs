//! A mail's HTML as its readers' programs see it: links, pictures, text, and how well the text stands out. Knows inline
//! styles; what a style sheet in the head says is only an addition to them.

use crate::domain::colour::{Colour, READABLE};
use crate::domain::html::{attribute, push_decoded, tag_end};

/// What is in a mail's HTML.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Markup {
    pub links: Vec<String>,
    pub images: usize,
    /// The sources of pictures that do not say what they show.
    pub mute_images: Vec<String>,
    /// What can be read, on one line.
    pub text: String,
    /// Text that is hard to read: its colour, what it stands on, and how it begins.
    pub faint: Option<(Colour, Colour, String)>,
}

/// Elements without an end.
const VOID: [&str; 9] = ["area", "br", "col", "hr", "img", "input", "link", "meta", "wbr"];
/// What is in these is not shown.
const UNSEEN: [&str; 3] = ["head", "script", "style"];

struct Open<'a> {
    name: &'a str,
    ink: Colour,
    ground: Colour,
    hidden: bool,
}

pub(super) fn read(html: &str) -> Markup {
    let mut reader = Reader { found: Markup::default(), open: Vec::new() };
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        reader.text(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
            continue;
        }
        let end = tag_end(rest);
        reader.tag(&rest[..end]);
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    reader.text(rest);
    reader.found.text = reader.found.text.split_whitespace().collect::<Vec<_>>().join(" ");
    reader.found
}

struct Reader<'a> {
    found: Markup,
    open: Vec<Open<'a>>,
}

impl<'a> Reader<'a> {
    fn tag(&mut self, tag: &'a str) {
        let name = |tag: &'a str| &tag[..tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len())];
        if let Some(closing) = tag.strip_prefix('/') {
            let name = name(closing);
            if let Some(at) = self.open.iter().rposition(|open| open.name.eq_ignore_ascii_case(name)) {
                self.open.truncate(at);
            }
            self.found.text.push(' ');
            return;
        }
        let name = name(tag);
        if name.is_empty() {
            return;
        }
        match name {
            "a" => self.found.links.extend(attribute(tag, "href").map(decoded)),
            "img" => self.image(tag),
            _ => {}
        }
        if !VOID.contains(&name) && !tag.ends_with('/') {
            let opened = self.opened(name, tag);
            self.open.push(opened);
        }
        self.found.text.push(' ');
    }

    fn image(&mut self, tag: &str) {
        self.found.images += 1;
        if attribute(tag, "alt").is_none() {
            self.found.mute_images.push(attribute(tag, "src").map(decoded).unwrap_or_default());
        }
    }

    fn opened(&self, name: &'a str, tag: &str) -> Open<'a> {
        let (ink, ground, hidden) =
            self.open.last().map_or((Colour::BLACK, Colour::WHITE, false), |open| (open.ink, open.ground, open.hidden));
        let style = attribute(tag, "style").unwrap_or_default();
        let colour = |wanted: &str| declared(style, wanted).and_then(Colour::parse);
        let ground = colour("background-color").or_else(|| colour("background")).unwrap_or(ground);
        let hidden = hidden || UNSEEN.contains(&name) || declared(style, "display") == Some("none");
        Open { name, ink: colour("color").unwrap_or(ink), ground, hidden }
    }

    fn text(&mut self, text: &str) {
        if self.open.last().is_some_and(|open| open.hidden) {
            return;
        }
        let text = decoded(text);
        self.found.text.push_str(&text);
        let Some(open) = self.open.last().filter(|_| !text.trim().is_empty()) else { return };
        if self.found.faint.is_none() && open.ink.contrast(open.ground) < READABLE {
            self.found.faint = Some((open.ink, open.ground, text.trim().chars().take(40).collect()));
        }
    }
}

/// `#fff` in `color:#fff;margin:0`.
fn declared<'a>(style: &'a str, wanted: &str) -> Option<&'a str> {
    let mut declarations = style.split(';').filter_map(|declaration| declaration.split_once(':'));
    declarations.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
}

fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_decoded(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_pictures_and_text_are_found_and_what_is_hidden_is_not() {
        let html = "<html><head><title>No</title><style>p > a { color: red }</style></head><body><!-- <a href='x'> -->\
                    <div style=\"display:none\">Hidden</div><p>Read <a class=\"l\" href=\"https://a.example/?a=1&amp;b=2\">this</a>\
                    <br>now.</p><img src=\"a.png\"><img alt=\"\" src=\"b.png\">&nbsp;</body>";
        let found = read(html);
        assert_eq!(found.links, ["https://a.example/?a=1&b=2"]);
        assert_eq!((found.images, found.mute_images), (2, vec!["a.png".to_owned()]));
        assert_eq!(found.text, "Read this now.");
        assert_eq!(found.faint, None);
    }

    #[test]
    fn text_that_is_hard_to_read_is_found_whatever_it_stands_in() {
        let html = "<td style=\"background-color:#222222;color:#ffffff\"><p>Good</p><div style=\"color:#333333\"> </div>\
                    <b style=\"color:#333\">Bad</b></td>";
        let (ink, ground, words) = read(html).faint.unwrap();
        assert_eq!((ink.to_string(), ground.to_string(), words.as_str()), ("#333333".into(), "#222222".into(), "Bad"));
        assert_eq!(read(&html.replace("#333\"", "#eee\"")).faint, None);
    }
}
