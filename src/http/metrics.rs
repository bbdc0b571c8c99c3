//! The server's numbers as Prometheus reads them, on a listener of its own. Others may join: a number has a name, a
//! sentence and its values.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::http::header::{self, HeaderValue};
use axum::routing::get;
use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::published::Published;
use super::standing::Standing;
use super::{Front, State as Served};
use crate::store::{Figures, StoreError};

mod process;

/// The store is asked so often at most: it has to read every delivery for it.
const FRESH: Duration = Duration::from_secs(15);
/// A store that takes longer counts as one that does not answer.
const PATIENCE: Duration = Duration::from_secs(8);

/// What the metrics listener answers with.
pub fn metrics(state: Served) -> Front {
    let teller = Teller { served: state, last: Mutex::default() };
    Router::new().route("/metrics", get(all)).with_state(Arc::new(teller)).into()
}

struct Teller {
    served: Served,
    last: Mutex<Option<(Instant, Told)>>,
}

/// What the store said, and how long it took.
#[derive(Clone)]
struct Told {
    figures: Option<Figures>,
    took: Duration,
}

impl Teller {
    async fn store(&self) -> Told {
        let mut last = self.last.lock().await;
        if let Some((at, told)) = &*last
            && at.elapsed() < FRESH
        {
            return told.clone();
        }
        let asked = Instant::now();
        let answer = timeout(PATIENCE, self.served.store.figures(self.served.clock.now())).await;
        let told = Told { figures: answer.ok().and_then(Result::<_, StoreError>::ok), took: asked.elapsed() };
        *last = Some((Instant::now(), told.clone()));
        told
    }
}

async fn all(State(teller): State<Arc<Teller>>) -> Response<Body> {
    let told = teller.store().await;
    let mut page = Page::default();
    let now = teller.served.clock.now();
    page.program();
    page.requests(&teller.served, now);
    page.published(&teller.served.shared.get(), teller.served.shared.standing());
    page.attempts(teller.served.shared.attempts());
    page.store(&told, now);
    process::tell(&mut page);
    let mut response = Response::new(Body::from(page.0));
    let format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, format);
    response
}

/// Prometheus's text format, line by line. No label holds an address, a name of a person, or a token.
#[derive(Default)]
struct Page(String);

impl Page {
    fn program(&mut self) {
        let version = labels(&[("version", env!("CARGO_PKG_VERSION"))]);
        self.tell("build_info", "The program that answers.", [(version, 1)]);
    }

    fn requests(&mut self, served: &Served, now: Timestamp) {
        use std::sync::atomic::Ordering::Relaxed;
        let counts = served.shared.counts();
        let requests = counts.answers().map(|(route, status, count)| {
            let status = if status == 0 { "other".to_owned() } else { status.to_string() };
            (labels(&[("route", route.name()), ("status", &status)]), count)
        });
        self.tell("http_requests_total", "Requests, by what was asked for and the answer.", requests);
        self.one("http_sent_bytes_total", "Bytes sent to clients.", counts.bytes.load(Relaxed));
        self.one("http_connections_total", "Connections that were let in.", counts.opened.load(Relaxed));
        self.one("http_connections_open", "Connections that are open now.", counts.open());
        let memory = served.shared.room().used() as u64;
        self.one("http_documents_bytes", "Memory that feeds take in all their forms.", memory);
        let told = counts.reported.all(now).into_iter();
        let readers =
            told.map(|(feed, service, readers)| (labels(&[("feed", &feed), ("aggregator", &service)]), readers));
        let about = "Readers of a feed, as the services that fetch it for them last said.";
        self.tell("feed_subscribers", about, readers);
    }

    fn published(&mut self, published: &Published, standing: Standing) {
        let Standing {
            posts,
            errors,
            warnings,
            unfinished,
            next_digest,
            leads,
            clock_doubted,
            scanned_at,
            tls_until,
            beat_at,
        } = standing;
        self.tell("posts", "Posts, by state.", posts.iter().map(|(state, n)| (labels(&[("state", state)]), *n)));
        let problems = [("error", errors), ("warning", warnings)];
        let problems = problems.map(|(severity, n)| (labels(&[("severity", severity)]), n));
        self.tell("problems", "What is wrong with posts and feeds, as `gazetted check` says it.", problems);
        let is_feed = |media_type: &str| media_type != "text/html" && media_type != "text/css";
        let feeds = published.documents.values().filter(|document| is_feed(document.media_type)).count();
        self.one("feeds", "Feeds that are served, in all formats.", feeds as u64);
        self.one(
            "publish_failed",
            "1 while the last pass from posts to feeds did not come to its end.",
            u64::from(unfinished),
        );
        self.at("scan_timestamp_seconds", "When the posts were last looked at.", scanned_at);
        self.at("heartbeat_timestamp_seconds", "The scheduler's last heartbeat; one a minute.", beat_at);
        self.at("digest_next_timestamp_seconds", "When the next monthly digest is due.", next_digest);
        self.at("tls_certificate_end_timestamp_seconds", "When the certificate ends that TLS uses.", tls_until);
        self.one("schedule_leader", "1 if this node opens editions.", u64::from(leads));
        self.one("clock_doubted", "1 while the clock has jumped and nothing is sent.", u64::from(clock_doubted));
        self.goals(published);
    }

