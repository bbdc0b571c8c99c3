//! The filters of Liquid and Jekyll. Each takes a value and gives one; what a filter cannot use it passes through.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::text;
use super::value::{Value, length, whole};

pub(super) struct Env<'a> {
    pub zone: &'a TimeZone,
    pub now: Option<Timestamp>,
    /// `site.url` and `site.baseurl`.
    pub url: String,
    pub base: String,
    /// No text and no array grows beyond these.
    pub bytes: usize,
    pub items: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    Unknown,
    TooBig,
}

pub(super) fn apply(name: &str, input: &Value, arguments: &[Value], env: &Env<'_>) -> Result<Value, Failure> {
    if let Some(value) = list_filter(name, input, arguments, env) {
        return value;
    }
    // The rest print what they are given, and an array may print as far more than it takes in memory.
    let prints = |value: &Value| value.printed_size(env.bytes) > env.bytes;
    if prints(input) || arguments.iter().any(prints) || grown(name, input, arguments) > env.bytes {
        return Err(Failure::TooBig);
    }
    number_filter(name, input, arguments)
        .or_else(|| text_filter(name, &input.to_string(), arguments))
        .or_else(|| web_filter(name, input, env))
        .or_else(|| date_filter(name, input, arguments, env))
        .ok_or(Failure::Unknown)
}

/// How long the result of the filters that multiply gets.
fn grown(name: &str, input: &Value, arguments: &[Value]) -> usize {
    match name {
        "replace" => {
            let found = input.to_string().matches(&text_at(arguments, 0)).count();
            found.saturating_mul(text_at(arguments, 1).len())
        }
        "join" => input.items().len().saturating_mul(text_at(arguments, 0).len()),
        _ => 0,
    }
}

fn text_at(arguments: &[Value], index: usize) -> String {
    arguments.get(index).map(ToString::to_string).unwrap_or_default()
}

fn count_at(arguments: &[Value], index: usize, default: usize) -> usize {
    arguments.get(index).and_then(Value::int).map_or(default, |n| usize::try_from(n).unwrap_or(0))
}

/// Filters that never print what they are given.
fn list_filter(name: &str, input: &Value, arguments: &[Value], env: &Env<'_>) -> Option<Result<Value, Failure>> {
    let first = arguments.first();
    Some(Ok(match (name, input) {
        ("default", input) => {
            let empty = !input.is_true() || input.is_empty();
            if empty { first.cloned().unwrap_or_default() } else { input.clone() }
        }
        ("size", input) => input.get("size").unwrap_or(Value::Int(0)),
        ("first" | "last", input) => input.get(name).unwrap_or_default(),
        ("reverse", Value::Array(items)) => Value::array(items.iter().rev().cloned()),
        ("compact", Value::Array(items)) => Value::array(items.iter().filter(|v| **v != Value::Nil).cloned()),
        ("sort" | "sort_natural", Value::Array(items)) => {
            let key = first.map(ToString::to_string);
            let mut keyed: Vec<(Value, Value)> =
                items.iter().map(|item| (sort_key(name, item, key.as_deref()), item.clone())).collect();
            keyed.sort_by(|a, b| a.0.order(&b.0));
            Value::array(keyed.into_iter().map(|(_, item)| item))
        }
        ("map", Value::Array(items)) => {
            let key = text_at(arguments, 0);
            Value::array(items.iter().map(|item| at_path(item, &key)))
        }
        ("where", Value::Array(items)) => {
            let (key, wanted) = (text_at(arguments, 0), arguments.get(1));
            Value::array(items.iter().filter(|item| matches(&at_path(item, &key), wanted)).cloned())
        }
        ("concat", Value::Array(items)) => {
            let more = first.map(Value::items).unwrap_or_default();
            if items.len() + more.len() > env.items {
                return Some(Err(Failure::TooBig));
            }
            Value::array(items.iter().cloned().chain(more))
        }
        ("slice", Value::Array(items)) => {
            let (from, count) = slice_at(arguments, items.len());
            Value::array(items.iter().skip(from).take(count).cloned())
        }
        ("split", input) => return Some(split(&input.to_string(), &text_at(arguments, 0), env)),
        _ => return None,
    }))
}

