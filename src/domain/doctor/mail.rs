//! A digest as it would go out, and one as it arrived: the headers that receivers ask for, and what signatures cover. Knows messages as
//! text; makes none and verifies none.

use super::dkim::Signature;
use super::{Finding, listed};

/// Gmail cuts what is longer, and the way out with it.
const CLIPPED: usize = 102_000;
/// Their owners' DMARC tells everybody to refuse mail that others send from there.
const MAILBOX_PROVIDERS: [&str; 16] = [
    "gmail.com",
    "googlemail.com",
    "yahoo.com",
    "ymail.com",
    "aol.com",
    "outlook.com",
    "hotmail.com",
    "live.com",
    "msn.com",
    "icloud.com",
    "me.com",
    "mac.com",
    "gmx.de",
    "gmx.net",
    "web.de",
    "proton.me",
];

/// Header names and values, unfolded, in their order; and the rest.
#[must_use]
pub fn split(text: &str) -> (Vec<(String, String)>, &str) {
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.find('\n') {
        let line = rest[..end].trim_end_matches('\r');
        rest = &rest[end + 1..];
        if line.is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = headers.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }
    (headers, rest)
}

fn all<'a>(headers: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect()
}

/// `digest.from`: `Name <address>`.
#[must_use]
pub fn from(given: &str, domain: &str) -> Finding {
    let display = given.rsplit_once('<').map_or("", |(name, _)| name.trim().trim_matches('"'));
    if MAILBOX_PROVIDERS.contains(&domain.to_ascii_lowercase().as_str()) {
        return Finding::wrong(
            "from",
            format!("mail is sent as `{domain}`, whose owner tells everybody to refuse it"),
            "`from = \"Name <digest@your-own-domain>\"` below `[digest]`",
        );
    }
    if display.chars().any(|c| matches!(c, '\u{2600}'..='\u{27bf}' | '\u{1f000}'..='\u{1faff}')) {
        let words = format!("`{display}` has a picture in it, which Gmail takes for a trick");
        return Finding::advice("from", words, "`from = \"Plain Name <address>\"` below `[digest]`");
    }
    if display.is_empty() {
        let words = format!("readers see the bare address `{given}`");
        return Finding::advice("from", words, format!("`from = \"Title of the blog <{given}>\"` below `[digest]`"));
    }
    Finding::right("from", format!("readers see `{display}`, of `{domain}`"))
}

#[must_use]
pub fn postal_address(address: &str) -> Finding {
    const RULE: &str = "postal-address";
    if address.trim().is_empty() {
        return Finding::wrong(
            RULE,
            "no digest has a postal address, which CAN-SPAM (US), CASL (Canada) and others want",
            "`postal_address = \"Street 1, 12345 Town, Country\"` below `[digest]` (a post box will do)",
        );
    }
    Finding::right(RULE, format!("each digest has one: `{}`", address.lines().next().unwrap_or_default()))
}

/// Where bounces come to, and whether the daemon looks for them by itself.
#[must_use]
pub fn bounces(address: &str, looks: bool) -> Finding {
    const RULE: &str = "bounces";
    if address.is_empty() {
        return Finding::advice(
            RULE,
            "bounces go to the sender, and dead addresses are written to for ever",
            "`address = \"bounces@example.org\"` below `[bounces]` (deploy/bounce-boxes.md)",
        );
    }
    let how = if looks { "the daemon reads its box" } else { "a mail server hands them to `gazetted bounce`" };
    Finding::right(RULE, format!("bounces come to `{address}`; {how}"))
}

