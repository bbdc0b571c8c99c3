//! What an operator does with the store as a whole: backups that are read back, restoring, moving from SQLite to PostgreSQL and back,
//! looking at a migration before it is done.

use gazetted::domain::edition::State as EditionState;
use gazetted::domain::subscriber::{Address, State};
use gazetted::publish;
use gazetted::store::transfer::{self, Source, Target};
use gazetted::store::{Audience, Moved, NewAct, NewSubscriber, SharedStore, open};
use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use crate::postgres;
use crate::site::{Site, site, text};

fn now() -> Timestamp {
    "2026-11-24T09:00:00Z".parse().unwrap()
}

fn blog() -> Site {
    let site = site().config("[digest]\nfrom = \"a@b.example\"\n").post("2021-05-07-a.md", text("A", "Words."));
    site.ok("subscribers add ada@example.org --name Ada");
    site.ok("subscribers add bo@example.org");
    site.ok("digest open 2021-05 --now");
    site
}

fn url(site: &Site, name: &str) -> String {
    format!("sqlite:{}", site.path(name).display())
}

/// Every row of every table of a file, as SQLite itself writes them out.
async fn dump(site: &Site, name: &str) -> Vec<String> {
    let mut db = SqliteConnectOptions::new().filename(site.path(name)).connect().await.unwrap();
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('schema_version') ORDER BY name";
    let mut all = Vec::new();
    for table in sqlx::query_scalar::<_, String>(tables).fetch_all(&mut db).await.unwrap() {
        let columns = format!(
            "SELECT group_concat('quote(\"' || name || '\")', ' || '', '' || ') FROM pragma_table_info('{table}')"
        );
        let columns: String = sqlx::query_scalar(sqlx::AssertSqlSafe(columns)).fetch_one(&mut db).await.unwrap();
        let rows = format!("SELECT {columns} FROM \"{table}\"");
        let mut rows: Vec<String> = sqlx::query(sqlx::AssertSqlSafe(rows))
            .fetch_all(&mut db)
            .await
            .unwrap()
            .iter()
            .map(|row| format!("{table}: {}", row.get::<String, _>(0)))
            // Of the place, not of the content.
            .filter(|row| !row.starts_with("meta: 'place'") && !row.starts_with("meta: 'standby'"))
            .collect();
        rows.sort();
        all.extend(rows);
    }
    db.close().await.unwrap();
    all
}

async fn move_to(from: &str, to: &str) {
    let (mut source, mut target) = (Source::open(from).await.unwrap(), Target::open(to, now()).await.unwrap());
    transfer::fill(&mut source, &mut target).await.unwrap();
    target.commit().await.unwrap();
}

fn somebody(email: &str) -> NewSubscriber {
    let (email, source) = (email.to_owned(), "cli".to_owned());
    NewSubscriber { key: email.clone(), email, name: None, state: State::Active, source }
}

async fn add(store: &SharedStore, email: &str) -> i64 {
    store.add_subscribers(&[somebody(email)], false, now()).await.unwrap();
    store.subscriber_by_key(email).await.unwrap().unwrap().id
}

/// Somebody who was added and is gone: their number must never be given again.
async fn add_and_erase(store: &SharedStore) -> i64 {
    let id = add(store, "gone@example.org").await;
    store.erase_subscriber(id, now()).await.unwrap();
    id
}

#[tokio::test]
async fn a_store_that_goes_to_postgresql_and_back_is_the_same_row_for_row() {
    let Some(server) = postgres::fresh_database().await else { return };
    let site = blog();
    let store = open(&url(&site, "gazetted.db"), now()).await.unwrap();
    store.secret("tokens", [1; 32]).await.unwrap();
    let gone = add_and_erase(&store).await;
    let words = |text: &str| text.to_owned();
    let detail = words("by hand: \"quotes\", ü, \u{1f600}");
    let act = NewAct { who: words("cli"), act: words("paused"), subject: words("2021-05"), detail };
    store.write_act(&act, now()).await.unwrap();
    store.secret("another", [255; 32]).await.unwrap();
    drop(store);
    move_to(&url(&site, "gazetted.db"), &server).await;
    move_to(&server, &url(&site, "back.db")).await;
    let (there, back) = (dump(&site, "gazetted.db").await, dump(&site, "back.db").await);
    assert!(there.len() > 20, "{there:#?}");
    assert_eq!(there, back);
    // What it knows is used, and no number is given twice.
    let moved = open(&server, now()).await.unwrap();
    assert_eq!(moved.subscriber_by_key("ada@example.org").await.unwrap().unwrap().state, State::Active);
    assert!(add(&moved, "new@example.org").await > gone);
    let later = "2036-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(moved.claim("node", 10, later, later).await.unwrap().len(), 2);
}

