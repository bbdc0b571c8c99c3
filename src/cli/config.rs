//! `gazetted config`: the defaults as a commented file, or what is in force, with where each value came from and secrets as
//! `***`.

use std::path::Path;

use super::error::Failure;
use super::{Done, print};
use crate::config::origin::{self, Origins};
use crate::config::{self, Loaded};

/// Every key with its default; tested against the code.
pub const DOCUMENTED: &str = include_str!("../../config/gazetted.toml");

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Every key with its default and what it means
    Default,
    /// What is in force, and where each value came from: file, environment, a file with a secret, or the default
    Show {
        /// Only what is not a default
        #[arg(long)]
        changed: bool,
        /// Facts as JSON
        #[arg(long)]
        json: bool,
    },
}

pub fn run(config: Option<&Path>, command: &Command) -> Done {
    match command {
        Command::Default => print::text(DOCUMENTED),
        Command::Show { changed, json } => show(config, *changed, *json),
    }
}

fn show(path: Option<&Path>, changed: bool, json: bool) -> Done {
    let file = config::find(path);
    let loaded = config::load(&file);
    if !loaded.is_usable() {
        return Err(Failure::Config(loaded.problems));
    }
    let Loaded { config, origins, .. } = loaded;
    if json {
        let mut facts = serde_json::to_value(&config)?;
        facts["origins"] = origins.told(&file).collect();
        return print::json(&facts);
    }
    print::text(&annotated(&toml::to_string(&config)?, &origins, &file, changed))
}

/// The configuration as TOML, with each value's origin behind it.
fn annotated(toml: &str, origins: &Origins, file: &Path, changed: bool) -> String {
    let mut out = String::new();
    let (mut section, mut item) = (String::new(), None);
    let mut head = String::new();
    for line in one_a_value(toml) {
        let line = line.as_str();
        if line.starts_with('[') {
            let list = line.starts_with("[[");
            let name = line.trim_matches(['[', ']']);
            item = match item {
                Some(nr) if list && name == section => Some(nr + 1),
                _ => list.then_some(0usize),
            };
            name.clone_into(&mut section);
            head = format!("\n{line}\n");
            continue;
        }
        let Some((key, _)) = line.split_once(" = ") else { continue };
        // `[posts.permalinks]` is one value.
        let found = origins.get(&origin::name(&section, item, key)).or_else(|| origins.get(&section));
        if found.is_none() && changed {
            continue;
        }
        let from = found.map_or_else(|| "default".to_owned(), |origin| origin.told(file));
        out.push_str(&std::mem::take(&mut head));
        out.push_str(&format!("{line}  # {from}\n"));
    }
    out.trim_start().to_owned()
}

/// Lines of which none ends within a value.
fn one_a_value(toml: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = toml.lines();
    while let Some(line) = rest.next() {
        let Some((key, _)) = line.split_once(" = \"\"\"") else {
            lines.push(line.to_owned());
            continue;
        };
        let mut whole = line.to_owned();
        while whole.parse::<toml::Table>().is_err() {
            let Some(next) = rest.next() else { break };
            whole.push('\n');
            whole.push_str(next);
        }
        let value = whole.parse::<toml::Table>().ok().and_then(|table| table.into_iter().next());
        // A JSON string is a TOML string on one line.
        let text = value.and_then(|(_, value)| serde_json::to_string(value.as_str()?).ok()).unwrap_or_default();
        lines.push(format!("{key} = {text}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_has_its_origin_behind_it() {
        let text = "[site]\ntitle = \"Notes\"\nurl = \"https://a.example\"\n[posts.permalinks]\nnotes = \"/:year/\"\n[[smtp]]\nhost = \"a\"\n\
                    [[smtp]]\nhost = \"b\"\n[digest]\nfrom = \"a@b.example\"\n[digest.style]\naccent = \"#000000\"\n";
        let environment = [("GAZETTED_FEEDS__LIMIT", "7"), ("GAZETTED_SMTP__PORT", "26")];
        let environment = environment.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let loaded = config::load_str(text, "g.toml", &environment);
        let toml = toml::to_string(&loaded.config).unwrap();
        let shown = annotated(&toml, &loaded.origins, Path::new("g.toml"), true);
        let expected = "[site]\ntitle = \"Notes\"  # g.toml:2\nurl = \"https://a.example\"  # g.toml:3\n\n\
            [posts.permalinks]\nnotes = \"/:year/\"  # g.toml:4\n\n[feeds]\nlimit = 7  # $GAZETTED_FEEDS__LIMIT\n\n\
            [digest]\nfrom = \"a@b.example\"  # g.toml:11\n\n[digest.style]\naccent = \"#000000\"  # g.toml:13\n\n\
            [[smtp]]\nhost = \"a\"  # g.toml:7\nport = 26  # $GAZETTED_SMTP__PORT\n\n[[smtp]]\nhost = \"b\"  # g.toml:9\n";
        assert_eq!(shown, expected);
        let several = "[digest]\nfrom = \"a@b.example\"\npostal_address = \"Street 1\\nTown\"\n[site]\ntitle = \"a\"\nurl = \"https://a.example\"\n";
        let two_lines = config::load_str(several, "g.toml", &std::collections::BTreeMap::new());
        let shown =
            annotated(&toml::to_string(&two_lines.config).unwrap(), &two_lines.origins, Path::new("g.toml"), true);
        assert!(shown.contains("postal_address = \"Street 1\\nTown\"  # g.toml:3\n"), "{shown}");
        let all = annotated(&toml, &loaded.origins, Path::new("g.toml"), false);
        assert!(all.contains("language = \"en\"  # default\n"), "{all}");
        assert!(toml::from_str::<toml::Table>(&all).is_ok(), "what is shown is TOML");
    }
}
