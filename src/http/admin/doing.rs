//! What the buttons do. Each answers with the page that says what was done, and is written down.

use axum::Extension;
use axum::extract::{Path, State};
use serde_json::json;

use super::asks::Answered;
use super::session::Session;
use super::sign_in::Sent;
use super::{Desk, Here, Shown};
use crate::domain::delivery::State as Delivery;
use crate::domain::edition::{EditionKey, State as EditionState};
use crate::domain::period::Period;
use crate::domain::subscriber::Address;
use crate::domain::wording;
use crate::http::Form;
use crate::http::error::Refusal;
use crate::render::page::admin::Page;

pub async fn test(State(desk): Here, Extension(session): Extension<Session>, Extension(form): Sent) -> Shown {
    let period = Period::parse(form.get("period")).ok_or(Refusal::Body)?;
    let to = form.get("to");
    let back = format!("/admin/next?period={period}");
    match desk.settings.asking.test(period, to.to_owned()).await.ok_or(Refusal::Starting)? {
        Ok(words) => {
            desk.done(
                &session,
                "digest test",
                &period.to_string(),
                &format!("{words} ({})", Address::masked(to)),
                &back,
            )
            .await
        }
        Err(words) => desk.not_done(&session, &words, &back),
    }
}

pub async fn release(State(desk): Here, Extension(session): Extension<Session>, Extension(form): Sent) -> Shown {
    let (period, fingerprint) = looked_at(&form)?;
    let answered = desk.settings.asking.release(period, fingerprint).await;
    desk.decided(&session, "digest release", period, answered).await
}

pub async fn turn_down(State(desk): Here, Extension(session): Extension<Session>, Extension(form): Sent) -> Shown {
    let (period, fingerprint) = looked_at(&form)?;
    let answered = desk.settings.asking.turn_down(period, fingerprint).await;
    desk.decided(&session, "digest cancel", period, answered).await
}

/// Which edition an editor has looked at, and as what.
fn looked_at(form: &Form) -> Result<(Period, String), Refusal> {
    let period = Period::parse(form.get("period")).ok_or(Refusal::Body)?;
    Ok((period, form.get("fingerprint").to_owned()))
}

pub async fn pause(State(desk): Here, Extension(session): Extension<Session>, Path(key): Path<String>) -> Shown {
    let move_to = Move { act: "digest pause", from: &[EditionState::Open], to: EditionState::Paused };
    desk.shift(&session, &key, &move_to, "is paused: nothing more of it is sent for now").await
}

pub async fn resume(State(desk): Here, Extension(session): Extension<Session>, Path(key): Path<String>) -> Shown {
    let move_to = Move { act: "digest resume", from: &[EditionState::Paused], to: EditionState::Open };
    desk.shift(&session, &key, &move_to, "goes on").await
}

pub async fn cancel(State(desk): Here, Extension(session): Extension<Session>, Path(key): Path<String>) -> Shown {
    let from = &[EditionState::Open, EditionState::Paused];
    let move_to = Move { act: "digest cancel", from, to: EditionState::Cancelled };
    desk.shift(&session, &key, &move_to, "is called off: what was not out is not sent").await
}

pub async fn retry(
    State(desk): Here,
    Extension(session): Extension<Session>,
    Path(key): Path<String>,
    Extension(form): Sent,
) -> Shown {
    let key = edition(&key)?;
    let which = match form.get("which") {
        "failed" => Delivery::Failed,
        "deferred" => Delivery::Deferred,
        "held" => Delivery::Held,
        _ => return Err(Refusal::Body),
    };
    let again = desk.state.store.retry(Some(key), &[which], desk.now()).await?;
    desk.settings.asking.wake();
    let again = wording::digits(u32::try_from(again).unwrap_or(u32::MAX), "delivery");
    let words = format!("{again} of the {} ones of {} are in the queue again.", which.as_str(), called(key));
    desk.done(&session, "outbox retry", &key.to_string(), &words, &format!("/admin/editions/{key}")).await
}

struct Move<'a> {
    act: &'a str,
    from: &'a [EditionState],
    to: EditionState,
}

impl Desk {
    async fn shift(&self, session: &Session, key: &str, wanted: &Move<'_>, words: &str) -> Shown {
        let key = edition(key)?;
        let back = format!("/admin/editions/{key}");
        if !self.state.store.move_edition(key, wanted.from, wanted.to, self.now()).await? {
            let from: Vec<&str> = wanted.from.iter().map(|state| state.as_str()).collect();
            let words = format!("{} is not {} any more.", called(key), from.join(" or "));
            return self.not_done(session, &wording::capitalised(&words), &back);
        }
        self.settings.asking.wake();
        let words = wording::capitalised(&format!("{} {words}.", called(key)));
        self.done(session, wanted.act, &key.to_string(), &words, &back).await
    }

    /// What the daemon has answered to an editor's word on an edition.
    async fn decided(&self, session: &Session, act: &str, period: Period, answered: Option<Answered>) -> Shown {
        match answered.ok_or(Refusal::Starting)? {
            Ok(words) => {
                self.done(session, act, &period.to_string(), &words, &format!("/admin/editions/{period}")).await
            }
            Err(words) => self.not_done(session, &words, &format!("/admin/next?period={period}")),
        }
    }

    /// Nothing was done, and why.
    pub(super) fn not_done(&self, session: &Session, words: &str, back: &str) -> Shown {
        let own = json!({"text": words, "back": back});
        let mut response = self.page(Some(session), Page::NotDone, "Not done", &own)?;
        *response.status_mut() = axum::http::StatusCode::CONFLICT;
        Ok(response)
    }
}

pub(super) fn edition(text: &str) -> Result<EditionKey, Refusal> {
    EditionKey::parse(text).filter(|key| key.is_edition()).ok_or(Refusal::NotFound)
}

/// `the edition of October 2026`.
pub(super) fn called(key: EditionKey) -> String {
    match key.period() {
        Some(period) => format!("the edition of {}", wording::period(period)),
        None => format!("the edition {key}"),
    }
}
