//! `gazetted run`: the daemon, from the configuration to the last signal.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use super::error::Failure;
use super::{Done, doors, open, print};
use crate::clock::SystemClock;
use crate::config::{Config, find};
use crate::daemon::service::{self, Options};
use crate::store::{self, SharedStore, StoreError};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Instead of `http.listen`
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

pub async fn run(config_path: Option<&Path>, given: &Arguments, level: Option<tracing::Level>) -> Done {
    let config = open::config(config_path)?;
    print::log(level.or_else(|| config.log.level.parse().ok()).unwrap_or(tracing::Level::INFO), config.log.format);
    let store = patient(&config).await.map_err(Failure::Start)?;
    // Before the address, which another daemon with this configuration has too: its pid says more.
    service::alone(&config, &store).await.map_err(Failure::Start)?;
    more_files();
    let doors = doors::open(&config, given.listen.as_deref()).await?;
    let stop = CancellationToken::new();
    let (reloads, reload) = unbounded_channel();
    signals(&stop, reloads)?;
    let config_file = Some(find(config_path));
    let clock = Arc::new(SystemClock);
    let options = Options { config, store, clock, doors, config_file, heartbeat: None, reload, stop };
    service::run(options).await.map_err(Failure::Start)
}

/// Connections are files, and the usual limit is a thousand. Whoever set a lower hard limit meant it.
fn more_files() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(FILES, |most| most.min(FILES));
    if limit.current.is_some_and(|now| now < wanted) {
        let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..limit });
        tracing::debug!("open files: {wanted}, {raised:?}");
    }
}

/// For 12,000 connections, and everything else.
const FILES: u64 = 16_384;

/// How long a store is waited for that may come by itself: a database server that is still starting, a full disk. A start a
/// minute is not yet a crash loop to systemd.
const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_secs(2);

async fn patient(config: &Config) -> anyhow::Result<SharedStore> {
    let began = Instant::now();
    loop {
        match store::open(&config.store_url(), open::now()).await {
            Err(error @ (StoreError::Unavailable(_) | StoreError::Full(_))) if began.elapsed() < PATIENCE => {
                tracing::warn!(event = "store_awaited", "waits for the store: {error}");
                tokio::time::sleep(PAUSE).await;
            }
            opened => return Ok(opened?),
        }
    }
}

const SIGXFSZ: i32 = 25;

/// SIGTERM and SIGINT stop, SIGHUP reloads. A second SIGINT is for those who cannot wait.
fn signals(stop: &CancellationToken, reloads: tokio::sync::mpsc::UnboundedSender<()>) -> std::io::Result<()> {
    let (mut term, mut int, mut hup) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, signal(SignalKind::hangup())?);
    // Past `ulimit -f` a write is to fail, and not to end us: with a handler it does.
    drop(signal(SignalKind::from_raw(SIGXFSZ))?);
    let stop = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = term.recv() => stop.cancel(),
                _ = int.recv() => {
                    if stop.is_cancelled() {
                        std::process::exit(130);
                    }
                    stop.cancel();
                }
                _ = hup.recv() => {
                    let _ = reloads.send(());
                }
            }
        }
    });
    Ok(())
}
