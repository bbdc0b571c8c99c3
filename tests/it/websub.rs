//! Hubs that are told of changes, and the daemon as a hub: with the daemon in this process, and hubs, hosts and subscribers on
//! loopback.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use gazetted::domain::hash;
use gazetted::domain::websub::{self, Mode};
use gazetted::store::{self, HubLimits, HubRequest, Requested, SharedStore};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::daemon::{Daemon, ask, at, blog, until_served};
use super::site::{LEAST, Site, text, until};

/// A request as a server here has got it: its first line, its head in lower case, its body.
#[derive(Clone)]
struct Call {
    line: String,
    head: String,
    body: String,
}

impl Call {
    fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    fn query(&self) -> HashMap<String, String> {
        let query = self.path().split_once('?').map_or("", |(_, query)| query);
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }
}

type Calls = Arc<Mutex<Vec<Call>>>;

fn count(calls: &Calls) -> usize {
    calls.lock().unwrap().len()
}

/// A server that answers by status and body.
fn serve(answer: impl Fn(&Call) -> (u16, Vec<u8>) + Send + 'static) -> (String, Calls) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let calls = Calls::default();
    let seen = Arc::clone(&calls);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let lines: Vec<String> =
                reader.by_ref().lines().map(Result::unwrap).take_while(|l| !l.is_empty()).collect();
            let head = lines.join("\n").to_lowercase();
            let length =
                head.lines().find_map(|l| l.strip_prefix("content-length: ")).map_or(0, |l| l.parse().unwrap());
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let call = Call { line: lines[0].clone(), head, body: String::from_utf8(body).unwrap() };
            let (status, body) = answer(&call);
            let (length, tag) = (body.len(), etag(&body));
            let head =
                format!("HTTP/1.1 {status} X\r\nConnection: close\r\nETag: {tag}\r\nContent-Length: {length}\r\n\r\n");
            reader.get_mut().write_all(&[head.as_bytes(), &body].concat()).unwrap();
            seen.lock().unwrap().push(call);
        }
    });
    (address, calls)
}

fn etag(body: &[u8]) -> String {
    format!("\"{:x}\"", hash::of(body))
}

/// A server that takes every call and never answers, for as long as the streams are kept.
fn hang() -> (String, Arc<Mutex<Vec<TcpStream>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let streams = Arc::<Mutex<Vec<TcpStream>>>::default();
    let taken = Arc::clone(&streams);
    std::thread::spawn(move || listener.incoming().for_each(|stream| taken.lock().unwrap().push(stream.unwrap())));
    (address, streams)
}

/// Ends so many calls, as they come.
fn hang_up(streams: &Mutex<Vec<TcpStream>>, calls: usize) {
    let mut ended = 0;
    until("the calls that hang", || {
        ended += streams.lock().unwrap().drain(..).count();
        (ended >= calls).then_some(())
    });
}

fn with_store<T>(site: &Site, work: impl AsyncFnOnce(SharedStore) -> T) -> T {
    let url = format!("sqlite:{}", site.path("gazetted.db").display());
    let now = at("2021-05-10T00:00:00Z");
    Runtime::new().unwrap().block_on(async { work(store::open(&url, now).await.unwrap()).await })
}

/// Waits while the daemon's minutes pass: what it puts off it may put off from now, and a clock that stands would never get there.
fn as_time_goes_by(daemon: &Daemon, what: &str, happened: impl Fn() -> bool) {
    until(what, || {
        let clock = daemon.clock.as_ref() as &dyn gazetted::clock::Clock;
        daemon.clock.set(clock.now() + jiff::SignedDuration::from_secs(10));
        happened().then_some(())
    });
}

/// One feed, so that every call is about it.
const ONE_FEED: &str = "formats = [\"json\"]\ntags = false\nauthors = false\ncategories = false\n";

