//! The proof of consent of one row: its dates, form, network and tool as the file has them, as one short JSON object. It
//! holds no address and no name, and of an IP address only the network.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::formats::Tool;

/// Dates and words are far shorter; a form's address is cut.
const LONGEST: usize = 120;

/// A JSON object in the making; its members keep the file's order, so that equal rows give equal proofs.
pub struct Proof(String);

impl Proof {
    #[must_use]
    pub fn of(tool: Tool) -> Self {
        Self(format!("{{\"tool\":\"{}\"", tool.as_str()))
    }

    /// Adds what a column says; empty cells, and those that hold an address, say nothing.
    pub fn add(&mut self, column: &str, text: &str) {
        if text.is_empty() || text.contains('@') || text.contains("%40") {
            return;
        }
        self.0.push(',');
        quoted(&mut self.0, column);
        self.0.push(':');
        quoted(&mut self.0, text);
    }

    #[must_use]
    pub fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// A JSON string.
fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars().take(LONGEST) {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The network an IP address is in, `/24` or `/48`; `None` if it is none.
#[must_use]
pub fn network(text: &str) -> Option<String> {
    let mut out = String::new();
    match text.parse::<IpAddr>().ok()?.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            write!(out, "{}/24", Ipv4Addr::new(a, b, c, 0)).ok()?;
        }
        IpAddr::V6(ip) => {
            let [a, b, c, ..] = ip.segments();
            write!(out, "{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)).ok()?;
        }
    }
    Some(out)
}

/// Where they came by, without what was asked of the page: that may name a person.
#[must_use]
pub fn origin(text: &str) -> &str {
    text.split(['?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_one_json_object_without_addresses() {
        let mut proof = Proof::of(Tool::Ghost);
        proof.add("created_at", "2021-05-07");
        proof.add("a \"b\"\n", "c\\\u{1}");
        proof.add("form", "for ann@example.org");
        proof.add("empty", "");
        let proof = proof.finish();
        assert_eq!(proof, r#"{"tool":"ghost","created_at":"2021-05-07","a \"b\" ":"c\\ "}"#);
        assert!(serde_json::from_str::<serde_json::Value>(&proof).is_ok());
    }

    #[test]
    fn of_an_ip_address_the_network_is_kept() {
        for (text, expected) in [
            ("203.0.113.77", Some("203.0.113.0/24")),
            ("2001:db8:1:2::3", Some("2001:db8:1::/48")),
            ("::ffff:203.0.113.77", Some("203.0.113.0/24")),
            ("somewhere", None),
            ("", None),
        ] {
            assert_eq!(network(text).as_deref(), expected, "{text}");
        }
        assert_eq!(origin("https://example.org/join?who=ann#top"), "https://example.org/join");
    }
}
