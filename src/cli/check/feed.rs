//! One feed, read from a file or asked for as a feed reader does; what it is checked for is decided in the domain.

use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use axum::http::{HeaderMap, HeaderName};

use crate::cli::error::Failure;
use crate::cli::{feed_source, open};
use crate::daemon::web::{Answer, Ask, Web};
use crate::domain::feed_check::http::{self, Heard};
use crate::domain::feed_check::{Verdict, check as check_document};
use crate::domain::problem::Problem;

/// All problems of a feed, and how many entries it has.
pub async fn check(feed: &str) -> Result<(Vec<Problem>, usize), Failure> {
    if feed_source::is_address(feed) {
        return at(feed).await;
    }
    let bytes = feed_source::file(feed)?;
    let Verdict { problems, entries, .. } = check_document(feed, &bytes, None, open::now());
    Ok((problems, entries))
}

async fn at(feed: &str) -> Result<(Vec<Problem>, usize), Failure> {
    let web = Web::new()?;
    let answer = feed_source::fetched(&web, feed).await?;
    let heard = heard(&web, &answer).await;
    let now = open::now();
    let mut verdict = check_document(feed, &answer.body, Some(&answer.address), now);
    let said = http::check(feed, &heard, &answer.body, &verdict, now);
    // What is no feed because the server said so needs no second sentence.
    if verdict.no_feed && said.iter().any(Problem::is_error) {
        verdict.problems.clear();
    }
    let problems = said.into_iter().chain(verdict.problems).collect();
    Ok((problems, verdict.entries))
}

/// What the server says, and to each validator when it is asked again.
async fn heard(web: &Web, answer: &Answer) -> Heard {
    let address = answer.address.as_str();
    let etag = text(&answer.headers, ETAG);
    let date = text(&answer.headers, LAST_MODIFIED);
    let mut heard = Heard {
        status: answer.status.as_u16(),
        headers: headers(&answer.headers),
        redirects: answer.redirects.iter().map(|(status, to)| (status.as_u16(), to.to_string())).collect(),
        ..Heard::default()
    };
    if heard.status != 200 {
        return heard;
    }
    if let Some(etag) = &etag {
        heard.by_etag = status(web, &feed_source::ask(address).header(IF_NONE_MATCH, etag)).await;
    }
    if let Some(date) = &date {
        heard.by_date = status(web, &feed_source::ask(address).header(IF_MODIFIED_SINCE, date)).await;
    }
    let packed = || feed_source::ask(address).header(ACCEPT_ENCODING, "gzip");
    if let Ok(compressed) = web.ask(&packed()).await {
        let there = compressed.headers.contains_key(CONTENT_ENCODING);
        if let Some(etag) = text(&compressed.headers, ETAG).filter(|_| there) {
            heard.by_compressed_etag = status(web, &packed().header(IF_NONE_MATCH, &etag)).await;
        }
    }
    heard
}

async fn status(web: &Web, ask: &Ask) -> Option<u16> {
    Some(web.ask(&ask.clone().status_only()).await.ok()?.status.as_u16())
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

fn headers(all: &HeaderMap) -> Vec<(String, String)> {
    let one = |(name, value): (&HeaderName, &axum::http::HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    all.iter().map(one).collect()
}
