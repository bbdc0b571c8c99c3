//! Subscribing as people do it: in a real browser, with a real mail server in between, and the real daemon. The scripts in
//! `tests/browser` only do what they are told here, and say what they see.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::Permissions;
use std::io::{BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use gazetted::clock::{Clock as _, SystemClock};
use gazetted::domain::period::{Per, Period};
use gazetted::domain::token::{self, Keys, Purpose};
use jiff::tz::TimeZone;
use mail_parser::{MessageParser, MimeHeaders as _};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::daemon::Program;
use super::postgres::{everything_is_wanted, left_out, path};
use super::site::{Site, ran, site, until};

/// What these tests need of the machine.
pub struct Tools {
    node: PathBuf,
    /// Where the packages are.
    packages: OsString,
    pub chromium: PathBuf,
    sink: PathBuf,
}

pub fn tools() -> Option<Tools> {
    let program = |name: &'static str| path().map(|folder| folder.join(name)).find(|file| file.exists()).ok_or(name);
    let found = || {
        let packages = std::env::var_os("GAZETTED_TEST_NODE").ok_or("what GAZETTED_TEST_NODE names")?;
        let packages = Some(packages).filter(|folder| Path::new(folder).join("node_modules/playwright-core").exists());
        let packages = packages.ok_or("playwright-core")?;
        Ok(Tools { node: program("node")?, packages, chromium: program("chromium")?, sink: program("smtp-sink")? })
    };
    found()
        .map_err(|missing: &str| {
            assert!(!everything_is_wanted(), "GAZETTED_TEST_ALL is set, and {missing} was not found");
            left_out(missing);
        })
        .ok()
}

impl Tools {
    pub fn script(&self, name: &str) -> Command {
        let mut command = Command::new(&self.node);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(name));
        command.env("GAZETTED_TEST_NODE", &self.packages);
        command
    }
}

/// A port nobody listens at.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The month so many before this one.
pub fn month(back: usize) -> Period {
    let this = Period::at(Per::Month, SystemClock.now(), &TimeZone::UTC);
    (0..back).fold(this, |period, _| period.previous())
}

// The mail server.

/// Runs a program until the end of its own input: until the test ends, however that ends.
const KEEPER: &str = r#""$@" & program=$!; read -r _; kill $program; wait"#;

/// Postfix's `smtp-sink`, which keeps every message in a file.
struct Sink {
    keeper: Child,
    folder: tempfile::TempDir,
    port: u16,
    seen: BTreeSet<PathBuf>,
}

struct Mail {
    subject: String,
    text: String,
    unsubscribe: String,
    unsubscribe_post: String,
}

