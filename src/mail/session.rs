//! One connection to the mail server, from the greeting to QUIT: encrypted and logged in as the configuration says, one
//! message after the other, the envelope of each in one go with the end of the one before where the server takes that. Every
//! error carries its decision. Lettre's commands, on a socket of our own: its pool neither bounds the wait for replies nor
//! lets anybody in before the message.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::commands::{Auth, Data, Ehlo, Mail, Quit, Rcpt, Rset, Starttls};
use lettre::transport::smtp::extension::{ClientId, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::{Category, Code, Detail, Response, Severity};
use rustls::ClientConfig;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tracing::debug;

use super::offers::Offers;
use super::tls::{self, Encryption};
use super::wire::{END, Stream, Wire, WireError, stuffed};
use crate::config::Tls;
use crate::domain::bounce::{Decision, Reply, Stage, decide, no_answer};
use crate::render::message::Message;

/// While other addresses of the server remain to be tried.
const NEXT_ADDRESS: Duration = Duration::from_secs(5);
/// What is said before a message, and the hundred of the answer that lets it go on.
const ENVELOPE: [(Stage, u16); 3] = [(Stage::Mail, 200), (Stage::Rcpt, 200), (Stage::Data, 300)];
/// Nobody waits for a farewell.
const FAREWELL: Duration = Duration::from_secs(2);

/// The server and how it is to be talked to.
pub struct Server {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub tls_config: Option<Arc<ClientConfig>>,
    pub login: Option<Credentials>,
    pub helo: String,
    /// For connecting, and for each reply but the last.
    pub timeout: Duration,
    /// For the reply after the final dot.
    pub data_timeout: Duration,
    /// Whether it takes an envelope in one go with the end of the message before; unknown before the first one.
    pub takes_ahead: OnceLock<bool>,
}

/// Why a message did not go, and what that asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct Failure {
    pub stage: Stage,
    pub decision: Decision,
    /// The server's own, if it said any.
    pub words: String,
}

/// What came of a message that nobody refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The server took it; its own words.
    Accepted(String),
    /// The claim was lost before the final dot: not sent.
    Lost,
}

/// The mark that a message is about to be out for good; asked for once, however many connections the message takes.
pub struct Mark<'a> {
    marking: Pin<&'a mut (dyn Future<Output = bool> + Send)>,
    is_ours: Option<bool>,
}

impl<'a> Mark<'a> {
    pub fn new(marking: Pin<&'a mut (dyn Future<Output = bool> + Send)>) -> Self {
        Self { marking, is_ours: None }
    }

    /// Whether the claim still held.
    async fn wait(&mut self) -> bool {
        let is_ours = match self.is_ours {
            Some(is_ours) => is_ours,
            None => self.marking.as_mut().await,
        };
        self.is_ours = Some(is_ours);
        is_ours
    }
}

/// The message that follows on this connection; asked for once, when all but the end of the one before is on its way.
pub struct Next<'a>(Option<Pin<&'a mut (dyn Future<Output = Option<Envelope>> + Send)>>);

impl<'a> Next<'a> {
    pub fn new(making: Pin<&'a mut (dyn Future<Output = Option<Envelope>> + Send)>) -> Self {
        Self(Some(making))
    }

    async fn wait(&mut self) -> Option<Envelope> {
        match self.0.take() {
            Some(making) => making.await,
            None => None,
        }
    }
}

/// What a server is told of a message before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    return_path: String,
    recipient: String,
    size: usize,
    is_ascii: bool,
}

impl From<&Message> for Envelope {
    fn from(message: &Message) -> Self {
        Self {
            return_path: message.return_path.clone(),
            recipient: message.recipient.clone(),
            size: message.bytes.len(),
            is_ascii: message.bytes.is_ascii(),
        }
    }
}

pub struct Session {
    server: Arc<Server>,
    wire: Wire,
    offers: Offers,
    encryption: Option<Encryption>,
    usable: bool,
    /// The envelope of the next message, if it is out already: its answers come after those about the message before.
    ahead: Option<Envelope>,
}

