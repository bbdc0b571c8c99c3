use super::*;

fn parsed(dialect: Dialect, relative: &str, text: &[u8]) -> Parsed {
    parsed_by(&Rules::sample(dialect), None, relative, text)
}

fn parsed_by(rules: &Rules, inherited: Option<&Inherited>, relative: &str, text: &[u8]) -> Parsed {
    let modified = "2021-06-01T00:00:00Z".parse().unwrap();
    parse(File { path: relative, relative, bytes: text, modified, inherited }, rules)
}

fn post(dialect: Dialect, relative: &str, text: &str) -> (Post, Visibility) {
    let parsed = parsed(dialect, relative, text.as_bytes());
    assert_eq!(parsed.problems, []);
    parsed.post.unwrap()
}

#[test]
fn a_jekyll_post_is_read() {
    let text = "---\ntitle: \"A: b\"\nauthor: X (Org), Y\ntags: one two\ncategories: [news]\n---\nHello";
    let (post, visibility) = post(Dialect::Jekyll, "_posts/2021-05-07-My-Post.md", text);
    assert_eq!(post.title, "A: b");
    assert_eq!(post.url, "https://a.example/news/2021/05/07/My-Post.html");
    assert_eq!(post.date.unwrap().to_string(), "2021-05-06T22:00:00Z");
    assert_eq!((post.tags.len(), post.authors.len()), (2, 2));
    assert_eq!(state_at(visibility, "2021-05-06T22:00:00Z".parse().unwrap()), State::Published);
    assert_eq!(state_at(visibility, "2021-05-06T21:59:59Z".parse().unwrap()), State::Scheduled);
}

#[test]
fn a_hugo_post_is_read() {
    let text = "+++\nTitle = 'A'\ndate = 2021-05-07T10:00:00+02:00\npublishDate = 2021-05-09\nlastmod = 2021-05-10\nauthors = ['X']\n+++\nHi";
    let (post, visibility) = post(Dialect::Hugo, "my post/index.md", text);
    assert_eq!(post.url, "https://a.example/my-post/");
    assert_eq!(post.updated.unwrap().to_string(), "2021-05-09T22:00:00Z");
    assert_eq!(state_at(visibility, "2021-05-08T00:00:00Z".parse().unwrap()), State::Scheduled);
}

#[test]
fn a_picture_is_looked_for_where_the_generator_does() {
    let text = "---\ntitle: A\ndate: 2021-05-07\nimage: img/a.png\n---\n";
    for (dialect, path, url) in [
        (Dialect::Jekyll, "_posts/2021-05-07-a.md", "https://a.example/img/a.png"),
        (Dialect::Hugo, "a.md", "https://a.example/img/a.png"),
        (Dialect::Hugo, "a/index.md", "https://a.example/a/img/a.png"),
        (Dialect::Zola, "a/index.md", "https://a.example/a/img/a.png"),
    ] {
        assert_eq!(post(dialect, path, text).0.image.as_ref().unwrap().url, url, "{path}");
    }
}

#[test]
fn a_post_in_several_languages_is_one_work() {
    let rules = |dialect| Rules { languages: vec!["en".to_owned(), "de".to_owned()], ..Rules::sample(dialect) };
    let work = |rules: &Rules, relative: &str, key: &str| {
        let text = format!("---\ntitle: A\ndate: 2021-05-07\ntranslationKey: {key}\n---\n");
        parsed_by(rules, None, relative, text.as_bytes()).post.unwrap().0.work.clone()
    };
    for dialect in [Dialect::Hugo, Dialect::Zola] {
        let rules = rules(dialect);
        let one = work(&rules, "a/b.md", "");
        assert!(one.is_some() && one == work(&rules, "a/b.de.md", "") && one == work(&rules, "a/b/index.de.md", ""));
        assert_eq!(one, work(&rules, "a/b.en.md", ""));
        assert!(one != work(&rules, "b.md", "") && one != work(&rules, "a/b.fr.md", ""));
    }
    assert_eq!(work(&rules(Dialect::Hugo), "a.md", "x"), work(&rules(Dialect::Hugo), "b.de.md", "x"));
    assert_eq!(work(&Rules::sample(Dialect::Hugo), "a.md", "x"), None, "nobody translates");
}

#[test]
fn a_zola_post_is_read() {
    let text =
        "+++\ntitle = \"A\"\nauthors = [\"X\", \"Y\"]\nupdated = 2021-05-08\n[taxonomies]\ntags = [\"t u\"]\n+++\nHi";
    let (post, _) = post(Dialect::Zola, "blog/2021-05-07-my-post.md", text);
    assert_eq!((post.url.as_str(), post.tags[0].as_str()), ("https://a.example/blog/my-post/", "t u"));
    assert_eq!(post.authors.len(), 2);
}

#[test]
fn drafts_and_hidden_posts_are_not_published() {
    let far = "9000-01-01T00:00:00Z".parse().unwrap();
    for (relative, text) in [
        ("_posts/2021-05-07-a.md", "---\ntitle: A\ndraft: true\n---\n"),
        ("_posts/2021-05-07-a.md", "---\ntitle: A\ndraft: yes\n---\n"),
        ("_posts/2021-05-07-a.md", "---\ntitle: A\npublished: false\n---\n"),
        ("_drafts/a.md", "---\ntitle: A\n---\n"),
    ] {
        let (_, visibility) = post(Dialect::Jekyll, relative, text);
        assert_eq!(state_at(visibility, far), State::Draft, "{text}");
    }
}

