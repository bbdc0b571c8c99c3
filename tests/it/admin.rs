//! The editors' pages as a browser asks for them, and what each of their buttons does; editions that wait for a word.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use gazetted::daemon::sending::Secrets;
use gazetted::domain::token::{Keys, Purpose};
use gazetted::{config, store};
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use super::daemon::{Daemon, at, born, finished, header};
use super::postgres::fresh_database;
use super::site::{PATIENCE, Site, site, text, until};

const PASSWORD: &str = "twelve letters and more";
const TOKEN: &str = "a-token-for-the-tests";
const INSIDE: [&str; 10] = [
    "/admin",
    "/admin/next",
    "/admin/next/html",
    "/admin/next/text",
    "/admin/next/source",
    "/admin/editions",
    "/admin/readers",
    "/admin/problems",
    "/admin/bounces",
    "/admin/log",
];

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let wanted = format!("{name}: ");
        self.head.lines().find_map(|line| line.strip_prefix(&wanted)).unwrap_or_default()
    }

    /// The value of a hidden field.
    fn field(&self, name: &str) -> &str {
        let start = format!("name=\"{name}\" value=\"");
        let found = self.body.split(&start).nth(1).unwrap_or_else(|| panic!("no field {name} in {}", self.body));
        found.split('"').next().unwrap()
    }
}

/// A browser with one cookie at most.
struct Browser {
    address: SocketAddr,
    cookie: Option<String>,
}

impl Browser {
    fn new(daemon: &Daemon) -> Self {
        Self { address: daemon.desk.unwrap(), cookie: None }
    }

    fn ask(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let cookie = self.cookie.as_ref().map(|cookie| format!("Cookie: {cookie}\r\n")).unwrap_or_default();
        let more: String = headers.iter().flat_map(|line| [*line, "\r\n"]).collect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{cookie}{more}Content-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "")
    }

    /// A form as a browser sends it from a page of this host.
    fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = format!("Origin: http://{}", self.address);
        self.post_with(path, &[&origin, "Sec-Fetch-Site: same-origin"], fields)
    }

    fn post_with(&self, path: &str, headers: &[&str], fields: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let form = "Content-Type: application/x-www-form-urlencoded";
        self.ask("POST", path, &[headers, &[form]].concat(), &body)
    }

    /// Signs in, and remembers the cookie.
    fn enter(&mut self) {
        let answer = self.post("/admin/sign-in", &[("password", PASSWORD)]);
        assert_eq!(answer.status, 303, "{}", answer.body);
        self.take(&answer);
    }

    fn take(&mut self, answer: &Answer) {
        let cookie = answer.header("set-cookie");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        self.cookie = Some(cookie.split(';').next().unwrap().to_owned());
    }

    fn word(&self) -> String {
        self.get("/admin").field("word").to_owned()
    }

    /// Presses a button, and gives the page that says what was done.
    fn press(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let word = self.word();
        let done = self.post(path, &[fields, &[("word", word.as_str())]].concat());
        assert_eq!(done.status, 303, "{}", done.body);
        let page = self.get(done.header("location"));
        assert!(page.body.contains("class=\"done\""), "{}", page.body);
        page
    }
}

fn blog(more: &str) -> Site {
    site()
        .config(&format!(
            "[http]\nadmin = \"127.0.0.1:8081\"\nadmin_password = \"{PASSWORD}\"\nadmin_token = \"{TOKEN}\"\n\
             [digest]\neditors = [\"ed@example.net\"]\n{more}"
        ))
        .post("2021-04-05-april.md", text("April", "Rain."))
        .post("2021-05-05-may.md", text("May", "Sun."))
}

fn keys(site: &Site) -> Keys {
    let url = config::load(&site.path("gazetted.toml")).config.store_url();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = store::open(&url, at("2021-05-10T00:00:00Z")).await.unwrap();
        Secrets::of(&store).await.unwrap().keys
    })
}

