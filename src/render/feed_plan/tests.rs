//! Which feeds there are and what is in them, by tables.

use super::*;
use crate::domain::extra_feed::ExtraFeed;
use crate::domain::post::{State, Written};

fn settings() -> Settings {
    Settings {
        title: "Notes".into(),
        description: String::new(),
        site_url: "https://a.example".into(),
        feeds_url: "https://a.example".into(),
        language: "en".into(),
        author: None,
        formats: vec![(Format::Rss, "feed.xml".into()), (Format::Atom, "atom.xml".into())],
        opml: "feeds.opml".into(),
        limit: 3,
        max_bytes: 100,
        full: true,
        tags: true,
        authors: false,
        categories: false,
        sections: true,
        languages: true,
        extra: Vec::new(),
        stylesheet: String::new(),
        pages: false,
        tombstones: false,
        hubs: Vec::new(),
    }
}

/// Newest first, as a catalogue has them.
fn catalogue(posts: Vec<Post>) -> Catalogue {
    let posts =
        posts.into_iter().enumerate().map(|(n, post)| Post { id: format!("id{n}"), state: State::Published, ..post });
    Catalogue { posts: posts.collect(), ..Catalogue::default() }
}

fn tagged(tag: &str) -> Post {
    Written { tags: vec![tag.to_owned()], ..Written::sample() }.into()
}

fn folders(plans: &Plans, kind: Kind) -> Vec<(&str, &str)> {
    plans.plans.iter().filter(|p| p.kind == kind).map(|p| (p.name.as_str(), p.folder.as_str())).collect()
}

#[test]
fn every_name_has_an_address_and_keeps_it() {
    let all = catalogue(["C++", "C", "Träffar", "数据", "🦀", "Κόσμος", "++"].map(tagged).to_vec());
    let first = plan(&all, &settings(), &FeedMemory::default());
    let number = plain_slug("++");
    assert_eq!(number.len(), 8, "{number}");
    assert_eq!(
        folders(&first, Kind::Tag).into_iter().collect::<BTreeMap<_, _>>(),
        BTreeMap::from([
            ("C", "tags/c/"),
            ("C++", "tags/c-2/"),
            ("Träffar", "tags/traffar/"),
            ("数据", "tags/shu-ju/"),
            ("🦀", "tags/crab/"),
            ("++", format!("tags/{number}/").as_str()),
            ("Κόσμος", "tags/kosmos/"),
        ])
    );
    assert_eq!(first.problems.len(), 1);
    assert!(first.problems[0].message.contains("`C` and `C++`"), "{}", first.problems[0]);
    // The one that came first has gone; what its readers subscribed to is not somebody else's now.
    let memory = first.learned;
    let later = plan(&catalogue(vec![tagged("c"), tagged("C++")]), &settings(), &memory);
    assert_eq!(folders(&later, Kind::Tag), [("c", "tags/c/"), ("C++", "tags/c-2/")]);
    let without = plan(&catalogue(vec![tagged("C++")]), &settings(), &memory);
    assert_eq!(folders(&without, Kind::Tag), [("C++", "tags/c-2/")]);
    assert!(without.learned.is_empty(), "{:?}", without.learned);
}

#[test]
fn a_name_of_any_length_has_an_address_that_a_folder_can_have() {
    let list = "python, dask, ".repeat(30);
    let (a, b) = (format!("{list}a"), format!("{list}b"));
    let [first, second] = [&a, &b].map(|name| plain_slug(name));
    assert!(first.len() <= 80 && first.starts_with("python-dask-python"), "{first}");
    assert_ne!(first, second, "names that differ in what is cut off are two");
    assert_eq!(plain_slug(&"x".repeat(80)), "x".repeat(80));
    let kept = |slug: String| FeedMemory {
        slugs: BTreeMap::from([(("tag".into(), a.clone()), slug)]),
        ..FeedMemory::default()
    };
    let folder = |memory: &FeedMemory| plan(&catalogue(vec![tagged(&a)]), &settings(), memory).plans[1].folder.clone();
    assert_eq!(folder(&kept("x".repeat(200))), format!("tags/{}/", "x".repeat(200)), "readers know it by that");
    assert_eq!(folder(&kept("x".repeat(300))), format!("tags/{first}/"), "no file system has that");
}

