//! Lists of subscribers from other tools: rows with good addresses, proofs that are JSON and hold no address, and the same
//! rows however the file comes.

use std::io::Read;

use gazetted::domain::problem::Problem;
use gazetted::domain::subscriber::{Address, State};
use gazetted::domain::subscriber_import::{ImportRow, open};

use super::assert_one_line;

/// A file of which each read gives a byte or two.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let most = into.len().min(2);
        self.0.read(&mut into[..most])
    }
}

fn rows(file: impl Read) -> Result<Vec<Result<ImportRow, Problem>>, Problem> {
    open("list.csv", file, None).map(Iterator::collect)
}

pub fn is_read_a_row_at_a_time(data: &[u8]) {
    let whole = rows(data);
    assert_eq!(whole, rows(Slow(data)), "it depends on how the file comes");
    let lines = data.iter().filter(|b| matches!(b, b'\r' | b'\n')).count() as u64 + 2;
    let problems = |problem: &Problem| {
        assert!(problem.line as u64 <= lines, "{problem} in {lines} lines");
        assert_one_line(&problem.to_string());
    };
    let list = match whole {
        Ok(list) => list,
        Err(problem) => return problems(&problem),
    };
    assert!(list.len() as u64 <= lines, "{} rows in {lines} lines", list.len());
    for row in &list {
        match row {
            Ok(row) => assert_good(row),
            Err(problem) => problems(problem),
        }
    }
}

fn assert_good(row: &ImportRow) {
    assert_eq!(Address::parse(&row.address.email).as_ref(), Ok(&row.address));
    if let Some(name) = &row.name {
        assert!(name.chars().count() <= 100 && !name.is_empty(), "{name}");
        assert_one_line(name);
    }
    let proof: serde_json::Value = serde_json::from_str(&row.proof).expect("JSON");
    assert!(proof["tool"].is_string(), "{proof}");
    assert!(row.proof.len() < 20_000 && !row.proof.contains('@'), "{}", row.proof);
    assert_one_line(&row.proof);
    assert!(row.state != State::Active || row.left_at.is_none(), "active, and gone: {row:?}");
}
