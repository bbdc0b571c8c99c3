//! The server's ways in and its forms: TLS, HTTP/2, sockets in the file system, what is compressed and when, and the numbers
//! it keeps.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use gazetted::clock::{Clock as _, SystemClock};
use gazetted::http::{Document, Door, Limits, Listening, Medium, Tls, TlsFiles, serve_with};
use http_body_util::BodyExt as _;
use hyper::Request;
use hyper_util::rt::{TokioExecutor, TokioIo};
use jiff::ToSpan as _;
use rustix::process::Signal;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::daemon::{Program, blog as small_blog};
use super::house::*;
use super::postgres::has;
use super::site::{Site, until};

// What is compressed.

fn unpacked(answer: &Answer) -> Vec<u8> {
    let mut plain = Vec::new();
    match answer.header("content-encoding") {
        "gzip" => drop(flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut plain).unwrap()),
        "br" => brotli::BrotliDecompress(&mut &answer.body[..], &mut plain).unwrap(),
        "zstd" => plain = zstd::decode_all(&answer.body[..]).unwrap(),
        other => {
            assert_eq!(other, "");
            plain.clone_from(&answer.body);
        }
    }
    plain
}

/// A house whose feed is a file.
async fn with_file(text: &str) -> House {
    let mut house = House::new().await;
    publish(&mut house, text);
    house
}

#[expect(clippy::disallowed_methods, reason = "a test's files need no care")]
fn publish(house: &mut House, text: &str) {
    let path = house.folder.path().join("feed.xml");
    std::fs::write(&path, text).unwrap();
    let known = Document::new(text.to_owned(), "application/rss+xml", now());
    let document = Document::file(path, "application/rss+xml", known.hash, text.len(), now());
    let mut next = published();
    next.documents.insert("feed.xml".into(), document);
    house.shared.set(next);
}

async fn asked(house: &House, accepted: &str) -> Answer {
    house.ask("GET", "/feed.xml", &[&format!("Accept-Encoding: {accepted}")], "").await
}

#[tokio::test]
async fn a_feed_comes_in_the_form_that_is_asked_for_and_in_the_best_once_it_is_made() {
    let mut house = with_file(&"a post of the first ".repeat(3000)).await;
    for text in ["a post of the first ".repeat(3000), "a post of the second ".repeat(3000)] {
        publish(&mut house, &text);
        for accepted in ["gzip", "br, gzip", "zstd, gzip;q=0.5", "identity;q=0, gzip", "", "identity"] {
            let best = accepted.split(',').next().unwrap().trim_start_matches("identity;q=0");
            let best = if best.is_empty() || best == "identity" { "" } else { best };
            let best = if accepted.starts_with("identity;q=0") { "gzip" } else { best };
            let answer = loop {
                let answer = asked(&house, accepted).await;
                assert_eq!((answer.status, unpacked(&answer)), (200, text.clone().into_bytes()), "{accepted}");
                assert!(answer.header("vary").starts_with("accept-encoding"), "{answer:?}");
                let head = house.ask("HEAD", "/feed.xml", &[&format!("Accept-Encoding: {accepted}")], "").await;
                assert_eq!((head.status, head.header("etag")), (200, answer.header("etag")));
                if answer.header("content-encoding") == best {
                    break answer;
                }
            };
            assert_eq!(answer.header("content-length"), answer.body.len().to_string());
        }
        assert_eq!(asked(&house, "identity;q=0").await.status, 406);
        assert_eq!(asked(&house, "*;q=0").await.status, 406);
    }
}

// What posts enclose.

#[expect(clippy::disallowed_methods, reason = "a test's files need no care")]
async fn with_sound() -> (House, PathBuf) {
    let house = House::new().await;
    let path = house.folder.path().join("1.mp3");
    std::fs::write(&path, "a".repeat(1000)).unwrap();
    aged(&path, 100);
    let (mut next, kept) = (published(), path.clone());
    let medium = Medium::new("audio/mpeg".into(), move || File::open(&kept).ok());
    next.media.insert("/1.mp3".into(), medium);
    house.shared.set(next);
    (house, path)
}

