//! The real program, run over a site, and what is asked of it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gazetted::config;
use gazetted::store;
use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::site::{PATIENCE, Site, site, text, until};

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Status and body of an answer.
pub fn ask(address: SocketAddr, request: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "{request} HTTP/1.0\r\nHost: blog.example.org\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

/// The JSON feed as it is served; `None` while there is none.
pub fn feed(address: SocketAddr) -> Option<Value> {
    let (status, body) = ask(address, "GET /feed.json", "")?;
    (status == 200).then(|| serde_json::from_str(&body).unwrap())
}

pub fn blog() -> Site {
    site().post("2021-04-05-april.md", text("April", "Rain.")).post("2021-05-05-may.md", text("May", "Sun."))
}

/// A store that came into being on that day, with two readers.
pub fn born(site: &Site, day: &str) {
    use gazetted::domain::subscriber::{Address, State};
    let url = config::load(&site.path("gazetted.toml")).config.store_url();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let store = store::open(&url, at(day)).await.unwrap();
        let new = ["ada@example.org", "grace@example.org"].map(|email| store::NewSubscriber {
            email: email.to_owned(),
            key: Address::parse(email).unwrap().key,
            name: None,
            state: State::Active,
            source: "test".to_owned(),
        });
        store.add_subscribers(&new, false, at(day)).await.unwrap();
    });
}

pub fn finished(site: &Site, count: usize) -> Value {
    until(&format!("{count} finished editions"), || {
        let list = site.json("digest list");
        let all = list.as_array().unwrap();
        (all.len() == count && all.iter().all(|e| e["state"] == "finished" || e["state"] == "skipped")).then_some(list)
    })
}

pub struct Program {
    child: Child,
    pub address: SocketAddr,
    log: Arc<Mutex<String>>,
}

pub fn spawn(site: &Site, listen: &str) -> Child {
    site.command(&["run", "--listen", listen]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

impl Program {
    pub fn start(site: &Site) -> Self {
        Self::start_at(site, "127.0.0.1:0")
    }

    pub fn start_at(site: &Site, listen: &str) -> Self {
        Self::of(spawn(site, listen))
    }

    /// A daemon that somebody else has started, its log on standard error.
    pub fn of(child: Child) -> Self {
        let (child, log) = logging(child);
        let address = until("the daemon to listen", || address_after("listening on http://", &log.lock().unwrap()));
        until("the first feed", || feed(address));
        Self { child, address, log }
    }

    /// One that listens elsewhere than at an address.
    pub fn elsewhere(child: Child) -> Self {
        let (child, log) = logging(child);
        let program = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)), log };
        program.until_logged("listening on ");
        program
    }

    /// Where the editors' pages and the operator's API are.
    pub fn admin(&self) -> SocketAddr {
        until("the editors' pages to listen", || {
            address_after("the editors' pages and the API listen on http://", &self.log())
        })
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub fn until_logged(&self, words: &str) {
        self.until_logged_times(words, 1);
    }

    pub fn until_logged_times(&self, words: &str, times: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.log().matches(words).count() < times {
            assert!(Instant::now() < deadline, "waited in vain for `{words}` in the log:\n{}", self.log());
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub fn exit(mut self, signal: Signal) -> Option<i32> {
        self.signal(signal);
        let child = &mut self.child;
        until("the daemon to end", || child.try_wait().unwrap()).code()
    }
}

/// Gathers what a program says on standard error.
fn logging(mut child: Child) -> (Child, Arc<Mutex<String>>) {
    let log = Arc::new(Mutex::new(String::new()));
    let (lines, into) = (BufReader::new(child.stderr.take().unwrap()).lines(), Arc::clone(&log));
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            into.lock().unwrap().push_str(&(line + "\n"));
        }
    });
    (child, log)
}

fn address_after(words: &str, log: &str) -> Option<SocketAddr> {
    log.split_once(words)?.1.split_whitespace().next()?.parse().ok()
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
