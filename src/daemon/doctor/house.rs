//! Modes, free space, the clock, the store: what this machine says of itself.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rustix::fs::{Access, access, statvfs};

use super::PATIENCE;
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, Loaded, bounded};
use crate::domain::dates;
use crate::domain::doctor::{Finding, house as rules};
use crate::domain::problem::Problem;
use crate::store::{self, Migration, SharedStore, StoreError};

pub fn config(loaded: &Loaded) -> Finding {
    let errors = loaded.problems.iter().filter(|problem| problem.is_error()).count();
    // What rules of ours tell with a remedy is not told twice.
    let elsewhere = ["there is no `digest.postal_address`", "there is no `[smtp]`", "`smtp.tls` is `none`"];
    let told =
        |problem: &&Problem| !problem.is_error() && !elsewhere.iter().any(|words| problem.message.starts_with(words));
    let warnings = loaded.problems.iter().filter(told).count();
    let file = loaded.config.file.clone().unwrap_or_else(|| "gazetted.toml".into());
    rules::config(&file.display().to_string(), errors, warnings)
}

pub fn time_zone(config: &Config, now: Timestamp) -> Finding {
    let name = &config.site.time_zone;
    let there = dates::zone(name).map(|zone| zone.to_datetime(now).strftime("%Y-%m-%d %H:%M").to_string());
    rules::time_zone(name, there)
}

fn mode(path: &Path) -> Result<u32, String> {
    std::fs::metadata(path).map(|known| known.permissions().mode()).map_err(|error| error.to_string())
}

/// `exposed`: what lies where everybody can fetch it.
pub fn permissions(config: &Config, exposed: &[Problem]) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(file) = &config.file
        && let (Ok(mode), Ok(text)) = (mode(file), bounded::text(file, bounded::TEXT))
    {
        found.push(rules::config_mode(&file.display().to_string(), mode, &rules::secrets_within(&text)));
    }
    found.push(rules::secret_modes(&secrets(config)));
    let posts = config.path(&config.posts.dir);
    let read = std::fs::read_dir(&posts).map(|entries| entries.take(10).count()).map_err(|error| error.to_string());
    found.push(rules::posts(&posts.display().to_string(), read));
    let out = config.path(&config.feeds.out);
    let writable = writable(nearest(&out)).map_err(|error| error.to_string());
    found.push(rules::feeds(&out.display().to_string(), writable));
    let file = config.store_file();
    let shown = file.as_ref().map(|file| file.display().to_string());
    found.push(rules::store_mode(file.as_deref().zip(shown.as_deref()).map(|(file, shown)| (shown, mode(file)))));
    found.push(rules::kept_private(exposed));
    found
}

fn secrets(config: &Config) -> Vec<rules::Secret> {
    let one = |(key, path): (&'static str, PathBuf)| {
        let readable = access(&path, Access::READ_OK).map_err(|error| error.to_string());
        let mode = readable.and_then(|()| mode(&path));
        rules::Secret { key, path: path.display().to_string(), mode }
    };
    config.secret_files().into_iter().map(one).collect()
}

fn writable(folder: &Path) -> std::io::Result<()> {
    if !folder.is_dir() {
        return Err(std::io::ErrorKind::NotADirectory.into());
    }
    Ok(access(folder, Access::WRITE_OK)?)
}

/// What there is of a path.
fn nearest(path: &Path) -> &Path {
    let there = path.ancestors().find(|part| !part.as_os_str().is_empty() && part.exists());
    there.unwrap_or(Path::new("."))
}

/// The store if there is one, and what is to be said of it.
pub async fn open(config: &Config, now: Timestamp) -> (Option<SharedStore>, rules::Store) {
    let file = config.store_file();
    if let Some(file) = file.as_ref().filter(|file| !file.exists()) {
        return (None, rules::Store::NotYet(file.display().to_string()));
    }
    let name = file
        .as_ref()
        .map_or_else(|| crate::config::without_password(&config.store.url), |file| file.display().to_string());
    let opened = match store::outlook(&config.store_url()).await {
        Ok(Migration { schema: None, .. }) => return (None, rules::Store::NotYet(name)),
        Ok(Migration { schema: Some(schema), to, steps }) if !steps.is_empty() => {
            return (None, rules::Store::Older { schema, to });
        }
        Ok(_) => store::open(&config.store_url(), now).await,
        Err(error) => Err(error),
    };
    match opened {
        Ok(store) => (Some(store), rules::Store::Open { name, whole: file.is_some() }),
        Err(StoreError::Schema(words)) => (None, rules::Store::Newer(words)),
        Err(error) => {
            let remedy = match &error {
                StoreError::Damaged(_) => "restore it from a backup made with `gazetted backup`",
                StoreError::Full(_) => "make room on its disk",
                StoreError::NotWritable(_) => "look at the file's owner; if the service keeps it, run this as root",
                _ => "is the database server up, and `url` below `[store]` right?",
            };
            (None, rules::Store::Failed { words: error.to_string(), remedy: remedy.to_owned() })
        }
    }
}

pub async fn store(config: &Config, store: Option<&SharedStore>) -> Vec<Finding> {
    let mut places = vec![config.path(&config.feeds.out)];
    places.extend(config.store_file());
    let mut disks = HashSet::new();
    let free = |path: PathBuf| {
        let disk = statvfs(nearest(&path)).ok()?;
        // What is on one disk has the same room, and the first is named.
        let is_another = disks.insert((disk.f_fsid, disk.f_blocks));
        is_another.then(|| (path.display().to_string(), disk.f_bavail.saturating_mul(disk.f_frsize)))
    };
    let mut found = vec![rules::room(&places.into_iter().filter_map(free).collect::<Vec<_>>())];
    match store {
        None => found.push(Finding::skipped("store-standby", "there is no store to ask")),
        Some(store) => match store.standby().await {
            Ok(since) => found.push(rules::standby(since.map(|since| since.strftime("%Y-%m-%d").to_string()))),
            Err(error) => found.push(Finding::wrong("store-standby", error.to_string(), "see `store`")),
        },
    }
    found
}

/// By how much the database's clock is later than ours, if it has one of its own.
pub async fn database_clock(config: &Config) -> Vec<(String, SignedDuration)> {
    let asked = tokio::time::timeout(PATIENCE, store::server_clock(&config.store_url())).await;
    let there = asked.ok().flatten();
    there.map(|there| ("the database".to_owned(), there.duration_since(SystemClock.now()))).into_iter().collect()
}

/// Whether anything keeps this machine's clock right, if systemd says.
pub async fn clock_is_kept() -> Option<bool> {
    let mut asked = tokio::process::Command::new("timedatectl");
    asked.args(["show", "--property=NTPSynchronized", "--value"]).stdin(std::process::Stdio::null()).kill_on_drop(true);
    let answered = tokio::time::timeout(PATIENCE, asked.output()).await.ok()?.ok()?;
    match String::from_utf8_lossy(&answered.stdout).trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}
