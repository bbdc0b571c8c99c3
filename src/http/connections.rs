//! Connections: how many, and for how long. Whoever sends a request byte by byte, reads an answer byte by byte, or says
//! nothing at all is cut off, so that there is room for the others. Knows bytes, not what they say.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From a connection's opening, or a request's first byte, to the first byte of the answer; longer than a handler
    /// may take.
    pub request: Duration,
    /// Between an answer and the next request.
    pub idle: Duration,
    /// While an answer is not taken.
    pub stall: Duration,
    /// How long requests may take to finish once the server is to stop.
    pub farewell: Duration,
    /// At a time; more wait to be let in.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(20),
            idle: Duration::from_secs(30),
            stall: Duration::from_secs(30),
            farewell: Duration::from_secs(25),
            connections: 2_000,
        }
    }
}

/// Serves until `shutdown`, then until the requests under way are answered.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) -> io::Result<()> {
    serve_with(listener, router, Limits::default(), shutdown).await
}

pub async fn serve_with(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let door = Door { listener, limits, room: Arc::new(Semaphore::new(limits.connections)) };
    let service = router.into_make_service_with_connect_info::<Peer>();
    let serving = axum::serve(door, service).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let too_long = async {
        shutdown.cancelled().await;
        sleep(limits.farewell).await;
    };
    tokio::select! {
        served = serving => served,
        () = too_long => {
            warn!("stopped with requests still under way");
            Ok(())
        }
    }
}

/// Whom a connection comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

impl Connected<IncomingStream<'_, Door>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        Self(*stream.remote_addr())
    }
}

struct Door {
    listener: TcpListener,
    limits: Limits,
    room: Arc<Semaphore>,
}

impl Listener for Door {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // Never closed: there is no server without its door.
        let room = Arc::clone(&self.room).acquire_owned().await.ok();
        // This one waits and tries again when the system has no more files to give.
        let (stream, from) = Listener::accept(&mut self.listener).await;
        (Connection::new(stream, self.limits, room), from)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

struct Connection {
    stream: Pin<Box<TimeoutStream<TcpStream>>>,
    limits: Limits,
    /// When patience ends.
    deadline: Pin<Box<Sleep>>,
    /// An answer was given, and nothing has come since.
    idle: bool,
    _room: Option<OwnedSemaphorePermit>,
}

impl Connection {
    fn new(stream: TcpStream, limits: Limits, room: Option<OwnedSemaphorePermit>) -> Self {
        if let Err(error) = stream.set_nodelay(true) {
            debug!("a connection's small packets may wait: {error}");
        }
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits.stall));
        let deadline = Box::pin(sleep(limits.request));
        Self { stream: Box::pin(stream), limits, deadline, idle: false, _room: room }
    }

    fn wait(&mut self, patience: Duration) {
        self.deadline.as_mut().reset(Instant::now() + patience);
    }

    /// A request's bytes do not buy it more time; only its first one starts the clock.
    fn heard(&mut self) {
        if self.idle {
            self.idle = false;
            self.wait(self.limits.request);
        }
    }

    fn answered(&mut self) {
        self.idle = true;
        self.wait(self.limits.idle);
    }

    fn written(&mut self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(_)) = result {
            self.answered();
        }
        result
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        if let Poll::Ready(result) = self.stream.as_mut().poll_read(cx, buf) {
            if buf.filled().len() > before {
                self.heard();
            }
            return Poll::Ready(result);
        }
        ready!(self.deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = self.stream.as_mut().poll_write(cx, buf);
        self.written(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = self.stream.as_mut().poll_write_vectored(cx, bufs);
        self.written(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(cx)
    }
}
