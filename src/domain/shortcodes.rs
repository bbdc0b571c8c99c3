//! Hugo's and Zola's shortcodes, as far as a feed can show them: figures, code, links and videos become HTML or
//! Markdown, what encloses text leaves the text, everything else is left out and reported. Knows no templates.

use std::borrow::Cow;
use std::collections::HashMap;

use super::dialect::Dialect;

/// A name that is not understood, and where it stands in the text (line and column from 1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unknown {
    pub kind: &'static str,
    pub name: String,
    pub line: usize,
    pub column: usize,
}

/// Looks up the address of another post by its path or name.
pub type Links<'a> = &'a dyn Fn(&str) -> Option<String>;

#[must_use]
pub fn expand<'a>(dialect: Dialect, text: &'a str, links: Links<'_>) -> (Cow<'a, str>, Vec<Unknown>) {
    let marks: &[(&str, &str)] = match dialect {
        Dialect::Hugo => &[("{{<", ">}}"), ("{{%", "%}}")],
        Dialect::Zola => &[("{{", "}}"), ("{%", "%}")],
        Dialect::Jekyll => return (text.into(), Vec::new()),
    };
    if !marks.iter().any(|(open, _)| text.contains(open)) {
        return (text.into(), Vec::new());
    }
    let mut expander = Expander {
        dialect,
        text,
        links,
        out: String::with_capacity(text.len()),
        unknown: Vec::new(),
        open: Vec::new(),
        closings: closings(text),
        place: (0, 1, 1),
    };
    expander.run(marks);
    (expander.out.into(), expander.unknown)
}

struct Expander<'a, 'l> {
    dialect: Dialect,
    text: &'a str,
    links: Links<'l>,
    out: String,
    unknown: Vec<Unknown>,
    /// What has to be written when each enclosing shortcode ends.
    open: Vec<&'static str>,
    /// Where Hugo's closing shortcodes stand last, by name.
    closings: HashMap<&'a str, usize>,
    /// How far lines and columns have been counted: offset, line, column.
    place: (usize, usize, usize),
}

