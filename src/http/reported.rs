//! How many people read a feed through a service that fetches it once for all of them: the number it names in its
//! `User-Agent`. Keeps the newest number of each service for each feed, and nothing of who sent it. Anybody can name any
//! number, so it is what services say, and no more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use memchr::memmem;

use crate::domain::hash;

/// A service that has not come for so long reads the feed no more.
const FORGOTTEN: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Feeds times services. The real ones are about twenty.
const MOST: usize = 4_000;
/// Of one service, for one feed: some have several fetchers, each with a part of the readers.
const MOST_PARTS: usize = 16;
const LONGEST_NAME: usize = 32;
/// What browsers call themselves, and many programs after them.
const NO_SERVICE: &str = "mozilla";
/// Digits of a number that can be true.
const LONGEST_NUMBER: usize = 8;

/// What a service says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Report {
    service: String,
    /// Which part of its readers it speaks of.
    part: u128,
    readers: u32,
}

type Key = (Arc<str>, String);
type Parts = BTreeMap<u128, (u32, Timestamp)>;

#[derive(Debug, Default)]
pub struct Reported(Mutex<BTreeMap<Key, Parts>>);

impl Reported {
    /// Of a feed by its name. Most programs say nothing of readers; they cost a look at the header.
    pub fn hear(&self, feed: &str, agent: &str, now: Timestamp) {
        let Some(report) = report(agent) else { return };
        // Whole at any time.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (Arc::from(format!("/{feed}")), report.service);
        if !known.contains_key(&key) && known.len() >= MOST {
            forget(&mut known, now);
            if known.len() >= MOST {
                return;
            }
        }
        let parts = known.entry(key).or_default();
        if !parts.contains_key(&report.part) && parts.len() >= MOST_PARTS {
            let oldest = parts.iter().min_by_key(|(_, (_, at))| *at).map(|(part, _)| *part);
            oldest.map(|part| parts.remove(&part));
        }
        parts.insert(report.part, (report.readers, now));
    }

    /// Feed, service, readers.
    pub fn all(&self, now: Timestamp) -> Vec<(Arc<str>, String, u64)> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        forget(&mut known, now);
        let sum = |parts: &Parts| parts.values().map(|(readers, _)| u64::from(*readers)).sum();
        known.iter().map(|((feed, service), parts)| (Arc::clone(feed), service.clone(), sum(parts))).collect()
    }
}

fn forget(known: &mut BTreeMap<Key, Parts>, now: Timestamp) {
    known.retain(|_, parts| {
        parts.retain(|_, (_, at)| now.duration_since(*at) < FORGOTTEN);
        !parts.is_empty()
    });
}

fn report(agent: &str) -> Option<Report> {
    let readers = readers(agent)?;
    let service = service(agent)?;
    Some(Report { service, part: part(agent), readers })
}

/// The number before `subscribers` or `readers`.
fn readers(agent: &str) -> Option<u32> {
    let places = ["subscriber", "reader"].into_iter().flat_map(|word| memmem::find_iter(agent.as_bytes(), word));
    places.filter_map(|at| agent.get(..at)).find_map(|before| {
        let before = before.strip_suffix(' ')?;
        let start = before.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, ',' | '.')).len();
        let number = before[start..].trim_start_matches([',', '.']);
        // As people write thousands; what has another point or comma is another number.
        let mut groups = number.split(',').skip(1);
        let digits = groups.all(|group| group.len() == 3).then(|| number.replace(',', ""))?;
        digits.parse().ok().filter(|_| digits.len() <= LONGEST_NUMBER)
    })
}

/// The first word that is not what every browser calls itself.
fn service(agent: &str) -> Option<String> {
    let own = agent.split_once("(compatible; ").map_or(agent, |(_, own)| own);
    let end = own.find(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).unwrap_or(own.len());
    let name = own[..end].trim_matches(['.', '-', '_']);
    let is_one = |name: &String| (1..=LONGEST_NAME).contains(&name.len()) && name != NO_SERVICE;
    Some(name.to_ascii_lowercase()).filter(is_one)
}

/// `feed-id:12`, `feed-id=12`, `feedId: 12`, or the host that it names: many run the same program. Kept as a fingerprint.
fn part(agent: &str) -> u128 {
    let after = ["feed-id", "feedId", "feed_id"].iter().find_map(|word| agent.split_once(word));
    let id = after.map(|(_, rest)| rest.trim_start_matches([':', '=', ' ']));
    let id = id.and_then(|id| id.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).next());
    id.or_else(|| host(agent)).map_or(0, |id| hash::of(id.as_bytes()))
}

