//! What is wrong with a feed, and what to do about it: the rules of RSS 2.0 and its profile, RFC 4287, RFC 5005, JSON Feed 1.1,
//! and what readers stumble over besides. Looks at one document and, where it came over HTTP, at what was said of it. Knows no
//! network and no clock, and mends nothing.

use std::collections::HashMap;

use jiff::Timestamp;
use url::Url;

use super::feed_document::encoding::Decoded;
use super::feed_document::lines::Lines;
use super::feed_document::{Family, Kind, MOST_ENTRIES, Stop, Unreadable, decode, family, json, kind, tree};
use super::problem::Problem;

mod addresses;
mod atom;
mod content;
mod dates;
mod entries;
mod extensions;
pub mod http;
mod json_feed;
mod rss;
mod rss_channel;
#[cfg(test)]
mod tests;
mod xml;

/// JSON Feed's own advice, good for all: what is fine, and what burdens readers.
const FINE: usize = 250_000;
const BURDEN: usize = 1_000_000;
/// Of one kind are shown.
const MOST_OF_A_KIND: usize = 20;

/// What was found, and how many entries there are.
#[derive(Debug, Default)]
pub struct Verdict {
    pub problems: Vec<Problem>,
    pub entries: usize,
    /// By its XML declaration or its bytes; for what HTTP says of it.
    pub encoding: Option<&'static str>,
    pub format: Option<super::feed_format::Format>,
    /// Not a feed at all: nothing was looked at.
    pub no_feed: bool,
}

/// Checks a document; `path` is what the problems call it, `from` where it came from.
#[must_use]
pub fn check(path: &str, bytes: &[u8], from: Option<&Url>, now: Timestamp) -> Verdict {
    let decoded = match decode(bytes) {
        Ok(decoded) => decoded,
        Err(unreadable) => return refused(path, &unreadable),
    };
    let mut findings = Findings::new(path, &decoded.text, from, now);
    let mut verdict = Verdict { encoding: Some(decoded.encoding.name()), ..Verdict::default() };
    sizes(&mut findings, bytes.len());
    encoding(&mut findings, &decoded);
    match whole(&mut findings) {
        Ok((format, entries)) => (verdict.format, verdict.entries) = (Some(format), entries),
        Err(Ended::Stop(stop)) => findings.error(
            stop.at,
            "syntax",
            format!("nothing can be read from here on: {}", stop.message),
            "readers show nothing of a feed that cannot be read: have it written by something that writes XML or JSON, not by a text template",
        ),
        Err(Ended::Unreadable(unreadable)) => {
            verdict.no_feed = true;
            findings.problems.extend(refused(path, &unreadable).problems);
        }
    }
    if verdict.entries > MOST_ENTRIES {
        findings.error(
            0,
            "too-many",
            format!("there are more than {MOST_ENTRIES} entries"),
            Unreadable::TooMany.hint(),
        );
    }
    verdict.problems = findings.into_problems();
    verdict
}

fn refused(path: &str, unreadable: &Unreadable) -> Verdict {
    let problem = Problem::error(path, "not-a-feed", unreadable.to_string()).hint(unreadable.hint());
    Verdict { problems: vec![problem], no_feed: true, ..Verdict::default() }
}

enum Ended {
    Stop(Stop),
    Unreadable(Unreadable),
}

fn whole(findings: &mut Findings<'_>) -> Result<(super::feed_format::Format, usize), Ended> {
    use super::feed_format::Format;
    let text = findings.text;
    match kind(text).map_err(Ended::Unreadable)? {
        Kind::Json => {
            let root = json::parse(text).map_err(Ended::Stop)?;
            Ok((Format::Json, json_feed::check(&root, findings).map_err(Ended::Unreadable)?))
        }
        Kind::Xml => {
            let parsed = tree::parse(text).map_err(Ended::Stop)?;
            let found = family(&parsed.root).map_err(Ended::Unreadable)?;
            xml::check(&parsed, findings);
            Ok(match found {
                Family::Rss => (Format::Rss, rss::check(&parsed.root, findings)),
                Family::Atom => (Format::Atom, atom::check(&parsed.root, findings)),
            })
        }
    }
}

