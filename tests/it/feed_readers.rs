//! Five readers that people use, on what the daemon serves: they see the same ids, titles, links and dates in all formats, and
//! are told at their second call that nothing has changed.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::daemon::Daemon;
use super::postgres::{everything_is_wanted, left_out};
use super::site::{Site, ran, site};

/// The daemon's files are of today, and it tells no date that is still to come: readers ask by dates, too.
const NOW: &str = "2030-01-01T00:00:00Z";
const FORMATS: [&str; 3] = ["feed.xml", "atom.xml", "feed.json"];

fn blog() -> Site {
    let post = |title: &str| {
        format!("---\ntitle: {title}\nauthor: Ada\ntags: [open source, Träffar]\n---\nText of *it*, [here](/x).\n")
    };
    site()
        .post("2021-01-05-plain.md", post("A plain title"))
        .post("2021-02-05-signs.md", post("'Tom & Jerry: a < b, \"c\" > d'"))
        .post("2021-03-05-scripts.md", post("Träffar på 日本 – it’s fine"))
        .post("2021-04-05-markup.md", post("Use the <b> element & ]]>"))
        .post(
            "2021-05-05-renamed.md",
            format!("---\nid: urn:uuid:0a1b2c3d\n{}", post("Own id").trim_start_matches("---\n")),
        )
}

/// What all of them are to see, from the JSON feed, which needs no reader.
fn expected(daemon: &Daemon) -> Vec<Value> {
    let (status, body) = super::daemon::ask(daemon.address, "GET /feed.json", "").unwrap();
    assert_eq!(status, 200);
    let feed: Value = serde_json::from_str(&body).unwrap();
    let entry = |item: &Value| {
        let date: jiff::Timestamp = item["date_published"].as_str().unwrap().parse().unwrap();
        json!([item["id"], item["title"], item["url"], date.as_second()])
    };
    let entries: Vec<Value> = feed["items"].as_array().unwrap().iter().map(entry).collect();
    assert_eq!(entries.len(), 5);
    assert!(entries.iter().any(|entry| entry[1] == "Tom & Jerry: a < b, \"c\" > d"), "{entries:?}");
    entries
}

/// Stands between a reader and the daemon, and writes down how each request was answered.
struct Between {
    address: SocketAddr,
    answers: Arc<Mutex<Vec<String>>>,
}

impl Between {
    fn new(daemon: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, answers) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let seen = Arc::clone(&answers);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (client, seen) = (stream.unwrap(), Arc::clone(&seen));
                std::thread::spawn(move || pass(client, daemon, &seen));
            }
        });
        Self { address, answers }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.answers.lock().unwrap())
    }
}

/// One request a connection: the answer's end is the connection's.
fn pass(mut client: TcpStream, daemon: SocketAddr, seen: &Mutex<Vec<String>>) {
    let mut server = TcpStream::connect(daemon).unwrap();
    let mut lines = BufReader::new(client.try_clone().unwrap()).lines();
    let mut head = String::new();
    for line in lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()) {
        if !line.to_lowercase().starts_with("connection:") {
            head += &format!("{line}\r\n");
        }
    }
    if head.is_empty() {
        return;
    }
    server.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).unwrap();
    let status = String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned();
    seen.lock().unwrap().push(format!("{} {status}", head.split(' ').nth(1).unwrap_or_default()));
    let _ = client.write_all(&answer);
    let _ = client.shutdown(Shutdown::Write);
}

fn has(program: &str) -> bool {
    Command::new(program).arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null()).status().is_ok()
}

#[expect(clippy::disallowed_methods, reason = "the command that runs everything says so in the environment")]
fn tool(variable: &str) -> Option<String> {
    let found = std::env::var(variable).ok();
    assert!(found.is_some() || !everything_is_wanted(), "{variable} is not set");
    found
}

