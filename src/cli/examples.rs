//! What `--help` shows of each command beside its options: lines to copy. A test parses every one of them.

use clap::Command;

/// A command by its path, and lines with what they are for.
type Shown = (&'static str, &'static [(&'static str, &'static str)]);

const EXAMPLES: [Shown; 50] = [
    (
        "",
        &[
            ("gazetted demo", "look at it first"),
            ("gazetted init", "in the folder of a Jekyll, Hugo or Zola site"),
            ("gazetted check", "what is wrong, and where"),
            ("gazetted build", "write the feeds once"),
            ("gazetted run", "watch, publish, serve, send"),
            ("gazetted doctor", "whether the set-up is right"),
        ],
    ),
    (
        "init",
        &[
            ("gazetted init", "in the site's own folder"),
            ("gazetted init /etc/gazetted --from ~/blog", "from a site that lies elsewhere"),
        ],
    ),
    ("demo", &[("gazetted demo", ""), ("gazetted demo --listen 127.0.0.1:9000", "where the browser finds it")]),
    (
        "run",
        &[
            ("gazetted run", ""),
            ("gazetted --config /etc/gazetted/gazetted.toml run --listen 127.0.0.1:8080", ""),
            ("gazetted -v run", "with more in the log"),
        ],
    ),
    (
        "build",
        &[
            ("gazetted build", ""),
            ("gazetted build --out /srv/www/feeds", "elsewhere, this once"),
            ("gazetted build --force", "although most posts are gone, on purpose"),
        ],
    ),
    (
        "adopt",
        &[
            ("gazetted adopt _site/feed.xml --dry-run", "what would become of each entry"),
            ("gazetted adopt https://blog.example.org/feed.xml", ""),
        ],
    ),
    (
        "check",
        &[
            ("gazetted check", ""),
            ("gazetted check --strict", "in CI: warnings fail, too"),
            ("gazetted check https://blog.example.org/feed.xml", "any feed, whoever wrote it"),
        ],
    ),
    (
        "doctor",
        &[
            ("gazetted doctor", ""),
            ("gazetted doctor --only dns --only smtp", ""),
            ("gazetted doctor --dns 9.9.9.9", "as the world sees it"),
            ("gazetted doctor --sends-from 203.0.113.7", "SPF and PTR of the address that sends"),
            ("gazetted doctor --mail digest.eml", "a digest that arrived, signed by your relay"),
        ],
    ),
    ("diff", &[("gazetted diff", "before a commit is pushed"), ("gazetted diff --json", "")]),
    (
        "why",
        &[
            ("gazetted why _posts/2021-05-07-one.md", ""),
            ("gazetted why \"A year of Tuesdays\"", "by its title; an id or an address will do, too"),
        ],
    ),
    (
        "posts",
        &[
            ("gazetted posts --from 2021-Q2 --to 2021-Q3", ""),
            ("gazetted posts --drafts", "what is in the making"),
            ("gazetted posts --tag python --author \"Ada Lovelace\" --json", ""),
        ],
    ),
    (
        "goal",
        &[
            ("gazetted goal", ""),
            ("gazetted goal --at 2021-12-31 --format markdown", "as it stood"),
            ("gazetted goal --format svg > goal.svg", "a chart"),
        ],
    ),
    (
        "report",
        &[
            ("gazetted report --from 2021-01 --to 2021-08", ""),
            ("gazetted report --from 2021 --to 2021 --format html > report.html", "a page that prints"),
            ("gazetted report --from 2021 --to 2021 --facts talks.toml", "with what happened beside posts"),
        ],
    ),
    ("digest", &[("gazetted digest preview 2021-05", ""), ("gazetted digest list", "")]),
    ("digest list", &[("gazetted digest list", ""), ("gazetted digest list --json", "")]),
    (
        "digest preview",
        &[
            ("gazetted digest preview 2021-05", "as text"),
            ("gazetted digest preview 2021-05 --format html > may.html", "for a browser"),
            ("gazetted digest preview 2021-05 --format eml > may.eml", "for a mail program"),
        ],
    ),
    ("digest check", &[("gazetted digest check 2021-05", "")]),
    (
        "digest open",
        &[
            ("gazetted digest open 2021-05", ""),
            ("gazetted digest open 2021-05 --now", "with posts that were saved a moment ago"),
            ("gazetted digest open 2021-05 --despite-findings", ""),
        ],
    ),
    ("digest test", &[("gazetted digest test 2021-05 --to you@example.org", "how it looks in your mailbox")]),
    ("digest pause", &[("gazetted digest pause", "what is on its way is finished, and nothing follows")]),
    (
        "digest resume",
        &[
            ("gazetted digest resume", ""),
            ("gazetted digest resume --restored", "this backup is the store to go on with"),
        ],
    ),
    ("digest cancel", &[("gazetted digest cancel 2021-05", "")]),
    ("subscribers", &[("gazetted subscribers stats", ""), ("gazetted subscribers import list.csv --dry-run", "")]),
    (
        "subscribers add",
        &[
            ("gazetted subscribers add ada@example.org --name \"Ada Lovelace\"", ""),
            ("gazetted subscribers add ada@example.org --again", "who had left, and has asked to come back"),
        ],
    ),
    (
        "subscribers list",
        &[("gazetted subscribers list", ""), ("gazetted subscribers list --state suppressed --json", "")],
    ),
    ("subscribers remove", &[("gazetted subscribers remove ada@example.org", "")]),
    (
        "subscribers import",
        &[
            ("gazetted subscribers import subscribed.csv unsubscribed.csv cleaned.csv --dry-run", "Mailchimp's three"),
            ("gazetted subscribers import members.csv --format ghost", ""),
        ],
    ),
    (
        "subscribers show",
        &[
            ("gazetted subscribers show ada@example.org", ""),
            ("gazetted subscribers show ada@example.org --original 7", "the mail of a bounce"),
        ],
    ),
    ("subscribers undo-bounce", &[("gazetted subscribers undo-bounce ada@example.org", "")]),
    (
        "subscribers erase",
        &[("gazetted subscribers erase ada@example.org", "at their own wish; this cannot be undone")],
    ),
    (
        "subscribers stats",
        &[("gazetted subscribers stats", ""), ("gazetted subscribers stats --format svg > readers.svg", "")],
    ),
    ("subscribers rotate-key", &[("gazetted subscribers rotate-key", "links in sent mail go on working")]),
    (
        "subscribers export",
        &[
            ("gazetted subscribers export > readers.csv", ""),
            ("gazetted subscribers export --format json --state active > active.json", ""),
        ],
    ),
    (
        "bounce",
        &[
            ("gazetted bounce < mail.eml", "its recipient is in its headers"),
            ("gazetted bounce bounces+TOKEN@example.org < mail.eml", "as a mail server's pipe says it"),
        ],
    ),
    ("outbox", &[("gazetted outbox", "counts by outcome"), ("gazetted outbox list", "what waits, and why")]),
    ("outbox list", &[("gazetted outbox list", ""), ("gazetted outbox list --all --json", "")]),
    (
        "outbox retry",
        &[
            ("gazetted outbox retry", "what failed or was put off is due again"),
            ("gazetted outbox retry 2021-04", "of a digest that a later one has followed"),
        ],
    ),
    ("outbox flush", &[("gazetted outbox flush", "send what is due, without a daemon")]),
    ("admin", &[("gazetted admin link", ""), ("gazetted admin log", "")]),
    ("admin link", &[("gazetted admin link", "opens the editors' pages once")]),
    ("admin log", &[("gazetted admin log", ""), ("gazetted admin log --limit 200 --json", "")]),
    ("backup", &[("gazetted backup gazetted-2021-06-01.db", "while the daemon runs")]),
    (
        "restore",
        &[
            ("gazetted restore gazetted-2021-06-01.db", "where there is no store yet"),
            ("gazetted restore gazetted-2021-06-01.db --replace", "the one that is there is kept beside it"),
        ],
    ),
    (
        "migrate",
        &[
            ("gazetted migrate --dry-run", "what a new version would do to the store"),
            ("gazetted migrate", "before it is started"),
        ],
    ),
    ("store", &[("gazetted store copy postgres://gazetted@db.example.org/gazetted", "")]),
    (
        "store copy",
        &[
            ("gazetted store copy postgres://gazetted@db.example.org/gazetted", "from SQLite to PostgreSQL"),
            ("gazetted store copy sqlite:/var/lib/gazetted/gazetted.db", "and back"),
        ],
    ),
    ("config", &[("gazetted config default", ""), ("gazetted config show", "")]),
    ("config default", &[("gazetted config default > gazetted.toml", "every key, with its default")]),
    (
        "config show",
        &[
            ("gazetted config show", "what is in force and where it came from, secrets as ***"),
            ("gazetted config show --changed", "only what is not a default"),
        ],
    ),
    (
        "completions",
        &[("gazetted completions bash > /etc/bash_completion.d/gazetted", ""), ("gazetted completions zsh", "")],
    ),
];

