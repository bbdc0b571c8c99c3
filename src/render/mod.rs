//! Turns what the domain knows into text people and programs read. Pure, like the domain.

pub mod message;
