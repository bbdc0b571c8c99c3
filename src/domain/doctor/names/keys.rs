//! DKIM's keys, DMARC's policy, and whether the two and SPF speak of the sender that readers see; BIMI, which builds on them.

use super::super::dmarc::{self, Found, Policy, discover, is_aligned, organization};
use super::super::dns::{Known, Missing, zone_line};
use super::super::{Finding, bimi as logo, dkim as keys, listed};
use super::{OurKey, Setup};

pub fn dkim(setup: &Setup, known: &Known) -> Result<Vec<Finding>, Missing> {
    if !setup.signers.is_empty() {
        return setup.signers.iter().map(|key| one_key(key, known)).collect();
    }
    if let Some(why) = &setup.cannot_sign {
        return Ok(vec![Finding::wrong("dkim", format!("nothing can be signed: {why}"), "see `secret-modes`")]);
    }
    if setup.key_elsewhere {
        let why = "the key is not named by the configuration: a systemd credential, which only the daemon has?";
        return Ok(vec![Finding::skipped("dkim", why)]);
    }
    Ok(vec![match &setup.signed_by_relay {
        Some(domain) => Finding::right("dkim", format!("the relay signs for `{domain}`, as the received mail shows")),
        None => Finding::advice(
            "dkim",
            "nothing is signed here; whether the relay signs cannot be told from here",
            "sign yourself (`selector` and `key_file` below `[dkim]`), or save a digest that arrived and ask \
             `gazetted doctor --mail FILE`",
        ),
    }])
}

fn one_key(key: &OurKey, known: &Known) -> Result<Finding, Missing> {
    let name = &key.name;
    let wrong = |words: String| Finding::wrong("dkim", words, zone_line(name, &key.text));
    let texts = match known.texts(name)? {
        Ok(texts) => texts,
        Err(words) => return Ok(wrong(format!("`{name}`: {words}"))),
    };
    let [text] = texts.as_slice() else {
        let words = if texts.is_empty() { "is not there" } else { "has several records, and receivers take any" };
        return Ok(wrong(format!("`{name}` {words}")));
    };
    let record = match keys::parse(text) {
        Ok(record) => record,
        Err(words) => return Ok(wrong(format!("`{name}` cannot be read: {words}"))),
    };
    let ours = keys::parse(&key.text).ok();
    if ours.as_ref().is_none_or(|ours| (ours.kind, &ours.public) != (record.kind, &record.public)) {
        return Ok(wrong(format!("`{name}` has another key than the one we sign with")));
    }
    if let Some(fault) = record.fault() {
        return Ok(wrong(format!("`{name}`: {fault}")));
    }
    let bits = record.bits().unwrap_or(0);
    let (kind, enough) = match record.kind {
        keys::Kind::Rsa => (format!("RSA, {bits} bits"), bits >= 2048),
        keys::Kind::Ed25519 => ("Ed25519".to_owned(), true),
    };
    if matches!(record.kind, keys::Kind::Rsa) && bits < 1024 {
        return Ok(Finding::wrong("dkim", format!("`{name}`: {kind}, which receivers do not take"), NEW_KEY));
    }
    if record.testing {
        let words = format!("`{name}` says `t=y`: receivers treat the mail as if it were not signed");
        return Ok(Finding::advice("dkim", words, zone_line(name, &key.text)));
    }
    if !enough {
        return Ok(Finding::advice("dkim", format!("`{name}` is our key: {kind}; 2048 are advised"), NEW_KEY));
    }
    Ok(Finding::right("dkim", format!("`{name}` is our key: {kind}")))
}

const NEW_KEY: &str = "make one under a new selector: `openssl genrsa -out dkim.pem 2048`";

pub fn dmarc(setup: &Setup, known: &Known) -> Result<Vec<Finding>, Missing> {
    let record = |domain: &str| {
        zone_line(&format!("_dmarc.{domain}"), &format!("v=DMARC1; p=none; rua=mailto:postmaster@{domain}"))
    };
    let home = organization(&setup.from, known)?;
    Ok(vec![match discover(&setup.from, known)? {
        Found::Nothing => Finding::wrong(
            "dmarc",
            format!("`{}` has no DMARC record, nor has what is above it", setup.from),
            record(&home),
        ),
        Found::Wrong { domain, why } => {
            Finding::wrong("dmarc", format!("`_dmarc.{domain}` counts for nothing: {why}"), record(&domain))
        }
        Found::Unknown(words) => Finding::wrong(
            "dmarc",
            format!("`_dmarc.{}`: {words}", setup.from),
            "mend the name server that answers for the domain",
        ),
        Found::Record { domain, record, policy } => {
            let words = format!("`_dmarc.{domain}` asks for `{}`", policy.as_str());
            if record.testing || record.percent < 100 {
                let remedy = "when reports show nothing odd, leave out `t=y` and `pct=`";
                Finding::advice("dmarc", format!("{words}, for a part of the mail only"), remedy)
            } else if record.reports.is_empty() {
                let remedy = format!("add where they go: `rua=mailto:postmaster@{domain}`");
                Finding::advice("dmarc", format!("{words}, and nobody gets the reports"), remedy)
            } else {
                Finding::right("dmarc", format!("{words}; reports go to {}", listed(&record.reports)))
            }
        }
    }])
}

