//! The first hour: what `init` makes of a site runs. The guides in `deploy/`: their commands run in the order in which they stand, their configurations are read, their links lead
//! somewhere.

use std::collections::BTreeMap;
use std::path::Path;

use super::daemon::Program;
use super::site::{LEAST, Site, site, text};

const GUIDES: [&str; 7] = [
    "first-digest.md",
    "behind-nginx.md",
    "relays.md",
    "nodes.md",
    "bounce-boxes.md",
    "postfix-bounces.md",
    "doctor.md",
];

fn guide(name: &str) -> String {
    std::fs::read_to_string(Path::new("deploy").join(name)).unwrap()
}

/// The blocks of a kind, without the indent they have within lists.
fn blocks(text: &str, kind: &str) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), None::<Vec<String>>);
    for line in text.lines() {
        let trimmed = line.trim_start();
        match &mut open {
            Some(lines) if trimmed.starts_with("```") => {
                found.push(lines.join("\n"));
                open = None;
            }
            Some(lines) => lines.push(trimmed.to_owned()),
            None if trimmed == format!("```{kind}") => open = Some(Vec::new()),
            None => {}
        }
    }
    found
}

/// Reads the site with `init`, and has the daemon serve it.
fn first_hour(site: &Site) -> toml::Table {
    site.ok("init --from .");
    for command in ["check", "build", "goal", "posts"] {
        site.ok(command);
    }
    let daemon = Program::start(site);
    let written: toml::Table = site.read("gazetted.toml").parse().unwrap();
    assert!(site.exists(&format!("{}/feed.xml", written["feeds"]["out"].as_str().unwrap())));
    drop(daemon);
    written
}

/// What everybody could fetch, by `check`; and whether `doctor` calls it wrong.
fn exposed(site: &Site) -> (Vec<String>, bool) {
    let found = site.run("check --json").json();
    let found = found
        .as_array()
        .unwrap()
        .iter()
        .filter(|problem| ["exposed", "copied"].contains(&problem["code"].as_str().unwrap()));
    let found = found.map(|problem| format!("{}: {}", problem["code"], problem["message"])).collect();
    let doctor = site.run("doctor --only permissions --json").json();
    let is_wrong = doctor.as_array().unwrap().iter().any(|f| f["rule"] == "kept-private" && f["outcome"] == "wrong");
    (found, is_wrong)
}

#[test]
fn what_init_writes_keeps_the_subscribers_out_of_what_jekyll_publishes() {
    let site = site().post("2021-05-07-one.md", text("One", "Words."));
    site.remove("gazetted.toml");
    site.save("_config.yml", "title: Notes\nurl: https://notes.example.org\n");
    let said = site.ok("init").out;
    let line = said.lines().find(|line| line.trim().starts_with("exclude:")).unwrap().trim();
    assert!(said.contains(".gitignore"), "{said}");
    let (found, is_wrong) = exposed(&site);
    let store = found.iter().any(|problem| problem.contains("the store"));
    assert!(found.len() == 3 && !store && is_wrong, "the mails, until it is done: {found:?}");
    site.save("_config.yml", format!("title: Notes\nurl: https://notes.example.org\n{line}\n"));
    assert_eq!(exposed(&site), (vec![], false));
    // As it is without a word of where the store is to be.
    site.save("gazetted.toml", LEAST);
    let (found, is_wrong) = exposed(&site);
    assert!(found[0].contains("exposed") && found[0].contains("`gazetted.db`") && found.len() == 1, "{found:?}");
    assert!(is_wrong && site.run("check --strict").code == 1);
    Program::start(&site).until_logged("the store, `gazetted.db`, lies where Jekyll copies from");
}

#[test]
fn a_jekyll_a_hugo_and_a_zola_site_run_as_init_reads_them() {
    for fixture in ["jekyll", "hugo", "zola"] {
        let site = Site::of(fixture);
        site.remove("gazetted.toml");
        first_hour(&site);
        assert!(site.json("posts").as_array().unwrap().len() > 2, "{fixture}");
    }
}

#[test]
fn a_hugo_site_may_keep_its_configuration_in_parts() {
    let site = site();
    site.remove("gazetted.toml");
    site.save("config/_default/hugo.toml", "title = \"Parts\"\nbaseURL = \"https://parts.example.org/\"\n");
    site.save("config/_default/permalinks.toml", "articles = \"/:year/:slug/\"\n");
    site.save("config/_default/params.toml", "description = \"Of several files\"\n");
    site.save("content/articles/one.md", "---\ntitle: One\ndate: 2021-05-07\n---\nWords.\n");
    let written = first_hour(&site);
    assert_eq!(written["posts"]["dir"].as_str(), Some("content/articles"));
    assert_eq!(written["site"]["description"].as_str(), Some("Of several files"));
    assert_eq!(site.json("posts")[0]["url"], "https://parts.example.org/2021/one/");
    site.save("config/_default/params.toml", "description = \n");
    site.remove("gazetted.toml");
    let ran = site.run("init --from .");
    assert!(ran.code == 78 && ran.err.contains("params.toml"), "{}", ran.err);
}

#[test]
fn init_finds_the_folder_that_holds_the_posts_and_check_says_where_others_are() {
    let post = "---\ntitle: One\ndate: 2021-05-07\n---\nWords.\n";
    let site = site();
    site.remove("gazetted.toml");
    site.save("hugo.toml", "title = \"Notes\"\nbaseURL = \"https://notes.example.org/\"\nuglyURLs = true\n");
    site.save("content/post/_index.md", "---\ntitle: Posts\n---\n");
    site.save("content/blog/one.md", post);
    site.save("content/blog/two.md", post);
    let written = first_hour(&site);
    assert_eq!(written["posts"]["dir"].as_str(), Some("content/blog"));
    assert_eq!(site.json("posts")[0]["url"], "https://notes.example.org/blog/one.html");
    site.save("gazetted.toml", LEAST.replace("_posts", "content/post"));
    let said = site.run("check").out;
    assert!(said.contains("there are no posts in `content/post`; 2 lie in `content/blog`"), "{said}");
    assert!(said.contains("say `dir = \"content/blog\"`"), "{said}");
}

