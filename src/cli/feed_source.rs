//! A feed that a command is given by its file or its address, and how it is come by: as a feed reader would.

use std::path::Path;

use super::error::Failure;
use crate::config::bounded;
use crate::daemon::reader::Reader;
use crate::daemon::web::{Answer, Web, WebError};
use crate::domain::feed_document::MOST_BYTES;

pub fn is_address(feed: &str) -> bool {
    feed.starts_with("http://") || feed.starts_with("https://")
}

pub fn file(feed: &str) -> Result<Vec<u8>, Failure> {
    let bytes = bounded::bytes(Path::new(feed), MOST_BYTES as u64).map_err(|error| {
        let hint = "expected a feed's file, or its address with `http://` or `https://`";
        Failure::failed(format!("`{feed}` cannot be read: {error}"), hint)
    })?;
    if bytes.starts_with(&GZIP) {
        return Err(Failure::failed(format!("`{feed}` is packed with gzip"), "unpack it first: `gunzip --keep`"));
    }
    Ok(bytes)
}

/// How whatever is packed with gzip begins (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];

pub async fn fetched(web: &Web, address: &str) -> Result<Answer, Failure> {
    web.ask(&Reader::default().ask(address)).await.map_err(|error| {
        let hint = match error {
            WebError::TooLong(_) => "no feed reader takes so much: shorten the feed",
            WebError::TooManyRedirects(_) => "readers give up, too: let the address lead to the feed",
            _ => "is the address right, and the server up?",
        };
        Failure::failed(format!("`{address}` cannot be fetched: {error}"), hint)
    })
}
