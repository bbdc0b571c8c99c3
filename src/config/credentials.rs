//! Secrets that stand in files of their own: those the configuration names, and systemd's credentials. A secret that is
//! written in the configuration gives way to one in a file.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};

use super::bounded;
use super::load::Loaded;
use super::origin::{self, Origin};
use crate::domain::problem::Problem;

/// Shorter ones are guessed.
const SHORTEST_TOKEN: usize = 16;
/// Tries are few, so a password may be shorter than a token.
const SHORTEST_PASSWORD: usize = 12;
/// Where systemd takes the service's credentials from. A command that root runs beside the service finds them there, too.
const STORE: &str = "/etc/credstore";

/// Where a secret can come from.
struct Slot<'a> {
    section: &'a str,
    item: Option<usize>,
    key: &'a str,
    /// What the configuration says.
    file: PathBuf,
    /// Its name among systemd's credentials.
    credential: String,
}

/// Reads them all, and says which cannot be read.
pub fn secrets(loaded: &mut Loaded, shown: &str) {
    passwords(loaded, shown);
    key_files(loaded);
    too_short(loaded, shown);
}

fn passwords(loaded: &mut Loaded, shown: &str) {
    let Loaded { config, .. } = loaded;
    let mut slots = Vec::new();
    let slot = |section, item, key, file: &Path, credential: &str| Slot {
        section,
        item,
        key,
        file: file.to_owned(),
        credential: credential.to_owned(),
    };
    for (nr, smtp) in config.smtp.iter().enumerate() {
        slots.push(slot("smtp", Some(nr), "password", &smtp.password_file, &numbered("smtp_password", nr)));
    }
    for (nr, hook) in config.webhooks.iter().enumerate() {
        slots.push(slot("webhooks", Some(nr), "secret", &hook.secret_file, "webhook_secret"));
    }
    let (bounces, http) = (&config.bounces, &config.http);
    slots.push(slot("bounces", None, "imap_password", &bounces.imap_password_file, "imap_password"));
    slots.push(slot("http", None, "admin_token", &http.admin_token_file, "admin_token"));
    slots.push(slot("http", None, "admin_password", &http.admin_password_file, "admin_password"));
    slots.push(slot("store", None, "password", &config.store.password_file, "store_password"));
    for slot in slots {
        read(loaded, &slot, shown);
    }
}

fn read(loaded: &mut Loaded, slot: &Slot<'_>, shown: &str) {
    let base = &loaded.config.base;
    let named = Some(base.join(&slot.file)).filter(|_| !slot.file.as_os_str().is_empty());
    let of_service = is_services(loaded.config.file.as_deref());
    let Some(file) = named.or_else(|| credential(&slot.credential, of_service)) else { return };
    match text(&file) {
        Ok(secret) => {
            loaded.origins.set(slot.section, slot.item, slot.key, Origin::Secret(file));
            *place(loaded, slot) = secret;
        }
        Err(error) => {
            let key = format!("{}.{}_file", slot.section, slot.key);
            let said = format!("`{key}` `{}` cannot be read: {error}", file.display());
            let hint = "check the path and that the daemon's user may read it";
            let problem = Problem::error(shown, "config", said).hint(hint);
            let name = origin::name(slot.section, slot.item, &format!("{}_file", slot.key));
            loaded.problems.push(match loaded.origins.get(&name) {
                Some(Origin::Line(line)) => problem.at(*line, 1),
                _ => problem,
            });
        }
    }
}

fn place<'a>(loaded: &'a mut Loaded, slot: &Slot<'_>) -> &'a mut SecretString {
    let (config, item) = (&mut loaded.config, slot.item.unwrap_or_default());
    match (slot.section, slot.key) {
        ("smtp", _) => &mut config.smtp[item].password,
        ("webhooks", _) => &mut config.webhooks[item].secret,
        ("bounces", _) => &mut config.bounces.imap_password,
        ("http", "admin_token") => &mut config.http.admin_token,
        ("http", _) => &mut config.http.admin_password,
        _ => &mut config.store.password,
    }
}

fn text(file: &Path) -> Result<SecretString, String> {
    let text = bounded::text(file, bounded::SECRET).map_err(|error| error.to_string())?;
    Ok(SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// The first has no number.
fn numbered(name: &str, nr: usize) -> String {
    if nr == 0 { name.to_owned() } else { format!("{name}_{}", nr + 1) }
}

/// Keys are read when they are used, so that they are in memory once.
fn key_files(loaded: &mut Loaded) {
    let of_service = is_services(loaded.config.file.as_deref());
    let Loaded { config, origins, .. } = loaded;
    let (dkim, http) = (&mut config.dkim, &mut config.http);
    for (section, key, name, file) in [
        ("dkim", "key_file", "dkim_key", &mut dkim.key_file),
        ("dkim", "ed25519_key_file", "dkim_ed25519_key", &mut dkim.ed25519_key_file),
        ("http", "tls_certificate", "tls_certificate", &mut http.tls_certificate),
        ("http", "tls_key", "tls_key", &mut http.tls_key),
    ] {
        if !file.as_os_str().is_empty() {
            continue;
        }
        if let Some(given) = credential(name, of_service) {
            origins.set(section, None, key, Origin::Secret(given.clone()));
            *file = given;
        }
    }
}

/// Whether it is the service's configuration. Any other has nothing to do with the service's secrets.
fn is_services(file: Option<&Path>) -> bool {
    file.and_then(|file| file.canonicalize().ok()).is_some_and(|file| file.starts_with("/etc/gazetted"))
}

/// The file of a credential, if there is one.
fn credential(name: &str, of_service: bool) -> Option<PathBuf> {
    let given = std::env::var_os("CREDENTIALS_DIRECTORY").map(|folder| PathBuf::from(folder).join(name));
    let kept = || of_service.then(|| Path::new(STORE).join(format!("gazetted.{name}")));
    given.or_else(kept).filter(|file| file.exists())
}

fn too_short(loaded: &mut Loaded, shown: &str) {
    let http = &loaded.config.http;
    let (token, password) = (http.admin_token.expose_secret(), http.admin_password.expose_secret());
    let short = [("http.admin_token", token, SHORTEST_TOKEN), ("http.admin_password", password, SHORTEST_PASSWORD)]
        .into_iter()
        .filter(|(_, secret, least)| !http.admin.is_empty() && !secret.is_empty() && secret.len() < *least);
    let problem = |(key, _, least)| {
        Problem::error(shown, "config", format!("`{key}` is so short that it can be guessed"))
            .hint(format!("expected at least {least} characters that nobody guesses: `openssl rand -hex 24`"))
    };
    let problems: Vec<Problem> = short.map(problem).collect();
    loaded.problems.extend(problems);
}
