//! SPF (RFC 7208): whether a domain lets an address send in its name. All mechanisms, macros, `redirect`, and the limits of
//! section 4.6.4; `exp` is only words, and left alone.

use core::net::IpAddr;

use super::dns::{Answer, Kind, Known, Missing, Record};
use crate::domain::network::Network;

mod macros;
mod term;

pub use term::{Mechanism, Parsed, Qualifier, Target, Term, parse};

/// Mechanisms that ask the DNS, in all.
const LOOKUPS: usize = 10;
/// Of those, how many may find nothing.
const VOIDS: usize = 2;
/// Hosts behind one `mx` or `ptr`.
const HOSTS: usize = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    None,
    Neutral,
    Pass,
    Fail,
    SoftFail,
    TempError,
    PermError,
}

impl Verdict {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

/// Who sends.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    pub address: IpAddr,
    /// The return-path.
    pub sender: &'a str,
    /// The name it said.
    pub helo: &'a str,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    pub verdict: Verdict,
    /// What decided: the term, or what is wrong with the record.
    pub why: String,
    pub lookups: usize,
}

enum Stop {
    Missing(Missing),
    Temporary(String),
    Permanent(String),
}

impl From<Missing> for Stop {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing)
    }
}

struct Walk<'a> {
    known: &'a Known,
    client: Client<'a>,
    lookups: usize,
    voids: usize,
}

/// `check_host()`.
pub fn check(client: Client<'_>, domain: &str, known: &Known) -> Result<Checked, Missing> {
    let mut walk = Walk { known, client, lookups: 0, voids: 0 };
    let (verdict, why) = match walk.host(domain, 0) {
        Ok(found) => found,
        Err(Stop::Missing(missing)) => return Err(missing),
        Err(Stop::Temporary(why)) => (Verdict::TempError, why),
        Err(Stop::Permanent(why)) => (Verdict::PermError, why),
    };
    Ok(Checked { verdict, why, lookups: walk.lookups })
}

/// The one record of a domain; `None` if it has none.
pub fn record<'a>(domain: &str, known: &'a Known) -> Result<Result<Option<&'a str>, String>, Missing> {
    let texts = match known.texts(domain)? {
        Ok(texts) => texts,
        Err(words) => return Ok(Err(format!("TXT of `{domain}`: {words}"))),
    };
    let is_ours = |text: &&str| text.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("v=spf1"));
    let mut records =
        texts.into_iter().filter(is_ours).filter(|text| matches!(text.as_bytes().get(6), None | Some(b' ')));
    Ok(match (records.next(), records.next()) {
        (Some(_), Some(_)) => Err(format!("`{domain}` has two SPF records, and then none counts")),
        (record, _) => Ok(record),
    })
}

