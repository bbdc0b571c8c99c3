//! `gazetted config`: the defaults as a commented file, or what is in force with secrets as `***`.

use std::path::Path;

use super::{Done, open, print};

/// Every key with its default; tested against the code.
pub const DOCUMENTED: &str = include_str!("../../config/gazetted.toml");

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Every key with its default and what it means
    Default,
    /// What is in force: file, environment and defaults together
    Show {
        /// Facts as JSON
        #[arg(long)]
        json: bool,
    },
}

pub fn run(config: Option<&Path>, command: &Command) -> Done {
    match command {
        Command::Default => print::text(DOCUMENTED),
        Command::Show { json: true } => print::json(&*open::config(config)?),
        Command::Show { json: false } => print::text(&toml::to_string(&*open::config(config)?)?),
    }
}
