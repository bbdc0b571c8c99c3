//! What every command promises to scripts and people: exit codes, which stream says what, the names in `--json`, what
//! is found where, and that looking changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::process::Stdio;

use serde_json::{Value, json};

use super::site::{Site, has, names, ran, site, text};

/// Three posts by two people, and a draft.
fn blog() -> Site {
    site()
        .config("[goal]\nposts = 1\n[feeds]\nlimit = 10\n")
        .post("2021-02-03-one.md", "---\ntitle: One\nauthor: Ada Lovelace\ntags: [rust]\n---\nThe first words.\n")
        .post("2021-03-05-two.md", "---\ntitle: Two\nauthor: Grace Hopper and Ada Lovelace\n---\nMore words.\n")
        .post("2021-05-07-three.md", "---\ntitle: Three\nauthor: Grace Hopper\ntags: [rust, feeds]\n---\nAnd more.\n")
        .post("2021-06-01-later.md", "---\ntitle: Later\npublished: false\n---\nNot yet.\n")
}

fn titles(posts: &Value) -> Vec<&str> {
    posts.as_array().unwrap().iter().map(|p| p["title"].as_str().unwrap()).collect()
}

// Finding and refusing a configuration.

#[test]
fn the_configuration_is_found_by_option_by_variable_and_in_the_folder() {
    let site = blog();
    site.save("else/gazetted.toml", site.read("gazetted.toml").replace("_posts", "../_posts"));
    let elsewhere = site.path("else");
    assert_eq!(site.json("posts").as_array().unwrap().len(), 4);
    assert_eq!(ran(site.command(&["posts"]).current_dir(&elsewhere)).code, 0);
    let empty = tempfile::tempdir().unwrap();
    let lost = ran(site.command(&["posts"]).current_dir(empty.path()));
    assert_eq!(lost.code, 78);
    assert!(lost.err.contains("gazetted init"), "{}", lost.err);
    let file = site.path("gazetted.toml");
    let by_variable = ran(site.command(&["posts"]).current_dir(empty.path()).env("GAZETTED_CONFIG", &file));
    assert_eq!(by_variable.code, 0, "{}", by_variable.err);
    let by_option = site.command(&["--config", file.to_str().unwrap(), "posts"]).current_dir(empty.path()).output();
    assert!(by_option.unwrap().status.success());
}

