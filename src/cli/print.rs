//! Standard output and the log. Results are written whole; a reader that goes away early is no error.

use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::Mutex;

use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::Done;
use super::error::Failure;
use super::log_writer::LogWriter;
use crate::config::LogFormat;

pub fn bytes(out: &[u8]) -> Done {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(out).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::Gone),
        other => Ok(other?),
    }
}

pub fn text(text: &str) -> Done {
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    bytes(format!("{text}{end}").as_bytes())
}

/// Whether what is printed may have colours.
#[must_use]
pub fn is_coloured() -> bool {
    std::io::stdout().is_terminal() && !no_colour()
}

pub fn json(value: &impl serde::Serialize) -> Done {
    text(&serde_json::to_string_pretty(value)?)
}

/// A table with its columns lined up; the last column runs free.
#[must_use]
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|r| r.get(column)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(i, cell)| {
            let pad = if i + 1 == row.len() { 0 } else { widths[i] - cell.chars().count() };
            format!("{cell}{}", " ".repeat(pad))
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// What `-v` and `-q` ask for; `None` if neither was given.
#[must_use]
pub fn level(verbose: u8, quiet: bool) -> Option<Level> {
    match (quiet, verbose) {
        (true, _) => Some(Level::ERROR),
        (_, 0) => None,
        (_, 1) => Some(Level::INFO),
        (_, 2) => Some(Level::DEBUG),
        _ => Some(Level::TRACE),
    }
}

pub fn log_to_stderr(level: Level) {
    log(level, LogFormat::Text);
}

/// Our own events at `level`; those of the libraries only from warnings on, as some print addresses below that.
pub fn log(level: Level, format: LogFormat) {
    let targets = Targets::new()
        .with_default(LevelFilter::WARN)
        // Complains of every statement that takes a second, such as the look over a large database at the start.
        .with_target("sqlx", LevelFilter::ERROR)
        .with_target("gazetted", level);
    let registry = tracing_subscriber::registry().with(targets);
    let writer = Mutex::new(LogWriter::new(std::io::stderr(), format));
    let result = match format {
        LogFormat::Json => registry.with(tracing_subscriber::fmt::layer().json().with_writer(writer)).try_init(),
        LogFormat::Text => {
            let terminal = std::io::stderr().is_terminal();
            let colour = terminal && !no_colour();
            let layer = tracing_subscriber::fmt::layer().with_ansi(colour).with_target(false).with_writer(writer);
            // The journal stamps every line itself.
            if terminal { registry.with(layer).try_init() } else { registry.with(layer.without_time()).try_init() }
        }
    };
    // Set twice only in tests that run several commands.
    drop(result);
}

#[expect(clippy::disallowed_methods, reason = "the command line reads the environment")]
fn no_colour() -> bool {
    std::env::var("NO_COLOR").is_ok_and(|v| !v.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_lined_up() {
        let rows = [vec!["a".to_owned(), "long".into(), "x".into()], vec!["bbb".into(), "c".into(), "yy".into()]];
        assert_eq!(table(&rows), "a    long  x\nbbb  c     yy\n");
    }
}