fn acts(site: &Site) -> Vec<String> {
    let log = site.json("admin log");
    let line = |act: &Value| {
        format!(
            "{} {} {}",
            act["who"].as_str().unwrap(),
            act["act"].as_str().unwrap(),
            act["subject"].as_str().unwrap()
        )
    };
    log.as_array().unwrap().iter().map(line).collect()
}

/// Everything a button could change.
fn everything(site: &Site) -> Value {
    json!([
        site.json("digest list"),
        site.json("outbox list --all"),
        site.json("admin log"),
        site.json("subscribers list")
    ])
}

const NOW: &str = "2021-05-20T12:00:00Z";

#[test]
fn nobody_sees_or_does_anything_without_signing_in() {
    let site = blog("");
    born(&site, "2021-05-10T00:00:00Z");
    let daemon = Daemon::start(&site, NOW);
    let mut browser = Browser::new(&daemon);
    let before = everything(&site);
    let made_up =
        ["", "gazetted-admin=", "gazetted-admin=AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRo", "__Host-gazetted-admin=x"];
    for cookie in made_up {
        browser.cookie = Some(cookie.to_owned());
        for path in INSIDE {
            let answer = browser.get(path);
            assert_eq!(answer.status, 303, "{path}");
            assert!(answer.header("location").starts_with("/admin/sign-in"), "{path}");
            assert!(!answer.body.contains("May"), "{path}");
        }
        for path in [
            "/admin/next/release",
            "/admin/next/cancel",
            "/admin/next/test",
            "/admin/editions/2021-04/cancel",
            "/admin/sign-out",
        ] {
            let answer = browser.post(path, &[("word", ""), ("period", "2021-04")]);
            assert_eq!((answer.status, answer.header("location")), (303, "/admin/sign-in"), "{path}");
        }
    }
    assert_eq!(everything(&site), before);
    // A token of another kind, of the same key, is none either.
    let token = keys(&site).mint_bound(Purpose::Preferences, 1, at("2021-06-01T00:00:00Z"), 1);
    browser.cookie = Some(format!("gazetted-admin={token}"));
    assert_eq!(browser.get("/admin").status, 303);
    // The API goes on beside, with its own token and no session.
    let bearer = format!("Authorization: Bearer {TOKEN}");
    assert_eq!(browser.ask("GET", "/api/stats", &[&bearer], "").status, 200);
    assert_eq!(browser.ask("GET", "/api/stats", &["Authorization: Bearer "], "").status, 401);
    assert_eq!(browser.ask("GET", "/admin", &[&bearer], "").status, 303);
    daemon.stop();
}

#[test]
fn without_a_token_there_is_no_api_and_without_a_password_only_links_open_the_pages() {
    let site = site().config("[http]\nadmin = \"127.0.0.1:8081\"\n").post("2021-05-05-may.md", text("May", "Sun."));
    let daemon = Daemon::start(&site, NOW);
    let mut browser = Browser::new(&daemon);
    for token in ["", " ", "x"] {
        assert_eq!(browser.ask("GET", "/api/stats", &[&format!("Authorization: Bearer {token}")], "").status, 401);
    }
    let page = browser.get("/admin/sign-in");
    assert!(page.body.contains("gazetted admin link") && !page.body.contains("type=\"password\""), "{}", page.body);
    assert_eq!(browser.post("/admin/sign-in", &[("password", "")]).status, 403);
    let link = site.ok("admin link").out.trim().to_owned();
    let answer = browser.post(link.strip_prefix("http://127.0.0.1:8081").unwrap(), &[]);
    browser.take(&answer);
    assert_eq!(browser.get("/admin").status, 200);
    daemon.stop();
}

