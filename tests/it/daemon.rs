//! The daemon as its operator, its writers and its readers meet it: in this process with a clock that obeys, and as the
//! real program with signals.

use std::collections::BTreeSet;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gazetted::clock::ManualClock;
use gazetted::config;
use gazetted::daemon::service::{self, Options};
use gazetted::daemon::serving::Doors;
use gazetted::store;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use super::program::{Program, ask, at, blog, born, finished};
use super::program::{feed, spawn};
use super::site::{LEAST, PATIENCE, Site, site, text, until};

const BEAT: Duration = Duration::from_millis(20);

fn titles(feed: &Value) -> BTreeSet<String> {
    feed["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

pub fn until_served(address: SocketAddr, title: &str) -> Value {
    until(&format!("`{title}` in the feed"), || feed(address).filter(|feed| titles(feed).contains(title)))
}

/// A daemon in this process.
pub struct Daemon {
    runtime: Runtime,
    pub clock: Arc<ManualClock>,
    pub address: SocketAddr,
    /// Where the editors' pages are, if `http.admin` is anything.
    pub desk: Option<SocketAddr>,
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
    _reload: UnboundedSender<()>,
}

impl Daemon {
    pub fn start(site: &Site, now: &str) -> Self {
        let loaded = config::load(&site.path("gazetted.toml"));
        assert!(loaded.is_usable(), "{:?}", loaded.problems);
        let config = Arc::new(loaded.config);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let (clock, stop) = (ManualClock::at(at(now)), CancellationToken::new());
        let (store, listener) = runtime.block_on(async {
            (
                store::open(&config.store_url(), at(now)).await.unwrap(),
                tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap(),
            )
        });
        let address = listener.local_addr().unwrap();
        let mut doors = Doors::from(listener);
        let mut desk = None;
        if !config.http.admin.is_empty() {
            let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
            desk = Some(listener.local_addr().unwrap());
            doors.admin.push(listener.into());
        }
        let (reloads, reload) = unbounded_channel();
        let options = Options {
            config,
            store,
            clock: Arc::<ManualClock>::clone(&clock),
            doors,
            config_file: None,
            heartbeat: Some(BEAT),
            reload,
            stop: stop.clone(),
        };
        let task = runtime.spawn(service::run(options));
        until("the first feed", || feed(address));
        Self { runtime, clock, address, desk, stop, task, _reload: reloads }
    }

    pub fn stop(self) {
        self.stop.cancel();
        self.runtime.block_on(self.task).unwrap().unwrap();
    }

    /// Lets the heart beat once or twice.
    pub fn beat(&self) {
        let started = Instant::now();
        while started.elapsed() < BEAT * 3 {
            assert!(feed(self.address).is_some());
        }
    }

    /// Lets the heart beat a few times.
    pub fn beats(&self) {
        let (started, mut asked) = (Instant::now(), 0);
        while started.elapsed() < BEAT * 10 {
            asked += usize::from(feed(self.address).is_some());
        }
        assert!(asked > 0);
    }
}

#[expect(clippy::disallowed_methods, reason = "an editor's save is what is tried")]
fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

// What is saved, and how.

#[test]
fn feeds_whose_files_somebody_has_removed_are_put_back_when_a_reader_asks() {
    let site = blog();
    let daemon = Program::start(&site);
    until("the feed", || feed(daemon.address));
    std::fs::remove_dir_all(site.path("public")).unwrap();
    // From memory, or in a moment: never as if there had been none.
    let (status, _) = ask(daemon.address, "GET /tags/rust/feed.json", "").unwrap();
    assert_eq!(status, 404, "there is no such feed");
    let (status, _) = ask(daemon.address, "GET /feed.xml", "").unwrap();
    assert!(matches!(status, 200 | 503), "{status}");
    daemon.until_logged("are put back");
    until("the files", || {
        ["feed.xml", "feed.json", "feeds.opml"].iter().all(|name| site.exists(&format!("public/{name}"))).then_some(())
    });
    assert_eq!(ask(daemon.address, "GET /feed.xml", "").unwrap().0, 200);
}

#[test]
fn feeds_that_nobody_asks_for_are_put_back_with_the_next_heartbeat() {
    let site = blog();
    let daemon = Daemon::start(&site, "2021-05-10T00:00:00Z");
    site.remove("public/atom.xml");
    until("the file", || site.exists("public/atom.xml").then_some(()));
    daemon.stop();
}

#[test]
fn a_saved_post_is_served_soon_after() {
    let site = blog();
    let daemon = Daemon::start(&site, "2021-05-10T00:00:00Z");
    let mut worst = Duration::ZERO;
    for n in 0..5 {
        let saved = Instant::now();
        write(&site.path(&format!("_posts/2021-05-06-new-{n}.md")), &text(&format!("New {n}"), "Fresh."));
        until_served(daemon.address, &format!("New {n}"));
        worst = worst.max(saved.elapsed());
    }
    println!("from save to feed: {worst:?} at most");
    assert!(worst < Duration::from_secs(5), "{worst:?}");
    site.remove("_posts/2021-05-06-new-0.md");
    until("the deleted post to go", || feed(daemon.address).filter(|feed| !titles(feed).contains("New 0")));
    daemon.stop();
}

#[test]
fn a_post_that_grows_drives_no_other_out_of_all_documents() {
    let long = |n: u8, times: usize| text(&format!("Long {n}"), &"Wood is measured twice and cut once. ".repeat(times));
    let posts = |site: Site, n: u8| site.post(&format!("2021-05-0{n}-long.md"), long(n, 1_500));
    let site = (1..=4).fold(site(), posts);
    let daemon = Daemon::start(&site, "2021-05-10T00:00:00Z");
    assert!(site.read("public/atom.xml").contains("<fh:complete") && !site.exists("public/archive"));
    write(&site.path("_posts/2021-05-04-long.md"), &long(4, 4_000));
    let archive =
        until("the archive", || ask(daemon.address, "GET /archive/1/atom.xml", "").filter(|got| got.0 == 200));
    assert!(archive.1.contains("Long 1"), "{}", archive.1);
    let shown = titles(&until_served(daemon.address, "Long 4"));
    assert!(!shown.contains("Long 1"), "{shown:?}");
    assert!(site.read("public/atom.xml").contains("prev-archive"));
    daemon.stop();
    assert_eq!(site.json("build")["files_written"], 0, "a whole pass finds nothing left to do");
}

#[test]
fn an_expiry_that_is_saved_into_a_post_is_kept() {
    let site = site();
    let hugo = "[site]\ntitle = \"Notes\"\nurl = \"https://blog.example.org\"\n[posts]\ndir = \"content/posts\"\nformat = \"hugo\"\n";
    site.save("gazetted.toml", hugo);
    let post = |title: &str, more: &str| format!("---\ntitle: {title}\ndate: 2021-05-01\n{more}---\nWords.\n");
    site.save("content/posts/stays.md", post("Stays", ""));
    site.save("content/posts/goes.md", post("Goes", ""));
    let daemon = Daemon::start(&site, "2021-05-10T00:00:00Z");
    write(
        &site.path("content/posts/goes.md"),
        &post("Goes", "expiryDate: 2021-05-10T01:00:00Z\n").replace("Words", "New words"),
    );
    until("the save", || feed(daemon.address).filter(|feed| feed.to_string().contains("New words")));
    daemon.clock.set(at("2021-05-10T01:00:00Z"));
    until("the post to go", || feed(daemon.address).filter(|feed| !titles(feed).contains("Goes")));
    daemon.stop();
}

/// A post whose every part says which version it is.
fn version(n: usize) -> String {
    let lines = format!("version {n:06} of this line, as long as lines are\n").repeat(400);
    text(&format!("Saved {n:06}"), &lines)
}

/// The one version a served entry is made of; fails if there are several, or a part is missing.
fn whole(feed: &Value) -> String {
    let mut items = feed["items"].as_array().unwrap().iter();
    let item = items
        .find(|item| item["title"].as_str().unwrap().starts_with("Saved"))
        .expect("a post is gone while it is saved");
    let title = item["title"].as_str().unwrap().trim_start_matches("Saved ").to_owned();
    let html = item["content_html"].as_str().unwrap();
    let seen: Vec<&str> = html.split("version ").skip(1).map(|rest| &rest[..6]).collect();
    assert_eq!(seen.len(), 400, "a version is served in part");
    assert!(seen.iter().all(|n| *n == title), "versions {:?} in {title}", seen.iter().collect::<BTreeSet<_>>());
    title
}

/// Half the text now, the rest a little later.
fn slowly(file: &mut std::fs::File, text: &str) {
    let (first, second) = text.split_at(text.len() / 2);
    file.write_all(first.as_bytes()).unwrap();
    std::thread::park_timeout(Duration::from_millis(10));
    file.write_all(second.as_bytes()).unwrap();
}

fn truncate_and_write(path: &Path, text: &str) {
    slowly(&mut std::fs::File::create(path).unwrap(), text);
}

fn rename_into_place(path: &Path, text: &str) {
    let half = path.with_extension("md.tmp");
    truncate_and_write(&half, text);
    std::fs::rename(half, path).unwrap();
}

fn move_away_and_write(path: &Path, text: &str) {
    let backup = path.with_extension("md~");
    let _ = std::fs::rename(path, backup);
    truncate_and_write(path, text);
}

fn in_place(path: &Path, text: &str) {
    let mut file = std::fs::File::options().write(true).create(true).truncate(false).open(path).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    slowly(&mut file, text);
}

/// Twenty saves a second until told to stop; returns how many.
fn writer(save: fn(&Path, &str), path: &Path, done: &AtomicBool) -> usize {
    let mut n = 1;
    while !done.load(Ordering::SeqCst) {
        save(path, &version(n));
        n += 1;
        std::thread::park_timeout(Duration::from_millis(40));
    }
    n
}

fn never_torn(save: fn(&Path, &str)) {
    let site = blog().post("2021-05-07-saved.md", version(0));
    let daemon = Daemon::start(&site, "2021-05-10T00:00:00Z");
    let (path, done) = (site.path("_posts/2021-05-07-saved.md"), AtomicBool::new(false));
    let (mut seen, mut polls) = (BTreeSet::new(), 0);
    std::thread::scope(|scope| {
        let saving = scope.spawn(|| writer(save, &path, &done));
        let started = Instant::now();
        let torn = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            while started.elapsed() < Duration::from_secs(3) {
                seen.extend(feed(daemon.address).as_ref().map(whole));
                polls += 1;
            }
        }));
        done.store(true, Ordering::SeqCst);
        let saves = saving.join().unwrap();
        if let Err(torn) = torn {
            std::panic::resume_unwind(torn);
        }
        println!("{saves} saves, {polls} polls, {} versions served", seen.len());
        until("the last version", || {
            feed(daemon.address).map(|f| whole(&f)).filter(|v| *v == format!("{:06}", saves - 1))
        });
    });
    daemon.stop();
}

