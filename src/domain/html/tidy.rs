//! HTML that is written tidily, cleaned in one pass. Most of a post is what Markdown gave, and most of what authors add
//! to it is as tidy; the sanitiser would build a tree of all of it first.
//!
//! What passes here is the part of HTML in which a browser's parser mends nothing: lower case, every element closed where
//! it was opened, and standing only where it may. The outcome is the sanitiser's, byte for byte: the tests compare the two.
//! At the first doubt there is no outcome, and the sanitiser does the work.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr3, memmem};
use url::{ParseError, Url};

use super::{ATTRIBUTE, absolute, is_followed, reference};

/// Deeper nesting is the sanitiser's to judge.
const MAX_DEPTH: usize = 64;

/// `None` if a parser would have to mend something, or might.
pub fn clean(page: &Url, html: &str) -> Option<String> {
    let begins_with_mark = html.starts_with('\u{feff}');
    if begins_with_mark || memchr2(b'\r', b'\0', html.as_bytes()).is_some() {
        return None;
    }
    let mut pass =
        Pass { page, rest: html, out: String::with_capacity(html.len()), open: Vec::new(), kept: Vec::new() };
    while !pass.rest.is_empty() {
        pass.text()?;
        pass.markup()?;
    }
    pass.open.is_empty().then_some(pass.out)
}

/// What matters of an element to what may stand in and around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Has no content: `br`.
    Void,
    /// Ends a paragraph: `div`, and `hr`, which is void, too.
    Block,
    Rule,
    Heading,
    /// `li` in a list, `dt` and `dd` in theirs.
    Item,
    /// In a line of text.
    Phrase,
    Table,
    Caption,
    /// `thead`, `tbody`.
    Rows,
    /// A `tbody` that nobody opened.
    ImpliedRows,
    Row,
    /// A `tr` that nobody opened.
    ImpliedRow,
    Cell,
    /// Left out with all its content.
    Hidden,
    /// Left out, and has none.
    Nothing,
}

fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "br" | "img" | "source" | "track" | "wbr" => Kind::Void,
        "hr" => Kind::Rule,
        "article" | "aside" | "blockquote" | "center" | "details" | "div" | "dl" | "figcaption" | "figure"
        | "footer" | "header" | "hgroup" | "nav" | "ol" | "p" | "pre" | "summary" | "ul" => Kind::Block,
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => Kind::Heading,
        "li" | "dt" | "dd" => Kind::Item,
        "a" | "abbr" | "audio" | "b" | "bdi" | "cite" | "code" | "data" | "del" | "dfn" | "em" | "i" | "ins"
        | "kbd" | "mark" | "picture" | "q" | "s" | "samp" | "small" | "span" | "strike" | "strong" | "sub" | "sup"
        | "time" | "tt" | "u" | "var" | "video" => Kind::Phrase,
        "table" => Kind::Table,
        "caption" => Kind::Caption,
        "thead" | "tbody" => Kind::Rows,
        "tr" => Kind::Row,
        "td" | "th" => Kind::Cell,
        "iframe" | "script" | "style" => Kind::Hidden,
        "link" | "meta" => Kind::Nothing,
        _ => return None,
    })
}

/// What becomes of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Drop,
    Keep,
    Address,
    /// The sanitiser looks into the value.
    Unsure,
}

fn attribute_use(element: &str, name: &str) -> Use {
    match (element, name) {
        ("a", "href") | ("audio" | "img" | "source" | "track" | "video", "src") | ("video", "poster") => Use::Address,
        (_, "lang" | "title")
        | ("a", "hreflang")
        | ("img", "align" | "alt" | "height" | "loading" | "sizes" | "width")
        | ("ol", "reversed" | "start" | "type")
        | ("hr", "align" | "size" | "width")
        | ("audio" | "video", "controls")
        | ("video", "height" | "width")
        | ("source", "media" | "sizes" | "type")
        | ("track", "kind" | "label" | "srclang")
        | ("details", "open")
        | ("del" | "ins", "cite" | "datetime")
        | ("blockquote" | "q", "cite")
        | ("table", "summary")
        | ("table" | "tbody" | "td" | "th" | "thead" | "tr", "align" | "char" | "charoff")
        | ("td" | "th", "colspan" | "headers" | "rowspan")
        | ("th", "scope") => Use::Keep,
        ("img" | "source", "srcset") | ("code", "class") | ("td" | "th", "style") => Use::Unsure,
        _ => Use::Drop,
    }
}

/// What a parser puts around rows that stand in a table as such, and cells that stand in no row.
const IMPLIED_ROWS: (&str, Kind) = ("tbody", Kind::ImpliedRows);
const IMPLIED_ROW: (&str, Kind) = ("tr", Kind::ImpliedRow);

struct Pass<'h> {
    page: &'h Url,
    rest: &'h str,
    out: String,
    open: Vec<(&'h str, Kind)>,
    /// The attributes of the tag at hand that were kept.
    kept: Vec<&'h str>,
}

