//! Where requests come in: an address or a socket in the file system, opened here or handed over. Knows sockets, not what
//! is said on them.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tracing::debug;

/// Whom a connection comes from; nobody knows of a socket in the file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub Option<IpAddr>);

#[derive(Debug)]
pub enum Listening {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl From<TcpListener> for Listening {
    fn from(listener: TcpListener) -> Self {
        Self::Tcp(listener)
    }
}

impl From<UnixListener> for Listening {
    fn from(listener: UnixListener) -> Self {
        Self::Unix(listener)
    }
}

impl Listening {
    pub(super) async fn accept(&self) -> io::Result<(Socket, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, from) = listener.accept().await?;
                if let Err(error) = stream.set_nodelay(true) {
                    debug!("a connection's small packets may wait: {error}");
                }
                Ok((Socket::Tcp(stream), Peer(Some(from.ip()))))
            }
            Self::Unix(listener) => Ok((Socket::Unix(listener.accept().await?.0), Peer(None))),
        }
    }

    /// As logs call it; `scheme` is what is spoken over TCP.
    #[must_use]
    pub fn name(&self, scheme: &str) -> String {
        let named = match self {
            Self::Tcp(listener) => listener.local_addr().map(|at| format!("{scheme}://{at}")),
            Self::Unix(listener) => listener.local_addr().map(|at| match at.as_pathname() {
                Some(path) => format!("unix:{}", path.display()),
                None => "an unnamed socket".to_owned(),
            }),
        };
        named.unwrap_or_else(|error| format!("a socket without an address ({error})"))
    }
}

pub enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

macro_rules! either {
    ($socket:expr, $stream:ident => $done:expr) => {
        match $socket.get_mut() {
            Socket::Tcp($stream) => $done,
            Socket::Unix($stream) => $done,
        }
    };
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, stream => Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self, stream => Pin::new(stream).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}
