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
use tokio::process::{Child, ChildStderr, Command};
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
const KEPT: usize = 1_000;
/// How long its words are waited for once it has ended.
const LAST_WORDS: Duration = Duration::from_millis(200);

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
        // What it says is for the log; that it ended is what counts, even if something it has started could say more.
        let mut words = Words { from: child.stderr.take(), kept: Vec::new() };
        let ended = async {
            tokio::select! {
                ended = child.wait() => ended,
                () = words.hear() => child.wait().await,
            }
        };
        let Ok(Ok(status)) = timeout(self.patience, ended).await else {
            drop(child.kill().await);
            let words = format!("`{}` did not end within {} s", self.path.display(), self.patience.as_secs());
            return Err(Failure { stage: Stage::Dot, decision: Decision::Doubtful, words });
        };
        let _ = timeout(LAST_WORDS, words.hear()).await;
        let said = String::from_utf8_lossy(&words.kept).split_whitespace().collect::<Vec<_>>().join(" ");
        let words = format!("{status}{}{said}", if said.is_empty() { "" } else { ": " });
        match decide(status) {
            Decision::Accepted => Ok(Sent::Accepted(if said.is_empty() { "handed over".to_owned() } else { said })),
            decision => Err(Failure { stage: Stage::Dot, decision, words }),
        }
    }
}

/// What a program says: the beginning is kept, and the rest read as well, so that it does not die of saying it.
struct Words {
    from: Option<ChildStderr>,
    kept: Vec<u8>,
}

impl Words {
    /// Until there is no more.
    async fn hear(&mut self) {
        let Some(from) = &mut self.from else { return };
        let mut some = [0; KEPT];
        while let Ok(length @ 1..) = from.read(&mut some).await {
            let room = KEPT - self.kept.len();
            self.kept.extend_from_slice(&some[..length.min(room)]);
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