fn split(text: &str, separator: &str, env: &Env<'_>) -> Result<Value, Failure> {
    if text.len() > env.bytes || text.matches(separator).count() > env.items {
        return Err(Failure::TooBig);
    }
    let mut parts: Vec<Value> = match separator {
        "" => text.chars().map(|c| Value::from(c.to_string())).collect(),
        " " => text.split_whitespace().map(Value::from).collect(),
        separator => text.split(separator).map(Value::from).collect(),
    };
    // As Ruby: no empty parts at the end.
    while parts.last().is_some_and(Value::is_empty) {
        parts.pop();
    }
    Ok(Value::array(parts))
}

fn sort_key(filter: &str, item: &Value, key: Option<&str>) -> Value {
    let value = key.map_or_else(|| item.clone(), |key| at_path(item, key));
    match value {
        Value::Str(text) if filter == "sort_natural" => text.to_lowercase().into(),
        value => value,
    }
}

fn at_path(item: &Value, path: &str) -> Value {
    path.split('.').try_fold(item.clone(), |value, key| value.get(key)).unwrap_or_default()
}

fn matches(value: &Value, wanted: Option<&Value>) -> bool {
    match (value, wanted) {
        (value, None) => value.is_true(),
        (Value::Array(items), Some(wanted)) => items.iter().any(|item| item.same(wanted)),
        (value, Some(wanted)) => value.same(wanted),
    }
}

/// Where a slice starts and how long it is; from the end when negative.
fn slice_at(arguments: &[Value], size: usize) -> (usize, usize) {
    let start = arguments.first().and_then(Value::int).unwrap_or_default();
    let distance = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
    let from = if start >= 0 { distance } else { size.saturating_sub(distance) };
    (from, count_at(arguments, 1, 1))
}

fn text_filter(name: &str, input: &str, arguments: &[Value]) -> Option<Value> {
    let argument = || text_at(arguments, 0);
    Some(Value::from(match name {
        "append" => format!("{input}{}", argument()),
        "prepend" => format!("{}{input}", argument()),
        "replace" => input.replace(&argument(), &text_at(arguments, 1)),
        "replace_first" => input.replacen(&argument(), &text_at(arguments, 1), 1),
        "remove" => input.replace(&argument(), ""),
        "remove_first" => input.replacen(&argument(), "", 1),
        "upcase" => input.to_uppercase(),
        "downcase" => input.to_lowercase(),
        "capitalize" => text::capitalize(input),
        "strip" => input.trim().to_owned(),
        "lstrip" => input.trim_start().to_owned(),
        "rstrip" => input.trim_end().to_owned(),
        "strip_html" => text::strip_html(input),
        "strip_newlines" => input.replace(['\r', '\n'], ""),
        "newline_to_br" => input.replace("\r\n", "\n").replace('\n', "<br />\n"),
        "normalize_whitespace" => input.split_whitespace().collect::<Vec<_>>().join(" "),
        "escape" | "xml_escape" | "h" => text::escape(input),
        "escape_once" => text::escape(&text::unescape(input)),
        "cgi_escape" | "url_encode" => text::percent_encode(input, "-_.", "+"),
        "uri_escape" => text::percent_encode(input, "-_.!~*'();/?:@&=+$,[]#%", "%20"),
        "truncate" => {
            let ellipsis = arguments.get(1).map_or_else(|| "...".into(), ToString::to_string);
            text::truncate(input, count_at(arguments, 0, 50), &ellipsis)
        }
        "truncatewords" => {
            let ellipsis = arguments.get(1).map_or_else(|| "...".into(), ToString::to_string);
            text::truncate_words(input, count_at(arguments, 0, 15), &ellipsis)
        }
        "slugify" => text::slugify(input),
        "slice" => {
            let (from, count) = slice_at(arguments, input.chars().count());
            input.chars().skip(from).take(count).collect()
        }
        // The post's text is Markdown still, and becomes HTML as a whole.
        "markdownify" | "smartify" | "liquify" => input.to_owned(),
        "number_of_words" => return Some(length(input.split_whitespace().count())),
        _ => return None,
    }))
}

fn web_filter(name: &str, input: &Value, env: &Env<'_>) -> Option<Value> {
    Some(match (name, input) {
        ("relative_url", input) => relative(&env.base, &input.to_string()).into(),
        ("absolute_url", input) => absolute(env, &input.to_string()).into(),
        ("jsonify" | "inspect", input) => input.to_json().to_string().into(),
        ("uniq", Value::Array(items)) => {
            let mut seen = BTreeSet::new();
            Value::array(items.iter().filter(|item| seen.insert(item.to_json().to_string())).cloned())
        }
        _ => return None,
    })
}

