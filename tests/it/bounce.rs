//! `gazetted bounce`, as a mail server's pipe calls it: with a mail on standard input and the address it was delivered to.

use std::io::Write as _;
use std::process::Stdio;

use gazetted::domain::token::{Keys, Purpose};
use serde_json::Value;

use super::site::{Ran, Site, site, text};

pub const ADDRESS: &str = "[bounces]\naddress = \"bounces@blog.example.org\"\n";

/// A blog with two readers whose mail has been written, and so has its keys.
pub fn with_readers() -> Site {
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

pub fn state(site: &Site, reader: &str) -> Value {
    site.json(&format!("subscribers show {reader}@example.org"))["subscriber"]["state"].clone()
}

pub fn report(status: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
         Final-Recipient: rfc822; x@y.example\r\nAction: failed\r\nStatus: {status}\r\n\r\n--b--\r\n"
    )
}

/// As the return-path of a subscriber's mail has it.
pub fn return_path(site: &Site, reader: &str) -> String {
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
    // As a provider's button may have it.
    let button = "Subject: unsubscribe\r\nAuto-Submitted: auto-generated\r\nPrecedence: bulk\r\n\r\n\r\n";
    let done = pipe(&site, &[&address.to_uppercase()], button);
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
    for (mail, said) in [
        (report("5.7.1"), "the reader is left alone"),
        (report("5.2.2"), "kept, and counted"),
        (report("4.4.1"), "kept, and counted"),
        (report("5.2.2"), "known already"),
        ("Subject: hello\r\n\r\n5.1.1\r\n".into(), "nothing was changed"),
        (String::new(), "nothing was changed"),
    ] {
        let ran = pipe(&site, &[&ann], &mail);
        assert!(ran.code == 0 && ran.out.contains(said), "{ran:?}");
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

#[test]
fn a_bounce_is_shown_with_its_mail_and_undone() {
    let site = with_readers();
    let ann = return_path(&site, "ann");
    let mail = report("5.1.1").replace("From:", "Message-ID: <1@mx.example>\r\nFrom:");
    pipe(&site, &[&ann], &mail);
    let shown = site.json("subscribers show ann@example.org");
    let bounce = &shown["bounces"][0];
    assert_eq!(
        (&bounce["class"], &bounce["status"], &bounce["source"]),
        (&"dead".into(), &"5.1.1".into(), &"pipe".into())
    );
    assert_eq!((&bounce["edition"], &bounce["suppressed"]), (&"2021-05".into(), &true.into()));
    let id = bounce["id"].as_i64().unwrap();
    let text = site.ok("subscribers show ann@example.org").out;
    assert!(
        text.contains("bounces") && text.contains(&format!("#{id}  dead  5.1.1  2021-05  pipe  suppressed")),
        "{text}"
    );
    assert_eq!(site.ok(&format!("subscribers show ann@example.org --original {id}")).out, mail);
    assert_eq!(site.run("subscribers show ann@example.org --original 99").code, 1);
    assert_eq!(site.run("subscribers undo-bounce bo@example.org").code, 1);
    assert_eq!(site.run("subscribers undo-bounce ann@example.org 99").code, 1);
    let undone = site.ok("subscribers undo-bounce ann@example.org").out;
    assert!(undone.contains("ann@example.org is active again"), "{undone}");
    assert_eq!(state(&site, "ann"), "active");
    assert!(site.ok("subscribers show ann@example.org").out.contains("undone 2"));
    // The same mail once more is the one that was undone.
    assert!(pipe(&site, &[&ann], &mail).out.contains("known already"));
    assert_eq!(state(&site, "ann"), "active");
}

#[test]
fn a_complaint_finds_its_reader_in_the_mail_it_brings_back_and_is_undone_only_by_their_word() {
    let site = with_readers();
    let mails = site.mails().into_iter().map(|name| site.read(&format!("mail/{name}")));
    let sent = mails.into_iter().find(|mail| mail.contains("<ann@example.org>")).unwrap();
    let headers = sent.split("\r\n\r\n").next().unwrap();
    let complaint = format!(
        "From: feedback@arf.example\r\nTo: abuse@blog.example.org\r\nContent-Type: multipart/report; \
         report-type=feedback-report; boundary=b\r\n\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\n\
         Feedback-Type: abuse\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{headers}\r\n\r\ntext\r\n--b--\r\n"
    );
    // In what a person forwards, the same headers say nothing.
    let forwarded = complaint.replace("multipart/report; report-type=feedback-report", "multipart/mixed");
    let forwarded = forwarded.replace("message/feedback-report", "text/plain");
    assert!(pipe(&site, &[], &forwarded).out.contains("no token of ours"));
    assert!(pipe(&site, &[], &complaint).out.contains("suppressed"));
    assert_eq!((state(&site, "ann"), state(&site, "bo")), ("suppressed".into(), "active".into()));
    let kept = site.json("subscribers show ann@example.org")["bounces"][0].clone();
    assert_eq!((&kept["class"], &kept["edition"]), (&"complaint".into(), &"2021-05".into()));
    let refused = site.run("subscribers undo-bounce ann@example.org");
    assert!(refused.code == 1 && refused.err.contains("--complaint"), "{refused:?}");
    assert!(site.ok("subscribers undo-bounce ann@example.org --complaint").out.contains("active again"));
}

#[test]
fn of_many_forged_reports_none_suppresses_anybody() {
    use gazetted::daemon::bounces::{NO_TOKEN, take};
    use gazetted::domain::bounce_class::Source;
    use gazetted::domain::bounce_message::read;
    let site = with_readers();
    let good = return_path(&site, "ann");
    let token = good.trim_start_matches("bounces+").split('@').next().unwrap().to_owned();
    let now = "2021-06-02T00:00:00Z".parse().unwrap();
    let url = format!("sqlite:{}", site.path("gazetted.db").display());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = gazetted::store::open(&url, now).await.unwrap();
        for n in 0..2_000_usize {
            // One digit changed, or digits of another's id, or another length, wherever a token may stand.
            let mut forged = token.clone();
            let at = n % token.len();
            let digit = format!("{:x}", (token.as_bytes()[at] as usize * 7 + n) % 16);
            forged.replace_range(at..=at, &digit);
            if n % 5 == 0 {
                forged.truncate(n % token.len());
            }
            if forged == token {
                continue;
            }
            let address = format!("bounces+{forged}@blog.example.org");
            let mail =
                report("5.1.1").replace("Reporting-MTA", &format!("X-Return-Path: <{address}>\r\nReporting-MTA"));
            let recipients: &[String] = if n % 2 == 0 { std::slice::from_ref(&address) } else { &[] };
            let letter = read(mail.as_bytes(), recipients, "bounces@blog.example.org");
            assert_eq!(take(&store, Source::Pipe, &letter, mail.as_bytes(), now).await.unwrap(), NO_TOKEN, "{forged}");
        }
    });
    assert_eq!((state(&site, "ann"), state(&site, "bo")), ("active".into(), "active".into()));
}
