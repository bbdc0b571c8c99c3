use super::*;
use crate::domain::bounce_class::Class::{Complaint, Dead, Policy, Resting};

const ADDRESS: &str = "bounces@blog.example.org";
const TOKEN: &str = "0a1b2c3d";

fn letter(mail: &[u8]) -> Letter {
    read(mail, &[], ADDRESS)
}

macro_rules! samples {
    ($($name:literal: $kind:ident $class:ident $status:literal $words:literal,)+ ; $($other:literal: $said:ident,)+) => {
        const BOUNCES: &[(&str, &str, Class, &str, &str)] = &[$((
            $name,
            include_str!(concat!("../../../tests/mail/bounces/", $name, ".eml")),
            $class,
            $status,
            $words,
        )),+];
        const OTHERS: &[(&str, &str, Said)] =
            &[$(($other, include_str!(concat!("../../../tests/mail/bounces/", $other, ".eml")), Said::$said)),+];
    };
}

// Class, status, and the beginning of the words.
samples! {
    "dsn-postfix-dead": bounce Dead "5.1.1" "550 5.1.1 <ann@reader.example>: Recipient address rejected: User unknown",
    "dsn-postfix-expired": bounce Resting "4.4.1" "connect to mail.reader.example",
    "dsn-gmail-dead": bounce Dead "5.1.1" "550-5.1.1 The email account that you tried to reach does not exist.",
    "dsn-gmail-full": bounce Resting "5.2.2" "552-5.2.2",
    "dsn-gmail-policy": bounce Policy "5.7.26" "550-5.7.26",
    "dsn-exchange-dead": bounce Dead "5.1.10" "550 5.1.10 RESOLVER.ADR.RecipientNotFound",
    "dsn-exchange-generic-status": bounce Dead "5.1.1" "550 5.1.1 User unknown",
    "dsn-sendmail-old": bounce Dead "5.1.1" "550 5.1.1",
    "dsn-no-status": bounce Dead "" "554 delivery error: dd This user",
    "dsn-x-action": bounce Resting "5.2.2" "mailbox full",
    "dsn-lotus": bounce Dead "5.1.1" "User ann (ann@reader.example) not listed",
    "dsn-expanded": bounce Policy "5.1.1" "550 5.1.1 No such user",
    "dsn-generic-no-reason": bounce Policy "5.0.0" "554 Transaction failed",
    "qmail-dead": bounce Dead "5.1.1" "Sorry, no mailbox here by that name. (#5.1.1)",
    "qmail-full": bounce Resting "5.2.2" "The users mailfolder is over the allowed quota",
    "qmail-remote": bounce Dead "" "Remote host said: 550 Unknown user Giving up",
    "exim-dead": bounce Dead "" "Unrouteable address",
    "exchange-text-dead": bounce Dead "5.1.1" "The e-mail account does not exist at the organization",
    "outlook-ndr-html": bounce Dead "" "ann wasn",
    "yahoo-text-dead": bounce Dead "" "554: delivery error: dd This user doesn't have",
    "gmail-text-dead": bounce Dead "" "** Address not found **",
    "gmx-text-full": bounce Resting "" "Quota exceeded. The recipients mailbox is full.",
    "1and1-text-dead": bounce Dead "" "invalid recipient",
    "postfix-text-dead": bounce Dead "5.1.1" "<ann@reader.example>: host mail.reader.example[192.0.2.1] said: 550 5.1.1",
    "lotus-text-dead": bounce Dead "" "User ann not listed in public Name & Address Book",
    "text-policy": bounce Policy "" "A message that you sent",
    "text-unclear": bounce Policy "" "Something went wrong",
    "text-german": bounce Dead "5.1.1" "ann@leser.example: 550 5.1.1",
    "arf-yahoo": bounce Complaint "" "abuse, by yahoo!-mail-feedback/2.0",
    "arf-opt-out": bounce Complaint "" "opt-out",
    "arf-auth-failure": bounce Policy "" "auth-failure",
    "jmrp-outlook": bounce Complaint "" "abuse",
    ;
    "dsn-postfix-delayed": Late,
    "dsn-delivered": Automatic,
    "exim-delayed": Late,
    "forged-from-a-person": Mail,
    "arf-not-spam": Automatic,
    "away-exchange": Automatic,
    "away-vacation": Automatic,
    "away-german": Automatic,
    "away-french": Automatic,
    "away-spanish": Automatic,
    "away-says-undeliverable": Automatic,
    "challenge-boxbe": Challenge,
    "challenge-tmda": Challenge,
    "person-writes": Mail,
    "receipt": Automatic,
}

