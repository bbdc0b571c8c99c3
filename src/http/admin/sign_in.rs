//! Signing in and out: with the password, or with a link that `gazetted admin link` has printed. A link's page shows a
//! button; only that signs in, and only once.

use std::sync::Arc;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header;
use axum::http::{Response, StatusCode, Uri};
use serde_json::json;

use super::session::{LASTS, Session, Way, same};
use super::{Desk, Here, Shown, asked, see};
use crate::domain::token::{Purpose, TokenError};
use crate::http::error::Refusal;
use crate::http::form::Form;
use crate::render::page::admin::Page;
use crate::store::NewAct;

/// Passwords that may be tried in an hour, by everybody together.
const TRIES: u32 = 20;

const HEADING: &str = "Sign in";

pub async fn ask(State(desk): Here, uri: Uri) -> Shown {
    desk.sign_in(&uri, "", StatusCode::OK)
}

pub async fn password(State(desk): Here, request: Request) -> Shown {
    let (parts, body) = request.into_parts();
    let form = match desk.form(&parts.headers, &parts.uri, body).await {
        Ok(form) => form,
        Err(refused) => return Ok(refused),
    };
    let door = desk.door();
    if door.password.is_empty() {
        return desk.sign_in(&parts.uri, "There is no password.", StatusCode::FORBIDDEN);
    }
    if !desk.tries.admits("password", TRIES, desk.now()) {
        tracing::warn!(
            event = "admin_password_limited",
            "the editors' password was tried {TRIES} times within an hour; only links open the pages for now"
        );
        let words = "Too many passwords were tried. Wait an hour, or sign in with a link.";
        return desk.sign_in(&parts.uri, words, StatusCode::TOO_MANY_REQUESTS);
    }
    if !same(form.get("password"), door.password) {
        tracing::warn!(event = "admin_password_wrong", "a wrong password was given on the editors' pages");
        return desk.sign_in(&parts.uri, "This is not the password.", StatusCode::FORBIDDEN);
    }
    desk.enter(Way::Password, form.get("to")).await
}

/// The link's page. Looking at it changes nothing: mail programs look at links, too.
pub async fn ask_link(State(desk): Here, Path(token): Path<String>) -> Shown {
    match desk.link(&token).await? {
        Ok(_) => desk.page(None, Page::SignInLink, HEADING, &json!({"action": format!("/admin/sign-in/{token}")})),
        Err(words) => desk.no_link(words),
    }
}

pub async fn link(State(desk): Here, Path(token): Path<String>, request: Request) -> Shown {
    let (parts, body) = request.into_parts();
    if let Err(refused) = desk.form(&parts.headers, &parts.uri, body).await {
        return Ok(refused);
    }
    let mark = match desk.link(&token).await? {
        Ok(mark) => mark,
        Err(words) => return desk.no_link(words),
    };
    let now = desk.now();
    let until = now.saturating_add(LASTS).unwrap_or(now);
    if !desk.state.store.spend(mark, until, now).await? {
        return desk.no_link(USED);
    }
    desk.enter(Way::Link, "").await
}

pub async fn leave(State(desk): Here, Extension(session): Extension<Session>) -> Shown {
    let now = desk.now();
    desk.state.store.spend(session.mark, now.saturating_add(LASTS).unwrap_or(now), now).await?;
    desk.note(session.way, "sign out", "Signed out.").await?;
    let mut response = see(super::SIGN_IN);
    if let Some(cookie) = desk.door().close() {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

const USED: &str = "This link was used before. Each opens once.";

impl Desk {
    /// A link's number, or why it opens nothing.
    async fn link(&self, token: &str) -> Result<Result<i64, &'static str>, Refusal> {
        let mark = match self.door().keys.read(token, Purpose::SignIn, self.now()) {
            Ok(mark) => mark,
            Err(TokenError::Expired) => return Ok(Err("This link is not good any more.")),
            Err(_) => return Ok(Err("This is no link that opens these pages.")),
        };
        Ok(if self.state.store.is_spent(mark).await? { Err(USED) } else { Ok(mark) })
    }

    fn no_link(&self, words: &str) -> Shown {
        self.sign_in(&Uri::default(), words, StatusCode::FORBIDDEN)
    }

    fn sign_in(&self, uri: &Uri, problem: &str, status: StatusCode) -> Shown {
        let own = json!({
            "password": !self.door().password.is_empty(),
            "problem": problem,
            "to": inside(&asked(uri, "to")),
        });
        let mut response = self.page(None, Page::SignIn, HEADING, &own)?;
        *response.status_mut() = status;
        Ok(response)
    }

    async fn enter(&self, way: Way, to: &str) -> Shown {
        let mut mark = [0; 8];
        SystemRandom::new().fill(&mut mark).map_err(|_| Refusal::Broken)?;
        let cookie = self.door().open(way, i64::from_be_bytes(mark), self.now()).ok_or(Refusal::Broken)?;
        self.note(way, "sign in", "Signed in.").await?;
        let mut response: Response<Body> = see(inside(to));
        response.headers_mut().insert(header::SET_COOKIE, cookie);
        Ok(response)
    }

    async fn note(&self, way: Way, act: &str, detail: &str) -> Result<(), Refusal> {
        let act = NewAct {
            who: way.as_str().to_owned(),
            act: act.to_owned(),
            subject: String::new(),
            detail: detail.to_owned(),
        };
        self.state.store.write_act(&act, self.now()).await?;
        tracing::info!(event = "admin_sign_in", who = act.who, "{}", act.act);
        Ok(())
    }
}

/// One of these pages, and nowhere else.
fn inside(to: &str) -> &str {
    let plain = to.bytes().all(|c| c.is_ascii_alphanumeric() || b"/-_.".contains(&c));
    if plain && to.starts_with("/admin/") { to } else { "/admin" }
}

/// What a form that is let in says.
pub type Sent = Extension<Arc<Form>>;
