//! The first page: how the goal stands, what goes out next, and what needs somebody's attention.

use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use serde_json::{Value, json};

use super::asks::Look;
use super::session::Session;
use super::{Desk, Here, Shown, editions};
use crate::domain::delivery::State as Delivery;
use crate::domain::edition::State as EditionState;
use crate::domain::wording;
use crate::render::page::admin::Page;
use crate::store::{EditionSummary, StoreError};

/// Editions on this page.
const LATEST: usize = 5;

pub async fn page(State(desk): Here, Extension(session): Extension<Session>, uri: Uri) -> Shown {
    let look = desk.look(&Uri::default()).await?;
    let editions = desk.state.store.editions().await?;
    let own = json!({
        "said": desk.said(&uri).await?,
        "attention": desk.attention(&look, &editions).await?,
        "next": look.next.as_ref().ok().map(|next| desk.shown(&look, next)),
        "problem": look.next.as_ref().err(),
        "editions": editions.iter().take(LATEST).map(|summary| editions::line(&desk, summary)).collect::<Vec<_>>(),
        "more": editions.len() > LATEST,
    });
    desk.page(Some(&session), Page::Overview, "Overview", &own)
}

fn note(text: impl Into<String>, url: impl Into<String>) -> Value {
    json!({"text": text.into(), "url": url.into()})
}

impl Desk {
    /// What somebody should look at: nothing, on most days.
    async fn attention(&self, look: &Look, editions: &[EditionSummary]) -> Result<Vec<Value>, StoreError> {
        let mut notes: Vec<Value> = look.troubles.iter().map(|trouble| note(trouble, "")).collect();
        for period in look.waiting.iter().filter(|_| look.manual) {
            let words = format!("The edition of {} waits for your word.", wording::period(*period));
            notes.push(note(words, format!("/admin/next?period={period}")));
        }
        for paused in editions.iter().filter(|summary| summary.edition.state == EditionState::Paused) {
            let key = paused.edition.key;
            let why = paused.edition.reason.clone().unwrap_or_else(|| "somebody paused it".to_owned());
            let words = wording::capitalised(&format!("{} is paused: {why}", super::doing::called(key)));
            notes.push(note(words, format!("/admin/editions/{key}")));
        }
        let failed = editions.first().map(|latest| (latest.edition.key, latest.counts.of(Delivery::Failed)));
        if let Some((key, n)) = failed.filter(|(_, n)| *n > 0) {
            let n = wording::digits(u32::try_from(n).unwrap_or(u32::MAX), "reader");
            let words = format!("The latest edition did not reach {n}.");
            notes.push(note(words, format!("/admin/editions/{key}")));
        }
        for held in self.state.store.holds(self.now()).await? {
            let words = format!(
                "The relay {} is left alone for {} more minutes: {}",
                held.destination,
                held.remaining.as_mins().max(1),
                held.reason
            );
            notes.push(note(words, ""));
        }
        let errors = look.problems.iter().filter(|problem| problem.is_error()).count();
        if errors > 0 {
            let n = wording::digits(u32::try_from(errors).unwrap_or(u32::MAX), "mistake");
            notes.push(note(format!("Posts and configuration have {n}."), "/admin/problems"));
        }
        if let Ok(next) = &look.next
            && next.is_red()
        {
            let n = next.findings.iter().filter(|finding| finding.is_red()).count();
            let n = wording::digits(u32::try_from(n).unwrap_or(u32::MAX), "red finding");
            notes.push(note(format!("The next edition cannot go out as it is: {n}."), "/admin/next"));
        }
        Ok(notes)
    }
}