/// As they travel, and as they lie in a folder.
fn both_line_ends(text: &str) -> [String; 2] {
    [text.to_owned(), text.replace('\n', "\r\n")]
}

#[test]
fn bounces_and_complaints_say_what_they_mean() {
    for (name, text, class, status, words) in BOUNCES {
        for mail in both_line_ends(text) {
            let Said::Bounce(found) = letter(mail.as_bytes()).said else {
                panic!("{name}: {:?}", letter(mail.as_bytes()).said)
            };
            let shown = found.status.as_deref().unwrap_or_default();
            assert_eq!((found.class, shown), (*class, *status), "{name}: {found:?}");
            assert!(found.words.starts_with(words), "{name}: {}", found.words);
        }
    }
}

#[test]
fn a_report_names_the_address_as_we_wrote_it() {
    let mail = |fields: &str| {
        format!(
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: \
             message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n{fields}Action: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
        )
    };
    for (fields, expected) in [
        ("Final-Recipient: rfc822; <Ann@Reader.example>\r\n", Some("Ann@Reader.example")),
        (
            "Final-Recipient: rfc822; ann@behind.example\r\nOriginal-Recipient: rfc822;ann@reader.example\r\n",
            Some("ann@reader.example"),
        ),
        ("Final-Recipient: X400; ann\r\n", None),
        ("", None),
    ] {
        let Said::Bounce(found) = letter(mail(fields).as_bytes()).said else { panic!("{fields}") };
        assert_eq!(found.recipient.as_deref(), expected, "{fields}");
    }
}

#[test]
fn what_is_no_bounce_is_told_apart() {
    for (name, text, expected) in OTHERS {
        for mail in both_line_ends(text) {
            assert_eq!(letter(mail.as_bytes()).said, *expected, "{name}");
        }
    }
    for (mail, expected) in [
        ("", Said::Mail),
        ("Auto-Submitted: no\r\n\r\nhello\r\n", Said::Mail),
        ("Auto-Submitted: auto-replied; owner-email=\"a@b\"\r\n\r\nhello\r\n", Said::Automatic),
        ("Subject: unsubscribe\r\n\r\n\r\n", Said::Mail),
        ("Subject: AW: Re: Urlaub\r\n\r\n\r\n", Said::Automatic),
        // A mail of ours that somebody sends back.
        ("Feedback-ID: a:b:c:d\r\n\r\n\r\n", Said::Generated),
        ("Auto-Submitted: auto-generated; x=y\r\n\r\n\r\n", Said::Generated),
        ("Precedence: bulk\r\n\r\n\r\n", Said::Generated),
        ("Precedence: bulk\r\nSubject: Out of office\r\n\r\n\r\n", Said::Automatic),
    ] {
        assert_eq!(letter(mail.as_bytes()).said, expected, "{mail}");
    }
    let bare = "Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b--\r\n";
    assert!(matches!(letter(bare.as_bytes()).said, Said::Bounce(Finding { class: Complaint, .. })));
}

#[test]
fn the_token_is_in_the_address_it_was_delivered_to() {
    let given = |recipients: &[&str], mail: &str| {
        let recipients: Vec<String> = recipients.iter().map(ToString::to_string).collect();
        read(mail.as_bytes(), &recipients, ADDRESS).to
    };
    assert_eq!(given(&["Bounces+ABC@Blog.Example.org"], ""), ["abc"]);
    let header = "Delivered-To: bounces+abc@blog.example.org\r\nTo: bounces+def@blog.example.org\r\n\r\n";
    assert_eq!(given(&[], header), ["abc", "def"]);
    assert_eq!(given(&["bounces+0@blog.example.org"], header), ["0"], "what the server says is surer");
    assert_eq!(given(&[], "To: \"x\" <bounces+abc@blog.example.org>\r\n\r\n"), ["abc"]);
    for mail in ["To: bounces@blog.example.org\r\n\r\n", "To: bounces+abc@other.example\r\n\r\n", "", "\0\u{ff}"] {
        assert!(given(&[], mail).is_empty(), "{mail}");
    }
}

