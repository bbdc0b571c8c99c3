//! A mail server that does as it is told: an answer, silence, nonsense or a cut at any step, for any recipient.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// One step of a dialogue.
#[derive(Debug, Clone)]
pub struct Step {
    /// `CONNECT`, the command's word, or `DOT`.
    pub verb: String,
    /// The whole line.
    pub line: String,
    /// The recipient, from `RCPT` on.
    pub recipient: String,
    /// How often this verb has been seen before, on all connections.
    pub before: usize,
    /// How many connections there are, this one included.
    pub open: usize,
    /// How many messages this connection has brought.
    pub carried: usize,
    /// Whether something has come in one go with it.
    pub is_followed: bool,
}

pub enum Act {
    /// What a friendly server says.
    Usual,
    Say(&'static str),
    /// So many bytes of the usual, and the end.
    Half(usize),
    Cut,
    Silence,
    /// The usual, and what has come in one go with this step is never looked at.
    Forget,
}

type Script = dyn Fn(&Step) -> Act + Send + Sync;

/// A message whose final dot has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    pub recipient: String,
    pub bytes: Vec<u8>,
    pub accepted: bool,
}

#[derive(Default)]
struct Seen {
    steps: Vec<Step>,
    arrived: Vec<Arrived>,
    open: usize,
    most_open: usize,
}

impl Seen {
    fn opened(&mut self) {
        self.open += 1;
        self.most_open = self.most_open.max(self.open);
    }
}

pub struct Server {
    pub address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures").join(name)
}

fn acceptor() -> TlsAcceptor {
    let chain = CertificateDer::pem_file_iter(fixture("localhost.pem")).unwrap().collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture("localhost.key")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    TlsAcceptor::from(Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap()))
}

impl Server {
    pub async fn start(script: impl Fn(&Step) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let script: Arc<Script> = Arc::new(script);
        let shared = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                socket.set_nodelay(true).unwrap();
                let dialogue = Dialogue {
                    stream: BufReader::new(Box::new(socket)),
                    script: Arc::clone(&script),
                    seen: Arc::clone(&shared),
                    recipient: String::new(),
                    carried: 0,
                };
                let seen = Arc::clone(&shared);
                seen.lock().unwrap().opened();
                tokio::spawn(async move {
                    dialogue.talk().await;
                    seen.lock().unwrap().open -= 1;
                });
            }
        });
        Self { address, seen, task }
    }

    pub fn arrived(&self) -> Vec<Arrived> {
        self.seen.lock().unwrap().arrived.clone()
    }

    /// Whom the server has taken messages for, in order.
    pub fn accepted(&self) -> Vec<String> {
        let mut accepted: Vec<_> = self.arrived().into_iter().filter(|a| a.accepted).map(|a| a.recipient).collect();
        accepted.sort();
        accepted
    }

    pub fn lines(&self) -> Vec<String> {
        self.seen.lock().unwrap().steps.iter().map(|step| step.line.clone()).collect()
    }

    pub fn most_open(&self) -> usize {
        self.seen.lock().unwrap().most_open
    }

    /// How many messages came in one go with the envelope of the next one.
    pub fn followed(&self) -> usize {
        self.seen.lock().unwrap().steps.iter().filter(|step| step.verb == "DOT" && step.is_followed).count()
    }

    pub fn count(&self, verb: &str) -> usize {
        self.seen.lock().unwrap().steps.iter().filter(|step| step.verb == verb).count()
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

struct Dialogue {
    stream: BufReader<Box<dyn Stream>>,
    script: Arc<Script>,
    seen: Arc<Mutex<Seen>>,
    recipient: String,
    carried: usize,
}

impl Dialogue {
    async fn talk(mut self) {
        if self.step("CONNECT", "", "220 test ESMTP\r\n").await.is_none() {
            return;
        }
        let mut line = String::new();
        loop {
            line.clear();
            if self.stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            let said = line.trim_end().to_owned();
            let verb = said.split(' ').next().unwrap_or_default().to_uppercase();
            if verb == "RCPT" {
                self.recipient = said.trim_start_matches("RCPT TO:<").trim_end_matches('>').to_owned();
            }
            let Some(answer) = self.step(&verb, &said, usual(&verb)).await else { return };
            if verb == "QUIT" {
                return;
            }
            if verb == "STARTTLS" && answer.starts_with('2') {
                let Some(encrypted) = self.encrypted().await else { return };
                self = encrypted;
            }
            if verb == "DATA" && answer.starts_with('3') && !self.data().await {
                return;
            }
        }
    }

    async fn encrypted(self) -> Option<Self> {
        let stream = acceptor().accept(self.stream.into_inner()).await.ok()?;
        Some(Self { stream: BufReader::new(Box::new(stream)), ..self })
    }

    async fn data(&mut self) -> bool {
        let mut bytes = Vec::new();
        loop {
            let mut line = Vec::new();
            if self.stream.read_until(b'\n', &mut line).await.unwrap_or(0) == 0 {
                return false;
            }
            if line == b".\r\n" {
                break;
            }
            bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        let nth = {
            let mut seen = self.seen.lock().unwrap();
            seen.arrived.push(Arrived { recipient: self.recipient.clone(), bytes, accepted: false });
            seen.arrived.len() - 1
        };
        let Some(answer) = self.step("DOT", ".", "250 2.0.0 taken\r\n").await else { return false };
        let accepted = answer.starts_with('2');
        self.seen.lock().unwrap().arrived[nth].accepted = accepted;
        self.carried += usize::from(accepted);
        true
    }

    /// Answers as the script says; `None` if the dialogue is over.
    async fn step(&mut self, verb: &str, line: &str, usual: &'static str) -> Option<&'static str> {
        let act = {
            let mut seen = self.seen.lock().unwrap();
            let before = seen.steps.iter().filter(|step| step.verb == verb).count();
            let (recipient, open, carried) = (self.recipient.clone(), seen.open, self.carried);
            let is_followed = !self.stream.buffer().is_empty();
            let step = Step { verb: verb.into(), line: line.into(), recipient, before, open, carried, is_followed };
            let act = (self.script)(&step);
            seen.steps.push(step);
            act
        };
        let text = match act {
            Act::Usual => usual,
            Act::Say(text) => text,
            Act::Forget => {
                let behind = self.stream.buffer().len();
                self.stream.consume(behind);
                usual
            }
            Act::Half(bytes) => {
                self.stream.write_all(&usual.as_bytes()[..bytes]).await.ok()?;
                self.stream.flush().await.ok()?;
                return None;
            }
            Act::Cut => return None,
            Act::Silence => return std::future::pending().await,
        };
        self.stream.write_all(text.as_bytes()).await.ok()?;
        self.stream.flush().await.ok()?;
        Some(text)
    }
}

pub fn usual(verb: &str) -> &'static str {
    match verb {
        "EHLO" => {
            "250-test\r\n250-PIPELINING\r\n250-SIZE 10000000\r\n250-AUTH PLAIN LOGIN\r\n250 ENHANCEDSTATUSCODES\r\n"
        }
        "STARTTLS" => "220 go ahead\r\n",
        "AUTH" => "235 2.7.0 welcome\r\n",
        "DATA" => "354 go ahead\r\n",
        "QUIT" => "221 bye\r\n",
        _ => "250 2.0.0 ok\r\n",
    }
}