impl Walk<'_> {
    fn host(&mut self, domain: &str, depth: usize) -> Result<(Verdict, String), Stop> {
        if !is_domain(domain) {
            return Ok((Verdict::None, format!("`{domain}` is no domain")));
        }
        let text = match record(domain, self.known)? {
            Ok(Some(text)) => text,
            Ok(None) => return Ok((Verdict::None, format!("`{domain}` has no SPF record"))),
            Err(words) if words.contains("two SPF") => return Err(Stop::Permanent(words)),
            Err(words) => return Err(Stop::Temporary(words)),
        };
        let parsed = parse(text).map_err(|words| Stop::Permanent(format!("`{domain}`: {words}")))?;
        for term in &parsed.terms {
            if self.matches(&term.mechanism, domain, depth)? {
                return Ok((term.qualifier.verdict(), format!("`{}` of `{domain}`", term.text)));
            }
        }
        let Some(to) = &parsed.redirect else {
            return Ok((Verdict::Neutral, format!("no term of `{domain}` matches")));
        };
        self.count()?;
        let to = self.expanded(to, domain)?;
        match self.host(&to, depth + 1)? {
            (Verdict::None, why) => Err(Stop::Permanent(format!("`redirect={to}`: {why}"))),
            found => Ok(found),
        }
    }

    fn matches(&mut self, mechanism: &Mechanism, domain: &str, depth: usize) -> Result<bool, Stop> {
        Ok(match mechanism {
            Mechanism::All => true,
            Mechanism::Four(network) => self.client.address.is_ipv4() && network.has(self.client.address),
            Mechanism::Six(network) => self.client.address.is_ipv6() && network.has(self.client.address),
            Mechanism::A(target) => {
                self.count()?;
                let host = self.target(target, domain)?;
                self.is_at(&host, target, true)?
            }
            Mechanism::Mx(target) => {
                self.count()?;
                let host = self.target(target, domain)?;
                self.is_exchange_of(&host, target)?
            }
            Mechanism::Include(of) => {
                self.count()?;
                let of = self.expanded(of, domain)?;
                match self.host(&of, depth + 1)? {
                    (Verdict::Pass, _) => true,
                    (Verdict::None, why) => return Err(Stop::Permanent(format!("`include:{of}`: {why}"))),
                    _ => false,
                }
            }
            Mechanism::Exists(of) => {
                self.count()?;
                let name = self.expanded(of, domain)?;
                !self.found(Kind::A, &name)?.is_empty()
            }
            Mechanism::Ptr(of) => {
                self.count()?;
                let of = of.as_ref().map_or(Ok(domain.to_owned()), |of| self.expanded(of, domain))?;
                self.is_called(&of)?
            }
        })
    }

    fn target(&self, target: &Target, domain: &str) -> Result<String, Stop> {
        target.host.as_ref().map_or(Ok(domain.to_owned()), |host| self.expanded(host, domain))
    }

    fn is_at(&mut self, host: &str, target: &Target, counts: bool) -> Result<bool, Stop> {
        let (kind, bits) = match self.client.address {
            IpAddr::V4(_) => (Kind::A, target.four),
            IpAddr::V6(_) => (Kind::Aaaa, target.six),
        };
        let client = self.client.address;
        let found = if counts { self.found(kind, host)? } else { self.look(kind, host)? };
        let near = |record: &Record| {
            let network = record.address().and_then(|address| Network::parse(&format!("{address}/{bits}")));
            network.is_some_and(|network| network.has(client))
        };
        Ok(found.iter().any(near))
    }

    fn is_exchange_of(&mut self, host: &str, target: &Target) -> Result<bool, Stop> {
        let mut hosts: Vec<String> = Vec::new();
        for record in self.found(Kind::Mx, host)? {
            if let Record::Exchange(_, host) = record {
                hosts.push(host.clone());
            }
        }
        if hosts.len() > HOSTS {
            return Err(Stop::Permanent(format!("`mx` of `{host}` leads to more than {HOSTS} hosts")));
        }
        for host in hosts.iter().filter(|host| !host.is_empty()) {
            if self.is_at(host, target, false)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Only names that lead back to the address count, and ten of them at most.
    fn is_called(&mut self, of: &str) -> Result<bool, Stop> {
        let names: Vec<String> = self.known.names(self.client.address)?.iter().map(|n| (*n).to_owned()).collect();
        let exactly = Target::exactly();
        let of = super::dns::plain(of);
        for name in names.iter().take(HOSTS).filter(|name| **name == of || name.ends_with(&format!(".{of}"))) {
            if self.is_at(name, &exactly, false)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn count(&mut self) -> Result<(), Stop> {
        self.lookups += 1;
        if self.lookups > LOOKUPS {
            return Err(Stop::Permanent(format!(
                "it asks the DNS for more than {LOOKUPS} things, and then none counts"
            )));
        }
        Ok(())
    }

    /// As `look`, counting those that find nothing.
    fn found(&mut self, kind: Kind, name: &str) -> Result<&[Record], Stop> {
        if self.look(kind, name)?.is_empty() {
            self.voids += 1;
            if self.voids > VOIDS {
                return Err(Stop::Permanent(format!("more than {VOIDS} of the names in it are not there (`{name}`)")));
            }
        }
        self.look(kind, name)
    }

    fn look(&self, kind: Kind, name: &str) -> Result<&[Record], Stop> {
        match self.known.ask(kind, name)? {
            Answer::Found(records) => Ok(records),
            Answer::Empty | Answer::NoName => Ok(&[]),
            Answer::Failed(words) | Answer::Silent(words) => Err(Stop::Temporary(format!("`{name}`: {words}"))),
        }
    }

    fn expanded(&self, text: &str, domain: &str) -> Result<String, Stop> {
        macros::expand(text, &self.client, domain).map_err(Stop::Permanent)
    }
}

fn is_domain(text: &str) -> bool {
    let text = text.trim_end_matches('.');
    text.contains('.') && text.len() <= 253 && text.split('.').all(|label| (1..=63).contains(&label.len()))
}

#[cfg(test)]
mod tests;