#[test]
fn a_hub_is_told_when_everybody_gets_the_new_version_and_not_before() {
    let deployed: Arc<Mutex<Option<Vec<u8>>>> = Arc::default();
    let files = Arc::clone(&deployed);
    let (public, looks) = serve(move |_| files.lock().unwrap().clone().map_or((404, Vec::new()), |bytes| (200, bytes)));
    let answers = Mutex::new(vec![202, 503]);
    let (hub, pings) = serve(move |_| (answers.lock().unwrap().pop().unwrap_or(500), Vec::new()));
    let site = blog();
    site.save("gazetted.toml", format!("{LEAST}[feeds]\nurl = \"{public}\"\nhubs = [\"{hub}/\"]\n{ONE_FEED}"));
    let daemon = Daemon::start(&site, "2021-05-10T10:00:00Z");
    let topic = format!("{public}/feed.json");
    let feed = until_served(daemon.address, "May");
    assert_eq!((&feed["hubs"][0]["url"], &feed["feed_url"]), (&Value::from(format!("{hub}/")), &Value::from(&*topic)));
    site.save("_posts/2021-05-06-new.md", text("New", "Fresh."));
    until_served(daemon.address, "New");
    until("a look at the public address", || (count(&looks) >= 1).then_some(()));
    // The host still has the version before.
    *deployed.lock().unwrap() = Some(b"{}".to_vec());
    as_time_goes_by(&daemon, "another look", || count(&looks) >= 2);
    daemon.stop();
    assert_eq!(count(&pings), 0, "told before everybody could see it");
    // A daemon that starts later goes on.
    *deployed.lock().unwrap() = Some(site.read("public/feed.json").into_bytes());
    let daemon = Daemon::start(&site, "2021-05-10T20:00:00Z");
    until("the hub to be told", || (count(&pings) >= 1).then_some(()));
    as_time_goes_by(&daemon, "the hub to be told again, as it was broken", || count(&pings) >= 2);
    daemon.stop();
    let pings = pings.lock().unwrap();
    assert!(pings.iter().all(|ping| ping.line.starts_with("POST / ") && ping.body == websub::ping(&topic)));
    let left = with_store(&site, async |store| {
        let far = at("2031-01-01T00:00:00Z");
        store.claim_announcements(&format!("{hub}/"), 10, far, far).await.unwrap()
    });
    assert_eq!(left, [], "told once");
}

#[test]
fn a_hub_that_hangs_keeps_no_other_waiting() {
    let site = blog();
    let files = site.path("public");
    let (public, looks) = serve(move |call| (200, std::fs::read(files.join(&call.path()[1..])).unwrap_or_default()));
    let (silent, streams) = hang();
    let (good, pings) = serve(|_| (204, Vec::new()));
    let feeds = "tags = false\nauthors = false\ncategories = false\n";
    let hubs = format!("hubs = [\"{silent}/\", \"{good}/\"]");
    site.save("gazetted.toml", format!("{LEAST}[feeds]\nurl = \"{public}\"\n{hubs}\n{feeds}"));
    let daemon = Daemon::start(&site, "2021-05-10T10:00:00Z");
    until_served(daemon.address, "May");
    site.save("_posts/2021-05-06-new.md", text("New", "Fresh."));
    until("the good hub to be told of all three feeds", || (count(&pings) >= 3).then_some(()));
    assert!(streams.lock().unwrap().len() <= 1, "one call to the one that hangs");
    assert!(count(&looks) <= 3, "each feed is looked at once for both");
    hang_up(&streams, 3);
    daemon.stop();
}

#[test]
fn a_version_that_is_taken_back_is_the_one_that_everybody_has() {
    let deployed: Arc<Mutex<Vec<u8>>> = Arc::default();
    let files = Arc::clone(&deployed);
    let (public, looks) = serve(move |call| {
        let bytes = files.lock().unwrap().clone();
        if call.header("if-none-match") == Some(&*etag(&bytes)) { (304, Vec::new()) } else { (200, bytes) }
    });
    let (hub, pings) = serve(|_| (204, Vec::new()));
    let site = blog();
    site.save("gazetted.toml", format!("{LEAST}[feeds]\nurl = \"{public}\"\nhubs = [\"{hub}/\"]\n{ONE_FEED}"));
    let daemon = Daemon::start(&site, "2021-05-10T10:00:00Z");
    until_served(daemon.address, "May");
    *deployed.lock().unwrap() = site.read("public/feed.json").into_bytes();
    site.save("_posts/2021-05-06-new.md", text("New", "Fresh."));
    until("a look at the public address", || (count(&looks) >= 1).then_some(()));
    daemon.clock.set(at("2021-05-10T10:00:06Z"));
    site.remove("_posts/2021-05-06-new.md");
    until("the hub to be told", || (count(&pings) >= 1).then_some(()));
    daemon.stop();
    assert_eq!(site.read("public/feed.json").as_bytes(), *deployed.lock().unwrap());
}

const TOPIC: &str = "https://blog.example.org/feed.json";

fn form(callback: &str, mode: &str, secret: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("hub.mode", mode)
        .append_pair("hub.topic", TOPIC)
        .append_pair("hub.callback", callback)
        .append_pair("hub.secret", secret)
        .finish()
}

/// Whether the store still has a subscription of this callback.
fn is_subscribed(site: &Site, callback: &str) -> bool {
    let request = HubRequest {
        path: "feed.json".into(),
        callback: callback.into(),
        host: String::new(),
        mode: Mode::Unsubscribe,
        lease_seconds: 0,
        secret: None,
    };
    let limits = HubLimits { host: 0, all: 0 };
    let now = at("2021-05-10T00:00:00Z");
    with_store(site, async |store| store.request_hub(&request, limits, now).await.unwrap()) == Requested::Kept
}

