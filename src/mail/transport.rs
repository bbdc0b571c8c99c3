//! The ways a message can leave: a mail server, or a folder of files where there is none.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use secrecy::ExposeSecret as _;

use super::files::Folder;
pub use super::session::{Failure, Sent};
use super::session::{Server, Session};
use super::tls;
use crate::config::{Smtp, Tls};
use crate::domain::bounce::Stage;
use crate::render::message::Message;
use crate::store::DeliveryKey;

#[derive(Clone)]
pub enum Transport {
    Smtp(Arc<Server>),
    Files(Folder),
}

/// The configuration of the way out is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TransportError(pub String);

impl Transport {
    /// `helo` is said where the configuration names nothing: the domain that mail comes from.
    pub fn smtp(smtp: &Smtp, helo: &str) -> Result<Self, TransportError> {
        let tls_config = match smtp.tls {
            Tls::None => None,
            Tls::Starttls | Tls::Tls => Some(tls::config(&smtp.ca_file).map_err(TransportError)?),
        };
        let login = || Credentials::new(smtp.user.clone(), smtp.password.expose_secret().to_owned());
        let helo = if smtp.helo.is_empty() { helo } else { &smtp.helo };
        Ok(Self::Smtp(Arc::new(Server {
            host: smtp.host.clone(),
            port: smtp.port(),
            tls: smtp.tls,
            tls_config,
            login: (!smtp.user.is_empty()).then(login),
            helo: if helo.is_empty() { "localhost" } else { helo }.to_owned(),
            timeout: smtp.timeout.get(),
            data_timeout: smtp.data_timeout.get(),
        })))
    }

    #[must_use]
    pub fn files(folder: PathBuf) -> Self {
        Self::Files(Folder::new(folder))
    }

    /// One worker's own way out.
    #[must_use]
    pub fn channel(&self) -> Channel {
        match self {
            Self::Smtp(server) => Channel::Smtp { server: Arc::clone(server), session: None },
            Self::Files(folder) => Channel::Files(folder.clone()),
        }
    }

    /// The longest that one message may take.
    #[must_use]
    pub fn patience(&self) -> Duration {
        match self {
            Self::Smtp(server) => server.timeout * 8 + server.data_timeout,
            Self::Files(_) => Duration::from_mins(1),
        }
    }

    /// Connects and logs in, and sends nothing: what `doctor` asks.
    pub async fn probe(&self) -> Result<(), Failure> {
        match self {
            Self::Smtp(server) => {
                Session::open(Arc::clone(server)).await?.quit().await;
                Ok(())
            }
            Self::Files(_) => Ok(()),
        }
    }
}

pub enum Channel {
    Smtp { server: Arc<Server>, session: Option<Session> },
    Files(Folder),
}

impl Channel {
    /// Sends one message; `mark` is awaited just before it is out for good, and stops it by giving false.
    pub async fn send(
        &mut self,
        key: DeliveryKey,
        message: &Message,
        mark: impl Future<Output = bool> + Send,
    ) -> Result<Sent, Failure> {
        let (server, kept) = match self {
            Self::Files(folder) => return folder.send(key, message, mark).await,
            Self::Smtp { server, session } => (server, session),
        };
        let mut mark = pin!(mark);
        if let Some(mut session) = kept.take() {
            let sent = session.send(message, mark.as_mut()).await;
            let usable = session.is_usable();
            if usable {
                *kept = Some(session);
            }
            // Servers close connections that have carried enough messages: that is no trouble, if nothing is out yet.
            let stale = !usable && sent.as_ref().is_err_and(|failure| failure.stage < Stage::Data);
            if !stale {
                return sent;
            }
        }
        let mut session = Session::open(Arc::clone(server)).await?;
        let sent = session.send(message, mark).await;
        if session.is_usable() {
            *kept = Some(session);
        }
        sent
    }

    pub async fn close(self) {
        if let Self::Smtp { session: Some(session), .. } = self {
            session.quit().await;
        }
    }
}
