//! What one record says of one person. Nobody becomes active whom any cell says to have left, and a word that is not known
//! is a problem.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::ImportRow;
use super::columns::{Column, Columns};
use super::formats::{Chosen, Standing, Use};
use super::proof::{self, Proof};
use super::records::Record;
use crate::domain::dates;
use crate::domain::plain;
use crate::domain::subscriber::{self, Address, Choice, Frequency};

/// As much of a wrong value as a problem shows.
const SHOWN: usize = 80;

/// What is wrong with a record: with which of its fields, and what.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    pub field: usize,
    pub message: String,
    pub hint: Option<&'static str>,
}

fn wrong(field: usize, message: impl Into<String>, hint: Option<&'static str>) -> Wrong {
    Wrong { field, message: message.into(), hint }
}

pub fn read(record: &Record, columns: &Columns) -> Result<ImportRow, Wrong> {
    text_only(record, columns)?;
    whole(record, columns)?;
    let mut person = Person::new(columns);
    for column in &columns.read {
        let cell = cell(record, column.index);
        let cell = if columns.format.tool.escapes_formulae() { without_escape(cell) } else { cell };
        person.cell(column, cell.trim())?;
    }
    person.finish(record, columns)
}

/// Text, and no more fields than the header has names for.
fn text_only(record: &Record, columns: &Columns) -> Result<(), Wrong> {
    let bad = |is_bad: fn(&[u8]) -> bool| (0..record.len()).find(|index| record.field(*index).is_some_and(is_bad));
    if let Some(field) = bad(|field| std::str::from_utf8(field).is_err()) {
        return Err(wrong(field, "this is not UTF-8", Some("save the file as UTF-8")));
    }
    if let Some(field) = bad(|field| memchr::memchr(0, field).is_some()) {
        return Err(wrong(field, "there is a NUL character here", Some("save the file as UTF-8")));
    }
    let width = columns.width.unwrap_or(1);
    let extra = (width..record.len()).find(|index| !cell(record, *index).trim().is_empty());
    let Some(extra) = extra else { return Ok(()) };
    let message = match columns.width {
        Some(width) => format!("there are {} fields here, and {width} in the header", record.len()),
        None => "there is more here than one address".to_owned(),
    };
    Err(wrong(
        extra,
        message,
        Some("fields that hold the separator need quotes; a list with more columns needs a header"),
    ))
}

/// What is cut off might have said that they have left. (A state that is missing is none that is known.)
fn whole(record: &Record, columns: &Columns) -> Result<(), Wrong> {
    let decides = |column: &&Column| matches!(column.read_as, Use::Unless(_) | Use::If(_));
    let missing = columns.read.iter().filter(decides).find(|column| column.index >= record.len());
    let Some(column) = missing else { return Ok(()) };
    let message = format!("the row ends before `{}`, which says whether they are subscribed", column.header);
    let hint = "is the file whole? export it again; or add what is missing, or take the row out";
    Err(wrong(record.len().saturating_sub(1), message, Some(hint)))
}

fn cell(record: &Record, index: usize) -> &str {
    record.field(index).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}

/// A `'` before what a spreadsheet would take for a formula was put there by the export.
fn without_escape(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(super::FORMULA) => rest,
        _ => cell,
    }
}

struct Person<'a> {
    email: &'a str,
    name: &'a str,
    first: &'a str,
    last: &'a str,
    standing: Standing,
    asked_at: Option<Timestamp>,
    confirmed_at: Option<Timestamp>,
    left_at: Option<Timestamp>,
    proof: Proof,
    choice: Choice,
}

impl<'a> Person<'a> {
    fn new(columns: &Columns) -> Self {
        Self {
            email: "",
            name: "",
            first: "",
            last: "",
            standing: columns.format.standing,
            asked_at: None,
            confirmed_at: None,
            left_at: None,
            proof: Proof::of(columns.format.tool),
            choice: Choice::default(),
        }
    }

