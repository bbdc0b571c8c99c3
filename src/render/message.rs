//! The MIME message of one delivery: the edition's frozen text and HTML with the recipient's parts filled in, and the
//! headers of DESIGN §4.4. Deterministic: the same edition and recipient give the same bytes, so a retried mail is the
//! same mail.

use crate::domain::edition::Edition;

/// What every message of this blog has in common.
#[derive(Debug, Clone)]
pub struct Sender {
    /// `Name <address>`.
    pub from: String,
    pub reply_to: Option<String>,
    /// The blog's title and address.
    pub title: String,
    pub site_url: String,
    /// Where the daemon's pages are reached, without a trailing slash: the unsubscribe links start here.
    pub public_url: String,
    pub language: String,
    /// What tokens and ids are derived with.
    pub key: [u8; 32],
}

/// Whom one message goes to.
#[derive(Debug, Clone, Copy)]
pub struct Recipient<'a> {
    pub subscriber: i64,
    pub email: &'a str,
    pub name: Option<&'a str>,
}

/// A message ready for the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub message_id: String,
    /// The envelope: MAIL FROM and RCPT TO.
    pub return_path: String,
    pub recipient: String,
    /// CRLF lines, not dot-stuffed.
    pub bytes: Vec<u8>,
}

/// The message cannot be made: the address or a header is beyond what mail can carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MessageError(pub String);

pub fn compose(_sender: &Sender, _edition: &Edition, _to: Recipient<'_>) -> Result<Message, MessageError> {
    Err(MessageError("not yet".into()))
}