#[test]
fn the_environment_overrides_the_file() {
    let site = blog();
    let show = ran(site.command(&["config", "show", "--json"]).env("GAZETTED_FEEDS__LIMIT", "7"));
    assert_eq!(show.json()["feeds"]["limit"], 7);
    let wrong = ran(site.command(&["posts"]).env("GAZETTED_FEEDS__LIMITS", "7"));
    assert_eq!(wrong.code, 78, "{}", wrong.err);
    assert!(wrong.err.contains("GAZETTED_FEEDS__LIMITS"), "{}", wrong.err);
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_nearest_known_one() {
    let site = site().config("[feeds]\nlimitt = 5\n");
    for command in ["posts", "goal", "check", "build", "run", "digest list", "config show", "outbox", "backup x"] {
        let ran = site.run(command);
        assert_eq!(ran.code, 78, "{command}: {}", ran.err);
        let said = format!("{}{}", ran.out, ran.err);
        assert!(said.contains("gazetted.toml:7:1: error:"), "{command}: {said}");
        assert!(said.contains("did you mean `limit`?"), "{command}: {said}");
    }
    assert!(!site.exists("gazetted.db"));
}

#[test]
fn arguments_that_cannot_be_understood_are_usage_errors() {
    let site = blog();
    for command in [
        "nonsense",
        "posts --from soon",
        "goal --at never",
        "goal --format pdf",
        "report --from 2021-05",
        "report --from 2021-05 --to 2021-02",
        "digest preview 2021",
        "digest open May",
        "digest test 2021-05 --to nobody",
        "subscribers add nobody",
        "subscribers list --state asleep",
        "completions tcsh-like",
    ] {
        let ran = site.run(command);
        assert_eq!(ran.code, 2, "{command}: {}", ran.err);
        assert_eq!(ran.out, "", "{command}");
        assert!(ran.err.starts_with("error: "), "{command}: {}", ran.err);
    }
}

#[test]
fn failures_are_one_sentence_with_a_hint_on_stderr() {
    let site = blog();
    site.save("there", "x");
    for command in ["backup there", "digest cancel 2021-05", "subscribers remove nobody@example.org", "init ."] {
        let ran = site.run(command);
        assert_eq!(ran.code, 1, "{command}: {}", ran.err);
        assert_eq!(ran.out, "", "{command}");
        assert!(ran.err.starts_with("error: ") && ran.err.contains("\nhint: "), "{command}: {}", ran.err);
    }
}

// The defaults, documented.

/// Keys by section as the documentation has them; `[[authors]]` and `[goal]` count as sections.
fn documented(text: &str) -> BTreeMap<String, toml::Table> {
    let table: toml::Table = text.parse().unwrap();
    table.into_iter().map(|(name, value)| (name, one_table(value))).collect()
}

fn one_table(value: toml::Value) -> toml::Table {
    match value {
        toml::Value::Table(table) => table,
        toml::Value::Array(mut all) => one_table(all.remove(0)),
        other => panic!("{other} is no section"),
    }
}

#[test]
fn what_is_in_force_is_shown_with_where_it_came_from() {
    let site =
        blog().config("[smtp]\nhost = \"mail.example.org\"\nuser = \"notes\"\n[digest]\nfrom = \"a@b.example\"\n");
    let credentials = site.path("credentials");
    for (name, secret) in [("smtp_password", "hunter2hunter2"), ("store_password", "p@ss word/1")] {
        site.save(&format!("credentials/{name}"), format!("{secret}\n"));
    }
    let mut command = site.command(&["config", "show", "--changed"]);
    command.env("CREDENTIALS_DIRECTORY", &credentials).env("GAZETTED_FEEDS__LIMIT", "7");
    command.env("GAZETTED_STORE__URL", "postgres://gazetted:inline@db.example/g");
    let shown = String::from_utf8(command.output().unwrap().stdout).unwrap();
    for line in [
        "limit = 7  # $GAZETTED_FEEDS__LIMIT".to_owned(),
        format!("password = \"***\"  # {}", credentials.join("smtp_password").display()),
        "url = \"postgres://gazetted:***@db.example/g\"  # $GAZETTED_STORE__URL".to_owned(),
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
    }
    let host = shown.lines().find(|line| line.starts_with("host = ")).unwrap();
    assert!(host.contains("gazetted.toml:"), "{host}");
    for secret in ["hunter2", "inline", "p@ss", "# default"] {
        assert!(!shown.contains(secret), "{secret}\n{shown}");
    }
}

#[test]
fn every_default_is_documented_as_it_is_in_the_code() {
    let site = blog().config("[goal]\n[smtp]\nhost = \"mail.example.org\"\ntls = \"starttls\"\n[digest]\nfrom = \"a@b.example\"\n[[authors]]\nname = \"Ada\"\n[[webhooks]]\nurl = \"https://a.example\"\n");
    let given = BTreeSet::from([
        "site.title",
        "site.url",
        "smtp.host",
        "smtp.password",
        "digest.from",
        "authors.name",
        "webhooks.url",
    ]);
    let documented = documented(&site.ok("config default").out);
    let code = site.ok("config show --json").json();
    let sections = |value: &Value| names(value).into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    let mut shown = sections(&code);
    assert!(shown.remove("origins"));
    assert_eq!(documented.keys().cloned().collect::<BTreeSet<_>>(), shown);
    for (section, keys) in &documented {
        let there = code[section].as_array().map_or(&code[section], |all| &all[0]);
        assert_eq!(keys.keys().cloned().collect::<BTreeSet<_>>(), sections(there), "[{section}]");
        for (key, default) in keys.iter().filter(|(key, _)| !given.contains(&*format!("{section}.{key}"))) {
            assert_eq!(serde_json::to_value(default).unwrap(), there[key], "{section}.{key}");
        }
    }
}

#[test]
fn what_config_show_prints_can_be_read_back_and_hides_secrets() {
    let site = blog()
        .config("[smtp]\nhost = \"mail.example.org\"\npassword = \"hunter2\"\n[digest]\nfrom = \"a@b.example\"\n");
    let shown = site.ok("config show").out;
    assert!(shown.contains("***") && !shown.contains("hunter2"), "{shown}");
    shown.parse::<toml::Table>().unwrap();
    assert!(!site.ok("config show --json").out.contains("hunter2"));
}

// init.

#[test]
fn init_writes_a_file_that_works() {
    let empty = site();
    empty.remove("gazetted.toml");
    let done = empty.ok("init");
    assert!(done.out.contains("gazetted.toml"), "{}", done.out);
    assert_eq!(empty.run("posts").code, 0);
    assert_eq!(empty.run("check").code, 0);
    assert_eq!(empty.run("init").code, 1);
}

#[test]
fn init_takes_over_what_a_jekyll_hugo_or_zola_site_says_of_itself() {
    for (fixture, posts) in [("jekyll", "_posts"), ("hugo", "content/posts"), ("zola", "content/blog")] {
        let site = Site::of(fixture);
        site.remove("gazetted.toml");
        site.ok("init out --from .");
        let written: toml::Table = site.read("out/gazetted.toml").parse().unwrap();
        assert_eq!(written["site"]["title"].as_str(), Some("Notes from the Workshop"), "{fixture}");
        assert_eq!(written["site"]["url"].as_str(), Some("https://blog.example.org"), "{fixture}");
        assert!(written["posts"]["dir"].as_str().unwrap().ends_with(posts), "{fixture}: {written}");
        let ran = site.run("--config out/gazetted.toml posts --json");
        assert_eq!(ran.code, 0, "{fixture}: {}", ran.err);
        assert!(!ran.json().as_array().unwrap().is_empty(), "{fixture}");
    }
    let nothing = blog();
    let ran = nothing.run("init elsewhere --from _posts");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("_config.yml"), "{}", ran.err);
}

