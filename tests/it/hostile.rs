//! Posts directories as the world has them: broken, hostile, half-written, gone. Whatever lies there, the good posts are
//! in well-formed feeds, and each oddity is one line that says where and what to do.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, Instant};

use gazetted::config::{Config, load_str};
use gazetted::daemon::blog::settings;
use gazetted::domain::body::{Surroundings, render};
use gazetted::domain::catalogue::{Catalogue, LinkIndex};
use gazetted::domain::feed_format::Format;
use gazetted::domain::feed_memory::FeedMemory;
use gazetted::domain::identity::Ledger;
use gazetted::domain::post_file::{File, Parsed, parse};
use gazetted::domain::problem::Problem;
use gazetted::render::feed::{self, Entry};
use gazetted::render::feed_plan::plan;
use gazetted::scan;
use jiff::Timestamp;
use proptest::prelude::*;
use quick_xml::NsReader;
use quick_xml::events::Event;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;

use super::site::{LEAST, Ran, Site, site, text};

/// How long a debug build may take over anything here.
const BUDGET: Duration = Duration::from_secs(10);
const FEEDS: [&str; 3] = ["feed.xml", "atom.xml", "feed.json"];

/// Two good posts, to be found whatever lies beside them.
fn good() -> Site {
    site().post("2021-01-05-good.md", text("Good", "Here.")).post("2021-02-05-fine.md", text("Fine", "Here, too."))
}

fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Reads to the end with every tag matched, every prefix bound and every reference known.
fn well_formed(xml: &str) -> Result<(), String> {
    if let Some(odd) = xml.chars().find(|c| !is_xml_char(*c)) {
        return Err(format!("{odd:?} cannot stand in XML"));
    }
    let mut reader = NsReader::from_str(xml);
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|error| error.to_string())?;
        if let quick_xml::name::ResolveResult::Unknown(prefix) = namespace {
            return Err(format!("the prefix {} is not bound", String::from_utf8_lossy(&prefix)));
        }
        match event {
            Event::Eof => return Ok(()),
            Event::GeneralRef(name) => reference(&name.decode().map_err(|error| error.to_string())?)?,
            Event::Start(tag) | Event::Empty(tag) => {
                tag.attributes().try_for_each(|a| a.map(|_| ()).map_err(|error| error.to_string()))?;
            }
            _ => {}
        }
    }
}

fn reference(name: &str) -> Result<(), String> {
    let whole = format!("&{name};");
    // HTML's entities are none of XML's.
    let text = quick_xml::escape::unescape_with(&whole, quick_xml::escape::resolve_xml_entity);
    let text = text.map_err(|error| error.to_string())?.into_owned();
    if text.chars().all(is_xml_char) { Ok(()) } else { Err(format!("&{name}; cannot stand in XML")) }
}

fn items(site: &Site) -> Vec<Value> {
    let feed: Value = serde_json::from_str(&site.read("public/feed.json")).unwrap();
    feed["items"].as_array().unwrap().clone()
}

fn is_xml(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|ending| ending == "xml" || ending == "opml")
}

fn feeds_are_good(site: &Site) {
    for name in site.files("public").iter().filter(|name| is_xml(name)) {
        well_formed(&site.read(&format!("public/{name}"))).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    for name in FEEDS {
        let feed = site.read(&format!("public/{name}"));
        assert!(feed.contains("Good") && feed.contains("Fine"), "{name} lacks the good posts");
    }
}

/// Builds within the budget, feeds good, and returns what `check` says.
fn survived(site: &Site) -> Ran {
    let started = Instant::now();
    site.ok("build");
    let check = site.run("check");
    assert!(started.elapsed() < BUDGET, "took {:?}", started.elapsed());
    assert!(matches!(check.code, 0 | 1), "{}", check.err);
    feeds_are_good(site);
    every_line_is_a_problem_or_a_hint(&check.out);
    check
}

fn every_line_is_a_problem_or_a_hint(out: &str) {
    for line in out.lines() {
        let problem = line.contains(": error: ") || line.contains(": warning: ");
        assert!(problem || line.starts_with("    hint: "), "a split line: {line:?}");
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
}

/// The problem of a path: `path:line:column: severity: message`, and a hint on the next line.
fn problem_of<'a>(check: &'a Ran, path: &str) -> &'a str {
    let mut lines = check.out.lines();
    let found = lines
        .find(|line| line.starts_with(&format!("{path}:")))
        .unwrap_or_else(|| panic!("nothing about {path} in\n{}", check.out));
    let place: Vec<&str> = found[path.len() + 1..].splitn(3, ':').collect();
    assert!(place[0].parse::<u64>().is_ok() && place[1].parse::<u64>().is_ok(), "{found}");
    let hint = lines.next().unwrap_or_default();
    assert!(hint.starts_with("    hint: "), "no hint for {found}");
    found
}