#[test]
fn a_post_that_is_truncated_and_written_is_never_served_torn() {
    never_torn(truncate_and_write);
}

#[test]
fn a_post_that_is_renamed_into_place_is_never_served_torn() {
    never_torn(rename_into_place);
}

#[test]
fn a_post_that_is_moved_away_and_written_anew_is_never_served_torn() {
    never_torn(move_away_and_write);
}

#[test]
fn a_post_that_is_written_in_place_is_never_served_torn() {
    never_torn(in_place);
}

#[test]
fn a_post_that_breaks_keeps_its_last_good_version() {
    let site = blog();
    let daemon = Daemon::start(&site, "2021-05-10T00:00:00Z");
    write(&site.path("_posts/2021-05-05-may.md"), "---\ntitle: [never closed\n---\nx\n");
    write(&site.path("_posts/2021-05-06-next.md"), &text("Next", "Words."));
    let feed = until_served(daemon.address, "Next");
    assert!(titles(&feed).contains("May"), "{feed:#}");
    assert!(feed.to_string().contains("Sun."));
    write(&site.path("_posts/2021-05-05-may.md"), &text("May again", "Sun."));
    until_served(daemon.address, "May again");
    daemon.stop();
}

#[test]
fn a_directory_that_vanishes_while_the_daemon_runs_leaves_the_feeds_alone() {
    let mut site = blog();
    for day in 10..16 {
        site = site.post(&format!("2021-04-{day}-post.md"), text(&format!("Day {day}"), "Words."));
    }
    let daemon = Daemon::start(&site, "2021-05-10T00:00:00Z");
    site.rename("_posts", "away");
    daemon.clock.set(at("2021-05-10T01:00:00Z"));
    daemon.beats();
    assert_eq!(titles(&feed(daemon.address).unwrap()).len(), 8);
    site.rename("away", "_posts");
    site.save("_posts/2021-05-06-back.md", text("Back", "Words."));
    until("the directory to be read again", || {
        let now = daemon.clock.as_ref() as &dyn gazetted::clock::Clock;
        daemon.clock.set(now.now() + jiff::SignedDuration::from_mins(6));
        feed(daemon.address).filter(|feed| titles(feed).contains("Back"))
    });
    daemon.stop();
}