#[tokio::test]
async fn many_rows_go_over_page_by_page_and_none_is_left_behind() {
    let site = site().config("");
    let store = open(&url(&site, "gazetted.db"), now()).await.unwrap();
    let people: Vec<_> = (0..5_000).map(|nr| somebody(&format!("reader{nr}@example.org"))).collect();
    store.add_subscribers(&people, false, now()).await.unwrap();
    let edition = crate::house::edition("2021-05", EditionState::Open);
    store.open_edition(&edition, &[], &Audience::everybody()).await.unwrap();
    drop(store);
    move_to(&url(&site, "gazetted.db"), &url(&site, "other.db")).await;
    assert_eq!(dump(&site, "gazetted.db").await, dump(&site, "other.db").await);
}

#[tokio::test]
async fn a_store_with_something_in_it_is_not_filled_over() {
    let (site, other) = (blog(), blog());
    let (from, to) = (url(&site, "gazetted.db"), url(&other, "gazetted.db"));
    let before = dump(&other, "gazetted.db").await;
    let (mut source, mut target) = (Source::open(&from).await.unwrap(), Target::open(&to, now()).await.unwrap());
    let refused = transfer::fill(&mut source, &mut target).await.unwrap_err().to_string();
    assert!(refused.contains("is not empty"), "{refused}");
    drop(target);
    assert_eq!(dump(&other, "gazetted.db").await, before);
}

#[test]
fn a_backup_is_read_back_and_put_in_place_again_and_what_was_there_is_kept() {
    let site = blog();
    let said = site.ok("backup copy.db").out;
    assert!(said.contains("read back: 2 subscribers, 1 edition, deliveries: 2"), "{said}");
    site.ok("subscribers add later@example.org");
    let refused = site.run("restore copy.db");
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("`--replace`"), "{}", refused.err);
    let restored = site.json("restore copy.db --replace");
    assert_eq!((&restored["subscribers"], restored["before"].is_string()), (&2.into(), true));
    let there = site.ok("subscribers list").out;
    assert!(there.contains("ada@example.org") && !there.contains("later@example.org"), "{there}");
    // It sends nothing until somebody has looked.
    assert_eq!(site.run("outbox flush").code, 1);
    assert!(site.mails().is_empty());
    site.ok("digest resume --restored");
    site.ok("outbox flush");
    assert_eq!(site.mails().len(), 2);
    // And the one before is whole.
    let before = restored["before"].as_str().unwrap().to_owned();
    let old = crate::site::site().config("");
    publish::write(&old.path("kept.db"), &std::fs::read(site.path(&before)).unwrap()).unwrap();
    old.ok("restore kept.db");
    assert!(old.ok("subscribers list").out.contains("later@example.org"));
}

/// Links and return-paths of those whom the backup does not know have their numbers in them.
#[tokio::test]
async fn a_number_that_was_given_after_the_backup_is_nobody_else_s_when_it_is_restored() {
    let server = postgres::fresh_database().await;
    let site = blog();
    site.ok("backup copy.db");
    let store = open(&url(&site, "gazetted.db"), now()).await.unwrap();
    let lost = add(&store, "carol@example.org").await;
    drop(store);
    site.ok("restore copy.db --replace");
    let restored = std::iter::once(url(&site, "gazetted.db")).chain(server);
    for to in restored {
        let mut run = site.command(&["restore", "copy.db"]);
        if to.starts_with("postgres") {
            assert!(run.env("GAZETTED_STORE__URL", &to).output().unwrap().status.success());
        }
        let store = open(&to, now()).await.unwrap();
        let first = add(&store, "dave@example.org").await;
        assert!(first > lost + 1_000_000, "{first}");
        assert_eq!(add(&store, "eve@example.org").await, first + 1);
    }
}

