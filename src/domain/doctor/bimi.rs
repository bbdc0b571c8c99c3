//! BIMI: the record that names a sender's logo, and what it needs to be shown.

use super::dmarc::tags;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub logo: String,
    /// A VMC or CMC, which vouches for the logo.
    pub evidence: String,
}

pub fn parse(text: &str) -> Result<Record, String> {
    let tags = tags(text)?;
    if tags.first().is_none_or(|(name, value)| name != "v" || *value != "BIMI1") {
        return Err("it does not begin with `v=BIMI1`".to_owned());
    }
    let get = |name: &str| tags.iter().find(|(known, _)| known == name).map_or("", |(_, value)| *value).to_owned();
    let (logo, evidence) = (get("l"), get("a"));
    if logo.is_empty() {
        return Err("`l=` is empty: no logo is to be shown".to_owned());
    }
    let path = logo.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let kind = path.rsplit_once('.').map_or("", |(_, kind)| kind);
    if !path.starts_with("https://") || !matches!(kind, "svg" | "svgz") {
        return Err(format!("`l={logo}`: expected an SVG over https"));
    }
    if !evidence.is_empty() && !evidence.starts_with("https://") {
        return Err(format!("`a={evidence}`: expected a certificate over https"));
    }
    Ok(Record { logo, evidence })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read() {
        let full = parse("v=BIMI1; l=https://example.org/logo.svg; a=https://example.org/vmc.pem").unwrap();
        assert_eq!(
            (full.logo.as_str(), full.evidence.as_str()),
            ("https://example.org/logo.svg", "https://example.org/vmc.pem")
        );
        assert_eq!(parse("v=BIMI1; l=https://example.org/logo.svg").unwrap().evidence, "");
        for (text, words) in [
            ("l=https://example.org/logo.svg; v=BIMI1", "begin"),
            ("v=BIMI1; l=", "no logo"),
            ("v=BIMI1; l=http://example.org/logo.svg", "over https"),
            ("v=BIMI1; l=https://example.org/logo.png", "SVG"),
            ("v=BIMI1; l=https://example.org/logo.svg; a=vmc.pem", "certificate"),
        ] {
            assert!(parse(text).unwrap_err().contains(words), "{text}");
        }
    }
}