#[test]
fn what_the_generator_keeps_to_itself_is_no_post() {
    let hugo = Rules {
        languages: vec!["en".into(), "fr".into()],
        languages_off: vec!["fr".into()],
        ..Rules::sample(Dialect::Hugo)
    };
    let zola = Rules::sample(Dialect::Zola);
    for (rules, relative, more, is_post) in [
        (&hugo, "a/index.md", "headless: true", false),
        // Hugo knows it of pages with a folder only.
        (&hugo, "a.md", "headless: true", true),
        (&hugo, "a.md", "Build: {Render: never}", false),
        (&hugo, "a.md", "_build: {render: false}", false),
        (&hugo, "a.md", "_build: {list: never}", false),
        (&hugo, "a.md", "build: {list: local}", false),
        (&hugo, "a.md", "build: {list: always, render: true, publishResources: false}", true),
        (&hugo, "a.fr.md", "", false),
        (&zola, "a.md", "render: false", false),
        (&zola, "a.md", "render: true", true),
    ] {
        let parsed = parsed_by(rules, None, relative, format!("---\ndate: 2021-01-01\n{more}\n---\n").as_bytes());
        assert_eq!((parsed.post.is_some(), parsed.problems.len()), (is_post, 0), "{relative} {more}");
    }
}

#[test]
fn what_sections_hand_down_counts_where_the_post_says_nothing() {
    let values = serde_json::json!({"draft": true, "author": "Ann"}).as_object().unwrap().clone();
    let inherited = Inherited { values, is_draft: false };
    let visibility = |inherited, more| {
        let text = format!("---\ndate: 2021-01-01\n{more}\n---\n");
        parsed_by(&Rules::sample(Dialect::Hugo), Some(inherited), "a.md", text.as_bytes()).post.unwrap()
    };
    let (post, hidden) = visibility(&inherited, "");
    assert_eq!((hidden, post.authors[0].name.as_str()), (Visibility::Draft, "Ann"));
    assert_ne!(visibility(&inherited, "draft: false").1, Visibility::Draft);
    let draft = Inherited { is_draft: true, ..Inherited::default() };
    assert_eq!(visibility(&draft, "draft: false").1, Visibility::Draft);
}

#[test]
fn a_file_among_jekylls_posts_needs_a_day_in_its_name() {
    for (relative, is_post) in [
        ("_posts/a.md", false),
        ("_posts/2021_01_07_a.md", false),
        ("news/_posts/a.md", false),
        ("_posts/2021-1-7-a.md", true),
        ("_posts/old/2021-01-07-a.md", true),
        ("_drafts/a.md", true),
        // Not Jekyll's layout: whoever wants it has said so.
        ("a.md", true),
    ] {
        let parsed = parsed(Dialect::Jekyll, relative, b"---\ndate: 2021-01-07\n---\n");
        assert_eq!(parsed.post.is_some(), is_post, "{relative}");
        assert_eq!(parsed.problems.iter().filter(|p| p.code == "no-date").count(), usize::from(!is_post));
    }
}

#[test]
fn who_names_nobody_is_signed_by_the_site() {
    let (post, _) = post(Dialect::Jekyll, "_posts/2021-05-07-a-b.md", "---\n---\n");
    assert_eq!((post.authors[0].name.as_str(), post.title.as_str()), ("The Team", "A B"));
}

#[test]
fn broken_posts_are_problems_with_a_place() {
    for (relative, text, place, code) in [
        ("_posts/2021-05-07-a.md", &b"---\ntitle: A\n"[..], (1, 1), "front-matter"),
        ("_posts/2021-05-07-a.md", b"---\ntitle: A\ndate: tomorrow\n---\n", (3, 1), "date"),
        ("_posts/2021-05-07-a.md", b"---\ndate: [2021]\n---\n", (2, 1), "date"),
        ("_posts/a.md", b"Hello", (1, 1), "no-date"),
        ("_posts/a.md", b"\xff\xfeH\0", (1, 1), "encoding"),
    ] {
        let parsed = parsed(Dialect::Jekyll, relative, text);
        assert!(parsed.post.is_none());
        let problem = &parsed.problems[0];
        assert_eq!((problem.line, problem.column, problem.code), (place.0, place.1, code));
    }
}

#[test]
fn an_address_that_is_none_is_told_and_the_post_keeps_its_own() {
    let parsed = parsed(Dialect::Jekyll, "_posts/2021-05-07-a.md", b"---\npermalink: http://[::1\n---\n");
    assert_eq!(parsed.post.unwrap().0.url, "https://a.example/2021/05/07/a.html");
    assert_eq!((parsed.problems[0].code, parsed.problems[0].line), ("permalink", 2));
}

#[test]
fn bytes_that_are_not_utf8_are_replaced_and_named() {
    let parsed = parsed(Dialect::Jekyll, "_posts/2021-05-07-a.md", b"---\ntitle: A\xffB\n---\n");
    assert_eq!(parsed.post.unwrap().0.title, "A\u{fffd}B");
    assert_eq!((parsed.problems[0].line, parsed.problems[0].column), (2, 9));
}

proptest::proptest! {
    #[test]
    fn no_file_makes_the_reader_panic(text in "(---|\\+\\+\\+|\\{)?\n?[\\PC\n:]{0,80}(\n---\n)?[\\PC\n]{0,40}", name in "[\\PC/]{0,30}") {
        for dialect in [Dialect::Jekyll, Dialect::Hugo, Dialect::Zola] {
            let _ = parsed(dialect, &name, text.as_bytes());
        }
    }
}
