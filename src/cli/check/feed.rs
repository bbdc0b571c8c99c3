//! One feed, read from a file or asked for as a feed reader does; what it is checked for is decided in the domain.

use crate::cli::error::Failure;
use crate::cli::{feed_source, open};
use crate::daemon::reader::Reader;
use crate::daemon::web::Web;
use crate::domain::feed_check::http;
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
    let heard = Reader::default().heard(&web, &answer).await;
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
