//! People from another tool's list: its file is recognised, read a record at a time, and each row says of one person who
//! they are, whether they may be written to, and what proves that they asked for it. Pure over a reader; memory does not
//! grow with the file. Knows no store and no file system.

use jiff::Timestamp;

use super::subscriber::{Address, Choice, State};

mod columns;
mod formats;
mod list;
mod objects;
mod person;
mod proof;
mod records;
mod survey;
mod text;

pub use formats::{OURS, Tool};
pub use list::{List, Recognised, open};
pub use survey::{Counts, FileSurvey, MOST_PROBLEMS, Survey};

/// What makes a spreadsheet take a cell for a formula, if it comes first.
pub const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\0'];

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
    /// In our own lists only.
    pub choice: Choice,
}

#[cfg(test)]
mod tests;