    fn goals(&mut self, published: &Published) {
        let goals = || published.goals.iter().map(|record| (labels(&[("goal", &record.status.name)]), &record.status));
        let number =
            |of: fn(&crate::domain::goal::GoalStatus) -> i64| goals().map(move |(goal, status)| (goal, of(status)));
        self.tell("goal_published", "Posts that count for a goal.", number(|goal| i64::from(goal.published)));
        self.tell("goal_target", "Posts that were promised up to now.", number(|goal| i64::from(goal.target)));
        self.tell("goal_ahead", "Published less promised; below zero is behind.", number(|goal| goal.ahead));
        self.tell("goal_streak", "Periods in a row that were met.", number(|goal| i64::from(goal.streak)));
        let open = number(|goal| goal.periods.last().map_or(0, |period| i64::from(period.published)));
        self.tell("goal_period_published", "Posts in the period that is open.", open);
        self.tell("goal_period_target", "Posts promised for each period.", number(|goal| i64::from(goal.posts)));
    }

    fn attempts(&mut self, attempts: Vec<(String, &'static str, u64)>) {
        let about = "Attempts to deliver, by what came of them and the relay they went to; refused and doubtful ones are also settled.";
        let attempts = attempts.into_iter();
        let attempts = attempts.map(|(way, outcome, n)| (labels(&[("destination", &way), ("outcome", outcome)]), n));
        self.tell("delivery_attempts_total", about, attempts);
    }

    fn store(&mut self, told: &Told, now: Timestamp) {
        self.one("store_up", "1 if the store answers.", u64::from(told.figures.is_some()));
        self.one("store_answer_seconds", "How long the store took for these numbers.", told.took.as_secs_f64());
        let Some(figures) = &told.figures else { return };
        let by_state = |counts: &std::collections::BTreeMap<String, u64>| {
            counts.iter().map(|(state, n)| (labels(&[("state", state)]), *n)).collect::<Vec<_>>()
        };
        self.tell("deliveries", "Deliveries in the store, by state.", by_state(&figures.deliveries));
        self.tell("editions", "Editions, by state.", by_state(&figures.editions));
        self.tell("subscribers", "People, by state.", by_state(&figures.subscribers));
        let age = figures.oldest.map_or(0.0, |oldest| now.duration_since(oldest).as_secs_f64().max(0.0));
        self.one("queue_oldest_seconds", "How long the oldest delivery has waited that is still to go out.", age);
        self.at("edition_opened_timestamp_seconds", "When the newest edition was opened.", figures.opened_at);
        self.one("webhook_calls_waiting", "Calls of webhooks that are still to be made.", figures.calls);
        self.one("nodes", "Nodes that are alive on this store.", figures.nodes);
        self.one("store_schema", "The schema's number.", figures.schema);
        self.one(
            "store_standby",
            "1 while the store is a copy, from which nothing is sent.",
            u64::from(figures.stands_by),
        );
        self.one("store_bytes", "What the store takes of its disk.", figures.bytes);
        if let Some(free) = figures.free {
            self.one("store_free_bytes", "What is left on the store's disk; below 32 MiB nothing new is begun.", free);
        }
    }

    fn at(&mut self, name: &str, about: &str, when: Option<Timestamp>) {
        self.tell(name, about, when.map(|when| (String::new(), when.as_second())));
    }

    fn one(&mut self, name: &str, about: &str, value: impl std::fmt::Display) {
        self.tell(name, about, [(String::new(), value)]);
    }

    fn tell<V: std::fmt::Display>(&mut self, name: &str, about: &str, values: impl IntoIterator<Item = (String, V)>) {
        self.raw(&format!("gazetted_{name}"), about, values);
    }

    fn raw<V: std::fmt::Display>(&mut self, name: &str, about: &str, values: impl IntoIterator<Item = (String, V)>) {
        let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
        let _ = writeln!(self.0, "# HELP {name} {about}\n# TYPE {name} {kind}");
        for (labels, value) in values {
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }
}

fn labels(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    format!("{{{}}}", pairs.join(","))
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
