//! The days on which posts are due, as a calendar to subscribe to (RFC 5545). Knows finished goals; when the file is made
//! is told.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::goal::GoalStatus;
use crate::domain::period::Period;
use crate::domain::wording;

/// A year of due days of each goal. `host` makes the events' ids this blog's own.
#[must_use]
pub fn ics(goals: &[GoalStatus], title: &str, host: &str, stamp: Timestamp) -> String {
    let mut out = Lines(String::with_capacity(4_000));
    out.line("BEGIN:VCALENDAR");
    out.line("VERSION:2.0");
    out.line("PRODID:-//gazetted//goal//EN");
    out.line("CALSCALE:GREGORIAN");
    out.line("METHOD:PUBLISH");
    out.line(&format!("X-WR-CALNAME:{}", escape(&format!("{title}: posts due"))));
    out.line("REFRESH-INTERVAL;VALUE=DURATION:PT12H");
    for goal in goals {
        for due in &goal.due {
            event(&mut out, goal, *due, title, host, stamp);
        }
    }
    out.line("END:VCALENDAR");
    out.0
}

fn event(out: &mut Lines, goal: &GoalStatus, due: Date, title: &str, host: &str, stamp: Timestamp) {
    let period = Period::containing(goal.per, due);
    let posts = wording::count(goal.posts, "post");
    out.line("BEGIN:VEVENT");
    out.line(&format!("UID:{}-{period}@{}", slug::slugify(&goal.name), one_token(host)));
    out.line(&format!("DTSTAMP:{}", stamp.strftime("%Y%m%dT%H%M%SZ")));
    out.line(&format!("DTSTART;VALUE=DATE:{}", due.strftime("%Y%m%d")));
    out.line(&format!("DTEND;VALUE=DATE:{}", due.tomorrow().unwrap_or(due).strftime("%Y%m%d")));
    let whose = if matches!(goal.name.trim(), "" | "goal") { title } else { goal.name.trim() };
    out.line(&format!("SUMMARY:{}", escape(&format!("{whose}: {posts} due for {}", wording::period(period)))));
    if due == goal.next_due {
        out.line(&format!("DESCRIPTION:{}", escape(&goal.sentence)));
    }
    out.line("TRANSP:TRANSPARENT");
    out.line("END:VEVENT");
}

/// Content lines: CRLF, and folded so that none is longer than 75 octets.
struct Lines(String);

impl Lines {
    fn line(&mut self, text: &str) {
        let mut room = 75;
        for c in text.chars() {
            if c.len_utf8() > room {
                self.0.push_str("\r\n ");
                room = 74;
            }
            room -= c.len_utf8();
            self.0.push(c);
        }
        self.0.push_str("\r\n");
    }
}

/// RFC 5545, 3.3.11.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

fn one_token(host: &str) -> String {
    host.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')).collect()
}

#[cfg(test)]
mod tests {
    use super::super::goal::tests::goal;
    use super::*;

    #[test]
    fn the_calendar_is_folded_stable_and_ends_its_lines_as_the_rfc_says() {
        let title = "Dask, Working Notes – a title that is so long; it wants folding in every event of it\nX-EVIL:1";
        let stamp = "2021-07-29T10:00:00Z".parse().unwrap();
        let calendar = ics(&[goal()], title, "blog.example", stamp);
        assert_eq!(calendar, ics(&[goal()], title, "blog.example", stamp));
        for line in calendar.split_terminator("\r\n") {
            assert!(line.len() <= 75 && !line.contains(['\r', '\n']), "{line}");
            assert!(!line.starts_with("X-EVIL"));
        }
        assert_eq!(calendar.matches("BEGIN:VEVENT").count(), 12);
        let unfolded = calendar.replace("\r\n ", "");
        assert!(
            unfolded.contains(
                "UID:r-d-2021-07@blog.example\r\nDTSTAMP:20210729T100000Z\r\nDTSTART;VALUE=DATE:20210731\r\n"
            )
        );
        assert!(unfolded.contains("DTEND;VALUE=DATE:20210801\r\n"));
    }
}
