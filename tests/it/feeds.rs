//! What readers hold us to: nothing moves unless it changed, ids never do, all three formats say the same.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::SystemTime;

use quick_xml::events::Event;
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::site::{LEAST, Site, ran, site, text};

fn blog() -> Site {
    site()
        .post("2021-01-05-one.md", "---\ntitle: One & <only>\ntags: [wood]\nauthor: Ada\n---\nFirst *words*.\n")
        .post("2021-02-05-two.md", "---\ntitle: Two\ntags: [wood, iron]\n---\nSecond.\n")
        .post("2021-03-05-three.md", "---\ntitle: Three\n---\nThird, see [one]({% post_url 2021-01-05-one %}).\n")
}

/// Bytes and time of every file of the output.
fn state(site: &Site) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
    let whole = |name: String| {
        let path = site.path("public").join(&name);
        (name, (std::fs::read(&path).unwrap(), path.metadata().unwrap().modified().unwrap()))
    };
    site.files("public").into_iter().map(whole).collect()
}

fn feed(site: &Site) -> Value {
    serde_json::from_str(&site.read("public/feed.json")).unwrap()
}

/// One entry of the JSON feed by its title.
fn entry(site: &Site, title: &str) -> Value {
    let feed = feed(site);
    let found = feed["items"].as_array().unwrap().iter().find(|item| item["title"] == title);
    found.unwrap_or_else(|| panic!("no `{title}` in {feed:#}")).clone()
}

fn build(site: &Site) -> Value {
    site.json("build")
}

// Invariant 3.

#[test]
fn a_second_build_touches_nothing() {
    let site = blog();
    build(&site);
    let before = state(&site);
    assert_eq!(build(&site)["files_written"], 0);
    assert_eq!(state(&site), before);
    let elsewhere = ran(site.command(&["build", "--json"]).env("TZ", "Pacific/Kiritimati").env("LANG", "de_DE.UTF-8"));
    assert_eq!(elsewhere.json()["files_written"], 0);
    for name in ["2021-01-05-one.md", "2021-02-05-two.md"] {
        site.age(&format!("_posts/{name}"));
    }
    assert_eq!(build(&site)["files_written"], 0);
    assert_eq!(state(&site), before);
}

#[test]
fn a_new_store_builds_the_same_bytes() {
    let site = blog();
    build(&site);
    let before = state(&site);
    for name in site.files("").iter().filter(|name| name.starts_with("gazetted.db")) {
        site.remove(name);
    }
    assert_eq!(build(&site)["files_written"], 0);
    assert_eq!(state(&site), before);
}

#[test]
fn a_file_somebody_spoiled_is_written_again() {
    let site = blog();
    build(&site);
    let before = site.read("public/atom.xml");
    site.save("public/atom.xml", "spoiled");
    site.remove("public/feed.json");
    assert_eq!(build(&site)["files_written"], 2);
    assert_eq!(site.read("public/atom.xml"), before);
}

/// Every page of gists that a build has left, changed.
async fn change_gists(site: &Site, change: impl Fn(String) -> Vec<u8>) -> usize {
    let file = site.path("gazetted.db");
    let mut db = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    let pages: Vec<(i64, Vec<u8>)> = sqlx::query_as("SELECT page, posts FROM gists").fetch_all(&mut db).await.unwrap();
    for (page, posts) in &pages {
        let json = String::from_utf8(zstd::decode_all(&posts[..]).unwrap()).unwrap();
        let changed = sqlx::query("UPDATE gists SET posts = $2 WHERE page = $1").bind(page).bind(change(json));
        changed.execute(&mut db).await.unwrap();
    }
    db.close().await.unwrap();
    pages.len()
}

#[tokio::test]
async fn what_has_not_changed_is_not_parsed_again() {
    let site = blog();
    build(&site);
    // A title that is in no file: it can come from nowhere else.
    let uno = |json: String| zstd::encode_all(json.replace("One & <only>", "Uno").as_bytes(), 1).unwrap();
    assert!(change_gists(&site, uno).await > 0);
    site.remove("public/atom.xml");
    build(&site);
    assert!(site.read("public/atom.xml").contains("<title>Uno</title>"));
    // By other rules it means something else.
    site.save("gazetted.toml", LEAST.replace("[posts]", "time_zone = \"Asia/Tokyo\"\n[posts]"));
    build(&site);
    let atom = site.read("public/atom.xml");
    assert!(atom.contains("<title>One &amp; &lt;only&gt;</title>") && !atom.contains("Uno"), "{atom}");
}

