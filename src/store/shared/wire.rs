//! What a node has on the wire: one list, written before each message begins, which the message leaves with its outcome. The marks
//! and outcomes of many connections are one transaction. A node whose list is gone was held for dead, and marks nothing.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::json;

use super::super::{Connection, Row, all_of_both};
use super::rows;
use crate::domain::delivery::Outcome;
use crate::store::{Claim, DeliveryKey, Result, Step};

/// What a claim is recognised by: its delivery, and which of all claims of it this is.
pub type Id = (DeliveryKey, i64);

/// How often a list is written anew that something else has written meanwhile: a transaction of ours whose connection was lost.
const TRIES: u32 = 3;

/// The deliveries of a list of claims, unless they have been claimed again since.
macro_rules! known {
    ($list:literal) => {
        concat!(
            rows!($list, 0 edition text, 1 subscriber bigint, 2 fence bigint, 3 state text),
            " JOIN deliveries ON deliveries.edition = given.edition AND deliveries.subscriber = given.subscriber
                 AND deliveries.fence = given.fence"
        )
    };
}

/// Those whose claims still hold.
macro_rules! holding {
    ($node:literal, $list:literal) => {
        concat!(
            known!($list),
            " WHERE deliveries.node = ",
            $node,
            " AND deliveries.state = 'claimed'
                 AND (kind <> 'edition'
                     OR EXISTS (SELECT 1 FROM editions WHERE period = given.edition AND editions.state = 'open'))"
        )
    };
}

/// All that are to begin, or none.
macro_rules! mark {
    ($node:literal, $begun:literal, $many:literal, $messages:literal, $nr:literal) => {
        concat!(
            "UPDATE wire SET messages = ",
            $messages,
            ", nr = nr + 1
             WHERE node = ",
            $node,
            " AND nr = ",
            $nr,
            " AND (SELECT count(*) FROM ",
            holding!($node, $begun),
            ") = ",
            $many
        )
    };
}

/// Who left while the message was on its way has it all the same; of who was erased, nothing comes back with the server's words.
macro_rules! settle {
    ($node:literal, $outcomes:literal, $at:literal) => {
        concat!(
            "UPDATE deliveries SET state = given.state, due_at = given.due,
                 reply = CASE WHEN deliveries.email <> '' THEN given.reply END,
                 attempts = attempts - given.refund, changed_at = ", $at, ", node = NULL FROM ",
            rows!($outcomes, 0 edition text, 1 subscriber bigint, 2 fence bigint, 3 state text, 4 reply text, 5 due bigint,
                6 refund bigint, 7 marked bigint),
            " WHERE deliveries.edition = given.edition AND deliveries.subscriber = given.subscriber
                 AND deliveries.fence = given.fence
                 AND (deliveries.node = ", $node, " AND deliveries.state = 'claimed'
                     OR deliveries.state = 'skipped' AND given.state = 'accepted' AND given.marked = 1)"
        )
    };
}

/// What a pen's connection is told first.
pub const PREPARE: &str = prepare!(
    mark!("NEW.node", "NEW.begun", "NEW.many", "NEW.messages", "NEW.nr"),
    settle!("NEW.node", "NEW.outcomes", "NEW.at")
);

/// The list as the ledger has it.
pub struct Wire {
    node: String,
    /// Goes up with each list, so that one which comes late, from a connection that was given up, is not written over a newer one.
    /// None: not looked at yet, or there is none.
    nr: Option<i64>,
    messages: HashSet<Id>,
}

impl Wire {
    pub fn of(node: &str) -> Self {
        Self { node: node.to_owned(), nr: None, messages: HashSet::new() }
    }

