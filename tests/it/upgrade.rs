//! A store that an older version made is brought up to date when it is opened, and loses nothing. One test a schema and database;
//! the older schema is the step that made it, and rows as that version wrote them.

use std::io::Write as _;
use std::sync::Arc;

use gazetted::config::OnDoubt;
use gazetted::domain::delivery::State as DeliveryState;
use gazetted::domain::subscriber::{Choice, Event, State};
use gazetted::store::{SharedStore, StoreError, open, outlook};
use jiff::{Timestamp, ToSpan as _};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection};

use crate::postgres;

fn now() -> Timestamp {
    "2026-11-24T09:00:00Z".parse().unwrap()
}

/// What every migration of the first version wrote beside its tables, and some rows.
const ROWS: &str = "
    CREATE TABLE schema_version (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL);
    INSERT INTO schema_version VALUES (1, 0);
    INSERT INTO meta VALUES ('created_at', '2021-05-01T00:00:00Z');
    INSERT INTO subscribers (key, email, name, state, source, created_at, changed_at) VALUES
        ('ann@example.org', 'Ann@example.org', 'Ann', 'active', 'cli', 1000000, 2000000),
        ('bo@example.org', 'bo@example.org', NULL, 'unsubscribed', 'import:old.csv', 1000000, 3000000);
    INSERT INTO editions VALUES ('2021-05', 'open', 'Notes', 'text', 'html', '{}', 1, 4000000, NULL);
    INSERT INTO deliveries (edition, subscriber, email, name, state, attempts, fence, queued_at, due_at, reply, changed_at) VALUES
        ('2021-05', 1, 'Ann@example.org', 'Ann', 'deferred', 2, 3, 4000000, 5000000, '450 later', 6000000),
        ('2021-05', 2, 'bo@example.org', NULL, 'accepted', 1, 1, 4000000, NULL, '250 ok', 6000000);
";

async fn is_whole(store: SharedStore) {
    let ann = store.subscriber_by_key("ann@example.org").await.unwrap().unwrap();
    assert_eq!((ann.state, ann.choice, ann.name.as_deref()), (State::Active, Choice::default(), Some("Ann")));
    let bo = store.subscriber_by_key("bo@example.org").await.unwrap().unwrap();
    let history: Vec<Event> = store.history(bo.id).await.unwrap().into_iter().map(|h| h.event).collect();
    assert_eq!(history, [Event::Added, Event::Unsubscribed]);
    assert_eq!(store.deliveries_to(bo.id).await.unwrap()[0].reply.as_deref(), Some("250 ok"));
    let claims = store.claim("node", 10, now(), now() + 5.minutes()).await.unwrap();
    let claimed: Vec<_> = claims.iter().map(|c| (c.key.edition.to_string(), c.attempt, c.variant.as_str())).collect();
    assert_eq!(claimed, [("2021-05".to_owned(), 3, "")]);
    assert_eq!(store.outbox_counts().await.unwrap().of(DeliveryState::Accepted), 1);
    assert_eq!(store.created_at().await.unwrap().to_string(), "2021-05-01T00:00:00Z");
    // What was there before is nobody's news.
    assert_eq!(store.queue_calls(&[("https://a.example".into(), vec!["added".into()])], now()).await.unwrap(), 0);
}

/// What a node of the last schema without a list had in its hands when it died.
async fn knows_what_was_on_the_wire(store: &SharedStore, schema: usize) {
    if schema != 9 {
        return;
    }
    let counts = store.outbox_counts().await.unwrap();
    assert_eq!((counts.of(DeliveryState::Claimed), counts.of(DeliveryState::InData)), (2, 1));
    let doubtful = store.recover(None, OnDoubt::Hold, now()).await.unwrap();
    assert_eq!(doubtful.iter().map(|key| key.subscriber).collect::<Vec<_>>(), [4]);
    let counts = store.outbox_counts().await.unwrap();
    assert_eq!((counts.of(DeliveryState::Queued), counts.of(DeliveryState::Held)), (1, 1));
}

/// The steps as they were shipped: they never change.
macro_rules! steps {
    ($database:literal) => {
        [
            include_str!(concat!("../../src/store/migrations/", $database, "/0001_ledger.sql")),
            include_str!(concat!("../../src/store/migrations/", $database, "/0002_subscribers.sql")),
            include_str!(concat!("../../src/store/migrations/", $database, "/0003_bounces.sql")),
            include_str!(concat!("../../src/store/migrations/", $database, "/0004_nodes.sql")),
            include_str!(concat!("../../src/store/migrations/", $database, "/0005_feeds.sql")),
            include_str!(concat!("../../src/store/migrations/", $database, "/0006_websub.sql")),
            include_str!(concat!("../../src/store/migrations/", $database, "/0007_letters.sql")),
            include_str!(concat!("../../src/store/migrations/", $database, "/0008_admin.sql")),
            include_str!(concat!("../../src/store/migrations/", $database, "/0009_gists.sql")),
            include_str!(concat!("../../src/store/migrations/", $database, "/0010_wire.sql")),
        ]
    };
}

