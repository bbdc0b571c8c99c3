//! Killed and stopped at the worst moments.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::super::daemon::{Program, blog};
use super::super::site::{LEAST, ran, until};
use super::super::smtp_server::Act;
use super::{CONNECTIONS, DAEMON, Trial, by, has, settings, slow, usual};

/// FAULTS A3: at every so manieth sync of the disk.
#[test]
fn killed_at_any_sync_of_the_disk_a_sender_loses_nobody() {
    if !has("strace") {
        return;
    }
    for k in [1, 3, 6, 9, 12, 15, 18, 21] {
        let trial = Trial::new(80, usual);
        let inject = format!("inject=fsync,fdatasync:signal=KILL:when={k}");
        let strace =
            ["timeout", "9", "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", &inject];
        let killed = ran(&mut by(&trial.site, &strace, &DAEMON));
        let program = Program::start(&trial.site);
        until("the rest", || (trial.copies().len() == 80).then_some(()));
        println!("killed at sync {k}: {}", killed.code);
        trial.until_settled();
        assert_eq!(program.exit(Signal::TERM), Some(0));
        trial.assert_sent(CONNECTIONS);
    }
}

/// FAULTS A4: an edition is there with all its deliveries, or not at all.
#[test]
fn killed_while_an_edition_is_opened_it_is_there_whole_or_not_at_all() {
    if !has("strace") {
        return;
    }
    let (mut none, mut whole) = (0, 0);
    for k in [1, 4, 9, 14, 19, 24, 29, 40, 60] {
        let trial = Trial::without_edition(blog(), "sqlite:gazetted.db", 500, usual);
        let inject = format!("inject=pwrite64:signal=KILL:when={k}");
        let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", &inject];
        ran(&mut by(&trial.site, &strace, &["digest", "open", "2021-05", "--now"]));
        let list = trial.site.json("digest list");
        match list.as_array().unwrap().as_slice() {
            [] => none += 1,
            [edition] => {
                assert_eq!(edition["recipients"], 500, "{edition}");
                whole += 1;
            }
            more => panic!("{more:?}"),
        }
        trial.site.ok("digest open 2021-05 --now");
        assert_eq!(trial.site.json("digest list")[0]["recipients"], 500);
    }
    println!("not at all {none}, whole {whole}");
    assert!(none > 0, "it was killed too late to see anything");
}

/// FAULTS A6.
#[test]
fn told_to_stop_while_a_slow_server_thinks_it_finishes_what_is_on_its_way_and_nothing_goes_twice() {
    let trial = Trial::new(120, slow(50));
    for round in 1..=4 {
        let program = Program::start(&trial.site);
        trial.until_sent(round * 10);
        let told = Instant::now();
        assert_eq!(program.exit(Signal::TERM), Some(0));
        println!("gone after {:?}", told.elapsed());
        assert!(told.elapsed() < Duration::from_secs(10));
    }
    let program = Program::start(&trial.site);
    trial.until_settled();
    assert_eq!(program.exit(Signal::TERM), Some(0));
    trial.assert_sent(0);
}

/// FAULTS A7.
#[test]
fn a_hundred_reloads_while_it_sends_lose_nobody_and_double_nobody() {
    let trial = Trial::new(400, slow(5));
    let good = format!("{LEAST}{}", settings("sqlite:gazetted.db", trial.server.address.port()));
    let mut program = Program::start(&trial.site);
    for n in 0..100 {
        let broken = n % 5 == 4;
        trial.site.save("gazetted.toml", if broken { "[site]\ntitel = \"x\"\n".to_owned() } else { good.clone() });
        program.signal(Signal::HUP);
        if broken {
            // Not swallowed by the one that follows.
            let refused = n / 5 + 1;
            until("a broken configuration to be refused", || {
                (program.log().matches("kept the old configuration").count() >= refused).then_some(())
            });
        }
    }
    // Those before may all have met a file that was being written.
    trial.site.save("gazetted.toml", &good);
    program.signal(Signal::HUP);
    trial.until_settled();
    until("a reload", || program.log().contains("configuration reloaded").then_some(()));
    assert!(program.is_alive());
    assert_eq!(program.exit(Signal::TERM), Some(0));
    trial.assert_sent(0);
}

/// The server needs longer than a reload waits for it: what it has is not somebody else's meanwhile.
#[test]
fn a_reload_while_a_server_takes_its_time_sends_nothing_twice() {
    let trial = Trial::new(30, |step| {
        if step.verb == "DOT" && step.before == 0 {
            std::thread::park_timeout(Duration::from_secs(13));
        }
        Act::Usual
    });
    let program = Program::start(&trial.site);
    until("messages on the wire", || (trial.server.count("DOT") > 0).then_some(()));
    program.signal(Signal::HUP);
    trial.until_settled();
    until("the reload", || program.log().contains("configuration reloaded").then_some(()));
    assert_eq!(program.exit(Signal::TERM), Some(0));
    trial.assert_sent(0);
}