#[test]
fn the_password_opens_the_pages_until_it_is_guessed_at_too_often() {
    let site = blog("");
    let daemon = Daemon::start(&site, NOW);
    let mut browser = Browser::new(&daemon);
    browser.enter();
    assert_eq!(browser.get("/admin").status, 200);
    assert_eq!(acts(&site), ["password sign in "]);
    let wanted = Browser::new(&daemon).get("/admin/log").header("location").to_owned();
    assert_eq!(wanted, "/admin/sign-in?to=%2Fadmin%2Flog");
    let fields = [("password", PASSWORD), ("to", "/admin/log")];
    assert_eq!(browser.post("/admin/sign-in", &fields).header("location"), "/admin/log");
    for elsewhere in ["https://evil.example/", "//evil.example", "/admin/\r\nX: y", "/editions"] {
        let fields = [("password", PASSWORD), ("to", elsewhere)];
        assert_eq!(browser.post("/admin/sign-in", &fields).header("location"), "/admin");
    }
    let stranger = Browser::new(&daemon);
    let tries: Vec<u16> =
        (0..16).map(|n| stranger.post("/admin/sign-in", &[("password", &n.to_string())]).status).collect();
    assert!(tries[..14].iter().all(|status| *status == 403) && tries[14..] == [429, 429], "{tries:?}");
    assert_eq!(stranger.post("/admin/sign-in", &[("password", PASSWORD)]).status, 429);
    assert_eq!(browser.get("/admin").status, 200, "who is in stays in");
    daemon.clock.set(at("2021-05-20T13:00:01Z"));
    assert_eq!(stranger.post("/admin/sign-in", &[("password", PASSWORD)]).status, 303);
    // Twelve hours are over.
    daemon.clock.set(at("2021-05-21T00:00:00Z"));
    assert_eq!(browser.get("/admin").status, 303);
    daemon.stop();
}

#[test]
fn a_link_opens_the_pages_once_and_looking_at_it_does_not() {
    let site = blog("");
    let daemon = Daemon::start(&site, NOW);
    let mut browser = Browser::new(&daemon);
    let keys = keys(&site);
    let now = at(NOW);
    let minted =
        |keys: &Keys, until: Timestamp| format!("/admin/sign-in/{}", keys.mint(Purpose::SignIn, 77, Some(until)));
    let link = minted(&keys, now + 10.minutes());
    for _ in 0..3 {
        let page = browser.get(&link);
        assert_eq!(page.status, 200);
        assert!(page.body.contains("<button>Sign in</button>") && page.header("set-cookie").is_empty());
    }
    assert_eq!(acts(&site), [""; 0]);
    assert_eq!(browser.post_with(&link, &["Origin: https://evil.example"], &[]).status, 403);
    let other_key = minted(&Keys::new(&[9; 32], &[]), now + 10.minutes());
    let bad = [
        minted(&keys, now),
        minted(&keys, now - 1.second()),
        other_key,
        link[..link.len() - 1].to_owned(),
        format!("/admin/sign-in/{}", keys.mint(Purpose::Preferences, 77, Some(now + 10.minutes()))),
    ];
    for bad in &bad {
        for answer in [browser.get(bad), browser.post(bad, &[])] {
            assert_eq!(answer.status, 403, "{bad}");
            assert!(answer.header("set-cookie").is_empty());
        }
    }
    let answer = browser.post(&link, &[]);
    assert_eq!((answer.status, answer.header("location")), (303, "/admin"));
    browser.take(&answer);
    assert_eq!(browser.get("/admin").status, 200);
    for again in [browser.get(&link), browser.post(&link, &[])] {
        assert_eq!(again.status, 403);
        assert!(again.body.contains("used before") && again.header("set-cookie").is_empty());
    }
    assert_eq!(acts(&site), ["link sign in "]);
    // Signed out, the cookie is good for nothing, wherever it was kept.
    let word = browser.word();
    let out = browser.post("/admin/sign-out", &[("word", word.as_str())]);
    assert_eq!((out.status, out.header("location")), (303, "/admin/sign-in"));
    assert_eq!(browser.get("/admin").status, 303);
    assert_eq!(acts(&site), ["link sign out ", "link sign in "]);
    daemon.stop();
}

