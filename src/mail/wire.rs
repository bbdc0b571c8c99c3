//! One SMTP socket: commands out, replies in, each within its time. Knows lines and codes, not what they are for. Memory
//! is bounded whatever the other side sends; after any error the socket is good for nothing.

use std::fmt::Display;
use std::time::Duration;

use memchr::memmem;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::time::timeout;

use crate::domain::bounce::Reply;

/// RFC 5321 allows 512; servers exceed it with URLs in their refusals.
const LONGEST_LINE: u64 = 4_096;
const MOST_LINES: usize = 100;
/// What of a line is kept for the outbox and the log.
const KEPT: usize = 400;

pub trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for S {}

#[derive(Debug, thiserror::Error)]
pub enum WireError {
    #[error("no answer within {} s", .0.as_secs_f32())]
    Silence(Duration),
    #[error("the server closed the connection")]
    Closed,
    #[error("what the server said is no SMTP: `{0}`")]
    Nonsense(String),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

pub struct Wire {
    stream: BufReader<Box<dyn Stream>>,
}

impl Wire {
    #[must_use]
    pub fn new(stream: Box<dyn Stream>) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    /// The bare stream, for TLS; `None` if the server has said something that nobody asked for: whoever injected it
    /// would have it taken for an answer from inside TLS.
    #[must_use]
    pub fn into_quiet_stream(self) -> Option<Box<dyn Stream>> {
        self.stream.buffer().is_empty().then(|| self.stream.into_inner())
    }

    /// Sends commands, which end with their CRLF.
    pub async fn command(&mut self, command: impl Display, patience: Duration) -> Result<(), WireError> {
        self.write(command.to_string().as_bytes(), patience).await
    }

    pub async fn write(&mut self, bytes: &[u8], patience: Duration) -> Result<(), WireError> {
        self.hand_over(bytes, patience).await.map_err(|(error, _)| error)
    }

    /// Writes bytes; if that fails, with how many of them had been taken from us: only these the other side may have.
    pub async fn hand_over(&mut self, bytes: &[u8], patience: Duration) -> Result<(), (WireError, usize)> {
        let mut rest = bytes;
        let written = async {
            while !rest.is_empty() {
                let taken = self.stream.write(rest).await?;
                if taken == 0 {
                    return Err(std::io::ErrorKind::WriteZero.into());
                }
                rest = &rest[taken..];
            }
            self.stream.flush().await
        };
        let error = match timeout(patience, written).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => WireError::Io(error),
            Err(_) => WireError::Silence(patience),
        };
        Err((error, bytes.len() - rest.len()))
    }

    pub async fn reply(&mut self, patience: Duration) -> Result<Reply, WireError> {
        timeout(patience, self.whole_reply()).await.map_err(|_| WireError::Silence(patience))?
    }

    async fn whole_reply(&mut self) -> Result<Reply, WireError> {
        let mut reply = Reply { code: 0, lines: Vec::new() };
        while reply.lines.len() < MOST_LINES {
            let line = self.line().await?;
            let (code, last, text) = parse(&line).ok_or_else(|| WireError::Nonsense(readable(&line)))?;
            if reply.code != 0 && reply.code != code {
                return Err(WireError::Nonsense(readable(&line)));
            }
            reply.code = code;
            reply.lines.push(text);
            if last {
                return Ok(reply);
            }
        }
        Err(WireError::Nonsense("a reply without an end".into()))
    }

    async fn line(&mut self) -> Result<Vec<u8>, WireError> {
        let mut line = Vec::new();
        (&mut self.stream).take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
        match line.pop() {
            Some(b'\n') => Ok(line),
            Some(_) if line.len() as u64 + 1 == LONGEST_LINE => {
                Err(WireError::Nonsense("a line without an end".into()))
            }
            _ => Err(WireError::Closed),
        }
    }
}

/// Code, whether it is the last line, text.
fn parse(line: &[u8]) -> Option<(u16, bool, String)> {
    let (code, rest) = line.split_at_checked(3)?;
    let code: u16 = std::str::from_utf8(code).ok()?.parse().ok().filter(|code| (200..600).contains(code))?;
    let (mark, text) = match rest.split_first() {
        Some((mark, text)) => (*mark, text),
        None => (b' ', rest),
    };
    matches!(mark, b' ' | b'-' | b'\r').then(|| (code, mark != b'-', readable(text)))
}

/// As it may be shown: no control characters, and not too much of it.
fn readable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.trim().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(KEPT).collect()
}

/// What ends a message.
pub const END: &[u8] = b".\r\n";

/// A message as DATA wants it: lines that begin with a dot get another, the last line is complete, and a dot ends it.
#[must_use]
pub fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 64 + 5);
    if message.first() == Some(&b'.') {
        out.push(b'.');
    }
    let mut from = 0;
    for at in memmem::find_iter(message, b"\n.") {
        out.extend_from_slice(&message[from..=at]);
        out.push(b'.');
        from = at + 1;
    }
    out.extend_from_slice(&message[from..]);
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(END);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(text: &[u8]) -> Result<Reply, WireError> {
        let (mut server, client) = tokio::io::duplex(1 << 20);
        server.write_all(text).await.unwrap();
        drop(server);
        Wire::new(Box::new(client)).reply(Duration::from_secs(1)).await
    }

    #[tokio::test]
    async fn replies_are_read_over_all_their_lines() {
        for (text, code, lines) in [
            (&b"250 2.0.0 ok\r\n"[..], 250, vec!["2.0.0 ok"]),
            (b"250-one\r\n250-two\r\n250 three\r\n", 250, vec!["one", "two", "three"]),
            (b"250\r\n", 250, vec![""]),
            (b"354\n", 354, vec![""]),
            (b"550 a\0b\x1b[31m\xff\r\n", 550, vec!["a\u{fffd}b\u{fffd}[31m\u{fffd}"]),
        ] {
            let reply = read(text).await.unwrap();
            assert_eq!((reply.code, reply.lines), (code, lines.into_iter().map(String::from).collect()));
        }
    }

    #[tokio::test]
    async fn nonsense_is_refused_and_never_too_much() {
        let endless = vec![b'2'; 100_000];
        let many = b"250-x\r\n".repeat(10_000);
        let texts: [&[u8]; 9] = [
            b"",
            b"2",
            b"25 ok\r\n",
            b"hello\r\n",
            b"999 x\r\n",
            b"250-a\r\n550 b\r\n",
            b"250+ x\r\n",
            &endless,
            &many,
        ];
        for text in texts {
            assert!(read(text).await.is_err(), "{:?}", String::from_utf8_lossy(&text[..text.len().min(20)]));
        }
    }

    #[test]
    fn dots_are_stuffed_and_the_last_line_completed() {
        for (message, expected) in [
            (&b"a\r\n"[..], &b"a\r\n.\r\n"[..]),
            (b".\r\n", b"..\r\n.\r\n"),
            (b"a\r\n.b\r\n..c", b"a\r\n..b\r\n...c\r\n.\r\n"),
            (b"", b"\r\n.\r\n"),
            (b"a.b\r\n", b"a.b\r\n.\r\n"),
        ] {
            assert_eq!(stuffed(message), expected);
        }
    }
}
