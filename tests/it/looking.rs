//! Before readers see it: where a post is and why it is not elsewhere, and what would be new.

use serde_json::Value;

use super::site::{Site, site, text};

fn blog() -> Site {
    site()
        .config("[feeds]\nlimit = 2\n")
        .post("2021-01-05-one.md", "---\ntitle: One\ntags: [wood]\n---\nFirst.\n")
        .post("2021-02-05-two.md", text("Two", "Second."))
        .post("2021-03-05-three.md", text("Three", "Third."))
        .post("2021-04-05-four.md", "---\ntitle: Four\ndraft: true\n---\nFourth.\n")
}

#[test]
fn a_post_tells_where_it_is_and_why_it_is_not_elsewhere() {
    let site = blog();
    site.ok("build");
    let one = site.ok("why One").out;
    for part in [
        "_posts/2021-01-05-one.md",
        "published: dated 2021-01-05 00:00",
        "id: https://blog.example.org/2021/01/05/one.html (from the store: its first address)",
        "not in feed.xml, atom.xml, feed.json: 2 newer ones are as many as fit (`feeds.limit` is 2)",
        "in    tags/wood/feed.xml, tags/wood/atom.xml, tags/wood/feed.json: number 1 of 1",
        "in    archive/1/atom.xml: number 2 of 2",
        "in no edition yet",
    ] {
        assert!(one.contains(part), "{part}\n{one}");
    }
    let draft = site.ok("why 2021-04-05-four.md").out;
    assert!(draft.contains("draft: its front matter or its folder says"), "{draft}");
    assert!(draft.contains("not in feed.xml, atom.xml, feed.json: it is not published: its state is draft"), "{draft}");
    site.ok("digest open 2021-01 --now");
    assert!(
        site.ok("why https://blog.example.org/2021/01/05/one.html").out.contains("announced by the edition 2021-01")
    );
    let several = site.run("why o");
    assert_eq!(several.code, 1);
    assert!(several.err.contains("may be any of 3") && several.err.contains("name the file"), "{}", several.err);
    assert!(site.run("why nothing").err.contains("there is no post called `nothing`"));
    site.save("_posts/2021-05-05-broken.md", "---\ntitle: [\n---\nx\n");
    let broken = site.run("why 2021-05-05-broken.md").err;
    assert!(broken.contains("is no post:"), "{broken}");
    site.remove("_posts/2021-01-05-one.md");
    site.ok("build");
    assert!(site.ok("why One").out.contains("withdrawn: its file is gone"));
}

#[test]
fn what_readers_will_see_is_told_and_nothing_is_changed() {
    let site = blog();
    let before = site.ok("diff").out;
    assert!(before.contains("+ One\n") && !before.contains("Four"), "{before}");
    assert!(!site.exists("gazetted.db") && !site.exists("public"));
    site.ok("build");
    assert_eq!(site.ok("diff").out, "readers will see nothing new\n0 feed files would be written\n");
    site.save("_posts/2021-03-05-three.md", text("Three", "Third, and more."));
    site.save("_posts/2021-02-05-two.md", "---\ntitle: Two again\nminor: true\n---\nSecond.\n");
    site.save("_posts/2021-05-05-five.md", text("Five", "Fifth."));
    site.remove("_posts/2021-01-05-one.md");
    let changes: Value = site.json("diff");
    let titles = |list: &str| -> Vec<&str> {
        changes[list].as_array().unwrap().iter().map(|change| change["title"].as_str().unwrap()).collect()
    };
    assert_eq!((titles("new"), titles("gone")), (vec!["Five"], vec!["One"]));
    assert_eq!(titles("changed"), ["Three", "Two again"]);
    assert_eq!((&changes["changed"][0]["what"][0], &changes["changed"][0]["updated"]), (&"text".into(), &true.into()));
    assert_eq!(
        (&changes["changed"][1]["what"][0], &changes["changed"][1]["updated"]),
        (&"title".into(), &false.into())
    );
    let files: Vec<String> = serde_json::from_value(changes["files"].clone()).unwrap();
    let built: Vec<String> = serde_json::from_value(site.json("build")["written"].clone()).unwrap();
    let feeds: Vec<&String> = built.iter().filter(|file| files.contains(file)).collect();
    assert_eq!(feeds.len(), files.len(), "{files:?} {built:?}");
    assert_eq!(site.ok("diff").out, "readers will see nothing new\n0 feed files would be written\n");
}

#[test]
fn whatever_an_entry_says_besides_its_text_is_told_before_it_is_published() {
    let site = blog();
    site.ok("build");
    let front = |front: &str| {
        site.save("_posts/2021-03-05-three.md", format!("---\ntitle: Three\n{front}\n---\nThird.\n"));
        let changes = site.json("diff");
        let changed = &changes["changed"][0];
        (changed["what"].to_string(), changed["updated"].as_bool().unwrap())
    };
    for (line, what) in [
        ("tags: [iron]", "[\"tags\"]"),
        ("author: Zed", "[\"authors\"]"),
        ("image: /i.png", "[\"image\"]"),
        ("description: In short", "[\"summary\"]"),
        ("lang: de", "[\"language\"]"),
        ("enclosure: {url: 'https://a.example/a.mp3', length: 5}", "[\"enclosure\"]"),
    ] {
        assert_eq!(front(line), (what.to_owned(), false), "{line}");
    }
    assert_eq!(front("updated: 2026-01-01"), ("[\"date of change\"]".to_owned(), true));
    assert!(site.ok("diff").out.contains("~ Three (date of change)\n"));
    site.ok("build");
    assert!(site.ok("diff").out.starts_with("readers will see nothing new\n"));
}

#[test]
fn an_author_s_new_id_is_told_once_and_a_build_leaves_nothing_to_do() {
    let site = blog().config("[feeds]\ntombstones = true\n");
    site.ok("build");
    site.save("_posts/2021-02-05-two.md", "---\ntitle: Two\nid: 'urn:two'\n---\nSecond.\n");
    let changes: Value = site.json("diff");
    assert_eq!((&changes["new"][0]["id"], &changes["gone"][0]["title"]), (&"urn:two".into(), &"Two".into()));
    site.ok("build");
    assert!(site.read("public/atom.xml").contains("<id>urn:two</id>"));
    assert_eq!(site.ok("diff").out, "readers will see nothing new\n0 feed files would be written\n");
    assert_eq!(site.json("build")["files_written"], 0);
    let old = "https://blog.example.org/2021/02/05/two.html";
    assert!(site.ok(&format!("why {old}")).out.contains("id: urn:two"), "the address is still its");
    site.save(
        "_posts/2021-06-05-six.md",
        "---\ntitle: Six\nid: 'https://blog.example.org/2021/03/05/three.html'\n---\nSixth.\n",
    );
    let refused = site.run("check");
    assert_eq!(refused.code, 1);
    assert!(refused.out.contains("has the same id as `_posts/2021-03-05-three.md`"), "{}", refused.out);
}