impl<'h> Pass<'h> {
    fn take(&mut self, length: usize) -> &'h str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    fn text(&mut self) -> Option<()> {
        let end = memchr(b'<', self.rest.as_bytes()).unwrap_or(self.rest.len());
        let mut text = self.take(end);
        let is_misplaced = self.is_between_cells() && !text.bytes().all(|byte| byte.is_ascii_whitespace());
        if is_misplaced {
            return None;
        }
        while let Some(at) = memchr3(b'&', b'>', 0xc2, text.as_bytes()) {
            self.out.push_str(&text[..at]);
            text = &text[at..];
            let (c, length) = first_character(text)?;
            push_escaped(&mut self.out, c, false);
            text = &text[length..];
        }
        self.out.push_str(text);
        Some(())
    }

    /// Where only rows and cells may stand, and text would be moved out of the table.
    fn is_between_cells(&self) -> bool {
        let parent = self.open.last().map(|(_, kind)| *kind);
        matches!(parent, Some(Kind::Table | Kind::Rows | Kind::ImpliedRows | Kind::Row | Kind::ImpliedRow))
    }

    fn markup(&mut self) -> Option<()> {
        match self.rest.as_bytes() {
            [] => Some(()),
            [_, b'/', ..] => self.closing(),
            [_, b'!', ..] => self.comment(),
            [_, b'a'..=b'z', ..] => self.opening(),
            _ => None,
        }
    }

    fn closing(&mut self) -> Option<()> {
        let end = memchr(b'>', self.rest.as_bytes())?;
        let tag = self.take(end + 1);
        let name = &tag[2..end];
        self.close_implied(name);
        let (opened, _) = self.open.pop()?;
        self.out.push_str(tag);
        (name == opened).then_some(())
    }

    fn close_implied(&mut self, outer: &str) {
        while let Some((name, _)) =
            self.open.pop_if(|open| [IMPLIED_ROWS, IMPLIED_ROW].contains(open) && open.0 != outer)
        {
            self.out.extend(["</", name, ">"]);
        }
    }

    fn imply_rows(&mut self, kind: Kind) {
        let parent = |pass: &Self| pass.open.last().map(|(_, kind)| *kind);
        if matches!(kind, Kind::Row | Kind::Cell) && parent(self) == Some(Kind::Table) {
            self.open.push(IMPLIED_ROWS);
            self.out.push_str("<tbody>");
        }
        if kind == Kind::Cell && matches!(parent(self), Some(Kind::Rows | Kind::ImpliedRows)) {
            self.open.push(IMPLIED_ROW);
            self.out.push_str("<tr>");
        }
    }

    fn comment(&mut self) -> Option<()> {
        let inside = self.rest.strip_prefix("<!--")?;
        let end = memmem::find(inside.as_bytes(), b"--")?;
        let begins_oddly = inside[..end].starts_with(['>', '-']);
        self.rest = inside[end..].strip_prefix("-->").filter(|_| !begins_oddly)?;
        Some(())
    }

    fn opening(&mut self) -> Option<()> {
        let is_name = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let length = self.rest.as_bytes()[1..].iter().take_while(|byte| is_name(byte)).count();
        let tag = self.take(1 + length);
        let name = &tag[1..];
        let kind = kind(name)?;
        self.imply_rows(kind);
        if !self.may_stand(name, kind) {
            return None;
        }
        let start = self.out.len();
        self.out.push_str(tag);
        let is_self_closed = self.attributes(name)?;
        self.out.push('>');
        let is_void = matches!(kind, Kind::Void | Kind::Rule | Kind::Nothing);
        if is_self_closed && !is_void {
            return None;
        }
        // The first line break in `pre` is none.
        if name == "pre" && self.rest.starts_with('\n') {
            return None;
        }
        match kind {
            Kind::Hidden => {
                self.out.truncate(start);
                self.hidden(name)?;
            }
            Kind::Nothing => self.out.truncate(start),
            _ if is_void => {}
            _ => self.open.push((name, kind)),
        }
        (self.open.len() <= MAX_DEPTH).then_some(())
    }

    fn may_stand(&self, name: &str, kind: Kind) -> bool {
        let parent = self.open.last().map(|(name, kind)| (*name, *kind));
        let is_within = |name: &str| self.open.iter().any(|(open, _)| *open == name);
        let is_within_kind = |kind: Kind| self.open.iter().any(|(_, open)| *open == kind);
        match kind {
            Kind::Rows | Kind::Caption => return matches!(parent, Some((_, Kind::Table))),
            Kind::Row => return matches!(parent, Some((_, Kind::Rows | Kind::ImpliedRows))),
            Kind::Cell => return matches!(parent, Some((_, Kind::Row | Kind::ImpliedRow))),
            _ if self.is_between_cells() => return false,
            _ => {}
        }
        match kind {
            Kind::Phrase => name != "a" || !is_within("a"),
            Kind::Void | Kind::Hidden | Kind::Nothing => true,
            _ if is_within("p") => false,
            Kind::Heading => !is_within_kind(Kind::Heading),
            Kind::Item if name == "li" => matches!(parent, Some(("ul" | "ol", _))),
            Kind::Item => matches!(parent, Some(("dl", _))),
            _ => true,
        }
    }

    /// To the end of the tag, and whether it closes itself.
    fn attributes(&mut self, element: &str) -> Option<bool> {
        self.kept.clear();
        loop {
            let before = self.rest.len();
            self.rest = self.rest.trim_start_matches([' ', '\n', '\t']);
            match self.rest.as_bytes() {
                [b'>', ..] => {
                    self.take(1);
                    return Some(false);
                }
                [b'/', b'>', ..] => {
                    self.take(2);
                    return Some(true);
                }
                [b'a'..=b'z', ..] if self.rest.len() < before => self.attribute(element)?,
                _ => return None,
            }
        }
    }

    fn attribute(&mut self, element: &str) -> Option<()> {
        let is_name = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_:.".contains(byte);
        let length = self.rest.bytes().take_while(|byte| is_name(byte)).count();
        let name = self.take(length);
        let value = self.value()?;
        match attribute_use(element, name) {
            Use::Drop => Some(()),
            Use::Unsure => match (name, value) {
                ("style", "text-align: left") => self.keep(name, "text-align:left"),
                ("style", "text-align: right") => self.keep(name, "text-align:right"),
                ("style", "text-align: center") => self.keep(name, "text-align:center"),
                ("class", value) if value.starts_with("language-") => self.keep(name, &decoded(value)?),
                _ => None,
            },
            Use::Keep => self.keep(name, &decoded(value)?),
            Use::Address => {
                let value = decoded(value)?;
                match Url::parse(&value) {
                    Ok(url) if is_followed(&url) => self.keep(name, &value),
                    Err(ParseError::RelativeUrlWithoutBase) => self.keep(name, &absolute(self.page, &value)?),
                    _ => Some(()),
                }
            }
        }
    }

    fn value(&mut self) -> Option<&'h str> {
        let Some(given) = self.rest.strip_prefix('=') else { return Some("") };
        let given = given.trim_start_matches([' ', '\n', '\t']);
        let quote = *given.as_bytes().first()?;
        let inside = &given[usize::from(matches!(quote, b'"' | b'\''))..];
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.%#:".contains(byte);
        let (value, rest) = match quote {
            b'"' | b'\'' => {
                let end = memchr(quote, inside.as_bytes())?;
                (&inside[..end], &inside[end + 1..])
            }
            _ if !is_plain(&quote) => return None,
            _ => inside.split_at(inside.bytes().take_while(|byte| is_plain(byte)).count()),
        };
        self.rest = rest;
        (rest.starts_with([' ', '\n', '\t', '>']) || rest.starts_with("/>") && quote == b'"').then_some(value)
    }

    fn keep(&mut self, name: &'h str, value: &str) -> Option<()> {
        if value.len() > ATTRIBUTE || self.kept.contains(&name) {
            return None;
        }
        self.kept.push(name);
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        value.chars().for_each(|c| push_escaped(&mut self.out, c, true));
        self.out.push('"');
        Some(())
    }

    /// Its content is no markup, and ends at its own closing tag only.
    fn hidden(&mut self, name: &str) -> Option<()> {
        let content = self.rest;
        let ends = memmem::find_iter(content.as_bytes(), b"</");
        let is_end = |end: &usize| {
            let tag = content.as_bytes().get(end + 2..end + 2 + name.len());
            tag.is_some_and(|tag| tag.eq_ignore_ascii_case(name.as_bytes()))
        };
        let end = { ends }.find(is_end)?;
        self.rest = content[end + 2..].strip_prefix(name)?.strip_prefix('>')?;
        (!content[..end].contains("<!--")).then_some(())
    }
}

