//! What an import says of its files before it writes, and of the list after it has.

use serde_json::{Value, json};

use crate::domain::plain;
use crate::domain::subscriber_import::{Counts, FileSurvey, Survey};
use crate::store::ImportTally;

/// As much of a list of columns as a line shows.
const SHOWN: usize = 200;

/// A paragraph a file, how many addresses come again, and what becomes of those who have not confirmed.
pub fn text(survey: &Survey, repeated: u64) -> String {
    let mut out: String = survey.files.iter().map(file).collect();
    if survey.files.iter().any(|file| file.counts.pending > 0) {
        out.push_str(
            "who is pending has not confirmed: they get no mail, and are forgotten after `subscribers.forget_after` unless they \
             subscribe\n",
        );
    }
    if repeated > 0 {
        out.push_str(&format!("{} more than once\n", counted(repeated, "address comes", "addresses come")));
    }
    out
}

fn file(file: &FileSurvey) -> String {
    let Counts { active, pending, unsubscribed, suppressed } = file.counts;
    let path = crate::domain::problem::one_line(&file.path);
    let mut out = format!("{path}: {}, {}", file.recognised, counted(file.rows, "row", "rows"));
    out.push_str(&format!(
        ": {active} active, {pending} pending, {unsubscribed} unsubscribed, {suppressed} suppressed\n"
    ));
    for (what, columns) in [("read", &file.used), ("ignored", &file.ignored)] {
        if !columns.is_empty() {
            out.push_str(&format!("    {what}: {}\n", plain::shortened(&plain::line(&columns.join(", ")), SHOWN)));
        }
    }
    out
}

pub fn outcome(tally: &ImportTally, dry_run: bool) -> String {
    let ImportTally { added, known, left, suppressed, kept_out } = tally;
    let mut out =
        format!("{added} added, {known} known before, {left} taken off, {kept_out} not brought back at their own wish");
    if *suppressed > 0 {
        out.push_str(&format!(", {suppressed} suppressed who had left already"));
    }
    if dry_run {
        out.push_str(": that would be; nothing was written");
    }
    out
}

/// The same as JSON; without a tally, nothing was written.
pub fn facts(survey: &Survey, repeated: u64, dry_run: bool, tally: Option<&ImportTally>) -> Value {
    let mut facts = json!({
        "files": survey.files,
        "rows": survey.rows,
        "repeated": repeated,
        "problems": survey.problems,
        "dry_run": dry_run,
    });
    if let Some(ImportTally { added, known, left, suppressed, kept_out }) = tally {
        facts["added"] = json!(added);
        facts["known"] = json!(known);
        facts["left"] = json!(left);
        facts["suppressed"] = json!(suppressed);
        facts["kept_out"] = json!(kept_out);
    }
    facts
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
