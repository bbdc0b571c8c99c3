//! A reader's own choices: how often, what, in which language; another address, their data, the way out, and being
//! forgotten. Who holds the link may do all that for that one subscription, for thirty days; an older link can have a new
//! one mailed to the address it belongs to.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::HeaderMap;
use axum::http::{Response, StatusCode, Uri};
use jiff::Timestamp;
use tracing::info;

use super::error::{Refusal, unread};
use super::form::Form;
use super::{App, Published, shown, unsubscribe};
use crate::domain::edition::Notice;
use crate::domain::period::{Per, Period};
use crate::domain::subscriber::{Address, AddressError, Choice, Frequency, State as SubscriberState, Subscriber};
use crate::domain::token::{Purpose, TokenError};
use crate::render::page::{self, Preferences, Question, Said};
use crate::store::MoveAsked;

/// For how many months ahead digests can be paused.
const PAUSES: usize = 12;
/// So many tags and authors are shown, and all that were chosen; nobody reads a longer list.
const MOST_SHOWN: usize = 120;

/// Whose page a link is.
enum Holder {
    Now(Box<Subscriber>),
    /// The link's time is over.
    Once(Box<Subscriber>),
}

pub async fn show(State(state): App, uri: Uri) -> Result<Response<Body>, Refusal> {
    match holder(&state, &uri).await? {
        Holder::Now(subscriber) => Ok(shown(choices(&state, &uri, &subscriber, None)?)),
        Holder::Once(subscriber) => {
            let language = subscriber.choice.language.as_deref();
            Ok(shown(state.page_in(language, |t, site| page::ask(t, site, Question::NewLink, uri.path()))?))
        }
    }
}

pub async fn change(
    State(state): App,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response<Body>, Refusal> {
    let form = Form::read(&headers, &body.map_err(unread)?)?;
    let subscriber = match holder(&state, &uri).await? {
        Holder::Now(subscriber) => subscriber,
        Holder::Once(subscriber) => {
            tell(&state, subscriber.id, Notice::Link).await?;
            return say(&state, &subscriber, Said::LinkSent);
        }
    };
    let said = match form.get("act") {
        "save" => {
            let choice = chosen(&state, &subscriber, &form)?;
            state.store.choose(subscriber.id, &choice, state.clock.now()).await?;
            let subscriber = Subscriber { choice, ..*subscriber };
            return say(&state, &subscriber, Said::Saved);
        }
        "address" => match Address::parse(form.get("email")) {
            Ok(address) => {
                let (today, now) = state.today();
                if state.store.ask_to_move(subscriber.id, &address, today, now).await? == MoveAsked::TooOften {
                    return Err(Refusal::TooMany);
                }
                state.wake.notify_one();
                Said::AddressMailSent
            }
            Err(problem) => {
                let html = choices(&state, &uri, &subscriber, Some((problem, form.get("email"))))?;
                let mut response = shown(html);
                *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
                return Ok(response);
            }
        },
        "data" => {
            tell(&state, subscriber.id, Notice::Data).await?;
            Said::DataSent
        }
        "leave" => {
            unsubscribe::leave(&state, subscriber.id, "preferences").await?;
            Said::Unsubscribed
        }
        "erase" if form.get("sure") == "yes" => {
            state.store.erase_subscriber(subscriber.id, state.clock.now()).await?;
            info!(event = "subscriber_forgotten", subscriber = subscriber.id, "forgotten at their own wish");
            Said::Erased
        }
        _ => return Err(Refusal::Body),
    };
    say(&state, &subscriber, said)
}

async fn holder(state: &super::State, uri: &Uri) -> Result<Holder, Refusal> {
    let token = uri.path().strip_prefix("/preferences/").unwrap_or_default();
    let keys = state.keys.get();
    let read = keys.read(token, Purpose::Preferences, state.clock.now());
    let (id, over) = match read {
        Ok(id) => (id, false),
        Err(TokenError::Expired) => (keys.expired(token, Purpose::Preferences).map_err(|_| Refusal::Link)?, true),
        Err(_) => return Err(Refusal::Link),
    };
    let subscriber = Box::new(state.store.subscriber(id).await?.ok_or(Refusal::Link)?);
    Ok(if over { Holder::Once(subscriber) } else { Holder::Now(subscriber) })
}

async fn tell(state: &super::State, id: i64, notice: Notice) -> Result<(), Refusal> {
    let (today, now) = state.today();
    state.store.notify(id, notice, today, now).await?;
    state.wake.notify_one();
    Ok(())
}

fn say(state: &super::State, subscriber: &Subscriber, said: Said) -> Result<Response<Body>, Refusal> {
    let language = subscriber.choice.language.as_deref();
    Ok(shown(state.page_in(language, |templates, site| page::said(templates, site, said))?))
}

/// What the form says, as far as it is something that can be chosen. What was chosen before and is not offered any more
/// stays: a tag without posts this year may have some again.
fn chosen(state: &super::State, subscriber: &Subscriber, form: &Form) -> Result<Choice, Refusal> {
    let published = state.shared.get();
    let frequency = Frequency::parse(form.get("frequency")).ok_or(Refusal::Body)?;
    let known = |name: &str, offered: &[String], before: &[String]| -> Vec<String> {
        let asked = form.all(name).filter(|value| offered.iter().chain(before).any(|known| known == value));
        let mut list: Vec<String> = asked.map(str::to_owned).collect();
        list.dedup();
        list
    };
    let language = form.get("language");
    let language = match language {
        "" => subscriber.choice.language.clone(),
        tag if tag == published.blog.language => None,
        tag if state.templates.get().languages().is_offered(tag) => Some(tag.to_owned()),
        _ => return Err(Refusal::Body),
    };
    Ok(Choice {
        frequency,
        language,
        tags: known("tag", &published.blog.tags, &subscriber.choice.tags),
        authors: known("author", &published.blog.authors, &subscriber.choice.authors),
        paused_until: pause(state, &published, form.get("pause"))?,
    })
}

fn pause(state: &super::State, published: &Published, text: &str) -> Result<Option<Timestamp>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    let offered = months(published, state.clock.now());
    let month = offered.into_iter().find(|month| month.to_string() == text).ok_or(Refusal::Body)?;
    Ok(Some(month.start(&published.blog.zone)))
}

