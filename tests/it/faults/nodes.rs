//! Several daemons on one PostgreSQL, and what happens to them and to it.

use std::path::Path;

use gazetted::clock::{Clock as _, SystemClock};
use jiff::ToSpan as _;
use jiff::tz::TimeZone;
use rustix::process::Signal;
use sqlx::{AssertSqlSafe, Connection as _};
use tokio::runtime::Runtime;

use super::super::daemon::{Program, blog, born};
use super::super::postgres::{OwnServer, connect, everything_is_wanted, fresh_database, left_out};
use super::super::site::{LEAST, Site, site, text, until};
use super::{CONNECTIONS, Trial, daemon_by, patiently, settings, slow};

/// What the servers here think about each message, all their connections together.
const THINKS: u64 = 10;

/// A database and what only its operator can do.
struct Database {
    runtime: Runtime,
    url: String,
}

impl Database {
    fn fresh() -> Option<Self> {
        let runtime = Runtime::new().unwrap();
        let url = runtime.block_on(fresh_database())?;
        Some(Self { runtime, url })
    }

    /// The number that the query gives, or how many rows it changed.
    fn number(&self, query: &str) -> i64 {
        self.runtime.block_on(async {
            let mut db = connect(&self.url).await;
            let found = sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut db).await.unwrap();
            db.close().await.unwrap();
            found
        })
    }

    /// How many deliveries a daemon has in its hands.
    fn held_by(&self, pid: u32) -> i64 {
        let node = node(pid);
        self.number(&format!("SELECT count(*) FROM deliveries WHERE state = 'claimed' AND node LIKE '{node}'"))
    }

    /// As if a dead daemon's lease were over. The others' are left alone: they live.
    fn lapse(&self, pid: u32) {
        let (node, over) = (node(pid), "SET lease_until = lease_until - 61000000");
        for (table, column) in [("nodes", "name"), ("wire", "node")] {
            let changed = format!("UPDATE {table} {over} WHERE {column} LIKE '{node}' RETURNING 1");
            self.number(&format!("WITH changed AS ({changed}) SELECT count(*) FROM changed"));
        }
    }

    /// Ends every session of the daemons; how many there were.
    fn end_sessions(&self) -> i64 {
        self.number(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE application_name = 'gazetted' AND datname = current_database()",
        )
    }
}

/// The pattern of a daemon's name in the ledger.
fn node(pid: u32) -> String {
    format!("%-{pid}-%")
}

/// An edition for so many readers, three daemons that send it, and the sites that two of them have to themselves.
fn three(database: &Database, readers: usize) -> (Trial, [Program; 3], [Site; 2]) {
    let trial = Trial::without_edition(blog(), &database.url, readers, slow(THINKS));
    let port = trial.server.address.port();
    let others = [(); 2].map(|()| blog().config(&settings(&database.url, port)));
    let programs = [&trial.site, &others[0], &others[1]].map(Program::start);
    trial.site.ok("digest open 2021-05 --now");
    (trial, programs, others)
}

/// FAULTS D1: `tests/it/nodes.rs` waits for a lease; here it is the real program, killed.
#[test]
fn one_of_three_daemons_is_killed_while_sending_and_the_others_send_what_it_held() {
    let Some(database) = Database::fresh() else { return };
    let (trial, [first, second, third], _sites) = three(&database, 400);
    until("the first to send", || (database.held_by(first.pid()) > 0).then_some(()));
    let pid = first.pid();
    assert_eq!(first.exit(Signal::KILL), None);
    let (held, sent) = (database.held_by(pid), trial.copies().len());
    println!("killed after {sent} of 400, with {held} in its hands");
    assert!(held > 0 && sent < 400, "it was killed at a moment when there is nothing to see");
    patiently("the rest to be sent", || trial.copies().len() >= 400 - usize::try_from(held).unwrap());
    assert_eq!(database.held_by(pid), held, "nobody takes what may yet be sent by its owner");
    database.lapse(pid);
    trial.until_settled();
    assert_eq!((second.exit(Signal::TERM), third.exit(Signal::TERM)), (Some(0), Some(0)));
    trial.assert_sent(CONNECTIONS);
}

/// FAULTS D1, with notice.
#[test]
fn one_of_three_daemons_is_told_to_stop_while_sending_and_the_others_send_the_rest_at_once() {
    let Some(database) = Database::fresh() else { return };
    let (trial, [first, second, third], _sites) = three(&database, 400);
    until("the first to send", || (database.held_by(first.pid()) > 0).then_some(()));
    let pid = first.pid();
    assert_eq!(first.exit(Signal::TERM), Some(0));
    let (held, sent) = (database.held_by(pid), trial.copies().len());
    assert!(held == 0 && sent < 400, "{held} in its hands after {sent} of 400");
    trial.until_settled();
    assert_eq!((second.exit(Signal::TERM), third.exit(Signal::TERM)), (Some(0), Some(0)));
    trial.assert_sent(0);
}

