//! Subscribers from a CSV file: a header that names an e-mail column, or one address a line without any. All or nothing:
//! the caller gets every row, or every problem with its line. Pure over a reader.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read};

use super::problem::Problem;
use super::subscriber::Address;

/// One subscriber of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvRow {
    pub line: usize,
    pub address: Address,
    pub name: Option<String>,
}

/// The rows of a file, each address once, and how many lines repeated one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CsvRows {
    pub rows: Vec<CsvRow>,
    pub repeated: usize,
}

/// Headers, in lower case and without spaces, dashes and underscores.
const EMAIL: [&str; 5] = ["email", "emailaddress", "mail", "address", "emailadresse"];
const NAME: [&str; 3] = ["name", "fullname", "displayname"];
const FIRST_NAME: &str = "firstname";
const LAST_NAME: &str = "lastname";
/// Enough to see the mistake; a file of the wrong kind has one in each line.
const MOST_PROBLEMS: usize = 100;

/// Where in a record the fields are.
#[derive(Debug, Default)]
struct Columns {
    email: usize,
    name: Option<usize>,
    first: Option<usize>,
    last: Option<usize>,
}

/// Reads a whole file; `path` is what problems call it.
pub fn read(path: &str, input: impl Read) -> Result<CsvRows, Vec<Problem>> {
    let unreadable = |line, message: String| vec![Problem::error(path, "csv", message).at(line, 1)];
    let mut input = BufReader::new(input);
    let delimiter = open(&mut input).map_err(|e| unreadable(1, format!("the file cannot be read: {e}")))?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        // The `\r` before it is trimmed with the field.
        .terminator(csv::Terminator::Any(b'\n'))
        .from_reader(input.chain(&b"\n"[..]));
    let mut columns: Option<Columns> = None;
    let mut found = Found::new(path);
    let mut record = csv::ByteRecord::new();
    loop {
        let read = reader.read_byte_record(&mut record);
        let after = usize::try_from(reader.position().line()).unwrap_or(usize::MAX);
        if !read.map_err(|e| unreadable(after, format!("the line cannot be read: {e}")))? {
            break;
        }
        let line = first_line(&record, after);
        if record.iter().all(|field| field.trim_ascii().is_empty()) {
            continue;
        }
        let Some(fields) = decode(&record) else {
            found.problem(line, "the line is not UTF-8; save the file as UTF-8");
            continue;
        };
        match &columns {
            Some(columns) => found.row(line, &fields, columns),
            None => columns = Some(found.first(line, &fields)),
        }
        if found.problems.len() >= MOST_PROBLEMS {
            break;
        }
    }
    found.finish()
}

/// Skips a byte order mark and guesses the separator from the first line.
fn open(input: &mut BufReader<impl Read>) -> std::io::Result<u8> {
    let start = input.fill_buf()?;
    let mark = if start.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let first = start[mark..].split(|b| *b == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| first.split(|b| *b == delimiter).count();
    // Of equals the last wins: the comma.
    let delimiter = [b'\t', b';', b','].into_iter().max_by_key(|d| count(*d)).unwrap_or(b',');
    input.consume(mark);
    Ok(delimiter)
}

/// Where a record begins that ends on the line before `after`. (The crate's own position is that of the empty lines
/// before the record.)
fn first_line(record: &csv::ByteRecord, after: usize) -> usize {
    let inside: usize = record.iter().map(|field| field.split(|b| *b == b'\n').count() - 1).sum();
    after.saturating_sub(1 + inside)
}

fn decode(record: &csv::ByteRecord) -> Option<Vec<String>> {
    record.iter().map(|field| std::str::from_utf8(field).ok().map(|f| f.trim().to_owned())).collect()
}

/// The columns a header names; `None` if the record is no header.
fn header(fields: &[String]) -> Option<Columns> {
    let names: Vec<String> = fields
        .iter()
        .map(|field| field.to_lowercase().chars().filter(|c| !matches!(c, ' ' | '-' | '_')).collect())
        .collect();
    let find = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
    Some(Columns { email: find(&EMAIL)?, name: find(&NAME), first: find(&[FIRST_NAME]), last: find(&[LAST_NAME]) })
}

struct Found<'a> {
    path: &'a str,
    rows: CsvRows,
    seen: HashMap<String, usize>,
    problems: Vec<Problem>,
}

impl<'a> Found<'a> {
    fn new(path: &'a str) -> Self {
        Self { path, rows: CsvRows::default(), seen: HashMap::new(), problems: Vec::new() }
    }

    fn problem(&mut self, line: usize, message: impl Into<String>) {
        self.problems.push(Problem::error(self.path, "csv", message).at(line, 1));
    }

