//! Expressions: values, paths, ranges, filters and conditions, read as Liquid's lax mode does: what follows a value and
//! is not understood is skipped.

use super::value::Value;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    Literal(Value),
    Empty,
    Blank,
    /// A name and the way down from it.
    Path(String, Vec<Expr>),
    Range(Box<Expr>, Box<Expr>),
}

impl Expr {
    /// As a person wrote it, near enough to find it again.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Path(name, steps) => steps.iter().fold(name.clone(), |mut name, step| {
                match step {
                    Self::Literal(Value::Str(key)) => name.extend([".", key]),
                    _ => name.push_str("[…]"),
                }
                name
            }),
            _ => String::new(),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Filter {
    pub name: String,
    pub arguments: Vec<Expr>,
}

/// `value | filter: argument | …`
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Filtered {
    pub value: Expr,
    pub filters: Vec<Filter>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    Contains,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    And,
    Or,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Comparison {
    pub left: Expr,
    pub right: Option<(Operator, Expr)>,
}

/// Comparisons, each with what joins it to the next.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Condition(pub Vec<(Comparison, Option<Joint>)>);

/// Brackets within brackets go no deeper.
const DEEPEST: usize = 16;

#[derive(Debug, Clone, PartialEq)]
enum Word {
    Name(String),
    Literal(Value),
    Sign(&'static str),
}

const SIGNS: [&str; 16] = ["==", "!=", "<>", "<=", ">=", "..", "<", ">", "|", ":", ",", "[", "]", "(", ")", "."];

fn words(source: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = source.trim_start();
    while let Some(c) = rest.chars().next() {
        let (word, length) = word(rest, c, &words);
        words.extend(word);
        rest = rest.get(length.max(1)..).unwrap_or_default().trim_start();
    }
    words
}

fn word(rest: &str, c: char, before: &[Word]) -> (Option<Word>, usize) {
    if c == '"' || c == '\'' {
        let inside = rest.get(1..).unwrap_or_default();
        let end = inside.find(c).unwrap_or(inside.len());
        let text = inside.get(..end).unwrap_or_default();
        return (Some(Word::Literal(text.into())), end + 2);
    }
    // After a dot or a closing bracket a digit is part of a path.
    let in_path = matches!(before.last(), Some(Word::Sign(".")));
    if !in_path && let Some((value, length)) = number(rest) {
        return (Some(Word::Literal(value)), length);
    }
    if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
        return (Some(Word::Sign(sign)), sign.len());
    }
    let end = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '?')).unwrap_or(rest.len());
    match rest.get(..end) {
        Some(name) if !name.is_empty() => (Some(Word::Name(name.to_owned())), end),
        _ => (None, c.len_utf8()),
    }
}

fn number(rest: &str) -> Option<(Value, usize)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let sign = usize::from(rest.starts_with('-'));
    let whole = digits(rest.get(sign..)?);
    if whole == 0 {
        return None;
    }
    let end = sign + whole;
    let after = rest.get(end..).unwrap_or_default();
    let fraction = after.strip_prefix('.').map_or(0, digits);
    if fraction > 0 {
        let end = end + 1 + fraction;
        return rest.get(..end)?.parse().ok().map(|n| (Value::Float(n), end));
    }
    // `2021-05-07-name` and `3d` are names.
    if after.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '-') {
        return None;
    }
    rest.get(..end)?.parse().ok().map(|n| (Value::Int(n), end))
}

struct Reader {
    words: std::iter::Peekable<std::vec::IntoIter<Word>>,
}

impl Reader {
    fn of(source: &str) -> Self {
        Self { words: words(source).into_iter().peekable() }
    }

    fn takes(&mut self, sign: &str) -> bool {
        self.words.next_if(|word| matches!(word, Word::Sign(found) if *found == sign)).is_some()
    }

    fn takes_name(&mut self, name: &str) -> bool {
        self.words.next_if(|word| matches!(word, Word::Name(found) if found == name)).is_some()
    }

    fn value(&mut self, depth: usize) -> Option<Expr> {
        if depth > DEEPEST {
            return None;
        }
        let word = self.words.next_if(|word| matches!(word, Word::Name(_) | Word::Literal(_) | Word::Sign("(")))?;
        match word {
            Word::Literal(value) => Some(Expr::Literal(value)),
            Word::Sign(_) => self.range(depth),
            Word::Name(name) => Some(match name.as_str() {
                "nil" | "null" => Expr::Literal(Value::Nil),
                "true" => Expr::Literal(Value::Bool(true)),
                "false" => Expr::Literal(Value::Bool(false)),
                "empty" => Expr::Empty,
                "blank" => Expr::Blank,
                _ => Expr::Path(name, self.steps(depth)),
            }),
        }
    }

