//! DMARC as RFC 9989 has it: the record, whose it is (by walking up the tree, with no list of suffixes), and alignment. `pct`, which is gone
//! there, is still read: receivers and BIMI know it.

use super::dns::{Known, Missing, plain};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    None,
    Quarantine,
    Reject,
}

impl Policy {
    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "none" => Some(Self::None),
            "quarantine" => Some(Self::Quarantine),
            "reject" => Some(Self::Reject),
            _ => None,
        }
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub policy: Policy,
    /// For what lies below the domain.
    pub below: Policy,
    pub strict_dkim: bool,
    pub strict_spf: bool,
    pub percent: u8,
    /// `t=y`: receivers are asked not to act on it.
    pub testing: bool,
    pub reports: Vec<String>,
    psd: Option<char>,
}

/// `tag=value; tag=value`, names in lower case; the words say what is no pair.
pub fn tags(text: &str) -> Result<Vec<(String, &str)>, String> {
    let mut found = Vec::new();
    for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(|| format!("`{pair}` is no `tag=value`"))?;
        found.push((name.trim().to_ascii_lowercase(), value.trim()));
    }
    Ok(found)
}

fn is_record(text: &str) -> bool {
    let first = text.split(';').next().unwrap_or_default();
    first.split_once('=').is_some_and(|(name, value)| name.trim().eq_ignore_ascii_case("v") && value.trim() == "DMARC1")
}

pub fn parse(text: &str) -> Result<Record, String> {
    let tags = tags(text)?;
    let get = |name: &str| tags.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
    let reports: Vec<String> =
        get("rua").into_iter().flat_map(|list| list.split(',')).map(|uri| uri.trim().to_owned()).collect();
    let policy = match get("p") {
        Some(policy) => {
            Policy::parse(policy).ok_or_else(|| format!("`p={policy}`: expected `none`, `quarantine` or `reject`"))?
        }
        None if reports.is_empty() => return Err("it says no `p=`".to_owned()),
        None => Policy::None,
    };
    let below = match get("sp") {
        Some(below) => Policy::parse(below).ok_or_else(|| format!("`sp={below}` is no policy"))?,
        None => policy,
    };
    let strict = |name: &str| match get(name).map(str::to_ascii_lowercase).as_deref() {
        Some("s") => Ok(true),
        None | Some("r") => Ok(false),
        Some(other) => Err(format!("`{name}={other}`: expected `r` or `s`")),
    };
    Ok(Record {
        policy,
        below,
        strict_dkim: strict("adkim")?,
        strict_spf: strict("aspf")?,
        percent: get("pct")
            .map_or(Ok(100), str::parse)
            .ok()
            .filter(|percent| *percent <= 100)
            .ok_or("`pct=` is no share")?,
        testing: get("t").is_some_and(|t| t.eq_ignore_ascii_case("y")),
        reports,
        psd: get("psd").and_then(|psd| psd.to_ascii_lowercase().chars().next()),
    })
}

/// What stands at `_dmarc` below a domain.
enum At {
    Nothing,
    Record(Record),
    /// What is wrong with it.
    Wrong(String),
    Unknown(String),
}

fn at(domain: &str, known: &Known) -> Result<At, Missing> {
    let texts = match known.texts(&format!("_dmarc.{domain}"))? {
        Ok(texts) => texts,
        Err(words) => return Ok(At::Unknown(words.to_owned())),
    };
    let records: Vec<&str> = texts.into_iter().filter(|text| is_record(text)).collect();
    Ok(match records.as_slice() {
        [] => At::Nothing,
        [one] => match parse(one) {
            Ok(record) => At::Record(record),
            Err(words) => At::Wrong(words),
        },
        _ => At::Wrong("there are several records, and then none counts".to_owned()),
    })
}

/// The domain and those above it; of a very deep one only the seven nearest to the root (RFC 9989, section 4.10).
fn upwards(domain: &str) -> Vec<String> {
    let domain = plain(domain);
    let labels: Vec<&str> = domain.split('.').collect();
    let mut all = vec![domain.clone()];
    let from = if labels.len() > 8 { labels.len() - 7 } else { 1 };
    all.extend((from..labels.len()).map(|at| labels[at..].join(".")));
    all
}

/// The organizational domain of a domain.
pub fn organization(domain: &str, known: &Known) -> Result<String, Missing> {
    let walk = upwards(domain);
    let mut found = walk.first().cloned().unwrap_or_default();
    for (nth, name) in walk.iter().enumerate() {
        let At::Record(record) = at(name, known)? else { continue };
        match record.psd {
            Some('n') => return Ok(name.clone()),
            Some('y') if nth > 0 => return Ok(walk[nth - 1].clone()),
            _ => found.clone_from(name),
        }
    }
    Ok(found)
}

/// Which record holds for a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Nothing,
    Record {
        /// Where it stands.
        domain: String,
        record: Record,
        /// What it asks for: `p`, or `sp` for what lies below.
        policy: Policy,
    },
    Wrong {
        domain: String,
        why: String,
    },
    Unknown(String),
}

pub fn discover(domain: &str, known: &Known) -> Result<Found, Missing> {
    let domain = plain(domain);
    match at(&domain, known)? {
        At::Record(record) => return Ok(Found::Record { policy: record.policy, domain, record }),
        At::Wrong(why) => return Ok(Found::Wrong { domain, why }),
        At::Unknown(words) => return Ok(Found::Unknown(words)),
        At::Nothing => {}
    }
    let organization = organization(&domain, known)?;
    if organization == domain {
        return Ok(Found::Nothing);
    }
    Ok(match at(&organization, known)? {
        At::Record(record) => Found::Record { policy: record.below, domain: organization, record },
        At::Wrong(why) => Found::Wrong { domain: organization, why },
        At::Unknown(words) => Found::Unknown(words),
        At::Nothing => Found::Nothing,
    })
}