    /// All in one statement: one way to the database and back is what each message waits for. For each step whether its claim still
    /// held. No two are made at the same instant: by it is known what this one wrote.
    pub async fn advance(&mut self, db: &mut Connection, steps: &[Step], at: Timestamp) -> Result<Vec<bool>> {
        if self.nr.is_none() {
            self.look(db).await?;
        }
        let (outcomes, at) = (self.outcomes(steps), at.as_microsecond());
        self.messages.retain(|id| !outcomes.ids.contains(id));
        let is_new = |id: &Id| !self.messages.contains(id) && !outcomes.ids.contains(id);
        let begun: Vec<Id> = steps.iter().filter_map(marked).filter(is_new).collect();
        let (held, ended) = if self.write(db, &begun, &outcomes, at).await? {
            self.begin(&begun);
            (begun.into_iter().collect(), outcomes.ids)
        } else {
            // Hardly ever. The outcomes first: a mark counts only when what was before it on its connection is over.
            let ended = settle_again(db, &self.node, &outcomes, at).await?;
            (self.mark_again(db, &begun).await?, ended)
        };
        let holds = |step: &Step| match step {
            Step::Mark(claim) => held.contains(&id(claim)),
            Step::Settle(claim, _) => ended.contains(&id(claim)),
        };
        Ok(steps.iter().map(holds).collect())
    }

    fn outcomes(&self, steps: &[Step]) -> Outcomes {
        let (mut ids, mut rows) = (HashSet::new(), Vec::new());
        for step in steps {
            if let Step::Settle(claim, outcome) = step {
                let id = id(claim);
                rows.push(written(&id, outcome, self.messages.contains(&id)));
                ids.insert(id);
            }
        }
        Outcomes { ids, list: joined(rows) }
    }

    /// False if not all of it was written: then, nothing, or some of the outcomes.
    async fn write(&self, db: &mut Connection, begun: &[Id], outcomes: &Outcomes, at: i64) -> Result<bool> {
        let (is_begun, is_ended) = (!begun.is_empty(), !outcomes.ids.is_empty());
        let sql = match (is_begun, is_ended) {
            (false, false) => return Ok(true),
            (true, false) => mark!("$1", "$2", "$3", "$4", "$5"),
            (false, true) => settle!("$1", "$2", "$3"),
            (true, true) => both!(mark!("$1", "$2", "$3", "$4", "$5"), settle!("$1", "$6", "$7")),
        };
        let mut query = sqlx::query(sql).bind(&self.node);
        if is_begun {
            let many = i64::try_from(begun.len()).unwrap_or(i64::MAX);
            query = query.bind(list(begun)).bind(many).bind(list(self.messages.iter().chain(begun))).bind(self.nr);
        }
        if is_ended {
            query = query.bind(&outcomes.list).bind(at);
        }
        let rows = query.execute(db).await.map(|done| done.rows_affected());
        let expected = u64::from(is_begun) + outcomes.ids.len() as u64;
        if is_begun && is_ended { all_of_both(rows, expected) } else { Ok(rows? == expected) }
    }

    fn begin(&mut self, begun: &[Id]) {
        if !begun.is_empty() {
            self.nr = self.nr.map(|nr| nr + 1);
            self.messages.extend(begun);
        }
    }

    /// Those of the marks whose claims still hold.
    async fn mark_again(&mut self, db: &mut Connection, begun: &[Id]) -> Result<HashSet<Id>> {
        for _ in 0..TRIES {
            self.look(db).await?;
            let (there, missing): (Vec<Id>, Vec<Id>) = begun.iter().partition(|id| self.messages.contains(id));
            let holding = self.holding(db, &missing).await?;
            if self.write(db, &holding, &Outcomes::default(), 0).await? {
                self.begin(&holding);
                return Ok(there.into_iter().chain(holding).collect());
            }
        }
        Ok(HashSet::new())
    }

    async fn holding(&self, db: &mut Connection, ids: &[Id]) -> Result<Vec<Id>> {
        if ids.is_empty() || self.nr.is_none() {
            return Ok(Vec::new());
        }
        let sql = concat!("SELECT deliveries.* FROM ", holding!("$1", "$2"));
        let found = sqlx::query(sql).bind(&self.node).bind(list(ids)).fetch_all(db).await?;
        found.iter().map(read).collect()
    }