// Facts.

#[test]
fn posts_are_listed_with_their_names_and_filtered() {
    let site = blog();
    let all = site.json("posts");
    for post in all.as_array().unwrap() {
        has(post, "path id url title date updated state authors tags categories excerpt words");
    }
    assert_eq!(titles(&site.json("posts --drafts")), ["Later"]);
    assert_eq!(titles(&site.json("posts --tag rust")), ["Three", "One"]);
    assert_eq!(titles(&site.json("posts --author Ada")), Vec::<&str>::new());
    assert_eq!(titles(&site.json("posts --author=ADA%20LOVELACE")), Vec::<&str>::new());
    let by = ran(&mut site.command(&["posts", "--author", "Ada Lovelace", "--json"])).json();
    assert_eq!(titles(&by), ["Two", "One"]);
    assert_eq!(titles(&site.json("posts --from 2021-03 --to 2021-05-07")), ["Three", "Two"]);
    assert_eq!(titles(&site.json("posts --from 2021-Q1 --to 2021-Q1")), ["Two", "One"]);
    let two = all.as_array().unwrap().iter().find(|p| p["title"] == "Two").unwrap();
    assert_eq!(two["state"], "published");
    assert_eq!(two["date"], "2021-03-05T00:00:00Z");
    assert_eq!(two["authors"].as_array().unwrap().len(), 2);
    assert_eq!(two["excerpt"], "More words.");
    assert_eq!(two["words"], 2);
    assert_eq!(two["path"], "_posts/2021-03-05-two.md");
    let lines = site.ok("posts").out;
    assert!(lines.contains("2021-05-07  published  Three  (Grace Hopper)"), "{lines}");
}

