//! The one HTTP client, for all that the daemon and the commands ask of others: a deadline, a limit of bytes, redirects counted.
//! Knows where strangers may send it (the public internet only: the address that was checked is the one that is called).
//! Knows nothing of what is asked, keeps no cookies, and asks for nothing compressed unless told to.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT_ENCODING, LOCATION, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use url::{Host, Url};

use crate::domain::network;
use crate::mail::tls;

mod public;
mod told;

use public::PublicResolver;
pub use told::Told;
use told::ToldResolver;

const AGENT: &str = concat!("gazetted/", env!("CARGO_PKG_VERSION"));
/// From the first packet to the last byte, unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(15);
/// Of an answer that is only looked at.
const FEW_BYTES: usize = 64 * 1024;

type Sender<R> = Client<HttpsConnector<HttpConnector<R>>, Full<Bytes>>;

/// Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Web {
    anywhere: Sender<ToldResolver>,
    public: Sender<PublicResolver>,
}

/// Where a call may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// What the operator names.
    Anywhere,
    /// What strangers name: never this machine, nor its house's network.
    Public,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Ask {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
    patience: Duration,
    redirects: usize,
    most: usize,
    status_only: bool,
    reach: Reach,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Where it came from in the end.
    pub address: Url,
    /// Each redirect that was followed: its status, and where it led.
    pub redirects: Vec<(StatusCode, Url)>,
}

#[derive(Debug, thiserror::Error)]
pub enum WebError {
    #[error("`{0}` is no http or https address")]
    Address(String),
    #[error("`{0}` is not on the public internet")]
    NotPublic(String),
    #[error("no answer within {} s", .0.as_secs())]
    TooLate(Duration),
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    #[error("there are more than {0} redirects")]
    TooManyRedirects(usize),
    #[error("{0}")]
    Failed(String),
}

impl Ask {
    /// Follows five redirects.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url.into(), Bytes::new(), 5)
    }

    /// Follows none.
    #[must_use]
    pub fn post(url: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self::new(Method::POST, url.into(), body.into(), 0)
    }

    fn new(method: Method, url: String, body: Bytes, redirects: usize) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let (patience, most, reach) = (PATIENCE, FEW_BYTES, Reach::Anywhere);
        Self { method, url, headers, body, patience, redirects, most, status_only: false, reach }
    }

    /// Sets a header; a value that no header can have is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    #[must_use]
    pub fn redirects(mut self, redirects: usize) -> Self {
        self.redirects = redirects;
        self
    }

    /// A longer answer is an error.
    #[must_use]
    pub fn most(mut self, bytes: usize) -> Self {
        self.most = bytes;
        self
    }

    /// The answer's body is not read.
    #[must_use]
    pub fn status_only(mut self) -> Self {
        self.status_only = true;
        self
    }

    #[must_use]
    pub fn reach(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }
}

impl Web {
    /// Trusts the system's authorities.
    pub fn new() -> anyhow::Result<Self> {
        Self::knowing(Told::new())
    }

    /// Names that are known lead where they are said to.
    pub fn knowing(told: Told) -> anyhow::Result<Self> {
        let tls = tls::config(std::path::Path::new("")).map_err(anyhow::Error::msg)?;
        let tls = Arc::unwrap_or_clone(tls);
        let https = || HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http().enable_http1();
        let mut checked = HttpConnector::new_with_resolver(PublicResolver);
        checked.enforce_http(false);
        let mut told = HttpConnector::new_with_resolver(ToldResolver(Arc::new(told)));
        told.enforce_http(false);
        Ok(Self {
            anywhere: Client::builder(TokioExecutor::new()).build(https().wrap_connector(told)),
            public: Client::builder(TokioExecutor::new()).build(https().wrap_connector(checked)),
        })
    }

    pub async fn ask(&self, ask: &Ask) -> Result<Answer, WebError> {
        let answer = tokio::time::timeout(ask.patience, self.follow(ask)).await;
        answer.map_err(|_| WebError::TooLate(ask.patience))?
    }

    async fn follow(&self, ask: &Ask) -> Result<Answer, WebError> {
        let mut address = http_address(&ask.url)?;
        let mut redirects = Vec::new();
        loop {
            let response = self.send(ask, &address).await?;
            let Some(next) = redirect(&address, &response).filter(|_| ask.redirects > 0) else {
                let (head, body) = response.into_parts();
                let body = read(body, ask).await?;
                return Ok(Answer { status: head.status, headers: head.headers, body, address, redirects });
            };
            if redirects.len() == ask.redirects {
                return Err(WebError::TooManyRedirects(ask.redirects));
            }
            address = http_address(next.as_str())?;
            redirects.push((response.status(), address.clone()));
        }
    }

