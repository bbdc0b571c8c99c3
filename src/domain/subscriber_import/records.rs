//! Records of separated fields, each with the line and column it begins at: commas, semicolons or tabs, quoted fields with
//! line ends in them, every kind of line end. Memory is capped whatever the file holds. Knows nothing of what fields mean.

use std::io::{self, BufRead as _, BufReader, Chain, Cursor, ErrorKind, Read};

/// What one record may hold; the longest real ones have a few kilobytes.
pub const MOST_BYTES: usize = 1 << 20;
const MOST_FIELDS: usize = 1_000;
/// Where the separator is looked for.
const HEAD: usize = 8 * 1024;
const BUFFER: usize = 64 * 1024;

/// A place in a file, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub line: u64,
    pub column: u64,
}

/// One record; kept and filled again, so that a million cost no more than one.
#[derive(Debug, Default)]
pub struct Record {
    bytes: Vec<u8>,
    /// Where each field ends in `bytes`, and begins in the file.
    fields: Vec<(usize, Place)>,
}

impl Record {
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.fields.clear();
    }

    /// With fields that all begin at one place.
    pub fn fill<'a>(&mut self, fields: impl Iterator<Item = &'a [u8]>, place: Place) {
        for field in fields {
            self.bytes.extend_from_slice(field);
            self.fields.push((self.bytes.len(), place));
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    #[must_use]
    pub fn field(&self, index: usize) -> Option<&[u8]> {
        let (end, _) = *self.fields.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.fields[before].0);
        self.bytes.get(start..end)
    }

    /// Where a field begins; that of the record for one that is not there.
    #[must_use]
    pub fn place(&self, index: usize) -> Place {
        let found = self.fields.get(index).or_else(|| self.fields.first());
        found.map_or(Place { line: 1, column: 1 }, |(_, place)| *place)
    }

    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.bytes.trim_ascii().is_empty()
    }
}

/// Why reading cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("the record is longer than 1 MB; expected one person a line")]
    Long,
    #[error("the record has more than {MOST_FIELDS} fields; expected one person a line")]
    Wide,
    #[error("this is no person; expected one a line, as `subscribers export --json` writes them")]
    Object,
    #[error("a quote opens here and is not closed before the file ends")]
    Unclosed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    /// Nothing of the field has been read.
    Start,
    Plain,
    Quotes,
    /// After a quote that closes the field, or is the first of two.
    Quote,
}

pub struct Records<R> {
    input: BufReader<Chain<Cursor<Vec<u8>>, R>>,
    delimiter: u8,
    within: Within,
    here: Place,
    /// The line feed of a CR LF ends no second line.
    after_return: bool,
    field: Place,
}

impl<R: Read> Records<R> {
    /// Guesses the separator from the first line; a line `sep=;` as Excel writes it says it, and is skipped.
    pub fn open(mut input: R) -> io::Result<Self> {
        let mut head = Vec::new();
        input.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        let line = first_line(&head);
        let named = match line {
            [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] => Some(*delimiter),
            _ => None,
        };
        let mut records = Self {
            delimiter: named.unwrap_or_else(|| guess(line)),
            input: BufReader::with_capacity(BUFFER, Cursor::new(head).chain(input)),
            within: Within::Start,
            here: Place { line: 1, column: 1 },
            after_return: false,
            field: Place { line: 1, column: 1 },
        };
        if named.is_some() {
            let mut skipped = Record::default();
            records.read(&mut skipped).map_err(|(_, broken)| io::Error::other(broken.to_string()))?;
        }
        Ok(records)
    }

    /// Fills `record` with the next one; false at the end. After an error there is nothing more to read.
    pub fn read(&mut self, record: &mut Record) -> Result<bool, (Place, Broken)> {
        record.clear();
        self.within = Within::Start;
        self.field = self.here;
        loop {
            let available = match self.input.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err((self.here, error.into())),
            };
            if available.is_empty() {
                return self.end(record);
            }
            let mut used = 0;
            let mut whole = false;
            let mut machine = Machine {
                delimiter: self.delimiter,
                within: self.within,
                here: self.here,
                after_return: self.after_return,
                field: self.field,
            };
            for byte in available {
                used += 1;
                whole = machine.step(*byte, record);
                if whole {
                    break;
                }
            }
            Machine { within: self.within, here: self.here, after_return: self.after_return, field: self.field, .. } =
                machine;
            self.input.consume(used);
            let start = record.place(0);
            if record.bytes.len() > MOST_BYTES {
                // An unclosed quote swallows what follows.
                let place = if self.within == Within::Quotes { self.field } else { start };
                return Err((place, Broken::Long));
            }
            if record.fields.len() > MOST_FIELDS {
                return Err((start, Broken::Wide));
            }
            if whole {
                return Ok(true);
            }
        }
    }

    fn end(&mut self, record: &mut Record) -> Result<bool, (Place, Broken)> {
        if self.within == Within::Quotes {
            return Err((self.field, Broken::Unclosed));
        }
        if self.within == Within::Start && record.fields.is_empty() {
            return Ok(false);
        }
        record.fields.push((record.bytes.len(), self.field));
        self.within = Within::Start;
        self.field = self.here;
        Ok(true)
    }
}

/// What reading is in the middle of; apart from the input, which lends its bytes meanwhile.
struct Machine {
    delimiter: u8,
    within: Within,
    here: Place,
    after_return: bool,
    field: Place,
}