#[test]
fn a_form_from_elsewhere_or_without_the_session_s_word_does_nothing() {
    let site = blog("");
    born(&site, "2021-04-10T00:00:00Z");
    let daemon = Daemon::start(&site, NOW);
    finished(&site, 1);
    let (mut browser, mut other) = (Browser::new(&daemon), Browser::new(&daemon));
    browser.enter();
    other.enter();
    let (word, foreign) = (browser.word(), other.word());
    assert_ne!(word, foreign);
    let before = everything(&site);
    let here = format!("Origin: http://{}", browser.address);
    for path in [
        "/admin/next/release",
        "/admin/next/cancel",
        "/admin/next/test",
        "/admin/editions/2021-04/pause",
        "/admin/editions/2021-04/resume",
        "/admin/editions/2021-04/cancel",
        "/admin/editions/2021-04/retry",
        "/admin/sign-out",
    ] {
        let form =
            |word: &'static str| [("word", word), ("period", "2021-04"), ("which", "failed"), ("to", "ed@example.net")];
        let right = [("word", word.as_str()), ("period", "2021-04"), ("which", "failed"), ("to", "ed@example.net")];
        let theirs = [("word", foreign.as_str()), ("period", "2021-04")];
        for (headers, fields) in [
            (&[here.as_str()][..], &form("")[..]),
            (&[here.as_str()], &form("0123456789abcdef0123456789abcdef")),
            (&[here.as_str()], &theirs),
            (&["Origin: https://evil.example"], &right),
            (&["Origin: null"], &right),
            (&["Origin: http://127.0.0.1:1"], &right),
            (&["Sec-Fetch-Site: cross-site"], &right),
            (&["Sec-Fetch-Site: same-site"], &right),
        ] {
            assert_eq!(browser.post_with(path, headers, fields).status, 403, "{path} {headers:?}");
        }
    }
    assert_eq!(everything(&site), before);
    assert_eq!(browser.get("/admin").status, 200, "still in");
    daemon.stop();
}

#[test]
fn no_page_changes_anything_and_none_shows_a_mail_outside_its_sandbox() {
    let site = blog("");
    born(&site, "2021-04-10T00:00:00Z");
    let daemon = Daemon::start(&site, NOW);
    finished(&site, 1);
    let mut browser = Browser::new(&daemon);
    browser.enter();
    let before = everything(&site);
    let fingerprint = browser.get("/admin/next").body;
    assert!(fingerprint.contains("The next edition"));
    let more = [
        "/admin/editions/2021-04",
        "/admin/editions/2021-04/html",
        "/admin/editions/2021-04/cancel",
        "/admin/readers?q=ada",
        "/admin/readers/1",
        "/admin/readers/growth.svg",
        "/admin/next/source?download=yes",
        "/admin/log?before=5",
        "/admin?done=1",
        "/admin/style.css",
    ];
    for path in INSIDE.into_iter().chain(more) {
        let answer = browser.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        let policy = answer.header("content-security-policy");
        let framed = path.ends_with("/html");
        assert_eq!(policy.starts_with("sandbox;"), framed, "{path}: {policy}");
        assert!(
            policy.contains("default-src 'none'") && answer.header("x-content-type-options") == "nosniff",
            "{path}"
        );
        assert_ne!(answer.header("referrer-policy"), "", "{path}");
        assert!(path == "/admin/style.css" || answer.header("cache-control") == "no-store", "{path}");
    }
    assert_eq!(everything(&site), before);
    let reader = browser.get("/admin/readers/1").body;
    assert!(
        reader.contains("ada@example.org") && reader.contains("2021-04") && reader.contains("accepted"),
        "{reader}"
    );
    let found = browser.get("/admin/readers?q=GRACE").body;
    assert!(found.contains("grace@example.org") && !found.contains("ada@example.org"), "{found}");
    for nothing in [
        "/admin/readers/99",
        "/admin/readers/abc",
        "/admin/editions/1999-01",
        "/admin/editions/letter-00c0ffee00c0ffee",
        "/admin/other",
    ] {
        assert_eq!(browser.get(nothing).status, 404, "{nothing}");
    }
    daemon.stop();
}

