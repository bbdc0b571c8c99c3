use super::super::Outcome::{self, Advice, Right, Skipped, Wrong};
use super::*;

fn now() -> Timestamp {
    "2026-11-29T00:00:00Z".parse().unwrap()
}

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, body: body.to_owned(), media_type: "text/html; charset=utf-8".to_owned(), location: None }
}

fn moved(to: &str) -> Answer {
    Answer { location: Some(to.to_owned()), ..answer(301, "") }
}

fn good() -> Pages {
    let certificate =
        Certificate { names: vec!["blog.example.org".into()], until: "2027-11-29T00:00:00Z".parse().unwrap() };
    Pages {
        url: "https://blog.example.org".into(),
        live: Ok(answer(200, "live\n")),
        genuine: Some(Ok(answer(200, "<input value=\"One-Click\">"))),
        made_up: Ok(answer(404, "no such link")),
        posted: Ok(answer(404, "no such link")),
        certificate: Some(Ok(("TLS 1.3".into(), certificate))),
        mails: true,
    }
}

#[test]
fn each_fault_of_the_pages_is_one_finding() {
    let but = |change: fn(&mut Pages)| -> Vec<Outcome> {
        let mut seen = good();
        change(&mut seen);
        pages(&seen, now()).iter().map(|finding| finding.outcome).collect()
    };
    let nothing = [Wrong, Right, Skipped, Skipped, Skipped];
    assert_eq!(but(|_| ()), [Right; 5]);
    assert_eq!(but(|p| p.live = Ok(answer(200, "<html>"))), nothing);
    assert_eq!(but(|p| p.live = Ok(answer(502, ""))), nothing);
    assert_eq!(but(|p| p.live = Err("refused".into())), nothing);
    assert_eq!(but(|p| p.genuine = None), [Right, Right, Skipped, Right, Right]);
    assert_eq!(but(|p| p.genuine = Some(Ok(answer(404, "")))), [Right, Right, Wrong, Right, Right]);
    assert_eq!(but(|p| p.made_up = Ok(moved("https://www.example.org/"))), [Right, Right, Right, Wrong, Right]);
    assert_eq!(but(|p| p.made_up = Ok(answer(403, "challenge"))), [Right, Right, Right, Wrong, Right]);
    for status in [403, 405, 301, 200] {
        let mut seen = good();
        seen.posted = Ok(answer(status, ""));
        assert_eq!(pages(&seen, now())[4].outcome, Wrong, "{status}");
    }
    let plain = |pages: &mut Pages| {
        pages.url = "http://blog.example.org".into();
        pages.certificate = None;
    };
    assert_eq!(but(plain), [Right, Skipped, Right, Wrong, Right]);
    let mut unread = good();
    plain(&mut unread);
    unread.mails = false;
    assert_eq!(pages(&unread, now())[3].outcome, Skipped);
    assert_eq!(but(|p| p.certificate = Some(Err("expired".into()))), [Right, Wrong, Right, Right, Right]);
    let soon = |p: &mut Pages| {
        if let Some(Ok((_, certificate))) = &mut p.certificate {
            certificate.until = "2026-12-05T00:00:00Z".parse().unwrap();
        }
    };
    assert_eq!(but(soon), [Right, Advice, Right, Right, Right]);
}

fn looked_at() -> Looked {
    Looked {
        status: 200,
        problems: Vec::new(),
        kinship: Kinship::Same,
        by_etag: Some(304),
        by_date: Some(304),
        gzip: true,
    }
}

#[test]
fn each_fault_of_a_feed_is_one_finding() {
    let told = |looked: Result<Looked, String>| -> Vec<Outcome> {
        let good = Feed { address: "https://blog.example.org/feed.xml".into(), looked: Ok(looked_at()) };
        let other = Feed { address: "https://blog.example.org/atom.xml".into(), looked };
        feeds(&[good, other]).iter().map(|finding| finding.outcome).collect()
    };
    let problem = |code| vec![Problem::error("feed.xml", code, "bad")];
    let place = |at: usize, outcome: Outcome| {
        let mut all = [Right; 7];
        all[at] = outcome;
        all
    };
    assert_eq!(told(Ok(looked_at())), [Right; 7]);
    assert_eq!(told(Err("refused".into())), place(0, Wrong));
    assert_eq!(told(Ok(Looked { status: 404, ..looked_at() })), place(0, Wrong));
    assert_eq!(told(Ok(Looked { status: 403, problems: problem("http-wall"), ..looked_at() })), place(1, Wrong));
    assert_eq!(told(Ok(Looked { kinship: Kinship::Stranger, ..looked_at() })), place(2, Wrong));
    assert_eq!(told(Ok(Looked { kinship: Kinship::Older, ..looked_at() })), place(2, Advice));
    assert_eq!(told(Ok(Looked { kinship: Kinship::NotWritten, ..looked_at() })), place(2, Skipped));
    assert_eq!(told(Ok(Looked { problems: problem("http-type"), ..looked_at() })), place(3, Wrong));
    assert_eq!(told(Ok(Looked { by_etag: Some(200), ..looked_at() })), place(4, Wrong));
    assert_eq!(told(Ok(Looked { by_date: None, ..looked_at() })), place(4, Wrong));
    assert_eq!(told(Ok(Looked { gzip: false, ..looked_at() })), place(5, Advice));
    assert_eq!(told(Ok(Looked { problems: problem("syntax"), ..looked_at() })), place(6, Wrong));
    assert!(feeds(&[]).is_empty());
    let none = feeds(&[Feed { address: "a".into(), looked: Err("refused".into()) }]);
    assert_eq!(none.iter().filter(|finding| finding.outcome == Skipped).count(), 6);
}
