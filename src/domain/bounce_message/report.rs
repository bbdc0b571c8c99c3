//! A delivery report (RFC 3464): one block of fields for the message, one for each recipient, as servers write them: actions
//! of their own, comments, codes that stand in the diagnostic alone, no status at all.

use mail_parser::Message;

use super::{Finding, Said, parts_of, text_of};
use crate::domain::bounce::Enhanced;
use crate::domain::bounce_class::{self, Class, code_in};
use crate::domain::subscriber::Address;

const PARTS: [&str; 2] = ["message/delivery-status", "message/global-delivery-status"];

pub fn is_there(message: &Message<'_>) -> bool {
    parts_of(message, &PARTS).next().is_some()
}

/// None: there is no block that says what became of a recipient.
pub fn read(message: &Message<'_>) -> Option<Said> {
    let text = parts_of(message, &PARTS).next().map(text_of)?;
    let mut said: Vec<Said> = text.split("\n\n").filter_map(|block| of_recipient(&Fields::read(block))).collect();
    // Ours went to one reader, and arrived: what failed is where the reader has it sent on to.
    if said.contains(&Said::Automatic) {
        said.iter_mut().for_each(spare);
    }
    let failed = said.iter().find(|said| matches!(said, Said::Bounce(_)));
    failed.or_else(|| said.iter().find(|said| **said == Said::Late)).or(said.first()).cloned()
}

fn spare(said: &mut Said) {
    if let Said::Bounce(finding) = said {
        finding.class = Class::Policy;
    }
}

/// The fields of one block, in lower case and unfolded.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn read(block: &str) -> Self {
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in block.lines() {
            match (line.starts_with([' ', '\t']), fields.last_mut(), line.split_once(':')) {
                (true, Some((_, value)), _) => {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                (false, _, Some((name, value))) => {
                    fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
                }
                _ => {}
            }
        }
        Self(fields)
    }

    fn get(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str()))
    }
}

enum Action {
    Failed,
    Delayed,
    /// Delivered, relayed, expanded.
    Done,
}

fn of_recipient(fields: &Fields) -> Option<Said> {
    let status = fields.get(&["status", "x-status"]);
    let action = fields.get(&["action", "x-action"]);
    fields.get(&["final-recipient", "original-recipient", "x-actual-recipient"]).or(action).or(status)?;
    let diagnostic = fields.get(&["diagnostic-code", "x-diagnostic-code", "x-supplementary-info"]).unwrap_or_default();
    match of_action(action, status.and_then(code_in).or_else(|| code_in(diagnostic)))? {
        Action::Failed => Some(Said::Bounce(Finding { recipient: recipient(fields), ..finding(status, diagnostic) })),
        Action::Delayed => Some(Said::Late),
        Action::Done => Some(Said::Automatic),
    }
}

/// The address as we wrote it, if the report says it, not the one that it may have been sent on to.
fn recipient(fields: &Fields) -> Option<String> {
    let stated = fields.get(&["original-recipient", "final-recipient"])?;
    let address = stated.split_once(';').map_or(stated, |(_, address)| address);
    Address::parse(address.trim().trim_matches(['<', '>'])).ok().map(|address| address.email)
}

/// Comments may follow the word. What is not of the standard is decided by the status.
fn of_action(action: Option<&str>, code: Option<Enhanced>) -> Option<Action> {
    let word = action.unwrap_or_default().split([' ', ';', '(']).next().unwrap_or_default().to_ascii_lowercase();
    match word.trim_start_matches("x-") {
        "failed" | "failure" | "expired" | "undeliverable" | "rejected" | "bounced" => Some(Action::Failed),
        "delayed" | "delay" => Some(Action::Delayed),
        "delivered" | "relayed" | "expanded" | "success" => Some(Action::Done),
        _ => match code {
            Some(Enhanced(5, ..)) => Some(Action::Failed),
            Some(Enhanced(4, ..)) => Some(Action::Delayed),
            _ => None,
        },
    }
}

/// The status, unless it says nothing and the server's own answer does.
fn finding(status: Option<&str>, diagnostic: &str) -> Finding {
    let (stated, answered) = (status.and_then(code_in), code_in(diagnostic));
    let says_nothing = |code: &Enhanced| matches!(code, Enhanced(_, 0..=4, 0) | Enhanced(5, 5, 0));
    let code = match (stated, answered) {
        (Some(stated), Some(answered)) if says_nothing(&stated) => Some(answered),
        (Some(stated), None) if says_nothing(&stated) && stated.1 == 5 => Some(Enhanced(stated.0, 0, 0)),
        (stated, answered) => stated.or(answered),
    };
    let answer = diagnostic.split_once(';').map_or(diagnostic, |(_, answer)| answer.trim());
    let shown = code.map(|code| code.to_string());
    let words = if answer.is_empty() { status.unwrap_or("no reason is given") } else { answer };
    Finding::new(bounce_class::of(code, diagnostic), shown, words)
}