#[test]
fn the_goal_is_told_in_six_formats_and_as_it_stood() {
    let site = blog();
    let goals = site.json("goal --at 2021-05-31");
    let goal = &goals["goals"][0];
    has(goal, "name posts per since until published target ahead periods_met periods_missed streak longest_streak");
    has(goal, "longest_gap average forecast next_due periods");
    assert_eq!((&goal["published"], &goal["target"], &goal["ahead"]), (&json!(3), &json!(4), &json!(-1)));
    let states: Vec<&str> = goal["periods"].as_array().unwrap().iter().map(|p| p["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["met", "met", "missed", "met"]);
    has(&goal["periods"][0], "period published goal state");
    assert_eq!(goal["periods"][0]["period"], "2021-02");
    let bounded = site.json("goal --at 2021-05-31 --from 2021-03 --to 2021-04");
    assert_eq!(bounded["goals"][0]["periods"].as_array().unwrap().len(), 2);
    assert_eq!(site.json("goal --at 2021-05-31 --tag feeds")["goals"][0]["published"], 1);
    let hers = ran(&mut site.command(&["goal", "--at", "2021-05-31", "--author", "Grace Hopper", "--json"])).json();
    assert_eq!(hers["goals"][0]["published"], 2);
    for (format, begin) in [
        ("text", ""),
        ("json", "{"),
        ("markdown", ""),
        ("svg", "<svg"),
        ("badge", "<svg"),
        ("ics", "BEGIN:VCALENDAR\r\n"),
    ] {
        let out = site.ok(&format!("goal --at 2021-05-31 --format {format}")).out;
        assert!(out.starts_with(begin) && out.len() > 20, "{format}: {out}");
    }
    assert_eq!(site.ok("goal --at 2021-05-31 --format json").json(), goals);
}

#[test]
fn the_report_counts_names_and_judges() {
    let site = blog();
    let report = site.json("report --from 2021-02 --to 2021-03");
    has(&report, "from to published target verdict sentence posts drafts periods");
    assert_eq!((&report["published"], &report["target"], &report["verdict"]), (&json!(2), &json!(2), &json!("met")));
    has(&report["posts"][0], "title url date authors coauthors");
    let hers =
        ran(&mut site.command(&["report", "--from", "2021", "--to", "2021", "--author", "Ada Lovelace", "--json"]))
            .json();
    has(&hers, "author");
    assert_eq!(titles(&hers["posts"]).len(), 2);
    let missed = site.json("report --from 2021-02 --to 2021-05");
    assert_eq!(missed["verdict"], "missed");
    for (format, piece) in
        [("markdown", "](<https://blog.example.org"), ("html", "<a href=\"https://"), ("text", "Three"), ("json", "{")]
    {
        let out = site.ok(&format!("report --from 2021-02 --to 2021-05 --format {format}")).out;
        assert!(out.contains(piece), "{format}: {out}");
    }
}

#[test]
fn check_lists_every_problem_in_its_place_and_its_exit_code_says_how_bad() {
    let site = blog();
    assert_eq!(site.run("check").code, 0);
    site.save("_posts/2021-05-08-broken.md", "---\ntitle: [\n---\nx\n");
    let bad = site.run("check");
    assert_eq!(bad.code, 1);
    let line = bad
        .out
        .lines()
        .find(|l| l.starts_with("_posts/2021-05-08-broken.md:"))
        .unwrap_or_else(|| panic!("{}", bad.out));
    let place: Vec<&str> = line.splitn(4, ':').collect();
    assert!(place[1].parse::<usize>().is_ok() && place[2].parse::<usize>().is_ok(), "{line}");
    assert!(bad.out.contains("\n    hint: "), "{}", bad.out);
    let facts = site.run("check --json");
    assert_eq!(facts.code, 1);
    let facts = facts.json();
    has(&facts[0], "path line column severity code message hint");
    site.remove("_posts/2021-05-08-broken.md");
    site.save("_posts/2021-05-08-liquid.md", text("Odd", "{% unheard_of %}"));
    let (lax, strict) = (site.run("check"), site.run("check --strict"));
    assert_eq!((lax.code, strict.code), (0, 1), "{}", lax.out);
}

#[test]
fn build_says_what_it_did() {
    let site = blog();
    let built = site.json("build");
    has(&built, "posts drafts problems files_written files_unchanged elapsed_ms");
    assert_eq!((&built["posts"], &built["drafts"], &built["problems"]), (&json!(3), &json!(1), &json!(0)));
    assert_eq!(built["files_written"], site.files("public").len());
    let again = site.json("build");
    assert_eq!((&again["files_written"], &again["files_unchanged"]), (&json!(0), &built["files_written"]));
    site.ok("build --out elsewhere");
    assert_eq!(site.files("elsewhere"), site.files("public"));
}

// The digest, from preview to mail.

fn with_readers() -> Site {
    let site = blog();
    site.ok("subscribers add ada@example.org --name Ada");
    site.ok("subscribers add grace@example.org");
    site
}

#[test]
fn an_edition_is_previewed_opened_once_sent_and_listed() {
    let site = with_readers();
    for (format, piece) in [("text", "Three"), ("html", "<html"), ("eml", "Subject: "), ("json", "{")] {
        let out = site.ok(&format!("digest preview 2021-05 --format {format}")).out;
        assert!(out.contains(piece), "{format}: {out}");
    }
    assert_eq!(site.json("digest list"), json!([]));
    let opened = site.json("digest open 2021-05");
    assert_eq!((&opened["state"], &opened["posts"], &opened["recipients"]), (&json!("open"), &json!(1), &json!(2)));
    assert!(site.ok("digest open 2021-05").out.contains("opened before"));
    let listed = site.json("digest list");
    assert_eq!(listed.as_array().unwrap().len(), 1);
    has(&listed[0], "period state posts recipients accepted deferred failed skipped opened_at finished_at");
    assert_eq!(site.json("outbox")["queued"], 2);
    let sent = site.json("outbox flush");
    assert_eq!(sent["accepted"], 2);
    assert_eq!(site.mails().len(), 2);
    let listed = site.json("digest list");
    assert_eq!((&listed[0]["state"], &listed[0]["accepted"]), (&json!("finished"), &json!(2)));
    assert_eq!(site.json("outbox")["accepted"], 2);
    assert_eq!(site.json("outbox flush")["accepted"], 0);
    assert!(site.ok("outbox retry").out.starts_with("0 "));
    assert_eq!(site.json("outbox list"), json!([]));
    assert_eq!(site.json("outbox list --all").as_array().unwrap().len(), 2);
}

#[test]
fn a_post_is_announced_in_one_edition_only() {
    let site = with_readers();
    site.ok("digest open 2021-03");
    let content = site.ok("digest preview 2021-05 --format json").out;
    assert!(content.contains("Three") && !content.contains("\"Two\""), "{content}");
}

#[test]
fn sending_is_paused_resumed_and_called_off() {
    let site = with_readers();
    site.ok("digest open 2021-03");
    site.ok("digest pause");
    assert_eq!(site.json("outbox flush")["accepted"], 0);
    site.ok("digest resume");
    assert_eq!(site.json("outbox flush")["accepted"], 2);
    site.ok("digest open 2021-05");
    site.ok("digest cancel 2021-05");
    assert_eq!(site.json("outbox flush")["accepted"], 0);
    let listed = site.json("digest list");
    let cancelled = listed.as_array().unwrap().iter().find(|e| e["period"] == "2021-05").unwrap();
    assert_eq!((&cancelled["state"], &cancelled["skipped"]), (&json!("cancelled"), &json!(2)));
    assert_eq!(site.run("digest cancel 2021-05").code, 1);
    for (post, called_off, says) in
        [("Three", true, "called off before it went to anybody"), ("Two", false, "announced by the edition 2021-03")]
    {
        assert_eq!(site.json(&format!("why {post}"))["called_off"], called_off);
        let why = site.ok(&format!("why {post}")).out;
        assert!(why.contains(says), "{why}");
    }
}

#[test]
fn a_trial_digest_goes_to_one_address_and_opens_nothing() {
    let site = with_readers();
    site.ok("digest test 2021-05 --to me@example.org");
    let mails = site.files("mail");
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(site.read(&format!("mail/{}", mails[0])).contains("\r\nTo: <me@example.org>\r\n"));
    assert_eq!(site.json("digest list"), json!([]));
}

#[test]
fn a_month_that_is_not_over_has_no_edition_yet() {
    let ran = with_readers().run("digest open 2199-01");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("not over yet") && ran.err.contains("preview"), "{}", ran.err);
}

#[test]
fn subscribers_come_and_go() {
    let site = with_readers();
    let all = site.json("subscribers list");
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert!(site.ok("subscribers add ADA@example.org").out.contains("already"));
    site.ok("subscribers remove ada@example.org");
    assert_eq!(site.run("subscribers add ada@example.org").code, 1);
    assert_eq!(site.json("subscribers list --state active").as_array().unwrap().len(), 1);
    site.ok("subscribers add ada@example.org --again");
    assert_eq!(site.json("subscribers list --state active").as_array().unwrap().len(), 2);
    site.save("list.csv", "email,name\nlinus@example.org,Linus\nada@example.org,Ada\nlinus@example.org,Again\n");
    assert!(site.ok("subscribers import list.csv --dry-run").out.contains("nothing was written"));
    assert_eq!(site.json("subscribers list").as_array().unwrap().len(), 2);
    let done = site.ok("subscribers import list.csv").out;
    assert!(done.contains("1 added,"), "{done}");
    site.save("bad.csv", "email\nnew@example.org\nnobody\n");
    let bad = site.run("subscribers import bad.csv");
    assert_eq!(bad.code, 1);
    assert!(bad.err.contains("bad.csv:3:"), "{}", bad.err);
    assert_eq!(site.json("subscribers list").as_array().unwrap().len(), 3);
}

#[test]
fn a_backup_is_a_whole_store() {
    let site = with_readers();
    site.ok("build");
    site.ok("digest open 2021-05");
    let before = (site.json("digest list"), site.json("subscribers list"), site.json("outbox"));
    site.ok("backup copy.db");
    assert_eq!(site.run("backup copy.db").code, 1);
    for name in ["gazetted.db", "gazetted.db-wal", "gazetted.db-shm"] {
        let _ = std::fs::remove_file(site.path(name));
    }
    site.rename("copy.db", "gazetted.db");
    assert_eq!((site.json("digest list"), site.json("subscribers list"), site.json("outbox")), before);
    assert_eq!(site.json("build")["files_written"], 0);
    site.ok("migrate");
}

// Manners.

#[test]
fn looking_leaves_no_database_behind() {
    let site = blog();
    for command in [
        "posts",
        "posts --json",
        "goal",
        "check",
        "report --from 2021 --to 2021",
        "digest preview 2021-05",
        "config show",
        "config default",
    ] {
        site.ok(command);
        assert!(!site.exists("gazetted.db") && !site.exists("public"), "{command}");
    }
}

#[test]
fn completions_and_a_manual_page_are_printed() {
    let site = site();
    for shell in ["bash", "zsh", "fish"] {
        assert!(site.ok(&format!("completions {shell}")).out.contains("gazetted"));
    }
    assert!(site.ok("man").out.contains(".TH gazetted"));
    assert!(site.ok("--version").out.starts_with("gazetted "));
    assert!(site.ok("--help").out.contains("subscribers"));
}

#[test]
fn no_colour_reaches_a_pipe() {
    let site = blog().post("2021-05-08-broken.md", "---\ntitle: [\n---\nx\n");
    for command in ["-v posts", "-v build", "check", "--help", "goal", "nonsense"] {
        let ran = site.run(command);
        assert!(!format!("{}{}", ran.out, ran.err).contains('\u{1b}'), "{command}");
        let plain = super::site::ran(site.command(&command.split(' ').collect::<Vec<_>>()).env("NO_COLOR", "1"));
        assert!(!format!("{}{}", plain.out, plain.err).contains('\u{1b}'), "{command}");
    }
}

#[test]
fn quiet_says_only_what_went_wrong() {
    let site = blog();
    assert_eq!(site.ok("-q build --json").err, "");
    assert_eq!(site.ok("-q posts").err, "");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut site = site();
    for day in 1..=28 {
        site = site.post(&format!("2021-02-{day:02}-post.md"), text(&"a long title ".repeat(400), "Words."));
    }
    let mut child = site.command(&["posts"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 10];
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut first).unwrap();
    drop(out);
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{:?}", done.status);
    assert_eq!(String::from_utf8_lossy(&done.stderr), "");
}
