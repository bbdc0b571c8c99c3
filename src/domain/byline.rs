//! Reads bylines: lists, objects, and the many ways people put several authors into one line. Knows nothing of files.

use serde_json::{Map, Value};

use super::author::Author;
use super::subscriber::Address;

/// How the configuration names an author, and what it adds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    pub author: Author,
    pub aliases: Vec<String>,
}

/// Reads a front matter value: a line, a list of lines or objects, or one object.
#[must_use]
pub fn read(value: &Value, known: &[Known]) -> Vec<Author> {
    let mut authors = Vec::new();
    collect(value, known, &mut authors);
    let mut unique: Vec<Author> = Vec::with_capacity(authors.len());
    for author in authors {
        if !unique.iter().any(|a| a.is(&author.name)) {
            unique.push(author);
        }
    }
    unique
}

fn collect(value: &Value, known: &[Known], into: &mut Vec<Author>) {
    match value {
        Value::String(line) => into.extend(from_line(line, known)),
        Value::Array(list) => list.iter().for_each(|item| match item {
            // One entry of a list is one author, unless it plainly names several.
            Value::Array(_) => {}
            _ => collect(item, known, into),
        }),
        Value::Object(object) => into.extend(from_object(object, known)),
        _ => {}
    }
}

fn from_object(object: &Map<String, Value>, known: &[Known]) -> Option<Author> {
    let text = |keys: &[&str]| {
        keys.iter()
            .find_map(|k| object.get(*k))
            .and_then(Value::as_str)
            .map(str::trim)
            .filter(|s| !s.is_empty())
            .map(str::to_owned)
    };
    let name = text(&["name", "display_name", "title"])?;
    let author = Author {
        name: clean(&name),
        // Many write one that machines cannot read on purpose; Atom takes none such.
        email: text(&["email", "mail"]).filter(|email| Address::parse(email).is_ok()),
        uri: text(&["url", "uri", "link", "homepage", "website", "web"]).filter(|uri| is_of_the_web(uri)),
        organisation: text(&["organisation", "organization", "org", "affiliation", "company"]),
    };
    Some(enrich(author, known))
}

/// `A, B` · `A and B` · `A & B` · `A (Org, with comma), B (Org)` · `<a href="...">A</a>` · `A <a@example.org>`.
#[must_use]
pub fn from_line(line: &str, known: &[Known]) -> Vec<Author> {
    if let Some(whole) = alias(line, known) {
        return vec![whole.author.clone()];
    }
    let mut pieces: Vec<String> = Vec::new();
    for piece in split(line) {
        match pieces.last_mut() {
            Some(before) if is_suffix(&piece) => {
                before.push_str(", ");
                before.push_str(piece.trim());
            }
            _ => pieces.push(piece),
        }
    }
    pieces.iter().filter_map(|piece| one(piece)).map(|author| enrich(author, known)).collect()
}

/// Cuts at `,`, `;`, `&`, `and` and `with` that stand outside brackets, quotes of attributes and tags.
fn split(line: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut depth = 0_usize;
    let mut in_tag = false;
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let outside = depth == 0 && !in_tag;
        if outside && let Some(length) = separator(rest, pieces.last().is_none_or(|p| p.ends_with(char::is_whitespace)))
        {
            pieces.push(String::new());
            rest = &rest[length..];
            continue;
        }
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '<' => in_tag = true,
            '>' => in_tag = false,
            _ => {}
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    pieces.retain(|p| !p.trim().is_empty());
    pieces
}

/// The length of the separator `rest` begins with.
fn separator(rest: &str, after_space: bool) -> Option<usize> {
    if rest.starts_with([',', ';']) {
        return Some(1);
    }
    if rest.starts_with("&amp;") {
        return after_space.then_some(5);
    }
    if let Some(after) = rest.strip_prefix('&') {
        return (after_space && after.starts_with(' ')).then_some(1);
    }
    if !after_space {
        return None;
    }
    ["and ", "And ", "with ", "und ", "et "].iter().find(|word| rest.starts_with(**word)).map(|word| word.len())
}

