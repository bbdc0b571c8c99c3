//! The server's numbers as Prometheus reads them, on a listener of its own. Others may join: a number has a name, a
//! sentence and its values.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::http::header::{self, HeaderValue};
use axum::routing::get;
use jiff::Timestamp;

use super::counts::Counts;
use super::{Front, State as Served};

/// What the metrics listener answers with.
pub fn metrics(state: Served) -> Front {
    Router::new().route("/metrics", get(all)).with_state(Arc::new(state)).into()
}

async fn all(State(state): State<Arc<Served>>) -> Response<Body> {
    let text = text(state.shared.counts(), state.shared.room().used(), state.clock.now());
    let mut response = Response::new(Body::from(text));
    let format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, format);
    response
}

fn text(counts: &Counts, memory: usize, now: Timestamp) -> String {
    use std::sync::atomic::Ordering::Relaxed;
    let mut out = String::new();
    let requests = counts.answers().map(|(route, status, count)| {
        let status = if status == 0 { "other".to_owned() } else { status.to_string() };
        (format!("{{route=\"{}\",status=\"{status}\"}}", route.name()), count)
    });
    write(&mut out, "http_requests_total", "Requests, by what was asked for and the answer.", requests);
    let one = |value| std::iter::once((String::new(), value));
    write(&mut out, "http_sent_bytes_total", "Bytes sent to clients.", one(counts.bytes.load(Relaxed)));
    write(&mut out, "http_connections_total", "Connections that were let in.", one(counts.opened.load(Relaxed)));
    write(&mut out, "http_connections_open", "Connections that are open now.", one(counts.open()));
    write(&mut out, "http_documents_bytes", "Memory that feeds take in all their forms.", one(memory as u64));
    let subscribers =
        counts.reported.all(now).into_iter().map(|(feed, service, readers)| {
            (format!("{{feed=\"{}\",aggregator=\"{service}\"}}", escaped(&feed)), readers)
        });
    let about = "Readers of a feed, as the services that fetch it for them last said.";
    write(&mut out, "feed_subscribers", about, subscribers);
    out
}

fn write(out: &mut String, name: &str, about: &str, values: impl Iterator<Item = (String, u64)>) {
    let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
    let _ = writeln!(out, "# HELP gazetted_{name} {about}\n# TYPE gazetted_{name} {kind}");
    for (labels, value) in values {
        let _ = writeln!(out, "gazetted_{name}{labels} {value}");
    }
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
