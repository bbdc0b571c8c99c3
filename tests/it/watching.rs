//! What those see who watch the daemon: numbers that Prometheus takes, rules and a dashboard that name only numbers there are, a log whose
//! events have the names that are written down.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::postgres::has;
use crate::site::{PATIENCE, site, text};

const PAGE: &str = include_str!("../../deploy/watching.md");
const RULES: &str = include_str!("../../deploy/alerts.yaml");
const DASHBOARD: &str = include_str!("../../deploy/grafana.json");

/// Words that look like names of our numbers.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("gazetted_") || word.starts_with("process_")).map(str::to_owned).collect()
}

/// A daemon that has delivered an edition: its log until then, as lines of JSON, and its numbers.
fn watched() -> (Vec<Value>, String) {
    let site = site()
        .config(
            "[digest]\nfrom = \"a@b.example\"\n[goal]\n[log]\nformat = \"json\"\n[http]\nlisten = \"127.0.0.1:0\"\nmetrics = \"127.0.0.1:0\"\n",
        )
        .post("2021-05-07-a.md", text("A", "Words."))
        .post("2021-05-09-b.md", "---\ntitle: B\npublished: false\n---\nNot yet.\n");
    site.ok("subscribers add ada@example.org");
    site.ok("subscribers add bo@example.org");
    site.ok("digest open 2021-05 --now");
    let mut daemon = site.command(&["run"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = Vec::new();
    let mut address = String::new();
    for line in BufReader::new(daemon.stderr.take().unwrap()).lines() {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if line["event"] == "listening_metrics" {
            line["message"].as_str().unwrap().rsplit("http://").next().unwrap().clone_into(&mut address);
        }
        let is_done = line["event"] == "edition_finished";
        lines.push(line);
        if is_done {
            break;
        }
    }
    // Mail goes out while the posts are still being read.
    let began = Instant::now();
    let mut numbers = asked(&address);
    while !numbers.contains("\ngazetted_schedule_leader 1\n") && began.elapsed() < PATIENCE {
        numbers = asked(&address);
    }
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    (lines, numbers)
}

fn asked(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: a\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[test]
fn the_numbers_tell_how_everything_stands_and_rules_and_dashboard_know_them() {
    let (lines, numbers) = watched();
    for line in [
        "gazetted_posts{state=\"published\"} 1\n",
        "gazetted_posts{state=\"draft\"} 1\n",
        "gazetted_problems{severity=\"error\"} 0\n",
        "gazetted_deliveries{state=\"accepted\"} 2\n",
        "gazetted_editions{state=\"finished\"} 1\n",
        "gazetted_subscribers{state=\"active\"} 2\n",
        "outcome=\"accepted\"} 2\n",
        "gazetted_queue_oldest_seconds 0\n",
        "gazetted_store_up 1\n",
        "gazetted_store_standby 0\n",
        "gazetted_schedule_leader 1\n",
        "gazetted_clock_doubted 0\n",
        "gazetted_goal_period_target{goal=\"goal\"} 1\n",
    ] {
        assert!(numbers.contains(line), "{line}{numbers}");
    }
    for name in ["gazetted_digest_next_timestamp_seconds", "gazetted_store_free_bytes", "process_resident_memory_bytes"]
    {
        let line = numbers.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_default();
        assert!(line.split(' ').nth(1).is_some_and(|n| n.parse::<f64>().is_ok_and(|n| n > 0.0)), "{name}: {line}");
    }
    for secret in ["ada", "example.org", "127.0.0.1"] {
        assert!(!numbers.contains(secret), "{secret} is in the numbers");
    }
    let known: BTreeSet<String> = numbers
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect();
    for (what, text) in [("alerts.yaml", RULES), ("grafana.json", DASHBOARD)] {
        let unknown: Vec<_> = named(text).difference(&known).cloned().collect();
        assert!(unknown.is_empty(), "{what} names numbers that there are not: {unknown:?}");
    }
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() > 20);
    // The log of the same run.
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    for event in ["listening", "deliveries", "edition_finished"] {
        assert!(events.contains(&event), "{event}: {events:?}");
    }
    for line in &lines {
        assert!(PAGE.contains(&format!("| `{}` |", line["event"].as_str().unwrap())), "{line}");
        assert!(line["timestamp"].is_string() && line["level"].is_string() && line["message"].is_string(), "{line}");
    }
    if has("promtool") {
        let mut tool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        tool.stdin.take().unwrap().write_all(numbers.as_bytes()).unwrap();
        let done = tool.wait_with_output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/alerts.yaml");
        let done = Command::new("promtool").args(["check", "rules", file]).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

/// The names that sources give to events, and those that are written down.
#[test]
fn every_event_of_the_log_is_written_down_and_no_other() {
    let mut given = BTreeSet::new();
    let mut nameless = Vec::new();
    sources(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut |path, text| {
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for level in ["info!(", "warn!(", "error!("] {
            for (at, _) in text.match_indices(level) {
                let rest = text[at + level.len()..].trim_start();
                match rest.strip_prefix("event = \"").and_then(|rest| rest.split('"').next()) {
                    Some(name) => _ = given.insert(name.to_owned()),
                    None => nameless.push(format!("{}: {}", path.display(), &rest[..rest.len().min(40)])),
                }
            }
        }
    });
    assert!(nameless.is_empty(), "events without a name: {nameless:#?}");
    given.insert("log_lost".to_owned());
    let table = PAGE.split("## Numbers").next().unwrap();
    let written: BTreeSet<String> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|line| line.split('`').next().unwrap().to_owned())
        .collect();
    assert_eq!(given, written);
}

fn sources(folder: &std::path::Path, see: &mut dyn FnMut(&std::path::Path, &str)) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, see);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            see(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
}
