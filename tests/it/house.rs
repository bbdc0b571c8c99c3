//! A server over a store of its own, and how it is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use gazetted::clock::{ManualClock, SharedClock};
use gazetted::domain::edition::{Edition, EditionPost, State as EditionState};
use gazetted::domain::goal::{self, Bounds, Spec};
use gazetted::domain::network::Network;
use gazetted::domain::period::Period;
use gazetted::domain::record::Record;
use gazetted::domain::subscriber::State as SubscriberState;
use gazetted::domain::token::{Keys, Purpose};
use gazetted::http::{
    Blog, Document, FeedLink, Front, KeyRing, Limits, Published, Shared, State, Wording, metrics, public, serve_with,
};
use gazetted::render::templates::Templates;
use gazetted::store::{Audience, NewSubscriber, SharedStore, open};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub const MODIFIED: &str = "Sat, 01 May 2021 10:00:00 GMT";
pub const ONE_CLICK: &str = "List-Unsubscribe=One-Click";
pub const FORM: &str = "Content-Type: application/x-www-form-urlencoded";
pub const PATIENCE: Duration = Duration::from_secs(30);

const MEMORY: usize = 1 << 24;

pub fn now() -> Timestamp {
    "2021-06-15T12:00:00Z".parse().unwrap()
}

pub fn blog() -> Blog {
    Blog {
        title: "Dask Working Notes".into(),
        description: "Writing about scaling Python".into(),
        language: "en".into(),
        zone: TimeZone::UTC,
        url: "https://blog.example".into(),
        feeds_path: String::new(),
        site_path: String::new(),
        feeds: vec![FeedLink {
            name: "Atom".into(),
            url: "https://blog.example/atom.xml".into(),
            media_type: "application/atom+xml".into(),
        }],
        subscribe: true,
        origins: vec!["https://blog.example".into()],
        hub: None,
        network_an_hour: 10,
        proxies: vec![Network::parse("127.0.0.0/8").unwrap()],
        unix_proxy: false,
        tags: vec!["rust".into(), "feeds".into()],
        authors: vec!["Ann".into()],
    }
}

pub fn published() -> Published {
    let modified = "2021-05-01T10:00:00Z".parse().unwrap();
    let document = |text: String, media_type| Document::new(text, media_type, modified);
    let documents = [
        ("feed.xml", document(format!("<rss>{}</rss>", "post ".repeat(200)), "application/rss+xml")),
        ("tags/rust/atom.xml", document("<feed/>".into(), "application/atom+xml")),
        ("archive/1/atom.xml", document("<feed><old/></feed>".into(), "application/atom+xml")),
        ("editions/atom.xml", document("<feed><editions/></feed>".into(), "application/atom+xml")),
        ("feed.json", document("{}".into(), "application/feed+json")),
        ("tags/rust/index.html", document("<!doctype html>".into(), "text/html")),
        ("feeds.opml", document("<opml/>".into(), "text/x-opml")),
    ];
    let post = EditionPost {
        id: "1".into(),
        url: "https://blog.example/one".into(),
        title: "One <post>".into(),
        date: modified,
        authors: Vec::new(),
        tags: Vec::new(),
        excerpt: "It begins.".into(),
        words: 100,
        featured: false,
        language: None,
        translations: Vec::new(),
    };
    Published {
        blog: blog(),
        moved: BTreeMap::from([("rss.xml".to_owned(), "feed.xml".to_owned())]),
        media: BTreeMap::new(),
        gone: BTreeSet::from(["/2021/05/07/gone".to_owned()]),
        documents: documents.into_iter().map(|(path, document)| (path.to_owned(), document)).collect(),
        goals: vec![Record {
            status: goal::status(&Spec::default(), &[], &TimeZone::UTC, now(), Bounds::default()),
            ..Record::default()
        }],
        posts: vec![post],
        scanned_at: Some(now()),
    }
}

pub fn keys() -> Keys {
    Keys::new(&[7; 32], &[])
}

pub fn edition(period: &str, state: EditionState) -> Edition {
    Edition {
        key: Period::parse(period).unwrap().into(),
        state,
        subject: "Notes".into(),
        text: "The digest".into(),
        html: "<html><style>p{}</style><p>The digest</p></html>".into(),
        content: serde_json::Value::Null,
        posts: 1,
        opened_at: now(),
        finished_at: None,
        reason: None,
    }
}