#[test]
fn a_folder_that_leaves_takes_its_posts_along() {
    let site = blog().post("old.years/2021-05-06-left.md", text("Left", "Words."));
    let daemon = Daemon::start(&site, "2021-05-10T00:00:00Z");
    until_served(daemon.address, "Left");
    site.rename("_posts/old.years", "left");
    until("the folder to be missed", || feed(daemon.address).filter(|feed| !titles(feed).contains("Left")));
    daemon.stop();
}

#[test]
fn a_post_that_is_taken_back_is_gone_everywhere() {
    let site = blog().config("[feeds]\ntombstones = true\n");
    site.save("_posts/2021-05-07-secret.md", text("Secret", "Oh."));
    let daemon = Daemon::start(&site, "2021-05-10T00:00:00Z");
    let entry = until_served(daemon.address, "Secret")["items"][0].clone();
    let page = entry["url"].as_str().unwrap().trim_start_matches("https://blog.example.org");
    assert_eq!(ask(daemon.address, &format!("GET {page}"), "").unwrap().0, 404, "the blog's own server has the page");
    site.save("_posts/2021-05-07-secret.md", "---\ntitle: Secret\npublished: false\n---\nOh.\n");
    until("the post to be gone", || feed(daemon.address).filter(|feed| !titles(feed).contains("Secret")));
    until("its page to be gone", || {
        ask(daemon.address, &format!("GET {page}"), "").filter(|(status, _)| *status == 410)
    });
    let (_, atom) = ask(daemon.address, "GET /atom.xml", "").unwrap();
    assert!(atom.contains(&format!("ref=\"{}\"", entry["id"].as_str().unwrap())), "{atom}");
    assert!(atom.contains("<at:deleted-entry") && !atom.contains("Oh."), "{atom}");
    daemon.stop();
}