/// A digest made for nobody, signed as all are.
#[must_use]
pub fn message(text: &str, from_domain: &str) -> Finding {
    const RULE: &str = "message";
    let (headers, body) = split(text);
    let mut faults: Vec<String> = Vec::new();
    for name in [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "List-Id",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "Feedback-ID",
    ] {
        let count = all(&headers, name).len();
        if count != 1 {
            faults.push(format!("`{name}` is there {count} times"));
        }
    }
    let one = |name| all(&headers, name).first().copied().unwrap_or_default();
    if !one("Message-ID").trim_end_matches('>').ends_with(&format!("@{from_domain}")) {
        faults.push("the Message-ID is not the sender's".to_owned());
    }
    if !one("List-Unsubscribe").contains("<http") {
        faults.push("`List-Unsubscribe` has no web address".to_owned());
    }
    if one("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
        faults.push("`List-Unsubscribe-Post` is not as RFC 8058 has it".to_owned());
    }
    // The same words in the text and in the HTML; quoted-printable breaks lines within them.
    let flat = body.replace("=\r\n", "").replace("=\n", "");
    if flat.matches("/unsubscribe/").count() < 2 {
        faults.push("text and HTML do not both show the way out".to_owned());
    }
    if text.len() > CLIPPED {
        faults.push(format!("with {} kB Gmail cuts it", text.len() / 1000));
    }
    if faults.is_empty() {
        let words =
            format!("a digest has every header and the way out in text and HTML; {} kB", text.len().div_ceil(1000));
        return Finding::right(RULE, words);
    }
    Finding::wrong(
        RULE,
        format!("a digest is not as it should be: {}", listed(&faults)),
        "if `digest.templates` names a folder, its templates have lost something: compare them with `gazetted digest preview`",
    )
}

/// Relays that put headers of their own in the place of ours, as their documentation says: what covers those breaks.
#[must_use]
pub fn rewritten(host: &str) -> Option<Finding> {
    let amazon = host.to_ascii_lowercase().ends_with(".amazonaws.com");
    amazon.then(|| {
        Finding::wrong(
            "signature",
            format!(
                "`{host}` writes a Message-ID and a Date of its own, which our signature covers: it breaks on the way"
            ),
            "leave `[dkim]` out and have Amazon SES sign for the domain (Easy DKIM; deploy/relays.md)",
        )
    })
}

/// What became of one of our own signatures.
#[derive(Debug, Clone)]
pub struct OwnSignature {
    pub domain: String,
    pub selector: String,
    /// Whether it verifies with the key in the DNS; the words say why not. `None`: the key is not known.
    pub verifies: Option<Result<(), String>>,
}

/// The signatures of the sample.
#[must_use]
pub fn signatures(text: &str, own: &[OwnSignature]) -> Vec<Finding> {
    const RULE: &str = "signature";
    let (headers, _) = split(text);
    let values = all(&headers, "DKIM-Signature");
    if own.is_empty() {
        return vec![Finding::skipped(
            RULE,
            "nothing is signed here (`[dkim]`); a saved copy tells of the relay: `--mail FILE`",
        )];
    }
    let one = |(signature, value): (&OwnSignature, &&str)| {
        let OwnSignature { domain, selector, verifies } = signature;
        let name = format!("`d={domain}; s={selector}`");
        let covers = match Signature::parse(value) {
            Ok(covers) => covers,
            Err(words) => return Finding::wrong(RULE, format!("{name}: {words}"), "this is a bug: please report it"),
        };
        let open = covers.leaves_open();
        if !open.is_empty() || covers.times("From") < 2 {
            return Finding::wrong(
                RULE,
                format!("{name}: `h=` leaves out {}", open.join(", ")),
                "this is a bug: please report it",
            );
        }
        let covered = format!("{name} covers From (twice), List-Unsubscribe and List-Unsubscribe-Post");
        match verifies {
            Some(Ok(())) => Finding::right(RULE, format!("{covered}, and verifies with the key in the DNS")),
            Some(Err(words)) => Finding::wrong(
                RULE,
                format!("{name} does not verify with the key in the DNS: {words}"),
                "see `dkim`: put our key there",
            ),
            None => Finding::skipped(RULE, format!("{covered}; its key in the DNS is not known")),
        }
    };
    own.iter().zip(&values).map(one).collect()
}

/// A copy that arrived.
#[derive(Debug, Clone, Default)]
pub struct Received {
    /// Domains whose signatures cover all they must.
    pub signed: Vec<String>,
    /// As the receiver's own server says, if it does: `spf=pass`.
    pub results: Vec<(String, String)>,
}

