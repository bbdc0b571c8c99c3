//! `gazetted digest`: the editions, listed, previewed, opened, tried out, paused and called off.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::error::Failure;
use super::{Done, acts, open, print};
use crate::config::{Approval, Config};
use crate::daemon::approval;
use crate::daemon::editions::{self, OpenError, Outcome, Word};
use crate::daemon::preview::{Preview, nobody};
use crate::daemon::sending;
use crate::domain::delivery::State as Delivery;
use crate::domain::edition::{Edition, EditionKey, State};
use crate::domain::period::{Per, Period};
use crate::domain::subscriber::Address;
use crate::domain::wording;
use crate::mail::transport::Sent;
use crate::render::message::{Sender, compose, texts};
use crate::render::templates::Templates;
use crate::store::{Canary, DeliveryKey, SharedStore};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Text,
    Html,
    Eml,
    Json,
}

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Every edition and how its deliveries stand
    List {
        /// Facts as JSON
        #[arg(long)]
        json: bool,
    },
    /// Render an edition without opening it
    Preview {
        /// The month, like 2021-05
        period: String,
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Freeze an edition and queue its deliveries
    Open {
        /// The month, like 2021-05
        period: String,
        /// Take posts, too, that were changed a moment ago
        #[arg(long)]
        now: bool,
        /// Open it although `digest check` finds something red
        #[arg(long)]
        despite_findings: bool,
        /// Facts as JSON
        #[arg(long)]
        json: bool,
    },
    /// Look at an edition before it goes out: links, size, words, headers. Leaves with 1 if something is red
    Check {
        /// The month, like 2021-05
        period: String,
        /// Facts as JSON
        #[arg(long)]
        json: bool,
    },
    /// Send an edition to one address, without opening it
    Test {
        /// The month, like 2021-05
        period: String,
        /// Whom to send it to
        #[arg(long, value_name = "ADDR")]
        to: String,
    },
    /// Send nothing more of the open editions for now
    Pause,
    /// Go on with what was paused
    Resume {
        /// Go on with a store that was restored from a backup, too: it has sent nothing so far
        #[arg(long)]
        restored: bool,
    },
    /// Call an edition off: what is not out yet is not sent. One that waits for approval is turned down
    Cancel {
        /// The month, like 2021-05
        period: String,
    },
}

pub async fn run(config: Option<&Path>, command: Command) -> Done {
    match command {
        Command::List { json } => list(config, json).await,
        Command::Preview { period, format } => preview(config, month(&period)?, format).await,
        Command::Open { period, now, despite_findings, json } => {
            let word = Word { as_is: now, despite_findings, ..Word::default() };
            freeze(config, month(&period)?, word, json).await
        }
        Command::Check { period, json } => check(config, month(&period)?, json).await,
        Command::Test { period, to } => test(config, month(&period)?, &to).await,
        Command::Pause => move_all(config, State::Open, State::Paused, "paused").await,
        Command::Resume { restored } => {
            if restored {
                end_standby(config).await?;
            }
            move_all(config, State::Paused, State::Open, "resumed").await
        }
        Command::Cancel { period } => cancel(config, month(&period)?).await,
    }
}

fn month(text: &str) -> Result<Period, Failure> {
    Period::parse(text).filter(|p| matches!(p.per(), Per::Month | Per::Quarter)).ok_or_else(|| {
        Failure::usage(
            format!("the period is `{text}`"),
            "expected a month like `2021-05`, or a quarter like `2021-Q2`",
        )
    })
}

/// The names scripts rely on.
#[derive(Serialize)]
struct Line {
    period: EditionKey,
    state: State,
    posts: u32,
    recipients: u64,
    accepted: u64,
    deferred: u64,
    failed: u64,
    skipped: u64,
    waiting: u64,
    opened_at: Timestamp,
    finished_at: Option<Timestamp>,
    reason: Option<String>,
    subject: String,
}

