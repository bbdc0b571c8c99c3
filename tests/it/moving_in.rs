//! A blog that had a feed before: whatever becomes of its files, readers see the entries that they know.

use serde_json::Value;

use super::check_feed::{answer, serve};
use super::site::{Site, site, text};

/// What jekyll-feed writes: Atom, the newest `count` of 24 posts, ids without `.html`.
fn jekyll_feed(site: &Site, count: usize) -> String {
    let entries: Vec<String> = days()
        .iter()
        .rev()
        .take(count)
        .map(|day| {
            let address = format!("https://blog.example.org/{}/post-{day}", day.replace('-', "/"));
            format!(
                "<entry><title type=\"html\">About {day}</title><link href=\"{address}.html\" rel=\"alternate\" type=\"text/html\"/>\
                 <published>{day}T00:00:00+00:00</published><updated>{day}T00:00:00+00:00</updated><id>{address}</id></entry>"
            )
        })
        .collect();
    let feed =
        format!("<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>Blog</title><id>x</id>{}</feed>", entries.concat());
    site.save("_site/feed.xml", &feed);
    feed
}

fn days() -> Vec<String> {
    (0..24).map(|n| format!("20{:02}-{:02}-07", 19 + n / 12, n % 12 + 1)).collect()
}

fn blog() -> Site {
    days().iter().fold(site(), |site, day| {
        let post = format!("---\ntitle: About {day}\ntags: [wood]\n---\nOf the {day}.\n");
        site.post(&format!("{day}-post-{day}.md"), post)
    })
}