#[test]
fn a_post_s_audio_is_served_whole_and_in_ranges() {
    let site = blog().post("2021-05-07-talk.md", "---\ntitle: Talk\naudio: /audio/talk.mp3\n---\nListen.\n");
    site.save("audio/talk.mp3", "0123456789");
    site.save("audio/other.mp3", "secret");
    let daemon = Daemon::start(&site, "2021-05-10T00:00:00Z");
    let (status, body) = ask(daemon.address, "GET /audio/talk.mp3", "").unwrap();
    assert_eq!((status, body.as_str()), (200, "0123456789"));
    assert_eq!(ask(daemon.address, "GET /audio/other.mp3", "").unwrap().0, 404, "no post names it");
    for (range, status, part) in [("2-4", 206, "234"), ("-3", 206, "789"), ("20-", 416, "")] {
        let mut stream = TcpStream::connect(daemon.address).unwrap();
        let request = format!("GET /audio/talk.mp3 HTTP/1.0\r\nRange: bytes={range}\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.0 {status}")) || answer.contains(&format!(" {status} ")),
            "{answer}"
        );
        assert!(answer.ends_with(&format!("\r\n\r\n{part}")) || status == 416, "{answer}");
    }
    let head = raw(daemon.address, "/audio/talk.mp3").unwrap().to_lowercase();
    assert!(head.contains("accept-ranges: bytes") && head.contains("content-type: audio/mpeg\r\n"), "{head}");
    daemon.stop();
}