/// FAULTS D3: once it is back at once, once it takes a while.
#[test]
fn postgresql_dies_twice_while_a_daemon_sends_which_goes_on_by_itself_and_nothing_goes_twice() {
    let runtime = Runtime::new().unwrap();
    let Some(mut server) = runtime.block_on(OwnServer::start()) else { return };
    let trial = Trial::on(&server.url(), 400, slow(THINKS));
    let program = Program::start(&trial.site);
    for (round, words) in [&["restart"][..], &["stop", "start"]].into_iter().enumerate() {
        let sent = trial.copies().len();
        trial.until_sent(sent + 50);
        for word in words {
            server.told(word);
            if *word == "stop" {
                program.until_logged_times("sending pauses", round + 1);
            }
        }
        let sent = trial.copies().len();
        println!("{words:?} after {sent} of 400");
        assert!(sent < 400, "it died too late to see anything");
        patiently("sending to go on", || trial.copies().len() > sent + CONNECTIONS);
    }
    patiently("the ledger", || trial.site.json("outbox")["accepted"] == 400);
    let log = program.log();
    println!("{log}");
    let said = |words| log.matches(words).count();
    // One line each time, not one a second.
    assert_eq!((said("sending pauses: the store cannot be reached"), said("sending goes on")), (2, 2), "{log}");
    assert!(log.lines().count() < 20, "{log}");
    assert!(!log.contains("panicked"), "{log}");
    assert_eq!(program.exit(Signal::TERM), Some(0));
    trial.assert_sent(0);
}

/// FAULTS D5, D10: also in the middle of a transaction, and between a commit and its answer.
#[test]
fn every_session_is_ended_again_and_again_while_a_daemon_sends_and_nothing_is_lost_or_goes_twice() {
    let Some(database) = Database::fresh() else { return };
    let trial = Trial::on(&database.url, 400, slow(THINKS));
    let program = Program::start(&trial.site);
    for _ in 0..4 {
        let sent = trial.copies().len();
        trial.until_sent(sent + 30);
        let ended = database.end_sessions();
        println!("{ended} sessions ended after {} of 400", trial.copies().len());
        assert!(ended > 0 && trial.copies().len() < 400);
    }
    patiently("the ledger", || trial.site.json("outbox")["accepted"] == 400);
    println!("{}", program.log());
    assert_eq!(program.exit(Signal::TERM), Some(0));
    trial.assert_sent(0);
}

/// FAULTS D7, D8: two daemons that start at the same moment with last month's digest due, one of them an hour ahead.
#[test]
fn two_daemons_whose_clocks_differ_open_the_digest_that_is_due_once_and_neither_complains() {
    let Some(clock) = other_clock() else { return };
    let Some(database) = Database::fresh() else { return };
    // By the clock that is ahead, and due from the month's first moment on: so it is on any day this runs.
    let today = TimeZone::UTC.to_datetime(SystemClock.now() + 1.hour()).date();
    let month = today.first_of_month().yesterday().unwrap();
    let name = month.strftime("%Y-%m-15-post.md").to_string();
    let configuration =
        format!("{LEAST}[store]\nurl = \"{}\"\n[digest]\ncatch_up = \"90d\"\nschedule = \"0 0 1 * *\"\n", database.url);
    let sites = [(); 2].map(|()| site().post(&name, text("Post", "Words.")));
    for site in &sites {
        site.save("gazetted.toml", &configuration);
    }
    born(&sites[0], &format!("{}T00:00:00Z", month.first_of_month()));
    let ahead = ["env", &clock, "FAKETIME=+1h", "FAKETIME_DONT_FAKE_MONOTONIC=1"];
    let programs = std::thread::scope(|scope| {
        let other = scope.spawn(|| daemon_by(&sites[1], &ahead));
        [Program::start(&sites[0]), other.join().unwrap()]
    });
    let list = super::super::daemon::finished(&sites[0], 1);
    assert_eq!((&list[0]["period"], &list[0]["accepted"]), (&month.strftime("%Y-%m").to_string().into(), &2.into()));
    for (program, site) in programs.into_iter().zip(&sites) {
        let log = program.log();
        println!("{} mails\n{log}", site.mails().len());
        assert!(!log.contains("ERROR") && !log.contains("WARN"), "{log}");
        assert_eq!(program.exit(Signal::TERM), Some(0));
    }
    assert_eq!(sites[0].mails().len() + sites[1].mails().len(), 2);
}

/// What gives a program another clock.
fn other_clock() -> Option<String> {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|folder| folder.path());
    let found = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|file| Path::exists(file));
    assert!(found.is_some() || !everything_is_wanted(), "GAZETTED_TEST_ALL is set, and no faketime was found");
    if found.is_none() {
        left_out("faketime");
    }
    Some(format!("LD_PRELOAD={}", found?.display()))
}
