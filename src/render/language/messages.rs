//! A language's file, taken apart: which messages it has, and what each wants to be told. Knows Fluent's grammar, and
//! compares a file with the English one; says nothing itself.

use std::collections::{BTreeMap, BTreeSet};

use fluent_bundle::FluentResource;
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use unic_langid::LanguageIdentifier;

use super::{EMBEDDED, ENGLISH, FOLDER};
use crate::domain::problem::Problem;

/// An operator's file that can be used.
pub(super) struct File {
    pub tag: String,
    pub identifier: LanguageIdentifier,
    pub resource: FluentResource,
    pub warnings: Vec<Problem>,
}

/// Reads `languages/xx.ftl`.
pub(super) fn read(name: &str, text: &str) -> Result<File, Vec<Problem>> {
    let path = format!("templates/{name}");
    let tag = name.trim_start_matches(FOLDER).trim_end_matches(".ftl");
    let Ok(identifier) = tag.parse::<LanguageIdentifier>() else {
        let problem = Problem::error(path, "language", format!("`{tag}` is not the tag of a language"));
        return Err(vec![problem.hint("expected a name like `languages/it.ftl` or `languages/pt-BR.ftl`")]);
    };
    let resource = FluentResource::try_new(text.to_owned()).map_err(|(_, errors)| {
        let problem = |error: &fluent_syntax::parser::ParserError| {
            let (line, column) = place(text, error.pos.start);
            Problem::error(path.clone(), "language", error.kind.to_string())
                .at(line, column)
                .hint("the file is written in Fluent; compare it with the English one of this version")
        };
        errors.iter().map(problem).collect::<Vec<_>>()
    })?;
    let warnings = compare(&path, text, &resource);
    Ok(File { tag: identifier.to_string(), identifier, resource, warnings })
}

/// A file of ours: what is wrong with it shows in the tests.
pub(super) fn lenient(text: &str) -> FluentResource {
    FluentResource::try_new(text.to_owned()).unwrap_or_else(|(resource, _)| resource)
}

fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// What it lacks, what it has too much, and where it wants to be told what nobody tells it.
fn compare(path: &str, text: &str, resource: &FluentResource) -> Vec<Problem> {
    let english = EMBEDDED.iter().find(|(tag, _)| *tag == ENGLISH).map(|(_, text)| *text).unwrap_or_default();
    let (english, own) = (messages(&lenient(english)), messages(resource));
    let missing: Vec<&str> = english.keys().filter(|key| !own.contains_key(*key)).map(String::as_str).collect();
    let mut problems = Vec::new();
    if !missing.is_empty() {
        let message = format!("{} of {} strings are missing: `{}`", missing.len(), english.len(), missing.join("`, `"));
        problems.push(Problem::warning(path, "language", message).hint("they are shown in English"));
    }
    for (key, variables) in &own {
        let line = line_of(text, key);
        match english.get(key) {
            None => {
                let problem = Problem::warning(path, "language", format!("no string is called `{key}`"));
                problems.push(problem.at(line, 1).hint("it is never shown; the English file has all names"));
            }
            Some(known) => problems.extend(variables.difference(known).map(|variable| {
                let message = format!("`{key}` is not told `${variable}`, so it is shown in English");
                Problem::warning(path, "language", message).at(line, 1).hint("the English file has all variables")
            })),
        }
    }
    problems
}

/// The line a message begins on; that of an attribute's message.
fn line_of(text: &str, key: &str) -> usize {
    let id = key.split('.').next().unwrap_or_default();
    let begins = |line: &str| line.strip_prefix(id).is_some_and(|rest| rest.trim_start().starts_with('='));
    text.lines().position(begins).map_or(0, |line| line + 1)
}

/// Every message and attribute with its variables, those of the messages it refers to included.
pub(super) fn messages(resource: &FluentResource) -> BTreeMap<String, BTreeSet<String>> {
    let mut direct: BTreeMap<String, Uses> = BTreeMap::new();
    for entry in resource.entries() {
        // A term is a file's own affair, and is told nothing from outside.
        let Entry::Message(message) = entry else { continue };
        let id = message.id.name;
        if let Some(value) = &message.value {
            direct.insert(id.to_owned(), Uses::of(value));
        }
        for attribute in &message.attributes {
            direct.insert(format!("{id}.{}", attribute.id.name), Uses::of(&attribute.value));
        }
    }
    direct.keys().map(|key| (key.clone(), all_variables(&direct, key))).collect()
}

fn all_variables(direct: &BTreeMap<String, Uses>, key: &str) -> BTreeSet<String> {
    let (mut variables, mut seen, mut next) = (BTreeSet::new(), BTreeSet::new(), vec![key.to_owned()]);
    while let Some(key) = next.pop() {
        let Some(uses) = direct.get(&key) else { continue };
        if seen.insert(key) {
            variables.extend(uses.variables.iter().cloned());
            next.extend(uses.messages.iter().cloned());
        }
    }
    variables
}

/// What a pattern names.
#[derive(Default)]
struct Uses {
    variables: BTreeSet<String>,
    messages: BTreeSet<String>,
}

impl Uses {
    fn of(pattern: &Pattern<&str>) -> Self {
        let mut uses = Self::default();
        uses.pattern(pattern);
        uses
    }

    fn pattern(&mut self, pattern: &Pattern<&str>) {
        for element in &pattern.elements {
            if let PatternElement::Placeable { expression } = element {
                self.expression(expression);
            }
        }
    }

    fn expression(&mut self, expression: &Expression<&str>) {
        match expression {
            Expression::Inline(inline) => self.inline(inline),
            Expression::Select { selector, variants } => {
                self.inline(selector);
                for variant in variants {
                    self.pattern(&variant.value);
                }
            }
        }
    }

    fn inline(&mut self, inline: &InlineExpression<&str>) {
        match inline {
            InlineExpression::VariableReference { id } => {
                self.variables.insert(id.name.to_owned());
            }
            InlineExpression::MessageReference { id, attribute } => {
                let attribute = attribute.as_ref().map(|a| format!(".{}", a.name)).unwrap_or_default();
                self.messages.insert(format!("{}{attribute}", id.name));
            }
            InlineExpression::Placeable { expression } => self.expression(expression),
            InlineExpression::FunctionReference { arguments, .. } => {
                for inner in &arguments.positional {
                    self.inline(inner);
                }
            }
            InlineExpression::StringLiteral { .. }
            | InlineExpression::NumberLiteral { .. }
            | InlineExpression::TermReference { .. } => {}
        }
    }
}