fn sizes(findings: &mut Findings<'_>, length: usize) {
    let kilobytes = length.div_ceil(1_000);
    if length > BURDEN {
        findings.warn(
            0,
            "size",
            format!("the feed has {kilobytes} kB: more than 1 MB is a burden to readers"),
            "show fewer entries, or summaries, and the rest in archives (RFC 5005)",
        );
    } else if length > FINE {
        findings.warn(
            0,
            "size",
            format!("the feed has {kilobytes} kB: up to 250 kB is fine"),
            "show fewer entries, or summaries",
        );
    }
}

fn encoding(findings: &mut Findings<'_>, decoded: &Decoded<'_>) {
    let name = decoded.encoding.name();
    if decoded.guessed {
        findings.error(
            0,
            "encoding",
            "it is no UTF-8, and says no other encoding",
            "write it as UTF-8, or name its encoding in the XML declaration",
        );
    } else if decoded.damaged {
        let at = decoded.text.find('\u{fffd}').unwrap_or(0);
        findings.error(
            at,
            "encoding",
            format!("some bytes are none in {name}"),
            "write the whole document in one encoding, best UTF-8",
        );
    }
    let Some(declared) = &decoded.declared else { return };
    let known = encoding_rs::Encoding::for_label(declared.as_bytes());
    if known.is_none() {
        findings.error(0, "encoding", format!("the encoding `{declared}` is unknown"), "write it as UTF-8, and say so");
    } else if known != Some(decoded.encoding) && !declared.to_ascii_lowercase().starts_with("utf-16") {
        findings.error(
            0,
            "encoding",
            format!("it says `{declared}` and begins with the mark of {name}"),
            "say what it is",
        );
    } else if declared.to_ascii_lowercase().starts_with("utf-16") && !name.starts_with("UTF-16") {
        findings.error(0, "encoding", format!("it says `{declared}` and is {name}"), "say what it is");
    }
}

/// Where problems are put together.
struct Findings<'a> {
    path: &'a str,
    text: &'a str,
    lines: Lines<'a>,
    from: Option<&'a Url>,
    now: Timestamp,
    problems: Vec<Problem>,
    counts: HashMap<&'static str, usize>,
}

impl<'a> Findings<'a> {
    fn new(path: &'a str, text: &'a str, from: Option<&'a Url>, now: Timestamp) -> Self {
        let lines = Lines::of(text);
        Self { path, text, lines, from, now, problems: Vec::new(), counts: HashMap::new() }
    }

    fn error(&mut self, at: usize, code: &'static str, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Problem::error(self.path, code, message), at, hint);
    }

    fn warn(&mut self, at: usize, code: &'static str, message: impl Into<String>, hint: impl Into<String>) {
        self.add(Problem::warning(self.path, code, message), at, hint);
    }

    /// Of what may stand there once, the second.
    fn repeated(&mut self, at: usize, name: &str) {
        let hint = "readers take one of them, and not all the same";
        self.error(at, "repeated", format!("`{name}` comes twice"), hint);
    }

    fn add(&mut self, problem: Problem, at: usize, hint: impl Into<String>) {
        let count = self.counts.entry(problem.code).or_default();
        *count += 1;
        if *count <= MOST_OF_A_KIND {
            let (line, column) = self.lines.place(at);
            self.problems.push(problem.at(line, column).hint(hint));
        }
    }

    /// Where `needle` stands in the source from `at` on, up to `end`.
    fn place_of(&self, needle: &str, (at, end): (usize, usize)) -> usize {
        self.text.get(at..end.max(at)).and_then(|part| part.find(needle)).map_or(at, |found| at + found)
    }

    /// In the order of the text; how many more there are of a kind that is everywhere.
    fn into_problems(mut self) -> Vec<Problem> {
        let mut more: Vec<_> = self.counts.iter().filter(|(_, count)| **count > MOST_OF_A_KIND).collect();
        more.sort();
        for (code, count) in more {
            let last = self.problems.iter().rposition(|problem| problem.code == *code).unwrap_or_default();
            let message = format!("{}, and {} more of this kind", self.problems[last].message, count - MOST_OF_A_KIND);
            self.problems[last].message = message;
        }
        self.problems.sort_by_key(|problem| (problem.line, problem.column));
        self.problems
    }
}
