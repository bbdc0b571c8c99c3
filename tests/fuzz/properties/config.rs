//! `gazetted.toml`: read or refused with the places of all that is wrong, secrets shown nowhere, and what is printed reads
//! back as what it was.

use std::collections::BTreeMap;

use gazetted::config::load_str;

use super::assert_one_line;

const SECRET: &str = "correct-horse-battery";

pub fn is_read_or_refused_in_its_place(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let loaded = load_str(&text, "gazetted.toml", &BTreeMap::new());
    for problem in &loaded.problems {
        assert!(problem.line <= text.lines().count() + 1, "{problem} in {} lines", text.lines().count());
        assert_one_line(&problem.to_string());
    }
    let shown = toml::to_string(&loaded.config).expect("what was read can be printed");
    let debug = format!("{:?}", loaded.config);
    if is_secret(&text) {
        assert!(!shown.contains(SECRET) && !debug.contains(SECRET), "a secret is shown");
        assert!(!loaded.problems.iter().any(|problem| problem.to_string().contains(SECRET)), "a secret is told");
    }
    if loaded.is_usable() {
        let again = load_str(&shown, "gazetted.toml", &BTreeMap::new());
        let printed = toml::to_string(&again.config).expect("what was read can be printed");
        assert_eq!(printed, shown, "{:?}", again.problems);
    }
}

/// Whether the secret stands once, as the value of a secret's key on a line of its own.
fn is_secret(text: &str) -> bool {
    let keys = ["password", "admin_token", "admin_password", "imap_password", "secret"];
    let line = text.lines().find(|line| line.contains(SECRET)).unwrap_or_default();
    let key = line.strip_suffix(&format!(" = \"{SECRET}\"")).unwrap_or_default();
    text.matches(SECRET).count() == 1 && keys.contains(&key)
}
