//! What large providers ask of who sends to many, as their own pages have it (July 2026), and which of the rules shows that it is so. What
//! gazetted does by itself is named as such, and what only the provider knows says where to look.

use super::Outcome::{self, Advice, Right, Skipped, Wrong};
use super::{Finding, listed};

/// What makes a provider's rule right.
#[derive(Debug, Clone, Copy)]
enum By {
    /// All of these.
    Rules(&'static [&'static str]),
    /// The program, however it is set up; and all of these.
    Design(&'static str, &'static [&'static str]),
    /// Nobody here can know.
    Elsewhere(&'static str),
}

struct Rule {
    id: &'static str,
    asks: &'static str,
    by: By,
}

const fn rule(id: &'static str, asks: &'static str, by: By) -> Rule {
    Rule { id, asks, by }
}

use By::{Design, Elsewhere, Rules};

const HONOURED: &str = "who leaves is left alone from that moment";
const PACED: &str = "connections are kept, and a 421 or 4.7.x slows all nodes down for ten minutes or more";

const ALL: [Rule; 33] = [
    rule("gmail-authentication", "SPF and DKIM", Rules(&["spf", "dkim", "signature"])),
    rule("gmail-dkim-key", "a DKIM key of 1024 bits, better 2048", Rules(&["dkim"])),
    rule("gmail-dmarc", "a DMARC record, `p=none` will do", Rules(&["dmarc"])),
    rule("gmail-alignment", "From in line with SPF or DKIM", Rules(&["alignment"])),
    rule("gmail-from", "no gmail.com in From, no tricks in its name", Rules(&["from"])),
    rule("gmail-dns", "a name for the address that sends, there and back", Rules(&["ptr"])),
    rule("gmail-tls", "TLS", Rules(&["smtp-tls"])),
    rule("gmail-form", "RFC 5322: one From, a Message-ID, no header twice", Rules(&["message"])),
    rule(
        "gmail-one-click",
        "one-click unsubscribing, covered by the signature",
        Rules(&["one-click", "one-click-post", "url-ours", "url-certificate", "signature"]),
    ),
    rule("gmail-visible-link", "a link in the text to unsubscribe", Rules(&["message"])),
    rule("gmail-48-hours", "who unsubscribes gets nothing after 48 hours", Design(HONOURED, &["one-click-post"])),
    rule("gmail-feedback-id", "a Feedback-ID, for its numbers", Rules(&["message"])),
    rule("gmail-pace", "no bursts, ten minutes' rest after 4.7.28", Design(PACED, &[])),
    rule(
        "gmail-spam-rate",
        "fewer than 0.3 % complaints, better 0.1 %",
        Elsewhere("only Google knows: https://postmaster.google.com"),
    ),
    rule("yahoo-authentication", "SPF and DKIM", Rules(&["spf", "dkim", "signature"])),
    rule("yahoo-dmarc", "a DMARC record that passes, relaxed alignment will do", Rules(&["dmarc", "alignment"])),
    rule("yahoo-dns", "a name for the address that sends, there and back", Rules(&["ptr"])),
    rule(
        "yahoo-unsubscribe",
        "List-Unsubscribe, better with POST, and a visible link",
        Rules(&["message", "one-click", "one-click-post"]),
    ),
    rule("yahoo-2-days", "who unsubscribes gets nothing after two days", Design(HONOURED, &["one-click-post"])),
    rule("yahoo-form", "the RFCs and CAN-SPAM", Rules(&["message", "postal-address"])),
    rule("yahoo-pace", "few messages a connection, and a new one when it closes", Design(PACED, &[])),
    rule(
        "yahoo-spam-rate",
        "fewer than 0.3 % complaints",
        Elsewhere(
            "complaints come as mail once the DKIM domain is enrolled: https://senders.yahooinc.com/complaint-feedback-loop",
        ),
    ),
    rule(
        "outlook-authentication",
        "SPF, DKIM and DMARC pass, in line with From",
        Rules(&["spf", "dkim", "signature", "dmarc", "alignment"]),
    ),
    rule("outlook-replies", "From and Reply-To that take mail", Rules(&["mx"])),
    rule("outlook-unsubscribe", "a link to unsubscribe that works", Rules(&["url", "url-ours", "message"])),
    rule(
        "outlook-spam-rate",
        "few complaints",
        Elsewhere("only Microsoft knows: https://sendersupport.olc.protection.outlook.com/snds"),
    ),
    rule("icloud-authentication", "SPF and DKIM", Rules(&["spf", "dkim", "signature"])),
    rule("icloud-dmarc", "a DMARC record", Rules(&["dmarc"])),
    rule("icloud-dns", "a name for the address that sends", Rules(&["ptr"])),
    rule("icloud-opt-in", "readers who asked for it", Design("who subscribes has to confirm, and when is kept", &[])),
    rule(
        "icloud-unsubscribe",
        "who unsubscribes gets nothing more, at once",
        Design(HONOURED, &["one-click-post", "message"]),
    ),
    rule("icloud-consistent", "the same From each time", Design("every mail comes from `digest.from`", &["from"])),
    rule(
        "icloud-suppression",
        "dead addresses are not written to again",
        Design("hard bounces and complaints suppress, and imports do not revive them", &["bounces"]),
    ),
];

/// The names of all of them.
pub fn ids() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|rule| rule.id)
}

