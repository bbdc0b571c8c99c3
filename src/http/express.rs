//! The short way for what nearly every request is: GET or HEAD of a known document over HTTP/1.1, without a body. It is read
//! and answered here, and a connection that waits costs next to nothing; whatever is anything else, in whatever way, goes to
//! hyper with every byte that was read, and stays there. Nothing is refused here, so nothing is understood in two ways.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use axum::body::Bytes;
use axum::http::header::{HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, Response, StatusCode};
use hyper::body::Buf as _;
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};

use super::conditional::date;
use super::documents::{self, Found};
use super::front::Front;
use super::guard;

/// More than readers send. Longer heads are hyper's to judge.
const LONGEST: usize = 4096;
const MOST_HEADERS: usize = 48;

/// What became of a connection.
pub enum Outcome {
    Ended,
    /// A request for somebody else: all that was read and not answered.
    Other(Vec<u8>),
}

/// Answers until the client hangs up, or wants something else, or, between two requests, `enough` comes.
pub async fn answer(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    front: &Front,
    enough: impl Future<Output = ()>,
) -> io::Result<Outcome> {
    let (mut read, mut enough) = (Vec::new(), pin!(enough));
    loop {
        let (length, response) = match looked_at(&read, front) {
            Look::Answer(length, response) => (length, response),
            Look::More if read.len() < LONGEST => {
                if more(stream, &mut read, enough.as_mut()).await? == 0 {
                    return Ok(if read.is_empty() { Outcome::Ended } else { Outcome::Other(read) });
                }
                continue;
            }
            Look::More | Look::Other => return Ok(Outcome::Other(read)),
        };
        let (head, body) = written(response);
        stream.write_all_buf(&mut head.chain(body)).await?;
        stream.flush().await?;
        // While nothing is asked, nothing is held.
        read = if length == read.len() { Vec::new() } else { read.split_off(length) };
    }
}

/// Reads by way of the stack: a connection that waits holds no buffer.
async fn more(
    stream: &mut (impl AsyncRead + Unpin),
    read: &mut Vec<u8>,
    mut enough: Pin<&mut impl Future<Output = ()>>,
) -> io::Result<usize> {
    poll_fn(|cx| {
        if read.is_empty() && enough.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(0));
        }
        let mut space = [const { MaybeUninit::uninit() }; LONGEST];
        let mut buffer = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer))?;
        read.extend_from_slice(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    })
    .await
}

enum Look {
    /// To this many bytes.
    Answer(usize, Response<Bytes>),
    More,
    Other,
}

fn looked_at(read: &[u8], front: &Front) -> Look {
    if read.is_empty() {
        return Look::More;
    }
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(read) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Look::More,
        Err(_) => return Look::Other,
    };
    // A bug there is hyper's and the routes' to meet again, and to make a page of.
    let answer = catch_unwind(AssertUnwindSafe(|| plain(&request, front)));
    answer.ok().flatten().map_or(Look::Other, |response| Look::Answer(length, response))
}

/// The answer, if it is one of ours to give.
fn plain(request: &httparse::Request<'_, '_>, front: &Front) -> Option<Response<Bytes>> {
    let method = match request.method? {
        "GET" => Method::GET,
        "HEAD" => Method::HEAD,
        _ => return None,
    };
    let path = request.path?.split('?').next()?;
    if request.version != Some(1) || !path.starts_with('/') || path.contains('#') {
        return None;
    }
    let mut headers = HeaderMap::new();
    for given in request.headers.iter() {
        if is_more_than_plain(given) {
            return None;
        }
        if let Some(name) = read_here(given) {
            headers.append(name, HeaderValue::from_bytes(given.value).ok()?);
        }
    }
    let (found, route) = front.known(&method, path, &headers)?;
    let Found::Whole(response) = found else { return None };
    guard::log_at_once(&method, path, response.status());
    front.count(route, response.status());
    Some(response)
}

/// Whether a header makes something else of the request: it has a body, or is the connection's last.
fn is_more_than_plain(given: &httparse::Header<'_>) -> bool {
    let is = |name: &str| given.name.eq_ignore_ascii_case(name);
    match given.name.len() {
        17 => is("transfer-encoding"),
        14 => is("content-length"),
        10 => is("connection") && !given.value.eq_ignore_ascii_case(b"keep-alive"),
        7 => is("upgrade") || is("trailer"),
        6 => is("expect"),
        _ => false,
    }
}

/// The headers that matter to a document.
fn read_here(given: &httparse::Header<'_>) -> Option<HeaderName> {
    documents::READ.into_iter().find(|name| given.name.eq_ignore_ascii_case(name.as_str()))
}

/// The head as it is sent, and the body.
fn written(response: Response<Bytes>) -> (io::Cursor<Vec<u8>>, Bytes) {
    let (parts, body) = response.into_parts();
    let mut head = Vec::with_capacity(1024);
    head.extend_from_slice(match parts.status {
        StatusCode::OK => b"HTTP/1.1 200 OK\r\n",
        StatusCode::NOT_MODIFIED => b"HTTP/1.1 304 Not Modified\r\n",
        _ => b"HTTP/1.1 406 Not Acceptable\r\n",
    });
    for (name, value) in &parts.headers {
        line(&mut head, name.as_str().as_bytes(), value.as_bytes());
    }
    if parts.status == StatusCode::NOT_ACCEPTABLE {
        line(&mut head, b"content-length", body.len().to_string().as_bytes());
    }
    today(|now| line(&mut head, b"date", now));
    head.extend_from_slice(b"\r\n");
    (io::Cursor::new(head), body)
}

fn line(head: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    for part in [name, b": ", value, b"\r\n"] {
        head.extend_from_slice(part);
    }
}

/// The machine's date, put into words once a second.
fn today(use_it: impl FnOnce(&[u8])) {
    thread_local! {
        static TOLD: RefCell<(i64, Vec<u8>)> = const { RefCell::new((i64::MIN, Vec::new())) };
    }
    #[expect(clippy::disallowed_methods, reason = "what servers say of their clock; no decision hangs on it")]
    let now = Timestamp::now();
    TOLD.with_borrow_mut(|(second, words)| {
        if *second != now.as_second() {
            *second = now.as_second();
            words.clear();
            words.extend_from_slice(date(now).as_ref().map_or(b"", HeaderValue::as_bytes));
        }
        use_it(words);
    });
}

/// A stream of which a part has been read already.
pub struct Again<S> {
    first: io::Cursor<Vec<u8>>,
    rest: S,
}

impl<S> Again<S> {
    pub fn new(first: Vec<u8>, rest: S) -> Self {
        Self { first: io::Cursor::new(first), rest }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Again<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.first.has_remaining() {
            return Pin::new(&mut self.rest).poll_read(cx, buf);
        }
        let length = buf.remaining().min(self.first.remaining());
        buf.put_slice(&self.first.chunk()[..length]);
        self.first.advance(length);
        if !self.first.has_remaining() {
            self.first = io::Cursor::default();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Again<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.rest).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.rest).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.rest.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.rest).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.rest).poll_shutdown(cx)
    }
}