impl Sink {
    fn start(tools: &Tools) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER, "keeper"]).arg(&tools.sink);
        if rustix::process::geteuid().is_root() {
            std::fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
            command.args(["-u", "nobody"]);
        }
        command.arg("-d").arg(folder.path().join("%M."));
        command.arg(format!("127.0.0.1:{port}")).arg("100").stdin(Stdio::piped());
        let keeper = command.spawn().unwrap();
        until("the sink to listen", || TcpStream::connect(("127.0.0.1", port)).ok());
        Self { keeper, folder, port, seen: BTreeSet::new() }
    }

    /// The next message for an address, whole.
    fn next(&mut self, address: &str) -> Mail {
        let mut new =
            until(&format!("a mail to {address}"), || Some(self.unseen(address)).filter(|new| !new.is_empty()));
        let (file, mail) = new.pop().unwrap();
        assert!(new.is_empty(), "two mails to {address} at once: `{}` and `{}`", mail.subject, new[0].1.subject);
        self.seen.insert(file);
        mail
    }

    fn unseen(&self, address: &str) -> Vec<(PathBuf, Mail)> {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let new = files.filter(|file| !self.seen.contains(file));
        new.filter_map(|file| Mail::read(&std::fs::read(&file).ok()?, address).map(|mail| (file, mail))).collect()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

impl Mail {
    /// Nothing while the server still writes it, or if it is for somebody else.
    fn read(bytes: &[u8], address: &str) -> Option<Self> {
        let message = MessageParser::new().parse(bytes)?;
        let envelope = message.header_raw("X-Rcpt-Args")?;
        let boundary = message.content_type()?.attribute("boundary")?;
        let is_whole = String::from_utf8_lossy(bytes).contains(&format!("--{boundary}--"));
        let header = |name: &str| message.header_raw(name).unwrap_or_default().split_whitespace().collect::<String>();
        (is_whole && envelope.contains(&format!("<{address}>"))).then(|| Self {
            subject: message.subject().unwrap_or_default().to_owned(),
            text: message.body_text(0).unwrap_or_default().into_owned(),
            unsubscribe: header("List-Unsubscribe"),
            unsubscribe_post: header("List-Unsubscribe-Post"),
        })
    }

    /// The one address in the text that begins like this.
    fn link(&self, start: &str) -> &str {
        let mut found = self.text.split_whitespace().filter(|word| word.starts_with(start));
        let link = found.next().unwrap_or_else(|| panic!("no {start} in: {}", self.text));
        assert_eq!(found.next(), None);
        link
    }
}

// The browser.

struct Hand {
    node: Child,
    orders: Option<ChildStdin>,
    answers: Lines<BufReader<ChildStdout>>,
    origin: String,
}

impl Hand {
    fn start(tools: &Tools, origin: &str, keys: bool) -> Self {
        let mut command = tools.script("walk.mjs");
        command.arg(json!({"chromium": tools.chromium, "keys": keys}).to_string());
        let mut node = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (orders, answers) = (node.stdin.take(), BufReader::new(node.stdout.take().unwrap()).lines());
        Self { node, orders, answers, origin: origin.to_owned() }
    }

    /// Does one thing, and sees what is there then.
    fn act(&mut self, step: &Value) -> Value {
        writeln!(self.orders.as_mut().unwrap(), "{step}").unwrap();
        let line = self.answers.next().expect("the browser's script ended").unwrap();
        let seen: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(seen["error"], Value::Null, "{step}: {seen:#}");
        assert_eq!(seen["cookies"], json!([]), "{step}");
        let asked = seen["asked"].as_array().unwrap().iter().map(|url| url.as_str().unwrap());
        let elsewhere: Vec<&str> = asked.filter(|url| !url.starts_with(&format!("{}/", self.origin))).collect();
        assert!(elsewhere.is_empty(), "asked for elsewhere: {elsewhere:?}");
        seen
    }

    fn open(&mut self, url: &str, heading: &str) -> String {
        let seen = self.act(&json!({"open": url}));
        assert_eq!((seen["status"].as_u64(), seen["heading"].as_str()), (Some(200), Some(heading)), "{seen:#}");
        seen["text"].as_str().unwrap().to_owned()
    }

    fn press(&mut self, button: &str, heading: &str, lang: &str) {
        let seen = self.act(&json!({"press": button}));
        assert_eq!((seen["status"].as_u64(), seen["heading"].as_str()), (Some(200), Some(heading)), "{seen:#}");
        assert_eq!(seen["lang"], lang, "{seen:#}");
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.node.wait();
    }
}

// The whole way.

const ANN: &str = "ann@example.org";
const BEN: &str = "ben@example.org";
const PAIR: &str = "List-Unsubscribe=One-Click";

/// How a provider sends its one click.
enum Provider {
    Parts,
    Pairs,
}

impl Provider {
    fn press(&self, url: &str) {
        let (content_type, body) = match self {
            Self::Pairs => ("application/x-www-form-urlencoded".to_owned(), PAIR.to_owned()),
            Self::Parts => {
                let (name, value) = PAIR.split_once('=').unwrap();
                let part = format!("Content-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}");
                ("multipart/form-data; boundary=---f00".to_owned(), format!("-----f00\r\n{part}\r\n-----f00--\r\n"))
            }
        };
        let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        let head =
            format!("POST /{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: a provider\r\nContent-Type: {content_type}");
        let length = body.len();
        write!(stream, "{head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(!answer.to_lowercase().contains("set-cookie:"), "{answer}");
    }
}

fn blog(origin: &str, smtp: u16) -> Site {
    let mut site = site().config(&format!(
        "[digest]\nfrom = \"Working Notes <digest@example.org>\"\npostal_address = \"1 Main Street\"\n\
         [smtp]\nhost = \"127.0.0.1\"\nport = {smtp}\ntls = \"none\"\n[http]\nurl = \"{origin}\"\n"
    ));
    for (back, season) in [(3, "early"), (2, "middle"), (1, "late")] {
        for tag in ["rust", "feeds"] {
            let post = format!("---\ntitle: {season} {tag}\ntags: [{tag}]\n---\nSomething about {tag}.\n");
            site = site.post(&format!("{}-10-{tag}.md", month(back)), post);
        }
    }
    site
}

/// Everything that is kept of somebody.
fn kept(site: &Site, address: &str) -> Value {
    site.json(&format!("subscribers show {address}"))
}

fn open(site: &Site, month: Period, recipients: u64) {
    let opened = site.json(&format!("digest open {month} --now"));
    assert_eq!((&opened["state"], &opened["posts"]), (&json!("open"), &json!(2)), "{opened}");
    assert_eq!(opened["recipients"], recipients, "{opened}");
}

fn the_whole_way(keys: bool, provider: &Provider) {
    let Some(tools) = tools() else { return };
    let port = free_port();
    let origin = format!("http://127.0.0.1:{port}");
    let mut sink = Sink::start(&tools);
    let site = blog(&origin, sink.port);
    site.ok(&format!("subscribers add {BEN}"));
    let daemon = Program::start_at(&site, &format!("127.0.0.1:{port}"));
    let mut hand = Hand::start(&tools, &origin, keys);

    // Subscribe; the mail's link asks, and changes nothing until its button is pressed.
    hand.open(&format!("{origin}/"), "Working Notes");
    hand.act(&json!({"type": "Your mail address", "text": ANN}));
    hand.press("Subscribe", "Look into your mailbox", "en");
    let question = sink.next(ANN);
    assert_eq!(question.subject, "Please confirm: Working Notes");
    let before = kept(&site, ANN);
    assert_eq!(before["subscriber"]["state"], "pending");
    let link = question.link(&format!("{origin}/confirm/"));
    hand.open(link, "Subscribe to Working Notes?");
    assert_eq!(kept(&site, ANN), before, "a GET changed something");
    hand.press("Yes, subscribe me", "You are subscribed", "en");
    assert_eq!(kept(&site, ANN)["subscriber"]["state"], "active");
    assert_eq!(sink.next(ANN).subject, "Welcome to Working Notes");

    // A digest arrives; what it leads to is chosen anew.
    open(&site, month(3), 2);
    let digest = sink.next(ANN);
    assert!(digest.text.contains("early rust") && digest.text.contains("early feeds"), "{}", digest.text);
    sink.next(BEN);
    let preferences = digest.link(&format!("{origin}/preferences/")).to_owned();
    let before = kept(&site, ANN);
    hand.open(&preferences, "What you get");
    assert_eq!(kept(&site, ANN), before, "a GET changed something");
    hand.act(&json!({"tick": "rust"}));
    hand.act(&json!({"choose": "Language", "option": "Deutsch"}));
    hand.press("Save", "Gespeichert", "de");
    let choice = kept(&site, ANN)["subscriber"].clone();
    assert_eq!((&choice["tags"], &choice["language"]), (&json!(["rust"]), &json!("de")));

    // The next one is as it was chosen; others' are not.
    open(&site, month(2), 2);
    let digest = sink.next(ANN);
    assert!(digest.text.contains("middle rust") && !digest.text.contains("middle feeds"), "{}", digest.text);
    assert!(digest.text.contains("Hallo") && digest.text.contains("Abbestellen: "), "{}", digest.text);
    let others = sink.next(BEN);
    assert!(others.text.contains("middle feeds") && others.text.contains("Unsubscribe: "), "{}", others.text);

    // One click at the provider's, and nothing more comes.
    assert_eq!(digest.unsubscribe_post, PAIR);
    let one_click = digest.unsubscribe.split(['<', '>']).find(|part| part.starts_with("http")).unwrap();
    provider.press(one_click);
    assert_eq!(kept(&site, ANN)["subscriber"]["state"], "unsubscribed");
    provider.press(one_click);
    open(&site, month(1), 1);
    sink.next(BEN);
    until("the edition to be finished", || {
        let list = site.json("digest list");
        let all = list.as_array().unwrap();
        (all.len() == 3 && all.iter().all(|edition| edition["state"] == "finished")).then_some(())
    });
    assert_eq!(sink.unseen(ANN).len(), 0, "a mail to somebody who has left");

    // And out of the books.
    let text = hand.open(&preferences, "Was du bekommst");
    assert!(text.contains("Zurzeit hast du nicht abonniert"), "{text}");
    hand.act(&json!({"tick": "Ja, löscht alles, was ihr über mich gespeichert habt"}));
    hand.press("Alles löschen", "Alles ist gelöscht", "de");
    assert_eq!(site.run(&format!("subscribers show {ANN}")).code, 1);
    assert_eq!(hand.act(&json!({"open": preferences}))["status"], 404);
    assert_eq!(sink.unseen(ANN).len() + sink.unseen(BEN).len(), 0);

    assert!(!daemon.log().contains("@example.org"), "{}", daemon.log());
    assert_eq!(daemon.exit(Signal::TERM), Some(0));
}

#[test]
fn from_the_form_to_the_last_digest_with_a_mouse() {
    the_whole_way(false, &Provider::Pairs);
}

#[test]
fn from_the_form_to_the_last_digest_with_the_keyboard_alone() {
    the_whole_way(true, &Provider::Parts);
}

// Every page.

/// What a page may weigh with its style sheet, as they are before compression.
const HEAVIEST: u64 = 30_000;
/// The same for a goal's own page, which has every period three times: as a bar, as a cell and on the curve.
const HEAVIEST_GOAL: u64 = 60_000;
const WIDTHS: [u16; 2] = [1280, 360];

/// A blog as blogs are: posts by several people, long words, a goal, an edition, drafts.
fn full_blog(language: &str, origin: &str) -> Site {
    let mut site = site();
    site.save(
        "gazetted.toml",
        format!(
            "[site]\ntitle = \"Laternenfisch Notes\"\nurl = \"https://blog.example.org\"\nlanguage = \"{language}\"\n\
             description = \"What a small group learns about larvae, plates and Donaudampfschifffahrtsgesellschaftskapitäne\"\n\
             [posts]\ndir = \"_posts\"\n[[goal]]\nposts = 1\n[[goal]]\nname = \"weekly\"\nper = \"week\"\n[http]\nurl = \"{origin}\"\n\
             [digest]\nfrom = \"Notes <digest@example.org>\"\npostal_address = \"1 Main Street\"\n"
        ),
    );
    for back in 1..=14 {
        if back % 5 == 0 {
            continue;
        }
        let authors = if back % 2 == 0 { "[Ada Lovelace, Grace Hopper]" } else { "[Tomasz Lindqvist]" };
        let post = format!(
            "---\ntitle: \"Counting-{}touching: number {back}\"\nauthors: {authors}\ntags: [measurements, project, tag-{back}]\n---\n{}",
            "animals-".repeat(6),
            "We counted them all, and here is what came of it. ".repeat(12),
        );
        site = site.post(&format!("{}-10-post-{back}.md", month(back)), post);
    }
    site.save("_drafts/an-idea.md", "---\ntitle: An idea\n---\nNot yet.\n");
    site
}

/// The pages with what leads to them, as `pages.mjs` wants it.
fn all_pages(site: &Site, origin: &str, german: bool) -> Value {
    let say = |english: &'static str, german_words: &'static str| if german { german_words } else { english };
    let keys = |site: &Site| {
        let url = format!("sqlite:{}", site.path("gazetted.db").display());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let secret = runtime.block_on(async {
            gazetted::store::open(&url, SystemClock.now()).await.unwrap().secret("tokens", [0; 32]).await.unwrap()
        });
        Keys::new(&secret, &[])
    };
    let keys = keys(site);
    let id = |name: &str| kept(site, &format!("{name}@example.org"))["subscriber"]["id"].as_i64().unwrap();
    let later = SystemClock.now() + jiff::SignedDuration::from_hours(24);
    let long_ago = SystemClock.now() - jiff::SignedDuration::from_hours(24 * 40);
    let link = |purpose, name: &str, expires| {
        let way = if purpose == Purpose::Unsubscribe { "unsubscribe" } else { "preferences" };
        format!("{origin}/{way}/{}", keys.mint(purpose, id(name), expires))
    };
    let question =
        |purpose, name: &str, stamp| format!("{origin}/confirm/{}", keys.mint_bound(purpose, id(name), later, stamp));
    let open = |url: &str| json!({"open": url});
    let at = |path: &str| json!({"open": format!("{origin}{path}")});
    let press = |button: &str| json!({"press": button});
    let page = |name: &str, status: u16, steps: Vec<Value>| json!({"name": name, "status": status, "steps": steps});
    let address = |text: &str| json!({"type": say("Your mail address", "Deine Mailadresse"), "text": text});
    let new_address = |text: &str| json!({"type": say("New mail address", "Neue Mailadresse"), "text": text});

    let subscribe = press(say("Subscribe", "Abonnieren"));
    let confirm = question(Purpose::Confirm, "reader", 1);
    let moving = question(Purpose::Move, "reader", token::stamp_of("reader@example.org"));
    let unsubscribe = link(Purpose::Unsubscribe, "leaver", None);
    let choices = link(Purpose::Preferences, "reader", Some(later));
    let old = link(Purpose::Preferences, "reader", Some(long_ago));
    let left = link(Purpose::Preferences, "leaver", Some(later));
    let erased = ["eraser", "other"].map(|name| open(&link(Purpose::Preferences, name, Some(later))));
    let preferences = |act: Vec<Value>| [vec![open(&choices)], act].concat();
    json!([
        page("front door", 200, vec![at("/")]),
        page("subscribe", 200, vec![at("/subscribe")]),
        page("subscribe, with an error", 422, vec![at("/subscribe"), address("ann@localhost"), subscribe.clone()]),
        page("look into your mailbox", 200, vec![at("/"), address(ANN), subscribe]),
        page("confirm", 200, vec![open(&confirm)]),
        page("confirmed", 200, vec![open(&confirm), press(say("Yes, subscribe me", "Ja, abonnieren"))]),
        page("another address", 200, vec![open(&moving)]),
        page("address changed", 200, vec![open(&moving), press(say("Use this address", "Diese Adresse verwenden"))]),
        page("unsubscribe", 200, vec![open(&unsubscribe)]),
        page("unsubscribed", 200, vec![open(&unsubscribe), press(say("Unsubscribe", "Abbestellen"))]),
        page("preferences", 200, preferences(vec![])),
        page("preferences, saved", 200, preferences(vec![press(say("Save", "Speichern"))])),
        page(
            "preferences, with an error",
            422,
            preferences(vec![new_address("ann@localhost"), press(say("Send the link", "Link schicken"))]),
        ),
        page(
            "preferences, mail to the new address",
            200,
            preferences(vec![new_address(BEN), press(say("Send the link", "Link schicken"))]),
        ),
        page("preferences, data sent", 200, preferences(vec![press(say("Mail me my data", "Meine Daten schicken"))])),
        page("preferences, of somebody who left", 200, vec![open(&left)]),
        page("preferences, old link", 200, vec![open(&old)]),
        page(
            "preferences, new link sent",
            200,
            vec![open(&old), press(say("Mail me a new link", "Neuen Link schicken"))]
        ),
        page(
            "preferences, everything deleted",
            200,
            vec![
                json!(erased),
                json!({"tick": say("Yes, delete everything you keep about me", "Ja, löscht alles, was ihr über mich gespeichert habt")}),
                press(say("Delete everything", "Alles löschen")),
            ],
        ),
        page("editions", 200, vec![at("/editions/")]),
        page("an edition", 200, vec![at(&format!("/editions/{}", month(1)))]),
        page("goals", 200, vec![at("/goal")]),
        page("goal", 200, vec![at("/goal/goal")]),
        page("a goal by week", 200, vec![at("/goal/weekly")]),
        page("a month of the goal", 200, vec![at(&format!("/goal/goal/{}", month(1)))]),
        page("nothing here", 404, vec![at("/nothing/here")]),
        page("a link that is none", 404, vec![at("/preferences/none")]),
    ])
}

fn every_page_holds(language: &str) {
    let Some(tools) = tools() else { return };
    let port = free_port();
    let origin = format!("http://127.0.0.1:{port}");
    let site = full_blog(language, &origin);
    for name in ["reader", "leaver", "eraser", "other"] {
        site.ok(&format!("subscribers add {name}@example.org"));
    }
    site.json(&format!("digest open {} --now", month(1)));
    let daemon = Program::start_at(&site, &format!("127.0.0.1:{port}"));
    let pages = all_pages(&site, &origin, language == "de");
    let pictures = std::env::var_os("GAZETTED_TEST_PICTURES").map(|path| path.to_string_lossy().into_owned());
    let given = json!({
        "chromium": tools.chromium, "origin": origin, "widths": WIDTHS, "pages": pages, "pictures": pictures
    });
    site.save("pages.json", given.to_string());
    let ran = ran(tools.script("pages.mjs").arg(site.path("pages.json")));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let found: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found.len(), pages.as_array().unwrap().len() * WIDTHS.len());
    let mut wrong = Vec::new();
    for page in &found {
        println!("{} at {}: {} bytes {}", page["name"], page["width"], page["bytes"], page["files"]);
        let nothing = json!([]);
        for what in ["axe", "unsure", "faint", "focus", "wide", "elsewhere", "complaints", "cookies"] {
            if page[what] != nothing {
                wrong.push(format!("{} at {}: {what}: {:#}", page["name"], page["width"], page[what]));
            }
        }
        let is_goal = matches!(page["name"].as_str(), Some("goal" | "a goal by week"));
        let heaviest = if is_goal { HEAVIEST_GOAL } else { HEAVIEST };
        let light = page["bytes"].as_u64().is_some_and(|bytes| 0 < bytes && bytes < heaviest);
        let calm = page["shift"] == 0 && page["scripts"] == 0 && page["lang"] == language;
        if !light || !calm || page["error"] != Value::Null {
            wrong.push(format!("{page:#}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(daemon.exit(Signal::TERM), Some(0));
}

#[test]
fn every_page_holds_in_english_light_and_dark_wide_and_narrow() {
    every_page_holds("en");
}

#[test]
fn every_page_holds_in_german_light_and_dark_wide_and_narrow() {
    every_page_holds("de");
}