/// The first character as it is meant, and how many bytes it takes.
fn first_character(text: &str) -> Option<(char, usize)> {
    let c = text.chars().next()?;
    if c != '&' {
        return Some((c, c.len_utf8()));
    }
    let apostrophe = || ["&#39;", "&#x27;"].iter().find(|name| text.starts_with(**name)).map(|name| ('\'', name.len()));
    let may_begin_another = text[1..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '#');
    reference(text).or_else(apostrophe).or_else(|| (!may_begin_another).then_some((c, 1)))
}

fn decoded(value: &str) -> Option<Cow<'_, str>> {
    if !value.contains('&') {
        return Some(value.into());
    }
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while !rest.is_empty() {
        let (c, length) = if begins_parameter(rest) { ('&', 1) } else { first_character(rest)? };
        out.push(c);
        rest = &rest[length..];
    }
    Some(out.into())
}

/// `&size=`, which never is a character's name in an attribute.
fn begins_parameter(text: &str) -> bool {
    let name = text.strip_prefix('&').map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric()));
    name.is_some_and(|after| after.starts_with('=') && !text.starts_with("&="))
}

/// As the sanitiser writes it.
fn push_escaped(out: &mut String, c: char, is_quoted: bool) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '\u{a0}' => out.push_str("&nbsp;"),
        '"' if is_quoted => out.push_str("&quot;"),
        c => out.push(c),
    }
}

#[cfg(test)]
mod tests;
