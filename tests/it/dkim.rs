//! DKIM, verified by somebody else's verifier (dkimpy): digests, notices and their variants, by both kinds of keys.

use std::path::PathBuf;
use std::process::Command;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gazetted::render::dkim::Signer;
use serde_json::{Value, json};

use super::postgres::{everything_is_wanted, left_out};
use super::site::{LEAST, Site, ran, site, text};

/// A new private key in PEM.
fn rsa() -> String {
    pem(KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap().as_ref())
}

fn ed25519() -> String {
    pem(Ed25519KeyPair::generate().unwrap().to_pkcs8().unwrap().as_ref())
}

fn pem(pkcs8: &[u8]) -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(pkcs8))
}

const KEYS: &str = "[digest]\nfrom = \"Notes <notes@blog.example.org>\"\nreply_to = \"editors@blog.example.org\"\n\
    [bounces]\naddress = \"bounces@blog.example.org\"\n\
    [dkim]\nselector = \"gz\"\nkey_file = \"rsa.pem\"\ned25519_selector = \"ed\"\ned25519_key_file = \"ed.pem\"\n";

fn private(site: &Site, name: &str, pem: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    site.save(name, pem);
    std::fs::set_permissions(site.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A blog that signs, and what DNS would say of its keys.
fn signing() -> (Site, Value) {
    let hostile =
        "Tabs\tand  spaces, \u{e9}\u{1f600} and a very long title that has to be folded somewhere, and then once more";
    let site = site()
        .config(KEYS)
        .post("2021-05-05-may.md", text(&format!("\"{}\"", hostile.replace('\t', "\\t")), "Sun.  \n\n. dot\n\n   \n"))
        .post("2021-05-06-more.md", text("More", "Trailing spaces   \n\tand tabs\t\n"));
    let keys = [("gz", "rsa.pem", rsa()), ("ed", "ed.pem", ed25519())];
    let mut records = serde_json::Map::new();
    for (selector, name, pem) in &keys {
        private(&site, name, pem, 0o600);
        let (name, record) = Signer::new("blog.example.org", selector, pem.as_bytes()).unwrap().record();
        records.insert(name, Value::String(record));
    }
    (site, Value::Object(records))
}

#[test]
fn every_signature_verifies_and_none_does_once_anything_is_changed() {
    let python = std::env::var_os("GAZETTED_TEST_PYTHON").map(PathBuf::from);
    let Some(python) = python else {
        assert!(!everything_is_wanted(), "GAZETTED_TEST_PYTHON names no Python");
        return left_out("Python with dkimpy");
    };
    let (site, records) = signing();
    for n in 0..20 {
        let name =
            ["Ann", "Änne Müller", "\"quoted\\name\"", "", "a very long name of somebody who is called like that"]
                [n % 5];
        let mut command = site.command(&["subscribers", "add", &format!("reader{n}@example.org"), "--name", name]);
        assert_eq!(ran(&mut command).code, 0);
    }
    site.ok("digest open 2021-05 --now");
    site.ok("outbox flush");
    assert_eq!(site.mails().len(), 20);
    site.save("records.json", records.to_string());
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/mail/verify.py");
    let ran = ran(Command::new(python).arg(script).arg(site.path("mail")).arg(site.path("records.json")));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let done: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(done, json!({"verified": 40, "refused": 40 * 18}));
}

#[test]
fn a_message_that_is_made_again_has_the_same_signature() {
    let (site, _) = signing();
    let eml = || site.ok("digest preview 2021-05 --format eml").out;
    site.ok("subscribers add ann@example.org");
    site.ok("digest open 2021-05 --now");
    let first = eml();
    assert!(
        first.starts_with("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n\td=blog.example.org; s=gz;"),
        "{first}"
    );
    assert_eq!(first.matches("DKIM-Signature: ").count(), 2);
    assert_eq!(eml(), first);
}

#[test]
fn a_key_that_others_can_read_or_that_is_none_stops_sending_before_it_begins() {
    for (mode, pem, words) in [
        (0o644, rsa(), "can be read by others (mode 0644)"),
        (0o604, rsa(), "can be read by others"),
        (0o660, rsa(), "can be read by others"),
        (0o666, rsa(), "can be read by others"),
        (0o600, "no key".to_owned(), "it holds no private key in PEM"),
    ] {
        let site = site().config(KEYS).post("2021-05-05-may.md", text("May", "Sun."));
        private(&site, "rsa.pem", &pem, mode);
        private(&site, "ed.pem", &ed25519(), 0o640);
        site.ok("subscribers add ann@example.org");
        let refused = site.run("digest open 2021-05 --now");
        assert!(refused.code == 1 && refused.err.contains("dkim.key_file"), "{mode:o} {}", refused.err);
        site.ok("digest open 2021-05 --now --despite-findings");
        let ran = site.run("outbox flush");
        assert!(ran.code == 1 && ran.err.contains("dkim.key_file") && ran.err.contains(words), "{mode:o} {}", ran.err);
        assert_eq!(site.mails(), Vec::<String>::new());
    }
    let site = site().config(&KEYS.replace("selector = \"gz\"\n", "")).post("2021-05-05-may.md", text("May", "Sun."));
    let ran = site.run("check");
    assert!(ran.out.contains("its selector is not"), "{LEAST}{}", ran.out);
}