#[test]
fn each_button_says_what_it_did_and_is_written_down() {
    let site = blog("");
    born(&site, "2021-04-10T00:00:00Z");
    let daemon = Daemon::start(&site, "2021-05-20T12:00:00Z");
    finished(&site, 1);
    let mut browser = Browser::new(&daemon);
    browser.enter();
    // The edition of April went out by itself; one that is finished can neither pause nor be called off.
    let word = browser.word();
    for act in ["pause", "resume", "cancel"] {
        let answer = browser.post(&format!("/admin/editions/2021-04/{act}"), &[("word", word.as_str())]);
        assert_eq!(answer.status, 409, "{}", answer.body);
    }
    assert_eq!(acts(&site), ["password sign in "]);
    let page = browser.press("/admin/next/test", &[("period", "2021-05"), ("to", "ed@example.net")]);
    assert!(page.body.contains("A copy is sent"), "{}", page.body);
    let to_editor = until("the copy", || {
        let mails: Vec<String> = site.mails().iter().map(|name| site.read(&format!("mail/{name}"))).collect();
        mails.into_iter().find(|mail| mail.contains("ed@example.net"))
    });
    assert!(to_editor.contains("List-Unsubscribe"), "{to_editor}");
    let stranger = [("word", word.as_str()), ("period", "2021-05"), ("to", "stranger@example.net")];
    assert_eq!(browser.post("/admin/next/test", &stranger).status, 409);
    // Something that can still be stopped.
    reopened(&site);
    let page = browser.press("/admin/editions/2021-04/pause", &[]);
    assert!(page.body.contains("is paused") && page.body.contains(">Resume<"), "{}", page.body);
    assert!(browser.get("/admin").body.contains("somebody paused it"));
    let page = browser.press("/admin/editions/2021-04/retry", &[("which", "deferred")]);
    assert!(page.body.contains("1 delivery of the deferred ones"), "{}", page.body);
    let question = browser.get("/admin/editions/2021-04/cancel");
    assert!(question.body.contains("what is not out (1 delivery) is not sent"), "{}", question.body);
    let page = browser.press("/admin/editions/2021-04/cancel", &[]);
    assert!(page.body.contains("is called off") && !page.body.contains(">Resume<"), "{}", page.body);
    assert_eq!(site.json("digest list")[0]["state"], "cancelled");
    assert_eq!(
        acts(&site),
        [
            "password digest cancel 2021-04",
            "password outbox retry 2021-04",
            "password digest pause 2021-04",
            "password digest test 2021-05",
            "password sign in ",
        ]
    );
    let log = browser.get("/admin/log").body;
    assert!(log.contains("(e…@e….net)") && !log.contains("ed@example.net"), "{log}");
    daemon.stop();
}

/// Makes April's edition an open one again, with a delivery that is put off for a year.
fn reopened(site: &Site) {
    use gazetted::domain::edition::EditionKey;
    use gazetted::domain::period::Period;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = site.path("gazetted.db").display().to_string();
    let key: EditionKey = Period::parse("2021-04").unwrap().into();
    runtime.block_on(async {
        use sqlx::Connection as _;
        let mut db = sqlx::SqliteConnection::connect(&format!("sqlite:{database}")).await.unwrap();
        let later = at("2022-05-20T12:00:00Z").as_microsecond();
        let deferred = "UPDATE deliveries SET state = 'deferred', due_at = $1 WHERE edition = $2 AND subscriber = 1";
        sqlx::query(deferred).bind(later).bind(key.to_string()).execute(&mut db).await.unwrap();
        let open = "UPDATE editions SET state = 'open', finished_at = NULL WHERE period = $1";
        sqlx::query(open).bind(key.to_string()).execute(&mut db).await.unwrap();
        db.close().await.unwrap();
    });
}

