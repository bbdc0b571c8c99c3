//! The ways a message can leave: a mail server, or a folder of files where there is none.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, OnceLock};

use lettre::transport::smtp::authentication::Credentials;
use secrecy::ExposeSecret as _;

use super::files::Folder;
use super::sendmail::Program;
pub use super::session::{Envelope, Failure, Probed, Sent};
use super::session::{Mark, Next, Server, Session};
use super::tls;
use crate::config::{Smtp, Tls};
use crate::domain::bounce::{Decision, Stage};
use crate::render::message::Message;
use crate::store::DeliveryKey;

#[derive(Clone)]
pub enum Transport {
    Smtp(Arc<Server>),
    Sendmail(Program),
    Files(Folder),
}

/// The configuration of the way out is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TransportError(pub String);

impl Transport {
    /// A mail server, or the machine's own `sendmail`. `helo` is said where the configuration names nothing: the domain that
    /// mail comes from.
    pub fn smtp(smtp: &Smtp, helo: &str) -> Result<Self, TransportError> {
        if !smtp.sendmail.as_os_str().is_empty() {
            return Ok(Self::Sendmail(Program { path: smtp.sendmail.clone(), patience: smtp.data_timeout.get() }));
        }
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
            takes_ahead: OnceLock::new(),
        })))
    }

    #[must_use]
    pub fn files(folder: PathBuf) -> Self {
        Self::Files(Folder::new(folder))
    }

    /// One worker's own way out.
    #[must_use]
    pub fn channel(&self) -> Channel {
        Channel { over: self.clone(), session: None, carried: 0, worn: None }
    }

    /// What it is called in the log, and what nodes that share it call it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Smtp(server) => format!("{}:{}", server.host, server.port),
            Self::Sendmail(program) => program.path.display().to_string(),
            Self::Files(_) => "files".to_owned(),
        }
    }

    /// Connects and logs in, and sends nothing. Only servers can be asked.
    pub async fn probe(&self) -> Result<Probed, Failure> {
        match self {
            Self::Smtp(server) => Session::probe(Arc::clone(server)).await,
            Self::Sendmail(_) | Self::Files(_) => {
                let words = format!("`{}` is no mail server", self.name());
                Err(Failure { stage: Stage::Connect, decision: Decision::StopRun, words })
            }
        }
    }
}

pub struct Channel {
    over: Transport,
    session: Option<Session>,
    /// How many messages the connection has carried, the last one included.
    carried: u32,
    /// The server has closed a connection that had carried so many.
    worn: Option<u32>,
}

/// Servers close connections that have carried enough messages: that is no trouble, if nothing is out yet, and says nothing of
/// the message.
fn is_over(failure: &Failure) -> bool {
    failure.stage < Stage::Data && matches!(failure.decision, Decision::Closing | Decision::ServerTrouble)
}

impl Channel {
    /// Sends one message; `mark` is awaited before it is out for good, and stops it by giving false. `next` is awaited by a
    /// server that can be told already what follows.
    pub async fn send(
        &mut self,
        key: DeliveryKey,
        message: &Message,
        mark: impl Future<Output = bool> + Send,
        next: impl Future<Output = Option<Envelope>> + Send,
    ) -> Result<Sent, Failure> {
        match &self.over {
            Transport::Smtp(server) => {
                let server = Arc::clone(server);
                self.send_to(server, message, mark, next).await
            }
            Transport::Sendmail(program) => program.send(message, mark).await,
            Transport::Files(folder) => folder.send(key, message, mark).await,
        }
    }

    async fn send_to(
        &mut self,
        server: Arc<Server>,
        message: &Message,
        mark: impl Future<Output = bool> + Send,
        next: impl Future<Output = Option<Envelope>> + Send,
    ) -> Result<Sent, Failure> {
        let (marking, making) = (pin!(mark), pin!(next));
        let (mut mark, mut next) = (Mark::new(marking), Next::new(making));
        if let Some(mut session) = self.session.take() {
            let sent = session.send(message, &mut mark, &mut next).await;
            if session.is_usable() || !sent.as_ref().is_err_and(is_over) {
                return self.keep(session, sent);
            }
            let said_so = sent.is_err_and(|failure| failure.decision == Decision::Closing);
            self.worn = Some(self.carried).filter(|carried| said_so && *carried > 0);
        }
        self.carried = 0;
        let mut session = Session::open(server).await?;
        let sent = session.send(message, &mut mark, &mut next).await;
        self.keep(session, sent)
    }

    fn keep(&mut self, session: Session, sent: Result<Sent, Failure>) -> Result<Sent, Failure> {
        self.carried += u32::from(sent.is_ok());
        if session.is_usable() {
            self.session = Some(session);
        }
        sent
    }

    /// How many messages have gone over the connection in use, or the last one.
    #[must_use]
    pub fn carried(&self) -> u32 {
        self.carried
    }

    /// How many messages the server has just shown to be enough for one connection.
    pub fn take_worn(&mut self) -> Option<u32> {
        self.worn.take()
    }

    /// Ends the connection; the next message opens another.
    pub async fn close(&mut self) {
        if let Some(session) = self.session.take() {
            session.quit().await;
        }
    }
}
