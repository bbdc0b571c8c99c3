//! Markdown to HTML as the three generators read it: tables, footnotes, strikethrough, task lists, definition lists,
//! heading attributes, alerts; maths stays readable as TeX. Addresses come out absolute, and those no reader should follow
//! not at all. HTML that the author wrote is passed through, and said to be there: `html::Cleaner` has to see it then.

use std::borrow::Cow;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, LinkType, Options, Parser, Tag, TagEnd, TextMergeStream, html};

use url::Url;

use super::dialect::Dialect;
use super::html::absolute;
use super::kramdown;

/// Deeper nesting is flattened: no text for people has it.
const MAX_DEPTH: usize = 64;

/// What Markdown gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Html {
    pub html: String,
    /// The author wrote some of it as HTML: not safe before it is cleaned. All else is made of a fixed set of harmless
    /// elements with escaped text and checked addresses.
    pub raw: bool,
    /// Where the author cut the excerpt off (`<!--more-->`), as an offset into `html`.
    pub more: Option<usize>,
}

/// `page` is the post's address: footnotes link to the notes on it. `link` resolves addresses only this site knows.
#[must_use]
pub fn to_html(dialect: Dialect, text: &str, page: &Url, link: &dyn Fn(&str) -> Option<String>) -> Html {
    let text = if dialect == Dialect::Jekyll { kramdown::strip_blocks(text) } else { text.into() };
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_MATH
        | Options::ENABLE_GFM
        | Options::ENABLE_DEFINITION_LIST;
    let mut writer = Writer {
        dialect,
        page,
        link,
        raw: false,
        depth: 0,
        code: false,
        notes: Notes::default(),
        before: Vec::new(),
        after: None,
    };
    for event in TextMergeStream::new(Parser::new_ext(&text, options)) {
        writer.event(event);
    }
    writer.finish(text.len())
}

struct Writer<'a, 'l> {
    dialect: Dialect,
    page: &'a Url,
    raw: bool,
    link: &'l dyn Fn(&str) -> Option<String>,
    depth: usize,
    code: bool,
    notes: Notes<'a>,
    /// The events before the excerpt's end, and those after it, if there is one.
    before: Vec<Event<'a>>,
    after: Option<Vec<Event<'a>>>,
}

/// Footnotes in the order they are first referred to.
#[derive(Default)]
struct Notes<'a> {
    order: Vec<String>,
    texts: Vec<(String, Vec<Event<'a>>)>,
    /// The note whose text is being read.
    open: bool,
}

impl Notes<'_> {
    fn number(&mut self, name: &str) -> usize {
        let at = self.order.iter().position(|n| n == name).unwrap_or_else(|| {
            self.order.push(name.to_owned());
            self.order.len() - 1
        });
        at + 1
    }
}

