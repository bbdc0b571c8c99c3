//! How messages leave: over SMTP or as files, and the runner that empties the outbox. Knows servers, sockets and leases;
//! not what a message says.

mod files;
pub mod outbox;
mod session;
mod tls;
pub mod transport;
mod wire;
