//! `SECURITY.md` names the test that holds each of its lines: each of them is there.

use std::collections::BTreeSet;
use std::path::Path;

fn sources(folder: &Path, found: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("corpus") {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

/// The rows of a table: the cells of each line that begins with `| ` and a letter or a number.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let lines = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| no |") && !line.starts_with("| input |"));
    lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// What stands between back quotes and reads like a test's name.
fn tests_in(cell: &str) -> impl Iterator<Item = &str> {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted.filter(|name| {
        name.len() > 12 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    })
}

#[test]
fn every_threat_and_every_limit_names_a_test_that_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let mut code = String::new();
    sources(&root.join("src"), &mut code);
    sources(&root.join("tests"), &mut code);
    let rows = rows(&page);
    assert!(rows.len() > 60, "{} rows", rows.len());
    let mut named = BTreeSet::new();
    for row in &rows {
        let last = row.last().unwrap();
        let tests: Vec<&str> = tests_in(last).collect();
        assert!(!tests.is_empty() || last.contains("not held"), "nothing holds `{}`", row[0]);
        for test in tests {
            assert!(code.contains(&format!("fn {test}(")), "`{}` names `{test}`, which is not there", row[0]);
            named.insert(test);
        }
    }
    println!("{} rows, {} tests", rows.len(), named.len());
}
