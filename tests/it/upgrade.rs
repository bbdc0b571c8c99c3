//! A store that an older version made is brought up to date when it is opened, and loses nothing. One test a schema and database;
//! the older schema is the step that made it, and rows as that version wrote them.

use gazetted::domain::delivery::State as DeliveryState;
use gazetted::domain::subscriber::{Choice, Event, State};
use gazetted::store::{SharedStore, open};
use jiff::Timestamp;
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
    let claims = store.claim("node", 10, now(), now()).await.unwrap();
    let claimed: Vec<_> = claims.iter().map(|c| (c.key.edition.to_string(), c.attempt, c.variant.as_str())).collect();
    assert_eq!(claimed, [("2021-05".to_owned(), 3, "")]);
    assert_eq!(store.outbox_counts().await.unwrap().of(DeliveryState::Accepted), 1);
    assert_eq!(store.created_at().await.unwrap().to_string(), "2021-05-01T00:00:00Z");
    // What was there before is nobody's news.
    assert_eq!(store.queue_calls(&[("https://a.example".into(), vec!["added".into()])], now()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_database_file_of_the_first_schema_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gazetted.db");
    let mut old = SqliteConnectOptions::new().filename(&file).create_if_missing(true).connect().await.unwrap();
    old.execute(include_str!("../../src/store/migrations/sqlite/0001_ledger.sql")).await.unwrap();
    old.execute(ROWS).await.unwrap();
    old.close().await.unwrap();
    let url = format!("sqlite:{}", file.display());
    is_whole(open(&url, now()).await.unwrap()).await;
}

#[tokio::test]
async fn a_postgresql_database_of_the_first_schema_loses_nothing() {
    let Some(url) = postgres::fresh_database().await else { return };
    let mut old = PgConnection::connect(&url).await.unwrap();
    old.execute(include_str!("../../src/store/migrations/postgres/0001_ledger.sql")).await.unwrap();
    old.execute(ROWS).await.unwrap();
    old.close().await.unwrap();
    is_whole(open(&url, now()).await.unwrap()).await;
}
