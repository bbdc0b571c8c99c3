//! What is said of a set of records, as a table: the zone, and the rules that are not right with their outcome.

use super::super::Outcome;
use super::super::dkim::tests::{ED25519, rsa2048};
use super::super::dns::Answer;
use super::super::dns::tests::zone;
use super::*;

fn setup(key: &str) -> Setup {
    Setup {
        from: "example.org".into(),
        replies: "example.org".into(),
        return_path: "bounces+x@bounces.example.org".into(),
        helo: "mail.example.org".into(),
        signers: vec![OurKey {
            domain: "example.org".into(),
            name: "gz._domainkey.example.org".into(),
            text: format!("v=DKIM1; k=rsa; p={key}"),
        }],
        sends_from: vec!["192.0.2.1".parse().unwrap()],
        ..Setup::default()
    }
}

fn right(key: &str) -> String {
    format!(
        "example.org TXT something
        example.org MX 10 mail.example.org
        bounces.example.org MX 10 mail.example.org
        bounces.example.org TXT v=spf1 ip4:192.0.2.1 -all
        mail.example.org A 192.0.2.1
        1.2.0.192.in-addr.arpa PTR mail.example.org
        gz._domainkey.example.org TXT v=DKIM1; k=rsa; p={key}
        _dmarc.example.org TXT v=DMARC1; p=quarantine; rua=mailto:d@example.org
        default._bimi.example.org TXT v=BIMI1; l=https://example.org/l.svg; a=https://example.org/l.pem"
    )
}

fn told(setup: &Setup, lines: &str) -> Vec<Finding> {
    let mut known = zone(lines);
    for _ in 0..50 {
        match findings(setup, &known) {
            Ok(findings) => return findings,
            Err(missing) => missing.into_iter().for_each(|question| known.learn(question, Answer::NoName)),
        }
    }
    panic!("it asks for ever");
}

/// Those that are not right: `rule outcome`.
fn faults(findings: &[Finding]) -> Vec<String> {
    let bad = findings.iter().filter(|finding| finding.outcome != Outcome::Right);
    bad.map(|finding| format!("{} {:?}", finding.rule, finding.outcome)).collect()
}

/// The records with one of them told otherwise; an empty value leaves it out.
fn changed(lines: &str, start: &str, value: &str) -> String {
    let start = start.trim();
    let keep = |line: &&str| !line.trim().starts_with(start);
    let mut all: Vec<String> = lines.lines().filter(keep).map(str::to_owned).collect();
    assert_ne!(all.len(), lines.lines().count(), "{start}");
    all.extend(value.lines().map(|value| format!("{start} {value}")));
    all.join("\n")
}

#[test]
fn a_right_set_of_records_is_right_and_each_fault_is_one_finding() {
    let key = rsa2048();
    let (setup, right) = (setup(&key), right(&key));
    let found = told(&setup, &right);
    assert_eq!(faults(&found), Vec::<String>::new(), "{found:#?}");
    let curve = format!("v=DKIM1; k=ed25519; p={ED25519}");
    let tested = format!("v=DKIM1; t=y; p={key}");
    for (start, value, expected) in [
        ("bounces.example.org TXT", "", &["spf Wrong"][..]),
        ("bounces.example.org TXT", "v=spf1 ip4:192.0.2.2 -all", &["spf Wrong"]),
        ("bounces.example.org TXT", "v=spf1 +all", &["spf Wrong"]),
        ("bounces.example.org TXT", "v=spf1 nonsense -all", &["spf Wrong"]),
        ("bounces.example.org TXT", "v=spf1 a -all\nv=spf1 mx -all", &["spf Wrong"]),
        ("bounces.example.org TXT", "v=spf1 include:gone.example.net -all", &["spf Wrong"]),
        ("gz._domainkey.example.org TXT", "", &["dkim Wrong"]),
        ("gz._domainkey.example.org TXT", "v=DKIM1; p=", &["dkim Wrong"]),
        ("gz._domainkey.example.org TXT", &curve, &["dkim Wrong"]),
        ("gz._domainkey.example.org TXT", &tested, &["dkim Advice"]),
        ("_dmarc.example.org TXT", "", &["alignment Skipped", "bimi Advice", "dmarc Wrong"]),
        ("_dmarc.example.org TXT", "v=DMARC1; p=oops", &["alignment Skipped", "bimi Advice", "dmarc Wrong"]),
        ("_dmarc.example.org TXT", "fails", &["alignment Skipped", "bimi Advice", "dmarc Wrong"]),
        ("_dmarc.example.org TXT", "v=DMARC1; p=none; rua=mailto:d@example.org", &["bimi Advice"]),
        ("_dmarc.example.org TXT", "v=DMARC1; p=reject", &["dmarc Advice"]),
        (
            "_dmarc.example.org TXT",
            "v=DMARC1; p=reject; pct=50; rua=mailto:d@example.org",
            &["bimi Advice", "dmarc Advice"],
        ),
        ("_dmarc.example.org TXT", "v=DMARC1; p=reject; aspf=s; rua=mailto:d@example.org", &["alignment Advice"]),
        ("bounces.example.org MX", "", &["mx Wrong"]),
        ("bounces.example.org MX", "0 .", &["mx Wrong"]),
        ("example.org MX", "10 gone.example.org", &["mx Wrong"]),
        ("1.2.0.192.in-addr.arpa PTR", "", &["ptr Wrong"]),
        ("1.2.0.192.in-addr.arpa PTR", "other.example.org", &["ptr Wrong"]),
        ("default._bimi.example.org TXT", "", &["bimi Advice"]),
        ("default._bimi.example.org TXT", "v=BIMI1; l=http://example.org/l.svg", &["bimi Wrong"]),
        ("default._bimi.example.org TXT", "v=BIMI1; l=https://example.org/l.svg", &["bimi Advice"]),
    ] {
        let found = told(&setup, &changed(&right, start, value));
        let mut bad = faults(&found);
        bad.sort();
        assert_eq!(bad, expected, "{start} {value}: {found:#?}");
        let without =
            found.iter().filter(|f| f.outcome == Outcome::Wrong && f.remedy.as_deref().unwrap_or_default().is_empty());
        assert_eq!(without.count(), 0, "{start} {value}");
    }
}

