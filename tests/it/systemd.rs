//! What stands in deploy/ for systemd, and what the daemon tells it. A real systemd runs them in tests/package/run.

use std::collections::BTreeMap;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::postgres::has;
use crate::site::{site, text};

const UNIT: &str = include_str!("../../deploy/gazetted.service");
const NODE: &str = include_str!("../../deploy/gazetted-node.service");
const PATIENCE: Duration = Duration::from_mins(1);

/// Settings by section, in order.
fn settings(unit: &str) -> BTreeMap<String, Vec<(String, String)>> {
    let mut sections: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    let mut section = String::new();
    for line in unit.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[') {
            name.trim_end_matches(']').clone_into(&mut section);
        } else {
            let (key, value) = line.split_once('=').unwrap();
            sections.entry(section.clone()).or_default().push((key.to_owned(), value.to_owned()));
        }
    }
    sections
}

#[test]
fn the_unit_of_a_node_is_as_hardened_as_the_other() {
    let (one, node) = (settings(UNIT), settings(NODE));
    let differ = |of: &BTreeMap<String, Vec<(String, String)>>| {
        of["Service"].iter().filter(|(key, _)| key != "RestartSec").cloned().collect::<Vec<_>>()
    };
    assert_eq!(differ(&one), differ(&node));
}

#[test]
fn every_secret_of_the_configuration_can_be_a_credential() {
    let credentials = settings(UNIT)["Service"].iter().filter(|(key, _)| key == "LoadCredential").count();
    let documented = include_str!("../../config/gazetted.toml");
    for (_, value) in settings(UNIT)["Service"].iter().filter(|(key, _)| key == "LoadCredential") {
        let (name, file) = value.split_once(':').unwrap();
        assert_eq!(file, format!("gazetted.{name}"));
        if name != "smtp_password_2" && name != "dkim_ed25519_key" {
            assert!(documented.contains(name), "{name} is not in config/gazetted.toml");
        }
    }
    assert_eq!(credentials, 11);
}

/// As `systemd-analyze security` counts; 12 is 1.2 of 10.
#[test]
fn the_units_are_exposed_at_1_2_or_less_and_systemd_finds_nothing_wrong_with_them() {
    if !has("systemd-analyze") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_gazetted");
    for name in ["gazetted.service", "gazetted-node.service"] {
        let unit = std::fs::read_to_string(format!("{}/deploy/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let file = folder.path().join(name);
        let unit = unit.replace("ExecStart=/usr/bin/gazetted", &format!("ExecStart={program}"));
        gazetted::publish::write(&file, unit.as_bytes()).unwrap();
        let analyze = |arguments: &[&str]| {
            let done = Command::new("systemd-analyze").args(arguments).arg(&file).output().unwrap();
            let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
            (done.status.success(), said)
        };
        let (secure, said) = analyze(&["security", "--offline=true", "--threshold=12"]);
        assert!(secure, "{name}: {said}");
        let (right, said) = analyze(&["verify", "--man=no"]);
        assert!(right && said.is_empty(), "{name}: {said}");
    }
}

#[test]
fn systemd_hears_that_the_daemon_is_ready_alive_and_stopping() {
    let site = site().config("[http]\nlisten = \"127.0.0.1:0\"\n").post("2021-05-07-a.md", text("A", "Words."));
    let site = site.post("2021-05-08-b.md", "---\ntitle: [broken\n---\n");
    let path = site.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = site.command(&["run"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "1000000");
    let mut daemon = command.spawn().unwrap();
    let hear = || {
        let mut buffer = [0; 4096];
        let length = socket.recv(&mut buffer).expect("systemd hears something");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let until = |wanted: &str| {
        let began = Instant::now();
        loop {
            let heard = hear();
            if heard.lines().any(|line| line.starts_with(wanted)) {
                return heard;
            }
            assert!(began.elapsed() < PATIENCE, "{wanted}: {heard}");
        }
    };
    until("STATUS=1 post, 1 error; next digest");
    until("READY=1");
    for _ in 0..3 {
        until("WATCHDOG=1");
    }
    let pid = rustix::process::Pid::from_child(&daemon);
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    assert!(until("RELOADING=1").contains("MONOTONIC_USEC="), "for Type=notify-reload");
    until("READY=1");
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    until("STOPPING=1");
    assert!(daemon.wait().unwrap().success());
}
