//! The server, over a real socket, as readers, browsers, mailbox providers and strangers meet it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use gazetted::clock::Clock;
use gazetted::domain::goal::{self, Bounds, Spec};
use gazetted::domain::record::Record;
use gazetted::domain::subscriber::State as SubscriberState;
use gazetted::domain::token::{Keys, Purpose};
use gazetted::http::{Document, Limits, Medium, Published};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::house::*;

#[tokio::test]
async fn every_feed_comes_with_its_media_type_and_marks() {
    let house = House::new().await;
    for (path, media_type) in [
        ("/feed.xml", "application/rss+xml; charset=utf-8"),
        ("/tags/rust/atom.xml", "application/atom+xml; charset=utf-8"),
        ("/archive/1/atom.xml", "application/atom+xml; charset=utf-8"),
        ("/editions/atom.xml", "application/atom+xml; charset=utf-8"),
        ("/feed.json", "application/feed+json"),
        ("/feeds.opml", "text/x-opml; charset=utf-8"),
        ("/.well-known/feeds", "text/x-opml; charset=utf-8"),
    ] {
        let answer = house.get(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, media_type), "{path}");
        assert_eq!(answer.header("cache-control"), "public, max-age=3600");
        assert_eq!(answer.header("last-modified"), MODIFIED);
        assert!(answer.header("vary").starts_with("accept-encoding"), "{answer:?}");
        assert!(answer.header("etag").starts_with("W/\""), "{answer:?}");
        let head = house.ask("HEAD", path, &[], "").await;
        assert_eq!((head.status, head.body.len(), head.header("etag")), (200, 0, answer.header("etag")));
        assert_eq!(head.header("content-length"), answer.header("content-length"));
    }
}

#[tokio::test]
async fn a_reader_that_has_the_feed_is_told_so_and_no_other() {
    let house = House::new().await;
    let plain = house.get("/feed.xml").await;
    let tag = plain.header("etag").to_owned();
    let gzip = format!("{}-gzip\"", tag.trim_start_matches("W/").trim_end_matches('"'));
    for (headers, expected) in [
        (vec![], 200),
        (vec![format!("If-None-Match: {tag}")], 304),
        (vec![format!("If-None-Match: {}", &tag[2..])], 304),
        (vec![format!("If-None-Match: {gzip}")], 304),
        (vec![format!("If-None-Match: \"a\", {tag}")], 304),
        (vec!["If-None-Match: \"a\"".into(), format!("If-None-Match: {tag}")], 304),
        (vec!["If-None-Match: *".into()], 304),
        (vec!["If-None-Match: \"a\"".into()], 200),
        (vec![format!("If-Modified-Since: {MODIFIED}")], 304),
        (vec!["If-Modified-Since: Sat, 01 May 2021 09:59:59 GMT".into()], 200),
        (vec!["If-Modified-Since: Fri, 01 Jan 2038 00:00:00 GMT".into()], 200),
        (vec!["If-None-Match: \"a\"".into(), format!("If-Modified-Since: {MODIFIED}")], 200),
        (vec![format!("If-None-Match: {tag}"), "If-Modified-Since: rubbish".into()], 304),
        (vec![format!("If-None-Match: {tag}"), "Accept-Encoding: gzip".into()], 304),
    ] {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        for method in ["GET", "HEAD"] {
            let answer = house.ask(method, "/feed.xml", &headers, "").await;
            assert_eq!(answer.status, expected, "{method} {headers:?}");
            for mark in ["etag", "last-modified", "cache-control", "vary"] {
                assert_eq!(answer.header(mark), plain.header(mark), "{headers:?}");
            }
            assert!(answer.body.is_empty() || (method, expected) == ("GET", 200));
        }
    }
}

