//! `gazetted bounce`, as a mail server's pipe calls it: with a mail on standard input and the address it was delivered to.

use std::io::Write as _;
use std::process::Stdio;

use gazetted::domain::token::{Keys, Purpose};
use serde_json::Value;

use super::site::{Ran, Site, site, text};

const ADDRESS: &str = "[bounces]\naddress = \"bounces@blog.example.org\"\n";

/// A blog with two readers whose mail has been written, and so has its keys.
fn with_readers() -> Site {
    let site = site().config(ADDRESS).post("2021-05-05-may.md", text("May", "Sun."));
    for name in ["ann", "bo"] {
        site.ok(&format!("subscribers add {name}@example.org"));
    }
    site.ok("digest open 2021-05 --now");
    site.ok("outbox flush");
    site
}

fn pipe(site: &Site, recipient: &[&str], mail: &str) -> Ran {
    let mut command = site.command(&[&["bounce"], recipient].concat());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(mail.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The address in the first message to this reader, after this word.
fn address(site: &Site, reader: &str, before: &str) -> String {
    let mails = site.mails().into_iter().map(|name| site.read(&format!("mail/{name}")));
    let mail = mails.into_iter().find(|mail| mail.contains(&format!("<{reader}@example.org>"))).unwrap();
    let start = mail.find(before).unwrap() + before.len();
    mail[start..].split(['>', '?']).next().unwrap().to_owned()
}

fn state(site: &Site, reader: &str) -> Value {
    site.json(&format!("subscribers show {reader}@example.org"))["subscriber"]["state"].clone()
}

fn report(status: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
         Final-Recipient: rfc822; x@y.example\r\nAction: failed\r\nStatus: {status}\r\n\r\n--b--\r\n"
    )
}

/// As the return-path of a subscriber's mail has it.
fn return_path(site: &Site, reader: &str) -> String {
    // The unsubscribe address differs from it in its purpose alone; the store's own key makes both.
    let id = site.json(&format!("subscribers show {reader}@example.org"))["subscriber"]["id"].as_i64().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = format!("sqlite:{}", site.path("gazetted.db").display());
    let secret = runtime.block_on(async {
        let store = gazetted::store::open(&url, "2021-06-01T00:00:00Z".parse().unwrap()).await.unwrap();
        store.secret("tokens", [0; 32]).await.unwrap()
    });
    format!("bounces+{}@blog.example.org", Keys::new(&secret, &[]).mint_for_address(Purpose::Bounce, id))
}

#[test]
fn whoever_writes_to_the_unsubscribe_address_is_unsubscribed() {
    let site = with_readers();
    let address = address(&site, "ann", "<mailto:");
    let away = pipe(&site, &[&address], "Auto-Submitted: auto-replied\r\n\r\naway\r\n");
    assert!(away.code == 0 && away.out.contains("nothing was changed"), "{away:?}");
    assert_eq!(state(&site, "ann"), "active");
    let done = pipe(&site, &[&address.to_uppercase()], "Subject: unsubscribe\r\n\r\n\r\n");
    assert!(done.code == 0 && done.out.contains("unsubscribed"), "{done:?}");
    assert_eq!((state(&site, "ann"), state(&site, "bo")), ("unsubscribed".into(), "active".into()));
    let history = site.json("subscribers show ann@example.org")["history"].clone();
    assert_eq!(history.as_array().unwrap().last().unwrap()["source"], "mailto");
    // The header says it too, where the pipe does not.
    let header = format!("Delivered-To: {address}\r\nTo: x@y.example\r\n\r\n");
    assert!(pipe(&site, &[], &header).out.contains("not subscribed any more"));
}

#[test]
fn a_report_of_a_dead_address_or_a_complaint_suppresses_and_nothing_else_does() {
    let site = with_readers();
    let ann = return_path(&site, "ann");
    for mail in
        [report("5.7.1"), report("5.2.2"), report("4.4.1"), "Subject: hello\r\n\r\n5.1.1\r\n".into(), String::new()]
    {
        let ran = pipe(&site, &[&ann], &mail);
        assert!(ran.code == 0 && ran.out.contains("nothing was changed"), "{ran:?}");
    }
    assert_eq!(state(&site, "ann"), "active");
    assert!(pipe(&site, &[&ann], &report("5.1.1")).out.contains("suppressed"));
    let complaint = "Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b--\r\n";
    assert!(pipe(&site, &[&return_path(&site, "bo")], complaint).out.contains("suppressed"));
    assert_eq!((state(&site, "ann"), state(&site, "bo")), ("suppressed".into(), "suppressed".into()));
}

#[test]
fn a_forged_bounce_changes_nothing_and_a_store_that_is_away_keeps_the_mail_in_the_queue() {
    let site = with_readers();
    let good = return_path(&site, "ann");
    let mut forged =
        vec!["bounces@blog.example.org".to_owned(), "bounces+@blog.example.org".into(), "x@y.example".into()];
    forged.extend((8..60).step_by(7).map(|at| {
        let mut other = good.clone();
        let digit = if &good[at..=at] == "0" { "1" } else { "0" };
        other.replace_range(at..=at, digit);
        other
    }));
    for recipient in &forged {
        let ran = pipe(&site, &[recipient], &report("5.1.1"));
        assert!(ran.code == 0 && ran.out.contains("no token of ours"), "{recipient}: {ran:?}");
    }
    assert_eq!(state(&site, "ann"), "active");
    site.rename("gazetted.db", "elsewhere.db");
    std::fs::create_dir(site.path("gazetted.db")).unwrap();
    assert_eq!(pipe(&site, &[&good], &report("5.1.1")).code, 75);
    let without = with_readers().config("");
    assert_eq!(pipe(&without, &[&good], "").code, 1);
}