#[tokio::test]
async fn gists_that_cannot_be_read_cost_time_and_nothing_else() {
    let site = blog();
    build(&site);
    let before = state(&site);
    for spoiled in [&b""[..], b"spoiled", b"\x28\xb5\x2f\xfd\x24\x01\x09\x00\x00\x7b"] {
        assert!(change_gists(&site, |_| spoiled.to_vec()).await > 0);
        assert_eq!(build(&site)["files_written"], 0);
        assert_eq!(state(&site), before);
    }
    assert!(change_gists(&site, String::into_bytes).await > 0, "they have been put right");
}

// FAULTS F17.

#[test]
fn the_bytes_decide_whatever_a_files_time_and_length_say() {
    let site = blog();
    build(&site);
    let path = site.path("_posts/2021-02-05-two.md");
    let saved = path.metadata().unwrap().modified().unwrap();
    site.save("_posts/2021-02-05-two.md", "---\ntitle: Owt\ntags: [wood, iron]\n---\nSecond.\n");
    std::fs::File::options().read(true).open(&path).unwrap().set_modified(saved).unwrap();
    build(&site);
    assert_eq!(entry(&site, "Owt")["url"], "https://blog.example.org/2021/02/05/two.html");
}

// Invariant 2.

#[test]
fn an_id_survives_whatever_happens_to_its_post() {
    let site = blog();
    build(&site);
    let id = entry(&site, "Two")["id"].clone();
    site.rename("_posts/2021-02-05-two.md", "_posts/2021-02-05-deux.md");
    build(&site);
    assert_eq!(entry(&site, "Two")["id"], id, "renamed");
    assert_eq!(entry(&site, "Two")["url"], "https://blog.example.org/2021/02/05/deux.html");
    site.save("_posts/2021-02-05-deux.md", "---\ntitle: Two\ntags: [wood, iron]\ndate: 2021-02-20\n---\nSecond.\n");
    build(&site);
    assert_eq!(entry(&site, "Two")["id"], id, "re-dated");
    site.save("_posts/2021-02-05-deux.md", "---\ntitle: Two!\ntags: [wood, iron]\ndate: 2021-02-20\n---\nSecond.\n");
    build(&site);
    assert_eq!(entry(&site, "Two!")["id"], id, "another title");
    site.save("gazetted.toml", format!("{LEAST}permalink = \"/:year/:title/\"\n"));
    build(&site);
    assert_eq!(entry(&site, "Two!")["id"], id, "another permalink");
    assert_eq!(entry(&site, "Two!")["url"], "https://blog.example.org/2021/deux/");
}

#[test]
fn a_post_that_comes_back_has_its_id_again() {
    let site = blog();
    build(&site);
    let id = entry(&site, "Two")["id"].clone();
    let words = site.read("_posts/2021-02-05-two.md");
    site.remove("_posts/2021-02-05-two.md");
    build(&site);
    assert_eq!(feed(&site)["items"].as_array().unwrap().len(), 2);
    site.save("_posts/2021-02-06-two-again.md", words);
    build(&site);
    assert_eq!(entry(&site, "Two")["id"], id);
}

// When an entry is new again.

#[test]
fn updated_moves_with_the_visible_text_only() {
    let site = blog();
    build(&site);
    let updated = |site: &Site| entry(site, "Two")["date_modified"].as_str().unwrap().to_owned();
    let first = updated(&site);
    for noise in [
        "---\ntitle: Two\ntags: [wood, iron]\nlayout: wide\n---\nSecond.\n",
        "---\ntitle: \"Two\"\ntags: [wood, iron] # a comment\n---\n\n\nSecond.   \n\n",
        "---\ntitle: Two\ntags: [wood, iron]\n---\nSecond.\n<!-- a note -->\n",
    ] {
        site.save("_posts/2021-02-05-two.md", noise);
        build(&site);
        assert_eq!(updated(&site), first, "{noise}");
    }
    site.save("_posts/2021-02-05-two.md", "---\ntitle: Two\ntags: [wood, iron]\n---\nSecond thoughts.\n");
    build(&site);
    let second = updated(&site);
    assert!(second > first, "{second} {first}");
    build(&site);
    site.age("_posts/2021-02-05-two.md");
    build(&site);
    assert_eq!(updated(&site), second);
}

#[test]
fn a_scheduled_post_is_in_no_feed_yet() {
    let site = blog().post("2199-01-01-later.md", text("Later", "Not yet."));
    build(&site);
    for name in ["feed.xml", "atom.xml", "feed.json"] {
        assert!(!site.read(&format!("public/{name}")).contains("Later"), "{name}");
    }
}