/// A post that is refused: an error in its place, exit code 1, the others published.
fn refused(name: &str, text: impl AsRef<[u8]>) {
    let site = good().post(name, text);
    let check = survived(&site);
    let problem = problem_of(&check, &format!("_posts/{name}"));
    assert!(problem.contains(": error: "), "{problem}");
    assert_eq!((check.code, items(&site).len()), (1, 2), "{problem}");
}

/// A post that is taken all the same.
fn taken(name: &str, text: impl AsRef<[u8]>) -> (Value, Ran) {
    let site = good().post(name, text);
    let check = survived(&site);
    let items = items(&site);
    assert_eq!(items.len(), 3, "{}", check.out);
    (items[0].clone(), check)
}

// Bytes.

#[test]
fn bytes_that_are_no_text_are_shown_as_such_and_told() {
    let (item, check) = taken("2021-05-07-a.md", b"---\ntitle: Caf\xe9\ntags: [\"\xff\"]\n---\nM\xfcll\n");
    assert_eq!(item["title"], "Caf\u{fffd}");
    assert!(problem_of(&check, "_posts/2021-05-07-a.md").contains(":2:11: warning: "), "{}", check.out);
}

#[test]
fn a_byte_order_mark_and_dos_line_ends_are_no_text() {
    let (item, check) = taken("2021-05-07-a.md", "\u{feff}---\r\ntitle: Marked\r\n---\r\nOne.\r\n\r\nTwo.\r\n");
    assert_eq!((item["title"].as_str(), check.code), (Some("Marked"), 0), "{}", check.out);
    assert_eq!(item["content_html"], "<p>One.</p>\n<p>Two.</p>\n");
}

#[test]
fn utf_16_is_refused() {
    let text: Vec<u8> = "\u{feff}---\ntitle: Wide\n---\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    refused("2021-05-07-wide.md", text);
}

#[test]
fn control_characters_reach_no_feed() {
    let odd = "\u{0}\u{1}\u{8}\u{b}\u{c}\u{1b}[31m\u{7f}\u{85}\u{9b}\u{fffe}\u{ffff}\u{202e}";
    let escaped = "\\0\\x01\\e[31m\\u009b\\uFFFE";
    let post = format!(
        "---\ntitle: \"A{escaped}B\"\ntags: [\"t{escaped}\"]\nauthor: \"Au{escaped}\"\n---\nBo{odd}dy `co{odd}de` [l{odd}](x{odd})\n"
    );
    let (item, _) = taken("2021-05-07-a.md", post);
    assert!(!item.to_string().contains("\\u0000") && !item.to_string().contains("\\u001b"), "{item}");
    let raw =
        taken("2021-05-08-b.md", format!("---\nlayout: post\n---\n# He{odd}ading\n]]> {odd} &bogus; &#0; &#xFFFF;\n"));
    assert!(raw.0["content_html"].as_str().unwrap().contains("]]&gt;"), "{}", raw.0);
}

#[test]
fn a_body_cannot_close_its_own_wrapping() {
    let (item, _) = taken(
        "2021-05-07-a.md",
        text("\"]]> <b>&amp; </title></item>\"", "]]></content></entry> <![CDATA[ <?xml ?> <!DOCTYPE x> &lt;"),
    );
    assert!(item["title"].as_str().unwrap().starts_with("]]>"), "{item}");
}

