//! Our own list as JSON: one person a line, as `subscribers export --json` writes them, each as a record with the fields that its CSV has.
//! Memory is capped whatever the file holds.

use std::io::{BufRead as _, BufReader, Read};

use serde_json::{Map, Value};

use super::formats::OURS;
use super::records::{Broken, MOST_BYTES, Place, Record};

pub struct Objects<R> {
    input: BufReader<R>,
    line: u64,
    line_bytes: Vec<u8>,
}

impl<R: Read> Objects<R> {
    /// How such a file begins. (What begins a line of its own is ours; the other two are said to be wrong, or empty.)
    pub const STARTS: [&'static [u8]; 4] = [b"[\n", b"[\r", b"[{", b"[]"];

    pub fn open(input: R) -> Self {
        Self { input: BufReader::new(input), line: 0, line_bytes: Vec::new() }
    }

    /// Fills `record` with the next one, the first with the names of the fields; false at the end.
    pub fn read(&mut self, record: &mut Record) -> Result<bool, (Place, Broken)> {
        record.clear();
        if self.line == 0 {
            self.line = 1;
            record.fill(OURS.iter().map(|name| name.as_bytes()), Place { line: 1, column: 1 });
            return Ok(true);
        }
        loop {
            let place = Place { line: self.line, column: 1 };
            self.line_bytes.clear();
            let line = self.input.by_ref().take(MOST_BYTES as u64 + 1).read_until(b'\n', &mut self.line_bytes);
            if line.map_err(|error| (place, error.into()))? == 0 {
                return Ok(false);
            }
            if self.line_bytes.len() > MOST_BYTES {
                return Err((place, Broken::Long));
            }
            self.line += 1;
            let line = self.line_bytes.trim_ascii();
            if matches!(line, b"" | b"[" | b"]" | b"[]") {
                continue;
            }
            let person: Map<String, Value> =
                serde_json::from_slice(line.strip_suffix(b",").unwrap_or(line)).map_err(|_| (place, Broken::Object))?;
            let fields: Vec<String> = OURS.iter().map(|name| field(person.get(*name))).collect();
            record.fill(fields.iter().map(String::as_bytes), place);
            return Ok(true);
        }
    }
}

/// As it would stand in the CSV file.
fn field(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
