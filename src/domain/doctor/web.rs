//! The daemon's pages and the feeds, as somebody outside meets them. Knows answers; makes no calls.

use jiff::Timestamp;

use super::relays::certificate_finding;
use super::{Finding, listed};
use crate::domain::certificate::Certificate;
use crate::domain::problem::Problem;

/// An answer, as far as it matters.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub status: u16,
    /// Where a redirect leads.
    pub location: Option<String>,
    pub media_type: String,
    /// Its beginning.
    pub body: String,
}

/// What came of a call.
pub type Called = Result<Answer, String>;

/// The daemon's pages.
#[derive(Debug, Clone)]
pub struct Pages {
    /// `http.url`, or `site.url`.
    pub url: String,
    pub live: Called,
    /// The way out of a reader who does not exist, with a genuine token: only who knows the store's key shows the button. `None`:
    /// there is no store yet, and so no key.
    pub genuine: Option<Called>,
    /// The same with a token that somebody made up, asked for and posted to.
    pub made_up: Called,
    pub posted: Called,
    /// Of the server, if it speaks TLS.
    pub certificate: Option<Result<(String, Certificate), String>>,
    /// Readers get mail.
    pub mails: bool,
}

const PASS_ON: &str = "have the web server pass everything below it to the daemon (deploy/nginx.conf), or say where the daemon \
    is: `url` below `[http]`";

/// What answers to the button on the page.
const BUTTON: &str = "value=\"One-Click\"";

#[must_use]
pub fn pages(pages: &Pages, now: Timestamp) -> Vec<Finding> {
    let url = &pages.url;
    let reached = live(url, &pages.live);
    let mut all = vec![reached.clone(), certificate(pages, now)];
    if reached.outcome == super::Outcome::Wrong {
        for rule in ["url-ours", "one-click", "one-click-post"] {
            all.push(Finding::skipped(rule, format!("`{url}` was not reached")));
        }
        return all;
    }
    all.push(ours(url, pages.genuine.as_ref()));
    all.push(one_click(pages));
    all.push(posted(url, &pages.posted));
    all
}

fn live(url: &str, called: &Called) -> Finding {
    match called {
        Ok(Answer { status: 200, body, .. }) if body.trim() == "live" => {
            Finding::right("url", format!("the daemon answers at `{url}`"))
        }
        Ok(answer) => {
            let words = format!("`{url}/livez` is not the daemon's: {}", told(answer));
            Finding::wrong("url", words, PASS_ON)
        }
        Err(words) => Finding::wrong(
            "url",
            format!("`{url}` does not answer: {words}"),
            "is `gazetted run` up, is the name in the DNS, and the port open?",
        ),
    }
}

fn told(answer: &Answer) -> String {
    match &answer.location {
        Some(to) => format!("status {}, which leads to `{to}`", answer.status),
        None => format!("status {}", answer.status),
    }
}

fn certificate(pages: &Pages, now: Timestamp) -> Finding {
    const RULE: &str = "url-certificate";
    match &pages.certificate {
        None => Finding::skipped(RULE, format!("`{}` is not https", pages.url)),
        Some(Err(words)) if pages.live.is_err() && !words.starts_with("TLS") => {
            Finding::skipped(RULE, format!("`{}` was not reached", pages.url))
        }
        Some(Err(words)) => Finding::wrong(
            RULE,
            format!("`{}`: {words}", pages.url),
            "have a certificate for this name: `certbot --nginx`, or a server that fetches one itself (deploy/Caddyfile)",
        ),
        Some(Ok((version, certificate))) => certificate_finding(RULE, &pages.url, version, certificate, now),
    }
}

fn ours(url: &str, genuine: Option<&Called>) -> Finding {
    const RULE: &str = "url-ours";
    match genuine {
        None => Finding::skipped(RULE, "there is no store yet, and no key to be known by"),
        Some(Ok(Answer { status: 200, body, .. })) if body.contains(BUTTON) => {
            Finding::right(RULE, format!("`{url}` knows this store's key"))
        }
        Some(Ok(answer)) => Finding::wrong(
            RULE,
            format!("`{url}` does not know this store's key ({}): links in mails are refused there", told(answer)),
            "is another gazetted, with another store, behind that address? `store.url` and `http.url` belong together",
        ),
        Some(Err(words)) => Finding::wrong(RULE, format!("`{url}`: {words}"), PASS_ON),
    }
}

