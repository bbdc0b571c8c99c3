//! `gazetted man`: the manual, from the same words as `--help`. One page on stdout, or all of them as files: a page a command, and
//! `gazetted.toml(5)`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};

use super::config::DOCUMENTED;
use super::{Done, examples, print};
use crate::publish;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Write a page for each command, and `gazetted.toml(5)`, into this folder
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

pub fn run(given: &Arguments) -> Done {
    let Some(dir) = &given.dir else { return print::bytes(&main_page()?) };
    let mut program = program().disable_help_subcommand(true);
    program.build();
    for command in program.get_subcommands() {
        pages(command, dir)?;
    }
    write(dir, "gazetted.1", &main_page()?)?;
    write(dir, "gazetted.toml.5", &configuration()?)
}

fn program() -> clap::Command {
    examples::shown(super::Arguments::command())
}

/// A command's page, and those of the commands below it.
fn pages(command: &clap::Command, dir: &Path) -> Done {
    for below in command.get_subcommands() {
        pages(below, dir)?;
    }
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render(&mut page)?;
    write(dir, &man.get_filename(), &page)
}

fn write(dir: &Path, name: &str, page: &[u8]) -> Done {
    Ok(publish::write(&dir.join(name), page).map_err(anyhow::Error::new)?)
}

/// What clap does not know: files, the environment, how the program ends.
fn main_page() -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(program()).render(&mut page)?;
    let mut more = Roff::new();
    section(&mut more, "FILES", &FILES);
    section(&mut more, "ENVIRONMENT", &ENVIRONMENT);
    section(&mut more, "EXIT STATUS", &STATUS);
    more.control("SH", ["SEE ALSO"]);
    more.text([bold("gazetted.toml"), roman("(5), "), bold("systemd.exec"), roman("(5)")]);
    more.to_writer(&mut page)?;
    Ok(page)
}

fn section(page: &mut Roff, title: &str, rows: &[(&str, &str)]) {
    page.control("SH", [title]);
    for (name, about) in rows {
        page.control("TP", []);
        page.text([bold(*name)]);
        page.text([roman(*about)]);
    }
}

const FILES: [(&str, &str); 4] = [
    (
        "./gazetted.toml, /etc/gazetted/gazetted.toml",
        "The configuration, if neither --config nor $GAZETTED_CONFIG names one.",
    ),
    (
        "/etc/credstore/gazetted.NAME",
        "Secrets that systemd hands to the service; read by commands that root runs, too.",
    ),
    ("/var/lib/gazetted", "What the service keeps, if installed from the package."),
    ("/run/gazetted.sock", "Where it listens, if gazetted.socket is enabled."),
];

const ENVIRONMENT: [(&str, &str); 4] = [
    ("GAZETTED_CONFIG", "The configuration file."),
    ("GAZETTED_SECTION__KEY", "A key of the configuration, before what the file says: GAZETTED_SMTP__HOST."),
    ("CREDENTIALS_DIRECTORY", "Where secrets are, one a file (set by systemd)."),
    ("NO_COLOR", "If it is set, nothing is coloured."),
];

const STATUS: [(&str, &str); 5] = [
    ("0", "Done."),
    ("1", "Failed, or a check found errors."),
    ("2", "The command line is wrong."),
    ("75", "Not now: another daemon has the store, or it cannot be reached. Try again later."),
    ("78", "The configuration or the store is wrong. Trying again would not mend it."),
];

fn configuration() -> io::Result<Vec<u8>> {
    let mut page = Roff::new();
    page.control("TH", ["gazetted.toml", "5", "", concat!("gazetted ", env!("CARGO_PKG_VERSION"))]);
    page.control("SH", ["NAME"]);
    page.text([roman("gazetted.toml - configuration of gazetted")]);
    page.control("SH", ["DESCRIPTION"]);
    page.text([
        roman("Every key with its default. A file of your own needs only title and url of "),
        bold("[site]"),
        roman(" and dir of "),
        bold("[posts]"),
        roman(". What is in force: "),
        italic("gazetted config show"),
        roman("."),
    ]);
    page.control("EX", []);
    for line in DOCUMENTED.lines() {
        page.text([roman(line)]);
    }
    page.control("EE", []);
    page.control("SH", ["SEE ALSO"]);
    page.text([bold("gazetted"), roman("(1)")]);
    let mut out = Vec::new();
    page.to_writer(&mut out)?;
    out.flush()?;
    Ok(out)
}
