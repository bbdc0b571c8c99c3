//! A mailbox on an IMAP server (RFC 3501), over TLS, as far as looking for bounces needs it: what is new, the first megabyte of one
//! mail, a mark on it, and waiting for more (RFC 2177). Memory is bounded whatever the server says; after any error the connection is
//! good for nothing.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::ClientConfig;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::tls;
use super::wire::Stream;
use crate::domain::bounce_message::LONGEST;

/// For each step but waiting.
const PATIENCE: Duration = Duration::from_mins(1);
/// A line of a list of many thousand numbers is long.
const LONGEST_LINE: u64 = 1024 * 1024;
/// Servers say a little more than was asked.
const LONGEST_LITERAL: usize = LONGEST + 4096;
const MOST_RESPONSES: usize = 10_000;

#[derive(Debug, thiserror::Error)]
pub enum ImapError {
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Silence,
    #[error("the server closed the connection")]
    Closed,
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The server's words.
    #[error("the server refuses: {0}")]
    Refused(String),
    #[error("the server says what is no IMAP: `{0}`")]
    Nonsense(String),
    #[error("{0}")]
    Tls(String),
}

type Result<T, E = ImapError> = std::result::Result<T, E>;

/// How to get to the mailbox.
pub struct Account {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: SecretString,
    pub mailbox: String,
    pub tls: Arc<ClientConfig>,
}

/// What becomes of a mail that has been dealt with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    Seen,
    Delete,
    Move(String),
}

impl Done {
    /// As `bounces.imap_done` has it.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "seen" => Self::Seen,
            "delete" => Self::Delete,
            mailbox => Self::Move(mailbox.to_owned()),
        }
    }
}

pub struct Mailbox {
    stream: BufReader<Box<dyn Stream>>,
    tag: u32,
    capabilities: Vec<String>,
    /// With a number of a mail it names that mail for good.
    pub validity: String,
    /// Mails have come since it was last looked for them.
    news: bool,
}

/// One response: its text with the literals taken out, and they.
struct Response {
    text: String,
    literals: Vec<Vec<u8>>,
}

impl Mailbox {
    /// Connects, logs in and opens the mailbox.
    pub async fn open(account: &Account) -> Result<Self> {
        let connecting = TcpStream::connect((account.host.as_str(), account.port));
        let stream = timeout(PATIENCE, connecting).await.map_err(|_| ImapError::Silence)??;
        stream.set_nodelay(true)?;
        let stream = tls::upgrade(Box::new(stream), &account.host, Arc::clone(&account.tls), PATIENCE);
        let (stream, _) = stream.await.map_err(ImapError::Tls)?;
        Self::over(stream, account).await
    }

    async fn over(stream: Box<dyn Stream>, account: &Account) -> Result<Self> {
        let stream = BufReader::new(stream);
        let mut mailbox = Self { stream, tag: 0, capabilities: Vec::new(), validity: String::new(), news: false };
        let greeting = mailbox.response().await?.text;
        if !greeting.to_ascii_uppercase().starts_with("* OK") {
            return Err(ImapError::Refused(greeting));
        }
        mailbox.ask_capabilities().await?;
        mailbox.log_in(&account.user, &account.password).await?;
        mailbox.ask_capabilities().await?;
        mailbox.select(&account.mailbox).await?;
        Ok(mailbox)
    }

    fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|c| c == capability)
    }

    async fn ask_capabilities(&mut self) -> Result<()> {
        let said = self.command("CAPABILITY").await?;
        let lists = said.iter().filter_map(|r| r.text.strip_prefix("* CAPABILITY "));
        self.capabilities = lists.flat_map(str::split_whitespace).map(str::to_ascii_uppercase).collect();
        Ok(())
    }

    async fn log_in(&mut self, user: &str, password: &SecretString) -> Result<()> {
        let password = password.expose_secret();
        if !self.can("AUTH=PLAIN") {
            return self.command(&format!("LOGIN {} {}", quoted(user), quoted(password))).await.map(drop);
        }
        let tag = self.send("AUTHENTICATE PLAIN").await?;
        let asked = self.response().await?.text;
        if !asked.starts_with('+') {
            return Err(ImapError::Refused(asked));
        }
        self.write(&format!("{}\r\n", STANDARD.encode(format!("\0{user}\0{password}")))).await?;
        self.until_done(&tag).await.map(drop)
    }

    async fn select(&mut self, mailbox: &str) -> Result<()> {
        let said = self.command(&format!("SELECT {}", quoted(mailbox))).await?;
        let validity = said.iter().find_map(|r| r.text.split_once("[UIDVALIDITY ")?.1.split(']').next());
        validity.unwrap_or_default().clone_into(&mut self.validity);
        Ok(())
    }

    /// Mails nobody has read, oldest first.
    pub async fn unseen(&mut self) -> Result<Vec<u32>> {
        self.news = false;
        let said = self.command("UID SEARCH UNSEEN").await?;
        let lists = said.iter().filter_map(|r| r.text.strip_prefix("* SEARCH"));
        let mut found: Vec<u32> = lists.flat_map(str::split_whitespace).filter_map(|n| n.parse().ok()).collect();
        found.sort_unstable();
        Ok(found)
    }

    /// The first megabyte of a mail, which stays unread; none if it has gone.
    pub async fn fetch(&mut self, uid: u32) -> Result<Option<Vec<u8>>> {
        let said = self.command(&format!("UID FETCH {uid} (BODY.PEEK[]<0.{LONGEST}>)")).await?;
        // Between, the server may say what others have done to the flags of any mail.
        let fetched = said.into_iter().filter(|r| r.text.contains(" FETCH ("));
        Ok(fetched.flat_map(|r| r.literals).next())
    }

    /// A mail has been dealt with. Whatever else is in the mailbox is not touched.
    pub async fn done(&mut self, uid: u32, done: &Done) -> Result<()> {
        self.command(&format!("UID STORE {uid} +FLAGS.SILENT (\\Seen)")).await?;
        match done {
            Done::Seen => Ok(()),
            Done::Delete => self.delete(uid).await,
            Done::Move(to) if self.can("MOVE") => {
                self.command(&format!("UID MOVE {uid} {}", quoted(to))).await.map(drop)
            }
            Done::Move(to) => {
                self.command(&format!("UID COPY {uid} {}", quoted(to))).await?;
                self.delete(uid).await
            }
        }
    }

    async fn delete(&mut self, uid: u32) -> Result<()> {
        self.command(&format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)")).await?;
        // A plain EXPUNGE would take what others have marked: without UIDPLUS it stays marked.
        if self.can("UIDPLUS") {
            self.command(&format!("UID EXPUNGE {uid}")).await?;
        }
        Ok(())
    }

    /// Waits until the server says that something is new, or for this long. Without IDLE it only waits, for `poll`.
    pub async fn wait(&mut self, longest: Duration, poll: Duration) -> Result<()> {
        if self.news {
            return Ok(());
        }
        if !self.can("IDLE") {
            tokio::time::sleep(poll).await;
            return self.command("NOOP").await.map(drop);
        }
        let tag = self.send("IDLE").await?;
        let news = async {
            loop {
                let said = self.unhurried_response().await?;
                if said.text.ends_with(" EXISTS") || said.text.starts_with(&tag) {
                    return Ok::<_, ImapError>(said.text);
                }
            }
        };
        if let Ok(said) = timeout(longest, news).await {
            let said = said?;
            if said.starts_with(&tag) {
                return Err(ImapError::Refused(said));
            }
        }
        self.write("DONE\r\n").await?;
        self.until_done(&tag).await.map(drop)
    }

    /// A farewell that nobody depends on.
    pub async fn leave(mut self) {
        let _ = timeout(Duration::from_secs(2), self.command("LOGOUT")).await;
    }

    async fn command(&mut self, command: &str) -> Result<Vec<Response>> {
        let tag = self.send(command).await?;
        self.until_done(&tag).await
    }

    async fn send(&mut self, command: &str) -> Result<String> {
        self.tag += 1;
        let tag = format!("g{} ", self.tag);
        self.write(&format!("{tag}{command}\r\n")).await?;
        Ok(tag)
    }

    async fn write(&mut self, text: &str) -> Result<()> {
        let written = async {
            self.stream.write_all(text.as_bytes()).await?;
            self.stream.flush().await
        };
        Ok(timeout(PATIENCE, written).await.map_err(|_| ImapError::Silence)??)
    }

    /// What is said until the command is done.
    async fn until_done(&mut self, tag: &str) -> Result<Vec<Response>> {
        let mut said = Vec::new();
        while said.len() < MOST_RESPONSES {
            let response = self.response().await?;
            let Some(result) = response.text.strip_prefix(tag) else {
                self.news |= response.text.ends_with(" EXISTS");
                said.push(response);
                continue;
            };
            let ok = result.get(..2).is_some_and(|word| word.eq_ignore_ascii_case("OK"));
            return if ok { Ok(said) } else { Err(ImapError::Refused(result.to_owned())) };
        }
        Err(ImapError::Nonsense("more responses than there is room for".to_owned()))
    }

    async fn response(&mut self) -> Result<Response> {
        timeout(PATIENCE, self.unhurried_response()).await.map_err(|_| ImapError::Silence)?
    }

    async fn unhurried_response(&mut self) -> Result<Response> {
        let (mut text, mut literals) = (String::new(), Vec::new());
        loop {
            let line = self.line().await?;
            let Some(length) = literal(&line) else {
                text.push_str(&line);
                return Ok(Response { text, literals });
            };
            if length > LONGEST_LITERAL || literals.len() > 4 {
                return Err(ImapError::Nonsense(format!("a literal of {length} bytes")));
            }
            text.push_str(&line);
            let mut bytes = vec![0; length];
            self.stream.read_exact(&mut bytes).await?;
            literals.push(bytes);
        }
    }

    async fn line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        let read = (&mut self.stream).take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
        if read == 0 {
            return Err(ImapError::Closed);
        }
        let line = String::from_utf8_lossy(&line);
        if !line.ends_with('\n') {
            return Err(ImapError::Nonsense(line.chars().take(100).collect()));
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

/// How many bytes follow a line: `... {123}`.
fn literal(line: &str) -> Option<usize> {
    let (_, length) = line.strip_suffix('}')?.rsplit_once('{')?;
    length.parse().ok()
}

/// A quoted string. Line ends, which it cannot hold, are left out: nothing can be slipped in behind it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')) {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_quotes_are_those_of_the_standard() {
        assert_eq!(literal("* 1 FETCH (UID 5 BODY[]<0> {123}"), Some(123));
        for line in ["* 1 FETCH (UID 5)", "{x}", "{12", "12}", "{-1}"] {
            assert_eq!(literal(line), None, "{line}");
        }
        assert_eq!(quoted("a \"b\" \\c\r\nA1 LOGOUT"), r#""a \"b\" \\cA1 LOGOUT""#);
    }

    /// A server that says this, whatever it is asked, and keeps what it heard. `%` stands for the tag of the command at hand; a
    /// line for each command.
    async fn scripted(script: &'static [&'static str]) -> (Result<Mailbox>, tokio::task::JoinHandle<String>) {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let server = tokio::spawn(async move {
            let (mut theirs, mut heard) = (BufReader::new(theirs), String::new());
            for (n, say) in script.iter().enumerate() {
                let mut line = String::new();
                // The first is the greeting.
                if n > 0 && theirs.read_line(&mut line).await.unwrap_or(0) == 0 {
                    break;
                }
                heard.push_str(&line);
                let tag = line.split(' ').next().unwrap_or_default();
                if theirs.write_all(say.replace('%', tag).as_bytes()).await.is_err() {
                    break;
                }
            }
            heard
        });
        let account = Account {
            host: "localhost".into(),
            port: 993,
            user: "me\"".into(),
            password: "a b".to_owned().into(),
            mailbox: "INBOX".into(),
            tls: tls::config(std::path::Path::new("")).unwrap(),
        };
        (Mailbox::over(Box::new(ours), &account).await, server)
    }

    #[tokio::test]
    async fn a_server_that_can_little_is_asked_for_little() {
        let (mailbox, server) = scripted(&[
            "* OK hello\r\n",
            "* CAPABILITY IMAP4rev1\r\n% OK\r\n",
            "% OK\r\n",
            "* CAPABILITY IMAP4rev1\r\n% OK\r\n",
            "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] there\r\n% OK [READ-WRITE] there\r\n",
            "* SEARCH 12 5\r\n% OK\r\n",
            // Somebody else reads another mail, and one more comes.
            "* 2 FETCH (UID 12 FLAGS (\\Seen))\r\n* 4 EXISTS\r\n* 1 FETCH (UID 5 BODY[]<0> {4}\r\na\r\nb)\r\n% OK\r\n",
            "% OK\r\n",
            "% OK\r\n",
            "% OK\r\n",
            "% NO there is no such mailbox\r\n",
        ])
        .await;
        let mut mailbox = mailbox.unwrap();
        assert_eq!(mailbox.validity, "7");
        assert_eq!(mailbox.unseen().await.unwrap(), [5, 12]);
        assert_eq!(mailbox.fetch(5).await.unwrap().as_deref(), Some(&b"a\r\nb"[..]));
        mailbox.wait(Duration::from_hours(1), Duration::from_hours(1)).await.unwrap();
        // No plain EXPUNGE, which would take what others have marked.
        mailbox.done(5, &Done::Delete).await.unwrap();
        let refused = mailbox.done(12, &Done::Move("Bounced".into())).await;
        assert!(matches!(refused, Err(ImapError::Refused(words)) if words == "NO there is no such mailbox"));
        drop(mailbox);
        let heard = server.await.unwrap();
        assert!(heard.contains("g2 LOGIN \"me\\\"\" \"a b\"\r\n"), "{heard}");
        assert!(heard.contains("+FLAGS.SILENT (\\Deleted)\r\ng9 UID STORE 12"), "{heard}");
    }

    #[tokio::test]
    async fn whatever_a_server_says_it_is_an_error_and_no_more() {
        let greeted: [&[&str]; 6] = [
            &["* BYE too many\r\n"],
            &["220 smtp.example ESMTP\r\n"],
            &["* OK\r\n", "no end"],
            &["* OK\r\n", "* X {99999999999}\r\n"],
            &["* OK\r\n", "* X {9999999999999999999999}\r\n% BAD\r\n"],
            &["* OK\r\n", "* CAPABILITY AUTH=PLAIN\r\n% OK\r\n", "% NO [AUTHENTICATIONFAILED] wrong\r\n"],
        ];
        for script in greeted {
            let (mailbox, _) = scripted(script).await;
            assert!(mailbox.is_err(), "{script:?}");
        }
    }
}
