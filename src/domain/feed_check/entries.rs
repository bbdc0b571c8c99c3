//! What only shows when entries are seen together: ids that come twice, and instants that do.

use std::collections::HashMap;

use jiff::Timestamp;

use super::Findings;

#[derive(Default)]
pub(super) struct Together<'a> {
    ids: HashMap<String, usize>,
    updated: HashMap<Timestamp, usize>,
    /// What a `guid` or `id` is called here.
    name: &'a str,
}

impl<'a> Together<'a> {
    pub(super) fn called(name: &'a str) -> Self {
        Self { name, ..Self::default() }
    }

    pub(super) fn id(&mut self, findings: &mut Findings<'_>, id: &str, at: usize) {
        if let Some(first) = self.ids.insert(id.to_owned(), at) {
            let line = findings.lines.line(first);
            let message = format!("the {} `{id}` is that of the entry at line {line}, too", self.name);
            findings.error(
                at,
                "id-twice",
                message,
                "readers show only one of them: give each entry an id of its own, for ever",
            );
        }
    }

    pub(super) fn updated(&mut self, findings: &mut Findings<'_>, instant: Timestamp, at: usize) {
        if let Some(first) = self.updated.insert(instant, at) {
            let line = findings.lines.line(first);
            let message = format!("`updated` is the very instant of the entry at line {line}");
            findings.warn(
                at,
                "updated-twice",
                message,
                "readers cannot tell which is newer: write the time, not only the day",
            );
        }
    }
}
