//! The ways out, as they were found: each relay's TLS, login, and what it offers. Knows what was heard; speaks no SMTP.

use jiff::Timestamp;

use super::Finding;
use crate::domain::certificate::Certificate;

/// Authorities renew at a third of ninety days left; with less than this something has failed.
const SOON: i64 = 14;

/// One `[[smtp]]`.
#[derive(Debug, Clone)]
pub struct Relay {
    /// `host:port`, or the program.
    pub name: String,
    pub kind: Kind,
}

#[derive(Debug, Clone)]
pub enum Kind {
    /// The machine's own program; the words say why it cannot be run.
    Program(Result<(), String>),
    Server(Talk),
}

#[derive(Debug, Clone)]
pub struct Talk {
    /// `smtp.tls`.
    pub tls: &'static str,
    /// It is on this machine.
    pub here: bool,
    /// There is a user and no password, and so no login was tried.
    pub password_elsewhere: bool,
    pub met: Result<Met, Parted>,
}

/// How far it went before it ended.
#[derive(Debug, Clone)]
pub struct Parted {
    /// It was about TLS.
    pub at_tls: bool,
    pub words: String,
}

#[derive(Debug, Clone)]
pub struct Met {
    /// The protocol's version and the certificate, if anything is encrypted.
    pub version: Option<String>,
    pub certificate: Option<Certificate>,
    /// What EHLO named.
    pub offers: Vec<String>,
    pub size: Option<usize>,
    /// With `smtp.user`: what came of it.
    pub login: Option<Result<(), String>>,
}

/// `largest`: bytes of the largest digest that is known.
#[must_use]
pub fn findings(relays: &[Relay], largest: Option<usize>, now: Timestamp) -> Vec<Finding> {
    relays.iter().flat_map(|relay| of(relay, largest, now)).collect()
}

fn of(relay: &Relay, largest: Option<usize>, now: Timestamp) -> Vec<Finding> {
    let name = &relay.name;
    let later = ["smtp-tls", "smtp-login", "smtp-size", "smtp-extensions"];
    let skip = |rules: &[&'static str], why: &str| -> Vec<Finding> {
        rules.iter().map(|rule| Finding::skipped(rule, format!("`{name}`: {why}"))).collect()
    };
    let talk = match &relay.kind {
        Kind::Program(Ok(())) => {
            let mut all = vec![Finding::right("smtp", format!("`{name}` can be run"))];
            all.extend(skip(&later, "the program sees to it"));
            return all;
        }
        Kind::Program(Err(words)) => {
            let remedy = "install a mail server that brings it, or name a relay: `host` below `[smtp]`";
            let mut all = vec![Finding::wrong("smtp", format!("`{name}` cannot be run: {words}"), remedy)];
            all.extend(skip(&later, "it cannot be run"));
            return all;
        }
        Kind::Server(talk) => talk,
    };
    match &talk.met {
        Err(Parted { at_tls: true, words }) => {
            let mut all = vec![
                Finding::right("smtp", format!("`{name}` answers")),
                Finding::wrong("smtp-tls", format!("`{name}`: {words}"), tls_remedy(words)),
            ];
            all.extend(skip(&later[1..], "there is no TLS"));
            all
        }
        Err(Parted { words, .. }) => {
            let remedy = "are `host` and `port` below `[smtp]` right, is it up, and does a firewall let us out (providers close 25)?";
            let mut all = vec![Finding::wrong("smtp", format!("`{name}`: {words}"), remedy)];
            all.extend(skip(&later, "it was not reached"));
            all
        }
        Ok(met) => vec![
            Finding::right("smtp", format!("`{name}` answers")),
            tls(name, talk, met, now),
            login(name, talk, met),
            size(name, met, largest),
            extensions(name, met),
        ],
    }
}

