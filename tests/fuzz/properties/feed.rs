//! Feeds that others wrote: read or refused in their place, and what was read comes back from what we write of it.

use gazetted::domain::feed_check::check;
use gazetted::domain::feed_document::{self, FeedDocument, MOST_ENTRIES, Unreadable};
use gazetted::domain::feed_format::Format;
use gazetted::domain::plain;
use gazetted::render::feed::{Entry, Feed, write};
use jiff::Timestamp;
use url::Url;

use super::assert_one_line;

pub fn is_read_and_written_the_same(data: &[u8]) {
    let from = Url::parse("https://a.example/feed.xml").expect("an address");
    let now = Timestamp::from_second(1_700_000_000).expect("in range");
    let verdict = check("feed.xml", data, Some(&from), now);
    for problem in &verdict.problems {
        assert_one_line(&problem.to_string());
    }
    let read = feed_document::read(data, Some(&from));
    match &read {
        Ok(document) => assert_sound(document, data),
        Err(Unreadable::Syntax { line, message, .. }) => {
            assert!(*line <= 2 * data.len() + 2, "line {line}: {message}");
            assert_one_line(message);
        }
        Err(_) => {}
    }
    if let Ok(document) = read {
        comes_back(&document);
    }
}

fn assert_sound(document: &FeedDocument, data: &[u8]) {
    assert!(document.entries.len() <= MOST_ENTRIES);
    assert!(document.entries.len() * 4 <= data.len(), "{} entries of {} bytes", document.entries.len(), data.len());
    assert_one_line(&document.title);
    document.entries.iter().for_each(|entry| assert_one_line(&entry.title));
}

/// Written in each format and read again, the entries are who they were.
fn comes_back(document: &FeedDocument) {
    let feed = feed(document);
    for format in [Format::Rss, Format::Atom, Format::Json] {
        let bytes = write(&feed, format).unwrap_or_else(|error| panic!("{format:?}: {error}"));
        let again = feed_document::read(&bytes, None).unwrap_or_else(|error| panic!("{format:?}: {error}"));
        let ids = |document: &FeedDocument| document.entries.iter().map(|e| e.id.clone()).collect::<Vec<_>>();
        let expected: Vec<_> = feed.entries.iter().map(|entry| Some(entry.id.clone())).collect();
        assert_eq!((again.format, ids(&again)), (format, expected));
        for (entry, wanted) in again.entries.iter().zip(&feed.entries) {
            assert_eq!(entry.published, Some(wanted.published), "{format:?}");
        }
    }
}

fn feed(document: &FeedDocument) -> Feed {
    let entry = |(n, entry): (usize, &feed_document::Entry)| {
        let published = entry.published.unwrap_or(Timestamp::UNIX_EPOCH);
        // What RSS writes has no fractions, and no years of five digits.
        let latest = Timestamp::from_second(250_000_000_000).expect("in range");
        let published = Timestamp::from_second(published.as_second()).unwrap_or_default();
        let published = published.clamp(Timestamp::UNIX_EPOCH, latest);
        let id = plain::line(entry.id.as_deref().unwrap_or_default());
        Entry {
            id: format!("{id}#{n}"),
            url: format!("https://a.example/{n}"),
            title: entry.title.clone(),
            published,
            updated: published,
            authors: Vec::new(),
            terms: vec![entry.title.clone()],
            summary: entry.title.clone(),
            html: Some(plain::lines(&entry.title).into_owned()),
            language: None,
            image: None,
            enclosure: None,
        }
    };
    Feed {
        id: "https://a.example/".into(),
        title: document.title.clone(),
        description: document.title.clone(),
        language: "en".into(),
        page: "https://a.example/".into(),
        addresses: [Format::Rss, Format::Atom, Format::Json].map(|f| (f, "https://a.example/feed".to_owned())).into(),
        author: None,
        updated: Timestamp::UNIX_EPOCH,
        entries: document.entries.iter().take(50).enumerate().map(entry).collect(),
        complete: true,
        archive: false,
        previous: None,
        current: None,
        stylesheet: None,
        tombstones: Vec::new(),
        hubs: Vec::new(),
    }
}
