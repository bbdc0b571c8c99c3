//! The examples of RFC 7208, and its limits.

use super::super::dns::tests::{answered, zone};
use super::*;

/// Appendix A, with more domains below it.
const EXAMPLE: &str = "
    example.com A 192.0.2.10
    example.com A 192.0.2.11
    example.com MX 10 mail-a.example.com
    example.com MX 20 mail-b.example.com
    amy.example.com A 192.0.2.65
    bob.example.com A 192.0.2.66
    mail-a.example.com A 192.0.2.129
    mail-b.example.com A 192.0.2.130
    example.org MX 10 mail-c.example.org
    mail-c.example.org A 192.0.2.140
    10.2.0.192.in-addr.arpa PTR example.com
    65.2.0.192.in-addr.arpa PTR amy.example.com
    140.2.0.192.in-addr.arpa PTR mail-c.example.org
    4.0.0.10.in-addr.arpa PTR bob.example.com
    six.example.com AAAA 2001:db8::cb01
";

fn verdict(zone_lines: &str, address: &str) -> Checked {
    let mut known = zone(&format!("{EXAMPLE}\n{zone_lines}"));
    let client =
        Client { address: address.parse().unwrap(), sender: "strong-bad@example.com", helo: "amy.example.com" };
    answered(&mut known, |known| check(client, "example.com", known))
}

#[test]
fn the_examples_of_appendix_a() {
    use Verdict::*;
    for (record, passes, fails) in [
        ("v=spf1 +all", &["192.0.2.129", "1.2.3.4"][..], &[][..]),
        ("v=spf1 a -all", &["192.0.2.10", "192.0.2.11"], &["192.0.2.65"]),
        ("v=spf1 a:example.org -all", &[], &["192.0.2.10"]),
        ("v=spf1 mx -all", &["192.0.2.129", "192.0.2.130"], &["192.0.2.140"]),
        ("v=spf1 mx:example.org -all", &["192.0.2.140"], &["192.0.2.129"]),
        ("v=spf1 mx mx:example.org -all", &["192.0.2.129", "192.0.2.130", "192.0.2.140"], &["192.0.2.10"]),
        ("v=spf1 mx/30 mx:example.org/30 -all", &["192.0.2.131", "192.0.2.143"], &["192.0.2.144", "192.0.2.132"]),
        ("v=spf1 ptr -all", &["192.0.2.10", "192.0.2.65"], &["192.0.2.140", "10.0.0.4"]),
        ("v=spf1 ip4:192.0.2.128/28 -all", &["192.0.2.129", "192.0.2.140"], &["192.0.2.65"]),
        ("v=spf1 ip6:2001:db8::/32 -all", &["2001:db8::1"], &["2001:db9::1", "192.0.2.1"]),
        ("v=spf1 a:six.example.com//126 -all", &["2001:db8::cb00"], &["2001:db8::cb04", "192.0.2.10"]),
        ("V=SPF1 A -ALL", &["192.0.2.10"], &["192.0.2.65"]),
    ] {
        for (addresses, expected) in [(passes, Pass), (fails, Fail)] {
            for address in addresses {
                let found = verdict(&format!("example.com TXT {record}"), address);
                assert_eq!(found.verdict, expected, "{record}: {address}: {}", found.why);
            }
        }
    }
}

#[test]
fn what_else_a_record_can_say() {
    use Verdict::*;
    let redirected = "example.com TXT v=spf1 redirect=_spf.example.net\n_spf.example.net TXT v=spf1 ip4:192.0.2.1 ~all";
    let included = "example.com TXT v=spf1 include:a.example.net ?all\na.example.net TXT v=spf1 ip4:192.0.2.1 -all";
    for (lines, address, expected) in [
        ("", "192.0.2.1", None),
        ("example.com TXT v=spf10 +all", "192.0.2.1", None),
        ("example.com TXT v=spf1", "192.0.2.1", Neutral),
        ("example.com TXT something else\nexample.com TXT v=spf1 -all", "192.0.2.1", Fail),
        ("example.com TXT v=spf1 +all\nexample.com TXT v=spf1 -all", "192.0.2.1", PermError),
        ("example.com TXT fails", "192.0.2.1", TempError),
        ("example.com TXT v=spf1 ~all", "192.0.2.1", SoftFail),
        (redirected, "192.0.2.1", Pass),
        (redirected, "192.0.2.2", SoftFail),
        (included, "192.0.2.1", Pass),
        (included, "192.0.2.2", Neutral),
        ("example.com TXT v=spf1 include:nowhere.example.net -all", "192.0.2.1", PermError),
        ("example.com TXT v=spf1 redirect=nowhere.example.net", "192.0.2.1", PermError),
        ("example.com TXT v=spf1 include:b.example.net -all\nb.example.net TXT fails", "192.0.2.1", TempError),
        (
            "example.com TXT v=spf1 exists:%{ir}.list.example.net -all\n4.3.2.1.list.example.net A 127.0.0.2",
            "1.2.3.4",
            Pass,
        ),
        ("example.com TXT v=spf1 exists:%{ir}.list.example.net -all", "1.2.3.4", Fail),
        ("example.com TXT v=spf1 frobnicate -all", "192.0.2.1", PermError),
        ("example.com TXT v=spf1 ip4:192.0.2.300 -all", "192.0.2.1", PermError),
        ("example.com TXT v=spf1 ip4:192.0.2.0/33 -all", "192.0.2.1", PermError),
        ("example.com TXT v=spf1 a:/24 -all", "192.0.2.1", PermError),
        ("example.com TXT v=spf1 all: -all", "192.0.2.1", PermError),
        ("example.com TXT v=spf1 redirect=a.example.net redirect=b.example.net", "192.0.2.1", PermError),
        ("example.com TXT v=spf1 moo=%{d} exp=why.example.net -all", "192.0.2.1", Fail),
        ("example.com TXT v=spf1 include:%{x}.example.net -all", "192.0.2.1", PermError),
    ] {
        let found = verdict(lines, address);
        assert_eq!(found.verdict, expected, "{lines}: {}", found.why);
    }
}

