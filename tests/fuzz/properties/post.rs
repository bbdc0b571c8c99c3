//! A post's file, from its bytes to the feeds it is in: as far as its front matter, and all the way.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use gazetted::config::load_str;
use gazetted::daemon::blog::settings;
use gazetted::domain::body::{Body, Surroundings, render};
use gazetted::domain::catalogue::{Catalogue, LinkIndex};
use gazetted::domain::feed_document;
use gazetted::domain::feed_format::Format;
use gazetted::domain::feed_memory::FeedMemory;
use gazetted::domain::front_matter;
use gazetted::domain::identity::Ledger;
use gazetted::domain::post::Post;
use gazetted::domain::post_file::{File, Parsed, parse};
use gazetted::domain::problem::Problem;
use gazetted::render::feed::{self, Entry, Settings};
use gazetted::render::feed_plan::plan;
use gazetted::scan;
use jiff::Timestamp;
use url::Url;

use super::{assert_one_line, choice, safe_html};

/// A blog of each dialect, without a file.
struct Blog {
    site: scan::Site,
    settings: Settings,
}

const DIALECTS: [&str; 3] = ["jekyll", "hugo", "zola"];
const NAMES: [&str; 3] = ["2021-05-07-x.md", "2021-05-07-x.html", "2021-05-07-x.markdown"];

fn blogs() -> &'static [Blog] {
    static BLOGS: OnceLock<Vec<Blog>> = OnceLock::new();
    BLOGS.get_or_init(|| DIALECTS.map(blog).into())
}

fn blog(dialect: &str) -> Blog {
    let text = format!(
        "[site]\ntitle = \"Notes\"\nurl = \"https://a.example\"\n[posts]\ndir = \"_posts\"\nformat = \"{dialect}\"\n"
    );
    let mut config = load_str(&text, "gazetted.toml", &BTreeMap::new()).config;
    config.base = "/nowhere".into();
    let mut site = scan::site(&config);
    site.includes.insert("note.html".into(), "<p>{{ include.text }}</p>".into());
    site.includes.insert("self.html".into(), "{% include self.html %}".into());
    Blog { settings: settings(&config, &site), site }
}

fn parsed(blog: &Blog, name: &str, bytes: &[u8]) -> Parsed {
    let path = format!("_posts/{name}");
    parse(
        File { path: &path, relative: &path, bytes, modified: Timestamp::UNIX_EPOCH, inherited: None },
        &blog.site.rules,
    )
}

/// The first byte chooses the dialect and the file's name.
fn chosen(data: &[u8]) -> (&'static Blog, &'static str, &[u8]) {
    let (way, bytes) = choice(data);
    let way = usize::from(way);
    (&blogs()[way % DIALECTS.len()], NAMES[way / DIALECTS.len() % NAMES.len()], bytes)
}

pub fn is_parsed_or_refused_in_its_place(data: &[u8]) {
    let (blog, name, bytes) = chosen(data);
    let found = parsed(blog, name, bytes);
    assert_eq!(found, parsed(blog, name, bytes), "not the same when read again");
    let text = String::from_utf8_lossy(bytes);
    if let Ok(split) = front_matter::split(&text) {
        assert!(text.ends_with(split.body), "the text is not what stands below");
    }
    assert!(found.post.is_some() || !found.problems.is_empty(), "refused without a word");
    found.problems.iter().for_each(|problem| assert_placed(problem, &text));
    if let Some((post, _)) = &found.post {
        assert_sound(post, bytes.len());
    }
}

fn assert_placed(problem: &Problem, text: &str) {
    assert_one_line(&problem.to_string());
    let lines = text.split(['\n', '\r']).count() + 1;
    assert!(problem.line <= lines, "{problem} in {lines} lines");
    assert!(problem.path.starts_with("_posts/2021-05-07-x"), "{problem}");
}

fn assert_sound(post: &Post, bytes: usize) {
    let url = Url::parse(&post.url).unwrap_or_else(|error| panic!("{}: {error}", post.url));
    assert!(matches!(url.scheme(), "http" | "https"), "{url}");
    assert!(post.url.bytes().all(|b| b.is_ascii_graphic()), "{:?}", post.url);
    let terms = post.tags.iter().chain(&post.categories);
    let names = post.authors.iter().map(|author| &author.name);
    for text in terms.chain(names).chain([&post.title]).chain(post.correction.as_ref()) {
        assert_one_line(text);
    }
    assert!(post.own_id.as_ref().is_none_or(|id| !id.is_empty() && id.len() <= 1_000), "{:?}", post.own_id);
    assert!(post.title.len() <= 3 * bytes + 100, "{}", post.title.len());
    if let Some(image) = &post.image {
        assert!(image.url.starts_with("http"), "{}", image.url);
    }
    if let Some(enclosure) = &post.enclosure {
        assert!(enclosure.url.starts_with("http"), "{}", enclosure.url);
    }
}

pub fn is_published_safely(data: &[u8]) {
    let (blog, name, bytes) = chosen(data);
    // Nearly all would be refused without one.
    let bytes = if bytes.starts_with(b"---") { bytes.to_vec() } else { [b"---\ntitle: A\n---\n", bytes].concat() };
    let found = parsed(blog, name, &bytes);
    let now = Timestamp::from_second(1_700_000_000).expect("in range");
    let (catalogue, _) = Catalogue::assemble([&found], &Ledger::new(), now);
    let links = LinkIndex::new(&catalogue.posts);
    let around = Surroundings { rules: &blog.site.rules, includes: &blog.site.includes, links: &links };
    let text = String::from_utf8_lossy(&bytes);
    let bodies: Vec<Body> = catalogue.posts.iter().map(|post| render(post, &text, around)).collect();
    for (post, body) in catalogue.posts.iter().zip(&bodies) {
        assert_body(post, body, bytes.len());
        assert_eq!(*body, render(post, &text, around), "not the same when rendered again");
        body.problems.iter().for_each(|problem| assert_placed(problem, &text));
    }
    let entries: Vec<Entry> =
        catalogue.posts.iter().zip(&bodies).map(|(post, body)| Entry::new(post, body, true)).collect();
    for plan in &plan(&catalogue, &blog.settings, &FeedMemory::default()).plans {
        let chosen: Vec<Entry> = plan.posts.iter().map(|index| entries[*index].clone()).collect();
        let feed = feed::build(plan, chosen, &blog.settings);
        for format in [Format::Rss, Format::Atom, Format::Json] {
            let written = feed::write(&feed, format).unwrap_or_else(|error| panic!("{format:?}: {error}"));
            let read = feed_document::read(&written, None).unwrap_or_else(|error| panic!("{format:?}: {error}"));
            let ids: Vec<_> = read.entries.into_iter().map(|entry| entry.id.unwrap_or_default()).collect();
            let expected: Vec<_> = feed.entries.iter().map(|entry| entry.id.clone()).collect();
            assert_eq!(ids, expected, "{format:?}");
        }
    }
}

fn assert_body(post: &Post, body: &Body, bytes: usize) {
    safe_html::assert_safe(&body.html, &Url::parse(&post.url).expect("an address"));
    assert!(body.html.len() <= 16 * bytes + 2_000_000, "{} bytes of {bytes}", body.html.len());
    assert!(body.excerpt.chars().count() <= 1_001, "{}", body.excerpt.len());
    assert_one_line(&body.excerpt);
    assert!(body.words <= body.html.len(), "{} words in {} bytes", body.words, body.html.len());
}
