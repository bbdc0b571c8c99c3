//! `gazetted subscribers export`: everybody as CSV or JSON on stdout, a page at a time.

use std::io::{BufWriter, ErrorKind, StdoutLock, Write};

use super::super::Done;
use super::super::error::Failure;
use super::{PAGE, key, state};
use crate::domain::subscriber::{State, Subscriber};
use crate::domain::subscriber_import::{FORMULA, OURS};
use crate::store::SharedStore;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    #[arg(long, value_parser = state)]
    state: Option<State>,
    /// The same as `--format json`
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Made safe for spreadsheets: nothing in it is a formula
    Csv,
    Json,
}

pub async fn run(store: &SharedStore, given: &Arguments) -> Done {
    let format = if given.json { Format::Json } else { given.format };
    let mut written = 0;
    let mut after: Option<String> = None;
    out(|out| begin(out, format))?;
    loop {
        let page = store.subscribers(given.state, after.as_deref(), PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(key(&last.email));
        out(|out| people(out, format, &page, written))?;
        written += page.len();
    }
    out(|out| end(out, format, written))
}

/// Standard output is held no longer than for a page; a reader that goes away early is no error.
fn out(write: impl FnOnce(&mut BufWriter<StdoutLock<'_>>) -> std::io::Result<()>) -> Done {
    let mut out = BufWriter::new(std::io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::Gone),
        other => Ok(other?),
    }
}

fn begin(out: &mut impl Write, format: Format) -> std::io::Result<()> {
    match format {
        Format::Csv => csv::Writer::from_writer(out).write_record(OURS).map_err(Into::into),
        Format::Json => out.write_all(b"["),
    }
}

fn people(out: &mut impl Write, format: Format, page: &[Subscriber], before: usize) -> std::io::Result<()> {
    if format == Format::Csv {
        let mut csv = csv::Writer::from_writer(out);
        for person in page {
            csv.write_record(cells(person))?;
        }
        return csv.flush();
    }
    for (index, person) in page.iter().enumerate() {
        out.write_all(if before + index == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, person)?;
    }
    Ok(())
}

fn end(out: &mut impl Write, format: Format, written: usize) -> std::io::Result<()> {
    match format {
        Format::Csv => Ok(()),
        Format::Json => out.write_all(if written == 0 { b"]\n" } else { b"\n]\n" }),
    }
}

/// In the order of `OURS`.
fn cells(person: &Subscriber) -> [String; OURS.len()] {
    let choice = &person.choice;
    [
        person.email.clone(),
        person.name.clone().unwrap_or_default(),
        person.state.as_str().to_owned(),
        person.source.clone(),
        person.created_at.to_string(),
        person.changed_at.to_string(),
        choice.frequency.as_str().to_owned(),
        choice.paused_until.map(|at| at.to_string()).unwrap_or_default(),
        choice.language.clone().unwrap_or_default(),
        list(&choice.tags),
        list(&choice.authors),
    ]
    .map(inert)
}

/// A tag may have any mark in it that a list could be joined with.
fn list(words: &[String]) -> String {
    if words.is_empty() { String::new() } else { serde_json::json!(words).to_string() }
}

/// What a spreadsheet would take for a formula gets a `'` before it.
fn inert(cell: String) -> String {
    if cell.starts_with(FORMULA) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for start in FORMULA {
            assert_eq!(inert(format!("{start}1")), format!("'{start}1"));
        }
        assert_eq!(inert("ann@example.org".into()), "ann@example.org");
        assert_eq!(inert(String::new()), "");
    }
}