/// The command with examples at the end of its help, and of that of all commands below it.
pub fn shown(command: Command) -> Command {
    below(command, "")
}

fn below(command: Command, path: &str) -> Command {
    let found = EXAMPLES.iter().chain([&MAN]).find(|(known, _)| *known == path);
    let mut command = match found {
        Some((_, lines)) => command.after_help(told(lines)),
        None => command,
    };
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        let path = format!("{path} {name}").trim().to_owned();
        command = command.mut_subcommand(name, |sub| below(sub, &path));
    }
    command
}

const MAN: Shown = (
    "man",
    &[
        ("gazetted man > /usr/local/share/man/man1/gazetted.1", ""),
        ("gazetted man --dir man", "a page for each command"),
    ],
);

fn told(lines: &[(&str, &str)]) -> String {
    let width = lines.iter().filter(|(_, why)| !why.is_empty()).map(|(line, _)| line.len()).max().unwrap_or(0);
    let one = |(line, why): &(&str, &str)| match *why {
        "" => format!("  {line}"),
        why => format!("  {line:width$}  # {why}"),
    };
    let all: Vec<String> = lines.iter().map(one).collect();
    format!("Examples:\n{}", all.join("\n"))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::super::Arguments;
    use super::*;

    /// Words as a shell makes them, up to a `>` or `<`.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut quoted) = (vec![String::new()], false);
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                c => words.last_mut().unwrap().push(c),
            }
        }
        let end = words.iter().position(|word| word == ">" || word == "<").unwrap_or(words.len());
        words.truncate(end);
        words
    }

    fn each(command: &Command, path: &str, found: &mut Vec<String>) {
        found.push(path.to_owned());
        for sub in command.get_subcommands() {
            each(sub, format!("{path} {}", sub.get_name()).trim(), found);
        }
    }

    #[test]
    fn every_command_has_examples_and_every_example_is_a_command() {
        let mut there = Vec::new();
        each(&Arguments::command(), "", &mut there);
        let mut known: Vec<String> = EXAMPLES.iter().chain([&MAN]).map(|(path, _)| (*path).to_owned()).collect();
        there.sort();
        known.sort();
        assert_eq!(known, there);
        for (path, lines) in EXAMPLES.iter().chain([&MAN]) {
            for (line, _) in *lines {
                let words = words(line);
                let parsed = Arguments::try_parse_from(&words);
                assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
                let own = path.split(' ').all(|name| name.is_empty() || words.iter().any(|word| word == name));
                assert!(own, "`{line}` is no example of `{path}`");
            }
        }
    }

    #[test]
    fn help_ends_with_them() {
        let mut all = shown(Arguments::command());
        let preview =
            all.find_subcommand_mut("digest").and_then(|digest| digest.find_subcommand_mut("preview")).unwrap();
        let help = preview.render_long_help().to_string();
        assert!(help.contains("Examples:\n  gazetted digest preview 2021-05  "), "{help}");
        assert!(all.render_help().to_string().contains("Examples:\n  gazetted demo"));
    }
}