/// What a server has shown of itself to somebody who sends nothing.
#[derive(Debug)]
pub struct Probed {
    pub encryption: Option<Encryption>,
    /// Keywords of its answer to EHLO.
    pub offers: Vec<String>,
    pub size: Option<usize>,
    /// What came of the login, if there is one.
    pub login: Option<Result<(), Failure>>,
}

impl Session {
    pub async fn open(server: Arc<Server>) -> Result<Self, Failure> {
        let (mut session, peer) = Self::reach(server).await?;
        session.log_in(peer).await?;
        Ok(session)
    }

    /// Goes as far as the login, and leaves.
    pub async fn probe(server: Arc<Server>) -> Result<Probed, Failure> {
        let (mut session, peer) = Self::reach(server).await?;
        let login = session.log_in(peer).await;
        let probed = Probed {
            encryption: session.encryption.take(),
            offers: std::mem::take(&mut session.offers.keywords),
            size: session.offers.size,
            login: session.server.login.is_some().then_some(login),
        };
        session.quit().await;
        Ok(probed)
    }

    async fn reach(server: Arc<Server>) -> Result<(Self, SocketAddr), Failure> {
        let (stream, peer) = connect(&server).await?;
        let (stream, encryption): (Box<dyn Stream>, _) = match (server.tls, &server.tls_config) {
            (Tls::Tls, Some(config)) => {
                let (stream, encryption) = encrypted(stream, &server, config, Stage::Connect).await?;
                (stream, Some(encryption))
            }
            _ => (Box::new(stream), None),
        };
        let mut session =
            Self { wire: Wire::new(stream), offers: Offers::default(), encryption, usable: true, ahead: None, server };
        session.expect(Stage::Greeting, 200).await?;
        session.ehlo().await?;
        if session.server.tls == Tls::Starttls {
            session = session.starttls().await?;
        }
        Ok((session, peer))
    }

    /// Whether another message may follow.
    pub fn is_usable(&self) -> bool {
        self.usable
    }

    /// Sends one message. `mark` is awaited while the envelope and the message are on their way; before it gives true, the
    /// message is not ended, and if it gives false, the connection is given up in the middle of it. What `next` gives is to
    /// be sent next; if something else is, or nothing, the connection is given up, too.
    pub async fn send(&mut self, message: &Message, mark: &mut Mark<'_>, next: &mut Next<'_>) -> Result<Sent, Failure> {
        let sent = self.transaction(message, mark, next).await;
        if self.usable && sent.as_ref().is_err_and(|failure| failure.stage < Stage::Dot) {
            self.reset().await;
        }
        sent
    }

    async fn transaction(
        &mut self,
        message: &Message,
        mark: &mut Mark<'_>,
        next: &mut Next<'_>,
    ) -> Result<Sent, Failure> {
        let whole = stuffed(&message.bytes);
        let body = &whole[..whole.len() - END.len()];
        // One waits for the disk, the other for the server. Neither is given up for the other: what was marked is known.
        let (is_ours, begun) = tokio::join!(biased; mark.wait(), self.begin(message, body, next));
        let follows = begun?;
        if !is_ours {
            self.usable = false;
            return Ok(Sent::Lost);
        }
        let reply = self.end(follows).await?;
        Ok(Sent::Accepted(reply.to_string()))
    }

    /// What may go out before the mark is known: all of the message but its end, without which it is none. Gives what goes
    /// with the end.
    async fn begin(
        &mut self,
        message: &Message,
        body: &[u8],
        next: &mut Next<'_>,
    ) -> Result<Option<(Envelope, String)>, Failure> {
        self.envelope(message).await?;
        self.wire.write(body, self.server.timeout).await.map_err(|e| self.broken(Stage::Data, &e))?;
        if !self.offers.has("PIPELINING") || self.server.takes_ahead.get() == Some(&false) {
            return Ok(None);
        }
        let follows = next.wait().await;
        // One that cannot be said is found out when it is its turn.
        Ok(follows.and_then(|envelope| self.commands(&envelope).ok().map(|commands| (envelope, commands))))
    }

