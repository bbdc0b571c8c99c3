//! Macros in SPF's names (RFC 7208, section 7).

use core::net::IpAddr;

use super::Client;

/// The name that a macro string stands for; longer ones lose labels on the left (section 7.3).
pub fn expand(text: &str, client: &Client<'_>, domain: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let wrong = || format!("`{text}` has a macro that nobody knows");
        match rest.chars().next().ok_or_else(wrong)? {
            '%' => out.push('%'),
            '_' => out.push(' '),
            '-' => out.push_str("%20"),
            '{' => {
                let (inner, after) = rest[1..].split_once('}').ok_or_else(wrong)?;
                out.push_str(&one(inner, client, domain).ok_or_else(wrong)?);
                rest = after;
                continue;
            }
            _ => return Err(wrong()),
        }
        rest = &rest[1..];
    }
    out.push_str(rest);
    let mut name = out.trim_end_matches('.');
    while name.len() > 253 {
        name = name.split_once('.').map_or("", |(_, rest)| rest);
    }
    Ok(name.to_owned())
}

fn one(inner: &str, client: &Client<'_>, domain: &str) -> Option<String> {
    let letter = inner.chars().next()?;
    let (local, of) = client.sender.rsplit_once('@').unwrap_or(("postmaster", client.sender));
    let value = match letter.to_ascii_lowercase() {
        's' => client.sender.to_owned(),
        'l' => local.to_owned(),
        'o' => of.to_owned(),
        'd' => domain.to_owned(),
        'i' => dotted(client.address),
        // The validated name costs two lookups and says nothing that is relied on (section 5.5).
        'p' => "unknown".to_owned(),
        'v' => if client.address.is_ipv4() { "in-addr" } else { "ip6" }.to_owned(),
        'h' => client.helo.to_owned(),
        _ => return None,
    };
    let rest = &inner[letter.len_utf8()..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (count, rest) = rest.split_at(digits);
    let (reverse, delimiters) = match rest.strip_prefix(['r', 'R']) {
        Some(delimiters) => (true, delimiters),
        None => (false, rest),
    };
    if !delimiters.chars().all(|c| ".-+,/_=".contains(c)) {
        return None;
    }
    let delimiters = if delimiters.is_empty() { "." } else { delimiters };
    let mut parts: Vec<&str> = value.split(|c| delimiters.contains(c)).collect();
    if reverse {
        parts.reverse();
    }
    if !count.is_empty() {
        let kept: usize = count.parse().ok().filter(|kept| *kept > 0)?;
        parts = parts.split_off(parts.len().saturating_sub(kept));
    }
    Some(parts.join("."))
}

fn dotted(address: IpAddr) -> String {
    match address {
        IpAddr::V4(four) => four.to_string(),
        IpAddr::V6(six) => {
            let nibbles: Vec<String> =
                six.octets().iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|n| format!("{n:x}")).collect();
            nibbles.join(".")
        }
    }
}