fn one_click(pages: &Pages) -> Finding {
    const RULE: &str = "one-click";
    let url = &pages.url;
    if !url.starts_with("https://") {
        if !pages.mails {
            return Finding::skipped(RULE, "no mail is sent");
        }
        return Finding::wrong(
            RULE,
            format!("`{url}` is not https, and mail providers call no other address"),
            "put a web server with TLS before the daemon (deploy/nginx.conf), and `url = \"https://...\"` below `[http]`",
        );
    }
    match &pages.made_up {
        Ok(Answer { location: Some(to), .. }) => Finding::wrong(
            RULE,
            format!("`{url}/unsubscribe/...` leads to `{to}`, and mail providers follow nothing"),
            "name the address that answers itself: `url` below `[http]`",
        ),
        Ok(Answer { status: 404, media_type, .. }) if media_type.starts_with("text/html") => {
            Finding::right(RULE, format!("`{url}/unsubscribe/...` answers over https, without a detour"))
        }
        Ok(answer) => {
            Finding::wrong(RULE, format!("`{url}/unsubscribe/...` is not the daemon's: {}", told(answer)), PASS_ON)
        }
        Err(words) => Finding::wrong(RULE, format!("`{url}/unsubscribe/...`: {words}"), PASS_ON),
    }
}

fn posted(url: &str, called: &Called) -> Finding {
    const RULE: &str = "one-click-post";
    const LET: &str = "let POST to `/unsubscribe/` through from anybody: no login, no challenge, no redirect";
    match called {
        Ok(Answer { status: 404, location: None, .. }) => {
            Finding::right(RULE, format!("a POST to `{url}/unsubscribe/...` comes through (with a made-up token)"))
        }
        Ok(answer) => Finding::wrong(
            RULE,
            format!("a POST to `{url}/unsubscribe/...` does not come through: {}", told(answer)),
            LET,
        ),
        Err(words) => Finding::wrong(RULE, format!("a POST to `{url}/unsubscribe/...`: {words}"), LET),
    }
}

/// How a feed out there compares with the one that was written here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinship {
    Same,
    /// It has entries of ours.
    Older,
    Stranger,
    /// Nothing has been written here yet.
    NotWritten,
}

#[derive(Debug, Clone)]
pub struct Feed {
    pub address: String,
    /// What `gazetted check ADDRESS` finds; or why there is no answer.
    pub looked: Result<Looked, String>,
}

#[derive(Debug, Clone)]
pub struct Looked {
    pub status: u16,
    pub problems: Vec<Problem>,
    pub kinship: Kinship,
    pub by_etag: Option<u16>,
    pub by_date: Option<u16>,
    /// It comes compressed to who asks for that.
    pub gzip: bool,
}

/// One finding a rule over all feeds.
#[must_use]
pub fn feeds(feeds: &[Feed]) -> Vec<Finding> {
    if feeds.is_empty() {
        return Vec::new();
    }
    let named: Vec<String> = feeds.iter().map(|feed| format!("`{}`", feed.address)).collect();
    let mut all = vec![reached(feeds, &named), wall(feeds)];
    let seen: Vec<(&str, &Looked)> = feeds
        .iter()
        .filter_map(|f| Some((f.address.as_str(), f.looked.as_ref().ok()?)))
        .filter(|(_, l)| l.status == 200 && !walled(l))
        .collect();
    if seen.is_empty() {
        let rest = ["feed-ours", "feed-type", "feed-304", "feed-gzip", "feed-valid"];
        all.extend(rest.map(|rule| Finding::skipped(rule, "no feed was reached")));
        return all;
    }
    all.push(ours_too(&seen));
    all.push(typed(&seen));
    all.push(unchanged(&seen));
    all.push(packed(&seen));
    all.push(valid(&seen));
    all
}

fn walled(looked: &Looked) -> bool {
    looked.problems.iter().any(|problem| problem.code == "http-wall")
}

fn reached(feeds: &[Feed], named: &[String]) -> Finding {
    let bad = feeds.iter().find_map(|feed| match &feed.looked {
        Err(words) => Some(format!("`{}` does not answer: {words}", feed.address)),
        Ok(looked) if looked.status != 200 && !walled(looked) => {
            Some(format!("`{}`: status {}", feed.address, looked.status))
        }
        Ok(_) => None,
    });
    match bad {
        None => Finding::right("feed-reached", format!("{} answer", listed(named))),
        Some(words) => Finding::wrong(
            "feed-reached",
            words,
            "serve what is in `feeds.out` there, or say where it is served: `url` below `[feeds]`",
        ),
    }
}

