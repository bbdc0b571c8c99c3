//! Everything put together: the blog as it is read and published, the editions as they fall due, the loop that runs
//! them. Wiring only; what is decided is decided in the domain.

pub mod approval;
pub mod blog;
pub mod bounces;
pub mod boxes;
pub mod desk;
pub mod doctor;
pub mod editions;
pub mod heartbeat;
pub mod hooks;
pub mod hub;
pub mod letters;
pub mod missed;
pub mod nudges;
pub mod preflight;
pub mod preview;
pub mod pulse;
pub mod reader;
pub mod render_pass;
pub mod sending;
pub mod service;
pub mod serving;
pub mod singles;
pub mod systemd;
pub mod terms;
pub mod trust;
pub mod web;
pub mod websub;