#[test]
fn subscribers_of_the_own_hub_get_each_version_signed() {
    // Confirms what it is asked, but for what is asked at `/forged`; is gone after two versions.
    let versions = Mutex::new(0);
    let (subscriber, calls) = serve(move |call| {
        if call.line.starts_with("GET") {
            let challenge = call.query().remove("hub.challenge").unwrap();
            return (200, if call.path().starts_with("/forged") { b"no".to_vec() } else { challenge.into_bytes() });
        }
        let mut versions = versions.lock().unwrap();
        *versions += 1;
        (if *versions > 2 { 410 } else { 204 }, Vec::new())
    });
    let site = blog();
    site.save("gazetted.toml", format!("{LEAST}[feeds]\nhub = true\nhub_private = true\n{ONE_FEED}"));
    let daemon = Daemon::start(&site, "2021-05-10T10:00:00Z");
    let asked = |path: &str| {
        let named = |call: &&Call| call.line.starts_with("GET") && call.path().starts_with(path);
        calls.lock().unwrap().iter().filter(named).cloned().collect::<Vec<_>>()
    };
    let got = || calls.lock().unwrap().iter().filter(|c| c.line.starts_with("POST")).cloned().collect::<Vec<_>>();
    let good = format!("{subscriber}/good?x=1");
    let post = |callback: &str, mode: &str, secret: &str| {
        ask(daemon.address, "POST /hub", &form(callback, mode, secret)).unwrap().0
    };
    assert_eq!(post(&good, "subscribe", "old"), 202);
    until("the callback to be asked", || (asked("/good").len() == 1).then_some(()));
    // Again, with another secret: once it is asked, the answer before has been kept.
    assert_eq!(post(&good, "subscribe", "hush"), 202);
    until("the callback to be asked again", || (asked("/good").len() == 2).then_some(()));
    let question = asked("/good")[1].query();
    assert_eq!((&*question["hub.mode"], &*question["hub.topic"], &*question["x"]), ("subscribe", TOPIC, "1"));
    assert_eq!(question["hub.lease_seconds"], "864000");
    assert_eq!(post(&format!("{subscriber}/forged"), "subscribe", ""), 202);
    until("the forged one to be asked", || (asked("/forged").len() == 1).then_some(()));
    site.save("_posts/2021-05-06-new.md", text("New", "Fresh."));
    let call = until("the new version", || got().into_iter().next());
    assert_eq!(call.body, site.read("public/feed.json"));
    assert!(call.body.contains("New"));
    assert_eq!(call.header("x-hub-signature"), Some(&*websub::signature("hush", call.body.as_bytes())));
    assert_eq!(call.header("content-type"), Some("application/feed+json"));
    let links = format!("<https://blog.example.org/hub>; rel=\"hub\", <{TOPIC}>; rel=\"self\"");
    assert_eq!(call.header("link"), Some(&*links));
    site.save("_posts/2021-05-07-next.md", text("Next", "Fresh."));
    until("the next version", || (got().len() == 2).then_some(()));
    // Somebody else says that it wants to leave.
    assert_eq!(post(&format!("{subscriber}/never"), "unsubscribe", ""), 202);
    site.save("_posts/2021-05-08-last.md", text("Last", "Fresh."));
    until("the last version", || (got().len() == 3).then_some(()));
    daemon.stop();
    assert!(!is_subscribed(&site, &good), "it said that it is gone");
    assert!(!is_subscribed(&site, &format!("{subscriber}/forged")));
    assert_eq!(asked("/never").len(), 0, "there was nothing to be ended");
}