    fn cell(&mut self, column: &Column, cell: &'a str) -> Result<(), Wrong> {
        match column.read_as {
            Use::Email if self.email.is_empty() => self.email = cell,
            Use::Email => {}
            Use::Name => self.name = cell,
            Use::FirstName => self.first = cell,
            Use::LastName => self.last = cell,
            Use::Network => self.proof.add(&column.header, &proof::network(cell).unwrap_or_default()),
            Use::Choice(_) if cell.is_empty() => {}
            Use::Choice(what) => self.choose(what, cell).ok_or_else(|| no_choice(column, what, cell))?,
            Use::Origin => self.proof.add(&column.header, proof::origin(cell)),
            Use::AskedAt | Use::ConfirmedAt => {
                self.proof.add(&column.header, cell);
                self.date(column.read_as, cell);
            }
            Use::Status(words) => {
                let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(cell));
                let (_, standing) = found.ok_or_else(|| unknown(column, cell))?;
                self.say(column, cell, *standing);
            }
            Use::Unless(standing) => match yes_or_no(cell) {
                Some(true) => self.proof.add(&column.header, cell),
                Some(false) => self.say(column, cell, standing),
                None => self.since(column, cell)?,
            },
            Use::If(standing) => {
                match yes_or_no(cell) {
                    Some(false) => return Ok(()),
                    Some(true) => {}
                    None => self.since(column, cell)?,
                }
                self.say(column, cell, standing);
            }
        }
        Ok(())
    }

    /// None: it is nothing that can be chosen.
    fn choose(&mut self, what: Chosen, cell: &str) -> Option<()> {
        let list = || serde_json::from_str::<Vec<String>>(cell).ok();
        match what {
            Chosen::Frequency => self.choice.frequency = Frequency::parse(cell)?,
            Chosen::PausedUntil => self.choice.paused_until = Some(cell.parse().ok()?),
            Chosen::Language => self.choice.language = Some(cell.to_owned()),
            Chosen::Tags => self.choice.tags = list()?,
            Chosen::Authors => self.choice.authors = list()?,
        }
        Some(())
    }

    fn say(&mut self, column: &Column, cell: &str, standing: Standing) {
        self.proof.add(&column.header, cell);
        self.standing = self.standing.max(standing);
    }

    /// Neither yes nor no: since when. A date that cannot be read is one all the same if there are digits in it.
    fn since(&mut self, column: &Column, cell: &str) -> Result<(), Wrong> {
        if !cell.contains(|c: char| c.is_ascii_digit()) {
            return Err(unknown(column, cell));
        }
        if matches!(column.read_as, Use::Unless(_)) {
            self.proof.add(&column.header, cell);
        }
        self.date(column.read_as, cell);
        Ok(())
    }

    /// The earliest date of its kind; one that cannot be read is in the proof as it stands.
    fn date(&mut self, read_as: Use, cell: &str) {
        let Some(date) = dates::parse(cell, &TimeZone::UTC) else { return };
        let kept = match read_as {
            Use::If(_) => &mut self.left_at,
            Use::ConfirmedAt | Use::Unless(Standing::Pending) => &mut self.confirmed_at,
            _ => &mut self.asked_at,
        };
        *kept = Some(kept.map_or(date, |known| known.min(date)));
    }

    fn finish(self, record: &Record, columns: &Columns) -> Result<ImportRow, Wrong> {
        let field = columns.email().unwrap_or_default();
        let address = Address::parse(self.email).map_err(|error| {
            let what = if self.email.is_empty() { "nothing".to_owned() } else { format!("`{}`", shown(self.email)) };
            wrong(field, format!("{what} is no mail address: {error}"), None)
        })?;
        let name = if self.name.is_empty() { format!("{} {}", self.first, self.last) } else { self.name.to_owned() };
        let reason = match self.standing {
            Standing::Suppressed(reason) => Some(reason),
            _ => None,
        };
        Ok(ImportRow {
            line: record.place(0).line,
            address,
            name: subscriber::name(&name),
            state: self.standing.state(),
            reason,
            asked_at: self.asked_at,
            confirmed_at: self.confirmed_at,
            left_at: self.left_at,
            proof: self.proof.finish(),
            choice: self.choice,
        })
    }
}

/// An empty cell is a no: whoever is not said to be subscribed is not, and whoever is not said to have left has not. So is the day that
/// databases write for none.
fn yes_or_no(cell: &str) -> Option<bool> {
    let is = |words: [&str; 5]| words.iter().any(|word| word.eq_ignore_ascii_case(cell));
    if is(["true", "t", "yes", "y", "1"]) {
        return Some(true);
    }
    (cell.is_empty() || cell.starts_with("0000-00-00") || is(["false", "f", "no", "n", "0"])).then_some(false)
}

fn unknown(column: &Column, cell: &str) -> Wrong {
    let value = if cell.is_empty() { "nothing".to_owned() } else { format!("`{}`", shown(cell)) };
    let what = match column.read_as {
        Use::Status(_) => "which is no state that is known here",
        _ => "which is neither yes nor no nor a date",
    };
    let hint = "nobody is made active by guessing: change the word, or take the row out";
    wrong(column.index, format!("`{}` says {value}, {what}", column.header), Some(hint))
}

fn no_choice(column: &Column, what: Chosen, cell: &str) -> Wrong {
    let expected = match what {
        Chosen::Frequency => "`monthly`, `quarterly` or `post`",
        Chosen::PausedUntil => "an instant like `2026-12-01T00:00:00Z`",
        Chosen::Language => "a language",
        Chosen::Tags | Chosen::Authors => "a list like `[\"one\",\"two\"]`",
    };
    wrong(column.index, format!("`{}` says `{}`; expected {expected}, or nothing", column.header, shown(cell)), None)
}

fn shown(text: &str) -> String {
    plain::shortened(text, SHOWN)
}