#[test]
fn no_post_gives_away_what_is_not_made_for_readers() {
    let files =
        ["/gazetted.db", "/gazetted.db-wal", "/gazetted.toml", "/etc/hostname", "/store.mp3", "/talk.mp3", "/a.pdf"];
    let mut site = blog();
    for (day, file) in files.iter().enumerate() {
        let front = format!("title: P{day}\nenclosure: {{url: {file}, type: text/html, length: 5}}\n");
        site = site.post(&format!("2021-05-0{}-p.md", day + 1), format!("---\n{front}---\nText {day}.\n"));
    }
    site.ok("subscribers add ada@example.org");
    site.save("talk.mp3", "sound");
    site.save("a.pdf", "<p>paper</p>");
    symlink(site.path("gazetted.db"), site.path("store.mp3")).unwrap();
    let daemon = Daemon::start(&site, "2021-05-10T00:00:00Z");
    until_served(daemon.address, "P6");
    for file in &files[..5] {
        assert_eq!(ask(daemon.address, &format!("GET {file}"), "").unwrap().0, 404, "{file}");
    }
    assert_eq!(ask(daemon.address, "GET /talk.mp3", "").unwrap().0, 200);
    site.remove("talk.mp3");
    symlink(site.path("gazetted.db"), site.path("talk.mp3")).unwrap();
    assert_eq!(ask(daemon.address, "GET /talk.mp3", "").unwrap().0, 404, "it became a link since it was looked at");
    let head = raw(daemon.address, "/a.pdf").unwrap();
    assert!(head.contains("content-type: application/pdf\r\n"), "it is no page, whatever its post says: {head}");
    daemon.stop();
    site.save("_posts/2021-05-08-p.md", "---\ntitle: P\nenclosure: {url: /gazetted.db, type: audio/mpeg}\n---\n");
    let said = site.run("check").out;
    assert!(said.contains("_posts/2021-05-08-p.md:1:1") && said.contains("`/gazetted.db` is of no kind"), "{said}");
}

#[test]
fn a_feed_that_gets_another_name_is_found_by_the_old_one() {
    let site = blog().config("[feeds.moved]\n\"/index.rdf\" = \"/atom.xml\"\n");
    site.ok("build");
    let renamed = site.read("gazetted.toml").replace("[feeds.moved]", "[feeds]\nrss = \"rss.xml\"\n[feeds.moved]");
    site.save("gazetted.toml", renamed);
    let daemon = Daemon::start(&site, "2021-05-10T00:00:00Z");
    for (old, new) in [("/feed.xml", "/rss.xml"), ("/index.rdf", "/atom.xml")] {
        let answer = until("the redirect", || raw(daemon.address, old).filter(|head| head.contains(" 301 ")));
        assert!(answer.to_lowercase().contains(&format!("location: {new}\r\n")), "{answer}");
        assert_eq!(ask(daemon.address, &format!("GET {new}"), "").unwrap().0, 200);
    }
    daemon.stop();
}

