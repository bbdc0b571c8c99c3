//! What is looked at before an edition goes out, as the operator and the editors meet it.

use serde_json::{Value, json};

use super::daemon::{Daemon, at, blog, born};
use super::site::{LEAST, Site, text, until};

/// A header with a link that readers cannot follow yet.
fn spoilt() -> Site {
    let site = blog().post("2021-05-30-soon.md", "---\ntitle: Soon\npublished: false\n---\nSoon.\n");
    let draft = site.json("posts --drafts")[0]["url"].as_str().unwrap().to_owned();
    site.config(&format!(
        "[digest]\neditors = [\"ada@example.org\"]\n[digest.style]\nheader = \"Read [this]({draft})\"\n"
    ))
}

fn codes(found: &Value) -> Vec<(&str, &str)> {
    let all = found.as_array().unwrap();
    all.iter().map(|f| (f["severity"].as_str().unwrap(), f["code"].as_str().unwrap())).collect()
}

#[test]
fn nothing_speaks_against_a_plain_digest() {
    let site = blog();
    assert_eq!(site.json("digest check 2021-05"), json!([]));
    assert!(site.ok("digest check 2021-05").out.contains("nothing speaks against the edition of May 2021"));
}

#[test]
fn what_is_red_keeps_an_edition_back_unless_the_operator_insists() {
    let site = spoilt();
    let checked = site.run("digest check 2021-05 --json");
    assert_eq!((checked.code, codes(&checked.json())), (1, vec![("red", "link-unpublished")]), "{}", checked.err);
    let opened = site.run("digest open 2021-05");
    assert_eq!(opened.code, 1);
    assert!(opened.err.contains("is a post that readers cannot see") && opened.err.contains("--despite-findings"));
    assert_eq!(site.json("digest list"), json!([]), "nothing was opened");
    assert!(site.ok("digest open 2021-05 --despite-findings").out.contains("the edition of May 2021 is open"));
    let checked = site.run("digest check 2021-05");
    assert!(checked.code == 1 && checked.out.starts_with("red: "), "one that is open is looked at as well");
}

#[test]
fn mail_that_leaves_needs_a_postal_address() {
    let smtp = "[digest]\nfrom = \"Notes <notes@example.org>\"\n[smtp]\nhost = \"127.0.0.1\"\n";
    let site = blog().config(smtp);
    let checked = site.run("digest check 2021-05 --json");
    assert_eq!(codes(&checked.json()), [("red", "postal-address"), ("amber", "unsigned")]);
    site.save(
        "gazetted.toml",
        format!("{LEAST}{}", smtp.replace("[smtp]", "postal_address = \"1 Main Street\"\n[smtp]")),
    );
    assert_eq!(codes(&site.json("digest check 2021-05")), [("amber", "unsigned")]);
}

#[test]
fn a_template_of_ones_own_that_spoils_the_mail_is_found() {
    let site = blog();
    let template = "<p>{{ '{' }}{ title }} <img src=\"https://blog.example.org/x.png\"></p>\
                    <a href=\"/relative\">x</a><a href=\"{{ unsubscribe_url }}\">leave</a>";
    site.save("templates/digest.html", template);
    let checked = site.run("digest check 2021-05 --json");
    let found = checked.json();
    let found = codes(&found);
    for expected in [("red", "template-residue"), ("red", "link-broken"), ("amber", "alt"), ("amber", "images-only")] {
        assert!(found.contains(&expected), "{expected:?} in {found:?}");
    }
}

#[test]
fn the_daemon_opens_nothing_red_and_tells_the_editors_once() {
    let site = spoilt();
    born(&site, "2021-05-10T00:00:00Z");
    let daemon = Daemon::start(&site, "2021-05-10T00:00:00Z");
    daemon.clock.set(at("2021-06-01T09:00:30Z"));
    let mails = until("the letter", || Some(site.mails()).filter(|mails| !mails.is_empty()));
    let mail = site.read(&format!("mail/{}", mails[0]));
    assert!(mail.contains("ada@example.org") && mail.contains("link-unpublished"), "{mail}");
    daemon.clock.set(at("2021-06-02T09:00:30Z"));
    daemon.beats();
    assert_eq!((site.json("digest list"), site.mails().len()), (json!([]), 1));
    // Once it is mended, the edition goes out by itself.
    site.save("_posts/2021-05-30-soon.md", text("Soon", "Now."));
    daemon.clock.set(at("2021-06-02T10:00:30Z"));
    until("the edition", || Some(site.json("digest list")).filter(|list| list[0]["period"] == "2021-05"));
    daemon.stop();
}