    fn range(&mut self, depth: usize) -> Option<Expr> {
        let first = self.value(depth + 1)?;
        if !self.takes("..") {
            // Parentheses around a value mean nothing in Liquid; be kind.
            self.takes(")");
            return Some(first);
        }
        let last = self.value(depth + 1)?;
        self.takes(")");
        Some(Expr::Range(Box::new(first), Box::new(last)))
    }

    fn steps(&mut self, depth: usize) -> Vec<Expr> {
        let mut steps = Vec::new();
        loop {
            if self.takes(".") {
                match self.words.next_if(|word| matches!(word, Word::Name(_))) {
                    Some(Word::Name(key)) => steps.push(Expr::Literal(key.into())),
                    _ => return steps,
                }
            } else if self.takes("[") {
                steps.extend(self.value(depth + 1));
                self.takes("]");
            } else {
                return steps;
            }
        }
    }

    fn filters(&mut self) -> Vec<Filter> {
        let mut filters = Vec::new();
        while let Some(word) = self.words.next() {
            if word != Word::Sign("|") {
                continue;
            }
            let Some(Word::Name(name)) = self.words.next_if(|word| matches!(word, Word::Name(_))) else { continue };
            let arguments = if self.takes(":") { self.arguments() } else { Vec::new() };
            filters.push(Filter { name, arguments });
        }
        filters
    }

    fn arguments(&mut self) -> Vec<Expr> {
        let mut arguments = Vec::new();
        while let Some(value) = self.value(0) {
            arguments.push(value);
            // `key: value`: the key is no argument.
            if self.takes(":") {
                arguments.pop();
                continue;
            }
            if !self.takes(",") {
                break;
            }
        }
        arguments
    }

    fn operator(&mut self) -> Option<Operator> {
        let word = self.words.next_if(|word| match word {
            Word::Name(name) => name == "contains",
            Word::Sign(sign) => matches!(*sign, "==" | "!=" | "<>" | "<" | ">" | "<=" | ">="),
            Word::Literal(_) => false,
        })?;
        Some(match word {
            Word::Sign("==") => Operator::Equal,
            Word::Sign("!=" | "<>") => Operator::NotEqual,
            Word::Sign("<") => Operator::Less,
            Word::Sign(">") => Operator::Greater,
            Word::Sign("<=") => Operator::LessOrEqual,
            Word::Sign(">=") => Operator::GreaterOrEqual,
            _ => Operator::Contains,
        })
    }
}

pub(super) fn filtered(source: &str) -> Option<Filtered> {
    let mut reader = Reader::of(source);
    let value = reader.value(0)?;
    Some(Filtered { value, filters: reader.filters() })
}

/// The values of `a, b or c`, as `when` and `cycle` list them.
pub(super) fn values(source: &str) -> Vec<Expr> {
    let mut reader = Reader::of(source);
    let mut values = Vec::new();
    while let Some(value) = reader.value(0) {
        values.push(value);
        if !reader.takes(",") && !reader.takes_name("or") && !reader.takes(":") {
            break;
        }
    }
    values
}

pub(super) fn condition(source: &str) -> Condition {
    let mut reader = Reader::of(source);
    let mut condition = Condition::default();
    while let Some(left) = reader.value(0) {
        let right = reader.operator().and_then(|operator| reader.value(0).map(|right| (operator, right)));
        let joint = if reader.takes_name("and") {
            Some(Joint::And)
        } else if reader.takes_name("or") {
            Some(Joint::Or)
        } else {
            None
        };
        condition.0.push((Comparison { left, right }, joint));
        if joint.is_none() {
            break;
        }
    }
    condition
}

/// `NAME in VALUE [reversed] [limit: N] [offset: N]`
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Loop {
    pub name: String,
    pub over: Expr,
    pub reversed: bool,
    pub limit: Option<Expr>,
    pub offset: Option<Expr>,
}

pub(super) fn for_loop(source: &str) -> Option<Loop> {
    let mut reader = Reader::of(source);
    let Some(Word::Name(name)) = reader.words.next() else { return None };
    if !reader.takes_name("in") {
        return None;
    }
    let mut looped = Loop { name, over: reader.value(0)?, reversed: false, limit: None, offset: None };
    while let Some(word) = reader.words.next() {
        let Word::Name(name) = word else { continue };
        match name.as_str() {
            "reversed" => looped.reversed = true,
            "limit" if reader.takes(":") => looped.limit = reader.value(0),
            "offset" if reader.takes(":") => looped.offset = reader.value(0),
            _ => {}
        }
    }
    Some(looped)
}
