//! More than one of what there should be one of: daemons on a store, and stores.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use super::super::daemon::Program;
use super::super::site::{ran, until};
use super::{DAEMON, Trial, slow, usual};

/// FAULTS C9: what was sent after a backup, the backup does not know. listmonk sends it all again.
#[test]
fn a_restored_backup_opens_and_sends_nothing_until_its_operator_says_so() {
    let trial = Trial::new(30, slow(20));
    let said = trial.site.ok("backup copy.db").out;
    assert!(said.contains("digest resume --restored"), "{said}");
    trial.site.ok("outbox flush");
    trial.assert_sent(0);

    // The disk is lost, and the copy is put in its place.
    for name in ["gazetted.db", "gazetted.db-wal", "gazetted.db-shm"] {
        let _ = std::fs::remove_file(trial.site.path(name));
    }
    trial.site.rename("copy.db", "gazetted.db");
    assert_eq!(trial.site.json("outbox")["queued"], 30, "as far as the copy knows");
    let program = Program::start(&trial.site);
    program.until_logged("the store was restored from a copy");
    let flushed = trial.site.run("outbox flush");
    assert!(flushed.code == 1 && flushed.err.contains("digest resume --restored"), "{}", flushed.err);
    let opened = trial.site.run("digest open 2021-04 --now");
    assert!(opened.code == 1 && opened.err.contains("restored from a copy"), "{}", opened.err);
    for command in ["digest list", "check"] {
        let ran = trial.site.run(command);
        assert!((ran.out + &ran.err).contains("digest resume --restored"), "{command}");
    }
    trial.assert_sent(0);

    // What has gone out is called off; then the copy goes on, and nobody has heard twice.
    trial.site.ok("digest cancel 2021-05");
    trial.site.ok("digest resume --restored");
    assert!(!trial.site.run("check").out.contains("restored"));
    trial.site.ok("subscribers add late@example.org");
    trial.site.ok("digest open 2021-04 --now");
    until("the next edition", || (trial.server.accepted().len() == 30 + 31).then_some(()));
    assert_eq!(program.exit(Signal::TERM), Some(0));
    assert_eq!(trial.site.json("digest list")[0]["accepted"], json!(31));
}

/// FAULTS C10.
#[test]
fn a_second_daemon_with_the_same_configuration_leaves_within_a_second_and_names_the_first() {
    let trial = Trial::new(1, usual);
    let first = Program::start(&trial.site);
    let address = first.address.to_string();
    for arguments in [&DAEMON[..], &["run", "--listen", &address]] {
        let began = Instant::now();
        let second = ran(trial.site.command(arguments).stdout(Stdio::null()));
        println!("left after {:?}", began.elapsed());
        assert_eq!(second.code, 75, "{}", second.err);
        assert!(began.elapsed() < Duration::from_secs(2));
        assert!(second.err.contains("is in use by gazetted run, pid "), "{}", second.err);
    }
    assert_eq!(first.exit(Signal::TERM), Some(0));
}
