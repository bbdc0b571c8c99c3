//! Log events as systemd's journal takes them: a field each, so that `journalctl -u gazetted EVENT=edition_opened` finds them. Never
//! waits for the journal: what it does not take at once is lost, and counted.

use std::fmt::{self, Debug};
use std::io;
use std::os::unix::net::UnixDatagram;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::fstat;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::layer::Context;

const SOCKET: &str = "/run/systemd/journal/socket";
/// A longer value is cut off; the journal refuses datagrams that are too long.
const LONGEST: usize = 16 * 1024;

pub struct Journal {
    socket: UnixDatagram,
    lost: AtomicU64,
}

impl Journal {
    /// None unless what we print goes to the journal (`systemd.exec(5)`, `$JOURNAL_STREAM`).
    pub fn of_stderr() -> Option<Self> {
        let named = std::env::var_os("JOURNAL_STREAM")?;
        let here = fstat(io::stderr()).ok()?;
        let same = named.to_str()? == format!("{}:{}", here.st_dev, here.st_ino);
        if same { Self::open(SOCKET).ok() } else { None }
    }

    fn open(path: &str) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.connect(path)?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, lost: AtomicU64::new(0) })
    }

    fn send(&self, entry: &[u8]) {
        if self.socket.send(entry).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let mut entry = Entry::new(Level::WARN);
            entry.field("EVENT", "log_lost");
            entry.field("MESSAGE", &format!("{lost} lines of the log found no room and are lost"));
            let _ = self.socket.send(&entry.0);
        }
    }
}

impl<S: Subscriber> Layer<S> for Journal {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let about = event.metadata();
        let mut entry = Entry::new(*about.level());
        entry.field("TARGET", about.target());
        event.record(&mut entry);
        self.send(&entry.0);
    }
}

/// One message in the journal's own form: <https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>.
struct Entry(Vec<u8>);

impl Entry {
    fn new(level: Level) -> Self {
        let priority = match level {
            Level::ERROR => "3",
            Level::WARN => "4",
            Level::INFO => "6",
            Level::DEBUG | Level::TRACE => "7",
        };
        let mut entry = Self(Vec::with_capacity(512));
        entry.field("PRIORITY", priority);
        entry.field("SYSLOG_IDENTIFIER", "gazetted");
        entry
    }

    fn field(&mut self, name: &str, value: &str) {
        let end = value.char_indices().map(|(at, _)| at).take_while(|at| *at <= LONGEST).last().unwrap_or(0);
        let value = if value.len() <= LONGEST { value } else { &value[..end] };
        self.0.extend(name.bytes().map(|byte| match byte {
            b'a'..=b'z' => byte.to_ascii_uppercase(),
            b'A'..=b'Z' | b'0'..=b'9' => byte,
            _ => b'_',
        }));
        if value.contains('\n') {
            self.0.push(b'\n');
            self.0.extend((value.len() as u64).to_le_bytes());
        } else {
            self.0.push(b'=');
        }
        self.0.extend(value.as_bytes());
        self.0.push(b'\n');
    }
}

impl Visit for Entry {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.field(field.name(), &format!("{value:?}"));
    }
}

/// For people: the sentence, then the fields, without the event's name.
pub struct Readable;

impl<'writer> FormatFields<'writer> for Readable {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut line = Line { writer, is_first: true, result: Ok(()) };
        fields.record(&mut line);
        line.result
    }
}

struct Line<'writer> {
    writer: Writer<'writer>,
    is_first: bool,
    result: fmt::Result,
}

impl Visit for Line<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.record_debug(field, &format_args!("{value}")),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "event" || self.result.is_err() {
            return;
        }
        let gap = if std::mem::take(&mut self.is_first) { "" } else { " " };
        self.result = match field.name() {
            // One event is one line, whatever stands in it.
            "message" => write!(self.writer, "{gap}{}", one_line(&format!("{value:?}"))),
            name => write!(self.writer, "{gap}{name}={}", one_line(&format!("{value:?}"))),
        };
    }
}

fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt as _;

    #[test]
    fn an_event_is_one_message_of_fields_to_the_journal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let journal = UnixDatagram::bind(&path).unwrap();
        let layer = Journal::open(path.to_str().unwrap()).unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::warn!(event = "edition_paused", edition = %"2021-05", count = 3, "two\nlines");
        });
        let mut buffer = [0; 4096];
        let length = journal.recv(&mut buffer).unwrap();
        let mut expected = b"PRIORITY=4\nSYSLOG_IDENTIFIER=gazetted\nTARGET=gazetted::cli::journal::tests\n".to_vec();
        expected.extend(b"MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\nEVENT=edition_paused\nEDITION=2021-05\nCOUNT=3\n");
        assert_eq!(String::from_utf8_lossy(&buffer[..length]), String::from_utf8_lossy(&expected));
    }

    #[test]
    fn a_journal_that_stands_still_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let journal = UnixDatagram::bind(&path).unwrap();
        let layer = Journal::open(path.to_str().unwrap()).unwrap();
        let entry = Entry(vec![b'x'; 4096]);
        for _ in 0..10_000 {
            layer.send(&entry.0);
        }
        assert!(layer.lost.load(Ordering::Relaxed) > 0);
        let mut buffer = [0; 8192];
        journal.set_nonblocking(true).unwrap();
        while journal.recv(&mut buffer).is_ok() {}
        layer.send(&entry.0);
        journal.recv(&mut buffer).unwrap();
        let length = journal.recv(&mut buffer).unwrap();
        assert!(String::from_utf8_lossy(&buffer[..length]).contains("lines of the log found no room"));
    }
}