// Files that come and go.

#[test]
fn a_tag_that_disappears_takes_its_files_with_it() {
    let site = blog();
    build(&site);
    assert!(site.exists("public/tags/iron/feed.xml"));
    site.save("public/tags/iron/own.html", "the operator's");
    site.save("public/own.html", "the operator's");
    site.save("_posts/2021-02-05-two.md", "---\ntitle: Two\ntags: [wood]\n---\nSecond.\n");
    build(&site);
    assert!(!site.exists("public/tags/iron/feed.xml") && site.exists("public/tags/wood/feed.xml"));
    assert!(site.exists("public/own.html") && site.exists("public/tags/iron/own.html"));
    assert!(!site.read("public/feeds.opml").contains("iron"));
}

#[test]
fn what_somebody_has_put_at_an_old_address_of_ours_is_theirs() {
    let site = blog();
    build(&site);
    site.save("public/feed.xml", "the operator's");
    let config = site.read("gazetted.toml");
    site.save("gazetted.toml", format!("{config}[feeds]\nrss = \"rss.xml\"\natom = \"index.atom\"\n"));
    build(&site);
    assert_eq!(site.read("public/feed.xml"), "the operator's");
    assert!(site.exists("public/rss.xml") && !site.exists("public/atom.xml"));
}

#[test]
fn the_last_good_file_stays_if_a_feed_cannot_be_written_and_the_others_go_on() {
    let site = blog();
    build(&site);
    let before = site.read("public/feed.xml");
    std::fs::create_dir(site.path("public/.feed.xml.gazetted-tmp")).unwrap();
    site.remove("public/tags/iron/atom.xml");
    site.save("public/tags/iron/atom.xml/index.html", "somebody's");
    site.save("_posts/2021-04-05-four.md", text("Four", "Fourth."));
    let ran = site.run("build");
    assert_eq!(ran.code, 1);
    for file in ["feed.xml", "tags/iron/atom.xml"] {
        let problem = format!("{file}:1:1: error: cannot be written: Is a directory");
        assert!(ran.err.contains(&problem), "{problem}: {}", ran.err);
    }
    assert_eq!(site.read("public/feed.xml"), before);
    assert!(site.read("public/atom.xml").contains("Four"));
    std::fs::remove_dir(site.path("public/.feed.xml.gazetted-tmp")).unwrap();
    std::fs::remove_dir_all(site.path("public/tags/iron/atom.xml")).unwrap();
    build(&site);
    assert!(site.read("public/feed.xml").contains("Four") && site.exists("public/tags/iron/atom.xml"));
}

#[test]
fn a_tag_of_any_length_stops_no_feed() {
    let list = "python, dask, arrays, ".repeat(14);
    let site = blog().post("2021-04-05-four.md", format!("---\ntitle: Four\ntags: [\"{list}\"]\n---\nFourth.\n"));
    build(&site);
    assert!(site.read("public/feed.xml").contains("Four"));
    let cut = site.files("public").into_iter().find(|file| file.starts_with("tags/python-dask-arrays")).unwrap();
    assert!(cut.len() < 100, "{cut}");
    assert_eq!(build(&site)["files_written"], 0);
}

#[test]
fn past_the_limit_archives_hold_the_rest() {
    let mut site = site().config("[feeds]\nlimit = 3\n");
    for n in 1..=10 {
        site = site.post(&format!("2021-01-{n:02}-post.md"), text(&format!("Number {n}"), "Words."));
    }
    build(&site);
    let mut seen = Vec::new();
    let mut next = Some("atom.xml".to_owned());
    let mut pages = 0;
    while let Some(name) = next {
        let atom = read(&site.read(&format!("public/{name}")));
        seen.extend(atom.all("entry/id"));
        next =
            atom.links("prev-archive").pop().map(|url| url.trim_start_matches("https://blog.example.org/").to_owned());
        pages += 1;
        assert!(pages <= 10, "the archives go round in circles");
    }
    let mut unique = seen.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), 10, "{seen:#?}");
    assert_eq!(feed(&site)["items"].as_array().unwrap().len(), 3);
    let before: Vec<_> = state(&site).into_iter().filter(|(name, _)| name.starts_with("archive/1/")).collect();
    site.save("_posts/2021-02-01-next.md", text("Next", "Words."));
    build(&site);
    let after: Vec<_> = state(&site).into_iter().filter(|(name, _)| name.starts_with("archive/1/")).collect();
    assert_eq!(after, before, "a full archive is finished for good");
}

