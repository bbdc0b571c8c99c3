//! Opens what the daemon listens on, as the configuration says, or takes what systemd has opened already.

use std::io;

use listenfd::ListenFd;
use tokio::net::{TcpListener, UnixListener};

use crate::config::listen::{self, Listen};
use crate::config::{Config, Http};
use crate::daemon::serving::Doors;
use crate::http::Listening;

/// Sockets without a name of their own are for readers.
const PUBLIC: &str = "http";
const ADMIN: &str = "admin";
const METRICS: &str = "metrics";

/// `given` comes before `http.listen`.
pub async fn open(config: &Config, given: Option<&str>) -> anyhow::Result<Doors> {
    let (mut handed, http) = (handed()?, &config.http);
    let public = match given {
        Some(address) if Listen::parse(address).is_none() => vec![tcp(address, "").await?],
        given => open_one(http, "http.listen", given.unwrap_or(&http.listen), PUBLIC, &mut handed).await?,
    };
    let admin = open_one(http, "http.admin", &http.admin, ADMIN, &mut handed).await?;
    let metrics = open_one(http, "http.metrics", &http.metrics, METRICS, &mut handed).await?;
    for (name, _) in handed {
        tracing::warn!(
            event = "socket_unused",
            "systemd hands over a socket named `{name}` that nothing here listens on"
        );
    }
    Ok(Doors { public, admin, metrics })
}

async fn open_one(
    http: &Http,
    key: &str,
    address: &str,
    name: &str,
    handed: &mut Vec<(String, Listening)>,
) -> anyhow::Result<Vec<Listening>> {
    let about = if name == PUBLIC { String::new() } else { format!(" (`{key}`)") };
    match Listen::parse(address) {
        None => Ok(Vec::new()),
        Some(Listen::Address(at)) => Ok(vec![tcp(&at.to_string(), &about).await?]),
        Some(Listen::Unix(path)) => {
            let mode = listen::mode(&http.socket_mode).unwrap_or(0o660);
            let opened = Listening::unix(&path, mode).await;
            Ok(vec![opened.map_err(|e| anyhow::Error::new(e).context(format!("cannot listen on `{address}`{about}")))?])
        }
        Some(Listen::Systemd) => {
            let ours = handed.extract_if(.., |(known, _)| belongs(known, name)).map(|(_, listening)| listening);
            let ours: Vec<Listening> = ours.collect();
            anyhow::ensure!(
                !ours.is_empty(),
                "`{key}` is `systemd`, and systemd has handed over no socket named `{name}`: start it by \
                 gazetted.socket, with `FileDescriptorName={name}`"
            );
            Ok(ours)
        }
    }
}

fn belongs(known: &str, name: &str) -> bool {
    known == name || name == PUBLIC && ![ADMIN, METRICS].contains(&known)
}

async fn tcp(address: &str, about: &str) -> anyhow::Result<Listening> {
    let opened = TcpListener::bind(address).await;
    let opened = opened.map_err(|e| anyhow::Error::new(e).context(format!("cannot listen on `{address}`{about}")))?;
    Ok(opened.into())
}

/// What systemd has opened, by name.
fn handed() -> anyhow::Result<Vec<(String, Listening)>> {
    let names = std::env::var_os("LISTEN_FDNAMES").unwrap_or_default();
    let names = names.to_string_lossy().into_owned();
    let mut names = names.split(':').map(str::to_owned);
    let mut sockets = ListenFd::from_env();
    let mut handed = Vec::new();
    for at in 0..sockets.len() {
        let listening = match sockets.take_tcp_listener(at) {
            Ok(listener) => listener.map(open_to_all).transpose()?,
            // No TCP; then one in the file system.
            Err(_) => sockets.take_unix_listener(at)?.map(open_to_some).transpose()?,
        };
        handed.extend(listening.map(|listening| (names.next().unwrap_or_default(), listening)));
    }
    Ok(handed)
}

fn open_to_all(listener: std::net::TcpListener) -> io::Result<Listening> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener).map(Into::into)
}

fn open_to_some(listener: std::os::unix::net::UnixListener) -> io::Result<Listening> {
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener).map(Into::into)
}
