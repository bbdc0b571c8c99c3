//! What a server said of a feed: its type, its validators and whether they are believed, how long it may be kept. Knows answers, and
//! makes no calls.

use jiff::{SignedDuration, Timestamp};

use super::Verdict;
use crate::domain::feed_format::Format;
use crate::domain::problem::Problem;

/// What was heard.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    pub status: u16,
    /// In lower case.
    pub headers: Vec<(String, String)>,
    /// Each redirect, and where it led.
    pub redirects: Vec<(u16, String)>,
    /// What a second call with each validator got.
    pub by_etag: Option<u16>,
    pub by_date: Option<u16>,
    /// The same with the validator of the compressed answer, if there is one.
    pub by_compressed_etag: Option<u16>,
    /// It comes compressed to who asks for that.
    pub compressed: bool,
}

impl Heard {
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Words of those who ask whether one is a human.
const WALLS: [&str; 6] =
    ["just a moment", "attention required", "cf-challenge", "captcha", "checking your browser", "enable javascript"];

struct Rules<'a> {
    path: &'a str,
    problems: Vec<Problem>,
}

impl Rules<'_> {
    fn error(&mut self, code: &'static str, message: impl Into<String>, hint: &str) {
        self.problems.push(Problem::error(self.path, code, message).hint(hint));
    }

    fn warn(&mut self, code: &'static str, message: impl Into<String>, hint: &str) {
        self.problems.push(Problem::warning(self.path, code, message).hint(hint));
    }
}

/// Checks what was heard beside the verdict on the document itself.
#[must_use]
pub fn check(path: &str, heard: &Heard, body: &[u8], verdict: &Verdict, now: Timestamp) -> Vec<Problem> {
    let mut rules = Rules { path, problems: Vec::new() };
    redirects(heard, &mut rules);
    if is_wall(heard, body, verdict) {
        rules.error(
            "http-wall",
            format!("the server asks whether a human is there (status {})", heard.status),
            "feed readers are none: let the feed's address through, without a challenge",
        );
        return rules.problems;
    }
    if heard.status != 200 {
        rules.error(
            "http-status",
            format!("the server answered with status {}", heard.status),
            "readers show nothing of it; 200 was expected",
        );
        return rules.problems;
    }
    media_type(heard, verdict, &mut rules);
    validators(heard, now, &mut rules);
    keeping(heard, &mut rules);
    rules.problems
}

fn redirects(heard: &Heard, rules: &mut Rules<'_>) {
    for (status, to) in &heard.redirects {
        let what = format!("the address leads to `{to}` (status {status})");
        if matches!(status, 301 | 308) {
            rules.warn("http-redirect", what, "give people the new address, and keep the redirect for ever");
        } else {
            rules.warn(
                "http-redirect",
                what,
                "readers ask for both each time: answer 301 if it is meant to stay, else serve the feed here",
            );
        }
    }
    let secure = |address: &str| address.starts_with("https:");
    if heard.redirects.windows(2).any(|pair| secure(&pair[0].1) && !secure(&pair[1].1)) {
        rules.error("http-redirect", "a redirect leads from https back to http", "readers refuse that: lead to https");
    }
}

fn is_wall(heard: &Heard, body: &[u8], verdict: &Verdict) -> bool {
    if heard.header("cf-mitigated").is_some() {
        return true;
    }
    let head = String::from_utf8_lossy(&body[..body.len().min(20_000)]).to_lowercase();
    verdict.no_feed && head.contains("<html") && WALLS.iter().any(|words| head.contains(words))
}

fn media_type(heard: &Heard, verdict: &Verdict, rules: &mut Rules<'_>) {
    let Some(full) = heard.header("content-type") else {
        rules.warn("http-type", "the server does not say what it is (`Content-Type`)", "serve it with its own type");
        return;
    };
    let Some(format) = verdict.format else { return };
    let mut parts = full.split(';').map(str::trim);
    let bare = parts.next().unwrap_or_default().to_ascii_lowercase();
    let charset = parts.find_map(|part| part.to_ascii_lowercase().strip_prefix("charset=").map(str::to_owned));
    let right = match format {
        Format::Rss => {
            matches!(bare.as_str(), "application/rss+xml" | "text/xml" | "application/xml" | "application/rdf+xml")
        }
        Format::Atom => matches!(bare.as_str(), "application/atom+xml" | "text/xml" | "application/xml"),
        Format::Json => matches!(bare.as_str(), "application/feed+json" | "application/json"),
    };
    if !right {
        let message = format!("the server calls it `{bare}`");
        rules.warn("http-type", message, &format!("serve it as `{}`", format.media_type()));
    }
    let said = charset.as_deref().map(|charset| charset.trim_matches('"'));
    let known =
        said.and_then(|said| encoding_rs::Encoding::for_label(said.as_bytes())).map(encoding_rs::Encoding::name);
    match (said, verdict.encoding) {
        (Some(said), Some(encoding)) if known != Some(encoding) => {
            rules.error(
                "http-charset",
                format!("the server says `{said}`, and the document is {encoding}"),
                "have both say the same: best UTF-8",
            );
        }
        (None, _) if bare == "text/xml" => {
            rules.warn("http-charset", "`text/xml` without a charset means US-ASCII to some", "add `; charset=utf-8`");
        }
        _ => {}
    }
}

