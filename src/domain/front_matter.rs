//! The block of metadata a post begins with: YAML between `---`, TOML between `+++`, or one JSON object. Finds it, reads
//! it into one neutral value, and says where it is wrong. Knows nothing of what the keys mean.

use serde_json::{Map, Value};

use super::problem::Problem;

/// Larger front matter is refused: no real one comes near, hostile ones do.
const MAX_BYTES: usize = 256 * 1024;

/// The code of the problem with a key that is there twice.
const TWICE: &str = "duplicate-key";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Yaml,
    Toml,
    Json,
    /// The file starts with its text.
    None,
}

/// A post's two halves.
#[derive(Debug, Clone, PartialEq)]
pub struct Split<'a> {
    pub kind: Kind,
    pub matter: &'a str,
    /// The line of the file on which `matter` starts, from 1.
    pub matter_line: usize,
    pub body: &'a str,
    /// The line of the file on which `body` starts, from 1.
    pub body_line: usize,
}

/// Cuts a file in two. An error names the line on which the block was opened and never closed.
pub fn split(text: &str) -> Result<Split<'_>, (usize, &'static str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default().trim_end();
    match first {
        "---" => fenced(text, Kind::Yaml, &["---", "..."]),
        "+++" => fenced(text, Kind::Toml, &["+++"]),
        _ if first.starts_with('{')
            && !first.starts_with("{%")
            && !first.starts_with("{{")
            && !first.starts_with("{:") =>
        {
            Ok(json(text))
        }
        _ => Ok(Split { kind: Kind::None, matter: "", matter_line: 1, body: text, body_line: 1 }),
    }
}

fn fenced<'a>(text: &'a str, kind: Kind, closing: &[&str]) -> Result<Split<'a>, (usize, &'static str)> {
    let start = text.find('\n').map_or(text.len(), |n| n + 1);
    let mut at = start;
    for (index, line) in text[start..].split_inclusive('\n').enumerate() {
        let end = at + line.len();
        if closing.contains(&line.trim_end()) {
            return Ok(Split {
                kind,
                matter: &text[start..at],
                matter_line: 2,
                body: &text[end..],
                body_line: index + 3,
            });
        }
        at = end;
    }
    Err((1, if kind == Kind::Yaml { "---" } else { "+++" }))
}

fn json(text: &str) -> Split<'_> {
    let mut objects = serde_json::Deserializer::from_str(text).into_iter::<Map<String, Value>>();
    match objects.next() {
        Some(Ok(_)) => {
            let end = objects.byte_offset();
            let (matter, body) = text.split_at(end);
            let skip = body.find('\n').map_or(0, |n| if body[..n].trim().is_empty() { n + 1 } else { 0 });
            let body_line = 1 + text[..end + skip].matches('\n').count();
            Split { kind: Kind::Json, matter, matter_line: 1, body: &body[skip..], body_line }
        }
        _ => Split { kind: Kind::Json, matter: text, matter_line: 1, body: "", body_line: 1 },
    }
}

/// Reads the block. Problems carry the line and column of the file, not of the block.
pub fn read(path: &str, split: &Split<'_>) -> Result<Map<String, Value>, Problem> {
    if split.matter.len() > MAX_BYTES {
        return Err(Problem::error(path, "front-matter", "the front matter is larger than 256 kB")
            .at(split.matter_line, 1)
            .hint("move the text below the front matter"));
    }
    match split.kind {
        Kind::None => Ok(Map::new()),
        Kind::Yaml => yaml(path, split, serde_saphyr::Options::default()),
        Kind::Toml => toml(path, split),
        Kind::Json => serde_json::from_str(split.matter).map_err(|e| {
            Problem::error(
                path,
                "front-matter",
                format!("the JSON front matter cannot be read: {}", without_position(&e.to_string())),
            )
            .at(e.line().max(1), e.column().max(1))
            .hint("the file must begin with one JSON object, `{ \"title\": ... }`, then the text")
        }),
    }
}

/// As Jekyll reads it: of a key that is there twice the last counts, and the problem is a warning.
pub fn read_last(path: &str, split: &Split<'_>) -> Result<(Map<String, Value>, Option<Problem>), Problem> {
    let problem = match read(path, split) {
        Ok(front) => return Ok((front, None)),
        Err(problem) if problem.code == TWICE => problem,
        Err(problem) => return Err(problem),
    };
    let options = serde_saphyr::options! { duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins };
    let front = yaml(path, split, options)?;
    let told = Problem::warning(path, TWICE, format!("{}, and the last one counts", problem.message));
    Ok((front, Some(told.at(problem.line, problem.column).hint("remove the others"))))
}