#[test]
fn sections_and_languages_have_feeds_where_there_are_several() {
    let post = |section: &str, language: Option<&str>| -> Post {
        let language = language.map(str::to_owned);
        Written { section: Some(section.into()), language, ..Written::sample() }.into()
    };
    let one = plan(&catalogue(vec![post("blog", None), post("blog", Some("en"))]), &settings(), &FeedMemory::default());
    assert_eq!(one.plans.len(), 1, "{:?}", one.plans);
    let two = catalogue(vec![post("blog", None), post("news", Some("pt-BR"))]);
    let two = plan(&two, &settings(), &FeedMemory::default());
    assert_eq!(folders(&two, Kind::Section), [("blog", "sections/blog/"), ("news", "sections/news/")]);
    assert_eq!(folders(&two, Kind::Language), [("en", "languages/en/"), ("pt-br", "languages/pt-br/")]);
}

#[test]
fn a_section_or_language_that_is_left_alone_keeps_its_readers() {
    let post = |section: &str, language: &str| -> Post {
        Written { section: Some(section.into()), language: Some(language.into()), ..Written::sample() }.into()
    };
    let two = catalogue(vec![post("blog", "en"), post("news", "de")]);
    let memory = plan(&two, &settings(), &FeedMemory::default()).learned;
    let left = plan(&catalogue(vec![post("blog", "en")]), &settings(), &memory);
    assert_eq!(folders(&left, Kind::Section), [("blog", "sections/blog/")]);
    assert_eq!(folders(&left, Kind::Language), [("en", "languages/en/")]);
    let other = plan(&catalogue(vec![post("essays", "fr")]), &settings(), &memory);
    assert_eq!(other.plans.len(), 1, "nobody reads these: {:?}", other.plans);
}

fn in_language(language: &str) -> Post {
    Written { language: Some(language.into()), ..Written::sample() }.into()
}

#[test]
fn one_language_in_two_spellings_is_one_and_two_that_look_alike_are_two() {
    let posts = ["pt-BR", "pt_BR", "PT-br", "日本", "ri ben"].map(in_language).to_vec();
    let planned = plan(&catalogue(posts), &settings(), &FeedMemory::default());
    assert_eq!(
        folders(&planned, Kind::Language),
        [("pt-br", "languages/pt-br/"), ("ri ben", "languages/ri-ben/"), ("日本", "languages/ri-ben-2/")]
    );
    assert_eq!(planned.plans.iter().find(|plan| plan.name == "pt-br").unwrap().posts, [0, 1, 2]);
    let alone = plan(&catalogue(vec![in_language("日本"), in_language("en")]), &settings(), &planned.learned);
    assert_eq!(folders(&alone, Kind::Language)[1], ("日本", "languages/ri-ben-2/"), "it keeps what it had");
}

#[test]
fn a_feed_of_the_owner_s_choice_has_what_it_asks_for() {
    let extra = |change: fn(&mut ExtraFeed)| {
        let mut extra = ExtraFeed { path: "feed.python.xml".into(), title: "On Python".into(), ..ExtraFeed::default() };
        change(&mut extra);
        extra
    };
    let posts = catalogue(vec![
        Written { tags: vec!["Python".into(), "talks".into()], language: Some("de".into()), ..Written::sample() }
            .into(),
        Written { tags: vec!["python".into()], categories: vec!["News".into()], ..Written::sample() }.into(),
        Written { tags: vec!["rust".into()], section: Some("blog".into()), ..Written::sample() }.into(),
    ]);
    for (extra, expected) in [
        (extra(|_| {}), vec![0, 1, 2]),
        (extra(|e| e.tags = vec!["python".into()]), vec![0, 1]),
        (extra(|e| e.tags = vec!["python".into(), "RUST".into()]), vec![0, 1, 2]),
        (extra(|e| (e.tags, e.without_tags) = (vec!["python".into()], vec!["talks".into()])), vec![1]),
        (extra(|e| (e.tags, e.categories) = (vec!["python".into()], vec!["news".into()])), vec![1]),
        (extra(|e| e.sections = vec!["blog".into()]), vec![2]),
        (extra(|e| e.languages = vec!["de".into()]), vec![0]),
        (extra(|e| e.limit = Some(1)), vec![0]),
    ] {
        let settings = Settings { extra: vec![extra.clone()], ..settings() };
        let planned = plan(&posts, &settings, &FeedMemory::default());
        let found = planned.plans.iter().find(|plan| plan.kind == Kind::Extra).unwrap();
        assert_eq!(found.posts, expected, "{extra:?}");
        assert_eq!(found.files, [(Format::Rss, "feed.python.xml".to_owned())]);
    }
}