/// What came with a schema, as the version that had it as its last wrote it.
fn rows_of(schema: usize) -> &'static str {
    match schema {
        1 => ROWS,
        2 => "INSERT INTO variants VALUES ('2021-05', 'de:0', 'Notizen', 'Text', 'html')",
        3 => {
            "INSERT INTO bounces (at, subscriber, edition, source, class, words, mark)
                VALUES (1, 2, '2021-05', 'pipe', 'resting', 'full', 'm')"
        }
        4 => "INSERT INTO holds VALUES ('relay', 1, 'too many')",
        5 => "INSERT INTO feed_archives VALUES ('atom.xml', 1, '[\"a\"]')",
        6 => {
            "INSERT INTO announcements (path, hub, hash, changed_at) VALUES ('atom.xml', 'https://hub.example', 'h', 1)"
        }
        7 => "INSERT INTO letters VALUES ('k', 'nudge', 's', 't', 'h', 'en', 1)",
        8 => "INSERT INTO acts (at, who, act, subject, detail) VALUES (1, 'cli', 'a', 's', 'd')",
        9 => {
            "INSERT INTO deliveries (edition, subscriber, kind, rank, email, state, attempts, fence, node, lease_until, queued_at, changed_at) VALUES
                ('2021-05', 3, 'edition', 3, 'cy@example.org', 'claimed', 1, 4, 'dead', 7000000, 4000000, 6000000),
                ('2021-05', 4, 'edition', 3, 'di@example.org', 'in_data', 1, 5, 'dead', 7000000, 4000000, 6000000)"
        }
        _ => "DELETE FROM wire",
    }
}

/// The statements that bring an empty database to a schema, with what each version left in it.
fn history(steps: &[&'static str], schema: usize) -> Vec<String> {
    let mut all = Vec::new();
    for (nr, step) in (1..=schema).zip(steps) {
        all.push((*step).to_owned());
        all.push(rows_of(nr).to_owned());
        if nr > 1 {
            all.push(format!("INSERT INTO schema_version VALUES ({nr}, 0)"));
        }
    }
    all
}

/// A database file as a version left it.
pub async fn old_file(file: &std::path::Path, schema: usize) {
    let mut old = SqliteConnectOptions::new().filename(file).create_if_missing(true).connect().await.unwrap();
    for statements in history(&steps!("sqlite"), schema) {
        old.execute(sqlx::AssertSqlSafe(statements)).await.unwrap();
    }
    old.close().await.unwrap();
}

/// Its statements are for a schema that would be gone, in the middle of an edition.
#[tokio::test]
async fn a_file_that_an_older_daemon_works_with_stays_as_it_is_until_that_one_ends() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gazetted.db");
    old_file(&file, 9).await;
    let url = format!("sqlite:{}", file.display());
    let mut lock = std::fs::File::create(folder.path().join("gazetted.db.lock")).unwrap();
    lock.write_all(b"gazetted run, pid 7").unwrap();
    lock.lock().unwrap();
    let Err(StoreError::Held(said)) = open(&url, now()).await else { panic!("opened") };
    assert!(
        said.ends_with("is in use by gazetted run, pid 7, and this version has to change its schema first"),
        "{said}"
    );
    assert_eq!(outlook(&url).await.unwrap().schema, Some(9));
    drop(lock);
    is_whole(open(&url, now()).await.unwrap()).await;
}

#[tokio::test]
async fn a_database_file_of_any_earlier_schema_loses_nothing_and_is_kept_as_it_was() {
    for schema in 1..=steps!("sqlite").len() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gazetted.db");
        old_file(&file, schema).await;
        let store = open(&format!("sqlite:{}", file.display()), now()).await.unwrap();
        is_whole(Arc::clone(&store)).await;
        knows_what_was_on_the_wire(&store, schema).await;
        let kept = folder.path().join(format!("gazetted.db.schema-{schema}"));
        assert_eq!(kept.exists(), schema < steps!("sqlite").len(), "{schema}");
    }
}

#[tokio::test]
async fn a_postgresql_database_of_any_earlier_schema_loses_nothing() {
    for schema in 1..=steps!("postgres").len() {
        let Some(url) = postgres::fresh_database().await else { return };
        let mut old = PgConnection::connect(&url).await.unwrap();
        for statements in history(&steps!("postgres"), schema) {
            old.execute(sqlx::AssertSqlSafe(statements)).await.unwrap();
        }
        old.close().await.unwrap();
        let store = open(&url, now()).await.unwrap();
        is_whole(Arc::clone(&store)).await;
        knows_what_was_on_the_wire(&store, schema).await;
    }
}
