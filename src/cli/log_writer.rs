//! Where log lines go, and that nobody waits for it: a journal that stands still, or a pipe that nobody reads, must not stop
//! feeds and mail. What finds no room is lost, and counted.

use std::io::{self, Write};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::config::LogFormat;

/// As much as a pipe takes without blocking whenever it says that it can be written to (`PIPE_BUF`).
const PIECE: usize = 4_096;
/// A reader that is only busy has caught up by then.
const MOMENT: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

pub struct LogWriter<F> {
    to: F,
    format: LogFormat,
    lost: u64,
    /// Nobody has read for a moment: not waited for again until somebody does.
    stuck: bool,
    /// A line ends in its middle.
    half: bool,
}

impl<F: AsFd + Write> LogWriter<F> {
    pub fn new(to: F, format: LogFormat) -> Self {
        Self { to, format, lost: 0, stuck: false, half: false }
    }

    fn has_room(&self) -> bool {
        let patience = if self.stuck { AT_ONCE } else { MOMENT };
        let mut ends = [PollFd::new(&self.to, PollFlags::OUT)];
        poll(&mut ends, Some(&patience)).is_ok_and(|ready| ready > 0)
    }

    /// Whether all of it was taken.
    fn say(&mut self, text: &[u8]) -> bool {
        for (n, piece) in text.chunks(PIECE).enumerate() {
            if !self.has_room() {
                self.stuck = true;
                self.half |= n > 0;
                return false;
            }
            // Nobody can be told where the log goes wrong.
            let _ = self.to.write_all(piece);
        }
        self.stuck = false;
        true
    }

    fn say_what_was_lost(&mut self) {
        let before = if std::mem::take(&mut self.half) { "\n" } else { "" };
        let said = format!("{} lines of the log found no room and are lost", self.lost);
        let line = match self.format {
            LogFormat::Json => format!("{before}{{\"level\":\"WARN\",\"fields\":{{\"message\":\"{said}\"}}}}\n"),
            LogFormat::Text => format!("{before} WARN {said}\n"),
        };
        if self.say(line.as_bytes()) {
            self.lost = 0;
        } else {
            self.half = !before.is_empty();
        }
    }
}

/// A line a call, as `tracing` writes them.
impl<F: AsFd + Write> Write for LogWriter<F> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.lost > 0 {
            self.say_what_was_lost();
        }
        if self.lost > 0 || !self.say(line) {
            self.lost += 1;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn lines_that_find_no_room_are_lost_and_counted_and_nobody_waits() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut log = LogWriter::new(writer, LogFormat::Text);
        let line = format!("{}\n", "x".repeat(999));
        let started = Instant::now();
        for _ in 0..1_000 {
            assert_eq!(log.write(line.as_bytes()).unwrap(), 1_000);
        }
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        let lost = log.lost;
        assert!((900..1_000).contains(&lost), "{lost}");
        let mut read = vec![0; 1 << 20];
        let taken = reader.read(&mut read).unwrap();
        assert_eq!(taken % 1_000, 0, "only whole lines");
        log.write_all(b"the next one\n").unwrap();
        drop(log);
        let mut rest = String::new();
        reader.read_to_string(&mut rest).unwrap();
        let said = format!(" WARN {lost} lines of the log found no room and are lost\nthe next one\n");
        assert!(rest.ends_with(&said), "{rest}");
    }

    #[test]
    fn a_line_that_is_cut_in_the_middle_ends_there() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut log = LogWriter::new(writer, LogFormat::Json);
        log.write_all(&vec![b'x'; 1 << 20]).unwrap();
        let mut read = vec![0; 1 << 20];
        assert!(reader.read(&mut read).unwrap() > 0);
        log.write_all(b"{}\n").unwrap();
        drop(log);
        let mut rest = String::new();
        reader.read_to_string(&mut rest).unwrap();
        let lines: Vec<&str> = rest.lines().skip_while(|line| line.starts_with('x') || line.is_empty()).collect();
        assert_eq!(lines.len(), 2, "{rest}");
        assert!(lines.iter().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{lines:?}");
    }
}
