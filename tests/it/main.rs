//! Everything that needs more than one module, in one binary.

mod api;
mod cli;
mod daemon;
mod dialects;
mod feeds;
mod hostile;
mod http;
mod languages;
mod outbox;
mod postgres;
mod readme;
mod site;
mod smtp_server;
mod sqlite_file;
mod store_conformance;
mod subscribers;
