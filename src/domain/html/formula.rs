//! Formulas as text. Few feed readers and no mail program show MathML, and its elements are a known way past sanitisers: so
//! a formula becomes what its author wrote in TeX, or else what it says, in one line. What comes out is cleaned as all else is.

use std::borrow::Cow;

use super::{Token, attribute, tag_end, tokens};

const END: &str = "</math>";
/// Deeper nesting adds nothing that a line could show.
const MAX_DEPTH: usize = 50;

/// The same HTML without MathML.
pub fn to_text(html: &str) -> Cow<'_, str> {
    if !html.contains("<math") {
        return html.into();
    }
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    let mut has_twins = true;
    while let Some(start) = begin(rest) {
        let Some(length) = rest[start..].find(END) else { break };
        out.push_str(&rest[..start]);
        out.push_str(&text(&rest[start..start + length]));
        rest = &rest[start + length + END.len()..];
        // KaTeX says each formula twice, the second time in pieces for the eye.
        let twin =
            rest.strip_prefix("</span>").filter(|twin| has_twins && twin.starts_with("<span class=\"katex-html\""));
        let after = twin.map(after_span);
        has_twins &= after != Some(None);
        if let Some(Some(after)) = after {
            out.push_str("</span>");
            rest = after;
        }
    }
    out.push_str(rest);
    out.into()
}

fn begin(html: &str) -> Option<usize> {
    let ends_name = |at: usize| html[at + "<math".len()..].starts_with(|c: char| c == '>' || c.is_whitespace());
    html.match_indices("<math").map(|(at, _)| at).find(|at| ends_name(*at))
}

/// What follows after the `span` at the beginning, if it ends.
fn after_span(html: &str) -> Option<&str> {
    let mut open = 0_usize;
    for (at, _) in html.match_indices('<') {
        if html[at..].starts_with("<span") {
            open += 1;
        } else if let Some(after) = html[at..].strip_prefix("</span>") {
            open -= 1;
            if open == 0 {
                return Some(after);
            }
        }
    }
    None
}

/// Of `<math …>…`, as HTML.
fn text(formula: &str) -> String {
    let (tag, inside) = formula.split_at(1 + tag_end(&formula[1..]));
    let alternative = attribute(tag, "alttext").filter(|text| !text.trim().is_empty());
    let tex = tex(inside).or_else(|| alternative.filter(|text| text.contains('\\')));
    match (tex, alternative) {
        (Some(tex), _) => format!("<code>{}</code>", without_tags(tex)),
        (None, Some(text)) => without_tags(text),
        (None, None) => in_line(inside),
    }
}

/// What the formula was made from.
fn tex(inside: &str) -> Option<&str> {
    let (_, annotation) = inside.split_once("<annotation encoding=\"application/x-tex\">")?;
    annotation.split_once("</annotation>").map(|(tex, _)| tex.trim()).filter(|tex| !tex.is_empty())
}

fn without_tags(text: &str) -> String {
    text.trim().replace('<', "&lt;")
}

fn in_line(inside: &str) -> String {
    let mut line = Line::default();
    let mut deeper = 0_usize;
    // The tag's own end is left of it.
    for token in tokens(inside.strip_prefix('>').unwrap_or(inside)) {
        match token {
            Token::Text(text) => line.text(text),
            Token::Open("mspace") => line.push(" ".to_owned()),
            Token::Open("" | "none" | "mprescripts") | Token::Close("" | "mspace" | "none" | "mprescripts") => {}
            Token::Open(_) if line.open.len() == MAX_DEPTH => deeper += 1,
            Token::Open(name) => line.open.push((name, Vec::new())),
            Token::Close(_) if deeper > 0 => deeper -= 1,
            Token::Close(_) => line.close(),
        }
    }
    while !line.open.is_empty() {
        line.close();
    }
    line.parts.concat()
}

/// A formula as far as it has been read.
#[derive(Default)]
struct Line<'h> {
    parts: Vec<String>,
    /// Elements that have not ended, with their own parts.
    open: Vec<(&'h str, Vec<String>)>,
}