async fn list(config: Option<&Path>, json: bool) -> Done {
    let config = open::config(config)?;
    let store = open::store(&config).await?;
    if let Some(words) = standing_by(&store).await? {
        eprintln!("warning: {words}\nhint: {STANDBY_HINT}");
    }
    let lines: Vec<Line> = store
        .editions()
        .await?
        .into_iter()
        .map(|s| Line {
            period: s.edition.key,
            state: s.edition.state,
            posts: s.edition.posts,
            recipients: s.counts.total(),
            accepted: s.counts.of(Delivery::Accepted),
            deferred: s.counts.of(Delivery::Deferred),
            failed: s.counts.of(Delivery::Failed),
            skipped: s.counts.of(Delivery::Skipped),
            waiting: s.counts.waiting(),
            opened_at: s.edition.opened_at,
            finished_at: s.edition.finished_at,
            reason: s.edition.reason,
            subject: s.edition.subject,
        })
        .collect();
    if json {
        return print::json(&lines);
    }
    if lines.is_empty() {
        return print::text("no edition has been opened yet");
    }
    let head = ["period", "state", "posts", "recipients", "accepted", "waiting", "failed", "skipped", "reason"];
    // Seldom is there a reason, and then it matters.
    let columns = if lines.iter().any(|line| line.reason.is_some()) { head.len() } else { head.len() - 1 };
    let rows = lines.iter().map(|l| {
        let counts =
            [u64::from(l.posts), l.recipients, l.accepted, l.waiting, l.failed, l.skipped].map(|n| n.to_string());
        let reason = l.reason.clone().unwrap_or_default();
        [l.period.to_string(), l.state.as_str().to_owned()].into_iter().chain(counts).chain([reason]).collect()
    });
    let rows = std::iter::once(head.map(str::to_owned).to_vec()).chain(rows);
    print::text(&print::table(&rows.map(|row: Vec<String>| row[..columns].to_vec()).collect::<Vec<_>>()))
}

/// An edition that is open already as it was frozen, else as it would be now.
async fn edition(config: Option<&Path>, period: Period) -> Result<(Edition, Sender), Failure> {
    let config = open::config(config)?;
    let now = open::now();
    let mut blog = open::blog_to_look_at(&config, now).await?;
    let store = blog.store_if_any();
    let secrets = match &store {
        Some(store) => sending::Secrets::of(store).await?,
        None => sending::Secrets::none(),
    };
    let sender = sending::sender(&config, &blog.site, secrets)?;
    if let Some(store) = &store
        && let Some(frozen) = store.edition(period.into()).await?
    {
        return Ok((frozen, sender));
    }
    let templates = templates(&config.path(&config.digest.templates))?;
    let preview = Preview::of(&mut blog, &templates, period, now, now).map_err(|p| Failure::Config(vec![*p]))?;
    Ok((preview.edition, sender))
}

/// What must not go out, and what may.
async fn check(config: Option<&Path>, period: Period, json: bool) -> Done {
    let config = open::config(config)?;
    let now = open::now();
    let mut blog = open::blog_to_look_at(&config, now).await?;
    let store = blog.store_if_any();
    let templates = templates(&config.path(&config.digest.templates))?;
    let found =
        editions::findings(&mut blog, store.as_ref(), &templates, period, now, now).await.map_err(opening_failed)?;
    let red = u32::try_from(found.iter().filter(|finding| finding.is_red()).count()).unwrap_or(u32::MAX);
    if json {
        print::json(&found)?;
    } else if found.is_empty() {
        print::text(&format!("nothing speaks against the edition of {}", wording::period(period)))?;
    } else {
        let lines = found.iter().map(|finding| format!("{finding}\n    hint: {}", finding.hint));
        print::text(&lines.collect::<Vec<_>>().join("\n"))?;
    }
    if red == 0 {
        return Ok(());
    }
    Err(Failure::failed(
        format!("{} must be mended before the edition of {period} goes out", wording::digits(red, "finding")),
        "or open it all the same with `gazetted digest open --despite-findings`",
    ))
}

pub fn templates(folder: &Path) -> Result<Templates, Failure> {
    editions::templates(folder).map_err(Failure::Config)
}

async fn preview(config: Option<&Path>, period: Period, format: Format) -> Done {
    let (edition, sender) = edition(config, period).await?;
    let to = nobody("reader@example.org");
    match format {
        Format::Eml => print::bytes(&compose(&sender, &edition, to)?.bytes),
        Format::Json => print::json(&edition.content),
        Format::Text => print::text(&texts(&sender, &edition, to)?.text),
        Format::Html => print::text(&texts(&sender, &edition, to)?.html),
    }
}

