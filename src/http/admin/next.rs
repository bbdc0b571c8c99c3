//! The next edition as it would go out now: its subject, its two texts, its source, what is in it; and the question before
//! it is released.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{Response, Uri};
use serde_json::{Value, json};

use super::asks::{Look, Next};
use super::session::Session;
use super::{Desk, Here, SANDBOX, Shown, asked};
use crate::domain::edition::EditionPost;
use crate::domain::period::Period;
use crate::domain::preflight::Finding;
use crate::domain::wording;
use crate::http::error::Refusal;
use crate::render::page::admin::Page;

pub async fn page(State(desk): Here, Extension(session): Extension<Session>, uri: Uri) -> Shown {
    let look = desk.look(&uri).await?;
    let said = desk.said(&uri).await?;
    let others: Vec<Value> =
        look.waiting.iter().map(|p| json!({"period": p.to_string(), "name": wording::period(*p)})).collect();
    let own = match &look.next {
        Ok(next) => json!({"said": said, "next": desk.shown(&look, next), "problem": "", "waiting": others}),
        Err(problem) => json!({"said": said, "next": null, "problem": problem, "waiting": others}),
    };
    desk.page(Some(&session), Page::Next, "The next edition", &own)
}

/// The question before it goes out.
pub async fn confirm(State(desk): Here, Extension(session): Extension<Session>, uri: Uri) -> Shown {
    let next = desk.next(&uri).await?;
    let readers = wording::digits(u32::try_from(next.readers).unwrap_or(u32::MAX), "reader");
    let question = Question {
        says: format!("goes out to {readers}. What has been sent cannot be taken back."),
        heading: "Release this edition?",
        action: "/admin/next/release",
        button: "Release it",
    };
    desk.question(&session, &uri, &next, &question)
}

/// The question before it is turned down.
pub async fn confirm_no(State(desk): Here, Extension(session): Extension<Session>, uri: Uri) -> Shown {
    let next = desk.next(&uri).await?;
    let question = Question {
        says: "goes to nobody, and cannot be opened again. No later month announces its posts; they stay on the blog and in its feeds.".to_owned(),
        heading: "Turn this edition down?",
        action: "/admin/next/cancel",
        button: "Turn it down",
    };
    desk.question(&session, &uri, &next, &question)
}

/// What is asked before something is done with the next edition.
struct Question {
    /// What comes of it, after its name.
    says: String,
    heading: &'static str,
    action: &'static str,
    button: &'static str,
}

const CHANGED: &str = "It has changed since you looked at it, and nothing was done. Look again.";

/// For a frame on the page, and for nothing else.
pub async fn html(State(desk): Here, uri: Uri) -> Shown {
    Ok(framed(desk.next(&uri).await?.html))
}

pub async fn text(State(desk): Here, uri: Uri) -> Shown {
    Ok(plain(desk.next(&uri).await?.text.into()))
}

pub async fn source(State(desk): Here, uri: Uri) -> Shown {
    let next = desk.next(&uri).await?;
    let mut response = plain(Body::from(next.source));
    if asked(&uri, "download") == "yes" {
        let name = format!("attachment; filename=\"{}.eml\"", next.period);
        let name = HeaderValue::try_from(name).map_err(|_| Refusal::Broken)?;
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("message/rfc822"));
    }
    Ok(response)
}

pub(super) fn framed(html: String) -> Response<Body> {
    let mut response = super::shown(html);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, SANDBOX);
    // A page in a sandbox of its own is shut out by any other value.
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("unsafe-none"));
    response
}

fn plain(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

impl Desk {
    pub(super) async fn look(&self, uri: &Uri) -> Result<Look, Refusal> {
        self.settings.asking.look(Period::parse(&asked(uri, "period"))).await.ok_or(Refusal::Starting)
    }

    async fn next(&self, uri: &Uri) -> Result<Next, Refusal> {
        self.look(uri).await?.next.map_err(|_| Refusal::NotFound)
    }

    /// It is asked of what was looked at.
    fn question(&self, session: &Session, uri: &Uri, next: &Next, question: &Question) -> Shown {
        let back = format!("/admin/next?period={}", next.period);
        if next.fingerprint != asked(uri, "fingerprint") {
            return self.not_done(session, CHANGED, &back);
        }
        let Question { says, heading, action, button } = question;
        let own = json!({
            "question": format!("{} {says}", wording::capitalised(&super::doing::called(next.period.into()))),
            "subject": next.subject,
            "action": action,
            "button": button,
            "back": back,
            "fields": [["period", next.period.to_string()], ["fingerprint", next.fingerprint]],
        });
        self.page(Some(session), Page::Confirm, heading, &own)
    }

    /// What a page says of it.
    pub(super) fn shown(&self, look: &Look, next: &Next) -> Value {
        let post = |post: &EditionPost| {
            let authors: Vec<&str> = post.authors.iter().map(|author| author.name.as_str()).collect();
            json!({"title": post.title, "url": post.url, "authors": authors.join(", "), "date": self.when(post.date)})
        };
        json!({
            "period": next.period.to_string(),
            "name": wording::capitalised(&wording::period(next.period)),
            "due": self.when(next.due),
            "over": next.over,
            "ends": next.period.last_day().to_string(),
            "manual": look.manual,
            "is_due": look.waiting.contains(&next.period),
            "awaits_word": look.awaits_word(next.period),
            "waits": next.waits.map(|at| self.when(at)),
            "subject": next.subject,
            "text": next.text,
            "size": next.source.len().div_ceil(1024),
            "posts": next.posts.iter().map(post).collect::<Vec<_>>(),
            "late": next.late.iter().map(post).collect::<Vec<_>>(),
            "drafts": next.drafts,
            "restless": next.restless,
            "still_at": next.still_at.map(|at| self.when(at)),
            "readers": next.readers,
            "empty": next.empty,
            "fingerprint": next.fingerprint,
            "red": next.is_red(),
            "findings": next.findings.iter().map(finding).collect::<Vec<_>>(),
            "editors": look.editors,
        })
    }
}

fn finding(finding: &Finding) -> Value {
    json!({
        "place": "",
        "severity": if finding.is_red() { "error" } else { "warning" },
        "message": finding.message,
        "hint": finding.hint,
    })
}