/// Callbacks, each with its host, that have confirmed before, and have no version yet.
fn subscribed(site: &Site, path: &str, callbacks: impl IntoIterator<Item = (String, &'static str)>) {
    let now = at("2021-05-10T10:00:00Z");
    with_store(site, async |store| {
        for (callback, host) in callbacks {
            let (path, host, limits) = (path.into(), host.into(), HubLimits { host: 99, all: 99 });
            let (mode, lease_seconds) = (Mode::Subscribe, 864_000);
            let request = HubRequest { path, callback, host, mode, lease_seconds, secret: None };
            store.request_hub(&request, limits, now).await.unwrap();
            let question = store.claim_question(&[], now, now).await.unwrap().unwrap();
            store.confirm_hub(&question, 0, now).await.unwrap();
        }
    });
}

#[test]
fn callbacks_that_hang_keep_no_other_waiting() {
    let (silent, streams) = hang();
    let (good, calls) = serve(|_| (204, Vec::new()));
    let site = blog();
    site.save("gazetted.toml", format!("{LEAST}[feeds]\nhub = true\nhub_private = true\n{ONE_FEED}"));
    let hanging = (0..20).map(|n| (format!("{silent}/{n}"), "127.0.0.1"));
    // Another host than the one that hangs.
    subscribed(&site, "feed.json", hanging.chain([(good.replace("127.0.0.1", "localhost"), "localhost")]));
    let daemon = Daemon::start(&site, "2021-05-10T10:00:00Z");
    until("the good one to get the version", || (count(&calls) == 1).then_some(()));
    assert!(streams.lock().unwrap().len() <= 3, "few calls at a time to one host");
    until("the others to be called", || (streams.lock().unwrap().len() == 3).then_some(()));
    // Whoever asks is asked back, whatever deliveries there are.
    assert_eq!(ask(daemon.address, "POST /hub", &form(&good, "subscribe", "")).unwrap().0, 202);
    until("the new one to be asked", || (count(&calls) == 2).then_some(()));
    hang_up(&streams, 20);
    daemon.stop();
}

#[test]
fn a_feed_that_moves_takes_its_subscribers_along() {
    let (subscriber, calls) = serve(|_| (204, Vec::new()));
    let site = blog();
    let config = format!("{LEAST}[feeds]\nhub = true\nhub_private = true\n");
    site.save("gazetted.toml", &config);
    subscribed(&site, "feed.xml", [(subscriber, "127.0.0.1")]);
    let daemon = Daemon::start(&site, "2021-05-10T10:00:00Z");
    until("the version at the old address", || (count(&calls) == 1).then_some(()));
    daemon.stop();
    site.save("gazetted.toml", format!("{config}rss = \"news.xml\"\n"));
    let daemon = Daemon::start(&site, "2021-05-10T10:00:00Z");
    until("the version at the new address", || (count(&calls) == 2).then_some(()));
    daemon.stop();
    let moved = calls.lock().unwrap().pop().unwrap();
    assert!(moved.header("link").unwrap().contains("<https://blog.example.org/news.xml>"), "{}", moved.head);
    assert_eq!(moved.body, site.read("public/news.xml"));
}

#[test]
fn a_subscription_that_is_not_renewed_is_forgotten() {
    let (subscriber, calls) =
        serve(|call| (200, call.query().remove("hub.challenge").unwrap_or_default().into_bytes()));
    let site = blog();
    site.save("gazetted.toml", format!("{LEAST}[feeds]\nhub = true\nhub_private = true\n{ONE_FEED}"));
    let daemon = Daemon::start(&site, "2021-05-10T10:00:00Z");
    for path in ["/a", "/b"] {
        let (status, _) =
            ask(daemon.address, "POST /hub", &form(&format!("{subscriber}{path}"), "subscribe", "")).unwrap();
        assert_eq!(status, 202);
        until("the callback to be asked", || {
            calls.lock().unwrap().iter().any(|c| c.path().starts_with(path)).then_some(())
        });
    }
    daemon.clock.set(at("2021-05-21T10:00:00Z"));
    site.save("_posts/2021-05-06-new.md", text("New", "Fresh."));
    until_served(daemon.address, "New");
    daemon.stop();
    assert!(!is_subscribed(&site, &format!("{subscriber}/a")));
    assert!(calls.lock().unwrap().iter().all(|call| call.line.starts_with("GET")));
}

#[test]
fn a_hub_refuses_what_is_not_its_own_and_never_calls_home() {
    let site = blog();
    site.save("gazetted.toml", format!("{LEAST}[feeds]\nhub = true\n{ONE_FEED}"));
    let daemon = Daemon::start(&site, "2021-05-10T10:00:00Z");
    let good = form("https://reader.example/", "subscribe", "");
    for (body, status, words) in [
        (form("http://127.0.0.1:1/", "subscribe", ""), 400, "public internet"),
        (form("http://[::1]/", "subscribe", ""), 400, "public internet"),
        (form("http://0x7f.1/", "subscribe", ""), 400, "public internet"),
        (form("http://localhost/", "subscribe", ""), 400, "public internet"),
        (form("https://reader.example/", "publish", ""), 400, "hub.mode"),
        (form("ftp://reader.example/", "subscribe", ""), 400, "hub.callback"),
        (form("https://reader.example/", "subscribe", &"x".repeat(200)), 400, "hub.secret"),
        (good.replace("blog.example.org", "other.example"), 404, "none of the feeds"),
        (good.replace("feed.json", "feeds.opml"), 404, "none of the feeds"),
        (good, 202, "asked"),
    ] {
        let (got, said) = ask(daemon.address, "POST /hub", &body).unwrap();
        assert!(got == status && said.contains(words), "{body}: {got} {said}");
    }
    assert_eq!(ask(daemon.address, "GET /hub", "").unwrap().0, 405);
    daemon.stop();
    let site = blog();
    let daemon = Daemon::start(&site, "2021-05-10T10:00:00Z");
    assert_eq!(ask(daemon.address, "POST /hub", "").unwrap().0, 404, "it is off");
    daemon.stop();
}
