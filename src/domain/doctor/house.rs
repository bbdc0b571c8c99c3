//! The house itself: the configuration, who may read what, the clock, the store. Knows what was seen of them, and touches none.

use jiff::SignedDuration;

use super::super::exposure::EXPOSED;
use super::super::problem::Problem;
use super::{Finding, listed};

/// Somebody else than the owner and the group may read it, or somebody else than the owner may write it.
const TOO_OPEN: u32 = 0o037;
const OTHERS: u32 = 0o007;
/// A clock that is so far off gives mails and tokens wrong times.
const SKEW: SignedDuration = SignedDuration::from_secs(60);
/// The store begins nothing new with less; and with less than this it is time to look.
const NO_ROOM: u64 = 32 << 20;
const LITTLE_ROOM: u64 = 512 << 20;

#[must_use]
pub fn config(file: &str, errors: usize, warnings: usize) -> Finding {
    let look = "`gazetted check` names each with its line";
    match (errors, warnings) {
        (0, 0) => Finding::right("config", format!("`{file}` has no problems")),
        (0, _) => Finding::advice("config", format!("`{file}` can be used; warnings: {warnings}"), look),
        _ => Finding::wrong("config", format!("`{file}` cannot be used; errors: {errors}"), look),
    }
}

/// Keys of a configuration that hold a secret themselves.
#[must_use]
pub fn secrets_within(text: &str) -> Vec<&'static str> {
    const SECRET: [&str; 5] = ["password", "imap_password", "admin_password", "admin_token", "secret"];
    let mut found = Vec::new();
    for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
        let said = value.split('#').next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        if key.trim() == "url"
            && said.starts_with("postgres")
            && said.rsplit_once('@').is_some_and(|(login, _)| login.matches(':').count() > 1)
        {
            found.push("url");
        }
        found.extend(SECRET.into_iter().filter(|known| *known == key.trim() && !said.is_empty()));
    }
    found.dedup();
    found
}

#[must_use]
pub fn config_mode(file: &str, mode: u32, secrets: &[&str]) -> Finding {
    let shown = format!("`{file}` (mode {:04o})", mode & 0o7777);
    let named: Vec<String> = secrets.iter().map(|key| format!("`{key}`")).collect();
    if secrets.is_empty() {
        return Finding::right("config-mode", format!("{shown} holds no secret"));
    }
    if mode & OTHERS != 0 {
        let words = format!("{shown} holds {}, and everybody on this machine can read it", listed(&named));
        return Finding::wrong("config-mode", words, format!("chmod 640 {file}"));
    }
    Finding::right("config-mode", format!("{shown} holds {}, and is closed to others", listed(&named)))
}

/// A file with a secret, and its mode.
#[derive(Debug, Clone)]
pub struct Secret {
    pub key: &'static str,
    pub path: String,
    pub mode: Result<u32, String>,
}

#[must_use]
pub fn secret_modes(secrets: &[Secret]) -> Finding {
    if secrets.is_empty() {
        return Finding::skipped("secret-modes", "no key of the configuration names a file with a secret");
    }
    for Secret { key, path, mode } in secrets {
        match mode {
            Err(words) => {
                let remedy = format!("chown gazetted {path}; chmod 600 {path} (or as whom you run the daemon)");
                return Finding::wrong("secret-modes", format!("`{key}`, `{path}`: {words}"), remedy);
            }
            Ok(mode) if mode & TOO_OPEN != 0 => {
                let words = format!("`{key}`, `{path}`, can be read by others (mode {:04o})", mode & 0o7777);
                return Finding::wrong("secret-modes", words, format!("chmod 600 {path}"));
            }
            Ok(_) => {}
        }
    }
    let named: Vec<String> = secrets.iter().map(|secret| format!("`{}`", secret.key)).collect();
    Finding::right("secret-modes", format!("{}: closed to others", listed(&named)))
}

