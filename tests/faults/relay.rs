//! A relay that is down for a day, while the clock runs a thousand times as fast.

use std::time::Duration;

use rustix::process::Signal;

use super::program::blog;
use super::road::{Road, To};
use super::trial::{Trial, daemon_by, patiently, settings, usual};
use super::{libfaketime, pass};

const READERS: usize = 200;

/// FAULTS B17. While it is up, the clock runs as it should: leases are measured by it, too.
#[test]
fn a_relay_that_is_down_for_a_day_gets_everything_once_it_is_back_and_the_log_stays_short() {
    let Some(library) = libfaketime() else { return };
    let trial = Trial::without_edition(blog(), "sqlite:gazetted.db", READERS, usual);
    let road = Road::new(To::Address(trial.server.address));
    road.close(true);
    let more = settings("sqlite:gazetted.db", road.address.port());
    trial.site.save("gazetted.toml", format!("{}{more}", super::site::LEAST));
    trial.site.ok("digest open 2021-05 --now");
    trial.site.save("speed", "+0 x1000");
    let words = [
        format!("LD_PRELOAD={}", library.display()),
        format!("FAKETIME_TIMESTAMP_FILE={}", trial.site.path("speed").display()),
        "FAKETIME_NO_CACHE=1".into(),
        "FAKETIME_DONT_FAKE_MONOTONIC=1".into(),
    ];
    let runner: Vec<&str> = ["env"].into_iter().chain(words.iter().map(String::as_str)).collect();
    let program = daemon_by(&trial.site, &runner);
    // 24 hours and a bit.
    pass(Duration::from_secs(88));
    assert_eq!(trial.copies().len(), 0);
    let log = program.log();
    let warnings = log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).count();
    println!("{} lines in a day, {warnings} of them warnings\n{log}", log.lines().count());
    assert!(log.lines().count() <= 200 && warnings <= 26, "{warnings} warnings");
    assert!(warnings > 0, "nobody was told");
    road.close(false);
    // The pause it is in is over.
    trial.site.save("speed", "+25h x1");
    let everybody = || trial.copies().len() == READERS;
    for _ in 0..60 {
        if !everybody() {
            pass(Duration::from_secs(2));
        }
    }
    assert!(everybody(), "{} of {READERS}\n{}", trial.copies().len(), program.log());
    patiently("the ledger", || trial.site.json("outbox")["accepted"] == READERS);
    assert_eq!(program.exit(Signal::TERM), Some(0));
    trial.assert_sent(0);
}