/// What a received copy says, and what is wrong with it.
#[must_use]
pub fn received(name: &str, text: &str) -> (Received, Vec<Finding>) {
    const RULE: &str = "signature";
    let (headers, _) = split(text);
    let mut seen = Received::default();
    let mut open = Vec::new();
    for value in all(&headers, "DKIM-Signature") {
        match Signature::parse(value) {
            Ok(signature) if signature.leaves_open().is_empty() => seen.signed.push(signature.domain),
            Ok(signature) => {
                open.push(format!("`d={}` leaves out {}", signature.domain, signature.leaves_open().join(", ")));
            }
            Err(words) => open.push(words),
        }
    }
    // The topmost is the receiver's own; those below may be anybody's.
    for part in all(&headers, "Authentication-Results").first().copied().unwrap_or_default().split(';').skip(1) {
        let verdict = part.split_whitespace().next().and_then(|word| word.split_once('='));
        if let Some((method, result)) = verdict.filter(|(method, _)| matches!(*method, "spf" | "dkim" | "dmarc")) {
            seen.results.push((method.to_owned(), result.to_owned()));
        }
    }
    let mut findings = vec![coverage(name, &seen, &open)];
    let failed: Vec<String> = seen
        .results
        .iter()
        .filter(|(method, result)| result != "pass" && !seen.results.contains(&(method.clone(), "pass".to_owned())))
        .map(|(method, result)| format!("`{method}={result}`"))
        .collect();
    if !failed.is_empty() {
        findings.push(Finding::wrong(
            RULE,
            format!("whoever received `{name}` says {}", listed(&failed)),
            "see `spf`, `dkim` and `alignment`",
        ));
    } else if !seen.results.is_empty() {
        let all: Vec<String> = seen.results.iter().map(|(method, result)| format!("`{method}={result}`")).collect();
        findings.push(Finding::right(RULE, format!("whoever received `{name}` says {}", listed(&all))));
    }
    (seen, findings)
}

fn coverage(name: &str, seen: &Received, open: &[String]) -> Finding {
    const RULE: &str = "signature";
    if let Some(domain) = seen.signed.first() {
        return Finding::right(
            RULE,
            format!("`{name}`: the signature of `{domain}` covers From, List-Unsubscribe and List-Unsubscribe-Post"),
        );
    }
    let remedy = "sign yourself: `selector` and `key_file` below `[dkim]`; the relay's signature may stand beside ours";
    if open.is_empty() {
        return Finding::wrong(RULE, format!("`{name}` has no signature"), remedy);
    }
    Finding::wrong(RULE, format!("`{name}`: no signature covers what it must: {}", listed(open)), remedy)
}

#[cfg(test)]
mod tests {
    use super::super::Outcome::{Advice, Right, Skipped, Wrong};
    use super::*;

    const GOOD: &str = "DKIM-Signature: v=1; d=example.org; s=gz;\r\n\th=From:From:List-Unsubscribe:List-Unsubscribe-Post; b=x\r\nFrom: Notes <n@example.org>\r\n\
        To: <a@b.example>\r\nSubject: May\r\nDate: x\r\nMessage-ID: <1@example.org>\r\nList-Id: <n.example.org>\r\n\
        List-Unsubscribe: <https://example.org/unsubscribe/x>,\r\n <mailto:u@example.org>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nFeedback-ID: a:b:c:notes\r\n\r\n\
        https://example.org/unsub=\r\nscribe/x\r\n<a href=3D\"https://example.org/unsubscribe/x\">\r\n";

    #[test]
    fn headers_are_unfolded_and_the_body_left() {
        let (headers, body) = split("A: 1\r\nB: x\r\n y\r\n\r\nbody\r\n");
        assert_eq!(headers, [("A".into(), "1".into()), ("B".into(), "x y".into())]);
        assert_eq!(body, "body\r\n");
        assert_eq!(split("A: 1\n\nb").1, "b");
    }