fn ids(site: &Site) -> Vec<String> {
    let feed: Value = serde_json::from_str(&site.read("public/feed.json")).unwrap();
    feed["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

fn known(count: usize) -> Vec<String> {
    let newest = days().into_iter().rev().take(count);
    newest.map(|day| format!("https://blog.example.org/{}/post-{day}", day.replace('-', "/"))).collect()
}

#[test]
fn readers_see_what_they_saw_and_nothing_old_as_new() {
    let site = blog();
    jekyll_feed(&site, 10);
    let said = site.ok("adopt _site/feed.xml").out;
    assert!(said.starts_with("10 posts took over the id it had, 0 had it already; 14 that"), "{said}");
    site.ok("build");
    assert_eq!(ids(&site), known(10), "a feed that grew would show fourteen old posts as new");
    let archive = site.read("public/archive/1/atom.xml");
    assert_eq!(archive.matches("<entry>").count(), 14);
    assert!(archive.contains("<id>https://blog.example.org/2019/01/07/post-2019-01-07</id>"), "{archive}");
    // A new post is news; again, nothing else is.
    site.save("_posts/2021-01-07-new.md", text("New", "New."));
    site.ok("build");
    assert_eq!(ids(&site)[1..], known(10));
    assert_eq!(site.json("adopt _site/feed.xml")["same"], 10);
}

/// Atom need not say when an entry was published; all of these were changed long after.
#[test]
fn a_feed_that_says_only_when_entries_were_changed_stays_as_full_as_it_was() {
    let site = blog();
    let feed = jekyll_feed(&site, 10);
    let mut bare = String::new();
    for (at, part) in feed.split("<published>").enumerate() {
        let rest = part.split_once("</published>").map_or(part, |(_, rest)| rest);
        bare.push_str(if at == 0 { part } else { rest });
    }
    let changed =
        days().iter().fold(bare, |feed, day| feed.replace(&format!("<updated>{day}T00"), "<updated>2022-01-03T00"));
    assert!(!changed.contains("<published>") && changed.matches("<updated>2022-01-03").count() == 10);
    site.save("_site/feed.xml", changed);
    site.ok("adopt _site/feed.xml");
    site.ok("build");
    assert_eq!(ids(&site), known(10));
}

#[test]
fn relative_addresses_in_a_file_are_the_sites() {
    let site = blog();
    let item = "<item><title>About 2020-12-07</title><link>/2020/12/07/post-2020-12-07.html</link></item>";
    site.save(
        "old.xml",
        format!("<rss version=\"2.0\"><channel><title>Blog</title><link>/</link>{item}</channel></rss>"),
    );
    site.ok("adopt old.xml");
    site.ok("build");
    assert_eq!(ids(&site)[0], "https://blog.example.org/2020/12/07/post-2020-12-07.html");
    site.save("old.xml.gz", [0x1f, 0x8b, 8, 0].as_slice());
    let refused = site.run("adopt old.xml.gz");
    assert!(refused.code == 1 && refused.err.contains("is packed with gzip"), "{refused:?}");
}

#[test]
fn an_archive_that_is_gone_is_left_out() {
    let site = blog();
    let link = "<id>x</id><link rel=\"prev-archive\" href=\"/gone.xml\"/>";
    let feed = jekyll_feed(&site, 10).replace("<id>x</id>", link);
    let address = serve(move |head| {
        if head.starts_with("get /feed.xml ") { answer("200 OK", "", &feed) } else { answer("404 Not Found", "", "") }
    });
    let said = site.run(&format!("adopt {address}"));
    assert!(said.code == 0 && said.out.starts_with("10 posts took over"), "{said:?}");
    assert!(said.err.contains("/gone.xml` cannot be read: 404"), "{said:?}");
}

fn documents(site: &Site) -> Vec<Vec<String>> {
    let archives = site.files("public").into_iter().filter(|file| file.starts_with("archive/"));
    let names = ["atom.xml".to_owned()].into_iter().chain(archives);
    let ids = |atom: &str| -> Vec<String> {
        let entries = atom.split("<entry>").skip(1);
        entries.map(|entry| entry.split_once("<id>").unwrap().1.split_once("</id>").unwrap().0.to_owned()).collect()
    };
    names.map(|name| ids(&site.read(&format!("public/{name}")))).collect()
}

#[test]
fn whoever_builds_first_and_adopts_then_has_the_same_feed_and_archives() {
    let [first, later] = ["", "build"].map(|before| {
        let site = blog().config("[feeds]\nlimit = 8\n");
        jekyll_feed(&site, 5);
        if !before.is_empty() {
            site.ok(before);
        }
        site.ok("adopt _site/feed.xml");
        site.ok("build");
        site
    });
    let lengths: Vec<usize> = documents(&later).iter().map(Vec::len).collect();
    assert_eq!(lengths, [5, 8, 8, 3]);
    assert_eq!(documents(&later), documents(&first));
    assert_eq!(later.json("build")["files_written"], 0);
    // What is dated so early and comes now is new.
    later.save("_posts/2019-06-08-found.md", text("Found", "Found."));
    later.ok("build");
    assert_eq!(documents(&later)[0].len(), 6);
}

#[test]
fn each_feed_goes_on_with_what_its_own_readers_had() {
    let extra = "[[feeds.extra]]\npath = \"feed.python.xml\"\nformat = \"atom\"\n";
    let site = blog().config(extra);
    jekyll_feed(&site, 10);
    let five = site.read("_site/feed.xml").split_inclusive("</entry>").take(5).collect::<String>() + "</feed>";
    site.save("_site/feed.python.xml", &five);
    site.ok("adopt _site/feed.xml _site/feed.python.xml");
    // One that nobody can tell whose it was takes nothing away from the blog's readers.
    site.save("old/other.xml", &five);
    site.ok("adopt old/other.xml");
    site.ok("build");
    assert_eq!(ids(&site), known(10));
    let python = site.read("public/feed.python.xml");
    assert_eq!(python.matches("<entry>").count(), 5);
    assert!(!python.contains("fh:complete"), "readers would take the others for deleted");
    let why = site.ok("why 2019-01-07-post-2019-01-07.md").out;
    assert!(why.contains("not in feed.xml"), "{why}");
    // Where nobody was before, nothing looks new to anybody.
    assert_eq!(site.read("public/tags/wood/atom.xml").matches("<entry>").count(), 24);
}

#[test]
fn ids_survive_a_new_name_date_slug_and_domain() {
    let site = blog();
    jekyll_feed(&site, 24);
    site.ok("adopt _site/feed.xml");
    site.ok("build");
    let before = ids(&site);
    assert_eq!(before, known(24));
    site.rename("_posts/2020-12-07-post-2020-12-07.md", "_posts/2020-12-08-renamed.md");
    site.ok("build");
    let moved = site.read("gazetted.toml").replace("https://blog.example.org", "https://news.example.net");
    site.save("gazetted.toml", format!("{moved}\n"));
    site.ok("build");
    assert_eq!(ids(&site), before);
    assert!(site.read("public/feed.json").contains("https://news.example.net/2020/12/08/renamed"));
}

#[test]
fn a_dry_run_changes_nothing_and_a_feed_that_is_none_says_so() {
    let site = blog();
    jekyll_feed(&site, 3);
    let said = site.ok("adopt --dry-run _site/feed.xml").out;
    assert!(said.starts_with("3 posts would take over"), "{said}");
    assert!(!site.exists("gazetted.db"));
    site.save("page.html", "<!doctype html><title>Not a feed</title>");
    let wrong = site.run("adopt page.html");
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains("an HTML page, not a feed") || wrong.err.contains("not a feed"), "{}", wrong.err);
    let missing = site.run("adopt nothing.xml");
    assert!(missing.err.contains("`nothing.xml` cannot be read"), "{}", missing.err);
}

#[test]
fn two_entries_of_one_id_are_refused_with_both_names() {
    let site = blog();
    let feed = jekyll_feed(&site, 2)
        .replace("post-2020-11-07</id>", "post-2020-12-07</id>")
        .replace("2020/11/07/post-2020-12-07</id>", "2020/12/07/post-2020-12-07</id>");
    site.save("_site/feed.xml", feed);
    let said = site.run("adopt _site/feed.xml");
    assert_eq!(said.code, 1);
    assert!(said.out.contains("`About 2020-12-07` and `About 2020-11-07` share the id"), "{}", said.out);
}

#[test]
fn init_takes_over_addresses_and_ids_of_a_site_that_was_built() {
    let site = blog();
    jekyll_feed(&site, 10);
    site.remove("gazetted.toml");
    site.save("_config.yml", "title: Blog\nurl: https://blog.example.org\n");
    let said = site.ok("init . --from .").out;
    assert!(said.contains("10 posts took over"), "{said}");
    let config = site.read("gazetted.toml");
    assert!(config.contains("atom = \"feed.xml\"") && config.contains("rss = \"rss.xml\""), "{config}");
    site.ok("build");
    assert_eq!(ids(&site), known(10));
    assert!(
        site.read("public/feed.xml").contains("http://www.w3.org/2005/Atom"),
        "the old address goes on in its format"
    );
}