fn wall(feeds: &[Feed]) -> Finding {
    let met = feeds.iter().find_map(|feed| Some((&feed.address, feed.looked.as_ref().ok().filter(|l| walled(l))?)));
    match met {
        None if feeds.iter().all(|feed| feed.looked.is_err()) => Finding::skipped("feed-wall", "no feed was reached"),
        None => Finding::right("feed-wall", "no feed asks whether its reader is human"),
        Some((address, looked)) => Finding::wrong(
            "feed-wall",
            format!("`{address}` asks whether a human is there (status {}), and feed readers are none", looked.status),
            "let the feeds' addresses through without a challenge: a rule for the path in your CDN's bot protection",
        ),
    }
}

fn ours_too(seen: &[(&str, &Looked)]) -> Finding {
    let of = |kinship| seen.iter().find(|(_, looked)| looked.kinship == kinship).map(|(address, _)| *address);
    if let Some(address) = of(Kinship::Stranger) {
        let words = format!("`{address}` has nothing of the feed in `feeds.out`: somebody else's, or another blog's");
        return Finding::wrong("feed-ours", words, "say where your feeds are served: `url` below `[feeds]`");
    }
    if let Some(address) = of(Kinship::NotWritten) {
        return Finding::skipped(
            "feed-ours",
            format!("nothing to compare `{address}` with: `gazetted build` writes it"),
        );
    }
    match of(Kinship::Older) {
        None => Finding::right("feed-ours", "what is served is what was written, byte for byte"),
        Some(address) => Finding::advice(
            "feed-ours",
            format!("`{address}` is another version than the one in `feeds.out`"),
            "if it stays so: deploy it, or have caches keep it for minutes only (or does something rewrite it?)",
        ),
    }
}

/// The first of these problems, if any feed has one.
fn first<'a>(seen: &[(&'a str, &'a Looked)], codes: &[&str]) -> Option<(&'a str, &'a Problem)> {
    seen.iter().find_map(|(address, looked)| {
        Some((*address, looked.problems.iter().find(|problem| codes.contains(&problem.code))?))
    })
}

fn typed(seen: &[(&str, &Looked)]) -> Finding {
    match first(seen, &["http-type", "http-charset"]) {
        None => Finding::right("feed-type", "each is served as what it is (`Content-Type`)"),
        Some((address, problem)) => {
            let remedy = problem.hint.clone().unwrap_or_default();
            Finding::wrong("feed-type", format!("`{address}`: {}", problem.message), remedy)
        }
    }
}

fn unchanged(seen: &[(&str, &Looked)]) -> Finding {
    let bad = seen.iter().find(|(_, l)| l.by_etag != Some(304) || l.by_date != Some(304));
    let Some((address, looked)) = bad else {
        return Finding::right("feed-304", "who has it already gets 304, by `ETag` and by `Last-Modified`");
    };
    let said = |name: &str, status: Option<u16>| match status {
        None => format!("it has no `{name}`"),
        Some(status) => format!("asked again by `{name}` it says {status}"),
    };
    let mut words = Vec::new();
    words.extend((looked.by_etag != Some(304)).then(|| said("ETag", looked.by_etag)));
    words.extend((looked.by_date != Some(304)).then(|| said("Last-Modified", looked.by_date)));
    Finding::wrong(
        "feed-304",
        format!("`{address}`: {}; readers fetch all of it each time", listed(&words)),
        "have the web server send `ETag` and `Last-Modified` and compare them (deploy/nginx.conf, deploy/apache.conf)",
    )
}

fn packed(seen: &[(&str, &Looked)]) -> Finding {
    match seen.iter().find(|(_, looked)| !looked.gzip) {
        None => Finding::right("feed-gzip", "they come compressed to who asks for it"),
        Some((address, _)) => Finding::advice(
            "feed-gzip",
            format!("`{address}` is never compressed: four times the bytes"),
            "have the web server compress XML and JSON: `gzip_types application/rss+xml application/atom+xml application/feed+json;`",
        ),
    }
}

fn valid(seen: &[(&str, &Looked)]) -> Finding {
    let bad = seen.iter().find_map(|(address, looked)| {
        let http = |problem: &&Problem| problem.is_error() && !problem.code.starts_with("http-");
        Some((*address, looked.problems.iter().find(http)?))
    });
    match bad {
        None => Finding::right("feed-valid", "feed readers can read them"),
        Some((address, problem)) => Finding::wrong(
            "feed-valid",
            format!("`{address}`, line {}: {}", problem.line.max(1), problem.message),
            format!("gazetted check {address}"),
        ),
    }
}

#[cfg(test)]
mod tests;