impl<'a> Expander<'a, '_> {
    fn run(&mut self, marks: &[(&str, &str)]) {
        let mut at = 0;
        let mut next: Vec<Option<usize>> = marks.iter().map(|(open, _)| self.text.find(open)).collect();
        while let Some((start, open, close)) = self.next_mark(at, marks, &mut next) {
            let inside = start + open.len();
            let Some(length) = self.text[inside..].find(close) else { break };
            self.out.push_str(&self.text[at..start]);
            let end = inside + length + close.len();
            let call = self.text[inside..inside + length].trim();
            let taken = match call.strip_prefix("/*").and_then(|c| c.strip_suffix("*/")) {
                Some(escaped) => {
                    self.out.push_str(&format!("{open}{escaped}{close}"));
                    true
                }
                None => self.call(call, start),
            };
            if !taken {
                self.out.push_str(&self.text[start..end]);
            }
            at = end;
            if taken && self.open.last() == Some(&"\n```\n") {
                at = self.verbatim(at);
            }
        }
        self.out.push_str(&self.text[at..]);
    }

    /// One shortcode; false if it is none and stays as text.
    fn call(&mut self, call: &'a str, start: usize) -> bool {
        let closing = match self.dialect {
            Dialect::Zola => call == "end",
            _ => call.starts_with('/'),
        };
        if closing {
            let last = self.open.pop().unwrap_or_default();
            self.out.push_str(last);
            return true;
        }
        let (name, arguments) = match self.dialect {
            Dialect::Zola => match call.split_once('(') {
                Some((name, rest)) if is_name(name.trim()) => (name.trim(), rest.trim_end_matches(')')),
                _ => return false,
            },
            _ => call
                .trim_end_matches('/')
                .trim_end()
                .split_once(char::is_whitespace)
                .unwrap_or((call.trim_end_matches('/'), "")),
        };
        let arguments = Arguments::read(arguments);
        let encloses = self.encloses(call, name, start);
        self.write(name, &arguments, start, encloses);
        true
    }

    fn encloses(&self, call: &str, name: &str, start: usize) -> bool {
        match self.dialect {
            Dialect::Zola => self.text[start..].starts_with("{%"),
            _ if call.ends_with('/') => false,
            _ => self.closings.get(name).is_some_and(|last| *last > start),
        }
    }

    /// The next mark at or after `from`; `next` remembers where each kind stands, so that no text is searched twice.
    fn next_mark<'m>(
        &self,
        from: usize,
        marks: &[(&'m str, &'m str)],
        next: &mut [Option<usize>],
    ) -> Option<(usize, &'m str, &'m str)> {
        for ((open, _), known) in marks.iter().zip(next.iter_mut()) {
            if known.is_some_and(|at| at < from) {
                *known = self.text[from..].find(open).map(|at| from + at);
            }
        }
        let places = marks.iter().zip(next.iter()).filter_map(|((open, close), at)| Some(((*at)?, *open, *close)));
        places.min_by_key(|mark| mark.0)
    }

    fn write(&mut self, name: &str, arguments: &Arguments, start: usize, encloses: bool) {
        let mut closing = "";
        match name {
            "figure" | "image" | "img" | "imgproc" => self.out.push_str(&figure(arguments)),
            "highlight" => {
                self.out.push_str(&format!("\n```{}\n", arguments.get("lang", 0)));
                closing = "\n```\n";
            }
            "details" => {
                self.out.push_str(&format!("<details><summary>{}</summary>\n\n", escape(&arguments.get("summary", 0))));
                closing = "\n\n</details>";
            }
            "ref" | "relref" => self.out.push_str(&self.reference(&arguments.get("path", 0))),
            "youtube" => self.link("https://www.youtube.com/watch?v=", &arguments.get("id", 0)),
            "vimeo" => self.link("https://vimeo.com/", &arguments.get("id", 0)),
            "gist" => {
                let id = [arguments.get("user", 0), arguments.get("id", 1)].join("/");
                let url = arguments.get("url", 9);
                if url.is_empty() {
                    self.link("https://gist.github.com/", id.trim_end_matches('/'));
                } else {
                    self.link("", &url);
                }
            }
            _ => self.report(name, start),
        }
        if encloses {
            self.open.push(closing);
        } else {
            self.out.push_str(closing);
        }
    }

    /// Code is copied as it is up to its closing tag.
    fn verbatim(&mut self, at: usize) -> usize {
        let rest = &self.text[at..];
        let closes = |tag: &str| ["{{< /", "{{</", "{{% /", "{{%/", "{% end"].iter().any(|c| tag.starts_with(c));
        let mut braces = rest.match_indices('{').map(|(at, _)| at);
        let close = braces.find(|at| closes(&rest[*at..])).unwrap_or(rest.len());
        self.out.push_str(rest[..close].trim_matches('\n'));
        at + close
    }

    fn reference(&self, path: &str) -> String {
        let (path, fragment) = path.split_once('#').map_or((path, String::new()), |(p, f)| (p, format!("#{f}")));
        (self.links)(path).map_or(fragment.clone(), |url| url + &fragment)
    }

    fn link(&mut self, prefix: &str, id: &str) {
        if !id.is_empty() {
            let url = escape(&format!("{prefix}{id}"));
            self.out.push_str(&format!("<a href=\"{url}\">{url}</a>"));
        }
    }

    fn report(&mut self, name: &str, start: usize) {
        let (before, mut line, mut column) = self.place;
        for c in self.text[before..start].chars() {
            (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        self.place = (start, line, column);
        self.unknown.push(Unknown { kind: "shortcode", name: super::plain::shortened(name, 60), line, column });
    }
}

/// `{{< /name >}}` and `{{% /name %}}`: where the last of each name stands.
fn closings(text: &str) -> HashMap<&str, usize> {
    let closing = |at: usize| {
        let tag = text[at + 2..].trim_start_matches(['<', '%']).trim_start().strip_prefix('/')?;
        let end = tag.find(['>', '%', '{', '\n'])?;
        Some((tag[..end].trim(), at))
    };
    text.match_indices("{{").filter_map(|(at, _)| closing(at)).collect()
}

fn is_name(text: &str) -> bool {
    let name = text.rsplit("::").next().unwrap_or(text);
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-' || c == '/')
}

fn figure(arguments: &Arguments) -> String {
    let source = arguments.get("src", 0);
    if source.is_empty() {
        return String::new();
    }
    let caption =
        [arguments.named("caption"), arguments.named("title")].into_iter().find(|c| !c.is_empty()).unwrap_or_default();
    let alt = Some(arguments.named("alt")).filter(|a| !a.is_empty()).unwrap_or_else(|| caption.clone());
    let image = format!("<img src=\"{}\" alt=\"{}\">", escape(&source), escape(&alt));
    let link = arguments.named("link");
    let image = if link.is_empty() { image } else { format!("<a href=\"{}\">{image}</a>", escape(&link)) };
    let caption =
        if caption.is_empty() { String::new() } else { format!("<figcaption>{}</figcaption>", escape(&caption)) };
    format!("\n<figure>{image}{caption}</figure>\n")
}

/// Escapes text for HTML, attributes included.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// `key="value" "positional" key=value`, with or without commas.
struct Arguments(Vec<(String, String)>);

impl Arguments {
    fn read(text: &str) -> Self {
        let mut found = Vec::new();
        let mut rest = text.trim_start_matches([',', ' ', '\t', '\n', '\r']);
        while !rest.is_empty() {
            let name_end = rest
                .find(|c: char| c == '=' || c.is_whitespace() || c == '"' || c == '`' || c == '\'' || c == ',')
                .unwrap_or(rest.len());
            let mut name = "";
            if name_end > 0 && rest[name_end..].trim_start().starts_with('=') {
                name = rest[..name_end].trim();
                rest = rest[name_end..].trim_start()[1..].trim_start();
            }
            let (value, used) = quoted(rest);
            found.push((name.to_owned(), value.to_owned()));
            rest = rest[used..].trim_start_matches([',', ' ', '\t', '\n', '\r']);
        }
        Self(found)
    }

    fn named(&self, name: &str) -> String {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()).unwrap_or_default()
    }

    fn get(&self, name: &str, position: usize) -> String {
        let positional = || self.0.iter().filter(|(n, _)| n.is_empty()).nth(position).map(|(_, v)| v.clone());
        Some(self.named(name)).filter(|v| !v.is_empty()).or_else(positional).unwrap_or_default()
    }
}

