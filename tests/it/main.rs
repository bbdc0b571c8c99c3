//! Everything that needs more than one module, in one binary.

mod http;
mod outbox;
mod postgres;
mod smtp_server;
mod sqlite_file;
mod store_conformance;
