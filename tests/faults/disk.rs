//! Small disks of a real file system, and mounts that are read-only.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::is_root;
use super::postgres::{has, left_out};
use super::program::{Program, ask, blog};
use super::site::{Site, ran, text, until};
use super::trial::{DAEMON, Trial, patiently, slow, usual};

const STATE: &str = "sqlite:state/gazetted.db";

/// What is mounted, taken away when dropped.
struct Mount(PathBuf);

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

fn mounted(arguments: &[&str], at: &Path) -> Option<Mount> {
    if !is_root() {
        return None;
    }
    let done = Command::new("mount").args(arguments).arg(at).output().unwrap();
    if done.status.success() {
        return Some(Mount(at.to_owned()));
    }
    left_out(&format!("the right to mount a disk ({})", String::from_utf8_lossy(&done.stderr).trim()));
    None
}

/// An ext4 of so many megabytes, made in a file beside.
fn ext4(site: &Site, folder: &str, megabytes: u64, options: &[&str]) -> Option<Mount> {
    if !is_root() || !has("mkfs.ext4") {
        return None;
    }
    let (image, at) = (site.path(&format!("{folder}.img")), site.path(folder));
    std::fs::create_dir_all(&at).unwrap();
    std::fs::File::create(&image).unwrap().set_len(megabytes << 20).unwrap();
    let made = Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0"]).args(options).arg(&image).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    mounted(&["-o", "loop", image.to_str()?], &at)
}

/// Zeros until nothing more fits.
fn fill(folder: &Path) -> PathBuf {
    use std::io::Write as _;
    let name = folder.join("filler");
    let mut file = std::fs::File::create(&name).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    while file.write_all(&[0]).is_ok() {}
    name
}

fn is_served(program: &Program) -> bool {
    ask(program.address, "GET /feed.json", "").is_some_and(|(status, body)| status == 200 && body.contains("Rain."))
}

fn assert_whole(site: &Site) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let said: String = runtime.block_on(async {
        let file = SqliteConnectOptions::new().filename(site.path("state/gazetted.db"));
        let mut db = file.connect().await.unwrap();
        let said = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut db).await.unwrap();
        db.close().await.unwrap();
        said
    });
    assert_eq!(said, "ok");
}

/// FAULTS C1: less than is kept for what is under way. Nothing is begun.
#[test]
fn on_a_disk_of_eight_megabytes_nothing_is_sent_and_the_feeds_are_served() {
    let site = blog();
    let Some(disk) = ext4(&site, "state", 8, &[]) else { return };
    let trial = Trial::without_edition(site, STATE, 20, usual);
    trial.site.ok("digest open 2021-05 --now");
    let program = Program::start(&trial.site);
    program.until_logged("MB are kept for what is under way");
    assert!(is_served(&program));
    let form = ask(program.address, "POST /subscribe", "email=somebody%40example.org").unwrap();
    assert_eq!(form.0, 503, "{}", form.1);
    super::pass(Duration::from_secs(5));
    assert_eq!(trial.server.arrived().len(), 0);
    let filler = fill(&disk.0);
    assert!(is_served(&program));
    std::fs::remove_file(filler).unwrap();
    assert_eq!(program.exit(Signal::TERM), Some(0));
    assert_whole(&trial.site);
    assert_eq!(trial.site.json("outbox")["queued"], 20);
}

/// FAULTS C1, to the last byte, on a file system that has a journal.
#[test]
fn a_real_disk_that_is_filled_to_the_last_byte_while_sending_loses_and_doubles_nobody() {
    let site = blog();
    let Some(disk) = ext4(&site, "state", 64, &[]) else { return };
    let trial = Trial::without_edition(site, STATE, 300, slow(20));
    trial.site.ok("digest open 2021-05 --now");
    let program = Program::start(&trial.site);
    for round in 1..=3 {
        let sent = trial.copies().len();
        trial.until_sent(sent + 10);
        let filler = fill(&disk.0);
        program.until_logged_times("there is no room for the store", round);
        assert!(is_served(&program));
        let sent = trial.copies().len();
        println!("stopped after {sent} of 300");
        assert!(sent < 300, "the disk was filled too late to see anything");
        std::fs::remove_file(filler).unwrap();
        patiently("sending to go on", || trial.copies().len() > sent);
    }
    patiently("the ledger", || trial.site.json("outbox")["accepted"] == 300);
    assert_eq!(program.exit(Signal::TERM), Some(0));
    trial.assert_sent(0);
    assert_whole(&trial.site);
}