#[test]
fn two_feeds_at_one_address_are_refused_and_the_owner_s_own_gives_way() {
    let at = |path: &str| ExtraFeed { path: path.into(), title: "On A".into(), ..ExtraFeed::default() };
    let memory = FeedMemory {
        archives: BTreeMap::from([((String::new(), 1), vec!["id0".to_owned()])]),
        ..FeedMemory::default()
    };
    for (path, clashes) in [("tags/a/feed.xml", 1), ("archive/1/atom.xml", 1), ("a.xml", 0)] {
        let settings = Settings { extra: vec![at(path)], ..settings() };
        let planned = plan(&catalogue(vec![tagged("a")]), &settings, &memory);
        assert_eq!(planned.problems.len(), clashes, "{path}");
        let extras = planned.plans.iter().filter(|plan| plan.kind == Kind::Extra).count();
        assert_eq!(extras, 1 - clashes, "{path}");
        let message = format!("two feeds would be written to `{path}`, so `On A` is not");
        assert!(planned.problems.iter().all(|problem| problem.message == message), "{:?}", planned.problems);
    }
}

#[test]
fn a_page_is_full_when_one_more_would_be_too_many_or_too_heavy() {
    for (weights, expected) in [
        (&[1, 1, 1][..], None),
        (&[1, 1, 1, 1], Some(3)),
        (&[50, 50], None),
        (&[50, 51], Some(1)),
        (&[200], None),
        (&[200, 1], Some(1)),
        (&[], None),
    ] {
        let unsealed: Vec<(usize, u64)> = weights.iter().copied().enumerate().collect();
        assert_eq!(next_page(&unsealed, 3, 100).map(<[_]>::len), expected, "{weights:?}");
    }
}

#[test]
fn a_feed_is_cut_to_its_size_from_the_end_and_never_empty() {
    let mut planned = plan(
        &catalogue(vec![Post::from(Written::sample()), Post::from(Written::sample()), Post::from(Written::sample())]),
        &settings(),
        &FeedMemory::default(),
    );
    let plan = &mut planned.plans[0];
    for (weights, expected, complete) in
        [([30, 30, 40], vec![0, 1, 2], true), ([30, 30, 41], vec![0, 1], false), ([300, 1, 1], vec![0], false)]
    {
        trim(plan, 100, |post| weights[post]);
        assert_eq!((&plan.posts, plan.complete), (&expected, complete), "{weights:?}");
    }
}

#[test]
fn what_is_in_no_archive_stands_in_the_feed_however_old_it_is() {
    let posts = catalogue((0..6).map(|_| Post::from(Written::sample())).collect());
    let sealed = ["id1", "id2", "id3"].map(str::to_owned).to_vec();
    let memory = FeedMemory { archives: BTreeMap::from([((String::new(), 1), sealed)]), ..FeedMemory::default() };
    let planned = plan(&posts, &settings(), &memory);
    assert_eq!(planned.plans[0].candidates, [0, 4, 5], "posts 4 and 5 came late and are dated early");
    assert_eq!(planned.plans[0].archive, Some(1));
    let page = planned.plans.last().unwrap();
    assert_eq!((page.kind, &page.posts, page.folder.as_str()), (Kind::Archive, &vec![1, 2, 3], "archive/1/"));
}
