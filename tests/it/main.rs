//! Everything that needs more than one module, in one binary.

#[macro_use]
mod stores;

mod api;
mod bounce;
mod bounce_conformance;
mod boxes;
mod browser;
mod check_feed;
mod cli;
mod corrections;
mod daemon;
mod dialects;
mod dkim;
mod faults;
mod feed_limits;
mod feed_readers;
mod feeds;
mod goal_agrees;
mod hostile;
mod house;
mod http;
mod judges;
mod languages;
mod letters_conformance;
mod looking;
mod moving_in;
mod nodes;
mod outbox;
mod people_conformance;
mod postgres;
mod preflight;
mod readers;
mod readme;
mod relays;
mod server;
mod site;
mod smtp_server;
mod sqlite_file;
mod store_conformance;
mod subscribers;
mod subscribing;
mod upgrade;
mod web_servers;
mod websub;
mod websub_conformance;