fn is_suffix(piece: &str) -> bool {
    let piece = piece.trim().trim_end_matches('.').to_lowercase().replace('.', "");
    matches!(
        piece.as_str(),
        "jr" | "sr" | "ii" | "iii" | "iv" | "phd" | "md" | "msc" | "bsc" | "esq" | "inc" | "llc" | "ltd" | "gmbh"
    )
}

fn one(piece: &str) -> Option<Author> {
    let uri = href(piece);
    let email = address(piece);
    let text = clean(&without_tags(piece));
    let (name, organisation) = bracketed(&text);
    (!name.is_empty()).then_some(Author { name, email, uri, organisation })
}

/// `A (Org)` -> `A`, `Org`.
fn bracketed(text: &str) -> (String, Option<String>) {
    let close = match text.chars().last() {
        Some(')') => '(',
        Some(']') => '[',
        _ => return (text.to_owned(), None),
    };
    match text.find(close) {
        Some(open) if open > 0 => {
            let organisation = text[open + 1..text.len() - 1].trim();
            (text[..open].trim().to_owned(), (!organisation.is_empty()).then(|| organisation.to_owned()))
        }
        _ => (text.to_owned(), None),
    }
}

/// Nothing that a reader's program would run: `javascript:`, however it is broken up.
fn is_of_the_web(uri: &str) -> bool {
    match url::Url::parse(uri) {
        Ok(url) => matches!(url.scheme(), "http" | "https"),
        Err(error) => error == url::ParseError::RelativeUrlWithoutBase,
    }
}

fn href(piece: &str) -> Option<String> {
    let after = &piece[piece.find("href")? + 4..];
    let after = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = after.chars().next()?;
    let url = match quote {
        '"' | '\'' => after[1..].split(quote).next()?,
        _ => after.split([' ', '>']).next()?,
    };
    let url = url.trim();
    (url.contains('/') && is_of_the_web(url)).then(|| url.to_owned())
}

fn address(piece: &str) -> Option<String> {
    let inner = &piece[piece.find('<')? + 1..];
    let inner = inner.split('>').next()?.trim();
    (inner.contains('@') && !inner.contains(char::is_whitespace)).then(|| inner.to_owned())
}

fn without_tags(piece: &str) -> String {
    let mut out = String::with_capacity(piece.len());
    let mut rest = piece;
    while let Some(open) = rest.find('<') {
        out.push_str(&rest[..open]);
        rest = rest[open..].find('>').map_or("", |close| &rest[open + close + 1..]);
    }
    out + rest
}

fn clean(text: &str) -> String {
    let text = text.replace("&amp;", "&").replace("&nbsp;", " ").replace("&#39;", "'").replace("&quot;", "\"");
    text.split_whitespace().collect::<Vec<_>>().join(" ").trim_matches([',', ';']).to_owned()
}

fn alias<'a>(name: &str, known: &'a [Known]) -> Option<&'a Known> {
    known
        .iter()
        .find(|k| k.author.is(name) || k.aliases.iter().any(|a| a.trim().to_lowercase() == name.trim().to_lowercase()))
}

