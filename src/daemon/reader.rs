//! A feed asked for as feed readers do: with what they accept, and again with the validators it came with.

use std::time::Duration;

use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, USER_AGENT,
};
use axum::http::{HeaderMap, HeaderName};

use super::web::{Answer, Ask, Web};
use crate::domain::feed_check::http::Heard;
use crate::domain::feed_document::MOST_BYTES;

const WANTED: &str =
    "application/feed+json, application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.8";
const PATIENCE: Duration = Duration::from_secs(30);

/// Who asks; without a name, gazetted itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reader {
    pub agent: Option<&'static str>,
    pub patience: Option<Duration>,
}

impl Reader {
    #[must_use]
    pub fn ask(self, address: &str) -> Ask {
        let ask = Ask::get(address).header(ACCEPT, WANTED).most(MOST_BYTES).patience(self.patience.unwrap_or(PATIENCE));
        match self.agent {
            Some(agent) => ask.header(USER_AGENT, agent),
            None => ask,
        }
    }

    /// What the server says, and to each validator when it is asked again.
    pub async fn heard(self, web: &Web, answer: &Answer) -> Heard {
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
            heard.by_etag = status(web, self.ask(address).header(IF_NONE_MATCH, etag)).await;
        }
        if let Some(date) = &date {
            heard.by_date = status(web, self.ask(address).header(IF_MODIFIED_SINCE, date)).await;
        }
        let packed = || self.ask(address).header(ACCEPT_ENCODING, "gzip");
        if let Ok(compressed) = web.ask(&packed()).await {
            heard.compressed = compressed.headers.contains_key(CONTENT_ENCODING);
            if let Some(etag) = text(&compressed.headers, ETAG).filter(|_| heard.compressed) {
                heard.by_compressed_etag = status(web, packed().header(IF_NONE_MATCH, &etag)).await;
            }
        }
        heard
    }
}

async fn status(web: &Web, ask: Ask) -> Option<u16> {
    Some(web.ask(&ask.status_only()).await.ok()?.status.as_u16())
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
