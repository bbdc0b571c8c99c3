//! Tokens to a tree. Knows which tags are blocks and how they close; a block that is never closed ends with its
//! surroundings, and an end that closes nothing is left out. Both are reported.

use super::expr::{Condition, Expr, Filtered, Loop, condition, filtered, for_loop, values};
use super::lexer::{Token, tokens};
use super::{Kind, Reports};

/// One piece of a template and where it begins.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub at: usize,
    pub part: Part<'a>,
}

#[derive(Debug)]
pub(super) enum Part<'a> {
    Text(&'a str),
    Output(Filtered),
    Assign(&'a str, Option<Filtered>),
    Capture(&'a str, Vec<Node<'a>>),
    /// Arms in order; one without a condition always holds.
    If(Vec<(Option<Test>, Vec<Node<'a>>)>),
    For(Loop, Vec<Node<'a>>, Vec<Node<'a>>),
    Highlight(&'a str, Vec<Node<'a>>),
    Include(&'a str),
    PostUrl(&'a str),
    Link(&'a str),
    Count(&'a str, i64),
    Cycle(&'a str, Vec<Expr>),
    Break,
    Continue,
}

#[derive(Debug)]
pub(super) enum Test {
    Holds(Condition),
    Fails(Condition),
    /// `case` and one `when`.
    Is(Expr, Vec<Expr>),
}

const DEEPEST: usize = 48;

pub(super) fn parse<'a>(text: &'a str, reports: &mut Reports) -> Vec<Node<'a>> {
    let mut parser = Parser { tokens: tokens(text).into_iter().peekable(), open: Vec::new(), reports };
    parser.block()
}

struct Parser<'a, 'r> {
    tokens: std::iter::Peekable<std::vec::IntoIter<(usize, Token<'a>)>>,
    /// The blocks around us.
    open: Vec<&'static str>,
    reports: &'r mut Reports,
}

/// Tags that end one part of a block and begin another.
fn is_divider(name: &str) -> bool {
    matches!(name, "else" | "elsif" | "when")
}

fn block_named(name: &str) -> Option<&'static str> {
    ["if", "unless", "case", "for", "capture", "highlight"].into_iter().find(|block| *block == name)
}

impl<'a> Parser<'a, '_> {
    /// Everything up to a tag that ends or divides a block around us, which is left standing.
    fn block(&mut self) -> Vec<Node<'a>> {
        let mut nodes = Vec::new();
        while let Some((at, token)) = self.tokens.peek().copied() {
            if let Token::Tag(name, _) = token
                && (is_divider(name) || name.strip_prefix("end").and_then(block_named).is_some())
            {
                if self.belongs_to_an_open_block(name) {
                    return nodes;
                }
                self.stray(name, at);
                self.tokens.next();
                continue;
            }
            self.tokens.next();
            let part = match token {
                Token::Text(text) => Some(Part::Text(text)),
                Token::Output(source) => filtered(source).map(Part::Output),
                Token::Unclosed(name) => {
                    self.reports.add(Kind::Syntax, &format!("{name} is never closed"), at);
                    None
                }
                Token::Tag(name, arguments) => self.tag(name, arguments, at),
            };
            nodes.extend(part.map(|part| Node { at, part }));
        }
        nodes
    }

    fn belongs_to_an_open_block(&self, name: &str) -> bool {
        match name.strip_prefix("end") {
            Some(block) => self.open.contains(&block),
            None => self.open.iter().any(|open| matches!(*open, "if" | "unless" | "case" | "for")),
        }
    }

    fn stray(&mut self, name: &str, at: usize) {
        self.reports.add(Kind::Syntax, &format!("{name} without its beginning"), at);
    }

    fn tag(&mut self, name: &'a str, arguments: &'a str, at: usize) -> Option<Part<'a>> {
        if let Some(block) = block_named(name) {
            if self.open.len() >= DEEPEST {
                self.reports.add(Kind::Limit, "nesting", at);
                return None;
            }
            self.open.push(block);
            let part = self.block_tag(block, arguments, at);
            self.open.pop();
            return part;
        }
        match name {
            "assign" => {
                let (name, value) = arguments.split_once('=')?;
                Some(Part::Assign(name.trim(), filtered(value)))
            }
            "include" | "include_cached" => Some(Part::Include(arguments)),
            "post_url" => Some(Part::PostUrl(arguments)),
            "link" => Some(Part::Link(arguments)),
            "increment" => Some(Part::Count(arguments, 1)),
            "decrement" => Some(Part::Count(arguments, -1)),
            "cycle" => Some(Part::Cycle(arguments, cycle(arguments))),
            "break" => Some(Part::Break),
            "continue" => Some(Part::Continue),
            unknown => {
                self.unknown(unknown, at);
                None
            }
        }
    }

    /// The end of an unknown block is no news when its beginning has been told.
    fn unknown(&mut self, name: &str, at: usize) {
        let told =
            name.strip_prefix("end").is_some_and(|block| self.reports.seen.contains(&(Kind::Tag, block.to_owned())));
        if !told {
            self.reports.add(Kind::Tag, name, at);
        }
    }

    fn block_tag(&mut self, block: &'static str, arguments: &'a str, at: usize) -> Option<Part<'a>> {
        match block {
            "if" => {
                let test = Test::Holds(condition(arguments));
                Some(Part::If(self.arms(block, Some(test), at)))
            }
            "unless" => {
                let test = Test::Fails(condition(arguments));
                Some(Part::If(self.arms(block, Some(test), at)))
            }
            "case" => self.case(arguments, at),
            "for" => {
                let body = self.block();
                let otherwise = if self.divider("else").is_some() { self.block() } else { Vec::new() };
                self.close(block, at);
                Some(Part::For(for_loop(arguments)?, body, otherwise))
            }
            "capture" => {
                let body = self.block();
                self.close(block, at);
                Some(Part::Capture(arguments.trim_matches(['"', '\'']), body))
            }
            _ => {
                let body = self.block();
                self.close(block, at);
                Some(Part::Highlight(arguments, body))
            }
        }
    }

    fn arms(&mut self, block: &'static str, first: Option<Test>, at: usize) -> Vec<(Option<Test>, Vec<Node<'a>>)> {
        let mut arms = vec![(first, self.block())];
        loop {
            if let Some(arguments) = self.divider("elsif") {
                let test = Test::Holds(condition(arguments));
                arms.push((Some(test), self.block()));
            } else if self.divider("else").is_some() {
                arms.push((None, self.block()));
            } else {
                self.close(block, at);
                return arms;
            }
        }
    }

    fn case(&mut self, arguments: &str, at: usize) -> Option<Part<'a>> {
        let subject = values(arguments).into_iter().next();
        // What stands before the first `when` is never shown.
        self.block();
        let mut arms = Vec::new();
        loop {
            if let Some(when) = self.divider("when") {
                let test = subject.clone().map(|subject| Test::Is(subject, values(when)));
                let body = self.block();
                arms.extend(test.map(|test| (Some(test), body)));
            } else if self.divider("else").is_some() {
                arms.push((None, self.block()));
            } else {
                self.close("case", at);
                return subject.is_some().then_some(Part::If(arms));
            }
        }
    }

    fn divider(&mut self, wanted: &str) -> Option<&'a str> {
        let (_, token) = self.tokens.next_if(|(_, token)| matches!(token, Token::Tag(name, _) if *name == wanted))?;
        match token {
            Token::Tag(_, arguments) => Some(arguments),
            _ => None,
        }
    }

    /// Takes the block's end if it is next; a divider that does not fit is passed over with what it divides off.
    fn close(&mut self, block: &'static str, at: usize) {
        loop {
            match self.tokens.peek().copied() {
                Some((_, Token::Tag(name, _))) if name.strip_prefix("end") == Some(block) => {
                    self.tokens.next();
                    return;
                }
                Some((place, Token::Tag(name, _))) if is_divider(name) && self.is_ours(block) => {
                    self.stray(name, place);
                    self.tokens.next();
                    self.block();
                }
                _ => {
                    self.reports.add(Kind::Syntax, &format!("{block} is never closed"), at);
                    return;
                }
            }
        }
    }

    /// Whether a divider here can only be ours: `capture` and `highlight` leave it to the block around them.
    fn is_ours(&self, block: &str) -> bool {
        matches!(block, "if" | "unless" | "case" | "for") || self.open.len() == 1
    }
}

/// The values after an optional `group:`.
fn cycle(arguments: &str) -> Vec<Expr> {
    let mut quote = None;
    let group = arguments.char_indices().find(|(_, c)| {
        match (quote, *c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(*c),
            _ => {}
        }
        quote.is_none() && *c == ':'
    });
    values(group.and_then(|(at, _)| arguments.get(at + 1..)).unwrap_or(arguments))
}