/// Mail is believed if one of the two is in line; SPF alone does not survive a forwarder.
pub fn alignment(setup: &Setup, known: &Known) -> Result<Vec<Finding>, Missing> {
    const RULE: &str = "alignment";
    let Found::Record { record, .. } = discover(&setup.from, known)? else {
        return Ok(vec![Finding::skipped(RULE, "there is no DMARC record that says how")]);
    };
    let from = &setup.from;
    let signed = setup.signers.iter().map(|key| key.domain.clone()).chain(setup.signed_by_relay.clone());
    let (mut in_line, mut off) = (Vec::new(), Vec::new());
    for domain in signed {
        let aligned = is_aligned(&domain, from, record.strict_dkim, known)?;
        let words = format!("DKIM (`d={domain}`)");
        let of = if aligned { &mut in_line } else { &mut off };
        if !of.contains(&words) {
            of.push(words);
        }
    }
    let by_dkim = !in_line.is_empty();
    let returns = setup.return_domain();
    let by_spf = is_aligned(returns, from, record.strict_spf, known)?;
    (if by_spf { &mut in_line } else { &mut off }).push(format!("SPF (return-path at `{returns}`)"));
    let strict = if record.strict_dkim || record.strict_spf { "; the record is strict" } else { "" };
    Ok(vec![match (by_dkim, by_spf) {
        (true, true) => Finding::right(RULE, format!("{} are in line with `{from}`{strict}", listed(&in_line))),
        (true, false) => Finding::advice(
            RULE,
            format!("{} is in line with `{from}`, {} is not{strict}", listed(&in_line), listed(&off)),
            format!("have bounces come to the sender's domain: `address = \"bounces@{from}\"` below `[bounces]`"),
        ),
        (false, true) => Finding::advice(
            RULE,
            format!("only {} is in line with `{from}`: forwarded mail is not believed{strict}", listed(&in_line)),
            format!("sign for the sender's domain: `domain = \"{from}\"` below `[dkim]`"),
        ),
        (false, false) => Finding::wrong(
            RULE,
            format!("nothing is in line with `{from}`: neither {}{strict}", off.join(" nor ")),
            format!("`domain = \"{from}\"` below `[dkim]`, and `address = \"bounces@{from}\"` below `[bounces]`"),
        ),
    }])
}

pub fn bimi(setup: &Setup, known: &Known) -> Result<Vec<Finding>, Missing> {
    const RULE: &str = "bimi";
    let home = organization(&setup.from, known)?;
    let mut found = None;
    for domain in [&setup.from, &home] {
        let name = format!("default._bimi.{domain}");
        let texts = known.texts(&name)?.unwrap_or_default();
        let text = texts.iter().find(|text| text.starts_with("v=BIMI1"));
        found = found.or(text.map(|text| (name, (*text).to_owned())));
    }
    let example = zone_line(&format!("default._bimi.{home}"), &format!("v=BIMI1; l=https://{home}/logo.svg"));
    let Some((name, text)) = found else {
        return Ok(vec![Finding::advice(
            RULE,
            format!("`default._bimi.{home}` is not there: no logo beside the mail"),
            example,
        )]);
    };
    let record = match logo::parse(&text) {
        Ok(record) => record,
        Err(words) => return Ok(vec![Finding::wrong(RULE, format!("`{name}`: {words}"), example)]),
    };
    let enforced = match discover(&setup.from, known)? {
        Found::Record { policy, record: dmarc::Record { percent, testing, .. }, .. } => {
            policy != Policy::None && percent == 100 && !testing
        }
        _ => false,
    };
    Ok(vec![if !enforced {
        let words = format!("`{name}` has a logo, which is shown only if DMARC asks for `quarantine` or `reject`");
        Finding::advice(
            RULE,
            words,
            zone_line(&format!("_dmarc.{home}"), &format!("v=DMARC1; p=quarantine; rua=mailto:postmaster@{home}")),
        )
    } else if record.evidence.is_empty() {
        let words = format!("`{name}` has a logo and no certificate (`a=`): Yahoo shows it, Gmail and Apple do not");
        Finding::advice(
            RULE,
            words,
            "a VMC or CMC is bought from an authority for marks; leave it as it is if Yahoo is enough",
        )
    } else {
        Finding::right(RULE, format!("`{name}` has a logo and its certificate"))
    }])
}
