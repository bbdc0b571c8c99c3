//! `gazetted subscribers import`: other tools' lists. Everything is read and reported once before anything is written, and
//! read again to be written: all or nobody.

mod report;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::PathBuf;

use super::super::error::Failure;
use super::super::{Done, open, print};
use super::progress;
use crate::domain::subscriber_import::{self, ImportRow, Survey, Tool};
use crate::domain::wording;
use crate::store::{SharedStore, StoreError};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The files; of Mailchimp all three
    #[arg(required = true)]
    file: Vec<PathBuf>,
    /// Whose files they are
    #[arg(long, default_value = "auto", value_name = "TOOL", value_parser = formats())]
    format: String,
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    /// Facts as JSON
    #[arg(long)]
    json: bool,
}

fn formats() -> clap::builder::PossibleValuesParser {
    std::iter::once("auto").chain(Tool::ALL.iter().map(|tool| tool.as_str())).collect::<Vec<_>>().into()
}

/// A file that can be read twice.
struct Input {
    shown: String,
    file: File,
    bytes: u64,
}

pub async fn run(store: &SharedStore, given: &Arguments) -> Done {
    let wanted = Tool::parse(&given.format);
    let mut inputs = given.file.iter().map(input).collect::<Result<Vec<_>, _>>()?;
    let mut survey = look(&mut inputs, wanted);
    let repeated = survey.repeated();
    for problem in &survey.problems {
        eprintln!("{problem}");
        if let Some(hint) = &problem.hint {
            eprintln!("    hint: {hint}");
        }
    }
    if !survey.problems.is_empty() {
        if given.json {
            print::json(&report::facts(&survey, repeated, given.dry_run, None))?;
        } else {
            print::text(&report::text(&survey, repeated))?;
        }
        let what = if survey.is_full() { "and maybe more: reading ended there" } else { "all that was found" };
        return Err(Failure::failed(
            format!("nobody was added: the problems named above are {what}"),
            "mend the lines, and import again",
        ));
    }
    if !given.json {
        print::text(&report::text(&survey, repeated))?;
    }
    let source = source(&survey)?;
    let bar = progress::bar("writing", inputs.iter().map(|input| input.bytes).sum());
    let rows = Box::new(Again::new(&mut inputs, wanted, &survey, &bar)?);
    let done = store.import_subscribers(&source, rows, given.dry_run, open::now()).await;
    bar.finish_and_clear();
    let tally = done?;
    if given.json {
        return print::json(&report::facts(&survey, repeated, given.dry_run, Some(&tally)));
    }
    print::text(&report::outcome(&tally, given.dry_run))
}

/// Whose list it is: the same for the same files under other names. Of two tools at once it would be true of nobody.
fn source(survey: &Survey) -> Result<String, Failure> {
    let tools: BTreeSet<&str> = survey.files.iter().map(|file| file.format).collect();
    match tools.first() {
        Some(tool) if tools.len() == 1 => Ok(format!("import:{tool}")),
        _ => Err(Failure::failed(
            format!("nobody was added: the files are of {}", wording::list(&tools.into_iter().collect::<Vec<_>>())),
            "import the files of each tool by themselves, so that everybody's source is known",
        )),
    }
}

fn input(path: &PathBuf) -> Result<Input, Failure> {
    let shown = path.display().to_string();
    let unreadable = |error: std::io::Error| anyhow::Error::new(error).context(format!("`{shown}` cannot be read"));
    // Looked at before it is opened: opening a pipe waits for whoever writes to it.
    let known = std::fs::metadata(path).map_err(unreadable)?;
    if !known.is_file() {
        return Err(Failure::failed(format!("`{shown}` is no file"), "save the list as a file: it is read twice"));
    }
    let file = File::open(path).map_err(unreadable)?;
    Ok(Input { bytes: known.len(), shown, file })
}

fn look(inputs: &mut [Input], wanted: Option<Tool>) -> Survey {
    let bar = progress::bar("reading", inputs.iter().map(|input| input.bytes).sum());
    let mut survey = Survey::default();
    for input in inputs {
        if !survey.is_full() {
            survey.read(&input.shown, progress::counted(&bar, &input.file), wanted);
        }
    }
    bar.finish_and_clear();
    survey
}

/// The rows of all files, read a second time. Whatever was not there the first time ends it with an error, and with it
/// the transaction that takes them.
struct Again<'a> {
    lists: Box<dyn Iterator<Item = Result<ImportRow, StoreError>> + Send + 'a>,
    rows: u64,
    sum: u64,
    expected: (u64, u64),
    ended: bool,
}

impl<'a> Again<'a> {
    fn new(
        inputs: &'a mut [Input],
        wanted: Option<Tool>,
        survey: &Survey,
        bar: &'a indicatif::ProgressBar,
    ) -> Result<Self, Failure> {
        for input in &mut *inputs {
            input.file.seek(SeekFrom::Start(0))?;
        }
        let lists = inputs.iter().flat_map(move |input| {
            let list = subscriber_import::open(&input.shown, progress::counted(bar, &input.file), wanted);
            let (list, problem) = match list {
                Ok(list) => (Some(list), None),
                Err(problem) => (None, Some(Err(problem))),
            };
            list.into_iter().flatten().chain(problem).map(|row| row.map_err(|_| changed()))
        });
        let expected = (survey.rows, survey.sum());
        Ok(Self { lists: Box::new(lists), rows: 0, sum: 0, expected, ended: false })
    }
}

fn changed() -> StoreError {
    StoreError::Other("a file was changed while it was read; nobody was added".to_owned())
}

impl Iterator for Again<'_> {
    type Item = Result<ImportRow, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.lists.next() {
            Some(Ok(row)) => {
                self.rows += 1;
                self.sum = self.sum.wrapping_add(Survey::mark(&row));
                Some(Ok(row))
            }
            other => {
                self.ended = true;
                let same = (self.rows, self.sum) == self.expected;
                other.or_else(|| (!same).then(|| Err(changed())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// What reading again gives if `change` is done to the file in between.
    fn again(change: impl FnOnce(&File)) -> Vec<bool> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"email,status\nann@example.org,active\nbob@example.org,active\n").unwrap();
        let mut inputs = [input(&file.path().to_owned()).unwrap()];
        let survey = look(&mut inputs, None);
        assert!(survey.problems.is_empty() && survey.rows == 2);
        change(file.as_file());
        let bar = progress::bar("writing", 0);
        let again = Again::new(&mut inputs, None, &survey, &bar).unwrap();
        again.map(|row| row.is_ok()).collect()
    }

    #[test]
    fn a_file_that_changes_between_the_readings_ends_in_an_error() {
        assert_eq!(again(|_| ()), [true, true]);
        let cut = again(|file| file.set_len(36).unwrap());
        assert_eq!(cut, [true, false]);
        let other = |text: &'static [u8]| {
            again(move |mut file| {
                file.seek(SeekFrom::Start(0)).unwrap();
                file.write_all(text).unwrap();
            })
        };
        assert_eq!(other(b"email,status\nann@example.org,active\nbea@example.org,active\n"), [true, true, false]);
        assert_eq!(other(b"email,status\nann@example.org,activ!"), [false]);
    }
}