impl Machine {
    /// Takes one byte; true if the record is whole with it.
    fn step(&mut self, byte: u8, record: &mut Record) -> bool {
        let second_half = byte == b'\n' && self.after_return;
        self.after_return = byte == b'\r';
        if second_half && self.within != Within::Quotes {
            return false;
        }
        let done = match (self.within, byte) {
            (Within::Quotes, b'"') => {
                self.within = Within::Quote;
                false
            }
            (Within::Quotes, _) | (Within::Quote, b'"') => self.keep(byte, Within::Quotes, record),
            (Within::Start, b'"') => {
                self.within = Within::Quotes;
                false
            }
            (_, b'\r' | b'\n') => {
                record.fields.push((record.bytes.len(), self.field));
                true
            }
            (_, byte) if byte == self.delimiter => {
                record.fields.push((record.bytes.len(), self.field));
                self.within = Within::Start;
                self.field = Place { column: self.here.column + 1, ..self.here };
                false
            }
            (_, byte) => self.keep(byte, Within::Plain, record),
        };
        self.advance(byte, second_half);
        done
    }

    fn keep(&mut self, byte: u8, within: Within, record: &mut Record) -> bool {
        record.bytes.push(byte);
        self.within = within;
        false
    }

    fn advance(&mut self, byte: u8, second_half: bool) {
        match byte {
            b'\n' if second_half => {}
            b'\n' | b'\r' => self.here = Place { line: self.here.line + 1, column: 1 },
            // The later bytes of a character.
            0x80..=0xbf => {}
            _ => self.here.column += 1,
        }
    }
}

/// The first line that holds anything, without its end.
fn first_line(head: &[u8]) -> &[u8] {
    head.split(|byte| matches!(byte, b'\n' | b'\r')).find(|line| !line.trim_ascii().is_empty()).unwrap_or_default()
}

/// The separator there is most of, outside quotes.
fn guess(line: &[u8]) -> u8 {
    let count = |delimiter: u8| {
        let mut quoted = false;
        let is_one = |byte: &&u8| {
            quoted ^= **byte == b'"';
            !quoted && **byte == delimiter
        };
        line.iter().filter(is_one).count()
    };
    // Of equals the last wins: the comma.
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    type Fields = Vec<(u64, u64, String)>;

    fn read(bytes: &[u8]) -> Result<Vec<Fields>, String> {
        let mut records = Records::open(bytes).unwrap();
        let mut record = Record::default();
        let mut all = Vec::new();
        loop {
            match records.read(&mut record) {
                Ok(true) => {}
                Ok(false) => return Ok(all),
                Err((place, broken)) => return Err(format!("{}:{}: {broken}", place.line, place.column)),
            }
            let field = |index| {
                let Place { line, column } = record.place(index);
                (line, column, String::from_utf8_lossy(record.field(index).unwrap()).into_owned())
            };
            all.push((0..record.len()).map(field).collect());
        }
    }

    fn texts(bytes: &[u8]) -> Vec<Vec<String>> {
        read(bytes).unwrap().into_iter().map(|record| record.into_iter().map(|(_, _, text)| text).collect()).collect()
    }

    #[test]
    fn separators_quotes_and_line_ends_of_every_kind_are_read() {
        let expected = [["a", "b"], ["c", "d"]];
        for text in [
            "a,b\nc,d\n",
            "a,b\nc,d",
            "a;b\r\nc;d\r\n",
            "a\tb\rc\td\r",
            "\"a\",\"b\"\n\"c\",d",
            "sep=;\na;b\nc;d\n",
            "SEP=|\r\na|b\r\nc|d\r\n",
        ] {
            assert_eq!(texts(text.as_bytes()), expected, "{text:?}");
        }
        assert_eq!(texts(b"a,\"b \"\"x\"\"\ny\r\nz\"\n"), [["a", "b \"x\"\ny\r\nz"]]);
        assert_eq!(texts(b"a,\"\"\n,\n"), [["a", ""], ["", ""]]);
        // Lenient where nothing is lost by it.
        assert_eq!(texts(b"a \"b\",\"c\" d\n"), [["a \"b\"", "c d"]]);
        assert_eq!(texts(b""), Vec::<Vec<String>>::new());
    }

    #[test]
    fn a_quoted_separator_does_not_decide() {
        assert_eq!(texts(b"\"a,b,c\";d\n"), [["a,b,c", "d"]]);
    }

    #[test]
    fn each_field_knows_its_line_and_column() {
        let records = read("é,b\r\n\"x\ny\",\"z\"\r\n\nlast,1".as_bytes()).unwrap();
        let places: Vec<Vec<(u64, u64)>> =
            records.iter().map(|record| record.iter().map(|(line, column, _)| (*line, *column)).collect()).collect();
        assert_eq!(places, [vec![(1, 1), (1, 3)], vec![(2, 1), (3, 4)], vec![(4, 1)], vec![(5, 1), (5, 6)]]);
    }

    #[test]
    fn what_would_take_all_memory_is_refused_where_it_begins() {
        let long = format!("a,b\nc,{}\n", "x".repeat(2 * MOST_BYTES));
        assert_eq!(
            read(long.as_bytes()).unwrap_err(),
            "2:1: the record is longer than 1 MB; expected one person a line"
        );
        let swallowed = format!("a,b\nc,\"{}", "x,y\n".repeat(MOST_BYTES));
        assert!(read(swallowed.as_bytes()).unwrap_err().starts_with("2:3: the record is longer"));
        assert!(
            read(",".repeat(5_000).as_bytes()).unwrap_err().starts_with("1:1: the record has more than 1000 fields")
        );
        assert_eq!(
            read(b"a,b\nc,\"d\ne,f\n").unwrap_err(),
            "2:3: a quote opens here and is not closed before the file ends"
        );
    }
}