#[test]
fn the_remedy_is_the_record_to_paste() {
    let key = rsa2048();
    let (setup, right) = (setup(&key), right(&key));
    let remedy = |start: &str, value: &str, rule: &str| {
        let found = told(&setup, &changed(&right, start, value));
        found.into_iter().find(|finding| finding.rule == rule).unwrap().remedy.unwrap()
    };
    assert_eq!(
        remedy("bounces.example.org TXT", "", "spf"),
        "bounces.example.org. IN TXT \"v=spf1 ip4:192.0.2.1 -all\""
    );
    assert_eq!(
        remedy("bounces.example.org TXT", "v=spf1 ip4:192.0.2.9 ~all", "spf"),
        "bounces.example.org. IN TXT \"v=spf1 ip4:192.0.2.1 ip4:192.0.2.9 ~all\""
    );
    let record = remedy("gz._domainkey.example.org TXT", "", "dkim");
    assert!(record.starts_with("gz._domainkey.example.org. IN TXT \"v=DKIM1; k=rsa; p="), "{record}");
    assert_eq!(record.replace("\" \"", "").split("p=").nth(1), Some(format!("{key}\"").as_str()));
    assert_eq!(
        remedy("_dmarc.example.org TXT", "", "dmarc"),
        "_dmarc.example.org. IN TXT \"v=DMARC1; p=none; rua=mailto:postmaster@example.org\""
    );
    assert!(
        remedy("1.2.0.192.in-addr.arpa PTR", "", "ptr").contains("1.2.0.192.in-addr.arpa. IN PTR mail.example.org.")
    );
}

#[test]
fn a_relay_is_asked_for_as_far_as_it_can_be_known() {
    let key = rsa2048();
    let relay = |here, own: &[&str]| Setup {
        sends_from: Vec::new(),
        relays: vec![Relay { host: "relay.example.net".into(), here }],
        own: own.iter().map(|address| address.parse().unwrap()).collect(),
        ..setup(&key)
    };
    let lines = |spf: &str| {
        let relay = "relay.example.net A 198.51.100.7\n_spf.example.net TXT v=spf1 ip4:198.51.100.64/28 -all\n";
        format!("{relay}{}", changed(&right(&key), "bounces.example.org TXT", spf))
    };
    let one = |setup: &Setup, spf: &str, rule: &str| {
        let found = told(setup, &lines(spf));
        found.into_iter().find(|finding| finding.rule == rule).unwrap()
    };
    let away = relay(false, &[]);
    assert_eq!(one(&away, "v=spf1 a:relay.example.net -all", "spf").outcome, Outcome::Right);
    let provider = one(&away, "v=spf1 include:_spf.example.net -all", "spf");
    assert_eq!(provider.outcome, Outcome::Advice, "it may send from 198.51.100.65");
    assert!(provider.remedy.unwrap().contains("--sends-from"));
    let refused = one(&away, "v=spf1 ip4:192.0.2.9 -all", "spf");
    assert_eq!(refused.outcome, Outcome::Wrong);
    assert_eq!(
        refused.remedy.unwrap(),
        "bounces.example.org. IN TXT \"v=spf1 a:relay.example.net ip4:192.0.2.9 -all\""
    );
    assert!(one(&away, "", "spf").remedy.unwrap().contains("`include:` that the relay's provider names"));
    assert_eq!(one(&away, "v=spf1 a -all", "ptr").outcome, Outcome::Skipped);
    assert_eq!(one(&relay(true, &["192.0.2.1"]), "v=spf1 ip4:192.0.2.1 -all", "spf").outcome, Outcome::Right);
    assert_eq!(one(&relay(true, &[]), "v=spf1 ip4:192.0.2.1 -all", "spf").outcome, Outcome::Advice, "behind a NAT");
}

#[test]
fn without_a_key_of_ours_the_relays_word_is_needed() {
    let key = rsa2048();
    let unsigned = Setup { signers: Vec::new(), ..setup(&key) };
    assert_eq!(faults(&told(&unsigned, &right(&key))), ["dkim Advice", "alignment Advice"]);
    let signed = Setup { signed_by_relay: Some("example.org".into()), ..unsigned.clone() };
    assert_eq!(faults(&told(&signed, &right(&key))), Vec::<String>::new());
    let elsewhere = Setup {
        signed_by_relay: Some("relay.example.net".into()),
        return_path: "x@relay.example.net".into(),
        ..unsigned
    };
    assert!(faults(&told(&elsewhere, &right(&key))).contains(&"alignment Wrong".to_owned()));
}

#[test]
fn a_name_server_that_says_nothing_is_one_finding() {
    let found = told(&setup("x"), "example.org TXT silent");
    assert_eq!(found.iter().filter(|finding| finding.outcome == Outcome::Wrong).count(), 1);
    assert!(found.iter().all(|finding| finding.outcome != Outcome::Right));
    assert_eq!(found.len(), 8);
    let gone = told(&setup("x"), "example.com TXT x");
    assert!(gone.iter().any(|finding| finding.rule == "dns" && finding.message.contains("no domain `example.org`")));
}
