//! What the daemon listens on, and who answers there. Knows doors and certificates; opens none of them.

use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

use crate::config::Config;
use crate::http::{self, Door, Front, Listening, Tls, TlsFiles};

/// What it listens on: for readers, for the operator's API, for whoever gathers numbers.
#[derive(Debug, Default)]
pub struct Doors {
    pub public: Vec<Listening>,
    pub admin: Vec<Listening>,
    pub metrics: Vec<Listening>,
}

impl From<TcpListener> for Doors {
    fn from(listener: TcpListener) -> Self {
        Self { public: vec![listener.into()], ..Self::default() }
    }
}

/// The files of `http.tls_certificate` and `http.tls_key`, if they are given.
#[must_use]
pub fn tls_files(config: &Config) -> Option<TlsFiles> {
    let given = &config.http.tls_certificate;
    let files = TlsFiles { certificate: config.path(given), key: config.path(&config.http.tls_key) };
    Some(files).filter(|_| !given.as_os_str().is_empty())
}

pub fn certificate(config: &Config) -> anyhow::Result<Option<Tls>> {
    Ok(tls_files(config).map(Tls::open).transpose()?)
}

/// Everything that listens, until `stop`.
pub fn serve(
    doors: Doors,
    config: &Config,
    state: &http::State,
    tls: Option<&Tls>,
    stop: &CancellationToken,
) -> TaskTracker {
    let servers = TaskTracker::new();
    let public = http::public(state.clone());
    for listening in doors.public {
        info!("listening on {}", listening.name(if tls.is_some() { "https" } else { "http" }));
        servers.spawn(http::serve(Door::new(listening, tls.cloned()), public.clone(), stop.clone()));
    }
    for listening in doors.admin {
        info!("the API listens on {}", listening.name("http"));
        let front: Front = http::admin(state.clone(), config.http.admin_token.expose_secret());
        servers.spawn(http::serve(listening, front, stop.clone()));
    }
    for listening in doors.metrics {
        info!("the numbers are on {}", listening.name("http"));
        servers.spawn(http::serve(listening, http::metrics(state.clone()), stop.clone()));
    }
    servers
}
