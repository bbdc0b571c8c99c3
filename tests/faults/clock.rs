//! The program's clock is set while it runs, and it is not there when the time comes: `libfaketime` under the real program.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use gazetted::clock::{Clock as _, SystemClock};
use jiff::tz::TimeZone;
use rustix::process::Signal;

use super::program::{Program, born, finished};
use super::site::{Site, ran, site, text, until};
use super::trial::{DAEMON, by, daemon_by};
use super::{libfaketime, pass};

/// A daemon whose clock is off by what a file says.
struct Set {
    program: Program,
    file: PathBuf,
}

impl Set {
    fn start(site: &Site, library: &std::path::Path, offset: &str) -> Self {
        let file = site.path("offset");
        site.save("offset", offset);
        let words = [
            format!("LD_PRELOAD={}", library.display()),
            format!("FAKETIME_TIMESTAMP_FILE={}", file.display()),
            "FAKETIME_NO_CACHE=1".into(),
            "FAKETIME_DONT_FAKE_MONOTONIC=1".into(),
        ];
        let runner: Vec<&str> = ["env"].into_iter().chain(words.iter().map(String::as_str)).collect();
        Self { program: daemon_by(site, &runner), file }
    }

    /// A heartbeat is a minute, and a quarter more if the scheduler waits for a clock that was set back.
    fn until_logged(&self, words: &str, times: usize) {
        for _ in 0..300 {
            if self.program.log().matches(words).count() >= times {
                return;
            }
            pass(Duration::from_millis(500));
        }
        panic!("waited in vain for `{words}` in the log:\n{}", self.program.log());
    }

    /// In one step, as no program sees half of it.
    fn to(&self, site: &Site, offset: &str) {
        site.save("offset.next", offset);
        std::fs::rename(site.path("offset.next"), &self.file).unwrap();
    }
}

/// What was opened and mailed until now.
fn done(site: &Site) -> (usize, usize) {
    (site.json("digest list").as_array().unwrap().len(), site.mails().len())
}

/// FAULTS E2, with the program's own heartbeat.
#[test]
fn a_clock_that_is_set_while_the_program_runs_opens_nothing_and_nothing_goes_twice() {
    let Some(library) = libfaketime() else { return };
    let today = TimeZone::UTC.to_datetime(SystemClock.now()).date();
    let (this, last) = (today.first_of_month(), today.first_of_month().yesterday().unwrap().first_of_month());
    let mut site = site().config("[digest]\ncatch_up = \"90d\"\n");
    for month in [last, this] {
        site = site.post(&month.strftime("%Y-%m-01-post.md").to_string(), text("Post", "Words."));
    }
    born(&site, &format!("{last}T00:00:00Z"));
    let set = Set::start(&site, &library, "+0");
    finished(&site, 1);
    assert_eq!(done(&site), (1, 2), "last month's digest is due");
    let beat = || pass(Duration::from_secs(62));
    // A month ahead this month's digest would be due.
    set.to(&site, "+32d");
    set.until_logged("the clock has jumped by 7", 1);
    beat();
    assert_eq!(done(&site), (1, 2), "a jump ahead");
    set.to(&site, "-2h");
    set.until_logged("the clock is believed again", 1);
    beat();
    assert_eq!(done(&site), (1, 2), "two hours back");
    set.to(&site, "-40d");
    set.until_logged("the clock has jumped by -9", 1);
    beat();
    assert_eq!(done(&site), (1, 2), "forty days back");
    set.to(&site, "+0");
    set.until_logged("the clock is believed again", 2);
    assert_eq!(done(&site), (1, 2));
    println!("{}", set.program.log());
    assert_eq!(set.program.exit(Signal::TERM), Some(0));
}

/// FAULTS E3: a computer that was off for an hour, three days, twenty days, two months.
#[test]
fn a_program_that_was_not_there_when_the_digest_was_due_sends_one_late_or_none() {
    let Some(library) = libfaketime() else { return };
    let preload = format!("LD_PRELOAD={}", library.display());
    let monotonic = "FAKETIME_DONT_FAKE_MONOTONIC=1";
    for (now, period) in [
        ("2021-06-01 10:00:00", "2021-05"),
        ("2021-06-04 09:00:00", "2021-05"),
        ("2021-06-21 09:00:00", "2021-05"),
        ("2021-08-02 09:00:00", "2021-07"),
    ] {
        let mut site = site();
        for month in ["05", "06", "07"] {
            site = site.post(&format!("2021-{month}-20-post.md"), text("Post", "Words."));
        }
        let before = ["env", &preload, "FAKETIME=@2021-05-10 12:00:00", monotonic, "TZ=UTC"];
        for address in ["ada@example.org", "grace@example.org"] {
            let added = ran(&mut by(&site, &before, &["subscribers", "add", address]));
            assert_eq!(added.code, 0, "{}", added.err);
        }
        let fake = format!("FAKETIME=@{now}");
        let runner = ["env", &preload, &fake, monotonic, "TZ=UTC"];
        // Twice: who comes again sends nothing again.
        for _ in 0..2 {
            let program = daemon_by(&site, &runner);
            let list = finished(&site, 1);
            assert_eq!((&list[0]["period"], &list[0]["accepted"]), (&period.into(), &2.into()), "{now}");
            assert_eq!(program.exit(Signal::TERM), Some(0));
        }
        assert_eq!(site.mails().len(), 2, "{now}");
    }
}

/// What a clock that stands still must not stop: it is told to end, and does.
#[test]
fn a_clock_that_stands_still_stops_neither_feeds_nor_the_end() {
    let Some(library) = libfaketime() else { return };
    let site = site().post("2021-05-05-may.md", text("May", "Sun."));
    let words = [
        &*format!("LD_PRELOAD={}", library.display()),
        "FAKETIME=2026-01-01 00:00:00",
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
    ]
    .map(str::to_owned);
    let mut command = Command::new("env");
    command.args(&words).arg(site.command(&[]).get_program()).args(DAEMON).current_dir(site.path(""));
    let program = Program::of(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    site.save("_posts/2021-05-06-new.md", text("New", "Fresh."));
    until("the new post", || {
        let (status, body) = super::program::ask(program.address, "GET /feed.json", "")?;
        (status == 200 && body.contains("Fresh.")).then_some(())
    });
    assert_eq!(program.exit(Signal::TERM), Some(0));
}