/// Whatever the store knows that is replaced: nobody who has left is written to again.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_left_since_the_backup_stays_away_when_it_is_restored() {
    let site = blog();
    for name in ["cat", "dan", "eve"] {
        site.ok(&format!("subscribers add {name}@example.org"));
    }
    site.ok("backup copy.db");
    site.ok("subscribers add late@example.org");
    let later = "2036-01-01T00:00:00Z".parse().unwrap();
    let store = open(&url(&site, "gazetted.db"), now()).await.unwrap();
    // Links were made after the backup.
    store.secret("tokens", [7; 32]).await.unwrap();
    let id = async |email: &str| store.subscriber_by_key(email).await.unwrap().unwrap().id;
    for (email, state) in [
        ("ada@example.org", State::Unsubscribed),
        ("late@example.org", State::Unsubscribed),
        ("bo@example.org", State::Suppressed),
    ] {
        assert!(store.move_subscriber(id(email).await, state, "link", later).await.unwrap());
    }
    assert!(store.erase_subscriber(id("cat@example.org").await, later).await.unwrap());
    let (dan, new) = (id("dan@example.org").await, Address::parse("dan@new.example").unwrap());
    store.ask_to_move(dan, &new, jiff::civil::date(2036, 1, 1), later).await.unwrap();
    assert_eq!(store.move_address(dan, &new.key, later).await.unwrap(), Moved::Now);
    drop(store);

    let restored = site.json("restore copy.db --replace");
    assert_eq!(restored["taken_over"], serde_json::json!({"left": 3, "forgotten": 1, "moved": 1}));
    // Not even a list from before brings them back.
    site.save(
        "list.csv",
        "email\nada@example.org\nbo@example.org\ncat@example.org\ndan@example.org\nlate@example.org\n",
    );
    site.ok("subscribers import list.csv");
    let people = site.json("subscribers list");
    let mut active: Vec<&str> = people
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["state"] == "active")
        .map(|one| one["email"].as_str().unwrap())
        .collect();
    active.sort_unstable();
    assert_eq!(active, ["dan@new.example", "eve@example.org"]);
    site.ok("digest resume --restored");
    site.ok("outbox flush");
    assert!(site.mails().is_empty(), "the edition was for those who have left");

    // What was taken over is known the next time, too.
    let said = site.ok("restore copy.db --replace").out;
    assert!(
        said.contains("taken over from the store before: 3 left or suppressed, 1 forgotten, 1 with another address"),
        "{said}"
    );
    // A store that cannot be read says nothing of anybody.
    site.save(
        "gazetted.db",
        "not a database at all, but long enough to have a header of one hundred bytes. ".repeat(20),
    );
    let said = site.ok("restore copy.db --replace").out;
    assert!(said.contains("whoever has left, bounced or was forgotten since is in it as they were"), "{said}");
}

#[test]
fn a_damaged_backup_is_refused_and_nothing_has_changed() {
    let site = blog();
    site.ok("backup copy.db");
    let mut bytes = std::fs::read(site.path("copy.db")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0x5a);
    site.save("torn.db", &bytes);
    site.save("empty.db", "");
    site.save("text.db", "not a database at all, but long enough to have a header of one hundred bytes. ".repeat(20));
    for (name, why) in [
        ("torn.db", "damaged"),
        ("text.db", "damaged"),
        ("empty.db", "no store of gazetted"),
        ("none.db", "there is no"),
    ] {
        let refused = site.run(&format!("restore {name} --replace"));
        assert_eq!(refused.code, 1, "{name}");
        assert!(refused.err.contains(why), "{name}: {}", refused.err);
        assert!(site.ok("subscribers list").out.contains("ada@example.org"));
    }
    assert_eq!(site.files("").iter().filter(|name| name.contains("before-")).count(), 0);
}

