//! A few words of the operator's, written in Markdown, as mail shows them: paragraphs, emphasis, code and links, and
//! nothing else. The HTML is made of a fixed set of elements, so it needs no cleaning; the text has the same links.

use std::fmt::Write as _;

use pulldown_cmark::{Event, Parser, Tag, TagEnd, TextMergeStream};

use super::xml::escape;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prose {
    pub html: String,
    pub text: String,
}

/// `link` is the inline style of links.
#[must_use]
pub fn prose(markdown: &str, link: &str) -> Prose {
    let mut writer = Writer { link, out: Prose::default(), targets: Vec::new(), wants_break: false };
    for event in TextMergeStream::new(Parser::new(markdown)) {
        writer.event(event);
    }
    let Prose { html, text } = writer.out;
    Prose { html: html.trim().to_owned(), text: text.trim().to_owned() }
}

struct Writer<'a> {
    link: &'a str,
    out: Prose,
    /// Of the links that are open; none: one that leads nowhere safe.
    targets: Vec<Option<String>>,
    /// A paragraph has ended, and another may follow.
    wants_break: bool,
}

impl Writer<'_> {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            // What is written as HTML is shown as it was written: mail readers do with it what they like.
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            Event::Code(code) => {
                let _ = write!(self.out.html, "<code>{}</code>", escape(&code));
                self.out.text.push_str(&code);
            }
            Event::SoftBreak => self.both(" ", " "),
            Event::HardBreak => self.both("<br>\n", "\n"),
            Event::Rule => self.wants_break = true,
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::Heading { .. } | Tag::CodeBlock(_) | Tag::HtmlBlock => self.begin(""),
            Tag::Item => self.begin("– "),
            Tag::Emphasis => self.out.html.push_str("<em>"),
            Tag::Strong => self.out.html.push_str("<strong>"),
            Tag::Link { dest_url, .. } => self.open(&dest_url),
            _ => {}
        }
    }

    fn begin(&mut self, mark: &str) {
        if std::mem::take(&mut self.wants_break) {
            self.both("<br><br>\n", "\n\n");
        }
        self.both(mark, mark);
    }

    fn open(&mut self, url: &str) {
        let safe = ["https://", "http://", "mailto:"].iter().any(|scheme| url.starts_with(scheme));
        let target = (safe && !url.contains(char::is_control)).then(|| url.replace(' ', "%20"));
        if let Some(target) = &target {
            let _ = write!(self.out.html, "<a class=\"link\" href=\"{}\" style=\"{};\">", escape(target), self.link);
        }
        self.targets.push(target);
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item | TagEnd::CodeBlock | TagEnd::HtmlBlock => {
                self.wants_break = true;
            }
            TagEnd::Emphasis => self.out.html.push_str("</em>"),
            TagEnd::Strong => self.out.html.push_str("</strong>"),
            TagEnd::Link => {
                let Some(target) = self.targets.pop().flatten() else { return };
                self.out.html.push_str("</a>");
                // A bare address stands there already.
                let address = target.strip_prefix("mailto:").unwrap_or(&target);
                if !self.out.text.ends_with(address) {
                    let _ = write!(self.out.text, " ({target})");
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        self.both(&escape(text), text);
    }

    fn both(&mut self, html: &str, text: &str) {
        self.out.html.push_str(html);
        self.out.text.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(markdown: &str) -> (String, String) {
        let Prose { html, text } = prose(markdown, "color:#000000");
        (html, text)
    }

    #[test]
    fn words_and_links_are_the_same_in_both_parts() {
        let (html, text) =
            written("Hello *all*, see [the **docs**](https://a.example/?a=1&b=2).\n\nWrite to <mailto:a@b.example>");
        assert_eq!(
            html,
            "Hello <em>all</em>, see <a class=\"link\" href=\"https://a.example/?a=1&amp;b=2\" style=\"color:#000000;\">the \
             <strong>docs</strong></a>.<br><br>\nWrite to <a class=\"link\" href=\"mailto:a@b.example\" \
             style=\"color:#000000;\">mailto:a@b.example</a>"
        );
        assert_eq!(text, "Hello all, see the docs (https://a.example/?a=1&b=2).\n\nWrite to mailto:a@b.example");
    }

    #[test]
    fn lists_and_lines_stay_apart() {
        let (html, text) = written("# News\n- one\n- `two`\n\nthree  \nfour");
        assert_eq!(text, "News\n\n– one\n\n– two\n\nthree\nfour");
        assert_eq!(html.matches("<br>").count(), 7, "{html}");
    }

    #[test]
    fn markup_is_text_and_a_link_that_does_harm_is_none() {
        let (html, text) = written("<b onclick=x>hi</b> [go](javascript:alert(1))\n\n<script>alert(1)</script>");
        assert!(!html.contains("<b ") && !html.contains("<script") && !html.contains("href"), "{html}");
        assert!(text.contains("go") && !text.contains("javascript"), "{text}");
    }
}
