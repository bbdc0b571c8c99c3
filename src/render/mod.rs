//! Turns what the domain knows into text people and programs read. Pure, like the domain.

pub mod approval;
pub mod atom;
pub mod badge;
pub mod calendar;
pub mod chart;
pub mod digest;
pub mod dkim;
pub mod feed;
pub mod feed_page;
pub mod feed_plan;
pub mod goal;
mod grid;
pub mod growth;
pub mod history;
pub mod json_feed;
pub mod language;
pub mod letter;
pub mod message;
pub mod notice;
pub mod opml;
pub mod page;
pub mod prepared;
pub mod report;
pub mod rss;
pub mod templates;
pub mod xml;
