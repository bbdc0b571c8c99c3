//! HTML made safe for readers and mail, and the plain text in it. Everything that goes out has passed `Cleaner`: no
//! script, style, frame or event handler; every address absolute against the post's page.

mod formula;
mod tidy;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;

use ammonia::{Builder, UrlRelative};
use url::Url;

/// Deeper nesting is no text for people; the sanitiser's time grows with its square.
const MAX_DEPTH: usize = 200;
/// Longer texts are cleaned in pieces.
const PIECE: usize = 4_096;
/// Longer attributes are left out.
const ATTRIBUTE: usize = 16_384;

/// Why a piece of HTML could not be cleaned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooDeep;

/// Cleans HTML against one page's address.
pub struct Cleaner {
    page: Url,
    /// Made when it is needed first, as its lists take longer to set up than a short text to clean.
    sanitiser: OnceCell<Builder<'static>>,
}

impl Cleaner {
    #[must_use]
    pub fn new(page: &Url) -> Self {
        Self { page: page.clone(), sanitiser: OnceCell::new() }
    }

    pub fn clean(&self, html: &str) -> Result<String, TooDeep> {
        let html = without_drawings(html);
        let html = frames_to_links(&html);
        let html = formula::to_text(&html);
        tidy::clean(&self.page, &html).map_or_else(|| self.sanitised(&html), Ok)
    }

    fn sanitised(&self, html: &str) -> Result<String, TooDeep> {
        if depth(html) > MAX_DEPTH {
            return Err(TooDeep);
        }
        let sanitiser = self.sanitiser.get_or_init(|| Self::sanitiser(&self.page));
        Ok(sanitiser.clean(&in_pieces(html)).to_string())
    }

    fn sanitiser(page: &Url) -> Builder<'static> {
        let mut builder = Builder::default();
        builder
            .add_tags(["picture", "source", "video", "audio", "track"])
            .add_clean_content_tags([
                "iframe", "noscript", "noembed", "noframes", "template", "object", "svg", "math", "xmp", "textarea",
                "select", "title",
            ])
            .url_schemes(HashSet::from(SCHEMES))
            .link_rel(None)
            .add_tag_attributes("img", ["srcset", "sizes", "loading"])
            .add_tag_attributes("source", ["src", "srcset", "sizes", "type", "media"])
            .add_tag_attributes("video", ["src", "poster", "controls", "width", "height"])
            .add_tag_attributes("audio", ["src", "controls"])
            .add_tag_attributes("track", ["src", "kind", "srclang", "label"])
            .add_tag_attributes("code", ["class"])
            .add_tag_attributes("td", ["style"])
            .add_tag_attributes("th", ["style"])
            .add_tag_attributes("ol", ["type", "reversed"])
            .add_tag_attributes("details", ["open"])
            .filter_style_properties(HashSet::from(["text-align"]));
        let base = page.clone();
        builder.url_relative(UrlRelative::Custom(Box::new(Base(base))));
        let base = page.clone();
        builder.attribute_filter(move |element, attribute, value| match (element, attribute) {
            _ if value.len() > ATTRIBUTE => None,
            (_, "srcset") => Some(srcset(&base, value)).filter(|v| !v.is_empty()).map(Cow::Owned),
            ("code", "class") => Some(value.into()).filter(|v: &Cow<'_, str>| v.starts_with("language-")),
            _ => Some(value.into()),
        });
        builder
    }
}

struct Base(Url);

impl ammonia::UrlRelativeEvaluate<'_> for Base {
    fn evaluate<'url>(&self, relative: &'url str) -> Option<Cow<'url, str>> {
        absolute(&self.0, relative).map(Cow::Owned)
    }
}

/// An address of the page made absolute; `None` for what no reader should follow.
#[must_use]
pub fn absolute(page: &Url, relative: &str) -> Option<String> {
    let joined = page.join(relative.trim()).ok()?;
    is_followed(&joined).then(|| joined.into())
}

const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];

fn is_followed(address: &Url) -> bool {
    SCHEMES.contains(&address.scheme())
}

