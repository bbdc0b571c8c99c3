//! Whether mail finds its way back (MX), and whether who sends has a name (PTR).

use core::net::IpAddr;

use super::super::dns::{Answer, Kind, Known, Missing, Record, reversed};
use super::super::{Finding, listed};
use super::Setup;

/// Bounces, and answers of readers.
pub fn mx(setup: &Setup, known: &Known) -> Result<Vec<Finding>, Missing> {
    let mut domains = vec![setup.return_domain()];
    domains.extend(Some(setup.replies.as_str()).filter(|replies| *replies != setup.return_domain()));
    domains.into_iter().map(|domain| exchange(domain, known)).collect()
}

fn exchange(domain: &str, known: &Known) -> Result<Finding, Missing> {
    let wrong = |words: String| {
        Finding::wrong("mx", words, format!("{domain}. IN MX 10 mail.{domain}. (or whoever takes mail for `{domain}`)"))
    };
    let mut hosts = match known.ask(Kind::Mx, domain)? {
        Answer::Found(records) => exchanges(records),
        Answer::Failed(words) | Answer::Silent(words) => return Ok(wrong(format!("MX of `{domain}`: {words}"))),
        Answer::Empty | Answer::NoName => {
            let addresses = known.addresses(domain)?;
            return Ok(if addresses.is_empty() {
                wrong(format!("no server takes mail for `{domain}`: bounces and answers are lost"))
            } else {
                let words = format!("`{domain}` has no MX; servers try its address, {}", addresses[0]);
                Finding::advice("mx", words, format!("{domain}. IN MX 10 {domain}."))
            });
        }
    };
    if hosts.iter().all(|host| host.is_empty() || host == ".") {
        return Ok(wrong(format!("`{domain}` says that it takes no mail (null MX): bounces and answers are lost")));
    }
    let mut dead = Vec::new();
    for host in &hosts {
        if known.addresses(host)?.is_empty() {
            dead.push(format!("`{host}`"));
        }
    }
    if !dead.is_empty() {
        let words = format!("{} of `{domain}`'s MX has no address", listed(&dead));
        return Ok(Finding::wrong("mx", words, "give the host an address, or name another one"));
    }
    hosts.truncate(3);
    let named: Vec<String> = hosts.iter().map(|host| format!("`{host}`")).collect();
    Ok(Finding::right("mx", format!("mail for `{domain}` goes to {}", listed(&named))))
}

/// In the order in which they are tried.
fn exchanges(records: &[Record]) -> Vec<String> {
    let one = |record: &Record| if let Record::Exchange(at, host) = record { Some((*at, host.clone())) } else { None };
    let mut all: Vec<(u16, String)> = records.iter().filter_map(one).collect();
    all.sort();
    all.into_iter().map(|(_, host)| host).collect()
}

/// Of what sends, if that is known; a relay's provider answers for its own.
pub fn ptr(setup: &Setup, known: &Known) -> Result<Vec<Finding>, Missing> {
    let mut all = Vec::new();
    for origin in setup.origins(known)? {
        let who = &origin.who;
        let mut named = Vec::new();
        let mut bad = None;
        for address in &origin.addresses {
            match confirmed(*address, known)? {
                Ok(name) => named.push(format!("{address} is `{name}`")),
                Err(words) => bad = bad.or(Some((*address, words))),
            }
        }
        all.push(match bad {
            None if named.is_empty() && origin.certain => Finding::advice(
                "ptr",
                format!("it is not known which address {who} sends from"),
                "name it: `gazetted doctor --sends-from ADDRESS`",
            ),
            None if named.is_empty() => {
                Finding::skipped("ptr", format!("{who} sends: its provider answers for its name"))
            }
            None => Finding::right("ptr", format!("{}, there and back ({who})", listed(&named))),
            Some((address, words)) if origin.certain => Finding::wrong(
                "ptr",
                words,
                format!(
                    "have whoever gives you the address set: {}. IN PTR {}. (a name that leads back to it)",
                    reversed(address),
                    if setup.helo.contains('.') { setup.helo.clone() } else { format!("mail.{}", setup.from) }
                ),
            ),
            Some((_, words)) => Finding::skipped(
                "ptr",
                format!("{who} sends: its provider answers for its name (where it takes mail: {words})"),
            ),
        });
    }
    Ok(all)
}

/// A name of the address that leads back to it.
fn confirmed(address: IpAddr, known: &Known) -> Result<Result<String, String>, Missing> {
    let names = known.names(address)?;
    for name in names.iter().take(5) {
        if known.addresses(name)?.contains(&address) {
            return Ok(Ok((*name).to_owned()));
        }
    }
    Ok(Err(match names.first() {
        None => format!("{address} has no name (PTR)"),
        Some(name) => format!("{address} is called `{name}`, which does not lead back to it"),
    }))
}