    /// The end of the message, and in one go with it the envelope that follows.
    async fn end(&mut self, follows: Option<(Envelope, String)>) -> Result<Reply, Failure> {
        let (ahead, commands) = follows.unzip();
        let last = [END, commands.unwrap_or_default().as_bytes()].concat();
        let written = self.wire.hand_over(&last, self.server.timeout).await;
        written.map_err(|(e, taken)| self.broken(if taken < END.len() { Stage::Data } else { Stage::Dot }, &e))?;
        self.ahead = ahead;
        Ok(self.expect(Stage::Dot, 200).await?)
    }

    /// MAIL, RCPT and DATA, in one go where the server takes them so (RFC 2920).
    async fn envelope(&mut self, message: &Message) -> Result<(), Failure> {
        let envelope = Envelope::from(message);
        if let Some(ahead) = self.ahead.take() {
            return if ahead == envelope { self.answers_ahead().await } else { Err(self.given_up()) };
        }
        let commands = self.commands(&envelope)?;
        if self.offers.has("PIPELINING") {
            self.say(Stage::Mail, commands).await?;
            return self.answers().await;
        }
        for (command, (stage, wanted)) in commands.split_inclusive('\n').zip(ENVELOPE) {
            self.say(stage, command).await?;
            self.expect(stage, wanted).await?;
        }
        Ok(())
    }

    /// All three answers are read, whatever the first ones say.
    async fn answers(&mut self) -> Result<(), Failure> {
        let mut refused = None;
        for (stage, wanted) in ENVELOPE {
            match self.expect(stage, wanted).await {
                // It waits for a message to nobody: one of no lines would still be one.
                Ok(_) if stage == Stage::Data && refused.is_some() => self.usable = false,
                Ok(_) => {}
                Err(answer) => refused = refused.or(Some(answer)),
            }
            if !self.usable {
                break;
            }
        }
        refused.map_or(Ok(()), |answer| Err(answer.into()))
    }

    /// To an envelope that went with the end of the message before. Some server may not bear that, whatever it offers: what it
    /// says then, it is asked again on another connection, and never so again unless it has worked once.
    async fn answers_ahead(&mut self) -> Result<(), Failure> {
        let answered = self.answers().await;
        let refused = match &answered {
            Err(failure) if failure.stage != Stage::Rcpt && failure.decision != Decision::Closing => failure,
            Err(_) => return answered,
            Ok(()) => {
                self.server.takes_ahead.get_or_init(|| true);
                return answered;
            }
        };
        if !self.server.takes_ahead.get_or_init(|| false) {
            debug!(host = %self.server.host, "each message waits for the one before from now on: {refused}");
        }
        self.usable = false;
        Err(Failure { decision: Decision::ServerTrouble, ..refused.clone() })
    }

    /// The server waits for a message that is not to be sent.
    fn given_up(&mut self) -> Failure {
        self.usable = false;
        trouble(Stage::Mail, "the connection was given up: a message that was begun does not go".to_owned())
    }

    /// MAIL, RCPT and DATA for a message that the server has said it would take.
    fn commands(&self, envelope: &Envelope) -> Result<String, Failure> {
        self.fits(envelope)?;
        let from = Mail::new(Some(address(&envelope.return_path)?), self.parameters(envelope));
        let to = Rcpt::new(address(&envelope.recipient)?, Vec::new());
        Ok(format!("{from}{to}{Data}"))
    }

    /// What the server has said of itself: a message that it would turn away is not begun.
    fn fits(&self, envelope: &Envelope) -> Result<(), Failure> {
        let Some(most) = self.offers.size.filter(|most| *most > 0 && envelope.size > *most) else {
            return Ok(());
        };
        let words = format!("5.3.4 the message has {} bytes, and the server takes {most} (SIZE)", envelope.size);
        Err(Failure { stage: Stage::Mail, decision: Decision::Refused, words })
    }