#[tokio::test]
async fn a_backup_of_either_database_can_be_restored_into_the_other() {
    let Some(server) = postgres::fresh_database().await else { return };
    let site = blog();
    site.ok("backup copy.db");
    let with_server = |command: &str| {
        let mut run = site.command(&command.split(' ').collect::<Vec<_>>());
        let done = run.env("GAZETTED_STORE__URL", &server).output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        (done.status.code(), said)
    };
    let (code, said) = with_server("restore copy.db");
    assert_eq!(code, Some(0), "{said}");
    assert!(with_server("subscribers list").1.contains("ada@example.org"));
    assert!(with_server("digest list").1.contains("resume --restored"));
    let (code, said) = with_server("backup from-server.db");
    assert_eq!(code, Some(0), "{said}");
    site.ok("restore from-server.db --replace");
    assert!(site.ok("subscribers list").out.contains("ada@example.org"));
    // A server with something in it is not filled over.
    assert_eq!(with_server("restore copy.db").0, Some(1));
}

#[test]
fn a_store_that_was_moved_sends_nothing_and_the_new_one_does() {
    let site = blog();
    let said = site.ok(&format!("store copy {}", url(&site, "new.db"))).out;
    assert!(said.contains("stands by from now on"), "{said}");
    assert_eq!(site.run("outbox flush").code, 1);
    // What was left is no store to go on with, nor one to copy from.
    let again = site.run(&format!("store copy {}", url(&site, "third.db")));
    assert_eq!(again.code, 1);
    assert!(again.err.contains("stands by"), "{}", again.err);
    assert!(site.mails().is_empty());
    site.save("gazetted.toml", site.read("gazetted.toml") + &format!("[store]\nurl = \"{}\"\n", url(&site, "new.db")));
    site.ok("outbox flush");
    assert_eq!(site.mails().len(), 2);
}

#[test]
fn a_move_that_fails_leaves_the_old_store_at_work() {
    let (site, other) = (blog(), blog());
    let refused = site.run(&format!("store copy {}", url(&other, "gazetted.db")));
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("is not empty"), "{}", refused.err);
    site.ok("outbox flush");
    assert_eq!(site.mails().len(), 2);
}

/// What is left of a store that somebody removed by hand would be played into the next one.
#[tokio::test]
async fn a_log_that_was_left_behind_is_not_played_into_what_is_restored() {
    let site = blog();
    site.ok("backup copy.db");
    let mut db = SqliteConnectOptions::new().filename(site.path("gazetted.db")).connect().await.unwrap();
    sqlx::query("PRAGMA wal_autocheckpoint = 0").execute(&mut db).await.unwrap();
    for nr in 0..500 {
        let sql = "INSERT INTO subscribers (key, email, state, source, created_at, changed_at) VALUES ($1, $1, 'active', 'cli', 1, 1)";
        sqlx::query(sql).bind(format!("late{nr}@example.org")).execute(&mut db).await.unwrap();
    }
    let log = std::fs::read(site.path("gazetted.db-wal")).unwrap();
    db.close().await.unwrap();
    site.remove("gazetted.db");
    site.save("gazetted.db-wal", log);
    site.ok("restore copy.db");
    let people = site.ok("subscribers list").out;
    assert!(people.contains("ada@example.org") && !people.contains("late"), "{people}");
    assert_eq!(site.run("outbox flush").code, 1, "it stands by");
}

#[test]
fn a_migration_can_be_looked_at_before_it_is_done() {
    let site = site().config("");
    assert!(site.ok("migrate --dry-run").out.contains("there is no store"));
    assert!(!site.exists("gazetted.db"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(crate::upgrade::old_file(&site.path("gazetted.db"), 3));
    let before = std::fs::read(site.path("gazetted.db")).unwrap();
    let said = site.ok("migrate --dry-run").out;
    assert!(said.contains("would go from schema 3 to "), "{said}");
    assert!(said.contains("\n  4: several nodes\n") && said.contains("nothing has changed"), "{said}");
    assert_eq!(std::fs::read(site.path("gazetted.db")).unwrap(), before);
    assert!(site.ok("migrate").out.contains("went from schema 3 to "));
    assert!(site.exists("gazetted.db.schema-3"), "what it was is kept");
    assert!(site.ok("migrate").out.contains("is up to date"));
}
