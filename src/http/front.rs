//! Who answers a request: a known document at once, before there is any layer to go through; everything else the routes.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::{self, HeaderMap};
use axum::http::{Method, Request, Response, StatusCode};
use axum::response::IntoResponse as _;
use hyper::body::Incoming;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tokio_util::task::AbortOnDropHandle;

use super::counts::{Counts, Route};
use super::documents::{self, Asked, Found};
use super::listening::Peer;
use super::{State, guard, packer};

/// What a listener answers with.
#[derive(Clone)]
pub struct Front {
    routes: Router,
    /// Whose documents are answered before the routes are asked.
    documents: Option<Arc<State>>,
    counts: Option<Arc<Counts>>,
}

impl From<Router> for Front {
    fn from(routes: Router) -> Self {
        Self { routes, documents: None, counts: None }
    }
}

impl Front {
    pub(super) fn new(routes: Router, state: Arc<State>) -> Self {
        let counts = Some(Arc::clone(state.shared.counts()));
        Self { routes, documents: Some(state), counts }
    }

    pub(super) fn counting(self, counts: Arc<Counts>) -> Self {
        Self { counts: Some(counts), ..self }
    }

    pub(super) fn counts(&self) -> Option<Arc<Counts>> {
        self.counts.clone()
    }

    /// With more routes, which may not overlap those that are there.
    #[must_use]
    pub fn beside(mut self, more: Router) -> Self {
        self.routes = more.merge(self.routes);
        self
    }

    /// What works beside the answers for as long as they are given.
    pub(super) fn helper(&self) -> Option<AbortOnDropHandle<()>> {
        let shared = self.documents.as_ref()?.shared.clone();
        Some(AbortOnDropHandle::new(tokio::spawn(packer::pack(shared))))
    }

    pub(super) fn answer(&self, mut request: Request<Incoming>, peer: Peer) -> Answering {
        let known = || self.known(request.method(), request.uri().path(), request.headers());
        // A bug there becomes the routes' to meet again, and to make a page of.
        let (found, route) = match catch_unwind(AssertUnwindSafe(known)) {
            Ok(Some((found, route))) => (Some(found), route),
            _ => (None, Route::of(request.uri().path())),
        };
        if let Some(Found::Whole(response)) = found {
            guard::log_at_once(request.method(), request.uri().path(), response.status());
            self.count(route, response.status());
            return Answering::Now(Some(response.map(Body::from)));
        }
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = TowerToHyperService::new(self.routes.clone()).call(request);
        let counts = self.counts.clone();
        Answering::Later(Box::pin(async move {
            let response = answer.await.into_response();
            if let Some(counts) = counts {
                counts.answered(route, response.status());
            }
            response
        }))
    }

    pub(super) fn count(&self, route: Route, status: StatusCode) {
        if let Some(counts) = &self.counts {
            counts.answered(route, status);
        }
    }

    /// Whoever lets readers in goes on.
    pub(super) fn show_life(&self) {
        if let Some(state) = &self.documents {
            state.shared.counts().life.show();
        }
    }

    /// Whether there are documents to be had at once.
    pub(super) fn has_documents(&self) -> bool {
        self.documents.is_some()
    }

    /// A document by the name that was asked for.
    pub(super) fn known(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<(Found, Route)> {
        let state = self.documents.as_ref()?;
        let published = state.shared.get();
        let (name, document) = published.document(path)?;
        let asked = Asked::new(method, headers, state.https, state.clock.now())?;
        let found = documents::found(document, asked, headers, &state.shared);
        if let Some(agent) = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()) {
            state.shared.counts().reported.hear(name, agent, asked.now);
        }
        let route = if document.media_type == "text/html" { Route::Page } else { Route::Feed };
        Some((found, route))
    }
}

/// An answer that is here, or one that is awaited.
pub enum Answering {
    Now(Option<Response<Body>>),
    Later(Pin<Box<dyn Future<Output = Response<Body>> + Send>>),
}

impl Future for Answering {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Now(response) => match response.take() {
                Some(response) => Poll::Ready(Ok(response)),
                None => Poll::Pending,
            },
            Self::Later(answer) => answer.as_mut().poll(cx).map(Ok),
        }
    }
}
