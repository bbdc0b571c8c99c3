//! The tags that write: Jekyll's `highlight`, `include`, `post_url` and `link`, and Liquid's counters.

use super::expr::{Expr, filtered, values};
use super::parse::{Node, parse};
use super::run::{BYTES_A_STEP, Flow, Run};
use super::value::Value;
use super::{Kind, Lookup, Names};

const DEEPEST_INCLUDE: usize = 8;

impl Run<'_> {
    /// A fenced block of Markdown. The fence is longer than any run inside, and every line is indented as the tag is, so
    /// that a block in a list stays in the list.
    pub(super) fn highlight(&mut self, arguments: &str, body: &[Node<'_>], at: usize) -> Flow {
        let (code, flow) = self.captured(body);
        let code = code.trim_start_matches(['\r', '\n']).trim_end();
        let line = self.out.rsplit('\n').next().unwrap_or_default();
        let alone = line.chars().all(|c| c == ' ' || c == '\t');
        let indent = if alone { line.to_owned() } else { String::new() };
        let language: String = arguments
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '#' | '.'))
            .collect();
        let fence = "`".repeat(longest_run(code).max(2) + 1);
        let mut block = if alone { String::new() } else { "\n\n".to_owned() };
        block.extend([&fence, &language, "\n"]);
        for line in code.lines() {
            block.extend([if line.is_empty() { "" } else { &indent }, line, "\n"]);
        }
        block.extend([&indent, &fence, "\n"]);
        self.write(&block, at);
        flow
    }

    pub(super) fn include(&mut self, arguments: &str, at: usize) {
        let (name, parameters) = include_name(arguments);
        let name = match name.strip_prefix("{{").and_then(|name| name.strip_suffix("}}")) {
            Some(inner) => match filtered(inner) {
                Some(source) => self.filtered(&source, at, true).to_string(),
                None => String::new(),
            },
            None => name.to_owned(),
        };
        let Some(text) = (self.context.include)(&name) else {
            self.reports.add(Kind::Include, &name, at);
            return;
        };
        if self.includes >= DEEPEST_INCLUDE {
            self.reports.add(Kind::Limit, "include", at);
            return;
        }
        let given: Vec<(String, Value)> =
            pairs(parameters).into_iter().map(|(key, expr)| (key, self.value(&expr, at, true))).collect();
        self.charge(1 + text.len() / BYTES_A_STEP, at);
        if self.stopped {
            return;
        }
        let outermost = self.reports.origin.is_none();
        if outermost {
            self.reports.origin = Some(at);
        }
        self.includes += 1;
        self.scopes.push(Names::from([("include".into(), Value::object(given))]));
        let nodes = parse(&text, &mut self.reports);
        self.nodes(&nodes);
        self.scopes.pop();
        self.includes -= 1;
        if outermost {
            self.reports.origin = None;
        }
    }

    pub(super) fn address(&mut self, lookup: Lookup<'_>, name: &str, at: usize) {
        let name = name.trim().trim_matches(['"', '\'']);
        match lookup(name) {
            Some(address) => self.write(&address, at),
            None => self.reports.add(Kind::Link, name, at),
        }
    }

    /// `increment` shows, then adds; `decrement` takes away, then shows.
    pub(super) fn count(&mut self, name: &str, by: i64, at: usize) {
        let before = self.counters.get(name).and_then(Value::int).unwrap_or_default();
        let after = before.saturating_add(by);
        self.counters.insert(name.to_owned(), Value::Int(after));
        self.write(&if by > 0 { before } else { after }.to_string(), at);
    }

    pub(super) fn cycle(&mut self, group: &str, values: &[Expr], at: usize) {
        let turn = self.cycles.entry(group.to_owned()).or_default();
        let now = *turn;
        *turn += 1;
        if let Some(value) = values.get(now.checked_rem(values.len()).unwrap_or_default()) {
            let value = self.value(value, at, false);
            self.print(&value, at);
        }
    }
}

fn longest_run(code: &str) -> usize {
    let (mut longest, mut run, mut before) = (0, 0, ' ');
    for c in code.chars() {
        run = match c {
            '`' | '~' if c == before => run + 1,
            '`' | '~' => 1,
            _ => 0,
        };
        before = c;
        longest = longest.max(run);
    }
    longest
}

/// The file's name, which may be `{{ an.expression }}`, and what follows it.
fn include_name(arguments: &str) -> (&str, &str) {
    let arguments = arguments.trim();
    if arguments.starts_with("{{")
        && let Some(end) = arguments.find("}}")
    {
        return arguments.split_at(end + 2);
    }
    let (name, rest) = arguments.split_once(char::is_whitespace).unwrap_or((arguments, ""));
    (name.trim_matches(['"', '\'']), rest)
}

/// `key=value key="value"`
fn pairs(source: &str) -> Vec<(String, Expr)> {
    let mut pairs = Vec::new();
    let mut rest = source;
    while let Some((key, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let end = match after.chars().next() {
            Some(quote @ ('"' | '\'')) => after.get(1..).and_then(|text| text.find(quote)).map(|end| end + 2),
            _ => after.find(char::is_whitespace),
        };
        let (value, remaining) = after.split_at_checked(end.unwrap_or(after.len())).unwrap_or((after, ""));
        let key = key.trim().trim_start_matches(',').trim();
        if let Some(expr) = values(value).into_iter().next() {
            pairs.push((key.to_owned(), expr));
        }
        rest = remaining;
    }
    pairs
}