impl<'a> Writer<'a, '_> {
    fn push(&mut self, event: Event<'a>) {
        match (&mut self.notes, &mut self.after) {
            (Notes { open: true, texts, .. }, _) => {
                if let Some((_, note)) = texts.last_mut() {
                    note.push(event);
                }
            }
            (_, Some(after)) => after.push(event),
            _ => self.before.push(event),
        }
    }

    fn event(&mut self, event: Event<'a>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.dialect == Dialect::Jekyll && !self.code => {
                let stripped = match kramdown::strip_spans(&text) {
                    Cow::Owned(stripped) => Some(stripped.into()),
                    Cow::Borrowed(_) => None,
                };
                self.push(Event::Text(stripped.unwrap_or(text)));
            }
            Event::InlineMath(tex) => self.inline_math(&tex),
            Event::DisplayMath(tex) => {
                let tex = super::shortcodes::escape(tex.trim());
                self.push(Event::InlineHtml(format!("<code>{tex}</code>").into()));
            }
            Event::FootnoteReference(name) => {
                let number = self.notes.number(&name);
                let anchor = format!(
                    "<sup><a href=\"{}#fn:{}\">{number}</a></sup>",
                    self.page,
                    super::dialect::slug::encode_path(&name)
                );
                self.push(Event::InlineHtml(anchor.into()));
            }
            Event::TaskListMarker(done) => self.push(Event::Text(if done { "☑ " } else { "☐ " }.into())),
            Event::Html(html) | Event::InlineHtml(html) => self.raw(html),
            other => self.push(other),
        }
    }

    /// A dollar sign is more often money than maths; what looks like TeX is kept as code, the rest as it was typed.
    fn inline_math(&mut self, tex: &str) {
        let is_tex = tex.contains(['\\', '^', '_', '{', '=']);
        self.push(if is_tex { Event::Code(tex.to_owned().into()) } else { Event::Text(format!("${tex}$").into()) });
    }

    fn raw(&mut self, html: CowStr<'a>) {
        if is_more(&html) {
            if self.after.is_none() && self.depth <= 1 {
                self.after = Some(Vec::new());
            }
            return;
        }
        self.raw = true;
        self.push(Event::Html(html));
    }

    fn start(&mut self, tag: Tag<'a>) {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return;
        }
        match tag {
            Tag::FootnoteDefinition(name) => {
                self.notes.texts.push((name.to_string(), Vec::new()));
                self.notes.open = true;
            }
            Tag::CodeBlock(kind) => {
                self.code = true;
                self.push(Event::Start(Tag::CodeBlock(language_only(kind))));
            }
            // pulldown-cmark writes the `mailto:` of these itself.
            Tag::Link { link_type: LinkType::Email, .. } => self.push(Event::Start(tag)),
            Tag::Link { link_type, dest_url, title, id } => {
                let dest_url = self.resolved(dest_url);
                self.push(Event::Start(Tag::Link { link_type, dest_url, title, id }));
            }
            Tag::Image { link_type, dest_url, title, id } => {
                let dest_url = self.resolved(dest_url);
                self.push(Event::Start(Tag::Image { link_type, dest_url, title, id }));
            }
            // Ids would be of no use in a feed, where fragments lead to the post's page.
            Tag::Heading { level, .. } => {
                self.push(Event::Start(Tag::Heading { level, id: None, classes: Vec::new(), attrs: Vec::new() }));
            }
            other => self.push(Event::Start(other)),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        self.depth = self.depth.saturating_sub(1);
        if self.depth >= MAX_DEPTH {
            return;
        }
        match tag {
            TagEnd::FootnoteDefinition => self.notes.open = false,
            other => {
                self.code &= other != TagEnd::CodeBlock;
                self.push(Event::End(other));
            }
        }
    }

    /// Absolute, whatever the author wrote; Zola's `@/blog/post.md#part` is looked up. What no reader should follow leads
    /// to the post's own page.
    fn resolved(&self, address: CowStr<'a>) -> CowStr<'a> {
        let internal = address.strip_prefix("@/").and_then(|internal| {
            let (path, fragment) =
                internal.split_once('#').map_or((internal, String::new()), |(p, f)| (p, format!("#{f}")));
            (self.link)(path).map(|url| url + &fragment)
        });
        let address = internal.map_or(address, Into::into);
        absolute(self.page, &address).unwrap_or_else(|| self.page.to_string()).into()
    }

    fn finish(self, input: usize) -> Html {
        let mut out = String::with_capacity(input + input / 4);
        html::push_html(&mut out, self.before.into_iter());
        let more = self.after.map(|after| {
            let at = out.len();
            html::push_html(&mut out, after.into_iter());
            at
        });
        push_notes(&mut out, self.notes);
        Html { html: out, raw: self.raw, more }
    }
}

fn push_notes(out: &mut String, notes: Notes<'_>) {
    let mut texts = notes.texts;
    let referred = notes.order.iter().filter_map(|name| {
        let at = texts.iter().position(|(n, _)| n == name)?;
        Some(texts.swap_remove(at).1)
    });
    let items: Vec<_> = referred.collect();
    if items.is_empty() {
        return;
    }
    out.push_str("<hr>\n<ol>\n");
    for item in items {
        out.push_str("<li>");
        html::push_html(out, item.into_iter());
        out.push_str("</li>\n");
    }
    out.push_str("</ol>\n");
}

/// `<!--more-->` and `<!-- more -->`, and their older cousins.
fn is_more(html: &str) -> bool {
    let inner = html.trim().strip_prefix("<!--").and_then(|rest| rest.split_once("-->"));
    inner.is_some_and(|(word, _)| matches!(word.trim(), "more" | "readmore" | "excerpt" | "end-excerpt"))
}