// Agreement.

/// What a test wants to know of an XML feed: texts by path below an entry, attributes of links.
#[derive(Default)]
struct Xml {
    texts: Vec<(String, String)>,
    links: Vec<(String, String)>,
}

impl Xml {
    fn all(&self, end: &str) -> Vec<String> {
        self.texts.iter().filter(|(path, _)| path.ends_with(end)).map(|(_, text)| text.clone()).collect()
    }

    fn links(&self, rel: &str) -> Vec<String> {
        self.links.iter().filter(|(r, _)| r == rel).map(|(_, href)| href.clone()).collect()
    }
}

fn read(xml: &str) -> Xml {
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut found, mut path, mut text) = (Xml::default(), Vec::<String>::new(), String::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => {
                path.push(String::from_utf8(tag.name().as_ref().to_vec()).unwrap());
                text.clear();
            }
            Event::Empty(tag) if path.len() <= 2 => {
                let attribute = |name: &str| {
                    tag.try_get_attribute(name).unwrap().map(|a| String::from_utf8(a.value.to_vec()).unwrap())
                };
                found.links.push((attribute("rel").unwrap_or_default(), attribute("href").unwrap_or_default()));
            }
            Event::Text(piece) => text.push_str(&piece.decode().unwrap()),
            Event::CData(piece) => text.push_str(&piece.decode().unwrap()),
            Event::GeneralRef(name) => {
                text.push_str(&quick_xml::escape::unescape(&format!("&{};", name.decode().unwrap())).unwrap());
            }
            Event::End(_) => {
                found.texts.push((path.join("/"), std::mem::take(&mut text)));
                path.pop();
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

fn seconds(date: &str) -> i64 {
    let rfc2822 = || jiff::fmt::rfc2822::parse(date).ok().map(|zoned| zoned.timestamp());
    date.parse::<jiff::Timestamp>().ok().or_else(rfc2822).unwrap_or_else(|| panic!("{date}")).as_second()
}

fn dates(all: &[String]) -> Vec<i64> {
    all.iter().map(|date| seconds(date)).collect()
}

#[test]
fn all_three_formats_hold_the_same_entries() {
    for fixture in ["jekyll", "hugo", "zola"] {
        let site = Site::of(fixture);
        build(&site);
        let json = feed(&site);
        let of = |name: &str| {
            json["items"].as_array().unwrap().iter().map(|i| i[name].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let (rss, atom) = (read(&site.read("public/feed.xml")), read(&site.read("public/atom.xml")));
        assert_eq!(rss.all("item/guid"), of("id"), "{fixture}");
        assert_eq!(atom.all("entry/id"), of("id"), "{fixture}");
        assert_eq!(rss.all("item/link"), of("url"), "{fixture}");
        assert_eq!(atom.all("entry/title"), of("title"), "{fixture}");
        assert_eq!(rss.all("item/title"), of("title"), "{fixture}");
        assert_eq!(dates(&rss.all("item/pubDate")), dates(&of("date_published")), "{fixture}");
        assert_eq!(dates(&atom.all("entry/published")), dates(&of("date_published")), "{fixture}");
        assert_eq!(dates(&atom.all("entry/updated")), dates(&of("date_modified")), "{fixture}");
    }
}

const FEEDPARSER: &str = r"
import feedparser, json, sys
out = []
for name in sys.argv[1:]:
    feed = feedparser.parse(name)
    assert not feed.bozo, (name, feed.bozo_exception)
    out.append([[e.id, e.link, e.title] for e in feed.entries])
print(json.dumps(out))
";

/// Only where the command that runs everything has set Python up.
#[test]
#[expect(clippy::disallowed_methods, reason = "the command that runs everything says so in the environment")]
fn feedparser_reads_both_xml_feeds_alike() {
    let Ok(python) = std::env::var("GAZETTED_TEST_PYTHON") else {
        assert!(std::env::var("GAZETTED_TEST_ALL").is_err(), "GAZETTED_TEST_PYTHON names no Python");
        return;
    };
    let site = Site::of("jekyll");
    build(&site);
    let paths = ["feed.xml", "atom.xml"].map(|name| site.path("public").join(name));
    let parsed = ran(Command::new(python).arg("-c").arg(FEEDPARSER).args(&paths));
    assert_eq!(parsed.code, 0, "{}", parsed.err);
    let both = parsed.json();
    assert_eq!(both[0], both[1]);
    assert_eq!(both[0].as_array().unwrap().len(), feed(&site)["items"].as_array().unwrap().len());
}
