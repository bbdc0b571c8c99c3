//! What the daemon listens on, and who answers there. Knows doors and certificates; opens none of them.

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

use crate::config::Config;
use crate::http::{self, Door, Listening, Tls, TlsFiles};

/// What it listens on: for readers, for editors and the operator's API, for whoever gathers numbers.
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

/// What is said each day of the last week.
const LAST_DAYS: i64 = 7;

/// What there is to say of the end of the certificate that is in use.
#[must_use]
pub fn end_of_certificate(until: Timestamp, now: Timestamp) -> Option<String> {
    let days = until.duration_since(now).as_hours().div_euclid(24);
    match days {
        ..0 => Some(format!("the certificate that TLS uses ended at {until}")),
        0..LAST_DAYS => Some(format!("the certificate that TLS uses ends at {until}, in {days} days")),
        _ => None,
    }
}

/// Everything that listens, until `stop`.
pub fn serve(
    doors: Doors,
    config: &Config,
    state: &http::State,
    asking: http::Asking,
    tls: Option<&Tls>,
    stop: &CancellationToken,
) -> TaskTracker {
    let servers = TaskTracker::new();
    let public = http::public(state.clone());
    for listening in doors.public {
        info!(event = "listening", "listening on {}", listening.name(if tls.is_some() { "https" } else { "http" }));
        servers.spawn(http::serve(Door::new(listening, tls.cloned()), public.clone(), stop.clone()));
    }
    let settings = http::AdminSettings {
        token: config.http.admin_token.clone(),
        password: config.http.admin_password.clone(),
        url: config.admin_url(),
        asking,
    };
    for listening in doors.admin {
        info!(event = "listening_admin", "the editors' pages and the API listen on {}", listening.name("http"));
        servers.spawn(http::serve(listening, http::admin(state.clone(), settings.clone()), stop.clone()));
    }
    for listening in doors.metrics {
        info!(event = "listening_metrics", "the numbers are on {}", listening.name("http"));
        servers.spawn(http::serve(listening, http::metrics(state.clone()), stop.clone()));
    }
    servers
}
