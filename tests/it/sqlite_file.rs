//! What only a store that is a file can suffer.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use gazetted::domain::subscriber::State;
use gazetted::store::{NewSubscriber, SharedStore, StoreError, open};
use jiff::Timestamp;

fn now() -> Timestamp {
    "2026-11-01T09:00:00Z".parse().unwrap()
}

fn url(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

async fn fill(store: &SharedStore) {
    let reader = |n| NewSubscriber {
        email: format!("reader{n}@example.org"),
        key: format!("reader{n}@example.org"),
        name: Some("x".repeat(50)),
        state: State::Active,
        source: "test".into(),
    };
    let readers: Vec<_> = (0..2_000).map(reader).collect();
    store.add_subscribers(&readers, false, now()).await.unwrap();
}

/// A database in one file: a backup has no log beside it.
async fn filled(folder: &Path) -> PathBuf {
    let store = open(&url(&folder.join("original.db")), now()).await.unwrap();
    fill(&store).await;
    let file = folder.join("copy.db");
    store.backup(&file, now()).await.unwrap();
    file
}

fn overwrite(file: &Path, at: u64, bytes: &[u8]) {
    let mut file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

async fn assert_damaged(file: &Path, how: &str) {
    match open(&url(file), now()).await {
        Err(StoreError::Damaged(sentence)) => assert!(sentence.contains("restore it from a backup"), "{sentence}"),
        Err(other) => panic!("{how}: {other:?}"),
        Ok(_) => panic!("{how}: was opened"),
    }
}

#[tokio::test]
async fn a_damaged_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = filled(folder.path()).await;
    let whole = std::fs::metadata(&file).unwrap().len();

    let flipped = folder.path().join("flipped.db");
    std::fs::copy(&file, &flipped).unwrap();
    overwrite(&flipped, 0, b"sqlite");
    assert_damaged(&flipped, "another header").await;

    let cut = folder.path().join("cut.db");
    std::fs::copy(&file, &cut).unwrap();
    std::fs::OpenOptions::new().write(true).open(&cut).unwrap().set_len(whole / 2 + 100).unwrap();
    assert_damaged(&cut, "half of the file").await;

    let overwritten = folder.path().join("overwritten.db");
    std::fs::copy(&file, &overwritten).unwrap();
    overwrite(&overwritten, 4096, &[0xa5; 12_288]);
    assert_damaged(&overwritten, "pages overwritten").await;

    let text = folder.path().join("text.db");
    std::fs::File::create(&text).unwrap().write_all(b"this is no database, but some text\n").unwrap();
    assert_damaged(&text, "a text file").await;
}

#[tokio::test]
async fn a_flipped_byte_is_refused_or_harmless_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let file = filled(folder.path()).await;
    let whole = std::fs::metadata(&file).unwrap().len();
    let mut refused = 0;
    for n in 0..60u64 {
        let at = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % whole;
        let copy = folder.path().join(format!("flip{n}.db"));
        std::fs::copy(&file, &copy).unwrap();
        let mut byte = [0];
        let mut original = std::fs::File::open(&copy).unwrap();
        original.seek(SeekFrom::Start(at)).unwrap();
        original.read_exact(&mut byte).unwrap();
        overwrite(&copy, at, &[byte[0] ^ 0xff]);
        match open(&url(&copy), now()).await {
            Ok(store) => drop(store.subscribers(None, None, 10_000).await),
            Err(_) => refused += 1,
        }
        std::fs::remove_file(&copy).unwrap();
    }
    println!("{refused} of 60 flipped bytes were noticed");
}

#[tokio::test]
async fn a_backup_is_the_whole_database_in_one_file_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = filled(folder.path()).await;
    let original = folder.path().join("original.db");
    for path in [&original, &file] {
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
    let restored = open(&url(&file), now()).await.unwrap();
    assert_eq!(restored.subscriber_counts().await.unwrap()["active"], 2_000);
    let Err(StoreError::NotWritable(_)) = restored.backup(&original, now()).await else {
        panic!("a file was overwritten")
    };
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let Err(StoreError::NotWritable(sentence)) = open(&url(&folder.path().join("no/such/where.db")), now()).await
    else {
        panic!("opened")
    };
    assert!(sentence.contains("no/such/where.db"), "{sentence}");
    // The one that a clone of a site lacks is made.
    drop(open(&url(&folder.path().join(".gazetted/gazetted.db")), now()).await.unwrap());
    let made = std::fs::metadata(folder.path().join(".gazetted")).unwrap();
    assert_eq!(made.permissions().mode() & 0o777, 0o700);
    let Err(StoreError::Url(_)) = open("mysql://x", now()).await else { panic!("opened") };
}

#[tokio::test]
async fn a_busy_database_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gazetted.db");
    let store = open(&url(&file), now()).await.unwrap();
    let other = sqlx::SqlitePool::connect(&url(&file)).await.unwrap();
    let writing = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let filled = tokio::spawn(async move { fill(&store).await });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    writing.rollback().await.unwrap();
    filled.await.unwrap();
}