/// FAULTS C11, on a file system that has them in a table.
#[test]
fn a_disk_without_a_free_inode_is_enough_to_send_from() {
    let site = blog();
    let Some(disk) = ext4(&site, "state", 64, &["-N", "16"]) else { return };
    let trial = Trial::without_edition(site, STATE, 100, slow(10));
    trial.site.ok("digest open 2021-05 --now");
    let program = Program::start(&trial.site);
    let made = (0..64).take_while(|n| std::fs::File::create(disk.0.join(format!("file{n}"))).is_ok()).count();
    println!("{made} files");
    assert!(made < 64, "{made}");
    trial.until_settled();
    assert_eq!(program.exit(Signal::TERM), Some(0));
    trial.assert_sent(0);
}

/// FAULTS C5: as `ReadOnlyPaths=` of systemd does it.
#[test]
fn a_state_directory_that_is_mounted_read_only_is_refused_at_the_start_with_exit_78() {
    let site = blog();
    std::fs::create_dir(site.path("state")).unwrap();
    let trial = Trial::without_edition(site, STATE, 5, usual);
    trial.site.ok("digest open 2021-05 --now");
    let state = trial.site.path("state");
    let Some(_bound) = mounted(&["--bind", state.to_str().unwrap()], &state) else { return };
    assert!(Command::new("mount").args(["-o", "remount,ro,bind"]).arg(&state).status().unwrap().success());
    for _ in 0..3 {
        let refused = ran(trial.site.command(&DAEMON).stdout(Stdio::null()));
        assert_eq!(refused.code, 78, "{}", refused.err);
        assert!(refused.err.contains("hint: check the permissions"), "{}", refused.err);
    }
    assert_eq!(trial.server.arrived().len(), 0);
}

/// FAULTS C5, the other way round: what is written for readers.
#[test]
fn a_feed_directory_that_becomes_read_only_keeps_its_feeds_and_says_so_and_the_next_feed_is_written_when_it_is_not() {
    let site = blog();
    let program = Program::start(&site);
    let public = site.path("public");
    let before = site.read("public/feed.json");
    let Some(bound) = mounted(&["--bind", public.to_str().unwrap()], &public) else { return };
    assert!(Command::new("mount").args(["-o", "remount,ro,bind"]).arg(&public).status().unwrap().success());
    site.save("_posts/2021-05-06-new.md", text("New", "Fresh."));
    program.until_logged("cannot be written");
    assert_eq!(site.read("public/feed.json"), before);
    assert!(is_served(&program));
    drop(bound);
    until("the new post", || {
        // What woke it once does so again.
        site.save("_posts/2021-05-06-new.md", text("New", "Fresh."));
        super::pass(Duration::from_millis(500));
        let (_, body) = ask(program.address, "GET /feed.json", "")?;
        body.contains("Fresh.").then_some(())
    });
    assert_eq!(program.exit(Signal::TERM), Some(0));
}

/// P5: a feed is whole, or the one before.
#[test]
fn a_feed_directory_that_is_full_keeps_whole_feeds() {
    let site = blog();
    std::fs::create_dir_all(site.path("public")).unwrap();
    let Some(disk) = mounted(&["-t", "tmpfs", "-o", "size=1m", "tmpfs"], &site.path("public")) else { return };
    let program = Program::start(&site);
    let filler = fill(&disk.0);
    site.save("_posts/2021-05-06-new.md", text("New", &"Fresh. ".repeat(20_000)));
    program.until_logged("cannot be written");
    for name in ["feed.json", "feed.xml", "atom.xml"] {
        let feed = gazetted::domain::feed_document::read(site.read(&format!("public/{name}")).as_bytes(), None);
        assert_eq!(feed.unwrap_or_else(|error| panic!("{name}: {error}")).entries.len(), 2, "{name}");
    }
    assert!(!site.files("public").iter().any(|name| name.contains("tmp")), "{:?}", site.files("public"));
    assert!(is_served(&program));
    std::fs::remove_file(filler).unwrap();
    until("the new post", || {
        site.save("_posts/2021-05-06-new.md", text("New", "Fresh."));
        super::pass(Duration::from_millis(500));
        ask(program.address, "GET /feed.json", "")?.1.contains("Fresh.").then_some(())
    });
    assert_eq!(program.exit(Signal::TERM), Some(0));
}