/// Makes a file this many seconds older than the house's clock.
fn aged(path: &Path, seconds: u64) {
    let now = UNIX_EPOCH + Duration::from_secs(now().as_second().unsigned_abs());
    File::options().write(true).open(path).unwrap().set_modified(now - Duration::from_secs(seconds)).unwrap();
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a test's files need no care")]
async fn a_download_goes_on_only_with_the_file_it_began_with() {
    let (house, path) = with_sound().await;
    let asked = async |headers: &[&str]| house.ask("GET", "/1.mp3", headers, "").await;
    let first = asked(&["Range: bytes=0-499"]).await;
    assert_eq!((first.status, first.header("content-range")), (206, "bytes 0-499/1000"));
    let rest = "Range: bytes=500-";
    let by_tag = format!("If-Range: {}", first.header("etag"));
    let by_date = format!("If-Range: {}", first.header("last-modified"));
    let weak = format!("If-Range: W/{}", first.header("etag"));
    for (known, status) in [(&by_tag, 206), (&by_date, 206), (&weak, 200), (&"If-Range: \"nope\"".to_owned(), 200)] {
        let answer = asked(&[rest, known]).await;
        assert_eq!((answer.status, answer.body.len()), (status, if status == 206 { 500 } else { 1000 }), "{known}");
    }
    std::fs::write(&path, "b".repeat(1000)).unwrap();
    aged(&path, 50);
    for known in [&by_tag, &by_date] {
        let answer = asked(&[rest, known]).await;
        assert_eq!((answer.status, answer.body.len()), (200, 1000), "{known}");
    }
    let same = format!("If-Match: {}", first.header("etag"));
    let before = format!("If-Unmodified-Since: {}", first.header("last-modified"));
    for known in [&same, &before] {
        assert_eq!(asked(&[rest, known]).await.status, 412, "{known}");
    }
}

#[tokio::test]
async fn an_enclosure_is_fetched_again_only_if_it_has_changed() {
    let (house, _) = with_sound().await;
    let whole = house.get("/1.mp3").await;
    let (tag, date) = (whole.header("etag"), whole.header("last-modified"));
    let since = format!("If-Modified-Since: {date}");
    for (headers, status) in [
        (vec![format!("If-None-Match: {tag}")], 304),
        (vec![format!("If-None-Match: \"a\", W/{tag}")], 304),
        (vec!["If-None-Match: \"zz\"".to_owned(), since.clone()], 200),
        (vec![since.clone()], 304),
        (vec![since, "Range: bytes=0-9".to_owned()], 304),
        (vec![format!("If-Match: {tag}")], 200),
        (vec!["If-Match: *".to_owned()], 200),
        (vec![format!("If-Match: W/{tag}")], 412),
    ] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let answer = house.ask("GET", "/1.mp3", &headers, "").await;
        assert_eq!((answer.status, answer.header("etag")), (status, tag), "{headers:?}");
        assert_eq!(answer.body.len(), if status == 200 { 1000 } else { 0 }, "{headers:?}");
    }
}