#[must_use]
pub fn posts(dir: &str, read: Result<usize, String>) -> Finding {
    match read {
        Ok(0) => {
            Finding::advice("posts-readable", format!("`{dir}` has nothing in it"), "is `dir` below `[posts]` right?")
        }
        Ok(_) => Finding::right("posts-readable", format!("`{dir}` can be read")),
        Err(words) if words.contains("No such file") => Finding::wrong(
            "posts-readable",
            format!("there is no `{dir}`"),
            "say where the posts are: `dir` below `[posts]`",
        ),
        Err(words) => Finding::wrong(
            "posts-readable",
            format!("`{dir}` cannot be read: {words}"),
            format!("setfacl -R -m u:gazetted:rX {dir} (or as whom you run the daemon; `dir` below `[posts]`)"),
        ),
    }
}

#[must_use]
pub fn feeds(out: &str, writable: Result<(), String>) -> Finding {
    match writable {
        Ok(()) => Finding::right("feeds-writable", format!("`{out}` can be written")),
        Err(words) => Finding::wrong(
            "feeds-writable",
            format!("`{out}` cannot be written: {words}"),
            format!("mkdir -p {out}; chown gazetted {out} (or as whom you run the daemon; `out` below `[feeds]`)"),
        ),
    }
}

/// `None`: no file, but a database server.
#[must_use]
pub fn store_mode(file: Option<(&str, Result<u32, String>)>) -> Finding {
    match file {
        None => Finding::skipped("store-mode", "the store is a database server's"),
        Some((file, Err(words))) => Finding::skipped("store-mode", format!("`{file}`: {words}")),
        Some((file, Ok(mode))) if mode & OTHERS != 0 => Finding::wrong(
            "store-mode",
            format!("`{file}` holds your readers' addresses, and others can read it (mode {:04o})", mode & 0o7777),
            format!("chmod 600 {file}"),
        ),
        Some((file, Ok(mode))) => {
            Finding::right("store-mode", format!("`{file}` (mode {:04o}) is closed to others", mode & 0o7777))
        }
    }
}

/// `exposed`: what lies where everybody can fetch it.
#[must_use]
pub fn kept_private(exposed: &[Problem]) -> Finding {
    let Some(worst) = exposed.iter().find(|problem| problem.code == EXPOSED).or(exposed.first()) else {
        let words = "neither store nor mails nor secrets lie where the site's generator or readers take from";
        return Finding::right("kept-private", words);
    };
    let remedy = worst.hint.clone().unwrap_or_default();
    if worst.code == EXPOSED {
        Finding::wrong("kept-private", worst.message.clone(), remedy)
    } else {
        Finding::advice("kept-private", worst.message.clone(), remedy)
    }
}

/// `off`: by how much others say it is later.
#[must_use]
pub fn clock(heard: &[(String, SignedDuration)]) -> Finding {
    let Some((who, off)) = heard.iter().max_by_key(|(_, off)| off.abs()) else {
        return Finding::skipped("clock", "nobody was asked for the time");
    };
    let names: Vec<String> = heard.iter().map(|(who, _)| format!("`{who}`")).collect();
    if off.abs() > SKEW {
        let side = if off.is_positive() { "behind" } else { "ahead of" };
        let words = format!("this machine's clock is {} s {side} `{who}`'s", off.abs().as_secs());
        return Finding::wrong("clock", words, "timedatectl set-ntp true");
    }
    Finding::right("clock", format!("it is the same time here as at {}", listed(&names)))
}

/// What keeps the clock right: whether it does, and who says so.
#[must_use]
pub fn clock_sync(kept: Option<bool>) -> Finding {
    match kept {
        Some(true) => Finding::right("clock-sync", "`timedatectl` says that the clock is kept right"),
        Some(false) => Finding::wrong(
            "clock-sync",
            "nothing keeps the clock right, says `timedatectl`",
            "timedatectl set-ntp true",
        ),
        None => Finding::skipped("clock-sync", "`timedatectl` does not say (a container's host keeps the clock)"),
    }
}

/// `there`: what its clocks say, if there is such a zone.
#[must_use]
pub fn time_zone(name: &str, there: Option<String>) -> Finding {
    match there {
        Some(time) => Finding::right("time-zone", format!("`{name}`, where it is {time}")),
        None => Finding::wrong(
            "time-zone",
            format!("there is no time zone `{name}`"),
            "`time_zone = \"Europe/Berlin\"` below `[site]`, or another name of `timedatectl list-timezones`",
        ),
    }
}

