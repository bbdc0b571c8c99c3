//! Disks that are full, broken, read-only or locked, and a database that is damaged.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::super::daemon::{Program, ask, blog};
use super::super::site::ran;
use super::{CONNECTIONS, DAEMON, Disk, Trial, by, daemon_by, has, patiently, slow, usual};

const STATE: &str = "sqlite:state/gazetted.db";

fn is_served(address: SocketAddr) -> bool {
    ask(address, "GET /feed.json", "").is_some_and(|(status, body)| status == 200 && body.contains("Rain."))
}

/// The whole answer to somebody who subscribes.
fn sign_up(address: SocketAddr) -> String {
    let form = "email=somebody%40example.org";
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let head = "POST /subscribe HTTP/1.0\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length:";
    write!(stream, "{head} {}\r\n\r\n{form}", form.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.to_lowercase()
}

fn assert_turned_away(answer: &str) {
    assert!(answer.contains(" 503 ") && answer.contains("retry-after: 60"), "{answer}");
}

/// FAULTS C1: sending stops while what is on its way can still be written, readers are served, and it goes on by itself.
#[test]
fn a_disk_that_fills_up_stops_sending_before_anything_is_lost_and_room_starts_it_again() {
    let site = blog();
    let Some(disk) = Disk::mount(&site.path("state"), "size=96m") else { return };
    let trial = Trial::without_edition(site, STATE, 300, slow(10));
    trial.site.ok("digest open 2021-05 --now");
    let program = Program::start(&trial.site);
    for (most, words) in [(70 << 20, "MB are kept for what is under way"), (u64::MAX, "there is no room for the store")]
    {
        let filler = disk.fill(most);
        program.until_logged(words);
        assert!(is_served(program.address));
        assert_turned_away(&sign_up(program.address));
        let sent = trial.copies().len();
        println!("stopped after {sent} of 300");
        assert!(sent < 300, "the disk was filled too late to see anything");
        std::fs::remove_file(filler).unwrap();
        patiently("sending to go on", || trial.copies().len() > sent);
    }
    patiently("the ledger", || trial.site.json("outbox")["accepted"] == 300);
    assert!(sign_up(program.address).contains(" 200 "));
    assert_eq!(program.exit(Signal::TERM), Some(0));
    trial.assert_sent(0);
}

/// FAULTS C2, C3: writes and syncs that fail now and then. What was acknowledged is there.
#[test]
fn writes_that_fail_now_and_then_lose_nobody_and_double_no_more_than_is_in_doubt() {
    if !has("strace") {
        return;
    }
    for fault in
        ["pwrite64:error=ENOSPC:when=60+9", "pwrite64:error=EIO:when=50+11", "fsync,fdatasync:error=EIO:when=12+5"]
    {
        let trial = Trial::new(100, usual);
        let calls = fault.split(':').next().unwrap();
        let (trace, inject) = (format!("trace={calls}"), format!("inject={fault}"));
        let broken = ["timeout", "5", "strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
        let first = ran(&mut by(&trial.site, &broken, &DAEMON));
        assert!(!first.err.contains("panicked"), "{}", first.err);
        let program = Program::start(&trial.site);
        trial.until_sent(100);
        trial.until_settled();
        assert_eq!(program.exit(Signal::TERM), Some(0));
        println!("{fault}: exit {}", first.code);
        trial.assert_sent(CONNECTIONS);
    }
}

/// FAULTS C4: the signal that the kernel sends with it would end a program that does not mind it.
#[test]
fn a_limit_on_the_size_of_files_does_not_end_the_daemon() {
    let trial = Trial::new(240, slow(100));
    let mut program = daemon_by(&trial.site, &["sh", "-c", "ulimit -f 4000; exec \"$@\"", "sh"]);
    trial.until_sent(5);
    // The limit is on each file: the database's log is to grow past it.
    let big = (0..20_000).map(|n| format!("more{n}@example.org,{}\n", "x".repeat(100))).collect::<Vec<_>>().concat();
    trial.site.save("more.csv", format!("email,name\n{big}"));
    trial.site.ok("subscribers import more.csv");
    program.until_logged("the store cannot be written");
    assert!(program.is_alive() && is_served(program.address));
    assert_eq!(program.exit(Signal::TERM), Some(0));
    let program = Program::start(&trial.site);
    patiently("the rest", || trial.copies().len() == 240);
    assert_eq!(program.exit(Signal::TERM), Some(0));
    trial.assert_sent(CONNECTIONS);
}

/// FAULTS C5: systemd does not start again what leaves with 78.
#[test]
fn a_read_only_disk_is_said_at_the_start_and_while_it_runs_and_the_feeds_are_served() {
    let site = blog();
    if let Some(disk) = Disk::mount(&site.path("state"), "size=16m") {
        let trial = Trial::without_edition(site, STATE, 1, usual);
        disk.remount("ro");
        let refused = ran(&mut trial.site.command(&DAEMON));
        assert_eq!(refused.code, 78, "{}", refused.err);
        assert!(refused.err.contains("read") && refused.err.contains("hint: check the permissions"), "{}", refused.err);
    }
    if !has("strace") {
        return;
    }
    let trial = Trial::new(100, slow(10));
    // `-D`: the daemon itself is our child, and signals are for it.
    let strace = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e"];
    let inject = ["inject=pwrite64:error=EROFS:when=150+"];
    let program = daemon_by(&trial.site, &[&strace[..], &inject].concat());
    program.until_logged("the store cannot be written");
    assert!(is_served(program.address));
    // Whom strace leaves behind lives on.
    let holder = trial.site.read("gazetted.db.lock");
    let pid: i32 = holder.rsplit(' ').next().and_then(|pid| pid.trim().parse().ok()).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    drop(program);
    let program = Program::start(&trial.site);
    patiently("the rest", || trial.site.json("outbox")["accepted"] == 100);
    assert_eq!(program.exit(Signal::TERM), Some(0));
    trial.assert_sent(CONNECTIONS);
}

/// FAULTS C6: longer than the database itself waits.
#[test]
fn a_database_that_somebody_else_has_locked_is_waited_for() {
    let trial = Trial::new(150, slow(10));
    let program = Program::start(&trial.site);
    trial.until_sent(5);
    let url = SqliteConnectOptions::new().filename(trial.site.path("gazetted.db"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut other = url.connect().await.unwrap();
        let locked = other.begin_with("BEGIN EXCLUSIVE").await.unwrap();
        tokio::time::sleep(Duration::from_secs(7)).await;
        assert!(is_served(program.address));
        assert_turned_away(&sign_up(program.address));
        locked.rollback().await.unwrap();
    });
    patiently("the rest", || trial.site.json("outbox")["accepted"] == 150);
    assert_eq!(program.exit(Signal::TERM), Some(0));
    trial.assert_sent(0);
}

fn flip(file: &Path, at: u64) {
    let mut file = std::fs::File::options().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::Start(at)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&[byte[0] ^ 0xff]).unwrap();
}

/// FAULTS C7.
#[test]
fn nothing_is_sent_from_a_damaged_database() {
    let trial = Trial::new(20, usual);
    trial.site.ok("backup whole.db");
    let whole = std::fs::read(trial.site.path("whole.db")).unwrap();
    trial.site.ok("digest cancel 2021-05");
    let mut refused = 0;
    for n in 0..24_u64 {
        for name in ["gazetted.db-wal", "gazetted.db-shm"] {
            let _ = std::fs::remove_file(trial.site.path(name));
        }
        trial.site.save("gazetted.db", &whole);
        flip(&trial.site.path("gazetted.db"), n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % whole.len() as u64);
        let ran = ran(trial.site.command(&["run", "--listen", "nowhere"]).stdout(Stdio::null()));
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
        if ran.err.contains("damaged") {
            refused += 1;
            assert_eq!(ran.code, 78, "{}", ran.err);
            assert!(ran.err.contains("restore"), "{}", ran.err);
            assert_ne!(trial.site.run("outbox flush").code, 0);
        }
        assert_eq!(trial.server.arrived().len(), 0, "byte {n}");
    }
    println!("{refused} of 24 flipped bytes were noticed");
    assert!(refused > 0);
}

/// FAULTS C8: the log is cut when whoever kept it long has gone.
#[test]
fn the_log_of_the_database_does_not_stay_as_long_as_it_has_been() {
    use gazetted::store::{OutputRow, open};
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gazetted.db");
    let length = || std::fs::metadata(folder.path().join("gazetted.db-wal")).unwrap().len();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = open(&format!("sqlite:{}", file.display()), "2026-11-01T09:00:00Z".parse().unwrap()).await.unwrap();
        let mut reader = SqliteConnectOptions::new().filename(&file).connect().await.unwrap();
        let mut reading = reader.begin().await.unwrap();
        sqlx::query("SELECT count(*) FROM outputs").execute(&mut *reading).await.unwrap();
        let rows = |n: u128| -> Vec<OutputRow> {
            let row = |i| OutputRow { path: format!("{i}/{}", "x".repeat(900)), fingerprint: n, bytes_hash: n };
            (0..10_000).map(row).collect()
        };
        for n in 0..3 {
            store.save_outputs(&rows(n), &[]).await.unwrap();
        }
        let long = length();
        assert!(long > 20 << 20, "{long}");
        reading.rollback().await.unwrap();
        for n in 0..2 {
            store.save_outputs(&rows(n)[..1], &[]).await.unwrap();
        }
        println!("{long} bytes, then {}", length());
        assert!(length() <= 16 << 20, "{}", length());
    });
}