fn tls_remedy(words: &str) -> &'static str {
    let words = words.to_ascii_lowercase();
    if words.contains("notvalidforname") || words.contains("not valid for") {
        "name the relay as its certificate does: `host` below `[smtp]`"
    } else if words.contains("expired") {
        "have the relay's certificate renewed, or look at this machine's clock"
    } else if words.contains("unknownissuer") || words.contains("unknown issuer") {
        "if it is your own authority: `ca_file = \"ca.pem\"` below `[smtp]`; else have the relay send its whole chain"
    } else if words.contains("starttls") {
        "`tls = \"tls\"` and `port = 465` below `[smtp]`, if it offers that"
    } else {
        "is `tls` below `[smtp]` right for this port: `starttls` for 587, `tls` for 465?"
    }
}

fn tls(name: &str, talk: &Talk, met: &Met, now: Timestamp) -> Finding {
    let Some(version) = &met.version else {
        if talk.here {
            return Finding::right("smtp-tls", format!("`{name}` is on this machine, without TLS"));
        }
        let words = format!("`{name}`: mail and readers' addresses cross the network readable by all");
        return Finding::wrong("smtp-tls", words, "`tls = \"starttls\"` below `[smtp]`");
    };
    let Some(certificate) = &met.certificate else {
        return Finding::right("smtp-tls", format!("`{name}`: {version}"));
    };
    certificate_finding("smtp-tls", name, version, certificate, now)
}

/// What TLS has taken, and how long it still will.
#[must_use]
pub fn certificate_finding(
    rule: &'static str,
    name: &str,
    version: &str,
    certificate: &Certificate,
    now: Timestamp,
) -> Finding {
    let days = certificate.until.duration_since(now).as_hours() / 24;
    let holder = certificate.names.first().map_or("nobody", String::as_str);
    let words = format!("`{name}`: {version}, certificate of `{holder}`, good for {days} days");
    if days < SOON {
        return Finding::advice(
            rule,
            words,
            "have it renewed: what renews it by itself seems not to (`certbot renew`)",
        );
    }
    Finding::right(rule, words)
}

fn login(name: &str, talk: &Talk, met: &Met) -> Finding {
    match &met.login {
        None if talk.password_elsewhere => {
            let why = "its password is not in the configuration: a systemd credential, which only the daemon has?";
            Finding::skipped("smtp-login", format!("`{name}`: {why}"))
        }
        None => Finding::skipped("smtp-login", format!("`{name}`: there is no `user` below `[smtp]`")),
        Some(Ok(())) => Finding::right("smtp-login", format!("`{name}` takes the login")),
        Some(Err(words)) => Finding::wrong(
            "smtp-login",
            format!("`{name}` does not take the login: {words}"),
            "look at `user` and `password_file` below `[smtp]`; many providers want a password made for programs",
        ),
    }
}

fn size(name: &str, met: &Met, largest: Option<usize>) -> Finding {
    let ours = largest.map_or("what is sent is not known yet".to_owned(), |bytes| {
        format!("the largest digest has {} kB", bytes.div_ceil(1000))
    });
    match (met.size.filter(|most| *most > 0), largest) {
        (Some(most), Some(bytes)) if bytes > most => Finding::wrong(
            "smtp-size",
            format!("`{name}` takes {} kB, and {ours}", most / 1000),
            "have the relay take more, or shorten what posts say first (`excerpt`)",
        ),
        (Some(most), _) => Finding::right("smtp-size", format!("`{name}` takes {} kB; {ours}", most / 1000)),
        (None, _) => Finding::right("smtp-size", format!("`{name}` names no limit; {ours}")),
    }
}

/// What makes sending quicker, or reaches more people.
fn extensions(name: &str, met: &Met) -> Finding {
    let wanted = ["PIPELINING", "8BITMIME", "SMTPUTF8", "DSN"];
    let (there, missing): (Vec<&str>, Vec<&str>) =
        wanted.into_iter().partition(|word| met.offers.iter().any(|offer| offer.eq_ignore_ascii_case(word)));
    let words = format!(
        "`{name}` offers {}",
        if there.is_empty() { "no extension we use".to_owned() } else { there.join(", ") }
    );
    if missing.contains(&"PIPELINING") {
        let words = format!("{words}, and no PIPELINING: each message waits four times for an answer, not once");
        return Finding::advice(
            "smtp-extensions",
            words,
            "more connections make up for it: `connections = 8` below `[smtp]`",
        );
    }
    Finding::right("smtp-extensions", words)
}

