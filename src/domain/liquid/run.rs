//! Walks the tree and writes. Keeps names, counters and the budget.

use super::expr::{Comparison, Condition, Expr, Filtered, Joint, Loop, Operator, filtered, values};
use super::filters::{self, Env, Failure};
use super::parse::{Node, Part, Test, parse};
use super::value::{Value, length};
use super::{Context, Kind, Names, Reports};

const MOST_STEPS: usize = 100_000;
/// Beside four times the input.
const SPARE_BYTES: usize = 1_000_000;
/// An array, or a range.
const MOST_ITEMS: usize = 100_000;
const DEEPEST_INCLUDE: usize = 8;
/// Looking at this many bytes counts as a step.
const BYTES_A_STEP: usize = 256;

pub(super) struct Run<'a> {
    context: &'a Context<'a>,
    env: Env<'a>,
    pub reports: Reports,
    out: String,
    steps: usize,
    /// The budget is spent.
    stopped: bool,
    globals: Names,
    counters: Names,
    /// Loop variables and includes' parameters, innermost last.
    scopes: Vec<Names>,
    cycles: std::collections::BTreeMap<String, usize>,
    includes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

impl<'a> Run<'a> {
    pub fn new(text: &str, context: &'a Context<'a>) -> Self {
        let setting = |key| context.site.get(key).map(|value| value.to_string()).unwrap_or_default();
        let env = Env {
            zone: &context.zone,
            now: context.now,
            url: setting("url"),
            base: setting("baseurl"),
            bytes: text.len().saturating_mul(4).saturating_add(SPARE_BYTES),
            items: MOST_ITEMS,
        };
        Self {
            context,
            env,
            reports: Reports::default(),
            out: String::with_capacity(text.len()),
            steps: 0,
            stopped: false,
            globals: Names::new(),
            counters: Names::new(),
            scopes: Vec::new(),
            cycles: std::collections::BTreeMap::new(),
            includes: 0,
        }
    }

    /// Renders the post; where the budget ends, the rest follows as it is written.
    pub fn whole(&mut self, text: &str) -> String {
        let nodes = parse(text, &mut self.reports);
        for node in &nodes {
            let written = self.out.len();
            self.node(node);
            if self.stopped {
                self.out.truncate(written);
                self.out.push_str(text.get(node.at..).unwrap_or_default());
                break;
            }
        }
        std::mem::take(&mut self.out)
    }

