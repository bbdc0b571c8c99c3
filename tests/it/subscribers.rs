//! Lists that come from other tools, and the list that goes out: who may be written to afterwards, what is refused, and
//! that nothing is written by halves.

use gazetted::domain::subscriber::{Choice, Frequency};
use serde_json::{Value, json};

use super::site::{Ran, Site, has, ran, site};

/// A site with the files other tools write.
fn with_lists() -> Site {
    let site = Site::of("import");
    site.save("gazetted.toml", super::site::LEAST);
    site
}

/// Everybody, as `address state`.
fn people(site: &Site) -> Vec<String> {
    let list = site.json("subscribers list");
    let one = |person: &Value| format!("{} {}", person["email"].as_str().unwrap(), person["state"].as_str().unwrap());
    list.as_array().unwrap().iter().map(one).collect()
}

fn refused(site: &Site, arguments: &str) -> Ran {
    let before = people(site);
    let ran = site.run(arguments);
    assert_eq!(ran.code, 1, "gazetted {arguments}\n{}\n{}", ran.out, ran.err);
    assert_eq!(people(site), before, "{arguments}");
    ran
}

#[test]
fn every_tools_file_is_recognised_and_only_who_may_be_written_to_is_active() {
    for (file, format, recognised, expected) in [
        (
            "mailchimp-subscribed.csv",
            "mailchimp",
            "Mailchimp, subscribed",
            &["ida.berg@example.org active", "lena@example.org active", "otto@sub.example.org active"][..],
        ),
        ("mailchimp-unsubscribed.csv", "mailchimp", "Mailchimp, unsubscribed", &["per@example.org unsubscribed"]),
        ("mailchimp-cleaned.csv", "mailchimp", "Mailchimp, cleaned", &["gone@example.org suppressed"]),
        (
            "substack.csv",
            "substack",
            "Substack",
            &["mona@example.org active", "nils@example.org active", "quiet@example.org unsubscribed"],
        ),
        (
            "substack-older.csv",
            "substack",
            "Substack, older",
            &["ruth@example.org active", "silent@example.org unsubscribed"],
        ),
        (
            "ghost.csv",
            "ghost",
            "Ghost",
            &[
                "sara@example.org active",
                "tor@example.org active",
                "una@example.org unsubscribed",
                "vik@example.org unsubscribed",
            ],
        ),
        (
            "beehiiv.csv",
            "beehiiv",
            "beehiiv",
            &[
                "wim@example.org active",
                "xenia@example.org unsubscribed",
                "yrsa@example.org pending",
                "zoe@example.org unsubscribed",
            ],
        ),
        (
            "buttondown.csv",
            "buttondown",
            "Buttondown",
            &[
                "abel@example.org active",
                "bea@example.org active",
                "carl@example.org pending",
                "dora@example.org unsubscribed",
                "egon@example.org suppressed",
                "frida@example.org suppressed",
            ],
        ),
        (
            "listmonk.csv",
            "listmonk",
            "listmonk",
            &["greta@example.org active", "hans@example.org unsubscribed", "inga@example.org suppressed"],
        ),
        ("curated.csv", "curated", "Curated", &["jon@example.org active", "kari@example.org active"]),
        ("tinynews.csv", "tinynews", "tinynews", &["liv@example.org active", "mads@example.org unsubscribed"]),
        ("plain-utf16.csv", "csv", "a plain list", &["nora@example.org active", "olav@example.org unsubscribed"]),
    ] {
        let site = with_lists();
        let facts = site.json(&format!("subscribers import {file}"));
        has(&facts, "files rows repeated problems dry_run added known left suppressed kept_out");
        assert_eq!(facts["files"][0]["format"], format, "{file}");
        assert_eq!(facts["files"][0]["recognised"], recognised, "{file}");
        assert_eq!(people(&site), expected, "{file}");
        let named = site.run(&format!("subscribers import {file} --format {format}"));
        assert_eq!(named.code, 0, "{file}: {}", named.err);
        let wrong = if format == "ghost" { "substack" } else { "ghost" };
        let err = refused(&site, &format!("subscribers import {file} --format {wrong}")).err;
        assert!(err.contains(&format!("{file}:1:1: error:")), "{file}: {err}");
    }
}

#[test]
fn mailchimps_three_files_are_one_import_and_an_opt_out_in_any_holds() {
    let site = with_lists();
    let again = site.read("mailchimp-subscribed.csv").lines().nth(1).unwrap().replace("ida.berg@", "PER@");
    let files = "mailchimp-subscribed.csv mailchimp-cleaned.csv mailchimp-unsubscribed.csv";
    site.save("mailchimp-subscribed.csv", format!("{}{again}\n", site.read("mailchimp-subscribed.csv")));
    let out = site.ok(&format!("subscribers import {files}")).out;
    assert!(out.contains("mailchimp-cleaned.csv: Mailchimp, cleaned, 1 row: 0 active"), "{out}");
    assert!(out.contains("1 address comes more than once"), "{out}");
    assert!(people(&site).contains(&"per@example.org unsubscribed".to_owned()), "{:?}", people(&site));
    assert!(people(&site).contains(&"gone@example.org suppressed".to_owned()));
}