/// The months to come.
fn months(published: &Published, now: Timestamp) -> Vec<Period> {
    let this = Period::at(Per::Month, now, &published.blog.zone);
    std::iter::successors(Some(this.next()), |month| Some(month.next())).take(PAUSES).collect()
}

fn choices(
    state: &super::State,
    uri: &Uri,
    subscriber: &Subscriber,
    problem: Option<(AddressError, &str)>,
) -> Result<String, Refusal> {
    let published: Arc<Published> = state.shared.get();
    let choice = &subscriber.choice;
    let until = choice.paused_until;
    let pauses = months(&published, state.clock.now())
        .into_iter()
        .map(|month| (month.to_string(), month, until == Some(month.start(&published.blog.zone))));
    let spoken = choice.language.as_deref().unwrap_or(&published.blog.language);
    let templates = state.templates.get();
    let languages = templates.languages().offered().into_iter().map(|(tag, name)| {
        let chosen = tag == spoken;
        (tag, name, chosen)
    });
    let masked = Address::masked(&subscriber.email);
    let given = Preferences {
        action: uri.path(),
        masked: &masked,
        frequency: choice.frequency.as_str(),
        quarterly_offered: true,
        post_offered: true,
        tags: marked(&published.blog.tags, &choice.tags),
        authors: marked(&published.blog.authors, &choice.authors),
        pauses: pauses.collect(),
        languages: languages.collect(),
        problem: problem.map(|(problem, _)| problem),
        email: problem.map_or("", |(_, email)| email),
        active: subscriber.state == SubscriberState::Active,
    };
    state.page_in(choice.language.as_deref(), |templates, site| page::preferences(templates, site, &given))
}

/// Those that can be chosen, each with whether it is. What was chosen is always among them: saving the page would drop it otherwise.
fn marked(offered: &[String], chosen: &[String]) -> Vec<(String, bool)> {
    let gone = chosen.iter().filter(|name| !offered.contains(name));
    let (taken, others): (Vec<_>, Vec<_>) = gone.chain(offered).partition(|name| chosen.contains(name));
    let room = MOST_SHOWN.saturating_sub(taken.len());
    let shown =
        taken.into_iter().map(|name| (name, true)).chain(others.into_iter().take(room).map(|name| (name, false)));
    shown.map(|(name, is_chosen)| (name.clone(), is_chosen)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_is_shown_however_many_there_are() {
        let names = |numbers: std::ops::Range<usize>| numbers.map(|n| format!("tag{n:03}")).collect::<Vec<_>>();
        let chosen = [vec!["gone".to_owned()], names(195..200)].concat();
        let shown = marked(&names(0..200), &chosen);
        assert_eq!(
            shown.iter().filter(|(_, is_chosen)| *is_chosen).map(|(name, _)| name).collect::<Vec<_>>(),
            chosen.iter().collect::<Vec<_>>()
        );
        assert_eq!(shown.len(), MOST_SHOWN);
        assert_eq!(marked(&names(0..3), &names(0..150)).len(), 150);
    }
}