#[test]
fn what_commands_do_is_written_down_with_masked_addresses() {
    let site = blog("");
    born(&site, "2021-03-10T00:00:00Z");
    site.ok("digest open 2021-04");
    site.ok("digest pause");
    site.ok("digest resume");
    site.ok("digest test 2021-05 --to somebody@example.net");
    site.ok("digest cancel 2021-04");
    site.ok("outbox retry");
    site.ok("outbox flush");
    site.ok("subscribers remove ada@example.org");
    site.ok("subscribers erase grace@example.org");
    let log = site.json("admin log");
    let did: Vec<&str> = log.as_array().unwrap().iter().map(|act| act["act"].as_str().unwrap()).collect();
    assert_eq!(
        did,
        [
            "subscribers erase",
            "subscribers remove",
            "outbox flush",
            "outbox retry",
            "digest cancel",
            "digest test",
            "digest resume",
            "digest pause",
            "digest open"
        ]
    );
    assert_eq!((&log[0]["subject"], &log[4]["subject"]), (&json!("g…@e….org"), &json!("2021-04")));
    assert!(log[0]["who"].as_str().unwrap().starts_with("command line, "), "{log}");
    let table = site.ok("admin log").out;
    assert!(table.contains("digest test") && !table.contains("@example"), "{table}");
    assert_eq!(site.json("admin log --limit 1").as_array().unwrap().len(), 1);
}

#[test]
fn a_link_needs_somewhere_to_lead_to() {
    let site = site().post("2021-05-05-may.md", text("May", "Sun."));
    let refused = site.run("admin link");
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("`http.admin`"), "{}", refused.err);
}

/// `store`: more of the configuration.
fn an_edition_waits_for_its_release(store: &str) {
    let site = blog(&format!("approval = \"manual\"\n{store}"));
    born(&site, "2021-05-10T00:00:00Z");
    let daemon = Daemon::start(&site, "2021-05-31T12:00:00Z");
    let mut browser = Browser::new(&daemon);
    browser.enter();
    let page = browser.get("/admin/next").body;
    assert!(page.contains("Its period ends on 2021-05-31") && !page.contains("Release…"), "{page}");
    let mails = |what: &str| -> Vec<String> {
        let all = site.mails().into_iter().map(|name| site.read(&format!("mail/{name}")));
        all.filter(|mail| header(mail, "Subject").contains(what)).collect()
    };

    // Due: the editor is asked, once, and nobody else hears of it.
    daemon.clock.set(at("2021-06-01T09:00:30Z"));
    let asked = until("the preview", || mails("[Preview]").pop());
    daemon.beats();
    assert_eq!((site.mails().len(), site.json("digest list")), (1, json!([])));
    assert!(header(&asked, "To").contains("ed@example.net"), "{asked}");
    let whole = mail_parser::MessageParser::new().parse(asked.as_bytes()).unwrap();
    for part in [whole.body_text(0).unwrap(), whole.body_html(0).unwrap()] {
        assert!(part.contains("http://127.0.0.1:8081/admin/next?period=2021-05"), "{part}");
        assert!(part.to_lowercase().contains("a preview, for editors only") && part.contains("May"), "{part}");
    }

    // Nobody answers: one reminder after three days.
    daemon.clock.set(at("2021-06-04T09:00:00Z"));
    daemon.beats();
    assert_eq!(site.mails().len(), 1);
    daemon.clock.set(at("2021-06-04T09:01:00Z"));
    until("the reminder", || mails("still waits").pop());
    daemon.clock.set(at("2021-06-08T10:00:00Z"));
    daemon.beats();
    assert_eq!((site.mails().len(), site.json("digest list")), (2, json!([])));

    // What is released is what was looked at, or nothing.
    let page = browser.get("/admin");
    assert_eq!(page.status, 303, "twelve hours are over");
    browser.enter();
    assert!(browser.get("/admin").body.contains("waits for your word"));
    let page = browser.get("/admin/next");
    let old = page.field("fingerprint").to_owned();
    site.save("_posts/2021-05-06-more.md", text("More of May", "Late sun."));
    until("the other post", || Some(()).filter(|()| browser.get("/admin/next").body.contains("More of May")));
    let word = browser.word();
    let form = |fingerprint: &str| {
        browser.post(
            "/admin/next/release",
            &[("word", word.as_str()), ("period", "2021-05"), ("fingerprint", fingerprint)],
        )
    };
    for fingerprint in [old.as_str(), "", "nothing", &"0".repeat(32)] {
        let refused = form(fingerprint);
        assert_eq!(refused.status, 409, "{}", refused.body);
        assert!(refused.body.to_lowercase().contains("it has changed"), "{}", refused.body);
    }
    assert_eq!(browser.get(&format!("/admin/next/release?period=2021-05&fingerprint={old}")).status, 409);
    assert_eq!((site.json("digest list"), site.mails().len()), (json!([]), 2));

    let fresh = browser.get("/admin/next").field("fingerprint").to_owned();
    let question = browser.get(&format!("/admin/next/release?period=2021-05&fingerprint={fresh}"));
    assert!(question.body.contains("goes out to 2 readers"), "{}", question.body);
    assert_eq!(site.json("digest list"), json!([]), "a GET opens nothing");
    let done = form(question.field("fingerprint"));
    assert_eq!(done.status, 303, "{}", done.body);
    assert!(browser.get(done.header("location")).body.contains("is released: 2 posts to 2 readers"));
    let list = finished(&site, 1);
    assert_eq!((&list[0]["accepted"], &list[0]["posts"]), (&json!(2), &json!(2)));
    assert_eq!(site.mails().len(), 4);
    assert_eq!(acts(&site)[0], "password digest release 2021-05");
    let again = form(question.field("fingerprint"));
    assert_eq!(again.status, 409, "{}", again.body);
    daemon.stop();
}