    #[test]
    fn a_digest_that_lacks_something_is_told_so() {
        assert_eq!(message(GOOD, "example.org").outcome, Right, "{:?}", message(GOOD, "example.org"));
        for (from, to, words) in [
            ("Subject: May\r\n", "", "`Subject` is there 0 times"),
            ("To: <a@b.example>\r\n", "To: <a@b.example>\r\nTo: <c@d.example>\r\n", "`To` is there 2 times"),
            ("1@example.org", "1@localhost", "Message-ID"),
            ("<https://example.org/unsubscribe/x>,", "<mailto:x@example.org>,", "no web address"),
            ("List-Unsubscribe=One-Click", "one-click", "RFC 8058"),
            ("<a href=3D\"https://example.org/unsubscribe/x\">", "", "way out"),
        ] {
            let found = message(&GOOD.replacen(from, to, 1), "example.org");
            assert!(found.outcome == Wrong && found.message.contains(words), "{from}: {}", found.message);
        }
        let long = format!("{GOOD}{}", "x".repeat(CLIPPED));
        assert!(message(&long, "example.org").message.contains("Gmail cuts it"));
    }

    #[test]
    fn senders_and_addresses() {
        for (given, domain, expected) in [
            ("Notes <n@example.org>", "example.org", Right),
            ("n@example.org", "example.org", Advice),
            ("Notes 🎉 <n@example.org>", "example.org", Advice),
            ("Notes <n@gmail.com>", "gmail.com", Wrong),
        ] {
            assert_eq!(from(given, domain).outcome, expected, "{given}");
        }
        assert_eq!((postal_address(" ").outcome, postal_address("Street 1").outcome), (Wrong, Right));
    }

    #[test]
    fn our_signatures_cover_and_verify() {
        let own = |verifies| [OwnSignature { domain: "example.org".into(), selector: "gz".into(), verifies }];
        let outcome = |text: &str, verifies| signatures(text, &own(verifies))[0].outcome;
        assert_eq!(outcome(GOOD, Some(Ok(()))), Right);
        assert_eq!(outcome(GOOD, Some(Err("another key".into()))), Wrong);
        assert_eq!(outcome(GOOD, None), Skipped);
        assert_eq!(outcome(&GOOD.replace("From:From:", "From:"), Some(Ok(()))), Wrong);
        assert_eq!(outcome(&GOOD.replace(":List-Unsubscribe-Post;", ";"), Some(Ok(()))), Wrong);
        assert_eq!(signatures(GOOD, &[])[0].outcome, Skipped);
    }

    #[test]
    fn a_relay_that_rewrites_what_is_signed_is_known() {
        assert_eq!(rewritten("email-smtp.eu-central-1.amazonaws.com").unwrap().outcome, Wrong);
        assert_eq!(rewritten("amazonaws.com.example.org"), None);
    }

    #[test]
    fn a_received_copy_tells_of_its_relay() {
        let with = |results: &str| {
            format!("Authentication-Results: mx.example; {results}\r\nAuthentication-Results: liar; spf=fail\r\n{GOOD}")
        };
        let told = |text: &str| {
            let (seen, findings) = received("may.eml", text);
            (seen.signed, findings.iter().map(|finding| finding.outcome).collect::<Vec<_>>())
        };
        assert_eq!(told(GOOD), (vec!["example.org".to_owned()], vec![Right]));
        assert_eq!(
            told(&with("dkim=pass (good)\r\n header.d=example.org; spf=pass smtp.mailfrom=x; dmarc=pass")).1,
            [Right, Right]
        );
        assert_eq!(told(&with("dkim=fail; dkim=pass; spf=softfail")).1, [Right, Wrong]);
        let open = GOOD.replace(":List-Unsubscribe-Post;", ";");
        assert_eq!(told(&open), (Vec::new(), vec![Wrong]));
        assert_eq!(told("From: a@b.example\r\n\r\n"), (Vec::new(), vec![Wrong]));
    }
}