impl Line<'_> {
    fn push(&mut self, part: String) {
        self.open.last_mut().map_or(&mut self.parts, |(_, parts)| parts).push(part);
    }

    fn text(&mut self, text: &str) {
        let is_prose = self.open.last().is_some_and(|(name, _)| *name == "mtext");
        let text = if is_prose { text.replace(char::is_whitespace, " ") } else { text.trim().to_owned() };
        if !text.is_empty() {
            self.push(text);
        }
    }

    fn close(&mut self) {
        if let Some((name, parts)) = self.open.pop() {
            self.push(joined(name, &parts));
        }
    }
}

fn joined(name: &str, parts: &[String]) -> String {
    match (name, parts) {
        ("msup" | "mover", [base, above]) => format!("{}^{}", one(base), one(above)),
        ("msub" | "munder", [base, below]) => format!("{}_{}", one(base), one(below)),
        ("msubsup" | "munderover", [base, below, above]) => format!("{}_{}^{}", one(base), one(below), one(above)),
        ("mfrac", [above, below]) => format!("{}/{}", one(above), one(below)),
        ("mroot", [base, root]) => format!("{}^(1/{})", one(base), one(root)),
        ("msqrt", parts) => format!("√{}", one(&parts.concat())),
        ("mtr", cells) => cells.join(", "),
        ("mtable", rows) => rows.join("; "),
        ("annotation", _) => String::new(),
        (_, parts) => parts.concat(),
    }
}

/// What is more than a number, a word or a sign is put in brackets.
fn one(part: &str) -> String {
    let is_sign = part.starts_with('&') && part.find(';') == Some(part.len() - 1);
    let is_one = is_sign || part.chars().count() == 1 || part.chars().all(char::is_alphanumeric);
    if is_one { part.to_owned() } else { format!("({part})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_what_its_author_wrote_or_what_it_says() {
        for (html, text) in [
            ("a <mathjax>b</mathjax> <math>", "a <mathjax>b</mathjax> <math>"),
            (
                "Let <math xmlns=\"m\"><mi>E</mi><mo>=</mo><mi>m</mi>\n<msup><mi>c</mi><mn>2</mn></msup></math> be.",
                "Let E=mc^2 be.",
            ),
            ("<math><mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></mfrac></math>", "(a+b)/2"),
            (
                "<math><msqrt><mi>x</mi></msqrt><mspace width='1em'/><mroot><mi>&alpha;</mi><mn>3</mn></mroot></math>",
                "√x &alpha;^(1/3)",
            ),
            ("<math><munderover><mo>&sum;</mo><mi>i</mi><mn>10</mn></munderover><mi>i</mi></math>", "&sum;_i^10i"),
            (
                "<math><mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr><mtr><mtd><mn>3</mn></mtd></mtr></mtable></math>",
                "1, 2; 3",
            ),
            ("<math><mi>x</mi><mtext> if </mtext><mi>y</mi></math>", "x if y"),
            ("<math alttext=\"x over y\"><mfrac><mi>x</mi><mi>y</mi></mfrac></math>", "x over y"),
            ("<math alttext=\"\\alpha < 1\"><mi>x</mi></math>", "<code>\\alpha &lt; 1</code>"),
            ("<math><mi>x</math>y</math>", "xy</math>"),
        ] {
            assert_eq!(to_text(html), text, "{html}");
        }
    }

    #[test]
    fn what_katex_says_twice_is_said_once() {
        let mathml = "<math><semantics><mi>x</mi><annotation encoding=\"application/x-tex\">x &lt; y</annotation></semantics></math>";
        let eye = "<span class=\"katex-html\" aria-hidden=\"true\"><span class=\"mord\">x</span></span>";
        let katex = format!("<span class=\"katex\"><span class=\"katex-mathml\">{mathml}</span>{eye}</span>.");
        let once = "<span class=\"katex\"><span class=\"katex-mathml\"><code>x &lt; y</code></span></span>.";
        assert_eq!(to_text(&katex), once);
        assert_eq!(to_text(eye), eye, "alone it is all there is");
        let open = format!("{mathml}</span><span class=\"katex-html\"><span>").repeat(2_000);
        assert_eq!(to_text(&open).matches("katex-html").count(), 2_000);
    }

    #[test]
    fn deep_nesting_costs_neither_the_stack_nor_the_day() {
        let deep = format!("<math>{}x{}</math>", "<msqrt>".repeat(100_000), "</msqrt>".repeat(100_000));
        assert!(to_text(&deep).contains('x'));
        assert_eq!(to_text(&format!("<math>{}x</math>y", "<mi>".repeat(100_000))), "xy");
    }
}