fn yaml(path: &str, split: &Split<'_>, options: serde_saphyr::Options) -> Result<Map<String, Value>, Problem> {
    if split.matter.trim().is_empty() {
        return Ok(Map::new());
    }
    match serde_saphyr::from_str_with_options::<Value>(split.matter, options) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err(Problem::error(path, "front-matter", "the front matter is not a list of `key: value` lines")
            .at(split.matter_line, 1)
            .hint("write one `key: value` a line, `title: ...` first")),
        Err(error) => {
            let (line, column) = error.location().map_or((1, 1), |l| {
                (usize::try_from(l.line()).unwrap_or(1).max(1), usize::try_from(l.column()).unwrap_or(1).max(1))
            });
            let (line, column) = (split.matter_line + line - 1, column);
            if let serde_saphyr::Error::DuplicateMappingKey { key, .. } = error.without_snippet() {
                let key = key.as_ref().map_or_else(|| "a key".to_owned(), |key| format!("`{key}`"));
                let message = format!("the front matter has {key} twice");
                return Err(Problem::error(path, TWICE, message).at(line, column).hint("remove one of them"));
            }
            let sentence = first_sentence(&error.to_string());
            let message = without_place(&sentence);
            Err(Problem::error(path, "front-matter", format!("the YAML front matter cannot be read: {message}"))
                .at(line, column)
                .hint(yaml_hint(message)))
        }
    }
}

/// By what the parser complains about.
fn yaml_hint(message: &str) -> &'static str {
    let tells = |words: &str| message.contains(words);
    match () {
        () if tells("found a tab") || tells("tabs") => "indent with spaces: YAML takes no tabs",
        () if tells("\\u{") => "a character that no text has is there: write the line anew",
        () if tells("unclosed bracket") => "close it, or put the text into quotes: `title: \"[a\"`",
        () if tells("unclosed quote") => "close the quote, or double it if it is part of the text: `'it''s'`",
        () if tells("expected ':'") => "write `key: value`, with a colon and a space",
        () => "a title with a colon, a quote or a leading `@`, `*`, `&` wants quotes: `title: \"a: b\"`",
    }
}

fn toml(path: &str, split: &Split<'_>) -> Result<Map<String, Value>, Problem> {
    let table: toml::Table = split.matter.parse().map_err(|e: toml::de::Error| {
        let (line, column) = e.span().map_or((1, 1), |s| position(split.matter, s.start));
        Problem::error(
            path,
            "front-matter",
            format!("the TOML front matter cannot be read: {}", first_sentence(e.message())),
        )
        .at(split.matter_line + line - 1, column)
        .hint("text wants quotes in TOML: `title = \"...\"`; dates do not: `date = 2021-05-07`")
    })?;
    Ok(table.into_iter().map(|(key, value)| (key, from_toml(value))).collect())
}

fn from_toml(value: toml::Value) -> Value {
    match value {
        toml::Value::String(s) => Value::String(s),
        toml::Value::Integer(n) => Value::from(n),
        toml::Value::Float(n) => Value::from(n),
        toml::Value::Boolean(b) => Value::Bool(b),
        toml::Value::Datetime(d) => Value::String(d.to_string()),
        toml::Value::Array(list) => list.into_iter().map(from_toml).collect(),
        toml::Value::Table(table) => Value::Object(table.into_iter().map(|(k, v)| (k, from_toml(v))).collect()),
    }
}

/// Line and column (in characters), both from 1, of a byte offset.
#[must_use]
pub fn position(text: &str, offset: usize) -> (usize, usize) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let line_start = before.rfind('\n').map_or(0, |n| n + 1);
    (1 + before.matches('\n').count(), 1 + before[line_start..].chars().count())
}

/// Where a top-level key stands, as line and column of the file; the block's first line if it is not found.
#[must_use]
pub fn line_of(split: &Split<'_>, key: &str) -> (usize, usize) {
    for (index, line) in split.matter.lines().enumerate() {
        let trimmed = line.trim_start();
        let name = trimmed.trim_start_matches(['"', '\'']);
        let Some(rest) = name.strip_prefix(key) else { continue };
        if rest.trim_start_matches(['"', '\'']).trim_start().starts_with([':', '=']) {
            return (split.matter_line + index, line.len() - trimmed.len() + 1);
        }
    }
    (split.matter_line, 1)
}

fn first_sentence(message: &str) -> String {
    message
        .lines()
        .find(|l| !l.trim().is_empty())
        .unwrap_or("unknown error")
        .trim()
        .trim_start_matches("error: ")
        .to_owned()
}

/// The parser counts lines from the front matter's first, people from the file's.
fn without_place(message: &str) -> &str {
    match message.strip_prefix("line ").and_then(|rest| rest.split_once(": ")) {
        Some((place, rest)) if place.contains(" column ") => rest,
        _ => message,
    }
}

