//! What the letters are called that ask editors for their word: the daemon writes them, and whoever opens the edition takes
//! back those that have not gone out.

use crate::domain::period::Period;

/// How the names of an edition's letters begin.
#[must_use]
pub fn letters(period: Period) -> String {
    format!("approval/{period}/")
}
