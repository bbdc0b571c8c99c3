//! Holds the import table of ARCHITECTURE.md over the source text: which module may name which, and what the pure rooms
//! must not name at all. Knows no types; it reads paths.

use std::fs;
use std::path::Path;

/// Each module, and the modules of ours it may name beside itself.
const TABLE: [(&str, &[&str]); 11] = [
    ("domain", &[]),
    ("clock", &[]),
    ("render", &["domain"]),
    ("config", &["domain"]),
    ("scan", &["domain", "config"]),
    ("publish", &["domain", "config"]),
    ("store", &["domain", "config"]),
    ("mail", &["domain", "render", "config", "clock", "store"]),
    ("http", &["domain", "render", "config", "clock", "store"]),
    ("daemon", &["domain", "clock", "render", "config", "scan", "publish", "store", "mail", "http"]),
    ("cli", &["domain", "clock", "render", "config", "scan", "publish", "store", "mail", "http", "daemon"]),
];

const PURE: [&str; 2] = ["domain", "render"];
/// What lies behind the store's trait, nobody's business but the store's.
const BEHIND_THE_TRAIT: [&str; 4] = ["sqlite", "postgres", "shared", "errors"];
const IMPURE_CRATES: [&str; 10] =
    ["tokio", "sqlx", "axum", "notify", "rand", "getrandom", "reqwest", "rustix", "tracing", "rayon"];
const IMPURE_STD: [&str; 5] = ["fs", "net", "env", "process", "thread"];
const CLOCKS: [&str; 6] = ["SystemTime", "Instant", "Timestamp", "ZonedDateTime", "Zoned", "Utc"];
const EMPTY_NAMES: [&str; 7] = ["utils", "common", "helpers", "types", "models", "manager", "core"];

#[test]
fn every_module_names_only_what_the_table_allows() {
    let mut found = Vec::new();
    let mut files = 0;
    for_each_source(Path::new("src"), &mut |path, text| {
        files += 1;
        found.extend(breaches(path, text));
    });
    assert!(files > 50, "only {files} source files were read: is this the package's folder?");
    assert!(found.is_empty(), "against the import table:\n{}", found.join("\n"));
}

#[test]
fn a_breach_is_found_where_it_stands() {
    let sample = r##"
//! Speaks of crate::store and tokio::spawn, which a comment may.
use crate::domain::post::Post;
use crate::{
    domain::goal::{Goal, store::Other},
    store::Store,
};
const TEXT: &str = "crate::cli and \" std::fs";
const RAW: &str = r#"crate::cli "quoted" std::net"#;
fn quote<'a>(c: char) -> bool { c == '"' || c == '\'' }
fn f() { let _ = super::super::config::load(); let _ = super::sibling::load(); }
use std::{fmt, fs::File};
async fn g() { tokio::spawn(async {}); let _ = jiff::Timestamp::now(); }
mod helpers {}
"##;
    assert_eq!(
        breaches("src/render/feed.rs", sample),
        [
            "src/render/feed.rs:6: `render` may not name `store`",
            "src/render/feed.rs:11: `render` may not name `config`",
            "src/render/feed.rs:12: `render` is pure and names `std::fs`",
            "src/render/feed.rs:13: `render` is pure and names `Timestamp::now`",
            "src/render/feed.rs:13: `render` is pure and names `tokio`",
            "src/render/feed.rs:14: a module called `helpers` says nothing of what it knows",
        ]
    );
    let one = |path: &str, text: &str| breaches(path, text).join("\n");
    assert_eq!(one("src/mail/outbox.rs", "use crate::http::x;"), "src/mail/outbox.rs:1: `mail` may not name `http`");
    assert_eq!(one("src/mail/outbox.rs", "use crate::store::{Claim, Store};"), "");
    assert_eq!(
        one("src/http/admin.rs", "use crate::store::{Store, sqlite::Sqlite};"),
        "src/http/admin.rs:1: `http` may name the store's trait, not `store::sqlite`"
    );
    assert_eq!(one("src/main.rs", "fn main() { gazetted::cli::run() }"), "");
    assert_eq!(one("src/main.rs", "use gazetted::daemon;"), "src/main.rs:1: `main` may not name `daemon`");
    assert_eq!(one("src/lib.rs", "pub mod cli;\npub use cli::run;"), "src/lib.rs:2: the map has no re-exports");
    assert_eq!(one("src/extra.rs", ""), "src/extra.rs:1: `extra` is not in the import table");
    assert_eq!(
        one("src/scan/utils.rs", ""),
        "src/scan/utils.rs:1: a module called `utils` says nothing of what it knows"
    );
}

fn for_each_source(folder: &Path, each: &mut impl FnMut(&str, &str)) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            for_each_source(&path, each);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            each(&path.display().to_string(), &fs::read_to_string(&path).unwrap());
        }
    }
}

