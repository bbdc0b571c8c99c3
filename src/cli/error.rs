//! How a command fails: an exit code, a sentence, its causes and a hint. Printed in this one place.

use std::process::ExitCode;

use crate::domain::problem::Problem;

/// The exit codes scripts rely on.
const FAILED: u8 = 1;
const USAGE: u8 = 2;
/// `EX_CONFIG`: systemd units stop restarting on it.
const CONFIG: u8 = 78;
/// `EX_TEMPFAIL`: it may go better later. Mail servers keep what they piped to us; systemd starts the daemon again.
const TEMPFAIL: u8 = 75;

#[derive(Debug)]
pub enum Failure {
    /// What was asked for did not work.
    Failed { error: anyhow::Error, hint: Option<String> },
    /// An argument cannot be understood.
    Usage { message: String, hint: String },
    /// The configuration is wrong: all its problems.
    Config(Vec<Problem>),
    /// The daemon cannot start: 75 if it may later, 78 if somebody has to act first.
    Start(anyhow::Error),
    /// A mail server is to try again (`EX_TEMPFAIL`): only `bounce` says so.
    Temporary,
    /// The result has been printed, and it is bad (`check`).
    Quiet,
    /// Whoever read our output has gone away.
    Gone,
}

impl Failure {
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: hint.into() }
    }

    pub fn failed(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Failed { error: anyhow::Error::msg(message.into()), hint: Some(hint.into()) }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed { error: error.into(), hint: None }
    }
}

pub fn print(failure: &Failure) -> ExitCode {
    match failure {
        Failure::Failed { error, hint } => {
            explain(error, hint.as_deref());
            ExitCode::from(FAILED)
        }
        Failure::Start(error) => {
            explain(error, None);
            ExitCode::from(start(error))
        }
        Failure::Usage { message, hint } => {
            eprintln!("error: {message}\nhint: {hint}");
            ExitCode::from(USAGE)
        }
        Failure::Config(problems) => {
            for problem in problems {
                eprintln!("{problem}");
                if let Some(hint) = &problem.hint {
                    eprintln!("    hint: {hint}");
                }
            }
            eprintln!("error: the configuration cannot be used");
            ExitCode::from(CONFIG)
        }
        Failure::Temporary => {
            eprintln!("error: the store cannot be used right now\nhint: the mail stays in the mail server's queue");
            ExitCode::from(TEMPFAIL)
        }
        Failure::Quiet => ExitCode::from(FAILED),
        Failure::Gone => ExitCode::SUCCESS,
    }
}

fn explain(error: &anyhow::Error, hint: Option<&str>) {
    eprintln!("error: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("caused by: {cause}");
    }
    if let Some(hint) = hint.or_else(|| known_hint(error)) {
        eprintln!("hint: {hint}");
    }
}

/// Whether starting the daemon again can help.
fn start(error: &anyhow::Error) -> u8 {
    use crate::store::StoreError;
    match error.downcast_ref() {
        Some(StoreError::Held(_) | StoreError::Full(_) | StoreError::Unavailable(_)) => TEMPFAIL,
        Some(StoreError::NotWritable(_) | StoreError::Damaged(_) | StoreError::Schema(_) | StoreError::Url(_)) => {
            CONFIG
        }
        Some(StoreError::Other(_)) | None => FAILED,
    }
}

/// What to do about errors that come from below, by what they are.
fn known_hint(error: &anyhow::Error) -> Option<&'static str> {
    use crate::daemon::blog::PassError;
    use crate::store::StoreError;
    if let Some(PassError::Vanished { .. }) = error.downcast_ref() {
        return Some(
            "is the directory mounted and complete? if the posts are gone on purpose: `gazetted build --force`",
        );
    }
    let store = error.downcast_ref::<StoreError>().or_else(|| match error.downcast_ref() {
        Some(PassError::Store(store)) => Some(store),
        _ => None,
    });
    Some(match store? {
        StoreError::Unavailable(_) => "try again; is the database server up, or another command writing?",
        StoreError::Full(_) => "make room on the disk of `store.url`; nothing has been lost",
        StoreError::NotWritable(text) if text.starts_with("permission denied for schema") => {
            "let the role of `store.url` make tables: `GRANT CREATE ON SCHEMA`, or give it a schema of its own"
        }
        StoreError::NotWritable(_) => "check the permissions of `store.url`, and whether its disk is mounted read-only",
        StoreError::Damaged(_) => {
            "restore the file from a backup made with `gazetted backup`; nothing has been sent or changed"
        }
        StoreError::Schema(_) => "install the newer version of gazetted that wrote it",
        StoreError::Held(_) => "stop the other one first",
        StoreError::Url(_) | StoreError::Other(_) => return None,
    })
}