    fn nodes(&mut self, nodes: &[Node<'_>]) -> Flow {
        for node in nodes {
            let flow = self.node(node);
            if self.stopped || flow != Flow::On {
                return flow;
            }
        }
        Flow::On
    }

    fn node(&mut self, node: &Node<'_>) -> Flow {
        self.charge(1, node.at);
        if self.stopped {
            return Flow::On;
        }
        match &node.part {
            Part::Text(text) => self.write(text, node.at),
            Part::Output(value) => self.output(value, node.at),
            Part::Assign(name, value) => {
                let value = value.as_ref().map(|value| self.filtered(value, node.at, true)).unwrap_or_default();
                self.globals.insert((*name).to_owned(), value);
            }
            Part::Capture(name, body) => {
                let (text, flow) = self.captured(body);
                self.globals.insert((*name).to_owned(), text.into());
                return flow;
            }
            Part::If(arms) => return self.arms(arms, node.at),
            Part::For(looped, body, otherwise) => return self.for_loop(looped, body, otherwise, node.at),
            Part::Highlight(arguments, body) => return self.highlight(arguments, body, node.at),
            Part::Include(arguments) => self.include(arguments, node.at),
            Part::PostUrl(name) => self.address(self.context.post_url, name, node.at),
            Part::Link(path) => self.address(self.context.link, path, node.at),
            Part::Count(name, by) => self.count(name, *by, node.at),
            Part::Cycle(group, values) => self.cycle(group, values, node.at),
            Part::Break => return Flow::Break,
            Part::Continue => return Flow::Continue,
        }
        Flow::On
    }

    fn charge(&mut self, steps: usize, at: usize) {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > MOST_STEPS {
            self.stop("steps", at);
        }
    }

    fn stop(&mut self, what: &str, at: usize) {
        if !self.stopped {
            self.reports.add(Kind::Limit, what, at);
        }
        self.stopped = true;
    }

    fn write(&mut self, text: &str, at: usize) {
        if self.out.len().saturating_add(text.len()) > self.env.bytes {
            self.stop("output", at);
            return;
        }
        self.out.push_str(text);
    }

    fn output(&mut self, value: &Filtered, at: usize) {
        let quiet = value.filters.iter().any(|filter| filter.name == "default");
        let value = self.filtered(value, at, quiet);
        self.print(&value, at);
    }

    fn print(&mut self, value: &Value, at: usize) {
        if value.printed_size(self.env.bytes) > self.env.bytes {
            self.stop("output", at);
            return;
        }
        self.write(&value.to_string(), at);
    }

    fn captured(&mut self, body: &[Node<'_>]) -> (String, Flow) {
        let outer = std::mem::take(&mut self.out);
        let flow = self.nodes(body);
        let text = std::mem::replace(&mut self.out, outer);
        self.charge(text.len() / BYTES_A_STEP, body.first().map_or(0, |node| node.at));
        (text, flow)
    }

    fn filtered(&mut self, source: &Filtered, at: usize, quiet: bool) -> Value {
        let mut value = self.value(&source.value, at, quiet);
        for filter in &source.filters {
            let arguments: Vec<Value> =
                filter.arguments.iter().map(|argument| self.value(argument, at, filter.name == "default")).collect();
            let weight = arguments.iter().map(Value::weight).sum::<usize>() + value.weight();
            self.charge(1 + weight / BYTES_A_STEP, at);
            if self.stopped {
                return Value::Nil;
            }
            match filters::apply(&filter.name, &value, &arguments, &self.env) {
                Ok(filtered) => value = filtered,
                Err(Failure::Unknown) => self.reports.add(Kind::Filter, &filter.name, at),
                Err(Failure::TooBig) => self.stop("output", at),
            }
            if value.weight() > self.env.bytes.max(MOST_ITEMS * 8) {
                self.stop("output", at);
            }
            self.charge(value.weight() / BYTES_A_STEP, at);
        }
        value
    }

    fn value(&mut self, expr: &Expr, at: usize, quiet: bool) -> Value {
        match expr {
            Expr::Literal(value) => value.clone(),
            Expr::Empty | Expr::Blank => "".into(),
            Expr::Range(first, last) => self.range(first, last, at),
            Expr::Path(name, steps) => {
                let found = self.path(name, steps, at);
                // An include's parameters are its caller's to leave out.
                if found == Value::Nil && !quiet && name != "include" {
                    self.reports.add(Kind::Variable, &expr.name(), at);
                }
                found
            }
        }
    }

    fn range(&mut self, first: &Expr, last: &Expr, at: usize) -> Value {
        let first = self.value(first, at, false).int().unwrap_or_default();
        let last = self.value(last, at, false).int().unwrap_or_default();
        let size = usize::try_from(last.saturating_sub(first).saturating_add(1)).unwrap_or(0);
        if size > MOST_ITEMS {
            self.stop("range", at);
            return Value::Nil;
        }
        self.charge(size / 8, at);
        Value::array((first..=last).map(Value::Int))
    }

    fn path(&mut self, name: &str, steps: &[Expr], at: usize) -> Value {
        let mut value = self.named(name);
        for step in steps {
            let key = self.value(step, at, true);
            value = value.and_then(|value| value.at(&key));
        }
        value.unwrap_or_default()
    }

    fn named(&self, name: &str) -> Option<Value> {
        let scoped = self.scopes.iter().rev().find_map(|scope| scope.get(name));
        scoped.or_else(|| self.globals.get(name)).or_else(|| self.counters.get(name)).cloned().or_else(|| match name {
            "site" => Some(self.context.site.clone()),
            "page" => Some(self.context.page.clone()),
            "jekyll" => Some(Value::object([("environment", "production".into())])),
            _ => None,
        })
    }

    fn arms(&mut self, arms: &[(Option<Test>, Vec<Node<'_>>)], at: usize) -> Flow {
        for (test, body) in arms {
            self.charge(1, at);
            let holds = match test {
                None => true,
                Some(Test::Holds(condition)) => self.holds(condition, at),
                Some(Test::Fails(condition)) => !self.holds(condition, at),
                Some(Test::Is(subject, wanted)) => {
                    wanted.iter().any(|wanted| self.compare(subject, Operator::Equal, wanted, at))
                }
            };
            if holds {
                return self.nodes(body);
            }
        }
        Flow::On
    }

    /// From right to left and without precedence, as Liquid does.
    fn holds(&mut self, condition: &Condition, at: usize) -> bool {
        let mut result = false;
        for (comparison, joint) in condition.0.iter().rev() {
            let this = self.comparison(comparison, at);
            result = match joint {
                None => this,
                Some(Joint::And) => this && result,
                Some(Joint::Or) => this || result,
            };
        }
        result
    }

    fn comparison(&mut self, comparison: &Comparison, at: usize) -> bool {
        match &comparison.right {
            None => {
                self.value(&comparison.left, at, true).is_true() || matches!(comparison.left, Expr::Empty | Expr::Blank)
            }
            Some((operator, right)) => self.compare(&comparison.left, *operator, right, at),
        }
    }

    fn compare(&mut self, left: &Expr, operator: Operator, right: &Expr, at: usize) -> bool {
        let (a, b) = (self.value(left, at, true), self.value(right, at, true));
        self.charge(1 + (a.weight() + b.weight()) / BYTES_A_STEP, at);
        let order = a.compare(&b);
        match operator {
            Operator::Equal => equal(left, &a, right, &b),
            Operator::NotEqual => !equal(left, &a, right, &b),
            Operator::Less => order.is_some_and(std::cmp::Ordering::is_lt),
            Operator::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
            Operator::LessOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
            Operator::GreaterOrEqual => order.is_some_and(std::cmp::Ordering::is_ge),
            Operator::Contains => b.printed_size(self.env.bytes) <= self.env.bytes && a.contains(&b),
        }
    }

    fn for_loop(&mut self, looped: &Loop, body: &[Node<'_>], otherwise: &[Node<'_>], at: usize) -> Flow {
        let mut items = self.value(&looped.over, at, false).items();
        let bound = |run: &mut Self, bound: &Option<Expr>| {
            let bound = bound.as_ref().map(|bound| run.value(bound, at, true))?.int()?;
            usize::try_from(bound).ok()
        };
        let (offset, limit) = (bound(self, &looped.offset), bound(self, &looped.limit));
        items.drain(..offset.unwrap_or(0).min(items.len()));
        items.truncate(limit.unwrap_or(usize::MAX));
        if looped.reversed {
            items.reverse();
        }
        if items.is_empty() {
            return self.nodes(otherwise);
        }
        self.charge(items.len() / 8, at);
        let total = items.len();
        for (index, item) in items.into_iter().enumerate() {
            self.charge(1, at);
            let scope = Names::from([(looped.name.clone(), item), ("forloop".into(), forloop(index, total))]);
            self.scopes.push(scope);
            let flow = self.nodes(body);
            self.scopes.pop();
            if self.stopped || flow == Flow::Break {
                break;
            }
        }
        Flow::On
    }

    /// A fenced block of Markdown. The fence is longer than any run inside, and every line is indented as the tag is, so
    /// that a block in a list stays in the list.
    fn highlight(&mut self, arguments: &str, body: &[Node<'_>], at: usize) -> Flow {
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

    fn include(&mut self, arguments: &str, at: usize) {
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

    fn address(&mut self, lookup: super::Lookup<'_>, name: &str, at: usize) {
        let name = name.trim().trim_matches(['"', '\'']);
        match lookup(name) {
            Some(address) => self.write(&address, at),
            None => self.reports.add(Kind::Link, name, at),
        }
    }

    /// `increment` shows, then adds; `decrement` takes away, then shows.
    fn count(&mut self, name: &str, by: i64, at: usize) {
        let before = self.counters.get(name).and_then(Value::int).unwrap_or_default();
        let after = before.saturating_add(by);
        self.counters.insert(name.to_owned(), Value::Int(after));
        self.write(&if by > 0 { before } else { after }.to_string(), at);
    }

    fn cycle(&mut self, group: &str, values: &[Expr], at: usize) {
        let turn = self.cycles.entry(group.to_owned()).or_default();
        let now = *turn;
        *turn += 1;
        if let Some(value) = values.get(now.checked_rem(values.len()).unwrap_or_default()) {
            let value = self.value(value, at, false);
            self.print(&value, at);
        }
    }
}

fn equal(left: &Expr, a: &Value, right: &Expr, b: &Value) -> bool {
    match (left, right) {
        (_, Expr::Empty) => a.is_empty(),
        (Expr::Empty, _) => b.is_empty(),
        (_, Expr::Blank) => a.is_blank(),
        (Expr::Blank, _) => b.is_blank(),
        _ => a.same(b),
    }
}

fn forloop(index: usize, total: usize) -> Value {
    Value::object([
        ("index", length(index + 1)),
        ("index0", length(index)),
        ("rindex", length(total - index)),
        ("rindex0", length(total - index - 1)),
        ("first", Value::Bool(index == 0)),
        ("last", Value::Bool(index + 1 == total)),
        ("length", length(total)),
    ])
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