/// All breaches of one file, each as `path:line: what`.
fn breaches(path: &str, text: &str) -> Vec<String> {
    let code = code_only(text);
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let parts: Vec<&str> = inner.split('/').filter(|part| *part != "mod").collect();
    let module = parts[0];
    let mut found: Vec<(usize, String)> = Vec::new();
    let table = TABLE.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed);
    let (roots, allowed): (Vec<String>, &[&str]) = match (module, table) {
        ("lib", _) => (Vec::new(), &[]),
        ("main", _) => (vec!["gazetted".to_owned()], &["cli"]),
        (_, Some(allowed)) => (vec!["crate".to_owned(), vec!["super"; parts.len()].join("::")], allowed),
        _ => {
            found.push((0, format!("`{module}` is not in the import table")));
            (Vec::new(), &[])
        }
    };
    for (at, named) in roots.iter().flat_map(|root| named_after(&code, root)) {
        let ours = TABLE.iter().any(|(name, _)| *name == named);
        if ours && named != module && !allowed.contains(&named) {
            found.push((at, format!("`{module}` may not name `{named}`")));
        }
    }
    if matches!(module, "mail" | "http") {
        let behind = named_after(&code, "store").into_iter().filter(|(_, named)| BEHIND_THE_TRAIT.contains(named));
        found.extend(behind.map(|(at, n)| (at, format!("`{module}` may name the store's trait, not `store::{n}`"))));
    }
    if PURE.contains(&module) {
        let crates =
            IMPURE_CRATES.iter().flat_map(|name| crate_named(&code, name).map(move |at| (at, (*name).to_owned())));
        let std = named_after(&code, "std").into_iter().filter(|(_, named)| IMPURE_STD.contains(named));
        let std = std.map(|(at, named)| (at, format!("std::{named}")));
        let clocks = CLOCKS.iter().flat_map(|clock| {
            let now = named_after(&code, clock).into_iter().filter(|(_, named)| *named == "now");
            now.map(move |(at, _)| (at, format!("{clock}::now")))
        });
        found
            .extend(crates.chain(std).chain(clocks).map(|(at, n)| (at, format!("`{module}` is pure and names `{n}`"))));
    }
    if module == "lib" {
        found.extend(code.match_indices("pub use ").map(|(at, _)| (at, "the map has no re-exports".to_owned())));
    }
    for name in EMPTY_NAMES {
        let declared = words(&code, name).filter(|at| code[..*at].trim_end().ends_with("mod"));
        let file = parts.contains(&name).then_some(0);
        found.extend(
            declared.chain(file).map(|at| (at, format!("a module called `{name}` says nothing of what it knows"))),
        );
    }
    let mut lines: Vec<(usize, String)> =
        found.into_iter().map(|(at, what)| (1 + code[..at].matches('\n').count(), what)).collect();
    lines.sort();
    lines.dedup();
    lines.into_iter().map(|(line, what)| format!("{path}:{line}: {what}")).collect()
}

/// Where `path` stands as a whole path, not within a longer name.
fn words<'a>(code: &'a str, path: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(path)
        .map(|(at, _)| at)
        .filter(move |at| !code[..*at].ends_with(part_of_name) && !code[at + path.len()..].starts_with(part_of_name))
}

fn crate_named<'a>(code: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    words(code, name).filter(move |at| {
        let used = code[..*at].trim_end().ends_with("use");
        used || code[at + name.len()..].trim_start().starts_with("::")
    })
}

/// The names that follow `root::`, those of a `root::{a, b::{c}}` too: `a` and `b`.
fn named_after<'a>(code: &'a str, root: &str) -> Vec<(usize, &'a str)> {
    let mut out = Vec::new();
    for at in words(code, root) {
        let after = at + root.len();
        let Some(rest) = code[after..].trim_start().strip_prefix("::") else { continue };
        let rest = rest.trim_start();
        let start = code.len() - rest.len();
        if !rest.starts_with('{') {
            out.push((start, name_at(rest)));
            continue;
        }
        let (mut depth, mut fresh) = (0, true);
        for (offset, c) in rest.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => fresh = true,
                c if depth == 1 && fresh && !c.is_whitespace() => {
                    out.push((start + offset, name_at(&rest[offset..])));
                    fresh = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    out
}

fn name_at(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// The text with comments and the insides of strings made blank, each line where it was.
fn code_only(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = comment(rest).or_else(|| string(rest)).or_else(|| character(rest));
        let length = skipped.unwrap_or(first.len_utf8());
        if skipped.is_some() {
            out.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        } else {
            out.push(first);
        }
        rest = &rest[length..];
    }
    out
}

fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    text.starts_with("/*").then(|| text.find("*/").map_or(text.len(), |end| end + 2))
}

fn string(text: &str) -> Option<usize> {
    if let Some(inner) = text.strip_prefix('"') {
        return Some(1 + closing_quote(inner, '"'));
    }
    let hashes = text.strip_prefix('r')?;
    let inner = hashes.trim_start_matches('#').strip_prefix('"')?;
    let end = format!("\"{}", &hashes[..hashes.len() - inner.len() - 1]);
    Some(text.len() - inner.len() + inner.find(&end).map_or(inner.len(), |at| at + end.len()))
}

/// A character, not a lifetime.
fn character(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('\'')?;
    let mut chars = inner.chars();
    match (chars.next()?, chars.next()?) {
        ('\\', _) => Some(1 + closing_quote(inner, '\'')),
        (c, '\'') => Some(2 + c.len_utf8()),
        _ => None,
    }
}

/// How much of `inner` there is up to and with the quote that no backslash stands before.
fn closing_quote(inner: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    inner.len()
}