#[test]
fn a_folder_a_feed_of_one_s_own_and_a_blog_below_a_path_keep_their_addresses() {
    let below = LEAST.replace("https://blog.example.org", "https://example.org/blog");
    let config = |path: &str| {
        let moved = "[feeds.moved]\n\"feed/\" = \"feed.xml\"\n";
        format!("{below}{moved}[[feeds.extra]]\ntitle = \"Sound\"\npath = \"{path}\"\n")
    };
    let site = blog()
        .post("2021-05-06-a.md", "---\ntitle: A\naudio: /audio/a.mp3\n---\nA.\n")
        .post("2021-05-07-b.md", "---\ntitle: B\naudio: /blog/audio/my%20b.mp3\n---\nB.\n")
        .post("2021-05-08-c.md", text("C", "C."));
    site.save("audio/a.mp3", "a");
    site.save("audio/my b.mp3", "b");
    site.save("gazetted.toml", config("sound.xml"));
    site.ok("build");
    site.save("gazetted.toml", config("sound/été.xml"));
    site.remove("_posts/2021-05-08-c.md");
    let daemon = Daemon::start(&site, "2021-05-10T00:00:00Z");
    let feed = until_served(daemon.address, "B");
    let enclosed = |at: usize| feed["items"][at]["attachments"][0]["url"].as_str().unwrap();
    assert_eq!(
        [enclosed(0), enclosed(1)],
        ["https://example.org/blog/audio/my%20b.mp3", "https://example.org/blog/audio/a.mp3"]
    );
    for (path, status, location) in [
        ("/feed/", 301, "/blog/feed.xml"),
        ("/blog/feed", 301, "/blog/feed.xml"),
        ("/blog/sound.xml", 301, "/blog/sound/%C3%A9t%C3%A9.xml"),
        ("/blog/sound/%C3%A9t%C3%A9.xml", 200, ""),
        ("/blog/audio/a.mp3", 200, ""),
        ("/audio/my%20b.mp3", 200, ""),
        ("/blog/2021/05/08/c.html", 410, ""),
    ] {
        let head = until(path, || raw(daemon.address, path));
        assert!(head.contains(&format!(" {status} ")), "{path}: {head}");
        assert!(
            location.is_empty() || head.to_lowercase().contains(&format!("location: {}\r\n", location.to_lowercase())),
            "{head}"
        );
    }
    daemon.stop();
}

#[test]
fn a_feed_that_is_no_more_leads_nowhere_and_to_no_circle() {
    let site = blog().post("2021-05-04-tagged.md", "---\ntitle: Tagged\ntags: [python]\n---\nWords.\n");
    let named = |names: &str| site.save("gazetted.toml", format!("{LEAST}[feeds]\n{names}"));
    site.ok("build");
    for names in ["atom = \"index.atom\"\n", "", "rss = \"atom.xml\"\natom = \"feed.xml\"\n", ""] {
        named(names);
        site.ok("build");
    }
    site.save("_posts/2021-05-04-tagged.md", text("Tagged", "Words."));
    let daemon = Daemon::start(&site, "2021-05-10T00:00:00Z");
    for path in ["atom.xml", "index.atom", "feed.xml"] {
        let answer = ask(daemon.address, &format!("GET /tags/python/{path}"), "").unwrap();
        assert_eq!(answer.0, 404, "{path}: {}", answer.1);
    }
    let renamed = raw(daemon.address, "/index.atom").unwrap();
    assert!(renamed.contains(" 301 ") && renamed.to_lowercase().contains("location: /atom.xml\r\n"), "{renamed}");
    daemon.stop();
}

/// The head of an answer.
fn raw(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer.split("\r\n\r\n").next()?.to_owned() + "\r\n")
}

// What the clock brings.

#[test]
fn a_scheduled_post_appears_when_its_hour_has_come() {
    let site = blog().post("2021-05-20-later.md", "---\ntitle: Later\ndate: 2021-05-20 10:00:00\n---\nNow.\n");
    let daemon = Daemon::start(&site, "2021-05-10T00:00:00Z");
    assert!(!titles(&feed(daemon.address).unwrap()).contains("Later"));
    daemon.clock.set(at("2021-05-20T09:59:59Z"));
    daemon.beats();
    assert!(!titles(&feed(daemon.address).unwrap()).contains("Later"));
    daemon.clock.set(at("2021-05-20T10:00:00Z"));
    until_served(daemon.address, "Later");
    daemon.stop();
}

fn with_readers() -> Site {
    let site = blog();
    site.ok("subscribers add ada@example.org");
    site.ok("subscribers add grace@example.org");
    site
}

