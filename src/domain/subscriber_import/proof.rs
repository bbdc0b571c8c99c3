//! The proof of consent of one row: its dates, form, network and tool as the file has them, as one short JSON object. It
//! holds no address and no name, and of an IP address only the network.

use url::Host;

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
    if text.contains(':') {
        let Ok(Host::<String>::Ipv6(ip)) = Host::parse(&format!("[{text}]")) else { return None };
        let [a, b, c, ..] = ip.segments();
        let mapped = ip.to_ipv4_mapped().map(|ip| of_four(ip.octets()));
        return Some(mapped.unwrap_or_else(|| format!("{a:x}:{b:x}:{c:x}::/48")));
    }
    // Hosts may be written in fewer parts, or other digits; addresses in a list are not.
    let plain = text.split('.').count() == 4 && text.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit());
    match Host::parse(text).ok()? {
        Host::Ipv4(ip) if plain => Some(of_four(ip.octets())),
        _ => None,
    }
}

fn of_four([a, b, c, _]: [u8; 4]) -> String {
    format!("{a}.{b}.{c}.0/24")
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
            ("example.org", None),
            ("203.0.113", None),
            ("0xcb.0.113.7", None),
            ("203.0.113.777", None),
            ("::ffff:nonsense", None),
            ("a]:b", None),
            ("", None),
        ] {
            assert_eq!(network(text).as_deref(), expected, "{text}");
        }
        assert_eq!(origin("https://example.org/join?who=ann#top"), "https://example.org/join");
    }
}
