//! How messages leave: over SMTP, through the machine's own `sendmail`, or as files, and the runner that empties the outbox; and the
//! boxes that bounces come to. Knows servers, sockets and leases;
//! not what a message says.

pub mod composer;
mod files;
pub mod imap;
pub mod maildir;
mod offers;
pub mod outbox;
mod sendmail;
mod session;
pub mod tls;
pub mod transport;
mod wire;

pub use wire::{Wire, stuffed};
