//! Where requests come in: an address or a socket in the file system, opened here or handed over. Knows sockets, not what
//! is said on them.

use std::io;
use std::net::IpAddr;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tracing::debug;

use super::tls::Tls;

/// Whom a connection comes from; nobody knows of a socket in the file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub Option<IpAddr>);

#[derive(Debug)]
pub enum Listening {
    Tcp(TcpListener),
    Unix(UnixListener, Option<Placed>),
}

impl From<TcpListener> for Listening {
    fn from(listener: TcpListener) -> Self {
        Self::Tcp(listener)
    }
}

impl From<UnixListener> for Listening {
    fn from(listener: UnixListener) -> Self {
        Self::Unix(listener, None)
    }
}

/// A listener, and whether what comes in is encrypted.
#[derive(Debug)]
pub struct Door {
    pub(super) listening: Listening,
    pub(super) tls: Option<Tls>,
}

impl<T: Into<Listening>> From<T> for Door {
    fn from(listening: T) -> Self {
        Self { listening: listening.into(), tls: None }
    }
}

impl Door {
    #[must_use]
    pub fn new(listening: Listening, tls: Option<Tls>) -> Self {
        Self { listening, tls }
    }
}

/// A socket's file that is ours: taken away when it is used no more, unless another has taken its place.
#[derive(Debug)]
pub struct Placed {
    path: PathBuf,
    inode: u64,
}

impl Drop for Placed {
    fn drop(&mut self) {
        if std::fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("another program answers on `{}`: stop it, or name another file", .0.display())]
    Taken(PathBuf),
    #[error("`{}` is there and is no socket: take it away, or name another file", .0.display())]
    NoSocket(PathBuf),
    #[error("the socket `{}` cannot be made: {error}", path.display())]
    Refused { path: PathBuf, error: io::Error },
}

/// What a daemon that died left behind gives way; a socket that somebody answers on does not.
async fn make_way(path: &Path) -> Result<(), OpenError> {
    let refused = |error| OpenError::Refused { path: path.to_owned(), error };
    match std::fs::symlink_metadata(path) {
        Err(_) => return Ok(()),
        Ok(found) if !found.file_type().is_socket() => return Err(OpenError::NoSocket(path.to_owned())),
        Ok(_) => {}
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path).map_err(refused),
        Err(error) => Err(refused(error)),
        Ok(_) => Err(OpenError::Taken(path.to_owned())),
    }
}

impl Listening {
    /// A socket in the file system, which those may open whom `mode` names.
    pub async fn unix(path: &Path, mode: u32) -> Result<Self, OpenError> {
        make_way(path).await?;
        let refused = |error| OpenError::Refused { path: path.to_owned(), error };
        let listener = UnixListener::bind(path).map_err(refused)?;
        let inode = std::fs::symlink_metadata(path).map_err(refused)?.ino();
        let placed = Placed { path: path.to_owned(), inode };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(refused)?;
        Ok(Self::Unix(listener, Some(placed)))
    }

    pub(super) async fn accept(&self) -> io::Result<(Socket, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, from) = listener.accept().await?;
                if let Err(error) = stream.set_nodelay(true) {
                    debug!("a connection's small packets may wait: {error}");
                }
                Ok((Socket::Tcp(stream), Peer(Some(from.ip()))))
            }
            Self::Unix(listener, _) => Ok((Socket::Unix(listener.accept().await?.0), Peer(None))),
        }
    }

    /// As logs call it; `scheme` is what is spoken over TCP.
    #[must_use]
    pub fn name(&self, scheme: &str) -> String {
        let named = match self {
            Self::Tcp(listener) => listener.local_addr().map(|at| format!("{scheme}://{at}")),
            Self::Unix(listener, _) => listener.local_addr().map(|at| match at.as_pathname() {
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