/// What came of opening the store.
#[derive(Debug, Clone)]
pub enum Store {
    NotYet(String),
    /// Its name, and whether all of it was read through.
    Open {
        name: String,
        whole: bool,
    },
    /// It is of an older version: opening it would bring it up to date, which is not for us to do.
    Older {
        schema: i64,
        to: i64,
    },
    /// It is of a newer version.
    Newer(String),
    Failed {
        words: String,
        remedy: String,
    },
}

#[must_use]
pub fn store(store: &Store) -> Vec<Finding> {
    match store {
        Store::NotYet(name) => {
            let why = format!("`{name}` is not there yet: `gazetted run` makes it");
            vec![Finding::skipped("store", why.clone()), Finding::skipped("store-version", why)]
        }
        Store::Open { name, whole } => {
            let words = if *whole { "was read through and is sound" } else { "answers" };
            vec![
                Finding::right("store", format!("`{name}` {words}")),
                Finding::right(
                    "store-version",
                    format!("its tables are those of gazetted {}", env!("CARGO_PKG_VERSION")),
                ),
            ]
        }
        Store::Older { schema, to } => vec![
            Finding::skipped("store", "it is of an older version, and looking at it would change it"),
            Finding::advice(
                "store-version",
                format!("its schema is {schema}, and that of gazetted {} is {to}", env!("CARGO_PKG_VERSION")),
                "stop the daemon, `gazetted backup FILE`, `gazetted migrate`; or start the new version, which does the last by itself",
            ),
        ],
        Store::Newer(words) => vec![
            Finding::skipped("store", "it is of a newer version"),
            Finding::wrong(
                "store-version",
                words.clone(),
                "install the version of gazetted that wrote it, or a newer one",
            ),
        ],
        Store::Failed { words, remedy } => vec![
            Finding::wrong("store", words.clone(), remedy.clone()),
            Finding::skipped("store-version", "it cannot be opened"),
        ],
    }
}

/// Free bytes beside each of these.
#[must_use]
pub fn room(free: &[(String, u64)]) -> Finding {
    let Some((place, bytes)) = free.iter().min_by_key(|(_, bytes)| *bytes) else {
        return Finding::skipped("store-room", "nothing is kept on this machine");
    };
    let words = format!("{} MB are free beside `{place}`", bytes >> 20);
    match bytes {
        ..NO_ROOM => Finding::wrong(
            "store-room",
            format!("{words}: nothing new is sent"),
            format!("make room: `df {place}`, `du -x`"),
        ),
        ..LITTLE_ROOM => Finding::advice("store-room", words, format!("make some room: `df {place}`")),
        _ => Finding::right("store-room", words),
    }
}