fn srcset(page: &Url, value: &str) -> String {
    let candidates = value.split(", ").flat_map(|part| part.split(",\n")).filter_map(|candidate| {
        let candidate = candidate.trim().trim_end_matches(',');
        let (address, size) = candidate.split_once(char::is_whitespace).unwrap_or((candidate, ""));
        let address = absolute(page, address).filter(|a| a.starts_with("http"))?;
        Some(if size.is_empty() { address } else { format!("{address} {}", size.trim()) })
    });
    candidates.collect::<Vec<_>>().join(", ")
}

/// Drawings are left out whole; their self-closed elements would look like deep nesting.
fn without_drawings(html: &str) -> Cow<'_, str> {
    if !html.contains("<svg") {
        return html.into();
    }
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find("<svg") {
        let Some(end) = rest[start..].find("</svg>") else { break };
        out.push_str(&rest[..start]);
        rest = &rest[start + end + "</svg>".len()..];
    }
    out.push_str(rest);
    out.into()
}

/// The serialiser looks through all that is left of a text for each `&` in it. Comments, which it never sees, cut a text
/// that long into pieces.
fn in_pieces(html: &str) -> Cow<'_, str> {
    let texts = || html.split_inclusive('<').map(|run| run.rfind('>').map_or((0, run), |at| (at + 1, &run[at + 1..])));
    if texts().all(|(_, text)| text.len() <= PIECE) {
        return html.into();
    }
    let mut out = String::with_capacity(html.len() + html.len() / PIECE * 8);
    for (run, (start, mut text)) in html.split_inclusive('<').zip(texts()) {
        out.push_str(&run[..start]);
        while let Some(cut) = cut(text) {
            out.extend([&text[..cut], "<!---->"]);
            text = &text[cut..];
        }
        out.push_str(text);
    }
    out.into()
}

/// Where a long text may be cut: before white space, or an `&`, but never inside what an `&` begins.
fn cut(text: &str) -> Option<usize> {
    let at = text.ceil_char_boundary(PIECE);
    text[at..].find(|c: char| c.is_whitespace() || c == '&' || !c.is_ascii()).map(|found| at + found)
}

/// How deep elements are nested at most, closing tags believed.
fn depth(html: &str) -> usize {
    const VOID: [&str; 12] =
        ["img", "br", "hr", "input", "source", "track", "wbr", "col", "area", "meta", "link", "embed"];
    let (mut now, mut most) = (0_usize, 0);
    for (at, _) in html.match_indices('<') {
        let tag = &html[at + 1..];
        let (closing, tag) = tag.strip_prefix('/').map_or((false, tag), |tag| (true, tag));
        let name = &tag[..tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len())];
        if name.is_empty() || VOID.iter().any(|v| v.eq_ignore_ascii_case(name)) || is_optional(name) {
            continue;
        }
        now = if closing { now.saturating_sub(1) } else { now + 1 };
        most = most.max(now);
    }
    most
}

/// Elements whose closing tag people leave out; their openings close the one before.
fn is_optional(name: &str) -> bool {
    ["p", "li", "dt", "dd", "tr", "td", "th", "option"].iter().any(|o| o.eq_ignore_ascii_case(name))
}

/// A frame cannot be shown in a feed; what it shows can be linked.
fn frames_to_links(html: &str) -> Cow<'_, str> {
    if !html.contains("<iframe") {
        return html.into();
    }
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find("<iframe") {
        out.push_str(&rest[..start]);
        let tag_end = rest[start..].find('>').map_or(rest.len(), |e| start + e + 1);
        let source = attribute(&rest[start..tag_end], "src").filter(|s| s.starts_with("http") || s.starts_with("//"));
        if let Some(source) = source {
            let source = source.strip_prefix("//").map_or_else(|| source.to_owned(), |s| format!("https://{s}"));
            let source = super::shortcodes::escape(&source.replace("&amp;", "&"));
            out.push_str(&format!("<p><a href=\"{source}\">{source}</a></p>"));
        }
        out.push_str(&rest[start..tag_end]);
        rest = &rest[tag_end..];
    }
    out.push_str(rest);
    out.into()
}