/// A running server over a store with one reader and some editions.
pub struct House {
    pub address: SocketAddr,
    pub store: SharedStore,
    pub shared: Shared,
    pub front: Front,
    pub metrics: Front,
    pub reader: i64,
    pub keys: KeyRing,
    pub stop: CancellationToken,
    pub served: JoinHandle<std::io::Result<()>>,
    pub folder: tempfile::TempDir,
}

impl House {
    pub async fn new() -> Self {
        Self::with(published(), Limits::default(), Router::new()).await
    }

    /// With a clock that stands still until it is moved.
    pub async fn timed() -> (Self, Arc<ManualClock>) {
        let clock = ManualClock::at(now());
        let house = Self::at(Arc::<ManualClock>::clone(&clock), published(), Limits::default(), Router::new()).await;
        (house, clock)
    }

    pub async fn with(published: Published, limits: Limits, more: Router) -> Self {
        Self::at(ManualClock::at(now()), published, limits, more).await
    }

    pub async fn at(clock: SharedClock, published: Published, limits: Limits, more: Router) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("gazetted.db").display());
        let store = open(&url, now()).await.unwrap();
        let reader = NewSubscriber {
            email: "ann@example.org".into(),
            key: "ann@example.org".into(),
            name: None,
            state: SubscriberState::Active,
            source: "test".into(),
        };
        store.add_subscribers(&[reader], false, now()).await.unwrap();
        for (period, state) in [("2021-05", EditionState::Open), ("2021-04", EditionState::Cancelled)] {
            store.open_edition(&edition(period, state), &[], &Audience::everybody()).await.unwrap();
        }
        let reader = store.subscriber_by_key("ann@example.org").await.unwrap().unwrap().id;
        let shared = Shared::new(published, MEMORY);
        let ring = KeyRing::new(keys());
        let state = State {
            shared: shared.clone(),
            store: Arc::clone(&store),
            clock,
            templates: Wording::new(Arc::new(Templates::new(&BTreeMap::new()).unwrap())),
            keys: ring.clone(),
            limiter: Arc::default(),
            wake: Arc::default(),
            https: true,
        };
        store.secret("tokens", [7; 32]).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let metrics = metrics(state.clone());
        let front = public(state).beside(more);
        let served = tokio::spawn(serve_with(listener, front.clone(), limits, stop.clone()));
        Self { address, store, shared, front, metrics, reader, keys: ring, stop, served, folder }
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends these bytes and gives what comes until the connection ends.
    pub async fn raw(&self, request: &str) -> Answer {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        Answer::read(&mut stream).await
    }

    pub async fn ask(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        Self::ask_at(self.address, method, path, headers, body).await
    }

    pub async fn ask_at(address: SocketAddr, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        Self::ask_host(address, "blog.example", method, path, headers, body).await
    }

    pub async fn ask_host(
        address: SocketAddr,
        host: &str,
        method: &str,
        path: &str,
        headers: &[&str],
        body: &str,
    ) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        for header in headers {
            request += header;
            request += "\r\n";
        }
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("{request}Content-Length: {}\r\n\r\n{body}", body.len());
        // A server that refuses a body by its length does not read it.
        let _ = stream.write_all(request.as_bytes()).await;
        Answer::read(&mut stream).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "").await
    }

    pub async fn one_click(&self, path: &str) -> Answer {
        self.ask("POST", path, &[FORM], ONE_CLICK).await
    }

    pub fn way_out(&self) -> String {
        format!("/unsubscribe/{}", keys().mint(Purpose::Unsubscribe, self.reader, None))
    }

    pub async fn state(&self) -> SubscriberState {
        self.store.subscriber(self.reader).await.unwrap().unwrap().state
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Self {
        let mut bytes = Vec::new();
        // A server that closes with input unread resets the connection: what came before that counts.
        let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap();
        Self::parse(&bytes)
    }

    pub fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer");
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap());
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        Self { status, headers, body: bytes[end + 4..].to_vec() }
    }

    pub fn header(&self, name: &str) -> &str {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let value = values.next().map_or("", |(_, value)| value.as_str());
        assert!(values.next().is_none(), "`{name}` comes twice");
        value
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// All that a stranger can compare.
    pub fn visible(mut self) -> Self {
        self.headers.retain(|(name, _)| name != "date");
        self
    }
}