/// `since`: it is known for a copy, from which nothing is sent.
#[must_use]
pub fn standby(since: Option<String>) -> Finding {
    match since {
        None => Finding::right("store-standby", "it is no copy that stands by"),
        Some(since) => Finding::wrong(
            "store-standby",
            format!("it is a copy that has stood by since {since}, and sends nothing"),
            "if it is the one to go on with: `gazetted digest resume --restored`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::*;

    #[test]
    fn secrets_in_the_configuration_itself_are_seen() {
        let text = "[smtp]\nuser = \"x\"\npassword = \"abc\"\n# password = \"x\"\npassword_file = \"p\"\n[store]\nurl = \"postgres://g:secret@db/g\"\n[http]\nadmin_token = \"\"\n";
        assert_eq!(secrets_within(text), ["password", "url"]);
        assert!(
            secrets_within("[store]\nurl = \"postgres://g@db:5432/g\"\n[site]\nurl = \"https://a:b@c\"\n").is_empty()
        );
        for (mode, secrets, expected) in [
            (0o644, &[][..], Outcome::Right),
            (0o644, &["password"][..], Outcome::Wrong),
            (0o640, &["password"][..], Outcome::Right),
        ] {
            assert_eq!(config_mode("g.toml", mode, secrets).outcome, expected, "{mode:o} {secrets:?}");
        }
    }

    #[test]
    fn files_that_others_can_read_are_found() {
        let secret = |mode| Secret { key: "dkim.key_file", path: "k.pem".into(), mode };
        for (secrets, expected) in [
            (vec![], Outcome::Skipped),
            (vec![secret(Ok(0o600)), secret(Ok(0o640))], Outcome::Right),
            (vec![secret(Ok(0o600)), secret(Ok(0o644))], Outcome::Wrong),
            (vec![secret(Ok(0o660))], Outcome::Wrong),
            (vec![secret(Err("permission denied".into()))], Outcome::Wrong),
        ] {
            assert_eq!(secret_modes(&secrets).outcome, expected, "{secrets:?}");
        }
        for (file, expected) in [
            (None, Outcome::Skipped),
            (Some(("g.db", Ok(0o600))), Outcome::Right),
            (Some(("g.db", Ok(0o644))), Outcome::Wrong),
            (Some(("g.db", Err("no".into()))), Outcome::Skipped),
        ] {
            assert_eq!(store_mode(file).outcome, expected);
        }
    }

    #[test]
    fn a_clock_is_a_minute_off_at_most() {
        let heard =
            |seconds| clock(&[("a".into(), SignedDuration::ZERO), ("b".into(), SignedDuration::from_secs(seconds))]);
        assert_eq!(heard(60).outcome, Outcome::Right);
        let behind = heard(61);
        assert_eq!(
            (behind.outcome, behind.message.as_str()),
            (Outcome::Wrong, "this machine's clock is 61 s behind `b`'s")
        );
        assert!(heard(-90).message.contains("90 s ahead of"));
        assert_eq!(clock(&[]).outcome, Outcome::Skipped);
    }

    #[test]
    fn the_rest_is_told_by_what_was_seen() {
        for (finding, expected) in [
            (config("g.toml", 0, 0), Outcome::Right),
            (config("g.toml", 0, 1), Outcome::Advice),
            (config("g.toml", 1, 1), Outcome::Wrong),
            (posts("p", Ok(3)), Outcome::Right),
            (posts("p", Ok(0)), Outcome::Advice),
            (posts("p", Err("x".into())), Outcome::Wrong),
            (feeds("o", Ok(())), Outcome::Right),
            (feeds("o", Err("x".into())), Outcome::Wrong),
            (kept_private(&[]), Outcome::Right),
            (kept_private(&[Problem::warning("g.toml", "copied", "x")]), Outcome::Advice),
            (
                kept_private(&[Problem::warning("g.toml", "copied", "x"), Problem::warning("g.toml", EXPOSED, "y")]),
                Outcome::Wrong,
            ),
            (clock_sync(Some(true)), Outcome::Right),
            (clock_sync(Some(false)), Outcome::Wrong),
            (clock_sync(None), Outcome::Skipped),
            (time_zone("UTC", Some("noon".into())), Outcome::Right),
            (time_zone("Mars", None), Outcome::Wrong),
            (room(&[("a".into(), 1 << 40), ("b".into(), 40 << 20)]), Outcome::Advice),
            (room(&[("a".into(), 1 << 40), ("b".into(), 1 << 20)]), Outcome::Wrong),
            (room(&[("a".into(), 1 << 40)]), Outcome::Right),
            (room(&[]), Outcome::Skipped),
            (standby(None), Outcome::Right),
            (standby(Some("May".into())), Outcome::Wrong),
        ] {
            assert_eq!(finding.outcome, expected, "{}", finding.message);
        }
        let outcomes = |of: &Store| store(of).iter().map(|f| f.outcome).collect::<Vec<_>>();
        assert_eq!(outcomes(&Store::NotYet("g.db".into())), [Outcome::Skipped, Outcome::Skipped]);
        assert_eq!(outcomes(&Store::Open { name: "g.db".into(), whole: true }), [Outcome::Right, Outcome::Right]);
        assert_eq!(outcomes(&Store::Older { schema: 7, to: 8 }), [Outcome::Skipped, Outcome::Advice]);
        assert_eq!(outcomes(&Store::Newer("schema 99".into())), [Outcome::Skipped, Outcome::Wrong]);
        let failed = Store::Failed { words: "damaged".into(), remedy: "restore".into() };
        assert_eq!(outcomes(&failed), [Outcome::Wrong, Outcome::Skipped]);
    }
}