#[test]
fn when_the_month_turns_its_edition_is_opened_once_and_mailed() {
    let site = blog();
    born(&site, "2021-05-10T00:00:00Z");
    let daemon = Daemon::start(&site, "2021-05-10T00:00:00Z");
    daemon.clock.set(at("2021-06-01T08:59:00Z"));
    daemon.beats();
    assert_eq!(site.json("digest list"), json!([]));
    daemon.clock.set(at("2021-06-01T09:00:30Z"));
    let list = finished(&site, 1);
    assert_eq!(
        (&list[0]["period"], &list[0]["accepted"], &list[0]["posts"]),
        (&json!("2021-05"), &json!(2), &json!(1))
    );
    assert_eq!(site.mails().len(), 2);
    daemon.clock.set(at("2021-06-02T09:00:30Z"));
    daemon.beats();
    assert_eq!((site.json("digest list").as_array().unwrap().len(), site.mails().len()), (1, 2));
    daemon.stop();
}

#[test]
fn a_feed_that_cannot_be_written_keeps_no_edition_back() {
    let site = blog();
    born(&site, "2021-05-10T00:00:00Z");
    std::fs::create_dir_all(site.path("public/feed.xml/in-the-way")).unwrap();
    let daemon = Daemon::start(&site, "2021-05-10T00:00:00Z");
    daemon.clock.set(at("2021-06-01T09:00:30Z"));
    assert_eq!(finished(&site, 1)[0]["period"], "2021-05");
    assert_eq!(site.mails().len(), 2);
    daemon.stop();
}

#[test]
fn a_missed_month_is_caught_up_once_and_none_from_before_the_store() {
    let site = blog();
    born(&site, "2021-05-10T00:00:00Z");
    Daemon::start(&site, "2021-05-10T00:00:00Z").stop();
    for _ in 0..2 {
        let daemon = Daemon::start(&site, "2021-06-15T12:00:00Z");
        let list = finished(&site, 1);
        daemon.beats();
        assert_eq!((&list[0]["period"], site.mails().len()), (&json!("2021-05"), 2));
        daemon.stop();
    }
    assert_eq!(site.json("digest list").as_array().unwrap().len(), 1);
}

/// A header of a message, unfolded.
pub fn header(mail: &str, name: &str) -> String {
    let mut lines = mail.lines().skip_while(|line| !line.starts_with(&format!("{name}: ")));
    let first = lines.next().unwrap_or_else(|| panic!("no {name} in {mail}")).to_owned();
    lines.take_while(|line| line.starts_with([' ', '\t'])).fold(first, |all, line| format!("{all} {}", line.trim()))
}

#[test]
fn the_link_in_the_mail_unsubscribes_and_the_next_edition_skips_that_reader() {
    let site = blog().post("2021-06-05-june.md", text("June", "Heat."));
    born(&site, "2021-05-10T00:00:00Z");
    let daemon = Daemon::start(&site, "2021-06-01T10:00:00Z");
    finished(&site, 1);
    let mails_of_may = site.mails();
    let mail = mails_of_may
        .iter()
        .map(|name| site.read(&format!("mail/{name}")))
        .find(|m| m.contains("ada@example.org"))
        .unwrap();
    assert_eq!(header(&mail, "List-Unsubscribe-Post"), "List-Unsubscribe-Post: List-Unsubscribe=One-Click");
    let unsubscribe = header(&mail, "List-Unsubscribe");
    let path = unsubscribe.split("https://blog.example.org").nth(1).unwrap().split('>').next().unwrap().to_owned();
    assert_eq!(ask(daemon.address, &format!("GET {path}"), "").unwrap().0, 200);
    assert_eq!(site.json("subscribers list --state active").as_array().unwrap().len(), 2, "a GET changes nothing");
    assert_eq!(ask(daemon.address, &format!("POST {path}"), "List-Unsubscribe=One-Click").unwrap().0, 200);
    assert_eq!(site.json("subscribers list --state active")[0]["email"], "grace@example.org");
    daemon.clock.set(at("2021-07-01T10:00:00Z"));
    let list = finished(&site, 2);
    let june = list.as_array().unwrap().iter().find(|e| e["period"] == "2021-06").unwrap();
    assert_eq!((&june["recipients"], &june["accepted"]), (&json!(1), &json!(1)));
    assert_eq!(site.mails().len(), 3);
    daemon.stop();
}

// The program.

