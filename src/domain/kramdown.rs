//! What kramdown understands and `CommonMark` does not: attribute lists `{: ...}`, extensions `{::...}`, table-of-contents
//! markers and abbreviations. They have no place in a feed and are taken out, code aside.

use std::borrow::Cow;

/// Takes out what stands on lines of its own; line numbers stay as they are.
#[must_use]
pub fn strip_blocks(text: &str) -> Cow<'_, str> {
    if !text.contains("{:") && !text.contains("*[") {
        return text.into();
    }
    let mut lines: Vec<&str> = Vec::new();
    let mut fence: Option<&str> = None;
    let mut in_comment = false;
    for line in text.split('\n') {
        let trimmed = line.trim();
        let code = line.starts_with("    ") || line.starts_with('\t');
        if let Some(mark) = fence {
            if trimmed.starts_with(mark) && trimmed.chars().all(|c| mark.starts_with(c)) {
                fence = None;
            }
        } else if let Some(mark) = fence_mark(trimmed).filter(|_| !code) {
            fence = Some(mark);
        } else if trimmed.starts_with("{::comment}") {
            in_comment = !trimmed.ends_with("{:/comment}") && !trimmed.ends_with("{:/}");
            lines.push("");
            continue;
        } else if in_comment {
            in_comment = !(trimmed.ends_with("{:/comment}") || trimmed.ends_with("{:/}"));
            lines.push("");
            continue;
        } else if !code && is_attribute_line(trimmed) {
            drop_toc_item(trimmed, &mut lines);
            lines.push("");
            continue;
        } else if !code && is_abbreviation(trimmed) {
            lines.push("");
            continue;
        }
        lines.push(line);
    }
    lines.join("\n").into()
}

fn fence_mark(trimmed: &str) -> Option<&'static str> {
    [("```", "```"), ("~~~", "~~~")].iter().find(|(start, _)| trimmed.starts_with(start)).map(|(_, mark)| *mark)
}

fn is_attribute_line(trimmed: &str) -> bool {
    trimmed.starts_with("{:") && trimmed.ends_with('}') && trimmed.find('}') == Some(trimmed.len() - 1)
}

fn is_abbreviation(trimmed: &str) -> bool {
    trimmed.starts_with("*[") && trimmed.find("]:").is_some_and(|at| at > 2)
}

/// `* TOC` above `{:toc}` is a placeholder, not a list.
fn drop_toc_item(attributes: &str, lines: &mut [&str]) {
    let toc = attributes.trim_matches(['{', '}', ':']).split_whitespace().any(|word| word == "toc");
    if let (true, Some(last)) = (toc, lines.last_mut())
        && last.trim_start().starts_with(['*', '-', '+', '1'])
    {
        *last = "";
    }
}

/// Takes out the attribute lists that stand inside a line of text: `*word*{: .big}`.
#[must_use]
pub fn strip_spans(text: &str) -> Cow<'_, str> {
    // Asked of every word or two; one byte is looked for faster.
    if memchr::memchr(b'{', text.as_bytes()).is_none() || !text.contains("{:") {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{:") {
        let Some(end) = rest[start..].find('}').map(|e| start + e) else { break };
        out.push_str(&rest[..start]);
        // `{:x}` in running text is an attribute list only if it looks like one.
        let inside = rest[start + 2..end].trim_start_matches(':').trim();
        let attributes =
            inside.is_empty() || inside.starts_with(['.', '#', '/']) || inside.contains('=') || is_name(inside);
        if !attributes {
            out.push_str(&rest[start..=end]);
        }
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    out.into()
}

fn is_name(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == ' ' || c == '/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_attributes_go_and_lines_stay_counted() {
        for (text, want) in [
            ("# A\n{: .x #y}\ntext", "# A\n\ntext"),
            ("* TOC\n{:toc}\n\n# A", "\n\n\n# A"),
            ("1. x\n{:toc .y}\n", "\n\n"),
            ("{::comment}\nsecret\n{:/comment}\nx", "\n\n\nx"),
            ("{::options parse_block_html=\"true\" /}\nx", "\nx"),
            ("*[HTML]: Hyper Text\nx", "\nx"),
            ("```\n{: .code}\n```\n", "```\n{: .code}\n```\n"),
            ("    {: .code}\n", "    {: .code}\n"),
            ("plain", "plain"),
        ] {
            assert_eq!(strip_blocks(text), want, "{text}");
        }
    }

    #[test]
    fn span_attributes_go_and_other_braces_stay() {
        assert_eq!(strip_spans("a{: .b} c{:target=\"_blank\"}"), "a c");
        assert_eq!(strip_spans("dict {: 3, 4} {:"), "dict {: 3, 4} {:");
    }
}