fn is_absolute(address: &str) -> bool {
    address.contains("://") || address.starts_with("//") || address.starts_with("mailto:")
}

fn relative(base: &str, path: &str) -> String {
    if is_absolute(path) {
        return path.to_owned();
    }
    let base = base.trim_matches('/');
    let path = path.trim_start_matches('/');
    if base.is_empty() { format!("/{path}") } else { format!("/{base}/{path}") }
}

fn absolute(env: &Env<'_>, path: &str) -> String {
    if is_absolute(path) {
        return path.to_owned();
    }
    format!("{}{}", env.url.trim_end_matches('/'), relative(&env.base, path))
}

fn date_filter(name: &str, input: &Value, arguments: &[Value], env: &Env<'_>) -> Option<Value> {
    let pattern = match name {
        "date" => arguments.first().map(ToString::to_string).unwrap_or_default(),
        "date_to_xmlschema" => "%Y-%m-%dT%H:%M:%S%:z".into(),
        "date_to_rfc822" => "%a, %d %b %Y %H:%M:%S %z".into(),
        "date_to_string" => "%d %b %Y".into(),
        "date_to_long_string" => "%d %B %Y".into(),
        _ => return None,
    };
    let written = text::moment(&input.to_string(), env.zone, env.now).and_then(|at| text::date(&at, &pattern));
    Some(written.filter(|text| !text.is_empty()).map_or_else(|| input.clone(), Value::from))
}

fn number_filter(name: &str, input: &Value, arguments: &[Value]) -> Option<Value> {
    if name == "join" {
        let parts: Vec<String> = input.items().iter().map(ToString::to_string).collect();
        let separator = arguments.first().map_or_else(|| " ".into(), ToString::to_string);
        return Some(parts.join(&separator).into());
    }
    if name == "array_to_sentence_string" {
        let parts: Vec<String> = input.items().iter().map(ToString::to_string).collect();
        return Some(crate::domain::wording::list(&parts).into());
    }
    let n = || input.number().unwrap_or_default();
    Some(match name {
        "plus" | "minus" | "times" | "divided_by" | "modulo" => {
            calculate(name, input, arguments.first().unwrap_or(&Value::Nil))
        }
        "round" if arguments.first().and_then(Value::int).is_some_and(|places| places > 0) => {
            let places = i32::try_from(count_at(arguments, 0, 0).min(15)).unwrap_or_default();
            Value::Float((n() * 10_f64.powi(places)).round() / 10_f64.powi(places))
        }
        "round" => Value::Int(whole(n().round())),
        "ceil" => Value::Int(whole(n().ceil())),
        "floor" => Value::Int(whole(n().floor())),
        "abs" => input
            .int()
            .filter(|_| is_int(input))
            .map_or_else(|| Value::Float(n().abs()), |n| Value::Int(n.saturating_abs())),
        "at_least" | "at_most" => {
            let other = arguments.first().cloned().unwrap_or_default();
            let keep = (n() >= other.number().unwrap_or_default()) == (name == "at_least");
            if keep { input.clone() } else { other }
        }
        "to_integer" => Value::Int(input.int().unwrap_or_default()),
        _ => return None,
    })
}

fn is_int(value: &Value) -> bool {
    match value {
        Value::Int(_) | Value::Nil => true,
        Value::Str(text) => !text.contains('.'),
        _ => false,
    }
}

/// In whole numbers while both are, rounding down as Ruby does.
fn calculate(name: &str, left: &Value, right: &Value) -> Value {
    if is_int(left) && is_int(right) {
        let (a, b) = (left.int().unwrap_or_default(), right.int().unwrap_or_default());
        let result = match name {
            "plus" => a.checked_add(b),
            "minus" => a.checked_sub(b),
            "times" => a.checked_mul(b),
            "divided_by" => a.checked_div(b).map(|q| if a % b != 0 && (a < 0) != (b < 0) { q - 1 } else { q }),
            _ => a.checked_rem(b).map(|r| if r != 0 && (r < 0) != (b < 0) { r + b } else { r }),
        };
        if let Some(result) = result {
            return Value::Int(result);
        }
        if b == 0 {
            return left.clone();
        }
    }
    let (a, b) = (left.number().unwrap_or_default(), right.number().unwrap_or_default());
    Value::Float(match name {
        "plus" => a + b,
        "minus" => a - b,
        "times" => a * b,
        "divided_by" => a / b,
        _ => a - b * (a / b).floor(),
    })
}
