//! What sending is measured against; `benches/sending.py` runs it.
//!
//!     wire sign KEY MESSAGE SECONDS THREADS        our signer alone: signatures a second
//!     wire lettre PORT MESSAGES CONNECTIONS MESSAGE    lettre's own transport with its pool: messages a second
//!     wire delay PORT MILLISECONDS                 a way to 127.0.0.1:PORT that takes so long in each direction; says its port
//!
//! Under `cargo bench` it is called without words, and does nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gazetted::render::dkim::Signer;
use jiff::Timestamp;
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::client::Tls;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor, address::Envelope};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["sign", key, message, seconds, threads] => {
            sign(&read(key), &read(message), Duration::from_secs(number(seconds)), number(threads));
        }
        ["lettre", port, messages, connections, message] => {
            let (port, message) = (u16::try_from(number(port)).unwrap(), read(message));
            Runtime::new().unwrap().block_on(send(port, number(messages), number(connections), message));
        }
        ["delay", port, milliseconds] => {
            let port = u16::try_from(number(port)).unwrap();
            Runtime::new().unwrap().block_on(delay(port, Duration::from_millis(number(milliseconds))));
        }
        _ => {}
    }
}

fn read(file: &str) -> Vec<u8> {
    std::fs::read(file).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn number(word: &str) -> u64 {
    word.parse().unwrap_or_else(|_| panic!("`{word}` is no number"))
}

/// All threads sign the same message again and again; the body is hashed each time, as it is when a digest goes out.
fn sign(key: &[u8], message: &[u8], time: Duration, threads: u64) {
    let signer = Signer::new("example.org", "gz", key).unwrap();
    let (began, signed) = (Instant::now(), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while began.elapsed() < time {
                    signer.sign(message, Timestamp::UNIX_EPOCH).unwrap();
                    signed.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    println!("{:.0}", signed.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64());
}

async fn send(port: u16, messages: u64, connections: u64, message: Vec<u8>) {
    let pool = PoolConfig::new().max_size(u32::try_from(connections).unwrap());
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1");
    let transport = transport.port(port).tls(Tls::None).pool_config(pool).build();
    let (message, next) = (Arc::new(message), Arc::new(AtomicU64::new(0)));
    let (began, mut senders) = (Instant::now(), JoinSet::new());
    for _ in 0..connections {
        let (transport, message, next) = (transport.clone(), Arc::clone(&message), Arc::clone(&next));
        senders.spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= messages {
                    break;
                }
                let to: Address = format!("reader{n}@domain{}.example", n % 97).parse().unwrap();
                let envelope = Envelope::new("notes@example.org".parse().ok(), vec![to]).unwrap();
                transport.send_raw(&envelope, &message).await.unwrap();
            }
        });
    }
    while senders.join_next().await.is_some() {}
    println!("{:.0}", messages as f64 / began.elapsed().as_secs_f64());
}

async fn delay(port: u16, by: Duration) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    while let Ok((near, _)) = listener.accept().await {
        tokio::spawn(async move {
            let far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            near.set_nodelay(true).unwrap();
            far.set_nodelay(true).unwrap();
            let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
            tokio::join!(carry(from_near, to_far, by), carry(from_far, to_near, by));
        });
    }
}

/// Each piece leaves `by` after it came; any number are on their way.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, by: Duration) {
    let (pieces, mut arriving) = unbounded_channel::<(tokio::time::Instant, Vec<u8>)>();
    let leaving = async move {
        while let Some((at, piece)) = arriving.recv().await {
            tokio::time::sleep_until(at).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    let coming = async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            if pieces.send((tokio::time::Instant::now() + by, buffer[..length].to_vec())).is_err() {
                return;
            }
        }
    };
    tokio::join!(leaving, coming);
}
