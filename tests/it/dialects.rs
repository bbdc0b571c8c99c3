//! Three small blogs, one of each kind, from their files to their feeds: whole artefacts, as snapshots.

use super::site::{Site, site};

/// The feeds with what differs from one build of the program to the next left out.
fn feed(site: &Site, name: &str) -> String {
    site.read(name).replace(concat!("gazetted ", env!("CARGO_PKG_VERSION")), "gazetted VERSION")
}

fn held(fixture: &str) {
    let site = Site::of(fixture);
    let posts = site.ok("posts --json").out;
    insta::assert_snapshot!(format!("{fixture}_posts"), posts);
    insta::assert_snapshot!(format!("{fixture}_check"), site.run("check").out);
    site.ok("build");
    for name in ["feed.xml", "atom.xml", "feed.json"] {
        insta::assert_snapshot!(format!("{fixture}_{name}"), feed(&site, &format!("public/{name}")));
    }
    insta::assert_snapshot!(format!("{fixture}_files"), site.files("public").join("\n"));
    nothing_leaks(&site);
    addresses_are_absolute(&site);
}

fn bodies(site: &Site) -> Vec<String> {
    let feed: serde_json::Value = serde_json::from_str(&site.read("public/feed.json")).unwrap();
    let items = feed["items"].as_array().unwrap();
    items.iter().map(|item| item["content_html"].as_str().unwrap().to_owned()).collect()
}

/// A body without its code, where template syntax may stand for itself.
fn outside_code(html: &str) -> String {
    let mut rest = html;
    let mut out = String::new();
    while let Some((before, after)) = rest.split_once("<code") {
        out.push_str(before);
        rest = after.split_once("</code>").map_or("", |(_, after)| after);
    }
    out + rest
}

fn nothing_leaks(site: &Site) {
    for body in bodies(site) {
        let prose = outside_code(&body).replace("{{&lt; figure &gt;}}", "").replace("{% this %}", "");
        for leak in ["{%", "{{", "{:", "%}", "}}", "<script", "onclick"] {
            assert!(!prose.contains(leak), "`{leak}` leaks: {prose}");
        }
    }
}

fn addresses_are_absolute(site: &Site) {
    for body in bodies(site) {
        for attribute in ["href=\"", "src=\"", "srcset=\""] {
            for value in body.split(attribute).skip(1) {
                assert!(value.starts_with("https://") || value.starts_with("mailto:"), "{attribute}{value}");
            }
        }
    }
}

#[test]
fn a_jekyll_blog_is_read_as_jekyll_reads_it() {
    held("jekyll");
}

#[test]
fn a_hugo_blog_is_read_as_hugo_reads_it() {
    held("hugo");
}

#[test]
fn a_zola_blog_is_read_as_zola_reads_it() {
    held("zola");
}

/// The titles of what is published, as a build that may remember the last one has them.
fn built(site: &Site) -> Vec<String> {
    site.ok("build");
    let feed: serde_json::Value = serde_json::from_str(&site.read("public/feed.json")).unwrap();
    let mut titles: Vec<String> =
        feed["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect();
    titles.sort();
    titles
}

#[test]
fn what_hugo_keeps_to_itself_is_in_no_feed_whatever_is_remembered() {
    let site = site();
    site.save("hugo.toml", "title = \"Notes\"\nbaseURL = \"https://notes.example.org/\"\n");
    let page = |title: &str, more: &str| format!("---\ntitle: {title}\ndate: 2021-05-07\n{more}\n---\nWords.\n");
    for (name, title, more) in [
        ("plain.md", "Plain", ""),
        ("bundle/index.md", "Bundle", ""),
        ("bundle/notes.md", "Notes", ""),
        ("unlisted.md", "Unlisted", "build: {list: never}"),
        ("inner/a.md", "Inner", ""),
        ("inner/b.md", "Said otherwise", "draft: false"),
    ] {
        site.save(&format!("content/posts/{name}"), page(title, more));
    }
    site.remove("gazetted.toml");
    site.ok("init");
    assert_eq!(built(&site), ["Bundle", "Inner", "Plain", "Said otherwise"]);
    site.save(
        "content/posts/inner/_index.md",
        page("Inner pages", "cascade: [{_target: {path: /posts/inner/*}, draft: true}]"),
    );
    for _ in 0..2 {
        assert_eq!(built(&site), ["Bundle", "Plain", "Said otherwise"]);
    }
    site.save("content/_index.md", page("Home", "draft: true"));
    site.save("content/posts/_index.md", page("Posts", ""));
    let posts = site.json("posts");
    let published = posts.as_array().unwrap().iter().filter(|post| post["state"] == "published");
    assert_eq!(published.count(), 0);
    site.remove("content/_index.md");
    site.remove("content/posts/inner/_index.md");
    site.remove("content/posts/bundle/index.md");
    assert_eq!(built(&site), ["Inner", "Notes", "Plain", "Said otherwise"]);
}

#[test]
fn a_post_in_two_languages_is_promised_and_announced_once() {
    let site = Site::of("hugo");
    site.save(
        "hugo.toml",
        "baseURL = \"https://a.example/\"\ntitle = \"A\"\n[languages.en]\nweight = 1\n[languages.de]\nweight = 2\n",
    );
    let post = |title: &str| format!("---\ntitle: {title}\ndate: 2022-03-07\n---\nWords.\n");
    site.save("content/posts/release.md", post("The release"));
    site.save("content/posts/release.de.md", post("Die neue Version"));
    assert_eq!(site.json("goal --from 2022-03 --to 2022-03")["goals"][0]["published"], 1);
    let digest = site.ok("digest preview 2022-03").out;
    assert!(digest.contains("The release") && !digest.contains("Die neue Version"), "{digest}");
    assert_eq!(site.json("posts --from 2022-03 --to 2022-03").as_array().unwrap().len(), 2, "each has its page");
    let said = site.ok("why content/posts/release.de.md").out;
    assert!(said.contains("it is `content/posts/release.md` in another language"), "{said}");
    // Announced in one language it is no news in another, not even when the first one is taken back.
    site.save("content/posts/late.de.md", post("Etwas").replace("2022-03", "2022-04"));
    site.ok("build");
    site.ok("digest open 2022-04");
    site.save("content/posts/late.md", post("Something").replace("2022-03", "2022-04"));
    site.ok("build");
    let news = site.ok("digest preview 2022-05").out;
    assert!(!news.contains("Something") && !news.contains("Etwas"), "{news}");
    site.save(
        "content/posts/late.de.md",
        post("Etwas").replace("2022-03", "2022-04").replace("date:", "draft: true\ndate:"),
    );
    let news = site.ok("digest preview 2022-05").out;
    assert!(!news.contains("Something"), "{news}");
    // Two in one language are two.
    for name in ["b", "c"] {
        site.save(&format!("content/posts/{name}.md"), post(name).replace("---\nW", "translationKey: k\n---\nW"));
    }
    assert_eq!(site.json("goal --from 2022-03 --to 2022-03")["goals"][0]["published"], 3);
    assert!(site.run("check").out.contains("is in the same, so it is a post of its own"));
}
