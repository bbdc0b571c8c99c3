//! `gazetted check FEED`: what is wrong with a feed, from a file and over HTTP. Our own feeds have nothing wrong.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;

use serde_json::Value;

use super::site::{Site, site, text};

const HOSTILE: &str = "---\ntitle: \"Tom & Jerry: a < b\"\nauthor: Ada\ntags: [open source, Träffar]\n---\nA [link](/x) and <img src=\"i.png\" srcset=\"i.png 1x, j.png 2x\">\u{1d} &nbsp; ]]>\n\n<script>x</script><iframe src=\"https://b.example/\"></iframe>\n\n<p style=\"position:fixed\" onclick=\"x()\">x</p>\n";

fn feeds_of(site: &Site) -> Vec<String> {
    let is_feed = |name: &String| Path::new(name).extension().is_some_and(|e| e == "xml" || e == "json");
    site.files("public").into_iter().filter(is_feed).map(|name| format!("public/{name}")).collect()
}

#[test]
fn feeds_of_our_own_are_without_a_fault() {
    let hostile = site().post("2021-05-07-träffar.md", HOSTILE).post("2021-05-08-two.md", text("Two", "x"));
    for site in ["hugo", "jekyll", "zola"].map(Site::of).into_iter().chain([hostile]) {
        site.ok("build --out public");
        let feeds = feeds_of(&site);
        assert!(feeds.len() >= 3, "{feeds:?}");
        for feed in feeds {
            let mut found = site.run(&format!("check --json {feed}")).json();
            // Two posts of a fixture have the same date and no time: that is their author's.
            found.as_array_mut().unwrap().retain(|problem| problem["code"] != "updated-twice");
            assert_eq!(found, Value::Array(Vec::new()), "{feed}");
        }
    }
}

#[test]
fn a_fault_has_its_place_its_code_and_a_remedy() {
    let site = site();
    let feed = "<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\"><channel><title>t</title>\n<link>https://a.example/</link><description>d</description>\n<atom:link rel=\"self\" href=\"https://a.example/\"/>\n<item><title>x</title><guid>1</guid></item></channel></rss>";
    site.save("bad.xml", feed);
    let ran = site.run("check bad.xml");
    assert_eq!(ran.code, 1);
    assert!(ran.out.starts_with("bad.xml:4:23: error: the `guid` `1` says"), "{}", ran.out);
    assert!(ran.out.contains("\n    hint: write `isPermaLink=\"false\"`"), "{}", ran.out);
    assert_eq!(ran.err, "1 entry: 1 error, 0 warnings\n");
    let found = site.run("check --json bad.xml").json();
    assert_eq!(
        (&found[0]["code"], &found[0]["line"], &found[0]["severity"]),
        (&"guid-permalink".into(), &4.into(), &"error".into())
    );
    site.save("warned.xml", feed.replace("<guid>1</guid>", ""));
    assert_eq!(site.run("check warned.xml").code, 0);
    assert_eq!(site.run("check --strict warned.xml").code, 1);
    let missing = site.run("check none.xml");
    assert!(missing.code == 1 && missing.err.contains("hint: "), "{}", missing.err);
}

/// A server that answers each request by its head (all in lower case) until the test is over.
pub fn serve(answer: impl Fn(&str) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/feed.xml", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let lines = stream.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty());
            let head = lines.collect::<Vec<_>>().join("\n").to_lowercase();
            stream.get_mut().write_all(answer(&head).as_bytes()).unwrap();
        }
    });
    address
}

pub fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn codes(address: &str) -> Vec<String> {
    let found = site().run(&format!("check --json {address}")).json();
    found.as_array().unwrap().iter().map(|problem| problem["code"].as_str().unwrap().to_owned()).collect()
}

const FEED: &str = "<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\"><channel><title>t</title><link>https://a.example/</link><description>d</description><atom:link rel=\"self\" href=\"ADDRESS\"/></channel></rss>";
const GOOD: &str =
    "Content-Type: application/rss+xml\r\nETag: \"1\"\r\nLast-Modified: Fri, 07 May 2021 10:00:00 GMT\r\n";

#[test]
fn a_server_is_asked_again_with_what_it_gave() {
    let good = serve(|head| {
        let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned();
        let known = head.contains("if-none-match: \"1\"") || head.contains("if-modified-since: fri, 07 may 2021");
        let packed = if head.contains("accept-encoding: gzip") { "Content-Encoding: gzip\r\n" } else { "" };
        if known {
            return answer("304 Not Modified", GOOD, "");
        }
        answer("200 OK", &format!("{GOOD}{packed}"), &FEED.replace("ADDRESS", &format!("http://{host}/feed.xml")))
    });
    assert_eq!(codes(&good), Vec::<String>::new());
    // Adds `-gzip` and does not know it again, as Apache does; knows no dates.
    let apache = serve(|head| {
        if head.contains("if-none-match: \"1\"") {
            return answer("304 Not Modified", GOOD, "");
        }
        let headers = if head.contains("accept-encoding: gzip") {
            GOOD.replace("\"1\"", "\"1-gzip\"\r\nContent-Encoding: gzip")
        } else {
            GOOD.to_owned()
        };
        answer("200 OK", &headers, &FEED.replace("ADDRESS", "https://elsewhere.example/feed.xml"))
    });
    assert_eq!(codes(&apache), ["http-conditional", "http-conditional", "self-other"]);
}

#[test]
fn a_wall_a_redirect_and_a_wrong_type_are_told_apart() {
    let wall = serve(|_| {
        answer("403 Forbidden", "Content-Type: text/html\r\n", "<!doctype html><html><title>Just a moment...</title>")
    });
    assert_eq!(codes(&wall), ["http-wall"]);
    let missing = serve(|_| answer("404 Not Found", "Content-Type: text/html\r\n", "<!doctype html><p>none"));
    assert_eq!(codes(&missing), ["http-status"]);
    let page = serve(|_| answer("200 OK", "Content-Type: text/html\r\nETag: \"1\"\r\n", "<!doctype html><p>a page"));
    assert_eq!(codes(&page), ["http-conditional", "not-a-feed"]);
    let moved = serve(|head| {
        if head.starts_with("get /feed.xml") {
            return answer("302 Found", "Location: /other.xml\r\n", "");
        }
        answer("200 OK", "Content-Type: text/plain\r\n", FEED)
    });
    assert_eq!(codes(&moved), ["http-redirect", "http-type", "http-validator", "address-relative"]);
    let ran = site().run("check http://127.0.0.1:1/feed.xml");
    assert!(ran.code == 1 && ran.err.contains("cannot be fetched"), "{}", ran.err);
}