/// The value `text` begins with, and how many bytes it takes; at least one, so that reading always goes on.
fn quoted(text: &str) -> (&str, usize) {
    let Some(first) = text.chars().next() else { return ("", 0) };
    if matches!(first, '"' | '\'' | '`') {
        let inner = &text[1..];
        return inner.find(first).map_or((inner, text.len()), |end| (&inner[..end], end + 2));
    }
    let end = text.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(text.len());
    (&text[..end], end.max(first.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(dialect: Dialect, text: &str) -> (String, Vec<String>) {
        let links = |path: &str| (path == "other.md").then(|| "https://a.example/other/".to_owned());
        let (out, unknown) = expand(dialect, text, &links);
        (out.into_owned(), unknown.into_iter().map(|u| format!("{}:{}:{}", u.name, u.line, u.column)).collect())
    }

    #[test]
    fn hugo_shortcodes_become_what_a_feed_can_show() {
        for (text, want) in [
            ("a {{< ref \"other.md#x\" >}} b", "a https://a.example/other/#x b"),
            ("{{< figure src=\"a.png\" alt=\"A\" >}}", "\n<figure><img src=\"a.png\" alt=\"A\"></figure>\n"),
            (
                "{{< figure src=a.png caption=\"x \\ <y>\" />}}",
                "\n<figure><img src=\"a.png\" alt=\"x \\ &lt;y&gt;\"><figcaption>x \\ &lt;y&gt;</figcaption></figure>\n",
            ),
            ("{{< highlight go >}}\nx := \"{{ y }}\"\n{{< /highlight >}}", "\n```go\nx := \"{{ y }}\"\n```\n"),
            ("{{</* figure x */>}}", "{{< figure x >}}"),
            (
                "{{< youtube abc >}}",
                "<a href=\"https://www.youtube.com/watch?v=abc\">https://www.youtube.com/watch?v=abc</a>",
            ),
            ("{{< never closed", "{{< never closed"),
            ("no {{ template }}", "no {{ template }}"),
        ] {
            assert_eq!(expanded(Dialect::Hugo, text), (want.to_owned(), vec![]), "{text}");
        }
    }

    #[test]
    fn unknown_ones_leave_their_text_and_are_reported() {
        let (out, unknown) = expanded(Dialect::Hugo, "x\n {{% note \"a\" %}}keep{{% /note %}} {{< ad >}}.");
        assert_eq!((out.as_str(), unknown), ("x\n keep .", vec!["note:2:2".to_owned(), "ad:2:36".to_owned()]));
        let (out, unknown) = expanded(Dialect::Zola, "{% quote(by=\"x\") %}keep{% end %} {{ ad(id=1) }} {{ 1 + 1 }}");
        assert_eq!((out.as_str(), unknown.len()), ("keep  {{ 1 + 1 }}", 2));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(\\{\\{<|>\\}\\}|\\{%|%\\}|\\{\\{|\\}\\}|/|highlight|figure|src=|\"|=|,| |\\PC){0,30}") {
            for dialect in [Dialect::Hugo, Dialect::Zola] {
                let _ = expanded(dialect, &text);
            }
        }
    }
}