pub(super) fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let at = tag.find(&format!(" {name}="))? + name.len() + 2;
    let quote = tag[at..].chars().next()?;
    match quote {
        '"' | '\'' => tag[at + 1..].split(quote).next(),
        _ => tag[at..].split([' ', '>']).next(),
    }
}

/// One piece of cleaned HTML: `<p>`, `</p>` or the text between.
#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    Open(&'a str),
    Close(&'a str),
    Text(&'a str),
}

/// Walks the serialised output of the sanitiser, in which every `<` begins a tag and every `>` in text is escaped.
fn tokens(html: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = html;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        // By bytes: ten thousand posts have millions of tags.
        if rest.as_bytes()[0] != b'<' {
            let end = memchr::memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
            let text = &rest[..end];
            rest = &rest[end..];
            return Some(Token::Text(text));
        }
        let inside = &rest[1..];
        let end = tag_end(inside);
        let tag = &inside[..end];
        rest = inside.get(end + 1..).unwrap_or_default();
        let closes = tag.as_bytes().first() == Some(&b'/');
        let tag = &tag[usize::from(closes)..];
        let name = &tag[..tag.bytes().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(tag.len())];
        Some(if closes { Token::Close(name) } else { Token::Open(name) })
    })
}

/// Where a tag ends: at the first `>` outside its quoted attributes.
pub(super) fn tag_end(tag: &str) -> usize {
    let mut quoted = false;
    tag.bytes()
        .position(|b| {
            quoted ^= b == b'"';
            b == b'>' && !quoted
        })
        .unwrap_or(tag.len())
}

fn is_block(name: &str) -> bool {
    !matches!(
        name,
        "a" | "abbr"
            | "b"
            | "bdi"
            | "bdo"
            | "cite"
            | "code"
            | "data"
            | "del"
            | "dfn"
            | "em"
            | "i"
            | "img"
            | "ins"
            | "kbd"
            | "mark"
            | "q"
            | "s"
            | "samp"
            | "small"
            | "span"
            | "strike"
            | "strong"
            | "sub"
            | "sup"
            | "time"
            | "tt"
            | "u"
            | "var"
            | "wbr"
    )
}

/// All the text, on one line.
#[must_use]
pub fn text(html: &str) -> String {
    let mut out = String::with_capacity(html.len() / 2);
    for token in tokens(html) {
        match token {
            Token::Text(text) => push_decoded(&mut out, text),
            Token::Open(name) | Token::Close(name) if is_block(name) => out.push(' '),
            _ => {}
        }
    }
    super::plain::line(&out)
}

/// The text of the first paragraph that says something: not in a list, table, quotation or figure, and more than images
/// and badges. A paragraph wholly in italics is a note before the beginning, and is passed over if anything follows.
#[must_use]
pub fn first_paragraph(html: &str) -> Option<String> {
    let mut found = Paragraphs::default();
    for token in tokens(html) {
        if let Some(paragraph) = found.feed(&token) {
            return Some(paragraph);
        }
    }
    found.note.or(found.quoted)
}

#[derive(Default)]
struct Paragraphs {
    /// How many elements are open in which a paragraph is not the post's own.
    outside: usize,
    quotes: usize,
    current: Option<String>,
    emphasis: usize,
    plain_text: bool,
    note: Option<String>,
    quoted: Option<String>,
}

impl Paragraphs {
    fn feed(&mut self, token: &Token<'_>) -> Option<String> {
        match *token {
            Token::Open("p") => {
                self.current = (self.outside == 0).then(String::new);
                (self.emphasis, self.plain_text) = (0, false);
            }
            Token::Close("p") => return self.end(),
            Token::Open("em" | "i") => self.emphasis += 1,
            Token::Close("em" | "i") => self.emphasis = self.emphasis.saturating_sub(1),
            Token::Open("blockquote") => self.quotes += 1,
            Token::Close("blockquote") => self.quotes = self.quotes.saturating_sub(1),
            Token::Open(name) if is_container(name) => self.outside += 1,
            Token::Close(name) if is_container(name) => self.outside = self.outside.saturating_sub(1),
            Token::Open("br") => self.push(" "),
            Token::Text(text) => {
                self.plain_text |= self.emphasis == 0 && text.chars().any(char::is_alphanumeric);
                self.push(text);
            }
            _ => {}
        }
        None
    }

