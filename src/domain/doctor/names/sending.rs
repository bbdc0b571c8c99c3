//! SPF for whoever sends.

use core::net::IpAddr;

use super::super::dns::{Known, Missing, zone_line};
use super::super::spf::{self, Checked, Client, Qualifier, Verdict};
use super::super::{Finding, listed};
use super::{Origin, Setup};

const RULE: &str = "spf";

pub fn spf(setup: &Setup, known: &Known) -> Result<Vec<Finding>, Missing> {
    let domain = setup.return_domain();
    let origins = setup.origins(known)?;
    let text = match spf::record(domain, known)? {
        Ok(Some(text)) => text,
        Ok(None) => return Ok(vec![none(domain, &origins)]),
        Err(words) => {
            let remedy = format!("have one TXT record of `{domain}` that begins with `v=spf1`, with the terms of both");
            return Ok(vec![Finding::wrong(RULE, words, remedy)]);
        }
    };
    let parsed = match spf::parse(text) {
        Ok(parsed) => parsed,
        Err(words) => {
            let remedy =
                format!("mend it: {}", zone_line(domain, &format!("v=spf1 {} -all", terms(&origins).join(" "))));
            return Ok(vec![Finding::wrong(RULE, format!("`{text}` of `{domain}` cannot be read: {words}"), remedy)]);
        }
    };
    if parsed.all() == Some(Qualifier::Pass) {
        let remedy = zone_line(domain, &text.replace("+all", "-all").replace(" all", " -all"));
        return Ok(vec![Finding::wrong(RULE, format!("`{text}` lets everybody send as `{domain}`"), remedy)]);
    }
    origins.iter().map(|origin| one(setup, known, origin, text, parsed.asks_others())).collect()
}

fn one(setup: &Setup, known: &Known, origin: &Origin, text: &str, asks_others: bool) -> Result<Finding, Missing> {
    let domain = setup.return_domain();
    let who = &origin.who;
    let exactly =
        "ask for the address in the first `Received:` of a mail that arrived: `gazetted doctor --sends-from ADDRESS`";
    if origin.addresses.is_empty() {
        let words = format!("`{text}`; it is not known which address {who} sends from");
        return Ok(Finding::advice(RULE, words, exactly));
    }
    let mut bad: Vec<(IpAddr, Checked)> = Vec::new();
    for address in &origin.addresses {
        let client = Client { address: *address, sender: &setup.return_path, helo: &setup.helo };
        let checked = spf::check(client, domain, known)?;
        if checked.verdict != Verdict::Pass {
            bad.push((*address, checked));
        }
    }
    let Some((address, checked)) = bad.first() else {
        let addresses = all(&origin.addresses);
        return Ok(Finding::right(RULE, format!("`{text}` of `{domain}` lets {addresses} send ({who})")));
    };
    let words = format!("`{text}` of `{domain}`: {} for {address}, {who} ({})", checked.verdict.as_str(), checked.why);
    if matches!(checked.verdict, Verdict::PermError | Verdict::TempError) {
        let remedy = "mend what is named, or leave it out; fewer `include:` ask fewer questions";
        return Ok(Finding::wrong(RULE, words, remedy));
    }
    if !origin.certain && asks_others {
        let words = format!("{words}; providers often send from other addresses than they take mail at");
        return Ok(Finding::advice(RULE, words, exactly));
    }
    let refused: Vec<IpAddr> = bad.iter().map(|(address, _)| *address).collect();
    let missing = Origin { who: who.clone(), addresses: refused, certain: origin.certain };
    let rest = text.get(6..).unwrap_or_default().trim();
    let mended = format!("v=spf1 {} {rest}", terms(std::slice::from_ref(&missing)).join(" "));
    Ok(Finding::wrong(RULE, words, zone_line(domain, mended.trim())))
}

fn none(domain: &str, origins: &[Origin]) -> Finding {
    let record = zone_line(domain, &format!("v=spf1 {} -all", terms(origins).join(" ")));
    let remedy = if origins.iter().any(|origin| !origin.certain) {
        format!("{record} (or with the `include:` that the relay's provider names)")
    } else {
        record
    };
    Finding::wrong(RULE, format!("`{domain}`, the domain of the return-path, has no SPF record"), remedy)
}

/// What lets them send: a host by its name if it is one's relay, else its addresses.
fn terms(origins: &[Origin]) -> Vec<String> {
    let of = |origin: &Origin| -> Vec<String> {
        if !origin.certain && origin.who.trim_matches('`').parse::<IpAddr>().is_err() {
            return vec![format!("a:{}", origin.who.trim_matches('`'))];
        }
        let one = |address: &IpAddr| format!("{}:{address}", if address.is_ipv4() { "ip4" } else { "ip6" });
        origin.addresses.iter().map(one).collect()
    };
    let all: Vec<String> = origins.iter().flat_map(of).collect();
    if all.is_empty() { vec!["mx".to_owned()] } else { all }
}

fn all(addresses: &[IpAddr]) -> String {
    listed(&addresses.iter().map(ToString::to_string).collect::<Vec<_>>())
}