    async fn send(&self, ask: &Ask, address: &Url) -> Result<Response<Body>, WebError> {
        let body = Full::new(ask.body.clone());
        let request = Request::builder().method(&ask.method).uri(address.as_str()).body(body);
        let mut request = request.map_err(|error| WebError::Failed(error.to_string()))?;
        request.headers_mut().extend(ask.headers.clone());
        // A name is checked when it is resolved; a number is not resolved.
        if ask.reach == Reach::Public && literal(address).is_some_and(|ip| !network::is_public(ip)) {
            return Err(WebError::NotPublic(address.host_str().unwrap_or_default().to_owned()));
        }
        let sent = match ask.reach {
            Reach::Anywhere => self.anywhere.request(request).await,
            Reach::Public => self.public.request(request).await,
        };
        let response = sent.map_err(|error| match public::refused(&error) {
            Some(host) => WebError::NotPublic(host),
            None => WebError::Failed(with_causes(&error)),
        })?;
        Ok(response.map(Body::new))
    }
}

async fn read(body: Body, ask: &Ask) -> Result<Bytes, WebError> {
    if ask.status_only {
        return Ok(Bytes::new());
    }
    match Limited::new(body, ask.most).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(WebError::TooLong(ask.most)),
        Err(error) => Err(WebError::Failed(with_causes(error.as_ref()))),
    }
}

/// Without a fragment, its host in the one spelling that is called.
pub fn http_address(text: &str) -> Result<Url, WebError> {
    let mut address = Url::parse(text.trim()).map_err(|_| WebError::Address(text.to_owned()))?;
    if !matches!(address.scheme(), "http" | "https") || !address.has_host() {
        return Err(WebError::Address(text.to_owned()));
    }
    address.set_fragment(None);
    Ok(address)
}

fn literal(address: &Url) -> Option<IpAddr> {
    match address.host()? {
        Host::Ipv4(four) => Some(four.into()),
        Host::Ipv6(six) => Some(six.into()),
        Host::Domain(_) => None,
    }
}

fn redirect(from: &Url, response: &Response<Body>) -> Option<Url> {
    let status = response.status().as_u16();
    let to = response.headers().get(LOCATION).filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308))?;
    from.join(to.to_str().ok()?).ok()
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |words, cause| format!("{words}: {cause}"))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// A server that gives `answers` one after the other, each on a connection of its own; and what it was asked.
    async fn server(answers: Vec<String>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = vec![0; 4096];
                let length = stream.read(&mut request).await.unwrap();
                asked.push(String::from_utf8_lossy(&request[..length]).into_owned());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            asked
        });
        (format!("http://{address}"), task)
    }

    fn ok(body: &str) -> String {
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
    }

    fn moved(to: &str) -> String {
        format!("HTTP/1.1 301 Moved\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    }

    #[tokio::test]
    async fn redirects_are_followed_and_named() {
        let (url, asked) = server(vec![moved("/b#x"), ok("found")]).await;
        let answer = Web::new().unwrap().ask(&Ask::get(format!("{url}/a#y"))).await.unwrap();
        assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, &b"found"[..]));
        assert_eq!(answer.address.as_str(), format!("{url}/b"));
        assert_eq!(answer.redirects, [(StatusCode::MOVED_PERMANENTLY, answer.address.clone())]);
        let asked = asked.await.unwrap().join("").to_lowercase();
        assert!(asked.contains("get /a http") && asked.contains("user-agent: gazetted/"), "{asked}");
        assert!(asked.contains("accept-encoding: identity"), "{asked}");
    }

    #[tokio::test]
    async fn a_post_follows_nothing() {
        let (url, _) = server(vec![moved("/b")]).await;
        let answer = Web::new().unwrap().ask(&Ask::post(url, "x")).await.unwrap();
        assert_eq!(answer.status, StatusCode::MOVED_PERMANENTLY);
    }

    #[tokio::test]
    async fn limits_hold() {
        let web = Web::new().unwrap();
        let (url, _) = server(vec![ok("12345")]).await;
        assert!(matches!(web.ask(&Ask::get(url).most(4)).await, Err(WebError::TooLong(4))));
        let (url, _) = server(vec![moved("/"), moved("/"), moved("/")]).await;
        assert!(matches!(web.ask(&Ask::get(url).redirects(2)).await, Err(WebError::TooManyRedirects(2))));
        let (url, _) = server(vec![moved("file:///etc/passwd")]).await;
        assert!(matches!(web.ask(&Ask::get(url)).await, Err(WebError::Address(_))));
        // Nobody answers on a socket that only listens.
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ask = Ask::get(format!("http://{}", silent.local_addr().unwrap())).patience(Duration::from_millis(20));
        assert!(matches!(web.ask(&ask).await, Err(WebError::TooLate(_))));
        assert!(matches!(web.ask(&Ask::get("mailto:a@b")).await, Err(WebError::Address(_))));
    }

    #[tokio::test]
    async fn strangers_cannot_send_it_home() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let web = Web::new().unwrap();
        for host in [
            "127.0.0.1",
            "localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "2130706433",
            "0x7f.1",
            "127.1",
            "0",
            "169.254.169.254",
        ] {
            let url = format!("http://{host}:{port}/");
            let refused = web.ask(&Ask::post(&url, "").reach(Reach::Public)).await.unwrap_err();
            assert!(matches!(refused, WebError::NotPublic(_)), "{url}: {refused}");
        }
    }
}
