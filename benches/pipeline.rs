//! What a post costs on its way to the feeds: parsed, rendered, written in each format. In process, on one core, without
//! files; a hundred posts, made from those of the demo.

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gazetted::domain::body::{self, Body, Surroundings};
use gazetted::domain::catalogue::{Catalogue, LinkIndex};
use gazetted::domain::dialect::{Dialect, Rules};
use gazetted::domain::feed_format::Format;
use gazetted::domain::feed_memory::FeedMemory;
use gazetted::domain::identity::Ledger;
use gazetted::domain::post::Post;
use gazetted::domain::post_file::{File, Parsed, parse};
use gazetted::render::feed::{self, Entry, Settings};
use gazetted::render::feed_plan::plan;
use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;

const POSTS: usize = 100;

/// Path and text of a hundred posts of a hundred days.
fn files() -> Vec<(String, String)> {
    let mut samples: Vec<_> = std::fs::read_dir("src/cli/demo_posts").unwrap().map(|e| e.unwrap().path()).collect();
    samples.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    samples.sort();
    let texts: Vec<String> = samples.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let days = date(2026, 1, 1).series(jiff::Span::new().days(1));
    days.zip(texts.iter().cycle())
        .take(POSTS)
        .map(|(day, text)| {
            let text = text.replace("@{date}", &day.to_string()).replace("draft: true\n", "");
            (format!("_posts/{day}-sample.md"), text.replace("@{counting-touching-animals}", "2026-01-01-sample"))
        })
        .collect()
}

fn rules() -> Rules {
    Rules {
        dialect: Dialect::Jekyll,
        base_url: "https://blog.example.org".to_owned(),
        zone: TimeZone::UTC,
        permalink: None,
        permalinks: BTreeMap::new(),
        section: String::new(),
        languages: Vec::new(),
        languages_off: Vec::new(),
        begins_with: None,
        within: String::new(),
        known_authors: Vec::new(),
        default_author: None,
        site: serde_json::Map::new(),
    }
}

fn settings() -> Settings {
    let formats = [(Format::Rss, "feed.xml"), (Format::Atom, "atom.xml"), (Format::Json, "feed.json")];
    Settings {
        title: "Bench".to_owned(),
        description: String::new(),
        site_url: "https://blog.example.org".to_owned(),
        feeds_url: "https://blog.example.org".to_owned(),
        language: "en".to_owned(),
        author: None,
        formats: formats.map(|(format, name)| (format, name.to_owned())).to_vec(),
        opml: "feeds.opml".to_owned(),
        limit: POSTS,
        full: true,
        tags: false,
        authors: false,
        categories: false,
        max_bytes: u64::MAX,
        sections: false,
        languages: false,
        extra: Vec::new(),
        stylesheet: String::new(),
        pages: false,
        tombstones: false,
        hubs: Vec::new(),
    }
}

fn parse_all(files: &[(String, String)], rules: &Rules) -> Vec<Parsed> {
    let one = |(path, text): &(String, String)| {
        let relative = path.trim_start_matches("_posts/");
        parse(File { path, relative, bytes: text.as_bytes(), modified: Timestamp::UNIX_EPOCH, inherited: None }, rules)
    };
    files.iter().map(one).collect()
}

fn pipeline(c: &mut Criterion) {
    let (files, rules, settings) = (files(), rules(), settings());
    let now: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
    let parsed = parse_all(&files, &rules);
    let (catalogue, _) = Catalogue::assemble(&parsed, &Ledger::default(), now);
    assert_eq!(catalogue.published().count(), POSTS);
    let links = LinkIndex::new(&catalogue.posts);
    let includes = BTreeMap::new();
    let around = Surroundings { rules: &rules, includes: &includes, links: &links };
    let text_of: BTreeMap<&str, &str> = files.iter().map(|(path, text)| (&**path, &**text)).collect();
    let render = |post: &Post| body::render(post, text_of[&*post.path], around);
    let bodies: Vec<Body> = catalogue.posts.iter().map(render).collect();
    let plans = plan(&catalogue, &settings, &FeedMemory::default()).plans;
    let entries = || -> Vec<Entry> {
        plans[0].posts.iter().map(|&index| Entry::new(&catalogue.posts[index], &bodies[index], true)).collect()
    };
    let whole = feed::build(&plans[0], entries(), &settings);

    let mut group = c.benchmark_group("100 posts");
    group.throughput(Throughput::Elements(POSTS as u64));
    group.bench_function("parse", |b| b.iter(|| parse_all(black_box(&files), &rules)));
    group.bench_function("assemble", |b| b.iter(|| Catalogue::assemble(black_box(&parsed), &Ledger::default(), now)));
    group.bench_function("render", |b| b.iter(|| catalogue.posts.iter().map(render).collect::<Vec<_>>()));
    group.bench_function("build feed", |b| {
        b.iter_batched(entries, |entries| feed::build(&plans[0], entries, &settings), BatchSize::SmallInput);
    });
    for format in [Format::Rss, Format::Atom, Format::Json] {
        let name = format!("write {format:?}").to_lowercase();
        group.bench_function(&name, |b| b.iter(|| feed::write(black_box(&whole), format).unwrap()));
    }
    group.finish();
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