#[test]
fn nothing_that_runs_reaches_a_reader_from_markdown_alone() {
    let body = concat!(
        "# a {#b onclick=alert(1) style=\"x:y\"}\n\n",
        "[a](javascript:alert(1)) [b](JaVa&#x73;cript:x) <javascript:x> ![c](data:text/html,x) [d][r] [e](vbscript:x)\n\n",
        "[r]: data:text/html;base64,xx 'x\" onclick=x'\n\n",
        "```js\" onclick=\"alert(1)\n<script>\n```\n\n| a |\n|:-:|\n| <https://x.example/?\"onclick=x> |\n",
    );
    for dialect in ["jekyll", "hugo", "zola"] {
        let site = good().post("2021-05-07-a.md", format!("---\ntitle: a\ndate: 2021-05-07\n---\n{body}"));
        site.save("gazetted.toml", format!("{LEAST}format = \"{dialect}\"\n"));
        site.ok("build");
        let html = items(&site)[0]["content_html"].as_str().unwrap().to_owned();
        for attribute in
            html.split('<').filter_map(|tag| tag.split('>').next()).flat_map(|tag| tag.split("=\"").skip(1))
        {
            let value = attribute.to_lowercase();
            assert!(!["javascript:", "vbscript:", "data:"].iter().any(|s| value.starts_with(s)), "{dialect}: {html}");
        }
        assert!(
            !html.contains("<script") && !html.contains(" onclick=\"") && !html.contains("x:y"),
            "{dialect}: {html}"
        );
    }
}

#[test]
fn a_huge_title_is_one_line() {
    let (item, _) = taken("2021-05-07-a.md", text(&"very long ".repeat(10_000), "x"));
    assert!(!item["title"].as_str().unwrap().contains('\n'));
}

// Front matter.

#[test]
fn front_matter_that_cannot_be_read_is_refused_in_its_place() {
    for (name, post) in [
        ("2021-05-07-unclosed.md", "---\ntitle: Never closed\n\nText.\n".to_owned()),
        ("2021-05-07-broken.md", text("[", "x")),
        ("2021-05-07-empty.md", String::new()),
        ("2021-05-07-date.md", "---\ntitle: x\ndate: tomorrow\n---\n".to_owned()),
        ("2021-05-07-february.md", "---\ntitle: x\ndate: 2024-02-30\n---\n".to_owned()),
        ("2021-05-07-deep.md", text(&"[".repeat(20_000), "x")),
        ("2021-05-07-deep-map.md", text(&"{a: ".repeat(20_000), "x")),
        ("2021-05-07-bomb.md", bomb()),
        ("2021-05-07-toml.md", format!("+++\nx = {}\n+++\n", "[".repeat(20_000))),
        ("2021-05-07-list.md", "---\n- a\n- b\n---\n".to_owned()),
    ] {
        refused(name, post);
    }
}

#[test]
fn of_a_key_that_is_there_twice_the_last_counts_and_it_is_told() {
    let (item, check) = taken("2021-05-07-twice.md", "---\ntitle: x\ntitle: Last\n---\n");
    assert_eq!(item["title"], "Last");
    assert!(problem_of(&check, "_posts/2021-05-07-twice.md").contains(":3:1: warning: "), "{}", check.out);
}

/// Nine levels of nine aliases: a third of a billion words, if anybody writes them out.
fn bomb() -> String {
    let mut yaml = "---\na0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..9 {
        let before = format!("*a{}, ", level - 1).repeat(9);
        yaml.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    yaml + "title: Boom\n---\nx\n"
}

#[test]
fn a_file_without_front_matter_is_explained() {
    let site = good().post("2021-05-07-plain.md", "Just text.\n");
    survived(&site);
    assert!(matches!(items(&site).len(), 2 | 3));
}

// Text.

