//! Where posts lie: a disk that is taken away, and writers that stop in the middle.

use std::collections::BTreeSet;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use super::program::{Program, ask, blog};
use super::site::{Site, text, until};
use super::{is_root, pass};

fn feed(program: &Program) -> Value {
    let (status, body) = until("an answer", || ask(program.address, "GET /feed.json", ""));
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

fn titles(program: &Program) -> BTreeSet<String> {
    feed(program)["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

fn mount(words: &[&str], at: &Path) {
    let done = Command::new("mount").args(words).arg(at).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn unmount(at: &Path) {
    assert!(Command::new("umount").arg("-l").arg(at).status().unwrap().success());
}

/// FAULTS F15: a disk of posts that is unmounted leaves an empty folder behind.
#[test]
fn a_disk_of_posts_that_is_unmounted_leaves_the_feeds_alone_and_no_digest_of_nothing_is_sent() {
    if !is_root() {
        return;
    }
    let mut site = blog().config("[digest]\nwhen_empty = \"send\"\n");
    for day in 10..16 {
        site = site.post(&format!("2021-04-{day}-post.md"), text(&format!("Day {day}"), "Words."));
    }
    site.ok("subscribers add ada@example.org");
    let posts = site.path("_posts");
    site.rename("_posts", "disk");
    std::fs::create_dir(&posts).unwrap();
    let disk = site.path("disk");
    mount(&["--bind", disk.to_str().unwrap()], &posts);
    let program = Program::start(&site);
    assert_eq!(titles(&program).len(), 8);
    for round in 1..=2 {
        unmount(&posts);
        program.signal(Signal::HUP);
        program.until_logged_times("nothing is published: 0 of 8", round);
        for _ in 0..20 {
            assert_eq!(titles(&program).len(), 8);
            pass(Duration::from_millis(50));
        }
        let opened = site.run("digest open 2021-04 --now");
        assert_eq!(opened.code, 1, "{}", opened.out);
        mount(&["--bind", disk.to_str().unwrap()], &posts);
    }
    site.save("disk/2021-05-06-back.md", text("Back", "Words."));
    program.signal(Signal::HUP);
    until("the disk to be read again", || titles(&program).contains("Back").then_some(()));
    println!("{}", program.log());
    assert_eq!(program.exit(Signal::TERM), Some(0));
    assert_eq!((site.json("digest list"), site.mails().len()), (serde_json::json!([]), 0));
    unmount(&posts);
}

const LINES: usize = 400;

/// A post whose every line says which version it is.
fn version(n: usize) -> String {
    text(&format!("Saved {n:06}"), &format!("version {n:06} of this line, as long as lines are\n").repeat(LINES))
}

fn slowly(file: &mut std::fs::File, text: &str, stall: Duration) {
    let (first, second) = text.split_at(text.len() / 2);
    file.write_all(first.as_bytes()).unwrap();
    pass(stall);
    file.write_all(second.as_bytes()).unwrap();
}

fn truncate(path: &Path, text: &str, stall: Duration) {
    slowly(&mut std::fs::File::create(path).unwrap(), text, stall);
}

fn rename(path: &Path, text: &str, stall: Duration) {
    let beside = path.with_extension("md.tmp");
    truncate(&beside, text, stall);
    std::fs::rename(beside, path).unwrap();
}

fn move_away(path: &Path, text: &str, stall: Duration) {
    let _ = std::fs::rename(path, path.with_extension("md~"));
    truncate(path, text, stall);
}

fn in_place(path: &Path, text: &str, stall: Duration) {
    let mut file = std::fs::File::options().write(true).create(true).truncate(false).open(path).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    slowly(&mut file, text, stall);
}

/// The version served; fails if it is made of two, or of a part of one.
fn whole(program: &Program) -> Option<String> {
    let feed = feed(program);
    let mut items = feed["items"].as_array().unwrap().iter();
    let item = items.find(|item| item["title"].as_str().unwrap().starts_with("Saved"))?;
    let title = item["title"].as_str().unwrap().trim_start_matches("Saved ").to_owned();
    let html = item["content_html"].as_str().unwrap();
    let seen: Vec<&str> = html.split("version ").skip(1).map(|rest| &rest[..6]).collect();
    assert!(seen.len() == LINES && seen.iter().all(|n| *n == title), "{title} is served in part: {} lines", seen.len());
    Some(title)
}

/// FAULTS F1, F2: twenty saves a second for ten seconds, then a writer that stops in the middle for as long as files are not yet
/// believed that nobody closed.
#[test]
fn whichever_way_a_post_is_saved_and_however_long_that_takes_no_part_of_it_is_served() {
    for (name, save) in [
        ("truncate", truncate as fn(&Path, &str, Duration)),
        ("rename", rename),
        ("move away", move_away),
        ("in place", in_place),
    ] {
        let site: Site = blog().post("2021-05-07-saved.md", version(0));
        let program = Program::start(&site);
        let path = site.path("_posts/2021-05-07-saved.md");
        let (mut saves, mut served, started) = (0, BTreeSet::new(), Instant::now());
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                while started.elapsed() < Duration::from_secs(10) {
                    saves += 1;
                    save(&path, &version(saves), Duration::from_millis(10));
                    pass(Duration::from_millis(40));
                }
                saves += 1;
                save(&path, &version(saves), Duration::from_millis(1_200));
            });
            while !writer.is_finished() {
                served.extend(whole(&program));
            }
            writer.join().unwrap();
        });
        until("the last version", || whole(&program).filter(|version| *version == format!("{saves:06}")));
        println!("{name}: {saves} saves, {} versions served", served.len());
        assert_eq!(program.exit(Signal::TERM), Some(0));
    }
}

/// FAULTS F2: longer than that, a feed may show half a text until the rest is there; no digest takes it.
#[test]
fn a_post_whose_writer_stops_for_long_in_the_middle_is_in_no_digest() {
    let site = blog();
    site.ok("subscribers add ada@example.org");
    let program = Program::start(&site);
    let path = site.path("_posts/2021-05-07-saved.md");
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| truncate(&path, &version(1), Duration::from_secs(5)));
        while !writer.is_finished() {
            site.run("digest open 2021-05");
            assert_eq!(site.json("digest list"), serde_json::json!([]), "what is half written goes out");
        }
        writer.join().unwrap();
    });
    until("the whole post", || (whole_or_none(&program) == Some("000001".into())).then_some(()));
    assert_eq!(site.mails().len(), 0);
    assert_eq!(program.exit(Signal::TERM), Some(0));
}

fn whole_or_none(program: &Program) -> Option<String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| whole(program))).ok().flatten()
}