#[cfg(test)]
mod tests {
    use super::super::Outcome::{Advice, Right, Skipped, Wrong};
    use super::*;

    fn now() -> Timestamp {
        "2026-11-29T00:00:00Z".parse().unwrap()
    }

    fn met() -> Met {
        Met {
            version: Some("TLS 1.3".into()),
            certificate: Some(Certificate {
                names: vec!["relay.example.org".into()],
                until: "2027-01-29T00:00:00Z".parse().unwrap(),
            }),
            offers: ["PIPELINING", "SIZE", "8BITMIME"].map(str::to_owned).to_vec(),
            size: Some(10_000_000),
            login: Some(Ok(())),
        }
    }

    fn told(here: bool, met: Result<Met, Parted>) -> Vec<Finding> {
        let kind = Kind::Server(Talk { tls: "starttls", here, password_elsewhere: false, met });
        findings(&[Relay { name: "relay.example.org:587".into(), kind }], Some(30_000), now())
    }

    #[test]
    fn each_fault_of_a_relay_is_one_finding() {
        let outcomes = |found: Vec<Finding>| found.iter().map(|f| f.outcome).collect::<Vec<_>>();
        let but = |change: fn(&mut Met)| {
            let mut met = met();
            change(&mut met);
            outcomes(told(false, Ok(met)))
        };
        assert_eq!(but(|_| ()), [Right; 5]);
        assert_eq!(but(|met| met.login = None), [Right, Right, Skipped, Right, Right]);
        assert_eq!(but(|met| met.login = Some(Err("535 no".into()))), [Right, Right, Wrong, Right, Right]);
        assert_eq!(but(|met| met.size = Some(20_000)), [Right, Right, Right, Wrong, Right]);
        assert_eq!(but(|met| met.size = None), [Right; 5]);
        assert_eq!(but(|met| met.offers.clear()), [Right, Right, Right, Right, Advice]);
        assert_eq!(but(|met| met.version = None), [Right, Wrong, Right, Right, Right]);
        assert_eq!(
            but(|met| met.certificate.as_mut().unwrap().until = "2026-12-12T00:00:00Z".parse().unwrap()),
            [Right, Advice, Right, Right, Right]
        );
        let parted = |at_tls| Err(Parted { at_tls, words: "invalid peer certificate: Expired".into() });
        assert_eq!(outcomes(told(false, parted(true))), [Right, Wrong, Skipped, Skipped, Skipped]);
        assert_eq!(outcomes(told(false, parted(false))), [Wrong, Skipped, Skipped, Skipped, Skipped]);
        let plain = Met { version: None, certificate: None, login: None, ..met() };
        assert_eq!(outcomes(told(true, Ok(plain))), [Right, Right, Skipped, Right, Right]);
        for (kind, expected) in [(Ok(()), Right), (Err("no such file".to_owned()), Wrong)] {
            let relay = Relay { name: "/usr/sbin/sendmail".into(), kind: Kind::Program(kind) };
            assert_eq!(outcomes(findings(&[relay], None, now())), [expected, Skipped, Skipped, Skipped, Skipped]);
        }
    }

    #[test]
    fn the_remedy_is_that_of_the_fault() {
        for (words, remedy) in [
            ("invalid peer certificate: NotValidForName", "as its certificate does"),
            ("invalid peer certificate: UnknownIssuer", "ca_file"),
            ("invalid peer certificate: Expired", "renewed"),
            ("the server does not offer STARTTLS", "465"),
            ("received corrupt message", "right for this port"),
        ] {
            assert!(tls_remedy(words).contains(remedy), "{words}");
        }
    }
}