/// FAULTS C11: a file that is not there yet cannot be made, and those that are can be written.
#[test]
fn without_a_free_inode_sending_goes_on() {
    let site = blog();
    let Some(disk) = Disk::mount(&site.path("state"), "size=96m,nr_inodes=32") else { return };
    let trial = Trial::without_edition(site, STATE, 100, slow(10));
    trial.site.ok("digest open 2021-05 --now");
    let program = Program::start(&trial.site);
    let made = (0..64).take_while(|n| std::fs::File::create(disk.0.join(format!("file{n}"))).is_ok()).count();
    assert!(made < 32, "{made}");
    trial.until_settled();
    assert_eq!(program.exit(Signal::TERM), Some(0));
    trial.assert_sent(0);
}

/// What the first version wrote beside its tables.
const FIRST: &str = "CREATE TABLE schema_version (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL);
    INSERT INTO schema_version VALUES (1, 0); INSERT INTO meta VALUES ('created_at', '2021-05-01T00:00:00Z');";

/// FAULTS C12.
#[test]
fn a_migration_that_is_killed_at_any_step_is_done_whole_by_the_next_start() {
    if !has("strace") {
        return;
    }
    let old = |file: &Path| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
            let mut old = options.connect().await.unwrap();
            let first = include_str!("../../../src/store/migrations/sqlite/0001_ledger.sql");
            sqlx::raw_sql(first).execute(&mut old).await.unwrap();
            sqlx::raw_sql(FIRST).execute(&mut old).await.unwrap();
            old.close().await.unwrap();
        });
    };
    let mut killed = 0;
    for k in (1..=40).step_by(3) {
        let site = blog();
        old(&site.path("gazetted.db"));
        let inject = format!("inject=pwrite64,fsync,fdatasync,ftruncate:signal=KILL:when={k}");
        let strace =
            ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64,fsync,fdatasync,ftruncate", "-e", &inject];
        killed += usize::from(ran(&mut by(&site, &strace, &["migrate"])).code != 0);
        site.ok("migrate");
        site.ok("subscribers add ada@example.org");
        site.ok("digest open 2021-05 --now");
        assert_eq!(site.json("digest list")[0]["recipients"], 1);
    }
    println!("{killed} of 14 were killed");
    assert!(killed >= 5);
}
