//! The guides in `deploy/`: their commands run in the order in which they stand, their configurations are read, their links lead
//! somewhere.

use std::collections::BTreeMap;
use std::path::Path;

use super::site::{LEAST, Site};

const GUIDES: [&str; 7] = [
    "first-digest.md",
    "behind-nginx.md",
    "relays.md",
    "nodes.md",
    "bounce-boxes.md",
    "postfix-bounces.md",
    "doctor.md",
];

fn guide(name: &str) -> String {
    std::fs::read_to_string(Path::new("deploy").join(name)).unwrap()
}

/// The blocks of a kind, without the indent they have within lists.
fn blocks(text: &str, kind: &str) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), None::<Vec<String>>);
    for line in text.lines() {
        let trimmed = line.trim_start();
        match &mut open {
            Some(lines) if trimmed.starts_with("```") => {
                found.push(lines.join("\n"));
                open = None;
            }
            Some(lines) => lines.push(trimmed.to_owned()),
            None if trimmed == format!("```{kind}") => open = Some(Vec::new()),
            None => {}
        }
    }
    found
}

#[test]
fn the_way_to_the_first_digest_can_be_gone() {
    let site = Site::of("jekyll");
    site.remove("gazetted.toml");
    let guide = guide("first-digest.md");
    let goal = &blocks(&guide, "toml")[0];
    let commands: Vec<String> = blocks(&guide, "console")
        .iter()
        .flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert!(commands.len() >= 10, "{commands:?}");
    for command in &commands {
        let command = command.strip_prefix("$ gazetted ").unwrap_or_else(|| panic!("{command}"));
        if command == "goal" {
            site.save("gazetted.toml", format!("{}\n{goal}\n", site.read("gazetted.toml")));
        }
        let ran = site.run(command);
        assert_eq!(ran.code, 0, "gazetted {command}\n{}\n{}", ran.out, ran.err);
    }
    assert!(site.exists("public/feed.xml") && site.mails().len() == 1);
    assert!(site.ok("goal").out.contains("Goal: one post a month"));
}

#[test]
fn the_configurations_of_the_guides_are_read() {
    let mut seen = 0;
    for name in GUIDES {
        for block in blocks(&guide(name), "toml") {
            let mut text = LEAST.to_owned();
            if block.contains("[smtp]") || block.contains("[[smtp]]") {
                text.push_str(if block.contains("[digest]") {
                    ""
                } else {
                    "[digest]\nfrom = \"Notes <notes@example.org>\"\npostal_address = \"x\"\n"
                });
            }
            text.push_str(&block);
            let loaded = gazetted::config::load_str(&text, name, &BTreeMap::new());
            assert!(loaded.is_usable(), "{name}: {:?}\n{text}", loaded.problems);
            seen += 1;
        }
    }
    assert!(seen >= 7, "{seen}");
}

#[test]
fn the_links_of_the_guides_lead_somewhere() {
    let mut seen = 0;
    for name in GUIDES {
        let text = guide(name);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let there = link.starts_with("https://") || Path::new("deploy").join(link).exists();
            assert!(there, "{name}: {link}");
            seen += 1;
        }
        for word in text.split(['`', ' ', '(', ',', ')']).filter(|word| word.starts_with("deploy/")) {
            assert!(Path::new(word.trim_end_matches(['.', ':', ';'])).exists(), "{name}: {word}");
        }
    }
    assert!(seen > 10, "{seen}");
}
