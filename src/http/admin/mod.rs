//! The editors' pages, `/admin`: who may see them, what every one of them has in common, and where each is. No GET changes
//! anything; every POST carries the session's word, comes from these pages, and is written down. Knows the store, and asks
//! the daemon for what only that can do; the operator's API beside it has a token of its own.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::uri::Authority;
use axum::http::{HeaderName, Method, Response, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::error::{Refusal, wrong_method};
use super::form::{Form, urlencoded};
use super::limits::Limiter;
use super::{Front, State, api, guard, guarded, shown};
use crate::render::page::admin::{self as page, Page};
use crate::store::{NewAct, StoreError};
use session::{Door, Session, from_here, same};

mod asks;
mod doing;
mod editions;
mod lists;
mod next;
mod overview;
mod readers;
mod session;
mod sign_in;

pub use asks::{Answered, Ask, Asking, Look, Next as NextEdition};

/// What the configuration says of it.
#[derive(Clone)]
pub struct Settings {
    /// Empty: there is no API.
    pub token: SecretString,
    /// Empty: only links open the pages.
    pub password: SecretString,
    /// Where editors reach the pages, without a trailing slash.
    pub url: String,
    pub asking: Asking,
}

/// What the pages work with.
pub(super) struct Desk {
    state: Arc<State>,
    settings: Settings,
    /// Passwords that were tried.
    tries: Limiter,
}

type Here = axum::extract::State<Arc<Desk>>;
type Shown = Result<Response<Body>, Refusal>;

/// A list of a hundred thousand people, for the API; the pages' own forms are small.
const BODY: usize = api::BODY;
const SIGN_IN: &str = "/admin/sign-in";
/// Pages show mails in frames of their own; otherwise as everywhere.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);
/// A mail on a page: no script, no form, no window, and none of this origin's rights.
const SANDBOX: HeaderValue = HeaderValue::from_static(
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'",
);

/// Everything the admin listener answers to.
pub fn admin(state: State, settings: Settings) -> Front {
    let state = Arc::new(state);
    let counts = Arc::clone(state.shared.counts());
    let token = settings.token.clone();
    let desk = Arc::new(Desk { state: Arc::clone(&state), settings, tries: Limiter::default() });
    let inside = Router::new()
        .route("/admin", get(overview::page))
        .route("/admin/next", get(next::page))
        .route("/admin/next/html", get(next::html))
        .route("/admin/next/text", get(next::text))
        .route("/admin/next/source", get(next::source))
        .route("/admin/next/test", post(doing::test))
        .route("/admin/next/release", get(next::confirm).post(doing::release))
        .route("/admin/next/cancel", get(next::confirm_no).post(doing::turn_down))
        .route("/admin/editions", get(editions::list))
        .route("/admin/editions/{key}", get(editions::page))
        .route("/admin/editions/{key}/html", get(editions::html))
        .route("/admin/editions/{key}/pause", post(doing::pause))
        .route("/admin/editions/{key}/resume", post(doing::resume))
        .route("/admin/editions/{key}/cancel", get(editions::confirm).post(doing::cancel))
        .route("/admin/editions/{key}/retry", post(doing::retry))
        .route("/admin/readers", get(readers::page))
        .route("/admin/readers/growth.svg", get(readers::growth))
        .route("/admin/readers/{id}", get(readers::one))
        .route("/admin/problems", get(lists::problems))
        .route("/admin/bounces", get(lists::bounces))
        .route("/admin/log", get(lists::log))
        .route("/admin/sign-out", post(sign_in::leave))
        .layer(from_fn_with_state(Arc::clone(&desk), known));
    let pages = Router::new()
        .route("/", get(front))
        .route("/admin/", get(front))
        .route("/admin/style.css", get(style))
        // For the words around what is not here.
        .route("/style.css", get(style))
        .route(SIGN_IN, get(sign_in::ask).post(sign_in::password))
        .route("/admin/sign-in/{token}", get(sign_in::ask_link).post(sign_in::link))
        .merge(inside)
        .layer(from_fn_with_state(Arc::clone(&desk), careful))
        .with_state(desk);
    let routes = pages.merge(api::routes(&token)).fallback(nothing).method_not_allowed_fallback(wrong_method);
    Front::from(guarded(routes, &state, BODY).with_state(state)).counting(counts)
}

async fn nothing(uri: Uri) -> Response<Body> {
    if uri.path().starts_with("/api") { api::nothing().into_response() } else { Refusal::NotFound.into_response() }
}

async fn front() -> Response<Body> {
    see("/admin")
}

async fn style() -> Response<Body> {
    let mut response = Response::new(Body::from(page::style()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=300"));
    response
}

/// What holds for every answer here: nobody keeps it, and forms say where they come from.
async fn careful(request: Request, next: Next) -> Response<Body> {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(POLICY);
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
    response
}

/// Lets in whoever has a session; a form, only with its word and from here. Whatever is inside need not ask again.
async fn known(axum::extract::State(desk): Here, request: Request, next: Next) -> Response<Body> {
    match desk.lets_in(request).await {
        Ok(request) => next.run(request).await,
        Err(refused) => refused,
    }
}

impl Desk {
    fn now(&self) -> Timestamp {
        self.state.clock.now()
    }

    fn door(&self) -> Door<'_> {
        Door {
            keys: self.state.keys.get().newest(self.now()),
            password: self.settings.password.expose_secret(),
            https: self.settings.url.starts_with("https:"),
        }
    }

    async fn lets_in(&self, request: Request) -> Result<Request, Response<Body>> {
        let Some(session) = self.door().session(request.headers(), self.now()) else {
            return Err(to_sign_in(&request));
        };
        match self.state.store.is_spent(session.mark).await {
            Ok(false) => {}
            Ok(true) => return Err(to_sign_in(&request)),
            Err(error) => return Err(Refusal::from(error).into_response()),
        }
        let (mut parts, body) = request.into_parts();
        if parts.method == Method::POST {
            let form = self.form(&parts.headers, &parts.uri, body).await?;
            if !same(form.get("word"), &session.word) {
                return Err(self.forbidden("This form is not of your session. Open the page again, and try again."));
            }
            parts.extensions.insert(Arc::new(form));
        }
        parts.extensions.insert(session);
        Ok(Request::from_parts(parts, Body::empty()))
    }

    /// A form that was sent from one of these pages.
    async fn form(&self, headers: &HeaderMap, uri: &Uri, body: Body) -> Result<Form, Response<Body>> {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| uri.authority().map(Authority::as_str)).unwrap_or_default();
        if !from_here(headers, host, &self.settings.url) {
            return Err(self.forbidden("This form was sent from another site, and nothing was done."));
        }
        let bytes = to_bytes(body, guard::BODY).await.map_err(|_| Refusal::TooLarge.into_response())?;
        Form::read(headers, &bytes).map_err(IntoResponse::into_response)
    }

    fn forbidden(&self, text: &str) -> Response<Body> {
        let own = json!({"text": text});
        let mut response = self.page(None, Page::Refused, "Not done", &own).unwrap_or_else(IntoResponse::into_response);
        *response.status_mut() = StatusCode::FORBIDDEN;
        response
    }

    fn page(&self, session: Option<&Session>, page: Page, heading: &str, own: &Value) -> Shown {
        let published = self.state.shared.get();
        let word = session.map(|session| session.word.as_str());
        let goals = if page == Page::Overview { &published.goals[..] } else { &[] };
        let html = published.with_site_in("en", |site| {
            page::admin(&self.state.templates.get(), site, page, heading, word, goals, own)
        })?;
        Ok(shown(html))
    }

    /// An instant as pages show it, in the site's zone.
    fn when(&self, at: Timestamp) -> String {
        let zone = self.state.shared.get().blog.zone.clone();
        zone.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// Writes down what was done, and shows the page that says so.
    async fn done(&self, session: &Session, act: &str, subject: &str, detail: &str, then: &str) -> Shown {
        let act = NewAct {
            who: session.way.as_str().to_owned(),
            act: act.to_owned(),
            subject: subject.to_owned(),
            detail: detail.to_owned(),
        };
        let id = self.state.store.write_act(&act, self.now()).await?;
        tracing::info!(
            event = "admin_act",
            who = act.who,
            act = act.act,
            subject = act.subject,
            "done on the editors' pages: {detail}"
        );
        let mark = if then.contains('?') { '&' } else { '?' };
        Ok(see(&format!("{then}{mark}done={id}")))
    }

    /// What the page's address says was done just now.
    async fn said(&self, uri: &Uri) -> Result<Option<String>, StoreError> {
        let Some(id) = asked(uri, "done").parse::<i64>().ok().and_then(|id| id.checked_add(1)) else { return Ok(None) };
        let found = self.state.store.acts(Some(id), 1).await?;
        Ok(found.into_iter().find(|act| act.id == id - 1).map(|act| act.detail))
    }
}

fn see(path: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(path) = HeaderValue::try_from(path) {
        response.headers_mut().insert(header::LOCATION, path);
    }
    response
}

/// After signing in it goes on where it was wanted to.
fn to_sign_in(request: &Request) -> Response<Body> {
    let wanted = request.uri().path();
    if request.method() != Method::GET || wanted == "/admin" {
        return see(SIGN_IN);
    }
    let to: String = form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
    see(&format!("{SIGN_IN}?to={to}"))
}

/// A value in the address's query.
fn asked(uri: &Uri, name: &str) -> String {
    let pairs = urlencoded(uri.query().unwrap_or_default().as_bytes());
    pairs.into_iter().find(|(known, _)| known == name).map(|(_, value)| value).unwrap_or_default()
}