#[tokio::test]
async fn one_range_of_bytes_is_given_and_of_anything_else_the_whole() {
    let (house, _) = with_sound().await;
    for (range, status, content_range, length) in [
        ("bytes=0-0", 206, "bytes 0-0/1000", "1"),
        ("Bytes=990-5000", 206, "bytes 990-999/1000", "10"),
        ("bytes=-5", 206, "bytes 995-999/1000", "5"),
        ("bytes=-5000", 206, "bytes 0-999/1000", "1000"),
        ("bytes=0-99999999999999999999999", 206, "bytes 0-999/1000", "1000"),
        ("bytes=1000-", 416, "bytes */1000", "0"),
        ("bytes=-0", 416, "bytes */1000", "0"),
        ("bytes=0-1,5-6", 200, "", "1000"),
        ("items=0-1", 200, "", "1000"),
        ("bytes=9-1", 200, "", "1000"),
        ("bytes=+1-2", 200, "", "1000"),
        ("bytes=-", 200, "", "1000"),
        ("bytes", 200, "", "1000"),
    ] {
        let answer = house.ask("GET", "/1.mp3", &[&format!("Range: {range}")], "").await;
        assert_eq!((answer.status, answer.header("content-range")), (status, content_range), "{range}");
        assert_eq!(answer.body.len().to_string(), length, "{range}");
    }
    let head = house.ask("HEAD", "/1.mp3", &["Range: bytes=0-9"], "").await;
    assert_eq!((head.status, head.header("content-length"), head.header("accept-ranges")), (200, "1000", "bytes"));
    let packed = house.ask("GET", "/1.mp3", &["Accept-Encoding: gzip"], "").await;
    assert_eq!((packed.header("content-encoding"), packed.body.len()), ("", 1000), "the tag is that of these bytes");
    assert_eq!(house.ask("POST", "/1.mp3", &[], "").await.status, 405);
}

/// How long a text is that nobody took the time to pack well.
fn packed_in_haste(text: &str) -> usize {
    let parameters = brotli::enc::BrotliEncoderParams { quality: 3, lgwin: 16, ..Default::default() };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut text.as_bytes(), &mut packed, &parameters).unwrap();
    packed.len() * 95 / 100
}

#[tokio::test]
async fn what_was_made_once_is_served_from_memory_until_the_bytes_change() {
    let words = (0..6000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 22).to_string());
    let text = words.collect::<Vec<_>>().join(" ");
    let mut house = with_file(&text).await;
    let in_haste = packed_in_haste(&text);
    let made = loop {
        let answer = asked(&house, "br").await;
        assert_eq!((answer.header("content-encoding"), unpacked(&answer)), ("br", text.clone().into_bytes()));
        if answer.body.len() < in_haste {
            break answer;
        }
    };
    // The same bytes again: a scan that found nothing new, and a file that is away for a moment.
    publish(&mut house, &text);
    std::fs::remove_file(house.folder.path().join("feed.xml")).unwrap();
    assert_eq!(asked(&house, "br").await.body, made.body);
    publish(&mut house, &"another ".repeat(3000));
    let next = asked(&house, "br").await;
    assert!(next.header("etag") != made.header("etag") && unpacked(&next).starts_with(b"another "));
}

#[tokio::test]
async fn a_file_that_is_already_the_next_one_is_not_served_under_the_old_one_s_marks() {
    let house = with_file(&"old ".repeat(200)).await;
    let old = asked(&house, "").await;
    #[expect(clippy::disallowed_methods, reason = "what another pass has just written")]
    std::fs::write(house.folder.path().join("feed.xml"), "new ".repeat(200)).unwrap();
    let new = asked(&house, "gzip;q=0").await;
    if new.body != old.body {
        assert!(new.header("etag") != old.header("etag") && new.header("last-modified").is_empty());
    }
    let zipped = asked(&house, "zstd").await;
    let (same, tags) = (unpacked(&zipped) == old.body, zipped.header("etag") == old.header("etag"));
    assert_eq!(same, tags);
}

// HTTP/2 and TLS.

/// A certificate for `localhost` and its key, new each time.
fn certificate(folder: &Path) -> TlsFiles {
    certificate_for("30", folder)
}

fn certificate_for(days: &str, folder: &Path) -> TlsFiles {
    let files = TlsFiles { certificate: folder.join("tls.pem"), key: folder.join("tls.key") };
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", days])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(&files.key)
        .arg("-out")
        .arg(&files.certificate)
        .stderr(Stdio::null())
        .status();
    assert!(made.unwrap().success());
    files
}

fn connector(files: &TlsFiles, protocols: &[&str]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&files.certificate).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

/// A house with a second door, over TLS.
struct Vault {
    house: House,
    address: std::net::SocketAddr,
    files: TlsFiles,
    tls: Tls,
}

