//! What the DNS has to say so that mail of this blog is believed. Each rule asks what it needs, and stops at what is not known yet.

use core::net::IpAddr;

use super::dns::{Answer, Kind, Known, Missing, Question};
use super::{Area, Finding, skip};

mod hosts;
mod keys;
mod sending;
#[cfg(test)]
mod tests;

/// What the rules are about.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// The domain of `digest.from`.
    pub from: String,
    /// The domain of `digest.reply_to`, or of `digest.from`.
    pub replies: String,
    /// The return-path: `bounces+TOKEN@example.org`, or the sender's address.
    pub return_path: String,
    pub helo: String,
    pub signers: Vec<OurKey>,
    /// Why nothing can be signed, though it is wanted.
    pub cannot_sign: Option<String>,
    /// The key is not the configuration's to name: only the daemon has it.
    pub key_elsewhere: bool,
    /// The domain that a received copy shows as signed for, by whoever signs for us.
    pub signed_by_relay: Option<String>,
    pub relays: Vec<Relay>,
    /// Where mail goes out from, as the operator says.
    pub sends_from: Vec<IpAddr>,
    /// Addresses that this machine has on the public internet.
    pub own: Vec<IpAddr>,
}

/// The public half of a key we sign with.
#[derive(Debug, Clone)]
pub struct OurKey {
    pub domain: String,
    /// Where it has to stand, and what.
    pub name: String,
    pub text: String,
}

#[derive(Debug, Clone)]
pub struct Relay {
    /// As the configuration calls it.
    pub host: String,
    /// It is on this machine: what sends is this machine.
    pub here: bool,
}

/// Who sends, and whether that is certain: a provider's relay often takes mail at one address and sends from another.
struct Origin {
    who: String,
    addresses: Vec<IpAddr>,
    certain: bool,
}

impl Setup {
    fn return_domain(&self) -> &str {
        self.return_path.rsplit_once('@').map_or(self.return_path.as_str(), |(_, domain)| domain)
    }

    fn origins(&self, known: &Known) -> Result<Vec<Origin>, Missing> {
        if !self.sends_from.is_empty() {
            let who = "`--sends-from`".to_owned();
            return Ok(vec![Origin { who, addresses: self.sends_from.clone(), certain: true }]);
        }
        let mut origins = Vec::new();
        for relay in &self.relays {
            let origin = if relay.here {
                Origin { who: "this machine".to_owned(), addresses: self.own.clone(), certain: true }
            } else {
                let addresses = match relay.host.parse() {
                    Ok(address) => vec![address],
                    Err(_) => known.addresses(&relay.host)?,
                };
                Origin { who: format!("`{}`", relay.host), addresses, certain: false }
            };
            if !origins.iter().any(|known: &Origin| known.who == origin.who) {
                origins.push(origin);
            }
        }
        Ok(origins)
    }
}

type Rule = fn(&Setup, &Known) -> Result<Vec<Finding>, Missing>;

const ALL: [Rule; 7] = [sending::spf, keys::dkim, keys::dmarc, keys::alignment, hosts::mx, hosts::ptr, keys::bimi];

/// Everything the DNS is asked about; or all that is still to be looked up.
pub fn findings(setup: &Setup, known: &Known) -> Result<Vec<Finding>, Vec<Question>> {
    // First of all: whether anybody answers. One finding is enough if not.
    match known.ask(Kind::Txt, &setup.from).map_err(|Missing(question)| vec![question])? {
        Answer::Silent(words) => {
            let mut all = skip(Area::Dns, "no name server answers");
            all.retain(|finding| finding.rule != "dns");
            let remedy = "look at `/etc/resolv.conf`, or ask another one: `gazetted doctor --dns 9.9.9.9`";
            all.push(Finding::wrong("dns", format!("no name server answers: {words}"), remedy));
            return Ok(all);
        }
        Answer::NoName => {
            let words = format!("there is no domain `{}`, which `digest.from` names", setup.from);
            let mut all = skip(Area::Dns, "its domain is not there");
            all.retain(|finding| finding.rule != "dns");
            all.push(Finding::wrong(
                "dns",
                words,
                "register it, or write from a domain you have: `from` below `[digest]`",
            ));
            return Ok(all);
        }
        _ => {}
    }
    let (mut all, mut missing) = (Vec::new(), Vec::new());
    for rule in ALL {
        match rule(setup, known) {
            Ok(findings) => all.extend(findings),
            Err(Missing(question)) => missing.push(question),
        }
    }
    if missing.is_empty() {
        all.push(Finding::right("dns", format!("a name server answers for `{}`", setup.from)));
        return Ok(all);
    }
    missing.sort();
    missing.dedup();
    Err(missing)
}
