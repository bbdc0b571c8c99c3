//! People from another tool's list: what a row of its file says of one of them. Knows no store and no file system.

use jiff::Timestamp;

use super::subscriber::{Address, State};

/// One person of a list, as the other tool had them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    pub line: u64,
    pub address: Address,
    pub name: Option<String>,
    /// Active, Pending, Unsubscribed or Suppressed.
    pub state: State,
    /// Why suppressed: "cleaned", "complained", "undeliverable" ...
    pub reason: Option<&'static str>,
    /// When they asked, and confirmed, as the other tool says (UTC where it names no zone).
    pub asked_at: Option<Timestamp>,
    pub confirmed_at: Option<Timestamp>,
    pub left_at: Option<Timestamp>,
    /// The dates, form, network and tool as the file has them, as one short JSON object (no address, no name): proof of
    /// consent. Deterministic for equal rows.
    pub proof: String,
}
