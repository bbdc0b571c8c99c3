//! gazetted: a feed and newsletter publisher daemon.
//!
//! ```text
//! read ──────────▶ decide ─────────────────────▶ render ───────────────▶ deliver
//! scan             domain                        render                  publish · http · mail
//! (path, text) ─▶ post ▸ catalogue ▸ goal        feed ▸ rss|atom|json    files · server
//!                  ▸ edition ▸ delivery          digest ▸ message        outbox ▸ SMTP
//!                            ▲                                           │
//!                            └──────── store (SQLite | PostgreSQL) ◀─────┘
//! ```
//!
//! The modules stand in flow order. `domain` and `render` are pure: they name no runtime, database, network,
//! file system, clock or dice; time is an argument. `ARCHITECTURE.md` tells the rest.

pub mod clock;
pub mod domain;
pub mod render;

pub mod config;
pub mod publish;
pub mod scan;
pub mod store;

pub mod http;
pub mod mail;

pub mod daemon;

pub mod cli;
