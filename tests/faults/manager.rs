//! A manager as systemd is one: what it is told, and when it would kill.

use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::program::{Program, ask, blog};
use super::trial::DAEMON;

/// What arrives within so long, and after how long.
fn told(socket: &UnixDatagram, within: Duration) -> Vec<(String, Duration)> {
    let started = Instant::now();
    let mut found = Vec::new();
    let mut text = [0; 4096];
    while let Some(left) = within.checked_sub(started.elapsed()).filter(|left| !left.is_zero()) {
        socket.set_read_timeout(Some(left)).unwrap();
        let Ok(length) = socket.recv(&mut text) else { break };
        let said = String::from_utf8_lossy(&text[..length]).into_owned();
        found.extend(said.lines().map(|line| (line.to_owned(), started.elapsed())));
    }
    found
}

fn pings(said: &[(String, Duration)]) -> usize {
    said.iter().filter(|(line, _)| line == "WATCHDOG=1").count()
}

/// FAULTS G4.
#[test]
fn the_manager_is_told_when_it_is_ready_alive_and_stopping_and_not_while_it_is_stuck() {
    let site = blog();
    let socket = UnixDatagram::bind(site.path("notify")).unwrap();
    let mut command = site.command(&DAEMON);
    command.env("NOTIFY_SOCKET", site.path("notify")).env("WATCHDOG_USEC", "2000000");
    let program = Program::of(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    let first = told(&socket, Duration::from_millis(500));
    assert_eq!(first.iter().filter(|(line, _)| line == "READY=1").count(), 1, "{first:?}");
    // Ready means that readers are answered.
    assert_eq!(ask(program.address, "GET /feed.json", "").map(|(status, _)| status), Some(200));
    let idle = told(&socket, Duration::from_secs(6));
    println!("idle: {idle:?}");
    assert!((5..=8).contains(&pings(&idle)), "one each half of two seconds: {idle:?}");
    // Stuck, as a program is that waits for itself.
    program.signal(Signal::STOP);
    let _ = told(&socket, Duration::from_millis(200));
    assert_eq!(pings(&told(&socket, Duration::from_secs(4))), 0, "who is stuck says that it is well");
    program.signal(Signal::CONT);
    assert!(pings(&told(&socket, Duration::from_secs(3))) > 0);
    program.signal(Signal::HUP);
    let reloaded = told(&socket, Duration::from_secs(3));
    let said = |wanted: &str| reloaded.iter().position(|(line, _)| line.starts_with(wanted));
    assert!(said("RELOADING=1") < said("READY=1") && said("MONOTONIC_USEC=").is_some(), "{reloaded:?}");
    program.signal(Signal::TERM);
    let stopping = told(&socket, Duration::from_secs(3));
    assert!(stopping.iter().any(|(line, _)| line == "STOPPING=1"), "{stopping:?}");
    assert_eq!(program.exit(Signal::TERM), Some(0));
}