fn host(agent: &str) -> Option<&str> {
    let (_, address) = agent.split_once("://")?;
    address.split(|c: char| !(c.is_ascii_alphanumeric() || "-.:[]".contains(c))).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_services_say_is_understood() {
        for (agent, expected) in [
            ("Feedbin feed-id:1373711 - 142 subscribers", Some(("feedbin", 142))),
            (
                "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 14 subscribers; like FeedFetcher-Google)",
                Some(("feedly", 14)),
            ),
            (
                "NewsBlur Feed Fetcher - 5 subscribers - http://www.newsblur.com/site/1/a (Mozilla/5.0 AppleWebKit)",
                Some(("newsblur", 5)),
            ),
            (
                "Mozilla/5.0 (compatible; inoreader.com-like FeedFetcher; 3 subscribers)",
                Some(("inoreader.com-like", 3)),
            ),
            ("Inoreader/1.0 (+http://www.inoreader.com/feed-fetcher; 26 subscribers; )", Some(("inoreader", 26))),
            ("Mozilla/5.0 (compatible; theoldreader.com; 10 subscribers; feed-id=4f)", Some(("theoldreader.com", 10))),
            ("Bloglovin/1.0 (http://www.bloglovin.com; 12 subscribers)", Some(("bloglovin", 12))),
            ("Mozilla/5.0 (compatible; BazQux/2.4; +https://bazqux.com/fetcher; 3 subscribers)", Some(("bazqux", 3))),
            ("Feedspot/1.0 (+https://www.feedspot.com/fs/fetcher; 1 subscriber; like X)", Some(("feedspot", 1))),
            ("LiveJournal.com (webmaster@livejournal.com; for a; 1 readers)", Some(("livejournal.com", 1))),
            ("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/149.0", None),
            ("FeedReader 3.14", None),
            ("curl/7.88.1", None),
            ("99999999999 subscribers", None),
            ("- 5 subscribers", None),
            ("A -5 subscribers", Some(("a", 5))),
            ("subscribers", None),
            ("X 1,234 subscribers", Some(("x", 1_234))),
            ("X (1,234,567 subscribers)", Some(("x", 1_234_567))),
            ("X 12,34 subscribers", None),
            ("X 1.234 subscribers", None),
            ("X, 5 subscribers", Some(("x", 5))),
            ("Mozilla/5.0 (Windows NT 10.0) 12 readers like it", None),
            ("é 5 subscribers", None),
            ("", None),
        ] {
            let found = report(agent);
            let found = found.as_ref().map(|report| (report.service.as_str(), report.readers));
            assert_eq!(found, expected, "{agent}");
        }
    }

    #[test]
    fn the_newest_number_of_each_part_counts_until_it_is_forgotten() {
        let (reported, at) = (Reported::default(), |hour: i64| Timestamp::from_second(hour * 3600).unwrap());
        for (agent, hour) in [
            ("Feedbin feed-id:1 - 100 subscribers", 0),
            ("Feedbin feed-id:1 - 90 subscribers", 24),
            ("Feedbin feed-id:2 - 5 subscribers", 30),
            ("Feedly/1.0 (7 subscribers)", 0),
            ("CommaFeed/4 (https://one.example/x; 3 subscribers)", 0),
            ("CommaFeed/4 (https://other.example; 4 subscribers)", 0),
            ("CommaFeed/5 (https://other.example; 5 subscribers)", 1),
        ] {
            reported.hear("feed.xml", agent, at(hour));
        }
        let said = |hour| {
            let all = reported.all(at(hour));
            all.iter().map(|(feed, service, readers)| format!("{feed} {service} {readers}")).collect::<Vec<_>>()
        };
        assert_eq!(said(31), ["/feed.xml commafeed 8", "/feed.xml feedbin 95", "/feed.xml feedly 7"]);
        assert_eq!(said(7 * 24), ["/feed.xml commafeed 5", "/feed.xml feedbin 95"]);
        assert_eq!(said(7 * 24 + 24), ["/feed.xml feedbin 5"]);
        assert!(said(9 * 24).is_empty());
    }

    #[test]
    fn whoever_makes_up_names_or_parts_takes_no_more_room() {
        let (reported, now) = (Reported::default(), Timestamp::UNIX_EPOCH);
        for made_up in 0..MOST + 100 {
            reported.hear("feed.xml", &format!("a{made_up} 5 subscribers"), now);
            reported.hear("atom.xml", &format!("a feed-id:{made_up} 5 subscribers"), now);
        }
        let all = reported.all(now);
        assert_eq!(all.len(), MOST);
        assert!(all.iter().all(|(_, _, readers)| *readers <= 5 * MOST_PARTS as u64));
    }
}
