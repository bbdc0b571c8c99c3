//! `gazetted run`: the daemon, from the configuration to the last signal.

use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;

use super::{Done, open, print};
use crate::clock::SystemClock;
use crate::config::find;
use crate::daemon::service::{self, Options};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Instead of `http.listen`
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

pub async fn run(config_path: Option<&Path>, given: &Arguments, level: Option<tracing::Level>) -> Done {
    let config = open::config(config_path)?;
    print::log(level.or_else(|| config.log.level.parse().ok()).unwrap_or(tracing::Level::INFO), config.log.format);
    let listen = given.listen.as_ref().unwrap_or(&config.http.listen);
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|e| anyhow::Error::new(e).context(format!("cannot listen on `{listen}`")))?;
    let admin = match config.http.admin.as_str() {
        "" => None,
        admin => Some(
            TcpListener::bind(admin)
                .await
                .map_err(|e| anyhow::Error::new(e).context(format!("cannot listen on `{admin}` (`http.admin`)")))?,
        ),
    };
    let store = open::store(&config).await?;
    let stop = CancellationToken::new();
    let (reloads, reload) = unbounded_channel();
    signals(&stop, reloads)?;
    let config_file = Some(find(config_path));
    let clock = Arc::new(SystemClock);
    let options = Options { config, store, clock, listener, admin, config_file, heartbeat: None, reload, stop };
    service::run(options).await?;
    Ok(())
}

/// SIGTERM and SIGINT stop, SIGHUP reloads. A second SIGINT is for those who cannot wait.
fn signals(stop: &CancellationToken, reloads: tokio::sync::mpsc::UnboundedSender<()>) -> std::io::Result<()> {
    let (mut term, mut int, mut hup) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, signal(SignalKind::hangup())?);
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
