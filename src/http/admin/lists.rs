//! Three lists: what is wrong in posts, what came back by mail domain, and what was done by hand.

use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::session::Session;
use super::{Here, Shown, asked};
use crate::domain::problem::Problem;
use crate::render::page::admin::Page;
use crate::store::{Act, DomainBounces};

/// Acts on one page.
const ACTS: u32 = 50;
const DOMAINS: u32 = 100;
/// How far back bounces are counted.
const A_YEAR: SignedDuration = SignedDuration::from_hours(24 * 365);

pub async fn problems(State(desk): Here, Extension(session): Extension<Session>) -> Shown {
    let look = desk.look(&Uri::default()).await?;
    let mut found: Vec<&Problem> = look.problems.iter().collect();
    found.sort_by_key(|problem| (std::cmp::Reverse(problem.severity), problem.path.clone(), problem.line));
    let own = json!({"problems": found.into_iter().map(problem).collect::<Vec<_>>()});
    desk.page(Some(&session), Page::Problems, "Problems", &own)
}

pub(super) fn problem(problem: &Problem) -> Value {
    let place = match (problem.line, problem.column) {
        (0, _) => problem.path.clone(),
        (line, 0) => format!("{}:{line}", problem.path),
        (line, column) => format!("{}:{line}:{column}", problem.path),
    };
    json!({
        "place": place,
        "severity": if problem.is_error() { "error" } else { "warning" },
        "message": problem.message,
        "hint": problem.hint,
    })
}

pub async fn bounces(State(desk): Here, Extension(session): Extension<Session>) -> Shown {
    let since = desk.now().saturating_sub(A_YEAR).unwrap_or_default();
    let domains = desk.state.store.bounces_by_domain(since, DOMAINS).await?;
    let line = |d: &DomainBounces| {
        json!({
            "domain": d.domain,
            "dead": d.dead,
            "resting": d.resting,
            "policy": d.policy,
            "complaint": d.complaint,
            "latest": desk.when(d.latest),
        })
    };
    let own = json!({"domains": domains.iter().map(line).collect::<Vec<_>>()});
    desk.page(Some(&session), Page::Bounces, "Bounces by mail domain", &own)
}

pub async fn log(State(desk): Here, Extension(session): Extension<Session>, uri: Uri) -> Shown {
    let acts = desk.state.store.acts(asked(&uri, "before").parse().ok(), ACTS).await?;
    let more = acts.last().map(|act| act.id).filter(|_| acts.len() == ACTS as usize);
    let line = |act: &Act| {
        json!({
            "at": desk.when(act.at),
            "who": act.who,
            "act": act.act,
            "subject": act.subject,
            "detail": act.detail,
        })
    };
    let own = json!({"acts": acts.iter().map(line).collect::<Vec<_>>(), "more": more});
    desk.page(Some(&session), Page::Log, "What was done", &own)
}