/// ```` ```rust,linenos ```` and ```` ```{.python} ```` mean the language.
fn language_only(kind: CodeBlockKind<'_>) -> CodeBlockKind<'_> {
    match kind {
        CodeBlockKind::Fenced(info) => {
            let word = info
                .trim()
                .trim_start_matches(['{', '.'])
                .split(|c: char| c.is_whitespace() || ",{}:".contains(c))
                .next();
            CodeBlockKind::Fenced(word.unwrap_or_default().to_lowercase().into())
        }
        CodeBlockKind::Indented => CodeBlockKind::Indented,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Url {
        Url::parse("https://a.example/p").unwrap()
    }

    fn rendered(dialect: Dialect, text: &str) -> String {
        let link = |path: &str| (path == "blog/a.md").then(|| "https://a.example/a/".to_owned());
        to_html(dialect, text, &page(), &link).html.trim().to_owned()
    }

    #[test]
    fn the_extensions_people_use_work() {
        for (text, want) in [
            ("a ~~b~~", "<p>a <del>b</del></p>"),
            ("- [x] done\n- [ ] open", "<ul>\n<li>☑ done</li>\n<li>☐ open</li>\n</ul>"),
            ("# A {#x .y}", "<h1>A</h1>"),
            ("Term\n: Meaning", "<dl>\n<dt>Term</dt>\n<dd>Meaning</dd>\n</dl>"),
            ("```{.python}\nx\n```", "<pre><code class=\"language-python\">x\n</code></pre>"),
            ("```rust,linenos\nx\n```", "<pre><code class=\"language-rust\">x\n</code></pre>"),
            ("$$ Z_{ij} = X_{ji} $$", "<p><code>Z_{ij} = X_{ji}</code></p>"),
            ("from $5 to $10", "<p>from $5 to $10</p>"),
            ("*a*{: .b} c", "<p><em>a</em> c</p>"),
            ("a\n{: .b}\n\nc", "<p>a</p>\n<p>c</p>"),
            ("`{: .b}`", "<p><code>{: .b}</code></p>"),
        ] {
            assert_eq!(rendered(Dialect::Jekyll, text), want, "{text}");
        }
        assert_eq!(rendered(Dialect::Zola, "[a](@/blog/a.md#x)"), "<p><a href=\"https://a.example/a/#x\">a</a></p>");
    }

    #[test]
    fn footnotes_link_to_the_page_and_stand_at_the_end() {
        let html = rendered(Dialect::Hugo, "A[^n] b[^m].\n\n[^m]: Second.\n[^n]: First.\n\nEnd.");
        assert!(html.contains("A<sup><a href=\"https://a.example/p#fn:n\">1</a></sup> b<sup>"), "{html}");
        assert!(
            html.ends_with("<p>End.</p>\n<hr>\n<ol>\n<li><p>First.</p>\n</li>\n<li><p>Second.</p>\n</li>\n</ol>"),
            "{html}"
        );
    }

    #[test]
    fn the_excerpt_ends_at_the_authors_mark() {
        for mark in ["<!--more-->", "<!-- more -->"] {
            let got = to_html(Dialect::Hugo, &format!("One.\n\n{mark}\n\nTwo."), &page(), &|_| None);
            assert_eq!(got.html[..got.more.unwrap()].trim(), "<p>One.</p>");
        }
    }

    #[test]
    fn deep_nesting_is_flattened() {
        let html = rendered(Dialect::Hugo, &format!("{}deep", "> ".repeat(10_000)));
        assert!(html.matches("<blockquote>").count() <= MAX_DEPTH);
        assert_eq!(html.matches("<blockquote>").count(), html.matches("</blockquote>").count());
    }

    #[test]
    fn addresses_nobody_should_follow_lead_to_the_page() {
        for address in ["javascript:alert(1)", "JaVaScript:x", "data:text/html,x", "vbscript:x", "file:///etc/passwd"] {
            for text in [format!("[a]({address})"), format!("![a]({address})"), format!("<{address}>")] {
                let html = rendered(Dialect::Hugo, &text).to_lowercase();
                assert!(!html.contains(&format!("=\"{}", &address.to_lowercase()[..5])), "{html}");
            }
        }
        let mail = "<p><a href=\"mailto:a@b.example\">a@b.example</a></p>";
        assert_eq!(rendered(Dialect::Hugo, "<a@b.example>"), mail);
    }

    /// What is not cleaned must not need it: the sanitiser finds nothing to take out.
    fn is_safe(html: &Html) -> bool {
        let clean = super::super::html::Cleaner::new(&page()).clean(&html.html).unwrap();
        let count = |html: &str, part: &str| html.matches(part).count();
        let parts = ["<a href=\"", "<img src=\"", "<p>", "<code", "<pre>", "<li>", "<td", "<em>", "javascript:"];
        parts.iter().all(|part| count(&clean, part) == count(&html.html, part))
            && super::super::html::text(&clean) == super::super::html::text(&html.html)
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "([\\PC\n\\[\\]`*_#>$^:!<(){}|-]|\\]\\(|://|javascript:|\n\n|&#106;|&lt;){0,120}") {
            for dialect in [Dialect::Jekyll, Dialect::Hugo] {
                let html = to_html(dialect, &text, &page(), &|_| None);
                proptest::prop_assert!(html.raw || is_safe(&html), "{}", html.html);
            }
        }
    }
}