#[test]
fn what_comes_back_says_which_mail_it_was() {
    for (name, tokens) in [
        ("dsn-postfix-dead", vec![TOKEN, "99ff", "AbC_-9"]),
        ("qmail-dead", vec![TOKEN, "99ff", "AbC_-9"]),
        ("arf-yahoo", vec![TOKEN, "99ff", "AbC_-9"]),
        ("jmrp-outlook", vec![TOKEN, "99ff", "AbC_-9"]),
        ("arf-opt-out", vec![TOKEN]),
    ] {
        let text = BOUNCES.iter().find(|(n, ..)| *n == name).unwrap().1;
        let found = letter(text.as_bytes());
        for token in &tokens {
            assert!(found.within.iter().any(|t| t == token), "{name}: {found:?}");
        }
        let expected = (name != "arf-opt-out").then_some("2021-05.4711@blog.example.org");
        assert_eq!(found.answers.as_deref(), expected, "{name}");
    }
    let person = OTHERS.iter().find(|(name, ..)| *name == "person-writes").unwrap().1;
    assert!(letter(person.as_bytes()).within.is_empty(), "who quotes us is nobody's bounce");
}

#[test]
fn a_mail_is_known_by_its_id_and_by_its_bytes_if_it_has_none() {
    let mark = |mail: &str| letter(mail.as_bytes()).mark;
    assert_eq!(mark("Message-ID: <a@b>\r\n\r\nx"), "<a@b>");
    assert_eq!(mark("Subject: a\r\n\r\nx"), mark("Subject: a\r\n\r\nx"));
    assert_ne!(mark("Subject: a\r\n\r\nx"), mark("Subject: a\r\n\r\ny"));
}

#[test]
fn mails_that_are_made_to_hurt_are_no_bounces() {
    let report = "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n";
    let nested = |n: usize, kind: &str| {
        (0..n).fold(report.to_owned(), |mail, n| mail + &format!("--b{n}\r\nContent-Type: {kind}{}\r\n\r\n", n + 1))
    };
    let fields = "--b\r\nContent-Type: message/delivery-status\r\n\r\n";
    let many = "Action: failed\r\nStatus: 4.0.0\r\n\r\n".repeat(30_000);
    for mail in [
        nested(10_000, "multipart/mixed; boundary=b"),
        format!("{report}{}", "--b\r\nContent-Type: message/rfc822\r\n\r\n".repeat(10_000)),
        "Content-Type: message/rfc822\r\n\r\n".repeat(30_000),
        "Content-Type: multipart/digest; boundary=a\r\n\r\n--a\r\n\r\n".repeat(10_000),
        format!("{report}{}", "--b\r\n\r\n".repeat(100_000)),
        format!("{report}{fields}{}", "Status".repeat(100_000)),
        "To: ".to_owned() + &"<bounces+a@blog.example.org>,".repeat(30_000) + "\r\n\r\n",
        "To: ".to_owned() + &"(".repeat(900_000),
        "\r\n\r\n".to_owned() + &"x".repeat(100 * LONGEST),
    ] {
        let found = letter(mail.as_bytes());
        let harmless = !matches!(found.said, Said::Bounce(Finding { class: Dead | Complaint, .. }));
        assert!(harmless && found.to.len() <= 8, "{found:?}");
    }
    let many = letter(format!("{report}{fields}{many}--b--").as_bytes());
    assert!(matches!(many.said, Said::Bounce(Finding { class: Policy, .. })), "{many:?}");
}

proptest::proptest! {
    #[test]
    fn whatever_a_mail_holds_it_is_read(bytes: Vec<u8>, text in "(Content-Type|To|Status|Action|--b|[ :;=\r\n\"<>@+a-z/]){0,60}") {
        for mail in [&bytes[..], text.as_bytes()] {
            proptest::prop_assert!(read(mail, &[], "nobody@else.example").to.is_empty());
        }
    }

    /// Any sample with a piece cut out, or another's piece put in.
    #[test]
    fn broken_bounces_are_read_without_harm(n in 0..BOUNCES.len(), m in 0..BOUNCES.len(), from in 0..3_000_usize, length in 0..600_usize) {
        let (one, other) = (BOUNCES[n].1.as_bytes(), BOUNCES[m].1.as_bytes());
        let (from, to) = (from.min(one.len()), (from + length).min(one.len()));
        let piece = &other[from.min(other.len())..(from + length).min(other.len())];
        for mail in [[&one[..from], &one[to..]].concat(), [&one[..from], piece, &one[to..]].concat()] {
            let found = letter(&mail);
            proptest::prop_assert!(found.to.len() <= 8 && found.within.len() <= 8);
        }
    }
}
