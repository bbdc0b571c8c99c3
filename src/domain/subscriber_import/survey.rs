//! The first pass over one or more files: what each is, whom it holds, and everything that is wrong, before anything is
//! written. Keeps eight bytes a row, to count those that come again.

use std::io::Read;

use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use super::{ImportRow, Tool, list};
use crate::domain::problem::Problem;
use crate::domain::subscriber::{Choice, State};

/// Enough to see the mistake; a file of the wrong kind has one in each line.
pub const MOST_PROBLEMS: usize = 100;
/// More people than this are several lists.
const MOST_ROWS: u64 = 10_000_000;

/// How many people, by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub active: u64,
    pub pending: u64,
    pub unsubscribed: u64,
    pub suppressed: u64,
}

impl Counts {
    fn add(&mut self, state: State) {
        *match state {
            State::Active => &mut self.active,
            State::Pending => &mut self.pending,
            State::Unsubscribed => &mut self.unsubscribed,
            State::Suppressed => &mut self.suppressed,
        } += 1;
    }
}

/// What one file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileSurvey {
    pub path: String,
    /// The tool's short name, as `--format` takes it.
    pub format: &'static str,
    /// What it is called in a sentence.
    pub recognised: &'static str,
    pub rows: u64,
    #[serde(flatten)]
    pub counts: Counts,
    pub used: Vec<String>,
    pub ignored: Vec<String>,
}

/// What all files hold.
#[derive(Debug, Default)]
pub struct Survey {
    pub files: Vec<FileSurvey>,
    pub rows: u64,
    pub problems: Vec<Problem>,
    /// Of each row's address.
    hashes: Vec<u64>,
    sum: u64,
}

impl Survey {
    /// Reads a file to its end, or to the hundredth problem of all files.
    pub fn read(&mut self, path: &str, input: impl Read, wanted: Option<Tool>) {
        let list = match list::open(path, input, wanted) {
            Ok(list) => list,
            Err(problem) => return self.problems.push(problem),
        };
        let recognised = list.recognised();
        let mut file = FileSurvey {
            path: path.to_owned(),
            format: recognised.tool.as_str(),
            recognised: recognised.label,
            rows: 0,
            counts: Counts::default(),
            used: recognised.used,
            ignored: recognised.ignored,
        };
        for row in list {
            if self.is_full() {
                break;
            }
            match row {
                Ok(row) if self.rows == MOST_ROWS => {
                    let message = format!("this is row {}, and {MOST_ROWS} is the most", MOST_ROWS + 1);
                    let line = usize::try_from(row.line).unwrap_or(usize::MAX);
                    let problem = Problem::error(path, "import", message).at(line, 1);
                    self.problems.push(problem.hint("split the list, and import its parts"));
                    break;
                }
                Ok(row) => {
                    file.rows += 1;
                    file.counts.add(row.state);
                    self.row(&row);
                }
                Err(problem) => self.problems.push(problem),
            }
        }
        self.files.push(file);
    }

    fn row(&mut self, row: &ImportRow) {
        self.rows += 1;
        self.hashes.push(xxh3_64(row.address.key.as_bytes()));
        self.sum = self.sum.wrapping_add(Self::mark(row));
    }

    /// What tells whether the files are the same when they are read again; added up over all rows.
    #[must_use]
    pub fn mark(row: &ImportRow) -> u64 {
        let mark = xxh3_64(row.address.key.as_bytes()).rotate_left(row.state as u32) ^ xxh3_64(row.proof.as_bytes());
        if row.choice == Choice::default() {
            return mark;
        }
        mark ^ xxh3_64(&serde_json::to_vec(&row.choice).unwrap_or_default())
    }

    #[must_use]
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// Whether there are as many problems as are shown.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.problems.len() >= MOST_PROBLEMS
    }

    /// How many rows repeat an address of one before; forgets what it was counted from.
    pub fn repeated(&mut self) -> u64 {
        let mut hashes = std::mem::take(&mut self.hashes);
        hashes.sort_unstable();
        let twins = hashes.windows(2).filter(|pair| pair[0] == pair[1]).count();
        twins as u64
    }
}
