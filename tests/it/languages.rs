//! That the strings the program asks for are there, and none lies about unused: what `render` and the templates name,
//! against the English file.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The names of the messages, without their attributes; and those that other messages refer to.
fn english() -> (BTreeSet<String>, BTreeSet<String>) {
    let text = fs::read_to_string("templates/languages/en.ftl").unwrap();
    let named = text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
    let names = named.map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    let referred = text.split("{ ").skip(1).filter_map(|rest| rest.split(" }").next());
    (names, referred.map(ToOwned::to_owned).collect())
}

/// What stands in quotes after one of `before`, in every file under `folder` with one of the endings.
fn asked_for(folder: &Path, endings: &[&str], before: &[&str], found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            asked_for(&path, endings, before, found);
        } else if endings.iter().any(|ending| path.extension().is_some_and(|e| e == *ending)) {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            for before in before {
                let opened = format!("{before}\"");
                let quoted = text.split(&opened).skip(1).filter_map(|rest| rest.split('"').next());
                found.extend(quoted.map(|key| key.split('.').next().unwrap().to_owned()));
            }
        }
    }
}

#[test]
fn every_string_that_is_asked_for_is_there_and_every_string_is_asked_for() {
    let (names, referred) = english();
    let mut asked = BTreeSet::new();
    asked_for(Path::new("templates"), &["html", "txt"], &[" t(", "(t("], &mut asked);
    asked_for(Path::new("src/render"), &["rs"], &[".text(", ".say("], &mut asked);
    let missing: Vec<_> = asked.difference(&names).filter(|key| key.contains('-')).collect();
    assert!(asked.len() > 80 && missing.is_empty(), "{} asked for, missing: {missing:?}", asked.len());
    // Keys that stand in a table of their own: of errors, notices, answers.
    asked_for(Path::new("src/render"), &["rs"], &["=> ", "value(", "if ", "else { ", "{ "], &mut asked);
    let unused: Vec<_> = names.iter().filter(|name| !asked.contains(*name) && !referred.contains(*name)).collect();
    assert!(unused.is_empty(), "in the English file, and never shown: {unused:?}");
}
