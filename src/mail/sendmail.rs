//! The machine's own `sendmail`: Postfix, Exim, msmtp and others bring one. A message is its standard input, whole from
//! the start.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use memchr::memmem;
use rustix::fs::{MemfdFlags, memfd_create};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::session::{Failure, Sent};
use crate::domain::bounce::{Decision, Stage};
use crate::render::message::Message;

#[derive(Debug, Clone)]
pub struct Program {
    pub path: PathBuf,
    /// From its start to its end.
    pub patience: Duration,
}

/// What of its words is kept.
const KEPT: u64 = 1_000;

impl Program {
    /// The mark comes first: from its start the program has all of the message, even if nobody is left to wait for it.
    pub async fn send(&self, message: &Message, mark: impl Future<Output = bool> + Send) -> Result<Sent, Failure> {
        let input = stdin(&message.bytes).map_err(|error| self.not_started(&error))?;
        if !mark.await {
            return Ok(Sent::Lost);
        }
        let mut command = Command::new(&self.path);
        // -i: a line with a dot is no end. --: what follows is no option, whatever it looks like.
        command.args(["-i", "-f", &message.return_path, "--", &message.recipient]);
        command.stdin(input).stdout(Stdio::null()).stderr(Stdio::piped());
        let child = command.spawn().map_err(|error| self.not_started(&error))?;
        self.end(child).await
    }

    fn not_started(&self, error: &io::Error) -> Failure {
        let words = format!("`{}` cannot be started: {error}", self.path.display());
        Failure { stage: Stage::Connect, decision: Decision::StopRun, words }
    }

    async fn end(&self, mut child: Child) -> Result<Sent, Failure> {
        let mut words = Vec::new();
        let errors = child.stderr.take();
        let ended = timeout(self.patience, async {
            if let Some(errors) = errors {
                // What it says is for the log; that it ended is what counts.
                drop(errors.take(KEPT).read_to_end(&mut words).await);
            }
            child.wait().await
        });
        let Ok(Ok(status)) = ended.await else {
            drop(child.kill().await);
            let words = format!("`{}` did not end within {} s", self.path.display(), self.patience.as_secs());
            return Err(Failure { stage: Stage::Dot, decision: Decision::Doubtful, words });
        };
        let said: String = String::from_utf8_lossy(&words).split_whitespace().collect::<Vec<_>>().join(" ");
        let words = format!("{status}{}{said}", if said.is_empty() { "" } else { ": " });
        match decide(status) {
            Decision::Accepted => Ok(Sent::Accepted(if said.is_empty() { "handed over".to_owned() } else { said })),
            decision => Err(Failure { stage: Stage::Dot, decision, words }),
        }
    }
}

/// The message as local programs have it, whose line ends are bare; in memory that goes with the last who reads it.
fn stdin(message: &[u8]) -> io::Result<Stdio> {
    let mut file = File::from(memfd_create("message", MemfdFlags::CLOEXEC)?);
    let lines = memmem::find_iter(message, b"\r\n");
    let mut from = 0;
    let mut text = Vec::with_capacity(message.len());
    for at in lines {
        text.extend_from_slice(&message[from..at]);
        from = at + 1;
    }
    text.extend_from_slice(&message[from..]);
    file.write_all(&text)?;
    file.rewind()?;
    Ok(Stdio::from(file))
}

/// sysexits.h, as far as sendmails use it.
fn decide(status: ExitStatus) -> Decision {
    match status.code() {
        Some(0) => Decision::Accepted,
        // NOUSER, NOHOST, DATAERR
        Some(67) => Decision::FailRecipient { hard: true },
        Some(68 | 65) => Decision::FailRecipient { hard: false },
        // TEMPFAIL, UNAVAILABLE, OSERR, IOERR
        Some(75 | 69 | 71 | 74) => Decision::ServerTrouble,
        Some(_) => Decision::StopRun,
        None => Decision::Doubtful,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[test]
    fn an_exit_code_says_whose_trouble_it_is() {
        for (code, expected) in [
            (0, Decision::Accepted),
            (67, Decision::FailRecipient { hard: true }),
            (68, Decision::FailRecipient { hard: false }),
            (75, Decision::ServerTrouble),
            (64, Decision::StopRun),
            (78, Decision::StopRun),
            (127, Decision::StopRun),
        ] {
            assert_eq!(decide(ExitStatus::from_raw(code << 8)), expected, "{code}");
        }
        assert_eq!(decide(ExitStatus::from_raw(9)), Decision::Doubtful);
    }
}