#[test]
fn init_and_check_know_the_language_s_folder_of_a_hugo_site() {
    let site = site();
    site.remove("gazetted.toml");
    let config = "baseURL = \"https://notes.example.org/\"\ndefaultContentLanguage = \"de\"\n\
        defaultContentLanguageInSubdir = true\n[languages.de]\ntitle = \"Werkstatt\"\ncontentDir = \"content/de\"\n\
        [languages.en]\ntitle = \"Workshop\"\ncontentDir = \"content/en\"\n";
    site.save("hugo.toml", config);
    for language in ["de", "en"] {
        site.save(&format!("content/{language}/posts/one.md"), "---\ntitle: One\ndate: 2021-05-07\n---\nWords.\n");
    }
    let written = first_hour(&site);
    assert_eq!(written["posts"]["dir"].as_str(), Some("content/de/posts"));
    assert_eq!(written["site"]["title"].as_str(), Some("Werkstatt"));
    assert_eq!(site.json("posts")[0]["url"], "https://notes.example.org/de/posts/one/");
    let said = site.run("check").out;
    assert!(said.contains("and other languages have their posts in `content/en/posts`"), "{said}");
}

#[test]
fn init_reads_all_of_a_jekyll_site_whose_posts_lie_in_several_folders() {
    let site = site().post("2021-05-07-one.md", text("One", "Words."));
    site.remove("gazetted.toml");
    site.save("_config.yml", "title: Notes\nurl: https://notes.example.org\nfuture: true\nexclude: [old]\n");
    site.save("news/_posts/2021-05-08-two.md", text("Two", "Words."));
    site.save("old/_posts/2021-05-09-three.md", text("Three", "Words."));
    assert_eq!(first_hour(&site)["posts"]["dir"].as_str(), Some("."));
    assert_eq!(site.json("posts")[0]["url"], "https://notes.example.org/news/2021/05/08/two.html");
    assert_eq!(site.json("posts").as_array().unwrap().len(), 2);
    site.save("gazetted.toml", LEAST);
    let said = site.run("check").out;
    assert!(said.contains("only `_posts` is read, and posts lie in `news/_posts`, too"), "{said}");
    assert!(said.contains("has `future`, which is not followed"), "{said}");
}

#[test]
fn a_site_without_an_address_has_the_one_that_it_is_published_at() {
    let site = site().post("2021-05-07-one.md", text("One", "Words."));
    site.remove("gazetted.toml");
    site.save("_config.yml", "title: Notes\n");
    site.save("CNAME", "notes.example.org\n");
    assert_eq!(first_hour(&site)["site"]["url"].as_str(), Some("https://notes.example.org"));
    site.remove("CNAME");
    site.remove("gazetted.toml");
    site.ok("init --from .");
    assert!(site.read("gazetted.toml").contains("the site does not say: put the blog's address here"));
}

#[test]
fn the_way_to_the_first_digest_can_be_gone() {
    let site = Site::of("jekyll");
    site.remove("gazetted.toml");
    let guide = guide("first-digest.md");
    let goal = &blocks(&guide, "toml")[0];
    let commands: Vec<String> = blocks(&guide, "console")
        .iter()
        .flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert!(commands.len() >= 10, "{commands:?}");
    for command in &commands {
        let command = command.strip_prefix("$ gazetted ").unwrap_or_else(|| panic!("{command}"));
        if command == "goal" {
            site.save("gazetted.toml", format!("{}\n{goal}\n", site.read("gazetted.toml")));
        }
        let ran = site.run(command);
        assert_eq!(ran.code, 0, "gazetted {command}\n{}\n{}", ran.out, ran.err);
    }
    assert!(site.exists("public/feed.xml") && site.mails_in("mail").len() == 1);
    assert!(site.ok("goal").out.contains("Goal: one post a month"));
}

#[test]
fn the_configurations_of_the_guides_are_read() {
    let mut seen = 0;
    for name in GUIDES {
        for block in blocks(&guide(name), "toml") {
            let mut text = LEAST.to_owned();
            if block.contains("[smtp]") || block.contains("[[smtp]]") {
                text.push_str(if block.contains("[digest]") {
                    ""
                } else {
                    "[digest]\nfrom = \"Notes <notes@example.org>\"\npostal_address = \"x\"\n"
                });
            }
            text.push_str(&block);
            let loaded = gazetted::config::load_str(&text, name, &BTreeMap::new());
            assert!(loaded.is_usable(), "{name}: {:?}\n{text}", loaded.problems);
            seen += 1;
        }
    }
    assert!(seen >= 7, "{seen}");
}

#[test]
fn the_links_of_the_guides_lead_somewhere() {
    let mut seen = 0;
    for name in GUIDES {
        let text = guide(name);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let there = link.starts_with("https://") || Path::new("deploy").join(link).exists();
            assert!(there, "{name}: {link}");
            seen += 1;
        }
        for word in text.split(['`', ' ', '(', ',', ')']).filter(|word| word.starts_with("deploy/")) {
            assert!(Path::new(word.trim_end_matches(['.', ':', ';'])).exists(), "{name}: {word}");
        }
    }
    assert!(seen > 10, "{seen}");
}