/// Whether what was authenticated is in line with the sender.
pub fn is_aligned(authenticated: &str, from: &str, strict: bool, known: &Known) -> Result<bool, Missing> {
    let (authenticated, from) = (plain(authenticated), plain(from));
    if authenticated == from {
        return Ok(true);
    }
    if strict {
        return Ok(false);
    }
    Ok(organization(&authenticated, known)? == organization(&from, known)?)
}

#[cfg(test)]
mod tests {
    use super::super::dns::tests::{answered, zone};
    use super::*;

    #[test]
    fn records_are_read() {
        let plain = parse("v=DMARC1; p=none").unwrap();
        assert_eq!((plain.policy, plain.below, plain.percent), (Policy::None, Policy::None, 100));
        let full = parse(
            "v=DMARC1;p=Reject; sp=quarantine;adkim=s; aspf=r; pct=50; rua=mailto:a@b.example,mailto:c@d.example; t=y",
        )
        .unwrap();
        assert_eq!((full.policy, full.below, full.percent), (Policy::Reject, Policy::Quarantine, 50));
        assert!(full.strict_dkim && !full.strict_spf && full.testing);
        assert_eq!(full.reports, ["mailto:a@b.example", "mailto:c@d.example"]);
        assert_eq!(parse("v=DMARC1; rua=mailto:a@b.example").unwrap().policy, Policy::None);
        for (text, words) in [
            ("v=DMARC1", "no `p=`"),
            ("v=DMARC1; p=nothing", "`p=nothing`"),
            ("v=DMARC1; p=none; sp=x", "`sp=x`"),
            ("v=DMARC1; p=none; adkim=x", "`adkim=x`"),
            ("v=DMARC1; p=none; pct=101", "`pct=`"),
            ("v=DMARC1; p=none; oops", "`oops`"),
        ] {
            assert!(parse(text).unwrap_err().contains(words), "{text}");
        }
        for (text, expected) in [
            ("v=DMARC1; p=none", true),
            (" V = DMARC1 ;p=none", true),
            ("v=DMARC2; p=none", false),
            ("p=none; v=DMARC1", false),
        ] {
            assert_eq!(is_record(text), expected, "{text}");
        }
    }

    #[test]
    fn the_record_that_holds_is_found_up_the_tree() {
        let found = |lines: &str, domain: &str| {
            let found = answered(&mut zone(lines), |known| discover(domain, known));
            match found {
                Found::Record { domain, policy, .. } => format!("{domain} {}", policy.as_str()),
                Found::Nothing => "nothing".to_owned(),
                Found::Wrong { domain, why } => format!("{domain}: {why}"),
                Found::Unknown(words) => words,
            }
        };
        let both =
            "_dmarc.example.org TXT v=DMARC1; p=reject; sp=none\n_dmarc.blog.example.org TXT v=DMARC1; p=quarantine";
        let suffix = "_dmarc.gov.example TXT v=DMARC1; p=reject; psd=y";
        for (lines, domain, expected) in [
            ("", "example.org", "nothing"),
            (both, "example.org", "example.org reject"),
            (both, "blog.example.org", "blog.example.org quarantine"),
            (both, "mail.example.org", "example.org none"),
            (suffix, "agency.gov.example", "nothing"),
            ("_dmarc.example.org TXT fails", "example.org", "SERVFAIL"),
            (
                "_dmarc.example.org TXT v=DMARC1; p=none\n_dmarc.example.org TXT v=DMARC1; p=none",
                "example.org",
                "example.org: there are several records, and then none counts",
            ),
            ("_dmarc.example.org TXT v=spf1 -all", "example.org", "nothing"),
        ] {
            assert_eq!(found(lines, domain), expected, "{domain} in {lines}");
        }
    }

    #[test]
    fn alignment_is_relaxed_unless_the_record_is_strict() {
        let lines = "_dmarc.example.org TXT v=DMARC1; p=none\n_dmarc.own.example.org TXT v=DMARC1; p=none; psd=n\n_dmarc.gov.example TXT v=DMARC1; p=none; psd=y";
        for (authenticated, from, strict, expected) in [
            ("example.org", "example.org", true, true),
            ("Example.ORG.", "example.org", true, true),
            ("bounces.example.org", "example.org", true, false),
            ("bounces.example.org", "example.org", false, true),
            ("example.org", "blog.example.org", false, true),
            ("a.example.org", "b.example.org", false, true),
            ("own.example.org", "example.org", false, false),
            ("x.own.example.org", "own.example.org", false, true),
            ("example.com", "example.org", false, false),
            ("a.gov.example", "b.gov.example", false, false),
            ("mail.a.gov.example", "a.gov.example", false, true),
            ("unknown.example.net", "example.net", false, false),
        ] {
            let aligned = answered(&mut zone(lines), |known| is_aligned(authenticated, from, strict, known));
            assert_eq!(aligned, expected, "{authenticated} for {from}");
        }
    }

    #[test]
    fn a_deep_name_is_not_walked_label_by_label() {
        let walk = upwards("a.b.c.d.e.f.g.h.i.j.mail.example.com");
        assert_eq!(walk.len(), 8);
        assert_eq!((walk[1].as_str(), walk[7].as_str()), ("g.h.i.j.mail.example.com", "com"));
        assert_eq!(upwards("example.org"), ["example.org", "org"]);
    }
}