fn each(count: usize, line: fn(usize) -> String) -> String {
    (0..count).map(line).collect::<Vec<_>>().concat()
}

#[test]
fn ten_lookups_and_two_empty_ones_are_the_limit() {
    let many = |count: usize| {
        let includes = each(count, |n| format!(" include:i{n}.example.net"));
        let records = each(count, |n| format!("i{n}.example.net TXT v=spf1 ?all\n"));
        format!("example.com TXT v=spf1{includes} -all\n{records}")
    };
    let ten = verdict(&many(10), "192.0.2.1");
    assert_eq!((ten.verdict, ten.lookups), (Verdict::Fail, 10));
    assert_eq!(verdict(&many(11), "192.0.2.1").verdict, Verdict::PermError);
    let empty = |count: usize| {
        let names = each(count, |n| format!(" a:n{n}.example.net"));
        verdict(&format!("example.com TXT v=spf1{names} -all"), "192.0.2.1").verdict
    };
    assert_eq!((empty(2), empty(3)), (Verdict::Fail, Verdict::PermError));
    let itself = verdict("example.com TXT v=spf1 include:example.com -all", "192.0.2.1");
    assert_eq!(itself.verdict, Verdict::PermError);
    let hosts = each(11, |n| format!("big.example.net MX {n} h{n}.example.net\n"));
    let found = verdict(&format!("example.com TXT v=spf1 mx:big.example.net -all\n{hosts}"), "192.0.2.1");
    assert_eq!(found.verdict, Verdict::PermError);
}

#[test]
fn the_macros_of_section_7_4() {
    let client = |address: &'static str| Client {
        address: address.parse().unwrap(),
        sender: "strong-bad@email.example.com",
        helo: "h",
    };
    for (text, address, expected) in [
        ("%{s}", "192.0.2.3", "strong-bad@email.example.com"),
        ("%{o}", "192.0.2.3", "email.example.com"),
        ("%{d}", "192.0.2.3", "email.example.com"),
        ("%{d4}", "192.0.2.3", "email.example.com"),
        ("%{d3}", "192.0.2.3", "email.example.com"),
        ("%{d2}", "192.0.2.3", "example.com"),
        ("%{d1}", "192.0.2.3", "com"),
        ("%{dr}", "192.0.2.3", "com.example.email"),
        ("%{d2r}", "192.0.2.3", "example.email"),
        ("%{l}", "192.0.2.3", "strong-bad"),
        ("%{l-}", "192.0.2.3", "strong.bad"),
        ("%{lr}", "192.0.2.3", "strong-bad"),
        ("%{lr-}", "192.0.2.3", "bad.strong"),
        ("%{l1r-}", "192.0.2.3", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "192.0.2.3", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "192.0.2.3", "bad.strong.lp._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "192.0.2.3", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "192.0.2.3", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
        (
            "%{ir}.%{v}._spf.%{d2}",
            "2001:db8::cb01",
            "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com",
        ),
        ("%%%_%-", "192.0.2.3", "% %20"),
    ] {
        assert_eq!(macros::expand(text, &client(address), "email.example.com").unwrap(), expected, "{text}");
    }
    for text in ["%", "%{", "%{d", "%{q}", "%{d0}", "%x", "%{d!}"] {
        assert!(macros::expand(text, &client("192.0.2.3"), "example.com").is_err(), "{text}");
    }
}