#[test]
fn the_same_file_twice_changes_nothing() {
    let site = with_lists();
    for file in ["ghost.csv", "beehiiv.csv", "buttondown.csv", "listmonk.csv", "mailchimp-cleaned.csv", "substack.csv"]
    {
        site.ok(&format!("subscribers import {file}"));
        let before = site.ok("subscribers export --json").out;
        std::fs::copy(site.path(file), site.path("the-same (1).csv")).unwrap();
        let again = ran(&mut site.command(&["subscribers", "import", "the-same (1).csv", "--json"]));
        let facts = again.json();
        assert_eq!((&facts["added"], &facts["left"]), (&json!(0), &json!(0)), "{file}");
        assert_eq!(site.ok("subscribers export --json").out, before, "{file}");
    }
}

#[test]
fn files_of_two_tools_are_two_imports() {
    let site = with_lists();
    let err = refused(&site, "subscribers import ghost.csv beehiiv.csv").err;
    assert!(err.contains("the files are of beehiiv and ghost"), "{err}");
    site.ok("subscribers import ghost.csv");
    assert_eq!(site.json("subscribers export")[0]["source"], "import:ghost");
}

#[test]
fn a_dry_run_writes_nothing() {
    let site = with_lists();
    let out = site.ok("subscribers import ghost.csv --dry-run").out;
    assert!(out.contains("ghost.csv: Ghost, 4 rows: 2 active, 0 pending, 2 unsubscribed, 0 suppressed"), "{out}");
    assert!(out.contains("read: email, name, subscribed_to_emails, created_at, deleted_at"), "{out}");
    assert!(out.contains("ignored: id, note,"), "{out}");
    assert!(out.contains("nothing was written"), "{out}");
    assert!(people(&site).is_empty());
}

#[test]
fn one_bad_line_of_one_file_and_nobody_is_added() {
    let site = with_lists();
    site.save("bad.csv", "email,status\r\nada@example.org,active\r\n\r\nnobody,active\r\nbob@example.org,Super\r\n");
    let said = refused(&site, "subscribers import ghost.csv bad.csv");
    assert!(said.err.contains("bad.csv:4:1: error: `nobody` is no mail address"), "{}", said.err);
    assert!(said.err.contains("bad.csv:5:17: error: `status` says `Super`"), "{}", said.err);
    assert!(said.err.contains("nobody was added"), "{}", said.err);
    assert!(said.out.contains("ghost.csv: Ghost, 4 rows"), "{}", said.out);
    let facts = refused(&site, "subscribers import bad.csv --json").json();
    assert_eq!(facts["problems"].as_array().unwrap().len(), 2);
    assert!(facts.get("added").is_none());
}

#[test]
fn what_is_no_list_is_refused_in_a_sentence() {
    let site = with_lists();
    site.save("export.zip", b"PK\x03\x04\x14\0\0\0");
    site.save("posts.csv", "post_id,post_date,title\n1,2021-01-01,One\n");
    site.save("latin.csv", b"email,name\nada@example.org,\xc5se\n");
    site.save("quote.csv", "email,name\nada@example.org,\"Ada\nbob@example.org,Bob\n");
    for (file, expected) in [
        ("export.zip", "a ZIP archive or a spreadsheet"),
        ("export.zip", "unpack an archive"),
        ("posts.csv", "posts.csv:1:1: error: no column is called `email`"),
        ("latin.csv", "latin.csv:2:17: error: this is not UTF-8"),
        ("quote.csv", "quote.csv:2:17: error: a quote opens here and is not closed"),
        ("missing.csv", "`missing.csv` cannot be read"),
        ("_posts", "`_posts` is no file"),
        ("/dev/null", "`/dev/null` is no file"),
    ] {
        std::fs::create_dir_all(site.path("_posts")).unwrap();
        let err = refused(&site, &format!("subscribers import {file}")).err;
        assert!(err.contains(expected), "{file}: {err}");
    }
    assert_eq!(site.run("subscribers import").code, 2);
    assert_eq!(site.run("subscribers import ghost.csv --format excel").code, 2);
}

/// Three files of a gigabyte (with holes) that hold no line end, or nothing but what is no list.
#[test]
fn a_gigabyte_in_one_line_is_refused_at_its_beginning() {
    let site = site();
    for start in ["", "email,name\nada@example.org,\"", "email\n"] {
        site.save("huge.csv", start);
        std::fs::File::options().write(true).open(site.path("huge.csv")).unwrap().set_len(1 << 30).unwrap();
        let err = refused(&site, "subscribers import huge.csv").err;
        assert!(err.contains("longer than 1 MB"), "{start}: {err}");
    }
}

