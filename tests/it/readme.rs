//! The README's commands, run as they stand there: what a newcomer types first must work.

use super::site::{site, text};

/// The lines of the README's console blocks that begin with `$ gazetted `.
fn commands() -> Vec<String> {
    let readme = include_str!("../../README.md");
    let blocks = readme.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = blocks.flat_map(str::lines);
    lines.filter_map(|line| line.strip_prefix("$ gazetted ")).map(str::to_owned).collect()
}

#[test]
fn the_readmes_commands_work_in_the_order_they_are_given() {
    let site =
        site().post("2021-05-07-one.md", text("One", "First.")).post("2021-06-07-two.md", text("Two", "Second."));
    site.remove("gazetted.toml");
    site.save("_config.yml", "title: Working Notes\nurl: https://blog.example.org\n");
    let commands = commands();
    assert!(commands.len() >= 10, "{commands:?}");
    for command in &commands {
        let ran = site.run(command);
        assert_eq!(ran.code, 0, "gazetted {command}\n{}\n{}", ran.out, ran.err);
        assert!(!ran.out.is_empty() || command == "check", "gazetted {command} says nothing");
    }
    assert!(site.exists("public/feed.xml") && site.mails().len() == 1);
}

#[test]
fn the_readmes_least_configuration_is_read() {
    let readme = include_str!("../../README.md");
    let block = readme.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let loaded = gazetted::config::load_str(block, "README.md", &std::collections::BTreeMap::new());
    assert!(loaded.is_usable(), "{:?}", loaded.problems);
}

/// Every command the program has is in the README's table, and the other way round.
#[test]
fn the_readme_names_every_command() {
    let help = site().run("--help").out;
    let known: Vec<&str> = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    let readme = include_str!("../../README.md");
    for name in known {
        assert!(readme.contains(&format!("`{name}")), "`{name}` is not in the README");
    }
}