#[test]
fn an_edition_waits_for_its_release_over_sqlite() {
    an_edition_waits_for_its_release("");
}

#[test]
fn an_edition_waits_for_its_release_over_postgresql() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Some(url) = runtime.block_on(fresh_database()) {
        an_edition_waits_for_its_release(&format!("[store]\nurl = \"{url}\"\n"));
    }
}

#[test]
fn an_edition_that_waits_can_be_opened_by_a_command_and_a_month_without_posts_does_not_wait() {
    let site = blog("approval = \"manual\"\n");
    born(&site, "2021-05-10T00:00:00Z");
    let daemon = Daemon::start(&site, "2021-06-01T09:00:30Z");
    until("the preview", || site.mails().pop());
    assert_eq!(site.json("digest open 2021-05")["recipients"], 2);
    daemon.clock.set(at("2021-07-01T09:00:30Z"));
    let list = until("June to be decided", || {
        let list = site.json("digest list");
        (list.as_array().unwrap().len() == 2).then_some(list)
    });
    let june = list.as_array().unwrap().iter().find(|edition| edition["period"] == "2021-06").unwrap();
    assert_eq!(june["state"], "skipped");
    daemon.beats();
    assert_eq!(site.mails().len(), 1, "nobody was asked about June, nor again about May");
    daemon.stop();
}