#[test]
fn signals_stop_the_daemon_at_once_and_well() {
    for signal in [Signal::TERM, Signal::INT] {
        let site = blog();
        let program = Program::start(&site);
        let told = Instant::now();
        assert_eq!(program.exit(signal), Some(0));
        println!("{signal:?}: {:?}", told.elapsed());
        assert!(told.elapsed() < Duration::from_secs(3), "{:?}", told.elapsed());
    }
}

#[test]
fn a_second_daemon_on_one_store_leaves_at_once_and_names_the_first() {
    let site = blog();
    let first = Program::start(&site);
    let started = Instant::now();
    let second = spawn(&site, "127.0.0.1:0").wait_with_output().unwrap();
    println!("refused after {:?}", started.elapsed());
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(!second.status.success() && started.elapsed() < Duration::from_secs(2), "{said}");
    assert!(said.contains(&first.pid().to_string()) && said.contains("hint: "), "{said}");
    assert!(feed(first.address).is_some());
    assert_eq!(first.exit(Signal::TERM), Some(0));
    assert_eq!(Program::start(&site).exit(Signal::TERM), Some(0));
}

#[test]
fn a_reload_takes_a_good_configuration_and_keeps_the_old_one_before_a_bad_one() {
    let site = blog();
    let program = Program::start(&site);
    write(&site.path("gazetted.toml"), "[site]\ntitel = \"x\"\n");
    program.signal(Signal::HUP);
    program.until_logged("kept the old configuration");
    assert_eq!(feed(program.address).unwrap()["title"], "Working Notes");
    write(&site.path("gazetted.toml"), &LEAST.replace("Working Notes", "Other Notes"));
    program.signal(Signal::HUP);
    until("the new title", || feed(program.address).filter(|feed| feed["title"] == "Other Notes"));
    assert_eq!(program.exit(Signal::TERM), Some(0));
}

#[test]
fn a_reload_and_another_site_configuration_keep_the_last_good_version_of_a_broken_post() {
    let site = blog().post("2021-05-07-saved.md", text("Saved", "Words."));
    let program = Program::start(&site);
    until_served(program.address, "Saved");
    site.save("_posts/2021-05-07-saved.md", "---\ntitle: [broken\n---\nx");
    program.until_logged("the last good version stays in the feeds");
    let renamed = |title| write(&site.path("gazetted.toml"), &LEAST.replace("Working Notes", title));
    renamed("Other Notes");
    program.signal(Signal::HUP);
    let feed_of = |title: &str| until(title, || feed(program.address).filter(|feed| feed["title"] == title));
    assert!(titles(&feed_of("Other Notes")).contains("Saved"));
    // By other rules all is read again.
    site.save("_config.yml", "timezone: Asia/Tokyo\n");
    renamed("New Notes");
    program.signal(Signal::HUP);
    assert!(titles(&feed_of("New Notes")).contains("Saved"));
    assert_eq!(program.exit(Signal::TERM), Some(0));
}

#[test]
fn a_daemon_killed_while_it_sends_loses_nobody() {
    const READERS: usize = 300;
    let site = with_readers();
    site.save("gazetted.toml", format!("{}\n[outbox]\ncanary = \"0s\"\n", site.read("gazetted.toml")));
    let more: Vec<String> = (2..READERS).map(|n| format!("reader{n}@example.org")).collect();
    site.save("more.csv", format!("email\n{}\n", more.join("\n")));
    site.ok("subscribers import more.csv");
    site.ok("digest open 2021-05");
    let program = Program::start(&site);
    until("the first mails", || (site.mails().len() >= 10).then_some(()));
    assert_eq!(program.exit(Signal::KILL), None);
    let before = site.mails().len();
    println!("killed after {before} of {READERS}");
    let program = Program::start(&site);
    let list = finished(&site, 1);
    assert_eq!(list[0]["accepted"], READERS);
    let mails = site.mails();
    let recipients: BTreeSet<String> =
        mails.iter().map(|name| header(&site.read(&format!("mail/{name}")), "To")).collect();
    assert_eq!((mails.len(), recipients.len()), (READERS, READERS));
    assert_eq!(program.exit(Signal::TERM), Some(0));
}