async fn freeze(config: Option<&Path>, period: Period, word: Word, json: bool) -> Done {
    let config = open::config(config)?;
    let store = open::store(&config).await?;
    refuse_standby(&store).await?;
    let mut blog = open::scanned_blog(Arc::clone(&config), Some(Arc::clone(&store))).await?;
    let now = open::now();
    // The ledger must know every post before one of them is announced.
    blog.publish(now, false).await?;
    let templates = templates(&config.path(&config.digest.templates))?;
    let outcome =
        editions::open(&mut blog, &store, &templates, period, now, now, word).await.map_err(opening_failed)?;
    let (state, posts, recipients) = match &outcome {
        Outcome::Opened { posts, recipients } => ("open", *posts, *recipients),
        Outcome::Empty => ("skipped", 0, 0),
        Outcome::Before(before) => (before.state.as_str(), before.posts, 0),
    };
    if !matches!(outcome, Outcome::Before(_)) {
        take_back(&store, period, now).await?;
        let detail = format!(
            "{state}: {} to {}",
            wording::digits(posts, "post"),
            wording::digits(u32::try_from(recipients).unwrap_or(u32::MAX), "reader")
        );
        acts::write(&store, "digest open", &period.to_string(), &detail).await?;
    }
    if json {
        let before = matches!(outcome, Outcome::Before(_));
        return print::json(
            &serde_json::json!({"period": period, "state": state, "posts": posts, "recipients": recipients, "already": before}),
        );
    }
    print::text(&match outcome {
        Outcome::Opened { posts, recipients } => format!(
            "the edition of {} is open: {}, {}; `gazetted run` sends them, or `gazetted outbox flush` now{}",
            wording::period(period),
            wording::digits(posts, "post"),
            wording::digits(u32::try_from(recipients).unwrap_or(u32::MAX), "recipient"),
            tried_out(&config, recipients),
        ),
        Outcome::Empty => {
            format!("{} had no posts, so no digest goes out (`digest.when_empty` is \"skip\")", wording::period(period))
        }
        Outcome::Before(before) => {
            format!("the edition of {} was opened before; it is {}", wording::period(period), before.state.as_str())
        }
    })
}

/// Editors who were asked about it need not be asked any more.
async fn take_back(store: &SharedStore, period: Period, now: Timestamp) -> Done {
    store.take_back_letters(&approval::letters(period), "it was opened by a command", now).await?;
    Ok(())
}

/// Who flushes the outbox should not wonder why most of it stays.
fn tried_out(config: &Config, recipients: u64) -> String {
    if recipients < Canary::LEAST || config.outbox.canary.get().is_zero() {
        return String::new();
    }
    format!(
        "\nthe editors get it first, one in a hundred and then the rest {} later each (`outbox.canary`)",
        config.outbox.canary
    )
}

fn opening_failed(error: OpenError) -> Failure {
    match error {
        OpenError::NotOver { .. } => Failure::failed(
            error.to_string(),
            "an edition sums up a whole month; look at it with `gazetted digest preview`",
        ),
        OpenError::Restless { until, .. } => {
            Failure::failed(error.to_string(), format!("wait until {until}, or take them as they are with `--now`"))
        }
        OpenError::Template(problem) => Failure::Config(vec![*problem]),
        OpenError::Preflight { key, .. } => Failure::failed(
            error.to_string(),
            format!(
                "look at `gazetted digest check {key}`, mend it, or open it all the same with `--despite-findings`"
            ),
        ),
        OpenError::Overtaken | OpenError::Changed => {
            Failure::failed(error.to_string(), "look at `gazetted digest list`")
        }
        OpenError::Store(store) => store.into(),
    }
}

async fn test(config_path: Option<&Path>, period: Period, to: &str) -> Done {
    let address = Address::parse(to)
        .map_err(|e| Failure::usage(format!("`--to` is `{to}`: {e}"), "expected an address like `name@example.org`"))?;
    let config = open::config(config_path)?;
    let (edition, sender) = edition(config_path, period).await?;
    let message = compose(&sender, &edition, nobody(&address.email))?;
    let ways = sending::ways(&config)?;
    // The one that most goes over.
    let way = ways.iter().max_by_key(|way| way.weight).ok_or_else(|| Failure::failed("no way out", "see `[smtp]`"))?;
    let key = DeliveryKey { edition: period.into(), subscriber: 0 };
    let mut channel = way.transport.channel();
    let sent = channel.send(key, &message, std::future::ready(true), std::future::ready(None)).await;
    channel.close().await;
    match sent {
        Ok(Sent::Accepted(words)) => {
            let store = open::store(&config).await?;
            let detail = format!("sent to {}", Address::masked(&address.email));
            acts::write(&store, "digest test", &period.to_string(), &detail).await?;
            print::text(&format!("sent to {}: {words} ({} bytes)", address.email, message.bytes.len()))
        }
        Ok(Sent::Lost) => Err(Failure::failed("not sent", "try again")),
        Err(failure) => Err(Failure::failed(
            format!("not sent: {}", failure.words),
            "check `[smtp]`; these are the server's own words",
        )),
    }
}