#[tokio::test]
async fn a_new_snapshot_changes_both_marks_of_what_changed_and_none_of_the_rest() {
    let house = House::new().await;
    let marks = |answer: &Answer| (answer.header("etag").to_owned(), answer.header("last-modified").to_owned());
    let (feed, opml) = (marks(&house.get("/feed.xml").await), marks(&house.get("/feeds.opml").await));
    let mut next = published();
    let same_second = "2021-05-01T10:00:00.5Z".parse().unwrap();
    next.documents.insert("feed.xml".into(), Document::new("<rss/>", "application/rss+xml", same_second));
    next.documents.get_mut("feeds.opml").unwrap().modified = now();
    house.shared.set(next);
    let new = marks(&house.get("/feed.xml").await);
    assert!(new.0 != feed.0 && new.1 != feed.1, "{new:?}");
    assert_eq!(marks(&house.get("/feeds.opml").await), opml);
}

#[tokio::test]
async fn a_date_to_come_is_never_told() {
    let mut ahead = published();
    ahead.documents.get_mut("feed.xml").unwrap().modified = "2041-01-01T00:00:00Z".parse().unwrap();
    let house = House::with(ahead, Limits::default(), Router::new()).await;
    let answer = house.get("/feed.xml").await;
    assert_eq!((answer.status, answer.header("last-modified")), (200, ""));
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_take_it() {
    let house = House::new().await;
    let packed = house.ask("GET", "/feed.xml", &["Accept-Encoding: br, gzip"], "").await;
    assert_eq!((packed.status, packed.header("content-encoding")), (200, "gzip"));
    assert!(packed.header("vary").starts_with("accept-encoding"), "{packed:?}");
    assert!(packed.body.len() < 500, "{} bytes", packed.body.len());
    let plain = house.get("/feed.xml").await;
    assert_eq!((plain.header("content-encoding"), plain.header("etag")), ("", packed.header("etag")));
    assert!(plain.text().starts_with("<rss>"));
}

#[tokio::test]
async fn the_pages_show_the_last_scan() {
    let house = House::new().await;
    for (path, media_type, words) in [
        ("/", "text/html; charset=utf-8", "One &lt;post&gt;"),
        ("/goal", "text/html; charset=utf-8", "The goal"),
        ("/goal.json", "application/json", "\"goals\""),
        ("/goal.svg", "image/svg+xml; charset=utf-8", "<svg"),
        ("/badge.svg", "image/svg+xml; charset=utf-8", "<svg"),
        ("/goal.ics", "text/calendar; charset=utf-8", "BEGIN:VCALENDAR"),
        ("/goal/goal", "text/html; charset=utf-8", "The goal"),
        ("/goal/goal.json", "application/json", "\"goals\""),
        ("/goal/goal.svg", "image/svg+xml; charset=utf-8", "<svg"),
        ("/goal/goal.ics", "text/calendar; charset=utf-8", "BEGIN:VCALENDAR"),
        ("/badge/goal.svg", "image/svg+xml; charset=utf-8", "height=\"20\""),
        ("/badge/goal.svg?size=large&show=streak", "image/svg+xml; charset=utf-8", "height=\"96\""),
        ("/style.css", "text/css; charset=utf-8", ".gz-chart"),
        ("/editions/", "text/html; charset=utf-8", "/editions/2021-05"),
        ("/editions", "text/html; charset=utf-8", "/editions/2021-05"),
        ("/editions/2021-05", "text/html; charset=utf-8", "The digest"),
        ("/livez", "text/plain; charset=utf-8", "live"),
        ("/readyz", "text/plain; charset=utf-8", "ready"),
    ] {
        let answer = house.get(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, media_type), "{path}");
        assert!(answer.text().contains(words), "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn an_edition_that_was_called_off_is_not_shown() {
    let house = House::new().await;
    for path in ["/editions/2021-04", "/editions/2021-03", "/editions/2021-5", "/editions/x", "/editions/2021-05/"] {
        assert_eq!(house.get(path).await.status, 404, "{path}");
    }
    assert!(!house.get("/editions/").await.text().contains("2021-04"));
}

#[tokio::test]
async fn a_feed_that_a_person_opens_is_shown_and_not_saved() {
    let house = House::new().await;
    for (path, own) in [("/feed.xml", "application/rss+xml; charset=utf-8"), ("/feed.json", "application/feed+json")] {
        assert_eq!(house.get(path).await.header("content-type"), own);
    }
    let opened = house.ask("GET", "/feed.xml", &["Sec-Fetch-Dest: document"], "").await;
    assert_eq!(opened.header("content-type"), "text/xml; charset=utf-8");
    assert_eq!(opened.header("vary"), "accept-encoding, sec-fetch-dest");
    let script = house.ask("GET", "/feed.xml", &["Sec-Fetch-Dest: empty"], "").await;
    assert_eq!(script.header("content-type"), "application/rss+xml; charset=utf-8");
}

#[tokio::test]
async fn what_moved_is_found_and_what_was_taken_back_is_gone() {
    let house = House::new().await;
    for (path, to) in [("/rss.xml", "/feed.xml"), ("/tags/rust", "/tags/rust/")] {
        let answer = house.get(path).await;
        assert_eq!((answer.status, answer.header("location")), (301, to), "{path}");
    }
    let page = house.get("/tags/rust/").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    let gone = house.get("/2021/05/07/gone/").await;
    assert_eq!(gone.status, 410);
    assert!(gone.text().contains("taken back"), "{}", gone.text());
    assert_eq!(house.get("/2021/05/07/gone/more").await.status, 404);
}

#[tokio::test]
async fn each_of_several_goals_has_its_page_and_each_period_its_posts() {
    let spec = |name: &str, slug: &str| Spec {
        name: name.into(),
        slug: slug.into(),
        since: Some(jiff::civil::date(2021, 5, 1)),
        ..Spec::default()
    };
    let record = |name, slug| Record {
        status: goal::status(&spec(name, slug), &[], &TimeZone::UTC, now(), Bounds::default()),
        ..Record::default()
    };
    let goals = vec![record("goal", "goal"), record("Ann <1>", "ann-1")];
    let house = House::with(Published { goals, ..published() }, Limits::default(), Router::new()).await;
    let all = house.get("/goal").await.text().to_owned();
    assert!(
        all.contains("href=\"/goal/goal\"") && all.contains("href=\"/goal/ann-1\"") && all.contains("Ann &lt;1&gt;")
    );
    let one = house.get("/goal/ann-1").await.text().to_owned();
    assert!(one.contains("<h1>Ann &lt;1&gt;</h1>") && one.contains("href=\"/goal/ann-1/2021-05\""), "{one}");
    let data: serde_json::Value = serde_json::from_str(house.get("/goal/ann-1.json").await.text()).unwrap();
    assert_eq!((data["goals"].as_array().unwrap().len(), &data["goals"][0]["slug"]), (1, &"ann-1".into()));
    assert!(house.get("/badge/ann-1.svg?show=total").await.text().contains("Ann &lt;1&gt;: goal met"));
    let may = house.get("/goal/ann-1/2021-05").await;
    assert_eq!(may.status, 200);
    assert!(may.text().contains("Nothing was published") && may.text().contains("href=\"/goal/ann-1/2021-06\""));
    for path in
        ["/goal/bo", "/goal/ann-1.pdf", "/goal/ann-1/2020-05", "/goal/ann-1/never", "/badge/ann-1", "/badge/bo.svg"]
    {
        assert_eq!(house.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_blog_without_a_goal_says_so_kindly() {
    let house = House::with(Published { goals: Vec::new(), ..published() }, Limits::default(), Router::new()).await;
    for path in [
        "/goal",
        "/goal.json",
        "/goal.svg",
        "/badge.svg",
        "/goal.ics",
        "/goal/goal",
        "/badge/goal.svg",
        "/goal/goal/2021-05",
    ] {
        let answer = house.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text().contains("has not set itself a goal"), "{path}");
    }
    assert_eq!(house.get("/").await.status, 200);
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_protect_its_reader() {
    let house = House::new().await;
    let way_out = house.way_out();
    let large = "a=".repeat(20_000);
    let mut asked =
        vec![("POST", way_out.clone(), ONE_CLICK), ("POST", way_out.clone(), "no"), ("PUT", "/".into(), "")];
    asked.extend([("POST", "/feed.xml".into(), ""), ("OPTIONS", "/".into(), ""), ("TRACE", "/feed.json".into(), "")]);
    asked.extend([("POST", way_out.clone(), large.as_str()), ("HEAD", way_out.clone(), "")]);
    for path in [
        "/",
        "/feed.xml",
        "/feed.json",
        "/feeds.opml",
        "/.well-known/feeds",
        "/goal",
        "/goal.json",
        "/goal.svg",
        "/badge.svg",
        "/goal.ics",
        "/goal/goal",
        "/goal/goal.svg",
        "/goal/goal/2021-05",
        "/editions/",
        "/editions/2021-05",
        "/editions/x",
        "/style.css",
        "/livez",
        "/readyz",
        "/nowhere",
        "/unsubscribe/x",
        way_out.as_str(),
    ] {
        asked.push(("GET", path.to_owned(), ""));
    }
    for (method, path, body) in asked {
        let answer = house.ask(method, &path, &[FORM], body).await;
        let about = format!("{method} {path}: {}", answer.status);
        let policy = answer.header("content-security-policy");
        for part in ["default-src 'none'", "form-action", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{about}: {policy}");
        }
        let inline =
            ["/goal.svg", "/badge.svg", "/goal/goal.svg"].contains(&path.as_str()) || path == "/editions/2021-05";
        assert_eq!(policy.contains("unsafe-inline"), inline, "{about}");
        assert!(!policy.contains("script"), "{about}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{about}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{about}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{about}");
        assert_eq!((answer.header("server"), answer.header("set-cookie"), answer.header("location")), ("", "", ""));
        let hidden = path.starts_with("/unsubscribe/") || answer.status >= 400;
        assert_eq!(answer.header("x-robots-tag") == "noindex", hidden, "{about}");
        assert_eq!(answer.header("cache-control") == "no-store", hidden || path.ends_with('z'), "{about}");
        if answer.status >= 400 && method != "HEAD" {
            assert!(answer.text().contains("<h1>") && !answer.text().contains("gazetted"), "{about}");
        }
    }
}

#[tokio::test]
async fn wrong_methods_and_sizes_are_refused_with_a_page() {
    let house = House::new().await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
        for path in ["/", "/feed.xml", "/goal.json", "/editions/2021-05", "/livez"] {
            let answer = house.ask(method, path, &[], "").await;
            assert_eq!((answer.status, answer.header("allow")), (405, "GET,HEAD"), "{method} {path}");
        }
        assert_eq!(house.ask(method, "/nowhere", &[], "").await.status, 404);
    }
    assert_eq!(house.ask("PUT", &house.way_out(), &[], "").await.header("allow"), "GET,HEAD,POST");
    let announced = format!("POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000000\r\n\r\n", house.way_out());
    assert_eq!(house.raw(&announced).await.status, 413);
    let chunk = format!("5000\r\n{}\r\n0\r\n\r\n", "a".repeat(0x5000));
    let chunked = format!(
        "POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{chunk}",
        house.way_out()
    );
    assert_eq!(house.raw(&chunked).await.status, 413);
    assert_eq!(house.state().await, SubscriberState::Active);
}

/// Two readings of where a request ends would let one person's request begin inside another's.
#[tokio::test]
async fn a_request_whose_end_can_be_read_in_two_ways_is_refused_or_ends_the_connection() {
    let house = House::new().await;
    let hidden = "GET /feed.json HTTP/1.1\r\nHost: a\r\n\r\n";
    for framing in [
        "Content-Length: 0\r\nContent-Length: 43\r\n",
        "Content-Length: 0, 43\r\n",
        "Content-Length: +0\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 0\r\n Content-Length: 43\r\n",
        "Content-Length : 0\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 43\r\n",
        "Content-Length: 43\r\nTransfer-Encoding: chunked\r\n",
    ] {
        let mut stream = house.connect().await;
        let request = format!("POST {} HTTP/1.1\r\nHost: a\r\n{framing}\r\n0\r\n\r\n{hidden}", house.way_out());
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = Answer::read(&mut stream).await;
        assert_eq!(answer.status, 400, "{framing}");
        assert!(!answer.text().contains("HTTP/1.1"), "{framing}: {}", answer.text());
    }
}

#[tokio::test]
async fn no_path_leads_out_of_what_was_published() {
    let house = House::new().await;
    let steps =
        ["..", "%2e%2e", "%252e%252e", "..%2f", "..%5c", "..\\", ".", "", "....//", "%00", "%c0%ae%c0%ae", "..;"];
    let goals = ["etc/passwd", "gazetted.db", "feed.xml", "Cargo.toml", "%00", "a".repeat(5_000).leak()];
    for step in steps {
        for goal in goals {
            for depth in [1, 2, 8] {
                for start in ["/", "/tags/", "/tags/rust/", "/editions/", "/archive/1/"] {
                    let path = format!("{start}{}{goal}", format!("{step}/").repeat(depth));
                    let answer = house.get(&path).await;
                    assert!([400, 404].contains(&answer.status), "{path}: {}", answer.status);
                }
            }
        }
    }
}

/// What is asked for, the status, and where it has moved to.
async fn asked(house: &House, paths: &[(&str, u16, &str)]) {
    for (path, status, location) in paths {
        let answer = house.get(path).await;
        assert_eq!((answer.status, answer.header("location")), (*status, *location), "{path}");
    }
}

#[tokio::test]
async fn an_address_is_known_however_it_is_spelled_and_a_folder_by_its_feed() {
    let house = House::new().await;
    let mut next = published();
    for name in ["flux/été.xml", "my feed.xml", "rss/index.xml", "rss/index.json", "both/index.xml", "both/index.html"]
    {
        let kind = if name.ends_with("html") { "text/html" } else { "application/rss+xml" };
        next.documents.insert(name.into(), Document::new(name, kind, now()));
    }
    next.moved.insert("feed".into(), "feed.xml".into());
    next.gone.insert("/2021/é".into());
    house.shared.set(next);
    asked(
        &house,
        &[
            ("/flux/%C3%A9t%C3%A9.xml", 200, ""),
            ("/flux/%c3%a9t%c3%a9.xml", 200, ""),
            ("/my%20feed.xml", 200, ""),
            ("/my+feed.xml", 404, ""),
            ("/my%2520feed.xml", 404, ""),
            ("/flux/%E9t%E9.xml", 404, ""),
            ("/rss/", 200, ""),
            ("/rss", 301, "/rss/"),
            ("/feed/", 301, "/feed.xml"),
            ("/feed", 301, "/feed.xml"),
            ("/2021/%C3%A9/", 410, ""),
        ],
    )
    .await;
    assert_eq!(house.get("/both/").await.text(), "both/index.html");
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a test's files need no care")]
async fn a_blog_below_a_path_is_known_with_and_without_it() {
    let house = House::new().await;
    let sound = house.folder.path().join("1.mp3");
    std::fs::write(&sound, "sound").unwrap();
    let mut next = published();
    next.blog.feeds_path = "/feeds".into();
    next.blog.site_path = "/blog".into();
    let medium = Medium::new("audio/mpeg".into(), move || std::fs::File::open(&sound).ok());
    next.media.insert("/1.mp3".into(), medium);
    house.shared.set(next);
    asked(
        &house,
        &[
            ("/feed.xml", 200, ""),
            ("/feeds/feed.xml", 200, ""),
            ("/feeds/tags/rust/", 200, ""),
            ("/feedsfeed.xml", 404, ""),
            ("/feeds/feeds/feed.xml", 404, ""),
            ("/rss.xml", 301, "/feeds/feed.xml"),
            ("/feeds/rss.xml", 301, "/feeds/feed.xml"),
            ("/feeds/tags/rust", 301, "/feeds/tags/rust/"),
            ("/1.mp3", 200, ""),
            ("/blog/1.mp3", 200, ""),
            ("/2021/05/07/gone", 410, ""),
            ("/blog/2021/05/07/gone/", 410, ""),
        ],
    )
    .await;
}

#[tokio::test]
async fn looking_at_the_way_out_changes_nothing() {
    let house = House::new().await;
    let way_out = house.way_out();
    for _ in 0..100 {
        for (method, status) in [("GET", 200), ("HEAD", 200), ("OPTIONS", 405)] {
            assert_eq!(house.ask(method, &way_out, &[], "").await.status, status);
        }
    }
    assert_eq!(house.ask("GET", &format!("{way_out}?{ONE_CLICK}"), &[FORM], ONE_CLICK).await.status, 200);
    assert_eq!(house.state().await, SubscriberState::Active);
}

#[tokio::test]
async fn the_page_s_own_button_lets_the_reader_out() {
    let house = House::new().await;
    let page = house.get(&house.way_out()).await;
    assert!(page.text().contains(&format!("action=\"{}\"", house.way_out())), "{}", page.text());
    assert_eq!(page.text().matches("<button").count(), 1);
    assert!(page.text().contains("type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\""));
    assert_eq!(house.one_click(&house.way_out()).await.status, 200);
    assert_eq!(house.state().await, SubscriberState::Unsubscribed);
}

#[tokio::test]
async fn one_click_lets_the_reader_out_at_once_and_again_and_again() {
    let part = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
    for (content_type, body) in [(FORM, ONE_CLICK), ("Content-Type: multipart/form-data; boundary=b", part)] {
        let house = House::new().await;
        let first = house.ask("POST", &house.way_out(), &[content_type], body).await;
        assert_eq!((first.status, first.header("location"), first.header("set-cookie")), (200, "", ""));
        assert_eq!(house.state().await, SubscriberState::Unsubscribed);
        for _ in 0..3 {
            let again = house.ask("POST", &house.way_out(), &[content_type], body).await;
            assert_eq!(again.visible(), first.clone().visible());
        }
    }
}

#[tokio::test]
async fn whoever_was_suppressed_or_forgotten_is_thanked_and_stays_so() {
    let house = House::new().await;
    house.store.move_subscriber(house.reader, SubscriberState::Suppressed, "test", now()).await.unwrap();
    assert_eq!(house.one_click(&house.way_out()).await.status, 200);
    assert_eq!(house.state().await, SubscriberState::Suppressed);
    house.store.erase_subscriber(house.reader, now()).await.unwrap();
    assert_eq!(house.one_click(&house.way_out()).await.status, 200);
}

#[tokio::test]
async fn a_post_that_does_not_say_the_words_is_refused() {
    let house = House::new().await;
    for body in ["", "a=b", "List-Unsubscribe=", "List-Unsubscribe=Two-Clicks", "\0\0\0", "One-Click"] {
        let answer = house.ask("POST", &house.way_out(), &[FORM], body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.text().contains("Nothing was changed"));
    }
    assert_eq!(house.state().await, SubscriberState::Active);
}

#[tokio::test]
async fn whatever_is_wrong_with_a_token_the_answer_is_the_same() {
    let house = House::new().await;
    let good = keys().mint(Purpose::Unsubscribe, house.reader, None);
    let mut flipped = good.clone();
    flipped.replace_range(12..13, if &good[12..13] == "A" { "B" } else { "A" });
    let mut bad = vec![flipped, good[..good.len() - 1].to_owned(), format!("{good}A"), good.to_uppercase()];
    bad.extend(["x".into(), "%00".into(), "%ff".into(), "A".repeat(35), "A".repeat(3_000)]);
    bad.push(keys().mint(Purpose::Preferences, house.reader, None));
    bad.push(keys().mint(Purpose::Unsubscribe, house.reader, Timestamp::from_second(1).ok()));
    bad.push(Keys::new(&[8; 32], &[]).mint(Purpose::Unsubscribe, house.reader, None));
    let expected = house.get("/unsubscribe/y").await.visible();
    assert_eq!(expected.status, 404);
    for token in bad {
        let path = format!("/unsubscribe/{token}");
        assert_eq!(house.get(&path).await.visible(), expected, "{token}");
        assert_eq!(house.one_click(&path).await.visible(), expected, "{token}");
        assert_eq!(house.ask("POST", &path, &[FORM], "other").await.visible(), expected, "{token}");
    }
    assert_eq!(house.state().await, SubscriberState::Active);
}

#[tokio::test]
async fn it_is_ready_once_the_posts_were_read_and_alive_before() {
    let house = House::with(Published::nothing_yet(blog()), Limits::default(), Router::new()).await;
    assert_eq!(house.get("/livez").await.status, 200);
    let before = house.get("/readyz").await;
    assert_eq!((before.status, before.text()), (503, "not ready: the posts have not been read yet\n"));
    for path in ["/", "/feed.xml", "/goal", "/badge.svg", "/.well-known/feeds"] {
        let answer = house.get(path).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, "5"), "{path}");
    }
    assert_eq!(house.one_click(&house.way_out()).await.status, 200, "the way out is open at any time");
    house.shared.set(published());
    assert_eq!((house.get("/readyz").await.status, house.get("/feed.xml").await.status), (200, 200));
}

/// Breaks whatever asks it.
struct BrokenClock;

impl Clock for BrokenClock {
    fn now(&self) -> Timestamp {
        panic!("a bug in /srv/secret.rs")
    }
}

#[tokio::test]
async fn a_bug_is_a_page_that_tells_nothing_and_the_server_lives_on() {
    let house = House::at(Arc::new(BrokenClock), published(), Limits::default(), Router::new()).await;
    for path in ["/", "/feed.xml", "/goal.svg", "/editions/2021-05", &house.way_out()] {
        let answer = house.get(path).await;
        assert_eq!((answer.status, answer.header("cache-control")), (500, "no-store"), "{path}");
        assert!(answer.text().contains("That is our mistake") && !answer.text().contains("secret"), "{path}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
    }
    assert_eq!(house.get("/livez").await.status, 200);
}

#[tokio::test]
async fn a_broken_store_makes_it_unready_and_is_not_told_to_strangers() {
    let house = House::new().await;
    let options = SqliteConnectOptions::new().filename(house.folder.path().join("gazetted.db")).foreign_keys(false);
    let mut vandal = options.connect().await.unwrap();
    for table in ["meta", "subscribers", "editions"] {
        sqlx::query(sqlx::AssertSqlSafe(format!("DROP TABLE {table}"))).execute(&mut vandal).await.unwrap();
    }
    vandal.close().await.unwrap();
    let ready = house.get("/readyz").await;
    assert_eq!((ready.status, ready.text()), (503, "not ready: the store does not answer\n"));
    for answer in
        [house.one_click(&house.way_out()).await, house.get("/editions/").await, house.get("/editions/2021-05").await]
    {
        assert_eq!((answer.status, answer.header("retry-after")), (503, "60"));
        assert!(!answer.text().contains("table"), "{}", answer.text());
    }
    assert_eq!((house.get("/livez").await.status, house.get("/feed.xml").await.status), (200, 200));
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_token_and_no_address_is_ever_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // With one subscriber alone, whatever another test's thread logs first would be off for this one too.
    let _another = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(subscriber);
    let house = House::new().await;
    let way_out = house.way_out();
    let token = way_out.strip_prefix("/unsubscribe/").unwrap();
    house.get(&way_out).await;
    house.ask("POST", &way_out, &[FORM], "other").await;
    house.one_click(&way_out).await;
    for path in
        [format!("//unsubscribe/{token}"), format!("/{token}"), format!("{way_out}/more"), format!("/?t={token}")]
    {
        house.get(&path).await;
    }
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains(&format!("/unsubscribe/{}…", &token[..6])) && text.contains("unsubscribed"), "{text}");
    assert!(!text.contains(&token[..7]) && !text.contains("ann@example.org"), "{text}");
}

#[tokio::test]
async fn a_client_that_does_not_take_its_answer_makes_room_for_the_next() {
    let mut large = published();
    let bytes = vec![b'a'; 30_000_000];
    large.documents.insert("large.xml".into(), Document::new(bytes, "application/rss+xml", now()));
    let house = House::with(large, Limits { connections: 1, ..short() }, Router::new()).await;
    let mut greedy = house.connect().await;
    greedy.write_all(b"GET /large.xml HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_eq!(house.get("/livez").await.status, 200);
    let mut rest = Vec::new();
    let _ = greedy.read_to_end(&mut rest).await;
    assert!(rest.len() < 30_000_000);
}

fn short() -> Limits {
    let brief = Duration::from_millis(400);
    Limits { request: brief, idle: brief, stall: brief, ..Limits::default() }
}

/// Sends a byte now and then, and says how long it took the server to hang up.
async fn drip(stream: &mut TcpStream) -> Duration {
    let began = Instant::now();
    let mut rest = [0; 1024];
    while began.elapsed() < PATIENCE {
        let hung_up = tokio::time::timeout(Duration::from_millis(50), stream.read(&mut rest)).await;
        if matches!(hung_up, Ok(Ok(0) | Err(_))) || stream.write_all(b"a").await.is_err() {
            return began.elapsed();
        }
    }
    panic!("still connected")
}

#[tokio::test]
async fn a_client_that_sends_its_request_byte_by_byte_is_cut_off() {
    let house = House::with(published(), short(), Router::new()).await;
    let mut slow_header = house.connect().await;
    slow_header.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ").await.unwrap();
    let mut slow_body = house.connect().await;
    let head = format!("POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n", house.way_out());
    slow_body.write_all(head.as_bytes()).await.unwrap();
    let mut silent = house.connect().await;
    let (header, body) = tokio::join!(drip(&mut slow_header), drip(&mut slow_body));
    assert!(header < PATIENCE / 6 && body < PATIENCE / 6, "{header:?} {body:?}");
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(PATIENCE / 6, silent.read_to_end(&mut rest)).await.expect("hung up");
    assert_eq!(house.get("/livez").await.status, 200);
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request_and_closed_when_none_comes() {
    let house = House::with(published(), short(), Router::new()).await;
    let mut stream = house.connect().await;
    for _ in 0..3 {
        stream.write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut bytes = [0; 2048];
        let length = stream.read(&mut bytes).await.unwrap();
        assert_eq!(Answer::parse(&bytes[..length]).status, 200);
    }
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok() && rest.is_empty());
}

#[tokio::test]
async fn an_answer_under_way_is_finished_before_the_server_stops() {
    let (began, go) = (CancellationToken::new(), CancellationToken::new());
    let (entered, wait) = (began.clone(), go.clone());
    let slow = move || async move {
        entered.cancel();
        wait.cancelled().await;
        "done"
    };
    let house = House::with(published(), Limits::default(), Router::new().route("/slow", get(slow))).await;
    let mut stream = house.connect().await;
    let mut idle = house.connect().await;
    stream.write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    began.cancelled().await;
    house.stop.cancel();
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, idle.read_to_end(&mut rest)).await.expect("hung up");
    assert!(!house.served.is_finished());
    go.cancel();
    let answer = Answer::read(&mut stream).await;
    assert_eq!((answer.status, answer.text()), (200, "done"));
    tokio::time::timeout(PATIENCE, house.served).await.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(house.address).await.is_err(), "nobody is let in any more");
}

#[tokio::test]
async fn a_server_that_is_to_stop_does_not_wait_for_ever() {
    let limits = Limits { farewell: Duration::from_millis(100), ..Limits::default() };
    let stuck = || std::future::pending::<()>();
    let house = House::with(published(), limits, Router::new().route("/stuck", get(stuck))).await;
    let mut stream = house.connect().await;
    stream.write_all(b"GET /stuck HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    house.stop.cancel();
    tokio::time::timeout(PATIENCE, house.served).await.unwrap().unwrap().unwrap();
}