    fn push(&mut self, text: &str) {
        if let Some(current) = &mut self.current {
            push_decoded(current, text);
        }
    }

    fn end(&mut self) -> Option<String> {
        let text = super::plain::line(&self.current.take()?);
        if !text.chars().any(char::is_alphanumeric) {
            return None;
        }
        if self.quotes > 0 {
            self.quoted.get_or_insert(text);
            return None;
        }
        if !self.plain_text {
            self.note.get_or_insert(text);
            return None;
        }
        Some(text)
    }
}

fn is_container(name: &str) -> bool {
    matches!(
        name,
        "li" | "table"
            | "figure"
            | "dl"
            | "details"
            | "aside"
            | "nav"
            | "header"
            | "footer"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
    )
}

pub(super) fn push_decoded(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (c, length) = reference(rest).unwrap_or(('&', 1));
        out.push(c);
        rest = &rest[length..];
    }
    out.push_str(rest);
}

/// The character a text begins with by name, and the name's length. Those the sanitiser writes are few.
fn reference(text: &str) -> Option<(char, usize)> {
    Some(match text.as_bytes() {
        [b'&', b'l', b't', b';', ..] => ('<', 4),
        [b'&', b'g', b't', b';', ..] => ('>', 4),
        [b'&', b'a', b'm', b'p', b';', ..] => ('&', 5),
        [b'&', b'q', b'u', b'o', b't', b';', ..] => ('"', 6),
        [b'&', b'n', b'b', b's', b'p', b';', ..] => ('\u{a0}', 6),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(html: &str) -> String {
        Cleaner::new(&Url::parse("https://a.example/2021/post").unwrap()).clean(html).unwrap()
    }

    #[test]
    fn a_long_text_is_cleaned_in_pieces_and_stays_whole() {
        for text in ["&amp;", "a &lt; b ", "« é »", "x"] {
            let long = text.repeat(40_000);
            assert_eq!(cleaned(&format!("<p>{long}</p><p>b</p>")), format!("<p>{long}</p><p>b</p>"));
        }
        assert_eq!(cut("short"), None);
        assert_eq!(cleaned(&format!("<p title=\"{}\">a</p>", "x".repeat(20_000))), "<p>a</p>");
    }

    #[test]
    fn what_runs_is_taken_out() {
        for (html, want) in [
            ("<script>alert(1)</script>a", "a"),
            ("<style>p{}</style>a", "a"),
            ("<p onclick=x>a</p>", "<p>a</p>"),
            ("<a href=\"javascript:alert(1)\">a</a>", "<a>a</a>"),
            ("<a href=\"java\nscript:alert(1)\">a</a>", "<a>a</a>"),
            ("<a href=\"&#x64;ata:text/html,x\">a</a>", "<a>a</a>"),
            ("<img src=\"data:image/png;base64,xx\" alt=\"b\">", "<img alt=\"b\">"),
            ("<svg><script>x</script></svg><math><script>x</script></math>a", "xa"),
            ("a<svg><path/><path/></svg>b", "ab"),
            ("<form action=x><input name=y>a</form>", "a"),
            ("<object data=x>b</object>a", "a"),
            (
                "<iframe src=\"https://v.example/?a=1&amp;b\"></iframe>",
                "<p><a href=\"https://v.example/?a=1&amp;b\">https://v.example/?a=1&amp;b</a></p>",
            ),
            ("<p style=\"position:fixed\" id=x class=y>a</p>", "<p>a</p>"),
        ] {
            assert_eq!(cleaned(html), want, "{html}");
        }
    }

    #[test]
    fn a_formula_stays_as_text_and_lets_nothing_else_in() {
        for (html, want) in [
            ("<p>Let <math><mi>E</mi></math> be.</p>", "<p>Let E be.</p>"),
            (
                "<math><annotation encoding=\"application/x-tex\"><img src=x onerror=a()></annotation></math>",
                "<code>&lt;img src=x onerror=a()&gt;</code>",
            ),
            ("<math alttext=\"<script>a()</script>\"></math>", "&lt;script&gt;a()&lt;/script&gt;"),
            ("<math><mi><a href=\"javascript:a()\">x</a></mi></math>", "x"),
            ("<MATH><mi>x</mi></MATH>", ""),
        ] {
            assert_eq!(cleaned(html), want, "{html}");
        }
        // Ways that have led past sanitisers.
        for html in [
            "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=a()&gt;\">",
            "<form><math><mtext></form><form><mglyph><style></math><img src onerror=a()>",
            "<math><mtext><option><FAKE><mglyph><svg><mtext><style><a title=\"</style><img src onerror=a()>\">",
            "<math><annotation-xml encoding=\"text/html\"><p><style><!--</style><img src=x onerror=a()>--></style></math>",
            "<svg></p><style><a id=\"</style><img src=1 onerror=a()>\"></svg><math></p></math>",
            "<math></math</math><img src=x onerror=a()>",
            "<math \"><img src=x onerror=a()></math>",
            "<ma<math></math>th><mi><img src=x onerror=a()></mi></math>",
        ] {
            let clean = cleaned(html);
            let tags = clean.split('<').skip(1).map(|tag| tag.split('>').next().unwrap_or(tag));
            assert!({ tags }.all(|tag| !tag.contains("onerror") && !tag.starts_with('m')), "{html}: {clean}");
        }
    }

    #[test]
    fn every_address_is_absolute() {
        for (html, want) in [
            ("<a href=\"x\">a</a>", "<a href=\"https://a.example/2021/x\">a</a>"),
            ("<a href=\"/x\">a</a>", "<a href=\"https://a.example/x\">a</a>"),
            ("<a href=\"#f\">a</a>", "<a href=\"https://a.example/2021/post#f\">a</a>"),
            ("<a href=\"//b.example/x\">a</a>", "<a href=\"https://b.example/x\">a</a>"),
            ("<img src=\"../i.png\" alt=\"i\">", "<img src=\"https://a.example/i.png\" alt=\"i\">"),
            (
                "<img srcset=\"a.png 1x, b.png 2x\">",
                "<img srcset=\"https://a.example/2021/a.png 1x, https://a.example/2021/b.png 2x\">",
            ),
            (
                "<video poster=\"p.jpg\" src=\"v.mp4\"></video>",
                "<video poster=\"https://a.example/2021/p.jpg\" src=\"https://a.example/2021/v.mp4\"></video>",
            ),
        ] {
            assert_eq!(cleaned(html), want, "{html}");
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_refused_at_once() {
        let cleaner = Cleaner::new(&Url::parse("https://a.example/").unwrap());
        assert_eq!(cleaner.clean(&"<div>".repeat(10_000)), Err(TooDeep));
        assert_eq!(cleaner.clean(&"<p><b></p>".repeat(10_000)), Err(TooDeep));
        assert!(cleaner.clean(&"<p>a<br><img src=x>".repeat(10_000)).is_ok());
    }

    #[test]
    fn text_is_taken_out_of_html() {
        assert_eq!(text("<p>a &amp; <em>b</em>c</p><p>d<br>e</p><img alt=\"x > y\">"), "a & bc d e");
    }

    #[test]
    fn the_first_paragraph_is_the_first_that_says_something() {
        for (html, want) in [
            ("<h1>T</h1><p>One.</p><p>Two.</p>", Some("One.")),
            ("<p><a href=\"x\"><img alt=\"badge\"></a></p><p>One.</p>", Some("One.")),
            ("<ul><li><p>item</p></li></ul><p>One.</p>", Some("One.")),
            ("<p><em>Supported by <a>X</a>.</em></p><p>One <em>two</em>.</p>", Some("One two.")),
            ("<p><em>Only this.</em></p>", Some("Only this.")),
            ("<blockquote><p>Quoted.</p></blockquote><p>One.</p>", Some("One.")),
            ("<blockquote><p>Quoted.</p></blockquote>", Some("Quoted.")),
            ("<pre><code>x</code></pre>", None),
            ("", None),
        ] {
            assert_eq!(first_paragraph(html).as_deref(), want, "{html}");
        }
    }
}
