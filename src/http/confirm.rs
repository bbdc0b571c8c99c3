//! The answer to a question that was mailed: "did you ask for this?", "is this your address?". Following the link shows a
//! button; pressing it answers, once.

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, Uri};
use tracing::info;

use super::error::Refusal;
use super::{App, shown};
use crate::domain::subscriber::{Address, Subscriber};
use crate::domain::token::{self, Bearer, Purpose};
use crate::render::page::{self, Question, Said};
use crate::store::{Confirmed, Moved};

/// What a token answers, and whose it is.
struct Answer {
    purpose: Purpose,
    bearer: Bearer,
    subscriber: Subscriber,
}

pub async fn ask(State(state): App, uri: Uri) -> Result<Response<Body>, Refusal> {
    let answer = answer(&state, &uri).await?;
    let question = if answer.purpose == Purpose::Move { Question::MoveAddress } else { Question::Confirm };
    let language = answer.subscriber.choice.language.as_deref();
    let html = state.page_in(language, |templates, site| page::ask(templates, site, question, uri.path()))?;
    Ok(shown(html))
}

pub async fn confirm(State(state): App, uri: Uri) -> Result<Response<Body>, Refusal> {
    let Answer { purpose, bearer, subscriber } = answer(&state, &uri).await?;
    let stamp = bearer.stamp.ok_or(Refusal::Link)?;
    let said = if purpose == Purpose::Move {
        moved(&state, &subscriber, stamp).await?
    } else {
        confirmed(&state, subscriber.id, stamp).await?
    };
    let language = subscriber.choice.language.as_deref();
    Ok(shown(state.page_in(language, |templates, site| page::said(templates, site, said))?))
}

async fn confirmed(state: &super::State, id: i64, stamp: u64) -> Result<Said, Refusal> {
    let (today, now) = state.today();
    match state.store.confirm(id, stamp.cast_signed(), today, now).await? {
        Confirmed::Now => {
            info!(event = "subscriber_confirmed", subscriber = id, "confirmed");
            state.wake.notify_one();
            Ok(Said::Confirmed)
        }
        Confirmed::Before => Ok(Said::Confirmed),
        Confirmed::Over => Err(Refusal::Link),
    }
}

async fn moved(state: &super::State, subscriber: &Subscriber, stamp: u64) -> Result<Said, Refusal> {
    let asked = subscriber.new_email.as_deref().filter(|email| token::stamp_of(email) == stamp);
    let address = asked.and_then(|email| Address::parse(email).ok());
    // Pressed twice: it is theirs already.
    let Some(address) = address else {
        let there = token::stamp_of(&subscriber.email) == stamp;
        return if there { Ok(Said::AddressMoved) } else { Err(Refusal::Link) };
    };
    match state.store.move_address(subscriber.id, &address.key, state.clock.now()).await? {
        Moved::Now => {
            info!(event = "subscriber_moved", subscriber = subscriber.id, "moved to another address");
            Ok(Said::AddressMoved)
        }
        Moved::Taken => Ok(Said::AddressTaken),
        Moved::Over => Err(Refusal::Link),
    }
}

async fn answer(state: &super::State, uri: &Uri) -> Result<Answer, Refusal> {
    let token = uri.path().strip_prefix("/confirm/").unwrap_or_default();
    let (keys, now) = (state.keys.get(), state.clock.now());
    let read = |purpose| keys.bearer(token, purpose, now).ok().map(|bearer| (purpose, bearer));
    let (purpose, bearer) = read(Purpose::Confirm).or_else(|| read(Purpose::Move)).ok_or(Refusal::Link)?;
    let subscriber = state.store.subscriber(bearer.subscriber).await?.ok_or(Refusal::Link)?;
    Ok(Answer { purpose, bearer, subscriber })
}
