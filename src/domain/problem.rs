//! What is wrong with a file, where, and what to do about it. A problem is a value: finding one never stops
//! anything. Knows nothing of how it is printed beyond its one-line form.

use std::fmt;

use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Warning,
    Error,
}

/// One finding. `line` and `column` count from 1; 0 means "the file as a whole".
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub path: String,
    pub line: usize,
    pub column: usize,
    pub severity: Severity,
    /// A short stable word scripts can match on, such as `front-matter` or `duplicate-address`.
    pub code: &'static str,
    pub message: String,
    pub hint: Option<String>,
}

impl Problem {
    #[must_use]
    pub fn error(path: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, path, code, message)
    }

    #[must_use]
    pub fn warning(path: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, path, code, message)
    }

    fn new(severity: Severity, path: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { path: path.into(), line: 0, column: 0, severity, code, message: message.into(), hint: None }
    }

    #[must_use]
    pub fn at(mut self, line: usize, column: usize) -> Self {
        (self.line, self.column) = (line, column);
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// `path:line:column: message`, on one line whatever the path and the message hold.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = if self.is_error() { "error" } else { "warning" };
        write!(
            f,
            "{}:{}:{}: {severity}: {}",
            one_line(&self.path),
            self.line.max(1),
            self.column.max(1),
            one_line(&self.message)
        )
    }
}

/// Control characters shown as `\u{..}`, so that a file name or a value cannot forge a second line.
#[must_use]
pub fn one_line(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return text.to_owned();
    }
    text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_one_line_whatever_its_path_holds() {
        let problem = Problem::error("a\nb.md", "front-matter", "no\u{1b}[31m").at(3, 7);
        assert_eq!(problem.to_string(), "a\\nb.md:3:7: error: no\\u{1b}[31m");
    }
}
