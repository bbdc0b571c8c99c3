//! One file as a run of rows and problems, in its order. What breaks the file (and not only a line of it) is its last
//! problem.

use std::io::{self, Chain, Cursor, Read};

use super::columns::Columns;
use super::formats::Tool;
use super::objects::Objects;
use super::records::{Broken, Place, Record, Records};
use super::text::{self, Text};
use super::{ImportRow, person};
use crate::domain::problem::Problem;
use crate::domain::subscriber::Address;

/// What a file is taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    pub tool: Tool,
    pub label: &'static str,
    pub used: Vec<String>,
    pub ignored: Vec<String>,
}

/// The text with its first bytes, which were looked at.
type Whole<R> = Chain<Cursor<Vec<u8>>, Text<R>>;

/// Separated fields, or our own JSON.
enum Source<R> {
    Separated(Records<Whole<R>>),
    Objects(Objects<Whole<R>>),
}

impl<R: Read> Source<R> {
    fn open(mut text: Text<R>) -> io::Result<Self> {
        let mut head = Vec::new();
        text.by_ref().take(2).read_to_end(&mut head)?;
        let is_ours = Objects::<Whole<R>>::STARTS.contains(&&head[..]);
        let whole = Cursor::new(head).chain(text);
        Ok(if is_ours { Self::Objects(Objects::open(whole)) } else { Self::Separated(Records::open(whole)?) })
    }

    fn read(&mut self, record: &mut Record) -> Result<bool, (Place, Broken)> {
        match self {
            Self::Separated(records) => records.read(record),
            Self::Objects(objects) => objects.read(record),
        }
    }
}

/// The rows of an opened file.
pub struct List<R> {
    path: String,
    records: Source<R>,
    record: Record,
    columns: Columns,
    /// The first record is a person, not a header.
    first_is_person: bool,
    ended: bool,
}

/// Opens a file that problems call `path`, of the tool that is named or of any.
pub fn open<R: Read>(path: &str, input: R, wanted: Option<Tool>) -> Result<List<R>, Problem> {
    let problem = |place: Place, message: String| problem(path, place, message);
    let start = Place { line: 1, column: 1 };
    let text = text::open(input).map_err(|refused| problem(start, refused.to_string()).hint(refused.hint()))?;
    let mut records =
        Source::open(text).map_err(|error| problem(start, format!("the file cannot be read: {error}")))?;
    let mut record = Record::default();
    while records.read(&mut record).map_err(|(place, broken)| problem(place, broken.to_string()))? {
        if !record.is_blank() {
            break;
        }
    }
    let header = header(&record).ok_or_else(|| {
        problem(record.place(0), "the first line is not UTF-8 text".to_owned()).hint("save the file as CSV, in UTF-8")
    })?;
    let bare = match &header[..] {
        [] => true,
        [only] => wanted.is_none_or(|tool| tool == Tool::Csv) && (only.contains('@') || Address::parse(only).is_ok()),
        _ => false,
    };
    let columns = if bare {
        Columns::bare()
    } else {
        let place = record.place(0);
        Columns::of(&header, wanted).map_err(|message| problem(place, message))?
    };
    let ended = record.len() == 0;
    Ok(List { path: path.to_owned(), records, record, columns, first_is_person: bare && !ended, ended })
}

fn problem(path: &str, place: Place, message: String) -> Problem {
    let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    Problem::error(path, "import", message).at(number(place.line), number(place.column))
}

fn header(record: &Record) -> Option<Vec<String>> {
    let field = |index| {
        let field = std::str::from_utf8(record.field(index)?).ok()?;
        (!field.contains('\0')).then(|| field.trim().to_owned())
    };
    (0..record.len()).map(field).collect()
}

impl<R> List<R> {
    #[must_use]
    pub fn recognised(&self) -> Recognised {
        Recognised {
            tool: self.columns.format.tool,
            label: self.columns.format.label,
            used: self.columns.read.iter().map(|column| column.header.clone()).collect(),
            ignored: self.columns.ignored.clone(),
        }
    }
}

impl<R: Read> List<R> {
    fn broken(&mut self, place: Place, broken: &Broken) -> Problem {
        self.ended = true;
        problem(&self.path, place, broken.to_string())
    }
}

impl<R: Read> Iterator for List<R> {
    type Item = Result<ImportRow, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.ended {
                return None;
            }
            if !std::mem::take(&mut self.first_is_person) {
                match self.records.read(&mut self.record) {
                    Ok(true) => {}
                    Ok(false) => self.ended = true,
                    Err((place, broken)) => return Some(Err(self.broken(place, &broken))),
                }
            }
            if self.ended || self.record.is_blank() {
                continue;
            }
            return Some(person::read(&self.record, &self.columns).map_err(|wrong| {
                let found = problem(&self.path, self.record.place(wrong.field), wrong.message);
                wrong.hint.map_or(found.clone(), |hint| found.hint(hint))
            }));
        }
    }
}