#[test]
fn deep_nesting_costs_neither_the_stack_nor_the_day() {
    for (name, body) in [
        ("quotes", "> ".repeat(10_000)),
        ("brackets", "[".repeat(10_000)),
        ("images", "![".repeat(10_000)),
        ("divs", "<div>".repeat(10_000)),
        ("emphasis", "*a _b ".repeat(10_000)),
        ("lists", (0..2_000).map(|n| " ".repeat(n) + "- x\n").collect()),
        ("liquid", "{% if true %}".repeat(10_000)),
        ("loops", format!("{}x{}", "{% for a in (1..1000) %}".repeat(5), "{% endfor %}".repeat(5))),
        ("ticks", (1..1_500).map(|n| "`".repeat(n) + "a").collect()),
        ("entities", "&amp;".repeat(50_000)),
        (
            "footnotes",
            (0..2_000).map(|n| format!("[^{n}]")).chain((0..2_000).map(|n| format!("\n\n[^{n}]: x"))).collect(),
        ),
        ("table", format!("|{}\n|{}\n{}", "a|".repeat(300), "-|".repeat(300), "|\n".repeat(3_000))),
    ] {
        let site = good().post(&format!("2021-05-07-{name}.md"), text(name, &body));
        let started = Instant::now();
        let check = survived(&site);
        println!(
            "{name}: {:?} {}",
            started.elapsed(),
            check.out.lines().find(|l| l.contains("2021-05-07")).unwrap_or("")
        );
    }
}

#[test]
fn thousands_of_shortcodes_are_read_once() {
    for (dialect, code) in [
        ("hugo", "{{< a >}}"),
        ("hugo", "{{</ a >}}"),
        ("hugo", "{{% figure src=x %}}"),
        ("zola", "{{ a() }}"),
        ("zola", "{% a() %}"),
    ] {
        let site = good().post("2021-05-07-codes.md", text("Codes", &code.repeat(10_000)));
        site.save("gazetted.toml", format!("{LEAST}format = \"{dialect}\"\n"));
        let started = Instant::now();
        site.ok("build");
        println!("{dialect} {code}: {:?}", started.elapsed());
        assert!(started.elapsed() < BUDGET, "{code}: {:?}", started.elapsed());
    }
}

// Files.

