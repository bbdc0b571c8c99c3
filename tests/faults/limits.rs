//! Limits that the program runs under: files, memory, and a log that nobody reads.

use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::postgres::left_out;
use super::program::{Program, ask};
use super::site::{Site, until};
use super::trial::{CONNECTIONS, DAEMON, Trial, by, daemon_by, patiently, slow, usual};
use super::{is_root, pass};

/// FAULTS G3.
#[test]
fn with_sixty_four_files_and_two_hundred_idle_connections_it_lives_sends_and_serves_again() {
    let trial = Trial::new(100, slow(20));
    let mut program = daemon_by(&trial.site, &["sh", "-c", "ulimit -n 64; exec \"$@\"", "sh"]);
    let idle: Vec<TcpStream> = (0..200).filter_map(|_| TcpStream::connect(program.address).ok()).collect();
    println!("{} connections", idle.len());
    pass(Duration::from_secs(3));
    assert!(program.is_alive());
    drop(idle);
    until("readers to be served again", || {
        ask(program.address, "GET /feed.json", "").filter(|(status, _)| *status == 200)
    });
    patiently("the ledger", || {
        println!("{} {}", trial.copies().len(), program.log());
        trial.site.json("outbox")["accepted"] == 100
    });
    let log = program.log();
    println!("{log}");
    assert!(!log.contains("panicked") && log.lines().count() < 60, "{log}");
    assert_eq!(program.exit(Signal::TERM), Some(0));
    trial.assert_sent(CONNECTIONS);
}

/// A group of processes with so much memory together; gone when dropped.
struct Memory(PathBuf);

impl Memory {
    fn limited_to(megabytes: u64) -> Option<Self> {
        if !is_root() {
            return None;
        }
        let old = PathBuf::from("/sys/fs/cgroup/memory");
        let folder = old.join(format!("gazetted-{}-{megabytes}", std::process::id()));
        if !old.join("memory.limit_in_bytes").exists() || std::fs::create_dir(&folder).is_err() {
            left_out("a memory group (cgroup v1)");
            return None;
        }
        let group = Self(folder);
        group.set("memory.limit_in_bytes", megabytes << 20);
        Some(group)
    }

    #[expect(clippy::disallowed_methods, reason = "no file, but a switch")]
    fn set(&self, name: &str, value: u64) {
        std::fs::write(self.0.join(name), value.to_string()).unwrap();
    }

    fn get(&self, name: &str) -> u64 {
        std::fs::read_to_string(self.0.join(name)).unwrap().trim().parse().unwrap()
    }

    fn daemon(&self, site: &Site) -> Program {
        let tasks = format!("{}/cgroup.procs", self.0.display());
        let script = format!("echo $$ > {tasks}; exec \"$@\"");
        let mut command = by(site, &["sh", "-c", &script, "sh"], &DAEMON);
        Program::of(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

/// FAULTS G1, with fewer readers.
#[test]
fn a_hundred_megabytes_are_enough_to_send_to_ten_thousand_readers_while_a_thousand_slow_clients_wait() {
    let Some(group) = Memory::limited_to(100) else { return };
    let trial = Trial::new(10_000, usual);
    let program = group.daemon(&trial.site);
    let slow: Vec<TcpStream> = (0..1_000).filter_map(|_| TcpStream::connect(program.address).ok()).collect();
    let started = Instant::now();
    while trial.copies().len() < 10_000 {
        assert!(started.elapsed() < Duration::from_mins(5), "{} of 10000", trial.copies().len());
        pass(Duration::from_millis(200));
    }
    println!(
        "{:?}; {} MB at most, {} slow clients",
        started.elapsed(),
        group.get("memory.max_usage_in_bytes") >> 20,
        slow.len()
    );
    assert_eq!(program.exit(Signal::TERM), Some(0));
    trial.assert_sent(0);
}

/// FAULTS G2: killed by the kernel in the middle.
#[test]
fn a_program_that_the_kernel_kills_for_its_memory_while_sending_loses_nobody() {
    let Some(group) = Memory::limited_to(200) else { return };
    let trial = Trial::new(300, slow(10));
    let mut program = group.daemon(&trial.site);
    trial.until_sent(30);
    // Less than it has: what cannot be given back kills it.
    group.set("memory.force_empty", 0);
    for megabytes in [24, 16, 12, 8, 6, 4] {
        let file = group.0.join("memory.limit_in_bytes");
        let tried = Command::new("sh").args(["-c", &format!("echo {} > {}", megabytes << 20, file.display())]).output();
        println!("{megabytes} MB: {:?}", tried.map(|done| done.status.success()));
        let _ = ask(program.address, "GET /feed.json", "");
        if !program.is_alive() {
            break;
        }
    }
    let killed = !program.is_alive();
    println!("killed by the kernel: {killed}, after {} of 300", trial.copies().len());
    if killed {
        drop(program);
    } else {
        assert_eq!(program.exit(Signal::KILL), None);
    }
    let program = Program::start(&trial.site);
    patiently("the rest", || trial.copies().len() == 300);
    trial.until_settled();
    assert_eq!(program.exit(Signal::TERM), Some(0));
    trial.assert_sent(CONNECTIONS);
}

/// FAULTS G9: a journal that stands still. What it would have said is lost; nobody waits for it.
#[test]
fn a_log_that_nobody_reads_stops_neither_the_sending_nor_the_feeds() {
    let trial = Trial::new(400, usual);
    let port = super::peers::free_port();
    let (listen, address) = (format!("127.0.0.1:{port}"), std::net::SocketAddr::from(([127, 0, 0, 1], port)));
    let mut command = trial.site.command(&["run", "--listen", &listen, "-vvv"]);
    // Nobody ever reads from this pipe.
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0).spawn().unwrap();
    let log = child.stderr.take().unwrap();
    let started = Instant::now();
    until("the first feed", || ask(address, "GET /feed.json", ""));
    for _ in 0..3_000 {
        // Each request leaves a line or two.
        assert!(ask(address, "GET /nothing-there", "").is_some(), "no answer after {:?}", started.elapsed());
    }
    patiently("everybody", || trial.copies().len() == 400);
    println!("{:?}", started.elapsed());
    assert!(ask(address, "GET /feed.json", "").is_some_and(|(status, _)| status == 200));
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::TERM).unwrap();
    let code = until("the end", || child.try_wait().unwrap());
    assert_eq!(code.code(), Some(0));
    drop(log);
    trial.assert_sent(0);
}