impl Vault {
    async fn new(limits: Limits) -> Option<Self> {
        if !has("openssl") {
            return None;
        }
        let house = House::new().await;
        let files = certificate(house.folder.path());
        let tls = Tls::open(files.clone()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let door = Door::new(listener.into(), Some(tls.clone()));
        tokio::spawn(serve_with(door, house.front.clone(), limits, house.stop.clone()));
        Some(Self { house, address, files, tls })
    }

    async fn connect(&self, protocols: &[&str]) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await?;
        connector(&self.files, protocols).connect(ServerName::try_from("localhost").unwrap(), stream).await
    }
}

/// Asks over HTTP/2: status, headers and body.
async fn over_h2(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    path: &str,
) -> (u16, axum::http::HeaderMap, Vec<u8>) {
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let uri = format!("https://localhost{path}");
    let request = Request::get(uri).header("accept-encoding", "identity").body(Body::empty()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    let (head, body) = response.into_parts();
    (head.status.as_u16(), head.headers, body.collect().await.unwrap().to_bytes().to_vec())
}

#[tokio::test]
async fn over_tls_both_protocols_say_the_same_as_without() {
    let Some(vault) = Vault::new(Limits::default()).await else { return };
    for path in ["/feed.xml", "/", "/nowhere", "/livez"] {
        let plain = vault.house.get(path).await;
        let mut stream = vault.connect(&["http/1.1"]).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(Answer::read(&mut stream).await.visible(), plain.clone().visible());
        let stream = vault.connect(&["h2", "http/1.1"]).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (status, headers, body) = over_h2(stream, path).await;
        assert_eq!((status, &body), (plain.status, &plain.body), "{path}");
        for mark in ["etag", "content-type", "content-security-policy", "cache-control"] {
            let said = headers.get(mark).map_or("", |value| value.to_str().unwrap());
            assert_eq!(said, plain.header(mark), "{path} {mark}");
        }
        // With prior knowledge, as proxies speak it.
        let (status, _, body) = over_h2(vault.house.connect().await, path).await;
        assert_eq!((status, body), (plain.status, plain.body));
    }
}

#[tokio::test]
async fn a_renewed_certificate_is_used_at_once_and_a_bad_one_never() {
    let Some(vault) = Vault::new(Limits::default()).await else { return };
    assert!(!vault.tls.renew(SystemClock.now()).unwrap(), "nothing has changed");
    vault.connect(&[]).await.unwrap();
    let old = connector(&vault.files, &[]);
    certificate(vault.house.folder.path());
    assert!(vault.tls.renew(SystemClock.now()).unwrap());
    vault.connect(&[]).await.unwrap();
    let stream = TcpStream::connect(vault.address).await.unwrap();
    assert!(old.connect(ServerName::try_from("localhost").unwrap(), stream).await.is_err());
    let good = connector(&vault.files, &[]);
    let (other, cut) = (tempfile::tempdir().unwrap(), std::fs::read(&vault.files.certificate).unwrap());
    let strange_key = std::fs::read(certificate(other.path()).key).unwrap();
    let key = std::fs::read(&vault.files.key).unwrap();
    // The certificate is whole, and what should lead from it to a root is not.
    let half_a_chain = [&cut[..], &cut[..cut.len() / 2]].concat();
    let cases = [
        (&vault.files.key, strange_key, key),
        (&vault.files.certificate, cut[..50].to_vec(), cut.clone()),
        (&vault.files.certificate, half_a_chain, cut.clone()),
    ];
    for (file, bad, before) in cases {
        #[expect(clippy::disallowed_methods, reason = "a test's files need no care")]
        let write = |bytes: &[u8]| std::fs::write(file, bytes).unwrap();
        write(&bad);
        let error = vault.tls.renew(SystemClock.now()).unwrap_err().to_string();
        assert!(error.contains(&format!("`{}`", file.display())), "{error}");
        let stream = TcpStream::connect(vault.address).await.unwrap();
        good.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
        write(&before);
        vault.tls.renew(SystemClock.now()).unwrap();
    }
}

#[tokio::test]
async fn a_certificate_that_has_ended_takes_the_place_of_none_that_has_not() {
    let Some(vault) = Vault::new(Limits::default()).await else { return };
    let (now, good) = (SystemClock.now(), connector(&vault.files, &[]));
    certificate_for("1", vault.house.folder.path());
    let error = vault.tls.renew(now + 48.hours()).unwrap_err().to_string();
    assert!(error.contains("` ended on 20"), "{error}");
    let stream = TcpStream::connect(vault.address).await.unwrap();
    good.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
    certificate_for("2", vault.house.folder.path());
    assert!(vault.tls.renew(now + (24 * 50).hours()).unwrap(), "the old one has ended, too");
}

fn brief() -> Limits {
    let brief = Duration::from_millis(400);
    Limits { request: brief, idle: brief, stall: brief, ..Limits::default() }
}

/// Sends these bytes, then one now and then; how long it took the server to hang up.
async fn drip(mut stream: impl AsyncRead + AsyncWrite + Unpin, first: &[u8], more: &[u8]) -> Duration {
    let began = Instant::now();
    let _ = stream.write_all(first).await;
    let mut rest = [0; 4096];
    while began.elapsed() < PATIENCE {
        let read = tokio::time::timeout(Duration::from_millis(50), stream.read(&mut rest)).await;
        if matches!(read, Ok(Ok(0) | Err(_))) {
            return began.elapsed();
        }
        if stream.write_all(more).await.is_err() || stream.flush().await.is_err() {
            return began.elapsed();
        }
    }
    panic!("still connected")
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// `GET http://a/livez`, but for the frame around it.
const FIELDS: &[u8] = b"\x82\x86\x44\x06/livez\x41\x01a";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

#[tokio::test]
async fn whoever_is_slow_is_cut_off_over_tls_and_over_http_2_too() {
    let Some(vault) = Vault::new(brief()).await else { return };
    let slow = PATIENCE / 6;
    // No handshake; half a handshake; half a request; a request's first frame without its second.
    let silent = drip(TcpStream::connect(vault.address).await.unwrap(), b"", b"");
    let half = drip(TcpStream::connect(vault.address).await.unwrap(), b"\x16\x03\x01\x02\0", b"\x01");
    let header = drip(vault.connect(&[]).await.unwrap(), b"GET / HTTP/1.1\r\nX-Slow: ", b"a");
    let started = [PREFACE, &frame(1, 0, 1, FIELDS)].concat();
    let frames = drip(vault.connect(&["h2"]).await.unwrap(), &started, b"");
    let (silent, half, header, frames) = tokio::join!(silent, half, header, frames);
    println!("{silent:?} {half:?} {header:?} {frames:?}");
    assert!(silent < slow && half < slow && header < slow && frames < slow);
}

#[tokio::test]
async fn requests_that_are_taken_back_at_once_and_headers_without_end_close_the_connection() {
    let house = House::new().await;
    let mut taken_back = PREFACE.to_vec();
    for stream in (1..4000).step_by(2) {
        taken_back.extend(frame(1, 5, stream, FIELDS));
        taken_back.extend(frame(3, 0, stream, &[0, 0, 0, 8]));
    }
    let mut endless = [PREFACE, &frame(1, 1, 1, FIELDS)].concat();
    for _ in 0..200 {
        // A header of 16 kB that is not to be remembered.
        let header = [b"\0\x01a\x7f\xb1\x7e".to_vec(), vec![b'a'; 0x7f + 0x31 + 0x7e * 128]].concat();
        endless.extend(frame(9, 0, 1, &header[..16_000]));
    }
    for (name, bytes) in [("taken back", taken_back), ("endless", endless)] {
        let ended = drip(house.connect().await, &bytes, b"").await;
        println!("{name}: {ended:?}");
        assert!(ended < PATIENCE / 6, "{name}: {ended:?}");
    }
    assert_eq!(house.get("/livez").await.status, 200);
}

#[tokio::test]
async fn headers_that_are_too_many_or_too_long_are_refused() {
    let house = House::new().await;
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Long: {}\r\n\r\n", "a".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X-Many: a\r\n".repeat(1_000));
    for request in [long, many] {
        assert_eq!(house.raw(&request).await.status, 431);
    }
}

// Sockets.

async fn over_unix(path: &Path, request: &str) -> Option<Answer> {
    let mut stream = UnixStream::connect(path).await.ok()?;
    let request = format!("{request} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    Some(Answer::read(&mut stream).await)
}

#[tokio::test]
async fn a_socket_s_file_has_its_mode_replaces_a_dead_one_and_goes_with_the_server() {
    let house = House::new().await;
    let path = house.folder.path().join("http.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "a dead daemon's socket");
    let door = Listening::unix(&path, 0o620).await.unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o620);
    let served = tokio::spawn(serve_with(door, house.front.clone(), Limits::default(), house.stop.clone()));
    let answer = over_unix(&path, "GET /feed.xml").await.unwrap();
    assert_eq!(answer.header("etag"), house.get("/feed.xml").await.header("etag"));
    let taken = Listening::unix(&path, 0o600).await.unwrap_err().to_string();
    assert!(taken.contains("another program answers on"), "{taken}");
    assert_eq!(over_unix(&path, "GET /livez").await.unwrap().status, 200, "it was left as it is");
    house.stop.cancel();
    served.await.unwrap().unwrap();
    assert!(!path.exists());
    #[expect(clippy::disallowed_methods, reason = "a file in the way")]
    std::fs::write(&path, "mine").unwrap();
    let in_the_way = Listening::unix(&path, 0o600).await.unwrap_err().to_string();
    assert!(in_the_way.contains("is no socket"), "{in_the_way}");
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
}

/// Joins by a form that says through which network it came.
async fn join_from(path: &Path, forwarded: &str) -> u16 {
    let body = "email=ben%40example.org";
    let request = format!(
        "POST /subscribe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{FORM}\r\nX-Forwarded-For: {forwarded}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = UnixStream::connect(path).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    Answer::read(&mut stream).await.status
}

#[tokio::test]
async fn a_proxy_behind_a_socket_is_believed_only_if_it_is_named() {
    for (named, limited) in [(true, 429), (false, 200)] {
        let mut known = published();
        (known.blog.unix_proxy, known.blog.network_an_hour) = (named, 2);
        let house = House::with(known, Limits::default(), Router::new()).await;
        let path = house.folder.path().join("http.sock");
        let door = Listening::unix(&path, 0o600).await.unwrap();
        tokio::spawn(serve_with(door, house.front.clone(), Limits::default(), house.stop.clone()));
        let mut last = 0;
        for _ in 0..3 {
            last = join_from(&path, "203.0.113.9, 192.0.2.7").await;
        }
        assert_eq!(last, limited, "{named}");
        assert_eq!(join_from(&path, "203.0.113.9, 198.51.100.7").await, 200);
    }
}

/// The program with a socket of systemd's, as number 3.
fn activated(site: &Site, socket: OwnedFd, name: &str, arguments: &[&str]) -> std::process::Child {
    let program = site.command(arguments);
    let script = format!("exec 3<&0 0</dev/null; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES={name} exec \"$@\"");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script, "sh"]).arg(program.get_program()).args(program.get_args());
    shell.current_dir(program.get_current_dir().unwrap_or(Path::new(".")));
    for (key, value) in program.get_envs() {
        match value {
            Some(value) => shell.env(key, value),
            None => shell.env_remove(key),
        };
    }
    shell.stdin(Stdio::from(socket)).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn the_program_takes_the_sockets_that_systemd_has_opened() {
    let site = small_blog().config("[http]\nlisten = \"systemd\"\n");
    let path = site.path("from-systemd.sock");
    let socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    // It waits in the queue until the daemon is there.
    let (runtime, waiting) = (runtime(), path.clone());
    let early = runtime.spawn(async move { over_unix(&waiting, "GET /livez").await.unwrap().status });
    let program = Program::elsewhere(activated(&site, OwnedFd::from(socket), "http", &["run"]));
    assert_eq!(runtime.block_on(early).unwrap(), 200);
    until("the feed", || (runtime.block_on(over_unix(&path, "GET /feed.xml"))?.status == 200).then_some(()));
    assert_eq!(program.exit(Signal::TERM), Some(0));
    assert!(path.exists(), "it is systemd's");
}

#[test]
fn a_socket_of_another_name_is_not_taken_for_the_readers() {
    let site = small_blog().config("[http]\nlisten = \"systemd\"\n");
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let ended = activated(&site, OwnedFd::from(socket), "admin", &["run"]).wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("no socket named `http`"), "{said}");
    assert_eq!(ended.status.code(), Some(1));
}

#[test]
fn the_program_listens_on_a_file_and_over_tls_and_takes_a_new_certificate_when_told() {
    if !has("openssl") {
        return;
    }
    let site = small_blog();
    let files = certificate(&site.path(""));
    let path = site.path("http.sock");
    let http = format!(
        "[http]\nlisten = \"unix:{}\"\nsocket_mode = \"0600\"\ntls_certificate = \"tls.pem\"\ntls_key = \"tls.key\"\n",
        path.display()
    );
    let site = site.config(&http);
    let child = site.command(&["run"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let program = Program::elsewhere(child);
    let runtime = runtime();
    let shakes = |files: &TlsFiles| {
        runtime.block_on(async {
            let stream = UnixStream::connect(&path).await.unwrap();
            connector(files, &[]).connect(ServerName::try_from("localhost").unwrap(), stream).await.is_ok()
        })
    };
    assert!(shakes(&files));
    let renewed = certificate(&site.path(""));
    program.signal(Signal::HUP);
    program.until_logged("TLS goes on with the new certificate");
    assert!(shakes(&renewed));
    assert_eq!(program.exit(Signal::TERM), Some(0));
}

// Numbers.

#[tokio::test]
async fn the_numbers_say_what_was_answered_and_how_many_read_through_a_service() {
    let house = House::new().await;
    // In a form that is made for this one: the reader is heard all the same.
    house.ask("GET", "/feed.xml", &["User-Agent: NewsBlur - 3 subscribers", "Accept-Encoding: br"], "").await;
    let feedly =
        "User-Agent: Feedly/1.0 (+http://www.feedly.com/fetcher.html; 14 subscribers; like FeedFetcher-Google)";
    let tag = house.ask("GET", "/feed.xml", &[feedly], "").await.header("etag").to_owned();
    let known = format!("If-None-Match: {tag}");
    let newer = feedly.replace("14", "15");
    house.ask("GET", "/feed.xml", &[&newer, &known], "").await;
    house.ask("GET", "/atom.xml\"}", &["User-Agent: Forger 999999 subscribers"], "").await;
    house.get("/nowhere").await;
    house.get("/goal").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve_with(listener, house.metrics.clone(), Limits::default(), house.stop.clone()));
    let answer = House::ask_at(address, "GET", "/metrics", &[], "").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    for line in [
        "gazetted_http_requests_total{route=\"feed\",status=\"200\"} 2\n",
        "gazetted_http_requests_total{route=\"feed\",status=\"304\"} 1\n",
        "gazetted_http_requests_total{route=\"page\",status=\"200\"} 1\n",
        "gazetted_http_requests_total{route=\"other\",status=\"404\"} 2\n",
        "gazetted_http_connections_total 6\n",
        "gazetted_feed_subscribers{feed=\"/feed.xml\",aggregator=\"newsblur\"} 3\n",
        "gazetted_feed_subscribers{feed=\"/feed.xml\",aggregator=\"feedly\"} 15\n",
    ] {
        assert!(answer.text().contains(line), "{line}{}", answer.text());
    }
    assert!(!answer.text().contains("forger") && !answer.text().contains("127.0.0.1"), "{}", answer.text());
    assert_eq!(house.get("/metrics").await.status, 404, "readers have no business there");
    assert_eq!(House::ask_at(address, "GET", "/feed.xml", &[], "").await.status, 404);
}