    fn parameters(&self, envelope: &Envelope) -> Vec<MailParameter> {
        let size = self.offers.has("SIZE").then_some(MailParameter::Size(envelope.size));
        let eight_bit = self.offers.has("8BITMIME") && !envelope.is_ascii;
        let body = eight_bit.then_some(MailParameter::Body(MailBodyParameter::EightBitMime));
        size.into_iter().chain(body).collect()
    }

    async fn ehlo(&mut self) -> Result<(), Failure> {
        self.say(Stage::Ehlo, Ehlo::new(ClientId::Domain(self.server.helo.clone()))).await?;
        self.offers = Offers::read(&self.expect(Stage::Ehlo, 200).await?);
        Ok(())
    }

    async fn starttls(mut self) -> Result<Self, Failure> {
        if !self.offers.has("STARTTLS") {
            let words = "the server does not offer STARTTLS; nothing was said to it. Use `smtp.tls = \"tls\"` and port \
                         465, or `smtp.tls = \"none\"` for a server on this machine";
            return Err(stop(Stage::StartTls, words));
        }
        self.say(Stage::StartTls, Starttls).await?;
        self.expect(Stage::StartTls, 200).await?;
        let Some(config) = self.server.tls_config.clone() else { return Err(stop(Stage::StartTls, "no TLS set up")) };
        let Some(stream) = self.wire.into_quiet_stream() else {
            return Err(stop(Stage::StartTls, "the server said more than it was asked before TLS began"));
        };
        let (stream, encryption) = encrypted(stream, &self.server, &config, Stage::StartTls).await?;
        let mut session = Self { wire: Wire::new(stream), encryption: Some(encryption), ..self };
        // What was offered outside TLS may have been anybody's word.
        session.ehlo().await?;
        Ok(session)
    }

    async fn log_in(&mut self, peer: SocketAddr) -> Result<(), Failure> {
        let Some(login) = self.server.login.clone() else { return Ok(()) };
        if self.server.tls == Tls::None && !peer.ip().is_loopback() {
            let words =
                "the password is not sent without TLS to another machine; set `smtp.tls` to `starttls` or `tls`";
            return Err(stop(Stage::Auth, words));
        }
        let offered = [Mechanism::Plain, Mechanism::Login].into_iter().find(|m| self.offers.mechanisms.contains(m));
        let Some(mechanism) = offered else {
            return Err(stop(Stage::Auth, "the server offers no login with a password (AUTH PLAIN or LOGIN)"));
        };
        let hello = Auth::new(mechanism, login.clone(), None).map_err(|e| stop(Stage::Auth, &e.to_string()))?;
        self.say(Stage::Auth, hello).await?;
        let mut reply = self.expect(Stage::Auth, 200).await;
        while let Err(Answer { reply: Some(asked), .. }) = &reply
            && asked.code == 334
            && mechanism == Mechanism::Login
        {
            let answer = Auth::new_from_response(mechanism, login.clone(), &challenge(asked));
            self.say(Stage::Auth, answer.map_err(|e| stop(Stage::Auth, &e.to_string()))?).await?;
            reply = self.expect(Stage::Auth, 200).await;
        }
        reply?;
        Ok(())
    }

    async fn reset(&mut self) {
        let said = self.say(Stage::Mail, Rset).await;
        self.usable = said.is_ok() && self.expect(Stage::Mail, 200).await.is_ok();
    }

    pub async fn quit(mut self) {
        // In the middle of a message QUIT would be a line of it.
        if self.usable && self.ahead.is_none() && self.wire.command(Quit, FAREWELL).await.is_ok() {
            // Some servers log a client that hangs up without waiting as rude; none depends on it.
            let _ = self.wire.reply(FAREWELL).await;
        }
    }

