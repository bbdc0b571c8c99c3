//! A connection: for how long. Whoever sends a request byte by byte, reads an answer byte by byte, or says nothing at all
//! is cut off, so that there is room for the others. Knows bytes, not what they say, and not whether they are encrypted.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep_until};

use super::counts::Counts;
use super::listening::Socket;

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
    /// How long a connection may go on at all, whatever it says.
    pub life: Duration,
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
            life: Duration::from_hours(1),
            connections: 12_000,
        }
    }
}

pub struct Connection {
    socket: Socket,
    limits: Limits,
    /// When patience ends.
    deadline: Instant,
    /// Rings at the deadline, or before it and is set again: to move it with every request would cost more than all else
    /// here. So patience may end late, by as much as the limits differ.
    alarm: Pin<Box<Sleep>>,
    /// An answer was given, and nothing has come since.
    idle: bool,
    /// An answer waits to be taken.
    stalled: bool,
    /// Sent, and not counted yet.
    sent: u64,
    counts: Option<Arc<Counts>>,
    _room: Option<OwnedSemaphorePermit>,
}

/// What is sent is counted in steps: a counter that all connections write to is a place where they meet.
const STEP: u64 = 256 * 1024;

impl Connection {
    pub fn new(
        socket: Socket,
        limits: Limits,
        counts: Option<Arc<Counts>>,
        room: Option<OwnedSemaphorePermit>,
    ) -> Self {
        if let Some(counts) = &counts {
            counts.opened.fetch_add(1, Ordering::Relaxed);
        }
        let deadline = Instant::now() + limits.request;
        let alarm = Box::pin(sleep_until(deadline));
        Self { socket, limits, deadline, alarm, idle: false, stalled: false, sent: 0, counts, _room: room }
    }

    /// A request's bytes do not buy it more time; only its first one starts the clock.
    fn heard(&mut self) {
        if self.idle {
            self.idle = false;
            self.deadline = Instant::now() + self.limits.request;
        }
    }

    fn written(&mut self, result: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match result {
            Poll::Ready(Ok(length)) => {
                self.sent += length as u64;
                if self.sent >= STEP {
                    self.count();
                }
                (self.idle, self.stalled) = (true, false);
                self.deadline = Instant::now() + self.limits.idle;
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                if !self.stalled {
                    (self.idle, self.stalled) = (false, true);
                    self.deadline = Instant::now() + self.limits.stall;
                }
                ready!(self.patience_ends(cx));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        result
    }

    fn count(&mut self) {
        if let Some(counts) = &self.counts {
            counts.bytes.fetch_add(std::mem::take(&mut self.sent), Ordering::Relaxed);
        }
    }

    fn patience_ends(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.alarm.as_mut().poll(cx));
            if self.deadline <= Instant::now() {
                return Poll::Ready(());
            }
            let deadline = self.deadline;
            self.alarm.as_mut().reset(deadline);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.count();
        if let Some(counts) = &self.counts {
            counts.closed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        if let Poll::Ready(result) = Pin::new(&mut self.socket).poll_read(cx, buf) {
            if buf.filled().len() > before {
                self.heard();
            }
            return Poll::Ready(result);
        }
        ready!(self.patience_ends(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.socket).poll_write(cx, buf);
        self.written(result, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // Most answers have no body; one piece is cheaper to write as one.
        let result = match bufs {
            [only] => Pin::new(&mut self.socket).poll_write(cx, only),
            _ => Pin::new(&mut self.socket).poll_write_vectored(cx, bufs),
        };
        self.written(result, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