#[test]
fn files_that_are_too_large_are_skipped_at_once() {
    let site = good().post("2021-05-07-large.md", vec![b'x'; 50_000_000]);
    let sparse = std::fs::File::create(site.path("_posts/2021-05-08-sparse.md")).unwrap();
    sparse.set_len(10 << 30).unwrap();
    let started = Instant::now();
    let check = survived(&site);
    for name in ["_posts/2021-05-07-large.md", "_posts/2021-05-08-sparse.md"] {
        assert!(problem_of(&check, name).contains("posts.max_bytes"), "{}", check.out);
    }
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn what_is_no_file_is_neither_opened_nor_followed() {
    let site = good();
    let path = |name: &str| site.path("_posts").join(name);
    mknodat(CWD, path("2021-05-07-pipe.md"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let _socket = UnixListener::bind(path("2021-05-07-socket.md")).unwrap();
    symlink("/etc/passwd", path("2021-05-07-passwd.md")).unwrap();
    symlink("/etc", path("2021-05-07-etc")).unwrap();
    symlink("2021-05-07-loop.md", path("2021-05-07-loop.md")).unwrap();
    std::fs::create_dir(path("2021-05-07-folder.md")).unwrap();
    let check = survived(&site);
    for name in ["pipe.md", "socket.md", "passwd.md", "etc", "loop.md"] {
        assert!(problem_of(&check, &format!("_posts/2021-05-07-{name}")).contains(": warning: "), "{name}");
    }
    assert_eq!((check.code, items(&site).len()), (0, 2));
    for name in site.files("public") {
        assert!(!site.read(&format!("public/{name}")).contains("root:"), "{name}");
    }
}

#[test]
fn hard_names_are_escaped_wherever_they_are_shown() {
    let long = format!("2021-05-07-{}.md", "x".repeat(255 - 14));
    let names = [
        "2021-05-01-a\nb.md",
        "2021-05-02-\u{1f600}.md",
        "2021-05-03--dash.md",
        "2021-05-04-a?b#c%d%2e.md",
        "2021-05-05-a \"b\" <c>&'d.md",
        &long,
    ];
    let mut site = good();
    for name in names {
        site = site.post(name, "---\ntitle: Hard\ndate: 2021-05-09\n---\nx\n");
    }
    let check = survived(&site);
    assert_eq!(items(&site).len(), 2 + names.len(), "{}", check.out);
    for item in items(&site) {
        let url = item["url"].as_str().unwrap();
        assert!(url.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>".contains(&b)), "{url}");
        assert!(!url.contains('?') && !url.contains('#'), "{url}");
    }
    let listed = site.ok("posts").out;
    assert_eq!(listed.lines().count(), 2 + names.len(), "{listed}");
}

#[test]
fn a_name_that_is_no_text_is_left_out_and_told() {
    let site = good();
    let name = OsString::from_vec(b"2021-05-07-\xff.md".to_vec());
    std::fs::copy(site.path("_posts/2021-01-05-good.md"), site.path("_posts").join(name)).unwrap();
    let check = survived(&site);
    assert!(problem_of(&check, "_posts/2021-05-07-\u{fffd}.md").contains("not UTF-8"), "{}", check.out);
}

#[test]
fn editors_own_files_are_nobodys_posts() {
    let mut site = good();
    for name in [
        ".2021-05-07-x.md.swp",
        "2021-05-07-x.md~",
        ".#2021-05-07-x.md",
        "#2021-05-07-x.md#",
        "4913",
        "2021-05-07-x.md.tmp",
        ".git/2021-05-07-x.md",
        ".obsidian/2021-05-07-x.md",
        "2021-05-07-x.md.bak",
        "2021-05-07-x.md.orig",
    ] {
        site = site.post(name, text("Scratch", "x"));
    }
    let check = survived(&site);
    assert_eq!((items(&site).len(), check.code), (2, 0), "{}", check.out);
    assert!(!check.out.contains("2021-05-07"), "{}", check.out);
}

#[test]
fn of_two_posts_at_one_address_one_is_published_and_both_are_named() {
    let site = good()
        .post("2021-05-07-a.md", "---\ntitle: First\npermalink: /same/\n---\nx\n")
        .post("2021-05-08-b.md", "---\ntitle: Second\npermalink: /same/\n---\nx\n");
    let check = survived(&site);
    assert_eq!((items(&site).len(), check.code), (3, 1), "{}", check.out);
    let problem = check.out.lines().find(|l| l.contains("/same/")).unwrap_or_else(|| panic!("{}", check.out));
    assert!(problem.contains("2021-05-07-a.md") && problem.contains("2021-05-08-b.md"), "{problem}");
}

#[test]
fn a_deep_tree_ends_somewhere() {
    let site = good();
    let deep = format!("_posts/{}", "d/".repeat(60));
    site.save(&format!("{deep}2021-05-07-deep.md"), text("Deep", "x"));
    let check = survived(&site);
    assert!(check.out.contains("nested deeper"), "{}", check.out);
}

// What vanishes.

fn many() -> Site {
    let mut site = site();
    for day in 10..18 {
        site = site.post(&format!("2021-01-{day}-post.md"), text(&format!("Good Fine {day}"), "Words."));
    }
    site
}

fn outputs(site: &Site) -> BTreeMap<String, String> {
    site.files("public").into_iter().map(|name| (name.clone(), site.read(&format!("public/{name}")))).collect()
}

fn left_alone(site: &Site, before: &BTreeMap<String, String>) {
    let ran = site.run("build");
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.err.contains("\nhint: ") && ran.err.contains("--force"), "{}", ran.err);
    assert_eq!(&outputs(site), before);
}

#[test]
fn a_directory_that_vanishes_or_empties_leaves_the_feeds_alone() {
    let site = many();
    site.ok("build");
    let before = outputs(&site);
    site.rename("_posts", "away");
    left_alone(&site, &before);
    std::fs::create_dir(site.path("_posts")).unwrap();
    left_alone(&site, &before);
    for day in 10..13 {
        site.save(&format!("_posts/2021-01-{day}-post.md"), site.read(&format!("away/2021-01-{day}-post.md")));
    }
    left_alone(&site, &before);
    site.ok("build --force");
    assert_eq!(items(&site).len(), 3);
    site.ok("build");
}

#[test]
fn a_directory_that_vanishes_opens_no_edition() {
    let site = many();
    site.ok("subscribers add ada@example.org");
    site.ok("build");
    site.rename("_posts", "away");
    assert_eq!(site.run("digest open 2021-01").code, 1);
    assert_eq!(site.json("digest list"), serde_json::json!([]));
}

// Anything at all.

struct Press {
    config: Config,
    site: scan::Site,
}

impl Press {
    fn new(folder: &Path) -> Self {
        let mut config = load_str(LEAST, "gazetted.toml", &BTreeMap::new()).config;
        folder.clone_into(&mut config.base);
        let site = scan::site(&config);
        Self { config, site }
    }

    /// Every feed of one post's bytes, as they would be written.
    fn feeds(&self, bytes: &[u8]) -> (Vec<(Format, String)>, Vec<Problem>) {
        let path = "_posts/2021-05-07-x.md";
        let modified = Timestamp::UNIX_EPOCH;
        let parsed: Parsed = parse(File { path, relative: path, bytes, modified, inherited: None }, &self.site.rules);
        let now = "2022-01-01T00:00:00Z".parse().unwrap();
        let (catalogue, _) = Catalogue::assemble([&parsed], &Ledger::new(), now);
        let links = LinkIndex::new(&catalogue.posts);
        let around = Surroundings { rules: &self.site.rules, includes: &self.site.includes, links: &links };
        let text = String::from_utf8_lossy(bytes);
        let entries: Vec<Entry> =
            catalogue.posts.iter().map(|post| Entry::new(post, &render(post, &text, around), true)).collect();
        let settings = settings(&self.config, &self.site);
        let plans = plan(&catalogue, &settings, &FeedMemory::default()).plans;
        let written = plans.iter().flat_map(|plan| {
            let chosen = plan.posts.iter().map(|index| entries[*index].clone()).collect();
            let feed = feed::build(plan, chosen, &settings);
            [Format::Rss, Format::Atom, Format::Json].map(|format| (format, feed::write(&feed, format).unwrap()))
        });
        (written.map(|(format, bytes)| (format, String::from_utf8(bytes).unwrap())).collect(), catalogue.problems)
    }
}

/// Pieces that mean something to one of the stages, between any characters at all.
fn post_text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => any::<String>().prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..12),
        6 => prop::sample::select(vec![
            "---\n", "title: ", "tags: [", "]", "\n", "\n\n", "    ", "\t", "> ", "* ", "1. ", "# ", "```", "`", "**", "_", "![", "](", ")", "<",
            "<b", ">", "</", "<!--", "-->", "<![CDATA[", "]]>", "&", "&#x0;", "&amp;", "{%", "%}", "{{", "}}", "{:", "raw", "if ", "for a in ",
            "\u{0}", "\u{fffe}", "\u{1b}", "[^1]", "[^1]: ", "|", "|-|\n", "\"", "'", "\\", "href=", "javascript:", "//x", "?a=b&c", "data:",
        ]).prop_map(|s: &str| s.as_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

#[test]
fn whatever_a_post_holds_its_feeds_are_well_formed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("_posts")).unwrap();
    let press = Press::new(folder.path());
    let front = prop_oneof![
        Just(Vec::new()),
        any::<String>().prop_map(|t| format!("title: {t:?}\nauthor: {t:?}\ntags: [{t:?}]\n").into_bytes())
    ];
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(front in front, body in post_text())| {
        let bytes = [b"---\n", &*front, b"---\n", &*body].concat();
        let (feeds, problems) = press.feeds(&bytes);
        for (format, text) in feeds {
            let result = match format {
                Format::Json => serde_json::from_str::<Value>(&text).map(|_| ()).map_err(|error| error.to_string()),
                _ => well_formed(&text),
            };
            prop_assert!(result.is_ok(), "{format:?}: {result:?}\n{text}");
        }
        prop_assert!(problems.iter().all(|p| !p.to_string().contains('\n')));
    });
}

#[test]
fn a_posts_directory_that_is_a_link_is_read_where_it_leads() {
    let site = site().post("2021-05-07-a.md", text("A", "Text."));
    site.rename("_posts", "elsewhere");
    symlink(site.path("elsewhere"), site.path("_posts")).unwrap();
    assert_eq!(site.json("build")["posts"], 1);
}