/// Each provider's rules by what was found.
#[must_use]
pub fn findings(found: &[Finding]) -> Vec<Finding> {
    ALL.iter().map(|rule| of(rule, found)).collect()
}

fn of(rule: &Rule, found: &[Finding]) -> Finding {
    let Rule { id, asks, by } = *rule;
    let (by_itself, needs) = match by {
        Elsewhere(where_to_look) => return Finding::skipped(id, format!("{asks}: {where_to_look}")),
        Design(words, needs) => (Some(words), needs),
        Rules(needs) => (None, needs),
    };
    let worst = needs.iter().map(|need| judged(need, found)).max_by_key(|outcome| rank(*outcome)).unwrap_or(Right);
    let named: Vec<String> =
        needs.iter().filter(|need| judged(need, found) == worst).map(|need| format!("`{need}`")).collect();
    let (which, is) = (listed(&named), if named.len() > 1 { "are" } else { "is" });
    match worst {
        Right => Finding::right(id, format!("{asks}: {}", by_itself.map_or(which, str::to_owned))),
        Wrong => Finding::wrong(id, format!("{asks}: {which} {is} wrong"), format!("see {which} above")),
        Advice => Finding::advice(id, format!("{asks}: {which} could be better"), format!("see {which} above")),
        Skipped => {
            let was = if named.len() > 1 { "were" } else { "was" };
            Finding::skipped(id, format!("{asks}: {which} {was} not looked at, or cannot be from here"))
        }
    }
}

fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Right => 0,
        Advice => 1,
        Skipped => 2,
        Wrong => 3,
    }
}

/// The worst finding of a rule.
fn judged(rule: &str, found: &[Finding]) -> Outcome {
    let all = found.iter().filter(|finding| finding.rule == rule).map(|finding| finding.outcome);
    all.max_by_key(|outcome| rank(*outcome)).unwrap_or(Skipped)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::RULES;
    use super::*;

    #[test]
    fn every_rule_that_is_named_exists_and_names_are_told_once() {
        let known: BTreeSet<&str> = RULES.iter().map(|(_, rule)| *rule).collect();
        assert_eq!(known.len(), RULES.len());
        for rule in &ALL {
            let (Rules(needs) | Design(_, needs)) = rule.by else { continue };
            for need in needs {
                assert!(known.contains(need), "{}: `{need}`", rule.id);
            }
        }
        let mut all: BTreeSet<&str> = ids().collect();
        assert_eq!(all.len(), ALL.len());
        all.extend(known);
        assert_eq!(all.len(), ALL.len() + RULES.len());
    }

    #[test]
    fn a_providers_rule_is_as_good_as_the_worst_it_needs() {
        let right: Vec<Finding> = RULES.iter().map(|(_, rule)| Finding::right(rule, "x")).collect();
        let told = |found: &[Finding], id: &str| findings(found).into_iter().find(|f| f.rule == id).unwrap();
        assert!(findings(&right).iter().all(|f| f.outcome == Right || f.message.contains("https://")));
        let mut some = right.clone();
        some.push(Finding::wrong("dmarc", "x", "y"));
        assert_eq!(
            told(&some, "yahoo-dmarc").message,
            "a DMARC record that passes, relaxed alignment will do: `dmarc` is wrong"
        );
        assert_eq!(told(&some, "gmail-alignment").outcome, Right);
        assert_eq!(told(&[], "gmail-dmarc").outcome, Skipped);
        assert_eq!(told(&[Finding::advice("dmarc", "x", "y")], "gmail-dmarc").outcome, Advice);
        assert_eq!(told(&[], "gmail-pace").outcome, Right);
    }
}
