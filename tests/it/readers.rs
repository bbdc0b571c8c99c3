//! What reaches a reader who has chosen: quarters, single posts, some topics, another language, notices. With the daemon in
//! this process and messages as files.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use gazetted::domain::subscriber::{Choice, Frequency};
use gazetted::domain::webhook;
use gazetted::store::{self, SharedStore};
use jiff::Timestamp;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::daemon::{Daemon, ask, at, blog, born, finished, until_served};
use super::site::{LEAST, Site, text, until};

/// What a choice in the store is made with, before the daemon runs.
fn choose(site: &Site, email: &str, choice: &Choice, now: &str) {
    with_store(site, now, async |store| {
        let id = store.subscriber_by_key(email).await.unwrap().unwrap().id;
        assert!(store.choose(id, choice, at(now)).await.unwrap());
    });
}

fn with_store<T>(site: &Site, now: &str, work: impl AsyncFnOnce(SharedStore) -> T) -> T {
    let url = format!("sqlite:{}", site.path("gazetted.db").display());
    Runtime::new().unwrap().block_on(async { work(store::open(&url, at(now)).await.unwrap()).await })
}

/// A message as its reader sees it: the quoted-printable undone.
fn read(site: &Site, name: &str) -> String {
    let raw = site.read(&format!("mail/{name}")).replace("=\r\n", "").replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = raw.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        let byte = escaped.filter(|_| *first == b'=').and_then(|two| u8::from_str_radix(two, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap()
}

/// The messages to this address, by name.
fn to(site: &Site, email: &str) -> Vec<(String, String)> {
    let all = site.mails().into_iter().map(|name| (name.clone(), read(site, &name)));
    all.filter(|(_, mail)| mail.contains(&format!("<{email}>"))).collect()
}

fn names(mails: &[(String, String)]) -> Vec<String> {
    mails.iter().map(|(name, _)| name.rsplit_once('-').unwrap().0.to_owned()).collect()
}

/// The address of one of our pages in a message.
fn link(mail: &str, page: &str) -> String {
    let start =
        mail.find(&format!("https://blog.example.org/{page}/")).unwrap_or_else(|| panic!("no {page} in {mail}"));
    mail[start + "https://blog.example.org".len()..].split(['>', '"', '\n', '\r', ' ']).next().unwrap().to_owned()
}

#[test]
fn a_reader_of_quarters_gets_four_digests_a_year() {
    let site = blog().post("2021-06-05-june.md", text("June", "Heat."));
    born(&site, "2021-04-02T00:00:00Z");
    let quarterly = Choice { frequency: Frequency::Quarterly, ..Choice::default() };
    choose(&site, "grace@example.org", &quarterly, "2021-04-02T00:00:00Z");
    let daemon = Daemon::start(&site, "2021-05-01T10:00:00Z");
    finished(&site, 1);
    for (month, editions) in [("2021-06-01T10:00:00Z", 2), ("2021-07-01T10:00:00Z", 4)] {
        daemon.clock.set(at(month));
        finished(&site, editions);
    }
    daemon.beats();
    daemon.stop();
    assert_eq!(names(&to(&site, "ada@example.org")), ["2021-04", "2021-05", "2021-06"]);
    let quarters = to(&site, "grace@example.org");
    assert_eq!(names(&quarters), ["2021-Q2"]);
    for title in ["April", "May", "June"] {
        // The lead is underlined twice.
        let stands = ["---", "==="].iter().any(|line| quarters[0].1.contains(&format!("\r\n{title}\r\n{line}")));
        assert!(stands, "{title} is missing in {}", quarters[0].1);
    }
    assert!(
        quarters[0].1.contains("Subject: June, and 2 more: Working Notes, second quarter of 2021"),
        "{}",
        quarters[0].1
    );
}

#[test]
fn a_post_goes_out_by_itself_when_it_has_stood_for_an_hour_and_an_accident_does_not() {
    let site = blog();
    born(&site, "2021-05-10T00:00:00Z");
    let posts = Choice { frequency: Frequency::Post, ..Choice::default() };
    choose(&site, "grace@example.org", &posts, "2021-05-11T00:00:00Z");
    let daemon = Daemon::start(&site, "2021-05-12T08:00:00Z");
    site.save("_posts/2021-05-12-news.md", text("News", "Something happened."));
    site.save("_posts/2021-05-12-oops.md", text("Oops", "Not ready."));
    site.save("_posts/2019-01-01-old.md", text("Brought along", "From another blog."));
    until_served(daemon.address, "News");
    until_served(daemon.address, "Oops");
    site.remove("_posts/2021-05-12-oops.md");
    until("the accident's end", || {
        let feed = ask(daemon.address, "GET /feed.json", "")?.1;
        (!feed.contains("Oops")).then_some(())
    });
    daemon.clock.set(at("2021-05-12T08:59:00Z"));
    daemon.beats();
    assert_eq!(site.mails(), Vec::<String>::new());
    daemon.clock.set(at("2021-05-12T09:01:00Z"));
    until("the mail", || (!site.mails().is_empty()).then_some(()));
    daemon.clock.set(at("2021-05-13T12:00:00Z"));
    daemon.beats();
    daemon.clock.set(at("2021-06-01T10:00:00Z"));
    until("the month's digest", || (!to(&site, "ada@example.org").is_empty()).then_some(()));
    daemon.beats();
    daemon.stop();
    let mails = to(&site, "grace@example.org");
    assert_eq!(mails.len(), 1, "{:?}", names(&mails));
    assert!(mails[0].0.starts_with("post-") && mails[0].1.contains("Something happened."), "{}", mails[0].1);
    assert!(mails[0].1.contains("Subject: News") && mails[0].1.contains("List-Unsubscribe-Post"), "{}", mails[0].1);
    let digest = to(&site, "ada@example.org");
    assert_eq!(names(&digest), ["2021-05"]);
    assert!(digest[0].1.contains("News"), "who gets the month still gets it there");
}

#[test]
fn a_reader_gets_their_topics_in_their_language_and_nothing_when_there_is_none() {
    let tagged =
        |title: &str, tag: &str| format!("---\ntitle: {title}\ntags: [{tag}]\nauthor: Ann\n---\nText of {title}.\n");
    let site = blog()
        .post("2021-05-06-feeds.md", tagged("About feeds", "feeds"))
        .post("2021-05-07-goals.md", tagged("About goals", "Goals"));
    born(&site, "2021-05-01T00:00:00Z");
    let choice = |tag: &str| Choice { tags: vec![tag.into()], language: Some("de".into()), ..Choice::default() };
    choose(&site, "grace@example.org", &choice("goals"), "2021-05-02T00:00:00Z");
    choose(&site, "ada@example.org", &choice("cobol"), "2021-05-02T00:00:00Z");
    let daemon = Daemon::start(&site, "2021-06-01T10:00:00Z");
    let list = finished(&site, 1);
    daemon.stop();
    let counts = ["recipients", "accepted", "skipped"].map(|name| list[0][name].as_u64().unwrap());
    assert_eq!((counts, site.mails().len()), ([2, 1, 1], 1));
    let ada = site.json("subscribers show ada@example.org");
    assert_eq!(ada["deliveries"][0]["reply"], "nothing in it is what the subscriber chose");
    let (_, mail) = to(&site, "grace@example.org").remove(0);
    assert!(mail.contains("Content-Language: de") && mail.contains("Mai 2021"), "{mail}");
    assert!(mail.contains("About goals") && !mail.contains("About feeds") && !mail.contains("\r\nMay\r\n"), "{mail}");
    assert!(mail.contains("lang=\"de\""), "{mail}");
}

#[test]
fn from_the_form_to_the_welcome_with_the_latest_edition_and_the_data() {
    let site = blog();
    born(&site, "2021-05-10T00:00:00Z");
    let daemon = Daemon::start(&site, "2021-06-01T10:00:00Z");
    finished(&site, 1);
    assert_eq!(ask(daemon.address, "POST /subscribe", "email=bo%40example.org&language=fr").unwrap().0, 200);
    let mail = until("the question", || to(&site, "bo@example.org").pop()).1;
    assert!(mail.contains("Auto-Submitted: auto-generated") && !mail.contains("List-Unsubscribe"), "{mail}");
    let confirm = link(&mail, "confirm");
    assert_eq!(ask(daemon.address, &format!("GET {confirm}"), "").unwrap().0, 200);
    assert_eq!(site.json("subscribers show bo@example.org")["subscriber"]["state"], "pending");
    assert_eq!(ask(daemon.address, &format!("POST {confirm}"), "").unwrap().0, 200);
    let welcome =
        until("the welcome", || to(&site, "bo@example.org").into_iter().find(|(n, _)| n.starts_with("welcome"))).1;
    assert!(welcome.contains("Content-Language: fr") && welcome.contains("Sun."), "{welcome}");
    assert!(welcome.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"), "{welcome}");
    let preferences = link(&welcome, "preferences");
    assert_eq!(ask(daemon.address, &format!("POST {preferences}"), "act=data").unwrap().0, 200);
    let data = until("the data", || to(&site, "bo@example.org").into_iter().find(|(n, _)| n.starts_with("data"))).1;
    for there in ["filename=\"subscription.json\"", "multipart/mixed"] {
        assert!(data.contains(there), "{there} is missing in {data}");
    }
    daemon.stop();
    let shown = site.json("subscribers show bo@example.org");
    let events: Vec<&str> = shown["history"].as_array().unwrap().iter().map(|h| h["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["asked", "confirmed"]);
    let sent: Vec<&str> =
        shown["deliveries"].as_array().unwrap().iter().map(|d| d["state"].as_str().unwrap()).collect();
    assert_eq!(sent, ["accepted", "accepted", "accepted"]);
}

#[test]
fn mail_sent_after_a_change_of_key_has_links_that_work_and_so_has_older_mail() {
    let site = blog().post("2021-06-05-june.md", text("June", "Heat."));
    born(&site, "2021-05-10T00:00:00Z");
    let daemon = Daemon::start(&site, "2021-06-01T10:00:00Z");
    finished(&site, 1);
    let old = link(&to(&site, "ada@example.org")[0].1, "unsubscribe");
    with_store(&site, "2021-06-01T10:00:00Z", async |store| {
        store.add_token_key(at("2021-06-02T00:00:00Z"), [9; 32]).await.unwrap();
    });
    daemon.beats();
    daemon.clock.set(at("2021-07-01T10:00:00Z"));
    finished(&site, 2);
    let new = link(&to(&site, "ada@example.org")[1].1, "unsubscribe");
    assert_ne!(old, new);
    let state = || site.json("subscribers show ada@example.org")["subscriber"]["state"].clone();
    assert_eq!(ask(daemon.address, &format!("POST {new}"), "List-Unsubscribe=One-Click").unwrap().0, 200);
    assert_eq!(state(), "unsubscribed");
    site.ok("subscribers add ada@example.org --again");
    assert_eq!(ask(daemon.address, &format!("POST {old}"), "List-Unsubscribe=One-Click").unwrap().0, 200);
    assert_eq!(state(), "unsubscribed");
    daemon.stop();
}

/// The lines of a call's head, and its body.
pub type Call = (Vec<String>, String);

/// A receiver that fails the first call and takes the rest.
pub fn receiver() -> (String, Arc<Mutex<Vec<Call>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/hook", listener.local_addr().unwrap());
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&calls);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let head: Vec<String> =
                reader.by_ref().lines().map(|line| line.unwrap()).take_while(|line| !line.is_empty()).collect();
            let length = head.iter().find_map(|l| l.strip_prefix("content-length: ")).unwrap().parse().unwrap();
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let mut seen = seen.lock().unwrap();
            let answer = if seen.is_empty() { "500 Broken" } else { "204 No Content" };
            seen.push((head, String::from_utf8(body).unwrap()));
            let answer = format!("HTTP/1.1 {answer}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, calls)
}

#[test]
fn webhooks_are_told_signed_and_again_until_they_take_it() {
    let (address, calls) = receiver();
    let site = blog();
    site.save("gazetted.toml", format!("{LEAST}[[webhooks]]\nurl = \"{address}\"\nsecret = \"hush\"\n"));
    born(&site, "2021-05-10T00:00:00Z");
    let daemon = Daemon::start(&site, "2021-05-11T10:00:00Z");
    let header = |call: &Call, name: &str| {
        call.0
            .iter()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")))
            .unwrap_or_else(|| panic!("{name}"))
            .to_owned()
    };
    until("the two who were added", || (calls.lock().unwrap().len() >= 2).then_some(()));
    site.ok("subscribers remove grace@example.org");
    until("the one who has left", || (calls.lock().unwrap().len() >= 3).then_some(()));
    daemon.clock.set(at("2021-05-11T10:01:00Z"));
    until("the first once more", || (calls.lock().unwrap().len() >= 4).then_some(()));
    daemon.stop();
    let calls = calls.lock().unwrap();
    assert_eq!(header(&calls[3], "webhook-id"), header(&calls[0], "webhook-id"), "the same event has the same id");
    let mut told: Vec<(String, String)> = Vec::new();
    for call in &calls[1..] {
        let body: Value = serde_json::from_str(&call.1).unwrap();
        let sent = Timestamp::from_second(header(call, "webhook-timestamp").parse().unwrap()).unwrap();
        let signature = webhook::signature("hush", &header(call, "webhook-id"), sent, &call.1);
        assert_eq!(header(call, "webhook-signature"), signature);
        told.push((body["type"].as_str().unwrap().into(), body["data"]["email"].as_str().unwrap().into()));
    }
    told.sort();
    let expected = [("confirmed", "ada"), ("confirmed", "grace"), ("unsubscribed", "grace")];
    assert_eq!(told, expected.map(|(event, name)| (event.to_owned(), format!("{name}@example.org"))));
}