    /// The first record is a header, or the first of a plain list of addresses.
    fn first(&mut self, line: usize, fields: &[String]) -> Columns {
        if let Some(columns) = header(fields) {
            return columns;
        }
        if fields.len() > 1 {
            self.problem(line, "no column is called `email`; expected a header like `email,name`");
        } else {
            self.row(line, fields, &Columns::default());
        }
        Columns::default()
    }

    fn row(&mut self, line: usize, fields: &[String], columns: &Columns) {
        let field = |column: usize| fields.get(column).map(String::as_str).filter(|field| !field.is_empty());
        let email = field(columns.email).unwrap_or_default();
        let address = match Address::parse(email) {
            Ok(address) => address,
            Err(error) => return self.problem(line, format!("`{email}` is no mail address: {error}")),
        };
        if self.seen.insert(address.key.clone(), line).is_some() {
            self.rows.repeated += 1;
            return;
        }
        let parts = [columns.first, columns.last].into_iter().flatten().filter_map(field).collect::<Vec<_>>();
        let name = columns.name.and_then(field).map_or_else(|| parts.join(" "), str::to_owned);
        self.rows.rows.push(CsvRow { line, address, name: one_line(&name) });
    }

    fn finish(self) -> Result<CsvRows, Vec<Problem>> {
        if self.problems.is_empty() { Ok(self.rows) } else { Err(self.problems) }
    }
}

/// A name goes into a header: quoted newlines and other control characters become spaces.
fn one_line(name: &str) -> Option<String> {
    let words: Vec<&str> =
        name.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(usize, String, Option<String>)> {
        let rows = read("list.csv", text.as_bytes()).unwrap().rows;
        rows.into_iter().map(|row| (row.line, row.address.email, row.name)).collect()
    }

    fn row(line: usize, email: &str, name: Option<&str>) -> (usize, String, Option<String>) {
        (line, email.into(), name.map(str::to_owned))
    }

    #[test]
    fn files_of_every_common_shape_are_read() {
        let ann = || vec![row(2, "ann@example.org", Some("Ann Smith"))];
        for text in [
            "email,name\nann@example.org,Ann Smith\n",
            "\u{feff}Name;E-Mail\r\nAnn Smith;ann@example.org\r\n",
            "EMAIL\tName\nann@example.org\tAnn Smith",
            "Email Address,First Name,Last Name,MEMBER_RATING\nann@example.org,Ann,Smith,2\n",
            "email,name\n\"ann@example.org\",\"Ann\nSmith\"\n",
            "id,email,name,note\n1,ann@example.org,Ann Smith\n",
        ] {
            assert_eq!(rows(text), ann(), "{text:?}");
        }
        assert_eq!(
            rows("ann@example.org\n\nbob@example.org"),
            [row(1, "ann@example.org", None), row(3, "bob@example.org", None)]
        );
        assert_eq!(rows(""), []);
    }

    #[test]
    fn a_repeated_address_is_taken_once() {
        let read = read("list.csv", "email\nann@example.org\nANN@example.org\n".as_bytes()).unwrap();
        assert_eq!((read.rows.len(), read.repeated), (1, 1));
    }

    #[test]
    fn problems_name_their_line_and_nothing_is_taken() {
        let text = "email,name\nann@example.org,\"Ann\nSmith\"\nbob,Bob\nx@y,\n";
        let problems: Vec<_> = read("list.csv", text.as_bytes()).unwrap_err().iter().map(Problem::to_string).collect();
        assert_eq!(
            problems,
            [
                "list.csv:4:1: error: `bob` is no mail address: it has no `@`",
                "list.csv:5:1: error: `x@y` is no mail address: the part after the `@` has no dot; expected a domain like \
             `example.org`",
            ]
        );
    }

    #[test]
    fn a_file_of_another_kind_is_refused() {
        for bytes in [&b"first,second\na,b\n"[..], b"email\n\xff\xfe@example.org\n", b"\x00\x01\x02"] {
            assert!(!read("list.csv", bytes).unwrap_err().is_empty());
        }
        assert_eq!(read("list.csv", "x\n".repeat(1_000).as_bytes()).unwrap_err().len(), MOST_PROBLEMS);
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_file_holds_it_is_rows_or_problems(bytes: Vec<u8>, text in "(email[,;\t\n\"])?[a@.,;\n\r\" \u{e9}]{0,60}") {
            for input in [&bytes[..], text.as_bytes()] {
                match read("list.csv", input) {
                    Ok(rows) => for row in rows.rows {
                        proptest::prop_assert_eq!(Address::parse(&row.address.email), Ok(row.address));
                    },
                    Err(problems) => proptest::prop_assert!(!problems.is_empty()),
                }
            }
        }
    }
}