#[test]
fn feedparser_sees_the_same_in_every_format_and_is_told_when_nothing_has_changed() {
    let Some(python) = tool("GAZETTED_TEST_PYTHON") else { return };
    let site = blog();
    let daemon = Daemon::start(&site, NOW);
    let addresses = ["feed.xml", "atom.xml"].map(|name| format!("http://{}/{name}", daemon.address));
    let read = ran(Command::new(python).arg("tests/readers/read.py").args(&addresses));
    assert_eq!(read.code, 0, "{}", read.err);
    for feed in read.json().as_array().unwrap() {
        assert_eq!(feed["entries"], json!(expected(&daemon)));
        assert_eq!(feed["again"], 304);
    }
    daemon.stop();
}

#[test]
fn rss_parser_and_feedsmith_see_the_same_in_every_format() {
    let Some(node) = tool("GAZETTED_TEST_NODE") else { return };
    let site = blog();
    let daemon = Daemon::start(&site, NOW);
    let files = FORMATS.map(|name| site.path("public").join(name));
    let read = ran(Command::new("node").args(["tests/readers/read.js", &format!("{node}/node_modules")]).args(&files));
    assert_eq!(read.code, 0, "{}", read.err);
    let read = read.json();
    assert_eq!(read.as_array().unwrap().len(), 5);
    for feed in read.as_array().unwrap() {
        assert_eq!(feed["entries"], json!(expected(&daemon)), "{}", feed["reader"]);
    }
    daemon.stop();
}

#[test]
fn sfeed_sees_the_same_in_both_xml_formats() {
    if !has("sfeed") {
        return left_out("sfeed");
    }
    let site = blog();
    let daemon = Daemon::start(&site, NOW);
    for name in ["feed.xml", "atom.xml"] {
        let file = std::fs::File::open(site.path("public").join(name)).unwrap();
        let read = ran(Command::new("sfeed").stdin(file));
        let line = |line: &str| {
            let fields: Vec<&str> = line.split('\t').collect();
            json!([fields[5], fields[1], fields[2], fields[0].parse::<i64>().unwrap()])
        };
        let entries: Vec<Value> = read.out.lines().map(line).collect();
        assert_eq!(json!(entries), json!(expected(&daemon)), "{name}");
    }
    daemon.stop();
}

#[test]
fn newsboat_sees_the_same_in_both_xml_formats_and_is_told_when_nothing_has_changed() {
    if !has("newsboat") {
        return left_out("newsboat");
    }
    let site = blog();
    let daemon = Daemon::start(&site, NOW);
    let between = Between::new(daemon.address);
    for name in ["feed.xml", "atom.xml"] {
        site.save("newsboat/urls", format!("http://{}/{name}\n", between.address));
        site.save("newsboat/config", "");
        let cache = site.path(&format!("newsboat/{name}.db"));
        let reload = || {
            let (urls, config) = (site.path("newsboat/urls"), site.path("newsboat/config"));
            let mut command = Command::new("newsboat");
            command.arg("-u").arg(urls).arg("-C").arg(config).arg("-c").arg(&cache).args(["-x", "reload"]);
            assert_eq!(ran(command.env("HOME", site.path("newsboat"))).code, 0);
        };
        reload();
        assert_eq!(between.take(), [format!("/{name} HTTP/1.1 200 OK")]);
        // This version keeps the marks of a feed only if it knew the feed before.
        reload();
        between.take();
        reload();
        assert_eq!(between.take(), [format!("/{name} HTTP/1.1 304 Not Modified")]);
        assert_eq!(json!(kept(&cache)), json!(expected(&daemon)), "{name}");
    }
    daemon.stop();
}

/// What newsboat has in its cache, newest first.
fn kept(cache: &std::path::Path) -> Vec<Value> {
    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{ConnectOptions as _, Row as _};
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut database = SqliteConnectOptions::new().filename(cache).connect().await.unwrap();
        let rows = sqlx::query("SELECT guid, title, url, pubDate FROM rss_item ORDER BY pubDate DESC");
        let rows = rows.fetch_all(&mut database).await.unwrap();
        let entry = |row: &sqlx::sqlite::SqliteRow| {
            let (id, title, url): (String, String, String) = (row.get("guid"), row.get("title"), row.get("url"));
            json!([id, title, url, row.get::<i64, _>("pubDate")])
        };
        rows.iter().map(entry).collect()
    })
}