    async fn say(&mut self, stage: Stage, command: impl std::fmt::Display) -> Result<(), Failure> {
        let said = self.wire.command(command, self.server.timeout).await;
        said.map_err(|e| self.broken(stage, &e))
    }

    /// Reads the answer, which should be of the hundred `wanted`.
    async fn expect(&mut self, stage: Stage, wanted: u16) -> Result<Reply, Answer> {
        let patience = if stage == Stage::Dot { self.server.data_timeout } else { self.server.timeout };
        let reply = match self.wire.reply(patience).await {
            Ok(reply) => reply,
            Err(e) => return Err(self.broken(stage, &e).into()),
        };
        if (wanted..wanted + 100).contains(&reply.code) {
            return Ok(reply);
        }
        let failure = Failure { stage, decision: decide(stage, &reply), words: reply.to_string() };
        // Anything else that was not asked for means that answers and questions are out of step.
        let in_step = (400..600).contains(&reply.code) || (stage, reply.code) == (Stage::Auth, 334);
        self.usable &= in_step && reply.code != 421;
        Err(Answer { failure, reply: Some(reply) })
    }

    fn broken(&mut self, stage: Stage, error: &WireError) -> Failure {
        self.usable = false;
        Failure { stage, decision: no_answer(stage), words: format!("{}: {error}", stage.as_str()) }
    }
}

/// A failure with the reply it came from: a login goes on from a 334.
struct Answer {
    failure: Failure,
    reply: Option<Reply>,
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        Self { failure, reply: None }
    }
}

impl From<Answer> for Failure {
    fn from(answer: Answer) -> Self {
        answer.failure
    }
}

fn stop(stage: Stage, words: &str) -> Failure {
    Failure { stage, decision: Decision::StopRun, words: words.to_owned() }
}

fn trouble(stage: Stage, words: String) -> Failure {
    Failure { stage, decision: Decision::ServerTrouble, words }
}

fn address(text: &str) -> Result<Address, Failure> {
    text.parse().map_err(|e| Failure {
        stage: Stage::Mail,
        decision: Decision::FailRecipient { hard: false },
        words: format!("no address for an envelope: {e}"),
    })
}

async fn connect(server: &Server) -> Result<(TcpStream, SocketAddr), Failure> {
    let at = format!("{}:{}", server.host, server.port);
    let found = timeout(server.timeout, lookup_host((server.host.as_str(), server.port))).await;
    let found = found.map_err(|_| trouble(Stage::Connect, format!("{at}: the name is not resolved in time")))?;
    let addresses: Vec<_> = found.map_err(|e| trouble(Stage::Connect, format!("{at}: {e}")))?.collect();
    let mut last = "the name has no address".to_owned();
    for (n, address) in addresses.iter().enumerate() {
        let patience = if n + 1 < addresses.len() { server.timeout.min(NEXT_ADDRESS) } else { server.timeout };
        match timeout(patience, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // A message is many small writes; each would wait for the acknowledgement of the one before.
                let set = stream.set_nodelay(true);
                return set.map(|()| (stream, *address)).map_err(|e| trouble(Stage::Connect, e.to_string()));
            }
            Ok(Err(e)) => last = e.to_string(),
            Err(_) => last = "no answer in time".into(),
        }
    }
    Err(trouble(Stage::Connect, format!("{at}: {last}")))
}

async fn encrypted(
    stream: impl Stream + 'static,
    server: &Server,
    config: &Arc<ClientConfig>,
    stage: Stage,
) -> Result<(Box<dyn Stream>, Encryption), Failure> {
    let upgraded = tls::upgrade(Box::new(stream), &server.host, Arc::clone(config), server.timeout).await;
    upgraded.map_err(|e| trouble(stage, format!("{}: {e}", server.host)))
}

/// A 334 as lettre's login wants it.
fn challenge(reply: &Reply) -> Response {
    let code = Code::new(Severity::PositiveIntermediate, Category::Unspecified3, Detail::Four);
    Response::new(code, reply.lines.clone())
}