    /// Reads the list. What has an outcome by now stands in it until the next one is written.
    async fn look(&mut self, db: &mut Connection) -> Result<()> {
        let found = sqlx::query("SELECT nr, messages FROM wire WHERE node = $1")
            .bind(&self.node)
            .fetch_optional(&mut *db)
            .await?;
        (self.nr, self.messages) = (None, HashSet::new());
        if let Some(row) = found {
            let sql = concat!(
                "SELECT deliveries.* FROM ",
                known!("$2"),
                " WHERE deliveries.node = $1 AND deliveries.state = 'claimed' OR deliveries.state = 'skipped'"
            );
            let messages = sqlx::query(sql).bind(&self.node).bind(rows::text(&row, "messages")?).fetch_all(db).await?;
            self.nr = Some(rows::int(&row, "nr")?);
            self.messages = messages.iter().map(read).collect::<Result<_>>()?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Outcomes {
    ids: HashSet<Id>,
    /// JSON, as `settle!` takes them.
    list: String,
}

fn written((key, fence): &Id, outcome: &Outcome, marked: bool) -> String {
    let (words, due, is_refund) = match outcome {
        Outcome::Accepted { reply: words } | Outcome::Failed { reply: words } | Outcome::Held { reason: words } => {
            (words, None, false)
        }
        Outcome::Deferred { reply, until } => (reply, Some(*until), false),
        // The attempt does not count.
        Outcome::Skipped { reason } => (reason, None, true),
        Outcome::Released { until, reason } => (reason, Some(*until), true),
    };
    let (words, due) = (json!(rows::clean(words)), json!(due.map(Timestamp::as_microsecond)));
    let (state, refund, marked) = (outcome.state().as_str(), u8::from(is_refund), u8::from(marked));
    format!(r#"["{}",{},{fence},"{state}",{words},{due},{refund},{marked}]"#, key.edition, key.subscriber)
}

fn marked(step: &Step) -> Option<Id> {
    match step {
        Step::Mark(claim) => Some(id(claim)),
        Step::Settle(..) => None,
    }
}

fn id(claim: &Claim) -> Id {
    (claim.key, claim.fence)
}

fn read(row: &Row) -> Result<Id> {
    Ok((rows::delivery(row)?, rows::int(row, "fence")?))
}

/// As JSON; in an edition's key is nothing to escape.
fn list<'a>(ids: impl IntoIterator<Item = &'a Id>) -> String {
    joined(ids.into_iter().map(|(key, fence)| format!(r#"["{}",{},{fence}]"#, key.edition, key.subscriber)))
}

fn joined(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(","))
}

/// Writes those outcomes that were not written yet and whose claims hold; which were written at this instant.
async fn settle_again(db: &mut Connection, node: &str, outcomes: &Outcomes, at: i64) -> Result<HashSet<Id>> {
    let Outcomes { list, .. } = outcomes;
    sqlx::query(settle!("$1", "$2", "$3")).bind(node).bind(list).bind(at).execute(&mut *db).await?;
    let sql = concat!(
        "SELECT deliveries.* FROM ",
        known!("$1"),
        " WHERE deliveries.state = given.state AND deliveries.changed_at = $2"
    );
    let found = sqlx::query(sql).bind(list).bind(at).fetch_all(db).await?;
    found.iter().map(read).collect()
}

/// The lists of the dead, by node, which are theirs no more: `node`'s, and those of nodes whose leases have run out.
pub async fn bury(db: &mut Connection, node: Option<&str>, now: Timestamp) -> Result<Vec<(String, String)>> {
    let found = sqlx::query(concat!(
        "DELETE FROM wire WHERE node = $1 OR lease_until < ",
        clock!("$2"),
        " AND NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.name = wire.node AND nodes.lease_until >= ",
        clock!("$2"),
        ") RETURNING node, messages"
    ))
    .bind(node)
    .bind(now.as_microsecond())
    .fetch_all(db)
    .await?;
    found.iter().map(|row| Ok((rows::text(row, "node")?, rows::text(row, "messages")?))).collect()
}

/// A node holds claims from now on, and may mark them.
pub async fn hold(db: &mut Connection, node: &str, now: Timestamp, lease_until: Timestamp) -> Result<()> {
    sqlx::query(concat!(
        "INSERT INTO wire (node, nr, lease_until, messages) VALUES ($1, 1, ",
        clock!("$2"),
        " + $3, '[]') ON CONFLICT (node) DO UPDATE SET lease_until = excluded.lease_until"
    ))
    .bind(node)
    .bind(now.as_microsecond())
    .bind(lease_until.as_microsecond() - now.as_microsecond())
    .execute(db)
    .await?;
    Ok(())
}