fn validators(heard: &Heard, now: Timestamp, rules: &mut Rules<'_>) {
    let (etag, modified) = (heard.header("etag"), heard.header("last-modified"));
    if etag.is_none() && modified.is_none() {
        rules.warn(
            "http-validator",
            "there is neither `ETag` nor `Last-Modified`",
            "readers fetch the whole feed each time: send both, changing together",
        );
    }
    let tries = [
        ("ETag", etag.is_some(), heard.by_etag),
        ("Last-Modified", modified.is_some(), heard.by_date),
        ("ETag of the compressed answer", heard.by_compressed_etag.is_some(), heard.by_compressed_etag),
    ];
    for (name, there, second) in tries {
        if let (true, Some(status)) = (there, second.filter(|status| *status != 304)) {
            let message = format!("asked again with the {name}, the server answered {status}, not 304");
            rules.warn("http-conditional", message, "readers fetch the whole feed each time: compare validators as they were sent (some servers add `-gzip` to them, and then do not know them)");
        }
    }
    let Some(modified) = modified else { return };
    match jiff::fmt::rfc2822::parse(modified) {
        Ok(instant)
            if instant.timestamp() > now.saturating_add(SignedDuration::from_mins(10)).unwrap_or(Timestamp::MAX) =>
        {
            rules.error(
                "http-modified",
                format!("`Last-Modified` is in the future: `{modified}`"),
                "readers believe it until then, or never",
            );
        }
        Ok(_) => {}
        Err(_) => rules.error(
            "http-modified",
            format!("`Last-Modified` is no date: `{modified}`"),
            "expected one like `Fri, 07 May 2021 10:00:00 GMT`",
        ),
    }
}

fn keeping(heard: &Heard, rules: &mut Rules<'_>) {
    let control = heard.header("cache-control").unwrap_or_default().to_ascii_lowercase();
    if control.contains("no-store") {
        rules.warn(
            "http-cache",
            "`Cache-Control: no-store` forbids to keep it",
            "readers then fetch all of it each time: `public, max-age=3600`",
        );
    }
    let age =
        control.split(',').find_map(|part| part.trim().strip_prefix("max-age=")?.trim_matches('"').parse::<u64>().ok());
    if age.is_some_and(|age| age > 86_400) {
        rules.warn(
            "http-cache",
            format!("`Cache-Control` lets it be kept for {} hours", age.unwrap_or_default() / 3_600),
            "a new post is seen that much later: `public, max-age=3600`",
        );
    }
    let expires = heard.header("expires").map(str::trim);
    if age.is_none() && matches!(expires, Some("0" | "-1")) {
        rules.warn(
            "http-cache",
            "`Expires` says that it is old already",
            "some readers then ignore ETag and Last-Modified: leave it out",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{RSS, now};
    use super::*;

    fn heard(change: impl Fn(&mut Heard), body: &str) -> String {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut heard = Heard {
            compressed: true,
            status: 200,
            headers: vec![
                header("content-type", "application/rss+xml; charset=utf-8"),
                header("etag", "W/\"1\""),
                header("last-modified", "Fri, 07 May 2021 10:00:00 GMT"),
                header("cache-control", "public, max-age=3600"),
            ],
            redirects: Vec::new(),
            by_etag: Some(304),
            by_date: Some(304),
            by_compressed_etag: Some(304),
        };
        change(&mut heard);
        let verdict = super::super::check("f", body.as_bytes(), None, now());
        let found = check("f", &heard, body.as_bytes(), &verdict, now());
        found.iter().map(|p| p.code).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_rule_of_http_is_held() {
        let set = |name: &'static str, value: &'static str| {
            move |heard: &mut Heard| {
                heard.headers.retain(|(known, _)| known != name);
                if !value.is_empty() {
                    heard.headers.push((name.to_owned(), value.to_owned()));
                }
            }
        };
        assert_eq!(heard(|_| {}, RSS), "");
        for (name, value, want) in [
            ("content-type", "", "http-type"),
            ("content-type", "text/html", "http-type"),
            ("content-type", "application/atom+xml", "http-type"),
            ("content-type", "text/xml", "http-charset"),
            ("content-type", "text/xml; charset=UTF-8", ""),
            ("content-type", "application/rss+xml; charset=iso-8859-1", "http-charset"),
            ("last-modified", "Fri, 07 May 2060 10:00:00 GMT", "http-modified"),
            ("last-modified", "yesterday", "http-modified"),
            ("cache-control", "no-store", "http-cache"),
            ("cache-control", "max-age=604800", "http-cache"),
            ("cf-mitigated", "challenge", "http-wall"),
        ] {
            assert_eq!(heard(set(name, value), RSS), want, "{name}: {value}");
        }
        assert_eq!(heard(|h| h.headers.truncate(1), RSS), "http-validator");
        assert_eq!(heard(|h| h.by_etag = Some(200), RSS), "http-conditional");
        assert_eq!(heard(|h| h.by_date = Some(200), RSS), "http-conditional");
        assert_eq!(heard(|h| h.by_compressed_etag = Some(200), RSS), "http-conditional");
        assert_eq!(heard(|h| h.status = 404, "<html>"), "http-status");
        assert_eq!(heard(|h| h.redirects.push((301, "https://b.example/".into())), RSS), "http-redirect");
        assert_eq!(heard(|h| h.redirects.push((302, "https://b.example/".into())), RSS), "http-redirect");
        let down =
            |h: &mut Heard| h.redirects = vec![(301, "https://b.example/".into()), (301, "http://b.example/".into())];
        assert_eq!(heard(down, RSS), "http-redirect http-redirect http-redirect");
        assert_eq!(heard(|h| h.status = 403, "<!doctype html><html><title>Just a moment...</title>"), "http-wall");
        assert_eq!(heard(|h| h.headers.retain(|(n, _)| n != "cache-control"), RSS), "");
        let expired = |h: &mut Heard| h.headers[3] = ("expires".into(), "0".into());
        assert_eq!(heard(expired, RSS), "http-cache");
    }
}