fn without_position(message: &str) -> &str {
    message.split(" at line ").next().unwrap_or(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        let split = split(text).unwrap();
        read("p.md", &split).unwrap().keys().cloned().collect()
    }

    #[test]
    fn each_kind_of_front_matter_is_found_and_read() {
        for (text, kind, body, line) in [
            ("---\ntitle: A\n---\nBody\n", Kind::Yaml, "Body\n", 4),
            ("---  \r\ntitle: A\r\n---\r\nBody", Kind::Yaml, "Body", 4),
            ("\u{feff}---\ntitle: A\n...\nBody", Kind::Yaml, "Body", 4),
            ("---\n---\nBody", Kind::Yaml, "Body", 3),
            ("+++\ntitle = \"A\"\n+++\nBody", Kind::Toml, "Body", 4),
            ("{\n \"title\": \"A\"\n}\nBody", Kind::Json, "Body", 4),
            ("Body", Kind::None, "Body", 1),
            ("{% include x %}\nBody", Kind::None, "{% include x %}\nBody", 1),
            ("", Kind::None, "", 1),
        ] {
            let got = split(text).unwrap();
            assert_eq!((got.kind, got.body, got.body_line), (kind, body, line), "{text:?}");
        }
        assert_eq!(keys("---\ntitle: A\ndraft: yes\n---\n"), ["draft", "title"]);
        assert_eq!(keys("+++\ntitle = 'A'\ndate = 2021-05-07\n[extra]\nx = 1\n+++\n"), ["date", "extra", "title"]);
    }

    #[test]
    fn an_unclosed_block_is_an_error_and_not_a_text() {
        assert_eq!(split("---\ntitle: A\n\nBody"), Err((1, "---")));
        assert_eq!(split("+++\ntitle = 1\n"), Err((1, "+++")));
    }

    #[test]
    fn errors_name_the_line_of_the_file() {
        for (text, line) in [
            ("---\ntitle: A\ntags: [a\n---\n", 3),
            ("---\ntitle: a: b\n---\n", 2),
            ("+++\ntitle = A\n+++\n", 2),
            ("{\n \"title\": }\nBody", 2),
        ] {
            let split = split(text).unwrap();
            let problem = read("p.md", &split).unwrap_err();
            assert!((line..=line + 1).contains(&problem.line), "{text:?}: {problem}");
            assert!(!problem.message.contains('\n'));
        }
    }

    #[test]
    fn what_is_wrong_with_yaml_is_told_with_one_place_and_what_to_do() {
        for (matter, place, message, hint) in [
            ("title: A\ntitle: B", (3, 1), "the front matter has `title` twice", "remove one"),
            ("title: A\n\ttags: b", (2, 8), "found a tab", "spaces"),
            ("title: A\0b", (2, 9), "unexpected character", "write the line anew"),
            ("tags: [a", (2, 7), "unclosed bracket", "close it"),
            ("title: \"a", (2, 8), "unclosed quote", "close the quote"),
            ("title: A\nauthor\ndate: 2021", (3, 1), "expected ':'", "`key: value`"),
            ("title: a: b", (2, 9), "mapping values are not allowed", "wants quotes"),
        ] {
            let text = format!("---\n{matter}\n---\n");
            let problem = read("p.md", &split(&text).unwrap()).unwrap_err();
            assert_eq!((problem.line, problem.column), place, "{matter:?}: {problem}");
            assert!(problem.message.contains(message) && !problem.message.contains("line "), "{problem}");
            assert!(problem.hint.as_ref().unwrap().contains(hint), "{problem}: {:?}", problem.hint);
        }
    }

    #[test]
    fn of_a_key_that_is_there_twice_the_last_counts_where_jekyll_reads() {
        let text = "---\ntitle: A\ntags: x\ntitle: B\ntitle: C\n---\n";
        let (front, problem) = read_last("p.md", &split(text).unwrap()).unwrap();
        assert_eq!(front["title"], "C");
        let problem = problem.unwrap();
        assert!(!problem.is_error() && problem.line == 4 && problem.message.contains("`title` twice"), "{problem}");
        assert!(read_last("p.md", &split("---\na: 1\na: [\n---\n").unwrap()).is_err());
        assert_eq!(read_last("p.md", &split("---\na: 1\n---\n").unwrap()).unwrap().1, None);
    }

    #[test]
    fn hostile_yaml_is_refused_quickly() {
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for n in 1..12 {
            let refs = vec![format!("*a{}", n - 1); 10].join(",");
            bomb.push_str(&format!("a{n}: &a{n} [{refs}]\n"));
        }
        let deep = format!("a: {}{}\n", "[".repeat(20_000), "]".repeat(20_000));
        for matter in [bomb, deep] {
            let text = format!("---\n{matter}---\nBody");
            assert!(read("p.md", &split(&text).unwrap()).is_err());
        }
    }

    #[test]
    fn hostile_toml_and_json_are_refused_without_overflowing_the_stack() {
        let toml = format!("+++\na = {}{}\n+++\n", "[".repeat(20_000), "]".repeat(20_000));
        assert!(read("p.md", &split(&toml).unwrap()).is_err());
        let json = format!("{{\"a\": {}{}}}\nBody", "[".repeat(20_000), "]".repeat(20_000));
        assert!(read("p.md", &split(&json).unwrap()).is_err());
    }

    #[test]
    fn a_key_is_found_on_its_line() {
        let text = "---\ntitle: A\n  \"date\": x\n---\n";
        assert_eq!(line_of(&split(text).unwrap(), "date"), (3, 3));
    }
}
