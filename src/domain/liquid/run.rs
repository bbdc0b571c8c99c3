//! Walks the tree and writes. Keeps names, counters and the budget.

use super::expr::{Comparison, Condition, Expr, Filtered, Joint, Loop, Operator};
use super::filters::{self, Env, Failure};
use super::parse::{Node, Part, Test, parse};
use super::value::{Value, length};
use super::{Context, Kind, Names, Reports};

const MOST_STEPS: usize = 100_000;
/// Beside four times the input.
const SPARE_BYTES: usize = 1_000_000;
/// An array, or a range.
const MOST_ITEMS: usize = 100_000;
/// Looking at this many bytes counts as a step.
pub(super) const BYTES_A_STEP: usize = 256;

pub(super) struct Run<'a> {
    pub(super) context: &'a Context<'a>,
    env: Env<'a>,
    pub(super) reports: Reports,
    pub(super) out: String,
    steps: usize,
    /// The budget is spent.
    pub(super) stopped: bool,
    globals: Names,
    pub(super) counters: Names,
    /// Loop variables and includes' parameters, innermost last.
    pub(super) scopes: Vec<Names>,
    pub(super) cycles: std::collections::BTreeMap<String, usize>,
    pub(super) includes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
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

    pub(super) fn nodes(&mut self, nodes: &[Node<'_>]) -> Flow {
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

    pub(super) fn charge(&mut self, steps: usize, at: usize) {
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

    pub(super) fn write(&mut self, text: &str, at: usize) {
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

    pub(super) fn print(&mut self, value: &Value, at: usize) {
        if value.printed_size(self.env.bytes) > self.env.bytes {
            self.stop("output", at);
            return;
        }
        self.write(&value.to_string(), at);
    }

    pub(super) fn captured(&mut self, body: &[Node<'_>]) -> (String, Flow) {
        let outer = std::mem::take(&mut self.out);
        let flow = self.nodes(body);
        let text = std::mem::replace(&mut self.out, outer);
        self.charge(text.len() / BYTES_A_STEP, body.first().map_or(0, |node| node.at));
        (text, flow)
    }

    pub(super) fn filtered(&mut self, source: &Filtered, at: usize, quiet: bool) -> Value {
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

    pub(super) fn value(&mut self, expr: &Expr, at: usize, quiet: bool) -> Value {
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