/// Why nothing is opened or sent from a store that was copied, if this is one.
pub async fn standing_by(store: &SharedStore) -> Result<Option<String>, Failure> {
    Ok(store.standby().await?.map(|since| {
        format!("the store was restored from a copy of {since}, and sends nothing: what was sent after that, it does not know")
    }))
}

pub const STANDBY_HINT: &str =
    "look at `gazetted digest list`, `digest cancel` what has gone out, then `gazetted digest resume --restored`";

pub async fn refuse_standby(store: &SharedStore) -> Done {
    match standing_by(store).await? {
        Some(words) => Err(Failure::failed(words, STANDBY_HINT)),
        None => Ok(()),
    }
}

async fn end_standby(config: Option<&Path>) -> Done {
    let config = open::config(config)?;
    let store = open::store(&config).await?;
    let stood_by = store.end_standby().await?;
    if stood_by {
        acts::write(&store, "digest resume", "", "the restored store goes on").await?;
    }
    print::text(if stood_by {
        "the restored store goes on: what waits in it is sent"
    } else {
        "the store was not standing by"
    })
}

fn verb(to: State) -> &'static str {
    if to == State::Paused { "pause" } else { "resume" }
}

async fn move_all(config: Option<&Path>, from: State, to: State, done: &str) -> Done {
    let config = open::config(config)?;
    let store = open::store(&config).await?;
    let mut moved = Vec::new();
    for summary in store.editions().await?.iter().filter(|s| s.edition.state == from) {
        if store.move_edition(summary.edition.key, &[from], to, open::now()).await? {
            let key = summary.edition.key.to_string();
            acts::write(&store, &format!("digest {}", verb(to)), &key, done).await?;
            moved.push(key);
        }
    }
    print::text(&if moved.is_empty() {
        format!("no edition is {}", from.as_str())
    } else {
        format!("{done}: {}", moved.join(", "))
    })
}

async fn cancel(config: Option<&Path>, period: Period) -> Done {
    let config = open::config(config)?;
    let store = open::store(&config).await?;
    if store.move_edition(period.into(), &[State::Open, State::Paused], State::Cancelled, open::now()).await? {
        acts::write(&store, "digest cancel", &period.to_string(), "called off").await?;
        return print::text(&format!("the edition of {} is called off", wording::period(period)));
    }
    let (now, approval) = (open::now(), config.digest.approval);
    if approval == Approval::Manual && store.edition(period.into()).await?.is_none() {
        return turn_down(config, &store, period, now).await;
    }
    Err(not_open(period))
}

fn not_open(period: Period) -> Failure {
    Failure::failed(
        format!("the edition of {period} is not open, and does not wait for approval"),
        "`gazetted digest list` shows those that are",
    )
}

/// One that waits for an editor's word.
async fn turn_down(config: Arc<Config>, store: &SharedStore, period: Period, now: Timestamp) -> Done {
    let templates = templates(&config.path(&config.digest.templates))?;
    let mut blog = open::scanned_blog(config, Some(Arc::clone(store))).await?;
    if !editions::due(&blog, store, now).await?.contains(&period) {
        return Err(not_open(period));
    }
    // The ledger must know every post that is not to be announced.
    blog.publish(now, false).await?;
    let turned_down = editions::turn_down(&mut blog, store, &templates, period, now, None).await;
    let Some(posts) = turned_down.map_err(opening_failed)? else { return Err(not_open(period)) };
    store.take_back_letters(&approval::letters(period), "it was turned down by a command", now).await?;
    acts::write(store, "digest cancel", &period.to_string(), "turned down").await?;
    print::text(&editions::turned_down(period, posts))
}
