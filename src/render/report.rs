//! The progress report as Markdown, HTML or plain text. Knows the finished report, not how it was counted.

use std::fmt::Write as _;

use super::goal::{escape_markdown, periods_table};
use super::xml::escape;
use crate::domain::report::{Report, ReportPost};
use crate::domain::wording;

#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut out = format!("{}\n", escape_markdown(&report.sentence));
    list(&mut out, &report.posts, "## Published", markdown_entry);
    list(&mut out, &report.drafts, "## In draft", |post| escape_markdown(&format!("{}{}", post.title, with(post))));
    if !report.periods.is_empty() {
        let per = report.per.as_str();
        let _ = write!(out, "\n## {} by {per}\n\n{}", wording::capitalised(per), periods_table(&report.periods));
    }
    out
}

fn list(out: &mut String, posts: &[ReportPost], heading: &str, entry: impl Fn(&ReportPost) -> String) {
    if posts.is_empty() {
        return;
    }
    let _ = write!(out, "\n{heading}\n\n");
    for (index, post) in posts.iter().enumerate() {
        let _ = writeln!(out, "{}. {}", index + 1, entry(post));
    }
}

fn markdown_entry(post: &ReportPost) -> String {
    // Angle brackets let an address hold parentheses; its own cannot be in it.
    let url: String = post.url.chars().filter(|c| !matches!(c, '<' | '>' | '\\') && !c.is_control()).collect();
    let day = post.date.map(|day| format!(", {}", wording::day(day))).unwrap_or_default();
    format!("[{}](<{url}>){day}{}", escape_markdown(&post.title), escape_markdown(&with(post)))
}

/// `, with Nicholas Sofroniew`.
fn with(post: &ReportPost) -> String {
    if post.coauthors.is_empty() { String::new() } else { format!(", with {}", wording::list(&post.coauthors)) }
}

#[must_use]
pub fn text(report: &Report) -> String {
    let mut out = format!("{}\n", wrap(&report.sentence, 72, ""));
    list(&mut out, &report.posts, "Published", |post| {
        let day = post.date.map(|day| format!(", {}", wording::day(day))).unwrap_or_default();
        format!("{}\n   {}", wrap(&format!("{}{day}{}", post.title, with(post)), 69, "   "), post.url)
    });
    list(&mut out, &report.drafts, "In draft", |post| wrap(&format!("{}{}", post.title, with(post)), 69, "   "));
    if !report.periods.is_empty() {
        out.push('\n');
    }
    for period in &report.periods {
        let posts = wording::digits(period.published, "post");
        let _ = writeln!(out, "{:<8}  {posts:<9} {}", period.period.to_string(), period.state.as_str());
    }
    out
}

/// Broken at spaces so that no line is longer than `width`, unless one word is; lines but the first begin with `indent`.
#[must_use]
pub fn wrap(text: &str, width: usize, indent: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut used = 0;
    // French keeps its marks at the word before them.
    let breaks = |c: char| c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{202f}');
    for word in text.split(breaks).filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            out.push('\n');
            out.push_str(indent);
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    out
}

/// A fragment to paste into a page: paragraphs, lists and a table with headers.
#[must_use]
pub fn html(report: &Report) -> String {
    let mut out = format!("<p>{}</p>\n", escape(&report.sentence));
    html_list(&mut out, "Published", &report.posts, true);
    html_list(&mut out, "In draft", &report.drafts, false);
    if !report.periods.is_empty() {
        html_table(&mut out, report);
    }
    out
}

fn html_list(out: &mut String, heading: &str, posts: &[ReportPost], linked: bool) {
    if posts.is_empty() {
        return;
    }
    let _ = writeln!(out, "<h2>{heading}</h2>\n<ol>");
    for post in posts {
        let title = escape(&post.title);
        let title = if linked { format!("<a href=\"{}\">{title}</a>", escape(&web_address(&post.url))) } else { title };
        let day =
            post.date.filter(|_| linked).map(|day| format!(", <time datetime=\"{day}\">{}</time>", wording::day(day)));
        let _ = writeln!(out, "<li>{title}{}{}</li>", day.unwrap_or_default(), escape(&with(post)));
    }
    out.push_str("</ol>\n");
}

/// Only addresses a browser may open without harm.
fn web_address(url: &str) -> String {
    let lower = url.trim_start().to_ascii_lowercase();
    if lower.starts_with("https:") || lower.starts_with("http:") { url.to_owned() } else { String::new() }
}

fn html_table(out: &mut String, report: &Report) {
    let per = report.per.as_str();
    let _ = writeln!(out, "<h2>{} by {per}</h2>\n<table>", wording::capitalised(per));
    let _ = writeln!(
        out,
        "<thead><tr><th scope=\"col\">{}</th><th scope=\"col\">Posts</th><th scope=\"col\">Goal</th>\
         <th scope=\"col\">State</th></tr></thead>\n<tbody>",
        wording::capitalised(per)
    );
    for period in &report.periods {
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(&wording::capitalised(&wording::period(period.period))),
            period.published,
            period.goal,
            period.state.as_str()
        );
    }
    out.push_str("</tbody>\n</table>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::report::tests::mission;

    #[test]
    fn the_report_reads_well_in_each_form() {
        let report = mission(9, 2, Some("Genevieve Buckley"));
        insta::assert_snapshot!("report_markdown", markdown(&report));
        insta::assert_snapshot!("report_text", text(&report));
        insta::assert_snapshot!("report_html", html(&report));
    }

    #[test]
    fn an_empty_report_is_one_sentence_and_the_months() {
        let report = mission(0, 0, None);
        assert!(!markdown(&report).contains("Published") && !html(&report).contains("<ol>"));
    }

    #[test]
    fn lines_are_broken_at_spaces() {
        assert_eq!(wrap("one two three", 7, "  "), "one two\n  three");
        assert_eq!(wrap("deux\u{a0}: a", 5, ""), "deux\u{a0}:\na");
        assert_eq!(wrap("supercalifragilistic a", 5, ""), "supercalifragilistic\na");
    }
}
