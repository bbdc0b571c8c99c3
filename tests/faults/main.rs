//! What goes wrong around the program: its clock, its disk, its network, the programs it talks to, the limits it runs under.
//! Run by `tests/faults/run`, as root: much of this mounts disks and makes networks. Each experiment ends with the ledger:
//! how often each reader's message was taken, and what the store says of it. `FAULTS.md` lists what was tried.

#[expect(dead_code, reason = "some of it is for the ordinary suite alone")]
#[path = "../it/postgres.rs"]
mod postgres;
#[expect(dead_code, reason = "some of it is for the ordinary suite alone")]
#[path = "../it/program.rs"]
mod program;
#[expect(dead_code, reason = "some of it is for the ordinary suite alone")]
#[path = "../it/site.rs"]
mod site;
#[expect(dead_code, reason = "some of it is for the ordinary suite alone")]
#[path = "../it/smtp_server.rs"]
mod smtp_server;
#[expect(dead_code, reason = "some of it is for the ordinary suite alone")]
#[path = "../it/trial.rs"]
mod trial;

mod clock;
mod disk;
mod limits;
mod manager;
mod namespace;
mod nodes;
mod peers;
mod posts;
mod relay;
mod road;

use std::path::PathBuf;

use postgres::{everything_is_wanted, left_out};

/// Whether this is root; if not, and all is wanted, that is a failure.
fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    assert!(root || !everything_is_wanted(), "GAZETTED_TEST_ALL is set, and this is not root");
    if !root {
        left_out("root");
    }
    root
}

/// What gives a program another clock.
fn libfaketime() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|folder| folder.path());
    let found = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|file| file.exists());
    assert!(found.is_some() || !everything_is_wanted(), "GAZETTED_TEST_ALL is set, and no faketime was found");
    if found.is_none() {
        left_out("faketime");
    }
    found
}

/// Waits without looking at anything.
fn pass(time: std::time::Duration) {
    let over = std::time::Instant::now() + time;
    while let Some(left) = over.checked_duration_since(std::time::Instant::now()) {
        std::thread::park_timeout(left);
    }
}
