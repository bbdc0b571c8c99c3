//! The days on which posts are due, as a calendar to subscribe to (RFC 5545). Knows finished goals; when the file is made
//! is told.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::goal::{GoalStatus, PeriodState, PeriodStatus};
use crate::domain::period::Period;
use crate::domain::record::{Counted, Record};
use crate::domain::wording;

/// How many periods that are over stay in the calendar, with what came of them.
const PAST: usize = 12;

/// Each goal's deadlines: a year of those that are over, and those of the year to come. `host` makes the events' ids this
/// blog's own.
#[must_use]
pub fn ics(goals: &[Record], title: &str, host: &str, stamp: Timestamp) -> String {
    let mut out = Lines(String::with_capacity(8_000));
    out.line("BEGIN:VCALENDAR");
    out.line("VERSION:2.0");
    out.line("PRODID:-//gazetted//goal//EN");
    out.line("CALSCALE:GREGORIAN");
    out.line("METHOD:PUBLISH");
    out.line(&format!("X-WR-CALNAME:{}", escape(&format!("{title}: posts due"))));
    out.line("REFRESH-INTERVAL;VALUE=DURATION:PT12H");
    for record in goals {
        for event in events(record, title) {
            event.write(&mut out, host, stamp);
        }
    }
    out.line("END:VCALENDAR");
    out.0
}

struct Event {
    uid: String,
    day: Date,
    summary: String,
    description: String,
}

impl Event {
    fn write(&self, out: &mut Lines, host: &str, stamp: Timestamp) {
        out.line("BEGIN:VEVENT");
        out.line(&format!("UID:{}@{}", self.uid, one_token(host)));
        out.line(&format!("DTSTAMP:{}", stamp.strftime("%Y%m%dT%H%M%SZ")));
        out.line(&format!("DTSTART;VALUE=DATE:{}", self.day.strftime("%Y%m%d")));
        out.line(&format!("DTEND;VALUE=DATE:{}", self.day.tomorrow().unwrap_or(self.day).strftime("%Y%m%d")));
        out.line(&format!("SUMMARY:{}", escape(&self.summary)));
        if !self.description.is_empty() {
            out.line(&format!("DESCRIPTION:{}", escape(&self.description)));
        }
        out.line("TRANSP:TRANSPARENT");
        out.line("END:VEVENT");
    }
}

fn events(record: &Record, title: &str) -> Vec<Event> {
    let goal = &record.status;
    let whose = if matches!(goal.name.trim(), "" | "goal") { title } else { goal.name.trim() };
    let begun = goal.periods.get(goal.periods.len().saturating_sub(PAST + 1)..).unwrap_or_default();
    // What is done or past says so; what is due is told below, the running period among it unless it is met.
    let told = begun.iter().filter(|status| !goal.due.contains(&status.period.last_day()));
    let past = told.map(|status| Event {
        uid: uid(goal, status.period),
        day: status.period.last_day(),
        summary: format!("{whose}: {}", outcome(status)),
        description: titles(record.within(status.period)),
    });
    let due = goal.due.iter().map(|day| {
        let period = Period::containing(goal.per, *day);
        let posts = wording::count(goal.posts, "post");
        Event {
            uid: uid(goal, period),
            day: *day,
            summary: format!("{whose}: {posts} due for {}", wording::period(period)),
            description: if *day == goal.next_due { candidates(record) } else { String::new() },
        }
    });
    past.chain(due).collect()
}

fn uid(goal: &GoalStatus, period: Period) -> String {
    format!("{}-{period}", goal.slug)
}

/// `✓ done for May 2021, 3 posts`
fn outcome(status: &PeriodStatus) -> String {
    let (period, posts) = (wording::period(status.period), wording::digits(status.published, "post"));
    match status.state {
        PeriodState::Met => format!("✓ done for {period}, {posts}"),
        PeriodState::Missed => format!("{period} passed with {posts} of {}", status.goal),
        PeriodState::Paused => format!("{period} was a pause"),
        PeriodState::Open => format!("{posts} of {} for {period}", status.goal),
    }
}

fn titles(posts: &[Counted]) -> String {
    posts.iter().map(|post| format!("{} {}", post.title, post.url)).collect::<Vec<_>>().join("\n")
}

/// Where the goal stands, and what could make the next deadline.
fn candidates(record: &Record) -> String {
    let planned =
        record.scheduled.iter().map(|post| format!("Planned for {}: {}", wording::day(post.date), post.title));
    let drafts = record.drafts.iter().map(|draft| {
        let by =
            if draft.authors.is_empty() { String::new() } else { format!(" by {}", wording::list(&draft.authors)) };
        format!("In the making: {}{by}, {} words", draft.title, draft.words)
    });
    let lines = std::iter::once(record.status.sentence.clone()).chain(planned).chain(drafts);
    lines.collect::<Vec<_>>().join("\n")
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
    use super::*;
    use crate::domain::record::tests::sample;

    #[test]
    fn the_calendar_is_folded_stable_and_ends_its_lines_as_the_rfc_says() {
        let title = "Dask, Working Notes – a title that is so long; it wants folding in every event of it\nX-EVIL:1";
        let stamp = "2021-07-29T10:00:00Z".parse().unwrap();
        let calendar = ics(&[sample()], title, "blog.example", stamp);
        assert_eq!(calendar, ics(&[sample()], title, "blog.example", stamp));
        for line in calendar.split_terminator("\r\n") {
            assert!(line.len() <= 75 && !line.contains(['\r', '\n']), "{line}");
            assert!(!line.starts_with("X-EVIL"));
        }
        // February to June are over, and twelve are to come.
        assert_eq!(calendar.matches("BEGIN:VEVENT").count(), 5 + 12);
        let unfolded = calendar.replace("\r\n ", "");
        assert!(
            unfolded.contains(
                "UID:goal-2021-07@blog.example\r\nDTSTAMP:20210729T100000Z\r\nDTSTART;VALUE=DATE:20210731\r\n"
            )
        );
        assert!(unfolded.contains("DTEND;VALUE=DATE:20210801\r\n"));
    }

    #[test]
    fn editors_see_what_is_done_what_is_due_and_which_drafts_could_make_it() {
        let stamp = "2021-07-29T10:00:00Z".parse().unwrap();
        let calendar = ics(&[sample()], "Notes", "blog.example", stamp).replace("\r\n ", "");
        for line in [
            "SUMMARY:Notes: ✓ done for February 2021\\, 2 posts",
            "SUMMARY:Notes: March 2021 passed with 0 posts of 1",
            "SUMMARY:Notes: April 2021 was a pause",
            "SUMMARY:Notes: one post due for July 2021",
            "Planned for 30 July 2021: To come\\n",
            "In the making: A draft of many words by Ann\\, 2100 words",
            "Hello https://blog.example/hello\\nChunks",
        ] {
            assert!(calendar.contains(line), "{line}\n{calendar}");
        }
        let mut uids: Vec<&str> = calendar.lines().filter(|line| line.starts_with("UID:")).collect();
        let all = uids.len();
        uids.dedup();
        assert_eq!(uids.len(), all, "each deadline stands in it once");
    }
}
