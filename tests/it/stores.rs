//! A store of each kind for one test, and the macro that asks both of them the same.

use gazetted::store::{SharedStore, open};
use jiff::Timestamp;

use crate::postgres;

fn now() -> Timestamp {
    "2026-11-01T09:00:00Z".parse().unwrap()
}

/// A store of its own for one test.
pub struct Fixture {
    pub store: SharedStore,
    pub url: String,
    _folder: Option<tempfile::TempDir>,
}

pub async fn on_sqlite() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("gazetted.db").display());
    let store = open(&url, now()).await.unwrap();
    store.secret("tokens", [7; 32]).await.unwrap();
    Fixture { store, url, _folder: Some(folder) }
}

pub async fn on_postgres() -> Option<Fixture> {
    let url = postgres::fresh_database().await?;
    let store = open(&url, now()).await.unwrap();
    store.secret("tokens", [7; 32]).await.unwrap();
    Some(Fixture { store, url, _folder: None })
}

/// Each of these tests runs once against each store.
macro_rules! conformance {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::on_sqlite().await).await;
            })+
        }
        mod postgresql {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(fixture) = super::on_postgres().await {
                    super::$name(fixture).await;
                }
            })+
        }
    };
}
