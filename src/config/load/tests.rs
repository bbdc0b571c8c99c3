use super::*;

fn loaded(text: &str) -> Loaded {
    load_str(text, "gazetted.toml", &BTreeMap::new())
}

const LEAST: &str = "[site]\ntitle = \"Notes\"\nurl = \"https://a.example\"\n";

#[test]
fn the_least_working_file_works() {
    let got = loaded(&format!("{LEAST}[posts]\ndir = \"_posts\"\n"));
    assert!(got.is_usable(), "{:?}", got.problems);
    assert_eq!(got.config.feeds.limit, 50);
    assert!(got.config.goal.is_empty());
}

#[test]
fn all_problems_are_found_at_once_with_their_lines_and_nearest_keys() {
    let text = format!(
        "{LEAST}titel = \"x\"\n[feds]\n[feeds]\nlimit = \"many\"\nformats = [\"rss\", \"xml\"]\n[digest]\nschedule = 5\n"
    );
    let mut got = loaded(&text);
    got.problems.retain(Problem::is_error);
    let shown: Vec<String> = got
        .problems
        .iter()
        .map(|p| format!("{}:{} {}", p.line, p.column, p.hint.clone().unwrap_or_default()))
        .collect();
    assert_eq!(got.problems.len(), 5, "{:#?}", got.problems);
    assert_eq!(shown[0], "4:1 did you mean `title`?");
    assert_eq!(shown[1], "5:2 did you mean `feeds`?");
    assert!(shown[2].starts_with("7:9 "));
    assert!(shown[3].starts_with("8:11 "));
    assert!(shown[4].starts_with("10:12 "));
}

#[test]
fn the_environment_overrides_the_file() {
    let environment = [
        ("GAZETTED_SMTP__PASSWORD", "se\"cret"),
        ("GAZETTED_SMTP__HOST", "mail.example"),
        ("GAZETTED_SMTP__TLS", "tls"),
        ("GAZETTED_FEEDS__LIMIT", "7"),
        ("GAZETTED_FEEDS__FORMATS", "[\"rss\"]"),
        ("GAZETTED_SITE__TITLE", "2021"),
        ("GAZETTED_POSTS__SETTLE", "5s"),
    ];
    let environment = environment.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    let got = load_str(&format!("{LEAST}[digest]\nfrom = \"a@b.example\"\n"), "gazetted.toml", &environment);
    assert!(got.is_usable(), "{:?}", got.problems);
    let smtp = &got.config.smtp[0];
    assert_eq!((smtp.host.as_str(), smtp.port()), ("mail.example", 465));
    assert_eq!(secrecy::ExposeSecret::expose_secret(&smtp.password), "se\"cret");
    assert_eq!((got.config.feeds.limit, got.config.feeds.formats.len()), (7, 1));
    assert_eq!(got.config.site.title, "2021");
}

#[test]
fn one_goal_or_several() {
    assert_eq!(loaded(&format!("{LEAST}[goal]\nposts = 2\n")).config.goal[0].posts, 2);
    let got = loaded(&format!("{LEAST}[[goal]]\nauthor = \"A\"\n[[goal]]\nper = \"quarter\"\n"));
    assert_eq!(got.config.goal.len(), 2);
}

#[test]
fn sub_tables_are_read() {
    let got = loaded(&format!("{LEAST}[posts.permalinks]\nposts = \"/:year/:title/\"\n"));
    assert!(got.is_usable(), "{:?}", got.problems);
    assert_eq!(got.config.posts.permalinks["posts"], "/:year/:title/");
}

#[test]
fn secrets_are_not_shown() {
    let got = loaded(&format!("{LEAST}[smtp]\npassword = \"hunter2\"\nhost = \"h\"\n"));
    let shown = format!("{:?} {}", got.config, toml::to_string(&got.config).unwrap());
    assert!(!shown.contains("hunter2"));
    assert!(shown.contains("***"));
}

#[test]
fn the_example_of_a_node_is_a_good_one() {
    let got = loaded(include_str!("../../../deploy/node.toml"));
    assert_eq!(got.problems.iter().filter(|p| p.is_error()).count(), 0, "{:?}", got.problems);
    assert_eq!((got.config.smtp.len(), got.config.smtp[0].rate, got.config.smtp[1].weight), (2, 600, 0));
}

#[test]
fn what_is_there_twice_is_named() {
    for (more, place, message) in [
        ("[digest]\n[posts]\n[digest]\nfrom = \"a@b.example\"\n", 6, "`[digest]` is there twice"),
        ("title = \"x\"\n", 4, "`title` is there twice in its section"),
    ] {
        let problems = loaded(&format!("{LEAST}{more}")).problems;
        assert_eq!((problems.len(), problems[0].line, problems[0].message.as_str()), (1, place, message));
    }
}

#[test]
fn of_several_sections_the_one_that_is_wrong_is_named() {
    let text = format!(
        "{LEAST}[[goal]]\nposts = 1\n[digest]\n[[goal]]\nposts = 0\n[[goal]]\nsince = \"no\"\n[[goal]]\n  posts = 0\n"
    );
    let problems = loaded(&text).problems;
    let lines: Vec<usize> = problems.iter().filter(|problem| problem.is_error()).map(|problem| problem.line).collect();
    assert_eq!(lines, [8, 10, 12], "{problems:?}");
}

#[test]
fn one_relay_or_several() {
    let got =
        loaded(&format!("{LEAST}[[smtp]]\nhost = \"a\"\nweight = 0\n[[smtp]]\nsendmail = \"sendmail\"\nweight = 0\n"));
    let said: Vec<_> = got.problems.iter().map(|p| p.message.clone()).collect();
    for expected in [
        "every `smtp.weight` is 0",
        "`smtp.sendmail` is `sendmail`",
        "`digest.from` is missing, and mail needs a sender",
    ] {
        assert!(said.iter().any(|message| message == expected), "{expected}: {said:?}");
    }
}
