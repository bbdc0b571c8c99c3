//! Turns what the domain knows into text people and programs read. Pure, like the domain.

pub mod badge;
pub mod calendar;
pub mod chart;
pub mod digest;
pub mod goal;
pub mod message;
pub mod page;
pub mod report;
pub mod templates;
pub mod xml;
