//! Where each value of the configuration came from: a line of the file, the environment, a file with a secret; or nowhere,
//! and it is the default.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Of the configuration file.
    Line(usize),
    /// Of the environment.
    Variable(String),
    /// That holds a secret and nothing else.
    Secret(PathBuf),
}

/// By key: `site.title`, `digest.style.accent`, `smtp[0].host`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(BTreeMap<String, Origin>);

/// A key's whole name; `item` says which of several sections it is in.
#[must_use]
pub fn name(section: &str, item: Option<usize>, key: &str) -> String {
    match item {
        Some(item) => format!("{section}[{item}].{key}"),
        None => format!("{section}.{key}"),
    }
}

impl Origins {
    pub fn set(&mut self, section: &str, item: Option<usize>, key: &str, origin: Origin) {
        self.0.insert(name(section, item, key), origin);
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Origin> {
        self.0.get(name)
    }

    /// Every value that is not a default, in words.
    pub fn told<'a>(&'a self, file: &'a Path) -> impl Iterator<Item = (&'a str, String)> {
        self.0.iter().map(move |(name, origin)| (name.as_str(), origin.told(file)))
    }
}

impl Origin {
    /// In words; `file` is the configuration.
    #[must_use]
    pub fn told(&self, file: &Path) -> String {
        match self {
            Self::Line(line) => format!("{}:{line}", file.display()),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Variable(name) => write!(f, "${name}"),
            Self::Secret(path) => write!(f, "{}", path.display()),
        }
    }
}