/// Its posts are as those of one that is called off: no later month has them, whoever turned it down.
#[test]
fn an_edition_that_waits_can_be_turned_down_on_the_page_and_by_a_command() {
    let site = blog("approval = \"manual\"\ncatch_up = \"9999d\"\n");
    born(&site, "2021-05-10T00:00:00Z");
    let daemon = Daemon::start(&site, "2021-05-31T12:00:00Z");
    site.save("_posts/2021-05-20-more.md", text("More of May", "Late sun."));
    let next = |day: &str, title: &str| {
        daemon.clock.set(at(day));
        let mut browser = Browser::new(&daemon);
        browser.enter();
        let page = until(title, || Some(browser.get("/admin/next")).filter(|page| page.body.contains(title)));
        assert_eq!(page.body.contains("More of May"), day < "2021-07", "what was turned down is not late");
        (browser, page)
    };
    let (browser, page) = next("2021-06-01T09:00:30Z", "More of May");
    assert!(page.body.contains("Turn it down…"), "{}", page.body);
    let (shown, word) = (page.field("fingerprint").to_owned(), browser.word());
    until("the preview", || site.mails().pop());
    let question = browser.get(&format!("/admin/next/cancel?period=2021-05&fingerprint={shown}"));
    assert!(question.body.contains("The edition of May 2021 goes to nobody"), "{}", question.body);
    let turn_down = |period: &str, fingerprint: &str| {
        let form = [("word", word.as_str()), ("period", period), ("fingerprint", fingerprint)];
        browser.post("/admin/next/cancel", &form)
    };
    for (period, fingerprint, why) in [
        ("2021-05", "00000000000000000000000000000000", "has changed"),
        ("2021-06", &shown, "does not wait"),
        ("2021-04", &shown, "does not wait"),
    ] {
        let refused = turn_down(period, fingerprint);
        assert!(refused.status == 409 && refused.body.contains(why), "{}", refused.body);
    }
    assert_eq!(site.json("digest list"), json!([]));
    let done = turn_down("2021-05", &shown);
    assert_eq!(done.status, 303, "{}", done.body);
    let said = browser.get(done.header("location")).body;
    assert!(said.contains("is turned down: it goes to nobody, and no later month announces its 2 posts"), "{said}");
    assert_eq!(acts(&site)[0], "password digest cancel 2021-05");
    assert_eq!(turn_down("2021-05", &shown).status, 409);

    site.save("_posts/2021-06-06-june.md", text("Of June", "Rain again."));
    next("2021-07-01T09:00:30Z", "Of June");
    until("the preview of June", || site.mails().into_iter().nth(1));
    let said = site.ok("digest cancel 2021-06").out;
    assert!(said.contains("the edition of June 2021 is turned down"), "{said}");
    assert_eq!(site.run("digest cancel 2021-06").code, 1, "it does not wait any more");
    site.save("_posts/2021-07-07-july.md", text("Of July", "Sun again."));
    let (_, page) = next("2021-08-01T09:00:30Z", "Of July");
    assert!(!page.body.contains("Of June"), "the daemon has seen what the command did: {}", page.body);
    daemon.stop();

    let list = site.json("digest list");
    for edition in list.as_array().unwrap() {
        assert_eq!((&edition["state"], &edition["recipients"]), (&json!("cancelled"), &json!(0)));
    }
    assert!(
        site.mails().iter().all(|name| header(&site.read(&format!("mail/{name}")), "To").contains("ed@example.net"))
    );
    let why = site.ok("why _posts/2021-05-05-may.md").out;
    assert!(why.contains("in the edition 2021-05, which was called off before it went to anybody"), "{why}");
}

#[test]
fn what_the_pre_flight_keeps_back_cannot_be_released_before_it_is_mended() {
    let site = blog("approval = \"manual\"\nsubject = \"{{ '{' ~ '{' }} May\"\n");
    born(&site, "2021-05-10T00:00:00Z");
    let daemon = Daemon::start(&site, "2021-06-01T09:00:30Z");
    let mut browser = Browser::new(&daemon);
    browser.enter();
    let page = until("the edition to wait", || {
        let page = browser.get("/admin/next");
        page.body.contains("Before it goes out").then_some(page)
    });
    assert!(page.body.contains("what a template should have filled in"), "{}", page.body);
    assert!(!page.body.contains("Release…"), "there is no button: {}", page.body);
    // Whoever makes a form of their own is told the same.
    let fingerprint =
        page.body.split_once("name=\"fingerprint\" value=\"").map_or("0", |(_, rest)| rest.split('"').next().unwrap());
    let word = browser.word();
    let refused = browser
        .post("/admin/next/release", &[("word", word.as_str()), ("period", "2021-05"), ("fingerprint", fingerprint)]);
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert!(refused.body.contains("must be mended"), "{}", refused.body);
    assert_eq!(site.json("digest list"), json!([]));
    assert!(acts(&site).iter().all(|act| !act.contains("release")), "{:?}", acts(&site));
    daemon.stop();
}