/// What the configuration knows of an author stands behind what the post says.
fn enrich(author: Author, known: &[Known]) -> Author {
    let Some(found) = alias(&author.name, known) else { return author };
    let configured = found.author.clone();
    Author {
        name: configured.name,
        email: author.email.or(configured.email),
        uri: author.uri.or(configured.uri),
        organisation: author.organisation.or(configured.organisation),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<String> {
        from_line(line, &[])
            .into_iter()
            .map(|a| a.organisation.map_or(a.name.clone(), |o| format!("{} @ {o}", a.name)))
            .collect()
    }

    #[test]
    fn one_line_may_name_several_authors() {
        for (line, want) in [
            ("Ada Lovelace", vec!["Ada Lovelace"]),
            ("Nicholas S, Genevieve B", vec!["Nicholas S", "Genevieve B"]),
            ("A and B", vec!["A", "B"]),
            ("A, B, and C", vec!["A", "B", "C"]),
            ("A & B", vec!["A", "B"]),
            ("A &amp; B", vec!["A", "B"]),
            ("A; B with C", vec!["A", "B", "C"]),
            (
                "A (Coiled), B (NVIDIA), C (Oxford University)",
                vec!["A @ Coiled", "B @ NVIDIA", "C @ Oxford University"],
            ),
            ("A (Centre for Birds, Bees and Trees) and B", vec!["A @ Centre for Birds, Bees and Trees", "B"]),
            ("the Dask Team", vec!["the Dask Team"]),
            ("Martin Luther King, Jr., Rosa Parks", vec!["Martin Luther King, Jr.", "Rosa Parks"]),
            ("Sandy Anders", vec!["Sandy Anders"]),
            ("AT&T Labs", vec!["AT&T Labs"]),
            ("  ", vec![]),
            (", ,", vec![]),
            ("(nobody)", vec!["(nobody)"]),
        ] {
            assert_eq!(names(line), want, "{line}");
        }
    }

    #[test]
    fn an_authors_address_runs_nothing() {
        for (url, kept) in [
            ("https://a.example/ann", true),
            ("/about/ann", true),
            ("about/ann/", true),
            ("javascript:alert(1)", false),
            ("java\nscript:alert(1)", false),
            ("data:text/html,x", false),
        ] {
            let authors = read(&serde_json::json!([{"name": "Ann", "url": url}]), &[]);
            assert_eq!(authors[0].uri.as_deref(), kept.then_some(url), "{url}");
        }
        let mail = |text: &str| read(&serde_json::json!([{"name": "Ann", "email": text}]), &[])[0].email.clone();
        assert_eq!((mail("ann at example.org"), mail("ann@example.org")), (None, Some("ann@example.org".to_owned())));
    }

    #[test]
    fn links_and_addresses_are_taken_out_of_the_name() {
        let got =
            from_line("<a href=\"https://stsievert.com\">Scott Sievert</a> (University of Wisconsin–Madison)", &[]);
        assert_eq!(got.len(), 1);
        assert_eq!(got[0].name, "Scott Sievert");
        assert_eq!(got[0].uri.as_deref(), Some("https://stsievert.com"));
        assert_eq!(got[0].organisation.as_deref(), Some("University of Wisconsin–Madison"));
        let got = from_line("Ada <ada@example.org> and <a href='javascript:x'>Eve</a>", &[]);
        assert_eq!(got[0].email.as_deref(), Some("ada@example.org"));
        assert_eq!((got[1].name.as_str(), &got[1].uri), ("Eve", &None));
    }

    #[test]
    fn lists_and_objects_are_read_and_nobody_is_named_twice() {
        let value = serde_json::json!(["Ada", {"name": "Bo", "url": "https://bo.example", "email": "bo@example.org"}, "ada", 3, null]);
        let got = read(&value, &[]);
        assert_eq!(got.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["Ada", "Bo"]);
        assert_eq!(got[1].email.as_deref(), Some("bo@example.org"));
    }

    #[test]
    fn aliases_give_the_full_name_and_address() {
        let known = [Known {
            author: Author {
                name: "Ada Lovelace".into(),
                uri: Some("https://ada.example".into()),
                ..Author::default()
            },
            aliases: vec!["ada".into(), "Lovelace, Ada".into()],
        }];
        for line in ["Ada", "ada lovelace", "Lovelace, Ada"] {
            let got = from_line(line, &known);
            assert_eq!((got.len(), got[0].name.as_str()), (1, "Ada Lovelace"), "{line}");
            assert_eq!(got[0].uri.as_deref(), Some("https://ada.example"));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_line_makes_the_reader_panic(line in "[\\PC<>()\\[\\]&,;]{0,60}") {
            let _ = from_line(&line, &[]);
        }
    }
}