#[test]
fn the_exported_list_is_no_formula_and_comes_back_as_it_was() {
    let site = site();
    site.save(
        "list.csv",
        "email,name,status\n+ada@example.org,=HYPERLINK(1),active\n-bob@example.org,@Bob,unsubscribed\n\
         =cy@example.org,\"Cy \"\"the\"\" One, really\",pending\ndee@example.org,+Dee,bounced\neve@example.org,-Eve,active\n",
    );
    site.ok("subscribers import list.csv");
    let chosen = Choice {
        frequency: Frequency::Post,
        language: Some("de".into()),
        tags: vec!["go".into(), "a=, \"b\"; c".into()],
        authors: vec!["Ada Lovelace".into()],
        paused_until: Some("2036-12-01T00:00:00Z".parse().unwrap()),
    };
    choose(&site, "eve", &chosen);
    let csv = site.ok("subscribers export").out;
    assert!(csv.starts_with("email,name,state,source,created_at,changed_at,frequency,"), "{csv}");
    let cells = csv.lines().flat_map(|line| line.split(','));
    let live: Vec<&str> =
        cells.map(|cell| cell.trim_start_matches('"')).filter(|cell| cell.starts_with(['=', '+', '-', '@'])).collect();
    assert!(live.is_empty(), "{live:?} in {csv}");
    assert!(csv.contains("'+ada@example.org,'=HYPERLINK(1),active"), "{csv}");
    let known = |site: &Site| -> Vec<Value> {
        let mut list = site.json("subscribers export");
        for person in list.as_array_mut().unwrap() {
            for new in ["id", "source", "changed_at"] {
                person.as_object_mut().unwrap().remove(new);
            }
        }
        list.as_array().unwrap().clone()
    };
    for (file, text) in [("export.csv", csv), ("export.json", site.ok("subscribers export --json").out)] {
        let other = super::site::site();
        other.save(file, &text);
        let facts = other.json(&format!("subscribers import {file}"));
        assert_eq!((&facts["files"][0]["format"], &facts["added"]), (&json!("gazetted"), &json!(5)), "{file}");
        assert_eq!(known(&site), known(&other), "{file}");
        // Who is known keeps what they have chosen meanwhile.
        choose(&other, "eve", &Choice::default());
        assert_eq!(other.json(&format!("subscribers import {file}"))["known"], 5);
        assert_ne!(known(&site), known(&other), "{file}");
    }
}

fn choose(site: &Site, name: &str, choice: &Choice) {
    let url = gazetted::config::load(&site.path("gazetted.toml")).config.store_url();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let now = "2026-11-24T09:00:00Z".parse().unwrap();
        let store = gazetted::store::open(&url, now).await.unwrap();
        let found = store.find_subscribers(&format!("{name}@"), 1).await.unwrap();
        assert!(store.choose(found[0].id, choice, now).await.unwrap());
    });
}

#[test]
fn a_choice_that_is_none_and_json_that_is_not_ours_are_refused_where_they_stand() {
    let site = site();
    let list = |cells: &str| {
        format!(
            "email,name,state,source,created_at,changed_at,frequency,paused_until,tags\nann@example.org,,active,,,,{cells}\n"
        )
    };
    for (file, text, why) in [
        (
            "a.csv",
            list("weekly,,"),
            "a.csv:2:28: error: `frequency` says `weekly`; expected `monthly`, `quarterly` or `post`, or nothing",
        ),
        ("b.csv", list(",never,"), "`paused_until` says `never`; expected an instant"),
        ("c.csv", list(",,go"), "`tags` says `go`; expected a list like"),
        (
            "d.json",
            "[\n  {\n    \"email\": \"ann@example.org\"\n  }\n]\n".to_owned(),
            "d.json:2:1: error: this is no person; expected one a line",
        ),
    ] {
        site.save(file, &text);
        let err = refused(&site, &format!("subscribers import {file}")).err;
        assert!(err.contains(why), "{file}: {err}");
    }
    site.save("none.json", "[]\n");
    assert_eq!(site.json("subscribers import none.json")["rows"], 0);
}

#[test]
fn an_export_is_of_everybody_or_of_one_state() {
    let site = site();
    assert_eq!(site.ok("subscribers export --format json").json(), json!([]));
    assert_eq!(site.ok("subscribers export").out.lines().count(), 1);
    let many: Vec<String> = (0..2_500).map(|n| format!("reader{n}@example.org")).collect();
    site.save("many.csv", many.join("\n"));
    site.ok("subscribers import many.csv");
    site.ok("subscribers remove reader7@example.org");
    assert_eq!(site.json("subscribers export").as_array().unwrap().len(), 2_500);
    let gone = site.ok("subscribers export --format json --state unsubscribed").json();
    assert_eq!(gone[0]["email"], "reader7@example.org");
    has(&gone[0], "id email name state source created_at changed_at");
    assert_eq!(site.ok("subscribers export --state active").out.lines().count(), 2_500);
}

#[test]
fn no_progress_is_drawn_where_nobody_looks() {
    let site = with_lists();
    let ran = ran(&mut site.command(&["subscribers", "import", "ghost.csv"]));
    assert_eq!(ran.err, "");
}
