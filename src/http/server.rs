//! Lets connections in, so many at a time, and has each one's requests answered until it ends or the daemon does.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::connections::{Connection, Limits};
use super::express::{self, Again, Outcome};
use super::front::{Answering, Front};
use super::listening::{Door, Peer};
use super::tls::Tls;

/// When the system has no more files to give, it may have some a moment later.
const BREATH: Duration = Duration::from_millis(200);
/// How often whoever lets connections in shows that it goes on.
const BEAT: Duration = Duration::from_secs(2);
/// Whoever reads the log hears of it so often at most.
const AGAIN: Duration = Duration::from_mins(1);
/// A request line and its headers together.
const HEAD: usize = 32 * 1024;
/// Requests under way at a time on one connection.
const STREAMS: u32 = 100;
/// Requests taken back before they were looked at: more of them, and the connection ends.
const TAKEN_BACK: usize = 20;
const H2: &[u8] = b"h2";
/// What is held for a connection that does not take its answers.
const HELD: usize = 64 * 1024;

/// Serves until `shutdown`, then until the requests under way are answered.
pub async fn serve(door: impl Into<Door>, front: Front, shutdown: CancellationToken) -> io::Result<()> {
    serve_with(door, front, Limits::default(), shutdown).await
}

pub async fn serve_with(
    door: impl Into<Door>,
    front: Front,
    limits: Limits,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let Door { listening, tls } = door.into();
    let server = Arc::new(Server { protocols: protocols(), tls, front, limits, shutdown });
    let (room, guests) = (Arc::new(Semaphore::new(limits.connections)), TaskTracker::new());
    let _helper = server.front.helper();
    let mut beat = interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told: Option<Instant> = None;
    'open: loop {
        let mut admitted = pin!(async {
            // Never closed while it is used.
            let room = Arc::clone(&room).acquire_owned().await.ok();
            (listening.accept().await, room)
        });
        let (accepted, room) = loop {
            tokio::select! {
                admitted = &mut admitted => break admitted,
                () = server.shutdown.cancelled() => break 'open,
                _ = beat.tick() => server.front.show_life(),
            }
        };
        match accepted {
            Ok((socket, peer)) => {
                let connection = Connection::new(socket, limits, server.front.counts(), room);
                guests.spawn(Arc::clone(&server).converse(connection, peer));
            }
            Err(error) if is_the_client_s(&error) => {}
            Err(error) => {
                if told.is_none_or(|told| told.elapsed() > AGAIN) {
                    warn!("nobody can be let in for a moment: {error}");
                    told = Some(Instant::now());
                }
                sleep(BREATH).await;
            }
        }
    }
    drop(listening);
    guests.close();
    if timeout(limits.farewell, guests.wait()).await.is_err() {
        warn!("stopped with requests still under way");
    }
    Ok(())
}

fn is_the_client_s(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// HTTP/1.1, and HTTP/2 for those that begin with it.
fn protocols() -> Builder<TokioExecutor> {
    let mut protocols = Builder::new(TokioExecutor::new());
    protocols.http1().max_buf_size(HEAD);
    protocols
        .http2()
        .max_concurrent_streams(STREAMS)
        .max_pending_accept_reset_streams(TAKEN_BACK)
        .max_header_list_size(u32::try_from(HEAD).unwrap_or(u32::MAX))
        .max_send_buf_size(HELD);
    protocols
}

struct Server {
    protocols: Builder<TokioExecutor>,
    tls: Option<Tls>,
    front: Front,
    limits: Limits,
    shutdown: CancellationToken,
}

impl Server {
    async fn converse(self: Arc<Self>, connection: Connection, peer: Peer) {
        // What a handshake needs is large, too.
        match &self.tls {
            Some(tls) => Box::pin(self.encrypted(tls, connection, peer)).await,
            None => self.briefly(connection, peer).await,
        }
    }

    async fn encrypted(&self, tls: &Tls, connection: Connection, peer: Peer) {
        let shaken = tokio::select! {
            shaken = tls.acceptor().accept(connection) => shaken,
            () = self.shutdown.cancelled() => return,
        };
        match shaken {
            Ok(stream) if stream.get_ref().1.alpn_protocol() == Some(H2) => self.speak(stream, peer).await,
            Ok(stream) => self.briefly(stream, peer).await,
            Err(error) => debug!("a handshake came to nothing: {error}"),
        }
    }

    /// The short way, for as long as it leads anywhere.
    async fn briefly(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Peer) {
        if !self.front.has_documents() {
            return self.speak(stream, peer).await;
        }
        let enough = async {
            tokio::select! {
                () = self.shutdown.cancelled() => {}
                () = sleep(self.limits.life) => {}
            }
        };
        match express::answer(&mut stream, &self.front, enough).await {
            Ok(Outcome::Ended) => {
                let _ = stream.shutdown().await;
            }
            // Its state is large, and most connections never need it.
            Ok(Outcome::Other(read)) => Box::pin(self.speak(Again::new(read, stream), peer)).await,
            Err(error) => debug!("a connection ended early: {error}"),
        }
    }

    async fn speak(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, peer: Peer) {
        let talk = Talk { front: self.front.clone(), peer };
        let mut spoken = pin!(self.protocols.serve_connection(TokioIo::new(stream), talk));
        let ended = tokio::select! {
            ended = spoken.as_mut() => Some(ended),
            () = self.shutdown.cancelled() => None,
            () = sleep(self.limits.life) => None,
        };
        let ended = if let Some(ended) = ended {
            ended
        } else {
            spoken.as_mut().graceful_shutdown();
            timeout(self.limits.farewell, spoken).await.unwrap_or(Ok(()))
        };
        if let Err(error) = ended {
            debug!("a connection ended early: {error}");
        }
    }
}

/// One connection's requests.
struct Talk {
    front: Front,
    peer: Peer,
}

impl Service<Request<Incoming>> for Talk {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        self.front.answer(request, self.peer)
    }
}
