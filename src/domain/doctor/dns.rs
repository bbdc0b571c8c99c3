//! Answers of the DNS that are known, and the one that is not: rules ask, and whoever runs them looks up what is missing and runs
//! them again. So they stay pure, and a set of answers is a test.

use core::net::IpAddr;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    A,
    Aaaa,
    Mx,
    Txt,
    Ptr,
}

/// In lower case, without the last dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    pub kind: Kind,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    Address(IpAddr),
    /// Preference and host; an empty one takes no mail (RFC 7505).
    Exchange(u16, String),
    /// Its strings, joined.
    Text(String),
    Name(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Found(Vec<Record>),
    /// The name is there, and has none of the kind.
    Empty,
    NoName,
    /// The name server says that it cannot tell.
    Failed(String),
    /// No name server answers.
    Silent(String),
}

/// A rule cannot go on without this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing(pub Question);

#[derive(Debug, Clone, Default)]
pub struct Known(BTreeMap<Question, Answer>);

impl Known {
    pub fn learn(&mut self, question: Question, answer: Answer) {
        self.0.insert(question, answer);
    }

    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    pub fn ask(&self, kind: Kind, name: &str) -> Result<&Answer, Missing> {
        let question = Question { kind, name: plain(name) };
        self.0.get(&question).ok_or(Missing(question))
    }

    /// All TXT records; none if there is no such name. The words tell why it cannot be known.
    pub fn texts(&self, name: &str) -> Result<Result<Vec<&str>, &str>, Missing> {
        Ok(match self.ask(Kind::Txt, name)? {
            Answer::Found(records) => Ok(records.iter().filter_map(Record::text).collect()),
            Answer::Empty | Answer::NoName => Ok(Vec::new()),
            Answer::Failed(words) | Answer::Silent(words) => Err(words),
        })
    }

    /// Addresses of both kinds, as far as they can be known.
    pub fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Missing> {
        let mut all = Vec::new();
        for kind in [Kind::A, Kind::Aaaa] {
            if let Answer::Found(records) = self.ask(kind, host)? {
                all.extend(records.iter().filter_map(Record::address));
            }
        }
        Ok(all)
    }

    /// What an address is called.
    pub fn names(&self, address: IpAddr) -> Result<Vec<&str>, Missing> {
        Ok(match self.ask(Kind::Ptr, &reversed(address))? {
            Answer::Found(records) => records.iter().filter_map(Record::name).collect(),
            _ => Vec::new(),
        })
    }
}

impl Record {
    fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        if let Self::Address(address) = self { Some(*address) } else { None }
    }

    fn name(&self) -> Option<&str> {
        if let Self::Name(name) = self { Some(name) } else { None }
    }
}

/// As questions have names.
#[must_use]
pub fn plain(name: &str) -> String {
    name.trim().trim_end_matches('.').to_ascii_lowercase()
}

/// The name that an address has in the DNS.
#[must_use]
pub fn reversed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(four) => {
            let [a, b, c, d] = four.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(six) => {
            let nibbles = six.octets().into_iter().rev().flat_map(|byte| [byte & 15, byte >> 4]);
            let nibbles: Vec<String> = nibbles.map(|nibble| format!("{nibble:x}")).collect();
            format!("{}.ip6.arpa", nibbles.join("."))
        }
    }
}

/// A TXT record as zone files have it: strings have 255 bytes at most.
#[must_use]
pub fn zone_line(name: &str, text: &str) -> String {
    let strings: Vec<String> =
        text.as_bytes().chunks(255).map(|chunk| format!("\"{}\"", String::from_utf8_lossy(chunk))).collect();
    format!("{}. IN TXT {}", plain(name), strings.join(" "))
}

/// A set of answers written as lines: `name TYPE value`; `name TYPE -` has none of the kind, `name TYPE fails` and
/// `name TYPE silent` say so; whatever is not there is no name.
#[cfg(test)]
pub mod tests {
    use super::*;

    fn record(kind: Kind, value: &str) -> Record {
        match kind {
            Kind::A | Kind::Aaaa => Record::Address(value.parse().unwrap()),
            Kind::Mx => {
                let (preference, host) = value.split_once(' ').unwrap();
                Record::Exchange(preference.parse().unwrap(), plain(host))
            }
            Kind::Txt => Record::Text(value.to_owned()),
            Kind::Ptr => Record::Name(plain(value)),
        }
    }

    pub fn zone(lines: &str) -> Known {
        let mut known = Known::default();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let mut parts = line.splitn(3, ' ');
            let (name, kind, value) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
            let kind = match kind {
                "A" => Kind::A,
                "AAAA" => Kind::Aaaa,
                "MX" => Kind::Mx,
                "TXT" => Kind::Txt,
                "PTR" => Kind::Ptr,
                other => panic!("{other}"),
            };
            let question = Question { kind, name: plain(name) };
            match value {
                "-" => known.learn(question, Answer::Empty),
                "fails" => known.learn(question, Answer::Failed("SERVFAIL".into())),
                "silent" => known.learn(question, Answer::Silent("no answer".into())),
                value => match known.0.entry(question).or_insert(Answer::Found(Vec::new())) {
                    Answer::Found(records) => records.push(record(kind, value)),
                    other => panic!("{other:?}"),
                },
            }
        }
        known
    }

    /// Runs a rule, answering what is not in the zone with "no such name".
    pub fn answered<T>(known: &mut Known, rule: impl Fn(&Known) -> Result<T, Missing>) -> T {
        for _ in 0..500 {
            match rule(known) {
                Ok(done) => return done,
                Err(Missing(question)) => known.learn(question, Answer::NoName),
            }
        }
        panic!("it asks for ever");
    }

    #[test]
    fn addresses_have_names_in_the_tree() {
        assert_eq!(reversed("192.0.2.3".parse().unwrap()), "3.2.0.192.in-addr.arpa");
        let six = reversed("2001:db8::cb01".parse().unwrap());
        assert_eq!(six, "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
    }

    #[test]
    fn a_long_text_is_cut_into_strings() {
        let line = zone_line("A.Example.", &"x".repeat(300));
        assert_eq!(line, format!("a.example. IN TXT \"{}\" \"{}\"", "x".repeat(255), "x".repeat(45)));
    }
}
